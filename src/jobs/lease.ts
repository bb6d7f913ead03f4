// The lease of a run: renewed while the run goes on, and lost when that fails for as long as a lease lasts, by a clock that is never set.
import { renewJob, takeJob } from '../db/jobs.js';
import type { Deps } from '../deps.js';
import { type Job, measureLag } from './job.js';
import { repeat } from './repeat.js';

/** So often a lease is renewed before it would run out. */
const RENEWALS = 3;

/** By whom leases are held, and how long they last without being renewed. */
export interface Holding {
  holder: string;
  leaseMs: number;
}

export interface Lease {
  /** Whether another process may run the job by now. */
  isLost(): boolean;
  /** Ends renewing; the lease itself goes on. */
  end(): Promise<void>;
}

/** Takes the slot of a job that is due, and renews the lease from then on; undefined when somebody else was first. */
export async function takeLease(deps: Deps, job: Job, { holder, leaseMs }: Holding): Promise<Lease | undefined> {
  let untilMs = performance.now() + leaseMs;
  if (!(await takeJob(deps.db, job.name, holder, leaseMs))) return undefined;
  const renewing = repeat(deps, job.name, leaseMs / RENEWALS, async () => {
    const lagMs = await measureLag(deps, job);
    const askedAtMs = performance.now();
    const isHeld = await renewJob(deps.db, job.name, { holder, leaseMs, lagMs });
    untilMs = isHeld ? askedAtMs + leaseMs : Number.NEGATIVE_INFINITY;
  });
  return { isLost: () => performance.now() >= untilMs, end: () => renewing.stop() };
}
