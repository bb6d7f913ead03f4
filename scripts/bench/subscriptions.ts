// What subscriptions cost whose periods all end at the same instant: turns a second, processor time, memory by thirds, and how long uses of others wait meanwhile; ten
// years of renewals, an instant after the other; and uses under the limits of a plan. On a test clock. One customer subscribes over HTTP, the others are copies of him.
import { setTimeout as delay } from 'node:timers/promises';
import { call, sampleMemory, thirdsOf } from './calls.js';
import { copyCustomer } from './copies.js';
import { type Outcome, PRODUCT_KEY } from './job.js';
import { measurePlanLimits } from './plan-limits.js';
import { type Load, makeFolder, type Server, type Service, startApi, withClient } from './processes.js';
import { processorOf } from './processor.js';
import { printProfile, profiledInto, readProfile } from './profile.js';
import { printTable, wholeNumber } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { jobOf } from './sides.js';
import { median, percentile, sorted } from './statistics.js';

const OTHERS = { prefix: 'other-', count: 10_000, isZipf: false } as const;
const OTHERS_PER_S = 200;
const OTHERS_AT_ONCE = 16;
const PROBE_S = 5;
const TEN_YEARS_CUSTOMERS_MAX = 1_000;
const LOOK_MS = 200;
const BEGIN = '2031-01-31T12:00:00.000Z';
const MONTH_LATER = '2031-02-28T12:00:00.000Z';
const TEN_YEARS_LATER = '2041-01-31T12:00:00.000Z';
/** It is told so long before the period ends. */
const TOLD_AT = '2031-02-21T12:00:00.000Z';
const MONTH = { unit: 'months', count: 1 };
const SUBSCRIBERS = 'subscriber-';

/** Plans whose turns differ: only new units, units that go over as well, and the end of a trial, which is told with the order that pays what comes next. */
const PLANS = [
  { sku: 'FREE', price: '0', rollover: 'none', at: MONTH_LATER },
  { sku: 'GOES_OVER', price: '0', rollover: 'all', at: MONTH_LATER },
  { sku: 'TRIED', price: '9.99', rollover: 'none', at: TOLD_AT },
] as const;
type Plan = (typeof PLANS)[number];
/** What `only` chooses among, besides the plans. */
const TEN_YEARS = 'ten years';
const LIMITS = 'limits';

interface Turned {
  count: number;
  perS: number;
  serviceMs: number;
  serverMs: number;
  transactions: number;
  memory: number[][];
  uses: Outcome[];
}

interface Asked {
  /** Subscriptions of each plan. */
  count: number;
  /** Parts whose names have this in them; all when it is empty. */
  only: string;
  /** Says where the time of the service goes while nothing else is asked of it. */
  isProfiled: boolean;
}

/** Measures each plan in a database of its own, then the rest; returns the URLs of the databases, which are to be verified. */
export async function measureSubscriptions(server: Server, load: Load, asked: Asked): Promise<string[]> {
  const urls: string[] = [];
  const rows: string[][] = [];
  const isAsked = (name: string) => name.includes(asked.only);
  for (const plan of PLANS.filter(({ sku }) => isAsked(sku))) {
    const { url, quiet, turned } = await measurePlan(server, load, plan, asked);
    urls.push(url);
    rows.push([
      plan.sku,
      wholeNumber(turned.perS),
      `${turned.serviceMs.toFixed(2)}, ${turned.serverMs.toFixed(2)}`,
      turned.transactions.toFixed(2),
      turned.memory.map((third) => [median(third), Math.max(...third)].map(wholeNumber).join(' to ')).join(', '),
      percentiles(quiet),
      percentiles(turned.uses),
    ]);
  }
  if (rows.length > 0) {
    printTable(
      `${wholeNumber(asked.count)} subscriptions whose periods turn at one instant, beside ${asked.isProfiled ? 0 : OTHERS_PER_S} uses a second of others`,
      [
        '',
        'turns/s',
        'processor ms each, service and Postgres',
        'transactions each',
        'memory by thirds, median to most, MiB',
        `p99 of uses before, and in the worst ${PROBE_S} s, ms`,
        'and meanwhile',
      ],
      rows,
    );
  }
  if (isAsked(TEN_YEARS)) urls.push(await measureTenYears(server, Math.min(asked.count, TEN_YEARS_CUSTOMERS_MAX)));
  if (isAsked(LIMITS)) urls.push(await measurePlanLimits(server, load));
  return urls;
}

/** Of all requests of several jobs; and of the job that had to wait longest. */
function percentiles(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return '';
  const all = sorted(outcomes.flatMap(({ latencies }) => latencies));
  return [percentile(all, 0.99), Math.max(...outcomes.map(({ p99 }) => p99))].map(wholeNumber).join(', ');
}

async function measurePlan(server: Server, load: Load, plan: Plan, { count, isProfiled }: Asked) {
  const url = await server.createDatabase(`bench_subscriptions_${plan.sku.toLowerCase()}`);
  await withClient(url, async (client) => {
    await seedCatalogue(client);
    await seedCustomers(client, OTHERS.prefix, OTHERS.count);
  });
  const env = { DATABASE_URL: url, BURSAR_SANDBOX: 'true', BURSAR_SWEEP_INTERVAL_S: '1' };
  const profile = makeFolder();
  const setUp = await startApi(env);
  await subscribeMany(setUp, url, plan, count);
  await setUp.stop();
  await withClient(url, settleDatabase);
  const api = await startApi(env, isProfiled ? profiledInto(profile) : []);
  const uses = { customers: OTHERS, connections: OTHERS_AT_ONCE, ratePerS: OTHERS_PER_S };
  const probe = () => load(jobOf([api], { repetitions: 1, seconds: PROBE_S, isQuick: true }, uses));
  const quiet = isProfiled ? [] : [await probe(), await probe(), await probe()];
  const turned = await turnAll(api, url, plan, isProfiled ? undefined : probe);
  await api.stop();
  if (isProfiled) printProfile(`turns of ${plan.sku}`, readProfile(profile), turned.count);
  return { url, quiet, turned };
}

/** Subscribes a customer at an instant of the test clock, and copies him. */
async function subscribeMany(api: Service, url: string, { sku, price, rollover }: Plan, count: number): Promise<void> {
  const startMs = performance.now();
  const items = [{ product_key: PRODUCT_KEY, quantity: 100, period_unit: 'months', period_value: 1 }];
  const plan = { rollover, grace_days: 3, trial_period: price === '0' ? null : MONTH };
  const offer = { name: sku, price, currency: 'USD', recurrence: MONTH, plan, items };
  await call(api, 'PUT', '/sandbox/clock', { now: BEGIN });
  await call(api, 'PUT', `/offers/${sku}`, offer);
  await call(api, 'POST', '/subscriptions', { external_id: `${SUBSCRIBERS}0`, sku });
  await withClient(url, (client) => copyCustomer(client, SUBSCRIBERS, count - 1));
  const seconds = (performance.now() - startMs) / 1_000;
  process.stderr.write(`${sku}: ${wholeNumber(count)} subscribed in ${seconds.toFixed(0)} s\n`);
}

/** Sets the clock to the instant at which all turn, and waits until the job has turned them, with uses of others meanwhile. */
async function turnAll(
  { pid }: Service,
  url: string,
  { at }: Plan,
  probe: (() => Promise<Outcome>) | undefined,
): Promise<Turned> {
  const usedBy = await processorOf(pid, url);
  return withClient(url, async (client) => {
    const numberOf = async (sql: string, values: unknown[] = []): Promise<number> =>
      Number((await client.query<{ number: string }>(sql, values)).rows[0]?.number);
    const committed = () =>
      numberOf('SELECT xact_commit AS number FROM pg_stat_database WHERE datname = current_database()');
    const isLeft = async () =>
      (await client.query('SELECT FROM customers WHERE due_at <= $1 LIMIT 1', [at])).rows.length > 0;
    const count = await numberOf('SELECT count(*) AS number FROM subscriptions WHERE turns_at <= $1', [at]);
    const committedBefore = await committed();
    const [before, startMs] = [usedBy(), performance.now()];
    await client.query('UPDATE sandbox_clock SET instant = $1', [at]);
    let isOver = false;
    const uses: Outcome[] = [];
    const using = (async () => {
      while (probe && !isOver) uses.push(await probe());
    })();
    const { memory } = await sampleMemory(pid, async () => {
      while (await isLeft()) await delay(LOOK_MS);
    });
    const seconds = (performance.now() - startMs) / 1_000;
    const after = usedBy();
    isOver = true;
    await using;
    return {
      count,
      perS: count / seconds,
      serviceMs: ((after.serviceS - before.serviceS) * 1_000) / count,
      serverMs: ((after.serverS - before.serverS) * 1_000) / count,
      transactions: ((await committed()) - committedBefore) / count,
      memory: thirdsOf(memory),
      uses,
    };
  });
}

/** Moves the test clock on from one end of periods to the next. */
async function measureTenYears(server: Server, count: number): Promise<string> {
  const url = await server.createDatabase('bench_ten_years');
  await withClient(url, seedCatalogue);
  const api = await startApi({ DATABASE_URL: url, BURSAR_SANDBOX: 'true', BURSAR_SWEEP_INTERVAL_S: '86400' });
  await subscribeMany(api, url, PLANS[1], count);
  const startMs = performance.now();
  const { memory } = await sampleMemory(api.pid, async () => {
    while (!(await call(api, 'PUT', '/sandbox/clock', { now: TEN_YEARS_LATER })).complete);
  });
  const seconds = (performance.now() - startMs) / 1_000;
  const periods = await withClient(url, async (client) =>
    Number((await client.query('SELECT count(*) AS periods FROM subscription_periods')).rows[0]?.periods),
  );
  await api.stop();
  const figures = [count, periods, seconds, (periods - count) / seconds, Math.max(...memory)].map(wholeNumber);
  const head = ['subscriptions', 'periods', 's', 'turns/s', 'memory at most, MiB'];
  printTable('Ten years of renewals', head, [figures]);
  return url;
}
