// The job that grants rewards in their time, and takes back those whose order went back.
import { findFirstReward } from '../db/rewards.js';
import { settleRewards } from '../engine/rewards.js';
import type { Job } from './job.js';

const INTERVAL_MS = 5_000;

export const settleRewardsJob: Job = {
  name: 'settle-rewards',
  intervalMs: () => INTERVAL_MS,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    const rewards = await settleRewards(deps, isStopped);
    if (rewards > 0) deps.log.info({ rewards }, 'granted rewards, or took them back');
  },
  lagMs: async ({ db, clock }) => {
    const now = clock.now();
    return now.getTime() - ((await findFirstReward(db, now)) ?? now).getTime();
  },
};
