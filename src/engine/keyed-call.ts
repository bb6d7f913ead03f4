// Calls with a key that are about no customer of their own, such as a batch of consumes (DOMAIN 3.6): of several at once with one key one
// works, the others wait and get its answer.
import { constraintOf, isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import { findKeyedCall, type KeyedCall, lockKeyedCall, recordKeyedCall } from '../db/keyed-calls.js';
import { beginOnPool, orAbandon, type PoolTransaction } from '../db/pool-transaction.js';
import type { Foundations } from '../foundations.js';
import type { Lanes } from './lanes.js';
import { type Outcome, type RecordedAnswer, replayByKey, unavailable } from './operation.js';
import { hashRequest, REQUEST_HASH_VERSION } from './request-hash.js';

export interface CallKey {
  name: string;
  key: string;
  /** The validated call, without its key. */
  request: unknown;
}

/** The record of a call's answer. */
export function toKeyedCall(
  deps: Foundations,
  { name, key, request }: CallKey,
  { status, body }: { status: number; body: string },
): KeyedCall {
  return {
    name,
    key,
    requestHash: hashRequest(request),
    requestHashVersion: REQUEST_HASH_VERSION,
    status,
    answer: body,
    recordedAt: deps.clock.now(),
  };
}

/** What a call came to; `isFinal` when it is recorded under the key, if it has not recorded itself. */
export interface CallResult {
  answer: { status: number; body: string };
  isFinal: boolean;
}

/**
 * Runs a call once per key: a recorded answer is given again.
 * Locks: the key. Throws: idempotency_key_reused, unavailable, what the work throws.
 */
export async function runKeyedCall(
  deps: Foundations & { readonly lanes: Pick<Lanes, 'calls'> },
  call: CallKey,
  work: () => Promise<CallResult>,
): Promise<RecordedAnswer> {
  return deps.turns.take(`keyed call ${call.name} ${call.key}`, () =>
    deps.lanes.calls.take(() => runLocked(deps, call, work)),
  );
}

async function runLocked(deps: Foundations, call: CallKey, work: () => Promise<CallResult>): Promise<RecordedAnswer> {
  try {
    const tx = await beginOnPool(deps.db.pool);
    const earlier = await orAbandon(tx, () => lockAndFind(tx, call));
    if (earlier) {
      await tx.abandon();
      return answerOf(replayByKey(earlier, hashRequest(call.request)));
    }
    const { answer, isFinal } = await orAbandon(tx, work);
    if (isFinal) await orAbandon(tx, () => recordKeyedCall(tx, toKeyedCall(deps, call, answer)));
    await tx.commit();
    return { ...answer, replayed: false };
  } catch (error) {
    const isPassing = isRetryable(error) || isConnectionLost(error) || isUnavailable(error);
    throw isPassing || constraintOf(error) === 'keyed_calls_pk' ? unavailable(error) : error;
  }
}

async function lockAndFind(tx: PoolTransaction, { name, key }: CallKey) {
  await tx.begun; // without it the lock would end with its statement
  await lockKeyedCall(tx, name, key);
  return findKeyedCall(tx, name, key);
}

function answerOf(outcome: Outcome): RecordedAnswer {
  if ('refusal' in outcome) throw outcome.refusal;
  return outcome.answer;
}
