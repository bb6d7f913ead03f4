// Exchange: units of a currency product against an offer, in one operation or not at all.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { buy, expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'PREDICTION');
  await putProduct(app, 'GONE');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  const inStars = (price: string, more: Json = {}) => ({ price, currency: 'STAR', ...more });
  await putOffer(app, 'GET_PREDICTION', 'PREDICTION', 1, inStars('1'));
  await putOffer(app, 'DEAR', 'PREDICTION', 10, inStars('5'));
  await putOffer(app, 'BUNDLE', 'PREDICTION', 1, {
    ...inStars('2'),
    items: [
      { product_key: 'PREDICTION', quantity: 3, period_unit: 'days', period_value: 1, priority: 7 },
      { product_key: 'ACCESS', period_unit: 'days', period_value: 30 },
    ],
  });
  await putOffer(app, 'CHANGE', 'STAR', 5, inStars('2'));
  await putOffer(app, 'FOR_NOTHING', 'PREDICTION', 1, inStars('0'));
  await putOffer(app, 'GIVES_NOTHING', 'PREDICTION', 1, inStars('1', { items: [] }));
  await putOffer(app, 'RETIRED', 'PREDICTION', 1, inStars('1', { is_active: false }));
  await putOffer(app, 'GIVES_GONE', 'GONE', 1, inStars('1'));
  await putOffer(app, 'EVER', 'LIFETIME', 1, inStars('1'));
  await putOffer(app, 'HUGE', 'PREDICTION', Number.MAX_SAFE_INTEGER, inStars('1'));
  await putOffer(app, 'FOR_MONEY', 'PREDICTION', 1);
  await putOffer(app, 'STARS_10', 'STAR', 10);
  await putProduct(app, 'GONE', { is_active: false });
});

const exchange = (external_id: string, sku: string, more: Json = {}) =>
  app.post('/exchange', { external_id, sku, ...more });

async function personWith(stars: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'STAR', stars);
  return external_id;
}

describe('POST /exchange', () => {
  it('spends the price and grants the offer', async () => {
    const external_id = await personWith(8);
    const answer = await exchange(external_id, 'dear', { metadata: { button: 'exchange' } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      allowed: true,
      operation_id: expect.any(String),
      spent: { product_key: 'STAR', amount: 5 },
      balances: { STAR: 3, PREDICTION: 10 },
      upcoming: {},
      metadata: { button: 'exchange' },
    });
    expect(answer.body.batches).toMatchObject([
      { product_key: 'PREDICTION', source: 'exchange', sku: 'DEAR', order_id: null, granted: 10, available: 10 },
    ]);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ STAR: 3, PREDICTION: 10 });
  });

  it('links both legs by their operation', async () => {
    const external_id = await personWith(1);
    const { body } = await exchange(external_id, 'GET_PREDICTION', { metadata: { from: 'bot' } });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&operation_id=${body.operation_id}`);
    const legs = entries.body.data.map((entry: Json) => [
      entry.kind,
      entry.product_key,
      entry.action_type,
      entry.metadata,
    ]);
    expect(legs).toEqual([
      ['grant', 'PREDICTION', 'exchange', { from: 'bot' }],
      ['consume', 'STAR', 'exchange', { from: 'bot' }],
    ]);
  });

  it('writes one operation for all legs', async () => {
    const external_id = await personWith(3);
    const written = await writtenBy(app, () => exchange(external_id, 'BUNDLE'));
    expect(written).toEqual({ customers: 0, operations: 1, batches: 2, balances: 1, entries: 3 });
  });

  it('grants with the validity and priority of the offer, access too', async () => {
    const { body } = await exchange(await personWith(2), 'BUNDLE');
    expect(body.batches).toMatchObject([
      { product_key: 'PREDICTION', granted: 3, priority: 7, expires_at: '2026-02-01T12:00:00.000Z' },
      { product_key: 'ACCESS', granted: null, expires_at: '2026-03-02T12:00:00.000Z' },
    ]);
    expect(body.balances).toEqual({ STAR: 0, PREDICTION: 3 });
  });

  it('spends in the order of use, over several batches', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 3, { priority: 1 });
    await grantUnits(app, external_id, 'STAR', 3);
    const { body } = await exchange(external_id, 'DEAR');
    const legs = await app.get(
      `/wallet/entries?external_id=${external_id}&operation_id=${body.operation_id}&kind=consume`,
    );
    expect(legs.body.data.map((entry: Json) => entry.amount)).toEqual([2, 3]);
  });

  it('gives change in the same currency', async () => {
    const { body } = await exchange(await personWith(2), 'CHANGE');
    expect(body).toMatchObject({ spent: { product_key: 'STAR', amount: 2 }, balances: { STAR: 5 } });
  });

  it('does not pay with what it gives', async () => {
    expectProblem(await exchange(await personWith(1), 'CHANGE'), 402, 'insufficient_quota');
  });

  it('spends units of a currency that is no longer active', async () => {
    await putProduct(app, 'OLD_STAR', { is_currency: true });
    await putOffer(app, 'FOR_OLD', 'PREDICTION', 1, { price: '1', currency: 'OLD_STAR' });
    const external_id = newPerson();
    await grantUnits(app, external_id, 'OLD_STAR', 1);
    await putProduct(app, 'OLD_STAR', { is_currency: true, is_active: false });
    expect((await exchange(external_id, 'FOR_OLD')).status).toBe(200);
  });

  it('takes nothing from who has too little, and says what would help', async () => {
    const external_id = await personWith(4);
    const written = await writtenBy(app, async () => {
      const answer = await exchange(external_id, 'DEAR');
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({
        requested: 5,
        available: 4,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['STARS_10'],
      });
    });
    expect(written).toEqual({});
  });

  it('creates a customer on first sight, who has nothing to spend', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await exchange(newPerson(), 'GET_PREDICTION'), 402, 'insufficient_quota');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('lets one of two through when there is enough for one', async () => {
    const external_id = await personWith(9);
    const answers = await Promise.all([1, 2].map(() => exchange(external_id, 'DEAR')));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 402]);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ STAR: 4, PREDICTION: 10 });
  });

  it.each([
    ['an offer sold for money', 'FOR_MONEY', 409, 'offer_not_exchangeable'],
    ['an offer without items', 'GIVES_NOTHING', 409, 'offer_not_exchangeable'],
    ['an offer of price 0', 'FOR_NOTHING', 409, 'offer_not_exchangeable'],
    ['a retired offer', 'RETIRED', 409, 'offer_inactive'],
    ['an offer that gives an inactive product', 'GIVES_GONE', 409, 'product_inactive'],
    ['an offer that nobody made', 'NOSUCH', 404, 'offer_not_found'],
  ] as const)('refuses %s, and spends nothing', async (_case, sku, status, code) => {
    const external_id = await personWith(9);
    const written = await writtenBy(app, async () => {
      expectProblem(await exchange(external_id, sku), status, code, '/sku');
    });
    expect(written).toEqual({});
  });

  it('refuses to sell access for ever to who has it', async () => {
    const external_id = await personWith(2);
    await exchange(external_id, 'EVER');
    expectProblem(await exchange(external_id, 'EVER'), 409, 'already_unlimited', '/sku');
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances.STAR).toBe(1);
  });

  it('refuses what the balance could not hold beside what is there', async () => {
    const external_id = await personWith(2);
    await exchange(external_id, 'GET_PREDICTION');
    expectProblem(await exchange(external_id, 'HUGE'), 409, 'quantity_too_large', '/sku');
    expect((await app.get(`/wallet?external_id=${external_id}`)).body.balances).toEqual({ STAR: 1, PREDICTION: 1 });
  });

  it('does not know a customer id that nobody has', async () => {
    const customer_id = '01900000-0000-7000-8000-000000000000';
    const answer = await app.post('/exchange', { customer_id, sku: 'GET_PREDICTION' });
    expectProblem(answer, 404, 'customer_not_found', '/customer_id');
  });

  it('refuses selectors that name two customers', async () => {
    const { body } = await app.post('/identify', { external_id: newPerson() });
    const answer = await exchange(newPerson(), 'GET_PREDICTION', { customer_id: body.customer_id });
    expectProblem(answer, 409, 'selector_conflict', '/external_id');
  });

  it('is the only way to an offer priced in a currency product', async () => {
    const answer = await app.post('/orders', { external_id: newPerson(), items: [{ sku: 'GET_PREDICTION' }] });
    expectProblem(answer, 409, 'offer_exchange_only', '/items/0/sku');
  });

  it('spends what was bought', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'STARS_10');
    expect((await exchange(external_id, 'DEAR')).body.balances).toEqual({ STAR: 5, PREDICTION: 10 });
  });

  it.each<[string, Json, string]>([
    ['no SKU', { sku: undefined }, '/sku'],
    ['a SKU of null', { sku: null }, '/sku'],
    ['a SKU with blanks', { sku: 'GET PREDICTION' }, '/sku'],
    ['metadata that is text', { metadata: 'x' }, '/metadata'],
    ['another way to refuse', { on_refusal: '' }, '/on_refusal'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
    ['nobody', { external_id: undefined }, '/customer_id'],
    ['an empty external id', { external_id: ' ' }, '/external_id'],
  ])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await exchange(newPerson(), 'GET_PREDICTION', more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/exchange',
      body: { external_id: await personWith(9), sku: 'GET_PREDICTION' },
      other: { sku: 'DEAR' },
    }));
  });

  itNeedsAToken(app, 'post', '/exchange');
});
