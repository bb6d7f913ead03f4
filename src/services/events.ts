// The feed of events (DOMAIN 3.19): whoever follows it by its cursors misses nothing and is told nothing twice.
import {
  type EventsAsked,
  findDroppedPlace,
  findLastPlace,
  findPlaceOfNext,
  listEvents,
  type StoredEvent,
} from '../db/events.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
import { guardPlaces } from '../engine/horizon.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';

export interface FeedQuery extends Pick<EventsAsked, 'types' | 'limit'> {
  /** Of whom; of everybody when left out. */
  selector: Selector | undefined;
  /** The place behind which to go on; from the oldest event that is left when left out. */
  after: number | undefined;
  /** How long to wait for a first event, in milliseconds. */
  waitMs: number;
}

export interface FeedPage {
  events: StoredEvent[];
  /** Where to go on. */
  place: number;
  /** Events behind the place that was asked for were dropped by age: there is nothing on the page, and `place` is where the oldest begin. */
  isExpired: boolean;
}

const MS_BETWEEN_LOOKS = 200;
/** Events that one statement looks at at most, so that a type that is rare does not hold a reader up. */
const LOOKED_AT_MAX = 10_000;

/**
 * Events behind a place, in the order of places, as far as none can come between them any more. Waits for a first one for a while, if that is asked for.
 * Throws: customer_not_found, selector_conflict, invalid_request (a place that was never handed out).
 */
export async function followEvents(deps: Deps, query: FeedQuery): Promise<FeedPage> {
  const { selector, types, limit, waitMs } = query;
  const customerIds = selector && (await requireCustomer(deps, selector)).familyIds;
  const begin = await placeToGoOnFrom(deps, query.after);
  const endMs = performance.now() + waitMs;
  for (let from = begin; ; ) {
    const horizon = Math.max(from, await deps.horizon.look());
    const asked = { after: from, through: horizon, types, customerIds, limit };
    if (types.length > 0 && horizon > from) asked.through = await findPlaceOfNext(deps.db, asked, LOOKED_AT_MAX);
    const { through } = asked;
    const events = through > from ? await listEvents(deps.db, asked) : [];
    if (events.length > 0 || performance.now() >= endMs || deps.horizon.isEnded()) {
      // Looked at last, because some may have been dropped while they were read; what was looked through before is no loss.
      const oldest = await findDroppedPlace(deps.db);
      if (from < oldest && query.after !== undefined) return { events: [], place: oldest, isExpired: true };
      return { events, place: events.length < limit ? through : (events.at(-1)?.place ?? through), isExpired: false };
    }
    from = through;
    if (through === horizon) await deps.horizon.pause(Math.min(MS_BETWEEN_LOOKS, endMs - performance.now()));
  }
}

async function placeToGoOnFrom(deps: Deps, after: number | undefined): Promise<number> {
  if (after === undefined) return findDroppedPlace(deps.db);
  if (after <= (await findLastPlace(deps.db))) return after;
  await guardPlaces(deps); // a server that took over may have lost it
  if (after > (await findLastPlace(deps.db))) {
    const detail = 'The cursor names a place that no event has had yet: it is not one of this database.';
    throw new AppError('invalid_request', detail, { pointer: 'query/cursor' });
  }
  return after;
}
