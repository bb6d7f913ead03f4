// The job that drops old events, and what is kept of sending them.
import { dropOldEvents } from '../db/events.js';
import { dropDeliveries } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { type DropStep, dropByAge, dropJob } from './by-age.js';

/** Events that one step drops at most, and deliveries. */
const STEP_MAX = 1_000;

const stepOf =
  ({ db }: Pick<Deps, 'db'>): DropStep =>
  async (before) =>
    (await dropOldEvents(db, before, STEP_MAX)) + (await dropDeliveries(db, STEP_MAX));

export const dropOldEventsJob = dropJob('drop-events', ({ eventsKeepDays }) => eventsKeepDays, stepOf);

/** Drops events that were recorded more than so many days ago, oldest first, and their deliveries; how many all of them were. Throws: clock_skewed. */
export function dropEvents(deps: Pick<Deps, 'db' | 'clock'>, keepDays: number): Promise<number> {
  return dropByAge(deps, keepDays, stepOf(deps));
}
