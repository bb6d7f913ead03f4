// The one way of a write (DOMAIN 3.0): lock, look up the keys, load, settle, decide, write, record the answers, commit, and find out about an uncertain
// COMMIT. A lone operation is a transaction of one member, those that wait together share one, a bulk call that is all or nothing is one as a whole, the
// sweep is one without members; what is about no customer takes the same way. Knows neither queues nor who waits for an answer.
import type { BookRequest } from '../db/book-needs.js';
import { type IsOf, type LoadOptions, loadBooks } from '../db/books.js';
import { writeChanges } from '../db/changes.js';
import type { Tx } from '../db/client.js';
import { clockSkewed } from '../db/clock.js';
import {
  awaitFirstSights,
  claimFirstSights,
  findDueAmong,
  findIdentityOwners,
  type LockedCustomer,
  lockCustomers,
} from '../db/customers.js';
import { isOfMovedData } from '../db/errors.js';
import { findRecords, type RecordKey } from '../db/idempotency.js';
import type { LoadedBooks } from '../db/loaded-books.js';
import { findRecordedIds } from '../db/operations.js';
import { begin, CommitUncertain, orAbandon, type Transaction } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import { auditOf } from '../ledger/audit.js';
import type { Book } from '../ledger/book.js';
import { TooFewRead } from '../ledger/bounds.js';
import { type Changes, hasChanges, noChanges } from '../ledger/changes.js';
import type { FirstSight, KeyedAnswer } from '../ledger/customer-entities.js';
import { eventsOf } from '../ledger/events.js';
import type { Opener } from '../ledger/operations.js';
import { openBook } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import { groupBy } from '../lib/group-by.js';
import { persist } from './attempts.js';
import { guardPlaces } from './horizon.js';
import { rememberMerged } from './merged-ids.js';
import {
  decideSafely,
  type Outcome,
  type ResolvedMember,
  storedAnswer,
  toOperationRow,
  toRecords,
} from './operation.js';
import { addOfFamilies, findRecorded, type Recorded, recordText, replayOf } from './records.js';
import { identityText } from './selector.js';

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

/**
 * Runs members in one transaction, in their order, each with its own verdict; a predecessor's effects are seen. While more of their customers is due than
 * one transaction settles, transactions before it do nothing else; with `skipLocked` such customers' members are left out, as if others held the lock. So
 * are those who need more batches than are read at first, and, of several members, those who need more than is read for all of them; alone nobody is.
 * Locks: identities of first sights, then the customers, in id order; then claims. Throws what rolled the transaction back, as the database or the driver
 * says it; AppErrors are verdicts.
 */
export async function transact<M extends ResolvedMember>(
  deps: Foundations,
  members: readonly M[],
  options: TransactOptions<M>,
): Promise<Transacted<M>> {
  for (;;) {
    const { isBehind, relatives, ...transacted } = await transactOnce(deps, members, options);
    if (options.skipLocked || !isBehind) return transacted;
    if (relatives.length > 0)
      await transact(deps, [], { opener: options.opener, skipLocked: false, customerIds: relatives });
  }
}

async function transactOnce<M extends ResolvedMember>(
  deps: Foundations,
  members: readonly M[],
  options: TransactOptions<M>,
): Promise<Transacted<M> & Pick<Decided<M>, 'isBehind' | 'relatives'>> {
  const tx = await begin(deps.db, options.opener);
  const decided = await orAbandon(tx, () => decideTogether(deps, tx, members, options));
  const { verdicts, changes, isBehind } = decided;
  const { whole } = options;
  if (whole && !isBehind) {
    const isWhole = whole.mayCommit && members.every((member) => isAnswered(verdicts.get(member)));
    if (!isWhole) {
      await writeAndCommit(deps, tx, { ...noChanges(), firstSights: changes.firstSights });
      return { ...decided, isCommitted: false };
    }
    const record = await orAbandon(tx, async () => whole.recordOf(verdicts));
    if (record) changes.keyedAnswers.push(record);
  }
  await writeAndCommit(deps, tx, changes, isBehind || options.customerIds !== undefined);
  return { ...decided, isCommitted: true };
}

/** Writes all changes and commits. Throws when that was rolled back. */
export async function writeAndCommit(
  deps: Foundations,
  tx: Transaction,
  changes: Changes,
  isSweep = false,
): Promise<void> {
  if (!hasChanges(changes, isSweep)) {
    await tx.abandon();
    return;
  }
  const writing = await orAbandon(tx, async () => {
    changes.audit = auditOf(changes, deps.ids);
    changes.events = eventsOf(changes, deps.ids);
    return { all: writeChanges(tx, changes) };
  });
  await commitAndCount(deps, tx, changes, writing.all);
}

/** Commits, with the writes of these changes under way; events that were told are counted. Throws when it was rolled back. */
export async function commitAndCount(
  deps: Foundations,
  tx: Transaction,
  changes: Changes,
  writing: readonly Promise<unknown>[],
): Promise<void> {
  try {
    await tx.commit(writing);
  } catch (error) {
    if (isOfMovedData(error)) await guardPlaces(deps);
    const isUnknown = error instanceof CommitUncertain;
    // Without an answer neither success nor failure would be true.
    if (!isUnknown || !(await persist(() => areRecorded(deps, changes), { isPatient: true }))) throw error;
  }
  for (const { type } of changes.events) deps.metrics.events.add(type, '');
}

/** Whether a transaction is committed that was cut off. What it locked or made is waited for until it has ended. */
async function areRecorded(deps: Foundations, { customers, firstSights }: Changes): Promise<boolean> {
  const operations = customers.flatMap(({ customerId, changes }) =>
    changes.operations.map(({ id }) => ({ customerId, id })),
  );
  if (operations.length + firstSights.length === 0) return false;
  const tx = await begin(deps.db, 'pool');
  try {
    await tx.begun;
    await awaitFirstSights(tx, firstSights);
    await lockCustomers(tx, [...new Set(operations.map(({ customerId }) => customerId))], { skipLocked: false });
    const owners = firstSights.length > 0 ? await findIdentityOwners(tx, firstSights) : [];
    const made = new Set(owners.map(({ customerId }) => customerId));
    if (!firstSights.every(({ customerId }) => made.has(customerId))) return false;
    return operations.length === 0 || (await findRecordedIds(tx, operations)).size === operations.length;
  } finally {
    await tx.abandon();
  }
}

function isAnswered(verdict: Verdict | undefined): boolean {
  return typeof verdict === 'object' && 'answer' in verdict;
}

/** The customers that a member locks, its own first. */
function customersOf({ customerId, finalId, member: { alsoLocks } }: ResolvedMember): readonly string[] {
  if (!alsoLocks && finalId === undefined) return [customerId];
  return [customerId, ...(finalId === undefined ? [] : [finalId]), ...(alsoLocks ?? [])];
}

/** What was read under the locks. */
interface UnderLock {
  customers: Map<string, LockedCustomer>;
  owners: ReadonlyMap<string, string>;
  recorded: Recorded;
  loaded: readonly unknown[];
  more: readonly unknown[];
  books: LoadedBooks;
  clock: Date;
  /** Of whom something is due who were merged into those of whom something is, each with these: it comes back to them. */
  relatives: ReadonlyMap<string, readonly string[]>;
}

/** The key of the record that has the answer. */
interface Replay {
  replayOf: RecordKey;
}

/** What was decided. Of a customer who is behind nothing was, but what is due was settled as far as it was loaded. */
interface Decided<M> extends Pick<Transacted<M>, 'verdicts' | 'changes'> {
  isBehind: boolean;
  /** Whole families that have to be settled before anything is decided. */
  relatives: readonly string[];
}

/** Locks, loads, settles and decides; nothing is written yet. Where somebody is behind nobody is decided, unless he can be left out. */
async function decideTogether<M extends ResolvedMember>(
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
  for (const id of settling) bookOf(id);
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
      : (replayOf(member, state.recorded) ?? refusalOfAhead(own, state));
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
  // A merge looks at all of them itself.
  const others = member.name === 'customer.merge' ? [] : (member.alsoLocks ?? []);
  return others.some((id) => (customers.get(id)?.mergedInto ?? null) !== null);
}

/**
 * Makes those who are seen first, locks the customers, then reads under the locks: in statements of their own, sent together. Where nobody is waited for
 * and nothing but books is loaded, the books are read with the rest, and the clock just before; else the clock is read once the locks are there, and the
 * books after it.
 */
async function lockAndLoad(
  deps: Foundations,
  tx: Transaction,
  customerIds: readonly string[],
  members: readonly ResolvedMember[],
  { skipLocked, isShared, firstSights }: { skipLocked: boolean; isShared: boolean; firstSights: readonly FirstSight[] },
): Promise<UnderLock> {
  const waitsForNobody = skipLocked && firstSights.length === 0;
  const isAtOnce = waitsForNobody && members.every(({ member: { load, loadMore } }) => !load && !loadMore);
  const early = deps.clock.now();
  const sighting = claimFirstSights(tx, firstSights);
  const locking = lockCustomers(tx, customerIds, { skipLocked, clock: deps.clock });
  const load = (loaded: readonly unknown[], clock: Date): Promise<LoadedBooks> => {
    const limited = isLimitedOf(locking);
    const finals = finalsOf(locking);
    const options: LoadOptions = { asking: isDueOf(locking, clock), limited, finals, isOnce: skipLocked, isShared };
    return loadBooks(tx, bookRequestsOf(customerIds, members, loaded), clock, options);
  };
  const looking = Promise.all([
    locking,
    findOwners(tx, members),
    findRecorded(tx, members),
    Promise.all(members.map(({ member, customerId }) => member.load?.(tx, customerId))),
    tx.begun,
    sighting,
  ]);
  const [[locked, owners, recorded, loaded], books] = await Promise.all([
    looking,
    isAtOnce ? load([], early) : undefined,
  ]);
  const customers = new Map(locked.map((customer) => [customer.id, customer]));
  const known = { customers, owners, recorded, loaded };
  await addOfFamilies(tx, members, customers, recorded);
  if (books) return { ...known, more: [], books, clock: early, relatives: await findRelatives(tx, customers, early) };
  const clock = deps.clock.now();
  const [late, more, relatives] = await Promise.all([
    load(loaded, clock),
    Promise.all(members.map((member, index) => loadMore(tx, member, loaded[index], customers, clock))),
    findRelatives(tx, customers, clock),
  ]);
  return { ...known, more, books: late, clock, relatives };
}

/** Whom those of the locked customers lead to who were merged. */
async function finalsOf(locking: Promise<readonly LockedCustomer[]>): Promise<ReadonlyMap<string, string>> {
  const merged = (await locking).flatMap(({ id, mergedInto }): [string, string][] =>
    mergedInto === null ? [] : [[id, mergedInto]],
  );
  return new Map(merged);
}

/**
 * Of whom something is due who were merged into customers of whom something is, and are not locked with them: whole families, by these customers. Most have
 * nobody who leads to them, and are not asked about.
 */
async function findRelatives(
  tx: Tx,
  customers: ReadonlyMap<string, LockedCustomer>,
  clock: Date,
): Promise<Map<string, readonly string[]>> {
  const asked = [...customers.values()].filter(
    ({ mergedIds, dueAt, lastRecordedAt }) =>
      mergedIds.length > 0 && dueAt !== null && dueAt <= instantOf(clock, lastRecordedAt),
  );
  if (asked.length === 0) return new Map();
  const at = asked.reduce((latest, { lastRecordedAt }) => instantOf(latest, lastRecordedAt), clock);
  const due = new Set(
    await findDueAmong(
      tx,
      asked.flatMap(({ mergedIds }) => mergedIds),
      at,
    ),
  );
  const families = asked.map(({ id, mergedIds }): [string, string[]] => [
    id,
    mergedIds.filter((memberId) => due.has(memberId) && !customers.has(memberId)),
  ]);
  return new Map(families.flatMap(([id, own]) => (own.length === 0 ? [] : [[id, [id, ...own]]])));
}

/** Of whom of the locked customers something is due at the clock's instant, or theirs if it is later. */
async function isDueOf(locking: Promise<readonly LockedCustomer[]>, clock: Date): Promise<IsOf> {
  const locked = await locking;
  const due = locked.filter(({ dueAt, lastRecordedAt }) => dueAt !== null && dueAt <= instantOf(clock, lastRecordedAt));
  const ids = new Set(due.map(({ id }) => id));
  return (customerId) => ids.has(customerId);
}

/** For whom of the locked customers there may be limits. */
async function isLimitedOf(locking: Promise<readonly LockedCustomer[]>): Promise<IsOf> {
  const ids = new Set((await locking).flatMap(({ id, isLimited }) => (isLimited ? [id] : [])));
  return (customerId) => ids.has(customerId);
}

async function loadMore(
  tx: Tx,
  { member, customerId }: ResolvedMember,
  loaded: unknown,
  customers: ReadonlyMap<string, LockedCustomer>,
  clock: Date,
): Promise<unknown> {
  const customer = customers.get(customerId);
  if (!customer) return undefined;
  const familyIds = [customer.id, ...customer.mergedIds];
  return member.loadMore?.(tx, loaded, customer.id, instantOf(clock, customer.lastRecordedAt), familyIds);
}

function bookRequestsOf(
  customerIds: readonly string[],
  members: readonly ResolvedMember[],
  loaded: readonly unknown[],
): BookRequest[] {
  const needs = groupBy(
    members.flatMap(({ member, customerId, finalId }, index) => {
      const own = member.needs(loaded[index]);
      const { asks, sold } = own;
      // What comes back, or is owed, moves on.
      const onward =
        finalId === undefined ? [] : [{ id: finalId, needs: { asks, ...(sold !== undefined && { sold }) } }];
      return [{ id: customerId, needs: own }, ...onward];
    }),
    ({ id }) => id,
  );
  return customerIds.map((customerId) => ({
    customerId,
    needs: (needs.get(customerId) ?? []).map((own) => own.needs),
  }));
}

/** Who has the identities by which the members name their customers. */
async function findOwners(tx: Tx, members: readonly ResolvedMember[]): Promise<Map<string, string>> {
  const identities = members.flatMap(({ member }) => member.selector.identity ?? []);
  if (identities.length === 0) return new Map();
  const owners = await findIdentityOwners(tx, identities);
  return new Map(owners.map((owner) => [identityText(owner), owner.customerId]));
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
  const decision = decideSafely(all, () =>
    member.answer({
      book: own,
      books: new Map(all.map((each) => [each.customerId, each])),
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
      own.onward?.name(operation);
      for (const record of toRecords(resolved, decision.result, decision.recordAs)) {
        own.changes.records.push(record);
        recorded.records.set(recordText({ customerId, ...record }), record);
      }
      return { answer: { ...decision.result, replayed: false } };
    }
  }
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
