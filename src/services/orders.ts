// Orders: the intent to pay, and the confirmation that turns a payment into what was bought, exactly once.

import type { Call, RecordedAnswer, Render } from '../call.js';
import { findOrderableOffers } from '../db/catalog.js';
import { type ChargedPlan, type FoundCharge, findCharged } from '../db/charged-plans.js';
import { findMerging } from '../db/merges.js';
import { countPlaces } from '../db/offer-places.js';
import {
  countOpenOrders,
  findOrder,
  findOrdersOf,
  findPayment,
  listOrders,
  listPayments,
  type OrdersAsked,
  type PaymentsAsked,
  type StoredPayment,
} from '../db/orders.js';
import { listDisputes, listRefunds } from '../db/refunds.js';
import { findEarningReferral, loadTrigger } from '../db/rewards.js';
import { asDecided, type OrderResult } from '../db/shown-orders.js';
import { listCurrent } from '../db/subscriptions.js';
import { findOrderBatches, NO_BATCHES } from '../db/wallet.js';
import type { Deps } from '../deps.js';
import { requireCustomer, requireOwner } from '../engine/customers.js';
import type { Decision } from '../engine/operation.js';
import { assertAllLocked, assertLocked, lockingOthers } from '../engine/others.js';
import { readSettled } from '../engine/reads.js';
import { rewardsAtOnce } from '../engine/rewards.js';
import type { Selector } from '../engine/selector.js';
import { AppError } from '../errors/app-error.js';
import { type Book, planBookOf } from '../ledger/book.js';
import { cancelOrder as cancel } from '../ledger/cancelled-orders.js';
import type { TrialTrace } from '../ledger/customer-entities.js';
import { asksOf } from '../ledger/grant.js';
import type { Dispute, Order, Refund } from '../ledger/order-entities.js';
import {
  assertMayOrder,
  canonicalPaymentMethod,
  confirmOrder as confirm,
  createOrder,
  effectiveStatus,
  type OrderLine,
} from '../ledger/orders.js';
import { type Charged, chargeSubscription } from '../ledger/recurring-charges.js';
import { armRewards, noteSignals } from '../ledger/rewards.js';
import type { SubscribedPlan, Subscription } from '../ledger/subscription-entities.js';
import { readPeppers, tracesOf } from '../ledger/trials.js';
import { mergeSides } from '../ledger/two-sided-refunds.js';
import { required } from '../lib/assert.js';
import type { Metadata } from '../lib/metadata.js';
import { parseMoney } from '../lib/money.js';

/** The type of identity that the fingerprint of a payment is: as one of a trial it is the same. */
const PAYMENT_FINGERPRINT = 'payment_fingerprint';
/** How long an order can be paid when the caller does not say. */
const ORDER_LIFETIME_S = 24 * 3_600;

/** A line of an order as it is asked for; a price of its own is a decimal string. */
export interface OrderLineCommand {
  sku: string;
  quantity: number;
  price?: { of: string; reason: string };
}

export interface OrderCommand {
  items: OrderLineCommand[];
  metadata: Metadata;
  /** Seconds. */
  expiresIn?: number | undefined;
}

export interface ConfirmOrderCommand {
  status: 'paid' | 'failed';
  paymentId: string | undefined;
  paymentMethod: string;
  /** A decimal string. */
  amount: string | undefined;
  currency: string | undefined;
  /** By what the payer is known to the provider, such as the fingerprint of a card. */
  paymentFingerprint?: string | undefined;
}

/**
 * Takes an order: snapshots the offers' prices and terms. Creates the customer on first sight.
 * Throws: invalid_request (a price with more decimals than its currency has), offer_not_found, offer_inactive, offer_exchange_only, product_inactive, mixed_currencies, already_unlimited, quantity_too_large,
 * too_many_batches, plan_is_free, too_many_open_orders, offer_limit_reached, customer_not_found, selector_conflict, idempotency_key_reused, unavailable.
 */
export async function placeOrder(
  deps: Deps,
  selector: Selector,
  command: OrderCommand,
  call: Call,
  render: Render<OrderResult>,
): Promise<RecordedAnswer> {
  const { openOrdersMax } = deps.config;
  return deps.engine.run({
    name: 'order.create',
    selector,
    call,
    request: command,
    load: (tx) => findOrderableOffers(tx, [...new Set(command.items.map((item) => item.sku))]),
    needs: (offers) => ({ asks: asksOf([...offers.values()].flatMap((offer) => offer.terms)) }),
    loadMore: async (tx, offers, _customerId, now, familyIds) => {
      const [open, places] = await Promise.all([
        countOpenOrders(tx, familyIds, now, openOrdersMax),
        countPlaces(tx, familyIds, offers.values(), now),
      ]);
      return { open, places };
    },
    decide: ({ book, loaded: offers, more: { open, places } }) => {
      assertMayOrder(open, openOrdersMax);
      const lifetimeMs = (command.expiresIn ?? ORDER_LIFETIME_S) * 1_000;
      const expiresAt = new Date(book.now.getTime() + lifetimeMs);
      const lines = command.items.map(
        ({ price, ...line }): OrderLine =>
          price ? { ...line, override: { price: parseMoney(price.of), reason: price.reason } } : line,
      );
      const order = createOrder(book, offers, places, { lines, metadata: command.metadata, expiresAt });
      return { outcome: 'accepted', result: { order, granted: NO_BATCHES } };
    },
    render,
  });
}

/** An order with what came of it. */
export interface SoldOrderResult extends OrderResult {
  refunds: Refund[];
  disputes: Dispute[];
}

/**
 * An order with what it granted, and its refunds and disputes. Throws: order_not_found (also of another customer than the selector names),
 * customer_not_found, selector_conflict.
 */
export async function getOrder(deps: Deps, selector: Selector, orderId: string): Promise<SoldOrderResult> {
  const { customerId: owner } = await requireOwner(deps, { kind: 'order', id: orderId }, selector);
  const order = required(await findOrder(deps.db, owner, orderId), 'orders are kept');
  const reader = await requireCustomer(deps, { customerId: order.customerId });
  const { now } = reader;
  const granted =
    order.paidAt === null
      ? NO_BATCHES
      : await readSettled(deps, reader, { at: now, isPast: false }, (tx, settled) =>
          findOrderBatches(tx, reader.familyIds, order.id, now, settled),
        );
  const [refunds, disputes] = await Promise.all([
    listRefunds(deps.db, owner, orderId).then(mergeSides),
    listDisputes(deps.db, owner, orderId),
  ]);
  return { order: { ...order, status: effectiveStatus(order, now) }, granted, refunds, disputes };
}

/**
 * Confirms the payment of an order and grants what it bought. Idempotent by payment, with or without a key: the payment that paid this order
 * gets the first answer again, byte for byte. What a referral earns by it is armed, and granted at once where nothing is waited for.
 * Locks: the customer, then the payment's claim. Throws: order_not_found (also of another customer than the selector names), customer_not_found,
 * selector_conflict, invalid_request (payment_id missing), payment_already_used, order_already_paid, order_not_payable, payment_mismatch,
 * plan_is_free, quantity_too_large, idempotency_key_reused, overloaded, unavailable.
 */
export async function confirmOrder(
  deps: Deps,
  selector: Selector,
  orderId: string,
  command: ConfirmOrderCommand,
  call: Call,
  render: Render<OrderResult>,
): Promise<RecordedAnswer> {
  const { answer } = await confirmSale(deps, selector, { orderId, isCharge: false }, command, call, render);
  return answer;
}

/** What a charge names: an order, a subscription of which it pays a period, or both. */
export type NamedSale = { orderId: string; subscriptionId?: string } | { orderId?: undefined; subscriptionId: string };

/**
 * Like `confirmOrder`, for a charge that a provider tells: of a subscription, or of an order of a plan that another charge paid, it pays the next period. Returns
 * which order it paid.
 * Locks: the customer, then the payment's claim. Throws: those of `confirmOrder`; subscription_not_found, subscription_ended, subscription_incomplete,
 * subscription_not_renewable.
 */
export async function confirmCharge(
  deps: Deps,
  named: NamedSale,
  command: ConfirmOrderCommand,
  call: Call,
  render: Render<OrderResult>,
): Promise<string> {
  const { orderId } = await confirmSale(deps, {}, { ...named, isCharge: true }, command, call, render);
  return orderId;
}

type Sale = NamedSale & {
  /** It may be of the next period of a subscription. */
  isCharge: boolean;
};

/** What a charge names comes to something in another ledger of the family, where it is decided: an order, or a subscription that a merge brought there. */
class SaleElsewhere extends AppError {
  constructor(readonly named: NamedSale) {
    super('unavailable', 'The subscription changed at the same time; try again.', { retryAfterS: 1 });
  }
}

/** How often what a charge names is looked at. */
const LOOKS_MAX = 5;

async function confirmSale(
  deps: Deps,
  selector: Selector,
  sale: Sale,
  command: ConfirmOrderCommand,
  call: Call,
  render: Render<OrderResult>,
): Promise<{ answer: RecordedAnswer; orderId: string }> {
  const rewards = rewardsAtOnce(deps);
  let at: NamedSale = sale;
  for (let looks = 1; ; looks += 1) {
    try {
      const confirmed = await lockingOthers((alsoLocks) =>
        confirmAt(deps, selector, { ...sale, at, alsoLocks }, command, rewards, call, render),
      );
      await rewards.settle();
      return confirmed;
    } catch (error) {
      if (!(error instanceof SaleElsewhere) || looks >= LOOKS_MAX) throw error;
      at = error.named;
    }
  }
}

/** Where a sale is decided: what it named, and what that comes to. */
type SaleAt = Sale & { at: NamedSale; alsoLocks: readonly string[] | undefined };

async function confirmAt(
  deps: Deps,
  selector: Selector,
  { at: { orderId, subscriptionId }, isCharge, alsoLocks, ...said }: SaleAt,
  command: ConfirmOrderCommand,
  rewards: ReturnType<typeof rewardsAtOnce>,
  call: Call,
  render: Render<OrderResult>,
): Promise<{ answer: RecordedAnswer; orderId: string }> {
  const paymentMethod = canonicalPaymentMethod(command.paymentMethod);
  const owned =
    orderId === undefined
      ? { kind: 'subscription' as const, id: subscriptionId }
      : { kind: 'order' as const, id: orderId };
  let paidOrderId = orderId;
  const { paymentFingerprint: fingerprint, ...told } = command;
  const signals = fingerprint === undefined ? [] : signalsOf(deps, fingerprint);
  // A rotation of peppers changes no fingerprint of a request: the oldest stays.
  const paymentSignal = signals.at(-1)?.identityHash;
  const answer = await deps.engine.run({
    name: 'order.confirm',
    mayBeErased: true,
    selector: { ...selector, owned },
    alsoLocks,
    call,
    request: { orderId: said.orderId, subscriptionId: said.subscriptionId, ...told, paymentMethod, paymentSignal },
    load: async (tx, customerId) => {
      const [own, named, payment] = await Promise.all([
        findMerging(tx, [customerId]),
        orderId === undefined ? undefined : findOrder(tx, customerId, orderId),
        command.paymentId === undefined ? null : findPayment(tx, paymentMethod, command.paymentId),
      ]);
      const sale: FoundCharge = isCharge
        ? await findCharged(tx, customerId, { named, payment, subscriptionId })
        : { order: required(named, 'the order was found before') };
      const hasPlans = sale.order === undefined || sale.order.items.some(({ plan }) => plan !== null);
      // A change may take away what the plan before gave; a charge may pay the plan that it comes to.
      const finalId = own.get(customerId)?.mergedInto ?? customerId;
      const current = hasPlans ? await listCurrent(tx, [finalId]) : [];
      const waiting = await findOrdersOf(tx, current);
      return { sale, payment, current, waiting, hasPlans };
    },
    needs: ({ sale, current, hasPlans }) => ({
      asks: asksOf([...(sale.order?.items ?? []), ...current.flatMap(plansIn)].flatMap(({ terms }) => terms)),
      plans: hasPlans,
    }),
    loadMore: async (tx, { sale: { order } }, _customerId, now, familyIds) => {
      if (order !== undefined && order.paidAt !== null)
        return { granted: await findOrderBatches(tx, familyIds, order.id, now, []), trigger: undefined };
      const mayEarn = order === undefined || order.totalAmount > 0n;
      const referral = mayEarn ? await findEarningReferral(tx, familyIds) : undefined;
      if (!referral) return { granted: NO_BATCHES, trigger: undefined };
      const asked = { ...referral, familyIds, orderId: order?.id ?? null, passed: signals };
      const known = await loadTrigger(tx, 'on_first_paid_order', asked, now);
      return { granted: NO_BATCHES, trigger: { referral, ...known } };
    },
    decide: ({ book, loaded, more: { granted, trigger }, operationId }): Decision<OrderResult> => {
      const { sale, payment, waiting } = loaded;
      assertHere(book, sale);
      if (sale.order?.status !== 'paid') assertLocked(book, waiting);
      for (const known of planBookOf(book).plans.subscriptions) known.orders = waiting;
      rewards.note(book);
      const said = {
        operationId,
        status: command.status,
        paymentId: command.paymentId ?? null,
        paymentMethod,
        amount: command.amount === undefined ? null : parseMoney(command.amount),
        currency: command.currency ?? null,
      };
      const decision = sale.charged
        ? chargeSubscription(book, toCharged(book, sale.charged), payment, said)
        : confirm(book, { ...sale.order, status: effectiveStatus(sale.order, book.now) }, payment, said);
      paidOrderId = decision.outcome === 'paid' ? decision.order.id : (sale.order?.id ?? orderId);
      switch (decision.outcome) {
        case 'replayed':
          // What was answered is blanked: it is answered as it is.
          if (book.isErased && sale.order)
            return { outcome: 'unchanged', result: asDecided(book, sale.order, granted) };
          return decision;
        case 'refused':
          return decision;
        case 'unchanged':
          return { outcome: 'unchanged', result: asDecided(book, decision.order, granted) };
        case 'failed':
          return {
            outcome: 'accepted',
            result: asDecided(book, decision.order, granted),
            recordAs: decision.recordAs,
          };
        case 'paid': {
          const { id: orderId } = decision.order;
          if (trigger) armRewards(book, { ...trigger, orderId, operationId });
          noteSignals(book, signals);
          rewards.note(book);
          const result = asDecided(book, decision.order, NO_BATCHES);
          return { outcome: 'accepted', result, recordAs: decision.recordAs };
        }
      }
    },
    render,
  });
  return { answer, orderId: required(paidOrderId, 'what was paid is an order') };
}

/**
 * What a charge comes to is decided in the ledger that it is in: of an order in that of the order, of a subscription in its own. Under whose order it is kept, where it
 * pays nothing, is locked too. Throws what begins the operation again.
 */
function assertHere(book: Book, { order, charged }: FoundCharge): void {
  if (order) {
    if (order.customerId !== book.customerId) throw new SaleElsewhere({ orderId: order.id });
    return;
  }
  const { stored, next, last } = charged;
  const isNext = next !== undefined && effectiveStatus(next, book.now) === 'pending';
  const ledgerId = isNext ? next.customerId : stored.customerId;
  const named = isNext ? { orderId: next.id } : {};
  if (ledgerId !== book.customerId) throw new SaleElsewhere({ ...named, subscriptionId: stored.id });
  if (last) assertAllLocked(book, [last.customerId]);
}

/** What a subscription is of, now and from the end of its period on. */
function plansIn({ plan, change }: Subscription): SubscribedPlan[] {
  return change ? [plan, change.plan] : [plan];
}

/** A subscription that is charged, as it is in the book; one that has ended is not in it. */
function toCharged(book: Book, { stored, next, last }: ChargedPlan): Charged {
  const known = book.plans.subscriptions.find(({ subscription }) => subscription.id === stored.id);
  const { subscription } = known ?? { subscription: stored };
  // A turn may just have made it.
  const order = [...book.changes.newOrders, ...(next ? [next] : [])].find(({ id }) => id === subscription.orderId);
  return { subscription, last, next: order ? { ...order, status: effectiveStatus(order, book.now) } : null };
}

/** The hashes of a payment's fingerprint, by the newest pepper first. */
function signalsOf({ config }: Deps, value: string): TrialTrace[] {
  const identity = { type: PAYMENT_FINGERPRINT, value };
  return readPeppers(config.pepper).flatMap((pepper) => tracesOf([identity], [pepper]));
}

/**
 * Cancels an order that nobody has paid. A payment that comes later is kept as unmatched. One that is cancelled is answered as it is.
 * Locks: the customer. Throws: order_not_found (also of another customer than the selector names), customer_not_found, selector_conflict,
 * order_not_cancellable, idempotency_key_reused, unavailable.
 */
export async function cancelOrder(
  deps: Deps,
  selector: Selector,
  orderId: string,
  reason: string | undefined,
  call: Call,
  render: Render<OrderResult>,
): Promise<RecordedAnswer> {
  return deps.engine.run({
    name: 'order.cancel',
    selector: { ...selector, owned: { kind: 'order', id: orderId } },
    call,
    request: { orderId, reason },
    load: async (tx, customerId) => required(await findOrder(tx, customerId, orderId), 'the order was found before'),
    needs: { asks: [] },
    decide: ({ book, loaded, operationId }): Decision<OrderResult> => {
      const stored = { ...loaded, status: effectiveStatus(loaded, book.now) };
      const { outcome, order } = cancel(book, stored, { operationId, reason: reason ?? null });
      return { outcome, result: { order, granted: NO_BATCHES } };
    },
    render,
  });
}

/** One page of orders, newest first, each with its status of now; of one customer where one is named. Throws: customer_not_found, selector_conflict. */
export async function getOrders(
  deps: Deps,
  { selector, paymentMethod, ...asked }: Omit<OrdersAsked, 'customerIds'> & { selector: Selector | undefined },
): Promise<Order[]> {
  const reader = selector && (await requireCustomer(deps, selector));
  const now = reader?.now ?? deps.clock.now();
  const method = paymentMethod === undefined ? undefined : canonicalPaymentMethod(paymentMethod);
  const listed = await listOrders(deps.db, { ...asked, paymentMethod: method, customerIds: reader?.familyIds }, now);
  return listed.map((order) => ({ ...order, status: effectiveStatus(order, now) }));
}

/** One page of what was told of payments, newest first; of one customer where one is named. Throws: customer_not_found, selector_conflict. */
export async function getPayments(
  deps: Deps,
  { selector, paymentMethod, ...asked }: Omit<PaymentsAsked, 'customerIds'> & { selector: Selector | undefined },
): Promise<StoredPayment[]> {
  const customerIds = selector && (await requireCustomer(deps, selector)).familyIds;
  const method = paymentMethod === undefined ? undefined : canonicalPaymentMethod(paymentMethod);
  return listPayments(deps.db, { ...asked, paymentMethod: method, customerIds });
}
