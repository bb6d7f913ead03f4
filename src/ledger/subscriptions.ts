// What a customer, or his operator, decides about a subscription (DOMAIN 3.16). Pure; a paid line of a plan is in plan-payments.ts, what time does in turns.ts.

import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { allocatePeriod, isAllocatable } from './allocations.js';
import type { Book } from './book.js';
import { assertFewBatches, ORDER_BATCHES_MAX } from './bounds.js';
import { cancelHere, cancelWaiting } from './cancelled-orders.js';
import type { OrderableOffer } from './catalog-entities.js';
import { assertPlaces } from './offer-places.js';
import { takeOldUnits } from './old-units.js';
import type { Order } from './order-entities.js';
import { assertOrderable } from './orders.js';
import { addPeriod, anchored } from './periods.js';
import { planOfOffer, planOrder } from './plan-orders.js';
import { allocateNext, countFromEnd, payableUntil, presentOf } from './plan-periods.js';
import { batchesOf } from './plans.js';
import { QUANTITY_MAX } from './quantities.js';
import type {
  KnownSubscription,
  OldUnits,
  Period,
  RunningPeriod,
  SubscribedPlan,
  Subscription,
} from './subscription-entities.js';
import {
  endSubscription,
  followingPlan,
  newSubscription,
  type StepContext,
  schedule,
  step,
} from './subscription-steps.js';

/** A subscription as it is afterwards, and the order that pays what comes next, if it was made or is known. */
export interface SubscriptionOutcome {
  outcome: 'accepted' | 'unchanged';
  subscription: Subscription;
  order: Order | null;
}

const SKU = '/sku';
/** How long the order of a first period, or of a change, can be paid. */
const FIRST_ORDER_MS = 24 * 3_600_000;

/** The plan that an offer is. Throws: offer_not_found, offer_not_plan, offer_inactive, offer_exchange_only, product_inactive, already_unlimited, too_many_batches, quantity_too_large. */
function requirePlan(book: Book, sku: string, offer: OrderableOffer | undefined): SubscribedPlan {
  if (!offer) throw new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer: SKU });
  const plan = planOfOffer(offer);
  if (!plan) throw new AppError('offer_not_plan', `The offer ${sku} does not recur.`, { pointer: SKU });
  assertOrderable(book, offer, SKU);
  const lengths = [plan.recurrence, ...(plan.trial ? [plan.trial] : [])];
  if (lengths.some(({ unit, count }) => addPeriod(anchored(book.now), unit, count) === undefined))
    throw new AppError('quantity_too_large', `A period of ${sku} would end after the year 9999.`, { pointer: SKU });
  assertFewBatches(batchesOf(plan, plan.terms), ORDER_BATCHES_MAX, 'A period comes to', SKU);
  if (!isAllocatable(book, plan))
    throw new AppError('quantity_too_large', `A balance can't exceed ${QUANTITY_MAX}.`, { pointer: SKU });
  return plan;
}

export interface SubscribeCommand {
  offer: OrderableOffer | undefined;
  sku: string;
  /** Whether a trial is wanted, and none was used before. */
  hasTrial: boolean;
  places: ReadonlyMap<string, number>;
  /** The order that his present subscription of the group waits for, with its status of now. */
  order: Order | null;
  metadata: Metadata;
  operationId: string;
}

/**
 * Subscribes to a plan: with its trial, free of charge at once, else incomplete with the order that pays its first period. What was allocated of the group without
 * a payment, and is not over, goes on: its period is this one's first, of which only what is more is given; a trial has its own length.
 * Who has the plan already is answered as he is. Throws: as `requirePlan`; subscription_exists (of another plan), offer_limit_reached.
 */
export function subscribe(book: Book, command: SubscribeCommand): SubscriptionOutcome {
  const { operationId, places, metadata } = command;
  const plan = requirePlan(book, command.sku, command.offer);
  const context = { operationId, at: book.now };
  const current = book.plans.subscriptions.find(({ subscription }) => subscription.plan.planGroup === plan.planGroup);
  const isSame = current?.subscription.plan.sku === plan.sku;
  const order = command.order?.status === 'pending' ? command.order : null;
  if (current && isSame && (current.subscription.status !== 'incomplete' || order))
    return { outcome: 'unchanged', subscription: current.subscription, order };
  if (current && current.subscription.status !== 'incomplete') {
    const { id, plan: present } = current.subscription;
    const detail = `The customer has ${present.sku} of the group ${plan.planGroup}: change it.`;
    throw new AppError('subscription_exists', detail, { pointer: SKU, extensions: { subscriptionId: id } });
  }
  const maxPerCustomer = command.offer?.maxPerCustomer ?? null;
  assertPlaces(places, [{ sku: plan.sku, maxPerCustomer, quantity: 1, pointer: SKU }]);
  if (current) {
    const reason = 'another subscription took its place';
    cancelWaiting(book, current, [current.subscription.orderId], { operationId, reason });
    endSubscription(book, current.subscription, 'expired', context);
  }
  const subscription = newSubscription(book, plan, metadata);
  const known: KnownSubscription = { subscription, ahead: [], lines: new Map(), allocated: [] };
  const isTrial = plan.trial !== null && command.hasTrial;
  if (plan.price > 0n && !isTrial) {
    const expiresAt = new Date(book.now.getTime() + FIRST_ORDER_MS);
    const made = planOrder(book, plan, { id: book.ids.next(), expiresAt });
    subscription.orderId = made.id;
    subscription.turnsAt = expiresAt;
    step(book, subscription, 'created', context);
    return { outcome: 'accepted', subscription, order: made };
  }
  const running = isTrial ? undefined : runningUnpaid(book, plan.planGroup);
  const span = running ?? spanFromNow(plan, isTrial, book.now);
  beginUnpaid(subscription, span, running?.anchorDay ?? book.now.getUTCDate(), isTrial);
  allocateNext(subscription, book.now);
  step(book, subscription, 'created', context);
  allocateDifference(book, known, plan, isTrial ? 'trial' : 'free', context);
  schedule(known);
  return { outcome: 'accepted', subscription, order: null };
}

function spanFromNow(plan: SubscribedPlan, isTrial: boolean, now: Date): { startsAt: Date; endsAt: Date } {
  const { unit, count } = (isTrial ? plan.trial : null) ?? plan.recurrence;
  return {
    startsAt: now,
    endsAt: required(addPeriod(anchored(now), unit, count)?.at, 'a period ends before the year 9999'),
  };
}

/** The first period, from whose end the others are counted. */
function beginUnpaid(
  subscription: Subscription,
  { startsAt, endsAt }: { startsAt: Date; endsAt: Date },
  anchorDay: number,
  isTrial: boolean,
): void {
  subscription.status = isTrial ? 'trialing' : 'active';
  subscription.anchorDay = isTrial ? null : anchorDay;
  countFromEnd(subscription, endsAt);
  subscription.periodStartsAt = startsAt;
  subscription.periodEndsAt = endsAt;
}

/** The period of a group that runs now without having been paid, the one that ends last. */
function runningUnpaid(book: Book, planGroup: string): RunningPeriod | undefined {
  return runningOf(book, planGroup)
    .filter(({ kind }) => kind === 'free')
    .sort((a, b) => b.endsAt.getTime() - a.endsAt.getTime())[0];
}

function runningOf({ plans, now }: Book, planGroup: string): RunningPeriod[] {
  return plans.running.filter(
    (period) => period.planGroup === planGroup && period.startsAt <= now && now < period.endsAt,
  );
}

/** Allocates in the present period what is more than what was allocated of the group in periods that run now. */
function allocateDifference(
  book: Book,
  known: KnownSubscription,
  plan: SubscribedPlan,
  kind: 'trial' | 'free',
  context: StepContext,
): void {
  const already = new Map<string, number>();
  for (const { granted } of runningOf(book, plan.planGroup)) {
    for (const [productKey, units] of Object.entries(granted))
      already.set(productKey, (already.get(productKey) ?? 0) + units);
  }
  const { period } = allocatePeriod(book, known, plan, kind, presentOf(known.subscription), context, { already });
  step(book, known.subscription, 'allocated', context, period);
}

export interface ChangeCommand {
  offer: OrderableOffer | undefined;
  sku: string;
  when: 'now' | 'period_end';
  oldUnits: OldUnits;
  /** The order that a change waits for, with its status of now. */
  order: Order | null;
  operationId: string;
}

/**
 * Changes to another plan of the group. One that costs nothing takes the place of the present one at once and keeps its period; another one as soon as its order is
 * paid; at the end of the period either, which is at once for one that costs nothing where the period is over, and nothing is paid ahead. To the present plan it takes a scheduled change back. It takes the place of a cancellation. A change that waits is answered
 * as it is, with its order while that can be paid. The orders of what it takes the place of are cancelled.
 * Throws: as `requirePlan`; subscription_ended, subscription_incomplete, subscription_unchanged, other_plan_group, change_paid.
 */
export function changePlan(book: Book, known: KnownSubscription, command: ChangeCommand): SubscriptionOutcome {
  const { subscription } = known;
  assertCurrent(subscription);
  const { operationId, oldUnits, when } = command;
  const context = { operationId, at: book.now };
  if (command.sku === subscription.plan.sku) {
    if (subscription.change === null) {
      const detail = `The subscription is of ${command.sku} already.`;
      throw new AppError('subscription_unchanged', detail, { pointer: SKU });
    }
    assertNotPaid(known);
    const { orderId } = subscription.change;
    const reason = 'the change was taken back';
    // The order that pays the next period of the present plan stays.
    cancelWaiting(book, known, [orderId ?? subscription.orderId], { operationId, reason });
    subscription.change = null;
    if (orderId === null) return retold(book, known, context);
    step(book, subscription, 'updated', context);
    return { outcome: 'accepted', subscription, order: null };
  }
  const plan = requirePlan(book, command.sku, command.offer);
  if (plan.planGroup !== subscription.plan.planGroup) {
    const detail = `${plan.sku} is of the group ${plan.planGroup}, the subscription of ${subscription.plan.planGroup}.`;
    throw new AppError('other_plan_group', detail, { pointer: SKU });
  }
  const scheduled = subscription.change;
  const isWaiting = scheduled?.orderId === null || command.order?.status === 'pending';
  if (isWaiting && isSameChange(scheduled, plan, command))
    return { outcome: 'unchanged', subscription, order: command.order };
  assertNotPaid(known);
  const isOrdered = when === 'now' && plan.price > 0n;
  // Until a change is paid that waits for it, the present plan goes on, with the order of its next period.
  const isNextKept = isOrdered && scheduled?.orderId !== null;
  const replaced = [scheduled?.orderId, isNextKept ? null : subscription.orderId];
  cancelWaiting(book, known, replaced, { operationId, reason: 'another change took its place' });
  // The period of who is behind is over: what costs nothing waits for no payment.
  const isOver = subscription.status === 'past_due' && plan.price === 0n && known.ahead.length === 0;
  if (when === 'period_end' && !isOver) {
    subscription.change = { plan, oldUnits, orderId: null };
    subscription.cancelsAtEnd = false; // who changes with the next period stays for it
    return retold(book, known, context);
  }
  if (isOrdered) {
    const expiresAt = new Date(book.now.getTime() + FIRST_ORDER_MS);
    const order = planOrder(book, plan, { id: book.ids.next(), expiresAt });
    subscription.change = { plan, oldUnits, orderId: order.id };
    if (scheduled?.orderId === null) tellAgain(known);
    step(book, subscription, 'updated', context);
    return { outcome: 'accepted', subscription, order };
  }
  if (oldUnits === 'reset') takeOldUnits(book, known, context, plan.sku);
  subscription.plan = plan;
  subscription.change = null;
  subscription.cancelsAtEnd = false;
  subscription.orderId = null;
  subscription.renewalTold = false;
  if (subscription.status === 'past_due')
    beginUnpaid(subscription, spanFromNow(plan, false, book.now), book.now.getUTCDate(), false);
  else {
    // Its present period stays, and those that follow are counted from its end.
    countFromEnd(subscription, presentOf(subscription).endsAt);
  }
  allocateNext(subscription, book.now);
  step(book, subscription, 'changed', context);
  const { startsAt } = presentOf(subscription);
  const isKnown = book.plans.running.some(
    (period) =>
      period.subscriptionId === subscription.id &&
      period.sku === plan.sku &&
      period.startsAt.getTime() === startsAt.getTime(),
  );
  if (!isKnown) allocateDifference(book, known, plan, 'free', context);
  schedule(known);
  return { outcome: 'accepted', subscription, order: null };
}

/** Whether this change waits already. */
function isSameChange(
  change: Subscription['change'],
  plan: SubscribedPlan,
  { when, oldUnits }: ChangeCommand,
): boolean {
  if (change === null || change.plan.sku !== plan.sku || change.oldUnits !== oldUnits) return false;
  return (change.orderId === null) === (when === 'period_end');
}

/** Tells what is scheduled now; what was told of the end of the period is told again, of what follows now. */
function retold(book: Book, known: KnownSubscription, context: StepContext): SubscriptionOutcome {
  const { subscription } = known;
  tellAgain(known);
  step(book, subscription, 'updated', context);
  return { outcome: 'accepted', subscription, order: null };
}

/** The plan of which the next period is paid. Throws: subscription_ended, subscription_incomplete, subscription_not_renewable. */
export function requireRenewable(subscription: Subscription): SubscribedPlan {
  assertCurrent(subscription);
  const plan = followingPlan(subscription);
  if (plan.price > 0n && !subscription.cancelsAtEnd) return plan;
  const detail = subscription.cancelsAtEnd ? 'The subscription ends with its period.' : `${plan.sku} costs nothing.`;
  throw new AppError('subscription_not_renewable', detail);
}

/** What follows the present period is another than was told. */
function tellAgain(known: KnownSubscription): void {
  known.subscription.renewalTold = false;
  known.subscription.orderId = null;
  schedule(known);
}

/** A scheduled change of which a period is paid stays: that would be lost with it. Throws: change_paid. */
function assertNotPaid(known: KnownSubscription): void {
  const paid = paidChange(known);
  if (!paid) return;
  const detail = `The next period is paid, as ${paid.sku}: refund its order to change otherwise.`;
  throw new AppError('change_paid', detail, { extensions: { orderId: paid.orderId } });
}

/** The period of a scheduled change that is paid already. */
function paidChange({ subscription: { plan, change }, ahead }: KnownSubscription): Period | undefined {
  if (change?.orderId !== null) return undefined;
  return ahead.find(({ sku, endedAt }) => endedAt === null && sku === change.plan.sku && sku !== plan.sku);
}

function assertCurrent({ status, id }: Subscription): void {
  if (status === 'incomplete') {
    const detail = 'Nothing of the subscription is paid yet: pay its order, or cancel it.';
    throw new AppError('subscription_incomplete', detail, { extensions: { subscriptionId: id } });
  }
  if (status === 'cancelled' || status === 'expired') throw ended(status);
}

function ended(status: 'cancelled' | 'expired'): AppError {
  return new AppError('subscription_ended', `The subscription is ${status}.`, {
    extensions: { subscriptionStatus: status },
  });
}

/**
 * Cancels a subscription, now or with its period. What it allocated lasts as long as it was to last; the orders of its renewal and of a change can't be paid any more. One that is
 * cancelled, or will be so, is answered as it is. Throws: subscription_ended (it expired).
 */
export function cancelSubscription(
  book: Book,
  known: KnownSubscription,
  orders: readonly (Order | null)[],
  { when, operationId }: { when: 'now' | 'period_end'; operationId: string },
): SubscriptionOutcome {
  const { subscription } = known;
  const { status } = subscription;
  if (status === 'expired') throw ended(status);
  if (status === 'cancelled') return { outcome: 'unchanged', subscription, order: null };
  const isNow = when === 'now' || status === 'incomplete' || status === 'past_due';
  if (!isNow && subscription.cancelsAtEnd) return { outcome: 'unchanged', subscription, order: null };
  const context = { operationId, at: book.now };
  for (const order of orders) {
    if (order?.status === 'pending') cancelHere(book, order, { operationId, reason: 'the subscription was cancelled' });
  }
  subscription.orderId = null;
  if (isNow) endSubscription(book, subscription, 'cancelled', context);
  else {
    subscription.cancelsAtEnd = true;
    if (!paidChange(known)) subscription.change = null;
    schedule(known);
    step(book, subscription, 'updated', context);
  }
  return { outcome: 'accepted', subscription, order: null };
}

/** Takes a scheduled cancellation back. Without one it is answered as it is. Throws: subscription_ended. */
export function resumeSubscription(book: Book, known: KnownSubscription, operationId: string): SubscriptionOutcome {
  const { subscription } = known;
  const { status } = subscription;
  if (status === 'cancelled' || status === 'expired') throw ended(status);
  if (!subscription.cancelsAtEnd) return { outcome: 'unchanged', subscription, order: null };
  subscription.cancelsAtEnd = false;
  return retold(book, known, { operationId, at: book.now });
}

/**
 * Makes the order that pays the next period; one that waits for its payment is answered as it is. Throws: subscription_ended, subscription_incomplete,
 * subscription_not_renewable (it costs nothing, or is to be cancelled).
 */
export function renewSubscription(
  book: Book,
  known: KnownSubscription,
  order: Order | null,
  operationId: string,
): SubscriptionOutcome {
  const { subscription } = known;
  const plan = requireRenewable(subscription);
  if (order?.status === 'pending') return { outcome: 'unchanged', subscription, order };
  const made = planOrder(book, plan, { id: book.ids.next(), expiresAt: payableUntil(known) });
  subscription.orderId = made.id;
  step(book, subscription, 'renewal_due', { operationId, at: book.now });
  schedule(known);
  return { outcome: 'accepted', subscription, order: made };
}
