// What the limits of a plan cost a use: customers who have the plan beside such as have one without limits, in turns, on one service.
import { call } from './calls.js';
import { copyCustomer } from './copies.js';
import { type Job, PRODUCT_KEY } from './job.js';
import { type Load, type Server, type Service, startApi, withClient } from './processes.js';
import { processorOf, type Used } from './processor.js';
import { printTable, wholeNumber, withInterval } from './report.js';
import { seedCatalogue, settleDatabase } from './seed.js';
import { jobOf } from './sides.js';
import { median } from './statistics.js';

const PAIRS = 9;
const SECONDS = 4;
const CONNECTIONS = 64;
const SPREAD_CUSTOMERS = 10_000;
/** No run uses them up. */
const UNITS = 1_000_000_000;
const WINDOWS = { day: UNITS, billing_period: UNITS };
const US_PER_S = 1_000_000;
const MONTH = { unit: 'months', count: 1 };
/** Of customers with the plan without limits, and with the one that has them. */
const PREFIXES = { UNLIMITED: 'unlimited-', LIMITED: 'limited-' } as const;

/** Measures and prints; returns the URL of the database, which is to be verified. */
export async function measurePlanLimits(server: Server, load: Load): Promise<string> {
  const url = await server.createDatabase('bench_plan_limits');
  await withClient(url, seedCatalogue);
  const api = await startApi({ DATABASE_URL: url });
  for (const [sku, prefix] of Object.entries(PREFIXES)) {
    await subscribe(api, sku, `${prefix}0`);
    await withClient(url, (client) => copyCustomer(client, prefix, SPREAD_CUSTOMERS));
  }
  await call(api, 'PUT', '/limits', { product_key: PRODUCT_KEY, plan_sku: 'LIMITED', windows: WINDOWS });
  await withClient(url, settleDatabase);
  const usedBy = await processorOf(api.pid, url);
  const measure = async (prefix: string, count: number): Promise<Used> => {
    const customers: Job['customers'] = { prefix, count, isZipf: false };
    const before = usedBy();
    const plan = { repetitions: 1, seconds: SECONDS, isQuick: true };
    const { ok, refused } = await load(jobOf([api], plan, { customers, connections: CONNECTIONS, warmUpMs: 0 }));
    const after = usedBy();
    const usOf = (of: keyof Used) => ((after[of] - before[of]) * US_PER_S) / (ok + refused);
    return { serviceS: usOf('serviceS'), serverS: usOf('serverS') };
  };
  const rows: string[][] = [];
  for (const [name, count] of Object.entries({ 'one busy customer': 1, spread: SPREAD_CUSTOMERS })) {
    const pairs: { without: Used; with: Used }[] = [];
    await measure(PREFIXES.UNLIMITED, count); // so that neither is measured while code is compiled
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const isFirst = pair % 2 === 0;
      const first = await measure(isFirst ? PREFIXES.UNLIMITED : PREFIXES.LIMITED, count);
      const second = await measure(isFirst ? PREFIXES.LIMITED : PREFIXES.UNLIMITED, count);
      pairs.push(isFirst ? { without: first, with: second } : { without: second, with: first });
    }
    const both = ({ serviceS, serverS }: Used) => serviceS + serverS;
    const medianOf = (of: (pair: (typeof pairs)[number]) => number) => wholeNumber(median(pairs.map(of)));
    rows.push([
      name,
      `${medianOf((pair) => pair.without.serviceS)}, ${medianOf((pair) => pair.without.serverS)}`,
      `${medianOf((pair) => pair.with.serviceS)}, ${medianOf((pair) => pair.with.serverS)}`,
      withInterval(pairs.map((pair) => pair.with.serviceS / pair.without.serviceS)),
      withInterval(pairs.map((pair) => both(pair.with) / both(pair.without))),
    ]);
  }
  await api.stop();
  const head = [
    '',
    'us without limits: service, Postgres',
    'us with',
    'service, with to without',
    'both, with to without',
  ];
  printTable(
    `Uses of customers whose plan has limits (${Object.keys(WINDOWS).join(', ')}), ${PAIRS} pairs`,
    head,
    rows,
  );
  return url;
}

async function subscribe(api: Service, sku: string, externalId: string): Promise<void> {
  const items = [{ product_key: PRODUCT_KEY, quantity: UNITS, period_unit: 'months', period_value: 1 }];
  const offer = { name: sku, price: '0', currency: 'USD', recurrence: MONTH, plan_group: sku, items };
  await call(api, 'PUT', `/offers/${sku}`, offer);
  await call(api, 'POST', '/subscriptions', { external_id: externalId, sku });
}
