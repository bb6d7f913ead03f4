-- I9: every change that has an event type has exactly one event, with its customer's next number.

-- name: i9_event_numbers
SELECT 'I9' AS invariant, c.id AS customer_id, 'events' AS subject,
  format('numbers up to %s without gaps', c.next_event - 1) AS expected,
  format('%s events, numbered %s to %s', e.events, e.first, e.last) AS actual, 'numbers of a customer''s events' AS detail
FROM customers c
JOIN (
  SELECT customer_id, count(*) AS events, min(number) AS first, max(number) AS last
  FROM events WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id
) e ON e.customer_id = c.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND (e.last <> c.next_event - 1 OR e.events <> e.last - e.first + 1)

-- name: i9_own_numbers
SELECT 'I9' AS invariant, NULL::uuid AS customer_id, 'events about no customer' AS subject,
  format('numbers up to %s without gaps', l.next_event - 1) AS expected,
  format('%s events, numbered %s to %s', e.events, e.first, e.last) AS actual, 'numbers of events' AS detail
FROM event_log l
CROSS JOIN (SELECT count(*) AS events, min(number) AS first, max(number) AS last FROM events WHERE customer_id IS NULL) e
WHERE ($1::uuid IS NULL OR true) AND e.events > 0 AND (e.last <> l.next_event - 1 OR e.events <> e.last - e.first + 1)

-- name: i9_notice
SELECT 'I9' AS invariant, n.customer_id, format('%s of %s', n.type, n.subject) AS subject, 'its event' AS expected,
  CASE WHEN e.id IS NULL THEN 'none' ELSE e.type END AS actual, 'what was told once' AS detail
FROM notices n
CROSS JOIN event_log l
LEFT JOIN events e ON e.customer_id = n.customer_id AND e.id = n.event_id
WHERE ($1::uuid IS NULL OR n.customer_id = $1) AND e.type IS DISTINCT FROM n.type
  AND (l.told_since IS NULL OR n.window_start >= l.told_since)

-- name: i9_uses_asked
SELECT 'I9' AS invariant, NULL::uuid AS customer_id, 'whether uses are told' AS subject,
  asked.is_asked::text AS expected, l.tells_uses::text AS actual, 'an endpoint that is enabled asks for them' AS detail
FROM event_log l
CROSS JOIN (
  SELECT EXISTS (SELECT FROM webhook_endpoints WHERE is_enabled AND types ?| ARRAY['*', 'quota.*', 'quota.consumed']) AS is_asked
) asked
WHERE ($1::uuid IS NULL OR true) AND asked.is_asked <> l.tells_uses

-- name: i9_delivery_forgotten
SELECT 'I9' AS invariant, NULL::uuid AS customer_id, format('%s of %s', d.lane, d.feed_id) AS subject, 'an attempt to come' AS expected,
  'none' AS actual, 'what waits to be sent is looked at' AS detail
FROM webhook_deliveries d
WHERE ($1::uuid IS NULL OR d.lane = $1::text) AND d.status = 'waiting'
GROUP BY d.feed_id, d.lane HAVING count(d.next_at) = 0

-- name: i9_delivery_event
SELECT 'I9' AS invariant, NULL::uuid AS customer_id, format('%s of %s', d.place, d.feed_id) AS subject, format('event %s', d.event_id) AS expected,
  coalesce(format('event %s', e.id), 'none') AS actual, 'the event of a delivery' AS detail
FROM webhook_deliveries d
CROSS JOIN event_log l
LEFT JOIN events e ON e.place = d.place
WHERE ($1::uuid IS NULL OR d.lane = $1::text) AND d.place > l.dropped_place
  AND (e.id IS DISTINCT FROM d.event_id OR e.number <> d.number OR coalesce(e.customer_id::text, 'none') <> d.lane)

-- name: i9_event_missing
-- with: told, telling
SELECT 'I9' AS invariant, t.customer_id, format('%s of %s', t.type, t.subject_id) AS subject, '1 event' AS expected,
  t.events || ' events' AS actual, 'a change tells once' AS detail
FROM telling t
CROSS JOIN event_log l
WHERE t.changes > 0 AND t.events <> 1 AND (l.told_since IS NULL OR t.at >= l.told_since)

-- name: i9_event_unfounded
-- with: told, telling
SELECT 'I9' AS invariant, t.customer_id, format('%s of %s', t.type, t.subject_id) AS subject, 'a change that it tells' AS expected,
  'none' AS actual, 'an event without its change' AS detail
FROM telling t
WHERE t.changes = 0 AND t.type NOT IN ('order.payment_failed', 'payment.unmatched', 'quota.low', 'trial.refused', 'batch.expiring', 'quota.limit_reached', 'quota.limit_exceeded')
