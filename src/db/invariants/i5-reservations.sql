-- I5: what is held is held by open reservations.

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
      AND NOT (r.status = 'released' AND (ended.name, ended.recorded_at) IS NOT DISTINCT FROM ('customer.erase', r.ended_at))
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
    OR u.is_broken
    -- Of a customer that was merged it is used of what moved on, by the same operation.
    OR coalesce(u.consumed, 0) <> CASE WHEN EXISTS (
        SELECT FROM operations o WHERE o.id = r.ended_by AND o.customer_id <> r.customer_id
      ) AND r.committed_amount > r.amount THEN 0 ELSE greatest(r.committed_amount - r.amount, 0) END)
