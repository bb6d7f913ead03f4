// The postings: the only way in which a batch or a balance of a book changes. Each keeps batch, balance and ledger in step, so that they can't
// drift apart (I1, I2, I3). Decides nothing.

import { assert, required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { type Book, balanceOf, compareBurnOrder, holdingOf } from './book.js';
import { countIn } from './counting.js';
import type { Batch, Entry, EntryKind, Holding, KnownDebt, MovedBatch, NewBatch } from './entities.js';
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
  /** What comes back moves on to another batch, so that it neither expires nor repays anything. */
  isMovedOn?: boolean;
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
    id: details.operationId === null ? idOfItself(book, batch, kind, holding, details) : book.ids.next(),
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
 * The id of an entry that no operation makes. Of one batch and kind no two are alike: a hold lapses once, and repays, is revoked, moves on and forgives a debt
 * once then, and what expires adds to what did so before. What is owed moves without a batch; its place in the ledger tells it apart.
 */
function idOfItself(
  book: Book,
  batch: Batch | null,
  kind: EntryKind,
  { productKey }: Holding,
  details: PostingDetails,
): string {
  if (batch === null) return book.ids.of(book.customerId, `${kind} ${productKey} ${book.nextSeq}`);
  const { id, expired } = batch;
  const forgiven = kind === 'forgive' ? ` of ${details.reversesSeq}` : '';
  return book.ids.of(id, `${kind} ${details.reservationId ?? details.lapseOf ?? ''} ${expired}${forgiven}`);
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
  /** Gone again, because a refund or a dispute claims them. */
  revoked: number;
}

/** Where units come back from: a hold, a use, a refund or a dispute that is undone, or the repayment of a debt that one made. */
export type Origin = 'held' | 'consumed' | 'revoked' | 'repaid';

const KIND_OF_RETURN = { held: 'release', consumed: 'reverse', revoked: 'reverse', repaid: 'repay' } as const;

/**
 * Credits `amount` units to the batch they came from. They leave it again at once as far as a refund or a dispute claims them (DOMAIN
 * 3.7), or when it has ended by then, and what is owed is repaid with the rest (DOMAIN 3.14, 3.15). A batch that ends between `occurredAt` and now
 * becomes due.
 */
export function postReturn(book: Book, batch: Batch, from: Origin, amount: number, details: PostingDetails): Returned {
  const holding = holdingOf(book, batch.productKey);
  const at = details.occurredAt ?? book.now;
  const kind = KIND_OF_RETURN[from];
  if (batch.granted === null) {
    if (from === 'consumed') batch.consumed -= amount;
    assert(batch.consumed >= 0, 'an uncounted batch counts its use');
    touch(book, holding, batch);
    append(book, holding, batch, kind, 'none', amount, details);
    return { kept: amount, expired: 0, revoked: 0 };
  }
  batch[from === 'repaid' ? 'consumed' : from] -= amount;
  if (from === 'held') holding.held -= amount;
  if (from === 'revoked') batch.recovered -= amount;
  const before = batch.available;
  batch.available += amount;
  holding.available += amount;
  touch(book, holding, batch);
  append(book, holding, batch, kind, 'credit', amount, details);
  if (details.isMovedOn) return { kept: amount, expired: 0, revoked: 0 };
  const { operationId } = details;
  const follows = { operationId, occurredAt: at, lapseOf: details.reservationId ?? null };
  const revoked = from === 'revoked' ? 0 : reclaim(book, holding, batch, amount, follows);
  const rest = amount - revoked;
  if (rest === 0) return { kept: 0, expired: 0, revoked };
  if (hasEnded(batch, at)) {
    const freed = { operationId, reservationId: details.reservationId ?? null, at };
    const going = from === 'held' ? book.goOn?.(batch, rest, freed) : undefined;
    const kept = going?.units ?? 0;
    if (kept < rest) postDebit(book, batch, 'expire', rest - kept, { operationId, occurredAt: at });
    going?.post?.();
    return { kept, expired: rest - kept, revoked };
  }
  repay(book, holding, batch, follows);
  if (hasEnded(batch, book.now)) {
    if (batch.available > 0 && !book.due.includes(batch)) book.due.push(batch);
  } else if (book.onward) book.onward.take(batch, operationId);
  else makeSpendable(book, holding, batch, batch.available - before);
  return { kept: rest, expired: 0, revoked };
}

/**
 * Takes units that came back to a batch as far as refunds and disputes claim them, in this order: they cancel debts that those made of the batch, as far as
 * they are still owed; they stay as far as such debts were repaid; and of what is claimed otherwise, what is out must cover it (DOMAIN 3.7).
 */
function reclaim(book: Book, holding: Holding, batch: Batch, amount: number, details: PostingDetails): number {
  const debts = holding.debts.filter(({ batchId }) => batchId === batch.id);
  if (batch.unrecovered === 0 && debts.length === 0) return 0;
  const forgiven = debts.map((debt) => ({ debt, units: 0 }));
  let left = amount;
  for (const one of forgiven) {
    one.units = Math.min(left, owedOf(holding, one.debt));
    left -= one.units;
  }
  const cancelled = amount - left;
  const out = batch.consumed + batch.held + batch.expired;
  const claimed = Math.min(left, Math.max(0, batch.unrecovered - out));
  const taken = cancelled + claimed;
  if (taken === 0) return 0;
  batch.available -= taken;
  batch.revoked += taken;
  batch.recovered += taken;
  batch.unrecovered -= claimed;
  holding.available -= taken;
  touch(book, holding, batch);
  const own = { ...details, orderId: batch.orderId };
  append(book, holding, batch, 'revoke', 'debit', taken, own);
  for (const { debt, units } of forgiven) {
    if (units > 0) postForgive(book, batch.productKey, batch, units, { ...own, reversesSeq: debt.seq });
  }
  return taken;
}

/** What is still owed of a debt: the oldest is repaid first. Of a customer that was merged his debts are owed by the one whom he leads to. */
export function owedOf({ owed, into, owedElsewhere = 0 }: Holding, { left, newer }: KnownDebt): number {
  const elsewhere = into ? Math.min(into.owed, owedElsewhere) : 0;
  return Math.max(0, Math.min(left, owed + elsewhere - newer));
}

/** Takes `amount` available units of a batch for a refund or a dispute. */
export function postRecovery(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  batch.recovered += amount;
  return postDebit(book, batch, 'revoke', amount, { ...details, orderId: batch.orderId });
}

/** Takes access away from an uncounted batch for a refund or a dispute, or tells that it is given back. */
export function postAccessChange(
  book: Book,
  batch: Batch,
  kind: 'revoke' | 'reverse' | 'adjust',
  details: PostingDetails,
): Entry {
  assert(batch.granted === null, 'only access is cut');
  return append(book, holdingOf(book, batch.productKey), batch, kind, 'none', 1, details);
}

/** Moves `amount` available units of a batch out of it: they go on in another one. */
export function postTransferOut(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, batch.productKey);
  batch.available -= amount;
  batch.transferred += amount;
  holding.available -= amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'transfer_out', 'debit', amount, details);
}

/** Moves `amount` units of a batch that expired out of it: they go on in another one after all. No balance had them any more. */
export function postExpiredOut(book: Book, batch: Batch, amount: number, details: PostingDetails): Entry {
  assert(batch.granted !== null && batch.expired >= amount, 'no more goes on than expired');
  const holding = holdingOf(book, batch.productKey);
  batch.expired -= amount;
  batch.transferred += amount;
  touch(book, holding, batch);
  return append(book, holding, batch, 'transfer_out', 'none', amount, details);
}

/** Tells that the access of an uncounted batch goes on in another one. */
export function postAccessOut(book: Book, batch: Batch, details: PostingDetails): Entry {
  assert(batch.granted === null, 'only access moves as a whole');
  return append(book, holdingOf(book, batch.productKey), batch, 'transfer_out', 'none', 1, details);
}

/** Moves `amount` of what is owed of a product out of a ledger. */
export function postOwedOut(book: Book, productKey: string, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, productKey);
  assert(amount <= holding.owed, 'no more moves than is owed');
  holding.owed -= amount;
  book.changes.changedHoldings.add(holding);
  return append(book, holding, null, 'transfer_out', 'credit', amount, details);
}

/** Owes `amount` units that were owed in another ledger; these batches repay what they can at once. */
export function postOwedIn(
  book: Book,
  productKey: string,
  amount: number,
  repaidBy: readonly Batch[],
  details: PostingDetails,
): Entry {
  const holding = holdingOf(book, productKey);
  assert(canAdd(holding.owed, amount), 'what is owed stays exact');
  holding.owed += amount;
  book.changes.changedHoldings.add(holding);
  const entry = append(book, holding, null, 'transfer_in', 'debit', amount, details);
  repayWith(book, holding, repaidBy, details.operationId);
  return entry;
}

/** Repays what is owed with what these batches have. */
function repayWith(book: Book, holding: Holding, batches: readonly Batch[], operationId: string | null): void {
  for (const other of batches) {
    const before = other.available;
    repay(book, holding, other, { operationId });
    if (isPending(book, other)) holding.notYetValid -= before - other.available;
  }
}

/** Owes `amount` units of a product of which nothing is available. */
export function postDebt(book: Book, productKey: string, amount: number, details: PostingDetails): Entry {
  const holding = holdingOf(book, productKey);
  assert(holding.available === 0, 'I3: nothing is available while something is owed');
  return owe(book, holding, null, amount, details);
}

/** Owes `amount` units that a refund or a dispute claims of a batch, and repays them with what these batches have. */
export function postClaimDebt(
  book: Book,
  batch: Batch,
  amount: number,
  repaidBy: readonly Batch[],
  details: PostingDetails,
): Entry {
  const holding = holdingOf(book, batch.productKey);
  const entry = owe(book, holding, batch, amount, { ...details, orderId: batch.orderId });
  repayWith(book, holding, repaidBy, details.operationId);
  book.onward?.takeOwed(batch.productKey, details.operationId);
  return entry;
}

function owe(book: Book, holding: Holding, batch: Batch | null, amount: number, details: PostingDetails): Entry {
  assert(canAdd(holding.owed, amount), 'what is owed stays exact');
  holding.owed += amount;
  book.changes.changedHoldings.add(holding);
  const entry = append(book, holding, batch, 'debt', 'debit', amount, details);
  for (const debt of holding.debts) debt.newer += amount;
  holding.debts.push({ seq: entry.seq, batchId: batch?.id ?? null, left: amount, newer: 0 });
  return entry;
}

/** Owes `amount` units of a debt less; `batch` is the one of which a refund claimed it. */
export function postForgive(
  book: Book,
  productKey: string,
  batch: Batch | null,
  amount: number,
  details: PostingDetails & { reversesSeq: number },
): Entry {
  const holding = holdingOf(book, productKey);
  const { owed } = holding;
  if (amount > owed) book.onward?.bringBackOwed(productKey, amount - owed, details.operationId);
  assert(amount <= holding.owed, 'no more is forgiven than is owed');
  holding.owed -= amount;
  for (const debt of holding.debts) {
    if (debt.seq === details.reversesSeq) debt.left -= amount;
    else if (debt.seq < details.reversesSeq) debt.newer -= amount;
  }
  book.changes.changedHoldings.add(holding);
  return append(book, holding, batch, 'forgive', 'credit', amount, details);
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
 * Adds a batch that this operation grants, or in which another one goes on, with its entry. The whole of a counted batch is available, and repays what is owed first; of one that has
 * ended already it expires at once, and repays nothing. What takes effect at an earlier instant, and has ended since, becomes due.
 */
export function postGrant(book: Book, batch: NewBatch, details: PostingDetails): Entry {
  book.changes.newBatches.push(batch);
  return bringIn(book, batch, batch.predecessorId === null ? 'grant' : 'transfer_in', details);
}

/** Adds a batch in which one of another customer of the family goes on, with its entry. */
export function postMovedIn(book: Book, batch: MovedBatch, details: PostingDetails): Entry {
  book.changes.movedBatches.push(batch);
  return bringIn(book, batch, 'transfer_in', details);
}

function bringIn(
  book: Book,
  batch: NewBatch | MovedBatch,
  kind: 'grant' | 'transfer_in',
  details: PostingDetails,
): Entry {
  const holding = holdingOf(book, batch.productKey);
  if (batch.granted === null) {
    if (hasEnded(batch, book.now)) return append(book, holding, batch, kind, 'none', 1, details);
    if (!isPending(book, batch)) insertInBurnOrder(holding.running, batch);
    holding.accessEnd = laterEnd(holding.accessEnd, endOf(batch));
    const entry = append(book, holding, batch, kind, 'none', 1, details);
    if (!isMeter(batch)) book.onward?.take(batch, details.operationId);
    return entry;
  }
  assert(
    batch.granted === batch.available && canAdd(holding.available, batch.granted),
    'a new batch is wholly available',
  );
  holding.available += batch.granted;
  book.changes.changedHoldings.add(holding);
  const entry = append(book, holding, batch, kind, 'credit', batch.granted, details);
  const { operationId, occurredAt } = details;
  if (hasEnded(batch, occurredAt ?? book.now)) {
    postDebit(book, batch, 'expire', batch.granted, { operationId });
    return entry;
  }
  repay(book, holding, batch, { operationId, ...(occurredAt && { occurredAt }) });
  if (book.onward) book.onward.take(batch, details.operationId);
  else if (hasEnded(batch, book.now)) {
    if (batch.available > 0) book.due.push(batch);
  } else makeSpendable(book, holding, batch, batch.available);
  return entry;
}

function endOf({ expiresAt: at, anchorDay }: NewBatch | MovedBatch): Anchored | 'forever' {
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
