// What is given without payment (DOMAIN 3.8), whichever way it is asked for: what may be given, where it comes from, and the giving of it.

import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../lib/metadata.js';
import type { Book } from './book.js';
import type { Term } from './catalog-entities.js';
import type { NewBatch } from './entities.js';
import { assertGrantable, type FixedValidity, type GrantOrigin, grant } from './grant.js';
import type { OrderableOffer } from './orders.js';

/** Why something is given without payment. */
export type GrantType = 'trial' | 'bonus' | 'adjustment' | 'migration';

/** An offer or a quantity in the terms of a grant. */
export interface Grantable {
  sku: string | null;
  terms: Term[];
  times: number;
}

/** Refuses an offer that can't be given. Throws: offer_not_found, offer_inactive, product_inactive, invalid_request (it gives nothing). */
export function requireGrantable(sku: string, offer: OrderableOffer | undefined, pointer = '/sku'): OrderableOffer {
  if (!offer) throw new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer });
  if (!offer.isActive) throw new AppError('offer_inactive', `The offer ${sku} is not active.`, { pointer });
  const [inactive] = offer.inactiveProductKeys;
  if (inactive !== undefined) throw inactiveProduct(inactive, pointer);
  if (offer.terms.length === 0) throw new AppError('invalid_request', `The offer ${sku} gives nothing.`, { pointer });
  return offer;
}

/** The refusal of a product that is not active. */
export function inactiveProduct(productKey: string, pointer: string): AppError {
  return new AppError('product_inactive', `${productKey} is not active: it is neither sold nor granted.`, { pointer });
}

/** What the batches of a grant say of where they come from; the reason is kept with the metadata. */
export function originOf(
  { grantType, metadata, reason }: { grantType: GrantType; metadata: Metadata; reason: string | undefined },
  operationId: string,
): Omit<GrantOrigin, 'sku'> {
  return {
    source: grantType,
    operationId,
    orderId: null,
    orderItemId: null,
    actionType: grantType,
    metadata: reason === undefined ? metadata : { ...metadata, reason },
  };
}

/** Gives all of these, or throws before anything is given. Throws: quantity_too_large. */
export function give(
  book: Book,
  grantables: readonly Grantable[],
  origin: Omit<GrantOrigin, 'sku'>,
  fixed: FixedValidity | undefined,
): NewBatch[] {
  const lines = grantables.flatMap(({ sku, terms, times }) =>
    terms.map((term) => ({ sku, term, times, pointer: '/quantity' })),
  );
  assertGrantable(book, lines);
  return lines.map(({ sku, term, times }) => grant(book, term, times, { ...origin, sku }, fixed));
}
