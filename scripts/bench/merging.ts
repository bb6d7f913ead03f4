// What a merge takes of a customer with so many batches, and erasing the target afterwards: seconds, the greatest memory of the process, how many locks the transaction
// holds, and how long a use of the target waits meanwhile. And what uses of other customers take beside it, and without it.
import { setTimeout as delay } from 'node:timers/promises';
import { call } from './calls.js';
import { PRODUCT_KEY } from './job.js';
import { type Server, type Service, startApi, watchMemory, withClient } from './processes.js';
import { printTable, wholeNumber } from './report.js';
import { seedBatches, seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { percentile, sorted } from './statistics.js';

const SIZES = [100, 1_000, 10_000];
const OTHERS = 1_000;
const OTHERS_AT_ONCE = 16;
const ALONE_MS = 5_000;
/** Looking at locks costs time too. */
const LOOK_MS = 20;
const SLOW = 0.99;
const OF_OTHERS = ['others alone: p99, ms', 'most', 'beside it: p99, ms', 'most'];
const MIB = 1_048_576;
const LOCKS = `SELECT count(*)::int AS locks FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()`;

/** Prints a row for each size. Returns the databases, to be audited. */
export async function measureMerging(server: Server): Promise<string[]> {
  const rows: Record<'merged' | 'erased', string[][]> = { merged: [], erased: [] };
  const databaseUrls: string[] = [];
  for (const size of SIZES) {
    const databaseUrl = await server.createDatabase(`bench_merging_${size}`);
    databaseUrls.push(databaseUrl);
    await withClient(databaseUrl, async (client) => {
      await seedCatalogue(client);
      await seedBatches(client, 'source', 'live', size);
      await seedCustomers(client, 'target', 1);
      await seedCustomers(client, 'other', OTHERS);
      await settleDatabase(client);
    });
    const api = await startApi({ DATABASE_URL: databaseUrl, BURSAR_SHED_DELAY_MS: '0' });
    const [target, source] = await Promise.all([idOf(api, 'target1'), idOf(api, 'source1')]);
    const alone = await measureOthers(api, () => delay(ALONE_MS));
    const merge = { target_customer_id: target, source_customer_id: source };
    const use = { customer_id: target, product_key: PRODUCT_KEY, amount: 1 };
    const merged = await measure(api, databaseUrl, {
      work: () => call(api, 'POST', '/customers/merge', merge),
      use: () => call(api, 'POST', '/quota/consume', use),
    });
    rows.merged.push(rowOf(size, merged, alone));
    const erased = await measure(api, databaseUrl, { work: () => call(api, 'DELETE', `/customers/${target}`) });
    rows.erased.push(rowOf(size, erased, alone));
    await api.stop();
  }
  const head = ['batches', 's', 'memory at most, MiB', 'locks at most', 'a use waited, ms', ...OF_OTHERS];
  printTable('Merging one customer into another', head, rows.merged);
  printTable('Erasing both afterwards', head, rows.erased);
  return databaseUrls;
}

function rowOf(size: number, { seconds, memory, locks, waitMs, beside }: Measured, alone: readonly number[]): string[] {
  return [
    wholeNumber(size),
    seconds.toFixed(2),
    (memory / MIB).toFixed(0),
    wholeNumber(locks),
    wholeNumber(waitMs),
    ...[alone, beside].flatMap((tookMs) => [SLOW, 1].map((share) => wholeNumber(percentile(sorted(tookMs), share)))),
  ];
}

/** How long uses of customers take that have to do with nothing, so many at a time, as long as `work` works. */
async function measureOthers(api: Service, work: () => Promise<unknown>): Promise<number[]> {
  const tookMs: number[] = [];
  let isOver = false;
  const using = Array.from({ length: OTHERS_AT_ONCE }, async (_, first) => {
    for (let at = first; !isOver; at += OTHERS_AT_ONCE) {
      const askedMs = performance.now();
      const external_id = `other${(at % OTHERS) + 1}`;
      await call(api, 'POST', '/quota/consume', { external_id, product_key: PRODUCT_KEY, amount: 1 });
      tookMs.push(performance.now() - askedMs);
    }
  });
  await work().finally(() => {
    isOver = true;
  });
  await Promise.all(using);
  return tookMs;
}

interface Measured {
  seconds: number;
  /** Bytes. */
  memory: number;
  locks: number;
  /** NaN where nobody waits. */
  waitMs: number;
  beside: number[];
}

/** Measures a call that is made once, while the customer whom it is about is used again and again, if he is to be. */
async function measure(
  api: Service,
  databaseUrl: string,
  { work, use }: { work: () => Promise<unknown>; use?: () => Promise<unknown> },
): Promise<Measured> {
  let isOver = false;
  let locks = 0;
  const waitsMs: number[] = [];
  const counting = withClient(databaseUrl, async (client) => {
    while (!isOver) {
      const { rows } = await client.query<{ locks: number }>(LOCKS);
      locks = Math.max(locks, rows[0]?.locks ?? 0);
      await delay(LOOK_MS);
    }
  });
  const using = (async () => {
    while (use && !isOver) {
      const askedMs = performance.now();
      await use();
      waitsMs.push(performance.now() - askedMs);
    }
  })();
  const startMs = performance.now();
  let memory = 0;
  let seconds = 0;
  const beside = await measureOthers(api, async () => {
    const { bytesMax } = await watchMemory(api.pid, work);
    memory = bytesMax;
    seconds = (performance.now() - startMs) / 1_000;
  }).finally(() => {
    isOver = true;
  });
  await Promise.all([counting, using]);
  return { seconds, memory, locks, waitMs: waitsMs.length > 0 ? Math.max(...waitsMs) : Number.NaN, beside };
}

async function idOf(api: Service, external_id: string): Promise<string> {
  return String((await call(api, 'POST', '/identify', { external_id })).customer_id);
}
