// The book: a working copy of what one customer owns, in which decisions post entries while the customer's row is locked. Pure: it is loaded
// before and written afterwards by db/. What can be read of it is here; what changes it is in postings.ts.
import { required } from '../lib/assert.js';
import type { Ids } from '../lib/ids.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

export type ProductType = 'quantity' | 'period' | 'unlimited';
export type BatchSource = 'purchase' | 'bonus' | 'trial' | 'adjustment' | 'migration' | 'exchange';
export type EntryKind =
  | 'grant'
  | 'consume'
  | 'expire'
  | 'revoke'
  | 'hold'
  | 'release'
  | 'commit'
  | 'reverse'
  | 'debt'
  | 'repay'
  | 'forgive';
export type Metadata = Record<string, unknown>;

/** What is asked for: a product itself, or any product that provides a feature. */
export type Subject = { productKey: string } | { feature: string };

/** The parts of a batch into which `granted` is divided. */
export interface BatchParts {
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
}

/** A batch of the book. `granted` is null for uncounted products. Quantities are whole product units. */
export interface Batch extends BatchParts {
  id: string;
  productKey: string;
  granted: number | null;
  priority: number;
  validFrom: Date;
  expiresAt: Date | null;
  createdAt: Date;
}

/** A batch that this operation makes: what was granted, and why. */
export interface NewBatch extends Batch {
  source: BatchSource;
  sku: string | null;
  orderId: string | null;
  orderItemId: string | null;
  operationId: string;
  metadata: Metadata;
}

/** One line of the ledger. `amount` is in whole product units. */
export interface Entry {
  id: string;
  seq: number;
  operationId: string | null;
  kind: EntryKind;
  direction: 'credit' | 'debit' | 'none';
  productKey: string;
  batchId: string | null;
  amount: number;
  balanceAfter: number;
  feature: string | null;
  /** Product units of one feature unit; null when the product itself was asked for. */
  unitCost: number | null;
  actionType: string | null;
  actionId: string | null;
  orderId: string | null;
  reservationId: string | null;
  /** The entry that this one corrects. */
  reversesSeq: number | null;
  metadata: Metadata | null;
  occurredAt: Date;
}

/** Product units of one batch that a reservation holds. */
export interface Leg {
  batch: Batch;
  amount: number;
}

export type ReservationStatus = 'held' | 'committed' | 'released' | 'expired';

/** Units held for work in progress. Amounts are in the unit of its subject. */
export interface Reservation {
  id: string;
  operationId: string;
  subject: Subject;
  amount: number;
  /** Product units of one unit of the subject, by product, as they were when it was made. */
  costs: Record<string, number>;
  status: ReservationStatus;
  committedAmount: number;
  actionType: string;
  actionId: string | null;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  endedAt: Date | null;
  /** The operation that ended it; null while it is open, and when it lapsed. */
  endedBy: string | null;
  /** In the order of use. */
  legs: Leg[];
}

/** An entry by which an operation took something. `reversed` is what was given back of it so far. */
export interface TakenEntry {
  seq: number;
  productKey: string;
  /** Null for a debt. */
  batch: Batch | null;
  amount: number;
  reversed: number;
  feature: string | null;
  unitCost: number | null;
  actionType: string | null;
  actionId: string | null;
}

/** What an operation took, in the order of use. */
export interface TakenOperation {
  id: string;
  name: string;
  entries: TakenEntry[];
}

/** What a customer holds of one product. */
export interface Holding {
  productKey: string;
  /** The balance row: sums of the stored parts of all counted batches. */
  available: number;
  held: number;
  owed: number;
  /** Usable counted batches in burn order; only the first of them when the need was covered earlier. */
  usable: Batch[];
  /** Running uncounted batches in burn order. */
  running: Batch[];
  /** Latest end among running and future uncounted batches; null when there is none. */
  accessUntil: Date | 'forever' | null;
  /** Units in batches past their end that are not settled yet; never spendable. */
  overdue: number;
  /** Units in batches whose validity begins later; not spendable yet. */
  notYetValid: number;
  /** The batches of `notYetValid`, soonest first; loaded only for an overdraft, which takes from every batch. */
  pending: Batch[];
}

/** What the operation will write; filled by postings, read by db/. */
export interface BookChanges {
  newBatches: NewBatch[];
  changedBatches: Map<string, Batch>;
  changedHoldings: Set<Holding>;
  newReservations: Reservation[];
  changedReservations: Set<Reservation>;
  entries: Entry[];
}

export interface Book {
  readonly customerId: string;
  /** The operation's instant: the clock, read under the lock, never before the customer's last recorded instant. */
  readonly now: Date;
  nextSeq: number;
  readonly holdings: Map<string, Holding>;
  /** Batches past their end that still have units, soonest first; at most a bounded number of them. */
  readonly due: Batch[];
  /** Reservations that were asked for, and open ones past their end; at most a bounded number of these. */
  readonly reservations: Map<string, Reservation>;
  /** Earlier operations whose units may come back, those that were asked for. */
  readonly taken: Map<string, TakenOperation>;
  readonly changes: BookChanges;
  readonly ids: Ids;
}

/** The product's holding. The loader made one for every product that the operation asked for. */
export function holdingOf(book: Book, productKey: string): Holding {
  return required(book.holdings.get(productKey), `holding of ${productKey} was not loaded`);
}

/** Units of a counted product that can be taken now. */
export function spendable(holding: Holding): number {
  return holding.available - holding.overdue - holding.notYetValid;
}

/** Available minus owed: what the ledger calls the balance. */
export function balanceOf(holding: Holding): number {
  return holding.available - holding.owed;
}

/** The balance without units that are past their end, of which more may wait than are settled at once. */
export function settledBalance(holding: Holding): number {
  return balanceOf(holding) - holding.overdue;
}

/** Burn order (DOMAIN 3.3): lower priority, then soonest end (never last), then oldest, then id. */
export function compareBurnOrder(a: Batch, b: Batch): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt?.getTime() ?? Infinity) - (b.expiresAt?.getTime() ?? Infinity) ||
    a.createdAt.getTime() - b.createdAt.getTime() ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** Whether the product's balance can take `amount` more and stay exact. */
export function hasRoomFor(holding: Holding, amount: number): boolean {
  return amount <= QUANTITY_MAX && canAdd(holding.available + holding.held, amount);
}
