// What a change takes away of the plan before (`old_units: reset`): units that are left, and access.
import type { Book } from './book.js';
import { postAccessChange, postDebit } from './postings.js';
import type { KnownSubscription } from './subscription-entities.js';
import type { StepContext } from './subscription-steps.js';

/**
 * Revokes what a subscription allocated and is still there; not what was paid ahead of the plan that follows, from now on. Held units stay with their reservations.
 * Precondition: the holdings of its products are loaded.
 */
export function takeOldUnits(
  book: Book,
  { allocated, ahead }: KnownSubscription,
  { operationId, at }: StepContext,
  following: string,
): void {
  const paidAhead = ahead.filter(({ sku, startsAt }) => sku === following && startsAt >= at);
  const kept = new Set(paidAhead.map(({ orderId }) => orderId));
  for (const own of allocated) {
    const { batch } = own;
    const isOver = batch.expiresAt !== null && batch.expiresAt <= at;
    const isAhead = batch.orderId !== null && kept.has(batch.orderId);
    if (isOver || isAhead || own.revokedAt !== null) continue;
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
