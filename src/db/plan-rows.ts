// What the rows of a customer's subscriptions come to in his book. No SQL.
import type { Batch } from '../ledger/entities.js';
import type { Order } from '../ledger/order-entities.js';
import type { SoldBatch } from '../ledger/sold-entities.js';
import type {
  KnownPlans,
  KnownSubscription,
  Period,
  SubscribedPlan,
  Subscription,
} from '../ledger/subscription-entities.js';
import { formatMoney, parseMoney } from '../lib/money.js';
import type { Row } from './client.js';
import { toSoldBatch } from './sold-rows.js';
import { readerOf, written } from './table.js';
import { type PlanJson, subscriptionPeriods, subscriptions } from './tables.js';

/** A period, with the day of the month that its subscription keeps. */
export interface PeriodRow extends Row {
  customer_id: string;
  subscription_id: string;
  anchor_day: number | null;
}

/** A batch that a subscription allocated. */
export interface AllocatedRow extends Row {
  subscription_id: string;
}

/** A batch that ended while units of it were held. */
export interface EndedRow extends Row {
  id: string;
  subscription_id: string;
  sku: string | null;
  gone_on: number;
}

/** A batch that ended with a period that nobody followed by paying. */
export interface ExpiredRow extends AllocatedRow {
  claimed: number;
}

/** What was read of one customer's plans. */
export interface PlanRows {
  expired: readonly ExpiredRow[];
  held: readonly AllocatedRow[];
  ended: readonly EndedRow[];
  subscriptions: readonly Row[];
  periods: readonly PeriodRow[];
  allocated: readonly AllocatedRow[];
  /** Those that wait for what a turn is about to tell ahead. */
  orders: readonly Order[];
}

export const NO_PLANS: PlanRows = {
  subscriptions: [],
  periods: [],
  allocated: [],
  held: [],
  ended: [],
  expired: [],
  orders: [],
};

const readSubscription = readerOf(subscriptions, written(subscriptions));
const readPeriod = readerOf(subscriptionPeriods, written(subscriptionPeriods));

/** A plan from before there was `grantEvery` does not say it. */
function toPlan({ price, ...plan }: PlanJson): SubscribedPlan {
  return { ...plan, grantEvery: plan.grantEvery ?? null, price: parseMoney(price) };
}

function toPlanJson({ price, ...plan }: SubscribedPlan): PlanJson {
  return { ...plan, price: formatMoney(price, 6) };
}

/** A subscription of its row. */
export function toSubscription(row: Row): Subscription {
  const { plan, change, sku: _, planGroup: __, ...rest } = readSubscription(row);
  return { ...rest, plan: toPlan(plan), change: change && { ...change, plan: toPlan(change.plan) } };
}

/** A subscription as it is stored. */
export function toSubscriptionRow({ plan, change, ...rest }: Subscription) {
  return {
    ...rest,
    sku: plan.sku,
    planGroup: plan.planGroup,
    plan: toPlanJson(plan),
    change: change && { ...change, plan: toPlanJson(change.plan) },
  };
}

/** A period of its row. */
export function toPeriod(row: Row): Period {
  return readPeriod(row);
}

/** The products of which settling a subscription may post something. */
export function productsOf({ plan, change }: Subscription): string[] {
  return [plan, ...(change ? [change.plan] : [])].flatMap(({ terms }) => terms.map(({ productKey }) => productKey));
}

/** The plans of a customer at an instant; a batch that his book has already is that one. */
export function toPlans(
  { subscriptions: rows, periods, allocated, held, ended, expired, orders }: PlanRows,
  now: Date,
  toOne: (row: Row) => Batch,
): KnownPlans {
  const all = periods.map((row) => ({ ...toPeriod(row), anchorDay: row.anchor_day }));
  const lasting = all.filter(({ endedAt, endsAt, kind }) => endedAt === null && endsAt > now && kind !== 'skipped');
  const known = rows.map(toSubscription).map((subscription): KnownSubscription => {
    const own = all.filter(({ subscriptionId }) => subscriptionId === subscription.id);
    const isAhead = ({ kind, endedAt, startsAt }: Period) =>
      kind === 'paid' && endedAt === null && startsAt > (subscription.periodStartsAt ?? now);
    return {
      subscription,
      orders: orders.filter(({ id }) => id === subscription.orderId),
      ahead: own.filter(isAhead).sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime()),
      lines: new Map(
        own.flatMap(({ orderId, orderItemId, sku }) =>
          orderId !== null && orderItemId !== null ? [[orderId, { id: orderItemId, sku }]] : [],
        ),
      ),
      held: held.filter((row) => row.subscription_id === subscription.id).map(toOne),
      ended: ended
        .filter((row) => row.subscription_id === subscription.id)
        .map(({ id, sku, gone_on: units }) => ({ id, sku, goneOn: units })),
      expired: expired
        .filter((row) => row.subscription_id === subscription.id)
        .map((row) => ({ batch: toOne(row), claimed: row.claimed })),
      allocated: allocated
        .filter((row) => row.subscription_id === subscription.id)
        .map((row): SoldBatch => toSoldBatch(row, toOne)),
    };
  });
  return { subscriptions: known, periods: all, running: lasting, paid: all.filter(({ kind }) => kind === 'paid') };
}
