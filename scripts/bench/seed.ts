// Fills a database by plain SQL with what the service itself would have written: grants, consumes, their operations, balances. Verify finds no
// difference in it.
import type pg from 'pg';
import { PRODUCT_KEY, SKU } from './job.js';

/** Units that a customer starts with; no run uses them up. */
const UNITS = 1_000_000_000;

/** Before names were a foreign key a trigger claimed them. */
const CATALOGUE = `
INSERT INTO catalog_names (name, kind) SELECT * FROM (VALUES ('${PRODUCT_KEY}', 'product'), ('${SKU}', 'offer')) AS n
WHERE to_regproc('catalog_claim_name') IS NULL;
INSERT INTO products (product_key, name, type, created_at, updated_at)
VALUES ('${PRODUCT_KEY}', 'Bench units', 'quantity', now(), now());
INSERT INTO offers (sku, name, price, currency, created_at, updated_at)
VALUES ('${SKU}', 'A pack', 1, 'USD', now(), now());
INSERT INTO offer_items (sku, position, product_key, quantity, period_unit, priority, stacking)
VALUES ('${SKU}', 0, '${PRODUCT_KEY}', 100, 'forever', 0, 'parallel')`;

/** $1 prefix, $2 customers, $3 past consumes of each. Rows lie on disk in the order in which they would have come, customers interleaved. */
const CUSTOMERS = [
  `CREATE TEMP TABLE seed AS
   SELECT n, $1::text || n AS name, uuidv7() AS customer_id, uuidv7() AS operation_id, uuidv7() AS batch_id, $3::bigint AS uses,
          date_trunc('milliseconds', now()) - interval '1 day' AS at
   FROM generate_series(1, $2::int) AS n`,
  `INSERT INTO customers (id, next_seq, last_recorded_at, created_at)
   SELECT customer_id, uses + 2, at + uses * interval '1 millisecond', at FROM seed`,
  `INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at)
   SELECT 'default', name, uuidv7(), customer_id, at, at FROM seed`,
  `INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
   SELECT customer_id, operation_id, 'grant', 'bootstrap', at, 1, 1 FROM seed`,
  `INSERT INTO batches (customer_id, id, product_key, source, operation_id, granted, available, held, consumed, expired, revoked, transferred,
                        priority, valid_from, created_at)
   SELECT customer_id, batch_id, '${PRODUCT_KEY}', 'bonus', operation_id, ${UNITS}, ${UNITS} - uses, 0, uses, 0, 0, 0, 0, at, at FROM seed`,
  `INSERT INTO balances (customer_id, product_key, available, held, owed)
   SELECT customer_id, '${PRODUCT_KEY}', ${UNITS} - uses, 0, 0 FROM seed`,
  `INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, recorded_at, occurred_at)
   SELECT customer_id, 1, uuidv7(), operation_id, 'grant', 'credit', '${PRODUCT_KEY}', batch_id, ${UNITS}, ${UNITS}, at, at FROM seed`,
] as const;

/** $1 the number of the past consume. */
const USES = `
WITH use AS MATERIALIZED (
  SELECT customer_id, batch_id, uuidv7() AS operation_id, at + $1::bigint * interval '1 millisecond' AS at FROM seed
), operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, recorded_at, first_seq, last_seq)
  SELECT customer_id, operation_id, 'quota.consume', 'bootstrap', at, $1::bigint + 1, $1::bigint + 1 FROM use
)
INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata,
                     recorded_at, occurred_at)
SELECT customer_id, $1::bigint + 1, uuidv7(), operation_id, 'consume', 'debit', '${PRODUCT_KEY}', batch_id, 1, ${UNITS} - $1::bigint, 'predict', '{}',
       at, at FROM use`;

/** Makes the one product and its offer. */
export async function seedCatalogue(client: pg.Client): Promise<void> {
  await client.query(CATALOGUE);
}

/** Makes customers `<prefix>1` to `<prefix><count>`, each with one batch and `uses` consumes behind it. */
export async function seedCustomers(client: pg.Client, prefix: string, count: number, uses = 0): Promise<void> {
  const [createSeed, ...inserts] = CUSTOMERS;
  await client.query(
    createSeed.replace('$1', client.escapeLiteral(prefix)).replace('$2', String(count)).replace('$3', String(uses)),
  );
  for (const insert of inserts) await client.query(insert);
  for (let use = 1; use <= uses; use += 1) await client.query(USES, [use]);
  await client.query('DROP TABLE seed');
}

/** What a customer's other batches are: used up, usable before the one that is left, or expired but not settled yet. */
export type BatchState = 'exhausted' | 'live' | 'due';

const statesAt = {
  exhausted: { granted: 1, consumed: 1, expires: 'NULL::timestamptz' },
  live: { granted: 1_000_000, consumed: 0, expires: `date_trunc('milliseconds', now()) + interval '1 year'` },
  due: { granted: 1, consumed: 0, expires: `date_trunc('milliseconds', now()) - interval '1 hour'` },
} as const;

/** Gives the customer `<prefix>1`, made here, `count` batches more in one state. */
export async function seedBatches(client: pg.Client, prefix: string, state: BatchState, count: number): Promise<void> {
  await seedCustomers(client, prefix, 1);
  const { granted, consumed, expires } = statesAt[state];
  await client.query(
    `CREATE TEMP TABLE seed AS
     SELECT n, i.customer_id, uuidv7() AS batch_id, o.id AS operation_id, o.recorded_at AS at
     FROM identities i JOIN operations o USING (customer_id) CROSS JOIN generate_series(1, ${count}) AS n
     WHERE i.external_id = ${client.escapeLiteral(`${prefix}1`)}`,
  );
  await client.query(
    `INSERT INTO batches (customer_id, id, product_key, source, operation_id, granted, available, held, consumed, expired, revoked, transferred,
                          priority, valid_from, expires_at, created_at)
     SELECT customer_id, batch_id, '${PRODUCT_KEY}', 'bonus', operation_id, ${granted}, ${granted - consumed}, 0, ${consumed}, 0, 0, 0, 0, at,
            ${expires}, at FROM seed`,
  );
  await client.query(
    `INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, recorded_at, occurred_at)
     SELECT customer_id, n + 1, uuidv7(), operation_id, 'grant', 'credit', '${PRODUCT_KEY}', batch_id, ${granted}, ${UNITS} + n * ${granted}::bigint,
            at, at FROM seed`,
  );
  if (consumed > 0) {
    await client.query(
      `INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata,
                            recorded_at, occurred_at)
       SELECT customer_id, ${count} + n + 1, uuidv7(), operation_id, 'consume', 'debit', '${PRODUCT_KEY}', batch_id, ${consumed},
              ${UNITS} + ${count * granted}::bigint - n * ${consumed}, 'predict', '{}', at, at FROM seed`,
    );
  }
  const entries = consumed > 0 ? 2 * count : count;
  await client.query(
    `UPDATE customers SET next_seq = next_seq + ${entries} WHERE id = (SELECT customer_id FROM seed LIMIT 1)`,
  );
  await client.query(
    `UPDATE operations SET last_seq = last_seq + ${entries} WHERE customer_id = (SELECT customer_id FROM seed LIMIT 1)`,
  );
  await client.query(
    `UPDATE balances SET available = available + ${count * (granted - consumed)}::bigint WHERE customer_id = (SELECT customer_id FROM seed LIMIT 1)`,
  );
  await client.query('DROP TABLE seed');
}

/** Brings the statistics up to date and the dirty pages to disk, so that no side pays for the seeding. */
export async function settleDatabase(client: pg.Client): Promise<void> {
  // What is filled in by SQL tells nothing.
  // A build of before there were events has no log of them.
  const { rows } = await client.query(`SELECT to_regclass('event_log') IS NOT NULL AS has_log`);
  if (rows[0]?.has_log) await client.query('UPDATE event_log SET told_since = clock_timestamp()');
  await client.query('VACUUM (ANALYZE)');
  await client.query('CHECKPOINT');
}
