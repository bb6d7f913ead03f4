// Prices of lines that are not the offers': who may set them, what they must say, and what is kept of them.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { issueToken } from '../support/customer-tokens.js';
import { bearer, makeKey } from '../support/keys.js';
import { expectProblem, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '9.99' });
  await putOffer(app, 'STARS', 'CREDITS', 1, { price: '5', currency: 'XTR' });
});

const orderOf = (items: Json[], more: Json = {}, headers?: Record<string, string>) =>
  app.post('/orders', { external_id: newPerson(), items, ...more }, headers);

describe('a price that is not the offer’s', () => {
  it('is what the order costs, beside the price of the offer and the reason', async () => {
    const answer = await orderOf([
      { sku: 'PACK', quantity: 2, price: '7.5', price_reason: 'agreed with sales' },
      { sku: 'PACK' },
    ]);
    expect(answer.status, answer.text).toBe(201);
    const items = [
      { price: '7.50', list_price: '9.99', price_reason: 'agreed with sales' },
      { price: '9.99', list_price: null, price_reason: null },
    ];
    expect(answer.body).toMatchObject({ total_amount: '24.99', items });
    expect((await app.get(`/orders/${answer.body.id}`)).body).toMatchObject({ total_amount: '24.99', items });
    await putOffer(app, 'PACK', 'CREDITS', 100, { price: '19.99' });
    expect((await app.get(`/orders/${answer.body.id}`)).body).toMatchObject({ items });
    await putOffer(app, 'PACK', 'CREDITS', 100, { price: '9.99' });
    const listed = await app.get(`/orders?customer_id=${answer.body.customer_id}`);
    expect(listed.body.data).toMatchObject([{ items }]);
  });

  it('is what has to be paid', async () => {
    const { body } = await orderOf([{ sku: 'PACK', price: '1.00', price_reason: 'a friend' }]);
    const confirm = (amount: string) =>
      app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment(), amount, currency: 'USD' });
    expectProblem(await confirm('9.99'), 409, 'payment_mismatch', '/amount');
    const paid = await confirm('1.00');
    expect(paid.body).toMatchObject({ status: 'paid', batches: [{ granted: 100 }] });
  });

  it('may be nothing', async () => {
    const { body } = await orderOf([{ sku: 'PACK', price: '0', price_reason: 'a present' }]);
    expect(body).toMatchObject({ total_amount: '0.00' });
    expect((await app.post(`/orders/${body.id}/confirm`)).body).toMatchObject({ status: 'paid' });
  });

  it('is audited, with the key that set it', async () => {
    const key = await makeKey(app, ['orders', 'prices']);
    const { body } = await orderOf(
      [{ sku: 'PACK' }, { sku: 'PACK', price: '1', price_reason: 'a friend' }],
      {},
      bearer(key.token),
    );
    const trail = await app.get(`/audit?subject=${body.id}`);
    expect(trail.body.data).toMatchObject([
      {
        action: 'order.priced',
        subject: body.id,
        customer_id: body.customer_id,
        key: key.id,
        before: { items: [{ sku: 'PACK', price: '9.99' }] },
        after: { items: [{ sku: 'PACK', price: '1.00' }], reasons: ['a friend'] },
      },
    ]);
    const { body: usual } = await orderOf([{ sku: 'PACK' }]);
    expect((await app.get(`/audit?subject=${usual.id}`)).body.data).toEqual([]);
  });

  it('is set once under a key, and another one with that key is refused', async () => {
    const external_id = newPerson();
    const ask = (price: string) =>
      app.post('/orders', {
        external_id,
        items: [{ sku: 'PACK', price, price_reason: 'a friend' }],
        idempotency_key: 'priced',
      });
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => ask('2.00')));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expectProblem(await ask('1.00'), 422, 'idempotency_key_reused', '/idempotency_key');
  });

  it('is refused to a key without the scope, and nothing is written', async () => {
    const headers = bearer((await makeKey(app, ['read', 'orders', 'admin'])).token);
    await app.get('/orders', headers); // that it was used is noted by the hour
    const written = await writtenBy(app, async () => {
      const answer = await orderOf([{ sku: 'PACK' }, { sku: 'PACK', price: '9.99', price_reason: 'x' }], {}, headers);
      expectProblem(answer, 403, 'forbidden', '/items/1/price');
    });
    expect(written).toEqual({});
  });

  it('is refused to a customer’s own token', async () => {
    const external_id = newPerson();
    const token = await issueToken(app, external_id);
    const body = { items: [{ sku: 'PACK', price: '0', price_reason: 'x' }] };
    expectProblem(await app.post('/orders', body, bearer(token)), 403, 'forbidden', '/items/0/price');
  });

  it.each([
    ['PACK', '1.001'],
    ['STARS', '1.5'],
  ])('has no more decimals than the currency: %s at %s', async (sku, price) => {
    const answer = await orderOf([{ sku, price, price_reason: 'x' }]);
    expectProblem(answer, 400, 'invalid_request', '/items/0/price');
  });

  it('makes no total that is too large', async () => {
    const answer = await orderOf([{ sku: 'PACK', quantity: 2, price: '99999999999999', price_reason: 'x' }]);
    expectProblem(answer, 409, 'quantity_too_large', '/items/0/quantity');
  });
});
