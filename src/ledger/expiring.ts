// Of which batches it is told that they end soon (DOMAIN 3.19).
import { type Book, holdingOf } from './book.js';
import type { ExpiringBatch } from './entities.js';

/**
 * Tells of those that still have something and end for their owner, and of none of them again: units, or access that nothing continues. Precondition: the
 * holdings of their products are loaded.
 */
export function tellExpiring(book: Book, batches: readonly ExpiringBatch[]): void {
  for (const batch of batches) {
    const { id, productKey, granted, available, expiresAt } = batch;
    book.changes.passedNotices.push(id);
    if (expiresAt === null || expiresAt <= book.now || !endsFor(book, batch)) continue;
    book.changes.notices.push({
      id: book.ids.next(),
      type: 'batch.expiring',
      subject: id,
      windowStart: book.now,
      data: { batchId: id, productKey, remaining: granted === null ? null : available, expiresAt },
    });
  }
}

function endsFor(book: Book, { productKey, granted, available, expiresAt }: ExpiringBatch): boolean {
  if (granted !== null) return available > 0;
  const { accessEnd } = holdingOf(book, productKey);
  return accessEnd !== null && accessEnd !== 'forever' && accessEnd.at.getTime() === expiresAt?.getTime();
}
