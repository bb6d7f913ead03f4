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

/** The largest amount. */
const MOST = Number.MAX_SAFE_INTEGER;

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

  it('comes back by its name, whatever became of its cost meanwhile', async () => {
    const external_id = newPerson();
    const desk = (unit_cost: number) =>
      putProduct(app, 'DESKS', { type: 'metered', features: [{ feature: 'desk', unit_cost }], force: true });
    await desk(2);
    await limit(external_id, { total: 4 }, { feature: 'desk' });
    const use = (amount: number) => app.post('/quota/consume', { external_id, feature: 'desk', amount });
    const { body: used } = await use(4);
    await desk(5);
    expect((await giveBack(external_id, 3, { feature: 'desk' })).body).toMatchObject({ returned: 3 });
    expect((await giveBack(external_id, 2, { feature: 'desk' })).body).toMatchObject({ available: 1 });
    const byUse = () => app.post('/quota/release', { operation_id: used.operation_id, amount: 1 });
    expectProblem(await byUse(), 409, 'release_exceeds_usage', '/amount');
    expect((await giveBack(external_id, 1, { feature: 'desk' })).status).toBe(200);
    await use(4);
    await desk(1);
    expect((await giveBack(external_id, 4, { feature: 'desk' })).status).toBe(200);
    expect((await use(5)).body.violations).toMatchObject([{ current: 0 }]);
  });

  it('comes back once, by its name or by its use', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 5 });
    const { body: used } = await take(external_id, 5);
    await giveBack(external_id, 3);
    const byUse = (amount?: number) => app.post('/quota/release', { operation_id: used.operation_id, amount });
    expectProblem(await byUse(3), 409, 'release_exceeds_usage', '/amount');
    expect((await byUse(3)).body).toMatchObject({ requested: 3, available: 2 });
    expect((await byUse()).body).toMatchObject({ amount: 2, returned: 2 });
    expectProblem(await byUse(), 409, 'release_exceeds_usage', '/amount');
    expect((await take(external_id, 5)).status).toBe(200);
    expectProblem(await take(external_id), 429, 'limit_exceeded');
  });

  it('comes back to its own feature only, whatever is in use of another one', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 4 }, { feature: 'suite' });
    const use = (feature: string, amount: number) => app.post('/quota/consume', { external_id, feature, amount });
    const { body: suite } = await use('suite', 4);
    await use('seat', 20);
    await giveBack(external_id, 3, { feature: 'suite' });
    const byUse = (amount: number) => app.post('/quota/release', { operation_id: suite.operation_id, amount });
    expectProblem(await byUse(2), 409, 'release_exceeds_usage', '/amount');
    expect((await byUse(1)).status).toBe(200);
    expect((await use('suite', 5)).body.violations).toMatchObject([{ current: 0, limit: 4 }]);
  });

  it('does not come back while it is held, whatever is in use of another feature', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 4 }, { feature: 'suite' });
    const suite = { external_id, feature: 'suite' };
    const { body: kept } = await app.post('/reservations', { ...suite, amount: 2 });
    await app.post('/reservations', { ...suite, amount: 1, ttl_seconds: 60 });
    const { body: seats } = await app.post('/quota/consume', { external_id, feature: 'seat', amount: 20 });
    expectProblem(await giveBack(external_id, 1, { feature: 'suite' }), 409, 'release_exceeds_usage', '/amount');
    await app.post(`/reservations/${kept.id}/commit`, { amount: 1 });
    app.clock.advance({ seconds: 61 });
    expect((await giveBack(external_id, 2, { feature: 'suite' })).body).toMatchObject({ available: 1 });
    expect((await giveBack(external_id, 1, { feature: 'suite' })).status).toBe(200);
    expect((await app.post('/quota/consume', { ...suite, amount: 5 })).body.violations).toMatchObject([{ current: 0 }]);
    expect((await app.post('/quota/release', { operation_id: seats.operation_id })).body).toMatchObject({ amount: 20 });
  });

  it('never goes below nothing, however it comes back at once', async () => {
    const external_id = newPerson();
    await limit(external_id, { total: 20 }, { feature: 'suite' });
    await app.post('/quota/consume', { external_id, feature: 'seat', amount: 200 });
    const suite = { external_id, feature: 'suite', amount: 1 };
    const uses = await Promise.all(Array.from({ length: 12 }, () => app.post('/quota/consume', suite)));
    const holds = await Promise.all(Array.from({ length: 8 }, () => app.post('/reservations', suite)));
    const back = await Promise.all([
      ...uses.map(({ body }) => app.post('/quota/release', { operation_id: body.operation_id })),
      ...holds.map(({ body }, index) => app.post(`/reservations/${body.id}/${index % 2 ? 'release' : 'commit'}`, {})),
      ...uses.map(() => app.post('/quota/release', suite)),
    ]);
    expect(back.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(20);
    expect(back.filter(({ status }) => status >= 500)).toEqual([]);
    const { body } = await app.get(`/quota/status?external_id=${external_id}&feature=suite`);
    expect(body.data[0].windows).toMatchObject([{ window: 'total', current: expect.toSatisfy((n) => n >= 0) }]);
  });

  it.each(['SOFT', 'NONE'])(
    'is used as far as a window can count it (%s), and what comes back is all there again',
    async (enforcement) => {
      const external_id = newPerson();
      await limit(external_id, { total: 10 }, { product_key: 'SEATS', enforcement });
      const reserve = (amount: number) => app.post('/reservations', { external_id, product_key: 'SEATS', amount });
      const { body: first } = await reserve(MOST - 2);
      const { body: second } = await reserve(2);
      expectProblem(await reserve(1), 409, 'quantity_too_large', '/amount');
      expectProblem(await take(external_id, MOST), 409, 'quantity_too_large', '/amount');
      const check = await app.post('/quota/check', { external_id, product_key: 'SEATS' });
      expectProblem(check, 409, 'quantity_too_large', '/amount');
      await app.post(`/reservations/${first.id}/release`, {});
      expect((await take(external_id, 9)).body.warnings).toMatchObject(enforcement === 'SOFT' ? [{ current: 2 }] : []);
      await app.post(`/reservations/${second.id}/release`, {});
      const { body } = await app.get(`/quota/status?external_id=${external_id}&product_key=SEATS`);
      expect(body.data[0].windows).toMatchObject([{ current: 9 }]);
    },
  );

  it('is limited by what was used before, more than can be counted', async () => {
    const external_id = newPerson();
    const reserve = (amount: number) => app.post('/reservations', { external_id, product_key: 'SEATS', amount });
    const holds = [await reserve(MOST), await reserve(MOST), await reserve(1)];
    await limit(external_id, { total: 10 }, { product_key: 'SEATS', enforcement: 'SOFT' });
    const used = async () => {
      const { body } = await app.get(`/quota/status?external_id=${external_id}&product_key=SEATS`);
      return body.data[0].windows[0].current;
    };
    expect(await used()).toBe(MOST);
    expectProblem(await take(external_id), 409, 'quantity_too_large', '/amount');
    for (const { body } of holds.slice(0, 2)) await app.post(`/reservations/${body.id}/release`, {});
    expect(await used()).toBe(1);
    expect((await take(external_id, 10)).body.warnings).toMatchObject([{ current: 1 }]);
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
