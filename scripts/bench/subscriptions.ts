// What subscriptions cost whose periods all end at the same instant: turns a second, processor time, memory by thirds, and how long uses of others wait meanwhile; and
// ten years of renewals, an instant after the other. On a test clock.
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { BASE_PATH, type Outcome, PRODUCT_KEY } from './job.js';
import { manyAtOnce } from './many-at-once.js';
import {
  type Load,
  processorSecondsOf,
  residentBytes,
  type Server,
  type Service,
  startApi,
  withClient,
} from './processes.js';
import { printTable, wholeNumber } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { jobOf } from './sides.js';

const CONNECTIONS = 64;
const OTHERS = { prefix: 'other-', count: 10_000, isZipf: false } as const;
const OTHERS_PER_S = 200;
const OTHERS_AT_ONCE = 16;
const PROBE_S = 5;
const TEN_YEARS_CUSTOMERS = 1_000;
const LOOK_MS = 200;
const MIB = 1_048_576;
const BEGIN = '2031-01-31T12:00:00.000Z';
const MONTH_LATER = '2031-02-28T12:00:00.000Z';
const TEN_YEARS_LATER = '2041-01-31T12:00:00.000Z';
/** It is told so long before the period ends. */
const TOLD_AT = '2031-02-21T12:00:00.000Z';
const MONTH = { unit: 'months', count: 1 };

/** Plans whose turns differ: only new units, units that go over as well, and the end of a trial, which is told with the order that pays what comes next. */
const PLANS = [
  { sku: 'FREE', price: '0', rollover: 'none', at: MONTH_LATER },
  { sku: 'GOES_OVER', price: '0', rollover: 'all', at: MONTH_LATER },
  { sku: 'TRIED', price: '9.99', rollover: 'none', at: TOLD_AT },
] as const;
type Plan = (typeof PLANS)[number];

interface Turned {
  perS: number;
  processorMs: number;
  memory: number[];
  uses: Outcome[];
}

/** Measures each plan in a database of its own, then ten years; returns the URLs of the databases, which are to be verified. */
export async function measureSubscriptions(server: Server, load: Load, count: number): Promise<string[]> {
  const urls: string[] = [];
  const rows: string[][] = [];
  for (const plan of PLANS) {
    const url = await server.createDatabase(`bench_subscriptions_${plan.sku.toLowerCase()}`);
    urls.push(url);
    await withClient(url, async (client) => {
      await seedCatalogue(client);
      await seedCustomers(client, OTHERS.prefix, OTHERS.count);
    });
    const api = await startApi({ DATABASE_URL: url, BURSAR_SANDBOX: 'true', BURSAR_SWEEP_INTERVAL_S: '1' });
    const { quiet, turned } = await measurePlan(load, api, url, plan, count);
    await api.stop();
    rows.push([
      plan.sku,
      wholeNumber(turned.perS),
      turned.processorMs.toFixed(2),
      turned.memory.map((bytes) => (bytes / MIB).toFixed(0)).join(', '),
      quiet.p99.toFixed(1),
      turned.uses.map(({ p99 }) => p99.toFixed(1)).join(', '),
    ]);
  }
  printTable(
    `${wholeNumber(count)} subscriptions whose periods turn at one instant, beside ${OTHERS_PER_S} uses a second of others`,
    [
      '',
      'turns/s',
      'processor ms each',
      'memory by thirds, MiB',
      'p99 of uses before, ms',
      `and meanwhile, by ${PROBE_S} s`,
    ],
    rows,
  );
  urls.push(await measureTenYears(server));
  return urls;
}

async function measurePlan(load: Load, api: Service, url: string, plan: Plan, count: number) {
  const pool = new Pool(api.url, { connections: CONNECTIONS });
  try {
    await begin(pool, api, plan, count);
  } finally {
    await pool.close();
  }
  await withClient(url, settleDatabase);
  const plannedUses = { customers: OTHERS, connections: OTHERS_AT_ONCE, ratePerS: OTHERS_PER_S };
  const probe = () => load(jobOf([api], { repetitions: 1, seconds: PROBE_S, isQuick: true }, plannedUses));
  const quiet = await probe();
  const turned = await turnAll(api, url, plan, probe);
  return { quiet, turned };
}

/** Subscribes customers at one instant of the test clock. */
async function begin(pool: Pool, api: Service, { sku, price, rollover }: Plan, count: number): Promise<void> {
  await send(pool, api, 'PUT', '/sandbox/clock', { now: BEGIN });
  const items = [{ product_key: PRODUCT_KEY, quantity: 100, period_unit: 'months', period_value: 1 }];
  const plan = { rollover, grace_days: 3, trial_period: price === '0' ? null : MONTH };
  await send(pool, api, 'PUT', `/offers/${sku}`, { name: sku, price, currency: 'USD', recurrence: MONTH, plan, items });
  const startMs = performance.now();
  await manyAtOnce(count, CONNECTIONS, async (at) => {
    await send(pool, api, 'POST', '/subscriptions', { external_id: `subscriber-${at}`, sku });
  });
  const seconds = (performance.now() - startMs) / 1_000;
  process.stderr.write(`${sku}: ${wholeNumber(count)} subscribed in ${seconds.toFixed(0)} s\n`);
}

/** Sets the clock to the instant at which all turn, and waits until the job has turned them. */
async function turnAll({ pid }: Service, url: string, { at }: Plan, probe: () => Promise<Outcome>): Promise<Turned> {
  return withClient(url, async (client) => {
    const left = async (): Promise<number> =>
      Number(
        (await client.query('SELECT count(*) AS left FROM subscriptions WHERE turns_at <= $1', [at])).rows[0]?.left,
      );
    const count = await left();
    const memory: number[] = [];
    const timer = setInterval(() => memory.push(residentBytes(pid) ?? Number.NaN), LOOK_MS);
    const processorS = processorSecondsOf(pid) ?? Number.NaN;
    const startMs = performance.now();
    await client.query('UPDATE sandbox_clock SET instant = $1', [at]);
    let isOver = false;
    const uses: Outcome[] = [];
    const using = (async () => {
      while (!isOver) uses.push(await probe());
    })();
    while ((await left()) > 0) await delay(LOOK_MS);
    const seconds = (performance.now() - startMs) / 1_000;
    const usedS = (processorSecondsOf(pid) ?? Number.NaN) - processorS;
    clearInterval(timer);
    isOver = true;
    await using;
    const third = Math.ceil(memory.length / 3);
    return {
      perS: count / seconds,
      processorMs: (usedS * 1_000) / count,
      memory: [0, 1, 2].map((place) => Math.max(...memory.slice(place * third, (place + 1) * third))),
      uses,
    };
  });
}

/** Moves the test clock on from one end of periods to the next. */
async function measureTenYears(server: Server): Promise<string> {
  const url = await server.createDatabase('bench_ten_years');
  await withClient(url, seedCatalogue);
  const api = await startApi({ DATABASE_URL: url, BURSAR_SANDBOX: 'true', BURSAR_SWEEP_INTERVAL_S: '86400' });
  const pool = new Pool(api.url, { connections: CONNECTIONS, headersTimeout: 0 });
  try {
    await begin(pool, api, PLANS[1], TEN_YEARS_CUSTOMERS);
    const startMs = performance.now();
    for (;;) {
      const { complete } = await send(pool, api, 'PUT', '/sandbox/clock', { now: TEN_YEARS_LATER });
      if (complete) break;
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const periods = await withClient(url, async (client) =>
      Number((await client.query('SELECT count(*) AS periods FROM subscription_periods')).rows[0]?.periods),
    );
    const figures = [TEN_YEARS_CUSTOMERS, periods].map(wholeNumber);
    const head = ['subscriptions', 'periods', 's', 'turns/s'];
    const turns = wholeNumber((periods - TEN_YEARS_CUSTOMERS) / seconds);
    printTable('Ten years of renewals', head, [[...figures, seconds.toFixed(0), turns]]);
  } finally {
    await pool.close();
    await api.stop();
  }
  return url;
}

interface Answered {
  complete?: boolean;
}

async function send(
  pool: Pool,
  { token }: Service,
  method: 'PUT' | 'POST',
  path: string,
  body: unknown,
): Promise<Answered> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await pool.request({ method, path: `${BASE_PATH}${path}`, headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
  return JSON.parse(text) as Answered;
}
