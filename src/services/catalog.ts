// The catalogue: what is counted and how it is sold. Replacing a product or an offer never changes what was sold; nothing is deleted.
import type { Actor } from '../call.js';
import {
  type CatalogPage,
  findOffers,
  findOtherProviders,
  findProducts,
  isCatalogEmpty,
  isNameUsed,
  isPriceOfOffer,
  isProductUnspent,
  listOffers,
  listProducts,
  lockCatalog,
} from '../db/catalog.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import {
  assertFeatures,
  assertProduct,
  type OfferTerms,
  type OfferWarning,
  type ProductTerms,
  replaceOffer,
  replaceProduct,
  warningsOf,
} from '../ledger/catalog.js';
import type { Offer, OfferItemWithProduct, Product } from '../ledger/entities.js';

/** The service itself, where nobody called. */
const SYSTEM: Actor = { keyId: 'system', ownerId: 'system', scopes: new Set() };

/** A product by its key, active or not. Throws: product_not_found. */
export async function getProduct(deps: Deps, productKey: string): Promise<Product> {
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  if (!product) throw new AppError('product_not_found', `There is no product ${productKey}.`, { pointer: 'path/key' });
  return product;
}

/** One page of the products, by key. */
export async function getProducts(deps: Deps, page: CatalogPage): Promise<Product[]> {
  return listProducts(deps.db, page);
}

/** An offer by its SKU, active or not. Throws: offer_not_found. */
export async function getOffer(deps: Deps, sku: string): Promise<Offer<OfferItemWithProduct>> {
  const offer = (await findOffers(deps.db, [sku])).get(sku);
  if (!offer) throw new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer: 'path/sku' });
  return offer;
}

/** An active offer by its SKU. Throws: offer_not_found. */
export async function getActiveOffer(deps: Deps, sku: string): Promise<Offer<OfferItemWithProduct>> {
  const [offer] = await getOffersBySku(deps, [sku], false);
  if (!offer) throw new AppError('offer_not_found', `There is no active offer ${sku}.`, { pointer: 'path/sku' });
  return offer;
}

/** One page of the offers, by SKU. */
export async function getOffers(deps: Deps, page: CatalogPage): Promise<Offer<OfferItemWithProduct>[]> {
  return listOffers(deps.db, page);
}

/** The offers among these SKUs, in the order asked for; those that are not active too, if asked. */
export async function getOffersBySku(
  deps: Deps,
  skus: readonly string[],
  hasInactive: boolean,
): Promise<Offer<OfferItemWithProduct>[]> {
  const offers = await findOffers(deps.db, skus);
  return skus.flatMap((sku) => offers.get(sku) ?? []).filter(({ isActive }) => isActive || hasInactive);
}

/**
 * Creates or replaces a product. `force` allows to raise a unit cost or remove a feature while units are unspent.
 * Locks: the catalogue: changes of it run one after the other, because each checks what other rows say. Throws: name_taken, product_in_use, feature_metered,
 * invalid_request (the key is a currency's code; a currency that is not counted).
 */
export async function putProduct(
  deps: Deps,
  terms: ProductTerms,
  force: boolean,
  actor: Actor,
): Promise<{ product: Product; isNew: boolean }> {
  const { productKey } = terms;
  assertProduct(terms);
  const made = new Set<number>(); // by an attempt whose outcome was not learnt
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockCatalog,
    load: async (tx, now) => {
      const [known, others, isUsed, isPrice, isUnspent] = await Promise.all([
        findProducts(tx, [productKey]),
        findOtherProviders(tx, terms),
        isNameUsed(tx, productKey),
        isPriceOfOffer(tx, productKey),
        isProductUnspent(tx, productKey, now),
      ]);
      return { known: known.get(productKey), others, isUsed, use: { isPrice, isUnspent } };
    },
    decide: ({ known, others, isUsed, use }, now, changes) => {
      assertFeatures(terms, others);
      if (isUsed && !known) throw nameTaken(productKey, 'path/key');
      const product = replaceProduct(known, terms, use, force, now);
      changes.products.push({ before: known, after: product, at: now, actingKey: actor.keyId });
      const isNew = known === undefined || made.has(known.createdAt.getTime());
      if (isNew) made.add(product.createdAt.getTime());
      return { product, isNew };
    },
  });
}

/**
 * Creates or replaces an offer. What was sold keeps its terms.
 * Locks: the catalogue. Throws: name_taken, name_reserved, product_not_found, product_metered (an item), invalid_request (currency, price, period or stacking that do not fit).
 */
export async function putOffer(
  deps: Deps,
  terms: OfferTerms,
  actor: Actor,
): Promise<{ offer: Offer<OfferItemWithProduct>; warnings: OfferWarning[]; isNew: boolean }> {
  const { sku, currency } = terms;
  const made = new Set<number>(); // by an attempt whose outcome was not learnt
  const named = [...new Set([currency, ...terms.items.map((item) => item.productKey)])];
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockCatalog,
    load: async (tx) => {
      const [products, known, isUsed] = await Promise.all([
        findProducts(tx, named),
        findOffers(tx, [sku]),
        isNameUsed(tx, sku),
      ]);
      return { products, known: known.get(sku), isUsed };
    },
    decide: ({ products, known, isUsed }, now, changes) => {
      const offer = replaceOffer(known, terms, products, now);
      if (isUsed && !known) throw nameTaken(sku, 'path/sku');
      changes.offers.push({ before: known, after: offer, at: now, actingKey: actor.keyId });
      const isNew = known === undefined || made.has(known.createdAt.getTime());
      if (isNew) made.add(offer.createdAt.getTime());
      return { offer, warnings: warningsOf(offer, now), isNew };
    },
  });
}

function nameTaken(name: string, pointer: string): AppError {
  return new AppError('name_taken', `${name} is in use: product keys and SKUs share one namespace.`, { pointer });
}

/** Puts products and offers into a catalogue that has none. Returns whether it did. Throws: what the puts throw. */
export async function fillEmptyCatalogue(
  deps: Deps,
  { products, offers }: { products: readonly ProductTerms[]; offers: readonly OfferTerms[] },
): Promise<boolean> {
  if (!(await isCatalogEmpty(deps.db))) return false;
  for (const terms of products) await putProduct(deps, terms, false, SYSTEM);
  for (const terms of offers) await putOffer(deps, terms, SYSTEM);
  return true;
}
