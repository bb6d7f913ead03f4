// Periods of plans that are paid ahead: given back, paid again, and of a plan that changes meanwhile.
import { beforeAll, describe, expect, it } from 'vitest';
import { putProduct, useTestApp } from '../support/app.js';
import { MONTH, monthly, plansOf } from '../support/plans.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const WEEK = { unit: 'weeks', count: 1 };
const YEAR = { unit: 'years', count: 1 };

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await putProduct(app, 'CLUB', { type: 'period', features: [{ feature: 'club', unit_cost: 1 }] });
  await plans.put('FREE', '0', [monthly('UNITS', 100)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000), monthly('CLUB')], { grace_days: 3 });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)]);
  await plans.put(
    'WEEKLY',
    '3',
    [{ ...monthly('UNITS', 70), period_unit: 'days', period_value: 7 }],
    {},
    { recurrence: WEEK },
  );
  await plans.put('YEARLY', '90', [{ ...monthly('UNITS', 9_000), period_unit: 'years' }], {}, { recurrence: YEAR });
});

describe('a period that was given back', () => {
  it('can be paid again', async () => {
    const person = newPerson();
    const first = await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const second = await plans.buy(person, 'pro');
    await plans.refund(second);
    const again = await plans.buy(person, 'pro');
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-03-31T12:00:00.000Z' });
    expect(await plans.balance(person)).toBe(1_000);
    await plans.refund(again);
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    await plans.buy(person, 'pro');
    expect(await plans.balance(person)).toBe(1_000);
    await plans.refund(first);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
  });

  it('can be paid again within its grace, before one that was paid ahead', async () => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const second = await plans.buy(person, 'pro');
    await plans.buy(person, 'pro');
    await plans.refund(second);
    app.clock.set('2026-03-01T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    await plans.buy(person, 'pro');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-03-31T12:00:00.000Z' });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-04-30T12:00:00.000Z' });
  });

  it('does not end the subscription, where a later one is paid', async () => {
    const person = newPerson();
    await plans.buy(person, 'team');
    const { id } = await plans.own(person);
    const second = await plans.buy(person, 'team');
    await plans.buy(person, 'team');
    await plans.refund(second);
    app.clock.set('2026-03-31T11:00:00.000Z'); // from 28 February on, more than 30 days without a payment
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-04-30T12:00:00.000Z' });
    expect(await plans.balance(person)).toBe(5_000);
  });

  it('is allocated free of charge, where its plan costs nothing', async () => {
    const person = newPerson();
    const { id } = await plans.begin(person, 'free');
    const items = [{ sku: 'free', price: '1.00', price_reason: 'a period more' }];
    const { body } = await app.post('/orders', { external_id: person, items });
    await plans.confirm(body.id);
    await plans.refund(body.id);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(100);
    app.clock.set('2026-07-31T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(100);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
  });

  it('is paid, given back and paid again within one instant', async () => {
    const person = newPerson();
    for (let times = 0; times < 3; times += 1) await plans.refund(await plans.buy(person, 'pro'));
    await plans.buy(person, 'team');
    await plans.buy(person, 'pro');
    await plans.buy(person, 'team');
    expect(await plans.own(person)).toMatchObject({ status: 'active', sku: 'TEAM' });
    expect(await plans.balance(person)).toBe(11_000);
  });

  it.each(['now', 'period_end'])('leaves the free plan that was changed to (%s)', async (when) => {
    const person = newPerson();
    const order = await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    app.clock.advance({ days: 2 });
    await plans.act(id, 'change', { sku: 'free', when });
    app.clock.advance({ days: 2 });
    await plans.refund(order);
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'FREE' });
    app.clock.set('2026-03-10T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'FREE' });
    expect(await plans.balance(person)).toBe(100);
  });

  it('is not waited for by a free plan that follows it', async () => {
    const person = newPerson();
    app.clock.set('2026-01-31T12:00:00.000Z');
    const order = await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const next = await plans.buy(person, 'pro');
    await plans.refund(order);
    await plans.act(id, 'change', { sku: 'free', when: 'period_end' });
    expect(await plans.show(id)).toMatchObject({ status: 'past_due', sku: 'PRO', change: { sku: 'FREE' } });
    app.clock.set('2026-02-02T12:00:00.000Z');
    await plans.refund(next);
    expect(await plans.show(id)).toMatchObject({
      ...{ status: 'active', sku: 'FREE', change: null },
      ...{ period_starts_at: '2026-02-02T12:00:00.000Z', period_ends_at: '2026-03-02T12:00:00.000Z' },
    });
    expect(await plans.balance(person)).toBe(100);
  });

  it('goes on where its dispute is won', async () => {
    const person = newPerson();
    const order = await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const tell = (status: string) => app.post(`/orders/${order}/dispute`, { dispute_id: `d ${order}`, status });
    const opened = await tell('opened');
    expect(opened.status, opened.text).toBeLessThan(300);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    await tell('won');
    expect(await plans.balance(person)).toBe(1_000);
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-02-28T12:00:00.000Z' });
  });
});

describe('periods of another length, paid ahead', () => {
  it.each([
    ['yearly', ['2027-02-28T12:00:00.000Z', '2028-02-29T12:00:00.000Z', '2029-02-28T12:00:00.000Z']],
    ['weekly', ['2026-03-07T12:00:00.000Z', '2026-03-14T12:00:00.000Z', '2026-03-21T12:00:00.000Z']],
  ])('follow one another: %s', async (sku, ends) => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.act(id, 'change', { sku, when: 'period_end' });
    for (let times = 0; times < 3; times += 1) await plans.buy(person, sku);
    app.clock.set('2026-02-28T12:00:00.000Z');
    for (const end of ends) {
      expect(await plans.show(id)).toMatchObject({ status: 'active', sku: sku.toUpperCase(), period_ends_at: end });
      app.clock.set(end);
    }
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
  });

  it.each([
    [MONTH, YEAR, '2027-02-28T12:00:00.000Z', '2028-02-29T12:00:00.000Z'],
    [YEAR, MONTH, '2027-02-28T12:00:00.000Z', '2027-03-31T12:00:00.000Z'],
    [MONTH, WEEK, '2026-03-07T12:00:00.000Z', '2026-03-14T12:00:00.000Z'],
    [{ unit: 'days', count: 7 }, MONTH, '2026-03-07T12:00:00.000Z', '2026-04-07T12:00:00.000Z'],
  ])(
    'are of the length that the offer has when they are ordered: %j, then %j',
    async (before, after, second, third) => {
      const person = newPerson();
      const sku = `LENGTH_${person.replaceAll(/\W/g, '_')}`.toUpperCase();
      await plans.put(sku, '10', [monthly('UNITS', 10)], {}, { recurrence: before });
      await plans.buy(person, sku);
      const { id, period_ends_at } = await plans.own(person);
      await plans.put(sku, '10', [monthly('UNITS', 10)], {}, { recurrence: after });
      await plans.buy(person, sku);
      await plans.buy(person, sku);
      app.clock.set(period_ends_at);
      expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: second });
      app.clock.set(second);
      expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: third });
      app.clock.set(third);
      expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    },
  );
});

describe('a change with periods that are paid ahead', () => {
  it.each(['carry', 'reset'])('is renewed when its own period ends (%s)', async (old_units) => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.buy(person, 'pro');
    app.clock.set('2026-02-15T12:00:00.000Z');
    const { order } = await plans.act(id, 'change', { sku: 'team', when: 'now', old_units });
    await plans.confirm(order.id);
    app.clock.set('2026-03-10T12:00:00.000Z');
    const due = await plans.show(id);
    expect(due).toMatchObject({ status: 'active', sku: 'TEAM', period_ends_at: '2026-03-15T12:00:00.000Z' });
    expect(due.order_id).not.toBeNull();
    await plans.confirm(due.order_id);
    app.clock.set('2026-03-15T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-04-15T12:00:00.000Z' });
    app.clock.set('2026-04-15T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'past_due', sku: 'TEAM' });
    expect(await plans.balance(person)).toBe(0);
  });

  it('at the end of the period takes nothing of what was paid for then', async () => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.act(id, 'change', { sku: 'team', when: 'period_end', old_units: 'reset' });
    const { order } = await plans.act(id, 'renew', {});
    await plans.confirm(order.id);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'TEAM' });
    expect(await plans.balance(person)).toBe(5_000);
  });

  it('that is paid when the grace is over takes nothing of what was paid for later', async () => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.act(id, 'change', { sku: 'team', when: 'period_end', old_units: 'reset' });
    const first = await plans.buy(person, 'team');
    await plans.buy(person, 'team');
    await plans.refund(first);
    app.clock.set('2026-03-10T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'past_due', sku: 'PRO' });
    await plans.buy(person, 'team');
    expect(await plans.balance(person)).toBe(5_000);
    app.clock.set('2026-04-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(10_000);
  });

  it('to a free plan goes on when they are over', async () => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.buy(person, 'pro');
    await plans.act(id, 'change', { sku: 'free', when: 'now' });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'FREE' });
    expect(await plans.balance(person)).toBe(100);
    expectProblem(await app.post(`/subscriptions/${id}/renew`, {}), 409, 'subscription_not_renewable');
  });
});

describe('a cancellation with the end of the period', () => {
  it.each(['before', 'after'])('ends with what is paid, whether it came %s the payment', async (order) => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const cancel = () => plans.act(id, 'cancel', { when: 'period_end' });
    if (order === 'before') await cancel();
    const paid = await plans.buy(person, 'pro');
    if (order === 'after') await cancel();
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({
      ...{ status: 'active', cancels_at_period_end: true, period_ends_at: '2026-03-31T12:00:00.000Z' },
    });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled', ended_at: '2026-03-31T12:00:00.000Z' });
    expectProblem(await app.post(`/subscriptions/${id}/renew`), 409, 'subscription_ended');
    expect((await app.get(`/orders/${paid}`)).body).toMatchObject({ status: 'paid', batches_total: 2 });
  });

  it('keeps the change that is paid, and ends with it', async () => {
    const person = newPerson();
    await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    await plans.act(id, 'change', { sku: 'team', when: 'period_end' });
    const { body } = await app.post(`/subscriptions/${id}/renew`);
    await plans.confirm(body.order.id);
    await plans.act(id, 'cancel', { when: 'period_end' });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'TEAM', cancels_at_period_end: true });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled' });
  });

  it('ends with the present period again, once what follows is given back', async () => {
    const person = newPerson();
    const first = await plans.buy(person, 'pro');
    const { id } = await plans.own(person);
    const second = await plans.buy(person, 'pro');
    await plans.act(id, 'cancel', { when: 'period_end' });
    await plans.refund(first);
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', cancels_at_period_end: true });
    await plans.refund(second);
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled' });
  });
});
