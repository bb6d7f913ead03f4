// The only source of the present. Rules never ask for the time; the engine reads it once for an attempt and hands it down (DOMAIN 3.18).

export interface Clock {
  /** The present instant, in whole milliseconds. */
  now(): Date;
  /**
   * The guard of a clock that tells the real time: by how many milliseconds it is ahead (below 0: behind) of another that showed `instant` at some moment
   * since its own `since`; 0 while they may be at most SKEW_MAX_MS apart. A clock that is set by hand has none, and is compared with no other.
   */
  skewTo?(instant: Date, since: Date): number;
}

/** Clocks that are further apart are not of one time. */
export const SKEW_MAX_MS = 60_000;

export const systemClock: Clock = {
  now: () => new Date(),
  skewTo(instant, since) {
    const ahead = since.getTime() - instant.getTime();
    const behind = instant.getTime() - this.now().getTime();
    if (ahead > SKEW_MAX_MS) return ahead;
    return behind > SKEW_MAX_MS ? -behind : 0;
  },
};

/** The instant of an operation: the clock's, but never before `last`, so that what is recorded of a customer never goes back. */
export function instantOf(clock: Date, last: Date): Date {
  return clock > last ? clock : last;
}
