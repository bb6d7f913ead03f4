// Referrals: who brought whom.

import type { Changes } from '../ledger/changes.js';
import type { Referral } from '../ledger/customer-entities.js';
import type { Row, Tx } from './client.js';
import { familyPage } from './family.js';
import { inserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { referrals } from './tables.js';

/** Key of the advisory lock under which referrals are attached: a cycle could otherwise be closed by two at once. */
const ATTACH_LOCK = 7_240_001;

const REFERRAL = written(referrals);
const COLUMNS = listOf(referrals, REFERRAL);
const toReferral = readerOf(referrals, REFERRAL);
const referralsOf = inserts(referrals);

/** Takes the global lock of attaching, until the transaction ends. Precondition: the customers are locked. */
export async function lockAttaching(tx: Tx): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1::bigint) IS NULL AS done', [ATTACH_LOCK]);
}

/** The referral of a referee. */
export async function findReferral(tx: Tx, refereeId: string): Promise<Referral | undefined> {
  const [row] = await tx.query(`SELECT ${COLUMNS} FROM referrals WHERE customer_id = $1::uuid`, [refereeId]);
  return row && toReferral(row);
}

/** The referrers above a customer, nearest first, at most so many of them. */
export async function findReferrersAbove(tx: Tx, customerId: string, countMax: number): Promise<string[]> {
  const rows = await tx.query<Row & { referrer_id: string }>(
    `WITH RECURSIVE chain (referrer_id, depth) AS (
       SELECT referrer_id, 1 FROM referrals WHERE customer_id = $1::uuid
       UNION ALL
       SELECT r.referrer_id, c.depth + 1 FROM chain c JOIN referrals r ON r.customer_id = c.referrer_id WHERE c.depth < $2::int
     )
     SELECT referrer_id FROM chain ORDER BY depth`,
    [customerId, countMax],
  );
  return rows.map((row) => row.referrer_id);
}

/** Inserts referrals. */
export function insertReferrals(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return referralsOf(
    tx,
    customers.flatMap(({ changes }) => changes.newReferrals),
  );
}

const SELECT_REFERRALS = familyPage(
  `SELECT ${COLUMNS} FROM referrals
   WHERE referrer_id = family.customer_id AND ($2::timestamptz IS NULL OR (created_at, id) < ($2::timestamptz, $3::uuid))`,
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
    'SELECT count(*) AS count FROM referrals WHERE referrer_id = ANY ($1::uuid[])',
    [referrerIds],
  );
  return row?.count ?? 0;
}
