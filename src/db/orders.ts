// Orders, their lines, and payments.

import type { Changes } from '../ledger/changes.js';
import type { Order, OrderStatus, Payment, PaymentStatus } from '../ledger/order-entities.js';
import type { Subscription } from '../ledger/subscription-entities.js';
import { required } from '../lib/assert.js';
import { askedTogether } from './asked-together.js';
import type { Row, Tx } from './client.js';
import { Conditions } from './conditions.js';
import { findOwnersIn, type Owner } from './owners.js';
import { reconsiderEvents } from './payment-inbox.js';
import { claims, inserts, updates } from './statements.js';
import { amongGiven, arraysOf, given, listOf, readerOf, table, text, uuid, written } from './table.js';
import { orderItems, orders, payments } from './tables.js';

export interface OrderRow extends Row {
  items: Row[];
}

const ORDER_ITEM = ['id', 'sku', 'name', 'quantity', 'price', 'terms', 'listPrice', 'priceReason', 'plan'] as const;

// Prices leave JSON as text: as a JSON number a price would pass through a float.
const ITEMS = `json_agg(json_build_object('id', i.id, 'sku', i.sku, 'name', i.name, 'quantity', i.quantity, 'price', i.price::text,
                                    'terms', i.terms, 'list_price', i.list_price::text, 'price_reason', i.price_reason, 'plan', i.plan) ORDER BY i.position) AS items`;
const OWNED = ['customerId', 'id'] as const;
const SELECT_ORDERS = `
SELECT ${listOf(orders, written(orders), 'o')}, i.items
FROM ${given(orders, OWNED)} JOIN orders o ON o.customer_id = given.customer_id AND o.id = given.id
CROSS JOIN LATERAL (
  SELECT ${ITEMS} FROM order_items i WHERE i.customer_id = o.customer_id AND i.customer_id = ANY ($1::uuid[]) AND i.order_id = o.id
) i WHERE ${amongGiven(orders, OWNED, 'o')}`;

const readOrder = readerOf(orders, written(orders));
const readItem = readerOf(orderItems, ORDER_ITEM);

function toOrder(row: OrderRow): Order {
  return { ...readOrder(row), items: row.items.map(readItem) };
}

const findOwned = askedTogether(
  async (tx, named: readonly { customerId: string; id: string }[]): Promise<(Order | undefined)[]> => {
    const rows = await tx.query<OrderRow>(SELECT_ORDERS, arraysOf(orders, OWNED, named));
    const known = new Map(rows.map(toOrder).map((order) => [order.id, order]));
    return named.map(({ customerId, id }) => {
      const order = known.get(id);
      return order?.customerId === customerId ? order : undefined;
    });
  },
);

/** An order of a customer. */
export function findOrder(tx: Tx, customerId: string, orderId: string): Promise<Order | undefined> {
  return findOwned(tx, { customerId, id: orderId });
}

/** The orders of subscriptions, of what comes next and of a change, in whichever of the ledgers that these were in. */
export async function findOrdersOf(tx: Tx, subscriptions: readonly Subscription[]): Promise<Order[]> {
  const named = subscriptions.flatMap(({ customerId, formerIds, orderId, change }) =>
    [orderId, change?.orderId].flatMap((id) =>
      id == null ? [] : [customerId, ...formerIds].map((ownerId) => ({ customerId: ownerId, id })),
    ),
  );
  const found = await Promise.all(named.map((one) => findOwned(tx, one)));
  return found.filter((order) => order !== undefined);
}

/** Which orders are asked for; all where nothing is named. */
export interface OrdersAsked {
  /** A family. */
  customerIds: readonly string[] | undefined;
  /** As of `now`: one that is past its end is expired, whatever its row says. */
  status: OrderStatus | undefined;
  sku: string | undefined;
  paymentId: string | undefined;
  paymentMethod: string | undefined;
  from: Date | undefined;
  until: Date | undefined;
  after: { createdAt: Date; id: string } | undefined;
  limit: number;
}

/** The status of an order as of an instant, as `effectiveStatus` of the ledger says it. */
const effectiveAt = (instant: string) =>
  `CASE WHEN o.status = 'pending' AND o.expires_at <= ${instant} THEN 'expired' ELSE o.status END`;

/** One page of orders, newest first. What is not asked for is no part of the statement, so that each goes by its index. */
export async function listOrders(tx: Tx, asked: OrdersAsked, now: Date): Promise<Order[]> {
  const { customerIds, status, sku, paymentId, paymentMethod, from, until, after, limit } = asked;
  const where = new Conditions();
  if (customerIds?.length === 1) where.add('o.customer_id = ?::uuid', customerIds[0]);
  else if (customerIds) where.add('o.customer_id = ANY (?::uuid[])', customerIds);
  if (after) where.add('(o.created_at, o.id) < (?::timestamptz, ?::uuid)', after.createdAt.toISOString(), after.id);
  if (status !== undefined) where.add(`${effectiveAt('?::timestamptz')} = ?`, now.toISOString(), status);
  if (paymentId !== undefined) where.add('o.payment_id = ?', paymentId);
  if (paymentMethod !== undefined) where.add('o.payment_method = ?', paymentMethod);
  if (from) where.add('o.created_at >= ?::timestamptz', from.toISOString());
  if (until) where.add('o.created_at < ?::timestamptz', until.toISOString());
  if (sku !== undefined)
    where.add(
      'EXISTS (SELECT FROM order_items s WHERE s.customer_id = o.customer_id AND s.order_id = o.id AND s.sku = ?)',
      sku,
    );
  const sql = `
SELECT listed.*, i.items FROM (
  SELECT ${listOf(orders, written(orders), 'o')} FROM orders o WHERE ${where.text()} ORDER BY o.created_at DESC, o.id DESC LIMIT ${where.parameter(limit)}::int
) listed CROSS JOIN LATERAL (
  SELECT ${ITEMS} FROM order_items i WHERE i.customer_id = listed.customer_id AND i.order_id = listed.id
) i ORDER BY listed.created_at DESC, listed.id DESC`;
  return (await tx.query<OrderRow>(sql, where.parameters)).map(toOrder);
}

/** How many orders of a family wait for a payment, counted up to `max`. */
export async function countOpenOrders(tx: Tx, customerIds: readonly string[], now: Date, max: number): Promise<number> {
  const [row] = await tx.query<Row & { open: number }>(
    `SELECT count(*) AS open FROM (
       SELECT 1 FROM orders WHERE customer_id = ANY ($1::uuid[]) AND status = 'pending' AND expires_at > $2::timestamptz LIMIT $3::int
     ) o`,
    [customerIds, now.toISOString(), max],
  );
  return required(row, 'there is a count').open;
}

/** Whose orders these are; an id that there is none of is left out. */
export async function findOrderOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, Owner>> {
  return findOwnersIn(tx, 'orders', ids);
}

/** Whose an order is, if there is one of this id. */
export const findOrderOwner = askedTogether(async (tx, ids: readonly string[]): Promise<(string | undefined)[]> => {
  const owners = await findOrderOwners(tx, ids);
  return ids.map((id) => owners.get(id)?.customerId);
});

const ordersOf = inserts(orders);
const linesOf = inserts(orderItems);
const stepsOf = updates(
  orders,
  ['customerId', 'id'],
  [
    'status',
    'paymentMethod',
    'paymentId',
    'paidAt',
    'paidBy',
    'cancelledAt',
    'cancelledBy',
    'cancelReason',
    'refundedAmount',
    'disputedAmount',
  ],
);

/** Inserts new orders with their lines. */
export function insertOrders(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const made = customers.flatMap(({ changes }) => changes.newOrders);
  if (made.length === 0) return undefined;
  const lines = made.flatMap(({ customerId, id: orderId, items }) =>
    items.map((item, index) => ({ ...item, customerId, orderId, position: index + 1 })),
  );
  return Promise.all([ordersOf(tx, made), linesOf(tx, lines)]);
}

/** Moves orders along their state machine. Fails when one is not there. */
export function updateOrders(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return stepsOf(
    tx,
    customers.flatMap(({ customerId, changes }) => changes.orderSteps.map((step) => ({ ...step, customerId }))),
  );
}

const PAYMENT = [
  'paymentMethod',
  'paymentId',
  'customerId',
  'orderId',
  'status',
  'amount',
  'currency',
  'operationId',
] as const;
const CHARGE = ['paymentMethod', 'paymentId'] as const;
const SELECT_PAYMENTS = `SELECT ${listOf(payments, PAYMENT)} FROM ${given(payments, CHARGE)} JOIN payments USING (payment_method, payment_id)`;
const toPayment = readerOf(payments, PAYMENT);

/** A payment as it is listed. */
export interface StoredPayment extends Payment {
  createdAt: Date;
  updatedAt: Date;
}

/** Which payments are asked for; all where nothing is named. */
export interface PaymentsAsked {
  /** A family. */
  customerIds: readonly string[] | undefined;
  status: PaymentStatus | undefined;
  orderId: string | undefined;
  paymentId: string | undefined;
  paymentMethod: string | undefined;
  after: { createdAt: Date; paymentMethod: string; paymentId: string } | undefined;
  limit: number;
}

const STORED_PAYMENT = [...PAYMENT, 'createdAt', 'updatedAt'] as const;
const readPayment = readerOf(payments, STORED_PAYMENT);

/** One page of what was told of payments, the last that was first told first. */
export async function listPayments(tx: Tx, asked: PaymentsAsked): Promise<StoredPayment[]> {
  const { customerIds, status, orderId, paymentId, paymentMethod, after, limit } = asked;
  const where = new Conditions();
  if (customerIds?.length === 1) where.add('customer_id = ?::uuid', customerIds[0]);
  else if (customerIds) where.add('customer_id = ANY (?::uuid[])', customerIds);
  if (status !== undefined) where.add('status = ?', status);
  if (orderId !== undefined) where.add('order_id = ?::uuid', orderId);
  if (paymentId !== undefined) where.add('payment_id = ?', paymentId);
  if (paymentMethod !== undefined) where.add('payment_method = ?', paymentMethod);
  if (after)
    where.add(
      '(created_at, payment_method, payment_id) < (?::timestamptz, ?, ?)',
      after.createdAt.toISOString(),
      after.paymentMethod,
      after.paymentId,
    );
  const sql = `SELECT ${listOf(payments, STORED_PAYMENT)} FROM payments WHERE ${where.text()}
ORDER BY created_at DESC, payment_method DESC, payment_id DESC LIMIT ${where.parameter(limit)}::int`;
  return (await tx.query(sql, where.parameters)).map(readPayment);
}

const findCharge = askedTogether(
  async (tx, charges: readonly Pick<Payment, (typeof CHARGE)[number]>[]): Promise<(Payment | undefined)[]> => {
    const rows = await tx.query(SELECT_PAYMENTS, arraysOf(payments, CHARGE, charges));
    const textOf = (charge: Pick<Payment, (typeof CHARGE)[number]>) =>
      JSON.stringify([charge.paymentMethod, charge.paymentId]);
    const known = new Map(rows.map(toPayment).map((payment) => [textOf(payment), payment]));
    return charges.map((charge) => known.get(textOf(charge)));
  },
);

/** What is known of a provider's charge. `paymentMethod` is canonical. */
export async function findPayment(tx: Tx, paymentMethod: string, paymentId: string): Promise<Payment | null> {
  return (await findCharge(tx, { paymentMethod, paymentId })) ?? null;
}

/** Whether a charge bought nothing, once whoever is about to change that is done. */
export async function isStillUnmatched(tx: Tx, paymentMethod: string, paymentId: string): Promise<boolean> {
  const sql = 'SELECT status FROM payments WHERE payment_method = $1 AND payment_id = $2 FOR SHARE';
  const [row] = await tx.query<Row & { status: string }>(sql, [paymentMethod, paymentId]);
  return row?.status === 'unmatched';
}

/** What is known of charges of a method. */
export async function findPayments(tx: Tx, paymentMethod: string, paymentIds: readonly string[]): Promise<Payment[]> {
  const sql = `SELECT ${listOf(payments, PAYMENT)} FROM payments WHERE payment_method = $1 AND payment_id = ANY ($2::text[])`;
  return (await tx.query(sql, [paymentMethod, paymentIds])).map(toPayment);
}

/** Charges of a method that paid and were first told in a span of time, but for some; the first ones by their ids. */
export async function listOtherPayments(
  tx: Tx,
  { paymentMethod, from, until }: { paymentMethod: string; from: Date; until: Date },
  except: readonly string[],
  limit: number,
): Promise<Payment[]> {
  const sql = `SELECT ${listOf(payments, PAYMENT)} FROM payments
WHERE payment_method = $1 AND status = 'paid' AND created_at >= $2::timestamptz AND created_at < $3::timestamptz
  AND NOT EXISTS (SELECT FROM unnest($4::text[]) AS known (id) WHERE known.id = payments.payment_id)
ORDER BY payment_id LIMIT $5::int`;
  const parameters = [paymentMethod, from.toISOString(), until.toISOString(), except, limit];
  return (await tx.query(sql, parameters)).map(toPayment);
}

const TOLD = [...PAYMENT, 'updatedAt'] as const;
const newPaymentsOf = claims(payments);

/** A payment that is known, with the state that was seen of it. */
const moves = table('payments', {
  ...payments.columns,
  seenStatus: text<PaymentStatus>('seen_status'),
  seenOrderId: uuid('seen_order_id'),
});
const MOVE = [...TOLD, 'seenStatus', 'seenOrderId'] as const;

/** Payments that are known, each with the state that was seen of it, and how many: one is written if it is still in that state. */
const MOVE_PAYMENTS = `
WITH moved AS (
  UPDATE payments own
  SET customer_id = given.customer_id, order_id = given.order_id, status = given.status, amount = given.amount, currency = given.currency,
      operation_id = given.operation_id, updated_at = given.updated_at
  FROM ${given(moves, MOVE)}
  WHERE own.payment_method = given.payment_method AND own.payment_id = given.payment_id
    AND ${amongGiven(payments, ['paymentMethod', 'paymentId'], 'own')}
    AND own.status = given.seen_status AND own.order_id = given.seen_order_id
  RETURNING 1
) SELECT assert_claimed(count(*) = $${MOVE.length + 1}::bigint) FROM moved`;

/**
 * Writes what is told of payments, in the order in which claims of them meet: a new one is claimed, which waits for a rival that has not ended. What went back
 * of one that bought nothing until now is tried again. Throws BC001 in the statements when another transaction moved or claimed one meanwhile.
 */
export function claimPayments(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const told = customers.flatMap(({ now, changes }) =>
    changes.payments.map(({ payment, seen }) => ({ ...payment, createdAt: now, updatedAt: now, seen })),
  );
  if (told.length === 0) return undefined;
  const keyOf = ({ paymentMethod, paymentId }: Payment) => JSON.stringify([paymentMethod, paymentId]);
  const sorted = told.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const known = sorted.flatMap(({ seen, ...payment }) =>
    seen ? [{ ...payment, seenStatus: seen.status, seenOrderId: seen.orderId }] : [],
  );
  const unmatched = known
    .filter(({ seenStatus }) => seenStatus === 'unmatched')
    .map(({ paymentId, seenOrderId, updatedAt }) => ({ paymentId, orderId: seenOrderId, now: updatedAt }));
  return Promise.all([
    newPaymentsOf(
      tx,
      sorted.filter(({ seen }) => seen === null),
    ),
    known.length > 0 ? tx.query(MOVE_PAYMENTS, [...arraysOf(moves, MOVE, known), known.length]) : undefined,
    // After the payments: whoever leaves an event because of one looks at it again, and waits for its lock.
    unmatched.length > 0 ? reconsiderEvents(tx, unmatched) : undefined,
  ]);
}
