// The one write path (DOMAIN 3.0). Every change of what a customer owns runs here: lock the customer, look up the key, load, settle, decide,
// write, record the answer, commit. It knows no operation: those bring what to load, a pure decision, and the rendering of the answer.
import { type LoadedBooks, loadBook, writeBooks } from '../db/books.js';
import type { PrismaTx } from '../db/client.js';
import { findIdentity, type LockedCustomer, lockCustomer } from '../db/customers.js';
import { isRetryable, isUnavailable } from '../db/errors.js';
import { findOperation, findOperationByKey, type NewOperation, type RecordedOperation } from '../db/operations.js';
import { ClaimLost, type Records, writeRecords } from '../db/records.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { assert, required } from '../lib/assert.js';
import { backOff } from '../lib/backoff.js';
import { resolveCustomer, type Selector } from './customers.js';
import { hashRequest, REQUEST_HASH_VERSION } from './request-hash.js';

/** The names under which operations and their keys are recorded; an alias route has its native route's name. */
export type OperationName =
  | 'identify'
  | 'customer.update'
  | 'identity.link'
  | 'identity.unlink'
  | 'order.create'
  | 'order.confirm'
  | 'quota.consume'
  | 'grant'
  | 'grant.migration'
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

/** What a decision comes to. A refusal commits what had fallen due and the records named here, nothing else. */
export type Decision<R> =
  | { outcome: 'accepted'; result: R; records?: Records }
  /** What was asked for is so already: answered, but neither written nor recorded. */
  | { outcome: 'unchanged'; result: R }
  | { outcome: 'refused'; error: AppError; records?: Records }
  /** The stored answer of an earlier operation is the answer (idempotent by payment, not by key). */
  | { outcome: 'replayed'; operationId: string };

/** One operation of one customer, from load to answer. */
export interface Operation<L, R> {
  name: OperationName;
  /** Whom it is about. An identity is looked up again under the lock; if it moved meanwhile, the operation starts again with its new customer. */
  selector: Selector;
  idempotencyKey: string | undefined;
  /** The validated command, without selector and key; its hash tells a repeated request from a reused key. */
  request: unknown;
  /** Keeps the answer even without a key, for operations that replay by what they are about. */
  keepsAnswer?: boolean;
  /**
   * Reads what the decision needs besides the book, under the lock, and names the subjects that the book must hold. Throws an AppError when
   * what the request names does not exist.
   */
  load(tx: PrismaTx, customer: LockedCustomer, now: Date): Promise<{ loaded: L; asks: readonly SubjectAsk[] }>;
  /** Decides and posts in the book. Pure; a refusal (returned or thrown) must come before the first posting. */
  decide(book: Book, loaded: L, operationId: string, providersOf: LoadedBooks['providersOf']): Decision<R>;
  render: Render<R>;
}

type Outcome = { answer: RecordedAnswer } | { refusal: AppError };

const ATTEMPTS_MAX = 5;
const RETRY_AFTER_S = 1;
/** Who acts; there is one key until keys are managed. */
const ACTING_KEY = 'bootstrap';

/** The identity named another customer once the lock was held. */
class IdentityMoved extends Error {}

/**
 * Runs an operation and returns its answer. The customer is resolved first, in a step of its own. The operation has its id before the first
 * attempt. Attempts that the database rolled back (deadlock, serialization, lock timeout), that lost a claim, or whose identity moved start
 * again, at most five times.
 * Locks: the customer's row, then claims. Throws: what the decision refuses, customer_not_found, selector_conflict, idempotency_key_reused,
 * unavailable.
 */
export async function runOperation<L, R>(deps: Deps, operation: Operation<L, R>): Promise<RecordedAnswer> {
  const operationId = deps.ids.next();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const customerId = await resolveCustomer(deps, operation.selector);
      const outcome = await deps.db.transaction((tx) => attemptOperation(deps, tx, operation, customerId, operationId));
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.answer;
    } catch (error) {
      if (error instanceof AppError) throw error;
      if (isUnavailable(error)) throw unavailable(error);
      if (!isWorthAnotherAttempt(error)) throw error;
      if (attempt === ATTEMPTS_MAX) throw unavailable(error);
    }
    await backOff(attempt);
  }
}

function isWorthAnotherAttempt(error: unknown): boolean {
  return error instanceof ClaimLost || error instanceof IdentityMoved || isRetryable(error);
}

function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'The operation could not be finished; try again with the same idempotency key.', {
    retryAfterS: RETRY_AFTER_S,
    cause,
  });
}

async function attemptOperation<L, R>(
  deps: Deps,
  tx: PrismaTx,
  operation: Operation<L, R>,
  customerId: string,
  operationId: string,
): Promise<Outcome> {
  const customer = required(await lockCustomer(tx, customerId), 'a resolved customer exists');
  const { identity } = operation.selector;
  if (identity && (await findIdentity(tx, identity))?.customerId !== customerId) throw new IdentityMoved();
  const clock = deps.clock.now();
  const now = clock > customer.lastRecordedAt ? clock : customer.lastRecordedAt;

  const requestHash = operation.idempotencyKey === undefined ? null : hashRequest(operation.request);
  if (operation.idempotencyKey !== undefined) {
    const recorded = await findOperationByKey(tx, customer.id, operation.name, operation.idempotencyKey);
    if (recorded) return replayByKey(recorded, requestHash);
  }

  const { loaded, asks } = await operation.load(tx, customer, now);
  const { book, providersOf } = await loadBook(tx, { customer, now, asks }, deps.ids);
  settle(book);
  const settledEntries = book.changes.entries.length;
  const decision = decideSafely(() => operation.decide(book, loaded, operationId, providersOf));

  if (decision.outcome !== 'accepted') {
    assert(book.changes.entries.length === settledEntries, 'a refusal posts nothing');
    await writeBooks(tx, [book], []);
    if (decision.outcome === 'replayed') {
      const earlier = await findOperation(tx, customer.id, decision.operationId);
      return { answer: storedAnswer(required(earlier, 'a replayed operation is recorded')) };
    }
    if (decision.outcome === 'unchanged') return { answer: { ...operation.render(decision.result), replayed: false } };
    if (decision.records) await writeRecords(tx, decision.records, now);
    return { refusal: decision.error };
  }

  const { status, body } = operation.render(decision.result);
  const keepsAnswer = operation.idempotencyKey !== undefined || operation.keepsAnswer === true;
  const row: NewOperation = {
    customerId: customer.id,
    id: operationId,
    name: operation.name,
    actingKey: ACTING_KEY,
    idempotencyKey: operation.idempotencyKey ?? null,
    requestHash,
    requestHashVersion: requestHash === null ? null : REQUEST_HASH_VERSION,
    status: keepsAnswer ? status : null,
    answer: keepsAnswer ? body : null,
    recordedAt: now,
  };
  await writeBooks(tx, [book], [row]);
  if (decision.records) await writeRecords(tx, decision.records, now);
  return { answer: { status, body, replayed: false } };
}

/** A thrown refusal is a refusal like a returned one. */
function decideSafely<R>(decide: () => Decision<R>): Decision<R> {
  try {
    return decide();
  } catch (error) {
    if (error instanceof AppError) return { outcome: 'refused', error };
    throw error;
  }
}

function replayByKey(recorded: RecordedOperation, requestHash: string | null): Outcome {
  if (recorded.requestHashVersion === REQUEST_HASH_VERSION && recorded.requestHash === requestHash) {
    return { answer: storedAnswer(recorded) };
  }
  const detail = 'This key was used for a request with other contents.';
  return { refusal: new AppError('idempotency_key_reused', detail, { pointer: '/idempotency_key' }) };
}

function storedAnswer(recorded: RecordedOperation): RecordedAnswer {
  return {
    status: required(recorded.status, 'a replayed operation has a status'),
    body: required(recorded.answer, 'a replayed operation has an answer'),
    replayed: true,
  };
}
