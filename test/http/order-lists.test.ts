// Orders that are cancelled, and the lists of orders and payments.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { useSecondApp } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, placeOrder, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'STAR');
  await putOffer(app, 'PACK', 'STAR', 5);
  await putOffer(app, 'BOX', 'STAR', 9);
});

const cursorOf = (names: Json) =>
  Buffer.from(JSON.stringify({ created_at: '2026-01-01T00:00:00.000Z', ...names })).toString('base64url');
const cancel = (id: unknown, body: Json = {}, headers = {}) => app.post(`/orders/${id}/cancel`, body, headers);
const idsOf = (rows: readonly Json[]) => rows.map(({ id }) => id);

async function listed(query: string): Promise<Json[]> {
  const answer = await app.get(`/orders?limit=200&${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

describe('an order that is cancelled', () => {
  it('says when and why, tells it once, and stays so', async () => {
    const person = newPerson();
    const { id } = await placeOrder(app, person, 'PACK');
    const cancelled = await cancel(id, { reason: 'too dear' });
    expect(cancelled.status, cancelled.text).toBe(200);
    const now = app.clock.now().toISOString();
    expect(cancelled.body).toMatchObject({ id, status: 'cancelled', cancelled_at: now, cancel_reason: 'too dear' });
    app.clock.advance({ seconds: 5 });
    const again = await cancel(id, { reason: 'another' });
    expect(again.body).toEqual(cancelled.body);
    expect((await app.get(`/orders/${id}`)).body).toEqual(cancelled.body);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${person}&type=order.cancelled`);
    expect((body.data as Json[]).map(({ data }) => data)).toEqual([{ order_id: id, reason: 'too dear' }]);
  });

  it('under a key is replayed, and another order under it refused', async () => {
    const person = newPerson();
    const [one, other] = [await placeOrder(app, person, 'PACK'), await placeOrder(app, person, 'PACK')];
    const key = { 'idempotency-key': `cancel ${one.id}` };
    const first = await cancel(one.id, {}, key);
    const again = await cancel(one.id, {}, key);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expectProblem(await cancel(other.id, {}, key), 422, 'idempotency_key_reused');
    expect((await app.get(`/orders/${other.id}`)).body.status).toBe('pending');
  });

  it('keeps a payment that comes later as unmatched, and frees its place among those that wait', async () => {
    const person = newPerson();
    const { id } = await placeOrder(app, person, 'PACK');
    await cancel(id);
    const payment_id = newPayment();
    const refused = await app.post(`/orders/${id}/confirm`, { payment_id, amount: '1.00', currency: 'USD' });
    expectProblem(refused, 409, 'order_not_payable');
    const { body } = await app.get(`/payments?external_id=${person}&status=unmatched`);
    expect(body.data).toMatchObject([
      { payment_id, order_id: id, status: 'unmatched', amount: '1.00', currency: 'USD' },
    ]);
    expect((await app.get(`/wallet?external_id=${person}`)).body.balances).toEqual({});
  });

  it('is one that waits for a payment: any other is refused, and nothing written', async () => {
    const person = newPerson();
    const [paid, late] = [
      await placeOrder(app, person, 'PACK'),
      await placeOrder(app, person, 'PACK', 1, { expires_in: 60 }),
    ];
    await app.post(`/orders/${paid.id}/confirm`, { payment_id: newPayment() });
    app.clock.advance({ seconds: 60 });
    const refused = await cancel(paid.id);
    expectProblem(refused, 409, 'order_not_cancellable');
    expect(refused.body.order_status).toBe('paid');
    const written = await writtenBy(app, async () => {
      expectProblem(await cancel(paid.id), 409, 'order_not_cancellable');
    });
    expect(written).toEqual({});
    expect((await cancel(late.id)).body).toMatchObject({ code: 'order_not_cancellable', order_status: 'expired' });
    expectProblem(await cancel('01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'), 404, 'order_not_found');
    expectProblem(await cancel(paid.id, { external_id: newPerson() }), 404, 'customer_not_found');
    expectProblem(await cancel('none'), 400, 'invalid_request', 'path/id');
    expectProblem(await cancel(paid.id, { reason: '' }), 400, 'invalid_request', '/reason');
  });

  it('while it is paid is one or the other, in both processes', async () => {
    for (let round = 0; round < 10; round += 1) {
      const person = newPerson();
      const { id } = await placeOrder(app, person, 'PACK');
      const [cancelled, confirmed] = await Promise.all([
        cancel(id),
        second.post(`/orders/${id}/confirm`, { payment_id: newPayment() }),
      ]);
      const order = (await app.get(`/orders/${id}`)).body;
      if (order.status === 'cancelled') expectProblem(confirmed, 409, 'order_not_payable');
      else expectProblem(cancelled, 409, 'order_not_cancellable');
      expect([cancelled.status, confirmed.status].sort()).toEqual([200, 409]);
    }
  });
});

describe('the list of orders', () => {
  it('has all of somebody, newest first, in pages', async () => {
    const person = newPerson();
    const made: unknown[] = [];
    for (let count = 0; count < 5; count += 1) {
      made.unshift((await placeOrder(app, person, 'PACK')).id);
      app.clock.advance({ ms: count % 2 });
    }
    const pages = await readPages(app, `/orders?external_id=${person}`, 2);
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(idsOf(pages.flat()).sort()).toEqual(made.sort());
    const all = await listed(`external_id=${person}`);
    expect(pages.flat()).toEqual(all);
    const times = all.map(({ created_at }) => String(created_at));
    expect(times).toEqual([...times].sort().reverse());
  });

  it('is filtered by status as it is now, SKU, payment and time', async () => {
    const person = newPerson();
    const who = `external_id=${person}`;
    const paid = await placeOrder(app, person, 'PACK');
    const payment_id = newPayment();
    await app.post(`/orders/${paid.id}/confirm`, { payment_id, payment_method: 'Telegram' });
    const lapsed = await placeOrder(app, person, 'BOX', 1, { expires_in: 60 });
    app.clock.advance({ seconds: 60 });
    const from = app.clock.now().toISOString();
    const waiting = await placeOrder(app, person, 'BOX');
    const gone = await placeOrder(app, person, 'PACK');
    await cancel(gone.id);
    expect(idsOf(await listed(`${who}&status=paid`))).toEqual([paid.id]);
    expect(idsOf(await listed(`${who}&status=expired`))).toEqual([lapsed.id]);
    expect(await listed(`${who}&status=expired`)).toMatchObject([{ status: 'expired' }]);
    expect(idsOf(await listed(`${who}&status=pending`))).toEqual([waiting.id]);
    expect(idsOf(await listed(`${who}&status=cancelled`))).toEqual([gone.id]);
    expect(idsOf(await listed(`${who}&sku=box`)).sort()).toEqual([lapsed.id, waiting.id].sort());
    expect(idsOf(await listed(`payment_id=${payment_id}&payment_method=telegram_stars`))).toEqual([paid.id]);
    expect(idsOf(await listed(`${who}&until=${from}`)).sort()).toEqual([paid.id, lapsed.id].sort());
    expect(idsOf(await listed(`${who}&from=${from}&status=pending&sku=BOX`))).toEqual([waiting.id]);
    expect((await listed(`from=${from}`)).length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['/orders?status=eaten', 'query/status'],
    ['/orders?sku=a%20b', 'query/sku'],
    ['/orders?from=soon', 'query/from'],
    ['/orders?cursor=none', 'query/cursor'],
    ['/payments?status=pending', 'query/status'],
    ['/payments?order_id=7', 'query/order_id'],
    ['/payments?cursor=none', 'query/cursor'],
    [`/payments?cursor=${cursorOf({ payment_method: 'x\0', payment_id: 'y' })}`, 'query/cursor'],
    [`/payments?cursor=${cursorOf({ payment_method: 'x', payment_id: '\ud800' })}`, 'query/cursor'],
  ])('refuses %s', async (path, pointer) => {
    expectProblem(await app.get(path), 400, 'invalid_request', pointer);
  });
});

describe('the list of payments', () => {
  it('goes on behind names that are as long as they may be', async () => {
    const person = newPerson();
    const method = '漢'.repeat(60);
    for (let count = 0; count < 3; count += 1) {
      const { id } = await placeOrder(app, person, 'PACK');
      const payment_id = `${person}${'漢'.repeat(200)}${count}`;
      expect((await app.post(`/orders/${id}/confirm`, { payment_id, payment_method: method })).status).toBe(200);
    }
    expect((await readPages(app, `/payments?external_id=${person}`, 1)).flat()).toHaveLength(3);
  });

  it('has what was told of each, filtered and in pages', async () => {
    const person = newPerson();
    const { id } = await placeOrder(app, person, 'PACK');
    const [failed, paid, more] = [newPayment(), newPayment(), newPayment()];
    const tell = (body: Json) => app.post(`/orders/${id}/confirm`, body);
    await tell({ payment_id: failed, status: 'failed' });
    app.clock.advance({ seconds: 1 });
    await tell({ payment_id: paid, amount: '1.00', currency: 'USD', payment_method: 'stripe' });
    app.clock.advance({ seconds: 1 });
    for (let times = 0; times < 3; times += 1)
      expectProblem(await tell({ payment_id: more }), 409, 'order_already_paid');
    const all = (await readPages(app, `/payments?external_id=${person}`, 2)).flat();
    expect(all).toMatchObject([
      { payment_id: more, status: 'unmatched', operation_id: null },
      { payment_id: paid, status: 'paid', payment_method: 'stripe', amount: '1.00' },
      { payment_id: failed, status: 'failed', amount: null, currency: null },
    ]);
    const only = async (query: string) => (await app.get(`/payments?${query}`)).body.data as Json[];
    expect((await only(`order_id=${id}&status=failed`)).map(({ payment_id }) => payment_id)).toEqual([failed]);
    expect(await only(`payment_id=${paid}&payment_method=stripe`)).toHaveLength(1);
    expect(await only(`payment_id=${paid}&payment_method=paypal`)).toEqual([]);
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${person}&type=payment.unmatched`);
    expect(body.data).toHaveLength(1);
  });
});
