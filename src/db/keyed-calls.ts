// Bulk calls that came with a key of their own, which belongs to no customer: the memory of what was answered (DOMAIN 3.6).
import type { Changes } from '../ledger/changes.js';
import type { RecordedRequest } from '../ledger/entities.js';
import type { Tx } from './client.js';
import { claims } from './statements.js';
import { listOf, readerOf } from './table.js';
import { keyedCalls } from './tables.js';

const answersOf = claims(keyedCalls);

/** Records the answers of keyed calls. Throws BC001 when one is recorded already. */
export function claimKeyedAnswers(tx: Tx, { keyedAnswers }: Changes): Promise<unknown> | undefined {
  return answersOf(
    tx,
    keyedAnswers.map(({ key, ...answer }) => ({ ...answer, idempotencyKey: key })),
  );
}

const RECORDED = ['requestHash', 'requestHashVersion', 'status', 'answer'] as const;
const SELECT_CALL = `SELECT ${listOf(keyedCalls, RECORDED)} FROM keyed_calls WHERE owner = $1 AND name = $2 AND idempotency_key = $3`;
const readCall = readerOf(keyedCalls, RECORDED);

/** Under what a keyed call is known. */
export interface CallKey {
  owner: string;
  name: string;
  key: string;
}

/** What was answered to a call of this key. */
export async function findKeyedCall(tx: Tx, { owner, name, key }: CallKey): Promise<RecordedRequest | undefined> {
  const [row] = await tx.query(SELECT_CALL, [owner, name, key]);
  return row && readCall(row);
}

/** Class of our advisory locks for keyed calls, so that they meet no others. */
const LOCK_CLASS = 3_141;

/** Waits until no other transaction works under this key, and keeps others out until this one ends. */
export async function lockKeyedCall(tx: Tx, { owner, name, key }: CallKey): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2))', [
    LOCK_CLASS,
    JSON.stringify([owner, name, key]),
  ]);
}
