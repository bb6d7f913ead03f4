// What was used: where a customer stands with his limits, use over time, the uses themselves, and several checks in one call. What limits refuse is tested in
// limits.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { issueToken } from '../support/customer-tokens.js';
import { bearer, makeKey } from '../support/keys.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'TOKENS', { features: ['chat', { feature: 'image', unit_cost: 5 }] });
  await putProduct(app, 'POOL', { features: [{ feature: 'render', unit_cost: 3 }] });
  await putProduct(app, 'ACCESS', { type: 'period', features: ['lounge'] });
  await putProduct(app, 'SEATS', { type: 'metered', features: ['seat'] });
});

const limit = (external_id: string, windows: Json, more: Json = {}) =>
  app.put('/limits', { external_id, product_key: 'CREDITS', windows, ...more });
const use = (external_id: string, amount = 1, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount, ...more });
const useFeature = (external_id: string, feature: string, amount = 1) =>
  app.post('/quota/consume', { external_id, feature, amount });
const reserve = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/reservations', { external_id, product_key: 'CREDITS', amount, ttl_seconds: 600, ...more });

async function personWith(units = 100, productKey = 'CREDITS'): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, productKey, units);
  return external_id;
}

async function read(path: string): Promise<Json> {
  const answer = await app.get(path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

describe('POST /quota/check/batch', () => {
  const check = (external_id: string, items: Json[], more: Json = {}) =>
    app.post('/quota/check/batch', { external_id, items, ...more });

  it('says of each what a check says, each by itself, and writes nothing', async () => {
    const external_id = await personWith(10);
    await grantUnits(app, external_id, 'TOKENS', 12);
    await limit(external_id, { day: 8 });
    const items = [
      { product_key: 'CREDITS', amount: 8 },
      { product_key: 'CREDITS', amount: '8' },
      { product_key: 'credits', amount: 9 },
      { feature: 'image', amount: 2 },
      { feature: 'image', amount: 3 },
      { feature: 'chat' },
    ];
    const written = await writtenBy(app, async () => {
      const answer = await check(external_id, items);
      expect(answer.status, answer.text).toBe(200);
      const alone = await Promise.all(items.map((item) => app.post('/quota/check', { external_id, ...item })));
      expect(answer.body.results).toEqual(alone.map(({ body }, index) => ({ index, ...body })));
      expect(answer.body.results.map(({ allowed }: Json) => allowed)).toEqual([true, true, false, true, false, true]);
      expect(answer.body.results[2]).toMatchObject({
        reasons: [{ code: 'limit_exceeded' }],
        violations: [{ window: 'day', current: 0, requested: 9 }],
        allowed_at: null,
      });
    });
    expect(written).toEqual({});
  });

  it('says of an item that can’t be checked what its problem is, and answers the others', async () => {
    const external_id = await personWith();
    const { body } = await check(external_id, [
      { product_key: 'NOTHING' },
      { product_key: 'CREDITS' },
      { feature: 'nothing' },
    ]);
    expect(body.results).toMatchObject([
      { index: 0, allowed: false, code: 'product_not_found', errors: [{ pointer: '/product_key' }] },
      { index: 1, allowed: true },
      { index: 2, allowed: false, code: 'feature_not_found' },
    ]);
  });

  it('answers of somebody never seen, but of no unknown id', async () => {
    const { body } = await check(newPerson(), [{ product_key: 'CREDITS' }]);
    expect(body.results).toMatchObject([{ allowed: false, reasons: [{ code: 'insufficient_quota' }], remaining: 0 }]);
    const unknown = await app.post('/quota/check/batch', {
      customer_id: UNKNOWN_ID,
      items: [{ product_key: 'CREDITS' }],
    });
    expectProblem(unknown, 404, 'customer_not_found');
  });

  it('lets a customer ask for himself', async () => {
    const external_id = await personWith(3);
    const token = await issueToken(app, external_id, { abilities: ['quota.check'] });
    const answer = await app.post('/quota/check/batch', { items: [{ product_key: 'CREDITS' }] }, bearer(token));
    expect(answer.body.results).toMatchObject([{ allowed: true, remaining: 2 }]);
  });

  it.each([
    ['no items', { items: [] }, '/items'],
    ['too many', { items: Array.from({ length: 101 }, () => ({ product_key: 'CREDITS' })) }, '/items'],
    ['an item with two subjects', { items: [{ product_key: 'CREDITS', feature: 'chat' }] }, '/items/0/product_key'],
    ['an item without a subject', { items: [{ product_key: 'CREDITS' }, { amount: 1 }] }, '/items/1/product_key'],
    ['an amount that is none', { items: [{ product_key: 'CREDITS', amount: 0 }] }, '/items/0/amount'],
    ['a member that it does not know', { items: [{ product_key: 'CREDITS', ammount: 2 }] }, '/items/0/ammount'],
  ])('refuses %s', async (_what, body, pointer) => {
    expectProblem(await app.post('/quota/check/batch', { external_id: 'x', ...body }), 400, 'invalid_request', pointer);
  });
});

describe('GET /quota/status', () => {
  const statusOf = async (external_id: string, more = '') =>
    (await read(`/quota/status?external_id=${external_id}${more}`)) as { data: Json[] };

  it('tells of each window what was used and what is left, in the order of their lengths', async () => {
    app.clock.set('2028-02-29T23:30:00.000Z');
    const external_id = await personWith(100);
    await limit(external_id, { hour: 10, day: 3, month: 5, billing_period: 100, total: null }, { enforcement: 'SOFT' });
    await use(external_id, 5);
    const status = await statusOf(external_id);
    expect(status).toEqual({
      customer_id: await customerIdOf(app, external_id),
      data: [
        {
          product_key: 'CREDITS',
          balance: 95,
          windows: [
            ['hour', 10, 5, 'within_limit', '2028-03-01T00:00:00.000Z'],
            ['day', 3, 0, 'over_limit', '2028-03-01T00:00:00.000Z'],
            ['month', 5, 0, 'at_limit', '2028-03-01T00:00:00.000Z'],
            ['billing_period', 100, 95, 'within_limit', '2028-03-01T00:00:00.000Z'],
          ].map(([window, ceiling, remaining, state, resets_at]) => ({
            window,
            falls_back_to: window === 'billing_period' ? 'month' : null,
            current: 5,
            limit: ceiling,
            remaining,
            enforcement: 'SOFT',
            scope: 'customer',
            status: state,
            resets_at,
          })),
        },
      ],
      has_more: false,
      limits_as_of: null,
    });
    app.clock.set('2028-03-01T00:00:00.000Z');
    const [{ windows }] = (await statusOf(external_id)).data as [{ windows: Json[] }];
    expect(windows.map(({ current }) => current)).toEqual([0, 0, 0, 0]);
  });

  it('says the numbers that a decision goes by, whatever was set and taken away meanwhile', async () => {
    const external_id = await personWith(100);
    await use(external_id, 4);
    await limit(external_id, { day: 10, total: 20 });
    await use(external_id, 3);
    await app.delete(`/limits?external_id=${external_id}&product_key=CREDITS`);
    await use(external_id, 2);
    await limit(external_id, { day: 10, total: 20 });
    const { data } = await statusOf(external_id);
    expect(data).toMatchObject([
      {
        windows: [
          { window: 'day', current: 9, remaining: 1 },
          { window: 'total', current: 9, remaining: 11 },
        ],
      },
    ]);
    expect((await use(external_id, 2)).body.violations).toMatchObject([{ window: 'day', current: 9 }]);
  });

  it('tells of a lowered limit that nothing remains', async () => {
    const external_id = await personWith();
    await use(external_id, 8);
    await limit(external_id, { day: 5 });
    expect((await statusOf(external_id)).data).toMatchObject([
      { windows: [{ current: 8, limit: 5, remaining: 0, status: 'over_limit', enforcement: 'HARD' }] },
    ]);
  });

  it('tells of defaults, which hold for him too, and of a limit of 0', async () => {
    const external_id = await personWith();
    await app.put('/limits', { feature: 'render', windows: { day: 0 } });
    const { data } = await statusOf(external_id);
    expect(data).toMatchObject([
      { product_key: 'CREDITS', windows: [{ window: 'month', status: 'no_limit' }, { window: 'total' }] },
      {
        feature: 'render',
        balance: 0,
        windows: [{ window: 'day', current: 0, limit: 0, remaining: 0, status: 'at_limit', scope: 'default' }],
      },
    ]);
    await app.delete('/limits?feature=render');
  });

  it('tells what he used and holds without a limit: this month, and in all', async () => {
    app.clock.set('2027-01-31T23:59:59.999Z');
    const external_id = await personWith(100, 'TOKENS');
    await app.post('/grants', { external_id, grant_type: 'bonus', product_key: 'ACCESS' });
    await useFeature(external_id, 'image', 2);
    app.clock.set('2027-02-01T00:00:00.000Z');
    await useFeature(external_id, 'chat', 3);
    await useFeature(external_id, 'lounge');
    const { data } = await statusOf(external_id);
    const unlimited = (inMonth: number, inAll: number) => [
      { window: 'month', current: inMonth, resets_at: '2027-03-01T00:00:00.000Z' },
      { window: 'total', current: inAll, resets_at: null },
    ];
    expect(data).toMatchObject([
      { product_key: 'ACCESS', balance: null, windows: unlimited(1, 1) },
      { product_key: 'TOKENS', balance: 87, windows: unlimited(3, 13) },
      { feature: 'chat', balance: 87, windows: unlimited(3, 3) },
      { feature: 'image', balance: 17, windows: unlimited(0, 2) },
      { feature: 'lounge', balance: null, windows: unlimited(1, 1) },
    ]);
    for (const { windows } of data as { windows: Json[] }[]) {
      for (const window of windows) {
        expect(window).toMatchObject({
          limit: null,
          remaining: null,
          enforcement: null,
          scope: null,
          status: 'no_limit',
        });
      }
    }
  });

  it('does not count what was given back, nor what lapsed, in the ledger or not yet', async () => {
    const external_id = await personWith(100);
    const { body: used } = await use(external_id, 10);
    await app.post('/quota/release', { operation_id: used.operation_id, amount: 4 });
    const { body: held } = await reserve(external_id, 20);
    await app.post(`/reservations/${held.id}/commit`, { amount: 5 });
    await reserve(external_id, 30);
    const current = async () => {
      const { data } = await statusOf(external_id);
      return (data as { windows: Json[] }[])[0]?.windows.map((window) => window.current);
    };
    expect(await current()).toEqual([41, 41]);
    app.clock.advance({ seconds: 601 });
    expect(await current()).toEqual([11, 11]);
    await limit(external_id, { total: 50 });
    expect(await current()).toEqual([11]);
  });

  it('tells what was used of a feature that no product provides any more', async () => {
    await putProduct(app, 'OLD', { features: ['fax'] });
    const external_id = await personWith(10, 'OLD');
    await useFeature(external_id, 'fax', 2);
    await putProduct(app, 'OLD', { features: [], force: true });
    const told = { balance: 0, windows: [{ current: 2 }, { current: 2 }] };
    expect((await statusOf(external_id)).data).toMatchObject([{ product_key: 'OLD' }, { feature: 'fax', ...told }]);
    expect((await statusOf(external_id, '&feature=fax')).data).toMatchObject([told]);
  });

  it('tells of a gauge what is in use, limit or none, and of other windows what was added', async () => {
    const external_id = newPerson();
    await app.post('/quota/consume', { external_id, product_key: 'SEATS', amount: 5 });
    await useFeature(external_id, 'seat', 2);
    await app.post('/quota/release', { external_id, product_key: 'SEATS', amount: 3 });
    const told = async () => {
      const { data } = await statusOf(external_id);
      return (data as { balance: null; windows: Json[] }[]).map(({ balance, windows }) => [
        balance,
        ...windows.map(({ window, current }) => [window, current]),
      ]);
    };
    const ofSeat = [null, ['month', 2], ['total', 2]];
    expect(await told()).toEqual([[null, ['month', 7], ['total', 4]], ofSeat]);
    await app.put('/limits', { external_id, product_key: 'SEATS', windows: { day: 10, total: 10 } });
    expect(await told()).toEqual([[null, ['day', 7], ['total', 4]], ofSeat]);
    const usage = (await read(
      `/quota/usage?external_id=${external_id}&product_key=SEATS&from=1970-01-01&window=month`,
    )) as {
      data: Json[];
    };
    expect(usage.data.filter(({ used }) => used !== 0)).toMatchObject([{ start: '2026-01-01T00:00:00.000Z', used: 7 }]);
  });

  it('tells of limits that he shares with another customer, and as of when', async () => {
    const [external_id, source] = [await personWith(), await personWith()];
    await limit(source, { day: 7, month: 70 });
    await limit(external_id, { day: 5 });
    const source_customer_id = await customerIdOf(app, source);
    expect((await app.put('/limits/source', { external_id, source_customer_id })).status).toBe(200);
    expect(await statusOf(external_id)).toMatchObject({
      data: [
        {
          windows: [
            { window: 'day', limit: 5, scope: 'customer' },
            { window: 'month', limit: 70, scope: 'source' },
          ],
        },
      ],
      limits_as_of: '2026-01-31T12:00:00.000Z',
    });
  });

  it('leaves out what is retired and was never used', async () => {
    await putProduct(app, 'SOON_GONE', { features: ['telex'] });
    const external_id = await personWith(10, 'SOON_GONE');
    expect((await statusOf(external_id)).data).toHaveLength(2);
    await putProduct(app, 'SOON_GONE', { features: ['telex'], is_active: false });
    expect((await statusOf(external_id)).data).toEqual([]);
    await useFeature(external_id, 'telex');
    expect((await statusOf(external_id)).data).toMatchObject([{ balance: 9 }, { balance: 9 }]);
  });

  it('tells of one subject where it is named, also of one that he never had', async () => {
    const external_id = await personWith(10);
    await limit(external_id, { day: 5 });
    await use(external_id, 2);
    expect((await statusOf(external_id, '&product_key=credits')).data).toMatchObject([
      { product_key: 'CREDITS', balance: 8, windows: [{ window: 'day', current: 2 }] },
    ]);
    expect((await statusOf(external_id, '&feature=render')).data).toMatchObject([
      {
        feature: 'render',
        balance: 0,
        windows: [
          { window: 'month', current: 0 },
          { window: 'total', current: 0 },
        ],
      },
    ]);
    await use(external_id, 3);
    await app.delete(`/limits?external_id=${external_id}&product_key=CREDITS`);
    expect((await statusOf(external_id, '&product_key=CREDITS')).data).toMatchObject([
      { windows: [{ current: 5 }, { current: 5 }] },
    ]);
    const path = `/quota/status?external_id=${external_id}`;
    expectProblem(await app.get(`${path}&product_key=NONE`), 404, 'product_not_found');
    expectProblem(await app.get(`${path}&feature=none`), 404, 'feature_not_found');
    expectProblem(
      await app.get(`${path}&feature=chat&product_key=CREDITS`),
      400,
      'invalid_request',
      'query/product_key',
    );
  });

  it('writes nothing, and is for customers themselves too', async () => {
    const external_id = await personWith(10);
    const token = await issueToken(app, external_id, { abilities: ['balance.read'] });
    const written = await writtenBy(app, async () => {
      const answer = await app.get('/quota/status', bearer(token));
      expect(answer.body.data).toMatchObject([{ product_key: 'CREDITS', balance: 10 }]);
    });
    expect(written).toEqual({});
    expectProblem(await app.get('/quota/status?external_id=another', bearer(token)), 403, 'forbidden');
  });
});

describe('GET /quota/usage', () => {
  const usageOf = async (external_id: string, more = '') =>
    (await read(`/quota/usage?external_id=${external_id}&product_key=CREDITS${more}`)) as { data: Json[] };
  const pairs = (data: Json[]) => data.map(({ start, used }) => [start, used]);

  it('adds up by half-open windows, oldest first, and fills gaps with 0', async () => {
    app.clock.set('2028-02-28T23:59:59.999Z');
    const external_id = await personWith(1_000);
    await use(external_id, 1);
    app.clock.set('2028-02-29T00:00:00.000Z');
    await use(external_id, 2);
    app.clock.set('2028-02-29T23:59:59.999Z');
    await use(external_id, 4);
    app.clock.set('2028-03-02T10:00:00.000Z');
    await use(external_id, 8);
    const days = await usageOf(external_id, '&window=day&from=2028-02-28&to=2028-03-03');
    expect(days).toEqual({
      customer_id: await customerIdOf(app, external_id),
      product_key: 'CREDITS',
      window: 'day',
      data: [
        { start: '2028-02-28T00:00:00.000Z', end: '2028-02-29T00:00:00.000Z', used: 1 },
        { start: '2028-02-29T00:00:00.000Z', end: '2028-03-01T00:00:00.000Z', used: 6 },
        { start: '2028-03-01T00:00:00.000Z', end: '2028-03-02T00:00:00.000Z', used: 0 },
        { start: '2028-03-02T00:00:00.000Z', end: '2028-03-03T00:00:00.000Z', used: 8 },
      ],
      settlement_pending: false,
    });
    const months = await usageOf(external_id, '&window=month&from=2028-01-31T23:00:00Z&to=2028-03-01T00:00:00.001Z');
    expect(pairs(months.data)).toEqual([
      ['2028-01-01T00:00:00.000Z', 0],
      ['2028-02-01T00:00:00.000Z', 7],
      ['2028-03-01T00:00:00.000Z', 8],
    ]);
    const hours = await usageOf(external_id, '&window=hour&from=2028-02-28T23:30:00Z&to=2028-02-29T01:00:00Z');
    expect(pairs(hours.data)).toEqual([
      ['2028-02-28T23:00:00.000Z', 1],
      ['2028-02-29T00:00:00.000Z', 2],
    ]);
  });

  it.each([
    ['hour', 24, '2026-01-30T13:00:00.000Z', '2026-01-31T13:00:00.000Z'],
    ['day', 30, '2026-01-02T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
    ['month', 12, '2025-02-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
  ])('tells the last windows by default, the present one among them: %s', async (window, count, first, end) => {
    const external_id = await personWith();
    await use(external_id, 3);
    const { data } = await usageOf(external_id, `&window=${window}`);
    expect(data).toHaveLength(count);
    expect(data[0]).toMatchObject({ start: first, used: 0 });
    expect(data.at(-1)).toMatchObject({ end, used: 3 });
    if (window === 'day') expect((await usageOf(external_id)).data).toEqual(data);
  });

  it('is lowered where the use was by what is given back, and counts a hold when it was made', async () => {
    app.clock.set('2027-05-10T12:00:00.000Z');
    const external_id = await personWith(1_000);
    const { body: used } = await use(external_id, 10);
    const { body: held } = await reserve(external_id, 20, { ttl_seconds: 4 * 86_400 });
    await reserve(external_id, 40, { ttl_seconds: 2 * 86_400 });
    app.clock.set('2027-05-11T12:00:00.000Z');
    await app.post('/quota/release', { operation_id: used.operation_id, amount: 4 });
    await app.post(`/reservations/${held.id}/commit`, { amount: 25, allow_excess: true });
    const days = async () => {
      const { data, settlement_pending } = (await read(
        `/quota/usage?external_id=${external_id}&product_key=CREDITS&from=2027-05-10&to=2027-05-12`,
      )) as { data: Json[]; settlement_pending: boolean };
      return [data.map(({ used: units }) => units), settlement_pending];
    };
    expect(await days()).toEqual([[66, 5], false]);
    app.clock.set('2027-05-12T12:00:00.000Z');
    expect(await days()).toEqual([[66, 5], true]);
    await use(external_id, 1);
    expect(await days()).toEqual([[26, 5], false]);
  });

  it('counts a feature in its own units', async () => {
    const external_id = newPerson();
    for (const units of [1, 1, 2, 5]) await grantUnits(app, external_id, 'POOL', units);
    await useFeature(external_id, 'render', 3);
    const last = async (subject: string) => {
      const { data } = (await read(`/quota/usage?external_id=${external_id}&${subject}`)) as { data: Json[] };
      return data.at(-1)?.used;
    };
    expect([await last('feature=render'), await last('product_key=POOL')]).toEqual([3, 9]);
  });

  it('is of all customers for admin, and for nobody else', async () => {
    app.clock.set('2029-07-01T12:00:00.000Z');
    const [ann, ben] = [await personWith(100, 'POOL'), await personWith(100, 'POOL')];
    await useFeature(ann, 'render', 2);
    app.clock.set('2029-07-02T12:00:00.000Z');
    await useFeature(ben, 'render', 5);
    const query = '&from=2029-07-01&to=2029-07-03';
    const { data, ...rest } = (await read(`/quota/usage?feature=render${query}`)) as { data: Json[] };
    expect(rest).toEqual({ customer_id: null, feature: 'render', window: 'day', settlement_pending: null });
    expect(data.map(({ used }) => used)).toEqual([2, 5]);
    const all = (await read(`/quota/usage?product_key=POOL${query}`)) as { data: Json[] };
    expect(all.data.map(({ used }) => used)).toEqual([6, 15]);
    const reader = bearer((await makeKey(app, ['read'])).token);
    expectProblem(await app.get('/quota/usage?feature=render', reader), 403, 'forbidden', 'query/customer_id');
    expect((await app.get(`/quota/usage?feature=render&external_id=${ann}`, reader)).status).toBe(200);
    const own = bearer(await issueToken(app, ann, { abilities: ['entries.read'] }));
    const ofAnn = await app.get(`/quota/usage?feature=render${query}`, own);
    expect(ofAnn.body.data.map(({ used }: Json) => used)).toEqual([2, 0]);
  });

  it.each([
    ['no subject', '', 'query/product_key'],
    ['two subjects', 'product_key=CREDITS&feature=chat', 'query/product_key'],
    ['an unknown window', 'product_key=CREDITS&window=week', 'query/window'],
    ['windows of limits that are no time', 'product_key=CREDITS&window=total', 'query/window'],
    ['an empty span', 'product_key=CREDITS&from=2026-01-02&to=2026-01-02', 'query/from'],
    ['a beginning in the future', 'product_key=CREDITS&from=2027-01-02', 'query/from'],
    [
      'more than 1,000 windows',
      'product_key=CREDITS&window=hour&from=2026-01-01&to=2026-02-12T16:01:00Z',
      'query/from',
    ],
    ['an end that can’t be told', 'product_key=CREDITS&window=month&from=9999-01-01&to=9999-12-31', 'query/to'],
    ['an instant without an offset', 'product_key=CREDITS&from=2026-01-01T00:00:00', 'query/from'],
  ])('refuses %s', async (_what, query, pointer) => {
    const external_id = await personWith();
    expectProblem(await app.get(`/quota/usage?external_id=${external_id}&${query}`), 400, 'invalid_request', pointer);
  });

  it('tells 1,000 windows, and knows no unknown subject or person', async () => {
    const external_id = await personWith();
    const { data } = await usageOf(external_id, '&window=hour&from=2026-01-01&to=2026-02-11T16:00:00Z');
    expect(data).toHaveLength(1_000);
    expectProblem(await app.get(`/quota/usage?external_id=${external_id}&product_key=NONE`), 404, 'product_not_found');
    expectProblem(await app.get('/quota/usage?feature=none'), 404, 'feature_not_found');
    expectProblem(await app.get(`/quota/usage?external_id=${newPerson()}&feature=chat`), 404, 'customer_not_found');
  });
});

describe('GET /quota/events', () => {
  const eventsOf = async (external_id: string, more = '') =>
    (await read(`/quota/events?external_id=${external_id}${more}`)) as { data: Json[] };

  it('tells each use with what it counted, and the windows of limits that were looked at, newest first', async () => {
    const external_id = await personWith(100);
    app.clock.set('2026-02-10T10:30:00.000Z');
    await limit(external_id, { day: 50 });
    const used = await use(external_id, 7, { action_type: 'predict', action_id: 'p-1', metadata: { a: 1 } });
    const { body: held } = await reserve(external_id, 5);
    app.clock.set('2026-02-10T10:31:00.000Z');
    await app.post(`/reservations/${held.id}/commit`, { amount: 3 });
    await app.post('/quota/release', { operation_id: used.body.operation_id, amount: 2 });
    const { data, ...rest } = await eventsOf(external_id);
    expect(rest).toEqual({ next_cursor: null, settlement_pending: false });
    const [heldAt, endedAt] = ['2026-02-10T10:30:00.000Z', '2026-02-10T10:31:00.000Z'];
    expect(
      data.map(({ kind, amount, counted, counted_at, recorded_at }) => [
        kind,
        amount,
        counted,
        counted_at,
        recorded_at,
      ]),
    ).toEqual([
      ['reverse', 2, -2, heldAt, endedAt],
      ['release', 2, -2, heldAt, endedAt],
      ['commit', 3, 0, heldAt, endedAt],
      ['hold', 5, 5, heldAt, heldAt],
      ['consume', 7, 7, heldAt, heldAt],
    ]);
    const entries = (await read(`/wallet/entries?external_id=${external_id}&kind=consume`)) as { data: Json[] };
    const { refund_id: _, dispute_id: __, ...entry } = entries.data[0] as Json;
    expect(data.at(-1)).toEqual({
      ...entry,
      customer_id: await customerIdOf(app, external_id),
      recorded_at: heldAt,
      counted: 7,
      counted_at: heldAt,
      checked_limits: [
        {
          product_key: 'CREDITS',
          window: 'day',
          window_start: '2026-02-10T00:00:00.000Z',
          used_after: 7,
          limit: 50,
          enforcement: 'HARD',
        },
      ],
    });
    expect(data[0]?.checked_limits).toEqual([]);
  });

  it('adds up to the usage', async () => {
    const external_id = await personWith(1_000);
    await app.post('/credits/deduct', { external_id, product_key: 'CREDITS', amount: 1_030, allow_negative: true });
    const { body } = await use(external_id, 1);
    expect(body.code).toBe('insufficient_quota');
    await app.post('/credits/add', { external_id, product_key: 'CREDITS', amount: 50 });
    const { body: used } = await use(external_id, 9);
    await app.post('/quota/release', { operation_id: used.operation_id, amount: 4 });
    const { data } = await eventsOf(external_id);
    expect(data.reduce((sum, { counted }) => sum + Number(counted), 0)).toBe(1_035);
    const usage = (await read(`/quota/usage?external_id=${external_id}&product_key=CREDITS`)) as { data: Json[] };
    expect(usage.data.at(-1)?.used).toBe(1_035);
  });

  it('can be narrowed down, and read in pages', async () => {
    const external_id = await personWith(100);
    await grantUnits(app, external_id, 'TOKENS', 100);
    app.clock.set('2026-02-10T10:00:00.000Z');
    await use(external_id, 1, { action_type: 'a' });
    app.clock.set('2026-02-10T11:00:00.000Z');
    await use(external_id, 2, { action_type: 'b' });
    await useFeature(external_id, 'chat', 3);
    app.clock.set('2026-02-10T12:00:00.000Z');
    await useFeature(external_id, 'image', 4);
    await reserve(external_id, 5);
    const amounts = async (more: string) => (await eventsOf(external_id, more)).data.map(({ amount }) => amount);
    expect(await amounts('')).toEqual([5, 20, 3, 2, 1]);
    expect(await amounts('&product_key=credits')).toEqual([5, 2, 1]);
    expect(await amounts('&feature=image')).toEqual([20]);
    expect(await amounts('&feature=none')).toEqual([]);
    expect(await amounts('&kind=hold')).toEqual([5]);
    expect(await amounts('&action_type=b')).toEqual([2]);
    expect(await amounts('&from=2026-02-10T11:00:00Z')).toEqual([5, 20, 3, 2]);
    expect(await amounts('&to=2026-02-10T11:00:00Z')).toEqual([1]);
    expect(await amounts('&from=2026-02-10T11:00:00Z&to=2026-02-10T12:00:00Z&product_key=CREDITS')).toEqual([2]);
    expect(await amounts('&from=2026-02-11&to=2026-02-12')).toEqual([]);
    const pages = await readPages(app, `/quota/events?external_id=${external_id}&to=2026-02-10T12:00:00Z`, 2);
    expect(pages.map((page) => page.map(({ amount }) => amount))).toEqual([[3, 2], [1]]);
  });

  it('is of all customers for admin, newest first, in pages, of 31 days at most', async () => {
    const [ann, ben] = [await personWith(100, 'POOL'), await personWith(100, 'POOL')];
    app.clock.set('2030-03-01T00:00:00.000Z');
    await useFeature(ann, 'render', 1);
    app.clock.set('2030-03-20T00:00:00.000Z');
    await app.post('/quota/consume/batch', {
      items: [ben, ann, ben].map((external_id, at) => ({ external_id, feature: 'render', amount: at + 2 })),
      mode: 'atomic',
    });
    app.clock.set('2030-03-31T23:59:00.000Z');
    await useFeature(ben, 'render', 5);
    const all = (await read('/quota/events?feature=render')) as { data: Json[] };
    expect(all).toMatchObject({ next_cursor: null, settlement_pending: null });
    expect(all.data.map(({ counted }) => counted)).toHaveLength(5);
    expect(all.data.map(({ counted }) => counted)).toEqual([
      5,
      expect.any(Number),
      expect.any(Number),
      expect.any(Number),
      1,
    ]);
    expect(all.data[0]?.customer_id).toBe(await customerIdOf(app, ben));
    const pages = await readPages(app, '/quota/events?feature=render', 2);
    expect(pages.flat()).toEqual(all.data);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    const middle = (await read('/quota/events?product_key=POOL&from=2030-03-02&to=2030-03-31')) as { data: Json[] };
    expect(middle.data).toHaveLength(3);
    const recent = (await read('/quota/events?feature=render&to=2030-04-02')) as { data: Json[] };
    expect(recent.data).toHaveLength(4);
    expectProblem(await app.get('/quota/events?from=2030-01-01&to=2030-03-31'), 400, 'invalid_request', 'query/from');
    expectProblem(await app.get('/quota/events?from=2030-01-01'), 400, 'invalid_request', 'query/from');
    const reader = bearer((await makeKey(app, ['read'])).token);
    expectProblem(await app.get('/quota/events', reader), 403, 'forbidden', 'query/customer_id');
    const own = bearer(await issueToken(app, ann, { abilities: ['entries.read'] }));
    expect((await app.get('/quota/events', own)).body.data).toHaveLength(2);
  });

  it.each([
    ['two subjects', 'product_key=CREDITS&feature=chat', 'query/product_key'],
    ['a kind that is no use', 'kind=grant', 'query/kind'],
    ['an empty span', 'from=2026-01-02&to=2026-01-01', 'query/from'],
    ['a cursor of another list', `cursor=${Buffer.from('{"seq":"1"}').toString('base64url')}`, 'query/cursor'],
    ['a limit that is none', 'limit=0', 'query/limit'],
  ])('refuses %s', async (_what, query, pointer) => {
    const external_id = await personWith();
    expectProblem(await app.get(`/quota/events?external_id=${external_id}&${query}`), 400, 'invalid_request', pointer);
  });

  it('knows nobody who was never seen', async () => {
    expectProblem(await app.get(`/quota/events?external_id=${newPerson()}`), 404, 'customer_not_found');
    expectProblem(await app.get(`/quota/status?external_id=${newPerson()}`), 404, 'customer_not_found');
  });
});
