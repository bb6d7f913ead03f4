// What people are told of a refusal for want of units: what ended, what becomes valid, and what could be bought. One statement for all that are refused at
// the same time; nothing of it decides anything.
import type { Shortage } from '../ledger/use.js';
import type { Row, Tx } from './client.js';

export interface Explanation {
  /** When units of, or access to, one of the products last ended by expiry; null when that never happened. */
  lastExpiry: Date | null;
  /** The next instants at which batches of the products become valid, soonest first. */
  starts: Date[];
  /** Active offers of active products, trials apart, that give one of the products: cheapest first (by the number alone), then by SKU. */
  upgradeSkus: string[];
}

/** Future starts of validity, and SKUs, that an explanation has at most. */
const STARTS_MAX = 10;
const UPGRADE_SKUS_MAX = 10;

const OF_WANTED =
  'b.customer_id = w.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.product_key = ANY (w.product_keys)';

/** $1 to $4 what is short, in an order: customers, places, instants, products as JSON. What holds past their end have in ended batches has ended too, settled or not. */
const EXPLAIN = `
WITH wanted AS MATERIALIZED (
  SELECT place, customer_id, at, ARRAY (SELECT json_array_elements_text(keys)) AS product_keys
  FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::json[]) AS s (customer_id, place, at, keys)
), upgrade AS MATERIALIZED (
  SELECT k.product_keys, (
    SELECT json_agg(u.sku ORDER BY u.price, u.sku) FROM (
      SELECT o.sku, o.price FROM offers o
      WHERE o.is_active AND NOT o.is_trial
        AND EXISTS (SELECT FROM offer_items i WHERE i.sku = o.sku AND i.product_key = ANY (k.product_keys))
        AND NOT EXISTS (SELECT FROM offer_items i JOIN products p ON p.product_key = i.product_key WHERE i.sku = o.sku AND NOT p.is_active)
      ORDER BY o.price, o.sku LIMIT ${UPGRADE_SKUS_MAX}
    ) u
  ) AS skus
  FROM (SELECT DISTINCT product_keys FROM wanted) k
)
SELECT w.place, upgrade.skus, starts.list AS starts, greatest(
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.expired > 0 AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.granted IS NULL AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM reservations r
   JOIN reservation_legs l ON l.customer_id = r.customer_id AND l.customer_id = ANY ($1::uuid[]) AND l.reservation_id = r.id
   JOIN batches b ON b.customer_id = l.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.id = l.batch_id
   WHERE r.customer_id = w.customer_id AND r.customer_id = ANY ($1::uuid[]) AND r.status = 'held' AND r.expires_at <= w.at
     AND b.product_key = ANY (w.product_keys) AND b.granted IS NOT NULL AND b.expires_at <= w.at)) AS ended
FROM wanted w
JOIN upgrade ON upgrade.product_keys = w.product_keys
CROSS JOIN LATERAL (
  SELECT json_agg(s.valid_from ORDER BY s.valid_from) AS list FROM (
    SELECT b.valid_from FROM batches b WHERE ${OF_WANTED} AND b.is_open AND b.valid_from > w.at
    UNION
    SELECT b.valid_from FROM batches b WHERE ${OF_WANTED} AND b.granted IS NULL AND b.revoked_at IS NULL AND b.valid_from > w.at
    ORDER BY valid_from LIMIT ${STARTS_MAX}
  ) s
) starts`;

interface ExplanationRow extends Row {
  place: number;
  ended: Date | null;
  starts: string[] | null;
  skus: string[] | null;
}

/** Explains shortages, in their order. */
export async function explainShortages(tx: Tx, shortages: readonly Shortage[]): Promise<Explanation[]> {
  const rows = await tx.query<ExplanationRow>(EXPLAIN, [
    shortages.map(({ customerId }) => customerId),
    shortages.map((_, place) => place),
    shortages.map(({ at }) => at.toISOString()),
    shortages.map(({ providers }) => JSON.stringify(providers.map(({ productKey }) => productKey).sort())),
  ]);
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  return shortages.map((_, place): Explanation => {
    const row = byPlace.get(place);
    return {
      lastExpiry: row?.ended ?? null,
      starts: (row?.starts ?? []).map((start) => new Date(start)),
      upgradeSkus: row?.skus ?? [],
    };
  });
}
