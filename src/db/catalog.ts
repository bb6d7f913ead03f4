// The catalogue: products, features and offers, through Prisma's models; SQL where one precise statement is needed.
import { Prisma } from '../generated/prisma/client.js';
import type { Metadata, ProductType } from '../ledger/book.js';
import type { Stacking, Term } from '../ledger/grant.js';
import type { OrderableOffer } from '../ledger/orders.js';
import type { PeriodUnit } from '../ledger/periods.js';
import { formatMoney, type Micros, parseMoney } from '../lib/money.js';
import type { PrismaTx, Tx } from './client.js';

export interface ProductFeature {
  feature: string;
  unitCost: number;
}

export interface Product {
  productKey: string;
  name: string;
  description: string;
  type: ProductType;
  isCurrency: boolean;
  isActive: boolean;
  features: ProductFeature[];
  lowBalanceThreshold: number | null;
  metadata: Metadata;
  createdAt: Date;
}

export interface OfferItem {
  productKey: string;
  quantity: number;
  periodUnit: PeriodUnit;
  periodValue: number | null;
  priority: number;
  stacking: Stacking;
}

/** An item together with the product that it gives. */
export interface OfferItemWithProduct extends OfferItem {
  product: Product;
}

export type TrialScope = 'any' | 'offer';

export interface Recurrence {
  unit: Exclude<PeriodUnit, 'forever'>;
  count: number;
}

export interface Offer<Item = OfferItem> {
  sku: string;
  name: string;
  description: string;
  image: string | null;
  price: Micros;
  currency: string;
  isActive: boolean;
  isTrial: boolean;
  trialScope: TrialScope | null;
  recurrence: Recurrence | null;
  planGroup: string | null;
  items: Item[];
  metadata: Metadata;
  createdAt: Date;
}

// Relations are joined into one statement (relationJoins in the schema): what is replaced meanwhile is read as before or as after.
const withFeatures = { features: { orderBy: { feature: 'asc' } } } as const satisfies Prisma.ProductInclude;
const withItems = {
  items: { orderBy: { position: 'asc' }, include: { product: { include: withFeatures } } },
} as const satisfies Prisma.OfferInclude;

type ProductRecord = Prisma.ProductGetPayload<{ include: typeof withFeatures }>;
type OfferRecord = Prisma.OfferGetPayload<{ include: typeof withItems }>;

// The text columns below are enumerated by named checks, and the JSON was validated on its way in: the casts say what the database holds.
function toProduct(record: ProductRecord): Product {
  const { updatedAt: _, ...product } = record;
  return {
    ...product,
    type: record.type as ProductType,
    lowBalanceThreshold: record.lowBalanceThreshold === null ? null : Number(record.lowBalanceThreshold),
    metadata: record.metadata as Metadata,
    features: record.features.map(({ feature, unitCost }) => ({ feature, unitCost: Number(unitCost) })),
  };
}

function toOffer(record: OfferRecord): Offer<OfferItemWithProduct> {
  const { updatedAt: _, ...offer } = record;
  return {
    ...offer,
    price: parseMoney(record.price.toFixed(6)),
    trialScope: record.trialScope as TrialScope | null,
    recurrence: record.recurrence as Recurrence | null,
    metadata: record.metadata as Metadata,
    items: record.items.map((item) => ({
      productKey: item.productKey,
      quantity: Number(item.quantity),
      periodUnit: item.periodUnit as PeriodUnit,
      periodValue: item.periodValue,
      priority: item.priority,
      stacking: item.stacking as Stacking,
      product: toProduct(item.product),
    })),
  };
}

/** The products of these keys, by key; unknown keys are left out. */
export async function findProducts(
  { prisma }: PrismaTx,
  productKeys: readonly string[],
): Promise<Map<string, Product>> {
  const records = await prisma.product.findMany({
    where: { productKey: { in: [...productKeys] } },
    include: withFeatures,
  });
  return new Map(records.map((record) => [record.productKey, toProduct(record)]));
}

/** One page of the active products, by key. */
export async function listActiveProducts({ prisma }: PrismaTx, after: string, limit: number): Promise<Product[]> {
  const records = await prisma.product.findMany({
    where: { isActive: true, productKey: { gt: after } },
    include: withFeatures,
    orderBy: { productKey: 'asc' },
    take: limit,
  });
  return records.map(toProduct);
}

/** Inserts or replaces a product with its features; `createdAt` stays. Throws the violation of `catalog_names_pk` when a SKU has the name. */
export async function upsertProduct({ prisma }: PrismaTx, product: Product, now: Date): Promise<void> {
  const { features, createdAt, ...fields } = product;
  const record = { ...fields, metadata: product.metadata as Prisma.InputJsonObject, updatedAt: now };
  await prisma.product.upsert({
    where: { productKey: product.productKey },
    create: { ...record, createdAt },
    update: record,
    select: { productKey: true },
  });
  await prisma.productFeature.deleteMany({ where: { productKey: product.productKey } });
  await prisma.productFeature.createMany({
    data: features.map((feature) => ({ ...feature, productKey: product.productKey })),
  });
}

/** Serialises changes of the catalogue: they check what other rows of it say. Held until the transaction ends. */
export async function lockCatalog(tx: Tx): Promise<void> {
  await tx.query('LOCK TABLE catalog_names IN SHARE ROW EXCLUSIVE MODE');
}

/** Whether no product and no offer was ever made. */
export async function isCatalogEmpty({ prisma }: PrismaTx): Promise<boolean> {
  return (await prisma.catalogName.findFirst({ select: { name: true } })) === null;
}

/** Whether anybody holds unspent units of the product, or access to it that has not ended. */
export async function isProductUnspent(tx: Tx, productKey: string, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `SELECT 1 FROM batches WHERE product_key = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)
       AND (granted IS NULL OR is_open) LIMIT 1`,
    [productKey, now.toISOString()],
  );
  return rows.length > 0;
}

/** Whether an offer is priced in the product. */
export async function isPriceOfOffer({ prisma }: PrismaTx, productKey: string): Promise<boolean> {
  return (await prisma.offer.findFirst({ where: { currency: productKey }, select: { sku: true } })) !== null;
}

/** The offers of these SKUs, by SKU; unknown ones are left out. */
export async function findOffers(
  { prisma }: PrismaTx,
  skus: readonly string[],
): Promise<Map<string, Offer<OfferItemWithProduct>>> {
  const records = await prisma.offer.findMany({ where: { sku: { in: [...skus] } }, include: withItems });
  return new Map(records.map((record) => [record.sku, toOffer(record)]));
}

/** One page of the active offers, by SKU. */
export async function listActiveOffers(
  { prisma }: PrismaTx,
  after: string,
  limit: number,
): Promise<Offer<OfferItemWithProduct>[]> {
  const records = await prisma.offer.findMany({
    where: { isActive: true, sku: { gt: after } },
    include: withItems,
    orderBy: { sku: 'asc' },
    take: limit,
  });
  return records.map(toOffer);
}

/** The SKUs of the active offers that are trials. */
export async function listTrialSkus({ prisma }: PrismaTx): Promise<string[]> {
  const offers = await prisma.offer.findMany({ where: { isActive: true, isTrial: true }, select: { sku: true } });
  return offers.map((offer) => offer.sku);
}

/** Inserts or replaces an offer with its items; `createdAt` stays. Throws the violation of `catalog_names_pk` when a product has the name. */
export async function upsertOffer({ prisma }: PrismaTx, offer: Offer, now: Date): Promise<void> {
  const { items, createdAt, recurrence, ...fields } = offer;
  const record = {
    ...fields,
    price: formatMoney(offer.price, 6),
    recurrence: recurrence === null ? Prisma.DbNull : { ...recurrence },
    metadata: offer.metadata as Prisma.InputJsonObject,
    updatedAt: now,
  };
  await prisma.offer.upsert({
    where: { sku: offer.sku },
    create: { ...record, createdAt },
    update: record,
    select: { sku: true },
  });
  await prisma.offerItem.deleteMany({ where: { sku: offer.sku } });
  await prisma.offerItem.createMany({
    data: items.map((item, index) => ({ ...item, sku: offer.sku, position: index + 1 })),
  });
}

/** What an item gives, with the product's type of this moment: the terms of an order or grant. */
export function toTerm({ product, ...item }: OfferItemWithProduct): Term {
  return { ...item, productType: product.type };
}

/** The offers of these SKUs as an order sees them. */
export async function findOrderableOffers(tx: PrismaTx, skus: readonly string[]): Promise<Map<string, OrderableOffer>> {
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

/** How many SKUs a refusal proposes at most. */
const UPGRADE_SKUS_MAX = 10;

/** Active offers of active products, trials apart, that give one of the products: cheapest first (by the number alone), then by SKU. */
export async function findUpgradeSkus({ prisma }: PrismaTx, productKeys: readonly string[]): Promise<string[]> {
  const offers = await prisma.offer.findMany({
    where: {
      isActive: true,
      isTrial: false,
      items: { some: { productKey: { in: [...productKeys] } }, every: { product: { isActive: true } } },
    },
    orderBy: [{ price: 'asc' }, { sku: 'asc' }],
    take: UPGRADE_SKUS_MAX,
    select: { sku: true },
  });
  return offers.map((offer) => offer.sku);
}
