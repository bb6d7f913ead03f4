-- I7: the ledger is append-only, and what guards the other tables stands.

-- name: i7_triggers
-- tgtype bits: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate. A trigger with a condition or for some
-- columns only guards too little.
SELECT g.invariant, NULL::uuid AS customer_id, format('trigger %s on %s', g.trigger_name, g.table_name) AS subject,
  'present, enabled, unconditional' AS expected,
  CASE
    WHEN t.oid IS NULL THEN 'absent'
    WHEN t.tgenabled NOT IN ('O', 'A') THEN 'disabled'
    WHEN t.tgtype::integer <> g.type THEN 'of another type: ' || t.tgtype
    WHEN t.tgqual IS NOT NULL OR t.tgattr <> '' THEN 'conditional'
    ELSE format('calls %s, which %s', p.proname,
      CASE WHEN p.proname <> g.function_name THEN 'is another function' ELSE 'does not do its work' END)
  END AS actual,
  'a guard of the database' AS detail
FROM (VALUES
  ('I7', 'entries', 'entries_append_only_i7', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I7', 'entries', 'entries_only_blanked_i7', 19, 'only_blanked', 'RAISE EXCEPTION'),
  ('I1', 'batches', 'batches_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'operations', 'operations_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'keyed_calls', 'keyed_calls_keep', 50, 'refuse_change', 'RAISE EXCEPTION'),
  ('I5', 'reservations', 'reservations_guard', 19, 'reservations_guard', 'RAISE EXCEPTION'),
  ('I5', 'reservations', 'reservations_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I5', 'reservation_legs', 'reservation_legs_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'payments', 'payments_guard', 19, 'payments_guard', 'RAISE EXCEPTION'),
  ('I4', 'payments', 'payments_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I8', 'orders', 'orders_guard', 19, 'orders_guard', 'RAISE EXCEPTION'),
  ('I8', 'orders', 'orders_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I8', 'order_items', 'order_items_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I8', 'order_items', 'order_items_only_blanked', 19, 'only_blanked', 'RAISE EXCEPTION'),
  ('I4', 'trial_uses', 'trial_uses_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'idempotency_records', 'idempotency_records_keep', 34, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'idempotency_records', 'idempotency_records_only_blanked', 19, 'only_blanked', 'RAISE EXCEPTION'),
  ('I4', 'idempotency_records', 'idempotency_records_guard', 11, 'idempotency_records_guard', 'RAISE EXCEPTION'),
  ('I7', 'audit_records', 'audit_records_append_only', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I7', 'audit_records', 'audit_records_only_blanked', 19, 'only_blanked', 'RAISE EXCEPTION'),
  ('I7', 'archived_records', 'archived_records_keep', 34, 'refuse_change', 'RAISE EXCEPTION'),
  ('I7', 'archived_records', 'archived_records_only_blanked', 19, 'only_blanked', 'RAISE EXCEPTION'),
  ('I7', 'customer_erasures', 'customer_erasures_guard', 23, 'customer_erasures_guard', 'RAISE EXCEPTION'),
  ('I7', 'customer_erasures', 'customer_erasures_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I7', 'payment_inbox', 'payment_inbox_blank', 23, 'payment_inbox_blank', 'NEW.body := NULL'),
  ('I4', 'archived_trials', 'archived_trials_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'referrals', 'referrals_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'rewards', 'rewards_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'subscriptions', 'subscriptions_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I4', 'subscription_periods', 'subscription_periods_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('I9', 'subscription_steps', 'subscription_steps_keep', 58, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'products', 'products_guard', 19, 'products_guard', 'RAISE EXCEPTION'),
  ('REF', 'products', 'products_keep', 42, 'refuse_change', 'RAISE EXCEPTION'),
  ('REF', 'offers', 'offers_keep', 42, 'refuse_change', 'RAISE EXCEPTION')
) AS g (invariant, table_name, trigger_name, type, function_name, does)
LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(g.table_name) AND t.tgname = g.trigger_name AND NOT t.tgisinternal
LEFT JOIN pg_proc p ON p.oid = t.tgfoid
WHERE ($1::uuid IS NULL OR true)
  AND (t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A') OR t.tgtype::integer <> g.type
    OR t.tgqual IS NOT NULL OR t.tgattr <> ''
    OR p.proname <> g.function_name OR strpos(p.prosrc, g.does) = 0)

-- name: i7_archived_record
-- What was moved in is kept as it was: with what it was known by there, once, and at the instant that it tells itself.
SELECT 'I7' AS invariant, customer_id, format('archived %s %s', kind, source_id) AS subject,
  'one record, an entry, an order or a batch, with its id there and the instant that it tells' AS expected,
  format('%s records, made there at %s', count(*), string_agg(coalesce(data ->> 'created_at', 'no instant'), ', ')) AS actual,
  'a record of the system that was moved in' AS detail
FROM archived_records
WHERE $1::uuid IS NULL OR customer_id = $1
GROUP BY customer_id, kind, source_id
HAVING count(*) > 1 OR kind NOT IN ('entry', 'order', 'batch') OR source_id = ''
  OR bool_or(happened_at IS DISTINCT FROM date_trunc('milliseconds', (data ->> 'created_at')::timestamptz))
