// The one write path (DOMAIN 3.0). Every change of what a customer owns runs here: lock the customer, look up the key, load, settle, decide,
// write, record the answer, commit. It knows no operation: those bring what to load, a pure decision, and the rendering of the answer.
// (Uses of quotas take the same steps many at a time: lanes.ts.)
import { loadBook, type ProvidersOf } from '../db/books.js';
import type { PrismaTx } from '../db/client.js';
import { findIdentity, type LockedCustomer, lockCustomer } from '../db/customers.js';
import { isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import { findOperation, findOperationsByKey } from '../db/operations.js';
import { ClaimLost, type Records, writeRecords } from '../db/records.js';
import { writeBooks } from '../db/write-books.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { backOff } from '../lib/backoff.js';
import { instantOf } from '../lib/clock.js';
import { resolveCustomer, type Selector } from './customers.js';
import {
  ATTEMPTS_MAX,
  type Decision,
  decideSafely,
  type OperationName,
  type Outcome,
  type RecordedAnswer,
  type Render,
  replayByKey,
  storedAnswer,
  toOperationRow,
  unavailable,
  untilAnswered,
} from './operation.js';
import { hashRequest } from './request-hash.js';

/** One operation of one customer, from load to answer. */
export interface Operation<L, R> {
  name: OperationName;
  /** Whom it is about. An identity is looked up again under the lock; if it moved meanwhile, the operation starts again with its new customer. */
  selector: Selector;
  idempotencyKey: string | undefined;
  /** How the selector becomes a customer, when somebody wants to see it. */
  resolve?(): Promise<string>;
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
  decide(book: Book, loaded: L, operationId: string, providersOf: ProvidersOf): Decision<R>;
  render: Render<R>;
}

/** The identity named another customer once the lock was held. */
class IdentityMoved extends Error {}

/**
 * Runs an operation and returns its answer. The customer is resolved first, in a step of its own. The operation has its id before the first
 * attempt. Attempts that the database rolled back (deadlock, serialization, lock timeout), that lost a claim, or whose identity moved start
 * again, at most five times. When the connection is lost the operation's id is looked for before anything is repeated or answered.
 * Locks: the customer's row, then claims. Throws: what the decision refuses, customer_not_found, selector_conflict, idempotency_key_reused,
 * unavailable.
 */
export async function runOperation<L, R>(deps: Foundations, operation: Operation<L, R>): Promise<RecordedAnswer> {
  const operationId = deps.ids.next();
  let written: { customerId: string; answer: RecordedAnswer } | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const customerId = await (operation.resolve?.() ?? resolveCustomer(deps, operation.selector));
      const outcome = await deps.turns.take(customerId, () =>
        deps.db.transaction((tx) =>
          attemptOperation(deps, tx, operation, customerId, operationId, (answer) => {
            written = { customerId, answer };
          }),
        ),
      );
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.answer;
    } catch (error) {
      // What was written before the connection was lost may be committed.
      if (written && isConnectionLost(error)) {
        const { customerId, answer } = written;
        if (await untilAnswered(() => isRecorded(deps, customerId, operationId))) return answer;
      }
      written = undefined;
      if (isWorthAnotherAttempt(error) ? attempt === ATTEMPTS_MAX : isUnavailable(error)) throw unavailable(error);
      if (!isWorthAnotherAttempt(error)) throw error;
    }
    await backOff(attempt);
  }
}

function isWorthAnotherAttempt(error: unknown): boolean {
  return error instanceof ClaimLost || error instanceof IdentityMoved || isRetryable(error) || isConnectionLost(error);
}

/** Whether the operation is committed. Its customer's lock waits until a transaction that was cut off has ended. */
async function isRecorded(deps: Foundations, customerId: string, operationId: string): Promise<boolean> {
  return deps.db.transaction(async (tx) => {
    await lockCustomer(tx, customerId);
    return (await findOperation(tx, customerId, operationId)) !== undefined;
  });
}

async function attemptOperation<L, R>(
  deps: Foundations,
  tx: PrismaTx,
  operation: Operation<L, R>,
  customerId: string,
  operationId: string,
  onWrite: (answer: RecordedAnswer) => void,
): Promise<Outcome> {
  const customer = required(await lockCustomer(tx, customerId), 'a resolved customer exists');
  const { selector, idempotencyKey } = operation;
  if (selector.identity && (await findIdentity(tx, selector.identity))?.customerId !== customerId)
    throw new IdentityMoved();
  const now = instantOf(deps.clock.now(), customer.lastRecordedAt);

  const isRecorded = idempotencyKey !== undefined || operation.keepsAnswer === true;
  const requestHash = isRecorded ? hashRequest(operation.request) : null;
  if (idempotencyKey !== undefined) {
    const [recorded] = await findOperationsByKey(tx, [{ customerId, name: operation.name, key: idempotencyKey }]);
    if (recorded) return replayByKey(recorded.operation, requestHash);
  }

  const { loaded, asks } = await operation.load(tx, customer, now);
  const { book, providersOf } = await loadBook(tx, customer, { at: now, isPast: false }, asks, deps.ids);
  settle(book);
  const firstSeq = book.nextSeq;
  const decision = decideSafely(book, () => operation.decide(book, loaded, operationId, providersOf));
  if (decision.outcome !== 'accepted') {
    await writeBooks(tx, [book], []);
    return concludeWithoutEffect(tx, operation, decision, customerId, now);
  }

  const rendered = operation.render(decision.result);
  await writeBooks(tx, [book], [toOperationRow(operation, book, operationId, requestHash, rendered, firstSeq)]);
  await writeGiven(tx, decision.records, now);
  const answer = { ...rendered, replayed: false };
  onWrite(answer);
  return { answer };
}

async function concludeWithoutEffect<L, R>(
  tx: PrismaTx,
  operation: Operation<L, R>,
  decision: Exclude<Decision<R>, { outcome: 'accepted' }>,
  customerId: string,
  now: Date,
): Promise<Outcome> {
  switch (decision.outcome) {
    case 'unchanged':
      return { answer: { ...operation.render(decision.result), replayed: false } };
    case 'replayed': {
      const earlier = await findOperation(tx, customerId, decision.operationId);
      return { answer: storedAnswer(required(earlier, 'a replayed operation is recorded')) };
    }
    case 'refused':
      await writeGiven(tx, decision.records, now);
      return { refusal: decision.error };
  }
}

async function writeGiven(tx: PrismaTx, records: Records | undefined, now: Date): Promise<void> {
  if (records) await writeRecords(tx, records, now);
}
