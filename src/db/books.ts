// Loads books: the only statements that read batches for a decision. Set-based, whatever the number of customers and rows: what is asked for in one
// statement; what settling needs in others, which are sent only for customers of whom something is due.

import type { LoadedBook } from '../ledger/book.js';
import type { Needs, Provider } from '../ledger/consume.js';
import type { Subject } from '../ledger/entities.js';
import { groupBy } from '../lib/group-by.js';
import type { Ids } from '../lib/ids.js';
import {
  BATCH,
  type DueBatchRow,
  type DueOrderRow,
  type HoldingRow,
  ownCost,
  type PendingRow,
  RESERVATION,
  type ReservationRow,
  type TakenRow,
  toBook,
  toProvider,
} from './book-rows.js';
import type { Db, Tx } from './client.js';
import { PRESENT, pastOf, type Source } from './history.js';
import { listOf } from './table.js';
import { batches, reservations } from './tables.js';
import { inSnapshot } from './transactions.js';

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
/** Batches, reservations, and orders, of a customer that one transaction settles at most; those beyond are not spendable meanwhile. */
const SETTLE_MAX = 500;
/** And a read, which writes nothing of it. */
const SHOWN_MAX = 1_000_000;
/** Batches that are not valid yet, of one product, from which an overdraft takes at most. */
const PENDING_MAX = 10_000;
/** Entries of one operation; each takes from another batch. */
const TAKEN_ENTRIES_MAX = 100_000;

const BATCH_COLUMNS = listOf(batches, BATCH, 'b');
const OF_WANTED = 'b.customer_id = w.customer_id AND b.product_key = w.product_key';
/** Every statement has the ids of its customers as $1, and the clock as $2. The instant of a customer is never before what he recorded last. */
const OF_CUSTOMERS = 'customer_id = ANY ($1::uuid[])';

const PAST: Source = pastOf(`e.${OF_CUSTOMERS}`, '$2');
const instantOf = (isPast: boolean) => (isPast ? '$2::timestamptz' : 'greatest($2::timestamptz, c.last_recorded_at)');

/** What a statement asks for besides the products named in $4 and $5: products of the features in $6 and $7, products of what is named. */
interface Wanted {
  hasFeatures: boolean;
  hasNamed: boolean;
  isPast: boolean;
}

const FEATURES = `
  UNION
  SELECT n.customer_id, f.product_key FROM unnest($6::uuid[], $7::text[]) AS n (customer_id, feature) JOIN product_features f USING (feature)`;

/** $8 and $9 reservations, $10 and $11 operations, with their customers: what they took, and what provides the features of both. */
const NAMED = `
  UNION
  SELECT r.customer_id, jsonb_object_keys(r.costs) FROM unnest($8::uuid[], $9::uuid[]) AS n (customer_id, id)
  JOIN reservations r USING (customer_id, id) WHERE r.${OF_CUSTOMERS}
  UNION
  SELECT customer_id, product_key FROM taken
  UNION
  SELECT n.customer_id, f.product_key FROM (
    SELECT r.customer_id, r.feature FROM unnest($8::uuid[], $9::uuid[]) AS n (customer_id, id)
    JOIN reservations r USING (customer_id, id) WHERE r.${OF_CUSTOMERS}
    UNION
    SELECT customer_id, feature FROM taken
  ) n JOIN product_features f USING (feature)`;
const TAKEN = `
taken AS (
  SELECT e.customer_id, e.product_key, e.feature FROM unnest($10::uuid[], $11::uuid[]) AS n (customer_id, id)
  JOIN operations o USING (customer_id, id)
  CROSS JOIN LATERAL (
    SELECT e.customer_id, e.product_key, e.feature FROM entries e
    WHERE e.customer_id = o.customer_id AND e.${OF_CUSTOMERS} AND e.seq BETWEEN o.first_seq AND o.last_seq
    ORDER BY e.seq LIMIT ${TAKEN_ENTRIES_MAX}
  ) e WHERE o.${OF_CUSTOMERS}
),`;

/**
 * The holdings of products: $3 usable batches of each at most. Sums over what can't be spent are read only where not all usable batches are, or something
 * is due; they are over ordered rows, which makes the planner take the indexes of open batches rather than read all of a customer's.
 */
const loadHoldingsFrom = ({ hasFeatures, hasNamed, isPast }: Wanted) => {
  const source = isPast ? PAST : PRESENT;
  const instant = instantOf(isPast);
  return `
WITH ${source.ctes} ${hasNamed ? TAKEN : ''} wanted AS (
  SELECT n.customer_id, n.product_key FROM unnest($4::uuid[], $5::text[]) AS n (customer_id, product_key)${hasFeatures || hasNamed ? FEATURES : ''}${hasNamed ? NAMED : ''}
)
SELECT w.customer_id, c.at, c.is_due, w.product_key, p.type, p.is_active, p.is_currency, f.features, bal.available, bal.held, bal.owed,
       usable.list AS usable, running.list AS running, access.until AS access_until, access.forever AS access_forever,
       CASE WHEN c.is_due OR usable.size = $3::int THEN (
         SELECT sum(o.available)::bigint FROM (
           SELECT b.available FROM ${source.batches} b
           WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.expires_at <= c.at ORDER BY b.expires_at, b.id
         ) o) END AS overdue,
       CASE WHEN c.is_due OR usable.size = $3::int THEN (
         SELECT sum(o.available)::bigint FROM (
           SELECT b.available FROM ${source.batches} b
           WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.valid_from > c.at ORDER BY b.valid_from
         ) o) END AS not_yet_valid
FROM wanted w
JOIN products p ON p.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT max(${instant}) AS at, ${isPast ? 'true' : `coalesce(bool_or(c.due_at <= ${instant}), false)`} AS is_due FROM customers c
  WHERE c.id = w.customer_id AND c.id = ANY ($1::uuid[])
) c
CROSS JOIN LATERAL (
  SELECT json_object_agg(f.feature, f.unit_cost) AS features FROM product_features f WHERE f.product_key = w.product_key
) f
LEFT JOIN ${source.balances} bal ON bal.customer_id = w.customer_id AND bal.product_key = w.product_key AND bal.${OF_CUSTOMERS}
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list, count(*) AS size FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL
      AND b.valid_from <= c.at AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type = 'quantity'
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $3::int
  ) u
) usable
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.granted IS NULL AND b.revoked_at IS NULL
      AND b.valid_from <= c.at AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type <> 'quantity'
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT ${RUNNING_MAX}
  ) u
) running
CROSS JOIN LATERAL (
  SELECT max(b.expires_at) AS until, bool_or(b.expires_at IS NULL) AS forever FROM ${source.batches} b
  WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > c.at)
    AND p.type <> 'quantity'
) access`;
};

/** One text for each way of asking. */
const HOLDINGS = [false, true].map((isPast) =>
  [false, true].map((hasNamed) =>
    [false, true].map((hasFeatures) => loadHoldingsFrom({ hasFeatures, hasNamed, isPast })),
  ),
);

/** Batches past their end with units, the longest due first. */
const loadDueBatchesFrom = (isPast: boolean) => `
WITH ${isPast ? PAST.ctes : ''} due AS (
  SELECT d.* FROM customers c CROSS JOIN LATERAL (
    SELECT b.customer_id, ${BATCH_COLUMNS} FROM ${(isPast ? PAST : PRESENT).batches} b
    WHERE b.customer_id = c.id AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.expires_at <= ${instantOf(isPast)}
    ORDER BY b.expires_at, b.id LIMIT $3::int
  ) d WHERE c.id = ANY ($1::uuid[])
) SELECT * FROM due`;

const RESERVATION_COLUMNS = `r.customer_id, ${listOf(reservations, RESERVATION, 'r')}`;
const legsFrom = (source: Source) => `(
  SELECT json_agg(json_build_object('amount', l.amount, 'batch', b) ORDER BY l.position)
  FROM reservation_legs l CROSS JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b WHERE b.customer_id = l.customer_id AND b.id = l.batch_id AND b.${OF_CUSTOMERS}
  ) b
  WHERE l.customer_id = r.customer_id AND l.${OF_CUSTOMERS} AND l.reservation_id = r.id
) AS legs`;

/** Holds past their end, the longest due first. */
const loadDueReservationsFrom = (isPast: boolean) => `
WITH ${isPast ? PAST.ctes : ''} due AS (
  SELECT r.* FROM customers c CROSS JOIN LATERAL (
    SELECT r.* FROM reservations r
    WHERE r.customer_id = c.id AND r.${OF_CUSTOMERS} AND r.status = 'held' AND r.expires_at <= ${instantOf(isPast)}
    ORDER BY r.expires_at, r.id LIMIT $3::int
  ) r WHERE c.id = ANY ($1::uuid[])
) SELECT ${RESERVATION_COLUMNS}, ${legsFrom(isPast ? PAST : PRESENT)} FROM due r`;

const LOAD_DUE_BATCHES = [false, true].map(loadDueBatchesFrom);
const LOAD_DUE_RESERVATIONS = [false, true].map(loadDueReservationsFrom);

/** Reservations by their ids: $2 and $3, with their customers. */
const LOAD_RESERVATIONS = `
SELECT ${RESERVATION_COLUMNS}, ${legsFrom(PRESENT)} FROM unnest($2::uuid[], $3::uuid[]) AS n (customer_id, id)
JOIN reservations r USING (customer_id, id) WHERE r.${OF_CUSTOMERS}`;

/** Pending orders past their end, the longest due first. */
const LOAD_DUE_ORDERS = `
SELECT o.customer_id, o.id FROM customers c CROSS JOIN LATERAL (
  SELECT o.customer_id, o.id, o.expires_at FROM orders o
  WHERE o.customer_id = c.id AND o.${OF_CUSTOMERS} AND o.status = 'pending' AND o.expires_at <= ${instantOf(false)}
  ORDER BY o.expires_at, o.id LIMIT $3::int
) o WHERE c.id = ANY ($1::uuid[]) ORDER BY o.expires_at, o.id`;

/** Batches that are not valid yet: of products $4, with their customers $3. */
const LOAD_PENDING = `
SELECT w.customer_id, w.product_key, p.list FROM (
  SELECT n.customer_id, n.product_key, ${instantOf(false)} AS at
  FROM unnest($3::uuid[], $4::text[]) AS n (customer_id, product_key) JOIN customers c ON c.id = n.customer_id WHERE c.id = ANY ($1::uuid[])
) w
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.valid_from, u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.valid_from > w.at
    ORDER BY b.valid_from LIMIT ${PENDING_MAX}
  ) u
) p`;

/** What operations took: $3, with their customers $2. In the order of use, with what was given back of each entry. */
const LOAD_TAKEN = `
SELECT o.customer_id, o.id, o.name, (
  SELECT json_agg(json_build_object(
    'seq', e.seq, 'product_key', e.product_key, 'amount', e.amount, 'feature', e.feature, 'unit_cost', e.unit_cost,
    'action_type', e.action_type, 'action_id', e.action_id, 'batch', b, 'reversed', (
      SELECT coalesce(sum(v.amount), 0)::bigint FROM entries v
      WHERE v.customer_id = e.customer_id AND v.${OF_CUSTOMERS} AND v.reverses_seq = e.seq)) ORDER BY e.seq)
  FROM entries e LEFT JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM batches b WHERE b.customer_id = e.customer_id AND b.${OF_CUSTOMERS} AND b.id = e.batch_id
  ) b ON true
  WHERE e.customer_id = o.customer_id AND e.${OF_CUSTOMERS} AND e.seq BETWEEN o.first_seq AND o.last_seq
    AND e.kind IN ('consume', 'commit', 'debt')
) AS entries
FROM unnest($2::uuid[], $3::uuid[]) AS n (customer_id, id) JOIN operations o USING (customer_id, id) WHERE o.${OF_CUSTOMERS}`;

/** Product units that may be taken of a row's product for all that is asked of its customer. */
function unitsAsked(row: HoldingRow, needs: readonly Needs[], named: readonly ReservationRow[]): number {
  let units = 0;
  const add = (amount: number, unitCost: number) => {
    units = Math.min(Number.MAX_SAFE_INTEGER, units + amount * unitCost);
  };
  for (const { asks, reservation } of needs) {
    for (const { subject, amount } of asks) add(amount, toProvider(row, subject)?.unitCost ?? 0);
    const held = reservation && named.find(({ id }) => id === reservation.id);
    if (held) add(Math.max(0, reservation.amount - held.amount), ownCost(held.costs, row.product_key) ?? 0);
  }
  return units;
}

function isCovered(row: HoldingRow, limit: number, units: () => number): boolean {
  const usable = row.usable ?? [];
  if (usable.length < limit) return true;
  const loaded = usable.reduce((sum, batch) => sum + Number(batch.available), 0);
  const spendable = (row.available ?? 0) - (row.overdue ?? 0) - (row.not_yet_valid ?? 0);
  return loaded >= Math.min(spendable, units());
}

/** Things of customers that are named, as the two arrays that a statement takes. */
class Names {
  readonly customerIds: string[] = [];
  readonly names: string[] = [];
  readonly #known = new Set<string>();

  add(customerId: string, name: string): void {
    const text = JSON.stringify([customerId, name]);
    if (this.#known.has(text)) return;
    this.#known.add(text);
    this.customerIds.push(customerId);
    this.names.push(name);
  }

  arrays(): [string[], string[]] {
    return [this.customerIds, this.names];
  }
}

/** All that is named in requests. */
interface NamedThings {
  products: Names;
  features: Names;
  reservations: Names;
  operations: Names;
  /** Products from which more may be taken than there is. */
  overdrawn: Names;
}

function namedIn(requests: readonly BookRequest[]): NamedThings {
  const named = {
    products: new Names(),
    features: new Names(),
    reservations: new Names(),
    operations: new Names(),
    overdrawn: new Names(),
  };
  for (const { customerId, needs } of requests) {
    for (const { asks, reservation, takenBy } of needs) {
      for (const { subject, isOverdraft } of asks) {
        if ('feature' in subject) named.features.add(customerId, subject.feature);
        else named.products.add(customerId, subject.productKey);
        if (isOverdraft && 'productKey' in subject) named.overdrawn.add(customerId, subject.productKey);
      }
      if (reservation) named.reservations.add(customerId, reservation.id);
      if (takenBy !== undefined) named.operations.add(customerId, takenBy);
    }
  }
  return named;
}

function idsOf(requests: readonly BookRequest[]): string[] {
  return requests.map(({ customerId }) => customerId);
}

async function loadHoldings(
  tx: Tx,
  named: NamedThings,
  customerIds: readonly string[],
  clock: Date,
  limit: number,
  isPast: boolean,
): Promise<HoldingRow[]> {
  const { products, features, reservations: held, operations } = named;
  const hasNamed = held.names.length > 0 || operations.names.length > 0;
  const hasFeatures = features.names.length > 0;
  if (!hasNamed && !hasFeatures && products.names.length === 0) return [];
  const sql = HOLDINGS[Number(isPast)]?.[Number(hasNamed)]?.[Number(hasFeatures)] as string;
  return tx.query<HoldingRow>(sql, [
    customerIds,
    clock.toISOString(),
    limit,
    ...products.arrays(),
    ...(hasFeatures || hasNamed ? features.arrays() : []),
    ...(hasNamed ? [...held.arrays(), ...operations.arrays()] : []),
  ]);
}

/** Reads the holdings of what is named; for whoever needs more, again with more and more of the usable batches until they cover what is asked. */
async function loadCovering(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  isPast: boolean,
  naming: Promise<readonly ReservationRow[]>,
): Promise<HoldingRow[]> {
  const covered: HoldingRow[] = [];
  for (let [left, limit] = [requests, BATCHES_AT_FIRST]; left.length > 0; limit *= BATCHES_GROWTH) {
    const needs = new Map(left.map((request) => [request.customerId, request.needs]));
    const rows = await loadHoldings(tx, namedIn(left), idsOf(left), clock, limit, isPast);
    const named = await naming;
    const isShort = (row: HoldingRow) =>
      !isCovered(row, limit, () => unitsAsked(row, needs.get(row.customer_id) ?? [], named));
    const short = new Set(rows.filter(isShort).map((row) => row.customer_id));
    covered.push(...rows.filter((row) => !short.has(row.customer_id)));
    left = left.filter(({ customerId }) => short.has(customerId));
  }
  return covered;
}

/** Whether something of a customer is due. */
export type IsDue = (customerId: string) => boolean;

/**
 * Reads what the books of customers hold at the clock's instant (of each, not before what he recorded last): the holdings of what is asked, with
 * their usable batches in burn order until the need is covered, the reservations and operations that are asked for, and what is due. For a
 * write the customers must be locked by an earlier statement, which need not be answered yet.
 */
export async function loadBooks(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  { isPast = false, isRead = isPast, asking }: { isPast?: boolean; isRead?: boolean; asking?: Promise<IsDue> } = {},
): Promise<LoadedBooks> {
  const { reservations: held, operations, overdrawn } = namedIn(requests);
  const ids = idsOf(requests);
  const at = clock.toISOString();
  const naming =
    held.names.length > 0
      ? tx.query<ReservationRow>(LOAD_RESERVATIONS, [ids, ...held.arrays()])
      : Promise.resolve([] as ReservationRow[]);
  const [rows, named, taken, pending, isDue] = await Promise.all([
    loadCovering(tx, requests, clock, isPast, naming),
    naming,
    operations.names.length > 0 ? tx.query<TakenRow>(LOAD_TAKEN, [ids, ...operations.arrays()]) : [],
    overdrawn.names.length > 0 ? tx.query<PendingRow>(LOAD_PENDING, [ids, at, ...overdrawn.arrays()]) : [],
    asking,
  ]);
  const known = new Set(rows.filter((row) => row.is_due).map((row) => row.customer_id));
  const due = requests.filter(({ customerId }) => known.has(customerId) || isPast || isDue?.(customerId));
  if (due.length === 0) return toLoadedBooks({ rows, reservations: named, taken, pending, ...NOTHING_DUE });
  const settling = await loadDue(tx, idsOf(due), rows, clock, isPast, isRead ? SHOWN_MAX : SETTLE_MAX);
  return toLoadedBooks({
    taken,
    pending,
    ...settling,
    rows: [...rows, ...settling.rows],
    reservations: [...named, ...settling.reservations],
  });
}

/** Like `loadBooks`, for who writes nothing; in a snapshot where one statement does not do. */
export async function readBooks(
  db: Db,
  requests: readonly BookRequest[],
  clock: Date,
  isPast = false,
): Promise<LoadedBooks> {
  if (isPast) return inSnapshot(db, (tx) => loadBooks(tx, requests, clock, { isPast }));
  const rows = await loadCovering(db, requests, clock, false, Promise.resolve([]));
  if (rows.some((row) => row.is_due)) return inSnapshot(db, (tx) => loadBooks(tx, requests, clock, { isRead: true }));
  return toLoadedBooks({ rows, reservations: [], taken: [], pending: [], ...NOTHING_DUE });
}

/** What was read. */
interface LoadedRows {
  rows: readonly HoldingRow[];
  reservations: readonly ReservationRow[];
  taken: readonly TakenRow[];
  pending: readonly PendingRow[];
  dueBatches: readonly DueBatchRow[];
  dueOrders: readonly DueOrderRow[];
  /** Customers of whom it was looked for what is due. */
  due: ReadonlySet<string>;
}

const NOTHING_DUE = { dueBatches: [], dueOrders: [], due: new Set<string>() };

/** What settling needs: what is due, and the holdings that it changes besides those that are known. */
async function loadDue(
  tx: Tx,
  customerIds: readonly string[],
  known: readonly HoldingRow[],
  clock: Date,
  isPast: boolean,
  settleMax: number,
): Promise<Omit<LoadedRows, 'taken' | 'pending'>> {
  const parameters = [customerIds, clock.toISOString(), settleMax];
  const [dueBatches, held, dueOrders] = await Promise.all([
    tx.query<DueBatchRow>(LOAD_DUE_BATCHES[Number(isPast)] as string, parameters),
    tx.query<ReservationRow>(LOAD_DUE_RESERVATIONS[Number(isPast)] as string, parameters),
    isPast ? [] : tx.query<DueOrderRow>(LOAD_DUE_ORDERS, parameters),
  ]);
  const isKnown = new Set(known.map((row) => JSON.stringify([row.customer_id, row.product_key])));
  const changed = namedIn([]);
  const add = (customerId: string, productKey: string): void => {
    if (!isKnown.has(JSON.stringify([customerId, productKey]))) changed.products.add(customerId, productKey);
  };
  for (const batch of dueBatches) add(batch.customer_id, String(batch.product_key));
  for (const { customer_id: customerId, costs } of held) for (const key of Object.keys(costs)) add(customerId, key);
  const rows = await loadHoldings(tx, changed, customerIds, clock, BATCHES_AT_FIRST, isPast);
  return { rows, dueBatches, reservations: held, dueOrders, due: new Set(customerIds) };
}

function toLoadedBooks({
  rows,
  reservations: held,
  taken,
  pending,
  dueBatches,
  dueOrders,
  due,
}: LoadedRows): LoadedBooks {
  const byCustomer = groupBy(rows, (row) => row.customer_id);
  const isOf = (customerId: string) => (row: { customer_id: string }) => row.customer_id === customerId;
  return {
    atOf: (customerId) => byCustomer.get(customerId)?.[0]?.at ?? undefined,
    providersFor: (customerId) => (subject) => providersIn(byCustomer.get(customerId) ?? [], subject),
    bookOf: (customer, now, ids) =>
      toBook(customer, now, ids, {
        rows: byCustomer.get(customer.id) ?? [],
        reservations: held.filter(isOf(customer.id)),
        taken: taken.filter(isOf(customer.id)),
        pending: pending.filter(isOf(customer.id)),
        dueBatches: dueBatches.filter(isOf(customer.id)),
        dueOrders: dueOrders.filter(isOf(customer.id)),
        isDue: due.has(customer.id),
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
