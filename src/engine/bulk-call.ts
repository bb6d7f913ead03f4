// Bulk calls: one request with many items, about many customers (DOMAIN 3.6). They have no customer whose lock their key could rest on: of several at
// once with one key one works, the others wait and get its answer.
import type { Call, Echo, RecordedAnswer, Rendered } from '../call.js';
import { type CallKey, findKeyedCall, lockKeyedCall } from '../db/keyed-calls.js';
import { begin, type Transaction } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import type { KeyedAnswer } from '../ledger/customer-entities.js';
import { endOf, unavailable } from './attempts.js';
import type { ConnectionBounds } from './connections.js';
import { transactManagement } from './manage.js';
import { replayByKey } from './operation.js';
import { hashRequest, REQUEST_HASH_VERSION } from './request-hash.js';

/** A call about many customers; with an idempotency key it happens once. */
export interface BulkCall {
  name: string;
  call: Call;
  /** The validated call, without its key. */
  request: unknown;
  echo: Echo;
}

interface KeyedCall extends CallKey {
  request: unknown;
  echo: Echo;
}

function toKeyedCall({ name, request, echo, call: { actor, idempotencyKey: key } }: BulkCall): KeyedCall | undefined {
  return key === undefined ? undefined : { owner: actor.ownerId, name, key, request, echo };
}

/** The record of a call's answer; undefined when it has no key. */
export function toKeyedAnswer(
  deps: Pick<Foundations, 'clock'>,
  bulk: BulkCall,
  answer: Rendered,
): KeyedAnswer | undefined {
  const keyed = toKeyedCall(bulk);
  return keyed && answerOf(deps, keyed, answer);
}

function answerOf(
  deps: Pick<Foundations, 'clock'>,
  { owner, name, key, request, echo }: KeyedCall,
  { status, body }: Rendered,
): KeyedAnswer {
  return {
    owner,
    name,
    key,
    requestHash: hashRequest(request),
    requestHashVersion: REQUEST_HASH_VERSION,
    status,
    answer: echo.leaveOut(body),
    recordedAt: deps.clock.now(),
  };
}

/** What a call came to; `isFinal` when it is recorded under the key, if it has not recorded itself. */
export interface CallResult {
  answer: Rendered;
  isFinal: boolean;
}

/**
 * Runs a call, once per key if it has one: a recorded answer is given again. The work runs beside the transaction that holds the key's lock, and is
 * recorded in another.
 * Locks: the key. Throws: idempotency_key_reused, overloaded, unavailable, what the work throws.
 */
export async function runBulkCall(
  deps: Foundations,
  { keyedCalls, keylessCalls }: ConnectionBounds,
  bulk: BulkCall,
  work: () => Promise<CallResult>,
): Promise<RecordedAnswer> {
  const keyed = toKeyedCall(bulk);
  if (!keyed) return { ...(await keylessCalls.take(work)).answer, replayed: false };
  return deps.turns.take(`keyed call ${keyed.owner} ${keyed.name} ${keyed.key}`, () =>
    keyedCalls.take(() => runLocked(deps, keyed, work)),
  );
}

async function runLocked(deps: Foundations, call: KeyedCall, work: () => Promise<CallResult>): Promise<RecordedAnswer> {
  try {
    const holder = await begin(deps.db, 'pool');
    try {
      const earlier = await lockAndFind(holder, call);
      if (earlier) {
        const outcome = replayByKey([earlier], hashRequest(call.request));
        if ('refusal' in outcome) throw outcome.refusal;
        return { ...outcome.answer, body: call.echo.putBack(outcome.answer.body) };
      }
      const { answer, isFinal } = await work();
      if (isFinal) await record(deps, answerOf(deps, call, answer));
      return { ...answer, replayed: false };
    } finally {
      await holder.abandon(); // it held nothing but the lock
    }
  } catch (error) {
    // Somebody else's answer was recorded first, or nobody knows: sent again, the call is answered.
    throw endOf(error, 1)?.error ?? unavailable(error);
  }
}

function record(deps: Foundations, answer: KeyedAnswer): Promise<void> {
  return transactManagement(deps, {
    opener: 'pool',
    load: async () => undefined,
    decide: (_loaded, _now, changes) => void changes.keyedAnswers.push(answer),
  });
}

async function lockAndFind(holder: Transaction, call: KeyedCall) {
  await holder.begun; // without it the lock would end with its statement
  await lockKeyedCall(holder, call);
  return findKeyedCall(holder, call);
}
