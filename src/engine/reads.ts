// Reads of books: what a balance or a dry run looks at. Those that wait at the same time are read together, as the lanes write together
// (docs/performance.md): an idle reader reads a lone one at once, and while it does, others gather. Takes no lock and writes nothing.
import { loadBook, loadBooks, type ProvidersOf } from '../db/books.js';
import { isConnectionLost, isRetryable, isUnavailable } from '../db/errors.js';
import type { ReadInstant } from '../db/history.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import type { SubjectAsk } from '../ledger/consume.js';
import { settle } from '../ledger/settle.js';
import { required } from '../lib/assert.js';
import { groupBy } from '../lib/group-by.js';
import { findCustomers, type Reader, type Selector, selectorText, unknownCustomer } from './customers.js';
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
   * Throws: selector_conflict, overloaded, unavailable.
   */
  find(selector: Selector, asks: readonly SubjectAsk[]): Promise<BookRead>;
  /** Like `find`, for reads that need a customer. Throws: customer_not_found, selector_conflict, overloaded, unavailable. */
  require(selector: Selector, asks: readonly SubjectAsk[]): Promise<BookRead>;
}

/** Connections that read books at a time. */
const READERS = 2;
/** Reads of one statement at most. */
const TOGETHER_MAX = 256;
/** Reads that wait at most; beyond it they are refused before memory grows. */
const WAITING_MAX = 4_096;
/** An id that no customer has: somebody never seen owns nothing. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

interface Waiting {
  selector: Selector;
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
    while (waiting.length > 0) await answer(deps, waiting.splice(0, TOGETHER_MAX));
    idle += 1;
  }

  const find: Reads['find'] = (selector, asks) =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) {
        reject(overloaded());
        return;
      }
      waiting.push({ selector, asks, resolve, reject });
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

/** Answers each of the reads. When what they share fails, and it is not the database as a whole, each is read alone. Never throws. */
async function answer(deps: Foundations, reads: readonly Waiting[]): Promise<void> {
  try {
    await readTogether(deps, reads);
  } catch (error) {
    const isOfAll = isUnavailable(error) || isRetryable(error) || isConnectionLost(error);
    if (reads.length === 1 || isOfAll) for (const { reject } of reads) reject(error);
    else for (const read of reads) await answer(deps, [read]);
  }
}

async function readTogether(deps: Foundations, reads: readonly Waiting[]): Promise<void> {
  const selectors = new Map(reads.map(({ selector }) => [selectorText(selector), selector]));
  const clock = deps.clock.now();
  const found = await findCustomers(deps, [...selectors.values()], clock);
  const readers = new Map([...selectors.keys()].map((text, at) => [text, found[at]]));
  const nobody: Reader = { customerId: NOBODY, now: clock };
  const readable: (Waiting & { reader: Reader })[] = [];
  for (const read of reads) {
    const reader = readers.get(selectorText(read.selector)) ?? nobody;
    if (reader instanceof AppError) read.reject(reader);
    else readable.push({ ...read, reader });
  }
  const ofCustomer = groupBy(readable, ({ reader }) => reader.customerId);
  const requests = [...ofCustomer].map(([customerId, own]) => ({
    customerId,
    needs: own.map(({ asks }) => ({ asks })),
  }));
  if (requests.length === 0) return;
  const loaded = await loadBooks(deps.db, requests, clock);
  for (const [customerId, own] of ofCustomer) {
    const at = required(own[0], 'a group has a member').reader.now;
    const book = loaded.bookOf({ id: customerId, nextSeq: 1 }, at, deps.ids);
    settle(book);
    for (const { resolve } of own) resolve({ at, book, providersOf: loaded.providersFor(customerId) });
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
