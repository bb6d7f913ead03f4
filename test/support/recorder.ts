// Sends the requests of a story to an app, and keeps those whose answers are stored together with what was answered. Ids follow from the clock
// and a counter, so that the same story always leaves the same rows.
import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock } from '../../src/lib/clock.js';
import { type Ids, uuidIds } from '../../src/lib/ids.js';
import type { Json } from './app.js';
import { type Answer, type RecordedRequest, sendPlain } from './recorded.js';

const ID_BYTES = 16;
const REFUSED_LEAST = 400;

/** UUIDv7 that are the same in each run. Precondition: the clock never goes back. */
export function countedIds(clock: Clock): Ids {
  let seq = 0;
  const next = () => {
    seq += 1;
    const random = createHash('sha256').update(String(seq)).digest().subarray(0, ID_BYTES);
    return v7({ random, msecs: clock.now().getTime(), seq });
  };
  return { next, ownedBy: (customerId) => ({ ...uuidIds.ownedBy(customerId), next }) };
}

export class Recorder {
  readonly requests: RecordedRequest[] = [];
  #keys = 0;

  constructor(readonly origin: string) {}

  /** Sends a POST with a key of its own, or the given one, and records it. Returns the answer's body. */
  async keyed(path: string, body: Json, key: string | null = this.#nextKey()): Promise<Json> {
    return this.#record(path, body, key);
  }

  /** Sends a POST without a key, which is answered the same again because of what it is about, and records it. */
  async keyless(path: string, body: Json): Promise<Json> {
    return this.#record(path, body, null);
  }

  /** Sends a request whose answer is not stored. */
  async plain(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: Json): Promise<Json> {
    return accepted(path, await sendPlain(this.origin, { method, path, body }));
  }

  /** Sends a POST that must be refused with this code. */
  async refused(path: string, body: Json, code: string): Promise<void> {
    const { status, text } = await sendPlain(this.origin, { method: 'POST', path, body });
    if (status < REFUSED_LEAST || JSON.parse(text).code !== code) {
      throw new Error(`POST ${path} was to be refused with ${code}: ${status} ${text}`);
    }
  }

  async #record(path: string, body: Json, key: string | null): Promise<Json> {
    const answer = await sendPlain(this.origin, { method: 'POST', path, body, key });
    this.requests.push({ method: 'POST', path, body, key, status: answer.status, answer: answer.text });
    return accepted(path, answer);
  }

  #nextKey(): string {
    this.#keys += 1;
    return `key-${this.#keys}`;
  }
}

function accepted(path: string, { status, text }: Answer): Json {
  if (status >= REFUSED_LEAST) throw new Error(`${path}: ${status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}
