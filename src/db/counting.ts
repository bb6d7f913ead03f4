// What entries count in the windows of limits (DOMAIN 3.12), as SQL: the rules of ledger/counting.ts, for entries that are counted after they were written,
// and for those from before entries told it. Nothing but texts of SQL.

/** Kinds that count, and those that count less. */
const MORE = `'consume', 'hold', 'debt'`;
const LESS = `'release', 'reverse', 'forgive'`;

/** Whose rows a statement reads: those of the customers whose ids are $1, or everybody's. */
export type Whose = (row: string) => string;
const OF_CUSTOMERS: Whose = (row) => ` AND ${row}.customer_id = ANY ($1::uuid[])`;
export const OF_ALL: Whose = () => '';

/** When a hold was made, of an entry of a reservation. */
const heldAt = (entry: string, whose: Whose) =>
  `(SELECT r.created_at FROM reservations r WHERE r.customer_id = ${entry}.customer_id${whose('r')} AND r.id = ${entry}.reservation_id)`;

/** In which windows an entry counts: as it says, else as its kind does. What came back counts where its use did. */
export const countingInstant = (entry: string, whose: Whose = OF_CUSTOMERS) => `coalesce(${entry}.counted_at, CASE
    WHEN ${entry}.kind IN ('release', 'commit') THEN ${heldAt(entry, whose)}
    WHEN ${entry}.reverses_seq IS NOT NULL THEN (
      SELECT CASE WHEN reversed.kind = 'commit' THEN ${heldAt('reversed', whose)} ELSE reversed.occurred_at END FROM entries reversed
      WHERE reversed.customer_id = ${entry}.customer_id${whose('reversed')} AND reversed.seq = ${entry}.reverses_seq)
    ELSE ${entry}.occurred_at END)`;

/** Product units that an entry counts of its product. */
export const countedProductUnits = (entry: string) =>
  `CASE WHEN ${entry}.kind IN (${MORE}) THEN ${entry}.amount WHEN ${entry}.kind IN (${LESS}) THEN -${entry}.amount ELSE 0 END`;

/**
 * Units that an entry counts of the feature that it names. Of those that don't tell it the parts of a unit are added up: an operation comes to whole ones.
 * Where not even the cost was recorded, that of today counts.
 */
export const countedFeatureUnits = (entry: string) => `CASE WHEN ${entry}.counted IS NOT NULL THEN ${entry}.counted
    ELSE (${countedProductUnits(entry)})::numeric / coalesce(${entry}.unit_cost, (
      SELECT f.unit_cost FROM product_features f WHERE f.product_key = ${entry}.product_key AND f.feature = ${entry}.feature), 1) END`;

/** Whether an entry counts anywhere: what refunds and disputes claim, and what comes back of it, does not. */
export const isCounted = (entry: string) => `${entry}.kind IN (${MORE}, ${LESS})
    AND NOT (${entry}.kind = 'reverse' AND ${entry}.order_id IS NOT NULL)
    AND NOT (${entry}.kind IN ('debt', 'forgive') AND ${entry}.batch_id IS NOT NULL)`;
