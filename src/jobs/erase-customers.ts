// The job that blanks what is left of customers who were erased: where the request that erased one was cut off, or had too much to do.
import { listUnfinished } from '../db/erasures.js';
import { blankUnfinished } from '../engine/erasing.js';
import type { Job } from './job.js';

const INTERVAL_MS = 10_000;

export const eraseCustomersJob: Job = {
  name: 'erase-customers',
  intervalMs: () => INTERVAL_MS,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    const customers = await blankUnfinished(deps, isStopped);
    if (customers > 0) deps.log.info({ customers }, 'blanked what was left of customers who were erased');
  },
  lagMs: async ({ db, clock }) => {
    const now = clock.now();
    const [oldest] = await listUnfinished(db, [], 1);
    return now.getTime() - (oldest?.erasedAt ?? now).getTime();
  },
};
