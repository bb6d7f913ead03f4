// How things of a customer that was merged get to the one whom he leads to (DOMAIN 3.10). His ledger stays his: what comes back to him, or is granted to an order
// of his, moves on in the same operation, so that he has and owes nothing. Posts in both books; decides nothing.

import { assert } from '../lib/assert.js';
import { newParts } from './batch-parts.js';
import { type Arrival, type Book, holdingOf, type Onward } from './book.js';
import type { Batch, MovedBatch, NewOperation } from './entities.js';
import { isReversible, SYSTEM_KEY } from './operations.js';
import { anchored } from './periods.js';
import { postAccessOut, postExpiredOut, postMovedIn, postOwedIn, postOwedOut, postTransferOut } from './postings.js';
import { isOfUse } from './use-events.js';

/** What of a batch its successor keeps beside its units. */
type Moving = Batch & Partial<Pick<MovedBatch, 'anchorDay' | 'noticeAt'>>;

/** The batch in which one goes on in another book: of its validity, priority and lineage. It begins no earlier than now, because until now it was the other's. */
function successorIn(
  book: Book,
  ownerId: string,
  batch: Moving,
  operationId: string,
  units: number | null,
): MovedBatch {
  const { id: predecessorId, productKey, orderId, subscriptionId, priority, validFrom, expiresAt } = batch;
  return {
    id: book.ids.next(),
    productKey,
    orderId,
    subscriptionId, // which moved as well, or has ended
    operationId,
    predecessorId,
    predecessorCustomerId: ownerId,
    ...newParts(units),
    priority,
    validFrom: validFrom > book.now ? validFrom : book.now,
    expiresAt,
    anchorDay: batch.anchorDay ?? null,
    noticeAt: batch.noticeAt ?? null,
    createdAt: book.now,
  };
}

/**
 * The way from the book of a customer that was merged to that of the one whom he leads to. What an operation of the one makes in the ledger of the other is
 * recorded there under the same id.
 */
export function onwardTo(from: Book, into: Book): Onward {
  // One operation makes one there, also where it comes by way of another ledger.
  into.arriving ??= {};
  const state = into.arriving;
  const isSame = (arrival: Arrival | undefined, of: string | null): arrival is Arrival =>
    arrival !== undefined && arrival.of === of && (of !== null || arrival.from === from.customerId);
  const post: Onward['post'] = (of, posting) => {
    // What moves on amid what an operation makes there is of that.
    if (isSame(state.under, of)) return posting(state.under.operation.id);
    // By itself it may go on behind others; what an operation makes stays together.
    if (!isSame(state.last, of) || (of === null && state.last.operation.lastSeq !== into.nextSeq - 1)) {
      state.last = { from: from.customerId, of, operation: transferOf(into, of) };
      into.changes.operations.push(state.last.operation);
    }
    const { last } = state;
    const { operation } = last;
    assert(
      operation.lastSeq === null || operation.lastSeq === into.nextSeq - 1,
      'an operation’s entries stay together',
    );
    const first = into.nextSeq;
    state.under = last;
    const posted = posting(operation.id);
    state.under = undefined;
    if (into.nextSeq > first) {
      operation.firstSeq ??= first;
      operation.lastSeq = into.nextSeq - 1;
    }
    return posted;
  };
  return {
    book: into,
    post,
    name: ({ id, name, actingKey }) => {
      if (state.last?.of !== id) return;
      const { operation } = state.last;
      const made = into.changes.entries.filter(({ operationId }) => operationId === id);
      Object.assign(operation, {
        name,
        actingKey,
        tellsUse: into.tellsUses && isReversible(name) && made.some(isOfUse),
      });
    },
    take: (batch, operationId) => {
      if (batch.granted !== null && batch.available === 0) return;
      post(operationId, (id) => moveBatch(from, into, batch, { from: operationId, into: id }));
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

function transferOf(into: Book, of: string | null): NewOperation {
  return {
    id: of ?? into.ids.next(),
    name: 'customer.transfer',
    actingKey: SYSTEM_KEY,
    firstSeq: null,
    lastSeq: null,
    tellsUse: false,
  };
}

/** The operations, in both ledgers, by which something moves. */
export interface MovedBy {
  from: string | null;
  into: string;
}

/** Moves what is available of a batch, or the access that it gives, into one in another ledger. */
export function moveBatch(from: Book, into: Book, batch: Moving, operationIds: MovedBy): void {
  const { orderId, granted, available, expiresAt } = batch;
  const details = { operationId: operationIds.from, orderId };
  if (granted === null) {
    // What an older build granted does not say its day.
    const anchorDay = batch.anchorDay ?? (expiresAt && anchored(expiresAt).anchorDay);
    from.changes.endedAccess.set(batch.id, from.now);
    postAccessOut(from, batch, details);
    const successor = successorIn(into, from.customerId, { ...batch, anchorDay }, operationIds.into, null);
    postMovedIn(into, successor, { operationId: operationIds.into, orderId });
    return;
  }
  const successor = successorIn(into, from.customerId, batch, operationIds.into, available);
  // It is told of what goes on.
  if (batch.noticeAt) batch.noticeAt = null;
  postTransferOut(from, batch, available, details);
  postMovedIn(into, successor, { operationId: operationIds.into, orderId });
}

/** Moves units that have expired, and may go over yet, into a batch in another ledger, which has ended as well. */
export function moveExpired(from: Book, into: Book, batch: Batch, units: number, operationIds: MovedBy): void {
  const { orderId, validFrom } = batch;
  const successor = { ...successorIn(into, from.customerId, batch, operationIds.into, units), validFrom };
  postExpiredOut(from, batch, units, { operationId: operationIds.from, orderId });
  postMovedIn(into, successor, { operationId: operationIds.into, orderId });
}

/** Moves what is owed of a product from one ledger to another, where what is available repays it at once. */
export function moveOwed(from: Book, into: Book, productKey: string, amount: number, operationIds: MovedBy): void {
  const holding = holdingOf(from, productKey);
  const { usable, pending } = holdingOf(into, productKey);
  postOwedOut(from, productKey, amount, { operationId: operationIds.from });
  postOwedIn(into, productKey, amount, [...usable, ...pending], { operationId: operationIds.into });
  holding.owedElsewhere = (holding.owedElsewhere ?? 0) + amount;
}
