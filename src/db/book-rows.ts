// What the loader's rows come to: batches, holdings, reservations and what operations took, as the book of one customer. No SQL.

import type { LoadedBook } from '../ledger/book.js';
import type { ProductType, Subject } from '../ledger/catalog-entities.js';
import type { Provider } from '../ledger/consume.js';
import type { Batch, BatchParts, Holding, KnownDebt, Reservation, TakenOperation } from '../ledger/entities.js';
import type { UsageWindow } from '../ledger/limit-entities.js';
import { required } from '../lib/assert.js';
import { groupBy } from '../lib/group-by.js';
import type { Ids } from '../lib/ids.js';
import type { Row } from './client.js';
import type { LockedCustomer } from './customers.js';
import { NO_PLANS, type PlanRows, toPlans } from './plan-rows.js';
import { type SoldRows, toSold } from './sold-rows.js';
import { readerOf } from './table.js';
import { batches, reservations } from './tables.js';

/** The parts into which what was granted is divided, as the ledger moves them. */
export const BATCH_PARTS = [
  'available',
  'held',
  'consumed',
  'expired',
  'revoked',
  'transferred',
] as const satisfies (keyof BatchParts)[];

/** What the book knows of a batch. */
export const BATCH = [
  'id',
  'productKey',
  'orderId',
  'subscriptionId',
  'granted',
  ...BATCH_PARTS,
  'recovered',
  'unrecovered',
  'priority',
  'validFrom',
  'expiresAt',
  'createdAt',
] as const;

/** What the book knows of a reservation, its legs apart. */
export const RESERVATION = [
  'id',
  'operationId',
  'productKey',
  'feature',
  'amount',
  'costs',
  'status',
  'committedAmount',
  'actionType',
  'actionId',
  'metadata',
  'expiresAt',
  'createdAt',
  'endedAt',
  'endedBy',
] as const;

const readBatch = readerOf(batches, BATCH);
const readReservation = readerOf(reservations, RESERVATION);

/** A pending order past its end. */
export interface DueOrderRow extends Row {
  customer_id: string;
  id: string;
}

/** A batch past its end, that has units. */
export interface DueBatchRow extends Row {
  customer_id: string;
}

/** A reservation that was asked for, or is past its end. */
export interface ReservationRow extends Row {
  customer_id: string;
  id: string;
  product_key: string | null;
  feature: string | null;
  amount: number;
  costs: Record<string, number>;
  /** Null when they were not read, because there are too many of them in all. */
  legs: { amount: number; batch: Row }[] | null;
  /** How many legs it has, at least 1. */
  leg_count: number;
}

/** A product of a customer, with what is asked of it. */
export interface HoldingRow extends Row {
  customer_id: string;
  /** The instant at which it was read; null of a customer that there is not. */
  at: Date | null;
  /** Something of the customer's is past its end. */
  is_due: boolean;
  product_key: string;
  type: ProductType;
  is_active: boolean;
  is_currency: boolean;
  low_balance_threshold: number | null;
  expiring_days: number | null;
  features: Record<string, number> | null;
  available: number | null;
  held: number | null;
  owed: number | null;
  usable: Row[] | null;
  running: Row[] | null;
  access_until: Date | null;
  access_forever: boolean | null;
  /** Null when there is no end that is an instant. */
  access_anchor: number | null;
  /** Read only when not all usable batches are there, or something is due: then both are numbers. */
  overdue: number | null;
  not_yet_valid: number | null;
}

/** Batches of a product that are not valid yet. */
export interface PendingRow extends Row {
  customer_id: string;
  product_key: string;
  list: Row[] | null;
}

/** A debt that a refund or a dispute made, with what was not forgiven of it, and of all that are newer. */
export interface ClaimDebtRow extends Row {
  customer_id: string;
  product_key: string;
  seq: number;
  batch_id: string;
  left: number;
  newer: number;
}

/** What is owed of a product by whom a customer that was merged leads to. */
export interface OwedElsewhereRow extends Row {
  customer_id: string;
  product_key: string;
  owed: number;
}

interface TakenJson {
  seq: number;
  product_key: string;
  amount: number;
  feature: string | null;
  unit_cost: number | null;
  action_type: string | null;
  action_id: string | null;
  batch: Row | null;
  reversed: number;
  counted_at: string;
  /** Of a debt: what was not forgiven of all that are newer. */
  newer: number | null;
}

/** An operation, with the entries by which it took something. */
export interface TakenRow extends Row {
  customer_id: string;
  id: string;
  name: string;
  /** Null when it has none, or they were not read, because there are too many of them in all. */
  entries: TakenJson[] | null;
  /** How many entries it has. */
  size: number;
}

/** Makes batches of rows; of a batch that several rows name there is one. */
function batchesOnce(): (row: Row) => Batch {
  const known = new Map<unknown, Batch>();
  return (row) => {
    const batch = known.get(row.id) ?? readBatch(row);
    known.set(row.id, batch);
    return batch;
  };
}

/** What a reservation is of. */
export function subjectOf({ product_key: productKey, feature }: ReservationRow): Subject {
  return feature === null ? { productKey: productKey ?? '' } : { feature };
}

function toReservation(row: ReservationRow, toOne: (row: Row) => Batch): Reservation {
  const { productKey: _, feature: __, ...rest } = readReservation(row);
  return {
    ...rest,
    subject: subjectOf(row),
    legs: (row.legs ?? []).map(({ amount, batch }) => ({ amount, batch: toOne(batch) })),
  };
}

function toTaken({ id, name, entries, size }: TakenRow, toOne: (row: Row) => Batch): TakenOperation {
  return {
    id,
    name,
    size,
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
      countedAt: new Date(entry.counted_at),
    })),
  };
}

/** The debts of which something may be forgiven, by product. */
function debtsOf(claimed: readonly ClaimDebtRow[], taken: readonly TakenRow[]): Map<string, KnownDebt[]> {
  const entries = taken.flatMap((row) => row.entries ?? []).filter(({ newer }) => newer !== null);
  const ofUses = entries.map(({ product_key: productKey, seq, amount, reversed, newer }) => ({
    productKey,
    debt: { seq, batchId: null, left: amount - reversed, newer: newer ?? 0 },
  }));
  const ofClaims = claimed.map(({ product_key: productKey, seq, batch_id: batchId, left, newer }) => ({
    productKey,
    debt: { seq, batchId, left, newer },
  }));
  const debts: { productKey: string; debt: KnownDebt }[] = [...ofClaims, ...ofUses];
  return new Map(
    [...groupBy(debts, ({ productKey }) => productKey)].map(([key, own]) => [
      key,
      [...new Map(own.map(({ debt }) => [debt.seq, debt])).values()],
    ]),
  );
}

function toHolding(
  row: HoldingRow,
  pending: readonly Row[],
  debts: readonly KnownDebt[],
  toOne: (row: Row) => Batch,
): Holding {
  const usable = (row.usable ?? []).map(toOne);
  const available = row.available ?? 0;
  return {
    productKey: row.product_key,
    lowBalanceThreshold: row.low_balance_threshold,
    expiringDays: row.expiring_days,
    available,
    held: row.held ?? 0,
    owed: row.owed ?? 0,
    usable,
    running: (row.running ?? []).map(toOne),
    accessEnd: toAccessEnd(row),
    // Where nothing is due, and all that is usable was read, the rest is of later batches.
    notYetValid: row.not_yet_valid ?? available - sumAvailable(usable),
    pending: pending.map(toOne),
    debts: debts.map((debt) => ({ ...debt })),
  };
}

function toAccessEnd({
  access_until: at,
  access_forever: isForever,
  access_anchor: anchorDay,
}: HoldingRow): Holding['accessEnd'] {
  if (isForever) return 'forever';
  return at && { at, anchorDay: required(anchorDay, 'an end has an anchor day') };
}

function sumAvailable(those: readonly Batch[]): number {
  return those.reduce((sum, batch) => sum + batch.available, 0);
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

/** What was read of one customer; what is due with the soonest end first. */
export interface BookRows {
  rows: readonly HoldingRow[];
  reservations: readonly ReservationRow[];
  taken: readonly TakenRow[];
  pending: readonly PendingRow[];
  dueBatches: readonly DueBatchRow[];
  dueHolds: readonly ReservationRow[];
  dueOrders: readonly DueOrderRow[];
  windows: readonly UsageWindow[];
  /** Read only of products of which something is owed. */
  claimDebts: readonly ClaimDebtRow[];
  owedElsewhere: readonly OwedElsewhereRow[];
  sold: SoldRows | undefined;
  plans: PlanRows | undefined;
  /** Whether it was looked for what is due. */
  isDue: boolean;
  /** How many of each kind of what is due were read at most, of holds as many as have so many legs; of a kind of which so many were read there may be more. */
  dueMax: number;
}

/** Whether more of a customer may be due than was read. */
export function isMoreDue({
  dueBatches,
  dueHolds,
  dueOrders,
  dueMax,
}: Pick<BookRows, 'dueBatches' | 'dueHolds' | 'dueOrders' | 'dueMax'>): boolean {
  return Math.max(dueBatches.length, countLegs(dueHolds), dueOrders.length) >= dueMax;
}

function countLegs(holds: readonly ReservationRow[]): number {
  return holds.reduce((sum, hold) => sum + hold.leg_count, 0);
}

/** The book of a customer at an instant, of his rows. */
export function toBook(
  customer: Pick<LockedCustomer, 'id' | 'nextSeq' | 'nextEvent' | 'tellsUses'>,
  now: Date,
  ids: Ids,
  {
    rows,
    reservations: named,
    taken,
    pending,
    dueBatches,
    dueHolds,
    dueOrders,
    windows,
    claimDebts,
    owedElsewhere,
    sold,
    plans,
    isDue,
    dueMax,
  }: BookRows,
): LoadedBook {
  const toOne = batchesOnce();
  const due = dueBatches.map(toOne);
  const held = new Map([...named, ...dueHolds].map((row) => [row.id, toReservation(row, toOne)]));
  const lastBatch = dueBatches.length >= dueMax ? dueBatches.at(-1) : undefined;
  const lastHold = countLegs(dueHolds) >= dueMax ? dueHolds.at(-1) : undefined;
  const debtsOfProduct = debtsOf(claimDebts, taken);
  const pendingOfProduct = new Map(pending.map((row) => [row.product_key, row.list ?? []]));
  const holdings = new Map(
    rows.map((row) => {
      const key = row.product_key;
      return [key, toHolding(row, pendingOfProduct.get(key) ?? [], debtsOfProduct.get(key) ?? [], toOne)];
    }),
  );
  for (const { product_key: key, owed } of owedElsewhere) {
    const holding = holdings.get(key);
    if (holding) holding.owedElsewhere = owed;
  }
  return {
    customerId: customer.id,
    now,
    nextSeq: customer.nextSeq,
    nextEvent: customer.nextEvent,
    tellsUses: customer.tellsUses,
    holdings,
    isDue,
    due,
    reservations: held,
    lastDue: { batch: lastBatch && toOne(lastBatch), hold: lastHold && held.get(lastHold.id) },
    taken: new Map(taken.map((row) => [row.id, toTaken(row, toOne)])),
    dueOrders: dueOrders.map(({ id }) => id),
    sold: sold && toSold(sold, toOne),
    plans: toPlans(plans ?? NO_PLANS, now, toOne),
    windows,
    ids: ids.ownedBy(customer.id),
  };
}
