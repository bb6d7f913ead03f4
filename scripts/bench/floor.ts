// The floor: a minimal consume transaction of six statements, written by hand, in a schema of its own. Run by pgbench; where there is none by the
// bare driver, which is slower, so that no target is compared with it.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { makeFolder, withClient } from './processes.js';
import { createRandom, percentile, sorted, uniform } from './statistics.js';

const run = promisify(execFile);
const PGBENCH_THREADS = 2;
const LATENCY_FIELD = 2;

/** The customer's number is :c. BEGIN counts as none of the six. */
const STATEMENTS = [
  'SELECT id FROM floor.customers WHERE id = :c FOR NO KEY UPDATE',
  'SELECT id, available FROM floor.batches WHERE customer_id = :c AND available > 0 ORDER BY id LIMIT 1',
  'UPDATE floor.batches SET available = available - 1 WHERE customer_id = :c',
  'UPDATE floor.customers SET available = available - 1 WHERE id = :c',
  `INSERT INTO floor.entries (customer_id, kind, amount, recorded_at) VALUES (:c, 'consume', 1, now())`,
  'COMMIT',
] as const;

export interface FloorOutcome {
  perS: number;
  /** Of one transaction, ms. */
  p50: number;
}

export interface Floor {
  name: 'pgbench' | 'driver';
  /** Runs the transaction in a loop on each connection; customers are chosen among `customers`. */
  measure(options: { connections: number; customers: number; seconds: number }): Promise<FloorOutcome>;
}

/** Makes the floor's tables and finds out who runs it. */
export async function prepareFloor(databaseUrl: string, customers: number): Promise<Floor> {
  await withClient(databaseUrl, (client) =>
    client.query(`
      CREATE SCHEMA floor;
      CREATE TABLE floor.customers (id int PRIMARY KEY, available bigint NOT NULL) WITH (fillfactor = 80);
      CREATE TABLE floor.batches (id int PRIMARY KEY, customer_id int NOT NULL, available bigint NOT NULL) WITH (fillfactor = 80);
      CREATE INDEX ON floor.batches (customer_id);
      CREATE TABLE floor.entries (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int NOT NULL, kind text NOT NULL,
                                  amount bigint NOT NULL, recorded_at timestamptz NOT NULL);
      INSERT INTO floor.customers SELECT n, 1000000000 FROM generate_series(1, ${customers}) AS n;
      INSERT INTO floor.batches SELECT n, n, 1000000000 FROM generate_series(1, ${customers}) AS n`),
  );
  return (await hasPgbench()) ? pgbenchFloor(databaseUrl) : driverFloor(databaseUrl);
}

async function hasPgbench(): Promise<boolean> {
  try {
    await run('pgbench', ['--version']);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return false;
    throw error;
  }
}

function pgbenchFloor(databaseUrl: string): Floor {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const folder = makeFolder();
  return {
    name: 'pgbench',
    measure: async ({ connections, customers, seconds }) => {
      const script = join(folder, `floor-${customers}.sql`);
      const transaction = ['BEGIN', ...STATEMENTS].map((statement) => `${statement};`);
      writeFileSync(script, [`\\set c random(1, ${customers})`, ...transaction, ''].join('\n'));
      const { stdout } = await run(
        'pgbench',
        [
          ...['-h', hostname, '-p', port, '-U', username, '-n', '-M', 'prepared', '-f', script],
          ...['-c', String(connections), '-j', String(Math.min(connections, PGBENCH_THREADS)), '-T', String(seconds)],
          ...['-l', '--log-prefix', join(folder, 'log'), pathname.slice(1)],
        ],
        { env: { ...process.env, PGPASSWORD: password } },
      );
      const perS = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
      if (!(perS > 0)) throw new Error(`pgbench said nothing of its speed: ${stdout}`);
      return { perS, p50: readMedianLatencyMs(folder) };
    },
  };
}

/** Reads and removes pgbench's logs, whose lines hold the latency in microseconds. */
function readMedianLatencyMs(folder: string): number {
  const latencies: number[] = [];
  for (const name of readdirSync(folder).filter((file) => file.startsWith('log'))) {
    for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (line !== '') latencies.push(Number(line.split(' ')[LATENCY_FIELD]) / 1_000);
    }
    rmSync(join(folder, name));
  }
  return percentile(sorted(latencies), 0.5);
}

function driverFloor(databaseUrl: string): Floor {
  return {
    name: 'driver',
    measure: async ({ connections, customers, seconds }) => {
      const choose = uniform(customers, createRandom(connections));
      const latencies: number[] = [];
      const endMs = performance.now() + seconds * 1_000;
      const loop = async (): Promise<void> => {
        const client = new pg.Client({ connectionString: databaseUrl });
        await client.connect();
        try {
          for (let startMs = performance.now(); startMs < endMs; startMs = performance.now()) {
            await consumeByHand(client, choose());
            latencies.push(performance.now() - startMs);
          }
        } finally {
          await client.end();
        }
      };
      await Promise.all(Array.from({ length: connections }, loop));
      return { perS: latencies.length / seconds, p50: percentile(sorted(latencies), 0.5) };
    },
  };
}

async function consumeByHand(client: pg.Client, customer: number): Promise<void> {
  await client.query('BEGIN');
  for (const [at, statement] of STATEMENTS.entries()) {
    const text = statement.replaceAll(':c', '$1');
    await client.query(text === statement ? { text } : { name: `floor_${at}`, text, values: [customer] });
  }
}
