// Exchange: spends an offer's price in a currency product and grants the offer, in one operation with linked entries (DOMAIN 3.11).

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers } from '../db/catalog.js';
import { countPlaces } from '../db/offer-places.js';
import { type StoredBatch, toNewlyStored } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf, showStandings } from '../ledger/book.js';
import type { OrderableOffer } from '../ledger/catalog-entities.js';
import { consume, type Provider } from '../ledger/consume.js';
import { asksOf, assertGrantable, grant } from '../ledger/grant.js';
import type { Violation } from '../ledger/limit-entities.js';
import { assertPlaces } from '../ledger/offer-places.js';
import { assertOrderable } from '../ledger/orders.js';
import { type UseAsk, use } from '../ledger/use.js';
import { isMoneyCurrency } from '../lib/currencies.js';
import type { Metadata } from '../lib/metadata.js';
import { MICROS_PER_UNIT } from '../lib/money.js';

export interface ExchangeCommand {
  sku: string;
  metadata: Metadata;
}

export interface ExchangeResult {
  operationId: string;
  spent: { productKey: string; amount: number };
  batches: StoredBatch[];
  /** Balances afterwards of the products that were touched and are counted. */
  balances: Map<string, number>;
  /** What of them becomes valid later, where there is something. */
  upcoming: Map<string, number>;
  warnings: Violation[];
  metadata: Metadata;
}

const POINTER = '/sku';

/**
 * Exchanges units of a currency product for an offer, once. Creates the customer on first sight.
 * Locks: the customer. Throws: offer_not_found, offer_inactive, product_inactive, offer_not_exchangeable, already_unlimited,
 * offer_limit_reached, insufficient_quota, quantity_too_large, too_many_batches, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function exchange(
  deps: Deps,
  selector: Selector,
  command: ExchangeCommand,
  call: Call,
  render: Render<ExchangeResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'exchange',
    selector,
    call,
    request: command,
    load: async (tx) => (await findOrderableOffers(tx, [command.sku])).get(command.sku),
    needs: (offer) => ({ asks: offer ? [priceAsked(offer), ...asksOf(offer.terms)] : [] }),
    loadMore: (tx, offer, _customerId, now, familyIds) => countPlaces(tx, familyIds, offer ? [offer] : [], now),
    decide: ({ book, providersOf, loaded: offer, more: places, operationId }) => {
      if (!offer) throw new AppError('offer_not_found', `There is no offer ${command.sku}.`, { pointer: POINTER });
      assertExchangeable(book, offer);
      assertPlaces(places, [{ ...offer, quantity: 1, pointer: POINTER }]);
      const result = exchangeFor(book, offer, providersOf({ productKey: offer.currency }), command, operationId);
      return { outcome: 'accepted', result };
    },
    render,
  });
}

function priceAsked(offer: OrderableOffer): UseAsk {
  const { sku, currency } = offer;
  const price = priceOf(offer);
  return {
    subject: { productKey: currency },
    amount: price,
    refusalText: (available) => `${sku} costs ${price} ${currency}, ${available} available.`,
    pointer: POINTER,
  };
}

/** The price in whole units of the currency product; prices in one have no decimals. */
function priceOf(offer: OrderableOffer): number {
  return Number(offer.price / MICROS_PER_UNIT);
}

function assertExchangeable(book: Book, offer: OrderableOffer): void {
  const refuse = (detail: string) => new AppError('offer_not_exchangeable', detail, { pointer: POINTER });
  if (offer.isActive && isMoneyCurrency(offer.currency))
    throw refuse(`${offer.sku} costs ${offer.currency}: order it.`);
  assertOrderable(book, offer, POINTER, 'exchange');
  if (offer.terms.length === 0) throw refuse(`${offer.sku} gives nothing.`);
  if (offer.price < MICROS_PER_UNIT) throw refuse(`${offer.sku} costs nothing: the least price of an exchange is 1.`);
}

function exchangeFor(
  book: Book,
  offer: OrderableOffer,
  providers: readonly Provider[],
  { sku, metadata }: ExchangeCommand,
  operationId: string,
): ExchangeResult {
  const ask = priceAsked(offer);
  const { batches, warnings } = use(book, ask, providers, (plan) => {
    assertGrantable(
      book,
      offer.terms.map((term) => ({ term, times: 1, pointer: POINTER })),
    );
    consume(book, plan, { operationId, feature: null, actionType: 'exchange', actionId: null, metadata });
    const origin = { sku, orderId: null, orderItemId: null, actionType: 'exchange', metadata };
    const given = offer.terms.map((term) => grant(book, term, 1, { ...origin, source: 'exchange', operationId }));
    return { batches: given, warnings: plan.warnings };
  });
  const counted = offer.terms.filter((term) => term.productType === 'quantity').map((term) => term.productKey);
  const touched = [offer.currency, ...counted].map((productKey) => holdingOf(book, productKey));
  const { balance: balances, upcoming } = showStandings(touched);
  return {
    operationId,
    spent: { productKey: offer.currency, amount: ask.amount },
    batches: batches.map(toNewlyStored),
    balances,
    upcoming,
    warnings,
    metadata,
  };
}
