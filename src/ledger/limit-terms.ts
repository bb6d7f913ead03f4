// Limits as they are set (DOMAIN 3.12): what becomes of one, and whose it is. What they say of a use is in limits.ts.
import { isSame } from '../lib/is-same.js';
import type { Limit, LimitScope, LimitTerms } from './limit-entities.js';

/** A limit of these terms, in place of the one that there was; that one itself, with its instants, where nothing changes. */
export function replaceLimit(
  before: Limit | undefined,
  { subject, windows, enforcement, ownerTag }: LimitTerms,
  scope: LimitScope,
  { now, nextId }: { now: Date; nextId: () => string },
): Limit {
  const { id = nextId(), createdAt = now, updatedAt = now } = before ?? {};
  const after = { subject, windows, enforcement, ownerTag, scope, id, createdAt, updatedAt };
  return before && isSame(before, after) ? before : { ...after, updatedAt: now };
}

/** Whether it is a customer's: set for himself, or copied of the source whose limits he shares. */
export function isOfCustomer({ scope }: Limit, isCopied: boolean, customerId: string): boolean {
  if (scope === 'default' || !('isCopied' in scope)) return false;
  return scope.isCopied === isCopied && scope.customerId === customerId;
}
