// Merging one customer into another as a pure decision (DOMAIN 3.10): what is available, owed, and gives access moves to the target; what else there is of the
// source stays in his ledger, and what comes of it later moves on (moving-on.ts).
import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { type Book, bareHolding, holdingOf } from './book.js';
import { assertFewTaken } from './bounds.js';
import type { DroppedReason, Merged, Referral } from './customer-entities.js';
import type { Batch, Holding, MovedBatch } from './entities.js';
import { mergeSubscriptions } from './merge-subscriptions.js';
import { moveBatch, moveOwed } from './moving-on.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';
import type { Reward } from './reward-entities.js';
import { cancelMerged } from './rewards.js';

/** Customers that lead to one at most. */
const MERGED_MAX = 100;

/** Who are merged, and who lead to each. */
export interface MergePair {
  targetId: string;
  sourceId: string;
  targetIds: readonly string[];
  sourceIds: readonly string[];
}

/** What there is of the source, under the lock, all that is due settled. */
export interface MergeState {
  balances: readonly Pick<Holding, 'productKey' | 'available' | 'held' | 'owed'>[];
  batches: readonly (Batch & Pick<MovedBatch, 'anchorDay' | 'noticeAt'>)[];
  counts: { identities: number; openOrders: number; openReservations: number; limits: number };
  referrals: {
    ofTarget: Referral | undefined;
    ofSource: Referral | undefined;
    aboveTarget: readonly string[];
    aboveSource: readonly string[];
  };
  /** Not granted yet, of who is of the one family and was brought by who is of the other. */
  rewardsBetween: readonly Reward[];
}

/**
 * Merges the source into the target. Preconditions: what is due of both is settled; the target's holdings of what is owed or available at the source are loaded; so are
 * the plans of both.
 * Throws: too_many_merged, quantity_too_large, too_many_batches.
 */
export function mergeCustomers(
  target: Book,
  source: Book,
  state: MergeState,
  { targetId, sourceId, targetIds, sourceIds }: MergePair,
  { operationId, actingKey }: { operationId: string; actingKey: string },
): Merged {
  const memberIds = [sourceId, ...sourceIds];
  const familyIds = [...targetIds, ...memberIds];
  if (familyIds.length > MERGED_MAX) {
    throw new AppError('too_many_merged', `At most ${MERGED_MAX} customers can be merged into one.`);
  }
  assertMovable(target, state);
  const own = source.ids.next();
  const firstSeq = source.nextSeq;
  for (const { productKey, available, held, owed } of state.balances) {
    source.holdings.set(productKey, bareHolding({ productKey, available, held, owed }));
    if (owed > 0) moveOwed(source, target, productKey, owed, { from: own, into: operationId });
  }
  const units: Record<string, number> = {};
  for (const batch of state.batches) {
    if (!source.holdings.has(batch.productKey)) {
      source.holdings.set(batch.productKey, bareHolding({ productKey: batch.productKey }));
    }
    if (batch.granted !== null) units[batch.productKey] = (units[batch.productKey] ?? 0) + batch.available;
    moveBatch(source, target, batch, { from: own, into: operationId });
  }
  const waiting = source.changes.orderSteps.length;
  const subscriptions = mergeSubscriptions(target, source, { target: operationId, source: own });
  const replacedOrders = source.changes.orderSteps.length - waiting;
  const entries = source.nextSeq - firstSeq;
  source.changes.operations.push({
    id: own,
    name: 'customer.merge',
    actingKey,
    firstSeq: entries > 0 ? firstSeq : null,
    lastSeq: entries > 0 ? source.nextSeq - 1 : null,
    tellsUse: false,
  });
  const dropped = droppedReferrals(state.referrals, { targetId, sourceId });
  target.changes.droppedReferrals.push(...dropped);
  const cancelled = state.rewardsBetween.map((reward) => cancelMerged(target, reward, operationId));
  const { identities, openOrders, openReservations, limits } = state.counts;
  const merged: Merged = {
    identities,
    batches: state.batches.length,
    units,
    owed: Object.fromEntries(state.balances.flatMap(({ productKey, owed }) => (owed > 0 ? [[productKey, owed]] : []))),
    openOrders: openOrders - replacedOrders,
    openReservations,
    mergedBefore: sourceIds.length,
    subscriptions: subscriptions.moved,
    droppedReferrals: dropped,
    cancelledRewards: cancelled.map(({ id, referralId, customerId, programKey, cancelReason }) => ({
      ...{ id, referralId, customerId, programKey },
      reason: required(cancelReason, 'it is cancelled'),
    })),
    droppedLimits: limits,
    endedSubscriptions: subscriptions.ended,
  };
  target.changes.merges.push({ sourceId, memberIds, familyIds, operationId, moved: merged });
  return merged;
}

/** Refuses what could not be counted afterwards, and debts of which not all was read that repays them. */
function assertMovable(target: Book, { balances }: MergeState): void {
  for (const { productKey, available, held, owed } of balances) {
    if (available + held + owed === 0) continue;
    const holding = holdingOf(target, productKey);
    // What is held at the source may come to the target later.
    const isRoom = canAdd(holding.available + holding.held, available + held) && canAdd(holding.owed, owed);
    if (!isRoom) {
      throw new AppError(
        'quantity_too_large',
        `At most ${QUANTITY_MAX} of ${productKey} can be counted of one customer.`,
      );
    }
    const read = [...holding.usable, ...holding.pending];
    const known = read.reduce((sum, batch) => sum + batch.available, 0);
    assertFewTaken(read.length, known >= Math.min(holding.available, owed), '/source_customer_id');
  }
}

/** Which referrals can't stay: the target's referrer wins, and nobody brings himself, directly or over others. */
function droppedReferrals(
  { ofTarget, ofSource, aboveTarget, aboveSource }: MergeState['referrals'],
  { targetId, sourceId }: Pick<MergePair, 'targetId' | 'sourceId'>,
): Merged['droppedReferrals'] {
  const dropped: Merged['droppedReferrals'] = [];
  const drop = ({ id, refereeId, referrerId }: Referral, reason: DroppedReason): undefined => {
    dropped.push({ id, refereeId, referrerId, reason });
  };
  const ringOf = (above: readonly string[], other: string): DroppedReason | undefined => {
    if (above[0] === other) return 'joins_both';
    return above.includes(other) ? 'closes_ring' : undefined;
  };
  const ofTargetReason = ofTarget && ringOf(aboveTarget, sourceId);
  if (ofTarget && ofTargetReason) drop(ofTarget, ofTargetReason);
  if (!ofSource) return dropped;
  const ofSourceReason = ringOf(aboveSource, targetId);
  if (ofSourceReason) drop(ofSource, ofSourceReason);
  else if (ofTarget && !ofTargetReason) drop(ofSource, 'target_has_referrer');
  return dropped;
}
