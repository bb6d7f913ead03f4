// Brings a database to the newest migration of prisma/migrations, and keeps Prisma's own table so that the Prisma CLI agrees.
// Each script runs in one transaction together with its record and the lock: no half-applied state exists, nothing stays on a pooled connection, and
// no CREATE INDEX CONCURRENTLY. What a newer build applied is left alone as long as this one does not misread it.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { StartError } from '../errors/start-error.js';
import { explainConnectionError } from './connection-error.js';
import { connectionOf } from './connection-url.js';
import { isLockTimeout, sqlStateOf } from './errors.js';

export const MIGRATIONS_DIR = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** The key of Prisma's schema engine, so that this and `prisma migrate deploy` exclude each other. */
const PRISMA_MIGRATE_LOCK = 72_707_369;
const ADVISORY_LOCK_TIMEOUT_MS = 60_000;
/** A migration that waits longer for a table lets those behind it pass, and tries again. */
const TABLE_LOCK_TIMEOUT_MS = 5_000;
const TABLE_LOCK_ATTEMPTS_MAX = 12;
const TABLE_LOCK_PAUSE_MS = 500;
const CONNECT_TIMEOUT_MS = 10_000;
const INSUFFICIENT_PRIVILEGE = '42501';

const ENCODING = 'UTF8';
/** Until the transaction ends; a pooler would hand what is set for longer to whoever comes next. */
const SETTINGS = `SET LOCAL TimeZone = 'UTC'; SET LOCAL client_encoding = '${ENCODING}'; SET LOCAL lock_timeout = ${ADVISORY_LOCK_TIMEOUT_MS}`;

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

/** The database has migrations that this build lacks and would misread, or that were never tried with what the database lacks. */
export class NewerDatabaseError extends StartError {
  override readonly name = 'NewerDatabaseError';

  constructor(readonly migrations: readonly string[]) {
    super(
      `the database is from a newer version of Bursar (it has ${migrations.join(', ')}) that this one does not understand: start that version, or use another database`,
    );
  }
}

/** The schema is in use, and not by Bursar. */
class ForeignDatabaseError extends StartError {
  override readonly name = 'ForeignDatabaseError';

  constructor(schema: string, reason: string) {
    super(
      `the schema "${schema}" of the database is neither empty nor Bursar's (${reason}): give Bursar a database of its own; nothing was written`,
    );
  }
}

/** A script that failed; nothing of it is left. */
class MigrationFailedError extends StartError {
  override readonly name = 'MigrationFailedError';

  constructor(migration: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`migration ${migration} failed and was rolled back: ${reason}`, { cause });
  }
}

/** A user that is not the owner of the tables met migrations that are missing, or may not even see which are there. */
class NoRightToMigrateError extends StartError {
  override readonly name = 'NoRightToMigrateError';

  constructor(user: string | undefined, migration: string | undefined, cause: unknown) {
    const lack =
      migration === undefined
        ? `the user ${user} may neither read nor make the table of migrations`
        : `the database lacks the migration ${migration}, which the user ${user} may not apply`;
    super(`${lack}: run "npm run migrate -- --grant-to ${user}" as the owner of the tables`, { cause });
  }
}

export interface MigrationOutcome {
  /** Names of the migrations that this call applied, in order. */
  applied: string[];
  /** Names of applied migrations whose file has changed since. */
  modified: string[];
  /** Names of migrations of a newer build, whose schema this one understands. */
  newer: string[];
}

interface Migration {
  name: string;
  script: string;
  /** sha256 of the file's bytes, as Prisma computes it. */
  checksum: string;
}

/** What the database has, compared with what this build has. */
interface Comparison {
  missing: Migration[];
  modified: string[];
  newer: string[];
}

/**
 * Applies what the database lacks. Any number of processes may call it at once, also through a pooler that lends connections for a transaction: each
 * migration is applied by one of them, the others wait. Locks: Prisma's advisory lock, anew for each migration.
 * Throws: StartError; NewerDatabaseError.
 */
export async function migrate(databaseUrl: string, migrationsDir: string = MIGRATIONS_DIR): Promise<MigrationOutcome> {
  const client = new pg.Client({
    ...connectionOf(databaseUrl),
    application_name: 'bursar-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // a lost connection also fails the statement under way, which is where it is told
  try {
    await client.connect();
    return await applyMissing(client, await readMigrations(migrationsDir));
  } catch (error) {
    throw explainConnectionError(error, databaseUrl);
  } finally {
    await client.end();
  }
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
  const applied: string[] = [];
  for (;;) {
    const { missing, modified, newer } = await applyNext(client, migrations);
    const [next] = missing;
    if (!next) return { applied, modified, newer };
    applied.push(next.name);
  }
}

/** Applies the first that is missing, if one is. Returns what was found before. */
async function applyNext(client: pg.Client, migrations: readonly Migration[]): Promise<Comparison> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryNext(client, migrations);
    } catch (error) {
      const isBusy = error instanceof MigrationFailedError && isLockTimeout(error.cause);
      if (!isBusy || attempt === TABLE_LOCK_ATTEMPTS_MAX) throw error;
      await delay(TABLE_LOCK_PAUSE_MS);
    }
  }
}

async function tryNext(client: pg.Client, migrations: readonly Migration[]): Promise<Comparison> {
  let next: Migration | undefined;
  await client.query('BEGIN ISOLATION LEVEL READ COMMITTED'); // who waited for the lock sees what was applied meanwhile
  try {
    await lockOutOthers(client);
    const comparison = await compare(client, migrations); // under the lock: another process may have applied some meanwhile
    next = comparison.missing[0];
    if (next) await apply(client, next);
    await client.query('COMMIT');
    return comparison;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // a lost connection has rolled back by itself; the first error counts
    if (sqlStateOf(error) === INSUFFICIENT_PRIVILEGE) throw new NoRightToMigrateError(client.user, next?.name, error);
    throw next ? new MigrationFailedError(next.name, error) : error;
  }
}

async function lockOutOthers(client: pg.Client): Promise<void> {
  await client.query(SETTINGS);
  try {
    await client.query('SELECT pg_advisory_xact_lock($1::bigint)', [PRISMA_MIGRATE_LOCK]);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new StartError(
      'another process has been migrating the database for a minute: wait for it, then start again',
      {
        cause: error,
      },
    );
  }
  await client.query(`SET LOCAL lock_timeout = ${TABLE_LOCK_TIMEOUT_MS}`);
}

/** Looks what a start would find, and leaves nothing. Throws: StartError, as a start does. */
export async function compareMigrations(
  client: pg.Client,
  migrationsDir: string = MIGRATIONS_DIR,
): Promise<{ missing: string[]; modified: string[]; newer: string[] }> {
  const migrations = await readMigrations(migrationsDir);
  await client.query('BEGIN');
  try {
    const { missing, ...rest } = await compare(client, migrations);
    return { missing: missing.map(({ name }) => name), ...rest };
  } catch (error) {
    throw sqlStateOf(error) === INSUFFICIENT_PRIVILEGE
      ? new NoRightToMigrateError(client.user, undefined, error)
      : error;
  } finally {
    await client.query('ROLLBACK');
  }
}

async function compare(client: pg.Client, migrations: readonly Migration[]): Promise<Comparison> {
  const known = new Set(migrations.map(({ name }) => name));
  await requireOurs(client, known);
  const recorded = await readRecorded(client);
  const missing = migrations.filter(({ name }) => !recorded.has(name));
  const newer = [...recorded.keys()].filter((name) => !known.has(name));
  const modified = migrations.filter(({ name, checksum }) => (recorded.get(name) ?? checksum) !== checksum);
  if (newer.length > 0) {
    const needed = await readNeeded(client);
    // With some missing as well it comes from another branch: nobody has tried ours on top of its own.
    if (missing.length > 0 || !newer.every((name) => versionOf(name) > needed)) throw new NewerDatabaseError(newer);
  }
  return { missing, modified: modified.map(({ name }) => name), newer };
}

/** What there is in the schema where our tables are, or would be made; what extensions have brought is nobody's. */
const FOREIGN_RELATIONS = `SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relname <> '_prisma_migrations'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY c.relkind <> 'r', 1`;
const FOREIGN_SHOWN = 5;

/**
 * Makes Prisma's table in a schema that is empty. Throws: StartError for one that belongs to somebody else, in which nothing is written: it has tables, and
 * no migration that this build knows.
 */
async function requireOurs(client: pg.Client, known: ReadonlySet<string>): Promise<void> {
  const { rows: found } = await client.query<{ schema: string | null; path: string; encoding: string }>(
    `SELECT current_schema() AS schema, current_setting('search_path') AS path, current_setting('server_encoding') AS encoding`,
  );
  const [{ schema = null, path = '', encoding = '' } = {}] = found;
  if (encoding !== ENCODING) {
    throw new StartError(
      `the database stores text in ${encoding}, not all of what customers write: use one that was created with ENCODING 'UTF8'; nothing was written`,
    );
  }
  if (schema === null) {
    throw new StartError(
      `this user has no schema: of the search_path (${path}) none is there that it may use; create one, or GRANT USAGE ON SCHEMA`,
    );
  }
  // Asked first: an application's role may read the table without the right to create one.
  const hasRecords = await hasTable(client, '_prisma_migrations');
  if (hasRecords) {
    const { rows } = await client.query<{ name: string }>('SELECT migration_name AS name FROM "_prisma_migrations"');
    if (rows.some(({ name }) => known.has(name))) return;
    if (rows.length > 0) throw new ForeignDatabaseError(schema, 'its _prisma_migrations has none of our migrations');
  }
  const { rows: foreign } = await client.query<{ name: string }>(FOREIGN_RELATIONS);
  if (foreign.length > 0) {
    const names = foreign.slice(0, FOREIGN_SHOWN).map(({ name }) => name);
    const rest = foreign.length > FOREIGN_SHOWN ? ` and ${foreign.length - FOREIGN_SHOWN} more` : '';
    throw new ForeignDatabaseError(schema, `it has ${names.join(', ')}${rest}`);
  }
  if (!hasRecords) await client.query(MIGRATIONS_TABLE);
}

/** Checksums of what has been applied, by name. */
async function readRecorded(client: pg.Client): Promise<Map<string, string>> {
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

/** The version up to which a build must have every migration of the database; without the table it must have all. */
async function readNeeded(client: pg.Client): Promise<number> {
  if (!(await hasTable(client, 'schema_compatibility'))) return Number.POSITIVE_INFINITY;
  const { rows } = await client.query<{ needs: string }>('SELECT needs FROM schema_compatibility');
  return Number(rows[0]?.needs ?? Number.POSITIVE_INFINITY);
}

async function hasTable(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ isThere: boolean }>('SELECT to_regclass($1) IS NOT NULL AS "isThere"', [name]);
  return rows[0]?.isThere === true;
}

/** The number with which the name of a migration begins; NaN, which is above nothing, when there is none. */
function versionOf(migration: string): number {
  return Number.parseInt(migration, 10);
}

async function apply(client: pg.Client, { name, script, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await client.query(
    'INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, clock_timestamp())',
    [id, checksum, name],
  );
  await client.query(script);
  await client.query(
    'UPDATE "_prisma_migrations" SET finished_at = clock_timestamp(), applied_steps_count = 1 WHERE id = $1',
    [id],
  );
}
