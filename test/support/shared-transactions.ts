// Makes requests share a transaction on purpose: both lanes of an app are held at a COMMIT while more requests come in. Tells from the
// rows themselves which of them one transaction wrote.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, grantUnits, type TestApp } from './app.js';
import { gateCommits } from './commit-faults.js';
import { ask, type Client, type HeldTransaction, holdTransaction, send, untilWaiting } from './parallel.js';

const LANES = 2;
const GATE_KEY = 4_712;
/** Enough names that each lane has some of them. */
const BLOCKERS = Array.from({ length: 8 }, (_, index) => `blocker-${index}`);

/** Requests to a running app, with the token of all scopes. */
export function clientOf({ server }: Pick<FastifyInstance, 'server'>): Client {
  const start = (method: 'get' | 'post' | 'put', path: string, headers: Record<string, string> = {}) =>
    request(server)
      [method](`${BASE_PATH}${path}`)
      .set({ authorization: `Bearer ${API_TOKEN}`, ...headers });
  return {
    get: (path, headers) => start('get', path, headers),
    post: (path, body, headers) => start('post', path, headers).send(body as object),
    put: (path, body, headers) => start('put', path, headers).send(body as object),
  };
}

/** Grants units of the product to those who will hold the lanes; once per file. */
export async function endowBlockers(app: TestApp, productKey: string): Promise<void> {
  for (const blocker of BLOCKERS) await grantUnits(app, blocker, productKey, 1_000);
}

/** Holds both lanes of an app at a COMMIT each, until the returned transaction ends. */
export async function holdLanes(url: string, client: Client, productKey: string): Promise<HeldTransaction> {
  const gate = await gateCommits(url, 'entries');
  const blocked = BLOCKERS.map((external_id) =>
    send(client.post('/quota/consume', { external_id, product_key: productKey, amount: 1 })),
  );
  onTestFinished(async () => {
    await Promise.all(blocked);
  });
  await untilWaiting(url, LANES);
  return gate;
}

/** Sends requests and returns their pending answers once the app has taken all of them in. */
export async function sendAll(
  { server }: Pick<FastifyInstance, 'server'>,
  requests: readonly request.Test[],
): Promise<Promise<request.Response>[]> {
  let sent: Promise<request.Response>[] = [];
  await new Promise<void>((allCame) => {
    let arrived = 0;
    const count = () => {
      arrived += 1;
      if (arrived < requests.length) return;
      server.off('request', count);
      allCame();
    };
    server.on('request', count);
    sent = requests.map(send);
  });
  await passBy(server);
  return sent;
}

/** Sends requests so that they come in one after the other; returns their pending answers. */
export async function sendInOrder(
  app: Pick<FastifyInstance, 'server'>,
  requests: readonly request.Test[],
): Promise<Promise<request.Response>[]> {
  const sent: Promise<request.Response>[] = [];
  for (const each of requests) sent.push(...(await sendAll(app, [each])));
  return sent;
}

/** A read that goes to the database and back: what came in before it has been parsed meanwhile. */
async function passBy(server: FastifyInstance['server']): Promise<void> {
  await clientOf({ server }).get(`/wallet?external_id=${BLOCKERS[0]}`);
}

/** How many transactions wrote the operations of these names (and this key), consumes unless told, of these identities. */
export async function countTransactions(
  url: string,
  externalIds: readonly string[],
  names: readonly string[] = ['quota.consume'],
  key?: string,
): Promise<number> {
  const [row] = await ask(
    url,
    `SELECT count(DISTINCT o.xmin::text)::int AS transactions FROM operations o JOIN identities i USING (customer_id)
     WHERE o.name = ANY ($2) AND i.external_id = ANY ($1) AND ($3::text IS NULL OR EXISTS (
       SELECT FROM idempotency_records r WHERE r.customer_id = o.customer_id AND r.operation_id = o.id AND r.kind = 'client' AND r.key = $3))`,
    [externalIds, names, key ?? null],
  );
  return row?.transactions as number;
}

/** Makes each transaction fail that records a use with this action id; removed when the test ends. */
export async function poisonAction(url: string, actionId: string, sqlState: string): Promise<void> {
  await addActionTrigger(url, actionId, `RAISE EXCEPTION 'injected' USING ERRCODE = '${sqlState}';`);
}

/** Holds up, in the middle, each transaction that records a use with this action id, until the returned transaction ends. */
export async function gateAction(url: string, actionId: string): Promise<HeldTransaction> {
  await addActionTrigger(url, actionId, `PERFORM pg_advisory_xact_lock_shared(${GATE_KEY}); RETURN NEW;`);
  const gate = await holdTransaction(url);
  await gate.query(`SELECT pg_advisory_xact_lock(${GATE_KEY})`);
  return gate;
}

async function addActionTrigger(url: string, actionId: string, body: string): Promise<void> {
  await ask(url, `CREATE FUNCTION test_action() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$`);
  await ask(
    url,
    `CREATE TRIGGER test_action BEFORE INSERT ON entries FOR EACH ROW WHEN (NEW.action_id = '${actionId}')
     EXECUTE FUNCTION test_action()`,
  );
  onTestFinished(async () => {
    await ask(url, 'DROP FUNCTION test_action() CASCADE');
  });
}
