// What the model's customer holds: a plain list of batches, from which unit after unit is taken, and what is owed. Written from the documented
// rules alone; slow on purpose, and shares nothing with src/.
import { type CatalogueOffer, products, type Subject } from './catalogue.js';
import { byUse, costOf, dayKept, dayOf, endOf, isCounted } from './model-rules.js';
import type { BatchParts, LimitTerms, ReservationState, Taking } from './requests.js';

export interface ModelBatch {
  place: number;
  product: string;
  granted: number | null;
  priority: number;
  validFrom: number;
  expiresAt: number | null;
  /** Of access: the day of the month on which it would end if every month had it. */
  day: number;
  madeAt: number;
  /** Units that are neither held nor gone; what is left at the end is expired. */
  left: number;
  held: number;
  used: number;
  /** Revoked by an adjustment. */
  takenAway: number;
  /** Revoked by refunds and disputes. */
  clawedBack: number;
  /** Claimed by refunds and disputes, of which nothing came. */
  unrecovered: number;
  transferred: number;
  /** Of access. */
  revokedAt: number | null;
  /** The batch that goes on in this one. */
  predecessor: number | null;
  /** Of which so many units each were taken by refunds and disputes, oldest first, and did not come back. */
  revokes: number[];
}

/** Everything of customers who may be merged, by place. */
export interface ModelPlaces {
  batches: ModelBatch[];
  reservations: number;
}

/** What was used beyond what was there, or claimed where nothing was. */
export interface ModelDebt {
  product: string;
  /** What is still owed of it. */
  units: number;
  /** The batch of which it was claimed; null for an overdraft. */
  batch: number | null;
  /** What repaid it, first repaid first. */
  repaidBy: Taking[];
}

export interface ModelReservation extends ReservationState {
  subject: Subject;
  madeAt: number;
  /** How many of the takings of its commit are of what was held; the others are an excess. */
  takingsHeld: number;
}

/** Units that were used of a product, or of a feature that was asked for, at an instant; below 0 where they came back. */
interface ModelCount {
  subject: Subject;
  units: number;
  at: number;
}

/** What became of units that came back: they can be used again or repaid something, or are gone again. */
export interface CameBack {
  kept: number;
  expired: number;
  revoked: number;
}

export interface ModelPlan {
  allowed: boolean;
  taken: Taking[];
  remaining: number | null;
}

export class ModelWallet {
  now: number;
  /** His own; those of whom was merged into him stay theirs. */
  batches: ModelBatch[] = [];
  reservations: ModelReservation[] = [];
  /** Oldest first. */
  debts: ModelDebt[] = [];
  /** His own, at most one of each subject. */
  limits: LimitTerms[] = [];
  counts: ModelCount[] = [];
  /** Of whom he leads to, if he was merged. */
  onward: ModelWallet | undefined;
  /** Of those who lead to him. */
  readonly merged: ModelWallet[] = [];
  readonly places: ModelPlaces;

  constructor(now: number, places: ModelPlaces = { batches: [], reservations: 0 }) {
    this.now = now;
    this.places = places;
  }

  /** From now on leads to another: what is there goes on there, and so will what comes back. */
  leadTo(target: ModelWallet): void {
    this.onward = target;
    target.merged.push(this);
    target.counts.push(...this.counts);
    for (const batch of this.batches) this.#moveOn(batch);
  }

  /** Moves what is left of a batch of a customer who was merged, or its access, into one of whom he leads to. */
  #moveOn(batch: ModelBatch): void {
    const { product, granted, left, priority, day, place, expiresAt } = batch;
    if (!this.onward || isOver(batch, this.onward.now) || (granted !== null && left === 0)) return;
    const { now } = this.onward;
    const validity = { validFrom: Math.max(batch.validFrom, now), expiresAt };
    if (granted === null) batch.revokedAt = now;
    batch.left = 0;
    batch.transferred += left;
    this.onward.addBatch(product, left, validity, priority, day, place);
  }

  /** By product; of what was ever owed. */
  get owed(): Record<string, number> {
    const owed: Record<string, number> = {};
    for (const { product, units } of this.debts) owed[product] = (owed[product] ?? 0) + units;
    return owed;
  }

  /** Another wallet that is the same and stays as it is. */
  copy(): ModelWallet {
    const twin = new ModelWallet(this.now);
    twin.restore(this);
    return twin;
  }

  /** Is again what another wallet is. */
  restore({ now, batches, reservations, debts, limits, counts }: ModelWallet): void {
    Object.assign(this, { now }, structuredClone({ batches, reservations, debts, limits, counts }));
    for (const batch of this.batches) this.places.batches[batch.place] = batch;
  }

  /** Lets time go by; what is held lapses at its end. */
  moveTo(instant: number): void {
    for (;;) {
      const due = this.reservations
        .filter(({ status, endsAt }) => status === 'held' && endsAt <= instant)
        .sort((a, b) => a.endsAt - b.endsAt || a.place - b.place)[0];
      if (!due) break;
      this.now = due.endsAt;
      due.status = 'expired';
      due.endedAt = due.endsAt;
      for (const { batch, amount } of due.legs) this.comeBack(batch, amount, 'held', due.madeAt);
      this.countCall(due.subject, -due.amount, due.madeAt);
    }
    this.now = instant;
    for (const other of this.merged) other.moveTo(instant);
  }

  /** Adds what an offer gives so many times, in the order of its items. */
  addOffer(offer: CatalogueOffer, times: number): BatchParts[] {
    const batches: BatchParts[] = [];
    for (const { product, quantity, unit, value, priority, stacking } of offer.items) {
      const length = isCounted(product) ? value : value === null ? null : value * times;
      const lastEnd = this.lastEnd(product);
      const extendsAccess = !isCounted(product) && stacking === 'extend' && lastEnd !== undefined;
      const validFrom = extendsAccess && lastEnd !== Infinity ? lastEnd : this.now;
      const startDay = validFrom === lastEnd ? this.#lastDay(product) : dayOf(validFrom);
      const expiresAt = endOf(validFrom, unit, length, startDay);
      const day = unit === 'months' || unit === 'years' ? startDay : dayOf(expiresAt ?? validFrom);
      batches.push(this.addBatch(product, quantity * times, { validFrom, expiresAt }, priority, day));
    }
    return batches;
  }

  /** The latest end of running and future access; Infinity when it never ends, undefined when there is none. */
  lastEnd(product: string): number | undefined {
    if (this.onward) return this.onward.lastEnd(product);
    let last: number | undefined;
    for (const batch of this.batches) {
      if (batch.product !== product || batch.granted !== null || isOver(batch, this.now)) continue;
      last = Math.max(last ?? 0, batch.expiresAt ?? Infinity);
    }
    return last;
  }

  /** The day that the access keeps which ends last; of several the latest. */
  #lastDay(product: string): number {
    if (this.onward) return this.onward.#lastDay(product);
    const last = this.lastEnd(product);
    const ending = this.batches.filter(
      (batch) =>
        batch.product === product && batch.granted === null && batch.expiresAt === last && !isOver(batch, this.now),
    );
    return Math.max(...ending.map(({ day }) => day));
  }

  /** Adds a batch, which begins and ends as told. */
  addBatch(
    product: string,
    units: number,
    validity: { validFrom: number; expiresAt: number | null },
    priority: number,
    day = dayKept(validity.validFrom, validity.expiresAt ?? validity.validFrom),
    predecessor: number | null = null,
  ): BatchParts {
    const granted = isCounted(product) ? units : null;
    const left = granted ?? 0;
    const place = this.places.batches.length;
    const fresh = { left: 0, held: 0, used: 0, takenAway: 0, clawedBack: 0, unrecovered: 0, transferred: 0 };
    const life = { ...validity, day, madeAt: this.now, revokedAt: null, predecessor, revokes: [] };
    const batch: ModelBatch = { place, product, granted, priority, ...life, ...fresh };
    this.batches.push(batch);
    this.places.batches.push(batch);
    if (isOver(batch, this.now)) batch.left = left;
    else for (let unit = 0; unit < left; unit += 1) this.credit(batch);
    this.#moveOn(batch);
    return this.partsOf(batch);
  }

  /** One more unit for a batch, which repays what is owed rather than stay. */
  credit(batch: ModelBatch): void {
    batch.left += 1;
    this.repayOne(batch);
  }

  /** Repays a unit of the oldest debt of its product, if there is one. */
  repayOne(batch: ModelBatch): void {
    const debt = this.debts.find(({ product, units }) => product === batch.product && units > 0);
    if (!debt) return;
    debt.units -= 1;
    batch.left -= 1;
    batch.used += 1;
    const last = debt.repaidBy.at(-1);
    if (last?.batch === batch.place) last.amount += 1;
    else debt.repaidBy.push({ batch: batch.place, amount: 1 });
  }

  batchAt(place: number): ModelBatch {
    const batch = this.places.batches[place];
    if (!batch) throw new Error(`the model knows no batch ${place}`);
    return batch;
  }

  /** Counts units of a feature that was asked for; those of products count as they are taken and come back. */
  countCall(subject: Subject, units: number, at = this.now): void {
    if ('feature' in subject) (this.onward ?? this).counts.push({ subject, units, at });
  }

  /** Takes what a plan says: as used, as taken away, or to be held. */
  take({ taken }: Pick<ModelPlan, 'taken'>, into: 'used' | 'takenAway' | 'held'): void {
    for (const { batch: place, amount } of taken) {
      const batch = this.batchAt(place);
      if (batch.granted !== null) batch.left -= amount;
      if (batch.granted !== null || into === 'used') batch[into] += amount;
      if (into !== 'takenAway') this.#count(batch.product, amount, this.now);
    }
  }

  #count(product: string, units: number, at: number): void {
    (this.onward ?? this).counts.push({ subject: { product }, units, at });
  }

  /** Owes so much more, of use; says as which debt. */
  owe(product: string, amount: number): number {
    this.debts.push({ product, units: amount, batch: null, repaidBy: [] });
    this.#count(product, amount, this.now);
    return this.debts.length - 1;
  }

  /** Owes a unit less of an overdraft, which was used at an instant. */
  forgive(debt: number, at: number): void {
    const { product } = this.debtAt(debt);
    this.debtAt(debt).units -= 1;
    this.#count(product, -1, at);
  }

  debtAt(place: number): ModelDebt {
    const debt = this.debts[place];
    if (!debt) throw new Error(`the model knows no debt ${place}`);
    return debt;
  }

  /** Uses what was held of a batch. */
  useHeld(place: number, amount: number): void {
    const batch = this.batchAt(place);
    if (batch.granted !== null) batch.held -= amount;
    batch.used += amount;
  }

  /** Gives units back to their batch that were used or held at an instant. Says what became of them. */
  comeBack(place: number, amount: number, from: 'used' | 'held', at: number): CameBack {
    const batch = this.batchAt(place);
    this.#count(batch.product, -amount, at);
    if (batch.granted === null) {
      if (from === 'used') batch.used -= amount;
      return { kept: amount, expired: 0, revoked: 0 };
    }
    return this.land(batch, amount, from);
  }

  /** What a refund or a dispute claims of what comes back is revoked, the rest expires if its batch has ended, or can be used. */
  land(batch: ModelBatch, amount: number, from: 'used' | 'held'): CameBack {
    const came: CameBack = { kept: 0, expired: 0, revoked: 0 };
    batch[from] -= amount;
    const stillOut = batch.used + batch.held + (isOver(batch, this.now) ? batch.left : 0);
    for (let unit = 0; unit < amount; unit += 1) {
      if (!this.#isReclaimed(batch, stillOut)) continue;
      batch.clawedBack += 1;
      came.revoked += 1;
    }
    if (came.revoked > 0) batch.revokes.push(came.revoked);
    for (let unit = came.revoked; unit < amount; unit += 1) {
      if (isOver(batch, this.now)) {
        batch.left += 1;
        came.expired += 1;
      } else {
        this.credit(batch);
        came.kept += 1;
      }
    }
    this.#moveOn(batch);
    return came;
  }

  /** A unit cancels a debt that was made of its batch; otherwise what is still out must cover what is unrecovered. */
  #isReclaimed(batch: ModelBatch, stillOut: number): boolean {
    const debt = this.debts.find((own) => own.batch === batch.place && own.units > 0);
    if (debt) {
      debt.units -= 1;
      return true;
    }
    if (batch.unrecovered <= stillOut) return false;
    batch.unrecovered -= 1;
    return true;
  }

  /** Takes unit after unit, what is not valid yet last, and owes what there is none of. */
  overdraw(product: string, amount: number): { taken: Taking[]; owed: number } {
    const taken: Taking[] = [];
    let missing = amount;
    for (const { place, left } of this.whateverThereIs(product)) {
      const units = Math.min(left, missing);
      if (units > 0) taken.push({ batch: place, amount: units });
      missing -= units;
    }
    this.take({ taken }, 'used');
    if (missing > 0) this.owe(product, missing);
    return { taken, owed: missing };
  }

  /** All batches of a product that have not ended: those that are valid in the order of use, then those that will be. */
  whateverThereIs(product: string): ModelBatch[] {
    const alive = this.batches.filter((batch) => batch.product === product && !isOver(batch, this.now));
    const valid = alive.filter(({ validFrom }) => validFrom <= this.now).sort(byUse);
    const notYet = alive.filter(({ validFrom }) => validFrom > this.now).sort(byUse);
    notYet.sort((a, b) => a.validFrom - b.validFrom);
    return [...valid, ...notYet];
  }

  /** What can pay for so much at an instant: takes unit after unit of a copy: each from the first product in rank that can pay it whole, there from the first batch. */
  plan(subject: Subject, amount: number, at: number): ModelPlan {
    const payers = this.payersOf(subject, at);
    const [first] = payers;
    if (first && !isCounted(first.product)) {
      const taken = [{ batch: first.batches[0]?.place ?? -1, amount: amount * first.cost }];
      return { allowed: true, taken, remaining: null };
    }
    const taken = new Map<number, number>();
    let paid = 0;
    for (;;) {
      const payer = payers.find(({ batches, cost }) => batches.reduce((sum, batch) => sum + batch.left, 0) >= cost);
      if (!payer) break;
      for (let unit = 0; unit < payer.cost; unit += 1) {
        const batch = payer.batches.find(({ left }) => left > 0);
        if (!batch) throw new Error('the model counts wrong');
        batch.left -= 1;
        if (paid < amount) taken.set(batch.place, (taken.get(batch.place) ?? 0) + 1);
      }
      paid += 1;
    }
    if (paid < amount) return { allowed: false, taken: [], remaining: paid };
    return {
      allowed: true,
      taken: [...taken].map(([batch, units]) => ({ batch, amount: units })),
      remaining: paid - amount,
    };
  }

  /** The products that can pay, in rank, each with copies of its usable batches in the order of use. */
  payersOf(subject: Subject, at: number): { product: string; cost: number; batches: ModelBatch[] }[] {
    const payers: { product: string; rank: number; cost: number; batches: ModelBatch[]; first: ModelBatch }[] = [];
    for (const { key, costs } of products) {
      const cost = costOf(key, subject);
      if (cost === undefined) continue;
      const batches = this.batches
        .filter((batch) => batch.product === key && batch.validFrom <= at && !isOver(batch, at))
        .filter((batch) => batch.granted === null || batch.left > 0)
        .map((batch) => ({ ...batch }))
        .sort(byUse);
      const [first] = batches;
      const rank = !isCounted(key) ? 0 : Object.keys(costs).length > 1 ? 2 : 1;
      if (first) payers.push({ product: key, rank, cost, batches, first });
    }
    return payers.sort((a, b) => a.rank - b.rank || byUse(a.first, b.first));
  }

  /** Units that refunds and disputes took of a batch come back, what was taken last first; where it has ended, they can't stay. */
  unrevoke(batch: ModelBatch, units: number): void {
    batch.clawedBack -= units;
    for (let left = units; left > 0; ) {
      const last = batch.revokes.pop();
      if (last === undefined) throw new Error('the model gives back what was never taken');
      const back = Math.min(left, last);
      if (back < last) batch.revokes.push(last - back);
      left -= back;
      if (isOver(batch, this.now)) continue;
      for (let unit = 0; unit < back; unit += 1) this.credit(batch);
      this.#moveOn(batch);
    }
  }

  /** His own batches, and those of whom he leads to. */
  get onwardBatches(): ModelBatch[] {
    return [...this.batches, ...(this.onward?.batches ?? [])].sort((a, b) => a.place - b.place);
  }

  /** Whose batch it is, he or whom he leads to. */
  ownerOf(batch: ModelBatch): ModelWallet {
    return this.onward && !this.batches.includes(batch) ? this.onward : this;
  }

  /** Every batch of his and of those who lead to him with its parts as of now, oldest first. */
  parts(): BatchParts[] {
    const all = [this, ...this.merged].flatMap(({ batches }) => batches);
    return all.sort((a, b) => a.place - b.place).map((batch) => this.partsOf(batch));
  }

  partsOf(batch: ModelBatch): BatchParts {
    const { place, product, granted, priority, validFrom, expiresAt, left, held, used, transferred } = batch;
    const hasEnded = isOver(batch, this.now);
    const [available, expired] = hasEnded ? [0, left] : [left, 0];
    return {
      batch: place,
      product,
      granted,
      priority,
      validFrom,
      expiresAt,
      available,
      held,
      consumed: used,
      expired,
      revoked: batch.takenAway + batch.clawedBack,
      transferred,
      isRevoked: batch.revokedAt !== null,
    };
  }
}

export function isOver(batch: ModelBatch, at: number): boolean {
  return batch.revokedAt !== null || (batch.expiresAt !== null && at >= batch.expiresAt);
}
