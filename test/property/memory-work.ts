// What is used, held, given back and owed under the pure functions of the ledger: asks them as the services do, and remembers reservations and
// operations by the place at which they were made.

import type { Book } from '../../src/ledger/book.js';
import { holdingOf, standingOf } from '../../src/ledger/book.js';
import { availabilityOf, consume } from '../../src/ledger/consume.js';
import type { Reservation } from '../../src/ledger/entities.js';
import { giveBack } from '../../src/ledger/give-back.js';
import { assertGrantable, grant } from '../../src/ledger/grant.js';
import {
  assertEnd,
  commitReservation,
  type Ending,
  extendReservation,
  releaseReservation,
  reserve,
} from '../../src/ledger/reservations.js';
import { use } from '../../src/ledger/use.js';
import { fromLedgerSubject, providersOf, toLedgerSubject, toTerm } from './ledger-catalogue.js';
import { toOverLimits } from './memory-limits.js';
import type { MemoryNames } from './memory-names.js';
import type { MemoryStore, Named } from './memory-store.js';
import type { Facts, Observed, Request, ReservationState, ReserveRequest } from './requests.js';

const DEFAULT_LIFETIME_MS = 900_000;

type WorkRequest = Extract<
  Request,
  { kind: 'reserve' | 'commit' | 'release' | 'extend' | 'give back' | 'add credits' | 'deduct credits' }
>;
type ReservationRequest = Extract<WorkRequest, { kind: 'commit' | 'release' | 'extend' }>;

/** The names under which operations are recorded whose units can come back. */
const NAMES: Readonly<Partial<Record<Request['kind'], string>>> = {
  consume: 'quota.consume',
  commit: 'reservation.commit',
  'deduct credits': 'credits.deduct',
};
/** Their answers do not name their operation. */
const NAMELESS: readonly Request['kind'][] = ['order', 'confirm', 'refund', 'dispute', 'set limit', 'remove limit'];

export class MemoryWork {
  readonly #store: MemoryStore;
  readonly #names: MemoryNames;
  /** Ids, by place. */
  readonly #reservations: string[] = [];
  readonly #operations: { id: string; name: string }[] = [];
  /** What the endings were answered, by operation. */
  readonly #endings = new Map<string, Facts>();

  constructor(store: MemoryStore, names: MemoryNames) {
    this.#store = store;
    this.#names = names;
  }

  /** What must be loaded for a request. */
  namedBy(request: Request): Named {
    if (request.kind === 'give back') return { operation: this.#operations[request.operation ?? -1] };
    return 'reservation' in request ? { reservation: this.#reservations[request.reservation ?? -1] } : {};
  }

  /** Remembers an accepted operation by its place. */
  note(request: Request, id: string, facts: Facts): void {
    if (NAMELESS.includes(request.kind) || (request.kind === 'trial' && request.who !== 'customer')) return;
    this.#operations.push({ id, name: NAMES[request.kind] ?? request.kind });
    if (request.kind === 'commit' || request.kind === 'release') this.#endings.set(id, facts);
  }

  decide(book: Book, request: WorkRequest, operationId: string): Observed {
    switch (request.kind) {
      case 'reserve':
        return this.#reserve(book, request, operationId);
      case 'commit':
      case 'release':
      case 'extend':
        return this.#change(book, request, operationId);
      case 'give back': {
        const taken = book.taken.get(this.#operations[request.operation ?? -1]?.id ?? '');
        if (!taken) return { outcome: 'refused', code: 'operation_not_found' };
        const back = giveBack(book, taken, request.amount ?? undefined, { operationId, metadata: {} });
        const { available } = availabilityOf(book, providersOf(fromLedgerSubject(back.subject)));
        const { amount, returned, expired, revoked, restored } = back;
        const facts = {
          amount,
          returned,
          expired,
          revoked,
          restored: this.#names.toTakings(restored),
          remaining: available,
        };
        return { outcome: 'accepted', facts };
      }
      case 'add credits': {
        const { product, amount, expiresAt } = request;
        const shape = {
          product,
          quantity: amount,
          unit: 'forever',
          value: null,
          priority: 0,
          stacking: 'parallel',
        } as const;
        const term = toTerm(shape);
        assertGrantable(book, [{ term, times: 1, pointer: '/amount' }]);
        const validity = { validFrom: book.now, expiresAt: expiresAt === null ? null : new Date(expiresAt) };
        const why = {
          source: 'bonus',
          sku: null,
          orderId: null,
          orderItemId: null,
          actionType: 'credits.add',
        } as const;
        const batch = grant(book, term, 1, { ...why, operationId, metadata: {} }, validity);
        const { balance } = standingOf(holdingOf(book, product));
        return { outcome: 'accepted', facts: { batch: this.#names.placeOf(batch), repaid: batch.consumed, balance } };
      }
      case 'deduct credits':
        return this.#deduct(book, request, operationId);
    }
  }

  #deduct(book: Book, request: Extract<Request, { kind: 'deduct credits' }>, operationId: string): Observed {
    const { product, amount, allowNegative } = request;
    const details = { operationId, feature: null, actionType: 'credits.deduct', actionId: null, metadata: {} };
    const ask = { subject: { productKey: product }, amount, isOverdraft: allowNegative };
    return use(book, ask, providersOf({ product }), (plan): Observed => {
      consume(book, plan, details);
      const { balance } = standingOf(holdingOf(book, product));
      const owed = plan.owed?.amount ?? 0;
      const warnings = toOverLimits(plan.warnings);
      return { outcome: 'accepted', facts: { taken: this.#names.toTakings(plan.takings), owed, balance, warnings } };
    });
  }

  #reserve(book: Book, { subject, amount, lifetime }: ReserveRequest, operationId: string): Observed {
    const end =
      lifetime === null
        ? book.now.getTime() + DEFAULT_LIFETIME_MS
        : 'until' in lifetime
          ? lifetime.until
          : book.now.getTime() + lifetime.seconds * 1_000;
    const expiresAt = new Date(end);
    assertEnd(book.now, expiresAt, book.now, '/expires_at');
    const providers = providersOf(subject);
    const asked = toLedgerSubject(subject);
    const terms = { subject: asked, amount, actionType: 'usage', actionId: null, metadata: {}, expiresAt };
    const { reservation, remaining, warnings } = reserve(book, providers, terms, operationId);
    this.#reservations.push(reservation.id);
    const facts = { reservation: this.#toState(reservation), remaining, warnings: toOverLimits(warnings) };
    return { outcome: 'accepted', facts };
  }

  #change(book: Book, request: ReservationRequest, operationId: string): Observed {
    const reservation = book.reservations.get(this.#reservations[request.reservation ?? -1] ?? '');
    if (!reservation) return { outcome: 'refused', code: 'reservation_not_found' };
    const { status, committedAmount } = reservation;
    switch (request.kind) {
      case 'commit': {
        const amount = request.amount ?? reservation.amount;
        if (status === 'committed' && committedAmount === amount) return this.#replay(reservation);
        const { allowExcess } = request;
        const thenProviders = Object.keys(reservation.costs).flatMap((product) => providersOf({ product }));
        const command = { amount, allowExcess };
        return this.#answer(book, commitReservation(book, reservation, command, thenProviders, operationId));
      }
      case 'release':
        if (status === 'released') return this.#replay(reservation);
        return this.#answer(book, releaseReservation(book, reservation, operationId));
      case 'extend': {
        const expiresAt = new Date(book.now.getTime() + request.lifetimeS * 1_000);
        extendReservation(book, reservation, expiresAt, '/ttl_seconds');
        return { outcome: 'accepted', facts: { reservation: this.#toState(reservation) } };
      }
    }
  }

  #replay({ endedBy }: Reservation): Observed {
    const facts = this.#endings.get(endedBy ?? '');
    if (!facts) throw new Error('a replayed ending was never answered');
    return { outcome: 'replayed', facts };
  }

  #answer(book: Book, { reservation, takings, returned, expired, revoked, warnings }: Ending): Observed {
    const { available } = availabilityOf(book, providersOf(fromLedgerSubject(reservation.subject)));
    const taken = this.#names.toTakings(takings);
    const facts = {
      ...{ reservation: this.#toState(reservation), taken, returned, expired, revoked },
      ...{ remaining: available, warnings: toOverLimits(warnings) },
    };
    return { outcome: 'accepted', facts };
  }

  /** Every reservation as of an instant, with what is due settled, first made first. */
  reservationsAt(now: Date): ReservationState[] {
    const { reservations: settled } = this.#store.load(now);
    return this.#store.reservations.map((reservation) => this.#toState(settled.get(reservation.id) ?? reservation));
  }

  #toState({ id, amount, status, committedAmount, expiresAt, endedAt, legs }: Reservation): ReservationState {
    return {
      place: this.#reservations.indexOf(id),
      amount,
      status,
      committed: committedAmount,
      endsAt: expiresAt.getTime(),
      endedAt: endedAt?.getTime() ?? null,
      legs: this.#names.toTakings(legs),
    };
  }
}
