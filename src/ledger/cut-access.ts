// Access that a refund or a dispute takes away (DOMAIN 3.7, 3.5): it is cut at the instant, or shortened by a part of its quantity, and what follows it in its
// chain moves forward. Undone, the length that was cut comes back at the end of the chain.

import { required } from '../lib/assert.js';
import type { Book } from './book.js';
import type { Term } from './catalog-entities.js';
import { causeOf, clawbacksOf, membersOf } from './clawbacks.js';
import type { Batch } from './entities.js';
import type { Clawback, OrderItem } from './order-entities.js';
import { type Anchored, addPeriod, anchored, latestInstant } from './periods.js';
import { postAccessChange, postGrant } from './postings.js';
import { multiplyQuantities } from './quantities.js';
import type { Cause, Causes, Share, Sold, SoldBatch } from './sold-entities.js';
import { inLedgerOf } from './sold-ledgers.js';
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

/**
 * Cuts, shortens, or gives back the access of an order, as its lines are left: whole lines keep none; of others only what refunds in force named is taken.
 */
export function changeAccess(
  book: Book,
  sold: Sold,
  leftOf: (lineId: string) => LineLeft,
  orderId: string,
  cause: Cause,
  causes: Causes,
): void {
  for (const root of sold.batches) {
    if (root.predecessorId !== null || root.batch.granted !== null) continue;
    const left = leftOf(required(root.orderItemId, 'what was bought is of a line'));
    const isWhole = left.share.part >= left.share.whole;
    const members = membersOf(sold, root);
    if (!isWhole) {
      const isTaken = ({ causeId }: Clawback) => causeOf(causes, causeId).names.has(left.item.id);
      for (const clawback of clawbacksOf(sold, members)) {
        if (clawback.undone === 0 && !isTaken(clawback)) giveBackTime(book, sold, clawback, causes, cause.operationId);
      }
    }
    const cuts = isWhole
      ? members.map((member) => ({ member, cutMs: cutNow(book, sold, member, cause) }))
      : shorten(book, sold, members, left, cause);
    for (const { member, cutMs } of cuts)
      if (cutMs !== undefined) {
        const clawback = toClawback(book, member, orderId, cause, cutMs);
        inLedgerOf(book, member, cause.operationId, (at) => at.changes.newClawbacks.push(clawback));
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
export function cutNow(
  book: Book,
  sold: Sold,
  own: SoldBatch,
  { operationId }: Pick<Cause, 'operationId'>,
): number | null | undefined {
  const { batch } = own;
  const end = batch.expiresAt;
  if (own.revokedAt !== null || (end !== null && end <= book.now)) return undefined;
  const from = Math.max(book.now.getTime(), batch.validFrom.getTime());
  own.revokedAt = book.now;
  own.noticeAt = null;
  inLedgerOf(book, own, operationId, (at) => {
    at.changes.changedValidity.add(own);
    postAccessChange(at, batch, 'revoke', { operationId, orderId: batch.orderId });
  });
  sold.access = sold.access.filter(({ batch: { id } }) => id !== batch.id);
  if (end === null) return null;
  const cutMs = end.getTime() - from;
  moveForward(book, sold, batch, end, cutMs, operationId);
  return cutMs;
}

/** What access loses, in milliseconds; as `cutNow` returns it. */
interface Cut {
  member: SoldBatch;
  cutMs: number | null | undefined;
}

/** Ends access where what is left of its quantity ends, wherever it goes on: what is too long of all its parts is taken of the last ones. */
function shorten(book: Book, sold: Sold, members: readonly SoldBatch[], left: LineLeft, cause: Cause): Cut[] {
  const root = required(members[0], 'it goes on in itself at least');
  if (!left.isNamed || left.quantity === left.item.quantity) return [];
  const term = left.item.terms.find(({ productKey }) => productKey === root.batch.productKey);
  const rest = term && endOf(term, root, left.quantity);
  if (!rest) return [];
  const length = members.reduce((sum, member) => sum + lengthOf(member), 0);
  let excess = length - (rest.at.getTime() - root.batch.validFrom.getTime());
  const cuts: Cut[] = [];
  for (const member of [...members].sort((a, b) => b.batch.validFrom.getTime() - a.batch.validFrom.getTime())) {
    const { expiresAt: end, validFrom } = member.batch;
    if (end === null || member.revokedAt !== null || end <= book.now || excess <= 0) continue;
    const lasts = end.getTime() - Math.max(book.now.getTime(), validFrom.getTime());
    const cutMs = Math.min(excess, lasts);
    excess -= cutMs;
    if (cutMs === lasts) cuts.push({ member, cutMs: cutNow(book, sold, member, cause) });
    else {
      const sooner = anchored(new Date(end.getTime() - cutMs));
      adjust(book, member, validFrom, sooner.at.getTime() === rest.at.getTime() ? rest : sooner, cause.operationId);
      moveForward(book, sold, member.batch, end, cutMs, cause.operationId);
      cuts.push({ member, cutMs });
    }
  }
  return cuts;
}

/** How long access lasts, or lasted until it was revoked; endless where it has no end. */
function lengthOf({ batch: { validFrom, expiresAt }, revokedAt }: SoldBatch): number {
  const end = Math.min(expiresAt?.getTime() ?? Infinity, revokedAt?.getTime() ?? Infinity);
  return Math.max(0, end - validFrom.getTime());
}

function endOf(term: Term, { batch, anchorDay }: SoldBatch, quantity: number): Anchored | undefined {
  const length = term.periodValue === null ? null : multiplyQuantities(term.periodValue, quantity);
  if (length === null) return undefined;
  const start = { at: batch.validFrom, anchorDay: anchorDay ?? anchored(batch.validFrom).anchorDay };
  return addPeriod(start, term.periodUnit, length) ?? undefined;
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
  // Periods of a subscription keep their dates.
  const later = own.filter(({ batch: { validFrom, subscriptionId } }) => validFrom >= end && subscriptionId === null);
  for (const next of later.sort((a, b) => a.batch.validFrom.getTime() - b.batch.validFrom.getTime())) {
    const { validFrom, expiresAt } = next.batch;
    if (!starts.has(validFrom.getTime())) continue;
    if (expiresAt) starts.add(expiresAt.getTime());
    const sooner = (at: Date) => new Date(at.getTime() - shiftMs);
    adjust(book, next, sooner(validFrom), expiresAt && anchored(sooner(expiresAt)), operationId);
  }
}

/** Changes when access is valid, and tells both. */
function adjust(book: Book, own: SoldBatch, validFrom: Date, end: Anchored | null, operationId: string): void {
  const { batch } = own;
  const { at: expiresAt, anchorDay } = end ?? { at: null, anchorDay: null };
  const metadata = {
    validFrom: { old: batch.validFrom, new: validFrom },
    expiresAt: { old: batch.expiresAt, new: expiresAt },
    anchorDay: { old: own.anchorDay, new: anchorDay },
  };
  const noticeMs = batch.expiresAt && expiresAt ? batch.expiresAt.getTime() - expiresAt.getTime() : 0;
  own.noticeAt &&= new Date(Math.max(validFrom.getTime(), own.noticeAt.getTime() - noticeMs));
  Object.assign(batch, { validFrom, expiresAt });
  own.anchorDay = anchorDay;
  inLedgerOf(book, own, operationId, (at) => {
    at.changes.changedValidity.add(own);
    postAccessChange(at, batch, 'adjust', { operationId, orderId: batch.orderId, metadata });
  });
}

/** Gives the length that access lost back, at the end of its chain. */
function giveBackTime(book: Book, sold: Sold, clawback: Clawback, causes: Causes, operationId: string): void {
  const own = required(
    sold.batches.find(({ batch }) => batch.id === clawback.batchId),
    'a claim is of a batch',
  );
  const { batch } = own;
  const { operationId: claimedBy } = causeOf(causes, clawback.causeId);
  const revokes = sold.revokes.get(batch.id) ?? [];
  const revoke = revokes.find((one) => one.operationId === claimedBy && one.left > 0);
  if (revoke) {
    revoke.left = 0;
    const details = { operationId, orderId: batch.orderId, reversesSeq: revoke.seq };
    inLedgerOf(book, own, operationId, (at) => postAccessChange(at, batch, 'reverse', details));
  }
  const ends = sold.access
    .filter(({ batch: { productKey } }) => productKey === batch.productKey)
    .map(({ batch: { expiresAt } }) => expiresAt?.getTime() ?? 0);
  const validFrom = new Date(Math.max(book.now.getTime(), ...ends));
  const expiresAt = clawback.cutMs === null ? null : latestInstant(validFrom.getTime() + clawback.cutMs);
  const successor = inLedgerOf(book, own, operationId, (at) => {
    const made = successorOf(at, own, operationId, {
      granted: null,
      validFrom,
      expiresAt,
      anchorDay: expiresAt && anchored(expiresAt).anchorDay,
    });
    postGrant(at, made, { operationId, orderId: batch.orderId });
    return made;
  });
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
    ledgerId: own.ledgerId,
  });
  clawback.undone += 1;
  inLedgerOf(book, own, operationId, (at) => at.changes.changedClawbacks.add(clawback));
}
