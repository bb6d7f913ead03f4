// A process's turn with the feed of one endpoint, while it has the lease: what attempts are under way, and when the turn is over.

import type { StoredEvent } from '../db/events.js';
import { type FeedStanding, type HeldFeed, laneOf, type Noted } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { toMessage } from '../engine/webhook-sender.js';
import type { DisabledReason, Endpoint } from '../ledger/management-entities.js';
import { type HttpOutcome, hasArrived } from '../lib/guarded-http.js';
import { createSlots } from '../lib/slots.js';
import { GONE } from './attempt.js';

/** Attempts at one endpoint that are under way at a time. */
export const ATTEMPTS_MAX = 16;
/** Nothing is begun that could outlast the lease: an attempt takes 10 s at most, and what became of it is written. */
const LEASE_LEFT_MIN_MS = 15_000;
/** So many customers in a row for whom nothing arrived: then it is the endpoint, which is left alone for a while. */
const FAILED_LANES_MAX = 5;

export interface Disabling {
  endpoint: Endpoint;
  reason: DisabledReason;
}

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
  /** Which endpoint is to be disabled, as it was when it was tried, and why. */
  disabling(): Disabling | undefined;
  /** Begins nothing more, and waits for what is under way. */
  end(): Promise<void>;
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
  let isOver = false;
  let disabling: Disabling | undefined;
  const tasks = new Set<Promise<void>>();
  const underWay = new Set<Promise<unknown>>();
  const isDown = () => failedLanes.size >= FAILED_LANES_MAX;
  const hasToStop = () =>
    isEnding() || isOver || isDown() || disabling !== undefined || performance.now() > untilMs - LEASE_LEFT_MIN_MS;
  const current = (): FeedStanding => {
    if (!standing) throw new Error('the lease was not renewed yet');
    return standing;
  };
  return {
    deps,
    feed,
    busy: new Set(),
    tasks,
    standing: current,
    renewed: (renewed, until) => {
      standing = renewed;
      untilMs = until;
    },
    hasToStop,
    isDown,
    disabling: () => disabling,
    end: async () => {
      isOver = true;
      await Promise.allSettled([...underWay, ...tasks]);
    },
    note: (noted) => {
      if (!noted) isOver = true;
      else if (noted.isFailingLong) disabling ??= { endpoint: current().endpoint, reason: 'failing' };
    },
    attempt: (event, previous, { isClosed, onBegin } = {}) =>
      slots.take(async () => {
        if (hasToStop() || isClosed?.()) return undefined;
        onBegin?.();
        const { endpoint } = current();
        const sending = deps.sender.send(endpoint, event.id, toMessage(event, previous));
        underWay.add(sending);
        const outcome = await sending.finally(() => underWay.delete(sending));
        deps.metrics.webhookAttempts.add(hasArrived(outcome) ? 'arrived' : 'failed', '');
        if (hasArrived(outcome)) failedLanes.clear();
        else failedLanes.add(laneOf(event));
        if (outcome.status === GONE) disabling = { endpoint, reason: 'gone' };
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
