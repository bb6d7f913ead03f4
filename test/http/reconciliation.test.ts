// A provider's list of charges, held against what is known here.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, type Json, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { balanceOf, placeOrder } from '../support/parallel.js';
import { paymentSettings } from '../support/payments.js';

const app = useTestApp();
const undeclared = failOnUndeclared();
let inbound: { app: FastifyInstance; close(): Promise<void> };

beforeAll(async () => {
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings() });
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});
afterAll(() => inbound.close());

const SPAN = 'from=2026-01-01T00:00:00.000Z&until=2026-03-01T00:00:00.000Z';
const send = (query: string, body: unknown, type = 'application/json') =>
  request(inbound.app.server)
    .post(`${BASE_PATH}/payments/reconcile?${query}`)
    .set({ authorization: `Bearer ${API_TOKEN}`, 'content-type': type })
    .send(body as object);
const charge = (payment_id: string, more: Json = {}) => ({
  payment_id,
  amount: '1.00',
  currency: 'USD',
  status: 'succeeded',
  ...more,
});

describe('a list of charges', () => {
  it('is told what is missing on either side, and what differs; nothing changes unless it is to be applied', async () => {
    const [paid, other, missing] = [
      await placeOrder(app, 'ada', 'PACK'),
      await placeOrder(app, 'ada', 'PACK'),
      await placeOrder(app, 'bea', 'PACK'),
    ];
    const money = { amount: '1.00', currency: 'USD', payment_method: 'stripe' };
    await app.post(`/orders/${paid}/confirm`, { payment_id: 'pi_1', ...money });
    await app.post(`/orders/${other}/confirm`, { payment_id: 'pi_2', ...money });
    const charges = [
      charge('pi_1', { amount: '1.50' }),
      charge('pi_3', { order_id: missing }),
      charge('pi_4', { status: 'failed' }),
    ];
    const told = await send(`payment_method=stripe&${SPAN}`, { charges });
    expect(told.status, told.text).toBe(200);
    expect(told.body).toEqual({
      payment_method: 'stripe',
      charges: 3,
      matched: 1,
      missing_here: { count: 1, data: [{ payment_id: 'pi_3', amount: '1.00', currency: 'USD', order_id: missing }] },
      missing_there: { count: 1, data: [{ payment_id: 'pi_2', amount: '1.00', currency: 'USD', order_id: other }] },
      differing: {
        count: 1,
        data: [
          {
            payment_id: 'pi_1',
            order_id: paid,
            there: { amount: '1.50', currency: 'USD', paid: true },
            here: { amount: '1.00', currency: 'USD', status: 'paid' },
          },
        ],
      },
      applied: null,
    });
    expect((await app.get(`/orders/${missing}`)).body.status).toBe('pending');
    const csv = `payment_id,amount,currency,status,order_id\r\npi_3,1.00,usd,paid,${missing}\r\n`;
    const applied = await send('payment_method=stripe&apply=true', csv, 'text/csv');
    expect(applied.body).toMatchObject({ applied: 1, missing_there: null, missing_here: { count: 1 } });
    expect(await balanceOf(app, 'bea', 'CREDITS')).toBe(10);
    const again = await send('payment_method=stripe&apply=true', csv, 'text/csv');
    expect(again.body).toMatchObject({ applied: 0, matched: 1, missing_here: { count: 0 } });
  });

  it('puts what no order is known of into the inbox', async () => {
    const answer = await send('payment_method=stripe&apply=true', { charges: [charge('pi_9')] });
    expect(answer.body).toMatchObject({ applied: 1 });
    const [event] = (await app.get('/payments/inbox?payment_id=pi_9')).body.data;
    expect(event).toMatchObject({
      event_id: expect.stringMatching(/^reconciled:pi_9:[0-9a-f]{12}$/),
      status: 'waiting',
      reason: 'no_order',
    });
    const unknown = await send('payment_method=paypal&apply=true', { charges: [charge('p')] });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'payment_provider_not_found']);
  });

  it.each([
    ['without an order', {}],
    ['of another amount', { amount: '1.01' }],
    ['of an order that is none', { order_id: 'no-order' }],
  ])('applies what a list tells that puts right one before, which told %s', async (what, wrong) => {
    const orderId = await placeOrder(app, `eve ${what}`, 'PACK');
    const send1 = (more: Json) =>
      send('payment_method=stripe&apply=true', { charges: [charge(`pi ${what}`, { order_id: orderId, ...more })] });
    expect((await send1({ order_id: undefined, ...wrong })).body.applied).toBe(1);
    expect((await send1({ order_id: undefined, ...wrong })).body.applied).toBe(0);
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('pending');
    const answers = await Promise.all([send1({}), send1({}), send1({ amount: '1.000' })]);
    expect(answers.map(({ body }) => body.applied).sort()).toEqual([0, 0, 1]);
    expect((await app.get(`/orders/${orderId}`)).body.status).toBe('paid');
    expect(await balanceOf(app, `eve ${what}`, 'CREDITS')).toBe(10);
  });

  it('pays what only failed here, and was paid there', async () => {
    const orderId = await placeOrder(app, 'cy', 'PACK');
    await app.post(`/orders/${orderId}/confirm`, { payment_id: 'pi_f', payment_method: 'stripe', status: 'failed' });
    const list = { charges: [charge('pi_f', { order_id: orderId })] };
    expect((await send('payment_method=stripe', list)).body).toMatchObject({
      missing_here: { count: 1 },
      differing: { count: 0 },
    });
    expect((await send('payment_method=stripe&apply=true', list)).body.applied).toBe(1);
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBe(10);
  });

  it('finds a source by the method of its charges, not by its name', async () => {
    const mapping = { event_id: '/id', payment_id: '/p', amount: '/a', currency: '/c', status: '/s', statuses: {} };
    const signature = { scheme: 'hmac_sha256', header: 'x-signature' };
    await app.put('/payment-sources/till', { signature, mapping, payment_method: 'Till-Money' });
    const list = { charges: [charge('t_1')] };
    expect((await send('payment_method=till-money&apply=true', list)).body).toMatchObject({ applied: 1 });
    expect((await app.get('/payments/inbox?payment_id=t_1')).body.data).toMatchObject([{ provider: 'generic/till' }]);
    const byName = await send('payment_method=till&apply=true', list);
    expect([byName.status, byName.body.code]).toEqual([404, 'payment_provider_not_found']);
  });

  it('counts a charge once that it names twice: as paid, where one of them says so', async () => {
    const charges = [charge('pi_d', { status: 'failed' }), charge('pi_d'), charge('pi_d', { amount: '1.000' })];
    const told = await send('payment_method=stripe', { charges });
    expect(told.body).toMatchObject({ charges: 1, missing_here: { count: 1 } });
    const torn = await send('payment_method=stripe', { charges: [...charges, charge('pi_d', { amount: '2.00' })] });
    expect([torn.status, torn.body.errors[0].pointer]).toEqual([400, '/charges/3/payment_id']);
  });

  it.each<[string, string | Buffer, string]>([
    ['without a header', '', 'line 1: a header is missing'],
    ['whose header lacks columns', 'payment_id,amount\np,1\n', 'the header has no currency, status'],
    ['whose header has a column twice', 'payment_id,amount,currency,status,amount\n', 'the header has amount twice'],
    ['in another encoding', Buffer.from('payment_id,amount,currency,status\nb\xfc,1,USD,paid\n', 'latin1'), 'line 2: '],
  ])('is refused as a table %s', async (_what, table, detail) => {
    const answer = await send('payment_method=stripe', table, 'text/csv');
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.detail).toContain(detail);
  });

  it('is told its faults in the words of every other body, with their lines', async () => {
    const table = 'payment_id,amount,currency,status,note\np,1.00,USD,paid,\nq,1.00\n';
    const { body } = await send('payment_method=a', table, 'text/csv');
    expect(body.detail).toBe('The list has 3 faults, see errors.');
    expect(body.errors).toEqual([
      expect.objectContaining({ pointer: '/charges/0/note', code: 'unrecognized_key', line: 2 }),
      { pointer: '/charges/1/currency', code: 'required', message: 'is required', line: 3 },
      { pointer: '/charges/1/status', code: 'required', message: 'is required', line: 3 },
    ]);
  });

  it.each<[string, string, unknown, string, string]>([
    [
      'an amount that is none',
      'payment_method=a',
      { charges: [charge('a', { amount: 1 })] },
      'application/json',
      '/charges/0/amount',
    ],
    [
      'a cell that is none',
      'payment_method=a',
      'payment_id,amount,currency,status\np,one,USD,paid\n',
      'text/csv',
      '/charges/0/amount',
    ],
    [
      'half a span',
      `payment_method=a&from=2026-01-01T00:00:00.000Z`,
      { charges: [] },
      'application/json',
      'query/from',
    ],
    ['no list', 'payment_method=a', [], 'application/json', ''],
  ])('is refused with %s', async (_what, query, body, type, pointer) => {
    const answer = await send(query, body, type);
    expect(answer.status, answer.text).toBe(400);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });
});
