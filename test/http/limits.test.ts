// Usage limits: what they refuse, warn of and count, in each window; how they are set. Status and history are tested in usage.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'TOKENS', { features: ['chat', { feature: 'image', unit_cost: 5 }] });
  await putProduct(app, 'POOL', { features: [{ feature: 'render', unit_cost: 3 }] });
});

const limit = (external_id: string, windows: Json, more: Json = {}) =>
  app.put('/limits', { external_id, product_key: 'CREDITS', windows, ...more });
const use = (external_id: string, amount = 1, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount, ...more });

async function personWith(units = 100, productKey = 'CREDITS'): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, productKey, units);
  return external_id;
}

describe('A HARD limit', () => {
  it('refuses what goes beyond it, and tells until when', async () => {
    const external_id = await personWith();
    app.clock.set('2026-02-10T12:20:30.500Z');
    expect((await limit(external_id, { hour: 10 })).status).toBe(201);
    expect((await use(external_id, 8)).status).toBe(200);
    const refused = await use(external_id, 3);
    expectProblem(refused, 429, 'limit_exceeded');
    expect(refused.body.violations).toEqual([
      {
        product_key: 'CREDITS',
        window: 'hour',
        current: 8,
        requested: 3,
        limit: 10,
        enforcement: 'HARD',
        resets_at: '2026-02-10T13:00:00.000Z',
      },
    ]);
    expect(refused.headers['retry-after']).toBe('2370');
    expect((await use(external_id, 2)).body.remaining).toBe(90);
    app.clock.set('2026-02-10T13:00:00.000Z');
    expect((await use(external_id, 10)).status).toBe(200);
  });

  it('has half-open windows by the calendar of UTC, also at the end of a month and on a leap day', async () => {
    for (const [window, last, next] of [
      ['hour', '2028-02-29T22:59:59.999Z', '2028-02-29T23:00:00.000Z'],
      ['day', '2028-02-28T23:59:59.999Z', '2028-02-29T00:00:00.000Z'],
      ['day', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00.000Z'],
      ['month', '2028-02-29T23:59:59.999Z', '2028-03-01T00:00:00.000Z'],
      ['billing_period', '2028-04-30T23:59:59.999Z', '2028-05-01T00:00:00.000Z'],
    ] as const) {
      app.clock.set(last);
      const external_id = await personWith();
      await limit(external_id, { [window]: 10 });
      expect((await use(external_id, 10)).status).toBe(200);
      const refused = await use(external_id, 1);
      expect(refused.body.violations).toMatchObject([{ window, current: 10, resets_at: next }]);
      expect(refused.headers['retry-after']).toBe('1');
      app.clock.set(next);
      expect((await use(external_id, 10)).status).toBe(200);
    }
  });

  it('never resets in all, and says no time to try again', async () => {
    const external_id = await personWith();
    await limit(external_id, { total: 5, hour: 5 });
    await use(external_id, 5);
    const refused = await use(external_id, 1);
    expect(refused.body.violations).toMatchObject([
      { window: 'hour' },
      { window: 'total', current: 5, resets_at: null },
    ]);
    expect(refused.headers['retry-after']).toBeUndefined();
    app.clock.advance({ days: 400 });
    expect((await use(external_id, 1)).body.violations).toMatchObject([{ window: 'total' }]);
  });

  it('says no time to try again where the amount never fits', async () => {
    const external_id = await personWith();
    await limit(external_id, { hour: 5 });
    expect((await use(external_id, 6)).headers['retry-after']).toBeUndefined();
  });

  it('blocks with 0, and leaves alone with null', async () => {
    const external_id = await personWith();
    await limit(external_id, { hour: 0, day: null });
    expectProblem(await use(external_id, 1), 429, 'limit_exceeded');
    await limit(external_id, { hour: null });
    expect((await use(external_id, 50)).status).toBe(200);
  });

  it('stands beside a balance that is short: 402 with both', async () => {
    const external_id = await personWith(5);
    await limit(external_id, { day: 3 });
    const refused = await use(external_id, 9);
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body).toMatchObject({ available: 5, violations: [{ window: 'day', requested: 9, limit: 3 }] });
    expect(refused.body.reasons).toMatchObject([{ code: 'insufficient_quota' }]);
  });

  it('is a verdict where that was asked for', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 3 });
    const verdict = await use(external_id, 4, { on_refusal: 'verdict' });
    expect(verdict.status).toBe(200);
    expect(verdict.body).toMatchObject({ allowed: false, code: 'limit_exceeded', violations: [{ window: 'day' }] });
  });

  it('writes nothing of what it refuses but what it tells, once for each window', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 3 });
    expect(await writtenBy(app, () => use(external_id, 4))).toMatchObject({ notices: 1 });
    expect(await writtenBy(app, () => use(external_id, 5))).toEqual({});
    app.clock.advance({ days: 1 });
    expect((await use(external_id, 4)).status).toBe(429);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${external_id}&type=quota.limit_exceeded`);
    expect(body.data).toMatchObject([
      { data: { product_key: 'CREDITS', window: 'day', used: 0, requested: 4, limit: 3, enforcement: 'HARD' } },
      { data: { window: 'day' } },
    ]);
  });

  it('tells when it is reached exactly', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 3, month: 100 });
    await use(external_id, 2);
    await use(external_id, 1);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${external_id}&type=quota.limit_reached`);
    expect(body.data).toMatchObject([{ data: { window: 'day', used: 3, limit: 3 } }]);
  });
});

describe('SOFT and NONE', () => {
  it('warn, and count', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 3 }, { enforcement: 'soft' });
    expect((await use(external_id, 3)).body.warnings).toEqual([]);
    const over = await use(external_id, 2);
    expect(over.status).toBe(200);
    expect(over.body.warnings).toMatchObject([
      { code: 'limit_exceeded', product_key: 'CREDITS', window: 'day', current: 3, requested: 2, enforcement: 'SOFT' },
    ]);
    await limit(external_id, { day: 3 }, { enforcement: 'None' });
    expect((await use(external_id, 2)).body.warnings).toEqual([]);
    await limit(external_id, { day: 3 }, { enforcement: 'HARD' });
    expect((await use(external_id, 1)).body.violations).toMatchObject([{ current: 7 }]);
  });
});

describe('Which limit is in force', () => {
  it('is the nearest, window by window', async () => {
    await app.put('/limits', { product_key: 'CREDITS', windows: { hour: 1, day: 20 } });
    const external_id = await personWith();
    const limited = await use(external_id, 2);
    expect(limited.body.violations).toMatchObject([{ window: 'hour', limit: 1 }]);
    await limit(external_id, { hour: 10 });
    expect((await use(external_id, 10)).status).toBe(200);
    app.clock.advance({ hours: 1 });
    expect((await use(external_id, 10)).status).toBe(200);
    app.clock.advance({ hours: 1 });
    expect((await use(external_id, 1)).body.violations).toMatchObject([{ window: 'day', limit: 20 }]);
    expect((await app.delete('/limits?product_key=CREDITS')).status).toBe(204);
    expect((await use(external_id, 1)).status).toBe(200);
  });

  it('counts a feature in its own units, and a product in units taken by whatever', async () => {
    const external_id = await personWith(100, 'TOKENS');
    await app.put('/limits', { external_id, feature: 'image', windows: { day: 4 } });
    await app.put('/limits', { external_id, product_key: 'TOKENS', windows: { day: 21 } });
    const image = (amount: number) => app.post('/quota/consume', { external_id, feature: 'image', amount });
    expect((await image(3)).status).toBe(200);
    const refused = await image(2);
    expect(refused.body.violations).toEqual([
      expect.objectContaining({ feature: 'image', current: 3, requested: 2, limit: 4 }),
      expect.objectContaining({ product_key: 'TOKENS', current: 15, requested: 10, limit: 21 }),
    ]);
    expect((await app.post('/quota/consume', { external_id, feature: 'chat', amount: 6 })).status).toBe(200);
    expectProblem(await image(1), 429, 'limit_exceeded');
  });

  it('counts whole units of a feature whose units come of several batches', async () => {
    const external_id = newPerson();
    for (const units of [1, 1, 2, 5]) await grantUnits(app, external_id, 'POOL', units);
    await app.put('/limits', { external_id, feature: 'render', windows: { day: 3 } });
    const render = (amount: number) => app.post('/quota/consume', { external_id, feature: 'render', amount });
    const used = await render(2);
    expect(used.status).toBe(200);
    expect((await render(2)).body).toMatchObject({ code: 'insufficient_quota', violations: [{ current: 2 }] });
    await app.post('/quota/release', { operation_id: used.body.operation_id, amount: 1 });
    expect((await render(2)).status).toBe(200);
  });
});

describe('What is counted', () => {
  it('is each unit since the window began, also from before there was a limit, and while there was none', async () => {
    const external_id = await personWith(1_000);
    await use(external_id, 30);
    await limit(external_id, { day: 100, total: 200 });
    expect((await use(external_id, 71)).body.violations).toMatchObject([{ window: 'day', current: 30 }]);
    await use(external_id, 10);
    await app.delete(`/limits?external_id=${external_id}&product_key=CREDITS`);
    await use(external_id, 100);
    await limit(external_id, { day: 200, total: 200 });
    expect((await use(external_id, 61)).body.violations).toMatchObject([
      { window: 'day', current: 140 },
      { window: 'total', current: 140 },
    ]);
    expect((await use(external_id, 60)).status).toBe(200);
  });

  it('is less by what is given back, in the window in which it was used', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 10, month: 12 });
    app.clock.set('2028-06-10T12:00:00.000Z');
    const used = await use(external_id, 10);
    app.clock.advance({ days: 1 });
    await use(external_id, 1);
    await app.post('/quota/release', { operation_id: used.body.operation_id, amount: 4 });
    expect((await use(external_id, 10)).body.violations).toMatchObject([
      { window: 'day', current: 1 },
      { window: 'month', current: 7 },
    ]);
  });

  it('is a hold in the windows of when it was made, and an excess in those of the commit', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 10 });
    app.clock.set('2028-07-10T23:55:00.000Z');
    const reserve = (amount: number) =>
      app.post('/reservations', { external_id, product_key: 'CREDITS', amount, ttl_seconds: 3_600 });
    const held = await reserve(8);
    expect(held.status).toBe(201);
    expect((await use(external_id, 3)).body.violations).toMatchObject([{ current: 8 }]);
    app.clock.set('2028-07-11T00:05:00.000Z');
    await use(external_id, 9);
    const excess = await app.post(`/reservations/${held.body.id}/commit`, { amount: 10, allow_excess: true });
    expectProblem(excess, 429, 'limit_exceeded');
    expect(excess.body.violations).toMatchObject([{ window: 'day', current: 9, requested: 2 }]);
    expect((await app.get(`/reservations/${held.body.id}`)).body.status).toBe('held');
    const ended = await app.post(`/reservations/${held.body.id}/commit`, { amount: 9, allow_excess: true });
    expect(ended.status).toBe(200);
    expect((await use(external_id, 1)).body.violations).toMatchObject([{ current: 10 }]);
  });

  it('is nothing of a hold that is released, lapses, or is committed in part', async () => {
    const external_id = await personWith();
    await limit(external_id, { total: 10 });
    const reserve = (amount: number) =>
      app.post('/reservations', { external_id, product_key: 'CREDITS', amount, ttl_seconds: 60 });
    const [first, second] = [await reserve(4), await reserve(3)];
    await reserve(3);
    expect((await use(external_id, 1)).status).toBe(429);
    await app.post(`/reservations/${first.body.id}/release`, {});
    await app.post(`/reservations/${second.body.id}/commit`, { amount: 1 });
    expect((await use(external_id, 7)).body.violations).toMatchObject([{ current: 4 }]);
    app.clock.advance({ seconds: 61 });
    expect((await use(external_id, 10)).body.violations).toMatchObject([{ current: 1 }]);
  });

  it('is an overdraft whole, which no limit refuses', async () => {
    const external_id = await personWith(5);
    await limit(external_id, { day: 3 });
    const deduct = (amount: number, allow_negative: boolean) =>
      app.post('/credits/deduct', { external_id, product_key: 'CREDITS', amount, allow_negative });
    expectProblem(await deduct(4, false), 429, 'limit_exceeded');
    const over = await deduct(9, true);
    expect(over.status).toBe(200);
    expect(over.body.warnings).toMatchObject([{ window: 'day', current: 0, requested: 9, enforcement: 'SOFT' }]);
    await app.post('/credits/add', { external_id, product_key: 'CREDITS', amount: 50 });
    expect((await use(external_id, 1)).body.violations).toMatchObject([{ current: 9 }]);
  });

  it('is every item of a batch call, in both modes', async () => {
    const external_id = await personWith();
    await limit(external_id, { day: 5 });
    const batch = (mode: string, amounts: number[]) =>
      app.post('/quota/consume/batch', {
        mode,
        items: amounts.map((amount) => ({ external_id, product_key: 'CREDITS', amount })),
      });
    const atomic = await batch('atomic', [3, 3]);
    expect(atomic.body).toMatchObject({ committed: false, results: [{ allowed: true }, { allowed: false }] });
    const each = await batch('continue', [3, 3, 2]);
    expect(each.body.results.map(({ allowed }: Json) => allowed)).toEqual([true, false, true]);
    expect(each.body.results[1]).toMatchObject({ code: 'limit_exceeded', violations: [{ current: 3 }] });
  });
});

describe('POST /quota/check', () => {
  it('says the same, and when it would be allowed', async () => {
    const external_id = await personWith();
    app.clock.set('2028-08-10T10:30:00.000Z');
    await limit(external_id, { hour: 5, day: 7 });
    const check = (amount: number) => app.post('/quota/check', { external_id, product_key: 'CREDITS', amount });
    expect((await check(5)).body).toMatchObject({ allowed: true, violations: [] });
    await use(external_id, 5);
    expect((await check(2)).body).toMatchObject({
      allowed: false,
      remaining: 95,
      reasons: [{ code: 'limit_exceeded' }],
      violations: [{ window: 'hour', current: 5, requested: 2 }],
      allowed_at: '2028-08-10T11:00:00.000Z',
    });
    expect((await check(3)).body).toMatchObject({
      violations: [{ window: 'hour' }, { window: 'day' }],
      allowed_at: '2028-08-11T00:00:00.000Z',
    });
    expect((await check(6)).body).toMatchObject({ allowed: false, allowed_at: null });
  });

  it('says it of somebody never seen', async () => {
    await app.put('/limits', { product_key: 'POOL', windows: { day: 0 } });
    const { body } = await app.post('/quota/check', { external_id: newPerson(), product_key: 'POOL', amount: 1 });
    expect(body).toMatchObject({ allowed: false, violations: [{ window: 'day', current: 0, limit: 0 }] });
    await app.delete('/limits?product_key=POOL');
  });
});

describe('Setting limits', () => {
  it('replaces, changes, lists and removes them', async () => {
    const external_id = newPerson();
    const created = await limit(external_id, { hour: 5, total: null }, { owner_tag: 'support' });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      id: expect.any(String),
      scope: 'customer',
      customer_id: expect.any(String),
      plan_sku: null,
      product_key: 'CREDITS',
      windows: { hour: 5, total: null },
      enforcement: 'HARD',
      owner_tag: 'support',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const patched = await app.patch('/limits', {
      external_id,
      product_key: 'credits',
      windows: { day: 9 },
      enforcement: 'SOFT',
    });
    expect(patched.body).toMatchObject({
      id: created.body.id,
      windows: { hour: 5, day: 9, total: null },
      enforcement: 'SOFT',
      owner_tag: 'support',
    });
    expect((await limit(external_id, { hour: 5 })).status).toBe(200);
    expect((await app.get(`/limits/${created.body.id}`)).body).toMatchObject({ windows: { hour: 5 }, owner_tag: null });
    expect((await app.get(`/limits?external_id=${external_id}`)).body.data).toHaveLength(1);
    expect((await app.delete(`/limits?external_id=${external_id}&product_key=CREDITS`)).status).toBe(204);
    expectProblem(await app.get(`/limits/${created.body.id}`), 404, 'limit_not_found');
    const { body } = await app.get(`/audit?external_id=${external_id}`);
    expect(body.data.map(({ action }: Json) => action)).toEqual([
      'limit.deleted',
      'limit.updated',
      'limit.updated',
      'limit.created',
    ]);
  });

  it.each([
    ['an unknown window', { windows: { week: 1 } }, '/windows/week'],
    ['no window', { windows: {} }, '/windows'],
    ['a negative maximum', { windows: { hour: -1 } }, '/windows/hour'],
    ['a fraction', { windows: { hour: 1.5 } }, '/windows/hour'],
    ['an unsafe maximum', { windows: { hour: 2 ** 53 } }, '/windows/hour'],
    ['text', { windows: { hour: '5' } }, '/windows/hour'],
    ['an unknown enforcement', { windows: { hour: 1 }, enforcement: 'MAYBE' }, '/enforcement'],
    ['an enforcement in other letters', { windows: { hour: 1 }, enforcement: 'ſoft' }, '/enforcement'],
    ['two subjects', { windows: { hour: 1 }, feature: 'chat' }, '/product_key'],
    ['no subject', { windows: { hour: 1 }, product_key: undefined }, '/product_key'],
    ['a customer and a plan', { windows: { hour: 1 }, plan_sku: 'PLAN' }, '/plan_sku'],
  ])('refuses %s', async (_what, body, pointer) => {
    const answer = await app.put('/limits', { external_id: newPerson(), product_key: 'CREDITS', ...body });
    expectProblem(answer, 400, 'invalid_request', pointer);
  });

  it('changes and removes the limit of a plan that is none any more', async () => {
    const items = [{ product_key: 'CREDITS', quantity: 1 }];
    const plan = { name: 'A plan', price: '1.00', currency: 'USD', recurrence: { unit: 'months', count: 1 }, items };
    await app.put('/offers/ONCE_A_PLAN', plan);
    const ofPlan = { plan_sku: 'ONCE_A_PLAN', product_key: 'CREDITS' };
    expect((await app.put('/limits', { ...ofPlan, windows: { hour: 1 } })).status).toBe(201);
    await app.put('/offers/ONCE_A_PLAN', { ...plan, recurrence: null });
    expect((await app.patch('/limits', { ...ofPlan, windows: { hour: 2 } })).status).toBe(200);
    const query = '/limits?plan_sku=ONCE_A_PLAN&product_key=CREDITS';
    expect((await app.delete(query)).status).toBe(204);
    expectProblem(await app.delete(query), 404, 'offer_not_found');
  });

  it('refuses unknown subjects and plans, and changes of what there is not', async () => {
    const external_id = newPerson();
    const windows = { hour: 1 };
    expectProblem(
      await app.put('/limits', { external_id, product_key: 'NONE', windows }),
      404,
      'product_not_found',
      '/product_key',
    );
    expectProblem(
      await app.put('/limits', { external_id, feature: 'none', windows }),
      404,
      'feature_not_found',
      '/feature',
    );
    expectProblem(
      await app.put('/limits', { plan_sku: 'NONE', feature: 'chat', windows }),
      404,
      'offer_not_found',
      '/plan_sku',
    );
    expectProblem(
      await app.patch('/limits', { external_id: newPerson(), feature: 'chat', windows }),
      404,
      'customer_not_found',
    );
    expectProblem(await app.delete('/limits?feature=chat'), 404, 'limit_not_found');
    await app.put('/limits', { product_key: 'CREDITS', windows: { total: 1_000_000 } });
    for (const mistyped of ['externalid=a', 'customerId=a', 'external_id=', 'plan=a']) {
      const answer = await app.delete(`/limits?product_key=CREDITS&${mistyped}`);
      expectProblem(answer, 400, 'invalid_request', `query/${mistyped.slice(0, mistyped.indexOf('='))}`);
    }
    const lone = { product_key: 'CREDITS', provider: 'telegram', windows: { total: 1 } };
    const removal = await app.delete('/limits?product_key=CREDITS&provider=telegram');
    expectProblem(removal, 400, 'invalid_request', 'query/provider');
    expectProblem(await app.put('/limits', lone), 400, 'invalid_request', '/provider');
    expectProblem(await app.patch('/limits', lone), 400, 'invalid_request', '/provider');
    for (const [query, pointer] of [
      ['scope=default&plan_sku=PLAN', 'query/scope'],
      ['scope=default&external_id=a', 'query/scope'],
      ['product_key=CREDITS&feature=chat', 'query/product_key'],
    ] as const)
      expectProblem(await app.get(`/limits?${query}`), 400, 'invalid_request', pointer);
    for (const path of ['/limits', '/orders', '/payments', '/quota/events', '/events', '/audit', '/invariants'])
      expectProblem(await app.get(`${path}?provider=telegram`), 400, 'invalid_request', 'query/provider');
    expect((await app.delete('/limits?product_key=CREDITS')).status).toBe(204);
    expectProblem(await app.patch('/limits', { feature: 'chat' }), 400, 'invalid_request', '/windows');
  });
});
