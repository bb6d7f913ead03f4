-- Families: customers that were merged, and what moved between their ledgers (DOMAIN 3.10).

-- name: ref_family
-- Who was merged leads to somebody who was not, and knows of it; his merge is known, by whomever he was merged into.
SELECT 'REF' AS invariant, c.id AS customer_id, 'customer ' || c.id AS subject,
  'leads to a customer who names him, and was not merged' AS expected,
  format('leads to %s, which %s', c.merged_into, CASE WHEN t.id IS NULL THEN 'does not exist' WHEN t.merged_into IS NOT NULL THEN 'was merged'
    WHEN m.source_id IS NULL THEN 'has no merge of him' ELSE 'does not name him' END) AS actual,
  'customer that was merged' AS detail
FROM customers c
LEFT JOIN customers t ON t.id = c.merged_into
LEFT JOIN customer_merges m ON m.source_id = c.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.merged_into IS NOT NULL
  AND (t.id IS NULL OR t.merged_into IS NOT NULL OR m.source_id IS NULL OR NOT t.merged_ids ? c.id::text)
UNION ALL
SELECT 'REF', c.id, 'customer ' || c.id, 'leads to ' || c.id, coalesce('leads to ' || s.merged_into, 'leads to nobody'), 'named as merged: ' || i.id
FROM customers c
CROSS JOIN LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(c.merged_ids) = 'array' THEN c.merged_ids ELSE '[]' END) AS i (id)
LEFT JOIN customers s ON s.id::text = i.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND s.merged_into IS DISTINCT FROM c.id

-- name: ref_merge
-- A merge is of two customers, by an operation of the target, and the source leads on from there.
SELECT 'REF' AS invariant, m.customer_id, 'merge of ' || m.source_id AS subject, 'two customers, one of them merged, and an operation' AS expected,
  format('source %s, target %s, operation %s', CASE WHEN s.id IS NULL THEN 'does not exist' WHEN s.merged_into IS NULL THEN 'leads to nobody' ELSE 'exists' END,
    CASE WHEN t.id IS NULL THEN 'does not exist' ELSE 'exists' END, coalesce(o.name, 'does not exist')) AS actual,
  'a merge' AS detail
FROM customer_merges m
LEFT JOIN customers s ON s.id = m.source_id
LEFT JOIN customers t ON t.id = m.customer_id
LEFT JOIN operations o ON o.customer_id = m.customer_id AND o.id = m.operation_id
WHERE ($1::uuid IS NULL OR m.customer_id = $1)
  AND (s.id IS NULL OR t.id IS NULL OR o.name IS DISTINCT FROM 'customer.merge'
    OR s.merged_into IS DISTINCT FROM coalesce(t.merged_into, t.id) OR s.merged_at IS DISTINCT FROM m.created_at)

-- name: ref_merged_identity
SELECT 'REF' AS invariant, i.customer_id, format('identity %s of %s', i.id, i.provider) AS subject, 'names ' || c.merged_into AS expected,
  'names ' || i.customer_id AS actual, 'identities of who was merged name whom he leads to' AS detail
FROM identities i
JOIN customers c ON c.id = i.customer_id
WHERE ($1::uuid IS NULL OR i.customer_id = $1) AND c.merged_into IS NOT NULL

-- name: i3_merged_empty
-- Whoever was merged has and owes nothing but what holds set aside.
SELECT 'I3' AS invariant, b.customer_id, 'balance ' || b.product_key AS subject, 'available 0, owed 0' AS expected,
  format('available %s, owed %s', b.available, b.owed) AS actual, 'balance of a customer that was merged' AS detail
FROM balances b
JOIN customers c ON c.id = b.customer_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND c.merged_into IS NOT NULL AND (b.available <> 0 OR b.owed <> 0)
UNION ALL
SELECT 'I3', b.customer_id, 'batch ' || b.id, 'no access', 'access until ' || coalesce(b.expires_at::text, 'for ever'), 'access of a customer that was merged'
FROM batches b
JOIN customers c ON c.id = b.customer_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND c.merged_into IS NOT NULL AND b.granted IS NULL AND b.source <> 'metered'
  AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > greatest(c.merged_at, c.last_recorded_at, b.created_at))

-- name: i2_moved_batch
-- A batch in which another one goes on is of the same product, order and priority, and of the same offer unless its subscription goes on with another plan; in another ledger it is of the same family, and its units end as there.
SELECT 'I2' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  CASE WHEN p.id IS NULL THEN 'the batch that it goes on for, of the same family'
    ELSE format('%s of order %s, line %s, %s, priority %s, until %s', p.product_key, coalesce(p.order_id::text, 'none'),
      coalesce(p.order_item_id::text, 'none'), p.source, p.priority, coalesce(p.expires_at::text, 'for ever')) END AS expected,
  CASE WHEN p.id IS NULL THEN format('batch %s of %s, which does not exist', b.predecessor_id, coalesce(b.predecessor_customer_id, b.customer_id))
    ELSE format('%s of order %s, line %s, %s, priority %s, until %s', b.product_key, coalesce(b.order_id::text, 'none'),
      coalesce(b.order_item_id::text, 'none'), b.source, b.priority, coalesce(b.expires_at::text, 'for ever')) END AS actual,
  'a batch in which another one goes on' AS detail
FROM batches b
LEFT JOIN customers own ON own.id = b.customer_id
LEFT JOIN customers other ON other.id = b.predecessor_customer_id
LEFT JOIN batches p ON p.customer_id = coalesce(b.predecessor_customer_id, b.customer_id) AND p.id = b.predecessor_id
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.predecessor_id IS NOT NULL
  AND (p.id IS NULL OR (b.product_key, b.order_id, b.order_item_id, b.source,
      CASE WHEN b.order_id IS NULL AND b.subscription_id = p.subscription_id THEN p.sku ELSE b.sku END, b.priority, (b.granted IS NULL))
      IS DISTINCT FROM (p.product_key, p.order_id, p.order_item_id, p.source, p.sku, p.priority, (p.granted IS NULL))
    OR (b.predecessor_customer_id IS NOT NULL AND (other.merged_into IS DISTINCT FROM coalesce(own.merged_into, own.id)
      OR (b.granted IS NOT NULL AND b.expires_at IS DISTINCT FROM p.expires_at))))

-- name: i2_moved_units
-- What left a batch is what those began with in which it goes on, in whichever ledger; of the batches of a subscription, which go on together, what left all.
SELECT 'I2' AS invariant, o.customer_id, CASE WHEN o.is_single THEN 'batch ' ELSE 'batches of subscription ' END || o.subject_id AS subject,
  coalesce(s.granted, 0)::text AS expected, o.transferred::text AS actual, 'units that went on in other batches' AS detail
FROM (
  SELECT customer_id, coalesce(subscription_id, id) AS subject_id, subscription_id IS NULL AS is_single, sum(transferred::numeric) AS transferred
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND granted IS NOT NULL
  GROUP BY customer_id, coalesce(subscription_id, id), subscription_id IS NULL
) o
LEFT JOIN (
  SELECT p.customer_id, coalesce(p.subscription_id, p.id) AS subject_id, sum(b.granted::numeric) AS granted
  FROM batches b
  JOIN batches p ON p.customer_id = coalesce(b.predecessor_customer_id, b.customer_id) AND p.id = b.predecessor_id
  WHERE $1::uuid IS NULL OR p.customer_id = $1
  GROUP BY p.customer_id, coalesce(p.subscription_id, p.id)
) s ON s.customer_id = o.customer_id AND s.subject_id = o.subject_id
WHERE o.transferred <> coalesce(s.granted, 0)

-- name: i2_moved_debts
-- What is owed leaves one ledger of a family and comes to another.
SELECT 'I2' AS invariant, m.family_id AS customer_id, 'owed of ' || m.product_key AS subject, m.moved_out::text AS expected, m.moved_in::text AS actual,
  'what was owed and moved within a family' AS detail
FROM (
  SELECT coalesce(c.merged_into, c.id) AS family_id, e.product_key,
    coalesce(sum(e.amount::numeric) FILTER (WHERE e.kind = 'transfer_out'), 0) AS moved_out,
    coalesce(sum(e.amount::numeric) FILTER (WHERE e.kind = 'transfer_in'), 0) AS moved_in
  FROM entries e JOIN customers c ON c.id = e.customer_id
  WHERE e.batch_id IS NULL AND e.kind IN ('transfer_out', 'transfer_in') AND ($1::uuid IS NULL OR coalesce(c.merged_into, c.id) = $1)
  GROUP BY coalesce(c.merged_into, c.id), e.product_key
) m
WHERE m.moved_out <> m.moved_in

-- name: ref_reward_family
-- Nobody earns anything for bringing himself: what was not granted yet when both sides became one customer was cancelled by that merge.
SELECT 'REF' AS invariant, w.customer_id, 'reward ' || w.id AS subject,
  CASE WHEN w.cancel_reason = 'customers_merged' THEN 'cancelled by a merge, which names it' ELSE 'not of one family' END AS expected,
  CASE WHEN w.cancel_reason = 'customers_merged' THEN format('cancelled at %s, named %s', w.cancelled_at, coalesce('at ' || m.created_at, 'by none'))
    ELSE format('%s, both lead to %s', w.status, coalesce(a.merged_into, a.id)) END AS actual,
  'a reward whose sides became one customer' AS detail
FROM rewards w
LEFT JOIN customers a ON a.id = w.referrer_id
LEFT JOIN customers b ON b.id = w.referee_id
LEFT JOIN (
  SELECT (named ->> 'id')::uuid AS reward_id, own.created_at FROM customer_merges own CROSS JOIN LATERAL jsonb_array_elements(own.moved -> 'cancelledRewards') named
) m ON m.reward_id = w.id
WHERE ($1::uuid IS NULL OR w.customer_id = $1)
  AND CASE WHEN w.cancel_reason = 'customers_merged' THEN m.created_at IS DISTINCT FROM w.cancelled_at
    ELSE w.status IN ('armed', 'held') AND coalesce(a.merged_into, a.id) = coalesce(b.merged_into, b.id) END

-- name: ref_family_subscription
-- A subscription that has not ended is of who was not merged. One that a merge moved goes on under its id, as it was subscribed, in the ledger that it names, which names those that it was in.
SELECT 'REF' AS invariant, s.customer_id, 'subscription ' || s.id AS subject,
  CASE WHEN s.ended_at IS NULL THEN 'of who was not merged' ELSE format('goes on in the ledger of %s, after that of %s', s.moved_to, s.customer_id) END AS expected,
  CASE WHEN s.ended_at IS NULL THEN 'its customer leads to ' || c.merged_into WHEN n.id IS NULL THEN 'is not there'
    ELSE format('after %s, group %s, since %s', n.former_ids, n.plan_group, n.created_at) END AS actual,
  'a subscription of a customer that was merged' AS detail
FROM subscriptions s
JOIN customers c ON c.id = s.customer_id
LEFT JOIN subscriptions n ON n.customer_id = s.moved_to AND n.id = s.id
WHERE ($1::uuid IS NULL OR s.customer_id = $1) AND CASE WHEN s.moved_to IS NULL THEN s.ended_at IS NULL AND c.merged_into IS NOT NULL
  ELSE c.merged_into IS NULL OR n.id IS NULL OR n.former_ids <> s.former_ids || to_jsonb(s.customer_id) OR n.plan_group <> s.plan_group OR n.created_at <> s.created_at END
UNION ALL
SELECT 'REF', s.customer_id, 'subscription ' || s.id, 'was in the ledger of ' || f.id, coalesce('goes on in that of ' || b.moved_to, 'was not there, or ended there'),
  'a subscription that a merge brought'
FROM subscriptions s
CROSS JOIN LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(s.former_ids) = 'array' THEN s.former_ids ELSE '[]' END) WITH ORDINALITY AS f (id, number)
LEFT JOIN subscriptions b ON b.customer_id::text = f.id AND b.id = s.id
WHERE ($1::uuid IS NULL OR s.customer_id = $1) AND b.moved_to::text IS DISTINCT FROM coalesce(s.former_ids ->> f.number::int, s.customer_id::text)

-- name: ref_family_period
-- An order in another ledger that paid a period is of who leads to the same customer, and the line is of it.
SELECT 'REF' AS invariant, p.customer_id, format('period of %s from %s of subscription %s', p.sku, p.starts_at, p.subscription_id) AS subject,
  'paid by a line of an order of the same family' AS expected,
  format('line %s of order %s of %s, which %s', p.order_item_id, p.order_id, p.order_customer_id,
    CASE WHEN i.id IS NULL THEN 'does not exist' ELSE 'is of another family' END) AS actual,
  'a period that who was merged paid' AS detail
FROM subscription_periods p
JOIN customers own ON own.id = p.customer_id
LEFT JOIN customers other ON other.id = p.order_customer_id
LEFT JOIN order_items i ON i.customer_id = p.order_customer_id AND i.order_id = p.order_id AND i.id = p.order_item_id
WHERE ($1::uuid IS NULL OR p.customer_id = $1) AND p.order_customer_id IS NOT NULL
  AND (i.id IS NULL OR coalesce(other.merged_into, other.id) IS DISTINCT FROM coalesce(own.merged_into, own.id))
