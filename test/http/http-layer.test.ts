// What every route has from the HTTP layer, shown on toy routes: access, validation, problems, negotiation, recorded answers, limits of input.
// No resource and no database: the one query of the readiness check is stood in for.

import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { buildApp } from '../../src/app.js';
import type { Deps } from '../../src/deps.js';
import { createActors } from '../../src/engine/actors.js';
import { createHorizon } from '../../src/engine/horizon.js';
import { NO_REPLICA } from '../../src/engine/replica.js';
import { AppError } from '../../src/errors/app-error.js';
import { HEADER_BYTES_MAX, PARAM_LENGTH_MAX, SIGNED_BODY_BYTES_MAX } from '../../src/http/bounds.js';
import { createdAtPosition, decodeCursor, encodeCursor } from '../../src/http/pagination.js';
import { defineRoute } from '../../src/http/route.js';
import { renderJson } from '../../src/http/serialisation.js';
import { uuidIds } from '../../src/lib/ids.js';
import { createMetrics } from '../../src/lib/metrics.js';
import { instantSchema } from '../../src/schemas/instants.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { pageOf, pageQueryShape } from '../../src/schemas/pages.js';
import { quantitySchema } from '../../src/schemas/quantities.js';
import { repeatable } from '../../src/schemas/query.js';
import { toSelector, withSelector } from '../../src/schemas/selectors.js';
import { skuSchema, text, uuidSchema } from '../../src/schemas/text.js';
import { failOnUndeclared, findUndeclared } from '../support/declared-problems.js';
import { exchangeRaw as exchange, openRaw } from '../support/raw-http.js';
import { waitFor } from '../support/wait.js';

const TOKEN = 'a-token-of-the-http-layer-tests';
const BASE = '/api/v1/billing';
const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const RECORDED = '{ "id":"1",  "amount":1 }';

const thing = z.object({ id: z.string(), amount: z.int(), made_at: instantSchema.optional() });
const echo = z.object({
  key: z.string().nullable(),
  selector: z.record(z.string(), z.unknown()),
  amount: z.int(),
  metadata: z.record(z.string(), z.unknown()),
});
const anyBody = z.object({ received: z.record(z.string(), z.unknown()), key: z.string().nullable() });

function registerToys(app: FastifyInstance): void {
  defineRoute(app, {
    method: 'POST',
    url: '/echo',
    operationId: 'echo',
    summary: 'Echo',
    tag: 'orders',
    access: 'orders',
    body: withSelector({ amount: quantitySchema.default(1), metadata: metadataSchema }),
    tolerated: { profile: 'tests send it' },
    responses: { 200: echo },
    problems: ['selector_conflict'],
    handler: ({ body, call }) => ({
      status: 200,
      body: {
        key: call.idempotencyKey ?? null,
        selector: { ...toSelector(body) },
        amount: body.amount,
        metadata: body.metadata,
      },
    }),
  });
  defineRoute(app, {
    method: 'POST',
    url: '/strict',
    operationId: 'strict',
    summary: 'Strict',
    tag: 'orders',
    access: 'orders',
    body: z.object({
      name: text({ max: 5 }).optional(),
      items: z
        .array(z.strictObject({ sku: skuSchema, quantity: quantitySchema }))
        .max(3)
        .optional(),
      mode: z.enum(['now', 'later']).optional(),
    }),
    responses: { 200: anyBody },
    problems: [],
    handler: ({ body, call }) => ({ status: 200, body: { received: body, key: call.idempotencyKey ?? null } }),
  });
  defineRoute(app, {
    method: 'POST',
    url: '/bodiless',
    operationId: 'bodiless',
    summary: 'No fields',
    tag: 'orders',
    access: 'orders',
    idempotent: false,
    responses: { 200: anyBody },
    problems: [],
    handler: ({ body, call }) => ({ status: 200, body: { received: body, key: call.idempotencyKey ?? null } }),
  });
  for (const replayed of [false, true]) {
    defineRoute(app, {
      method: 'POST',
      url: `/recorded/${replayed}`,
      operationId: `recorded${replayed}`,
      summary: 'Recorded',
      tag: 'orders',
      access: 'orders',
      responses: { 201: thing },
      problems: [],
      handler: (_input) => ({ status: 201, body: RECORDED, replayed }),
    });
  }
  defineRoute(app, {
    method: 'GET',
    url: '/things',
    operationId: 'listThings',
    summary: 'List',
    tag: 'orders',
    access: 'read',
    query: z.object({
      ...pageQueryShape,
      sku: repeatable(skuSchema, 2).optional(),
    }),
    responses: { 200: pageOf(z.object({ sku: z.string() }), 'As asked for.') },
    problems: [],
    handler: ({ query }) => {
      decodeCursor(createdAtPosition, query.cursor);
      return {
        status: 200,
        body: { data: (query.sku ?? []).map((sku) => ({ sku })), next_cursor: `${query.limit}` },
      };
    },
  });
  defineRoute(app, {
    method: 'GET',
    url: '/things/:id',
    operationId: 'getThing',
    summary: 'Get',
    tag: 'orders',
    access: 'read',
    params: z.object({ id: uuidSchema }),
    responses: { 200: thing },
    problems: ['order_not_found'],
    handler: ({ params }) => ({ status: 200, body: { id: params.id, amount: 1, made_at: new Date(0) } }),
  });
  defineRoute(app, {
    method: 'DELETE',
    url: '/things/:id',
    operationId: 'deleteThing',
    summary: 'Delete',
    tag: 'orders',
    access: 'orders',
    params: z.object({ id: z.string() }),
    responses: { 204: z.undefined() },
    problems: [],
    handler: (_input) => ({ status: 204, body: undefined }),
  });
  defineRoute(app, {
    method: 'POST',
    url: '/open',
    operationId: 'open',
    summary: 'Open to anybody',
    tag: 'orders',
    access: 'public',
    body: z.object({ name: z.string() }),
    responses: { 200: anyBody },
    problems: [],
    handler: (input) => ({ status: 200, body: { received: input.body, key: String('call' in input) } }),
  });
  defineRoute(app, {
    method: 'POST',
    url: '/signed',
    operationId: 'signed',
    summary: 'For whoever signed the bytes',
    tag: 'orders',
    access: 'signature',
    responses: { 200: anyBody },
    problems: [],
    handler: ({ rawBody, headers }) => {
      if (headers['x-signature'] !== 'right') throw new AppError('unauthenticated', 'The signature is wrong.');
      return { status: 200, body: { received: { hex: rawBody.toString('hex') }, key: null } };
    },
  });
  defineRoute(app, {
    method: 'POST',
    url: '/fail/:how',
    operationId: 'fail',
    summary: 'Fail',
    tag: 'orders',
    access: 'orders',
    params: z.object({ how: z.string() }),
    responses: { 200: thing },
    problems: ['insufficient_quota', 'order_not_found'],
    handler: ({ params }) => fail(params.how),
  });
}

function fail(how: string): { status: 200; body: z.output<typeof thing> } {
  switch (how) {
    case 'quota':
      throw new AppError('insufficient_quota', 'Two are left.', {
        extensions: {
          requested: 5,
          available: 2,
          reasons: [{ code: 'insufficient_quota' }],
          remaining: 2,
          upgradeSkus: ['CREDITS_100'],
          upgradeOffers: [{ sku: 'CREDITS_100', name: '100 credits', price: '9.99', currency: 'USD' }],
          status: 200,
          code: 'forged',
        },
      });
    case 'unavailable':
      throw new AppError('unavailable', 'Busy.', { retryAfterS: 2.2 });
    case 'undeclared':
      throw new AppError('name_taken', 'The name is taken.');
    case 'misfit':
      return { status: 200, body: { id: 'secret of the answer', amount: 'one' as unknown as number } };
    case 'cyclic': {
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      throw new AppError('order_not_found', 'No such order.', { extensions: { cyclic } });
    }
    case 'string':
      throw 'a secret string';
    case 'status':
      throw Object.assign(new Error('secret of a library'), { statusCode: 404, code: 'constructor' });
    default:
      throw new Error('secret of the database');
  }
}

interface LogLine {
  level: number;
  msg?: string;
  request_id?: string;
  err?: { message?: string };
  [member: string]: unknown;
}

const logLines: LogLine[] = [];
let queryDatabase: (sql: string) => Promise<[]> = async () => [];
const declared = failOnUndeclared();
let app: FastifyInstance;

function deps(): Deps {
  const foundations = foundationsOf();
  return { ...foundations, actors: createActors(foundations) };
}

function foundationsOf(): Omit<Deps, 'actors'> {
  const unused = (name: string) => (): never => {
    throw new Error(`the HTTP layer must not reach for ${name}`);
  };
  return {
    db: { query: (sql: string) => queryDatabase(sql), close: unused('close') } as unknown as Deps['db'],
    clock: { now: () => new Date() },
    ids: uuidIds,
    config: {
      apiToken: TOKEN,
      secretKey: 'of-the-test',
      corsOrigins: [],
      rateLimits: { perAddress: null, perKey: null, perCustomer: null },
      shedding: { delayMs: null, requests: null },
      trustedProxies: [],
    } as Partial<Deps['config']> as Deps['config'],
    log: pino({ level: 'debug' }, { write: (line: string) => logLines.push(JSON.parse(line)) }),
    engine: {
      run: unused('the engine'),
      runBeside: unused('the engine'),
      runEach: unused('the engine'),
      runWhole: unused('the engine'),
      runCall: unused('the engine'),
      manage: unused('the engine'),
      manageInPieces: unused('the engine'),
      explain: unused('the engine'),
    },
    reads: { find: unused('the readers'), require: unused('the readers') },
    horizon: createHorizon({ db: {} as Deps['db'] }),
    replica: NO_REPLICA,
    turns: { take: unused('turns'), isBusy: unused('turns') },
    metrics: createMetrics(),
    sender: {
      send: unused('the sender'),
      faultOf: unused('the sender'),
      sealSecret: unused('the sender'),
      openSecret: unused('the sender'),
    },
  };
}

beforeAll(async () => {
  app = await buildApp(deps(), { ...declared, extraResources: [registerToys] });
  await app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => app.close());

const get = (url: string) => request(app.server).get(`${BASE}${url}`).auth(TOKEN, { type: 'bearer' });
const post = (url: string) => request(app.server).post(`${BASE}${url}`).auth(TOKEN, { type: 'bearer' });
const postText = (url: string, body: string) => post(url).set('content-type', 'application/json').send(body);

const exchangeRaw = (bytes: string) => exchange((app.server.address() as AddressInfo).port, bytes);

describe('access', () => {
  it.each([
    ['no token', undefined],
    ['another token', 'Bearer something-else'],
    ['a token that only begins like ours', `Bearer ${TOKEN}x`],
    ['another scheme', `Basic ${TOKEN}`],
    ['an empty token', 'Bearer '],
  ])('refuses %s with 401 before it looks at the body', async (_case, header) => {
    const sending = request(app.server).post(`${BASE}/strict`).set('content-type', 'text/plain');
    if (header !== undefined) sending.set('authorization', header);
    const answer = await sending.send('{');
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code: 'unauthenticated', type: '/problems/unauthenticated', status: 401 });
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });

  it('takes the name of the scheme in any case', async () => {
    const answer = await request(app.server).get(`${BASE}/things`).set('authorization', `bearer ${TOKEN}`);
    expect(answer.status).toBe(200);
  });

  it('guards HEAD as it guards GET', async () => {
    expect((await request(app.server).head(`${BASE}/things`)).status).toBe(401);
    const allowed = await request(app.server).head(`${BASE}/things`).auth(TOKEN, { type: 'bearer' });
    expect(allowed.status).toBe(200);
    expect(allowed.text).toBeUndefined();
  });

  it.each(['/health/live', '/health/ready', '/openapi.json', '/docs'])('%s needs no token', async (url) => {
    expect((await request(app.server).get(url)).status).toBe(200);
  });

  it('serves the page of the documentation with its files, and no other file', async () => {
    for (const url of ['/docs/', '/docs/static/swagger-ui.css', '/docs/static/swagger-initializer.js', '/docs/json']) {
      expect((await request(app.server).get(url)).status, url).toBe(200);
    }
    const answer = await request(app.server).get('/docs/static/nothing.js');
    expect(answer.body.code).toBe('route_not_found');
    const outside = await exchangeRaw(
      'GET /docs/static/..%2f..%2fpackage.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(outside).toMatch(/^HTTP\/1\.1 40[34] /);
    expect(outside).toContain('application/problem+json');
  });

  it('serves a route that is open to anybody without a token, and knows nobody there', async () => {
    const answer = await request(app.server).post(`${BASE}/open`).send({ name: 'somebody' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ received: { name: 'somebody' }, key: 'false' });
    const faulty = await request(app.server).post(`${BASE}/open`).send({ name: 1 });
    expect(faulty.body).toMatchObject({ status: 400, errors: [{ pointer: '/name' }] });
  });

  it.each([
    ['no JSON', 'application/json', Buffer.from('{"a": ')],
    ['spaces that a parser would lose', 'application/json', Buffer.from('{ "a":1.0 }\n')],
    ['no text', 'application/octet-stream', Buffer.from([0, 255, 128])],
    ['nothing', 'text/plain', Buffer.alloc(0)],
  ])('hands the bytes of a signed body over as they came: %s', async (_what, type, bytes) => {
    const answer = await request(app.server)
      .post(`${BASE}/signed`)
      .set('x-signature', 'right')
      .set('content-type', type)
      .serialize((body) => body)
      .send(bytes);
    expect(answer.status).toBe(200);
    expect(answer.body.received).toEqual({ hex: bytes.toString('hex') });
  });

  it('refuses a signed body that is not signed, a token or not, or that is too large', async () => {
    const unsigned = await request(app.server).post(`${BASE}/signed`).set('authorization', `Bearer ${TOKEN}`).send({});
    expect(unsigned.body).toMatchObject({ status: 401, code: 'unauthenticated' });
    const large = await request(app.server)
      .post(`${BASE}/signed`)
      .set('x-signature', 'right')
      .type('text/plain')
      .send('x'.repeat(SIGNED_BODY_BYTES_MAX + 1));
    expect(large.body).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(
      (await request(app.server).post(`${BASE}/strict`).set('authorization', `Bearer ${TOKEN}`).send('{')).status,
    ).toBe(415);
  });

  it('does not start with a route under the prefix that does not say who may call it, wherever it is registered', async () => {
    const unscoped = (plugin: FastifyInstance) => {
      plugin.get('/unscoped', async () => 'open');
    };
    await expect(buildApp(deps(), { extraResources: [unscoped] })).rejects.toThrow(
      /unscoped does not say who may call it/,
    );
  });

  it('does not start with two operations of one name', async () => {
    await expect(buildApp(deps(), { extraResources: [registerToys, registerToys] })).rejects.toThrow();
  });
});

describe('the request id', () => {
  it('is a UUID, in the header, in the problem and in the log', async () => {
    const answer = await get('/nowhere');
    const id = answer.headers['x-request-id'] ?? '';
    expect(id).toMatch(UUID);
    expect(answer.body.instance).toBe(`urn:uuid:${id}`);
    expect(logLines.some((line) => line.request_id === id)).toBe(true);
  });

  it('is in the header, in place of it the one that the caller sent; the problem and the log keep ours', async () => {
    const sent = 'Root=1-67891233:abc/DEF+_.012';
    const answer = await get('/nowhere').set('x-request-id', sent);
    expect(answer.headers['x-request-id']).toBe(sent);
    const id = /^urn:uuid:(.*)$/.exec(answer.body.instance)?.[1] ?? '';
    expect(id).toMatch(UUID);
    const lines = logLines.filter((line) => line.request_id === id);
    expect(lines.map((line) => line.caller_request_id)).toEqual(lines.map(() => sent));
    expect(lines.length).toBeGreaterThan(0);
    expect((await get('/things').set('x-request-id', sent)).headers['x-request-id']).toBe(sent);
  });

  it.each([
    ['too long', 'a'.repeat(129)],
    ['of other characters', 'alice@example.test'],
    ['with spaces', 'a b'],
    ['with quotes', '"a"'],
    ['two of them', 'a, b'],
    ['none', ''],
  ])('of a caller is passed over when it is %s', async (_what, sent) => {
    const answer = await get('/nowhere').set('x-request-id', sent);
    const id = answer.headers['x-request-id'];
    expect(id).toMatch(UUID);
    expect(answer.body.instance).toBe(`urn:uuid:${id}`);
    for (const line of logLines.filter(({ request_id }) => request_id === id))
      expect(line).not.toHaveProperty('caller_request_id');
  });

  it('of a caller stands in the answer to what no route takes', async () => {
    const answer = await exchangeRaw('GET /%zz HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^x-request-id: mine\r$/im);
  });
});

describe('the trace of a request', () => {
  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
  const PARENT = '00f067aa0ba902b7';

  async function logged(traceparent: string): Promise<unknown[]> {
    const answer = await get('/things').set('traceparent', traceparent);
    const line = logLines.find(({ request_id }) => request_id === answer.headers['x-request-id']);
    return [line?.trace_id, line?.parent_id];
  }

  it.each([
    ['of this version', `00-${TRACE}-${PARENT}-01`],
    ['not sampled', `00-${TRACE}-${PARENT}-00`],
    ['of a later version', `cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`],
  ])('is in the log: %s', async (_what, traceparent) => {
    expect(await logged(traceparent)).toEqual([TRACE, PARENT]);
  });

  it.each([
    ['of no version', `ff-${TRACE}-${PARENT}-01`],
    ['longer than its version', `00-${TRACE}-${PARENT}-01-more`],
    ['longer without a dash', `cc-${TRACE}-${PARENT}-01more`],
    ['without a trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
    ['without a parent', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['in capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
    ['too short', `00-${TRACE.slice(1)}-${PARENT}-01`],
    ['two of them', `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`],
    ['anything', 'x'],
  ])('is passed over when it is malformed: %s', async (_what, traceparent) => {
    expect(await logged(traceparent)).toEqual([undefined, undefined]);
  });
});

describe('bodies', () => {
  it.each([
    ['nothing at all', () => post('/bodiless')],
    ['an empty body', () => postText('/bodiless', '')],
    ['white space', () => postText('/bodiless', ' \n')],
    ['an empty object', () => post('/bodiless').send({})],
  ])('reads %s as {}', async (_case, sending) => {
    const answer = await sending();
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ received: {}, key: null });
  });

  it('skips a byte order mark', async () => {
    expect((await postText('/strict', '\uFEFF{"name":"a"}')).body.received).toEqual({ name: 'a' });
  });

  it.each([
    ['{', 1, 2],
    ['{"a":}', 1, 6],
    ["{'a':1}", 1, 2],
    ['nonsense', 1, 2],
    ['{"a":1}{', 1, 8],
    ['[1,]', 1, 4],
    ['\uFEFF{"name": "a",\n  "mode": now\n}', 2, 12],
  ])('refuses %j as malformed JSON at line %i, column %i', async (body, line, column) => {
    const answer = await postText('/strict', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'malformed_json', line, column });
    expect(answer.body.detail).toContain(`at line ${line}, column ${column}: `);
  });

  it.each([
    ['{"name":"', 1, 10],
    ['\uFEFF{\n"\uFFFD": "\uFFFD\uFFFD', 2, 9],
  ])('refuses bytes that are no UTF-8 after %j, at line %i, column %i', async (before, line, column) => {
    const body = Buffer.concat([Buffer.from(before), Buffer.from([0xff]), Buffer.from('"}')]);
    const answer = await post('/strict')
      .set('content-type', 'application/json')
      .serialize((raw) => raw as never)
      .send(body);
    expect(answer.body).toMatchObject({ code: 'malformed_json', line, column });
  });

  it('names every missing field, whatever else is wrong', async () => {
    const answer = await post('/echo').send({ amount: 'two', unknown: 1 });
    expect(answer.body.errors).toEqual([
      expect.objectContaining({ pointer: '/amount' }),
      expect.objectContaining({ pointer: '/unknown' }),
      expect.objectContaining({ pointer: '/customer_id', code: 'required' }),
    ]);
  });

  it.each(['null', '[]', '"text"', '7', 'true'])('refuses the body %s, pointing at the whole', async (body) => {
    const answer = await postText('/strict', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '', code: 'invalid_type' }] });
  });

  it('takes 1 MiB and no byte more', async () => {
    const wrap = (length: number) => `{"metadata":{},"external_id":"a","profile":"${'y'.repeat(length)}"}`;
    const rest = 1_048_576 - wrap(0).length;
    expect((await postText('/echo', wrap(rest))).status).toBe(200);
    const answer = await postText('/echo', wrap(rest + 1));
    expect(answer.status).toBe(413);
    expect(answer.body.code).toBe('payload_too_large');
  });

  it.each([
    ['text/plain', {}],
    ['application/x-www-form-urlencoded', {}],
    ['application/xml', {}],
    ['application/jsonp', {}],
    ['application/json; charset=latin1', {}],
    ['application/json; charset="utf-16"', {}],
    ['nonsense', {}],
    ['application/json', { 'content-encoding': 'gzip' }],
    ['application/json', { 'content-encoding': 'br' }],
  ])('refuses %s %j with 415', async (type, headers) => {
    const answer = await post('/strict').set('content-type', type).set(headers).send('{}');
    expect(answer.status).toBe(415);
    expect(answer.body.code).toBe('unsupported_media_type');
  });

  it('refuses a compressed body even without a type', async () => {
    const answer = await post('/strict')
      .set({ 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .serialize((raw) => raw as never)
      .send(gzipSync('{}'));
    expect(answer.status).toBe(415);
  });

  it.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'Application/JSON'])(
    'takes %s',
    async (type) => {
      expect((await post('/strict').set('content-type', type).send('{}')).status).toBe(200);
    },
  );

  it.each([
    ['{"metadata":{"__proto__":{"a":1}},"external_id":"a"}', '/metadata/__proto__'],
    ['{"metadata":{"\\u005f_proto__":1},"external_id":"a"}', '/metadata/__proto__'],
    ['{"list":[{},{"__proto__":1}],"external_id":"a"}', '/list/1/__proto__'],
  ])('refuses keys that poison prototypes: %s', async (body, pointer) => {
    const answer = await postText('/echo', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: 'invalid_request', errors: [{ pointer }] });
  });

  it('takes such words as values, and other names of prototypes as keys', async () => {
    const metadata = {
      note: '__proto__ constructor',
      list: ['constructor', { constructor: { prototype: { toString: 1 } } }],
      constructor: 'Gaudí',
      hasOwnProperty: true,
    };
    const answer = await post('/echo').send({ external_id: 'a', metadata });
    expect(answer.body.metadata).toEqual(metadata);
  });

  it.each([
    [
      'arrays in a field without effect',
      (open: string, close: string) => `{"external_id":"a","profile":${open}${close}}`,
      200,
    ],
    [
      'arrays in metadata',
      (open: string, close: string) => `{"external_id":"a","metadata":{"x":${open}${close}}}`,
      400,
    ],
    ['arrays as the body', (open: string, close: string) => `${open}${close}`, 400],
    [
      'arrays beside a suspicious key',
      (open: string, close: string) => `{"a":${open}"\\u0041 constructor"${close}}`,
      400,
    ],
  ])('survives 100,000 levels of %s', async (_case, wrap, status) => {
    const levels = 100_000;
    const answer = await postText('/echo', wrap('['.repeat(levels), ']'.repeat(levels)));
    expect(answer.status).toBe(status);
  });

  it('survives 100,000 levels of objects ending in a poisonous key', async () => {
    const levels = 100_000;
    const body = `${'{"a":'.repeat(levels)}{"__proto__":1}${'}'.repeat(levels)}`;
    const answer = await postText('/echo', body);
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it('reads the body of a DELETE only to refuse a bad one', async () => {
    const remove = () => request(app.server).delete(`${BASE}/things/${ID}`).auth(TOKEN, { type: 'bearer' });
    const answer = await remove();
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect((await remove().set('content-type', 'application/json')).status).toBe(204);
    expect((await remove().set('content-type', 'text/plain').send('x')).status).toBe(415);
  });
});

describe('validation', () => {
  it('names every faulty place with a pointer and plain words', async () => {
    const answer = await post('/strict').send({
      name: 'too long',
      items: [{ sku: 'A', quantity: 0 }, { sku: '-' }],
      mode: 'soon',
      'odd/na~me': 1,
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual(
      expect.arrayContaining([
        { pointer: '/name', code: 'too_big', message: 'must have at most 5 characters' },
        { pointer: '/items/0/quantity', code: 'invalid', message: 'must be at least 1' },
        { pointer: '/items/1/sku', code: 'invalid_format', message: expect.stringContaining('letters, digits') },
        { pointer: '/items/1/quantity', code: 'required', message: 'is required' },
        { pointer: '/mode', code: 'invalid_value', message: 'must be one of "now", "later"' },
        { pointer: '/odd~1na~0me', code: 'unrecognized_key', message: 'is not a field of this route' },
      ]),
    );
    expect(answer.body.errors).toHaveLength(6);
    expect(answer.body.detail).toContain('and 5 more');
  });

  it('lists at most 50 faults', async () => {
    const body = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`x${index}`, 1]));
    expect((await post('/strict').send(body)).body.errors).toHaveLength(50);
  });

  it('takes fields without effect where the route says so', async () => {
    expect((await post('/echo').send({ external_id: 'a', profile: { x: 1 } })).status).toBe(200);
  });

  it.each([
    ['a wrong type', { name: 7 }, 'must be a string, not a number'],
    ['null', { name: null }, 'must be a string, not null'],
    ['an array for text', { name: [] }, 'must be a string, not an array'],
    ['text for an array', { items: 'x' }, 'must be an array, not a string'],
    ['empty text', { name: '   ' }, 'must have at least 1 character'],
    ['a NUL', { name: 'a\0' }, expect.stringContaining('NUL')],
    ['a lone surrogate', { name: 'a\ud800' }, expect.stringContaining('surrogate')],
  ])('explains %s', async (_case, body, message) => {
    const answer = await post('/strict').send(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].message).toEqual(message);
  });

  it('refuses unknown query parameters by name', async () => {
    const answer = await get('/things?limt=5&__proto__=1');
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer).sort()).toEqual([
      'query/__proto__',
      'query/limt',
    ]);
    expect((await get(`/things/${ID}?verbose=1`)).body.errors[0].pointer).toBe('query/verbose');
  });

  it('refuses a repeated query parameter where one value is meant, and takes it where several are', async () => {
    const answer = await get('/things?limit=1&limit=2');
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { pointer: 'query/limit', code: 'invalid_type', message: 'must be given once, not several times' },
    ]);
    expect((await get('/things?sku=b&sku=a')).body.data).toEqual([{ sku: 'B' }, { sku: 'A' }]);
    expect((await get('/things?sku=b')).body.data).toEqual([{ sku: 'B' }]);
    expect((await get('/things?sku=a&sku=b&sku=c')).body.errors[0].pointer).toBe('query/sku');
  });

  it.each(['0', '201', '-1', '1.5', '', '1e1', '0x1', 'ten', '99999999999'])('refuses limit=%s', async (limit) => {
    const answer = await get(`/things?limit=${limit}`);
    expect(answer.body.errors).toEqual([
      { pointer: 'query/limit', code: 'invalid', message: 'must be a whole number from 1 to 200' },
    ]);
  });

  it('gives pages 50 rows when nothing is said, and reads booleans', async () => {
    expect((await get('/things')).body.next_cursor).toBe('50');
    expect((await get('/things?limit=200')).body.next_cursor).toBe('200');
  });

  it('takes only cursors that were handed out', async () => {
    const cursor = encodeCursor(createdAtPosition, { created_at: new Date(5), id: ID });
    expect((await get(`/things?cursor=${cursor}`)).status).toBe(200);
    for (const bad of ['x', `${cursor}x`, 'e30', 'bnVsbA', `${cursor.slice(0, -2)}`, 'a'.repeat(1_001)]) {
      const answer = await get(`/things?cursor=${bad}`);
      expect(answer.status, bad).toBe(400);
      expect(answer.body.errors[0].pointer, bad).toBe('query/cursor');
    }
  });

  it('points at parameters of the path', async () => {
    const answer = await get('/things/7');
    expect(answer.body.errors).toEqual([{ pointer: 'path/id', code: 'invalid_format', message: 'must be a UUID' }]);
    expect((await get(`/things/${ID.toUpperCase()}`)).body).toEqual({
      id: ID,
      amount: 1,
      made_at: '1970-01-01T00:00:00.000Z',
    });
  });
});

describe('who is meant', () => {
  it.each([
    [{ customer_id: ID.toUpperCase() }, { customerId: ID }],
    [{ user_id: ID }, { customerId: ID, userId: 'customer' }],
    [{ user_id: 42 }, { identity: { provider: 'user_id', externalId: '42' }, userId: 'identity' }],
    [{ user_id: ' Ada ' }, { identity: { provider: 'user_id', externalId: 'Ada' }, userId: 'identity' }],
    [
      { customer_id: ID, user_id: 7 },
      { customerId: ID, identity: { provider: 'user_id', externalId: '7' }, userId: 'identity' },
    ],
    [{ customer_id: ID, user_id: ID.toUpperCase() }, { customerId: ID }],
    [{ external_id: ' 7 ' }, { identity: { provider: 'default', externalId: '7' } }],
    [{ external_id: -7, provider: ' TeleGram ' }, { identity: { provider: 'telegram', externalId: '-7' } }],
    [
      { external_id: Number.MAX_SAFE_INTEGER, provider: ' ' },
      { identity: { provider: 'default', externalId: '9007199254740991' } },
    ],
    [
      { customer_id: ID, external_id: 'a' },
      { customerId: ID, identity: { provider: 'default', externalId: 'a' } },
    ],
    [{ user_id: '5', external_id: 5, provider: 'user_id' }, { identity: { provider: 'user_id', externalId: '5' } }],
  ])('reads %j', async (body, selector) => {
    const answer = await post('/echo').send(body);
    expect(answer.status).toBe(200);
    expect(answer.body.selector).toEqual(selector);
  });

  it.each([
    ['{}', '/customer_id', 'required'],
    ['{"provider":"telegram"}', '/customer_id', 'required'],
    ['{"external_id":9007199254740993}', '/external_id', 'invalid'],
    ['{"external_id":1e400}', '/external_id', 'invalid_type'],
    ['{"external_id":1.5}', '/external_id', 'invalid'],
    ['{"external_id":" "}', '/external_id', 'invalid'],
    ['{"external_id":null}', '/external_id', 'invalid_type'],
    ['{"external_id":{}}', '/external_id', 'invalid_type'],
    ['{"external_id":"a\\u0000"}', '/external_id', 'invalid'],
    [`{"external_id":"${'a'.repeat(256)}"}`, '/external_id', 'invalid'],
    ['{"user_id":" "}', '/user_id', 'invalid'],
    ['{"user_id":"a\\u0000"}', '/user_id', 'invalid'],
    ['{"user_id":{}}', '/user_id', 'invalid_type'],
    ['{"user_id":9007199254740993}', '/user_id', 'invalid'],
    ['{"customer_id":"7"}', '/customer_id', 'invalid_format'],
    [`{"external_id":"a","provider":"${'p'.repeat(65)}"}`, '/provider', 'too_big'],
  ])('refuses %s', async (body, pointer, code) => {
    const answer = await postText('/echo', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(answer.body.errors[0].code).toBe(code);
  });

  it.each([
    { customer_id: ID, user_id: ID.replace('0', '1') },
    { user_id: 7, external_id: 8, provider: 'user_id' },
    { user_id: 7, external_id: 7 },
  ])('calls %j a conflict', async (body) => {
    const answer = await post('/echo').send(body);
    expect(answer.status).toBe(409);
    expect(answer.body.code).toBe('selector_conflict');
  });
});

describe('numbers and metadata', () => {
  it.each([
    ['-0', /at least 1/],
    ['0', /at least 1/],
    ['-1', /not be negative/],
    ['1.5', /fraction/],
    ['9007199254740992', /2\^53-1/],
    ['1e400', /whole number/],
    ['"1"', /not a string/],
    ['null', /whole number/],
    ['true', /whole number/],
  ])('refuses the amount %s', async (amount, message) => {
    const answer = await postText('/echo', `{"external_id":"a","amount":${amount}}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual([
      { pointer: '/amount', code: expect.any(String), message: expect.stringMatching(message) },
    ]);
  });

  it.each([
    ['1e3', 1_000],
    ['1.0', 1],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('takes the amount %s', async (amount, value) => {
    expect((await postText('/echo', `{"external_id":"a","amount":${amount}}`)).body.amount).toBe(value);
  });

  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

  it('keeps metadata of 8 levels and 16 KiB', async () => {
    const deep = nested(8);
    expect((await post('/echo').send({ external_id: 'a', metadata: deep })).body.metadata).toEqual(deep);
    const large = { a: 'ä'.repeat((16_384 - '{"a":""}'.length) / 2) };
    expect((await post('/echo').send({ external_id: 'a', metadata: large })).status).toBe(200);
  });

  it.each([
    ['9 levels', JSON.stringify(nested(9)), '/metadata'],
    ['9 levels of arrays', `{"a":${'['.repeat(8)}${']'.repeat(8)}}`, '/metadata'],
    ['one byte too many', JSON.stringify({ a: 'a'.repeat(16_384 - 7) }), '/metadata'],
    ['a NUL deep inside', '{"a":["b",{"c/d":"\\u0000"}]}', '/metadata/a/1/c~1d'],
    ['a key with a lone surrogate', '{"a":{"\\ud800":1}}', '/metadata/a'],
    ['a number that is infinite', '{"a":1e400}', '/metadata/a'],
    ['an id that would be rounded', '{"a":9007199254740993}', '/metadata/a'],
    ['an array', '[]', '/metadata'],
    ['null', 'null', '/metadata'],
  ])('refuses metadata with %s', async (_case, metadata, pointer) => {
    const answer = await postText('/echo', `{"external_id":"a","metadata":${metadata}}`);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(1);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});

describe('the idempotency key', () => {
  it.each([
    ['the header', { 'idempotency-key': ' k-1 ' }, {}],
    ['the body', {}, { idempotency_key: ' k-1 ' }],
    ['both', { 'Idempotency-Key': 'k-1' }, { idempotency_key: 'k-1' }],
  ])('is read from %s and taken out of the body', async (_case, headers, body) => {
    const answer = await post('/strict')
      .set(headers)
      .send({ name: 'a', ...body });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ received: { name: 'a' }, key: 'k-1' });
  });

  it('is the same in UTF-8 in the header and in the body', async () => {
    const body = '{"idempotency_key":"заказ-7"}';
    const answer = await exchangeRaw(
      [
        `POST ${BASE}/strict HTTP/1.1`,
        'Host: x',
        'Connection: close',
        `Authorization: Bearer ${TOKEN}`,
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        'Idempotency-Key: заказ-7',
        '',
        body,
      ].join('\r\n'),
    );
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ key: 'заказ-7' });
  });

  it('is refused when header and body differ', async () => {
    const answer = await post('/strict').set('idempotency-key', 'a').send({ idempotency_key: 'b' });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('/idempotency_key');
  });

  it('takes 255 characters', async () => {
    expect((await post('/strict').set('idempotency-key', 'k'.repeat(255)).send({})).status).toBe(200);
  });

  it.each([
    ['', 'empty'],
    ['k'.repeat(256), 'too long'],
    ['a\tb', 'not printable'],
  ])('is refused in the header when it is %j', async (key) => {
    const answer = await post('/strict').set('idempotency-key', key).send({});
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].pointer).toBe('header/idempotency-key');
  });

  it.each([[''], ['  '], ['k'.repeat(256)], ['a\nb'], [7], [null]])(
    'is refused in the body when it is %j',
    async (key) => {
      const answer = await post('/strict').send({ idempotency_key: key });
      expect(answer.status).toBe(400);
      expect(answer.body.errors[0].pointer).toBe('/idempotency_key');
    },
  );

  it('is refused when the header comes twice', async () => {
    const answer = await post('/strict')
      .set('idempotency-key', ['a', 'a'] as never)
      .send({});
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].message).toContain('once');
  });

  it('is taken by a POST that records nothing', async () => {
    expect((await post('/bodiless').send({ idempotency_key: 'k' })).body).toEqual({ received: {}, key: 'k' });
  });
});

describe('recorded answers', () => {
  it('are sent byte for byte', async () => {
    const answer = await post('/recorded/false').send({});
    expect(answer.status).toBe(201);
    expect(answer.text).toBe(RECORDED);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
  });

  it('say when they are replayed', async () => {
    const answer = await post('/recorded/true').send({});
    expect(answer.text).toBe(RECORDED);
    expect(answer.headers['idempotent-replayed']).toBe('true');
  });

  it('are rendered as a route would send the value', async () => {
    const value = { id: ID, amount: 1, made_at: new Date(0), internal: 'stays here' };
    expect(renderJson(thing, value)).toBe((await get(`/things/${ID}`)).text);
    expect(() => renderJson(thing, { id: 'x', amount: 1.5 })).toThrow();
  });
});

describe('problems', () => {
  it('have the fixed members and the extensions of their code, which can not replace the fixed ones', async () => {
    const answer = await post('/fail/quota');
    expect(answer.status).toBe(402);
    expect(answer.body).toEqual({
      type: '/problems/insufficient_quota',
      title: 'Not enough quota',
      status: 402,
      detail: 'Two are left.',
      instance: `urn:uuid:${answer.headers['x-request-id']}`,
      code: 'insufficient_quota',
      requested: 5,
      available: 2,
      reasons: [{ code: 'insufficient_quota' }],
      remaining: 2,
      upgrade_skus: ['CREDITS_100'],
      upgrade_offers: [{ sku: 'CREDITS_100', name: '100 credits', price: '9.99', currency: 'USD' }],
    });
    expect(answer.headers.vary).toBe('Accept');
  });

  it.each([
    [undefined, 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    ['application/*', 'application/problem+json'],
    ['text/html', 'application/problem+json'],
    ['application/problem+json', 'application/problem+json'],
    ['application/json, application/problem+json', 'application/problem+json'],
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8, text/plain, */*', 'application/json'],
    ['application/json;q=0, */*', 'application/problem+json'],
    ['application/json, application/problem+json;q=0.0', 'application/json'],
  ])('are negotiated: Accept %s gives %s', async (accept, type) => {
    const sending = post('/fail/quota');
    if (accept !== undefined) sending.set('accept', accept);
    const answer = await sending;
    expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`);
    expect(answer.headers.vary).toBe('Accept');
    expect(JSON.parse(answer.text).code).toBe('insufficient_quota');
  });

  it('say when a retry makes sense, in whole seconds', async () => {
    const answer = await post('/fail/unavailable');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('3');
  });

  it.each([
    ['anything', 'secret of the database'],
    ['misfit', 'secret of the answer'],
    ['string', 'a secret string'],
    ['status', 'secret of a library'],
  ])('tell nothing of a defect but the request id, and the log tells all: %s', async (how, secret) => {
    const answer = await post(`/fail/${how}`);
    expect(answer.status).toBe(500);
    expect(answer.body).toEqual({
      type: '/problems/internal_error',
      title: 'Something went wrong here',
      status: 500,
      detail: 'Something went wrong here. Report the request id in `instance`.',
      instance: `urn:uuid:${answer.headers['x-request-id']}`,
      code: 'internal_error',
    });
    expect(answer.text).not.toContain('secret');
    const logged = logLines.filter((line) => line.request_id === answer.headers['x-request-id'] && line.level === 50);
    expect(logged).toHaveLength(1);
    if (how === 'misfit') expect(JSON.stringify(logged[0])).toContain('amount');
    else expect(JSON.stringify(logged[0]?.err)).toContain(secret);
  });

  it('stand even when their extensions can not be serialised', async () => {
    const answer = await post('/fail/cyclic');
    expect(answer.status).toBe(404);
    expect(answer.body.code).toBe('order_not_found');
  });

  it.each([
    ['GET', '/nowhere'],
    ['OPTIONS', '/nowhere'],
    ['DELETE', '/'],
    ['GET', ''],
    ['GET', '/Things'],
    ['GET', '/things/1/'],
  ])('%s %s is 404 route_not_found', async (method, url) => {
    const answer = await app.inject({ method: method as 'GET', url: `${BASE}${url}` });
    expect(answer.statusCode).toBe(404);
    expect(answer.json().code).toBe('route_not_found');
  });

  it.each([
    ['PUT', `${BASE}/things`, 'GET, HEAD'],
    ['OPTIONS', `${BASE}/things`, 'GET, HEAD'],
    ['TRACE', `${BASE}/things`, 'GET, HEAD'],
    ['POST', `${BASE}/things/${ID}`, 'DELETE, GET, HEAD'],
    ['POST', `${BASE}/things/no%20id`, 'DELETE, GET, HEAD'],
    ['PATCH', `${BASE}/echo`, 'POST'],
    ['GET', `${BASE}/ec%68o?a=b`, 'POST'],
    ['HEAD', `${BASE}/echo`, 'POST'],
    ['POST', '/health/ready', 'GET, HEAD'],
    ['DELETE', '/openapi.json', 'GET, HEAD'],
    ['PUT', '/docs', 'GET, HEAD'],
    ['POST', '/docs/static/swagger-ui.css', 'GET, HEAD'],
  ])('%s %s is 405 method_not_allowed, which lists %s', async (method, url, allow) => {
    const answer = await app.inject({ method: method as 'GET', url, payload: '{', headers: { 'content-type': 'x/y' } });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    if (method === 'HEAD') return;
    expect(answer.json()).toMatchObject({
      code: 'method_not_allowed',
      detail: `This path takes ${allow}, not ${method}.`,
    });
  });

  it('answer an unknown route even when its body is of an unknown type', async () => {
    const answer = await request(app.server).post('/nowhere').set('content-type', 'text/plain').send('x');
    expect(answer.body.code).toBe('route_not_found');
  });

  it.each([
    [`${BASE}/things/%zz`, 400, 'malformed_url'],
    [`${BASE}/things/%ff`, 400, 'malformed_url'],
    [`${BASE}/%c0%ae`, 400, 'malformed_url'],
    [`${BASE}/things/${'a'.repeat(PARAM_LENGTH_MAX + 1)}`, 400, 'malformed_url'],
    [`${BASE}/things/${'a'.repeat(PARAM_LENGTH_MAX)}`, 401, 'unauthenticated'],
  ])('call a bad URL what it is: %s', async (url, status, code) => {
    const answer = await exchangeRaw(`GET ${url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(head.toLowerCase()).toContain('x-request-id: ');
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });

  it.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(HEADER_BYTES_MAX)}\r\n\r\n`,
      /headers are larger/,
    ],
    ['something that is not HTTP', 'HELO there\r\n\r\n', /well-formed/],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', /well-formed/],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', /well-formed/],
  ])('answer %s on the socket', async (_case, bytes, detail) => {
    const answer = await exchangeRaw(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(head).toContain('Content-Type: application/problem+json');
    const problem = JSON.parse(body);
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request', detail: expect.stringMatching(detail) });
    expect(problem.instance).toBe(`urn:uuid:${/X-Request-Id: (.*)/.exec(head)?.[1]?.trim()}`);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['is shorter than announced', (socket) => socket.end()],
    ['breaks off with its connection', (socket) => socket.resetAndDestroy()],
  ])('notices a body that %s without answering a stranger, and makes no failure of ours of it', async (_how, leave) => {
    const before = logLines.length;
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    const body = `Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{`;
    socket.write(`POST ${BASE}/strict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n${body}`);
    expect((await request(app.server).get('/health/live')).status).toBe(200); // by now the server has what was sent
    socket.resume();
    leave(socket);
    await once(socket, 'close');
    const isNoticed = () => logLines.slice(before).some((line) => line.detail === 'The body broke off.');
    await waitFor('the line in the log', () => isNoticed() || undefined);
    expect(logLines.slice(before).filter((line) => line.level >= 40)).toEqual([]);
  });
});

describe('what routes declare', () => {
  const answerOf = (body: unknown, status = 200, problems: readonly string[] = []) => ({
    method: 'POST',
    url: '/x',
    status,
    contentType: 'application/json; charset=utf-8',
    body: JSON.stringify(body),
    declared: {
      operationId: 'x',
      problems: problems as never,
      responses: { 200: thing },
      files: {},
      downloads: {},
      takesIdempotencyKey: true,
      isReplayable: true,
      isDear: false,
      mayLag: false,
      tellsPosition: true,
    },
  });
  const problem = (code: string, status: number, more = {}) => ({
    type: '',
    title: '',
    detail: '',
    instance: '',
    code,
    status,
    ...more,
  });

  it('is what they answer', () => {
    expect(findUndeclared(answerOf({ id: 'a', amount: 1, made_at: '2026-01-01T00:00:00.000Z' }))).toBeUndefined();
    expect(findUndeclared(answerOf(problem('name_taken', 409), 409, ['name_taken']))).toBeUndefined();
  });

  it.each([
    ['another status', answerOf({}, 202)],
    ['a body of another form', answerOf({ id: 1 })],
    ['members that the schema does not name', answerOf({ id: 'a', amount: 1, internal: 1 })],
    ['an undeclared problem', answerOf(problem('name_taken', 409), 409)],
    ['a problem with another status', answerOf(problem('name_taken', 409), 404, ['name_taken'])],
    ['something else than a problem', answerOf({ error: 'x' }, 409, ['name_taken'])],
    ['a problem without its members', answerOf(problem('insufficient_quota', 402), 402, ['insufficient_quota'])],
    [
      'a problem of another type',
      { ...answerOf(problem('name_taken', 409), 409, ['name_taken']), contentType: 'text/html' },
    ],
  ])('is compared: %s is found', (_case, answer) => {
    expect(findUndeclared(answer)).toBeDefined();
  });

  it('is compared on the way out', async () => {
    const faults: (string | undefined)[] = [];
    const other = await buildApp(deps(), {
      extraResources: [registerToys],
      onAnswer: (answer) => faults.push(findUndeclared(answer)),
    });
    const answer = await other.inject({
      method: 'POST',
      url: `${BASE}/fail/undeclared`,
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(answer.statusCode).toBe(409);
    expect(faults).toEqual(['the problem name_taken']);
    await other.close();
  });
});

describe('health', () => {
  it('is live without the database, and ready only with it', async () => {
    queryDatabase = async () => Promise.reject(new Error('secret of the pool'));
    expect((await request(app.server).get('/health/live')).body).toEqual({ status: 'ok' });
    const answer = await request(app.server).get('/health/ready');
    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('unavailable');
    expect(answer.headers['retry-after']).toBe('2');
    expect(answer.text).not.toContain('secret');
    queryDatabase = async () => [];
    const ready = { status: 'ok', late_jobs: [], oldest_transaction: null, replica: null };
    expect((await request(app.server).get('/health/ready')).body).toEqual(ready);
    queryDatabase = async (sql) => (sql.includes('jobs') ? Promise.reject(new Error('the table is locked')) : []);
    expect((await request(app.server).get('/health/ready')).body).toEqual({ ...ready, late_jobs: null });
  });

  it('asks a database that hangs once, however many ask, and does not wait for it', async () => {
    let calls = 0;
    let recover = () => {};
    queryDatabase = () => {
      calls += 1;
      return new Promise((resolve) => {
        recover = () => resolve([]);
      });
    };
    const answers = await Promise.all([1, 2, 3].map(() => request(app.server).get('/health/ready')));
    expect(answers.map((answer) => answer.status)).toEqual([503, 503, 503]);
    expect(calls).toBe(1);
    recover();
    queryDatabase = async () => [];
    expect((await request(app.server).get('/health/ready')).status).toBe(200);
  });
});

describe('closing', () => {
  it('finishes what is under way, then lets go of the port', async () => {
    let isEntered = () => {};
    let finish = () => {};
    const entered = new Promise<void>((resolve) => {
      isEntered = resolve;
    });
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const other = await buildApp(deps(), {
      extraResources: [
        (plugin) =>
          defineRoute(plugin, {
            method: 'GET',
            url: '/slow',
            operationId: 'slow',
            summary: 'Slow',
            tag: 'orders',
            access: 'read',
            responses: { 200: z.object({ done: z.boolean() }) },
            problems: [],
            handler: async (_input) => {
              isEntered();
              await finished;
              return { status: 200, body: { done: true } };
            },
          }),
      ],
    });
    await other.listen({ port: 0, host: '127.0.0.1' });
    const { port } = other.server.address() as AddressInfo;
    const pending = fetch(`http://127.0.0.1:${port}${BASE}/slow`, { headers: { authorization: `Bearer ${TOKEN}` } });
    await entered;
    const closing = other.close();
    await waitFor('the port to close', () => !other.server.listening || undefined);
    finish();
    expect(await (await pending).json()).toEqual({ done: true });
    await closing;
    await expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow();
  });
});

describe('the log', () => {
  it('has one line per request, with the route and not the URL', async () => {
    const answer = await get(`/things/${ID}`);
    const lines = logLines.filter((line) => line.request_id === answer.headers['x-request-id']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 30, method: 'GET', route: `${BASE}/things/:id`, status: 200 });
    expect(JSON.stringify(lines)).not.toContain(ID);
    expect(JSON.stringify(logLines)).not.toContain(TOKEN);
  });

  it.each([
    ['a refusal', () => post('/fail/quota'), 402, 'insufficient_quota'],
    ['a fault of the body', () => post('/strict').send({ name: 1 }), 400, 'invalid_request'],
    ['an unknown route', () => get('/nowhere'), 404, 'route_not_found'],
    ['a missing token', () => request(app.server).get(`${BASE}/things`), 401, 'unauthenticated'],
    ['a defect', () => post('/fail/anything'), 500, 'internal_error'],
  ])('has the code of %s in the line of its request', async (_what, send, status, code) => {
    const answer = await send();
    const id = answer.headers['x-request-id'];
    const lines = logLines.filter((line) => line.request_id === id && line.msg === 'request');
    expect(lines).toMatchObject([{ level: 30, status, code }]);
  });

  it('has a line of what never becomes a request, with the id that its answer has', async () => {
    const id = /X-Request-Id: (\S+)/.exec(await exchangeRaw('HELO there\r\n\r\n'))?.[1];
    expect(logLines.filter((line) => line.request_id === id)).toMatchObject([
      { level: 30, status: 400, code: 'invalid_request' },
    ]);
  });
});

describe('an app that is asked to stop', () => {
  it('is not ready, and answers everything with a request to close the connection', async () => {
    let isStopping = false;
    const other = await buildApp(deps(), { extraResources: [registerToys], isStopping: () => isStopping });
    await other.listen({ port: 0, host: '127.0.0.1' });
    const { port } = other.server.address() as AddressInfo;
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      await answer.text();
      return [answer.status, answer.headers.get('connection')];
    };
    queryDatabase = async () => [];
    expect(await ask('/health/live')).toEqual([200, 'keep-alive']);
    isStopping = true;
    expect(await ask('/health/ready')).toEqual([503, 'close']);
    expect(await ask('/health/live')).toEqual([200, 'close']);
    expect(await ask(`${BASE}/things`)).toEqual([401, 'close']);
    await other.close();
  });

  it('gives a body that still comes time to come', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }); // nobody is cut
    onTestFinished(() => void vi.useRealTimers());
    const other = await buildApp(deps(), { extraResources: [registerToys] });
    await other.listen({ port: 0, host: '127.0.0.1' });
    const { port } = other.server.address() as AddressInfo;
    const { socket, received } = openRaw(port);
    const body = '{"external_id":"bob"}';
    const arrived = once(other.server, 'request');
    socket.write(
      `POST ${BASE}/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`,
    );
    await arrived;
    const closing = other.close();
    await waitFor('the port to close', () => !other.server.listening || undefined);
    socket.write(body.slice(1));
    await closing;
    await waitFor('the end of the connection', () => socket.closed || undefined);
    expect(received()).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  });
});
