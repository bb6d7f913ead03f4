// The job that settles what has fallen due.
import type { Deps } from '../deps.js';
import { sweep } from '../engine/sweep.js';
import { type Job, repeat } from './repeat.js';

const MS_PER_S = 1_000;

/** Starts sweeping, every so many seconds of the configuration. */
export function startSweep(deps: Deps): Job {
  return repeat(deps, 'sweep', deps.config.sweepIntervalS * MS_PER_S, async (isStopped) => {
    const swept = await sweep(deps, isStopped);
    if (swept.steps > 0) deps.log.info(swept, 'settled what was due');
  });
}
