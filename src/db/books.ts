// Loads books and writes what was posted in them: the only statements that read batches for a decision, and the only ones that write
// operations, batches, balances and entries. Set-based: one statement each, whatever the number of customers and rows.

import type { Batch, Book, Holding, NewBatch, ProductType } from '../ledger/book.js';
import type { Provider, Subject, SubjectAsk } from '../ledger/consume.js';
import { assert } from '../lib/assert.js';
import type { Ids } from '../lib/ids.js';
import type { Row, Tx } from './client.js';
import type { NewOperation } from './operations.js';

/** One customer to load, as the lock gave it, and the instant of its operations. */
export interface BookRequest {
  customer: { id: string; nextSeq: number };
  now: Date;
  asks: readonly SubjectAsk[];
}

/** The books by customer, and the products that can pay for each subject that was asked for. */
export interface LoadedBooks {
  books: Map<string, Book>;
  /** Empty when there is no such product or feature. */
  providersOf(subject: Subject): Provider[];
}

/** Usable batches read at first; more are read only when they don't cover the need. */
const BATCHES_AT_FIRST = 32;
const BATCHES_GROWTH = 16;
const RUNNING_MAX = 32;
/** Batches of a customer that one tx settles at most; those beyond it are not spendable meanwhile. */
const SETTLE_BATCHES_MAX = 500;

interface BatchJson {
  id: string;
  product_key: string;
  granted: number | null;
  available: number;
  held: number;
  consumed: number;
  expired: number;
  revoked: number;
  transferred: number;
  priority: number;
  valid_from: string;
  expires_at: string | null;
  created_at: string;
}

interface HoldingRow extends Row {
  customer_id: string;
  product_key: string;
  type: ProductType;
  is_active: boolean;
  features: Record<string, number> | null;
  available: number | null;
  held: number | null;
  owed: number | null;
  overdue: number | null;
  not_yet_valid: number | null;
  next_valid_from: Date | null;
  usable: BatchJson[] | null;
  running: BatchJson[] | null;
  access_until: Date | null;
  access_forever: boolean | null;
  due: BatchJson[] | null;
}

const BATCH_COLUMNS =
  'b.id, b.product_key, b.granted, b.available, b.held, b.consumed, b.expired, b.revoked, b.transferred, b.priority, b.valid_from, b.expires_at, b.created_at';
const OF_WANTED = 'b.customer_id = w.customer_id AND b.product_key = w.product_key';

/**
 * $1 customers with their instants, $2 what is asked of them, $3 usable batches per holding at most. Besides the asked products the
 * holdings of those with due batches are read, because settling changes them. The sums are over ordered rows, which makes the planner take the
 * indexes of open batches rather than read all of a customer's.
 */
const LOAD_HOLDINGS = `
WITH customer AS MATERIALIZED (
  SELECT id, at FROM json_to_recordset($1::json) AS c (id uuid, at timestamptz)
), due AS MATERIALIZED (
  SELECT c.id AS customer_id, c.at, d.* FROM customer c CROSS JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE b.customer_id = c.id AND b.is_open AND b.available > 0 AND b.expires_at <= c.at
    ORDER BY b.expires_at, b.id LIMIT ${SETTLE_BATCHES_MAX}
  ) d
), asked AS (
  SELECT customer_id, product_key, feature FROM json_to_recordset($2::json) AS a (customer_id uuid, product_key text, feature text)
), wanted AS (
  SELECT c.id AS customer_id, c.at, p.product_key FROM asked a JOIN customer c ON c.id = a.customer_id
    JOIN products p ON p.product_key = a.product_key
  UNION
  SELECT c.id, c.at, f.product_key FROM asked a JOIN customer c ON c.id = a.customer_id JOIN product_features f ON f.feature = a.feature
  UNION
  SELECT customer_id, at, product_key FROM due
)
SELECT w.customer_id, w.product_key, p.type, p.is_active, f.features, bal.available, bal.held, bal.owed,
       late.overdue, later.not_yet_valid, later.next_valid_from, usable.list AS usable, running.list AS running,
       access.until AS access_until, access.forever AS access_forever,
       (SELECT json_agg(d ORDER BY d.expires_at, d.id) FROM due d
        WHERE d.customer_id = w.customer_id AND d.product_key = w.product_key) AS due
FROM wanted w
JOIN products p ON p.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT json_object_agg(f.feature, f.unit_cost) AS features FROM product_features f WHERE f.product_key = w.product_key
) f
LEFT JOIN balances bal ON bal.customer_id = w.customer_id AND bal.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT sum(o.available)::bigint AS overdue FROM (
    SELECT b.available FROM batches b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.expires_at <= w.at
    ORDER BY b.expires_at, b.id
  ) o
) late
CROSS JOIN LATERAL (
  SELECT sum(o.available)::bigint AS not_yet_valid, min(o.valid_from) AS next_valid_from FROM (
    SELECT b.available, b.valid_from FROM batches b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.valid_from > w.at
    ORDER BY b.valid_from
  ) o
) later
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL
      AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $3::int
  ) u
) usable
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM batches b
    WHERE ${OF_WANTED} AND b.granted IS NULL AND b.revoked_at IS NULL
      AND b.valid_from <= w.at AND (b.expires_at IS NULL OR b.expires_at > w.at)
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT ${RUNNING_MAX}
  ) u
) running
CROSS JOIN LATERAL (
  SELECT max(b.expires_at) AS until, bool_or(b.expires_at IS NULL) AS forever FROM batches b
  WHERE ${OF_WANTED} AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > w.at)
) access`;

function toBatch(json: BatchJson): Batch {
  return {
    id: json.id,
    productKey: json.product_key,
    granted: json.granted,
    available: json.available,
    held: json.held,
    consumed: json.consumed,
    expired: json.expired,
    revoked: json.revoked,
    transferred: json.transferred,
    priority: json.priority,
    validFrom: new Date(json.valid_from),
    expiresAt: json.expires_at === null ? null : new Date(json.expires_at),
    createdAt: new Date(json.created_at),
  };
}

function toHolding(row: HoldingRow): Holding {
  return {
    productKey: row.product_key,
    available: row.available ?? 0,
    held: row.held ?? 0,
    owed: row.owed ?? 0,
    usable: (row.usable ?? []).map(toBatch),
    running: (row.running ?? []).map(toBatch),
    accessUntil: row.access_forever ? 'forever' : row.access_until,
    overdue: row.overdue ?? 0,
    notYetValid: row.not_yet_valid ?? 0,
    nextValidFrom: row.next_valid_from,
  };
}

/** A feature may be named like a member that every object inherits. */
function ownCost(costs: Record<string, number>, feature: string): number | undefined {
  return Object.hasOwn(costs, feature) ? costs[feature] : undefined;
}

function toProvider(row: HoldingRow, subject: Subject): Provider | undefined {
  const costs = row.features ?? {};
  const unitCost =
    'feature' in subject ? ownCost(costs, subject.feature) : row.product_key === subject.productKey ? 1 : undefined;
  if (unitCost === undefined) return undefined;
  const featureCount = Object.keys(costs).length;
  return { productKey: row.product_key, type: row.type, isActive: row.is_active, unitCost, featureCount };
}

/** Product units that may be taken of a row's product for all that is asked of its customer. */
function unitsAsked(row: HoldingRow, asks: readonly SubjectAsk[]): number {
  return asks.reduce((sum, { subject, amount }) => {
    const provider = toProvider(row, subject);
    return provider ? Math.min(Number.MAX_SAFE_INTEGER, sum + amount * provider.unitCost) : sum;
  }, 0);
}

function isCovered(row: HoldingRow, asks: readonly SubjectAsk[], limit: number): boolean {
  const usable = row.usable ?? [];
  if (usable.length < limit) return true;
  const loaded = usable.reduce((sum, batch) => sum + batch.available, 0);
  const spendable = (row.available ?? 0) - (row.overdue ?? 0) - (row.not_yet_valid ?? 0);
  return loaded >= Math.min(spendable, unitsAsked(row, asks));
}

/**
 * Loads the books of customers, each at its instant: the holdings of what is asked, with their usable batches in burn order until the need
 * is covered, and what is due. For a write the customers must be locked by an earlier statement.
 */
export async function loadBooks(tx: Tx, requests: readonly BookRequest[], ids: Ids): Promise<LoadedBooks> {
  const customers = JSON.stringify(requests.map(({ customer, now }) => ({ id: customer.id, at: now })));
  const asked = JSON.stringify(
    requests.flatMap(({ customer, asks }) =>
      asks.map(({ subject }) =>
        'feature' in subject
          ? { customer_id: customer.id, feature: subject.feature }
          : { customer_id: customer.id, product_key: subject.productKey },
      ),
    ),
  );
  for (let limit = BATCHES_AT_FIRST; ; limit *= BATCHES_GROWTH) {
    const rows = await tx.query<HoldingRow>(LOAD_HOLDINGS, [customers, asked, limit]);
    const byCustomer = new Map<string, HoldingRow[]>(requests.map(({ customer }) => [customer.id, []]));
    for (const row of rows) byCustomer.get(row.customer_id)?.push(row);
    const isComplete = requests.every(({ customer, asks }) =>
      byCustomer.get(customer.id)?.every((row) => isCovered(row, asks, limit)),
    );
    if (!isComplete) continue;
    const books = requests.map((request): [string, Book] => [
      request.customer.id,
      toBook(request, byCustomer.get(request.customer.id) ?? [], ids),
    ]);
    return { books: new Map(books), providersOf: (subject) => providersIn(rows, subject) };
  }
}

/** Loads the book of one customer. */
export async function loadBook(
  tx: Tx,
  request: BookRequest,
  ids: Ids,
): Promise<{ book: Book; providersOf: LoadedBooks['providersOf'] }> {
  const { books, providersOf } = await loadBooks(tx, [request], ids);
  const book = books.get(request.customer.id);
  assert(book, 'each customer has a book');
  return { book, providersOf };
}

function providersIn(rows: readonly HoldingRow[], subject: Subject): Provider[] {
  const providers = new Map<string, Provider>();
  for (const row of rows) {
    const provider = providers.has(row.product_key) ? undefined : toProvider(row, subject);
    if (provider) providers.set(row.product_key, provider);
  }
  return [...providers.values()];
}

function toBook({ customer, now }: BookRequest, rows: readonly HoldingRow[], ids: Ids): Book {
  const due = rows.flatMap((row) => (row.due ?? []).map(toBatch));
  due.sort((a, b) => (a.expiresAt?.getTime() ?? 0) - (b.expiresAt?.getTime() ?? 0) || (a.id < b.id ? -1 : 1));
  return {
    customerId: customer.id,
    now,
    nextSeq: customer.nextSeq,
    holdings: new Map(rows.map((row) => [row.product_key, toHolding(row)])),
    due,
    changes: { newBatches: [], changedBatches: new Map(), changedHoldings: new Set(), entries: [] },
    ids,
  };
}

/**
 * $1 operations, $2 new batches, $3 changed batches, $4 balances, $5 entries, $6 the customers: JSON arrays whose members are named like the
 * columns. One statement, so that the foreign keys among the rows are checked together at its end.
 */
const WRITE_BOOKS = `
WITH operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at)
  SELECT customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at
  FROM json_populate_recordset(NULL::operations, $1::json)
), new_batch AS (
  INSERT INTO batches (customer_id, id, product_key, source, sku, order_id, order_item_id, operation_id, granted, available, held, consumed,
                       expired, revoked, transferred, priority, valid_from, expires_at, metadata, created_at)
  SELECT customer_id, id, product_key, source, sku, order_id, order_item_id, operation_id, granted, available, held, consumed,
         expired, revoked, transferred, priority, valid_from, expires_at, metadata, created_at
  FROM json_populate_recordset(NULL::batches, $2::json)
), changed_batch AS (
  UPDATE batches b
  SET available = c.available, held = c.held, consumed = c.consumed, expired = c.expired, revoked = c.revoked, transferred = c.transferred
  FROM json_to_recordset($3::json) AS c (customer_id uuid, id uuid, available bigint, held bigint, consumed bigint, expired bigint,
                                         revoked bigint, transferred bigint)
  WHERE b.customer_id = c.customer_id AND b.id = c.id
  RETURNING 1
), balance AS (
  INSERT INTO balances AS old (customer_id, product_key, available, held, owed)
  SELECT customer_id, product_key, available, held, owed FROM json_populate_recordset(NULL::balances, $4::json)
  ON CONFLICT (customer_id, product_key)
  DO UPDATE SET available = excluded.available, held = excluded.held, owed = excluded.owed
), entry AS (
  INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, feature,
                       action_type, action_id, order_id, metadata, recorded_at, occurred_at)
  SELECT customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, feature,
         action_type, action_id, order_id, metadata, recorded_at, occurred_at
  FROM json_populate_recordset(NULL::entries, $5::json)
), customer AS (
  UPDATE customers c SET next_seq = n.next_seq, last_recorded_at = n.last_recorded_at
  FROM json_to_recordset($6::json) AS n (id uuid, next_seq bigint, last_recorded_at timestamptz)
  WHERE c.id = n.id
  RETURNING 1
)
SELECT (SELECT count(*) FROM changed_batch) AS changed_batches, (SELECT count(*) FROM customer) AS customers`;

/** Null in a JSON record becomes SQL null; an empty metadata object stays one. */
function newBatchJson(customerId: string, batch: NewBatch) {
  return {
    customer_id: customerId,
    id: batch.id,
    product_key: batch.productKey,
    source: batch.source,
    sku: batch.sku,
    order_id: batch.orderId,
    order_item_id: batch.orderItemId,
    operation_id: batch.operationId,
    granted: batch.granted,
    ...partsJson(batch),
    priority: batch.priority,
    valid_from: batch.validFrom,
    expires_at: batch.expiresAt,
    metadata: batch.metadata,
    created_at: batch.createdAt,
  };
}

function partsJson(batch: Batch) {
  const { available, held, consumed, expired, revoked, transferred } = batch;
  return { available, held, consumed, expired, revoked, transferred };
}

function changedBatchesJson({ customerId, changes }: Book) {
  const made = new Set(changes.newBatches.map((batch) => batch.id));
  return [...changes.changedBatches.values()]
    .filter((batch) => !made.has(batch.id))
    .map((batch) => ({ customer_id: customerId, id: batch.id, ...partsJson(batch) }));
}

function balancesJson({ customerId, changes }: Book) {
  return [...changes.changedHoldings].map(({ productKey, available, held, owed }) => ({
    customer_id: customerId,
    product_key: productKey,
    available,
    held,
    owed,
  }));
}

function entriesJson({ customerId, now, changes }: Book) {
  return changes.entries.map((entry) => ({
    customer_id: customerId,
    seq: entry.seq,
    id: entry.id,
    operation_id: entry.operationId,
    kind: entry.kind,
    direction: entry.direction,
    product_key: entry.productKey,
    batch_id: entry.batchId,
    amount: entry.amount,
    balance_after: entry.balanceAfter,
    feature: entry.feature,
    action_type: entry.actionType,
    action_id: entry.actionId,
    order_id: entry.orderId,
    metadata: entry.metadata,
    recorded_at: now,
    occurred_at: entry.occurredAt,
  }));
}

function operationJson(operation: NewOperation) {
  return {
    customer_id: operation.customerId,
    id: operation.id,
    name: operation.name,
    acting_key: operation.actingKey,
    idempotency_key: operation.idempotencyKey,
    request_hash: operation.requestHash,
    request_hash_version: operation.requestHashVersion,
    status: operation.status,
    answer: operation.answer,
    recorded_at: operation.recordedAt,
  };
}

/**
 * Writes what was posted in the books, and the operations of their customers. A customer without entries and operations is not touched.
 * Precondition: the customers are locked by this tx.
 */
export async function writeBooks(tx: Tx, books: readonly Book[], operations: readonly NewOperation[]): Promise<void> {
  const acting = new Set(operations.map((operation) => operation.customerId));
  const changed = books.filter((book) => book.changes.entries.length > 0 || acting.has(book.customerId));
  if (changed.length === 0) return;
  const batches = changed.flatMap(changedBatchesJson);
  const [written] = await tx.query<{ changed_batches: number; customers: number }>(WRITE_BOOKS, [
    JSON.stringify(operations.map(operationJson)),
    JSON.stringify(
      changed.flatMap((book) => book.changes.newBatches.map((batch) => newBatchJson(book.customerId, batch))),
    ),
    JSON.stringify(batches),
    JSON.stringify(changed.flatMap(balancesJson)),
    JSON.stringify(changed.flatMap(entriesJson)),
    JSON.stringify(
      changed.map((book) => ({ id: book.customerId, next_seq: book.nextSeq, last_recorded_at: book.now })),
    ),
  ]);
  const isWhole = written?.changed_batches === batches.length && written.customers === changed.length;
  assert(isWhole, 'every changed row was there');
}
