// What became of all units of a product, over all customers.
import { required } from '../lib/assert.js';
import type { Row, Tx } from './client.js';

/** Units of a product over all customers, and who has running access of it. */
export interface ProductReport {
  customers: number;
  granted: number;
  available: number;
  held: number;
  used: number;
  expired: number;
  revoked: number;
  owed: number;
  access: number;
}

/** What has ended by $2 is counted as expired, settled or not; what goes on in another batch is counted there alone. Sums may exceed what a number counts exactly. */
const SELECT_REPORT = `
SELECT count(DISTINCT customer_id)::float8 AS customers,
  (sum(granted) - sum(transferred) FILTER (WHERE granted IS NOT NULL))::float8 AS granted,
  sum(available) FILTER (WHERE expires_at IS NULL OR expires_at > $2::timestamptz)::float8 AS available,
  sum(held)::float8 AS held, sum(consumed)::float8 AS used,
  (sum(expired) + coalesce(sum(available) FILTER (WHERE expires_at <= $2::timestamptz), 0))::float8 AS expired,
  sum(revoked)::float8 AS revoked,
  (SELECT sum(owed) FROM balances WHERE product_key = $1)::float8 AS owed,
  (count(*) FILTER (WHERE granted IS NULL AND source <> 'metered' AND revoked_at IS NULL AND valid_from <= $2::timestamptz
    AND (expires_at IS NULL OR expires_at > $2::timestamptz)))::float8 AS access
FROM batches WHERE product_key = $1`;

/** Sums over all batches of a product, as of an instant. Reads all of them. */
export async function sumProduct(tx: Tx, productKey: string, now: Date): Promise<ProductReport> {
  const [row] = await tx.query<Row & Record<keyof ProductReport, number | null>>(SELECT_REPORT, [
    productKey,
    now.toISOString(),
  ]);
  const sums = required(row, 'there are sums');
  return {
    customers: sums.customers ?? 0,
    granted: sums.granted ?? 0,
    available: sums.available ?? 0,
    held: sums.held ?? 0,
    used: sums.used ?? 0,
    expired: sums.expired ?? 0,
    revoked: sums.revoked ?? 0,
    owed: sums.owed ?? 0,
    access: sums.access ?? 0,
  };
}
