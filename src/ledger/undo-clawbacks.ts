// How units come back that a refund or a dispute claimed (DOMAIN 3.7): what was only claimed is claimed no longer, what is owed is forgiven, what repaid it
// comes back to where it was, and what was taken comes back to its batch, or to one in which that goes on.

import { assert, required } from '../lib/assert.js';
import { newParts } from './batch-parts.js';
import { type Book, holdingOf } from './book.js';
import type { NewBatch } from './entities.js';
import { owedOf, postForgive, postGrant, postReturn, postTransferOut } from './postings.js';
import type { DebtEntry, Sold, SoldBatch, Undo } from './sold-entities.js';
import { inLedgerOf, soldOf } from './sold-ledgers.js';

/** What is left to give back of one claim. */
interface Giving {
  undo: Undo;
  /** Of what was owed: what is not any more. */
  repaid: number;
  /** Of what was taken, then or as it came back. */
  taken: number;
}

/**
 * Gives units back of claims: of each what was not there first, then of what is or was owed, then of what was taken. What is owed is forgiven of all of them
 * before anything comes back, because what comes back repays what is still owed then.
 */
export function giveBackUnits(book: Book, sold: Sold, undos: readonly Undo[], operationId: string): void {
  const givings = undos.map((undo) => release(book, sold, undo, operationId));
  for (const giving of givings) giving.taken += giving.repaid - unpay(book, sold, giving, operationId);
  for (const { undo, taken } of givings) if (taken > 0) restore(book, sold, undo, taken, operationId);
}

/** Claims units no longer that were not there, and forgives what is owed of them. */
function release(book: Book, sold: Sold, undo: Undo, operationId: string): Giving {
  const { clawback, sold: own, units } = undo;
  const { batch } = own;
  const { claimed, recovered, owed, undone } = clawback;
  const unrecovered = claimed - recovered - owed;
  const ofUnrecovered = Math.min(units, Math.max(0, unrecovered - undone));
  const ofOwed = Math.min(units - ofUnrecovered, Math.max(0, unrecovered + owed - Math.max(undone, unrecovered)));
  const unclaimed = Math.min(ofUnrecovered, batch.unrecovered);
  const repaid = inLedgerOf(book, own, operationId, (at) => {
    if (unclaimed > 0) {
      batch.unrecovered -= unclaimed;
      at.changes.changedBatches.set(batch.id, batch);
    }
    clawback.undone += units;
    at.changes.changedClawbacks.add(clawback);
    return ofOwed - forgive(at, soldOf(sold, own), undo, ofOwed, operationId);
  });
  // What came back meanwhile was taken then.
  return { undo, repaid, taken: units - unclaimed - ofOwed };
}

/** The debt that a claim made, if any. */
function debtOf({ debts }: Sold, { sold: { batch }, claimedBy }: Undo): DebtEntry | undefined {
  return debts.find(
    (entry) => entry.kind === 'debt' && entry.batch?.id === batch.id && entry.operationId === claimedBy,
  );
}

/** Forgives at most so much of what is owed of the debt of a claim. Returns how much that is. */
function forgive(book: Book, sold: Sold, undo: Undo, units: number, operationId: string): number {
  const { batch } = undo.sold;
  const entry = debtOf(sold, undo);
  const holding = holdingOf(book, batch.productKey);
  const debt = holding.debts.find(({ seq }) => seq === entry?.seq);
  const forgiven = debt ? Math.min(units, owedOf(holding, debt)) : 0;
  if (!debt || forgiven === 0) return 0;
  const details = { operationId, orderId: batch.orderId, reversesSeq: debt.seq };
  postForgive(book, batch.productKey, batch, forgiven, details);
  return forgiven;
}

/** Gives back what repaid the debt of a claim. Returns how much that is: the rest was forgiven when units came back. */
function unpay(book: Book, sold: Sold, { undo, repaid }: Giving, operationId: string): number {
  const { sold: own } = undo;
  const known = soldOf(sold, own);
  const debt = repaid > 0 ? debtOf(known, undo) : undefined;
  if (!debt) return 0;
  const returned = inLedgerOf(book, own, operationId, (at) =>
    returnPaid(at, repaymentsOf(known, debt), repaid, operationId, String(debt.seq)),
  );
  const left = repaid - returned;
  if (left === 0 || !book.onward || own.ledgerId === book.onward.book.customerId) return returned;
  // What is left of it moved on with the debt, and was repaid there.
  const { onward } = book;
  const final = required(sold.elsewhere?.get(onward.book.customerId), 'it is loaded of all');
  const there = final.repaidMoved.filter(({ productKey }) => productKey === debt.productKey);
  const open = there.map((repayment) => {
    const gone = [...repayment.returned.values()].reduce((sum, units) => sum + units, 0);
    return { repayment, amount: repayment.amount - gone };
  });
  const actionId = `${own.ledgerId ?? book.customerId}:${debt.seq}`;
  return returned + onward.post(operationId, () => returnPaid(onward.book, open, left, operationId, actionId));
}

/** Gives so much back to the batches that repaid a debt, in their order. Returns how much that is. One entry may have repaid several debts: what comes back says of which. */
function returnPaid(
  book: Book,
  repayments: readonly { repayment: DebtEntry; amount: number }[],
  units: number,
  operationId: string,
  actionId: string,
): number {
  let left = units;
  for (const { repayment, amount } of repayments) {
    const before = repayment.returned.get(actionId) ?? 0;
    const back = Math.min(left, amount - before);
    if (back <= 0) continue;
    repayment.returned.set(actionId, before + back);
    left -= back;
    const details = { operationId, reversesSeq: repayment.seq, actionType: 'debt', actionId };
    postReturn(book, required(repayment.batch, 'a batch repays'), 'repaid', back, details);
  }
  return units - left;
}

/** What repaid a debt: the oldest is repaid first. */
function repaymentsOf({ debts, owedBefore }: Sold, debt: DebtEntry): { repayment: DebtEntry; amount: number }[] {
  const open = [{ seq: 0, left: owedBefore.get(debt.productKey) ?? 0 }];
  const repayments: { repayment: DebtEntry; amount: number }[] = [];
  for (const entry of debts) {
    if (entry.productKey !== debt.productKey) continue;
    if (entry.kind === 'debt') open.push({ seq: entry.seq, left: entry.amount });
    if (entry.kind === 'forgive') {
      const forgiven = open.find(({ seq }) => seq === entry.reversesSeq) ?? open[0];
      if (forgiven) forgiven.left -= entry.amount;
    }
    if (entry.kind !== 'repay') continue;
    let left = entry.amount;
    for (const one of open) {
      const amount = Math.min(left, one.left);
      one.left -= amount;
      left -= amount;
      if (amount > 0 && one.seq === debt.seq) repayments.push({ repayment: entry, amount });
    }
  }
  return repayments;
}

/** Gives taken units back to their batch; where it has ended, to one that lasts for the time that it had left when they were claimed. */
function restore(book: Book, sold: Sold, undo: Undo, units: number, operationId: string): void {
  inLedgerOf(book, undo.sold, operationId, (at) => restoreIn(at, sold, undo, units, operationId));
}

function restoreIn(book: Book, sold: Sold, { sold: own, clawback }: Undo, units: number, operationId: string): void {
  const { batch } = own;
  const hasEnded = batch.expiresAt !== null && batch.expiresAt.getTime() <= book.now.getTime();
  let left = units;
  for (const revoke of sold.revokes.get(batch.id) ?? []) {
    const back = Math.min(left, revoke.left);
    if (back === 0) continue;
    left -= back;
    revoke.left -= back;
    postReturn(book, batch, 'revoked', back, {
      operationId,
      orderId: batch.orderId,
      reversesSeq: revoke.seq,
      isMovedOn: hasEnded,
    });
  }
  assert(left === 0, 'what comes back was taken');
  if (!hasEnded) return;
  postTransferOut(book, batch, units, { operationId, orderId: batch.orderId });
  const leftMs = required(batch.expiresAt, 'it has ended').getTime() - clawback.createdAt.getTime();
  const successor = successorOf(book, own, operationId, {
    granted: units,
    validFrom: book.now,
    expiresAt: new Date(book.now.getTime() + Math.max(1, leftMs)),
    anchorDay: null,
  });
  postGrant(book, successor, { operationId, orderId: batch.orderId });
}

/** A new batch in which another one goes on. */
export function successorOf(
  book: Book,
  { batch, source, sku, orderItemId }: SoldBatch,
  operationId: string,
  { granted, ...validity }: Pick<NewBatch, 'granted' | 'validFrom' | 'expiresAt' | 'anchorDay'>,
): NewBatch {
  return {
    id: book.ids.next(),
    productKey: batch.productKey,
    orderId: batch.orderId,
    subscriptionId: batch.subscriptionId,
    source,
    sku,
    orderItemId,
    operationId,
    predecessorId: batch.id,
    offerQuantity: null,
    ...newParts(granted),
    priority: batch.priority,
    ...validity,
    noticeAt: null,
    createdAt: book.now,
    metadata: {},
  };
}
