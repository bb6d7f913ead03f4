// Giving back what a use took: how much, in which order, and once at most. Features, reservations and debts:
// give-back-sources.test.ts; what is refused: give-back-refusals.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { tally } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
});

/** Takes units and returns the operation's id. */
async function use(external_id: string, amount: number, more: Json = {}): Promise<string> {
  const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount, ...more });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.operation_id;
}

const giveBack = (operation_id: string, more: Json = {}) => app.post('/quota/release', { operation_id, ...more });

async function entriesOf(external_id: string, query = ''): Promise<Json[]> {
  const answer = await app.get(`/wallet/entries?external_id=${external_id}${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

async function batchOf(external_id: string, id: string): Promise<Json | undefined> {
  const answer = await app.get(`/wallet/batches?external_id=${external_id}`);
  return answer.body.data.find((batch: Json) => batch.id === id);
}

async function personWith(quantity: number): Promise<{ external_id: string; batch_id: string }> {
  const external_id = newPerson();
  return { external_id, batch_id: await grantUnits(app, external_id, 'CREDITS', quantity) };
}

describe('POST /quota/release', () => {
  it('gives units back to the batch they were taken from, and says what is left', async () => {
    const { external_id, batch_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    const answer = await giveBack(operation_id, { amount: 4, metadata: { why: 'a retry' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      operation_id: expect.any(String),
      product_key: 'CREDITS',
      amount: 4,
      returned: 4,
      expired: 0,
      revoked: 0,
      restored: [{ batch_id, product_key: 'CREDITS', amount: 4 }],
      remaining: 8,
      metadata: { why: 'a retry' },
    });
    expect(answer.body.operation_id).not.toBe(operation_id);
    expect(await batchOf(external_id, batch_id)).toMatchObject({ granted: 10, available: 8, consumed: 2 });
  });

  it('is one entry that names the one it gives back, and what the units had been for', async () => {
    const { external_id, batch_id } = await personWith(10);
    const operation_id = await use(external_id, 6, { action_type: 'predict', action_id: 'p-1', metadata: { a: 1 } });
    const [used] = await entriesOf(external_id, '&kind=consume');
    app.clock.advance({ seconds: 5 });
    const { body } = await giveBack(operation_id, { amount: 4, metadata: { b: 2 } });
    const [reversed] = await entriesOf(external_id);
    expect(reversed).toEqual({
      ...used,
      id: expect.any(String),
      seq: 3,
      kind: 'reverse',
      direction: 'credit',
      batch_id,
      amount: 4,
      balance_after: 8,
      operation_id: body.operation_id,
      reverses_seq: 2,
      metadata: { b: 2 },
      occurred_at: '2026-01-31T12:00:05.000Z',
    });
    expect(used).toMatchObject({ seq: 2, amount: 6, action_type: 'predict', action_id: 'p-1', reverses_seq: null });
  });

  it('gives back part by part until nothing is left', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    expect((await giveBack(operation_id, { amount: 1 })).body).toMatchObject({ returned: 1, remaining: 5 });
    expect((await giveBack(operation_id, { amount: 3 })).body).toMatchObject({ returned: 3, remaining: 8 });
    const written = await writtenBy(app, async () => {
      const answer = await giveBack(operation_id, { amount: 3 });
      expectProblem(answer, 409, 'release_exceeds_usage', '/amount');
      expect(answer.body).toMatchObject({ requested: 3, available: 2 });
    });
    expect(written).toEqual({});
    expect((await giveBack(operation_id, { amount: 2 })).body).toMatchObject({ returned: 2, remaining: 10 });
    const nothing = await giveBack(operation_id, { amount: 1 });
    expectProblem(nothing, 409, 'release_exceeds_usage', '/amount');
    expect(nothing.body).toMatchObject({ requested: 1, available: 0 });
  });

  it('gives back all that is left when no amount is named, and then nothing', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    await giveBack(operation_id, { amount: 2 });
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 4, returned: 4, remaining: 10 });
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(operation_id), 409, 'release_exceeds_usage');
    });
    expect(written).toEqual({});
  });

  it('refuses more than was taken at once, even when the customer used more elsewhere', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 3);
    await use(external_id, 5);
    const written = await writtenBy(app, async () => {
      const answer = await giveBack(operation_id, { amount: 4 });
      expectProblem(answer, 409, 'release_exceeds_usage', '/amount');
      expect(answer.body).toMatchObject({ requested: 4, available: 3 });
    });
    expect(written).toEqual({});
  });

  it('goes through the batches in reverse order of use', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'CREDITS', 2, { priority: -2 });
    const second = await grantUnits(app, external_id, 'CREDITS', 3, { priority: -1 });
    const third = await grantUnits(app, external_id, 'CREDITS', 4);
    const operation_id = await use(external_id, 7);
    const restored = async (amount: number) => (await giveBack(operation_id, { amount })).body.restored;
    expect(await restored(1)).toEqual([{ batch_id: third, product_key: 'CREDITS', amount: 1 }]);
    expect(await restored(3)).toEqual([
      { batch_id: third, product_key: 'CREDITS', amount: 1 },
      { batch_id: second, product_key: 'CREDITS', amount: 2 },
    ]);
    expect(await restored(3)).toEqual([
      { batch_id: second, product_key: 'CREDITS', amount: 1 },
      { batch_id: first, product_key: 'CREDITS', amount: 2 },
    ]);
    const reversed = (await entriesOf(external_id, '&kind=reverse')).reverse();
    expect(reversed.map((entry) => [entry.batch_id, entry.reverses_seq, entry.amount])).toEqual([
      [third, 6, 1],
      [third, 6, 1],
      [second, 5, 2],
      [second, 5, 1],
      [first, 4, 2],
    ]);
  });

  it('lets what came back be used again, in its old place', async () => {
    const external_id = newPerson();
    const preferred = await grantUnits(app, external_id, 'CREDITS', 2, { priority: -1 });
    await grantUnits(app, external_id, 'CREDITS', 5);
    await giveBack(await use(external_id, 2), { amount: 1 });
    const again = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 2 });
    expect(again.body.taken).toMatchObject([{ batch_id: preferred, amount: 1 }, { amount: 1 }]);
  });

  it('lowers the counted use of access, and takes nothing else back', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    const operation_id = await use(external_id, 5, { product_key: 'ACCESS' });
    const answer = await giveBack(operation_id, { amount: 2 });
    expect(answer.body).toMatchObject({
      returned: 2,
      expired: 0,
      remaining: null,
      restored: [{ batch_id, product_key: 'ACCESS', amount: 2 }],
    });
    expect(await batchOf(external_id, batch_id)).toMatchObject({ granted: null, available: 0, consumed: 3 });
    const [entry] = await entriesOf(external_id);
    expect(entry).toMatchObject({ kind: 'reverse', direction: 'none', amount: 2, balance_after: 0, reverses_seq: 2 });
    const tooMuch = await giveBack(operation_id, { amount: 4 });
    expectProblem(tooMuch, 409, 'release_exceeds_usage');
    expect(tooMuch.body.available).toBe(3);
  });

  it('gives back what an item of a batch took, with a key from the call and without', async () => {
    const { external_id } = await personWith(10);
    const items = [{ external_id, product_key: 'CREDITS', amount: 3 }];
    const keyed = await app.post('/quota/consume/batch', { items, idempotency_key: 'call-1' });
    const plain = await app.post('/quota/consume/batch', { items, mode: 'atomic' });
    expect((await giveBack(keyed.body.results[0].operation_id)).body).toMatchObject({ returned: 3, remaining: 7 });
    expect((await giveBack(plain.body.results[0].operation_id)).body).toMatchObject({ returned: 3, remaining: 10 });
  });

  it('takes an id in capitals', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 2);
    expect((await giveBack(operation_id.toUpperCase())).body).toMatchObject({ returned: 2 });
  });

  it('refuses a field that it does not know, because a misspelt amount would give everything back', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 2);
    const answer = await giveBack(operation_id, { amuont: 1 });
    expectProblem(answer, 400, 'invalid_request');
    expect(answer.body.errors).toMatchObject([{ pointer: '/amuont', code: 'unrecognized_key' }]);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ CREDITS: 8 });
  });

  it('gives each unit back once when many ask at once', async () => {
    const { external_id } = await personWith(20);
    const operation_id = await use(external_id, 10);
    const answers = await Promise.all(Array.from({ length: 15 }, () => giveBack(operation_id, { amount: 1 })));
    expect(tally(answers)).toEqual({ '200': 10, '409 release_exceeds_usage': 5 });
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ CREDITS: 20 });
  });
});

describe('units of a batch that has ended meanwhile', () => {
  const END = '2026-02-01T00:00:00.000Z';

  it('come back and expire in one operation', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    const operation_id = await use(external_id, 10);
    app.clock.set('2026-02-02T00:00:00.000Z');
    const { body } = await giveBack(operation_id, { amount: 4 });
    expect(body).toMatchObject({ amount: 4, returned: 0, expired: 4, revoked: 0, remaining: 0 });
    expect(body.restored).toEqual([{ batch_id, product_key: 'CREDITS', amount: 4 }]);
    expect(await entriesOf(external_id, `&operation_id=${body.operation_id}`)).toMatchObject([
      { kind: 'expire', direction: 'debit', amount: 4, balance_after: 0, occurred_at: '2026-02-02T00:00:00.000Z' },
      { kind: 'reverse', direction: 'credit', amount: 4, balance_after: 4, occurred_at: '2026-02-02T00:00:00.000Z' },
    ]);
    expect(await batchOf(external_id, batch_id)).toMatchObject({ available: 0, consumed: 6, expired: 4 });
  });

  it('come back from the last moment on that the batch still had', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    const operation_id = await use(external_id, 10);
    app.clock.set('2026-01-31T23:59:59.999Z');
    expect((await giveBack(operation_id, { amount: 4 })).body).toMatchObject({ returned: 4, expired: 0, remaining: 4 });
    app.clock.set(END);
    expect((await giveBack(operation_id, { amount: 4 })).body).toMatchObject({ returned: 0, expired: 4, remaining: 0 });
    const kinds = (await entriesOf(external_id)).map((entry) => [
      entry.kind,
      entry.amount,
      entry.operation_id === null,
    ]);
    expect(kinds.slice(0, 3)).toEqual([
      ['expire', 4, false],
      ['reverse', 4, false],
      ['expire', 4, true], // what had come back in time ended by itself
    ]);
  });

  it('are told apart from those that are kept', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3, { expires_at: END });
    await grantUnits(app, external_id, 'CREDITS', 5);
    const operation_id = await use(external_id, 7);
    app.clock.set('2026-02-02T00:00:00.000Z');
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ amount: 7, returned: 4, expired: 3, remaining: 5 });
    expect(body.restored.map((part: Json) => part.amount)).toEqual([4, 3]);
  });
});

describe('with a key', () => {
  itHonoursIdempotencyKeys(app, async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 6);
    return { path: '/quota/release', body: { operation_id, amount: 2 }, other: { amount: 3 } };
  });

  it('is not for another use of the customer', async () => {
    const { external_id } = await personWith(10);
    const [one, other] = [await use(external_id, 2), await use(external_id, 2)];
    expect((await giveBack(one, { idempotency_key: 'k' })).status).toBe(200);
    expectProblem(await giveBack(other, { idempotency_key: 'k' }), 422, 'idempotency_key_reused', '/idempotency_key');
  });

  it('is not remembered for a refusal', async () => {
    const { external_id } = await personWith(10);
    const operation_id = await use(external_id, 2);
    const key = { idempotency_key: 'k' };
    expectProblem(await giveBack(operation_id, { ...key, amount: 3 }), 409, 'release_exceeds_usage');
    expect((await giveBack(operation_id, { ...key, amount: 2 })).body).toMatchObject({ returned: 2 });
  });
});
