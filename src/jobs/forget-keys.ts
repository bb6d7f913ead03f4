// The job that forgets what was answered under old keys of callers.
import { guardClock } from '../db/clock.js';
import { forgetOldKeys } from '../db/idempotency.js';
import type { Deps } from '../deps.js';
import { type Job, repeat } from './repeat.js';

const MS_PER_S = 1_000;
const MS_PER_DAY = 86_400_000;
/** Records that one step forgets at most. */
const STEP_MAX = 1_000;

/** Starts forgetting, in bounded steps, every so many seconds of the configuration; nothing where keys are kept for ever. */
export function startForgettingKeys(deps: Deps): Job | undefined {
  const { keysKeepDays, sweepIntervalS } = deps.config;
  if (keysKeepDays === null) return undefined;
  return repeat(deps, 'forget-keys', sweepIntervalS * MS_PER_S, async (isStopped) => {
    const forgotten = await forgetKeys(deps, keysKeepDays, isStopped);
    if (forgotten > 0) deps.log.info({ records: forgotten }, 'forgot what was answered under old keys');
  });
}

/** Forgets what was recorded under keys of callers more than so many days ago, step by step; how many records they were. Throws: clock_skewed. */
export async function forgetKeys(
  deps: Pick<Deps, 'db' | 'clock'>,
  keepDays: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  await guardClock(deps.db, deps.clock);
  const before = new Date(deps.clock.now().getTime() - keepDays * MS_PER_DAY);
  let forgotten = 0;
  while (!isStopped()) {
    const step = await forgetOldKeys(deps.db, before, STEP_MAX);
    forgotten += step;
    if (step === 0) break;
  }
  return forgotten;
}
