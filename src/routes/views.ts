// The shapes in which answers show what services return: wire names, money as decimal strings. Only names and formats, no rules.

import type { Customer } from '../db/customers.js';
import type { CausedEntry } from '../db/entries.js';
import type { StoredPayment } from '../db/orders.js';
import type { StoredReservation } from '../db/reservations.js';
import type { OrderResult } from '../db/shown-orders.js';
import type { StoredBatch } from '../db/wallet.js';
import type { Offer, OfferItemWithProduct, PlanTerms, Product, Subject } from '../ledger/catalog-entities.js';
import type { Taking } from '../ledger/consume.js';
import type { Referral } from '../ledger/customer-entities.js';
import type { Entry, Reservation } from '../ledger/entities.js';
import type { Violation } from '../ledger/limit-entities.js';
import type { Dispute, Order, Refund } from '../ledger/order-entities.js';
import type { Recovery } from '../ledger/sold-entities.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney } from '../lib/money.js';
import { toWireNames } from '../lib/wire-names.js';
import type { ImportedCatalog } from '../services/catalog.js';
import type { SoldOrderResult } from '../services/orders.js';

export function toProductView(product: Product) {
  return {
    product_key: product.productKey,
    name: product.name,
    description: product.description,
    type: product.type,
    is_currency: product.isCurrency,
    is_active: product.isActive,
    features: product.features.map(({ feature, unitCost }) => ({ feature, unit_cost: unitCost })),
    low_balance_threshold: product.lowBalanceThreshold,
    expiring_days: product.expiringDays,
    metadata: product.metadata,
    created_at: product.createdAt,
  };
}

export function toOfferView(offer: Offer<OfferItemWithProduct>) {
  return {
    sku: offer.sku,
    name: offer.name,
    description: offer.description,
    image: offer.image,
    price: formatMoney(offer.price, currencyDecimals(offer.currency)),
    currency: offer.currency,
    is_active: offer.isActive,
    is_trial: offer.isTrial,
    trial_policy: offer.trialScope === null ? null : { scope: offer.trialScope },
    trial_eligible: offer.trialEligible,
    recurrence: offer.recurrence,
    plan_group: offer.planGroup,
    plan: offer.plan && toPlanView(offer.plan),
    max_per_customer: offer.maxPerCustomer,
    items: offer.items.map((item) => ({
      product_key: item.productKey,
      quantity: item.quantity,
      period_unit: item.periodUnit,
      period_value: item.periodValue,
      priority: item.priority,
      stacking: item.stacking,
      product: toProductView(item.product),
    })),
    metadata: offer.metadata,
  };
}

function toPlanView(plan: PlanTerms) {
  return {
    trial_period: plan.trial,
    grant_every: plan.grantEvery,
    rollover: plan.rollover,
    rollover_cap: plan.rolloverCap,
    grace_days: plan.graceDays,
    grace_access: plan.graceAccess,
  };
}

/** An offer of a file: its items name their products. */
export function toOfferRecord(offer: Offer<OfferItemWithProduct>) {
  const { items, ...rest } = toOfferView(offer);
  return { ...rest, items: items.map(({ product: _, ...item }) => item), created_at: offer.createdAt };
}

/** What an import came to. */
export function toImportView({ products, offers, warnings, warningsTotal }: ImportedCatalog, isDry: boolean) {
  return { dry_run: isDry, products, offers, warnings, warnings_total: warningsTotal };
}

export function toBatchView(batch: StoredBatch) {
  return {
    id: batch.id,
    product_key: batch.productKey,
    source: batch.source,
    sku: batch.sku,
    order_id: batch.orderId,
    order_item_id: batch.orderItemId,
    subscription_id: batch.subscriptionId,
    granted: batch.granted,
    available: batch.available,
    held: batch.held,
    consumed: batch.consumed,
    expired: batch.expired,
    revoked: batch.revoked,
    transferred: batch.transferred,
    priority: batch.priority,
    valid_from: batch.validFrom,
    expires_at: batch.expiresAt,
    state: batch.state,
    created_at: batch.createdAt,
    metadata: batch.metadata,
  };
}

/** An order without what it granted. */
export function toListedOrderView(order: Order) {
  const decimals = currencyDecimals(order.currency);
  return {
    id: order.id,
    customer_id: order.customerId,
    status: order.status,
    expires_at: order.expiresAt,
    currency: order.currency,
    total_amount: formatMoney(order.totalAmount, decimals),
    payment_method: order.paymentMethod,
    payment_id: order.paymentId,
    paid_at: order.paidAt,
    cancelled_at: order.cancelledAt,
    cancel_reason: order.cancelReason,
    refunded_amount: formatMoney(order.refundedAmount, decimals),
    disputed_amount: formatMoney(order.disputedAmount, decimals),
    items: order.items.map(({ id, sku, name, quantity, price, listPrice, priceReason }) => ({
      id,
      sku,
      name,
      quantity,
      price: formatMoney(price, decimals),
      list_price: listPrice === null ? null : formatMoney(listPrice, decimals),
      price_reason: priceReason,
    })),
    metadata: order.metadata,
    created_at: order.createdAt,
  };
}

export function toOrderView({ order, granted }: OrderResult) {
  const listed = toListedOrderView(order);
  return order.paidAt === null
    ? listed
    : { ...listed, batches: granted.batches.map(toBatchView), batches_total: granted.total };
}

/** A paid order with what came of it since. */
export function toSoldOrderView({ refunds, disputes, ...result }: SoldOrderResult) {
  const { order } = result;
  const view = toOrderView(result);
  if (order.paidAt === null) return view;
  return {
    ...view,
    refunds: refunds.map((refund) => toRefundView(refund, order)),
    disputes: disputes.map((dispute) => toDisputeView(dispute, order)),
  };
}

export function toRefundView(refund: Refund, { currency }: Order) {
  const decimals = currencyDecimals(currency);
  return {
    id: refund.id,
    status: refund.status,
    payment_method: refund.paymentMethod,
    refund_id: refund.refundId,
    pending_provider: refund.toldBy === 'caller',
    dispute_id: refund.disputeId,
    amount: formatMoney(refund.amount, decimals),
    items: refund.items.map(({ id, quantity, amount }) => ({ id, quantity, amount: formatMoney(amount, decimals) })),
    reason: refund.reason,
    unrecovered_policy: refund.unrecoveredPolicy,
    operation_id: refund.operationId,
    created_at: refund.createdAt,
    failed_at: refund.failedAt,
  };
}

export function toDisputeView(dispute: Dispute, { currency }: Order) {
  return {
    id: dispute.id,
    status: dispute.status,
    payment_method: dispute.paymentMethod,
    dispute_id: dispute.disputeId,
    amount: formatMoney(dispute.amount, currencyDecimals(currency)),
    unrecovered_policy: dispute.unrecoveredPolicy,
    operation_id: dispute.operationId,
    created_at: dispute.createdAt,
    closed_at: dispute.closedAt,
  };
}

export function toRecoveryView({ recovered, unrecovered }: Recovery) {
  return { recovered: Object.fromEntries(recovered), unrecovered: Object.fromEntries(unrecovered) };
}

export function toPaymentView(payment: StoredPayment) {
  const { currency, amount } = payment;
  return {
    payment_method: payment.paymentMethod,
    payment_id: payment.paymentId,
    status: payment.status,
    order_id: payment.orderId,
    customer_id: payment.customerId,
    amount: amount === null ? null : formatMoney(amount, currency === null ? 0 : currencyDecimals(currency)),
    currency,
    operation_id: payment.operationId,
    created_at: payment.createdAt,
    updated_at: payment.updatedAt,
  };
}

export function toEntryView(entry: Entry) {
  return {
    id: entry.id,
    seq: entry.seq,
    kind: entry.kind,
    direction: entry.direction,
    product_key: entry.productKey,
    batch_id: entry.batchId,
    amount: entry.amount,
    balance_after: entry.balanceAfter,
    feature: entry.feature,
    unit_cost: entry.unitCost,
    action_type: entry.actionType,
    action_id: entry.actionId,
    order_id: entry.orderId,
    reservation_id: entry.reservationId,
    reverses_seq: entry.reversesSeq,
    operation_id: entry.operationId,
    metadata: entry.kind === 'adjust' ? toWireNames(entry.metadata ?? {}) : (entry.metadata ?? {}),
    occurred_at: entry.occurredAt,
  };
}

/** An entry of the ledger, with what it is because of. */
export function toCausedEntryView(entry: CausedEntry) {
  return { ...toEntryView(entry), refund_id: entry.refundId, dispute_id: entry.disputeId };
}

export function toTakingsView(takings: readonly Taking[]) {
  return takings.map(({ batch, amount }) => ({ batch_id: batch.id, product_key: batch.productKey, amount }));
}

/** The member that names the subject: `product_key` or `feature`. */
export function toSubjectView(subject: Subject) {
  return 'feature' in subject ? { feature: subject.feature } : { product_key: subject.productKey };
}

export function toViolationView({ productKey, feature, resetsAt, ...violation }: Violation) {
  return {
    ...(feature === undefined ? { product_key: productKey } : { feature }),
    ...violation,
    resets_at: resetsAt,
  };
}

/** Limits that a use goes beyond. */
export function toWarningsView(warnings: readonly Violation[]) {
  return warnings.map((warning) => ({ code: 'limit_exceeded' as const, ...toViolationView(warning) }));
}

export function toReferralView({ id, referrerId, refereeId, metadata }: Referral) {
  return { referral_id: id, referrer_id: referrerId, referee_id: refereeId, metadata };
}

export function toCustomerView(customer: Customer) {
  return {
    id: customer.id,
    identities: customer.identities.map(({ id, provider, externalId, profile, createdAt }) => ({
      identity_id: id,
      provider,
      external_id: externalId,
      profile,
      created_at: createdAt,
    })),
    metadata: customer.metadata,
    created_at: customer.createdAt,
    erased_at: customer.erasedAt,
  };
}

/** What a reservation is, as a reader or the one who made it sees it. */
export function toReservationView(reservation: Omit<StoredReservation, 'customerId'>, customerId: string) {
  return {
    id: reservation.id,
    customer_id: customerId,
    ...toSubjectView(reservation.subject),
    amount: reservation.amount,
    status: reservation.status,
    committed_amount: reservation.committedAmount,
    expires_at: reservation.expiresAt,
    created_at: reservation.createdAt,
    ended_at: reservation.endedAt,
    legs: reservation.legs.map((leg) => ({
      batch_id: leg.batchId,
      product_key: leg.productKey,
      amount: leg.amount,
    })),
    metadata: reservation.metadata,
  };
}

/** The reservation that an operation made or changed. */
export function toMadeReservationView(reservation: Reservation, customerId: string) {
  const legs = reservation.legs.map(({ batch, amount }) => ({
    batchId: batch.id,
    productKey: batch.productKey,
    amount,
  }));
  return toReservationView({ ...reservation, legs }, customerId);
}
