// Which batches pay for a use, and what that leaves (DOMAIN 3.3, 3.4). `planConsume` decides and changes nothing, so that the dry run
// and the real thing are one code; `consume` carries a plan out. Who wants to use something asks `use` (use.ts).

import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { type Book, compareBurnOrder, holdingOf, spendable } from './book.js';
import { assertFewCopies, assertFewTaken, TooFewRead } from './bounds.js';
import type { ProductType, Subject } from './catalog-entities.js';
import { unitCounter } from './counting.js';
import type { Batch, Entry, Holding } from './entities.js';
import type { Violation } from './limit-entities.js';
import { meterOf } from './meter.js';
import { postDebit, postDebt, postUse } from './postings.js';
import { canAdd, multiplyQuantities, QUANTITY_MAX } from './quantities.js';

/** What a decision looks at, and how much of it it may take (in the subject's unit; 0 when nothing is taken). */
export interface SubjectAsk {
  subject: Subject;
  amount: number;
  /** Takes from every batch, those that are not valid yet included. */
  isOverdraft?: boolean;
  /** Looks at what is in use in all, whether or not there is a limit on it. */
  countsTotal?: boolean;
}

/** What an operation granted, and those in whose ledgers it may go on, since its customer was merged. */
export interface GrantedUnits {
  customerId: string;
  operationId: string;
  memberIds: readonly string[];
}

/** What a decision looks at besides what is due. */
export interface Needs {
  asks: readonly SubjectAsk[];
  /** A reservation, and how much of it is to be committed, in its unit (0 when nothing is). */
  reservation?: { id: string; amount: number };
  /** An earlier operation whose units may come back. */
  takenBy?: string;
  /** A paid order, of which something is taken back or given back. */
  sold?: string;
  /** His subscriptions, whether or not one turns. */
  plans?: boolean;
  /** A subscription of which what it allocated may be taken away. */
  allocatedOf?: string | undefined;
  /** What an operation granted without a payment, which is taken back. */
  granted?: GrantedUnits | undefined;
}

/** A product that can pay for what is asked. `unitCost` is product units per feature unit, 1 when the product itself was asked for. */
export interface Provider {
  productKey: string;
  type: ProductType;
  isActive: boolean;
  isCurrency: boolean;
  unitCost: number;
  /** How many features the product provides: one makes it direct, several make it pooled. */
  featureCount: number;
}

/** Product units taken from one batch. `unitCost` is what one unit of the subject cost, where a plan says it. */
export interface Taking {
  batch: Batch;
  amount: number;
  unitCost?: number;
}

/** A use that may be carried out. `remaining` is in the asked unit (feature units for a feature), null when uncounted. */
export interface UsePlan {
  isAllowed: true;
  takings: Taking[];
  /** What is owed in the end, in product units: an overdraft's. */
  owed: { productKey: string; amount: number } | null;
  remaining: number | null;
  /** Limits that it goes beyond and that refuse nothing. */
  warnings: Violation[];
}

/** What is planned, or how much there is of what was asked for, in its unit. */
export type ConsumePlan = UsePlan | { isAllowed: false; available: number };

export interface ConsumeDetails {
  operationId: string;
  feature: string | null;
  actionType: string;
  actionId: string | null;
  reservationId?: string;
  metadata: Metadata;
}

interface Payer {
  provider: Provider;
  holding: Holding;
  /** Undefined where more can be spent, but what was read of it is taken. */
  first: Batch | undefined;
  isUncounted: boolean;
}

/** Refuses a subject that no product pays for. Throws: product_not_found, feature_not_found. */
export function assertProvided(subject: Subject, providers: readonly unknown[]): void {
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
    const first =
      provider.type === 'metered'
        ? meterOf(book, provider.productKey)
        : (isUncounted ? holding.running : holding.usable)[0];
    const canPay = isUncounted ? first !== undefined : spendable(holding) >= provider.unitCost;
    if (canPay) payers.push({ provider, holding, first, isUncounted });
  }
  return payers.sort((a, b) => rankOf(a) - rankOf(b) || compareFirst(a, b));
}

function compareFirst({ first: a }: Payer, { first: b }: Payer): number {
  return a && b ? compareBurnOrder(a, b) : Number(!a) - Number(!b);
}

function unitsPayable(payer: Payer): number {
  return Math.floor(spendable(payer.holding) / payer.provider.unitCost);
}

/** Takes `amount` units from batches in their order, as far as they go. */
export function takeInOrder(batches: readonly Batch[], amount: number): { takings: Taking[]; missing: number } {
  const takings: Taking[] = [];
  let missing = amount;
  for (const batch of batches) {
    if (missing === 0) break;
    const taken = Math.min(batch.available, missing);
    if (taken > 0) takings.push({ batch, amount: taken });
    missing -= taken;
  }
  return { takings, missing };
}

/** What can be used now, in the asked unit (null when uncounted), and the batch that would be used first. */
export function availabilityOf(
  book: Book,
  providers: readonly Provider[],
): { available: number | null; first: Batch | null } {
  const payers = payersOf(book.onward?.book ?? book, providers);
  const first = payers[0]?.first ?? null;
  return { available: payers[0]?.isUncounted ? null : sumPayable(payers), first };
}

/** What becomes valid later of what is counted, in whole units of what was asked for. */
export function upcomingOf(book: Book, providers: readonly Provider[]): number {
  const units = (provider: Provider) =>
    Math.floor(holdingOf(book, provider.productKey).notYetValid / provider.unitCost);
  return providers.reduce((sum, provider) => Math.min(QUANTITY_MAX, sum + units(provider)), 0);
}

function sumPayable(payers: readonly Payer[]): number {
  return payers.reduce((sum, payer) => Math.min(QUANTITY_MAX, sum + unitsPayable(payer)), 0);
}

/**
 * Plans to take `amount` units, all or nothing: uncounted products first, then direct, then pooled ones; each pays whole feature
 * units before the next is asked. `pointer` names the amount in the request.
 * Throws: quantity_too_large (an uncounted batch whose use can't be counted any more), too_many_batches.
 */
export function planConsume(
  book: Book,
  providers: readonly Provider[],
  amount: number,
  pointer = '/amount',
): ConsumePlan {
  const payers = payersOf(book, providers);
  const uncounted = payers.find((payer) => payer.isUncounted);
  if (uncounted?.first) {
    const units = multiplyQuantities(amount, uncounted.provider.unitCost);
    if (units === null || !canAdd(uncounted.first.consumed, units)) {
      throw new AppError('quantity_too_large', `The use of one batch can be counted up to ${QUANTITY_MAX}.`, {
        pointer,
      });
    }
    const taking = { batch: uncounted.first, amount: units, unitCost: uncounted.provider.unitCost };
    return { isAllowed: true, takings: [taking], owed: null, remaining: null, warnings: [] };
  }
  const available = sumPayable(payers);
  if (available < amount) return { isAllowed: false, available };
  // In which order they pay is told by the first batch of each.
  if (payers.some(({ first }) => !first)) throw new TooFewRead(pointer);
  const takings: Taking[] = [];
  let left = amount;
  for (const payer of payers) {
    const units = Math.min(left, unitsPayable(payer));
    if (units === 0) break;
    const { unitCost } = payer.provider;
    const own = takeInOrder(payer.holding.usable, units * unitCost);
    for (const taking of own.takings) takings.push({ ...taking, unitCost });
    assertFewTaken(takings.length, own.missing === 0, pointer);
    left -= units;
  }
  return { isAllowed: true, takings, owed: null, remaining: remainingOf(payers, takings), warnings: [] };
}

/** What can be used after these takings, in the asked unit. */
function remainingOf(payers: readonly Payer[], takings: readonly Taking[]): number {
  return payers.reduce((sum, { provider, holding }) => {
    const own = takings.filter(({ batch }) => batch.productKey === provider.productKey);
    const left = own.reduce((units, taking) => units - taking.amount, spendable(holding));
    return Math.min(QUANTITY_MAX, sum + Math.floor(left / provider.unitCost));
  }, 0);
}

/**
 * Carries out a plan: takes, then owes what is lacking. Returns the last entry, whose id is the `usage_id`.
 * Throws: too_many_batches (to which its metadata would be copied), before anything is posted.
 */
export function consume(book: Book, plan: UsePlan, details: ConsumeDetails): Entry {
  assertFewCopies(details.metadata, plan.takings.length);
  let last: Entry | undefined;
  const unitsOf = unitCounter();
  for (const { batch, amount, unitCost = 1 } of plan.takings) {
    const counted = { at: book.now, amount: unitsOf(batch.productKey, amount, unitCost) };
    const posting = { ...details, counted, unitCost: details.feature === null ? null : unitCost };
    last =
      batch.granted === null
        ? postUse(book, batch, amount, posting)
        : postDebit(book, batch, 'consume', amount, posting);
  }
  forgetEmptied(book, plan);
  const { owed } = plan;
  if (owed) {
    const counted = { at: book.now, amount: owed.amount };
    last = postDebt(book, owed.productKey, owed.amount, { ...details, counted });
  }
  return required(last, 'a plan takes or owes something');
}

/** Takes away what a plan over a counted product names: the units end as revoked. Throws: too_many_batches, like `consume`. */
export function revokePlanned(book: Book, plan: UsePlan, details: ConsumeDetails): void {
  assertFewCopies(details.metadata, plan.takings.length);
  for (const { batch, amount } of plan.takings) postDebit(book, batch, 'revoke', amount, details);
  forgetEmptied(book, plan);
}

/** Drops the batches that a plan emptied from those that can be used. */
export function forgetEmptied(book: Book, { takings }: Pick<UsePlan, 'takings'>): void {
  for (const productKey of new Set(takings.map(({ batch }) => batch.productKey))) {
    const holding = holdingOf(book, productKey);
    holding.usable = holding.usable.filter((batch) => batch.available > 0);
    holding.pending = holding.pending.filter((batch) => batch.available > 0);
  }
}
