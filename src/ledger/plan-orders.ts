// The orders of plans: one line, of the plan as the subscription has it; and the plan that an offer, or a line, is.

import type { Book } from './book.js';
import type { OrderableOffer } from './catalog-entities.js';
import type { Order, OrderItem } from './order-entities.js';
import { DEFAULT_PLAN_TERMS, orderedPlanOf } from './plans.js';
import type { SubscribedPlan } from './subscription-entities.js';

/** Of an order that was neither paid nor cancelled. */
export const UNPAID = {
  refundedAmount: 0n,
  disputedAmount: 0n,
  paymentMethod: null,
  paymentId: null,
  paidAt: null,
  paidBy: null,
  cancelledAt: null,
  cancelledBy: null,
  cancelReason: null,
};

/** The plan that an offer is, as it is subscribed now; null of what does not recur. */
export function planOfOffer(offer: OrderableOffer): SubscribedPlan | null {
  const plan = orderedPlanOf(offer);
  const { sku, name, price, currency, terms } = offer;
  return plan && { ...plan, sku, name, price, currency, terms };
}

/** The plan that a line of an order pays a period of. */
export function planOfLine(
  { currency }: Order,
  { plan, sku, name, price, listPrice, terms }: OrderItem,
): SubscribedPlan | null {
  return plan && { ...DEFAULT_PLAN_TERMS, ...plan, sku, name, price: listPrice ?? price, currency, terms };
}

/** An order that pays one period of a plan, as it is made. Nothing is written of it. */
export function draftPlanOrder(
  book: Book,
  { sku, name, price, currency, terms, ...plan }: SubscribedPlan,
  { id, expiresAt }: { id: string; expiresAt: Date },
): Order {
  const item: OrderItem = {
    id: book.ids.of(id, 'line'),
    sku,
    name,
    quantity: 1,
    price,
    listPrice: null,
    priceReason: null,
    terms,
    plan,
  };
  return {
    id,
    customerId: book.customerId,
    status: 'pending',
    currency,
    totalAmount: price,
    ...UNPAID,
    metadata: {},
    expiresAt,
    createdAt: book.now,
    items: [item],
  };
}

/** Makes an order that pays one period of a plan. */
export function planOrder(book: Book, plan: SubscribedPlan, made: { id: string; expiresAt: Date }): Order {
  const order = draftPlanOrder(book, plan, made);
  book.changes.newOrders.push(order);
  return order;
}
