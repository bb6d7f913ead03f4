// Refunds and disputes as pure decisions (DOMAIN 3.7): how much of an order's money went back, or is contested, and so what share of each line is claimed.

import { AppError } from '../errors/app-error.js';
import { required } from '../lib/assert.js';
import { type Micros, MONEY_MAX } from '../lib/money.js';
import type { Book } from './book.js';
import { disputeKey, ledgered, lineOf, shareOfLine, statusOf } from './claimed-shares.js';
import { moveUnits, planUnits } from './clawbacks.js';
import { changeAccess } from './cut-access.js';
import type {
  Dispute,
  DisputeStatus,
  Order,
  Refund,
  RefundedLine,
  RefundStatus,
  RefundTeller,
  UnrecoveredPolicy,
} from './order-entities.js';
import { assertAmount, linesRefunded, shown, type WhatIsRefunded } from './refunded-lines.js';
import type { Cause, Causes, Recovery } from './sold-entities.js';
import { soldIn } from './sold-ledgers.js';
import { otherSideOf, sameMoney, withSides } from './two-sided-refunds.js';

/** What came of an order since it was paid, and what is known of what is told now. */
export interface AfterSale<T> {
  refunds: readonly Refund[];
  disputes: readonly Dispute[];
  /** What was told under this id before, of whatever order. */
  seen: T | null;
}

export interface RefundCommand extends WhatIsRefunded {
  operationId: string;
  status: RefundStatus;
  /** Canonical; null where it is that of the order. */
  paymentMethod: string | null;
  refundId: string | null;
  disputeId: string | null;
  /** Who tells it: the provider; the caller, who has no id of it yet; null is the caller, by its id. */
  toldBy: RefundTeller | null;
  /** The provider tells refunds of this method itself. */
  isToldByProvider: boolean;
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
 * Refunds an order, wholly, by lines or by an amount; or hears that a refund failed, which undoes it. Idempotent by method and refund id; what both sides tell
 * counts once. Throws: order_not_paid, refund_id_required, refund_pending, refund_exceeds_paid, refund_mismatch, dispute_not_found, invalid_request (decimals),
 * too_many_reports, quantity_too_large, too_many_batches.
 */
export function refundOrder(
  book: Book,
  order: Order,
  { refunds, disputes, seen }: AfterSale<Refund>,
  command: RefundCommand,
): AfterSaleDecision<Refund> {
  assertPaid(order);
  if (seen) return refundToldAgain(book, order, { refunds, disputes, seen }, command);
  const { status, operationId, policy, toldBy } = command;
  assertFew(refunds.length + disputes.length);
  const paymentMethod = command.paymentMethod ?? order.paymentMethod ?? '';
  if (command.isToldByProvider) assertHasId(order, command);
  assertDisputeKnown(disputes, paymentMethod, command.disputeId);
  const before = ledgered(order, refunds, disputes);
  const compute = () => (status === 'failed' ? [] : linesRefunded(order, before, command));
  // Of an amount, or where nothing is left, it may be what the other side told; else it has to be known how much it is.
  const isNamed = command.amount !== null || status === 'failed' || order.status === 'refunded';
  const computed = isNamed ? undefined : compute();
  const amount = command.amount ?? (computed && totalOfLines(computed));
  const other = sameMoney(order, refunds, { status, paymentMethod, toldBy, amount: amount ?? undefined });
  const items = other ? [] : (computed ?? compute());
  const id = book.ids.next();
  const row: Refund = {
    id,
    customerId: order.customerId,
    orderId: order.id,
    operationId,
    paymentMethod,
    refundId: command.refundId ?? id,
    disputeId: command.disputeId,
    status,
    amount: totalOfLines(items),
    items,
    reason: book.isErased ? null : command.reason,
    unrecoveredPolicy: policy,
    createdAt: book.now,
    failedAt: status === 'failed' ? book.now : null,
    toldBy,
    fills: other?.id ?? null,
  };
  const recordAs = refundKeyOf(row);
  if (other && status === 'failed') {
    const failed = failRefunds(book, order, { refunds, disputes }, [other], operationId);
    book.changes.refunds.push({ row, isKnown: false, operationId, order: failed.order });
    return { outcome: 'accepted', ...failed, row: withSides([...failed.refunds, row], row), recordAs };
  }
  const named = new Set((command.amount === null ? items : []).map((line) => line.id));
  const cause = { id, operationId, policy };
  const changed =
    status === 'failed' || other
      ? { order, recovery: NOTHING }
      : apply(book, order, { refunds: [...refunds, row], disputes }, cause, named);
  book.changes.refunds.push({ row, isKnown: false, operationId, order: changed.order });
  return { outcome: 'accepted', row: withSides([...refunds, row], row), ...changed, recordAs };
}

/** A refund that was told before, by either side. */
function refundToldAgain(
  book: Book,
  order: Order,
  { refunds, disputes, seen }: Omit<AfterSale<Refund>, 'seen'> & { seen: Refund },
  command: RefundCommand,
): AfterSaleDecision<Refund> {
  const { status, operationId } = command;
  if (seen.orderId !== order.id) {
    throw new AppError('refund_mismatch', 'This refund was told of another order.', { pointer: '/refund_id' });
  }
  const other = otherSideOf(refunds, seen);
  const counted = seen.fills === null ? seen : required(other, 'what a refund stands for is of its order');
  assertSameRefund(order, counted, command);
  const unchanged = { outcome: 'unchanged', order, row: withSides(refunds, seen) } as const;
  if (status === seen.status)
    return other || book.isErased ? unchanged : { outcome: 'replayed', recordedAs: refundKeyOf(seen) };
  // What failed stays so: that it succeeded was told late.
  if (seen.status === 'failed') return unchanged;
  const both = [counted, ...(other ? [seen === counted ? other : seen] : [])];
  const failed = failRefunds(book, order, { refunds, disputes }, both, operationId);
  const row = required(
    failed.refunds.find(({ id }) => id === seen.id),
    'it is of this order',
  );
  return { outcome: 'accepted', ...failed, row: withSides(failed.refunds, row), recordAs: refundKeyOf(row) };
}

/** Undoes a refund that failed, the first of these; the others stand for it. */
function failRefunds(
  book: Book,
  order: Order,
  { refunds, disputes }: Pick<AfterSale<Refund>, 'refunds' | 'disputes'>,
  both: readonly Refund[],
  operationId: string,
): { order: Order; recovery: Recovery; refunds: Refund[] } {
  const ids = new Set(both.map(({ id }) => id));
  const toFailed = (refund: Refund): Refund =>
    ids.has(refund.id) ? { ...refund, status: 'failed', failedAt: book.now } : refund;
  const known = refunds.map(toFailed);
  const [counted] = both;
  const within = disputeWithin(disputes, required(counted, 'there is one to undo'));
  // What was refunded within a dispute is contested of every line again.
  const cause = { id: operationId, operationId, policy: within?.unrecoveredPolicy ?? 'ignore' };
  const changed = apply(book, order, { refunds: known, disputes }, cause);
  for (const row of both.map(toFailed)) {
    book.changes.refunds.push({ row, isKnown: true, operationId, order: changed.order });
  }
  return { ...changed, refunds: known };
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
    if (status === seen.status && !book.isErased) return { outcome: 'replayed', recordedAs: disputeKeyOf(seen) };
    // It was told late.
    if (status === 'opened' || status === seen.status) return { outcome: 'unchanged', order, row: seen };
    if (seen.status !== 'opened') {
      throw new AppError('dispute_closed', `The dispute was ${seen.status}.`, { pointer: '/status' });
    }
    const row: Dispute = { ...seen, status, closedAt: book.now };
    const known = disputes.map((dispute) => (dispute.id === row.id ? row : dispute));
    const cause = { id: operationId, operationId, policy: row.unrecoveredPolicy };
    const changed = apply(book, order, { refunds, disputes: known }, cause);
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
      : apply(book, order, { refunds, disputes: [...disputes, row] }, cause);
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

/** What the provider tells itself has to be known by its id, or to wait for it: else it would count twice. Throws: refund_id_required. */
function assertHasId({ totalAmount }: Order, { status, refundId, toldBy }: RefundCommand): void {
  if (refundId !== null || toldBy !== null || status === 'failed' || totalAmount === 0n) return;
  const detail = 'The provider tells its refunds here too: name its id of this one, or that it is pending there.';
  throw new AppError('refund_id_required', detail, { pointer: '/refund_id' });
}

/** The dispute within which a refund is. */
function disputeWithin(
  disputes: readonly Dispute[],
  { paymentMethod, disputeId }: Pick<Refund, 'paymentMethod' | 'disputeId'>,
): Dispute | undefined {
  if (disputeId === null) return undefined;
  const within = disputeKey({ paymentMethod, disputeId });
  return disputes.find((own) => disputeKey(own) === within);
}

function assertDisputeKnown(disputes: readonly Dispute[], paymentMethod: string, disputeId: string | null): void {
  if (disputeId === null || disputeWithin(disputes, { paymentMethod, disputeId })) return;
  throw new AppError('dispute_not_found', 'No dispute of this order has this id.', { pointer: '/dispute_id' });
}

function totalOfLines(items: readonly RefundedLine[]): Micros {
  return items.reduce((sum, { amount }) => sum + amount, 0n);
}

/** Of one that was heard to have failed nobody may have told how much it was; of an amount, of which lines. */
function assertSameRefund(order: Order, seen: Refund, { amount, lines }: RefundCommand): void {
  if (seen.status !== 'succeeded') return;
  if (amount !== null && amount !== seen.amount) {
    const detail = `This refund was told of ${shown(order, seen.amount)}.`;
    throw new AppError('refund_mismatch', detail, { pointer: '/amount' });
  }
  const told = new Map(seen.items.flatMap(({ id, quantity }) => (quantity > 0 ? [[id, quantity]] : [])));
  if (lines === null || told.size === 0) return;
  const isSame = ({ id, quantity }: (typeof lines)[number]) =>
    told.has(id) && (quantity ?? told.get(id)) === told.get(id);
  if (lines.length === told.size && lines.every(isSame)) return;
  throw new AppError('refund_mismatch', 'This refund was told of other lines.', { pointer: '/items' });
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

/** Moves the order to what its refunds and disputes come to, and takes or gives back what they claim. */
function apply(
  book: Book,
  order: Order,
  { refunds, disputes }: Pick<AfterSale<never>, 'refunds' | 'disputes'>,
  cause: Cause,
  named: ReadonlySet<string> = new Set(),
): { order: Order; recovery: Recovery } {
  const state = ledgered(order, refunds, disputes);
  const status = statusOf(order, state);
  const changed: Order = { ...order, status, refundedAmount: state.refunded, disputedAmount: state.disputed };
  // Of whoever was erased nothing is left that could be claimed, and nothing comes back: it is money only.
  if (book.isErased) {
    book.changes.orderSteps.push(changed);
    return { order: changed, recovery: NOTHING };
  }
  const sold = soldIn(book);
  const shares = new Map(order.items.map(({ id }) => [id, shareOfLine(order, status, state, id)]));
  const shareOf = (lineId: string) => required(shares.get(lineId), 'a batch is of a line of its order');
  const causes = causesOf(refunds, disputes);
  const plan = planUnits(book, sold, shareOf, { policy: cause.policy, causes });
  const recovery = moveUnits(book, sold, plan, order.id, cause);
  const leftOf = (lineId: string) => {
    const item = lineOf(order, lineId);
    const { quantity } = required(state.lines.get(lineId), 'every line is there');
    return { item, share: shareOf(lineId), quantity: item.quantity - quantity, isNamed: named.has(lineId) };
  };
  changeAccess(book, sold, leftOf, order.id, cause, causes);
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
