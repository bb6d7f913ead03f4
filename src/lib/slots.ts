// A bounded number of works at a time: the others wait, in the order of arrival, or are turned away.

export interface Slots {
  /** Runs `work` as soon as fewer than the bound are running. Throws the refusal of who can't wait, or waited for too long. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

/** How many may wait for a slot, and how long; the others are refused. */
export interface Patience {
  waitingMax: number;
  waitMs: number;
  refuse(): Error;
}

/** So many slots within this process. Without patience all wait, for as long as it takes. */
export function createSlots(count: number, patience?: Patience): Slots {
  let free = count;
  const waiting: (() => void)[] = [];

  const wait = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!patience) {
        waiting.push(resolve);
        return;
      }
      if (waiting.length >= patience.waitingMax) {
        reject(patience.refuse());
        return;
      }
      const start = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(patience.refuse());
      }, patience.waitMs);
      waiting.push(start);
    });

  return {
    take: async (work) => {
      if (free > 0) free -= 1;
      else await wait();
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}

export interface Admission {
  /** Runs `work`, or throws when too many are being done or waiting. */
  admit<T>(work: () => Promise<T>): Promise<T>;
}

/** Admits so many works at a time within this process; the others get `refusal`. */
export function createAdmission(max: number, refusal: () => Error): Admission {
  let inside = 0;
  return {
    admit: async (work) => {
      if (inside >= max) throw refusal();
      inside += 1;
      try {
        return await work();
      } finally {
        inside -= 1;
      }
    },
  };
}
