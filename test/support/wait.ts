// Waiting for what must come true: polled, never slept for. The bound is only there to end what is wrong, with words that say what was missing;
// it is so far away that no busy machine reaches it, and no test may take the time that something took for a result.
import { setTimeout as delay } from 'node:timers/promises';

/** Some hundred times what the slowest of these waits takes on a quiet machine, and less than a test may take (vitest.config.ts). */
const DEADLINE_MS = 120_000;
const POLL_MS = 5;

/** Polls until `probe` gives something. `what` says in the error what was missing; as a function, as it is then. */
export async function waitFor<T>(
  what: string | (() => string),
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > endMs)
      throw new Error(`waited ${DEADLINE_MS} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await delay(POLL_MS);
  }
}
