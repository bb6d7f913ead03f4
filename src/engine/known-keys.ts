// API keys as they were read lately, so that a request asks the database nothing. What is remembered is at most some seconds old: what another process
// revokes counts here within that, what this one revokes at once, also for a look-up that is under way.
import { findApiKey } from '../db/api-keys.js';
import type { Foundations } from '../foundations.js';
import type { ApiKey } from '../ledger/management-entities.js';

/** For how long a key is taken as it was read. */
export const KEY_READ_FOR_MS = 5_000;
/** Keys that are remembered at most, those that there are not among them. */
const KEYS_MAX = 10_000;

/** A key, or that there is none of this id. */
export interface KnownKey {
  readonly key: ApiKey | undefined;
  /** When its look-up began, by the clock of `nowMs`. */
  readonly readAtMs: number;
}

export class KnownKeys {
  readonly #deps: Pick<Foundations, 'db'>;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, KnownKey>();
  readonly #underWay = new Map<string, Promise<KnownKey>>();

  /** `nowMs` is a clock that never goes back. */
  constructor(deps: Pick<Foundations, 'db'>, nowMs: () => number = () => performance.now()) {
    this.#deps = deps;
    this.#nowMs = nowMs;
  }

  /** The key of this id, from memory where it was read lately. Throws what the database does. */
  find(id: string): KnownKey | Promise<KnownKey> {
    const known = this.#known.get(id);
    if (known && this.#nowMs() - known.readAtMs < KEY_READ_FOR_MS) return known;
    const reading = this.#underWay.get(id) ?? this.#read(id);
    this.#underWay.set(id, reading);
    return reading;
  }

  /** To be called once a change of the key is committed: whoever asks from now on gets what the database says by then. */
  forget(id: string): void {
    this.#known.delete(id);
    this.#underWay.delete(id);
  }

  async #read(id: string): Promise<KnownKey> {
    await undefined; // so that the look-up is known as under way before it can end
    const mine = this.#underWay.get(id);
    const readAtMs = this.#nowMs();
    try {
      const known = { key: await findApiKey(this.#deps.db, id), readAtMs };
      if (this.#underWay.get(id) !== mine) return await this.find(id); // it was forgotten meanwhile
      if (this.#known.size >= KEYS_MAX) this.#known.clear();
      this.#known.set(id, known);
      return known;
    } finally {
      if (this.#underWay.get(id) === mine) this.#underWay.delete(id);
    }
  }
}
