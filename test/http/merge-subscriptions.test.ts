// Subscriptions of customers who are merged (DOMAIN 3.10, 3.16): one goes on under its id with whom its customer leads to, as if nothing had been merged; of two of a
// group the one ending later stays. What comes of the source's orders later: merge-plan-orders.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import { MONTH, monthly, plansOf } from '../support/plans.js';
import { expectProblem, writtenBy } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);

beforeAll(async () => {
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await putProduct(app, 'CLUB', { type: 'period', features: [{ feature: 'club', unit_cost: 1 }] });
  await putProduct(app, 'OTHERS');
  await plans.put('FREE', '0', [monthly('UNITS', 100)]);
  await plans.put('FREE_BIG', '0', [monthly('UNITS', 150)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000), monthly('CLUB')], { grace_days: 3, grace_access: true });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)], { rollover: 'all' });
  await plans.put(
    'YEAR',
    '100',
    [monthly('UNITS', 70)],
    { grant_every: MONTH, rollover: 'cap', rollover_cap: 30 },
    { recurrence: { unit: 'years', count: 1 } },
  );
  await plans.put('ROLLING', '0', [monthly('OTHERS', 10)], { rollover: 'all' }, { plan_group: 'others' });
  await plans.put(
    'TRIED',
    '10',
    [monthly('UNITS', 1_000)],
    { trial_period: { unit: 'weeks', count: 2 } },
    { plan_group: 'tried' },
  );
});

const merge = async (target: Merging, source: Merging, more: Json = {}) => {
  const answer = await mergePair(app, target, source, more);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};
const newPair = () => newMergePair(app);
const eventsOf = async (customerId: string) => {
  await untilTold(app);
  const { body } = await app.get(`/events?customer_id=${customerId}&limit=100`);
  return body.data as Json[];
};
/** Subscribes, and pays where there is something to pay. */
async function begin({ name }: Merging, sku: string, more: Json = {}): Promise<Json> {
  const { order, ...subscription } = await plans.begin(name, sku, more);
  if (!order) return subscription;
  await plans.confirm(order.id);
  return { ...(await plans.show(subscription.id)), first_order: order.id };
}
/** What is the same whoever has it. */
function toldOf({ customer_id: _, id: __, order_id: ___, ...shown }: Json): Json {
  const { steps, periods, ...rest } = shown as { steps: Json[]; periods: Json[] };
  return {
    ...rest,
    steps: steps.flatMap(({ kind, occurred_at }) => (kind === 'moved' ? [] : [{ kind, occurred_at }])),
    periods: periods.map(({ operation_id: _operation, order_id: _order, ...period }) => period),
  };
}

describe('a subscription of the source', () => {
  it('goes on with the target, under its id, as it was', async () => {
    const [target, source] = await newPair();
    const before = await begin(source, 'PRO', { metadata: { seat: 7 } });
    const shown = await plans.show(before.id);
    app.clock.advance({ days: 3 });
    const dry = await merge(target, source, { dry_run: true });
    const merged = await merge(target, source);
    expect(dry).toEqual({ ...merged, dry_run: true });
    expect(merged.moved.subscriptions).toEqual([
      { subscription_id: before.id, sku: 'PRO', plan_group: 'default', status: 'active' },
    ]);
    expect(merged.dropped.subscriptions).toEqual([]);
    const after = await plans.show(before.id);
    expect(after).toMatchObject({ customer_id: target.id, status: 'active', metadata: { seat: 7 } });
    expect(after.steps[0]).toMatchObject({ kind: 'moved' });
    expect(toldOf(after)).toEqual(toldOf(shown));
    for (const { id } of [target, source])
      expect((await app.get(`/subscriptions?customer_id=${id}`)).body.data).toMatchObject([
        { id: before.id, customer_id: target.id },
      ]);
    expect(await plans.balance(target.name)).toBe(1_000);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(before.id)).toMatchObject({ status: 'past_due', customer_id: target.id });
    expect(await plans.balance(target.name)).toBe(0);
  });

  it('is told of: with whom it goes on', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'FREE');
    await merge(target, source);
    const told = await eventsOf(target.id);
    expect(told.find(({ type }) => type === 'subscription.moved')?.data).toMatchObject({
      subscription_id: id,
      status: 'active',
    });
    expect(told.find(({ type }) => type === 'customer.merged')?.data).toMatchObject({
      subscriptions: 1,
      ended_subscriptions: 0,
    });
  });

  it('writes nothing when it is only asked what would become of it', async () => {
    const [target, source] = await newPair();
    await begin(source, 'FREE');
    await begin(target, 'FREE_BIG');
    expect(await writtenBy(app, () => merge(target, source, { dry_run: true }))).toEqual({});
  });

  it('is answered again as it was, and moves once', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'FREE');
    const first = await mergePair(app, target, source);
    app.clock.advance({ days: 40 });
    const again = await mergePair(app, target, source);
    expect(again.text).toBe(first.text);
    expect((await plans.show(id)).steps.filter(({ kind }: Json) => kind === 'moved')).toHaveLength(1);
  });

  const PLANS = ['FREE', 'PRO', 'TEAM', 'YEAR', 'ROLLING', 'TRIED'];
  const DATES = [
    '2026-02-10T00:00:00.000Z',
    '2026-02-25T12:00:00.000Z',
    '2026-02-28T12:00:00.000Z',
    '2026-03-02T00:00:00.000Z',
    '2026-04-15T00:00:00.000Z',
    '2026-07-01T00:00:00.000Z',
  ];
  it.each(PLANS)('has the same fate as one of %s that nobody merged', async (sku) => {
    const product = sku === 'ROLLING' ? 'OTHERS' : 'UNITS';
    for (const mergedAt of DATES.slice(0, 4)) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const [target, source] = await newPair();
      const [, control] = await newPair();
      const ids: unknown[] = [];
      for (const who of [control, source]) ids.push((await begin(who, sku)).id);
      for (const date of DATES) {
        app.clock.set(date);
        if (date === mergedAt) await merge(target, source);
        const [alone, merged] = await Promise.all(ids.map((id) => plans.show(id)));
        expect(toldOf(merged), `${date}, merged ${mergedAt}`).toEqual(toldOf(alone));
        const balances = await Promise.all([control, source].map(({ name }) => plans.balance(name, product)));
        expect(balances[1], `${date}, merged ${mergedAt}`).toBe(balances[0]);
        // Whoever is due pays on the day before and within the grace.
        if (date === '2026-02-25T12:00:00.000Z' && sku === 'TEAM')
          for (const one of [alone, merged]) await plans.confirm(one.order_id);
        if (date === '2026-03-02T00:00:00.000Z' && sku === 'PRO')
          for (const one of [alone, merged]) await plans.confirm(one.order_id);
      }
    }
  });

  it('follows on: of A into B and B into C, with all that it was in both', async () => {
    const [a, b] = await newPair();
    const [c] = await newPair();
    const { id, first_order: order } = await begin(a, 'PRO');
    const ahead = await plans.buy(a.name, 'PRO');
    await merge(b, a);
    const paidOfB = await plans.buy(b.name, 'PRO');
    await merge(c, b);
    expect(await plans.show(id)).toMatchObject({
      customer_id: c.id,
      periods: [{ order_id: paidOfB }, { order_id: ahead }, { order_id: order }],
    });
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: '2026-04-30T12:00:00.000Z' });
    expect(await plans.balance(a.name)).toBe(1_000);
    await plans.refund(paidOfB);
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    expect(await plans.balance(c.name)).toBe(0);
    const { body } = await app.get(`/subscriptions?customer_id=${a.id}`);
    expect(body.data).toHaveLength(1);
  });

  it('keeps what was scheduled: a change, a cancellation', async () => {
    const [target, source] = await newPair();
    const changing = await begin(source, 'FREE');
    const ending = await begin(source, 'ROLLING');
    await plans.act(changing.id, 'change', { sku: 'FREE_BIG', old_units: 'reset' });
    await plans.act(ending.id, 'cancel');
    await merge(target, source);
    expect(await plans.show(changing.id)).toMatchObject({
      sku: 'FREE',
      change: { sku: 'FREE_BIG', old_units: 'reset' },
    });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(changing.id)).toMatchObject({ sku: 'FREE_BIG', change: null });
    expect(await plans.balance(target.name)).toBe(150);
    expect(await plans.show(ending.id)).toMatchObject({ status: 'cancelled', ended_at: '2026-02-28T12:00:00.000Z' });
    expect(await plans.balance(target.name, 'OTHERS')).toBe(0);
  });

  it('is changed, cancelled, resumed and renewed by its id, whoever is named', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO');
    await merge(target, source);
    expect(await plans.act(id, 'cancel', { customer_id: source.id })).toMatchObject({
      cancels_at_period_end: true,
      customer_id: target.id,
    });
    expect(await plans.act(id, 'resume', { external_id: source.name })).toMatchObject({ cancels_at_period_end: false });
    const renewed = await plans.act(id, 'renew', { customer_id: target.id });
    expect(renewed.order).toMatchObject({ status: 'pending', customer_id: target.id });
    expect(await plans.act(id, 'change', { sku: 'TEAM' })).toMatchObject({ change: { sku: 'TEAM' } });
    expect(await plans.act(id, 'cancel', { when: 'now' })).toMatchObject({ status: 'cancelled' });
    const [stranger] = await newPair();
    expectProblem(
      await app.post(`/subscriptions/${id}/cancel`, { customer_id: stranger.id }),
      404,
      'subscription_not_found',
      'path/id',
    );
  });

  it('that has ended stays where it ended', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'FREE');
    await plans.act(id, 'cancel', { when: 'now' });
    const { moved } = await merge(target, source);
    expect(moved.subscriptions).toEqual([]);
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled', customer_id: source.id });
    expectProblem(await app.post(`/subscriptions/${id}/renew`, {}), 409, 'subscription_ended');
    expect(await plans.act(id, 'cancel')).toMatchObject({ status: 'cancelled' });
  });

  it('mints nothing when its plan is subscribed again before its period ends', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'FREE');
    app.clock.advance({ days: 5 });
    await merge(target, source);
    await plans.act(id, 'cancel', { when: 'now' });
    const again = await begin(target, 'FREE');
    expect(again).toMatchObject({ period_ends_at: '2026-02-28T12:00:00.000Z' });
    expect(await plans.balance(target.name)).toBe(100);
    await plans.act(again.id, 'change', { sku: 'FREE_BIG', when: 'now' });
    expect(await plans.balance(target.name)).toBe(150);
  });

  it('has one trial in the family', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'TRIED');
    await merge(target, source);
    expect(await plans.show(id)).toMatchObject({ status: 'trialing', period_ends_at: '2026-02-14T12:00:00.000Z' });
    await plans.act(id, 'cancel', { when: 'now' });
    expect((await plans.begin(target.name, 'TRIED')).status).toBe('incomplete');
  });

  it('turns at the very instant of the merge', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'FREE');
    app.clock.set('2026-02-28T12:00:00.000Z');
    await merge(target, source);
    expect(await plans.show(id)).toMatchObject({
      period_starts_at: '2026-02-28T12:00:00.000Z',
      customer_id: target.id,
    });
    expect(await plans.balance(target.name)).toBe(100);
  });

  it('brings the limits of its plan, and the window of its billing period', async () => {
    const [target, source] = await newPair();
    await app.put('/limits', {
      plan_sku: 'ROLLING',
      product_key: 'OTHERS',
      windows: { billing_period: 8 },
      enforcement: 'HARD',
    });
    app.clock.advance({ days: 3 });
    await begin(source, 'ROLLING');
    const use = (who: Merging, amount: number) =>
      app.post('/quota/consume', { customer_id: who.id, product_key: 'OTHERS', amount });
    expect((await use(source, 5)).status).toBe(200);
    app.clock.advance({ days: 1 });
    await merge(target, source);
    expectProblem(await use(target, 4), 429, 'limit_exceeded');
    expect((await use(target, 3)).status).toBe(200);
    app.clock.set('2026-03-03T12:00:00.000Z');
    expect((await use(target, 8)).status).toBe(200);
  });

  it('is cancelled by erasing whom it went to, and exported with what it was before', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO', { metadata: { secret: 'x' } });
    await merge(target, source);
    const { body } = await app.get(`/customers/${target.id}/export?limit=200`);
    const rows = (body.data as { section: string; record: Json }[]).filter(
      ({ section }) => section === 'subscriptions',
    );
    expect(rows.map(({ record }: { record: Json }) => [record.id, record.customer_id]).sort()).toEqual(
      [
        [id, source.id],
        [id, target.id],
      ].sort(),
    );
    expect((await app.delete(`/customers/${target.id}`)).status).toBe(200);
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled', metadata: {} });
  });
});

describe('of two subscriptions of a group', () => {
  it.each([
    ['the source’s', 'source'],
    ['the target’s', 'target'],
  ])('the one ending later stays, where that is %s', async (_, later) => {
    const [target, source] = await newPair();
    const [first, second] = later === 'source' ? [target, source] : [source, target];
    const sooner = await begin(first, 'TEAM');
    app.clock.advance({ days: 10 });
    const stays = await begin(second, 'PRO');
    const dry = await merge(target, source, { dry_run: true });
    const merged = await merge(target, source);
    expect(dry).toEqual({ ...merged, dry_run: true });
    expect(merged.moved.subscriptions.map(({ subscription_id }: Json) => subscription_id)).toEqual(
      later === 'source' ? [stays.id] : [],
    );
    expect(merged.dropped.subscriptions).toEqual([
      {
        subscription_id: sooner.id,
        customer_id: first.id,
        sku: 'TEAM',
        plan_group: 'default',
        reason: 'another_ends_later',
        stays_id: stays.id,
      },
    ]);
    expect(await plans.show(sooner.id)).toMatchObject({
      status: 'cancelled',
      ended_at: '2026-02-10T12:00:00.000Z',
      customer_id: first.id,
    });
    expect(await plans.show(stays.id)).toMatchObject({ status: 'active', customer_id: target.id });
    expect(await plans.balance(source.name)).toBe(6_000);
    // What the other allocated lasts as long as it was to last, and does not go over.
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.balance(target.name)).toBe(1_000);
    const told = await eventsOf(first.id);
    expect(told.filter(({ type }) => type === 'subscription.cancelled')).toHaveLength(1);
  });

  it('what is paid ahead counts, and of the other it stays as units', async () => {
    const [target, source] = await newPair();
    const paid = await begin(source, 'TEAM');
    app.clock.advance({ days: 10 });
    const other = await begin(target, 'PRO');
    await plans.buy(target.name, 'PRO');
    const ahead = await plans.buy(source.name, 'TEAM');
    await plans.buy(source.name, 'TEAM');
    await merge(target, source);
    // Until 30 April, where the other one is paid until 10 April.
    expect(await plans.show(other.id)).toMatchObject({ status: 'cancelled' });
    expect(await plans.show(paid.id)).toMatchObject({ status: 'active', customer_id: target.id });
    app.clock.set('2026-03-11T00:00:00.000Z');
    // TEAM goes over; of PRO the period that was paid ahead gives what it was to give.
    expect(await plans.balance(target.name)).toBe(5_000 + 5_000 + 1_000);
    await plans.refund(ahead);
    expect(await plans.show(paid.id)).toMatchObject({ status: 'past_due' });
  });

  it('the order that would have renewed the other can’t be paid any more', async () => {
    const [target, source] = await newPair();
    const sooner = await begin(source, 'PRO');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(sooner.id);
    const stays = await begin(target, 'TEAM');
    const { moved } = await merge(target, source);
    expect(moved.open_orders).toBe(0);
    const order = (await app.get(`/orders/${waiting}`)).body;
    expect(order).toMatchObject({ status: 'cancelled', cancel_reason: expect.stringContaining('merged') });
    expectProblem(await app.post(`/orders/${waiting}/confirm`, { payment_id: 'late' }), 409, 'order_not_payable');
    expect(await plans.show(stays.id)).toMatchObject({ status: 'active' });
  });

  it('one that nobody has paid yet ends first, and a tie is the target’s', async () => {
    const [target, source] = await newPair();
    const unpaid = await plans.begin(target.name, 'TEAM');
    const stays = await begin(source, 'FREE');
    await merge(target, source);
    expect(await plans.show(unpaid.id)).toMatchObject({ status: 'cancelled' });
    expect(await plans.show(stays.id)).toMatchObject({ customer_id: target.id });
    expect((await app.get(`/orders/${unpaid.order.id}`)).body.status).toBe('cancelled');
    const [third] = await newPair();
    const equal = await begin(third, 'FREE');
    await merge(third, target);
    expect(await plans.show(stays.id)).toMatchObject({ status: 'cancelled' });
    expect(await plans.show(equal.id)).toMatchObject({ status: 'active' });
    expect(await plans.balance(third.name)).toBe(200);
  });

  it('those of other groups all stay', async () => {
    const [target, source] = await newPair();
    const own = await begin(target, 'FREE');
    const his = await begin(source, 'ROLLING');
    await merge(target, source);
    const { body } = await app.get(`/subscriptions?customer_id=${target.id}&status=active`);
    expect(body.data.map(({ id }: Json) => id).sort()).toEqual([own.id, his.id].sort());
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await plans.balance(target.name, 'OTHERS')).toBe(30);
    expect(await plans.balance(target.name)).toBe(100);
  });

  it('an order in the ledger of who was merged before is cancelled as well', async () => {
    const [a, b] = await newPair();
    const [c] = await newPair();
    const unpaid = await plans.begin(a.name, 'PRO');
    await merge(b, a);
    await begin(c, 'FREE');
    // The target's subscription waits for an order of A, which the merge has to lock as well.
    await merge(b, c);
    expect(await plans.show(unpaid.id)).toMatchObject({ status: 'cancelled' });
    expect((await app.get(`/orders/${unpaid.order.id}`)).body).toMatchObject({
      status: 'cancelled',
      customer_id: a.id,
    });
  });
});
