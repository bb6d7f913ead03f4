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
    expect(event).toMatchObject({ event_id: 'reconciled:pi_9', status: 'waiting', reason: 'no_order' });
    const unknown = await send('payment_method=paypal&apply=true', { charges: [charge('p')] });
    expect([unknown.status, unknown.body.code]).toEqual([404, 'payment_provider_not_found']);
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
