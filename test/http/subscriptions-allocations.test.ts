// Plans whose periods allocate more than once (`grant_every`): a year that gives units each month.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const YEAR = { unit: 'years', count: 1 };
const EACH_MONTH = { grant_every: { unit: 'months', count: 1 } };
const year = (product_key: string) => ({ product_key, quantity: 1, period_unit: 'years', period_value: 1 });

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  const items = [monthly('UNITS', 10), year('ACCESS')];
  await plans.put('YEARLY', '100', items, EACH_MONTH, { recurrence: YEAR });
  await plans.put('YEARLY_ALL', '100', items, { ...EACH_MONTH, rollover: 'all' }, { recurrence: YEAR });
  await plans.put('FREE_YEAR', '0', [monthly('UNITS', 10)], EACH_MONTH, { recurrence: YEAR });
  await plans.put('FREE_MORE', '0', [monthly('UNITS', 15)], EACH_MONTH, { recurrence: YEAR });
  await plans.put(
    'FREE_CAP',
    '0',
    [monthly('UNITS', 10)],
    { ...EACH_MONTH, rollover: 'cap', rollover_cap: 4 },
    { recurrence: YEAR },
  );
  await plans.put(
    'TRIAL_YEAR',
    '100',
    [monthly('UNITS', 10)],
    { ...EACH_MONTH, trial_period: { unit: 'months', count: 2 } },
    { recurrence: YEAR },
  );
  await plans.put('DAILY', '10', [{ product_key: 'UNITS', quantity: 3, period_unit: 'days', period_value: 1 }], {
    grant_every: { unit: 'days', count: 1 },
  });
});

const batchesOf = async (person: string): Promise<Json[]> => {
  const { body } = await app.get(`/wallet/batches?external_id=${person}&limit=100`);
  return body.data;
};

describe('a yearly plan that allocates monthly', () => {
  it('gives its units month by month, on the day of its anchor, and access once', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    const orderId = await plans.buy(person, 'yearly');
    const { body: order } = await app.get(`/orders/${orderId}`);
    expect(order.batches_total).toBe(13);
    const starts = order.batches
      .filter(({ product_key }: Json) => product_key === 'UNITS')
      .map((b: Json) => b.valid_from);
    expect([...starts].sort().slice(0, 4)).toEqual([
      '2027-01-31T12:00:00.000Z',
      '2027-02-28T12:00:00.000Z',
      '2027-03-31T12:00:00.000Z',
      '2027-04-30T12:00:00.000Z',
    ]);
    const { id } = await plans.own(person);
    expect(await plans.show(id)).toMatchObject({
      grant_every: { unit: 'months', count: 1 },
      allocates_at: '2027-02-28T12:00:00.000Z',
      period_ends_at: '2028-01-31T12:00:00.000Z',
      periods: [{ granted: { UNITS: 120, ACCESS: 1 } }],
    });
    expect(await plans.balance(person)).toBe(10);
    app.clock.set('2027-03-31T11:59:59.999Z');
    expect(await plans.balance(person)).toBe(10);
    expect((await plans.show(id)).allocates_at).toBe('2027-03-31T12:00:00.000Z');
    app.clock.set('2028-01-31T11:59:59.999Z');
    expect(await plans.balance(person)).toBe(10);
    const { steps, allocates_at } = await plans.show(id);
    expect(allocates_at).toBeNull();
    expect(steps.filter(({ kind }: Json) => kind === 'allocation_begun')).toHaveLength(11);
    expect(steps.filter(({ kind }: Json) => kind === 'renewal_due')).toHaveLength(1);
    app.clock.set('2028-01-31T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(0);
    expect((await plans.show(id)).status).toBe('past_due');
  });

  it('goes over from one month to the next by its rollover, late as on time', async () => {
    const [late, early] = [newPerson(), newPerson()];
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(late, 'yearly_all');
    await plans.buy(early, 'yearly_all');
    for (const month of ['03-01', '04-01', '05-01']) {
      app.clock.set(`2027-${month}T00:00:00.000Z`);
      expect(await plans.balance(early)).toBe(10 * Number(month.slice(1, 2)) - 10);
    }
    expect(await plans.balance(late)).toBe(40);
    expect((await batchesOf(late)).map((b) => [b.valid_from, b.expires_at, b.available]).sort()).toEqual(
      (await batchesOf(early)).map((b) => [b.valid_from, b.expires_at, b.available]).sort(),
    );
  });

  it('takes the share of each allocation when it is refunded in part, and all of them when whole', async () => {
    const [half, whole] = [newPerson(), newPerson()];
    app.clock.set('2027-01-31T12:00:00.000Z');
    const halfOrder = await plans.buy(half, 'yearly');
    const wholeOrder = await plans.buy(whole, 'yearly');
    app.clock.set('2027-02-10T12:00:00.000Z');
    await plans.refund(halfOrder, { amount: '55' });
    await plans.refund(wholeOrder);
    expect([await plans.balance(half), await plans.balance(whole)]).toEqual([5, 0]);
    app.clock.set('2027-03-10T12:00:00.000Z');
    expect([await plans.balance(half), await plans.balance(whole)]).toEqual([5, 0]);
    expect((await plans.own(whole)).status).toBe('past_due');
    expect((await plans.own(half)).allocates_at).toBe('2027-03-31T12:00:00.000Z');
  });

  it('gives back what a dispute took once that is won, and then allocates on', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    const order = await plans.buy(person, 'yearly');
    app.clock.set('2027-02-10T12:00:00.000Z');
    const dispute = (status: string) => app.post(`/orders/${order}/dispute`, { dispute_id: person, status });
    expect((await dispute('opened')).status).toBeLessThan(300);
    expect(await plans.balance(person)).toBe(0);
    expect((await dispute('won')).status).toBeLessThan(300);
    expect(await plans.balance(person)).toBe(10);
    app.clock.set('2027-03-10T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(10);
  });

  it('paid ahead, allocates the next year from its beginning', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(person, 'yearly');
    await plans.buy(person, 'yearly');
    app.clock.set('2028-03-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(10);
    expect(await plans.own(person)).toMatchObject({
      status: 'active',
      period_starts_at: '2028-01-31T12:00:00.000Z',
      allocates_at: '2028-03-31T12:00:00.000Z',
    });
  });

  it('changes now: units that are kept come on, those that are taken do not', async () => {
    for (const [old_units, left] of [
      ['carry', 10],
      ['reset', 0],
    ] as const) {
      const person = newPerson();
      app.clock.set('2027-01-31T12:00:00.000Z');
      await plans.buy(person, 'yearly');
      const { id } = await plans.own(person);
      const { order } = await plans.act(id, 'change', { sku: 'daily', when: 'now', old_units });
      await plans.confirm(order.id);
      app.clock.set('2027-03-10T12:00:00.000Z');
      expect(await plans.balance(person)).toBe(left);
    }
  });
});

describe('without a payment', () => {
  it('allocates month by month, and the next year too', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    const { id } = await plans.begin(person, 'free_year');
    for (const at of ['2027-02-28T12:00:00.000Z', '2027-12-31T12:00:00.000Z', '2028-02-29T12:00:00.000Z']) {
      app.clock.set(at);
      expect(await plans.balance(person)).toBe(10);
    }
    const { periods } = await plans.show(id);
    expect(periods).toMatchObject([{ granted: { UNITS: 120 } }, { granted: { UNITS: 120 } }]);
  });

  it('goes over within its cap, for years without anybody looking', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.begin(person, 'free_cap');
    app.clock.set('2030-05-05T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(14);
  });

  it('gives the difference of each month when it changes to a larger one, and nothing twice', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    let { id } = await plans.begin(person, 'free_year');
    app.clock.set('2027-06-10T12:00:00.000Z');
    for (let time = 0; time < 3; time += 1) {
      await plans.act(id, 'change', { sku: 'free_more', when: 'now' });
      expect(await plans.balance(person)).toBe(15);
      await plans.act(id, 'cancel', { when: 'now' });
      ({ id } = await plans.begin(person, 'free_more'));
      expect(await plans.balance(person)).toBe(15);
      await plans.act(id, 'change', { sku: 'free_year', when: 'now' });
    }
    app.clock.set('2027-07-10T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(15);
  });

  it('of a trial as long as it is', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    const { id } = await plans.begin(person, 'trial_year');
    expect((await plans.show(id)).periods[0].granted).toEqual({ UNITS: 20 });
    app.clock.set('2027-03-30T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(10);
    app.clock.set('2027-03-31T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(0);
  });
});

describe('allocations of days', () => {
  it('are as many as the month has', async () => {
    for (const [from, days] of [
      ['2027-02-01T00:00:00.000Z', 28],
      ['2027-03-01T00:00:00.000Z', 31],
    ] as const) {
      const person = newPerson();
      app.clock.set(from);
      const id = await plans.buy(person, 'daily');
      expect((await app.get(`/orders/${id}`)).body.batches_total).toBe(days);
    }
  });

  it('are refused where a period can not be divided so, or is divided too much', async () => {
    const put = (recurrence: Json, grant_every: Json) =>
      app.put('/offers/BAD', {
        name: 'Bad',
        price: '1',
        currency: 'USD',
        recurrence,
        plan: { grant_every },
        items: [monthly('UNITS')],
      });
    for (const [recurrence, every] of [
      [YEAR, YEAR],
      [YEAR, { unit: 'months', count: 5 }],
      [YEAR, { unit: 'hours', count: 1 }],
      [
        { unit: 'days', count: 30 },
        { unit: 'months', count: 1 },
      ],
      [
        { unit: 'months', count: 1 },
        { unit: 'days', count: 28 },
      ],
    ] as const) {
      const answer = await put(recurrence, every);
      expect(answer.status, JSON.stringify([recurrence, every])).toBe(400);
      expect(answer.body.errors).toMatchObject([{ pointer: '/plan/grant_every' }]);
    }
  });
});
