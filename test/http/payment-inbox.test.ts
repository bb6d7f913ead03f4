// Webhooks of payment providers: who is believed, what is applied once, and what is kept for somebody to look at.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { applyPaymentsJob } from '../../src/jobs/apply-payments.js';
import { blankPayments } from '../../src/jobs/blank-payments.js';
import { inboxOf } from '../../src/payments/inbox.js';
import { decideInboxEvent, getInboxEvent, settleInboxEvents } from '../../src/services/payment-inbox.js';
import { type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { untilTold } from '../support/events.js';
import { ask, balanceOf, holdCustomers, holdTransaction, placeOrder, untilWaiting } from '../support/parallel.js';
import {
  checkoutSession,
  OLD_STRIPE_SECRET,
  paymentIntent,
  paymentSettings,
  preCheckout,
  type Signed,
  signedByStripe,
  starsPaid,
  stripeEvent,
  stripePayment,
  telegramUpdate,
} from '../support/payments.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const undeclared = failOnUndeclared();
let inbound: { app: FastifyInstance; deps: Deps; close(): Promise<void> };

beforeAll(async () => {
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings() });
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'STARS', 'CREDITS', 5, { price: '25', currency: 'XTR' });
});
afterAll(() => inbound.close());

let number = 0;
beforeEach(() => {
  number += 1;
});
/** A name of this test's own. */
const own = (name: string) => `${name}_${number}`;

const deliver = ({ body, headers }: Signed, provider = 'stripe') =>
  request(inbound.app.server).post(`${BASE_PATH}/payments/${provider}`).set(headers).send(body);

async function received(signed: Signed, provider?: string): Promise<void> {
  const answer = await deliver(signed, provider);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toEqual({ received: true });
}

async function eventOf(eventId: string): Promise<Json> {
  const answer = await app.get(`/payments/inbox?event_id=${encodeURIComponent(eventId)}`);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.data).toHaveLength(1);
  return answer.body.data[0];
}

const runJob = () => applyPaymentsJob.run(inbound.deps, () => false);
const replay = (id: unknown) =>
  request(inbound.app.server)
    .post(`${BASE_PATH}/payments/inbox/${id}/replay`)
    .set({ authorization: 'Bearer a-token-that-only-tests-use' });
const countOf = async () => (await ask(app.url, 'SELECT count(*)::int AS count FROM payment_inbox'))[0]?.count;

describe('a payment that a provider tells', () => {
  it('pays its order, once, however often it is told and by which type of event', async () => {
    const user = own('ada');
    const orderId = await placeOrder(app, user, 'PACK');
    const signed = stripePayment(own('evt_a'), own('pi'), orderId);
    await received(signed);
    await received(signed);
    const session = checkoutSession(own('cs'), own('pi'), orderId);
    await received(signedByStripe(stripeEvent(own('evt_b'), 'checkout.session.completed', session)));
    expect(await balanceOf(app, user, 'CREDITS')).toBe(10);
    expect(await eventOf(own('evt_a'))).toMatchObject({
      status: 'applied',
      reason: null,
      order_id: orderId,
      attempts: 1,
    });
    expect(await eventOf(own('evt_b'))).toMatchObject({ status: 'applied', payment_id: own('pi') });
    const order = (await app.get(`/orders/${orderId}`)).body;
    expect(order).toMatchObject({ status: 'paid', payment_id: own('pi'), payment_method: 'stripe' });
  });

  it('is answered by confirm as if confirm had been first', async () => {
    const orderId = await placeOrder(app, own('bea'), 'PACK');
    await received(stripePayment(own('evt'), own('pi'), orderId));
    const answer = await app.post(`/orders/${orderId}/confirm`, { payment_id: own('pi'), payment_method: 'stripe' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers['idempotent-replayed']).toBe('true');
    expect(answer.body).toMatchObject({ id: orderId, status: 'paid', batches: [{ product_key: 'CREDITS' }] });
  });

  it('was confirmed before: nothing more happens', async () => {
    const user = own('cy');
    const orderId = await placeOrder(app, user, 'PACK');
    await app.post(`/orders/${orderId}/confirm`, { payment_id: own('pi'), payment_method: 'stripe' });
    await received(stripePayment(own('evt'), own('pi'), orderId));
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'applied' });
    expect(await balanceOf(app, user, 'CREDITS')).toBe(10);
  });

  it('is found by its charge where it names no order', async () => {
    const orderId = await placeOrder(app, own('dee'), 'PACK');
    await received(stripePayment(own('evt_a'), own('pi'), undefined));
    expect(await eventOf(own('evt_a'))).toMatchObject({ status: 'waiting', reason: 'no_order' });
    const session = checkoutSession(own('cs'), own('pi'), orderId);
    await received(signedByStripe(stripeEvent(own('evt_b'), 'checkout.session.completed', session)));
    await runJob();
    expect(await eventOf(own('evt_a'))).toMatchObject({ status: 'applied', order_id: orderId });
  });

  it('comes before its order, and is applied by the job', async () => {
    const unknown = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
    await received(stripePayment(own('evt'), own('pi'), unknown));
    expect(await eventOf(own('evt'))).toMatchObject({
      status: 'waiting',
      reason: 'order_not_found',
      order_id: unknown,
    });
    const orderId = await placeOrder(app, own('eve'), 'PACK');
    // Ids of orders are drawn when they are made: the event is made to name the one that came.
    await ask(app.url, 'UPDATE payment_inbox SET order_ref = $1, order_id = $1::text::uuid WHERE event_id = $2', [
      orderId,
      own('evt'),
    ]);
    await runJob();
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'waiting', attempts: 1 });
    app.clock.advance({ seconds: 10 });
    await runJob();
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'applied', attempts: 2 });
    expect(await balanceOf(app, own('eve'), 'CREDITS')).toBe(10);
  });

  it('whose order never comes is quarantined after a day, which is told', async () => {
    await received(stripePayment(own('evt'), own('pi'), '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4e'));
    app.clock.advance({ days: 1 });
    await runJob();
    const event = await eventOf(own('evt'));
    expect(event).toMatchObject({ status: 'quarantined', reason: 'order_not_found', next_at: null });
    await untilTold(app);
    const told = (await app.get('/events?type=payment.quarantined&limit=200')).body.data.at(-1);
    expect(told).toMatchObject({
      customer: null,
      data: { inbox_id: event.id, provider: 'stripe', event_id: own('evt'), reason: 'order_not_found', amount: '1.00' },
    });
    const audited = (await app.get(`/audit?subject=${event.id}`)).body.data;
    expect(audited).toMatchObject([{ action: 'payment_event.updated', key: 'payments:stripe' }]);
  });

  it('waits for a customer whom somebody else holds: it is stored at once', async () => {
    const user = own('fay');
    const orderId = await placeOrder(app, user, 'PACK');
    const [owner] = await ask(app.url, 'SELECT customer_id FROM orders WHERE id = $1', [orderId]);
    const held = await holdCustomers(app.url, owner?.customer_id as string);
    await received(stripePayment(own('evt'), own('pi'), orderId));
    expect((await eventOf(own('evt'))).status).toBe('waiting');
    await held.rollback();
    await waitFor(
      () => 'the event to be applied',
      async () => (await eventOf(own('evt'))).status === 'applied' || undefined,
    );
    expect(await balanceOf(app, user, 'CREDITS')).toBe(10);
  });
});

describe('what does not fit', () => {
  it.each<[string, Json, string]>([
    ['another amount', { amount_received: 99 }, 'payment_mismatch'],
    ['another currency', { currency: 'eur' }, 'payment_mismatch'],
    ['a currency that is none', { currency: 'zzz' }, 'amount_unknown'],
    ['an order that is none of ours', { metadata: { order_id: 'shop-4711' } }, 'order_unknown'],
  ])('is quarantined: %s', async (_what, more, reason) => {
    const user = own('gil');
    const orderId = await placeOrder(app, user, 'PACK');
    await received(stripePayment(own('evt'), own('pi'), orderId, more));
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'quarantined', reason });
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('pending');
  });

  it('is quarantined: another payment of a paid order, or one of a cancelled order', async () => {
    const orderId = await placeOrder(app, own('hal'), 'PACK');
    await received(stripePayment(own('evt_a'), own('pi_a'), orderId));
    await received(stripePayment(own('evt_b'), own('pi_b'), orderId));
    expect(await eventOf(own('evt_b'))).toMatchObject({ status: 'quarantined', reason: 'order_already_paid' });
    const cancelled = await placeOrder(app, own('hal'), 'PACK');
    await app.post(`/orders/${cancelled}/cancel`, {});
    await received(stripePayment(own('evt_c'), own('pi_c'), cancelled));
    expect(await eventOf(own('evt_c'))).toMatchObject({ status: 'quarantined', reason: 'order_not_payable' });
    const unmatched = (await app.get(`/payments?status=unmatched&order_id=${cancelled}`)).body.data;
    expect(unmatched).toMatchObject([{ payment_id: own('pi_c'), payment_method: 'stripe' }]);
  });

  it('is of no effect: what failed or expired after it was paid', async () => {
    const user = own('ivy');
    const orderId = await placeOrder(app, user, 'PACK');
    await received(stripePayment(own('evt_a'), own('pi'), orderId));
    for (const type of ['payment_intent.payment_failed', 'payment_intent.canceled']) {
      await received(signedByStripe(stripeEvent(own(type), type, paymentIntent(own('pi'), orderId))));
      const late = { status: 'ignored', reason: 'already_paid', order_id: orderId };
      expect(await eventOf(own(type))).toMatchObject(late);
    }
    const expired = checkoutSession(own('cs'), own('pi'), orderId, { payment_intent: null, payment_status: 'unpaid' });
    await received(signedByStripe(stripeEvent(own('evt_e'), 'checkout.session.expired', expired)));
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('paid');
    expect(await eventOf(own('evt_e'))).toMatchObject({ status: 'ignored' });
    expect(await balanceOf(app, user, 'CREDITS')).toBe(10);
  });

  it('is recorded: a payment that failed, and pays when it succeeds', async () => {
    const user = own('jon');
    const orderId = await placeOrder(app, user, 'PACK');
    const failed = stripeEvent(own('evt_a'), 'payment_intent.payment_failed', paymentIntent(own('pi'), orderId));
    await received(signedByStripe(failed));
    expect((await app.get(`/payments?payment_id=${own('pi')}`)).body.data).toMatchObject([{ status: 'failed' }]);
    await received(stripePayment(own('evt_b'), own('pi'), orderId));
    expect(await balanceOf(app, user, 'CREDITS')).toBe(10);
  });

  it('is stored and ignored: a type that nobody knows here', async () => {
    await received(signedByStripe(stripeEvent(own('evt'), 'customer.created', { id: 'cus_1' })));
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'ignored', kind: 'ignored', reason: 'no_effect' });
  });
});

describe('money that goes back', () => {
  const refund = (more: Json = {}) => ({
    id: own('re'),
    payment_intent: own('pi'),
    amount: 50,
    currency: 'usd',
    status: 'succeeded',
    ...more,
  });
  const told = (eventId: string, type: string, object: Json) =>
    received(signedByStripe(stripeEvent(own(eventId), type, object)));
  const paid = async (user: string) => {
    const orderId = await placeOrder(app, own(user), 'PACK');
    await received(stripePayment(own('evt_p'), own('pi'), orderId));
    return orderId;
  };

  it('waits for its payment, and takes back what that bought, once', async () => {
    const orderId = await placeOrder(app, own('kim'), 'PACK');
    await told('evt_r', 'refund.created', refund());
    expect(await eventOf(own('evt_r'))).toMatchObject({ status: 'waiting', reason: 'payment_not_known' });
    await received(stripePayment(own('evt_p'), own('pi'), orderId));
    await runJob();
    expect(await eventOf(own('evt_r'))).toMatchObject({ status: 'applied', order_id: orderId });
    await told('evt_u', 'refund.updated', refund());
    expect(await eventOf(own('evt_u'))).toMatchObject({ status: 'applied' });
    expect(await balanceOf(app, own('kim'), 'CREDITS')).toBe(5);
    expect((await app.get(`/orders/${orderId}`)).body).toMatchObject({
      status: 'partially_refunded',
      refunded_amount: '0.50',
    });
  });

  it('comes back when the refund failed', async () => {
    const orderId = await paid('lou');
    await told('evt_r', 'refund.created', refund({ amount: 100 }));
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('refunded');
    await told('evt_f', 'refund.failed', refund({ amount: 100, status: 'failed' }));
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('paid');
    expect(await balanceOf(app, own('lou'), 'CREDITS')).toBe(10);
  });

  it('is disputed, and comes back when the dispute is won; an end that is heard first stays', async () => {
    const dispute = (status: string) => refund({ id: own('dp'), amount: 100, status });
    await paid('mel');
    await told('evt_o', 'charge.dispute.created', dispute('needs_response'));
    expect(await balanceOf(app, own('mel'), 'CREDITS')).toBe(0);
    await told('evt_c', 'charge.dispute.closed', dispute('won'));
    expect(await balanceOf(app, own('mel'), 'CREDITS')).toBe(10);
    number += 1_000;
    await paid('nat');
    await told('evt_c', 'charge.dispute.closed', dispute('won'));
    await told('evt_o', 'charge.dispute.created', dispute('needs_response'));
    expect(await balanceOf(app, own('nat'), 'CREDITS')).toBe(10);
  });

  it('takes nothing where the charge bought nothing, or too much of it is told', async () => {
    const orderId = await paid('oda');
    await received(stripePayment(own('evt_2'), own('pi_2'), orderId));
    await told('evt_r', 'refund.created', refund({ payment_intent: own('pi_2'), amount: 100 }));
    expect(await eventOf(own('evt_r'))).toMatchObject({ status: 'ignored', reason: 'payment_unmatched' });
    await told('evt_s', 'refund.created', refund({ id: own('re_s'), amount: 101 }));
    expect(await eventOf(own('evt_s'))).toMatchObject({ status: 'quarantined', reason: 'refund_exceeds_paid' });
    await told('evt_t', 'refund.created', refund({ id: own('re_t'), currency: 'eur' }));
    expect(await eventOf(own('evt_t'))).toMatchObject({ status: 'quarantined', reason: 'currency_mismatch' });
    expect(await balanceOf(app, own('oda'), 'CREDITS')).toBe(10);
  });
});

describe('what went back of a charge that bought nothing', () => {
  const [charge, order] = [() => own('pi_late'), (of: string) => placeOrder(app, own(of), 'PACK')];
  const pays = (orderId: string) =>
    app.post(`/orders/${orderId}/confirm`, {
      payment_id: charge(),
      payment_method: 'stripe',
      amount: '1.00',
      currency: 'USD',
    });
  const cancelled = async (of: string) => {
    const orderId = await order(of);
    expect((await app.post(`/orders/${orderId}/cancel`, {})).status).toBe(200);
    return orderId;
  };
  const back = { id: 'x', charge: 'ch_x', amount: 100, currency: 'usd' };
  const goesBack = async () => {
    const refund = { ...back, id: own('re_late'), payment_intent: charge(), status: 'succeeded' };
    await received(signedByStripe(stripeEvent(own('evt_back'), 'refund.created', refund)));
    expect(await eventOf(own('evt_back'))).toMatchObject({ status: 'ignored', reason: 'payment_unmatched' });
  };

  it('takes it back from what the charge buys later', async () => {
    await received(stripePayment(own('evt_late'), charge(), await cancelled('pam')));
    await goesBack();
    const bought = await order('pam');
    expect((await pays(bought)).status).toBe(200);
    await runJob();
    expect(await eventOf(own('evt_back'))).toMatchObject({ status: 'applied', reason: null, order_id: bought });
    expect((await app.get(`/orders/${bought}`)).body.status).toBe('refunded');
    expect(await balanceOf(app, own('pam'), 'CREDITS')).toBe(0);
  });

  it('is followed when the charge is told of one order after the other', async () => {
    await received(stripePayment(own('evt_late'), charge(), await cancelled('quy')));
    const dispute = { ...back, id: own('dp_late'), payment_intent: charge(), status: 'needs_response' };
    await received(signedByStripe(stripeEvent(own('evt_dp'), 'charge.dispute.created', dispute)));
    await goesBack();
    const second = await cancelled('quy');
    expect((await pays(second)).body.code).toBe('order_not_payable');
    await runJob();
    expect(await eventOf(own('evt_back'))).toMatchObject({ status: 'ignored', order_id: second });
    const bought = await order('quy');
    expect((await pays(bought)).status).toBe(200);
    await runJob();
    expect(await eventOf(own('evt_back'))).toMatchObject({ status: 'applied', order_id: bought });
    expect(await eventOf(own('evt_dp'))).toMatchObject({ status: 'applied', order_id: bought });
    expect(await balanceOf(app, own('quy'), 'CREDITS')).toBe(0);
  });

  it('is found where it is told while the charge is about to buy something', async () => {
    await received(stripePayment(own('evt_late'), charge(), await cancelled('ray')));
    const bought = await order('ray');
    const held = await holdTransaction(app.url);
    await held.query('SELECT FROM payments WHERE payment_id = $1 FOR UPDATE', [charge()]);
    const paying = pays(bought).then((answer) => answer);
    await untilWaiting(app.url, 1);
    const refund = { ...back, id: own('re_late'), payment_intent: charge(), status: 'succeeded' };
    await received(signedByStripe(stripeEvent(own('evt_back'), 'refund.created', refund)));
    await held.rollback();
    expect((await paying).status).toBe(200);
    await inboxOf(inbound.deps).end();
    await runJob();
    expect(await eventOf(own('evt_back'))).toMatchObject({ status: 'applied', order_id: bought });
    expect(await balanceOf(app, own('ray'), 'CREDITS')).toBe(0);
  });
});

describe('who is not believed', () => {
  it('is refused, counted, and leaves nothing', async () => {
    const before = await countOf();
    const { body } = stripePayment('evt_x', 'pi_x', undefined);
    for (const signed of [
      signedByStripe(body, { secret: 'whsec_other' }),
      signedByStripe(body, { ageS: 3_600 }),
      { body, headers: { 'content-type': 'application/json' } },
      { body: `${body} `, headers: signedByStripe(body).headers },
    ]) {
      const answer = await deliver(signed);
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_signature']);
    }
    expect(await countOf()).toBe(before);
    const metrics = (await request(inbound.app.server).get('/metrics')).text;
    expect(metrics).toMatch(/bursar_payment_webhooks_total\{provider="stripe",outcome="invalid_signature"\} 4/);
  });

  it('may add to its URL what it likes', async () => {
    await received(signedByStripe(stripeEvent(own('evt'), 'plan.created', {})), 'stripe?data.id=1&type=payment&type=a');
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'ignored' });
  });

  it('is believed by the secret before', async () => {
    const { body } = stripePayment(own('evt'), own('pi'), undefined);
    await received(signedByStripe(body, { secret: OLD_STRIPE_SECRET }));
  });

  it('is refused: what is no JSON, no event, too large, or of no provider', async () => {
    const before = await countOf();
    const codes = await Promise.all(
      (
        [
          [signedByStripe('{"id"'), 'stripe'],
          [signedByStripe('""'), 'stripe'],
          [signedByStripe(JSON.stringify({ pad: 'x'.repeat(256 * 1_024) })), 'stripe'],
          [signedByStripe('{}'), 'paypal'],
          [signedByStripe('{}'), 'inbox'],
        ] as const
      ).map(async ([signed, provider]) => {
        const answer = await deliver(signed, provider);
        return [answer.status, answer.body.code];
      }),
    );
    expect(codes).toEqual([
      [400, 'malformed_json'],
      [400, 'invalid_request'],
      [413, 'payload_too_large'],
      [404, 'payment_provider_not_found'],
      [405, 'method_not_allowed'],
    ]);
    expect(await countOf()).toBe(before);
  });
});

describe('the inbox', () => {
  it('shows what came in without what is secret, until it is blanked by age', async () => {
    await received(stripePayment(own('evt'), own('pi'), undefined, { payment_method_token: 'tok' }));
    const { id } = await eventOf(own('evt'));
    const shown = (await app.get(`/payments/inbox/${id}`)).body;
    expect(shown.body.data.object).toMatchObject({
      id: own('pi'),
      client_secret: '[cut]',
      payment_method_token: '[cut]',
    });
    expect(JSON.stringify(shown)).not.toContain('_secret_abc');
    expect(shown.headers).not.toHaveProperty('stripe-signature');
    await app.post(`/payments/inbox/${id}/dismiss`, { reason: 'of the other shop' });
    app.clock.advance({ days: 91 });
    await blankPayments(inbound.deps, 90);
    const blanked = (await app.get(`/payments/inbox/${id}`)).body;
    expect(blanked).toMatchObject({ body: null, headers: {}, status: 'dismissed', payment_id: own('pi') });
  });

  it.each<[string, unknown, unknown]>([
    ['api_key', 'k-1', '[cut]'],
    ['private-key', ['k-1'], '[cut]'],
    ['passwd', 'x', '[cut]'],
    ['pin', 1234, '[cut]'],
    ['cookie', { a: 1 }, '[cut]'],
    ['number', '4242 4242 4242 4242', '[cut]'],
    ['number', 17, 17],
    ['url', 'https://ada:pw@shop.test/', '[cut]'],
    ['url', 'https://shop.test/?a=1&token=x', '[cut]'],
    ['url', 'https://shop.test/?a=1', 'https://shop.test/?a=1'],
    ['paid', true, true],
    ['note', null, null],
  ])('shows %s: %j as %j', async (name, value, expected) => {
    await received(signedByStripe(stripeEvent(own('evt'), 'customer.updated', { [name]: value })));
    const { id } = await eventOf(own('evt'));
    expect((await app.get(`/payments/inbox/${id}`)).body.body.data.object[name]).toEqual(expected);
  });

  it.each([60, 3_000, 100_000])('shows a body of %i levels as far down as can be read', async (depth) => {
    const deep = stripeEvent(own('evt'), 'customer.updated', {}).replace(
      '"object":{}',
      `"object":${'['.repeat(depth)}${']'.repeat(depth)}`,
    );
    await received(signedByStripe(deep));
    const { id } = await eventOf(own('evt'));
    const answer = await app.get(`/payments/inbox/${id}`);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body.body).toMatchObject({ id: own('evt'), type: 'customer.updated' });
    expect(answer.text.includes('[cut]')).toBe(depth > 64);
  });

  it('tries an event again, later each time, that a fault of ours keeps from being applied', async () => {
    const orderId = await placeOrder(app, own('kay'), 'PACK');
    await ask(app.url, 'ALTER TABLE payments RENAME TO payments_gone');
    await received(stripePayment(own('evt'), own('pi'), orderId));
    const failed = await eventOf(own('evt'));
    expect(failed).toMatchObject({ status: 'waiting', reason: 'internal_error', attempts: 1, order_id: orderId });
    expect(Date.parse(String(failed.next_at)) - app.clock.now().getTime()).toBe(5_000);
    await ask(app.url, 'ALTER TABLE payments_gone RENAME TO payments');
    app.clock.advance({ seconds: 5 });
    await runJob();
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'applied', attempts: 2 });
  });

  it('has nothing written about an event that somebody else took since', async () => {
    await received(stripePayment(own('evt'), own('pi'), undefined));
    const { id } = await eventOf(own('evt'));
    const { body, headers, ...record } = await getInboxEvent(inbound.deps, id as string);
    const settled = { ...record, status: 'ignored', nextAt: null, settledAt: app.clock.now() } as const;
    await settleInboxEvents(inbound.deps, [{ ...settled, attempts: record.attempts - 1 }]);
    await decideInboxEvent(inbound.deps, { ...settled, attempts: record.attempts - 1 }, 'somebody');
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'waiting', attempts: 1 });
    await settleInboxEvents(inbound.deps, [settled]);
    expect(await eventOf(own('evt'))).toMatchObject({ status: 'ignored' });
  });

  it('is tried again by hand', async () => {
    const orderId = await placeOrder(app, own('lea'), 'PACK');
    await received(stripePayment(own('evt'), own('pi'), undefined));
    const waiting = await eventOf(own('evt'));
    await app.post(`/orders/${orderId}/confirm`, { payment_id: own('pi'), payment_method: 'stripe' });
    const answer = await replay(waiting.id);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ status: 'applied', order_id: orderId, attempts: 2 });
    const again = await replay(waiting.id);
    expect(again.body).toMatchObject({ status: 'applied', attempts: 2 });
    expect((await app.get(`/audit?subject=${waiting.id}`)).body.data).toMatchObject([
      { after: { status: 'applied' }, before: { status: 'waiting' } },
    ]);
    const refused = await app.post(`/payments/inbox/${waiting.id}/dismiss`, { reason: 'too late' });
    expect([refused.status, refused.body.code]).toEqual([409, 'payment_event_closed']);
  });

  it('is dismissed for good', async () => {
    await received(stripePayment(own('evt'), own('pi'), 'shop-1'));
    const { id } = await eventOf(own('evt'));
    const answer = await app.post(`/payments/inbox/${id}/dismiss`, { reason: 'of the other shop' });
    expect(answer.body).toMatchObject({ status: 'dismissed', detail: 'of the other shop' });
    expect((await app.post(`/payments/inbox/${id}/dismiss`, { reason: 'again' })).body.detail).toBe(
      'of the other shop',
    );
    const tried = await replay(id);
    expect([tried.status, tried.body.code]).toEqual([409, 'payment_event_closed']);
    const unknown = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4f';
    expect((await replay(unknown)).status).toBe(404);
    expect((await app.get(`/payments/inbox/${unknown}`)).body.code).toBe('payment_event_not_found');
    expect((await app.post(`/payments/inbox/${unknown}/dismiss`, { reason: 'x' })).status).toBe(404);
  });

  it('is listed by what is asked for, in pages', async () => {
    const orderId = await placeOrder(app, own('mia'), 'PACK');
    await received(stripePayment(own('evt_a'), own('pi'), orderId));
    await received(stripePayment(own('evt_b'), own('pi'), orderId, { amount_received: 5 }));
    const idsOf = async (query: string) =>
      (await app.get(`/payments/inbox?${query}`)).body.data.map(({ event_id: id }: Json) => id);
    expect(await idsOf(`order_id=${orderId}`)).toEqual([own('evt_b'), own('evt_a')]);
    expect(await idsOf(`order_id=${orderId}&status=quarantined`)).toEqual([own('evt_b')]);
    expect(await idsOf(`payment_id=${own('pi')}&provider=stripe&kind=paid`)).toHaveLength(2);
    expect(await idsOf(`payment_id=${own('pi')}&provider=telegram`)).toEqual([]);
    const first = (await app.get(`/payments/inbox?order_id=${orderId}&limit=1`)).body;
    const second = (await app.get(`/payments/inbox?order_id=${orderId}&limit=1&cursor=${first.next_cursor}`)).body;
    expect([first.data[0].event_id, second.data[0].event_id]).toEqual([own('evt_b'), own('evt_a')]);
    expect(second.next_cursor).toBeNull();
  });
});

describe('Telegram', () => {
  it('asks before it charges, and is answered from the order as it is', async () => {
    const orderId = await placeOrder(app, own('ned'), 'STARS');
    const asked = await deliver(telegramUpdate(preCheckout(orderId, 25)), 'telegram');
    const query = { method: 'answerPreCheckoutQuery', pre_checkout_query_id: 'query-1' };
    expect([asked.status, asked.body]).toEqual([200, { ...query, ok: true }]);
    const repriced = await deliver(telegramUpdate(preCheckout(orderId, 24)), 'telegram');
    expect(repriced.body).toMatchObject({ ...query, ok: false, error_message: expect.any(String) });
    const unknown = await deliver(telegramUpdate(preCheckout('4711', 25)), 'telegram');
    expect(unknown.body).toMatchObject({ ok: false });
    await received(telegramUpdate(starsPaid(number, own('charge'), orderId, 25)), 'telegram');
    const paid = await deliver(telegramUpdate(preCheckout(orderId, 25)), 'telegram');
    expect(paid.body).toMatchObject({ ok: false, error_message: expect.stringMatching(/paid/) });
    const other = await placeOrder(app, own('ned'), 'STARS');
    app.clock.advance({ days: 2 });
    const expired = await deliver(telegramUpdate(preCheckout(other, 25)), 'telegram');
    expect(expired.body).toMatchObject({ ok: false, error_message: expect.stringMatching(/not open/) });
  });

  it('is one event for each charge: its number may be that of another bot', async () => {
    for (const [at, user] of ['sam', 'tea'].entries()) {
      const orderId = await placeOrder(app, own(user), 'STARS');
      const update = telegramUpdate(starsPaid(4_711, own(`charge-${at}`), orderId, 25));
      await received(update, 'telegram');
      await received(update, 'telegram');
      expect(await balanceOf(app, own(user), 'CREDITS')).toBe(5);
      expect(await eventOf(`4711:${own(`charge-${at}`)}`)).toMatchObject({ status: 'applied', order_id: orderId });
    }
  });

  it('confirms by its charge, under the method that workflows confirm by', async () => {
    const user = own('ola');
    const orderId = await placeOrder(app, user, 'STARS');
    await received(telegramUpdate(starsPaid(number, own('charge'), orderId, 25)), 'telegram');
    const confirmed = await app.post(`/orders/${orderId}/confirm`, {
      payment_id: own('charge'),
      payment_method: 'telegram_stars',
    });
    expect(confirmed.headers['idempotent-replayed']).toBe('true');
    expect(await balanceOf(app, user, 'CREDITS')).toBe(5);
  });
});
