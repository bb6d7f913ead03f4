-- I6: no use was accepted above a limit that refuses, and what was used in a window is what the entries count in it.

-- name: i6_exceeded
-- with: checked_limits
SELECT 'I6' AS invariant, customer_id, 'entry ' || seq AS subject, 'at most ' || ceiling AS expected,
  format('%s used of %s in the %s from %s', used_after, subject_name, window_name, window_start) AS actual,
  'a use above a limit that refuses' AS detail
FROM checked_limits
WHERE enforcement = 'HARD' AND coalesce(used_after > ceiling, true)

-- name: i6_used_after
-- with: checked_limits, counts
-- Running sums over all that counts in a window, of the subjects of which a use was looked at.
SELECT 'I6' AS invariant, c.customer_id, format('entry %s, %s of %s %s', c.seq, c.window_name, c.subject_type, c.subject_name) AS subject,
  coalesce(round(u.used)::text, '0') || CASE WHEN f.upper > 0 THEN format(' and %s to %s of who was merged', round(f.lower), round(f.upper)) ELSE '' END AS expected,
  coalesce(c.used_after::text, 'none') AS actual, 'used in a window, as a use tells it' AS detail
FROM checked_limits c
LEFT JOIN (
  SELECT n.customer_id, n.subject_type, n.subject_name, n.seq, w.window_name, w.window_start,
    sum(n.units) OVER (PARTITION BY n.customer_id, n.subject_type, n.subject_name, w.window_name, w.window_start ORDER BY n.seq) AS used
  FROM counts n
  JOIN (SELECT DISTINCT customer_id, subject_type, subject_name, window_name FROM checked_limits WHERE window_name <> 'billing_period') k USING (customer_id, subject_type, subject_name)
  CROSS JOIN LATERAL (SELECT k.window_name, CASE k.window_name
    WHEN 'hour' THEN date_trunc('hour', n.counted_at, 'UTC') WHEN 'day' THEN date_trunc('day', n.counted_at, 'UTC')
    WHEN 'total' THEN 'epoch'::timestamptz ELSE date_trunc('month', n.counted_at, 'UTC') END AS window_start) w
) s ON s.customer_id = c.customer_id AND s.subject_type = c.subject_type AND s.subject_name = c.subject_name AND s.seq = c.seq
  AND s.window_name = c.window_name AND s.window_start = c.window_start
-- A billing period ends when the next one begins: a running sum of what counts since it began, looked at where a use tells it.
LEFT JOIN (
  SELECT DISTINCT customer_id, subject_type, subject_name, seq, window_start,
    sum(units) OVER (PARTITION BY customer_id, subject_type, subject_name, window_start ORDER BY seq) AS used
  FROM (
    SELECT n.customer_id, n.subject_type, n.subject_name, n.seq, p.window_start, n.units
    FROM (SELECT DISTINCT customer_id, subject_type, subject_name, window_start FROM checked_limits WHERE window_name = 'billing_period') p
    JOIN counts n USING (customer_id, subject_type, subject_name) WHERE n.counted_at >= p.window_start
    UNION ALL
    SELECT customer_id, subject_type, subject_name, seq, window_start, NULL FROM checked_limits WHERE window_name = 'billing_period'
  ) counted
) b ON c.window_name = 'billing_period' AND b.customer_id = c.customer_id AND b.subject_type = c.subject_type AND b.subject_name = c.subject_name
  AND b.seq = c.seq AND b.window_start = c.window_start
CROSS JOIN LATERAL (SELECT CASE WHEN c.window_name = 'billing_period' THEN b.used ELSE s.used END AS used) u
-- Those who were merged before count too, as far as it was recorded: of the same instant it may have been or not.
LEFT JOIN LATERAL (
  SELECT coalesce(sum(n.units) FILTER (WHERE n.units < 0 OR (o.recorded_at < e.recorded_at AND m.merged_at < e.recorded_at)), 0) AS lower,
    coalesce(sum(n.units) FILTER (WHERE n.units > 0 OR (o.recorded_at < e.recorded_at AND m.merged_at < e.recorded_at)), 0) AS upper
  FROM entries e JOIN customers m ON m.merged_into = c.customer_id
  JOIN customer_merges g ON g.source_id = m.id AND m.merged_at <= e.recorded_at
  JOIN entries o ON o.customer_id = m.id AND o.recorded_at <= e.recorded_at
  JOIN counts n ON n.customer_id = o.customer_id AND n.seq = o.seq AND n.subject_type = c.subject_type AND n.subject_name = c.subject_name
  WHERE e.customer_id = c.customer_id AND e.seq = c.seq AND CASE WHEN c.window_name = 'billing_period' THEN n.counted_at >= c.window_start
    ELSE CASE c.window_name WHEN 'hour' THEN date_trunc('hour', n.counted_at, 'UTC') WHEN 'day' THEN date_trunc('day', n.counted_at, 'UTC')
      WHEN 'total' THEN 'epoch'::timestamptz ELSE date_trunc('month', n.counted_at, 'UTC') END = c.window_start END
) f ON true
WHERE c.used_after IS NULL OR u.used IS NULL
  OR c.used_after NOT BETWEEN least(round(u.used + least(f.lower, f.upper)), 9007199254740991) AND least(round(u.used + greatest(f.lower, f.upper)), 9007199254740991)

-- name: i6_counter
-- with: checked_limits, counts
SELECT 'I6' AS invariant, k.customer_id, format('%s of %s %s from %s', k.window_name, k.subject_type, k.subject, k.window_start) AS subject,
  round(coalesce(sum(n.units), 0))::text AS expected, k.used::text AS actual, format('a counter, up to entry %s', k.seq) AS detail
FROM usage_counters k
CROSS JOIN LATERAL (SELECT CASE k.window_name WHEN 'hour' THEN interval '1 hour' WHEN 'day' THEN interval '1 day' WHEN 'month' THEN interval '1 month' END AS length) w
LEFT JOIN counts n ON n.customer_id = k.customer_id AND n.subject_type = k.subject_type AND n.subject_name = k.subject AND n.seq <= k.seq
  AND n.counted_at >= k.window_start AND (w.length IS NULL OR n.counted_at < (k.window_start AT TIME ZONE 'UTC' + w.length) AT TIME ZONE 'UTC')
WHERE $1::uuid IS NULL OR k.customer_id = $1
GROUP BY k.customer_id, k.subject_type, k.subject, k.window_name, k.window_start, k.seq, k.used
HAVING k.used IS DISTINCT FROM least(round(coalesce(sum(n.units), 0)), 9007199254740991)

-- name: i6_counter_state
SELECT 'I6' AS invariant, k.customer_id, format('%s of %s %s', k.window_name, k.subject_type, k.subject) AS subject,
  'a window that begins by the calendar of UTC, or as a period, up to an entry that there is' AS expected,
  format('from %s, up to entry %s of %s', k.window_start, k.seq, coalesce(c.next_seq - 1, 0)) AS actual, 'state of a counter' AS detail
FROM usage_counters k
LEFT JOIN customers c ON c.id = k.customer_id
WHERE ($1::uuid IS NULL OR k.customer_id = $1) AND (
  k.seq > coalesce(c.next_seq - 1, -1) OR k.subject_type NOT IN ('product', 'feature')
  OR k.window_start IS DISTINCT FROM CASE k.window_name
    WHEN 'hour' THEN date_trunc('hour', k.window_start, 'UTC') WHEN 'day' THEN date_trunc('day', k.window_start, 'UTC')
    WHEN 'month' THEN date_trunc('month', k.window_start, 'UTC') WHEN 'total' THEN 'epoch'::timestamptz
    WHEN 'billing_period' THEN CASE WHEN EXISTS (
      -- one that a refund gave back may be recorded an instant before it began
      -- one of a subscription that a merge brought is in the ledger where it began
      SELECT FROM subscription_periods p WHERE p.starts_at BETWEEN k.window_start - interval '1 second' AND k.window_start
        AND (p.customer_id = k.customer_id OR c.merged_ids ? p.customer_id::text)
    ) THEN k.window_start ELSE date_trunc('month', k.window_start, 'UTC') END END)

-- name: i6_counted_entry
-- What says that it counts says both, and what comes back counts where it was used.
SELECT 'I6' AS invariant, e.customer_id, 'entry ' || e.seq AS subject,
  CASE WHEN r.seq IS NULL THEN 'counts like its kind' ELSE 'counts at ' || coalesce(r.counted_at, r.occurred_at)::text END AS expected,
  format('%s counts %s at %s', e.kind, coalesce(e.counted::text, 'nothing'), coalesce(e.counted_at::text, 'no time')) AS actual,
  'what an entry counts' AS detail
FROM entries e
LEFT JOIN entries r ON r.customer_id = e.customer_id AND r.seq = e.reverses_seq AND r.kind <> 'commit'
WHERE ($1::uuid IS NULL OR e.customer_id = $1) AND e.counted_at IS NOT NULL AND (
  e.counted IS NULL
  OR CASE WHEN e.kind IN ('consume', 'hold', 'debt') THEN e.counted < 0 WHEN e.kind IN ('release', 'reverse', 'forgive') THEN e.counted > 0
     ELSE e.kind <> 'commit' OR e.counted <> 0 END
  OR (r.seq IS NOT NULL AND e.counted_at IS DISTINCT FROM coalesce(r.counted_at, r.occurred_at)))

-- name: i6_plans
-- DOMAIN 3.12: whose limits are in force, and what their billing period is.
SELECT 'I6' AS invariant, c.id AS customer_id, 'customer' AS subject, coalesce(s.plans, '[]')::text AS expected, c.plans::text AS actual,
  'the plans that a customer has, oldest first' AS detail
FROM customers c
LEFT JOIN (
  SELECT customer_id, jsonb_agg(jsonb_build_object('sku', sku, 'startsAt', to_char(period_starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'endsAt', CASE WHEN status <> 'past_due' THEN to_char(period_ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END) ORDER BY created_at, id) AS plans
  FROM subscriptions WHERE ($1::uuid IS NULL OR customer_id = $1) AND ended_at IS NULL AND period_starts_at IS NOT NULL GROUP BY customer_id
) s ON s.customer_id = c.id
WHERE ($1::uuid IS NULL OR c.id = $1) AND c.plans IS DISTINCT FROM coalesce(s.plans, '[]')

-- name: i6_has_limits
SELECT 'I6' AS invariant, c.id AS customer_id, 'customer' AS subject, (count(l.id) > 0)::text AS expected, c.has_limits::text AS actual,
  'whether a customer has limits' AS detail
FROM customers c
LEFT JOIN customer_limits l ON l.customer_id = c.id
WHERE $1::uuid IS NULL OR c.id = $1
GROUP BY c.id, c.has_limits HAVING c.has_limits <> (count(l.id) > 0)
