// What time alone does to a subscription (DOMAIN 3.16): its end is told ahead, its periods turn, it falls behind with a payment, it ends. Each turn is an operation
// whose id, like the ids of what it makes, follows from the subscription and its step: made twice, late or by two processes it is one. It takes effect at its scheduled
// instant, as if it had run on time.

import { required } from '../lib/assert.js';
import { allocatePeriod, freeStart, isAllocatable, isRollingOver, rollOver, type Span } from './allocations.js';
import { type Book, holdingOf } from './book.js';
import { cancelWaiting } from './cancelled-orders.js';
import { allocate } from './grant.js';
import { takeOldUnits } from './old-units.js';
import { SYSTEM_KEY } from './operations.js';
import { addPeriod, keepingDay, latestInstant } from './periods.js';
import { planOrder } from './plan-orders.js';
import {
  allocateNext,
  allocationStarts,
  anchorOf,
  enter,
  expiryOf,
  graceEndOf,
  nextUnpaid,
  paidAt,
  periodStart,
  presentOf,
} from './plan-periods.js';
import type { KnownSubscription, Period, SkipReason, SubscribedPlan, Subscription } from './subscription-entities.js';
import { endSubscription, followingPlan, type StepContext, schedule, step } from './subscription-steps.js';

/** The subscription that turns first, if one does by now. */
export function firstTurning({ plans, now }: Pick<Book, 'plans' | 'now'>): KnownSubscription | undefined {
  const due = plans.subscriptions.filter(({ subscription: { turnsAt } }) => turnsAt !== null && turnsAt <= now);
  const atOf = ({ subscription: { turnsAt } }: KnownSubscription) => turnsAt?.getTime() ?? Infinity;
  return due.sort((a, b) => atOf(a) - atOf(b) || (a.subscription.id < b.subscription.id ? -1 : 1))[0];
}

/** Makes the turn that is due. Preconditions: what fell due before it is settled; the holdings of the plan's products are loaded. */
export function turn(book: Book, known: KnownSubscription): void {
  const { subscription } = known;
  const at = required(subscription.turnsAt, 'it turns');
  const operationId = book.ids.of(subscription.id, `turn ${subscription.stepCount} ${at.toISOString()}`);
  const firstSeq = book.nextSeq;
  const context = { operationId, at };
  const { status, periodEndsAt } = subscription;
  if (status === 'incomplete') endSubscription(book, subscription, 'expired', context);
  else if (status === 'past_due') turnUnpaid(book, known, context);
  else if (at < required(periodEndsAt, 'it has a period')) {
    if (subscription.allocatesAt?.getTime() === at.getTime()) beginAllocation(book, known, context);
    else tellAhead(book, known, context);
  } else turnPeriod(book, known, context);
  const hasEntries = book.nextSeq > firstSeq;
  book.changes.operations.push({
    id: operationId,
    name: 'subscription.turn',
    actingKey: SYSTEM_KEY,
    firstSeq: hasEntries ? firstSeq : null,
    lastSeq: hasEntries ? book.nextSeq - 1 : null,
    tellsUse: false,
  });
}

/** Tells that a trial, or a period that is to be paid, ends; and makes the order that pays the next. */
function tellAhead(book: Book, known: KnownSubscription, context: StepContext): void {
  const { subscription } = known;
  subscription.renewalTold = true;
  const plan = followingPlan(subscription);
  const isNext = nextUnpaid(known).getTime() === subscription.periodEndsAt?.getTime();
  if (plan.price > 0n && isNext) orderRenewal(book, known, context);
  schedule(known);
  book.changes.changedSubscriptions.add(subscription); // also where nothing is told
  if (subscription.status === 'trialing') step(book, subscription, 'trial_ending', context);
  if (plan.price > 0n && isNext) step(book, subscription, 'renewal_due', context);
}

/** The next allocation of the present period begins, which has its units since the period did; what ends with the one before goes over into it. */
function beginAllocation(book: Book, known: KnownSubscription, context: StepContext): void {
  const { subscription } = known;
  const { plan } = subscription;
  const { endsAt } = presentOf(subscription);
  rollOver(book, known, { plan, next: { plan, span: { startsAt: context.at, endsAt } } }, context);
  allocateNext(subscription, context.at);
  schedule(known);
  step(book, subscription, 'allocation_begun', context);
}

/** Whether a turn tells ahead what is to be paid, while an order of before may wait for that: it is read beside. */
export function looksAtOrder({
  subscription: { orderId, renewalTold, turnsAt, periodEndsAt },
}: KnownSubscription): boolean {
  return orderId !== null && !renewalTold && turnsAt !== null && periodEndsAt !== null && turnsAt < periodEndsAt;
}

/**
 * Makes the order that pays the next period, unless it could not be paid any more. One that waits for that stays, if it can be paid as long; else it is replaced. One
 * in a ledger that the subscription was in before, which is not locked with this one, waits on, and pays what is next if it is paid.
 */
function orderRenewal(book: Book, known: KnownSubscription, { operationId }: StepContext): void {
  const { subscription, orders = [] } = known;
  const expiresAt = expiryOf(subscription);
  if (expiresAt <= book.now) return;
  const waiting = orders.find(({ id, status }) => id === subscription.orderId && status === 'pending');
  if (waiting && waiting.expiresAt >= expiresAt) return;
  const isElsewhere = waiting !== undefined && waiting.customerId !== book.customerId;
  cancelWaiting(book, known, [isElsewhere ? null : subscription.orderId], {
    operationId,
    reason: 'the order of the next period took its place',
  });
  const order = planOrder(book, followingPlan(subscription), { id: book.ids.of(operationId, 'order'), expiresAt });
  subscription.orderId = order.id;
}

/** A subscription that waits for a payment meets a period that was paid ahead, or expires. */
function turnUnpaid(book: Book, known: KnownSubscription, context: StepContext): void {
  const next = paidAt(known.ahead, context.at);
  if (next) enterPaid(book, known, next, context);
  else endSubscription(book, known.subscription, 'expired', context);
}

/** The present period is over. */
function turnPeriod(book: Book, known: KnownSubscription, context: StepContext): void {
  const { subscription, ahead } = known;
  const paid = paidAt(ahead, context.at);
  if (paid) {
    enterPaid(book, known, paid, context);
    return;
  }
  if (subscription.cancelsAtEnd) {
    endSubscription(book, subscription, 'cancelled', context);
    return;
  }
  const before = subscription.plan;
  if (followingPlan(subscription).price === 0n) {
    turnFree(book, known, before, context);
    return;
  }
  subscription.status = 'past_due';
  schedule(known);
  step(book, subscription, 'past_due', context);
  keepAccess(book, subscription, context);
}

/** Enters a period that was paid ahead, or within its grace. What ended with the one before goes over into it. */
export function enterPaid(
  book: Book,
  known: KnownSubscription,
  period: Period,
  context: StepContext,
  goOver: typeof rollOver = rollOver,
): void {
  const { subscription } = known;
  const plan = subscription.plan;
  const isKept = takeOrKeep(book, known, period.sku, { ...context, at: period.startsAt });
  if (isKept) goOver(book, known, { plan, next: { plan: subscription.plan, span: period } }, context);
  enter(subscription, period, context.at);
  known.ahead.splice(known.ahead.indexOf(period), 1);
  schedule(known);
  step(book, subscription, 'renewed', context, period);
}

/** Puts a change into force whose plan this is, from the scheduled start of its first period on. Returns whether units of the plan before are kept. */
function takeOrKeep(book: Book, known: KnownSubscription, sku: string, context: StepContext): boolean {
  const { subscription } = known;
  const { change } = subscription;
  if (change === null || change.orderId !== null || change.plan.sku !== sku) return true;
  if (change.oldUnits === 'reset') takeOldUnits(book, known, context, sku);
  subscription.plan = change.plan;
  subscription.change = null;
  // Counted from here on: the new plan's periods may be longer.
  subscription.anchorAt = context.at;
  subscription.anchorDay = keepingDay(context.at, subscription.anchorDay).anchorDay;
  subscription.periodNumber = 0;
  step(book, subscription, 'changed', context);
  return change.oldUnits === 'carry';
}

/**
 * Turns a plan that costs nothing. Of periods that are over by now those are skipped of which nothing could be usable any more: nothing goes over, it has ended,
 * and nothing is owed that it would have repaid.
 */
function turnFree(book: Book, known: KnownSubscription, before: SubscribedPlan, context: StepContext): void {
  const { subscription } = known;
  const isKept = takeOrKeep(book, known, followingPlan(subscription).sku, context);
  const { plan } = subscription;
  const anchor = anchorOf(subscription);
  const spanOf = (number: number): Span | undefined => {
    const [startsAt, endsAt] = [0, 1].map((more) => periodStart(plan.recurrence, anchor, number + more));
    return startsAt && endsAt && { startsAt, endsAt };
  };
  const first = subscription.plan === before ? subscription.periodNumber + 1 : 0;
  let number = first;
  let span = spanOf(number);
  const mayBeSkipped =
    plan.rollover === 'none' &&
    !(isKept && isRollingOver(book, known, before, context.at)) &&
    plan.terms.every(
      ({ productKey, productType }) => productType !== 'quantity' || holdingOf(book, productKey).owed === 0,
    );
  while (mayBeSkipped && span && span.endsAt <= book.now && isOver(subscription, span, book.now)) {
    number += 1;
    span = spanOf(number);
  }
  if (number > first) skip(book, known, { first, count: number - first }, context);
  if (span === undefined) {
    endSubscription(book, subscription, 'expired', context);
    return;
  }
  const at = span.startsAt;
  const here = { ...context, at };
  if (number === first && isKept) rollOver(book, known, { plan: before, next: { plan, span } }, here);
  if (!isAllocatable(book, plan)) {
    // What can't be counted is not given; the next period is tried again.
    enter(subscription, span, at);
    subscription.periodNumber = number;
    subscription.allocatesAt = null;
    schedule(known);
    skip(book, known, { first: number, count: 1 }, here, 'no_room');
    return;
  }
  const { period } = allocatePeriod(book, known, plan, 'free', span, here);
  enter(subscription, span, at);
  subscription.periodNumber = number;
  schedule(known);
  step(book, subscription, 'allocated', here, period);
}

/** Whether all that would be given in a span has ended. */
function isOver({ plan, anchorDay }: Subscription, span: Span, now: Date): boolean {
  const starts = allocationStarts(plan, span, anchorDay);
  return plan.terms.every((term) => {
    const last = term.productType === 'quantity' ? starts.at(-1) : starts[0];
    const end = addPeriod(required(last, 'a span has a start'), term.periodUnit, term.periodValue);
    return end && end.at <= now;
  });
}

function skip(
  book: Book,
  { subscription }: KnownSubscription,
  { first, count }: { first: number; count: number },
  context: StepContext,
  reason: SkipReason = 'over',
): void {
  const { plan } = subscription;
  const [startsAt, endsAt] = [first, first + count].map((number) =>
    required(periodStart(plan.recurrence, anchorOf(subscription), number), 'it was reached'),
  ) as [Date, Date];
  const period: Period = {
    customerId: book.customerId,
    subscriptionId: subscription.id,
    planGroup: plan.planGroup,
    sku: plan.sku,
    startsAt: freeStart(book, subscription.id, plan.sku, startsAt),
    endsAt,
    kind: 'skipped',
    count,
    granted: {},
    orderId: null,
    orderItemId: null,
    orderCustomerId: null,
    operationId: context.operationId,
    endedAt: null,
    createdAt: book.now,
  };
  book.changes.newPeriods.push(period);
  step(book, subscription, 'skipped', context, period, reason);
}

/** Lets access last through the grace of an unpaid subscription, if its plan says so. */
function keepAccess(book: Book, subscription: Subscription, { operationId, at }: StepContext): void {
  const { plan } = subscription;
  if (!plan.graceAccess || plan.graceDays === 0) return;
  const end = { at: latestInstant(graceEndOf(subscription).getTime()), anchorDay: 0 };
  const span = { start: { at, anchorDay: at.getUTCDate() }, end: { ...end, anchorDay: end.at.getUTCDate() } };
  const access = plan.terms.filter(({ productType }) => productType !== 'quantity');
  for (const [index, term] of access.entries()) {
    allocate(book, term, null, span, {
      id: book.ids.of(operationId, `grace ${index}`),
      source: 'subscription',
      sku: plan.sku,
      orderId: null,
      orderItemId: null,
      subscriptionId: subscription.id,
      operationId,
      at,
    });
  }
}
