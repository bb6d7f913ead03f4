// One customer in memory under the pure functions of the ledger: what db/ loads and writes, without a database. Keeps the whole ledger and
// audits it after each operation. Knows no keys and no refusals of names: those are not the ledger's.
import { expect } from 'vitest';
import { AppError } from '../../src/errors/app-error.js';
import { summariseAccess, summariseFeatures } from '../../src/ledger/access.js';
import {
  type Batch,
  type Book,
  balanceOf,
  type Entry,
  type Holding,
  holdingOf,
  type NewBatch,
} from '../../src/ledger/book.js';
import { availabilityOf, type ConsumePlan, consume, planConsume, revokePlanned } from '../../src/ledger/consume.js';
import { assertGrantable, type FixedValidity, type GrantOrigin, grant, type Term } from '../../src/ledger/grant.js';
import {
  assertOrderable,
  createOrder,
  decideConfirm,
  effectiveStatus,
  type Order,
  type Payment,
} from '../../src/ledger/orders.js';
import { settle } from '../../src/ledger/settle.js';
import { formatMoney } from '../../src/lib/money.js';
import { products, type Subject } from './catalogue.js';
import { isCounted, offerOf, orderableOffers, providersOf, toTerm } from './ledger-catalogue.js';
import { MemoryClaims } from './memory-claims.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  Facts,
  Holdings,
  Observed,
  Request,
  SubjectBalance,
  Taking,
} from './requests.js';
import type { System } from './workload.js';

const MICROS_PER_HUNDREDTH = 10_000n;

interface StoredBalance {
  available: number;
  held: number;
  owed: number;
}

export class MemoryLedger implements System {
  #now = new Date(0);
  #lastId = 0;
  #batches: Batch[] = [];
  readonly #places = new Map<string, number>();
  readonly #balances = new Map<string, StoredBalance>();
  readonly #entries: Entry[] = [];
  readonly #orders: Order[] = [];
  readonly #payments = new Map<string, Payment>();
  readonly #answers = new Map<string, Facts>();
  readonly #claims = new MemoryClaims();
  readonly #ids = {
    next: () => {
      this.#lastId += 1;
      return `id-${String(this.#lastId).padStart(8, '0')}`;
    },
  };

  setClock(now: number): void {
    this.#now = new Date(now);
  }

  async run(request: Request): Promise<Observed> {
    const book = this.#load();
    const before = book.changes.entries.length;
    try {
      const observed = this.#decide(book, request, this.#ids.next());
      this.#write(book);
      return observed;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (book.changes.entries.length !== before) throw new Error('a refusal posted something', { cause: error });
      this.#write(book);
      return { outcome: 'refused', code: error.code };
    }
  }

  async check({ subject, amount }: ConsumeRequest): Promise<CheckFacts> {
    const { isAllowed, takings, remaining } = planConsume(this.#load(), providersOf(subject), amount);
    return { allowed: isAllowed, wouldTake: this.#toTakings({ takings }), remaining };
  }

  #decide(book: Book, request: Request, operationId: string): Observed {
    switch (request.kind) {
      case 'grant units': {
        const validFrom = new Date(Math.max(this.#now.getTime(), request.validFrom ?? 0));
        const fixed = { validFrom, expiresAt: request.expiresAt === null ? null : new Date(request.expiresAt) };
        const { product, quantity, priority } = request;
        const term = { product, quantity, unit: 'forever', value: null, priority, stacking: 'parallel' } as const;
        return this.#grant(book, [toTerm(term)], 1, operationId, fixed);
      }
      case 'grant offer':
        return this.#grant(book, offerOf(request.sku).items.map(toTerm), request.times, operationId);
      case 'take away': {
        const plan = planConsume(book, providersOf({ product: request.product }), request.quantity);
        if (!plan.isAllowed) return { outcome: 'refused', code: 'insufficient_quota' };
        const actionType = 'adjustment';
        revokePlanned(book, plan, { operationId, feature: null, actionType, actionId: null, metadata: {} });
        return { outcome: 'accepted', facts: { taken: this.#toTakings(plan) } };
      }
      case 'trial': {
        const granted = this.#claims.claim(request);
        if (!granted) return { outcome: 'refused', code: 'trial_already_used' };
        if (request.who !== 'customer') return { outcome: 'accepted', facts: { batches: [] } };
        return this.#grant(
          book,
          granted.flatMap(({ items }) => items.map(toTerm)),
          1,
          operationId,
        );
      }
      case 'exchange':
        return this.#exchange(book, request.sku, operationId);
      case 'order':
        return this.#placeOrder(book, request);
      case 'confirm':
        return this.#confirm(book, request, operationId);
      case 'consume': {
        const plan = planConsume(book, providersOf(request.subject), request.amount);
        if (!plan.isAllowed) return { outcome: 'refused', code: 'insufficient_quota' };
        const feature = 'feature' in request.subject ? request.subject.feature : null;
        consume(book, plan, { operationId, feature, actionType: 'usage', actionId: null, metadata: {} });
        return { outcome: 'accepted', facts: { remaining: plan.remaining, taken: this.#toTakings(plan) } };
      }
      default:
        throw new Error(`${request.kind} is not the ledger's`);
    }
  }

  #exchange(book: Book, sku: string, operationId: string): Observed {
    const offer = orderableOffers.get(sku);
    if (!offer) throw new Error(`the catalogue has no ${sku}`);
    const { price, currency } = offerOf(sku);
    assertOrderable(book, offer, '/sku', 'exchange');
    const plan = planConsume(book, providersOf({ product: currency }), price);
    if (!plan.isAllowed) return { outcome: 'refused', code: 'insufficient_quota' };
    consume(book, plan, { operationId, feature: null, actionType: 'exchange', actionId: null, metadata: {} });
    const batches = this.#give(book, offer.terms, 1, operationId);
    const touched = [currency, ...offer.terms.filter(isCounted).map(({ productKey }) => productKey)];
    const balances = Object.fromEntries(touched.map((key) => [key, balanceOf(holdingOf(book, key))]));
    return { outcome: 'accepted', facts: { spent: { [currency]: price }, batches, balances } };
  }

  #grant(book: Book, terms: Term[], times: number, operationId: string, fixed?: FixedValidity): Observed {
    return { outcome: 'accepted', facts: { batches: this.#give(book, terms, times, operationId, fixed) } };
  }

  #give(book: Book, terms: Term[], times: number, operationId: string, fixed?: FixedValidity): BatchParts[] {
    const origin: GrantOrigin = {
      source: 'bonus',
      operationId,
      sku: null,
      orderId: null,
      orderItemId: null,
      actionType: 'bonus',
      metadata: {},
    };
    assertGrantable(
      book,
      terms.map((term) => ({ term, times, pointer: '/quantity' })),
    );
    return terms.map((term) => this.#toParts(grant(book, term, times, origin, fixed)));
  }

  #placeOrder(book: Book, { lines, lifetimeS }: Extract<Request, { kind: 'order' }>): Observed {
    const expiresAt = new Date(this.#now.getTime() + lifetimeS * 1_000);
    const order = createOrder(book, orderableOffers, { lines, metadata: {}, expiresAt });
    this.#orders.push(order);
    return { outcome: 'accepted', facts: { order: this.#orders.length - 1, total: formatMoney(order.totalAmount, 2) } };
  }

  #confirm(book: Book, request: Extract<Request, { kind: 'confirm' }>, operationId: string): Observed {
    const stored = this.#orders[request.order ?? -1];
    if (!stored || request.order === null) return { outcome: 'refused', code: 'order_not_found' };
    const order = { ...stored, status: effectiveStatus(stored, this.#now) };
    const seen = request.payment === null ? null : (this.#payments.get(request.payment) ?? null);
    const decision = decideConfirm(book, order, seen, {
      operationId,
      status: request.status,
      paymentId: request.payment,
      paymentMethod: 'card',
      amount: request.amount === null ? null : BigInt(request.amount) * MICROS_PER_HUNDREDTH,
      currency: null,
    });
    if (decision.outcome === 'replayed') {
      const facts = this.#answers.get(decision.operationId);
      if (!facts) throw new Error('a replayed operation was never answered');
      return { outcome: 'replayed', facts };
    }
    if (decision.payment) {
      const { payment, seen: seenThen } = decision.payment;
      expect(seenThen).toEqual(seen && { status: seen.status, orderId: seen.orderId });
      this.#payments.set(payment.paymentId, payment);
    }
    if (decision.outcome === 'refused') return { outcome: 'refused', code: decision.error.code };
    this.#orders[request.order] = decision.order;
    const granted = decision.outcome === 'paid' ? decision.batches : this.#batchesOf(book, order);
    const batches = granted.map((batch) => this.#toParts(batch));
    const facts = { order: request.order, status: decision.order.status, batches };
    this.#answers.set(operationId, facts);
    return { outcome: 'accepted', facts };
  }

  #batchesOf(book: Book, { id }: Order): Batch[] {
    const granted = this.#batches.filter((batch) => 'orderId' in batch && batch.orderId === id);
    return granted.map((batch) => book.changes.changedBatches.get(batch.id) ?? batch);
  }

  /** The book of this instant, settled, as db/ would load it: of copies, so that only what is written stays. */
  #load(): Book {
    const now = this.#now.getTime();
    const copies = this.#batches.map((batch) => ({ ...batch }));
    const hasEnded = (batch: Batch) => batch.expiresAt !== null && batch.expiresAt.getTime() <= now;
    const holdings = new Map(
      products.map(({ key }): [string, Holding] => {
        const own = copies.filter((batch) => batch.productKey === key).sort(inSqlOrder);
        const counted = own.filter((batch) => batch.granted !== null && batch.available > 0);
        const future = counted.filter((batch) => batch.validFrom.getTime() > now);
        const access = own.filter((batch) => batch.granted === null && !hasEnded(batch));
        const ends = access.map((batch) => batch.expiresAt?.getTime() ?? Infinity);
        const accessUntil = ends.includes(Infinity) ? 'forever' : ends.length > 0 ? new Date(Math.max(...ends)) : null;
        const starts = future.map((batch) => batch.validFrom.getTime());
        return [
          key,
          {
            productKey: key,
            ...(this.#balances.get(key) ?? { available: 0, held: 0, owed: 0 }),
            usable: counted.filter((batch) => batch.validFrom.getTime() <= now && !hasEnded(batch)),
            running: access.filter((batch) => batch.validFrom.getTime() <= now),
            accessUntil,
            overdue: sumAvailable(counted.filter(hasEnded)),
            notYetValid: sumAvailable(future),
            nextValidFrom: starts.length > 0 ? new Date(Math.min(...starts)) : null,
          },
        ];
      }),
    );
    const due = copies
      .filter((batch) => batch.available > 0 && hasEnded(batch))
      .sort((a, b) => Number(a.expiresAt) - Number(b.expiresAt) || (a.id < b.id ? -1 : 1));
    const book: Book = {
      customerId: 'the customer',
      now: new Date(now),
      nextSeq: this.#entries.length + 1,
      holdings,
      due,
      changes: { newBatches: [], changedBatches: new Map(), changedHoldings: new Set(), entries: [] },
      ids: this.#ids,
    };
    settle(book);
    return book;
  }

  #write({ changes }: Book): void {
    this.#batches = this.#batches.map((batch) => changes.changedBatches.get(batch.id) ?? batch);
    for (const batch of changes.newBatches) {
      this.#placeOf(batch);
      this.#batches.push({ ...batch });
    }
    for (const { productKey, available, held, owed } of changes.changedHoldings) {
      this.#balances.set(productKey, { available, held, owed });
    }
    this.#entries.push(...changes.entries);
    this.#audit();
  }

  /** I1, I2, I3 and the instants of expiries, recomputed from the entries. */
  #audit(): void {
    expect(this.#entries.map(({ seq }) => seq)).toEqual(this.#entries.map((_, index) => index + 1));
    for (const batch of this.#batches) {
      const own = this.#entries.filter(({ batchId }) => batchId === batch.id);
      const sum = (kind: string) => own.reduce((total, entry) => total + (entry.kind === kind ? entry.amount : 0), 0);
      const [granted, consumed, expired] = [sum('grant'), sum('consume'), sum('expire')];
      const revoked = sum('revoke');
      const available = batch.granted === null ? 0 : granted - consumed - expired - revoked;
      expect({ granted, consumed, expired, revoked, available }, `the entries of ${batch.id}`).toEqual({
        granted: batch.granted ?? 1,
        consumed: batch.consumed,
        expired: batch.expired,
        revoked: batch.revoked,
        available: batch.available,
      });
      for (const { kind, occurredAt } of own) if (kind === 'expire') expect(occurredAt).toEqual(batch.expiresAt);
    }
    for (const [product, { available, owed }] of this.#balances) {
      const own = this.#batches.filter((batch) => batch.productKey === product);
      const last = this.#entries.findLast((entry) => entry.productKey === product);
      expect([available, available - owed], `the balance of ${product}`).toEqual([
        sumAvailable(own),
        last?.balanceAfter,
      ]);
    }
  }

  async holdings(): Promise<Holdings> {
    const { holdings } = this.#load();
    const counted = [...this.#balances.keys()];
    const current = this.#batches.filter(
      ({ granted, expiresAt }) => granted === null && (expiresAt === null || expiresAt > this.#now),
    );
    const access = summariseAccess(
      current.sort((a, b) => a.validFrom.getTime() - b.validFrom.getTime()),
      this.#now,
    );
    const inWallet = new Set([...counted, ...current.map((batch) => batch.productKey)]);
    const provided = products
      .filter(({ key }) => inWallet.has(key))
      .flatMap(({ key, costs }) =>
        Object.entries(costs).map(([feature, unitCost]) => ({ feature, productKey: key, unitCost })),
      );
    const spendable = new Map(
      [...holdings.values()].map((holding) => [holding.productKey, holding.available - holding.notYetValid]),
    );
    return {
      balances: Object.fromEntries(counted.map((key) => [key, holdings.get(key)?.available ?? 0])),
      access: Object.fromEntries([...access].map(([key, { until }]) => [key, { until: until?.getTime() ?? null }])),
      features: Object.fromEntries(summariseFeatures(provided, spendable, access)),
    };
  }

  async balanceOf(subject: Subject): Promise<SubjectBalance> {
    const { available } = availabilityOf(this.#load(), providersOf(subject));
    return { canUse: available === null || available > 0, remaining: available };
  }

  async parts(): Promise<BatchParts[]> {
    const { changes } = this.#load();
    return this.#batches.map((batch) => this.#toParts(changes.changedBatches.get(batch.id) ?? batch));
  }

  async statusOf(place: number): Promise<string> {
    const order = this.#orders[place];
    return order ? effectiveStatus(order, this.#now) : 'unknown';
  }

  #placeOf({ id }: { id: string }): number {
    const place = this.#places.get(id) ?? this.#places.size;
    this.#places.set(id, place);
    return place;
  }

  #toTakings({ takings }: Pick<ConsumePlan, 'takings'>): Taking[] {
    return takings.map(({ batch, amount }) => ({ batch: this.#placeOf(batch), amount }));
  }

  #toParts(batch: Batch | NewBatch): BatchParts {
    const { productKey, granted, priority, validFrom, expiresAt, available, consumed, expired, revoked } = batch;
    return {
      batch: this.#placeOf(batch),
      product: productKey,
      granted,
      priority,
      validFrom: validFrom.getTime(),
      expiresAt: expiresAt?.getTime() ?? null,
      available,
      consumed,
      expired,
      revoked,
    };
  }
}

function sumAvailable(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.available, 0);
}

/** What ORDER BY priority, expires_at (nulls last), created_at, id does. */
function inSqlOrder(a: Batch, b: Batch): number {
  const columns = (batch: Batch) => [batch.priority, Number(batch.expiresAt ?? Infinity), Number(batch.createdAt)];
  const [left, right] = [columns(a), columns(b)];
  for (const [index, value] of left.entries()) if (value !== right[index]) return value < Number(right[index]) ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
