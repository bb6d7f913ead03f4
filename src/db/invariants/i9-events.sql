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

-- name: i9_event_missing
-- with: told
SELECT 'I9' AS invariant, t.customer_id, format('%s of %s', t.type, t.subject_id) AS subject, '1 event' AS expected,
  count(e.place) || ' events' AS actual, 'a change tells once' AS detail
FROM told t
CROSS JOIN event_log l
LEFT JOIN events e ON e.customer_id = t.customer_id AND e.type = t.type AND e.subject_id = t.subject_id
WHERE l.told_since IS NULL OR t.at >= l.told_since
GROUP BY t.customer_id, t.type, t.subject_id
HAVING count(e.place) <> 1

-- name: i9_event_unfounded
-- with: told
SELECT 'I9' AS invariant, e.customer_id, format('%s of %s', e.type, e.subject_id) AS subject, 'a change that it tells' AS expected,
  'none' AS actual, format('event %s', e.number) AS detail
FROM events e
LEFT JOIN told t ON t.customer_id = e.customer_id AND t.type = e.type AND t.subject_id = e.subject_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND t.subject_id IS NULL
  AND e.type NOT IN ('order.payment_failed', 'order.expired', 'payment.unmatched', 'quota.low')
