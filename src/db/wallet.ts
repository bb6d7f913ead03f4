// What a customer holds, as readers see it. No locks. What has fallen due but is not settled yet is shown as settled: the ledger's code says which batches
// that changes, and they are shown as it leaves them.
import type { Batch, BatchParts, BatchSource, NewBatch } from '../ledger/entities.js';
import type { Metadata } from '../lib/metadata.js';
import type { Row, Tx } from './client.js';
import { familyPage, ofFamily } from './family.js';
import { PRESENT, pastOf, type ReadInstant } from './history.js';
import { arraysOf, given, listOf, readerOf } from './table.js';
import { batches, productFeatures } from './tables.js';

/** A batch that settling changes, as it leaves it. */
export type SettledBatch = Pick<BatchParts, 'available' | 'held' | 'consumed' | 'expired' | 'revoked'> & {
  customerId: string;
  id: string;
};

/** A product of a customer: counted ones have a balance. */
export interface OwnedProduct {
  customerId: string;
  productKey: string;
  isCounted: boolean;
}

export interface WalletAccess {
  customerId: string;
  productKey: string;
  validFrom: Date;
  expiresAt: Date | null;
}

export interface WalletFeature {
  feature: string;
  productKey: string;
  unitCost: number;
}

const PAST = pastOf(ofFamily('e'), '$2');
const ofSources = <T>(make: (source: typeof PRESENT) => T): readonly [present: T, past: T] => [
  make(PRESENT),
  make(PAST),
];
const fromSource = <T>([present, past]: readonly [T, T], { isPast }: ReadInstant): T => (isPast ? past : present);

const SELECT_PRODUCTS = ofSources(
  ({ ctes, balances, batches: table }) => `
WITH ${ctes} owned AS (
  SELECT b.customer_id, b.product_key, true AS is_counted FROM ${balances} b WHERE b.customer_id = ANY ($1::uuid[])
  UNION
  SELECT b.customer_id, b.product_key, false FROM ${table} b
  WHERE b.customer_id = ANY ($1::uuid[]) AND b.granted IS NULL AND b.source <> 'metered' AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
) SELECT customer_id, product_key, is_counted FROM owned ORDER BY product_key`,
);

/** The products of which customers have, or had, something at an instant. */
export async function listOwnedProducts(
  tx: Tx,
  customerIds: readonly string[],
  instant: ReadInstant,
): Promise<OwnedProduct[]> {
  const rows = await tx.query<Row & { customer_id: string; product_key: string; is_counted: boolean }>(
    fromSource(SELECT_PRODUCTS, instant),
    [customerIds, instant.at.toISOString()],
  );
  return rows.map((row) => ({
    customerId: row.customer_id,
    productKey: row.product_key,
    isCounted: row.is_counted,
  }));
}

const ACCESS = ['customerId', 'productKey', 'validFrom', 'expiresAt'] as const;
const SELECT_ACCESS = ofSources(
  ({ ctes, batches: table }) => `
WITH ${ctes} access AS (
  SELECT ${listOf(batches, ACCESS, 'b')}, b.id FROM ${table} b
  WHERE b.customer_id = ANY ($1::uuid[]) AND b.granted IS NULL AND b.source <> 'metered' AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > $2::timestamptz)
) SELECT ${listOf(batches, ACCESS)} FROM access ORDER BY valid_from, expires_at, id`,
);
const readAccess = readerOf(batches, ACCESS);

/** Running and future uncounted batches of customers at an instant, soonest first. */
export async function listAccess(
  tx: Tx,
  customerIds: readonly string[],
  instant: ReadInstant,
): Promise<WalletAccess[]> {
  const parameters = [customerIds, instant.at.toISOString()];
  return (await tx.query(fromSource(SELECT_ACCESS, instant), parameters)).map(readAccess);
}

const FEATURE = ['feature', 'productKey', 'unitCost'] as const;
const SELECT_FEATURES = `SELECT ${listOf(productFeatures, FEATURE)} FROM product_features WHERE product_key = ANY ($1::text[])
ORDER BY feature, product_key`;
const readFeature = readerOf(productFeatures, FEATURE);

/** The features that products provide. */
export async function listFeatures(tx: Tx, productKeys: readonly string[]): Promise<WalletFeature[]> {
  return (await tx.query(SELECT_FEATURES, [productKeys])).map(readFeature);
}

const SELECT_HELD = ofSources(
  ({ ctes, balances: table }) => `
WITH ${ctes} holding AS (
  SELECT b.product_key, b.held FROM ${table} b
  WHERE b.customer_id = ANY ($1::uuid[]) AND $2::timestamptz IS NOT NULL AND b.held > 0
) SELECT product_key, sum(held)::bigint AS held FROM holding GROUP BY product_key`,
);

/** What holds of customers set aside at an instant, by product. */
export async function sumHeld(
  tx: Tx,
  customerIds: readonly string[],
  instant: ReadInstant,
): Promise<Map<string, number>> {
  if (customerIds.length === 0) return new Map();
  const rows = await tx.query<Row & { product_key: string; held: number }>(fromSource(SELECT_HELD, instant), [
    customerIds,
    instant.at.toISOString(),
  ]);
  return new Map(rows.map((row) => [row.product_key, row.held]));
}

const SELECT_PROVIDERS = 'SELECT product_key FROM product_features WHERE feature = $1';

/** The keys of the products that provide a feature. */
export async function listProviders(tx: Tx, feature: string): Promise<string[]> {
  const rows = await tx.query<Row & { product_key: string }>(SELECT_PROVIDERS, [feature]);
  return rows.map((row) => row.product_key);
}

/** A batch as readers see it: with where it came from. */
export interface StoredBatch extends Omit<Batch, 'recovered' | 'unrecovered'> {
  state: BatchState;
  source: BatchSource;
  sku: string | null;
  orderItemId: string | null;
  revokedAt: Date | null;
  predecessorId: string | null;
  metadata: Metadata;
}

export type BatchState = 'active' | 'pending' | 'exhausted' | 'expired' | 'revoked';

export interface BatchFilter {
  /** Only batches of these products. */
  productKeys?: readonly string[] | undefined;
  orderId?: string | undefined;
  state?: BatchState | undefined;
  /** Only batches that end before this instant and have not ended. */
  expiringBefore?: Date | undefined;
}

/** Batches that settling changes are $3 to $9 of every list, behind the family and the instant. */
const SETTLED = ['customerId', 'id', 'available', 'held', 'consumed', 'expired', 'revoked'] as const;
const SETTLED_ROWS = given(batches, SETTLED, { first: 3, alias: 'settled' });
const JOIN_SETTLED = `LEFT JOIN ${SETTLED_ROWS} ON settled.customer_id = b.customer_id AND settled.id = b.id`;
const settledPart = (part: string) => `coalesce(settled.${part}, b.${part})`;

/** $2 instant; needs `settled` joined. The state in the one place where SQL derives it; the same order of cases as `stateOf` has. */
const STATE = `CASE WHEN b.revoked_at IS NOT NULL OR ${settledPart('revoked')} = b.granted THEN 'revoked' WHEN b.expires_at <= $2::timestamptz THEN 'expired'
  WHEN b.valid_from > $2::timestamptz THEN 'pending'
  WHEN ${settledPart('available')} + ${settledPart('held')} = 0 AND b.granted IS NOT NULL THEN 'exhausted' ELSE 'active' END`;

const FIXED = [
  'id',
  'productKey',
  'source',
  'sku',
  'orderId',
  'orderItemId',
  'subscriptionId',
  'granted',
  'transferred',
  'priority',
  'validFrom',
  'expiresAt',
  'revokedAt',
  'predecessorId',
  'metadata',
  'createdAt',
] as const;
const PARTS = ['available', 'held', 'consumed', 'expired', 'revoked'] as const;
/** Needs `settled` joined. */
const BATCH_FIELDS = `${listOf(batches, FIXED, 'b')}, ${PARTS.map((part) => `${settledPart(part)} AS ${part}`).join(', ')}`;
const readBatch = readerOf(batches, [...FIXED, ...PARTS]);

/** A batch that was made just now. */
export function toNewlyStored(batch: NewBatch): StoredBatch {
  const stored = { ...batch, revokedAt: null };
  return { ...stored, state: stateOf(stored, batch.createdAt) };
}

/** A batch that was changed, with its state at an instant. */
export function restated(batch: StoredBatch, now: Date): StoredBatch {
  return { ...batch, state: stateOf(batch, now) };
}

/** The state of a batch at an instant. */
function stateOf(batch: Omit<StoredBatch, 'state'>, now: Date): BatchState {
  if (batch.revokedAt !== null || batch.revoked === batch.granted) return 'revoked';
  if (batch.expiresAt !== null && batch.expiresAt <= now) return 'expired';
  if (batch.validFrom > now) return 'pending';
  return batch.granted !== null && batch.available === 0 && batch.held === 0 ? 'exhausted' : 'active';
}

function toStoredBatch(row: Row, now: Date): StoredBatch {
  const stored = readBatch(row);
  return { ...stored, state: stateOf(stored, now) };
}

/** The parameters that every list begins with. */
function parametersOf(customerIds: readonly string[], at: Date, settled: readonly SettledBatch[]): unknown[] {
  return [customerIds, at.toISOString(), ...arraysOf(batches, SETTLED, settled)];
}

const OF_MEMBER = 'b.customer_id = family.customer_id AND b.customer_id = ANY ($1::uuid[])';

/** A text of its own for those of an order, $16, so that they are found by it. */
const selectBatches = (ofOrder: string) =>
  ofSources(({ ctes, batches: table }) => {
    const page = familyPage(
      `SELECT ${BATCH_FIELDS} FROM ${table} b ${JOIN_SETTLED}
   WHERE ${OF_MEMBER}${ofOrder} AND b.source <> 'metered' AND ($10::text[] IS NULL OR b.product_key = ANY ($10::text[])) AND ($11::text IS NULL OR ${STATE} = $11)
     AND ($12::timestamptz IS NULL OR (b.expires_at > $2::timestamptz AND b.expires_at <= $12::timestamptz))
     AND ($13::timestamptz IS NULL OR (b.created_at, b.id) < ($13::timestamptz, $14::uuid))`,
      'created_at DESC, id DESC',
      '$15::int',
    );
    return ctes === '' ? page : `WITH ${ctes.trimEnd().slice(0, -1)} ${page}`;
  });
const SELECT_BATCHES = selectBatches('');
const SELECT_BATCHES_OF_ORDER = selectBatches(' AND b.order_id = $16::uuid');

/** One page of a family's batches at an instant, newest first, after a position. */
export async function listBatches(
  tx: Tx,
  customerIds: readonly string[],
  instant: ReadInstant,
  settled: readonly SettledBatch[],
  filter: BatchFilter,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredBatch[]> {
  const { orderId } = filter;
  const texts = orderId === undefined ? SELECT_BATCHES : SELECT_BATCHES_OF_ORDER;
  const rows = await tx.query(fromSource(texts, instant), [
    ...parametersOf(customerIds, instant.at, settled),
    filter.productKeys ?? null,
    filter.state ?? null,
    filter.expiringBefore?.toISOString() ?? null,
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
    ...(orderId === undefined ? [] : [orderId]),
  ]);
  return rows.map((row) => toStoredBatch(row, instant.at));
}

/** Batches of an order that are shown with it; there may be more. */
const SHOWN_OF_ORDER = 200;

/** What an order granted: the first batches, in the order in which they were made, and how many there are. */
export interface OrderBatches {
  batches: StoredBatch[];
  total: number;
}

/** Of an order that granted nothing. */
export const NO_BATCHES: OrderBatches = { batches: [], total: 0 };

const OF_ORDER = 'b.customer_id = ANY ($1::uuid[]) AND b.order_id = $10::uuid AND b.created_at <= $2::timestamptz';
const SELECT_ORDER_BATCHES = `
SELECT ${BATCH_FIELDS}, (SELECT count(*) FROM batches b WHERE ${OF_ORDER}) AS total FROM batches b ${JOIN_SETTLED}
WHERE ${OF_ORDER} ORDER BY b.created_at, b.id LIMIT ${SHOWN_OF_ORDER}`;

/** What an order has granted by an instant, wherever of a family it is. */
export async function findOrderBatches(
  tx: Tx,
  familyIds: readonly string[],
  orderId: string,
  now: Date,
  settled: readonly SettledBatch[],
): Promise<OrderBatches> {
  const rows = await tx.query<Row & { total: number }>(SELECT_ORDER_BATCHES, [
    ...parametersOf(familyIds, now, settled),
    orderId,
  ]);
  return { batches: rows.map((row) => toStoredBatch(row, now)), total: rows[0]?.total ?? 0 };
}

const SELECT_PASSED = `
SELECT DISTINCT b.customer_id FROM batches b
WHERE b.customer_id = ANY ($1::uuid[]) AND b.order_id = $2::uuid AND b.customer_id <> ALL ($3::uuid[]) ORDER BY b.customer_id`;

/** In whose ledgers something of an order went on, between that of its customer and that of the one whom he leads to, the first of the family. */
export async function listPassed(
  tx: Tx,
  customerId: string,
  orderId: string,
  familyIds: readonly string[],
): Promise<string[]> {
  const [finalId] = familyIds;
  const ends = [customerId, finalId];
  if (familyIds.every((id) => ends.includes(id))) return [];
  const rows = await tx.query<Row & { customer_id: string }>(SELECT_PASSED, [familyIds, orderId, ends]);
  return rows.map((row) => row.customer_id);
}

/** Of batches of an order, in the order in which they were made, those that are shown. */
export function firstOf(all: readonly StoredBatch[], total: number): OrderBatches {
  return { batches: all.slice(0, SHOWN_OF_ORDER), total };
}

/** Units of one batch that are about to end. */
export interface ExpiringUnits {
  batchId: string;
  productKey: string;
  amount: number;
  expiresAt: Date;
}

const SELECT_EXPIRING = familyPage(
  `SELECT b.id, b.product_key, ${settledPart('available')} AS available, b.expires_at FROM batches b ${JOIN_SETTLED}
   WHERE ${OF_MEMBER} AND b.product_key = $10 AND b.is_open AND ${settledPart('available')} > 0
     AND b.expires_at > $2::timestamptz AND b.expires_at <= $11::timestamptz
     AND ($12::timestamptz IS NULL OR (b.expires_at, b.id) > ($12::timestamptz, $13::uuid))`,
  'expires_at, id',
  '$14::int',
);

/** One page of a family's units of a product that end after `now` and not after `before`, soonest first, after a position. */
export async function listExpiring(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
  settled: readonly SettledBatch[],
  { productKey, before }: { productKey: string; before: Date },
  page: { after: { expiresAt: Date; id: string } | undefined; limit: number },
): Promise<ExpiringUnits[]> {
  const rows = await tx.query<Row & { id: string; product_key: string; available: number; expires_at: Date }>(
    SELECT_EXPIRING,
    [
      ...parametersOf(customerIds, now, settled),
      productKey,
      before.toISOString(),
      page.after?.expiresAt.toISOString() ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map((row) => ({
    batchId: row.id,
    productKey: row.product_key,
    amount: row.available,
    expiresAt: row.expires_at,
  }));
}

const SELECT_BATCH = ofSources(
  ({ ctes, batches: table }) =>
    `${ctes === '' ? '' : `WITH ${ctes.trimEnd().slice(0, -1)} `}SELECT ${BATCH_FIELDS} FROM ${table} b ${JOIN_SETTLED}
WHERE b.customer_id = ANY ($1::uuid[]) AND b.id = $10::uuid AND b.created_at <= $2::timestamptz AND b.source <> 'metered'`,
);

/** A batch of a family at an instant. */
export async function findBatch(
  tx: Tx,
  customerIds: readonly string[],
  instant: ReadInstant,
  settled: readonly SettledBatch[],
  id: string,
): Promise<StoredBatch | undefined> {
  const [row] = await tx.query(fromSource(SELECT_BATCH, instant), [
    ...parametersOf(customerIds, instant.at, settled),
    id,
  ]);
  return row && toStoredBatch(row, instant.at);
}

/** What one operation gave without payment. */
export interface StoredGrant {
  operationId: string;
  grantType: BatchSource;
  createdAt: Date;
  batches: StoredBatch[];
}

const SELECT_GRANTS = `
WITH page AS (${familyPage(
  `SELECT b.customer_id, b.created_at, b.operation_id FROM batches b
   WHERE ${OF_MEMBER} AND b.source IN ('trial', 'bonus', 'adjustment', 'migration') AND b.predecessor_customer_id IS NULL
     AND ($10::timestamptz IS NULL OR (b.created_at, b.operation_id) < ($10::timestamptz, $11::uuid))
   GROUP BY b.customer_id, b.created_at, b.operation_id`,
  'created_at DESC, operation_id DESC',
  '$12::int',
)})
SELECT b.operation_id, ${BATCH_FIELDS} FROM page p
JOIN batches b ON b.customer_id = p.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.created_at = p.created_at AND b.operation_id = p.operation_id
${JOIN_SETTLED}
WHERE b.predecessor_customer_id IS NULL AND b.created_at <= $2::timestamptz ORDER BY b.created_at DESC, b.operation_id DESC, b.id`;

/** One page of a family's grants without payment, newest first, after a position. */
export async function listGrants(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
  settled: readonly SettledBatch[],
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredGrant[]> {
  const rows = await tx.query<Row & { operation_id: string; source: BatchSource; created_at: Date }>(SELECT_GRANTS, [
    ...parametersOf(customerIds, now, settled),
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
  ]);
  const grants = new Map<string, StoredGrant>();
  for (const row of rows) {
    const grant = grants.get(row.operation_id) ?? {
      operationId: row.operation_id,
      grantType: row.source,
      createdAt: row.created_at,
      batches: [],
    };
    grant.batches.push(toStoredBatch(row, now));
    grants.set(row.operation_id, grant);
  }
  return [...grants.values()];
}
