// What an operation is to the engine: whom it is about, what it looks at, its pure decision, its answer, and how its key is answered.
import type { Call, RecordedAnswer, Render, Rendered } from '../call.js';
import type { BookRequest } from '../db/book-needs.js';
import type { Tx } from '../db/client.js';
import type { ProvidersOf } from '../db/loaded-books.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import { countChanges } from '../ledger/changes.js';
import type { Needs } from '../ledger/consume.js';
import type { IdempotencyRecord, NewOperation, RecordedRequest, RecordKind } from '../ledger/entities.js';
import { isReversible, type OperationName } from '../ledger/operations.js';
import { isOfUse } from '../ledger/use-events.js';
import { assert } from '../lib/assert.js';
import { hashRequest, isSameHash, REQUEST_HASH_VERSION } from './request-hash.js';
import type { Resolution, Selector } from './selector.js';

/** What a decision comes to. A refusal leaves what had fallen due and a payment that is kept, nothing else (DOMAIN 3.17). */
export type Decision<R> =
  | {
      outcome: 'accepted';
      result: R /** Keeps the answer for ever, under this natural key of the operation's name. */;
      recordAs?: string;
    }
  /** What was asked for is so already: answered, but neither written nor recorded. */
  | { outcome: 'unchanged'; result: R }
  | { outcome: 'refused'; error: AppError }
  /** The answer kept under this natural key of the operation's name is the answer (idempotent by what it is about). */
  | { outcome: 'replayed'; recordedAs: string /** Whose record it is, where it is not his own. */; of?: string };

/** What a request gets in the end. */
export type Outcome = { answer: RecordedAnswer } | { refusal: AppError };

/** What a decision sees; it posts in the books. */
export interface State<L, M> {
  /** The customer's. */
  book: Book;
  /** Those of all customers that the operation locked, by id. */
  books: ReadonlyMap<string, Book>;
  operationId: string;
  /** The customer came to be in this transaction. */
  isFirstSight: boolean;
  providersOf: ProvidersOf;
  loaded: L;
  more: M;
}

/** One operation of one customer, from load to answer. `L` is what it loads beside the book, `M` what it loads after that. */
export interface Operation<R, L = undefined, M = undefined> {
  name: OperationName;
  /** Whom it is about. An identity is looked up again under the lock; if it moved meanwhile, the operation starts again with its new customer. */
  selector: Selector;
  /** Other customers that are locked too, in one statement with him. */
  alsoLocks?: readonly string[] | undefined;
  /** What is due of all of them is settled before, in a transaction of its own. */
  isOfSettled?: boolean;
  /** It is recorded of who was erased, too; anything else of his is refused. */
  mayBeErased?: boolean;
  /** It is decided, and nothing of it is written. */
  isDryRun?: boolean;
  call: Call;
  /** The validated command, without selector and key; its hash tells a repeated request from a reused key. */
  request: unknown;
  /** Loads what the decision needs beside the book, under the lock: its statements are sent together, those of the keys among them. */
  load?(tx: Tx, customerId: string): Promise<L>;
  /** Loads what only follows from what was loaded; sent together with the loading of the book. */
  loadMore?(tx: Tx, loaded: L, customerId: string, now: Date, familyIds: readonly string[]): Promise<M>;
  /** What the book must hold. */
  needs: Needs | ((loaded: L) => Needs);
  /** What the books of those that are locked with him must hold, and his own beside that. */
  needsOfEach?(loaded: L): readonly BookRequest[];
  /** Decides and posts in the books. Pure; a refusal (returned or thrown) must come before the first posting, but for a payment that is kept. */
  decide(state: State<L, M>): Decision<R>;
  render: Render<R>;
}

/** An operation on its way, whatever its types. */
export interface Member
  extends Pick<
    Operation<unknown>,
    'name' | 'selector' | 'alsoLocks' | 'isOfSettled' | 'mayBeErased' | 'isDryRun' | 'call'
  > {
  /** Computed when it is asked for. */
  readonly requestHash: () => string;
  readonly load: ((tx: Tx, customerId: string) => Promise<unknown>) | undefined;
  readonly loadMore:
    | ((tx: Tx, loaded: unknown, customerId: string, now: Date, familyIds: readonly string[]) => Promise<unknown>)
    | undefined;
  readonly needs: (loaded: unknown) => Needs;
  readonly needsOfEach: ((loaded: unknown) => readonly BookRequest[]) | undefined;
  /** Decides, and renders what was decided. */
  readonly answer: (state: State<unknown, unknown>) => Decision<Rendered>;
}

/** A member whose customer is known. Its operation has an id, which names him. */
export interface ResolvedMember extends Resolution {
  readonly member: Member;
  readonly operationId: string;
}

/** A member as one of this customer. Its operation keeps the id that it had as his. Precondition: no COMMIT under an earlier id may have succeeded. */
export function resolvedAs(
  deps: Pick<Foundations, 'ids'>,
  member: Member,
  { customerId, sight, finalId }: Resolution,
  earlier?: ResolvedMember,
): ResolvedMember {
  const earlierId = earlier?.customerId === customerId ? earlier.operationId : undefined;
  return { member, customerId, finalId, sight, operationId: earlierId ?? deps.ids.ownedBy(customerId).next() };
}

/** An operation as the engine takes it. Each member is named, because spreads would cost more than the decision. */
export function toMember<R, L, M>(operation: Operation<R, L, M>): Member {
  const { needs } = operation;
  return {
    name: operation.name,
    selector: operation.selector,
    alsoLocks: operation.alsoLocks,
    isOfSettled: operation.isOfSettled ?? false,
    mayBeErased: operation.mayBeErased ?? false,
    isDryRun: operation.isDryRun ?? false,
    call: operation.call,
    requestHash: once(() => hashRequest(operation.request)),
    load: operation.load,
    loadMore: operation.loadMore as Member['loadMore'],
    needs: typeof needs === 'function' ? (needs as Member['needs']) : () => needs,
    needsOfEach: operation.needsOfEach as Member['needsOfEach'],
    answer: (state) => {
      const decision = operation.decide(state as State<L, M>);
      return 'result' in decision ? { ...decision, result: operation.render(decision.result) } : decision;
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Decides; a thrown refusal is a refusal like a returned one. A decision that accepts nothing has changed nothing but what a refusal may leave. */
export function decideSafely<R>(books: Iterable<Book>, decide: () => Decision<R>): Decision<R> {
  const before = [...books].map(({ changes }) => ({ changes, count: countChanges(changes, true) }));
  const decision = refusalsAsDecisions(decide);
  const isUntouched = before.every(({ changes, count }) => countChanges(changes, true) === count);
  assert(decision.outcome === 'accepted' || isUntouched, 'a refusal posts nothing');
  return decision;
}

function refusalsAsDecisions<R>(decide: () => Decision<R>): Decision<R> {
  try {
    return decide();
  } catch (error) {
    if (error instanceof AppError) return { outcome: 'refused', error };
    throw error;
  }
}

/** The row of an accepted operation. Its entries are those of the book from `firstSeq` on. */
export function toOperationRow(
  { member: { name, call }, operationId }: ResolvedMember,
  book: Book,
  firstSeq: number,
): NewOperation {
  const count = book.nextSeq - firstSeq;
  const hasEntries = count > 0;
  const isTold = book.tellsUses && hasEntries && isReversible(name);
  return {
    id: operationId,
    name,
    actingKey: call.actor.keyId,
    firstSeq: hasEntries ? firstSeq : null,
    lastSeq: hasEntries ? book.nextSeq - 1 : null,
    tellsUse: isTold && book.changes.entries.slice(-count).some(isOfUse),
  };
}

/** The records of an accepted operation's answer: under the caller's key, and under what it is about. */
export function toRecords(
  { member: { name, call, requestHash }, operationId }: ResolvedMember,
  { status, body: answer }: Rendered,
  naturalKey: string | undefined,
): IdempotencyRecord[] {
  const recordUnder = (kind: RecordKind, key: string | undefined): IdempotencyRecord[] =>
    key === undefined
      ? []
      : [
          {
            name,
            kind,
            key,
            operationId,
            requestHash: requestHash(),
            requestHashVersion: REQUEST_HASH_VERSION,
            status,
            answer,
          },
        ];
  return [...recordUnder('client', call.idempotencyKey), ...recordUnder('natural', naturalKey)];
}

/** What a request gets whose key is recorded: the answer to the same request, or a refusal when there were only others. */
export function replayByKey(recorded: readonly RecordedRequest[], requestHash: string): Outcome {
  const same = recorded.find((earlier) => isSameHash(earlier, requestHash));
  if (same) return { answer: storedAnswer(same) };
  const detail = 'This key was used for a request with other contents: send that request again, or another key.';
  return { refusal: new AppError('idempotency_key_reused', detail, { pointer: '/idempotency_key' }) };
}

/** The answer that was kept. */
export function storedAnswer({ status, answer }: RecordedRequest): RecordedAnswer {
  return { status, body: answer, replayed: true };
}
