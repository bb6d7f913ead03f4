// The catalogue: what is counted and how it is sold. Replacing a product or an offer never changes what was sold; nothing is deleted.
import type { Actor } from '../call.js';
import {
  type CatalogPage,
  findOffers,
  findPrices,
  findProducts,
  findProviders,
  findUnspentProducts,
  findUsedNames,
  isCatalogEmpty,
  listOffers,
  listProducts,
  lockCatalog,
} from '../db/catalog.js';
import type { Tx } from '../db/client.js';
import { inSnapshot } from '../db/transactions.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import {
  type Decided,
  type DecidedCatalog,
  decideCatalog,
  type Given,
  type GivenCatalog,
  type KnownCatalog,
  listFeatures,
  listWorsened,
  type OfferTerms,
  type OfferWarning,
  type ProductTerms,
  warningsOf,
} from '../ledger/catalog.js';
import type { Offer, OfferItemWithProduct, Product } from '../ledger/catalog-entities.js';
import { required } from '../lib/assert.js';

/** The service itself, where nobody called. */
const SYSTEM: Actor = { keyId: 'system', ownerId: 'system', scopes: new Set() };

/** A product by its key, active or not. Throws: product_not_found. */
export async function getProduct(deps: Deps, productKey: string): Promise<Product> {
  const product = (await findProducts(deps.db, [productKey])).get(productKey);
  if (!product) throw noProduct(productKey);
  return product;
}

/** One page of the products, by key. */
export async function getProducts(deps: Deps, page: CatalogPage): Promise<Product[]> {
  return listProducts(deps.db, page);
}

/** An offer by its SKU, active or not. Throws: offer_not_found. */
export async function getOffer(deps: Deps, sku: string): Promise<Offer<OfferItemWithProduct>> {
  const offer = (await findOffers(deps.db, [sku])).get(sku);
  if (!offer) throw noOffer(sku);
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

/** So many are read at a time of all that there are. */
const READ_AT_ONCE = 1_000;

/** Hands over all products, then all offers, as they are at one instant, each in the order of its names; what is not wanted is not read. */
export async function readCatalog(
  deps: Deps,
  take: { products?: (products: Product[]) => void; offers?: (offers: Offer<OfferItemWithProduct>[]) => void },
): Promise<void> {
  await inSnapshot(deps.db, false, async (tx) => {
    await readAll(tx, listProducts, ({ productKey }) => productKey, take.products);
    await readAll(tx, listOffers, ({ sku }) => sku, take.offers);
  });
}

async function readAll<T>(
  tx: Tx,
  list: (tx: Tx, page: CatalogPage) => Promise<T[]>,
  nameOf: (one: T) => string,
  take: ((page: T[]) => void) | undefined,
): Promise<void> {
  if (!take) return;
  for (let after = '', isMore = true; isMore; ) {
    const page = await list(tx, { after, limit: READ_AT_ONCE, hasInactive: true });
    take(page);
    after = page.length > 0 ? nameOf(page[page.length - 1] as T) : after;
    isMore = page.length === READ_AT_ONCE;
  }
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
  const isNew = createNewness();
  const given = { ...NOTHING, products: [asWhole(terms)] };
  return changeCatalog(deps, given, { force, actor }, ({ products: [decided] }) => {
    const { before, after } = accept(decided);
    return { product: after, isNew: isNew(before, after) };
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
  const isNew = createNewness();
  const given = { ...NOTHING, offers: [asWhole(terms)] };
  return changeCatalog(deps, given, { force: false, actor }, ({ offers: [decided] }, now) => {
    const { before, after } = accept(decided);
    return { offer: after, warnings: warningsOf(after, now), isNew: isNew(before, after) };
  });
}

/**
 * Retires a product: nobody orders or grants it any more; what was sold stays and can be used, and a PUT brings it back. One that is retired stays as it is.
 * Locks: the catalogue. Throws: product_not_found.
 */
export async function retireProduct(deps: Deps, productKey: string, actor: Actor): Promise<Product> {
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockCatalog,
    load: (tx) => findProducts(tx, [productKey]),
    decide: (known, now, changes) => {
      const { after, change } = retire(known.get(productKey), now, actor);
      if (!after) throw noProduct(productKey);
      changes.products.push(...change);
      return after;
    },
  });
}

/**
 * Retires an offer: nobody orders, exchanges or is granted it any more; what was sold, and orders that wait for a payment, stay. A PUT brings it back. One
 * that is retired stays as it is. Locks: the catalogue. Throws: offer_not_found.
 */
export async function retireOffer(deps: Deps, sku: string, actor: Actor): Promise<Offer<OfferItemWithProduct>> {
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockCatalog,
    load: (tx) => findOffers(tx, [sku]),
    decide: (known, now, changes) => {
      const { after, change } = retire(known.get(sku), now, actor);
      if (!after) throw noOffer(sku);
      changes.offers.push(...change);
      return after;
    },
  });
}

/** What is not sold any more, and the change by which that is so, if it was sold before. */
function retire<T extends { isActive: boolean }>(before: T | undefined, at: Date, { keyId: actingKey }: Actor) {
  const after = before && { ...before, isActive: false };
  return { after, change: before?.isActive && after ? [{ before, after, at, actingKey }] : [] };
}

function noProduct(productKey: string): AppError {
  return new AppError('product_not_found', `There is no product ${productKey}.`, { pointer: 'path/key' });
}

function noOffer(sku: string): AppError {
  return new AppError('offer_not_found', `There is no offer ${sku}.`, { pointer: 'path/sku' });
}

/** What an import comes to. */
export interface Imported extends DecidedCatalog {
  /** What stands against selling the offers of the file, the first of them only. */
  warnings: (OfferWarning & { sku: string })[];
  warningsTotal: number;
}

const WARNINGS_LISTED_MAX = 1_000;

/**
 * Creates or replaces products and offers, all or none; nothing where one has a fault, or with `isDry`. What is as it is given is not written.
 * Locks: the catalogue.
 */
export async function importCatalog(
  deps: Deps,
  given: GivenCatalog,
  options: { force: boolean; isDry: boolean },
  actor: Actor,
): Promise<Imported> {
  return changeCatalog(deps, given, { ...options, actor }, (decided, now) => {
    const warnings = decided.offers.flatMap(({ after }) =>
      warningsOf(after, now).map((warning) => ({ ...warning, sku: after.sku })),
    );
    return { ...decided, warnings: warnings.slice(0, WARNINGS_LISTED_MAX), warningsTotal: warnings.length };
  });
}

const NOTHING: GivenCatalog = { products: [], offers: [], unread: new Set() };

function asWhole<T>(terms: T): Given<T> {
  return { terms, kept: [], createdAt: undefined };
}

/** The one way in which something is put into the catalogue. `conclude` says what it comes to, and may refuse. */
function changeCatalog<R>(
  deps: Deps,
  given: GivenCatalog,
  { force, isDry = false, actor }: { force: boolean; isDry?: boolean; actor: Actor },
  conclude: (decided: DecidedCatalog, now: Date) => R,
): Promise<R> {
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockCatalog,
    load: (tx, now) => loadKnown(tx, given, force, now),
    decide: (known, now, changes) => {
      const decided = decideCatalog(given, known, force, now);
      const result = conclude(decided, now);
      const isFaulty = [...decided.products, ...decided.offers].some(({ faults }) => faults.length > 0);
      if (isDry || isFaulty) return result;
      const toManaged = <T>({ before, after }: Decided<T>) => ({ before, after, at: now, actingKey: actor.keyId });
      changes.products = decided.products.filter(({ isChange }) => isChange).map(toManaged);
      changes.offers = decided.offers.filter(({ isChange }) => isChange).map(toManaged);
      return result;
    },
  });
}

async function loadKnown(tx: Tx, given: GivenCatalog, force: boolean, now: Date): Promise<KnownCatalog> {
  const keys = given.products.map(({ terms }) => terms.productKey);
  const skus = given.offers.map(({ terms }) => terms.sku);
  const named = given.offers.flatMap(({ terms }) => [terms.currency, ...terms.items.map((item) => item.productKey)]);
  const [products, offers, names, prices] = await Promise.all([
    findProducts(tx, [...new Set([...keys, ...named])]),
    findOffers(tx, skus),
    findUsedNames(tx, [...keys, ...skus]),
    findPrices(tx, keys, [...skus, ...given.unread]),
  ]);
  const [providers, unspent] = await Promise.all([
    findProviders(tx, listFeatures(given, products), keys),
    findUnspentProducts(tx, force ? [] : listWorsened(given, products), now),
  ]);
  return { products, offers, names, prices, providers, unspent };
}

/** What one record comes to. Throws its first fault. */
function accept<T>(decided: Decided<T> | undefined): Decided<T> {
  const { faults } = required(decided, 'what is given is decided');
  const [fault] = faults;
  if (fault) throw new AppError(fault.code, fault.message, { pointer: fault.pointer });
  return required(decided, 'what is given is decided');
}

/** Tells whether something was made by this call, by an attempt whose outcome was not learnt too. */
function createNewness(): (before: { createdAt: Date } | undefined, after: { createdAt: Date }) => boolean {
  const made = new Set<number>();
  return (before, after) => {
    const isNew = before === undefined || made.has(before.createdAt.getTime());
    if (isNew) made.add(after.createdAt.getTime());
    return isNew;
  };
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
