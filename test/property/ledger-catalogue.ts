// The catalogue of the workloads as the ledger's functions take it. Translates, decides nothing.

import type { Subject as LedgerSubject, Term } from '../../src/ledger/catalog-entities.js';
import type { Provider } from '../../src/ledger/consume.js';
import type { OrderableOffer } from '../../src/ledger/orders.js';
import { type CatalogueOffer, offers, products, type Subject } from './catalogue.js';

const MICROS_PER_HUNDREDTH = 10_000n;

/** A subject as the ledger names it. */
export function toLedgerSubject(subject: Subject): LedgerSubject {
  return 'feature' in subject ? subject : { productKey: subject.product };
}

/** A subject as the workloads name it. */
export function fromLedgerSubject(subject: LedgerSubject): Subject {
  return 'feature' in subject ? subject : { product: subject.productKey };
}

export function providersOf(subject: Subject): Provider[] {
  return products.flatMap(({ key, type, isActive, isCurrency = false, costs }) => {
    const unitCost = 'feature' in subject ? costs[subject.feature] : key === subject.product ? 1 : undefined;
    const featureCount = Object.keys(costs).length;
    return unitCost === undefined ? [] : [{ productKey: key, type, isActive, isCurrency, unitCost, featureCount }];
  });
}

export function offerOf(sku: string): CatalogueOffer {
  const offer = offers.find((candidate) => candidate.sku === sku);
  if (!offer) throw new Error(`the catalogue has no ${sku}`);
  return offer;
}

export function isCounted({ productType }: Term): boolean {
  return productType === 'quantity';
}

export function toTerm(item: CatalogueOffer['items'][number]): Term {
  return {
    productKey: item.product,
    productType: products.find(({ key }) => key === item.product)?.type ?? 'quantity',
    quantity: item.quantity,
    periodUnit: item.unit,
    periodValue: item.value,
    priority: item.priority,
    stacking: item.stacking,
  };
}

export const orderableOffers: ReadonlyMap<string, OrderableOffer> = new Map(
  offers.map((offer) => [
    offer.sku,
    {
      sku: offer.sku,
      name: offer.sku,
      price: BigInt(offer.price) * MICROS_PER_HUNDREDTH,
      currency: offer.currency,
      isExchangeOnly: products.some(({ key }) => key === offer.currency),
      isActive: offer.isActive,
      isTrial: false,
      trialScope: null,
      trialEligible: null,
      maxPerCustomer: null,
      terms: offer.items.map(toTerm),
      inactiveProductKeys: offer.items
        .map((item) => item.product)
        .filter((product) => products.some(({ key, isActive }) => key === product && !isActive)),
    },
  ]),
);
