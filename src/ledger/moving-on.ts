// How things of a customer that was merged get to the one whom he leads to (DOMAIN 3.10). His ledger stays his: what comes back to him, or is granted to an order
// of his, moves on in the same operation, so that he has and owes nothing. Posts in both books; decides nothing.
import type { Book, Onward } from './book.js';
import { holdingOf } from './book.js';
import type { Batch, MovedBatch, NewOperation } from './entities.js';
import { postAccessOut, postMovedIn, postOwedIn, postOwedOut, postTransferOut } from './postings.js';

/** Who acts where things move by themselves. */
const BY_ITSELF = 'system';

/** What of a batch its successor keeps beside its units. */
type Moving = Batch & Partial<Pick<MovedBatch, 'anchorDay' | 'noticeAt'>>;

/** The batch in which one goes on in another book: of its validity, priority and lineage. It begins no earlier than now, because until now it was the other's. */
export function successorIn(book: Book, ownerId: string, batch: Moving, operationId: string, units: number | null): MovedBatch {
  const { id: predecessorId, productKey, orderId, priority, validFrom, expiresAt } = batch;
  return {
    id: book.ids.next(),
    productKey,
    orderId,
    operationId,
    predecessorId,
    predecessorCustomerId: ownerId,
    granted: units,
    available: units ?? 0,
    held: 0,
    consumed: 0,
    expired: 0,
    revoked: 0,
    transferred: 0,
    recovered: 0,
    unrecovered: 0,
    priority,
    validFrom: validFrom > book.now ? validFrom : book.now,
    expiresAt,
    anchorDay: batch.anchorDay ?? null,
    noticeAt: batch.noticeAt ?? null,
    createdAt: book.now,
  };
}

/**
 * The way from the book of a customer that was merged to that of the one whom he leads to. What comes there is an operation of its own in that ledger, one for
 * each that brought it.
 */
export function onwardTo(from: Book, into: Book): Onward {
  let moving: { of: string | null; operation: NewOperation } | undefined;
  const post = (of: string | null, posting: (operationId: string) => void): void => {
    if (moving?.of !== of || moving.operation.lastSeq !== into.nextSeq - 1) {
      const operation: NewOperation = {
        id: into.ids.next(),
        name: 'customer.transfer',
        actingKey: BY_ITSELF,
        firstSeq: into.nextSeq,
        lastSeq: into.nextSeq,
        tellsUse: false,
      };
      into.changes.operations.push(operation);
      moving = { of, operation };
    }
    posting(moving.operation.id);
    moving.operation.lastSeq = into.nextSeq - 1;
  };
  return {
    book: into,
    take: (batch, operationId) => {
      const details = { operationId, orderId: batch.orderId };
      if (batch.granted === null) {
        post(operationId, (id) => {
          const successor = successorIn(into, from.customerId, batch, id, null);
          closeAccess(from, batch);
          postAccessOut(from, batch, details);
          postMovedIn(into, successor, { operationId: id, orderId: batch.orderId });
        });
      } else if (batch.available > 0) {
        post(operationId, (id) => {
          const successor = successorIn(into, from.customerId, batch, id, batch.available);
          postTransferOut(from, batch, batch.available, details);
          postMovedIn(into, successor, { operationId: id, orderId: batch.orderId });
        });
      }
    },
    takeOwed: (productKey, operationId) => {
      const { owed } = holdingOf(from, productKey);
      if (owed === 0) return;
      post(operationId, (id) => moveOwed(from, into, productKey, owed, { from: operationId, into: id }));
    },
    bringBackOwed: (productKey, amount, operationId) => {
      const holding = holdingOf(from, productKey);
      post(operationId, (id) => {
        postOwedOut(into, productKey, amount, { operationId: id });
        postOwedIn(from, productKey, amount, [], { operationId });
        holding.owedElsewhere = (holding.owedElsewhere ?? 0) - amount;
      });
    },
  };
}

/** Moves what is owed of a product from one ledger to another, where what is available repays it at once. */
export function moveOwed(
  from: Book,
  into: Book,
  productKey: string,
  amount: number,
  operationIds: { from: string | null; into: string },
): void {
  const holding = holdingOf(from, productKey);
  const { usable, pending } = holdingOf(into, productKey);
  postOwedOut(from, productKey, amount, { operationId: operationIds.from });
  postOwedIn(into, productKey, amount, [...usable, ...pending], { operationId: operationIds.into });
  holding.owedElsewhere = (holding.owedElsewhere ?? 0) + amount;
}

/** Ends access of a customer that was merged where it goes on in another batch. One that this transaction made is written so at once. */
export function closeAccess(book: Book, batch: Moving): void {
  book.changes.endedAccess.set(batch.id, book.now);
}
