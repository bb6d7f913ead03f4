// The only source of the present. Rules never ask for the time; the engine reads it once for an attempt and hands it down (DOMAIN 3.18).

export interface Clock {
  /** The present instant, in whole milliseconds. */
  now(): Date;
  /**
   * The guard of a clock that tells the real time: by how many milliseconds it is ahead (below 0: behind) of another that showed `instant` at some moment
   * since its own `since`; 0 while they may be at most SKEW_MAX_MS apart. A clock that is set by hand has none, and is compared with no other.
   */
  skewTo?(instant: Date, since: Date): number;
  /** Looks what a clock was set to that other processes set too; who is asked after that goes by it. Without it there is nothing to look at. */
  refresh?(): Promise<void>;
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

/** A test clock, which shows what it was set to last, and the system's time until it was. `read` says what that is, for all processes. */
export function sandboxClock(read: () => Promise<Date | undefined>): Clock {
  let shown: Date | undefined;
  return {
    now: () => shown ?? systemClock.now(),
    async refresh() {
      const instant = await read();
      if (instant && (!shown || instant > shown)) shown = instant;
    },
  };
}

/** The instant of an operation: the clock's, but never before `last`, so that what is recorded of a customer never goes back. */
export function instantOf(clock: Date, last: Date): Date {
  return clock > last ? clock : last;
}
