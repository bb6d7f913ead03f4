// Which transaction of the server is the oldest that writes: the feed of events goes no further until it has ended. Asks what everybody may see.
import type { Row, Tx } from './client.js';

export interface OldestTransaction {
  /** The transaction's id, by which it is known again. */
  id: string;
  /** Who runs it; null of a prepared transaction, which nobody does. */
  pid: number | null;
  /** Since it began; null where the service's user may not see that. */
  lastsMs: number | null;
}

// A snapshot tells the id, which is of the next transaction when none runs. Locks tell whose it is, also to whom its session tells nothing; they are looked at
// only then.
export const OLDEST_TRANSACTION = `
SELECT oldest.id::text AS id, coalesce(a.pid, l.pid) AS pid,
  round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared)) * 1000)::bigint AS lasts_ms
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::xid AS id) AS oldest
LEFT JOIN pg_stat_activity a ON a.backend_xid = oldest.id
LEFT JOIN pg_prepared_xacts p ON p.transaction = oldest.id
LEFT JOIN LATERAL (
  SELECT pid FROM pg_locks WHERE a.pid IS NULL AND p.transaction IS NULL AND locktype = 'transactionid' AND transactionid = oldest.id AND granted LIMIT 1
) AS l ON true
WHERE a.pid IS NOT NULL OR p.transaction IS NOT NULL OR l.pid IS NOT NULL LIMIT 1`;

/** The oldest transaction that has written something and runs still, in any database of the server; undefined when there is none. */
export async function findOldestTransaction(tx: Tx): Promise<OldestTransaction | undefined> {
  const [row] = await tx.query<Row & { id: string; pid: number | null; lasts_ms: number | null }>(OLDEST_TRANSACTION);
  return row && { id: row.id, pid: row.pid, lastsMs: row.lasts_ms };
}
