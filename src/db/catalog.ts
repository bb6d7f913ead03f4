// The catalogue: products with their features and offers with their items, each read and written as a whole.
import type { Changes } from '../ledger/changes.js';
import type {
  Metadata,
  Offer,
  OfferItemWithProduct,
  Product,
  ProductType,
  Recurrence,
  Stacking,
  Term,
  TrialScope,
} from '../ledger/entities.js';
import type { OrderableOffer } from '../ledger/orders.js';
import type { PeriodUnit } from '../ledger/periods.js';
import { formatMoney, parseMoney } from '../lib/money.js';
import type { Row, Tx } from './client.js';

interface ProductJson {
  product_key: string;
  name: string;
  description: string;
  type: ProductType;
  is_currency: boolean;
  is_active: boolean;
  low_balance_threshold: number | null;
  metadata: Metadata;
  created_at: string;
  features: { feature: string; unit_cost: number }[] | null;
}

interface OfferJson {
  sku: string;
  name: string;
  description: string;
  image: string | null;
  price_text: string;
  currency: string;
  is_active: boolean;
  is_trial: boolean;
  trial_scope: TrialScope | null;
  recurrence: Recurrence | null;
  plan_group: string | null;
  metadata: Metadata;
  created_at: string;
  items:
    | {
        quantity: number;
        period_unit: PeriodUnit;
        period_value: number | null;
        priority: number;
        stacking: Stacking;
        product: ProductJson;
      }[]
    | null;
}

const FEATURES_OF = `(SELECT json_agg(json_build_object('feature', f.feature, 'unit_cost', f.unit_cost) ORDER BY f.feature)
  FROM product_features f WHERE f.product_key = p.product_key)`;

/** A product with its features, as one value. */
const PRODUCT = `to_jsonb(p) || jsonb_build_object('features', ${FEATURES_OF})`;

/** An offer with its items and their products, as one value; the price as text, because as a JSON number it would pass through a float. */
const OFFER = `to_jsonb(o) || jsonb_build_object('price_text', o.price::text, 'items', (
  SELECT json_agg(to_jsonb(i) || jsonb_build_object('product', ${PRODUCT}) ORDER BY i.position)
  FROM offer_items i JOIN products p ON p.product_key = i.product_key WHERE i.sku = o.sku))`;

// The text columns below are enumerated by named checks, and the JSON was validated on its way in: the types say what the database holds.
function toProduct(json: ProductJson): Product {
  return {
    productKey: json.product_key,
    name: json.name,
    description: json.description,
    type: json.type,
    isCurrency: json.is_currency,
    isActive: json.is_active,
    features: (json.features ?? []).map(({ feature, unit_cost }) => ({ feature, unitCost: unit_cost })),
    lowBalanceThreshold: json.low_balance_threshold,
    metadata: json.metadata,
    createdAt: new Date(json.created_at),
  };
}

function toOffer(json: OfferJson): Offer<OfferItemWithProduct> {
  return {
    sku: json.sku,
    name: json.name,
    description: json.description,
    image: json.image,
    price: parseMoney(json.price_text),
    currency: json.currency,
    isActive: json.is_active,
    isTrial: json.is_trial,
    trialScope: json.trial_scope,
    recurrence: json.recurrence,
    planGroup: json.plan_group,
    metadata: json.metadata,
    createdAt: new Date(json.created_at),
    items: (json.items ?? []).map((item) => {
      const product = toProduct(item.product);
      return {
        productKey: product.productKey,
        quantity: item.quantity,
        periodUnit: item.period_unit,
        periodValue: item.period_value,
        priority: item.priority,
        stacking: item.stacking,
        product,
      };
    }),
  };
}

/** The products of these keys, by key; unknown keys are left out. */
export async function findProducts(tx: Tx, productKeys: readonly string[]): Promise<Map<string, Product>> {
  const rows = await tx.query<Row & { product: ProductJson }>(
    `SELECT ${PRODUCT} AS product FROM products p WHERE p.product_key = ANY ($1::text[])`,
    [productKeys],
  );
  return new Map(rows.map(({ product }) => [product.product_key, toProduct(product)]));
}

/** One page of the active products, by key. */
export async function listActiveProducts(tx: Tx, after: string, limit: number): Promise<Product[]> {
  const rows = await tx.query<Row & { product: ProductJson }>(
    `SELECT ${PRODUCT} AS product FROM products p WHERE p.is_active AND p.product_key > $1 ORDER BY p.product_key LIMIT $2::int`,
    [after, limit],
  );
  return rows.map(({ product }) => toProduct(product));
}

/** The offers of these SKUs, by SKU; unknown ones are left out. */
export async function findOffers(tx: Tx, skus: readonly string[]): Promise<Map<string, Offer<OfferItemWithProduct>>> {
  const rows = await tx.query<Row & { offer: OfferJson }>(
    `SELECT ${OFFER} AS offer FROM offers o WHERE o.sku = ANY ($1::text[])`,
    [skus],
  );
  return new Map(rows.map(({ offer }) => [offer.sku, toOffer(offer)]));
}

/** One page of the active offers, by SKU. */
export async function listActiveOffers(tx: Tx, after: string, limit: number): Promise<Offer<OfferItemWithProduct>[]> {
  const rows = await tx.query<Row & { offer: OfferJson }>(
    `SELECT ${OFFER} AS offer FROM offers o WHERE o.is_active AND o.sku > $1 ORDER BY o.sku LIMIT $2::int`,
    [after, limit],
  );
  return rows.map(({ offer }) => toOffer(offer));
}

/** The active offers that are trials, by SKU. */
export async function listTrialOffers(tx: Tx): Promise<Offer<OfferItemWithProduct>[]> {
  const rows = await tx.query<Row & { offer: OfferJson }>(
    `SELECT ${OFFER} AS offer FROM offers o WHERE o.is_active AND o.is_trial`,
  );
  return rows.map(({ offer }) => toOffer(offer)).sort((a, b) => (a.sku < b.sku ? -1 : 1));
}

/** What an item gives, with the product's type of this moment: the terms of an order or grant. */
export function toTerm({ product, ...item }: OfferItemWithProduct): Term {
  return { ...item, productType: product.type };
}

/** The offers of these SKUs as an order sees them. */
export async function findOrderableOffers(tx: Tx, skus: readonly string[]): Promise<Map<string, OrderableOffer>> {
  const offers = await findOffers(tx, skus);
  const orderable = [...offers.values()].map(
    (offer): OrderableOffer => ({
      sku: offer.sku,
      name: offer.name,
      price: offer.price,
      currency: offer.currency,
      isActive: offer.isActive,
      terms: offer.items.map(toTerm),
      inactiveProductKeys: offer.items.filter((item) => !item.product.isActive).map((item) => item.productKey),
    }),
  );
  return new Map(orderable.map((offer) => [offer.sku, offer]));
}

/** Serialises changes of the catalogue: they check what other rows of it say. Held until the transaction ends. */
export async function lockCatalog(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE catalog_names IN SHARE ROW EXCLUSIVE MODE');
}

/** Whether a product or an offer has this name. */
export async function isNameUsed(tx: Tx, name: string): Promise<boolean> {
  return (await tx.query('SELECT 1 AS used FROM catalog_names WHERE name = $1', [name])).length > 0;
}

/** Whether no product and no offer was ever made. */
export async function isCatalogEmpty(tx: Tx): Promise<boolean> {
  return (await tx.query('SELECT 1 AS used FROM catalog_names LIMIT 1')).length === 0;
}

/** Whether anybody holds unspent units of the product, or access to it that has not ended. */
export async function isProductUnspent(tx: Tx, productKey: string, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 AS held FROM batches WHERE product_key = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)
       AND (granted IS NULL OR is_open) LIMIT 1`,
    [productKey, now.toISOString()],
  );
  return rows.length > 0;
}

/** Whether an offer is priced in the product. */
export async function isPriceOfOffer(tx: Tx, productKey: string): Promise<boolean> {
  return (await tx.query('SELECT 1 AS priced FROM offers WHERE currency = $1 LIMIT 1', [productKey])).length > 0;
}

/** What was replaced keeps when it was made. */
const UPSERT_PRODUCTS = `
INSERT INTO products (product_key, name, description, type, is_currency, is_active, low_balance_threshold, metadata, created_at, updated_at)
SELECT product_key, name, description, type, is_currency, is_active, low_balance_threshold, metadata, created_at, updated_at
FROM json_populate_recordset(NULL::products, $1::json)
ON CONFLICT (product_key) DO UPDATE SET name = excluded.name, description = excluded.description, type = excluded.type,
  is_currency = excluded.is_currency, is_active = excluded.is_active, low_balance_threshold = excluded.low_balance_threshold,
  metadata = excluded.metadata, updated_at = excluded.updated_at`;
const INSERT_FEATURES = `
INSERT INTO product_features (product_key, feature, unit_cost)
SELECT product_key, feature, unit_cost FROM json_populate_recordset(NULL::product_features, $1::json)`;
const UPSERT_OFFERS = `
INSERT INTO offers (sku, name, description, image, price, currency, is_active, is_trial, trial_scope, recurrence, plan_group, metadata, created_at,
                    updated_at)
SELECT sku, name, description, image, price, currency, is_active, is_trial, trial_scope, recurrence, plan_group, metadata, created_at, updated_at
FROM json_populate_recordset(NULL::offers, $1::json)
ON CONFLICT (sku) DO UPDATE SET name = excluded.name, description = excluded.description, image = excluded.image, price = excluded.price,
  currency = excluded.currency, is_active = excluded.is_active, is_trial = excluded.is_trial, trial_scope = excluded.trial_scope,
  recurrence = excluded.recurrence, plan_group = excluded.plan_group, metadata = excluded.metadata, updated_at = excluded.updated_at`;
const INSERT_ITEMS = `
INSERT INTO offer_items (sku, position, product_key, quantity, period_unit, period_value, priority, stacking)
SELECT sku, position, product_key, quantity, period_unit, period_value, priority, stacking
FROM json_populate_recordset(NULL::offer_items, $1::json)`;

/** Inserts or replaces products with their features. Throws the violation of `catalog_names_pk` when an offer has such a name. */
export function writeProducts(tx: Tx, { products }: Changes): Promise<unknown> | undefined {
  if (products.length === 0) return undefined;
  const rows = products.map(({ product, at }) => ({
    product_key: product.productKey,
    name: product.name,
    description: product.description,
    type: product.type,
    is_currency: product.isCurrency,
    is_active: product.isActive,
    low_balance_threshold: product.lowBalanceThreshold,
    metadata: product.metadata,
    created_at: product.createdAt,
    updated_at: at,
  }));
  const features = products.flatMap(({ product: { productKey, features: own } }) =>
    own.map(({ feature, unitCost }) => ({ product_key: productKey, feature, unit_cost: unitCost })),
  );
  return Promise.all([
    tx.query(UPSERT_PRODUCTS, [JSON.stringify(rows)]),
    tx.query('DELETE FROM product_features WHERE product_key = ANY ($1::text[])', [rows.map((row) => row.product_key)]),
    tx.query(INSERT_FEATURES, [JSON.stringify(features)]),
  ]);
}

/** Inserts or replaces offers with their items. Throws the violation of `catalog_names_pk` when a product has such a name. */
export function writeOffers(tx: Tx, { offers }: Changes): Promise<unknown> | undefined {
  if (offers.length === 0) return undefined;
  const rows = offers.map(({ offer, at }) => ({
    sku: offer.sku,
    name: offer.name,
    description: offer.description,
    image: offer.image,
    price: formatMoney(offer.price, 6),
    currency: offer.currency,
    is_active: offer.isActive,
    is_trial: offer.isTrial,
    trial_scope: offer.trialScope,
    recurrence: offer.recurrence,
    plan_group: offer.planGroup,
    metadata: offer.metadata,
    created_at: offer.createdAt,
    updated_at: at,
  }));
  const items = offers.flatMap(({ offer: { sku, items: own } }) =>
    own.map((item, index) => ({
      sku,
      position: index + 1,
      product_key: item.productKey,
      quantity: item.quantity,
      period_unit: item.periodUnit,
      period_value: item.periodValue,
      priority: item.priority,
      stacking: item.stacking,
    })),
  );
  return Promise.all([
    tx.query(UPSERT_OFFERS, [JSON.stringify(rows)]),
    tx.query('DELETE FROM offer_items WHERE sku = ANY ($1::text[])', [rows.map((row) => row.sku)]),
    tx.query(INSERT_ITEMS, [JSON.stringify(items)]),
  ]);
}
