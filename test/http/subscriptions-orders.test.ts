// The orders of subscriptions: which one pays what, and which can't be paid any more.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { MONTH, monthly, plansOf } from '../support/plans.js';
import { expectProblem, newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const WEEKS = (count: number) => ({ unit: 'weeks', count });

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await plans.put('FREE', '0', [monthly('UNITS', 100)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000)], { grace_days: 3, rollover: 'all' });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)], { rollover: 'all' });
  await plans.put('TRIED', '10', [monthly('UNITS', 700)], { trial_period: WEEKS(2) });
  await plans.put('OTHER', '5', [monthly('UNITS', 1)], { rollover: 'all' }, { plan_group: 'other' });
});

const orderOf = async (id: unknown) => (await app.get(`/orders/${id}`)).body;

async function paid(person: string, sku: string) {
  await plans.buy(person, sku);
  return plans.own(person);
}

describe('the order of a renewal', () => {
  it('is not that of a change which waits for its payment', async () => {
    const { id } = await paid(newPerson(), 'pro');
    const change = await plans.act(id, 'change', { sku: 'team', when: 'now' });
    const renewal = await plans.act(id, 'renew');
    expect(renewal.order.id).not.toBe(change.order.id);
    expect(renewal.order).toMatchObject({ total_amount: '10.00' });
    expect((await plans.act(id, 'renew')).order.id).toBe(renewal.order.id);
    expect((await plans.act(id, 'change', { sku: 'team', when: 'now' })).change).toMatchObject({ sku: 'TEAM' });
  });

  it.each(['now', 'period_end'])(
    'can not be paid any more once it is cancelled, nor can that of a change (%s)',
    async (when) => {
      const { id } = await paid(newPerson(), 'pro');
      const renewal = await plans.act(id, 'renew');
      const change = await plans.act(id, 'change', { sku: 'team', when: 'now' });
      await plans.act(id, 'cancel', { when });
      expect(await orderOf(renewal.order.id)).toMatchObject({ status: 'cancelled' });
      expect(await orderOf(change.order.id)).toMatchObject({ status: 'cancelled' });
    },
  );

  it('is known to whoever asks at once, where time makes it', async () => {
    const [first, second] = [await paid(newPerson(), 'pro'), await paid(newPerson(), 'pro')];
    app.clock.set('2026-02-25T12:00:00.000Z');
    const renewal = await plans.act(first.id, 'renew');
    expect((await plans.show(first.id)).steps.filter(({ kind }: Json) => kind === 'renewal_due')).toHaveLength(1);
    await plans.act(first.id, 'cancel');
    expect(await orderOf(renewal.order.id)).toMatchObject({ status: 'cancelled' });
    await plans.act(second.id, 'cancel');
    const { body } = await app.get(`/orders?customer_id=${second.customer_id}`);
    expect(body.data.map(({ status }: Json) => status)).toEqual(['cancelled', 'paid']);
  });

  const ordersOf = async (person: string, status: string): Promise<Json[]> =>
    (await app.get(`/orders?external_id=${person}&status=${status}`)).body.data;

  it('is one, whether it is asked for before it is told, when it is, or at once', async () => {
    const person = newPerson();
    app.clock.set('2026-01-31T12:00:00.000Z');
    const { id } = await paid(person, 'pro');
    const asked = await Promise.all([1, 2, 3].map(() => plans.act(id, 'renew')));
    const ids = new Set(asked.map(({ order }) => order.id));
    expect(ids.size).toBe(1);
    app.clock.set('2026-02-25T12:00:00.000Z');
    const late = await Promise.all([1, 2, 3].map(() => plans.act(id, 'renew')));
    for (const { order } of late) expect(ids).toContain(order.id);
    expect(await ordersOf(person, 'pending')).toHaveLength(1);
    const { steps, order_id } = await plans.show(id);
    expect(ids).toContain(order_id);
    expect(steps.filter(({ kind }: Json) => kind === 'renewal_due')).toHaveLength(2);
    await plans.confirm(order_id);
    expect(await plans.show(id)).toMatchObject({ order_id: null });
    expect(await ordersOf(person, 'pending')).toEqual([]);
  });

  it('that waits while another one is paid pays the period behind, and is replaced once it would end too soon', async () => {
    const [soon, late] = [newPerson(), newPerson()];
    for (const person of [soon, late]) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { id } = await paid(person, 'pro');
      const { order } = await plans.act(id, 'renew');
      await plans.buy(person, 'pro');
      app.clock.set('2026-03-01T12:00:00.000Z');
      expect(await plans.show(id)).toMatchObject({ period_ends_at: '2026-03-31T12:00:00.000Z', order_id: order.id });
      if (person === late) {
        app.clock.set('2026-03-28T12:00:00.000Z');
        const { order_id } = await plans.show(id);
        expect((await ordersOf(person, 'pending')).map((one) => one.id)).toEqual([order_id]);
        expect(order_id).not.toBe(order.id);
        expect(await orderOf(order.id)).toMatchObject({ status: 'cancelled' });
      }
      await plans.confirm((await plans.show(id)).order_id);
      app.clock.set('2026-04-20T12:00:00.000Z');
      const { periods, status } = await plans.show(id);
      expect(status).toBe('active');
      expect(periods.map(({ starts_at }: Json) => String(starts_at).slice(0, 10))).toEqual([
        '2026-03-31',
        '2026-02-28',
        '2026-01-31',
      ]);
    }
  });

  it('made beside one by hand pays another period than that, whichever is paid first', async () => {
    const person = newPerson();
    app.clock.set('2026-01-31T12:00:00.000Z');
    const { id } = await paid(person, 'pro');
    const first = await plans.act(id, 'renew');
    await app.post(`/orders/${first.order.id}/cancel`, {});
    const second = await plans.act(id, 'renew');
    expect(second.order.id).not.toBe(first.order.id);
    await plans.confirm(second.order.id);
    const third = await plans.act(id, 'renew');
    expect(third.order.expires_at).toBe('2026-05-03T12:00:00.000Z'); // 31 March, 3 days of grace, and 30
    app.clock.set('2026-03-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ order_id: third.order.id });
    await plans.confirm(third.order.id);
    const { periods } = await plans.show(id);
    expect(periods.map(({ starts_at }: Json) => String(starts_at).slice(0, 10))).toEqual([
      '2026-03-31',
      '2026-02-28',
      '2026-01-31',
    ]);
  });

  it.each([
    ['now', 'carry'],
    ['period_end', 'carry'],
    ['period_end', 'reset'],
  ])('is not waited for by a plan that costs nothing, once the period is over: %s, %s', async (when, old_units) => {
    const person = newPerson();
    app.clock.set('2026-01-31T12:00:00.000Z');
    const { id } = await paid(person, 'pro');
    app.clock.set('2026-03-02T12:00:00.000Z');
    const { order_id, status } = await plans.show(id);
    expect(status).toBe('past_due');
    const dry = await plans.act(id, 'change', { sku: 'free', when, old_units, dry_run: true });
    const done = await plans.act(id, 'change', { sku: 'free', when, old_units });
    for (const one of [dry, done])
      expect(one).toMatchObject({
        ...{ status: 'active', sku: 'FREE', change: null, period_starts_at: '2026-03-02T12:00:00.000Z' },
        period_ends_at: '2026-04-02T12:00:00.000Z',
      });
    expect(await orderOf(order_id)).toMatchObject({ status: 'cancelled' });
    expect(await plans.balance(person)).toBe(100);
    app.clock.set('2026-05-01T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'FREE' });
    expect(await plans.balance(person)).toBe(100);
  });

  it('gives nothing again to who falls behind and comes back to a plan that costs nothing', async () => {
    const person = newPerson();
    app.clock.set('2026-01-31T12:00:00.000Z');
    const { id } = await plans.begin(person, 'free');
    for (const day of ['02-01', '02-02', '02-03']) {
      app.clock.set(`2026-${day}T12:00:00.000Z`);
      const order = await plans.buy(person, 'pro');
      await plans.refund(order);
      await plans.act(id, 'change', { sku: 'free', when: 'period_end' });
      expect(await plans.show(id)).toMatchObject({ status: 'active', sku: 'FREE' });
      expect(await plans.balance(person)).toBe(100);
    }
  });

  it('is made anew where it was cancelled', async () => {
    const person = newPerson();
    const { id } = await paid(person, 'pro');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id } = await plans.show(id);
    expect((await app.post(`/orders/${order_id}/cancel`, { reason: 'no' })).status).toBe(200);
    const { order } = await plans.act(id, 'renew');
    expect(order.id).not.toBe(order_id);
    await plans.confirm(order.id);
    const answer = await app.post(`/orders/${order.id}/confirm`, { payment_id: newPayment() });
    expectProblem(answer, 409, 'order_already_paid');
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    expect(await plans.balance(person)).toBe(2_000);
  });

  it('pays of a plan that is retired, and whose product is, too', async () => {
    const person = newPerson();
    await putProduct(app, 'LATE_UNITS', {});
    await plans.put('LATE', '10', [monthly('LATE_UNITS', 3)], { grace_days: 1 }, { plan_group: 'late' });
    const { id } = await paid(person, 'late');
    const retired = {
      name: 'LATE',
      price: '10',
      currency: 'USD',
      recurrence: MONTH,
      items: [monthly('LATE_UNITS', 3)],
      plan_group: 'late',
      is_active: false,
    };
    expect((await app.put('/offers/LATE', retired)).status).toBe(200);
    await putProduct(app, 'LATE_UNITS', { is_active: false });
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id } = await plans.show(id);
    await plans.confirm(order_id);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    expect(await plans.balance(person, 'LATE_UNITS')).toBe(3);
  });
});

describe('an order of several plans', () => {
  it('begins one of each group', async () => {
    const person = newPerson();
    const order = await plans.buy(person, 'pro', 'other');
    const { body } = await app.get(`/subscriptions?external_id=${person}`);
    expect(body.data).toHaveLength(2);
    app.clock.set('2026-02-25T12:00:00.000Z');
    for (const { id } of body.data) await plans.confirm((await plans.show(id)).order_id);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(2_002);
    await plans.refund(order);
    expect(await plans.balance(person)).toBeLessThanOrEqual(2_002);
  });
});

describe('a trial', () => {
  it('lasts as long as it is to, whatever free period runs', async () => {
    const person = newPerson();
    const { id } = await plans.begin(person, 'free');
    app.clock.set('2026-02-28T11:00:00.000Z');
    await plans.act(id, 'cancel', { when: 'now' });
    const tried = await plans.begin(person, 'tried');
    expect(tried).toMatchObject({ status: 'trialing', period_ends_at: '2026-03-14T11:00:00.000Z' });
    expect(await plans.balance(person)).toBe(700);
  });

  it('goes on with what was paid before it ends', async () => {
    const person = newPerson();
    const { id } = await plans.begin(person, 'tried');
    await plans.buy(person, 'tried');
    await plans.buy(person, 'tried');
    expect(await plans.balance(person)).toBe(700);
    app.clock.set('2026-02-14T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-03-14T12:00:00.000Z' });
    expect(await plans.balance(person)).toBe(700);
    app.clock.set('2026-04-14T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    await plans.buy(person, 'tried');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_starts_at: '2026-04-14T12:00:00.000Z' });
  });

  it('is no way to units without end', async () => {
    const person = newPerson();
    let most = 0;
    for (const sku of ['tried', 'free', 'tried', 'free', 'tried']) {
      const { id, status } = await plans.begin(person, sku);
      most = Math.max(most, await plans.balance(person));
      if (status !== 'incomplete')
        await plans.act(id, 'change', { sku: sku === 'free' ? 'tried' : 'free', when: 'now' });
      most = Math.max(most, await plans.balance(person));
      await plans.act(id, 'cancel', { when: 'now' });
      app.clock.advance({ days: 1 });
    }
    expect(most).toBe(700);
  });
});

describe('whatever is asked of it, in whatever state', () => {
  const states: Record<string, (person: string) => Promise<unknown>> = {
    incomplete: async (person) => (await plans.begin(person, 'pro')).id,
    trialing: async (person) => (await plans.begin(person, 'tried')).id,
    free: async (person) => (await plans.begin(person, 'free')).id,
    active: async (person) => (await paid(person, 'pro')).id,
    'past due': async (person) => {
      const { id } = await paid(person, 'pro');
      app.clock.set('2026-03-01T12:00:00.000Z');
      return id;
    },
    changing: async (person) => {
      const { id } = await paid(person, 'pro');
      await plans.act(id, 'change', { sku: 'free', when: 'period_end', old_units: 'reset' });
      return id;
    },
    'to be cancelled': async (person) => {
      const { id } = await paid(person, 'pro');
      await plans.act(id, 'cancel');
      return id;
    },
    cancelled: async (person) => {
      const { id } = await paid(person, 'pro');
      await plans.act(id, 'cancel', { when: 'now' });
      return id;
    },
    expired: async (person) => {
      const { id } = await paid(person, 'pro');
      app.clock.set('2026-09-01T12:00:00.000Z');
      return id;
    },
  };
  const asked: [string, 'change' | 'cancel' | 'resume' | 'renew', object][] = [
    ['change', 'change', { sku: 'team', when: 'now', old_units: 'reset' }],
    ['change to free', 'change', { sku: 'free', when: 'now', old_units: 'reset' }],
    ['change at the end', 'change', { sku: 'team', when: 'period_end' }],
    ['change to a trial', 'change', { sku: 'tried', when: 'now' }],
    ['cancel', 'cancel', {}],
    ['cancel now', 'cancel', { when: 'now' }],
    ['resume', 'resume', {}],
    ['renew', 'renew', {}],
  ];
  const cases = Object.keys(states).flatMap((state) => asked.map(([name]) => [state, name] as const));

  it.each(cases)('%s: %s', async (state, name) => {
    const person = newPerson();
    const id = await states[state]?.(person);
    const [, path, body] = asked.find(([one]) => one === name) ?? ['', 'renew' as const, {}];
    const orders: string[] = [];
    for (let times = 0; times < 2; times += 1) {
      const { status, body: answer, text } = await app.post(`/subscriptions/${id}/${path}`, body);
      expect([200, 201, 409], text).toContain(status);
      if (answer.order) orders.push(answer.order.id);
    }
    for (const order of new Set(orders)) await plans.confirm(order);
    const { status } = await plans.show(id);
    if (orders.length > 0) expect(['active', 'trialing']).toContain(status);
    app.clock.advance({ days: 400 });
    await plans.show(id);
    await plans.balance(person);
  });
});
