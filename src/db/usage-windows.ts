// The windows of limits that are in force for uses, each with what was used in it: the counter, brought up from the entries behind it. One statement for all
// customers and subjects; nothing of it is remembered in the process.
import type { Subject } from '../ledger/catalog-entities.js';
import type { Changes } from '../ledger/changes.js';
import type { NoticeType } from '../ledger/event-types.js';
import type { Enforcement, LimitLevel, LimitWindow, UsageWindow } from '../ledger/limit-entities.js';
import type { Row, Tx } from './client.js';
import { countedFeatureUnits, countedProductUnits, countingInstant, isCounted, OF_ALL } from './counting.js';
import { upserts } from './statements.js';
import { ofSubject, type SubjectType, toSubject } from './subjects.js';
import { usageCounters } from './tables.js';

/** Up to here what was used is told, as quantities are. */
const USED_MAX = Number.MAX_SAFE_INTEGER;
/** Entries that one transaction counts behind a counter at most, but for the rest of the last operation. */
const COUNTED_AT_ONCE = 10_000;

const IN_UTC = (unit: string) => `date_trunc('${unit}', c.at, 'UTC')`;
/** The end of a window by the calendar of UTC. */
const endOf = (unit: string) => `((${IN_UTC(unit)} AT TIME ZONE 'UTC' + interval '1 ${unit}') AT TIME ZONE 'UTC')`;
const byWindow = (make: (unit: string) => string, total: string) => `CASE f.window_name
    WHEN 'hour' THEN ${make('hour')} WHEN 'day' THEN ${make('day')} WHEN 'total' THEN ${total} ELSE ${make('month')} END`;

/**
 * Up to which entry a counter has counted. The window of a billing period may begin before what another one counted last, such as one that is paid within the grace of
 * that before: then what was recorded since is counted again.
 */
const countedUpTo = (isOwn: string) => `CASE
    WHEN f.window_name <> 'billing_period' OR max(k.window_start) = w.starts_at THEN coalesce(max(k.seq), 0)
    ELSE coalesce((SELECT e.seq FROM entries e WHERE ${isOwn} AND e.recorded_at < w.starts_at ORDER BY e.seq DESC LIMIT 1), 0) END`;

/** Of these the nearest wins; of several plans the larger. */
const LEVELS: readonly LimitLevel[] = ['customer', 'source', 'plan', 'default'];

/**
 * $1 the customers, $2 the clock, $3 and $4 products with their customers, $5 and $6 features with theirs, $7 how many entries are counted at most, $8 to
 * $10 and $11 and $12 of which subjects, and of which metered ones by operations that used them, it is told what is in use in all, limit or none. What an
 * operation made is counted as a whole. What those used who were merged into a customer counts as his. The end of what is held is named for the index of what is open.
 */
const LOAD = `
WITH asked AS (
  SELECT n.customer_id, 'product' AS subject_type, n.subject FROM unnest($3::uuid[], $4::text[]) AS n (customer_id, subject)
  UNION
  SELECT n.customer_id, 'feature', n.subject FROM unnest($5::uuid[], $6::text[]) AS n (customer_id, subject)
  UNION
  SELECT n.customer_id, 'product', p.product_key FROM unnest($5::uuid[], $6::text[]) AS n (customer_id, subject)
  JOIN product_features p ON p.feature = n.subject
), totals AS (
  SELECT n.customer_id, n.subject_type, n.subject FROM unnest($8::uuid[], $9::text[], $10::text[]) AS n (customer_id, subject_type, subject)
  UNION
  SELECT o.customer_id, CASE WHEN e.feature IS NULL THEN 'product' ELSE 'feature' END, coalesce(e.feature, e.product_key)
  FROM unnest($11::uuid[], $12::uuid[]) AS n (customer_id, id) JOIN operations o USING (customer_id, id)
  CROSS JOIN LATERAL (
    SELECT e.product_key, e.feature FROM entries e
    WHERE e.customer_id = o.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq BETWEEN o.first_seq AND o.last_seq AND e.kind IN ('consume', 'commit')
    ORDER BY e.seq LIMIT 1
  ) e JOIN products p ON p.product_key = e.product_key WHERE o.customer_id = ANY ($1::uuid[]) AND o.id = ANY ($12::uuid[]) AND p.type = 'metered'
), set_limits AS (
  SELECT a.customer_id, a.subject_type, a.subject, l.windows, l.enforcement, CASE WHEN l.is_copied THEN 1 ELSE 0 END AS level, NULL AS plan_sku
  FROM asked a JOIN customer_limits l ON l.customer_id = a.customer_id AND l.customer_id = ANY ($1::uuid[]) AND l.subject_type = a.subject_type AND l.subject = a.subject
  UNION ALL
  SELECT a.customer_id, a.subject_type, a.subject, l.windows, l.enforcement, 2, l.plan_sku
  FROM asked a JOIN customers c ON c.id = a.customer_id AND c.id = ANY ($1::uuid[]) AND c.plans <> '[]' CROSS JOIN LATERAL jsonb_array_elements(c.plans) p
  JOIN limits l ON l.plan_sku = p ->> 'sku' AND l.subject_type = a.subject_type AND l.subject = a.subject
  UNION ALL
  SELECT a.customer_id, a.subject_type, a.subject, l.windows, l.enforcement, 3, NULL
  FROM asked a JOIN limits l ON l.plan_sku = '' AND l.subject_type = a.subject_type AND l.subject = a.subject
), nearest AS (
  SELECT DISTINCT ON (s.customer_id, s.subject_type, s.subject, w.key)
    s.customer_id, s.subject_type, s.subject, w.key AS window_name, w.value::bigint AS ceiling, s.enforcement, s.level, s.plan_sku
  FROM set_limits s CROSS JOIN LATERAL jsonb_each_text(s.windows) w
  ORDER BY s.customer_id, s.subject_type, s.subject, w.key, s.level, w.value::bigint DESC NULLS FIRST, s.plan_sku
), in_force AS (
  SELECT * FROM nearest WHERE ceiling IS NOT NULL
  UNION ALL
  SELECT t.customer_id, t.subject_type, t.subject, 'total', NULL, 'NONE', 3, NULL FROM totals t
  WHERE NOT EXISTS (
    SELECT FROM nearest n WHERE n.customer_id = t.customer_id AND n.subject_type = t.subject_type AND n.subject = t.subject
      AND n.window_name = 'total' AND n.ceiling IS NOT NULL)
)
SELECT f.customer_id, f.subject_type, f.subject, f.window_name, f.ceiling, f.enforcement, f.level, w.starts_at, w.ends_at, p.starts_at IS NOT NULL AS is_of_plan,
       least(base.used + counted.units + merged.used, ${USED_MAX}) AS used, merged.used AS used_merged, upto.seq AS counted_to, upto.seq >= c.last_seq AS is_whole,
       CASE WHEN f.window_name = 'total' AND f.subject_type = 'feature' AND EXISTS (
         SELECT FROM totals t WHERE t.customer_id = f.customer_id AND t.subject_type = f.subject_type AND t.subject = f.subject
       ) THEN (
         SELECT coalesce(sum(r.amount), 0)::bigint FROM reservations r
         WHERE r.customer_id = f.customer_id AND r.customer_id = ANY ($1::uuid[]) AND r.status = 'held' AND r.expires_at > '-infinity' AND r.feature = f.subject
       ) ELSE 0 END AS held, (
         SELECT array_agg(t.type) FROM notices t
         WHERE t.customer_id = f.customer_id AND t.customer_id = ANY ($1::uuid[]) AND t.type IN ('quota.limit_reached', 'quota.limit_exceeded')
           AND t.subject = f.window_name || ' ' || f.subject_type || ' ' || f.subject AND t.window_start = w.starts_at) AS told
FROM in_force f
CROSS JOIN LATERAL (
  SELECT coalesce(max(greatest($2::timestamptz, c.last_recorded_at)), $2::timestamptz) AS at, coalesce(max(c.next_seq), 1) - 1 AS last_seq,
         coalesce(max(c.merged_ids::text), '[]')::jsonb AS merged_ids, coalesce(max(c.plans::text), '[]')::jsonb AS plans
  FROM customers c WHERE c.id = f.customer_id AND c.id = ANY ($1::uuid[])
) c
LEFT JOIN LATERAL (
  SELECT (p.plan ->> 'startsAt')::timestamptz AS starts_at, (p.plan ->> 'endsAt')::timestamptz AS ends_at FROM jsonb_array_elements(c.plans) WITH ORDINALITY p (plan, number)
  ORDER BY p.plan ->> 'sku' IS NOT DISTINCT FROM f.plan_sku DESC, p.number LIMIT 1
) p ON f.window_name = 'billing_period'
CROSS JOIN LATERAL (SELECT coalesce(p.starts_at, ${byWindow(IN_UTC, `'epoch'::timestamptz`)}) AS starts_at,
  CASE WHEN p.starts_at IS NULL THEN ${byWindow(endOf, 'NULL')} ELSE p.ends_at END AS ends_at) w
CROSS JOIN LATERAL (
  SELECT ${countedUpTo('e.customer_id = f.customer_id AND e.customer_id = ANY ($1::uuid[])')} AS seq, coalesce(max(k.used) FILTER (WHERE k.window_start = w.starts_at), 0) AS used FROM usage_counters k
  WHERE k.customer_id = f.customer_id AND k.customer_id = ANY ($1::uuid[]) AND k.subject_type = f.subject_type AND k.subject = f.subject
    AND k.window_name = f.window_name AND k.window_start <= w.starts_at
) base
CROSS JOIN LATERAL (
  SELECT CASE WHEN c.last_seq - base.seq <= $7::bigint OR $7::bigint IS NULL THEN c.last_seq ELSE coalesce((
    SELECT e.seq FROM entries e LEFT JOIN entries n ON n.customer_id = e.customer_id AND n.customer_id = ANY ($1::uuid[]) AND n.seq = e.seq + 1
    WHERE e.customer_id = f.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq >= base.seq + $7::bigint
      AND (n.operation_id IS DISTINCT FROM e.operation_id OR n.reservation_id IS DISTINCT FROM e.reservation_id)
    ORDER BY e.seq LIMIT 1), c.last_seq) END AS seq
) upto
CROSS JOIN LATERAL (
  SELECT least(round(coalesce(sum(CASE WHEN f.subject_type = 'feature' THEN ${countedFeatureUnits('e')} ELSE ${countedProductUnits('e')} END), 0)), ${USED_MAX})::bigint AS units
  FROM entries e
  WHERE e.customer_id = f.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq > base.seq AND e.seq <= upto.seq AND ${isCounted('e')}
    AND CASE WHEN f.subject_type = 'feature' THEN e.feature = f.subject ELSE e.product_key = f.subject END
    AND ${countingInstant('e')} >= w.starts_at AND (w.ends_at IS NULL OR ${countingInstant('e')} < w.ends_at)
) counted
CROSS JOIN LATERAL (SELECT CASE WHEN c.merged_ids = '[]' THEN 0 ELSE (
  SELECT least(coalesce(sum(base.used + counted.units), 0), ${USED_MAX})::bigint FROM jsonb_array_elements_text(c.merged_ids) m (id)
  CROSS JOIN LATERAL (
    SELECT ${countedUpTo('e.customer_id = m.id::uuid')} AS seq, coalesce(max(k.used) FILTER (WHERE k.window_start = w.starts_at), 0) AS used FROM usage_counters k
    WHERE k.customer_id = m.id::uuid AND k.subject_type = f.subject_type AND k.subject = f.subject
      AND k.window_name = f.window_name AND k.window_start <= w.starts_at
  ) base
  CROSS JOIN LATERAL (
    SELECT round(coalesce(sum(CASE WHEN f.subject_type = 'feature' THEN ${countedFeatureUnits('e')} ELSE ${countedProductUnits('e')} END), 0)) AS units
    FROM entries e
    WHERE e.customer_id = m.id::uuid AND e.seq > base.seq AND ${isCounted('e')}
      AND CASE WHEN f.subject_type = 'feature' THEN e.feature = f.subject ELSE e.product_key = f.subject END
      AND ${countingInstant('e', OF_ALL)} >= w.starts_at AND (w.ends_at IS NULL OR ${countingInstant('e', OF_ALL)} < w.ends_at)
  ) counted
) END AS used) merged
ORDER BY f.customer_id, f.subject_type, f.subject, array_position('{hour,day,month,billing_period,total}'::text[], f.window_name)`;

interface WindowRow extends Row {
  customer_id: string;
  subject_type: SubjectType;
  subject: string;
  window_name: LimitWindow;
  ceiling: number | null;
  enforcement: Enforcement;
  level: number;
  starts_at: Date;
  ends_at: Date | null;
  is_of_plan: boolean;
  used: number;
  used_merged: number;
  held: number;
  counted_to: number;
  is_whole: boolean;
  told: NoticeType[] | null;
}

/** Subjects, each with the customer of whom it is asked. */
export interface AskedSubjects {
  products: readonly [customerIds: readonly string[], productKeys: readonly string[]];
  features: readonly [customerIds: readonly string[], features: readonly string[]];
  /** Of which it is told what is in use in all, and no limits. */
  totals?: readonly { customerId: string; subject: Subject }[];
  /** Operations: the same of what they used that is metered. */
  takenBy?: readonly [customerIds: readonly string[], operationIds: readonly string[]];
}

/** The windows in force of one customer, in the order in which they are told. */
export interface CustomerWindow {
  customerId: string;
  window: UsageWindow;
}

/**
 * Loads the windows in force of subjects, and of what provides them, at the clock's instant. Of a customer with many entries behind a counter only the first
 * are counted, unless `isWhole`: such windows say up to which.
 */
export async function loadWindows(
  tx: Tx,
  customerIds: readonly string[],
  { products, features, totals = [], takenBy = [[], []] }: AskedSubjects,
  clock: Date,
  { isWhole = false } = {},
): Promise<CustomerWindow[]> {
  const inAll = totals.map(({ subject }) => ofSubject(subject));
  const rows = await tx.query<WindowRow>(LOAD, [
    customerIds,
    clock.toISOString(),
    ...products,
    ...features,
    isWhole ? null : COUNTED_AT_ONCE,
    totals.map(({ customerId }) => customerId),
    inAll.map(({ subjectType }) => subjectType),
    inAll.map(({ subject }) => subject),
    ...takenBy,
  ]);
  return rows.map((row) => ({ customerId: row.customer_id, window: toWindow(row) }));
}

function toWindow(row: WindowRow): UsageWindow {
  return {
    subject: toSubject(row.subject_type, row.subject),
    window: row.window_name,
    start: row.starts_at,
    end: row.ends_at,
    isOfPlan: row.is_of_plan,
    limit: row.ceiling,
    enforcement: row.enforcement,
    level: LEVELS[row.level] ?? 'default',
    used: row.used,
    usedByMerged: row.used_merged,
    held: row.held,
    countedTo: row.is_whole ? null : row.counted_to,
    told: new Set(row.told ?? []),
  };
}

const countersOf = upserts(usageCounters, ['customerId', 'subjectType', 'subject', 'window']);

/** Writes the counters of windows that were counted on, up to where their customers' ledgers stand. Precondition: the customers are locked. */
export function writeCounters(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return countersOf(
    tx,
    customers.flatMap(({ customerId, nextSeq, changes }) =>
      [...changes.changedWindows].map(({ subject, window, start: windowStart, countedTo, ...own }) => {
        // What those used who were merged into him their own counters tell.
        const used = own.used - own.usedByMerged;
        return { customerId, ...ofSubject(subject), window, windowStart, used, seq: countedTo ?? nextSeq - 1 };
      }),
    ),
  );
}
