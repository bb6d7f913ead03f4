// The one loop of attempts, and what an attempt that failed comes to.
import { classOf } from '../db/errors.js';
import { RolledBack } from '../db/transactions.js';
import { AppError } from '../errors/app-error.js';
import { backOff } from '../lib/backoff.js';

/** Attempts at one operation before it is given up with 503. */
export const ATTEMPTS_MAX = 5;
const RETRY_AFTER_S = 1;
/** How long after the first attempt another may begin: nobody waits for an answer any more. */
const PATIENCE_MS = 60_000;

/** Between the look-up and the lock the customer that is meant became another: the operation is to start again. */
export class CustomerMoved extends Error {}

/** The operation could not be finished; nothing is known to be wrong with it. */
export function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'The operation could not be finished; try again with the same idempotency key.', {
    retryAfterS: RETRY_AFTER_S,
    cause,
  });
}

/** More waits already than memory should hold. */
export function overloaded(): AppError {
  return new AppError('overloaded', 'Too many requests are waiting.', { retryAfterS: RETRY_AFTER_S });
}

/**
 * What the caller is told after so many failed attempts, the last with this error; undefined when another attempt may be made. With `isPatient` a
 * database that can't be asked is asked again too.
 */
export function endOf(error: unknown, failures: number, isPatient = false): { error: unknown } | undefined {
  if (error instanceof AppError) return { error };
  const isChanged = error instanceof CustomerMoved || error instanceof RolledBack;
  const failure = isChanged ? 'again' : classOf(error);
  if (failure === 'ours') return { error };
  if (failure === 'down' && !isPatient) return { error: unavailable(error) };
  return failures < ATTEMPTS_MAX ? undefined : { error: unavailable(error) };
}

/**
 * Attempts something until it is done, at most ATTEMPTS_MAX times in all, of which `failures` were made before, the last begun within PATIENCE_MS.
 * Throws: unavailable, what the attempt refuses, what is a defect of ours.
 */
export async function persist<T>(
  attempt: () => Promise<T>,
  { failures = 0, isPatient = false }: { failures?: number; isPatient?: boolean } = {},
): Promise<T> {
  const begunAt = performance.now();
  for (let failed = failures; ; ) {
    if (failed > 0) await backOff(failed);
    try {
      return await attempt();
    } catch (error) {
      failed += 1;
      const end = endOf(error, failed, isPatient);
      if (end) throw end.error;
      if (performance.now() - begunAt > PATIENCE_MS) throw unavailable(error);
    }
  }
}
