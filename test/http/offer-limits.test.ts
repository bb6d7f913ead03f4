// How many of an offer a customer may have: what takes a place, what frees one, and who is refused.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { sendTogether, tally, useSecondApp } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'COINS', { is_currency: true });
  await putOffer(app, 'THREE', 'CREDITS', 10, { price: '5.00', max_per_customer: 3 });
  await putOffer(app, 'WELCOME', 'CREDITS', 10, { price: '0', max_per_customer: 1, trial_policy: { scope: 'offer' } });
  await putOffer(app, 'SWAP', 'CREDITS', 10, { price: '2', currency: 'COINS', max_per_customer: 1 });
});

const order = (person: string, sku: string, quantity = 1, more: Json = {}) =>
  app.post('/orders', { external_id: person, items: [{ sku, quantity }], ...more });
const pay = (id: string) => app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
const give = (person: string, sku: string, quantity = 1, more: Json = {}) =>
  app.post('/grants', { external_id: person, grant_type: 'bonus', sku, quantity, ...more });

describe('an offer with `max_per_customer`', () => {
  it('is had so often: by orders, grants and exchanges, each of their quantity', async () => {
    const person = newPerson();
    expect((await order(person, 'THREE', 2)).status).toBe(201);
    expect((await give(person, 'THREE')).status).toBe(201);
    const written = await writtenBy(app, async () => {
      const refused = await order(person, 'THREE');
      expectProblem(refused, 409, 'offer_limit_reached', '/items/0/quantity');
      expect(refused.body).toMatchObject({ used: 3, limit: 3 });
      expectProblem(await give(person, 'THREE'), 409, 'offer_limit_reached', '/quantity');
    });
    expect(written).toEqual({});
    expectProblem(await order(newPerson(), 'THREE', 4), 409, 'offer_limit_reached', '/items/0/quantity');
    const lines = [
      { sku: 'THREE', quantity: 2 },
      { sku: 'THREE', quantity: 2 },
    ];
    const both = await app.post('/orders', { external_id: newPerson(), items: lines });
    expectProblem(both, 409, 'offer_limit_reached', '/items/1/quantity');
  });

  it('is exchanged so often, and given so often as a trial', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'COINS', 10);
    const exchange = () => app.post('/exchange', { external_id: person, sku: 'SWAP' });
    expect((await exchange()).status).toBe(200);
    expectProblem(await exchange(), 409, 'offer_limit_reached', '/sku');
    const { id } = (await order(person, 'WELCOME')).body;
    expect((await pay(id)).status).toBe(200);
    const trial = { external_id: person, grant_type: 'trial', sku: 'WELCOME' };
    expectProblem(await app.post('/grants', trial), 409, 'offer_limit_reached', '/sku');
  });

  it('gets a place back when an order is cancelled, expires, or is wholly refunded', async () => {
    const person = newPerson();
    const cancelled = (await order(person, 'THREE', 3)).body;
    await app.post(`/orders/${cancelled.id}/cancel`, {});
    const late = (await order(person, 'THREE', 3, { expires_in: 60 })).body;
    expectProblem(await order(person, 'THREE'), 409, 'offer_limit_reached');
    app.clock.advance({ seconds: 61 });
    const paid = (await order(person, 'THREE', 3)).body;
    expectProblem(await pay(late.id), 409, 'order_not_payable');
    expect((await pay(paid.id)).status).toBe(200);
    await app.post(`/orders/${paid.id}/refund`, { amount: '5.00' });
    expectProblem(await order(person, 'THREE'), 409, 'offer_limit_reached');
    await app.post(`/orders/${paid.id}/refund`, {});
    expect((await order(person, 'THREE', 3)).status).toBe(201);
  });

  it('is never refused once it is ordered', async () => {
    const person = newPerson();
    const { id } = (await order(person, 'THREE', 3)).body;
    await putOffer(app, 'THREE', 'CREDITS', 10, { price: '5.00', max_per_customer: 1 });
    expect((await pay(id)).status).toBe(200);
    await putOffer(app, 'THREE', 'CREDITS', 10, { price: '5.00', max_per_customer: 3 });
  });

  it('is moved in whatever the limit, and counts', async () => {
    const person = newPerson();
    const moved = await give(person, 'THREE', 4, { grant_type: 'migration', source_id: `m-${person}` });
    expect(moved.status, moved.text).toBe(201);
    const refused = await order(person, 'THREE');
    expect(refused.body).toMatchObject({ code: 'offer_limit_reached', used: 4 });
  });

  it('is had once of 20 at once, over two apps', async () => {
    const person = newPerson();
    const answers = await sendTogether(20, (index) => {
      const client = index % 2 ? app : second;
      return client.post('/orders', { external_id: person, items: [{ sku: 'WELCOME' }] });
    });
    expect(tally(answers)).toEqual({ '201': 1, '409 offer_limit_reached': 19 });
  });

  it.each([0, -1, 1.5, '2', 2 ** 53])('can’t be %s', async (limit) => {
    const body = { name: 'x', price: '1', currency: 'USD', max_per_customer: limit };
    expectProblem(await app.put('/offers/ODD', body), 400, 'invalid_request', '/max_per_customer');
  });
});

describe('a free offer without it', () => {
  it('warns whoever makes it', async () => {
    const items = [{ product_key: 'CREDITS', quantity: 1 }];
    const free = { name: 'x', price: '0', currency: 'USD', items };
    const warned = await app.put('/offers/FREE', free);
    expect(warned.body.warnings).toMatchObject([{ code: 'free_without_limit', pointer: '/max_per_customer' }]);
    const limited = await app.put('/offers/FREE', { ...free, max_per_customer: 1 });
    expect(limited.body.warnings).toEqual([]);
  });
});
