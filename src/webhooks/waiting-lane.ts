// What waits of one customer at an endpoint: sent in order, and held back behind one that failed.
import { listWaiting, quietLane, settleDelivery, type WaitingDelivery } from '../db/webhooks.js';
import { toTried } from './attempt.js';
import type { FeedRun } from './feed-run.js';

const READ_MAX = 20;

/** Sends what waits in a lane until something fails, nothing is left, or the turn is over. Precondition: the lane is marked busy. */
export async function serveLane(run: FeedRun, lane: string): Promise<void> {
  const { deps, feed } = run;
  while (!run.hasToStop()) {
    const waiting = await listWaiting(deps.db, feed.id, lane, READ_MAX);
    const [head] = waiting;
    if (!head?.isDue) {
      await quietLane(deps.db, feed.id, lane, head?.event.place ?? null);
      return;
    }
    for (const delivery of waiting) if (delivery.isHeld || !(await tryWaiting(run, delivery))) return;
  }
}

/** Whether the lane may go on: it arrived, or was given up. */
async function tryWaiting(run: FeedRun, { event, previous, attempts, isOld }: WaitingDelivery): Promise<boolean> {
  const outcome = await run.attempt(event, previous);
  if (!outcome) return false;
  const tried = toTried(outcome, attempts + 1, isOld);
  run.note(await settleDelivery(run.deps.db, run.feed, event, tried));
  return tried.status !== 'waiting' && !run.hasToStop();
}
