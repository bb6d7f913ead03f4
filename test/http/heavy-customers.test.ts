// Customers with so many batches, legs and entries that one of their operations could stop everybody's: what an operation may touch is bounded, what is
// within the bound is done, alone or beside others, and never stops the rest (DOMAIN 3.17).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { copyBatch } from '../support/copy-batch.js';
import { walletOf } from '../support/holdings.js';
import {
  countWaiting,
  customerIdOf,
  holdTransaction,
  send,
  sendTogether,
  tally,
  untilWaiting,
} from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, features: [{ feature: 'shine', unit_cost: 1 }] });
  await putProduct(app, 'TOKENS');
  await putOffer(app, 'SKY', 'TOKENS', 1, { price: '1001', currency: 'STAR' });
});

/** Somebody with `count` batches of one unit each; they begin `startS` seconds from now. */
async function withBatches(count: number, valid_from?: string): Promise<string> {
  const external_id = newPerson();
  const id = await grantUnits(app, external_id, 'STAR', 1, valid_from === undefined ? {} : { valid_from });
  await copyBatch(app.url, id, count - 1);
  return external_id;
}

const unitsOf = async (external_id: string) => (await walletOf(app, external_id)).balances.STAR;

describe('of somebody with 5,000 batches of one unit', () => {
  const of = { product_key: 'STAR' };
  let external_id: string;

  beforeAll(async () => {
    external_id = await withBatches(5_000);
  });

  it.each<[string, string, Json, string]>([
    ['a consume', '/quota/consume', { ...of, amount: 1_001 }, '/amount'],
    ['a consume of all', '/quota/consume', { ...of, amount: 5_000 }, '/amount'],
    ['a use of a feature', '/quota/consume', { feature: 'shine', amount: 1_001 }, '/amount'],
    ['a dry run', '/quota/check', { ...of, amount: 1_001 }, '/amount'],
    ['a reservation', '/reservations', { ...of, amount: 1_001 }, '/amount'],
    ['a deduction', '/credits/deduct', { ...of, amount: 1_001 }, '/amount'],
    ['an overdraft', '/credits/deduct', { ...of, amount: 6_000, allow_negative: true }, '/amount'],
    ['an exchange', '/exchange', { sku: 'SKY' }, '/sku'],
    [
      'an adjustment',
      '/grants',
      { ...of, grant_type: 'adjustment', direction: 'debit', quantity: 1_001, reason: 'why' },
      '/quantity',
    ],
  ])('%s that takes of more than 1,000 is refused, and nothing is written', async (_what, path, body, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post(path, { ...body, external_id }), 409, 'too_many_batches', pointer);
    });
    expect(written).toEqual({});
    expect(await unitsOf(external_id)).toBe(5_000);
  });

  it('five uses of 1,000 take all of it, and more is insufficient', async () => {
    const consume = (amount: number) => app.post('/quota/consume', { ...of, external_id, amount });
    expect(tally(await sendTogether(5, () => consume(1_000)))).toEqual({ 200: 5 });
    expectProblem(await consume(1), 402, 'insufficient_quota');
  });
});

describe('of somebody with thousands of batches', () => {
  const of = { product_key: 'STAR' };

  it('many uses at once take exactly what they say, whatever of it is read together', async () => {
    const external_id = await withBatches(3_000);
    const consume = () => app.post('/quota/consume', { ...of, external_id, amount: 100 });
    expect(tally(await sendTogether(31, consume))).toEqual({ 200: 30, '402 insufficient_quota': 1 });
    expect(await unitsOf(external_id)).toBe(0);
  });

  it('an atomic call takes of 1,000 at most; item by item it is done', async () => {
    const external_id = await withBatches(1_200);
    const items = Array.from({ length: 12 }, (_, at) => ({
      ...of,
      external_id,
      amount: 100,
      idempotency_key: `${external_id} ${at}`,
    }));
    const atomic = await app.post('/quota/consume/batch', { items, mode: 'atomic' });
    expect(atomic.body).toMatchObject({ committed: false });
    expect(atomic.body.results.map(({ code }: Json) => code)).toContain('too_many_batches');
    expect(await unitsOf(external_id)).toBe(1_200);
    const each = await app.post('/quota/consume/batch', { items, mode: 'continue' });
    expect(each.body.results.every(({ allowed }: Json) => allowed)).toBe(true);
    expect(await unitsOf(external_id)).toBe(0);
  });

  it('an overdraft of batches that begin later takes 1,000 of them, and never owes what they have', async () => {
    const external_id = await withBatches(1_500, '2026-03-01T00:00:00Z');
    const deduct = (amount: number) =>
      app.post('/credits/deduct', { ...of, external_id, amount, allow_negative: true });
    expectProblem(await deduct(1_501), 409, 'too_many_batches', '/amount');
    expect((await deduct(1_000)).body).toMatchObject({ owed: 0 });
    expect((await deduct(501)).body).toMatchObject({ owed: 1 });
  });
});

it.each([
  ['of 33 batches', 33],
  ['of 1,000 batches', 1_000],
])('nobody waits for the use %s of somebody else', async (_what, amount) => {
  const [external_id, others] = [await withBatches(amount), Array.from({ length: 8 }, newPerson)];
  for (const other of others) await grantUnits(app, other, 'STAR', 1);
  const held = await holdTransaction(app.url);
  await held.query('SELECT 1 FROM batches WHERE customer_id = $1 FOR UPDATE', [await customerIdOf(app, external_id)]);
  const consume = (by: string, units: number) =>
    send(app.post('/quota/consume', { external_id: by, product_key: 'STAR', amount: units }));
  const heavy = consume(external_id, amount);
  await untilWaiting(app.url, 1);
  expect(tally(await Promise.all(others.map((other) => consume(other, 1))))).toEqual({ 200: 8 });
  expect(await countWaiting(app.url)).toBe(1);
  await held.rollback();
  expect((await heavy).status).toBe(200);
});

describe('holds of many batches', () => {
  it('end at once, exactly', async () => {
    const external_id = await withBatches(5_000);
    const reserve = () => app.post('/reservations', { external_id, product_key: 'STAR', amount: 500 });
    const held = await sendTogether(10, reserve);
    expect(tally(held)).toEqual({ 201: 10 });
    const ended = await Promise.all(
      held.map(({ body }, at) => app.post(`/reservations/${body.id}/${at % 2 ? 'commit' : 'release'}`)),
    );
    expect(tally(ended)).toEqual({ 200: 10 });
    expect(await unitsOf(external_id)).toBe(2_500);
  });

  it('lapse as far as one transaction goes, and all of them are told', async () => {
    const external_id = await withBatches(3_000);
    const reserve = () => app.post('/reservations', { external_id, product_key: 'STAR', amount: 300, ttl_seconds: 60 });
    expect(tally(await sendTogether(10, reserve))).toEqual({ 201: 10 });
    app.clock.advance({ seconds: 61 });
    expect(await unitsOf(external_id)).toBe(3_000);
    const used = await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 1_000 });
    expect(used.body.remaining).toBe(2_000);
  });
});

/** Uses all that somebody has in one operation, as a build before there was a bound did; its id. */
async function useAllBySql(customerId: string): Promise<string> {
  const [{ id } = { id: '' }] = await app.deps.db.query<{ id: string }>(
    `WITH used AS MATERIALIZED (
       SELECT b.*, row_number() OVER (ORDER BY b.id) - 1 AS n, count(*) OVER () AS size, c.next_seq, c.next_event, c.last_recorded_at
       FROM batches b JOIN customers c ON c.id = b.customer_id WHERE b.customer_id = $1::uuid
     ), operated AS (
       INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
       SELECT customer_id, gen_random_uuid(), 'quota.consume', 'test', last_recorded_at, next_seq, next_seq + size - 1 FROM used LIMIT 1 RETURNING id
     ), taken AS (
       UPDATE batches b SET available = 0, consumed = b.granted FROM used u WHERE b.customer_id = u.customer_id AND b.id = u.id
     ), counted AS (
       UPDATE balances a SET available = 0 WHERE a.customer_id = $1::uuid
     ), stood AS (
       UPDATE customers c SET next_seq = c.next_seq + u.size, next_event = c.next_event + 1 FROM (SELECT size FROM used LIMIT 1) u WHERE c.id = $1::uuid
     ), used_up AS (
       INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata,
                            recorded_at, occurred_at)
       SELECT customer_id, next_seq + n, gen_random_uuid(), o.id, 'consume', 'debit', product_key, u.id, 1, size - n - 1, 'usage', '{}',
              last_recorded_at, last_recorded_at
       FROM used u, operated o RETURNING customer_id, id, operation_id, balance_after, recorded_at
     ), told AS (
       INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, operation_id, data, recorded_at)
       SELECT e.customer_id, c.next_event, gen_random_uuid(), 'quota.exhausted', 1, e.id, e.operation_id, '{}', e.recorded_at
       FROM used_up e JOIN customers c ON c.id = e.customer_id WHERE e.balance_after = 0
     ) SELECT id FROM operated`,
    [customerId],
  );
  return id;
}

describe('what a use took of many batches', () => {
  it('comes back, also when several come back at once', async () => {
    const external_id = await withBatches(5_000);
    const consume = () => app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 1_000 });
    const used = await sendTogether(5, consume);
    const back = await Promise.all(
      used.map(({ body }) => app.post('/quota/release', { operation_id: body.operation_id })),
    );
    expect(tally(back)).toEqual({ 200: 5 });
    expect(await unitsOf(external_id)).toBe(5_000);
  });

  it('of more entries than are gone through is refused with a remedy, and of so many comes back', async () => {
    const release = async (batches: number) => {
      const external_id = await withBatches(batches);
      return app.post('/quota/release', { operation_id: await useAllBySql(await customerIdOf(app, external_id)) });
    };
    expect((await release(10_000)).body.returned).toBe(10_000);
    expectProblem(await release(10_001), 409, 'too_many_batches', '/operation_id');
  });
});

describe('the proof of one customer', () => {
  it('goes through 50,000 entries over HTTP, and names the command for more', async () => {
    const external_id = await withBatches(50_000);
    const customerId = await customerIdOf(app, external_id);
    expect((await app.get(`/invariants?customer_id=${customerId}`)).body.ok).toBe(true);
    await grantUnits(app, external_id, 'STAR', 1);
    const refused = await app.get(`/invariants?customer_id=${customerId}`);
    expectProblem(refused, 409, 'too_large');
    expect(refused.body.detail).toContain(`npm run verify -- --customer ${customerId}`);
  });
});
