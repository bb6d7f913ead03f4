// Stripe: signed events, by its own library on the raw bytes. What a charge is called is its PaymentIntent; refunds and disputes have ids of their own.
// The library is loaded when it is first needed: most processes never do.
import type Stripe from 'stripe';
import { z } from 'zod';
import type { PaymentEvent, PaymentEventKind } from '../ledger/payment-entities.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { text } from '../schemas/text.js';
import {
  emptyEvent,
  fromMinor,
  invalidSignature,
  notAnEvent,
  ownIdOf,
  type Provider,
  ProviderDenies,
  ProviderSilent,
  parseJson,
} from './provider.js';

/** What is configured of Stripe. */
export interface StripeSettings {
  /** Of the endpoint; several while one is replaced by another. */
  readonly webhookSecrets: readonly string[];
  /** To ask, and to make Checkout Sessions; undefined where only webhooks come in. */
  readonly secretKey: string | undefined;
  /** Where the API is; undefined for Stripe's own. */
  readonly apiUrl: string | undefined;
}

/** Whose shapes are read and sent here. */
const API_VERSION = '2026-10-28.endive';
const TOLERANCE_S = 300;
const CALL_TIMEOUT_MS = 10_000;
const CALL_RETRIES = 2;
/** Of a page; of a charge in all, which is more than anybody gives back in parts. */
const REFUNDS_AT_ONCE = 100;
const REFUNDS_MAX = 2_000;
const MS_PER_S = 1_000;
const NOT_FOUND = 404;

/**
 * Decimals of amounts, where they are not those of ISO 4217 (docs.stripe.com/currencies, "Zero-decimal currencies" and "Special cases"): the ariary has
 * none; the krona and the Ugandan shilling keep two that are always 00, though the list of those without decimals has the shilling, too. The forint and the
 * Taiwan dollar are charged with two: only payouts of them are whole.
 */
const DECIMALS: Readonly<Record<string, number>> = { MGA: 0, ISK: 2, UGX: 2 };
/** Sold by Telegram alone. */
const STARS = 'XTR';

/** Decimals of Stripe's amounts in a currency; undefined of one that is no money there. */
export function stripeDecimals(currency: string): number | undefined {
  const code = currency.toUpperCase();
  if (!isMoneyCurrency(code) || code === STARS) return undefined;
  return DECIMALS[code] ?? currencyDecimals(code);
}

const clients = new WeakMap<StripeSettings, Promise<Stripe>>();

/** The library, set up as configured. */
export function stripeClient(settings: StripeSettings): Promise<Stripe> {
  const known = clients.get(settings);
  if (known) return known;
  const made = makeClient(settings);
  clients.set(settings, made);
  return made;
}

async function makeClient({ secretKey, apiUrl }: StripeSettings): Promise<Stripe> {
  const { default: Library } = await import('stripe');
  const url = apiUrl === undefined ? undefined : new URL(apiUrl);
  const port = url?.port || (url?.protocol === 'http:' ? '80' : '443');
  return new Library(secretKey ?? 'none', {
    apiVersion: API_VERSION,
    timeout: CALL_TIMEOUT_MS,
    maxNetworkRetries: CALL_RETRIES,
    telemetry: false,
    ...(url && { host: url.hostname, port, protocol: url.protocol === 'http:' ? 'http' : 'https' }),
  });
}

/** Makes sure that Stripe signed it: by any of the secrets, a short while ago. Throws: invalid_signature. */
function requireSignature(stripe: Stripe, raw: Buffer, header: unknown, secrets: readonly string[]): void {
  const { signature } = stripe.webhooks;
  if (typeof header !== 'string' || !signature) throw invalidSignature();
  const isSignedBy = (secret: string): boolean => {
    try {
      return signature.verifyHeader(raw, header, secret, TOLERANCE_S);
    } catch {
      return false; // whatever is wrong with it: a header that it can't read is none
    }
  };
  if (!secrets.some(isSignedBy)) throw invalidSignature();
}

const id = text({ max: 255, trim: false });
/** An object, or its id. */
const reference = z
  .union([id, z.object({ id }).transform((object) => object.id)])
  .nullish()
  .transform((found) => found ?? null);
const metadata = z
  .object({ order_id: id.optional().catch(undefined), subscription_id: id.optional().catch(undefined) })
  .nullish()
  .transform((found) => found ?? {});
const minor = z.int().min(0);
const currency = z.string().toUpperCase();

const envelope = z.object({
  id,
  type: id,
  created: z.int().optional().catch(undefined),
  data: z.object({ object: z.unknown() }),
});
const checkoutSession = z.object({
  id,
  mode: z.string(),
  payment_status: z.string(),
  payment_intent: reference,
  client_reference_id: z.string().nullish(),
  metadata,
  amount_total: minor.nullable(),
  currency: currency.nullable(),
});
const paymentIntent = z.object({
  id,
  metadata,
  amount: minor,
  amount_received: minor.optional(),
  currency,
});
const charge = z.object({ id, payment_intent: reference, currency });
/** A refund, and a dispute, which tells the same of itself. */
const goingBack = z.object({
  id,
  charge: reference,
  payment_intent: reference,
  amount: minor,
  currency,
  status: z.string(),
});
const subscription_details = z.object({ metadata }).nullish();
const invoice = z.object({
  id,
  amount_paid: minor,
  currency,
  metadata,
  payment_intent: reference,
  parent: z.object({ subscription_details }).nullish(),
  // Where versions of the API before that of here have it.
  subscription_details,
  lines: z
    .object({ data: z.array(z.object({ metadata })) })
    .nullish()
    .catch(undefined),
});

/** Of what is named in several places the first that can be an id of ours: a shop may have its own numbers under the same names. Else the first at all. */
function oursFirst(named: readonly (string | null | undefined)[]): string | null {
  const refs = named.filter((ref) => ref !== null && ref !== undefined);
  return refs.find((ref) => ownIdOf(ref) !== null) ?? refs[0] ?? null;
}

type Told = Partial<Omit<PaymentEvent, 'eventId' | 'type'>>;

function money(amount: number | null, code: string | null): Pick<Told, 'amount' | 'currency'> {
  const decimals = code === null ? undefined : stripeDecimals(code);
  return { amount: amount === null || decimals === undefined ? null : fromMinor(amount, decimals), currency: code };
}

const NOTHING: Told = {};

function fromSession(kind: PaymentEventKind, object: unknown): Told {
  const session = checkoutSession.parse(object);
  // Those of a subscription are paid by invoices, which say so themselves; what is completed but unpaid is paid or fails later.
  const isPaid = session.payment_status !== 'unpaid';
  if (session.mode !== 'payment' || (kind === 'paid' && !isPaid)) return NOTHING;
  return {
    kind,
    orderRef: oursFirst([session.metadata.order_id, session.client_reference_id]),
    paymentId: session.payment_intent ?? (isPaid ? session.id : null),
    ...money(session.amount_total, session.currency),
  };
}

function fromIntent(kind: PaymentEventKind, object: unknown): Told {
  const intent = paymentIntent.parse(object);
  const { order_id: orderRef = null, subscription_id: subscriptionRef = null } = intent.metadata;
  const amount = kind === 'paid' ? (intent.amount_received ?? intent.amount) : intent.amount;
  return { kind, orderRef, subscriptionRef, paymentId: intent.id, ...money(amount, intent.currency) };
}

/** What was refunded in all is told; which refunds these are has to be asked. */
function fromCharge(object: unknown): Told {
  const { id: chargeId, payment_intent: intent, currency: code } = charge.parse(object);
  return { kind: 'refunded', paymentId: intent ?? chargeId, currency: code };
}

const REFUND_KINDS: ReadonlyMap<string, PaymentEventKind> = new Map([
  ['succeeded', 'refunded'],
  ['failed', 'refund_failed'],
  ['canceled', 'refund_failed'],
]);

function fromRefund(object: unknown): Told {
  const { id: refundId, status, amount, currency: code, ...of } = goingBack.parse(object);
  const kind = REFUND_KINDS.get(status) ?? 'ignored';
  return { kind, refundId, paymentId: of.payment_intent ?? of.charge, ...money(amount, code) };
}

/**
 * What a dispute has come to is its status, whichever event tells it: an inquiry becomes a dispute, and one is decided, by an update. An inquiry (a warning), and
 * a dispute that was prevented, move no money; one that ended because the charge was refunded is no loss beside the refund.
 */
const DISPUTE_KINDS: ReadonlyMap<string, PaymentEventKind> = new Map([
  ['needs_response', 'dispute_opened'],
  ['under_review', 'dispute_opened'],
  ['won', 'dispute_won'],
  ['charge_refunded', 'dispute_won'],
  ['lost', 'dispute_lost'],
  ['warning_needs_response', 'ignored'],
  ['warning_under_review', 'ignored'],
  ['warning_closed', 'ignored'],
  ['prevented', 'ignored'],
]);

function fromDispute(object: unknown): Told {
  const { id: disputeId, status, amount, currency: code, ...of } = goingBack.parse(object);
  const kind = DISPUTE_KINDS.get(status) ?? 'unreadable';
  return { kind, disputeId, paymentId: of.payment_intent ?? of.charge, ...money(amount, code) };
}

/** What an invoice was paid by is not always told: then it is called by the invoice, until that is asked. */
function fromInvoice(object: unknown): Told {
  const { id: invoiceId, amount_paid: amount, currency: code, ...rest } = invoice.parse(object);
  if (amount === 0) return NOTHING;
  const { parent, subscription_details: details, lines } = rest;
  // Its own come first; those of the subscription are copied to the invoice and to its lines.
  const told = [rest.metadata, parent?.subscription_details?.metadata, details?.metadata];
  const all = [...told, ...(lines?.data.map((line) => line.metadata) ?? [])];
  const first = (name: 'order_id' | 'subscription_id') => oursFirst(all.map((each) => each?.[name]));
  return {
    kind: 'paid',
    orderRef: first('order_id'),
    subscriptionRef: first('subscription_id'),
    paymentId: rest.payment_intent ?? invoiceId,
    ...money(amount, code),
  };
}

const READERS: ReadonlyMap<string, (object: unknown) => Told> = new Map(
  Object.entries<(object: unknown) => Told>({
    'checkout.session.completed': (object) => fromSession('paid', object),
    'checkout.session.async_payment_succeeded': (object) => fromSession('paid', object),
    'checkout.session.async_payment_failed': (object) => fromSession('failed', object),
    'checkout.session.expired': (object) => fromSession('expired', object),
    'payment_intent.succeeded': (object) => fromIntent('paid', object),
    'payment_intent.payment_failed': (object) => fromIntent('failed', object),
    'payment_intent.canceled': (object) => fromIntent('cancelled', object),
    'charge.refunded': fromCharge,
    'refund.created': fromRefund,
    'refund.updated': fromRefund,
    'refund.failed': fromRefund,
    'charge.refund.updated': fromRefund,
    'charge.dispute.created': fromDispute,
    'charge.dispute.updated': fromDispute,
    'charge.dispute.funds_withdrawn': fromDispute,
    'charge.dispute.closed': fromDispute,
    'invoice.paid': fromInvoice,
  }),
);

/** What an event tells. Throws: malformed_json, invalid_request. */
function readEvent(raw: Buffer): PaymentEvent {
  const read = envelope.safeParse(parseJson(raw));
  if (!read.success) throw notAnEvent('it has no id, type or data.object');
  const { id: eventId, type, created, data } = read.data;
  const event = {
    ...emptyEvent(eventId, type),
    occurredAt: created === undefined ? null : new Date(created * MS_PER_S),
  };
  const reader = READERS.get(type);
  if (!reader) return event;
  try {
    return { ...event, ...reader(data.object) };
  } catch (error) {
    if (error instanceof z.ZodError) return { ...event, kind: 'unreadable' };
    throw error;
  }
}

const INVOICE_ID = /^in_/;

async function refundsOf(settings: StripeSettings, event: PaymentEvent): Promise<PaymentEvent[]> {
  const stripe = await stripeClient(settings);
  const of = event.paymentId?.startsWith('ch_')
    ? { charge: event.paymentId }
    : { payment_intent: event.paymentId ?? '' };
  const found = await asked(() =>
    stripe.refunds.list({ ...of, limit: REFUNDS_AT_ONCE }).autoPagingToArray({ limit: REFUNDS_MAX }),
  );
  return found.map((each) => ({ ...event, ...fromRefund(each) }));
}

async function paidBy(settings: StripeSettings, event: PaymentEvent): Promise<PaymentEvent> {
  const stripe = await stripeClient(settings);
  const { data } = await asked(() =>
    stripe.invoicePayments.list({ invoice: event.paymentId ?? '', status: 'paid', limit: 1 }),
  );
  const found = reference.safeParse(data[0]?.payment.payment_intent);
  return found.success && found.data !== null ? { ...event, paymentId: found.data } : { ...event, kind: 'unreadable' };
}

/** Asks Stripe. Throws: ProviderSilent, ProviderDenies. */
async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { statusCode, type } = error as Partial<Stripe.errors.StripeError>;
    if (type === undefined) throw error;
    throw statusCode === NOT_FOUND
      ? new ProviderDenies('Stripe does not know it', { cause: error })
      : new ProviderSilent('Stripe could not be asked', { cause: error });
  }
}

export function createStripe(settings: StripeSettings): Provider {
  const { webhookSecrets, secretKey } = settings;
  return {
    name: 'stripe',
    paymentMethod: 'stripe',
    keptHeaders: ['user-agent'],
    verify: async ({ raw, headers }) => {
      requireSignature(await stripeClient(settings), raw, headers['stripe-signature'], webhookSecrets);
      return [readEvent(raw)];
    },
    read: (raw) => [readEvent(raw)],
    minorUnits: stripeDecimals,
    complete: async (event) => {
      const isCumulative = event.kind === 'refunded' && event.refundId === null;
      const isOfInvoice = event.kind === 'paid' && INVOICE_ID.test(event.paymentId ?? '');
      if (isCumulative) return secretKey === undefined ? [{ ...event, kind: 'ignored' }] : refundsOf(settings, event);
      if (isOfInvoice)
        return [secretKey === undefined ? { ...event, kind: 'unreadable' } : await paidBy(settings, event)];
      return [event];
    },
  };
}
