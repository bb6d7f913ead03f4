// Who waits for whom: writes of one customer wait for each other, writes of different customers and all reads never do.
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.js';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { countTried, failWrites, gateCommits } from '../support/commit-faults.js';
import {
  balanceOf,
  countWaiting,
  customerIdOf,
  type HeldTransaction,
  holdCustomers,
  holdTransaction,
  placeOrder,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { expectProblem } from '../support/requests.js';
import { clientOf } from '../support/shared-transactions.js';
import { waitFor } from '../support/wait.js';

const CROWD = 60;
/** What an app has when its configuration does not say. */
const CONNECTIONS = 16;
/** How many of them operations take that have a transaction of their own. */
const LONE = 6;
/** And how many reads of the past. */
const PAST_READS = 4;
/** Attempts at one operation before it is given up. */
const ATTEMPTS_MAX = 5;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'text', unit_cost: 1 }] });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await grantUnits(app, 'ada', 'CREDITS', 1_000);
  await grantUnits(app, 'bob', 'CREDITS', 1_000);
});

const consume = (externalId: string) => ({ external_id: externalId, product_key: 'CREDITS', amount: 1 });

describe('while a consume of ada waits for her lock', () => {
  let held: HeldTransaction;
  let pending: ReturnType<typeof send>;
  let adaId: string;
  let adaOrderId: string;

  beforeEach(async () => {
    adaId = await customerIdOf(app, 'ada');
    adaOrderId = await placeOrder(app, 'ada', 'PACK');
    held = await holdCustomers(app.url, adaId);
    pending = send(app.post('/quota/consume', consume('ada')));
    await untilWaiting(app.url, 1);
  });

  /** What was asked meanwhile has been answered; ada's consume still waits, and goes through once the lock is free. */
  async function releaseAda(): Promise<void> {
    expect(await countWaiting(app.url)).toBe(1);
    await held.rollback();
    expect((await pending).status).toBe(200);
  }

  it('bob consumes the same product', async () => {
    expect((await app.post('/quota/consume', consume('bob'))).status).toBe(200);
    await releaseAda();
  });

  it('bob is granted units of the same product', async () => {
    await grantUnits(app, 'bob', 'CREDITS', 5);
    await releaseAda();
  });

  it('bob orders and pays the same offer', async () => {
    const orderId = await placeOrder(app, 'bob', 'PACK');
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: `bob-${orderId}` });
    expect(answer.status).toBe(200);
    await releaseAda();
  });

  it('a customer whom nobody knew comes and takes units', async () => {
    await grantUnits(app, 'new', 'CREDITS', 5);
    expect((await app.post('/quota/consume', consume('new'))).status).toBe(200);
    await releaseAda();
  });

  it.each([
    '/balance?product_key=CREDITS&',
    '/balance?feature=text&',
    '/wallet?',
    '/wallet/batches?',
    '/wallet/entries?',
  ])('ada is read by GET %s', async (path) => {
    expect((await app.get(`${path}external_id=ada`)).status).toBe(200);
    await releaseAda();
  });

  it('ada is read by her order, a check and an identify', async () => {
    expect((await app.get(`/orders/${adaOrderId}`)).body.status).toBe('pending');
    expect((await app.post('/quota/check', consume('ada'))).body.allowed).toBe(true);
    expect((await app.post('/identify', { external_id: 'ada' })).body.customer_id).toBe(adaId);
    await releaseAda();
  });

  it('the catalogue changes', async () => {
    await putProduct(app, 'CREDITS', { name: 'renamed', features: [{ feature: 'text', unit_cost: 1 }] });
    await putOffer(app, 'PACK', 'CREDITS', 10);
    await releaseAda();
  });

  it.each([
    ['consume', () => second.post('/quota/consume', consume('ada'))],
    ['grant', () => second.post('/grants', { external_id: 'ada', grant_type: 'bonus', sku: 'PACK' })],
    ['order', () => second.post('/orders', { external_id: 'ada', items: [{ sku: 'PACK' }] })],
    ['confirmation', () => second.post(`/orders/${adaOrderId}/confirm`, { payment_id: `ada-${adaOrderId}` })],
    ['identify with a profile', () => second.post('/identify', { external_id: 'ada', profile: { a: 1 } })],
  ])('another %s of hers, in another app, waits too', async (_, write) => {
    const other = send(write());
    await untilWaiting(app.url, 2);
    await held.rollback();
    const answers = await Promise.all([pending, other]);
    expect(answers.map((answer) => answer.status < 300)).toEqual([true, true]);
  });
});

describe('while more writes of ada wait than the app has connections', () => {
  it('bob consumes, and ada is read', async () => {
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ada'));
    const grant = { external_id: 'ada', grant_type: 'bonus', sku: 'PACK' };
    const crowd = Array.from({ length: CROWD }, (_, index) =>
      send(index % 2 ? app.post('/quota/consume', consume('ada')) : app.post('/grants', grant)),
    );
    await untilWaiting(app.url, 1, 'at least');
    const answered = await Promise.all([
      ...Array.from({ length: 10 }, () => app.post('/quota/consume', consume('bob'))),
      app.get('/balance?external_id=ada&product_key=CREDITS'),
    ]);
    await held.rollback();
    await Promise.all(crowd);
    expect(answered.map((answer) => answer.status)).toEqual(Array(11).fill(200));
  });
});

describe('a consume that holds the lock', () => {
  it('lets rows be inserted that refer to its customer', async () => {
    const adaId = await customerIdOf(app, 'ada');
    const gate = await gateCommits(app.url, 'entries');
    const pending = send(app.post('/quota/consume', consume('ada')));
    await untilWaiting(app.url, 1);
    const other = await holdTransaction(app.url);
    await other.query(`SET LOCAL lock_timeout = '60s'`);
    await other.query(
      `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at)
       VALUES ($1, gen_random_uuid(), 'grant', 'test', now())`,
      [adaId],
    );
    await other.rollback();
    await gate.rollback();
    expect((await pending).status).toBe(200);
  });
});

describe('a locked row of the catalogue', () => {
  it('holds up nobody who consumes, is granted, orders or pays', async () => {
    const held = await holdTransaction(app.url);
    await held.query(`SELECT 1 FROM products WHERE product_key = 'CREDITS' FOR UPDATE`);
    await held.query(`SELECT 1 FROM offers WHERE sku = 'PACK' FOR UPDATE`);
    await held.query('LOCK TABLE catalog_names IN SHARE ROW EXCLUSIVE MODE');
    expect((await app.post('/quota/consume', consume('bob'))).status).toBe(200);
    await grantUnits(app, 'bob', 'CREDITS', 5);
    const orderId = await placeOrder(app, 'bob', 'PACK');
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: `bob-${orderId}` });
    expect(answer.status).toBe(200);
    await held.rollback();
  });
});

it('a crowd whose lock does not come is refused together, not one after another', async () => {
  const customerId = await customerIdOf(app, 'ada');
  const before = (await app.get('/balance?external_id=ada&product_key=CREDITS')).body.remaining;
  const held = await holdCustomers(app.url, customerId);
  const first = send(app.post('/quota/consume', consume('ada')));
  await untilWaiting(app.url, 1);
  let arrived = 0;
  app.app.server.on('request', () => {
    arrived += 1;
  });
  const others = sendTogether(CROWD, () => app.post('/quota/consume', consume('ada')));
  await waitFor('the crowd to arrive', () => (arrived >= CROWD ? true : undefined));
  await failWrites(app.url, 'entries', { count: 1_000, sqlState: '55P03', atCommit: false });
  await held.rollback();
  expect(tally([await first, ...(await others)])).toEqual({ '503 unavailable': CROWD + 1 });
  // The first was alone in its attempts, and who came last may have missed the others.
  expect(await countTried(app.url)).toBeLessThanOrEqual(3 * ATTEMPTS_MAX);
  expect((await app.get('/balance?external_id=ada&product_key=CREDITS')).body.remaining).toBe(before);
});

describe('while more customers than the app has connections are locked elsewhere, and an order of each waits', () => {
  it('others consume and read; then all are ordered for', async () => {
    const crowd = Array.from({ length: CONNECTIONS + 4 }, (_, index) => `crowd-${index}`);
    const ids = await Promise.all(crowd.map((person) => customerIdOf(app, person)));
    const held = await holdCustomers(app.url, ...ids);
    const pending = crowd.map((external_id) => send(app.post('/orders', { external_id, items: [{ sku: 'PACK' }] })));
    await untilWaiting(app.url, LONE);
    const uses = await sendTogether(2, () => app.post('/quota/consume', consume('bob')));
    expect(tally(uses)).toEqual({ '200': 2 });
    expect((await app.get('/wallet?external_id=bob')).status).toBe(200);
    await held.rollback();
    expect(tally(await Promise.all(pending))).toEqual({ '201': crowd.length });
  });
});

describe('while more reads of the past than the app has connections wait for the ledger', () => {
  it('others are read as they are now', async () => {
    const held = await holdTransaction(app.url);
    await held.query('LOCK TABLE entries IN ACCESS EXCLUSIVE MODE');
    const past = `/wallet?external_id=ada&as_of=${encodeURIComponent(app.clock.now().toISOString())}`;
    const pending = Array.from({ length: CONNECTIONS + 4 }, () => send(app.get(past)));
    await untilWaiting(app.url, PAST_READS);
    expect((await app.get('/balance?product_key=CREDITS&external_id=bob')).status).toBe(200);
    expect((await app.get('/wallet?external_id=bob')).status).toBe(200);
    await held.rollback();
    expect(tally(await Promise.all(pending))).toEqual({ '200': pending.length });
  });
});

it('whoever gets no answer in time is told so; what he asked is done once, and the same key is answered then', async () => {
  const impatient = await buildApp(app.deps, { answerTimeoutMs: 200 });
  await impatient.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => impatient.close());
  const client = clientOf(impatient);
  const body = { ...consume('ada'), idempotency_key: 'late' };
  const before = await balanceOf(app, 'ada', 'CREDITS');
  const held = await holdCustomers(app.url, await customerIdOf(app, 'ada'));
  const answer = await client.post('/quota/consume', body);
  expectProblem(answer, 503, 'unavailable');
  expect(answer.headers['retry-after']).toBe('1');
  await held.rollback();
  await waitFor('the use', async () => ((await balanceOf(app, 'ada', 'CREDITS')) === before - 1 ? true : undefined));
  const again = await app.post('/quota/consume', body);
  expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
  expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(before - 1);
});
