// Reads of books: what a balance or a dry run looks at. Those that wait at the same time are read together, as the lanes write together
// (docs/performance.md): an idle reader reads a lone one at once, and while it does, others gather. Takes no lock and writes nothing.
import { type LoadedBooks, loadBook, loadBooks, type ProvidersOf } from '../db/books.js';
import { isOutage } from '../db/errors.js';
import type { ReadInstant } from '../db/history.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { groupBy } from '../lib/group-by.js';
import { findCustomers, type Selector, selectorText, unknownCustomer } from './customers.js';
import { overloaded } from './operation.js';

/** A settled book to look at; nothing may be posted in it, because others may look at it too. */
export interface BookRead {
  /** The instant that it tells of. */
  at: Date;
  book: Book;
  providersOf: ProvidersOf;
}

export interface Reads {
  /**
   * The book of a customer as it is now, with what is asked; of somebody never seen the empty book of NOBODY.
   * Throws: selector_conflict, overloaded; what the database could not do, as it says it.
   */
  find(selector: Selector, asks: readonly SubjectAsk[]): Promise<BookRead>;
  /** Like `find`, for reads that need a customer. Throws: customer_not_found too. */
  require(selector: Selector, asks: readonly SubjectAsk[]): Promise<BookRead>;
}

/** Connections that read books at a time. */
const READERS = 4;
/** Reads of one statement at most. */
const READS_MAX = 256;
/** Reads that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 4_096;
/** An id that no customer has: somebody never seen owns nothing. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

interface Waiting {
  selector: Selector;
  /** The selector as a map's key. */
  name: string;
  asks: readonly SubjectAsk[];
  resolve(read: BookRead): void;
  reject(error: unknown): void;
}

/** Makes the readers of a process. */
export function createReads(deps: Foundations): Reads {
  const waiting: Waiting[] = [];
  let idle = READERS;

  async function drain(): Promise<void> {
    idle -= 1;
    try {
      while (waiting.length > 0) await answer(deps, takeTogether(waiting, deps.config.laneCustomersMax));
    } finally {
      idle += 1;
    }
  }

  const find: Reads['find'] = (selector, asks) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) {
        reject(overloaded());
        return;
      }
      waiting.push({ selector, name: selectorText(selector), asks, resolve, reject });
      if (idle > 0) void drain();
    });
  return {
    find,
    require: async (selector, asks) => {
      const read = await find(selector, asks);
      if (read.book.customerId === NOBODY) throw unknownCustomer(selector);
      return read;
    },
  };
}

/** Takes the reads that came first, of so many customers at most. */
function takeTogether(waiting: Waiting[], customersMax: number): Waiting[] {
  const names = new Set<string>();
  const end = waiting.findIndex(({ name }, at) => at === READS_MAX || names.add(name).size > customersMax);
  return waiting.splice(0, end === -1 ? waiting.length : end);
}

/** Answers each of the reads. When what they share fails, and the database as a whole is not to blame, each is read alone. Never throws. */
async function answer(deps: Foundations, reads: readonly Waiting[]): Promise<void> {
  const error = await readTogether(deps, reads);
  if (error === undefined) return;
  if (reads.length === 1 || isOutage(error)) {
    rejectAll(reads, error);
    return;
  }
  deps.log.warn({ err: error, reads: reads.length }, 'a shared read failed; its reads are made alone');
  for (const [at, read] of reads.entries()) {
    const own = await readTogether(deps, [read]);
    if (own === undefined) continue;
    read.reject(own);
    if (isOutage(own)) {
      rejectAll(reads.slice(at), own);
      return;
    }
  }
}

function rejectAll(reads: readonly Waiting[], error: unknown): void {
  for (const { reject } of reads) reject(error);
}

/** Reads for all of them and answers each. Returns what failed of what they share; then nobody was answered with a book. */
async function readTogether(deps: Foundations, reads: readonly Waiting[]): Promise<unknown> {
  try {
    const readable = await findReaders(deps, reads);
    if (readable.length === 0) return undefined;
    const ofCustomer = groupBy(readable, ({ customerId }) => customerId);
    const requests = [...ofCustomer].map(([customerId, own]) => ({
      customerId,
      needs: own.map(({ read }) => ({ asks: read.asks })),
    }));
    const clock = deps.clock.now();
    const loaded = await loadBooks(deps.db, requests, clock);
    for (const [customerId, own] of ofCustomer) answerOf(deps, loaded, customerId, clock, own);
    return undefined;
  } catch (error) {
    return error;
  }
}

interface Readable {
  read: Waiting;
  customerId: string;
}

/** Whom the reads are about. Those that name two different customers are refused here. */
async function findReaders(deps: Foundations, reads: readonly Waiting[]): Promise<Readable[]> {
  const selectors = new Map(reads.map(({ name, selector }) => [name, selector]));
  const found = await findCustomers(deps, [...selectors.values()]);
  const known = new Map([...selectors.keys()].map((name, at) => [name, found[at]]));
  return reads.flatMap((read): Readable[] => {
    const customer = known.get(read.name);
    if (!(customer instanceof AppError)) return [{ read, customerId: customer?.id ?? NOBODY }];
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
    const book = loaded.bookOf({ id: customerId, nextSeq: 1 }, at, deps.ids);
    settle(book);
    const providersOf = loaded.providersFor(customerId);
    for (const { read } of own) read.resolve({ at, book, providersOf });
  } catch (error) {
    for (const { read } of own) read.reject(error);
  }
}

/** The book of a customer at another instant than now, with what is asked; read alone. */
export async function readBookAt(
  deps: Foundations,
  customerId: string,
  instant: ReadInstant,
  asks: readonly SubjectAsk[],
): Promise<BookRead> {
  const { book, providersOf } = await loadBook(deps.db, { id: customerId, nextSeq: 1 }, instant, asks, deps.ids);
  settle(book);
  return { at: instant.at, book, providersOf };
}
