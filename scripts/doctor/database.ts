// What the doctor looks at in the database: whether it can be reached, its version and settings, migrations, rights, secrets, clocks and what is late. Each look
// is a transaction of its own that is rolled back, so that the guards of a start, which note what they accept, leave nothing.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { pino } from 'pino';
import type { Config, GivenConfig } from '../../src/config.js';
import { createDb, type Db, type Row, type Tx } from '../../src/db/client.js';
import { unreadParameters } from '../../src/db/connection-url.js';
import { listJobs } from '../../src/db/jobs.js';
import { compareMigrations } from '../../src/db/migrate.js';
import { findOldestTransaction } from '../../src/db/oldest-transaction.js';
import { findStanding } from '../../src/db/replication.js';
import { requireRights } from '../../src/db/rights.js';
import { guardSession, wrongSettings } from '../../src/db/session-guard.js';
import { guardSecretKeys } from '../../src/engine/secret-keys.js';
import { StartError } from '../../src/errors/start-error.js';
import { SKEW_MAX_MS, systemClock } from '../../src/lib/clock.js';
import { guardSandbox } from '../../src/services/sandbox.js';
import { guardPeppers } from '../../src/services/secrets.js';
import { connectTo, findDatabase } from '../find-database.js';
import { type Finding, fail, looked, ok, skip, warn } from './finding.js';

const VERSION_TRIED_LEAST = 150_000;
const SKEW_GOOD_MS = 5_000;
const OLD_TRANSACTION_MS = 60_000;
const MS_PER_S = 1_000;
const LOCAL_HOSTS = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|)$/;
/** What takes away that an answer, once given, is not lost. */
const DURABLE: readonly [setting: string, lost: string][] = [
  ['fsync', 'a crash of the machine can destroy the ledger'],
  ['full_page_writes', 'a crash of the machine can destroy pages of the ledger'],
  ['synchronous_commit', 'a crash can lose what callers were told is done'],
];

export async function* examineDatabase(config: GivenConfig): AsyncGenerator<Finding> {
  if (config.databaseUrl === undefined && !existsSync(join(config.dataDir, 'database-url'))) {
    yield skip(
      'database',
      'the embedded Postgres runs only while Bursar does: start it, then run this again to look at it',
    );
    return;
  }
  const found = findDatabase('examine');
  let client: pg.Client;
  try {
    client = await connectTo(found, 'bursar-doctor');
  } catch (error) {
    yield fail('database', error instanceof StartError ? error.message : String(error));
    return;
  }
  try {
    yield* examineServer(client, config, found.url);
    let isComplete = false;
    yield await looked('migrations', async () => {
      const comparison = await compareMigrations(client);
      isComplete = comparison.missing.length === 0;
      return describeMigrations(comparison);
    });
    if (isComplete) yield* examineData(client, config);
    else yield skip('rights, secrets', 'are looked at when the migrations are there');
  } finally {
    await client.end();
  }
}

async function* examineServer(client: pg.Client, config: GivenConfig, url: string): AsyncGenerator<Finding> {
  yield await looked('database', () => examineVersion(client, url));
  const unread = unreadParameters(url);
  if (unread.length > 0) yield warn('database', `DATABASE_URL has parameters that nobody reads: ${unread.join(', ')}`);
  const { hostname, searchParams } = new URL(url);
  const isPlain = ['disable', null].includes(searchParams.get('sslmode'));
  if (isPlain && !LOCAL_HOSTS.test(hostname))
    yield warn('TLS', `nothing is encrypted on the way to ${hostname}: set sslmode=verify-full in DATABASE_URL`);
  yield await looked('session', () => examineSession(url, config));
  for (const [setting, lost] of DURABLE)
    yield await looked(setting, () => examineDurability(client, setting, lost, config.isProduction));
  if (config.replicaUrl !== undefined) yield await looked('replica', () => examineReplica(client, config));
  yield await looked('connections', () => examineConnections(client, config));
  yield await looked('clock', () => examineClock(client));
}

async function examineVersion(client: pg.Client, url: string): Promise<Finding> {
  const { rows } = await client.query<{ version: string; number: number; user: string }>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number, current_user AS user`,
  );
  const [{ version = '', number = 0, user = '' } = {}] = rows;
  const { host, pathname } = new URL(url);
  const told = `PostgreSQL ${version} on ${host}${pathname} as ${user}`;
  return number < VERSION_TRIED_LEAST
    ? warn('database', `${told}: Bursar is tried with 15 and newer, upgrade the server`)
    : ok('database', told);
}

async function examineSession(url: string, { isPrepared }: GivenConfig): Promise<string> {
  const db = createDb(url, pino({ level: 'silent' }), { poolSizeMax: 2, isPrepared });
  try {
    await guardSession(db, url);
  } finally {
    await db.close();
  }
  return isPrepared ? 'has its settings, and keeps statements' : 'has its settings (BURSAR_PREPARED=false)';
}

async function examineReplica(client: pg.Client, { replicaUrl = '', isPrepared }: GivenConfig): Promise<Finding> {
  const standby = createDb(replicaUrl, pino({ level: 'silent' }), { poolSizeMax: 2, isPrepared, isReplica: true });
  const change = 'point BURSAR_REPLICA_URL to a standby of DATABASE_URL';
  try {
    const own = await findStanding(standby);
    const primary = await findStanding(asTx(client));
    if (!own.isStandby) return warn('replica', `is no standby, and is not asked: ${change}`);
    if (own.data !== primary.data)
      return warn('replica', `has other data than the primary, and is not asked: ${change}`);
    const wrong = await wrongSettings(standby);
    if (wrong !== undefined)
      return warn('replica', `its session has ${wrong}, so it is not asked: remove what sets it`);
    return ok('replica', `follows, ${Math.max(0, Number(primary.position) - own.position)} bytes behind`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return warn(
      'replica',
      `does not answer (${why}): the primary answers all reads; start it, or take BURSAR_REPLICA_URL away`,
    );
  } finally {
    await standby.close();
  }
}

async function examineDurability(client: pg.Client, setting: string, lost: string, isProduction: boolean) {
  const { rows } = await client.query<{ value: string }>('SELECT current_setting($1) AS value', [setting]);
  const value = rows[0]?.value ?? '';
  if (value !== 'off') return value;
  return (isProduction ? fail : warn)(setting, `is off, so ${lost}: set ${setting} = on in postgresql.conf`);
}

async function examineConnections(client: pg.Client, { poolSize }: GivenConfig): Promise<Finding> {
  const { rows } = await client.query<{ most: number; used: number }>(
    `SELECT least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
       nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1)) AS most,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS used
     FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`,
  );
  const [{ most = 0, used = 0 } = {}] = rows;
  const told = `BURSAR_POOL_SIZE is ${poolSize}, ${used} of ${most} connections are in use`;
  if (poolSize > most)
    return fail('connections', `${told}: lower it, or raise max_connections or the limit of the role`);
  return most - used < poolSize
    ? warn('connections', `${told}: fewer are left than one more process may open`)
    : ok('connections', told);
}

async function examineClock(client: pg.Client): Promise<Finding> {
  const sentMs = systemClock.now().getTime();
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  const betweenMs = (sentMs + systemClock.now().getTime()) / 2;
  const skewMs = betweenMs - (rows[0]?.now.getTime() ?? betweenMs);
  const told = `this machine is ${(Math.abs(skewMs) / MS_PER_S).toFixed(1)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the database`;
  if (Math.abs(skewMs) > SKEW_MAX_MS)
    return fail('clock', `${told}, and nothing is written by it: set the clocks right (NTP)`);
  return Math.abs(skewMs) > SKEW_GOOD_MS ? warn('clock', `${told}: set the clocks right (NTP)`) : ok('clock', told);
}

function describeMigrations({ missing, modified, newer }: Awaited<ReturnType<typeof compareMigrations>>): Finding {
  if (missing.length > 0) {
    const which = `${missing.length} to apply, from ${missing[0]} on`;
    return warn(
      'migrations',
      `${which}: the next start does, or, where the service does not own the tables, "npm run migrate"`,
    );
  }
  if (modified.length > 0)
    return warn('migrations', `changed after they had been applied: ${modified.join(', ')}; install the version whole`);
  if (newer.length > 0)
    return ok('migrations', `all there, and newer ones that this version can work with: ${newer.join(', ')}`);
  return ok('migrations', 'all there');
}

async function* examineData(client: pg.Client, given: GivenConfig): AsyncGenerator<Finding> {
  yield await looked('rights', () =>
    rolledBack(client, async (db) => {
      await requireRights(db);
      return 'the user has what the service needs';
    }),
  );
  yield* examineSecrets(client, given);
  yield await looked('sandbox', () =>
    rolledBack(client, async (db) => {
      await guardSandbox({ db, config: given as Config });
      return given.isSandbox ? 'may be one' : 'is none';
    }),
  );
  yield await looked('jobs', () => rolledBack(client, examineJobs));
  yield await looked('transactions', () => rolledBack(client, examineTransactions));
}

async function* examineSecrets(client: pg.Client, given: GivenConfig): AsyncGenerator<Finding> {
  const kept = (name: string) => {
    const path = join(given.dataDir, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  };
  const apiToken = given.apiToken ?? kept('api-token');
  yield apiToken === ''
    ? ok('API token', 'none yet: one is generated at the first start')
    : ok('API token', 'there is one');
  const secrets = [
    ['pepper', 'pepper', given.pepper ?? kept('pepper'), guardPeppers],
    ['secret key', 'secretKey', given.secretKey ?? kept('secret-key'), guardSecretKeys],
  ] as const;
  for (const [of, key, value, guard] of secrets) {
    // Where none is there, the start would generate one, which the database does not know either.
    yield await looked(of, () =>
      rolledBack(client, async (db) => {
        await guard({ db, config: { ...given, [key]: value || 'none' } as unknown as Config });
        return value === ''
          ? 'none yet: one is generated at the first start'
          : 'is one that the database knows, or none is needed yet';
      }),
    );
  }
}

async function examineJobs(db: Db): Promise<Finding> {
  const late = (await listJobs(db)).filter(({ isLate }) => isLate).map(({ name }) => name);
  if (late.length === 0) return ok('jobs', 'none is late');
  return warn(
    'jobs',
    `late: ${late.join(', ')}. Is a process of the role all or worker running? See "Processes and jobs" in docs/operations.md`,
  );
}

async function examineTransactions(db: Db): Promise<Finding> {
  const oldest = await findOldestTransaction(db);
  const lastsMs = Number(oldest?.lastsMs ?? 0);
  if (!oldest || lastsMs < OLD_TRANSACTION_MS) return ok('transactions', 'none holds up the feed of events');
  const who = oldest.pid === null ? 'a prepared transaction' : `the transaction of process ${oldest.pid}`;
  return warn(
    'transactions',
    `${who} holds up the feed of events for ${Math.round(lastsMs / MS_PER_S)} s: end it, see pg_stat_activity`,
  );
}

function asTx(client: pg.Client): Tx {
  return {
    query: async <R extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await client.query<R>(sql, [...parameters])).rows,
  };
}

/** Works in a transaction that is rolled back. */
async function rolledBack<T>(client: pg.Client, work: (db: Db) => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  try {
    return await work(asTx(client) as Db);
  } finally {
    await client.query('ROLLBACK');
  }
}
