// Waiting for the feed of events.
import { findLastPlace } from '../../src/db/events.js';
import type { TestApp } from './app.js';
import { waitFor } from './wait.js';

/** Waits until the feed tells of all that was written: transactions of other tests on the server hold it up too. */
export async function untilTold({ deps }: TestApp): Promise<void> {
  const place = await findLastPlace(deps.db);
  await waitFor('the feed', async () => ((await deps.horizon.look()) >= place ? true : undefined));
}
