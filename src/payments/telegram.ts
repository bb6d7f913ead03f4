// Telegram: updates of a bot that sells for Stars or by Payments, with a secret in a header. `invoice_payload` is the id of the order. A question before the
// charge is answered in the reply, from the order as it is.
import { timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { PaymentEvent } from '../ledger/payment-entities.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { text } from '../schemas/text.js';
import {
  type AskedOrder,
  emptyEvent,
  fromMinor,
  invalidSignature,
  notAnEvent,
  type Provider,
  parseJson,
} from './provider.js';

export interface TelegramSettings {
  /** What the bot told Telegram to send (`secret_token` of setWebhook); several while one is replaced by another. */
  readonly secretTokens: readonly string[];
}

const SECRET_HEADER = 'x-telegram-bot-api-secret-token';
/** Aliases of it, such as `telegram_stars`, come to the same. */
const PAYMENT_METHOD = 'telegram_payments';
const MS_PER_S = 1_000;
/** Telegram waits for ten seconds; then the charge is refused without a word. */
const ANSWER_MS = 7_000;

/** Shorter than what is kept, by the number of an update. */
const CHARGE_LENGTH_MAX = 230;

const id = text({ max: 255, trim: false });
const charged = { currency: z.string().toUpperCase(), total_amount: z.int().min(0), invoice_payload: z.string() };
const payment = z.object({
  ...charged,
  telegram_payment_charge_id: text({ max: CHARGE_LENGTH_MAX, trim: false }),
});
const update = z.object({
  update_id: z.int(),
  message: z.looseObject({ date: z.int().optional().catch(undefined) }).optional(),
});
const question = z.object({ pre_checkout_query: z.object({ ...charged, id }) });

/** Whether it is one of the secrets, in constant time. */
function isSecret(given: unknown, secrets: readonly string[]): boolean {
  if (typeof given !== 'string') return false;
  const bytes = Buffer.from(given);
  const fits = secrets.filter((secret) => {
    const own = Buffer.from(secret);
    return own.length === bytes.length && timingSafeEqual(own, bytes);
  });
  return fits.length > 0;
}

/**
 * Telegram writes amounts as ISO 4217 has them (`exp` in core.telegram.org/bots/payments/currencies.json: 0 of CLP, ISK, JPY, KRW, PYG, UGX and VND, else 2);
 * Stars are whole.
 */
function telegramDecimals(currency: string): number | undefined {
  return isMoneyCurrency(currency) ? currencyDecimals(currency) : undefined;
}

/** What an update tells. Throws: malformed_json, invalid_request. */
function readUpdate(raw: Buffer): PaymentEvent {
  const read = update.safeParse(parseJson(raw));
  if (!read.success) throw notAnEvent('it is no update of a bot');
  const { update_id: updateId, message = {} } = read.data;
  const date = message.date as number | undefined;
  const members = ['successful_payment', 'refunded_payment'] as const;
  const type = members.find((member) => Object.hasOwn(message, member));
  const event = {
    ...emptyEvent(String(updateId), type ?? 'update'),
    occurredAt: date === undefined ? null : new Date(date * MS_PER_S),
  };
  if (type === undefined) return event;
  const told = payment.safeParse((message as Record<string, unknown>)[type]);
  if (!told.success) return { ...event, kind: 'unreadable' };
  const { telegram_payment_charge_id: paymentId, invoice_payload: orderRef, currency, total_amount: total } = told.data;
  const decimals = telegramDecimals(currency);
  return {
    ...event,
    // The number of an update is of its bot, which may be another by now, and begins anywhere after a week of silence: it may come again for another charge.
    eventId: `${updateId}:${paymentId}`,
    kind: type === 'successful_payment' ? 'paid' : 'refunded',
    orderRef,
    paymentId,
    // A charge is given back once, as a whole: its refund has no id of its own.
    refundId: type === 'refunded_payment' ? paymentId : null,
    amount: decimals === undefined ? null : fromMinor(total, decimals),
    currency,
  };
}

const TEXTS = {
  unknown: 'This order is not known any more. Please order again.',
  paid: 'This order is paid already.',
  ended: 'This order is not open any more. Please order again.',
  repriced: 'The price of this order is another one. Please order again.',
  late: 'The shop can’t answer at the moment. Please try again in a minute.',
} as const;

/** Why a charge must not be made, in words for who pays; undefined where it may. */
function objectionTo(
  { currency, total_amount: total }: { currency: string; total_amount: number },
  order: AskedOrder | undefined,
): string | undefined {
  if (!order) return TEXTS.unknown;
  if (order.status === 'paid' || order.status === 'partially_refunded') return TEXTS.paid;
  if (order.status !== 'pending') return TEXTS.ended;
  const decimals = telegramDecimals(currency);
  const isSame =
    decimals !== undefined && currency === order.currency && fromMinor(total, decimals) === order.totalAmount;
  return isSame ? undefined : TEXTS.repriced;
}

/** What `asking` comes to within the time that Telegram allows; undefined when it takes longer, or fails. */
async function inTime<T>(asking: Promise<T>): Promise<{ found: T } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS);
  });
  try {
    return await Promise.race([asking.then((found) => ({ found })).catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

export function createTelegram({ secretTokens }: TelegramSettings): Provider {
  return {
    name: 'telegram',
    paymentMethod: PAYMENT_METHOD,
    keptHeaders: [],
    verify: ({ raw, headers }) => {
      if (!isSecret(headers[SECRET_HEADER], secretTokens)) throw invalidSignature();
      return [readUpdate(raw)];
    },
    read: (raw) => [readUpdate(raw)],
    minorUnits: telegramDecimals,
    answer: async (raw, findOrder) => {
      const read = question.safeParse(parseJson(raw));
      if (!read.success) return undefined;
      const { pre_checkout_query: query } = read.data;
      const asked = await inTime(findOrder(query.invoice_payload));
      const objection = asked ? objectionTo(query, asked.found) : TEXTS.late;
      const answer = { method: 'answerPreCheckoutQuery', pre_checkout_query_id: query.id };
      return objection === undefined ? { ...answer, ok: true } : { ...answer, ok: false, error_message: objection };
    },
  };
}
