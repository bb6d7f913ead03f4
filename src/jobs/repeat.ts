// Work of a process, again and again with a pause between: the timer behind all jobs.
import type { Deps } from '../deps.js';

/** What goes on until it is stopped. */
export interface Repeating {
  /** Resolves when the run that is under way has ended; none begins afterwards. */
  stop(): Promise<void>;
}

/** Nothing is tried again sooner after an error: whatever is away is not asked ten times a second, nor is each time logged. */
const PAUSE_AFTER_ERROR_MIN_MS = 5_000;

/**
 * Runs `work` now and `pauseMs` after each end of it, but PAUSE_AFTER_ERROR_MIN_MS at least after an error, which is logged and does not end the job.
 * `isStopped` tells long work to come to an end.
 */
export function repeat(
  { log }: Pick<Deps, 'log'>,
  name: string,
  pauseMs: number,
  work: (isStopped: () => boolean) => Promise<void>,
): Repeating {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const run = async (): Promise<void> => {
    let nextMs = pauseMs;
    try {
      await work(() => isStopped);
    } catch (error) {
      nextMs = Math.max(pauseMs, PAUSE_AFTER_ERROR_MIN_MS);
      log.error({ err: error, job: name }, 'a job failed; it runs again');
    }
    if (isStopped) return;
    timer = setTimeout(() => {
      running = run();
    }, nextMs);
  };
  running = run();
  return {
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
