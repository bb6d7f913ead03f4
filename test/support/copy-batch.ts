// Many batches like one that was granted, by plain SQL, because as many grants would take long. It leaves the ledger consistent (I1, I2, I3, I9), so that the
// audit after the test holds too.
import pg from 'pg';

const COPIES = `
WITH source AS MATERIALIZED (
  SELECT b.*, gen_random_uuid() AS copy_operation_id, c.next_seq, c.next_event, coalesce(a.available, 0) AS balance FROM batches b JOIN customers c ON c.id = b.customer_id
  LEFT JOIN balances a ON a.customer_id = b.customer_id AND a.product_key = b.product_key
  WHERE b.id = $1::uuid AND coalesce(b.available = b.granted, true)
), copies AS MATERIALIZED (
  SELECT s.*, n, gen_random_uuid() AS copy_id, s.next_seq + n - 1 AS seq,
    make_interval(secs => n * $3::double precision) AS later
  FROM source s, generate_series(1, $2::int) n
), made AS (
  INSERT INTO batches (customer_id, id, product_key, source, operation_id, granted, available, held, consumed, expired, revoked, transferred, priority,
                       valid_from, expires_at, created_at)
  SELECT customer_id, copy_id, product_key, source, copy_operation_id, granted, available, 0, 0, 0, 0, 0, priority,
         valid_from + later, expires_at + later, created_at FROM copies
), operated AS (
  INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
  SELECT customer_id, copy_operation_id, 'grant', 'test', created_at, next_seq, next_seq + $2::int - 1 FROM source
), counted AS (
  UPDATE balances a SET available = a.available + s.available * $2::int FROM source s
  WHERE a.customer_id = s.customer_id AND a.product_key = s.product_key AND s.granted IS NOT NULL
), told AS (
  INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, operation_id, data, recorded_at)
  SELECT customer_id, next_event + n - 1, gen_random_uuid(), 'batch.granted', 1, copy_id, copy_operation_id, '{}', created_at FROM copies
), stood AS (
  UPDATE customers c SET next_seq = s.next_seq + $2::int, next_event = s.next_event + $2::int FROM source s WHERE c.id = s.customer_id
)
INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata, recorded_at,
                     occurred_at)
SELECT customer_id, seq, gen_random_uuid(), copy_operation_id, 'grant', CASE WHEN granted IS NULL THEN 'none' ELSE 'credit' END, product_key, copy_id,
       coalesce(granted, 1), CASE WHEN granted IS NULL THEN 0 ELSE balance + n * granted END, 'bonus', '{}', created_at, created_at
FROM copies ORDER BY seq RETURNING seq`;

/**
 * Grants `count` more batches like this one in one operation, from which nothing was taken yet; each begins and ends `stepS` seconds after the one before. Precondition:
 * the product is owed nothing, and nobody else writes of the customer.
 */
export async function copyBatch(url: string, batchId: string, count: number, stepS = 0): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query(COPIES, [batchId, count, stepS]);
    if (rowCount !== count) throw new Error(`${rowCount} of ${count} batches were made`);
  } finally {
    await client.end();
  }
}
