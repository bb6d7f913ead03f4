// Up to which place no more events can come. Places are drawn in transactions that commit in any order, and some hang for seconds: a reader who went by what he
// sees would miss what commits later with a lower place. Whoever drew a place has a transaction id by then, so when all transactions have ended that were
// running once a place was the last, everything up to it is there or never will be. Rests on no clock, and holds whatever else runs on the server.
import { setTimeout as delay } from 'node:timers/promises';
import { findLastPlace, findRunningTransactions } from '../db/events.js';
import type { Foundations } from '../foundations.js';

export interface Horizon {
  /** The place up to which all events are there, as of a moment after the call. Those who ask at the same time share the answer. */
  look(): Promise<number>;
  /** Waits for a moment between two looks; at once when waiting has ended. */
  pause(ms: number): Promise<void>;
  /** Whether nobody is to wait any more. */
  isEnded(): boolean;
  /** Ends all waiting: the process stops. */
  end(): void;
}

/** A place that was the last, and the first transaction id that had not been given by then. */
interface Sample {
  place: number;
  next: number;
}

/** Samples that are kept at most; each look takes one, and the oldest tell the most. */
const SAMPLES_MAX = 64;

export function createHorizon({ db }: Pick<Foundations, 'db'>): Horizon {
  const samples: Sample[] = [];
  const ending = new AbortController();
  let settled = 0;
  let looking: Promise<number> | undefined;

  const lookNow = async (): Promise<number> => {
    // In this order: whoever draws a place up to this one has an id below the next one that the server says afterwards.
    const place = await findLastPlace(db);
    const { oldestRunning, next } = await findRunningTransactions(db);
    if (place > (samples.at(-1)?.place ?? settled) && samples.length < SAMPLES_MAX) samples.push({ place, next });
    while (samples[0] !== undefined && samples[0].next <= oldestRunning) settled = samples.shift()?.place ?? settled;
    return settled;
  };

  return {
    look: () => {
      looking ??= lookNow().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    pause: async (ms) => {
      await delay(ms, undefined, { signal: ending.signal }).catch(() => undefined);
    },
    isEnded: () => ending.signal.aborted,
    end: () => ending.abort(),
  };
}
