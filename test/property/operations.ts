// Draws workloads: sequences of commands about one customer. A workload is about something (what is sold, who is given what, what is held, what
// is owed, or all of it), so that few commands meet each other often.
import fc from 'fast-check';
import type { Command, Scope, Workload } from './commands.js';
import { record, type Weighted } from './draw.js';
import { limitEpisodes, limits } from './draw-limits.js';
import { mergers } from './draw-merges.js';
import { refundEpisodes, refunds } from './draw-refunds.js';
import { exchanges, gifts, grants, orders, remembered, stock } from './draw-sales.js';
import { time } from './draw-time.js';
import { batchesOfUses, credits, episodes, type Focus, givingBack, reservations, uses } from './draw-work.js';

/** Ends of months, of years and of leap days, where calendars go wrong. */
const starts = [
  '2026-01-31T12:00:00.000Z',
  '2024-02-29T23:59:59.999Z',
  '2026-08-31T00:00:00.000Z',
  '2027-12-31T23:30:00.000Z',
];

/** Draws workloads of so many commands, after what they begin with. */
export function workloads(scope: Scope, length: { min: number; max: number }): fc.Arbitrary<Workload> {
  const of = (commands: Weighted[], focus?: Focus): fc.Arbitrary<Command[]> => {
    const single = fc.oneof(...commands, ...time(scope)).map((command) => [command]);
    const some = focus
      ? fc.oneof(
          { weight: 6, arbitrary: single },
          { weight: 2, arbitrary: episodes(scope, focus) },
          { weight: 1, arbitrary: limitEpisodes(scope, focus) },
        )
      : single;
    return fc.array(some, { minLength: length.min, maxLength: length.max, size: 'max' }).map((drawn) => drawn.flat());
  };
  const single = fc.oneof(...afterSale(scope), ...time(scope)).map((command) => [command]);
  const ofRefunds = fc
    .array(fc.oneof({ weight: 1, arbitrary: refundEpisodes(scope) }, { weight: 4, arbitrary: single }), {
      minLength: length.min,
      maxLength: length.max,
      size: 'max',
    })
    .map((drawn) => drawn.flat());
  return record({
    startsAt: fc.constantFrom(...starts),
    commands: fc
      .tuple(
        fc.array(stock, { minLength: 1, maxLength: 2 }),
        fc.oneof(
          { weight: 3, arbitrary: of(sales(scope)) },
          { weight: 2, arbitrary: of(people(scope)) },
          { weight: 4, arbitrary: of(work(scope), 'everything') },
          { weight: 3, arbitrary: of(debts(scope), 'money') },
          { weight: 3, arbitrary: ofRefunds },
          ...(scope.hasMerges ? [{ weight: 3, arbitrary: mergers(scope, length) }] : []),
          { weight: 1, arbitrary: of([...sales(scope), ...people(scope), ...work(scope), ...debts(scope)]) },
        ),
      )
      .map(([stocked, others]): Command[] => [...stocked, ...others]),
  });
}

function sales(scope: Scope): Weighted[] {
  return [
    ...grants(scope),
    ...orders(scope),
    ...exchanges(scope),
    ...uses(scope, 'everything'),
    ...(scope.hasMemory ? repeats(7) : []),
  ];
}

function people(scope: Scope): Weighted[] {
  return [
    ...grants(scope),
    ...gifts(scope),
    ...uses(scope, 'everything'),
    ...(scope.hasMemory ? [...remembered(scope), ...repeats(11)] : []),
  ];
}

function work(scope: Scope): Weighted[] {
  return [
    ...grants(scope),
    ...uses(scope, 'everything'),
    ...reservations(scope, 'everything'),
    ...givingBack(scope),
    ...limits(scope, 'everything'),
    ...(scope.hasMemory ? [...batchesOfUses(scope, 'everything'), ...repeats(7)] : []),
  ];
}

function debts(scope: Scope): Weighted[] {
  return [
    ...grants(scope, ['COIN', 'COIN', 'GEM']),
    ...exchanges(scope),
    ...uses(scope, 'money'),
    ...reservations(scope, 'money'),
    ...givingBack(scope),
    ...credits(scope),
    ...limits(scope, 'money'),
    ...(scope.hasMemory ? [...batchesOfUses(scope, 'money'), ...repeats(7)] : []),
  ];
}

function afterSale(scope: Scope): Weighted[] {
  return [
    ...refunds(scope),
    ...grants(scope, ['COIN', 'COIN', 'CREDITS']),
    ...uses(scope, 'everything'),
    ...reservations(scope, 'money'),
    ...givingBack(scope),
    ...credits(scope),
    ...(scope.hasMemory ? repeats(4) : []),
  ];
}

function repeats(weight: number): Weighted[] {
  return [{ weight, arbitrary: record({ kind: fc.constant('repeat' as const), last: fc.nat(7) }) }];
}
