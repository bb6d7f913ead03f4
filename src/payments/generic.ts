// A provider without a file of its own: it signs by Standard Webhooks or by HMAC-SHA-256, and says in a few JSON pointers what its bodies mean.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { PaymentEvent, PaymentSource, SourceMapping, SourceSignature } from '../ledger/payment-entities.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import type { Micros } from '../lib/money.js';
import { isSigned } from '../lib/webhook-signature.js';
import { ID_LENGTH_MAX, isStorableText } from '../schemas/text.js';
import {
  emptyEvent,
  fromMinor,
  invalidSignature,
  type KeptHeaders,
  notAnEvent,
  type Provider,
  parseJson,
  readDecimal,
} from './provider.js';

const ID_HEADER = 'webhook-id';
const POINTER = /^\//;
const INDEX = /^(?:0|[1-9]\d*)$/;

/** What stands before the name of a source, in the inbox and below `/payments/`. */
export const GENERIC = 'generic/';

/** What stands at a JSON pointer (RFC 6901); undefined where nothing does. */
function valueAt(value: unknown, pointer: string): unknown {
  let found = value;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    if (Array.isArray(found) && !INDEX.test(name)) return undefined; // its length is no part of the JSON
    found = (found as Record<string, unknown>)[name];
  }
  return found;
}

function textAt(body: unknown, pointer: string | null): string | null {
  return pointer === null ? null : textOf(valueAt(body, pointer));
}

/** A text that can be kept and looked up, or the digits of a whole number that is exact; null of anything else. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : null;
  if (typeof value !== 'string') return null;
  const trimmed = value.trim();
  return trimmed !== '' && trimmed.length <= ID_LENGTH_MAX && isStorableText(trimmed) ? trimmed : null;
}

function amountAt(body: unknown, { amount, amountUnit }: SourceMapping, currency: string): Micros | null {
  const value = valueAt(body, amount);
  const written = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  if (amountUnit === 'major') return readDecimal(written) ?? null;
  const minor = /^\d{1,15}$/.test(written) ? Number(written) : undefined;
  return minor !== undefined && isMoneyCurrency(currency) ? fromMinor(minor, currencyDecimals(currency)) : null;
}

/** What a body of a source means. Throws: malformed_json, invalid_request (there is no id of the event). */
export function readMapped(mapping: SourceMapping, raw: Buffer, headers: KeptHeaders): PaymentEvent {
  const body = parseJson(raw);
  const eventId = mapping.eventId === null ? textOf(headers[ID_HEADER]) : textAt(body, mapping.eventId);
  if (eventId === null) {
    const place = mapping.eventId === null ? `in the header ${ID_HEADER}` : `at ${mapping.eventId}`;
    throw notAnEvent(`it has no id of 1 to ${ID_LENGTH_MAX} characters ${place}`);
  }
  const status = textAt(body, mapping.status);
  const type = textAt(body, mapping.type) ?? status ?? 'unknown';
  const event = emptyEvent(eventId, type);
  if (status === null) return { ...event, kind: 'unreadable' };
  const kind = Object.hasOwn(mapping.statuses, status) ? (mapping.statuses[status] ?? 'ignored') : 'ignored';
  const named = POINTER.test(mapping.currency) ? textAt(body, mapping.currency) : mapping.currency;
  const currency = named?.toUpperCase() ?? null;
  return {
    ...event,
    kind,
    orderRef: textAt(body, mapping.orderId),
    subscriptionRef: textAt(body, mapping.subscriptionId),
    paymentId: textAt(body, mapping.paymentId),
    refundId: textAt(body, mapping.refundId),
    disputeId: textAt(body, mapping.disputeId),
    amount: currency === null ? null : amountAt(body, mapping, currency),
    currency,
  };
}

/** Whether a body is signed by one of the secrets, as the source signs. */
function isOfSource(
  signature: SourceSignature,
  raw: Buffer,
  headers: IncomingHttpHeaders,
  secrets: readonly string[],
): boolean {
  if (signature.scheme === 'standard_webhooks')
    return isSigned(raw, headers as Record<string, string | undefined>, secrets);
  const { header, encoding, prefix } = signature;
  const given = headers[header];
  if (typeof given !== 'string' || !given.startsWith(prefix)) return false;
  const bytes = Buffer.from(given.slice(prefix.length), encoding);
  return secrets.some((secret) => {
    const own = createHmac('sha256', secret).update(raw).digest();
    return own.length === bytes.length && timingSafeEqual(own, bytes);
  });
}

/** Headers that name an event, as they are kept. */
export function keptOf(headers: IncomingHttpHeaders, names: readonly string[]): KeptHeaders {
  const kept = names.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(
    kept.filter((pair): pair is [string, string] => typeof pair[1] === 'string' && isStorableText(pair[1])),
  );
}

/** The provider that a source is; `secrets` are those that count now. */
export function createGeneric(
  { name, paymentMethod, signature, mapping }: PaymentSource,
  secrets: readonly string[],
): Provider {
  const keptHeaders = ['user-agent', ID_HEADER];
  return {
    name: `${GENERIC}${name}`,
    paymentMethod,
    keptHeaders,
    verify: ({ raw, headers }) => {
      if (!isOfSource(signature, raw, headers, secrets)) throw invalidSignature();
      return [readMapped(mapping, raw, keptOf(headers, keptHeaders))];
    },
    read: (raw, headers) => [readMapped(mapping, raw, headers)],
    minorUnits: (currency) => (isMoneyCurrency(currency) ? currencyDecimals(currency) : undefined),
  };
}
