// Bulk calls that came with a key of their own, which belongs to no customer: the memory of what was answered (DOMAIN 3.6).
import type { Changes } from '../ledger/changes.js';
import type { Row, Tx } from './client.js';
import type { RecordedOperation } from './operations.js';
import { claims } from './statements.js';
import { keyedCalls } from './tables.js';

const answersOf = claims(keyedCalls);

/** Records the answers of keyed calls. Throws BC001 when one is recorded already. */
export function claimKeyedAnswers(tx: Tx, { keyedAnswers }: Changes): Promise<unknown> | undefined {
  return answersOf(
    tx,
    keyedAnswers.map(({ key, ...answer }) => ({ ...answer, idempotencyKey: key })),
  );
}

/** What was answered to a call of this key. */
export async function findKeyedCall(
  tx: Tx,
  name: string,
  key: string,
): Promise<Omit<RecordedOperation, 'id'> | undefined> {
  const [row] = await tx.query<
    Row & { request_hash: string; request_hash_version: number; status: number; answer: string }
  >(
    'SELECT request_hash, request_hash_version, status, answer FROM keyed_calls WHERE name = $1 AND idempotency_key = $2',
    [name, key],
  );
  return (
    row && {
      requestHash: row.request_hash,
      requestHashVersion: row.request_hash_version,
      status: row.status,
      answer: row.answer,
    }
  );
}

/** Class of our advisory locks for keyed calls, so that they meet no others. */
const LOCK_CLASS = 3_141;

/** Waits until no other transaction works under this key, and keeps others out until this one ends. */
export async function lockKeyedCall(tx: Tx, name: string, key: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1::int, hashtext($2))', [LOCK_CLASS, JSON.stringify([name, key])]);
}
