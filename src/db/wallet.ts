// What a customer holds, as readers see it. No locks; each answer comes from one statement, so from one snapshot. What has fallen due but
// is not settled yet is shown as settled.
import type { Batch, BatchSource, Metadata, NewBatch } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';
import { familyPage, ofFamily } from './family.js';
import { PRESENT, pastOf, type ReadInstant, type Source } from './history.js';

export interface WalletBalance {
  productKey: string;
  /** Available minus owed, with due expiries applied. */
  balance: number;
  held: number;
  /** Part of the balance that can't be spent yet. */
  notYetValid: number;
}

export interface WalletAccess {
  productKey: string;
  validFrom: Date;
  expiresAt: Date | null;
}

export interface WalletFeature {
  feature: string;
  productKey: string;
  unitCost: number;
}

export interface StoredWallet {
  balances: WalletBalance[];
  /** Running and future uncounted batches, soonest first. */
  access: WalletAccess[];
  /** Features that the products of this wallet provide. */
  features: WalletFeature[];
}

/** Running and future access rows that one wallet reads at most. */
const ACCESS_MAX = 1_000;

/** The condition that a row of `table` is of the customer $1. */
const ofCustomer = (table: string) => `${table}.customer_id = $1::uuid`;

/**
 * Holds past their end that are not settled yet, by batch; whose, says the condition `isOf`; $2 instant. Of the `units` that come back some repay
 * what their customer owes (`repaid`), and the rest is `kept` if the batch has not ended, as settling will find it. Read once for all members of a
 * family (MATERIALIZED), not again for each.
 */
const lapsedOf = ({ batches, balances }: Source, isOf: (table: string) => string) => `
leg AS (
  SELECT l.customer_id, l.batch_id, l.amount, b.expires_at, b.product_key,
         CASE WHEN b.expires_at <= r.expires_at THEN 0 ELSE l.amount END AS alive,
         row_number() OVER (ORDER BY r.expires_at, r.id, l.position) AS place
  FROM reservations r
  JOIN reservation_legs l ON l.customer_id = r.customer_id AND l.reservation_id = r.id
  JOIN ${batches} b ON b.customer_id = l.customer_id AND b.id = l.batch_id AND b.granted IS NOT NULL
  WHERE ${isOf('r')} AND r.status = 'held' AND r.expires_at <= $2::timestamptz
), repaying AS (
  SELECT leg.*, greatest(0, least(leg.alive, coalesce(bal.owed, 0) - (
           sum(leg.alive) OVER (PARTITION BY leg.customer_id, leg.product_key ORDER BY leg.place) - leg.alive))) AS repaid
  FROM leg LEFT JOIN ${balances} bal ON ${isOf('bal')} AND bal.customer_id = leg.customer_id AND bal.product_key = leg.product_key
), lapsed AS MATERIALIZED (
  SELECT customer_id, batch_id, product_key, sum(amount)::bigint AS units, sum(repaid)::bigint AS repaid,
         sum(CASE WHEN expires_at <= $2::timestamptz THEN 0 ELSE amount - repaid END)::bigint AS kept
  FROM repaying GROUP BY customer_id, batch_id, product_key
)`;

const selectWallet = (source: Source) => `
WITH ${source.ctes} ${lapsedOf(source, ofCustomer)}, balance AS (
  SELECT b.product_key, b.available - b.owed - coalesce(late.units, 0) + coalesce(back.kept + back.repaid, 0) AS balance,
         b.held - coalesce(back.units, 0) AS held, coalesce(later.units, 0) AS not_yet_valid
  FROM ${source.balances} b
  LEFT JOIN (
    SELECT product_key, sum(units)::bigint AS units, sum(repaid)::bigint AS repaid, sum(kept)::bigint AS kept
    FROM lapsed GROUP BY product_key
  ) back USING (product_key)
  LEFT JOIN (
    SELECT product_key, sum(available)::bigint AS units FROM ${source.batches}
    WHERE customer_id = $1::uuid AND is_open AND available > 0 AND expires_at <= $2::timestamptz GROUP BY product_key
  ) late USING (product_key)
  LEFT JOIN (
    SELECT product_key, sum(available)::bigint AS units FROM ${source.batches}
    WHERE customer_id = $1::uuid AND is_open AND available > 0 AND valid_from > $2::timestamptz GROUP BY product_key
  ) later USING (product_key)
  WHERE b.customer_id = $1::uuid
), access AS (
  SELECT product_key, valid_from, expires_at FROM ${source.batches}
  WHERE customer_id = $1::uuid AND granted IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2::timestamptz)
  ORDER BY valid_from, expires_at, id LIMIT ${ACCESS_MAX}
)
SELECT (SELECT json_agg(b ORDER BY b.product_key) FROM balance b) AS balances,
       (SELECT json_agg(a ORDER BY a.valid_from, a.expires_at) FROM access a) AS access,
       (SELECT json_agg(f ORDER BY f.feature, f.product_key) FROM product_features f
        WHERE f.product_key IN (SELECT product_key FROM balance UNION SELECT product_key FROM access)) AS features`;

const SELECT_WALLET = selectWallet(PRESENT);
const SELECT_PAST_WALLET = selectWallet(pastOf(ofCustomer('e'), '$2'));

interface WalletRow extends Row {
  balances: { product_key: string; balance: number; held: number; not_yet_valid: number }[] | null;
  access: { product_key: string; valid_from: string; expires_at: string | null }[] | null;
  features: { feature: string; product_key: string; unit_cost: number }[] | null;
}

/** Reads the wallet of a customer at an instant: what is stored, or for a past instant what the ledger says of then. */
export async function findWallet(tx: Tx, customerId: string, { at, isPast }: ReadInstant): Promise<StoredWallet> {
  const sql = isPast ? SELECT_PAST_WALLET : SELECT_WALLET;
  const [row] = await tx.query<WalletRow>(sql, [customerId, at.toISOString()]);
  return {
    balances: (row?.balances ?? []).map((b) => ({
      productKey: b.product_key,
      balance: b.balance,
      held: b.held,
      notYetValid: b.not_yet_valid,
    })),
    access: (row?.access ?? []).map((a) => ({
      productKey: a.product_key,
      validFrom: new Date(a.valid_from),
      expiresAt: a.expires_at === null ? null : new Date(a.expires_at),
    })),
    features: (row?.features ?? []).map((f) => ({
      feature: f.feature,
      productKey: f.product_key,
      unitCost: f.unit_cost,
    })),
  };
}

/** A batch as readers see it: with where it came from. */
export interface StoredBatch extends Batch {
  state: BatchState;
  source: BatchSource;
  sku: string | null;
  orderId: string | null;
  revokedAt: Date | null;
  metadata: Metadata;
}

export type BatchState = 'active' | 'pending' | 'exhausted' | 'expired' | 'revoked';

export interface BatchFilter {
  productKey?: string | undefined;
  state?: BatchState | undefined;
  /** Only batches that end before this instant and have not ended. */
  expiringBefore?: Date | undefined;
}

interface BatchRow extends Row {
  id: string;
  product_key: string;
  source: BatchSource;
  sku: string | null;
  order_id: string | null;
  granted: number | null;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  priority: number;
  valid_from: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  metadata: Metadata;
  created_at: Date;
}

/** $2 instant; needs `lapsed` joined. The state in the one place where SQL derives it; the same order of cases as `stateOf` has. */
const STATE = `CASE WHEN b.revoked_at IS NOT NULL THEN 'revoked' WHEN b.expires_at <= $2::timestamptz THEN 'expired'
  WHEN b.valid_from > $2::timestamptz THEN 'pending' WHEN b.available + b.held - coalesce(lapsed.repaid, 0) = 0 AND b.granted IS NOT NULL THEN 'exhausted' ELSE 'active' END`;

/** Needs `lapsed` joined: parts with lapsed holds given back. What has expired by then is told by `toStoredBatch`. */
const BATCH_FIELDS = `b.id, b.product_key, b.source, b.sku, b.order_id, b.granted,
  (b.available + coalesce(lapsed.units - lapsed.repaid, 0))::bigint AS available, (b.held - coalesce(lapsed.units, 0))::bigint AS held,
  (b.consumed + coalesce(lapsed.repaid, 0))::bigint AS consumed, b.expired, b.revoked, b.transferred, b.priority, b.valid_from, b.expires_at, b.revoked_at, b.metadata, b.created_at`;

/** A batch that was made just now. */
export function toNewlyStored(batch: NewBatch): StoredBatch {
  const stored = { ...batch, revokedAt: null };
  return { ...stored, state: stateOf(stored, batch.createdAt) };
}

/** The state of a batch at an instant. */
function stateOf(batch: Omit<StoredBatch, 'state'>, now: Date): BatchState {
  if (batch.revokedAt !== null) return 'revoked';
  if (batch.expiresAt !== null && batch.expiresAt <= now) return 'expired';
  if (batch.validFrom > now) return 'pending';
  return batch.granted !== null && batch.available === 0 && batch.held === 0 ? 'exhausted' : 'active';
}

function toStoredBatch(row: BatchRow, now: Date): StoredBatch {
  const isDue = row.expires_at !== null && row.expires_at <= now;
  const stored = {
    id: row.id,
    productKey: row.product_key,
    source: row.source,
    sku: row.sku,
    orderId: row.order_id,
    granted: row.granted,
    available: isDue ? 0 : row.available,
    held: row.held,
    consumed: row.consumed,
    expired: isDue ? row.expired + row.available : row.expired,
    revoked: row.revoked,
    transferred: row.transferred,
    priority: row.priority,
    validFrom: row.valid_from,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    metadata: row.metadata,
    createdAt: row.created_at,
  };
  return { ...stored, state: stateOf(stored, now) };
}

const JOIN_LAPSED = 'LEFT JOIN lapsed ON lapsed.customer_id = b.customer_id AND lapsed.batch_id = b.id';

const selectBatches = (source: Source) => `
WITH ${source.ctes} ${lapsedOf(source, ofFamily)} ${familyPage(
  `SELECT ${BATCH_FIELDS} FROM ${source.batches} b ${JOIN_LAPSED}
   WHERE b.customer_id = family.customer_id AND ($3::text IS NULL OR b.product_key = $3) AND ($4::text IS NULL OR ${STATE} = $4)
     AND ($5::timestamptz IS NULL OR (b.expires_at > $2::timestamptz AND b.expires_at <= $5::timestamptz))
     AND ($6::timestamptz IS NULL OR (b.created_at, b.id) < ($6::timestamptz, $7::uuid))`,
  'created_at DESC, id DESC',
  '$8::int',
)}`;

const SELECT_BATCHES = selectBatches(PRESENT);
const SELECT_PAST_BATCHES = selectBatches(pastOf(ofFamily('e'), '$2'));

/** One page of a family's batches at an instant, newest first, after a position. */
export async function listBatches(
  tx: Tx,
  customerIds: readonly string[],
  { at, isPast }: ReadInstant,
  filter: BatchFilter,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredBatch[]> {
  const rows = await tx.query<BatchRow>(isPast ? SELECT_PAST_BATCHES : SELECT_BATCHES, [
    customerIds,
    at.toISOString(),
    filter.productKey ?? null,
    filter.state ?? null,
    filter.expiringBefore?.toISOString() ?? null,
    page.after?.createdAt.toISOString() ?? null,
    page.after?.id ?? null,
    page.limit,
  ]);
  return rows.map((row) => toStoredBatch(row, at));
}

const SELECT_ORDER_BATCHES = `
WITH ${lapsedOf(PRESENT, ofCustomer)}
SELECT ${BATCH_FIELDS} FROM batches b ${JOIN_LAPSED}
WHERE b.customer_id = $1::uuid AND b.order_id = $3::uuid ORDER BY b.created_at, b.id`;

/** The batches that an order granted, in the order in which they were made. */
export async function findOrderBatches(tx: Tx, customerId: string, orderId: string, now: Date): Promise<StoredBatch[]> {
  const rows = await tx.query<BatchRow>(SELECT_ORDER_BATCHES, [customerId, now.toISOString(), orderId]);
  return rows.map((row) => toStoredBatch(row, now));
}

/** Units of one batch that are about to end. */
export interface ExpiringUnits {
  batchId: string;
  productKey: string;
  amount: number;
  expiresAt: Date;
}

const SELECT_EXPIRING = `
WITH ${lapsedOf(PRESENT, ofFamily)} ${familyPage(
  `SELECT b.id, b.product_key, (b.available + coalesce(lapsed.kept, 0))::bigint AS available, b.expires_at FROM batches b ${JOIN_LAPSED}
   WHERE b.customer_id = family.customer_id AND b.product_key = $3 AND b.is_open AND b.available + coalesce(lapsed.kept, 0) > 0
     AND b.expires_at > $2::timestamptz AND b.expires_at <= $4::timestamptz
     AND ($5::timestamptz IS NULL OR (b.expires_at, b.id) > ($5::timestamptz, $6::uuid))`,
  'expires_at, id',
  '$7::int',
)}`;

/** One page of a family's units of a product that end after `now` and not after `before`, soonest first, after a position. */
export async function listExpiring(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
  { productKey, before }: { productKey: string; before: Date },
  page: { after: { expiresAt: Date; id: string } | undefined; limit: number },
): Promise<ExpiringUnits[]> {
  const rows = await tx.query<Row & { id: string; product_key: string; available: number; expires_at: Date }>(
    SELECT_EXPIRING,
    [
      customerIds,
      now.toISOString(),
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

/** What one operation gave without payment. */
export interface StoredGrant {
  operationId: string;
  grantType: BatchSource;
  createdAt: Date;
  batches: StoredBatch[];
}

const SELECT_GRANTS = `
WITH ${lapsedOf(PRESENT, ofFamily)}, page AS (${familyPage(
  `SELECT customer_id, created_at, operation_id FROM batches
   WHERE customer_id = family.customer_id AND source IN ('trial', 'bonus', 'adjustment', 'migration')
     AND ($3::timestamptz IS NULL OR (created_at, operation_id) < ($3::timestamptz, $4::uuid))
   GROUP BY customer_id, created_at, operation_id`,
  'created_at DESC, operation_id DESC',
  '$5::int',
)})
SELECT b.operation_id, ${BATCH_FIELDS} FROM page p
JOIN batches b ON b.customer_id = p.customer_id AND b.created_at = p.created_at AND b.operation_id = p.operation_id ${JOIN_LAPSED}
ORDER BY b.created_at DESC, b.operation_id DESC, b.id`;

/** One page of a family's grants without payment, newest first, after a position. */
export async function listGrants(
  tx: Tx,
  customerIds: readonly string[],
  now: Date,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredGrant[]> {
  const rows = await tx.query<BatchRow & { operation_id: string }>(SELECT_GRANTS, [
    customerIds,
    now.toISOString(),
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
