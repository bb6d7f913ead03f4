// Brings a database to the newest migration of prisma/migrations, and keeps Prisma's own table so that the Prisma CLI agrees.
// Each script runs in one transaction together with its record: no half-applied state exists, and no CREATE INDEX CONCURRENTLY.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { StartError } from '../errors/start-error.js';
import { explainConnectionError } from './connection-error.js';

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** The key of Prisma's schema engine, so that this and `prisma migrate deploy` exclude each other. */
const PRISMA_MIGRATE_LOCK = 72_707_369;
const ADVISORY_LOCK_TIMEOUT_MS = 60_000;
/** A migration that waits longer for a table lets those behind it pass, and tries again. */
const TABLE_LOCK_TIMEOUT_MS = 5_000;
const TABLE_LOCK_ATTEMPTS_MAX = 12;
const TABLE_LOCK_PAUSE_MS = 500;
const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** As Prisma makes it. */
const MIGRATIONS_TABLE = `CREATE TABLE "_prisma_migrations" (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`;

/** The database has migrations that this build lacks. */
export class NewerDatabaseError extends StartError {
  override readonly name = 'NewerDatabaseError';

  constructor(readonly migrations: readonly string[]) {
    super(
      `the database is from a newer version of Bursar (it has ${migrations.join(', ')}): start that version, or use another database`,
    );
  }
}

export interface MigrationOutcome {
  /** Names of the migrations that this call applied, in order. */
  applied: string[];
  /** Names of applied migrations whose file has changed since. */
  modified: string[];
}

interface Migration {
  name: string;
  script: string;
  /** sha256 of the file's bytes, as Prisma computes it. */
  checksum: string;
}

/**
 * Applies what the database lacks. Any number of processes may call it at once: one applies, the others wait.
 * Throws: StartError; NewerDatabaseError.
 */
export async function migrate(databaseUrl: string, migrationsDir: string = MIGRATIONS_DIR): Promise<MigrationOutcome> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    options: '-c TimeZone=UTC',
    application_name: 'bursar-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // a lost connection also fails the statement under way, which is where it is told
  try {
    await client.connect();
    await lockOutOthers(client);
    return await applyMissing(client, await readMigrations(migrationsDir));
  } catch (error) {
    throw explainConnectionError(error, databaseUrl);
  } finally {
    await client.end(); // ends the session, and with it the advisory lock
  }
}

async function lockOutOthers(client: pg.Client): Promise<void> {
  await client.query(`SET lock_timeout = ${ADVISORY_LOCK_TIMEOUT_MS}`);
  try {
    await client.query('SELECT pg_advisory_lock($1::bigint)', [PRISMA_MIGRATE_LOCK]);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new StartError(
      'another process has been migrating the database for a minute: wait for it, then start again',
      {
        cause: error,
      },
    );
  }
  await client.query(`SET lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(dir, name, 'migration.sql'));
      return { name, script: bytes.toString('utf8'), checksum: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

async function applyMissing(client: pg.Client, migrations: readonly Migration[]): Promise<MigrationOutcome> {
  const recorded = await readRecorded(client);
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...recorded.keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) throw new NewerDatabaseError(unknown);

  const outcome: MigrationOutcome = { applied: [], modified: [] };
  for (const migration of migrations) {
    const checksum = recorded.get(migration.name);
    if (checksum === undefined) {
      await applyWithRetry(client, migration);
      outcome.applied.push(migration.name);
    } else if (checksum !== migration.checksum) {
      outcome.modified.push(migration.name);
    }
  }
  return outcome;
}

/** Checksums of what has been applied, by name. */
async function readRecorded(client: pg.Client): Promise<Map<string, string>> {
  // Asked first: an application's role may read the table without the right to create one.
  const { rows: tables } = await client.query<{ name: string | null }>(
    `SELECT to_regclass('"_prisma_migrations"') AS name`,
  );
  if (tables[0]?.name === null) await client.query(MIGRATIONS_TABLE);
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'SELECT migration_name, checksum, finished_at FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at',
  );
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) {
    throw new StartError(
      `migration ${failed.migration_name} has failed before: repair the database, then run "npx prisma migrate resolve"`,
    );
  }
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

async function applyWithRetry(client: pg.Client, migration: Migration): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await apply(client, migration);
      return;
    } catch (error) {
      if (!isLockTimeout(error) || attempt === TABLE_LOCK_ATTEMPTS_MAX) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new StartError(`migration ${migration.name} failed and was rolled back: ${reason}`, { cause: error });
      }
      await delay(TABLE_LOCK_PAUSE_MS);
    }
  }
}

async function apply(client: pg.Client, { name, script, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(script);
    await client.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // a lost connection has rolled back by itself; the first error counts
    throw error;
  }
}

function isLockTimeout(error: unknown): boolean {
  return (error as { code?: string }).code === LOCK_NOT_AVAILABLE;
}
