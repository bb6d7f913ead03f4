// The rules of the catalogue: what a product or an offer may say, and what of it may be replaced while customers hold what was sold.
import { AppError } from '../errors/app-error.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { hasAtMostDecimals, parseMoney } from '../lib/money.js';
import type { Offer, OfferItem, OfferItemWithProduct, Product } from './entities.js';

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

/**
 * Replaces an offer, or makes it. `products` are those that it names, by key.
 * Throws: product_not_found (an item), invalid_request (currency, price, period or stacking that do not fit).
 */
export function replaceOffer(
  known: Offer | undefined,
  terms: OfferTerms,
  products: ReadonlyMap<string, Product>,
  now: Date,
): Offer<OfferItemWithProduct> {
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
