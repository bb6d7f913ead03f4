// What is sold and counted, as the ledger sees it: products, offers, and what an offer gives. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { Micros } from '../lib/money.js';
import type { PeriodUnit } from './periods.js';

/** What is asked for: a product itself, or any product that provides a feature. */
export type Subject = { productKey: string } | { feature: string };

/** `metered` is counted without being granted: limits alone govern it. */
export type ProductType = 'quantity' | 'period' | 'unlimited' | 'metered';

export type Stacking = 'extend' | 'parallel';

/** What an offer gives of one product, as it stood when the offer was ordered or granted. */
export interface Term {
  productKey: string;
  productType: ProductType;
  quantity: number;
  periodUnit: PeriodUnit;
  periodValue: number | null;
  priority: number;
  stacking: Stacking;
}

export interface ProductFeature {
  feature: string;
  unitCost: number;
}

export interface Product {
  productKey: string;
  name: string;
  description: string;
  type: ProductType;
  isCurrency: boolean;
  isActive: boolean;
  features: ProductFeature[];
  lowBalanceThreshold: number | null;
  expiringDays: number | null;
  metadata: Metadata;
  createdAt: Date;
}

export interface OfferItem {
  productKey: string;
  quantity: number;
  periodUnit: PeriodUnit;
  periodValue: number | null;
  priority: number;
  stacking: Stacking;
}

/** An item together with the product that it gives. */
export interface OfferItemWithProduct extends OfferItem {
  product: Product;
}

export type TrialScope = 'any' | 'offer';

export interface Recurrence {
  unit: Exclude<PeriodUnit, 'forever'>;
  count: number;
}

export interface Offer<Item = OfferItem> {
  sku: string;
  name: string;
  description: string;
  image: string | null;
  price: Micros;
  currency: string;
  isActive: boolean;
  isTrial: boolean;
  trialScope: TrialScope | null;
  /** Whether it may be granted as a trial; null where `isTrial` and `trialScope` say it. */
  trialEligible: boolean | null;
  recurrence: Recurrence | null;
  planGroup: string | null;
  /** How many of it a customer may have; null where any number. */
  maxPerCustomer: number | null;
  items: Item[];
  metadata: Metadata;
  createdAt: Date;
}
