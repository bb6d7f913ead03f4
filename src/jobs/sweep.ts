// The job that settles what has fallen due.
import { findOldestDue } from '../db/customers.js';
import { sweep } from '../engine/sweep.js';
import type { Job } from './job.js';

const MS_PER_S = 1_000;

export const sweepJob: Job = {
  name: 'sweep',
  intervalMs: ({ sweepIntervalS }) => sweepIntervalS * MS_PER_S,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    const swept = await sweep(deps, isStopped);
    if (swept.steps > 0) deps.log.info(swept, 'settled what was due');
  },
  lagMs: async ({ db, clock }) => {
    const now = clock.now();
    return now.getTime() - ((await findOldestDue(db, now)) ?? now).getTime();
  },
};
