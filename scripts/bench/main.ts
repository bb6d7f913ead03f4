// npm run bench: measures floor, ceiling and Bursar in one run on one durable Postgres, prints figures and targets, and verifies the data afterwards.
// `--quick` takes under two minutes; `--profile` says where the time goes; `--against FOLDER` compares with another checkout, in turns; `--upgrade`
// times the migrations that no fixture has yet instead; `--metering` measures what metering adds to an application's route, `--webhooks` what waits for a receiver after an outage,
// `--payments` what webhooks of a payment provider do, `--after-sale` what orders and refunds cost, `--merging` what merging customers with many batches takes,
// `--subscriptions` what periods of `--customers` do that turn at once, ten years of renewals, and what limits of a plan cost a use (`--sides` some of these, `--profile` where
// the time of turns goes),
// `--catalogue` what a large file of the catalogue costs, `--moving-in` what moving in of `--customers` does, `--soak MINUTES` whether memory grows. Exit code 0 even when a
// target is missed (a busy machine is no defect), 1 when the data are
// wrong or a side could not be measured.
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkInvariants, describeDifference } from '../../src/db/invariants/audit.js';
import { measureAfterSale } from './after-sale.js';
import { compare } from './against.js';
import { measureCatalogueFile } from './catalogue-file.js';
import { prepareFloor } from './floor.js';
import { measureGrowth } from './growth.js';
import { measureLatency, measureMatrix, measurePairs, measureRefusals } from './matrix.js';
import { measureMerging } from './merging.js';
import { measureMetering } from './metering.js';
import { measureMovingIn } from './moving-in.js';
import { measurePayments } from './payments.js';
import {
  buildService,
  endAll,
  makeFolder,
  type Server,
  startApi,
  startCeiling,
  startLoad,
  startServer,
  withClient,
} from './processes.js';
import { measureProfile } from './profile.js';
import { printTargets, type Target } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { CUSTOMERS, hot, measureSides, type Plan, spread } from './sides.js';
import { measureSoak } from './soak.js';
import { measureSubscriptions } from './subscriptions.js';
import { measureUpgrade } from './upgrade.js';
import { measureWebhooks } from './webhooks.js';

const FULL: Plan = { repetitions: 5, seconds: 5, isQuick: false };
/** Of the many figures that no target is about, and of growth. */
const BRIEF: Plan = { repetitions: 3, seconds: 3, isQuick: false };
const QUICK: Plan = { repetitions: 3, seconds: 3, isQuick: true };
const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'] as const;

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    against: { type: 'string' },
    pairs: { type: 'string', default: '9' },
    sides: { type: 'string', default: '' },
    'growth-entries': { type: 'string', default: '1000000' },
    upgrade: { type: 'boolean', default: false },
    'upgrade-operations': { type: 'string', default: '1000000' },
    migrations: { type: 'string' },
    metering: { type: 'boolean', default: false },
    webhooks: { type: 'boolean', default: false },
    payments: { type: 'boolean', default: false },
    'after-sale': { type: 'boolean', default: false },
    catalogue: { type: 'boolean', default: false },
    soak: { type: 'string' },
    rate: { type: 'string', default: '200' },
    'moving-in': { type: 'boolean', default: false },
    merging: { type: 'boolean', default: false },
    subscriptions: { type: 'boolean', default: false },
    customers: { type: 'string', default: '100000' },
    'uses-told': { type: 'boolean', default: false },
    'api-key': { type: 'boolean', default: false },
    limits: { type: 'string', default: '0' },
  },
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void endAll().finally(() => process.exit(1)));
}
try {
  const startMs = performance.now();
  if (flags.metering) await measureMetering();
  else if (flags.upgrade) await measureUpgrade(Number(flags['upgrade-operations']), flags.migrations);
  else await run(flags.quick ? QUICK : FULL);
  console.log(`\n${((performance.now() - startMs) / 1_000).toFixed(0)} s in all`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await endAll();
}

async function run(plan: Plan): Promise<void> {
  buildService();
  const server = await startServer();
  if (flags.webhooks) return measureWebhooks(server);
  if (flags.payments) return verify([await measurePayments(server)]);
  if (flags['after-sale']) return verify(await measureAfterSale(server));
  if (flags.catalogue) return measureCatalogueFile(server);
  if (flags.soak !== undefined) {
    const given = { minutes: Number(flags.soak), ratePerS: Number(flags.rate) };
    await verify([await measureSoak(server, startLoad(), given)]);
    return;
  }
  if (flags.merging) return verify(await measureMerging(server));
  if (flags.subscriptions) {
    const asked = { count: Number(flags.customers), only: flags.sides, isProfiled: flags.profile };
    return verify(await measureSubscriptions(server, startLoad(), asked));
  }
  if (flags['moving-in']) return verify([await measureMovingIn(server, Number(flags.customers))]);
  if (flags.against !== undefined) {
    await compare(server, startLoad(), flags.against, {
      pairs: Number(flags.pairs),
      only: flags.sides,
      isUsesTold: flags['uses-told'],
      hasApiKey: flags['api-key'],
      limits: Number(flags.limits),
    });
    return;
  }
  const databaseUrl = await makeDatabase(server);
  const load = startLoad();
  await withClient(databaseUrl, settleDatabase);
  if (flags.profile) {
    await measureProfile(load, databaseUrl, { ...FULL, seconds: 8 }, Number(flags.limits));
    await verify([databaseUrl]);
    return;
  }
  const floor = await prepareFloor(databaseUrl, CUSTOMERS);
  const api = await startApi({ DATABASE_URL: databaseUrl });
  const ceiling = await startCeiling(databaseUrl);
  const targets = await measureSides({ load, floor, ceiling, api }, plan);
  await ceiling.stop();
  const databaseUrls = [databaseUrl];
  if (!plan.isQuick) {
    const second = await startApi({ DATABASE_URL: databaseUrl });
    await measureMatrix(load, api, second, BRIEF);
    await second.stop();
    await measurePairs(load, api, BRIEF);
    await measureRefusals(load, api, BRIEF);
    await measureLatency(load, api, plan);
  }
  await api.stop();
  if (!plan.isQuick) {
    const growth = await measureGrowth(server, load, Number(flags['growth-entries']), BRIEF);
    databaseUrls.push(...growth.databaseUrls);
    targets.push(...growth.targets, ...(await measureStart()));
  }
  printTargets(targets);
  await verify(databaseUrls);
}

/** The database of all sides: the customers of both spreads. Says on what the figures were taken. */
async function makeDatabase(server: Server): Promise<string> {
  const url = await server.createDatabase('bench');
  await withClient(url, async (client) => {
    await seedCatalogue(client);
    await seedCustomers(client, spread.prefix, spread.count);
    await seedCustomers(client, hot.prefix, hot.count);
    const { rows } = await client.query<{ name: string; setting: string }>(
      'SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY ($1)',
      [[...DURABLE, 'server_version', 'shared_buffers', 'max_wal_size']],
    );
    const settings = new Map(rows.map(({ name, setting }) => [name, setting]));
    if (DURABLE.some((name) => settings.get(name) !== 'on'))
      throw new Error('figures of a server that is not durable mean nothing');
    const [{ model = 'unknown processor' } = {}, ...others] = cpus();
    console.log(`Node ${process.version}, ${others.length + 1} x ${model.trim()}, ${process.platform}`);
    console.log(`Postgres: ${[...settings].map(([name, setting]) => `${name} ${setting}`).join(', ')}`);
  });
  return url;
}

/** Start to ready with the embedded Postgres: in a new data folder, then again. */
async function measureStart(): Promise<Target[]> {
  const env = { BURSAR_DATA_DIR: join(makeFolder(), 'data') };
  const first = await startApi(env);
  await first.stop();
  const warm = await startApi(env);
  await warm.stop();
  return [
    { name: 'start to ready, first time', bound: { atMost: 15 }, values: [first.readyMs / 1_000], unit: ' s' },
    { name: 'start to ready, warm', bound: { atMost: 5 }, values: [warm.readyMs / 1_000], unit: ' s' },
  ];
}

/** Throws when the data are not what the ledger says. */
async function verify(databaseUrls: readonly string[]): Promise<void> {
  for (const url of databaseUrls) {
    const report = await withClient(url, (client) => checkInvariants(client));
    const { entries = 0, operations = 0 } = report.checked;
    const name = new URL(url).pathname.slice(1);
    console.log(
      `\nverify ${name}: ${entries} entries, ${operations} operations, ${report.ok ? 'no differences' : 'DIFFERENCES'}`,
    );
    if (!report.ok) throw new Error(report.differences.map(describeDifference).join('\n'));
  }
}
