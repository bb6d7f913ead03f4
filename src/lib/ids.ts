// The only source of ids, made by the application: UUIDv7, so that an operation has its id before its first attempt; and for what happens by itself
// ids that follow from what it is about, so that who looks ahead sees the ids that will be written. What a customer owns carries him in its id: its last
// bits are the first of the hash by which Postgres, and an engine that distributes its tables, places him. They are a hint, never a proof.
import { randomFillSync } from 'node:crypto';
import { v5, v7 } from 'uuid';
import { systemClock } from './clock.js';
import { uuidHash } from './uuid-hash.js';

export interface Ids {
  /** A fresh UUIDv7, lower-case; greater than those before it in this process. */
  next(): string;
  /** The ids of what a customer owns. */
  ownedBy(customerId: string): OwnedIds;
}

/** Ids of what one customer owns. */
export interface OwnedIds {
  /** A fresh UUIDv7, as any other. */
  next(): string;
  /** The id of what happens by itself to the thing of this id: a UUIDv5, the same whenever and by whomever it is made. */
  of(about: string, what: string): string;
}

const ID_BYTES = 16;
/** Random bytes are drawn for so many ids at once: a draw costs more than all the rest of an id. */
const IDS_AT_ONCE = 256;
/** The counter of a millisecond begins at random below this and has 32 bits, so it does not run over. */
const COUNTER_START_MAX = 2 ** 31;
/** Hexadecimal digits of an id that say whose it is. */
const OWNER_DIGITS = 3;
const HASH_DIGITS = 8;

const pool = new Uint8Array(ID_BYTES * IDS_AT_ONCE);
let used = pool.length;
let msecs = 0;
let seq = 0;

function freshId(): string {
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

/** Puts the customer into the last bits of ids. They are random in a UUIDv7, behind what orders it. */
function ownedBy(customerId: string): OwnedIds {
  const digits = uuidHash(customerId).toString(16).padStart(HASH_DIGITS, '0').slice(0, OWNER_DIGITS);
  const own = (id: string) => id.slice(0, -OWNER_DIGITS) + digits;
  return { next: () => own(freshId()), of: (about, what) => own(v5(what, about)) };
}

export const uuidIds: Ids = { next: freshId, ownedBy };
