// What history costs: a small ledger against a large one, and a customer with one batch against customers with thousands of used up, live and
// due ones. In databases of its own.
import type { Job, Outcome } from './job.js';
import { type Load, type Server, type Service, startApi, withClient } from './processes.js';
import { LOAD_HEAD, loadRow, printTable, type Target, wholeNumber } from './report.js';
import { type BatchState, seedBatches, seedCatalogue, seedCustomers, settleDatabase } from './seed.js';
import { jobOf, type Plan } from './sides.js';

const CUSTOMERS = 10_000;
const BATCHES = 10_000;
const CONNECTIONS = 64;
const customers = { prefix: 'grown-', count: CUSTOMERS, isZipf: false } as const;

export interface Growth {
  databaseUrls: readonly string[];
  targets: Target[];
}

/** Measures both, and returns the databases to be verified and what they say about the targets. */
export async function measureGrowth(server: Server, load: Load, entries: number, plan: Plan): Promise<Growth> {
  const small = await makeDatabase(server, 'bench_small', 0);
  const large = await makeDatabase(server, 'bench_large', Math.max(1, Math.round(entries / CUSTOMERS)) - 1);
  const targets = [
    await measureLedgers(load, { small: small.api, large: large.api }, entries, plan),
    await measureBatches(load, small, plan),
  ];
  for (const { api } of [small, large]) await api.stop();
  return { databaseUrls: [small.url, large.url], targets };
}

async function makeDatabase(server: Server, name: string, uses: number): Promise<{ url: string; api: Service }> {
  const url = await server.createDatabase(name);
  const startMs = performance.now();
  await withClient(url, async (client) => {
    await seedCatalogue(client);
    await seedCustomers(client, customers.prefix, CUSTOMERS, uses);
    await settleDatabase(client);
  });
  const seconds = (performance.now() - startMs) / 1_000;
  process.stderr.write(`${name}: ${wholeNumber(CUSTOMERS * (uses + 1))} entries seeded in ${seconds.toFixed(0)} s\n`);
  return { url, api: await startApi({ DATABASE_URL: url }) };
}

async function measureLedgers(
  load: Load,
  ledgers: { small: Service; large: Service },
  entries: number,
  plan: Plan,
): Promise<Target> {
  const run = (service: Service) => load(jobOf([service], plan, { customers, connections: CONNECTIONS }));
  const rounds: Record<'small' | 'large', Outcome>[] = [];
  for (let at = 0; at < plan.repetitions; at += 1) {
    rounds.push({ small: await run(ledgers.small), large: await run(ledgers.large) });
  }
  printTable(`Growth: consume over ${wholeNumber(CUSTOMERS)} customers, ${CONNECTIONS} connections`, LOAD_HEAD, [
    loadRow(
      `${wholeNumber(CUSTOMERS)} entries at first`,
      rounds.map(({ small }) => small),
    ),
    loadRow(
      `${wholeNumber(entries)} entries at first`,
      rounds.map(({ large }) => large),
    ),
  ]);
  return {
    name: `${wholeNumber(entries)} entries / ${wholeNumber(CUSTOMERS)}`,
    bound: { atLeast: 0.9 },
    values: rounds.map(({ small, large }) => large.perS / small.perS),
  };
}

async function measureBatches(load: Load, { url, api }: { url: string; api: Service }, plan: Plan): Promise<Target> {
  const states: readonly BatchState[] = ['exhausted', 'live', 'due'];
  await withClient(url, async (client) => {
    for (let at = 0; at < plan.repetitions; at += 1) {
      await seedCustomers(client, `one-${at}-`, 1);
      for (const state of states) await seedBatches(client, `${state}-${at}-`, state, BATCHES);
    }
    await settleDatabase(client);
  });
  // From the first request: the due batches are settled in the course of the measurement, so each repetition has a customer of its own.
  const run = (prefix: string, given: Partial<Job> = {}) =>
    load(jobOf([api], plan, { customers: { prefix, count: 1, isZipf: false }, connections: CONNECTIONS, ...given }));
  const rounds: Record<'one' | BatchState, Outcome>[] = [];
  for (let at = 0; at < plan.repetitions; at += 1) {
    rounds.push({
      one: await run(`one-${at}-`),
      exhausted: await run(`exhausted-${at}-`),
      live: await run(`live-${at}-`),
      due: await run(`due-${at}-`, { warmUpMs: 0 }),
    });
  }
  const name = wholeNumber(BATCHES);
  printTable(`Growth: consume of one customer, ${CONNECTIONS} connections`, LOAD_HEAD, [
    loadRow(
      '1 batch',
      rounds.map(({ one }) => one),
    ),
    ...states.map((state) =>
      loadRow(
        `${name} ${state} batches`,
        rounds.map((round) => round[state]),
      ),
    ),
  ]);
  return {
    name: `${name} exhausted batches / 1 batch`,
    bound: { atLeast: 0.95 },
    values: rounds.map(({ one, exhausted }) => exhausted.perS / one.perS),
  };
}
