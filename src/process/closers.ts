// What has been opened and must be closed again, last opened first, all of it within a bound.
import type { Logger } from 'pino';

/** For everything. More than the HTTP server takes at most, which answers whom it can't wait for (http/bounds.ts). */
const CLOSE_TIMEOUT_MS = 22_000;
/** For what comes last, whatever was before. */
const CLOSE_LEAST_MS = 1_000;

export class Closers {
  readonly #opened: { name: string; close: () => Promise<void> }[] = [];

  /** Remembers how to close what was just opened. */
  add(name: string, close: () => Promise<void>): void {
    this.#opened.push({ name, close });
  }

  /** Closes everything; one that fails or takes too long is logged, and the rest still closes. Returns whether all went well. */
  async closeAll(log: Logger | undefined): Promise<boolean> {
    const endMs = performance.now() + CLOSE_TIMEOUT_MS;
    let isClean = true;
    for (let next = this.#opened.pop(); next !== undefined; next = this.#opened.pop()) {
      try {
        await withinTimeout(next.close(), Math.max(CLOSE_LEAST_MS, Math.ceil(endMs - performance.now())));
      } catch (error) {
        isClean = false;
        log?.error({ err: error }, `could not close ${next.name}`);
      }
    }
    return isClean;
  }
}

async function withinTimeout(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_settle, fail) => {
    timer = setTimeout(() => fail(new Error(`not closed within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
