// Merges of customers: what one looks at, and what it writes beside the ledgers of both. Precondition everywhere: source, target and all who lead to the source
// are locked by an earlier statement.
import type { Changes } from '../ledger/changes.js';
import type { Referral } from '../ledger/customer-entities.js';
import type { Batch } from '../ledger/entities.js';
import { required } from '../lib/assert.js';
import { groupBy } from '../lib/group-by.js';
import { BATCH } from './book-rows.js';
import type { Row, Tx } from './client.js';
import { countedFeatureUnits, countedProductUnits, countingInstant, isCounted } from './counting.js';
import { findReferral, findReferrersAbove, lockAttaching } from './referrals.js';
import { claims } from './statements.js';
import { listOf, readerOf } from './table.js';
import { batches, customerMerges } from './tables.js';

/** A customer as a merge looks at him. */
export interface MergingCustomer {
  id: string;
  mergedInto: string | null;
  mergedIds: readonly string[];
}

/** A balance that moves. */
export interface MovingBalance {
  productKey: string;
  available: number;
  held: number;
  owed: number;
}

/** A batch that moves, with what its successor keeps. */
export type MovingBatch = Batch & { anchorDay: number | null; noticeAt: Date | null };

/** What a merge looks at. */
export interface Merging {
  target: MergingCustomer | undefined;
  source: MergingCustomer | undefined;
  balances: readonly MovingBalance[];
  /** With units, or access that has not ended; in the order in which they were made. */
  batches: readonly MovingBatch[];
  counts: { identities: number; openOrders: number; openReservations: number; limits: number };
  referrals: {
    ofTarget: Referral | undefined;
    ofSource: Referral | undefined;
    /** The referrers above, nearest first. */
    aboveTarget: readonly string[];
    aboveSource: readonly string[];
  };
}

const SELECT_CUSTOMERS = 'SELECT id, merged_into, merged_ids FROM customers WHERE id = ANY ($1::uuid[])';

/** Customers as a merge looks at them; those that there are not are left out. */
export async function findMerging(tx: Tx, ids: readonly string[]): Promise<Map<string, MergingCustomer>> {
  const rows = await tx.query<Row & { id: string; merged_into: string | null; merged_ids: string[] }>(
    SELECT_CUSTOMERS,
    [ids],
  );
  return new Map(
    rows.map(({ id, merged_into: mergedInto, merged_ids: mergedIds }) => [id, { id, mergedInto, mergedIds }]),
  );
}

/** All of the family that a customer is of. */
export async function findWholeFamily(tx: Tx, customerId: string): Promise<string[]> {
  const own = (await findMerging(tx, [customerId])).get(customerId);
  if (own && own.mergedInto !== null) return findWholeFamily(tx, own.mergedInto);
  return [customerId, ...(own?.mergedIds ?? [])];
}

/** Into whom a customer was merged by name, into whom that one was, and so on; the last one leads to nobody. At most so many as a family has. */
export async function findMergesAbove(tx: Tx, customerId: string): Promise<string[]> {
  const above: string[] = [];
  for (let next = await findMergeOf(tx, customerId); next !== undefined; next = await findMergeOf(tx, next))
    above.push(next);
  return above;
}

/** Into whom a customer was merged by name, whoever he leads to today; undefined if he was not. */
export async function findMergeOf(tx: Tx, sourceId: string): Promise<string | undefined> {
  const [row] = await tx.query<Row & { customer_id: string }>(
    'SELECT customer_id FROM customer_merges WHERE source_id = $1::uuid',
    [sourceId],
  );
  return row?.customer_id;
}

const SELECT_MERGED_BY = `
WITH RECURSIVE family AS (
  SELECT source_id FROM customer_merges WHERE customer_id = $1::uuid AND created_at <= $2::timestamptz
  UNION
  SELECT m.source_id FROM customer_merges m JOIN family f ON m.customer_id = f.source_id AND m.created_at <= $2::timestamptz
) SELECT source_id FROM family`;

/** Who led to a customer by an instant. */
export async function findMergedBy(tx: Tx, customerId: string, instant: Date): Promise<string[]> {
  const rows = await tx.query<Row & { source_id: string }>(SELECT_MERGED_BY, [customerId, instant.toISOString()]);
  return rows.map((row) => row.source_id);
}

const MOVING = [...BATCH, 'anchorDay', 'noticeAt'] as const;
const SELECT_BATCHES = `SELECT b.customer_id, ${listOf(batches, MOVING, 'b')} FROM batches b
WHERE b.customer_id = ANY ($1::uuid[]) AND (b.is_open AND b.available > 0
  OR b.granted IS NULL AND b.source <> 'metered' AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)) ORDER BY b.id`;
const readMoving = readerOf(batches, MOVING);

const COUNT = `SELECT
  (SELECT count(*) FROM identities WHERE customer_id = $1::uuid) AS identities,
  (SELECT count(*) FROM orders WHERE customer_id = $1::uuid AND status = 'pending') AS open_orders,
  (SELECT count(*) FROM reservations WHERE customer_id = $1::uuid AND status = 'held') AS open_reservations,
  (SELECT count(*) FROM customer_limits WHERE customer_id = $1::uuid) AS limits`;

const SELECT_BALANCES = `SELECT customer_id, product_key, available, held, owed FROM balances WHERE customer_id = ANY ($1::uuid[]) ORDER BY product_key`;

/** What there is of customers that can move, or be taken, as of an instant: balances, and batches with units, or access that has not ended. */
export async function findMovable(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
): Promise<{ balances: Map<string, MovingBalance[]>; batches: Map<string, MovingBatch[]> }> {
  const [standing, moving] = await Promise.all([
    tx.query<Row & { customer_id: string; product_key: string; available: number; held: number; owed: number }>(
      SELECT_BALANCES,
      [customerIds],
    ),
    tx.query<Row & { customer_id: string }>(SELECT_BATCHES, [customerIds, now.toISOString()]),
  ]);
  const ofCustomer = ({ customer_id: customerId }: { customer_id: string }) => customerId;
  const mapped = <R, T>(rows: Map<string, R[]>, read: (row: R) => T) =>
    new Map([...rows].map(([customerId, own]) => [customerId, own.map(read)]));
  return {
    balances: mapped(groupBy(standing, ofCustomer), ({ product_key: productKey, available, held, owed }) => ({
      productKey,
      available,
      held,
      owed,
    })),
    batches: mapped(groupBy(moving, ofCustomer), readMoving),
  };
}

/** Reads what a merge looks at, as of an instant. Locks: attaching referrals. */
export async function loadMerging(
  tx: Tx,
  targetId: string,
  sourceId: string,
  now: Date,
  referrersMax: number,
): Promise<Merging> {
  const [customers, movable, counts, , ofTarget, ofSource, aboveTarget, aboveSource] = await Promise.all([
    findMerging(tx, [targetId, sourceId]),
    findMovable(tx, [sourceId], now),
    tx.query<Row & { identities: number; open_orders: number; open_reservations: number; limits: number }>(COUNT, [
      sourceId,
    ]),
    lockAttaching(tx),
    findReferral(tx, targetId),
    findReferral(tx, sourceId),
    findReferrersAbove(tx, targetId, referrersMax),
    findReferrersAbove(tx, sourceId, referrersMax),
  ]);
  const counted = required(counts[0], 'there are counts');
  return {
    target: customers.get(targetId),
    source: customers.get(sourceId),
    balances: movable.balances.get(sourceId) ?? [],
    batches: movable.batches.get(sourceId) ?? [],
    counts: {
      identities: counted.identities,
      openOrders: counted.open_orders,
      openReservations: counted.open_reservations,
      limits: counted.limits,
    },
    referrals: { ofTarget, ofSource, aboveTarget, aboveSource },
  };
}

const mergesOf = claims(customerMerges);

const MERGE_CUSTOMERS = `WITH changed AS (
  UPDATE customers own SET merged_into = $2::uuid, merged_at = coalesce(own.merged_at, $3::timestamptz), merged_ids = '[]'
  WHERE own.id = ANY ($1::uuid[]) RETURNING 1
) SELECT assert_whole(count(*) = cardinality($1::uuid[])) FROM changed`;
const LEAD_TO = `UPDATE customers own SET merged_ids = $2::jsonb,
  due_at = least(own.due_at, (SELECT min(m.due_at) FROM customers m WHERE m.id = ANY ($3::uuid[])))
WHERE own.id = $1::uuid`;

/**
 * Counters of what a customer used in the present windows, of all that his ledger counts: of one that was merged they are added to those of whom he leads to,
 * whose own go on.
 */
const COUNT_USAGE = `
INSERT INTO usage_counters (customer_id, subject_type, subject, window_name, window_start, used, seq)
SELECT $2::uuid, s.subject_type, s.subject, w.name, w.starts_at,
  least(greatest(round(coalesce(sum(s.units) FILTER (WHERE s.at >= w.starts_at), 0)), 0), ${Number.MAX_SAFE_INTEGER})::bigint, $4::bigint
FROM (
  SELECT 'product' AS subject_type, e.product_key AS subject, ${countedProductUnits('e')} AS units, ${countingInstant('e')} AS at
  FROM entries e WHERE e.customer_id = ANY ($1::uuid[]) AND ${isCounted('e')}
  UNION ALL
  SELECT 'feature', e.feature, ${countedFeatureUnits('e')}, ${countingInstant('e')}
  FROM entries e WHERE e.customer_id = ANY ($1::uuid[]) AND ${isCounted('e')} AND e.feature IS NOT NULL
) s CROSS JOIN (VALUES
  ('hour', date_trunc('hour', $3::timestamptz, 'UTC')), ('day', date_trunc('day', $3::timestamptz, 'UTC')),
  ('month', date_trunc('month', $3::timestamptz, 'UTC')), ('billing_period', date_trunc('month', $3::timestamptz, 'UTC')), ('total', 'epoch'::timestamptz)
) w (name, starts_at)
GROUP BY s.subject_type, s.subject, w.name, w.starts_at
ON CONFLICT (customer_id, subject_type, subject, window_name) DO UPDATE SET window_start = excluded.window_start, used = excluded.used, seq = excluded.seq`;

/**
 * Limits of the source go, and what was copied to it. Who shared them shares those of the target, or of whom that one shares; nobody shares his own.
 */
const SHARE_OF_TARGET = `UPDATE limit_sources own SET source_id = wanted.id, changes = own.changes + 1
FROM (SELECT coalesce((SELECT t.source_id FROM limit_sources t WHERE t.customer_id = $2::uuid AND t.source_id <> $1::uuid), $2::uuid) AS id) wanted
WHERE own.source_id = $1::uuid AND own.customer_id <> wanted.id AND own.customer_id <> $2::uuid`;
const DROP_COPIES = `DELETE FROM customer_limits l WHERE l.customer_id = $1::uuid
  OR (l.customer_id = $2::uuid AND l.is_copied AND EXISTS (SELECT FROM limit_sources s WHERE s.customer_id = $2::uuid AND s.source_id = $1::uuid))`;
const DROP_SOURCES =
  'DELETE FROM limit_sources s WHERE s.customer_id = $1::uuid OR (s.customer_id = $2::uuid AND s.source_id = $1::uuid)';
const RECOUNT_LIMITS = `UPDATE customers own SET has_limits = EXISTS (SELECT FROM customer_limits l WHERE l.customer_id = own.id AND l.customer_id = ANY ($1::uuid[]))
WHERE own.id = ANY ($1::uuid[])`;

/** Writes merges: where customers lead to, the identities that name them, and what they used. Precondition: entries and standings are written before. */
export function writeMerges(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const all = customers.flatMap(({ customerId, now, changes }) =>
    changes.merges.map((merge) => ({ customerId, now, ...merge })),
  );
  if (all.length === 0) return undefined;
  return Promise.all(
    all.flatMap(({ customerId, now, sourceId, memberIds, familyIds, operationId, moved }) => {
      const nextSeq = required(
        customers.find((own) => own.customerId === sourceId),
        'the source is changed with the target',
      ).nextSeq;
      return [
        tx.query(SHARE_OF_TARGET, [sourceId, customerId]),
        tx.query(DROP_COPIES, [sourceId, customerId]),
        tx.query(DROP_SOURCES, [sourceId, customerId]),
        tx.query(RECOUNT_LIMITS, [[sourceId, customerId]]),
        tx.query('UPDATE batches SET notice_at = NULL WHERE customer_id = $1::uuid AND notice_at IS NOT NULL', [
          sourceId,
        ]),
        tx.query(COUNT_USAGE, [[sourceId], sourceId, now.toISOString(), nextSeq - 1]),
        tx.query(
          'UPDATE identities SET customer_id = $1::uuid, updated_at = $2::timestamptz WHERE customer_id = $3::uuid',
          [customerId, now.toISOString(), sourceId],
        ),
        tx.query(MERGE_CUSTOMERS, [memberIds, customerId, now.toISOString()]),
        tx.query(LEAD_TO, [customerId, JSON.stringify(familyIds), memberIds]),
        mergesOf(tx, [{ sourceId, customerId, operationId, moved: { ...moved }, createdAt: now }]),
      ];
    }),
  );
}
