// Reservations: units held for work in progress, and their endings (DOMAIN 3.13).

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findReservation, listReservations, type StoredReservation } from '../db/reservations.js';
import type { Deps } from '../deps.js';
import { requireCustomer, requireOwner } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import type { Selector } from '../engine/selector.js';
import type { Book } from '../ledger/book.js';
import type { Subject } from '../ledger/catalog-entities.js';
import { assertProvided, availabilityOf, type Needs, type Provider } from '../ledger/consume.js';
import type { Reservation, ReservationStatus } from '../ledger/entities.js';
import {
  assertEnd,
  commitReservation,
  type Ending,
  extendReservation,
  type Reserved,
  releaseReservation,
  reserve,
} from '../ledger/reservations.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';

export interface ReserveCommand {
  subject: Subject;
  /** In the subject's unit: feature units for a feature. */
  amount: number;
  /** When it ends by itself: so long after it is made, or at an instant. */
  lifetime: { ttlMs: number } | { expiresAt: Date };
  actionType: string;
  actionId: string | undefined;
  metadata: Metadata;
}

export interface ReserveResult extends Reserved {
  operationId: string;
  customerId: string;
}

export interface EndingResult extends Ending {
  operationId: string;
  customerId: string;
  remaining: number | null;
}

export interface CommitCommand {
  /** All that is held when left out. */
  amount: number | undefined;
  allowExcess: boolean;
}

/**
 * Holds units, all or nothing, of the batches that are used first. Creates the customer on first sight.
 * Locks: the customer. Throws: insufficient_quota, invalid_request (an end that is not in the future), reservation_too_long, product_not_found,
 * feature_not_found, quantity_too_large, too_many_batches, customer_not_found, selector_conflict, idempotency_key_reused, overloaded, unavailable.
 */
export async function makeReservation(
  deps: Deps,
  selector: Selector,
  command: ReserveCommand,
  call: Call,
  render: Render<ReserveResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'reservation.create',
    selector,
    call,
    request: command,
    needs: { asks: [command] },
    decide: ({ book, providersOf, operationId }) => ({
      outcome: 'accepted',
      result: decideReserve(book, providersOf(command.subject), command, operationId),
    }),
    render,
  });
}

function decideReserve(
  book: Book,
  providers: readonly Provider[],
  command: ReserveCommand,
  operationId: string,
): ReserveResult {
  const { subject, amount, lifetime, actionType, actionId = null, metadata } = command;
  assertProvided(subject, providers);
  const isRelative = 'ttlMs' in lifetime;
  const expiresAt = isRelative ? new Date(book.now.getTime() + lifetime.ttlMs) : lifetime.expiresAt;
  assertEnd(book.now, expiresAt, book.now, isRelative ? '/ttl_seconds' : '/expires_at');
  const terms = { subject, amount, actionType, actionId, metadata, expiresAt };
  return { operationId, customerId: book.customerId, ...reserve(book, providers, terms, operationId) };
}

/**
 * Uses what a reservation holds, all of it or `amount`, and gives the rest back; with `allowExcess` uses more. A commit of 0 is a release. The same
 * ending again is answered as it was.
 * Locks: the customer. Throws: reservation_not_found (also of another customer than the selector names), customer_not_found, selector_conflict,
 * reservation_expired, reservation_closed, reservation_exceeded, insufficient_quota, quantity_too_large, too_many_batches, idempotency_key_reused,
 * overloaded, unavailable.
 */
export async function commit(
  deps: Deps,
  selector: Selector,
  reservationId: string,
  command: CommitCommand,
  call: Call,
  render: Render<EndingResult>,
): Promise<RecordedAnswer> {
  if (command.amount === 0) return release(deps, selector, reservationId, call, render);
  return deps.engine.run({
    name: 'reservation.commit',
    selector: { ...selector, owned: { kind: 'reservation', id: reservationId } },
    call,
    request: { reservationId, ...command },
    needs: needsOf(reservationId, command.amount),
    decide: ({ book, providersOf, operationId }): Decision<EndingResult> => {
      const reservation = required(book.reservations.get(reservationId), 'the reservation is loaded');
      const amount = command.amount ?? reservation.amount;
      if (reservation.status === 'committed' && reservation.committedAmount === amount)
        return { outcome: 'replayed', recordedAs: reservationId };
      const thenProviders = Object.keys(reservation.costs).flatMap((productKey) => providersOf({ productKey }));
      const { allowExcess } = command;
      const ending = commitReservation(book, reservation, { amount, allowExcess }, thenProviders, operationId);
      return accept(book, ending, operationId, providersOf(reservation.subject));
    },
    render,
  });
}

/**
 * Gives back what a reservation holds. The same ending again is answered as it was.
 * Locks: the customer. Throws: reservation_not_found (also of another customer than the selector names), customer_not_found, selector_conflict,
 * reservation_expired, reservation_closed, idempotency_key_reused, overloaded, unavailable.
 */
export async function release(
  deps: Deps,
  selector: Selector,
  reservationId: string,
  call: Call,
  render: Render<EndingResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'reservation.release',
    selector: { ...selector, owned: { kind: 'reservation', id: reservationId } },
    call,
    request: { reservationId },
    needs: needsOf(reservationId, 0),
    decide: ({ book, providersOf, operationId }): Decision<EndingResult> => {
      const reservation = required(book.reservations.get(reservationId), 'the reservation is loaded');
      if (reservation.status === 'released') return { outcome: 'replayed', recordedAs: reservationId };
      const ending = releaseReservation(book, reservation, operationId);
      return accept(book, ending, operationId, providersOf(reservation.subject));
    },
    render,
  });
}

/**
 * Lets a reservation end so long after now; never sooner than it would have.
 * Locks: the customer. Throws: reservation_not_found (also of another customer than the selector names), customer_not_found, selector_conflict,
 * reservation_expired, reservation_closed, reservation_too_long, idempotency_key_reused, overloaded, unavailable.
 */
export async function extend(
  deps: Deps,
  selector: Selector,
  reservationId: string,
  ttlMs: number,
  call: Call,
  render: Render<{ operationId: string; customerId: string; reservation: Reservation }>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'reservation.extend',
    selector: { ...selector, owned: { kind: 'reservation', id: reservationId } },
    call,
    request: { reservationId, ttlMs },
    needs: needsOf(reservationId, 0),
    decide: ({ book, operationId }) => {
      const reservation = required(book.reservations.get(reservationId), 'the reservation is loaded');
      extendReservation(book, reservation, new Date(book.now.getTime() + ttlMs), '/ttl_seconds');
      return { outcome: 'accepted', result: { operationId, customerId: book.customerId, reservation } };
    },
    render,
  });
}

/** A reservation as it stands. Throws: reservation_not_found (also of another customer than the selector names), customer_not_found, selector_conflict. */
export async function getReservation(deps: Deps, selector: Selector, id: string): Promise<StoredReservation> {
  const { customerId: owner } = await requireOwner(deps, { kind: 'reservation', id }, selector);
  return required(await findReservation(deps.db, owner, id, deps.clock.now()), 'reservations are kept');
}

/** One page of a customer's reservations, newest first. Throws: customer_not_found, selector_conflict. */
export async function getReservations(
  deps: Deps,
  selector: Selector,
  status: ReservationStatus | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<StoredReservation[]> {
  const { familyIds, now } = await requireCustomer(deps, selector);
  return listReservations(deps.db, familyIds, now, status, page);
}

/** How much a commit asks for is known beforehand only when it says so; without, it is what is held. */
function needsOf(reservationId: string, amount: number | undefined): Needs {
  return { asks: [], reservation: { id: reservationId, amount: amount ?? 0 } };
}

function accept(
  book: Book,
  ending: Ending,
  operationId: string,
  providers: readonly Provider[],
): Decision<EndingResult> {
  const { available } = availabilityOf(book, providers);
  const result = { ...ending, operationId, customerId: book.customerId, remaining: available };
  return { outcome: 'accepted', result, recordAs: ending.reservation.id };
}
