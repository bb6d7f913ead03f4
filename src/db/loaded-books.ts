// What was read of customers, as their books: who is behind, who was not read whole, and which products can pay. No SQL.
import type { LoadedBook } from '../ledger/book.js';
import type { Subject } from '../ledger/catalog-entities.js';
import type { Provider } from '../ledger/consume.js';
import { groupBy } from '../lib/group-by.js';
import type { Ids } from '../lib/ids.js';
import { type BookRows, type HoldingRow, isMoreDue, type ReservationRow, toBook, toProvider } from './book-rows.js';
import type { LockedCustomer } from './customers.js';
import { type PlanRows, toSubscription } from './plan-rows.js';
import type { EndedHold } from './plans.js';
import type { SoldRows } from './sold-rows.js';
import type { CustomerWindow } from './usage-windows.js';

/** What was read of customers: their books, and the products that can pay. */
export interface LoadedBooks {
  /** A new book of a customer, as the lock gave him; `now` is the clock, but not before what he recorded last. */
  bookOf(customer: Pick<LockedCustomer, 'id' | 'nextSeq' | 'nextEvent' | 'tellsUses'>, now: Date, ids: Ids): LoadedBook;
  /** The instant at which a customer was read, which a read tells of; undefined when there was nothing to read. */
  atOf(customerId: string): Date | undefined;
  /** The products that can pay for what was asked of a customer. */
  providersFor(customerId: string): ProvidersOf;
  /**
   * Whether more of a customer is due than was loaded, or more is to be counted in a window of a limit: his book can be settled, and counted, as far as it
   * goes, and says nothing else.
   */
  isBehind(customerId: string): boolean;
  /** Whether less was read of a customer than his operations look at: nothing of his can be decided in this company. */
  isUnread(customerId: string): boolean;
}

/** The products that can pay for a subject that was asked for; empty when there is no such product or feature. */
export type ProvidersOf = (subject: Subject) => Provider[];

/** What was read of all customers. */
export interface LoadedRows extends Omit<BookRows, 'isDue' | 'windows' | 'sold' | 'plans'> {
  /** Those of whom it was looked for what is due. */
  due: ReadonlySet<string>;
  /** Those of whom not all was read that is asked for. */
  unread: ReadonlySet<string>;
  windows: readonly CustomerWindow[];
  sold: readonly SoldRows[];
  plans: ReadonlyMap<string, PlanRows>;
}

export const NOTHING_DUE = { dueBatches: [], dueHolds: [], dueOrders: [], due: new Set<string>(), dueMax: Infinity };

/** The books of customers, of all rows that were read. */
export function toLoadedBooks(
  clock: Date,
  {
    rows,
    reservations: held,
    taken,
    pending,
    dueBatches,
    dueHolds,
    dueOrders,
    due,
    unread,
    windows,
    claimDebts,
    owedElsewhere,
    sold,
    plans,
    dueMax,
  }: LoadedRows,
): LoadedBooks {
  const rowsOf = byCustomer(rows);
  const reservationsOf = byCustomer(held);
  const takenOf = byCustomer(taken);
  const pendingOf = byCustomer(pending);
  const dueBatchesOf = byCustomer(dueBatches);
  const dueHoldsOf = byCustomer(dueHolds);
  const dueOrdersOf = byCustomer(dueOrders);
  const claimDebtsOf = byCustomer(claimDebts);
  const owedElsewhereOf = byCustomer(owedElsewhere);
  const countedOf = groupBy(windows, ({ customerId }) => customerId);
  const windowsOf = (customerId: string) => (countedOf.get(customerId) ?? []).map(({ window }) => window);
  const dueOf = (customerId: string) => ({
    dueBatches: dueBatchesOf(customerId),
    dueHolds: dueHoldsOf(customerId),
    dueOrders: dueOrdersOf(customerId),
    isDue: due.has(customerId),
    dueMax,
  });
  // Turns are written before anything is decided or shown: what they make has rows of its own.
  const isTurning = (customerId: string) =>
    Number.isFinite(dueMax) &&
    due.has(customerId) &&
    (plans.get(customerId)?.subscriptions.map(toSubscription) ?? []).some(
      ({ turnsAt }) => turnsAt !== null && turnsAt <= clock,
    );
  // So is what was held beyond the end of a batch, and goes on when the hold lapses.
  const isGoingOn = (customerId: string) =>
    Number.isFinite(dueMax) && due.has(customerId) && endedHolds(dueHoldsOf(customerId), clock).length > 0;
  return {
    isBehind: (customerId) =>
      isMoreDue(dueOf(customerId)) ||
      isTurning(customerId) ||
      isGoingOn(customerId) ||
      windowsOf(customerId).some(({ countedTo }) => countedTo !== null),
    isUnread: (customerId) => unread.has(customerId),
    atOf: (customerId) => rowsOf(customerId)[0]?.at ?? undefined,
    providersFor: (customerId) => (subject) => providersIn(rowsOf(customerId), subject),
    bookOf: (customer, now, ids) =>
      toBook(customer, now, ids, {
        rows: rowsOf(customer.id),
        reservations: reservationsOf(customer.id),
        taken: takenOf(customer.id),
        pending: pendingOf(customer.id),
        windows: windowsOf(customer.id),
        claimDebts: claimDebtsOf(customer.id),
        owedElsewhere: owedElsewhereOf(customer.id),
        sold: sold.find(({ customerId }) => customerId === customer.id),
        plans: plans.get(customer.id),
        ...dueOf(customer.id),
      }),
  };
}

function byCustomer<R extends { customer_id: string }>(rows: readonly R[]): (customerId: string) => readonly R[] {
  const groups = groupBy(rows, (row) => row.customer_id);
  return (customerId) => groups.get(customerId) ?? [];
}

/** What reservations hold of batches of subscriptions that have ended. */
export function endedHolds(rows: readonly ReservationRow[], clock: Date): EndedHold[] {
  return rows.flatMap(({ customer_id: customerId, legs }) =>
    (legs ?? []).flatMap(({ batch }) => {
      if (batch.subscription_id === null || batch.expires_at === null) return [];
      const isOver = new Date(String(batch.expires_at)) <= clock;
      return isOver ? [{ customerId, batchId: String(batch.id) }] : [];
    }),
  );
}

function providersIn(rows: readonly HoldingRow[], subject: Subject): Provider[] {
  const providers = new Map<string, Provider>();
  for (const row of rows) {
    const provider = providers.has(row.product_key) ? undefined : toProvider(row, subject);
    if (provider) providers.set(row.product_key, provider);
  }
  return [...providers.values()];
}
