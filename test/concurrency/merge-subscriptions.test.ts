// Merges of customers with subscriptions beside what else changes those: turns, payments, renewals, cancellations, changes and refunds. Everybody is answered, each period
// is allocated once, and the invariants hold, whoever was first.
import { beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import { deadlocksOf, send, sendTogether, tally, useSecondApp } from '../support/parallel.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPayment } from '../support/requests.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);
const plans = plansOf(app);
const ROUNDS = 4;

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  await plans.put('FREE', '0', [monthly('UNITS', 100)]);
  await plans.put('FREE_BIG', '0', [monthly('UNITS', 150)]);
  await plans.put('PRO', '10', [monthly('UNITS', 1_000)], { grace_days: 3 });
  await plans.put('TEAM', '50', [monthly('UNITS', 5_000)]);
});

async function newPair(sku: string): Promise<{ target: Merging; source: Merging; id: string; orderId: string }> {
  const [target, source] = await newMergePair(app);
  const { id, order } = await plans.begin(source.name, sku);
  if (order) await plans.confirm(order.id);
  return { target, source, id, orderId: order?.id };
}
const balance = ({ name }: Merging) => plans.balance(name);
const periodsOf = async (id: unknown): Promise<Json[]> => (await plans.show(id)).periods;

describe('a merge of who has a subscription beside', () => {
  it('12 who look when its period has just ended: it turns once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { target, source, id } = await newPair('FREE');
      app.clock.set('2026-02-28T12:00:00.000Z');
      const merging = send(mergePair(app, target, source));
      const looks = sendTogether(12, (index) =>
        clientOf(index).get(index % 3 ? `/wallet?customer_id=${source.id}` : `/subscriptions/${id}`),
      );
      await sweep(app.deps);
      expect(tally(await looks)).toEqual({ '200': 12 });
      expect((await merging).status).toBe(200);
      expect(await periodsOf(id)).toHaveLength(2);
      expect(await balance(target)).toBe(100);
    }
  });

  it('12 confirmations of the order that renews it: one period is paid', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { target, source, id } = await newPair('PRO');
      app.clock.set('2026-02-25T12:00:00.000Z');
      const { order_id: waiting } = await plans.show(id);
      const payment_id = newPayment();
      const merging = send(mergePair(second, target, source));
      const paying = sendTogether(12, (index) => clientOf(index).post(`/orders/${waiting}/confirm`, { payment_id }));
      expect(tally(await paying)).toEqual({ '200': 12 });
      expect((await merging).status).toBe(200);
      expect(await periodsOf(id)).toHaveLength(2);
      app.clock.set('2026-02-28T12:00:00.000Z');
      expect(await balance(target)).toBe(1_000);
    }
  });

  it('12 cancellations, and what renews it: it ends once, and its order with it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { target, source, id } = await newPair('PRO');
      app.clock.set('2026-02-25T12:00:00.000Z');
      const { order_id: waiting } = await plans.show(id);
      const merging = send(mergePair(app, target, source));
      const cancelling = sendTogether(12, (index) =>
        clientOf(index).post(`/subscriptions/${id}/cancel`, { when: 'now' }),
      );
      expect(tally(await cancelling)).toEqual({ '200': 12 });
      expect((await merging).status).toBe(200);
      expect(await plans.show(id)).toMatchObject({ status: 'cancelled' });
      expect((await app.get(`/orders/${waiting}`)).body.status).toBe('cancelled');
    }
  });

  it('renewals, changes, payments and refunds of both sides', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { target, source, id, orderId } = await newPair('PRO');
      const other = (await app.post('/orders', { external_id: source.name, items: [{ sku: 'TEAM' }] })).body.id;
      const next = (await app.post('/orders', { external_id: target.name, items: [{ sku: 'PRO' }] })).body.id;
      const answers = await Promise.all([
        send(mergePair(app, target, source)),
        send(second.post(`/subscriptions/${id}/renew`, {})),
        send(app.post(`/subscriptions/${id}/change`, { sku: 'TEAM', when: 'now' })),
        send(second.post(`/orders/${other}/confirm`, { payment_id: newPayment() })),
        send(app.post(`/orders/${next}/confirm`, { payment_id: newPayment() })),
        send(second.post(`/orders/${orderId}/refund`, {})),
        send(app.get(`/subscriptions/${id}`)),
        send(second.post(`/subscriptions/${id}/change`, { sku: 'FREE' })),
      ]);
      for (const { status, text } of answers) expect(status, text).toBeLessThan(500);
      expect(answers[0]?.status).toBe(200);
      const { body } = await app.get(`/subscriptions?customer_id=${target.id}`);
      expect(body.data.filter(({ ended_at }: Json) => ended_at === null).length).toBeLessThanOrEqual(1);
    }
    expect(await deadlocksOf(app.url)).toBe(0);
  });

  it('subscribing on both sides: one of a group stays, and nothing is given twice', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const [target, source] = await newMergePair(app);
      const merging = send(mergePair(app, target, source));
      const answers = await sendTogether(12, (index) =>
        clientOf(index).post('/subscriptions', { customer_id: index % 2 ? source.id : target.id, sku: 'FREE' }),
      );
      expect(answers.every(({ status }) => status === 200 || status === 201)).toBe(true);
      expect((await merging).status).toBe(200);
      const { body } = await app.get(`/subscriptions?customer_id=${source.id}&status=active`);
      expect(body.data).toHaveLength(1);
      // Each had its own before, or one was of both.
      expect([100, 200]).toContain(await balance(target));
    }
  });

  it('another merge: of A into B while B into C, it gets to C, or was of B alone', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const { target: b, source: a, id } = await newPair('PRO');
      const [c] = await newMergePair(app);
      const [first, other] = await Promise.all([send(mergePair(app, b, a)), send(mergePair(second, c, b))]);
      expect(other.status, other.text).toBe(200);
      const { customer_id, status } = await plans.show(id);
      expect([customer_id, status]).toEqual([first.status === 200 ? c.id : a.id, 'active']);
      app.clock.set('2026-02-28T12:00:00.000Z');
      expect(await plans.show(id)).toMatchObject({ status: 'past_due' });
    }
  });

  it('itself 10 times is one, with the same bytes', async () => {
    app.clock.set('2026-01-31T12:00:00.000Z');
    const { target, source, id } = await newPair('FREE');
    await plans.begin(target.name, 'FREE_BIG');
    const answers = await sendTogether(10, (index) => mergePair(clientOf(index), target, source));
    expect(tally(answers)).toEqual({ '200': 10 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await plans.show(id)).toMatchObject({ status: 'cancelled' });
    expect(await balance(target)).toBe(250);
  });
});
