// Access that a refund or a dispute takes away (DOMAIN 3.7, 3.5): it is cut at the instant, or shortened by a part of its quantity, and what follows it in its
// chain moves forward. Undone, the length that was cut comes back at the end of the chain.

import { required } from '../lib/assert.js';
import type { Book } from './book.js';
import type { Term } from './catalog-entities.js';
import { membersOf } from './clawbacks.js';
import type { Batch } from './entities.js';
import type { Clawback, OrderItem } from './order-entities.js';
import { addPeriod, anchored, latestInstant } from './periods.js';
import { postAccessChange, postGrant } from './postings.js';
import { multiplyQuantities } from './quantities.js';
import type { Cause, Causes, Share, Sold, SoldBatch } from './sold-entities.js';
import { successorOf } from './undo-clawbacks.js';

/** What is left of a line. */
export interface LineLeft {
  item: OrderItem;
  share: Share;
  /** How many of it are not refunded. */
  quantity: number;
  /** Whether this refund named the line: only then a part of its quantity shortens access. */
  isNamed: boolean;
}

/** Cuts, shortens, or gives back the access of an order, as its lines are left. With `isUndo` nothing more is taken. */
export function changeAccess(
  book: Book,
  sold: Sold,
  leftOf: (lineId: string) => LineLeft,
  orderId: string,
  cause: Cause,
  { isUndo, causes }: { isUndo: boolean; causes: Causes },
): void {
  for (const root of sold.batches) {
    if (root.predecessorId !== null || root.batch.granted !== null) continue;
    const left = leftOf(required(root.orderItemId, 'what was bought is of a line'));
    const isWhole = left.share.part >= left.share.whole;
    const members = membersOf(sold, root);
    if (!isUndo) {
      for (const member of members) {
        const cut = isWhole ? cutNow(book, sold, member, cause) : shorten(book, sold, member, left, cause);
        if (cut !== undefined) book.changes.newClawbacks.push(toClawback(book, member, orderId, cause, cut));
      }
    } else if (!isWhole) {
      const ended = sold.clawbacks.filter(
        ({ causeId, batchId, undone }) =>
          causes.get(causeId)?.isEnded && undone === 0 && members.some(({ batch }) => batch.id === batchId),
      );
      for (const clawback of ended) giveBackTime(book, sold, clawback, cause.operationId);
    }
  }
}

function toClawback(
  { now: createdAt }: Book,
  { batch: { id: batchId } }: SoldBatch,
  orderId: string,
  { id: causeId }: Cause,
  cutMs: number | null,
): Clawback {
  return { causeId, batchId, orderId, claimed: 1, recovered: 1, owed: 0, undone: 0, cutMs, createdAt };
}

/** Revokes access that lasts, or is to come. Returns the length that it loses, in milliseconds: null where it had no end; undefined where there is none to take. */
function cutNow(book: Book, sold: Sold, own: SoldBatch, { operationId }: Cause): number | null | undefined {
  const { batch } = own;
  const end = batch.expiresAt;
  if (own.revokedAt !== null || (end !== null && end <= book.now)) return undefined;
  const from = Math.max(book.now.getTime(), batch.validFrom.getTime());
  own.revokedAt = book.now;
  own.noticeAt = null;
  book.changes.changedValidity.add(own);
  postAccessChange(book, batch, 'revoke', { operationId, orderId: batch.orderId });
  sold.access = sold.access.filter(({ batch: { id } }) => id !== batch.id);
  if (end === null) return null;
  const cutMs = end.getTime() - from;
  moveForward(book, sold, batch, end, cutMs, operationId);
  return cutMs;
}

/** Ends access where what is left of its quantity ends, or cuts it if that is over. Returns the length that it loses. */
function shorten(book: Book, sold: Sold, own: SoldBatch, left: LineLeft, cause: Cause): number | null | undefined {
  const { batch } = own;
  const { expiresAt: end, validFrom } = batch;
  if (!left.isNamed || left.quantity === left.item.quantity || own.predecessorId !== null) return undefined;
  if (end === null || own.revokedAt !== null || end <= book.now) return undefined;
  const term = left.item.terms.find(({ productKey }) => productKey === batch.productKey);
  const shorter = term && endOf(term, own, left.quantity);
  if (!shorter || shorter >= end) return undefined;
  if (shorter <= book.now) return cutNow(book, sold, own, cause);
  adjust(book, own, validFrom, shorter, cause.operationId);
  const cutMs = end.getTime() - shorter.getTime();
  moveForward(book, sold, batch, end, cutMs, cause.operationId);
  return cutMs;
}

function endOf(term: Term, { batch, anchorDay }: SoldBatch, quantity: number): Date | undefined {
  const length = term.periodValue === null ? null : multiplyQuantities(term.periodValue, quantity);
  if (length === null) return undefined;
  const start = { at: batch.validFrom, anchorDay: anchorDay ?? anchored(batch.validFrom).anchorDay };
  return addPeriod(start, term.periodUnit, length)?.at;
}

/** Moves what begins where access ended, and what follows that, by the length that was cut, as far as no other access is in the way. */
function moveForward(
  book: Book,
  sold: Sold,
  { productKey }: Batch,
  end: Date,
  cutMs: number,
  operationId: string,
): void {
  const own = sold.access.filter(({ batch }) => batch.productKey === productKey);
  const earlier = own.filter(({ batch: { validFrom } }) => validFrom < end);
  const covered = Math.max(
    end.getTime() - cutMs,
    ...earlier.map(({ batch }) => Math.min(batch.expiresAt?.getTime() ?? Infinity, end.getTime())),
  );
  const shiftMs = end.getTime() - covered;
  if (shiftMs <= 0) return;
  const starts = new Set([end.getTime()]);
  const later = own.filter(({ batch: { validFrom } }) => validFrom >= end);
  for (const next of later.sort((a, b) => a.batch.validFrom.getTime() - b.batch.validFrom.getTime())) {
    const { validFrom, expiresAt } = next.batch;
    if (!starts.has(validFrom.getTime())) continue;
    if (expiresAt) starts.add(expiresAt.getTime());
    const sooner = (at: Date) => new Date(at.getTime() - shiftMs);
    adjust(book, next, sooner(validFrom), expiresAt && sooner(expiresAt), operationId);
  }
}

/** Changes when access is valid, and tells both. */
function adjust(book: Book, own: SoldBatch, validFrom: Date, expiresAt: Date | null, operationId: string): void {
  const { batch } = own;
  const anchorDay = expiresAt && anchored(expiresAt).anchorDay;
  const metadata = {
    validFrom: { old: batch.validFrom, new: validFrom },
    expiresAt: { old: batch.expiresAt, new: expiresAt },
    anchorDay: { old: own.anchorDay, new: anchorDay },
  };
  const noticeMs = batch.expiresAt && expiresAt ? batch.expiresAt.getTime() - expiresAt.getTime() : 0;
  own.noticeAt &&= new Date(Math.max(validFrom.getTime(), own.noticeAt.getTime() - noticeMs));
  Object.assign(batch, { validFrom, expiresAt });
  own.anchorDay = anchorDay;
  book.changes.changedValidity.add(own);
  postAccessChange(book, batch, 'adjust', { operationId, orderId: batch.orderId, metadata });
}

/** Gives the length that access lost back, at the end of its chain. */
function giveBackTime(book: Book, sold: Sold, clawback: Clawback, operationId: string): void {
  const own = required(
    sold.batches.find(({ batch }) => batch.id === clawback.batchId),
    'a claim is of a batch',
  );
  const { batch } = own;
  const revoke = sold.revokes.find(({ batchId, left }) => batchId === batch.id && left > 0);
  if (revoke && own.revokedAt !== null) {
    revoke.left = 0;
    postAccessChange(book, batch, 'reverse', { operationId, orderId: batch.orderId, reversesSeq: revoke.seq });
  }
  const ends = sold.access
    .filter(({ batch: { productKey } }) => productKey === batch.productKey)
    .map(({ batch: { expiresAt } }) => expiresAt?.getTime() ?? 0);
  const validFrom = new Date(Math.max(book.now.getTime(), ...ends));
  const expiresAt = clawback.cutMs === null ? null : latestInstant(validFrom.getTime() + clawback.cutMs);
  const successor = successorOf(book, own, operationId, {
    granted: null,
    validFrom,
    expiresAt,
    anchorDay: expiresAt && anchored(expiresAt).anchorDay,
  });
  postGrant(book, successor, { operationId, orderId: batch.orderId });
  const { source, sku, orderItemId, anchorDay, noticeAt, predecessorId } = successor;
  sold.access.push({
    batch: successor,
    source,
    sku,
    orderItemId,
    anchorDay,
    noticeAt,
    predecessorId,
    revokedAt: null,
  });
  clawback.undone += 1;
  book.changes.changedClawbacks.add(clawback);
}
