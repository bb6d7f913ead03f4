// Management of offers.
import { beforeAll, describe, expect, it } from 'vitest';
import { openapiText } from '../../src/http/openapi.js';
import { putProduct, useTestApp } from '../support/app.js';
import { expectProblem, writtenBy } from '../support/requests.js';

const app = useTestApp();
const offer = { name: 'Pack', price: '9.99', currency: 'USD', items: [{ product_key: 'CREDITS', quantity: 100 }] };
const withItem = (more: Record<string, unknown>) => ({ ...offer, items: [{ product_key: 'CREDITS', ...more }] });
const access = (more: Record<string, unknown>) => ({ ...offer, items: [{ product_key: 'ACCESS', ...more }] });

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'GONE', { is_active: false });
});

describe('PUT /offers/{sku}', () => {
  it('creates an offer with defaults, its sku in upper case', async () => {
    const answer = await app.put('/offers/pack', offer);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      sku: 'PACK',
      price: '9.99',
      currency: 'USD',
      is_active: true,
      is_trial: false,
      trial_policy: null,
      trial_eligible: null,
      recurrence: null,
      plan_group: null,
      items: [
        { product_key: 'CREDITS', quantity: 100, period_unit: 'forever', period_value: null, stacking: 'parallel' },
      ],
    });
    expect({ ...(await app.get('/catalog/PACK')).body, warnings: [] }).toEqual(answer.body);
  });

  it('takes every member', async () => {
    const items = [
      { product_key: 'access', period_unit: 'months', period_value: 1, priority: 5, stacking: 'parallel' },
      { product_key: 'credits', quantity: 7, period_unit: 'days', period_value: 30, priority: -1 },
    ];
    const body = {
      ...offer,
      description: 'All of it',
      image: 'https://example.com/a.png',
      is_trial: true,
      trial_policy: { scope: 'offer' },
      recurrence: { unit: 'months', count: 1 },
      plan_group: 'main',
      metadata: { shelf: 1 },
      items,
    };
    const answer = await app.put('/offers/PLAN', body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      ...body,
      items: [
        { ...items[0], product_key: 'ACCESS', quantity: 1 },
        { ...items[1], product_key: 'CREDITS', stacking: 'parallel' },
      ],
    });
  });

  it('extends access unless told otherwise', async () => {
    const answer = await app.put('/offers/MONTH', access({ period_unit: 'months', period_value: 1 }));
    expect(answer.body.items[0].stacking).toBe('extend');
  });

  it('puts a plan into the group `default`', async () => {
    const answer = await app.put('/offers/PLAIN_PLAN', { ...offer, recurrence: { unit: 'years', count: 1 } });
    expect(answer.body.plan_group).toBe('default');
  });

  it('replaces the whole offer', async () => {
    await app.put('/offers/REPLACED', { ...offer, description: 'old', metadata: { a: 1 } });
    const answer = await app.put('/offers/REPLACED', { ...offer, name: 'New', items: [] });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ name: 'New', description: '', metadata: {}, items: [] });
  });

  it('keeps the order of its items', async () => {
    const items = ['CREDITS', 'ACCESS', 'CREDITS'].map((product_key, index) => ({ product_key, priority: index }));
    const answer = await app.put('/offers/ORDERED', { ...offer, items });
    expect(answer.body.items.map((item: { priority: number }) => item.priority)).toEqual([0, 1, 2]);
    expect((await app.get('/catalog/ORDERED')).body.items).toEqual(answer.body.items);
  });

  it.each([
    ['9.9', 'USD', '9.90'],
    ['9.990000', 'USD', '9.99'],
    ['5', 'USD', '5.00'],
    ['500', 'JPY', '500'],
    ['1999.50', 'HUF', '1999.50'],
    ['0.125', 'IQD', '0.125'],
    ['1.2345', 'CLF', '1.2345'],
    ['1.234', 'KWD', '1.234'],
    ['3', 'XTR', '3'],
    ['3.000', 'XTR', '3'],
    ['2', 'STAR', '2'],
    ['0', 'USD', '0.00'],
    ['9.99', 'usd', '9.99'],
  ])('gives a price of %s %s as %s', async (price, currency, shown) => {
    const answer = await app.put('/offers/PRICED', { ...offer, price, currency });
    expect(answer.body.price).toBe(shown);
  });

  it('creates once when two come at once', async () => {
    const answers = await Promise.all([1, 2].map(() => app.put('/offers/TWICE', offer)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 201]);
    expect(answers[1]?.body).toEqual(answers[0]?.body);
  });

  it.each([
    ['another sku in the body', { ...offer, sku: 'OTHER' }, '/sku'],
    ['no price', { ...offer, price: undefined }, '/price'],
    ['a price that is a number', { ...offer, price: 9.99 }, '/price'],
    ['a negative price', { ...offer, price: '-1' }, '/price'],
    ['a price with an exponent', { ...offer, price: '1e3' }, '/price'],
    ['too many decimals for USD', { ...offer, price: '9.999' }, '/price'],
    ['decimals of JPY', { ...offer, price: '1.5', currency: 'JPY' }, '/price'],
    ['decimals of XTR', { ...offer, price: '0.5', currency: 'XTR' }, '/price'],
    ['decimals of a currency product', { ...offer, price: '0.5', currency: 'STAR' }, '/price'],
    ['a currency that nobody knows', { ...offer, currency: 'ZZZZ' }, '/currency'],
    ['a product that is no currency', { ...offer, currency: 'CREDITS' }, '/currency'],
    ['a field that it does not know', { ...offer, colour: 'red' }, '/colour'],
    ['an unknown field of an item', withItem({ colour: 'red' }), '/items/0/colour'],
    ['an unknown field of a trial policy', { ...offer, trial_policy: { scope: 'any', days: 3 } }, '/trial_policy/days'],
    ['a scope that does not exist', { ...offer, trial_policy: { scope: 'all' } }, '/trial_policy/scope'],
    ['items that are no list', { ...offer, items: {} }, '/items'],
    ['a quantity of 0', withItem({ quantity: 0 }), '/items/0/quantity'],
    ['a quantity with a fraction', withItem({ quantity: 1.5 }), '/items/0/quantity'],
    ['a quantity above 2^53-1', withItem({ quantity: 9007199254740992 }), '/items/0/quantity'],
    ['a quantity of access', access({ quantity: 2 }), '/items/0/quantity'],
    ['a value of forever', withItem({ period_unit: 'forever', period_value: 1 }), '/items/0/period_value'],
    ['days without a value', withItem({ period_unit: 'days' }), '/items/0/period_value'],
    ['0 days', withItem({ period_unit: 'days', period_value: 0 }), '/items/0/period_value'],
    ['weeks', withItem({ period_unit: 'weeks', period_value: 1 }), '/items/0/period_unit'],
    ['counted units that extend', withItem({ stacking: 'extend' }), '/items/0/stacking'],
    ['a recurrence for ever', { ...offer, recurrence: { unit: 'forever', count: 1 } }, '/recurrence/unit'],
    ['a group without a recurrence', { ...offer, plan_group: 'main' }, '/plan_group'],
  ])('refuses %s, and writes nothing', async (_case, body, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.put('/offers/REFUSED', body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it('refuses a product that nobody made, and writes nothing', async () => {
    const items = [{ product_key: 'CREDITS' }, { product_key: 'NOBODY' }];
    const written = await writtenBy(app, async () => {
      const answer = await app.put('/offers/REFUSED', { ...offer, items });
      expectProblem(answer, 404, 'product_not_found', '/items/1/product_key');
    });
    expect(written).toEqual({});
  });

  it('refuses the name of a product', async () => {
    expectProblem(await app.put('/offers/credits', offer), 409, 'name_taken', 'path/sku');
  });

  it('refuses an item that names a sku', async () => {
    await app.put('/offers/A_SKU', offer);
    const answer = await app.put('/offers/REFUSED', { ...offer, items: [{ product_key: 'A_SKU' }] });
    expectProblem(answer, 404, 'product_not_found', '/items/0/product_key');
  });
});

describe('an offer that can’t be sold', () => {
  const BEYOND = { period_unit: 'years', period_value: 8_000 };
  const MOST = Number.MAX_SAFE_INTEGER;

  it.each<[string, object, object[]]>([
    ['that gives nothing', { items: [] }, [{ code: 'no_items', pointer: '/items' }]],
    ['that is free in credits', { price: '0', currency: 'STAR' }, [{ code: 'no_price', pointer: '/price' }]],
    [
      'with an item that would end after the year 9999',
      access(BEYOND),
      [{ code: 'quantity_too_large', pointer: '/items/0/period_value' }],
    ],
    [
      'with more units than can be counted',
      { items: [{ product_key: 'CREDITS', quantity: MOST }, { product_key: 'STAR' }, { product_key: 'CREDITS' }] },
      [{ code: 'quantity_too_large', pointer: '/items/2/quantity' }],
    ],
    [
      'of a product that is not active',
      { items: [{ product_key: 'CREDITS' }, { product_key: 'GONE' }] },
      [{ code: 'product_inactive', pointer: '/items/1/product_key' }],
    ],
    [
      'for several reasons',
      { price: '0', currency: 'STAR', items: [], is_active: false },
      [{ code: 'no_items' }, { code: 'no_price' }],
    ],
  ])('says so: one %s', async (_case, more, warnings) => {
    const answer = await app.put('/offers/UNSOLD', { ...offer, ...more });
    expect([200, 201], answer.text).toContain(answer.status);
    expect(answer.body.warnings).toEqual(
      warnings.map((warning) => ({ pointer: expect.any(String), message: expect.any(String), ...warning })),
    );
    expect((await app.get('/offers/UNSOLD')).body).not.toHaveProperty('warnings');
  });

  it.each([
    ['free in money, so often', { price: '0', max_per_customer: 1 }],
    ['for one credit', { price: '1', currency: 'STAR' }],
    ['with all the units that can be counted', withItem({ quantity: MOST })],
    ['of access twice', { items: [{ product_key: 'ACCESS' }, { product_key: 'ACCESS' }] }],
  ])('is not one that is %s', async (_case, more) => {
    expect((await app.put('/offers/SOLD', { ...offer, ...more })).body.warnings).toEqual([]);
  });

  it('is refused when it is ordered or exchanged', async () => {
    await app.put('/offers/ENDLESS', access(BEYOND));
    const order = await app.post('/orders', { external_id: 'a', items: [{ sku: 'ENDLESS' }] });
    expectProblem(order, 409, 'quantity_too_large');
    await app.put('/offers/FOR_NOTHING', { ...offer, price: '0', currency: 'STAR' });
    const exchange = await app.post('/exchange', { external_id: 'a', sku: 'FOR_NOTHING' });
    expectProblem(exchange, 409, 'offer_not_exchangeable');
  });
});

describe('the name of a route', () => {
  it.each(['EXPORT', 'import'])('%s is no SKU', async (sku) => {
    const written = await writtenBy(app, async () => {
      for (const is_active of [true, false]) {
        expectProblem(await app.put(`/offers/${sku}`, { ...offer, is_active }), 409, 'name_reserved', 'path/sku');
      }
    });
    expect(written).toEqual({});
  });

  it('is any plain name beside the SKUs of a path', () => {
    const paths = Object.keys(JSON.parse(openapiText(app.app)).paths);
    for (const parent of ['/api/v1/billing/catalog/', '/api/v1/billing/offers/']) {
      expect(paths).toContain(`${parent}{sku}`);
      const beside = paths
        .filter((path) => path.startsWith(parent))
        .map((path) => path.slice(parent.length).split('/')[0]);
      const names = beside.filter((name) => name !== undefined && !name.startsWith('{'));
      expect(['export', 'import']).toEqual(expect.arrayContaining(names));
    }
  });

  it('stays readable where an offer has it from before, which can only be retired', async () => {
    await app.put('/offers/BEFORE', offer);
    await app.deps.db.query(`INSERT INTO catalog_names (name, kind) VALUES ('EXPORT', 'offer')`);
    await app.deps.db.query(`DELETE FROM offer_items WHERE sku = 'BEFORE'`);
    await app.deps.db.query(`UPDATE offers SET sku = 'EXPORT' WHERE sku = 'BEFORE'`);
    await app.deps.db.query(`DELETE FROM catalog_names WHERE name = 'BEFORE'`);
    expect((await app.get('/catalog?sku=EXPORT')).body.data).toMatchObject([{ sku: 'EXPORT' }]);
    expectProblem(await app.put('/offers/EXPORT', offer), 409, 'name_reserved', 'path/sku');
    const retired = await app.put('/offers/EXPORT', { ...offer, is_active: false });
    expect(retired.status, retired.text).toBe(200);
    expect((await app.get('/offers/EXPORT')).body.is_active).toBe(false);
  });
});
