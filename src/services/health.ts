// Whether the process can serve, and what else is not as it should be on this database.
import { guardClock } from '../db/clock.js';
import { listJobs } from '../db/jobs.js';
import { findOldestTransaction } from '../db/oldest-transaction.js';
import { isReadOnly } from '../db/replication.js';
import type { Deps } from '../deps.js';
import type { ReplicaCondition } from '../engine/replica.js';
import { AppError } from '../errors/app-error.js';

const READ_ONLY = 'The database takes no writes: it is a standby, or default_transaction_read_only is on.';
const RETRY_AFTER_S = 2;

/** Longer than any transaction of ours may last. */
const FEED_LATE_MS = 60_000;

/** Asks the database for its time, and whether it takes writes. Throws: clock_skewed, unavailable, what the database could not do, as it says it. */
export async function checkDatabase({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  await guardClock(db, clock);
  if (await isReadOnly(db)) throw new AppError('unavailable', READ_ONLY, { retryAfterS: RETRY_AFTER_S });
}

/** What keeps no request from being served, but is late. */
export interface Condition {
  /** Jobs whose oldest due work is older than it should be. */
  lateJobs: { name: string; lagMs: number }[];
  /** The transaction that the feed of events waits for; null when there is none. Without a pid it is a prepared one. */
  oldestTransaction: { pid: number | null; lastsMs: number } | null;
  /** The standby for reads that may lag; null when there is none. */
  replica: ReplicaCondition | null;
  /** Nothing is late, and the standby is asked. */
  isGood: boolean;
}

/**
 * Makes what looks at the condition. Of a transaction that does not show since when it runs it remembers since when it was seen, so it should be asked
 * again and again.
 */
export function createObserver({ db, replica: standby }: Pick<Deps, 'db' | 'replica'>): () => Promise<Condition> {
  let seen: { id: string; sinceMs: number } | undefined;

  const observeTransaction = async (): Promise<Condition['oldestTransaction']> => {
    const oldest = await findOldestTransaction(db);
    if (seen?.id !== oldest?.id) seen = oldest && { id: oldest.id, sinceMs: performance.now() };
    if (!oldest || !seen) return null;
    return { pid: oldest.pid, lastsMs: Math.max(oldest.lastsMs ?? 0, Math.round(performance.now() - seen.sinceMs)) };
  };
  return async () => {
    const [jobs, oldestTransaction] = await Promise.all([listJobs(db), observeTransaction()]);
    const lateJobs = jobs.filter(({ isLate }) => isLate).map(({ name, lagMs }) => ({ name, lagMs }));
    const replica = standby.condition();
    const isLate = lateJobs.length > 0 || (oldestTransaction?.lastsMs ?? 0) > FEED_LATE_MS;
    return { lateJobs, oldestTransaction, replica, isGood: !isLate && (replica?.status ?? 'ok') === 'ok' };
  };
}
