// The statements that read what a book holds. Nothing but texts of SQL; who sends them is books.ts, what their rows come to book-rows.ts.
import { BATCH, RESERVATION } from './book-rows.js';
import { countingInstant } from './counting.js';
import { PRESENT, pastOf, type Source } from './history.js';
import { listOf } from './table.js';
import { batches, reservations } from './tables.js';

/** Of the running batches of a product the first is used; nobody asks for the others. */
const RUNNING_MAX = 32;
/** Batches of a chain of access that are followed back at most: a hundred years of months. */
const CHAIN_MAX = 1_200;

const BATCH_COLUMNS = listOf(batches, BATCH, 'b');
const OF_WANTED = 'b.customer_id = w.customer_id AND b.product_key = w.product_key';
/** Every statement has the ids of its customers as $1, and the clock as $2. The instant of a customer is never before what he recorded last. */
const OF_CUSTOMERS = 'customer_id = ANY ($1::uuid[])';

/** Keeps the planner from joining what is looked up for each row by its key: it would read all that a customer has, where it believes that to be little. */
const EACH_ALONE = 'OFFSET 0';

const PAST: Source = pastOf(`e.${OF_CUSTOMERS}`, '$2');
const instantOf = (isPast: boolean) => (isPast ? '$2::timestamptz' : 'greatest($2::timestamptz, c.last_recorded_at)');

/** What was not forgiven of the debts of a product that are newer than entry `e`. */
const NEWER_DEBTS = `(
  SELECT coalesce(sum(CASE n.kind WHEN 'debt' THEN n.amount ELSE -n.amount END), 0)::bigint FROM entries n
  WHERE n.customer_id = e.customer_id AND n.${OF_CUSTOMERS} AND n.product_key = e.product_key AND n.kind IN ('debt', 'forgive')
    AND n.seq > e.seq AND (n.kind = 'debt' OR n.reverses_seq > e.seq)
)`;
const REVERSED = `(
  SELECT coalesce(sum(v.amount), 0)::bigint FROM entries v
  WHERE v.customer_id = e.customer_id AND v.${OF_CUSTOMERS} AND v.reverses_seq = e.seq
)`;

/** The debts that refunds and disputes made of products, with their customers: $2 and $3. */
export const LOAD_CLAIM_DEBTS = `
SELECT e.customer_id, e.product_key, e.seq, e.batch_id, e.amount - ${REVERSED} AS left, ${NEWER_DEBTS} AS newer
FROM unnest($2::uuid[], $3::text[]) AS w (customer_id, product_key) JOIN entries e USING (customer_id, product_key)
WHERE e.${OF_CUSTOMERS} AND e.product_key = ANY ($3::text[]) AND e.kind = 'debt' AND e.batch_id IS NOT NULL ORDER BY e.seq`;

/** What a statement asks for besides the products named in $4 and $5: products of the features in $6 and $7, products of what is named. */
interface Wanted {
  hasFeatures: boolean;
  hasNamed: boolean;
  isPast: boolean;
}

const FEATURES = `
  UNION
  SELECT n.customer_id, f.product_key FROM unnest($6::uuid[], $7::text[]) AS n (customer_id, feature) JOIN product_features f USING (feature)`;

/** $8 and $9 reservations, $10 and $11 operations, with their customers: what they took, and what provides the features of both. */
const NAMED = `
  UNION
  SELECT r.customer_id, jsonb_object_keys(r.costs) FROM unnest($8::uuid[], $9::uuid[]) AS n (customer_id, id)
  JOIN reservations r USING (customer_id, id) WHERE r.${OF_CUSTOMERS} AND r.id = ANY ($9::uuid[])
  UNION
  SELECT customer_id, product_key FROM taken
  UNION
  SELECT n.customer_id, f.product_key FROM (
    SELECT r.customer_id, r.feature FROM unnest($8::uuid[], $9::uuid[]) AS n (customer_id, id)
    JOIN reservations r USING (customer_id, id) WHERE r.${OF_CUSTOMERS} AND r.id = ANY ($9::uuid[])
    UNION
    SELECT customer_id, feature FROM taken
  ) n JOIN product_features f USING (feature)`;
const TAKEN = `
taken AS (
  SELECT e.customer_id, e.product_key, e.feature FROM unnest($10::uuid[], $11::uuid[]) AS n (customer_id, id)
  JOIN operations o USING (customer_id, id)
  CROSS JOIN LATERAL (
    SELECT DISTINCT e.customer_id, e.product_key, e.feature FROM entries e
    WHERE e.customer_id = o.customer_id AND e.${OF_CUSTOMERS} AND e.seq BETWEEN o.first_seq AND o.last_seq ${EACH_ALONE}
  ) e WHERE o.${OF_CUSTOMERS} AND o.id = ANY ($11::uuid[])
),`;

const UNREVOKED_ACCESS = `${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.granted IS NULL AND b.revoked_at IS NULL`;
const dayOf = (instant: string) => `extract(day FROM ${instant} AT TIME ZONE 'UTC')::smallint`;
const monthOf = (instant: string) =>
  `(extract(year FROM ${instant} AT TIME ZONE 'UTC')::int * 12 + extract(month FROM ${instant} AT TIME ZONE 'UTC')::int)`;
const IS_WHOLE_MONTHS = `b.valid_from AT TIME ZONE 'UTC' + make_interval(months => ${monthOf('b.expires_at')} - ${monthOf('b.valid_from')})
  = b.expires_at AT TIME ZONE 'UTC'`;

/**
 * The anchor day of the latest access. Where its batch does not say it, an older build made it: the chain is followed back over batches of whole months to
 * one that says it, or to its first.
 */
const anchorFrom = ({ batches: table }: Source) => `
       CASE WHEN access.anchor_day IS NULL AND access.until IS NOT NULL THEN (
         WITH RECURSIVE chain AS (
           (SELECT b.valid_from, b.expires_at, b.anchor_day, ${IS_WHOLE_MONTHS} AS is_whole, 1 AS place FROM ${table} b
            WHERE ${UNREVOKED_ACCESS} AND b.expires_at = access.until ORDER BY b.valid_from LIMIT 1)
           UNION ALL
           SELECT earlier.* FROM chain CROSS JOIN LATERAL (
             SELECT b.valid_from, b.expires_at, b.anchor_day, ${IS_WHOLE_MONTHS}, chain.place + 1 FROM ${table} b
             WHERE ${UNREVOKED_ACCESS} AND b.expires_at = chain.valid_from ORDER BY b.anchor_day, b.valid_from LIMIT 1
           ) earlier WHERE chain.anchor_day IS NULL AND chain.is_whole AND chain.place < ${CHAIN_MAX}
         )
         SELECT coalesce(anchor_day, CASE WHEN is_whole THEN ${dayOf('valid_from')} ELSE ${dayOf('expires_at')} END)
         FROM chain ORDER BY place DESC LIMIT 1
       ) ELSE access.anchor_day END`;

/**
 * The holdings of products: $3 usable batches of each at most. Sums over what can't be spent are read only where not all usable batches are, or something
 * is due; they are over ordered rows, which makes the planner take the indexes of open batches rather than read all of a customer's.
 */
const loadHoldingsFrom = ({ hasFeatures, hasNamed, isPast }: Wanted) => {
  const source = isPast ? PAST : PRESENT;
  const instant = instantOf(isPast);
  return `
WITH ${source.ctes} ${hasNamed ? TAKEN : ''} wanted AS (
  SELECT n.customer_id, n.product_key FROM unnest($4::uuid[], $5::text[]) AS n (customer_id, product_key)${hasFeatures || hasNamed ? FEATURES : ''}${hasNamed ? NAMED : ''}
)
SELECT w.customer_id, c.at, c.is_due, w.product_key, p.type, p.is_active, p.is_currency, p.low_balance_threshold, p.expiring_days, f.features, bal.available, bal.held, bal.owed,
       usable.list AS usable, running.list AS running, access.until AS access_until, access.forever AS access_forever, ${anchorFrom(source)} AS access_anchor,
       CASE WHEN c.is_due OR usable.size = $3::int THEN (
         SELECT coalesce(sum(o.available), 0)::bigint FROM (
           SELECT b.available FROM ${source.batches} b
           WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.expires_at <= c.at ORDER BY b.expires_at, b.id
         ) o) END AS overdue,
       CASE WHEN c.is_due OR usable.size = $3::int THEN (
         SELECT coalesce(sum(o.available), 0)::bigint FROM (
           SELECT b.available FROM ${source.batches} b
           WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.valid_from > c.at ORDER BY b.valid_from
         ) o) END AS not_yet_valid
FROM wanted w
JOIN products p ON p.product_key = w.product_key
CROSS JOIN LATERAL (
  SELECT max(${instant}) AS at, ${isPast ? 'true' : `coalesce(bool_or(c.due_at <= ${instant}), false)`} AS is_due FROM customers c
  WHERE c.id = w.customer_id AND c.id = ANY ($1::uuid[])
) c
CROSS JOIN LATERAL (
  SELECT json_object_agg(f.feature, f.unit_cost) AS features FROM product_features f WHERE f.product_key = w.product_key
) f
LEFT JOIN ${source.balances} bal ON bal.customer_id = w.customer_id AND bal.product_key = w.product_key AND bal.${OF_CUSTOMERS}
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list, count(*) AS size FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.revoked_at IS NULL
      AND b.valid_from <= c.at AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type = 'quantity'
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT $3::int
  ) u
) usable
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.priority, u.expires_at, u.created_at, u.id) AS list FROM (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.granted IS NULL AND b.revoked_at IS NULL
      AND b.valid_from <= c.at AND (b.expires_at IS NULL OR b.expires_at > c.at) AND p.type <> 'quantity'
    ORDER BY b.priority, b.expires_at, b.created_at, b.id LIMIT ${RUNNING_MAX}
  ) u
) running
CROSS JOIN LATERAL (
  SELECT max(b.expires_at) AS until, bool_or(b.expires_at IS NULL) AS forever,
         (array_agg(b.anchor_day ORDER BY b.expires_at DESC NULLS LAST, b.anchor_day DESC NULLS LAST))[1] AS anchor_day
  FROM ${source.batches} b
  WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.granted IS NULL AND b.revoked_at IS NULL AND (b.expires_at IS NULL OR b.expires_at > c.at)
    AND p.type <> 'quantity'
) access`;
};

/** One text for each way of asking. */
export const LOAD_HOLDINGS = [false, true].map((isPast) =>
  [false, true].map((hasNamed) =>
    [false, true].map((hasFeatures) => loadHoldingsFrom({ hasFeatures, hasNamed, isPast })),
  ),
);

/** Batches past their end with units, the longest due first. */
const loadDueBatchesFrom = (isPast: boolean) => `
WITH ${isPast ? PAST.ctes : ''} due AS (
  SELECT d.* FROM customers c CROSS JOIN LATERAL (
    SELECT b.customer_id, ${BATCH_COLUMNS} FROM ${(isPast ? PAST : PRESENT).batches} b
    WHERE b.customer_id = c.id AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.expires_at <= ${instantOf(isPast)}
    ORDER BY b.expires_at, b.id LIMIT $3::int
  ) d WHERE c.id = ANY ($1::uuid[])
) SELECT * FROM due ORDER BY expires_at, id`;

const RESERVATION_COLUMNS = `r.customer_id, ${listOf(reservations, RESERVATION, 'r')}`;
const legsFrom = (source: Source) => `(
  SELECT json_agg(json_build_object('amount', l.amount, 'batch', b) ORDER BY l.position)
  FROM reservation_legs l CROSS JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM ${source.batches} b WHERE b.customer_id = l.customer_id AND b.id = l.batch_id AND b.${OF_CUSTOMERS} ${EACH_ALONE}
  ) b
  WHERE l.customer_id = r.customer_id AND l.${OF_CUSTOMERS} AND l.reservation_id = r.id
)`;

const LEG_COUNT = `(
  SELECT greatest(count(*), 1) AS leg_count FROM reservation_legs l
  WHERE l.customer_id = r.customer_id AND l.${OF_CUSTOMERS} AND l.reservation_id = r.id
)`;

/** Holds past their end, the longest due first, until they have $3 legs. */
const loadDueReservationsFrom = (isPast: boolean) => `
WITH ${isPast ? PAST.ctes : ''} due AS (
  SELECT r.* FROM customers c CROSS JOIN LATERAL (
    SELECT r.*, sum(r.leg_count) OVER (ORDER BY r.expires_at, r.id) - r.leg_count AS legs_before FROM (
      SELECT r.*, legs.leg_count FROM reservations r CROSS JOIN LATERAL ${LEG_COUNT} legs
      WHERE r.customer_id = c.id AND r.${OF_CUSTOMERS} AND r.status = 'held' AND r.expires_at <= ${instantOf(isPast)}
      ORDER BY r.expires_at, r.id LIMIT $3::int
    ) r
  ) r WHERE c.id = ANY ($1::uuid[]) AND coalesce(r.legs_before < $3::int, true)
) SELECT ${RESERVATION_COLUMNS}, r.leg_count, ${legsFrom(isPast ? PAST : PRESENT)} AS legs FROM due r ORDER BY r.expires_at, r.id`;

export const LOAD_DUE_BATCHES = [false, true].map(loadDueBatchesFrom);
export const LOAD_DUE_RESERVATIONS = [false, true].map(loadDueReservationsFrom);

/** Reservations by their ids: $2 and $3, with their customers. Legs are read in the order in which they are named, until there are $4 of them in all. */
export const LOAD_RESERVATIONS = `
SELECT ${RESERVATION_COLUMNS}, r.leg_count, CASE WHEN coalesce(r.legs_before < $4::int, true) THEN ${legsFrom(PRESENT)} END AS legs FROM (
  SELECT r.*, legs.leg_count, sum(legs.leg_count) OVER (ORDER BY n.place) - legs.leg_count AS legs_before
  FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS n (customer_id, id, place)
  JOIN reservations r USING (customer_id, id) CROSS JOIN LATERAL ${LEG_COUNT} legs WHERE r.${OF_CUSTOMERS} AND r.id = ANY ($3::uuid[])
) r`;

/** Pending orders past their end, the longest due first. */
export const LOAD_DUE_ORDERS = `
SELECT o.customer_id, o.id FROM customers c CROSS JOIN LATERAL (
  SELECT o.customer_id, o.id, o.expires_at FROM orders o
  WHERE o.customer_id = c.id AND o.${OF_CUSTOMERS} AND o.status = 'pending' AND o.expires_at <= ${instantOf(false)}
  ORDER BY o.expires_at, o.id LIMIT $3::int
) o WHERE c.id = ANY ($1::uuid[]) ORDER BY o.expires_at, o.id`;

/** Batches that are not valid yet, in the order in which an overdraft takes them, as far as $5 units and $6 batches go: of products $4, with their customers $3. */
export const LOAD_PENDING = `
SELECT w.customer_id, w.product_key, p.list FROM (
  SELECT n.customer_id, n.product_key, n.units, ${instantOf(false)} AS at
  FROM unnest($3::uuid[], $4::text[], $5::bigint[]) AS n (customer_id, product_key, units) JOIN customers c ON c.id = n.customer_id WHERE c.id = ANY ($1::uuid[])
) w
CROSS JOIN LATERAL (
  SELECT json_agg(u ORDER BY u.place) AS list FROM (
    SELECT ${BATCH_COLUMNS}, row_number() OVER soonest AS place, sum(b.available) OVER soonest - b.available AS before FROM batches b
    WHERE ${OF_WANTED} AND b.${OF_CUSTOMERS} AND b.is_open AND b.available > 0 AND b.valid_from > w.at
    WINDOW soonest AS (ORDER BY b.valid_from, b.priority, b.expires_at, b.created_at, b.id)
  ) u WHERE u.before < w.units AND u.place <= $6::int
) p`;

/**
 * What operations took: $3, with their customers $2. In the order of use, with what was given back of each entry. Entries are read in the order in which
 * operations are named, until there are $4 of them in all, and of none that has more than $5.
 */
export const LOAD_TAKEN = `
SELECT o.customer_id, o.id, o.name, o.size, CASE WHEN o.size <= $5::int AND coalesce(o.before < $4::int, true) THEN (
  SELECT coalesce(json_agg(json_build_object(
    'seq', e.seq, 'product_key', e.product_key, 'amount', e.amount, 'feature', e.feature, 'unit_cost', e.unit_cost,
    'action_type', e.action_type, 'action_id', e.action_id, 'batch', b, 'counted_at', ${countingInstant('e')}, 'reversed', ${REVERSED},
    'newer', CASE WHEN e.kind = 'debt' THEN ${NEWER_DEBTS} END) ORDER BY e.seq), '[]')
  FROM entries e LEFT JOIN LATERAL (
    SELECT ${BATCH_COLUMNS} FROM batches b WHERE b.customer_id = e.customer_id AND b.${OF_CUSTOMERS} AND b.id = e.batch_id ${EACH_ALONE}
  ) b ON true
  WHERE e.customer_id = o.customer_id AND e.${OF_CUSTOMERS} AND e.seq BETWEEN o.first_seq AND o.last_seq
    AND e.kind IN ('consume', 'commit', 'debt')
) END AS entries
FROM (
  SELECT o.*, sum(o.size) OVER (ORDER BY o.place) - o.size AS before FROM (
    SELECT o.customer_id, o.id, o.name, o.first_seq, o.last_seq, coalesce(o.last_seq - o.first_seq + 1, 0) AS size, n.place
    FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS n (customer_id, id, place)
    JOIN operations o USING (customer_id, id) WHERE o.${OF_CUSTOMERS} AND o.id = ANY ($3::uuid[])
  ) o
) o`;
