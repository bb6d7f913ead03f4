// What comes of the orders that the model's customer paid: refunds and disputes. Written from the documented rules alone, like the rest of the model.
import {
  type ModelCause,
  ModelClaims,
  type ModelLineLeft,
  type ModelRecovery,
  type ModelShare,
} from './model-claims.js';
import type { ModelOrder, ModelOrders } from './model-orders.js';
import { refuse } from './model-rules.js';
import type { ModelWallet } from './model-wallet.js';
import type { AfterSaleFacts, Expected, Facts, OrderStanding, Request, ToldLine } from './requests.js';

type RefundRequest = Extract<Request, { kind: 'refund' }>;
type DisputeRequest = Extract<Request, { kind: 'dispute' }>;
/** What was so already is not remembered under a key. */
type Unchanged = { outcome: 'unchanged'; facts: Facts };

const NOTHING: ModelRecovery = { recovered: {}, unrecovered: {} };

export interface ModelRefund extends ModelCause {
  order: number;
  /** Null where the provider told none. */
  id: string | null;
  dispute: string | null;
  lines: ToldLine[];
  /** Answers by status. */
  told: Map<string, Facts>;
}

export interface ModelDispute extends ModelCause {
  order: number;
  id: string;
  status: 'opened' | 'won' | 'lost';
  amount: bigint;
  told: Map<string, Facts>;
}

export class ModelAfterSale {
  readonly refunds: ModelRefund[] = [];
  readonly disputes: ModelDispute[] = [];
  readonly #orders: ModelOrders;
  readonly #claims: ModelClaims;

  constructor(wallet: ModelWallet, orders: ModelOrders) {
    this.#orders = orders;
    this.#claims = new ModelClaims(wallet);
  }

  refund(request: RefundRequest): Expected | Unchanged {
    const order = this.#orders.list[request.order ?? -1];
    if (!order) return refuse('order_not_found');
    if (!order.paid) return refuse('order_not_paid');
    const seen = request.id === null ? undefined : this.refunds.find(({ id }) => id === request.id);
    if (seen) return this.#refundAgain(order, seen, request);
    const { dispute, policy } = request;
    const hasFailed = request.status === 'failed';
    if (dispute !== null && !this.disputes.some(({ id, order: of }) => id === dispute && of === order.place)) {
      return refuse('dispute_not_found');
    }
    const lines = hasFailed ? [] : this.#linesRefunded(order, request);
    if (typeof lines === 'string') return refuse(lines);
    const refund: ModelRefund = {
      ...{ order: order.place, id: request.id, dispute, lines, policy, isEnded: hasFailed, told: new Map() },
    };
    this.refunds.push(refund);
    const isByLines = typeof request.what !== 'object' || 'lines' in request.what;
    const recovery = hasFailed ? NOTHING : this.#apply(order, refund, isByLines ? lines : []);
    return this.#tell(refund, request.status, this.#refundFacts(order, refund, recovery));
  }

  #refundAgain(order: ModelOrder, seen: ModelRefund, { status, what }: RefundRequest): Expected | Unchanged {
    const isOther = typeof what === 'object' && 'amount' in what && BigInt(what.amount) !== sumOf(seen.lines);
    if (seen.order !== order.place || (isOther && !seen.isEnded)) return refuse('refund_mismatch');
    const told = seen.told.get(status);
    if (told && (status === 'failed') === seen.isEnded) return { outcome: 'replayed', facts: told };
    if (seen.isEnded) return { outcome: 'unchanged', facts: this.#refundFacts(order, seen, NOTHING) };
    seen.isEnded = true;
    const within = this.disputes.find(({ id }) => id === seen.dispute);
    // What is contested again of other lines is claimed by the undoing itself.
    const recovery = this.#apply(order, { policy: within?.policy ?? 'ignore', isEnded: true });
    return this.#tell(seen, status, this.#refundFacts(order, seen, recovery));
  }

  dispute(request: DisputeRequest): Expected | Unchanged {
    const order = this.#orders.list[request.order ?? -1];
    if (!order) return refuse('order_not_found');
    if (!order.paid) return refuse('order_not_paid');
    const { id, status, amount: told, policy } = request;
    const seen = this.disputes.find((known) => known.id === id);
    if (seen) return this.#disputeAgain(order, seen, request);
    if (order.total === 0n) return refuse('order_not_paid');
    if (told === 0) return refuse('invalid_request');
    if (told !== null && BigInt(told) > order.total) return refuse('refund_exceeds_paid');
    const amount = told === null ? order.total : BigInt(told);
    const isEnded = status === 'won';
    const dispute: ModelDispute = { order: order.place, id, status, amount, policy, isEnded, told: new Map() };
    this.disputes.push(dispute);
    const recovery = isEnded ? NOTHING : this.#apply(order, dispute);
    return this.#tell(dispute, status, this.#disputeFacts(order, dispute, recovery));
  }

  #disputeAgain(order: ModelOrder, seen: ModelDispute, { status, amount }: DisputeRequest): Expected | Unchanged {
    if (seen.order !== order.place) return refuse('dispute_mismatch');
    // Of what ended before it was opened nobody may have told the amount.
    if (seen.told.has('opened') && amount !== null && BigInt(amount) !== seen.amount) return refuse('dispute_mismatch');
    const told = seen.told.get(status);
    if (told && status === seen.status) return { outcome: 'replayed', facts: told };
    if (status === 'opened') return { outcome: 'unchanged', facts: this.#disputeFacts(order, seen, NOTHING) };
    if (seen.status !== 'opened') return refuse('dispute_closed');
    seen.status = status;
    seen.isEnded = status === 'won';
    const recovery = this.#apply(order, seen);
    return this.#tell(seen, status, this.#disputeFacts(order, seen, recovery));
  }

  #tell({ told }: { told: Map<string, Facts> }, status: string, facts: AfterSaleFacts): Expected {
    told.set(status, facts);
    return { outcome: 'accepted', facts };
  }

  /** What a refund gives back of each line, or the code of its refusal. */
  #linesRefunded(order: ModelOrder, { what }: RefundRequest): ToldLine[] | string {
    const left = order.lines.map(({ offer, quantity }, line) => {
      const { amount, quantity: refunded } = this.#refundedOf(order, line);
      return { line, quantity: quantity - refunded, amount: BigInt(offer.price) * BigInt(quantity) - amount };
    });
    if (this.#orders.statusOf(order) === 'refunded') return 'refund_exceeds_paid';
    if (what === 'whole') return left;
    if ('amount' in what) {
      const rest = sumOf(left);
      const amount = BigInt(what.amount);
      if (amount === 0n) return 'invalid_request';
      if (amount > rest) return 'refund_exceeds_paid';
      let before = 0n;
      const lines = left.map(({ line, amount: own }) => {
        const from = (amount * before) / rest;
        before += own;
        return { line, quantity: 0, amount: (amount * before) / rest - from };
      });
      return lines.filter((line) => line.amount > 0n);
    }
    const lines: ToldLine[] = [];
    for (const { line, quantity } of what.lines) {
      const own = left[line];
      if (!own) return 'invalid_request';
      const wanted = quantity ?? own.quantity;
      if (wanted > own.quantity || own.quantity === 0) return 'refund_exceeds_paid';
      lines.push({ line, quantity: wanted, amount: (own.amount * BigInt(wanted)) / BigInt(own.quantity) });
    }
    return lines;
  }

  #refundedOf(order: ModelOrder, line: number): { amount: bigint; quantity: number } {
    const own = this.#refundsOf(order).flatMap((refund) => refund.lines.filter((told) => told.line === line));
    return { amount: sumOf(own), quantity: own.reduce((sum, { quantity }) => sum + quantity, 0) };
  }

  /** Those that did not fail. */
  #refundsOf(order: ModelOrder): ModelRefund[] {
    return this.refunds.filter((refund) => refund.order === order.place && !refund.isEnded);
  }

  #apply(order: ModelOrder, cause: ModelCause, named: readonly ToldLine[] = []): ModelRecovery {
    const refunds = this.#refundsOf(order);
    const refunded = sumOf(refunds.flatMap(({ lines }) => lines));
    const quantities = order.lines.map(({ quantity }, line) => quantity - this.#refundedOf(order, line).quantity);
    const isAll = order.total > 0n ? refunded === order.total : quantities.every((left) => left === 0);
    const isSome = refunded > 0n || order.lines.some(({ quantity }, line) => quantities[line] !== quantity);
    order.refunded = isAll ? 'refunded' : isSome ? 'partially_refunded' : 'paid';
    const lines = order.lines.map(({ offer, quantity, batches }, line): ModelLineLeft => {
      const { amount, quantity: gone } = this.#refundedOf(order, line);
      const price = BigInt(offer.price) * BigInt(quantity);
      let share = price > 0n ? { part: amount, whole: price } : { part: BigInt(gone), whole: BigInt(quantity) };
      for (const dispute of this.#disputesOf(order))
        share = sumOfShares(share, this.#contestedShare(order, line, dispute));
      if (isAll || share.part > share.whole) share = { part: 1n, whole: 1n };
      return {
        ...{ share, quantity, left: quantity - gone, offer, batches },
        isNamed: named.some((told) => told.line === line),
        isOfQuantity: (other) =>
          refunds.some(
            (refund) => refund === other && refund.lines.some((told) => told.line === line && told.quantity > 0),
          ),
      };
    });
    return this.#claims.apply(lines, cause);
  }

  /** What is left of a dispute is contested of the money that was not refunded within it, of each line alike. */
  #contestedShare(order: ModelOrder, line: number, { id, amount }: ModelDispute): ModelShare {
    const lines = this.#refundsOf(order)
      .filter(({ dispute }) => dispute === id)
      .flatMap((refund) => refund.lines);
    const within = sumOf(lines);
    if (within >= amount) return { part: 0n, whole: 1n };
    const { offer, quantity } = order.lines[line] ?? {};
    const price = BigInt(offer?.price ?? 0) * BigInt(quantity ?? 0);
    const rest = { part: amount - within, whole: order.total - within };
    if (price === 0n) return rest;
    const own = price - sumOf(lines.filter((told) => told.line === line));
    return { part: rest.part * own, whole: rest.whole * price };
  }

  /** Those that were not won. */
  #disputesOf(order: ModelOrder): ModelDispute[] {
    return this.disputes.filter((dispute) => dispute.order === order.place && !dispute.isEnded);
  }

  /** What an order shows of what came of it. */
  standingOf(order: ModelOrder): OrderStanding {
    const disputed = this.#disputesOf(order).reduce((sum, { amount }) => sum + amount, 0n);
    return {
      status: this.#orders.statusOf(order),
      refunded: toMoney(sumOf(this.#refundsOf(order).flatMap(({ lines }) => lines))),
      disputed: toMoney(disputed),
    };
  }

  #refundFacts(order: ModelOrder, { isEnded, lines }: ModelRefund, recovery: ModelRecovery): AfterSaleFacts {
    const told = { status: isEnded ? 'failed' : 'succeeded', amount: toMoney(sumOf(lines)), lines };
    return { ...this.#facts(order), told, ...recovery };
  }

  #disputeFacts(order: ModelOrder, { status, amount }: ModelDispute, recovery: ModelRecovery): AfterSaleFacts {
    return { ...this.#facts(order), told: { status, amount: toMoney(amount), lines: [] }, ...recovery };
  }

  #facts(order: ModelOrder) {
    return { order: order.place, ...this.standingOf(order), batches: this.#orders.batchesOf(order) };
  }
}

function sumOf(lines: readonly { amount: bigint }[]): bigint {
  return lines.reduce((sum, { amount }) => sum + amount, 0n);
}

function toMoney(hundredths: bigint): string {
  return (Number(hundredths) / 100).toFixed(2);
}

function sumOfShares(a: ModelShare, b: ModelShare): ModelShare {
  return { part: a.part * b.whole + b.part * a.whole, whole: a.whole * b.whole };
}
