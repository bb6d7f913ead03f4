// Refunds and disputes as pure decisions (DOMAIN 3.7): how much of an order's money went back, or is contested, and so what share of each line is claimed.

import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, hasAtMostDecimals, type Micros, MONEY_MAX, minorUnit } from '../lib/money.js';
import type { Book } from './book.js';
import { disputeKey, type Ledgered, ledgered, lineOf, shareOfLine, statusOf, totalOf } from './claimed-shares.js';
import { moveUnits, planUnits } from './clawbacks.js';
import { changeAccess } from './cut-access.js';
import type {
  Dispute,
  DisputeStatus,
  Order,
  OrderItem,
  Refund,
  RefundedLine,
  RefundStatus,
  UnrecoveredPolicy,
} from './order-entities.js';
import type { Cause, Causes, Recovery } from './sold-entities.js';
import { soldIn } from './sold-ledgers.js';

/** What came of an order since it was paid, and what is known of what is told now. */
export interface AfterSale<T> {
  refunds: readonly Refund[];
  disputes: readonly Dispute[];
  /** What was told under this id before, of whatever order. */
  seen: T | null;
}

export interface RefundCommand {
  operationId: string;
  status: RefundStatus;
  /** Canonical; null where it is that of the order. */
  paymentMethod: string | null;
  refundId: string | null;
  disputeId: string | null;
  amount: Micros | null;
  lines: readonly { id: string; quantity: number | null }[] | null;
  reason: string | null;
  policy: UnrecoveredPolicy;
}

export interface DisputeCommand {
  operationId: string;
  status: DisputeStatus;
  /** Canonical; null where it is that of the order. */
  paymentMethod: string | null;
  disputeId: string;
  amount: Micros | null;
  policy: UnrecoveredPolicy;
}

/** What a refund or a dispute came to. `recordAs` is the natural key of the answer. */
export type AfterSaleDecision<T> =
  | { outcome: 'accepted'; order: Order; row: T; recovery: Recovery; recordAs: string }
  | { outcome: 'unchanged'; order: Order; row: T }
  | { outcome: 'replayed'; recordedAs: string };

const NOTHING: Recovery = { recovered: new Map(), unrecovered: new Map() };
/** Refunds and disputes of one order. */
const REPORTS_MAX = 1_000;

/**
 * Refunds an order, wholly, by lines or by an amount; or hears that a refund failed, which undoes it. Idempotent by method and refund id.
 * Throws: order_not_paid, refund_exceeds_paid, refund_mismatch, dispute_not_found, invalid_request (decimals), too_many_reports, quantity_too_large,
 * too_many_batches.
 */
export function refundOrder(
  book: Book,
  order: Order,
  { refunds, disputes, seen }: AfterSale<Refund>,
  command: RefundCommand,
): AfterSaleDecision<Refund> {
  assertPaid(order);
  const { status, operationId, policy } = command;
  if (seen) {
    assertSameRefund(order, seen, command);
    if (status === seen.status) return { outcome: 'replayed', recordedAs: refundKeyOf(seen) };
    // What failed stays so: that it succeeded was told late.
    if (seen.status === 'failed') return { outcome: 'unchanged', order, row: seen };
    const row: Refund = { ...seen, status: 'failed', failedAt: book.now };
    const known = refunds.map((refund) => (refund.id === row.id ? row : refund));
    const cause = { id: row.id, operationId, policy: row.unrecoveredPolicy };
    const changed = apply(book, order, { refunds: known, disputes }, cause, { isUndo: true });
    book.changes.refunds.push({ row, isKnown: true, operationId, order: changed.order });
    return { outcome: 'accepted', row, ...changed, recordAs: refundKeyOf(row) };
  }
  assertFew(refunds.length + disputes.length);
  const paymentMethod = command.paymentMethod ?? order.paymentMethod ?? '';
  const { disputeId } = command;
  const within = disputeId === null ? undefined : disputeKey({ paymentMethod, disputeId });
  if (within !== undefined && !disputes.some((own) => disputeKey(own) === within)) {
    const detail = 'No dispute of this order has this id.';
    throw new AppError('dispute_not_found', detail, { pointer: '/dispute_id' });
  }
  const before = ledgered(order, refunds, disputes);
  const items = status === 'failed' ? [] : linesRefunded(order, before, command);
  const id = book.ids.next();
  const row: Refund = {
    id,
    customerId: order.customerId,
    orderId: order.id,
    operationId,
    paymentMethod,
    refundId: command.refundId ?? id,
    disputeId,
    status,
    amount: items.reduce((sum, { amount }) => sum + amount, 0n),
    items,
    reason: command.reason,
    unrecoveredPolicy: policy,
    createdAt: book.now,
    failedAt: status === 'failed' ? book.now : null,
  };
  const cause = { id, operationId, policy };
  const named = new Set((command.amount === null ? items : []).map((line) => line.id));
  const changed =
    status === 'failed'
      ? { order, recovery: NOTHING }
      : apply(book, order, { refunds: [...refunds, row], disputes }, cause, { isUndo: false, named });
  book.changes.refunds.push({ row, isKnown: false, operationId, order: changed.order });
  return { outcome: 'accepted', row, ...changed, recordAs: refundKeyOf(row) };
}

/**
 * Hears of a dispute: opened takes as a refund would, won gives it back, lost changes nothing more. Idempotent by method and dispute id.
 * Throws: order_not_paid, dispute_mismatch, dispute_closed, invalid_request (decimals), too_many_reports, quantity_too_large, too_many_batches.
 */
export function disputeOrder(
  book: Book,
  order: Order,
  { refunds, disputes, seen }: AfterSale<Dispute>,
  command: DisputeCommand,
): AfterSaleDecision<Dispute> {
  assertPaid(order);
  const { status, operationId } = command;
  if (seen) {
    assertSameDispute(order, seen, command);
    if (status === seen.status) return { outcome: 'replayed', recordedAs: disputeKeyOf(seen) };
    // It was told late.
    if (status === 'opened') return { outcome: 'unchanged', order, row: seen };
    if (seen.status !== 'opened') {
      throw new AppError('dispute_closed', `The dispute was ${seen.status}.`, { pointer: '/status' });
    }
    const row: Dispute = { ...seen, status, closedAt: book.now };
    const known = disputes.map((dispute) => (dispute.id === row.id ? row : dispute));
    const cause = { id: row.id, operationId, policy: row.unrecoveredPolicy };
    const changed = apply(book, order, { refunds, disputes: known }, cause, { isUndo: true });
    book.changes.disputes.push({ row, isKnown: true, operationId, order: changed.order });
    return { outcome: 'accepted', row, ...changed, recordAs: disputeKeyOf(row) };
  }
  assertFew(refunds.length + disputes.length);
  const amount = contestedAmount(order, command.amount);
  if (status !== 'won') assertCountable(disputes, amount);
  const row: Dispute = {
    id: book.ids.next(),
    customerId: order.customerId,
    orderId: order.id,
    operationId,
    paymentMethod: command.paymentMethod ?? order.paymentMethod ?? '',
    disputeId: command.disputeId,
    status,
    amount,
    unrecoveredPolicy: command.policy,
    createdAt: book.now,
    openedAt: status === 'opened' ? book.now : null,
    closedAt: status === 'opened' ? null : book.now,
  };
  const cause = { id: row.id, operationId, policy: row.unrecoveredPolicy };
  const changed =
    status === 'won'
      ? { order, recovery: NOTHING }
      : apply(book, order, { refunds, disputes: [...disputes, row] }, cause, { isUndo: false });
  book.changes.disputes.push({ row, isKnown: false, operationId, order: changed.order });
  return { outcome: 'accepted', row, ...changed, recordAs: disputeKeyOf(row) };
}

/** The natural key of a refund, as it was told. */
function refundKeyOf({ paymentMethod, refundId, status }: Refund): string {
  const key = JSON.stringify([paymentMethod, refundId]);
  return status === 'failed' ? `failed:${key}` : key;
}

/** The natural key of a dispute, as it was told. */
function disputeKeyOf({ paymentMethod, disputeId, status }: Dispute): string {
  return `${status}:${disputeKey({ paymentMethod, disputeId })}`;
}

function assertPaid({ status }: Order): void {
  if (status === 'paid' || status === 'partially_refunded' || status === 'refunded') return;
  throw new AppError('order_not_paid', `The order is ${status}: no money came for it.`, {
    extensions: { orderStatus: status },
  });
}

function assertFew(count: number): void {
  if (count < REPORTS_MAX) return;
  throw new AppError('too_many_reports', `An order has at most ${REPORTS_MAX} refunds and disputes.`);
}

function assertSameRefund(order: Order, seen: Refund, { amount }: RefundCommand): void {
  if (seen.orderId !== order.id) {
    throw new AppError('refund_mismatch', 'This refund was told of another order.', { pointer: '/refund_id' });
  }
  if (amount !== null && amount !== seen.amount && seen.status === 'succeeded') {
    throw new AppError('refund_mismatch', `This refund was told of ${shown(order, seen.amount)}.`, {
      pointer: '/amount',
    });
  }
}

function assertSameDispute(order: Order, seen: Dispute, { amount }: DisputeCommand): void {
  if (seen.orderId !== order.id) {
    throw new AppError('dispute_mismatch', 'This dispute was told of another order.', { pointer: '/dispute_id' });
  }
  // Of what was closed before it was opened nobody may have told the amount.
  if (seen.openedAt !== null && amount !== null && amount !== seen.amount) {
    const detail = `This dispute was told of ${shown(order, seen.amount)}.`;
    throw new AppError('dispute_mismatch', detail, { pointer: '/amount' });
  }
}

function shown({ currency }: Order, amount: Micros): string {
  return `${formatMoney(amount, currencyDecimals(currency))} ${currency}`;
}

/** Throws: invalid_request, order_not_paid (nothing was paid). */
function contestedAmount(order: Order, amount: Micros | null): Micros {
  if (order.totalAmount === 0n) {
    throw new AppError('order_not_paid', 'The order was free: there is nothing to contest.', {
      extensions: { orderStatus: order.status },
    });
  }
  if (amount === null) return order.totalAmount;
  assertAmount(order, amount);
  if (amount <= order.totalAmount) return amount;
  throw new AppError('refund_exceeds_paid', `${shown(order, order.totalAmount)} were paid.`, { pointer: '/amount' });
}

/** Disputes may come to more than was paid, as far as it can be counted. Throws: quantity_too_large. */
function assertCountable(disputes: readonly Dispute[], amount: Micros): void {
  const disputed = disputes.reduce((sum, own) => (own.status === 'won' ? sum : sum + own.amount), 0n);
  if (disputed + amount <= MONEY_MAX) return;
  throw new AppError('quantity_too_large', 'What is disputed of the order is too large.', { pointer: '/amount' });
}

function assertAmount({ currency }: Order, amount: Micros): void {
  const decimals = currencyDecimals(currency);
  if (amount === 0n) throw new AppError('invalid_request', 'The amount is above 0.', { pointer: '/amount' });
  if (hasAtMostDecimals(amount, decimals)) return;
  throw new AppError('invalid_request', `${currency} has ${decimals} decimals.`, { pointer: '/amount' });
}

/** What a refund gives back of each line. Throws: refund_exceeds_paid, invalid_request. */
function linesRefunded(
  order: Order,
  { refunded, lines }: Ledgered,
  { amount, lines: asked }: RefundCommand,
): RefundedLine[] {
  const left = new Map(
    order.items.map((item) => {
      const known = required(lines.get(item.id), 'every line is there');
      return [item.id, { item, amount: totalOf(item) - known.amount, quantity: item.quantity - known.quantity }];
    }),
  );
  const rest = order.totalAmount - refunded;
  if (order.status === 'refunded') {
    throw new AppError('refund_exceeds_paid', 'The order is wholly refunded.', {
      pointer: amount === null ? '' : '/amount',
    });
  }
  if (amount !== null) {
    assertAmount(order, amount);
    if (amount > rest) {
      throw new AppError('refund_exceeds_paid', `${shown(order, rest)} are left of what was paid.`, {
        pointer: '/amount',
      });
    }
    return spread(order, [...left.values()], amount, rest);
  }
  if (asked === null) {
    return [...left.values()].map(({ item: { id }, amount: all, quantity }) => ({ id, quantity, amount: all }));
  }
  return asked.map(({ id, quantity }, index) => {
    const line = left.get(id);
    if (!line) throw new AppError('invalid_request', 'The order has no such line.', { pointer: `/items/${index}/id` });
    const wanted = quantity ?? line.quantity;
    if (wanted > line.quantity || line.quantity === 0) {
      throw new AppError('refund_exceeds_paid', `${line.quantity} of the line are left to refund.`, {
        pointer: `/items/${index}/quantity`,
      });
    }
    const isRest = wanted === line.quantity;
    const unit = minorUnit(currencyDecimals(order.currency));
    const part = (line.amount * BigInt(wanted)) / BigInt(line.quantity);
    return { id, quantity: wanted, amount: isRest ? line.amount : part - (part % unit) };
  });
}

/** Spreads an amount over lines by what is left of each, in whole minor units, so that the parts are the amount. */
function spread(
  order: Order,
  lines: readonly { item: OrderItem; amount: Micros }[],
  amount: Micros,
  rest: Micros,
): RefundedLine[] {
  const unit = minorUnit(currencyDecimals(order.currency));
  let before = 0n;
  let given = 0n;
  return lines.flatMap(({ item: { id }, amount: left }) => {
    before += left;
    const exact = (amount * before) / rest;
    const upTo = before === rest ? amount : exact - (exact % unit);
    const part = upTo - given;
    given = upTo;
    return part > 0n ? [{ id, quantity: 0, amount: part }] : [];
  });
}

/** Moves the order to what its refunds and disputes come to, and takes or gives back what they claim. */
function apply(
  book: Book,
  order: Order,
  { refunds, disputes }: Pick<AfterSale<never>, 'refunds' | 'disputes'>,
  cause: Cause,
  { isUndo, named = new Set() }: { isUndo: boolean; named?: ReadonlySet<string> },
): { order: Order; recovery: Recovery } {
  const sold = soldIn(book);
  const state = ledgered(order, refunds, disputes);
  const status = statusOf(order, state);
  const shares = new Map(order.items.map(({ id }) => [id, shareOfLine(order, status, state, id)]));
  const shareOf = (lineId: string) => required(shares.get(lineId), 'a batch is of a line of its order');
  const causes = causesOf(refunds, disputes);
  const plan = planUnits(book, sold, shareOf, { policy: cause.policy, isUndo, causes });
  const recovery = moveUnits(book, sold, plan, order.id, cause);
  const leftOf = (lineId: string) => {
    const item = lineOf(order, lineId);
    const { quantity } = required(state.lines.get(lineId), 'every line is there');
    return { item, share: shareOf(lineId), quantity: item.quantity - quantity, isNamed: named.has(lineId) };
  };
  changeAccess(book, sold, leftOf, order.id, cause, { isUndo, causes });
  const changed: Order = { ...order, status, refundedAmount: state.refunded, disputedAmount: state.disputed };
  book.changes.orderSteps.push(changed);
  return { order: changed, recovery };
}

function causesOf(refunds: readonly Refund[], disputes: readonly Dispute[]): Causes {
  const isEnded = ({ status }: Refund | Dispute) => status === 'failed' || status === 'won';
  const named = (refund: Refund) => (isEnded(refund) ? [] : refund.items.filter(({ quantity }) => quantity > 0));
  const toCause = (own: Refund | Dispute, lines: readonly RefundedLine[]) =>
    [
      own.id,
      { operationId: own.operationId, isEnded: isEnded(own), names: new Set(lines.map(({ id }) => id)) },
    ] as const;
  return new Map([...refunds.map((own) => toCause(own, named(own))), ...disputes.map((own) => toCause(own, []))]);
}
