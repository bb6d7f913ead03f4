// The job that copies limits again that customers share, once they changed.
import { listBehind } from '../db/limit-sources.js';
import { followLimits } from '../engine/follow-limits.js';
import type { Job } from './job.js';

const INTERVAL_MS = 2_000;

export const followLimitsJob: Job = {
  name: 'follow-limits',
  intervalMs: () => INTERVAL_MS,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    const customers = await followLimits(deps, isStopped);
    if (customers > 0) deps.log.info({ customers }, 'copied limits that are shared');
  },
  lagMs: async ({ db, clock }) => {
    const [oldest] = await listBehind(db, [], 1);
    return oldest ? clock.now().getTime() - oldest.copiedAt.getTime() : 0;
  },
};
