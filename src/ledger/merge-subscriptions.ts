// Subscriptions in a merge (DOMAIN 3.10) as a pure decision: one goes on in the target's ledger, under its id, as it is. Of two of a plan group the one ending later
// stays; the other ends.
import { expiredOf } from './allocations.js';
import { type Book, bareHolding } from './book.js';
import { cancelWaiting } from './cancelled-orders.js';
import type { EndedByMerge, MovedSubscription } from './customer-entities.js';
import { moveExpired } from './moving-on.js';
import { graceEndOf } from './plan-periods.js';
import type { KnownSubscription } from './subscription-entities.js';
import { endSubscription, step } from './subscription-steps.js';

/** The operations of a merge, in the ledgers of both. */
export interface MergedBy {
  target: string;
  source: string;
}

/** What becomes of the subscriptions of both. */
export interface MergedSubscriptions {
  moved: MovedSubscription[];
  ended: EndedByMerge[];
}

const REASON = 'the customers were merged, and another subscription of the group ends later';

/**
 * Moves the source's subscriptions that have not ended. Preconditions: what is due of both is settled; the plans of both are loaded, and the orders that their
 * subscriptions wait for, whose books are locked.
 */
export function mergeSubscriptions(target: Book, source: Book, operations: MergedBy): MergedSubscriptions {
  const merged: MergedSubscriptions = { moved: [], ended: [] };
  for (const known of source.plans.subscriptions) {
    const { planGroup } = known.subscription.plan;
    const rival = target.plans.subscriptions.find(({ subscription }) => subscription.plan.planGroup === planGroup);
    if (rival && endOf(known) <= endOf(rival)) {
      merged.ended.push(endFor(source, known, rival, operations.source));
      continue;
    }
    if (rival) merged.ended.push(endFor(target, rival, known, operations.target));
    moveWhatMayGoOver(target, source, known, operations);
    merged.moved.push(move(target, source, known, operations.target));
  }
  return merged;
}

/** Up to when a subscription is paid, or lasts without that; one of which nothing was ever paid ends first. */
function endOf({ subscription: { periodEndsAt }, ahead }: KnownSubscription): number {
  const ends = [...(periodEndsAt ? [periodEndsAt] : []), ...ahead.flatMap((one) => (one.endedAt ? [] : [one.endsAt]))];
  return Math.max(...ends.map((at) => at.getTime()));
}

/** Ends one in favour of another. What it allocated lasts as long as it was to last; its orders can't be paid any more. */
function endFor(book: Book, known: KnownSubscription, stays: KnownSubscription, operationId: string): EndedByMerge {
  const { subscription } = known;
  const { orderId, change } = subscription;
  cancelWaiting(book, known, [orderId, change?.orderId], { operationId, reason: REASON });
  subscription.orderId = null;
  endSubscription(book, subscription, 'cancelled', { operationId, at: book.now });
  const { id, customerId, plan } = subscription;
  return { id, customerId, sku: plan.sku, planGroup: plan.planGroup, staysId: stays.subscription.id };
}

/** What has ended with a period that may still be paid within its grace goes over then, in the ledger in which it turns. */
function moveWhatMayGoOver(target: Book, source: Book, known: KnownSubscription, operations: MergedBy): void {
  const { subscription } = known;
  if (subscription.status !== 'past_due' || graceEndOf(subscription) <= source.now) return;
  for (const { batch, units } of expiredOf(known)) {
    const { productKey } = batch;
    if (units === 0 || !target.holdings.has(productKey)) continue;
    if (!source.holdings.has(productKey)) source.holdings.set(productKey, bareHolding({ productKey }));
    moveExpired(source, target, batch, units, { from: operations.source, into: operations.target });
  }
}

function move(target: Book, source: Book, { subscription }: KnownSubscription, operationId: string): MovedSubscription {
  const { id, status, plan, formerIds } = subscription;
  const moved = { ...subscription, customerId: target.customerId, formerIds: [...formerIds, source.customerId] };
  Object.assign(subscription, { movedTo: target.customerId, endedAt: source.now, turnsAt: null, allocatesAt: null });
  source.changes.changedSubscriptions.add(subscription);
  step(target, moved, 'moved', { operationId, at: target.now });
  return { id, sku: plan.sku, planGroup: plan.planGroup, status };
}
