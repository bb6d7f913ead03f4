// Loads books and writes what was posted in them: the only statements that read batches for a decision, and the only ones that write
// operations, batches, balances and entries. Set-based: one statement each, whatever the number of rows.

import type { Batch, Book, Holding, NewBatch } from '../ledger/book.js';
import { assert } from '../lib/assert.js';
import type { Ids } from '../lib/ids.js';
import type { Row, Tx } from './client.js';
import type { NewOperation } from './operations.js';

/** A product that a decision looks at, and the units it may take of it. */
export interface ProductAsk {
  productKey: string;
  /** Whole product units; 0 when nothing is taken. */
  units: number;
}

/** Usable batches read at first; more are read only when they don't cover the need. */
const BATCHES_AT_FIRST = 32;
const BATCHES_GROWTH = 16;
const RUNNING_MAX = 32;
/** Batches that one tx settles at most; those beyond it are not spendable meanwhile. */
const SETTLE_BATCHES_MAX = 500;

interface BatchJson {
  id: string;
  product_key: string;
  granted: number | null;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  priority: number;
  valid_from: string;
  expires_at: string | null;
  created_at: string;
}

interface HoldingRow extends Row {
  product_key: string;
  available: number | null;
  held: number | null;
  owed: number | null;
  overdue: number | null;
  not_yet_valid: number | null;
  next_valid_from: Date | null;
  usable: BatchJson[] | null;
  running: BatchJson[] | null;
  access_until: Date | null;
  access_forever: boolean | null;
  due: BatchJson[] | null;
}

const BATCH_COLUMNS =
  'b.id, b.product_key, b.granted, b.available, b.held, b.consumed, b.expired, b.revoked, b.transferred, b.priority, b.valid_from, b.expires_at, b.created_at';

/**
 * $1 customer, $2 instant, $3 product keys, $4 usable batches per product at most. Besides the asked products the holdings of those with
 * due batches are read, because settling changes them.
 */
const LOAD_HOLDINGS = `
WITH due AS MATERIALIZED (
  SELECT ${BATCH_COLUMNS} FROM batches b
  WHERE b.customer_id = $1::uuid AND b.is_open AND b.available > 0 AND b.expires_at <= $2::timestamptz
  ORDER BY b.expires_at, b.id LIMIT ${SETTLE_BATCHES_MAX}
), wanted AS (
  SELECT unnest($3::text[]) AS product_key UNION SELECT product_key FROM due
)
SELECT w.product_key, bal.available, bal.held, bal.owed, late.overdue, later.not_yet_valid, later.next_valid_from,
       usable.list AS usable, running.list AS running, access.until AS access_until, access.forever AS access_forever,
       (SELECT json_agg(d ORDER BY d.expires_at, d.id) FROM due d WHERE d.product_key = w.product_key) AS due
FROM wanted w
LEFT JOIN balances bal ON bal.customer_id = $1::uuid AND bal.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT sum(b.available)::bigint AS overdue FROM batches b
  WHERE b.customer_id = $1::uuid AND b.product_key = w.product_key AND b.is_open AND b.available > 0 AND b.expires_at <= $2::timestamptz
) late
CROSS JOIN LATERAL (
  SELECT sum(b.available)::bigint AS not_yet_valid, min(b.valid_from) AS next_valid_from FROM batches b
  WHERE b.customer_id = $1::uuid AND b.product_key = w.product_key AND b.is_open AND b.available > 0 AND b.valid_from > $2::timestamptz
) later
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE b.customer_id = $1::uuid AND b.product_key = w.product_key AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL
      AND b.valid_from <= $2::timestamptz AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $4::int
  ) u
) usable
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE b.customer_id = $1::uuid AND b.product_key = w.product_key AND b.granted IS NULL AND b.revoked_at IS NULL
      AND b.valid_from <= $2::timestamptz AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT ${RUNNING_MAX}
  ) u
) running
CROSS JOIN LATERAL (
  SELECT max(b.expires_at) AS until, bool_or(b.expires_at IS NULL) AS forever FROM batches b
  WHERE b.customer_id = $1::uuid AND b.product_key = w.product_key AND b.granted IS NULL AND b.revoked_at IS NULL
    AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
) access`;

function toBatch(json: BatchJson): Batch {
  return {
    id: json.id,
    productKey: json.product_key,
    granted: json.granted,
    available: json.available,
    held: json.held,
    consumed: json.consumed,
    expired: json.expired,
    revoked: json.revoked,
    transferred: json.transferred,
    priority: json.priority,
    validFrom: new Date(json.valid_from),
    expiresAt: json.expires_at === null ? null : new Date(json.expires_at),
    createdAt: new Date(json.created_at),
  };
}

function toHolding(row: HoldingRow): Holding {
  return {
    productKey: row.product_key,
    available: row.available ?? 0,
    held: row.held ?? 0,
    owed: row.owed ?? 0,
    usable: (row.usable ?? []).map(toBatch),
    running: (row.running ?? []).map(toBatch),
    accessUntil: row.access_forever ? 'forever' : row.access_until,
    overdue: row.overdue ?? 0,
    notYetValid: row.not_yet_valid ?? 0,
    nextValidFrom: row.next_valid_from,
  };
}

function isCovered(holding: Holding, ask: ProductAsk, limit: number): boolean {
  if (holding.usable.length < limit) return true;
  const loaded = holding.usable.reduce((sum, batch) => sum + batch.available, 0);
  return loaded >= Math.min(ask.units, holding.available - holding.overdue - holding.notYetValid);
}

/**
 * Loads the book of one customer at an instant: the holdings of the asked products with their usable batches in burn order until the need
 * is covered, and what is due. For a write the customer must be locked by an earlier statement.
 */
export async function loadBook(
  tx: Tx,
  customer: { id: string; nextSeq: number },
  now: Date,
  asks: readonly ProductAsk[],
  ids: Ids,
): Promise<Book> {
  const productKeys = asks.map((ask) => ask.productKey);
  for (let limit = BATCHES_AT_FIRST; ; limit *= BATCHES_GROWTH) {
    const rows = await tx.query<HoldingRow>(LOAD_HOLDINGS, [customer.id, now.toISOString(), productKeys, limit]);
    const holdings = new Map(rows.map((row) => [row.product_key, toHolding(row)]));
    const isComplete = asks.every((ask) => {
      const holding = holdings.get(ask.productKey);
      return holding !== undefined && isCovered(holding, ask, limit);
    });
    if (!isComplete) continue;
    const due = rows.flatMap((row) => (row.due ?? []).map(toBatch));
    due.sort((a, b) => (a.expiresAt?.getTime() ?? 0) - (b.expiresAt?.getTime() ?? 0) || (a.id < b.id ? -1 : 1));
    return {
      customerId: customer.id,
      now,
      nextSeq: customer.nextSeq,
      holdings,
      due,
      changes: { newBatches: [], changedBatches: new Map(), changedHoldings: new Set(), entries: [] },
      ids,
    };
  }
}

/**
 * $1 operations, $2 new batches, $3 changed batches, $4 balances, $5 entries, $6 the customer: JSON arrays whose members are named like the
 * columns. One statement, so that the foreign keys among the rows are checked together at its end.
 */
const WRITE_BOOK = `
WITH operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at)
  SELECT customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at
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
                       action_type, action_id, order_id, metadata, recorded_at, occurred_at)
  SELECT customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, feature,
         action_type, action_id, order_id, metadata, recorded_at, occurred_at
  FROM json_populate_recordset(NULL::entries, $5::json)
), customer AS (
  UPDATE customers c SET next_seq = n.next_seq, last_recorded_at = n.last_recorded_at
  FROM json_to_recordset($6::json) AS n (id uuid, next_seq bigint, last_recorded_at timestamptz)
  WHERE c.id = n.id
  RETURNING 1
)
SELECT (SELECT count(*) FROM changed_batch) AS changed_batches, (SELECT count(*) FROM customer) AS customers`;

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

/**
 * Writes what was posted in the book, and the operation if there is one. A book without changes and operation writes nothing.
 * Precondition: the customer is locked by this tx.
 */
export async function writeBook(tx: Tx, book: Book, operation: NewOperation | null): Promise<void> {
  const { newBatches, changedBatches, changedHoldings, entries } = book.changes;
  if (operation === null && entries.length === 0) return;
  const customerId = book.customerId;
  const made = new Set(newBatches.map((batch) => batch.id));
  const changed = [...changedBatches.values()].filter((batch) => !made.has(batch.id));
  const [written] = await tx.query<{ changed_batches: number; customers: number }>(WRITE_BOOK, [
    JSON.stringify(operation === null ? [] : [operationJson(operation)]),
    JSON.stringify(newBatches.map((batch) => newBatchJson(customerId, batch))),
    JSON.stringify(changed.map((batch) => ({ customer_id: customerId, id: batch.id, ...partsJson(batch) }))),
    JSON.stringify(
      [...changedHoldings].map(({ productKey, available, held, owed }) => ({
        customer_id: customerId,
        product_key: productKey,
        available,
        held,
        owed,
      })),
    ),
    JSON.stringify(
      entries.map((entry) => ({
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
        action_type: entry.actionType,
        action_id: entry.actionId,
        order_id: entry.orderId,
        metadata: entry.metadata,
        recorded_at: book.now,
        occurred_at: entry.occurredAt,
      })),
    ),
    JSON.stringify([{ id: customerId, next_seq: book.nextSeq, last_recorded_at: book.now }]),
  ]);
  assert(written?.changed_batches === changed.length && written.customers === 1, 'every changed row was there');
}

function operationJson(operation: NewOperation) {
  return {
    customer_id: operation.customerId,
    id: operation.id,
    name: operation.name,
    acting_key: operation.actingKey,
    idempotency_key: operation.idempotencyKey,
    request_hash: operation.requestHash,
    request_hash_version: operation.requestHashVersion,
    status: operation.status,
    answer: operation.answer,
    recorded_at: operation.recordedAt,
  };
}
