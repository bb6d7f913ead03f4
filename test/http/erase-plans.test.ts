// Erasing a family with plans (DOMAIN 3.10, 3.16): no subscription of any member goes on, and nothing that a provider told of one stays.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { mergePair, newMergePair } from '../support/merging.js';
import { ask } from '../support/parallel.js';
import { paymentSettings, signedByStripe, stripeEvent, subscriptionInvoice } from '../support/payments.js';
import { monthly, plansOf } from '../support/plans.js';
import { expectProblem, newPayment } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const undeclared = failOnUndeclared();
let inbound: { app: FastifyInstance; close(): Promise<void> };

beforeAll(async () => {
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings() });
  await putProduct(app, 'UNITS');
  await plans.put('FREE', '0', [monthly('UNITS', 20)]);
  await plans.put('PRO', '9.00', [monthly('UNITS', 100)], { grace_days: 5 });
});
afterAll(() => inbound.close());

/** Has Stripe tell of a charge that names a subscription and no order. */
async function invoiced(subscriptionId: string): Promise<void> {
  const [eventId, intent] = [`evt_${newPayment()}`, newPayment()];
  const invoice = subscriptionInvoice(`in_${intent}`, intent, { subscription_id: subscriptionId });
  const { body, headers } = signedByStripe(stripeEvent(eventId, 'invoice.paid', invoice));
  const answer = await request(inbound.app.server).post(`${BASE_PATH}/payments/stripe`).set(headers).send(body);
  expect(answer.status, answer.text).toBe(200);
}

describe('erasing a family one of whom paid for a plan after he was merged', () => {
  it('ends that subscription, too: nothing is given to anybody later', async () => {
    const [target, source] = await newMergePair(app);
    const order = await app.post('/orders', { external_id: source.name, items: [{ sku: 'PRO' }] });
    expect((await mergePair(app, target, source)).status).toBe(200);
    await plans.confirm(order.body.id);
    const own = await plans.own(target.name);
    expect(own).toMatchObject({ sku: 'PRO', status: 'active' });
    await plans.act(own.id, 'change', { sku: 'FREE', when: 'now' });

    const erased = await app.delete(`/customers/${target.id}`);
    expect(erased.status, erased.text).toBe(200);
    expect(erased.body.closed).toMatchObject({ subscriptions: 1, units: { UNITS: 100 } });
    app.clock.advance({ days: 62 });
    const { data } = (await app.get(`/subscriptions?customer_id=${target.id}`)).body;
    expect(data.map(({ status }: Json) => status)).toEqual(['cancelled']);
    const { balances } = (await app.get(`/wallet?customer_id=${target.id}`)).body;
    expect(balances).toEqual({ UNITS: 0 });
    const late = await ask(
      app.url,
      'SELECT count(*)::int AS n FROM entries WHERE customer_id = ANY ($1::uuid[]) AND recorded_at > $2::timestamptz',
      [[target.id, source.id], erased.body.erased_at],
    );
    expect(late).toEqual([{ n: 0 }]);
    const proof = (await app.get('/invariants')).body;
    expect(proof.differences).toEqual([]);
  });
});

describe('what a provider tells of a subscription, and of no order', () => {
  const told = (id: string) =>
    ask(
      app.url,
      'SELECT status, order_id, body IS NULL AS is_blank, headers FROM payment_inbox WHERE lower(subscription_ref) = $1 ORDER BY received_at',
      [id.toLowerCase()],
    );
  const blank = { status: 'quarantined', order_id: null, is_blank: true, headers: {} };

  it('is in the export, and keeps no body once its customer is erased, whenever it came', async () => {
    const [target, source] = await newMergePair(app);
    const { id, order } = await plans.begin(source.name, 'PRO');
    await plans.confirm(order.id);
    await plans.act(id, 'cancel', { when: 'now' });
    expect((await mergePair(app, target, source)).status).toBe(200);
    await invoiced(id.toUpperCase());
    expect(await told(id)).toMatchObject([{ status: 'quarantined', order_id: null, is_blank: false }]);
    const { data } = (await app.get(`/customers/${target.id}/export?limit=100`)).body;
    const events = data.filter(({ section }: Json) => section === 'payment_events');
    expect(events).toMatchObject([{ customer_id: source.id, record: { subscription_ref: id.toUpperCase() } }]);

    const erased = await app.delete(`/customers/${target.id}`);
    expect(erased.status, erased.text).toBe(200);
    expect(await told(id)).toEqual([blank]);
    await invoiced(id);
    expect(await told(id)).toEqual([blank, blank]);
  });

  it('of somebody else stays', async () => {
    const [own, other] = await newMergePair(app);
    const { id, order } = await plans.begin(other.name, 'PRO');
    await plans.confirm(order.id);
    await plans.act(id, 'cancel', { when: 'now' });
    await invoiced(id);
    expect((await app.delete(`/customers/${own.id}`)).status).toBe(200);
    expect(await told(id)).toMatchObject([{ is_blank: false }]);
  });
});

describe('a merge with somebody who was erased', () => {
  it('says which of the two it was', async () => {
    const [gone, other] = await newMergePair(app);
    expect((await app.delete(`/customers/${gone.id}`)).status).toBe(200);
    for (const [target, source] of [
      [gone, other],
      [other, gone],
    ] as const) {
      const refused = await mergePair(app, target, source);
      expectProblem(refused, 409, 'customer_erased');
      expect(refused.body.customer_id).toBe(gone.id);
    }
  });
});
