// A naive model of one customer, written from the documented rules alone: plain lists and loops that take one unit at a time. It shares nothing with
// src/, is slow on purpose, and knows no way to be clever; where it and the code disagree, one of them is wrong.
import { type CatalogueOffer, offers, products, type Subject } from './catalogue.js';
import { byUse, costOf, endOf, isCounted, isKnown, isRetired, isTooMuch } from './model-rules.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  Expected,
  Facts,
  Holdings,
  Request,
  SubjectBalance,
  Taking,
} from './requests.js';

/** Money has fourteen digits before the point. */
const TOTAL_MAX = 10n ** 16n - 1n;
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
}

interface ModelOrder {
  place: number;
  lines: { offer: CatalogueOffer; quantity: number }[];
  total: bigint;
  expiresAt: number;
  /** What its payment was answered; undefined while it is not paid. */
  paid: Facts | undefined;
  /** What it granted, by place. */
  batches: number[];
}

interface ModelPayment {
  status: 'failed' | 'unmatched' | 'paid';
  order: number;
  facts: Facts | undefined;
}

const operationOf = (request: Request) => (request.kind.startsWith('grant') ? 'grant' : request.kind);

export class Model {
  now: number;
  readonly batches: ModelBatch[] = [];
  readonly orders: ModelOrder[] = [];
  readonly #payments = new Map<string, ModelPayment>();
  readonly #remembered = new Map<string, { request: string; facts: Facts }>();

  constructor(now: number) {
    this.now = now;
  }

  /** Carries a request out and says what must be answered. */
  run(request: Request): Expected {
    if (request.kind === 'confirm' && request.order === null) return refuse('order_not_found');
    const name = `${operationOf(request)} ${request.key}`;
    const text = JSON.stringify(request);
    const known = request.key === null ? undefined : this.#remembered.get(name);
    if (known?.request === text) return { outcome: 'replayed', facts: known.facts };
    if (known) return refuse('idempotency_key_reused');
    const answer = this.#decide(request);
    if (answer.outcome === 'accepted' && request.key !== null) {
      this.#remembered.set(name, { request: text, facts: answer.facts });
    }
    return answer;
  }

  #decide(request: Request): Expected {
    switch (request.kind) {
      case 'grant units':
        return this.#grantUnits(request);
      case 'grant offer':
        return this.#grantOffer(request.sku, request.times);
      case 'order':
        return this.#placeOrder(request);
      case 'confirm':
        return this.#confirm(request);
      case 'consume':
        return this.#consume(request);
    }
  }

  #grantUnits(request: Extract<Request, { kind: 'grant units' }>): Expected {
    const product = products.find((known) => known.key === request.product);
    if (!product) return refuse('product_not_found');
    if (!product.isActive) return refuse('product_inactive');
    if (product.type !== 'quantity' && request.quantity !== 1) return refuse('invalid_request');
    const validFrom = Math.max(this.now, request.validFrom ?? this.now);
    if (request.expiresAt !== null && request.expiresAt <= validFrom) return refuse('invalid_request');
    const batch = this.#addBatch(
      product.key,
      request.quantity,
      { validFrom, expiresAt: request.expiresAt },
      request.priority,
    );
    return { outcome: 'accepted', facts: { batches: [batch] } };
  }

  #grantOffer(sku: string, times: number): Expected {
    const offer = offers.find((known) => known.sku === sku);
    if (!offer) return refuse('offer_not_found');
    if (!offer.isActive) return refuse('offer_inactive');
    if (offer.items.some((item) => isRetired(item.product))) return refuse('product_inactive');
    if (isTooMuch(offer, times)) return refuse('quantity_too_large');
    return { outcome: 'accepted', facts: { batches: this.#addOffer(offer, times) } };
  }

  #placeOrder({ lines, lifetimeS }: Extract<Request, { kind: 'order' }>): Expected {
    const codes: string[] = [];
    const known: ModelOrder['lines'] = [];
    for (const { sku, quantity } of lines) {
      const offer = offers.find((candidate) => candidate.sku === sku);
      if (!offer) codes.push('offer_not_found');
      else known.push({ offer, quantity });
    }
    let total = 0n;
    for (const { offer, quantity } of known) {
      total += BigInt(offer.price) * BigInt(quantity);
      if (!offer.isActive) codes.push('offer_inactive');
      if (products.some((product) => product.key === offer.currency)) codes.push('offer_exchange_only');
      if (offer.items.some((item) => isRetired(item.product))) codes.push('product_inactive');
      if (known.some((other) => other.offer.currency !== offer.currency)) codes.push('mixed_currencies');
      if (isTooMuch(offer, quantity)) codes.push('quantity_too_large');
      for (const item of offer.items) {
        if (item.stacking === 'extend' && this.#lastEnd(item.product) === Infinity) codes.push('already_unlimited');
      }
    }
    if (total > TOTAL_MAX) codes.push('quantity_too_large');
    if (codes.length > 0) return refuse(...codes);
    const place = this.orders.length;
    this.orders.push({
      place,
      lines: known,
      total,
      expiresAt: this.now + lifetimeS * 1_000,
      paid: undefined,
      batches: [],
    });
    return { outcome: 'accepted', facts: { order: place, total: `${(Number(total) / 100).toFixed(2)}` } };
  }

  #confirm({ order: place, payment, status, amount }: Extract<Request, { kind: 'confirm' }>): Expected {
    const order = this.orders[place ?? -1];
    if (!order) return refuse('order_not_found');
    if (payment === null) return this.#confirmWithoutPayment(order, status);
    const seen = this.#payments.get(payment);
    const hasOtherAmount = amount !== null && BigInt(amount) !== order.total;
    if (seen?.status === 'paid') {
      if (seen.order !== order.place) return refuse('payment_already_used');
      if (status === 'failed') return refuse('order_already_paid');
      if (hasOtherAmount || !seen.facts) return refuse('payment_mismatch');
      return { outcome: 'replayed', facts: seen.facts };
    }
    if (status === 'failed') {
      if (seen?.status === 'unmatched') return refuse('payment_mismatch');
      if (seen?.facts && seen.order === order.place) return { outcome: 'replayed', facts: seen.facts };
      const facts = { order: order.place, status: this.statusOf(order), batches: this.#batchesOf(order) };
      this.#payments.set(payment, { status: 'failed', order: order.place, facts });
      return { outcome: 'accepted', facts };
    }
    const code = this.#refusalOf(order) ?? (hasOtherAmount ? 'payment_mismatch' : undefined);
    if (code !== undefined) {
      this.#payments.set(payment, { status: 'unmatched', order: order.place, facts: undefined });
      return refuse(code);
    }
    const facts = this.#pay(order);
    this.#payments.set(payment, { status: 'paid', order: order.place, facts });
    return { outcome: 'accepted', facts };
  }

  #confirmWithoutPayment(order: ModelOrder, status: 'paid' | 'failed'): Expected {
    if (order.total > 0n || status === 'failed') return refuse('invalid_request');
    if (order.paid) return { outcome: 'replayed', facts: order.paid };
    const code = this.#refusalOf(order);
    return code === undefined ? { outcome: 'accepted', facts: this.#pay(order) } : refuse(code);
  }

  #refusalOf(order: ModelOrder): string | undefined {
    const status = this.statusOf(order);
    if (status === 'paid') return 'order_already_paid';
    return status === 'pending' ? undefined : 'order_not_payable';
  }

  #pay(order: ModelOrder): Facts {
    const batches: BatchParts[] = [];
    for (const { offer, quantity } of order.lines) batches.push(...this.#addOffer(offer, quantity));
    order.batches = batches.map(({ batch }) => batch);
    order.paid = { order: order.place, status: 'paid', batches };
    return order.paid;
  }

  #batchesOf(order: ModelOrder): BatchParts[] {
    return this.parts().filter(({ batch }) => order.batches.includes(batch));
  }

  /** A pending order can be paid before its end, not at it. */
  statusOf(order: ModelOrder): 'pending' | 'paid' | 'expired' {
    if (order.paid) return 'paid';
    return this.now < order.expiresAt ? 'pending' : 'expired';
  }

  #addOffer(offer: CatalogueOffer, times: number): BatchParts[] {
    const batches: BatchParts[] = [];
    for (const { product, quantity, unit, value, priority, stacking } of offer.items) {
      const length = isCounted(product) ? value : value === null ? null : value * times;
      const lastEnd = this.#lastEnd(product);
      const extendsAccess = !isCounted(product) && stacking === 'extend' && lastEnd !== undefined;
      const validFrom = extendsAccess && lastEnd !== Infinity ? lastEnd : this.now;
      const validity = { validFrom, expiresAt: endOf(validFrom, unit, length) };
      batches.push(this.#addBatch(product, quantity * times, validity, priority));
    }
    return batches;
  }

  /** The latest end of running and future access; Infinity when it never ends, undefined when there is none. */
  #lastEnd(product: string): number | undefined {
    let last: number | undefined;
    for (const batch of this.batches) {
      if (batch.product !== product || batch.granted !== null || isOver(batch, this.now)) continue;
      last = Math.max(last ?? 0, batch.expiresAt ?? Infinity);
    }
    return last;
  }

  #addBatch(
    product: string,
    units: number,
    validity: { validFrom: number; expiresAt: number | null },
    priority: number,
  ): BatchParts {
    const granted = isCounted(product) ? units : null;
    const left = granted ?? 0;
    const place = this.batches.length;
    const batch = { place, product, granted, priority, ...validity, madeAt: this.now, left, used: 0 };
    this.batches.push(batch);
    return this.#partsOf(batch);
  }

  #consume({ subject, amount }: ConsumeRequest): Expected {
    if (!isKnown(subject)) return refuse('feature' in subject ? 'feature_not_found' : 'product_not_found');
    const plan = this.#plan(subject, amount, this.now);
    if (!plan.allowed) return refuse('insufficient_quota');
    for (const { batch: place, amount: units } of plan.taken) {
      for (const batch of this.batches) {
        if (batch.place !== place) continue;
        batch.used += units;
        if (batch.granted !== null) batch.left -= units;
      }
    }
    return { outcome: 'accepted', facts: { remaining: plan.remaining, taken: plan.taken } };
  }

  /** What a dry run must say now. */
  check({ subject, amount }: ConsumeRequest): CheckFacts | { code: string } {
    if (!isKnown(subject)) return { code: 'feature' in subject ? 'feature_not_found' : 'product_not_found' };
    const { allowed, taken, remaining } = this.#plan(subject, amount, this.now);
    if (allowed) return { allowed, wouldTake: taken, remaining, allowedAt: this.now };
    const starts = new Set<number>();
    for (const batch of this.batches) {
      const isOpen = batch.granted === null || batch.left > 0;
      if (isOpen && costOf(batch.product, subject) !== undefined && batch.validFrom > this.now)
        starts.add(batch.validFrom);
    }
    const soonest = [...starts].sort((a, b) => a - b).slice(0, INSTANTS_LOOKED_AT);
    const allowedAt = soonest.find((start) => this.#plan(subject, amount, start).allowed) ?? null;
    return { allowed, wouldTake: [], remaining, allowedAt };
  }

  /** Takes unit after unit of a copy: each from the first product in rank that can pay it whole, there from the first batch. */
  #plan(subject: Subject, amount: number, at: number): { allowed: boolean; taken: Taking[]; remaining: number | null } {
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
    const { remaining } = this.#plan(subject, Infinity, this.now);
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
    const { place, product, granted, priority, validFrom, expiresAt, left, used } = batch;
    const hasEnded = isOver(batch, this.now);
    const [available, expired] = hasEnded ? [0, left] : [left, 0];
    return { batch: place, product, granted, priority, validFrom, expiresAt, available, consumed: used, expired };
  }
}

function refuse(...codes: string[]): Expected {
  return { outcome: 'refused', codes };
}

function isOver(batch: ModelBatch, at: number): boolean {
  return batch.expiresAt !== null && at >= batch.expiresAt;
}
