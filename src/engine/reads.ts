// Reads of books: what a balance or a dry run looks at. Those that wait at the same time are read together, as the lanes write together
// (docs/performance.md): an idle reader reads a lone one at once, and while it does, others gather. Takes no lock and writes nothing, but where more is due
// than a read shows: that is settled first, by the one way of a write.
import type { BookRequest } from '../db/book-needs.js';
import { loadBooks, readBooks, SHOWN_MAX } from '../db/books.js';
import type { Tx } from '../db/client.js';
import { isOutage } from '../db/errors.js';
import type { ReadInstant } from '../db/history.js';
import type { LoadedBooks, ProvidersOf } from '../db/loaded-books.js';
import { inSnapshot } from '../db/transactions.js';
import {
  listAccess,
  listFeatures,
  listOwnedProducts,
  type OwnedProduct,
  type SettledBatch,
  type WalletAccess,
  type WalletFeature,
} from '../db/wallet.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { openBook } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { type Asked, createGatherer } from '../lib/gather.js';
import { groupBy } from '../lib/group-by.js';
import { overloaded, persist } from './attempts.js';
import { findCustomers, type Reader } from './customers.js';
import { byLaneKey, CUSTOMERS_MAX } from './lane-key.js';
import { NeedsPrimary } from './replica.js';
import { type Selector, selectorText, unknownCustomer } from './selector.js';
import { transact } from './transact.js';

/** A settled book to look at; nothing may be posted in it, because others may look at it too. */
export interface BookRead {
  /** The instant that it tells of. */
  at: Date;
  book: Book;
  providersOf: ProvidersOf;
}

export interface CustomerRead extends BookRead {
  /** Who was merged into the customer: what holds of theirs set aside comes back to him. */
  mergedIds: readonly string[];
}

export interface Reads {
  /**
   * The book of a customer as it is now, with what is asked; of somebody never seen the empty book of NOBODY.
   * Throws: selector_conflict, overloaded; what the database could not do, as it says it.
   */
  find(selector: Selector, asks: readonly SubjectAsk[]): Promise<CustomerRead>;
  /** Like `find`, for reads that need a customer. Throws: customer_not_found too. */
  require(selector: Selector, asks: readonly SubjectAsk[]): Promise<CustomerRead>;
}

/** Connections that read books at a time. */
const READERS = 4;
/** Reads of one statement at most. */
const READS_MAX = 256;
/** Reads that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 4_096;
/** An id that no customer has: somebody never seen owns nothing. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

interface Question {
  selector: Selector;
  /** The selector as a map's key. */
  name: string;
  asks: readonly SubjectAsk[];
}

type Waiting = Asked<Question, CustomerRead>;

/** Where a book stands in which nothing is written. */
const UNWRITTEN = { nextSeq: 1, nextEvent: 1, tellsUses: false };

/** Makes the readers of a process. */
export function createReads(deps: Foundations): Reads {
  const ask = createGatherer<Question, CustomerRead>({
    workersMax: READERS,
    waitingMax: WAITING_MAX,
    refuse: overloaded,
    countTogether: countTogether,
    answer: (together) => readTogether(deps, together),
    isEverybodys: isOutage,
    onSharedFailure: (error, reads) =>
      deps.log.warn({ err: error, reads }, 'a shared read failed; its reads are made alone'),
  });
  const find: Reads['find'] = (selector, asks) => ask({ selector, name: selectorText(selector), asks });
  return {
    find,
    require: async (selector, asks) => {
      const read = await find(selector, asks);
      if (read.book.customerId === NOBODY) throw unknownCustomer(selector);
      return read;
    },
  };
}

/** How many of the reads that came first are of so many customers at most. */
function countTogether(waiting: readonly Waiting[]): number {
  const names = new Set<string>();
  const end = waiting.findIndex(
    ({ question }, at) => at === READS_MAX || names.add(question.name).size > CUSTOMERS_MAX,
  );
  return end === -1 ? waiting.length : end;
}

/** Reads for all of them and answers each. Throws what failed of what they share; then nobody was answered with a book. */
async function readTogether(deps: Foundations, reads: readonly Waiting[]): Promise<readonly Waiting[]> {
  const readable = await findReaders(deps, reads);
  if (readable.length === 0) return [];
  const ofCustomer = groupBy(readable, ({ customerId }) => customerId);
  const requests = [...ofCustomer].map(([customerId, own]) => ({
    customerId,
    needs: own.map(({ read }) => ({ asks: read.question.asks })),
  }));
  const clock = deps.clock.now();
  const loaded = await Promise.all(
    byLaneKey(deps, requests).map(async (those) => ({ those, books: await readBooks(deps.db, those, clock) })),
  );
  for (const { those, books } of loaded) {
    for (const request of those) {
      const own = ofCustomer.get(request.customerId) ?? [];
      if (books.isBehind(request.customerId)) void answerOnceSettled(deps, request, own);
      else answerOf(deps, books, request.customerId, clock, own);
    }
  }
  return [];
}

/** Answers the reads of a customer of whom more is due than a read shows, off the readers. */
async function answerOnceSettled(deps: Foundations, request: BookRequest, own: readonly Readable[]): Promise<void> {
  try {
    await settleOn(deps, request.customerId);
    const clock = deps.clock.now();
    const books = await readBooks(deps.db, [request], clock, ALL_DUE);
    answerOf(deps, books, request.customerId, clock, own);
  } catch (error) {
    for (const { read } of own) read.reject(error);
  }
}

/** Loads all that is due, where it is known to be little or can't be settled: after it was settled, and of an instant to come. */
const ALL_DUE = { dueMax: Infinity };

/** Settles all that is due of a customer. Locks: the customer. Throws: unavailable, NeedsPrimary. */
async function settleOn(deps: Foundations, customerId: string): Promise<void> {
  if (deps.db.isReplica) throw new NeedsPrimary('there is too much due to be shown before it is settled');
  const settle = () => transact(deps, [], { opener: 'pool', skipLocked: false, customerIds: [customerId] });
  await persist(() => deps.turns.take(customerId, () => deps.db.slowReads.take(settle)));
}

/** Settles what is due of a customer before rows of his are read that settling may make. Nothing is done where nothing is due. Locks: the customer. Throws: unavailable. */
export async function settleDue(deps: Foundations, customerId: string): Promise<void> {
  const [known] = await findCustomers(deps, [{ customerId }]);
  if (known === undefined || known instanceof AppError || known.dueAt === null || known.dueAt > deps.clock.now())
    return;
  await settleOn(deps, customerId);
}

/** Reads of customers, once what is due of them is little enough to be shown as settled. */
async function readOn<T extends { loaded: LoadedBooks }>(
  deps: Foundations,
  customerIds: readonly string[],
  read: (dueMax: number) => Promise<T>,
): Promise<T> {
  const first = await read(SHOWN_MAX);
  const behind = customerIds.filter((customerId) => first.loaded.isBehind(customerId));
  if (behind.length === 0) return first;
  for (const customerId of behind) await settleOn(deps, customerId);
  return read(Infinity);
}

interface Readable {
  read: Waiting;
  customerId: string;
  mergedIds: readonly string[];
}

/** Whom the reads are about. Those that name two different customers are refused here. */
async function findReaders(deps: Foundations, reads: readonly Waiting[]): Promise<Readable[]> {
  const selectors = new Map(reads.map(({ question: { name, selector } }) => [name, selector]));
  const found = await findCustomers(deps, [...selectors.values()]);
  const known = new Map([...selectors.keys()].map((name, at) => [name, found[at]]));
  return reads.flatMap((read): Readable[] => {
    const customer = known.get(read.question.name);
    if (!(customer instanceof AppError))
      return [{ read, customerId: customer?.id ?? NOBODY, mergedIds: customer?.mergedIds ?? [] }];
    read.reject(customer);
    return [];
  });
}

/** Answers the reads of one customer. A book that can't be made is their failure alone. */
function answerOf(
  deps: Foundations,
  loaded: LoadedBooks,
  customerId: string,
  clock: Date,
  own: readonly Readable[],
): void {
  try {
    const at = loaded.atOf(customerId) ?? clock;
    const book = openBook(loaded.bookOf({ id: customerId, ...UNWRITTEN }, at, deps.ids));
    const providersOf = loaded.providersFor(customerId);
    for (const { read, mergedIds } of own) read.resolve({ at, book, providersOf, mergedIds });
  } catch (error) {
    for (const { read } of own) read.reject(error);
  }
}

/**
 * Reads a list of what a family holds together with the batches that settling what is due changes, as the ledger's code changes them, from one snapshot.
 * Where nothing is due the list alone is read.
 */
export async function readSettled<T>(
  deps: Foundations,
  { familyIds, isDue }: Pick<Reader, 'familyIds' | 'isDue'>,
  instant: ReadInstant,
  list: (tx: Tx, settled: readonly SettledBatch[]) => Promise<T>,
): Promise<T> {
  if (!isDue && !instant.isPast) return list(deps.db, []);
  const requests = familyIds.map((customerId) => ({ customerId, needs: [] }));
  const asking = Promise.resolve(() => true);
  const readOnce = (dueMax: number) =>
    inSnapshot(deps.db, instant.isPast, async (tx) => {
      const loaded = await loadBooks(tx, requests, instant.at, { isPast: instant.isPast, dueMax, asking });
      const settled = familyIds.flatMap((customerId) => {
        const { changes } = openBook(loaded.bookOf({ id: customerId, ...UNWRITTEN }, instant.at, deps.ids));
        return [...changes.changedBatches.values()].map((batch) => ({ ...batch, customerId }));
      });
      const isWhole = !familyIds.some((customerId) => loaded.isBehind(customerId));
      return { loaded, listed: isWhole ? await list(tx, settled) : undefined };
    });
  return required((await readOn(deps, familyIds, readOnce)).listed, 'all that is due was loaded');
}

/** Everything that a customer holds: the book with all his products, and his access. */
export interface WalletRead {
  book: Book;
  /** Those that are counted have a balance. */
  products: OwnedProduct[];
  access: WalletAccess[];
  features: WalletFeature[];
}

/** Reads all that customers hold at an instant, from one snapshot; by customer. */
export async function readWallets(
  deps: Foundations,
  customerIds: readonly string[],
  instant: ReadInstant,
): Promise<Map<string, WalletRead>> {
  const readOnce = (dueMax: number) =>
    inSnapshot(deps.db, instant.isPast, (tx) => readWalletsOnce(tx, customerIds, instant, dueMax));
  const { loaded, products, access, features } = await readOn(deps, customerIds, readOnce);
  return new Map(
    customerIds.map((customerId) => {
      const owned = products.get(customerId) ?? [];
      const keys = new Set(owned.map(({ productKey }) => productKey));
      const book = openBook(loaded.bookOf({ id: customerId, ...UNWRITTEN }, instant.at, deps.ids));
      const own = features.filter(({ productKey }) => keys.has(productKey));
      return [customerId, { book, products: owned, access: access.get(customerId) ?? [], features: own }];
    }),
  );
}

async function readWalletsOnce(tx: Tx, customerIds: readonly string[], instant: ReadInstant, dueMax: number) {
  const products = groupBy(await listOwnedProducts(tx, customerIds, instant), ({ customerId }) => customerId);
  const requests = customerIds.map((customerId) => {
    const asks = (products.get(customerId) ?? []).map(({ productKey }) => ({ subject: { productKey }, amount: 0 }));
    return { customerId, needs: [{ asks }] };
  });
  const keys = new Set([...products.values()].flat().map(({ productKey }) => productKey));
  const [loaded, access, features] = await Promise.all([
    loadBooks(tx, requests, instant.at, { isPast: instant.isPast, dueMax }),
    listAccess(tx, customerIds, instant),
    listFeatures(tx, [...keys]),
  ]);
  return { loaded, products, access: groupBy(access, ({ customerId }) => customerId), features };
}

/** The book of a customer at another instant than now, with what is asked; read alone. */
export async function readBookAt(
  deps: Foundations,
  customerId: string,
  instant: ReadInstant,
  asks: readonly SubjectAsk[],
): Promise<BookRead> {
  const requests = [{ customerId, needs: [{ asks }] }];
  const { at, isPast } = instant;
  const isToCome = at > deps.clock.now();
  const readOnce = async (dueMax: number) => ({ loaded: await readBooks(deps.db, requests, at, { isPast, dueMax }) });
  const { loaded } = isToCome ? await readOnce(Infinity) : await readOn(deps, [customerId], readOnce);
  const book = openBook(loaded.bookOf({ id: customerId, ...UNWRITTEN }, instant.at, deps.ids));
  return { at: instant.at, book, providersOf: loaded.providersFor(customerId) };
}
