// Waiting between attempts: exponential with full jitter, so that those who collided don't collide again.
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 5;
const LONGEST_MS = 250;

/** Waits before the next attempt; `attempt` counts from 1. */
export async function backOff(attempt: number): Promise<void> {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  await sleep(Math.random() * ceilingMs);
}

const FIRST_DELIVERY_MS = 5_000;
const LONGEST_DELIVERY_MS = 6 * 3_600_000;
const DELIVERY_GROWTH = 3;

/** How long a delivery that failed `attempts` times waits for the next: three times as long each time, up to six hours, of which up to half is left out. */
export function deliveryDelayMs(attempts: number): number {
  const ceilingMs = Math.min(LONGEST_DELIVERY_MS, FIRST_DELIVERY_MS * DELIVERY_GROWTH ** (attempts - 1));
  return ceilingMs * (1 - Math.random() / 2);
}
