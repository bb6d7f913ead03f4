// Orders, their lines, and payments.

import type { Changes } from '../ledger/changes.js';
import type { Metadata, Order, OrderStatus, Payment, PaymentChange, PaymentStatus, Term } from '../ledger/entities.js';
import { formatMoney, type Micros, parseMoney } from '../lib/money.js';
import type { Row, Tx } from './client.js';

/** numeric(20,6) as text, exact. */
function toNumeric(amount: Micros): string {
  return formatMoney(amount, 6);
}

interface OrderRow extends Row {
  id: string;
  customer_id: string;
  status: OrderStatus;
  currency: string;
  total_amount: string;
  payment_method: string | null;
  payment_id: string | null;
  paid_at: Date | null;
  paid_by: string | null;
  metadata: Metadata;
  expires_at: Date;
  created_at: Date;
  items: { id: string; sku: string; name: string; quantity: number; price: string; terms: Term[] }[];
}

// Prices leave JSON as text: as a JSON number a price would pass through a float.
const SELECT_ORDER = `
SELECT o.id, o.customer_id, o.status, o.currency, o.total_amount, o.payment_method, o.payment_id, o.paid_at, o.paid_by, o.metadata,
       o.expires_at, o.created_at, i.items
FROM orders o
CROSS JOIN LATERAL (
  SELECT json_agg(json_build_object('id', i.id, 'sku', i.sku, 'name', i.name, 'quantity', i.quantity, 'price', i.price::text,
                                    'terms', i.terms) ORDER BY i.position) AS items
  FROM order_items i WHERE i.customer_id = o.customer_id AND i.order_id = o.id
) i`;

function toOrder(row: OrderRow): Order {
  return {
    id: row.id,
    customerId: row.customer_id,
    status: row.status,
    currency: row.currency,
    totalAmount: parseMoney(row.total_amount),
    paymentMethod: row.payment_method,
    paymentId: row.payment_id,
    paidAt: row.paid_at,
    paidBy: row.paid_by,
    metadata: row.metadata,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    items: row.items.map((item) => ({ ...item, price: parseMoney(item.price) })),
  };
}

/** An order by its id alone. */
export async function findOrder(tx: Tx, orderId: string): Promise<Order | undefined> {
  const [row] = await tx.query<OrderRow>(`${SELECT_ORDER} WHERE o.id = $1::uuid`, [orderId]);
  return row && toOrder(row);
}

/** Whose orders these are; an id that there is none of is left out. */
export async function findOrderOwners(tx: Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.query<Row & { id: string; customer_id: string }>(
    'SELECT id, customer_id FROM orders WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.customer_id]));
}

/** $1 orders, $2 their lines. Prices travel as text: as JSON numbers they would pass through a float. */
const INSERT_ORDERS = `
WITH new_order AS (
  INSERT INTO orders (customer_id, id, status, currency, total_amount, metadata, expires_at, created_at)
  SELECT customer_id, id, status, currency, total_amount, metadata, expires_at, created_at FROM json_populate_recordset(NULL::orders, $1::json)
)
INSERT INTO order_items (customer_id, id, order_id, position, sku, name, quantity, price, terms)
SELECT customer_id, id, order_id, position, sku, name, quantity, price, terms FROM json_populate_recordset(NULL::order_items, $2::json)`;

/** $1 the members of orders that their state machine moves, $2 how many. */
const UPDATE_ORDERS = `
WITH changed AS (
  UPDATE orders o
  SET status = c.status, payment_method = c.payment_method, payment_id = c.payment_id, paid_at = c.paid_at, paid_by = c.paid_by
  FROM json_populate_recordset(NULL::orders, $1::json) c
  WHERE o.customer_id = c.customer_id AND o.id = c.id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM changed) = $2::bigint)`;

/** Inserts new orders with their lines. */
export function insertOrders(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const orders = customers.flatMap(({ changes }) => changes.newOrders);
  if (orders.length === 0) return undefined;
  return tx.query(INSERT_ORDERS, [
    JSON.stringify(
      orders.map((order) => ({
        customer_id: order.customerId,
        id: order.id,
        status: order.status,
        currency: order.currency,
        total_amount: toNumeric(order.totalAmount),
        metadata: order.metadata,
        expires_at: order.expiresAt,
        created_at: order.createdAt,
      })),
    ),
    JSON.stringify(
      orders.flatMap(({ customerId, id: orderId, items }) =>
        items.map(({ id, sku, name, quantity, price, terms }, index) => ({
          customer_id: customerId,
          id,
          order_id: orderId,
          position: index + 1,
          sku,
          name,
          quantity,
          price: toNumeric(price),
          terms,
        })),
      ),
    ),
  ]);
}

/** Moves orders along their state machine. Precondition: the operations that paid them are written before. */
export function updateOrders(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const steps = customers.flatMap(({ customerId, changes }) =>
    changes.orderSteps.map(({ id, status, paymentMethod, paymentId, paidAt, paidBy }) => ({
      customer_id: customerId,
      id,
      status,
      payment_method: paymentMethod,
      payment_id: paymentId,
      paid_at: paidAt,
      paid_by: paidBy,
    })),
  );
  return steps.length === 0 ? undefined : tx.query(UPDATE_ORDERS, [JSON.stringify(steps), steps.length]);
}

interface PaymentRow extends Row {
  customer_id: string;
  order_id: string;
  status: PaymentStatus;
  amount: string | null;
  currency: string | null;
  operation_id: string | null;
}

/** What is known of a provider's charge. `paymentMethod` is canonical. */
export async function findPayment(tx: Tx, paymentMethod: string, paymentId: string): Promise<Payment | null> {
  const [row] = await tx.query<PaymentRow>(
    `SELECT customer_id, order_id, status, amount, currency, operation_id FROM payments
     WHERE payment_method = $1 AND payment_id = $2`,
    [paymentMethod, paymentId],
  );
  if (!row) return null;
  return {
    paymentMethod,
    paymentId,
    customerId: row.customer_id,
    orderId: row.order_id,
    status: row.status,
    amount: row.amount === null ? null : parseMoney(row.amount),
    currency: row.currency,
    operationId: row.operation_id,
  };
}

/**
 * $1 payments, each with the state that was seen of it, sorted, $2 how many. A new one is claimed with ON CONFLICT DO NOTHING, which waits
 * for a rival that has not ended; a known one is written if it is still in the state that was seen.
 */
const CLAIM_PAYMENTS = `
WITH payment AS (
  SELECT * FROM ROWS FROM (json_to_recordset($1::json) AS (payment_method text, payment_id text, customer_id uuid, order_id uuid, status text,
                           amount numeric, currency text, operation_id uuid, seen_status text, seen_order_id uuid,
                           at timestamptz))
    WITH ORDINALITY AS p (payment_method, payment_id, customer_id, order_id, status, amount, currency, operation_id, seen_status, seen_order_id, at, place)
), claimed AS (
  INSERT INTO payments (payment_method, payment_id, customer_id, order_id, status, amount, currency, operation_id, created_at, updated_at)
  SELECT payment_method, payment_id, customer_id, order_id, status, amount, currency, operation_id, at, at
  FROM payment WHERE seen_status IS NULL ORDER BY place
  ON CONFLICT DO NOTHING RETURNING 1
), moved AS (
  UPDATE payments o
  SET customer_id = p.customer_id, order_id = p.order_id, status = p.status, amount = p.amount, currency = p.currency,
      operation_id = p.operation_id, updated_at = p.at
  FROM payment p
  WHERE o.payment_method = p.payment_method AND o.payment_id = p.payment_id AND o.status = p.seen_status AND o.order_id = p.seen_order_id
  RETURNING 1
)
SELECT assert_claimed((SELECT count(*) FROM claimed) + (SELECT count(*) FROM moved) = $2::bigint)`;

/** Writes what is told of payments. Throws BC001 when another transaction moved or claimed one meanwhile. */
export function claimPayments(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const told = customers.flatMap(({ now, changes }) => changes.payments.map((change) => ({ ...change, at: now })));
  if (told.length === 0) return undefined;
  const keyOf = ({ payment }: PaymentChange) => JSON.stringify([payment.paymentMethod, payment.paymentId]);
  const sorted = told.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return tx.query(CLAIM_PAYMENTS, [
    JSON.stringify(
      sorted.map(({ payment, seen, at }) => ({
        payment_method: payment.paymentMethod,
        payment_id: payment.paymentId,
        customer_id: payment.customerId,
        order_id: payment.orderId,
        status: payment.status,
        amount: payment.amount === null ? null : toNumeric(payment.amount),
        currency: payment.currency,
        operation_id: payment.operationId,
        seen_status: seen?.status ?? null,
        seen_order_id: seen?.orderId ?? null,
        at,
      })),
    ),
    sorted.length,
  ]);
}
