// Plans and subscriptions: what is asked of them over HTTP, and what time does, by the clock that the test sets.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, itNeedsAToken, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

const month = { unit: 'months', count: 1 };
const monthly = (product_key: string, quantity = 1) => ({
  product_key,
  quantity,
  period_unit: 'months',
  period_value: 1,
});

async function putPlan(sku: string, price: string, items: Json[], plan: Json = {}, more: Json = {}): Promise<void> {
  const body = { name: sku, price, currency: 'USD', recurrence: month, plan, items, ...more };
  const answer = await app.put(`/offers/${sku}`, body);
  expect(answer.status, answer.text).toBe(201);
}

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await putProduct(app, 'CLUB', { type: 'period', features: [{ feature: 'club', unit_cost: 1 }] });
  await putPlan('FREE', '0', [monthly('UNITS', 100)]);
  await putPlan('FREE_BIG', '0', [monthly('UNITS', 150)]);
  await putPlan('FREE_CAP', '0', [monthly('UNITS', 100)], { rollover: 'cap', rollover_cap: 30 }, { plan_group: 'cap' });
  await putPlan('FREE_ALL', '0', [monthly('UNITS', 100)], { rollover: 'all' }, { plan_group: 'all' });
  await putPlan('PRO', '10', [monthly('UNITS', 1_000), monthly('CLUB')], { grace_days: 3, grace_access: true });
  await putPlan('TEAM', '50', [monthly('UNITS', 5_000)]);
  await putPlan(
    'TRIED',
    '10',
    [monthly('UNITS', 1_000)],
    { trial_period: { unit: 'weeks', count: 2 } },
    { plan_group: 'tried' },
  );
  const once = { name: 'ONCE', price: '1', currency: 'USD', items: [monthly('UNITS', 1)] };
  expect((await app.put('/offers/ONCE', once)).status).toBe(201);
});

const subscribe = (external_id: string, sku: string, more: Json = {}) =>
  app.post('/subscriptions', { external_id, sku, ...more });

async function begin(external_id: string, sku: string, more: Json = {}): Promise<Record<string, string>> {
  const answer = await subscribe(external_id, sku, more);
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

const show = async (id: string | undefined) => {
  const answer = await app.get(`/subscriptions/${id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};

const balanceOf = async (external_id: string, product = 'UNITS') => {
  const answer = await app.get(`/wallet?external_id=${external_id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.balances[product] ?? 0;
};

async function pay(orderId: unknown): Promise<Json[]> {
  const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: newPayment() });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.batches;
}

const kindsOf = ({ steps }: { steps: { kind: string }[] }) => steps.map(({ kind }) => kind).reverse();

describe('a plan that costs nothing', () => {
  it('begins at once, and allocates again each month, on the day of its anchor', async () => {
    const person = newPerson(); // 31 January, noon
    const { id } = await begin(person, 'free');
    expect(await show(id)).toMatchObject({
      status: 'active',
      period_starts_at: '2026-01-31T12:00:00.000Z',
      period_ends_at: '2026-02-28T12:00:00.000Z',
    });
    expect(await balanceOf(person)).toBe(100);
    await app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 40 });
    app.clock.set('2026-02-28T11:59:59.999Z');
    expect(await balanceOf(person)).toBe(60);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(100);
    expect(await show(id)).toMatchObject({ period_ends_at: '2026-03-31T12:00:00.000Z' });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await show(id)).toMatchObject({ period_ends_at: '2026-04-30T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(100);
  });

  it('turns in the middle of a consume, which has the new units', async () => {
    const person = newPerson();
    await begin(person, 'free');
    app.clock.set('2026-02-28T12:00:00.000Z');
    const answer = await app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 100 });
    expect(answer.body).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('skips periods of which nothing is left, and says so', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    app.clock.set('2026-08-15T00:00:00.000Z');
    expect(await balanceOf(person)).toBe(100);
    const shown = await show(id);
    expect(shown.periods.map(({ kind, starts_at, count }: Json) => [kind, starts_at, count])).toEqual([
      ['free', '2026-07-31T12:00:00.000Z', 1],
      ['skipped', '2026-02-28T12:00:00.000Z', 5],
      ['free', '2026-01-31T12:00:00.000Z', 1],
    ]);
    expect(kindsOf(shown)).toEqual(['created', 'allocated', 'skipped', 'allocated']);
  });

  it('lets units go over as far as its cap goes', async () => {
    const person = newPerson();
    await begin(person, 'free_cap');
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(130);
    app.clock.set('2026-06-30T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(130);
  });

  it('lets all units go over', async () => {
    const person = newPerson();
    await begin(person, 'free_all');
    app.clock.set('2026-06-30T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(600);
    const { body } = await app.get(`/wallet/batches?external_id=${person}&state=active`);
    const units = body.data.map(({ available }: { available: number }) => available);
    expect(units.sort((a: number, b: number) => a - b)).toEqual([100, 500]);
  });

  it('mints nothing by going up and down, cancelling and subscribing again', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    for (let times = 0; times < 5; times += 1) {
      for (const sku of ['free_big', 'free']) {
        const changed = await app.post(`/subscriptions/${id}/change`, { sku, when: 'now' });
        expect(changed.status, changed.text).toBe(200);
      }
    }
    expect(await balanceOf(person)).toBe(150);
    expect((await app.post(`/subscriptions/${id}/cancel`, { when: 'now' })).body).toMatchObject({
      status: 'cancelled',
    });
    app.clock.advance({ days: 3 });
    const again = await begin(person, 'free_big');
    expect(again).toMatchObject({ status: 'active', period_ends_at: '2026-02-28T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(150);
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await show(again.id)).toMatchObject({ period_ends_at: '2026-04-30T12:00:00.000Z' });
  });

  it('ends with its period where it was cancelled, unless that is taken back', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    const cancelled = await app.post(`/subscriptions/${id}/cancel`, {});
    expect(cancelled.body).toMatchObject({ status: 'active', cancels_at_period_end: true });
    expect((await app.post(`/subscriptions/${id}/resume`, {})).body).toMatchObject({ cancels_at_period_end: false });
    await app.post(`/subscriptions/${id}/cancel`, {});
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(0);
    expect(await show(id)).toMatchObject({ status: 'cancelled', ended_at: '2026-02-28T12:00:00.000Z' });
    expectProblem(await app.post(`/subscriptions/${id}/resume`, {}), 409, 'subscription_ended');
  });
});

describe('a plan with a price', () => {
  it('begins when its order is paid, and is renewed by the orders that it makes', async () => {
    const person = newPerson();
    const made = await subscribe(person, 'pro');
    expect(made.body).toMatchObject({ status: 'incomplete', order: { status: 'pending', total_amount: '10.00' } });
    expect(await balanceOf(person)).toBe(0);
    const batches = await pay(made.body.order.id);
    expect(batches.map(({ product_key, subscription_id }) => [product_key, subscription_id])).toEqual([
      ['UNITS', made.body.id],
      ['CLUB', made.body.id],
    ]);
    expect(await show(made.body.id)).toMatchObject({ status: 'active', period_ends_at: '2026-02-28T12:00:00.000Z' });
    app.clock.set('2026-02-22T00:00:00.000Z');
    const due = await show(made.body.id);
    expect(due.order_id).not.toBeNull();
    await pay(due.order_id);
    expect(await balanceOf(person)).toBe(1_000);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await show(made.body.id)).toMatchObject({ status: 'active', period_ends_at: '2026-03-31T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(1_000);
  });

  it('is answered again, with its order, to who subscribes again', async () => {
    const person = newPerson();
    const first = await subscribe(person, 'pro');
    const again = await subscribe(person, 'pro');
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    app.clock.advance({ days: 2 }); // its order has expired, and it with it
    const anew = await subscribe(person, 'pro');
    expect([anew.status, anew.body.id === first.body.id]).toEqual([201, false]);
  });

  it('is past due without a payment, keeps access through its grace, and goes on from its old end', async () => {
    const person = newPerson();
    const { id, order } = (await begin(person, 'pro')) as unknown as { id: string; order: Json };
    await pay(order.id);
    const mayEnter = async () => {
      const { body } = await app.post('/quota/check', { external_id: person, feature: 'club' });
      return body.allowed;
    };
    app.clock.set('2026-03-01T12:00:00.000Z');
    const due = await show(id);
    expect(due).toMatchObject({ status: 'past_due' });
    expect(await mayEnter()).toBe(true);
    await pay(due.order_id);
    expect(await show(id)).toMatchObject({ status: 'active', period_starts_at: '2026-02-28T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(1_000);
    app.clock.set('2026-04-03T12:00:00.000Z');
    expect(await mayEnter()).toBe(false);
    const late = await show(id);
    await pay(late.order_id);
    expect(await show(id)).toMatchObject({ status: 'active', period_starts_at: '2026-04-03T12:00:00.000Z' });
    app.clock.set('2027-01-01T00:00:00.000Z');
    expect(await show(id)).toMatchObject({ status: 'expired' });
  });

  it('is bought for the next period by any order of it', async () => {
    const person = newPerson();
    const { id, order } = (await begin(person, 'pro')) as unknown as { id: string; order: Json };
    await pay(order.id);
    for (let times = 0; times < 2; times += 1) {
      const { body } = await app.post('/orders', { external_id: person, items: [{ sku: 'pro' }] });
      await pay(body.id);
    }
    expect(await balanceOf(person)).toBe(1_000);
    app.clock.set('2026-04-30T11:00:00.000Z');
    expect(await show(id)).toMatchObject({ status: 'active', period_starts_at: '2026-03-31T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(1_000);
    app.clock.set('2026-04-30T12:00:00.000Z');
    expect(await show(id)).toMatchObject({ status: 'past_due' });
  });

  it('begins by an order alone, and changes by one', async () => {
    const person = newPerson();
    const { body } = await app.post('/orders', { external_id: person, items: [{ sku: 'pro' }] });
    await pay(body.id);
    const [own] = (await app.get(`/subscriptions?external_id=${person}`)).body.data;
    expect(own).toMatchObject({ sku: 'PRO', status: 'active' });
    app.clock.advance({ days: 5 });
    const changed = await app.post(`/subscriptions/${own.id}/change`, { sku: 'team', when: 'now', old_units: 'reset' });
    expect(changed.body).toMatchObject({ sku: 'PRO', change: { sku: 'TEAM' }, order: { total_amount: '50.00' } });
    await pay(changed.body.order.id);
    expect(await show(own.id)).toMatchObject({
      sku: 'TEAM',
      period_starts_at: '2026-02-05T12:00:00.000Z',
      change: null,
    });
    expect(await balanceOf(person)).toBe(5_000);
  });

  it('asks for a change again once its order can’t be paid any more, and takes the place of a cancellation', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    const change = (more: Json) => app.post(`/subscriptions/${id}/change`, { sku: 'pro', ...more });
    const first = await change({ when: 'now' });
    expect((await change({ when: 'now' })).body).toEqual(first.body);
    app.clock.advance({ days: 2 });
    const anew = await change({ when: 'now' });
    expect(anew.body.order).toMatchObject({ status: 'pending' });
    expect(anew.body.order.id).not.toBe(first.body.order.id);
    await app.post(`/subscriptions/${id}/cancel`, {});
    expect((await change({})).body).toMatchObject({ cancels_at_period_end: false, change: { sku: 'PRO' } });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await show(id)).toMatchObject({ status: 'past_due' });
  });

  it('shows what a change would come to, and writes nothing', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    const written = await writtenBy(app, async () => {
      const dry = await app.post(`/subscriptions/${id}/change`, { sku: 'pro', when: 'now', dry_run: true });
      expect(dry.body).toMatchObject({ sku: 'FREE', change: { sku: 'PRO' }, order: { total_amount: '10.00' } });
    });
    expect(written).toEqual({});
  });

  it('ends a period whose order is refunded, and no other', async () => {
    const person = newPerson();
    const { id, order } = (await begin(person, 'pro')) as unknown as { id: string; order: Json };
    await pay(order.id);
    const next = await app.post('/orders', { external_id: person, items: [{ sku: 'pro' }] });
    await pay(next.body.id);
    expect((await app.post(`/orders/${order.id}/refund`, {})).status).toBe(200);
    expect(await show(id)).toMatchObject({ status: 'past_due' });
    expect(await balanceOf(person)).toBe(0);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-03-31T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(1_000);
  });

  it('is tried once', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'tried');
    expect(await show(id)).toMatchObject({ status: 'trialing', period_ends_at: '2026-02-14T12:00:00.000Z' });
    expect(await balanceOf(person)).toBe(1_000);
    app.clock.set('2026-02-14T12:00:00.000Z');
    expect(await balanceOf(person)).toBe(0);
    const due = await show(id);
    expect(due).toMatchObject({ status: 'past_due' });
    expect(kindsOf(due)).toEqual(['created', 'allocated', 'trial_ending', 'renewal_due', 'past_due']);
    await app.post(`/subscriptions/${id}/cancel`, {});
    expect(await begin(person, 'tried')).toMatchObject({ status: 'incomplete' });
  });
});

describe('what is refused', () => {
  it('names what is wrong', async () => {
    const person = newPerson();
    expectProblem(await subscribe(person, 'none'), 404, 'offer_not_found', '/sku');
    expectProblem(await subscribe(person, 'once'), 409, 'offer_not_plan', '/sku');
    const { id } = await begin(person, 'free');
    expectProblem(await subscribe(person, 'pro'), 409, 'subscription_exists', '/sku');
    expectProblem(
      await app.post(`/subscriptions/${id}/change`, { sku: 'free' }),
      409,
      'subscription_unchanged',
      '/sku',
    );
    expectProblem(await app.post(`/subscriptions/${id}/change`, { sku: 'tried' }), 409, 'other_plan_group', '/sku');
    expectProblem(await app.post(`/subscriptions/${id}/renew`, {}), 409, 'subscription_not_renewable');
    expectProblem(await app.get('/subscriptions/00000000-0000-4000-8000-000000000000'), 404, 'subscription_not_found');
    const twice = { external_id: person, items: [{ sku: 'pro', quantity: 2 }] };
    expectProblem(await app.post('/orders', twice), 400, 'invalid_request', '/items/0/quantity');
  });
});

describe('at once', () => {
  it('turns once, whoever asks', async () => {
    const person = newPerson();
    await begin(person, 'free');
    app.clock.set('2026-02-28T12:00:00.000Z');
    const uses = Array.from({ length: 12 }, () =>
      app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 10 }),
    );
    const reads = Array.from({ length: 6 }, () => app.get(`/wallet?external_id=${person}`));
    const answers = await Promise.all(uses);
    await Promise.all(reads);
    expect(answers.filter(({ body }) => body.allowed)).toHaveLength(10);
    expect(await balanceOf(person)).toBe(0);
  });

  it('tells each step once', async () => {
    const person = newPerson();
    const { id } = await begin(person, 'free');
    app.clock.set('2026-02-28T12:00:00.000Z');
    await show(id);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${person}&limit=100`);
    const told = body.data.filter(({ type }: { type: string }) => type.startsWith('subscription.'));
    expect(told.map(({ type }: { type: string }) => type)).toEqual([
      'subscription.created',
      'subscription.allocated',
      'subscription.allocated',
    ]);
  });
});

describe('POST /subscriptions', () => {
  itNeedsAToken(app, 'post', '/subscriptions');
  itHonoursIdempotencyKeys(app, async () => ({
    path: '/subscriptions',
    body: { external_id: newPerson(), sku: 'free' },
    other: { sku: 'free_big' },
  }));
});
