import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryLedger } from './memory-ledger.js';
import { workloads } from './operations.js';
import { propertyRun } from './seeds.js';
import { runWorkload, type Tally } from './workload.js';

const SEQUENCES = 1_000;
const COMMANDS = { min: 1, max: 25 };
const TIMEOUT_MS = 120_000;

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
  'take away: accepted',
  'take away: insufficient_quota',
  'trial: accepted',
  'trial: trial_already_used',
  'exchange: accepted',
  'exchange: already_unlimited',
  'exchange: insufficient_quota',
  'consume: accepted',
  'consume: insufficient_quota',
];

describe('the pure ledger', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('does what a naive model does, whatever is granted, taken, ordered, paid, exchanged and consumed', {
    timeout,
  }, async () => {
    const tally: Tally = new Map();
    const property = fc.asyncProperty(workloads({ hasMemory: false, hasUnknowns: false }, COMMANDS), (workload) =>
      runWorkload(workload, new MemoryLedger(), tally),
    );
    await fc.assert(property, parameters);
    if (isWhole) expect([...tally.keys()]).toEqual(expect.arrayContaining(answersToCover));
  });
});
