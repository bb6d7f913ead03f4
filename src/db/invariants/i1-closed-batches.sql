-- I1: counted batches are closed: the parts of each add up to what was granted, and none is below 0.

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
