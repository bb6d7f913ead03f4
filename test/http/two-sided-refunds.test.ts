// Refunds that are told from two sides: by who asked the provider for them, and by the provider. Whatever comes first, each counts once.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { applyPaymentsJob } from '../../src/jobs/apply-payments.js';
import { API_TOKEN, type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { untilTold } from '../support/events.js';
import { balanceOf, placeOrder } from '../support/parallel.js';
import { paymentSettings, signedByStripe, stripeEvent, stripePayment } from '../support/payments.js';

const app = useTestApp();
const undeclared = failOnUndeclared();
let inbound: { app: FastifyInstance; deps: Deps; close(): Promise<void> };

beforeAll(async () => {
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings() });
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'GIFT', 'CREDITS', 1, { price: '0' });
});
afterAll(() => inbound.close());

let number = 0;
beforeEach(() => {
  number += 1;
});
const own = (name: string) => `${name}_${number}`;

async function bought(): Promise<string> {
  const orderId = await placeOrder(app, own('ada'), 'PACK');
  const { body, headers } = stripePayment(own('evt'), own('pi'), orderId, { amount_received: 1_000, amount: 1_000 });
  await request(inbound.app.server).post(`${BASE_PATH}/payments/stripe`).set(headers).send(body);
  expect(await balance()).toBe(100);
  return orderId;
}

const balance = () => balanceOf(app, own('ada'), 'CREDITS');
const ask = (orderId: string, body: Json) =>
  request(inbound.app.server)
    .post(`${BASE_PATH}/orders/${orderId}/refund`)
    .set({ authorization: `Bearer ${API_TOKEN}` })
    .send(body);
let told = 0;
/** What Stripe tells of a refund: an event of its own each time. */
async function tell(refundId: string, amount: number, status = 'succeeded'): Promise<Json> {
  told += 1;
  const object = { id: own(refundId), payment_intent: own('pi'), amount, currency: 'usd', status };
  const { body, headers } = signedByStripe(stripeEvent(`evt_told_${told}`, 'refund.updated', object));
  const answer = await request(inbound.app.server).post(`${BASE_PATH}/payments/stripe`).set(headers).send(body);
  expect(answer.status, answer.text).toBe(200);
  return (await app.get(`/payments/inbox?event_id=evt_told_${told}`)).body.data[0];
}
const orderOf = async (orderId: string) => (await app.get(`/orders/${orderId}`)).body;
const pending = (orderId: string, more: Json = {}) => ask(orderId, { pending_provider: true, ...more });

describe('a refund of a payment whose provider tells refunds', () => {
  it('needs an id, or to wait for it', async () => {
    const orderId = await bought();
    const refused = await ask(orderId, { amount: '5.00' });
    expect([refused.status, refused.body.code]).toEqual([409, 'refund_id_required']);
    expect(refused.body.errors[0].pointer).toBe('/refund_id');
    expect(await balance()).toBe(100);
    const elsewhere = await ask(orderId, { amount: '5.00', payment_method: 'cash' });
    expect(elsewhere.status, elsewhere.text).toBe(200);
    const free = await app.post('/orders', { external_id: own('ada'), items: [{ sku: 'GIFT' }] });
    await app.post(`/orders/${free.body.id}/confirm`, { payment_method: 'stripe' });
    expect((await ask(free.body.id, {})).status).toBe(200);
  });

  it('is needed of a source of payments too, while it is there', async () => {
    const orderId = await placeOrder(app, own('ada'), 'PACK');
    await app.post(`/orders/${orderId}/confirm`, { payment_id: own('till'), payment_method: 'Till' });
    const mapping = { event_id: '/id', payment_id: '/p', amount: '/a', currency: '/c', status: '/s', statuses: {} };
    const signature = { scheme: 'hmac_sha256', header: 'x-signature' };
    await app.put('/payment-sources/till', { signature, mapping });
    expect((await ask(orderId, {})).body.code).toBe('refund_id_required');
    await app.put('/payment-sources/till', { signature, mapping, enabled: false });
    expect((await ask(orderId, {})).status).toBe(200);
  });

  it.each<[string, Json]>([
    ['with an id', { refund_id: 're', pending_provider: true }],
    ['that failed', { status: 'failed', pending_provider: true }],
  ])('does not wait %s', async (_what, body) => {
    const answer = await ask(await bought(), body);
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([400, '/pending_provider']);
  });

  it('counts at once, and takes the id of what the provider tells', async () => {
    const orderId = await bought();
    const asked = await pending(orderId, { amount: '4.00' });
    expect(asked.status, asked.text).toBe(200);
    expect(asked.body.refund).toMatchObject({ amount: '4.00', pending_provider: true, recovered: { CREDITS: 40 } });
    expect(asked.body.refund.refund_id).toBe(asked.body.refund.id);
    expect(await tell('re', 400)).toMatchObject({ status: 'applied' });
    const order = await orderOf(orderId);
    expect(order).toMatchObject({ refunded_amount: '4.00', status: 'partially_refunded' });
    expect(order.refunds).toMatchObject([
      { id: asked.body.refund.id, refund_id: own('re'), pending_provider: false, amount: '4.00' },
    ]);
    expect(await tell('re', 400)).toMatchObject({ status: 'applied' });
    expect(await tell('re_2', 100)).toMatchObject({ status: 'applied' });
    expect(await balance()).toBe(50);
    await untilTold(app);
    const events = (await app.get('/events?type=order.refunded&limit=200')).body.data;
    expect(events.filter(({ data }: { data: Json }) => data.order_id === orderId)).toHaveLength(2);
  });

  it('that the provider told first is the same one, and the next is another', async () => {
    const orderId = await bought();
    await tell('re', 400);
    const asked = await pending(orderId, { amount: '4.00' });
    expect(asked.body).toMatchObject({
      refunded_amount: '4.00',
      refund: { refund_id: own('re'), pending_provider: false, amount: '4.00', recovered: {} },
    });
    expect((await pending(orderId, { amount: '4.00' })).body).toMatchObject({
      refunded_amount: '8.00',
      refund: { pending_provider: true },
    });
    await tell('re_2', 400);
    expect(await balance()).toBe(20);
    expect((await orderOf(orderId)).refunds).toMatchObject([{ refund_id: own('re') }, { refund_id: own('re_2') }]);
  });

  it.each<[string, (orderId: string) => Promise<unknown>]>([
    [
      'told first',
      async (orderId) => {
        await tell('re', 1_000);
        return pending(orderId);
      },
    ],
    [
      'asked first',
      async (orderId) => {
        await pending(orderId);
        return tell('re', 1_000);
      },
    ],
    [
      'asked by the line',
      async (orderId) => {
        const [line] = (await orderOf(orderId)).items;
        await pending(orderId, { items: [{ id: line.id }] });
        return tell('re', 1_000);
      },
    ],
    [
      'named by the caller later',
      async (orderId) => {
        await pending(orderId);
        return ask(orderId, { refund_id: own('re') });
      },
    ],
  ])('is undone once when it fails: of the whole, %s', async (_what, both) => {
    const orderId = await bought();
    await both(orderId);
    expect(await orderOf(orderId)).toMatchObject({ status: 'refunded', refunds: [{ refund_id: own('re') }] });
    expect(await balance()).toBe(0);
    expect(await tell('re', 1_000, 'failed')).toMatchObject({ status: 'applied' });
    expect(await orderOf(orderId)).toMatchObject({ status: 'paid', refunds: [{ status: 'failed' }] });
    await tell('re', 1_000, 'failed');
    await tell('re', 1_000);
    expect(await balance()).toBe(100);
    await tell('re_next', 1_000);
    expect(await balance()).toBe(0);
  });

  it('fails with what the provider says failed at once, and nothing else does', async () => {
    const orderId = await bought();
    await pending(orderId, { amount: '4.00' });
    expect(await tell('re_other', 300, 'failed')).toMatchObject({ status: 'applied' });
    expect(await balance()).toBe(60);
    expect(await tell('re', 400, 'failed')).toMatchObject({ status: 'applied' });
    expect(await balance()).toBe(100);
    await tell('re', 400);
    expect(await balance()).toBe(100);
  });

  it('of another amount waits for the one that waits, and counts once that is settled', async () => {
    const orderId = await bought();
    const asked = await pending(orderId, { amount: '4.00' });
    const other = await tell('re', 390);
    expect(other).toMatchObject({ status: 'waiting', reason: 'refund_pending' });
    const named = await ask(orderId, { amount: '3.90', refund_id: own('re') });
    expect([named.status, named.body.code]).toEqual([409, 'refund_pending']);
    expect(named.body.errors[0].pointer).toBe('/amount');
    expect(await balance()).toBe(60);
    const failed = await ask(orderId, { status: 'failed', refund_id: asked.body.refund.id });
    expect(failed.status, failed.text).toBe(200);
    expect(await balance()).toBe(100);
    app.clock.advance({ seconds: 600 });
    await applyPaymentsJob.run(inbound.deps, () => false);
    expect((await app.get(`/payments/inbox/${other.id}`)).body.status).toBe('applied');
    expect(await balance()).toBe(61);
  });

  it('of another amount is looked at by somebody after three days', async () => {
    const orderId = await bought();
    await pending(orderId, { amount: '4.00' });
    const other = await tell('re', 100);
    app.clock.advance({ days: 3 });
    await applyPaymentsJob.run(inbound.deps, () => false);
    expect((await app.get(`/payments/inbox/${other.id}`)).body).toMatchObject({
      status: 'quarantined',
      reason: 'refund_pending',
    });
    await tell('re_2', 400);
    const replayed = await request(inbound.app.server)
      .post(`${BASE_PATH}/payments/inbox/${other.id}/replay`)
      .set({ authorization: `Bearer ${API_TOKEN}` });
    expect(replayed.body.status).toBe('applied');
    expect(await balance()).toBe(50);
  });

  it('fails under either of its ids', async () => {
    const orderId = await bought();
    const asked = await pending(orderId, { amount: '4.00' });
    await tell('re', 400);
    const failed = await ask(orderId, { status: 'failed', refund_id: asked.body.refund.id });
    expect(failed.body.refund).toMatchObject({ status: 'failed', refund_id: own('re') });
    expect(await tell('re', 400, 'failed')).toMatchObject({ status: 'applied' });
    const mismatch = await ask(orderId, { amount: '9.00', status: 'succeeded', refund_id: own('re') });
    expect(mismatch.status).toBe(200); // what failed stays so, whatever is told of it
    expect(await balance()).toBe(100);
  });
});
