// Turns signals and fatal errors into one request to stop. Ends nothing itself: main.ts closes what it opened, in order.
// Ctrl-C under npm arrives twice, the copy some time later, so only one that is no copy, and comes later still, means that somebody has lost patience.

const PATIENCE_MS = 2_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Thrown by `StopRequest.check` when a signal arrives before the start is complete. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

export interface StopRequest {
  /** Resolves at the first signal; rejects with an error that nobody caught. */
  readonly requested: Promise<void>;
  /** Asks to stop because of this error. */
  fail(error: unknown): void;
  /** Throws StopRequested after a signal, and the error after a fatal one: to be called between the steps of starting. */
  check(): void;
}

/**
 * Starts to listen. Each signal arrives `copies` times. `hurry` is called at another signal that comes later than the patience after the first, or after
 * the one before at which it was called.
 */
export function listenForStop(hurry: () => void, { copies }: { copies: number }): StopRequest {
  let firstAtMs: number | undefined;
  let count = 0;
  let fatal: { error: unknown } | undefined;
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const requested = new Promise<void>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  requested.catch(() => undefined); // told by check() while nobody waits for it yet

  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const nowMs = performance.now();
      const isLate = firstAtMs !== undefined && nowMs - firstAtMs > PATIENCE_MS;
      count += 1;
      if (isLate && count > copies) {
        [firstAtMs, count] = [nowMs, 1];
        hurry();
      }
      firstAtMs ??= nowMs;
      resolve();
    });
  }
  // covers rejections that nobody handles too: Node raises them as exceptions
  const fail = (error: unknown): void => {
    fatal ??= { error };
    reject(error);
  };
  process.on('uncaughtException', fail);

  return {
    requested,
    fail,
    check() {
      if (fatal) throw fatal.error;
      if (firstAtMs !== undefined) throw new StopRequested('asked to stop');
    },
  };
}
