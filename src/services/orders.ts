// Orders: the intent to pay, and the confirmation that turns a payment into what was bought, exactly once.
import { findOrderableOffers } from '../db/catalog.js';
import { findOrder, findOrderCustomer, findPayment } from '../db/orders.js';
import { findOrderBatches, type StoredBatch } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer, type Selector } from '../engine/customers.js';
import type { Decision, RecordedAnswer, Render } from '../engine/operation.js';
import { runOperation } from '../engine/write-path.js';
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../ledger/book.js';
import { asksOf } from '../ledger/grant.js';
import {
  canonicalPaymentMethod,
  createOrder,
  decideConfirm,
  effectiveStatus,
  type Order,
  type OrderLine,
} from '../ledger/orders.js';
import { required } from '../lib/assert.js';
import { parseMoney } from '../lib/money.js';

/** How long an order can be paid when the caller does not say. */
const ORDER_LIFETIME_S = 24 * 3_600;

/** An order and, once it is paid, the batches that it granted. */
export interface OrderResult {
  order: Order;
  batches: StoredBatch[];
  /** The instant at which this is true. */
  now: Date;
}

export interface OrderCommand {
  items: OrderLine[];
  metadata: Metadata;
  /** Seconds. */
  expiresIn?: number | undefined;
}

export interface ConfirmOrderCommand {
  status: 'paid' | 'failed';
  paymentId: string | undefined;
  paymentMethod: string;
  /** A decimal string. */
  amount: string | undefined;
  currency: string | undefined;
}

function orderNotFound(): AppError {
  return new AppError('order_not_found', 'There is no such order.', { pointer: 'path/id' });
}

/**
 * Takes an order: snapshots the offers' prices and terms. Creates the customer on first sight.
 * Throws: offer_not_found, offer_inactive, offer_exchange_only, product_inactive, mixed_currencies, already_unlimited, quantity_too_large,
 * customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function placeOrder(
  deps: Deps,
  selector: Selector,
  command: OrderCommand,
  idempotencyKey: string | undefined,
  render: Render<OrderResult>,
): Promise<RecordedAnswer> {
  return runOperation(deps, {
    name: 'order.create',
    selector,
    idempotencyKey,
    request: command,
    load: async (tx) => {
      const offers = await findOrderableOffers(tx, [...new Set(command.items.map((item) => item.sku))]);
      return { loaded: offers, asks: asksOf([...offers.values()].flatMap((offer) => offer.terms)) };
    },
    decide: (book, offers) => {
      const lifetimeMs = (command.expiresIn ?? ORDER_LIFETIME_S) * 1_000;
      const expiresAt = new Date(book.now.getTime() + lifetimeMs);
      const order = createOrder(book, offers, { lines: command.items, metadata: command.metadata, expiresAt });
      return { outcome: 'accepted', result: { order, batches: [], now: book.now }, records: { newOrder: order } };
    },
    render,
  });
}

/** An order with its batches. Throws: order_not_found. */
export async function getOrder(deps: Deps, orderId: string): Promise<OrderResult> {
  const order = await findOrder(deps.db, orderId);
  if (!order) throw orderNotFound();
  const { now } = await requireCustomer(deps, { customerId: order.customerId });
  const batches = order.paidAt === null ? [] : await findOrderBatches(deps.db, order.customerId, order.id, now);
  return { order: { ...order, status: effectiveStatus(order, now) }, batches, now };
}

/**
 * Confirms the payment of an order and grants what it bought. Idempotent by payment, with or without a key: the payment that paid this order
 * gets the first answer again, byte for byte.
 * Locks: the customer, then the payment's claim. Throws: order_not_found, invalid_request (payment_id missing), payment_already_used,
 * order_already_paid, order_not_payable, payment_mismatch, quantity_too_large, idempotency_key_reused, unavailable.
 */
export async function confirmOrder(
  deps: Deps,
  orderId: string,
  command: ConfirmOrderCommand,
  idempotencyKey: string | undefined,
  render: Render<OrderResult>,
): Promise<RecordedAnswer> {
  const customerId = await findOrderCustomer(deps.db, orderId);
  if (customerId === undefined) throw orderNotFound();
  const paymentMethod = canonicalPaymentMethod(command.paymentMethod);
  return runOperation(deps, {
    name: 'order.confirm',
    selector: { customerId },
    idempotencyKey,
    request: { orderId, ...command, paymentMethod },
    keepsAnswer: true,
    load: async (tx, _customer, now) => {
      const stored = required(await findOrder(tx, orderId), 'the order was found before');
      const payment = command.paymentId === undefined ? null : await findPayment(tx, paymentMethod, command.paymentId);
      const order = { ...stored, status: effectiveStatus(stored, now) };
      const hasLapsed = order.status !== stored.status;
      const batches = order.paidAt === null ? [] : await findOrderBatches(tx, order.customerId, order.id, now);
      return {
        loaded: { order, payment, hasLapsed, batches },
        asks: asksOf(order.items.flatMap((item) => item.terms)),
      };
    },
    decide: (book, { order, payment, hasLapsed, batches }, operationId): Decision<OrderResult> => {
      const decision = decideConfirm(book, order, payment, {
        operationId,
        status: command.status,
        paymentId: command.paymentId ?? null,
        paymentMethod,
        amount: command.amount === undefined ? null : parseMoney(command.amount),
        currency: command.currency ?? null,
      });
      const lapse = hasLapsed ? { changedOrder: order } : {};
      switch (decision.outcome) {
        case 'replayed':
          return decision;
        case 'refused':
          return { outcome: 'refused', error: decision.error, records: { ...lapse, payment: decision.payment } };
        case 'failed':
          return {
            outcome: 'accepted',
            result: { order, batches, now: book.now },
            records: { ...lapse, payment: decision.payment },
          };
        case 'paid':
          return {
            outcome: 'accepted',
            result: {
              order: decision.order,
              batches: decision.batches.map((batch) => ({ ...batch, revokedAt: null })),
              now: book.now,
            },
            records: { changedOrder: decision.order, payment: decision.payment },
          };
      }
    },
    render,
  });
}
