// Metered products: used without being granted, governed by limits alone; a gauge by giving back without naming the use.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'SEATS', { type: 'metered', features: ['seat', { feature: 'suite', unit_cost: 4 }] });
  await putProduct(app, 'CREDITS', { features: ['text'] });
});

const take = (external_id: string, amount = 1, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'SEATS', amount, ...more });
const giveBack = (external_id: string, amount: number, more: Json = { product_key: 'SEATS' }) =>
  app.post('/quota/release', { external_id, amount, ...more });
const limit = (external_id: string, windows: Json, subject: Json = { product_key: 'SEATS' }) =>
  app.put('/limits', { external_id, windows, ...subject });

describe('A metered product', () => {
  it('is used without being granted, and holds nothing', async () => {
    const external_id = newPerson();
    expect((await app.get(`/balance?external_id=${external_id}&product_key=SEATS`)).body).toMatchObject({
      can_use: true,
      remaining: null,
    });
    const used = await take(external_id, 3);
    expect(used.status).toBe(200);
    expect(used.body).toMatchObject({ remaining: null, taken: [{ product_key: 'SEATS', amount: 3 }] });
    expect((await take(external_id, 2)).status).toBe(200);
    expect((await app.get(`/wallet/batches?external_id=${external_id}`)).body.data).toEqual([]);
    expect((await app.get(`/wallet?external_id=${external_id}`)).body).toMatchObject({ balances: {}, access: {} });
    await untilTold(app);
    expect((await app.get(`/events?external_id=${external_id}`)).body.data).toMatchObject([
      { type: 'customer.created' },
    ]);
  });

  it('is as much as its limits allow', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 3 });
    expect((await take(external_id, 3)).status).toBe(200);
    expect((await take(external_id)).body).toMatchObject({ code: 'limit_exceeded', violations: [{ current: 3 }] });
    expect((await app.post('/quota/check', { external_id, product_key: 'SEATS' })).body).toMatchObject({
      allowed: false,
      remaining: null,
      allowed_at: null,
    });
  });

  it('is given back by its name, in all but not in the windows of its use', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 3, month: 5 });
    await take(external_id, 3);
    const back = await giveBack(external_id, 2);
    expect(back.status).toBe(200);
    expect(back.body).toMatchObject({ product_key: 'SEATS', amount: 2, returned: 2, restored: [], remaining: null });
    expect((await take(external_id, 2)).status).toBe(200);
    await giveBack(external_id, 3);
    expect((await take(external_id, 1)).body.violations).toMatchObject([{ window: 'month', current: 5 }]);
  });

  it('is given back by its use, in the windows of which it counts no longer', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 3, month: 3 });
    const used = await take(external_id, 3);
    await app.post('/quota/release', { operation_id: used.body.operation_id, amount: 1 });
    expect((await take(external_id, 1)).status).toBe(200);
  });

  it('never goes below what is in use, limit or none', async () => {
    const external_id = newPerson();
    await take(external_id, 2);
    expectProblem(await giveBack(external_id, 3), 409, 'release_exceeds_usage', '/amount');
    expect(await writtenBy(app, () => giveBack(external_id, 3))).toEqual({});
    await giveBack(external_id, 2);
    expect((await giveBack(external_id, 1)).body).toMatchObject({ requested: 1, available: 0 });
  });

  it('counts each of its features in its own units', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 2 }, { feature: 'suite' });
    const suite = (amount: number) => app.post('/quota/consume', { external_id, feature: 'suite', amount });
    await app.post('/quota/consume', { external_id, feature: 'seat', amount: 3 });
    expect((await suite(2)).status).toBe(200);
    expectProblem(await suite(1), 429, 'limit_exceeded');
    expectProblem(await giveBack(external_id, 3, { feature: 'suite' }), 409, 'release_exceeds_usage', '/amount');
    expect((await giveBack(external_id, 1, { feature: 'suite' })).status).toBe(200);
    expect((await suite(1)).status).toBe(200);
  });

  it('is held, committed, released, and lapses', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 5 });
    const reserve = (amount: number) =>
      app.post('/reservations', { external_id, product_key: 'SEATS', amount, ttl_seconds: 60 });
    const [first, second] = [await reserve(2), await reserve(2)];
    await reserve(1);
    expectProblem(await take(external_id), 429, 'limit_exceeded');
    expectProblem(await giveBack(external_id, 1), 409, 'release_exceeds_usage');
    await app.post(`/reservations/${first.body.id}/commit`, { amount: 1 });
    await app.post(`/reservations/${second.body.id}/release`, {});
    app.clock.advance({ seconds: 61 });
    expect((await take(external_id, 5)).body.violations).toMatchObject([{ current: 1 }]);
    expect((await giveBack(external_id, 1)).status).toBe(200);
  });

  itHonoursIdempotencyKeys(app, async () => {
    const external_id = newPerson();
    await take(external_id, 5);
    const body = { external_id, product_key: 'SEATS', amount: 2 };
    return { path: '/quota/release', body, other: { amount: 3 } };
  });
});

describe('What is refused', () => {
  it('is to give back by name what is not metered, or to name too much or too little', async () => {
    const external_id = newPerson();
    await take(external_id);
    expectProblem(await giveBack(external_id, 1, { product_key: 'CREDITS' }), 409, 'not_metered', '/product_key');
    expectProblem(await giveBack(external_id, 1, { feature: 'text' }), 409, 'not_metered', '/feature');
    expectProblem(await giveBack(external_id, 1, { product_key: 'NONE' }), 404, 'product_not_found', '/product_key');
    expectProblem(await app.post('/quota/release', { external_id }), 400, 'invalid_request', '/operation_id');
    expectProblem(
      await app.post('/quota/release', { external_id, product_key: 'SEATS' }),
      400,
      'invalid_request',
      '/amount',
    );
    expectProblem(
      await app.post('/quota/release', { product_key: 'SEATS', amount: 1 }),
      400,
      'invalid_request',
      '/customer_id',
    );
    expectProblem(await giveBack(newPerson(), 1), 404, 'customer_not_found');
  });

  it('is to grant or sell it, and to share its features', async () => {
    const external_id = newPerson();
    const grant = { external_id, grant_type: 'bonus', product_key: 'SEATS', quantity: 1 };
    expectProblem(await app.post('/grants', grant), 409, 'product_metered', '/product_key');
    const offer = {
      name: 'x',
      price: '1',
      currency: 'USD',
      items: [{ product_key: 'SEATS', quantity: 1, period_unit: 'forever' }],
    };
    expectProblem(await app.put('/offers/SEATS_5', offer), 409, 'product_metered', '/items/0/product_key');
    const other = { name: 'x', type: 'quantity', features: ['seat'] };
    expectProblem(await app.put('/products/OTHER', other), 409, 'feature_metered', '/features');
    const metered = { name: 'x', type: 'metered', features: ['text'] };
    expectProblem(await app.put('/products/METER', metered), 409, 'feature_metered', '/features');
    expectProblem(
      await app.put('/products/METER', { name: 'x', type: 'metered', is_currency: true }),
      400,
      'invalid_request',
      '/is_currency',
    );
  });
});
