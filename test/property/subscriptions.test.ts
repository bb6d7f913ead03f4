import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planWorkloads } from './draw-subscriptions.js';
import { MemorySubscriptions } from './memory-subscriptions.js';
import { answersToCover, onceDifferent } from './plan-examples.js';
import { type PlanTally, runPlans } from './plan-workload.js';
import { propertyRun } from './seeds.js';

const SEQUENCES = 1_000;
const COMMANDS = { min: 1, max: 30 };
const TIMEOUT_MS = 600_000;

describe('subscriptions', () => {
  const { parameters, timeout, isWhole } = propertyRun(SEQUENCES, TIMEOUT_MS);

  it('turn as in a naive model, whatever is paid, changed, cancelled, used and held, and however late', {
    timeout,
  }, async () => {
    const tally: PlanTally = new Map();
    const property = fc.asyncProperty(planWorkloads(COMMANDS), (workload) =>
      runPlans(workload, new MemorySubscriptions(), tally),
    );
    await fc.assert(property, { ...parameters, examples: onceDifferent });
    if (isWhole) expect(answersToCover.filter((answer) => !tally.has(answer))).toEqual([]);
  });
});
