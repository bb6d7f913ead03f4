// Sends endpoints their events: takes feeds that nobody else has, and serves each until nothing is left, beside the others.
import { setTimeout as delay } from 'node:timers/promises';
import { FEED_LEASE_MS, findDueLanes, type HeldFeed, releaseFeed, renewFeed, takeFeeds } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { disableEndpoint } from '../services/endpoints.js';
import { ATTEMPTS_MAX, createFeedRun, type FeedRun, goOn } from './feed-run.js';
import { sendPage } from './page.js';
import { serveLane } from './waiting-lane.js';

/** How often a feed is looked at while something of it is under way. */
const LOOK_MS = 250;

export interface Dispatcher {
  /** Takes what there is to do, and goes on with it beside. */
  look(): Promise<void>;
  /** Begins nothing more, and waits for what is under way. */
  end(): Promise<void>;
}

export function createDispatcher(deps: Deps): Dispatcher {
  const serving = new Set<Promise<void>>();
  let isEnding = false;
  return {
    look: async () => {
      for (const feed of await takeFeeds(deps.db, await deps.horizon.look())) {
        const turn: Promise<void> = serveFeed(createFeedRun(deps, feed, () => isEnding))
          .catch((error) => deps.log.error({ err: error, endpoint: feed.endpointId }, 'an endpoint was not served'))
          .finally(() => serving.delete(turn));
        serving.add(turn);
      }
    },
    end: async () => {
      isEnding = true;
      await Promise.all(serving);
    },
  };
}

/** Serves a feed until nothing is left of it, its endpoint does not answer, or the turn is over. */
async function serveFeed(run: FeedRun): Promise<void> {
  const { deps, feed, tasks } = run;
  let isBroken = true;
  try {
    while (await renew(deps, run)) {
      await startLanes(run);
      const hasMoved = !run.hasToStop() && (await sendPage(run, await deps.horizon.look()));
      if (run.hasToStop() || (!hasMoved && tasks.size === 0)) break;
      if (!hasMoved) await waitAmong(tasks);
    }
    await Promise.all(tasks);
    const disabling = run.disabling();
    if (disabling) await disableEndpoint(deps, disabling.endpoint, disabling.reason);
    isBroken = false;
  } finally {
    // Whatever went wrong: who takes the feed next must not try what is being tried.
    await run.end();
    await release(deps, feed, isBroken || run.isDown());
  }
}

/** Whether the feed is this process's for a while more, and its endpoint is sent events. */
async function renew({ db }: Deps, run: FeedRun): Promise<boolean> {
  const untilMs = performance.now() + FEED_LEASE_MS;
  const standing = await renewFeed(db, run.feed);
  if (!standing?.endpoint.isEnabled || standing.endpoint.url === null) return false;
  run.renewed(standing, untilMs);
  return !run.hasToStop();
}

/** Begins with what is due of customers who wait. */
async function startLanes(run: FeedRun): Promise<void> {
  const { deps, feed, busy } = run;
  const free = ATTEMPTS_MAX - run.tasks.size;
  if (free <= 0) return;
  for (const lane of await findDueLanes(deps.db, feed.id, [...busy], free)) {
    busy.add(lane);
    goOn(
      run,
      serveLane(run, lane).finally(() => busy.delete(lane)),
    );
  }
}

async function waitAmong(tasks: ReadonlySet<Promise<void>>): Promise<void> {
  const ended = new AbortController();
  await Promise.race([...tasks, delay(LOOK_MS, undefined, { signal: ended.signal }).catch(() => undefined)]);
  ended.abort();
}

async function release({ db, log }: Deps, feed: HeldFeed, isPaused: boolean): Promise<void> {
  await releaseFeed(db, feed, isPaused).catch((error) =>
    log.warn({ err: error, endpoint: feed.endpointId }, 'a feed was not given back; its lease runs out'),
  );
}
