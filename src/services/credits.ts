// Credits: plain amounts of a currency product, thin over the same ledger as grants and consumes.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findProducts } from '../db/catalog.js';
import { type ExpiringUnits, listExpiring, sumHeld } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { readSettled } from '../engine/reads.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf, type Standing, spendable, standingOf } from '../ledger/book.js';
import type { Term } from '../ledger/catalog-entities.js';
import { assertProvided, consume, type Provider, type Taking } from '../ledger/consume.js';
import { assertEndsLater, assertGrantable, type FixedValidity, grant } from '../ledger/grant.js';
import type { Violation } from '../ledger/limit-entities.js';
import { use } from '../ledger/use.js';
import type { Metadata } from '../lib/metadata.js';

export interface AddCreditsCommand {
  productKey: string;
  amount: number;
  expiresAt: Date | undefined;
  metadata: Metadata;
}

export interface DeductCreditsCommand {
  productKey: string;
  amount: number;
  /** For work that is done already: what is lacking is owed. */
  allowNegative: boolean;
  metadata: Metadata;
}

/** The standing is that afterwards. */
interface MovedCredits extends Standing {
  operationId: string;
  productKey: string;
  amount: number;
  metadata: Metadata;
}

export interface AddedCredits extends MovedCredits {
  batchId: string;
  repaid: number;
}

export interface DeductedCredits extends MovedCredits {
  takings: Taking[];
  owed: number;
  warnings: Violation[];
}

export interface CreditsBalance extends Standing {
  customerId: string;
  productKey: string;
  available: number;
  held: number;
  owed: number;
}

/**
 * Adds credits as one batch; what is owed is repaid from it at once. Creates the customer on first sight.
 * Locks: the customer. Throws: product_not_found, product_not_currency, product_inactive, quantity_too_large, invalid_request (expires_at),
 * customer_not_found, selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function addCredits(
  deps: Deps,
  selector: Selector,
  command: AddCreditsCommand,
  call: Call,
  render: Render<AddedCredits>,
): Promise<RecordedAnswer> {
  const subject = { productKey: command.productKey };
  return deps.engine.run({
    name: 'credits.add',
    selector,
    call,
    request: command,
    needs: { asks: [{ subject, amount: 0 }] },
    decide: ({ book, providersOf, operationId }): Decision<AddedCredits> => {
      const currency = requireCurrency(providersOf(subject), command.productKey);
      return { outcome: 'accepted', result: decideAdd(book, currency, command, operationId) };
    },
    render,
  });
}

function decideAdd(
  book: Book,
  { productKey, isActive }: Provider,
  { amount, expiresAt, metadata }: AddCreditsCommand,
  operationId: string,
): AddedCredits {
  if (!isActive) {
    throw new AppError('product_inactive', `${productKey} is not active: it is neither sold nor granted.`, {
      pointer: '/product_key',
    });
  }
  const validity: FixedValidity = { validFrom: book.now, expiresAt: expiresAt ?? null };
  assertEndsLater(validity, book.now);
  const term: Term = {
    productKey,
    productType: 'quantity',
    quantity: amount,
    periodUnit: 'forever',
    periodValue: null,
    priority: 0,
    stacking: 'parallel',
  };
  assertGrantable(book, [{ term, times: 1, pointer: '/amount' }]);
  const origin = { sku: null, orderId: null, orderItemId: null, actionType: 'credits.add', metadata };
  const batch = grant(book, term, 1, { ...origin, source: 'bonus', operationId }, validity);
  const standing = standingOf(holdingOf(book, productKey));
  return { operationId, productKey, amount, ...standing, metadata, batchId: batch.id, repaid: batch.consumed };
}

/**
 * Takes credits, all or nothing; with `allowNegative` what is lacking is owed. Creates the customer on first sight.
 * Locks: the customer. Throws: insufficient_quota, product_not_found, product_not_currency, quantity_too_large, too_many_batches, customer_not_found,
 * selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function deductCredits(
  deps: Deps,
  selector: Selector,
  command: DeductCreditsCommand,
  call: Call,
  render: Render<DeductedCredits>,
): Promise<RecordedAnswer> {
  const { productKey, amount, allowNegative, metadata } = command;
  const ask = { subject: { productKey }, amount, isOverdraft: allowNegative };
  return deps.engine.run({
    name: 'credits.deduct',
    selector,
    call,
    request: command,
    needs: { asks: [ask] },
    decide: ({ book, providersOf, operationId }): Decision<DeductedCredits> => {
      const currency = requireCurrency(providersOf(ask.subject), productKey);
      const details = { operationId, feature: null, actionType: 'credits.deduct', actionId: null, metadata };
      const { takings, owed, warnings } = use(book, ask, [currency], (plan) => {
        consume(book, plan, details);
        return plan;
      });
      const standing = standingOf(holdingOf(book, productKey));
      const result = {
        operationId,
        productKey,
        amount,
        ...standing,
        metadata,
        takings,
        owed: owed?.amount ?? 0,
        warnings,
      };
      return { outcome: 'accepted', result };
    },
    render,
  });
}

/**
 * What a customer has, holds and owes of a currency product.
 * Throws: customer_not_found, selector_conflict, product_not_found, product_not_currency, overloaded.
 */
export async function getCreditsBalance(deps: Deps, selector: Selector, productKey: string): Promise<CreditsBalance> {
  const subject = { productKey };
  const { at, book, providersOf, mergedIds } = await deps.reads.require(selector, [{ subject, amount: 0 }]);
  requireCurrency(providersOf(subject), productKey);
  const holding = holdingOf(book, productKey);
  const heldOfMerged = await sumHeld(deps.db, mergedIds, { at, isPast: false });
  return {
    customerId: book.customerId,
    productKey,
    ...standingOf(holding),
    available: spendable(holding),
    held: holding.held + (heldOfMerged.get(productKey) ?? 0),
    owed: holding.owed,
  };
}

/**
 * One page of the credits that end within so many seconds, soonest first.
 * Throws: customer_not_found, selector_conflict, product_not_found, product_not_currency.
 */
export async function getExpiringCredits(
  deps: Deps,
  selector: Selector,
  { productKey, withinS }: { productKey: string; withinS: number },
  page: { after: { expiresAt: Date; id: string } | undefined; limit: number },
): Promise<ExpiringUnits[]> {
  const reader = await requireCustomer(deps, selector);
  const { familyIds, now } = reader;
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  requireCurrency(product ? [product] : [], productKey);
  const before = new Date(now.getTime() + withinS * 1_000);
  return readSettled(deps, reader, { at: now, isPast: false }, (tx, settled) =>
    listExpiring(tx, familyIds, now, settled, { productKey, before }, page),
  );
}

/** Throws: product_not_found, product_not_currency. */
function requireCurrency<P extends { isCurrency: boolean }>(providers: readonly P[], productKey: string): P {
  assertProvided({ productKey }, providers);
  const [currency] = providers;
  if (currency?.isCurrency) return currency;
  throw new AppError('product_not_currency', `${productKey} is no currency product.`, { pointer: '/product_key' });
}
