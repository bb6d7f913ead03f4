// Bodies of payment providers, of the shape of their public documentation, signed by their own libraries.
import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import type { Config } from '../../src/config.js';
import type { Json } from './app.js';

export const STRIPE_SECRET = 'whsec_of_the_tests';
export const OLD_STRIPE_SECRET = 'whsec_of_the_tests_before';
export const TELEGRAM_SECRET = 'secret-token-of-the-tests';
export const STANDARD_SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

const stripe = new Stripe('sk_test_of_the_tests');
const TELEGRAM_HEADER = 'x-telegram-bot-api-secret-token';
const DAY_S = 86_400;

/** A body, and the headers that it is sent with. */
export interface Signed {
  body: string;
  headers: Record<string, string>;
}

/** Signs a body as Stripe does. */
export function signedByStripe(body: string, { secret = STRIPE_SECRET, ageS = 0 } = {}): Signed {
  const timestamp = Math.floor(Date.now() / 1_000) - ageS;
  const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
  return { body, headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature } };
}

/** An event of Stripe. */
export function stripeEvent(id: string, type: string, object: Json, more: Json = {}): string {
  return JSON.stringify({
    id,
    object: 'event',
    api_version: '2026-10-28.endive',
    created: 1_769_860_800,
    livemode: false,
    type,
    data: { object },
    ...more,
  });
}

/** A PaymentIntent that pays an order; 1.00 USD. */
export function paymentIntent(id: string, orderId: string | undefined, more: Json = {}): Json {
  return {
    id,
    object: 'payment_intent',
    amount: 100,
    amount_received: 100,
    currency: 'usd',
    status: 'succeeded',
    client_secret: `${id}_secret_abc`,
    metadata: orderId === undefined ? {} : { order_id: orderId },
    ...more,
  };
}

/** A Checkout Session that paid an order by a PaymentIntent; 1.00 USD. */
export function checkoutSession(id: string, intentId: string, orderId: string | null, more: Json = {}): Json {
  return {
    id,
    object: 'checkout.session',
    mode: 'payment',
    status: 'complete',
    payment_status: 'paid',
    payment_intent: intentId,
    client_reference_id: orderId,
    amount_total: 100,
    currency: 'usd',
    metadata: {},
    ...more,
  };
}

/** A payment of an order as Stripe tells it, signed. */
export function stripePayment(eventId: string, intentId: string, orderId: string | undefined, more: Json = {}): Signed {
  return signedByStripe(stripeEvent(eventId, 'payment_intent.succeeded', paymentIntent(intentId, orderId, more)));
}

/** An update of Telegram, with its secret. */
export function telegramUpdate(update: Json, secret = TELEGRAM_SECRET): Signed {
  return { body: JSON.stringify(update), headers: { 'content-type': 'application/json', [TELEGRAM_HEADER]: secret } };
}

/** An invoice of a subscription that was paid, with what the subscription has as its metadata; 10.00 USD by a PaymentIntent. */
export function subscriptionInvoice(id: string, intentId: string, metadata: Json, more: Json = {}): Json {
  return {
    id,
    object: 'invoice',
    billing_reason: 'subscription_cycle',
    status: 'paid',
    amount_paid: 1_000,
    currency: 'usd',
    metadata: {},
    payment_intent: intentId,
    parent: { type: 'subscription_details', subscription_details: { subscription: 'sub_1', metadata } },
    lines: { object: 'list', data: [{ id: `il_${id}`, object: 'line_item', metadata }] },
    ...more,
  };
}

/** A payment by Stars. */
export function starsPaid(updateId: number, chargeId: string, orderId: string, stars: number, more: Json = {}): Json {
  return {
    update_id: updateId,
    message: {
      message_id: 7,
      date: 1_769_860_800,
      chat: { id: 4711, type: 'private' },
      from: { id: 4711, is_bot: false, first_name: 'Ada' },
      successful_payment: {
        currency: 'XTR',
        total_amount: stars,
        invoice_payload: orderId,
        telegram_payment_charge_id: chargeId,
        provider_payment_charge_id: '',
        ...more,
      },
    },
  };
}

/** What Telegram asks before it charges. */
export function preCheckout(orderId: string, stars: number, currency = 'XTR'): Json {
  return {
    update_id: 1,
    pre_checkout_query: {
      id: 'query-1',
      from: { id: 4711, is_bot: false, first_name: 'Ada' },
      currency,
      total_amount: stars,
      invoice_payload: orderId,
    },
  };
}

/** A notification of YooKassa. */
export function yookassaNotification(event: string, objectId: string, more: Json = {}): string {
  return JSON.stringify({ type: 'notification', event, object: { id: objectId, ...more } });
}

/** Signs a body by Standard Webhooks. */
export function signedByStandard(body: string, id: string, { secret = STANDARD_SECRET, ageS = 0 } = {}): Signed {
  const at = new Date(Date.now() - ageS * 1_000);
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
  return { body, headers };
}

/** Signs a body by HMAC-SHA-256. */
export function signedByHmac(body: string, secret: string, encoding: 'hex' | 'base64', prefix = ''): Signed {
  const signature = createHmac('sha256', secret).update(body).digest(encoding);
  return { body, headers: { 'content-type': 'application/json', 'x-signature': `${prefix}${signature}` } };
}

/** Longer ago than any provider's signature counts. */
export const STALE_S = DAY_S;

/** The providers that tests configure. */
export function paymentSettings(more: Partial<Config['payments']> = {}): Config['payments'] {
  return {
    stripe: { webhookSecrets: [STRIPE_SECRET, OLD_STRIPE_SECRET], secretKey: undefined, apiUrl: undefined },
    telegram: { secretTokens: [TELEGRAM_SECRET] },
    yookassa: null,
    ...more,
  };
}
