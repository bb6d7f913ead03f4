// npm run verify: recomputes the data of a database from its entries and says where it differs. Reads only, repairs nothing.
// Exit code 0 when all is well, 1 with differences, 2 when it could not look.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { type AlikeCustomers, listAlikeIdentities } from '../src/db/alike-identities.js';
import type { Tx } from '../src/db/client.js';
import { explainConnectionError } from '../src/db/connection-error.js';
import { checkInvariants, describeDifference, type InvariantReport } from '../src/db/invariants/audit.js';
import { checkNames } from '../src/db/invariants/checks.js';
import { StartError } from '../src/errors/start-error.js';
import { readEnvFile } from '../src/process/env-file.js';

const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = 'usage: npm run verify [-- --customer <id> --limit <differences to show>]';
const CONNECT_TIMEOUT_MS = 10_000;
const UNDEFINED_TABLE = '42P01';
const DIFFERENT = 1;
const NOT_CHECKED = 2;

try {
  const { report, alike } = await verify();
  print(report);
  printAlike(alike);
  if (!report.ok) process.exitCode = DIFFERENT;
} catch (error) {
  console.error(`verify: ${error instanceof StartError ? error.message : error}`);
  process.exitCode = NOT_CHECKED;
}

async function verify(): Promise<{ report: InvariantReport; alike: AlikeCustomers[] }> {
  const options = readOptions();
  const database = findDatabase();
  const client = new pg.Client({
    connectionString: database.url,
    application_name: 'bursar-verify',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // a lost connection also fails the statement under way, which is where it is told
  try {
    await client.connect();
  } catch (error) {
    const isRefused = (error as { code?: string }).code === 'ECONNREFUSED';
    throw database.embeddedIn !== undefined && isRefused
      ? embeddedNotRunning(database.embeddedIn, error)
      : explainConnectionError(error, database.url);
  }
  try {
    const report = await checkInvariants(client, options);
    if (options.customerId !== undefined && report.checked.customers === 0)
      throw new StartError(`there is no customer ${options.customerId}`);
    const tx = {
      query: async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows,
    };
    return { report, alike: await listAlikeIdentities(tx as Tx, options) };
  } catch (error) {
    if ((error as { code?: string }).code !== UNDEFINED_TABLE) throw error;
    throw new StartError('the database lacks tables of this version of Bursar: start Bursar once, which makes them', {
      cause: error,
    });
  } finally {
    await client.end();
  }
}

function readOptions(): { customerId: string | undefined; limit: number | undefined } {
  let values: { customer?: string | undefined; limit?: string | undefined };
  try {
    ({ values } = parseArgs({ options: { customer: { type: 'string' }, limit: { type: 'string' } } }));
  } catch (error) {
    throw new StartError(`${error instanceof Error ? error.message : error}; ${USAGE}`);
  }
  const { customer, limit } = values;
  if (customer !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(customer)) {
    throw new StartError(`--customer must be the id of a customer (a UUID); ${USAGE}`);
  }
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit)) {
    throw new StartError(`--limit must be a whole number from 1 to 999999; ${USAGE}`);
  }
  return { customerId: customer, limit: limit === undefined ? undefined : Number(limit) };
}

/** DATABASE_URL, else the embedded server of the data folder; the environment wins over .env, empty is not given. */
function findDatabase(): { url: string; embeddedIn: string | undefined } {
  const env = { ...readEnvFile(PROJECT), ...process.env };
  const given = env.DATABASE_URL;
  if (given) {
    if (!URL.canParse(given))
      throw new StartError('DATABASE_URL must be a URL such as postgresql://user:password@host:5432/database');
    return { url: given, embeddedIn: undefined };
  }
  const dataDir = resolve(PROJECT, env.BURSAR_DATA_DIR || '.bursar');
  const file = join(dataDir, 'database-url');
  if (!existsSync(file)) throw embeddedNotRunning(dataDir);
  return { url: readFileSync(file, 'utf8').trim(), embeddedIn: dataDir };
}

function embeddedNotRunning(dataDir: string, cause?: unknown): StartError {
  return new StartError(
    `no database to verify: DATABASE_URL is not set, and the embedded Postgres of ${dataDir} ` +
      'does not run; start Bursar (npm start) or set DATABASE_URL',
    { cause },
  );
}

function print({ ok, checked, failed, differences, hasMore }: InvariantReport): void {
  const width = Math.max(...Object.keys(checked).map((name) => name.length));
  console.log('checked');
  for (const [name, count] of Object.entries(checked)) {
    console.log(`  ${name.padEnd(width)}  ${count.toLocaleString('en').padStart(12)}`);
  }
  if (ok) {
    console.log(`${checkNames.length} checks, no differences`);
    return;
  }
  console.log('differences');
  for (const difference of differences) console.log(`  ${describeDifference(difference)}`);
  if (hasMore) console.log('  ... and more (see --limit)');
  console.log(
    `${checkNames.length} checks, of which ${Object.keys(failed).length} found differences: ${Object.keys(failed).join(', ')}`,
  );
}

/** No differences, and no fault of the data: what a merge would settle. */
function printAlike(alike: readonly AlikeCustomers[]): void {
  if (alike.length === 0) return;
  console.log('customers whose identities differ in spelling only, the oldest first: merge them');
  for (const { provider, customerIds } of alike) console.log(`  ${provider}: ${customerIds.join(', ')}`);
}
