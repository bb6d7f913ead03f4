// Whether the process can serve.
import { guardClock } from '../db/clock.js';
import type { Deps } from '../deps.js';

/** Asks the database, and for its time. Throws: clock_skewed, what the database could not do, as it says it. */
export async function checkDatabase({ db, clock }: Pick<Deps, 'db' | 'clock'>): Promise<void> {
  await guardClock(db, clock);
}
