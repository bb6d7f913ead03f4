// What a payment provider told, as it is shown: in the inbox, to who tries a mapping, and beside a provider's list.
import type { PaymentEvent } from '../ledger/payment-entities.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney, type Micros } from '../lib/money.js';

/** An event in the words of all providers. */
export function toToldView(event: PaymentEvent) {
  return {
    event_id: event.eventId,
    type: event.type,
    kind: event.kind,
    order_ref: event.orderRef,
    subscription_ref: event.subscriptionRef,
    payment_id: event.paymentId,
    refund_id: event.refundId,
    dispute_id: event.disputeId,
    amount: toldAmount(event),
    currency: event.currency,
  };
}

/** An amount with the decimals of its currency, where both are known. */
export function toldAmount({ amount, currency }: { amount: Micros | null; currency: string | null }): string | null {
  return amount === null ? null : formatMoney(amount, currencyDecimals(currency ?? ''));
}
