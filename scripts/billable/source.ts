// The database of the Django module, as moving in reads it: one snapshot of it, in pages by key, so that memory does not grow with it. Writes nothing there.
import type pg from 'pg';
import { StartError } from '../../src/errors/start-error.js';
import { connectTo } from '../find-database.js';

/** Customers at a time: what they own is read with them. */
const USERS_AT_ONCE = 500;
const ROWS_AT_ONCE = 500;

/** What is read of it. A database of another generation lacks some. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  billable_products: [
    ...['id', 'product_key', 'name', 'description', 'product_type', 'is_active', 'is_currency', 'metadata'],
  ],
  billable_offers: [
    ...['id', 'sku', 'name', 'price', 'currency', 'image', 'description', 'is_active', 'created_at', 'metadata'],
  ],
  billable_offer_items: ['id', 'offer_id', 'product_id', 'quantity', 'period_unit', 'period_value'],
  billable_orders: [
    ...[
      'id',
      'user_id',
      'total_amount',
      'currency',
      'status',
      'payment_method',
      'payment_id',
      'metadata',
      'created_at',
    ],
    'paid_at',
  ],
  billable_order_items: ['id', 'order_id', 'offer_id', 'quantity', 'price'],
  billable_quota_batches: [
    ...['id', 'user_id', 'product_id', 'source_offer_id', 'order_item_id', 'initial_quantity', 'remaining_quantity'],
    ...['valid_from', 'expires_at', 'state', 'created_at'],
  ],
  billable_transactions: [
    ...['id', 'user_id', 'quota_batch_id', 'amount', 'direction', 'action_type', 'object_id', 'created_at', 'metadata'],
  ],
  billable_trial_history: ['id', 'identity_type', 'identity_hash', 'trial_plan_name', 'used_at'],
  billable_external_identities: ['id', 'provider', 'external_id', 'user_id', 'metadata'],
  billable_referrals: ['id', 'referrer_id', 'referee_id', 'bonus_granted', 'created_at', 'metadata'],
};

/** Where users are named that count as customers. */
const USERS_IN = [
  ['billable_external_identities', 'user_id'],
  ['billable_orders', 'user_id'],
  ['billable_quota_batches', 'user_id'],
  ['billable_transactions', 'user_id'],
  ['billable_referrals', 'referrer_id'],
  ['billable_referrals', 'referee_id'],
] as const;

type Json = Record<string, unknown>;

/** Ids are text, whatever their type is there. */
export interface SourceProduct {
  id: string;
  productKey: string | null;
  name: string;
  description: string;
  type: string;
  isActive: boolean;
  isCurrency: boolean;
  metadata: Json;
}

export interface SourceOfferItem {
  productId: string;
  quantity: number;
  periodUnit: string;
  periodValue: number | null;
}

export interface SourceOffer {
  id: string;
  sku: string;
  name: string;
  /** A decimal string, as all money. */
  price: string;
  currency: string;
  image: string | null;
  description: string;
  isActive: boolean;
  metadata: Json;
  items: SourceOfferItem[];
  /** Whether anybody was given it as a trial. */
  wasTrial: boolean;
}

export interface SourceIdentity {
  id: string;
  userId: string | null;
  provider: string;
  externalId: string;
  metadata: Json;
}

export interface SourceOrder {
  id: string;
  userId: string;
  totalAmount: string;
  currency: string;
  status: string;
  paymentMethod: string;
  paymentId: string | null;
  metadata: Json;
  createdAt: Date;
  paidAt: Date | null;
  items: { offerId: string | null; quantity: number; price: string }[];
}

export interface SourceBatch {
  id: string;
  userId: string;
  productId: string;
  offerId: string | null;
  orderId: string | null;
  initial: number;
  remaining: number;
  validFrom: Date;
  expiresAt: Date | null;
  state: string;
  createdAt: Date;
}

export interface SourceEntry {
  id: string;
  userId: string;
  batchId: string;
  productId: string;
  amount: number;
  direction: string;
  actionType: string;
  objectId: string | null;
  metadata: Json;
  createdAt: Date;
}

export interface SourceTrial {
  id: string;
  identityType: string;
  identityHash: string;
  plan: string;
  usedAt: Date;
}

export interface SourceReferral {
  id: string;
  referrerId: string;
  refereeId: string;
  isBonusGranted: boolean;
  metadata: Json;
  createdAt: Date;
}

export interface Source {
  client: pg.Client;
  /** The type of users' ids. */
  userType: string;
  /** The instant of the snapshot, by the clock there. */
  takenAt: Date;
  /** Whether anything was lost that the snapshot rests on. */
  close(): Promise<void>;
}

/** Opens the one snapshot. Throws: StartError (unreachable, no tables of the module, another version of it). */
export async function openSource(url: string): Promise<Source> {
  const client = await connectToSource(url, 'bursar-import');
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(
      `SET LOCAL TimeZone = 'UTC'; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0`,
    );
    const userType = await requireTables(client);
    const { rows } = await client.query<{ now: Date }>('SELECT now() AS now');
    return { client, userType, takenAt: rows[0]?.now as Date, close: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** One connection to a database that is read from. Throws: StartError. */
export async function connectToSource(url: string, applicationName: string): Promise<pg.Client> {
  if (!URL.canParse(url) || !/^postgres(?:ql)?:$/.test(new URL(url).protocol))
    throw new StartError('--source must be a URL such as postgresql://user:password@host:5432/database');
  try {
    return await connectTo({ url, purpose: 'read', embeddedIn: undefined }, applicationName);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new StartError(error.message.replaceAll('DATABASE_URL', '--source'), { cause: error });
  }
}

/** Compares what there is with what is read; returns the type of users' ids. */
async function requireTables(client: pg.Client): Promise<string> {
  const names = Object.keys(NEEDED);
  const { rows } = await client.query<{ name: string; column: string | null; type: string | null }>(
    `SELECT t.name, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type
     FROM unnest($1::text[]) AS t (name)
     LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attnum > 0 AND NOT a.attisdropped`,
    [names],
  );
  const columns = new Map(names.map((name) => [name, new Map<string, string>()]));
  for (const { name, column, type } of rows) if (column !== null) columns.get(name)?.set(column, type ?? '');
  const missing = names.filter((name) => columns.get(name)?.size === 0);
  const { host, pathname } = new URL(`postgresql://${client.host}:${client.port}/${client.database}`);
  const named = `the source ${host}${pathname}`;
  if (missing.length === names.length)
    throw new StartError(
      `${named} has no tables of the Django module (billable_products and its like): name its database`,
    );
  const lacking = names
    .filter((name) => !missing.includes(name))
    .flatMap((name) =>
      (NEEDED[name] ?? []).filter((column) => !columns.get(name)?.has(column)).map((column) => `${name}.${column}`),
    );
  if (missing.length + lacking.length > 0) {
    const what = [...missing.map((name) => `the table ${name}`), ...lacking.map((name) => `the column ${name}`)];
    throw new StartError(
      `${named} is of another version of the module: it lacks ${what.join(', ')}. Bring it to version 0.2 there (manage.py migrate) first`,
    );
  }
  return columns.get('billable_quota_batches')?.get('user_id') ?? 'bigint';
}

async function all<T>({ client }: Source, sql: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await client.query(sql, [...values])).rows as T[];
}

export function readProducts(source: Source): Promise<SourceProduct[]> {
  return all(
    source,
    `SELECT id::text, product_key AS "productKey", name, description, product_type AS type, is_active AS "isActive", is_currency AS "isCurrency", metadata
     FROM billable_products ORDER BY billable_products.id`,
  );
}

/** The offers, the oldest first, each with its items. */
export function readOffers(source: Source): Promise<SourceOffer[]> {
  return all(
    source,
    `SELECT o.id::text, o.sku, o.name, o.price::text, o.currency, o.image, o.description, o.is_active AS "isActive", o.metadata,
       coalesce((SELECT json_agg(json_build_object('productId', i.product_id::text, 'quantity', i.quantity, 'periodUnit', i.period_unit,
                                                   'periodValue', i.period_value) ORDER BY i.id)
                 FROM billable_offer_items i WHERE i.offer_id = o.id), '[]') AS items,
       EXISTS (SELECT FROM billable_quota_batches b JOIN billable_transactions t ON t.quota_batch_id = b.id AND t.action_type = 'trial_activation'
               WHERE b.source_offer_id = o.id) AS "wasTrial"
     FROM billable_offers o ORDER BY o.created_at, o.id`,
  );
}

/** How many customers there are. */
export async function countUsers(source: Source): Promise<number> {
  const named = USERS_IN.map(([table, column]) => `SELECT ${column} FROM ${table} WHERE ${column} IS NOT NULL`);
  const [row] = await all<{ count: string }>(source, `SELECT count(*) FROM (${named.join(' UNION ')}) AS u`);
  return Number(row?.count);
}

/** The ids of customers, in pages. */
export async function* readUserPages(source: Source): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const behind = after === undefined ? '' : `> $1::${source.userType}`;
    const named = USERS_IN.map(([table, column]) => {
      const where = behind === '' ? `${column} IS NOT NULL` : `${column} ${behind}`;
      return `(SELECT DISTINCT ${column} AS id FROM ${table} WHERE ${where} ORDER BY 1 LIMIT ${USERS_AT_ONCE})`;
    });
    const sql = `SELECT id::text AS id FROM (${named.join(' UNION ')}) AS u ORDER BY u.id LIMIT ${USERS_AT_ONCE}`;
    const ids = (await all<{ id: string }>(source, sql, after === undefined ? [] : [after])).map(({ id }) => id);
    if (ids.length > 0) yield ids;
    if (ids.length < USERS_AT_ONCE) return;
    after = ids.at(-1);
  }
}

const ofUsers = (source: Source, alias: string) => `${alias}.user_id = ANY ($1::${source.userType}[])`;

export function readIdentities(source: Source, userIds: readonly string[]): Promise<SourceIdentity[]> {
  return all(
    source,
    `SELECT i.id::text, i.user_id::text AS "userId", i.provider, i.external_id AS "externalId", i.metadata
     FROM billable_external_identities i WHERE ${ofUsers(source, 'i')} ORDER BY i.id`,
    [userIds],
  );
}

/** Identities that name nobody, by their ids in pages. */
export function readLooseIdentities(source: Source): AsyncGenerator<{ id: string }[]> {
  return pagesOf(
    source,
    'i.id',
    `SELECT i.id::text, i.id AS key FROM billable_external_identities i WHERE i.user_id IS NULL`,
  );
}

export function readOrders(source: Source, userIds: readonly string[]): Promise<SourceOrder[]> {
  return all(
    source,
    `SELECT o.id::text, o.user_id::text AS "userId", o.total_amount::text AS "totalAmount", o.currency, o.status, o.payment_method AS "paymentMethod",
       o.payment_id AS "paymentId", o.metadata, o.created_at AS "createdAt", o.paid_at AS "paidAt",
       coalesce((SELECT json_agg(json_build_object('offerId', i.offer_id::text, 'quantity', i.quantity, 'price', i.price::text) ORDER BY i.id)
                 FROM billable_order_items i WHERE i.order_id = o.id), '[]') AS items
     FROM billable_orders o WHERE ${ofUsers(source, 'o')} ORDER BY o.created_at, o.id`,
    [userIds],
  );
}

/** All batches of customers, the oldest first. */
export function readBatches(source: Source, userIds: readonly string[]): Promise<SourceBatch[]> {
  return all(
    source,
    `SELECT b.id::text, b.user_id::text AS "userId", b.product_id::text AS "productId", b.source_offer_id::text AS "offerId",
       i.order_id::text AS "orderId", b.initial_quantity AS initial, b.remaining_quantity AS remaining, b.valid_from AS "validFrom",
       b.expires_at AS "expiresAt", b.state, b.created_at AS "createdAt"
     FROM billable_quota_batches b LEFT JOIN billable_order_items i ON i.id = b.order_item_id
     WHERE ${ofUsers(source, 'b')} ORDER BY b.created_at, b.id`,
    [userIds],
  );
}

/** Identities that are one with an older identity of another user, but for their spelling, with that one's id. */
export function readAlike(source: Source): Promise<{ id: string; first: string }[]> {
  return all(
    source,
    `SELECT id::text, first::text FROM (
       SELECT id, user_id, first_value(id) OVER w AS first, first_value(user_id) OVER w AS first_user
       FROM billable_external_identities, LATERAL (SELECT coalesce(nullif(lower(btrim(provider)), ''), 'default') AS kind) k
       WHERE user_id IS NOT NULL
       WINDOW w AS (PARTITION BY kind, CASE kind WHEN 'email' THEN lower(normalize(btrim(external_id), NFC)) ELSE normalize(btrim(external_id), NFC) END
                    ORDER BY id)
     ) n WHERE user_id <> first_user ORDER BY n.id`,
  );
}

/** What payments paid more than one order: the ids of all such orders but the first, with the payment. */
export function readPaidTwice(source: Source): Promise<{ id: string; first: string }[]> {
  return all(
    source,
    `SELECT id::text, first::text FROM (
       SELECT id, first_value(id) OVER (PARTITION BY CASE WHEN method IN ('telegram', 'telegram_stars') THEN 'telegram_payments' ELSE method END,
                                          payment_id ORDER BY paid_at, id) AS first
       FROM (SELECT o.id, lower(btrim(o.payment_method)) AS method, o.payment_id, o.paid_at FROM billable_orders o
             WHERE o.status IN ('paid', 'refunded') AND o.payment_id IS NOT NULL) p
     ) n WHERE id <> first ORDER BY n.id`,
  );
}

export function readTrials(source: Source): AsyncGenerator<SourceTrial[]> {
  return pagesOf(
    source,
    't.id',
    `SELECT t.id::text, t.id AS key, t.identity_type AS "identityType", t.identity_hash AS "identityHash", t.trial_plan_name AS plan, t.used_at AS "usedAt"
     FROM billable_trial_history t WHERE true`,
  );
}

/** Referrals, in the order in which they were made as far as their ids tell it. */
export function readReferrals(source: Source): AsyncGenerator<SourceReferral[]> {
  return pagesOf(
    source,
    'r.id',
    `SELECT r.id::text, r.id AS key, r.referrer_id::text AS "referrerId", r.referee_id::text AS "refereeId", r.bonus_granted AS "isBonusGranted",
       r.metadata, r.created_at AS "createdAt"
     FROM billable_referrals r WHERE true`,
  );
}

export function readEntries(source: Source): AsyncGenerator<SourceEntry[]> {
  return pagesOf(
    source,
    't.id',
    `SELECT t.id::text, t.id AS key, t.user_id::text AS "userId", t.quota_batch_id::text AS "batchId", b.product_id::text AS "productId", t.amount,
       t.direction, t.action_type AS "actionType", t.object_id AS "objectId", t.metadata, t.created_at AS "createdAt"
     FROM billable_transactions t JOIN billable_quota_batches b ON b.id = t.quota_batch_id WHERE true`,
  );
}

/** How many entries there are of customers, by customer. */
export async function countEntries(source: Source, userIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await all<{ userId: string; count: string }>(
    source,
    `SELECT t.user_id::text AS "userId", count(*) FROM billable_transactions t WHERE ${ofUsers(source, 't')} GROUP BY 1`,
    [userIds],
  );
  return new Map(rows.map(({ userId, count }) => [userId, Number(count)]));
}

/** Pages of a statement that ends in a condition, by the column that it also selects as `key`. */
async function* pagesOf<T>(source: Source, column: string, sql: string): AsyncGenerator<T[]> {
  let after: unknown;
  for (;;) {
    const behind = after === undefined ? '' : ` AND ${column} > $1`;
    const page = `${sql}${behind} ORDER BY ${column} LIMIT ${ROWS_AT_ONCE}`;
    const rows = await all<T & { key: unknown }>(source, page, after === undefined ? [] : [after]);
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1)?.key;
  }
}
