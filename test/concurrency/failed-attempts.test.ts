// Attempts that the database rolled back: they leave nothing, are tried again a bounded number of times, and a claim that was lost or
// won meanwhile is decided upon anew.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { countTried, failWrites, gateCommits } from '../support/commit-faults.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  type HeldTransaction,
  holdCustomers,
  holdTransaction,
  placeOrder,
  send,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';

/** Five of its own, and one together with others. */
const ATTEMPTS_MAX = 6;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const consume = (externalId: string, amount: number) => ({ external_id: externalId, product_key: 'CREDITS', amount });

const rowsOf = async (customerId: string) => {
  const tables = ['operations', 'entries', 'batches', 'balances'];
  const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table} WHERE customer_id = $1) AS ${table}`);
  return (await ask(app.url, `SELECT ${counts.join(', ')}`, [customerId]))[0];
};

const paymentOf = async (paymentId: string) =>
  (await ask(app.url, 'SELECT status, order_id FROM payments WHERE payment_id = $1', [paymentId]))[0];

describe('a consume whose transaction the database rolls back', () => {
  it.each([
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
    ['a lock timeout', '55P03'],
  ])('tries again after %s and takes units once', async (_, sqlState) => {
    const person = `retried-${sqlState}`;
    await grantUnits(app, person, 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 2, sqlState, atCommit: false });
    const answer = await app.post('/quota/consume', consume(person, 3));
    expect([answer.status, answer.body.remaining]).toEqual([200, 7]);
    expect(await countTried(app.url)).toBe(3);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(7);
  });

  it('tries again when it was rolled back at its commit', async () => {
    await grantUnits(app, 'at-commit', 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 2, sqlState: '40001', atCommit: true });
    const answer = await app.post('/quota/consume', consume('at-commit', 3));
    expect([answer.status, answer.body.remaining]).toEqual([200, 7]);
    expect(await countTried(app.url)).toBe(3);
  });

  it('gives up after a few attempts and leaves nothing', async () => {
    await grantUnits(app, 'given-up', 'CREDITS', 10);
    const customerId = await customerIdOf(app, 'given-up');
    const before = await rowsOf(customerId);
    await failWrites(app.url, 'entries', { count: 100, sqlState: '40P01', atCommit: false });
    const answer = await app.post('/quota/consume', consume('given-up', 3), { 'idempotency-key': 'k' });
    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([503, 'unavailable', '1']);
    expect(await countTried(app.url)).toBeLessThanOrEqual(ATTEMPTS_MAX);
    expect(await rowsOf(customerId)).toEqual(before);
  });

  it('does not try again what was refused for good', async () => {
    await grantUnits(app, 'for-good', 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 100, sqlState: '23514', atCommit: false });
    const answer = await app.post('/quota/consume', consume('for-good', 3));
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect(await countTried(app.url)).toBe(1);
    expect(await balanceOf(app, 'for-good', 'CREDITS')).toBe(10);
  });

  it('is tried again or answered as unavailable when its connection is cut, and its key may be sent again', async () => {
    await grantUnits(app, 'cut', 'CREDITS', 10);
    const gate = await gateCommits(app.url, 'entries');
    const pending = send(app.post('/quota/consume', consume('cut', 3), { 'idempotency-key': 'k' }));
    await untilWaiting(app.url, 1);
    await ask(
      app.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
    );
    await gate.rollback();
    const { status } = await pending;
    expect([
      { status: 503, balance: 10 },
      { status: 200, balance: 7 },
    ]).toContainEqual({ status, balance: await balanceOf(app, 'cut', 'CREDITS') });
    const again = await app.post('/quota/consume', consume('cut', 3), { 'idempotency-key': 'k' });
    expect([again.status, again.body.remaining]).toEqual([200, 7]);
    expect(await balanceOf(app, 'cut', 'CREDITS')).toBe(7);
  });
});

describe('what is written and not yet committed', () => {
  it('is seen by nobody', async () => {
    await grantUnits(app, 'unseen', 'CREDITS', 10);
    const gate = await gateCommits(app.url, 'entries');
    const pending = send(app.post('/quota/consume', consume('unseen', 3)));
    await untilWaiting(app.url, 1);
    expect(await balanceOf(second, 'unseen', 'CREDITS')).toBe(10);
    await gate.rollback();
    expect((await pending).status).toBe(200);
    expect(await balanceOf(second, 'unseen', 'CREDITS')).toBe(7);
  });

  it('is waited for by the next operation of that customer, which then goes on from it', async () => {
    await grantUnits(app, 'next', 'CREDITS', 10);
    const gate = await gateCommits(app.url, 'entries');
    const first = send(app.post('/quota/consume', consume('next', 6)));
    await untilWaiting(app.url, 1);
    const next = send(second.post('/quota/consume', consume('next', 6)));
    await untilWaiting(app.url, 2);
    await gate.rollback();
    const answers = await Promise.all([first, next]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 402]);
    expect(answers[1]?.body.available).toBe(4);
  });
});

describe('a confirmation that waits for a payment claimed by another transaction', () => {
  /** Claims the payment for the order of somebody else, as a payment of an untold amount that is not committed yet. */
  async function claimPayment(paymentId: string, orderId: string): Promise<HeldTransaction> {
    const held = await holdTransaction(app.url);
    await held.query(
      `INSERT INTO payments (payment_method, payment_id, customer_id, order_id, status, amount, currency, created_at, updated_at)
       SELECT 'provider_payments', $1, customer_id, id, 'unmatched', NULL, NULL, created_at, created_at FROM orders WHERE id = $2`,
      [paymentId, orderId],
    );
    return held;
  }

  it('pays when the claim is rolled back', async () => {
    const [own, others] = [await placeOrder(app, 'ann', 'PACK'), await placeOrder(app, 'ben', 'PACK')];
    const held = await claimPayment('rolled-back', others);
    const pending = send(app.post(`/orders/${own}/confirm`, { payment_id: 'rolled-back' }));
    await untilWaiting(app.url, 1);
    await held.rollback();
    expect((await pending).body.status).toBe('paid');
    expect(await paymentOf('rolled-back')).toEqual({ status: 'paid', order_id: own });
    expect(await balanceOf(app, 'ann', 'CREDITS')).toBe(10);
  });

  it('decides anew when the claim is committed: an unmatched payment may pay', async () => {
    const [own, others] = [await placeOrder(app, 'cat', 'PACK'), await placeOrder(app, 'dan', 'PACK')];
    const held = await claimPayment('unmatched', others);
    const pending = send(app.post(`/orders/${own}/confirm`, { payment_id: 'unmatched' }));
    await untilWaiting(app.url, 1);
    await held.commit();
    expect((await pending).body.status).toBe('paid');
    expect(await paymentOf('unmatched')).toEqual({ status: 'paid', order_id: own });
    expect(await balanceOf(app, 'cat', 'CREDITS')).toBe(10);
  });

  it('is refused and leaves nothing when the claim paid another order', async () => {
    const [own, others] = [await placeOrder(app, 'eva', 'PACK'), await placeOrder(app, 'fox', 'PACK')];
    const customerId = await customerIdOf(app, 'eva');
    const before = await rowsOf(customerId);
    const gate = await gateCommits(app.url, 'payments');
    const winner = send(second.post(`/orders/${others}/confirm`, { payment_id: 'lost' }));
    await untilWaiting(app.url, 1);
    const loser = send(app.post(`/orders/${own}/confirm`, { payment_id: 'lost' }));
    await untilWaiting(app.url, 2);
    await gate.rollback();
    expect((await winner).status).toBe(200);
    const answer = await loser;
    expect([answer.status, answer.body.code]).toEqual([409, 'payment_already_used']);
    expect(await paymentOf('lost')).toEqual({ status: 'paid', order_id: others });
    expect(await rowsOf(customerId)).toEqual(before);
    expect((await app.get(`/orders/${own}`)).body.status).toBe('pending');
  });

  it('is refused when a known payment is moved to another order meanwhile', async () => {
    const [own, others] = [await placeOrder(app, 'gus', 'PACK'), await placeOrder(app, 'hope', 'PACK')];
    await app.post(`/orders/${own}/confirm`, { payment_id: 'moved', status: 'failed' });
    const gate = await gateCommits(app.url, 'payments');
    const winner = send(second.post(`/orders/${others}/confirm`, { payment_id: 'moved' }));
    await untilWaiting(app.url, 1);
    const loser = send(app.post(`/orders/${own}/confirm`, { payment_id: 'moved' }));
    await untilWaiting(app.url, 2);
    await gate.rollback();
    expect((await winner).status).toBe(200);
    const answer = await loser;
    expect([answer.status, answer.body.code]).toEqual([409, 'payment_already_used']);
    expect(await paymentOf('moved')).toEqual({ status: 'paid', order_id: others });
  });
});

describe('a confirmation that the database rolls back at its COMMIT', () => {
  it('is tried again and pays once', async () => {
    const orderId = await placeOrder(app, 'ida', 'PACK');
    await failWrites(app.url, 'entries', { count: 2, sqlState: '40001', atCommit: true });
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: 'again' });
    expect([answer.status, await countTried(app.url)], answer.text).toEqual([200, 3]);
    expect(await balanceOf(app, 'ida', 'CREDITS')).toBe(10);
    expect(await paymentOf('again')).toEqual({ status: 'paid', order_id: orderId });
  });

  it('is no success and leaves nothing when that was for good', async () => {
    const orderId = await placeOrder(app, 'joe', 'PACK');
    await failWrites(app.url, 'entries', { count: 100, sqlState: '23514', atCommit: true });
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: 'never' });
    expect([answer.status, answer.body.code, await countTried(app.url)]).toEqual([500, 'internal_error', 1]);
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('pending');
    expect(await paymentOf('never')).toBeUndefined();
  });
});

describe('a first sight that meets an uncommitted one', () => {
  async function claimIdentity(externalId: string): Promise<HeldTransaction> {
    const held = await holdTransaction(app.url);
    await held.query(
      `WITH customer AS (
         INSERT INTO customers (id, last_recorded_at, created_at) VALUES (gen_random_uuid(), $1, $1) RETURNING id
       ), told AS (
         INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, data, recorded_at)
         SELECT id, 1, gen_random_uuid(), 'customer.created', 1, id, '{}', $1 FROM customer
       )
       INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at)
       SELECT 'default', $2, gen_random_uuid(), id, $1, $1 FROM customer`,
      [app.clock.now(), externalId],
    );
    return held;
  }

  it('finds that customer when it is committed', async () => {
    const held = await claimIdentity('seen');
    const pending = send(app.post('/grants', { external_id: 'seen', grant_type: 'bonus', sku: 'PACK' }));
    await untilWaiting(app.url, 1);
    await held.commit();
    expect((await pending).status).toBe(201);
    expect(await ask(app.url, `SELECT count(*)::int FROM identities WHERE external_id = 'seen'`)).toEqual([
      { count: 1 },
    ]);
  });

  it('creates the customer when it is rolled back', async () => {
    const held = await claimIdentity('unseen-before');
    const pending = send(app.post('/identify', { external_id: 'unseen-before' }));
    await untilWaiting(app.url, 1);
    await held.rollback();
    expect((await pending).body.created_customer).toBe(true);
  });
});

describe('a consume whose wait for the lock is cut short by the database', () => {
  it('is answered as unavailable and takes nothing', async () => {
    await grantUnits(app, 'patient', 'CREDITS', 10);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'patient'));
    const pending = send(app.post('/quota/consume', consume('patient', 1)));
    await untilWaiting(app.url, 1);
    await ask(
      app.url,
      `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
    );
    const answer = await pending;
    await held.rollback();
    // what a statement timeout does: nothing is known to be wrong with the request
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect(await balanceOf(app, 'patient', 'CREDITS')).toBe(10);
  });
});
