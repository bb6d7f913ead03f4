// Whether a process that serves for long grows: its resident memory by thirds of the time, under a mixed load that it easily bears, with scrapes beside it.
import { setTimeout as delay } from 'node:timers/promises';
import { type Load, residentBytes, type Server, type Service, startApi, withClient } from './processes.js';
import { printTable, wholeNumber } from './report.js';
import { seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { jobOf } from './sides.js';
import { median } from './statistics.js';

const CUSTOMERS = { prefix: 'soak-', count: 10_000, isZipf: true } as const;
const CONNECTIONS = 32;
const LOOK_MS = 1_000;
const SCRAPE_EVERY = 5;
const S_PER_MINUTE = 60;
const MIB = 1_048_576;

/** Prints memory by thirds of so many minutes; the database's URL, for whoever verifies it. */
export async function measureSoak(
  server: Server,
  load: Load,
  { minutes, ratePerS }: { minutes: number; ratePerS: number },
): Promise<string> {
  const databaseUrl = await server.createDatabase('bench_soak');
  await withClient(databaseUrl, async (client) => {
    await seedCatalogue(client);
    await seedCustomers(client, CUSTOMERS.prefix, CUSTOMERS.count);
    await settleDatabase(client);
  });
  const api = await startApi({ DATABASE_URL: databaseUrl });
  const plan = { repetitions: 1, seconds: minutes * S_PER_MINUTE, isQuick: false };
  const job = jobOf([api], plan, {
    kind: 'mixed',
    customers: CUSTOMERS,
    connections: CONNECTIONS,
    hasKeys: true,
    ratePerS,
  });
  const watching = new AbortController();
  const sampling = sample(api, watching.signal);
  const outcome = await load(job).finally(() => watching.abort());
  const { memory, scrapesMs } = await sampling;
  const scrapeMs = await measureScrapes(api);
  await api.stop();
  const size = Math.floor(memory.length / 3);
  const thirds = [0, 1, 2].map((third) => memory.slice(third * size, (third + 1) * size).map((bytes) => bytes / MIB));
  printTable(
    `Memory over ${minutes} minutes of mixed load, MiB`,
    ['third', 'median', 'most'],
    thirds.map((of, at) => [`${at + 1}`, wholeNumber(median(of)), wholeNumber(Math.max(...of))]),
  );
  const [, middle = [], last = []] = thirds;
  console.log(
    `\nthe last third is ${(median(last) / median(middle)).toFixed(2)} of the middle one (at most 1.1 is wanted), its most ${(Math.max(...last) / Math.max(...middle)).toFixed(2)}; ` +
      `${outcome.ok} answers as wanted, ${outcome.refused} refused, errors ${JSON.stringify(outcome.errors)}, ` +
      `p50 ${outcome.p50.toFixed(1)} ms, p99 ${outcome.p99.toFixed(1)} ms; ${scrapesMs.length} scrapes beside it, ` +
      `median ${median(scrapesMs).toFixed(1)} ms, and ${SCRAPES} alone, ${scrapeMs.toFixed(2)} ms of processor time each`,
  );
  return databaseUrl;
}

const SCRAPES = 500;

/** Processor time of a scrape, when all that is told was counted; the statement for the database's numbers is among it every three seconds. */
async function measureScrapes({ url }: Service): Promise<number> {
  const scrape = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^process_cpu_seconds_total (\S+)$/m.exec(text)?.[1]);
  };
  const before = await scrape();
  for (let at = 1; at < SCRAPES; at += 1) await scrape();
  return ((await scrape()) - before) * (1_000 / SCRAPES);
}

/** Looks at a process, and scrapes it, until it is told to end. */
async function sample({ url, pid }: Service, end: AbortSignal): Promise<{ memory: number[]; scrapesMs: number[] }> {
  const memory: number[] = [];
  const scrapesMs: number[] = [];
  while (!end.aborted) {
    await delay(LOOK_MS);
    memory.push(residentBytes(pid) ?? Number.NaN);
    if (memory.length % SCRAPE_EVERY !== 0) continue;
    const sinceMs = performance.now();
    await (await fetch(`${url}/metrics`)).text();
    scrapesMs.push(performance.now() - sinceMs);
  }
  return { memory, scrapesMs };
}
