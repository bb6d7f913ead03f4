// The only source of ids, made by the application: UUIDv7, so that an operation has its id before its first attempt; and for what happens by itself
// ids that follow from what it is about, so that who looks ahead sees the ids that will be written.
import { randomFillSync } from 'node:crypto';
import { v5, v7 } from 'uuid';
import { systemClock } from './clock.js';

export interface Ids {
  /** A fresh UUIDv7, lower-case; greater than those before it in this process. */
  next(): string;
  /** The id of what happens by itself to the thing of this id: a UUIDv5, the same whenever and by whomever it is made. */
  of(about: string, what: string): string;
}

const ID_BYTES = 16;
/** Random bytes are drawn for so many ids at once: a draw costs more than all the rest of an id. */
const IDS_AT_ONCE = 256;
/** The counter of a millisecond begins at random below this and has 32 bits, so it does not run over. */
const COUNTER_START_MAX = 2 ** 31;

const pool = new Uint8Array(ID_BYTES * IDS_AT_ONCE);
let used = pool.length;
let msecs = 0;
let seq = 0;

function nextId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + ID_BYTES);
  used += ID_BYTES;
  const nowMs = systemClock.now().getTime();
  if (nowMs > msecs) {
    msecs = nowMs;
    seq = new DataView(random.buffer, random.byteOffset).getUint32(0) % COUNTER_START_MAX;
  } else seq += 1;
  return v7({ random, msecs, seq });
}

export const uuidIds: Ids = { next: nextId, of: (about, what) => v5(what, about) };
