// A further charge of a subscription (DOMAIN 3.16): what a provider charges again each period pays the next one that nobody has paid, by the order that waits for
// it, or by one that is made with the payment. A charge that can't pay makes no order.
import { AppError } from '../errors/app-error.js';
import { type Book, ledgerOf } from './book.js';
import type { Order, Payment } from './order-entities.js';
import { type ConfirmCommand, type ConfirmDecision, confirmOrder, keepPayment, refusalOf } from './orders.js';
import { draftPlanOrder } from './plan-orders.js';
import { expiryOf } from './plan-periods.js';
import type { Subscription } from './subscription-entities.js';
import { requireRenewable } from './subscriptions.js';

/** The subscription that a charge is of, as it is now, with its orders. */
export interface Charged {
  subscription: Subscription;
  /** The order that pays what comes next, with its status of now, where one was made. */
  next: Order | null;
  /** The order under which a charge is kept that pays nothing; null where there never was one. */
  last: Order | null;
}

/**
 * Pays the next period of a subscription. Refusals, of which the payment is kept as unmatched: those of a confirmation, subscription_ended,
 * subscription_incomplete, subscription_not_renewable. Preconditions: `seen` is what is known of the payment, which paid nothing of this customer; the holdings
 * of all that his plans give are loaded.
 */
export function chargeSubscription(
  book: Book,
  { subscription, next, last }: Charged,
  seen: Payment | null,
  said: ConfirmCommand,
): ConfirmDecision {
  if (seen?.status === 'paid') {
    const detail = `Payment ${seen.paymentId} paid another order.`;
    return { outcome: 'refused', error: new AppError('payment_already_used', detail, { pointer: '/payment_id' }) };
  }
  if (next?.status === 'pending') return confirmOrder(book, next, seen, said);
  const { order, error } = draftOf(book, subscription, said);
  if (error) {
    if (last) keepPayment(ledgerOf(book, last.customerId), last, seen, said, 'unmatched', null);
    return { outcome: 'refused', error };
  }
  book.changes.newOrders.push(order);
  return confirmOrder(book, order, seen, said);
}

/** The order that pays the next period, before it is made; or why there is none that the payment could pay. */
function draftOf(
  book: Book,
  subscription: Subscription,
  said: ConfirmCommand,
): { order: Order; error: null } | { order?: undefined; error: AppError } {
  try {
    const plan = requireRenewable(subscription);
    const order = draftPlanOrder(book, plan, { id: book.ids.next(), expiresAt: expiryOf(subscription) });
    const error = refusalOf(book, order, said);
    return error ? { error } : { order, error };
  } catch (error) {
    if (error instanceof AppError) return { error };
    throw error;
  }
}
