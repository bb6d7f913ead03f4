// What is sold and counted, as the ledger sees it: products, offers, and what an offer gives. Types alone.
import type { Metadata } from '../lib/metadata.js';
import type { Micros } from '../lib/money.js';
import type { PeriodUnit, RecurrenceUnit } from './periods.js';

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
  unit: RecurrenceUnit;
  count: number;
}

/** What becomes of units that end with a period when another one begins: nothing goes over, so many of each product at most, or all. */
export type Rollover = 'none' | 'cap' | 'all';

/** How a plan goes on, beside its recurrence. */
export interface PlanTerms {
  /** How long it is free at first, once for each person; null where it is not. */
  trial: Recurrence | null;
  /** How often a period allocates its units; null where once, at its beginning. */
  grantEvery: Recurrence | null;
  rollover: Rollover;
  /** Units of each product, with `cap` alone. */
  rolloverCap: number | null;
  /** Days behind the end of a period in which a payment still continues it. */
  graceDays: number;
  /** Whether access lasts through them. */
  graceAccess: boolean;
}

/** What a line of an order says of its plan, beside its terms. */
export interface OrderedPlan extends PlanTerms {
  recurrence: Recurrence;
  planGroup: string;
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
  /** How it goes on; null of what is no plan. */
  plan: PlanTerms | null;
  /** How many of it a customer may have; null where any number. */
  maxPerCustomer: number | null;
  items: Item[];
  metadata: Metadata;
  createdAt: Date;
}

/** An offer as who orders, exchanges or grants it sees it. A plan from before plans had terms has none: `orderedPlanOf` gives it the defaults. */
export interface OrderableOffer extends Pick<Offer, 'recurrence' | 'planGroup' | 'plan'> {
  sku: string;
  name: string;
  price: Micros;
  currency: string;
  isActive: boolean;
  isTrial: boolean;
  trialScope: TrialScope | null;
  trialEligible: boolean | null;
  maxPerCustomer: number | null;
  terms: Term[];
  inactiveProductKeys: string[];
}
