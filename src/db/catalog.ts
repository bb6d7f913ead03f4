// The catalogue: products with their features and offers with their items, each read and written as a whole.
import type { FeatureProvider } from '../ledger/catalog.js';
import type { Offer, OfferItemWithProduct, Product, ProductType } from '../ledger/catalog-entities.js';
import type { Changes } from '../ledger/changes.js';
import type { OrderableOffer } from '../ledger/orders.js';
import { required } from '../lib/assert.js';
import { askedTogether } from './asked-together.js';
import type { Row, Tx } from './client.js';
import { inserts, upserts } from './statements.js';
import { listOf, readerOf, written } from './table.js';
import {
  catalogNames,
  offerItems,
  offers as offersTable,
  productFeatures,
  products as productsTable,
} from './tables.js';

/** A product as one value, with its features. */
interface ProductJson extends Row {
  features: Row[] | null;
}

/** An offer as one value, with its items. */
interface OfferJson extends Row {
  items: (Row & { product_key: string })[] | null;
}

const FEATURES_OF = `(SELECT json_agg(json_build_object('feature', f.feature, 'unit_cost', f.unit_cost) ORDER BY f.feature)
  FROM product_features f WHERE f.product_key = p.product_key)`;

/** A product with its features, as one value. */
const PRODUCT = `to_jsonb(p) || jsonb_build_object('features', ${FEATURES_OF})`;

/** An offer with its items, as one value; the price as text, because as a JSON number it would pass through a float. */
const OFFER = `to_jsonb(o) || jsonb_build_object('price', o.price::text, 'items', (
  SELECT json_agg(to_jsonb(i) ORDER BY i.position) FROM offer_items i WHERE i.sku = o.sku))`;

/** What an offer's row or a product's is. */
interface OfferOrProduct extends Row {
  offer: OfferJson | null;
  product: ProductJson | null;
}

/** Offers by SKU, and each product of theirs once, as of one instant. `which` ends the selection of the offers `o`. */
const offersWith = (which: string) => `
WITH chosen AS MATERIALIZED (SELECT o.* FROM offers o WHERE ${which}),
owned AS MATERIALIZED (SELECT DISTINCT i.product_key FROM offer_items i JOIN chosen ON chosen.sku = i.sku)
SELECT o.sku AS name, ${OFFER} AS offer, NULL AS product FROM chosen o
UNION ALL
SELECT NULL, NULL, ${PRODUCT} FROM products p JOIN owned USING (product_key)
ORDER BY name`;

// Checks of the database name all texts of the text columns, and the JSON was validated on its way in: the types say what the database holds.
const readProduct = readerOf(
  productsTable,
  written(productsTable).filter((key) => key !== 'updatedAt'),
);
const readFeature = readerOf(productFeatures, ['feature', 'unitCost']);
const readOffer = readerOf(
  offersTable,
  written(offersTable).filter((key) => key !== 'updatedAt'),
);
const readItem = readerOf(offerItems, ['productKey', 'quantity', 'periodUnit', 'periodValue', 'priority', 'stacking']);

function toProduct(json: ProductJson): Product {
  return { ...readProduct(json), features: (json.features ?? []).map(readFeature) };
}

/** Offers in the order of the rows; items of one product share it. */
function toOffers(rows: readonly OfferOrProduct[]): Offer<OfferItemWithProduct>[] {
  const owned = rows.flatMap(({ product }) => (product ? [toProduct(product)] : []));
  const products = new Map(owned.map((product) => [product.productKey, product]));
  const withProduct = (item: Row & { product_key: string }): OfferItemWithProduct => ({
    ...readItem(item),
    product: required(products.get(item.product_key), 'the product of an item is read with it'),
  });
  return rows.flatMap(({ offer }) =>
    offer ? [{ ...readOffer(offer), items: (offer.items ?? []).map(withProduct) }] : [],
  );
}

/** The products of these keys, by key; unknown keys are left out. */
export async function findProducts(tx: Tx, productKeys: readonly string[]): Promise<Map<string, Product>> {
  const rows = await tx.query<Row & { product: ProductJson }>(
    `SELECT ${PRODUCT} AS product FROM products p WHERE p.product_key = ANY ($1::text[])`,
    [productKeys],
  );
  return new Map(rows.map(({ product }) => [String(product.product_key), toProduct(product)]));
}

/** The product of a key, if there is one. */
export const findProduct = askedTogether(async (tx, keys: readonly string[]): Promise<(Product | undefined)[]> => {
  const products = await findProducts(tx, [...new Set(keys)]);
  return keys.map((key) => products.get(key));
});

/** A page of the catalogue: names behind `after`, and whether those that are not active count. */
export interface CatalogPage {
  after: string;
  limit: number;
  hasInactive: boolean;
}

/** One page of the products, by key. */
export async function listProducts(tx: Tx, { after, limit, hasInactive }: CatalogPage): Promise<Product[]> {
  const rows = await tx.query<Row & { product: ProductJson }>(
    `SELECT ${PRODUCT} AS product FROM products p WHERE (p.is_active OR $3::boolean) AND p.product_key > $1
     ORDER BY p.product_key LIMIT $2::int`,
    [after, limit, hasInactive],
  );
  return rows.map(({ product }) => toProduct(product));
}

const FIND_OFFERS = offersWith('o.sku = ANY ($1::text[])');
const LIST_OFFERS = offersWith('(o.is_active OR $3::boolean) AND o.sku > $1 ORDER BY o.sku LIMIT $2::int');

/** The offers of these SKUs, by SKU; unknown ones are left out. */
export async function findOffers(tx: Tx, skus: readonly string[]): Promise<Map<string, Offer<OfferItemWithProduct>>> {
  const offers = toOffers(await tx.query<OfferOrProduct>(FIND_OFFERS, [skus]));
  return new Map(offers.map((offer) => [offer.sku, offer]));
}

/** One page of the offers, by SKU. */
export async function listOffers(
  tx: Tx,
  { after, limit, hasInactive }: CatalogPage,
): Promise<Offer<OfferItemWithProduct>[]> {
  return toOffers(await tx.query<OfferOrProduct>(LIST_OFFERS, [after, limit, hasInactive]));
}

/** What an offer gives, and whether it may be had: without its texts and those of its products, because a hundred may be asked for at once. */
interface OrderableRow extends Row {
  items: (Row & { product_type: ProductType; is_product_active: boolean })[] | null;
}

const ORDERABLE = [
  ...([
    'sku',
    'name',
    'price',
    'currency',
    'isActive',
    'isTrial',
    'trialScope',
    'trialEligible',
    'maxPerCustomer',
  ] as const),
];
const SELECT_ORDERABLE = `
SELECT ${listOf(offersTable, ORDERABLE, 'o')}, (
  SELECT json_agg(to_jsonb(i) || jsonb_build_object('product_type', p.type, 'is_product_active', p.is_active) ORDER BY i.position)
  FROM offer_items i JOIN products p ON p.product_key = i.product_key WHERE i.sku = o.sku
) AS items FROM offers o`;
const readOrderable = readerOf(offersTable, ORDERABLE);

/** The terms are what the items give, with the products' types of this moment. */
function toOrderable(row: OrderableRow): OrderableOffer {
  const items = row.items ?? [];
  return {
    ...readOrderable(row),
    terms: items.map((item) => ({ ...readItem(item), productType: item.product_type })),
    inactiveProductKeys: items.filter((item) => !item.is_product_active).map((item) => String(item.product_key)),
  };
}

/** The active offers that are trials, by SKU. */
export async function listTrialOffers(tx: Tx, limit: number): Promise<OrderableOffer[]> {
  const rows = await tx.query<OrderableRow>(
    `${SELECT_ORDERABLE} WHERE o.is_active AND o.is_trial AND o.trial_eligible IS DISTINCT FROM false ORDER BY o.sku LIMIT $1::int`,
    [limit],
  );
  return rows.map(toOrderable);
}

/** The offers of these SKUs as who orders, exchanges or grants them sees them, by SKU; unknown ones are left out. */
export async function findOrderableOffers(tx: Tx, skus: readonly string[]): Promise<Map<string, OrderableOffer>> {
  const rows = await tx.query<OrderableRow>(`${SELECT_ORDERABLE} WHERE o.sku = ANY ($1::text[])`, [skus]);
  return new Map(rows.map(toOrderable).map((offer) => [offer.sku, offer]));
}

/** Serialises changes of the catalogue: they check what other rows of it say. Held until the transaction ends. */
export async function lockCatalog(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE catalog_names IN SHARE ROW EXCLUSIVE MODE');
}

/** Those of these names that a product or an offer has. */
export async function findUsedNames(tx: Tx, names: readonly string[]): Promise<Set<string>> {
  const rows = await tx.query('SELECT name FROM catalog_names WHERE name = ANY ($1::text[])', [names]);
  return new Set(rows.map(({ name }) => String(name)));
}

/** Whether no product and no offer was ever made. */
export async function isCatalogEmpty(tx: Tx): Promise<boolean> {
  return (await tx.query('SELECT 1 AS used FROM catalog_names LIMIT 1')).length === 0;
}

/** Those of these products of which anybody holds unspent units, or access that has not ended. */
export async function findUnspentProducts(tx: Tx, productKeys: readonly string[], now: Date): Promise<Set<string>> {
  if (productKeys.length === 0) return new Set();
  const rows = await tx.query(
    `SELECT k.product_key FROM unnest($1::text[]) AS k (product_key) WHERE EXISTS (
       SELECT 1 FROM batches WHERE product_key = k.product_key AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)
         AND (granted IS NULL OR is_open) AND source <> 'metered')`,
    [productKeys, now.toISOString()],
  );
  return new Set(rows.map((row) => String(row.product_key)));
}

/** Those of these products in which offers are priced, other than these. */
export async function findPrices(
  tx: Tx,
  productKeys: readonly string[],
  otherThan: readonly string[],
): Promise<Set<string>> {
  if (productKeys.length === 0) return new Set();
  const rows = await tx.query(
    `SELECT DISTINCT o.currency FROM offers o WHERE o.currency = ANY ($1::text[])
       AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS other (sku) WHERE other.sku = o.sku)`,
    [productKeys, otherThan],
  );
  return new Set(rows.map(({ currency }) => String(currency)));
}

/** Products that provide some of these features, other than these. */
export async function findProviders(
  tx: Tx,
  features: readonly string[],
  otherThan: readonly string[],
): Promise<FeatureProvider[]> {
  if (features.length === 0) return [];
  const rows = await tx.query<Row & { feature: string; product_key: string; type: ProductType }>(
    `SELECT f.feature, f.product_key, p.type FROM product_features f JOIN products p USING (product_key)
     WHERE f.feature = ANY ($1::text[]) AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS other (key) WHERE other.key = f.product_key)
     ORDER BY f.feature, f.product_key`,
    [features, otherThan],
  );
  return rows.map((row) => ({ feature: row.feature, productKey: row.product_key, type: row.type }));
}

// What is replaced keeps when it was made.
const namesOf = inserts(catalogNames, 'ON CONFLICT (name, kind) DO NOTHING');
const productsOf = upserts(productsTable, ['productKey'], ['createdAt']);
const featuresOf = inserts(productFeatures);
const offersOf = upserts(offersTable, ['sku'], ['createdAt']);
const itemsOf = inserts(offerItems);

/** Inserts or replaces products with their features. Throws the violation of `catalog_names_pk` when an offer has such a name. */
export function writeProducts(tx: Tx, { products }: Changes): Promise<unknown> | undefined {
  if (products.length === 0) return undefined;
  const rows = products.map(({ after, at }) => ({ ...after, updatedAt: at }));
  const features = rows.flatMap(({ productKey, features: own }) => own.map((feature) => ({ ...feature, productKey })));
  return Promise.all([
    namesOf(
      tx,
      rows.map(({ productKey: name }) => ({ name, kind: 'product' as const })),
    ),
    productsOf(tx, rows),
    tx.query('DELETE FROM product_features WHERE product_key = ANY ($1::text[])', [rows.map((row) => row.productKey)]),
    featuresOf(tx, features),
  ]);
}

/** Inserts or replaces offers with their items. Throws the violation of `catalog_names_pk` when a product has such a name. */
export function writeOffers(tx: Tx, { offers }: Changes): Promise<unknown> | undefined {
  if (offers.length === 0) return undefined;
  const rows = offers.map(({ after, at }) => ({ ...after, updatedAt: at }));
  const items = rows.flatMap(({ sku, items: own }) =>
    own.map((item, index) => ({ ...item, sku, position: index + 1 })),
  );
  return Promise.all([
    namesOf(
      tx,
      rows.map(({ sku: name }) => ({ name, kind: 'offer' as const })),
    ),
    offersOf(tx, rows),
    tx.query('DELETE FROM offer_items WHERE sku = ANY ($1::text[])', [rows.map((row) => row.sku)]),
    itemsOf(tx, items),
  ]);
}
