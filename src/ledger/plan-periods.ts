// When periods of a plan begin and end (DOMAIN 3.16): counted from the anchor, never from the last period, so that a short month shortens nothing after it.
import { required } from '../lib/assert.js';
import type { Recurrence } from './catalog-entities.js';
import { type Anchored, addPeriod } from './periods.js';
import type { KnownSubscription, Subscription } from './subscription-entities.js';

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

/** From where the periods of a subscription are counted. Precondition: it had one. */
export function anchorOf({ anchorAt, anchorDay }: Subscription): Anchored {
  return { at: required(anchorAt, 'it has an anchor'), anchorDay: required(anchorDay, 'it has an anchor') };
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
  return new Date(required(periodEndsAt, 'it has a period').getTime() + plan.graceDays * DAY_MS);
}

/** When a subscription whose present period is not followed by another one expires. */
export function expiryOf(subscription: Subscription): Date {
  return new Date(graceEndOf(subscription).getTime() + UNPAID_DAYS * DAY_MS);
}

/** When it is told that a period ends, and its renewal can be paid. */
export function renewalAt(subscription: Subscription): Date {
  const { startsAt, endsAt } = presentOf(subscription);
  return new Date(endsAt.getTime() - Math.min(RENEWAL_LEAD_MS, (endsAt.getTime() - startsAt.getTime()) / 2));
}

/** The first period behind the present one that nobody has paid. */
export function nextUnpaid({ subscription, ahead }: KnownSubscription): { number: number; startsAt: Date } | undefined {
  const anchor = anchorOf(subscription);
  const { recurrence } = subscription.plan;
  const paid = new Set(ahead.filter(({ endedAt }) => endedAt === null).map(({ startsAt }) => startsAt.getTime()));
  for (let number = subscription.periodNumber + 1; ; number += 1) {
    const startsAt = periodStart(recurrence, anchor, number);
    if (startsAt === undefined || !paid.has(startsAt.getTime())) return startsAt && { number, startsAt };
  }
}
