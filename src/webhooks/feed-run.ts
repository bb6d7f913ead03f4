// A process's turn with the feed of one endpoint, while it has the lease: what attempts are under way, and when the turn is over.

import type { StoredEvent } from '../db/events.js';
import { type FeedStanding, type HeldFeed, laneOf, type Noted } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { toMessage } from '../engine/webhook-sender.js';
import type { DisabledReason } from '../ledger/entities.js';
import type { HttpOutcome } from '../lib/guarded-http.js';
import { createSlots } from '../lib/slots.js';
import { GONE, hasArrived } from './attempt.js';

/** Attempts at one endpoint that are under way at a time. */
export const ATTEMPTS_MAX = 16;
/** Nothing is begun that could outlast the lease: an attempt takes 10 s at most, and what became of it is written. */
const LEASE_LEFT_MIN_MS = 15_000;
/** So many customers in a row for whom nothing arrived: then it is the endpoint, which is left alone for a while. */
const FAILED_LANES_MAX = 5;

export interface FeedRun {
  readonly deps: Deps;
  readonly feed: HeldFeed;
  /** Lanes of which an attempt is under way, or the next one follows. */
  readonly busy: Set<string>;
  /** What goes on beside the pages. */
  readonly tasks: Set<Promise<void>>;
  readonly standing: () => FeedStanding;
  renewed(standing: FeedStanding, untilMs: number): void;
  /** Nothing is to be begun any more. */
  hasToStop(): boolean;
  /** The endpoint as a whole does not answer. */
  isDown(): boolean;
  /** Why the endpoint is to be disabled. */
  disabling(): DisabledReason | undefined;
  /** Looks at what was noted with a write. */
  note(noted: Noted): void;
  /** Tries once, as soon as there is a place; undefined when it was not begun, because `isClosed`, or the turn is over. `onBegin` is told. */
  attempt(
    event: StoredEvent,
    previous: number | null,
    hooks?: { isClosed?: () => boolean; onBegin?: () => void },
  ): Promise<HttpOutcome | undefined>;
}

/** Begins a turn; `isEnding` says that the process stops. */
export function createFeedRun(deps: Deps, feed: HeldFeed, isEnding: () => boolean): FeedRun {
  const slots = createSlots(ATTEMPTS_MAX);
  const failedLanes = new Set<string>();
  let standing: FeedStanding | undefined;
  let untilMs = Number.NEGATIVE_INFINITY;
  let isLost = false;
  let reason: DisabledReason | undefined;
  const isDown = () => failedLanes.size >= FAILED_LANES_MAX;
  const hasToStop = () =>
    isEnding() || isLost || isDown() || reason !== undefined || performance.now() > untilMs - LEASE_LEFT_MIN_MS;
  const current = (): FeedStanding => {
    if (!standing) throw new Error('the lease was not renewed yet');
    return standing;
  };
  return {
    deps,
    feed,
    busy: new Set(),
    tasks: new Set(),
    standing: current,
    renewed: (renewed, until) => {
      standing = renewed;
      untilMs = until;
    },
    hasToStop,
    isDown,
    disabling: () => reason,
    note: (noted) => {
      if (!noted) isLost = true;
      else if (noted.isFailingLong) reason ??= 'failing';
    },
    attempt: (event, previous, { isClosed, onBegin } = {}) =>
      slots.take(async () => {
        if (hasToStop() || isClosed?.()) return undefined;
        onBegin?.();
        const outcome = await deps.sender.send(current().endpoint, event.id, toMessage(event, previous));
        if (hasArrived(outcome)) failedLanes.clear();
        else failedLanes.add(laneOf(event));
        if (outcome.status === GONE) reason = 'gone';
        return outcome;
      }),
  };
}

/** Lets something go on beside; its failure is logged. */
export function goOn({ tasks, deps, feed }: FeedRun, work: Promise<void>): void {
  const task: Promise<void> = work
    .catch((error) => deps.log.error({ err: error, endpoint: feed.endpointId }, 'deliveries of an endpoint failed'))
    .finally(() => tasks.delete(task));
  tasks.add(task);
}
