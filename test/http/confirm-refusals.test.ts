// Confirmations that are refused, and the payments that are kept unmatched (DOMAIN 3.7).
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const KEPT = { customers: 0, payments: 1 };

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '9.99' });
  const week = { product_key: 'CREDITS', quantity: 100, period_unit: 'days', period_value: 7 };
  await putOffer(app, 'WEEK', 'CREDITS', 100, { items: [week] });
  await putOffer(app, 'FREE', 'CREDITS', 5, { price: '0' });
  await putOffer(app, 'HUGE', 'CREDITS', Number.MAX_SAFE_INTEGER);
});

const confirm = (id: string | undefined, body: Json) => app.post(`/orders/${id}/confirm`, body);

async function paymentOf(payment_id: string): Promise<Json | undefined> {
  const rows = await app.deps.db.query(
    'SELECT status, order_id, amount, currency FROM payments WHERE payment_id = $1',
    [payment_id],
  );
  return rows[0];
}

async function paidOrder(): Promise<{ id: string; external_id: string; payment_id: string }> {
  const external_id = newPerson();
  const { id = '' } = await placeOrder(app, external_id, 'PACK');
  const payment_id = newPayment();
  expect((await confirm(id, { payment_id })).status).toBe(200);
  return { id, external_id, payment_id };
}

describe('a failure that is told late', () => {
  it('of the payment that paid changes nothing, and answers the order as it is', async () => {
    const { id, external_id, payment_id } = await paidOrder();
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 30 });
    const order = await app.get(`/orders/${id}`);
    const written = await writtenBy(app, async () => {
      for (const more of [{}, { amount: '1.00' }, { idempotency_key: 'late' }]) {
        const answer = await confirm(id, { payment_id, status: 'failed', ...more });
        expect(answer.status, answer.text).toBe(200);
        expect({ ...answer.body, refunds: [], disputes: [] }).toEqual(order.body);
      }
    });
    expect(written).toEqual({});
    expect(order.body).toMatchObject({ status: 'paid', batches: [{ available: 70, consumed: 30 }] });
  });

  it.each(['the payment that paid', 'another payment'])('of %s shows what has expired as expired', async (which) => {
    const external_id = newPerson();
    const { id = '' } = await placeOrder(app, external_id, 'WEEK');
    const payment_id = newPayment();
    await confirm(id, { payment_id });
    app.clock.advance({ days: 8 });
    const late = which === 'another payment' ? newPayment() : payment_id;
    const answer = await confirm(id, { payment_id: late, status: 'failed' });
    expect(answer.body.batches).toMatchObject([{ state: 'expired', available: 0, expired: 100 }]);
    expect({ ...answer.body, refunds: [], disputes: [] }).toEqual((await app.get(`/orders/${id}`)).body);
  });

  it('of the payment of another order is refused', async () => {
    const { payment_id } = await paidOrder();
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const answer = await confirm(id, { payment_id, status: 'failed' });
    expectProblem(answer, 409, 'payment_already_used', '/payment_id');
  });
});

describe('a confirmation is refused', () => {
  it('without a payment id when there is something to pay', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(id, {}), 400, 'invalid_request', '/payment_id');
    });
    expect(written).toEqual({});
  });

  it('for an order that nobody placed', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(UNKNOWN_ID, { payment_id: newPayment() }), 404, 'order_not_found', 'path/id');
    });
    expect(written).toEqual({});
  });

  it.each([
    ['an id that is no UUID', '17', { payment_id: 'p' }, 'path/id'],
    ['a status that does not exist', UNKNOWN_ID, { payment_id: 'p', status: 'refunded' }, '/status'],
    ['an empty payment id', UNKNOWN_ID, { payment_id: ' ' }, '/payment_id'],
    ['a payment id that is no whole number', UNKNOWN_ID, { payment_id: 1.5 }, '/payment_id'],
    ['a payment id of 256 characters', UNKNOWN_ID, { payment_id: 'p'.repeat(256) }, '/payment_id'],
    ['an empty method', UNKNOWN_ID, { payment_id: 'p', payment_method: '' }, '/payment_method'],
    ['an amount that is a number', UNKNOWN_ID, { payment_id: 'p', amount: 9.99 }, '/amount'],
    ['a negative amount', UNKNOWN_ID, { payment_id: 'p', amount: '-9.99' }, '/amount'],
  ])('with %s', async (_case, id, body, pointer) => {
    expectProblem(await confirm(id, body), 400, 'invalid_request', pointer);
  });

  it('for another payment of a paid order, which is kept unmatched', async () => {
    const { id } = await paidOrder();
    const payment_id = newPayment();
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(id, { payment_id }), 409, 'order_already_paid', '/payment_id');
    });
    expect(written).toEqual(KEPT);
    expect(await paymentOf(payment_id)).toEqual({
      status: 'unmatched',
      order_id: id,
      amount: null,
      currency: null,
    });
  });

  it('with an amount that was told to be another one before, also when it is left out now', async () => {
    const { id } = (await app.post('/orders', { external_id: newPerson(), items: [{ sku: 'PACK' }] })).body;
    const payment_id = newPayment();
    expectProblem(await confirm(id, { payment_id, amount: '5.00' }), 409, 'payment_mismatch', '/amount');
    expectProblem(await confirm(id, { payment_id }), 409, 'payment_mismatch', '/amount');
    expect(await paymentOf(payment_id)).toMatchObject({ status: 'unmatched', amount: '5.000000' });
    expect((await confirm(id, { payment_id, amount: '9.99' })).body.status).toBe('paid');
  });

  it('for the same id under another method, which is another payment', async () => {
    const { id, payment_id } = await paidOrder();
    const answer = await confirm(id, { payment_id, payment_method: 'stripe' });
    expectProblem(answer, 409, 'order_already_paid', '/payment_id');
  });

  it('for another payment of a free order that is paid', async () => {
    const { id } = await placeOrder(app, newPerson(), 'FREE');
    await confirm(id, {});
    expectProblem(await confirm(id, { payment_id: newPayment() }), 409, 'order_already_paid', '/payment_id');
  });

  it.each([
    ['amount', { amount: '9.98' }, '/amount'],
    ['amount, by less than a cent', { amount: '9.990001' }, '/amount'],
    ['currency', { currency: 'EUR' }, '/currency'],
    ['currency, in other letters', { currency: 'uſd' }, '/currency'],
    ['currency, where the amount is right', { amount: '9.99', currency: 'EUR' }, '/currency'],
  ])('for another %s, and the payment is kept unmatched', async (_case, more, pointer) => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(id, { payment_id, ...more }), 409, 'payment_mismatch', pointer);
    });
    expect(written).toEqual(KEPT);
    expect((await paymentOf(payment_id))?.status).toBe('unmatched');
    expect((await app.get(`/orders/${id}`)).body.status).toBe('pending');
  });

  it('for the payment of another order, and both stay as they are', async () => {
    const paid = await paidOrder();
    const { id } = await placeOrder(app, paid.external_id, 'PACK');
    const written = await writtenBy(app, async () => {
      const answer = await confirm(id, { payment_id: paid.payment_id });
      expectProblem(answer, 409, 'payment_already_used', '/payment_id');
    });
    expect(written).toEqual({});
    expect(await paymentOf(paid.payment_id)).toMatchObject({ status: 'paid', order_id: paid.id });
  });

  it('for the payment of another customer’s order, by an alias of its method too', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const { id: other } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    await confirm(id, { payment_id, payment_method: 'telegram' });
    const answer = await confirm(other, { payment_id, payment_method: 'Telegram_Stars' });
    expectProblem(answer, 409, 'payment_already_used', '/payment_id');
  });

  it('for the payment that paid the order, with another amount', async () => {
    const { id, payment_id } = await paidOrder();
    expectProblem(await confirm(id, { payment_id, amount: '1.00' }), 409, 'payment_mismatch', '/amount');
  });

  it('for a free order that is paid, with an amount', async () => {
    const { id } = await placeOrder(app, newPerson(), 'FREE');
    await confirm(id, {});
    expectProblem(await confirm(id, { amount: '5.00' }), 409, 'payment_mismatch', '/amount');
  });

  it('as failed for a payment that was received before', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    await confirm(id, { payment_id, amount: '1.00' });
    expectProblem(await confirm(id, { payment_id, status: 'failed' }), 409, 'payment_mismatch', '/status');
    expect((await paymentOf(payment_id))?.status).toBe('unmatched');
  });

  it('from the order’s end on: the order expires and the payment is kept unmatched', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK', 1, { expires_in: 60 });
    app.clock.advance({ seconds: 60 });
    const payment_id = newPayment();
    const written = await writtenBy(app, async () => {
      const answer = await confirm(id, { payment_id });
      expectProblem(answer, 409, 'order_not_payable');
      expect(answer.body.order_status).toBe('expired');
    });
    expect(written).toEqual({ customers: 0, orders: 0, payments: 1 });
    expect((await paymentOf(payment_id))?.status).toBe('unmatched');
    const [stored] = await app.deps.db.query('SELECT status FROM orders WHERE id = $1::uuid', [id]);
    expect(stored).toEqual({ status: 'expired' });
  });

  it('for a free order that has lapsed', async () => {
    const { id } = await placeOrder(app, newPerson(), 'FREE', 1, { expires_in: 60 });
    app.clock.advance({ seconds: 61 });
    expectProblem(await confirm(id, {}), 409, 'order_not_payable');
  });

  it('when the balance could not hold the units any more, and the payment is kept unmatched', async () => {
    const external_id = newPerson();
    const { id: first } = await placeOrder(app, external_id, 'HUGE');
    const { id: second } = await placeOrder(app, external_id, 'HUGE');
    await confirm(first, { payment_id: newPayment() });
    const payment_id = newPayment();
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(second, { payment_id }), 409, 'quantity_too_large');
    });
    expect(written).toEqual(KEPT);
    expect((await paymentOf(payment_id))?.status).toBe('unmatched');
  });

  it('again and again, and keeps one payment', async () => {
    const { id } = await paidOrder();
    const payment_id = newPayment();
    await confirm(id, { payment_id });
    const written = await writtenBy(app, async () => {
      expectProblem(await confirm(id, { payment_id }), 409, 'order_already_paid', '/payment_id');
    });
    expect(written.payments ?? 0).toBe(0);
  });

  it('for one of two payments of an order that come at once', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const answers = await Promise.all([1, 2].map(() => confirm(id, { payment_id: newPayment() })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(answers.find((answer) => answer.status === 409)?.body.code).toBe('order_already_paid');
  });

  it('for one of two orders that one payment reaches at once', async () => {
    const orders = [await placeOrder(app, newPerson(), 'PACK'), await placeOrder(app, newPerson(), 'PACK')];
    const payment_id = newPayment();
    const answers = await Promise.all(orders.map(({ id }) => confirm(id, { payment_id })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 409]);
    expect(answers.find((answer) => answer.status === 409)?.body.code).toBe('payment_already_used');
  });

  it('under a key that is then still free', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    const refused = await confirm(id, { payment_id, amount: '1.00', idempotency_key: 'k' });
    expectProblem(refused, 409, 'payment_mismatch', '/amount');
    expect((await confirm(id, { payment_id, amount: '9.99', idempotency_key: 'k' })).body.status).toBe('paid');
  });
});

describe('an unmatched payment', () => {
  it('pays its order once the amount is right', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    await confirm(id, { payment_id, amount: '1.00' });
    expect((await confirm(id, { payment_id, amount: '9.99' })).body).toMatchObject({ status: 'paid', payment_id });
    expect(await paymentOf(payment_id)).toMatchObject({ status: 'paid', amount: '9.990000' });
  });

  it('pays another order, of another customer too', async () => {
    const paid = await paidOrder();
    const payment_id = newPayment();
    await confirm(paid.id, { payment_id });
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    expect((await confirm(id, { payment_id })).body.status).toBe('paid');
    expect(await paymentOf(payment_id)).toMatchObject({ status: 'paid', order_id: id });
  });

  it('may have failed before', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const payment_id = newPayment();
    await confirm(id, { payment_id, status: 'failed' });
    await confirm(id, { payment_id, amount: '1.00' });
    expect((await paymentOf(payment_id))?.status).toBe('unmatched');
  });
});
