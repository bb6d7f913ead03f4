// The rest of the figures of a full run, once each: connections, spreads, keys, processes, orders, and latency at a fixed rate.
import type { Job, Outcome } from './job.js';
import type { Load, Service } from './processes.js';
import { LOAD_HEAD, loadRow, precise, printTable, wholeNumber } from './report.js';
import { hot, jobOf, type Plan, spread, zipfSpread } from './sides.js';

const CONNECTIONS = [1, 16, 64, 256] as const;
const SPREADS = { spread, 'Zipf 1': zipfSpread, hot } as const;
/** Shares of what the closed loop reached with 64 connections. */
const RATES = [0.25, 0.5, 0.75] as const;
const RATE_CONNECTIONS = 256;

/** Consume by connections, spread and keys, with one process and with two. */
export async function measureMatrix(load: Load, api: Service, second: Service, plan: Plan): Promise<void> {
  const cases = [
    { services: [api], hasKeys: false },
    { services: [api], hasKeys: true },
    { services: [api, second], hasKeys: false },
  ];
  const rows: string[][] = [];
  for (const { services, hasKeys } of cases) {
    for (const [name, customers] of Object.entries(SPREADS)) {
      const perConnections: string[] = [];
      for (const connections of CONNECTIONS) {
        const outcome = await load(jobOf(services, plan, { customers, connections, hasKeys }));
        perConnections.push(wholeNumber(outcome.perS) + remarkOf(outcome));
      }
      const processes = services.length === 1 ? 'one process' : 'two processes';
      rows.push([`${name}, ${hasKeys ? 'with keys' : 'without keys'}, ${processes}`, ...perConnections]);
    }
  }
  printTable('Consume, requests/s by connections', ['side', ...CONNECTIONS.map(String)], rows);
}

function remarkOf({ refused, errors }: Outcome): string {
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0);
  return refused + failed === 0 ? '' : ` (${refused} refused, ${failed} errors)`;
}

/** What takes two requests: orders with their confirmation, reservations with their commit. */
export async function measurePairs(load: Load, api: Service, plan: Plan): Promise<void> {
  const rows: string[][] = [];
  for (const [name, kind] of [
    ['POST /orders and confirm', 'order'],
    ['POST /reservations and commit', 'reservation'],
  ] as const) {
    for (const connections of [1, 16, 64]) {
      const outcome = await load(jobOf([api], plan, { kind, customers: spread, connections }));
      rows.push(loadRow(`${name}, ${connections}`, [outcome]));
    }
  }
  const outcome = await load(jobOf([api], plan, { kind: 'reservation', customers: hot, connections: 64 }));
  rows.push(loadRow('POST /reservations and commit, hot, 64', [outcome]));
  printTable('In pairs (requests/s; latency is of one request)', LOAD_HEAD, rows);
}

/** Consumes of more than there is: what a paywall lives on. */
export async function measureRefusals(load: Load, api: Service, plan: Plan): Promise<void> {
  const rows: string[][] = [];
  for (const [name, customers] of Object.entries({ spread, hot })) {
    for (const connections of [1, 64, 256]) {
      const outcome = await load(jobOf([api], plan, { kind: 'refusal', customers, connections }));
      rows.push(loadRow(`refused consume, ${name}, ${connections}`, [outcome]));
    }
  }
  printTable('Refusals, each with its explanation', LOAD_HEAD, rows);
}

/** Latency at fixed arrival rates, from the instant at which each request fell due. */
export async function measureLatency(load: Load, api: Service, plan: Plan): Promise<void> {
  const rows: string[][] = [];
  const run = (customers: Job['customers'], given: Partial<Job>) =>
    load(jobOf([api], plan, { customers, connections: RATE_CONNECTIONS, hasKeys: true, ...given }));
  for (const [name, customers] of Object.entries({ spread, hot })) {
    const { perS } = await run(customers, { connections: 64 });
    for (const share of RATES) {
      const ratePerS = Math.round(perS * share);
      const outcome = await run(customers, { ratePerS, measureMs: 2 * plan.seconds * 1_000 });
      rows.push(
        loadRow(`consume, ${name}, ${wholeNumber(ratePerS)}/s (${precise(share)} of ${wholeNumber(perS)})`, [outcome]),
      );
    }
  }
  printTable('Latency at a fixed arrival rate, with idempotency keys', LOAD_HEAD, rows);
}
