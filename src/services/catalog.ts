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
import { BY_ITSELF } from '../engine/by-itself.js';
import { AppError } from '../errors/app-error.js';
import {
  type CatalogFault,
  type Decided,
  decideOffers,
  decideProducts,
  type Given,
  type GivenCatalog,
  type KnownOffers,
  type KnownProducts,
  listDemonetised,
  listFeatures,
  listWorsened,
  type OfferTerms,
  type OfferWarning,
  type ProductTerms,
  warningsOf,
} from '../ledger/catalog.js';
import type { Offer, OfferItemWithProduct, Product } from '../ledger/catalog-entities.js';
import { completePlan } from '../ledger/plans.js';
import { required } from '../lib/assert.js';
import { loadAhead } from '../lib/load-ahead.js';

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

/** The offers of these SKUs, by SKU, plans from before plans had terms too with what goes for them. */
async function findWholeOffers(tx: Tx, skus: readonly string[]): ReturnType<typeof findOffers> {
  const offers = await findOffers(tx, skus);
  return new Map([...offers.values()].map((offer) => [offer.sku, completePlan(offer)]));
}

/** A page of the offers in the same way. */
async function listWholeOffers(tx: Tx, page: CatalogPage): ReturnType<typeof listOffers> {
  return (await listOffers(tx, page)).map(completePlan);
}

/** An offer by its SKU, active or not. Throws: offer_not_found. */
export async function getOffer(deps: Deps, sku: string): Promise<Offer<OfferItemWithProduct>> {
  const offer = (await findWholeOffers(deps.db, [sku])).get(sku);
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
  return listWholeOffers(deps.db, page);
}

/** The offers among these SKUs, in the order asked for; those that are not active too, if asked. */
export async function getOffersBySku(
  deps: Deps,
  skus: readonly string[],
  hasInactive: boolean,
): Promise<Offer<OfferItemWithProduct>[]> {
  const offers = await findWholeOffers(deps.db, skus);
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
    await readAll(tx, listWholeOffers, ({ sku }) => sku, take.offers);
  });
}

async function readAll<T>(
  tx: Tx,
  list: (tx: Tx, page: CatalogPage) => Promise<T[]>,
  nameOf: (one: T) => string,
  take: ((page: T[]) => void) | undefined,
): Promise<void> {
  if (!take) return;
  const listBehind = (after: string) => list(tx, { after, limit: READ_AT_ONCE, hasInactive: true });
  for (let listing: Promise<T[]> | undefined = listBehind(''); listing; ) {
    const page: T[] = await listing;
    const last = page.at(-1);
    listing = last !== undefined && page.length === READ_AT_ONCE ? listBehind(nameOf(last)) : undefined;
    listing?.catch(() => undefined); // it is thrown when it is waited for
    take(page); // while the next one is read
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
  const { before, after } = await changeCatalog(deps, given, { force, actor }, () => {
    let put: Decided<Product> | undefined;
    return {
      products: ([decided]) => {
        put = accept(decided);
      },
      offers: () => undefined,
      result: () => required(put, 'it is decided'),
    };
  });
  return { product: after, isNew: isNew(before, after) };
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
  return changeCatalog(deps, given, { force: false, actor }, () => {
    let put: { offer: Offer<OfferItemWithProduct>; warnings: OfferWarning[]; isNew: boolean } | undefined;
    return {
      products: () => undefined,
      offers: ([decided], now) => {
        const { before, after } = accept(decided);
        put = { offer: after, warnings: warningsOf(after, now), isNew: isNew(before, after) };
      },
      result: () => required(put, 'it is decided'),
    };
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
    load: (tx) => findWholeOffers(tx, [sku]),
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

/** How many are not yet, are not so yet, and are so. */
export interface Imported {
  created: number;
  updated: number;
  unchanged: number;
}

/** What an import comes to. */
export interface ImportedCatalog {
  products: Imported;
  offers: Imported;
  /** What can't be as it is given, each with the place of its record among those of its kind. */
  faults: { kind: 'products' | 'offers'; index: number; fault: CatalogFault }[];
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
): Promise<ImportedCatalog> {
  return changeCatalog(deps, given, { ...options, actor }, () => {
    const imported: ImportedCatalog = {
      products: { created: 0, updated: 0, unchanged: 0 },
      offers: { created: 0, updated: 0, unchanged: 0 },
      faults: [],
      warnings: [],
      warningsTotal: 0,
    };
    const add = (kind: 'products' | 'offers', decided: readonly Decided<unknown>[]) => {
      const counted = imported[kind];
      for (const { before, isChange, faults } of decided) {
        const index = counted.created + counted.updated + counted.unchanged;
        for (const fault of faults) imported.faults.push({ kind, index, fault });
        counted[!isChange ? 'unchanged' : before === undefined ? 'created' : 'updated'] += 1;
      }
    };
    return {
      products: (decided) => add('products', decided),
      offers: (decided, now) => {
        add('offers', decided);
        for (const { after } of decided) {
          const warnings = warningsOf(after, now).map((warning) => ({ ...warning, sku: after.sku }));
          imported.warningsTotal += warnings.length;
          imported.warnings.push(...warnings.slice(0, WARNINGS_LISTED_MAX - imported.warnings.length));
        }
      },
      result: () => imported,
    };
  });
}

const NOTHING: GivenCatalog = { products: [], offers: [], unread: new Set() };
/** So many are read, decided and written at a time, all in one transaction. */
const CHANGED_AT_ONCE = 1_000;

function asWhole<T>(terms: T): Given<T> {
  return { terms, kept: [], createdAt: undefined };
}

/** Is handed what is decided, piece by piece and in the order given; may refuse all of it by an error. */
interface Summary<R> {
  products(decided: readonly Decided<Product>[]): void;
  offers(decided: readonly Decided<Offer<OfferItemWithProduct>>[], now: Date): void;
  result(): R;
}

/** The one way in which something is put into the catalogue. `summarise` begins what it comes to, anew at each attempt. */
function changeCatalog<R>(
  deps: Deps,
  given: GivenCatalog,
  { force, isDry = false, actor }: { force: boolean; isDry?: boolean; actor: Actor },
  summarise: () => Summary<R>,
): Promise<R> {
  return deps.engine.manageInPieces({
    lock: lockCatalog,
    work: async (tx, now, write) => {
      const summary = summarise();
      let isKept = !isDry;
      const toManaged = <T>({ before, after }: Decided<T>) => ({ before, after, at: now, actingKey: actor.keyId });
      const changesOf = <T>(decided: readonly Decided<T>[]) =>
        isKept ? decided.filter(({ isChange }) => isChange).map(toManaged) : [];
      const products = decideProducts(given.products, await loadProducts(tx, given, force, now), force, now);
      summary.products(products);
      isKept &&= products.every(isFaultless);
      for (const piece of inPieces(products)) await write({ products: changesOf(piece) });
      const known = new Map(products.map(({ after }) => [after.productKey, after]));
      const own: ReadonlySet<string> = new Set(known.keys());
      const load = (piece: readonly Given<OfferTerms>[]) => loadOffers(tx, piece, { known, own, unread: given.unread });
      for await (const [piece, loaded] of loadAhead(inPieces(given.offers), load)) {
        const offers = decideOffers(piece, loaded, now);
        summary.offers(offers, now);
        isKept &&= offers.every(isFaultless);
        await write({ offers: changesOf(offers) });
      }
      return { result: summary.result(), isKept };
    },
  });
}

function isFaultless({ faults }: Decided<unknown>): boolean {
  return faults.length === 0;
}

function* inPieces<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += CHANGED_AT_ONCE) yield all.slice(from, from + CHANGED_AT_ONCE);
}

async function loadProducts(
  tx: Tx,
  { products: given, offers, unread }: GivenCatalog,
  force: boolean,
  now: Date,
): Promise<KnownProducts> {
  const products = new Map<string, Product>();
  const names = new Set<string>();
  for (const piece of inPieces(given.map(({ terms }) => terms.productKey))) {
    const [found, used] = await Promise.all([findProducts(tx, piece), findUsedNames(tx, piece)]);
    for (const [key, product] of found) products.set(key, product);
    for (const name of used) names.add(name);
  }
  const keys = given.map(({ terms }) => terms.productKey);
  const demonetised = listDemonetised(given, products);
  const [prices, providers, unspent] = await Promise.all([
    findPrices(tx, demonetised, demonetised.length > 0 ? [...offers.map(({ terms }) => terms.sku), ...unread] : []),
    findProviders(tx, listFeatures(given, products), keys),
    findUnspentProducts(tx, force ? [] : listWorsened(given, products), now),
  ]);
  return { products, names, prices, providers, unspent };
}

/** `known` gets those products that the offers name beside those given, whose keys are `own`. */
async function loadOffers(
  tx: Tx,
  given: readonly Given<OfferTerms>[],
  { known, own, unread }: { known: Map<string, Product>; own: ReadonlySet<string>; unread: GivenCatalog['unread'] },
): Promise<KnownOffers> {
  const skus = given.map(({ terms }) => terms.sku);
  const named = given.flatMap(({ terms }) => [terms.currency, ...terms.items.map((item) => item.productKey)]);
  const [products, offers, used] = await Promise.all([
    findProducts(
      tx,
      [...new Set(named)].filter((name) => !known.has(name)),
    ),
    findWholeOffers(tx, skus),
    findUsedNames(tx, skus),
  ]);
  const kept = [...offers.values()].flatMap(({ items }) => items.map(({ product }) => product));
  for (const product of [...products.values(), ...kept])
    if (!known.has(product.productKey)) known.set(product.productKey, product);
  return { products: known, offers, names: new Set([...used, ...skus.filter((sku) => own.has(sku))]), unread };
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
  for (const terms of products) await putProduct(deps, terms, false, BY_ITSELF.actor);
  for (const terms of offers) await putOffer(deps, terms, BY_ITSELF.actor);
  return true;
}
