// An operation that changes things in the ledgers of others of its customer's family: orders of subscriptions that a merge brought. Who they are is known once it has
// looked: then it is begun again, with their locks.
import { AppError } from '../errors/app-error.js';
import type { Book } from '../ledger/book.js';
import { isWaiting } from '../ledger/cancelled-orders.js';
import type { Order } from '../ledger/order-entities.js';

/** The operation needs the locks of others too. */
class OthersNeeded extends AppError {
  constructor(readonly customerIds: readonly string[]) {
    super('unavailable', 'Others of the family changed at the same time; try again.', { retryAfterS: 1 });
  }
}

/** How often it is begun. */
const LOOKS_MAX = 5;

/** Runs an operation with the locks of those others that it turns out to need; at first of none. */
export async function lockingOthers<T>(run: (alsoLocks: readonly string[] | undefined) => Promise<T>): Promise<T> {
  let alsoLocks: readonly string[] | undefined;
  for (let looks = 1; ; looks += 1) {
    try {
      return await run(alsoLocks);
    } catch (error) {
      if (!(error instanceof OthersNeeded) || looks >= LOOKS_MAX) throw error;
      alsoLocks = [...new Set([...(alsoLocks ?? []), ...error.customerIds])];
    }
  }
}

/** Those of the orders that may be cancelled are in ledgers that are locked. Throws what begins the operation again. */
export function assertLocked(book: Book, orders: readonly Order[]): void {
  assertAllLocked(
    book,
    orders.filter((order) => isWaiting(book, order)).map(({ customerId }) => customerId),
  );
}

/** These are locked. Throws what begins the operation again. */
export function assertAllLocked(book: Book, customerIds: readonly string[]): void {
  const missing = customerIds.filter((id) => id !== book.customerId && !book.others?.has(id));
  if (missing.length > 0) throw new OthersNeeded(missing);
}
