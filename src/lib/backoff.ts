// Waiting between attempts: exponential with full jitter, so that those who collided don't collide again.
import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 5;
const LONGEST_MS = 250;

/** Waits before the next attempt; `attempt` counts from 1. */
export async function backOff(attempt: number): Promise<void> {
  const ceilingMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  await sleep(Math.random() * ceilingMs);
}
