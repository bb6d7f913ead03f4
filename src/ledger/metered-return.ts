// Units of a metered subject that come back without naming their use (DOMAIN 3.14), as seats do that are given up.
import { AppError } from '../errors/app-error.js';
import type { Metadata } from '../lib/metadata.js';
import type { Book } from './book.js';
import type { Subject } from './catalog-entities.js';
import type { Provider } from './consume.js';
import { BEGINNING } from './counting.js';
import { textOf } from './limits.js';
import { meterOf } from './meter.js';
import { postReturn } from './postings.js';
import { multiplyQuantities, QUANTITY_MAX } from './quantities.js';

/** Units that are given back without naming their use. */
export interface MeterReturn {
  operationId: string;
  metadata: Metadata;
}

/**
 * How much of a metered subject may come back, by its name or by its use, in its unit: what is in use of it in all, and not held. It is a gauge, which would
 * go below 0 otherwise, and let more be used than its limit. Precondition: the window `total` of the subject is loaded.
 */
export function returnableOf(
  book: Book,
  subject: Subject,
  { productKey, unitCost }: Pick<Provider, 'productKey' | 'unitCost'>,
): number {
  const total = book.windows.find((own) => own.window === 'total' && textOf(own.subject) === textOf(subject));
  const inUse = total ? total.used - total.held : 0;
  return Math.max(0, Math.min(inUse, Math.floor(meterOf(book, productKey).consumed / unitCost)));
}

/**
 * Gives back units of a metered subject, in its unit: they count in all no longer, and stay counted in the windows in which they were used.
 * Precondition: the window `total` of the subject is loaded. Throws: not_metered, release_exceeds_usage.
 */
export function returnMetered(
  book: Book,
  provider: Provider | undefined,
  subject: Subject,
  amount: number,
  { operationId, metadata }: MeterReturn,
): void {
  const pointer = 'feature' in subject ? '/feature' : '/product_key';
  if (provider?.type !== 'metered') {
    const detail = 'Only what is metered is given back by its name: name the operation that used it.';
    throw new AppError('not_metered', detail, { pointer });
  }
  const { productKey, unitCost } = provider;
  const meter = meterOf(book, productKey);
  const used = returnableOf(book, subject, { productKey, unitCost: 1 }); // whatever the cost of a use was, it was at least 1
  if (amount > used) {
    throw new AppError('release_exceeds_usage', `${amount} to give back, ${used} in use.`, {
      pointer: '/amount',
      extensions: { requested: amount, available: used },
    });
  }
  // At the cost of today, but for a product unit at least for each unit that stays in use: the uses may have cost less.
  const whole = multiplyQuantities(amount, unitCost) ?? QUANTITY_MAX;
  const units = Math.min(whole, meter.consumed - (used - amount));
  const isFeature = 'feature' in subject;
  postReturn(book, meter, 'consumed', units, {
    operationId,
    feature: isFeature ? subject.feature : null,
    unitCost: isFeature && units === whole ? unitCost : null,
    metadata,
    counted: { at: BEGINNING, amount: -amount },
  });
}
