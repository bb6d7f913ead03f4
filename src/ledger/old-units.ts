// What a change takes away of the plan before (`old_units: reset`): units that are left, and access.
import type { Book } from './book.js';
import { postAccessChange, postDebit } from './postings.js';
import type { KnownSubscription } from './subscription-entities.js';
import type { StepContext } from './subscription-steps.js';

/** Revokes what a subscription allocated and is still there. Held units stay with their reservations. Precondition: the holdings of its products are loaded. */
export function takeOldUnits(book: Book, { allocated }: KnownSubscription, { operationId, at }: StepContext): void {
  for (const own of allocated) {
    const { batch } = own;
    const isOver = batch.expiresAt !== null && batch.expiresAt <= at;
    if (isOver || own.revokedAt !== null) continue;
    if (batch.granted !== null) {
      if (batch.available > 0) postDebit(book, batch, 'revoke', batch.available, { operationId, occurredAt: at });
      continue;
    }
    own.revokedAt = at;
    own.noticeAt = null;
    book.changes.changedValidity.add(own);
    postAccessChange(book, batch, 'revoke', { operationId, occurredAt: at });
  }
}
