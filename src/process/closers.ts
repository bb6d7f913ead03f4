// What has been opened and must be closed again, last opened first, each within a bound.
import type { Logger } from 'pino';

/** Longer than the longest wait of a request for a lock, so that requests under way end by themselves. */
const CLOSE_TIMEOUT_MS = 20_000;

export class Closers {
  readonly #opened: { name: string; close: () => Promise<void> }[] = [];

  /** Remembers how to close what was just opened. */
  add(name: string, close: () => Promise<void>): void {
    this.#opened.push({ name, close });
  }

  /** Closes everything; one that fails or takes too long is logged, and the rest still closes. Returns whether all went well. */
  async closeAll(log: Logger | undefined): Promise<boolean> {
    let isClean = true;
    for (let next = this.#opened.pop(); next !== undefined; next = this.#opened.pop()) {
      try {
        await withinTimeout(next.close(), CLOSE_TIMEOUT_MS);
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
