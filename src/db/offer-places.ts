// How many places of an offer a customer has taken.
import type { OrderableOffer } from '../ledger/catalog-entities.js';
import type { Row, Tx } from './client.js';

/**
 * What is ordered counts while the order waits for a payment, is paid or refunded in part; what was granted or exchanged counts for good. Batches of an older
 * build say nothing of how many there were, and count as one.
 */
const COUNT_PLACES = `
SELECT sku, sum(places)::bigint AS places FROM (
  SELECT i.sku, i.quantity AS places FROM order_items i JOIN orders o ON o.customer_id = i.customer_id AND o.id = i.order_id
  WHERE i.customer_id = ANY ($1::uuid[]) AND o.customer_id = ANY ($1::uuid[]) AND i.sku = ANY ($2::text[])
    AND (o.status IN ('paid', 'partially_refunded') OR (o.status = 'pending' AND o.expires_at > $3::timestamptz))
  UNION ALL
  SELECT b.sku, max(coalesce(b.offer_quantity, 1)) FROM batches b
  WHERE b.customer_id = ANY ($1::uuid[]) AND b.sku = ANY ($2::text[]) AND b.sku IS NOT NULL AND b.order_id IS NULL AND b.predecessor_id IS NULL
  GROUP BY b.sku, b.operation_id
) taken GROUP BY sku`;

/** Places that a family has taken of those of these offers that have a bound. */
export async function countPlaces(
  tx: Tx,
  customerIds: readonly string[],
  offers: Iterable<OrderableOffer>,
  now: Date,
): Promise<Map<string, number>> {
  const bounded = [...offers].filter(({ maxPerCustomer }) => maxPerCustomer !== null).map(({ sku }) => sku);
  if (bounded.length === 0) return new Map();
  const rows = await tx.query<Row & { sku: string; places: number }>(COUNT_PLACES, [
    customerIds,
    bounded,
    now.toISOString(),
  ]);
  return new Map(rows.map(({ sku, places }) => [sku, places]));
}
