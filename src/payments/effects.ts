// What an event of a payment provider comes to: the mapping from what all providers tell to what the ledger does, in the words of the inbox. Everything here
// may be done again: a payment is confirmed once, whoever tells it how often.
import type { Call } from '../call.js';
import { findOrder, findPayment } from '../db/orders.js';
import { CHARGE_UNMATCHED, findOrderOfCharge } from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import type { DisputeStatus, RefundStatus } from '../ledger/order-entities.js';
import type { InboxStatus, PaymentEvent, PaymentEventKind } from '../ledger/payment-entities.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, type Micros } from '../lib/money.js';
import { renderOrder } from '../routes/orders.js';
import { renderDispute, renderRefund } from '../routes/refund-answers.js';
import { type ConfirmOrderCommand, confirmCharge, confirmOrder, type NamedSale } from '../services/orders.js';
import { actorOf } from '../services/payment-inbox.js';
import { disputeOrder, refundOrder } from '../services/refunds.js';
import { ownIdOf, type Provider } from './provider.js';

/** What became of an event. `waiting`: it is to be tried again. */
export interface Outcome {
  status: Exclude<InboxStatus, 'dismissed'>;
  reason: string | null;
  detail: string | null;
  orderId: string | null;
}

export type Effect = (deps: Deps, provider: Provider, event: PaymentEvent) => Promise<Outcome>;

/** Why an event waits. */
export const ORDER_MISSING = 'order_not_found';
export const SUBSCRIPTION_MISSING = 'subscription_not_found';
export const PAYMENT_MISSING = 'payment_not_known';

/** Nothing is known to be wrong with the event: it is tried again. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'unavailable',
  'overloaded',
  'clock_skewed',
  'order_not_found',
  'subscription_not_found',
  'order_not_paid',
  'refund_pending',
]);

function outcome(status: Outcome['status'], reason: string, detail: string, orderId: string | null = null): Outcome {
  return { status, reason, detail, orderId };
}

/** The order that an event is about: that which it names, or the one of its charge. */
async function matchOrder(
  { db }: Deps,
  { name, paymentMethod }: Provider,
  { orderRef, paymentId }: PaymentEvent,
): Promise<{ orderId: string } | Outcome> {
  const named = ownIdOf(orderRef);
  // It may be told before the order is there: then it waits, and another event of its charge finds it by this id.
  if (named !== null) return { orderId: named };
  const known =
    paymentId === null
      ? undefined
      : ((await findPayment(db, paymentMethod, paymentId))?.orderId ??
        (await findOrderOfCharge(db, { provider: name, paymentId })));
  if (known !== undefined) return { orderId: known };
  if (orderRef !== null) return outcome('quarantined', 'order_unknown', 'It names an order that is none of ours.');
  return outcome('waiting', 'no_order', 'It names no order, and no other event of its charge does.');
}

/** What a charge is about: what it names, or else the order of the same charge. */
async function matchCharge(deps: Deps, provider: Provider, event: PaymentEvent): Promise<NamedSale | Outcome> {
  const { orderRef, subscriptionRef } = event;
  const subscriptionId = ownIdOf(subscriptionRef) ?? undefined;
  if (subscriptionId !== undefined && ownIdOf(orderRef) === null) return { subscriptionId };
  if (subscriptionRef !== null && subscriptionId === undefined && orderRef === null)
    return outcome('quarantined', 'subscription_unknown', 'It names a subscription that is none of ours.');
  const matched = await matchOrder(deps, provider, event);
  return 'status' in matched || subscriptionId === undefined ? matched : { ...matched, subscriptionId };
}

/** Confirms the order of a payment, or that of the next period of a subscription. */
const pay: Effect = async (deps, provider, event) => {
  const { paymentId, amount, currency } = event;
  if (paymentId === null) return outcome('quarantined', 'payment_unknown', 'It names no charge.');
  if (amount === null || currency === null)
    return outcome('quarantined', 'amount_unknown', 'It has no amount, or in no currency that is known here.');
  const matched = await matchCharge(deps, provider, event);
  if ('status' in matched) return matched;
  const command = commandOf(provider, event, 'paid');
  return settledBy(matched.orderId ?? null, 'quarantined', () =>
    confirmCharge(deps, matched, command, callOf(provider), renderOrder(200)),
  );
};

/** Records that a payment failed. What paid before stays paid. */
const fail: Effect = async (deps, provider, event) => {
  if (event.paymentId === null) return outcome('ignored', 'no_payment', 'Nothing was charged.');
  const payment = await findPayment(deps.db, provider.paymentMethod, event.paymentId);
  if (payment?.status === 'paid') return outcome('ignored', 'already_paid', 'The charge paid.', payment.orderId);
  const matched = await matchOrder(deps, provider, event);
  if ('status' in matched) {
    const isOfSubscription = ownIdOf(event.subscriptionRef) !== null;
    return isOfSubscription ? outcome('ignored', 'no_payment', 'A charge of a subscription failed.') : matched;
  }
  const { orderId } = matched;
  const command = commandOf(provider, event, 'failed');
  // Told late: what was paid, or came and paid nothing, can't fail any more.
  return settledBy(orderId, 'ignored', async () => {
    await confirmOrder(deps, {}, orderId, command, callOf(provider), renderOrder(200));
    return orderId;
  });
};

function commandOf(provider: Provider, event: PaymentEvent, status: 'paid' | 'failed'): ConfirmOrderCommand {
  const { paymentId, amount, currency } = event;
  return {
    status,
    paymentId: paymentId ?? undefined,
    paymentMethod: provider.paymentMethod,
    amount: amount === null || currency === null ? undefined : decimalOf(amount, currency),
    currency: currency ?? undefined,
  };
}

function callOf({ name }: Provider): Call {
  return { actor: actorOf(name), idempotencyKey: undefined };
}

/** What an operation comes to: a refusal that time does not mend is `refused`. `work` says of which order it was. Throws what is none. */
async function settledBy(
  named: string | null,
  refused: Outcome['status'],
  work: () => Promise<string>,
): Promise<Outcome> {
  try {
    return { status: 'applied', reason: null, detail: null, orderId: await work() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return outcome(PASSING.has(error.code) ? 'waiting' : refused, error.code, error.message, named);
  }
}

/** What a refund or a dispute is about: the order that its charge paid, and how much of that, as a decimal. */
interface Sale {
  orderId: string;
  amount: string;
}

/** The sale of a charge. What bought nothing has none: that its money goes back takes nothing from anybody. */
async function matchSale({ db }: Deps, provider: Provider, event: PaymentEvent): Promise<Sale | Outcome> {
  const { paymentId, amount, currency } = event;
  if (paymentId === null) return outcome('quarantined', 'payment_unknown', 'It names no charge.');
  if (amount === null || currency === null)
    return outcome('quarantined', 'amount_unknown', 'It has no amount, or in no currency that is known here.');
  const payment = await findPayment(db, provider.paymentMethod, paymentId);
  if (payment?.status === 'unmatched')
    return outcome('ignored', CHARGE_UNMATCHED, 'The charge bought nothing.', payment.orderId);
  if (payment?.status !== 'paid')
    return outcome('waiting', PAYMENT_MISSING, 'No order is known that the charge paid.', payment?.orderId ?? null);
  const { orderId, customerId } = payment;
  const order = await findOrder(db, customerId, orderId);
  if (order?.currency !== currency)
    return outcome('quarantined', 'currency_mismatch', `The order is in ${order?.currency}.`, orderId);
  return { orderId, amount: decimalOf(amount, currency) };
}

function decimalOf(amount: Micros, currency: string): string {
  return formatMoney(amount, currencyDecimals(currency));
}

const TOLD_BY_PROVIDER = { isProvider: true, methods: new Set<string>() };

/** Refunds what a charge paid, or hears that the refund failed. */
function refund(status: RefundStatus): Effect {
  return async (deps, provider, event) => {
    if (event.refundId === null) return outcome('quarantined', 'refund_unknown', 'It names no refund.');
    const sale = await matchSale(deps, provider, event);
    if ('status' in sale) return sale;
    const { orderId, amount } = sale;
    const command = {
      status,
      pendingProvider: undefined,
      paymentMethod: provider.paymentMethod,
      refundId: event.refundId,
      disputeId: undefined,
      amount,
      items: undefined,
      reason: undefined,
      unrecoveredPolicy: 'ignore' as const,
    };
    return settledBy(orderId, 'quarantined', async () => {
      await refundOrder(deps, {}, orderId, command, TOLD_BY_PROVIDER, callOf(provider), renderRefund);
      return orderId;
    });
  };
}

/** Hears of a dispute of what a charge paid. */
function dispute(status: DisputeStatus): Effect {
  return async (deps, provider, event) => {
    const { disputeId } = event;
    if (disputeId === null) return outcome('quarantined', 'dispute_unknown', 'It names no dispute.');
    const sale = await matchSale(deps, provider, event);
    if ('status' in sale) return sale;
    const { orderId, amount } = sale;
    const { paymentMethod } = provider;
    const command = { status, paymentMethod, disputeId, amount, unrecoveredPolicy: 'ignore' as const };
    return settledBy(orderId, 'quarantined', async () => {
      await disputeOrder(deps, {}, orderId, command, callOf(provider), renderDispute);
      return orderId;
    });
  };
}

/** What each kind of event does. */
export const EFFECTS: Readonly<Record<PaymentEventKind, Effect>> = {
  paid: pay,
  failed: fail,
  expired: fail,
  cancelled: fail,
  refunded: refund('succeeded'),
  refund_failed: refund('failed'),
  dispute_opened: dispute('opened'),
  dispute_won: dispute('won'),
  dispute_lost: dispute('lost'),
  ignored: async () => outcome('ignored', 'no_effect', 'It says nothing of a payment, or nothing final.'),
  unreadable: async () => outcome('quarantined', 'unreadable', 'It does not say what happened, or not in full.'),
};
