// Draws what is used up: consumes, reservations and their endings, what is given back, credits and debts.
import fc from 'fast-check';
import { type Subject, subjects } from './catalogue.js';
import type {
  AmountCommand,
  Command,
  LifetimeCommand,
  OperationCommand,
  ReservationCommand,
  Scope,
  SubjectCommand,
  UseCommand,
} from './commands.js';
import { hoursFrom, keysOf, mostly, quantities, record, type Weighted } from './draw.js';
import { grants } from './draw-sales.js';
import { waitFor } from './draw-time.js';

const MINUTE_S = 60;
const HOUR_S = 3_600;
const WEEK_S = 7 * 24 * HOUR_S;

const features = [{ feature: 'image' }, { feature: 'text' }];
const currencies = ['COIN', 'COIN', 'GEM'];
const noCurrencies = ['CREDITS', 'UNKNOWN', 'OLD_COIN'];

/** What is asked for, of all products or of what counts as money. */
export type Focus = 'everything' | 'money';

/** Mostly something of which there is something. */
export function subjectsOf(scope: Scope, focus: Focus): fc.Arbitrary<SubjectCommand> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.nat(subjects.length - 1) },
    { weight: 1, arbitrary: namedSubjectsOf(scope, focus) },
  );
}

function namedSubjectsOf({ hasUnknowns }: Scope, focus: Focus): fc.Arbitrary<Subject> {
  const asked =
    focus === 'everything'
      ? fc.constantFrom<Subject>(...subjects, ...features, ...features, ...features)
      : fc.constantFrom<Subject>({ product: 'COIN' }, { product: 'COIN' }, { product: 'GEM' }, { feature: 'image' });
  if (!hasUnknowns) return asked;
  return mostly(
    asked,
    fc.constantFrom<Subject>({ product: 'UNKNOWN' }, { feature: 'unknown' }, { product: 'RETIRED' }),
  );
}

const allAnd = record({ allAnd: fc.integer({ min: -1, max: 1 }) });

/** So many, or about all that there is. */
export const amounts: fc.Arbitrary<AmountCommand> = fc.oneof(
  { weight: 2, arbitrary: quantities },
  { weight: 1, arbitrary: allAnd },
);

export function uses(scope: Scope, focus: Focus): Weighted[] {
  const consume = record({
    kind: fc.constant('consume' as const),
    key: keysOf(scope, 'k1', 'k2'),
    subject: subjectsOf(scope, focus),
    amount: amounts,
  });
  return [{ weight: 8, arbitrary: consume }];
}

/** Many uses in one call. Their keys are those of single uses. */
export function batchesOfUses(scope: Scope, focus: Focus): Weighted[] {
  const item = record<UseCommand>({
    kind: fc.constant('consume' as const),
    key: keysOf(scope, 'k1', 'k2'),
    subject: subjectsOf(scope, focus),
    amount: fc.integer({ min: 1, max: 3 }),
  });
  const batch = record({
    kind: fc.constant('consume batch' as const),
    key: keysOf(scope, 'k1'),
    mode: fc.constantFrom('continue' as const, 'atomic' as const),
    items: fc.array(item, { minLength: 1, maxLength: 4 }),
  });
  return [{ weight: 5, arbitrary: batch }];
}

export function reservations(scope: Scope, focus: Focus): Weighted[] {
  return [
    { weight: 8, arbitrary: reserve(scope, focus) },
    { weight: 6, arbitrary: commit(scope) },
    { weight: 3, arbitrary: release(scope) },
    { weight: 3, arbitrary: extend(scope) },
  ];
}

const weeksS = fc.integer({ min: WEEK_S - 1, max: WEEK_S + 1 });
const lifetimesS = fc.oneof(
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }).map((minutes) => minutes * MINUTE_S) },
  { weight: 6, arbitrary: hoursFrom(1).map((hours) => hours * HOUR_S) },
  { weight: 1, arbitrary: weeksS },
);

function reserve(scope: Scope, focus: Focus): fc.Arbitrary<Command> {
  const lifetime = record<LifetimeCommand>({
    seconds: scope.hasUnknowns ? mostly(lifetimesS, fc.constantFrom(0, -1)) : lifetimesS,
    as: fc.constantFrom('length' as const, 'instant' as const),
  });
  return record({
    kind: fc.constant('reserve' as const),
    key: keysOf(scope, 'k1', 'k2'),
    subject: subjectsOf(scope, focus),
    amount: amounts,
    lifetime: fc.option<LifetimeCommand>(lifetime, { freq: 6 }),
  });
}

const reservation = record<ReservationCommand>({
  among: fc.oneof(
    { weight: 12, arbitrary: fc.constant('open' as const) },
    { weight: 4, arbitrary: fc.constant('ended' as const) },
    { weight: 1, arbitrary: fc.constant('nobodys' as const) },
  ),
  last: fc.nat(2),
});

export function commit(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('commit' as const),
    key: keysOf(scope, 'k1', 'k2'),
    of: reservation,
    amount: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: -5, max: 3 }) },
      { weight: 2, arbitrary: fc.constant('all' as const) },
      { weight: 1, arbitrary: fc.constant('again' as const) },
    ),
    allowExcess: fc.boolean(),
  });
}

export function release(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('release' as const),
    key: keysOf(scope, 'k1', 'k2'),
    of: reservation,
  });
}

function extend(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('extend' as const),
    key: keysOf(scope, 'k1', 'k2'),
    of: reservation,
    lifetimeS: fc.oneof(lifetimesS, lifetimesS, weeksS),
  });
}

export function givingBack(scope: Scope): Weighted[] {
  return [{ weight: 7, arbitrary: giveBack(scope) }];
}

export function giveBack(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('give back' as const),
    key: keysOf(scope, 'k1', 'k2'),
    of: record<OperationCommand>({
      among: fc.oneof(
        { weight: 15, arbitrary: fc.constant('used' as const) },
        { weight: 2, arbitrary: fc.constant('all' as const) },
        { weight: 1, arbitrary: fc.constant('nobodys' as const) },
      ),
      last: fc.nat(3),
    }),
    amount: fc.option<AmountCommand>(fc.oneof(fc.integer({ min: 1, max: 4 }), allAnd), { freq: 3 }),
  });
}

/** Commands of which each is about what the one before did, as chance alone seldom puts them: units that come back late, or to a debt. */
export function episodes(scope: Scope, focus: Focus): fc.Arbitrary<Command[]> {
  const held = reserve(scope, focus);
  const ending = fc.oneof(commit(scope), release(scope), waitFor('anything'));
  const credit = fc.oneof(...credits(scope));
  const use = fc.oneof(...uses(scope, focus));
  const any = fc.oneof(
    ...[...batchesOfUses(scope, focus), ...credits(scope), ...givingBack(scope), ...reservations(scope, focus)],
  );
  const again = fc.constant<Command>({ kind: 'repeat', last: 0 });
  return fc.oneof(
    ...(scope.hasMemory ? [inTurn(any, again)] : []),
    inTurn(held, waitFor('held batch'), ending),
    inTurn(heldCoins, overdraft, waitFor('anything'), waitFor('anything'), use),
    inTurn(heldCoins, waitFor('held batch'), overdraft, waitFor('anything'), use),
    inTurn(use, waitFor('anything'), giveBack(scope)),
    inTurn(laterCoins, laterCoins, overdraft),
    inTurn(held, credit, ending),
    inTurn(held, fc.oneof(...grants(scope)), commit(scope), giveBack(scope)),
  );
}

const heldCoins = record({
  kind: fc.constant('reserve' as const),
  key: fc.constant(null),
  subject: fc.constant({ product: 'COIN' }),
  amount: fc.constant({ allAnd: 0 }),
  lifetime: fc.option(
    record<LifetimeCommand>({ seconds: hoursFrom(1).map((hours) => hours * HOUR_S), as: fc.constant('length') }),
    { freq: 2 },
  ),
});

const laterCoins = record({
  kind: fc.constant('grant units' as const),
  key: fc.constant(null),
  as: fc.constant('bonus' as const),
  product: fc.constant('COIN'),
  quantity: fc.integer({ min: 1, max: 4 }),
  priority: fc.integer({ min: -1, max: 1 }),
  startsInH: fc.integer({ min: 1, max: 4 }),
  lastsH: fc.option(hoursFrom(1), { freq: 2 }),
});

const overdraft = record({
  kind: fc.constant('deduct credits' as const),
  key: fc.constant(null),
  product: fc.constant('COIN'),
  amount: fc.integer({ min: 1, max: 4 }).map((more) => ({ allAnd: more })),
  allowNegative: fc.constant(true),
});

/** Some of these, in this order. */
export function inTurn(...commands: fc.Arbitrary<Command>[]): fc.Arbitrary<Command[]> {
  const seldomLeftOut = commands.map((command) => fc.option(command, { freq: 9 }));
  return fc.tuple(...seldomLeftOut).map((drawn) => drawn.filter((command) => command !== null));
}

export function credits(scope: Scope): Weighted[] {
  const key = keysOf(scope, 'k1', 'k2');
  const currency = fc.constantFrom(...currencies);
  const product = scope.hasUnknowns ? mostly(currency, fc.constantFrom(...noCurrencies)) : currency;
  const add = record({
    kind: fc.constant('add credits' as const),
    key,
    product,
    amount: quantities,
    lastsH: fc.option(hoursFrom(scope.hasUnknowns ? -1 : 1), { freq: 2 }),
  });
  const deduct = record({
    kind: fc.constant('deduct credits' as const),
    key,
    product,
    amount: amounts,
    allowNegative: fc.boolean(),
  });
  return [
    { weight: 3, arbitrary: add },
    { weight: 6, arbitrary: deduct },
  ];
}
