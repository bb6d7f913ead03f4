// The inbox of payment providers: what they told, each event once, and what became of it. Whoever applies an event takes it for a while, by the number of its
// attempt, and writes only while nobody else took it since.
import type { Changes } from '../ledger/changes.js';
import type { InboxRecord, InboxStatus, PaymentEventKind } from '../ledger/payment-entities.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { inserts, updates } from './statements.js';
import { listOf, type RecordOf, readerOf } from './table.js';
import { paymentInbox } from './tables.js';

/** An event as it is stored: with what came in. */
export type StoredEvent = RecordOf<typeof paymentInbox>;

const TOLD = [
  'type',
  'kind',
  'orderRef',
  'subscriptionRef',
  'paymentId',
  'refundId',
  'disputeId',
  'amount',
  'currency',
  'occurredAt',
] as const;
const OUTCOME = ['status', 'reason', 'detail', 'orderId', 'nextAt', 'settledAt'] as const;
const RECORD = ['provider', 'eventId', 'id', ...TOLD, ...OUTCOME, 'attempts', 'receivedAt'] as const;
const WHOLE = [...RECORD, 'body', 'headers'] as const;

const readRecord = readerOf(paymentInbox, RECORD);
const readWhole = readerOf(paymentInbox, WHOLE);
const storedOf = inserts(paymentInbox, 'ON CONFLICT (provider, event_id) DO NOTHING RETURNING id');
const settledOf = updates(paymentInbox, ['provider', 'eventId'], [...TOLD, ...OUTCOME]);

/** Stores events; those that there are stay as they are. The ids of those that are new. */
export async function storeEvents(tx: Tx, events: readonly StoredEvent[]): Promise<Set<string>> {
  const rows = (await storedOf(tx, events)) ?? [];
  return new Set(rows.map(({ id }) => id as string));
}

const TAKE_DUE = `
WITH due AS (
  SELECT provider, event_id FROM payment_inbox WHERE status = 'waiting' AND next_at <= $1::timestamptz
  ORDER BY next_at LIMIT $3::int FOR UPDATE SKIP LOCKED
)
UPDATE payment_inbox own SET attempts = own.attempts + 1, next_at = $2::timestamptz FROM due
WHERE own.provider = due.provider AND own.event_id = due.event_id RETURNING ${listOf(paymentInbox, RECORD, 'own')}`;

/** Takes events that are due at `now`, which are then not due before `until`. Several who try at once get different ones. */
export async function takeDueEvents(tx: Tx, now: Date, until: Date, limit: number): Promise<InboxRecord[]> {
  return (await tx.query(TAKE_DUE, [now.toISOString(), until.toISOString(), limit])).map(readRecord);
}

const TAKE = `
UPDATE payment_inbox SET attempts = attempts + 1, next_at = CASE WHEN status = 'waiting' THEN $2::timestamptz END
WHERE id = $1::uuid AND status IN ('waiting', 'ignored', 'quarantined') RETURNING ${listOf(paymentInbox, WHOLE)}`;

/** Takes an event, whatever its status is unless that is final. */
export async function takeEvent(tx: Tx, id: string, until: Date): Promise<StoredEvent | undefined> {
  const [row] = await tx.query(TAKE, [id, until.toISOString()]);
  return row && readWhole(row);
}

const SETTLE = `
UPDATE payment_inbox SET status = $4, reason = $5, detail = $6, order_id = $7::uuid, next_at = $8::timestamptz, settled_at = $9::timestamptz,
  kind = $10, payment_id = $11
WHERE provider = $1 AND event_id = $2 AND attempts = $3::int AND status IN ('waiting', 'ignored', 'quarantined') RETURNING 1`;

/** Writes what became of an event; false where somebody else took it since. */
export async function settleEvent(tx: Tx, record: InboxRecord): Promise<boolean> {
  const { provider, eventId, attempts, status, reason, detail, orderId, nextAt, settledAt, kind, paymentId } = record;
  const instants = [nextAt, settledAt].map((instant) => instant?.toISOString() ?? null);
  const outcome = [status, reason, detail, orderId, ...instants, kind, paymentId];
  return (await tx.query(SETTLE, [provider, eventId, attempts, ...outcome])).length > 0;
}

/** An event as it is now, locked. Locks: its row. */
export async function lockEvent(tx: Tx, id: string): Promise<InboxRecord | undefined> {
  const sql = `SELECT ${listOf(paymentInbox, RECORD)} FROM payment_inbox WHERE id = $1::uuid FOR UPDATE`;
  const [row] = await tx.query(sql, [id]);
  return row && readRecord(row);
}

/** Writes events that somebody has to look at, or did. Precondition: they are locked. */
export function writeInboxRecords(tx: Tx, { inboxRecords }: Changes): Promise<unknown> | undefined {
  return settledOf(
    tx,
    inboxRecords.map(({ after }) => after),
  );
}

/** Has events tried now that wait for this order, or are of this charge. */
export async function wakeEvents(
  tx: Tx,
  { provider, paymentId, orderId, id }: Pick<InboxRecord, 'provider' | 'paymentId' | 'orderId' | 'id'>,
  now: Date,
): Promise<void> {
  const set = `UPDATE payment_inbox SET next_at = $1::timestamptz WHERE status = 'waiting' AND next_at > $1::timestamptz AND id <> $2::uuid`;
  const parameters = [now.toISOString(), id];
  await Promise.all([
    orderId !== null && tx.query(`${set} AND order_id = $3::uuid`, [...parameters, orderId]),
    paymentId !== null &&
      tx.query(`${set} AND provider = $3 AND payment_id = $4`, [...parameters, provider, paymentId]),
  ]);
}

/** The order that another event of the same charge is about. */
export async function findOrderOfCharge(
  tx: Tx,
  { provider, paymentId }: Pick<InboxRecord, 'provider' | 'paymentId'>,
): Promise<string | undefined> {
  const [row] = await tx.query<Row & { order_id: string }>(
    'SELECT order_id FROM payment_inbox WHERE provider = $1 AND payment_id = $2 AND order_id IS NOT NULL ORDER BY received_at LIMIT 1',
    [provider, paymentId],
  );
  return row?.order_id;
}

/** Which events are asked for; all where nothing is named. */
export interface InboxAsked {
  status: InboxStatus | undefined;
  provider: string | undefined;
  kind: PaymentEventKind | undefined;
  orderId: string | undefined;
  paymentId: string | undefined;
  eventId: string | undefined;
  from: Date | undefined;
  until: Date | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

/** One page of the inbox, newest first. */
export async function listInbox(tx: Tx, asked: InboxAsked): Promise<InboxRecord[]> {
  const where = new Conditions();
  if (asked.status !== undefined) where.add('status = ?', asked.status);
  if (asked.provider !== undefined) where.add('provider = ?', asked.provider);
  if (asked.kind !== undefined) where.add('kind = ?', asked.kind);
  if (asked.orderId !== undefined) where.add('order_id = ?::uuid', asked.orderId);
  if (asked.paymentId !== undefined) where.add('payment_id = ?', asked.paymentId);
  if (asked.eventId !== undefined) where.add('event_id = ?', asked.eventId);
  if (asked.from) where.add('received_at >= ?::timestamptz', asked.from.toISOString());
  if (asked.until) where.add('received_at < ?::timestamptz', asked.until.toISOString());
  if (asked.after)
    where.add('(received_at, id) < (?::timestamptz, ?::uuid)', asked.after.createdAt.toISOString(), asked.after.id);
  const sql = `SELECT ${listOf(paymentInbox, RECORD)} FROM payment_inbox WHERE ${where.text()}
ORDER BY received_at DESC, id DESC LIMIT ${where.parameter(asked.limit)}::int`;
  return (await tx.query(sql, where.parameters)).map(readRecord);
}

/** An event with what came in. */
export async function findInboxEvent(tx: Tx, id: string): Promise<StoredEvent | undefined> {
  const [row] = await tx.query(`SELECT ${listOf(paymentInbox, WHOLE)} FROM payment_inbox WHERE id = $1::uuid`, [id]);
  return row && readWhole(row);
}

/** Since when the event waits that has been due for longest at `now`; undefined where none is due. */
export async function findOldestDueEvent(tx: Tx, now: Date): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { next_at: Date }>(
    `SELECT next_at FROM payment_inbox WHERE status = 'waiting' AND next_at <= $1::timestamptz ORDER BY next_at LIMIT 1`,
    [now.toISOString()],
  );
  return row?.next_at;
}

const BLANK = `
WITH old AS (
  SELECT provider, event_id FROM payment_inbox WHERE body IS NOT NULL AND received_at < $1::timestamptz AND status <> 'waiting'
  ORDER BY received_at LIMIT $2::int
)
UPDATE payment_inbox own SET body = NULL, headers = '{}' FROM old WHERE own.provider = old.provider AND own.event_id = old.event_id RETURNING 1`;

/** Blanks bodies that came before an instant, of events that do not wait; how many. */
export async function blankBodies(tx: Tx, before: Date, limit: number): Promise<number> {
  return (await tx.query(BLANK, [before.toISOString(), limit])).length;
}
