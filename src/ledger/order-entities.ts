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
  /** The sum of its refunds that did not fail. */
  refundedAmount: Micros;
  /** The sum of its disputes that are open or lost; beside the status, which they never change. */
  disputedAmount: Micros;
  metadata: Metadata;
  expiresAt: Date;
  createdAt: Date;
  items: OrderItem[];
}

/** What a step of its state machine changes of an order. */
export type OrderStep = Pick<
  Order,
  | 'id'
  | 'status'
  | 'paymentMethod'
  | 'paymentId'
  | 'paidAt'
  | 'paidBy'
  | 'cancelledAt'
  | 'cancelledBy'
  | 'cancelReason'
  | 'refundedAmount'
  | 'disputedAmount'
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

/** What becomes of units that a refund or a dispute claims and that are not there: nothing, or they are owed. */
export type UnrecoveredPolicy = 'ignore' | 'debt';

/** What a refund gives back of one line. */
export interface RefundedLine {
  /** The line. */
  id: string;
  /** How many of it were refunded; 0 where an amount was. */
  quantity: number;
  amount: Micros;
}

export type RefundStatus = 'succeeded' | 'failed';

/** `caller`: who asked the provider for it, and has no id of it yet. */
export type RefundTeller = 'caller' | 'provider';

/** Money that went back for an order; unique by its method and the provider's id of it. */
export interface Refund {
  id: string;
  customerId: string;
  orderId: string;
  operationId: string;
  paymentMethod: string;
  refundId: string;
  /** The dispute within which it is, under the provider's id. */
  disputeId: string | null;
  status: RefundStatus;
  amount: Micros;
  items: RefundedLine[];
  reason: string | null;
  unrecoveredPolicy: UnrecoveredPolicy;
  createdAt: Date;
  failedAt: Date | null;
  /** Null where the caller told its id. */
  toldBy: RefundTeller | null;
  /** The refund that is the same money, told from the other side before: that one counts, this one is its other id. */
  fills: string | null;
}

export type DisputeStatus = 'opened' | 'won' | 'lost';

/** A payment that a customer contests with his bank; unique by its method and the provider's id of it. Won and lost are said of the seller. */
export interface Dispute {
  id: string;
  customerId: string;
  orderId: string;
  operationId: string;
  paymentMethod: string;
  disputeId: string;
  status: DisputeStatus;
  amount: Micros;
  unrecoveredPolicy: UnrecoveredPolicy;
  createdAt: Date;
  /** Null where its end was heard first. */
  openedAt: Date | null;
  closedAt: Date | null;
}

/** A row to write, and whether there is one already, which is replaced. */
export interface Reported<T> {
  row: T;
  isKnown: boolean;
  operationId: string;
  /** As it is afterwards. */
  order: Order;
}

/** What one refund or dispute claims of one batch: product units, or 1 for access. */
export interface Clawback {
  /** The refund or the dispute. */
  causeId: string;
  batchId: string;
  orderId: string;
  claimed: number;
  /** What was revoked at once. */
  recovered: number;
  /** What became a debt. */
  owed: number;
  /** What was given back of the claim since. */
  undone: number;
  /** How much of its length access lost, in milliseconds; null where it had no end, and for units. */
  cutMs: number | null;
  createdAt: Date;
}
