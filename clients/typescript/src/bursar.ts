// The client: every call of Bursar by its name, a check of address and token, and pages read one after the other.
import type { CallOptions } from './call.js';
import { BursarProblem, BursarUnreachable, isOutage } from './errors.js';
import { type Calls, calls } from './generated/calls.js';
import { createTransport, type TransportSettings } from './transport.js';

export type {
  Answer,
  Args,
  Call,
  CallOptions,
  ProblemCode,
  Refusal,
  Result,
  Selector,
  Subject,
  UpgradeOffer,
  Violation,
} from './call.js';
export type { Calls } from './generated/calls.js';
export { BursarProblem, BursarUnreachable, isOutage };

export type BursarSettings = TransportSettings;

export interface Bursar extends Calls {
  /**
   * Asks once whether there is a Bursar at the address and takes the token.
   * Throws: BursarProblem (`unauthenticated` for a wrong token), BursarUnreachable (nothing there, or something else).
   */
  verify(options?: CallOptions): Promise<void>;
}

/**
 * Makes a client; sends nothing yet. Calls that write get an idempotency key when they bring none, and are repeated with it after a 5xx answer or none,
 * at most `attempts` times in all within `deadlineMs`. Refusals (402, 409, 429) of calls that can be refused are values with `allowed: false`.
 * Throws: TypeError for a URL or token that can't be right.
 */
export function createBursar(settings: BursarSettings): Bursar {
  const send = createTransport(settings);
  const bound = Object.entries(calls).map(([name, shape]) => [
    name,
    (args: object = {}, options: CallOptions = {}) => send(shape, args as Record<string, unknown>, options),
  ]);
  const made = Object.fromEntries(bound) as Calls;
  return {
    ...made,
    async verify(options = {}) {
      try {
        await made.listProducts({ limit: 1 }, options);
      } catch (error) {
        // a token that may not read was taken all the same
        if (!(error instanceof BursarProblem && error.status === 403)) throw error;
      }
    },
  };
}

interface Page<T> {
  data: readonly T[];
  next_cursor: string | null;
}

/**
 * Everything that a listing call has, page by page as it is asked for: `for await (const entry of each(bursar.listEntries, { external_id }))`.
 * The feed of events never ends: give `wait_s` and a signal. Throws what the call throws.
 */
export async function* each<T, A extends object>(
  list: (args: A & { cursor?: string }, options?: CallOptions) => Promise<Page<T>>,
  args: A,
  options: CallOptions = {},
): AsyncGenerator<T, void, void> {
  let cursor: string | null | undefined;
  do {
    const page: Page<T> = await list(cursor == null ? args : { ...args, cursor }, options);
    yield* page.data;
    cursor = page.next_cursor;
  } while (cursor !== null);
}
