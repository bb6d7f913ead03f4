// The job that tells ahead of batches that end.
import { findFirstNotice } from '../db/expiring.js';
import { notify } from '../engine/notify.js';
import type { Job } from './job.js';

const MS_PER_S = 1_000;

export const notifyJob: Job = {
  name: 'notify',
  intervalMs: ({ sweepIntervalS }) => sweepIntervalS * MS_PER_S,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    const batches = await notify(deps, isStopped);
    if (batches > 0) deps.log.info({ batches }, 'told what ends soon');
  },
  lagMs: async ({ db, clock }) => {
    const now = clock.now();
    return now.getTime() - ((await findFirstNotice(db, now)) ?? now).getTime();
  },
};
