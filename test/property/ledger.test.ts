import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Command, Workload } from './commands.js';
import type { Tally } from './compare-answers.js';
import { MemoryLedger } from './memory-ledger.js';
import { workloads } from './operations.js';
import { rareWorkloads } from './rare-workloads.js';
import { propertyRun } from './seeds.js';
import { runWorkload } from './workload.js';

const SEQUENCES = 1_000;
const COMMANDS = { min: 1, max: 30 };
const TIMEOUT_MS = 600_000;
const FEW_SEQUENCES = 200;
const SCOPE = { hasMemory: false, hasUnknowns: false, hasProcesses: false, hasMerges: false };

/** Without these answers the sequences would be about nothing. */
const answersToCover = [
  'grant units: accepted',
  'grant offer: accepted',
  'grant offer: quantity_too_large',
  'order: accepted',
  'order: already_unlimited',
  'order: mixed_currencies',
  'order: quantity_too_large',
  'confirm: accepted',
  'confirm: replayed',
  'confirm: order_already_paid',
  'confirm: order_not_payable',
  'confirm: payment_already_used',
  'confirm: payment_mismatch',
  'refund: accepted',
  'refund: replayed',
  'refund: recovered',
  'refund: unrecovered',
  'refund: dispute_not_found',
  'refund: invalid_request',
  'refund: order_not_paid',
  'refund: refund_exceeds_paid',
  'refund: refund_mismatch',
  'dispute: accepted',
  'dispute: replayed',
  'dispute: recovered',
  'dispute: unrecovered',
  'dispute: dispute_closed',
  'dispute: dispute_mismatch',
  'dispute: order_not_paid',
  'dispute: refund_exceeds_paid',
  'take away: accepted',
  'take away: insufficient_quota',
  'trial: accepted',
  'trial: trial_already_used',
  'exchange: accepted',
  'exchange: already_unlimited',
  'exchange: insufficient_quota',
  'consume: accepted',
  'consume: insufficient_quota',
  'reserve: accepted',
  'reserve: insufficient_quota',
  'reserve: reservation_too_long',
  'commit: accepted',
  'commit: replayed',
  'commit: returned',
  'commit: expired',
  'commit: insufficient_quota',
  'commit: reservation_closed',
  'commit: reservation_exceeded',
  'commit: reservation_expired',
  'commit: reservation_not_found',
  'release: accepted',
  'release: replayed',
  'release: returned',
  'release: expired',
  'release: reservation_closed',
  'release: reservation_expired',
  'extend: accepted',
  'extend: reservation_closed',
  'extend: reservation_expired',
  'extend: reservation_too_long',
  'give back: accepted',
  'give back: returned',
  'give back: expired',
  'give back: revoked',
  'give back: not_reversible',
  'give back: operation_not_found',
  'give back: release_exceeds_usage',
  'add credits: accepted',
  'add credits: repaid',
  'deduct credits: accepted',
  'deduct credits: owed',
  'deduct credits: insufficient_quota',
  'set limit: accepted',
  'remove limit: accepted',
  'remove limit: limit_not_found',
  'consume: limit_exceeded',
  'consume: warned',
  'reserve: limit_exceeded',
  'reserve: warned',
  'commit: limit_exceeded',
  'commit: warned',
  'exchange: limit_exceeded',
  'deduct credits: limit_exceeded',
  'deduct credits: warned',
];

/** Workloads that once differed from the model, shrunk; they run first. */
const onceDifferent: [Workload][] = [
  // What is given back goes through the products in the reverse order of their first use, also when the excess of a commit uses one again.
  [
    {
      startsAt: '2026-01-31T12:00:00.000Z',
      commands: [
        grantOf('CREDITS', 6),
        { kind: 'reserve', key: null, subject: { feature: 'image' }, amount: 1, lifetime: null },
        grantOf('SKETCHES', 2),
        { kind: 'commit', key: null, of: { among: 'open', last: 0 }, amount: 2, allowExcess: true },
        { kind: 'give back', key: null, of: { among: 'used', last: 0 }, amount: 2 },
      ],
    },
  ],
];

/** A hold that ends after two batches did, so that it lapses after both of them, also where only one of them was loaded. */
const endsApart: [Workload] = [
  {
    startsAt: '2026-01-31T12:00:00.000Z',
    commands: [
      grantOf('CREDITS', 2, 1),
      grantOf('CREDITS', 2, 2),
      {
        kind: 'reserve',
        key: null,
        subject: { product: 'CREDITS' },
        amount: 1,
        lifetime: { seconds: 3 * 3_600, as: 'length' },
      },
      { kind: 'wait', ms: 4 * 3_600_000 },
    ],
  },
];

function grantOf(product: string, quantity: number, lastsH: number | null = null): Command {
  const always = { key: null, as: 'bonus', priority: 0, startsInH: null } as const;
  return { kind: 'grant units', product, quantity, lastsH, ...always };
}

describe('the pure ledger', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('does what a naive model does, whatever is given, sold, refunded, used, held, given back and owed', {
    timeout,
  }, async () => {
    const tally: Tally = new Map();
    const property = fc.asyncProperty(workloads(SCOPE, COMMANDS), (workload) =>
      runWorkload(workload, new MemoryLedger(), tally),
    );
    await fc.assert(property, { ...parameters, examples: [...onceDifferent, ...rareWorkloads] });
    if (isWhole) expect(answersToCover.filter((answer) => !tally.has(answer))).toEqual([]);
  });

  it.each([1, 2])(
    'does the same where no more than %i of each kind of what is due is settled at once',
    {
      timeout,
    },
    async (dueMax) => {
      const property = fc.asyncProperty(workloads(SCOPE, COMMANDS), (workload) =>
        runWorkload(workload, new MemoryLedger(dueMax), new Map()),
      );
      await fc.assert(property, { ...propertyRun(FEW_SEQUENCES, TIMEOUT_MS).parameters, examples: [endsApart] });
    },
  );
});
