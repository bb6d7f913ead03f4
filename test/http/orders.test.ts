// The intent to pay: placing and reading orders. Confirmation is tested in confirm.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { buy, expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  await putProduct(app, 'GONE');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '9.99', name: 'A pack' });
  await putOffer(app, 'SMALL', 'CREDITS', 1, { price: '0.01' });
  await putOffer(app, 'STARS', 'STAR', 1, { price: '1', currency: 'XTR' });
  await putOffer(app, 'BY_EXCHANGE', 'CREDITS', 1, { price: '1', currency: 'STAR' });
  await putOffer(app, 'RETIRED', 'CREDITS', 1, { is_active: false });
  await putOffer(app, 'GIVES_GONE', 'GONE', 1);
  await putOffer(app, 'FOR_EVER', 'LIFETIME', 1);
  await putOffer(app, 'DEAR', 'CREDITS', 1, { price: '99999999999999' });
  await putOffer(app, 'HUGE', 'CREDITS', Number.MAX_SAFE_INTEGER);
  await putProduct(app, 'GONE', { is_active: false });
});

const order = (external_id: string, items: Json[], more: Json = {}) =>
  app.post('/orders', { external_id, items, ...more });

describe('POST /orders', () => {
  it('takes an order at the prices of this moment', async () => {
    const external_id = newPerson();
    const { body: customer } = await app.post('/identify', { external_id });
    const answer = await order(external_id, [{ sku: 'pack', quantity: 2 }, { sku: 'SMALL' }], { metadata: { a: 1 } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      customer_id: customer.customer_id,
      status: 'pending',
      expires_at: '2026-02-01T12:00:00.000Z',
      currency: 'USD',
      total_amount: '19.99',
      payment_method: null,
      payment_id: null,
      paid_at: null,
      cancelled_at: null,
      cancel_reason: null,
      refunded_amount: '0.00',
      disputed_amount: '0.00',
      items: [
        {
          id: expect.any(String),
          sku: 'PACK',
          name: 'A pack',
          quantity: 2,
          price: '9.99',
          list_price: null,
          price_reason: null,
        },
        {
          id: expect.any(String),
          sku: 'SMALL',
          name: 'SMALL',
          quantity: 1,
          price: '0.01',
          list_price: null,
          price_reason: null,
        },
      ],
      metadata: { a: 1 },
      created_at: '2026-01-31T12:00:00.000Z',
    });
  });

  it('writes the order, its lines and the operation, and grants nothing', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const written = await writtenBy(app, () => order(external_id, [{ sku: 'PACK' }, { sku: 'SMALL' }]));
    expect(written).toEqual({ customers: 0, operations: 1, orders: 1, order_items: 2 });
  });

  it('counts money in the currency’s own decimals', async () => {
    const answer = await order(newPerson(), [{ sku: 'STARS', quantity: 3 }]);
    expect(answer.body).toMatchObject({ currency: 'XTR', total_amount: '3', refunded_amount: '0' });
  });

  it('keeps two lines of one sku apart', async () => {
    const answer = await order(newPerson(), [{ sku: 'SMALL' }, { sku: 'SMALL', quantity: 2 }]);
    expect(answer.body.items.map((item: Json) => item.quantity)).toEqual([1, 2]);
    expect(answer.body.total_amount).toBe('0.03');
  });

  it('ends after expires_in seconds', async () => {
    const answer = await order(newPerson(), [{ sku: 'PACK' }], { expires_in: 90 });
    expect(answer.body.expires_at).toBe('2026-01-31T12:01:30.000Z');
  });

  it('keeps its terms when the offer is edited or retired', async () => {
    await putOffer(app, 'EDITED', 'CREDITS', 100, { name: 'Before', price: '5.00' });
    const external_id = newPerson();
    const { id } = await placeOrder(app, external_id, 'EDITED');
    await putOffer(app, 'EDITED', 'STAR', 7, { name: 'After', price: '8.00', is_active: false });
    const read = await app.get(`/orders/${id}`);
    expect(read.body).toMatchObject({ total_amount: '5.00', items: [{ name: 'Before', price: '5.00' }] });
    const paid = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment(), amount: '5.00' });
    expect(paid.body.batches).toMatchObject([{ product_key: 'CREDITS', granted: 100, sku: 'EDITED' }]);
  });

  it('is paid with its terms although the product is no longer active', async () => {
    await putProduct(app, 'FADING');
    await putOffer(app, 'GIVES_FADING', 'FADING', 5);
    const { id } = await placeOrder(app, newPerson(), 'GIVES_FADING');
    await putProduct(app, 'FADING', { is_active: false });
    const paid = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(paid.body).toMatchObject({ status: 'paid', batches: [{ product_key: 'FADING', granted: 5 }] });
  });

  it('fixes the type of the products that it will give', async () => {
    await putProduct(app, 'ORDERED');
    await putOffer(app, 'GIVES_ORDERED', 'ORDERED', 5);
    const { id } = await placeOrder(app, newPerson(), 'GIVES_ORDERED');
    await putOffer(app, 'GIVES_ORDERED', 'CREDITS', 5);
    const changed = await app.put('/products/ORDERED', { name: 'X', type: 'period' });
    expectProblem(changed, 409, 'product_in_use', '/type');
    const paid = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(paid.body.batches).toMatchObject([{ product_key: 'ORDERED', granted: 5 }]);
  });

  it('is refused by each of these, with nothing written but the customer of a first sight', async () => {
    const refusals: [items: Json[], status: number, code: Parameters<typeof expectProblem>[2], pointer: string][] = [
      [[{ sku: 'SMALL' }, { sku: 'UNKNOWN' }], 404, 'offer_not_found', '/items/1/sku'],
      [[{ sku: 'CREDITS' }], 404, 'offer_not_found', '/items/0/sku'],
      [[{ sku: 'RETIRED' }], 409, 'offer_inactive', '/items/0/sku'],
      [[{ sku: 'BY_EXCHANGE' }], 409, 'offer_exchange_only', '/items/0/sku'],
      [[{ sku: 'GIVES_GONE' }], 409, 'product_inactive', '/items/0/sku'],
      [[{ sku: 'SMALL' }, { sku: 'STARS' }], 400, 'mixed_currencies', '/items/1/sku'],
      [[{ sku: 'DEAR', quantity: 2 }], 409, 'quantity_too_large', '/items/0/quantity'],
      [[{ sku: 'HUGE', quantity: 2 }], 409, 'quantity_too_large', '/items/0/quantity'],
      [[{ sku: 'HUGE' }, { sku: 'SMALL' }], 409, 'quantity_too_large', '/items/1/quantity'],
    ];
    for (const [items, status, code, pointer] of refusals) {
      const written = await writtenBy(app, async () => {
        expectProblem(await order(newPerson(), items), status, code, pointer);
      });
      expect(written, code).toEqual({ customers: 1, identities: 1 });
    }
  });

  it('does not sell what the customer has for ever', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'FOR_EVER');
    const written = await writtenBy(app, async () => {
      const answer = await order(external_id, [{ sku: 'SMALL' }, { sku: 'FOR_EVER' }]);
      expectProblem(answer, 409, 'already_unlimited', '/items/1/sku');
    });
    expect(written).toEqual({});
  });

  it.each([
    ['no items', {}, '/items'],
    ['empty items', { items: [] }, '/items'],
    ['items that are no list', { items: { sku: 'PACK' } }, '/items'],
    ['101 items', { items: Array.from({ length: 101 }, () => ({ sku: 'SMALL' })) }, '/items'],
    ['an item without a sku', { items: [{}] }, '/items/0/sku'],
    ['a sku that is a number', { items: [{ sku: 7 }] }, '/items/0/sku'],
    ['a sku of 65 characters', { items: [{ sku: 'S'.repeat(65) }] }, '/items/0/sku'],
    ['a quantity of 0', { items: [{ sku: 'PACK', quantity: 0 }] }, '/items/0/quantity'],
    ['a negative quantity', { items: [{ sku: 'PACK', quantity: -1 }] }, '/items/0/quantity'],
    ['a quantity with a fraction', { items: [{ sku: 'PACK', quantity: 0.5 }] }, '/items/0/quantity'],
    ['a quantity that is text', { items: [{ sku: 'PACK', quantity: 'two' }] }, '/items/0/quantity'],
    ['a price without a reason', { items: [{ sku: 'PACK', price: '0.01' }] }, '/items/0/price_reason'],
    ['a reason without a price', { items: [{ sku: 'PACK', price_reason: 'why' }] }, '/items/0/price'],
    ['an empty reason', { items: [{ sku: 'PACK', price: '0.01', price_reason: ' ' }] }, '/items/0/price_reason'],
    ['a negative price', { items: [{ sku: 'PACK', price: '-1', price_reason: 'why' }] }, '/items/0/price'],
    ['a price that is a number', { items: [{ sku: 'PACK', price: 1, price_reason: 'why' }] }, '/items/0/price'],
    ['expires_in of 0', { items: [{ sku: 'PACK' }], expires_in: 0 }, '/expires_in'],
    ['expires_in of 31 days', { items: [{ sku: 'PACK' }], expires_in: 31 * 86_400 }, '/expires_in'],
    ['metadata that is a list', { items: [{ sku: 'PACK' }], metadata: [] }, '/metadata'],
  ])('refuses %s, and does not even create the customer', async (_case, body, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/orders', { external_id: newPerson(), ...body }), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it('takes two orders at once without a key', async () => {
    const external_id = newPerson();
    const answers = await Promise.all([1, 2].map(() => order(external_id, [{ sku: 'PACK' }])));
    expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
    expect(answers[0]?.body.id).not.toBe(answers[1]?.body.id);
  });

  it('does not remember a refusal under its key', async () => {
    const external_id = newPerson();
    const body = { external_id, items: [{ sku: 'COMES_LATER' }], idempotency_key: 'order-1' };
    expectProblem(await app.post('/orders', body), 404, 'offer_not_found', '/items/0/sku');
    await putOffer(app, 'COMES_LATER', 'CREDITS', 1);
    expect((await app.post('/orders', body)).status).toBe(201);
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/orders',
      body: { external_id: newPerson(), items: [{ sku: 'PACK' }], metadata: { a: 1 } },
      other: { metadata: { a: 2 } },
    }));
  });
});

describe('GET /orders/{id}', () => {
  it('gives the order as it was placed', async () => {
    const placed = await placeOrder(app, newPerson(), 'PACK', 2);
    expect((await app.get(`/orders/${placed.id}`)).body).toEqual(placed);
  });

  it('gives a paid order with its batches as they are now', async () => {
    const external_id = newPerson();
    const { id } = await placeOrder(app, external_id, 'PACK');
    const confirmed = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect((await app.get(`/orders/${id}`)).body).toEqual({ ...confirmed.body, refunds: [], disputes: [] });
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 40 });
    const later = await app.get(`/orders/${id}`);
    expect(later.body.batches).toMatchObject([{ granted: 100, available: 60, consumed: 40 }]);
  });

  it('shows a pending order as expired from its end on', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK', 1, { expires_in: 60 });
    app.clock.advance({ seconds: 59, ms: 999 });
    expect((await app.get(`/orders/${id}`)).body.status).toBe('pending');
    app.clock.advance({ ms: 1 });
    expect((await app.get(`/orders/${id}`)).body.status).toBe('expired');
  });

  it('does not know an order that nobody placed', async () => {
    expectProblem(await app.get(`/orders/${UNKNOWN_ID}`), 404, 'order_not_found', 'path/id');
  });

  it('refuses an id that is no UUID', async () => {
    expectProblem(await app.get('/orders/17'), 400, 'invalid_request', 'path/id');
  });
});
