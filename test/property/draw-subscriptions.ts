// Draws workloads of subscriptions: what one customer, his operator and time do to his plans, over years.
import fc from 'fast-check';
import { record } from './draw.js';
import type { OldUnits, When } from './plan-requests.js';
import { plans } from './subscription-catalogue.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A command is relative, so that it stays meaningful when others are taken out while shrinking. What is named by `last` is counted from the last one. */
export type PlanCommand =
  | { kind: 'subscribe'; sku: string }
  /** Orders a period and pays it. */
  | { kind: 'buy'; sku: string | 'the same' }
  /** Of the orders that subscriptions wait for. */
  | { kind: 'pay'; last: number }
  /** So many quarters of its price. */
  | { kind: 'return'; last: number; as: 'refund' | 'dispute'; quarters: number }
  | { kind: 'change'; last: number; sku: string; when: When; oldUnits: OldUnits }
  | { kind: 'cancel'; last: number; when: When }
  | { kind: 'resume' | 'renew'; last: number }
  | { kind: 'grant'; quantity: number; days: number | null }
  | { kind: 'consume'; product: string; amount: number | 'all' }
  | { kind: 'overdraw'; amount: number }
  | { kind: 'reserve'; product: string; amount: number; hours: number }
  | { kind: 'end hold'; last: number; as: 'commit' | 'release' }
  /** Nobody looks before the next command where it `isQuiet`. */
  | { kind: 'wait'; ms: number; isQuiet: boolean }
  /** Until so many milliseconds after one of the next instants at which something happens by itself. */
  | { kind: 'wait for'; next: number; offsetMs: number; isQuiet: boolean };

export interface PlanWorkload {
  startsAt: string;
  commands: PlanCommand[];
}

/** Ends of months, of years and of leap days, where calendars go wrong. */
const starts = ['2026-01-31T12:00:00.000Z', '2028-02-29T23:59:59.999Z', '2026-08-31T00:00:00.000Z'];

const last = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) });
const skus = fc.constantFrom(...plans.map(({ sku }) => sku));
const sold = fc.constantFrom(...plans.filter(({ price }) => price > 0).map(({ sku }) => sku));
const when = fc.constantFrom<When[]>('now', 'period_end');
const product = fc.constantFrom('COIN', 'COIN', 'CREDITS');
const amount = fc.integer({ min: 1, max: 12 });
const isQuiet = fc.boolean();
/** Some of them end long after the period in which they began. */
const hours = fc.oneof(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 25, max: 168 }));

const lengths = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 40 * HOUR_MS }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 70 }).map((days) => days * DAY_MS) },
  { weight: 1, arbitrary: fc.integer({ min: 71, max: 500 }).map((days) => days * DAY_MS) },
);

function commands(): fc.WeightedArbitrary<PlanCommand>[] {
  const of = <K extends PlanCommand['kind']>(kind: K) => fc.constant(kind);
  return [
    { weight: 4, arbitrary: record({ kind: of('subscribe'), sku: skus }) },
    { weight: 3, arbitrary: record({ kind: of('buy'), sku: fc.oneof(sold, fc.constant('the same')) }) },
    { weight: 6, arbitrary: record({ kind: of('pay'), last }) },
    {
      weight: 4,
      arbitrary: record({
        kind: of('change'),
        last,
        sku: skus,
        when,
        oldUnits: fc.constantFrom<OldUnits[]>('carry', 'reset'),
      }),
    },
    { weight: 2, arbitrary: record({ kind: of('cancel'), last, when }) },
    { weight: 1, arbitrary: record({ kind: of('resume'), last }) },
    { weight: 2, arbitrary: record({ kind: of('renew'), last }) },
    { weight: 1, arbitrary: record({ kind: of('grant'), quantity: amount, days: fc.constantFrom(null, 3, 40) }) },
    {
      weight: 4,
      arbitrary: record({ kind: of('consume'), product, amount: fc.oneof(amount, fc.constant('all' as const)) }),
    },
    { weight: 1, arbitrary: record({ kind: of('overdraw'), amount: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 4, arbitrary: record({ kind: of('wait'), ms: lengths, isQuiet }) },
    {
      weight: 7,
      arbitrary: record({
        kind: of('wait for'),
        next: fc.nat(2),
        offsetMs: fc.integer({ min: -1, max: 1 }),
        isQuiet,
      }),
    },
    {
      weight: 2,
      arbitrary: record({
        kind: of('return'),
        last,
        as: fc.constantFrom<('refund' | 'dispute')[]>('refund', 'dispute'),
        quarters: fc.constantFrom(1, 2, 3, 4, 4, 4),
      }),
    },
    { weight: 3, arbitrary: record({ kind: of('reserve'), product, amount, hours }) },
    {
      weight: 2,
      arbitrary: record({
        kind: of('end hold'),
        last,
        as: fc.constantFrom<('commit' | 'release')[]>('commit', 'release'),
      }),
    },
  ];
}

/** Draws workloads of so many commands, which begin with a plan. */
export function planWorkloads({ min, max }: { min: number; max: number }): fc.Arbitrary<PlanWorkload> {
  const [first, ...others] = commands();
  const begin = required(first);
  return record({
    startsAt: fc.constantFrom(...starts),
    commands: fc
      .tuple(begin.arbitrary, fc.array(fc.oneof(begin, ...others), { minLength: min, maxLength: max, size: 'max' }))
      .map(([subscribe, more]) => [subscribe, ...more]),
  });
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there are commands');
  return value;
}
