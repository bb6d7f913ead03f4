// How many connections of the pool may be taken at a time by what keeps one for long: the rest is for whoever need not wait.
import type { Foundations } from '../foundations.js';
import { type Admission, createAdmission, createSlots, type Slots } from '../lib/slots.js';
import { overloaded } from './attempts.js';

export interface ConnectionBounds {
  /** For what waits for locks that others may hold. */
  readonly lockWaits: Slots;
  /** For operations with a transaction of their own. */
  readonly lone: Slots;
  /** For changes about no customer that wait for a lock, such as that of the catalogue. */
  readonly managements: Slots;
  /** Calls about many customers, each of which may be large, at work or waiting. */
  readonly bulkCalls: Admission;
  /** For those of them with a key: each keeps a connection for its lock, and needs others to work. */
  readonly keyedCalls: Slots;
  /** For the others: so many that their items find room in the lanes. */
  readonly keylessCalls: Slots;
}

const LOCK_WAITS_SHARE = 0.25;
const LONE_SHARE = 0.375;
/** Operations that wait for a transaction of their own; beyond it they are refused before memory grows. */
const LONE_WAITING_MAX = 2_048;
/** How long an operation or a call waits for its turn at most. */
const WAIT_MS = 30_000;
const MANAGEMENTS_SHARE = 0.125;
/** Changes about no customer that wait for their turn. */
const MANAGEMENTS_WAITING_MAX = 256;
const KEYED_CALLS_SHARE = 0.25;
const KEYED_CALLS_MAX = 4;
const KEYLESS_CALLS_MAX = 32;
/** Calls about many customers that are at work or wait; beyond it they are refused before memory grows. */
const BULK_CALLS_MAX = 256;

/** The bounds of a process. */
export function createConnectionBounds({ config: { poolSize } }: Pick<Foundations, 'config'>): ConnectionBounds {
  const patient = (count: number, waitingMax: number): Slots =>
    createSlots(Math.max(1, count), { waitingMax, waitMs: WAIT_MS, refuse: overloaded });
  return {
    lockWaits: createSlots(Math.max(1, Math.floor(poolSize * LOCK_WAITS_SHARE))),
    lone: patient(Math.floor(poolSize * LONE_SHARE), LONE_WAITING_MAX),
    managements: patient(Math.floor(poolSize * MANAGEMENTS_SHARE), MANAGEMENTS_WAITING_MAX),
    bulkCalls: createAdmission(BULK_CALLS_MAX, overloaded),
    keyedCalls: patient(Math.min(KEYED_CALLS_MAX, Math.floor(poolSize * KEYED_CALLS_SHARE)), BULK_CALLS_MAX),
    keylessCalls: patient(KEYLESS_CALLS_MAX, BULK_CALLS_MAX),
  };
}
