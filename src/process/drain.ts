// The time between the request to stop and the end of listening, in which whoever sends requests here learns that others should have them.

export class Drain {
  #hasBegun = false;
  #cut: (() => void) | undefined;

  /** Whether the process was asked to stop, from then on. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Begins, and resolves after so many milliseconds, or when it is cut. */
  async wait(ms: number): Promise<void> {
    this.#hasBegun = true;
    if (ms === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cut = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#cut = undefined;
  }

  /** Ends the wait. Returns whether there was one. */
  cut(): boolean {
    const cut = this.#cut;
    this.#cut = undefined;
    cut?.();
    return cut !== undefined;
  }
}
