// What the model's customer holds for work in progress, and how that ends. Written from the documented rules alone, like the rest of the model:
// uses unit after unit. Lapses are the wallet's, because time brings them.
import { judgeLimits, refuseUse } from './model-limits.js';
import { balanceOf, stateOf } from './model-readers.js';
import { costOf, inWholeUnits, isKnown, refuse } from './model-rules.js';
import type { CameBack, ModelReservation, ModelWallet } from './model-wallet.js';
import type { EndingFacts, Expected, Request, ReserveRequest, Taking } from './requests.js';

const DEFAULT_LIFETIME_MS = 15 * 60_000;
const LIFETIME_MAX_MS = 7 * 24 * 3_600_000;

export class ModelReservations {
  readonly #wallet: ModelWallet;
  /** What the endings were answered, by reservation. */
  readonly #endings = new Map<number, EndingFacts>();

  constructor(wallet: ModelWallet) {
    this.#wallet = wallet;
  }

  reserve({ subject, amount, lifetime }: ReserveRequest): Expected {
    const { now, reservations, places } = this.#wallet;
    const codes: string[] = [];
    if (!isKnown(subject)) codes.push('feature' in subject ? 'feature_not_found' : 'product_not_found');
    const endsAt =
      lifetime === null
        ? now + DEFAULT_LIFETIME_MS
        : 'until' in lifetime
          ? lifetime.until
          : now + lifetime.seconds * 1_000;
    if (endsAt <= now) codes.push('invalid_request');
    if (endsAt > now + LIFETIME_MAX_MS) codes.push('reservation_too_long');
    const plan = this.#wallet.plan(subject, amount, now);
    const verdict = judgeLimits(this.#wallet, subject, amount, plan);
    const refusal = refuseUse(this.#wallet, plan, verdict, codes);
    if (refusal) return refusal;
    const { taken, remaining } = plan;
    this.#wallet.take({ taken }, 'held');
    this.#wallet.countCall(subject, amount);
    const reservation: ModelReservation = {
      place: places.reservations,
      subject,
      amount,
      status: 'held',
      committed: 0,
      madeAt: now,
      endsAt,
      endedAt: null,
      legs: taken,
      takingsHeld: 0,
    };
    places.reservations += 1;
    reservations.push(reservation);
    return { outcome: 'accepted', facts: { reservation: stateOf(reservation), remaining, warnings: verdict.warnings } };
  }

  commit({ reservation: place, amount: told, allowExcess }: Extract<Request, { kind: 'commit' }>): Expected {
    const reservation = this.find(place);
    if (!reservation) return refuse('reservation_not_found');
    const amount = told ?? reservation.amount;
    const earlier = this.#endings.get(reservation.place);
    if (earlier && reservation.status === 'committed' && reservation.committed === amount)
      return { outcome: 'replayed', facts: earlier };
    const code = closedCode(reservation);
    if (code !== undefined) return refuse(code);
    const excess = Math.max(0, amount - reservation.amount);
    if (excess > 0 && !allowExcess) return refuse('reservation_exceeded');
    // What is used beyond a hold is used of whom a customer leads to who was merged.
    const payer = this.#wallet.onward ?? this.#wallet;
    const beyond = payer.plan(reservation.subject, excess, payer.now);
    const verdict = judgeLimits(payer, reservation.subject, excess, beyond);
    const refusal = refuseUse(payer, beyond, verdict);
    if (refusal) return refusal;
    const { used, rest } = this.#divide(reservation, amount - excess);
    for (const { batch, amount: units } of used) this.#wallet.useHeld(batch, units);
    const left = this.#giveBack(reservation, rest, amount - excess);
    if (excess > 0) {
      payer.take(beyond, 'used');
      payer.countCall(reservation.subject, excess);
    }
    const taken = excess > 0 ? [...used, ...beyond.taken] : used;
    const how = { status: 'committed', committed: amount, takingsHeld: used.length } as const;
    return this.#end(reservation, how, { taken, ...left, warnings: verdict.warnings });
  }

  release({ reservation: place }: Extract<Request, { kind: 'release' }>): Expected {
    const reservation = this.find(place);
    if (!reservation) return refuse('reservation_not_found');
    const earlier = this.#endings.get(reservation.place);
    if (earlier && reservation.status === 'released') return { outcome: 'replayed', facts: earlier };
    const code = closedCode(reservation);
    if (code !== undefined) return refuse(code);
    const left = this.#giveBack(reservation, reservation.legs, 0);
    const how = { status: 'released', committed: 0, takingsHeld: 0 } as const;
    return this.#end(reservation, how, { taken: [], ...left, warnings: [] });
  }

  extend({ reservation: place, lifetimeS }: Extract<Request, { kind: 'extend' }>): Expected {
    const reservation = this.find(place);
    if (!reservation) return refuse('reservation_not_found');
    const codes: string[] = [];
    const code = closedCode(reservation);
    if (code !== undefined) codes.push(code);
    const endsAt = this.#wallet.now + lifetimeS * 1_000;
    if (endsAt > reservation.madeAt + LIFETIME_MAX_MS) codes.push('reservation_too_long');
    if (codes.length > 0) return refuse(...codes);
    reservation.endsAt = Math.max(reservation.endsAt, endsAt);
    return { outcome: 'accepted', facts: { reservation: stateOf(reservation) } };
  }

  find(place: number | null): ModelReservation | undefined {
    return this.#wallet.reservations.find((reservation) => reservation.place === place);
  }

  /** What so many whole units use of the legs, from the first product that can pay one, and what that leaves. */
  #divide({ subject, legs }: ModelReservation, amount: number): { used: Taking[]; rest: Taking[] } {
    const rest = legs.map((leg) => ({ ...leg }));
    for (let unit = 0; unit < amount; unit += 1) {
      const product = rest
        .map(({ batch }) => this.#wallet.batchAt(batch).product)
        .find((candidate) => {
          const held = rest.filter(({ batch }) => this.#wallet.batchAt(batch).product === candidate);
          return held.reduce((sum, leg) => sum + leg.amount, 0) >= (costOf(candidate, subject) ?? Infinity);
        });
      for (let paid = 0; paid < (costOf(product ?? '', subject) ?? 0); paid += 1) {
        const leg = rest.find(({ batch, amount: left }) => left > 0 && this.#wallet.batchAt(batch).product === product);
        if (!leg) throw new Error('the model holds too little');
        leg.amount -= 1;
      }
    }
    const used = legs.map(({ batch, amount: held }, place) => ({ batch, amount: held - (rest[place]?.amount ?? 0) }));
    return { used: used.filter((leg) => leg.amount > 0), rest };
  }

  #giveBack({ subject, amount, madeAt }: ModelReservation, rest: readonly Taking[], used: number) {
    const came = new Map<string, CameBack & { cost: number }>();
    for (const { batch, amount: units } of rest) {
      const { product } = this.#wallet.batchAt(batch);
      const known = came.get(product) ?? { kept: 0, expired: 0, revoked: 0, cost: costOf(product, subject) ?? 1 };
      const { kept, expired, revoked } = this.#wallet.comeBack(batch, units, 'held', madeAt);
      const sums = { kept: known.kept + kept, expired: known.expired + expired, revoked: known.revoked + revoked };
      came.set(product, { ...sums, cost: known.cost });
    }
    this.#wallet.countCall(subject, used - amount, madeAt);
    return inWholeUnits([...came.values()]);
  }

  #end(
    reservation: ModelReservation,
    how: Pick<ModelReservation, 'status' | 'committed' | 'takingsHeld'>,
    came: Omit<EndingFacts, 'reservation' | 'remaining'>,
  ): Expected {
    Object.assign(reservation, how, { endedAt: this.#wallet.now });
    const { remaining } = balanceOf(this.#wallet.onward ?? this.#wallet, reservation.subject);
    const facts = { reservation: stateOf(reservation), ...came, remaining };
    this.#endings.set(reservation.place, facts);
    return { outcome: 'accepted', facts };
  }
}

function closedCode({ status }: ModelReservation): string | undefined {
  if (status === 'held') return undefined;
  return status === 'expired' ? 'reservation_expired' : 'reservation_closed';
}
