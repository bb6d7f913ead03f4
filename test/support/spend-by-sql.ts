// Takes units as another process would, in a transaction that a test holds: by plain SQL that leaves the ledger consistent (I1, I2, I3, I9),
// so that the audit after the test holds too.
import { randomUUID } from 'node:crypto';
import type { HeldTransaction } from './parallel.js';

/** Precondition: the transaction holds the customer's lock, and the batch is the only one of its product that is taken from. */
export async function spendBySql(
  held: HeldTransaction,
  spending: { customerId: string; batchId: string; amount: number; at: Date },
): Promise<void> {
  const { customerId, batchId, amount, at } = spending;
  const operationId = randomUUID();
  const run = (sql: string, ...parameters: unknown[]) => held.query(sql, [customerId, ...parameters]);
  await run(
    `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
     SELECT id, $2, 'quota.consume', 'test', $3, next_seq, next_seq FROM customers WHERE id = $1`,
    operationId,
    at,
  );
  await run(
    'UPDATE batches SET available = available - $3, consumed = consumed + $3 WHERE customer_id = $1 AND id = $2',
    batchId,
    amount,
  );
  await run(
    `UPDATE balances SET available = available - $3
     WHERE customer_id = $1 AND product_key = (SELECT product_key FROM batches WHERE customer_id = $1 AND id = $2)`,
    batchId,
    amount,
  );
  await run(
    `INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after,
                          action_type, metadata, recorded_at, occurred_at)
     SELECT c.id, c.next_seq, gen_random_uuid(), $3, 'consume', 'debit', a.product_key, $2, $4, a.available, 'usage', '{}', $5, $5
     FROM customers c
     JOIN batches b ON b.customer_id = c.id AND b.id = $2
     JOIN balances a ON a.customer_id = c.id AND a.product_key = b.product_key
     WHERE c.id = $1`,
    batchId,
    operationId,
    amount,
    at,
  );
  await run(
    `INSERT INTO events (customer_id, number, id, type, schema_version, subject_id, operation_id, data, recorded_at)
     SELECT e.customer_id, c.next_event, gen_random_uuid(), 'quota.exhausted', 1, e.id, e.operation_id, '{}', e.recorded_at
     FROM entries e JOIN customers c ON c.id = e.customer_id WHERE e.customer_id = $1 AND e.operation_id = $2 AND e.balance_after = 0`,
    operationId,
  );
  await run(
    'UPDATE customers SET next_seq = next_seq + 1, next_event = (SELECT coalesce(max(number), 1) + 1 FROM events WHERE customer_id = $1), last_recorded_at = greatest(last_recorded_at, $2) WHERE id = $1',
    at,
  );
}
