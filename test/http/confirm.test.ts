// Confirmations that pay, fail or replay. What is refused is tested in confirm-refusals.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '9.99' });
  await putOffer(app, 'FREE', 'CREDITS', 5, { price: '0' });
  await putOffer(app, 'NOTHING', 'CREDITS', 1, { items: [] });
  await putOffer(app, 'BUNDLE', 'CREDITS', 1, {
    items: [
      { product_key: 'CREDITS', quantity: 10, period_unit: 'days', period_value: 30, priority: 3 },
      { product_key: 'ACCESS', period_unit: 'days', period_value: 7 },
    ],
  });
});

describe('POST /orders/{id}/confirm', () => {
  it('grants what the order bought and returns the whole order', async () => {
    const placed = await placeOrder(app, newPerson(), 'PACK', 2, { metadata: { chat: 7 } });
    const payment_id = newPayment();
    app.clock.advance({ seconds: 30 });
    const answer = await app.post(`/orders/${placed.id}/confirm`, { payment_id, payment_method: 'Stripe' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ...placed,
      status: 'paid',
      payment_method: 'stripe',
      payment_id,
      paid_at: '2026-01-31T12:00:30.000Z',
      batches: [
        {
          id: expect.any(String),
          product_key: 'CREDITS',
          source: 'purchase',
          sku: 'PACK',
          order_id: placed.id,
          subscription_id: null,
          order_item_id: (placed.items as unknown as Record<string, string>[])[0]?.id,
          granted: 200,
          available: 200,
          held: 0,
          consumed: 0,
          expired: 0,
          revoked: 0,
          transferred: 0,
          priority: 0,
          valid_from: '2026-01-31T12:00:30.000Z',
          expires_at: null,
          state: 'active',
          created_at: '2026-01-31T12:00:30.000Z',
          metadata: {},
        },
      ],
      batches_total: 1,
    });
  });

  it('writes payment, batches, balances and entries with one operation', async () => {
    const { id } = await placeOrder(app, newPerson(), 'BUNDLE');
    const written = await writtenBy(app, () => app.post(`/orders/${id}/confirm`, { payment_id: newPayment() }));
    expect(written).toEqual({
      customers: 0,
      orders: 0,
      payments: 1,
      operations: 1,
      idempotency_records: 1,
      batches: 2,
      balances: 1,
      entries: 2,
    });
  });

  it('makes one batch per item of the offer, with the item’s priority and validity', async () => {
    const { id } = await placeOrder(app, newPerson(), 'BUNDLE', 2);
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(answer.body.batches).toMatchObject([
      { product_key: 'CREDITS', granted: 20, priority: 3, expires_at: '2026-03-02T12:00:00.000Z' },
      { product_key: 'ACCESS', granted: null, available: 0, expires_at: '2026-02-14T12:00:00.000Z' },
    ]);
  });

  it('pays an order that gives nothing', async () => {
    const { id } = await placeOrder(app, newPerson(), 'NOTHING');
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(answer.body).toMatchObject({ status: 'paid', batches: [] });
  });

  it.each([
    ['exactly', { amount: '9.99', currency: 'USD' }],
    ['with more decimals and in lower case', { amount: '9.990000', currency: 'usd' }],
  ])('takes amount and currency that equal the order’s %s', async (_case, more) => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), ...more });
    expect(answer.body.status).toBe('paid');
  });

  it('takes `provider_payments` for the method when none is sent', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(answer.body.payment_method).toBe('provider_payments');
  });

  it('pays until the last millisecond of the order', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK', 1, { expires_in: 60 });
    app.clock.advance({ seconds: 59, ms: 999 });
    expect((await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() })).body.status).toBe('paid');
  });

  describe('of a payment that paid the order', () => {
    it('gives the first answer again without a key, byte for byte, and writes nothing', async () => {
      const external_id = newPerson();
      const { id } = await placeOrder(app, external_id, 'PACK');
      const payment = { payment_id: newPayment(), payment_method: 'stripe' };
      const first = await app.post(`/orders/${id}/confirm`, payment);
      await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 40 });
      app.clock.advance({ days: 3 });
      const written = await writtenBy(app, async () => {
        const again = await app.post(`/orders/${id}/confirm`, payment);
        expect(again.status).toBe(200);
        expect(again.text).toBe(first.text);
        expect(again.headers['idempotent-replayed']).toBe('true');
      });
      expect(written).toEqual({});
    });

    it('gives the first answer again under another key and with the amount spelled out', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      const first = await app.post(`/orders/${id}/confirm`, { payment_id }, { 'idempotency-key': 'a' });
      const again = await app.post(
        `/orders/${id}/confirm`,
        { payment_id, amount: '9.99', currency: 'USD' },
        { 'idempotency-key': 'b' },
      );
      expect(again.text).toBe(first.text);
    });

    it.each([
      ['telegram', 'telegram_payments'],
      ['telegram_stars', 'telegram_payments'],
      ['TELEGRAM_STARS', 'telegram'],
      [' Stripe ', 'stripe'],
    ])('knows the method %s as %s', async (method, alias) => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      const first = await app.post(`/orders/${id}/confirm`, { payment_id, payment_method: method });
      const again = await app.post(`/orders/${id}/confirm`, { payment_id, payment_method: alias });
      expect(first.status).toBe(200);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });

    it('grants once when two come at once', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      const written = await writtenBy(app, async () => {
        const answers = await Promise.all([1, 2].map(() => app.post(`/orders/${id}/confirm`, { payment_id })));
        expect(answers.map((answer) => answer.headers['idempotent-replayed']).sort()).toEqual(['true', undefined]);
        expect(answers[1]?.text).toBe(answers[0]?.text);
      });
      expect(written).toMatchObject({ operations: 1, payments: 1, batches: 1 });
    });
  });

  describe('of a total of zero', () => {
    it('needs no payment', async () => {
      const { id } = await placeOrder(app, newPerson(), 'FREE');
      const written = await writtenBy(app, async () => {
        const answer = await app.post(`/orders/${id}/confirm`);
        expect(answer.body).toMatchObject({ status: 'paid', total_amount: '0.00', payment_id: null });
        expect(answer.body.batches).toMatchObject([{ granted: 5 }]);
      });
      expect(written.payments).toBeUndefined();
    });

    it('replays without a payment', async () => {
      const { id } = await placeOrder(app, newPerson(), 'FREE');
      const first = await app.post(`/orders/${id}/confirm`);
      const again = await app.post(`/orders/${id}/confirm`, {});
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });

    it('takes a payment all the same', async () => {
      const { id } = await placeOrder(app, newPerson(), 'FREE');
      const payment_id = newPayment();
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id, amount: '0' });
      expect(answer.body).toMatchObject({ status: 'paid', payment_id });
    });
  });

  describe('of a failed payment', () => {
    it('leaves the order pending and keeps the payment', async () => {
      const placed = await placeOrder(app, newPerson(), 'PACK');
      const written = await writtenBy(app, async () => {
        const answer = await app.post(`/orders/${placed.id}/confirm`, { payment_id: newPayment(), status: 'failed' });
        expect(answer.status).toBe(200);
        expect(answer.body).toEqual(placed);
      });
      expect(written).toEqual({ customers: 0, idempotency_records: 1, operations: 1, payments: 1 });
    });

    it('replays', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const failure = { payment_id: newPayment(), status: 'failed' };
      const first = await app.post(`/orders/${id}/confirm`, failure);
      const again = await app.post(`/orders/${id}/confirm`, failure);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });

    it('is followed by the same payment that then succeeds', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const payment_id = newPayment();
      await app.post(`/orders/${id}/confirm`, { payment_id, status: 'failed' });
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id });
      expect(answer.body).toMatchObject({ status: 'paid', payment_id });
      expect(answer.headers['idempotent-replayed']).toBeUndefined();
    });

    it('is followed by another payment that succeeds', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), status: 'failed' });
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
      expect(answer.body.status).toBe('paid');
    });

    it('lets a lapsed order expire', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK', 1, { expires_in: 60 });
      app.clock.advance({ seconds: 60 });
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), status: 'failed' });
      expect(answer.status).toBe(200);
      expect(answer.body.status).toBe('expired');
      const [stored] = await app.deps.db.query('SELECT status FROM orders WHERE id = $1::uuid', [id]);
      expect(stored).toEqual({ status: 'expired' });
    });

    it('changes nothing about an order that another payment paid', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const paid = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
      await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), status: 'failed' });
      expect((await app.get(`/orders/${id}`)).body).toEqual({ ...paid.body, refunds: [], disputes: [] });
    });

    it('is answered with the whole order, its batches too, when another payment paid it', async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      const paid = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), status: 'failed' });
      expect(answer.body).toEqual(paid.body);
    });

    it('needs its id, even for a total of zero', async () => {
      const { id } = await placeOrder(app, newPerson(), 'FREE');
      const answer = await app.post(`/orders/${id}/confirm`, { status: 'failed' });
      expectProblem(answer, 400, 'invalid_request', '/payment_id');
    });
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => {
      const { id } = await placeOrder(app, newPerson(), 'PACK');
      return { path: `/orders/${id}/confirm`, body: { payment_id: newPayment() }, other: { payment_id: newPayment() } };
    });

    it('refuses the key of the confirmation of another order', async () => {
      const external_id = newPerson();
      const [one, other] = [await placeOrder(app, external_id, 'PACK'), await placeOrder(app, external_id, 'PACK')];
      await app.post(`/orders/${one.id}/confirm`, { payment_id: newPayment(), idempotency_key: 'k' });
      const written = await writtenBy(app, async () => {
        const answer = await app.post(`/orders/${other.id}/confirm`, {
          payment_id: newPayment(),
          idempotency_key: 'k',
        });
        expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
      });
      expect(written).toEqual({});
    });
  });
});
