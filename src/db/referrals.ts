// Referrals: who brought whom.

import type { Changes } from '../ledger/changes.js';
import type { Referral } from '../ledger/customer-entities.js';
import type { Row, Tx } from './client.js';
import { familyPage } from './family.js';
import { inserts, updates } from './statements.js';
import { listOf, readerOf } from './table.js';
import { referrals } from './tables.js';

/** Key of the advisory lock under which referrals are attached: a cycle could otherwise be closed by two at once. */
const ATTACH_LOCK = 7_240_001;

const REFERRAL = ['refereeId', 'id', 'referrerId', 'operationId', 'metadata', 'createdAt'] as const;
const COLUMNS = listOf(referrals, REFERRAL);
const toReferral = readerOf(referrals, REFERRAL);
const referralsOf = inserts(referrals);
const droppedOf = updates(referrals, ['refereeId', 'id'], ['droppedAt', 'droppedReason']);

/** Takes the global lock of attaching, until the transaction ends. Precondition: the customers are locked. */
export async function lockAttaching(tx: Tx): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1::bigint) IS NULL AS done', [ATTACH_LOCK]);
}

/** The referral of a referee, or of one who was merged into him; a merge leaves one at most. */
export async function findReferral(tx: Tx, refereeId: string): Promise<Referral | undefined> {
  const [row] = await tx.query(
    `SELECT ${listOf(referrals, REFERRAL, 'r')} FROM (
       SELECT $1::uuid AS id
       UNION ALL
       SELECT jsonb_array_elements_text(c.merged_ids)::uuid FROM customers c WHERE c.id = $1::uuid
     ) family JOIN referrals r ON r.customer_id = family.id AND r.dropped_at IS NULL`,
    [refereeId],
  );
  return row && toReferral(row);
}

/** The referrers above a customer, nearest first, at most so many of them. */
export async function findReferrersAbove(tx: Tx, customerId: string, countMax: number): Promise<string[]> {
  const rows = await tx.query<Row & { referrer_id: string }>(
    `WITH RECURSIVE chain (referrer_id, depth) AS (
       SELECT $1::uuid, 0
       UNION ALL
       SELECT coalesce(above.merged_into, above.id), c.depth + 1 FROM chain c JOIN customers own ON own.id = c.referrer_id
       CROSS JOIN LATERAL (SELECT own.id UNION ALL SELECT jsonb_array_elements_text(own.merged_ids)::uuid) family (id)
       JOIN referrals r ON r.customer_id = family.id AND r.dropped_at IS NULL
       JOIN customers above ON above.id = r.referrer_id
       WHERE c.depth < $2::int
     )
     SELECT referrer_id FROM chain WHERE depth > 0 ORDER BY depth`,
    [customerId, countMax],
  );
  return rows.map((row) => row.referrer_id);
}

/** Inserts referrals. */
export function insertReferrals(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return referralsOf(
    tx,
    customers.flatMap(({ changes }) =>
      changes.newReferrals.map((referral) => ({ ...referral, droppedAt: null, droppedReason: null })),
    ),
  );
}

/** Notes which referrals a merge leaves out. Precondition: the global lock of attaching is held. */
export function dropReferrals(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return droppedOf(
    tx,
    customers.flatMap(({ now, changes }) =>
      changes.droppedReferrals.map(({ id, refereeId, reason }) => ({
        id,
        refereeId,
        droppedAt: now,
        droppedReason: reason,
      })),
    ),
  );
}

const SELECT_REFERRALS = familyPage(
  `SELECT ${COLUMNS} FROM referrals
   WHERE referrer_id = family.customer_id AND dropped_at IS NULL AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))`,
  'created_at DESC, id DESC',
  '$4::int',
);

/** One page of the referrals that a family made, newest first. */
export async function listReferrals(
  tx: Tx,
  referrerIds: readonly string[],
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Referral[]> {
  const rows = await tx.query(SELECT_REFERRALS, [
    referrerIds,
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
  ]);
  return rows.map(toReferral);
}

/** How many referrals a family made. */
export async function countReferrals(tx: Tx, referrerIds: readonly string[]): Promise<number> {
  const [row] = await tx.query<Row & { count: number }>(
    'SELECT count(*) AS count FROM referrals WHERE referrer_id = ANY ($1::uuid[]) AND dropped_at IS NULL',
    [referrerIds],
  );
  return row?.count ?? 0;
}
