// The rules of the catalogue: what a product or an offer may say, and what of it may be replaced while customers hold what was sold.
import { AppError } from '../errors/app-error.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { hasAtMostDecimals, parseMoney } from '../lib/money.js';
import type { Offer, OfferItem, OfferItemWithProduct, Product } from './entities.js';
import { addPeriod, anchored } from './periods.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

/** SKUs that are names of routes beside those of offers. */
const RESERVED_SKUS: ReadonlySet<string> = new Set(['EXPORT', 'IMPORT']);

export type ProductTerms = Omit<Product, 'createdAt'>;
/** An offer as it is written: the price as a decimal string; an item's stacking may be left to the product's type. */
export type OfferTerms = Omit<Offer, 'createdAt' | 'items' | 'price'> & {
  price: string;
  items: (Omit<OfferItem, 'stacking'> & { stacking: OfferItem['stacking'] | undefined })[];
};

/** Refuses what a product can't be. Throws: invalid_request (the key is a currency's code; a currency that is not counted). */
export function assertProduct({ productKey, isCurrency, type }: ProductTerms): void {
  if (isMoneyCurrency(productKey)) {
    throw new AppError('invalid_request', `${productKey} is the code of a currency.`, { pointer: 'path/key' });
  }
  if (isCurrency && type !== 'quantity') {
    throw new AppError('invalid_request', 'Only a product of type quantity can be a currency.', {
      pointer: '/is_currency',
    });
  }
}

/** Another product that provides one of the features of a product. */
export interface OtherProvider {
  feature: string;
  productKey: string;
  type: Product['type'];
}

/** Refuses a feature that another product provides, where one of the two is metered: it would say how the feature is counted. Throws: feature_metered. */
export function assertFeatures({ type }: ProductTerms, others: readonly OtherProvider[]): void {
  const other = others.find((each) => type === 'metered' || each.type === 'metered');
  if (!other) return;
  const what = other.type === 'metered' ? ', which is metered' : '';
  const detail = `${other.feature} is provided by ${other.productKey}${what}.`;
  throw new AppError('feature_metered', detail, { pointer: '/features' });
}

/** What a product is replaced in view of. */
export interface ProductUse {
  /** Whether an offer is priced in it. */
  isPrice: boolean;
  /** Whether anybody holds unspent units of it, or access to it that has not ended. */
  isUnspent: boolean;
}

/**
 * Replaces a product, or makes it. `force` allows to raise a unit cost or remove a feature while units are unspent.
 * Throws: product_in_use.
 */
export function replaceProduct(
  known: Product | undefined,
  terms: ProductTerms,
  { isPrice, isUnspent }: ProductUse,
  force: boolean,
  now: Date,
): Product {
  if (!known) return { ...terms, createdAt: now };
  if (known.type !== terms.type) {
    const detail = `The type of ${known.productKey} is fixed: batches and open orders may rest on it.`;
    throw new AppError('product_in_use', detail, { pointer: '/type' });
  }
  if (known.isCurrency && !terms.isCurrency && isPrice) {
    throw new AppError('product_in_use', `Offers are priced in ${known.productKey}.`, { pointer: '/is_currency' });
  }
  const costs = new Map(terms.features.map(({ feature, unitCost }) => [feature, unitCost]));
  const worse = known.features.find(({ feature, unitCost }) => (costs.get(feature) ?? Infinity) > unitCost);
  if (worse && !force && isUnspent) {
    const detail = `Customers hold ${known.productKey} that pays for ${worse.feature}: send force: true to make it dearer or remove it.`;
    throw new AppError('product_in_use', detail, { pointer: '/features' });
  }
  return { ...terms, createdAt: known.createdAt };
}

/** Refuses a name that is a route's. An offer that has it from before can be retired, and nothing else. */
function assertFreeName(known: Offer | undefined, { sku, isActive }: OfferTerms): void {
  if (!RESERVED_SKUS.has(sku) || (known && !isActive)) return;
  const detail = `${sku} is the name of a route, and reserved; an offer that has it from before can only be retired.`;
  throw new AppError('name_reserved', detail, { pointer: 'path/sku' });
}

/**
 * Replaces an offer, or makes it. `products` are those that it names, by key.
 * Throws: name_reserved, product_not_found (an item), product_metered (an item), invalid_request (currency, price, period or stacking that do not fit).
 */
export function replaceOffer(
  known: Offer | undefined,
  terms: OfferTerms,
  products: ReadonlyMap<string, Product>,
  now: Date,
): Offer<OfferItemWithProduct> {
  assertFreeName(known, terms);
  const price = parseMoney(terms.price);
  const { currency } = terms;
  if (!isMoneyCurrency(currency) && !products.get(currency)?.isCurrency) {
    const detail = `${currency} is neither a currency code, nor XTR, nor the key of a currency product.`;
    throw new AppError('invalid_request', detail, { pointer: '/currency' });
  }
  const decimals = currencyDecimals(currency);
  if (!hasAtMostDecimals(price, decimals)) {
    throw new AppError('invalid_request', `${currency} has ${decimals} decimals.`, { pointer: '/price' });
  }
  const items = terms.items.map((item, index) => completeItem(item, products.get(item.productKey), `/items/${index}`));
  return { ...terms, price, items, createdAt: known?.createdAt ?? now };
}

function completeItem(
  item: OfferTerms['items'][number],
  product: Product | undefined,
  pointer: string,
): OfferItemWithProduct {
  if (!product) {
    throw new AppError('product_not_found', `There is no product ${item.productKey}.`, {
      pointer: `${pointer}/product_key`,
    });
  }
  if (product.type === 'metered') throw meteredProduct(item.productKey, `${pointer}/product_key`);
  const isCounted = product.type === 'quantity';
  if (isCounted && item.stacking === 'extend') {
    const detail = 'Only access can be extended; a counted product is stacked in parallel.';
    throw new AppError('invalid_request', detail, { pointer: `${pointer}/stacking` });
  }
  if (!isCounted && item.quantity !== 1) {
    const detail = `${item.productKey} is not counted: its quantity is 1, its length is the period.`;
    throw new AppError('invalid_request', detail, { pointer: `${pointer}/quantity` });
  }
  return { ...item, stacking: item.stacking ?? (isCounted ? 'parallel' : 'extend'), product };
}

/** Refuses to give what is used as it is. */
export function meteredProduct(productKey: string, pointer: string): AppError {
  return new AppError('product_metered', `${productKey} is metered: it is used without being granted.`, { pointer });
}

/** Why an offer can't be sold, or gives nothing, as it stands. */
export interface OfferWarning {
  code: 'no_items' | 'no_price' | 'product_inactive' | 'quantity_too_large';
  pointer: string;
  message: string;
}

/** What stands against selling an offer now or ever, once it is active. `now` is the instant from which its validity would run. */
export function warningsOf({ currency, price, items }: Offer<OfferItemWithProduct>, now: Date): OfferWarning[] {
  const warnings: OfferWarning[] = [];
  if (items.length === 0) {
    const message = 'it gives nothing: who orders it gets nothing, and it can be neither exchanged nor granted';
    warnings.push({ code: 'no_items', pointer: '/items', message });
  }
  if (price === 0n && !isMoneyCurrency(currency)) {
    const message = `it costs nothing in ${currency}: an exchange takes at least 1, so that it can only be granted`;
    warnings.push({ code: 'no_price', pointer: '/price', message });
  }
  const units = new Map<string, number>();
  for (const [index, item] of items.entries()) warnings.push(...itemWarningsOf(item, `/items/${index}`, units, now));
  return warnings;
}

/** The same of one item; `units` are those of the items before it, by product. */
function itemWarningsOf(
  { productKey, quantity, periodUnit, periodValue, product }: OfferItemWithProduct,
  pointer: string,
  units: Map<string, number>,
  now: Date,
): OfferWarning[] {
  const warnings: OfferWarning[] = [];
  if (!product.isActive) {
    const message = `${productKey} is not active: the offer is neither sold nor granted until it is`;
    warnings.push({ code: 'product_inactive', pointer: `${pointer}/product_key`, message });
  }
  if (addPeriod(anchored(now), periodUnit, periodValue) === undefined) {
    const message = 'it would end after the year 9999, which is refused whenever it is sold or granted';
    warnings.push({ code: 'quantity_too_large', pointer: `${pointer}/period_value`, message });
  }
  const before = units.get(productKey) ?? 0;
  if (product.type === 'quantity' && !canAdd(before, quantity)) {
    const message = `the offer gives more than ${QUANTITY_MAX} of ${productKey}, which is refused whenever it is sold or granted`;
    warnings.push({ code: 'quantity_too_large', pointer: `${pointer}/quantity`, message });
  } else units.set(productKey, before + quantity);
  return warnings;
}
