// Runs jobs in this process until it stops: those of one process at a time under a lease, the others beside each other; and tells in their rows what became
// of them.
import { hostname } from 'node:os';
import { requireOneTime } from '../db/clock.js';
import { messageForLog } from '../db/errors-for-log.js';
import { addJobs, type Ended, endJob, LEASE_MS, lookAtJob, type Schedule, scheduleJobs } from '../db/jobs.js';
import type { Deps } from '../deps.js';
import { type Job, measureLag } from './job.js';
import { type Holding, takeLease } from './lease.js';
import { type Repeating, repeat } from './repeat.js';

/** How often a process looks whether a job is due. */
const LOOK_MS = 1_000;
/** How often a process tells of a job that every process runs. */
const TELL_MS = 10_000;
/** Work is late that is due for longer than two rounds and this. */
const LATE_MS = 60_000;
const ERROR_LENGTH_MAX = 500;

function schedulesOf({ config }: Deps, jobs: readonly Job[]): Schedule[] {
  return jobs.map((job) => {
    const intervalMs = job.intervalMs(config);
    return { name: job.name, intervalMs, lateAfterMs: 2 * (intervalMs ?? 0) + LATE_MS };
  });
}

/** Makes jobs known that some process should run, so that it is told when none does. */
export async function announceJobs(deps: Deps, jobs: readonly Job[]): Promise<void> {
  await addJobs(deps.db, schedulesOf(deps, jobs));
}

/** Starts jobs, at the intervals of this process's configuration. Stopping ends the runs that are under way, and gives their leases back. */
export async function startJobs(deps: Deps, jobs: readonly Job[], leaseMs = LEASE_MS): Promise<Repeating> {
  await scheduleJobs(deps.db, schedulesOf(deps, jobs));
  const holding = { holder: `${hostname()}/${process.pid}/${deps.ids.next()}`, leaseMs };
  const running = jobs.flatMap((job) => {
    const intervalMs = job.intervalMs(deps.config);
    if (intervalMs === null) return [];
    return job.runsIn === 'one-process'
      ? repeat(deps, job.name, Math.min(intervalMs, LOOK_MS), (isStopped) => runIfDue(deps, job, holding, isStopped))
      : repeat(deps, job.name, intervalMs, runHere(deps, job));
  });
  return {
    stop: async () => {
      await Promise.all(running.map((each) => each.stop()));
      await Promise.all(jobs.map((job) => job.end?.(deps)));
    },
  };
}

/** Runs a job if it is due and nobody else has it. A process whose clock is wrong leaves it to others. Throws: clock_skewed, what the run met. */
async function runIfDue(deps: Deps, job: Job, holding: Holding, isStopped: () => boolean): Promise<void> {
  const { db, clock } = deps;
  const since = clock.now();
  const seen = await lookAtJob(db, job.name);
  if (!seen?.isFree || isStopped()) return;
  requireOneTime(clock, seen.now, since);
  const lease = await takeLease(deps, job, holding);
  if (!lease) return;
  const run = await runOnce(deps, job, () => isStopped() || lease.isLost());
  await lease.end();
  const isDone = run.error === undefined && !isStopped() && !lease.isLost();
  await tell(deps, job, { ...run, holder: holding.holder, runs: 1, isDone });
  if (run.error !== undefined) throw run.error;
}

/** Runs a job that every process runs, and tells of it now and then. */
function runHere(deps: Deps, job: Job): (isStopped: () => boolean) => Promise<void> {
  let runs = 0;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return async (isStopped) => {
    const run = await runOnce(deps, job, isStopped);
    runs += 1;
    const hasFailed = run.error !== undefined;
    if (hasFailed || performance.now() - toldAtMs >= TELL_MS) {
      await tell(deps, job, { ...run, holder: null, runs, isDone: !hasFailed });
      runs = 0;
      toldAtMs = performance.now();
    }
    if (hasFailed) throw run.error;
  };
}

interface Run {
  lastedMs: number;
  error: unknown;
}

async function runOnce(deps: Deps, job: Job, isStopped: () => boolean): Promise<Run> {
  const beganMs = performance.now();
  let error: unknown;
  try {
    await job.run(deps, isStopped);
  } catch (thrown) {
    error = thrown ?? new Error('the job failed without an error');
  }
  return { lastedMs: performance.now() - beganMs, error };
}

/** Tells what became of a job, as far as the database can be reached: else its lease runs out. */
async function tell(deps: Deps, job: Job, { error, ...run }: Run & Omit<Ended, 'error' | 'lagMs'>): Promise<void> {
  try {
    const told = error === undefined ? null : tellable(error);
    await endJob(deps.db, job.name, { ...run, error: told, lagMs: await measureLag(deps, job) });
  } catch (failure) {
    deps.log.warn({ err: failure, job: job.name }, 'could not tell what became of a job');
  }
}

/** What is told of an error: nothing of rows, and what Postgres stores. */
function tellable(error: unknown): string {
  return messageForLog(error).replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX);
}
