// The catalogue: what is counted and how it is sold. Replacing a product or an offer never changes what was sold; nothing is deleted.
import {
  findOffers,
  findProducts,
  isPriceOfOffer,
  isProductUnspent,
  listActiveOffers,
  listActiveProducts,
  lockCatalog,
  type Offer,
  type OfferItem,
  type OfferItemWithProduct,
  type Product,
  upsertOffer,
  upsertProduct,
} from '../db/catalog.js';
import type { PrismaTx } from '../db/client.js';
import { constraintOf } from '../db/errors.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { currencyDecimals, isMoneyCurrency } from '../ledger/currencies.js';
import { required } from '../lib/assert.js';
import { hasAtMostDecimals, type Micros, parseMoney } from '../lib/money.js';

export type ProductTerms = Omit<Product, 'createdAt'>;
/** An offer as it is written: the price as a decimal string; an item's stacking may be left to the product's type. */
export type OfferTerms = Omit<Offer, 'createdAt' | 'items' | 'price'> & {
  price: string;
  items: (Omit<OfferItem, 'stacking'> & { stacking: OfferItem['stacking'] | undefined })[];
};

/** A product by its key, active or not. Throws: product_not_found. */
export async function getProduct(deps: Deps, productKey: string): Promise<Product> {
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  if (!product) throw new AppError('product_not_found', `There is no product ${productKey}.`, { pointer: 'path/key' });
  return product;
}

/** One page of the active products, by key. */
export async function getProducts(deps: Deps, after: string, limit: number): Promise<Product[]> {
  return listActiveProducts(deps.db, after, limit);
}

/** An active offer by its SKU. Throws: offer_not_found. */
export async function getOffer(deps: Deps, sku: string): Promise<Offer<OfferItemWithProduct>> {
  const offer = (await findOffers(deps.db, [sku])).get(sku);
  if (!offer?.isActive)
    throw new AppError('offer_not_found', `There is no active offer ${sku}.`, { pointer: 'path/sku' });
  return offer;
}

/** One page of the active offers, by SKU. */
export async function getOffers(deps: Deps, after: string, limit: number): Promise<Offer<OfferItemWithProduct>[]> {
  return listActiveOffers(deps.db, after, limit);
}

/** The active offers among these SKUs, in the order asked for. */
export async function getOffersBySku(deps: Deps, skus: readonly string[]): Promise<Offer<OfferItemWithProduct>[]> {
  const offers = await findOffers(deps.db, skus);
  return skus
    .map((sku) => offers.get(sku))
    .filter((offer) => offer?.isActive === true) as Offer<OfferItemWithProduct>[];
}

function nameTaken(name: string, pointer: string): AppError {
  return new AppError('name_taken', `${name} is in use: product keys and SKUs share one namespace.`, { pointer });
}

/** Runs a change of the catalogue; changes run one after the other, because each checks what other rows say. */
async function changeCatalog<T>(deps: Deps, taken: AppError, change: (tx: PrismaTx) => Promise<T>): Promise<T> {
  try {
    return await deps.db.transaction(async (tx) => {
      await lockCatalog(tx);
      return change(tx);
    });
  } catch (error) {
    if (constraintOf(error) === 'catalog_names_pk') throw taken;
    throw error;
  }
}

/**
 * Creates or replaces a product. `force` allows to raise a unit cost or remove a feature while units are unspent.
 * Throws: name_taken, product_in_use, invalid_request (the key is a currency's code; a currency that is not counted).
 */
export async function putProduct(
  deps: Deps,
  terms: ProductTerms,
  force: boolean,
): Promise<{ product: Product; isNew: boolean }> {
  const { productKey } = terms;
  if (isMoneyCurrency(productKey)) {
    throw new AppError('invalid_request', `${productKey} is the code of a currency.`, { pointer: 'path/key' });
  }
  if (terms.isCurrency && terms.type !== 'quantity') {
    throw new AppError('invalid_request', 'Only a product of type quantity can be a currency.', {
      pointer: '/is_currency',
    });
  }
  return changeCatalog(deps, nameTaken(productKey, 'path/key'), async (tx) => {
    const now = deps.clock.now();
    const known = (await findProducts(tx, [productKey])).get(productKey);
    if (known) await assertReplaceable(tx, known, terms, force, now);
    const product = { ...terms, createdAt: known?.createdAt ?? now };
    await upsertProduct(tx, product, now);
    return { product, isNew: known === undefined };
  });
}

async function assertReplaceable(
  tx: PrismaTx,
  known: Product,
  terms: ProductTerms,
  force: boolean,
  now: Date,
): Promise<void> {
  if (known.type !== terms.type) {
    const detail = `The type of ${known.productKey} is fixed: batches and open orders may rest on it.`;
    throw new AppError('product_in_use', detail, { pointer: '/type' });
  }
  if (known.isCurrency && !terms.isCurrency && (await isPriceOfOffer(tx, known.productKey))) {
    throw new AppError('product_in_use', `Offers are priced in ${known.productKey}.`, { pointer: '/is_currency' });
  }
  const costs = new Map(terms.features.map(({ feature, unitCost }) => [feature, unitCost]));
  const worse = known.features.find(({ feature, unitCost }) => (costs.get(feature) ?? Infinity) > unitCost);
  if (worse && !force && (await isProductUnspent(tx, known.productKey, now))) {
    const detail = `Customers hold ${known.productKey} that pays for ${worse.feature}: send force: true to make it dearer or remove it.`;
    throw new AppError('product_in_use', detail, { pointer: '/features' });
  }
}

/**
 * Creates or replaces an offer. What was sold keeps its terms.
 * Throws: name_taken, product_not_found (an item), invalid_request (currency, price, period or stacking that do not fit).
 */
export async function putOffer(
  deps: Deps,
  terms: OfferTerms,
): Promise<{ offer: Offer<OfferItemWithProduct>; isNew: boolean }> {
  return changeCatalog(deps, nameTaken(terms.sku, 'path/sku'), async (tx) => {
    const now = deps.clock.now();
    const price = parseMoney(terms.price);
    await assertPriced(tx, price, terms.currency);
    const products = await findProducts(tx, [...new Set(terms.items.map((item) => item.productKey))]);
    const items = terms.items.map((item, index) =>
      completeItem(item, products.get(item.productKey), `/items/${index}`),
    );
    const known = (await findOffers(tx, [terms.sku])).get(terms.sku);
    await upsertOffer(tx, { ...terms, price, items, createdAt: known?.createdAt ?? now }, now);
    const offer = required((await findOffers(tx, [terms.sku])).get(terms.sku), 'the offer was written');
    return { offer, isNew: known === undefined };
  });
}

async function assertPriced(tx: PrismaTx, price: Micros, currency: string): Promise<void> {
  if (!isMoneyCurrency(currency)) {
    const product = (await findProducts(tx, [currency])).get(currency);
    if (!product?.isCurrency) {
      const detail = `${currency} is neither a currency code, nor XTR, nor the key of a currency product.`;
      throw new AppError('invalid_request', detail, { pointer: '/currency' });
    }
  }
  const decimals = currencyDecimals(currency);
  if (!hasAtMostDecimals(price, decimals)) {
    throw new AppError('invalid_request', `${currency} has ${decimals} decimals.`, { pointer: '/price' });
  }
}

function completeItem(item: OfferTerms['items'][number], product: Product | undefined, pointer: string): OfferItem {
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
  return { ...item, stacking: item.stacking ?? (isCounted ? 'parallel' : 'extend') };
}
