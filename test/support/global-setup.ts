// Runs once before all test files: a throw-away Postgres (or the server of TEST_DATABASE_URL), and in it the migrated template
// that every file clones. When a clone was kept after a failure the server stays with it until the next run (never where CI is set).
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.js';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { isProcessAlive } from './process-alive.js';
import { query } from './sql.js';

const CONNECTIONS_MAX = 400;
/** One file per run, named after its pid and holding the folder of its server, so that a killed run is cleaned up after too. */
const RUNS_DIR = fileURLToPath(new URL('../../node_modules/.cache/bursar/test-servers', import.meta.url));
const OWN_RUN = join(RUNS_DIR, String(process.pid));

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the template database; clones are made on the same server. */
    templateUrl: string;
    /** How the server copies it: where no file has to reach the disk, by files, which takes a tenth of what writing them to the log takes. */
    cloneStrategy: 'FILE_COPY' | 'WAL_LOG';
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeDeadRuns();
  const serverUrl = process.env.TEST_DATABASE_URL || (await startThrowAway());
  try {
    project.provide('templateUrl', await makeTemplate(serverUrl));
    project.provide('cloneStrategy', process.env.TEST_DATABASE_URL ? 'WAL_LOG' : 'FILE_COPY');
  } catch (error) {
    await removeRun(OWN_RUN);
    throw error;
  }
  return async () => {
    const kept = await removeTemplate(serverUrl);
    const isWorthKeeping = kept.length > 0 && !process.env.CI;
    if (isWorthKeeping) for (const name of kept) console.log(`kept for inspection: ${databaseUrl(serverUrl, name)}`);
    else await removeRun(OWN_RUN);
  };
}

const templateName = `bursar_test_${process.pid}_template`;

async function makeTemplate(serverUrl: string): Promise<string> {
  const adminUrl = databaseUrl(serverUrl, 'postgres');
  const templateUrl = databaseUrl(serverUrl, templateName);
  await query(adminUrl, `CREATE DATABASE ${templateName}`);
  await migrate(templateUrl);
  await query(adminUrl, `ALTER DATABASE ${templateName} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  return templateUrl;
}

/** Returns the names of the clones that are left. */
async function removeTemplate(serverUrl: string): Promise<string[]> {
  const adminUrl = databaseUrl(serverUrl, 'postgres');
  await query(adminUrl, `ALTER DATABASE ${templateName} WITH IS_TEMPLATE false`);
  await query(adminUrl, `DROP DATABASE ${templateName}`);
  const prefix = templateName.replace(/template$/, '');
  const rows = await query(adminUrl, `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}')`);
  return rows.map((row) => String(row.datname));
}

async function startThrowAway(): Promise<string> {
  const parent = mkdtempSync(join(tmpdir(), 'bursar-test-'));
  chmodSync(parent, 0o711); // the server may run as another user, who has to pass
  const home = join(parent, 'home');
  mkdirSync(RUNS_DIR, { recursive: true });
  writeFileSync(OWN_RUN, home);
  const server = await startEmbeddedPostgres(home, { isDurable: false, maxConnections: CONNECTIONS_MAX });
  await tune(server.url);
  return server.url;
}

/** Spends nothing on strong passwords, which thousands of connections would pay for, nor on tables that live for seconds. */
async function tune(serverUrl: string): Promise<void> {
  const { username, password } = new URL(serverUrl);
  await query(
    serverUrl,
    `SET scram_iterations = 1; ALTER ROLE ${pg.escapeIdentifier(username)} PASSWORD ${pg.escapeLiteral(password)}`,
  );
  await query(serverUrl, 'ALTER SYSTEM SET autovacuum = off');
  await query(serverUrl, 'SELECT pg_reload_conf()');
}

async function removeDeadRuns(): Promise<void> {
  if (!existsSync(RUNS_DIR)) return;
  for (const pid of readdirSync(RUNS_DIR)) if (!isProcessAlive(Number(pid))) await removeRun(join(RUNS_DIR, pid));
}

async function removeRun(run: string): Promise<void> {
  if (!existsSync(run)) return;
  const home = readFileSync(run, 'utf8');
  if (existsSync(home)) await removeEmbeddedPostgres(home);
  rmSync(dirname(home), { recursive: true, force: true });
  rmSync(run, { force: true });
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}
