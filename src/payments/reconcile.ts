// A provider's own list of charges beside what is known here: what is missing on either side, and what differs. Changes nothing, unless the missing ones are to
// be applied, which takes the way of every event.
import { hash } from 'node:crypto';
import { findPayments, listOtherPayments } from '../db/orders.js';
import type { Deps } from '../deps.js';
import type { Payment } from '../ledger/order-entities.js';
import { canonicalPaymentMethod } from '../ledger/orders.js';
import type { PaymentEvent } from '../ledger/payment-entities.js';
import { inboxOf } from './inbox.js';
import { emptyEvent, readDecimal } from './provider.js';

/** How many of each kind are listed; all are counted. */
const LISTED_MAX = 1_000;
/** Charges that are looked up, and applied, at a time. */
const STEP = 500;
/** Of a digest that tells apart what lists tell of one charge. */
const DIGEST_LENGTH = 12;

/** A charge as the provider's list has it. */
export interface Charge {
  paymentId: string;
  /** A decimal string. */
  amount: string;
  currency: string;
  isPaid: boolean;
  orderId: string | undefined;
}

export interface ReconcileTerms {
  paymentMethod: string;
  /** Of when our own charges are that should be in the list; without it they are not looked for. */
  span: { from: Date; until: Date } | undefined;
  isApplied: boolean;
}

/** A charge of which both sides tell otherwise. */
export interface Difference {
  charge: Charge;
  payment: Payment;
}

/** Some of a kind, and how many there are. */
export interface Found<T> {
  count: number;
  listed: T[];
}

export interface Reconciliation {
  paymentMethod: string;
  charges: number;
  matched: number;
  missingHere: Found<Charge>;
  /** Undefined where no span was named; its count ends where the list does. */
  missingThere: Found<Payment> | undefined;
  differing: Found<Difference>;
  /** How many of the missing ones came into the inbox; undefined where none should. */
  applied: number | undefined;
}

/** Compares a list with what is known here. Throws: payment_provider_not_found. */
export async function reconcile(
  deps: Deps,
  charges: readonly Charge[],
  { paymentMethod: method, span, isApplied }: ReconcileTerms,
): Promise<Reconciliation> {
  const paymentMethod = canonicalPaymentMethod(method);
  const provider = isApplied ? await inboxOf(deps).requireMethod(paymentMethod) : undefined;
  const missing: Charge[] = [];
  const differing: Difference[] = [];
  for (let at = 0; at < charges.length; at += STEP) {
    const step = charges.slice(at, at + STEP);
    const found = await findPayments(
      deps.db,
      paymentMethod,
      step.map(({ paymentId }) => paymentId),
    );
    const known = new Map(found.map((payment) => [payment.paymentId, payment]));
    for (const charge of step) {
      const payment = known.get(charge.paymentId);
      // That it failed was told here, and not that it was paid after all.
      const isMissing = charge.isPaid && (!payment || payment.status === 'failed');
      if (isMissing) missing.push(charge);
      else if (payment && !isSame(charge, payment)) differing.push({ charge, payment });
    }
  }
  const ids = charges.map(({ paymentId }) => paymentId);
  const others = span && (await listOtherPayments(deps.db, { paymentMethod, ...span }, ids, LISTED_MAX));
  let applied = 0;
  for (let at = 0; provider && at < missing.length; at += STEP)
    applied += await inboxOf(deps).take(provider, missing.slice(at, at + STEP).map(toEvent));
  return {
    paymentMethod,
    charges: charges.length,
    matched: charges.length - missing.length - differing.length,
    missingHere: found(missing),
    missingThere: others && found(others),
    differing: found(differing),
    applied: isApplied ? applied : undefined,
  };
}

function found<T>(all: readonly T[]): Found<T> {
  return { count: all.length, listed: all.slice(0, LISTED_MAX) };
}

function isSame({ amount, currency, isPaid }: Charge, payment: Payment): boolean {
  const isSameMoney =
    (payment.amount === null || payment.amount === readDecimal(amount)) &&
    (payment.currency === null || payment.currency === currency);
  return isSameMoney && isPaid === (payment.status === 'paid');
}

/** A missing charge as an event: what is told of a charge is the same event, whatever list has it, and what is told otherwise later is another. */
function toEvent({ paymentId, amount: written, currency, orderId }: Charge): PaymentEvent {
  const orderRef = orderId ?? null;
  const amount = readDecimal(written) ?? null;
  const told = hash('sha256', JSON.stringify([String(amount), currency, orderRef]), 'hex').slice(0, DIGEST_LENGTH);
  return {
    ...emptyEvent(`reconciled:${paymentId}:${told}`, 'reconciled'),
    kind: 'paid',
    orderRef,
    paymentId,
    amount,
    currency,
  };
}
