-- What limits and their counters may hold, said by the database too.
ALTER TABLE entries ADD CONSTRAINT entries_counted_ck CHECK ((counted_at IS NULL) = (counted IS NULL)) NOT VALID;
ALTER TABLE limits DROP CONSTRAINT limits_windows_ck, ADD CONSTRAINT limits_windows_ck
  CHECK (jsonb_typeof(windows) = 'object' AND windows - ARRAY['hour', 'day', 'month', 'billing_period', 'total'] = '{}'::jsonb);
ALTER TABLE customer_limits DROP CONSTRAINT customer_limits_windows_ck, ADD CONSTRAINT customer_limits_windows_ck
  CHECK (jsonb_typeof(windows) = 'object' AND windows - ARRAY['hour', 'day', 'month', 'billing_period', 'total'] = '{}'::jsonb);
ALTER TABLE usage_counters ADD CONSTRAINT usage_counters_subject_type_ck CHECK (subject_type IN ('product', 'feature')),
  ADD CONSTRAINT usage_counters_window_ck CHECK (window_name IN ('hour', 'day', 'month', 'billing_period', 'total'));
