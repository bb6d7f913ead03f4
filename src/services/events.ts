// The feed of events (DOMAIN 3.19): whoever follows it by its cursors misses nothing and is told nothing twice.
import {
  type EventsAsked,
  findDroppedPlace,
  findLastPlace,
  findPlaceOfNext,
  listEvents,
  movePlaces,
  type StoredEvent,
} from '../db/events.js';
import { begin, orAbandon } from '../db/transactions.js';
import type { Deps } from '../deps.js';
import { requireCustomer } from '../engine/customers.js';
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
/** Events of everybody that one statement looks at at most, so that a type that is rare does not hold a reader up. */
const LOOKED_AT_MAX = 10_000;

/**
 * Events behind a place, in the order of places, as far as none can come between them any more. Waits for a first one for a while, if that is asked for.
 * Throws: customer_not_found, selector_conflict, invalid_request (a place that was never handed out).
 */
export async function followEvents(deps: Deps, query: FeedQuery): Promise<FeedPage> {
  const { selector, types, limit, waitMs } = query;
  const customerId = selector && (await requireCustomer(deps, selector)).customerId;
  const after = await placeToGoOnFrom(deps, query.after);
  const endMs = performance.now() + waitMs;
  for (let from = after; ; ) {
    const horizon = Math.max(from, await deps.horizon.look());
    const through = customerId === undefined ? await findPlaceOfNext(deps.db, from, horizon, LOOKED_AT_MAX) : horizon;
    const events = through > from ? await listEvents(deps.db, { after: from, through, types, customerId, limit }) : [];
    if (events.length > 0 || performance.now() >= endMs || deps.horizon.isEnded()) {
      // Looked at last, because some may have been dropped while they were read.
      const oldest = await findDroppedPlace(deps.db);
      if (after < oldest) return { events: [], place: oldest, isExpired: true };
      return { events, place: events.length < limit ? through : (events.at(-1)?.place ?? through), isExpired: false };
    }
    from = through;
    if (through === horizon) await deps.horizon.pause(Math.min(MS_BETWEEN_LOOKS, endMs - performance.now()));
  }
}

async function placeToGoOnFrom(deps: Deps, after: number | undefined): Promise<number> {
  if (after === undefined) return findDroppedPlace(deps.db);
  if (after > (await findLastPlace(deps.db))) {
    const detail = 'The cursor names a place that no event has had yet: it is not one of this database.';
    throw new AppError('invalid_request', detail, { pointer: 'query/cursor' });
  }
  return after;
}

/** Places below a move of the data to another server: so many that none is drawn twice, and so few that thousands of moves fit in a safe integer. */
const BITS_BELOW_MOVE = 40;

/** Looks whether the data are on the server on which their places were drawn, before anything is written. Locks: the row of the log of events. */
export async function guardPlaces({ db }: Pick<Deps, 'db'>): Promise<void> {
  const tx = await begin(db, 'pool');
  await orAbandon(tx, async () => {
    await tx.begun;
    await movePlaces(tx, BITS_BELOW_MOVE);
  });
  await tx.commit();
}
