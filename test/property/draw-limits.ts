// Draws limits, and what is used close to them.
import fc from 'fast-check';
import type { Command, LimitCommand, Scope, WindowsCommand } from './commands.js';
import { hoursFrom, keysOf, mostly, record, type Weighted } from './draw.js';
import { waitFor } from './draw-time.js';
import { amounts, commit, type Focus, giveBack, inTurn, release, subjectsOf } from './draw-work.js';
import type { Enforcement, LimitWindow } from './requests.js';

const HOUR_S = 3_600;
const WINDOWS: readonly LimitWindow[] = ['hour', 'day', 'month', 'billing_period', 'total'];

/** Little, or little more than was used. */
const ceilings = fc.oneof(
  { weight: 4, arbitrary: record({ usedAnd: fc.integer({ min: 0, max: 4 }) }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);

const windows: fc.Arbitrary<WindowsCommand> = fc
  .tuple(fc.subarray([...WINDOWS], { minLength: 1, maxLength: 3 }), fc.array(ceilings, { minLength: 3, maxLength: 3 }))
  .map(([names, most]) => Object.fromEntries(names.map((name, place) => [name, most[place] ?? null])));

const enforcement: fc.Arbitrary<Enforcement> = fc.oneof(
  { weight: 5, arbitrary: fc.constant('HARD' as const) },
  { weight: 2, arbitrary: fc.constant('SOFT' as const) },
  { weight: 1, arbitrary: fc.constant('NONE' as const) },
);

export function limits(scope: Scope, focus: Focus): Weighted[] {
  const remove = record<LimitCommand>({
    kind: fc.constant('remove limit' as const),
    limit: fc.oneof({ weight: 5, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant('nobodys' as const) }),
  });
  return [
    { weight: 4, arbitrary: setLimit(scope, focus) },
    { weight: 2, arbitrary: remove },
    { weight: 1, arbitrary: waitFor('window') },
  ];
}

function setLimit(scope: Scope, focus: Focus) {
  const unknown = fc.constantFrom({ product: 'UNKNOWN' }, { feature: 'unknown' });
  const subject = scope.hasUnknowns ? mostly(subjectsOf(scope, focus), unknown) : subjectsOf(scope, focus);
  return record({ kind: fc.constant('set limit' as const), subject, windows, enforcement });
}

const excess = record({
  kind: fc.constant('commit' as const),
  key: fc.constant(null),
  of: fc.constant({ among: 'open' as const, last: 0 }),
  amount: fc.integer({ min: 1, max: 3 }),
  allowExcess: fc.constant(true),
});

const limitOfCoins = record({
  kind: fc.constant('set limit' as const),
  subject: fc.constant({ product: 'COIN' }),
  windows,
  enforcement,
});

const deduction = record({
  kind: fc.constant('deduct credits' as const),
  key: fc.constant(null),
  product: fc.constant('COIN'),
  amount: fc.integer({ min: 1, max: 3 }),
  allowNegative: fc.boolean(),
});

const exchanges = record({
  kind: fc.constant('exchange' as const),
  key: fc.constant(null),
  sku: fc.constantFrom('FOR_COIN', 'COINS_FOR_COINS', 'CREDITS_FOR_COINS'),
});

/** A limit and what is used of its subject: close to the end of a window, held over it, given back after it. */
export function limitEpisodes(scope: Scope, focus: Focus): fc.Arbitrary<Command[]> {
  const limit = setLimit(scope, focus);
  const use = record({
    kind: fc.constant('consume' as const),
    key: keysOf(scope, 'k1', 'k2'),
    subject: subjectsOf(scope, focus),
    amount: amounts,
  });
  const hold = record({
    kind: fc.constant('reserve' as const),
    key: keysOf(scope, 'k1', 'k2'),
    subject: subjectsOf(scope, focus),
    amount: amounts,
    lifetime: record({ seconds: hoursFrom(1).map((hours) => hours * HOUR_S), as: fc.constant('length' as const) }),
  });
  const next = waitFor('window');
  const fewHeld = record({
    kind: fc.constant('reserve' as const),
    key: fc.constant(null),
    subject: subjectsOf(scope, focus),
    amount: fc.integer({ min: 1, max: 2 }),
    lifetime: fc.constant({ seconds: 5 * HOUR_S, as: 'length' as const }),
  });
  return fc.oneof(
    ofOneSubject(inTurn(fewHeld, limit, excess, use)),
    inTurn(limitOfCoins, deduction, exchanges, limitOfCoins, deduction),
    ofOneSubject(inTurn(limit, use, use, next, use)),
    ofOneSubject(inTurn(use, limit, use, limit, use)),
    ofOneSubject(inTurn(hold, limit, fc.oneof(commit(scope), release(scope), waitFor('anything')), use)),
    ofOneSubject(inTurn(limit, hold, next, use, commit(scope), giveBack(scope), use)),
    ofOneSubject(inTurn(use, next, limit, use, giveBack(scope), giveBack(scope), use)),
  );
}

/** All of them about the subject of the first that has one. */
function ofOneSubject(drawn: fc.Arbitrary<Command[]>): fc.Arbitrary<Command[]> {
  return drawn.map((commands) => {
    const first = commands.find((command) => 'subject' in command);
    return commands.map((command) =>
      'subject' in command && first ? { ...command, subject: first.subject } : command,
    );
  });
}
