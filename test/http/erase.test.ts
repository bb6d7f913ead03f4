// Erasing a customer (DOMAIN 3.10): nothing is open, nothing is left, nothing personal stays; what payment providers tell later is recorded as money only.
import type { FastifyInstance } from 'fastify';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settleRewards } from '../../src/engine/rewards.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { eraseCustomersJob } from '../../src/jobs/erase-customers.js';
import { grantUnits, type Json, startTestApp, useTestApp } from '../support/app.js';
import { failOnUndeclared } from '../support/declared-problems.js';
import { untilTold } from '../support/events.js';
import { mergePair, newMergePair } from '../support/merging.js';
import { ask, customerIdOf } from '../support/parallel.js';
import {
  paymentIntent,
  paymentSettings,
  type Signed,
  signedByStripe,
  stripeEvent,
  stripePayment,
} from '../support/payments.js';
import { expectProblem, findInTables, itNeedsAToken, newPayment, newPerson, writtenBy } from '../support/requests.js';
import { makeRichCatalogue, makeRichCustomer, newMark } from '../support/rich-customer.js';

const app = useTestApp();
const undeclared = failOnUndeclared();
const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
let inbound: { app: FastifyInstance; close(): Promise<void> };

beforeAll(async () => {
  inbound = await startTestApp(app.url, app.clock, undeclared, { payments: paymentSettings() });
  await makeRichCatalogue(app);
});
afterAll(() => inbound.close());

const erase = (id: string) => app.delete(`/customers/${id}`);
async function erased(id: string): Promise<Json> {
  const answer = await erase(id);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}
const deliver = async ({ body, headers }: Signed) => {
  const answer = await request(inbound.app.server).post(`${BASE_PATH}/payments/stripe`).set(headers).send(body);
  expect(answer.status, answer.text).toBe(200);
};
/** Erases as if the process had died behind the first transaction. */
async function cutOff(id: string): Promise<Json> {
  const { query } = app.deps.db;
  app.deps.db.query = (sql: string, ...more: unknown[]) =>
    sql.includes('blank_erased')
      ? Promise.reject(new Error('cut off'))
      : (query.call(app.deps.db, sql, ...(more as [])) as never);
  try {
    return await erased(id);
  } finally {
    app.deps.db.query = query;
  }
}
const walletOf = async (id: string) => (await app.get(`/wallet?customer_id=${id}`)).body;
const countOf = async (sql: string, ...parameters: unknown[]) => Number((await ask(app.url, sql, parameters))[0]?.n);
const entriesOf = (id: string) => countOf('SELECT count(*) AS n FROM entries WHERE customer_id = $1::uuid', id);

describe('DELETE /customers/{id}', () => {
  itNeedsAToken(app, 'delete', `/customers/${UNKNOWN_ID}`);

  it('ends what is open and revokes what is left of the family, and leaves nothing personal in any table', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    expect((await findInTables(app, mark)).length).toBeGreaterThan(10);
    const before = (await walletOf(rich.id)).balances.CREDITS;
    const body = await erased(rich.id);
    expect(body).toMatchObject({
      customer_id: rich.id,
      erased_at: expect.any(String),
      blanked_at: expect.any(String),
      closed: { identities: 3, orders: 2, reservations: 2, subscriptions: 1, rewards: 0 },
    });
    // What was held came back first.
    expect(body.closed).toMatchObject({ units: { CREDITS: before + 2 * 7 } });
    expect(await findInTables(app, mark)).toEqual([]);
    const shown = await app.get(`/customers/${rich.id}`);
    expect(shown.body).toMatchObject({ id: rich.id, identities: [], metadata: {}, erased_at: body.erased_at });
    expect((await app.get(`/customers/${rich.sourceId}`)).body).toEqual(shown.body);
    expect(await walletOf(rich.id)).toMatchObject({ balances: { CREDITS: 0 }, access: {} });
    for (const id of rich.pendingIds)
      expect((await app.get(`/orders/${id}`)).body).toMatchObject({ status: 'cancelled', metadata: {} });
    for (const id of rich.reservationIds)
      expect((await app.get(`/reservations/${id}`)).body).toMatchObject({ status: 'released', metadata: {} });
    const { data } = (await app.get(`/subscriptions?customer_id=${rich.id}`)).body;
    expect(data).toMatchObject([{ status: 'cancelled' }]);
  });

  it('again answers the same and changes nothing', async () => {
    const rich = await makeRichCustomer(app, newMark());
    const first = await erase(rich.id);
    let again: Json = {};
    const written = await writtenBy(app, async () => {
      again = (await erase(rich.id)).body;
    });
    expect(written).toEqual({});
    expect(again).toEqual(first.body);
  });

  it('of one that was merged is refused, with the final id', async () => {
    const [target, source] = await newMergePair(app);
    await mergePair(app, target, source);
    const refused = await erase(source.id);
    expectProblem(refused, 409, 'customer_merged', 'path/id');
    expect(refused.body.final_customer_id).toBe(target.id);
    await erased(target.id);
    expectProblem(await erase(source.id), 409, 'customer_merged', 'path/id');
  });

  it('of nobody is 404', async () => {
    expectProblem(await erase(UNKNOWN_ID), 404, 'customer_not_found', 'path/id');
  });

  it('is told once, and audited', async () => {
    const [own] = await newMergePair(app);
    await grantUnits(app, own.name, 'CREDITS', 3);
    await erased(own.id);
    await erased(own.id);
    await untilTold(app);
    const events = (await app.get(`/events?customer_id=${own.id}&type=customer.erased`)).body.data;
    expect(events).toMatchObject([
      { customer: { id: own.id, identities: [] }, data: { orders: 0, reservations: 0, subscriptions: 0, batches: 1 } },
    ]);
    const { data } = (await app.get(`/audit?customer_id=${own.id}&action=customer.erased`)).body;
    expect(data).toMatchObject([
      {
        subject: own.id,
        before: null,
        after: { batches: 1, units: [{ product_key: 'CREDITS', amount: 3 }], member_ids: [own.id] },
      },
    ]);
    // What was told before is read on, without what is personal.
    const [created] = (await app.get(`/events?customer_id=${own.id}&type=customer.created`)).body.data;
    expect(created.data).toEqual({ provider: 'default', external_id: '[erased]' });
  });

  it('leaves what is owed, as a number', async () => {
    const [own] = await newMergePair(app);
    const use = {
      external_id: own.name,
      product_key: 'CREDITS',
      amount: 5,
      allow_negative: true,
    };
    expect((await app.post('/credits/deduct', use)).status).toBe(200);
    await erased(own.id);
    expect((await walletOf(own.id)).balances.CREDITS).toBe(-5);
  });

  it('goes on where it was cut off, by the job or by another call', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    const cut = await cutOff(rich.id);
    expect(cut).toMatchObject({ blanked_at: null, closed: { orders: 2 } });
    expect((await findInTables(app, mark)).length).toBeGreaterThan(5);
    expectProblem(await app.patch(`/customers/${rich.id}`, { metadata: {} }), 409, 'customer_erased');
    expect(await eraseCustomersJob.lagMs?.(app.deps)).toBeGreaterThanOrEqual(0);
    await eraseCustomersJob.run(app.deps, () => false);
    expect(await findInTables(app, mark)).toEqual([]);
    expect((await erased(rich.id)).blanked_at).toEqual(expect.any(String));
  });
});

describe('behind an erasure', () => {
  it('everything that writes of him is refused, keys of before among it', async () => {
    const [own, other] = await newMergePair(app);
    await grantUnits(app, own.name, 'CREDITS', 10);
    const use = { customer_id: own.id, product_key: 'CREDITS', amount: 1 };
    const key = { 'idempotency-key': newPayment() };
    const used = await app.post('/quota/consume', use, key);
    const held = await app.post('/reservations', use);
    await erased(own.id);
    const body = { customer_id: own.id };
    const refused = await Promise.all([
      app.post('/quota/consume', use, key),
      app.post('/quota/consume', use),
      app.post('/quota/release', { operation_id: used.body.operation_id }),
      app.post('/reservations', use),
      app.post(`/reservations/${held.body.id}/commit`, {}),
      app.post('/credits/add', use),
      app.post('/grants', { ...body, grant_type: 'bonus', product_key: 'CREDITS', quantity: 1 }),
      app.post('/orders', { ...body, items: [{ sku: 'PACK' }] }),
      app.post('/subscriptions', { ...body, sku: 'PLAN' }),
      app.post('/exchange', { ...body, sku: 'GIFT' }),
      app.put('/limits', { ...body, product_key: 'CREDITS', windows: { day: 1 } }),
      app.patch(`/customers/${own.id}`, { metadata: { a: 1 } }),
      app.post(`/customers/${own.id}/identities`, { provider: 'email', external_id: 'a@example.org' }),
      app.delete(`/customers/${own.id}/identities/default/${own.name}`),
      app.post('/referrals', { referrer_id: own.id, referee_id: other.id }),
      app.post('/referrals', { referrer_id: other.id, referee_id: own.id }),
      mergePair(app, own, other),
      mergePair(app, other, own),
    ]);
    for (const [index, answer] of refused.entries()) {
      expect([index, answer.status, answer.body.code]).toEqual([index, 409, 'customer_erased']);
    }
    const bulk = await app.post('/quota/consume/batch', { items: [use] });
    expect(bulk.body.results).toMatchObject([{ allowed: false, code: 'customer_erased' }]);
  });

  it('the same person is a new customer, without a second trial by any of his identities', async () => {
    const name = newPerson();
    const id = await customerIdOf(app, name);
    const trial = (external_id: string, provider = 'default') =>
      app.post('/grants', { provider, external_id, grant_type: 'trial', sku: 'TRY' });
    expect((await trial(name)).status).toBe(201);
    // An identity that he was given after the trial.
    const email = `${newPerson()}@example.org`;
    await app.post(`/customers/${id}/identities`, { provider: 'email', external_id: email });
    await erased(id);
    const again = await app.post('/identify', { external_id: name });
    expect(again.body).toMatchObject({ created_customer: true });
    expect(again.body.customer_id).not.toBe(id);
    expectProblem(await trial(name), 409, 'trial_already_used');
    expectProblem(await trial(email, 'email'), 409, 'trial_already_used');
  });

  it('a payment of an order of his is kept, and grants nothing', async () => {
    const [own] = await newMergePair(app);
    const { body: order } = await app.post('/orders', { external_id: own.name, items: [{ sku: 'PACK' }] });
    await erased(own.id);
    const before = await entriesOf(own.id);
    const paymentId = newPayment();
    const late = await app.post(`/orders/${order.id}/confirm`, {
      payment_id: paymentId,
      amount: '10.00',
      currency: 'USD',
    });
    expectProblem(late, 409, 'order_not_payable');
    expect((await app.get(`/payments?payment_id=${paymentId}`)).body.data).toMatchObject([
      { status: 'unmatched', amount: '10.00' },
    ]);
    const failed = newPayment();
    const told = await app.post(`/orders/${order.id}/confirm`, { payment_id: failed, status: 'failed' });
    expect(told.status, told.text).toBe(200);
    const repeated = await app.post(`/orders/${order.id}/confirm`, { payment_id: failed, status: 'failed' });
    expect([repeated.status, repeated.body.status]).toEqual([200, 'cancelled']);
    expect(await entriesOf(own.id)).toBe(before);
  });

  it('a payment that was told before is answered as the order is', async () => {
    const rich = await makeRichCustomer(app, newMark());
    const [first = ''] = rich.orderIds;
    const { payment_id } = (await app.get(`/orders/${first}`)).body;
    await erased(rich.id);
    const again = await app.post(`/orders/${first}/confirm`, { payment_id, payment_method: 'card' });
    expect([again.status, again.body.status, again.body.metadata]).toEqual([200, 'partially_refunded', {}]);
    const source = await app.get(`/orders/${rich.sourceOrderId}`);
    const sourceAgain = await app.post(`/orders/${rich.sourceOrderId}/confirm`, {
      ...{ payment_id: source.body.payment_id, payment_method: 'card' },
    });
    expect(sourceAgain.status, sourceAgain.text).toBe(200);
  });

  it('refunds and disputes of his orders are recorded as money only', async () => {
    const mark = newMark();
    const rich = await makeRichCustomer(app, mark);
    const [first = '', second = ''] = rich.orderIds;
    await erased(rich.id);
    const before = [await entriesOf(rich.id), await entriesOf(rich.sourceId)];
    const refund = { refund_id: newPayment(), reason: mark, unrecovered_policy: 'debt' };
    const whole = await app.post(`/orders/${first}/refund`, refund);
    expect(whole.status, whole.text).toBe(200);
    expect(whole.body).toMatchObject({
      status: 'refunded',
      refund: { amount: '9.00', recovered: {}, unrecovered: {} },
    });
    const again = await app.post(`/orders/${first}/refund`, refund);
    expect([again.status, again.body.status]).toEqual([200, 'refunded']);
    // One of before that failed after all gives nothing back.
    const failed = await app.post(`/orders/${first}/refund`, { refund_id: rich.refundId, status: 'failed' });
    expect([failed.status, failed.body.status]).toEqual([200, 'partially_refunded']);
    const dispute = { dispute_id: newPayment(), status: 'opened' };
    for (const id of [second, rich.sourceOrderId]) {
      for (const status of ['opened', 'opened', 'won', 'won']) {
        const told = await app.post(`/orders/${id}/dispute`, {
          ...dispute,
          dispute_id: `${dispute.dispute_id}${id}`,
          status,
        });
        expect(told.status, told.text).toBe(200);
      }
    }
    expect([await entriesOf(rich.id), await entriesOf(rich.sourceId)]).toEqual(before);
    expect(await walletOf(rich.id)).toMatchObject({ balances: { CREDITS: 0 }, access: {} });
    expect(await findInTables(app, mark)).toEqual([]);
  });

  it('what a provider told of his orders keeps no body, whenever it came', async () => {
    const [own] = await newMergePair(app);
    const { body: order } = await app.post('/orders', { external_id: own.name, items: [{ sku: 'PACK' }] });
    const intent = newPayment();
    await deliver(stripePayment(`evt_a${intent}`, intent, order.id, { amount: 1_000 }));
    const bodies = () =>
      countOf('SELECT count(*) AS n FROM payment_inbox WHERE order_id = $1::uuid AND body IS NOT NULL', order.id);
    expect(await bodies()).toBe(1);
    await erased(own.id);
    expect(await bodies()).toBe(0);
    const failed = paymentIntent(newPayment(), order.id);
    await deliver(signedByStripe(stripeEvent(`evt_b${intent}`, 'payment_intent.payment_failed', failed)));
    await deliver(stripePayment(`evt_c${intent}`, newPayment(), order.id));
    expect(await countOf('SELECT count(*) AS n FROM payment_inbox WHERE order_id = $1::uuid', order.id)).toBe(3);
    expect(await bodies()).toBe(0);
  });

  it('rewards that wait are cancelled, and none of what others earn for him comes', async () => {
    const program = { trigger: 'on_first_paid_order', referrer: { sku: 'GIFT' }, hold_days: 3 };
    await app.put('/referral-programs/friends', program);
    const refer = async () => {
      const [referrer, referee] = await newMergePair(app);
      await app.post('/referrals', { referrer_id: referrer.id, referee_id: referee.id });
      return { referrer, referee };
    };
    const pay = async (external_id: string) => {
      const { body } = await app.post('/orders', { external_id, items: [{ sku: 'PACK' }] });
      await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
    };
    const rewardsOf = async ({ id }: { id: string }) =>
      (await app.get(`/referrals/rewards?customer_id=${id}`)).body.data;
    const armed = await refer();
    await pay(armed.referee.name);
    expect(await rewardsOf(armed.referrer)).toMatchObject([{ status: 'armed' }]);
    expect((await erased(armed.referrer.id)).closed).toMatchObject({ rewards: 1 });
    expect(await rewardsOf(armed.referrer)).toMatchObject([{ status: 'cancelled', cancel_reason: 'customer_erased' }]);
    const later = await refer();
    await erased(later.referrer.id);
    await pay(later.referee.name);
    app.clock.advance({ days: 4 });
    await settleRewards(app.deps);
    expect(await rewardsOf(later.referrer)).toMatchObject([{ status: 'cancelled', cancel_reason: 'customer_erased' }]);
    await app.delete('/referral-programs/friends');
  });

  it('who shares his limits goes on, and he shares nobody’s', async () => {
    const [own, other] = await newMergePair(app);
    const source = (customer_id: string, source_customer_id: string) =>
      app.put('/limits/source', { customer_id, source_customer_id });
    await app.put('/limits', { customer_id: other.id, product_key: 'CREDITS', windows: { day: 5 } });
    const shared = await source(own.id, other.id);
    expect(shared.status, shared.text).toBeLessThan(300);
    await erased(own.id);
    expect(await countOf('SELECT count(*) AS n FROM limit_sources WHERE customer_id = $1::uuid', own.id)).toBe(0);
  });
});

describe('the exception to what is append-only', () => {
  const REFUSED = /append-only|snapshot|as it was|has ended|is refused|not being erased/;
  const attempt = (sql: string, ...parameters: unknown[]) =>
    ask(app.url, sql, parameters).then(
      () => 'done',
      (error: unknown) => String(error),
    );

  it('is for nobody who is not being erased', async () => {
    const rich = await makeRichCustomer(app, newMark());
    for (const sql of [
      'UPDATE entries SET metadata = NULL WHERE customer_id = $1::uuid',
      `UPDATE order_items SET price_reason = '' WHERE customer_id = $1::uuid AND price_reason IS NOT NULL`,
      `UPDATE idempotency_records SET answer = '' WHERE customer_id = $1::uuid`,
      `UPDATE audit_records SET after = blanked_value('audit_records.after', after) WHERE customer_id = $1::uuid`,
      `UPDATE archived_records SET data = blanked_value('archived_records.data', data) WHERE customer_id = $1::uuid`,
      `UPDATE reservations SET metadata = '{}' WHERE customer_id = $1::uuid AND status = 'committed'`,
      `SELECT blank_erased($1::uuid, 'entries', NULL, 10)`,
      `INSERT INTO customer_erasures VALUES ($1::uuid, $1::uuid, $1::uuid, '{}', '{}', now(), NULL)`,
    ])
      expect(await attempt(sql, rich.id), sql).toMatch(REFUSED);
  });

  it('ends with the erasure, and is nothing but blanking while it lasts', async () => {
    const rich = await makeRichCustomer(app, newMark());
    await cutOff(rich.id);
    const whose = 'WHERE customer_id = $1::uuid';
    for (const sql of [
      `UPDATE entries SET amount = amount + 1 ${whose}`,
      `UPDATE entries SET metadata = '{"a":1}' ${whose}`,
      `UPDATE entries SET metadata = NULL, balance_after = 0 ${whose} AND metadata IS NOT NULL`,
      `UPDATE entries SET action_id = 'x' ${whose}`,
      `DELETE FROM entries ${whose}`,
      `UPDATE order_items SET price = 0 ${whose}`,
      `UPDATE order_items SET price_reason = 'other' ${whose} AND price_reason IS NOT NULL`,
      `UPDATE idempotency_records SET answer = '{}' ${whose}`,
      `UPDATE idempotency_records SET status = 201, answer = '' ${whose}`,
      `DELETE FROM idempotency_records ${whose} AND kind = 'natural'`,
      `UPDATE audit_records SET acting_key = 'x' ${whose}`,
      `UPDATE audit_records SET after = '{}' ${whose} AND after IS NOT NULL`,
      `DELETE FROM audit_records ${whose}`,
      `UPDATE archived_records SET data = '{}' ${whose}`,
      `UPDATE reservations SET committed_amount = 0 ${whose} AND status = 'committed'`,
      `UPDATE customer_erasures SET closed = '{}' ${whose}`,
      `UPDATE customer_erasures SET erased_at = now() ${whose}`,
      `DELETE FROM customer_erasures ${whose}`,
      'TRUNCATE customer_erasures',
    ])
      expect(await attempt(sql, ...(sql.includes('$1') ? [rich.id] : [])), sql).toMatch(
        /refused|has ended|is kept|are kept/,
      );
    await erased(rich.id);
    for (const sql of [
      `SELECT blank_erased($1::uuid, 'entries', NULL, 10)`,
      `UPDATE entries SET action_id = NULL ${whose}`,
      `UPDATE customer_erasures SET blanked_at = NULL ${whose}`,
      `UPDATE customer_erasures SET blanked = '{}' ${whose}`,
    ])
      expect(await attempt(sql, rich.id), sql).toMatch(REFUSED);
    const [{ blanked } = {}] = await ask(app.url, `SELECT blanked FROM customer_erasures ${whose}`, [rich.id]);
    expect(blanked).toMatchObject({
      entries: expect.any(Number),
      audit_records: expect.any(Number),
      events: expect.any(Number),
    });
  });
});
