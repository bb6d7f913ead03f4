// The clock of the process beside the database's (DOMAIN 3.18): what is written by a clock that is wrong can't be taken back. A clock without a guard, as
// tests set it, is compared with none.
import { AppError } from '../errors/app-error.js';
import { type Clock, SKEW_MAX_MS } from '../lib/clock.js';
import type { Row, Tx } from './client.js';

const RETRY_AFTER_S = 10;
const MS_PER_S = 1_000;

/** Asks the database for its instant, and compares. Throws: clock_skewed. */
export async function guardClock(tx: Tx, clock: Clock): Promise<void> {
  const since = clock.now();
  for (const { now } of await tx.query<Row & { now: Date }>('SELECT clock_timestamp() AS now'))
    requireOneTime(clock, now, since);
}

/** Compares with the instant of the database in the answer to what was sent at `since`. Throws: clock_skewed. */
export function requireOneTime(clock: Clock, instant: Date, since: Date): void {
  const skewMs = clock.skewTo?.(instant, since) ?? 0;
  if (skewMs === 0) return;
  const apart = `${Math.round(Math.abs(skewMs) / MS_PER_S)} s ${skewMs > 0 ? 'ahead of' : 'behind'}`;
  throw clockSkewed(`The clock of this process is ${apart} the database's: set it right.`);
}

/** Whether what was recorded last lies ahead of what the database's clock showed. */
export function isAhead(clock: Clock, recorded: Date, instant: Date): boolean {
  return clock.skewTo !== undefined && recorded.getTime() - instant.getTime() > SKEW_MAX_MS;
}

/** The refusal of a write that would be dated by a clock that is wrong. */
export function clockSkewed(detail: string): AppError {
  return new AppError('clock_skewed', detail, { retryAfterS: RETRY_AFTER_S });
}
