// One transaction for many requests: lock, look up the keys, load, settle, decide each in its order, write all, commit. Takes the steps of
// the write path (DOMAIN 3.0) on a connection of the pool. Knows neither queues nor who waits for an answer.
import { type LoadedBooks, loadBooks, writeBooks } from '../db/books.js';
import type { Tx } from '../db/client.js';
import { findIdentityOwners, type IdentityKey, type LockedCustomer, lockCustomers } from '../db/customers.js';
import { findOperationsByKey, findRecordedIds, type NewOperation, type RecordedOperation } from '../db/operations.js';
import { beginOnPool, CommitUncertain, type PoolTransaction } from '../db/pool-transaction.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import type { Selector } from './customers.js';
import {
  decideSafely,
  type OperationName,
  type Outcome,
  replayByKey,
  toOperationRow,
  untilAnswered,
} from './operation.js';

/** An operation as a shared transaction runs it: all it needs is the book. */
export interface SharedOperation {
  name: OperationName;
  selector: Selector;
  idempotencyKey: string | undefined;
  ask: SubjectAsk;
  /** Decides, posts in the book, and renders the answer. Pure; a refusal is thrown, before the first posting. */
  answer(book: Book, operationId: string, providersOf: LoadedBooks['providersOf']): { status: number; body: string };
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
  let decided: { verdicts: Map<R, Verdict>; operations: NewOperation[] };
  try {
    decided = await decideTogether(deps, tx, requests, skipLocked);
  } catch (error) {
    await tx.abandon();
    throw error;
  }
  await commit(deps, tx, decided.operations);
  return decided.verdicts;
}

/** Commits; when the outcome is unknown, finds out. Throws when it was rolled back. */
async function commit(deps: Foundations, tx: PoolTransaction, operations: readonly NewOperation[]): Promise<void> {
  try {
    await tx.commit();
  } catch (error) {
    const isUnknown = error instanceof CommitUncertain;
    if (!isUnknown || !(await untilAnswered(() => areRecorded(deps, operations)))) throw error;
  }
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
  tx: Tx,
  requests: readonly R[],
  skipLocked: boolean,
): Promise<{ verdicts: Map<R, Verdict>; operations: NewOperation[] }> {
  const verdicts = new Map<R, Verdict>();
  const operations: NewOperation[] = [];
  const customerIds = new Set(requests.map((request) => required(request.customerId, 'the customer is resolved')));
  const locked = await lockCustomers(tx, [...customerIds], { skipLocked });
  const customers = new Map(locked.map((customer) => [customer.id, customer]));
  const standing = await findStanding(
    tx,
    requests.filter((request) => customers.has(request.customerId ?? '')),
    verdicts,
  );
  if (standing.requests.length === 0) return { verdicts, operations };

  const clock = deps.clock.now();
  const { books, providersOf } = await loadBooks(tx, bookRequestsOf(standing.requests, customers, clock), deps.ids);
  for (const book of books.values()) settle(book);
  for (const request of standing.requests) {
    const book = required(books.get(request.customerId ?? ''), 'the book is loaded');
    const { verdict, row } = decideOne(request, book, standing.recorded, providersOf);
    verdicts.set(request, verdict);
    if (row) operations.push(row);
  }
  await writeBooks(tx, [...books.values()], operations);
  return { verdicts, operations };
}

function keyText(customerId: string, name: string, key: string): string {
  return JSON.stringify([customerId, name, key]);
}

/**
 * Under the locks: whose identity moved is taken out, and what is recorded under the keys is found. Those that replay or reuse a key are
 * decided later, in their order, because a predecessor in the same transaction counts too.
 */
async function findStanding<R extends Request>(
  tx: Tx,
  requests: readonly R[],
  verdicts: Map<R, Verdict>,
): Promise<{ requests: R[]; recorded: Map<string, Omit<RecordedOperation, 'id'>> }> {
  const identities = requests.flatMap(({ operation: { selector } }) => (selector.identity ? [selector.identity] : []));
  const owners = new Map<string, string>();
  if (identities.length > 0) {
    for (const owner of await findIdentityOwners(tx, identities)) owners.set(identityText(owner), owner.customerId);
  }
  const standing = requests.filter((request) => {
    const { identity } = request.operation.selector;
    const isHis = !identity || owners.get(identityText(identity)) === request.customerId;
    if (!isHis) verdicts.set(request, 'again');
    return isHis;
  });
  const keys = standing.flatMap(({ customerId = '', operation: { name, idempotencyKey } }) =>
    idempotencyKey === undefined ? [] : [{ customerId, name, key: idempotencyKey }],
  );
  const found = keys.length > 0 ? await findOperationsByKey(tx, keys) : [];
  const recorded = new Map(
    found.map(({ customerId, name, key, operation }) => [keyText(customerId, name, key), operation] as const),
  );
  return { requests: standing, recorded };
}

function bookRequestsOf(requests: readonly Request[], customers: ReadonlyMap<string, LockedCustomer>, clock: Date) {
  const asks = new Map<string, SubjectAsk[]>();
  for (const { customerId = '', operation } of requests) {
    const known = asks.get(customerId);
    if (known) known.push(operation.ask);
    else asks.set(customerId, [operation.ask]);
  }
  return [...asks].map(([customerId, customerAsks]) => {
    const customer = required(customers.get(customerId), 'the customer is locked');
    return { customer, now: instantOf(clock, customer.lastRecordedAt), asks: customerAsks };
  });
}

function decideOne(
  { operation, operationId, requestHash }: Request,
  book: Book,
  recorded: Map<string, Omit<RecordedOperation, 'id'>>,
  providersOf: LoadedBooks['providersOf'],
): { verdict: Outcome; row?: NewOperation } {
  const { name, idempotencyKey } = operation;
  const key = idempotencyKey === undefined ? undefined : keyText(book.customerId, name, idempotencyKey);
  const earlier = key === undefined ? undefined : recorded.get(key);
  if (earlier) return { verdict: replayByKey(earlier, requestHash) };
  const decision = decideSafely(book, () => ({
    outcome: 'accepted',
    result: operation.answer(book, operationId, providersOf),
  }));
  if (decision.outcome !== 'accepted') return { verdict: { refusal: decision.error } };
  const rendered = decision.result;
  const row = toOperationRow(operation, book, operationId, requestHash, rendered);
  if (key !== undefined) recorded.set(key, row);
  return { verdict: { answer: { ...rendered, replayed: false } }, row };
}
