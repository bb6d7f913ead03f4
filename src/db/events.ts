// Events: written with the changes that they tell, read in the order of their places.
import type { Changes } from '../ledger/changes.js';
import type { IdentityKey } from '../ledger/customer-entities.js';
import type { EventType } from '../ledger/event-types.js';
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { inserts } from './statements.js';
import { arraysOf, given, listOf, readerOf, written } from './table.js';
import { events } from './tables.js';

/** The server, and its history, of which the log says that places are drawn there; a log that does not know yet says nothing against it. */
const IS_SAME_SERVER = `WHERE (
  SELECT assert_same_server(server IS NULL OR split_part(server, '/', 2) = server_timeline()::text) FROM event_log
)`;
const eventsOf = inserts(events, IS_SAME_SERVER);

const COLUMNS = written(events);
const COUNT = `$${COLUMNS.length + 1}::bigint`;
/** Those about no customer are numbered under the lock of the log's row, which is held until the end. */
const INSERT_OWN = `
WITH numbered AS (
  UPDATE event_log SET next_event = next_event + ${COUNT} RETURNING next_event - ${COUNT} AS first
)
INSERT INTO events (${listOf(events, COLUMNS)})
SELECT ${COLUMNS.map((key) => (key === 'number' ? 'numbered.first + given.number' : listOf(events, [key], 'given'))).join(', ')}
FROM numbered CROSS JOIN ${given(events, COLUMNS)} ${IS_SAME_SERVER} ORDER BY given.number`;

/**
 * Inserts events; where their customers stand afterwards is written with the rest of them. Locks, for those about nobody: the row of the log. Throws in the
 * statement: BC002 when the data are on another server than their places.
 */
export function insertEvents(tx: Tx, { events: told }: Changes): Promise<unknown> | undefined {
  if (told.length === 0) return undefined;
  const own = told.filter(({ customerId }) => customerId === null);
  return Promise.all([
    eventsOf(tx, own.length === 0 ? told : told.filter(({ customerId }) => customerId !== null)),
    own.length > 0 && tx.query(INSERT_OWN, [...arraysOf(events, COLUMNS, own), own.length]),
  ]);
}

/** The last place that was drawn, by whoever wrote or still writes an event; 0 when none was. */
export async function findLastPlace(tx: Tx): Promise<number> {
  const rows = await tx.query<Row & { place: number }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS place FROM events_place_seq',
  );
  return required(rows[0], 'the sequence is read').place;
}

/** The number of a transaction that begins and ends now: all that have one have a lower one, all that come get a higher one. */
export async function takeTransactionId(tx: Tx): Promise<number> {
  const rows = await tx.query<Row & { id: number }>('SELECT pg_current_xact_id()::text::bigint AS id');
  return required(rows[0], 'a transaction has a number').id;
}

/** The number below which all transactions have ended. */
export async function findOldestRunning(tx: Tx): Promise<number> {
  const rows = await tx.query<Row & { id: number }>(
    'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS id',
  );
  return required(rows[0], 'the snapshot is read').id;
}

/** An event as it is told, with whom its customer is known by at the time of reading. */
export interface StoredEvent {
  place: number;
  /** Null where it is about none. */
  customerId: string | null;
  number: number;
  id: string;
  type: EventType;
  schemaVersion: number;
  operationId: string | null;
  data: Record<string, unknown>;
  recordedAt: Date;
  identities: IdentityKey[];
}

/** Which events a reader asks for; all types where none is named. */
export interface EventsAsked {
  /** Places above this. */
  after: number;
  /** Up to this one. */
  through: number;
  types: readonly EventType[];
  /** A family. */
  customerIds: readonly string[] | undefined;
  limit: number;
}

const STORED = [
  'place',
  'customerId',
  'number',
  'id',
  'type',
  'schemaVersion',
  'operationId',
  'data',
  'recordedAt',
] as const;
const readColumns = readerOf(events, STORED);
const IDENTITIES = `(
  SELECT json_agg(json_build_object('provider', i.provider, 'externalId', i.external_id) ORDER BY i.created_at, i.id)
  FROM identities i WHERE i.customer_id = coalesce((SELECT c.merged_into FROM customers c WHERE c.id = e.customer_id), e.customer_id)
) AS identities`;
/** The columns of an event `e` as it is told, with whom its customer, or whom he leads to, is known by. */
export const TOLD_COLUMNS = `${listOf(events, STORED, 'e')}, ${IDENTITIES}`;
const listFrom = (customer: string) => `
SELECT ${TOLD_COLUMNS} FROM events e
WHERE e.place > $1::bigint AND e.place <= $2::bigint AND ($3::text[] IS NULL OR e.type = ANY ($3::text[]))${customer}
ORDER BY e.place LIMIT $4::int`;
const LIST_ALL = listFrom('');
const LIST_OF_CUSTOMER = listFrom(' AND e.customer_id = $5::uuid');
const LIST_OF_FAMILY = listFrom(' AND e.customer_id = ANY ($5::uuid[])');

const nextFrom = (customer: string) => `
SELECT place FROM events WHERE place > $1::bigint AND place <= $2::bigint${customer} ORDER BY place OFFSET $3::int - 1 LIMIT 1`;
const NEXT_OF_ALL = nextFrom('');
const NEXT_OF_CUSTOMER = nextFrom(' AND customer_id = $4::uuid');
const NEXT_OF_FAMILY = nextFrom(' AND customer_id = ANY ($4::uuid[])');

/** The text and the parameter for whom is asked about: one customer is found by a plain comparison. */
function ofWhom(
  customerIds: readonly string[] | undefined,
  [ofAll, ofOne, ofMany]: readonly [string, string, string],
): [string, ...unknown[]] {
  if (!customerIds) return [ofAll];
  return customerIds.length === 1 ? [ofOne, customerIds[0]] : [ofMany, customerIds];
}

/** The place up to which the next `limit` events behind a place are, of a family if one is named, if there are so many up to `through`; else that. */
export async function findPlaceOfNext(
  tx: Tx,
  { after, through, customerIds }: Pick<EventsAsked, 'after' | 'through' | 'customerIds'>,
  limit: number,
): Promise<number> {
  const [text, ...whom] = ofWhom(customerIds, [NEXT_OF_ALL, NEXT_OF_CUSTOMER, NEXT_OF_FAMILY]);
  const [row] = await tx.query<Row & { place: number }>(text, [after, through, limit, ...whom]);
  return row?.place ?? through;
}

/** Events in the order of their places. */
export async function listEvents(
  tx: Tx,
  { after, through, types, customerIds, limit }: EventsAsked,
): Promise<StoredEvent[]> {
  const parameters = [after, through, types.length > 0 ? types : null, limit];
  const [text, ...whom] = ofWhom(customerIds, [LIST_ALL, LIST_OF_CUSTOMER, LIST_OF_FAMILY]);
  const rows = await tx.query(text, [...parameters, ...whom]);
  return rows.map(readEvent);
}

/** An operation's events have its instant, by which they are found. */
const LIST_OF_OPERATION = `
SELECT ${TOLD_COLUMNS} FROM events e
WHERE e.customer_id = $1::uuid AND e.recorded_at = $2::timestamptz AND e.operation_id = $3::uuid ORDER BY e.place LIMIT $4::int`;

/** The first events that an operation of a customer told and that are still kept, in their order. */
export async function listEventsOf(
  tx: Tx,
  { customerId, id, recordedAt }: { customerId: string; id: string; recordedAt: Date },
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await tx.query(LIST_OF_OPERATION, [customerId, recordedAt.toISOString(), id, limit]);
  return rows.map(readEvent);
}

/** An event of a row that has its columns as they are told. */
export function readEvent(row: Row): StoredEvent {
  return { ...readColumns(row), identities: (row.identities as IdentityKey[] | null) ?? [] };
}

/** Up to which place events were dropped by age. */
export async function findDroppedPlace(tx: Tx): Promise<number> {
  const rows = await tx.query<Row & { dropped_place: number }>('SELECT dropped_place FROM event_log');
  return required(rows[0], 'there is a row').dropped_place;
}

const DROP = `
WITH oldest AS (
  SELECT place, recorded_at FROM events ORDER BY place LIMIT $2::int
), dropped AS (
  DELETE FROM events WHERE place IN (
    SELECT place FROM oldest WHERE place < coalesce((SELECT min(place) FROM oldest WHERE recorded_at >= $1::timestamptz), 9223372036854775807)
  ) RETURNING place
), counted AS (
  SELECT count(*) AS events, max(place) AS place FROM dropped
)
UPDATE event_log SET dropped_place = greatest(dropped_place, counted.place),
  told_since = greatest(told_since, $1::timestamptz) FROM counted WHERE counted.events > 0 RETURNING counted.events`;

/** Drops those of the first `limit` events that come before any that was recorded at an instant or later; how many they were. */
export async function dropOldEvents(tx: Tx, before: Date, limit: number): Promise<number> {
  const [row] = await tx.query<Row & { events: number }>(DROP, [before.toISOString(), limit]);
  return row?.events ?? 0;
}

/** A checkpoint tells a new timeline late: the log of writes has it at once. */
const SERVER = `SELECT system_identifier || '/' || server_timeline() AS server FROM pg_control_system()`;
const KNOWN_SERVER = 'SELECT server FROM event_log FOR UPDATE';

/**
 * Makes sure that no place is drawn twice: data that moved to another server, or went back in time, may have lost places that readers know. Behind those
 * that are known a number of the move begins, in the high bits. Locks: the row of the log. True when the data moved.
 */
export async function movePlaces(tx: Tx, bitsBelow: number): Promise<boolean> {
  const [[log], [now]] = await Promise.all([
    tx.query<Row & { server: string | null }>(KNOWN_SERVER),
    tx.query<Row & { server: string }>(SERVER),
  ]);
  const { server: known } = required(log, 'there is a row');
  const { server } = required(now, 'the server has an identifier');
  if (server === known) return false;
  if (known !== null) {
    await tx.query(
      `SELECT setval('events_place_seq', ((last_value >> $1::int) + 1) << $1::int) FROM events_place_seq`,
      [bitsBelow],
    );
  }
  await tx.query('UPDATE event_log SET server = $1', [server]);
  return known !== null;
}
