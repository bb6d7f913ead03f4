// Where a page of a family's entries begins: each member numbers his own, and all of them are read in the order in which they were recorded.
import type { Row, Tx } from './client.js';

/** An entry: all that were recorded before it follow. */
export interface LedgerPosition {
  seq: number;
  /** Whose it is; of the customer himself, who comes first among the family, where it is left out. */
  of?: string | undefined;
}

/** A page of a ledger begins with its newest entry. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * `recorded_at` never goes back along `seq`, which has no gaps: halving finds the first entry from an instant on by a look-up for each step. LIMIT keeps the
 * look-up apart, else the planner would read all entries of whom it believes to have few.
 */
const FIRST_SEQ = `
WITH RECURSIVE search AS (
  SELECT c.id AS customer_id, 1::bigint AS low, c.next_seq AS high FROM customers c WHERE c.id = ANY ($1::uuid[])
  UNION ALL
  SELECT s.customer_id, CASE WHEN middle.is_before THEN middle.seq + 1 ELSE s.low END, CASE WHEN middle.is_before THEN s.high ELSE middle.seq END
  FROM search s CROSS JOIN LATERAL (
    SELECT e.seq, e.recorded_at < $2::timestamptz AS is_before FROM entries e
    WHERE e.customer_id = s.customer_id AND e.customer_id = ANY ($1::uuid[]) AND e.seq = (s.low + s.high) / 2 LIMIT 1
  ) middle WHERE s.low < s.high
) SELECT customer_id, low AS seq FROM search WHERE low >= high`;

/** For each customer the number of his first entry that was recorded at an instant or later; where there is none, that of his next one. */
export async function findFirstSeqs(tx: Tx, customerIds: readonly string[], at: Date): Promise<number[]> {
  const rows = await tx.query<Row & { customer_id: string; seq: number }>(FIRST_SEQ, [customerIds, at.toISOString()]);
  const seqs = new Map(rows.map((row) => [row.customer_id, row.seq]));
  return customerIds.map((customerId) => seqs.get(customerId) ?? 1);
}

/**
 * For each member of a family the number before which his entries follow a position. Of one instant those of the smaller id follow those of the greater one.
 * A position in a ledger that is none of the family's, or has no such entry, has nothing behind it.
 */
export async function findEndSeqs(
  tx: Tx,
  customerIds: readonly string[],
  before: LedgerPosition | undefined,
): Promise<number[]> {
  if (!before) return customerIds.map(() => NEWEST);
  if (customerIds.length === 1) return [before.seq];
  const { seq, of = customerIds[0] ?? '' } = before;
  const [row] = await tx.query<Row & { recorded_at: Date }>(
    'SELECT recorded_at FROM entries WHERE customer_id = $1::uuid AND seq = $2::bigint',
    [of, seq],
  );
  if (!row || !customerIds.includes(of)) return customerIds.map(() => 0);
  const at = row.recorded_at;
  const [from, behind] = await Promise.all([
    findFirstSeqs(tx, customerIds, at),
    findFirstSeqs(tx, customerIds, new Date(at.getTime() + 1)),
  ]);
  return customerIds.map((id, index) => (id === of ? seq : ((id < of ? behind : from)[index] ?? 0)));
}
