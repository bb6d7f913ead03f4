-- I3: the ledger has no gaps, and the balances follow from it.

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

-- name: i3_not_ahead
-- No entry or operation of a customer is later than his last_recorded_at (i3_last_recorded_at).
SELECT 'I3' AS invariant, c.id AS customer_id, 'last_recorded_at' AS subject, 'not after ' || l.instant AS expected,
  c.last_recorded_at::text AS actual,
  'dated ahead of the clock, he can''t be written until then (docs/operations.md, A clock that was wrong)' AS detail
FROM customers c
CROSS JOIN latest l
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.last_recorded_at > l.instant
UNION ALL
SELECT 'I3', NULL::uuid, r.subject, 'not after ' || l.instant, r.instant::text,
  'dated ahead of the clock (docs/operations.md, A clock that was wrong)'
FROM (
  SELECT 'product ' || product_key AS subject, greatest(created_at, updated_at) AS instant FROM products
  UNION ALL
  SELECT 'offer ' || sku, greatest(created_at, updated_at) FROM offers
  UNION ALL
  SELECT format('answer to %s under the key %s', name, idempotency_key), recorded_at FROM keyed_calls
) r
CROSS JOIN latest l
WHERE $1::uuid IS NULL AND r.instant > l.instant

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
WHERE kind = 'debt' AND batch_id IS NULL AND balance_after + owed <> 0

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
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.direction = 'credit' AND e.batch_id IS NOT NULL AND e.kind <> 'forgive'
  AND e.balance_after < e.amount
  AND (n.batch_id IS DISTINCT FROM e.batch_id
    OR CASE n.kind WHEN 'repay' THEN n.amount <> least(e.amount, e.amount - e.balance_after::numeric)
      WHEN 'revoke' THEN n.amount > e.amount
      ELSE n.kind NOT IN ('expire', 'transfer_out', 'reverse') OR n.amount < e.amount END)
UNION ALL
SELECT 'I3', e.customer_id, 'entry ' || e.seq, format('behind a credit to the batch, at %s', e.occurred_at),
  CASE WHEN p.seq IS NULL THEN 'behind nothing' ELSE format('behind a %s entry at %s', p.kind, p.occurred_at) END,
  'a repayment takes what has just become available, or of a claim what there is'
FROM entries e
LEFT JOIN entries p ON p.customer_id = e.customer_id AND p.seq = e.seq - 1
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'repay' AND e.direction = 'none'
  AND NOT (p.kind = 'revoke' AND (p.batch_id, p.occurred_at) IS NOT DISTINCT FROM (e.batch_id, e.occurred_at))
  AND NOT ((p.kind IN ('debt', 'repay') OR (p.kind = 'transfer_in' AND p.batch_id IS NULL)) AND (p.product_key, p.operation_id) IS NOT DISTINCT FROM (e.product_key, e.operation_id))
  AND (p.direction, p.batch_id, p.operation_id, p.occurred_at)
    IS DISTINCT FROM ('credit', e.batch_id, e.operation_id, e.occurred_at)

-- name: i3_due_at
-- When something of a customer's falls due next is never told too late.
SELECT 'I3' AS invariant, c.id AS customer_id, 'customer ' || c.id AS subject,
  'due at ' || d.due_at || ' or before' AS expected, 'due at ' || coalesce(c.due_at::text, 'no time') AS actual,
  'the first end of an open batch, a hold or a pending order, or the first turn of a subscription' AS detail
FROM customers c
JOIN (
  SELECT customer_id, min(expires_at) AS due_at FROM (
    SELECT customer_id, expires_at FROM batches
    WHERE ($1::uuid IS NULL OR customer_id = $1) AND available > 0 AND expires_at IS NOT NULL
    UNION ALL
    SELECT customer_id, expires_at FROM reservations WHERE ($1::uuid IS NULL OR customer_id = $1) AND status = 'held'
    UNION ALL
    SELECT customer_id, expires_at FROM orders WHERE ($1::uuid IS NULL OR customer_id = $1) AND status = 'pending'
    UNION ALL
    SELECT customer_id, turns_at FROM subscriptions WHERE ($1::uuid IS NULL OR customer_id = $1) AND turns_at IS NOT NULL
  ) e GROUP BY customer_id
) d ON d.customer_id = c.id
WHERE c.due_at IS NULL OR c.due_at > d.due_at

-- name: i3_turns_at
SELECT 'I3' AS invariant, c.id AS customer_id, 'customer ' || c.id AS subject, 'turns at ' || coalesce(s.turns_at::text, 'no time') AS expected,
  'turns at ' || coalesce(c.turns_at::text, 'no time') AS actual, 'the first turn of his subscriptions' AS detail
FROM customers c
LEFT JOIN (
  SELECT customer_id, min(turns_at) AS turns_at FROM subscriptions WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id
) s ON s.customer_id = c.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.turns_at IS DISTINCT FROM s.turns_at
