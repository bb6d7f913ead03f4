// What refunds and disputes take back of what an order granted (DOMAIN 3.7). What they claim of a batch follows from the share of its line that was refunded
// or is disputed: more of it is taken, less of it comes back. Planned before anything is posted.

import { AppError } from '../errors/app-error.js';
import { assert, required } from '../lib/assert.js';
import { type Book, hasRoomFor, holdingOf } from './book.js';
import { assertFewTaken } from './bounds.js';
import type { Batch } from './entities.js';
import type { Clawback, UnrecoveredPolicy } from './order-entities.js';
import { postClaimDebt, postRecovery } from './postings.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';
import type { Cause, Causes, KnownCause, Recovery, Share, Sold, SoldBatch, Undo } from './sold-entities.js';
import { inLedgerOf } from './sold-ledgers.js';
import { giveBackUnits } from './undo-clawbacks.js';

/** What is taken of one batch, and what is claimed of it that is not there. */
interface Taking {
  own: SoldBatch;
  batch: Batch;
  taken: number;
  missing: number;
}

/** What is to be taken of units of an order, or comes back. */
export interface UnitsPlan {
  takings: Taking[];
  undos: Undo[];
}

/**
 * Plans what a share of each line claims of counted units. Throws: quantity_too_large, too_many_batches.
 */
export function planUnits(
  book: Book,
  sold: Sold,
  shareOf: (lineId: string) => Share,
  { policy, causes }: { policy: UnrecoveredPolicy; causes: Causes },
): UnitsPlan {
  const plan: UnitsPlan = { takings: [], undos: [] };
  for (const root of latestFirst(sold.batches)) {
    if (root.predecessorId !== null || root.batch.granted === null) continue;
    const members = latestFirst(membersOf(sold, root));
    const { part, whole } = shareOf(required(root.orderItemId, 'what was bought is of a line'));
    const target = Number((BigInt(root.batch.granted) * part) / whole);
    const claimed = members.reduce((sum, { batch }) => sum + claimedOf(sold, batch), 0);
    if (target > claimed) plan.takings.push(...planTakings(sold, members, target - claimed));
    if (target < claimed) plan.undos.push(...planUndos(sold, members, claimed - target, causes));
  }
  assertTakeable(book, plan.takings, policy);
  assertRoom(book, plan.undos);
  return plan;
}

/** The batch and those in which it goes on. */
export function membersOf({ batches }: Sold, root: SoldBatch): SoldBatch[] {
  const members = [root];
  for (const member of members)
    members.push(...batches.filter(({ predecessorId }) => predecessorId === member.batch.id));
  return members;
}

/** What is claimed of a batch and of those in which it goes on, oldest first. */
export function clawbacksOf({ clawbacks }: Sold, members: readonly SoldBatch[]): Clawback[] {
  const own = members.flatMap(({ batch }) => clawbacks.get(batch.id) ?? []);
  return own.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || (a.causeId < b.causeId ? -1 : 1));
}

function latestFirst(batches: readonly SoldBatch[]): SoldBatch[] {
  const endOf = ({ batch: { expiresAt } }: SoldBatch) => expiresAt?.getTime() ?? Infinity;
  return [...batches].sort((a, b) => endOf(b) - endOf(a) || (a.batch.id < b.batch.id ? -1 : 1));
}

/** What claims. What an undoing claims again, it claims by itself: that comes back before what is still in force. */
export function causeOf(causes: Causes, id: string): KnownCause {
  return causes.get(id) ?? { operationId: id, isEnded: true, names: new Set() };
}

/** What is claimed of a batch, taken or not. */
function claimedOf({ clawbacks }: Sold, { id }: Batch): number {
  return (clawbacks.get(id) ?? []).reduce((sum, { claimed, undone }) => sum + claimed - undone, 0);
}

/** What is available is taken; the rest is claimed where units are out. */
function planTakings(sold: Sold, members: readonly SoldBatch[], units: number): Taking[] {
  let left = units;
  const takings = members.map((own) => {
    const { batch } = own;
    const taken = Math.min(left, batch.available);
    left -= taken;
    return { own, batch, taken, missing: 0 };
  });
  for (const taking of takings) {
    const { batch, taken } = taking;
    const available = batch.available - taken;
    const granted = required(batch.granted, 'units are counted');
    const out = granted - batch.transferred - available - claimedOf(sold, batch) - taken;
    taking.missing = Math.min(left, Math.max(0, out));
    left -= taking.missing;
  }
  assert(left === 0, 'no more is claimed than was granted');
  return takings.filter(({ taken, missing }) => taken + missing > 0);
}

/** Claims of what is not in force any more come back first, then the newest. */
function planUndos(sold: Sold, members: readonly SoldBatch[], units: number, causes: Causes): Undo[] {
  const own = clawbacksOf(sold, members).reverse();
  const ordered = [
    ...own.filter(({ causeId }) => causeOf(causes, causeId).isEnded),
    ...own.filter(({ causeId }) => !causeOf(causes, causeId).isEnded),
  ];
  let left = units;
  const undos: Undo[] = [];
  for (const clawback of ordered) {
    const back = Math.min(left, clawback.claimed - clawback.undone);
    if (back === 0) continue;
    left -= back;
    const member = required(
      members.find(({ batch }) => batch.id === clawback.batchId),
      'a claim is of a batch',
    );
    const { operationId } = causeOf(causes, clawback.causeId);
    undos.push({ clawback, sold: member, units: back, claimedBy: operationId });
  }
  assert(left === 0, 'no more comes back than is claimed');
  return undos;
}

/** Refuses a debt that could not be counted, or of which not all was read that repays it. Throws: quantity_too_large, too_many_batches. */
function assertTakeable(book: Book, takings: readonly Taking[], policy: UnrecoveredPolicy): void {
  if (policy === 'ignore') return;
  for (const [productKey, { recovered, unrecovered }] of sumsOf(takings)) {
    if (unrecovered === 0) continue;
    const own = holdingOf(book, productKey);
    const holding = own.into ?? own;
    const rest = holding.available - recovered;
    const read = [...holding.usable, ...holding.pending];
    const known = read.reduce((sum, batch) => sum + batch.available, 0);
    assertFewTaken(
      read.length,
      rest === 0 || known >= Math.min(holding.available, recovered + unrecovered),
      '/unrecovered_policy',
    );
    if (canAdd(holding.owed, unrecovered)) continue;
    throw new AppError('quantity_too_large', `At most ${QUANTITY_MAX} of ${productKey} can be owed.`, {
      pointer: '/unrecovered_policy',
    });
  }
}

function sumsOf(takings: readonly Taking[]): Map<string, { recovered: number; unrecovered: number }> {
  const sums = new Map<string, { recovered: number; unrecovered: number }>();
  for (const { batch, taken, missing } of takings) {
    const known = sums.get(batch.productKey) ?? { recovered: 0, unrecovered: 0 };
    sums.set(batch.productKey, { recovered: known.recovered + taken, unrecovered: known.unrecovered + missing });
  }
  return sums;
}

/** Throws: quantity_too_large. */
function assertRoom(book: Book, undos: readonly Undo[]): void {
  const back = new Map<string, number>();
  for (const { sold, units } of undos) back.set(sold.batch.productKey, (back.get(sold.batch.productKey) ?? 0) + units);
  for (const [productKey, units] of back) {
    if (hasRoomFor(holdingOf(book, productKey), units)) continue;
    throw new AppError('quantity_too_large', `The balance of ${productKey} can't exceed ${QUANTITY_MAX}.`, {
      pointer: '/status',
    });
  }
}

/** Carries a plan out. What is not there is owed where the policy says so, and repaid at once with what else there is. */
export function moveUnits(
  book: Book,
  sold: Sold,
  { takings, undos }: UnitsPlan,
  orderId: string,
  cause: Cause,
): Recovery {
  const { operationId } = cause;
  for (const { own, batch, taken } of takings)
    if (taken > 0) inLedgerOf(book, own, operationId, (at) => postRecovery(at, batch, taken, { operationId }));
  for (const { own, batch, taken, missing } of takings) {
    const owed = cause.policy === 'debt' ? missing : 0;
    inLedgerOf(book, own, operationId, (at) => {
      if (owed > 0) {
        const { usable, pending } = holdingOf(at, batch.productKey);
        postClaimDebt(at, batch, owed, [...usable, ...pending], { operationId });
      }
      if (missing > owed) {
        batch.unrecovered += missing - owed;
        at.changes.changedBatches.set(batch.id, batch);
      }
      at.changes.newClawbacks.push({
        causeId: cause.id,
        batchId: batch.id,
        orderId,
        claimed: taken + missing,
        recovered: taken,
        owed,
        undone: 0,
        cutMs: null,
        createdAt: book.now,
      });
    });
  }
  giveBackUnits(book, sold, undos, operationId);
  const sums = [...sumsOf(takings)];
  return {
    recovered: new Map(sums.map(([key, { recovered }]) => [key, recovered])),
    unrecovered: new Map(sums.map(([key, { unrecovered }]) => [key, unrecovered])),
  };
}
