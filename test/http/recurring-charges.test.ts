// Charges that a provider repeats: each pays the next period of its subscription, once, and none is lost.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { untilTold } from '../support/events.js';
import { placeOrder } from '../support/parallel.js';
import {
  paymentSettings,
  type Signed,
  STRIPE_SECRET,
  signedByHmac,
  signedByStripe,
  starsPaid,
  stripeEvent,
  stripePayment,
  subscriptionInvoice,
  telegramUpdate,
  yookassaNotification,
} from '../support/payments.js';
import { monthly, plansOf } from '../support/plans.js';
import { useProviderStub } from '../support/provider-stub.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const undeclared = failOnUndeclared();
const stub = useProviderStub();
let inbound: { app: FastifyInstance; deps: Deps; close(): Promise<void> };

beforeAll(async () => {
  const payments = paymentSettings({
    stripe: { webhookSecrets: [STRIPE_SECRET], secretKey: 'sk_test_stub', apiUrl: stub.url },
    yookassa: { shopId: '4711', secretKey: 'k', apiUrl: stub.url, networks: ['127.0.0.1', '::1'] },
  });
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments, isSandbox: false });
  await putProduct(app, 'UNITS');
  await plans.put('FREE', '0', [monthly('UNITS', 5)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000)], { grace_days: 3 });
  await plans.put('TRIED', '10', [monthly('UNITS', 700)], { trial_period: { unit: 'weeks', count: 2 } });
  await plans.put('OTHER', '5', [monthly('UNITS', 1)], {}, { plan_group: 'other' });
  await plans.put('STARS', '250', [monthly('UNITS', 50)], {}, { plan_group: 'stars', currency: 'XTR' });
  await putOffer(app, 'PACK', 'UNITS', 10, { price: '10' });
});
afterAll(() => inbound.close());

let number = 0;
/** An id of a provider's own. */
function id(kind: string): string {
  number += 1;
  return `${kind}_${number}`;
}

async function deliver({ body, headers }: Signed, provider = 'stripe'): Promise<void> {
  const answer = await request(inbound.app.server).post(`${BASE_PATH}/payments/${provider}`).set(headers).send(body);
  expect(answer.status, answer.text).toBe(200);
}
async function eventOf(eventId: string): Promise<Json> {
  const { body } = await app.get(`/payments/inbox?event_id=${encodeURIComponent(eventId)}`);
  expect(body.data).toHaveLength(1);
  return body.data[0];
}
const orderOf = async (orderId: unknown) => (await app.get(`/orders/${orderId}`)).body;
const paymentOf = async (paymentId: string) => (await app.get(`/payments?payment_id=${paymentId}`)).body.data[0];

/** Has Stripe tell that an invoice of a subscription was paid; what became of it. */
async function invoiced(metadata: Json, more: Json = {}, intent = id('pi')): Promise<Json> {
  const [eventId, invoiceId] = [id('evt'), id('in')];
  await deliver(
    signedByStripe(stripeEvent(eventId, 'invoice.paid', subscriptionInvoice(invoiceId, intent, metadata, more))),
  );
  return eventOf(eventId);
}
/** A person with a subscription whose first period was paid by Stripe. */
async function subscribed(sku = 'PRO', amount = 1_000) {
  const person = newPerson();
  const orderId = await placeOrder(app, person, sku);
  expect(await invoiced({ order_id: orderId }, { amount_paid: amount })).toMatchObject({ status: 'applied' });
  const { id: subscriptionId } = await plans.own(person);
  return { person, orderId, subscriptionId };
}
const paidPeriods = async (subscriptionId: unknown) =>
  (await plans.show(subscriptionId)).periods.filter(({ kind }: Json) => kind === 'paid');

describe('a further charge of a paid order of a plan', () => {
  it('pays the next period by an order that is made with it, once, whichever events tell it', async () => {
    const { person, orderId, subscriptionId } = await subscribed();
    app.clock.set('2026-02-20T12:00:00.000Z');
    const intent = id('pi');
    const event = await invoiced({ order_id: orderId }, {}, intent);
    expect(event).toMatchObject({ status: 'applied', reason: null, order_ref: orderId, payment_id: intent });
    expect(event.order_id).not.toBe(orderId);
    expect(await orderOf(event.order_id)).toMatchObject({ status: 'paid', payment_id: intent, total_amount: '10.00' });
    const silent = id('evt');
    await deliver(stripePayment(silent, intent, undefined, { amount_received: 1_000 }));
    const naming = id('evt');
    await deliver(stripePayment(naming, intent, orderId, { amount_received: 1_000 }));
    for (const told of [silent, naming])
      expect(await eventOf(told)).toMatchObject({ status: 'applied', order_id: event.order_id });
    expect(await paidPeriods(subscriptionId)).toMatchObject([
      { starts_at: '2026-02-28T12:00:00.000Z', ends_at: '2026-03-31T12:00:00.000Z', order_id: event.order_id },
      { starts_at: '2026-01-31T12:00:00.000Z', order_id: orderId },
    ]);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(1_000);
    // Nobody was asked to pay what was paid with the same step.
    const { steps } = await plans.show(subscriptionId);
    expect(steps.map(({ kind }: Json) => kind)).not.toContain('renewal_due');
    expect((await app.get(`/orders?external_id=${person}`)).body.data).toHaveLength(2);
    const again = await app.post(`/orders/${event.order_id}/confirm`, { payment_id: intent, payment_method: 'stripe' });
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, 'true']);
  });

  it('pays the order that waits for the renewal', async () => {
    const { orderId, subscriptionId } = await subscribed();
    app.clock.set('2026-02-25T12:00:00.000Z');
    const { order_id: waiting } = await plans.show(subscriptionId);
    expect(await invoiced({ order_id: orderId })).toMatchObject({ status: 'applied', order_id: waiting });
    expect(await invoiced({ order_id: waiting })).toMatchObject({ status: 'applied' });
    expect(await paidPeriods(subscriptionId)).toHaveLength(3);
  });

  it('is found where the metadata stands elsewhere in the invoice', async () => {
    const { orderId, subscriptionId } = await subscribed();
    const bare = { parent: null, lines: { object: 'list', data: [] } };
    for (const more of [
      { ...bare, subscription_details: { metadata: { order_id: orderId } } },
      {
        ...bare,
        lines: {
          object: 'list',
          data: [
            { id: 'il', metadata: {} },
            { id: 'il', metadata: { order_id: orderId } },
          ],
        },
      },
      { ...bare, metadata: { subscription_id: subscriptionId } },
    ])
      expect(await invoiced({}, more)).toMatchObject({ status: 'applied' });
    expect(await paidPeriods(subscriptionId)).toHaveLength(4);
  });

  it('told before the first charge pays the first period, and that the second', async () => {
    const person = newPerson();
    const orderId = await placeOrder(app, person, 'PRO');
    const late = await invoiced({ order_id: orderId });
    const first = await invoiced({ order_id: orderId });
    expect([late, first]).toMatchObject([{ status: 'applied', order_id: orderId }, { status: 'applied' }]);
    expect(await paidPeriods((await plans.own(person)).id)).toHaveLength(2);
  });

  it.each<[string, Json]>([
    ['amount', { amount_paid: 999 }],
    ['currency', { currency: 'eur' }],
  ])('of another %s is quarantined, and kept; nothing is made of it', async (_what, more) => {
    const { person, orderId, subscriptionId } = await subscribed();
    const [before, intent] = [await plans.show(subscriptionId), id('pi')];
    const event = await invoiced({ order_id: orderId }, more, intent);
    expect(event).toMatchObject({ status: 'quarantined', reason: 'payment_mismatch', order_id: orderId });
    expect(await paymentOf(intent)).toMatchObject({ status: 'unmatched', order_id: orderId });
    expect(await plans.show(subscriptionId)).toEqual(before);
    expect((await app.get(`/orders?external_id=${person}`)).body.data).toHaveLength(1);
    await untilTold(app);
    expect((await app.get('/events?type=payment.unmatched&limit=200')).body.data.at(-1)).toMatchObject({
      data: { payment_id: intent, order_id: orderId },
    });
  });

  it('goes back by the order that it paid', async () => {
    const { person, orderId, subscriptionId } = await subscribed();
    app.clock.set('2026-02-20T12:00:00.000Z');
    const intent = id('pi');
    const { order_id: renewal } = await invoiced({ order_id: orderId }, {}, intent);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(1_000);
    const refund = { id: id('re'), payment_intent: intent, amount: 1_000, currency: 'usd', status: 'succeeded' };
    const eventId = id('evt');
    await deliver(signedByStripe(stripeEvent(eventId, 'refund.created', refund)));
    expect(await eventOf(eventId)).toMatchObject({ status: 'applied', order_id: renewal });
    expect(await orderOf(renewal)).toMatchObject({ status: 'refunded' });
    expect(await orderOf(orderId)).toMatchObject({ status: 'paid' });
    expect(await plans.balance(person)).toBe(0);
    expect(await plans.show(subscriptionId)).toMatchObject({ status: 'past_due' });
    // What was charged next pays a period all the same, from its payment on.
    expect(await invoiced({ order_id: renewal })).toMatchObject({ status: 'applied' });
    expect(await plans.show(subscriptionId)).toMatchObject({ status: 'active' });
  });

  it('continues from the old end within the grace, and begins anew behind it', async () => {
    const { person, orderId, subscriptionId } = await subscribed();
    app.clock.set('2026-03-02T12:00:00.000Z');
    expect(await plans.show(subscriptionId)).toMatchObject({ status: 'past_due' });
    expect(await invoiced({ order_id: orderId })).toMatchObject({ status: 'applied' });
    expect(await paidPeriods(subscriptionId)).toMatchObject([{ starts_at: '2026-02-28T12:00:00.000Z' }, {}]);
    app.clock.set('2026-04-10T12:00:00.000Z');
    expect(await invoiced({ order_id: orderId })).toMatchObject({ status: 'applied' });
    expect((await paidPeriods(subscriptionId))[0]).toMatchObject({ starts_at: '2026-04-10T12:00:00.000Z' });
    expect(await plans.balance(person)).toBe(1_000);
  });

  it('of a subscription that has ended is quarantined, and can pay another order', async () => {
    const { person, orderId, subscriptionId } = await subscribed();
    await plans.act(subscriptionId, 'cancel', { when: 'period_end' });
    expect(await invoiced({ order_id: orderId })).toMatchObject({
      status: 'quarantined',
      reason: 'subscription_not_renewable',
    });
    app.clock.set('2026-02-28T12:00:00.000Z');
    const intent = id('pi');
    const event = await invoiced({ order_id: orderId }, {}, intent);
    expect(event).toMatchObject({
      status: 'quarantined',
      reason: 'subscription_ended',
      detail: 'The subscription is cancelled.',
      order_id: orderId,
    });
    expect(await paymentOf(intent)).toMatchObject({ status: 'unmatched' });
    const another = await placeOrder(app, person, 'PRO');
    const confirmed = await app.post(`/orders/${another}/confirm`, { payment_id: intent, payment_method: 'stripe' });
    expect(confirmed.status, confirmed.text).toBe(200);
    // The event is tried again, and finds that its charge paid.
    const replayed = await request(inbound.app.server)
      .post(`${BASE_PATH}/payments/inbox/${event.id}/replay`)
      .set({ authorization: 'Bearer a-token-that-only-tests-use' });
    expect(replayed.body).toMatchObject({ status: 'applied', order_id: another });
    app.clock.set('2026-06-30T12:00:00.000Z');
    expect(await invoiced({ order_id: another })).toMatchObject({
      status: 'quarantined',
      reason: 'subscription_ended',
      detail: 'The subscription is expired.',
    });
  });

  it('that was kept before it could be applied is applied when it is replayed', async () => {
    const { orderId, subscriptionId } = await subscribed();
    const intent = id('pi');
    const refused = await app.post(`/orders/${orderId}/confirm`, { payment_id: intent, payment_method: 'stripe' });
    expect(refused.body.code).toBe('order_already_paid');
    expect(await invoiced({ order_id: orderId }, {}, intent)).toMatchObject({ status: 'applied' });
    expect(await paymentOf(intent)).toMatchObject({ status: 'paid' });
    expect(await paidPeriods(subscriptionId)).toHaveLength(2);
  });

  it('is none where the order is of no plan, or of several', async () => {
    const person = newPerson();
    const pack = await placeOrder(app, person, 'PACK');
    expect(await invoiced({ order_id: pack })).toMatchObject({ status: 'applied' });
    expect(await invoiced({ order_id: pack })).toMatchObject({ status: 'quarantined', reason: 'order_already_paid' });
    const both = await plans.buy(person, 'PRO', 'OTHER');
    expect(await invoiced({ order_id: both }, { amount_paid: 1_500 })).toMatchObject({
      status: 'quarantined',
      reason: 'order_already_paid',
    });
    // Named together with its subscription it is.
    const { body } = await app.get(`/subscriptions?external_id=${person}&sku=PRO`);
    const subscriptionId = body.data[0].id;
    const named = await invoiced({ order_id: both, subscription_id: subscriptionId });
    expect(named).toMatchObject({ status: 'applied' });
    expect(await paidPeriods(subscriptionId)).toHaveLength(2);
  });
});

describe('a charge that names a subscription', () => {
  it('pays its first order, and what comes after its trial', async () => {
    const [person, tried] = [newPerson(), newPerson()];
    const { id: subscriptionId } = await plans.begin(person, 'PRO');
    expect(await plans.show(subscriptionId)).toMatchObject({ status: 'incomplete' });
    expect(await invoiced({ subscription_id: subscriptionId })).toMatchObject({ status: 'applied' });
    expect(await plans.show(subscriptionId)).toMatchObject({ status: 'active' });
    const trial = await plans.begin(tried, 'TRIED');
    expect(await invoiced({ subscription_id: trial.id }, { amount_paid: 100 })).toMatchObject({
      status: 'quarantined',
      reason: 'payment_mismatch',
      order_id: null,
    });
    expect(await plans.show(trial.id)).toMatchObject({ status: 'trialing', order_id: null });
    expect(await invoiced({ subscription_id: trial.id })).toMatchObject({ status: 'applied' });
    expect(await paidPeriods(trial.id)).toMatchObject([{ starts_at: '2026-02-14T12:00:00.000Z' }]);
  });

  it('is refused where nothing is to be paid, or it is none of ours', async () => {
    const { id: free } = await plans.begin(newPerson(), 'FREE');
    expect(await invoiced({ subscription_id: free })).toMatchObject({ reason: 'subscription_not_renewable' });
    expect(await invoiced({ subscription_id: 'sub_of_a_shop' })).toMatchObject({
      status: 'quarantined',
      reason: 'subscription_unknown',
    });
    expect(await invoiced({ subscription_id: '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d' })).toMatchObject({
      status: 'waiting',
      reason: 'subscription_not_found',
    });
    const { subscriptionId } = await subscribed();
    const paidOther = id('pi');
    const other = await placeOrder(app, newPerson(), 'PACK');
    await invoiced({ order_id: other }, {}, paidOther);
    expect(await invoiced({ subscription_id: subscriptionId }, {}, paidOther)).toMatchObject({
      status: 'quarantined',
      reason: 'payment_already_used',
    });
    const failed = id('evt');
    const intent = { id: id('pi'), amount: 1_000, currency: 'usd', metadata: { subscription_id: subscriptionId } };
    await deliver(signedByStripe(stripeEvent(failed, 'payment_intent.payment_failed', intent)));
    expect(await eventOf(failed)).toMatchObject({ status: 'ignored', reason: 'no_payment' });
    expect(await paidPeriods(subscriptionId)).toHaveLength(1);
  });

  it('is told by Telegram with the same payload each month', async () => {
    const person = newPerson();
    const orderId = await placeOrder(app, person, 'STARS');
    const told = async (more: Json) => {
      number += 1;
      const chargeId = id('charge');
      const update = starsPaid(number, chargeId, orderId, 250, {
        subscription_expiration_date: 1_772_452_800,
        ...more,
      });
      await deliver(telegramUpdate(update), 'telegram');
      return eventOf(`${number}:${chargeId}`);
    };
    expect(await told({ is_recurring: true, is_first_recurring: true })).toMatchObject({ order_id: orderId });
    app.clock.set('2026-02-27T12:00:00.000Z');
    const second = await told({ is_recurring: true });
    expect(second).toMatchObject({ status: 'applied', order_ref: orderId });
    expect(await orderOf(second.order_id)).toMatchObject({ status: 'paid', currency: 'XTR', total_amount: '250' });
    app.clock.set('2026-03-01T12:00:00.000Z');
    expect(await plans.own(person)).toMatchObject({ status: 'active' });
    expect(await plans.balance(person)).toBe(50);
    number += 1;
    const { message, ...update } = starsPaid(number, String(second.payment_id), orderId, 250);
    const refund = { ...update, message: { refunded_payment: (message as Json).successful_payment } };
    await deliver(telegramUpdate(refund), 'telegram');
    const refunded = await eventOf(`${number}:${second.payment_id}`);
    expect(refunded).toMatchObject({ status: 'applied', order_id: second.order_id });
    expect(await plans.balance(person)).toBe(0);
  });

  it('is fetched from YooKassa by its autopayment', async () => {
    const { subscriptionId } = await subscribed();
    for (const [payment, metadata] of Object.entries({
      auto_1: { subscription_id: subscriptionId },
      auto_2: { order_id: (await plans.show(subscriptionId)).periods[0].order_id },
    })) {
      const body = { id: payment, status: 'succeeded', amount: { value: '10.00', currency: 'USD' }, metadata };
      stub.answer('GET', `/payments/${payment}`, { status: 200, body });
      const sent = yookassaNotification('payment.succeeded', payment);
      await deliver({ body: sent, headers: { 'content-type': 'application/json' } }, 'yookassa');
      expect(await eventOf(`payment.succeeded:${payment}`)).toMatchObject({ status: 'applied' });
    }
    expect(await paidPeriods(subscriptionId)).toHaveLength(3);
  });

  it('is told by a source that maps it', async () => {
    const { subscriptionId } = await subscribed();
    const secret = 'a-secret-that-both-sides-know';
    const put = await app.put('/payment-sources/club', {
      signature: { scheme: 'hmac_sha256', header: 'X-Signature', encoding: 'hex' },
      secret,
      mapping: {
        event_id: '/id',
        subscription_id: '/data/subscription',
        payment_id: '/data/charge',
        amount: '/data/amount',
        amount_unit: 'major',
        currency: 'USD',
        status: '/status',
        statuses: { paid: 'paid' },
      },
    });
    expect(put.status, put.text).toBe(201);
    const charge = id('c');
    for (const eventId of [id('e'), id('e')]) {
      const data = { subscription: subscriptionId, charge, amount: '10.00' };
      const body = JSON.stringify({ id: eventId, status: 'paid', data });
      await deliver(signedByHmac(body, secret, 'hex'), 'generic/club');
      expect(await eventOf(eventId)).toMatchObject({ status: 'applied', subscription_ref: subscriptionId });
    }
    expect(await paidPeriods(subscriptionId)).toHaveLength(2);
  });
});
