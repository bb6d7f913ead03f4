// Plans overdrafts (DOMAIN 3.15): work that was done already is taken from whatever there is, and the rest is owed. Posts nothing: `consume` carries the
// plan out, and what repays a debt is in postings.ts.
import { AppError } from '../errors/app-error.js';
import { type Book, holdingOf } from './book.js';
import { takeInOrder, type UsePlan } from './consume.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';

const RETRY_AFTER_S = 1;

/**
 * Plans to take `amount` units of a counted product from all of its batches, those that are not valid yet last; what they lack is owed.
 * Throws: quantity_too_large; unavailable while units that can't be taken stand in the way, because nothing may be available beside a debt:
 * those of more batches past their end than are settled at once, or of more that begin later than are looked at.
 */
export function planOverdraft(book: Book, productKey: string, amount: number): UsePlan {
  const holding = holdingOf(book, productKey);
  const { takings, missing } = takeInOrder([...holding.usable, ...holding.pending], amount);
  if (missing > 0 && amount - missing < holding.available) {
    throw new AppError('unavailable', 'Units of many batches are in the way of a debt; try again.', {
      retryAfterS: RETRY_AFTER_S,
    });
  }
  if (!canAdd(holding.owed, missing)) {
    throw new AppError('quantity_too_large', `At most ${QUANTITY_MAX} of ${productKey} can be owed.`, {
      pointer: '/amount',
    });
  }
  const owed = missing > 0 ? { productKey, amount: missing } : null;
  return { isAllowed: true, takings, owed, remaining: null };
}
