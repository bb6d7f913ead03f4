// Endpoints: who asks for events, and for which.
import type { Changes } from '../ledger/changes.js';
import type { Endpoint } from '../ledger/management-entities.js';
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

/** Begins behind all places that are drawn by now; what was there of the endpoint under the same URL before stays, and is not sent again. */
const START_FEEDS = `INSERT INTO webhook_feeds (id, endpoint_id, place)
SELECT gen_random_uuid(), endpoint_id, (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_place_seq)
FROM unnest($1::text[]) AS started (endpoint_id)
ON CONFLICT (endpoint_id) DO UPDATE SET place = excluded.place, failing_since = NULL, paused_until = NULL`;
const RESUME_FEEDS =
  'UPDATE webhook_feeds SET failing_since = NULL, paused_until = NULL WHERE endpoint_id = ANY ($1::text[])';
const LEAVE_FEEDS = 'UPDATE webhook_feeds SET endpoint_id = NULL WHERE endpoint_id = ANY ($1::text[])';

/** Whether events are sent to it. */
function isSent(endpoint: Endpoint | undefined): boolean {
  return endpoint?.isEnabled === true && endpoint.url !== null;
}

/** How far each is that is sent its events: from the change on, or, where it was sent them before, from where it stands. */
function writeFeeds(tx: Tx, changes: Changes['endpoints']): Promise<unknown>[] {
  const idsOf = (chosen: Changes['endpoints']) => chosen.flatMap(({ before, after }) => after?.id ?? before?.id ?? []);
  const sent = changes.filter(({ after }) => isSent(after));
  const started = sent.filter(({ before }) => !isSent(before));
  const resumed = sent.filter(({ before, after }) => isSent(before) && before?.url !== after?.url);
  const left = changes.filter(({ after }) => after === undefined);
  const writes = [
    [START_FEEDS, started],
    [RESUME_FEEDS, resumed],
    [LEAVE_FEEDS, left],
  ] as const;
  return writes.flatMap(([sql, chosen]) => (chosen.length === 0 ? [] : tx.query(sql, [idsOf(chosen)])));
}

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

/** Inserts, replaces and deletes endpoints, and writes where what is sent to them begins, and whether uses are asked for. Precondition: they are locked. */
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
    ...writeFeeds(tx, endpoints),
  ]);
}
