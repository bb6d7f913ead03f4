// Orders, their lines, and payments.
import type { Metadata } from '../ledger/book.js';
import type { Term } from '../ledger/grant.js';
import type { Order, OrderStatus, Payment, PaymentChange, PaymentStatus } from '../ledger/orders.js';
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

/** The customer whose order this is. */
export async function findOrderCustomer(tx: Tx, orderId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ customer_id: string }>('SELECT customer_id FROM orders WHERE id = $1::uuid', [
    orderId,
  ]);
  return row?.customer_id;
}

/** Inserts a new order with its lines. */
export async function insertOrder(tx: Tx, order: Order): Promise<void> {
  await tx.query(
    `WITH new_order AS (
       INSERT INTO orders (customer_id, id, status, currency, total_amount, metadata, expires_at, created_at)
       VALUES ($1::uuid, $2::uuid, $3, $4, $5::numeric, $6::jsonb, $7::timestamptz, $8::timestamptz)
     )
     INSERT INTO order_items (customer_id, id, order_id, position, sku, name, quantity, price, terms)
     SELECT $1::uuid, i.id, $2::uuid, i.position, i.sku, i.name, i.quantity, i.price, i.terms
     FROM json_to_recordset($9::json) AS i (id uuid, position integer, sku text, name text, quantity bigint, price numeric, terms jsonb)`,
    [
      order.customerId,
      order.id,
      order.status,
      order.currency,
      toNumeric(order.totalAmount),
      JSON.stringify(order.metadata),
      order.expiresAt.toISOString(),
      order.createdAt.toISOString(),
      JSON.stringify(
        order.items.map((item, index) => ({ ...item, position: index + 1, price: toNumeric(item.price) })),
      ),
    ],
  );
}

/** Writes the members of an order that its state machine moves. */
export async function updateOrderStatus(tx: Tx, order: Order): Promise<void> {
  await tx.query(
    `UPDATE orders SET status = $3, payment_method = $4, payment_id = $5, paid_at = $6::timestamptz, paid_by = $7::uuid
     WHERE customer_id = $1::uuid AND id = $2::uuid`,
    [
      order.customerId,
      order.id,
      order.status,
      order.paymentMethod,
      order.paymentId,
      order.paidAt?.toISOString() ?? null,
      order.paidBy,
    ],
  );
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
 * Writes a payment if it is still in the state that was seen; false when another transaction moved it meanwhile. A new one is claimed with
 * ON CONFLICT DO NOTHING, which waits for a rival that has not ended.
 */
export async function writePayment(tx: Tx, { payment, seen }: PaymentChange, now: Date): Promise<boolean> {
  const values = [
    payment.paymentMethod,
    payment.paymentId,
    payment.customerId,
    payment.orderId,
    payment.status,
    payment.amount === null ? null : toNumeric(payment.amount),
    payment.currency,
    payment.operationId,
    now.toISOString(),
  ];
  const rows = seen
    ? await tx.query(
        `UPDATE payments SET customer_id = $3::uuid, order_id = $4::uuid, status = $5, amount = $6::numeric, currency = $7,
                operation_id = $8::uuid, updated_at = $9::timestamptz
         WHERE payment_method = $1 AND payment_id = $2 AND status = $10 AND order_id = $11::uuid RETURNING 1`,
        [...values, seen.status, seen.orderId],
      )
    : await tx.query(
        `INSERT INTO payments (payment_method, payment_id, customer_id, order_id, status, amount, currency, operation_id, created_at, updated_at)
         VALUES ($1, $2, $3::uuid, $4::uuid, $5, $6::numeric, $7, $8::uuid, $9::timestamptz, $9::timestamptz)
         ON CONFLICT DO NOTHING RETURNING 1`,
        values,
      );
  return rows.length === 1;
}
