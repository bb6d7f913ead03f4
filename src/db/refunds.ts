// What was told of refunds and disputes, and what they claim of batches.
import type { Changes } from '../ledger/changes.js';
import type { Dispute, Refund, Reported } from '../ledger/order-entities.js';
import { formatMoney, parseMoney } from '../lib/money.js';
import type { Row, Tx } from './client.js';
import { claims, inserts, updates } from './statements.js';
import { listOf, readerOf } from './table.js';
import { clawbacks, disputes, type RefundedLineJson, refunds } from './tables.js';

const readRefund = readerOf(refunds, [
  'id',
  'customerId',
  'orderId',
  'operationId',
  'paymentMethod',
  'refundId',
  'disputeId',
  'status',
  'amount',
  'items',
  'reason',
  'unrecoveredPolicy',
  'createdAt',
  'failedAt',
  'toldBy',
  'fills',
]);
const readDispute = readerOf(disputes, [
  'id',
  'customerId',
  'orderId',
  'operationId',
  'paymentMethod',
  'disputeId',
  'status',
  'amount',
  'unrecoveredPolicy',
  'createdAt',
  'openedAt',
  'closedAt',
]);

function toRefund(row: Row): Refund {
  const { items, ...refund } = readRefund(row);
  return { ...refund, items: items.map((item) => ({ ...item, amount: parseMoney(item.amount) })) };
}

function toRefundRow({ items, ...refund }: Refund): Omit<Refund, 'items'> & { items: RefundedLineJson[] } {
  return { ...refund, items: items.map((item) => ({ ...item, amount: formatMoney(item.amount, 6) })) };
}

const OF_ORDER = 'customer_id = $1::uuid AND order_id = $2::uuid ORDER BY created_at, id';
const SELECT_REFUNDS = `SELECT ${listOf(refunds)} FROM refunds WHERE ${OF_ORDER}`;
const SELECT_DISPUTES = `SELECT ${listOf(disputes)} FROM disputes WHERE ${OF_ORDER}`;
const SELECT_REFUND = `SELECT ${listOf(refunds)} FROM refunds WHERE payment_method = $1 AND refund_id = $2`;
const SELECT_DISPUTE = `SELECT ${listOf(disputes)} FROM disputes WHERE payment_method = $1 AND dispute_id = $2`;

/** The refunds of an order, oldest first. */
export async function listRefunds(tx: Tx, customerId: string, orderId: string): Promise<Refund[]> {
  return (await tx.query(SELECT_REFUNDS, [customerId, orderId])).map(toRefund);
}

/** The disputes of an order, oldest first. */
export async function listDisputes(tx: Tx, customerId: string, orderId: string): Promise<Dispute[]> {
  return (await tx.query(SELECT_DISPUTES, [customerId, orderId])).map(readDispute);
}

/** What is known of a provider's refund. `paymentMethod` is canonical. */
export async function findRefund(tx: Tx, paymentMethod: string, refundId: string): Promise<Refund | null> {
  const [row] = await tx.query(SELECT_REFUND, [paymentMethod, refundId]);
  return row ? toRefund(row) : null;
}

/** What is known of a provider's dispute. `paymentMethod` is canonical. */
export async function findDispute(tx: Tx, paymentMethod: string, disputeId: string): Promise<Dispute | null> {
  const [row] = await tx.query(SELECT_DISPUTE, [paymentMethod, disputeId]);
  return row ? readDispute(row) : null;
}

const newRefundsOf = claims(refunds);
const refundsOf = updates(refunds, ['paymentMethod', 'refundId'], ['status', 'failedAt']);
const newDisputesOf = claims(disputes);
const disputesOf = updates(disputes, ['paymentMethod', 'disputeId'], ['status', 'closedAt']);
const newClawbacksOf = inserts(clawbacks);
const clawbacksOf = updates(clawbacks, ['customerId', 'causeId', 'batchId'], ['undone']);

/** In the order in which claims meet, those that are new and those that are known. */
function sorted<T>(told: readonly Reported<T>[], keyOf: (row: T) => string): [made: T[], known: T[]] {
  const rows = [...told].sort((a, b) => (keyOf(a.row) < keyOf(b.row) ? -1 : 1));
  const of = (isKnown: boolean) => rows.filter((one) => one.isKnown === isKnown).map(({ row }) => row);
  return [of(false), of(true)];
}

/** Writes what is told of refunds. Throws BC001 in the statement when somebody else told of one first. */
export function claimRefunds(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const told = customers.flatMap(({ changes }) => changes.refunds);
  if (told.length === 0) return undefined;
  const [made, known] = sorted(told, ({ paymentMethod, refundId }) => JSON.stringify([paymentMethod, refundId]));
  return Promise.all([newRefundsOf(tx, made.map(toRefundRow)), refundsOf(tx, known)]);
}

/** Writes what is told of disputes. Throws BC001 in the statement when somebody else told of one first. */
export function claimDisputes(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const told = customers.flatMap(({ changes }) => changes.disputes);
  if (told.length === 0) return undefined;
  const [made, known] = sorted(told, ({ paymentMethod, disputeId }) => JSON.stringify([paymentMethod, disputeId]));
  return Promise.all([newDisputesOf(tx, made), disputesOf(tx, known)]);
}

/** Inserts what refunds and disputes claim of batches. */
export function insertClawbacks(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return newClawbacksOf(
    tx,
    customers.flatMap(({ customerId, changes }) => changes.newClawbacks.map((claim) => ({ ...claim, customerId }))),
  );
}

/** Writes what of claims was given back. Fails when one is not there. */
export function updateClawbacks(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return clawbacksOf(
    tx,
    customers.flatMap(({ customerId, changes }) =>
      [...changes.changedClawbacks].map((claim) => ({ ...claim, customerId })),
    ),
  );
}
