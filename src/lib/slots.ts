// A bounded number of works at a time: the others wait, in the order of arrival, or are turned away.

export interface Slots {
  /** Runs `work` as soon as fewer than the bound are running. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

/** So many slots within this process. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    take: async (work) => {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
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
