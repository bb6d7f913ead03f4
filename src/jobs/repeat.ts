// Background work of a process, again and again with a pause between. Several processes may do the same work at once; it is made so.
import type { Deps } from '../deps.js';

/** A job that runs until it is stopped. */
export interface Job {
  /** Resolves when the run that is under way has ended; none begins afterwards. */
  stop(): Promise<void>;
}

/**
 * Runs `work` now and `pauseMs` after each end of it. An error is logged and does not end the job. `isStopped` tells long work to come to an
 * end.
 */
export function repeat(
  { log }: Pick<Deps, 'log'>,
  name: string,
  pauseMs: number,
  work: (isStopped: () => boolean) => Promise<void>,
): Job {
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const run = async (): Promise<void> => {
    try {
      await work(() => isStopped);
    } catch (error) {
      log.error({ err: error, job: name }, 'a job failed; it runs again');
    }
    if (isStopped) return;
    timer = setTimeout(() => {
      running = run();
    }, pauseMs);
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
