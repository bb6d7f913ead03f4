// Settling ahead of use: what has fallen due is settled in bounded steps, for whoever it is. Nothing depends on it for correctness, because
// every operation settles first; it makes the ledger say early what has happened. What follows from a settled book (events) belongs in `settle`
// and `writeBooks`, where a use settles too.
import { loadBooks } from '../db/books.js';
import { listDueCustomers, lockCustomers } from '../db/customers.js';
import { isConnectionLost, isUnavailable } from '../db/errors.js';
import { beginOnPool, orAbandon, type PoolTransaction } from '../db/pool-transaction.js';
import type { Foundations } from '../foundations.js';
import type { Book } from '../ledger/book.js';
import { settle } from '../ledger/settle.js';
import { instantOf } from '../lib/clock.js';
import { writeAndCommit } from './shared-transaction.js';

/** Customers that one step settles at most, and never more than share a transaction; of each at most what one operation would. */
const STEP_CUSTOMERS_MAX = 16;
const STEPS_MAX = 10_000;

/** What a sweep did. `skipped` customers were busy, or could not be settled (the log says why). */
export interface Swept {
  steps: number;
  entries: number;
  skipped: number;
}

/**
 * Settles everything that is due, step by step, each in a transaction of its own, until nothing is left or `isStopped` says so.
 * Locks: the customers of a step; those that somebody else holds are passed over.
 */
export async function sweep(deps: Foundations, isStopped: () => boolean = () => false): Promise<Swept> {
  const stepMax = Math.min(STEP_CUSTOMERS_MAX, deps.config.laneCustomersMax);
  const skipped = new Set<string>();
  const swept: Swept = { steps: 0, entries: 0, skipped: 0 };
  while (swept.steps < STEPS_MAX && !isStopped()) {
    const due = await listDueCustomers(deps.db, deps.clock.now(), [...skipped], stepMax);
    if (due.length === 0) break;
    const { entries, settled } = await settleAll(deps, due);
    for (const customerId of due) if (!settled.has(customerId)) skipped.add(customerId);
    swept.steps += 1;
    swept.entries += entries;
    swept.skipped = skipped.size;
  }
  return swept;
}

interface Settled {
  entries: number;
  settled: Set<string>;
}

/** Settles these customers together, or, when that fails, each alone: whoever can't be settled must not keep the others waiting. */
async function settleAll(deps: Foundations, customerIds: readonly string[]): Promise<Settled> {
  try {
    return await settleStep(deps, customerIds);
  } catch (error) {
    if (isUnavailable(error) || isConnectionLost(error)) throw error;
    const all: Settled = { entries: 0, settled: new Set() };
    for (const customerId of customerIds) {
      try {
        const one = await settleStep(deps, [customerId]);
        all.entries += one.entries;
        for (const id of one.settled) all.settled.add(id);
      } catch (failure) {
        deps.log.error({ err: failure, customerId }, 'a customer could not be settled');
      }
    }
    return all;
  }
}

/** Settles these customers as far as they are free. A customer of whom nothing was due after all counts as not settled. */
async function settleStep(deps: Foundations, customerIds: readonly string[]): Promise<Settled> {
  const tx = await beginOnPool(deps.db.pool);
  const changed = await orAbandon(tx, () => settleLocked(deps, tx, customerIds));
  await writeAndCommit(deps, tx, { books: changed, operations: [] });
  return {
    entries: changed.reduce((sum, book) => sum + book.changes.entries.length, 0),
    settled: new Set(changed.map((book) => book.customerId)),
  };
}

/** The books of those who are free and of whom something was due, settled. */
async function settleLocked(deps: Foundations, tx: PoolTransaction, customerIds: readonly string[]): Promise<Book[]> {
  await tx.begun;
  const locked = await lockCustomers(tx, customerIds, { skipLocked: true });
  const clock = deps.clock.now();
  const requests = locked.map(({ id }) => ({ customerId: id, needs: [] }));
  const { bookOf } = await loadBooks(tx, requests, clock);
  const books = locked.map((customer) => bookOf(customer, instantOf(clock, customer.lastRecordedAt), deps.ids));
  for (const book of books) settle(book);
  return books.filter((book) => book.changes.entries.length > 0);
}
