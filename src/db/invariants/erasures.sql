-- Erasures: of whoever was erased nothing is open, nothing is left, and nothing personal stays (DOMAIN 3.10).

-- name: ref_erasure
-- Who was erased has an erasure of that instant, by an operation of whom he leads to; so has all of his family, and nobody else.
SELECT 'REF' AS invariant, coalesce(e.customer_id, c.id) AS customer_id, 'customer ' || coalesce(e.customer_id, c.id) AS subject,
  'erased with his family, by an operation of ' || coalesce(c.merged_into, c.id, e.final_id) AS expected,
  format('erased at %s, with %s at %s, by %s; the erasure is of %s', coalesce(c.erased_at::text, 'no instant'), f.id, coalesce(f.erased_at::text, 'no instant'),
    coalesce(o.name, 'no operation'), coalesce(e.erased_at::text, 'no instant')) AS actual,
  'customer who was erased' AS detail
FROM customers c
FULL JOIN customer_erasures e ON e.customer_id = c.id
LEFT JOIN customers f ON f.id = coalesce(c.merged_into, c.id)
LEFT JOIN operations o ON o.customer_id = e.final_id AND o.id = e.operation_id
WHERE ($1::uuid IS NULL OR c.id = $1 OR e.customer_id = $1) AND (c.erased_at IS NOT NULL OR e.customer_id IS NOT NULL OR f.erased_at IS NOT NULL)
  AND (c.erased_at IS DISTINCT FROM e.erased_at OR f.erased_at IS DISTINCT FROM c.erased_at OR e.final_id IS DISTINCT FROM f.id
    OR o.name IS DISTINCT FROM 'customer.erase' OR o.recorded_at IS DISTINCT FROM e.erased_at)

-- name: i3_erased_empty
-- Rewards are armed by others, who lock nobody else: what one armed at the same moment is cancelled when it is due.
SELECT 'I3' AS invariant, c.id AS customer_id, t.subject, 'nothing' AS expected, t.actual, 'what is left, or open, of a customer who was erased' AS detail
FROM customers c
CROSS JOIN LATERAL (
  SELECT 'balance ' || b.product_key AS subject, format('available %s, held %s', b.available, b.held) AS actual
  FROM balances b WHERE b.customer_id = c.id AND (b.available <> 0 OR b.held <> 0)
  UNION ALL
  SELECT 'batch ' || b.id, 'access until ' || coalesce(b.expires_at::text, 'for ever')
  FROM batches b WHERE b.customer_id = c.id AND b.granted IS NULL AND b.source <> 'metered' AND b.revoked_at IS NULL
    AND (b.expires_at IS NULL OR b.expires_at > c.erased_at)
  UNION ALL
  SELECT 'order ' || o.id, o.status FROM orders o WHERE o.customer_id = c.id AND o.status = 'pending'
  UNION ALL
  SELECT 'reservation ' || r.id, r.status FROM reservations r WHERE r.customer_id = c.id AND r.status = 'held'
  UNION ALL
  SELECT 'subscription ' || s.id, s.status FROM subscriptions s WHERE s.customer_id = c.id AND s.ended_at IS NULL
  UNION ALL
  SELECT 'reward ' || r.id, r.status FROM rewards r
  WHERE r.customer_id = c.id AND r.status IN ('armed', 'held') AND r.created_at < c.erased_at - interval '1 minute'
  UNION ALL
  SELECT 'identity ' || i.id, 'names him' FROM identities i WHERE i.customer_id = c.id
  UNION ALL
  SELECT 'former identity of ' || f.provider, 'named him' FROM former_identities f WHERE f.customer_id = c.id
  UNION ALL
  SELECT 'limits', 'shared with ' || l.source_id FROM limit_sources l WHERE l.customer_id = c.id
) t
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.erased_at IS NOT NULL

-- name: i7_erased_entries
-- Nothing is granted, taken or given back behind an erasure.
SELECT 'I7' AS invariant, e.customer_id, 'entry ' || e.seq AS subject, 'recorded by ' || c.erased_at AS expected, 'recorded at ' || e.recorded_at AS actual,
  'entry of a customer who was erased' AS detail
FROM entries e
JOIN customers c ON c.id = e.customer_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND c.erased_at IS NOT NULL AND e.recorded_at > c.erased_at

-- name: i7_erased_blank
SELECT 'I7' AS invariant, e.customer_id, t.subject, 'blanked' AS expected, 'not blanked' AS actual, 'what is personal of a customer who was erased' AS detail
FROM customer_erasures e
CROSS JOIN LATERAL (
  SELECT 'metadata of the customer' AS subject FROM customers WHERE id = e.customer_id AND metadata <> '{}'
  UNION ALL
  SELECT 'referral ' || id FROM referrals WHERE customer_id = e.customer_id AND metadata <> '{}'
  UNION ALL
  SELECT 'order ' || id FROM orders WHERE customer_id = e.customer_id AND (metadata <> '{}' OR cancel_reason IS NOT NULL)
  UNION ALL
  SELECT 'order line ' || id FROM order_items WHERE customer_id = e.customer_id AND price_reason <> ''
  UNION ALL
  SELECT 'refund ' || id FROM refunds WHERE customer_id = e.customer_id AND reason IS NOT NULL
  UNION ALL
  SELECT 'subscription ' || id FROM subscriptions WHERE customer_id = e.customer_id AND metadata <> '{}'
  UNION ALL
  SELECT 'batch ' || id FROM batches WHERE customer_id = e.customer_id AND metadata <> '{}'
  UNION ALL
  SELECT 'reservation ' || id FROM reservations WHERE customer_id = e.customer_id AND (metadata <> '{}' OR action_id IS NOT NULL)
  UNION ALL
  SELECT 'entry ' || seq FROM entries
  WHERE customer_id = e.customer_id AND (metadata IS NOT NULL AND kind <> 'adjust' OR action_id IS NOT NULL AND kind <> 'repay')
  UNION ALL
  SELECT format('archived %s %s', kind, source_id) FROM archived_records WHERE customer_id = e.customer_id AND data - 'created_at' <> '{}'
  UNION ALL
  SELECT format('answer of %s about %s', name, key) FROM idempotency_records
  WHERE customer_id = e.customer_id AND (kind = 'client' OR answer <> '')
  UNION ALL
  SELECT format('%s %s', type, number) FROM events
  WHERE customer_id = e.customer_id AND jsonb_typeof(data) = 'object' AND (coalesce(data -> 'metadata', '{}') <> '{}' OR coalesce(data ->> 'externalId', '[erased]') <> '[erased]'
    OR coalesce(data -> 'reason', 'null') <> 'null' OR coalesce(data -> 'actionId', 'null') <> 'null')
  UNION ALL
  SELECT format('%s %s', action, id) FROM audit_records a CROSS JOIN LATERAL (VALUES (a.before), (a.after)) AS snapshot (data)
  WHERE a.customer_id = e.customer_id AND jsonb_typeof(data) = 'object' AND (coalesce(data -> 'metadata', '{}') <> '{}' OR coalesce(data -> 'profile', '{}') <> '{}'
    OR coalesce(data ->> 'externalId', '[erased]') <> '[erased]' OR coalesce(data -> 'reason', 'null') <> 'null' OR coalesce(data -> 'reasons', '[]') <> '[]'
    OR coalesce(data -> 'ownerTag', 'null') <> 'null')
  UNION ALL
  SELECT 'payment event ' || i.id FROM orders o JOIN payment_inbox i ON i.order_id = o.id
  WHERE o.customer_id = e.customer_id AND i.status <> 'waiting' AND (i.body IS NOT NULL OR i.headers <> '{}')
) t
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.blanked_at IS NOT NULL
