// Draws what time does: waiting, clocks that lag, settling ahead of use.
import fc from 'fast-check';
import type { Scope } from './commands.js';
import { record, type Weighted } from './draw.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** To an instant at which something happens by itself, or next to it. */
export function waitFor(what: 'anything' | 'held batch' | 'window') {
  return record({
    kind: fc.constant('wait for' as const),
    what: fc.constant(what),
    offsetMs: fc.integer({ min: -1, max: 1 }),
  });
}

export function time({ hasProcesses }: Scope): Weighted[] {
  const wait = record({
    kind: fc.constant('wait' as const),
    ms: fc.oneof(
      fc.integer({ min: 1, max: 40 * HOUR_MS }),
      fc.integer({ min: 1, max: 70 }).map((days) => days * DAY_MS),
    ),
  });
  const lag = record({ kind: fc.constant('lag' as const), ms: fc.integer({ min: 1, max: 40 * HOUR_MS }) });
  const jobs: Weighted[] = [
    { weight: 1, arbitrary: lag },
    { weight: 1, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  ];
  return [
    { weight: 1, arbitrary: wait },
    { weight: 4, arbitrary: waitFor('anything') },
    { weight: 1, arbitrary: waitFor('held batch') },
    ...(hasProcesses ? jobs : []),
  ];
}
