-- I8: orders move along their state machine, and a paid order has the batches its snapshot says.

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

-- name: i8_order_refunded
-- DOMAIN 3.7: the status of a paid order follows from its refunds that did not fail; disputes stand beside it.
SELECT 'I8' AS invariant, o.customer_id, 'order ' || o.id AS subject,
  format('refunded %s, disputed %s, %s', coalesce(r.amount, 0), coalesce(d.amount, 0), s.status) AS expected,
  format('refunded %s, disputed %s, %s', o.refunded_amount, o.disputed_amount, o.status) AS actual,
  'what came of an order after it was paid' AS detail
FROM orders o
LEFT JOIN (
  SELECT customer_id, order_id, sum(amount) AS amount, count(*) AS count FROM refunds
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND status = 'succeeded' GROUP BY customer_id, order_id
) r ON r.customer_id = o.customer_id AND r.order_id = o.id
LEFT JOIN (
  SELECT customer_id, order_id, sum(amount) AS amount FROM disputes
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND status <> 'won' GROUP BY customer_id, order_id
) d ON d.customer_id = o.customer_id AND d.order_id = o.id
CROSS JOIN LATERAL (SELECT CASE WHEN o.paid_at IS NULL THEN o.status WHEN r.count IS NULL THEN 'paid'
  WHEN o.total_amount = 0 THEN CASE WHEN o.status = 'refunded' THEN 'refunded' ELSE 'partially_refunded' END
  WHEN r.amount = o.total_amount THEN 'refunded'
  WHEN r.amount = 0 AND o.status = 'paid' THEN 'paid' ELSE 'partially_refunded' END AS status) s
WHERE ($1::uuid IS NULL OR o.customer_id = $1)
  AND (o.refunded_amount <> coalesce(r.amount, 0) OR o.disputed_amount <> coalesce(d.amount, 0) OR o.status <> s.status)

-- name: i8_refund_sides
-- DOMAIN 3.7: what was told from both sides is two refunds of one order, of which the first counts and both failed or none did.
SELECT 'I8' AS invariant, r.customer_id, 'refund ' || r.id AS subject, 'refund ' || r.fills || ' of the same order, ' || r.status AS expected,
  coalesce('refund ' || f.id || ', ' || f.status, 'none') AS actual, 'a refund that stands for another one' AS detail
FROM refunds r
LEFT JOIN refunds f ON f.customer_id = r.customer_id AND f.order_id = r.order_id AND f.id = r.fills AND f.fills IS NULL
WHERE r.fills IS NOT NULL AND ($1::uuid IS NULL OR r.customer_id = $1)
  AND (f.id IS NULL OR f.status <> r.status OR f.told_by IS NULL OR f.told_by IS NOT DISTINCT FROM r.told_by)

-- name: i8_refund_lines
SELECT 'I8' AS invariant, r.customer_id, 'refund ' || r.id AS subject, r.amount::text AS expected, coalesce(i.amount, 0)::text AS actual,
  'a refund is the sum of what it gave back of each line' AS detail
FROM refunds r
LEFT JOIN LATERAL (
  SELECT sum((line ->> 'amount')::numeric) AS amount
  FROM jsonb_array_elements(CASE WHEN jsonb_typeof(r.items) = 'array' THEN r.items ELSE '[]' END) AS line
) i ON true
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND r.amount <> coalesce(i.amount, 0)

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
  SELECT customer_id, order_id, order_item_id, product_key, granted, priority, times AS promised, 0 AS present
  FROM terms
  WHERE status IN ('paid', 'partially_refunded', 'refunded')
  UNION ALL
  SELECT b.customer_id, b.order_id, b.order_item_id, b.product_key, b.granted::numeric, b.priority::numeric, 0, 1
  FROM batches b
  JOIN orders o ON o.customer_id = b.customer_id AND o.id = b.order_id
  WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND o.status IN ('paid', 'partially_refunded', 'refunded') AND b.predecessor_id IS NULL
) s
GROUP BY customer_id, order_id, order_item_id, product_key, granted, priority
HAVING sum(promised) <> sum(present)

-- name: i8_allocation_starts
-- with: terms
-- Where a period allocates more than once, what it gives each time begins at an instant of its own.
SELECT 'I8' AS invariant, t.customer_id, format('line %s of order %s', t.line, t.order_id) AS subject, t.times || ' instants' AS expected,
  count(DISTINCT b.valid_from) || ' instants' AS actual, format('from when units of %s are valid that a period allocates', t.product_key) AS detail
FROM terms t
JOIN batches b ON b.customer_id = t.customer_id AND b.order_item_id = t.order_item_id AND b.product_key = t.product_key
  AND b.predecessor_id IS NULL
WHERE t.times > 1 AND t.status IN ('paid', 'partially_refunded', 'refunded')
GROUP BY t.customer_id, t.order_id, t.order_item_id, t.line, t.product_key, t.times
HAVING count(DISTINCT b.valid_from) <> t.times

-- name: i8_order_batch_end
-- with: terms
-- Terms that promise the same units of the same product with the same priority are told apart only by their length:
-- each batch must have the end that one of them gives, and each term must be some batch's. Months and years end on the anchor
-- day of the batch (DOMAIN 3.5), or the last one of the month. What a refund moved is looked at as it was granted.
WITH granted AS (
  SELECT b.customer_id, b.order_id, b.order_item_id, b.id, b.product_key, b.priority, b.granted,
    CASE WHEN a.metadata IS NULL THEN b.valid_from ELSE (a.metadata #>> '{validFrom,old}')::timestamptz END AS valid_from,
    CASE WHEN a.metadata IS NULL THEN b.expires_at ELSE (a.metadata #>> '{expiresAt,old}')::timestamptz END AS expires_at,
    CASE WHEN a.metadata IS NULL THEN b.anchor_day ELSE (a.metadata #>> '{anchorDay,old}')::smallint END AS anchor_day
  FROM batches b
  LEFT JOIN LATERAL (
    SELECT e.metadata FROM entries e WHERE e.customer_id = b.customer_id AND e.batch_id = b.id AND e.kind = 'adjust' ORDER BY e.seq LIMIT 1
  ) a ON true
  WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.order_item_id IS NOT NULL AND b.predecessor_id IS NULL
), fits AS (
  SELECT b.customer_id, b.order_id, b.id, t.order_item_id, t.line, t.ordinal, t.period_unit, t.period_value,
    b.valid_from, b.expires_at, e.ends_at, b.expires_at IS NOT DISTINCT FROM e.ends_at AS is_fitting
  FROM terms t
  JOIN granted b ON b.customer_id = t.customer_id AND b.order_item_id = t.order_item_id
    AND b.product_key = t.product_key AND b.priority = t.priority AND b.granted IS NOT DISTINCT FROM t.granted
  CROSS JOIN LATERAL (SELECT b.valid_from AT TIME ZONE 'UTC' AS starts_at) s
  CROSS JOIN LATERAL (SELECT CASE
    WHEN t.period_value >= 0 AND extract(year FROM s.starts_at) + t.period_value / CASE t.period_unit
      WHEN 'hours' THEN 8760 WHEN 'days' THEN 365 WHEN 'months' THEN 12 ELSE 1 END < 275000
    THEN t.period_value::float8 * CASE t.period_unit
      WHEN 'hours' THEN interval '1 hour' WHEN 'days' THEN interval '1 day'
      WHEN 'months' THEN interval '1 month' WHEN 'years' THEN interval '1 year' END
  END AS length) l
  CROSS JOIN LATERAL (SELECT date_trunc('month', s.starts_at) + l.length AS month) m
  CROSS JOIN LATERAL (SELECT CASE
    WHEN t.period_unit = 'forever' THEN NULL
    WHEN l.length IS NULL THEN 'infinity' -- beyond what an instant can say, or malformed: no batch has this end
    WHEN t.period_unit IN ('hours', 'days') THEN (s.starts_at + l.length) AT TIME ZONE 'UTC'
    ELSE (m.month + s.starts_at::time + interval '1 day' * (least(coalesce(b.anchor_day, extract(day FROM s.starts_at)),
      extract(day FROM m.month + interval '1 month -1 day')) - 1)::float8) AT TIME ZONE 'UTC'
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

-- name: i8_anchor_day
-- DOMAIN 3.5: access that ends, and what a subscription allocates, also where a merge moved it, keeps a day of the month; it ends on this day, or on the last one of a shorter month.
SELECT 'I8' AS invariant, b.customer_id, 'batch ' || b.id AS subject,
  CASE WHEN e.ends_on IS NULL THEN 'none' WHEN e.is_last THEN e.ends_on || ' or later'
    ELSE e.ends_on::text END AS expected,
  b.anchor_day::text AS actual, format('anchor day of a batch that ends at %s', b.expires_at) AS detail
FROM batches b
CROSS JOIN LATERAL (SELECT b.expires_at AT TIME ZONE 'UTC' AS ends_at) u
CROSS JOIN LATERAL (SELECT CASE WHEN b.granted IS NULL OR b.subscription_id IS NOT NULL OR b.predecessor_customer_id IS NOT NULL THEN extract(day FROM u.ends_at) END AS ends_on,
  extract(day FROM u.ends_at + interval '1 day') = 1 AS is_last) e
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.anchor_day IS NOT NULL
  AND (b.anchor_day = e.ends_on OR (e.is_last AND b.anchor_day > e.ends_on)) IS NOT TRUE

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
WHERE ($1::uuid IS NULL OR b.customer_id = $1) AND b.predecessor_id IS NULL -- one that goes on is of what that is of (i2_moved_batch)
  AND CASE
    WHEN b.order_id IS NULL AND b.order_item_id IS NULL THEN b.source = 'purchase'
    ELSE o.id IS NULL OR i.id IS NULL OR b.source <> 'purchase' OR b.sku IS DISTINCT FROM i.sku
      OR (o.paid_by IS NOT NULL AND b.operation_id <> o.paid_by)
  END

-- name: i8_plan_line_period
-- A paid line of a plan pays one period, and what is unpaid none.
SELECT 'I8' AS invariant, i.customer_id, format('line %s of order %s', i.position, i.order_id) AS subject,
  CASE WHEN o.paid_at IS NULL THEN 'no period' ELSE 'one period' END AS expected,
  CASE WHEN p.order_item_id IS NULL THEN 'none' ELSE 'a period of ' || p.sku END AS actual,
  format('period of a subscription that a line of an order pays, which is %s', o.status) AS detail
FROM order_items i
JOIN orders o ON o.customer_id = i.customer_id AND o.id = i.order_id
LEFT JOIN subscription_periods p ON p.order_item_id = i.id AND (p.order_customer_id = i.customer_id OR (p.customer_id = i.customer_id AND p.order_customer_id IS NULL))
WHERE ($1::uuid IS NULL OR i.customer_id = $1) AND i.plan IS NOT NULL AND (o.paid_at IS NULL) = (p.order_item_id IS NOT NULL)
