// What an upgrade costs whoever has a large database: how long each migration that is newer than the newest fixture takes on many keyed operations,
// and how long verify takes afterwards. The seed writes only columns that the fixture's version has.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { checkInvariants, describeDifference } from '../../src/db/invariants/audit.js';
import { MIGRATIONS_DIR, migrate } from '../../src/db/migrate.js';
import { required } from '../../src/lib/assert.js';
import { readFixtures, versionOf } from '../../test/support/recorded.js';
import { PRODUCT_KEY, SKU } from './job.js';
import { makeFolder, startServer, withClient } from './processes.js';
import { printTable, wholeNumber } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';

const CUSTOMERS = 10_000;
const PREFIX = 'upgraded-';
/** One operation in so many places an order; the others use a unit. */
const ORDER_EVERY = 10;
const MIB = 1_024 * 1_024;

/** A use of each customer. $1 the number of the round, $2 how many uses there were before. */
const USES = `
WITH use AS MATERIALIZED (
  SELECT customer_id, batch_id, units - $2::bigint - 1 AS remaining, uuidv7() AS operation_id, uuidv7() AS entry_id,
         at + $1::bigint * interval '1 millisecond' AS at
  FROM seed
), operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at,
                          first_seq, last_seq)
  SELECT customer_id, operation_id, 'quota.consume', 'bootstrap', 'upgrade-' || $1::bigint, encode(sha256(operation_id::text::bytea), 'hex'), 1, 200,
         format('{"allowed":true,"operation_id":"%s","usage_id":"%s","product_key":"${PRODUCT_KEY}","amount":1,"remaining":%s,'
                '"taken":[{"batch_id":"%s","product_key":"${PRODUCT_KEY}","amount":1}],"warnings":[],"metadata":{}}',
                operation_id, entry_id, remaining, batch_id),
         at, $2::bigint + 2, $2::bigint + 2
  FROM use
)
INSERT INTO entries (customer_id, seq, id, operation_id, kind, direction, product_key, batch_id, amount, balance_after, action_type, metadata,
                     recorded_at, occurred_at)
SELECT customer_id, $2::bigint + 2, entry_id, operation_id, 'consume', 'debit', '${PRODUCT_KEY}', batch_id, 1, remaining, 'predict', '{}', at, at
FROM use`;

/** A pending order of each customer, every second one past its end. $1 the number of the round. */
const ORDERS = `
WITH bought AS MATERIALIZED (
  SELECT n, customer_id, uuidv7() AS operation_id, uuidv7() AS order_id, uuidv7() AS item_id, at + $1::bigint * interval '1 millisecond' AS at
  FROM seed
), operation AS (
  INSERT INTO operations (customer_id, id, name, acting_key, idempotency_key, request_hash, request_hash_version, status, answer, recorded_at)
  SELECT customer_id, operation_id, 'order.create', 'bootstrap', 'upgrade-' || $1::bigint, encode(sha256(operation_id::text::bytea), 'hex'), 1, 201,
         format('{"id":"%s","customer_id":"%s","status":"pending","currency":"USD","total_amount":"1.00","payment_method":null,"payment_id":null,'
                '"paid_at":null,"refunded_amount":"0.00","items":[{"id":"%s","sku":"${SKU}","name":"A pack","quantity":1,"price":"1.00"}],"metadata":{}}',
                order_id, customer_id, item_id),
         at
  FROM bought
), placed AS (
  INSERT INTO orders (customer_id, id, status, currency, total_amount, expires_at, created_at)
  SELECT customer_id, order_id, 'pending', 'USD', 1, at + CASE WHEN n % 2 = 0 THEN interval '1 hour' ELSE interval '30 days' END, at FROM bought
)
INSERT INTO order_items (customer_id, id, order_id, position, sku, name, quantity, price, terms)
SELECT customer_id, item_id, order_id, 0, '${SKU}', 'A pack', 1, 1,
       '[{"productKey": "${PRODUCT_KEY}", "productType": "quantity", "quantity": 100, "periodUnit": "forever", "periodValue": null, "priority": 0,
          "stacking": "parallel"}]'
FROM bought`;

/** What the rounds leave of batches, balances and customers. */
const sumsOf = (rounds: number, uses: number) => [
  `UPDATE batches b SET available = b.available - ${uses}, consumed = b.consumed + ${uses} FROM seed s
   WHERE b.customer_id = s.customer_id AND b.id = s.batch_id`,
  `UPDATE balances b SET available = b.available - ${uses} FROM seed s WHERE b.customer_id = s.customer_id`,
  `UPDATE customers c SET next_seq = c.next_seq + ${uses}, last_recorded_at = c.last_recorded_at + ${rounds} * interval '1 millisecond'
   FROM seed s WHERE c.id = s.customer_id`,
];

/**
 * Seeds a database of the newest fixture's version, migrates it to the newest of `migrationsDir` and prints the times.
 * Throws when an invariant does not hold afterwards.
 */
export async function measureUpgrade(operations: number, migrationsDir: string = MIGRATIONS_DIR): Promise<void> {
  const version = required(readFixtures().at(-1), 'there is a fixture').version;
  const server = await startServer();
  const url = await server.createDatabase('bench_upgrade', copyMigrations(migrationsDir, version));
  await withClient(url, async (client) => {
    const rounds = Math.max(1, Math.round(operations / CUSTOMERS));
    const [seedMs] = await timed(() => seed(client, rounds));
    const before = await sizeOf(client);
    process.stderr.write(`${wholeNumber(rounds * CUSTOMERS)} keyed operations seeded in ${seconds(seedMs)} s\n`);

    const [migrateMs, { applied }] = await timed(() => migrate(url, migrationsDir));
    const steps = await readTimes(client, applied);
    const grown = (await sizeOf(client)) - before;
    const [verifyMs, { ok, checked, differences }] = await timed(() => checkInvariants(client));

    const { operations: count = 0, entries = 0, orders = 0 } = checked;
    printTable(
      `Upgrade from ${version}: ${wholeNumber(count)} operations, ${wholeNumber(entries)} entries, ${wholeNumber(orders)} orders, ` +
        `${wholeNumber(before / MIB)} MiB`,
      ['step', 's'],
      [
        ...steps.map(({ name, ms }) => [name, seconds(ms)]),
        [`all ${applied.length} migrations, with start and commit`, seconds(migrateMs)],
        ['verify', seconds(verifyMs)],
      ],
    );
    console.log(`\nthe migrations let the database grow by ${wholeNumber(grown / MIB)} MiB`);
    if (!ok) throw new Error(differences.map(describeDifference).join('\n'));
  });
}

/** The migrations up to a version, in a folder of this run. */
function copyMigrations(migrationsDir: string, version: string): string {
  const dir = makeFolder();
  const entries = readdirSync(migrationsDir, { withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isDirectory() || versionOf(entry.name) > version) continue;
    cpSync(join(migrationsDir, entry.name), join(dir, entry.name), { recursive: true });
  }
  return dir;
}

async function seed(client: pg.Client, rounds: number): Promise<void> {
  await seedCatalogue(client);
  await seedCustomers(client, PREFIX, CUSTOMERS);
  await client.query(
    `CREATE TEMP TABLE seed AS
     SELECT row_number() OVER (ORDER BY i.id) AS n, i.customer_id, b.id AS batch_id, b.available AS units, b.created_at AS at
     FROM identities i JOIN batches b USING (customer_id) WHERE starts_with(i.external_id, '${PREFIX}')`,
  );
  let uses = 0;
  for (let round = 1; round <= rounds; round += 1) {
    if (round % ORDER_EVERY === 0) await client.query(ORDERS, [round]);
    else {
      await client.query(USES, [round, uses]);
      uses += 1;
    }
  }
  for (const sum of sumsOf(rounds, uses)) await client.query(sum);
  await settleDatabase(client);
}

/** How long each of these migrations took, as the migrator recorded it. */
async function readTimes(client: pg.Client, names: readonly string[]): Promise<{ name: string; ms: number }[]> {
  const { rows } = await client.query<{ name: string; ms: number }>(
    `SELECT migration_name AS name, (extract(epoch FROM finished_at - started_at) * 1000)::float8 AS ms
     FROM "_prisma_migrations" WHERE migration_name = ANY ($1) ORDER BY migration_name`,
    [names],
  );
  return rows;
}

async function sizeOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes');
  return Number(rows[0]?.bytes);
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const startMs = performance.now();
  const result = await work();
  return [performance.now() - startMs, result];
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(2);
}
