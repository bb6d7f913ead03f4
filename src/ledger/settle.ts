// What has become due by itself: holds that lapse, batches that expire, orders that nobody paid in time. Runs at the start of every operation, under
// the lock; reads apply it in memory. What it makes has ids that follow from what they are about, so that a read shows those that a write will have.

import { type Book, holdingOf, type LoadedBook } from './book.js';
import { noCustomerChanges } from './changes.js';
import type { Batch, Reservation } from './entities.js';
import { goOnLate } from './late-rollover.js';
import { onwardTo } from './moving-on.js';
import { expiryOf } from './orders.js';
import { postDebit } from './postings.js';
import { lapse } from './reservations.js';
import type { KnownSubscription } from './subscription-entities.js';
import { isOfPlan } from './subscription-steps.js';
import { firstTurning, looksAtOrder, turn } from './turns.js';

/** Turns of subscriptions that one transaction makes of a customer at most. */
const TURNS_MAX = 100;

/**
 * Opens a book that was loaded: settles it, and whatever is decided in it is recorded. Of a customer that was merged `into` is the book of whom he leads to,
 * where all that comes back goes on.
 */
export function openBook(loaded: LoadedBook, into?: Book): Book {
  const book: Book = { ...loaded, changes: noCustomerChanges() };
  if (into) leadOn(book, into);
  else if (book.plans.subscriptions.length > 0)
    book.goOn = (batch, units, freed) => goOnLate(book, batch, units, freed);
  for (const known of book.plans.subscriptions)
    known.ahead = known.ahead.filter((period) => isOfPlan(known.subscription, period));
  settle(book);
  if (book.isDue) book.changes.settled.push(book.now);
  // What lacks entries is counted on in steps.
  for (const window of book.windows) if (window.countedTo !== null) book.changes.changedWindows.add(window);
  return book;
}

/** Access is extended from where that of the other ends, and what is not there is owed by him. */
function leadOn(book: Book, into: Book): void {
  for (const holding of book.holdings.values()) {
    holding.into = holdingOf(into, holding.productKey);
    holding.accessEnd = holding.into.accessEnd;
  }
  book.onward = onwardTo(book, into);
}

/**
 * Lets due holds lapse and due batches expire, in order of their instants, of one instant the lapses first; due orders expire without an entry. A
 * lapse occurred at the hold's end; an expiry at the batch's end, or when its units became available if that was later. Of more than was loaded it
 * settles what comes before the rest, so that the ledger is the same in however many steps it is written.
 */
function settle(book: Book): void {
  const { batch: lastBatch, hold: lastHold } = book.lastDue;
  const known = Math.min(lastBatch ? endOf(lastBatch) : Infinity, lastHold ? endOf(lastHold) : Infinity);
  for (let turns = 0; ; turns += 1) {
    const next = firstTurning(book);
    if (!next) break;
    const at = endOf({ expiresAt: next.subscription.turnsAt });
    if (at >= known) break;
    if (turns === TURNS_MAX || (turns > 0 && (takesOldUnits(next) || looksAtOrder(next)))) return;
    settleBefore(book, at);
    turn(book, next);
  }
  for (const reservation of dueReservations(book)) {
    if (lastHold && compareEnds(reservation, lastHold) > 0) break;
    if (lastBatch && endOf(reservation) > endOf(lastBatch)) break;
    expireBefore(book, endOf(reservation));
    lapse(book, reservation);
  }
  expireBefore(book, lastHold ? endOf(lastHold) : Infinity, lastBatch);
  for (const id of book.dueOrders.splice(0)) book.changes.orderSteps.push(expiryOf(id));
}

/** Whether a turn may take away what the subscription allocated: that is read anew, with what turns before it made. */
function takesOldUnits({ subscription: { change } }: KnownSubscription): boolean {
  return change?.orderId === null && change.oldUnits === 'reset';
}

/** Settles what comes before a turn: of its instant the lapses, whose units may go over, but not what expires. */
function settleBefore(book: Book, at: number): void {
  for (const reservation of dueReservations(book)) {
    if (endOf(reservation) > at) break;
    expireBefore(book, endOf(reservation));
    lapse(book, reservation);
  }
  expireBefore(book, at);
}

function dueReservations({ reservations, now }: Book): Reservation[] {
  return [...reservations.values()]
    .filter(({ status, expiresAt }) => status === 'held' && expiresAt.getTime() <= now.getTime())
    .sort(compareEnds);
}

/** Expires the due batches that ended before an instant, soonest first, up to the last one. */
function expireBefore(book: Book, limitMs: number, last?: Batch): void {
  book.due.sort(compareEnds);
  const later = book.due.findIndex((batch) => endOf(batch) >= limitMs || (last && compareEnds(batch, last) > 0));
  for (const batch of book.due.splice(0, later === -1 ? book.due.length : later)) {
    if (batch.available === 0) continue; // it went over, or was taken away
    const occurredAt = new Date(Math.max(endOf(batch), batch.createdAt.getTime()));
    postDebit(book, batch, 'expire', batch.available, { operationId: null, occurredAt });
  }
}

type Ending = Pick<Batch, 'expiresAt'> & { id: string };

/** The order in which what is due is loaded, and settled. */
function compareEnds(a: Ending, b: Ending): number {
  return endOf(a) - endOf(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function endOf({ expiresAt }: Pick<Batch, 'expiresAt'>): number {
  return expiresAt?.getTime() ?? Infinity;
}
