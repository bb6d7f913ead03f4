// The intent to pay, and what was told of payments. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { Micros } from '../lib/money.js';
import type { Term } from './catalog-entities.js';

export type OrderStatus = 'pending' | 'paid' | 'partially_refunded' | 'refunded' | 'cancelled' | 'expired';

export type PaymentStatus = 'failed' | 'unmatched' | 'paid';

/** A line of an order; `price` is of one, `terms` the snapshot of what the offer gave. */
export interface OrderItem {
  id: string;
  sku: string;
  name: string;
  quantity: number;
  price: Micros;
  /** What the offer cost, and why that is not the price; null where it is. */
  listPrice: Micros | null;
  priceReason: string | null;
  terms: Term[];
}

export interface Order {
  id: string;
  customerId: string;
  status: OrderStatus;
  currency: string;
  totalAmount: Micros;
  paymentMethod: string | null;
  paymentId: string | null;
  paidAt: Date | null;
  /** The operation that paid it; its stored answer is what the same payment gets again. */
  paidBy: string | null;
  cancelledAt: Date | null;
  /** The operation that cancelled it. */
  cancelledBy: string | null;
  cancelReason: string | null;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  items: OrderItem[];
}

/** What a step of its state machine changes of an order. */
export type OrderStep = Pick<
  Order,
  'id' | 'status' | 'paymentMethod' | 'paymentId' | 'paidAt' | 'paidBy' | 'cancelledAt' | 'cancelledBy' | 'cancelReason'
>;

/** One provider charge and the order it was last reported for. */
export interface Payment {
  paymentMethod: string;
  paymentId: string;
  customerId: string;
  orderId: string;
  status: PaymentStatus;
  /** What the provider was said to have charged; null when nobody told. */
  amount: Micros | null;
  currency: string | null;
  operationId: string | null;
}

/** A payment to write, and the state it was decided upon (null: it was unknown). A write that finds another state starts again. */
export interface PaymentChange {
  payment: Payment;
  seen: { status: PaymentStatus; orderId: string } | null;
}
