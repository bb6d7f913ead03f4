// This checkout beside another one, in turns on one server, each with a database of its own: rates, and processor time per request of the service and of
// Postgres, which tells small differences where rates can't.
import { spawnSync } from 'node:child_process';
import { checkInvariants, describeDifference } from '../../src/db/invariants/audit.js';
import { BASE_PATH, type Job, type Outcome, PRODUCT_KEY } from './job.js';
import { buildService, type Load, type Server, type Service, startApi, withClient } from './processes.js';
import { processorOf, type Used } from './processor.js';
import { precise, printTable, spreadOf, wholeNumber, withInterval } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { CUSTOMERS, hot, jobOf, type Plan, spread } from './sides.js';
import { median } from './statistics.js';

const PLAN: Plan = { repetitions: 1, seconds: 2, isQuick: true };
const US_PER_S = 1_000_000;

type Kind = Pick<Job, 'kind' | 'customers' | 'connections'>;

const SIDES: Readonly<Record<string, Kind>> = {
  'consume, spread, 1': { kind: 'consume', customers: spread, connections: 1 },
  'consume, spread, 64': { kind: 'consume', customers: spread, connections: 64 },
  'consume, spread, 256': { kind: 'consume', customers: spread, connections: 256 },
  'consume, hot, 64': { kind: 'consume', customers: hot, connections: 64 },
  'consume, hot, 256': { kind: 'consume', customers: hot, connections: 256 },
  'GET /balance, 256': { kind: 'balance', customers: spread, connections: 256 },
  'reservations with commit, 64': { kind: 'reservation', customers: spread, connections: 64 },
  'orders with confirm, 64': { kind: 'order', customers: spread, connections: 64 },
  'refused consume, spread, 64': { kind: 'refusal', customers: spread, connections: 64 },
  'refused consume, hot, 256': { kind: 'refusal', customers: hot, connections: 256 },
};

interface Build {
  name: string;
  databaseUrl: string;
  service: Service;
}

interface Measured {
  outcome: Outcome;
  /** Microseconds for each request of the service and of the whole database server; NaN where the system does not tell. */
  serviceUs: number;
  serverUs: number;
}

interface CompareOptions {
  pairs: number;
  only: string;
  isUsesTold: boolean;
  hasApiKey: boolean;
  /** How many windows of a limit are in force for every customer. */
  limits: number;
}

/**
 * Measures the sides whose names have `only` in them, of both builds, in alternating pairs, and prints the ratios of this one to the other. With
 * `isUsesTold` this one tells each use, with `hasApiKey` it is called with an API key instead of the bootstrap token; `limits` are in force
 * there.
 */
export async function compare(
  server: Server,
  load: Load,
  otherDir: string,
  { pairs, only, isUsesTold, hasApiKey, limits }: CompareOptions,
): Promise<void> {
  buildService(otherDir);
  const builds = [await startBuild(server, 'before', otherDir), await startBuild(server, 'after', undefined)] as const;
  if (isUsesTold) await askForUses(builds[1].databaseUrl);
  if (hasApiKey) builds[1].service.token = await makeKey(builds[1].service);
  if (limits > 0) await setLimits(builds[1].service, limits);
  const rows: string[][] = [];
  for (const [name, kind] of Object.entries(SIDES).filter(([side]) => side.includes(only))) {
    const measured: [Measured[], Measured[]] = [[], []];
    for (let pair = 0; pair < pairs; pair += 1) {
      for (const at of pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        measured[at].push(await measure(load, builds[at], kind));
      }
    }
    rows.push(rowOf(name, measured));
    process.stderr.write(`${name} done\n`);
  }
  const head = [
    'side',
    'before/s',
    'after/s',
    'rate, after to before',
    'us before',
    'us after',
    'time, after to before',
    'of the service (interval of the median)',
  ];
  printTable(`Against ${otherDir}: ${pairs} pairs; processor time is of service and Postgres`, head, rows);
  for (const { service } of builds) await service.stop();
  verifyBy(otherDir, builds[0].databaseUrl);
  await verify(builds[1].name, builds[1].databaseUrl);
}

/** A service on a database that it migrated itself. */
async function startBuild(server: Server, name: string, projectDir: string | undefined): Promise<Build> {
  const databaseUrl = await server.createEmptyDatabase(`bench_${name}`);
  const service = await startApi({ DATABASE_URL: databaseUrl }, [], projectDir);
  await withClient(databaseUrl, async (client) => {
    await seedCatalogue(client);
    await seedCustomers(client, spread.prefix, CUSTOMERS);
    await seedCustomers(client, hot.prefix, hot.count);
    await settleDatabase(client);
  });
  return { name, databaseUrl, service };
}

/** Has this checkout tell each use, as if an endpoint had asked for it. */
async function askForUses(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    await client.query(
      `INSERT INTO webhook_endpoints (id, description, types, is_enabled, created_at, updated_at) VALUES ('bench', '', '["quota.consumed"]', true, now(), now())`,
    );
    await client.query('UPDATE event_log SET tells_uses = true');
  });
}

const WINDOWS = ['hour', 'day', 'month', 'billing_period', 'total'];
const NEVER_REACHED = 9_007_199_254_740_991;

/** Has so many windows count what each customer uses. */
export async function setLimits({ url, token }: Service, count: number): Promise<void> {
  const windows = Object.fromEntries(WINDOWS.slice(0, count).map((window) => [window, NEVER_REACHED]));
  const answer = await fetch(`${url}${BASE_PATH}/limits`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ product_key: PRODUCT_KEY, windows }),
  });
  if (!answer.ok) throw new Error(`the limit was not set: ${await answer.text()}`);
}

async function makeKey({ url, token }: Service): Promise<string> {
  const answer = await fetch(`${url}${BASE_PATH}/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['read', 'consume', 'orders', 'payments'] }),
  });
  const { token: key } = (await answer.json()) as { token?: string };
  if (key === undefined) throw new Error(`no API key was made: ${answer.status}`);
  return key;
}

async function measure(load: Load, { service, databaseUrl }: Build, kind: Kind): Promise<Measured> {
  const usedBy = await processorOf(service.pid, databaseUrl);
  const before = usedBy();
  const outcome = await load(jobOf([service], PLAN, { ...kind, warmUpMs: 0 }));
  const after = usedBy();
  const usOf = (of: keyof Used) => ((after[of] - before[of]) * US_PER_S) / (outcome.ok + outcome.refused);
  return { outcome, serviceUs: usOf('serviceS'), serverUs: usOf('serverS') };
}

function rowOf(name: string, [before, after]: readonly [readonly Measured[], readonly Measured[]]): string[] {
  const rate = ({ outcome }: Measured) => outcome.perS;
  const time = ({ serviceUs, serverUs }: Measured) => serviceUs + serverUs;
  const ratios = (of: (measured: Measured) => number) => after.map((each, at) => of(each) / of(before[at] as Measured));
  return [
    name,
    wholeNumber(median(before.map(rate))),
    wholeNumber(median(after.map(rate))),
    spreadOf(ratios(rate), precise),
    `${wholeNumber(median(before.map(time)))} (${wholeNumber(median(before.map((each) => each.serverUs)))} Postgres)`,
    `${wholeNumber(median(after.map(time)))} (${wholeNumber(median(after.map((each) => each.serverUs)))} Postgres)`,
    spreadOf(ratios(time), precise),
    withInterval(ratios(({ serviceUs }) => serviceUs)),
  ];
}

/** Has the other checkout audit its database: its schema is its own. */
function verifyBy(projectDir: string, databaseUrl: string): void {
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', 'scripts/verify.ts'], {
    cwd: projectDir,
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the other checkout found differences in its database');
}

async function verify(name: string, databaseUrl: string): Promise<void> {
  const report = await withClient(databaseUrl, (client) => checkInvariants(client));
  console.log(`\nverify ${name}: ${report.checked.entries} entries, ${report.ok ? 'no differences' : 'DIFFERENCES'}`);
  if (!report.ok) throw new Error(report.differences.map(describeDifference).join('\n'));
}
