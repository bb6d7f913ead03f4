// What is told of orders, their payments, refunds and disputes (DOMAIN 3.19).
import { assert } from '../lib/assert.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, type Micros } from '../lib/money.js';
import type { ChangedCustomer } from './changes.js';
import type { Told } from './event-types.js';
import type { Dispute, Order, OrderStep, PaymentChange, Refund, Reported } from './order-entities.js';
import { toldMetadata } from './told-metadata.js';

/** Lines of an order that are told; the others are read by its id. */
const LINES_TOLD_MAX = 20;

function orderData({ id, currency, totalAmount, items, metadata, expiresAt }: Order): Record<string, unknown> {
  const decimals = currencyDecimals(currency);
  const money = (amount: Micros) => formatMoney(amount, decimals);
  const lines = items.slice(0, LINES_TOLD_MAX);
  return {
    orderId: id,
    currency,
    totalAmount: money(totalAmount),
    items: lines.map(({ sku, quantity, price }) => ({ sku, quantity, price: money(price) })),
    itemsTotal: items.length,
    expiresAt,
    ...toldMetadata(metadata),
  };
}

export function tellOrder(order: Order): Told {
  return { type: 'order.created', subjectId: order.id, operationId: null, data: orderData(order) };
}

export function tellStep(step: OrderStep | Order): Told {
  const { id, status, paymentMethod, paymentId, paidAt, paidBy, cancelledBy, cancelReason: reason } = step;
  if (status === 'expired') return { type: 'order.expired', subjectId: id, operationId: null, data: { orderId: id } };
  if (status === 'cancelled')
    return { type: 'order.cancelled', subjectId: id, operationId: cancelledBy, data: { orderId: id, reason } };
  assert(status === 'paid' && 'items' in step, 'an order that is paid is told as a whole');
  const data = { ...orderData(step), paymentMethod, paymentId, paidAt };
  return { type: 'order.paid', subjectId: id, operationId: paidBy, data };
}

/** Whether a step is told by the refund or the dispute that made it. */
export function isAfterSale({ id }: OrderStep, { changes: { refunds, disputes } }: ChangedCustomer): boolean {
  return [...refunds, ...disputes].some(({ row }) => row.orderId === id);
}

/** A refund, or that it failed after all; one that failed at once changed nothing, nor does one that was told from the other side. */
export function tellRefund({ row, isKnown, operationId, order }: Reported<Refund>): Told[] {
  const { id, refundId, paymentMethod, disputeId, status, amount, reason, fills } = row;
  if (fills !== null || (status === 'failed' && !isKnown)) return [];
  const data = { ...afterSaleData(order, amount), refundId, paymentMethod, disputeId, reason };
  const type = status === 'failed' ? 'order.refund_failed' : 'order.refunded';
  return [{ type, subjectId: id, operationId, data }];
}

/** A dispute that was opened, or how it ended. */
export function tellDispute({ row, operationId, order }: Reported<Dispute>): Told {
  const { id, disputeId, paymentMethod, status, amount } = row;
  const data = { ...afterSaleData(order, amount), disputeId, paymentMethod, disputeStatus: status };
  const type = status === 'opened' ? 'order.disputed' : 'order.dispute_closed';
  return { type, subjectId: id, operationId, data };
}

/** The order as it stands after a refund or a dispute of an amount. */
function afterSaleData(order: Order, amount: Micros): Record<string, unknown> {
  const { id: orderId, currency, status, refundedAmount, disputedAmount } = order;
  const money = (micros: Micros) => formatMoney(micros, currencyDecimals(currency));
  return {
    orderId,
    currency,
    amount: money(amount),
    status,
    refundedAmount: money(refundedAmount),
    disputedAmount: money(disputedAmount),
  };
}

export function tellPayment({ payment }: PaymentChange): Told[] {
  const { status, orderId, operationId, paymentMethod, paymentId, amount, currency } = payment;
  if (status === 'paid') return []; // the order tells it
  const decimals = currency === null ? 0 : currencyDecimals(currency);
  const charged = amount === null || currency === null ? null : formatMoney(amount, decimals);
  const data = { orderId, paymentMethod, paymentId, amount: charged, currency };
  const type = status === 'failed' ? 'order.payment_failed' : 'payment.unmatched';
  return [{ type, subjectId: orderId, operationId, data }];
}
