// Referral programmes: what is promised to who brings somebody, and to who is brought.
import type { Changes } from '../ledger/changes.js';
import type { ReferralProgram, RewardTrigger } from '../ledger/reward-entities.js';
import type { Tx } from './client.js';
import { deletes, upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { referralPrograms } from './tables.js';

const readProgram = readerOf(referralPrograms, written(referralPrograms));
const SELECT = `SELECT ${listOf(referralPrograms)} FROM referral_programs`;
const programsOf = upserts(referralPrograms, ['key'], ['createdAt']);
const removedOf = deletes(referralPrograms, ['key']);

/** All of them, by key: a bounded number. */
export async function listReferralPrograms(tx: Tx): Promise<ReferralProgram[]> {
  return (await tx.query(`${SELECT} ORDER BY key`)).map(readProgram);
}

export async function findReferralProgram(tx: Tx, key: string): Promise<ReferralProgram | undefined> {
  const [row] = await tx.query(`${SELECT} WHERE key = $1`, [key]);
  return row && readProgram(row);
}

/** The programme in force at an instant that arms rewards by this trigger: of several the first by key. */
export async function findProgramInForce(
  tx: Tx,
  trigger: RewardTrigger,
  now: Date,
): Promise<ReferralProgram | undefined> {
  const [row] = await tx.query(
    `${SELECT} WHERE trigger = $1 AND coalesce(starts_at <= $2::timestamptz, true) AND coalesce(ends_at > $2::timestamptz, true)
     ORDER BY key LIMIT 1`,
    [trigger, now.toISOString()],
  );
  return row && readProgram(row);
}

/** Serialises changes of programmes. Locks: the table against others who change it. */
export async function lockReferralPrograms(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE referral_programs IN SHARE ROW EXCLUSIVE MODE');
}

/** Inserts, replaces and deletes programmes. Precondition: they are locked. */
export function writeReferralPrograms(tx: Tx, { referralPrograms: changed }: Changes): Promise<unknown> | undefined {
  const kept = changed.flatMap(({ after }) => after ?? []);
  const removed = changed.flatMap(({ before, after }) => (before && !after ? [before] : []));
  const writes = [programsOf(tx, kept), removedOf(tx, removed)].filter(Boolean);
  return writes.length === 0 ? undefined : Promise.all(writes);
}
