-- The independent auditor: what must be true of the data, recomputed from the rows alone, one file an invariant. Reads
-- only; shares nothing with the code that writes. Each check answers rows (invariant, customer_id, subject, expected,
-- actual, detail) of what is wrong, so none when all is well. No check fails on corrupt data: sums are numeric, jsonb is
-- typed first.
--
-- `-- name: <name>` begins a check; `-- shared: <name>`, in this file, a common table expression, behind which a check
-- that says `-- with: <name>, <name>` runs; `-- counts: <name>` one row of how much there is to check.
-- $1 is a customer's id, or null for all; `latest`, which every check has, the latest instant at which something may have been recorded, or null. Text of instants assumes a session in UTC.

-- counts: checked
SELECT
  (SELECT count(*) FROM customers WHERE $1::uuid IS NULL OR id = $1)::float8 AS customers,
  (SELECT count(*) FROM customer_merges WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS customer_merges,
  (SELECT count(*) FROM customer_erasures WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS customer_erasures,
  (SELECT count(*) FROM identities WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS identities,
  (SELECT count(*) FROM products)::float8 AS products,
  (SELECT count(*) FROM offers)::float8 AS offers,
  (SELECT count(*) FROM operations WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS operations,
  (SELECT count(*) FROM orders WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS orders,
  (SELECT count(*) FROM order_items WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS order_items,
  (SELECT count(*) FROM payments WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS payments,
  (SELECT count(*) FROM refunds WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS refunds,
  (SELECT count(*) FROM disputes WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS disputes,
  (SELECT count(*) FROM clawbacks WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS clawbacks,
  (SELECT count(*) FROM batches WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS batches,
  (SELECT count(*) FROM balances WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS balances,
  (SELECT count(*) FROM entries WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS entries,
  (SELECT count(*) FROM reservations WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS reservations,
  (SELECT count(*) FROM reservation_legs WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS reservation_legs,
  (SELECT count(*) FROM trial_uses WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS trial_uses,
  (SELECT count(*) FROM referrals WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS referrals,
  (SELECT count(*) FROM rewards WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS rewards,
  (SELECT count(*) FROM events WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS events

-- shared: latest
latest (instant) AS (SELECT $2::timestamptz)

-- shared: kinds
-- What one unit of an entry of each kind does to a counted batch, and to what is owed (DOMAIN 3.2). The direction is the sign
-- of what it does to available - owed. Each line keeps a batch closed (I1). A transfer without direction moves units
-- that have expired (3.16); a repayment takes from a batch what it takes from the debt, and comes back (as a credit) when the debt is undone, which it
-- leaves as it is. A reverse entry that names an order gives back what a refund or a dispute revoked, and stands here as `restore`;
-- what is owed moves between ledgers of a family without a batch, and stands here as `owed_out` and `owed_in`.
kinds (kind, direction, granted, available, held, consumed, expired, revoked, transferred, owed) AS (VALUES
  ('grant',        'credit', 1,  1,  0,  0, 0, 0, 0,  0),
  ('consume',      'debit',  0, -1,  0,  1, 0, 0, 0,  0),
  ('reverse',      'credit', 0,  1,  0, -1, 0, 0, 0,  0),
  ('restore',      'credit', 0,  1,  0,  0, 0, -1, 0, 0),
  ('hold',         'debit',  0, -1,  1,  0, 0, 0, 0,  0),
  ('release',      'credit', 0,  1, -1,  0, 0, 0, 0,  0),
  ('commit',       'none',   0,  0, -1,  1, 0, 0, 0,  0),
  ('expire',       'debit',  0, -1,  0,  0, 1, 0, 0,  0),
  ('revoke',       'debit',  0, -1,  0,  0, 0, 1, 0,  0),
  ('adjust',       'none',   0,  0,  0,  0, 0, 0, 0,  0),
  ('transfer_out', 'debit',  0, -1,  0,  0, 0, 0, 1,  0),
  ('transfer_out', 'none',   0,  0,  0,  0, -1, 0, 1, 0),
  ('transfer_in',  'credit', 1,  1,  0,  0, 0, 0, 0,  0),
  ('owed_out',     'credit', 0,  0,  0,  0, 0, 0, 0, -1),
  ('owed_in',      'debit',  0,  0,  0,  0, 0, 0, 0,  1),
  ('debt',         'debit',  0,  0,  0,  0, 0, 0, 0,  1),
  ('repay',        'none',   0, -1,  0,  1, 0, 0, 0, -1),
  ('repay',        'credit', 0,  1,  0, -1, 0, 0, 0,  0),
  ('forgive',      'credit', 0,  0,  0,  0, 0, 0, 0, -1)
)

-- shared: effects
-- Entries with what they do. is_counted: they concern a counted batch or a debt; the others (uncounted batches, metered
-- usage) move no balance.
effects AS (
  SELECT e.customer_id, e.seq, e.kind, e.direction, e.product_key, e.batch_id, e.amount, e.balance_after,
    CASE WHEN e.batch_id IS NULL THEN e.kind IN ('debt', 'forgive', 'transfer_out', 'transfer_in')
      ELSE b.id IS NULL OR b.granted IS NOT NULL END AS is_counted,
    k.kind IS NOT NULL AS is_known,
    coalesce(k.granted, 0) * e.amount::numeric AS granted,
    coalesce(k.available, 0) * e.amount::numeric AS available,
    coalesce(k.held, 0) * e.amount::numeric AS held,
    coalesce(k.consumed, 0) * e.amount::numeric AS consumed,
    coalesce(k.expired, 0) * e.amount::numeric AS expired,
    coalesce(k.revoked, 0) * e.amount::numeric AS revoked,
    coalesce(k.transferred, 0) * e.amount::numeric AS transferred,
    coalesce(k.owed, 0) * e.amount::numeric AS owed
  FROM entries e
  LEFT JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
  LEFT JOIN kinds k ON k.kind = CASE WHEN e.kind = 'reverse' AND e.order_id IS NOT NULL THEN 'restore'
      WHEN e.batch_id IS NULL AND e.kind = 'transfer_out' THEN 'owed_out' WHEN e.batch_id IS NULL AND e.kind = 'transfer_in' THEN 'owed_in' ELSE e.kind END
    AND k.direction = e.direction
  WHERE $1::uuid IS NULL OR e.customer_id = $1
)

-- shared: costs
-- What one unit of each reservation's subject costs, by product (DOMAIN 3.13). A malformed cost is null here, and reported by
-- the check of the legs.
costs AS (
  SELECT r.customer_id, r.id AS reservation_id, c.product_key,
    CASE WHEN jsonb_typeof(c.cost) = 'number'
      THEN CASE WHEN c.cost::numeric >= 1 AND c.cost::numeric % 1 = 0 THEN c.cost::numeric END END AS cost
  FROM reservations r
  CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(r.costs) = 'object' THEN r.costs ELSE '{}' END)
    AS c (product_key, cost)
  WHERE $1::uuid IS NULL OR r.customer_id = $1
)

-- shared: owing
-- The entries that change what is owed, and what is owed of their product after each (DOMAIN 3.15).
owing AS (
  SELECT customer_id, seq, kind, product_key, batch_id, amount, balance_after,
    sum(CASE WHEN kind IN ('debt', 'transfer_in') THEN amount::numeric ELSE -amount::numeric END)
      OVER (PARTITION BY customer_id, product_key ORDER BY seq ROWS UNBOUNDED PRECEDING) AS owed
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND NOT (kind = 'repay' AND direction = 'credit')
    AND (kind IN ('debt', 'repay', 'forgive') OR (kind IN ('transfer_out', 'transfer_in') AND batch_id IS NULL))
)

-- shared: terms
-- What each order line's snapshot promises, one row per term: how often it is given, the units and the length that its batch must have (DOMAIN 3.5).
-- The line's quantity multiplies counted units, and the length of access (period and unlimited products). A malformed
-- number is null here, and reported by its own check.
terms AS (
  SELECT i.customer_id, i.order_id, i.id AS order_item_id, i.position AS line, t.ordinal, o.status,
    t.term ->> 'productKey' AS product_key,
    t.term ->> 'productType' AS product_type,
    CASE WHEN t.term ->> 'productType' = 'quantity' AND jsonb_typeof(t.term -> 'quantity') = 'number'
      THEN (t.term ->> 'quantity')::numeric * i.quantity END AS granted,
    CASE WHEN jsonb_typeof(t.term -> 'priority') = 'number' THEN (t.term ->> 'priority')::numeric END AS priority,
    t.term ->> 'periodUnit' AS period_unit,
    CASE WHEN jsonb_typeof(t.term -> 'periodValue') = 'number'
      THEN (t.term ->> 'periodValue')::numeric
        * CASE WHEN t.term ->> 'productType' IN ('period', 'unlimited') THEN i.quantity ELSE 1 END
    END AS period_value,
    CASE WHEN t.term ->> 'productType' = 'quantity' THEN coalesce(n.times, 1) ELSE 1 END AS times
  FROM order_items i
  LEFT JOIN subscription_periods p ON p.order_item_id = i.id AND (p.order_customer_id = i.customer_id OR (p.customer_id = i.customer_id AND p.order_customer_id IS NULL))
  -- How often the period that a line of a plan paid allocates units: of months a whole part of it, else by its length. One may be recorded an instant before its
  -- scheduled start.
  CROSS JOIN LATERAL (SELECT i.plan #>> '{grantEvery,unit}' AS unit, i.plan #>> '{recurrence,unit}' AS whole_unit,
    CASE WHEN jsonb_typeof(i.plan #> '{grantEvery,count}') = 'number' THEN nullif((i.plan #>> '{grantEvery,count}')::numeric, 0) END AS count,
    CASE WHEN jsonb_typeof(i.plan #> '{recurrence,count}') = 'number' THEN (i.plan #>> '{recurrence,count}')::numeric END AS whole_count) e
  CROSS JOIN LATERAL (SELECT CASE
    WHEN e.unit IN ('hours', 'days', 'weeks') THEN ceil((extract(epoch FROM p.ends_at - p.starts_at) - 1)
      / (e.count * CASE e.unit WHEN 'hours' THEN 3600 WHEN 'days' THEN 86400 ELSE 604800 END))
    WHEN e.unit IN ('months', 'years') THEN ceil(e.whole_count * CASE e.whole_unit WHEN 'years' THEN 12 WHEN 'months' THEN 1 END
      / (e.count * CASE e.unit WHEN 'years' THEN 12 ELSE 1 END)) END AS times) n
  JOIN orders o ON o.customer_id = i.customer_id AND o.id = i.order_id
  CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.terms) = 'array' THEN i.terms ELSE '[]' END)
    WITH ORDINALITY AS t (term, ordinal)
  WHERE $1::uuid IS NULL OR i.customer_id = $1
)

-- shared: told
-- What must have been told, once each, and when it was. What the rows do not tell for good (a failed payment that another followed, a threshold that
-- changed since) is not here.
told (customer_id, type, subject_id, at) AS (
  SELECT customer_id, 'customer.merged', source_id, created_at FROM customer_merges WHERE $1::uuid IS NULL OR customer_id = $1
  UNION ALL
  SELECT customer_id, 'customer.erased', customer_id, erased_at FROM customer_erasures WHERE ($1::uuid IS NULL OR customer_id = $1) AND customer_id = final_id
  UNION ALL
  SELECT id, 'customer.created', id, created_at FROM customers WHERE $1::uuid IS NULL OR id = $1
  UNION ALL
  SELECT customer_id, 'order.created', id, created_at FROM orders WHERE $1::uuid IS NULL OR customer_id = $1
  UNION ALL
  SELECT customer_id, 'order.paid', id, paid_at FROM orders WHERE ($1::uuid IS NULL OR customer_id = $1) AND paid_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'order.cancelled', id, cancelled_at FROM orders WHERE ($1::uuid IS NULL OR customer_id = $1) AND status = 'cancelled'
  UNION ALL
  SELECT customer_id, 'order.expired', id, expires_at FROM orders WHERE ($1::uuid IS NULL OR customer_id = $1) AND status = 'expired'
  UNION ALL
  SELECT customer_id, 'order.refunded', id, created_at FROM refunds
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND jsonb_array_length(items) > 0
  UNION ALL
  SELECT customer_id, 'order.refund_failed', id, failed_at FROM refunds
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND jsonb_array_length(items) > 0 AND failed_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'order.disputed', id, opened_at FROM disputes WHERE ($1::uuid IS NULL OR customer_id = $1) AND opened_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'order.dispute_closed', id, closed_at FROM disputes WHERE ($1::uuid IS NULL OR customer_id = $1) AND closed_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'batch.granted', id, created_at FROM batches WHERE ($1::uuid IS NULL OR customer_id = $1) AND source <> 'metered'
    AND predecessor_customer_id IS NULL
  UNION ALL
  SELECT customer_id, CASE kind WHEN 'expire' THEN 'batch.expired' ELSE 'batch.revoked' END, id, recorded_at
  FROM entries WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('expire', 'revoke')
  UNION ALL
  SELECT customer_id, 'quota.exhausted', id, recorded_at FROM entries e
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND direction = 'debit' AND balance_after <= 0 AND balance_after + amount::numeric > 0
    AND NOT (kind IN ('transfer_out', 'transfer_in') AND NOT EXISTS ( -- what moves to another ledger of the family is there
      SELECT FROM batches s WHERE s.customer_id = e.customer_id AND s.predecessor_id = e.batch_id AND s.predecessor_customer_id IS NULL
        AND s.operation_id = e.operation_id))
  UNION ALL
  SELECT customer_id, 'reservation.created', id, created_at FROM reservations WHERE $1::uuid IS NULL OR customer_id = $1
  UNION ALL
  SELECT customer_id, 'reservation.' || status, id, ended_at FROM reservations
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND status IN ('committed', 'released', 'expired')
  UNION ALL
  SELECT customer_id, 'referral.attached', id, created_at FROM referrals WHERE $1::uuid IS NULL OR customer_id = $1
  UNION ALL
  SELECT coalesce(order_customer_id, referee_id), 'referral.reward_armed', id, created_at FROM rewards
  WHERE $1::uuid IS NULL OR coalesce(order_customer_id, referee_id) = $1
  UNION ALL
  SELECT customer_id, 'referral.reward_held', id, held_at FROM rewards WHERE ($1::uuid IS NULL OR customer_id = $1) AND held_at IS NOT NULL
  UNION ALL
  SELECT coalesce(order_customer_id, referee_id), 'referral.reward_cancelled', id, cancelled_at FROM rewards
  WHERE ($1::uuid IS NULL OR coalesce(order_customer_id, referee_id) = $1) AND cancel_reason IN ('order_refunded', 'dispute_lost')
  UNION ALL
  SELECT customer_id, 'referral.reward_cancelled', id, cancelled_at FROM rewards
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND cancel_reason NOT IN ('order_refunded', 'dispute_lost', 'customers_merged')
  UNION ALL
  SELECT m.customer_id, 'referral.reward_cancelled', (w ->> 'id')::uuid, m.created_at
  FROM customer_merges m CROSS JOIN LATERAL jsonb_array_elements(m.moved -> 'cancelledRewards') w
  WHERE $1::uuid IS NULL OR m.customer_id = $1
  UNION ALL
  SELECT customer_id, 'referral.rewarded', id, granted_at FROM rewards WHERE ($1::uuid IS NULL OR customer_id = $1) AND granted_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'referral.revoked', id, clawed_back_at FROM rewards WHERE ($1::uuid IS NULL OR customer_id = $1) AND clawed_back_at IS NOT NULL
  UNION ALL
  SELECT customer_id, 'trial.activated', operation_id, max(used_at) FROM trial_uses
  WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id, operation_id
  UNION ALL
  SELECT customer_id, 'exchange.completed', id, recorded_at FROM operations
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND name = 'exchange'
  UNION ALL
  SELECT customer_id, 'subscription.' || kind, id, recorded_at FROM subscription_steps WHERE $1::uuid IS NULL OR customer_id = $1
  UNION ALL
  SELECT customer_id, 'quota.consumed', id, recorded_at FROM operations WHERE ($1::uuid IS NULL OR customer_id = $1) AND tells_use
  UNION ALL
  SELECT NULL, 'product.deactivated', id, recorded_at FROM audit_records
  WHERE $1::uuid IS NULL AND action = 'product.updated' AND before ->> 'isActive' = 'true' AND after ->> 'isActive' = 'false'
  UNION ALL
  SELECT NULL, split_part(action, '.', 1) || CASE after ->> 'isActive' WHEN 'true' THEN '.activated' ELSE '.deactivated' END, id, recorded_at
  FROM audit_records
  WHERE $1::uuid IS NULL AND tells_switches AND before ->> 'isActive' <> after ->> 'isActive'
    AND (action = 'offer.updated' OR (action = 'product.updated' AND after ->> 'isActive' = 'true'))
  UNION ALL
  SELECT NULL, 'product.changed', id, recorded_at FROM audit_records
  WHERE $1::uuid IS NULL AND tells_changes AND action = 'product.updated' AND EXISTS (
    SELECT FROM jsonb_array_elements(before -> 'features') b
    LEFT JOIN jsonb_array_elements(after -> 'features') a ON a ->> 'feature' = b ->> 'feature'
    WHERE a IS NULL OR (a ->> 'unitCost')::bigint > (b ->> 'unitCost')::bigint)
  UNION ALL
  SELECT NULL, 'webhook_endpoint.disabled', id, recorded_at FROM audit_records
  WHERE $1::uuid IS NULL AND action = 'endpoint.updated' AND before ->> 'isEnabled' = 'true' AND after ->> 'disabledReason' IS NOT NULL
  UNION ALL
  SELECT NULL, 'payment.quarantined', id, recorded_at FROM audit_records
  WHERE $1::uuid IS NULL AND action = 'payment_event.updated' AND before ->> 'status' <> 'quarantined' AND after ->> 'status' = 'quarantined'
)

-- shared: telling
-- What must have been told beside what was, counted by what it is about: grouped rather than joined, which for a customer with very many of both could be
-- planned as a comparison of all with all.
telling (customer_id, type, subject_id, at, changes, events) AS (
  SELECT customer_id, type, subject_id, max(at), sum(changes), sum(events)
  FROM (
    SELECT customer_id, type, subject_id, at, 1 AS changes, 0 AS events FROM told
    UNION ALL
    SELECT customer_id, type, subject_id, NULL, 0, 1 FROM events WHERE $1::uuid IS NULL OR customer_id = $1
  ) t
  GROUP BY customer_id, type, subject_id
)

-- shared: checked_limits
-- What uses tell of the windows of limits that were looked at.
checked_limits AS MATERIALIZED (
  SELECT e.customer_id, e.seq, CASE WHEN c #> '{subject,feature}' IS NULL THEN 'product' ELSE 'feature' END AS subject_type,
    coalesce(c #>> '{subject,feature}', c #>> '{subject,productKey}') AS subject_name, c ->> 'window' AS window_name,
    (c ->> 'windowStart')::timestamptz AS window_start, (c ->> 'usedAfter')::numeric AS used_after, (c ->> 'limit')::numeric AS ceiling,
    c ->> 'enforcement' AS enforcement
  FROM entries e CROSS JOIN LATERAL jsonb_array_elements(e.checked_limits) c
  WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND jsonb_typeof(e.checked_limits) = 'array'
)

-- shared: counts
-- What entries count of products, in their units, and of features, in theirs (DOMAIN 3.12). Those that don't tell it are older: they count like their kind,
-- a hold and what comes of it when it was made, what came back where it was used. Of one customer, with those that lead to him: what they used counts, too.
counts AS MATERIALIZED (
  SELECT e.customer_id, e.seq, s.subject_type, s.subject_name, s.units, CASE
    WHEN e.counted_at IS NOT NULL THEN e.counted_at WHEN e.kind = 'release' THEN r.created_at
    WHEN o.seq IS NOT NULL THEN CASE WHEN o.kind = 'commit' THEN h.created_at ELSE o.occurred_at END
    ELSE e.occurred_at END AS counted_at
  FROM entries e
  LEFT JOIN reservations r ON e.counted_at IS NULL AND r.customer_id = e.customer_id AND r.id = e.reservation_id
  LEFT JOIN entries o ON e.counted_at IS NULL AND o.customer_id = e.customer_id AND o.seq = e.reverses_seq
  LEFT JOIN reservations h ON o.kind = 'commit' AND h.customer_id = o.customer_id AND h.id = o.reservation_id
  LEFT JOIN product_features f ON e.counted IS NULL AND e.unit_cost IS NULL AND f.product_key = e.product_key AND f.feature = e.feature
  CROSS JOIN LATERAL (SELECT CASE WHEN e.kind IN ('release', 'reverse', 'forgive') THEN -e.amount::numeric ELSE e.amount::numeric END AS product_units) p
  CROSS JOIN LATERAL (
    SELECT 'product' AS subject_type, e.product_key AS subject_name, p.product_units AS units
    UNION ALL
    SELECT 'feature', e.feature, coalesce(e.counted::numeric, p.product_units / nullif(coalesce(e.unit_cost, f.unit_cost, 1), 0))
    WHERE e.feature IS NOT NULL
  ) s
  WHERE ($1::uuid IS NULL OR e.customer_id = ANY (ARRAY(SELECT id FROM customers WHERE id = $1 OR merged_into = $1))) AND e.kind IN ('consume', 'hold', 'debt', 'release', 'reverse', 'forgive')
    AND NOT (e.kind = 'reverse' AND e.order_id IS NOT NULL) AND NOT (e.kind IN ('debt', 'forgive') AND e.batch_id IS NOT NULL)
    AND e.customer_id IN (
      SELECT customer_id FROM usage_counters UNION ALL SELECT customer_id FROM checked_limits
      UNION ALL SELECT id FROM customers WHERE merged_into IS NOT NULL)
)
