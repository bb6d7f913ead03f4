// The units of the customer of a random workload of subscriptions: plain lists, from which unit after unit is taken. Written from the documented rules alone; shares
// nothing with src/.
import { isCounted } from './model-rules.js';

export interface PlanBatch {
  product: string;
  /** The order that paid it, by its place. */
  order: number | null;
  /** The subscription that allocated it, by its place. */
  subscription: number | null;
  /** What goes over into another period. */
  isSuccessor: boolean;
  /** The plan that allocated it. */
  sku: string | null;
  /** The period of which nobody paid that it was allocated in, which may have been skipped. */
  freePeriod: ModelPeriod | null;
  madeAt: number;
  validFrom: number;
  expiresAt: number | null;
  granted: number | null;
  /** Units that are neither held nor gone; what is left at the end is expired. */
  left: number;
  held: number;
  used: number;
  revoked: number;
  moved: number;
  isRevoked: boolean;
  /** The first of those in which it goes on, of one that goes on. */
  root: PlanBatch | null;
  /** What refunds and disputes claim of it: of what is revoked, and what was not there. */
  recovered: number;
  unrecovered: number;
}

/** Units that may go over: what is claimed beyond what is out otherwise stays. */
export function movable({ left, used, held, revoked, recovered, unrecovered }: PlanBatch): number {
  return Math.max(0, left - Math.max(0, unrecovered - used - held - (revoked - recovered)));
}

export interface ModelPeriod {
  subscription: number;
  group: string;
  sku: string;
  kind: 'trial' | 'free' | 'paid';
  startsAt: number;
  endsAt: number;
  granted: Record<string, number>;
  order: number | null;
  /** Its payment went back. */
  isEnded: boolean;
}

interface ModelHold {
  legs: { batch: PlanBatch; amount: number }[];
  endsAt: number;
  isOpen: boolean;
}

/** Says which of two batches comes first that nothing distinguishes, as ids do. */
export type Ties = (batch: PlanBatch) => string;

type NewPlanBatch = Pick<PlanBatch, 'product' | 'validFrom' | 'expiresAt'> & Partial<PlanBatch>;

export class PlanUnits {
  now: number;
  readonly batches: PlanBatch[] = [];
  readonly holds: ModelHold[] = [];
  readonly owed: Record<string, number> = {};
  ties: Ties = () => '';
  /** What becomes of units that a hold leaves in a batch that is over. */
  freed: (batch: PlanBatch, units: number) => void = () => {};

  constructor(now: number) {
    this.now = now;
  }

  add(fresh: NewPlanBatch & { quantity: number }): PlanBatch {
    const { quantity, ...about } = fresh;
    const batch: PlanBatch = {
      ...{ order: null, subscription: null, isSuccessor: false, sku: null, freePeriod: null, madeAt: this.now },
      ...{ granted: isCounted(about.product) ? quantity : null, left: 0, held: 0, used: 0, revoked: 0, moved: 0 },
      ...{ isRevoked: false, root: null, recovered: 0, unrecovered: 0 },
      ...about,
    };
    this.batches.push(batch);
    if (batch.granted !== null) for (let unit = 0; unit < quantity; unit += 1) this.#land(batch);
    return batch;
  }

  /** A unit comes to a batch. It repays what is owed, unless the batch is over. */
  #land(batch: PlanBatch): void {
    const owed = this.owed[batch.product] ?? 0;
    if (owed > 0 && !this.isOver(batch)) {
      this.owed[batch.product] = owed - 1;
      batch.used += 1;
    } else batch.left += 1;
  }

  isOver({ isRevoked, expiresAt }: PlanBatch): boolean {
    return isRevoked || (expiresAt !== null && expiresAt <= this.now);
  }

  /** Batches of a product that are not over, in the order of use: those that will be valid come last. */
  #alive(product: string): PlanBatch[] {
    const ofOneInstant = (a: PlanBatch, b: PlanBatch) =>
      end(a) - end(b) || a.madeAt - b.madeAt || (this.ties(a) < this.ties(b) ? -1 : 1);
    const alive = this.batches.filter((batch) => batch.product === product && !this.isOver(batch)).sort(ofOneInstant);
    const isValid = ({ validFrom }: PlanBatch) => validFrom <= this.now;
    const later = alive.filter((batch) => !isValid(batch)).sort((a, b) => a.validFrom - b.validFrom);
    return [...alive.filter(isValid), ...later];
  }

  /** Units that can be used now. */
  available(product: string): number {
    return this.#usable(product).reduce((sum, { left }) => sum + left, 0);
  }

  #usable(product: string): PlanBatch[] {
    return this.#alive(product).filter(({ validFrom }) => validFrom <= this.now);
  }

  /** Takes units out of batches, first come first; answers from where. */
  #take(from: readonly PlanBatch[], amount: number, into: 'used' | 'held'): { batch: PlanBatch; amount: number }[] {
    const legs: { batch: PlanBatch; amount: number }[] = [];
    let missing = amount;
    for (const batch of from) {
      const units = Math.min(batch.left, missing);
      if (units === 0) continue;
      batch.left -= units;
      batch[into] += units;
      missing -= units;
      legs.push({ batch, amount: units });
    }
    return legs;
  }

  consume(product: string, amount: number): boolean {
    if (this.available(product) < amount) return false;
    this.#take(this.#usable(product), amount, 'used');
    return true;
  }

  overdraw(product: string, amount: number): void {
    const taken = this.#take(this.#alive(product), amount, 'used').reduce((sum, leg) => sum + leg.amount, 0);
    this.owed[product] = (this.owed[product] ?? 0) + amount - taken;
  }

  hold(product: string, amount: number, endsAt: number): boolean {
    if (this.available(product) < amount) return false;
    this.holds.push({ legs: this.#take(this.#usable(product), amount, 'held'), endsAt, isOpen: true });
    return true;
  }

  endHold(hold: ModelHold, as: 'commit' | 'release'): void {
    hold.isOpen = false;
    for (const { batch, amount } of hold.legs) {
      batch.held -= amount;
      if (as === 'commit') batch.used += amount;
      else {
        // What is claimed and nothing else covers is taken first.
        const out = batch.used + batch.held + (this.isOver(batch) ? batch.left : 0);
        const claimed = Math.min(amount, Math.max(0, batch.unrecovered - out));
        batch.unrecovered -= claimed;
        batch.recovered += claimed;
        batch.revoked += claimed;
        for (let unit = claimed; unit < amount; unit += 1) this.#land(batch);
        if (this.isOver(batch)) this.freed(batch, amount - claimed);
      }
    }
  }

  /** The hold that lapses first. */
  firstHold(): ModelHold | undefined {
    return this.holds.filter(({ isOpen }) => isOpen).sort((a, b) => a.endsAt - b.endsAt)[0];
  }

  /** So many quarters of what an order gave are claimed in all: taken where it is left, latest end first; else of what is out. */
  claim(order: number, quarters: number): void {
    for (const root of this.batches.filter((one) => one.order === order && !one.isSuccessor && one.granted !== null)) {
      const family = this.batches
        .filter((batch) => batch === root || batch.root === root)
        .sort((a, b) => end(b) - end(a) || (this.ties(a) < this.ties(b) ? -1 : 1));
      let more = Math.floor(((root.granted ?? 0) * quarters) / 4);
      for (const { recovered, unrecovered } of family) more -= recovered + unrecovered;
      for (const batch of family) {
        const taken = this.isOver(batch) ? 0 : Math.min(more, batch.left);
        batch.left -= taken;
        batch.revoked += taken;
        batch.recovered += taken;
        more -= taken;
      }
      for (const batch of family) {
        const { granted, moved, left, recovered, unrecovered } = batch;
        const out = (granted ?? 0) - moved - (this.isOver(batch) ? 0 : left) - recovered - unrecovered;
        const missing = Math.min(more, Math.max(0, out));
        batch.unrecovered += missing;
        more -= missing;
      }
    }
  }

  revoke(batch: PlanBatch): void {
    if (this.isOver(batch)) return;
    batch.revoked += batch.left;
    batch.left = 0;
    if (batch.granted === null) batch.isRevoked = true;
  }
}

function end({ expiresAt }: PlanBatch): number {
  return expiresAt ?? Infinity;
}
