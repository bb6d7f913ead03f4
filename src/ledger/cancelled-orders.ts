// Orders that nobody pays any more: cancelled by whoever asks, or because something else took their place.
import { AppError } from '../errors/app-error.js';
import type { Book } from './book.js';
import type { Order } from './order-entities.js';
import type { KnownSubscription } from './subscription-entities.js';

/**
 * Cancels an order that waits for a payment; one that is cancelled stays as it is. Precondition: it has its status of now (`effectiveStatus`). Refusals:
 * order_not_cancellable.
 */
export function cancelOrder(
  book: Book,
  order: Order,
  { operationId, reason }: { operationId: string; reason: string | null },
): { outcome: 'accepted' | 'unchanged'; order: Order } {
  if (order.status === 'cancelled') return { outcome: 'unchanged', order };
  if (order.status !== 'pending') {
    const detail = `The order is ${order.status}: only one that waits for a payment is cancelled.`;
    throw new AppError('order_not_cancellable', detail, { extensions: { orderStatus: order.status } });
  }
  const cancelled: Order = {
    ...order,
    status: 'cancelled',
    cancelledAt: book.now,
    cancelledBy: operationId,
    cancelReason: reason,
  };
  book.changes.orderSteps.push(cancelled);
  return { outcome: 'accepted', order: cancelled };
}

/** Cancels those of a subscription's orders that still wait for a payment. */
export function cancelWaiting(
  book: Book,
  { orders = [] }: KnownSubscription,
  ids: readonly (string | null | undefined)[],
  { operationId, reason }: { operationId: string; reason: string },
): void {
  for (const order of [...orders, ...book.changes.newOrders]) {
    const isWaiting = order.status === 'pending' && order.expiresAt > book.now;
    if (isWaiting && ids.includes(order.id)) cancelOrder(book, order, { operationId, reason });
  }
}
