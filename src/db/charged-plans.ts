// What a further charge of a subscription looks at: the order or the subscription that it names, and what was paid of them. Of a family: an order may be in another
// ledger than the subscription, which a merge brought to where it is.
import type { Order, Payment } from '../ledger/order-entities.js';
import type { Subscription } from '../ledger/subscription-entities.js';
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';
import { findWholeFamily } from './merges.js';
import { findOrder, findOrdersOf } from './orders.js';
import { findSubscription } from './subscriptions.js';

/** The subscription that a charge is of. */
export interface ChargedPlan {
  stored: Subscription;
  /** The order that pays what comes next, where one was made. */
  next: Order | undefined;
  /** The order that is known of it last, where there is one. */
  last: Order | null;
}

/** What a charge is of: an order, or the next period of a subscription. */
export type FoundCharge = { order: Order; charged?: undefined } | { order?: undefined; charged: ChargedPlan };

/**
 * What a charge of a customer is of, by what it names and what is known of it: the order that it paid; else the order that it names, unless another charge paid
 * that; then the subscription that it names, or of which that order paid a period, if it is of one plan. Preconditions: the customer is locked; one of both is named, and
 * his.
 */
export async function findCharged(
  tx: Tx,
  customerId: string,
  {
    named,
    payment,
    subscriptionId,
  }: { named: Order | undefined; payment: Payment | null; subscriptionId: string | undefined },
): Promise<FoundCharge> {
  const isItsOwn = named && (named.paidAt === null || (payment?.status === 'paid' && payment.orderId === named.id));
  if (isItsOwn) return { order: named };
  const familyIds = await findWholeFamily(tx, customerId);
  const stored =
    (subscriptionId === undefined ? undefined : await findSubscription(tx, familyIds, subscriptionId)) ??
    (named && (await findSubscriptionOfOrder(tx, familyIds, named)));
  if (!stored) return { order: required(named, 'it names something of his') };
  const paid = payment?.status === 'paid' ? await findAmong(tx, familyIds, payment.orderId) : undefined;
  if (paid) return { order: paid };
  const [orders, last] = await Promise.all([findOrdersOf(tx, [stored]), named ?? findLastPaid(tx, stored)]);
  const next = orders.find(({ id }) => id === stored.orderId);
  return { charged: { stored, next, last: next ?? last ?? null } };
}

async function findAmong(tx: Tx, familyIds: readonly string[], orderId: string): Promise<Order | undefined> {
  const found = await Promise.all(familyIds.map((id) => findOrder(tx, id, orderId)));
  return found.find((order) => order !== undefined);
}

/** The subscription of which an order paid a period; undefined where it is of no plan, or of several. */
async function findSubscriptionOfOrder(
  tx: Tx,
  familyIds: readonly string[],
  { customerId, items }: Order,
): Promise<Subscription | undefined> {
  const [line, ...others] = items.filter(({ plan }) => plan !== null);
  if (!line || others.length > 0) return undefined;
  const [row] = await tx.query<Row & { subscription_id: string }>(
    `SELECT subscription_id FROM subscription_periods
     WHERE customer_id = ANY ($1::uuid[]) AND coalesce(order_customer_id, customer_id) = $2::uuid AND order_item_id = $3::uuid`,
    [familyIds, customerId, line.id],
  );
  return row && findSubscription(tx, familyIds, row.subscription_id);
}

/** The order that paid the last period of a subscription that was paid. */
async function findLastPaid(tx: Tx, { customerId, formerIds, id }: Subscription): Promise<Order | undefined> {
  const [row] = await tx.query<Row & { order_id: string; payer_id: string }>(
    `SELECT order_id, coalesce(order_customer_id, customer_id) AS payer_id FROM subscription_periods
     WHERE customer_id = ANY ($1::uuid[]) AND subscription_id = $2::uuid AND order_id IS NOT NULL ORDER BY starts_at DESC LIMIT 1`,
    [[customerId, ...formerIds], id],
  );
  return row && findOrder(tx, row.payer_id, row.order_id);
}
