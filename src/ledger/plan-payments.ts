// What a paid line of a plan comes to (DOMAIN 3.16): its first period, the next that nobody has paid, or a change now. A line that was paid is never refused for its
// plan.

import { required } from '../lib/assert.js';
import { allocatePeriod, type PaidBy, rollOverExpired } from './allocations.js';
import type { Book } from './book.js';
import { cancelWaiting } from './cancelled-orders.js';
import type { NewBatch } from './entities.js';
import { takeOldUnits } from './old-units.js';
import { addPeriod, anchored, keepingDay, latestInstant } from './periods.js';
import { planOfLine } from './plan-orders.js';
import { allocateNext, countFromEnd, graceEndOf, keepDay, nextUnpaid, presentOf } from './plan-periods.js';
import type { KnownSubscription, SubscribedPlan, Subscription } from './subscription-entities.js';
import { newSubscription, type StepContext, schedule, step } from './subscription-steps.js';
import { enterPaid } from './turns.js';

/**
 * Pays a period by a line of an order. The book is that of the customer's subscriptions; the order may be of one that leads to him, where it is an operation too.
 * Preconditions: the subscriptions that have not ended are loaded; one that begins is added.
 */
export function payPeriod(book: Book, paidBy: PaidBy, operationId: string): NewBatch[] {
  const { onward } = paidBy.book;
  if (onward) return onward.post(operationId, () => payIn(book, paidBy, operationId));
  return payIn(book, paidBy, operationId);
}

function payIn(book: Book, paidBy: PaidBy, operationId: string): NewBatch[] {
  const { subscriptions } = book.plans;
  const plan = required(planOfLine(paidBy.order, paidBy.item), 'it is a line of a plan');
  const context = { operationId, at: book.now };
  const current = subscriptions.find(({ subscription }) => subscription.plan.planGroup === plan.planGroup);
  if (!current) {
    const known = { subscription: newSubscription(book, plan, {}), ahead: [], lines: new Map(), allocated: [] };
    subscriptions.push(known);
    step(book, known.subscription, 'created', context);
    return beginNow(book, known, plan, paidBy, context);
  }
  const { subscription } = current;
  const { change, status } = subscription;
  if (status === 'incomplete') return beginNow(book, current, plan, paidBy, context);
  const isFollowing = change?.orderId === null && change.plan.sku === plan.sku;
  if (plan.sku === subscription.plan.sku || isFollowing) return payNext(book, current, plan, paidBy, context);
  return changeNow(book, current, plan, paidBy, context, change?.orderId === paidBy.order.id);
}

/** Another plan begins now. What becomes of units of the one before says the change that was paid; if it was none, they stay. */
function changeNow(
  book: Book,
  known: KnownSubscription,
  plan: SubscribedPlan,
  paidBy: PaidBy,
  context: StepContext,
  isAsked: boolean,
): NewBatch[] {
  const { subscription } = known;
  if (isAsked && subscription.change?.oldUnits === 'reset') takeOldUnits(book, known, context, plan.sku);
  return beginNow(book, known, plan, paidBy, context, true);
}

/** Begins a period now, from which those that follow are counted. */
function beginNow(
  book: Book,
  known: KnownSubscription,
  plan: SubscribedPlan,
  paidBy: PaidBy,
  context: StepContext,
  isChange = false,
): NewBatch[] {
  const { subscription } = known;
  const reason = `order ${paidBy.order.id} was paid in its place`;
  const replaced = [subscription.orderId, isChange ? subscription.change?.orderId : null];
  const waiting = replaced.filter((id) => id !== paidBy.order.id);
  cancelWaiting(book, known, waiting, { operationId: context.operationId, reason });
  const anchor = anchored(book.now);
  const { unit, count } = plan.recurrence;
  const endsAt = addPeriod(anchor, unit, count)?.at ?? latestInstant(Infinity);
  if (isChange) subscription.change = null;
  subscription.plan = plan;
  subscription.status = 'active';
  subscription.anchorAt = anchor.at;
  subscription.anchorDay = anchor.anchorDay;
  subscription.periodNumber = 0;
  subscription.periodEndsAt = endsAt;
  subscription.renewalTold = false;
  subscription.cancelsAtEnd = false;
  subscription.orderId = null;
  if (isChange) step(book, subscription, 'changed', context);
  const { period, batches } = allocatePeriod(book, known, plan, 'paid', { startsAt: anchor.at, endsAt }, context, {
    paidBy,
  });
  subscription.periodStartsAt = period.startsAt;
  keepDay(subscription, endsAt);
  allocateNext(subscription, book.now);
  schedule(known);
  step(book, subscription, 'allocated', context, period);
  return batches;
}

/** Pays the next period that nobody has paid; of a subscription that is behind, from its old end on within the grace, from now on later. */
function payNext(
  book: Book,
  known: KnownSubscription,
  plan: SubscribedPlan,
  paidBy: PaidBy,
  context: StepContext,
): NewBatch[] {
  const { subscription } = known;
  const startsAt = nextUnpaid(known);
  const { recurrence } = plan;
  const endsAt = addPeriod(keepingDay(startsAt, subscription.anchorDay), recurrence.unit, recurrence.count)?.at;
  const isLate =
    subscription.status === 'past_due' &&
    (graceEndOf(subscription) <= book.now || startsAt > book.now || isCutShort(book, subscription));
  if (isLate || endsAt === undefined) {
    if (plan.sku !== subscription.plan.sku) return changeNow(book, known, plan, paidBy, context, true);
    return beginNow(book, known, plan, paidBy, context);
  }
  if (plan.sku === subscription.plan.sku) {
    const { unit, count } = subscription.plan.recurrence;
    if (unit !== recurrence.unit || count !== recurrence.count)
      countFromEnd(subscription, presentOf(subscription).endsAt);
    subscription.plan = plan;
  }
  if (subscription.orderId === paidBy.order.id) subscription.orderId = null;
  const { period, batches } = allocatePeriod(book, known, plan, 'paid', { startsAt, endsAt }, context, {
    paidBy,
  });
  if (subscription.status === 'past_due' && startsAt <= book.now) {
    step(book, subscription, 'allocated', context, period);
    if (!known.ahead.includes(period)) known.ahead.unshift(period);
    enterPaid(book, known, period, context, rollOverExpired);
    return batches;
  }
  schedule(known);
  step(book, subscription, 'allocated', context, period);
  return batches;
}

/** Whether the present period ended before its time, because its payment went back: nothing goes on from there. */
function isCutShort({ plans }: Book, { id, plan, periodStartsAt }: Subscription): boolean {
  const present = plans.paid.filter(
    ({ subscriptionId, startsAt }) => subscriptionId === id && startsAt.getTime() === periodStartsAt?.getTime(),
  );
  return present.some(({ sku, endedAt }) => sku === plan.sku && endedAt !== null);
}
