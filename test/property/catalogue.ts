// The catalogue of the random workloads: few products and offers, chosen so that every rule of burn order, cost, validity and refusal
// has two candidates to get wrong. Plain facts, without rules.

export interface CatalogueProduct {
  key: string;
  type: 'quantity' | 'period' | 'unlimited';
  isActive: boolean;
  isCurrency?: boolean;
  /** Feature to product units per use. */
  costs: Readonly<Record<string, number>>;
}

interface CatalogueItem {
  product: string;
  quantity: number;
  unit: 'hours' | 'days' | 'months' | 'years' | 'forever';
  /** Null for `forever`. */
  value: number | null;
  priority: number;
  stacking: 'extend' | 'parallel';
}

export interface CatalogueOffer {
  sku: string;
  /** In hundredths of the currency, or whole units of a currency product. */
  price: number;
  currency: string;
  isActive: boolean;
  items: readonly CatalogueItem[];
  /** Undefined when it is no trial; default ones are granted by a trial that names no offer. */
  trial?: { scope: 'any' | 'offer'; isDefault: boolean };
}

const counted = (key: string, costs: Record<string, number>): CatalogueProduct => ({
  key,
  type: 'quantity',
  isActive: true,
  costs,
});

export const products: readonly CatalogueProduct[] = [
  counted('CREDITS', { text: 1, image: 3 }),
  counted('TOKENS', { text: 2, image: 5 }),
  counted('IMAGES', { image: 1 }),
  counted('SKETCHES', { image: 2 }),
  counted('PLAIN', {}),
  { key: 'PASS', type: 'period', isActive: true, costs: { text: 1 } },
  { key: 'VIP', type: 'unlimited', isActive: true, costs: { text: 1, image: 2 } },
  { key: 'RETIRED', type: 'quantity', isActive: false, costs: { text: 1 } },
  { key: 'COIN', type: 'quantity', isActive: true, isCurrency: true, costs: { image: 2 } },
  { key: 'GEM', type: 'quantity', isActive: true, isCurrency: true, costs: {} },
  { key: 'OLD_COIN', type: 'quantity', isActive: false, isCurrency: true, costs: {} },
];

function item(
  product: string,
  quantity: number,
  unit: CatalogueItem['unit'] = 'forever',
  value: number | null = null,
  more: { priority?: number; stacking?: CatalogueItem['stacking'] } = {},
): CatalogueItem {
  return { product, quantity, unit, value, priority: 0, stacking: 'parallel', ...more };
}

function offer(
  sku: string,
  price: number,
  items: readonly CatalogueItem[],
  more: Partial<Pick<CatalogueOffer, 'currency' | 'isActive' | 'trial'>> = {},
): CatalogueOffer {
  return { sku, price, currency: 'USD', isActive: true, items, ...more };
}

/** What is sold for money, or would be. */
export const moneyOffers: readonly CatalogueOffer[] = [
  offer('CREDITS_10', 100, [item('CREDITS', 10)]),
  offer('MONTH_PACK', 250, [
    item('CREDITS', 8, 'months', 1, { priority: -1 }),
    item('IMAGES', 3, 'days', 10),
    item('TOKENS', 7),
  ]),
  offer('SKETCH_YEAR', 50, [item('SKETCHES', 5, 'years', 1, { priority: 2 })]),
  offer('PASS_MONTH', 300, [item('PASS', 1, 'months', 1, { stacking: 'extend' })]),
  offer('PASS_DAYS', 100, [item('PASS', 1, 'days', 10, { priority: 1 })]),
  offer('VIP_WEEK', 400, [item('VIP', 1, 'days', 7, { stacking: 'extend' }), item('CREDITS', 2, 'hours', 36)]),
  offer('VIP_FOREVER', 900, [item('VIP', 1, 'forever', null, { stacking: 'extend' })]),
  offer('FREE_SAMPLE', 0, [item('PLAIN', 2, 'hours', 36)]),
  offer('IN_EUROS', 100, [item('PLAIN', 5)], { currency: 'EUR' }),
  offer('NOT_SOLD', 100, [item('PLAIN', 5)], { isActive: false }),
  offer('OF_RETIRED', 100, [item('RETIRED', 5)]),
  offer('COINS', 200, [item('COIN', 4, 'days', 20), item('COIN', 6)]),
];

const coins = { currency: 'COIN' };
const gems = { currency: 'GEM' };

/** What is priced in a currency product. */
export const exchangeOffers: readonly CatalogueOffer[] = [
  offer('FOR_COIN', 1, [item('PLAIN', 2)], coins),
  offer(
    'CREDITS_FOR_COINS',
    4,
    [item('CREDITS', 5, 'days', 10), item('PASS', 1, 'days', 3, { stacking: 'extend' })],
    coins,
  ),
  offer('VIP_FOR_COINS', 5, [item('VIP', 1, 'forever', null, { stacking: 'extend' })], coins),
  offer('COINS_FOR_COINS', 3, [item('COIN', 2, 'days', 5, { priority: -1 })], coins),
  offer('COINS_FOR_GEM', 1, [item('COIN', 1, 'hours', 20), item('COIN', 3)], gems),
];

const unexchangeableOffers: readonly CatalogueOffer[] = [
  offer('FOR_NO_COIN', 0, [item('PLAIN', 2)], coins),
  offer('NOTHING_FOR_COIN', 1, [], coins),
  offer('NO_MORE_FOR_COIN', 1, [item('PLAIN', 2)], { ...coins, isActive: false }),
  offer('RETIRED_FOR_COIN', 1, [item('RETIRED', 2)], coins),
];

/** What is given as a trial, in the order of the SKUs, in which a trial of all of them gives. */
export const trialOffers: readonly CatalogueOffer[] = [
  offer('TRIAL_ACCESS', 100, [item('PASS', 1, 'days', 3, { stacking: 'extend' })], {
    trial: { scope: 'offer', isDefault: true },
  }),
  offer('TRIAL_CREDITS', 100, [item('CREDITS', 5, 'days', 7, { priority: -1 })], {
    trial: { scope: 'any', isDefault: true },
  }),
  offer('TRIAL_PROBE', 100, [item('IMAGES', 2)], { trial: { scope: 'offer', isDefault: false } }),
  offer('TRIAL_SAMPLE', 100, [item('TOKENS', 4), item('COIN', 2)], { trial: { scope: 'any', isDefault: false } }),
];

const ungivenTrialOffers: readonly CatalogueOffer[] = [
  offer('TRIAL_OF_RETIRED', 100, [item('RETIRED', 1)], { trial: { scope: 'any', isDefault: false } }),
  offer('TRIAL_OLD', 100, [item('PLAIN', 1)], { isActive: false, trial: { scope: 'any', isDefault: true } }),
];

export const offers: readonly CatalogueOffer[] = [
  ...moneyOffers,
  ...exchangeOffers,
  ...unexchangeableOffers,
  ...trialOffers,
  ...ungivenTrialOffers,
];

/** The customer of a sequence, and others of whom only their trials and referrals are looked at. */
export const people = ['customer', 'rival 1', 'rival 2'] as const;
export type Person = (typeof people)[number];

/** How identities are written when a trial passes them, and whose or what they are. `#` stands for the customer's name. Each type is spelt in its own way. */
export const spellings: Readonly<Record<string, { type: string; value: string; is: string }>> = {
  phone: { type: 'device', value: '#/phone', is: 'phone' },
  'phone, shouted': { type: 'DEVICE', value: ' #/PHONE ', is: 'phone' },
  tablet: { type: 'Device', value: '#/tablet', is: 'tablet' },
  mail: { type: 'email', value: '#/ada@gmail.com', is: 'mail' },
  'mail with dots': { type: 'Email', value: '#/a.Da+news@GoogleMail.com', is: 'mail' },
  'mail by another name': { type: 'user_email', value: '#/A.d.a@Ｇmail.com.', is: 'mail' },
  'other mail': { type: 'EMAIL', value: '#/a.da@example.org', is: 'other mail' },
  'rival 1': { type: 'default', value: '#/rival 1', is: 'rival 1' },
  customer: { type: 'Default', value: '#', is: 'customer' },
};

/** What can be asked for: each product that can be held, and each feature. */
export type Subject = { product: string } | { feature: string };

export const subjects: readonly Subject[] = [
  ...['CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES', 'PLAIN', 'COIN', 'GEM', 'PASS', 'VIP'].map((product) => ({ product })),
  { feature: 'text' },
  { feature: 'image' },
];

/** Decimals as the wire writes them: 250 is 2.50. */
export function toPrice(hundredths: number, currency: string): string {
  return products.some(({ key }) => key === currency) ? String(hundredths) : (hundredths / 100).toFixed(2);
}
