// What a job is: a name, how often it runs, and its work. How it is run, by whom and when, is the same for all (run-jobs.ts).
import type { Deps } from '../deps.js';

export interface Job {
  /** Kebab-case, for the log and the API; the key of its row. A job that goes, or is renamed, takes its row along by a migration. */
  readonly name: string;
  /** Milliseconds from the end of a run to the next; null where the configuration leaves the job out. */
  intervalMs(config: Deps['config']): number | null;
  /**
   * `one-process`: whoever takes a due slot runs it, under a lease, and nobody else meanwhile. `every-process`: each does, whenever its interval is
   * over, and shares the work by what it locks or leases itself.
   */
  readonly runsIn: 'one-process' | 'every-process';
  /**
   * Does what is due, in steps that are short beside LEASE_MS, until nothing is left or `isStopped` says so: the process stops, or the lease was lost.
   * May be run twice at once when a process hangs for longer than its lease, so it must be right without it. What it throws is told and tried again.
   */
  run(deps: Deps, isStopped: () => boolean): Promise<void>;
  /** Ends what runs left going on beside them, and waits for it: the process stops. */
  end?(deps: Deps): Promise<void>;
  /** How old the oldest due work is, in milliseconds; 0 when there is none. Cheap: asked every few seconds of a run. Without it a job is late by its schedule alone. */
  lagMs?(deps: Deps): Promise<number>;
}

/** How old the oldest due work of a job is; null where it has no way to tell, or could not. Whole milliseconds, never below 0. */
export async function measureLag(deps: Deps, job: Job): Promise<number | null> {
  if (!job.lagMs) return null;
  try {
    return Math.max(0, Math.round(await job.lagMs(deps)));
  } catch (error) {
    deps.log.warn({ err: error, job: job.name }, 'could not see how old the work of a job is');
    return null;
  }
}
