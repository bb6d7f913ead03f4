// What the database itself refuses, whoever asks: changes of the ledger, wrong steps of orders and payments, batches that don't add up.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grantUnits, putOffer, putProduct, useTestApp } from '../support/app.js';
import { ask, customerIdOf, placeOrder } from '../support/parallel.js';
import { leaveUntold } from '../support/untold.js';

const RESTRICT_VIOLATION = '23001';
const CHECK_VIOLATION = '23514';
const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

const app = useTestApp();

beforeAll(async () => {
  await leaveUntold(app.url);
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

/** How the database refuses a statement; undefined when it does not. */
async function refusalOf(
  sql: string,
  ...parameters: unknown[]
): Promise<{ code: string; constraint?: string } | undefined> {
  try {
    await ask(app.url, sql, parameters);
    return undefined;
  } catch (error) {
    const { code, constraint } = error as { code: string; constraint?: string };
    return { code, ...(constraint !== undefined && { constraint }) };
  }
}

describe('what is append-only or kept', () => {
  beforeAll(async () => {
    const orderId = await placeOrder(app, 'kept', 'PACK');
    await app.post(`/orders/${orderId}/confirm`, { payment_id: 'kept' });
    expect((await app.get('/wallet?external_id=kept')).body.balances).toEqual({ CREDITS: 10 });
  });

  it.each([
    'UPDATE entries SET amount = amount + 1',
    "UPDATE entries SET metadata = '{}'",
    'UPDATE entries SET amount = amount',
    'DELETE FROM entries',
    'TRUNCATE entries',
    'DELETE FROM batches',
    'DELETE FROM operations',
    'DELETE FROM referrals',
    'TRUNCATE batches CASCADE',
    'DELETE FROM payments',
    'TRUNCATE payments',
    'DELETE FROM orders',
    'TRUNCATE orders CASCADE',
    'UPDATE order_items SET price = 0',
    'DELETE FROM order_items',
    'TRUNCATE order_items CASCADE',
    'DELETE FROM products',
    'TRUNCATE products CASCADE',
    'DELETE FROM offers',
    'TRUNCATE offers CASCADE',
    'TRUNCATE customers CASCADE',
    'TRUNCATE operations CASCADE',
  ])('refuses %s', async (sql) => {
    expect(await refusalOf(sql)).toEqual({ code: RESTRICT_VIOLATION });
  });

  it('refuses to delete a customer that something refers to', async () => {
    expect((await refusalOf('DELETE FROM customers'))?.code).toBe(FOREIGN_KEY_VIOLATION);
  });
});

describe('the state machine of orders', () => {
  let orderId: string;

  beforeEach(async () => {
    orderId = await placeOrder(app, 'ada', 'PACK');
  });

  const setStatus = (status: string) =>
    refusalOf(
      `UPDATE orders SET status = $2,
              paid_at = CASE WHEN $2 IN ('paid', 'partially_refunded', 'refunded') THEN coalesce(paid_at, created_at) END,
              paid_by = CASE WHEN $2 IN ('paid', 'partially_refunded', 'refunded') THEN coalesce(paid_by, gen_random_uuid()) END
       WHERE id = $1`,
      orderId,
      status,
    );

  it.each(['partially_refunded', 'refunded'])('refuses pending -> %s', async (status) => {
    expect(await setStatus(status)).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_state_machine_i8' });
  });

  it.each([
    ['expired', 'pending'],
    ['expired', 'paid'],
    ['expired', 'cancelled'],
    ['cancelled', 'pending'],
    ['cancelled', 'paid'],
    ['cancelled', 'expired'],
  ])('refuses %s -> %s', async (from, to) => {
    expect(await setStatus(from)).toBeUndefined();
    expect(await setStatus(to)).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_state_machine_i8' });
  });

  it.each(['pending', 'cancelled', 'expired'])('refuses paid -> %s', async (status) => {
    await app.post(`/orders/${orderId}/confirm`, { payment_id: `back-${status}` });
    expect(await setStatus(status)).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_state_machine_i8' });
  });

  it('refuses a status that nobody knows', async () => {
    await ask(app.url, 'ALTER TABLE orders DISABLE TRIGGER orders_guard');
    const refusal = await setStatus('gone');
    await ask(app.url, 'ALTER TABLE orders ENABLE TRIGGER orders_guard');
    expect(refusal).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_status_ck' });
  });

  it.each([
    'total_amount = total_amount + 1',
    "currency = 'EUR'",
    "created_at = created_at - interval '1 day'",
    'id = gen_random_uuid()',
  ])('refuses to change what was agreed: %s', async (change) => {
    const sql = `UPDATE orders SET ${change} WHERE id = $1`;
    expect(await refusalOf(sql, orderId)).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_terms_i8' });
  });

  it('refuses a paid order that does not say when, by which operation and by which payment', async () => {
    expect(await refusalOf(`UPDATE orders SET status = 'paid' WHERE id = $1`, orderId)).toEqual({
      code: CHECK_VIOLATION,
      constraint: 'orders_paid_ck',
    });
    expect(await setStatus('paid')).toEqual({ code: CHECK_VIOLATION, constraint: 'orders_payment_ck' });
  });
});

describe('the state machine of payments', () => {
  /** A payment in a state that its confirmation led to. */
  async function paymentIn(status: 'paid' | 'failed' | 'unmatched', paymentId: string): Promise<void> {
    const orderId = await placeOrder(app, 'payer', 'PACK');
    const more = { paid: {}, failed: { status: 'failed' }, unmatched: { amount: '0.50' } }[status];
    await app.post(`/orders/${orderId}/confirm`, { payment_id: paymentId, ...more });
    expect(await ask(app.url, 'SELECT status FROM payments WHERE payment_id = $1', [paymentId])).toEqual([{ status }]);
  }

  it.each([
    ['paid', 'failed'],
    ['paid', 'unmatched'],
    ['paid', 'paid'],
    ['unmatched', 'failed'],
  ] as const)('refuses %s -> %s', async (from, to) => {
    const paymentId = `${from}-${to}`;
    await paymentIn(from, paymentId);
    expect(await refusalOf('UPDATE payments SET status = $2 WHERE payment_id = $1', paymentId, to)).toEqual({
      code: CHECK_VIOLATION,
      constraint: 'payments_state_machine_i4',
    });
  });

  it('refuses to give a payment another name', async () => {
    await paymentIn('unmatched', 'named');
    expect(await refusalOf(`UPDATE payments SET payment_id = 'renamed' WHERE payment_id = 'named'`)).toEqual({
      code: CHECK_VIOLATION,
      constraint: 'payments_state_machine_i4',
    });
  });

  it('refuses a second row for one payment', async () => {
    await paymentIn('paid', 'twice');
    const sql = `INSERT INTO payments SELECT payment_method, payment_id, gen_random_uuid(), gen_random_uuid(), 'unmatched', amount, currency,
                        NULL, created_at, updated_at FROM payments WHERE payment_id = 'twice'`;
    expect(await refusalOf(sql)).toEqual({ code: UNIQUE_VIOLATION, constraint: 'payments_pk' });
  });
});

describe('batches, balances and entries', () => {
  let batchId: string;

  beforeAll(async () => {
    batchId = await grantUnits(app, 'numbers', 'CREDITS', 10);
  });

  it.each([
    ['available = available - 1', 'batches_closed_i1'],
    ['consumed = consumed + 1', 'batches_closed_i1'],
    ['granted = granted + 1', 'batches_closed_i1'],
    ['available = -1, consumed = 11', 'batches_parts_i1'],
    ['available = 11, revoked = -1', 'batches_parts_i1'],
    ['granted = 0, available = 0', 'batches_granted_ck'],
    ['granted = NULL', 'batches_uncounted_ck'],
    ['expires_at = valid_from', 'batches_validity_ck'],
    [`source = 'magic'`, 'batches_source_ck'],
  ])('refuse a batch with %s', async (change, constraint) => {
    expect(await refusalOf(`UPDATE batches SET ${change} WHERE id = $1`, batchId)).toEqual({
      code: CHECK_VIOLATION,
      constraint,
    });
  });

  it.each([
    ['available = -1', 'balances_parts_ck'],
    ['held = -1', 'balances_parts_ck'],
    ['available = 9007199254740992', 'balances_parts_ck'],
    ['owed = 1', 'balances_owed_i3'],
  ])('refuse a balance with %s', async (change, constraint) => {
    expect(await refusalOf(`UPDATE balances SET ${change}`)).toEqual({ code: CHECK_VIOLATION, constraint });
  });

  it.each([
    [{ seq: 'seq' }, UNIQUE_VIOLATION, 'entries_pk'],
    [{ amount: '0' }, CHECK_VIOLATION, 'entries_amount_ck'],
    [{ seq: '0' }, CHECK_VIOLATION, 'entries_seq_i3'],
    [{ kind: `'gift'` }, CHECK_VIOLATION, 'entries_kind_ck'],
    [{ direction: `'up'` }, CHECK_VIOLATION, 'entries_direction_ck'],
    [{ operation_id: 'NULL' }, CHECK_VIOLATION, 'entries_operation_ck'],
  ] as [Record<string, string>, string, string][])('refuse an entry with %o', async (change, code, constraint) => {
    const columns =
      'customer_id seq id operation_id kind direction product_key batch_id amount balance_after recorded_at occurred_at'.split(
        ' ',
      );
    const values = { seq: 'seq + 1000', ...change } as Record<string, string>;
    const sql = `INSERT INTO entries (${columns.join(', ')})
                 SELECT ${columns.map((column) => values[column] ?? column).join(', ')} FROM entries WHERE batch_id = $1`;
    expect(await refusalOf(sql, batchId)).toEqual({ code, constraint });
  });

  it('refuse a second answer under one key, and to change one, or to forget what is kept for ever', async () => {
    const customerId = await customerIdOf(app, 'numbers');
    const body = { external_id: 'numbers', product_key: 'CREDITS', amount: 1 };
    await app.post('/quota/consume', body, { 'idempotency-key': 'k' });
    const migration = { grant_type: 'migration', product_key: 'CREDITS', quantity: 1, source_id: 'elsewhere' };
    await app.post('/grants', { external_id: 'numbers', ...migration });
    const again =
      'INSERT INTO idempotency_records SELECT * FROM idempotency_records WHERE customer_id = $1 AND kind = $2';
    expect(await refusalOf(again, customerId, 'client')).toEqual({
      code: UNIQUE_VIOLATION,
      constraint: 'idempotency_records_pk',
    });
    const change = `UPDATE idempotency_records SET answer = '{}' WHERE customer_id = $1`;
    expect(await refusalOf(change, customerId)).toMatchObject({ code: RESTRICT_VIOLATION });
    const forget = 'DELETE FROM idempotency_records WHERE customer_id = $1';
    expect(await refusalOf(forget, customerId)).toEqual({
      code: CHECK_VIOLATION,
      constraint: 'idempotency_records_natural_i4',
    });
  });
});

describe('claims', () => {
  it('refuse a second customer for one identity', async () => {
    await customerIdOf(app, 'only-one');
    const sql = `INSERT INTO identities SELECT provider, external_id, gen_random_uuid(), gen_random_uuid(), profile, created_at, updated_at
                 FROM identities WHERE external_id = 'only-one'`;
    expect(await refusalOf(sql)).toEqual({ code: UNIQUE_VIOLATION, constraint: 'identities_pk' });
  });

  it('refuse a product named like an offer, and an offer named like a product', async () => {
    const product = `INSERT INTO products (product_key, name, type, created_at, updated_at) VALUES ('PACK', '', 'quantity', now(), now())`;
    const offer = `INSERT INTO offers (sku, name, price, currency, created_at, updated_at) VALUES ('CREDITS', '', 1, 'USD', now(), now())`;
    expect(await refusalOf(product)).toEqual({ code: FOREIGN_KEY_VIOLATION, constraint: 'products_name_fk' });
    expect(await refusalOf(offer)).toEqual({ code: FOREIGN_KEY_VIOLATION, constraint: 'offers_name_fk' });
    for (const [name, kind] of [
      ['PACK', 'product'],
      ['CREDITS', 'offer'],
    ]) {
      const sql = 'INSERT INTO catalog_names (name, kind) VALUES ($1, $2)';
      expect(await refusalOf(sql, name, kind)).toEqual({ code: UNIQUE_VIOLATION, constraint: 'catalog_names_pk' });
    }
  });
});
