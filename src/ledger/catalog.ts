// The rules of the catalogue: what a product or an offer may say, and what of it may be replaced while customers hold what was sold.
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { groupBy } from '../lib/group-by.js';
import { isSame } from '../lib/is-same.js';
import { hasAtMostDecimals, type Micros, parseMoney } from '../lib/money.js';
import { ORDER_BATCHES_MAX } from './bounds.js';
import type { Offer, OfferItem, OfferItemWithProduct, Product } from './catalog-entities.js';
import { addPeriod, anchored } from './periods.js';
import { allocationsOf, completePlan, divides } from './plans.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

/** SKUs that are names of routes beside those of offers. */
const RESERVED_SKUS: ReadonlySet<string> = new Set(['EXPORT', 'IMPORT']);

export type ProductTerms = Omit<Product, 'createdAt'>;
/** An offer as it is written: the price as a decimal string; an item's stacking may be left to the product's type, and what a plan says to its defaults. */
export type OfferTerms = Omit<Offer, 'createdAt' | 'items' | 'price'> & {
  price: string;
  items: (Omit<OfferItem, 'stacking'> & { stacking: OfferItem['stacking'] | undefined })[];
};

/** A product or an offer as somebody gives it. */
export interface Given<T> {
  terms: T;
  /** What he doesn't say, and what so stays as it is where there is one; never the price. */
  kept: readonly Exclude<keyof T, 'price'>[];
  /** When it was made, of one that there is not yet; now where he doesn't say. */
  createdAt: Date | undefined;
}

/** What the catalogue is to have, each name once. */
export interface GivenCatalog {
  products: readonly Given<ProductTerms>[];
  offers: readonly Given<OfferTerms>[];
  /** Names of what is given in a way that can't be read: nobody is at fault who refers to it. */
  unread: ReadonlySet<string>;
}

/** What the catalogue has of given products. */
export interface KnownProducts {
  products: ReadonlyMap<string, Product>;
  /** Those of the given names that a product or an offer has. */
  names: ReadonlySet<string>;
  /** Those of the given products in which an offer is priced that is not given. */
  prices: ReadonlySet<string>;
  /** Products other than those given that provide one of their features, by feature and key. */
  providers: readonly FeatureProvider[];
  /** Those that get worse of which anybody holds unspent units, or access that has not ended. */
  unspent: ReadonlySet<string>;
}

/** What the catalogue has, or will have, of given offers. */
export interface KnownOffers {
  offers: ReadonlyMap<string, Offer<OfferItemWithProduct>>;
  /** Those that the offers name, as they will be. */
  products: ReadonlyMap<string, Product>;
  /** Those of the given names that a product or an offer has. */
  names: ReadonlySet<string>;
  /** As of the given catalogue. */
  unread: GivenCatalog['unread'];
}

/** A product that provides a feature. */
export interface FeatureProvider {
  feature: string;
  productKey: string;
  type: Product['type'];
}

/** Why a product or an offer can't be as it is given. */
export interface CatalogFault {
  code: ErrorCode;
  /** Into the body that says it, or `path/key` and `path/sku` for its name. */
  pointer: string;
  message: string;
}

/** What becomes of a product or an offer; nothing while it has faults. */
export interface Decided<T> {
  before: T | undefined;
  after: T;
  /** Whether it is not yet, or is not so yet. */
  isChange: boolean;
  faults: CatalogFault[];
}

/** Decides about products. `force` allows to raise a unit cost or remove a feature while units are unspent. */
export function decideProducts(
  given: readonly Given<ProductTerms>[],
  known: KnownProducts,
  force: boolean,
  now: Date,
): Decided<Product>[] {
  const products = given.map((one) => decideProduct(one, known, force, now));
  refuseMetered(products, known.providers);
  return products;
}

/** Decides about offers. */
export function decideOffers(
  given: readonly Given<OfferTerms>[],
  known: KnownOffers,
  now: Date,
): Decided<Offer<OfferItemWithProduct>>[] {
  return given.map((one) => decideOffer(one, known, now));
}

/** The terms with what is kept of those that there are. */
function withKept<T extends object>(
  { terms, kept }: Given<T>,
  known: Readonly<Partial<Record<keyof T, unknown>>> | undefined,
): T {
  if (!known || kept.length === 0) return terms;
  return { ...terms, ...Object.fromEntries(kept.map((member) => [member, known[member]])) };
}

function makingFaults({ createdAt }: { createdAt: Date | undefined }, now: Date): CatalogFault[] {
  if (createdAt === undefined || createdAt <= now) return [];
  return [{ code: 'invalid_request', pointer: '/created_at', message: 'must not lie ahead' }];
}

function nameTaken(name: string, pointer: string): CatalogFault {
  const message = `${name} is in use: product keys and SKUs share one namespace.`;
  return { code: 'name_taken', pointer, message };
}

function decideProduct(given: Given<ProductTerms>, known: KnownProducts, force: boolean, now: Date): Decided<Product> {
  const { productKey } = given.terms;
  const before = known.products.get(productKey);
  const terms = withKept(given, before);
  const after: Product = { ...terms, createdAt: before?.createdAt ?? given.createdAt ?? now };
  const faults = [...productFaults(after), ...makingFaults(given, now)];
  if (!before && known.names.has(productKey)) faults.push(nameTaken(productKey, 'path/key'));
  if (before) faults.push(...replacementFaults(before, after, known, force));
  return { before, after, isChange: !before || !isSame(comparable(before), comparable(after)), faults };
}

/** A product with its features in the order in which they are kept. */
function comparable({ features, ...rest }: Product) {
  return { ...rest, features: features.toSorted((one, other) => (one.feature < other.feature ? -1 : 1)) };
}

/** What a product can't be: its key is a currency's code; a currency that is not counted. */
function productFaults({ productKey, isCurrency, type }: Product): CatalogFault[] {
  const faults: CatalogFault[] = [];
  if (isMoneyCurrency(productKey)) {
    const message = `${productKey} is the code of a currency.`;
    faults.push({ code: 'invalid_request', pointer: 'path/key', message });
  }
  if (isCurrency && type !== 'quantity') {
    const message = 'Only a product of type quantity can be a currency.';
    faults.push({ code: 'invalid_request', pointer: '/is_currency', message });
  }
  return faults;
}

/** What can't be replaced of a product while others rest on it. */
function replacementFaults(before: Product, after: Product, known: KnownProducts, force: boolean): CatalogFault[] {
  const { productKey } = after;
  const faults: CatalogFault[] = [];
  const refuse = (pointer: string, message: string) => faults.push({ code: 'product_in_use', pointer, message });
  if (before.type !== after.type)
    refuse('/type', `The type of ${productKey} is fixed: batches and open orders may rest on it.`);
  if (before.isCurrency && !after.isCurrency && known.prices.has(productKey))
    refuse('/is_currency', `Offers are priced in ${productKey}.`);
  const worse = worsenedFeature(before, after);
  if (worse !== undefined && !force && known.unspent.has(productKey)) {
    const message = `Customers hold ${productKey} that pays for ${worse}: send force: true to make it dearer or remove it.`;
    refuse('/features', message);
  }
  return faults;
}

/** Refuses features that another product provides, where one of the two is metered: it would say how the feature is counted. */
function refuseMetered(products: readonly Decided<Product>[], others: readonly FeatureProvider[]): void {
  const given = products.flatMap(({ after: { productKey, type, features } }) =>
    features.map(({ feature }): FeatureProvider => ({ feature, productKey, type })),
  );
  const providers = groupBy([...others, ...given], ({ feature }) => feature);
  const metered = groupBy(
    [...others, ...given].filter(({ type }) => type === 'metered'),
    ({ feature }) => feature,
  );
  for (const { after, faults } of products) {
    const rivals = after.type === 'metered' ? providers : metered;
    const other = after.features
      .flatMap(({ feature }) => rivals.get(feature)?.find(({ productKey }) => productKey !== after.productKey) ?? [])
      .at(0);
    if (!other) continue;
    const what = other.type === 'metered' ? ', which is metered' : '';
    const message = `${other.feature} is provided by ${other.productKey}${what}.`;
    faults.unshift({ code: 'feature_metered', pointer: '/features', message });
  }
}

/** The features that the given products would have. */
export function listFeatures(given: readonly Given<ProductTerms>[], products: ReadonlyMap<string, Product>): string[] {
  const features = given.flatMap((one) => withKept(one, products.get(one.terms.productKey)).features);
  return [...new Set(features.map(({ feature }) => feature))];
}

/** The first feature that would be dearer, or gone. */
function worsenedFeature(before: Pick<Product, 'features'>, after: Pick<Product, 'features'>): string | undefined {
  const costs = new Map(after.features.map(({ feature, unitCost }) => [feature, unitCost]));
  return before.features.find(({ feature, unitCost }) => (costs.get(feature) ?? Infinity) > unitCost)?.feature;
}

/** The products that would get worse for whoever holds units of them. */
export function listWorsened(given: readonly Given<ProductTerms>[], products: ReadonlyMap<string, Product>): string[] {
  return listReplaced(given, products, (before, after) => worsenedFeature(before, after) !== undefined);
}

/** The products that would be no currency any more. */
export function listDemonetised(
  given: readonly Given<ProductTerms>[],
  products: ReadonlyMap<string, Product>,
): string[] {
  return listReplaced(given, products, (before, after) => before.isCurrency && !after.isCurrency);
}

/** The keys of the products of which something is so between what they are and what they would be. */
function listReplaced(
  given: readonly Given<ProductTerms>[],
  products: ReadonlyMap<string, Product>,
  isSo: (before: Product, after: ProductTerms) => boolean,
): string[] {
  return given.flatMap((one) => {
    const before = products.get(one.terms.productKey);
    return before && isSo(before, withKept(one, before)) ? [before.productKey] : [];
  });
}

function decideOffer(given: Given<OfferTerms>, view: KnownOffers, now: Date): Decided<Offer<OfferItemWithProduct>> {
  const { sku } = given.terms;
  const before = view.offers.get(sku);
  const terms = completePlan(withKept(given, before));
  const price = parseMoney(terms.price);
  const items = terms.items.map((item, index) => completeItem(item, view, `/items/${index}`));
  const faults = [
    ...nameFaults(before, terms),
    ...makingFaults(given, now),
    ...priceFaults(price, terms, view),
    ...planFaults(terms),
    ...items.flatMap((item) => item.faults),
  ];
  if (!before && view.names.has(sku)) faults.push(nameTaken(sku, 'path/sku'));
  const after = {
    ...terms,
    price,
    items: items.flatMap(({ item }) => item ?? []),
    createdAt: before?.createdAt ?? given.createdAt ?? now,
  };
  return { before, after, isChange: !before || !isSame(withoutProducts(before), withoutProducts(after)), faults };
}

function withoutProducts({ items, ...offer }: Offer<OfferItemWithProduct>) {
  return { ...offer, items: items.map(({ product: _, ...item }) => item) };
}

/** A period is divided into whole allocations, not too many of them. */
function planFaults({ recurrence, plan, items }: OfferTerms): CatalogFault[] {
  const every = plan?.grantEvery ?? null;
  if (recurrence === null || every === null) return [];
  const pointer = '/plan/grant_every';
  if (!divides(every, recurrence)) {
    const message = 'Must be shorter than the recurrence, and of months a whole part of it.';
    return [{ code: 'invalid_request', pointer, message }];
  }
  const count = allocationsOf({ recurrence, grantEvery: every }) * items.length;
  if (count <= ORDER_BATCHES_MAX) return [];
  const message = `A period would come to ${count} batches, ${ORDER_BATCHES_MAX} at most.`;
  return [{ code: 'invalid_request', pointer, message }];
}

/** A name that is a route's. An offer that has it from before can be retired, and nothing else. */
function nameFaults(before: Offer | undefined, { sku, isActive }: OfferTerms): CatalogFault[] {
  if (!RESERVED_SKUS.has(sku) || (before && !isActive)) return [];
  const message = `${sku} is the name of a route, and reserved; an offer that has it from before can only be retired.`;
  return [{ code: 'name_reserved', pointer: 'path/sku', message }];
}

function priceFaults(price: Micros, { currency }: OfferTerms, { products, unread }: KnownOffers): CatalogFault[] {
  if (unread.has(currency)) return [];
  if (!isMoneyCurrency(currency) && !products.get(currency)?.isCurrency) {
    const message = `${currency} is neither a currency code, nor XTR, nor the key of a currency product.`;
    return [{ code: 'invalid_request', pointer: '/currency', message }];
  }
  const decimals = currencyDecimals(currency);
  if (hasAtMostDecimals(price, decimals)) return [];
  return [{ code: 'invalid_request', pointer: '/price', message: `${currency} has ${decimals} decimals.` }];
}

function completeItem(
  item: OfferTerms['items'][number],
  { products, unread }: KnownOffers,
  pointer: string,
): { item: OfferItemWithProduct | undefined; faults: CatalogFault[] } {
  const product = products.get(item.productKey);
  if (!product) {
    const message = `There is no product ${item.productKey}.`;
    const fault: CatalogFault = { code: 'product_not_found', pointer: `${pointer}/product_key`, message };
    return { item: undefined, faults: unread.has(item.productKey) ? [] : [fault] };
  }
  if (product.type === 'metered') {
    const fault = {
      code: 'product_metered',
      pointer: `${pointer}/product_key`,
      message: meteredMessage(item.productKey),
    };
    return { item: undefined, faults: [fault as CatalogFault] };
  }
  const faults: CatalogFault[] = [];
  const refuse = (member: string, message: string) =>
    faults.push({ code: 'invalid_request', pointer: `${pointer}/${member}`, message });
  const isCounted = product.type === 'quantity';
  if (isCounted && item.stacking === 'extend')
    refuse('stacking', 'Only access can be extended; a counted product is stacked in parallel.');
  if (!isCounted && item.quantity !== 1)
    refuse('quantity', `${item.productKey} is not counted: its quantity is 1, its length is the period.`);
  return { item: { ...item, stacking: item.stacking ?? (isCounted ? 'parallel' : 'extend'), product }, faults };
}

function meteredMessage(productKey: string): string {
  return `${productKey} is metered: it is used without being granted.`;
}

/** Refuses to give what is used as it is. */
export function meteredProduct(productKey: string, pointer: string): AppError {
  return new AppError('product_metered', meteredMessage(productKey), { pointer });
}

/** Why an offer can't be sold, or gives nothing, as it stands. */
export interface OfferWarning {
  code: 'no_items' | 'no_price' | 'free_without_limit' | 'product_inactive' | 'quantity_too_large';
  pointer: string;
  message: string;
}

/** What stands against selling an offer now or ever, once it is active. `now` is the instant from which its validity would run. */
export function warningsOf(
  { currency, price, items, maxPerCustomer }: Offer<OfferItemWithProduct>,
  now: Date,
): OfferWarning[] {
  const warnings: OfferWarning[] = [];
  if (items.length === 0) {
    const message = 'it gives nothing: who orders it gets nothing, and it can be neither exchanged nor granted';
    warnings.push({ code: 'no_items', pointer: '/items', message });
  }
  if (price === 0n && !isMoneyCurrency(currency)) {
    const message = `it costs nothing in ${currency}: an exchange takes at least 1, so that it can only be granted`;
    warnings.push({ code: 'no_price', pointer: '/price', message });
  }
  if (price === 0n && isMoneyCurrency(currency) && maxPerCustomer === null && items.length > 0) {
    const message = 'it is free, and a customer may have any number of it: set max_per_customer';
    warnings.push({ code: 'free_without_limit', pointer: '/max_per_customer', message });
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
