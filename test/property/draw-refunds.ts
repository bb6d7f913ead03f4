// Draws what comes of what was bought: orders that are paid at once, refunds, disputes, and what is used and given back around them.
import fc from 'fast-check';
import type { Command, Scope, WhatIsRefunded } from './commands.js';
import { keysOf, mostly, record, type Weighted } from './draw.js';
import { waitFor } from './draw-time.js';
import { credits, giveBack, inTurn, reservations, uses } from './draw-work.js';

const PAYMENTS = 40;
const ACCESS = ['PASS_MONTH', 'PASS_DAYS', 'VIP_WEEK'];
const UNITS = ['COINS', 'COINS', 'MONTH_PACK', 'CREDITS_10', 'SKETCH_YEAR', 'FREE_SAMPLE'];
/** In twelfths of what is left to refund, or was paid: mostly a part, seldom too much. */
const twelfths = mostly(fc.integer({ min: 1, max: 12 }), fc.constantFrom(0, 13));
const policy = fc.constantFrom('ignore' as const, 'debt' as const);
const order = fc.oneof({ weight: 9, arbitrary: fc.nat(2) }, { weight: 1, arbitrary: fc.constant('unpaid' as const) });
const disputeIds = fc.constantFrom('d1', 'd2', 'd3', 'd4');

function place(skus: readonly string[]): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('order' as const),
    key: fc.constant(null),
    lines: fc.array(record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 3 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    lifetimeH: fc.constant(24),
  });
}

function buy(skus: readonly string[]): fc.Arbitrary<Command[]> {
  const paid = record({
    kind: fc.constant('confirm' as const),
    key: fc.constant(null),
    order: fc.constant(0),
    status: fc.constant('paid' as const),
    payment: fc.nat(PAYMENTS - 1).map((place) => `paid ${place}`),
    amount: fc.constant(null),
  });
  return fc.tuple(place(skus), paid);
}

const lines = fc.uniqueArray(
  record({ line: mostly(fc.nat(2), fc.constant(9)), quantity: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }) }),
  { minLength: 1, maxLength: 2, selector: ({ line }) => line },
);

const what: fc.Arbitrary<WhatIsRefunded> = fc.oneof(
  { weight: 2, arbitrary: fc.constant('whole' as const) },
  { weight: 5, arbitrary: record({ twelfths }) },
  { weight: 4, arbitrary: record({ lines }) },
);

function refund(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('refund' as const),
    key: keysOf(scope, 'k1', 'k2'),
    order,
    id: fc.option<string>(fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8'), { freq: 9 }),
    what,
    dispute: fc.oneof(
      { weight: 5, arbitrary: fc.constant(null) },
      { weight: 4, arbitrary: fc.constant('of it' as const) },
      { weight: 1, arbitrary: disputeIds },
    ),
    policy,
  });
}

const refundFailed = record({
  kind: fc.constant('refund failed' as const),
  last: fc.nat(3),
  id: mostly(fc.constant(null), fc.constantFrom('r1', 'r2', 'r3')),
});

function dispute(scope: Scope): fc.Arbitrary<Command> {
  return record({
    kind: fc.constant('dispute' as const),
    key: keysOf(scope, 'k1', 'k2'),
    order,
    id: disputeIds,
    status: fc.oneof(
      { weight: 6, arbitrary: fc.constant('opened' as const) },
      { weight: 1, arbitrary: fc.constantFrom('won' as const, 'lost' as const) },
    ),
    twelfths: fc.option<number>(twelfths, { freq: 2 }),
    policy,
  });
}

const disputeEnds = record({
  kind: fc.constant('dispute ends' as const),
  last: fc.nat(2),
  status: fc.oneof(
    { weight: 5, arbitrary: fc.constant('won' as const) },
    { weight: 1, arbitrary: fc.constantFrom('lost' as const, 'opened' as const) },
  ),
});

export function refunds(scope: Scope): Weighted[] {
  return [
    { weight: 7, arbitrary: refund(scope) },
    { weight: 1, arbitrary: place(UNITS) },
    { weight: 4, arbitrary: refundFailed },
    { weight: 5, arbitrary: dispute(scope) },
    { weight: 5, arbitrary: disputeEnds },
  ];
}

/** Something is bought, used, claimed, and comes back. */
export function refundEpisodes(scope: Scope): fc.Arbitrary<Command[]> {
  const claim = fc.oneof(refund(scope), dispute(scope));
  const undo = fc.oneof(refundFailed, disputeEnds);
  const use = fc.oneof(...uses(scope, 'everything'), ...credits(scope), ...reservations(scope, 'everything'));
  const bought = fc.oneof(buy(UNITS), buy(UNITS), buy(ACCESS), buy([...UNITS, ...ACCESS]));
  const rest = fc.oneof(
    inTurn(use, claim, undo),
    inTurn(use, claim, giveBack(scope), undo),
    inTurn(claim, claim, undo, undo),
    inTurn(use, claim, waitFor('anything'), undo, claim),
    inTurn(claim, use, claim, undo),
  );
  return fc.tuple(bought, rest).map((drawn) => drawn.flat());
}
