-- I2: the entries of a batch give exactly its parts, and each says what it may: of its kind, its batch, its operation, its time.

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
    AND NOT (kind = 'reverse' AND order_id IS NOT NULL) -- access that comes back
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
  AND CASE WHEN e.batch_id IS NULL THEN e.kind NOT IN ('debt', 'forgive', 'transfer_out', 'transfer_in')
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
    WHEN e.batch_id IS NULL THEN e.kind NOT IN ('debt', 'forgive', 'transfer_out', 'transfer_in') AND p.type IS DISTINCT FROM 'metered'
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
    WHEN e.operation_id IS NULL THEN e.kind NOT IN ('expire', 'release', 'repay', 'revoke', 'forgive', 'transfer_out', 'transfer_in') -- found due by settling, or claimed of what lapsed
    ELSE o.recorded_at IS DISTINCT FROM e.recorded_at OR (e.seq BETWEEN o.first_seq AND o.last_seq) IS NOT TRUE
  END

-- name: i2_occurred_at
-- Only what settling finds due took effect before it was recorded, and what time alone does to a subscription.
SELECT 'I2' AS invariant, customer_id, 'entry ' || seq AS subject,
  CASE WHEN operation_id IS NULL THEN 'at or before ' ELSE 'at ' END || recorded_at AS expected,
  occurred_at::text AS actual, format('instant at which a %s entry takes effect', kind) AS detail
FROM entries
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND CASE WHEN operation_id IS NULL THEN occurred_at > recorded_at
    ELSE occurred_at <> recorded_at AND (occurred_at > recorded_at OR NOT EXISTS (
      SELECT FROM operations o WHERE o.customer_id = entries.customer_id AND o.id = entries.operation_id AND o.name = 'subscription.turn')) END

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
  ('migration', ARRAY['grant']), ('trial', ARRAY['grant']), ('bonus', ARRAY['grant', 'credits.add', 'reward.grant']),
  ('adjustment', ARRAY['grant']), ('subscription', ARRAY['subscription.create', 'subscription.change', 'subscription.turn']), ('metered', ARRAY['quota.consume', 'quota.consume.item', 'reservation.create'])
) AS n (source, names) ON n.source = b.source
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND (n.source IS NULL OR o.name <> ALL (n.names))

-- name: i2_batch_subscription
-- Of a family: a merge moves batches beside the subscription, which may have ended where it was. What an older build moved names none.
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject, 'a subscription of this customer, or of his family' AS expected,
  coalesce(b.subscription_id::text || ', which does not exist', 'none') AS actual, format('subscription of a batch of source %s', b.source) AS detail
FROM batches b
LEFT JOIN subscriptions s ON s.customer_id = b.customer_id AND s.id = b.subscription_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND s.id IS NULL AND (b.subscription_id IS NOT NULL OR (b.source = 'subscription' AND b.predecessor_customer_id IS NULL))
  AND NOT EXISTS (
    SELECT FROM subscriptions f JOIN customers other ON other.id = f.customer_id JOIN customers own ON own.id = b.customer_id
    WHERE f.id = b.subscription_id AND coalesce(other.merged_into, other.id) = coalesce(own.merged_into, own.id))

-- name: i2_expire_at_end
-- Units expire at the end of their batch (or when it was made, if that was later); those that come back after it, the
-- moment they do, as far as they do not go over into the present period of their subscription (3.16).
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN b.expires_at IS NULL THEN 'never'
    ELSE format('at %s, and no later than %s', greatest(b.expires_at, b.created_at), e.recorded_at) END AS expected,
  e.occurred_at::text AS actual,
  'an expire entry occurs at the end of its batch, or the moment its units came back' AS detail
FROM entries e
JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN entries back ON back.customer_id = e.customer_id AND back.seq = e.seq - 1 AND back.batch_id = e.batch_id
  AND (back.kind IN ('release', 'reverse', 'repay') AND back.amount = e.amount OR back.kind IN ('revoke', 'forgive')
    OR back.kind = 'release' AND back.amount > e.amount AND b.subscription_id IS NOT NULL)
  AND back.occurred_at = e.occurred_at
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'expire'
  AND (b.expires_at IS NULL OR e.occurred_at < b.expires_at OR e.occurred_at > e.recorded_at
    OR (e.occurred_at <> greatest(b.expires_at, b.created_at) AND back.seq IS NULL))

-- name: i2_return_after_end
-- DOMAIN 3.14: what comes back to a batch that has ended leaves it again in the same operation: what a refund claims first. What a refund gives back
-- moves on to another batch. What a hold frees of a subscription may go over into its present period, by a turn of the same instant or behind it (3.16).
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('followed by an expire entry of %s of the batch, at %s', e.amount, e.occurred_at) AS expected,
  CASE WHEN n.seq IS NULL THEN 'nothing follows'
    ELSE format('followed by a %s entry of %s, at %s', n.kind, n.amount, n.occurred_at) END AS actual,
  format('units came back to a batch that ended at %s', b.expires_at) AS detail
FROM entries e
JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN entries n ON n.customer_id = e.customer_id AND n.seq = e.seq + 1
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind IN ('release', 'reverse') AND NOT (e.kind = 'reverse' AND e.order_id IS NOT NULL)
  AND b.granted IS NOT NULL AND e.occurred_at >= b.expires_at
  AND (n.kind, n.batch_id, n.amount, n.operation_id, n.occurred_at)
    IS DISTINCT FROM ('expire', e.batch_id, e.amount, e.operation_id, e.occurred_at)
  AND (n.kind, n.batch_id, n.operation_id, n.occurred_at) IS DISTINCT FROM ('revoke', e.batch_id, e.operation_id, e.occurred_at)
  AND NOT (e.kind = 'release' AND b.subscription_id IS NOT NULL
    AND (e.occurred_at = b.expires_at OR (n.kind IN ('expire', 'transfer_out') AND n.batch_id = e.batch_id AND n.amount <= e.amount AND n.occurred_at = e.occurred_at)))

-- name: i2_expired_goes_on
-- DOMAIN 3.16: what expired with a period goes on only in the one that was paid within its grace, which began at the end of the batch; a merge takes it along until then.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  format('by a payment behind %s, in a period that began then', coalesce(b.expires_at::text, 'its end')) AS expected,
  format('by %s, at %s', coalesce(o.name, 'none'), e.occurred_at) AS actual,
  'units that have expired go on in a period that was paid within its grace' AS detail
FROM entries e
JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'transfer_out' AND e.direction = 'none' AND b.granted IS NOT NULL
  AND NOT (o.name IS NOT DISTINCT FROM 'customer.merge' AND EXISTS (
    SELECT FROM batches n WHERE n.predecessor_id = b.id AND n.predecessor_customer_id = b.customer_id AND n.expires_at = b.expires_at AND n.created_at = e.occurred_at))
  AND (o.name IS DISTINCT FROM 'order.confirm' OR b.expires_at IS NULL OR e.occurred_at < b.expires_at OR NOT EXISTS (
    SELECT FROM subscription_periods p WHERE p.customer_id = b.customer_id AND p.subscription_id = b.subscription_id AND p.kind = 'paid'
      AND p.starts_at <= b.expires_at AND p.ends_at > b.expires_at AND p.operation_id = e.operation_id))

-- name: i2_consume_in_validity
-- Committing what is held asks for nothing more. An overdraft takes from every batch, also those that begin later
-- (DOMAIN 3.15).
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
-- DOMAIN 3.14: what comes back names what it corrects: a use that takes from the same batch, or a debt; where it names an order, what was revoked of that.
-- Of what is metered it need not.
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
LEFT JOIN batches b ON b.customer_id = e.customer_id AND b.id = e.batch_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND (e.kind = 'reverse' OR e.reverses_seq IS NOT NULL)
  AND NOT (e.kind = 'reverse' AND e.reverses_seq IS NULL AND b.source IS NOT DISTINCT FROM 'metered')
  AND (t.seq >= e.seq
    OR (t.product_key, t.batch_id, t.feature, t.unit_cost)
      IS DISTINCT FROM (e.product_key, e.batch_id, e.feature, e.unit_cost)
    OR CASE e.kind WHEN 'reverse' THEN CASE WHEN e.order_id IS NULL THEN t.kind NOT IN ('consume', 'commit')
        ELSE t.kind <> 'revoke' OR t.order_id IS DISTINCT FROM e.order_id END
      WHEN 'forgive' THEN t.kind <> 'debt' WHEN 'repay' THEN t.kind <> 'repay' OR e.direction <> 'credit' ELSE true END)

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
-- Exchanges and what else is no use are not given back. What a refund or a dispute did is undone by one; what it claims is forgiven by whatever gives it back.
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  'of an operation quota.release; reverses what a consume, commit or deduction took' AS expected,
  format('of an operation %s; reverses what %s took', coalesce(o.name, 'none'), coalesce(used.name, 'none')) AS actual,
  format('operations of a %s entry', e.kind) AS detail
FROM entries e
LEFT JOIN entries t ON t.customer_id = e.customer_id AND t.seq = e.reverses_seq
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
LEFT JOIN operations used ON used.customer_id = t.customer_id AND used.id = t.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND (e.kind = 'reverse' OR e.reverses_seq IS NOT NULL)
  AND CASE WHEN e.order_id IS NOT NULL OR e.kind = 'repay'
    THEN o.name NOT IN ('order.refund', 'order.dispute') AND NOT (e.kind = 'forgive' AND t.batch_id IS NOT NULL)
    ELSE o.name IS DISTINCT FROM 'quota.release'
    OR used.name NOT IN ('quota.consume', 'quota.consume.item', 'reservation.commit', 'credits.deduct') END

-- name: i2_reverse_whole_units
SELECT 'I2' AS invariant, customer_id, format('%s given back by operation %s', product_key, operation_id) AS subject,
  format('whole units at a cost of %s', coalesce(unit_cost, 1)) AS expected, sum(amount)::text AS actual,
  'what comes back is whole units of what was asked for' AS detail
FROM entries
WHERE ($1::uuid IS NULL OR customer_id = $1) AND reverses_seq IS NOT NULL
GROUP BY customer_id, product_key, operation_id, unit_cost
HAVING sum(amount) % nullif(unit_cost, 0) <> 0

-- name: i2_debt_operation
SELECT 'I2' AS invariant, e.customer_id, 'entry ' || e.seq AS subject, CASE WHEN e.batch_id IS NULL THEN 'of an operation credits.deduct' ELSE 'of a refund or a dispute' END AS expected,
  'of an operation ' || coalesce(o.name, 'none') AS actual, 'only an overdraft leaves a debt, and what is claimed of a batch' AS detail
FROM entries e
LEFT JOIN operations o ON o.customer_id = e.customer_id AND o.id = e.operation_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.kind = 'debt'
  AND CASE WHEN e.batch_id IS NULL THEN o.name IS DISTINCT FROM 'credits.deduct'
    ELSE o.name IS NULL OR o.name NOT IN ('order.refund', 'order.dispute') END

-- name: i2_owed_never_below_0
-- with: owing
SELECT 'I2' AS invariant, customer_id, 'entry ' || seq AS subject, 'at least ' || amount AS expected,
  (owed + amount)::text AS actual,
  format('owed of %s before a %s entry of %s', product_key, kind, amount) AS detail
FROM owing
WHERE owed < 0

-- name: i2_recovered
-- DOMAIN 3.7: what refunds and disputes took of a batch is what its entries say that name the order.
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject, coalesce(e.recovered, 0)::text AS expected, b.recovered::text AS actual,
  'what refunds and disputes took of a batch' AS detail
FROM batches b
LEFT JOIN (
  SELECT customer_id, batch_id, sum(CASE kind WHEN 'revoke' THEN amount::numeric ELSE -amount END) AS recovered
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('revoke', 'reverse') AND order_id IS NOT NULL AND direction <> 'none'
  GROUP BY customer_id, batch_id
) e ON e.customer_id = b.customer_id AND e.batch_id = b.id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.recovered <> coalesce(e.recovered, 0)

-- name: i2_claims
-- Of what is claimed of a batch each unit was taken, became a debt, or is neither; what repaid such a debt and came back is claimed no longer.
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  (b.recovered + b.unrecovered + coalesce(d.owed, 0) - coalesce(r.returned, 0))::text AS expected,
  coalesce(c.claimed, 0)::text AS actual, 'what refunds and disputes claim of a batch' AS detail
FROM batches b
LEFT JOIN (
  SELECT customer_id, batch_id, sum(claimed::numeric - undone) AS claimed
  FROM clawbacks WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id, batch_id
) c ON c.customer_id = b.customer_id AND c.batch_id = b.id
LEFT JOIN (
  SELECT customer_id, batch_id, sum(CASE kind WHEN 'debt' THEN amount::numeric ELSE -amount END) AS owed
  FROM entries
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind IN ('debt', 'forgive') AND batch_id IS NOT NULL
  GROUP BY customer_id, batch_id
) d ON d.customer_id = b.customer_id AND d.batch_id = b.id
LEFT JOIN (
  SELECT t.customer_id, t.batch_id, sum(e.amount::numeric) AS returned
  FROM entries e JOIN entries t ON t.kind = 'debt' AND t.batch_id IS NOT NULL
    AND (t.customer_id = e.customer_id AND t.seq::text = e.action_id OR format('%s:%s', t.customer_id, t.seq) = e.action_id) -- it may have moved there
  WHERE ($1::uuid IS NULL OR t.customer_id = $1) AND e.kind = 'repay' AND e.direction = 'credit'
  GROUP BY t.customer_id, t.batch_id
) r ON r.customer_id = b.customer_id AND r.batch_id = b.id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.granted IS NOT NULL
  AND coalesce(c.claimed, 0) <> b.recovered + b.unrecovered + coalesce(d.owed, 0) - coalesce(r.returned, 0)
