// Limits that a customer shares with another, the source (DOMAIN 3.12): copies, below his own and above a plan's. A source has no source itself.
import type { Book } from './book.js';
import type { Limit, LimitSource } from './limit-entities.js';
import { isOfCustomer, replaceLimit } from './limit-terms.js';
import { textOf } from './limits.js';

/** Makes the copies of a customer those of what his source has now. `source` undefined removes them. */
export function copyLimits(
  book: Book,
  limits: readonly Limit[],
  source: LimitSource | undefined,
  operationId: string,
): void {
  const { customerId, now, ids, changes } = book;
  const copies = new Map(
    limits.filter((limit) => isOfCustomer(limit, true, customerId)).map((limit) => [textOf(limit.subject), limit]),
  );
  const shared = source ? limits.filter((limit) => isOfCustomer(limit, false, source.sourceId)) : [];
  const scope = { customerId, isCopied: true };
  for (const terms of shared) {
    const before = copies.get(textOf(terms.subject));
    copies.delete(textOf(terms.subject));
    const after = replaceLimit(before, terms, scope, { now, nextId: () => ids.next() });
    if (after !== before) changes.limits.push({ before, after, operationId });
  }
  for (const before of copies.values()) changes.limits.push({ before, after: undefined, operationId });
}
