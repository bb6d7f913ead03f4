// Webhooks at once: a hundred of the same, several of one charge, a webhook beside a confirmation, the job beside the process that stored an event.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deps } from '../../src/deps.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { inboxOf } from '../../src/payments/inbox.js';
import { API_TOKEN, type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { ask, balanceOf, holdCustomers, placeOrder, tally } from '../support/parallel.js';
import {
  checkoutSession,
  paymentIntent,
  paymentSettings,
  type Signed,
  signedByStripe,
  stripeEvent,
  stripePayment,
} from '../support/payments.js';
import { monthly, plansOf } from '../support/plans.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const plans = plansOf(app);
type Running = { app: FastifyInstance; deps: Deps; close(): Promise<void> };
let processes: [Running, Running];

beforeAll(async () => {
  const settings = { payments: paymentSettings() };
  processes = [
    await startTestApp(app.url, app.clock, undefined, settings),
    await startTestApp(app.url, app.clock, undefined, settings),
  ];
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});
afterAll(() => Promise.all(processes.map((each) => each.close())));

const deliver = ({ body, headers }: Signed, index: number): Promise<request.Response> =>
  Promise.resolve(
    request(processes[index % 2 ? 1 : 0].app.server)
      .post(`${BASE_PATH}/payments/stripe`)
      .set(headers)
      .send(body),
  );
const together = (signed: readonly Signed[]) => Promise.all(signed.map(deliver));

async function untilSettled(): Promise<void> {
  await waitFor(
    () => 'nothing to wait',
    async () => {
      const [row] = await ask(app.url, `SELECT count(*)::int AS count FROM payment_inbox WHERE status = 'waiting'`);
      return row?.count === 0 || undefined;
    },
  );
}

describe('webhooks at once', () => {
  it('a hundred of one event have one effect', async () => {
    const orderId = await placeOrder(app, 'ada', 'PACK');
    const signed = stripePayment('evt_ada', 'pi_ada', orderId);
    expect(tally(await together(Array.from({ length: 100 }, () => signed)))).toEqual({ '200': 100 });
    await untilSettled();
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(10);
    const rows = await ask(app.url, 'SELECT status FROM payment_inbox WHERE payment_id = $1', ['pi_ada']);
    expect(rows).toEqual([{ status: 'applied' }]);
  });

  it('of one charge by two types of event, beside confirmations, grant once', async () => {
    const orderId = await placeOrder(app, 'bob', 'PACK');
    const session = stripeEvent('evt_s', 'checkout.session.completed', checkoutSession('cs', 'pi_bob', orderId));
    const confirm = () => app.post(`/orders/${orderId}/confirm`, { payment_id: 'pi_bob', payment_method: 'stripe' });
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, (_, index) => deliver(stripePayment('evt_p', 'pi_bob', orderId), index)),
      ...Array.from({ length: 10 }, (_, index) => deliver(signedByStripe(session), index)),
      ...Array.from({ length: 10 }, confirm),
    ]);
    expect(tally(answers)).toEqual({ '200': 30 });
    await untilSettled();
    expect(await balanceOf(app, 'bob', 'CREDITS')).toBe(10);
  });

  it('of fifty charges for one order pay it once, and leave the others to be looked at', async () => {
    const orderId = await placeOrder(app, 'cy', 'PACK');
    const signed = Array.from({ length: 50 }, (_, index) => stripePayment(`evt_c${index}`, `pi_c${index}`, orderId));
    await together(signed);
    await untilSettled();
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBe(10);
    const rows = await ask(
      app.url,
      'SELECT status, count(*)::int AS count FROM payment_inbox WHERE order_id = $1 GROUP BY status ORDER BY status',
      [orderId],
    );
    expect(rows).toEqual([
      { status: 'applied', count: 1 },
      { status: 'quarantined', count: 49 },
    ]);
  });

  it('of one further charge of a plan pay one period, by whichever events and processes', async () => {
    await plans.put('PLAN', '10', [monthly('CREDITS', 100)], { grace_days: 3 });
    const orderId = await placeOrder(app, 'fay', 'PLAN');
    const told = (event: string, intent: string, metadata: Json) =>
      signedByStripe(
        stripeEvent(
          event,
          'payment_intent.succeeded',
          paymentIntent(intent, undefined, { amount_received: 1_000, metadata }),
        ),
      );
    await together([told('evt_f', 'pi_f', { order_id: orderId })]);
    await untilSettled();
    const { id } = await plans.own('fay');
    const names = [{ order_id: orderId }, { subscription_id: id }, { order_id: orderId, subscription_id: id }, {}];
    const signed = Array.from({ length: 100 }, (_, index) => told(`evt_f${index}`, 'pi_f1', names[index % 4] ?? {}));
    const renew = () => app.post(`/subscriptions/${id}/renew`, {});
    await Promise.all([together(signed), renew(), renew()]);
    app.clock.advance({ seconds: 10 });
    await inboxOf(processes[0].deps).applyDue(() => false);
    await untilSettled();
    const rows = await ask(app.url, 'SELECT DISTINCT status, reason FROM payment_inbox WHERE payment_id = $1', [
      'pi_f1',
    ]);
    expect(rows).toEqual([{ status: 'applied', reason: null }]);
    const paid = async () =>
      (
        await ask(app.url, `SELECT starts_at FROM subscription_periods WHERE subscription_id = $1 AND kind = 'paid'`, [
          id,
        ])
      ).length;
    expect(await paid()).toBe(2);
    // Several charges at once pay a period each, though each is told twice.
    const charges = Array.from({ length: 10 }, (_, index) => `pi_g${index}`);
    await together(
      charges.flatMap((intent) =>
        names.slice(0, 2).map((metadata, at) => told(`evt_${intent}_${at}`, intent, metadata)),
      ),
    );
    await untilSettled();
    expect(await paid()).toBe(12);
    const orders = await ask(
      app.url,
      `SELECT status, count(*)::int AS count FROM orders WHERE customer_id = (SELECT customer_id FROM subscriptions WHERE id = $1)
       GROUP BY status ORDER BY status`,
      [id],
    );
    expect(orders.filter(({ status }) => status === 'paid')).toEqual([{ status: 'paid', count: 12 }]);
    expect(orders.find(({ status }) => status === 'pending')?.count ?? 0).toBeLessThanOrEqual(1);
  });

  it('of one customer see each what those before wrote, however many share a transaction', async () => {
    const orderId = await placeOrder(app, 'gus', 'PACK');
    await together([stripePayment('evt_gus', 'pi_gus', orderId)]);
    await untilSettled();
    const [owner] = await ask(app.url, 'SELECT customer_id FROM orders WHERE id = $1', [orderId]);
    const refund = (index: number) => {
      const object = {
        id: `re_gus${index}`,
        payment_intent: 'pi_gus',
        amount: 10,
        currency: 'usd',
        status: 'succeeded',
      };
      return signedByStripe(stripeEvent(`evt_gus${index}`, 'refund.created', object));
    };
    // They come while somebody else holds the customer, and have his lock together.
    const held = await holdCustomers(app.url, owner?.customer_id as string);
    await Promise.all(Array.from({ length: 9 }, (_, index) => deliver(refund(index), 0)));
    await held.rollback();
    await untilSettled();
    expect((await app.get(`/orders/${orderId}`)).body).toMatchObject({ refunded_amount: '0.90' });
    expect(await balanceOf(app, 'gus', 'CREDITS')).toBe(1);
  });

  it('are applied by whoever finds them when the process that stored them is gone', async () => {
    const orders = await Promise.all(Array.from({ length: 20 }, (_, index) => placeOrder(app, `dee${index}`, 'PACK')));
    await together(orders.map((orderId, index) => stripePayment(`evt_d${index}`, `pi_d${index}`, orderId)));
    await untilSettled();
    // As if each had been stored, and the process killed before it wrote what became of it.
    await ask(app.url, 'ALTER TABLE payment_inbox DISABLE TRIGGER payment_inbox_guard');
    await ask(
      app.url,
      `UPDATE payment_inbox SET status = 'waiting', settled_at = NULL, next_at = received_at WHERE event_id LIKE 'evt\\_d%'`,
    );
    await ask(app.url, 'ALTER TABLE payment_inbox ENABLE TRIGGER payment_inbox_guard');
    const applied = await Promise.all(processes.map(({ deps }) => inboxOf(deps).applyDue(() => false)));
    expect(applied.reduce((sum, count) => sum + count, 0)).toBe(20);
    for (const index of orders.keys()) expect(await balanceOf(app, `dee${index}`, 'CREDITS')).toBe(10);
    const rows = await ask(
      app.url,
      `SELECT DISTINCT status, attempts FROM payment_inbox WHERE event_id LIKE 'evt\\_d%'`,
    );
    expect(rows).toEqual([{ status: 'applied', attempts: 2 }]);
  });

  it('of refunds beside who asked for them count each once, in whatever order, and undo each once', async () => {
    const rounds = Array.from({ length: 12 }, (_, index) => index);
    await Promise.all(
      rounds.map(async (round) => {
        const [user, charge, { app: server }] = [`ref${round}`, `pi_r${round}`, processes[round % 2 ? 1 : 0]];
        const orderId = await placeOrder(app, user, 'PACK');
        await deliver(stripePayment(`evt_r${round}`, charge, orderId), round);
        const ask = () =>
          request(server.server)
            .post(`${BASE_PATH}/orders/${orderId}/refund`)
            .set({ authorization: `Bearer ${API_TOKEN}` })
            .send({ amount: '0.20', pending_provider: true });
        const tell = (id: string, status: string, at: number) => {
          const object = { id: `${id}_${round}`, payment_intent: charge, amount: 20, currency: 'usd', status };
          const event = stripeEvent(`evt_${id}_${status}_${round}_${at}`, 'refund.updated', object);
          return deliver(signedByStripe(event), at);
        };
        const ids = ['re_a', 're_b', 're_c'];
        const answers = await Promise.all([
          ...ids.map(() => ask()),
          ...ids.flatMap((id) => [tell(id, 'succeeded', 0), tell(id, 'succeeded', 1)]),
        ]);
        expect(tally(answers)).toEqual({ '200': 9 });
        await Promise.all(['re_a', 're_b'].flatMap((id) => [tell(id, 'failed', 0), tell(id, 'failed', 1)]));
      }),
    );
    await untilSettled();
    for (const round of rounds) expect(await balanceOf(app, `ref${round}`, 'CREDITS')).toBe(8);
    const left = await ask(app.url, `SELECT DISTINCT status FROM payment_inbox WHERE event_id LIKE 'evt\\_re%'`);
    expect(left).toEqual([{ status: 'applied' }]);
  });
});
