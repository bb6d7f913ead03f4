// The process: reads the environment, opens what a running Bursar needs, listens, and closes everything again.
// The only file that reads process.env and the only one that exits. Decides nothing about billing.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { buildApp } from './app.js';
import { type Config, type GivenConfig, readConfig } from './config.js';
import { createDb, type Db } from './db/client.js';
import { unreadParameters } from './db/connection-url.js';
import { errorForLog, messageForLog } from './db/errors-for-log.js';
import { migrate } from './db/migrate.js';
import { requireRights } from './db/rights.js';
import { findSandboxInstant } from './db/sandbox-clock.js';
import { guardSession } from './db/session-guard.js';
import { startEmbeddedPostgres } from './embedded/embedded-postgres.js';
import { holdDataFolder } from './embedded/folder-lock.js';
import { createOver } from './engine/create.js';
import { guardPlaces } from './engine/horizon.js';
import { guardSecretKeys } from './engine/secret-keys.js';
import { AppError } from './errors/app-error.js';
import { StartError } from './errors/start-error.js';
import { jobs } from './jobs/list.js';
import { announceJobs, startJobs } from './jobs/run-jobs.js';
import { sandboxClock, systemClock } from './lib/clock.js';
import { uuidIds } from './lib/ids.js';
import { createMetrics } from './lib/metrics.js';
import type { Tracer } from './lib/otlp.js';
import { createTurns } from './lib/turns.js';
import { formatBanner } from './process/banner.js';
import { findCommit } from './process/build-commit.js';
import { Closers } from './process/closers.js';
import { makeDataFolder } from './process/data-folder.js';
import { Drain } from './process/drain.js';
import { readEnvFile } from './process/env-file.js';
import { listen } from './process/listen.js';
import { redactor } from './process/redact.js';
import { readSecretFiles } from './process/secret-files.js';
import { keepSecret, writeForOwner } from './process/secrets.js';
import { writeShellFile } from './process/shell-file.js';
import { listenForStop, type StopRequest, StopRequested } from './process/stop-request.js';
import { fillEmptyCatalogue } from './services/catalog.js';
import { demoCatalogue } from './services/demo-catalogue.js';
import { guardSandbox } from './services/sandbox.js';
import { guardPeppers } from './services/secrets.js';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));

/** A signal of the terminal comes from `npm start` as well, which passes on what it gets. */
const SIGNAL_COPIES = process.env.npm_lifecycle_event === 'start' ? 2 : 1;

const closers = new Closers();
const drain = new Drain();
let log: Logger | undefined;

process.exit(await run());

/** Runs until asked to stop, and returns the exit code. */
async function run(): Promise<number> {
  const stop = listenForStop(hurry, { copies: SIGNAL_COPIES });
  let hasFailed = false;
  try {
    const { drainMs, role } = await start(stop);
    await stop.requested;
    log?.info('stopping');
    await drain.wait(role === 'worker' ? 0 : drainMs); // a worker has no requests
    stop.check();
  } catch (error) {
    hasFailed = !(error instanceof StopRequested);
    if (hasFailed) report(error);
  }
  const sinceMs = performance.now();
  const isClean = await closers.closeAll(log);
  log?.info({ duration_ms: Math.round(performance.now() - sinceMs), is_clean: isClean }, 'stopped');
  return hasFailed || !isClean ? 1 : 0;
}

/** At a signal of somebody who lost patience. An embedded Postgres left so is taken over by the next start. */
function hurry(): void {
  if (!drain.cut()) process.exit(1);
}

async function start(stop: StopRequest): Promise<Config> {
  const { config: given, warnings } = readConfig(
    readSecretFiles({ ...readEnvFile(PROJECT_DIR), ...process.env }),
    PROJECT_DIR,
  );
  log = createLogger(given);
  for (const warning of warnings) log.warn(warning);
  const unread = given.databaseUrl === undefined ? [] : unreadParameters(given.databaseUrl);
  if (unread.length > 0) log.warn({ parameters: unread }, 'unknown parameters of DATABASE_URL are ignored');

  const databaseUrl = given.databaseUrl ?? (await openEmbedded(given, log, stop));
  stop.check();
  const db = createDb(databaseUrl, log, { poolSizeMax: given.poolSize, isPrepared: given.isPrepared });
  closers.add('the database connections', () => db.close());
  await guardSession(db, databaseUrl);
  stop.check();
  await migrateDatabase(databaseUrl, log);
  stop.check();
  await requireRights(db);

  const config = complete(given);
  await guardPeppers({ db, config });
  await guardSecretKeys({ db, config });
  await guardPlaces({ db });
  await guardSandbox({ db, config });
  if (config.isSandbox)
    log.warn('SANDBOX: the clock can be set by hand, and what is recorded says nothing of real time');
  const clock = config.isSandbox ? sandboxClock(() => findSandboxInstant(db)) : systemClock;
  const foundations = { db, clock, ids: uuidIds, config, log, turns: createTurns(), metrics: createMetrics() };
  const copy = given.replicaUrl === undefined ? undefined : openReplica(given.replicaUrl, given, log);
  const deps = createOver(foundations, { copy });
  closers.add('the watch of the replica', async () => deps.replica.end());
  const isDemoLoaded = config.isProduction ? false : await fillEmptyCatalogue(deps, demoCatalogue);
  if (config.role === 'api') await announceJobs(deps, jobs);
  else {
    const running = await startJobs(deps, jobs);
    closers.add('the background work', () => running.stop());
  }
  const tracer = config.tracing && (await openTracer(config.tracing, log));
  const app = await buildApp(deps, {
    isStopping: () => drain.hasBegun,
    commit: findCommit(PROJECT_DIR),
    ...(tracer && { tracer }),
  });
  closers.add('the HTTP server', () => app.close());
  stop.check();
  const url = await listen(app, config.host, config.port);
  if (!config.isProduction) greet(config, { url, isEmbedded: given.databaseUrl === undefined, isDemoLoaded });
  return config;
}

/** A standby for reads that may lag. One that can't be reached keeps nothing from starting. */
function openReplica(url: string, { poolSize, isPrepared }: GivenConfig, logger: Logger): Db {
  const copy = createDb(url, logger, { poolSizeMax: poolSize, isPrepared, isReplica: true });
  closers.add('the connections to the replica', () => copy.close());
  return copy;
}

/** What sends spans is loaded only where it is used. */
async function openTracer(tracing: NonNullable<Config['tracing']>, logger: Logger): Promise<Tracer> {
  const { createTracer } = await import('./lib/otlp.js');
  const tracer = createTracer(tracing, logger);
  closers.add('the spans', () => tracer.end());
  return tracer;
}

/** Says where the service is and how it is reached, on the terminal and in a file. */
function greet(config: Config, facts: { url: string; isEmbedded: boolean; isDemoLoaded: boolean }): void {
  const { apiToken, dataDir, docs, role } = config;
  const shellFile = role === 'worker' ? undefined : offerToShells(dataDir, { url: facts.url, apiToken });
  const hasFolder = facts.isEmbedded || existsSync(dataDir);
  process.stdout.write(
    formatBanner({
      ...facts,
      apiToken,
      dataDir: hasFolder ? dataDir : undefined,
      shellFile,
      hasReference: docs !== 'off',
    }),
  );
}

/** Without the file everything works but what reads it. */
function offerToShells(dataDir: string, access: { url: string; apiToken: string }): string | undefined {
  try {
    makeDataFolder(dataDir);
    const file = writeShellFile(dataDir, access);
    closers.add('the file for shells', async () => file.remove());
    return file.path;
  } catch (error) {
    log?.warn({ err: error }, 'no shell can read from the data folder where the service is');
    return undefined;
  }
}

function createLogger({ logLevel, apiToken, pepper, secretKey, metricsToken, payments }: GivenConfig): Logger {
  const { stripe, telegram, yookassa } = payments;
  const ofProviders = [
    ...[...(stripe?.webhookSecrets ?? []), ...(telegram?.secretTokens ?? [])],
    ...[stripe?.secretKey, yookassa?.secretKey],
  ];
  return pino({
    hooks: { streamWrite: redactor([apiToken, pepper, secretKey, metricsToken, ...ofProviders]) },
    name: 'bursar',
    level: logLevel,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorForLog },
  });
}

/** Starts the embedded Postgres of the data folder, which is held until the end, and returns its URL. Without it the process ends. */
async function openEmbedded({ dataDir }: GivenConfig, logger: Logger, stop: StopRequest): Promise<string> {
  makeDataFolder(dataDir);
  closers.add('the data folder', await holdDataFolder(dataDir));
  const server = await startEmbeddedPostgres(dataDir);
  server.onLost((error) => stop.fail(error));
  closers.add('the embedded Postgres', () => server.stop());
  logger.info({ serverDir: server.serverDir }, 'embedded Postgres is running');
  const urlFile = join(dataDir, 'database-url');
  writeForOwner(urlFile, `${server.url}\n`);
  closers.add('the file database-url', async () => rmSync(urlFile, { force: true }));
  return server.url;
}

async function migrateDatabase(databaseUrl: string, logger: Logger): Promise<void> {
  const { applied, modified, newer } = await migrate(databaseUrl);
  if (applied.length > 0) logger.info({ migrations: applied }, 'database migrated');
  if (newer.length > 0)
    logger.warn({ migrations: newer }, 'the database is from a newer version, which this one can read');
  if (modified.length > 0) logger.warn({ migrations: modified }, 'migrations were changed after they had been applied');
}

/** Adds what was not given: the secrets kept in the data folder. In production they are always given. */
function complete({ databaseUrl: _database, replicaUrl: _replica, ...given }: GivenConfig): Config {
  const secrets = [given.apiToken, given.pepper, given.secretKey];
  if (secrets.includes(undefined)) makeDataFolder(given.dataDir);
  return Object.freeze({
    ...given,
    apiToken: given.apiToken ?? keepSecret(given.dataDir, 'api-token'),
    pepper: given.pepper ?? keepSecret(given.dataDir, 'pepper'),
    secretKey: given.secretKey ?? keepSecret(given.dataDir, 'secret-key'),
  });
}

/** Says why there is no service: one line that the reader can act on; the stack of what is our fault goes to the log. */
function report(error: unknown): void {
  if (error instanceof StartError || error instanceof AppError) {
    process.stderr.write(`bursar: ${error.message}\n`);
    return;
  }
  log?.fatal({ err: error }, 'unexpected failure');
  process.stderr.write(`bursar: unexpected failure: ${messageForLog(error)}\n`);
}
