// What is asked of payment providers, of stand-ins of their APIs: YooKassa's payments, Stripe's refunds and invoices, and Checkout Sessions.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { inboxOf } from '../../src/payments/inbox.js';
import { API_TOKEN, type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { balanceOf, placeOrder } from '../support/parallel.js';
import {
  paymentSettings,
  STRIPE_SECRET,
  signedByStripe,
  stripeEvent,
  stripePayment,
  yookassaNotification,
} from '../support/payments.js';
import { useProviderStub } from '../support/provider-stub.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const undeclared = failOnUndeclared();
const stub = useProviderStub();
let inbound: { app: FastifyInstance; deps: Deps; close(): Promise<void> };

beforeAll(async () => {
  const payments: Config['payments'] = paymentSettings({
    stripe: { webhookSecrets: [STRIPE_SECRET], secretKey: 'sk_test_stub', apiUrl: stub.url },
    yookassa: { shopId: '4711', secretKey: 'k', apiUrl: stub.url, networks: ['127.0.0.1', '::1'] },
  });
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments, isSandbox: false });
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'FREE', 'CREDITS', 1, { price: '0' });
  await putOffer(app, 'STARS', 'CREDITS', 1, { price: '5', currency: 'XTR' });
  await putOffer(app, 'DINARS', 'CREDITS', 1, { price: '1.234', currency: 'KWD' });
});
afterAll(() => inbound.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  request(inbound.app.server)
    .post(`${BASE_PATH}${path}`)
    .set({ 'content-type': 'application/json', ...headers })
    .send(body as object);
const eventOf = async (eventId: string): Promise<Json> =>
  (await app.get(`/payments/inbox?event_id=${encodeURIComponent(eventId)}`)).body.data[0];

describe('YooKassa', () => {
  const payment = (id: string, orderId: string, more: Json = {}) => ({
    status: 200,
    body: {
      id,
      status: 'succeeded',
      amount: { value: '1.00', currency: 'USD' },
      metadata: { order_id: orderId },
      ...more,
    },
  });
  const notify = async (event: string, id: string, more: Json = {}) => {
    const answer = await post('/payments/yookassa', yookassaNotification(event, id, more));
    expect(answer.status, answer.text).toBe(200);
  };

  it('is believed in nothing but an id: the payment is fetched', async () => {
    const orderId = await placeOrder(app, 'ada', 'PACK');
    stub.answer('GET', '/payments/p-1', payment('p-1', orderId));
    await notify('payment.succeeded', 'p-1', { amount: { value: '9999.00', currency: 'RUB' } });
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(10);
    expect(stub.asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('4711:k').toString('base64')}`);
    expect(await eventOf('payment.succeeded:p-1')).toMatchObject({
      status: 'applied',
      order_id: orderId,
      order_ref: orderId,
      amount: '1.00',
      currency: 'USD',
    });
    stub.answer('GET', '/refunds/r-1', {
      status: 200,
      body: { id: 'r-1', status: 'succeeded', payment_id: 'p-1', amount: { value: '0.50', currency: 'USD' } },
    });
    await notify('refund.succeeded', 'r-1');
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(5);
  });

  it('that does not know it, or has it otherwise, is not paid by', async () => {
    const orderId = await placeOrder(app, 'bea', 'PACK');
    await notify('payment.succeeded', 'forged');
    expect(await eventOf('payment.succeeded:forged')).toMatchObject({
      status: 'quarantined',
      reason: 'provider_denies',
    });
    stub.answer('GET', '/payments/p-2', payment('p-2', orderId, { status: 'canceled' }));
    await notify('payment.succeeded', 'p-2');
    expect(await eventOf('payment.succeeded:p-2')).toMatchObject({ kind: 'cancelled', status: 'applied' });
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('pending');
    await notify('payment.waiting_for_capture', 'p-3');
    expect(await eventOf('payment.waiting_for_capture:p-3')).toMatchObject({ status: 'ignored' });
  });

  it.each<[string, Json]>([
    ['in a status that is none', { status: 'constructor' }],
    ['of another id', { id: 'p-other' }],
    ['that waits', { status: 'pending' }],
  ])('is asked again where it tells of a payment %s', async (what, more) => {
    const orderId = await placeOrder(app, 'gus', 'PACK');
    const id = `p-${what.length}`;
    stub.answer('GET', `/payments/${id}`, payment(id, orderId, more), payment(id, orderId));
    await notify('payment.succeeded', id);
    expect(await eventOf(`payment.succeeded:${id}`)).toMatchObject({ status: 'waiting', reason: 'provider_silent' });
    app.clock.advance({ seconds: 5 });
    await inboxOf(inbound.deps).applyDue(() => false);
    expect(await eventOf(`payment.succeeded:${id}`)).toMatchObject({ status: 'applied', payment_id: id });
  });

  it('is asked again of a refund that waits, and not of one that is off', async () => {
    const orderId = await placeOrder(app, 'hal', 'PACK');
    stub.answer('GET', '/payments/p-5', payment('p-5', orderId));
    await notify('payment.succeeded', 'p-5');
    const refund = (id: string, status: string) => ({
      status: 200,
      body: { id, status, payment_id: 'p-5', amount: { value: '0.50', currency: 'USD' } },
    });
    stub.answer('GET', '/refunds/r-5', refund('r-5', 'pending'), refund('r-5', 'succeeded'));
    await notify('refund.succeeded', 'r-5');
    expect(await eventOf('refund.succeeded:r-5')).toMatchObject({ status: 'waiting', reason: 'provider_silent' });
    app.clock.advance({ seconds: 5 });
    await inboxOf(inbound.deps).applyDue(() => false);
    expect(await eventOf('refund.succeeded:r-5')).toMatchObject({ status: 'applied', refund_id: 'r-5' });
    stub.answer('GET', '/refunds/r-6', refund('r-6', 'canceled'));
    await notify('refund.succeeded', 'r-6');
    expect(await eventOf('refund.succeeded:r-6')).toMatchObject({ status: 'ignored' });
    expect((await app.get(`/orders/${orderId}`)).body.refunded_amount).toBe('0.50');
  });

  it('that does not answer is asked again by the job', async () => {
    const orderId = await placeOrder(app, 'cy', 'PACK');
    stub.answer('GET', '/payments/p-4', { status: 500, body: {} }, payment('p-4', orderId));
    await notify('payment.succeeded', 'p-4');
    expect(await eventOf('payment.succeeded:p-4')).toMatchObject({ status: 'waiting', reason: 'provider_silent' });
    app.clock.advance({ seconds: 5 });
    await inboxOf(inbound.deps).applyDue(() => false);
    expect(await eventOf('payment.succeeded:p-4')).toMatchObject({ status: 'applied' });
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBe(10);
  });

  it('is not listened to from elsewhere', async () => {
    const body = yookassaNotification('payment.succeeded', 'p-9');
    const forwarded = await post('/payments/yookassa', body, { 'x-forwarded-for': '185.71.76.1' });
    expect(forwarded.status).toBe(200); // nobody is trusted to say so: the address is that of the connection
    await inbound.deps.db.query(
      `UPDATE payment_inbox SET status = 'dismissed', next_at = NULL, settled_at = now() WHERE status = 'waiting'`,
    );
  });
});

describe('Stripe', () => {
  it('is asked which refunds a charge has, of which each counts once', async () => {
    const orderId = await placeOrder(app, 'dee', 'PACK');
    const { body, headers } = stripePayment('evt_d1', 'pi_d', orderId);
    await post('/payments/stripe', body, headers);
    const refund = (id: string, amount: number, status = 'succeeded') => ({
      ...{ id, object: 'refund', amount, currency: 'usd', status, charge: 'ch_d', payment_intent: 'pi_d' },
    });
    stub.answer('GET', '/v1/refunds', {
      status: 200,
      body: {
        object: 'list',
        has_more: false,
        url: '/v1/refunds',
        data: [refund('re_1', 20), refund('re_2', 30), refund('re_3', 9, 'pending')],
      },
    });
    const object = { id: 'ch_d', object: 'charge', payment_intent: 'pi_d', currency: 'usd', amount_refunded: 50 };
    const told = signedByStripe(stripeEvent('evt_d2', 'charge.refunded', object));
    await post('/payments/stripe', told.body, told.headers);
    expect(await eventOf('evt_d2')).toMatchObject({ status: 'applied', order_id: orderId });
    expect(stub.asked.at(-1)?.path).toContain('payment_intent=pi_d');
    const again = signedByStripe(stripeEvent('evt_d3', 'refund.created', refund('re_1', 20)));
    await post('/payments/stripe', again.body, again.headers);
    expect(await balanceOf(app, 'dee', 'CREDITS')).toBe(5);
  });

  it('is asked for page after page of the refunds of a charge', async () => {
    const orderId = await placeOrder(app, 'ben', 'PACK');
    const { body, headers } = stripePayment('evt_b1', 'pi_b', orderId);
    await post('/payments/stripe', body, headers);
    const page = (from: number, count: number, hasMore: boolean) => {
      const data = Array.from({ length: count }, (_, index) => ({
        id: `re_b${from + index}`,
        ...{ object: 'refund', amount: 1, currency: 'usd', status: 'succeeded', payment_intent: 'pi_b' },
      }));
      return { status: 200, body: { object: 'list', has_more: hasMore, url: '/v1/refunds', data } };
    };
    stub.answer('GET', '/v1/refunds', page(0, 30, true), page(30, 20, true), page(50, 10, false));
    const object = { id: 'ch_b', object: 'charge', payment_intent: 'pi_b', currency: 'usd', amount_refunded: 60 };
    const told = signedByStripe(stripeEvent('evt_b2', 'charge.refunded', object));
    await post('/payments/stripe', told.body, told.headers);
    await waitFor(
      () => 'the refunds to be applied',
      async () => (await eventOf('evt_b2')).status === 'applied' || undefined,
    );
    const pages = stub.asked.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('starting_after'));
    expect(pages).toEqual([null, 're_b29', 're_b49']);
    expect((await app.get(`/orders/${orderId}`)).body).toMatchObject({ refunded_amount: '0.60' });
  });

  it.each<[string, string[], string]>([
    ['an inquiry that becomes a dispute', ['warning_needs_response', 'needs_response'], 'opened'],
    ['an inquiry that is closed', ['warning_needs_response', 'warning_under_review', 'warning_closed'], 'none'],
    ['a dispute that is lost', ['needs_response', 'under_review', 'lost'], 'lost'],
    ['a dispute that is won', ['needs_response', 'won', 'under_review'], 'won'],
    ['a dispute that was prevented', ['prevented'], 'none'],
  ])('is believed in the updates of %s', async (what, statuses, expected) => {
    const [user, name] = [`dis-${expected}-${statuses.length}`, what.replaceAll(' ', '_')];
    const orderId = await placeOrder(app, user, 'PACK');
    const { body, headers } = stripePayment(`evt_${name}`, `pi_${name}`, orderId);
    await post('/payments/stripe', body, headers);
    for (const [index, status] of statuses.entries()) {
      const object = { id: `dp_${name}`, payment_intent: `pi_${name}`, amount: 100, currency: 'usd', status };
      const type = index === 0 ? 'charge.dispute.created' : 'charge.dispute.updated';
      const told = signedByStripe(stripeEvent(`evt_${name}_${index}`, type, object));
      await post('/payments/stripe', told.body, told.headers);
      const { status: became } = await eventOf(`evt_${name}_${index}`);
      expect(['applied', 'ignored']).toContain(became);
    }
    const [dispute] = (await app.get(`/orders/${orderId}`)).body.disputes;
    expect(dispute?.status ?? 'none').toBe(expected);
    expect(await balanceOf(app, user, 'CREDITS')).toBe(['opened', 'lost'].includes(expected) ? 0 : 10);
  });

  it('is asked by what an invoice was paid', async () => {
    const orderId = await placeOrder(app, 'eve', 'PACK');
    stub.answer('GET', '/v1/invoice_payments', {
      status: 200,
      body: {
        object: 'list',
        has_more: false,
        url: '/v1/invoice_payments',
        data: [
          { id: 'inpay_1', object: 'invoice_payment', payment: { type: 'payment_intent', payment_intent: 'pi_e' } },
        ],
      },
    });
    const invoice = {
      id: 'in_e',
      object: 'invoice',
      amount_paid: 100,
      currency: 'usd',
      metadata: { order_id: orderId },
    };
    const { body, headers } = signedByStripe(stripeEvent('evt_e', 'invoice.paid', invoice));
    await post('/payments/stripe', body, headers);
    expect((await app.get(`/orders/${orderId}`)).body).toMatchObject({ status: 'paid', payment_id: 'pi_e' });
  });
});

describe('a page on which an order is paid', () => {
  const session = { id: 'cs_1', object: 'checkout.session', url: 'https://pay.test/cs_1', expires_at: 1_769_947_200 };
  const SESSIONS = '/v1/checkout/sessions';
  const token = { authorization: `Bearer ${API_TOKEN}` };
  const checkout = (orderId: string, body: Json = { success_url: 'https://shop.test/paid' }) =>
    post(`/orders/${orderId}/checkout`, body, token);

  it('is made by Stripe with the lines of the order, and the same again after a failure', async () => {
    const placed = await app.post('/orders', { external_id: 'fay', items: [{ sku: 'PACK', quantity: 3 }] });
    const orderId = placed.body.id;
    stub.answer(
      'POST',
      SESSIONS,
      { status: 500, body: { error: { message: 'again' } } },
      { status: 200, body: session },
    );
    const made = await checkout(orderId, {
      success_url: 'https://shop.test/paid',
      cancel_url: 'https://shop.test/cart',
    });
    expect(made.status, made.text).toBe(200);
    expect(made.body).toEqual({ id: 'cs_1', url: 'https://pay.test/cs_1', expires_at: '2026-02-01T12:00:00.000Z' });
    const form = Object.fromEntries(new URLSearchParams(stub.asked.at(-1)?.body));
    expect(form).toEqual({
      mode: 'payment',
      client_reference_id: orderId,
      'metadata[order_id]': orderId,
      'payment_intent_data[metadata][order_id]': orderId,
      'line_items[0][quantity]': '3',
      'line_items[0][price_data][currency]': 'usd',
      'line_items[0][price_data][unit_amount]': '100',
      'line_items[0][price_data][product_data][name]': 'PACK',
      expires_at: String(Date.parse('2026-02-01T12:00:00Z') / 1_000),
      success_url: 'https://shop.test/paid',
      cancel_url: 'https://shop.test/cart',
    });
    await checkout(orderId);
    const keys = new Set(stub.asked.map(({ headers }) => headers['idempotency-key']));
    expect([...keys]).toEqual([`bursar-checkout-${orderId}-0`]);
    expect(stub.asked).toHaveLength(3);
  });

  it('is refused with what Stripe says, unless that is about its key, and not at any length', async () => {
    const refusedBy = async (status: number, message: string) => {
      const orderId = await placeOrder(app, 'ida', 'PACK');
      const error = { type: 'invalid_request_error', message };
      stub.answer('POST', '/v1/checkout/sessions', { status, body: { error } });
      return (await checkout(orderId)).body.detail;
    };
    expect(await refusedBy(400, 'x'.repeat(5_000))).toBe(`Stripe refused: ${'x'.repeat(500)}`);
    for (const status of [401, 403])
      expect(await refusedBy(status, 'Invalid API Key provided: sk_test_stub')).not.toContain('sk_test');
  });

  it.each<[string, string, Json, string]>([
    [
      'Stripe refuses it',
      'PACK',
      { status: 400, body: { error: { type: 'invalid_request_error', message: 'Too little' } } },
      '502 provider_refused',
    ],
    [
      'it was made with other addresses',
      'PACK',
      { status: 400, body: { error: { type: 'idempotency_error', message: 'Other' } } },
      '409 checkout_differs',
    ],
    ['Stripe does not answer', 'PACK', { status: 500, body: { error: {} } }, '503 unavailable'],
    ['nothing is to be paid', 'FREE', { status: 200, body: session }, '409 checkout_unavailable'],
    ['the third decimal is no 0', 'DINARS', { status: 200, body: session }, '409 checkout_unavailable'],
    ['Stripe has no such money', 'STARS', { status: 200, body: session }, '409 checkout_unavailable'],
  ])('is refused when %s', async (_why, sku, answer, expected) => {
    const orderId = await placeOrder(app, 'gil', sku);
    stub.answer('POST', SESSIONS, answer as { status: number; body: Json });
    const refused = await checkout(orderId);
    expect(`${refused.status} ${refused.body.code}`).toBe(expected);
    await app.post(`/orders/${orderId}/cancel`, {});
  });

  it('is refused for an order that is paid, ended, soon over or unknown, and where no key is configured', async () => {
    stub.answer('POST', SESSIONS, { status: 200, body: session });
    const codeOf = async (orderId: string) => (await checkout(orderId)).body.code;
    const paid = await placeOrder(app, 'hal', 'PACK');
    await app.post(`/orders/${paid}/confirm`, { payment_id: 'x' });
    expect(await codeOf(paid)).toBe('order_already_paid');
    const ended = await placeOrder(app, 'hal', 'PACK');
    await app.post(`/orders/${ended}/cancel`, {});
    expect(await codeOf(ended)).toBe('order_not_payable');
    const soon = await app.post('/orders', { external_id: 'hal', items: [{ sku: 'PACK' }], expires_in: 600 });
    expect(await codeOf(soon.body.id)).toBe('checkout_unavailable');
    expect(await codeOf('01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d')).toBe('order_not_found');
    const unset = await app.post(`/orders/${paid}/checkout`, { success_url: 'https://shop.test/paid' });
    expect([unset.status, unset.body.code]).toEqual([404, 'payment_provider_not_found']);
    expect((await checkout(paid, { success_url: 'javascript:alert(1)' })).status).toBe(400);
  });
});
