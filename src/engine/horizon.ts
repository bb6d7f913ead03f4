// Up to which place no more events can come. Places are drawn in transactions that commit in any order, and some hang for seconds: a reader who went by what he
// sees would miss what commits later with a lower place. Whoever drew a place has a transaction id by then. So an id is taken once a place was the last: when
// all transactions below it have ended, everything up to that place is there or never will be. Rests on no clock, and holds whatever else runs on the server.
import { setTimeout as delay } from 'node:timers/promises';
import { findLastPlace, findOldestRunning, movePlaces, takeTransactionId } from '../db/events.js';
import { begin, orAbandon } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';

export interface Horizon {
  /** The place up to which all events are there. Those who ask while somebody looks get what he found. */
  look(): Promise<number>;
  /** Waits for a moment between two looks; at once when waiting has ended. */
  pause(ms: number): Promise<void>;
  /** Whether nobody is to wait any more. */
  isEnded(): boolean;
  /** Ends all waiting: the process stops. */
  end(): void;
}

/** A place that was the last, and a transaction id that was given later. */
interface Sample {
  place: number;
  id: number;
}

/** Samples that are kept at most; each look takes one, and the oldest tell the most. */
const SAMPLES_MAX = 64;

export function createHorizon({ db }: Pick<Foundations, 'db'>): Horizon {
  const samples: Sample[] = [];
  const ending = new AbortController();
  let settled = 0;
  let looking: Promise<number> | undefined;

  const lookNow = async (): Promise<number> => {
    // In this order: whoever draws a place up to this one has an id below the one that is taken afterwards.
    const place = await findLastPlace(db);
    if (place > (samples.at(-1)?.place ?? settled) && samples.length < SAMPLES_MAX)
      samples.push({ place, id: await takeTransactionId(db) });
    const oldestRunning = samples.length > 0 ? await findOldestRunning(db) : 0;
    while (samples[0] !== undefined && samples[0].id <= oldestRunning) settled = samples.shift()?.place ?? settled;
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

/** Places below a move of the data to another server: so many that none is drawn twice, and so few that thousands of moves fit in a safe integer. */
const BITS_BELOW_MOVE = 40;

/**
 * Looks whether the data are on the server on which their places were drawn; if not, places go on far behind those that were lost. Locks: the row of the
 * log of events.
 */
export async function guardPlaces({ db }: Pick<Foundations, 'db'>): Promise<void> {
  const tx = await begin(db, 'pool');
  await orAbandon(tx, async () => {
    await tx.begun;
    await movePlaces(tx, BITS_BELOW_MOVE);
  });
  await tx.commit();
}
