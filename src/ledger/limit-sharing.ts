// Limits that a customer shares with another, the source (DOMAIN 3.12): copies, below his own and above a plan's. A source has no source itself.
import { isSame } from '../lib/is-same.js';
import type { Book } from './book.js';
import type { Limit, LimitSource } from './entities.js';
import { textOf } from './limits.js';

/** Makes the copies of a customer those of what his source has now. `source` undefined removes them. */
export function copyLimits(
  book: Book,
  limits: readonly Limit[],
  source: LimitSource | undefined,
  operationId: string,
): void {
  const { customerId, now, ids, changes } = book;
  const copies = new Map(limits.filter(isCopyOf(customerId)).map((limit) => [textOf(limit.subject), limit]));
  const shared = source === undefined ? [] : limits.filter(isOwnOf(source.sourceId));
  for (const { subject, windows, enforcement, ownerTag } of shared) {
    const before = copies.get(textOf(subject));
    copies.delete(textOf(subject));
    const terms = { subject, windows, enforcement, ownerTag };
    if (
      before &&
      isSame(terms, { subject, windows: before.windows, enforcement: before.enforcement, ownerTag: before.ownerTag })
    )
      continue;
    const scope = { customerId, isCopied: true };
    const after = {
      ...terms,
      scope,
      id: before?.id ?? ids.next(),
      createdAt: before?.createdAt ?? now,
      updatedAt: now,
    };
    changes.limits.push({ before, after, operationId });
  }
  for (const before of copies.values()) changes.limits.push({ before, after: undefined, operationId });
}

const isCopyOf =
  (customerId: string) =>
  ({ scope }: Limit) =>
    scope !== 'default' && 'isCopied' in scope && scope.customerId === customerId && scope.isCopied;

const isOwnOf =
  (customerId: string) =>
  ({ scope }: Limit) =>
    scope !== 'default' && 'isCopied' in scope && scope.customerId === customerId && !scope.isCopied;
