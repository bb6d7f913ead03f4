// The job that applies events of payment providers which could not be applied when they came.
import { guardClock } from '../db/clock.js';
import { findOldestDueEvent } from '../db/payment-inbox.js';
import { inboxOf } from '../payments/inbox.js';
import type { Job } from './job.js';

const INTERVAL_MS = 1_000;

export const applyPaymentsJob: Job = {
  name: 'apply-payments',
  intervalMs: () => INTERVAL_MS,
  runsIn: 'one-process',
  run: async (deps, isStopped) => {
    await guardClock(deps.db, deps.clock);
    const events = await inboxOf(deps).applyDue(isStopped);
    if (events > 0) deps.log.info({ events }, 'tried events of payment providers again');
  },
  end: (deps) => inboxOf(deps).end(),
  lagMs: async ({ db, clock }) => {
    const now = clock.now();
    return now.getTime() - ((await findOldestDueEvent(db, now)) ?? now).getTime();
  },
};
