// Which batches pay for a use, and what that leaves (DOMAIN 3.3, 3.4). `planConsume` decides and changes nothing, so that the dry run
// and the real thing are one code; `consume` carries a plan out.
import { AppError } from '../errors/app-error.js';
import { assert, required } from '../lib/assert.js';
import {
  type Batch,
  type Book,
  compareBurnOrder,
  type Entry,
  type Holding,
  holdingOf,
  type Metadata,
  type ProductType,
  postDebit,
  postUse,
  spendable,
} from './book.js';
import { canAdd, multiplyQuantities, QUANTITY_MAX } from './quantities.js';

/** What a use is asked of: a product itself, or any product that provides a feature. */
export type Subject = { productKey: string } | { feature: string };

/** What a decision looks at, and how much of it it may take (in the subject's unit; 0 when nothing is taken). */
export interface SubjectAsk {
  subject: Subject;
  amount: number;
}

/** A product that can pay for what is asked. `unitCost` is product units per feature unit, 1 when the product itself was asked for. */
export interface Provider {
  productKey: string;
  type: ProductType;
  isActive: boolean;
  unitCost: number;
  /** How many features the product provides: one makes it direct, several make it pooled. */
  featureCount: number;
}

/** Product units taken from one batch. */
export interface Taking {
  batch: Batch;
  amount: number;
}

/** `available` and `remaining` are in the asked unit (feature units for a feature), null when uncounted. */
export interface ConsumePlan {
  isAllowed: boolean;
  takings: Taking[];
  available: number | null;
  remaining: number | null;
}

export interface ConsumeDetails {
  operationId: string;
  feature: string | null;
  actionType: string;
  actionId: string | null;
  metadata: Metadata;
}

interface Payer {
  provider: Provider;
  holding: Holding;
  first: Batch;
  isUncounted: boolean;
}

/** Refuses a subject that no product pays for. Throws: product_not_found, feature_not_found. */
export function assertProvided(subject: Subject, providers: readonly Provider[]): void {
  if (providers.length > 0) return;
  if ('feature' in subject)
    throw new AppError('feature_not_found', `No product provides ${subject.feature}.`, { pointer: '/feature' });
  throw new AppError('product_not_found', `There is no product ${subject.productKey}.`, { pointer: '/product_key' });
}

function rankOf(payer: Payer): number {
  if (payer.isUncounted) return 0;
  return payer.provider.featureCount <= 1 ? 1 : 2;
}

function payersOf(book: Book, providers: readonly Provider[]): Payer[] {
  const payers: Payer[] = [];
  for (const provider of providers) {
    const holding = holdingOf(book, provider.productKey);
    const isUncounted = provider.type !== 'quantity';
    const first = (isUncounted ? holding.running : holding.usable)[0];
    const canPay = isUncounted || spendable(holding) >= provider.unitCost;
    if (first && canPay) payers.push({ provider, holding, first, isUncounted });
  }
  return payers.sort((a, b) => rankOf(a) - rankOf(b) || compareBurnOrder(a.first, b.first));
}

function unitsPayable(payer: Payer): number {
  return Math.floor(spendable(payer.holding) / payer.provider.unitCost);
}

function takeInBurnOrder(payer: Payer, amount: number): Taking[] {
  const takings: Taking[] = [];
  let missing = amount;
  for (const batch of payer.holding.usable) {
    if (missing === 0) break;
    const taken = Math.min(batch.available, missing);
    takings.push({ batch, amount: taken });
    missing -= taken;
  }
  assert(missing === 0, `the loaded batches of ${payer.provider.productKey} cover the need`);
  return takings;
}

/** What can be used now, in the asked unit (null when uncounted), and the batch that would be used first. */
export function availabilityOf(
  book: Book,
  providers: readonly Provider[],
): { available: number | null; first: Batch | null } {
  const payers = payersOf(book, providers);
  const first = payers[0]?.first ?? null;
  return { available: payers[0]?.isUncounted ? null : sumPayable(payers), first };
}

function sumPayable(payers: readonly Payer[]): number {
  return payers.reduce((sum, payer) => Math.min(QUANTITY_MAX, sum + unitsPayable(payer)), 0);
}

/**
 * Plans to take `amount` units, all or nothing: uncounted products first, then direct, then pooled ones; each pays whole feature
 * units before the next is asked. Throws: quantity_too_large (an uncounted batch whose use can't be counted any more).
 */
export function planConsume(book: Book, providers: readonly Provider[], amount: number): ConsumePlan {
  const payers = payersOf(book, providers);
  const uncounted = payers.find((payer) => payer.isUncounted);
  if (uncounted) {
    const units = multiplyQuantities(amount, uncounted.provider.unitCost);
    if (units === null || !canAdd(uncounted.first.consumed, units)) {
      throw new AppError('quantity_too_large', `The use of one batch can be counted up to ${QUANTITY_MAX}.`, {
        pointer: '/amount',
      });
    }
    return { isAllowed: true, takings: [{ batch: uncounted.first, amount: units }], available: null, remaining: null };
  }
  const available = sumPayable(payers);
  if (available < amount) return { isAllowed: false, takings: [], available, remaining: available };
  const takings: Taking[] = [];
  let left = amount;
  for (const payer of payers) {
    const units = Math.min(left, unitsPayable(payer));
    if (units === 0) break;
    takings.push(...takeInBurnOrder(payer, units * payer.provider.unitCost));
    left -= units;
  }
  return { isAllowed: true, takings, available, remaining: available - amount };
}

/** Carries out an allowed plan. Returns the last entry, whose id is the `usage_id`. */
export function consume(book: Book, plan: ConsumePlan, details: ConsumeDetails): Entry {
  assert(plan.isAllowed, 'only an allowed plan is carried out');
  let last: Entry | undefined;
  for (const { batch, amount } of plan.takings) {
    last =
      batch.granted === null
        ? postUse(book, batch, amount, details)
        : postDebit(book, batch, 'consume', amount, details);
  }
  forgetEmptied(book, plan);
  return required(last, 'a plan takes something');
}

/** Takes away what an allowed plan over a counted product names: the units end as revoked. */
export function revokePlanned(book: Book, plan: ConsumePlan, details: ConsumeDetails): void {
  assert(plan.isAllowed, 'only an allowed plan is carried out');
  for (const { batch, amount } of plan.takings) postDebit(book, batch, 'revoke', amount, details);
  forgetEmptied(book, plan);
}

function forgetEmptied(book: Book, plan: ConsumePlan): void {
  for (const productKey of new Set(plan.takings.map(({ batch }) => batch.productKey))) {
    const holding = holdingOf(book, productKey);
    holding.usable = holding.usable.filter((batch) => batch.available > 0);
  }
}
