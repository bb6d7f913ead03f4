// What goes by age: everything recorded more than so many days ago, in bounded steps, so that no step holds anybody up.
import { guardClock } from '../db/clock.js';
import type { Deps } from '../deps.js';
import { type Job, repeat } from './repeat.js';

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

/** Starts a job that drops by age, every so many seconds of the configuration. */
export function startDropping(deps: Deps, name: string, keepDays: number, step: DropStep): Job {
  return repeat(deps, name, deps.config.sweepIntervalS * MS_PER_S, async (isStopped) => {
    const rows = await dropByAge(deps, keepDays, step, isStopped);
    if (rows > 0) deps.log.info({ job: name, rows }, 'dropped by age');
  });
}
