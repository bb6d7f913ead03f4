// The books as they are written: the only statements that write operations, batches, balances and entries. Set-based: one statement, whatever
// the number of customers and rows.

import type { ChangedCustomer, Changes } from '../ledger/changes.js';
import type { Batch, NewBatch } from '../ledger/entities.js';
import type { Tx } from './client.js';

/**
 * $1 operations, $2 new batches, $3 changed batches, $4 balances, $5 entries, $6 the customers: JSON arrays whose members are named like the
 * columns. $7 and $8 are how many batches and customers change. One statement, so that the foreign keys among the rows are checked together at
 * its end.
 */
const WRITE_BOOKS = `
WITH operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer,
                          recorded_at, first_seq, last_seq)
  SELECT customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer,
         recorded_at, first_seq, last_seq
  FROM json_populate_recordset(NULL::operations, $1::json)
), new_batch AS (
  INSERT INTO batches (customer_id, id, product_key, source, sku, order_id, order_item_id, operation_id, granted, available, held, consumed,
                       expired, revoked, transferred, priority, valid_from, expires_at, metadata, created_at)
  SELECT customer_id, id, product_key, source, sku, order_id, order_item_id, operation_id, granted, available, held, consumed,
         expired, revoked, transferred, priority, valid_from, expires_at, metadata, created_at
  FROM json_populate_recordset(NULL::batches, $2::json)
), changed_batch AS (
  UPDATE batches b
  SET available = c.available, held = c.held, consumed = c.consumed, expired = c.expired, revoked = c.revoked, transferred = c.transferred
  FROM json_to_recordset($3::json) AS c (customer_id uuid, id uuid, available bigint, held bigint, consumed bigint, expired bigint,
                                         revoked bigint, transferred bigint)
  WHERE b.customer_id = c.customer_id AND b.id = c.id
  RETURNING 1
), balance AS (
  INSERT INTO balances AS old (customer_id, product_key, available, held, owed)
  SELECT customer_id, product_key, available, held, owed FROM json_populate_recordset(NULL::balances, $4::json)
  ON CONFLICT (customer_id, product_key)
  DO UPDATE SET available = excluded.available, held = excluded.held, owed = excluded.owed
), entry AS (
  INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, feature,
                       unit_cost, action_type, action_id, order_id, reservation_id, reverses_seq, metadata, recorded_at, occurred_at)
  SELECT customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, feature,
         unit_cost, action_type, action_id, order_id, reservation_id, reverses_seq, metadata, recorded_at, occurred_at
  FROM json_populate_recordset(NULL::entries, $5::json)
), customer AS (
  UPDATE customers c SET next_seq = n.next_seq, last_recorded_at = n.last_recorded_at
  FROM json_to_recordset($6::json) AS n (id uuid, next_seq bigint, last_recorded_at timestamptz)
  WHERE c.id = n.id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM changed_batch) = $7::bigint AND (SELECT count(*) FROM customer) = $8::bigint)`;

/** Null in a JSON record becomes SQL null; an empty metadata object stays one. */
function newBatchJson(customerId: string, batch: NewBatch) {
  return {
    customer_id: customerId,
    id: batch.id,
    product_key: batch.productKey,
    source: batch.source,
    sku: batch.sku,
    order_id: batch.orderId,
    order_item_id: batch.orderItemId,
    operation_id: batch.operationId,
    granted: batch.granted,
    ...partsJson(batch),
    priority: batch.priority,
    valid_from: batch.validFrom,
    expires_at: batch.expiresAt,
    metadata: batch.metadata,
    created_at: batch.createdAt,
  };
}

function partsJson(batch: Batch) {
  const { available, held, consumed, expired, revoked, transferred } = batch;
  return { available, held, consumed, expired, revoked, transferred };
}

function changedBatchesJson({ customerId, changes }: ChangedCustomer) {
  const made = new Set(changes.newBatches.map((batch) => batch.id));
  return [...changes.changedBatches.values()]
    .filter((batch) => !made.has(batch.id))
    .map((batch) => ({ customer_id: customerId, id: batch.id, ...partsJson(batch) }));
}

function balancesJson({ customerId, changes }: ChangedCustomer) {
  return [...changes.changedHoldings].map(({ productKey, available, held, owed }) => ({
    customer_id: customerId,
    product_key: productKey,
    available,
    held,
    owed,
  }));
}

function entriesJson({ customerId, now, changes }: ChangedCustomer) {
  return changes.entries.map((entry) => ({
    customer_id: customerId,
    seq: entry.seq,
    id: entry.id,
    operation_id: entry.operationId,
    kind: entry.kind,
    direction: entry.direction,
    product_key: entry.productKey,
    batch_id: entry.batchId,
    amount: entry.amount,
    balance_after: entry.balanceAfter,
    feature: entry.feature,
    unit_cost: entry.unitCost,
    action_type: entry.actionType,
    action_id: entry.actionId,
    order_id: entry.orderId,
    reservation_id: entry.reservationId,
    reverses_seq: entry.reversesSeq,
    metadata: entry.metadata,
    recorded_at: now,
    occurred_at: entry.occurredAt,
  }));
}

function operationsJson({ customerId, now, changes }: ChangedCustomer) {
  return changes.operations.map((operation) => ({
    customer_id: customerId,
    id: operation.id,
    name: operation.name,
    acting_key: operation.actingKey,
    idempotency_key: operation.idempotencyKey,
    request_hash: operation.requestHash,
    request_hash_version: operation.requestHashVersion,
    status: operation.status,
    answer: operation.answer,
    recorded_at: now,
    first_seq: operation.firstSeq,
    last_seq: operation.lastSeq,
  }));
}

/**
 * Writes operations, batches, balances and entries, and where the ledgers of their customers stand. A customer without entries and operations is not
 * touched. Throws when a row that was to be changed is not there.
 */
export function writeBooks(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const changed = customers.filter(({ changes }) => changes.entries.length > 0 || changes.operations.length > 0);
  if (changed.length === 0) return undefined;
  const batches = changed.flatMap(changedBatchesJson);
  return tx.query(WRITE_BOOKS, [
    JSON.stringify(changed.flatMap(operationsJson)),
    JSON.stringify(
      changed.flatMap(({ customerId, changes }) => changes.newBatches.map((batch) => newBatchJson(customerId, batch))),
    ),
    JSON.stringify(batches),
    JSON.stringify(changed.flatMap(balancesJson)),
    JSON.stringify(changed.flatMap(entriesJson)),
    JSON.stringify(
      changed.map(({ customerId, nextSeq, now }) => ({ id: customerId, next_seq: nextSeq, last_recorded_at: now })),
    ),
    batches.length,
    changed.length,
  ]);
}
