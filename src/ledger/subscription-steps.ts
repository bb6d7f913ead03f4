// How a subscription changes: each step is told once, and kept; what it is afterwards is written with the last of them.
import type { Book } from './book.js';
import { expiryOf, paidAt, presentOf, renewalAt } from './plan-periods.js';
import type {
  KnownSubscription,
  Period,
  SkipReason,
  StepKind,
  SubscribedPlan,
  Subscription,
} from './subscription-entities.js';

/** Within what a step is made. */
export interface StepContext {
  operationId: string;
  /** The instant at which it takes effect: the scheduled one where time alone makes it. */
  at: Date;
}

/** Records a step of a subscription as it is now. */
export function step(
  book: Book,
  subscription: Subscription,
  kind: StepKind,
  { operationId, at }: StepContext,
  period: Period | null = null,
  reason: SkipReason | null = null,
): void {
  subscription.stepCount += 1;
  book.changes.changedSubscriptions.add(subscription);
  book.changes.subscriptionSteps.push({
    id: book.ids.of(subscription.id, `step ${subscription.stepCount}`),
    number: subscription.stepCount,
    kind,
    subscription: { ...subscription },
    period,
    reason,
    operationId,
    occurredAt: at,
  });
}

/** A subscription without a period. */
export function newSubscription(book: Book, plan: SubscribedPlan, metadata: Subscription['metadata']): Subscription {
  return {
    id: book.ids.next(),
    customerId: book.customerId,
    status: 'incomplete',
    plan,
    anchorAt: null,
    anchorDay: null,
    periodNumber: -1,
    periodStartsAt: null,
    periodEndsAt: null,
    orderId: null,
    change: null,
    cancelsAtEnd: false,
    renewalTold: false,
    allocatesAt: null,
    stepCount: 0,
    turnsAt: null,
    endedAt: null,
    metadata,
    createdAt: book.now,
    movedTo: null,
    formerIds: [],
  };
}

/** Ends a subscription. What it allocated lasts as long as it was to last. */
export function endSubscription(
  book: Book,
  subscription: Subscription,
  status: 'cancelled' | 'expired',
  context: StepContext,
): void {
  subscription.status = status;
  subscription.endedAt = context.at;
  subscription.turnsAt = null;
  subscription.allocatesAt = null;
  subscription.change = null;
  subscription.cancelsAtEnd = false;
  step(book, subscription, status, context);
}

/** What the end of the present period comes to: the plan that goes on then. */
export function followingPlan({ plan, change }: Subscription): SubscribedPlan {
  return change?.orderId === null ? change.plan : plan;
}

/** Whether a period that was paid ahead is one of a subscription: of its plan, or of the one that follows. What it allocates of another one comes all the same. */
export function isOfPlan(subscription: Subscription, { sku }: Pick<Period, 'sku'>): boolean {
  return sku === subscription.plan.sku || sku === followingPlan(subscription).sku;
}

/** When settling has something to do next for a subscription that has a period. One that waits for a payment does not expire before a period that is paid. */
export function schedule(known: Pick<KnownSubscription, 'subscription' | 'ahead'>): void {
  const { subscription } = known;
  known.ahead = known.ahead.filter((period) => isOfPlan(subscription, period));
  const { ahead } = known;
  const { status, renewalTold, cancelsAtEnd } = subscription;
  const { endsAt: periodEndsAt } = presentOf(subscription);
  if (status === 'past_due') {
    subscription.allocatesAt = null;
    const next = ahead.find(({ endedAt, endsAt }) => endedAt === null && endsAt > periodEndsAt);
    subscription.turnsAt = next
      ? new Date(Math.max(next.startsAt.getTime(), periodEndsAt.getTime()))
      : expiryOf(subscription);
    return;
  }
  const isTold = renewalTold || cancelsAtEnd || !isWorthTelling({ subscription, ahead });
  const turnsAt = isTold ? periodEndsAt : renewalAt(subscription);
  const { allocatesAt } = subscription;
  subscription.turnsAt = allocatesAt !== null && allocatesAt < turnsAt ? allocatesAt : turnsAt;
}

/** Whether the end of the present period is told ahead: that of a trial, and where the next one is to be paid. */
function isWorthTelling({ subscription, ahead }: Pick<KnownSubscription, 'subscription' | 'ahead'>): boolean {
  if (subscription.status === 'trialing') return true;
  const { endsAt } = presentOf(subscription);
  return !paidAt(ahead, endsAt) && followingPlan(subscription).price > 0n;
}
