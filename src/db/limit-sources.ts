// Whose limits customers share. What they copied is in limits.ts.
import type { Changes } from '../ledger/changes.js';
import type { LimitSource } from '../ledger/limit-entities.js';
import type { Row, Tx } from './client.js';
import { deletes, upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { limitSources } from './tables.js';

const readSource = readerOf(limitSources, written(limitSources));
const SELECT = `SELECT ${listOf(limitSources)} FROM limit_sources`;

/** Whose limits a customer shares; undefined when he shares none. */
export async function findLimitSource(tx: Tx, customerId: string): Promise<LimitSource | undefined> {
  const [row] = await tx.query(`${SELECT} WHERE customer_id = $1::uuid`, [customerId]);
  return row && readSource(row);
}

/** How many customers share the limits of one, counted up to `max`. */
export async function countFollowers(tx: Tx, sourceId: string, max: number): Promise<number> {
  const [row] = await tx.query<Row & { count: number }>(
    'SELECT count(*)::bigint AS count FROM (SELECT FROM limit_sources WHERE source_id = $1::uuid LIMIT $2::int) own',
    [sourceId, max],
  );
  return row?.count ?? 0;
}

/** Customers whose copies are older than what they share, the oldest first; `except` are left out. */
export async function listBehind(tx: Tx, except: readonly string[], limit: number): Promise<LimitSource[]> {
  const rows = await tx.query(
    `${SELECT} WHERE changes <> copied AND customer_id <> ALL ($1::uuid[]) ORDER BY copied_at LIMIT $2::int`,
    [except, limit],
  );
  return rows.map(readSource);
}

const sourcesOf = upserts(limitSources, ['customerId'], ['changes']);
const removedOf = deletes(limitSources, ['customerId']);

/** Writes whose limits customers share; how often these changed is counted by their source. Precondition: the customers are locked. */
export function writeLimitSources(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const changed = customers.flatMap(({ changes }) => changes.limitSources);
  const kept = changed.flatMap(({ after }) => after ?? []);
  const removed = changed.flatMap(({ before, after }) => (before && !after ? [before] : []));
  const writes = [sourcesOf(tx, kept), removedOf(tx, removed)].filter(Boolean);
  return writes.length === 0 ? undefined : Promise.all(writes);
}

/** Has whoever shares the limits of customers copy them again: his row says so, and he himself is locked when it is done. */
export async function tellFollowers(tx: Tx, sourceIds: readonly string[]): Promise<void> {
  if (sourceIds.length === 0) return;
  await tx.query('UPDATE limit_sources SET changes = changes + 1 WHERE source_id = ANY ($1::uuid[])', [sourceIds]);
}
