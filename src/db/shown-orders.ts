// Orders as they are answered: with what they granted, as it is once something is decided. No SQL.
import type { Book } from '../ledger/book.js';
import type { Order } from '../ledger/order-entities.js';
import { type OrderBatches, restated, toNewlyOrdered } from './wallet.js';

/** An order and, once it is paid, what it granted. */
export interface OrderResult {
  order: Order;
  granted: OrderBatches;
}

/** An order with the batches that were loaded, as they are once this is decided. */
export function asDecided({ changes, now }: Book, order: Order, { batches, total }: OrderBatches): OrderResult {
  const validity = new Map([...changes.changedValidity].map((changed) => [changed.batch.id, changed]));
  const changed = batches.map((batch) => {
    const { available, held, consumed, expired, revoked, transferred, validFrom, expiresAt } =
      changes.changedBatches.get(batch.id) ?? validity.get(batch.id)?.batch ?? batch;
    const revokedAt = validity.get(batch.id)?.revokedAt ?? batch.revokedAt;
    const parts = { available, held, consumed, expired, revoked, transferred };
    return restated({ ...batch, ...parts, validFrom, expiresAt, revokedAt }, now);
  });
  const made = toNewlyOrdered(
    changes.newBatches.filter(({ orderId }) => orderId === order.id),
    changes,
  );
  return { order, granted: { batches: [...changed, ...made.batches], total: total + made.total } };
}
