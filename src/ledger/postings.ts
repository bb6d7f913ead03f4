// The postings: the only way in which a batch or a balance of a book changes. Each keeps batch, balance and ledger in step, so that they can't
// drift apart (I1, I2, I3). Decides nothing.

import { assert, required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { type Book, balanceOf, compareBurnOrder, holdingOf } from './book.js';
import { countIn } from './counting.js';
import type { Batch, Entry, EntryKind, Holding, NewBatch } from './entities.js';
import type { Anchored } from './periods.js';
import { canAdd } from './quantities.js';

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
  /** In which windows of limits it counts, and how much in the unit of its call; below 0 where units come back. */
  counted?: Counted;
  /** The hold by whose lapse it happens, where its entry does not name it. */
  lapseOf?: string | null;
}

/** What an entry counts in windows of limits. */
export interface Counted {
  at: Date;
  amount: number;
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
    id: details.operationId === null ? idOfItself(book, batch, kind, details) : book.ids.next(),
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
    countedAt: details.counted?.at ?? null,
    counted: details.counted?.amount ?? null,
    checkedLimits: null,
  };
  book.nextSeq += 1;
  book.changes.entries.push(entry);
  countIn(book.windows, entry);
  return entry;
}

/**
 * The id of an entry that no operation makes. Of one batch and kind no two are alike: a hold lapses once and repays once then, and what expires adds to
 * what did so before.
 */
function idOfItself(book: Book, batch: Batch | null, kind: EntryKind, details: PostingDetails): string {
  const { id, expired } = required(batch, 'what happens by itself happens to a batch');
  return book.ids.of(id, `${kind} ${details.reservationId ?? details.lapseOf ?? ''} ${expired}`);
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
  if (kind !== 'expire' && isPending(book, batch)) holding.notYetValid -= amount;
  touch(book, holding, batch);
  return append(book, holding, batch, kind, 'debit', amount, details);
}

/** Sets `amount` units of a batch aside for a reservation; of an uncounted batch the entry alone tells it. */
export function postHold(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  openMeter(book, holding, batch, details);
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
    postDebit(book, batch, 'expire', amount, { operationId, occurredAt: at });
    return { kept: 0, expired: amount };
  }
  repay(book, holding, batch, { operationId, occurredAt: at, lapseOf: details.reservationId ?? null });
  if (hasEnded(batch, book.now)) {
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
  openMeter(book, holding, batch, details);
  batch.consumed += amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'consume', 'none', amount, details);
}

/** Makes the batch in which the use of a metered product is counted, when it is used first. */
function openMeter(book: Book, holding: Holding, batch: Batch, { operationId }: PostingDetails): void {
  if (!isMeter(batch) || holding.running.includes(batch)) return;
  batch.operationId = required(operationId, 'a use is an operation');
  postGrant(book, batch, { operationId, actionType: 'metered' });
}

/** Of a book's batches only one that this transaction makes says where it comes from. */
function isMeter(batch: Batch): batch is NewBatch {
  return 'source' in batch && batch.source === 'metered';
}

/**
 * Adds a batch that this operation grants, with its entry. The whole of a counted batch is available, and repays what is owed first; of one that has
 * ended already it expires at once, and repays nothing.
 */
export function postGrant(book: Book, batch: NewBatch, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  book.changes.newBatches.push(batch);
  if (batch.granted === null) {
    if (hasEnded(batch, book.now)) return append(book, holding, batch, 'grant', 'none', 1, details);
    if (!isPending(book, batch)) insertInBurnOrder(holding.running, batch);
    holding.accessEnd = laterEnd(holding.accessEnd, endOf(batch));
    return append(book, holding, batch, 'grant', 'none', 1, details);
  }
  assert(
    batch.granted === batch.available && canAdd(holding.available, batch.granted),
    'a new batch is wholly available',
  );
  holding.available += batch.granted;
  book.changes.changedHoldings.add(holding);
  const entry = append(book, holding, batch, 'grant', 'credit', batch.granted, details);
  if (hasEnded(batch, book.now)) {
    postDebit(book, batch, 'expire', batch.granted, { operationId: details.operationId });
    return entry;
  }
  repay(book, holding, batch, { operationId: details.operationId });
  makeSpendable(book, holding, batch, batch.available);
  return entry;
}

function endOf({ expiresAt: at, anchorDay }: NewBatch): Anchored | 'forever' {
  return at === null ? 'forever' : { at, anchorDay: required(anchorDay, 'access that ends has an anchor day') };
}

/** The later of two ends; of two at one instant the one that keeps the later day. */
function laterEnd(a: Holding['accessEnd'], b: Anchored | 'forever'): Anchored | 'forever' {
  if (a === 'forever' || b === 'forever') return 'forever';
  const later = a === null ? 1 : b.at.getTime() - a.at.getTime() || b.anchorDay - a.anchorDay;
  return a === null || later > 0 ? b : a;
}

function insertInBurnOrder(batches: Batch[], batch: Batch): void {
  let [from, to] = [0, batches.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compareBurnOrder(batch, required(batches[middle], 'it is between both')) < 0) to = middle;
    else from = middle + 1;
  }
  batches.splice(from, 0, batch);
}
