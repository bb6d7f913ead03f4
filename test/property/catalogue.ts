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
  { key: 'COIN', type: 'quantity', isActive: true, isCurrency: true, costs: {} },
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
  more: { currency?: string; isActive?: boolean } = {},
): CatalogueOffer {
  return { sku, price, currency: 'USD', isActive: true, items, ...more };
}

export const offers: readonly CatalogueOffer[] = [
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
  offer('FOR_COIN', 1, [item('PLAIN', 2)], { currency: 'COIN' }),
];

/** What can be asked for: each product that can be held, and each feature. */
export type Subject = { product: string } | { feature: string };

export const subjects: readonly Subject[] = [
  ...['CREDITS', 'TOKENS', 'IMAGES', 'SKETCHES', 'PLAIN', 'PASS', 'VIP'].map((product) => ({ product })),
  { feature: 'text' },
  { feature: 'image' },
];

/** Decimals as the wire writes them: 250 is 2.50. */
export function toPrice(hundredths: number, currency: string): string {
  return currency === 'COIN' ? String(hundredths) : (hundredths / 100).toFixed(2);
}
