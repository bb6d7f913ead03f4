// Limits of plans, and windows of billing periods.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);

const limitOf = (plan_sku: string, windows: Json, more: Json = {}) =>
  app.put('/limits', { plan_sku, product_key: 'UNITS', windows, ...more });
const use = async (external_id: string, amount: number, product_key = 'UNITS') =>
  (await app.post('/quota/consume', { external_id, product_key, amount })).status;
const windowsOf = async (external_id: string, product = 'UNITS'): Promise<Json[]> => {
  const { body } = await app.get(`/quota/status?external_id=${external_id}&product_key=${product}`);
  return body.data.find(({ product_key }: Json) => product_key === product).windows;
};

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  await putProduct(app, 'OTHERS');
  const units = [monthly('UNITS', 1_000)];
  await plans.put('SMALL', '0', units);
  await plans.put('LARGE', '0', units);
  await plans.put('PAID', '10', units, { grace_days: 5 });
  await plans.put('PERIODIC', '10', units, { grace_days: 5 });
  await plans.put('BESIDE', '0', [monthly('OTHERS', 1_000)], {}, { plan_group: 'beside' });
  await limitOf('SMALL', { month: 10 });
  await limitOf('LARGE', { month: 20 });
  await limitOf('PAID', { day: 5 });
  await limitOf('PERIODIC', { billing_period: 10 });
  await limitOf('BESIDE', { month: 15 });
});

describe('limits of a plan', () => {
  it('are in force of who has it, and of nobody else', async () => {
    const [one, other] = [newPerson(), newPerson()];
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.begin(one, 'small');
    await app.post('/grants', {
      external_id: other,
      product_key: 'UNITS',
      quantity: 100,
      grant_type: 'adjustment',
      reason: 'test',
    });
    expect([await use(one, 10), await use(one, 1), await use(other, 11)]).toEqual([200, 429, 200]);
    expect(await windowsOf(one)).toMatchObject([{ window: 'month', limit: 10, scope: 'plan', remaining: 0 }]);
  });

  it('are those of the new plan at once when it changes, and what was used stays', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    const { id } = await plans.begin(person, 'small');
    expect([await use(person, 10), await use(person, 1)]).toEqual([200, 429]);
    await plans.act(id, 'change', { sku: 'large', when: 'now' });
    expect([await use(person, 10), await use(person, 1)]).toEqual([200, 429]);
    await plans.act(id, 'change', { sku: 'small', when: 'now' });
    expect(await windowsOf(person)).toMatchObject([{ limit: 10, current: 20, status: 'over_limit' }]);
    await plans.act(id, 'cancel', { when: 'now' });
    expect(await use(person, 1)).toBe(200);
  });

  it('of several plans are the larger, and unlimited is larger than any', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.begin(person, 'small');
    await plans.begin(person, 'beside');
    expect([await use(person, 15), await use(person, 1)]).toEqual([200, 429]);
    await limitOf('BESIDE', { month: null });
    expect(await use(person, 100)).toBe(200);
    await limitOf('BESIDE', { month: 15 });
  });

  it('give way to the customer’s own, and stand before those of all', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.begin(person, 'small');
    await app.put('/limits', { product_key: 'UNITS', windows: { month: 3, hour: 9 } });
    expect([await use(person, 9), await use(person, 1)]).toEqual([200, 429]);
    await app.put('/limits', { external_id: person, product_key: 'UNITS', windows: { month: 12, hour: null } });
    expect([await use(person, 3), await use(person, 1)]).toEqual([200, 429]);
    await app.delete('/limits?product_key=UNITS');
  });

  it('are not yet of what is not paid, and stay while it is past due', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await app.post('/grants', {
      external_id: person,
      product_key: 'UNITS',
      quantity: 100,
      grant_type: 'adjustment',
      reason: 'test',
    });
    const { order } = await plans.begin(person, 'paid');
    expect(await use(person, 6)).toBe(200);
    await plans.confirm(order.id);
    expect(await use(person, 1)).toBe(429);
    app.clock.set('2027-02-11T12:00:00.000Z');
    expect([await use(person, 5), await use(person, 1)]).toEqual([200, 429]);
    expect(await plans.own(person)).toMatchObject({ status: 'past_due' });
  });
});

describe('a billing period', () => {
  it('is that of the subscription, from its beginning to its end', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(person, 'periodic');
    await plans.buy(person, 'periodic');
    expect([await use(person, 10), await use(person, 1)]).toEqual([200, 429]);
    expect(await windowsOf(person)).toMatchObject([
      { window: 'billing_period', resets_at: '2027-02-28T12:00:00.000Z', falls_back_to: null },
    ]);
    app.clock.set('2027-02-28T11:59:59.999Z');
    expect(await use(person, 1)).toBe(429);
    app.clock.set('2027-02-28T12:00:00.000Z');
    expect([await use(person, 10), await use(person, 1)]).toEqual([200, 429]);
  });

  it('stays open between periods; paid within the grace it ended at its end, and what was used since is of the new one', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(person, 'periodic');
    await app.post('/grants', {
      external_id: person,
      product_key: 'UNITS',
      quantity: 100,
      grant_type: 'adjustment',
      reason: 'test',
    });
    expect(await use(person, 4)).toBe(200);
    app.clock.set('2027-03-01T12:00:00.000Z');
    expect([await use(person, 6), await use(person, 1)]).toEqual([200, 429]);
    expect(await windowsOf(person)).toMatchObject([{ current: 10, resets_at: null }]);
    await plans.buy(person, 'periodic');
    expect(await windowsOf(person)).toMatchObject([{ current: 6, resets_at: '2027-03-31T12:00:00.000Z' }]);
    expect([await use(person, 4), await use(person, 1)]).toEqual([200, 429]);
    const { body } = await app.get(`/wallet/entries?external_id=${person}&limit=1`);
    expect(body.data[0]).toMatchObject({ kind: 'consume' });
  });

  it('paid later begins anew with its payment', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(person, 'periodic');
    await app.post('/grants', {
      external_id: person,
      product_key: 'UNITS',
      quantity: 100,
      grant_type: 'adjustment',
      reason: 'test',
    });
    expect(await use(person, 4)).toBe(200);
    app.clock.set('2027-03-10T12:00:00.000Z');
    expect(await use(person, 6)).toBe(200);
    app.clock.set('2027-03-10T12:00:01.000Z');
    await plans.buy(person, 'periodic');
    expect(await windowsOf(person)).toMatchObject([{ current: 0, resets_at: '2027-04-10T12:00:01.000Z' }]);
  });

  it('of a limit that no plan sets is that of the oldest subscription, else the month', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await app.put('/limits', { external_id: person, product_key: 'OTHERS', windows: { billing_period: 7 } });
    expect(await windowsOf(person, 'OTHERS')).toMatchObject([
      { resets_at: '2027-02-01T00:00:00.000Z', falls_back_to: 'month' },
    ]);
    const { id } = await plans.begin(person, 'beside');
    app.clock.set('2027-01-20T12:00:00.000Z');
    await plans.begin(person, 'small');
    expect([await use(person, 7, 'OTHERS'), await use(person, 1, 'OTHERS')]).toEqual([200, 429]);
    expect(await windowsOf(person, 'OTHERS')).toMatchObject([
      { resets_at: '2027-02-10T12:00:00.000Z', falls_back_to: null },
    ]);
    await plans.act(id, 'cancel', { when: 'now' });
    expect(await windowsOf(person, 'OTHERS')).toMatchObject([{ current: 7, resets_at: '2027-02-20T12:00:00.000Z' }]);
  });

  it('resumed by who subscribes again is the one that runs', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await app.put('/limits', {
      external_id: person,
      product_key: 'UNITS',
      windows: { billing_period: 7, month: null },
    });
    const { id } = await plans.begin(person, 'small');
    expect(await use(person, 5)).toBe(200);
    await plans.act(id, 'cancel', { when: 'now' });
    app.clock.set('2027-02-02T12:00:00.000Z');
    expect(await use(person, 1)).toBe(200);
    await plans.begin(person, 'large');
    expect(await windowsOf(person)).toMatchObject([{ current: 6, resets_at: '2027-02-10T12:00:00.000Z' }]);
    expect([await use(person, 1), await use(person, 1)]).toEqual([200, 429]);
  });

  it('is not exceeded by many at once on its last instant and the first of the next', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.buy(person, 'periodic');
    await plans.buy(person, 'periodic');
    for (const at of ['2027-02-28T11:59:59.999Z', '2027-02-28T12:00:00.000Z']) {
      app.clock.set(at);
      const answers = await Promise.all(Array.from({ length: 14 }, () => use(person, 1)));
      expect(answers.filter((status) => status === 200)).toHaveLength(10);
    }
  });
});
