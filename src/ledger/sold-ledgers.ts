// In whose ledger a batch of an order is: what an order of a customer that was merged granted goes on in that of the one whom he leads to (DOMAIN 3.10).
import { required } from '../lib/assert.js';
import type { Book } from './book.js';
import type { Sold, SoldBatch } from './sold-entities.js';

/** What is known of the order that is refunded or disputed, in both ledgers where its customer was merged. */
export function soldIn(book: Book): Sold {
  const own = required(book.sold, 'what the order granted is loaded');
  if (!book.onward) return own;
  const onward = required(book.onward.book.sold, 'it is loaded of both');
  for (const batch of [...onward.batches, ...onward.access]) batch.isOnward = true;
  return {
    ...own,
    batches: [...own.batches, ...onward.batches],
    access: [...own.access, ...onward.access],
    clawbacks: new Map([...own.clawbacks, ...onward.clawbacks]),
    revokes: new Map([...own.revokes, ...onward.revokes]),
    onward,
  };
}

/** Posts in the ledger in which a batch is. */
export function inLedgerOf<T>(book: Book, { isOnward }: SoldBatch, operationId: string, post: (own: Book) => T): T {
  if (!isOnward) return post(book);
  const { onward } = book;
  if (!onward) throw new Error('assertion failed: the customer was merged');
  return onward.post(operationId, () => post(onward.book));
}

/** What the ledger of a batch knows of the order. */
export function soldOf(sold: Sold, { isOnward }: SoldBatch): Sold {
  return isOnward ? required(sold.onward, 'the customer was merged') : sold;
}
