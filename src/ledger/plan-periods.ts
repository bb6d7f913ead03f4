// When periods of a plan begin and end (DOMAIN 3.16): counted from the anchor, never from the last period, so that a short month shortens nothing after it.
import { required } from '../lib/assert.js';
import type { OrderedPlan, Recurrence } from './catalog-entities.js';
import { type Anchored, addPeriod, keepingDay, latestInstant } from './periods.js';
import type { KnownSubscription, Period, Subscription } from './subscription-entities.js';

const DAY_MS = 86_400_000;
/** A renewal is told, and can be paid, so long before it, but not before half of the period is over. */
const RENEWAL_LEAD_MS = 7 * DAY_MS;
/** For so long after its grace an unpaid subscription can be paid; then it expires. */
const UNPAID_DAYS = 30;

/** Where a period begins, by its number; undefined beyond the year 9999. The end of a period is the beginning of the next. */
export function periodStart({ unit, count }: Recurrence, anchor: Anchored, number: number): Date | undefined {
  if (number === 0) return anchor.at;
  return addPeriod(anchor, unit, number * count)?.at;
}

/** The instants within a period at which it allocates: its beginning, and all that follow from it. */
export function allocationStarts(
  { grantEvery }: Pick<OrderedPlan, 'grantEvery'>,
  { startsAt, endsAt }: Pick<Period, 'startsAt' | 'endsAt'>,
  anchorDay: number | null,
): Anchored[] {
  const first = keepingDay(startsAt, anchorDay);
  const starts = [first];
  if (grantEvery === null) return starts;
  for (let number = 1; ; number += 1) {
    const next = addPeriod(first, grantEvery.unit, number * grantEvery.count);
    if (!next || next.at >= endsAt) return starts;
    starts.push(next);
  }
}

/** The present period allocates next behind this instant. Precondition: there is one. */
export function allocateNext(subscription: Subscription, after: Date): void {
  const starts = allocationStarts(subscription.plan, presentOf(subscription), subscription.anchorDay);
  subscription.allocatesAt = starts.find(({ at }) => at > after)?.at ?? null;
}

/** From where the periods of a subscription are counted. Precondition: it had one. */
export function anchorOf({ anchorAt, anchorDay }: Subscription): Anchored {
  return keepingDay(required(anchorAt, 'it has an anchor'), anchorDay);
}

/** The present period. Precondition: there is one. */
export function presentOf({ periodStartsAt, periodEndsAt }: Subscription): { startsAt: Date; endsAt: Date } {
  return {
    startsAt: required(periodStartsAt, 'it has a period'),
    endsAt: required(periodEndsAt, 'it has a period'),
  };
}

/** Up to when a payment continues the period that ended unpaid. */
export function graceEndOf({ plan, periodEndsAt }: Subscription): Date {
  return latestInstant(required(periodEndsAt, 'it has a period').getTime() + plan.graceDays * DAY_MS);
}

/** When a subscription whose present period is not followed by another one expires. */
export function expiryOf(subscription: Subscription): Date {
  return latestInstant(graceEndOf(subscription).getTime() + UNPAID_DAYS * DAY_MS);
}

/** Up to when the order of the next period that nobody has paid can be paid. */
export function payableUntil(known: Pick<KnownSubscription, 'subscription' | 'ahead'>): Date {
  return expiryOf({ ...known.subscription, periodEndsAt: nextUnpaid(known) });
}

/** When it is told that a period ends, and its renewal can be paid. */
export function renewalAt(subscription: Subscription): Date {
  const { startsAt, endsAt } = presentOf(subscription);
  return new Date(endsAt.getTime() - Math.min(RENEWAL_LEAD_MS, (endsAt.getTime() - startsAt.getTime()) / 2));
}

/** Where the first period begins, behind the present one, that nobody has paid. */
export function nextUnpaid({ subscription, ahead }: Pick<KnownSubscription, 'subscription' | 'ahead'>): Date {
  let { endsAt: at } = presentOf(subscription);
  for (;;) {
    const paid = paidAt(ahead, at);
    if (!paid) return at;
    at = paid.endsAt;
  }
}

/** Whether both are one row. */
export function isSamePeriod(one: Period, other: Period): boolean {
  return (
    one.customerId === other.customerId &&
    one.subscriptionId === other.subscriptionId &&
    one.sku === other.sku &&
    one.startsAt.getTime() === other.startsAt.getTime()
  );
}

/** The period that was paid ahead and runs at an instant. */
export function paidAt(ahead: readonly Period[], at: Date): Period | undefined {
  return ahead.find(({ endedAt, startsAt, endsAt }) => endedAt === null && startsAt <= at && at < endsAt);
}

/** The present period is this one, from an instant on. Where those that follow can't be counted from the anchor, they are from its end. */
export function enter(
  subscription: Subscription,
  { startsAt, endsAt }: Pick<Period, 'startsAt' | 'endsAt'>,
  at: Date,
): void {
  const endOf = (number: number) => periodStart(subscription.plan.recurrence, anchorOf(subscription), number + 1);
  let number = Math.max(0, subscription.periodNumber);
  let end = endOf(number);
  while (end !== undefined && end < endsAt) {
    number += 1;
    end = endOf(number);
  }
  if (end?.getTime() === endsAt.getTime()) {
    subscription.periodNumber = number;
    keepDay(subscription, endsAt);
  } else countFromEnd(subscription, endsAt);
  subscription.status = 'active';
  subscription.periodStartsAt = startsAt;
  subscription.periodEndsAt = endsAt;
  subscription.renewalTold = false;
  allocateNext(subscription, at);
}

/** The periods that follow are counted from the end of the present one, and keep its day. */
export function countFromEnd(subscription: Subscription, endsAt: Date): void {
  subscription.anchorAt = endsAt;
  subscription.periodNumber = -1;
  keepDay(subscription, endsAt);
}

/** The day of the month that goes on from the end of a period: weeks, days and hours keep none. */
export function keepDay(subscription: Subscription, endsAt: Date): void {
  const { unit } = subscription.plan.recurrence;
  const isCalendar = unit === 'months' || unit === 'years';
  subscription.anchorDay = keepingDay(endsAt, isCalendar ? subscription.anchorDay : null).anchorDay;
}
