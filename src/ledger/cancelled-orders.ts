// Orders that nobody pays any more: cancelled by whoever asks, or because something else took their place.
import { AppError } from '../errors/app-error.js';
import { type Book, ledgerOf } from './book.js';
import { SYSTEM_KEY } from './operations.js';
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

/** Cancels those of a subscription's orders that still wait for a payment. Precondition: the books of those in whose ledgers they are are locked. */
export function cancelWaiting(
  book: Book,
  { orders = [] }: KnownSubscription,
  ids: readonly (string | null | undefined)[],
  by: CancelledBy,
): void {
  for (const order of [...orders, ...book.changes.newOrders]) {
    if (isWaiting(book, order) && ids.includes(order.id)) cancelHere(book, order, by);
  }
}

/** By which operation, and why. */
interface CancelledBy {
  operationId: string;
  reason: string;
}

/** Whether an order can still be paid. */
export function isWaiting(
  { now }: Pick<Book, 'now'>,
  { status, expiresAt }: Pick<Order, 'status' | 'expiresAt'>,
): boolean {
  return status === 'pending' && expiresAt > now;
}

/** Cancels an order that waits in the ledger that it is in; in one of a customer that was merged, by an operation there. */
export function cancelHere(book: Book, order: Order, by: CancelledBy): void {
  const ledger = ledgerOf(book, order.customerId);
  if (ledger === book) {
    cancelOrder(book, order, by);
    return;
  }
  const operationId = ledger.ids.of(order.id, 'is replaced');
  cancelOrder(ledger, order, { ...by, operationId });
  ledger.changes.operations.push({
    id: operationId,
    name: 'order.cancel',
    actingKey: SYSTEM_KEY,
    firstSeq: null,
    lastSeq: null,
    tellsUse: false,
  });
}
