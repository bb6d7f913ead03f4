// The next events of a feed: sent in order for each customer, to different ones at once, and written down together with how far the feed is. What is slow or
// fails becomes a delivery that waits, so that a page ends soon whatever one customer's events meet.
import { setTimeout as delay } from 'node:timers/promises';
import { findPlaceOfNext, listEvents, type StoredEvent } from '../db/events.js';
import { findLanes, laneOf, type NewDelivery, settleDelivery, type Tried, writePage } from '../db/webhooks.js';
import { typesAsked } from '../ledger/event-types.js';
import { groupBy } from '../lib/group-by.js';
import type { HttpOutcome } from '../lib/guarded-http.js';
import { toTried } from './attempt.js';
import { type FeedRun, goOn } from './feed-run.js';

const EVENTS_MAX = 200;
/** Of an endpoint for which nothing arrived lately. */
const EVENTS_OF_FAILING_MAX = 5;
/** Events that one statement looks at at most, so that a type that is rare does not hold the feed up. */
const LOOKED_AT_MAX = 10_000;
/** For how long a page waits for its attempts; what is under way then goes on beside the next one. */
const PAGE_MS = 1_000;
/** An attempt that goes on is tried anew after so long if nobody tells what became of it. Longer than it may take. */
const UNDER_WAY_MS = 30_000;

const WAITS: Tried = { status: 'waiting', delayMs: 0, answerStatus: null, answerExcerpt: null, error: null };
const GOES_ON: Tried = { ...WAITS, delayMs: UNDER_WAY_MS };

/** One customer's events of a page. */
interface LaneOfPage {
  lane: string;
  events: readonly { event: StoredEvent; previous: number | null }[];
  tried: Tried[];
  /** The last that was asked for; whether it has begun and not ended. */
  attempt: Promise<HttpOutcome | undefined> | undefined;
  isUnderWay: boolean;
}

/** Sends the next events up to a place; false when there are none. */
export async function sendPage(run: FeedRun, horizon: number): Promise<boolean> {
  const { deps, feed } = run;
  const { place: after, isFailing, endpoint } = run.standing();
  if (after >= horizon) return false;
  const limit = isFailing ? EVENTS_OF_FAILING_MAX : EVENTS_MAX;
  const types = typesAsked(endpoint.types);
  const asked = { after, through: horizon, types, customerIds: undefined, limit };
  if (types.length > 0) asked.through = await findPlaceOfNext(deps.db, asked, LOOKED_AT_MAX);
  const events = await listEvents(deps.db, asked);
  const to = events.length < limit ? asked.through : (events.at(-1)?.place ?? asked.through);

  const { lanes, behind } = await split(run, events);
  const page = { isClosed: false };
  const sending = Promise.all(lanes.map((lane) => sendLane(run, lane, page)));
  const ended = new AbortController();
  await Promise.race([sending, delay(PAGE_MS, undefined, { signal: ended.signal }).catch(() => undefined)]);
  ended.abort();
  page.isClosed = true;

  const deliveries = [...lanes.flatMap(toDeliveries), ...behind.map((one): NewDelivery => waiting(one))];
  const underWay = lanes.filter(({ isUnderWay }) => isUnderWay);
  for (const { lane } of underWay) run.busy.add(lane);
  const noted = await writePage(deps.db, feed, { from: after, to }, deliveries);
  run.note(noted);
  for (const lane of underWay)
    goOn(
      run,
      settleUnderWay(run, lane).finally(() => run.busy.delete(lane.lane)),
    );
  sending.catch(() => undefined); // who is under way tells it
  return true;
}

/** By customer; behind what waits already nothing is sent. */
async function split(run: FeedRun, events: readonly StoredEvent[]) {
  const byLane = groupBy(events, laneOf);
  const known = await findLanes(run.deps.db, run.feed.id, [...byLane.keys()]);
  const lanes = [...byLane].map(([lane, own]): LaneOfPage & { isHeld: boolean } => {
    const standing = known.get(lane);
    const first = standing?.number ?? null;
    const listed = own.map((event, index) => ({ event, previous: own[index - 1]?.number ?? first }));
    const isHeld = standing?.hasWaiting === true || run.busy.has(lane);
    return { lane, events: listed, tried: [], attempt: undefined, isUnderWay: false, isHeld };
  });
  return {
    lanes: lanes.filter(({ isHeld }) => !isHeld),
    behind: lanes.flatMap((lane) => (lane.isHeld ? lane.events : [])),
  };
}

async function sendLane(run: FeedRun, lane: LaneOfPage, page: { isClosed: boolean }): Promise<void> {
  for (const { event, previous } of lane.events) {
    lane.attempt = run.attempt(event, previous, {
      isClosed: () => page.isClosed,
      onBegin: () => {
        lane.isUnderWay = true;
      },
    });
    const outcome = await lane.attempt;
    if (!outcome || page.isClosed) return;
    lane.isUnderWay = false;
    const tried = toTried(outcome, 1, false);
    lane.tried.push(tried);
    if (tried.status === 'waiting') return;
  }
}

function waiting(one: LaneOfPage['events'][number], tried = WAITS): NewDelivery {
  return { ...one, ...tried, attempts: 0 };
}

function toDeliveries({ events, tried, isUnderWay }: LaneOfPage): NewDelivery[] {
  return events.map((one, index): NewDelivery => {
    const outcome = tried[index];
    if (outcome) return { ...one, ...outcome, attempts: 1 };
    return waiting(one, index === tried.length && isUnderWay ? GOES_ON : WAITS);
  });
}

/** Writes what became of an attempt that went on behind its page. */
async function settleUnderWay(run: FeedRun, { events, tried, attempt }: LaneOfPage): Promise<void> {
  const event = events[tried.length]?.event;
  const outcome = await attempt;
  if (!event || !outcome) return;
  run.note(await settleDelivery(run.deps.db, run.feed, event, toTried(outcome, 1, false)));
}
