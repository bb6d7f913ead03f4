// One transaction for many requests: lock, look up the keys, load, settle, decide each in its order, write all, commit. Takes the steps of
// the write path (DOMAIN 3.0) on a connection of the pool. Knows neither queues nor who waits for an answer.
import { type BookRequest, type LoadedBooks, loadBooks, type ProvidersOf } from '../db/books.js';
import { findIdentityOwners, type IdentityKey, type LockedCustomer, lockCustomers } from '../db/customers.js';
import { type KeyedCall, recordKeyedCall } from '../db/keyed-calls.js';
import {
  findOperation,
  findOperationsByKey,
  findRecordedIds,
  type NewOperation,
  type RecordedOperation,
} from '../db/operations.js';
import { beginOnPool, CommitUncertain, orAbandon, type PoolTransaction, RolledBack } from '../db/pool-transaction.js';
import { writeBooks } from '../db/write-books.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { Needs } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import { groupBy } from '../lib/group-by.js';
import type { Selector } from './customers.js';
import {
  type Decision,
  decideSafely,
  type OperationName,
  type Outcome,
  replayByKey,
  storedAnswer,
  toOperationRow,
  untilAnswered,
} from './operation.js';

/** An operation as a shared transaction runs it: all it needs is the book. */
export interface SharedOperation {
  name: OperationName;
  selector: Selector;
  idempotencyKey: string | undefined;
  /** Keeps the answer even without a key, for operations that replay by what they are about. */
  keepsAnswer?: boolean;
  needs: Needs;
  /** Decides, posts in the book, and renders the answer. Pure; a refusal (returned or thrown) comes before the first posting. */
  answer(book: Book, operationId: string, providersOf: ProvidersOf): Decision<{ status: number; body: string }>;
}

/** A request to run; its operation has its id before the first attempt. */
export interface Request {
  operation: SharedOperation;
  operationId: string;
  requestHash: string | null;
  /** Set once the selector is resolved. */
  customerId: string | undefined;
}

/** What became of a request in a transaction; `again` when its identity moved: it is taken out undecided. */
export type Verdict = Outcome | 'again';

/** An identity as a map's key. */
export function identityText({ provider, externalId }: IdentityKey): string {
  return JSON.stringify([provider, externalId]);
}

/** What a transaction decided and will write. */
interface Decided<R> {
  verdicts: Map<R, Verdict>;
  books: Book[];
  operations: NewOperation[];
}

/**
 * Decides and writes requests in one transaction on the pool; commits; answers each with its verdict. Requests whose customer was not
 * locked have none. Throws what rolled the transaction back; after an uncertain COMMIT the operations' ids are looked for first.
 */
export async function transact<R extends Request>(
  deps: Foundations,
  requests: readonly R[],
  { skipLocked }: { skipLocked: boolean },
): Promise<Map<R, Verdict>> {
  const tx = await beginOnPool(deps.db.pool);
  const decided = await orAbandon(tx, () => decideTogether(deps, tx, requests, skipLocked));
  await writeAndCommit(deps, tx, decided);
  return decided.verdicts;
}

/**
 * Like `transact`, but all or nothing: when one request gets no answer none is written. `recordOf` is what is recorded of the call as a whole.
 * Without `mayCommit` it only decides.
 * Throws a unique violation of `keyed_calls_pk` when its key is recorded meanwhile.
 */
export async function transactWhole<R extends Request>(
  deps: Foundations,
  requests: readonly R[],
  recordOf: (verdicts: ReadonlyMap<R, Verdict>) => KeyedCall | undefined,
  mayCommit: boolean,
): Promise<{ verdicts: Map<R, Verdict>; isCommitted: boolean }> {
  const tx = await beginOnPool(deps.db.pool);
  const decided = await orAbandon(tx, () => decideTogether(deps, tx, requests, false));
  const { verdicts } = decided;
  if (!mayCommit || requests.some((request) => !isAnswered(verdicts.get(request)))) {
    await tx.abandon();
    return { verdicts, isCommitted: false };
  }
  const call = await orAbandon(tx, async () => recordOf(verdicts));
  await writeAndCommit(deps, tx, decided, call);
  return { verdicts, isCommitted: true };
}

function isAnswered(verdict: Verdict | undefined): boolean {
  return typeof verdict === 'object' && 'answer' in verdict;
}

/**
 * Sends the writes and COMMIT together: a write that fails makes the COMMIT a rollback. When the outcome is unknown, finds out. Throws when it
 * was rolled back.
 */
export async function writeAndCommit(
  deps: Foundations,
  tx: PoolTransaction,
  { books, operations }: Pick<Decided<unknown>, 'books' | 'operations'>,
  call?: KeyedCall,
): Promise<void> {
  const writing = [writeBooks(tx, books, operations), ...(call ? [recordKeyedCall(tx, call)] : [])];
  const [committed, ...written] = await Promise.allSettled([tx.commit(), ...writing]);
  const failed = written.find((write) => write.status === 'rejected');
  if (committed.status === 'fulfilled') {
    if (failed) throw failed.reason; // it failed before it was sent
    return;
  }
  const { reason } = committed;
  if (reason instanceof RolledBack) throw failed?.reason ?? reason;
  const isUnknown = reason instanceof CommitUncertain;
  if (!isUnknown || !(await untilAnswered(() => areRecorded(deps, operations)))) throw reason;
}

/** Whether the operations are committed, all of them or none. The locks wait until the transaction that was cut off has ended. */
async function areRecorded(deps: Foundations, operations: readonly NewOperation[]): Promise<boolean> {
  if (operations.length === 0) return false;
  const tx = await beginOnPool(deps.db.pool);
  try {
    await lockCustomers(tx, [...new Set(operations.map((operation) => operation.customerId))], { skipLocked: false });
    const recorded = await findRecordedIds(tx, operations);
    return recorded.size === operations.length;
  } finally {
    await tx.abandon();
  }
}

async function decideTogether<R extends Request>(
  deps: Foundations,
  tx: PoolTransaction,
  requests: readonly R[],
  skipLocked: boolean,
): Promise<Decided<R>> {
  const { customers, owners, recorded, loaded, clock } = await lockAndLoad(deps, tx, requests, skipLocked);
  const verdicts = new Map<R, Verdict>();
  const books = new Map<string, Book>();
  const operations: NewOperation[] = [];
  for (const request of requests) {
    const customer = customers.get(customerOf(request));
    if (!customer) continue;
    const { identity } = request.operation.selector;
    // Whose identity moved is taken out undecided.
    if (identity && owners.get(identityText(identity)) !== customer.id) {
      verdicts.set(request, 'again');
      continue;
    }
    const book = books.get(customer.id) ?? settled(loaded, customer, clock, deps);
    books.set(customer.id, book);
    const { verdict, row } = decideOne(request, book, recorded, loaded.providersFor(customer.id));
    verdicts.set(
      request,
      'replayOf' in verdict ? await replay(tx, customer.id, verdict.replayOf, operations) : verdict,
    );
    if (row) operations.push(row);
  }
  return { verdicts, books: [...books.values()], operations };
}

function customerOf({ customerId }: Request): string {
  return required(customerId, 'the customer is resolved');
}

function settled(loaded: LoadedBooks, customer: LockedCustomer, clock: Date, deps: Foundations): Book {
  const book = loaded.bookOf(customer, instantOf(clock, customer.lastRecordedAt), deps.ids);
  settle(book);
  return book;
}

/**
 * Locks the customers, then reads under the locks: in statements of their own, which are sent together when no lock is waited for. The clock
 * is read when the locks are there, or, when none is waited for, just before.
 */
async function lockAndLoad(deps: Foundations, tx: PoolTransaction, requests: readonly Request[], skipLocked: boolean) {
  const locking = lockCustomers(tx, [...new Set(requests.map(customerOf))], { skipLocked });
  if (!skipLocked) await Promise.all([tx.begun, locking]);
  const clock = deps.clock.now();
  const [locked, owners, recorded, loaded] = await Promise.all([
    locking,
    findOwners(tx, requests),
    findRecorded(tx, requests),
    loadBooks(tx, bookRequestsOf(requests), clock),
    tx.begun,
  ]);
  return { customers: new Map(locked.map((customer) => [customer.id, customer])), owners, recorded, loaded, clock };
}

function keyText(customerId: string, name: string, key: string): string {
  return JSON.stringify([customerId, name, key]);
}

/** Who has the identities by which the requests name their customers. */
async function findOwners(tx: PoolTransaction, requests: readonly Request[]): Promise<Map<string, string>> {
  const identities = requests.flatMap(({ operation: { selector } }) => (selector.identity ? [selector.identity] : []));
  if (identities.length === 0) return new Map();
  const owners = await findIdentityOwners(tx, identities);
  return new Map(owners.map((owner) => [identityText(owner), owner.customerId]));
}

type Recorded = Map<string, Omit<RecordedOperation, 'id'>>;

/** What is recorded under the requests' keys. A predecessor in the same transaction counts too, and is added when it is decided. */
async function findRecorded(tx: PoolTransaction, requests: readonly Request[]): Promise<Recorded> {
  const keys = requests.flatMap((request) => {
    const { name, idempotencyKey } = request.operation;
    return idempotencyKey === undefined ? [] : [{ customerId: customerOf(request), name, key: idempotencyKey }];
  });
  const found = keys.length > 0 ? await findOperationsByKey(tx, keys) : [];
  return new Map(
    found.map(({ customerId, name, key, operation }) => [keyText(customerId, name, key), operation] as const),
  );
}

function bookRequestsOf(requests: readonly Request[]): BookRequest[] {
  const byCustomer = groupBy(requests, customerOf);
  return [...byCustomer].map(([customerId, own]) => ({
    customerId,
    needs: own.map(({ operation }) => operation.needs),
  }));
}

function decideOne(
  { operation, operationId, requestHash }: Request,
  book: Book,
  recorded: Recorded,
  providersOf: ProvidersOf,
): { verdict: Outcome | { replayOf: string }; row?: NewOperation } {
  const { name, idempotencyKey } = operation;
  const key = idempotencyKey === undefined ? undefined : keyText(book.customerId, name, idempotencyKey);
  const earlier = key === undefined ? undefined : recorded.get(key);
  if (earlier) return { verdict: replayByKey(earlier, requestHash) };
  const firstSeq = book.nextSeq;
  const decision = decideSafely(book, () => operation.answer(book, operationId, providersOf));
  switch (decision.outcome) {
    case 'refused':
      return { verdict: { refusal: decision.error } };
    case 'replayed':
      return { verdict: { replayOf: decision.operationId } };
    case 'unchanged':
      return { verdict: { answer: { ...decision.result, replayed: false } } };
    case 'accepted': {
      const row = toOperationRow(operation, book, operationId, requestHash, decision.result, firstSeq);
      if (key !== undefined) recorded.set(key, row);
      return { verdict: { answer: { ...decision.result, replayed: false } }, row };
    }
  }
}

/** The stored answer of an earlier operation, which may be one of this transaction. */
async function replay(
  tx: PoolTransaction,
  customerId: string,
  operationId: string,
  operations: readonly NewOperation[],
): Promise<Outcome> {
  const own = operations.find(({ id }) => id === operationId);
  const earlier = own ?? (await findOperation(tx, customerId, operationId));
  return { answer: storedAnswer(required(earlier, 'a replayed operation is recorded')) };
}
