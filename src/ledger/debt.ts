// Plans overdrafts (DOMAIN 3.15): work that was done already is taken from whatever there is, and the rest is owed. Posts nothing: `consume` carries the
// plan out, and what repays a debt is in postings.ts.
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf } from './book.js';
import { assertFewTaken } from './bounds.js';
import { takeInOrder, type UsePlan } from './consume.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

/**
 * Plans to take `amount` units of a counted product from all of its batches, those that are not valid yet last; what they lack is owed.
 * Throws: quantity_too_large, too_many_batches.
 */
export function planOverdraft(book: Book, productKey: string, amount: number): UsePlan {
  const holding = holdingOf(book, productKey);
  const { takings, missing } = takeInOrder([...holding.usable, ...holding.pending], amount);
  const taken = takings.reduce((sum, taking) => sum + taking.amount, 0);
  assertFewTaken(takings.length, missing === 0 || taken === holding.available, '/amount');
  if (!canAdd(holding.owed, missing)) {
    throw new AppError('quantity_too_large', `At most ${QUANTITY_MAX} of ${productKey} can be owed.`, {
      pointer: '/amount',
    });
  }
  const owed = missing > 0 ? { productKey, amount: missing } : null;
  return { isAllowed: true, takings, owed, remaining: null, warnings: [] };
}
