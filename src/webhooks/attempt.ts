// One attempt at a delivery, and what follows of its outcome.
import type { Tried } from '../db/webhooks.js';
import { deliveryDelayMs } from '../lib/backoff.js';
import { systemClock } from '../lib/clock.js';
import { type HttpOutcome, hasArrived } from '../lib/guarded-http.js';

const MS_PER_S = 1_000;
const RETRY_AFTER_MAX_MS = 86_400_000;
/** The receiver wants nothing any more. */
export const GONE = 410;

/** For how long a receiver wants to be left alone, in milliseconds: seconds or a date, at most a day; 0 where it says nothing that can be read. */
export function retryAfterMs(value: string | null, now: Date): number {
  if (value === null) return 0;
  const ms = /^\d{1,9}$/.test(value.trim()) ? Number(value) * MS_PER_S : Date.parse(value) - now.getTime();
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : 0;
}

/** What is written of an attempt, the `attempts`th. One that failed waits for the next, or is given up where it `isOld`. */
export function toTried(outcome: HttpOutcome, attempts: number, isOld: boolean): Tried {
  const isDone = hasArrived(outcome);
  const again = Math.max(deliveryDelayMs(attempts), retryAfterMs(outcome.retryAfter, systemClock.now()));
  return {
    status: isDone ? 'delivered' : isOld ? 'parked' : 'waiting',
    delayMs: isDone || isOld ? 0 : again,
    answerStatus: outcome.status,
    answerExcerpt: outcome.status === null ? null : outcome.excerpt,
    error: outcome.error,
  };
}
