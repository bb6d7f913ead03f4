// What a merge takes of a customer with so many batches: seconds, the greatest memory of the process, how many locks its transaction holds, and how long a use of
// the target waits meanwhile.
import { PRODUCT_KEY } from './job.js';
import { type Server, type Service, startApi, watchMemory, withClient } from './processes.js';
import { printTable, wholeNumber } from './report.js';
import { seedBatches, seedCatalogue, seedCustomers, settleDatabase } from './seed.js';

const SIZES = [100, 1_000, 10_000];
const MIB = 1_048_576;
const LOCKS = `SELECT count(*)::int AS locks FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()`;

/** Prints a row for each size. Returns the databases, to be audited. */
export async function measureMerging(server: Server): Promise<string[]> {
  const rows: string[][] = [];
  const databaseUrls: string[] = [];
  for (const size of SIZES) {
    const databaseUrl = await server.createDatabase(`bench_merging_${size}`);
    databaseUrls.push(databaseUrl);
    await withClient(databaseUrl, async (client) => {
      await seedCatalogue(client);
      await seedBatches(client, 'source', 'live', size);
      await seedCustomers(client, 'target', 1);
      await settleDatabase(client);
    });
    const api = await startApi({ DATABASE_URL: databaseUrl, BURSAR_SHED_DELAY_MS: '0' });
    const [target, source] = await Promise.all([idOf(api, 'target1'), idOf(api, 'source1')]);
    const { seconds, memory, locks, waitMs } = await measure(api, databaseUrl, target, source);
    rows.push([
      wholeNumber(size),
      seconds.toFixed(2),
      (memory / MIB).toFixed(0),
      wholeNumber(locks),
      wholeNumber(waitMs),
    ]);
    await api.stop();
  }
  const head = ['batches', 's', 'memory at most, MiB', 'locks at most', 'a use waited, ms'];
  printTable('Merging one customer into another', head, rows);
  return databaseUrls;
}

async function measure(api: Service, databaseUrl: string, target: string, source: string) {
  let isOver = false;
  let locks = 0;
  let waitMs = 0;
  const counting = withClient(databaseUrl, async (client) => {
    while (!isOver) {
      const { rows } = await client.query<{ locks: number }>(LOCKS);
      locks = Math.max(locks, rows[0]?.locks ?? 0);
    }
  });
  const using = (async () => {
    while (!isOver) {
      const askedMs = performance.now();
      await send(api, '/quota/consume', { customer_id: target, product_key: PRODUCT_KEY, amount: 1 });
      waitMs = Math.max(waitMs, performance.now() - askedMs);
    }
  })();
  const startMs = performance.now();
  const { bytesMax } = await watchMemory(api.pid, () =>
    send(api, '/customers/merge', { target_customer_id: target, source_customer_id: source }),
  ).finally(() => {
    isOver = true;
  });
  const seconds = (performance.now() - startMs) / 1_000;
  await Promise.all([counting, using]);
  return { seconds, memory: bytesMax, locks, waitMs };
}

async function idOf(api: Service, external_id: string): Promise<string> {
  return String((await send(api, '/identify', { external_id })).customer_id);
}

async function send({ url, token }: Service, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await fetch(`${url}/api/v1/billing${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
