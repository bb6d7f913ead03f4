// What people are told of a refusal for want of units: what ended, what becomes valid, and what could be bought. One statement for all that are refused at
// the same time; nothing of it decides anything.
import type { Shortage } from '../ledger/use.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, parseMoney } from '../lib/money.js';
import type { Row, Tx } from './client.js';

/** What would help, and what it costs: a decimal string with the currency's own number of decimals. */
export interface UpgradeOffer {
  sku: string;
  name: string;
  price: string;
  currency: string;
}

export interface Explanation {
  /** When units of, or access to, one of the products last ended by expiry; null when that never happened. */
  lastExpiry: Date | null;
  /** The next instants at which batches of the products become valid, soonest first. */
  starts: Date[];
  /** Offers that give one of the products and that the customer could buy, trials apart: cheapest first (by the number alone), then by SKU. */
  upgradeOffers: UpgradeOffer[];
}

/** Future starts of validity, and offers, that an explanation has at most. */
const STARTS_MAX = 10;
const UPGRADE_OFFERS_MAX = 10;

const OF_WANTED =
  'b.customer_id = w.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.product_key = ANY (w.product_keys)';

/**
 * $1 to $4 what is short, in an order: customers, places, instants, products as JSON. What holds past their end have in ended batches has ended too,
 * settled or not. Proposed is what an order or an exchange would not refuse: what is priced in a product costs 1 at least, in none of those that are
 * short, and nothing extends access that the customer has for ever (`endless`, of what the offers in question extend).
 */
const EXPLAIN = `
WITH asked AS MATERIALIZED (
  SELECT place, customer_id, at, ARRAY (SELECT json_array_elements_text(keys)) AS product_keys
  FROM unnest($1::uuid[], $2::integer[], $3::timestamptz[], $4::json[]) AS s (customer_id, place, at, keys)
), extended AS MATERIALIZED (
  SELECT DISTINCT e.product_key FROM (SELECT DISTINCT unnest(product_keys) AS product_key FROM asked) k
  JOIN offer_items i ON i.product_key = k.product_key
  JOIN offer_items e ON e.sku = i.sku AND e.stacking = 'extend'
), wanted AS MATERIALIZED (
  SELECT a.*, ARRAY (
    SELECT e.product_key FROM extended e WHERE EXISTS (
      SELECT FROM batches b WHERE b.customer_id = a.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.product_key = e.product_key
        AND b.granted IS NULL AND b.revoked_at IS NULL AND b.expires_at IS NULL)
    ORDER BY e.product_key
  ) AS endless FROM asked a
), upgrade AS MATERIALIZED (
  SELECT k.product_keys, k.endless, (
    SELECT json_agg(u ORDER BY u.number, u.sku) FROM (
      SELECT o.sku, o.name, o.price::text AS price, o.currency, o.price AS number FROM offers o
      WHERE o.is_active AND NOT o.is_trial
        AND (o.price >= 1 OR NOT EXISTS (SELECT FROM products c WHERE c.product_key = o.currency))
        AND o.currency <> ALL (k.product_keys)
        AND EXISTS (SELECT FROM offer_items i WHERE i.sku = o.sku AND i.product_key = ANY (k.product_keys))
        AND NOT EXISTS (SELECT FROM offer_items i JOIN products p ON p.product_key = i.product_key
          WHERE i.sku = o.sku AND (NOT p.is_active OR i.stacking = 'extend' AND i.product_key = ANY (k.endless)))
      ORDER BY o.price, o.sku LIMIT ${UPGRADE_OFFERS_MAX}
    ) u
  ) AS offers
  FROM (SELECT DISTINCT product_keys, endless FROM wanted) k
)
SELECT w.place, upgrade.offers, starts.list AS starts, greatest(
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.expired > 0 AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.is_open AND b.available > 0 AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM batches b WHERE ${OF_WANTED} AND b.granted IS NULL AND b.expires_at <= w.at),
  (SELECT max(b.expires_at) FROM reservations r
   JOIN reservation_legs l ON l.customer_id = r.customer_id AND l.customer_id = ANY ($1::uuid[]) AND l.reservation_id = r.id
   JOIN batches b ON b.customer_id = l.customer_id AND b.customer_id = ANY ($1::uuid[]) AND b.id = l.batch_id
   WHERE r.customer_id = w.customer_id AND r.customer_id = ANY ($1::uuid[]) AND r.status = 'held' AND r.expires_at <= w.at
     AND b.product_key = ANY (w.product_keys) AND b.granted IS NOT NULL AND b.expires_at <= w.at)) AS ended
FROM wanted w
JOIN upgrade ON upgrade.product_keys = w.product_keys AND upgrade.endless = w.endless
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
  offers: UpgradeOffer[] | null;
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
      upgradeOffers: (row?.offers ?? []).map(toUpgradeOffer),
    };
  });
}

function toUpgradeOffer({ sku, name, price, currency }: UpgradeOffer): UpgradeOffer {
  return { sku, name, price: formatMoney(parseMoney(price), currencyDecimals(currency)), currency };
}
