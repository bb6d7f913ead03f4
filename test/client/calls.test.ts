// The client's calls against a real Bursar: refusals are values, problems and outages are errors, and whatever is repeated has its effect once.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BursarProblem, BursarUnreachable, createBursar, each, isOutage } from '../../clients/typescript/src/bursar.js';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { clientOf } from '../support/metered.js';

const app = useTestApp();
const TOKEN = 'a-token';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putOffer(app, 'CREDITS_100', 'CREDITS', 100);
});

async function someone(credits: number): Promise<{ external_id: string }> {
  const external_id = randomUUID();
  await grantUnits(app, external_id, 'CREDITS', credits);
  return { external_id };
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('the call must fail'),
    (error: unknown) => error,
  );
}

/** A fetch that loses the first answers: the request was carried out, and nobody heard of it. */
function losing(answers: number, sent: string[]): typeof fetch {
  let left = answers;
  return async (url, init) => {
    sent.push(String(init?.body));
    const response = await fetch(url, init);
    if (left === 0) return response;
    left -= 1;
    await response.text();
    throw new TypeError('fetch failed');
  };
}

/** Something that answers in Bursar's place. */
async function standIn(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const problem = (response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}) =>
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
    .end(JSON.stringify({ type: `/problems/${code}`, title: code, status, detail: code, code }));

describe('a call', () => {
  it('that reads says the last position that a write had, in whichever order answers come', async () => {
    const said: (string | undefined)[] = [];
    const positions = ['9', '10', '2', 'latest', '11'];
    const url = await standIn((request, response) => {
      const isRead = request.method === 'GET';
      if (isRead) said.push(request.headers['bursar-position'] as string | undefined);
      const header = isRead ? {} : { 'bursar-position': positions.shift() ?? '' };
      response.writeHead(200, { 'content-type': 'application/json', ...header }).end('{}');
    });
    const bursar = createBursar({ url, token: TOKEN });
    for (let round = 0; round < 6; round += 1) {
      await bursar.getBalance({ external_id: 'ada', product_key: 'CREDITS' });
      if (round < 5) await bursar.identify({ external_id: 'ada' });
    }
    expect(said).toEqual([undefined, '9', '10', '10', 'latest', '11']);
  });

  it('answers what was taken', async () => {
    const who = await someone(10);
    const use = await clientOf(app).consume({ ...who, product_key: 'CREDITS', amount: 3 });
    expect(use).toMatchObject({ allowed: true, amount: 3, remaining: 7 });
  });

  it('answers a refusal as a value, with what would help', async () => {
    const who = await someone(2);
    const use = await clientOf(app).consume({ ...who, product_key: 'CREDITS', amount: 5 });
    if (use.allowed) return expect.unreachable();
    expect(use).toMatchObject({
      code: 'insufficient_quota',
      status: 402,
      reasons: [{ code: 'insufficient_quota' }],
      violations: [],
      upgrade_skus: ['CREDITS_100'],
      upgrade_offers: [{ sku: 'CREDITS_100', price: '1.00' }],
      problem: { requested: 5, available: 2 },
    });
    return expect(use.requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('answers a limit that is reached as a value, and does not try again', async () => {
    const who = await someone(100);
    await app.put('/limits', { ...who, product_key: 'CREDITS', windows: { day: 5 } });
    const sent: string[] = [];
    const bursar = clientOf(app, { fetch: losing(0, sent) });
    expect(await bursar.consume({ ...who, product_key: 'CREDITS', amount: 5 })).toMatchObject({ allowed: true });
    const use = await bursar.consume({ ...who, product_key: 'CREDITS', amount: 2 });
    if (use.allowed) return expect.unreachable();
    expect(use).toMatchObject({
      code: 'limit_exceeded',
      status: 429,
      violations: [{ product_key: 'CREDITS', window: 'day', current: 5, requested: 2, limit: 5, enforcement: 'HARD' }],
    });
    expect(use.retryAfterS).toBeGreaterThan(0);
    return expect(sent).toHaveLength(2);
  });

  it('answers a conflict as a value, and says allowed where the service does not', async () => {
    const who = await someone(10);
    const bursar = clientOf(app);
    const hold = await bursar.reserve({ ...who, product_key: 'CREDITS', amount: 5 });
    if (!hold.allowed) return expect.unreachable();
    expect(await bursar.commit({ id: hold.id, amount: 2 })).toMatchObject({ allowed: true, committed_amount: 2 });
    return expect(await bursar.release({ id: hold.id })).toMatchObject({
      allowed: false,
      code: 'reservation_closed',
      status: 409,
      problem: { reservation_status: 'committed' },
    });
  });

  it('throws a problem with its code, place and request', async () => {
    const who = await someone(1);
    const error = await failureOf(clientOf(app).consume({ ...who, product_key: 'CREDITS', amount: 1.5 }));
    expect(error).toBeInstanceOf(BursarProblem);
    expect(error).toMatchObject({ code: 'invalid_request', status: 400, pointer: '/amount' });
    expect((error as BursarProblem).requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(isOutage(error)).toBe(false);
  });

  it('is carried out once, however often its answer is lost', async () => {
    const who = await someone(10);
    const sent: string[] = [];
    const bursar = clientOf(app, { fetch: losing(3, sent) });
    expect(await bursar.consume({ ...who, product_key: 'CREDITS', amount: 4 })).toMatchObject({ remaining: 6 });
    expect(sent).toHaveLength(4);
    expect(new Set(sent).size).toBe(1);
    expect(JSON.parse(sent[0] ?? '').idempotency_key).toMatch(/^[0-9a-f]{32}$/);
    expect(await clientOf(app).getWallet(who)).toMatchObject({ balances: { CREDITS: 6 } });
  });

  it('that keeps no answer under a key is sent once: nobody knows what came of it', async () => {
    const sent: string[] = [];
    const bursar = clientOf(app, { fetch: losing(1, sent) });
    const failure = await failureOf(bursar.createApiKey({ name: 'lost', scopes: ['read'] }));
    expect(failure).toBeInstanceOf(BursarUnreachable);
    expect(sent).toHaveLength(1);
  });

  it('keeps the key that it is given, and tells it when it gives up', async () => {
    const who = await someone(10);
    const bursar = clientOf(app, { fetch: losing(1_000, []), attempts: 2 });
    const args = { ...who, product_key: 'CREDITS', amount: 4 };
    const error = await failureOf(bursar.consume({ ...args, idempotency_key: 'mine' }));
    expect(error).toBeInstanceOf(BursarUnreachable);
    expect(error).toMatchObject({ idempotencyKey: 'mine' });
    const made = (await failureOf(bursar.consume(args))) as BursarUnreachable;
    expect(await clientOf(app).consume({ ...args, idempotency_key: made.idempotencyKey as string })).toMatchObject({
      remaining: 2,
    });
  });

  it('puts members into path, query and body', async () => {
    const bursar = clientOf(app);
    const external_id = `a/b ${randomUUID()}?`;
    const { customer_id } = await bursar.identify({ provider: 'web', external_id });
    const page = await bursar.listCustomers({ provider: 'web', external_id });
    expect(page.data.map(({ id }) => id)).toEqual([customer_id]);
    const offers = await bursar.listOffers({ sku: ['CREDITS_100', 'NONE'] });
    expect(offers.data.map(({ sku }) => sku)).toEqual(['CREDITS_100']);
    await bursar.unlinkIdentity({ id: customer_id, provider: 'web', external_id });
    expect((await bursar.listCustomers({ provider: 'web', external_id })).data).toEqual([]);
    expect(await failureOf(bursar.getCustomer({ id: '' }))).toBeInstanceOf(TypeError);
  });

  it('reads pages one after the other', async () => {
    const who = await someone(10);
    const bursar = clientOf(app);
    for (let use = 0; use < 4; use += 1) await bursar.consume({ ...who, product_key: 'CREDITS' });
    const seen: number[] = [];
    for await (const entry of each(bursar.listEntries, { ...who, limit: 2 })) seen.push(entry.seq);
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });
});

describe('a call that is not answered well', () => {
  const balanceOf = (url: string, settings = {}) =>
    createBursar({ url, token: TOKEN, ...settings }).getBalance({ external_id: 'a', product_key: 'CREDITS' });

  it('is repeated, not before Retry-After', async () => {
    const times: number[] = [];
    const url = await standIn((_request, response) => {
      times.push(performance.now());
      if (times.length === 1) problem(response, 503, 'overloaded', { 'retry-after': '1' });
      else response.writeHead(200, { 'content-type': 'application/json' }).end('{"can_use":true}');
    });
    expect(await balanceOf(url)).toEqual({ can_use: true });
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(999);
  });

  it('is not repeated when it would be answered too late', async () => {
    let requests = 0;
    const url = await standIn((_request, response) => {
      requests += 1;
      problem(response, 503, 'unavailable', { 'retry-after': '3600' });
    });
    expect(await failureOf(balanceOf(url))).toMatchObject({ code: 'unavailable', retryAfterS: 3_600 });
    expect(requests).toBe(1);
  });

  it('is repeated a bounded number of times', async () => {
    let requests = 0;
    const url = await standIn((_request, response) => {
      requests += 1;
      problem(response, 500, 'internal_error');
    });
    const error = await failureOf(balanceOf(url, { deadlineMs: 240_000 }));
    expect([error, requests]).toMatchObject([{ status: 500 }, 6]);
    expect(isOutage(error)).toBe(true);
  });

  it('waits no longer than it is allowed to', async () => {
    const url = await standIn(() => {});
    const error = await failureOf(balanceOf(url, { timeoutMs: 20, attempts: 2 }));
    expect(error).toBeInstanceOf(BursarUnreachable);
    expect(String(error)).toMatch(/no answer within \d+ ms/);
  });

  it('ends with the signal, also while it waits', async () => {
    const url = await standIn((_request, response) => problem(response, 503, 'unavailable', { 'retry-after': '20' }));
    const stop = new AbortController();
    const bursar = createBursar({ url, token: TOKEN });
    const call = bursar.getBalance({ external_id: 'a', product_key: 'CREDITS' }, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    expect(await failureOf(call)).toEqual(new Error('enough'));
  });

  it('says so when something else answers', async () => {
    const url = await standIn((_request, response) =>
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>'),
    );
    const error = await failureOf(balanceOf(url));
    expect(String(error)).toMatch(/answered 404 with text\/html, which is not an answer of Bursar: is the URL right\?/);
    expect(isOutage(error)).toBe(false);
  });

  it('follows no redirect, which would carry the token elsewhere', async () => {
    const seen: string[] = [];
    const elsewhere = await standIn((request, response) => {
      seen.push(String(request.headers.authorization));
      response.end('{}');
    });
    const url = await standIn((_request, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await failureOf(balanceOf(url, { attempts: 1 }))).toBeInstanceOf(BursarUnreachable);
    expect(seen).toEqual([]);
  });
});

describe('a start', () => {
  it.each([
    ['no URL', 'is not a URL'],
    ['localhost:3000', 'must begin with http'],
    ['http://user:secret@127.0.0.1', 'no user, query or fragment'],
    ['http://127.0.0.1/api/v1/billing/', 'without /api/v1/billing'],
  ])('refuses the URL %s', (url, message) => {
    expect(() => createBursar({ url, token: TOKEN })).toThrow(message);
  });

  it.each([undefined, '', 'Bearer x', 'line\nbreak'])('refuses the token %j', (token) => {
    expect(() => createBursar({ url: 'http://127.0.0.1', token: token as string })).toThrow('the token of Bursar');
  });

  it('verifies address and token', async () => {
    await clientOf(app).verify();
    const stranger = clientOf(app, { token: async () => 'wrong' });
    expect(await failureOf(stranger.verify())).toMatchObject({ code: 'unauthenticated', status: 401 });
    const nobody = createBursar({ url: 'http://127.0.0.1:1', token: TOKEN, attempts: 1 });
    const error = await failureOf(nobody.verify());
    expect(error).toBeInstanceOf(BursarUnreachable);
    expect(isOutage(error)).toBe(true);
  });
});
