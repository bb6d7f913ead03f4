// How many connections of the pool may be taken at a time by what keeps one for long: the rest is for whoever need not wait.
import type { Foundations } from '../foundations.js';
import { type Admission, createAdmission, createSlots, type Slots } from '../lib/slots.js';
import { overloaded } from './attempts.js';

export interface ConnectionBounds {
  /** For what waits for locks that others may hold. */
  readonly lockWaits: Slots;
  /** For operations with a transaction of their own. */
  readonly lone: Slots;
  /** For keyed calls: each keeps a connection for the lock of its key, and needs others to work. */
  readonly keyedCalls: Slots;
  /** For calls about many customers, each of which may be large. */
  readonly largeCalls: Admission;
}

const LOCK_WAITS_SHARE = 0.25;
const LONE_SHARE = 0.375;
/** Operations that wait for a transaction of their own; beyond it they are refused before memory grows. */
const LONE_WAITING_MAX = 2_048;
const LONE_WAIT_MS = 30_000;
const KEYED_CALLS_SHARE = 0.25;
const KEYED_CALLS_MAX = 4;
/** Calls about many customers that are at work or wait; beyond it they are refused before memory grows. */
const LARGE_CALLS_MAX = 64;

/** The bounds of a process. */
export function createConnectionBounds({ config: { poolSize } }: Pick<Foundations, 'config'>): ConnectionBounds {
  return {
    lockWaits: createSlots(Math.max(1, Math.floor(poolSize * LOCK_WAITS_SHARE))),
    lone: createSlots(Math.max(1, Math.floor(poolSize * LONE_SHARE)), {
      waitingMax: LONE_WAITING_MAX,
      waitMs: LONE_WAIT_MS,
      refuse: overloaded,
    }),
    keyedCalls: createSlots(Math.max(1, Math.min(KEYED_CALLS_MAX, Math.floor(poolSize * KEYED_CALLS_SHARE)))),
    largeCalls: createAdmission(LARGE_CALLS_MAX, overloaded),
  };
}
