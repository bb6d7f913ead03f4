// Loads books: the only statements that read batches for a decision. Set-based, whatever the number of customers and rows: what is asked for in one
// statement; what settling needs in others, which are sent only for customers of whom something is due.

import type { Subject } from '../ledger/catalog-entities.js';
import type { Needs } from '../ledger/consume.js';
import { TAKEN_ENTRIES_MAX, USE_BATCHES_MAX } from '../lib/sizes.js';
import { type BookRequest, idsOf, isCovered, type NamedThings, Names, namedIn, unitsAsked } from './book-needs.js';
import {
  type ClaimDebtRow,
  type DueBatchRow,
  type DueOrderRow,
  type HoldingRow,
  type OwedElsewhereRow,
  type PendingRow,
  type ReservationRow,
  subjectOf,
  type TakenRow,
} from './book-rows.js';
import {
  LOAD_CLAIM_DEBTS,
  LOAD_DUE_BATCHES,
  LOAD_DUE_ORDERS,
  LOAD_DUE_RESERVATIONS,
  LOAD_HOLDINGS,
  LOAD_PENDING,
  LOAD_RESERVATIONS,
  LOAD_TAKEN,
} from './book-statements.js';
import type { Db, Tx } from './client.js';
import { endedHolds, type LoadedBooks, type LoadedRows, NOTHING_DUE, toLoadedBooks } from './loaded-books.js';
import { type PlanRows, productsOf, toSubscription } from './plan-rows.js';
import { loadFreedPlans, loadPlans } from './plans.js';
import { loadSold } from './sold.js';
import { inSnapshot } from './transactions.js';
import { type CustomerWindow, loadWindows } from './usage-windows.js';

/** Usable batches of a product read at first; more are read only when they don't cover the need, and no more than one use may take of. */
const BATCHES_AT_FIRST = 32;
const BATCHES_READ = [BATCHES_AT_FIRST, 512, USE_BATCHES_MAX];
/** Legs of the reservations, and entries of the operations, that are read for several operations together. */
const SHARED_MAX = 4_096;
/** Batches, reservations, and orders, of a customer that one transaction settles at most. Whoever meets more settles on in further ones. */
const SETTLE_MAX = 500;
/** And a read, which writes nothing of it. */
export const SHOWN_MAX = 1_000;

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
  const sql = LOAD_HOLDINGS[Number(isPast)]?.[Number(hasNamed)]?.[Number(hasFeatures)] as string;
  return tx.query<HoldingRow>(sql, [
    customerIds,
    clock.toISOString(),
    limit,
    ...products.arrays(),
    ...(hasFeatures || hasNamed ? features.arrays() : []),
    ...(hasNamed ? [...held.arrays(), ...operations.arrays()] : []),
  ]);
}

/**
 * Reads the holdings of what is named; for whoever needs more, again with more and more of the usable batches until they cover what is asked, or once only:
 * then `short` are those who need more.
 */
async function loadCovering(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  { isPast, isOnce }: { isPast: boolean; isOnce: boolean },
  naming: Promise<readonly ReservationRow[]>,
): Promise<{ rows: HoldingRow[]; short: string[] }> {
  const covered: HoldingRow[] = [];
  let left = requests;
  for (const limit of isOnce ? [BATCHES_AT_FIRST] : BATCHES_READ) {
    if (left.length === 0) break;
    const needs = new Map(left.map((request) => [request.customerId, request.needs]));
    const rows = await loadHoldings(tx, namedIn(left), idsOf(left), clock, limit, isPast);
    const named = await naming;
    const isShort = (row: HoldingRow) =>
      !isCovered(row, limit, () => unitsAsked(row, needs.get(row.customer_id) ?? [], named));
    const short = new Set(rows.filter(isShort).map((row) => row.customer_id));
    covered.push(...rows.filter((row) => !short.has(row.customer_id)));
    left = left.filter(({ customerId }) => short.has(customerId));
  }
  return { rows: covered, short: idsOf(left) };
}

/** Whether something is so of a customer: that something is due, that there may be limits. */
export type IsOf = (customerId: string) => boolean;

/** How books are loaded. */
export interface LoadOptions {
  isPast?: boolean;
  /** Batches, reservations, and orders, past their end that are loaded of a customer at most. */
  dueMax?: number;
  /** Who knows of whom something is due, where no holdings are asked for. */
  asking?: Promise<IsOf>;
  /** Reads holdings once, whatever they lack: nobody waits for who needs many batches. */
  isOnce?: boolean;
  /** For whom there may be limits; nobody's are read where it is left out. */
  limited?: Promise<IsOf>;
  /** Whom those lead to who were merged: what the books of these change is loaded of them too. */
  finals?: Promise<ReadonlyMap<string, string>>;
  /** Reads for several operations: of reservations and operations that are large together only the first. */
  isShared?: boolean;
}

/**
 * Reads what the books of customers hold at the clock's instant (of each, not before what he recorded last): the holdings of what is asked, with
 * their usable batches in burn order until the need is covered, the reservations and operations that are asked for, and what is due, as far as one
 * transaction settles it. For a write the customers must be locked by an earlier statement, which need not be answered yet.
 */
export async function loadBooks(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  { isPast = false, dueMax = SETTLE_MAX, asking, limited, finals, isOnce = false, isShared = false }: LoadOptions = {},
): Promise<LoadedBooks> {
  const { reservations: held, operations, overdrawn } = namedIn(requests);
  const sales = requests.flatMap(({ customerId, needs }) =>
    needs.flatMap(({ sold: orderId, granted }) =>
      orderId === undefined && granted === undefined ? [] : [{ customerId, orderId, granted }],
    ),
  );
  const ids = idsOf(requests);
  const at = clock.toISOString();
  const sharedMax = isShared ? SHARED_MAX : null;
  const naming =
    held.names.length > 0
      ? tx.query<ReservationRow>(LOAD_RESERVATIONS, [ids, ...held.arrays(), sharedMax])
      : Promise.resolve([] as ReservationRow[]);
  const [{ rows, short }, windows, named, taken, pending, isDue, sold, leading] = await Promise.all([
    loadCovering(tx, requests, clock, { isPast, isOnce }, naming),
    limited && loadWindowsOf(tx, requests, clock, { limited, finals, naming, isWhole: !Number.isFinite(dueMax) }),
    naming,
    operations.names.length > 0
      ? tx.query<TakenRow>(LOAD_TAKEN, [ids, ...operations.arrays(), sharedMax, TAKEN_ENTRIES_MAX])
      : [],
    overdrawn.names.length > 0
      ? tx.query<PendingRow>(LOAD_PENDING, [ids, at, ...overdrawn.arrays(), overdrawn.units, USE_BATCHES_MAX])
      : [],
    asking,
    sales.length > 0 ? loadSold(tx, sales, clock) : [],
    finals,
  ]);
  const planners = requests.filter(({ needs }) => needs.some(({ plans }) => plans)).map(({ customerId }) => customerId);
  const unread = new Set([...short, ...(isShared ? unreadOf(named, taken) : [])]);
  const known = new Set(rows.filter((row) => row.is_due).map((row) => row.customer_id));
  const due = requests.filter(({ customerId }) => known.has(customerId) || isPast || isDue?.(customerId));
  const loaded = { reservations: named, taken, pending, unread, windows: windows ?? [], sold };
  const resetting = requests.flatMap(({ needs }) => needs.flatMap(({ allocatedOf }) => allocatedOf ?? []));
  const planning = loadPlans(tx, planners, idsOf(due), clock, resetting);
  const settling = due.length === 0 ? undefined : await loadDue(tx, idsOf(due), rows, planning, clock, isPast, dueMax);
  const freeing = endedHolds([...named, ...(settling?.dueHolds ?? [])], clock);
  const plans = await loadFreedPlans(tx, freeing, await planning, clock);
  const found = [...rows, ...(settling?.rows ?? [])];
  const own = [...found, ...(await loadOfPlans(tx, found, plans, clock, isPast))];
  const leadsTo = leading ?? NOBODY_LEADS;
  const family = leadsTo.size === 0 ? undefined : await loadOfFinals(tx, own, leadsTo, clock);
  const all = family ? [...own, ...family.rows] : own;
  const claimDebts = await loadClaimDebts(tx, all, family?.owing);
  const owedElsewhere = family?.owedElsewhere ?? [];
  return toLoadedBooks(clock, { ...loaded, ...NOTHING_DUE, ...settling, rows: all, claimDebts, owedElsewhere, plans });
}

const NOBODY_LEADS: ReadonlyMap<string, string> = new Map();

/** What of the debts of customers that were merged is owed by whom they lead to, if it was not repaid: with the customers in $1. */
const LOAD_OWED_ELSEWHERE = `
SELECT e.customer_id, e.product_key, sum(CASE e.kind WHEN 'transfer_out' THEN e.amount ELSE -e.amount END)::bigint AS owed
FROM entries e WHERE e.customer_id = ANY ($1::uuid[]) AND e.batch_id IS NULL AND e.kind IN ('transfer_out', 'transfer_in')
GROUP BY e.customer_id, e.product_key`;

/**
 * The holdings of those whom customers that were merged lead to, of all products that are loaded of these, as far as they are not there; and what they owe of
 * the debts of these.
 */
async function loadOfFinals(
  tx: Tx,
  rows: readonly HoldingRow[],
  finals: ReadonlyMap<string, string>,
  clock: Date,
): Promise<{ rows: HoldingRow[]; owedElsewhere: OwedElsewhereRow[]; owing: HoldingRow[] }> {
  const isKnown = new Set(rows.map((row) => JSON.stringify([row.customer_id, row.product_key])));
  const theirs = namedIn([]);
  for (const { customer_id: customerId, product_key: productKey } of rows) {
    const finalId = finals.get(customerId);
    if (finalId !== undefined && !isKnown.has(JSON.stringify([finalId, productKey]))) {
      theirs.products.add(finalId, productKey);
    }
  }
  const [more, owedElsewhere] = await Promise.all([
    loadHoldings(tx, theirs, [...new Set(finals.values())], clock, USE_BATCHES_MAX, false),
    tx.query<OwedElsewhereRow>(LOAD_OWED_ELSEWHERE, [[...finals.keys()]]),
  ]);
  const moved = new Set(owedElsewhere.map((row) => JSON.stringify([row.customer_id, row.product_key])));
  const owing = rows.filter((row) => moved.has(JSON.stringify([row.customer_id, row.product_key])));
  return { rows: more, owedElsewhere, owing };
}

/** The debts that refunds and disputes made, of products of which something is owed. */
async function loadClaimDebts(
  tx: Tx,
  rows: readonly HoldingRow[],
  elsewhere: readonly HoldingRow[] = [],
): Promise<readonly ClaimDebtRow[]> {
  const owing = [...rows.filter(({ owed }) => (owed ?? 0) > 0), ...elsewhere];
  if (owing.length === 0) return [];
  const customerIds = owing.map((row) => row.customer_id);
  return tx.query<ClaimDebtRow>(LOAD_CLAIM_DEBTS, [
    [...new Set(customerIds)],
    customerIds,
    owing.map((row) => row.product_key),
  ]);
}

/**
 * The windows of limits in which what is asked for would count, of uses, and of what is to be committed beyond what is held; and what is in use in all of
 * what may come back.
 */
async function loadWindowsOf(
  tx: Tx,
  requests: readonly BookRequest[],
  clock: Date,
  {
    limited,
    finals,
    naming,
    isWhole,
  }: {
    finals?: LoadOptions['finals'] | undefined;
    limited: Promise<IsOf>;
    naming: Promise<readonly ReservationRow[]>;
    isWhole: boolean;
  },
): Promise<CustomerWindow[]> {
  const isLimited = await limited;
  const leadsTo = (await finals) ?? NOBODY_LEADS;
  const products = new Names();
  const features = new Names();
  const add = (customerId: string, subject: Subject): void => {
    if ('feature' in subject) features.add(customerId, subject.feature);
    else products.add(customerId, subject.productKey);
  };
  const totals: { customerId: string; subject: Subject }[] = [];
  const operations = new Names();
  const isOne = (customerId: string) => isLimited(leadsTo.get(customerId) ?? customerId);
  const own = requests.filter(({ customerId, needs }) => isOne(customerId) || needs.some(mayReturn));
  for (const { customerId, needs } of own) {
    for (const { asks, reservation, takenBy } of needs) {
      for (const { subject, amount, countsTotal } of asks) {
        if (countsTotal) totals.push({ customerId, subject });
        else if (amount > 0) add(customerId, subject);
      }
      if (takenBy !== undefined) operations.add(customerId, takenBy);
      const held = reservation && (await naming).find(({ id }) => id === reservation.id);
      if (held && reservation.amount > held.amount) add(leadsTo.get(customerId) ?? customerId, subjectOf(held));
    }
  }
  if (products.names.length + features.names.length + totals.length + operations.names.length === 0) return [];
  const asked = { products: products.arrays(), features: features.arrays(), totals, takenBy: operations.arrays() };
  return loadWindows(tx, [...idsOf(own), ...leadsTo.values()], asked, clock, { isWhole });
}

/** Whether it may give back what is metered, whoever has limits. */
function mayReturn({ asks, takenBy }: Needs): boolean {
  return takenBy !== undefined || asks.some(({ countsTotal }) => countsTotal);
}

/** The customers of whose reservations and operations some were left, because those of all are too large to be read together. */
function unreadOf(named: readonly ReservationRow[], taken: readonly TakenRow[]): string[] {
  const isLeft = ({ entries, size }: TakenRow) => entries === null && size > 0 && size <= TAKEN_ENTRIES_MAX;
  const left = [...named.filter(({ legs }) => legs === null), ...taken.filter(isLeft)];
  return left.map((row) => row.customer_id);
}

/** Like `loadBooks`, for who writes nothing; in a snapshot where one statement does not do. */
export async function readBooks(
  db: Db,
  requests: readonly BookRequest[],
  clock: Date,
  { isPast = false, dueMax = SHOWN_MAX }: Pick<LoadOptions, 'isPast' | 'dueMax'> = {},
): Promise<LoadedBooks> {
  if (isPast) return inSnapshot(db, true, (tx) => loadBooks(tx, requests, clock, { isPast, dueMax }));
  const naming = Promise.resolve([]);
  const limited = Promise.resolve(EVERYBODY);
  const [{ rows }, windows] = await Promise.all([
    loadCovering(db, requests, clock, { isPast, isOnce: false }, naming),
    loadWindowsOf(db, requests, clock, { limited, naming, isWhole: !Number.isFinite(dueMax) }),
  ]);
  if (rows.some((row) => row.is_due))
    return inSnapshot(db, false, (tx) => loadBooks(tx, requests, clock, { dueMax, limited }));
  // Nothing is due, so that nothing comes back by which debts would change.
  const named = {
    reservations: [],
    taken: [],
    pending: [],
    claimDebts: [],
    sold: [],
    owedElsewhere: [],
    plans: new Map(),
  };
  return toLoadedBooks(clock, { rows, windows, ...named, unread: new Set(), ...NOTHING_DUE });
}

const EVERYBODY: IsOf = () => true;

/** The holdings of what plans may take away, or let go over, besides those that are known: of whatever plan a subscription had when it was allocated. */
async function loadOfPlans(
  tx: Tx,
  known: readonly HoldingRow[],
  plans: ReadonlyMap<string, PlanRows>,
  clock: Date,
  isPast: boolean,
): Promise<HoldingRow[]> {
  const isKnown = new Set(known.map((row) => JSON.stringify([row.customer_id, row.product_key])));
  const missing = namedIn([]);
  for (const [customerId, { allocated, expired }] of plans) {
    for (const { product_key: productKey } of [...allocated, ...expired])
      if (!isKnown.has(JSON.stringify([customerId, productKey]))) missing.products.add(customerId, String(productKey));
  }
  return loadHoldings(tx, missing, [...plans.keys()], clock, BATCHES_AT_FIRST, isPast);
}

/** What settling needs: what is due, and the holdings that it changes besides those that are known. */
async function loadDue(
  tx: Tx,
  customerIds: readonly string[],
  known: readonly HoldingRow[],
  planning: Promise<ReadonlyMap<string, PlanRows>>,
  clock: Date,
  isPast: boolean,
  dueMax: number,
): Promise<Pick<LoadedRows, 'rows' | 'dueBatches' | 'dueHolds' | 'dueOrders' | 'due' | 'dueMax'>> {
  const parameters = [customerIds, clock.toISOString(), Number.isFinite(dueMax) ? dueMax : null];
  const [plans, dueBatches, dueHolds, dueOrders] = await Promise.all([
    planning,
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
  for (const customerId of customerIds) {
    const own = plans.get(customerId)?.subscriptions.map(toSubscription) ?? [];
    for (const productKey of own.flatMap(productsOf)) add(customerId, productKey);
  }
  for (const { customer_id: customerId, costs } of dueHolds) for (const key of Object.keys(costs)) add(customerId, key);
  const rows = await loadHoldings(tx, changed, customerIds, clock, BATCHES_AT_FIRST, isPast);
  return { rows, dueBatches, dueHolds, dueOrders, due: new Set(customerIds), dueMax };
}
