// Grants: giving an offer or a quantity without a payment.
import { findOrderableOffers, findProducts } from '../db/catalog.js';
import type { PrismaTx } from '../db/client.js';
import type { StoredBatch } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { resolveCustomer, type Selector } from '../engine/customers.js';
import { type RecordedAnswer, type Render, runOperation } from '../engine/write-path.js';
import { AppError } from '../errors/app-error.js';
import type { Book, Metadata } from '../ledger/book.js';
import { assertGrantable, type FixedValidity, grant, type Term } from '../ledger/grant.js';

/** What is granted: an offer as it stands, or units of one product with a validity of its own. */
export type GrantSubject =
  | { sku: string; quantity: number }
  | {
      productKey: string;
      quantity: number;
      priority: number;
      validFrom: Date | undefined;
      expiresAt: Date | undefined;
    };

export interface GrantCommand {
  grantType: 'bonus';
  subject: GrantSubject;
  reason: string | undefined;
  metadata: Metadata;
}

export interface GrantResult {
  operationId: string;
  grantType: GrantCommand['grantType'];
  batches: StoredBatch[];
  metadata: Metadata;
  /** The instant at which this is true. */
  now: Date;
}

interface Grantable {
  sku: string | null;
  terms: Term[];
  times: number;
}

/**
 * Grants a bonus. Creates the customer on first sight.
 * Locks: the customer. Throws: offer_not_found, offer_inactive, product_not_found, product_inactive, quantity_too_large, invalid_request
 * (validity), customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function grantBonus(
  deps: Deps,
  selector: Selector,
  command: GrantCommand,
  idempotencyKey: string | undefined,
  render: Render<GrantResult>,
): Promise<RecordedAnswer> {
  const customerId = await resolveCustomer(deps, selector);
  return runOperation(deps, {
    name: 'grant',
    customerId,
    idempotencyKey,
    request: command,
    load: async (tx) => {
      const grantable = await findGrantable(tx, command.subject);
      const terms = 'error' in grantable ? [] : grantable.terms;
      return {
        loaded: grantable,
        asks: [...new Set(terms.map((term) => term.productKey))].map((productKey) => ({ productKey, units: 0 })),
      };
    },
    decide: (book, grantable, operationId) => {
      if ('error' in grantable) return { outcome: 'refused', error: grantable.error };
      const batches = decideGrant(book, grantable, command, operationId);
      const { grantType, metadata } = command;
      return { outcome: 'accepted', result: { operationId, grantType, batches, metadata, now: book.now } };
    },
    render,
  });
}

async function findGrantable(tx: PrismaTx, subject: GrantSubject): Promise<Grantable | { error: AppError }> {
  return 'sku' in subject ? findGrantableOffer(tx, subject) : findGrantableProduct(tx, subject);
}

async function findGrantableOffer(
  tx: PrismaTx,
  subject: Extract<GrantSubject, { sku: string }>,
): Promise<Grantable | { error: AppError }> {
  const { sku, quantity } = subject;
  const pointer = '/sku';
  const offer = (await findOrderableOffers(tx, [sku])).get(sku);
  if (!offer) return { error: new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer }) };
  if (!offer.isActive) return { error: new AppError('offer_inactive', `The offer ${sku} is not active.`, { pointer }) };
  const [inactive] = offer.inactiveProductKeys;
  if (inactive !== undefined) return { error: inactiveProduct(inactive, pointer) };
  if (offer.terms.length === 0) {
    return { error: new AppError('invalid_request', `The offer ${sku} gives nothing.`, { pointer }) };
  }
  return { sku, terms: offer.terms, times: quantity };
}

function inactiveProduct(productKey: string, pointer: string): AppError {
  return new AppError('product_inactive', `${productKey} is not active: it is neither sold nor granted.`, { pointer });
}

async function findGrantableProduct(
  tx: PrismaTx,
  subject: Extract<GrantSubject, { productKey: string }>,
): Promise<Grantable | { error: AppError }> {
  const { productKey, quantity, priority } = subject;
  const pointer = '/product_key';
  const product = (await findProducts(tx, [productKey])).get(productKey);
  if (!product) return { error: new AppError('product_not_found', `There is no product ${productKey}.`, { pointer }) };
  if (!product.isActive) return { error: inactiveProduct(productKey, pointer) };
  if (product.type !== 'quantity' && quantity !== 1) {
    const detail = `${productKey} is not counted: its quantity is 1, its length is set by expires_at.`;
    return { error: new AppError('invalid_request', detail, { pointer: '/quantity' }) };
  }
  const term: Term = {
    productKey,
    productType: product.type,
    quantity,
    periodUnit: 'forever',
    periodValue: null,
    priority,
    stacking: 'parallel',
  };
  return { sku: null, terms: [term], times: 1 };
}

/** The validity that a command gives outright. Throws: invalid_request (it would have ended already, or end before it begins). */
function fixedValidityOf(book: Book, subject: GrantSubject): FixedValidity | undefined {
  if ('sku' in subject) return undefined;
  const validFrom = subject.validFrom && subject.validFrom > book.now ? subject.validFrom : book.now;
  const expiresAt = subject.expiresAt ?? null;
  if (expiresAt !== null && expiresAt <= validFrom) {
    const detail = 'expires_at must lie in the future, and after valid_from.';
    throw new AppError('invalid_request', detail, { pointer: '/expires_at' });
  }
  return { validFrom, expiresAt };
}

function decideGrant(
  book: Book,
  { sku, terms, times }: Grantable,
  command: GrantCommand,
  operationId: string,
): StoredBatch[] {
  const fixed = fixedValidityOf(book, command.subject);
  assertGrantable(
    book,
    terms.map((term) => ({ term, times, pointer: '/quantity' })),
  );
  const metadata = command.reason === undefined ? command.metadata : { ...command.metadata, reason: command.reason };
  return terms.map((term) => ({
    ...grant(
      book,
      term,
      times,
      {
        source: command.grantType,
        operationId,
        sku,
        orderId: null,
        orderItemId: null,
        actionType: command.grantType,
        metadata,
      },
      fixed,
    ),
    revokedAt: null,
  }));
}
