// Chains of access (DOMAIN 3.5): however many months are split into orders, and whenever these are paid, the access ends where one order of all of them
// would end.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Term } from '../../src/ledger/catalog-entities.js';
import { grant } from '../../src/ledger/grant.js';
import { MemoryStore } from './memory-store.js';
import { propertyRun } from './seeds.js';

const RUNS = 1_000;
const TIMEOUT_MS = 600_000;
const ORIGIN = { source: 'bonus', operationId: 'an operation', sku: null, orderId: null, orderItemId: null } as const;
const WHY = { ...ORIGIN, actionType: 'bonus', metadata: {} };

interface Period {
  unit: 'hours' | 'days' | 'months' | 'years';
  value: number;
  times: number;
}

function termOf({ unit, value }: Period): Term {
  const length = { periodUnit: unit, periodValue: value };
  return { productKey: 'PASS', productType: 'period', quantity: 1, priority: 0, stacking: 'extend', ...length };
}

/** Buys one after another, each a part of the time after the one before that the access still lasts. */
function buy(store: MemoryStore, start: Date, periods: readonly Period[], waits: readonly number[] = []): Date {
  let now = start;
  let end = start;
  for (const [index, period] of periods.entries()) {
    const book = store.load(now);
    end = grant(book, termOf(period), period.times, WHY).expiresAt ?? end;
    store.write(book);
    now = new Date(now.getTime() + Math.floor((end.getTime() - now.getTime()) * (waits[index] ?? 0)));
  }
  return end;
}

const starts = fc.date({
  min: new Date('2024-01-01T00:00:00Z'),
  max: new Date('2200-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
const monthsIn = (periods: readonly Period[]) =>
  periods.reduce((sum, { unit, value, times }) => sum + (unit === 'years' ? 12 : 1) * value * times, 0);
const periodOf = (...units: Period['unit'][]) =>
  fc.record({
    unit: fc.constantFrom(...units),
    value: fc.integer({ min: 1, max: 14 }),
    times: fc.integer({ min: 1, max: 3 }),
  });

describe('access that is extended by months and years', () => {
  const { parameters, timeout } = propertyRun(RUNS, TIMEOUT_MS);

  it(
    'ends where one order of all of them would, behind whatever was bought before',
    () => {
      const before = fc.array(periodOf('hours', 'days', 'months', 'years'), { maxLength: 3 });
      const periods = fc.array(periodOf('months', 'years'), { minLength: 1, maxLength: 12 });
      const waits = fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 12, maxLength: 12 });
      fc.assert(
        fc.property(starts, before, periods, waits, (start, earlier, split, pauses) => {
          const [one, many] = [new MemoryStore(), new MemoryStore()];
          for (const store of [one, many]) buy(store, start, earlier);
          const whole = { unit: 'months' as const, value: monthsIn(split), times: 1 };
          expect(buy(many, start, split, pauses)).toEqual(buy(one, start, [whole]));
        }),
        parameters,
      );
    },
    timeout,
  );

  it(
    'ends on the day of its start, or on the last one of a shorter month, at its time of day',
    () => {
      fc.assert(
        fc.property(starts, fc.array(periodOf('months', 'years'), { minLength: 1, maxLength: 12 }), (start, split) => {
          const end = buy(new MemoryStore(), start, split);
          const isLast = new Date(end.getTime() + 24 * 3_600_000).getUTCDate() === 1;
          const day = start.getUTCDate();
          expect(end.getUTCDate() === day || (isLast && end.getUTCDate() < day)).toBe(true);
          expect(end.toISOString().slice(-14)).toBe(start.toISOString().slice(-14));
          const months = (instant: Date) => instant.getUTCFullYear() * 12 + instant.getUTCMonth();
          expect(months(end)).toBe(months(start) + monthsIn(split));
        }),
        parameters,
      );
    },
    timeout,
  );
});
