// Confirmations at once: an order is paid once, a payment pays once, and whoever is refused leaves only the payment that can't be matched.
import { beforeAll, describe, expect, it } from 'vitest';
import { putOffer, putProduct, useTestApp } from '../support/app.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  placeOrder,
  sendTogether,
  tally,
  useSecondApp,
  withStatus,
} from '../support/parallel.js';

const ROUNDS = 25;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'VIP', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 10, {
    items: [
      { product_key: 'CREDITS', quantity: 10 },
      { product_key: 'VIP', quantity: 1, period_unit: 'days', period_value: 30 },
    ],
  });
});

const paymentsOf = (orderId: string) =>
  ask(app.url, 'SELECT payment_id, status FROM payments WHERE order_id = $1 ORDER BY payment_id', [orderId]);

const productsOf = async (orderId: string) => {
  const sql = 'SELECT product_key FROM batches WHERE order_id = $1 ORDER BY product_key';
  return (await ask(app.url, sql, [orderId])).map((batch) => batch.product_key);
};

describe('20 confirmations of one order by one payment at once', () => {
  it('grant one set of batches and answer the same bytes', async () => {
    const orderId = await placeOrder(app, 'ada', 'PACK');
    const answers = await sendTogether(20, (index) =>
      (index % 2 ? app : second).post(`/orders/${orderId}/confirm`, { payment_id: 'ada-1' }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(19);
    expect(await productsOf(orderId)).toEqual(['CREDITS', 'VIP']);
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(10);
    expect(await paymentsOf(orderId)).toEqual([{ payment_id: 'ada-1', status: 'paid' }]);
  });

  it('do the same when each has a key of its own', async () => {
    const orderId = await placeOrder(app, 'bob', 'PACK');
    const answers = await sendTogether(20, (index) =>
      app.post(`/orders/${orderId}/confirm`, { payment_id: 'bob-1' }, { 'idempotency-key': `k${index}` }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(await balanceOf(app, 'bob', 'CREDITS')).toBe(10);
  });

  it('do the same when the payment method is written in several ways', async () => {
    const orderId = await placeOrder(app, 'cy', 'PACK');
    const methods = ['telegram_payments', 'telegram', 'TELEGRAM_STARS', 'Telegram'];
    const answers = await sendTogether(20, (index) =>
      app.post(`/orders/${orderId}/confirm`, { payment_id: 'cy-1', payment_method: methods[index % 4] }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(await paymentsOf(orderId)).toEqual([{ payment_id: 'cy-1', status: 'paid' }]);
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBe(10);
  });
});

describe('20 confirmations of one order by 20 payments at once', () => {
  it('pay it once and keep the other payments as unmatched', async () => {
    const orderId = await placeOrder(app, 'dee', 'PACK');
    const answers = await sendTogether(20, (index) =>
      (index % 2 ? app : second).post(`/orders/${orderId}/confirm`, { payment_id: `dee-${index}` }),
    );
    expect(tally(answers)).toEqual({ '200': 1, '409 order_already_paid': 19 });
    const winner = withStatus(answers, 200)[0]?.body.payment_id;
    const payments = await paymentsOf(orderId);
    expect(payments.filter((payment) => payment.status === 'paid')).toEqual([{ payment_id: winner, status: 'paid' }]);
    expect(payments.filter((payment) => payment.status === 'unmatched')).toHaveLength(19);
    expect(await balanceOf(app, 'dee', 'CREDITS')).toBe(10);
  });
});

describe('one payment for the orders of two customers at once', () => {
  it(`pays exactly one of them, in each of ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const people = [`left-${round}`, `right-${round}`];
      const orderIds = await Promise.all(people.map((person) => placeOrder(app, person, 'PACK')));
      const answers = await sendTogether(2, (index) =>
        (index ? app : second).post(`/orders/${orderIds[index]}/confirm`, { payment_id: `shared-${round}` }),
      );
      expect(tally(answers)).toEqual({ '200': 1, '409 payment_already_used': 1 });
      const paid = answers.findIndex((answer) => answer.status === 200);
      expect(await paymentsOf(orderIds[paid] as string)).toEqual([{ payment_id: `shared-${round}`, status: 'paid' }]);
      expect(await productsOf(orderIds[1 - paid] as string)).toEqual([]);
      expect((await app.get(`/orders/${orderIds[1 - paid]}`)).body.status).toBe('pending');
    }
  });

  it('pays exactly one of ten', async () => {
    const orderIds = await Promise.all(
      Array.from({ length: 10 }, (_, index) => placeOrder(app, `one-of-ten-${index}`, 'PACK')),
    );
    const answers = await sendTogether(10, (index) =>
      (index % 2 ? app : second).post(`/orders/${orderIds[index]}/confirm`, { payment_id: 'one-of-ten' }),
    );
    expect(tally(answers)).toEqual({ '200': 1, '409 payment_already_used': 9 });
  });

  it('pays exactly one when it had failed before', async () => {
    const orderIds = await Promise.all(['eve', 'fay'].map((person) => placeOrder(app, person, 'PACK')));
    const failed = await app.post(`/orders/${orderIds[0]}/confirm`, { payment_id: 'second-try', status: 'failed' });
    expect(failed.status).toBe(200);
    const answers = await sendTogether(2, (index) =>
      (index ? app : second).post(`/orders/${orderIds[index]}/confirm`, { payment_id: 'second-try' }),
    );
    expect(tally(answers)).toEqual({ '200': 1, '409 payment_already_used': 1 });
  });

  it('pays exactly one when it was unmatched before', async () => {
    const orderIds = await Promise.all(['gil', 'hal', 'ivy'].map((person) => placeOrder(app, person, 'PACK')));
    await app.post(`/orders/${orderIds[2]}/confirm`, { payment_id: 'even' });
    const odd = await app.post(`/orders/${orderIds[2]}/confirm`, { payment_id: 'odd' });
    expect(odd.body.code).toBe('order_already_paid');
    const answers = await sendTogether(2, (index) =>
      (index ? app : second).post(`/orders/${orderIds[index]}/confirm`, { payment_id: 'odd' }),
    );
    expect(tally(answers)).toEqual({ '200': 1, '409 payment_already_used': 1 });
  });
});

describe('a confirmation and its failure at once', () => {
  it('never end in an order that is paid by a failed payment', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const orderId = await placeOrder(app, `both-${round}`, 'PACK');
      const [paid, failed] = await sendTogether(2, (index) =>
        app.post(`/orders/${orderId}/confirm`, { payment_id: `both-${round}`, status: index ? 'failed' : 'paid' }),
      );
      expect(paid?.status).toBe(200);
      expect([200, 409]).toContain(failed?.status);
      expect(await paymentsOf(orderId)).toEqual([{ payment_id: `both-${round}`, status: 'paid' }]);
    }
  });
});

describe('orders of one customer at once', () => {
  it('are placed once under one key', async () => {
    await customerIdOf(app, 'jo');
    const answers = await sendTogether(20, () =>
      app.post('/orders', { external_id: 'jo', items: [{ sku: 'PACK' }] }, { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '201': 20 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  });

  it('extend access one after the other when they are paid at once', async () => {
    const orderIds = await Promise.all(Array.from({ length: 8 }, () => placeOrder(app, 'kim', 'PACK')));
    const answers = await sendTogether(8, (index) =>
      app.post(`/orders/${orderIds[index]}/confirm`, { payment_id: `kim-${index}` }),
    );
    expect(tally(answers)).toEqual({ '200': 8 });
    const wallet = await app.get('/wallet?external_id=kim');
    const days = (Date.parse(wallet.body.access.VIP.until) - app.clock.now().getTime()) / 86_400_000;
    expect(days).toBe(8 * 30);
  });
});
