// Orders as they are answered: with what they granted, as it is once something is decided. No SQL.
import type { Book } from '../ledger/book.js';
import type { CustomerChanges } from '../ledger/changes.js';
import type { NewBatch } from '../ledger/entities.js';
import type { Order } from '../ledger/order-entities.js';
import { firstOf, type OrderBatches, restated, type StoredBatch, toNewlyStored } from './wallet.js';

/** An order and, once it is paid, what it granted. */
export interface OrderResult {
  order: Order;
  granted: OrderBatches;
}

/** An order with the batches that were loaded, as they are once this is decided: those, too, that went on to whom its customer leads to. */
export function asDecided(book: Book, order: Order, { batches, total }: OrderBatches): OrderResult {
  const { now } = book;
  const books = [book, ...(book.onward ? [book.onward.book] : [])];
  const changedBatches = new Map(books.flatMap(({ changes }) => [...changes.changedBatches]));
  const validity = new Map(
    books.flatMap(({ changes }) => [...changes.changedValidity].map((changed) => [changed.batch.id, changed])),
  );
  const changed = batches.map((batch) => {
    const { available, held, consumed, expired, revoked, transferred, validFrom, expiresAt } =
      changedBatches.get(batch.id) ?? validity.get(batch.id)?.batch ?? batch;
    const revokedAt = validity.get(batch.id)?.revokedAt ?? batch.revokedAt;
    const parts = { available, held, consumed, expired, revoked, transferred };
    return restated({ ...batch, ...parts, validFrom, expiresAt, revokedAt }, now);
  });
  const made = books.flatMap(({ changes }) =>
    toNewlyOrdered(
      changes.newBatches.filter(({ orderId }) => orderId === order.id),
      changes,
    ),
  );
  const known = new Map([...changed, ...made].map((batch) => [batch.id, batch]));
  const moved = book.onward?.book.changes.movedBatches.filter(({ orderId }) => orderId === order.id) ?? [];
  // Where it came from, what moved on keeps; of what is behind the batches that are shown it is not known.
  const movedOn = moved.flatMap((batch) => {
    const from = known.get(batch.predecessorId);
    return from ? [restated({ ...from, ...batch, revokedAt: null }, now)] : [];
  });
  // Each moves on as soon as it is made.
  const newly = made.flatMap((batch) => [batch, ...movedOn.filter(({ predecessorId }) => predecessorId === batch.id)]);
  const all = new Set([...changed, ...newly, ...movedOn]);
  return { order, granted: firstOf([...all], total + made.length + moved.length) };
}

/** What an order granted just now. */
function toNewlyOrdered(
  made: readonly NewBatch[],
  { endedAccess }: Pick<CustomerChanges, 'endedAccess'>,
): StoredBatch[] {
  return made.map((batch) => {
    const revokedAt = endedAccess.get(batch.id) ?? null;
    return restated({ ...toNewlyStored(batch), revokedAt }, batch.createdAt);
  });
}
