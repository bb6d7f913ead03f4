import { Agent, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GivenAnswer } from '../../src/app.js';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { API_TOKEN, startTestApp, TestClock } from '../support/app.js';
import { useTestDatabase } from '../support/database.js';
import { findUndeclared } from '../support/declared-problems.js';
import { type HostileRequest, type Operation, requestsOf } from './hostile-http.js';
import type { KnownValues } from './hostile-json.js';
import { propertyRun } from './seeds.js';

const REQUESTS = 7_000;
const TIMEOUT_MS = 600_000;
/** What writes can break more. */
const WRITES_PER_READ = 3;
/** Of all operations, those that must have accepted a request at least once. */
const SERVED_SHARE_MIN = 0.8;
/** What only a payment provider can begin, by its signature; and its sources, whose mappings are not drawn whole; and rewards that are held, of which there are none. */
const OF_PROVIDERS = new Set([
  'receivePayment',
  'checkoutOrder',
  'receiveGenericPayment',
  'getPaymentEvent',
  'replayPaymentEvent',
  'dismissPaymentEvent',
  'putPaymentSource',
  'getPaymentSource',
  'deletePaymentSource',
  'tryPaymentSource',
  'releaseReward',
  'refuseReward',
]);
/** Open at the beginning, so that some can be ended. */
const RESERVATIONS = 15;
const PROBLEM_STATUS_LEAST = 400;
const SERVER_ERROR_STATUS_LEAST = 500;
const BASE_PATH = '/api/v1/billing';

/** Method, path and body of requests that were answered with a 5xx when they were found. */
const onceBroken: [string, string, unknown][] = [
  ['PUT', '/products/NAMED_TWICE', { name: 'x', type: 'quantity', features: ['image_generation', 'image_generation'] }],
];

interface Answer {
  status: number;
  type: string;
  text: string;
}

const database = useTestDatabase();
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
const undeclared: string[] = [];
/** How many requests were served and refused, by operation. */
const answered = new Map<string, number>();
let running: Awaited<ReturnType<typeof startTestApp>>;
let operationIds: string[];
let requests: fc.Arbitrary<HostileRequest>;

beforeAll(async () => {
  const onAnswer = (answer: GivenAnswer) => {
    const reached = answer.declared?.operationId ?? 'none';
    const outcome = answer.status < PROBLEM_STATUS_LEAST ? 'served' : 'refused';
    answered.set(`${reached} ${outcome}`, (answered.get(`${reached} ${outcome}`) ?? 0) + 1);
    const fault = findUndeclared(answer);
    if (fault !== undefined) undeclared.push(fault);
  };
  running = await startTestApp(database.url, new TestClock(), { onAnswer });
  await fillEmptyCatalogue(running.deps, demoCatalogue);
  const known = await makeKnownValues();
  const { customer_id: passing } = await post('/identify', { external_id: 'passing' });
  // Whoever is erased is not served any more.
  const knownTo = (id: string) =>
    id === 'eraseCustomer' ? { ...known, id: [passing, ...(known.source_customer_id ?? [])] } : known;
  const { paths } = running.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
  answered.clear();
  operationIds = Object.values(paths).flatMap((operations) => Object.values(operations).map((one) => one.operationId));
  requests = fc.oneof(
    ...Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({
        weight: method === 'get' ? 1 : WRITES_PER_READ,
        arbitrary: requestsOf(method.toUpperCase(), path, operation, knownTo(operation.operationId)),
      })),
    ),
  );
});
afterAll(async () => {
  agent.destroy();
  await running.close();
});

describe('the app', () => {
  const { parameters, timeout, isWhole } = propertyRun(REQUESTS, TIMEOUT_MS);

  it('answers every hostile request with what the route declares, and never with a 5xx', { timeout }, async () => {
    const property = fc.asyncProperty(requests, expectProblemOrSuccess);
    await fc.assert(property, parameters);
    // Requests that are all refused at the door would try nothing behind it.
    const open = operationIds.filter((id) => !OF_PROVIDERS.has(id));
    const served = open.filter((id) => answered.has(`${id} served`));
    if (isWhole) expect(served.length, `served were only ${served}`).toBeGreaterThan(open.length * SERVED_SHARE_MIN);
  });

  it.each(onceBroken)('answers what once made a 5xx with a 4xx: %s %s', async (method, path, body) => {
    const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
    const request = { method, path: `${BASE_PATH}${path}`, headers, body: JSON.stringify(body) };
    await expectProblemOrSuccess(request);
    expect((await send(request)).status).toBe(400);
  });

  it('still answers a normal consume afterwards', async () => {
    await post('/products/AFTERWARDS', { name: 'Afterwards', type: 'quantity' }, 'PUT');
    await post('/grants', { external_id: 'afterwards', grant_type: 'bonus', product_key: 'AFTERWARDS', quantity: 3 });
    const answer = await post('/quota/consume', { external_id: 'afterwards', product_key: 'AFTERWARDS' });
    expect(answer).toMatchObject({ allowed: true, remaining: 2 });
  });
});

/** Sends a request and expects a declared answer that is no 5xx, and a problem with a code if it is a refusal. */
async function expectProblemOrSuccess(request: HostileRequest): Promise<void> {
  undeclared.splice(0);
  const answer = await send(request);
  expect(undeclared, 'what the route does not declare').toEqual([]);
  expect(answer.status, answer.text).toBeLessThan(SERVER_ERROR_STATUS_LEAST);
  if (answer.status >= PROBLEM_STATUS_LEAST) {
    expect(answer.type).toMatch(/^application\/(problem\+)?json/);
    expect(JSON.parse(answer.text)).toMatchObject({
      status: answer.status,
      code: expect.stringMatching(/^[a-z_]+$/),
    });
  }
}

/** Customers, orders in each state, keys in use: what a request must name to get anywhere. */
async function makeKnownValues(): Promise<KnownValues> {
  const { customer_id: ada } = await post('/identify', { external_id: 'ada' });
  const { customer_id: bob } = await post('/identify', { provider: 'telegram', external_id: 4711 });
  const { customer_id: newcomer } = await post('/identify', { external_id: 'newcomer' });
  const { batches } = await post('/grants', {
    customer_id: ada,
    grant_type: 'bonus',
    product_key: 'CREDITS',
    quantity: 100,
    idempotency_key: 'key-1',
  });
  await post('/grants', { customer_id: bob, grant_type: 'bonus', sku: 'VIP_MONTH' });
  const consumed = await post('/quota/consume', { customer_id: ada, product_key: 'CREDITS', idempotency_key: 'key-1' });
  const pending = await post('/orders', { customer_id: ada, items: [{ sku: 'CREDITS_100', quantity: 1 }] });
  const paid = await post('/orders', { customer_id: bob, items: [{ sku: 'LIFETIME', quantity: 1 }] });
  await post(`/orders/${paid.id}/confirm`, { payment_id: 'payment-1' });
  await post('/credits/add', { customer_id: ada, product_key: 'TEST_STAR', amount: 50 });
  const reserved = [];
  for (let count = 0; count < RESERVATIONS; count += 1) {
    const { id } = await post('/reservations', { customer_id: ada, product_key: 'CREDITS', amount: 2 });
    reserved.push(id);
  }
  const subscribed: string[] = [];
  for (const external_id of ['eve', 'fay', 'guy', 'hal']) {
    const { id } = await post('/subscriptions', { external_id, sku: 'FREE_MONTHLY' });
    subscribed.push(id);
  }
  const { customer_id: twin } = await post('/identify', { external_id: 'twin' });
  const nobody = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
  const page = await post(`/wallet/entries?customer_id=${ada}&limit=1`, undefined, 'GET');
  const cursor = page.next_cursor ?? '';
  return {
    customer_id: [ada, ada, bob, newcomer, nobody],
    external_id: ['ada', 'ada', '4711', 4711, 'somebody new'],
    provider: ['default', 'telegram'],
    target_customer_id: [ada, newcomer],
    source_customer_id: [twin, nobody],
    id: [
      ...subscribed,
      ...subscribed,
      ...subscribed,
      ada,
      ada,
      bob,
      pending.id,
      pending.id,
      pending.id,
      paid.id,
      paid.id,
      ...reserved,
      nobody,
    ],
    sku: [
      'FREE_MONTHLY',
      'PRO_MONTHLY',
      'CREDITS_100',
      'LIFETIME',
      'get_test_star',
      'GET_TEST_PREDICTION',
      'TRIAL_10',
      'UNKNOWN',
    ],
    product_key: ['CREDITS', 'ai_pool', 'VIP_ACCESS', 'LIFETIME_ACCESS', 'TEST_STAR', 'UNKNOWN'],
    key: ['CREDITS', 'AI_POOL', 'SOMETHING_NEW'],
    feature: ['text_generation', 'image_generation', 'unknown'],
    payment_id: ['payment-1', 'payment-2'],
    referrer_id: [ada, bob],
    referee_id: [bob, newcomer, ada],
    operation_id: [consumed.operation_id, batches[0].id],
    idempotency_key: ['key-1', 'key-2'],
    cursor: [cursor, cursor, `${cursor}A`, cursor.slice(0, -2), Buffer.from('{"seq":-1}').toString('base64url'), 'e30'],
    limit: ['1', '2', '200', '201', '0', '-1', '1e9', '99999999999999999999'],
  };
}

/** Sends a request as it is; supertest would tidy up its URL. */
function send({ method, path, headers: sent, body }: HostileRequest): Promise<Answer> {
  const { port } = running.app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: sent, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read by their documented members
async function post(path: string, body: unknown, method = 'POST'): Promise<any> {
  const answer = await send({
    method,
    path: `${BASE_PATH}${path}`,
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(answer.status, answer.text).toBeLessThan(PROBLEM_STATUS_LEAST);
  return JSON.parse(answer.text);
}
