// The catalogue that an empty database starts with: one example of each way to sell. Data alone.
import type { OfferTerms, ProductTerms } from '../ledger/catalog.js';
import type { ProductType } from '../ledger/catalog-entities.js';
import type { PeriodUnit } from '../ledger/periods.js';

function product(
  productKey: string,
  name: string,
  type: ProductType,
  features: readonly (readonly [feature: string, unitCost: number])[] = [],
  isCurrency = false,
): ProductTerms {
  return {
    productKey,
    name,
    description: '',
    type,
    isCurrency,
    isActive: true,
    features: features.map(([feature, unitCost]) => ({ feature, unitCost })),
    lowBalanceThreshold: null,
    expiringDays: null,
    metadata: {},
  };
}

function offer(
  sku: string,
  name: string,
  price: string,
  currency: string,
  [productKey, quantity, periodUnit = 'forever', periodValue = null]: [
    productKey: string,
    quantity: number,
    periodUnit?: PeriodUnit,
    periodValue?: number | null,
  ],
  more: Partial<Pick<OfferTerms, 'isTrial' | 'trialScope' | 'recurrence' | 'planGroup'>> = {},
): OfferTerms {
  return {
    sku,
    name,
    description: '',
    image: null,
    price,
    currency,
    isActive: true,
    isTrial: false,
    trialScope: null,
    trialEligible: null,
    recurrence: null,
    planGroup: null,
    maxPerCustomer: null,
    items: [{ productKey, quantity, periodUnit, periodValue, priority: 0, stacking: undefined }],
    metadata: {},
    ...more,
  };
}

const products: readonly ProductTerms[] = [
  product('TEST_STAR', 'Star (internal currency)', 'quantity', [], true),
  product('TEST_PREDICTION', 'Prediction', 'quantity'),
  product('CREDITS', 'Credits', 'quantity', [['text_generation', 1]], true),
  product('AI_POOL', 'AI pool', 'quantity', [
    ['image_generation', 5],
    ['video_generation', 40],
  ]),
  product('VIP_ACCESS', 'VIP access', 'period', [['vip_lounge', 1]]),
  product('LIFETIME_ACCESS', 'Lifetime access', 'unlimited', [['pro_tools', 1]]),
  product('TRIAL_CREDITS', 'Trial credits', 'quantity', [['text_generation', 1]]),
  product('PRO_CREDITS', 'Pro plan credits', 'quantity', [['text_generation', 1]]),
];

const offers: readonly OfferTerms[] = [
  offer('GET_TEST_STAR', 'Star', '1', 'XTR', ['TEST_STAR', 1], { trialScope: 'any' }),
  offer('GET_TEST_PREDICTION', 'Prediction', '1', 'TEST_STAR', ['TEST_PREDICTION', 1], { trialScope: 'any' }),
  offer('CREDITS_100', '100 credits', '9.99', 'USD', ['CREDITS', 100]),
  offer('AI_POOL_500', 'AI pool: 500 units', '14.99', 'USD', ['AI_POOL', 500]),
  offer('VIP_MONTH', 'VIP access for a month', '4.99', 'USD', ['VIP_ACCESS', 1, 'months', 1]),
  offer('LIFETIME', 'Access for ever', '99.00', 'USD', ['LIFETIME_ACCESS', 1]),
  offer('TRIAL_10', 'Ten credits to try, for a week', '0', 'USD', ['TRIAL_CREDITS', 10, 'days', 7], {
    isTrial: true,
    trialScope: 'any',
  }),
  offer('PRO_MONTHLY', 'Pro plan, monthly', '19.00', 'USD', ['PRO_CREDITS', 1_000, 'months', 1], {
    recurrence: { unit: 'months', count: 1 },
    planGroup: 'default',
  }),
];

export const demoCatalogue = { products, offers };
