// The only source of the present. Rules never ask for the time; the write path reads it once under the lock and hands it down.

export interface Clock {
  /** The present instant, in whole milliseconds. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };
