// A page of Stripe on which an order is paid: a Checkout Session of the order's lines, one for each order and day.
import type Stripe from 'stripe';
import type { Config } from '../config.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Order } from '../ledger/order-entities.js';
import { getOrder } from '../services/orders.js';
import { toMinor } from './provider.js';
import { stripeClient, stripeDecimals } from './stripe.js';

const MS_PER_S = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** What Stripe allows at least, and by itself. */
const LIFETIME_MIN_MS = 30 * MINUTE_MS;
const LIFETIME_MAX_MS = DAY_MS;
const NAME_LENGTH_MAX = 250;
const THREE_DECIMALS = 3;
const MESSAGE_LENGTH_MAX = 500;
const KEY_REFUSALS: ReadonlySet<number> = new Set([401, 403]);
const REFUSALS = { least: 400, tooMany: 429, most: 499 };

export interface Checkout {
  id: string;
  url: string;
  expiresAt: Date | null;
}

/**
 * Makes the page of an order, or finds it again. A payment there comes in as a webhook. Throws: order_not_found, order_already_paid, order_not_payable,
 * payment_provider_not_found (no secret key), checkout_unavailable, checkout_differs, provider_refused, unavailable.
 */
export async function makeCheckout(
  deps: Deps,
  orderId: string,
  urls: { successUrl: string; cancelUrl: string | undefined },
): Promise<Checkout> {
  const { stripe: settings } = deps.config.payments;
  if (!settings?.secretKey) {
    const detail = 'No secret key of Stripe is configured.';
    throw new AppError('payment_provider_not_found', detail, { pointer: 'path/id' });
  }
  const { order } = await getOrder(deps, {}, orderId);
  assertPayable(order);
  const now = deps.clock.now();
  const stripe = await stripeClient(settings);
  const idempotencyKey = `bursar-checkout-${order.id}-${Math.floor((now.getTime() - order.createdAt.getTime()) / DAY_MS)}`;
  const parameters = { ...toSession(order), ...lifetimeOf(order, now, deps.config), ...toUrls(urls) };
  const session = await asked(() => stripe.checkout.sessions.create(parameters, { idempotencyKey }));
  if (!session.url) throw new AppError('provider_refused', 'Stripe made a session without a page.');
  const expiresAt = session.expires_at ? new Date(session.expires_at * MS_PER_S) : null;
  return { id: session.id, url: session.url, expiresAt };
}

function assertPayable({ status, totalAmount }: Order): void {
  if (status === 'paid' || status === 'partially_refunded')
    throw new AppError('order_already_paid', 'The order is paid.', { pointer: 'path/id' });
  if (status !== 'pending') {
    throw new AppError('order_not_payable', `The order is ${status}.`, { extensions: { orderStatus: status } });
  }
  if (totalAmount === 0n) throw unavailable('Nothing is to be paid.');
}

function unavailable(detail: string): AppError {
  return new AppError('checkout_unavailable', detail, { pointer: 'path/id' });
}

/** What is paid, and for what: the order's id comes back with every event about it. */
function toSession(order: Order): Stripe.Checkout.SessionCreateParams {
  const decimals = stripeDecimals(order.currency);
  if (decimals === undefined) throw unavailable(`Stripe has no ${order.currency}.`);
  const metadata = { order_id: order.id };
  return {
    mode: 'payment',
    client_reference_id: order.id,
    metadata,
    payment_intent_data: { metadata },
    line_items: order.items.map(({ name, price, quantity }) => {
      const unitAmount = toMinor(price, decimals);
      if (unitAmount === undefined) throw unavailable(`Stripe has ${decimals} decimals of ${order.currency}.`);
      // Stripe rounds these to tens (docs.stripe.com/currencies, "Three-decimal currencies").
      if (decimals === THREE_DECIMALS && unitAmount % 10 !== 0)
        throw unavailable(`The last of the three decimals of ${order.currency} is 0 at Stripe.`);
      const product_data = { name: name.slice(0, NAME_LENGTH_MAX) };
      return {
        quantity,
        price_data: { currency: order.currency.toLowerCase(), unit_amount: unitAmount, product_data },
      };
    }),
  };
}

/**
 * Until when it can be paid: as long as the order, where that ends within what Stripe allows; else Stripe's own day. It follows from the order alone, so that
 * the same call is the same request. A clock that is set by hand says nothing to Stripe.
 */
function lifetimeOf(
  { createdAt, expiresAt }: Order,
  now: Date,
  { isSandbox }: Config,
): Pick<Stripe.Checkout.SessionCreateParams, 'expires_at'> {
  if (isSandbox || expiresAt.getTime() - createdAt.getTime() > LIFETIME_MAX_MS) return {};
  if (expiresAt.getTime() - now.getTime() < LIFETIME_MIN_MS)
    throw unavailable('The order ends within half an hour, which is less than Stripe’s pages last.');
  return { expires_at: Math.floor(expiresAt.getTime() / MS_PER_S) };
}

function toUrls({ successUrl, cancelUrl }: { successUrl: string; cancelUrl: string | undefined }) {
  return { success_url: successUrl, ...(cancelUrl !== undefined && { cancel_url: cancelUrl }) };
}

/** Asks Stripe. Throws its refusal, or its silence, as ours. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { type, statusCode = 0, message = '' } = error as Partial<Stripe.errors.StripeError>;
    if (type === undefined) throw error;
    if (type === 'StripeIdempotencyError') {
      const detail = 'The order has a page that leads elsewhere afterwards.';
      throw new AppError('checkout_differs', detail, { pointer: '/success_url', cause: error });
    }
    const isFinal = statusCode >= REFUSALS.least && statusCode <= REFUSALS.most && statusCode !== REFUSALS.tooMany;
    // Whose fault the key is, whoever orders has no business with.
    const said = KEY_REFUSALS.has(statusCode) ? 'it does not take the secret key for this' : message;
    throw isFinal
      ? new AppError('provider_refused', `Stripe refused: ${said.slice(0, MESSAGE_LENGTH_MAX)}`, { cause: error })
      : new AppError('unavailable', 'Stripe could not be asked.', { cause: error });
  }
}
