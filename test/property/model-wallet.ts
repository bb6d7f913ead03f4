// What the model's customer holds: a plain list of batches, from which unit after unit is taken. Written from the documented rules alone; slow
// on purpose, and shares nothing with src/.
import { type CatalogueOffer, products, type Subject } from './catalogue.js';
import { byUse, costOf, endOf, isCounted, isKnown } from './model-rules.js';
import type { BatchParts, CheckFacts, ConsumeRequest, Holdings, SubjectBalance, Taking } from './requests.js';

const INSTANTS_LOOKED_AT = 10;

interface ModelBatch {
  place: number;
  product: string;
  granted: number | null;
  priority: number;
  validFrom: number;
  expiresAt: number | null;
  madeAt: number;
  left: number;
  used: number;
  takenAway: number;
}

export interface ModelPlan {
  allowed: boolean;
  taken: Taking[];
  remaining: number | null;
}

export class ModelWallet {
  now: number;
  readonly batches: ModelBatch[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** Adds what an offer gives so many times, in the order of its items. */
  addOffer(offer: CatalogueOffer, times: number): BatchParts[] {
    const batches: BatchParts[] = [];
    for (const { product, quantity, unit, value, priority, stacking } of offer.items) {
      const length = isCounted(product) ? value : value === null ? null : value * times;
      const lastEnd = this.lastEnd(product);
      const extendsAccess = !isCounted(product) && stacking === 'extend' && lastEnd !== undefined;
      const validFrom = extendsAccess && lastEnd !== Infinity ? lastEnd : this.now;
      const validity = { validFrom, expiresAt: endOf(validFrom, unit, length) };
      batches.push(this.addBatch(product, quantity * times, validity, priority));
    }
    return batches;
  }

  /** The latest end of running and future access; Infinity when it never ends, undefined when there is none. */
  lastEnd(product: string): number | undefined {
    let last: number | undefined;
    for (const batch of this.batches) {
      if (batch.product !== product || batch.granted !== null || isOver(batch, this.now)) continue;
      last = Math.max(last ?? 0, batch.expiresAt ?? Infinity);
    }
    return last;
  }

  /** Adds a batch, which begins and ends as told. */
  addBatch(
    product: string,
    units: number,
    validity: { validFrom: number; expiresAt: number | null },
    priority: number,
  ): BatchParts {
    const granted = isCounted(product) ? units : null;
    const left = granted ?? 0;
    const place = this.batches.length;
    const batch = { place, product, granted, priority, ...validity, madeAt: this.now, left, used: 0, takenAway: 0 };
    this.batches.push(batch);
    return this.#partsOf(batch);
  }

  /** Takes what a plan says, as used or as taken away. */
  take(plan: ModelPlan, into: 'used' | 'takenAway'): void {
    for (const { batch: place, amount } of plan.taken) {
      for (const batch of this.batches) {
        if (batch.place !== place) continue;
        batch[into] += amount;
        if (batch.granted !== null) batch.left -= amount;
      }
    }
  }

  /** What a dry run must say now. */
  check({ subject, amount }: ConsumeRequest): CheckFacts | { code: string } {
    if (!isKnown(subject)) return { code: 'feature' in subject ? 'feature_not_found' : 'product_not_found' };
    const { allowed, taken, remaining } = this.plan(subject, amount, this.now);
    if (allowed) return { allowed, wouldTake: taken, remaining, allowedAt: this.now };
    const starts = new Set<number>();
    for (const batch of this.batches) {
      const isOpen = batch.granted === null || batch.left > 0;
      if (isOpen && costOf(batch.product, subject) !== undefined && batch.validFrom > this.now)
        starts.add(batch.validFrom);
    }
    const soonest = [...starts].sort((a, b) => a - b).slice(0, INSTANTS_LOOKED_AT);
    const allowedAt = soonest.find((start) => this.plan(subject, amount, start).allowed) ?? null;
    return { allowed, wouldTake: [], remaining, allowedAt };
  }

  /** What can pay for so much at an instant: takes unit after unit of a copy: each from the first product in rank that can pay it whole, there from the first batch. */
  plan(subject: Subject, amount: number, at: number): ModelPlan {
    const payers = this.#payersOf(subject, at);
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
  #payersOf(subject: Subject, at: number): { product: string; cost: number; batches: ModelBatch[] }[] {
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

  /** What the wallet must show now. */
  holdings(): Holdings {
    const holdings: Holdings = { balances: {}, access: {}, features: {} };
    for (const batch of this.batches) {
      const { product } = batch;
      if (batch.granted !== null) {
        holdings.balances[product] = (holdings.balances[product] ?? 0) + this.#partsOf(batch).available;
      } else {
        const until = this.#accessUntil(product);
        if (until !== undefined) holdings.access[product] = { until };
        if (isOver(batch, this.now)) continue;
      }
      for (const feature of Object.keys(products.find(({ key }) => key === product)?.costs ?? {})) {
        const { canUse, remaining } = this.balanceOf({ feature });
        holdings.features[feature] = { canUse, remaining };
      }
    }
    return holdings;
  }

  /** Until when access lasts without a gap; null when for ever, undefined when there is none now. */
  #accessUntil(product: string): number | null | undefined {
    let until: number | undefined;
    for (;;) {
      const at = until ?? this.now;
      const next = this.batches.find(
        (batch) => batch.product === product && batch.granted === null && batch.validFrom <= at && !isOver(batch, at),
      );
      if (!next) return until;
      if (next.expiresAt === null) return null;
      until = next.expiresAt;
    }
  }

  /** What a subject comes to now; the end is that of the units used next. */
  balanceOf(subject: Subject): SubjectBalance {
    const { remaining } = this.plan(subject, Infinity, this.now);
    for (const { product, cost, batches } of this.#payersOf(subject, this.now)) {
      if (remaining === null) return { canUse: true, remaining, expiresAt: this.#accessUntil(product) ?? null };
      const left = batches.reduce((sum, batch) => sum + batch.left, 0);
      if (left >= cost) return { canUse: true, remaining, expiresAt: batches[0]?.expiresAt ?? null };
    }
    return { canUse: false, remaining: 0, expiresAt: null };
  }

  /** Every batch with its parts as of now, oldest first. */
  parts(): BatchParts[] {
    return this.batches.map((batch) => this.#partsOf(batch));
  }

  #partsOf(batch: ModelBatch): BatchParts {
    const { place, product, granted, priority, validFrom, expiresAt, left, used, takenAway } = batch;
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
      consumed: used,
      expired,
      revoked: takenAway,
    };
  }
}

function isOver(batch: ModelBatch, at: number): boolean {
  return batch.expiresAt !== null && at >= batch.expiresAt;
}
