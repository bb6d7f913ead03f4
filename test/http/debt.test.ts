// Debt (DOMAIN 3.15): a deduction for work that is done already takes what there is, in any batch, and owes the rest. How a debt is repaid is
// tested in debt-repayment.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, ledgerOf, walletOf } from '../support/holdings.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { sendTogether, tally } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(() => putProduct(app, 'STAR', { is_currency: true, features: ['shine'] }));

/** Deducts as far as there is something, and owes the rest. */
const overdraw = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/credits/deduct', { external_id, product_key: 'STAR', amount, allow_negative: true, ...more });

const creditsOf = async (external_id: string) =>
  (await app.get(`/credits/balance?external_id=${external_id}&product_key=STAR`)).body;

describe('a deduction with allow_negative', () => {
  it('takes what there is and owes the rest', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 4);
    const answer = await overdraw(external_id, 10, { metadata: { job: 1 } });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      allowed: true,
      operation_id: expect.any(String),
      product_key: 'STAR',
      amount: 10,
      balance: -6,
      warnings: [],
      upcoming: 0,
      taken: [{ batch_id, product_key: 'STAR', amount: 4 }],
      owed: 6,
      metadata: { job: 1 },
    });
  });

  it('tells the ledger what was taken, then what is owed, of no batch', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 4);
    const { body } = await overdraw(external_id, 10, { description: 'a long job', metadata: { job: 1 } });
    const told = {
      direction: 'debit',
      operation_id: body.operation_id,
      action_type: 'credits.deduct',
      metadata: { job: 1, description: 'a long job' },
    };
    expect((await entriesOf(app, external_id)).slice(1)).toMatchObject([
      { ...told, kind: 'consume', batch_id, amount: 4, balance_after: 0 },
      { ...told, kind: 'debt', batch_id: null, amount: 6, balance_after: -6 },
    ]);
  });

  it('owes nothing when there is enough', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    expect((await overdraw(external_id, 10)).body).toMatchObject({ balance: 0, owed: 0 });
    expect(await ledgerOf(app, external_id)).toEqual([
      ['grant', 10, 10],
      ['consume', 10, 0],
    ]);
  });

  it('owes all of it when there is nothing, also of somebody never seen', async () => {
    const external_id = newPerson();
    const written = await writtenBy(app, async () => {
      expect((await overdraw(external_id, 3)).body).toMatchObject({ balance: -3, owed: 3, taken: [] });
    });
    expect(written).toEqual({ customers: 1, identities: 1, operations: 1, balances: 1, entries: 1 });
    expect(await ledgerOf(app, external_id)).toEqual([['debt', 3, -3]]);
  });

  it('owes more each time', async () => {
    const external_id = newPerson();
    await overdraw(external_id, 3);
    expect((await overdraw(external_id, 4)).body).toMatchObject({ balance: -7, owed: 4 });
  });

  it('takes each unit once when many come at once', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5);
    const answers = await sendTogether(4, () => overdraw(external_id, 2));
    expect(tally(answers)).toEqual({ 200: 4 });
    expect(answers.map(({ body }) => [body.balance, body.owed]).sort(([a], [b]) => b - a)).toEqual([
      [3, 0],
      [1, 0],
      [-1, 1],
      [-3, 2],
    ]);
  });

  it('takes what is not valid yet last, the soonest first', async () => {
    const external_id = newPerson();
    const later = await grantUnits(app, external_id, 'STAR', 3, { valid_from: '2026-03-01T00:00:00Z', priority: -9 });
    const sooner = await grantUnits(app, external_id, 'STAR', 3, { valid_from: '2026-02-01T00:00:00Z' });
    const now = await grantUnits(app, external_id, 'STAR', 2, { priority: 9 });
    const { body } = await overdraw(external_id, 6);
    expect(body).toMatchObject({ balance: 0, upcoming: 2, owed: 0 });
    expect(body.taken).toEqual([
      { batch_id: now, product_key: 'STAR', amount: 2 },
      { batch_id: sooner, product_key: 'STAR', amount: 3 },
      { batch_id: later, product_key: 'STAR', amount: 1 },
    ]);
    expect(await batchOf(app, external_id, later)).toMatchObject({ available: 2, consumed: 1, state: 'pending' });
  });

  it('owes only what all of them lack', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 3, { valid_from: '2026-02-01T00:00:00Z' });
    await grantUnits(app, external_id, 'STAR', 2);
    expect((await overdraw(external_id, 9)).body).toMatchObject({ balance: -4, owed: 4 });
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: -4 });
  });

  it('takes of as many batches as there are', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 40; made += 1) await grantUnits(app, external_id, 'STAR', 1);
    const pending = { valid_from: '2026-02-01T00:00:00Z' };
    for (let made = 0; made < 40; made += 1) await grantUnits(app, external_id, 'STAR', 1, pending);
    const { body } = await overdraw(external_id, 100);
    expect(body.taken).toHaveLength(80);
    expect(body).toMatchObject({ balance: -20, owed: 20 });
  });

  it('does not take what is held', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 5);
    await hold(app, external_id, 'STAR', 4);
    expect((await overdraw(external_id, 3)).body).toMatchObject({ taken: [{ amount: 1 }], owed: 2, balance: -2 });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 0, held: 4, consumed: 1 });
  });

  it('does not take what has ended, which expires before', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5, { expires_at: '2026-02-01T00:00:00Z' });
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect((await overdraw(external_id, 3)).body).toMatchObject({ taken: [], owed: 3, balance: -3 });
    expect(await ledgerOf(app, external_id)).toEqual([
      ['grant', 5, 5],
      ['expire', 5, 0],
      ['debt', 3, -3],
    ]);
  });

  it('owes no more than can be counted', async () => {
    const external_id = newPerson();
    await overdraw(external_id, Number.MAX_SAFE_INTEGER);
    const written = await writtenBy(app, async () => {
      expectProblem(await overdraw(external_id, 1), 409, 'quantity_too_large', '/amount');
    });
    expect(written).toEqual({});
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: -Number.MAX_SAFE_INTEGER });
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/credits/deduct',
      body: { external_id: newPerson(), product_key: 'STAR', amount: 2, allow_negative: true },
      other: { amount: 3 },
    }));
  });
});

describe('whoever owes', () => {
  async function debtor(): Promise<string> {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 4);
    await overdraw(external_id, 10);
    return external_id;
  }

  it('has a negative balance in the wallet, and nothing to use', async () => {
    const external_id = await debtor();
    expect(await walletOf(app, external_id)).toMatchObject({
      balances: { STAR: -6 },
      held: {},
      features: { shine: { can_use: false, remaining: 0 } },
    });
    expect(await creditsOf(external_id)).toMatchObject({ balance: -6, available: 0, held: 0, owed: 6 });
  });

  it.each(['product_key=STAR', 'feature=shine'])('has none remaining for a paywall: %s', async (subject) => {
    const answer = await app.get(`/balance?external_id=${await debtor()}&${subject}`);
    expect(answer.body).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
  });

  it.each([
    ['/credits/deduct', { product_key: 'STAR', amount: 1 }],
    ['/quota/consume', { product_key: 'STAR' }],
    ['/quota/consume', { feature: 'shine' }],
    ['/reservations', { product_key: 'STAR' }],
  ])('can take no more by %s with %j', async (path, body) => {
    const external_id = await debtor();
    const written = await writtenBy(app, async () => {
      const answer = await app.post(path, { external_id, ...body });
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({ requested: 1, available: 0 });
    });
    expect(written).toEqual({});
  });

  it('cannot commit an excess, but what is held', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 4);
    const { id } = await hold(app, external_id, 'STAR', 4);
    await overdraw(external_id, 1);
    const excess = await app.post(`/reservations/${id}/commit`, { amount: 5, allow_excess: true });
    expectProblem(excess, 402, 'insufficient_quota');
    expect((await app.post(`/reservations/${id}/commit`)).body).toMatchObject({ committed_amount: 4, remaining: 0 });
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: -1 });
  });

  it('owes nothing of another product', async () => {
    await putProduct(app, 'COIN', { is_currency: true });
    const external_id = await debtor();
    await grantUnits(app, external_id, 'COIN', 3);
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: -6, COIN: 3 });
  });
});
