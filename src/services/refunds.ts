// What comes of orders after they were paid: refunds and disputes, and what they take back of what was bought.
import type { Call, RecordedAnswer, Render } from '../call.js';
import type { Tx } from '../db/client.js';
import { findOrder } from '../db/orders.js';
import { findDispute, findRefund, listDisputes, listRefunds } from '../db/refunds.js';
import { lockRewardsOfFamily } from '../db/rewards.js';
import { asDecided, type OrderResult } from '../db/shown-orders.js';
import { findOrderBatches, listPassed, NO_BATCHES } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import type { Decision } from '../engine/operation.js';
import { assertAllLocked, lockingOthers } from '../engine/others.js';
import { rewardsAtOnce } from '../engine/rewards.js';
import type { Selector } from '../engine/selector.js';
import type { SubjectAsk } from '../ledger/consume.js';
import type {
  Dispute,
  DisputeStatus,
  Order,
  Refund,
  RefundStatus,
  UnrecoveredPolicy,
} from '../ledger/order-entities.js';
import { canonicalPaymentMethod, effectiveStatus } from '../ledger/orders.js';
import { followSale } from '../ledger/plan-refunds.js';
import { multiplyQuantities, QUANTITY_MAX } from '../ledger/quantities.js';
import { type AfterSaleDecision, disputeOrder as dispute, refundOrder as refund } from '../ledger/refunds.js';
import { followOrder } from '../ledger/rewards.js';
import type { Recovery } from '../ledger/sold-entities.js';
import { required } from '../lib/assert.js';
import { parseMoney } from '../lib/money.js';

export interface RefundOrderCommand {
  status: RefundStatus;
  /** The provider was asked for it, and has told no id yet. */
  pendingProvider: true | undefined;
  paymentMethod: string | undefined;
  refundId: string | undefined;
  disputeId: string | undefined;
  /** A decimal string. */
  amount: string | undefined;
  /** Of each line so many, or all that is left of it. */
  items: { id: string; quantity?: number | undefined }[] | undefined;
  reason: string | undefined;
  unrecoveredPolicy: UnrecoveredPolicy;
}

export interface DisputeOrderCommand {
  status: DisputeStatus;
  paymentMethod: string | undefined;
  disputeId: string;
  /** A decimal string; the order's total where it is left out. */
  amount: string | undefined;
  unrecoveredPolicy: UnrecoveredPolicy;
}

/** What a refund or a dispute came to. */
export interface AfterSaleResult<T> extends OrderResult {
  told: T;
  recovery: Recovery;
}

interface Loaded {
  stored: Order;
  refunds: Refund[];
  disputes: Dispute[];
}

async function loadSale(tx: Tx, customerId: string, orderId: string): Promise<Loaded> {
  const [order, refunds, disputes] = await Promise.all([
    findOrder(tx, customerId, orderId),
    listRefunds(tx, customerId, orderId),
    listDisputes(tx, customerId, orderId),
  ]);
  return { stored: required(order, 'the order was found before'), refunds, disputes };
}

/** The products of an order. Those of which something may be owed, as it is told now or as a dispute said, are read until they could repay it. */
function asksOfSale({ stored: { items }, disputes }: Loaded, policy: UnrecoveredPolicy): SubjectAsk[] {
  const mayOwe = [policy, ...disputes.map((dispute) => dispute.unrecoveredPolicy)].includes('debt');
  return items.flatMap(({ terms, quantity }) =>
    terms.map(({ productKey, productType, quantity: units }): SubjectAsk => {
      const isOverdraft = mayOwe && productType === 'quantity';
      const amount = isOverdraft ? (multiplyQuantities(units, quantity) ?? QUANTITY_MAX) : 0;
      return { subject: { productKey }, amount, isOverdraft };
    }),
  );
}

/** Whom what is told of a paid order is about, and what it looks at. */
function ofSale(
  selector: Selector,
  orderId: string,
  policy: UnrecoveredPolicy,
  alsoLocks: readonly string[] | undefined,
) {
  return {
    selector: { ...selector, owned: { kind: 'order' as const, id: orderId } },
    alsoLocks,
    load: (tx: Tx, customerId: string) => loadSale(tx, customerId, orderId),
    needs: (loaded: Loaded) => ({
      asks: asksOfSale(loaded, policy),
      sold: orderId,
      plans: loaded.stored.items.some(({ plan }) => plan !== null),
    }),
  };
}

/** Who tells of refunds: the provider itself now; and of which methods providers do. */
export interface RefundTellers {
  isProvider: boolean;
  methods: ReadonlySet<string>;
}

/**
 * Refunds a paid order: wholly, by lines, or by an amount; or hears that a refund failed, which gives back what it took. Idempotent by method and refund id.
 * Locks: the customer, and those in whose ledgers the order went on, then the claim of the refund. Throws: order_not_found (also of another customer than the selector names), customer_not_found,
 * selector_conflict, order_not_paid, refund_id_required, refund_pending, refund_exceeds_paid, refund_mismatch, dispute_not_found, invalid_request, too_many_reports, quantity_too_large,
 * too_many_batches, idempotency_key_reused, unavailable.
 */
export async function refundOrder(
  deps: Deps,
  selector: Selector,
  orderId: string,
  command: RefundOrderCommand,
  { isProvider, methods }: RefundTellers,
  call: Call,
  render: Render<AfterSaleResult<Refund>>,
): Promise<RecordedAnswer> {
  const { refundId, unrecoveredPolicy: policy } = command;
  const method = command.paymentMethod && canonicalPaymentMethod(command.paymentMethod);
  const atOnce = rewardsAtOnce(deps);
  const answer = await lockingOthers((alsoLocks) =>
    deps.engine.run({
      name: 'order.refund',
      mayBeErased: true,
      ...ofSale(selector, orderId, policy, alsoLocks),
      call,
      request: { orderId, ...command, paymentMethod: method },
      loadMore: async (tx, { stored }, customerId, now, familyIds) => {
        const [seen, rest] = await Promise.all([
          refundId === undefined ? null : findRefund(tx, method ?? stored.paymentMethod ?? '', refundId),
          loadOfFamily(tx, stored, customerId, now, familyIds),
        ]);
        return { seen, ...rest };
      },
      decide: ({ book, loaded: { stored, ...known }, more: { seen, granted, earned, passed }, operationId }) => {
        assertAllLocked(book, passed);
        const order = { ...stored, status: effectiveStatus(stored, book.now) };
        const decision = refund(
          book,
          order,
          { ...known, seen },
          {
            operationId,
            status: command.status,
            paymentMethod: method ?? null,
            refundId: refundId ?? null,
            disputeId: command.disputeId ?? null,
            toldBy: isProvider ? 'provider' : command.pendingProvider ? 'caller' : null,
            isToldByProvider: methods.has(method ?? order.paymentMethod ?? ''),
            amount: command.amount === undefined ? null : parseMoney(command.amount),
            lines: command.items?.map(({ id, quantity = null }) => ({ id, quantity })) ?? null,
            reason: command.reason ?? null,
            policy,
          },
        );
        if (decision.outcome === 'accepted') {
          followOrder(book, earned, decision.order, known.disputes, operationId);
          followSale(book, decision.order, known.disputes, operationId);
          atOnce.note(book);
        }
        return toDecision(decision, (changed) => asDecided(book, changed, granted));
      },
      render,
    }),
  );
  await atOnce.settle();
  return answer;
}

/**
 * Hears of a dispute of a paid order: opened takes back like a refund, won gives it back, lost changes nothing more. Idempotent by method and dispute id.
 * Locks: the customer, and those in whose ledgers the order went on, then the claim of the dispute. Throws: order_not_found (also of another customer than the selector names), customer_not_found,
 * selector_conflict, order_not_paid, refund_exceeds_paid, dispute_mismatch, dispute_closed, invalid_request, too_many_reports, quantity_too_large,
 * too_many_batches, idempotency_key_reused, unavailable.
 */
export async function disputeOrder(
  deps: Deps,
  selector: Selector,
  orderId: string,
  command: DisputeOrderCommand,
  call: Call,
  render: Render<AfterSaleResult<Dispute>>,
): Promise<RecordedAnswer> {
  const { disputeId, status, unrecoveredPolicy: policy } = command;
  const method = command.paymentMethod && canonicalPaymentMethod(command.paymentMethod);
  const atOnce = rewardsAtOnce(deps);
  const answer = await lockingOthers((alsoLocks) =>
    deps.engine.run({
      name: 'order.dispute',
      mayBeErased: true,
      ...ofSale(selector, orderId, policy, alsoLocks),
      call,
      request: { orderId, ...command, paymentMethod: method },
      loadMore: async (tx, { stored }, customerId, now, familyIds) => {
        const [seen, rest] = await Promise.all([
          findDispute(tx, method ?? stored.paymentMethod ?? '', disputeId),
          loadOfFamily(tx, stored, customerId, now, familyIds),
        ]);
        return { seen, ...rest };
      },
      decide: ({ book, loaded: { stored, ...known }, more: { seen, granted, earned, passed }, operationId }) => {
        assertAllLocked(book, passed);
        const order = { ...stored, status: effectiveStatus(stored, book.now) };
        const amount = command.amount === undefined ? null : parseMoney(command.amount);
        const told = { operationId, status, paymentMethod: method ?? null, disputeId, amount, policy };
        const decision = dispute(book, order, { ...known, seen }, told);
        if (decision.outcome === 'accepted') {
          const others = known.disputes.filter(({ id }) => id !== decision.row.id);
          followOrder(book, earned, decision.order, [...others, decision.row], operationId);
          followSale(book, decision.order, [...others, decision.row], operationId);
          atOnce.note(book);
        }
        return toDecision(decision, (changed) => asDecided(book, changed, granted));
      },
      render,
    }),
  );
  await atOnce.settle();
  return answer;
}

/** What else is known of the order: what it granted, what was earned by it, and in whose ledgers it went on. */
async function loadOfFamily(
  tx: Tx,
  { id, paidAt }: Order,
  customerId: string,
  now: Date,
  familyIds: readonly string[],
) {
  const [granted, rewards, passed] = await Promise.all([
    paidAt === null ? NO_BATCHES : findOrderBatches(tx, familyIds, id, now, []),
    lockRewardsOfFamily(tx, familyIds),
    listPassed(tx, customerId, id, familyIds),
  ]);
  return { granted, earned: { rewards, familyIds }, passed };
}

const NOTHING: Recovery = { recovered: new Map(), unrecovered: new Map() };

function toDecision<T>(
  decision: AfterSaleDecision<T>,
  show: (order: Order) => OrderResult,
): Decision<AfterSaleResult<T>> {
  if (decision.outcome === 'replayed') return decision;
  const { row: told, order } = decision;
  if (decision.outcome === 'unchanged') {
    return { outcome: 'unchanged', result: { ...show(order), told, recovery: NOTHING } };
  }
  const { recovery, recordAs } = decision;
  return { outcome: 'accepted', result: { ...show(order), told, recovery }, recordAs };
}
