// Taking turns: work under one key runs one after the other, in the order of arrival; other keys don't wait.

export interface Turns {
  /** Runs `work` when all earlier work of this key has ended, however it ended. */
  take<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Whether work of this key runs or waits. */
  isBusy(key: string): boolean;
}

/** Turns within this process. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return {
    take: (key, work) => {
      const before = last.get(key);
      const turn = before === undefined ? work() : before.then(work, work);
      last.set(key, turn);
      const forget = (): void => {
        if (last.get(key) === turn) last.delete(key);
      };
      turn.then(forget, forget);
      return turn;
    },
    isBusy: (key) => last.has(key),
  };
}
