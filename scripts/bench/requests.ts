// The bytes of the requests that the generator sends.
import { BASE_PATH, type Job, PRODUCT_KEY, SKU, TOO_MANY } from './job.js';
import { createRandom, uniform, zipf } from './statistics.js';

/** Gives the next request of a connection, which may follow from the last answer. */
export type Requests = (lastBody: string | undefined) => string;

/** Requests of a job; `makeConnection` is called once for each connection. */
export function createRequests(job: Job): { makeConnection(): Requests } {
  const random = createRandom(job.seed);
  const { prefix, count, isZipf } = job.customers;
  const choose = isZipf ? zipf(count, random) : uniform(count, random);
  const name = () => `${prefix}${choose()}`;
  let serial = 0;
  const nextSerial = () => {
    serial += 1;
    return `${job.seed}-${serial}`;
  };
  const key = () => (job.hasKeys ? `,"idempotency_key":"${nextSerial()}"` : '');
  switch (job.kind) {
    case 'consume':
      return forAll(() => post(job, '/quota/consume', consumeBody(name(), key())));
    case 'refusal':
      return forAll(() => post(job, '/quota/consume', consumeBody(name(), key(), TOO_MANY)));
    case 'ceiling':
      return forAll(() => post(job, '/bench/consume', consumeBody(name(), key())));
    case 'balance':
      return forAll(() => get(job, `/balance?external_id=${name()}&product_key=${PRODUCT_KEY}`));
    case 'entries':
      return forAll(() => get(job, `/wallet/entries?external_id=${name()}&limit=20`));
    case 'mixed':
      return mixed(job, random);
    case 'order':
      return inTurn(
        () => post(job, '/orders', `{"external_id":"${name()}","items":[{"sku":"${SKU}"}]}`),
        (id) => post(job, `/orders/${id}/confirm`, `{"payment_id":"${nextSerial()}","payment_method":"bench"}`),
      );
    case 'reservation':
      return inTurn(
        () => post(job, '/reservations', consumeBody(name(), key())),
        (id) => post(job, `/reservations/${id}/commit`, '{}'),
      );
  }
}

const MIXED: readonly Job['kind'][] = ['consume', 'consume', 'balance', 'entries', 'refusal', 'reservation', 'order'];

/** Two requests of one kind, then two of another. */
function mixed(job: Job, random: () => number): { makeConnection(): Requests } {
  const kinds = MIXED.map((kind, at) => createRequests({ ...job, kind, seed: job.seed * MIXED.length + at }));
  const choose = uniform(kinds.length, random);
  return {
    makeConnection: () => {
      const ways = kinds.map((kind) => kind.makeConnection());
      let way: Requests | undefined;
      return (lastBody) => {
        const second = way;
        way = second ? undefined : ways[choose() - 1];
        return second ? second(lastBody) : (way as Requests)(undefined);
      };
    },
  };
}

/** Makes something, then does something with what was made: two requests in turn. */
function inTurn(make: () => string, use: (id: string) => string): { makeConnection(): Requests } {
  return {
    makeConnection: () => {
      let isMade = false;
      return (lastBody) => {
        const id = isMade && lastBody !== undefined ? /"id":"([0-9a-f-]{36})"/.exec(lastBody)?.[1] : undefined;
        isMade = id === undefined;
        return id === undefined ? make() : use(id);
      };
    },
  };
}

function forAll(next: () => string): { makeConnection(): Requests } {
  return { makeConnection: () => next };
}

function consumeBody(externalId: string, key: string, amount = 1): string {
  return `{"external_id":"${externalId}","product_key":"${PRODUCT_KEY}","amount":${amount},"action_type":"predict"${key}}`;
}

function post(job: Job, path: string, body: string): string {
  return `POST ${BASE_PATH}${path} HTTP/1.1\r\n${headers(job)}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function get(job: Job, path: string): string {
  return `GET ${BASE_PATH}${path} HTTP/1.1\r\n${headers(job)}\r\n`;
}

function headers({ token }: Job): string {
  return `Host: bench\r\nAuthorization: Bearer ${token}\r\n`;
}
