// What has become due by itself. Runs at the start of every operation, under the lock; reads apply it in memory.
import { type Book, postDebit } from './book.js';

/**
 * Expires the due batches of the book in order of their ends. An expiry occurred at the batch's end, or when its units became
 * available if that was later.
 */
export function settle(book: Book): void {
  for (const batch of book.due.splice(0)) {
    const end = batch.expiresAt ?? book.now;
    const occurredAt = end.getTime() >= batch.createdAt.getTime() ? end : batch.createdAt;
    postDebit(book, batch, 'expire', batch.available, { operationId: null, occurredAt });
  }
}
