// What was used, as readers see it: in all and this month, over time, and the uses themselves. The rules by which entries count are those of counting.ts.
// Nothing here takes a lock; who writes entries is write-books.ts.
import type { Subject } from '../ledger/catalog-entities.js';
import type { EntryKind } from '../ledger/entities.js';
import type { CalendarWindow } from '../lib/calendar-windows.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { countedFeatureUnits, countedProductUnits, countingInstant, isCounted, OF_ALL } from './counting.js';
import { findEndSeqs, findFirstSeqs, type LedgerPosition } from './ledger-position.js';
import { ofSubject, type SubjectType, toSubject } from './subjects.js';
import { listOf, type RecordOf, readerOf, written } from './table.js';
import { entries } from './tables.js';

/** A sum of units as an answer can tell it. */
const whole = (sum: string) =>
  `greatest(${Number.MIN_SAFE_INTEGER}, least(${Number.MAX_SAFE_INTEGER}, round(coalesce(${sum}, 0))))::bigint`;

const NAMED = `
WITH held AS (
  SELECT b.product_key FROM balances b WHERE b.customer_id = ANY ($1::uuid[])
  UNION
  SELECT b.product_key FROM batches b
  WHERE b.customer_id = ANY ($1::uuid[]) AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
), active AS (
  SELECT p.product_key FROM held h JOIN products p ON p.product_key = h.product_key WHERE p.is_active
)
SELECT 'product' AS subject_type, a.product_key AS subject FROM active a
UNION SELECT 'feature', f.feature FROM active a JOIN product_features f ON f.product_key = a.product_key
UNION SELECT l.subject_type, l.subject FROM customer_limits l WHERE l.customer_id = ANY ($1::uuid[])
UNION SELECT l.subject_type, l.subject FROM limits l WHERE l.plan_sku = ''
UNION SELECT l.subject_type, l.subject FROM customers c CROSS JOIN LATERAL jsonb_array_elements(c.plans) p JOIN limits l ON l.plan_sku = p ->> 'sku' WHERE c.id = ANY ($1::uuid[])`;

/**
 * The subjects that concern a family without their having been used: the active products that it holds at an instant, the features that these provide, and
 * those for which it, its plans, or all have a limit.
 */
export async function listNamedSubjects(tx: Tx, customerIds: readonly string[], at: Date): Promise<Subject[]> {
  const rows = await tx.query<Row & { subject_type: SubjectType; subject: string }>(NAMED, [
    customerIds,
    at.toISOString(),
  ]);
  return rows.map((row) => toSubject(row.subject_type, row.subject));
}

/** What was used in a span of time, and in all. */
export interface UsedUnits {
  inSpan: number;
  inAll: number;
}

/** What was used of a product under the name of a feature, or of none, in units of the product, and in those of the feature. */
export interface UsedSum {
  productKey: string;
  feature: string | null;
  productUnits: UsedUnits;
  featureUnits: UsedUnits;
}

const IN_SPAN = `FILTER (WHERE ${countingInstant('e')} >= $2::timestamptz AND ${countingInstant('e')} < $3::timestamptz)`;
const sumUsed = (narrowed: string) => `
SELECT e.product_key, e.feature,
  ${whole(`sum(${countedProductUnits('e')})`)} AS product_units, ${whole(`sum(${countedProductUnits('e')}) ${IN_SPAN}`)} AS span_product_units,
  ${whole(`sum(${countedFeatureUnits('e')})`)} AS feature_units, ${whole(`sum(${countedFeatureUnits('e')}) ${IN_SPAN}`)} AS span_feature_units
FROM entries e WHERE e.customer_id = ANY ($1::uuid[]) AND ${isCounted('e')}${narrowed}
GROUP BY e.product_key, e.feature ORDER BY e.product_key, e.feature`;
const SUM_USED = sumUsed('');
const SUM_USED_OF = { product: sumUsed(' AND e.product_key = $4'), feature: sumUsed(' AND e.feature = $4') };

interface SumRow extends Row {
  product_key: string;
  feature: string | null;
  product_units: number;
  span_product_units: number;
  feature_units: number;
  span_feature_units: number;
}

/**
 * Adds up what a family used, of one subject if it is named. Goes through all entries of the family (of a product: through its entries), so it belongs into
 * the share of slow reads.
 */
export async function sumUsedUnits(
  tx: Tx,
  customerIds: readonly string[],
  span: { start: Date; end: Date },
  subject: Subject | undefined,
): Promise<UsedSum[]> {
  const named = subject && ofSubject(subject);
  const parameters = [customerIds, span.start.toISOString(), span.end.toISOString()];
  const rows = await (named
    ? tx.query<SumRow>(SUM_USED_OF[named.subjectType], [...parameters, named.subject])
    : tx.query<SumRow>(SUM_USED, parameters));
  return rows.map((row) => ({
    productKey: row.product_key,
    feature: row.feature,
    productUnits: { inSpan: row.span_product_units, inAll: row.product_units },
    featureUnits: { inSpan: row.span_feature_units, inAll: row.feature_units },
  }));
}

const unitsOf = { product: countedProductUnits('e'), feature: countedFeatureUnits('e') };
const isOf = { product: 'e.product_key', feature: 'e.feature' };

/** By the windows in which entries count, from $2 on and before $3. What counts at the beginning of time counts in none. */
const byWindow = (window: string, counted: string) => `
SELECT date_trunc(${window}::text, counted.at, 'UTC') AS starts_at, ${whole('sum(counted.units)')} AS used
FROM ${counted} counted
WHERE counted.at >= $2::timestamptz AND counted.at < $3::timestamptz AND counted.at > 'epoch'::timestamptz GROUP BY 1`;
/** OFFSET keeps what is read of a member apart, as LIMIT does above. */
const ofFamilyByWindow = (subject: SubjectType) =>
  byWindow(
    '$5',
    `unnest($1::uuid[], $6::bigint[]) AS family (customer_id, first_seq) CROSS JOIN LATERAL (
  SELECT ${countingInstant('e')} AS at, ${unitsOf[subject]} AS units FROM entries e
  WHERE e.customer_id = family.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq >= family.first_seq AND ${isOf[subject]} = $4 AND ${isCounted('e')}
  OFFSET 0
)`,
  );
/** The upper bound tells the planner, who doesn't know the instants, that it is a span. */
const ofAllByWindow = (subject: SubjectType) =>
  byWindow(
    '$1',
    `(
  SELECT ${countingInstant('e', OF_ALL)} AS at, ${unitsOf[subject]} AS units
  FROM entries e WHERE e.recorded_at >= $2::timestamptz AND e.recorded_at < $5::timestamptz AND ${isOf[subject]} = $4 AND ${isCounted('e')}
)`,
  );
const BY_WINDOW_OF_FAMILY = { product: ofFamilyByWindow('product'), feature: ofFamilyByWindow('feature') };
const BY_WINDOW_OF_ALL = { product: ofAllByWindow('product'), feature: ofAllByWindow('feature') };

/** What was used in a window. */
export interface WindowUse {
  startsAt: Date;
  used: number;
}

/**
 * Adds up what was used of a subject by windows that begin between two instants, by a family, or by everybody; windows without any are left out. Nothing
 * counts before it is recorded: reads what was recorded since the first instant, and none before.
 */
export async function sumUseByWindow(
  tx: Tx,
  customerIds: readonly string[] | undefined,
  subject: Subject,
  { window, from, to }: { window: CalendarWindow; from: Date; to: Date },
): Promise<WindowUse[]> {
  const { subjectType, subject: name } = ofSubject(subject);
  const span = [from.toISOString(), to.toISOString()];
  const rows = await (customerIds === undefined
    ? tx.query<UseRow>(BY_WINDOW_OF_ALL[subjectType], [window, ...span, name, 'infinity'])
    : tx.query<UseRow>(BY_WINDOW_OF_FAMILY[subjectType], [
        customerIds,
        ...span,
        name,
        window,
        await findFirstSeqs(tx, customerIds, from),
      ]));
  return rows.map((row) => ({ startsAt: row.starts_at, used: row.used }));
}

interface UseRow extends Row {
  starts_at: Date;
  used: number;
}

/** An entry that counts, or commits what was counted when it was held, with whose it is and when it was recorded. */
export type UseEvent = RecordOf<typeof entries>;
export const USE_KINDS = [
  'consume',
  'hold',
  'commit',
  'release',
  'debt',
  'reverse',
  'forgive',
] as const satisfies readonly EntryKind[];
export type UseKind = (typeof USE_KINDS)[number];

/** Which uses are asked for; all where nothing is named. Instants are those of recording. */
export interface UsesAsked {
  subject: Subject | undefined;
  kind: UseKind | undefined;
  actionType: string | undefined;
  /** From this instant on. */
  from: Date | undefined;
  /** Before this one. */
  to: Date | undefined;
  limit: number;
}

const readEvent = readerOf(entries, written(entries));
const EVENT = listOf(entries, written(entries), 'e');

function narrow(conditions: Conditions, { subject, kind, actionType }: UsesAsked): void {
  conditions.add('e.kind = ANY (?::text[])', kind === undefined ? USE_KINDS : [kind]);
  if (subject && 'feature' in subject) conditions.add('e.feature = ?', subject.feature);
  else if (subject) conditions.add('e.product_key = ?', subject.productKey);
  if (actionType !== undefined) conditions.add('e.action_type = ?', actionType);
}

/** One page of a family's uses, newest first, before a position. */
export async function listUses(
  tx: Tx,
  customerIds: readonly string[],
  asked: UsesAsked,
  before: LedgerPosition | undefined,
): Promise<UseEvent[]> {
  const seqsAt = (at: Date | undefined, otherwise: number) =>
    at ? findFirstSeqs(tx, customerIds, at) : customerIds.map(() => otherwise);
  const [firstSeqs, endSeqs, upTo] = await Promise.all([
    seqsAt(asked.from, 1),
    seqsAt(asked.to, Number.MAX_SAFE_INTEGER),
    findEndSeqs(tx, customerIds, before),
  ]);
  const conditions = new Conditions();
  const ids = conditions.parameter(customerIds);
  const first = conditions.parameter(firstSeqs);
  const end = conditions.parameter(endSeqs.map((seq, index) => Math.min(seq, upTo[index] ?? seq)));
  narrow(conditions, asked);
  const limit = conditions.parameter(asked.limit);
  const text = `
SELECT page.* FROM unnest(${ids}::uuid[], ${first}::bigint[], ${end}::bigint[]) AS family (customer_id, first_seq, end_seq) CROSS JOIN LATERAL (
  SELECT ${EVENT} FROM entries e
  WHERE e.customer_id = family.customer_id AND e.customer_id = ANY (${ids}::uuid[]) AND e.seq >= family.first_seq AND e.seq < family.end_seq AND ${conditions.text()}
  ORDER BY e.seq DESC LIMIT ${limit}::int
) page ORDER BY recorded_at DESC, customer_id DESC, seq DESC LIMIT ${limit}::int`;
  return (await tx.query(text, conditions.parameters)).map(readEvent);
}

/** A place in the uses of everybody. */
export interface UsePosition {
  createdAt: Date;
  id: string;
}

/** Everybody's uses of a span of time, newest first, after a position. Reads and sorts all of the span. */
export async function listUsesOfAll(tx: Tx, asked: UsesAsked, after: UsePosition | undefined): Promise<UseEvent[]> {
  const conditions = new Conditions();
  conditions.add('e.recorded_at >= ?::timestamptz', asked.from?.toISOString() ?? '-infinity');
  conditions.add('e.recorded_at < ?::timestamptz', asked.to?.toISOString() ?? 'infinity');
  narrow(conditions, asked);
  if (after)
    conditions.add('(e.recorded_at, e.id) < (?::timestamptz, ?::uuid)', after.createdAt.toISOString(), after.id);
  const limit = conditions.parameter(asked.limit);
  const text = `SELECT ${EVENT} FROM entries e WHERE ${conditions.text()} ORDER BY e.recorded_at DESC, e.id DESC LIMIT ${limit}::int`;
  return (await tx.query(text, conditions.parameters)).map(readEvent);
}
