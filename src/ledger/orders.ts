// The order and payment rules (DOMAIN 3.7) as pure decisions: what may be ordered, what a confirmation does, and what is kept of a refusal.

import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import type { Metadata } from '../lib/metadata.js';
import { formatMoney, hasAtMostDecimals, type Micros, MONEY_MAX } from '../lib/money.js';
import { type Book, planBookOf } from './book.js';
import { assertFewBatches, ORDER_BATCHES_MAX } from './bounds.js';
import type { OrderableOffer } from './catalog-entities.js';
import type { NewBatch } from './entities.js';
import { assertGrantable, type GrantOrigin, grant, isAlreadyUnlimited } from './grant.js';
import { assertPlaces } from './offer-places.js';
import type { Order, OrderItem, OrderStatus, OrderStep, Payment, PaymentStatus } from './order-entities.js';
import { UNPAID } from './plan-orders.js';
import { payPeriod } from './plan-payments.js';
import { batchesOf, orderedPlanOf, timesOf } from './plans.js';

export interface OrderLine {
  sku: string;
  quantity: number;
  /** A price of one in place of the offer's, and why. */
  override?: { price: Micros; reason: string };
}

const METHOD_ALIASES: ReadonlyMap<string, string> = new Map([
  ['telegram', 'telegram_payments'],
  ['telegram_stars', 'telegram_payments'],
]);

/** The one name of a payment method under which a payment id is unique: lower-case, aliases resolved. */
export function canonicalPaymentMethod(method: string): string {
  const lower = method.trim().toLowerCase();
  return METHOD_ALIASES.get(lower) ?? lower;
}

/** The status as it is now: a pending order past its end is expired, settled or not. */
export function effectiveStatus(order: Order, now: Date): OrderStatus {
  return order.status === 'pending' && order.expiresAt.getTime() <= now.getTime() ? 'expired' : order.status;
}

/** The step by which an order that nobody paid in time expires. */
export function expiryOf(id: string): OrderStep {
  return { ...UNPAID, id, status: 'expired' };
}

/** Nobody has more than so many orders that wait for a payment. Throws: too_many_open_orders. */
export function assertMayOrder(open: number, max: number): void {
  if (open < max) return;
  const detail = `${open} orders of this customer wait for a payment, the most that may.`;
  throw new AppError('too_many_open_orders', detail);
}

/**
 * Makes a pending order of the lines, with the offers' terms of this moment; `places` are those that the customer has taken of offers with a bound.
 * Throws: offer_not_found, offer_inactive, offer_exchange_only, product_inactive, mixed_currencies, already_unlimited, quantity_too_large,
 * too_many_batches, plan_is_free, offer_limit_reached, invalid_request (a price with more decimals than the currency has).
 */
export function createOrder(
  book: Book,
  offers: ReadonlyMap<string, OrderableOffer>,
  places: ReadonlyMap<string, number>,
  command: { lines: readonly OrderLine[]; metadata: Metadata; expiresAt: Date },
): Order {
  let totalAmount = 0n;
  let currency: string | undefined;
  let batchCount = 0;
  const groups = new Set<string>();
  const assertOnePeriod = (planGroup: string, quantity: number, index: number): void => {
    if (quantity === 1 && !groups.has(planGroup)) groups.add(planGroup);
    else {
      const detail = 'An order pays one period of a plan of each group: order the next one by itself.';
      throw new AppError('invalid_request', detail, { pointer: `/items/${index}/quantity` });
    }
  };
  const items = command.lines.map(({ sku, quantity, override }, index): OrderItem => {
    const pointer = `/items/${index}/sku`;
    const offer = offers.get(sku);
    if (!offer) throw new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer });
    assertOrderable(book, offer, pointer);
    currency ??= offer.currency;
    if (offer.currency !== currency) {
      throw new AppError('mixed_currencies', `${sku} costs ${offer.currency}, the items before it ${currency}.`, {
        pointer,
      });
    }
    if (override) assertDecimals(override.price, offer.currency, `/items/${index}/price`);
    const price = override?.price ?? offer.price;
    totalAmount += price * BigInt(quantity);
    if (totalAmount > MONEY_MAX) {
      throw new AppError('quantity_too_large', 'The total of the order is too large.', {
        pointer: `/items/${index}/quantity`,
      });
    }
    const { name, terms } = offer;
    const listPrice = override ? offer.price : null;
    const plan = orderedPlanOf(offer);
    batchCount += batchesOf(plan, terms);
    assertFewBatches(batchCount, ORDER_BATCHES_MAX, 'An order comes to', pointer);
    if (plan) assertOnePeriod(plan.planGroup, quantity, index);
    if (plan && offer.price === 0n && price === 0n) throw planIsFree(sku, pointer);
    const priceReason = override?.reason ?? null;
    return { id: book.ids.next(), sku, name, quantity, price, listPrice, priceReason, terms, plan };
  });
  assertPlaces(
    places,
    items.map(({ sku, quantity }, index) => ({
      sku,
      quantity,
      maxPerCustomer: offers.get(sku)?.maxPerCustomer ?? null,
      pointer: `/items/${index}/quantity`,
    })),
  );
  assertGrantable(
    book,
    items.flatMap((item, index) =>
      item.terms.map((term) => ({
        term,
        times: item.quantity * timesOf(item.plan, term),
        pointer: `/items/${index}/quantity`,
      })),
    ),
  );
  const order: Order = {
    id: book.ids.next(),
    customerId: book.customerId,
    status: 'pending',
    currency: required(currency, 'an order has lines'),
    totalAmount,
    ...UNPAID,
    metadata: command.metadata,
    expiresAt: command.expiresAt,
    createdAt: book.now,
    items,
  };
  book.changes.newOrders.push(order);
  return order;
}

/** What a plan gives without a payment is given once in a period, however often it is asked for: by its subscription. */
function planIsFree(sku: string, pointer?: string): AppError {
  const detail = `The plan ${sku} costs nothing: it is subscribed to, not ordered.`;
  return new AppError('plan_is_free', detail, pointer === undefined ? {} : { pointer });
}

/** A line of a plan that costs nothing by itself. There may be orders of before such were refused; what somebody paid something for is given. */
function isFreePlan({ plan, price, listPrice }: OrderItem): boolean {
  return plan !== null && price === 0n && (listPrice ?? 0n) === 0n;
}

function assertDecimals(price: Micros, currency: string, pointer: string): void {
  const decimals = currencyDecimals(currency);
  if (hasAtMostDecimals(price, decimals)) return;
  throw new AppError('invalid_request', `${currency} has ${decimals} decimals.`, { pointer });
}

/**
 * Refuses an offer that can't be had now. Throws: offer_inactive, offer_exchange_only (to buy one priced in a currency product),
 * product_inactive, already_unlimited.
 */
export function assertOrderable(
  book: Book,
  offer: OrderableOffer,
  pointer: string,
  by: 'order' | 'exchange' = 'order',
): void {
  const { sku } = offer;
  if (!offer.isActive) throw new AppError('offer_inactive', `The offer ${sku} is not sold any more.`, { pointer });
  if (by === 'order' && !isMoneyCurrency(offer.currency)) {
    throw new AppError('offer_exchange_only', `The offer ${sku} costs ${offer.currency}, which is spent by exchange.`, {
      pointer,
    });
  }
  const [inactive] = offer.inactiveProductKeys;
  if (inactive !== undefined) {
    throw new AppError('product_inactive', `The offer ${sku} gives ${inactive}, which is not active.`, { pointer });
  }
  const unlimited = offer.terms.find((term) => isAlreadyUnlimited(book, term));
  if (unlimited) {
    throw new AppError('already_unlimited', `The customer has ${unlimited.productKey} for ever.`, { pointer });
  }
}

export interface ConfirmCommand {
  operationId: string;
  status: 'paid' | 'failed';
  paymentId: string | null;
  /** Canonical, see `canonicalPaymentMethod`. */
  paymentMethod: string;
  amount: Micros | null;
  currency: string | null;
}

/**
 * What a confirmation comes to. `order` is the order as it is afterwards; `batches` is what it was granted now; `recordAs` and `recordedAs` are the
 * natural keys of the answer.
 */
export type ConfirmDecision =
  | { outcome: 'paid'; order: Order; batches: NewBatch[]; recordAs: string }
  | { outcome: 'failed'; order: Order; recordAs: string }
  | { outcome: 'replayed'; recordedAs: string }
  | { outcome: 'unchanged'; order: Order }
  | { outcome: 'refused'; error: AppError };

/**
 * Confirms an order. Idempotent by payment: the one that paid this order replays. A payment that failed or can't be matched is kept, also of a refusal.
 * Refusals: invalid_request (payment_id missing), payment_already_used, order_already_paid, order_not_payable, payment_mismatch,
 * plan_is_free (of an order of before such were refused), quantity_too_large.
 * Preconditions: the order has its status of now (`effectiveStatus`); the holdings of its terms are loaded.
 */
export function confirmOrder(book: Book, order: Order, seen: Payment | null, said: ConfirmCommand): ConfirmDecision {
  // What was told of this payment before still holds when it is left out now.
  const command = {
    ...said,
    amount: said.amount ?? seen?.amount ?? null,
    currency: said.currency ?? seen?.currency ?? null,
  };
  if (command.paymentId === null && (order.totalAmount > 0n || command.status === 'failed')) {
    const detail = 'The id of the provider’s charge is required.';
    return refuse(new AppError('invalid_request', detail, { pointer: '/payment_id' }));
  }
  if (seen?.status === 'paid') return decideKnownPayment(order, seen, command);
  if (command.status === 'failed') return decideFailure(book, order, seen, command);
  if (order.paidBy !== null && command.paymentId === null) {
    const mismatch = mismatchOf(order, command);
    return mismatch ? refuse(mismatch) : { outcome: 'replayed', recordedAs: order.id };
  }
  const error = refusalOf(book, order, command);
  if (error) {
    keepPayment(book, order, seen, command, 'unmatched', null);
    return refuse(error);
  }
  return pay(book, order, seen, command);
}

function refuse(error: AppError): ConfirmDecision {
  return { outcome: 'refused', error };
}

function decideKnownPayment(order: Order, seen: Payment, command: ConfirmCommand): ConfirmDecision {
  if (seen.orderId !== order.id) {
    const detail = `Payment ${seen.paymentId} paid another order.`;
    return refuse(new AppError('payment_already_used', detail, { pointer: '/payment_id' }));
  }
  // It was told late: what paid can't fail any more.
  if (command.status === 'failed') return { outcome: 'unchanged', order };
  const mismatch = mismatchOf(order, command);
  if (mismatch) return refuse(mismatch);
  return { outcome: 'replayed', recordedAs: order.id };
}

function decideFailure(book: Book, order: Order, seen: Payment | null, command: ConfirmCommand): ConfirmDecision {
  if (seen?.status === 'unmatched') {
    const detail = 'This payment was received before; it can’t fail any more.';
    return refuse(new AppError('payment_mismatch', detail, { pointer: '/status' }));
  }
  if (seen && seen.orderId === order.id && seen.operationId !== null)
    return { outcome: 'replayed', recordedAs: failureOf(seen.operationId) };
  keepPayment(book, order, seen, command, 'failed', command.operationId);
  return { outcome: 'failed', order, recordAs: failureOf(command.operationId) };
}

/** Under what the answer to a failed payment is kept: one may fail for several orders in turn. */
function failureOf(operationId: string): string {
  return `failed:${operationId}`;
}

/** Why a payment can't pay an order; null where it may. */
export function refusalOf(
  book: Book,
  order: Order,
  command: Pick<ConfirmCommand, 'amount' | 'currency'>,
): AppError | null {
  if (order.status === 'paid' || order.status === 'partially_refunded') {
    return new AppError('order_already_paid', 'Another payment paid this order.', { pointer: '/payment_id' });
  }
  if (order.status !== 'pending') {
    return new AppError('order_not_payable', `The order is ${order.status}.`, {
      extensions: { orderStatus: order.status },
    });
  }
  const mismatch = mismatchOf(order, command);
  if (mismatch) return mismatch;
  const free = order.totalAmount === 0n ? order.items.find(isFreePlan) : undefined;
  if (free) return planIsFree(free.sku);
  try {
    assertGrantable(
      book,
      order.items.flatMap((item) =>
        item.terms.map((term) => ({ term, times: item.quantity * timesOf(item.plan, term), pointer: '' })),
      ),
    );
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  return null;
}

function mismatchOf(order: Order, command: Pick<ConfirmCommand, 'amount' | 'currency'>): AppError | null {
  if (command.currency !== null && command.currency !== order.currency) {
    return new AppError('payment_mismatch', `The order is in ${order.currency}.`, { pointer: '/currency' });
  }
  if (command.amount !== null && command.amount !== order.totalAmount) {
    const total = formatMoney(order.totalAmount, currencyDecimals(order.currency));
    return new AppError('payment_mismatch', `The order costs ${total} ${order.currency}.`, { pointer: '/amount' });
  }
  return null;
}

/** What becomes of the payment, if one was told; nothing when it is so already. */
export function keepPayment(
  book: Book,
  order: Order,
  seen: Payment | null,
  { paymentMethod, paymentId, amount, currency }: ConfirmCommand,
  status: PaymentStatus,
  operationId: string | null,
): void {
  if (paymentId === null) return;
  const isSo =
    seen?.orderId === order.id && seen.status === status && seen.amount === amount && seen.currency === currency;
  if (isSo) return;
  const { customerId } = book;
  const payment = { paymentMethod, paymentId, customerId, orderId: order.id, status, amount, currency, operationId };
  book.changes.payments.push({ payment, seen: seen && { status: seen.status, orderId: seen.orderId } });
}

function pay(book: Book, order: Order, seen: Payment | null, command: ConfirmCommand): ConfirmDecision {
  const paid: Order = {
    ...order,
    status: 'paid',
    paidAt: book.now,
    paidBy: command.operationId,
    paymentMethod: command.paymentMethod,
    paymentId: command.paymentId,
  };
  const batches = order.items.flatMap((item) => {
    if (item.plan) return payPeriod(planBookOf(book), { order: paid, item, book }, command.operationId);
    const origin: GrantOrigin = {
      source: 'purchase',
      operationId: command.operationId,
      sku: item.sku,
      orderId: order.id,
      orderItemId: item.id,
      actionType: 'purchase',
      metadata: {}, // that of the order is found by the order, however many batches there are
    };
    return item.terms.map((term) => grant(book, term, item.quantity, origin));
  });
  book.changes.orderSteps.push(paid);
  keepPayment(book, order, seen, command, 'paid', command.operationId);
  return { outcome: 'paid', order: paid, batches, recordAs: order.id };
}
