// The job that drops events by their age.
import { guardClock } from '../db/clock.js';
import { dropOldEvents } from '../db/events.js';
import type { Deps } from '../deps.js';
import { type Job, repeat } from './repeat.js';

const MS_PER_S = 1_000;
const MS_PER_DAY = 86_400_000;
/** Events that one step drops at most. */
const STEP_MAX = 1_000;

/** Starts dropping, in bounded steps, every so many seconds of the configuration. */
export function startDroppingEvents(deps: Deps): Job {
  const { eventsKeepDays, sweepIntervalS } = deps.config;
  return repeat(deps, 'drop-events', sweepIntervalS * MS_PER_S, async (isStopped) => {
    const dropped = await dropEvents(deps, eventsKeepDays, isStopped);
    if (dropped > 0) deps.log.info({ events: dropped }, 'dropped old events');
  });
}

/** Drops events that were recorded more than so many days ago, oldest first, step by step; how many they were. Throws: clock_skewed. */
export async function dropEvents(
  deps: Pick<Deps, 'db' | 'clock'>,
  keepDays: number,
  isStopped: () => boolean = () => false,
): Promise<number> {
  await guardClock(deps.db, deps.clock);
  const before = new Date(deps.clock.now().getTime() - keepDays * MS_PER_DAY);
  let dropped = 0;
  while (!isStopped()) {
    const step = await dropOldEvents(deps.db, before, STEP_MAX);
    dropped += step;
    if (step === 0) break;
  }
  return dropped;
}
