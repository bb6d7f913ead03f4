// What becomes of the members of a transaction (DOMAIN 3.0): what is due is settled first, then each is decided in turn, on the books that those before it left;
// or it replays, or is left for another transaction. Nothing is written here but into `Changes`.

import { setImmediate } from 'node:timers/promises';
import type { Tx } from '../db/client.js';
import { clockSkewed } from '../db/clock.js';
import type { LockedCustomer } from '../db/customers.js';
import type { RecordKey } from '../db/idempotency.js';
import { findRecords } from '../db/idempotency.js';
import type { Transaction } from '../db/transactions.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import { TooFewRead } from '../ledger/bounds.js';
import { type Changes, noChanges } from '../ledger/changes.js';
import type { KeyedAnswer } from '../ledger/customer-entities.js';
import type { IdempotencyRecord } from '../ledger/entities.js';
import type { Opener } from '../ledger/operations.js';
import { openBook } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import { rememberMerged } from './merged-ids.js';
import {
  decideSafely,
  type Outcome,
  type ResolvedMember,
  storedAnswer,
  toOperationRow,
  toRecords,
} from './operation.js';
import { type Recorded, recordText, replayOf } from './records.js';
import { identityText } from './selector.js';
import { lockAndLoad, type UnderLock } from './under-lock.js';

/** Customers whose books are settled before others have their turn at the event loop. */
const SETTLED_AT_ONCE = 4;

/** What became of a member; `moved` when its identity names another customer now: it is taken out undecided. */
export type Verdict = Outcome | 'moved';

/** Members that are written all or none. */
export interface Whole<M> {
  /** Without it they are only decided. */
  mayCommit: boolean;
  /** What is recorded of them together, when each has an answer. */
  recordOf(verdicts: ReadonlyMap<M, Verdict>): KeyedAnswer | undefined;
}

export interface TransactOptions<M> {
  opener: Opener;
  /** Leaves out customers that others hold, instead of waiting for them. */
  skipLocked: boolean;
  /** Customers to settle, whom no member is about. */
  customerIds?: readonly string[];
  whole?: Whole<M>;
}

export interface Transacted<M> {
  /** In the order of the members. Whose customers were not locked has none. */
  verdicts: Map<M, Verdict>;
  changes: Changes;
  isCommitted: boolean;
}

/** The key of the record that has the answer. */
interface Replay {
  replayOf: RecordKey;
}

/** What was decided. Of a customer who is behind nothing was, but what is due was settled as far as it was loaded. */
export interface Decided<M> extends Pick<Transacted<M>, 'verdicts' | 'changes'> {
  isBehind: boolean;
  /** Whole families that have to be settled before anything is decided. */
  relatives: readonly string[];
}

/** The customers that a member locks, its own first. */
function customersOf({ customerId, finalId, member: { alsoLocks } }: ResolvedMember): readonly string[] {
  if (!alsoLocks && finalId === undefined) return [customerId];
  return [customerId, ...(finalId === undefined ? [] : [finalId]), ...(alsoLocks ?? [])];
}

/** Locks, loads, settles and decides; nothing is written yet. Where somebody is behind nobody is decided, unless he can be left out. */
export async function decideTogether<M extends ResolvedMember>(
  deps: Foundations,
  tx: Transaction,
  members: readonly M[],
  { skipLocked, customerIds = [], whole }: TransactOptions<M>,
): Promise<Decided<M>> {
  const wanted = [...new Set([...members.flatMap(customersOf), ...customerIds])];
  const changes = noChanges();
  changes.firstSights = [...new Set(members.flatMap(({ sight }) => sight ?? []))];
  const isShared = members.length > 1 && !whole;
  const { firstSights } = changes;
  const state = await lockAndLoad(deps, tx, wanted, members, { skipLocked, isShared, firstSights });
  const books = new Map<string, Book>();
  const bookOf = (id: string): Book => {
    const known = books.get(id);
    if (known) return known;
    const customer = required(state.customers.get(id), 'the customer is locked');
    const into = customer.mergedInto === null ? undefined : bookOf(customer.mergedInto);
    // What moves on is dated in both ledgers.
    const now = into?.now ?? latestOf(customer, state);
    const book = openBook(state.books.bookOf(customer, now, deps.ids), into);
    if (customer.erasedAt !== null) book.isErased = true;
    if (customer.lastRecordedAt >= now) book.hasRecordedNow = true;
    books.set(id, book);
    changes.customers.push(book);
    return book;
  };
  const isFree = ({ isAhead, mergedInto }: LockedCustomer) =>
    !isAhead && (mergedInto === null || state.customers.get(mergedInto)?.isAhead === false);
  const mayBeSettled = (id: string) => {
    const customer = state.customers.get(id);
    return customer !== undefined && isFree(customer);
  };
  const unanswered = members.filter((member) => !isMoved(deps, member, state) && !replayOf(member, state.recorded));
  const settledFirst = new Set(unanswered.flatMap((own) => (own.member.isOfSettled ? customersOf(own) : [])));
  const isDueFirst = (id: string) => settledFirst.has(id) && isDueAt(state, id);
  const isBehind = (id: string) => mayBeSettled(id) && (state.books.isBehind(id) || isDueFirst(id));
  const relatives = unanswered.flatMap(customersOf).flatMap((id) => state.relatives.get(id) ?? []);
  if (relatives.length > 0 && !skipLocked)
    return { verdicts: new Map(), changes: noChanges(), isBehind: true, relatives };
  const settling = [...customerIds, ...unanswered.flatMap(customersOf).filter(isBehind)].filter(mayBeSettled);
  // Requests are answered between the customers of a sweep; whoever waits for a decision waits for all of it.
  for (const [at, id] of settling.entries()) {
    if (at > 0 && at % SETTLED_AT_ONCE === 0) await setImmediate();
    bookOf(id);
  }
  const isAnyBehind = settling.some(isBehind);
  if (isAnyBehind && !skipLocked) return { verdicts: new Map(), changes, isBehind: true, relatives: [] };
  const isLeft = (id: string) => isBehind(id) || state.books.isUnread(id) || state.relatives.has(id);
  const left = new Set(unanswered.filter((member) => customersOf(member).some(isLeft)));
  const decided = new Map<M, Verdict | Replay>();
  for (const [index, member] of members.entries()) {
    const own = customersOf(member);
    if (left.has(member) || own.some((id) => !state.customers.has(id))) continue;
    const known = isMoved(deps, member, state)
      ? 'moved'
      : (refusalOfErased(member, own, state) ?? replayOf(member, state.recorded) ?? refusalOfAhead(own, state));
    const verdict = known ?? decideOne(member, index, own.map(bookOf), state);
    if (!isShared || !isTooFewRead(verdict)) decided.set(member, verdict);
  }
  const verdicts = await answerReplays(tx, decided, state.recorded.records);
  return { verdicts, changes, isBehind: isAnyBehind, relatives: [] };
}

/** The instant of a customer, or of whom he leads to: the clock, but not before what they recorded last. */
function latestOf({ id, lastRecordedAt }: LockedCustomer, { clock, customers }: UnderLock): Date {
  const led = [...customers.values()].filter(({ mergedInto }) => mergedInto === id);
  return led.reduce((latest, own) => instantOf(latest, own.lastRecordedAt), instantOf(clock, lastRecordedAt));
}

/** Whether something of a customer is past its end. */
function isDueAt({ customers, clock }: UnderLock, id: string): boolean {
  const customer = customers.get(id);
  return (
    customer !== undefined && customer.dueAt !== null && customer.dueAt <= instantOf(clock, customer.lastRecordedAt)
  );
}

/** Whether the member's use takes of batches that were read for others, and may be accepted when it is alone. */
function isTooFewRead(verdict: Verdict | Replay): boolean {
  return typeof verdict === 'object' && 'refusal' in verdict && verdict.refusal instanceof TooFewRead;
}

/** Operations that find out themselves whom the others of their customers lead to. */
const LOOKS_ITSELF: ReadonlySet<string> = new Set([
  'customer.merge',
  'customer.erase',
  'reward.claw_back',
  'order.refund',
  'order.dispute',
  'subscription.create',
  'subscription.change',
  'subscription.cancel',
  'order.confirm',
]);

/** Whether the identity, or the customer, leads to another one by now. */
function isMoved(
  deps: Foundations,
  { member, customerId, finalId }: ResolvedMember,
  { owners, customers }: UnderLock,
): boolean {
  const { identity } = member.selector;
  const mergedInto = customers.get(customerId)?.mergedInto ?? null;
  if (mergedInto !== null) rememberMerged(deps, customerId, mergedInto);
  if ((mergedInto ?? undefined) !== finalId && customers.has(customerId)) return true;
  if (identity !== undefined && owners.get(identityText(identity)) !== (finalId ?? customerId)) return true;
  const others = LOOKS_ITSELF.has(member.name) ? [] : (member.alsoLocks ?? []);
  return others.some((id) => (customers.get(id)?.mergedInto ?? null) !== null);
}

/** What a member gets when a customer of his was erased, whatever was answered before; undefined when none was, or it is recorded nevertheless. */
function refusalOfErased(
  { member: { mayBeErased } }: ResolvedMember,
  customerIds: readonly string[],
  { customers }: UnderLock,
): Outcome | undefined {
  const erasedId = customerIds.find((id) => (customers.get(id)?.erasedAt ?? null) !== null);
  if (mayBeErased || erasedId === undefined) return undefined;
  const detail = 'The customer was erased: nothing is written of him any more.';
  return { refusal: new AppError('customer_erased', detail, { extensions: { customerId: erasedId } }) };
}

/** What a member gets when a customer of his was dated by a clock that was wrong; undefined when none was. */
function refusalOfAhead(customerIds: readonly string[], { customers }: UnderLock): Outcome | undefined {
  const ahead = customerIds.find((id) => customers.get(id)?.isAhead);
  if (ahead === undefined) return undefined;
  const until = required(customers.get(ahead), 'it is locked').lastRecordedAt.toISOString();
  const detail = `What customer ${ahead} recorded last is dated ${until}, ahead of the database's clock (docs/operations.md, A clock that was wrong).`;
  return { refusal: clockSkewed(detail) };
}

/** The member's verdict, or the record that has it. */
function decideOne(
  resolved: ResolvedMember,
  index: number,
  [book, ...others]: readonly Book[],
  { recorded, loaded, more, books }: UnderLock,
): Outcome | Replay {
  const own = required(book, 'a member has a customer');
  const { member, customerId, operationId } = resolved;
  const firstSeq = own.nextSeq;
  const all = [own, ...others];
  const locked = new Map(all.map((each) => [each.customerId, each]));
  for (const each of all) each.others = locked;
  const decision = decideSafely(all, () =>
    member.answer({
      book: own,
      books: locked,
      operationId,
      isFirstSight: resolved.sight !== undefined,
      providersOf: books.providersFor(own.customerId),
      loaded: loaded[index],
      more: more[index],
    }),
  );
  switch (decision.outcome) {
    case 'refused':
      return { refusal: decision.error };
    case 'replayed':
      return {
        replayOf: {
          customerId: decision.of ?? customerId,
          name: member.name,
          kind: 'natural',
          key: decision.recordedAs,
        },
      };
    case 'unchanged':
      return { answer: { ...decision.result, replayed: false } };
    case 'accepted': {
      const operation = toOperationRow(resolved, own, firstSeq);
      own.changes.operations.push(operation);
      for (const way of [own.onward, ...(own.through?.values() ?? [])]) way?.name(operation);
      const records = toRecords(resolved, decision.result, decision.recordAs);
      for (const record of own.isErased ? withoutAnswers(records) : records) {
        own.changes.records.push(record);
        recorded.records.set(recordText({ customerId, ...record }), record);
      }
      return { answer: { ...decision.result, replayed: false } };
    }
  }
}

/** Of whoever was erased it is kept what was recorded, and no answer. */
function withoutAnswers(records: readonly IdempotencyRecord[]): IdempotencyRecord[] {
  return records.filter(({ kind }) => kind === 'natural').map((record) => ({ ...record, answer: '' }));
}

/** The verdicts, with the answers of those that replay what is recorded, which may be of this transaction. */
async function answerReplays<M>(
  tx: Tx,
  decided: ReadonlyMap<M, Verdict | Replay>,
  recorded: Recorded['records'],
): Promise<Map<M, Verdict>> {
  const replays = [...decided.values()].filter(isReplay).map(({ replayOf: key }) => key);
  const earlier = await findRecords(
    tx,
    replays.filter((key) => !recorded.has(recordText(key))),
  );
  for (const record of earlier) recorded.set(recordText(record), record);
  const answerOf = ({ replayOf: key }: Replay): Outcome => ({
    answer: storedAnswer(required(recorded.get(recordText(key)), 'a replayed answer is recorded')),
  });
  return new Map([...decided].map(([member, verdict]) => [member, isReplay(verdict) ? answerOf(verdict) : verdict]));
}

function isReplay(verdict: Verdict | Replay): verdict is Replay {
  return typeof verdict === 'object' && 'replayOf' in verdict;
}
