// Loads what a book knows of a paid order that is refunded or disputed. Precondition: the customer is locked by an earlier statement.
import type { GrantedUnits } from '../ledger/consume.js';
import { required } from '../lib/assert.js';
import { BATCH } from './book-rows.js';
import type { Row, Tx } from './client.js';
import { type DebtRow, type RevokeRow, SOLD_BATCH, type SoldBatchRow, type SoldRows } from './sold-rows.js';
import { listOf } from './table.js';
import { batches, clawbacks } from './tables.js';

const BATCH_COLUMNS = listOf(batches, BATCH, 'b');
const SOLD_COLUMNS = listOf(batches, SOLD_BATCH, 'b');
const OF_ORDER = 'b.customer_id = $1::uuid AND b.order_id = $2::uuid';

/**
 * In the order in which they were made: what an order granted, and the access of its products that has not ended by $3, whoever granted it. What it granted
 * may all be in the ledger of another of the customers in $4, who was merged.
 */
const LOAD_BATCHES = `
SELECT ${BATCH_COLUMNS}, ${SOLD_COLUMNS} FROM batches b WHERE ${OF_ORDER}
UNION ALL
SELECT ${BATCH_COLUMNS}, ${SOLD_COLUMNS} FROM batches b
WHERE b.customer_id = $1::uuid AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $3::timestamptz)
  AND b.order_id IS DISTINCT FROM $2::uuid
  AND b.product_key IN (
    SELECT b.product_key FROM batches b WHERE b.customer_id = ANY ($4::uuid[]) AND b.order_id = $2::uuid AND b.granted IS NULL
  )
ORDER BY id`;

const LOAD_CLAWBACKS = `SELECT ${listOf(clawbacks)} FROM clawbacks
WHERE customer_id = $1::uuid AND order_id = $2::uuid ORDER BY created_at, cause_id, batch_id`;

/** What was taken of the batches of an order, newest first, as far as it was not given back: both name the order. */
const LOAD_REVOKES = `
SELECT e.seq, e.operation_id, e.batch_id, e.amount - coalesce(v.amount, 0) AS left FROM entries e
LEFT JOIN (
  SELECT reverses_seq, sum(amount)::bigint AS amount FROM entries
  WHERE customer_id = $1::uuid AND order_id = $2::uuid AND kind = 'reverse' GROUP BY reverses_seq
) v ON v.reverses_seq = e.seq
WHERE e.customer_id = $1::uuid AND e.order_id = $2::uuid AND e.kind = 'revoke' AND e.amount > coalesce(v.amount, 0) ORDER BY e.seq DESC`;

/** Whether an entry tells that a repayment came back, which leaves what is owed as it is. */
const IS_UNPAID = `(e.kind = 'repay' AND e.direction = 'credit')`;

const DEBTS = `
WITH claimed AS (
  SELECT e.product_key, min(e.seq) AS first_seq FROM entries e JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
  WHERE ${OF_ORDER} AND e.customer_id = $1::uuid AND e.kind = 'debt' AND e.batch_id IS NOT NULL
    AND e.product_key IN (SELECT product_key FROM batches b WHERE ${OF_ORDER} AND b.granted IS NOT NULL)
  GROUP BY e.product_key
)`;

/** What came back of a repayment, by the debt that it had repaid. */
const RETURNED = `(
  SELECT json_object_agg(v.action_id, v.amount) FROM (
    SELECT v.action_id, sum(v.amount)::bigint AS amount FROM entries v
    WHERE v.customer_id = e.customer_id AND v.customer_id = $1::uuid AND v.reverses_seq = e.seq AND v.action_id IS NOT NULL GROUP BY v.action_id
  ) v
)`;

/** What changed debts of a product from the first on that was claimed of batches of the order, oldest first. */
const LOAD_DEBTS = `${DEBTS}
SELECT e.seq, e.product_key, e.kind, e.operation_id, e.amount, e.reverses_seq, CASE WHEN e.kind = 'repay' THEN ${RETURNED} END AS returned, (
  SELECT row_to_json(own) FROM (SELECT ${BATCH_COLUMNS} FROM batches b WHERE b.customer_id = e.customer_id AND b.customer_id = $1::uuid AND b.id = e.batch_id) own
) AS batch
FROM claimed c JOIN entries e ON e.product_key = c.product_key AND e.seq >= c.first_seq
WHERE e.customer_id = $1::uuid AND e.kind IN ('debt', 'forgive', 'repay') AND NOT ${IS_UNPAID} ORDER BY e.seq`;

/** What repaid debts since debts of others moved here, oldest first. */
const LOAD_REPAID_MOVED = `
SELECT e.seq, e.product_key, e.kind, e.operation_id, e.amount, e.reverses_seq, ${RETURNED} AS returned, (
  SELECT row_to_json(own) FROM (SELECT ${BATCH_COLUMNS} FROM batches b WHERE b.customer_id = e.customer_id AND b.customer_id = $1::uuid AND b.id = e.batch_id) own
) AS batch
FROM (
  SELECT product_key, min(seq) AS first_seq FROM entries WHERE customer_id = $1::uuid AND batch_id IS NULL AND kind = 'transfer_in' GROUP BY product_key
) moved JOIN entries e ON e.product_key = moved.product_key AND e.seq > moved.first_seq
WHERE e.customer_id = $1::uuid AND e.kind = 'repay' AND e.direction = 'none' ORDER BY e.seq`;

/** What was owed of each product before that. */
const LOAD_OWED = `${DEBTS}
SELECT c.product_key, coalesce(sum(CASE e.kind WHEN 'debt' THEN e.amount ELSE -e.amount END), 0)::bigint AS owed
FROM claimed c LEFT JOIN entries e ON e.product_key = c.product_key AND e.seq < c.first_seq AND e.customer_id = $1::uuid
  AND e.kind IN ('debt', 'forgive', 'repay') AND NOT ${IS_UNPAID}
GROUP BY c.product_key`;

/** The batches that an operation ($2) of a customer ($1) granted without a payment: those of which its entries tell. */
const GRANTED = `
  SELECT e.batch_id FROM operations o JOIN entries e ON e.customer_id = o.customer_id AND e.seq BETWEEN o.first_seq AND o.last_seq
  WHERE o.customer_id = $1::uuid AND e.customer_id = $1::uuid AND o.id = $2::uuid AND e.kind = 'grant'`;
/** The same of them, and of what they go on in, in one ledger ($4) of a family ($5). */
const LOAD_GRANTED = `
WITH RECURSIVE going (customer_id, id) AS (
  SELECT $1::uuid, granted.batch_id FROM (${GRANTED}) granted
  UNION
  SELECT b.customer_id, b.id FROM going g JOIN batches b ON b.predecessor_id = g.id AND b.predecessor_customer_id = g.customer_id
  WHERE b.customer_id = ANY ($5::uuid[])
), own AS (SELECT id FROM going WHERE customer_id = $4::uuid)
SELECT ${BATCH_COLUMNS}, ${SOLD_COLUMNS}, true AS is_own FROM batches b WHERE b.customer_id = $4::uuid AND b.id IN (SELECT id FROM own)
UNION ALL
SELECT ${BATCH_COLUMNS}, ${SOLD_COLUMNS}, false FROM batches b
WHERE b.customer_id = $4::uuid AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $3::timestamptz)
  AND b.id NOT IN (SELECT id FROM own)
  AND b.product_key IN (SELECT product_key FROM batches b WHERE b.customer_id = $4::uuid AND b.id IN (SELECT id FROM own) AND b.granted IS NULL)
ORDER BY id`;

/** What is asked of one customer: an order, or what an operation granted. */
export interface SoldAsked {
  customerId: string;
  orderId: string | undefined;
  granted: GrantedUnits | undefined;
}

/** Reads orders of customers, with what refunds and disputes took of them, or what operations granted, as of an instant. */
export async function loadSold(tx: Tx, asked: readonly SoldAsked[], now: Date): Promise<SoldRows[]> {
  return Promise.all(
    asked.map(async ({ customerId, orderId, granted }) => {
      if (orderId === undefined) {
        const { customerId: ownerId, operationId, memberIds } = required(granted, 'one of both is asked for');
        const own = [ownerId, operationId, now.toISOString(), customerId, memberIds];
        const batchRows = await tx.query<SoldBatchRow>(LOAD_GRANTED, own);
        return {
          customerId,
          batches: batchRows,
          clawbacks: [],
          revokes: [],
          debts: [],
          owed: [],
          repaidMoved: [],
        };
      }
      const own = [customerId, orderId];
      const familyIds = asked.filter((other) => other.orderId === orderId).map((other) => other.customerId);
      const [batchRows, clawbackRows, revokes, debts, owed, repaidMoved] = await Promise.all([
        tx.query<SoldBatchRow>(LOAD_BATCHES, [...own, now.toISOString(), familyIds]),
        tx.query<Row>(LOAD_CLAWBACKS, own),
        tx.query<RevokeRow>(LOAD_REVOKES, own),
        tx.query<DebtRow>(LOAD_DEBTS, own),
        tx.query<Row & { product_key: string; owed: number }>(LOAD_OWED, own),
        tx.query<DebtRow>(LOAD_REPAID_MOVED, [customerId]),
      ]);
      return { customerId, orderId, batches: batchRows, clawbacks: clawbackRows, revokes, debts, owed, repaidMoved };
    }),
  );
}

/** The products of which an operation granted something. */
export async function listGrantedProducts(tx: Tx, customerId: string, operationId: string): Promise<string[]> {
  const rows = await tx.query<Row & { product_key: string }>(
    `SELECT DISTINCT b.product_key FROM batches b WHERE b.customer_id = $1::uuid AND b.id IN (${GRANTED})`,
    [customerId, operationId],
  );
  return rows.map((row) => row.product_key);
}
