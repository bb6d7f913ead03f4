// The only source of the present. Rules never ask for the time; the engine reads it once for an attempt and hands it down (DOMAIN 3.18).

export interface Clock {
  /** The present instant, in whole milliseconds. */
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** The instant of an operation: the clock's, but never before `last`, so that what is recorded of a customer never goes back. */
export function instantOf(clock: Date, last: Date): Date {
  return clock > last ? clock : last;
}
