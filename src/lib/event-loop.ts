// How late the event loop is: what it was asked to do at an instant, and when it got to it. Looked at in moments, so that what one long work cost shows, and
// what goes on for long is told from it.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const MOMENT_MS = 500;
const NS_PER_MS = 1_000_000;

export interface EventLoopWatch {
  /** How late it was on the average of the last moment, in milliseconds. */
  delayMs(): number;
  end(): void;
}

/** Watches the event loop until it is ended; `onMoment` is told the longest delay of each moment, in milliseconds. Keeps no process alive. */
export function watchEventLoop(onMoment: (longestMs: number) => void): EventLoopWatch {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  /** What is measured is the time from one look to the next. */
  const late = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  let delayMs = 0;
  delays.enable();
  const timer = setInterval(() => {
    delayMs = delays.count > 0 ? late(delays.mean) : 0;
    onMoment(delays.count > 0 ? late(delays.max) : 0);
    delays.reset();
  }, MOMENT_MS).unref();
  return {
    delayMs: () => delayMs,
    end: () => {
      clearInterval(timer);
      delays.disable();
    },
  };
}
