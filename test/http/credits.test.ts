// Credits as plain amounts of a currency product: added, deducted, read, and listed as they end. What is owed is tested in debt.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, walletOf } from '../support/holdings.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { customerIdOf, sendTogether, tally } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
/** The clock stands here when a test begins. */
const NOW = '2026-01-31T12:00:00.000Z';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'PLAIN');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'OLD_STAR', { is_currency: true, is_active: false });
  await putOffer(app, 'STARS_10', 'STAR', 10);
});

const add = (external_id: string, amount: unknown, more: Json = {}) =>
  app.post('/credits/add', { external_id, product_key: 'STAR', amount, ...more });
const deduct = (external_id: string, amount: unknown, more: Json = {}) =>
  app.post('/credits/deduct', { external_id, product_key: 'STAR', amount, ...more });

async function personWith(stars: number): Promise<string> {
  const external_id = newPerson();
  expect((await add(external_id, stars)).status).toBe(201);
  return external_id;
}

/** What both ways of moving credits refuse before they look at the customer. */
const malformed: [string, Json, string][] = [
  ['no product', { product_key: undefined }, '/product_key'],
  ['a product key with blanks', { product_key: 'MY STAR' }, '/product_key'],
  ['no amount', { amount: undefined }, '/amount'],
  ['an amount of 0', { amount: 0 }, '/amount'],
  ['a negative amount', { amount: -5 }, '/amount'],
  ['an amount with a fraction', { amount: 0.5 }, '/amount'],
  ['an amount that is text', { amount: 'five' }, '/amount'],
  ['an amount above 2^53-1', { amount: 9007199254740992 }, '/amount'],
  ['an empty description', { description: ' ' }, '/description'],
  ['a description of 501 characters', { description: 'd'.repeat(501) }, '/description'],
  ['a description that is a number', { description: 7 }, '/description'],
  ['a description beside one in the metadata', { description: 'a', metadata: { description: 'a' } }, '/metadata'],
  ['metadata that is text', { metadata: 'x' }, '/metadata'],
  ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
  ['nobody', { external_id: undefined }, '/customer_id'],
];

/** What both refuse of whom or what is named. */
const misnamed = [
  ['a product that nobody made', { product_key: 'NOSUCH' }, 404, 'product_not_found', '/product_key'],
  ['a product that is no currency', { product_key: 'PLAIN' }, 409, 'product_not_currency', '/product_key'],
  ['access', { product_key: 'ACCESS' }, 409, 'product_not_currency', '/product_key'],
  [
    'a customer id that nobody has',
    { external_id: undefined, customer_id: UNKNOWN_ID },
    404,
    'customer_not_found',
    '/customer_id',
  ],
] as const;

describe('POST /credits/add', () => {
  it('adds one batch, for ever, and says what the balance is', async () => {
    const external_id = newPerson();
    const answer = await add(external_id, 10, { product_key: 'star', metadata: { campaign: 7 } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      operation_id: expect.any(String),
      product_key: 'STAR',
      amount: 10,
      balance: 10,
      upcoming: 0,
      metadata: { campaign: 7 },
      batch_id: expect.any(String),
      repaid: 0,
    });
    expect(await batchOf(app, external_id, answer.body.batch_id)).toMatchObject({
      product_key: 'STAR',
      source: 'bonus',
      granted: 10,
      available: 10,
      priority: 0,
      valid_from: NOW,
      expires_at: null,
      metadata: { campaign: 7 },
    });
  });

  it('adds to what is there', async () => {
    const external_id = await personWith(10);
    expect((await add(external_id, 5)).body.balance).toBe(15);
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: 15 });
  });

  it('tells the ledger what it was for, in the metadata', async () => {
    const external_id = newPerson();
    const { body } = await add(external_id, 10, { description: ' welcome gift ', metadata: { campaign: 7 } });
    expect(body.metadata).toEqual({ campaign: 7, description: 'welcome gift' });
    expect(await entriesOf(app, external_id)).toMatchObject([
      {
        kind: 'grant',
        direction: 'credit',
        amount: 10,
        balance_after: 10,
        batch_id: body.batch_id,
        operation_id: body.operation_id,
        action_type: 'credits.add',
        metadata: body.metadata,
      },
    ]);
  });

  it('takes a description in the metadata alone', async () => {
    const { body } = await add(newPerson(), 10, { metadata: { description: 'gift' } });
    expect(body.metadata).toEqual({ description: 'gift' });
  });

  it('lets them end at an instant', async () => {
    const external_id = newPerson();
    const expires_at = '2026-02-01T00:00:00.000Z';
    const { body } = await add(external_id, 10, { expires_at });
    expect(await batchOf(app, external_id, body.batch_id)).toMatchObject({ expires_at });
    app.clock.set(expires_at);
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: 0 });
  });

  it('lets them last when the end is null', async () => {
    const external_id = newPerson();
    const { body } = await add(external_id, 10, { expires_at: null });
    expect(await batchOf(app, external_id, body.batch_id)).toMatchObject({ expires_at: null });
  });

  it.each([NOW, '2020-01-01T00:00:00Z'])('refuses an end that is not in the future: %s', async (expires_at) => {
    const external_id = await personWith(1);
    const written = await writtenBy(app, async () => {
      expectProblem(await add(external_id, 10, { expires_at }), 400, 'invalid_request', '/expires_at');
    });
    expect(written).toEqual({});
  });

  it('refuses an end that is no instant', async () => {
    expectProblem(await add(newPerson(), 10, { expires_at: 'soon' }), 400, 'invalid_request', '/expires_at');
  });

  it('does not add credits of a product that is no longer active', async () => {
    const external_id = await personWith(1);
    const written = await writtenBy(app, async () => {
      const answer = await add(external_id, 10, { product_key: 'OLD_STAR' });
      expectProblem(answer, 409, 'product_inactive', '/product_key');
    });
    expect(written).toEqual({});
  });

  it('refuses what the balance could not hold beside what is there', async () => {
    const external_id = await personWith(1);
    const written = await writtenBy(app, async () => {
      expectProblem(await add(external_id, Number.MAX_SAFE_INTEGER), 409, 'quantity_too_large', '/amount');
    });
    expect(written).toEqual({});
    expect((await add(external_id, Number.MAX_SAFE_INTEGER - 1)).body.balance).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('adds all that come at once', async () => {
    const external_id = newPerson();
    const answers = await sendTogether(5, () => add(external_id, 2));
    expect(answers.map(({ body }) => body.balance).sort((a, b) => a - b)).toEqual([2, 4, 6, 8, 10]);
  });

  it.each(malformed)('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await add(newPerson(), 1, more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it.each(misnamed)('refuses %s', async (_case, more, status, code, pointer) => {
    expectProblem(await add(newPerson(), 1, more), status, code, pointer);
  });

  it('refuses selectors that name two customers', async () => {
    const customer_id = await customerIdOf(app, newPerson());
    expectProblem(await add(newPerson(), 1, { customer_id }), 409, 'selector_conflict', '/external_id');
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/credits/add',
      body: { external_id: newPerson(), product_key: 'STAR', amount: 2, description: 'gift' },
      other: { description: 'another gift' },
    }));
  });

  itNeedsAToken(app, 'post', '/credits/add');
});

describe('POST /credits/deduct', () => {
  it('takes credits and says what the balance is', async () => {
    const external_id = newPerson();
    const { batch_id } = (await add(external_id, 10)).body;
    const answer = await deduct(external_id, 3, { product_key: 'star', metadata: { job: 1 } });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      allowed: true,
      operation_id: expect.any(String),
      product_key: 'STAR',
      amount: 3,
      balance: 7,
      warnings: [],
      upcoming: 0,
      taken: [{ batch_id, product_key: 'STAR', amount: 3 }],
      owed: 0,
      metadata: { job: 1 },
    });
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: 7 });
  });

  it('takes of the batches that are used first, one entry for each, and tells what it was for', async () => {
    const external_id = newPerson();
    const last = await grantUnits(app, external_id, 'STAR', 5);
    const first = await grantUnits(app, external_id, 'STAR', 2, { priority: -1 });
    const { body } = await deduct(external_id, 4, { description: 'a long job', metadata: { job: 1 } });
    expect(body.taken).toMatchObject([
      { batch_id: first, amount: 2 },
      { batch_id: last, amount: 2 },
    ]);
    const told = {
      kind: 'consume',
      direction: 'debit',
      amount: 2,
      operation_id: body.operation_id,
      action_type: 'credits.deduct',
      metadata: { job: 1, description: 'a long job' },
    };
    expect((await entriesOf(app, external_id)).slice(2)).toMatchObject([
      { ...told, batch_id: first, balance_after: 5 },
      { ...told, batch_id: last, balance_after: 3 },
    ]);
  });

  it('takes all or nothing, and says what would help', async () => {
    const external_id = await personWith(2);
    const written = await writtenBy(app, async () => {
      const answer = await deduct(external_id, 3);
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({
        requested: 3,
        available: 2,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['STARS_10'],
      });
    });
    expect(written).toEqual({});
  });

  it('creates a customer on first sight, who has nothing to take', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await deduct(newPerson(), 1), 402, 'insufficient_quota');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('takes neither what is held nor what is not valid yet', async () => {
    const external_id = await personWith(5);
    await hold(app, external_id, 'STAR', 2);
    await grantUnits(app, external_id, 'STAR', 9, { valid_from: '2026-02-01T00:00:00Z' });
    const answer = await deduct(external_id, 4);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body.available).toBe(3);
    expect((await deduct(external_id, 3)).body).toMatchObject({ balance: 0, upcoming: 9 });
  });

  it('takes no more than there is when many come at once', async () => {
    const external_id = await personWith(7);
    const answers = await sendTogether(5, () => deduct(external_id, 2));
    expect(tally(answers)).toEqual({ 200: 3, '402 insufficient_quota': 2 });
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: 1 });
  });

  it('takes credits of a product that is no longer active', async () => {
    await putProduct(app, 'FADING', { is_currency: true });
    const external_id = newPerson();
    await grantUnits(app, external_id, 'FADING', 2);
    await putProduct(app, 'FADING', { is_currency: true, is_active: false });
    expect((await deduct(external_id, 2, { product_key: 'FADING' })).body.balance).toBe(0);
  });

  it('answers a shortage as a verdict when it is asked to', async () => {
    const external_id = await personWith(2);
    const { type: _type, status: _status, instance: _instance, ...members } = (await deduct(external_id, 3)).body;
    const answer = await deduct(external_id, 3, { on_refusal: 'verdict' });
    expect([answer.status, answer.body]).toEqual([200, { allowed: false, ...members }]);
  });

  it.each([
    ...malformed,
    ['a wish for debt that is text', { allow_negative: 'yes' }, '/allow_negative'],
    ['another way to refuse', { on_refusal: 'silence' }, '/on_refusal'],
  ] as [string, Json, string][])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await deduct(newPerson(), 1, more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it.each(misnamed)('refuses %s', async (_case, more, status, code, pointer) => {
    expectProblem(await deduct(newPerson(), 1, more), status, code, pointer);
    expectProblem(await deduct(newPerson(), 1, { ...more, allow_negative: true }), status, code, pointer);
  });

  it('refuses selectors that name two customers', async () => {
    const customer_id = await customerIdOf(app, newPerson());
    expectProblem(await deduct(newPerson(), 1, { customer_id }), 409, 'selector_conflict', '/external_id');
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/credits/deduct',
      body: { external_id: await personWith(10), product_key: 'STAR', amount: 2 },
      other: { allow_negative: true },
    }));

    it('does not remember a refusal', async () => {
      const external_id = await personWith(1);
      expectProblem(await deduct(external_id, 2, { idempotency_key: 'k' }), 402, 'insufficient_quota');
      await add(external_id, 1);
      expect((await deduct(external_id, 2, { idempotency_key: 'k' })).body.balance).toBe(0);
    });
  });

  itNeedsAToken(app, 'post', '/credits/deduct');
});
