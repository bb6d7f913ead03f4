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

/**
 * What was at an instant: the sums of the entries that had occurred by then. `isOfCustomer` is the condition on `e.customer_id`, `instant` the
 * parameter of the instant. Reads the customer's whole ledger. An entry without direction moves held or uncounted units, or repays.
 */
export function pastOf(isOfCustomer: string, instant: string): Source {
  const occurred = `${isOfCustomer} AND e.occurred_at <= ${instant}::timestamptz`;
  return {
    batches: 'past_batches',
    balances: 'past_balances',
    ctes: `
moved AS (
  SELECT e.customer_id, e.batch_id,
    sum(CASE WHEN e.direction = 'credit' THEN e.amount WHEN e.direction = 'debit' OR e.kind = 'repay' THEN -e.amount ELSE 0 END) AS available,
    sum(CASE e.kind WHEN 'hold' THEN e.amount WHEN 'release' THEN -e.amount WHEN 'commit' THEN -e.amount ELSE 0 END) AS held,
    sum(CASE e.kind WHEN 'consume' THEN e.amount WHEN 'commit' THEN e.amount WHEN 'repay' THEN e.amount WHEN 'reverse' THEN -e.amount
        ELSE 0 END) AS consumed,
    sum(CASE e.kind WHEN 'expire' THEN e.amount ELSE 0 END) AS expired,
    sum(CASE WHEN e.kind = 'revoke' AND e.direction = 'debit' THEN e.amount ELSE 0 END) AS revoked
  FROM entries e WHERE ${occurred} AND e.batch_id IS NOT NULL
  GROUP BY e.customer_id, e.batch_id
), past_batches AS MATERIALIZED (
  SELECT b.customer_id, b.id, b.product_key, b.source, b.sku, b.order_id, b.order_item_id, b.operation_id, b.granted,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.available END::bigint AS available,
    CASE WHEN b.granted IS NULL THEN 0 ELSE m.held END::bigint AS held,
    m.consumed::bigint AS consumed, m.expired::bigint AS expired, m.revoked::bigint AS revoked, 0::bigint AS transferred,
    b.granted IS NOT NULL AND (m.available > 0 OR m.held > 0) AS is_open,
    b.priority, b.valid_from, b.expires_at, b.anchor_day, b.metadata, b.created_at,
    CASE WHEN b.revoked_at <= ${instant}::timestamptz THEN b.revoked_at END AS revoked_at
  FROM moved m JOIN batches b ON b.customer_id = m.customer_id AND b.id = m.batch_id
), owing AS (
  SELECT e.customer_id, e.product_key, sum(CASE e.kind WHEN 'debt' THEN e.amount ELSE -e.amount END) AS owed
  FROM entries e WHERE ${occurred} AND e.kind IN ('debt', 'repay', 'forgive')
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
