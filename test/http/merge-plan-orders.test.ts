// Orders of plans of a customer who was merged (DOMAIN 3.7, 3.10, 3.16): they stay his, and what they pay is a period of the subscription where it is now, once. So is
// what a provider charges again, and what is refunded or disputed.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import {
  paymentSettings,
  STRIPE_SECRET,
  signedByStripe,
  stripeEvent,
  subscriptionInvoice,
} from '../support/payments.js';
import { MONTH, monthly, plansOf } from '../support/plans.js';
import { useProviderStub } from '../support/provider-stub.js';
import { expectProblem } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const undeclared = failOnUndeclared();
const stub = useProviderStub();
let inbound: { app: FastifyInstance; deps: Deps; close(): Promise<void> };

beforeAll(async () => {
  const payments = paymentSettings({
    stripe: { webhookSecrets: [STRIPE_SECRET], secretKey: 'sk_test_stub', apiUrl: stub.url },
  });
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments, isSandbox: false });
  await putProduct(app, 'UNITS');
  await putProduct(app, 'CLUB', { type: 'period', features: [{ feature: 'club', unit_cost: 1 }] });
  await plans.put('FREE', '0', [monthly('UNITS', 5)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000), monthly('CLUB')], { grace_days: 3, rollover: 'all' });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)], { grant_every: { unit: 'weeks', count: 1 } });
  await plans.put(
    'YEAR',
    '100',
    [monthly('UNITS', 70)],
    { grant_every: MONTH, rollover: 'all' },
    { recurrence: { unit: 'years', count: 1 }, plan_group: 'year' },
  );
});
afterAll(() => inbound.close());

const newPair = () => newMergePair(app);
const merge = async (target: Merging, source: Merging) => {
  const answer = await mergePair(app, target, source);
  expect(answer.status, answer.text).toBe(200);
};
const begin = async ({ name }: Merging, sku: string) => {
  const { id, order } = await plans.begin(name, sku);
  if (order) await plans.confirm(order.id);
  return { id, orderId: order?.id };
};
const orderFor = async ({ name }: Merging, sku: string) => {
  const { status, text, body } = await app.post('/orders', {
    external_id: name,
    expires_in: 604_800,
    items: [{ sku }],
  });
  expect(status, text).toBe(201);
  return body.id as string;
};
const balance = ({ name }: Merging) => plans.balance(name);
const paidPeriods = async (id: unknown) =>
  (await plans.show(id)).periods
    .filter(({ kind }: Json) => kind === 'paid')
    .map(({ starts_at, order_id }: Json) => [String(starts_at).slice(0, 10), order_id]);

describe('an order of the source that is paid after the merge', () => {
  it('pays the next period, where it was to renew', async () => {
    const [target, source] = await newPair();
    const { id, orderId } = await begin(source, 'PRO');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(id);
    await merge(target, source);
    expect((await plans.act(id, 'renew')).order).toMatchObject({ id: waiting, customer_id: source.id });
    await plans.confirm(waiting);
    expect(await paidPeriods(id)).toEqual([
      ['2026-02-28', waiting],
      ['2026-01-31', orderId],
    ]);
    expect(await plans.show(id)).toMatchObject({ order_id: null });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active', customer_id: target.id });
    expect(await balance(target)).toBe(2_000);
    expect((await app.get(`/orders/${waiting}`)).body).toMatchObject({ status: 'paid', customer_id: source.id });
  });

  it('continues from the old end within the grace, and from the payment later', async () => {
    for (const [date, endsAt, units] of [
      ['2026-03-02T00:00:00.000Z', '2026-03-31T12:00:00.000Z', 2_000],
      ['2026-03-20T00:00:00.000Z', '2026-04-20T00:00:00.000Z', 1_000],
    ] as const) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const [target, source] = await newPair();
      const { id } = await begin(source, 'PRO');
      app.clock.set('2026-03-01T12:00:00.000Z');
      const { order_id: waiting, status } = await plans.show(id);
      expect(status).toBe('past_due');
      await merge(target, source);
      app.clock.set(date);
      await plans.confirm(waiting);
      expect(await plans.show(id)).toMatchObject({ status: 'active', period_ends_at: endsAt, customer_id: target.id });
      expect(await balance(source)).toBe(units);
    }
  });

  it('begins the subscription that waits for it', async () => {
    const [target, source] = await newPair();
    const { id, order } = await plans.begin(source.name, 'TEAM');
    await merge(target, source);
    expect(await plans.show(id)).toMatchObject({ status: 'incomplete', customer_id: target.id });
    expect((await plans.begin(target.name, 'TEAM')).order.id).toBe(order.id);
    await plans.confirm(order.id);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    expect(await balance(target)).toBe(5_000);
    app.clock.advance({ days: 7 });
    expect(await balance(target)).toBe(10_000);
    await plans.refund(order.id);
    expect(await balance(target)).toBe(0);
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
  });

  it('pays a period of the target’s own subscription, if that is of its plan; else it begins one, or changes to its plan', async () => {
    const [target, source] = await newPair();
    const orders = [await orderFor(source, 'PRO'), await orderFor(source, 'TEAM'), await orderFor(source, 'YEAR')];
    const { id, orderId } = await begin(target, 'PRO');
    await merge(target, source);
    await plans.confirm(orders[0]);
    expect(await paidPeriods(id)).toEqual([
      ['2026-02-28', orders[0]],
      ['2026-01-31', orderId],
    ]);
    await plans.confirm(orders[1]);
    expect(await plans.show(id)).toMatchObject({ sku: 'TEAM', customer_id: target.id });
    await plans.confirm(orders[2]);
    expect((await app.get(`/subscriptions?customer_id=${target.id}&plan_group=year`)).body.data).toMatchObject([
      { status: 'active', customer_id: target.id },
    ]);
    const undone = await app.post(`/orders/${orders[2]}/refund`, { refund_id: 'r1' });
    expect(undone.status, undone.text).toBe(200);
    expect((await app.get(`/subscriptions?customer_id=${target.id}&plan_group=year`)).body.data[0].status).toBe(
      'past_due',
    );
    await plans.refund(orders[2], { refund_id: 'r1', status: 'failed' });
    expect((await app.get(`/subscriptions?customer_id=${target.id}&plan_group=year`)).body.data[0].status).toBe(
      'active',
    );
  });

  it('carries out the change that waits for it, with what that says of old units', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO');
    const { order } = await plans.act(id, 'change', { sku: 'TEAM', when: 'now', old_units: 'reset' });
    await merge(target, source);
    await plans.confirm(order.id);
    expect(await plans.show(id)).toMatchObject({ sku: 'TEAM', change: null });
    expect(await balance(target)).toBe(5_000);
  });

  it('is cancelled where another one takes its place, in the ledger that it is in', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(id);
    await merge(target, source);
    await plans.act(id, 'change', { sku: 'FREE' });
    expect((await app.get(`/orders/${waiting}`)).body).toMatchObject({ status: 'cancelled', customer_id: source.id });
    expectProblem(await app.post(`/orders/${waiting}/confirm`, { payment_id: 'p-late' }), 409, 'order_not_payable');
    const again = await plans.act(id, 'change', { sku: 'PRO' });
    expect(again.change).toBeNull();
    const next = await plans.act(id, 'renew');
    expect(next.order).toMatchObject({ customer_id: target.id, status: 'pending' });
  });

  it('is cancelled with the subscription', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(id);
    await merge(target, source);
    await plans.act(id, 'cancel');
    expect((await app.get(`/orders/${waiting}`)).body.status).toBe('cancelled');
  });

  it('is cancelled where another order begins in its place', async () => {
    const [target, source] = await newPair();
    const { id } = await begin(source, 'PRO');
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(id);
    const other = await orderFor(target, 'TEAM');
    await merge(target, source);
    await plans.confirm(other);
    expect(await plans.show(id)).toMatchObject({ sku: 'TEAM' });
    expect((await app.get(`/orders/${waiting}`)).body).toMatchObject({
      status: 'cancelled',
      cancel_reason: expect.stringContaining(other),
    });
  });
});

describe('a refund or a dispute of an order of the source', () => {
  it('ends the period that it paid, and no other; undone, it goes on', async () => {
    const [target, source] = await newPair();
    const { id, orderId } = await begin(source, 'PRO');
    const ahead = await plans.buy(source.name, 'PRO');
    await merge(target, source);
    await plans.refund(ahead, { refund_id: 'r-ahead' });
    expect(await balance(target)).toBe(1_000);
    await plans.refund(ahead, { refund_id: 'r-ahead', status: 'failed' });
    const dispute = (status: string) => app.post(`/orders/${orderId}/dispute`, { dispute_id: `d-${orderId}`, status });
    expect((await dispute('opened')).status).toBe(200);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    expect(await balance(target)).toBe(0);
    expect((await dispute('lost')).status).toBe(200);
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    expect(await balance(target)).toBe(1_000);
    await plans.refund(ahead, { refund_id: 'r-again' });
    expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    expect(await balance(target)).toBe(0);
  });

  it('follows units that went over since', async () => {
    const [target, source] = await newPair();
    const { id, orderId } = await begin(source, 'PRO');
    await merge(target, source);
    const next = await plans.buy(target.name, 'PRO');
    app.clock.set('2026-03-01T00:00:00.000Z');
    expect(await balance(target)).toBe(2_000);
    await plans.refund(orderId);
    expect(await balance(target)).toBe(1_000);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
    await plans.refund(next);
    expect(await balance(target)).toBe(0);
  });

  it('takes its share of allocations that begin later', async () => {
    const [target, source] = await newPair();
    const { id, orderId } = await begin(source, 'YEAR');
    app.clock.set('2026-03-15T00:00:00.000Z');
    await merge(target, source);
    await plans.refund(orderId, { amount: '50' });
    expect(await balance(target)).toBe(70);
    app.clock.set('2026-03-31T12:00:00.000Z');
    expect(await balance(target)).toBe(105);
    expect(await plans.show(id)).toMatchObject({ status: 'active', customer_id: target.id });
  });

  it('of a subscription that the merge ended takes back what is left', async () => {
    const [target, source] = await newPair();
    const { id, orderId } = await begin(source, 'PRO');
    app.clock.advance({ days: 1 });
    const stays = await begin(target, 'TEAM');
    await merge(target, source);
    await plans.refund(orderId);
    expect(await balance(target)).toBe(5_000);
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled' });
    expect(await plans.show(stays.id)).toMatchObject({ status: 'active' });
  });

  it('units that the source held come back to the target, and go over with the rest', async () => {
    const [target, source] = await newPair();
    await begin(source, 'PRO');
    await plans.buy(source.name, 'PRO');
    const hold = await app.post('/reservations', {
      customer_id: source.id,
      product_key: 'UNITS',
      amount: 300,
      ttl_seconds: 600_000,
    });
    expect(hold.status, hold.text).toBe(201);
    await merge(target, source);
    expect(await balance(target)).toBe(700);
    expect((await app.post(`/reservations/${hold.body.id}/release`, {})).status).toBe(200);
    expect(await balance(target)).toBe(1_000);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await balance(target)).toBe(2_000);
  });
});

describe('a further charge', () => {
  let number = 0;
  const next = (kind: string): string => {
    number += 1;
    return `${kind}_m${number}`;
  };
  const invoiced = async (metadata: Json, intent = next('pi')): Promise<Json> => {
    const eventId = next('evt');
    const { body, headers } = signedByStripe(
      stripeEvent(eventId, 'invoice.paid', subscriptionInvoice(next('in'), intent, metadata)),
    );
    const answer = await request(inbound.app.server).post(`${BASE_PATH}/payments/stripe`).set(headers).send(body);
    expect(answer.status, answer.text).toBe(200);
    return (await app.get(`/payments/inbox?event_id=${eventId}`)).body.data[0];
  };
  const charged = async (who: Merging) => {
    const orderId = await orderFor(who, 'PRO');
    expect(await invoiced({ order_id: orderId })).toMatchObject({ status: 'applied' });
    return { orderId, id: (await plans.own(who.name)).id };
  };

  it.each(['order', 'subscription'])(
    'that names the %s of the source pays the next period where it goes on, once',
    async (named) => {
      const [target, source] = await newPair();
      const { orderId, id } = await charged(source);
      await merge(target, source);
      const metadata = named === 'order' ? { order_id: orderId } : { subscription_id: id };
      const intent = `pi_once_${named}`;
      const first = await invoiced(metadata, intent);
      expect(first).toMatchObject({ status: 'applied', reason: null });
      const again = await invoiced(metadata, intent);
      expect(again).toMatchObject({ status: 'applied', order_id: first.order_id });
      expect(await paidPeriods(id)).toEqual([
        ['2026-02-28', first.order_id],
        ['2026-01-31', orderId],
      ]);
      expect((await app.get(`/orders/${first.order_id}`)).body.customer_id).toBe(target.id);
    },
  );

  it.each(['order', 'subscription'])('that names the %s pays the order of the source that waits', async (named) => {
    const [target, source] = await newPair();
    const { orderId, id } = await charged(source);
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(id);
    await merge(target, source);
    const metadata = named === 'order' ? { order_id: orderId } : { subscription_id: id };
    const intent = `pi_waiting_${named}`;
    for (let times = 0; times < 2; times += 1)
      expect(await invoiced(metadata, intent)).toMatchObject({ status: 'applied', order_id: waiting });
    expect(await paidPeriods(id)).toHaveLength(2);
    const third = await invoiced(metadata);
    expect(third).toMatchObject({ status: 'applied' });
    expect((await paidPeriods(id))[0]).toEqual(['2026-03-31', third.order_id]);
  });

  it('that can’t pay is kept under the order that paid last, whose ever that is', async () => {
    const [a, b] = await newPair();
    const [c] = await newPair();
    const { orderId, id } = await charged(a);
    await merge(b, a);
    await plans.act(id, 'cancel');
    await merge(c, b);
    for (const metadata of [{ order_id: orderId }, { subscription_id: id }]) {
      const event = await invoiced(metadata);
      expect(event).toMatchObject({ reason: 'subscription_not_renewable' });
      const { body } = await app.get(`/payments?payment_id=${event.payment_id}`);
      expect(body.data).toMatchObject([{ status: 'unmatched', order_id: orderId, customer_id: a.id }]);
    }
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled', customer_id: c.id });
    expect(await invoiced({ order_id: orderId })).toMatchObject({ reason: 'subscription_ended' });
  });

  it('of the one that ended in favour of another pays nothing', async () => {
    const [target, source] = await newPair();
    const { orderId, id } = await charged(source);
    app.clock.advance({ days: 1 });
    const stays = await begin(target, 'TEAM');
    await merge(target, source);
    for (const metadata of [{ order_id: orderId }, { subscription_id: id }])
      expect(await invoiced(metadata)).toMatchObject({ reason: 'subscription_ended' });
    expect(await paidPeriods(stays.id)).toHaveLength(1);
  });
});
