// What a waiter decides upon: the state after its wait, never the state from before it (DOMAIN 3.0, step 3).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putOffer, putProduct, TestClock, useTestApp } from '../support/app.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  holdCustomers,
  placeOrder,
  send,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import { spendBySql } from '../support/spend-by-sql.js';

const app = useTestApp();
const slowClock = new TestClock();
const second = useSecondApp(app, slowClock);

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'VIP', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const consume = (externalId: string, amount: number) => ({ external_id: externalId, product_key: 'CREDITS', amount });

/** A customer with 10 units, whose lock is held. */
async function lockedCustomer(externalId: string) {
  const batchId = await grantUnits(app, externalId, 'CREDITS', 10);
  const customerId = await customerIdOf(app, externalId);
  const held = await holdCustomers(app.url, customerId);
  const spend = (amount: number) => spendBySql(held, { customerId, batchId, amount, at: app.clock.now() });
  return { batchId, customerId, held, spend };
}

describe('a consume that waited for the lock', () => {
  it('is refused when all units were spent meanwhile', async () => {
    const { held, spend } = await lockedCustomer('all-spent');
    const pending = send(app.post('/quota/consume', consume('all-spent', 1)));
    await untilWaiting(app.url, 1);
    await spend(10);
    await held.commit();
    const answer = await pending;
    expect([answer.status, answer.body.code, answer.body.available]).toEqual([402, 'insufficient_quota', 0]);
  });

  it('takes from what is left when some were spent meanwhile', async () => {
    const { held, spend, batchId } = await lockedCustomer('some-spent');
    const pending = send(app.post('/quota/consume', consume('some-spent', 3)));
    await untilWaiting(app.url, 1);
    await spend(6);
    await held.commit();
    const answer = await pending;
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ remaining: 1, taken: [{ batch_id: batchId, amount: 3 }] });
    const entries = await app.get('/wallet/entries?external_id=some-spent');
    expect(
      entries.body.data.map((entry: { seq: number; balance_after: number }) => [entry.seq, entry.balance_after]),
    ).toEqual([
      [3, 1],
      [2, 4],
      [1, 10],
    ]);
  });

  it('takes all that there was when the other transaction is rolled back', async () => {
    const { held, spend } = await lockedCustomer('rolled-back');
    const pending = send(app.post('/quota/consume', consume('rolled-back', 10)));
    await untilWaiting(app.url, 1);
    await spend(10);
    await held.rollback();
    expect((await pending).body.remaining).toBe(0);
  });

  it('takes units that were granted after it began to wait', async () => {
    const { held } = await lockedCustomer('granted');
    const grant = send(
      app.post('/grants', { external_id: 'granted', grant_type: 'bonus', product_key: 'CREDITS', quantity: 7 }),
    );
    await untilWaiting(app.url, 1);
    const pending = send(second.post('/quota/consume', consume('granted', 17)));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect((await grant).status).toBe(201);
    expect((await pending).body.remaining).toBe(0);
  });

  it('sees the answer recorded under its key while it waited', async () => {
    const { held } = await lockedCustomer('key');
    const body = consume('key', 4);
    const pending = [app, second].map((client) =>
      send(client.post('/quota/consume', body, { 'idempotency-key': 'k' })),
    );
    await untilWaiting(app.url, 2);
    await held.rollback();
    const answers = await Promise.all(pending);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(await balanceOf(app, 'key', 'CREDITS')).toBe(6);
  });

  it('reads the time after its wait: units that ended meanwhile are not spendable', async () => {
    const expiresAt = new Date(app.clock.now().getTime() + 3_600_000).toISOString();
    await grantUnits(app, 'ended', 'CREDITS', 5, { expires_at: expiresAt });
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ended'));
    const pending = send(app.post('/quota/consume', consume('ended', 1)));
    await untilWaiting(app.url, 1);
    app.clock.set(expiresAt);
    await held.rollback();
    const answer = await pending;
    expect([answer.status, answer.body.available]).toEqual([402, 0]);
    const entries = await app.get('/wallet/entries?external_id=ended');
    expect(entries.body.data[0]).toMatchObject({
      kind: 'expire',
      amount: 5,
      balance_after: 0,
      occurred_at: expiresAt,
    });
  });
});

describe('what else waited for the lock', () => {
  it('a reserve is refused when all units were spent meanwhile', async () => {
    const { held, spend } = await lockedCustomer('reserve');
    const pending = send(app.post('/reservations', consume('reserve', 1)));
    await untilWaiting(app.url, 1);
    await spend(10);
    await held.commit();
    const answer = await pending;
    expect([answer.status, answer.body.code, answer.body.available]).toEqual([402, 'insufficient_quota', 0]);
  });

  it('an overdraft owes what was spent meanwhile, too', async () => {
    const { held, spend } = await lockedCustomer('overdraft');
    const pending = send(app.post('/credits/deduct', { ...consume('overdraft', 10), allow_negative: true }));
    await untilWaiting(app.url, 1);
    await spend(6);
    await held.commit();
    expect((await pending).body).toMatchObject({ owed: 6, balance: -6, taken: [{ amount: 4 }] });
  });

  it('an addition repays what is owed since', async () => {
    const { held } = await lockedCustomer('addition');
    const deduct = send(app.post('/credits/deduct', { ...consume('addition', 13), allow_negative: true }));
    await untilWaiting(app.url, 1);
    const add = send(second.post('/credits/add', consume('addition', 5)));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect((await deduct).body).toMatchObject({ owed: 3 });
    expect((await add).body).toMatchObject({ repaid: 3, balance: 2 });
  });

  it('a give-back returns what is left of a use since', async () => {
    await grantUnits(app, 'give-back', 'CREDITS', 10);
    const { body: use } = await app.post('/quota/consume', consume('give-back', 8));
    const held = await holdCustomers(app.url, await customerIdOf(app, 'give-back'));
    const back = { operation_id: use.operation_id };
    const first = send(app.post('/quota/release', { ...back, amount: 5 }));
    await untilWaiting(app.url, 1);
    const all = send(second.post('/quota/release', back));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect([(await first).body.returned, (await all).body.returned]).toEqual([5, 3]);
  });
});

describe('a confirmation that waited for the lock', () => {
  it('replays when the same payment paid the order meanwhile', async () => {
    const orderId = await placeOrder(app, 'paid-meanwhile', 'PACK');
    const held = await holdCustomers(app.url, await customerIdOf(app, 'paid-meanwhile'));
    const pending = [app, second].map((client) =>
      send(client.post(`/orders/${orderId}/confirm`, { payment_id: 'p1' })),
    );
    await untilWaiting(app.url, 2);
    await held.rollback();
    const [one, other] = await Promise.all(pending);
    expect([one?.status, other?.status]).toEqual([200, 200]);
    expect(one?.text).toBe(other?.text);
    expect(await balanceOf(app, 'paid-meanwhile', 'CREDITS')).toBe(10);
  });

  it('is refused when the order lapsed meanwhile', async () => {
    const orderId = await placeOrder(app, 'lapsed', 'PACK');
    const held = await holdCustomers(app.url, await customerIdOf(app, 'lapsed'));
    const pending = send(app.post(`/orders/${orderId}/confirm`, { payment_id: 'p2' }));
    await untilWaiting(app.url, 1);
    app.clock.advance({ hours: 24 });
    await held.rollback();
    const answer = await pending;
    expect([answer.status, answer.body.code]).toEqual([409, 'order_not_payable']);
    expect(await ask(app.url, 'SELECT status FROM payments WHERE payment_id = $1', ['p2'])).toEqual([
      { status: 'unmatched' },
    ]);
  });
});

describe('an app whose clock is behind', () => {
  it('records nothing before what was recorded last', async () => {
    await grantUnits(app, 'behind', 'CREDITS', 10);
    app.clock.advance({ seconds: 30 });
    const { body: taken } = await app.post('/quota/consume', consume('behind', 1));
    const { status } = await second.post('/quota/consume', consume('behind', 1));
    expect([taken.remaining, status]).toEqual([8 + 1, 200]);
    const rows = await ask(
      app.url,
      `SELECT to_char(e.recorded_at, 'HH24:MI:SS') AS at FROM entries e JOIN identities i USING (customer_id)
       WHERE i.external_id = 'behind' ORDER BY seq`,
    );
    expect(rows.map((row) => row.at)).toEqual(['12:00:00', '12:00:30', '12:00:30']);
  });

  it('does not spend what was already found expired', async () => {
    const expiresAt = new Date(app.clock.now().getTime() + 10_000).toISOString();
    await grantUnits(app, 'expired-ahead', 'CREDITS', 5, { expires_at: expiresAt });
    await grantUnits(app, 'expired-ahead', 'CREDITS', 2);
    app.clock.advance({ seconds: 30 });
    expect((await app.post('/quota/consume', consume('expired-ahead', 1))).body.remaining).toBe(1);
    const answer = await second.post('/quota/consume', consume('expired-ahead', 2));
    expect([answer.status, answer.body.available]).toEqual([402, 1]);
  });
});
