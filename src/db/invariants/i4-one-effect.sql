-- I4: one effect per key, one paid order per payment, one trial per identity and scope, one migration per source id.

-- name: i4_record_operation
-- One record per key is a primary key, shared by nobody's code; what it answers was an operation of this customer, by this name.
SELECT 'I4' AS invariant, r.customer_id, format('%s key %s of %s', r.kind, r.key, r.name) AS subject,
  format('operation %s of this customer, called %s, recorded at %s', r.operation_id, r.name, r.recorded_at) AS expected,
  CASE WHEN o.id IS NULL THEN 'no such operation' ELSE format('called %s, recorded at %s', o.name, o.recorded_at) END AS actual,
  'what a repeated request is answered belongs to an operation' AS detail
FROM idempotency_records r
LEFT JOIN operations o ON o.customer_id = r.customer_id AND o.id = r.operation_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND (o.name, o.recorded_at) IS DISTINCT FROM (r.name, r.recorded_at)

-- name: i4_record_unique
SELECT 'I4' AS invariant, customer_id, format('%s key %s of %s', kind, key, name) AS subject, '1 record' AS expected,
  count(*) || ' records' AS actual, 'operations ' || string_agg(operation_id::text, ', ' ORDER BY operation_id) AS detail
FROM idempotency_records
WHERE $1::uuid IS NULL OR customer_id = $1
GROUP BY customer_id, name, kind, key
HAVING count(*) > 1

-- name: i4_record_form
SELECT 'I4' AS invariant, customer_id, format('%s key %s of %s', kind, key, name) AS subject,
  'a key of the client or a natural one, a hash of 32 bytes, a status of 200 to 299' AS expected,
  format('kind %s, hash of %s bytes, status %s', kind, length(request_hash), status) AS actual,
  'what a repeated request is compared with and answered; refusals are not recorded' AS detail
FROM idempotency_records
WHERE ($1::uuid IS NULL OR customer_id = $1)
  AND (kind NOT IN ('client', 'natural') OR length(request_hash) <> 32 OR status NOT BETWEEN 200 AND 299)

-- name: i4_natural_answer
-- What is answered again because of what it is about has its answer kept under that.
SELECT 'I4' AS invariant, w.customer_id, format('%s %s', w.kind, w.id) AS subject,
  format('the answer of operation %s', w.operation_id) AS expected,
  CASE WHEN r.operation_id IS NULL THEN 'no answer' ELSE 'the answer of operation ' || r.operation_id END AS actual,
  'what was paid or ended is answered as it was' AS detail
FROM (
  SELECT customer_id, id, 'order' AS kind, paid_by AS operation_id FROM orders
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND paid_by IS NOT NULL
  UNION ALL
  SELECT customer_id, id, 'reservation', ended_by FROM reservations
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND ended_by IS NOT NULL
) w
LEFT JOIN idempotency_records r ON r.customer_id = w.customer_id AND r.kind = 'natural' AND r.key = w.id::text
  AND r.name = ANY (CASE w.kind WHEN 'order' THEN '{order.confirm}'::text[] ELSE '{reservation.commit,reservation.release}' END)
LEFT JOIN operations o ON o.customer_id = w.customer_id AND o.id = w.operation_id AND o.name = 'customer.erase'
WHERE o.id IS NULL AND r.operation_id IS DISTINCT FROM w.operation_id

-- name: i4_keyed_call
-- Calls that are about no one customer: looked at only with all of them.
SELECT 'I4' AS invariant, NULL::uuid AS customer_id, format('key %s of %s', idempotency_key, name) AS subject,
  '1 call with a status of 200 to 299' AS expected,
  format('%s calls, status %s', count(*), string_agg(status::text, ', ' ORDER BY status)) AS actual,
  'what a repeated call is answered; refusals are not recorded' AS detail
FROM keyed_calls
WHERE $1::uuid IS NULL
GROUP BY owner, name, idempotency_key
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
  FROM (
    SELECT customer_id, operation_id, sku FROM batches WHERE ($1::uuid IS NULL OR customer_id = $1) AND source = 'trial' AND predecessor_customer_id IS NULL
    UNION ALL
    SELECT customer_id, operation_id, sku FROM subscription_periods WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind = 'trial'
  ) given
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
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.source = 'trial' AND b.predecessor_customer_id IS NULL
  AND u.operation_id IS NULL AND b.metadata ->> 'reason' IS NULL AND NOT EXISTS (SELECT FROM customer_erasures e WHERE e.customer_id = b.customer_id)
GROUP BY b.customer_id, b.operation_id

-- name: i4_archived_trial
-- Trials that were used where customers were moved in from: of no customer, looked at only with all of them.
SELECT 'I4' AS invariant, NULL::uuid AS customer_id, format('archived trial %s', left(identity_hash, 12)) AS subject,
  'one row, with a lower-case type and a hash of 64 hex digits' AS expected,
  format('%s rows, type of %s, hash of %s characters', count(*), length(identity_type), length(identity_hash)) AS actual,
  'an identity that had a trial there is known only by its hash' AS detail
FROM archived_trials
WHERE $1::uuid IS NULL
GROUP BY identity_type, identity_hash
HAVING count(*) > 1 OR identity_hash !~ '^[0-9a-f]{64}$' OR identity_type = '' OR identity_type <> lower(btrim(identity_type))

-- name: i4_migration_source
-- Each operation that migrated has one source id, and each source id names an operation that migrated.
SELECT 'I4' AS invariant, coalesce(b.customer_id, m.customer_id) AS customer_id,
  'operation ' || coalesce(b.operation_id, m.operation_id) AS subject,
  CASE WHEN b.operation_id IS NULL THEN 'batches that were migrated' ELSE 'one source id' END AS expected,
  CASE WHEN b.operation_id IS NULL THEN 'none' ELSE coalesce(m.sources, 0)::text END AS actual,
  'what has a source id elsewhere is migrated once' AS detail
FROM (
  SELECT DISTINCT customer_id, operation_id FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND source = 'migration' AND predecessor_customer_id IS NULL
) b
FULL JOIN (
  SELECT customer_id, operation_id, count(*) AS sources FROM idempotency_records
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND kind = 'natural' AND name = 'grant' GROUP BY customer_id, operation_id
) m ON m.customer_id = b.customer_id AND m.operation_id = b.operation_id
WHERE b.operation_id IS NULL OR m.sources IS DISTINCT FROM 1

-- name: i4_period_allocated
-- What a period says that it allocated is what was made of it, once.
SELECT 'I4' AS invariant, customer_id, format('period of %s from %s of subscription %s', sku, starts_at, subscription_id) AS subject,
  format('%s of %s', sum(promised), product_key) AS expected, format('%s of %s', sum(present), product_key) AS actual,
  'a period of a subscription allocates once' AS detail
FROM (
  SELECT p.customer_id, p.subscription_id, p.sku, p.starts_at, g.product_key,
    CASE WHEN jsonb_typeof(g.units) = 'number' THEN g.units::text::numeric ELSE 0 END AS promised, 0::numeric AS present
  FROM subscription_periods p
  CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(p.granted) = 'object' THEN p.granted ELSE '{}' END) AS g (product_key, units)
  WHERE $1::uuid IS NULL OR p.customer_id = $1
  UNION ALL
  SELECT p.customer_id, p.subscription_id, p.sku, p.starts_at, b.product_key, 0, coalesce(b.granted, 1)
  FROM subscription_periods p
  -- of an order of who was merged they are made in his ledger
  JOIN batches b ON b.customer_id = coalesce(p.order_customer_id, p.customer_id) AND b.subscription_id = p.subscription_id AND b.operation_id = p.operation_id
    AND b.sku = p.sku AND b.predecessor_id IS NULL AND b.order_item_id IS NOT DISTINCT FROM p.order_item_id
  WHERE ($1::uuid IS NULL OR p.customer_id = $1) AND p.kind <> 'skipped'
) s
GROUP BY customer_id, subscription_id, sku, starts_at, product_key
HAVING sum(promised) <> sum(present)

-- name: i4_reward_unique
SELECT 'I4' AS invariant, min(customer_id::text)::uuid AS customer_id, format('reward of the %s of referral %s', side, referral_id) AS subject,
  '1 that is not cancelled' AS expected, count(*)::text AS actual, 'one reward per referral and side' AS detail
FROM rewards
WHERE ($1::uuid IS NULL OR customer_id = $1) AND status <> 'cancelled'
GROUP BY referral_id, side
HAVING count(*) > 1

-- name: i4_reward_granted
-- A reward that was granted names the operation of its customer that did it, which granted its offer and nothing else.
SELECT 'I4' AS invariant, coalesce(r.customer_id, o.customer_id) AS customer_id,
  coalesce('reward ' || r.id, 'operation ' || o.id) AS subject,
  CASE WHEN r.id IS NULL THEN 'a reward' ELSE format('operation %s, which granted %s of %s', r.granted_by, r.quantity, r.sku) END AS expected,
  CASE WHEN o.id IS NULL THEN 'no such operation' ELSE format('granted %s at %s', coalesce(b.given, 'nothing'), o.recorded_at) END AS actual,
  'a reward is granted once' AS detail
FROM (SELECT * FROM rewards WHERE ($1::uuid IS NULL OR customer_id = $1) AND granted_by IS NOT NULL) r
FULL JOIN (
  SELECT * FROM operations WHERE ($1::uuid IS NULL OR customer_id = $1) AND name = 'reward.grant' AND first_seq IS NOT NULL
    -- What it grants to a customer that was merged moves on under the same id.
    AND NOT EXISTS (SELECT FROM entries e WHERE e.customer_id = operations.customer_id AND e.seq = operations.first_seq AND e.kind = 'transfer_in')
) o ON o.customer_id = r.customer_id AND o.id = r.granted_by
LEFT JOIN (
  SELECT customer_id, operation_id, string_agg(DISTINCT format('%s of %s', offer_quantity, sku), ', ') AS given
  FROM batches WHERE ($1::uuid IS NULL OR customer_id = $1) AND source = 'bonus' AND sku IS NOT NULL GROUP BY customer_id, operation_id
) b ON b.customer_id = o.customer_id AND b.operation_id = o.id
WHERE r.id IS NULL OR o.id IS NULL OR r.granted_at <> o.recorded_at OR b.given IS DISTINCT FROM format('%s of %s', r.quantity, r.sku)

-- name: i4_reward_places
SELECT 'I4' AS invariant, customer_id, 'rewards of programme ' || program_key AS subject, 'numbered without gaps, none above its bound' AS expected,
  format('%s, numbered %s to %s, %s above', count(*), min(ordinal), max(ordinal), count(*) FILTER (WHERE ordinal > max_rewards)) AS actual,
  'how many a referrer was granted' AS detail
FROM rewards
WHERE ($1::uuid IS NULL OR customer_id = $1) AND ordinal IS NOT NULL
GROUP BY customer_id, program_key
HAVING min(ordinal) <> 1 OR max(ordinal) <> count(*) OR count(DISTINCT ordinal) <> count(*) OR bool_or(ordinal > max_rewards)
