// What an operation is, whichever way it takes through the engine: its name, its answer, its decision, and how its key is answered.
import { isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import type { NewOperation, RecordedOperation } from '../db/operations.js';
import type { Records } from '../db/records.js';
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import { assert, required } from '../lib/assert.js';
import { backOff } from '../lib/backoff.js';
import { isSameHash, REQUEST_HASH_VERSION } from './request-hash.js';

/** The names under which operations and their keys are recorded; an alias route has its native route's name. */
export type OperationName =
  | 'identify'
  | 'customer.update'
  | 'identity.link'
  | 'identity.unlink'
  | 'order.create'
  | 'order.confirm'
  | 'quota.consume'
  | 'quota.consume.item'
  | 'quota.release'
  | 'reservation.create'
  | 'reservation.commit'
  | 'reservation.release'
  | 'reservation.extend'
  | 'credits.add'
  | 'credits.deduct'
  | 'grant'
  | 'exchange'
  | 'referral.attach';

/** The bytes of an answer; `replayed` when an earlier request produced them. */
export interface RecordedAnswer {
  status: number;
  body: string;
  replayed: boolean;
}

/** Renders a result to the bytes that are recorded and sent. */
export type Render<R> = (result: R) => { status: number; body: string };

export interface Refused {
  outcome: 'refused';
  error: AppError;
  records?: Records;
}

/** What a decision comes to. A refusal commits what had fallen due and the records named here, nothing else. */
export type Decision<R> =
  | { outcome: 'accepted'; result: R; records?: Records }
  /** What was asked for is so already: answered, but neither written nor recorded. */
  | { outcome: 'unchanged'; result: R }
  | Refused
  /** The stored answer of an earlier operation is the answer (idempotent by payment, not by key). */
  | { outcome: 'replayed'; operationId: string };

/** What a request gets in the end. */
export type Outcome = { answer: RecordedAnswer } | { refusal: AppError };

/** Attempts at one operation before it is given up with 503. */
export const ATTEMPTS_MAX = 5;

/** Who acts; there is one key until keys are managed. */
const ACTING_KEY = 'bootstrap';
const RETRY_AFTER_S = 1;

/** The operation could not be finished; nothing is known to be wrong with it. */
export function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'The operation could not be finished; try again with the same idempotency key.', {
    retryAfterS: RETRY_AFTER_S,
    cause,
  });
}

/** More waits already than memory should hold. */
export function overloaded(): AppError {
  return new AppError('overloaded', 'Too many requests are waiting.', { retryAfterS: RETRY_AFTER_S });
}

/** Decides; a thrown refusal is a refusal like a returned one. A decision that accepts nothing has posted nothing. */
export function decideSafely<D extends Decision<unknown>>(book: Book, decide: () => D): D | Refused {
  const entriesBefore = book.changes.entries.length;
  const decision = refusalsAsDecisions(decide);
  assert(decision.outcome === 'accepted' || book.changes.entries.length === entriesBefore, 'a refusal posts nothing');
  return decision;
}

function refusalsAsDecisions<D>(decide: () => D): D | Refused {
  try {
    return decide();
  } catch (error) {
    if (error instanceof AppError) return { outcome: 'refused', error };
    throw error;
  }
}

/** The row of an accepted operation; with a key it is the idempotency record. Its entries are those of the book from `firstSeq` on. */
export function toOperationRow(
  operation: { name: OperationName; idempotencyKey: string | undefined; keepsAnswer?: boolean },
  book: Book,
  id: string,
  requestHash: string | null,
  answer: { status: number; body: string },
  firstSeq: number,
): NewOperation {
  const hasEntries = book.nextSeq > firstSeq;
  const keepsAnswer = operation.idempotencyKey !== undefined || operation.keepsAnswer === true;
  return {
    customerId: book.customerId,
    id,
    name: operation.name,
    actingKey: ACTING_KEY,
    idempotencyKey: operation.idempotencyKey ?? null,
    requestHash,
    requestHashVersion: requestHash === null ? null : REQUEST_HASH_VERSION,
    status: keepsAnswer ? answer.status : null,
    answer: keepsAnswer ? answer.body : null,
    recordedAt: book.now,
    firstSeq: hasEntries ? firstSeq : null,
    lastSeq: hasEntries ? book.nextSeq - 1 : null,
  };
}

/** What a request gets whose key is recorded: the first answer, or a refusal when it is another request. */
export function replayByKey(recorded: Omit<RecordedOperation, 'id'>, requestHash: string | null): Outcome {
  if (isSameHash(recorded, requestHash)) {
    return { answer: storedAnswer(recorded) };
  }
  const detail = 'This key was used for a request with other contents: send that request again, or another key.';
  return { refusal: new AppError('idempotency_key_reused', detail, { pointer: '/idempotency_key' }) };
}

/** The answer that an operation stored. */
export function storedAnswer(recorded: Pick<RecordedOperation, 'status' | 'answer'>): RecordedAnswer {
  return {
    status: required(recorded.status, 'a replayed operation has a status'),
    body: required(recorded.answer, 'a replayed operation has an answer'),
    replayed: true,
  };
}

/**
 * Asks the database whether something is committed, until it answers, at most ATTEMPTS_MAX times: without an answer neither success nor
 * failure would be true. Throws: unavailable.
 */
export async function untilAnswered(ask: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const isPassing = isConnectionLost(error) || isUnavailable(error) || isRetryable(error);
      if (attempt === ATTEMPTS_MAX || !isPassing) throw unavailable(error);
    }
    await backOff(attempt);
  }
}
