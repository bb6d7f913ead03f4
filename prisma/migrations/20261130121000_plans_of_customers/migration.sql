-- The plans of a customer that have not ended, oldest first, with their present periods: what a use needs to know of them, which reads his row anyway.
ALTER TABLE customers ADD COLUMN plans jsonb NOT NULL DEFAULT '[]';
UPDATE customers c SET plans = s.plans
FROM (
  SELECT customer_id, jsonb_agg(jsonb_build_object('sku', sku, 'startsAt', to_char(period_starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'endsAt', CASE WHEN status <> 'past_due' THEN to_char(period_ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END) ORDER BY created_at, id) AS plans
  FROM subscriptions WHERE ended_at IS NULL AND period_starts_at IS NOT NULL GROUP BY customer_id
) s WHERE s.customer_id = c.id;
-- An older build would let limits of plans, and of their billing periods, be exceeded, and not write this.
UPDATE schema_compatibility SET needs = 20261130121000;
