// The book: a working copy of what one customer owns, in which decisions post entries while the customer's row is locked.
// Pure: it is loaded before and written afterwards by db/. Every change of a batch or a balance goes through `post`, so that the parts
// of a batch, the balance and the ledger can't drift apart (I1, I2, I3).
import { assert, required } from '../lib/assert.js';
import type { Ids } from '../lib/ids.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

export type ProductType = 'quantity' | 'period' | 'unlimited';
export type BatchSource = 'purchase' | 'bonus' | 'trial' | 'adjustment' | 'migration' | 'exchange';
export type EntryKind = 'grant' | 'consume' | 'expire' | 'revoke';
export type Metadata = Record<string, unknown>;

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
  actionType: string | null;
  actionId: string | null;
  orderId: string | null;
  metadata: Metadata | null;
  occurredAt: Date;
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
  nextValidFrom: Date | null;
}

/** What the operation will write; filled by postings, read by db/. */
export interface BookChanges {
  newBatches: NewBatch[];
  changedBatches: Map<string, Batch>;
  changedHoldings: Set<Holding>;
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

/** Burn order (DOMAIN 3.3): lower priority, then soonest end (never last), then oldest, then id. */
export function compareBurnOrder(a: Batch, b: Batch): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt?.getTime() ?? Infinity) - (b.expiresAt?.getTime() ?? Infinity) ||
    a.createdAt.getTime() - b.createdAt.getTime() ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

interface PostingDetails {
  operationId: string | null;
  feature?: string | null;
  actionType?: string | null;
  actionId?: string | null;
  orderId?: string | null;
  metadata?: Metadata | null;
  occurredAt?: Date;
}

function append(
  book: Book,
  holding: Holding,
  batch: Batch,
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
    productKey: batch.productKey,
    batchId: batch.id,
    amount,
    balanceAfter: batch.granted === null ? 0 : balanceOf(holding),
    feature: details.feature ?? null,
    actionType: details.actionType ?? null,
    actionId: details.actionId ?? null,
    orderId: details.orderId ?? null,
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
    assert(batch.available >= 0 && sum === batch.granted, `I1: batch ${batch.id} is closed`);
    assert(holding.available >= 0, `I3: balance of ${holding.productKey} covers its batches`);
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
  touch(book, holding, batch);
  return append(book, holding, batch, kind, 'debit', amount, details);
}

/** Logs the use of an uncounted batch: `consumed` grows, nothing is taken away. */
export function postUse(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  assert(batch.granted === null && canAdd(batch.consumed, amount), 'an uncounted batch counts its use');
  batch.consumed += amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'consume', 'none', amount, details);
}

/** Adds a batch that this operation grants, with its entry. The whole of a counted batch is available. */
export function postGrant(book: Book, batch: NewBatch, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  const isRunning = batch.validFrom.getTime() <= book.now.getTime();
  book.changes.newBatches.push(batch);
  if (batch.granted === null) {
    if (isRunning) insertInBurnOrder(holding.running, batch);
    holding.accessUntil = laterEnd(holding.accessUntil, batch.expiresAt ?? 'forever');
    return append(book, holding, batch, 'grant', 'none', 1, details);
  }
  assert(
    batch.granted === batch.available && canAdd(holding.available, batch.granted),
    'a new batch is wholly available',
  );
  assert(holding.owed === 0, 'nothing creates debts yet');
  holding.available += batch.granted;
  if (isRunning) insertInBurnOrder(holding.usable, batch);
  else {
    holding.notYetValid += batch.granted;
    if (holding.nextValidFrom === null || batch.validFrom < holding.nextValidFrom)
      holding.nextValidFrom = batch.validFrom;
  }
  book.changes.changedHoldings.add(holding);
  return append(book, holding, batch, 'grant', 'credit', batch.granted, details);
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
