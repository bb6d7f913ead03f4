// Credits: plain amounts of a currency product, thin over the same ledger as grants and consumes.
import { findProducts } from '../db/catalog.js';
import { type ExpiringUnits, listExpiring } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer, type Selector } from '../engine/customers.js';
import type { Decision, RecordedAnswer, Render } from '../engine/operation.js';
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf, type Metadata, settledBalance, spendable } from '../ledger/book.js';
import {
  assertProvided,
  consume,
  insufficientQuota,
  type Provider,
  planConsume,
  type Taking,
} from '../ledger/consume.js';
import { overdraw, planOverdraft } from '../ledger/debt.js';
import { assertGrantable, type FixedValidity, grant, type Term } from '../ledger/grant.js';
import { assertEndsLater } from './grants.js';
import { type Asked, explainRefusal } from './quota.js';

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

/** `balance` is what is available minus what is owed, afterwards. */
interface MovedCredits {
  operationId: string;
  productKey: string;
  amount: number;
  balance: number;
  metadata: Metadata;
}

export interface AddedCredits extends MovedCredits {
  batchId: string;
  repaid: number;
}

export interface DeductedCredits extends MovedCredits {
  takings: Taking[];
  owed: number;
}

export interface CreditsBalance {
  customerId: string;
  productKey: string;
  balance: number;
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
  idempotencyKey: string | undefined,
  render: Render<AddedCredits>,
): Promise<RecordedAnswer> {
  const subject = { productKey: command.productKey };
  return deps.lanes.run({
    name: 'credits.add',
    selector,
    idempotencyKey,
    request: command,
    needs: { asks: [{ subject, amount: 0 }] },
    decide: (book, operationId, providersOf): Decision<AddedCredits> => {
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
  const balance = settledBalance(holdingOf(book, productKey));
  return { operationId, productKey, amount, balance, metadata, batchId: batch.id, repaid: batch.consumed };
}

/**
 * Takes credits, all or nothing; with `allowNegative` what is lacking is owed. Creates the customer on first sight.
 * Locks: the customer. Throws: insufficient_quota, product_not_found, product_not_currency, quantity_too_large, customer_not_found,
 * selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function deductCredits(
  deps: Deps,
  selector: Selector,
  command: DeductCreditsCommand,
  idempotencyKey: string | undefined,
  render: Render<DeductedCredits>,
): Promise<RecordedAnswer> {
  const ask = {
    subject: { productKey: command.productKey },
    amount: command.amount,
    isOverdraft: command.allowNegative,
  };
  let asked: Asked | undefined;
  try {
    return await deps.lanes.run({
      name: 'credits.deduct',
      selector,
      idempotencyKey,
      request: command,
      needs: { asks: [ask] },
      decide: (book, operationId, providersOf): Decision<DeductedCredits> => {
        const currency = requireCurrency(providersOf(ask.subject), command.productKey);
        asked = { customerId: book.customerId, now: book.now, providers: [currency], ask };
        return { outcome: 'accepted', result: decideDeduct(book, currency, command, operationId) };
      },
      render,
    });
  } catch (error) {
    throw await explainRefusal(deps, error, asked);
  }
}

function decideDeduct(
  book: Book,
  currency: Provider,
  { productKey, amount, allowNegative, metadata }: DeductCreditsCommand,
  operationId: string,
): DeductedCredits {
  const details = { operationId, feature: null, actionType: 'credits.deduct', actionId: null, metadata };
  const result = (takings: Taking[], owed: number): DeductedCredits => {
    const balance = settledBalance(holdingOf(book, productKey));
    return { operationId, productKey, amount, balance, metadata, takings, owed };
  };
  if (allowNegative) {
    const plan = planOverdraft(book, productKey, amount);
    overdraw(book, productKey, plan, details);
    return result(plan.takings, plan.owed);
  }
  const plan = planConsume(book, [currency], amount);
  if (!plan.isAllowed) throw insufficientQuota({ productKey }, amount, plan);
  consume(book, plan, details);
  return result(plan.takings, 0);
}

/**
 * What a customer has, holds and owes of a currency product.
 * Throws: customer_not_found, selector_conflict, product_not_found, product_not_currency, overloaded.
 */
export async function getCreditsBalance(deps: Deps, selector: Selector, productKey: string): Promise<CreditsBalance> {
  const subject = { productKey };
  const { book, providersOf } = await deps.reads.require(selector, [{ subject, amount: 0 }]);
  requireCurrency(providersOf(subject), productKey);
  const holding = holdingOf(book, productKey);
  const { held, owed } = holding;
  return {
    customerId: book.customerId,
    productKey,
    balance: settledBalance(holding),
    available: spendable(holding),
    held,
    owed,
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
  const { customerId, now } = await requireCustomer(deps, selector);
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  requireCurrency(product ? [product] : [], productKey);
  const before = new Date(now.getTime() + withinS * 1_000);
  return listExpiring(deps.db, customerId, now, { productKey, before }, page);
}

/** Throws: product_not_found, product_not_currency. */
function requireCurrency<P extends { isCurrency: boolean }>(providers: readonly P[], productKey: string): P {
  assertProvided({ productKey }, providers);
  const [currency] = providers;
  if (currency?.isCurrency) return currency;
  throw new AppError('product_not_currency', `${productKey} is no currency product.`, { pointer: '/product_key' });
}
