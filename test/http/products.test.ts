// Management of products, and reading them.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();
const quantity = { name: 'Credits', type: 'quantity' };

beforeAll(async () => {
  await putProduct(app, 'SOLD');
  await putOffer(app, 'SELLS_SOLD', 'SOLD', 1);
});

describe('PUT /products/{key}', () => {
  it('creates a product with defaults, its key in upper case', async () => {
    const answer = await app.put('/products/new_credits', quantity);
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      product_key: 'NEW_CREDITS',
      name: 'Credits',
      description: '',
      type: 'quantity',
      is_currency: false,
      is_active: true,
      features: [],
      low_balance_threshold: null,
      expiring_days: null,
      metadata: {},
      created_at: '2026-01-31T12:00:00.000Z',
    });
    expect((await app.get('/products/new_credits')).body).toEqual(answer.body);
  });

  it('replaces the whole product and keeps its creation', async () => {
    await app.put('/products/REPLACED', { ...quantity, description: 'old', low_balance_threshold: 5 });
    app.clock.advance({ days: 1 });
    const answer = await app.put('/products/REPLACED', { ...quantity, name: 'New', metadata: { a: 1 } });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      name: 'New',
      description: '',
      low_balance_threshold: null,
      expiring_days: null,
      metadata: { a: 1 },
      created_at: '2026-01-31T12:00:00.000Z',
    });
  });

  it('changes nothing that shows when repeated', async () => {
    const first = await app.put('/products/REPEATED', quantity);
    const again = await app.put('/products/REPEATED', quantity);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first.body);
  });

  it('reads a feature as a string or with its cost, and sorts nothing away', async () => {
    const features = ['images', { feature: 'videos', unit_cost: 40 }, { feature: 'audio' }];
    const answer = await app.put('/products/POOL', { ...quantity, features });
    expect(new Map(answer.body.features.map((f: Record<string, unknown>) => [f.feature, f.unit_cost]))).toEqual(
      new Map([
        ['images', 1],
        ['videos', 40],
        ['audio', 1],
      ]),
    );
  });

  it('creates once when two come at once', async () => {
    const answers = await Promise.all([1, 2].map(() => app.put('/products/TWICE', quantity)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 201]);
  });

  it('takes a key in the body that equals the path', async () => {
    expect((await app.put('/products/SAME', { ...quantity, product_key: 'same' })).status).toBe(201);
  });

  it.each([
    ['another key in the body', 'X1', { ...quantity, product_key: 'OTHER' }, '/product_key'],
    ['a key that is a currency’s code', 'USD', quantity, 'path/key'],
    ['the key of Telegram Stars', 'XTR', quantity, 'path/key'],
    ['a key with a blank', 'A%20B', quantity, 'path/key'],
    ['a key of 65 characters', 'A'.repeat(65), quantity, 'path/key'],
    ['a type that does not exist', 'X1', { name: 'X', type: 'metre' }, '/type'],
    ['no type', 'X1', { name: 'X' }, '/type'],
    ['no name', 'X1', { type: 'quantity' }, '/name'],
    ['a blank name', 'X1', { ...quantity, name: '  ' }, '/name'],
    ['a field that it does not know', 'X1', { ...quantity, colour: 'red' }, '/colour'],
    [
      'an unknown field of a feature',
      'X1',
      { ...quantity, features: [{ feature: 'a', price: 1 }] },
      '/features/0/price',
    ],
    ['a feature in capitals', 'X1', { ...quantity, features: ['Images'] }, '/features/0'],
    ['a cost of 0', 'X1', { ...quantity, features: [{ feature: 'a', unit_cost: 0 }] }, '/features/0/unit_cost'],
    ['a feature named twice', 'X1', { ...quantity, features: ['a', { feature: 'a', unit_cost: 2 }] }, '/features/1'],
    ['a currency that is not counted', 'X1', { name: 'X', type: 'period', is_currency: true }, '/is_currency'],
    ['a threshold below 0', 'X1', { ...quantity, low_balance_threshold: -1 }, '/low_balance_threshold'],
  ])('refuses %s, and writes nothing', async (_case, key, body, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.put(`/products/${key}`, body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it('refuses the name of an offer, and writes nothing', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.put('/products/sells_sold', quantity), 409, 'name_taken', 'path/key');
    });
    expect(written).toEqual({});
  });

  it('keeps the type of a product that is offered', async () => {
    const answer = await app.put('/products/SOLD', { name: 'X', type: 'period' });
    expectProblem(answer, 409, 'product_in_use', '/type');
  });

  it('keeps the type of a product that was granted', async () => {
    await putProduct(app, 'GRANTED');
    await grantUnits(app, newPerson(), 'GRANTED', 1);
    const answer = await app.put('/products/GRANTED', { name: 'X', type: 'unlimited' });
    expectProblem(answer, 409, 'product_in_use', '/type');
  });

  it('keeps the type of a product that nobody has', async () => {
    await putProduct(app, 'UNUSED');
    const changed = await app.put('/products/UNUSED', { name: 'X', type: 'unlimited' });
    expectProblem(changed, 409, 'product_in_use', '/type');
  });

  it('keeps a currency in which offers are priced', async () => {
    await putProduct(app, 'STAR', { is_currency: true });
    await putOffer(app, 'FOR_A_STAR', 'SOLD', 1, { price: '1', currency: 'STAR' });
    expectProblem(await app.put('/products/STAR', quantity), 409, 'product_in_use', '/is_currency');
  });

  describe('while customers hold units', () => {
    const withCost = (unit_cost: number) => ({ ...quantity, features: [{ feature: 'images', unit_cost }] });

    it.each([
      ['raise a cost', { ...withCost(6) }],
      ['remove a feature', quantity],
    ])('does not %s without force', async (_case, body) => {
      const key = `HELD_${newPerson()}`;
      await app.put(`/products/${key}`, withCost(5));
      await grantUnits(app, newPerson(), key, 1);
      expectProblem(await app.put(`/products/${key}`, body), 409, 'product_in_use', '/features');
      const forced = await app.put(`/products/${key}`, { ...body, force: true });
      expect(forced.status).toBe(200);
    });

    it('lowers a cost and adds a feature', async () => {
      const key = `HELD_${newPerson()}`;
      await app.put(`/products/${key}`, withCost(5));
      await grantUnits(app, newPerson(), key, 1);
      const features = [{ feature: 'images', unit_cost: 4 }, 'videos'];
      expect((await app.put(`/products/${key}`, { ...quantity, features })).status).toBe(200);
    });

    it('raises a cost once the units are expired', async () => {
      const key = `HELD_${newPerson()}`;
      await app.put(`/products/${key}`, withCost(5));
      await grantUnits(app, newPerson(), key, 1, { expires_at: '2026-02-01T00:00:00Z' });
      app.clock.advance({ days: 1 });
      expect((await app.put(`/products/${key}`, withCost(6))).status).toBe(200);
    });
  });
});

describe('GET /products', () => {
  it('lists products by key, in pages that an insert does not shift', async () => {
    const first = await app.get('/products?limit=1');
    const all = await readPages(app, '/products', 200);
    await putProduct(app, `0_${newPerson()}`);
    const rest = await app.get(`/products?limit=200&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...rest.body.data]).toEqual(all.flat());
  });

  it('leaves inactive products out, which can still be read by key', async () => {
    await putProduct(app, 'INACTIVE', { is_active: false });
    const keys = (await readPages(app, '/products', 200)).flat().map((product) => product.product_key);
    expect(keys).not.toContain('INACTIVE');
    expect(keys).toContain('SOLD');
    expect((await app.get('/products/inactive')).body.is_active).toBe(false);
    const all = (await readPages(app, '/products?include_inactive=true', 200)).flat();
    expect(all.map((product) => product.product_key)).toEqual([...keys, 'INACTIVE'].sort());
  });

  it('does not know a product that nobody made', async () => {
    expectProblem(await app.get('/products/NOBODY'), 404, 'product_not_found', 'path/key');
  });

  it('does not take a sku for a product key', async () => {
    expectProblem(await app.get('/products/SELLS_SOLD'), 404, 'product_not_found', 'path/key');
  });
});
