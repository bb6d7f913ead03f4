// One customer in memory under the pure functions of the ledger: asks them what the services ask them. Knows no keys and no refusals of names:
// those are not the ledger's.

import { AppError } from '../../src/errors/app-error.js';
import { summariseAccess, summariseFeatures } from '../../src/ledger/access.js';
import { type Book, holdingOf, showStandings, spendable, standingOf } from '../../src/ledger/book.js';
import type { Term } from '../../src/ledger/catalog-entities.js';
import { availabilityOf, consume, planConsume, revokePlanned } from '../../src/ledger/consume.js';
import { assertGrantable, type FixedValidity, type GrantOrigin, grant } from '../../src/ledger/grant.js';
import { assertOrderable } from '../../src/ledger/orders.js';
import { judgeUse, use } from '../../src/ledger/use.js';
import { groupBy } from '../../src/lib/group-by.js';
import { products, type Subject } from './catalogue.js';
import { isCounted, offerOf, orderableOffers, providersOf, toLedgerSubject, toTerm } from './ledger-catalogue.js';
import { sumBatch, sumOwed, validityAt } from './memory-audit.js';
import { MemoryClaims } from './memory-claims.js';
import { limitsAgainst, toOverLimits } from './memory-limits.js';
import { MemoryNames } from './memory-names.js';
import { MemoryOrders } from './memory-orders.js';
import { MemoryStore } from './memory-store.js';
import { MemoryWork } from './memory-work.js';
import type {
  BatchParts,
  CheckFacts,
  ConsumeRequest,
  CreditsState,
  Holdings,
  Observed,
  OrderStanding,
  Past,
  Request,
  ReservationState,
  ReserveRequest,
  SubjectBalance,
} from './requests.js';
import type { System } from './system.js';

export class MemoryLedger implements System {
  #now = new Date(0);
  readonly #store: MemoryStore;
  readonly #names = new MemoryNames();
  readonly #work: MemoryWork;
  readonly #orders: MemoryOrders;
  readonly #claims = new MemoryClaims();

  /** Of what is due `dueMax` batches and holds are settled at once. */
  constructor(dueMax = Infinity) {
    this.#store = new MemoryStore(dueMax);
    this.#work = new MemoryWork(this.#store, this.#names);
    this.#orders = new MemoryOrders(this.#store, this.#names);
  }

  setClock(now: number): void {
    this.#now = new Date(now);
  }

  async run(request: Request): Promise<Observed> {
    const named = { ...this.#work.namedBy(request), ...this.#orders.namedBy(request) };
    const book = this.#store.load(this.#now, named);
    const before = book.changes.entries.length;
    const operationId = this.#store.ids.next();
    try {
      const observed = this.#decide(book, request, operationId);
      this.#write(book);
      if (observed.outcome === 'accepted') this.#work.note(request, operationId, observed.facts);
      return observed;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (book.changes.entries.length !== before) throw new Error('a refusal posted something', { cause: error });
      this.#write(book);
      return { outcome: 'refused', code: error.code, limits: limitsAgainst(error) };
    }
  }

  async check({ subject, amount }: ConsumeRequest | ReserveRequest): Promise<CheckFacts> {
    const [book, providers] = [this.#load(), providersOf(subject)];
    const { plan, limits } = judgeUse(book, { subject: toLedgerSubject(subject), amount }, providers);
    const over = { violations: toOverLimits(limits.violations), warnings: toOverLimits(limits.warnings) };
    if (!plan) return { allowed: false, wouldTake: [], remaining: availabilityOf(book, providers).available, ...over };
    return { allowed: true, wouldTake: this.#names.toTakings(plan.takings), remaining: plan.remaining, ...over };
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
        return { outcome: 'accepted', facts: { taken: this.#names.toTakings(plan.takings) } };
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
      case 'confirm':
      case 'refund':
      case 'dispute':
        return this.#orders.decide(book, request, operationId);
      case 'consume': {
        const { subject, amount } = request;
        const feature = 'feature' in subject ? subject.feature : null;
        return use(book, { subject: toLedgerSubject(subject), amount }, providersOf(subject), (plan): Observed => {
          consume(book, plan, { operationId, feature, actionType: 'usage', actionId: null, metadata: {} });
          const { remaining, warnings } = plan;
          const facts = { remaining, taken: this.#names.toTakings(plan.takings), warnings: toOverLimits(warnings) };
          return { outcome: 'accepted', facts };
        });
      }
      case 'set limit':
      case 'remove limit':
        return this.#store.limits.change(request);
      case 'migrate':
      case 'identify':
      case 'refer':
      case 'consume batch':
        throw new Error(`${request.kind} is not the ledger's`);
      default:
        return this.#work.decide(book, request, operationId);
    }
  }

  #exchange(book: Book, sku: string, operationId: string): Observed {
    const offer = orderableOffers.get(sku);
    if (!offer) throw new Error(`the catalogue has no ${sku}`);
    const { price, currency } = offerOf(sku);
    assertOrderable(book, offer, '/sku', 'exchange');
    const ask = { subject: { productKey: currency }, amount: price };
    const { batches, warnings } = use(book, ask, providersOf({ product: currency }), (plan) => {
      consume(book, plan, { operationId, feature: null, actionType: 'exchange', actionId: null, metadata: {} });
      return { batches: this.#give(book, offer.terms, 1, operationId), warnings: toOverLimits(plan.warnings) };
    });
    const touched = [currency, ...offer.terms.filter(isCounted).map(({ productKey }) => productKey)];
    const balances = Object.fromEntries(showStandings(touched.map((key) => holdingOf(book, key))).balance);
    return { outcome: 'accepted', facts: { spent: { [currency]: price }, batches, balances, warnings } };
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
    return terms.map((term) => this.#names.toParts(grant(book, term, times, origin, fixed)));
  }

  #load(): Book {
    return this.#store.load(this.#now);
  }

  /** Writes, and names what was made by its place. */
  #write(book: Book): void {
    for (const batch of book.changes.newBatches) this.#names.placeOf(batch);
    this.#store.write(book);
  }

  async sweep(): Promise<void> {
    this.#write(this.#load());
  }

  async holdings(): Promise<Holdings> {
    const book = this.#load();
    const counted = [...this.#store.balances.keys()];
    const current = this.#store.batches.filter(
      ({ granted, revokedAt, expiresAt }) =>
        granted === null && revokedAt === null && (expiresAt === null || expiresAt > this.#now),
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
    const spendableNow = new Map(products.map(({ key }) => [key, spendable(holdingOf(book, key))]));
    const held = counted.map((key): [string, number] => [key, holdingOf(book, key).held]);
    const { balance, upcoming } = showStandings(counted.map((key) => holdingOf(book, key)));
    return {
      balances: Object.fromEntries(balance),
      upcoming: Object.fromEntries(upcoming),
      held: Object.fromEntries(held.filter(([, units]) => units > 0)),
      access: Object.fromEntries([...access].map(([key, { until }]) => [key, { until: until?.getTime() ?? null }])),
      features: Object.fromEntries(summariseFeatures(provided, spendableNow, access)),
    };
  }

  async balanceOf(subject: Subject): Promise<SubjectBalance> {
    const { available } = availabilityOf(this.#load(), providersOf(subject));
    return { canUse: available === null || available > 0, remaining: available };
  }

  async creditsOf(product: string): Promise<CreditsState> {
    const holding = holdingOf(this.#load(), product);
    const { held, owed } = holding;
    return { balance: standingOf(holding).balance, available: spendable(holding), held, owed };
  }

  async parts(): Promise<BatchParts[]> {
    return this.#store.batchesAt(this.#now).map((batch) => this.#names.toParts(batch));
  }

  async reservations(): Promise<ReservationState[]> {
    return this.#work.reservationsAt(this.#now);
  }

  async standingOf(place: number): Promise<OrderStanding> {
    return this.#orders.standingOf(place, this.#now);
  }

  /** What the entries say that had occurred by then. */
  async at(instant: number): Promise<Pick<Past, 'parts' | 'owed'>> {
    const all = this.#store.entriesAt(this.#now);
    const entries = all.filter(({ occurredAt }) => occurredAt.getTime() <= instant);
    const later = groupBy(
      all.filter(({ occurredAt }) => occurredAt.getTime() > instant),
      ({ batchId }) => batchId,
    );
    const byBatch = groupBy(entries, ({ batchId }) => batchId);
    const parts = this.#store.batches.flatMap((batch): BatchParts[] => {
      const own = byBatch.get(batch.id);
      if (!own) return [];
      const then = { ...sumBatch(batch, own), ...validityAt(batch, later.get(batch.id) ?? []), granted: batch.granted };
      return [this.#names.toParts({ ...batch, ...then })];
    });
    return { parts, owed: sumOwed(entries) };
  }

  /** It is audited after each write. */
  async audit(): Promise<void> {}
}
