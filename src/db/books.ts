// Loads books: the only statements that read batches for a decision. Set-based: one statement, whatever the number of customers and rows.

import type { LoadedBook } from '../ledger/book.js';
import type { Needs, Provider } from '../ledger/consume.js';
import type { Subject } from '../ledger/entities.js';
import { groupBy } from '../lib/group-by.js';
import type { Ids } from '../lib/ids.js';
import {
  type DueOrderRow,
  type HoldingRow,
  ownCost,
  type PendingRow,
  type TakenRow,
  toBook,
  toProvider,
} from './book-rows.js';
import type { Tx } from './client.js';
import { PRESENT, pastOf, type Source } from './history.js';

/** One customer to load, and what his operations look at. */
export interface BookRequest {
  customerId: string;
  needs: readonly Needs[];
}

/** What was read of customers: their books, and the products that can pay. */
export interface LoadedBooks {
  /** A new book of a customer, as the lock gave him; `now` is the clock, but not before what he recorded last. */
  bookOf(customer: { id: string; nextSeq: number }, now: Date, ids: Ids): LoadedBook;
  /** The instant at which a customer was read, which a read tells of; undefined when there was nothing to read. */
  atOf(customerId: string): Date | undefined;
  /** The products that can pay for what was asked of a customer. */
  providersFor(customerId: string): ProvidersOf;
}

/** The products that can pay for a subject that was asked for; empty when there is no such product or feature. */
export type ProvidersOf = (subject: Subject) => Provider[];

/** Usable batches read at first; more are read only when they don't cover the need. */
const BATCHES_AT_FIRST = 32;
const BATCHES_GROWTH = 16;
const RUNNING_MAX = 32;
/** Batches, and reservations, of a customer that one tx settles at most; those beyond are not spendable meanwhile. */
const SETTLE_MAX = 500;
/** Batches that are not valid yet, of one product, from which an overdraft takes at most. */
const PENDING_MAX = 10_000;
/** Entries of one operation; each takes from another batch. */
const TAKEN_ENTRIES_MAX = 100_000;

const BATCH_COLUMNS =
  'b.id, b.product_key, b.granted, b.available, b.held, b.consumed, b.expired, b.revoked, b.transferred, b.priority, b.valid_from, b.expires_at, b.created_at';
const OF_WANTED = 'b.customer_id = w.customer_id AND b.product_key = w.product_key';

/** $5 reservations and $6 operations that are asked for by their ids; what the latter took, and the features of both. */
const NAMED = `UNION
  SELECT c.id, c.at, r.id, r.costs FROM json_to_recordset($5::json) AS n (customer_id uuid, id uuid)
    JOIN customer c ON c.id = n.customer_id JOIN reservations r ON r.customer_id = n.customer_id AND r.id = n.id
), taken AS (
  SELECT c.id AS customer_id, c.at, e.product_key, e.feature FROM json_to_recordset($6::json) AS n (customer_id uuid, id uuid)
    JOIN customer c ON c.id = n.customer_id JOIN operations o ON o.customer_id = n.customer_id AND o.id = n.id
    CROSS JOIN LATERAL (
      SELECT e.product_key, e.feature FROM entries e
      WHERE e.customer_id = o.customer_id AND e.seq BETWEEN o.first_seq AND o.last_seq ORDER BY e.seq LIMIT ${TAKEN_ENTRIES_MAX}
    ) e
), named AS (
  SELECT c.id AS customer_id, c.at, r.feature FROM json_to_recordset($5::json) AS n (customer_id uuid, id uuid)
    JOIN customer c ON c.id = n.customer_id JOIN reservations r ON r.customer_id = n.customer_id AND r.id = n.id
  UNION
  SELECT customer_id, at, feature FROM taken`;
const WANTED_OF_NAMED = `UNION
  SELECT customer_id, at, product_key FROM taken
  UNION
  SELECT n.customer_id, n.at, f.product_key FROM named n JOIN product_features f ON f.feature = n.feature`;

/**
 * $1 customers, $2 the clock, $3 what is asked of them, $4 usable batches per holding at most; with `hasNamed` also $5 and $6. Besides the asked products the holdings of those are read that settling changes. The sums are over ordered rows, which makes the planner
 * take the indexes of open batches rather than read all of a customer's.
 */
const loadHoldingsFrom = (source: Source, instant: string, hasNamed: boolean) => `
WITH ${source.ctes} customer AS MATERIALIZED (
  SELECT k.id, ${instant} AS at
  FROM json_to_recordset($1::json) AS k (id uuid) LEFT JOIN customers c ON c.id = k.id
), due AS MATERIALIZED (
  SELECT c.id AS customer_id, c.at, d.* FROM customer c CROSS JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE b.customer_id = c.id AND b.is_open AND b.available > 0 AND b.expires_at <= c.at
    ORDER BY b.expires_at, b.id LIMIT ${SETTLE_MAX}
  ) d
), reservation AS MATERIALIZED (
  SELECT c.id AS customer_id, c.at, r.id, r.costs FROM customer c CROSS JOIN LATERAL (
    SELECT r.id, r.costs FROM reservations r
    WHERE r.customer_id = c.id AND r.status = 'held' AND r.expires_at <= c.at
    ORDER BY r.expires_at, r.id LIMIT ${SETTLE_MAX}
  ) r
  ${hasNamed ? NAMED : ''}
), asked AS (
  SELECT customer_id, product_key, feature FROM json_to_recordset($3::json) AS a (customer_id uuid, product_key text, feature text)
), wanted AS (
  SELECT c.id AS customer_id, c.at, p.product_key FROM asked a JOIN customer c ON c.id = a.customer_id
    JOIN products p ON p.product_key = a.product_key
  UNION
  SELECT c.id, c.at, f.product_key FROM asked a JOIN customer c ON c.id = a.customer_id JOIN product_features f ON f.feature = a.feature
  UNION
  SELECT customer_id, at, product_key FROM due
  UNION
  SELECT customer_id, at, jsonb_object_keys(costs) FROM reservation
  ${hasNamed ? WANTED_OF_NAMED : ''}
)
SELECT w.customer_id, w.at, w.product_key, p.type, p.is_active, p.is_currency, f.features, bal.available, bal.held, bal.owed,
       late.overdue, later.not_yet_valid, usable.list AS usable, running.list AS running,
       access.until AS access_until, access.forever AS access_forever,
       (SELECT json_agg(d ORDER BY d.expires_at, d.id) FROM due d
        WHERE d.customer_id = w.customer_id AND d.product_key = w.product_key) AS due,
       (SELECT json_agg(loaded) FROM (
          SELECT r.*, (
            SELECT json_agg(json_build_object('amount', l.amount, 'batch', b) ORDER BY l.position)
            FROM reservation_legs l CROSS JOIN LATERAL (
              SELECT ${BATCH_COLUMNS} FROM ${source.batches} b WHERE b.customer_id = l.customer_id AND b.id = l.batch_id
            ) b
            WHERE l.customer_id = r.customer_id AND l.reservation_id = r.id
          ) AS legs
          FROM reservation k JOIN reservations r ON r.customer_id = k.customer_id AND r.id = k.id
          WHERE k.customer_id = w.customer_id AND jsonb_exists(k.costs, w.product_key)
        ) loaded) AS reservations
FROM wanted w
JOIN products p ON p.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT json_object_agg(f.feature, f.unit_cost) AS features FROM product_features f WHERE f.product_key = w.product_key
) f
LEFT JOIN ${source.balances} bal ON bal.customer_id = w.customer_id AND bal.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT sum(o.available)::bigint AS overdue FROM (
    SELECT b.available FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.expires_at <= w.at
    ORDER BY b.expires_at, b.id
  ) o
) late
CROSS JOIN LATERAL (
  SELECT sum(o.available)::bigint AS not_yet_valid FROM (
    SELECT b.available FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.valid_from > w.at
    ORDER BY b.valid_from
  ) o
) later
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL
      AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $4::int
  ) u
) usable
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.granted IS NULL AND b.revoked_at IS NULL
      AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT ${RUNNING_MAX}
  ) u
) running
CROSS JOIN LATERAL (
  SELECT max(b.expires_at) AS until, bool_or(b.expires_at IS NULL) AS forever FROM ${source.batches} b
  WHERE ${OF_WANTED} AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > w.at)
) access`;

const CLAMPED = 'greatest($2::timestamptz, c.last_recorded_at)';
const LOAD_HOLDINGS = loadHoldingsFrom(PRESENT, CLAMPED, false);
const LOAD_NAMED_HOLDINGS = loadHoldingsFrom(PRESENT, CLAMPED, true);
const LOAD_PAST_HOLDINGS = loadHoldingsFrom(
  pastOf('e.customer_id IN (SELECT id FROM json_to_recordset($1::json) AS k (id uuid))', '$2'),
  '$2::timestamptz',
  false,
);

/** Batches of customers that are not valid yet: $1 customers with products, $2 the clock. */
const LOAD_PENDING = `
SELECT w.customer_id, w.product_key, p.list FROM (
  SELECT k.customer_id, k.product_key, greatest($2::timestamptz, c.last_recorded_at) AS at
  FROM json_to_recordset($1::json) AS k (customer_id uuid, product_key text) JOIN customers c ON c.id = k.customer_id
) w
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.valid_from, u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.valid_from > w.at
    ORDER BY b.valid_from LIMIT ${PENDING_MAX}
  ) u
) p`;

/** What operations took: $1 operations. In the order of use, with what was given back of each entry. */
const LOAD_TAKEN = `
SELECT o.customer_id, o.id, o.name, (
  SELECT json_agg(json_build_object(
    'seq', e.seq, 'product_key', e.product_key, 'amount', e.amount, 'feature', e.feature, 'unit_cost', e.unit_cost,
    'action_type', e.action_type, 'action_id', e.action_id, 'batch', b, 'reversed', (
      SELECT coalesce(sum(v.amount), 0)::bigint FROM entries v
      WHERE v.customer_id = e.customer_id AND v.reverses_seq = e.seq)) ORDER BY e.seq)
  FROM entries e LEFT JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM batches b WHERE b.customer_id = e.customer_id AND b.id = e.batch_id
  ) b ON true
  WHERE e.customer_id = o.customer_id AND e.seq BETWEEN o.first_seq AND o.last_seq AND e.kind IN ('consume', 'commit', 'debt')
) AS entries
FROM json_to_recordset($1::json) AS n (customer_id uuid, id uuid)
JOIN operations o ON o.customer_id = n.customer_id AND o.id = n.id`;

/** Pending orders past their end, the longest due first: $1 customers, $2 the clock. */
const LOAD_DUE_ORDERS = `
SELECT o.customer_id, o.id FROM orders o JOIN customers c ON c.id = o.customer_id
WHERE o.customer_id = ANY ($1::uuid[]) AND o.status = 'pending' AND o.expires_at <= greatest($2::timestamptz, c.last_recorded_at)
ORDER BY o.expires_at, o.id LIMIT ${SETTLE_MAX}`;

/** Product units that may be taken of a row's product for all that is asked of its customer. */
function unitsAsked(row: HoldingRow, needs: readonly Needs[]): number {
  let units = 0;
  const add = (amount: number, unitCost: number) => {
    units = Math.min(Number.MAX_SAFE_INTEGER, units + amount * unitCost);
  };
  for (const { asks, reservation } of needs) {
    for (const { subject, amount } of asks) add(amount, toProvider(row, subject)?.unitCost ?? 0);
    const held = reservation && row.reservations?.find(({ id }) => id === reservation.id);
    if (held) add(Math.max(0, reservation.amount - held.amount), ownCost(held.costs, row.product_key) ?? 0);
  }
  return units;
}

function isCovered(row: HoldingRow, needs: readonly Needs[], limit: number): boolean {
  const usable = row.usable ?? [];
  if (usable.length < limit) return true;
  const loaded = usable.reduce((sum, batch) => sum + batch.available, 0);
  const spendable = (row.available ?? 0) - (row.overdue ?? 0) - (row.not_yet_valid ?? 0);
  return loaded >= Math.min(spendable, unitsAsked(row, needs));
}

/** The distinct subjects that are asked for, as the statement reads them. */
function askedJson(requests: readonly BookRequest[]): string {
  const asked = new Map<string, object>();
  for (const { customerId, needs } of requests) {
    for (const { subject } of needs.flatMap(({ asks }) => asks)) {
      const name = 'feature' in subject ? { feature: subject.feature } : { product_key: subject.productKey };
      asked.set(JSON.stringify([customerId, name]), { customer_id: customerId, ...name });
    }
  }
  return JSON.stringify([...asked.values()]);
}

/** What is asked for by its id, of each customer. */
function namedJson(requests: readonly BookRequest[], idOf: (needs: Needs) => string | undefined): string {
  return JSON.stringify(
    requests.flatMap(({ customerId, needs }) =>
      [...new Set(needs.map(idOf))].flatMap((id) => (id === undefined ? [] : [{ customer_id: customerId, id }])),
    ),
  );
}

const NONE = '[]';

/**
 * Reads what the books of customers hold at the clock's instant (of each, not before what he recorded last): the holdings of what is asked, with
 * their usable batches in burn order until the need is covered, what is due, and the reservations and operations that are asked for. For a
 * write the customers must be locked by an earlier statement; it need not be answered yet.
 */
export async function loadBooks(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  { isPast = false, isForWrite = false }: { isPast?: boolean; isForWrite?: boolean } = {},
): Promise<LoadedBooks> {
  const operations = namedJson(requests, ({ takenBy }) => takenBy);
  const hasNamed = operations !== NONE || namedJson(requests, reservationOf) !== NONE;
  const sql = isPast ? LOAD_PAST_HOLDINGS : hasNamed ? LOAD_NAMED_HOLDINGS : LOAD_HOLDINGS;
  const [rows, taken, pending, dueOrders] = await Promise.all([
    loadCovering(requests, (those, limit) =>
      tx.query<HoldingRow>(sql, holdingParameters(those, clock, limit, hasNamed)),
    ),
    operations === NONE ? [] : tx.query<TakenRow>(LOAD_TAKEN, [operations]),
    loadPending(tx, requests, clock),
    isForWrite
      ? tx.query<DueOrderRow>(LOAD_DUE_ORDERS, [requests.map(({ customerId }) => customerId), clock.toISOString()])
      : [],
  ]);
  return toLoadedBooks(rows, taken, pending, dueOrders);
}

function reservationOf({ reservation }: Needs): string | undefined {
  return reservation?.id;
}

function holdingParameters(requests: readonly BookRequest[], clock: Date, limit: number, hasNamed: boolean): unknown[] {
  return [
    JSON.stringify(requests.map(({ customerId }) => ({ id: customerId }))),
    clock.toISOString(),
    askedJson(requests),
    limit,
    ...(hasNamed ? [namedJson(requests, reservationOf), namedJson(requests, ({ takenBy }) => takenBy)] : []),
  ];
}

/** Reads the holdings; for whoever needs more, again with more and more of the usable batches until they cover what is asked. */
async function loadCovering(
  requests: readonly BookRequest[],
  read: (requests: readonly BookRequest[], limit: number) => Promise<HoldingRow[]>,
): Promise<HoldingRow[]> {
  const covered: HoldingRow[] = [];
  for (let [left, limit] = [requests, BATCHES_AT_FIRST]; left.length > 0; limit *= BATCHES_GROWTH) {
    const needs = new Map(left.map((request) => [request.customerId, request.needs]));
    const rows = await read(left, limit);
    const isShort = (row: HoldingRow) => !isCovered(row, needs.get(row.customer_id) ?? [], limit);
    const short = new Set(rows.filter(isShort).map((row) => row.customer_id));
    covered.push(...rows.filter((row) => !short.has(row.customer_id)));
    left = left.filter(({ customerId }) => short.has(customerId));
  }
  return covered;
}

/** Reads the batches that are not valid yet of the products that are overdrawn. */
async function loadPending(tx: Tx, requests: readonly BookRequest[], clock: Date): Promise<PendingRow[]> {
  const overdrawn = new Map<string, object>();
  for (const { customerId, needs } of requests) {
    for (const { subject, isOverdraft } of needs.flatMap(({ asks }) => asks)) {
      if (!isOverdraft || 'feature' in subject) continue;
      const named = { customer_id: customerId, product_key: subject.productKey };
      overdrawn.set(JSON.stringify(named), named);
    }
  }
  if (overdrawn.size === 0) return [];
  return tx.query<PendingRow>(LOAD_PENDING, [JSON.stringify([...overdrawn.values()]), clock.toISOString()]);
}

function toLoadedBooks(
  rows: readonly HoldingRow[],
  taken: readonly TakenRow[],
  pending: readonly PendingRow[],
  dueOrders: readonly DueOrderRow[],
): LoadedBooks {
  const byCustomer = groupBy(rows, (row) => row.customer_id);
  return {
    atOf: (customerId) => byCustomer.get(customerId)?.[0]?.at,
    providersFor: (customerId) => (subject) => providersIn(byCustomer.get(customerId) ?? [], subject),
    bookOf: (customer, now, ids) =>
      toBook(customer, now, ids, {
        rows: byCustomer.get(customer.id) ?? [],
        taken: taken.filter((row) => row.customer_id === customer.id),
        pending: pending.filter((row) => row.customer_id === customer.id),
        dueOrders: dueOrders.filter((row) => row.customer_id === customer.id),
      }),
  };
}

function providersIn(rows: readonly HoldingRow[], subject: Subject): Provider[] {
  const providers = new Map<string, Provider>();
  for (const row of rows) {
    const provider = providers.has(row.product_key) ? undefined : toProvider(row, subject);
    if (provider) providers.set(row.product_key, provider);
  }
  return [...providers.values()];
}
