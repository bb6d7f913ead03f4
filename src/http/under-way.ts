// The requests that handlers work on: each is answered in time, and all of them when the process has to end, done or not. What was not done by then goes on
// unheard, and its end is logged. Fastify's own bound ends when a body was read (on Node 20).
import type { FastifyBaseLogger } from 'fastify';
import { AppError } from '../errors/app-error.js';

declare module 'fastify' {
  interface FastifyInstance {
    underWay: UnderWay;
  }
}

export class UnderWay {
  readonly #timeoutMs: number;
  readonly #longTimeoutMs: number;
  readonly #giveUp = new Set<() => void>();
  #isOver = false;

  /** `timeoutMs` is how long a request may take, `longTimeoutMs` one that works through a file. */
  constructor(timeoutMs: number, longTimeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#longTimeoutMs = longTimeoutMs;
  }

  /** Does this work, and settles as it does. Throws: unavailable, when the time is over before. */
  run<T>(work: () => T | Promise<T>, log: FastifyBaseLogger, isLong = false): Promise<T> {
    if (this.#isOver) return Promise.reject(late());
    return new Promise((resolve, reject) => {
      const working = (async () => work())();
      const giveUp = (): void => {
        this.#giveUp.delete(giveUp);
        reject(late());
        working.then(
          () => log.warn('done after its time'),
          (error: unknown) => log.warn({ err: error }, 'failed after its time'),
        );
      };
      const timer = setTimeout(giveUp, isLong ? this.#longTimeoutMs : this.#timeoutMs);
      this.#giveUp.add(giveUp);
      working.then(resolve, reject).finally(() => {
        clearTimeout(timer);
        this.#giveUp.delete(giveUp);
      });
    });
  }

  /** How many are worked on. */
  count(): number {
    return this.#giveUp.size;
  }

  /** The time of all is over, and of what is still to come. */
  giveUpAll(): void {
    this.#isOver = true;
    for (const giveUp of this.#giveUp) giveUp();
  }
}

function late(): AppError {
  return new AppError(
    'unavailable',
    'There was no answer in time. It may still be carried out: repeat it with the same idempotency key.',
  );
}
