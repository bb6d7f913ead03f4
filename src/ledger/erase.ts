// Erasing a customer as a pure decision (DOMAIN 3.10): what is open of his family is ended, and what is left is revoked, each in the ledger that it is in. What is
// owed, used and paid stays: it is numbers. What is personal is blanked afterwards, by the database.

import { type Book, bareHolding } from './book.js';
import { cancelOrder } from './cancelled-orders.js';
import type { Closed, TrialTrace } from './customer-entities.js';
import type { Batch, Holding } from './entities.js';
import type { Order } from './order-entities.js';
import { postAccessChange, postDebit } from './postings.js';
import { releaseReservation } from './reservations.js';
import type { Reward } from './reward-entities.js';
import { cancelForErased } from './rewards.js';
import { cancelSubscription } from './subscriptions.js';

/** What there is to close of one member of the family, under the lock, all that is due settled. */
export interface OpenThings {
  customerId: string;
  balances: readonly Pick<Holding, 'productKey' | 'available' | 'held' | 'owed'>[];
  /** With units, or access that has not ended. */
  batches: readonly Batch[];
  orders: readonly Order[];
  /** Locked. */
  rewards: readonly Reward[];
}

/** By whom a family is erased, and by what he is known. */
export interface ErasureTerms {
  operationId: string;
  actingKey: string;
  identities: number;
  traces: readonly TrialTrace[];
}

const REASON = 'the customer was erased';

/**
 * Erases the customer of the first book with his family, whose books the others are. Precondition: of each the reservations that are open, and the subscriptions,
 * are loaded.
 */
export function eraseCustomer(
  books: readonly Book[],
  open: readonly OpenThings[],
  { operationId, actingKey, identities, traces }: ErasureTerms,
): Closed {
  const closed: Closed = {
    identities,
    orders: 0,
    reservations: 0,
    subscriptions: 0,
    rewards: 0,
    batches: 0,
    units: {},
  };
  for (const [index, book] of books.entries()) {
    const own = open.find(({ customerId }) => customerId === book.customerId);
    if (!own) continue;
    if (index === 0) close(book, own, operationId, closed);
    else closeMember(book, own, actingKey, closed);
  }
  const [first] = books;
  first?.changes.erasures.push({
    memberIds: books.map(({ customerId }) => customerId),
    operationId,
    closed,
    traces,
  });
  return closed;
}

/** Of a customer that was merged it is an operation of his own ledger, where all that comes back stays: nothing moves on any more. */
function closeMember(book: Book, own: OpenThings, actingKey: string, closed: Closed): void {
  delete book.onward;
  const operationId = book.ids.next();
  const firstSeq = book.nextSeq;
  close(book, own, operationId, closed);
  const hasEntries = book.nextSeq > firstSeq;
  book.changes.operations.push({
    id: operationId,
    name: 'customer.erase',
    actingKey,
    firstSeq: hasEntries ? firstSeq : null,
    lastSeq: hasEntries ? book.nextSeq - 1 : null,
    tellsUse: false,
  });
}

/** Ends what is open, then revokes what is left. */
function close(
  book: Book,
  { balances, batches, orders, rewards }: OpenThings,
  operationId: string,
  closed: Closed,
): void {
  for (const balance of [...balances, ...batches.map(({ productKey }) => ({ productKey }))]) {
    const { productKey } = balance;
    if (!book.holdings.has(productKey)) book.holdings.set(productKey, bareHolding(balance));
  }
  for (const known of book.plans.subscriptions) {
    const { outcome } = cancelSubscription(book, known, [], { when: 'now', operationId });
    if (outcome === 'accepted') closed.subscriptions += 1;
  }
  for (const order of orders) {
    cancelOrder(book, order, { operationId, reason: REASON });
    closed.orders += 1;
  }
  for (const reservation of book.reservations.values()) {
    if (reservation.status !== 'held') continue;
    // It is told of once more, without what is blanked.
    Object.assign(reservation, { metadata: {}, actionId: null });
    releaseReservation(book, reservation, operationId);
    closed.reservations += 1;
  }
  for (const reward of rewards) {
    cancelForErased(book, reward, operationId);
    closed.rewards += 1;
  }
  for (const batch of leftOf(book, batches)) revoke(book, batch, operationId, closed);
}

/** Batches as they are in the book by now, those to which something came back among them. */
function leftOf(book: Book, batches: readonly Batch[]): Batch[] {
  const left = new Map(batches.map((batch) => [batch.id, batch]));
  for (const { usable, running, pending } of book.holdings.values())
    for (const batch of [...usable, ...running, ...pending]) if (left.has(batch.id)) left.set(batch.id, batch);
  for (const [id, batch] of book.changes.changedBatches)
    if (batch.granted !== null || left.has(id)) left.set(id, batch);
  return [...left.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function revoke(book: Book, batch: Batch, operationId: string, closed: Closed): void {
  const { productKey, granted, available, expiresAt } = batch;
  if (granted === null) {
    if (expiresAt !== null && expiresAt <= book.now) return;
    book.changes.endedAccess.set(batch.id, book.now);
    postAccessChange(book, batch, 'revoke', { operationId });
  } else {
    if (available === 0) return;
    closed.units[productKey] = (closed.units[productKey] ?? 0) + available;
    postDebit(book, batch, 'revoke', available, { operationId });
  }
  closed.batches += 1;
}
