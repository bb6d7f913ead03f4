// How units come back that a refund or a dispute claimed (DOMAIN 3.7): what was only claimed is claimed no longer, what is owed is forgiven, what repaid it
// comes back to where it was, and what was taken comes back to its batch, or to one in which that goes on.

import { assert, required } from '../lib/assert.js';
import { type Book, holdingOf } from './book.js';
import type { NewBatch } from './entities.js';
import type { Clawback } from './order-entities.js';
import { owedOf, postForgive, postGrant, postReturn, postTransferOut } from './postings.js';
import type { DebtEntry, Sold, SoldBatch, Undo } from './sold-entities.js';

/** Gives units back of one claim: of what was not there first, then of what is or was owed, then of what was taken. */
export function giveBackUnits(book: Book, sold: Sold, undo: Undo, operationId: string): void {
  const { clawback, sold: own, units } = undo;
  const { batch } = own;
  const { claimed, recovered, owed, undone } = clawback;
  const unrecovered = claimed - recovered - owed;
  const ofUnrecovered = Math.min(units, Math.max(0, unrecovered - undone));
  const ofOwed = Math.min(units - ofUnrecovered, Math.max(0, unrecovered + owed - Math.max(undone, unrecovered)));
  const unclaimed = Math.min(ofUnrecovered, batch.unrecovered);
  if (unclaimed > 0) {
    batch.unrecovered -= unclaimed;
    book.changes.changedBatches.set(batch.id, batch);
  }
  // What came back meanwhile was taken then.
  let taken = units - unclaimed - ofOwed;
  if (ofOwed > 0) taken += ofOwed - cancelDebt(book, sold, undo, ofOwed, operationId);
  if (taken > 0) restore(book, sold, own, clawback, taken, operationId);
  clawback.undone += units;
  book.changes.changedClawbacks.add(clawback);
}

/** Forgives what is owed of the debt of a claim, and gives back what repaid it. Returns how much that is: the rest was forgiven when units came back. */
function cancelDebt(
  book: Book,
  sold: Sold,
  { sold: { batch }, claimedBy }: Undo,
  units: number,
  operationId: string,
): number {
  const holding = holdingOf(book, batch.productKey);
  let left = units;
  for (const entry of sold.debts) {
    if (entry.kind !== 'debt' || entry.batch?.id !== batch.id || entry.operationId !== claimedBy || left === 0)
      continue;
    const debt = holding.debts.find(({ seq }) => seq === entry.seq);
    const forgiven = debt ? Math.min(left, owedOf(holding, debt)) : 0;
    if (forgiven > 0) {
      postForgive(book, batch.productKey, batch, forgiven, {
        operationId,
        orderId: batch.orderId,
        reversesSeq: entry.seq,
      });
      left -= forgiven;
    }
    for (const { repayment, amount } of repaymentsOf(sold, entry)) {
      const back = Math.min(left, amount, repayment.amount - repayment.reversed);
      if (back === 0) continue;
      repayment.reversed += back;
      postReturn(book, required(repayment.batch, 'a batch repays'), 'repaid', back, {
        operationId,
        reversesSeq: repayment.seq,
      });
      left -= back;
    }
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
function restore(book: Book, sold: Sold, own: SoldBatch, clawback: Clawback, units: number, operationId: string): void {
  const { batch } = own;
  const hasEnded = batch.expiresAt !== null && batch.expiresAt.getTime() <= book.now.getTime();
  let left = units;
  for (const revoke of sold.revokes) {
    const back = revoke.batchId === batch.id ? Math.min(left, revoke.left) : 0;
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
    source,
    sku,
    orderItemId,
    operationId,
    predecessorId: batch.id,
    offerQuantity: null,
    granted,
    available: granted ?? 0,
    held: 0,
    consumed: 0,
    expired: 0,
    revoked: 0,
    transferred: 0,
    recovered: 0,
    unrecovered: 0,
    priority: batch.priority,
    ...validity,
    noticeAt: null,
    createdAt: book.now,
    metadata: {},
  };
}
