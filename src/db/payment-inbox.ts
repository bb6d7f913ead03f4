// The inbox of payment providers: what they told, each event once, and what became of it. Whoever applies an event takes it for a while, by the number of its
// attempt, and writes only while nobody else took it since.
import type { Changes } from '../ledger/changes.js';
import type { InboxRecord, InboxStatus, PaymentEventKind } from '../ledger/payment-entities.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { inserts, updates } from './statements.js';
import { amongGiven, arraysOf, given, listOf, namesOf, type RecordOf, readerOf } from './table.js';
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

const SETTLED_BY = ['provider', 'eventId', 'attempts'] as const;
const SETTLED = [...SETTLED_BY, ...TOLD, ...OUTCOME] as const;
const SETTLE = `
UPDATE payment_inbox own SET ${namesOf(paymentInbox, [...TOLD, ...OUTCOME])
  .map((name) => `${name} = given.${name}`)
  .join(', ')}
FROM ${given(paymentInbox, SETTLED)}
WHERE own.provider = given.provider AND own.event_id = given.event_id AND own.attempts = given.attempts
  AND own.status IN ('waiting', 'ignored', 'quarantined') AND ${amongGiven(paymentInbox, ['provider', 'eventId'], 'own')}`;

/** Writes what became of events; of those that somebody else took since, nothing. */
export async function settleEvents(tx: Tx, records: readonly InboxRecord[]): Promise<void> {
  await tx.query(SETTLE, arraysOf(paymentInbox, SETTLED, records));
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

const WAKE = `
WITH found AS (
  SELECT provider, event_id FROM payment_inbox WHERE order_id = ANY ($2::uuid[]) AND status = 'waiting'
  UNION
  SELECT own.provider, own.event_id FROM unnest($3::text[], $4::text[]) AS charge (provider, payment_id)
  JOIN payment_inbox own ON own.provider = charge.provider AND own.payment_id = charge.payment_id AND own.status = 'waiting'
), free AS (
  SELECT own.provider, own.event_id FROM payment_inbox own JOIN found USING (provider, event_id)
  WHERE own.status = 'waiting' AND own.reason IS NOT NULL AND own.next_at > $1::timestamptz FOR UPDATE OF own SKIP LOCKED
)
UPDATE payment_inbox own SET next_at = $1::timestamptz FROM free WHERE own.provider = free.provider AND own.event_id = free.event_id`;

/** Has events tried now that wait for the orders of these, or are of their charges. Those that are tried for the first time are left to who does. */
export async function wakeEvents(
  tx: Tx,
  applied: readonly Pick<InboxRecord, 'provider' | 'paymentId' | 'orderId'>[],
  now: Date,
): Promise<void> {
  const orders = applied.flatMap(({ orderId }) => orderId ?? []);
  const charges = applied.filter(({ paymentId }) => paymentId !== null);
  const [providers, payments] = [charges.map(({ provider }) => provider), charges.map(({ paymentId }) => paymentId)];
  await tx.query(WAKE, [now.toISOString(), orders, providers, payments]);
}

/** Why an event about money that goes back has no effect: its charge bought nothing. */
export const CHARGE_UNMATCHED = 'payment_unmatched';

/** A charge that bought nothing, and the order under which it was kept. */
export interface UnmatchedCharge {
  paymentId: string;
  orderId: string;
  now: Date;
}

const RECONSIDER = `
UPDATE payment_inbox own SET status = 'waiting', next_at = charge.now, settled_at = NULL
FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS charge (order_id, payment_id, now)
WHERE own.order_id = charge.order_id AND own.payment_id = charge.payment_id AND own.status = 'ignored' AND own.reason = '${CHARGE_UNMATCHED}'`;

/** Has events tried again that were left because their charges bought nothing: by now something else is told of these. Locks: their rows. */
export function reconsiderEvents(tx: Tx, charges: readonly UnmatchedCharge[]): Promise<unknown> {
  const orders = charges.map(({ orderId }) => orderId);
  const payments = charges.map(({ paymentId }) => paymentId);
  return tx.query(RECONSIDER, [orders, payments, charges.map(({ now }) => now.toISOString())]);
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
