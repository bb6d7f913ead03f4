// Receipts: what an operation did, what was done to a batch, and what became of a product.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { issueToken } from '../support/customer-tokens.js';
import { untilTold } from '../support/events.js';
import { bearer, makeKey } from '../support/keys.js';
import { expectProblem, newPayment, newPerson, placeOrder } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'REPORTED');
  await putOffer(app, 'PACK', 'CREDITS', 100);
  await putOffer(app, 'SOLD', 'CREDITS', 100, { price: '10.00' });
});

const consume = (person: string, amount: number, more: Json = {}) =>
  app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount, ...more });

describe('GET /operations/{id}', () => {
  it('tells what it answered, what it did in the ledger, what it told, and who asked for it', async () => {
    const key = await makeKey(app, ['payments']);
    const person = newPerson();
    const { id } = await placeOrder(app, person, 'PACK');
    const body = { payment_id: newPayment(), idempotency_key: 'pay-once' };
    const paid = await app.post(`/orders/${id}/confirm`, body, bearer(key.token));
    await untilTold(app);
    const [{ operation_id }] = (await app.get(`/wallet/entries?external_id=${person}`)).body.data;
    const { body: receipt } = await app.get(`/operations/${operation_id}`);
    expect(receipt).toMatchObject({
      id: operation_id,
      customer_id: paid.body.customer_id,
      name: 'order.confirm',
      key: key.id,
      idempotency_keys: ['pay-once'],
      answer: { status: 200, body: paid.body },
      entries: [{ kind: 'grant', order_id: id, operation_id }],
      entries_total: 1,
    });
    expect(receipt.events.map(({ type }: Json) => type)).toEqual(['order.paid', 'batch.granted']);
  });

  it('tells of one without key what is left of it', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 5);
    const { operation_id } = (await consume(person, 2)).body;
    const { body } = await app.get(`/operations/${operation_id}?external_id=${person}`);
    expect(body).toMatchObject({ name: 'quota.consume', answer: null, idempotency_keys: [], entries_total: 1 });
    expectProblem(await app.get(`/operations/${operation_id}?external_id=${newPerson()}`), 404, 'customer_not_found');
    const other = newPerson();
    await grantUnits(app, other, 'CREDITS', 5);
    const elsewhere = await app.get(`/operations/${operation_id}?external_id=${other}`);
    expectProblem(elsewhere, 404, 'operation_not_found', 'path/id');
    expectProblem(await app.get(`/operations/${UNKNOWN}`), 404, 'operation_not_found', 'path/id');
    expectProblem(await app.get('/operations/7'), 400, 'invalid_request', 'path/id');
  });
});

describe('GET /wallet/batches/{id}', () => {
  it('has what was done to it, in pages', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 9);
    for (const amount of [1, 2, 3]) await consume(person, amount);
    const [{ id }] = (await app.get(`/wallet/batches?external_id=${person}`)).body.data;
    const first = (await app.get(`/wallet/batches/${id}?external_id=${person}&limit=3`)).body;
    expect(first).toMatchObject({ id, available: 3, entries: [{ amount: 3 }, { amount: 2 }, { amount: 1 }] });
    const rest = await app.get(`/wallet/batches/${id}?external_id=${person}&limit=3&cursor=${first.next_cursor}`);
    expect(rest.body).toMatchObject({ entries: [{ kind: 'grant', amount: 9 }], next_cursor: null });
    const other = newPerson();
    await grantUnits(app, other, 'CREDITS', 1);
    expectProblem(await app.get(`/wallet/batches/${id}?external_id=${other}`), 404, 'batch_not_found', 'path/id');
    expectProblem(await app.get(`/wallet/batches/${id}`), 400, 'invalid_request');
  });

  it('is shown as settled, and to its customer', async () => {
    const person = newPerson();
    const expires_at = new Date(app.clock.now().getTime() + 60_000).toISOString();
    await app.post('/grants', {
      external_id: person,
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 4,
      expires_at,
    });
    const [{ id }] = (await app.get(`/wallet/batches?external_id=${person}`)).body.data;
    app.clock.advance({ seconds: 61 });
    const token = await issueToken(app, person, { abilities: ['entries.read'] });
    const { body } = await app.get(`/wallet/batches/${id}`, bearer(token));
    expect(body).toMatchObject({ state: 'expired', available: 0, expired: 4, settlement_pending: true });
  });
});

describe('GET /products/{key}/report', () => {
  it('sums what became of it, over all customers', async () => {
    const of = (person: string, more: Json) => ({ external_id: person, product_key: 'REPORTED', ...more });
    const [one, other] = [newPerson(), newPerson()];
    await grantUnits(app, one, 'REPORTED', 10);
    await grantUnits(app, other, 'REPORTED', 20);
    await app.post('/quota/consume', of(one, { amount: 3 }));
    await app.post('/reservations', of(other, { amount: 5 }));
    await app.post('/grants', of(other, { grant_type: 'adjustment', direction: 'debit', quantity: 2, reason: 'x' }));
    const expires_at = new Date(app.clock.now().getTime() + 1_000).toISOString();
    await app.post('/grants', of(other, { grant_type: 'bonus', quantity: 4, expires_at }));
    app.clock.advance({ seconds: 2 });
    const { body } = await app.get('/products/REPORTED/report');
    expect(body).toEqual({
      product_key: 'REPORTED',
      customers: 2,
      granted: 34,
      available: 20,
      held: 5,
      used: 3,
      expired: 4,
      revoked: 2,
      owed: 0,
      access: 0,
    });
  });

  it('needs the scope `admin`, and a product', async () => {
    const key = await makeKey(app, ['read', 'catalog']);
    expectProblem(await app.get('/products/REPORTED/report', bearer(key.token)), 403, 'forbidden');
    expectProblem(await app.get('/products/NOTHING/report'), 404, 'product_not_found');
  });
});

describe('an entry because of money that went back', () => {
  const causesOf = async (path: string) =>
    ((await app.get(path)).body.data as Json[])
      .map(({ kind, order_id, refund_id, dispute_id }) => ({ kind, order_id, refund_id, dispute_id }))
      .filter(({ kind }) => kind !== 'grant' && kind !== 'consume');

  it('names its refund, or its dispute, and so does what gives back again', async () => {
    const person = newPerson();
    const { id } = await placeOrder(app, person, 'SOLD');
    await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    await consume(person, 90);
    const refunded = { order_id: id, refund_id: `re-${id}`, dispute_id: null };
    const disputed = { order_id: id, refund_id: null, dispute_id: `dp-${id}` };
    const path = `/wallet/entries?external_id=${person}`;
    const policy = { unrecovered_policy: 'debt' };
    const told = await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}`, amount: '2.00', ...policy });
    expect(told.status, told.text).toBe(200);
    expect(await causesOf(path)).toEqual([
      { kind: 'debt', ...refunded },
      { kind: 'revoke', ...refunded },
    ]);
    await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}`, status: 'failed' });
    expect((await causesOf(path)).slice(0, 2).map(({ refund_id }) => refund_id)).toEqual([`re-${id}`, `re-${id}`]);
    const dispute = (status: string) =>
      app.post(`/orders/${id}/dispute`, { dispute_id: `dp-${id}`, status, ...policy });
    const { body } = await dispute('opened');
    const [, ...before] = await causesOf(path);
    expect((await causesOf(path))[0]).toMatchObject(disputed);
    await dispute('won');
    const all = await causesOf(path);
    expect(all.length).toBeGreaterThan(before.length + 1);
    expect(all[0]).toMatchObject(disputed);
    const [{ operation_id }] = (await app.get(path)).body.data;
    const { body: receipt } = await app.get(`/operations/${operation_id}`);
    expect(receipt.entries).toMatchObject([disputed, disputed]);
    const [{ id: batchId }] = body.batches;
    const shown = (await app.get(`/wallet/batches/${batchId}?external_id=${person}`)).body.entries as Json[];
    const named = shown.filter(({ refund_id, dispute_id }) => refund_id !== null || dispute_id !== null);
    expect(named.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['revoke', 'reverse', 'debt']));
    expect(shown.filter(({ kind }) => kind === 'consume')).toMatchObject([{ refund_id: null, dispute_id: null }]);
  });
});
