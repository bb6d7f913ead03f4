// Endpoints: who asks for events, and for which.
import type { Changes } from '../ledger/changes.js';
import type { Endpoint } from '../ledger/entities.js';
import type { Tx } from './client.js';
import { upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import { webhookEndpoints } from './tables.js';

const endpointsOf = upserts(webhookEndpoints, ['id'], ['createdAt']);
const readEndpoint = readerOf(webhookEndpoints, written(webhookEndpoints));
const SELECT = `SELECT ${listOf(webhookEndpoints)} FROM webhook_endpoints`;

/** Uses are told while one that is enabled asks for them. */
const TELL_USES = `UPDATE event_log SET tells_uses = EXISTS (
  SELECT FROM webhook_endpoints WHERE is_enabled AND types ?| ARRAY['*', 'quota.*', 'quota.consumed'])`;

/** Serialises changes of endpoints. Locks: the row of the log of events, until the transaction ends. */
export async function lockEndpoints(tx: Tx): Promise<void> {
  await tx.query('SELECT FROM event_log FOR UPDATE');
}

/** All of them, by id: a bounded number. */
export async function listEndpoints(tx: Tx): Promise<Endpoint[]> {
  return (await tx.query(`${SELECT} ORDER BY id`)).map(readEndpoint);
}

export async function findEndpoint(tx: Tx, id: string): Promise<Endpoint | undefined> {
  const [row] = await tx.query(`${SELECT} WHERE id = $1`, [id]);
  return row && readEndpoint(row);
}

/** Inserts, replaces and deletes endpoints, and writes whether uses are asked for. Precondition: they are locked. */
export function writeEndpoints(tx: Tx, { endpoints }: Changes): Promise<unknown> | undefined {
  if (endpoints.length === 0) return undefined;
  const removed = endpoints.flatMap(({ before, after }) => (before && !after ? [before.id] : []));
  return Promise.all([
    endpointsOf(
      tx,
      endpoints.flatMap(({ after }) => after ?? []),
    ),
    removed.length > 0 && tx.query('DELETE FROM webhook_endpoints WHERE id = ANY ($1::text[])', [removed]),
    tx.query(TELL_USES),
  ]);
}
