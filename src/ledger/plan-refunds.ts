// What a refund or a dispute does to the period that its order paid (DOMAIN 3.16): a whole one ends it and no other; undone, it goes on.
import { type Book, planBookOf } from './book.js';
import type { Dispute, Order } from './order-entities.js';
import { countFromEnd, enter, isSamePeriod } from './plan-periods.js';
import type { KnownSubscription, Period } from './subscription-entities.js';
import { endSubscription, followingPlan, type StepContext, schedule, step } from './subscription-steps.js';

/** Follows what was told of an order: `disputes` are those of it as they are now. Precondition: the customer's plans are loaded. */
export function followSale(book: Book, order: Order, disputes: readonly Dispute[], operationId: string): void {
  const lost = disputes.filter(({ status }) => status === 'lost').reduce((sum, { amount }) => sum + amount, 0n);
  const isReturned = order.status === 'refunded' || (lost > 0n && order.refundedAmount + lost >= order.totalAmount);
  followReturn(book, order, isReturned, operationId);
}

/** Ends the periods that an order paid, or lets them go on, each in the ledger in which its subscription is. Precondition: the customer's plans are loaded. */
function followReturn(book: Book, order: Order, isReturned: boolean, operationId: string): void {
  const isFollowed = ({ orderId, endedAt }: Period) => orderId === order.id && isReturned !== (endedAt !== null);
  const final = planBookOf(book);
  const going = final.plans.paid.filter(isFollowed);
  if (final === book) {
    followEach(book, going, isReturned, operationId);
    return;
  }
  // Of a customer that was merged the rest is of subscriptions that ended before.
  const isGoing = (period: Period) => going.some((other) => isSamePeriod(other, period));
  followEach(
    book,
    book.plans.paid.filter((period) => isFollowed(period) && !isGoing(period)),
    isReturned,
    operationId,
  );
  if (going.length > 0) book.onward?.post(operationId, (id) => followEach(final, going, isReturned, id));
}

function followEach(book: Book, periods: readonly Period[], isReturned: boolean, operationId: string): void {
  const context = { operationId, at: book.now };
  for (const period of periods) {
    period.endedAt = isReturned ? book.now : null;
    book.changes.endedPeriods.push(period);
    const known = book.plans.subscriptions.find(({ subscription: { id } }) => id === period.subscriptionId);
    if (known) follow(book, known, period, context);
  }
}

function follow(book: Book, known: KnownSubscription, period: Period, context: StepContext): void {
  const { subscription } = known;
  const { status, cancelsAtEnd } = subscription;
  if (period.endsAt <= book.now) return;
  if (period.endedAt !== null) {
    known.ahead = known.ahead.filter((other) => other !== period);
    const isPresent =
      subscription.periodStartsAt?.getTime() === period.startsAt.getTime() && subscription.plan.sku === period.sku;
    const isFree = followingPlan(subscription).price === 0n;
    // What waited for the end of what was paid ahead waits no longer, if it costs nothing.
    const isOver = status === 'past_due' && isFree && known.ahead.length === 0;
    if ((status === 'active' && isPresent) || isOver) {
      if (cancelsAtEnd && known.ahead.length === 0) {
        endSubscription(book, subscription, 'cancelled', context);
        return;
      }
      const endsAt = new Date(Math.max(book.now.getTime(), isPresent ? period.startsAt.getTime() + 1 : 0));
      subscription.periodEndsAt = endsAt;
      subscription.status = isFree ? 'active' : 'past_due';
      // What costs nothing follows at once: its period turns as any that is over.
      if (isFree) countFromEnd(subscription, endsAt);
      schedule(known);
      step(book, subscription, isFree ? 'updated' : 'past_due', context);
      return;
    }
  } else if (status === 'past_due' && period.startsAt <= book.now) enter(subscription, period, book.now);
  else if (period.startsAt > book.now) {
    known.ahead = [...known.ahead, period].sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime());
  }
  schedule(known);
  step(book, subscription, 'updated', context);
}
