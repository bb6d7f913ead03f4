// Customers of whom more has fallen due than one transaction settles, or who have more batches than one statement reads at first: what they are told,
// and what is done for them, is what it would be if all of it were settled.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { copyBatch } from '../support/copy-batch.js';
import { walletOf } from '../support/holdings.js';
import { countWaiting, customerIdOf, holdCustomers, sendTogether, tally, untilWaiting } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, placeOrder } from '../support/requests.js';

const app = useTestApp();

const END = '2026-02-01T00:00:00.000Z';
/** More than an app has connections, and how many of those reads take that are slow. */
const CROWD = 18;
const SLOW_READS = 4;

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, features: [{ feature: 'shine', unit_cost: 2 }] });
  await putProduct(app, 'TOKENS');
  await putProduct(app, 'PASS', { type: 'period', features: [{ feature: 'enter', unit_cost: 1 }] });
  await putProduct(app, 'LATE_PASS', { type: 'period', features: [{ feature: 'leave', unit_cost: 1 }] });
  const items = [{ product_key: 'TOKENS', quantity: 1, period_unit: 'forever' }];
  for (const sku of ['FOR_STARS', 'FOR_MONEY']) {
    const priced = sku === 'FOR_STARS' ? { price: '650', currency: 'STAR' } : { price: '1.00', currency: 'USD' };
    expect((await app.put(`/offers/${sku}`, { name: sku, ...priced, items })).status).toBe(201);
  }
});

const balanceOf = async (external_id: string, query = '') =>
  (await app.get(`/balance?external_id=${external_id}&product_key=STAR${query}`)).body.remaining;
const creditsOf = async (external_id: string) =>
  (await app.get(`/credits/balance?external_id=${external_id}&product_key=STAR`)).body;

/** Somebody with `count` holds of one unit each, and nothing else; the clock is past their ends. */
async function withLapsedHolds(count: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'STAR', count);
  const held = { external_id, product_key: 'STAR', amount: 1, ttl_seconds: 60 };
  expect(tally(await sendTogether(count, () => app.post('/reservations', held)))).toEqual({ 201: count });
  app.clock.advance({ seconds: 61 });
  return external_id;
}

/** Somebody with `count` batches of one unit each that have ended, and `quantity` units that have not. */
async function withEndedBatches(count: number, quantity: number): Promise<string> {
  const external_id = newPerson();
  const id = await grantUnits(app, external_id, 'STAR', 1, { expires_at: END });
  await copyBatch(app.url, id, count - 1);
  if (quantity > 0) await grantUnits(app, external_id, 'STAR', quantity);
  app.clock.set(END);
  return external_id;
}

describe('of 700 lapsed holds', () => {
  it('all units are there for readers, then for the next use', async () => {
    const external_id = await withLapsedHolds(700);
    const shown = async () => ({
      wallet: (await walletOf(app, external_id)).balances,
      balance: await balanceOf(external_id),
      credits: (await creditsOf(external_id)).available,
      check: (await app.post('/quota/check', { external_id, product_key: 'STAR', amount: 700 })).body.allowed,
    });
    const all = { wallet: { STAR: 700 }, balance: 700, credits: 700, check: true };
    expect(await shown()).toEqual(all);
    const answer = await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 700 });
    expect([answer.status, answer.body.remaining]).toEqual([200, 0]);
    expect(await shown()).toMatchObject({ wallet: { STAR: 0 }, balance: 0 });
  });

  it.each<[string, (external_id: string) => Promise<Json>]>([
    [
      'a reservation',
      async (external_id) => (await app.post('/reservations', { external_id, product_key: 'STAR', amount: 650 })).body,
    ],
    ['an exchange', async (external_id) => (await app.post('/exchange', { external_id, sku: 'FOR_STARS' })).body],
    [
      'an atomic bulk call',
      async (external_id) =>
        (
          await app.post('/quota/consume/batch', {
            mode: 'atomic',
            items: [
              { external_id, product_key: 'STAR', amount: 325 },
              { external_id, product_key: 'STAR', amount: 325 },
            ],
          })
        ).body,
    ],
  ])('%s gets what it asks for at once', async (_what, ask) => {
    const external_id = await withLapsedHolds(700);
    const answer = await ask(external_id);
    expect(answer).not.toHaveProperty('code');
    expect(await balanceOf(external_id), JSON.stringify(answer)).toBe(50);
  });

  it('uses that come together get their own, and those of others beside them', async () => {
    const external_id = await withLapsedHolds(700);
    const other = newPerson();
    await grantUnits(app, other, 'STAR', 40);
    const answers = await sendTogether(80, (index) =>
      app.post('/quota/consume', {
        external_id: index % 2 === 0 ? external_id : other,
        product_key: 'STAR',
        amount: index % 2 === 0 ? 17 : 1,
      }),
    );
    expect(tally(answers)).toEqual({ 200: 80 });
    expect([await balanceOf(external_id), await balanceOf(other)]).toEqual([20, 0]);
  });

  it('a repeated use is answered as before, and settles nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 1);
    const call = () =>
      app.post('/quota/consume', { external_id, product_key: 'STAR' }, { 'idempotency-key': external_id });
    const { text } = await call();
    await copyBatch(app.url, await grantUnits(app, external_id, 'STAR', 1, { expires_at: END }), 600);
    app.clock.set(END);
    const before = (await app.get(`/wallet/entries?external_id=${external_id}&limit=1`)).text;
    expect((await call()).text).toBe(text);
    expect((await app.get(`/wallet/entries?external_id=${external_id}&limit=1`)).text).toBe(before);
  });
});

describe('of 600 batches past their end', () => {
  it('none is in the way of an overdraft, which is answered at once', async () => {
    const external_id = await withEndedBatches(600, 2);
    const answer = await app.post('/credits/deduct', {
      external_id,
      product_key: 'STAR',
      amount: 5,
      allow_negative: true,
    });
    expect([answer.status, answer.body.owed, answer.body.balance]).toEqual([200, 3, -3]);
  });

  it('none counts in a refusal, in what it leaves, or in an order that is paid', async () => {
    const external_id = await withEndedBatches(600, 2);
    const { id } = await placeOrder(app, external_id, 'FOR_MONEY');
    const refused = await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 3 });
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body.available).toBe(2);
    expect((await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() })).status).toBe(200);
    const rows = await app.deps.db.query(
      'SELECT available FROM balances WHERE customer_id = $1::uuid ORDER BY product_key',
      [await customerIdOf(app, external_id)],
    );
    expect(rows).toEqual([{ available: 2 }, { available: 1 }]);
  });
});

describe('beside 1,001 batches that are valid later', () => {
  it('an overdraft takes the soonest, then all of them, and owes the rest', async () => {
    const external_id = newPerson();
    const id = await grantUnits(app, external_id, 'STAR', 1, { valid_from: '2026-03-01T00:00:00Z' });
    await copyBatch(app.url, id, 1_000, 1);
    const soonest = await app.post('/credits/deduct', {
      external_id,
      product_key: 'STAR',
      amount: 1,
      allow_negative: true,
    });
    expect(soonest.body).toMatchObject({ owed: 0, taken: [{ batch_id: id, amount: 1 }] });
    const answer = await app.post('/credits/deduct', {
      external_id,
      product_key: 'STAR',
      amount: 1_005,
      allow_negative: true,
    });
    expect([answer.status, answer.body.owed, answer.body.balance]).toEqual([200, 5, -5]);
    expect(answer.body.taken).toHaveLength(1_000);
    expect((await creditsOf(external_id)).balance).toBe(-5);
  });
});

describe('of several customers at once, of whom more is due than a read shows', () => {
  it('reads settle on a share of the connections, and nobody else waits', async () => {
    const people: string[] = [];
    for (let count = 0; count < CROWD; count += 1) {
      app.clock.set('2026-01-31T13:00:00Z');
      people.push(await withEndedBatches(1_001, 1));
    }
    const other = newPerson();
    await grantUnits(app, other, 'STAR', 1);
    const ids = await Promise.all(people.map((person) => customerIdOf(app, person)));
    const held = await holdCustomers(app.url, ...ids);
    const reading = people.map((person) => balanceOf(person));
    await untilWaiting(app.url, SLOW_READS);
    expect((await app.post('/quota/consume', { external_id: other, product_key: 'STAR' })).status).toBe(200);
    expect(await countWaiting(app.url)).toBe(SLOW_READS);
    await held.rollback();
    expect(await Promise.all(reading)).toEqual(people.map(() => 1));
  });
});

describe('of 1,050 batches past their end, more than a read shows', () => {
  it('none is shown by any of the reads that come together', async () => {
    const external_id = await withEndedBatches(1_050, 2);
    const other = newPerson();
    await grantUnits(app, other, 'STAR', 3);
    const [own, theirs, wallet, batches] = await Promise.all([
      balanceOf(external_id),
      balanceOf(other),
      walletOf(app, external_id),
      app.get(`/wallet/batches?external_id=${external_id}&state=active`),
    ]);
    expect([own, theirs, wallet.balances]).toEqual([2, 3, { STAR: 2 }]);
    expect(batches.body.data).toMatchObject([{ available: 2 }]);
  });
});

describe('a wallet of 1,050 spans of access', () => {
  it('shows the end of all of them, and every product and feature that a check allows', async () => {
    const external_id = newPerson();
    const id = await grantUnits(app, external_id, 'PASS', 1, { expires_at: '2026-02-01T12:00:00.000Z' });
    await copyBatch(app.url, id, 1_049, 24 * 3_600);
    await grantUnits(app, external_id, 'LATE_PASS', 1, { expires_at: '2026-03-01T00:00:00.000Z' });
    const end = new Date(Date.parse('2026-02-01T12:00:00.000Z') + 1_049 * 24 * 3_600_000).toISOString();
    const { access, features } = (await app.get(`/wallet?external_id=${external_id}`)).body;
    expect(access).toEqual({ PASS: { until: end }, LATE_PASS: { until: '2026-03-01T00:00:00.000Z' } });
    expect(features).toEqual({ enter: { can_use: true, remaining: null }, leave: { can_use: true, remaining: null } });
    for (const feature of ['enter', 'leave']) {
      expect((await app.post('/quota/check', { external_id, feature, amount: 1 })).body.allowed).toBe(true);
    }
    expect((await app.get(`/balance?external_id=${external_id}&product_key=PASS`)).body.expires_at).toBe(end);
  });
});
