// A customer of whom everything is kept that can be: a family of two, with something of each kind in either ledger.
import { expect } from 'vitest';
import { insertArchivedRecords } from '../../src/db/archive.js';
import type { Json, TestApp } from './app.js';
import { putOffer, putProduct } from './app.js';
import { mergePair } from './merging.js';
import { customerIdOf } from './parallel.js';
import { MONTH, monthly } from './plans.js';
import { newPayment, newPerson } from './requests.js';

const YEAR = { product_key: 'ACCESS', quantity: 1, period_unit: 'years', period_value: 1 };

/** What such customers buy and use. */
export async function makeRichCatalogue(app: TestApp): Promise<void> {
  await putProduct(app, 'CREDITS', { is_currency: true, features: ['chat'] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'YEAR', 'ACCESS', 1, { price: '9.00', items: [YEAR] });
  await putOffer(app, 'TRY', 'CREDITS', 5, { trial_policy: { scope: 'any' } });
  await putOffer(app, 'GIFT', 'CREDITS', 10, { price: '0.00' });
  await putOffer(app, 'PLAN', 'CREDITS', 3, {
    price: '0.00',
    recurrence: MONTH,
    plan: {},
    items: [monthly('CREDITS', 3)],
  });
}

export interface RichCustomer {
  id: string;
  name: string;
  /** Who was merged into him. */
  sourceId: string;
  sourceName: string;
  /** Paid, one of each; the first of the customer was refunded in part. */
  orderIds: string[];
  sourceOrderId: string;
  pendingIds: string[];
  reservationIds: string[];
  refundId: string;
  usageId: string;
}

/** Makes one; `mark` is in whatever text is his. */
export async function makeRichCustomer(app: TestApp, mark: string): Promise<RichCustomer> {
  const well = async (sent: PromiseLike<{ status: number; text: string; body: Json }>): Promise<Json> => {
    const { status, text, body } = await sent;
    expect(status, text).toBeLessThan(300);
    return body;
  };
  const metadata = { note: mark };
  const key = () => ({ 'idempotency-key': `${mark}-${newPayment()}` });
  const live = async (name: string) => {
    const { customer_id: id } = await well(
      app.post('/identify', { external_id: name, profile: { name: mark } }, key()),
    );
    const buy = async (sku: string) => {
      const { id: orderId } = await well(app.post('/orders', { external_id: name, items: [{ sku }], metadata }, key()));
      await well(app.post(`/orders/${orderId}/confirm`, { payment_id: newPayment(), payment_method: 'card' }, key()));
      return String(orderId);
    };
    const orderIds = [await buy('PACK'), await buy('YEAR')];
    const use = { external_id: name, product_key: 'CREDITS', action_type: 'message', action_id: mark, metadata };
    const used = await well(app.post('/quota/consume', { ...use, amount: 4 }, key()));
    await well(app.post('/quota/release', { external_id: name, operation_id: used.operation_id, amount: 1 }, key()));
    const held = await well(app.post('/reservations', { ...use, amount: 7, ttl_seconds: 6 * 86_400 }, key()));
    const ended = await well(app.post('/reservations', { ...use, amount: 2 }, key()));
    await well(app.post(`/reservations/${ended.id}/commit`, { amount: 1 }, key()));
    // A bulk call is of nobody in particular, and so is its key.
    for (const mode of ['continue', 'atomic'])
      await well(
        app.post('/quota/consume/batch', { mode, items: [{ ...use, amount: 1 }] }, { 'idempotency-key': newPayment() }),
      );
    const pending = await well(
      app.post(
        '/orders',
        { external_id: name, items: [{ sku: 'PACK', price: '5.00', price_reason: mark }], metadata },
        key(),
      ),
    );
    const given = { external_id: name, grant_type: 'adjustment', product_key: 'CREDITS', quantity: 2, reason: mark };
    await well(app.post('/grants', { ...given, metadata }, key()));
    const { id: cancelled } = await well(app.post('/orders', { external_id: name, items: [{ sku: 'PACK' }] }));
    await well(app.post(`/orders/${cancelled}/cancel`, { reason: mark }));
    return {
      id: String(id),
      name,
      orderIds,
      heldId: String(held.id),
      pendingId: String(pending.id),
      usageId: String(used.operation_id),
    };
  };
  const own = await live(`${mark}-${newPerson()}`);
  const other = await live(`${mark}-${newPerson()}`);
  await well(app.patch(`/customers/${own.id}`, { metadata }));
  await well(
    app.post(`/customers/${own.id}/identities`, {
      provider: 'email',
      external_id: `${mark}@example.org`,
      profile: metadata,
    }),
  );
  await well(app.post(`/customers/${own.id}/identities`, { provider: 'old', external_id: mark }));
  expect((await app.delete(`/customers/${own.id}/identities/old/${mark}`)).status).toBe(204);
  await well(app.post('/grants', { external_id: own.name, grant_type: 'trial', sku: 'TRY', metadata }, key()));
  await well(app.post('/subscriptions', { external_id: own.name, sku: 'PLAN', metadata }, key()));
  const [first = ''] = own.orderIds;
  const refunded = await well(
    app.post(`/orders/${first}/refund`, { refund_id: newPayment(), amount: '1.00', reason: mark }, key()),
  );
  const [second = ''] = other.orderIds;
  await well(app.post(`/orders/${second}/dispute`, { dispute_id: newPayment(), status: 'opened', amount: '1.00' }));
  const limit = { product_key: 'CREDITS', windows: { month: 1_000 }, enforcement: 'SOFT' };
  await well(app.put('/limits', { customer_id: own.id, ...limit }));
  const friend = newPerson();
  await customerIdOf(app, friend);
  await well(
    app.post('/referrals', {
      provider: 'default',
      referrer_external_id: friend,
      referee_external_id: own.name,
      metadata,
    }),
  );
  const happened = { created_at: '2025-01-01T00:00:00.000Z' };
  await insertArchivedRecords(app.deps.db, [
    {
      customerId: own.id,
      kind: 'entry',
      sourceId: '17',
      happenedAt: new Date(happened.created_at),
      data: { ...happened, note: mark },
    },
  ]);
  const merged = await mergePair(app, own, other);
  expect(merged.status, merged.text).toBe(200);
  return {
    id: own.id,
    name: own.name,
    sourceId: other.id,
    sourceName: other.name,
    orderIds: own.orderIds,
    sourceOrderId: other.orderIds[0] ?? '',
    pendingIds: [own.pendingId, other.pendingId],
    reservationIds: [own.heldId, other.heldId],
    refundId: String((refunded.refund as Json).refund_id),
    usageId: own.usageId,
  };
}

let marks = 0;

/** A text that is found nowhere else. */
export function newMark(): string {
  marks += 1;
  return `mark${marks}of${newPerson().replaceAll(/[^a-z0-9]/g, '')}`;
}
