-- The independent auditor: what must be true of the data, recomputed from the rows alone. Reads only; shares nothing
-- with the code that writes. Each check answers rows (invariant, customer_id, subject, expected, actual, detail) of
-- what is wrong, so none when all is well. No check fails on corrupt data: sums are numeric, jsonb is typed first.
--
-- `-- counts: <name>` begins one row of how much there is to check; `-- name: <name>` a check; `-- shared: <name>` a
-- common table expression, behind which a check that says `-- with: <name>, <name>` runs.
-- $1 is the only parameter: a customer's id, or null for all. Text of instants assumes a session in UTC.

-- counts: checked
SELECT
  (SELECT count(*) FROM customers WHERE $1::uuid IS NULL OR id = $1)::float8 AS customers,
  (SELECT count(*) FROM identities WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS identities,
  (SELECT count(*) FROM products)::float8 AS products,
  (SELECT count(*) FROM offers)::float8 AS offers,
  (SELECT count(*) FROM operations WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS operations,
  (SELECT count(*) FROM orders WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS orders,
  (SELECT count(*) FROM order_items WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS order_items,
  (SELECT count(*) FROM payments WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS payments,
  (SELECT count(*) FROM batches WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS batches,
  (SELECT count(*) FROM balances WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS balances,
  (SELECT count(*) FROM entries WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS entries,
  (SELECT count(*) FROM reservations WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS reservations,
  (SELECT count(*) FROM reservation_legs WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS reservation_legs,
  (SELECT count(*) FROM trial_uses WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS trial_uses,
  (SELECT count(*) FROM referrals WHERE $1::uuid IS NULL OR customer_id = $1)::float8 AS referrals

-- counts: entries
SELECT count(*)::float8 AS entries FROM entries WHERE $1::uuid IS NULL OR customer_id = $1

-- shared: kinds
-- What one unit of an entry of each kind does to a counted batch, and to what is owed (3.2). The direction is the sign
-- of what it does to available - owed. Each line keeps a batch closed (I1). A transfer without direction moves held
-- units, which stay held; a repayment takes from a batch what it takes from the debt.
kinds (kind, direction, granted, available, held, consumed, expired, revoked, transferred, owed) AS (VALUES
  ('grant',        'credit', 1,  1,  0,  0, 0, 0, 0,  0),
  ('consume',      'debit',  0, -1,  0,  1, 0, 0, 0,  0),
  ('reverse',      'credit', 0,  1,  0, -1, 0, 0, 0,  0),
  ('hold',         'debit',  0, -1,  1,  0, 0, 0, 0,  0),
  ('release',      'credit', 0,  1, -1,  0, 0, 0, 0,  0),
  ('commit',       'none',   0,  0, -1,  1, 0, 0, 0,  0),
  ('expire',       'debit',  0, -1,  0,  0, 1, 0, 0,  0),
  ('revoke',       'debit',  0, -1,  0,  0, 0, 1, 0,  0),
  ('adjust',       'none',   0,  0,  0,  0, 0, 0, 0,  0),
  ('transfer_out', 'debit',  0, -1,  0,  0, 0, 0, 1,  0),
  ('transfer_out', 'none',   0,  0, -1,  0, 0, 0, 1,  0),
  ('transfer_in',  'credit', 1,  1,  0,  0, 0, 0, 0,  0),
  ('transfer_in',  'none',   1,  0,  1,  0, 0, 0, 0,  0),
  ('debt',         'debit',  0,  0,  0,  0, 0, 0, 0,  1),
  ('repay',        'none',   0, -1,  0,  1, 0, 0, 0, -1),
  ('forgive',      'credit', 0,  0,  0,  0, 0, 0, 0, -1)
)

-- shared: effects
-- Entries with what they do. is_counted: they concern a counted batch or a debt; the others (uncounted batches, metered
-- usage) move no balance.
effects AS (
  SELECT e.customer_id, e.seq, e.kind, e.direction, e.product_key, e.batch_id, e.amount, e.balance_after,
    CASE WHEN e.batch_id IS NULL THEN e.kind IN ('debt', 'forgive')
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
  LEFT JOIN kinds k ON k.kind = e.kind AND k.direction = e.direction
  WHERE $1::uuid IS NULL OR e.customer_id = $1
)

-- shared: costs
-- What one unit of each reservation's subject costs, by product (3.13). A malformed cost is null here, and reported by
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
-- The entries that change what is owed, and what is owed of their product after each (3.15).
owing AS (
  SELECT customer_id, seq, kind, product_key, amount, balance_after,
    sum(CASE WHEN kind = 'debt' THEN amount::numeric ELSE -amount::numeric END)
      OVER (PARTITION BY customer_id, product_key ORDER BY seq ROWS UNBOUNDED PRECEDING) AS owed
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('debt', 'repay', 'forgive')
)

-- shared: terms
-- What each order line's snapshot promises, one row per term: the units and the length that its batch must have (3.5).
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
    END AS period_value
  FROM order_items i
  JOIN orders o ON o.customer_id = i.customer_id AND o.id = i.order_id
  CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.terms) = 'array' THEN i.terms ELSE '[]' END)
    WITH ORDINALITY AS t (term, ordinal)
  WHERE $1::uuid IS NULL OR i.customer_id = $1
)

-- I1: counted batches are closed --------------------------------------------------------------------------------------

-- name: i1_batch_closed
SELECT 'I1' AS invariant, customer_id, 'batch ' || id AS subject, granted::text AS expected,
  (available::numeric + held + consumed + expired + revoked + transferred)::text AS actual,
  'granted must be available + held + consumed + expired + revoked + transferred' AS detail
FROM batches
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND granted <> available::numeric + held + consumed + expired + revoked + transferred

-- name: i1_batch_parts
SELECT 'I1' AS invariant, customer_id, 'batch ' || id AS subject,
  'no part below 0, granted from 1 to 2^53-1' AS expected,
  format('granted %s, available %s, held %s, consumed %s, expired %s, revoked %s, transferred %s',
    coalesce(granted::text, 'null'), available, held, consumed, expired, revoked, transferred) AS actual,
  'a part of the batch is out of range' AS detail
FROM batches
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND (least(available, held, consumed, expired, revoked, transferred) < 0
    OR greatest(granted, consumed) > 9007199254740991 OR granted < 1)

-- name: i1_uncounted_parts
SELECT 'I1' AS invariant, customer_id, 'batch ' || id AS subject, 'only consumed' AS expected,
  format('available %s, held %s, expired %s, revoked %s, transferred %s',
    available, held, expired, revoked, transferred) AS actual,
  'an uncounted batch (granted null) has no units' AS detail
FROM batches
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND granted IS NULL AND (available <> 0 OR held <> 0 OR expired <> 0 OR revoked <> 0 OR transferred <> 0)

-- name: i1_batch_type
SELECT 'I1' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  CASE WHEN p.type = 'quantity' THEN 'counted' ELSE 'uncounted' END AS expected,
  CASE WHEN b.granted IS NULL THEN 'uncounted' ELSE 'counted' END AS actual,
  format('product %s is of type %s', p.product_key, p.type) AS detail
FROM batches b
JOIN products p ON p.product_key = b.product_key
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND (p.type = 'quantity') <> (b.granted IS NOT NULL)

-- I2: the entries of a batch give exactly its parts -------------------------------------------------------------------

-- name: i2_batch_parts
-- with: kinds, effects
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  format('granted %s, available %s, held %s, consumed %s, expired %s, revoked %s, transferred %s',
    coalesce(e.granted, 0), coalesce(e.available, 0), coalesce(e.held, 0), coalesce(e.consumed, 0),
      coalesce(e.expired, 0),
    coalesce(e.revoked, 0), coalesce(e.transferred, 0)) AS expected,
  format('granted %s, available %s, held %s, consumed %s, expired %s, revoked %s, transferred %s',
    b.granted, b.available, b.held, b.consumed, b.expired, b.revoked, b.transferred) AS actual,
  'the parts of the batch must be the sums of its entries' AS detail
FROM batches b
LEFT JOIN (
  SELECT customer_id, batch_id, sum(granted) AS granted, sum(available) AS available, sum(held) AS held,
    sum(consumed) AS consumed,
    sum(expired) AS expired, sum(revoked) AS revoked, sum(transferred) AS transferred
  FROM effects
  WHERE batch_id IS NOT NULL
  GROUP BY customer_id, batch_id
) e ON e.customer_id = b.customer_id AND e.batch_id = b.id
WHERE ($1::uuid IS NULL OR b.customer_id = $1)
  AND b.granted IS NOT NULL
  AND (e.batch_id IS NULL OR b.granted <> e.granted OR b.available <> e.available OR b.held <> e.held
    OR b.consumed <> e.consumed
    OR b.expired <> e.expired OR b.revoked <> e.revoked OR b.transferred <> e.transferred)

-- name: i2_uncounted_consumed
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject, coalesce(e.consumed, 0)::text AS expected,
  b.consumed::text AS actual,
  'consumed of an uncounted batch must be the sum of what its entries consumed' AS detail
FROM batches b
LEFT JOIN (
  SELECT customer_id, batch_id, sum(CASE WHEN kind = 'reverse' THEN -amount::numeric ELSE amount END) AS consumed
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('consume', 'commit', 'reverse')
  GROUP BY customer_id, batch_id
) e ON e.customer_id = b.customer_id AND e.batch_id = b.id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.granted IS NULL AND b.consumed <> coalesce(e.consumed, 0)

-- name: i2_uncounted_entry
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  'direction none, balance_after 0' || CASE WHEN e.kind IN ('grant', 'revoke', 'transfer_out', 'transfer_in')
    THEN ', amount 1' ELSE '' END AS expected,
  format('direction %s, balance_after %s, amount %s', e.direction, e.balance_after, e.amount) AS actual,
  format('%s entry of an uncounted batch or of metered usage', e.kind) AS detail
FROM entries e
LEFT JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1)
  AND CASE WHEN e.batch_id IS NULL THEN e.kind NOT IN ('debt', 'forgive')
    ELSE b.id IS NOT NULL AND b.granted IS NULL END
  AND (e.direction <> 'none' OR e.balance_after <> 0
    OR (e.kind IN ('grant', 'revoke', 'transfer_out', 'transfer_in') AND e.amount <> 1))

-- name: i2_entry_direction
-- with: kinds, effects
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  coalesce((SELECT string_agg(direction, ' or ') FROM kinds WHERE kind = e.kind), 'a kind of 3.2') AS expected,
  e.direction AS actual, format('direction of a %s entry of a counted batch or a debt', e.kind) AS detail
FROM effects e
WHERE e.is_counted AND NOT e.is_known

-- name: i2_entry_amount
SELECT 'I2' AS invariant, customer_id, 'entry ' || seq AS subject, 'above 0' AS expected, amount::text AS actual,
  'amount of an entry' AS detail
FROM entries
WHERE ($1::uuid IS NULL OR customer_id = $1) AND amount <= 0

-- name: i2_entry_batch
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN e.batch_id IS NULL THEN 'a batch'
    ELSE format('a batch of %s of this customer', e.product_key) END AS expected,
  CASE WHEN e.batch_id IS NULL THEN 'none'
    ELSE format('batch %s %s', e.batch_id, coalesce('of ' || b.product_key, 'does not exist')) END AS actual,
  format('batch of a %s entry', e.kind) AS detail
FROM entries e
LEFT JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN products p ON p.product_key = e.product_key
WHERE ($1::uuid IS NULL OR e.customer_id = $1)
  AND CASE
    WHEN e.batch_id IS NULL THEN e.kind NOT IN ('debt', 'forgive') AND p.type IS DISTINCT FROM 'metered'
    ELSE b.product_key IS DISTINCT FROM e.product_key
  END

-- name: i2_batch_origin
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  format('one grant entry, first of the batch, of operation %s, order %s', b.operation_id,
    coalesce(b.order_id::text, 'none')) AS expected,
  format('%s grant and %s transfer_in entries, first at seq %s (batch: %s), of operation %s, order %s',
    coalesce(e.grants, 0), coalesce(e.transfers, 0), coalesce(e.origin_seq::text, 'none'),
    coalesce(e.first_seq::text, 'none'), coalesce(e.operations, 'none'), coalesce(e.orders, 'none')) AS actual,
  'a batch begins with the entry that granted it (or moved it here)' AS detail
FROM batches b
LEFT JOIN (
  SELECT customer_id, batch_id, min(seq) AS first_seq,
    count(*) FILTER (WHERE kind = 'grant') AS grants,
    count(*) FILTER (WHERE kind = 'transfer_in') AS transfers,
    min(seq) FILTER (WHERE kind IN ('grant', 'transfer_in')) AS origin_seq,
    string_agg(DISTINCT operation_id::text, ', ') FILTER (WHERE kind IN ('grant', 'transfer_in')) AS operations,
    string_agg(DISTINCT order_id::text, ', ') FILTER (WHERE kind IN ('grant', 'transfer_in')) AS orders
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND batch_id IS NOT NULL
  GROUP BY customer_id, batch_id
) e ON e.customer_id = b.customer_id AND e.batch_id = b.id
WHERE ($1::uuid IS NULL OR b.customer_id = $1)
  AND (e.batch_id IS NULL
    OR NOT ((e.grants = 1 AND e.transfers = 0) OR (e.grants = 0 AND e.transfers >= 1))
    OR e.origin_seq <> e.first_seq
    OR e.operations IS DISTINCT FROM b.operation_id::text
    OR (e.grants = 1 AND e.orders IS DISTINCT FROM b.order_id::text))

-- name: i2_entry_operation
-- An entry and its operation name each other.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN o.id IS NULL THEN 'an operation of this customer'
    ELSE format('recorded %s, entries from %s to %s', o.recorded_at, coalesce(o.first_seq::text, 'null'),
      coalesce(o.last_seq::text, 'null')) END AS expected,
  CASE WHEN e.operation_id IS NULL THEN 'none' WHEN o.id IS NULL THEN format('%s, which does not exist', e.operation_id)
    ELSE format('recorded %s, entry %s', e.recorded_at, e.seq) END AS actual,
  format('operation of a %s entry', e.kind) AS detail
FROM entries e
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1)
  AND CASE
    WHEN e.operation_id IS NULL THEN e.kind NOT IN ('expire', 'release', 'repay') -- found due by settling
    ELSE o.recorded_at IS DISTINCT FROM e.recorded_at OR (e.seq BETWEEN o.first_seq AND o.last_seq) IS NOT TRUE
  END

-- name: i2_occurred_at
-- Only what settling finds due took effect before it was recorded.
SELECT 'I2' AS invariant, customer_id, 'entry ' || seq AS subject,
  CASE WHEN operation_id IS NULL THEN 'at or before ' ELSE 'at ' END || recorded_at AS expected,
  occurred_at::text AS actual, format('instant at which a %s entry takes effect', kind) AS detail
FROM entries
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND CASE WHEN operation_id IS NULL THEN occurred_at > recorded_at ELSE occurred_at <> recorded_at END

-- name: i2_batch_operation
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject, 'an operation of this customer' AS expected,
  format('%s, which does not exist', b.operation_id) AS actual, 'operation that created the batch' AS detail
FROM batches b
LEFT JOIN operations o ON o.customer_id = b.customer_id AND o.id = b.operation_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND o.id IS NULL

-- name: i2_batch_source
-- Of batches that were granted here; one that was moved here keeps its source under the operation that moved it.
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  CASE WHEN n.source IS NULL THEN 'a known source'
    ELSE 'an operation ' || array_to_string(n.names, ' or ') END AS expected,
  format('source %s, operation %s', b.source, o.name) AS actual,
  'a batch is made by the operation that its source names' AS detail
FROM batches b
JOIN entries e ON e.customer_id = b.customer_id AND e.batch_id = b.id AND e.kind = 'grant'
JOIN operations o ON o.customer_id = b.customer_id AND o.id = b.operation_id
LEFT JOIN (VALUES ('purchase', ARRAY['order.confirm']), ('exchange', ARRAY['exchange']),
  ('migration', ARRAY['grant']), ('trial', ARRAY['grant']), ('bonus', ARRAY['grant', 'credits.add']),
  ('adjustment', ARRAY['grant'])
) AS n (source, names) ON n.source = b.source
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND (n.source IS NULL OR o.name <> ALL (n.names))

-- name: i4_migration_source
-- Each operation that migrated has one source id, and each source id names an operation that migrated.
SELECT 'I4' AS invariant, coalesce(b.customer_id, m.customer_id) AS customer_id,
  'operation ' || coalesce(b.operation_id, m.operation_id) AS subject,
  CASE WHEN b.operation_id IS NULL THEN 'batches that were migrated' ELSE 'one source id' END AS expected,
  CASE WHEN b.operation_id IS NULL THEN 'none' ELSE coalesce(m.sources, 0)::text END AS actual,
  'what has a source id elsewhere is migrated once' AS detail
FROM (
  SELECT DISTINCT customer_id, operation_id FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND source = 'migration'
) b
FULL JOIN (
  SELECT customer_id, operation_id, count(*) AS sources FROM migration_sources
  WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id, operation_id
) m ON m.customer_id = b.customer_id AND m.operation_id = b.operation_id
WHERE b.operation_id IS NULL OR m.sources IS DISTINCT FROM 1

-- name: i2_expire_at_end
-- Units expire at the end of their batch (or when it was made, if that was later); those that come back after it, the
-- moment they do.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN b.expires_at IS NULL THEN 'never'
    ELSE format('at %s, and no later than %s', greatest(b.expires_at, b.created_at), e.recorded_at) END AS expected,
  e.occurred_at::text AS actual,
  'an expire entry occurs at the end of its batch, or the moment its units came back' AS detail
FROM entries e
JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN entries back ON back.customer_id = e.customer_id AND back.seq = e.seq - 1 AND back.batch_id = e.batch_id
  AND back.kind IN ('release', 'reverse') AND back.amount = e.amount AND back.occurred_at = e.occurred_at
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'expire'
  AND (b.expires_at IS NULL OR e.occurred_at < b.expires_at OR e.occurred_at > e.recorded_at
    OR (e.occurred_at <> greatest(b.expires_at, b.created_at) AND back.seq IS NULL))

-- name: i2_return_after_end
-- 3.14: what comes back to a batch that has ended leaves it again in the same operation.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('followed by an expire entry of %s of the batch, at %s', e.amount, e.occurred_at) AS expected,
  CASE WHEN n.seq IS NULL THEN 'nothing follows'
    ELSE format('followed by a %s entry of %s, at %s', n.kind, n.amount, n.occurred_at) END AS actual,
  format('units came back to a batch that ended at %s', b.expires_at) AS detail
FROM entries e
JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN entries n ON n.customer_id = e.customer_id AND n.seq = e.seq + 1
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind IN ('release', 'reverse')
  AND b.granted IS NOT NULL AND e.occurred_at >= b.expires_at
  AND (n.kind, n.batch_id, n.amount, n.operation_id, n.occurred_at)
    IS DISTINCT FROM ('expire', e.batch_id, e.amount, e.operation_id, e.occurred_at)

-- name: i2_consume_in_validity
-- Committing what is held asks for nothing more. An overdraft takes from every batch, also those that begin later
-- (3.15).
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('from %s until %s', e.valid_from, coalesce(least(e.expires_at, e.revoked_at)::text, 'for ever')) AS expected,
  e.recorded_at::text AS actual,
  format('units of a %s entry are taken only while their batch is usable (3.3)', e.kind) AS detail
FROM (
  SELECT e.customer_id, e.seq, e.kind, e.operation_id, e.recorded_at, b.valid_from, b.expires_at, b.revoked_at,
    coalesce(e.recorded_at >= b.expires_at OR e.recorded_at > b.revoked_at, false) AS is_over
  FROM entries e
  JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
  WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind IN ('consume', 'hold')
    AND (e.recorded_at < b.valid_from OR e.recorded_at >= b.expires_at OR e.recorded_at > b.revoked_at)
) e
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
WHERE e.is_over OR e.kind <> 'consume' OR o.name IS DISTINCT FROM 'credits.deduct'

-- name: i2_reverse_entry
-- 3.14: what comes back names what it corrects: a use that takes from the same batch, or a debt.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('reverses an earlier %s entry of %s, feature %s at %s, batch %s',
    CASE e.kind WHEN 'reverse' THEN 'consume or commit' WHEN 'forgive' THEN 'debt' ELSE 'no' END, e.product_key,
    coalesce(e.feature, 'none'), coalesce(e.unit_cost::text, 'none'), coalesce(e.batch_id::text, 'none')) AS expected,
  CASE WHEN e.reverses_seq IS NULL THEN 'reverses none'
    WHEN t.seq IS NULL THEN format('reverses entry %s, which does not exist', e.reverses_seq)
    ELSE format('reverses entry %s: a %s of %s, feature %s at %s, batch %s', t.seq, t.kind, t.product_key,
      coalesce(t.feature, 'none'), coalesce(t.unit_cost::text, 'none'), coalesce(t.batch_id::text, 'none'))
  END AS actual,
  format('what a %s entry corrects', e.kind) AS detail
FROM entries e
LEFT JOIN entries t ON t.customer_id = e.customer_id AND t.seq = e.reverses_seq
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND (e.kind = 'reverse' OR e.reverses_seq IS NOT NULL)
  AND (t.seq >= e.seq
    OR (t.product_key, t.batch_id, t.feature, t.unit_cost)
      IS DISTINCT FROM (e.product_key, e.batch_id, e.feature, e.unit_cost)
    OR CASE e.kind WHEN 'reverse' THEN t.kind NOT IN ('consume', 'commit') WHEN 'forgive' THEN t.kind <> 'debt'
      ELSE true END)

-- name: i2_reverse_amount
SELECT 'I2' AS invariant, t.customer_id, 'entry ' || t.seq AS subject, 'at most ' || t.amount AS expected,
  v.amount::text AS actual, 'what came back of an entry is at most what it took, over all give-backs' AS detail
FROM (
  SELECT customer_id, reverses_seq, sum(amount) AS amount
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND reverses_seq IS NOT NULL
  GROUP BY customer_id, reverses_seq
) v
JOIN entries t ON t.customer_id = v.customer_id AND t.seq = v.reverses_seq
WHERE v.amount > t.amount

-- name: i2_reverse_operation
-- Exchanges, repayments and what else is no use are not given back.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  'of an operation quota.release; reverses what a consume, commit or deduction took' AS expected,
  format('of an operation %s; reverses what %s took', coalesce(o.name, 'none'), coalesce(used.name, 'none')) AS actual,
  format('operations of a %s entry', e.kind) AS detail
FROM entries e
LEFT JOIN entries t ON t.customer_id = e.customer_id AND t.seq = e.reverses_seq
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
LEFT JOIN operations used ON used.customer_id = t.customer_id AND used.id = t.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND (e.kind = 'reverse' OR e.reverses_seq IS NOT NULL)
  AND (o.name IS DISTINCT FROM 'quota.release'
    OR used.name NOT IN ('quota.consume', 'quota.consume.item', 'reservation.commit', 'credits.deduct'))

-- name: i2_reverse_whole_units
SELECT 'I2' AS invariant, customer_id, format('%s given back by operation %s', product_key, operation_id) AS subject,
  format('whole units at a cost of %s', coalesce(unit_cost, 1)) AS expected, sum(amount)::text AS actual,
  'what comes back is whole units of what was asked for' AS detail
FROM entries
WHERE ($1::uuid IS NULL OR customer_id = $1) AND reverses_seq IS NOT NULL
GROUP BY customer_id, product_key, operation_id, unit_cost
HAVING sum(amount) % nullif(unit_cost, 0) <> 0

-- name: i2_debt_operation
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject, 'of an operation credits.deduct' AS expected,
  'of an operation ' || coalesce(o.name, 'none') AS actual, 'only an overdraft leaves a debt' AS detail
FROM entries e
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'debt' AND o.name IS DISTINCT FROM 'credits.deduct'

-- name: i2_owed_never_below_0
-- with: owing
SELECT 'I2' AS invariant, customer_id, 'entry ' || seq AS subject, 'at least ' || amount AS expected,
  (owed + amount)::text AS actual,
  format('owed of %s before a %s entry of %s', product_key, kind, amount) AS detail
FROM owing
WHERE owed < 0

-- I3: the ledger has no gaps, and the balances follow from it ---------------------------------------------------------

-- name: i3_seq_gapless
SELECT 'I3' AS invariant, customer_id, 'entry ' || seq AS subject, (previous + 1)::text AS expected,
  seq::text AS actual, 'seq runs 1..n without gaps' AS detail
FROM (
  SELECT customer_id, seq, coalesce(lag(seq) OVER (PARTITION BY customer_id ORDER BY seq), 0) AS previous
  FROM entries
  WHERE $1::uuid IS NULL OR customer_id = $1
) e
WHERE seq <> previous + 1

-- name: i3_operation_entries
-- The entries of an operation follow one another without those of others. They lie between its first and last
-- (i2_entry_operation), so it is enough that a customer's operations name as many as there are, which is counted first.
WITH odd AS MATERIALIZED (
  SELECT customer_id
  FROM (
    SELECT customer_id, sum(last_seq) - sum(first_seq) + count(first_seq) AS entries
    FROM operations
    WHERE $1::uuid IS NULL OR customer_id = $1
    GROUP BY customer_id
    UNION ALL
    SELECT customer_id, -count(operation_id)
    FROM entries
    WHERE $1::uuid IS NULL OR customer_id = $1
    GROUP BY customer_id
  ) named
  GROUP BY customer_id
  HAVING sum(entries) <> 0
)
SELECT 'I3' AS invariant, o.customer_id, 'operation ' || o.id AS subject,
  CASE WHEN e.entries IS NULL THEN '0 entries, from null to null'
    ELSE format('%s entries, from %s to %s', e.last_seq - e.first_seq + 1, e.first_seq, e.last_seq) END AS expected,
  format('%s entries, from %s to %s', coalesce(e.entries, 0), coalesce(o.first_seq::text, 'null'),
    coalesce(o.last_seq::text, 'null')) AS actual,
  format('entries of an operation %s', o.name) AS detail
FROM odd
JOIN operations o ON o.customer_id = odd.customer_id
LEFT JOIN (
  SELECT customer_id, operation_id, min(seq)::numeric AS first_seq, max(seq)::numeric AS last_seq, count(*) AS entries
  FROM entries
  JOIN odd USING (customer_id)
  GROUP BY customer_id, operation_id
) e ON e.customer_id = o.customer_id AND e.operation_id = o.id
WHERE o.first_seq IS DISTINCT FROM e.first_seq OR o.last_seq IS DISTINCT FROM e.last_seq
  OR e.entries <> e.last_seq - e.first_seq + 1

-- name: i3_next_seq
SELECT 'I3' AS invariant, c.id AS customer_id, 'next_seq' AS subject, (coalesce(e.last_seq, 0) + 1)::text AS expected,
  c.next_seq::text AS actual,
  'it follows the last entry' AS detail
FROM customers c
LEFT JOIN (
  SELECT customer_id, max(seq) AS last_seq
  FROM entries
  WHERE $1::uuid IS NULL OR customer_id = $1
  GROUP BY customer_id
) e ON e.customer_id = c.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.next_seq <> coalesce(e.last_seq, 0) + 1

-- name: i3_recorded_at_order
SELECT 'I3' AS invariant, customer_id, 'entry ' || seq AS subject, 'not before ' || previous AS expected,
  recorded_at::text AS actual,
  'recorded_at never goes back along seq' AS detail
FROM (
  SELECT customer_id, seq, recorded_at, lag(recorded_at) OVER (PARTITION BY customer_id ORDER BY seq) AS previous
  FROM entries
  WHERE $1::uuid IS NULL OR customer_id = $1
) e
WHERE recorded_at < previous

-- name: i3_last_recorded_at
SELECT 'I3' AS invariant, c.id AS customer_id, 'last_recorded_at' AS subject,
  'not before ' || r.last_recorded_at AS expected,
  c.last_recorded_at::text AS actual, 'no entry or operation is later' AS detail
FROM customers c
JOIN (
  SELECT customer_id, max(recorded_at) AS last_recorded_at
  FROM (
    SELECT customer_id, max(recorded_at) AS recorded_at FROM entries WHERE $1::uuid IS NULL
      OR customer_id = $1 GROUP BY customer_id
    UNION ALL
    SELECT customer_id, max(recorded_at) FROM operations WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id
  ) recorded
  GROUP BY customer_id
) r ON r.customer_id = c.id
WHERE r.last_recorded_at > c.last_recorded_at

-- name: i3_balance_after
-- with: kinds, effects
SELECT 'I3' AS invariant, customer_id, 'entry ' || seq AS subject, running::text AS expected,
  balance_after::text AS actual,
  format('balance_after of %s: available - owed over all entries up to this one', product_key) AS detail
FROM (
  SELECT customer_id, seq, product_key, balance_after,
    sum(available - owed) OVER (PARTITION BY customer_id, product_key ORDER BY seq ROWS UNBOUNDED PRECEDING) AS running
  FROM effects
  WHERE is_counted
) e
WHERE balance_after <> running

-- name: i3_balance_row
-- with: kinds, effects
SELECT 'I3' AS invariant, customer_id, 'balance ' || product_key AS subject,
  format('available %s, held %s, owed %s', coalesce(e.available, 0), coalesce(e.held, 0),
    coalesce(e.owed, 0)) AS expected,
  CASE WHEN r.available IS NULL THEN 'no row' ELSE
    format('available %s, held %s, owed %s', r.available, r.held, r.owed) END AS actual,
  'the balance row must be the sums of the entries' AS detail
FROM (
  SELECT customer_id, product_key, sum(available) AS available, sum(held) AS held, sum(owed) AS owed
  FROM effects
  WHERE is_counted
  GROUP BY customer_id, product_key
) e
FULL JOIN (
  SELECT customer_id, product_key, available, held, owed
  FROM balances
  WHERE $1::uuid IS NULL OR customer_id = $1
) r USING (customer_id, product_key)
WHERE r.available IS NULL
  OR r.available <> coalesce(e.available, 0) OR r.held <> coalesce(e.held, 0) OR r.owed <> coalesce(e.owed, 0)

-- name: i3_balance_batches
SELECT 'I3' AS invariant, customer_id, 'balance ' || product_key AS subject,
  format('available %s, held %s', coalesce(b.available, 0), coalesce(b.held, 0)) AS expected,
  CASE WHEN r.available IS NULL THEN 'no row' ELSE format('available %s, held %s', r.available, r.held) END AS actual,
  'the balance row must be the sums of the counted batches' AS detail
FROM (
  SELECT customer_id, product_key, sum(available) AS available, sum(held) AS held
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND granted IS NOT NULL
  GROUP BY customer_id, product_key
) b
FULL JOIN (
  SELECT customer_id, product_key, available, held
  FROM balances
  WHERE $1::uuid IS NULL OR customer_id = $1
) r USING (customer_id, product_key)
WHERE r.available IS NULL OR r.available <> coalesce(b.available, 0) OR r.held <> coalesce(b.held, 0)

-- name: i3_owed_excludes_available
SELECT 'I3' AS invariant, customer_id, 'balance ' || product_key AS subject,
  'no part below 0; nothing available while something is owed' AS expected,
  format('available %s, held %s, owed %s', available, held, owed) AS actual, 'parts of a balance' AS detail
FROM balances
WHERE ($1::uuid IS NULL OR customer_id = $1) AND (least(available, held, owed) < 0 OR (owed > 0 AND available > 0))

-- name: i3_debt_of_all
-- with: owing
-- What is owed after a debt is then the whole balance.
SELECT 'I3' AS invariant, customer_id, 'entry ' || seq AS subject, 'nothing' AS expected,
  (balance_after + owed)::text AS actual,
  format('available of %s beside a debt: an overdraft takes what there is first', product_key) AS detail
FROM owing
WHERE kind = 'debt' AND balance_after + owed <> 0

-- name: i3_repaid_at_once
-- While something is owed nothing is available, so that the balance before a credit is what was owed.
SELECT 'I3' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('followed by a repay entry of %s of the batch',
    least(e.amount, e.amount - e.balance_after::numeric)) AS expected,
  CASE WHEN n.seq IS NULL THEN 'nothing follows'
    ELSE format('followed by a %s entry of %s', n.kind, n.amount) END AS actual,
  format('%s of %s while something is owed of it', e.kind, e.product_key) AS detail
FROM entries e
LEFT JOIN entries n ON n.customer_id = e.customer_id AND n.seq = e.seq + 1
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.direction = 'credit' AND e.batch_id IS NOT NULL
  AND e.balance_after < e.amount
  AND (n.batch_id IS DISTINCT FROM e.batch_id
    OR CASE n.kind WHEN 'repay' THEN n.amount <> least(e.amount, e.amount - e.balance_after::numeric)
      ELSE n.kind NOT IN ('expire', 'revoke', 'transfer_out') OR n.amount <> e.amount END)
UNION ALL
SELECT 'I3', e.customer_id, 'entry ' || e.seq, format('behind a credit to the batch, at %s', e.occurred_at),
  CASE WHEN p.seq IS NULL THEN 'behind nothing' ELSE format('behind a %s entry at %s', p.kind, p.occurred_at) END,
  'a repayment takes what has just become available'
FROM entries e
LEFT JOIN entries p ON p.customer_id = e.customer_id AND p.seq = e.seq - 1
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'repay'
  AND (p.direction, p.batch_id, p.operation_id, p.occurred_at)
    IS DISTINCT FROM ('credit', e.batch_id, e.operation_id, e.occurred_at)

-- I4: one effect per key, one paid order per payment ------------------------------------------------------------------

-- name: i4_idempotency_key
SELECT 'I4' AS invariant, customer_id, format('key %s of %s', idempotency_key, name) AS subject,
  '1 operation' AS expected,
  count(*) || ' operations' AS actual, 'ids ' || string_agg(id::text, ', ' ORDER BY id) AS detail
FROM operations
WHERE ($1::uuid IS NULL OR customer_id = $1) AND idempotency_key IS NOT NULL
GROUP BY customer_id, name, idempotency_key
HAVING count(*) > 1

-- name: i4_keyed_answer
SELECT 'I4' AS invariant, customer_id, 'operation ' || id AS subject,
  CASE WHEN idempotency_key IS NULL THEN 'an answer only with its status, 200 to 299'
    ELSE 'hash, version and answer with a status of 200 to 299' END AS expected,
  format('hash %s, version %s, status %s, answer %s', CASE WHEN request_hash IS NULL THEN 'null' ELSE 'given' END,
    coalesce(request_hash_version::text, 'null'), coalesce(status::text, 'null'),
    CASE WHEN answer IS NULL THEN 'null' ELSE 'given' END) AS actual,
  'what a repeated request is compared with and answered; refusals are not recorded' AS detail
FROM operations
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND ((idempotency_key IS NOT NULL AND (request_hash IS NULL OR request_hash_version IS NULL OR answer IS NULL))
    OR (status IS NULL) <> (answer IS NULL) OR status NOT BETWEEN 200 AND 299)

-- name: i4_keyed_call
-- Calls that are about no one customer: looked at only with all of them.
SELECT 'I4' AS invariant, NULL::uuid AS customer_id, format('key %s of %s', idempotency_key, name) AS subject,
  '1 call with a status of 200 to 299' AS expected,
  format('%s calls, status %s', count(*), string_agg(status::text, ', ' ORDER BY status)) AS actual,
  'what a repeated call is answered; refusals are not recorded' AS detail
FROM keyed_calls
WHERE $1::uuid IS NULL
GROUP BY name, idempotency_key
HAVING count(*) > 1 OR min(status) < 200 OR max(status) > 299

-- name: i4_payment_unique
SELECT 'I4' AS invariant, min(customer_id::text)::uuid AS customer_id,
  format('payment %s of %s', payment_id, payment_method) AS subject,
  '1 row' AS expected,
  count(*) || ' rows' AS actual, 'a payment is claimed once' AS detail
FROM payments
WHERE $1::uuid IS NULL OR customer_id = $1
GROUP BY payment_method, payment_id
HAVING count(*) > 1

-- name: i4_payment_pays_one_order
SELECT 'I4' AS invariant, min(customer_id::text)::uuid AS customer_id,
  format('payment %s of %s', payment_id, payment_method) AS subject,
  '1 paid order' AS expected, count(*) || ' paid orders' AS actual,
  'orders ' || string_agg(id::text, ', ' ORDER BY id) AS detail
FROM orders
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND status IN ('paid', 'partially_refunded', 'refunded') AND payment_id IS NOT NULL
GROUP BY payment_method, payment_id
HAVING count(*) > 1

-- name: i4_order_has_payment
SELECT 'I4' AS invariant, o.customer_id, 'order ' || o.id AS subject,
  CASE WHEN o.payment_id IS NULL THEN 'a payment'
    ELSE format('payment %s of %s: paid %s %s for this order, by operation %s', o.payment_id, o.payment_method,
      o.total_amount, o.currency, o.paid_by) END AS expected,
  CASE WHEN o.payment_id IS NULL THEN 'none' WHEN p.payment_id IS NULL THEN 'no such payment'
    ELSE format('%s %s %s for order %s of customer %s, by operation %s', p.status, p.amount, p.currency, p.order_id,
      p.customer_id, coalesce(p.operation_id::text, 'none')) END AS actual,
  'a paid order and its payment name each other' AS detail
FROM orders o
LEFT JOIN payments p ON p.payment_method = o.payment_method AND p.payment_id = o.payment_id
WHERE ($1::uuid IS NULL OR o.customer_id = $1)
  AND o.status IN ('paid', 'partially_refunded', 'refunded')
  AND (o.total_amount > 0 OR o.payment_id IS NOT NULL)
  AND (p.payment_id IS NULL
    OR (p.status, p.customer_id, p.order_id, coalesce(p.amount, o.total_amount), coalesce(p.currency, o.currency), p.operation_id)
      IS DISTINCT FROM ('paid', o.customer_id, o.id, o.total_amount, o.currency, o.paid_by))

-- name: i4_payment_has_order
SELECT 'I4' AS invariant, p.customer_id, format('payment %s of %s', p.payment_id, p.payment_method) AS subject,
  CASE WHEN p.status = 'paid' THEN format('order %s, paid by it', p.order_id)
    ELSE format('order %s of this customer, not paid by it', p.order_id) END AS expected,
  CASE WHEN o.id IS NULL THEN 'no such order of this customer'
    ELSE format('order is %s, payment %s of %s', o.status, coalesce(o.payment_id, 'none'),
      coalesce(o.payment_method, 'none')) END AS actual,
  format('order of a payment that is %s', p.status) AS detail
FROM payments p
LEFT JOIN orders o ON o.customer_id = p.customer_id AND o.id = p.order_id
WHERE ($1::uuid IS NULL OR p.customer_id = $1)
  AND (o.id IS NULL
    OR (p.status = 'paid') <> (o.status IN ('paid', 'partially_refunded', 'refunded')
      AND (o.payment_method, o.payment_id) IS NOT DISTINCT FROM (p.payment_method, p.payment_id)))

-- name: i4_payment_status
SELECT 'I4' AS invariant, customer_id, format('payment %s of %s', payment_id, payment_method) AS subject,
  'failed, unmatched or paid; of an operation unless unmatched; not below 0' AS expected,
  format('%s, amount %s, operation %s', status, amount, coalesce(operation_id::text, 'none')) AS actual,
  'state of a payment' AS detail
FROM payments
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND (status NOT IN ('failed', 'unmatched', 'paid') OR (status <> 'unmatched' AND operation_id IS NULL) OR amount < 0)

-- name: i4_trial_unique
SELECT 'I4' AS invariant, min(customer_id::text)::uuid AS customer_id,
  format('trial claim %s of scope %s', left(identity_hash, 12), scope) AS subject, '1 row' AS expected,
  count(*) || ' rows' AS actual, 'one trial per scope and identity' AS detail
FROM trial_uses
WHERE $1::uuid IS NULL OR customer_id = $1
GROUP BY scope, pepper_id, identity_hash
HAVING count(*) > 1

-- name: i4_trial_form
-- What stands there in place of a hash is not shown: it may be what should have been hashed.
SELECT 'I4' AS invariant, customer_id, format('trial claim of operation %s', operation_id) AS subject,
  'scope any or offer:<SKU>, a pepper id, a lower-case type, a hash of 64 hex digits' AS expected,
  format('scope %s, pepper id of %s, type of %s, hash of %s characters', scope, length(pepper_id),
    length(identity_type), length(identity_hash)) AS actual,
  'an identity that had a trial is known only by its keyed hash' AS detail
FROM trial_uses
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND (identity_hash !~ '^[0-9a-f]{64}$' OR pepper_id !~ '^[0-9a-f]{12}$' OR scope !~ '^(any|offer:[^[:lower:][:space:]]+)$'
    OR identity_type = '' OR identity_type <> lower(btrim(identity_type)))

-- name: i4_trial_operation
SELECT 'I4' AS invariant, u.customer_id,
  format('trial claim %s of scope %s', left(u.identity_hash, 12), u.scope) AS subject,
  'the operation of this customer that granted this trial at ' || u.used_at AS expected,
  format('operation %s, which %s', u.operation_id, CASE
    WHEN o.id IS NULL THEN 'does not exist'
    WHEN b.skus IS NULL THEN 'granted no trial'
    ELSE format('granted the trials %s at %s', array_to_string(b.skus, ', '), o.recorded_at) END) AS actual,
  'a claim belongs to the trial that it was made for' AS detail
FROM trial_uses u
LEFT JOIN operations o ON o.customer_id = u.customer_id AND o.id = u.operation_id
LEFT JOIN (
  SELECT customer_id, operation_id, array_agg(DISTINCT coalesce(sku, 'none')) AS skus
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND source = 'trial'
  GROUP BY customer_id, operation_id
) b ON b.customer_id = u.customer_id AND b.operation_id = u.operation_id
WHERE ($1::uuid IS NULL OR u.customer_id = $1)
  AND (o.id IS NULL OR b.skus IS NULL OR o.recorded_at <> u.used_at
    OR (u.scope LIKE 'offer:%' AND substr(u.scope, length('offer:') + 1) <> ALL (b.skus)))

-- name: i4_trial_claimed
-- An override writes no claim and needs a reason, which its batches keep.
SELECT 'I4' AS invariant, b.customer_id, 'operation ' || b.operation_id AS subject,
  'a claim for the customer id, or a reason (an override)' AS expected, 'neither' AS actual,
  'trials of ' || string_agg(DISTINCT coalesce(b.sku, 'none'), ', ') AS detail
FROM batches b
LEFT JOIN trial_uses u ON u.customer_id = b.customer_id AND u.operation_id = b.operation_id
  AND u.identity_type = 'customer_id'
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.source = 'trial'
  AND u.operation_id IS NULL AND b.metadata ->> 'reason' IS NULL
GROUP BY b.customer_id, b.operation_id

-- I5: what is held is held by open reservations -----------------------------------------------------------------------

-- name: i5_held
SELECT 'I5' AS invariant, customer_id, subject, sum(legs)::text AS expected, sum(held)::text AS actual,
  'held must be the sum of the legs of open reservations' AS detail
FROM (
  SELECT customer_id, 'batch ' || id AS subject, 0::numeric AS legs, held::numeric AS held
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND held <> 0
  UNION ALL
  SELECT customer_id, 'balance ' || product_key, 0, held
  FROM balances
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND held <> 0
  UNION ALL
  SELECT l.customer_id, s.subject, l.amount, 0
  FROM reservation_legs l
  JOIN reservations r ON r.customer_id = l.customer_id AND r.id = l.reservation_id AND r.status = 'held'
  JOIN batches b ON b.customer_id = l.customer_id AND b.id = l.batch_id AND b.granted IS NOT NULL
  CROSS JOIN LATERAL (VALUES ('batch ' || b.id), ('balance ' || b.product_key)) AS s (subject)
  WHERE $1::uuid IS NULL OR l.customer_id = $1
) h
GROUP BY customer_id, subject
HAVING sum(legs) <> sum(held)

-- name: i5_reservation_state
-- An instant may be infinite or far off: subtracted as numbers of seconds, which never overflow.
SELECT 'I5' AS invariant, customer_id, 'reservation ' || id AS subject,
  'one subject; from 1 to 2^53-1; ends within 7 days, once: at expires_at, or before it by an operation' AS expected,
  format('%s of product %s, feature %s, %s, %s committed, from %s to %s, ended %s by %s', amount,
    coalesce(product_key, 'none'), coalesce(feature, 'none'), status, committed_amount, created_at, expires_at,
    coalesce(ended_at::text, 'never'), coalesce(ended_by::text, 'nobody')) AS actual,
  'state of a reservation' AS detail
FROM reservations
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND ((product_key IS NULL) = (feature IS NULL)
    OR amount NOT BETWEEN 1 AND 9007199254740991 OR committed_amount NOT BETWEEN 0 AND 9007199254740991
    OR expires_at <= created_at OR extract(epoch FROM expires_at) - extract(epoch FROM created_at) > 7 * 24 * 3600
    OR (status = 'committed') <> (committed_amount > 0)
    OR CASE status
      WHEN 'held' THEN ended_at IS NOT NULL OR ended_by IS NOT NULL
      WHEN 'expired' THEN ended_at IS DISTINCT FROM expires_at OR ended_by IS NOT NULL
      WHEN 'committed' THEN ended_by IS NULL OR coalesce(ended_at < created_at OR ended_at >= expires_at, true)
      WHEN 'released' THEN ended_by IS NULL OR coalesce(ended_at < created_at OR ended_at >= expires_at, true)
      ELSE true
    END)

-- name: i5_reservation_operation
SELECT 'I5' AS invariant, r.customer_id, 'reservation ' || r.id AS subject,
  format('made by reservation.create at %s', r.created_at)
    || CASE WHEN r.ended_by IS NULL THEN ''
      ELSE format(', ended by reservation.%s at %s',
        CASE r.status WHEN 'committed' THEN 'commit' ELSE 'release' END, r.ended_at) END AS expected,
  format('made by %s at %s', coalesce(made.name, r.operation_id || ', which does not exist'),
      coalesce(made.recorded_at::text, 'no time'))
    || CASE WHEN r.ended_by IS NULL THEN ''
      ELSE format(', ended by %s at %s', coalesce(ended.name, r.ended_by || ', which does not exist'),
        coalesce(ended.recorded_at::text, 'no time')) END AS actual,
  'operations that a reservation names' AS detail
FROM reservations r
LEFT JOIN operations made ON made.customer_id = r.customer_id AND made.id = r.operation_id
LEFT JOIN operations ended ON ended.customer_id = r.customer_id AND ended.id = r.ended_by
WHERE ($1::uuid IS NULL OR r.customer_id = $1)
  AND ((made.name, made.recorded_at) IS DISTINCT FROM ('reservation.create', r.created_at)
    OR (r.ended_by IS NOT NULL
      AND (ended.name, ended.recorded_at) IS DISTINCT FROM
        (CASE r.status WHEN 'committed' THEN 'reservation.commit' WHEN 'released' THEN 'reservation.release' END,
          r.ended_at)))

-- name: i5_reservation_leg
-- with: costs
-- A product that was asked for itself is the only one, and costs 1.
SELECT 'I5' AS invariant, l.customer_id, format('leg %s of reservation %s', l.position, l.reservation_id) AS subject,
  format('of a reservation that has a cost of %s, 1 or more of a batch of it', l.product_key) AS expected,
  format('of a reservation that %s, has %s as cost, %s of a batch %s',
    CASE WHEN r.id IS NULL THEN 'does not exist'
      ELSE 'asks for ' || coalesce(r.feature, r.product_key, 'nothing') END,
    coalesce(c.cost::text, 'none'), l.amount, coalesce('of ' || b.product_key, 'that does not exist')) AS actual,
  'what a reservation holds of a batch' AS detail
FROM reservation_legs l
LEFT JOIN reservations r ON r.customer_id = l.customer_id AND r.id = l.reservation_id
LEFT JOIN batches b ON b.customer_id = l.customer_id AND b.id = l.batch_id
LEFT JOIN costs c ON c.customer_id = l.customer_id AND c.reservation_id = l.reservation_id
  AND c.product_key = l.product_key
WHERE ($1::uuid IS NULL OR l.customer_id = $1)
  AND (b.product_key IS DISTINCT FROM l.product_key OR c.cost IS NULL OR l.amount < 1
    OR (r.feature IS NULL AND (r.product_key IS DISTINCT FROM l.product_key OR c.cost <> 1)))

-- name: i5_reservation_amount
-- with: costs
SELECT 'I5' AS invariant, r.customer_id, 'reservation ' || r.id AS subject,
  format('%s units, whole ones of each product', r.amount) AS expected, coalesce(h.legs, 'no legs') AS actual,
  'what a reservation holds' AS detail
FROM reservations r
LEFT JOIN (
  SELECT l.customer_id, l.reservation_id, sum(l.amount / c.cost) AS units, bool_or(l.amount % c.cost <> 0) AS is_broken,
    string_agg(format('%s of %s at a cost of %s', l.amount, l.product_key, coalesce(c.cost::text, 'none')), ', '
      ORDER BY l.product_key) AS legs
  FROM (
    SELECT customer_id, reservation_id, product_key, sum(amount) AS amount
    FROM reservation_legs
    WHERE $1::uuid IS NULL OR customer_id = $1
    GROUP BY customer_id, reservation_id, product_key
  ) l
  LEFT JOIN costs c ON c.customer_id = l.customer_id AND c.reservation_id = l.reservation_id
    AND c.product_key = l.product_key
  GROUP BY l.customer_id, l.reservation_id
) h ON h.customer_id = r.customer_id AND h.reservation_id = r.id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND (h.units IS DISTINCT FROM r.amount OR h.is_broken)

-- name: i5_reservation_entry
-- with: costs
-- What a reservation did is said by the operation, and at the instant, that made or ended it; nobody ends a lapse.
SELECT 'I5' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN r.id IS NULL THEN 'a reservation of this customer'
    ELSE format('of operation %s at %s, feature %s at %s',
      coalesce(CASE WHEN e.kind = 'hold' THEN r.operation_id ELSE r.ended_by END::text, 'none'),
      coalesce(CASE WHEN e.kind = 'hold' THEN r.created_at ELSE r.ended_at END::text, 'no time yet'),
      coalesce(r.feature, 'none'), coalesce(CASE WHEN r.feature IS NOT NULL THEN c.cost END::text, 'none'))
  END AS expected,
  CASE WHEN r.id IS NULL THEN coalesce(e.reservation_id || ', which does not exist', 'none')
    ELSE format('of operation %s at %s, feature %s at %s', coalesce(e.operation_id::text, 'none'), e.occurred_at,
      coalesce(e.feature, 'none'), coalesce(e.unit_cost::text, 'none')) END AS actual,
  format('%s entry of reservation %s', e.kind, coalesce(e.reservation_id::text, 'none')) AS detail
FROM entries e
LEFT JOIN reservations r ON r.customer_id = e.customer_id AND r.id = e.reservation_id
LEFT JOIN costs c ON c.customer_id = e.customer_id AND c.reservation_id = e.reservation_id
  AND c.product_key = e.product_key
WHERE ($1::uuid IS NULL OR e.customer_id = $1)
  AND (e.reservation_id IS NOT NULL OR e.kind IN ('hold', 'release', 'commit'))
  AND (r.id IS NULL
    OR (e.kind IN ('hold', 'release', 'commit', 'consume') AND (
      (e.operation_id, e.occurred_at) IS DISTINCT FROM
        (CASE WHEN e.kind = 'hold' THEN r.operation_id ELSE r.ended_by END,
          CASE WHEN e.kind = 'hold' THEN r.created_at ELSE r.ended_at END)
      OR (e.feature, e.unit_cost) IS DISTINCT FROM (r.feature, CASE WHEN r.feature IS NOT NULL THEN c.cost END))))

-- name: i5_reservation_batch
-- Counted or not: what was held of a batch is its leg, and leaves whole when the reservation ends.
SELECT 'I5' AS invariant, r.customer_id, format('batch %s in reservation %s', u.batch_id, r.id) AS subject,
  format('%s held, %s released or committed', u.legs, CASE WHEN r.status = 'held' THEN 0 ELSE u.legs END) AS expected,
  format('%s held, %s released or committed', u.held, u.ended) AS actual,
  format('entries of a reservation that is %s', r.status) AS detail
FROM (
  SELECT customer_id, reservation_id, batch_id, sum(legs) AS legs, sum(held) AS held, sum(ended) AS ended
  FROM (
    SELECT customer_id, reservation_id, batch_id, amount AS legs, 0 AS held, 0 AS ended
    FROM reservation_legs
    WHERE $1::uuid IS NULL OR customer_id = $1
    UNION ALL
    SELECT customer_id, reservation_id, batch_id, 0, CASE WHEN kind = 'hold' THEN amount ELSE 0 END,
      CASE WHEN kind = 'hold' THEN 0 ELSE amount END
    FROM entries
    WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('hold', 'release', 'commit')
  ) moved
  GROUP BY customer_id, reservation_id, batch_id
) u
JOIN reservations r ON r.customer_id = u.customer_id AND r.id = u.reservation_id
WHERE u.held <> u.legs OR u.ended <> CASE WHEN r.status = 'held' THEN 0 ELSE u.legs END

-- name: i5_reservation_committed
-- with: costs
-- What is used beyond what was held is consumed, at the costs of then.
SELECT 'I5' AS invariant, r.customer_id, 'reservation ' || r.id AS subject,
  format('%s units of what was held, %s beyond it, whole ones of each product', least(r.committed_amount, r.amount),
    greatest(r.committed_amount - r.amount, 0)) AS expected,
  coalesce(u.used, 'no entries') AS actual,
  format('%s committed of a reservation of %s', r.committed_amount, r.amount) AS detail
FROM reservations r
LEFT JOIN (
  SELECT e.customer_id, e.reservation_id,
    coalesce(sum(e.amount / c.cost) FILTER (WHERE e.kind = 'commit'), 0) AS committed,
    coalesce(sum(e.amount / c.cost) FILTER (WHERE e.kind = 'consume'), 0) AS consumed,
    bool_or(e.amount % c.cost <> 0) AS is_broken,
    string_agg(format('%s %s of %s at a cost of %s', e.kind, e.amount, e.product_key, coalesce(c.cost::text, 'none')),
      ', ' ORDER BY e.kind, e.product_key) AS used
  FROM (
    SELECT customer_id, reservation_id, product_key, kind, sum(amount) AS amount
    FROM entries
    WHERE ($1::uuid IS NULL OR customer_id = $1) AND reservation_id IS NOT NULL AND kind IN ('commit', 'consume')
    GROUP BY customer_id, reservation_id, product_key, kind
  ) e
  LEFT JOIN costs c ON c.customer_id = e.customer_id AND c.reservation_id = e.reservation_id
    AND c.product_key = e.product_key
  GROUP BY e.customer_id, e.reservation_id
) u ON u.customer_id = r.customer_id AND u.reservation_id = r.id
WHERE ($1::uuid IS NULL OR r.customer_id = $1)
  AND (coalesce(u.committed, 0) <> least(r.committed_amount, r.amount)
    OR coalesce(u.consumed, 0) <> greatest(r.committed_amount - r.amount, 0) OR u.is_broken)

-- I7: the ledger is append-only, and what guards the other tables stands ----------------------------------------------

-- name: i7_triggers
-- tgtype bits: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate. A trigger with a condition or for some
-- columns only guards too little.
SELECT g.invariant, NULL::uuid AS customer_id, format('trigger %s on %s', g.trigger_name, g.table_name) AS subject,
  'present, enabled, unconditional' AS expected,
  CASE
    WHEN t.oid IS NULL THEN 'absent'
    WHEN t.tgenabled NOT IN ('O', 'A') THEN 'disabled'
    WHEN t.tgtype::integer <> g.type THEN 'of another type: ' || t.tgtype
    WHEN t.tgqual IS NOT NULL OR t.tgattr <> '' THEN 'conditional'
    ELSE format('calls %s, which %s', p.proname,
      CASE WHEN p.proname <> g.function_name THEN 'is another function' ELSE 'does not do its work' END)
  END AS actual,
  'a guard of the database' AS detail
FROM (VALUES
  ('I7', 'entries', 'entries_append_only_i7', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I1', 'batches', 'batches_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'operations', 'operations_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'keyed_calls', 'keyed_calls_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I5', 'reservations', 'reservations_guard', 19, 'reservations_guard', 'RAISE EXCEPTION'),
  ('I5', 'reservations', 'reservations_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I5', 'reservation_legs', 'reservation_legs_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'payments', 'payments_guard', 19, 'payments_guard', 'RAISE EXCEPTION'),
  ('I4', 'payments', 'payments_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I8', 'orders', 'orders_guard', 19, 'orders_guard', 'RAISE EXCEPTION'),
  ('I8', 'orders', 'orders_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I8', 'order_items', 'order_items_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'trial_uses', 'trial_uses_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'migration_sources', 'migration_sources_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'referrals', 'referrals_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'products', 'products_guard', 19, 'products_guard', 'RAISE EXCEPTION'),
  ('REF', 'products', 'products_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'offers', 'offers_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'products', 'products_claim_name', 5, 'catalog_claim_name', 'INSERT INTO catalog_names'),
  ('REF', 'offers', 'offers_claim_name', 5, 'catalog_claim_name', 'INSERT INTO catalog_names')
) AS g (invariant, table_name, trigger_name, type, function_name, does)
LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(g.table_name) AND t.tgname = g.trigger_name AND NOT t.tgisinternal
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
WHERE ($1::uuid IS NULL OR true)
  AND (t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A') OR t.tgtype::integer <> g.type
    OR t.tgqual IS NOT NULL OR t.tgattr <> ''
    OR p.proname <> g.function_name OR strpos(p.prosrc, g.does) = 0)

-- I8: orders move along their state machine, and a paid order has the batches its snapshot says -----------------------

-- name: i8_order_status
SELECT 'I8' AS invariant, o.customer_id, 'order ' || o.id AS subject,
  'a legal status; paid_at and paid_by (an operation of this customer) exactly when it is or was paid' AS expected,
  format('%s, paid_at %s, paid_by %s', o.status, coalesce(o.paid_at::text, 'null'),
    CASE WHEN o.paid_by IS NULL THEN 'null' WHEN p.id IS NULL THEN format('%s, which does not exist', o.paid_by)
      ELSE o.paid_by::text END) AS actual,
  'state of an order' AS detail
FROM orders o
LEFT JOIN operations p ON p.customer_id = o.customer_id AND p.id = o.paid_by
WHERE ($1::uuid IS NULL OR o.customer_id = $1)
  AND (o.status NOT IN ('pending', 'paid', 'partially_refunded', 'refunded', 'cancelled', 'expired')
    OR (o.status IN ('paid', 'partially_refunded', 'refunded')) <> (o.paid_at IS NOT NULL)
    OR (o.status IN ('paid', 'partially_refunded', 'refunded')) <> (p.id IS NOT NULL)
    OR (o.paid_by IS NOT NULL AND p.id IS NULL)
    OR o.paid_at < o.created_at)

-- name: i8_order_total
SELECT 'I8' AS invariant, o.customer_id, 'order ' || o.id AS subject,
  coalesce(i.total::text, 'at least one line') AS expected,
  CASE WHEN i.total IS NULL THEN 'none' ELSE o.total_amount::text END AS actual,
  'total_amount is the sum of price x quantity of its lines' AS detail
FROM orders o
LEFT JOIN (
  SELECT customer_id, order_id, sum(price * quantity) AS total
  FROM order_items
  WHERE $1::uuid IS NULL OR customer_id = $1
  GROUP BY customer_id, order_id
) i ON i.customer_id = o.customer_id AND i.order_id = o.id
WHERE ($1::uuid IS NULL OR o.customer_id = $1) AND o.total_amount IS DISTINCT FROM i.total

-- name: i8_order_terms
SELECT 'I8' AS invariant, i.customer_id, format('line %s of order %s', i.position, i.order_id) AS subject,
  'an array of {productKey, productType, quantity, periodUnit, periodValue, priority, stacking}' AS expected,
  left(coalesce(t.term, i.terms)::text, 500) AS actual, 'the snapshot of the terms is malformed' AS detail
FROM order_items i
LEFT JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.terms) = 'array' THEN i.terms ELSE '[]' END)
  AS t (term) ON true
WHERE ($1::uuid IS NULL OR i.customer_id = $1)
  AND (jsonb_typeof(i.terms) <> 'array'
    OR (t.term IS NOT NULL AND NOT coalesce(
      jsonb_typeof(t.term -> 'productKey') = 'string'
      AND t.term ->> 'productType' IN ('quantity', 'period', 'unlimited')
      AND t.term ->> 'periodUnit' IN ('hours', 'days', 'months', 'years', 'forever')
      AND t.term ->> 'stacking' IN ('extend', 'parallel')
      AND CASE WHEN jsonb_typeof(t.term -> 'quantity') = 'number'
        THEN (t.term ->> 'quantity')::numeric >= 1 AND (t.term ->> 'quantity')::numeric % 1 = 0 ELSE false END
      AND CASE WHEN jsonb_typeof(t.term -> 'priority') = 'number'
        THEN (t.term ->> 'priority')::numeric % 1 = 0 ELSE false END
      AND CASE
        WHEN t.term ->> 'periodUnit' = 'forever'
          THEN coalesce(jsonb_typeof(t.term -> 'periodValue'), 'null') = 'null'
        WHEN jsonb_typeof(t.term -> 'periodValue') = 'number'
          THEN (t.term ->> 'periodValue')::numeric >= 1 AND (t.term ->> 'periodValue')::numeric % 1 = 0
        ELSE false
      END, false)))

-- name: i8_unpaid_order_batches
SELECT 'I8' AS invariant, b.customer_id, 'order ' || b.order_id AS subject, 'no batches' AS expected,
  count(*) || ' batches' AS actual,
  format('the order is %s', o.status) AS detail
FROM batches b
JOIN orders o ON o.customer_id = b.customer_id AND o.id = b.order_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND o.status NOT IN ('paid', 'partially_refunded', 'refunded')
GROUP BY b.customer_id, b.order_id, o.status

-- name: i8_order_batches
-- with: terms
SELECT 'I8' AS invariant, customer_id, 'order ' || order_id AS subject, sum(promised) || ' batches' AS expected,
  sum(present) || ' batches' AS actual,
  format('%s of %s with priority %s, of line %s', coalesce(granted::text, 'uncounted'), coalesce(product_key, 'null'),
    coalesce(priority::text, 'null'), coalesce(order_item_id::text, 'none')) AS detail
FROM (
  SELECT customer_id, order_id, order_item_id, product_key, granted, priority, 1 AS promised, 0 AS present
  FROM terms
  WHERE status IN ('paid', 'partially_refunded', 'refunded')
  UNION ALL
  SELECT b.customer_id, b.order_id, b.order_item_id, b.product_key, b.granted::numeric, b.priority::numeric, 0, 1
  FROM batches b
  JOIN orders o ON o.customer_id = b.customer_id AND o.id = b.order_id
  WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND o.status IN ('paid', 'partially_refunded', 'refunded')
) s
GROUP BY customer_id, order_id, order_item_id, product_key, granted, priority
HAVING sum(promised) <> sum(present)

-- name: i8_order_batch_end
-- with: terms
-- Terms that promise the same units of the same product with the same priority are told apart only by their length:
-- each batch must have the end that one of them gives, and each term must be some batch's.
WITH fits AS (
  SELECT b.customer_id, b.order_id, b.id, t.order_item_id, t.line, t.ordinal, t.period_unit, t.period_value,
    b.valid_from, b.expires_at, e.ends_at, b.expires_at IS NOT DISTINCT FROM e.ends_at AS is_fitting
  FROM terms t
  JOIN batches b ON b.customer_id = t.customer_id AND b.order_item_id = t.order_item_id
    AND b.product_key = t.product_key AND b.priority = t.priority AND b.granted IS NOT DISTINCT FROM t.granted
  CROSS JOIN LATERAL (SELECT CASE
    WHEN t.period_unit = 'forever' THEN NULL
    WHEN t.period_value >= 0 AND extract(year FROM b.valid_from AT TIME ZONE 'UTC') + t.period_value / CASE t.period_unit
      WHEN 'hours' THEN 8760 WHEN 'days' THEN 365 WHEN 'months' THEN 12 ELSE 1 END < 275000
    THEN (b.valid_from AT TIME ZONE 'UTC' + t.period_value::float8 * CASE t.period_unit
      WHEN 'hours' THEN interval '1 hour' WHEN 'days' THEN interval '1 day'
      WHEN 'months' THEN interval '1 month' WHEN 'years' THEN interval '1 year' END) AT TIME ZONE 'UTC'
    ELSE 'infinity' -- beyond what an instant can say, or malformed: no batch has this end
  END AS ends_at) e
  WHERE t.status IN ('paid', 'partially_refunded', 'refunded')
)
SELECT 'I8' AS invariant, customer_id, 'batch ' || id AS subject,
  string_agg(DISTINCT coalesce(ends_at::text, 'never'), ' or ') AS expected,
  coalesce(expires_at::text, 'never') AS actual,
  format('end of a batch of order %s: %s from %s', order_id,
    string_agg(DISTINCT concat_ws(' ', period_value, period_unit), ' or '), valid_from) AS detail
FROM fits
GROUP BY customer_id, order_id, id, valid_from, expires_at
HAVING NOT bool_or(is_fitting)
UNION ALL
SELECT 'I8', customer_id, 'order ' || order_id,
  format('a batch of %s', concat_ws(' ', period_value, period_unit)), 'none of that length',
  format('term %s of line %s', ordinal, line)
FROM fits
GROUP BY customer_id, order_id, order_item_id, line, ordinal, period_unit, period_value
HAVING NOT bool_or(is_fitting) AND count(*) > 1 -- with one batch only, the row above has said it

-- name: i8_order_batch_lineage
SELECT 'I8' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  CASE WHEN o.id IS NULL OR i.id IS NULL THEN 'an order of this customer, and a line of it'
    ELSE format('a purchase of sku %s, by operation %s', i.sku, coalesce(o.paid_by::text, 'none')) END AS expected,
  CASE WHEN o.id IS NULL OR i.id IS NULL
    THEN format('order %s, line %s', coalesce(b.order_id::text, 'none'), coalesce(b.order_item_id::text, 'none'))
    ELSE format('a %s of sku %s, by operation %s', b.source, coalesce(b.sku, 'none'), b.operation_id) END AS actual,
  'a batch of an order names what it comes from' AS detail
FROM batches b
LEFT JOIN orders o ON o.customer_id = b.customer_id AND o.id = b.order_id
LEFT JOIN order_items i ON i.customer_id = b.customer_id AND i.order_id = b.order_id AND i.id = b.order_item_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1)
  AND CASE
    WHEN b.order_id IS NULL AND b.order_item_id IS NULL THEN b.source = 'purchase'
    ELSE o.id IS NULL OR i.id IS NULL OR b.source <> 'purchase' OR b.sku IS DISTINCT FROM i.sku
      OR (o.paid_by IS NOT NULL AND b.operation_id <> o.paid_by)
  END

-- References that have no foreign key (section 2) ---------------------------------------------------------------------

-- name: ref_product
SELECT 'REF' AS invariant, r.customer_id, 'product ' || coalesce(r.product_key, 'null') AS subject,
  'in the catalogue' AS expected, 'not there' AS actual,
  'named by ' || string_agg(r.place, ', ' ORDER BY r.place) AS detail
FROM (
  SELECT customer_id, product_key, 'batches' AS place FROM batches WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, product_key, 'balances' FROM balances WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, product_key, 'entries' FROM entries WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT i.customer_id, t.term ->> 'productKey', 'order_items'
  FROM order_items i
  CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.terms) = 'array' THEN i.terms ELSE '[]' END)
    AS t (term)
  WHERE $1::uuid IS NULL OR i.customer_id = $1
) r
LEFT JOIN products p ON p.product_key = r.product_key
WHERE p.product_key IS NULL
GROUP BY r.customer_id, r.product_key

-- name: ref_offer
SELECT 'REF' AS invariant, r.customer_id, 'offer ' || r.sku AS subject, 'in the catalogue' AS expected,
  'not there' AS actual,
  'named by ' || string_agg(r.place, ', ' ORDER BY r.place) AS detail
FROM (
  SELECT customer_id, sku, 'order_items' AS place FROM order_items WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, sku, 'batches'
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND sku IS NOT NULL
) r
LEFT JOIN offers o ON o.sku = r.sku
WHERE o.sku IS NULL
GROUP BY r.customer_id, r.sku

-- name: ref_catalogue_name
-- Products and offers share one namespace, in upper case. Not about one customer: looked at only with all of them.
SELECT 'REF' AS invariant, NULL::uuid AS customer_id, c.kind || ' ' || c.name AS subject,
  'an upper-case name, claimed as ' || c.kind AS expected,
  coalesce('claimed as ' || n.kind, 'not claimed') AS actual, 'name in the catalogue' AS detail
FROM (
  SELECT product_key AS name, 'product' AS kind FROM products
  UNION ALL
  SELECT sku, 'offer' FROM offers
) c
LEFT JOIN catalog_names n ON n.name = c.name
WHERE $1::uuid IS NULL AND (n.kind IS DISTINCT FROM c.kind OR c.name <> upper(c.name))

-- name: ref_identity_customer
SELECT 'REF' AS invariant, i.customer_id, 'identity ' || i.id AS subject, 'a customer' AS expected,
  'no such customer' AS actual,
  'customer that an identity names' AS detail
FROM identities i
LEFT JOIN customers c ON c.id = i.customer_id
WHERE ($1::uuid IS NULL OR i.customer_id = $1) AND c.id IS NULL

-- name: ref_entry_customer
SELECT 'REF' AS invariant, e.customer_id, 'customer ' || e.customer_id AS subject, 'a customer' AS expected,
  'no such customer' AS actual, format('named by %s entries', e.entries) AS detail
FROM (
  SELECT customer_id, count(*) AS entries FROM entries WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id
) e
LEFT JOIN customers c ON c.id = e.customer_id
WHERE c.id IS NULL

-- name: ref_entry_order
SELECT 'REF' AS invariant, e.customer_id, 'entry ' || e.seq AS subject, 'an order of this customer' AS expected,
  format('order %s, which does not exist', e.order_id) AS actual,
  'order that an entry names' AS detail
FROM entries e
LEFT JOIN orders o ON o.customer_id = e.customer_id AND o.id = e.order_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.order_id IS NOT NULL AND o.id IS NULL

-- name: ref_payment_operation
SELECT 'REF' AS invariant, p.customer_id, format('payment %s of %s', p.payment_id, p.payment_method) AS subject,
  'an operation of this customer' AS expected,
  format('operation %s, which does not exist', p.operation_id) AS actual, 'operation that a payment names' AS detail
FROM payments p
LEFT JOIN operations o ON o.customer_id = p.customer_id AND o.id = p.operation_id
WHERE ($1::uuid IS NULL OR p.customer_id = $1) AND p.operation_id IS NOT NULL AND o.id IS NULL

-- name: ref_referral_unique
SELECT 'REF' AS invariant, customer_id, 'referral' AS subject, '1 referrer' AS expected, count(*) || ' rows' AS actual,
  'by ' || string_agg(referrer_id::text, ', ' ORDER BY referrer_id) AS detail
FROM referrals
WHERE $1::uuid IS NULL OR customer_id = $1
GROUP BY customer_id
HAVING count(*) > 1

-- name: ref_referral_customer
SELECT 'REF' AS invariant, r.customer_id, 'referral ' || r.id AS subject, 'two customers' AS expected,
  format('referee %s, referrer %s', CASE WHEN e.id IS NULL THEN 'does not exist' ELSE 'exists' END,
    CASE WHEN f.id IS NULL THEN r.referrer_id || ' does not exist' ELSE 'exists' END) AS actual,
  'customers that a referral names' AS detail
FROM referrals r
LEFT JOIN customers e ON e.id = r.customer_id
LEFT JOIN customers f ON f.id = r.referrer_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND (e.id IS NULL OR f.id IS NULL)

-- name: ref_referral_operation
SELECT 'REF' AS invariant, r.customer_id, 'referral ' || r.id AS subject, 'an operation of the referee' AS expected,
  format('operation %s, which does not exist', r.operation_id) AS actual, 'operation that a referral names' AS detail
FROM referrals r
LEFT JOIN operations o ON o.customer_id = r.customer_id AND o.id = r.operation_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND o.id IS NULL

-- name: ref_referral_cycle
-- Only who brought somebody can be on a cycle. UNION ends the walk where it comes back to what it has seen.
WITH RECURSIVE up (customer_id, referrer_id) AS (
  SELECT r.customer_id, r.referrer_id
  FROM referrals r
  WHERE ($1::uuid IS NULL OR r.customer_id = $1)
    AND EXISTS (SELECT FROM referrals brought WHERE brought.referrer_id = r.customer_id)
  UNION
  SELECT u.customer_id, r.referrer_id
  FROM up u
  JOIN referrals r ON r.customer_id = u.referrer_id
  WHERE u.referrer_id <> u.customer_id
)
SELECT 'REF' AS invariant, customer_id, 'referrers of the customer' AS subject, 'others' AS expected,
  'the customer too' AS actual, 'nobody refers himself, directly or over others' AS detail
FROM up
WHERE referrer_id = customer_id
