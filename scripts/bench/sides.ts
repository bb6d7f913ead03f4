// The sides of a run and their targets: floor, ceiling and Bursar in turn, several times, so that what slows the machine slows all of them.
import type { Floor, FloorOutcome } from './floor.js';
import type { Job, Outcome } from './job.js';
import { type Load, type Service, watchMemory } from './processes.js';
import { LOAD_HEAD, loadRow, printTable, spreadOf, type Target, wholeNumber } from './report.js';

export const CUSTOMERS = 100_000;
const FLOOR_CONNECTIONS = 16;
const MEBIBYTE = 1_048_576;
const WARM_UP_MS = 1_000;
const QUICK_WARM_UP_MS = 500;

export const spread = { prefix: 'spread-', count: CUSTOMERS, isZipf: false } as const;
export const zipfSpread = { ...spread, isZipf: true } as const;
export const hot = { prefix: 'hot-', count: 1, isZipf: false } as const;

export interface Plan {
  repetitions: number;
  /** Of each measurement. */
  seconds: number;
  isQuick: boolean;
}

let seed = 0;

/** A job with what most of them have in common: consume, without keys, closed loop. */
export function jobOf(
  services: readonly Service[],
  plan: Plan,
  given: Partial<Job> & Pick<Job, 'customers' | 'connections'>,
): Job {
  seed += 1;
  return {
    urls: services.map(({ url }) => url),
    token: services[0]?.token ?? '',
    kind: 'consume',
    hasKeys: false,
    warmUpMs: plan.isQuick ? QUICK_WARM_UP_MS : WARM_UP_MS,
    measureMs: plan.seconds * 1_000,
    ratePerS: undefined,
    seed,
    ...given,
  };
}

export interface Sides {
  load: Load;
  floor: Floor;
  ceiling: Service;
  api: Service;
}

interface Round {
  floorSpread: FloorOutcome;
  floorHot: FloorOutcome;
  floorLone: FloorOutcome | undefined;
  ceiling: Outcome;
  balance: Outcome | undefined;
  lone: Outcome | undefined;
  spread64: Outcome;
  spread256: Outcome;
  hot64: Outcome;
  hot256: Outcome;
  memoryBytes: number;
}

/** Runs the sides in turn, prints their figures, and returns what they say about the targets. */
export async function measureSides(sides: Sides, plan: Plan): Promise<Target[]> {
  const rounds: Round[] = [];
  for (let at = 0; at < plan.repetitions; at += 1) {
    rounds.push(await measureRound(sides, plan));
    process.stderr.write(`round ${at + 1} of ${plan.repetitions} done\n`);
  }
  printFloor(sides.floor, rounds);
  const defined = (outcomes: readonly (Outcome | undefined)[]) => outcomes.filter((outcome) => outcome !== undefined);
  const rows = [
    loadRow(
      'ceiling, 256 connections',
      rounds.map((round) => round.ceiling),
    ),
    loadRow(
      'consume, spread, 64',
      rounds.map((round) => round.spread64),
    ),
    loadRow(
      'consume, spread, 256',
      rounds.map((round) => round.spread256),
    ),
    loadRow(
      'consume, hot, 64',
      rounds.map((round) => round.hot64),
    ),
    loadRow(
      'consume, hot, 256',
      rounds.map((round) => round.hot256),
    ),
    ...(plan.isQuick
      ? []
      : [
          loadRow('consume, spread, 1', defined(rounds.map((round) => round.lone))),
          loadRow('GET /balance, spread, 256', defined(rounds.map((round) => round.balance))),
        ]),
  ];
  printTable('Over HTTP, without idempotency keys, one API process', LOAD_HEAD, rows);
  return targetsOf(sides.floor, rounds);
}

async function measureRound({ load, floor, ceiling, api }: Sides, plan: Plan): Promise<Round> {
  const { seconds, isQuick } = plan;
  const consume = (customers: Job['customers'], connections: number, kind: Job['kind'] = 'consume') =>
    load(jobOf([kind === 'ceiling' ? ceiling : api], plan, { customers, connections, kind }));
  const floorSpread = await floor.measure({ connections: FLOOR_CONNECTIONS, customers: CUSTOMERS, seconds });
  const spread64 = await consume(spread, 64);
  const spread256 = await watchMemory(api.pid, () => consume(spread, 256));
  const floorHot = await floor.measure({ connections: FLOOR_CONNECTIONS, customers: 1, seconds });
  const hot64 = await consume(hot, 64);
  const hot256 = await watchMemory(api.pid, () => consume(hot, 256));
  return {
    floorSpread,
    floorHot,
    spread64,
    spread256: spread256.result,
    hot64,
    hot256: hot256.result,
    ceiling: await consume(spread, 256, 'ceiling'),
    balance: isQuick ? undefined : await consume(spread, 256, 'balance'),
    floorLone: isQuick ? undefined : await floor.measure({ connections: 1, customers: CUSTOMERS, seconds }),
    lone: isQuick ? undefined : await consume(spread, 1),
    memoryBytes: Math.max(spread256.bytesMax, hot256.bytesMax),
  };
}

function printFloor(floor: Floor, rounds: readonly Round[]): void {
  const row = (name: string, outcomes: readonly (FloorOutcome | undefined)[]): string[] => [
    name,
    spreadOf(
      outcomes.flatMap((outcome) => outcome?.perS ?? []),
      wholeNumber,
    ),
  ];
  const by = floor.name === 'pgbench' ? 'by pgbench' : 'by the bare driver (no pgbench here: no target counts)';
  printTable(
    `Floor: six statements ${by}`,
    ['side', 'transactions/s'],
    [
      row(
        `spread, ${FLOOR_CONNECTIONS} connections`,
        rounds.map((round) => round.floorSpread),
      ),
      row(
        `hot, ${FLOOR_CONNECTIONS} connections`,
        rounds.map((round) => round.floorHot),
      ),
      ...(rounds[0]?.floorLone
        ? [
            row(
              'spread, 1 connection',
              rounds.map((round) => round.floorLone),
            ),
          ]
        : []),
    ],
  );
}

function targetsOf(floor: Floor, rounds: readonly Round[]): Target[] {
  const hasFloor = floor.name === 'pgbench';
  const ratios = (of: (round: Round) => number): number[] => rounds.map(of).filter((ratio) => !Number.isNaN(ratio));
  const toFloor = (of: (round: Round) => number): number[] => (hasFloor ? ratios(of) : []);
  return [
    {
      name: 'consume spread 64 / floor spread',
      bound: { atLeast: 1.3 },
      values: toFloor((round) => round.spread64.perS / round.floorSpread.perS),
    },
    {
      name: 'consume spread 256 / floor spread',
      bound: { atLeast: 1.6 },
      values: toFloor((round) => round.spread256.perS / round.floorSpread.perS),
    },
    {
      name: 'consume spread 256 / ceiling 256',
      bound: { atLeast: 0.4 },
      values: ratios((round) => round.spread256.perS / round.ceiling.perS),
    },
    {
      name: 'consume hot 64 / spread 64',
      bound: { atLeast: 1 },
      values: ratios((round) => round.hot64.perS / round.spread64.perS),
    },
    {
      name: 'consume hot 256 / spread 256',
      bound: { atLeast: 1 },
      values: ratios((round) => round.hot256.perS / round.spread256.perS),
    },
    {
      name: 'consume hot 64 / floor hot',
      bound: { atLeast: 4 },
      values: toFloor((round) => round.hot64.perS / round.floorHot.perS),
    },
    {
      name: 'consume hot 256 / floor hot',
      bound: { atLeast: 6 },
      values: toFloor((round) => round.hot256.perS / round.floorHot.perS),
    },
    {
      name: 'lone consume p50 / lone floor p50',
      bound: { atMost: 2 },
      values: toFloor((round) => (round.lone?.p50 ?? Number.NaN) / (round.floorLone?.p50 ?? Number.NaN)),
    },
    {
      name: 'GET /balance 256 / ceiling 256',
      bound: { atLeast: 0.6 },
      values: ratios((round) => (round.balance?.perS ?? Number.NaN) / round.ceiling.perS),
    },
    {
      name: 'memory of the API process, 256',
      bound: { atMost: 250 },
      values: ratios((round) => round.memoryBytes / MEBIBYTE),
      unit: ' MiB',
    },
  ];
}
