// One customer in memory under the pure functions of subscriptions: asks them what the services ask them, and remembers what they decide. Decides nothing.
import { AppError } from '../../src/errors/app-error.js';
import type { Book } from '../../src/ledger/book.js';
import type { OrderableOffer } from '../../src/ledger/catalog-entities.js';
import { countChanges } from '../../src/ledger/changes.js';
import { consume } from '../../src/ledger/consume.js';
import type { Batch } from '../../src/ledger/entities.js';
import { grant } from '../../src/ledger/grant.js';
import type { Order } from '../../src/ledger/order-entities.js';
import { confirmOrder, createOrder, effectiveStatus } from '../../src/ledger/orders.js';
import { followSale } from '../../src/ledger/plan-refunds.js';
import { disputeOrder, refundOrder } from '../../src/ledger/refunds.js';
import { commitReservation, releaseReservation, reserve } from '../../src/ledger/reservations.js';
import type { KnownPlans, KnownSubscription, Period, Subscription } from '../../src/ledger/subscription-entities.js';
import {
  cancelSubscription,
  changePlan,
  renewSubscription,
  resumeSubscription,
  subscribe,
} from '../../src/ledger/subscriptions.js';
import { use } from '../../src/ledger/use.js';
import { required } from '../../src/lib/assert.js';
import { parseMoney } from '../../src/lib/money.js';
import { providersOf, toTerm } from './ledger-catalogue.js';
import { MemoryStore, type Named } from './memory-store.js';
import type {
  AllocatedBatch,
  PlanAnswer,
  PlanRequest,
  PlanState,
  PlanSystem,
  SubscriptionState,
} from './plan-requests.js';
import { type CataloguePlan, plans } from './subscription-catalogue.js';

const SECOND_MS = 1_000;
const DAY_MS = 24 * 3_600_000;

const offers: ReadonlyMap<string, OrderableOffer> = new Map(plans.map((plan) => [plan.sku, toOffer(plan)]));

function toOffer({ sku, price, every, group, trial, rollover, cap, items, ...more }: CataloguePlan) {
  const { grantEvery, graceDays, graceAccess } = more;
  return {
    ...{ sku, name: sku, price: parseMoney(String(price)), currency: 'USD', isExchangeOnly: false, isActive: true },
    ...{ isTrial: false, trialScope: null, trialEligible: null, maxPerCustomer: null, inactiveProductKeys: [] },
    ...{
      recurrence: every,
      planGroup: group,
      plan: { trial, grantEvery, rollover, rolloverCap: cap, graceDays, graceAccess },
    },
    terms: items.map((item) => toTerm({ ...item, priority: 0, stacking: 'parallel' })),
  };
}

export class MemorySubscriptions implements PlanSystem {
  #now = new Date(0);
  readonly #store = new MemoryStore();
  #subscriptions: Subscription[] = [];
  #periods: Period[] = [];
  #orders: Order[] = [];
  #payments = 0;
  #hadTrial = false;

  constructor() {
    this.#store.plansAt = (now, copyOf) => this.#plansAt(now, copyOf);
  }

  setClock(now: number): void {
    this.#now = new Date(now);
  }

  /** What db/ reads of subscriptions: those that have not ended, periods that are not over, and those that were paid. */
  #plansAt(now: Date, copyOf: (id: string) => Batch): KnownPlans {
    const subscriptions = this.#subscriptions.filter(({ endedAt }) => endedAt === null);
    const ids = subscriptions.map(({ id }) => id);
    const all = this.#periods
      .filter(({ endsAt, orderId, startsAt, subscriptionId: id }) => {
        const isOfPresent = Number(startsAt) >= Number(this.#find(id).periodStartsAt) - SECOND_MS;
        return endsAt > now || (ids.includes(id) && (orderId !== null || isOfPresent));
      })
      .sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime())
      .map((period) => ({ ...period, anchorDay: this.#find(period.subscriptionId).anchorDay }));
    return {
      subscriptions: subscriptions.map((stored) => this.#knownOf({ ...stored }, all, now, copyOf)),
      periods: all,
      running: all.filter(({ endedAt, endsAt, kind }) => endedAt === null && endsAt > now && kind !== 'skipped'),
      paid: all.filter(({ kind }) => kind === 'paid'),
    };
  }

  #knownOf(
    subscription: Subscription,
    periods: readonly Period[],
    now: Date,
    copyOf: (id: string) => Batch,
  ): KnownSubscription {
    const { id, periodStartsAt, turnsAt } = subscription;
    const own = periods.filter(({ subscriptionId }) => subscriptionId === id);
    // A change that is late takes effect at its instant.
    const from = new Date(Math.min(now.getTime(), turnsAt?.getTime() ?? Infinity));
    const allocated = this.#store.batches.filter(
      ({ subscriptionId, expiresAt, granted, available, held }) =>
        subscriptionId === id && (expiresAt === null || expiresAt > from) && (granted === null || available + held > 0),
    );
    const expired = this.#store.batches.filter(
      ({ subscriptionId, expiresAt }) =>
        subscriptionId === id && expiresAt?.getTime() === subscription.periodEndsAt?.getTime(),
    );
    const isHeld = (batch: Batch) => batch.held > 0 && batch.expiresAt !== null && batch.expiresAt <= now;
    const heldOver = this.#store.batches.filter((batch) => batch.subscriptionId === id && isHeld(batch));
    return {
      subscription,
      orders: this.#orders,
      held: heldOver.filter(({ available }) => available === 0).map((batch) => copyOf(batch.id)),
      ended: heldOver.map(({ id: batchId, sku, productKey, expiresAt }) => ({
        ...{ id: batchId, sku },
        goneOn: this.#store.batches
          .filter(({ subscriptionId, predecessorId }) => subscriptionId === id && predecessorId !== null)
          .filter((one) => one.productKey === productKey && one.validFrom.getTime() === expiresAt?.getTime())
          .reduce((sum, { granted }) => sum + (granted ?? 0), 0),
      })),
      ...(subscription.status === 'past_due' && {
        expired: expired
          .filter((batch) => batch.granted !== null)
          .map((batch) => ({ batch: copyOf(batch.id), claimed: this.#store.claimedOf(batch.id) })),
      }),
      ahead: own.filter(
        ({ kind, endedAt, startsAt }) => kind === 'paid' && endedAt === null && startsAt > (periodStartsAt ?? now),
      ),
      lines: new Map(
        own.flatMap(({ orderId, orderItemId, sku }) =>
          orderId && orderItemId ? [[orderId, { id: orderItemId, sku }]] : [],
        ),
      ),
      allocated: allocated.map(
        ({ id: batchId, source, sku, orderItemId, anchorDay, noticeAt, predecessorId, revokedAt }) => ({
          batch: copyOf(batchId),
          ...{ source, sku, orderItemId, anchorDay, noticeAt, predecessorId, revokedAt },
        }),
      ),
    };
  }

  #find(id: string): Subscription {
    return required(
      this.#subscriptions.find((own) => own.id === id),
      `there is a subscription ${id}`,
    );
  }

  /** The book of now, once all turns are written. */
  #load(named: Named = {}): Book {
    while (this.#subscriptions.some(({ turnsAt }) => turnsAt !== null && turnsAt <= this.#now))
      this.#write(this.#store.load(this.#now));
    return this.#store.load(this.#now, named);
  }

  #write(book: Book): void {
    const { changes } = book;
    if (countChanges(changes) === 0) return;
    for (const changed of changes.changedSubscriptions) {
      this.#subscriptions = this.#subscriptions.filter(({ id }) => id !== changed.id);
      this.#subscriptions.push(changed);
    }
    this.#periods.push(...changes.newPeriods);
    this.#orders.push(...changes.newOrders);
    for (const step of changes.orderSteps)
      this.#orders = this.#orders.map((order) => (order.id === step.id ? { ...order, ...step } : order));
    for (const ended of changes.endedPeriods)
      this.#periods = this.#periods.map((period) => (isSamePeriod(period, ended) ? ended : period));
    this.#store.write(book);
  }

  async run(request: PlanRequest, names: { subscription: string; order: string; hold: string }) {
    const named = {
      ...(request.kind === 'end hold' && { reservation: names.hold }),
      ...(request.kind === 'return' && { order: names.order }),
    };
    const book = this.#load(named);
    try {
      const answer = this.#decide(book, request, names, this.#store.ids.next());
      this.#write(book);
      return answer;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#write(this.#load());
      return { outcome: 'refused' as const, code: error.code };
    }
  }

  #decide(
    book: Book,
    request: PlanRequest,
    names: { subscription: string; order: string; hold: string },
    operationId: string,
  ): PlanAnswer<string> {
    switch (request.kind) {
      case 'subscribe': {
        const { sku } = request;
        const current = book.plans.subscriptions.find(({ subscription }) => subscription.plan.sku === sku);
        const order = this.#orderIn(book, current?.subscription.orderId);
        const [offer, hasTrial] = [offers.get(sku), !this.#hadTrial && offers.get(sku)?.plan?.trial != null];
        const more = { offer, hasTrial, places: new Map(), order, metadata: {}, operationId };
        const result = subscribe(book, { sku, ...more });
        if (result.outcome === 'accepted' && result.subscription.status === 'trialing') this.#hadTrial = true;
        return { outcome: result.outcome, order: result.order?.id };
      }
      case 'order': {
        const lines = [{ sku: request.sku, quantity: 1 }];
        const expiresAt = new Date(book.now.getTime() + DAY_MS);
        const { id } = createOrder(book, offers, new Map(), { lines, metadata: {}, expiresAt });
        return { outcome: 'accepted', order: id };
      }
      case 'pay': {
        const order = required(this.#orderIn(book, names.order), 'it was made');
        this.#payments += 1;
        const paymentId = `payment ${this.#payments}`;
        const told = { status: 'paid', paymentId, paymentMethod: 'card', amount: null, currency: null } as const;
        const decision = confirmOrder(book, order, null, { operationId, ...told });
        if (decision.outcome === 'refused') throw decision.error;
        return { outcome: 'accepted' };
      }
      case 'change': {
        const known = this.#knownIn(book, names.subscription);
        const order = this.#orderIn(book, known.subscription.change?.orderId);
        return outcomeOf(changePlan(book, known, { ...request, offer: offers.get(request.sku), order, operationId }));
      }
      case 'cancel': {
        const known = this.#knownIn(book, names.subscription);
        const { orderId, change } = known.subscription;
        const orders = [orderId, change?.orderId].map((id) => this.#orderIn(book, id));
        return outcomeOf(cancelSubscription(book, known, orders, { when: request.when, operationId }));
      }
      case 'resume':
        return outcomeOf(resumeSubscription(book, this.#knownIn(book, names.subscription), operationId));
      case 'renew': {
        const known = this.#knownIn(book, names.subscription);
        const order = this.#orderIn(book, known.subscription.orderId);
        return outcomeOf(renewSubscription(book, known, order, operationId));
      }
      case 'return': {
        const order = required(this.#orderIn(book, names.order), 'it was made');
        giveBackMoney(book, order, request, operationId);
        return { outcome: 'accepted' };
      }
      default:
        return this.#decideUse(book, request, names.hold, operationId);
    }
  }

  #decideUse(
    book: Book,
    request: Extract<PlanRequest, { kind: 'grant' | 'consume' | 'overdraw' | 'reserve' | 'end hold' }>,
    holdId: string,
    operationId: string,
  ): PlanAnswer<string> {
    const details = { operationId, feature: null, actionType: 'usage', actionId: null, metadata: {} };
    switch (request.kind) {
      case 'grant': {
        const { product, quantity, until } = request;
        const term = toTerm({ product, quantity, unit: 'forever', value: null, priority: 0, stacking: 'parallel' });
        const origin = { source: 'bonus', sku: null, orderId: null, orderItemId: null, actionType: 'bonus' } as const;
        const validity = { validFrom: book.now, expiresAt: until === null ? null : new Date(until) };
        grant(book, term, 1, { ...origin, operationId, metadata: {} }, validity);
        return { outcome: 'accepted' };
      }
      case 'consume':
      case 'overdraw': {
        const product = request.kind === 'consume' ? request.product : 'COIN';
        const isOverdraft = request.kind === 'overdraw';
        const ask = { subject: { productKey: product }, amount: request.amount, isOverdraft };
        use(book, ask, providersOf({ product }), (plan) => consume(book, plan, details));
        return { outcome: 'accepted' };
      }
      case 'reserve': {
        const { product, amount, seconds } = request;
        const expiresAt = new Date(book.now.getTime() + seconds * 1_000);
        const terms = { amount, actionType: 'usage', actionId: null, metadata: {}, expiresAt };
        const made = reserve(
          book,
          providersOf({ product }),
          { ...terms, subject: { productKey: product } },
          operationId,
        );
        return { outcome: 'accepted', hold: made.reservation.id };
      }
      case 'end hold': {
        const reservation = required(book.reservations.get(holdId), 'it was made');
        const { amount } = reservation;
        if (request.as === 'release') releaseReservation(book, reservation, operationId);
        else commitReservation(book, reservation, { amount, allowExcess: false }, [], operationId);
        return { outcome: 'accepted' };
      }
    }
  }

  #knownIn(book: Book, id: string): KnownSubscription {
    const known = book.plans.subscriptions.find(({ subscription }) => subscription.id === id);
    return known ?? { subscription: { ...this.#find(id) }, ahead: [], lines: new Map(), allocated: [] };
  }

  #orderIn(book: Book, id: string | null | undefined): Order | null {
    const order = this.#orders.find((known) => known.id === id);
    return order ? { ...order, status: effectiveStatus(order, book.now) } : null;
  }

  async state(): Promise<PlanState> {
    this.#write(this.#load());
    const { batches, balances } = this.#store;
    const made = [...this.#subscriptions].sort((a, b) => (a.id < b.id ? -1 : 1));
    return {
      subscriptions: made.map((own) => this.#toState(own)),
      batches: batches.map(
        (batch): AllocatedBatch => ({
          ...batch,
          product: batch.productKey,
          order: batch.orderId,
          subscription: batch.subscriptionId,
          isSuccessor: batch.predecessorId !== null,
          madeAt: batch.createdAt.getTime(),
          validFrom: batch.validFrom.getTime(),
          expiresAt: batch.expiresAt?.getTime() ?? null,
          isRevoked: batch.revokedAt !== null,
        }),
      ),
      owed: Object.fromEntries([...balances].flatMap(([key, { owed }]) => (owed > 0 ? [[key, owed]] : []))),
    };
  }

  #toState({ id, plan, status, change, orderId, ...own }: Subscription): SubscriptionState {
    return {
      id,
      sku: plan.sku,
      status,
      startsAt: own.periodStartsAt?.getTime() ?? null,
      endsAt: own.periodEndsAt?.getTime() ?? null,
      cancelsAtEnd: own.cancelsAtEnd,
      change: change && { sku: change.plan.sku, oldUnits: change.oldUnits, isOrdered: change.orderId !== null },
      order:
        this.#orders.find((order) => order.id === orderId && effectiveStatus(order, this.#now) === 'pending')?.id ??
        null,
      endedAt: own.endedAt?.getTime() ?? null,
      periods: this.#periods
        .filter(({ subscriptionId }) => subscriptionId === id)
        .map(({ sku, kind, startsAt, endsAt, count, granted, endedAt }) => ({
          ...{ sku, kind, startsAt: startsAt.getTime(), endsAt: endsAt.getTime(), count, granted },
          isEnded: endedAt !== null,
        })),
    };
  }

  /** Its ledger is audited after each write. */
  async audit(): Promise<void> {}
}

/** Refunds an order, or hears that its dispute is lost; what it paid follows. */
function giveBackMoney(
  book: Book,
  order: Order,
  { as, amount }: Extract<PlanRequest, { kind: 'return' }>,
  operationId: string,
): void {
  const before = { refunds: [], disputes: [], seen: null };
  const refunded = amount === null ? null : parseMoney(amount);
  const told = { operationId, paymentMethod: null, amount: refunded, policy: 'ignore' } as const;
  if (as === 'refund') {
    const ids = { refundId: operationId, disputeId: null, toldBy: null, isToldByProvider: false };
    const command = { ...told, ...ids, status: 'succeeded', lines: null, reason: null } as const;
    const decision = refundOrder(book, order, before, command);
    if (decision.outcome === 'accepted') followSale(book, decision.order, [], operationId);
    return;
  }
  const decision = disputeOrder(book, order, before, { ...told, status: 'lost', disputeId: operationId });
  if (decision.outcome === 'accepted') followSale(book, decision.order, [decision.row], operationId);
}

function isSamePeriod(a: Period, b: Period): boolean {
  return a.subscriptionId === b.subscriptionId && a.sku === b.sku && a.startsAt.getTime() === b.startsAt.getTime();
}

function outcomeOf({ outcome, order }: { outcome: 'accepted' | 'unchanged'; order: Order | null }): PlanAnswer<string> {
  return { outcome, order: order?.id };
}
