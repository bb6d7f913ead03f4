// What is given without payment. Trials and the other grant types have tests of their own.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'GONE');
  await putOffer(app, 'BUNDLE', 'CREDITS', 1, {
    items: [
      { product_key: 'CREDITS', quantity: 10, period_unit: 'days', period_value: 7, priority: 2 },
      { product_key: 'ACCESS', period_unit: 'days', period_value: 1 },
    ],
  });
  await putOffer(app, 'RETIRED', 'CREDITS', 1, { is_active: false });
  await putOffer(app, 'GIVES_GONE', 'GONE', 1);
  await putOffer(app, 'NOTHING', 'CREDITS', 1, { items: [] });
  await putOffer(app, 'HUGE', 'CREDITS', Number.MAX_SAFE_INTEGER);
  await putProduct(app, 'GONE', { is_active: false });
});

const bonus = (external_id: string, more: Json) => app.post('/grants', { external_id, grant_type: 'bonus', ...more });

describe('POST /grants of a bonus', () => {
  it('gives units of a product, at once and for ever', async () => {
    const external_id = newPerson();
    const answer = await bonus(external_id, {
      product_key: 'credits',
      quantity: 10,
      reason: 'welcome',
      metadata: { campaign: 7 },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      grant_type: 'bonus',
      operation_id: expect.any(String),
      products: ['CREDITS'],
      metadata: { campaign: 7 },
    });
    expect(answer.body.batches).toEqual([
      {
        id: expect.any(String),
        product_key: 'CREDITS',
        source: 'bonus',
        sku: null,
        order_id: null,
        order_item_id: null,
        subscription_id: null,
        granted: 10,
        available: 10,
        held: 0,
        consumed: 0,
        expired: 0,
        revoked: 0,
        transferred: 0,
        priority: 0,
        valid_from: '2026-01-31T12:00:00.000Z',
        expires_at: null,
        state: 'active',
        created_at: '2026-01-31T12:00:00.000Z',
        metadata: { campaign: 7, reason: 'welcome' },
      },
    ]);
    const entries = await app.get(`/wallet/entries?external_id=${external_id}`);
    expect(entries.body.data).toMatchObject([
      { kind: 'grant', direction: 'credit', amount: 10, balance_after: 10, operation_id: answer.body.operation_id },
    ]);
  });

  it('gives units with a validity and priority of their own', async () => {
    const more = { priority: -3, valid_from: '2026-02-01T01:00:00+01:00', expires_at: '2026-02-02T00:00:00Z' };
    const answer = await bonus(newPerson(), { product_key: 'CREDITS', ...more });
    expect(answer.body.batches).toMatchObject([
      {
        granted: 1,
        priority: -3,
        valid_from: '2026-02-01T00:00:00.000Z',
        expires_at: '2026-02-02T00:00:00.000Z',
        state: 'pending',
      },
    ]);
  });

  it('begins now when it was to begin in the past', async () => {
    const answer = await bonus(newPerson(), { product_key: 'CREDITS', valid_from: '2020-01-01T00:00:00Z' });
    expect(answer.body.batches[0].valid_from).toBe('2026-01-31T12:00:00.000Z');
  });

  it('gives what an offer gives, as often as it says', async () => {
    const answer = await bonus(newPerson(), { sku: 'bundle', quantity: 2 });
    expect(answer.body.products).toEqual(['CREDITS', 'ACCESS']);
    expect(answer.body.batches).toMatchObject([
      { sku: 'BUNDLE', granted: 20, priority: 2, expires_at: '2026-02-07T12:00:00.000Z' },
      { sku: 'BUNDLE', granted: null, expires_at: '2026-02-02T12:00:00.000Z' },
    ]);
  });

  it('writes batches, balances and entries with one operation', async () => {
    const external_id = newPerson();
    const written = await writtenBy(app, () => bonus(external_id, { sku: 'BUNDLE' }));
    expect(written).toEqual({ customers: 1, identities: 1, operations: 1, batches: 2, balances: 1, entries: 2 });
  });

  it('gives twice when two come at once without a key', async () => {
    const external_id = newPerson();
    await Promise.all([1, 2].map(() => bonus(external_id, { product_key: 'CREDITS', quantity: 5 })));
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.balances).toEqual({ CREDITS: 10 });
  });

  it.each([
    ['a sku that nobody made', { sku: 'X' }, 404, 'offer_not_found', '/sku'],
    ['a retired offer', { sku: 'RETIRED' }, 409, 'offer_inactive', '/sku'],
    ['an offer of an inactive product', { sku: 'GIVES_GONE' }, 409, 'product_inactive', '/sku'],
    ['an offer that gives nothing', { sku: 'NOTHING' }, 400, 'invalid_request', '/sku'],
    ['a product that nobody made', { product_key: 'X' }, 404, 'product_not_found', '/product_key'],
    ['an inactive product', { product_key: 'GONE' }, 409, 'product_inactive', '/product_key'],
    ['a quantity of access', { product_key: 'ACCESS', quantity: 2 }, 400, 'invalid_request', '/quantity'],
    ['more than a number can say', { sku: 'HUGE', quantity: 2 }, 409, 'quantity_too_large', '/quantity'],
    [
      'an end in the past',
      { product_key: 'CREDITS', expires_at: '2026-01-31T12:00:00Z' },
      400,
      'invalid_request',
      '/expires_at',
    ],
    [
      'an end before the beginning',
      { product_key: 'CREDITS', valid_from: '2026-03-02T00:00:00Z', expires_at: '2026-03-01T00:00:00Z' },
      400,
      'invalid_request',
      '/expires_at',
    ],
  ] as const)('refuses %s, and writes only the customer', async (_case, more, status, code, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await bonus(newPerson(), more), status, code, pointer);
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('refuses what the balance could not hold beside what is there', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', Number.MAX_SAFE_INTEGER);
    const written = await writtenBy(app, async () => {
      const answer = await bonus(external_id, { product_key: 'CREDITS', quantity: 1 });
      expectProblem(answer, 409, 'quantity_too_large', '/quantity');
    });
    expect(written).toEqual({});
  });

  it.each([
    ['neither sku nor product', {}, '/sku'],
    ['both sku and product', { sku: 'BUNDLE', product_key: 'CREDITS' }, '/sku'],
    ['a type that does not exist', { grant_type: 'gift', sku: 'BUNDLE' }, '/grant_type'],
    ['no type', { grant_type: undefined, sku: 'BUNDLE' }, '/grant_type'],
    ['a quantity of 0', { product_key: 'CREDITS', quantity: 0 }, '/quantity'],
    ['a quantity with a fraction', { product_key: 'CREDITS', quantity: 0.1 }, '/quantity'],
    ['an instant without an offset', { product_key: 'CREDITS', expires_at: '2026-03-01T00:00:00' }, '/expires_at'],
    ['a date that there is not', { product_key: 'CREDITS', expires_at: '2026-02-30' }, '/expires_at'],
    ['a number for an instant', { product_key: 'CREDITS', expires_at: 1_772_323_200 }, '/expires_at'],
    ['a priority with a fraction', { product_key: 'CREDITS', priority: 0.5 }, '/priority'],
    ['an end of its own for an offer', { sku: 'BUNDLE', expires_at: '2026-03-01T00:00:00Z' }, '/expires_at'],
    ['a beginning of its own for an offer', { sku: 'BUNDLE', valid_from: '2026-03-01T00:00:00Z' }, '/valid_from'],
    ['a priority of its own for an offer', { sku: 'BUNDLE', priority: 1 }, '/priority'],
  ])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await bonus(newPerson(), more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/grants',
      body: { external_id: newPerson(), grant_type: 'bonus', product_key: 'CREDITS', quantity: 5 },
      other: { quantity: 6 },
    }));
  });
});
