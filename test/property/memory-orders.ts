// What is ordered and paid, and what comes of that, under the pure functions of the ledger: asks them as the services do, and remembers orders by the
// place at which they were made.
import { expect } from 'vitest';
import type { Book } from '../../src/ledger/book.js';
import type { Dispute, Order, Payment, Refund, Reported } from '../../src/ledger/order-entities.js';
import { confirmOrder, createOrder, effectiveStatus } from '../../src/ledger/orders.js';
import { type AfterSaleDecision, disputeOrder, refundOrder } from '../../src/ledger/refunds.js';
import type { Recovery } from '../../src/ledger/sold-entities.js';
import { formatMoney } from '../../src/lib/money.js';
import { orderableOffers } from './ledger-catalogue.js';
import type { MemoryNames } from './memory-names.js';
import type { MemoryStore, Named } from './memory-store.js';
import type { BatchParts, DisputeRequest, Facts, Observed, OrderStanding, RefundRequest, Request } from './requests.js';

const MICROS_PER_HUNDREDTH = 10_000n;
const NOBODYS = 'nobody';

type OrderRequest = Extract<Request, { kind: 'order' | 'confirm' | 'refund' | 'dispute' }>;

export class MemoryOrders {
  readonly #store: MemoryStore;
  readonly #names: MemoryNames;
  readonly #orders: Order[] = [];
  readonly #payments = new Map<string, Payment>();
  #refunds: Refund[] = [];
  #disputes: Dispute[] = [];
  /** By what and how it was told. */
  readonly #answers = new Map<string, Facts>();

  constructor(store: MemoryStore, names: MemoryNames) {
    this.#store = store;
    this.#names = names;
  }

  /** What must be loaded for a request. */
  namedBy(request: Request): Named {
    if (request.kind !== 'refund' && request.kind !== 'dispute') return {};
    return { order: this.#orders[request.order ?? -1]?.id };
  }

  decide(book: Book, request: OrderRequest, operationId: string): Observed {
    if (request.kind === 'order') return this.#place(book, request);
    const stored = this.#orders[request.order ?? -1];
    if (!stored) return { outcome: 'refused', code: 'order_not_found' };
    const order = { ...stored, status: effectiveStatus(stored, book.now) };
    switch (request.kind) {
      case 'confirm':
        return this.#confirm(book, order, request, operationId);
      case 'refund':
        return this.#refund(book, order, request, operationId);
      case 'dispute':
        return this.#dispute(book, order, request, operationId);
    }
  }

  #place(book: Book, { lines, lifetimeS }: Extract<Request, { kind: 'order' }>): Observed {
    const expiresAt = new Date(book.now.getTime() + lifetimeS * 1_000);
    const order = createOrder(book, orderableOffers, new Map(), { lines, metadata: {}, expiresAt });
    this.#orders.push(order);
    return { outcome: 'accepted', facts: { order: this.#orders.length - 1, total: formatMoney(order.totalAmount, 2) } };
  }

  #confirm(book: Book, order: Order, request: Extract<Request, { kind: 'confirm' }>, operationId: string): Observed {
    const seen = request.payment === null ? null : (this.#payments.get(request.payment) ?? null);
    const decision = confirmOrder(book, order, seen, {
      operationId,
      status: request.status,
      paymentId: request.payment,
      paymentMethod: 'card',
      amount: toMicros(request.amount),
      currency: null,
    });
    if (decision.outcome === 'replayed') return this.#replay('payment', decision.recordedAs);
    for (const { payment, seen: seenThen } of book.changes.payments) {
      expect(seenThen).toEqual(seen && { status: seen.status, orderId: seen.orderId });
      this.#payments.set(payment.paymentId, payment);
    }
    if (decision.outcome === 'refused') return { outcome: 'refused', code: decision.error.code };
    const after = decision.outcome === 'unchanged' ? order : decision.order;
    const place = this.#put(after);
    const batches =
      decision.outcome === 'paid'
        ? decision.batches.map((batch) => this.#names.toParts(batch))
        : this.#batchesOf(book, order);
    const facts = { order: place, status: after.status, batches };
    if ('recordAs' in decision) this.#answers.set(`payment ${decision.recordAs}`, facts);
    return { outcome: 'accepted', facts };
  }

  #refund(book: Book, order: Order, request: RefundRequest, operationId: string): Observed {
    const { id, status, what, dispute, policy } = request;
    const lines = typeof what === 'object' && 'lines' in what ? what.lines : null;
    const decision = refundOrder(
      book,
      order,
      {
        refunds: ofOrder(this.#refunds, order),
        disputes: ofOrder(this.#disputes, order),
        seen: this.#refunds.find(({ refundId }) => refundId === id) ?? null,
      },
      {
        operationId,
        status,
        paymentMethod: null,
        refundId: id,
        disputeId: dispute,
        toldBy: null,
        isToldByProvider: false,
        amount: toMicros(typeof what === 'object' && 'amount' in what ? what.amount : null),
        lines: lines?.map(({ line, quantity }) => ({ id: order.items[line]?.id ?? NOBODYS, quantity })) ?? null,
        reason: null,
        policy,
      },
    );
    this.#refunds = written(this.#refunds, book.changes.refunds);
    return this.#answer(book, 'refund', decision);
  }

  #dispute(book: Book, order: Order, request: DisputeRequest, operationId: string): Observed {
    const { id: disputeId, status, amount, policy } = request;
    const decision = disputeOrder(
      book,
      order,
      {
        refunds: ofOrder(this.#refunds, order),
        disputes: ofOrder(this.#disputes, order),
        seen: this.#disputes.find((known) => known.disputeId === disputeId) ?? null,
      },
      { operationId, status, paymentMethod: null, disputeId, amount: toMicros(amount), policy },
    );
    this.#disputes = written(this.#disputes, book.changes.disputes);
    return this.#answer(book, 'dispute', decision);
  }

  #answer(book: Book, what: string, decision: AfterSaleDecision<Refund | Dispute>): Observed {
    if (decision.outcome === 'replayed') return this.#replay(what, decision.recordedAs);
    const { order, row } = decision;
    const place = this.#put(order);
    const { recovered, unrecovered }: Recovery =
      decision.outcome === 'accepted' ? decision.recovery : { recovered: new Map(), unrecovered: new Map() };
    const items = 'items' in row ? row.items : [];
    const facts = {
      order: place,
      ...this.standingOf(place, book.now),
      batches: this.#batchesOf(book, order),
      told: {
        status: row.status,
        amount: formatMoney(row.amount, 2),
        lines: items.map(({ id, quantity, amount }) => ({
          line: order.items.findIndex((item) => item.id === id),
          quantity,
          amount: amount / MICROS_PER_HUNDREDTH,
        })),
      },
      recovered: Object.fromEntries(recovered),
      unrecovered: Object.fromEntries(unrecovered),
    };
    if (decision.outcome === 'accepted') this.#answers.set(`${what} ${decision.recordAs}`, facts);
    return { outcome: 'accepted', facts };
  }

  #replay(what: string, recordedAs: string): Observed {
    const facts = this.#answers.get(`${what} ${recordedAs}`);
    if (!facts) throw new Error('a replayed operation was never answered');
    return { outcome: 'replayed', facts };
  }

  /** Keeps the order as it is now. Returns its place. */
  #put(order: Order): number {
    const place = this.#orders.findIndex(({ id }) => id === order.id);
    this.#orders[place] = order;
    return place;
  }

  /** What it granted, and what that goes on in, first made first. */
  #batchesOf(book: Book, { id }: Order): BatchParts[] {
    const own = this.#store.batchesIn(book).filter((batch) => batch.orderId === id);
    return own.map((batch) => this.#names.toParts(batch));
  }

  standingOf(place: number, now: Date): OrderStanding {
    const order = this.#orders[place];
    if (!order) return { status: 'unknown', refunded: '0.00', disputed: '0.00' };
    const { refundedAmount, disputedAmount } = order;
    return {
      status: effectiveStatus(order, now),
      refunded: formatMoney(refundedAmount, 2),
      disputed: formatMoney(disputedAmount, 2),
    };
  }
}

function toMicros(hundredths: number | null): bigint | null {
  return hundredths === null ? null : BigInt(hundredths) * MICROS_PER_HUNDREDTH;
}

function ofOrder<T extends { orderId: string }>(told: readonly T[], { id }: Order): T[] {
  return told.filter(({ orderId }) => orderId === id);
}

/** With what is told now, of which some is known. */
function written<T extends { id: string }>(known: readonly T[], reported: readonly Reported<T>[]): T[] {
  const changed = new Map(reported.filter(({ isKnown }) => isKnown).map(({ row }) => [row.id, row]));
  const made = reported.filter(({ isKnown }) => !isKnown).map(({ row }) => row);
  return [...known.map((row) => changed.get(row.id) ?? row), ...made];
}
