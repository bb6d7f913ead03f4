// What the loader's rows come to: batches, holdings, reservations and what operations took, as the book of one customer. No SQL.

import type { LoadedBook } from '../ledger/book.js';
import type { Provider } from '../ledger/consume.js';
import type {
  Batch,
  Holding,
  ProductType,
  Reservation,
  ReservationStatus,
  Subject,
  TakenOperation,
} from '../ledger/entities.js';
import type { Ids } from '../lib/ids.js';
import type { Row } from './client.js';

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

interface ReservationJson {
  id: string;
  operation_id: string;
  product_key: string | null;
  feature: string | null;
  amount: number;
  costs: Record<string, number>;
  status: ReservationStatus;
  committed_amount: number;
  action_type: string;
  action_id: string | null;
  metadata: Record<string, unknown>;
  expires_at: string;
  created_at: string;
  ended_at: string | null;
  ended_by: string | null;
  legs: { amount: number; batch: BatchJson }[];
}

/** A pending order past its end. */
export interface DueOrderRow extends Row {
  customer_id: string;
  id: string;
}

/** A product of a customer, with what is asked of it. */
export interface HoldingRow extends Row {
  customer_id: string;
  /** The instant at which it was read. */
  at: Date;
  product_key: string;
  type: ProductType;
  is_active: boolean;
  is_currency: boolean;
  features: Record<string, number> | null;
  available: number | null;
  held: number | null;
  owed: number | null;
  overdue: number | null;
  not_yet_valid: number | null;
  usable: BatchJson[] | null;
  running: BatchJson[] | null;
  access_until: Date | null;
  access_forever: boolean | null;
  due: BatchJson[] | null;
  reservations: ReservationJson[] | null;
}

/** Batches of a product that are not valid yet. */
export interface PendingRow extends Row {
  customer_id: string;
  product_key: string;
  list: BatchJson[] | null;
}

interface TakenJson {
  seq: number;
  product_key: string;
  amount: number;
  feature: string | null;
  unit_cost: number | null;
  action_type: string | null;
  action_id: string | null;
  batch: BatchJson | null;
  reversed: number;
}

/** An operation, with the entries by which it took something. */
export interface TakenRow extends Row {
  customer_id: string;
  id: string;
  name: string;
  entries: TakenJson[] | null;
}

/** Makes batches of rows; of a batch that several rows name there is one. */
function batchesOnce(): (json: BatchJson) => Batch {
  const known = new Map<string, Batch>();
  return (json) => {
    const batch = known.get(json.id) ?? toBatch(json);
    known.set(json.id, batch);
    return batch;
  };
}

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

function toReservation(json: ReservationJson, toOne: (json: BatchJson) => Batch): Reservation {
  return {
    id: json.id,
    operationId: json.operation_id,
    subject: json.feature === null ? { productKey: json.product_key ?? '' } : { feature: json.feature },
    amount: json.amount,
    costs: json.costs,
    status: json.status,
    committedAmount: json.committed_amount,
    actionType: json.action_type,
    actionId: json.action_id,
    metadata: json.metadata,
    expiresAt: new Date(json.expires_at),
    createdAt: new Date(json.created_at),
    endedAt: json.ended_at === null ? null : new Date(json.ended_at),
    endedBy: json.ended_by,
    legs: json.legs.map(({ amount, batch }) => ({ amount, batch: toOne(batch) })),
  };
}

function toTaken({ id, name, entries }: TakenRow, toOne: (json: BatchJson) => Batch): TakenOperation {
  return {
    id,
    name,
    entries: (entries ?? []).map((entry) => ({
      seq: entry.seq,
      productKey: entry.product_key,
      batch: entry.batch === null ? null : toOne(entry.batch),
      amount: entry.amount,
      reversed: entry.reversed,
      feature: entry.feature,
      unitCost: entry.unit_cost,
      actionType: entry.action_type,
      actionId: entry.action_id,
    })),
  };
}

function toHolding(row: HoldingRow, pending: BatchJson[], toOne: (json: BatchJson) => Batch): Holding {
  return {
    productKey: row.product_key,
    available: row.available ?? 0,
    held: row.held ?? 0,
    owed: row.owed ?? 0,
    usable: (row.usable ?? []).map(toOne),
    running: (row.running ?? []).map(toOne),
    accessUntil: row.access_forever ? 'forever' : row.access_until,
    overdue: row.overdue ?? 0,
    notYetValid: row.not_yet_valid ?? 0,
    pending: pending.map(toOne),
  };
}

/** A feature may be named like a member that every object inherits. */
export function ownCost(costs: Record<string, number>, feature: string): number | undefined {
  return Object.hasOwn(costs, feature) ? costs[feature] : undefined;
}

/** The row's product as one that can pay for a subject; undefined when it can't. */
export function toProvider(row: HoldingRow, subject: Subject): Provider | undefined {
  const costs = row.features ?? {};
  const unitCost =
    'feature' in subject ? ownCost(costs, subject.feature) : row.product_key === subject.productKey ? 1 : undefined;
  if (unitCost === undefined) return undefined;
  const featureCount = Object.keys(costs).length;
  const { product_key: productKey, type, is_active: isActive, is_currency: isCurrency } = row;
  return { productKey, type, isActive, isCurrency, unitCost, featureCount };
}

/** What was read of one customer. */
export interface BookRows {
  rows: readonly HoldingRow[];
  taken: readonly TakenRow[];
  pending: readonly PendingRow[];
  dueOrders: readonly DueOrderRow[];
}

/** The book of a customer at an instant, of his rows. */
export function toBook(
  customer: { id: string; nextSeq: number },
  now: Date,
  ids: Ids,
  { rows, taken, pending, dueOrders }: BookRows,
): LoadedBook {
  const toOne = batchesOnce();
  const reservations = new Map<string, Reservation>();
  for (const json of rows.flatMap((row) => row.reservations ?? [])) {
    if (!reservations.has(json.id)) reservations.set(json.id, toReservation(json, toOne));
  }
  const pendingOfProduct = new Map(pending.map((row) => [row.product_key, row.list ?? []]));
  return {
    customerId: customer.id,
    now,
    nextSeq: customer.nextSeq,
    holdings: new Map(
      rows.map((row) => [row.product_key, toHolding(row, pendingOfProduct.get(row.product_key) ?? [], toOne)]),
    ),
    due: rows.flatMap((row) => (row.due ?? []).map(toOne)),
    reservations,
    taken: new Map(taken.map((row) => [row.id, toTaken(row, toOne)])),
    dueOrders: dueOrders.map(({ id }) => id),
    ids,
  };
}
