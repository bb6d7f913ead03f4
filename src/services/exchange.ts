// Exchange: spends an offer's price in a currency product and grants the offer, in one operation with linked entries (DOMAIN 3.11).

import { findOrderableOffers } from '../db/catalog.js';
import type { StoredBatch } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import type { Selector } from '../engine/customers.js';
import type { Decision, RecordedAnswer, Render } from '../engine/operation.js';
import { runOperation } from '../engine/write-path.js';
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf, type Metadata, settledBalance } from '../ledger/book.js';
import { consume, type Provider, planConsume, type SubjectAsk } from '../ledger/consume.js';
import { isMoneyCurrency } from '../ledger/currencies.js';
import { assertGrantable, grant } from '../ledger/grant.js';
import { assertOrderable, type OrderableOffer } from '../ledger/orders.js';
import { MICROS_PER_UNIT } from '../lib/money.js';
import { type Asked, explainRefusal } from './quota.js';

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
  metadata: Metadata;
  /** The instant at which this is true. */
  now: Date;
}

const POINTER = '/sku';

/**
 * Exchanges units of a currency product for an offer, once. Creates the customer on first sight.
 * Locks: the customer. Throws: offer_not_found, offer_inactive, product_inactive, offer_not_exchangeable, already_unlimited,
 * insufficient_quota, quantity_too_large, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function exchange(
  deps: Deps,
  selector: Selector,
  command: ExchangeCommand,
  idempotencyKey: string | undefined,
  render: Render<ExchangeResult>,
): Promise<RecordedAnswer> {
  let asked: Asked | undefined;
  try {
    return await runOperation(deps, {
      name: 'exchange',
      selector,
      idempotencyKey,
      request: command,
      load: async (tx) => {
        const offer = (await findOrderableOffers(tx, [command.sku])).get(command.sku);
        if (!offer) throw new AppError('offer_not_found', `There is no offer ${command.sku}.`, { pointer: POINTER });
        const granted = offer.terms.map(({ productKey }) => ({ subject: { productKey }, amount: 0 }));
        return { loaded: offer, asks: [priceAsked(offer), ...granted] };
      },
      decide: (book, offer, operationId, providersOf) => {
        const ask = priceAsked(offer);
        const providers = providersOf(ask.subject);
        asked = { customerId: book.customerId, now: book.now, providers, ask };
        return decideExchange(book, offer, providers, command, operationId);
      },
      render,
    });
  } catch (error) {
    throw await explainRefusal(deps, error, asked);
  }
}

function priceAsked(offer: OrderableOffer): SubjectAsk {
  return { subject: { productKey: offer.currency }, amount: priceOf(offer) };
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

function decideExchange(
  book: Book,
  offer: OrderableOffer,
  providers: readonly Provider[],
  command: ExchangeCommand,
  operationId: string,
): Decision<ExchangeResult> {
  const { sku, metadata } = command;
  assertExchangeable(book, offer);
  const price = priceOf(offer);
  const plan = planConsume(book, providers, price);
  if (!plan.isAllowed) {
    throw new AppError('insufficient_quota', `${sku} costs ${price} ${offer.currency}, ${plan.available} available.`, {
      extensions: { requested: price, available: plan.available },
    });
  }
  assertGrantable(
    book,
    offer.terms.map((term) => ({ term, times: 1, pointer: POINTER })),
  );
  consume(book, plan, { operationId, feature: null, actionType: 'exchange', actionId: null, metadata });
  const batches = offer.terms.map((term) => ({
    ...grant(book, term, 1, {
      source: 'exchange',
      operationId,
      sku,
      orderId: null,
      orderItemId: null,
      actionType: 'exchange',
      metadata,
    }),
    revokedAt: null,
  }));
  const counted = offer.terms.filter((term) => term.productType === 'quantity').map((term) => term.productKey);
  const balances = new Map(
    [offer.currency, ...counted].map((productKey) => [productKey, settledBalance(holdingOf(book, productKey))]),
  );
  const spent = { productKey: offer.currency, amount: price };
  return { outcome: 'accepted', result: { operationId, spent, batches, balances, metadata, now: book.now } };
}
