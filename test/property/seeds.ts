// How the property tests are seeded, and how long they may take. The seed is fixed, so that a red build means a change and can be repeated.
// To roll the dice: PROPERTY_SEED=random (or a number), PROPERTY_RUNS=<how many>. A failure prints seed and path; PROPERTY_SEED with
// PROPERTY_PATH replays the shrunk case alone.
import type fc from 'fast-check';

const FIXED_SEED = 20_260_131;
const SEED_MAX = 2 ** 31;
/** What is left of a test's time to print the failure when shrinking is cut short. */
const PRINTING_MS = 10_000;

export interface PropertyRun {
  /** For `fc.assert`. */
  parameters: fc.Parameters<unknown>;
  /** For the test around it. */
  timeout: number;
  /** Whether the runs are as many as usual, so that what they cover can be asked. */
  isWhole: boolean;
}

/** A property of so many runs, which are given up after so long together, on however busy a machine; both grow with PROPERTY_RUNS. */
export function propertyRun(runs: number, timeoutMs: number): PropertyRun {
  const { PROPERTY_SEED: seed, PROPERTY_RUNS: wanted, PROPERTY_PATH: path } = process.env;
  const numRuns = Number(wanted ?? runs);
  const timeout = timeoutMs * Math.max(1, numRuns / runs);
  return {
    parameters: {
      seed: seed === 'random' ? Date.now() % SEED_MAX : Number(seed ?? FIXED_SEED),
      numRuns,
      ...(path !== undefined && { path }),
      interruptAfterTimeLimit: timeout - PRINTING_MS,
      markInterruptAsFailure: true,
    },
    timeout,
    isWhole: path === undefined && numRuns >= runs,
  };
}
