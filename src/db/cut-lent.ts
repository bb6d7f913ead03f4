// The end of a pool whose connections don't all come back: what waits for a lock that somebody holds would hold up the end of the process.
import type pg from 'pg';

/** For what is almost done. Whoever waits for its outcome has been answered. */
const PATIENCE_MS = 2_000;

/** Watches a pool, and returns what sets off the cutting of the connections that are still lent a while later. Postgres rolls back what they were about. */
export function cutLentAfter(pool: pg.Pool): () => { cancel(): void } {
  const lent = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => lent.add(client));
  pool.on('release', (_error, client) => lent.delete(client));
  return () => {
    const timer = setTimeout(() => {
      for (const client of lent) void (client as unknown as pg.Client).end().catch(() => undefined);
    }, PATIENCE_MS);
    return { cancel: () => clearTimeout(timer) };
  };
}
