// The job that sends endpoints their events. Every process does, and shares the work by the leases of the feeds.
import { findDeliveryLagMs } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { createDispatcher, type Dispatcher } from '../webhooks/dispatcher.js';
import type { Job } from './job.js';

const LOOK_MS = 250;

/** What each process sends, which goes on from one run to the next. */
const dispatchers = new WeakMap<Deps, Dispatcher>();

function dispatcherOf(deps: Deps): Dispatcher {
  const known = dispatchers.get(deps) ?? createDispatcher(deps);
  dispatchers.set(deps, known);
  return known;
}

export const deliverWebhooksJob: Job = {
  name: 'deliver-webhooks',
  intervalMs: () => LOOK_MS,
  runsIn: 'every-process',
  run: (deps) => dispatcherOf(deps).look(),
  end: async (deps) => {
    await dispatchers.get(deps)?.end();
    dispatchers.delete(deps);
  },
  lagMs: ({ db }) => findDeliveryLagMs(db),
};
