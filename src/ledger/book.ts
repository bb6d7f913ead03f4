// The book: a working copy of what one customer owns, in which decisions post entries while the customer's row is locked.
// Pure: it is loaded before and written afterwards by db/. Every change of a batch or a balance goes through `post`, so that the parts
// of a batch, the balance and the ledger can't drift apart (I1, I2, I3).
import { assert, required } from '../lib/assert.js';
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

/** Why something is posted, as its entry tells it. `occurredAt` is the operation's instant when left out. */
export interface PostingDetails {
  operationId: string | null;
  feature?: string | null;
  unitCost?: number | null;
  actionType?: string | null;
  actionId?: string | null;
  orderId?: string | null;
  reservationId?: string | null;
  reversesSeq?: number | null;
  metadata?: Metadata | null;
  occurredAt?: Date;
}

function append(
  book: Book,
  holding: Holding,
  batch: Batch | null,
  kind: EntryKind,
  direction: Entry['direction'],
  amount: number,
  details: PostingDetails,
): Entry {
  assert(Number.isSafeInteger(amount) && amount >= 1, 'an entry has a whole amount of at least 1');
  const entry: Entry = {
    id: book.ids.next(),
    seq: book.nextSeq,
    operationId: details.operationId,
    kind,
    direction,
    productKey: holding.productKey,
    batchId: batch?.id ?? null,
    amount,
    balanceAfter: batch?.granted === null ? 0 : balanceOf(holding),
    feature: details.feature ?? null,
    unitCost: details.unitCost ?? null,
    actionType: details.actionType ?? null,
    actionId: details.actionId ?? null,
    orderId: details.orderId ?? null,
    reservationId: details.reservationId ?? null,
    reversesSeq: details.reversesSeq ?? null,
    metadata: details.metadata ?? null,
    occurredAt: details.occurredAt ?? book.now,
  };
  book.nextSeq += 1;
  book.changes.entries.push(entry);
  return entry;
}

function touch(book: Book, holding: Holding, batch: Batch): void {
  if (batch.granted !== null) {
    const sum = batch.available + batch.held + batch.consumed + batch.expired + batch.revoked + batch.transferred;
    const isWhole = batch.available >= 0 && batch.held >= 0 && batch.consumed >= 0 && sum === batch.granted;
    assert(isWhole, `I1: batch ${batch.id} is closed`);
    assert(holding.available >= 0 && holding.held >= 0, `I3: balance of ${holding.productKey} covers its batches`);
    book.changes.changedHoldings.add(holding);
  }
  book.changes.changedBatches.set(batch.id, batch);
}

type DebitKind = 'consume' | 'expire' | 'revoke';

/** Where available units go. */
const DEBITED_PART = { consume: 'consumed', expire: 'expired', revoke: 'revoked' } as const;

/** Takes `amount` available units of a counted batch into another part, with an entry. */
export function postDebit(book: Book, batch: Batch, kind: DebitKind, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  assert(batch.granted !== null, 'only counted batches are debited');
  batch.available -= amount;
  batch[DEBITED_PART[kind]] += amount;
  holding.available -= amount;
  if (kind === 'expire') holding.overdue -= amount;
  else if (isPending(book, batch)) holding.notYetValid -= amount;
  touch(book, holding, batch);
  return append(book, holding, batch, kind, 'debit', amount, details);
}

/** Sets `amount` units of a batch aside for a reservation; of an uncounted batch the entry alone tells it. */
export function postHold(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  if (batch.granted === null) return append(book, holding, batch, 'hold', 'none', amount, details);
  batch.available -= amount;
  batch.held += amount;
  holding.available -= amount;
  holding.held += amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'hold', 'debit', amount, details);
}

/** Uses `amount` held units of a batch, whether or not it has ended meanwhile. */
export function postCommit(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  assert(canAdd(batch.consumed, amount), 'a batch counts its use');
  batch.consumed += amount;
  if (batch.granted !== null) {
    batch.held -= amount;
    holding.held -= amount;
  }
  touch(book, holding, batch);
  return append(book, holding, batch, 'commit', 'none', amount, details);
}

/** What became of units that came back, in product units. */
export interface Returned {
  /** Available again, or used at once to repay what is owed. */
  kept: number;
  /** Gone again, because the batch has ended. */
  expired: number;
}

/** Where units come back from. */
const RETURNED_PART = { release: 'held', reverse: 'consumed' } as const;

/**
 * Credits `amount` held or consumed units to the batch they came from. They leave it again at once when it has ended by then, and what is
 * owed is repaid with the rest (DOMAIN 3.14, 3.15). A batch that ends between `occurredAt` and now becomes due.
 */
export function postReturn(
  book: Book,
  batch: Batch,
  kind: 'release' | 'reverse',
  amount: number,
  details: PostingDetails,
): Returned {
  const holding = holdingOf(book, batch.productKey);
  const at = details.occurredAt ?? book.now;
  if (batch.granted === null) {
    if (kind === 'reverse') batch.consumed -= amount;
    assert(batch.consumed >= 0, 'an uncounted batch counts its use');
    touch(book, holding, batch);
    append(book, holding, batch, kind, 'none', amount, details);
    return { kept: amount, expired: 0 };
  }
  batch[RETURNED_PART[kind]] -= amount;
  if (kind === 'release') holding.held -= amount;
  const before = batch.available;
  batch.available += amount;
  holding.available += amount;
  touch(book, holding, batch);
  append(book, holding, batch, kind, 'credit', amount, details);
  const { operationId } = details;
  if (hasEnded(batch, at)) {
    holding.overdue += amount;
    postDebit(book, batch, 'expire', amount, { operationId, occurredAt: at });
    return { kept: 0, expired: amount };
  }
  repay(book, holding, batch, { operationId, occurredAt: at });
  if (hasEnded(batch, book.now)) {
    holding.overdue += batch.available - before;
    if (batch.available > 0 && !book.due.includes(batch)) book.due.push(batch);
  } else makeSpendable(book, holding, batch, batch.available - before);
  return { kept: amount, expired: 0 };
}

/** Owes `amount` units of a product of which nothing is available. */
export function postDebt(book: Book, productKey: string, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, productKey);
  assert(holding.available === 0, 'I3: nothing is available while something is owed');
  assert(canAdd(holding.owed, amount), 'what is owed stays exact');
  holding.owed += amount;
  book.changes.changedHoldings.add(holding);
  return append(book, holding, null, 'debt', 'debit', amount, details);
}

/** Owes `amount` units less. */
export function postForgive(book: Book, productKey: string, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, productKey);
  assert(amount <= holding.owed, 'no more is forgiven than is owed');
  holding.owed -= amount;
  book.changes.changedHoldings.add(holding);
  return append(book, holding, null, 'forgive', 'credit', amount, details);
}

/** Repays what is owed of a product with what a batch has, as far as it goes. */
function repay(book: Book, holding: Holding, batch: Batch, details: PostingDetails): void {
  const amount = Math.min(holding.owed, batch.available);
  if (amount === 0) return;
  batch.available -= amount;
  batch.consumed += amount;
  holding.available -= amount;
  holding.owed -= amount;
  touch(book, holding, batch);
  append(book, holding, batch, 'repay', 'none', amount, details);
}

function hasEnded(batch: Batch, at: Date): boolean {
  return batch.expiresAt !== null && batch.expiresAt.getTime() <= at.getTime();
}

function isPending(book: Book, batch: Batch): boolean {
  return batch.validFrom.getTime() > book.now.getTime();
}

/** Lists a batch that has `amount` more units under what can be spent now, or later. */
function makeSpendable(book: Book, holding: Holding, batch: Batch, amount: number): void {
  if (batch.available === 0) return;
  if (isPending(book, batch)) {
    holding.notYetValid += amount;
    if (!holding.pending.includes(batch)) holding.pending.push(batch);
  } else if (!holding.usable.includes(batch)) insertInBurnOrder(holding.usable, batch);
}

/** Logs the use of an uncounted batch: `consumed` grows, nothing is taken away. */
export function postUse(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  assert(batch.granted === null && canAdd(batch.consumed, amount), 'an uncounted batch counts its use');
  batch.consumed += amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'consume', 'none', amount, details);
}

/** Adds a batch that this operation grants, with its entry. The whole of a counted batch is available, and repays what is owed first. */
export function postGrant(book: Book, batch: NewBatch, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  book.changes.newBatches.push(batch);
  if (batch.granted === null) {
    if (!isPending(book, batch)) insertInBurnOrder(holding.running, batch);
    holding.accessUntil = laterEnd(holding.accessUntil, batch.expiresAt ?? 'forever');
    return append(book, holding, batch, 'grant', 'none', 1, details);
  }
  assert(
    batch.granted === batch.available && canAdd(holding.available, batch.granted),
    'a new batch is wholly available',
  );
  holding.available += batch.granted;
  book.changes.changedHoldings.add(holding);
  const entry = append(book, holding, batch, 'grant', 'credit', batch.granted, details);
  repay(book, holding, batch, { operationId: details.operationId });
  makeSpendable(book, holding, batch, batch.available);
  return entry;
}

function laterEnd(a: Holding['accessUntil'], b: Date | 'forever'): Date | 'forever' {
  if (a === 'forever' || b === 'forever') return 'forever';
  return a === null || a.getTime() < b.getTime() ? b : a;
}

function insertInBurnOrder(batches: Batch[], batch: Batch): void {
  const at = batches.findIndex((other) => compareBurnOrder(batch, other) < 0);
  batches.splice(at === -1 ? batches.length : at, 0, batch);
}

/** Whether the product's balance can take `amount` more and stay exact. */
export function hasRoomFor(holding: Holding, amount: number): boolean {
  return amount <= QUANTITY_MAX && canAdd(holding.available + holding.held, amount);
}
