// From rows of the Django module to what Bursar takes, or to why it does not: pure, so that a dry run says what the real one will do. What is checked is what
// requests are checked by.
import type { z } from 'zod';
import type { OfferTerms, ProductTerms } from '../../src/ledger/catalog.js';
import type { ProductType } from '../../src/ledger/catalog-entities.js';
import type { ArchivedRecord, ArchivedTrial } from '../../src/ledger/customer-entities.js';
import { currencyDecimals, isMoneyCurrency } from '../../src/lib/currencies.js';
import { hasAtMostDecimals, parseMoney } from '../../src/lib/money.js';
import { putOfferBody, putProductBody } from '../../src/schemas/catalog.js';
import { linkIdentityBody } from '../../src/schemas/customers.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { confirmOrderBody } from '../../src/schemas/orders.js';
import type { GrantCommand } from '../../src/services/grants.js';
import type { MovedOrder } from '../../src/services/moving-in.js';
import type { FindingKind } from './findings.js';
import type {
  SourceBatch,
  SourceEntry,
  SourceIdentity,
  SourceOffer,
  SourceOrder,
  SourceProduct,
  SourceTrial,
} from './source.js';

/** Why something is not carried. */
export interface Left {
  left: FindingKind;
  reason?: string;
}

export type Converted<T> = (T & { changed?: FindingKind[] }) | Left;

/** What the catalogue of the source comes to here, by its ids there. */
export interface Catalogue {
  products: ReadonlyMap<string, { productKey: string; type: ProductType }>;
  offers: ReadonlyMap<string, { sku: string; name: string; currency: string }>;
  /** How a product is called where it is left out. */
  nameOf(productId: string): string;
}

const INSTANT_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** An order that nobody paid for so long is expired, as one of ours would be. */
const PENDING_MS = 24 * 3_600_000;
const SHA_256 = /^[0-9a-f]{64}$/;

function faultsOf({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => [path.join('.'), message].filter((part) => part !== '').join(' '))
    .join('; ');
}

export function convertProduct(product: SourceProduct): Converted<{ terms: ProductTerms }> {
  if (product.productKey === null || product.productKey === '') return { left: 'product_without_key' };
  const { type, isCurrency: is_currency, isActive: is_active, name, description, metadata, productKey } = product;
  const read = putProductBody.safeParse({
    ...{ product_key: productKey, name, description, type, is_currency, is_active, metadata },
  });
  if (!read.success) return { left: 'product_invalid', reason: faultsOf(read.error) };
  const { data } = read;
  return {
    terms: {
      productKey: data.product_key ?? '',
      name: data.name,
      description: data.description,
      type: data.type,
      isCurrency: data.is_currency,
      isActive: data.is_active,
      features: [],
      lowBalanceThreshold: null,
      expiringDays: null,
      metadata: data.metadata,
    },
  };
}

/** An offer; access of it runs beside what there is, as it did there. */
export function convertOffer(offer: SourceOffer, products: Catalogue['products']): Converted<{ terms: OfferTerms }> {
  const gone = offer.items.find(({ productId }) => !products.has(productId));
  if (gone) return { left: 'offer_of_product_left', reason: `product ${gone.productId}` };
  const endless = offer.items.find(({ periodUnit, periodValue }) => periodUnit !== 'forever' && !periodValue);
  if (endless) return { left: 'offer_period_without_end', reason: endless.periodUnit };
  const read = putOfferBody.safeParse({
    sku: offer.sku,
    name: offer.name,
    description: offer.description,
    image: offer.image === '' ? null : offer.image,
    price: offer.price,
    currency: offer.currency,
    is_active: offer.isActive,
    items: offer.items.map(({ productId, quantity, periodUnit, periodValue }) => ({
      product_key: products.get(productId)?.productKey,
      quantity,
      period_unit: periodUnit,
      period_value: periodUnit === 'forever' ? null : periodValue,
      stacking: 'parallel',
    })),
    metadata: offer.metadata,
  });
  if (!read.success) return { left: 'offer_invalid', reason: faultsOf(read.error) };
  const { data } = read;
  const items = data.items.map((item) => ({
    productKey: item.product_key,
    quantity: item.quantity,
    periodUnit: item.period_unit,
    periodValue: item.period_value,
    priority: item.priority,
    stacking: item.stacking,
  }));
  const never = {
    isTrial: false,
    trialScope: null,
    trialEligible: null,
    recurrence: null,
    planGroup: null,
    maxPerCustomer: null,
  };
  const { name, description, image, price, currency, is_active: isActive, metadata } = data;
  return {
    terms: { ...never, sku: data.sku ?? '', name, description, image, price, currency, isActive, items, metadata },
  };
}

export function convertIdentity(identity: SourceIdentity) {
  const { provider, externalId: external_id, metadata: profile } = identity;
  const read = linkIdentityBody.safeParse({ provider, external_id, profile });
  if (!read.success) return { left: 'identity_invalid', reason: faultsOf(read.error) } as const;
  return {
    identity: { provider: read.data.provider, externalId: read.data.external_id },
    profile: read.data.profile,
  };
}

/** Whether the module would let it be used at an instant. */
export function isUsable({ state, remaining, expiresAt }: SourceBatch, at: Date): boolean {
  return state === 'ACTIVE' && remaining !== 0 && (expiresAt === null || expiresAt > at);
}

/** What is left of a batch, as a migration of its own. Precondition: it is usable. */
export function convertBatch(
  batch: SourceBatch,
  { products, offers }: Catalogue,
): Converted<{ command: GrantCommand }> {
  const product = products.get(batch.productId);
  if (!product) return { left: 'batch_of_product_left', reason: `product ${batch.productId}` };
  if (batch.remaining < 0) return { left: 'batch_negative', reason: String(batch.remaining) };
  const isCounted = product.type === 'quantity';
  if (product.type === 'period' && batch.expiresAt === null) return { left: 'batch_period_without_end' };
  // What there is of it counted from its making on, whatever valid_from said.
  const validFrom = batch.validFrom < batch.createdAt ? batch.validFrom : batch.createdAt;
  const isOdd =
    batch.expiresAt !== null && (batch.expiresAt <= validFrom || batch.expiresAt.getTime() > INSTANT_MAX_MS);
  if (isOdd) return { left: 'batch_invalid', reason: 'its end' };
  const changed: FindingKind[] = [];
  if (batch.validFrom.getTime() - batch.createdAt.getTime() > TOLERANCE_MS) changed.push('batch_valid_later');
  if (!isCounted && batch.remaining !== 1) changed.push('batch_counted_access');
  const offer = batch.offerId === null ? undefined : offers.get(batch.offerId);
  return {
    command: {
      grantType: 'migration',
      subject: {
        productKey: product.productKey,
        quantity: isCounted ? batch.remaining : 1,
        priority: 0,
        validFrom,
        expiresAt: batch.expiresAt ?? undefined,
      },
      direction: 'credit',
      reason: undefined,
      sourceId: `billable:${batch.id}`,
      metadata: {
        billable_batch_id: batch.id,
        ...(batch.orderId !== null && { billable_order_id: batch.orderId }),
        ...(offer && { billable_sku: offer.sku }),
      },
    },
    changed,
  };
}

/** Rows are made a moment after the instant that they say they are valid from. */
const TOLERANCE_MS = 1_000;

/** What a batch was there, for the archive. */
export function archiveBatch(customerId: string, batch: SourceBatch, { nameOf, offers }: Catalogue): ArchivedRecord {
  const { id, userId, productId, offerId, orderId, initial, remaining, validFrom, expiresAt, state, createdAt } = batch;
  const sku = offerId === null ? null : (offers.get(offerId)?.sku ?? null);
  const data = { user_id: userId, product: nameOf(productId), sku, order_id: orderId, initial_quantity: initial };
  const times = { valid_from: validFrom, expires_at: expiresAt, created_at: createdAt };
  return {
    customerId,
    kind: 'batch',
    sourceId: id,
    happenedAt: createdAt,
    data: { ...data, remaining_quantity: remaining, state, ...times },
  };
}

export function archiveOrder(customerId: string, order: SourceOrder, { offers }: Catalogue): ArchivedRecord {
  const { id, userId, totalAmount, items, paymentMethod, paymentId, createdAt, paidAt, ...rest } = order;
  const lines = items.map(({ offerId, quantity, price }) => ({
    sku: offerId === null ? null : (offers.get(offerId)?.sku ?? `offer ${offerId}`),
    quantity,
    price,
  }));
  const data = { user_id: userId, ...rest, total_amount: totalAmount, items: lines };
  const paid = { payment_method: paymentMethod, payment_id: paymentId, created_at: createdAt, paid_at: paidAt };
  return { customerId, kind: 'order', sourceId: id, happenedAt: createdAt, data: { ...data, ...paid } };
}

export function archiveEntry(customerId: string, entry: SourceEntry, { nameOf }: Catalogue): ArchivedRecord {
  const { id, userId, batchId, productId, amount, direction, actionType, objectId, metadata, createdAt } = entry;
  const data = { user_id: userId, product: nameOf(productId), batch_id: batchId, amount, direction };
  const why = { action_type: actionType, object_id: objectId, metadata, created_at: createdAt };
  return { customerId, kind: 'entry', sourceId: id, happenedAt: createdAt, data: { ...data, ...why } };
}

/** A used trial; its type as it is here, its hash as it was. */
export function convertTrial({
  identityType,
  identityHash,
  plan,
  usedAt,
}: SourceTrial): Converted<{ trial: ArchivedTrial }> {
  const type = identityType.trim().toLowerCase();
  const hash = identityHash.trim().toLowerCase();
  if (type === '' || !SHA_256.test(hash)) return { left: 'trial_invalid' };
  return { trial: { identityType: type, identityHash: hash, plan, usedAt } };
}

/** An order as it ended. `paidTwice` are orders whose payment had paid another, by id. */
export function convertOrder(
  order: SourceOrder,
  { offers }: Catalogue,
  takenAt: Date,
  paidTwice: ReadonlyMap<string, string>,
): Converted<{ order: MovedOrder }> {
  const isPaid = order.status === 'paid';
  const isOld = takenAt.getTime() - order.createdAt.getTime() >= PENDING_MS;
  if (order.status === 'pending' && !isOld) return { left: 'order_pending' };
  if (order.status === 'refunded') return { left: 'order_refunded' };
  const first = paidTwice.get(order.id);
  if (isPaid && first !== undefined) return { left: 'order_paid_twice', reason: `of order ${first}` };
  const { cancel_reason: cancelReason, refund_reason: refundReason } = order.metadata;
  if (isPaid && (cancelReason !== undefined || refundReason !== undefined)) return { left: 'order_reopened' };
  const left = faultOfLines(order, offers) ?? faultOfPayment(order);
  if (left) return left;
  const money = currencyOf(order, offers);
  if ('left' in money) return money;
  const metadata = metadataSchema.safeParse({
    ...order.metadata,
    billable_order_id: order.id,
    ...(money.changed && { billable_currency: order.currency }),
  });
  if (!metadata.success) return { left: 'order_invalid', reason: `metadata ${faultsOf(metadata.error)}` };
  const status = isPaid ? 'paid' : order.status === 'cancelled' ? 'cancelled' : 'expired';
  const changed: FindingKind[] = [
    ...(status === 'expired' ? (['order_expired'] as const) : []),
    ...(money.changed ? (['order_currency'] as const) : []),
  ];
  const { paymentMethod: method, paymentId: id, paidAt, createdAt } = order;
  return {
    order: {
      sourceId: `billable:${order.id}`,
      status,
      currency: money.currency,
      payment: isPaid && paidAt ? { method, id, paidAt } : undefined,
      cancelReason: status === 'cancelled' && typeof cancelReason === 'string' ? cancelReason : null,
      metadata: metadata.data,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + PENDING_MS),
      items: order.items.map(({ offerId, quantity, price }) => {
        const { sku, name } = offers.get(offerId ?? '') as { sku: string; name: string };
        return { sku, name, quantity, price };
      }),
    },
    changed,
  };
}

function faultOfLines({ items, totalAmount }: SourceOrder, offers: Catalogue['offers']): Left | undefined {
  const isNegative = (amount: string) => amount.startsWith('-');
  if (isNegative(totalAmount) || items.some(({ quantity, price }) => quantity < 1 || isNegative(price)))
    return { left: 'order_negative' };
  if (items.length === 0) return { left: 'order_incomplete', reason: 'no lines' };
  const unknown = items.find(({ offerId }) => !offers.has(offerId ?? ''));
  if (unknown) return { left: 'order_incomplete', reason: `offer ${unknown.offerId ?? 'none'}` };
  const sum = items.reduce((total, { price, quantity }) => total + parseMoney(price) * BigInt(quantity), 0n);
  return sum === parseMoney(totalAmount) ? undefined : { left: 'order_incomplete', reason: 'its total' };
}

function faultOfPayment({
  status,
  totalAmount,
  paymentMethod,
  paymentId,
  paidAt,
  createdAt,
}: SourceOrder): Left | undefined {
  if (status === 'pending' || status === 'cancelled') return undefined;
  if (status !== 'paid') return { left: 'order_invalid', reason: `status ${status}` };
  if (paidAt === null || paidAt < createdAt) return { left: 'order_invalid', reason: 'when it was paid' };
  if (paymentId === null) return parseMoney(totalAmount) > 0n ? { left: 'order_without_payment' } : undefined;
  const read = confirmOrderBody.safeParse({ payment_id: paymentId, payment_method: paymentMethod });
  return read.success ? undefined : { left: 'order_invalid', reason: faultsOf(read.error) };
}

/** The currency of an order's offers, where they agree on one of money: the module wrote another one on every order. */
function currencyOf(order: SourceOrder, offers: Catalogue['offers']): Left | { currency: string; changed: boolean } {
  const named = new Set(order.items.map(({ offerId }) => offers.get(offerId ?? '')?.currency ?? ''));
  const [only = ''] = named;
  if (named.size > 1) return { left: 'order_invalid', reason: `currencies ${[...named].join(', ')}` };
  const currency = isMoneyCurrency(only) ? only : order.currency.toUpperCase();
  const amounts = [order.totalAmount, ...order.items.map(({ price }) => price)];
  const fits = amounts.every((amount) => hasAtMostDecimals(parseMoney(amount), currencyDecimals(currency)));
  if (!fits) return { left: 'order_invalid', reason: `${order.totalAmount} ${currency}` };
  return { currency, changed: currency !== order.currency };
}
