// Where readers find batches and balances: in their tables, or, for a past instant, recomputed from the ledger (DOMAIN 3.2, as_of). The same
// statements run over both, so that a wallet of then is read as the wallet was read then. Nothing but texts of SQL.

/** The instant of a read. What is stored is true of now, but for what is due, and of no past instant. */
export interface ReadInstant {
  at: Date;
  isPast: boolean;
}

/** The names under which a statement finds its rows; `ctes` are common table expressions to put before its own. */
export interface Source {
  ctes: string;
  batches: string;
  balances: string;
}

/** What is stored: the state of now, but for what is due. */
export const PRESENT: Source = { ctes: '', batches: 'batches', balances: 'balances' };

/** Whether entry `e` gives back what a refund or a dispute took: those that give uses back name no order. */
const IS_UNDONE = `e.kind = 'reverse' AND e.direction = 'credit' AND e.order_id IS NOT NULL`;

/** Whether entry `e` lets units go on that had expired; of what is not counted, access. */
const IS_GONE_ON = `e.kind = 'transfer_out' AND e.direction = 'none'`;

/** A column of batch `b` as it was before the first change after the instant, `a`. */
function beforeAdjusted(column: string, member: string, type: string): string {
  return `CASE WHEN a.batch_id IS NULL THEN b.${column} ELSE (a.metadata #>> '{${member},old}')::${type} END AS ${column}`;
}

/**
 * What was at an instant: the sums of the entries that had occurred by then. `isOfCustomer` is the condition on `e.customer_id`, `instant` the
 * parameter of the instant. Reads the customer's whole ledger. An entry without direction moves held or uncounted units, or repays;
 * a debt that was claimed of a batch, and what is forgiven of it, moves none of its units. What is owed moves without a batch.
 */
export function pastOf(isOfCustomer: string, instant: string): Source {
  const occurred = `${isOfCustomer} AND e.occurred_at <= ${instant}::timestamptz`;
  return {
    batches: 'past_batches',
    balances: 'past_balances',
    ctes: `
moved AS (
  SELECT e.customer_id, e.batch_id,
    sum(CASE WHEN e.kind IN ('debt', 'forgive') THEN 0 WHEN e.direction = 'credit' THEN e.amount WHEN e.direction = 'debit' OR e.kind = 'repay' THEN -e.amount ELSE 0 END) AS available,
    sum(CASE e.kind WHEN 'hold' THEN e.amount WHEN 'release' THEN -e.amount WHEN 'commit' THEN -e.amount ELSE 0 END) AS held,
    sum(CASE e.kind WHEN 'consume' THEN e.amount WHEN 'commit' THEN e.amount WHEN 'repay' THEN CASE e.direction WHEN 'credit' THEN -e.amount ELSE e.amount END WHEN 'reverse' THEN
        CASE WHEN e.order_id IS NULL THEN -e.amount ELSE 0 END ELSE 0 END) AS consumed,
    sum(CASE WHEN e.kind = 'expire' THEN e.amount WHEN ${IS_GONE_ON} THEN -e.amount ELSE 0 END) AS expired,
    sum(CASE WHEN e.kind = 'revoke' AND e.direction = 'debit' THEN e.amount WHEN ${IS_UNDONE} THEN -e.amount ELSE 0 END) AS revoked,
    sum(CASE WHEN e.kind = 'revoke' AND e.direction = 'debit' AND e.order_id IS NOT NULL THEN e.amount WHEN ${IS_UNDONE} THEN -e.amount
        ELSE 0 END) AS recovered,
    sum(CASE WHEN e.kind = 'transfer_out' THEN e.amount ELSE 0 END) AS transferred
  FROM entries e WHERE ${occurred} AND e.batch_id IS NOT NULL
  GROUP BY e.customer_id, e.batch_id
), adjusted AS (
  SELECT DISTINCT ON (e.customer_id, e.batch_id) e.customer_id, e.batch_id, e.metadata FROM entries e
  WHERE ${isOfCustomer} AND e.kind = 'adjust' AND e.occurred_at > ${instant}::timestamptz ORDER BY e.customer_id, e.batch_id, e.seq
), past_batches AS MATERIALIZED (
  SELECT b.customer_id, b.id, b.product_key, b.source, b.sku, b.order_id, b.order_item_id, b.subscription_id, b.predecessor_id, b.operation_id,
    b.granted,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.available END::bigint AS available,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.held END::bigint AS held,
    m.consumed::bigint AS consumed, m.revoked::bigint AS revoked,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.expired END::bigint AS expired,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.transferred END::bigint AS transferred,
    m.recovered::bigint AS recovered, b.unrecovered,
    b.granted IS NOT NULL AND (m.available > 0 OR m.held > 0) AS is_open,
    b.priority, ${beforeAdjusted('valid_from', 'validFrom', 'timestamptz')}, ${beforeAdjusted('expires_at', 'expiresAt', 'timestamptz')},
    ${beforeAdjusted('anchor_day', 'anchorDay', 'smallint')},
    b.metadata, b.created_at,
    CASE WHEN b.revoked_at <= ${instant}::timestamptz THEN b.revoked_at END AS revoked_at
  FROM moved m JOIN batches b ON b.customer_id = m.customer_id AND b.id = m.batch_id
  LEFT JOIN adjusted a ON a.customer_id = b.customer_id AND a.batch_id = b.id
), owing AS (
  SELECT e.customer_id, e.product_key, sum(CASE WHEN e.kind IN ('debt', 'transfer_in') THEN e.amount ELSE -e.amount END) AS owed
  FROM entries e WHERE ${occurred} AND (e.kind IN ('debt', 'repay', 'forgive') AND NOT (e.kind = 'repay' AND e.direction = 'credit')
    OR e.kind IN ('transfer_out', 'transfer_in') AND e.batch_id IS NULL)
  GROUP BY e.customer_id, e.product_key
), past_balances AS MATERIALIZED (
  SELECT customer_id, product_key, coalesce(b.available, 0)::bigint AS available, coalesce(b.held, 0)::bigint AS held,
         coalesce(o.owed, 0)::bigint AS owed
  FROM (
    SELECT customer_id, product_key, sum(available) AS available, sum(held) AS held
    FROM past_batches WHERE granted IS NOT NULL GROUP BY customer_id, product_key
  ) b FULL JOIN owing o USING (customer_id, product_key)
),`,
  };
}
