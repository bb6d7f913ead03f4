-- References that have no foreign key.

-- name: ref_product
SELECT 'REF' AS invariant, r.customer_id, 'product ' || coalesce(r.product_key, 'null') AS subject,
  'in the catalogue' AS expected, 'not there' AS actual,
  'named by ' || string_agg(r.place, ', ' ORDER BY r.place) AS detail
FROM (
  SELECT customer_id, product_key, 'batches' AS place FROM batches WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, product_key, 'balances' FROM balances WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, product_key, 'entries' FROM entries WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT i.customer_id, t.term ->> 'productKey', 'order_items'
  FROM order_items i
  CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(i.terms) = 'array' THEN i.terms ELSE '[]' END)
    AS t (term)
  WHERE $1::uuid IS NULL OR i.customer_id = $1
) r
LEFT JOIN products p ON p.product_key = r.product_key
WHERE p.product_key IS NULL
GROUP BY r.customer_id, r.product_key

-- name: ref_offer
SELECT 'REF' AS invariant, r.customer_id, 'offer ' || r.sku AS subject, 'in the catalogue' AS expected,
  'not there' AS actual,
  'named by ' || string_agg(r.place, ', ' ORDER BY r.place) AS detail
FROM (
  SELECT customer_id, sku, 'order_items' AS place FROM order_items WHERE $1::uuid IS NULL OR customer_id = $1
  UNION
  SELECT customer_id, sku, 'batches'
  FROM batches
  WHERE ($1::uuid IS NULL OR customer_id = $1) AND sku IS NOT NULL
) r
LEFT JOIN offers o ON o.sku = r.sku
WHERE o.sku IS NULL
GROUP BY r.customer_id, r.sku

-- name: ref_catalogue_name
-- Products and offers share one namespace, in upper case. Not about one customer: looked at only with all of them.
SELECT 'REF' AS invariant, NULL::uuid AS customer_id, c.kind || ' ' || c.name AS subject,
  'an upper-case name, claimed as ' || c.kind AS expected,
  coalesce('claimed as ' || n.kind, 'not claimed') AS actual, 'name in the catalogue' AS detail
FROM (
  SELECT product_key AS name, 'product' AS kind FROM products
  UNION ALL
  SELECT sku, 'offer' FROM offers
) c
LEFT JOIN catalog_names n ON n.name = c.name
WHERE $1::uuid IS NULL AND (n.kind IS DISTINCT FROM c.kind OR c.name <> upper(c.name))

-- name: ref_identity_customer
SELECT 'REF' AS invariant, i.customer_id, 'identity ' || i.id AS subject, 'a customer' AS expected,
  'no such customer' AS actual,
  'customer that an identity names' AS detail
FROM identities i
LEFT JOIN customers c ON c.id = i.customer_id
WHERE ($1::uuid IS NULL OR i.customer_id = $1) AND c.id IS NULL

-- name: ref_entry_customer
SELECT 'REF' AS invariant, e.customer_id, 'customer ' || e.customer_id AS subject, 'a customer' AS expected,
  'no such customer' AS actual, format('named by %s entries', e.entries) AS detail
FROM (
  SELECT customer_id, count(*) AS entries FROM entries WHERE $1::uuid IS NULL OR customer_id = $1 GROUP BY customer_id
) e
LEFT JOIN customers c ON c.id = e.customer_id
WHERE c.id IS NULL

-- name: ref_entry_order
SELECT 'REF' AS invariant, e.customer_id, 'entry ' || e.seq AS subject, 'an order of this customer''s family' AS expected,
  format('order %s, which does not exist', e.order_id) AS actual,
  'order that an entry names' AS detail
FROM entries e
LEFT JOIN orders o ON o.customer_id = e.customer_id AND o.id = e.order_id
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.order_id IS NOT NULL AND o.id IS NULL
  AND NOT EXISTS (
    SELECT FROM orders o JOIN customers owner ON owner.id = o.customer_id JOIN customers c ON c.id = e.customer_id
    WHERE o.id = e.order_id AND owner.merged_into = coalesce(c.merged_into, c.id))

-- name: ref_payment_operation
SELECT 'REF' AS invariant, p.customer_id, format('payment %s of %s', p.payment_id, p.payment_method) AS subject,
  'an operation of this customer' AS expected,
  format('operation %s, which does not exist', p.operation_id) AS actual, 'operation that a payment names' AS detail
FROM payments p
LEFT JOIN operations o ON o.customer_id = p.customer_id AND o.id = p.operation_id
WHERE ($1::uuid IS NULL OR p.customer_id = $1) AND p.operation_id IS NOT NULL AND o.id IS NULL

-- name: ref_referral_unique
-- Of a family, too: a merge drops what is one too many.
SELECT 'REF' AS invariant, r.customer_id, 'referral' AS subject, '1 referrer' AS expected, count(*) || ' rows' AS actual,
  'by ' || string_agg(r.referrer_id::text, ', ' ORDER BY r.referrer_id) AS detail
FROM (
  SELECT coalesce(c.merged_into, r.customer_id) AS customer_id, r.referrer_id FROM referrals r
  LEFT JOIN customers c ON c.id = r.customer_id
  WHERE ($1::uuid IS NULL OR coalesce(c.merged_into, r.customer_id) = $1) AND r.dropped_at IS NULL
) r
GROUP BY r.customer_id
HAVING count(*) > 1

-- name: ref_referral_customer
SELECT 'REF' AS invariant, r.customer_id, 'referral ' || r.id AS subject, 'two customers' AS expected,
  format('referee %s, referrer %s', CASE WHEN e.id IS NULL THEN 'does not exist' ELSE 'exists' END,
    CASE WHEN f.id IS NULL THEN r.referrer_id || ' does not exist' ELSE 'exists' END) AS actual,
  'customers that a referral names' AS detail
FROM referrals r
LEFT JOIN customers e ON e.id = r.customer_id
LEFT JOIN customers f ON f.id = r.referrer_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND (e.id IS NULL OR f.id IS NULL)

-- name: ref_referral_operation
SELECT 'REF' AS invariant, r.customer_id, 'referral ' || r.id AS subject, 'an operation of the referee' AS expected,
  format('operation %s, which does not exist', r.operation_id) AS actual, 'operation that a referral names' AS detail
FROM referrals r
LEFT JOIN operations o ON o.customer_id = r.customer_id AND o.id = r.operation_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND o.id IS NULL

-- name: ref_referral_cycle
-- Only who brought somebody can be on a cycle. UNION ends the walk where it comes back to what it has seen.
WITH RECURSIVE edges AS (
  SELECT coalesce(e.merged_into, e.id) AS customer_id, coalesce(f.merged_into, f.id) AS referrer_id
  FROM referrals r JOIN customers e ON e.id = r.customer_id JOIN customers f ON f.id = r.referrer_id WHERE r.dropped_at IS NULL
), up (customer_id, referrer_id) AS (
  SELECT r.customer_id, r.referrer_id
  FROM edges r
  WHERE ($1::uuid IS NULL OR r.customer_id = $1)
    AND EXISTS (SELECT FROM edges brought WHERE brought.referrer_id = r.customer_id)
  UNION
  SELECT u.customer_id, r.referrer_id
  FROM up u
  JOIN edges r ON r.customer_id = u.referrer_id
  WHERE u.referrer_id <> u.customer_id
)
SELECT 'REF' AS invariant, customer_id, 'referrers of the customer' AS subject, 'others' AS expected,
  'the customer too' AS actual, 'nobody refers himself, directly or over others' AS detail
FROM up
WHERE referrer_id = customer_id

-- name: ref_operation_customer
SELECT 'REF' AS invariant, o.customer_id, 'customer ' || o.customer_id AS subject, 'a customer' AS expected,
  'no such customer' AS actual, format('named by %s operations', count(*)) AS detail
FROM operations o
LEFT JOIN customers c ON c.id = o.customer_id
WHERE ($1::uuid IS NULL OR o.customer_id = $1) AND c.id IS NULL
GROUP BY o.customer_id

-- name: ref_archived_customer
SELECT 'REF' AS invariant, r.customer_id, 'customer ' || r.customer_id AS subject, 'a customer' AS expected, 'not there' AS actual,
  format('%s archived records are of this customer', count(*)) AS detail
FROM archived_records r
LEFT JOIN customers c ON c.id = r.customer_id
WHERE ($1::uuid IS NULL OR r.customer_id = $1) AND c.id IS NULL
GROUP BY r.customer_id

-- name: ref_reward_referral
SELECT 'REF' AS invariant, w.customer_id, 'reward ' || w.id AS subject, format('of the referral of %s by %s', w.referee_id, w.referrer_id) AS expected,
  CASE WHEN r.id IS NULL THEN format('referral %s does not exist', w.referral_id) ELSE format('of %s by %s', r.customer_id, r.referrer_id) END AS actual,
  'referral that a reward names' AS detail
FROM rewards w
LEFT JOIN referrals r ON r.customer_id = w.referee_id AND r.id = w.referral_id
WHERE ($1::uuid IS NULL OR w.customer_id = $1) AND (r.id IS NULL OR r.referrer_id <> w.referrer_id)

-- name: ref_reward_order
-- DOMAIN 3.9: what becomes of the order of a reward becomes of the reward.
SELECT 'REF' AS invariant, w.customer_id, 'reward ' || w.id AS subject, s.wanted AS expected,
  format('%s%s, %s', w.status, CASE WHEN w.is_disputed THEN ', disputed' ELSE '' END, coalesce('order ' || o.status, 'no such order')) AS actual,
  'order that earned a reward' AS detail
FROM rewards w
LEFT JOIN orders o ON o.customer_id = coalesce(w.order_customer_id, w.referee_id) AND o.id = w.order_id
LEFT JOIN (
  SELECT customer_id, order_id, bool_or(status = 'opened') AS is_open, bool_or(status = 'lost') AS is_lost
  FROM disputes GROUP BY customer_id, order_id
) d ON d.customer_id = coalesce(w.order_customer_id, w.referee_id) AND d.order_id = w.order_id
CROSS JOIN LATERAL (
  SELECT CASE WHEN o.id IS NULL OR o.paid_at IS NULL THEN 'a paid order'
    WHEN o.status = 'refunded' OR d.is_lost THEN 'cancelled, or taken back'
    WHEN d.is_open THEN 'disputed' ELSE 'not disputed' END AS wanted
) s
WHERE ($1::uuid IS NULL OR w.customer_id = $1) AND w.order_id IS NOT NULL
  AND CASE s.wanted WHEN 'a paid order' THEN true
    WHEN 'cancelled, or taken back' THEN w.status IN ('armed', 'held') OR (w.status = 'granted' AND w.claws_back)
    WHEN 'disputed' THEN w.status IN ('armed', 'held') AND NOT w.is_disputed
    ELSE w.is_disputed OR w.status = 'clawing_back' END
