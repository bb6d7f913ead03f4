// What goes by age: everything recorded more than so many days ago, in bounded steps, so that no step holds anybody up.
import { guardClock } from '../db/clock.js';
import type { Deps } from '../deps.js';
import type { Job } from './job.js';

const MS_PER_S = 1_000;
const MS_PER_DAY = 86_400_000;

/** Drops some of what was recorded before an instant; how many. */
export type DropStep = (before: Date) => Promise<number>;

/** Drops step by step until a step finds nothing or `isStopped` says so; how many in all. Throws: clock_skewed. */
export async function dropByAge(
  deps: Pick<Deps, 'db' | 'clock'>,
  keepDays: number,
  step: DropStep,
  isStopped: () => boolean = () => false,
): Promise<number> {
  await deps.clock.refresh?.();
  await guardClock(deps.db, deps.clock);
  const before = new Date(deps.clock.now().getTime() - keepDays * MS_PER_DAY);
  let dropped = 0;
  while (!isStopped()) {
    const count = await step(before);
    if (count === 0) break;
    dropped += count;
  }
  return dropped;
}

/** A job that drops by age; nothing where `keepDaysOf` says null. */
export function dropJob(
  name: string,
  keepDaysOf: (config: Deps['config']) => number | null,
  stepOf: (deps: Deps) => DropStep,
): Job {
  return {
    name,
    intervalMs: (config) => (keepDaysOf(config) === null ? null : config.sweepIntervalS * MS_PER_S),
    runsIn: 'one-process',
    run: async (deps, isStopped) => {
      const keepDays = keepDaysOf(deps.config);
      if (keepDays === null) return;
      const rows = await dropByAge(deps, keepDays, stepOf(deps), isStopped);
      if (rows > 0) deps.log.info({ job: name, rows }, 'dropped by age');
    },
  };
}
