// Units held for work in progress, and their endings (DOMAIN 3.13): committed up to what was held and beyond, released, or lapsed. Exactly
// one ending wins. Decides and posts; who repeats an ending does not come here: he gets the stored answer.

import { AppError } from '../errors/app-error.js';
import { assert } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import type { Book } from './book.js';
import { assertFewCopies } from './bounds.js';
import type { Subject } from './catalog-entities.js';
import { consume, forgetEmptied, type Provider, type Taking, type UsePlan } from './consume.js';
import { unitCounter } from './counting.js';
import type { Batch, Reservation } from './entities.js';
import type { Violation } from './limit-entities.js';
import { type PostingDetails, postCommit, postHold, postReturn, type Returned } from './postings.js';
import { canAdd, QUANTITY_MAX } from './quantities.js';
import { use } from './use.js';

/** How long after its creation a reservation may end at the latest. */
const RESERVATION_MS_MAX = 7 * 24 * 3_600 * 1_000;

/** What a reservation is made of besides the units. */
export interface ReservationTerms {
  subject: Subject;
  amount: number;
  actionType: string;
  actionId: string | null;
  metadata: Metadata;
  expiresAt: Date;
}

/** Refuses an end that lies too late, or not in the future. Throws: reservation_too_long, invalid_request. */
export function assertEnd(createdAt: Date, expiresAt: Date, now: Date, pointer: string): void {
  if (expiresAt.getTime() <= now.getTime()) {
    throw new AppError('invalid_request', 'The end must lie in the future.', { pointer });
  }
  if (expiresAt.getTime() > createdAt.getTime() + RESERVATION_MS_MAX) {
    throw new AppError('reservation_too_long', 'A reservation ends at most 7 days after it was made.', { pointer });
  }
}

/** What a reserve comes to. `remaining` is in the subject's unit, null when uncounted. */
export interface Reserved {
  reservation: Reservation;
  remaining: number | null;
  warnings: Violation[];
}

/**
 * Holds units, all or nothing, at the costs of now. Precondition: `assertEnd` passed.
 * Throws: insufficient_quota, product_not_found, feature_not_found, quantity_too_large, too_many_batches.
 */
export function reserve(
  book: Book,
  providers: readonly Provider[],
  terms: ReservationTerms,
  operationId: string,
): Reserved {
  return use(book, terms, providers, (plan) => ({
    reservation: hold(book, plan, providers, terms, operationId),
    remaining: plan.remaining,
    warnings: plan.warnings,
  }));
}

function hold(
  book: Book,
  plan: UsePlan,
  providers: readonly Provider[],
  { subject, amount, actionType, actionId, metadata, expiresAt }: ReservationTerms,
  operationId: string,
): Reservation {
  assertFewCopies(metadata, plan.takings.length);
  const reservation: Reservation = {
    subject,
    amount,
    actionType,
    actionId,
    metadata,
    expiresAt,
    id: book.ids.next(),
    operationId,
    costs: Object.fromEntries(providers.map(({ productKey, unitCost }) => [productKey, unitCost])),
    status: 'held',
    committedAmount: 0,
    createdAt: book.now,
    endedAt: null,
    endedBy: null,
    legs: plan.takings.map(({ batch, amount: units }) => ({ batch, amount: units })),
  };
  const unitsOf = unitCounter();
  for (const { batch, amount: units } of reservation.legs) {
    const counted = unitsOf(batch.productKey, units, costOf(reservation, batch.productKey));
    postHold(book, batch, units, detailsOf(reservation, batch, operationId, counted));
  }
  forgetEmptied(book, plan);
  book.reservations.set(reservation.id, reservation);
  book.changes.newReservations.push(reservation);
  return reservation;
}

/** What became of units that came back, in the unit that was asked for. */
export interface UnitsBack {
  returned: number;
  expired: number;
  revoked: number;
}

/** What an ending came to. Takings are product units, what came back is in the reservation's unit. */
export interface Ending extends UnitsBack {
  reservation: Reservation;
  takings: Taking[];
  warnings: Violation[];
}

/** Refuses an ending of what has ended. Throws: reservation_expired, reservation_closed. */
function assertOpen({ status, expiresAt }: Reservation, now: Date): void {
  if (status === 'expired' || (status === 'held' && expiresAt.getTime() <= now.getTime())) {
    throw new AppError('reservation_expired', 'The reservation has expired; its units came back.', {
      extensions: { reservationStatus: 'expired' },
    });
  }
  if (status === 'held') return;
  throw new AppError('reservation_closed', `The reservation was ${status} before.`, {
    extensions: { reservationStatus: status },
  });
}

/** How much beyond what is held a commit asks for. */
function excessOf({ amount: held }: Reservation, amount: number): number {
  return Math.max(0, amount - held);
}

/**
 * Uses `amount` of what is held, in the order of use, and gives the rest back. With `allowExcess` what goes beyond it is consumed at the
 * costs of reserve time; `providers` are the products of then.
 * Throws: reservation_expired, reservation_closed, reservation_exceeded, insufficient_quota, too_many_batches (both for the excess),
 * quantity_too_large.
 */
export function commitReservation(
  book: Book,
  reservation: Reservation,
  command: { amount: number; allowExcess: boolean },
  providers: readonly Provider[],
  operationId: string,
): Ending {
  assertOpen(reservation, book.now);
  const excess = excessOf(reservation, command.amount);
  if (excess > 0 && !command.allowExcess) {
    throw new AppError(
      'reservation_exceeded',
      `${command.amount} to commit, ${reservation.amount} held: send allow_excess to use more.`,
      { pointer: '/amount', extensions: { requested: command.amount, held: reservation.amount } },
    );
  }
  const carryOut = (plan: UsePlan | undefined) =>
    commitUsed(book, reservation, command.amount, excess, plan, operationId);
  if (excess === 0) return carryOut(undefined);
  const ask = { subject: reservation.subject, amount: excess };
  // Of a customer that was merged it is used of what moved on.
  return use(book.onward?.book ?? book, ask, atCostsOf(reservation, providers), carryOut);
}

/** Commits `amount`, of which `plan` uses what goes beyond what is held. */
function commitUsed(
  book: Book,
  reservation: Reservation,
  amount: number,
  excess: number,
  plan: UsePlan | undefined,
  operationId: string,
): Ending {
  const used = unitsUsed(reservation, amount - excess);
  assertCountable(reservation, used, plan?.takings ?? []);
  if (plan) assertFewCopies(reservation.metadata, plan.takings.length, '/amount');
  const takings: Taking[] = [];
  for (const [index, { batch }] of reservation.legs.entries()) {
    const units = used[index] ?? 0;
    if (units === 0) continue;
    postCommit(book, batch, units, detailsOf(reservation, batch, operationId, 0));
    takings.push({ batch, amount: units });
  }
  const left = giveBackLegs(book, reservation, used, { operationId });
  if (plan) {
    const { subject, actionType, actionId, metadata, id: reservationId } = reservation;
    const feature = 'feature' in subject ? subject.feature : null;
    const details = { feature, actionType, actionId, metadata };
    if (book.onward) {
      const { onward } = book;
      onward.post(operationId, (id) => consume(onward.book, plan, { ...details, operationId: id }));
    } else consume(book, plan, { ...details, operationId, reservationId });
    takings.push(...plan.takings);
  }
  end(book, reservation, 'committed', book.now, operationId);
  reservation.committedAmount = amount;
  return { reservation, takings, ...left, warnings: plan?.warnings ?? [] };
}

/** Gives everything that is held back. Throws: reservation_expired, reservation_closed. */
export function releaseReservation(book: Book, reservation: Reservation, operationId: string): Ending {
  assertOpen(reservation, book.now);
  const left = giveBackLegs(book, reservation, [], { operationId });
  end(book, reservation, 'released', book.now, operationId);
  return { reservation, takings: [], ...left, warnings: [] };
}

/** Lets an open reservation end by itself, at its end. */
export function lapse(book: Book, reservation: Reservation): void {
  giveBackLegs(book, reservation, [], { operationId: null, occurredAt: reservation.expiresAt });
  end(book, reservation, 'expired', reservation.expiresAt, null);
}

/**
 * Moves the end of an open reservation to a later instant; an earlier one changes nothing.
 * Throws: reservation_expired, reservation_closed, reservation_too_long.
 */
export function extendReservation(book: Book, reservation: Reservation, expiresAt: Date, pointer: string): void {
  assertOpen(reservation, book.now);
  assertEnd(reservation.createdAt, expiresAt, book.now, pointer);
  if (expiresAt.getTime() <= reservation.expiresAt.getTime()) return;
  reservation.expiresAt = expiresAt;
  book.changes.changedReservations.add(reservation);
}

/** The products that could pay when the reservation was made, at the costs of then. */
function atCostsOf({ costs }: Reservation, providers: readonly Provider[]): Provider[] {
  return providers.flatMap((provider): Provider[] => {
    const unitCost = costs[provider.productKey];
    return unitCost === undefined ? [] : [{ ...provider, unitCost }];
  });
}

function costOf({ costs }: Reservation, productKey: string): number {
  const cost = costs[productKey];
  assert(cost !== undefined, 'a reservation knows the costs of its legs');
  return cost;
}

/** Product units of each leg that `amount` units of the subject use: whole units, product by product, in the order of use. */
function unitsUsed(reservation: Reservation, amount: number): number[] {
  const { legs } = reservation;
  const used = legs.map(() => 0);
  let left = amount;
  for (const productKey of new Set(legs.map(({ batch }) => batch.productKey))) {
    const own = [...legs.entries()].filter(([, { batch }]) => batch.productKey === productKey);
    const cost = costOf(reservation, productKey);
    const held = own.reduce((sum, [, leg]) => sum + leg.amount, 0);
    const units = Math.min(left, Math.floor(held / cost));
    left -= units;
    let missing = units * cost;
    for (const [index, leg] of own) {
      used[index] = Math.min(missing, leg.amount);
      missing -= used[index] ?? 0;
    }
  }
  assert(left === 0, 'what is held covers what is used of it');
  return used;
}

function assertCountable({ legs }: Reservation, used: readonly number[], beyond: readonly Taking[]): void {
  for (const [index, { batch }] of legs.entries()) {
    if (batch.granted !== null) continue;
    const more = beyond.find((taking) => taking.batch === batch)?.amount ?? 0;
    if (canAdd(batch.consumed + more, used[index] ?? 0)) continue;
    throw new AppError('quantity_too_large', `The use of one batch can be counted up to ${QUANTITY_MAX}.`, {
      pointer: '/amount',
    });
  }
}

/** Gives back what of each leg was not used. The answer is in the reservation's unit: whole units that are kept, and the others. */
function giveBackLegs(
  book: Book,
  reservation: Reservation,
  used: readonly number[],
  { operationId, occurredAt = book.now }: { operationId: string | null; occurredAt?: Date },
): UnitsBack {
  const byProduct = new Map<string, Returned & { cost: number }>();
  const unitsOf = unitCounter();
  for (const [index, { batch, amount }] of reservation.legs.entries()) {
    const rest = amount - (used[index] ?? 0);
    if (rest === 0) continue;
    const cost = costOf(reservation, batch.productKey);
    const counted = -unitsOf(batch.productKey, rest, cost);
    const details = { ...detailsOf(reservation, batch, operationId, counted), occurredAt };
    const { kept, expired, revoked } = postReturn(book, batch, 'held', rest, details);
    const known = byProduct.get(batch.productKey) ?? { kept: 0, expired: 0, revoked: 0, cost };
    byProduct.set(batch.productKey, {
      cost,
      kept: known.kept + kept,
      expired: known.expired + expired,
      revoked: known.revoked + revoked,
    });
  }
  return inUnits([...byProduct.values()]);
}

/** What came back of each product, in units of the subject: whole ones that are kept, and those that are not whole any more. */
export function inUnits(products: readonly (Returned & { cost: number })[]): UnitsBack {
  const back = { returned: 0, expired: 0, revoked: 0 };
  for (const { kept, expired, revoked, cost } of products) {
    const whole = Math.floor(kept / cost);
    const gone = (kept + expired + revoked) / cost - whole;
    const taken = expired === 0 && revoked > 0 ? gone : Math.floor(revoked / cost);
    back.returned += whole;
    back.revoked += taken;
    back.expired += gone - taken;
  }
  return back;
}

function end(
  book: Book,
  reservation: Reservation,
  status: 'committed' | 'released' | 'expired',
  endedAt: Date,
  endedBy: string | null,
): void {
  Object.assign(reservation, { status, endedAt, endedBy });
  book.changes.changedReservations.add(reservation);
}

/** `counted` is in the reservation's unit; a hold, and what comes back of it, count in the windows of when it was made. */
function detailsOf(
  reservation: Reservation,
  batch: Batch,
  operationId: string | null,
  counted: number,
): PostingDetails {
  const { subject, actionType, actionId, metadata, id } = reservation;
  const isFeature = 'feature' in subject;
  return {
    operationId,
    feature: isFeature ? subject.feature : null,
    unitCost: isFeature ? costOf(reservation, batch.productKey) : null,
    actionType,
    actionId,
    reservationId: id,
    counted: { at: reservation.createdAt, amount: counted },
    // What lapses by itself may be much at once; its metadata is found by the reservation.
    metadata: operationId === null ? null : metadata,
  };
}
