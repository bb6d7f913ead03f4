// YooKassa: it signs nothing. A notification comes from its networks, and is believed in nothing but the id that it names: what there is to apply is
// fetched from its API.
import ipaddr from 'ipaddr.js';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { PaymentEvent, PaymentEventKind } from '../ledger/payment-entities.js';
import { currencyDecimals, isMoneyCurrency } from '../lib/currencies.js';
import { text } from '../schemas/text.js';
import {
  emptyEvent,
  invalidSignature,
  notAnEvent,
  type Provider,
  ProviderDenies,
  ProviderSilent,
  parseJson,
  readDecimal,
} from './provider.js';

export interface YookassaSettings {
  readonly shopId: string;
  readonly secretKey: string;
  /** Where the API is; undefined for YooKassa's own. */
  readonly apiUrl: string | undefined;
  /** Networks that notifications come from; undefined for those that YooKassa names. */
  readonly networks: readonly string[] | undefined;
}

/** From where notifications come (yookassa.ru/developers/using-api/webhooks, "IP-адреса"). */
const NETWORKS: readonly string[] = [
  '185.71.76.0/27',
  '185.71.77.0/27',
  '77.75.153.0/25',
  '77.75.156.11/32',
  '77.75.156.35/32',
  '77.75.154.128/25',
  '2a02:5180::/32',
];
const API_URL = 'https://api.yookassa.ru/v3';
const CALL_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 256 * 1_024;
const NOT_FOUND = 404;
const SUCCESS = 200;

const id = text({ max: 100, trim: false }).regex(/^[\w-]+$/);
const notification = z.object({ event: text({ max: 100 }), object: z.object({ id }) });
const amount = z.object({ value: z.string(), currency: z.string().toUpperCase() });
const metadata = z
  .object({ order_id: z.string().optional().catch(undefined), subscription_id: z.string().optional().catch(undefined) })
  .nullish()
  .transform((found) => found ?? {});
const payment = z.object({ id, status: z.string(), amount, metadata });
const refund = z.object({ id, status: z.string(), payment_id: id, amount });

/** Whether an address is in one of the networks; IPv4 inside IPv6 counts as IPv4. */
function isWithin(address: string, networks: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const own = ipaddr.process(address);
  return networks.some((network) => {
    const [base, bits] = ipaddr.parseCIDR(network.includes('/') ? network : `${network}/${wholeOf(network)}`);
    return base.kind() === own.kind() && own.match(base as never, bits);
  });
}

/** How many bits an address has. */
function wholeOf(address: string): number {
  return address.includes(':') ? 128 : 32;
}

const KINDS: ReadonlyMap<string, PaymentEventKind> = new Map([
  ['payment.succeeded', 'paid'],
  ['payment.canceled', 'cancelled'],
  ['refund.succeeded', 'refunded'],
]);

/** What a notification claims: of what, and nothing else of it. Throws: malformed_json, invalid_request. */
function readNotification(raw: Buffer): PaymentEvent {
  const read = notification.safeParse(parseJson(raw));
  if (!read.success) throw notAnEvent('it has no event, or no object with an id');
  const { event: type, object } = read.data;
  const event = emptyEvent(`${type}:${object.id}`, type);
  const kind = KINDS.get(type) ?? 'ignored';
  return kind === 'refunded' ? { ...event, kind, refundId: object.id } : { ...event, kind, paymentId: object.id };
}

const agent = new Agent({ connect: { timeout: CALL_TIMEOUT_MS } });

/** Fetches an object. Throws: ProviderDenies, ProviderSilent. */
async function fetchBack<S extends z.ZodType<{ id: string }>>(
  { shopId, secretKey, apiUrl }: YookassaSettings,
  { of, id: wanted }: { of: 'payments' | 'refunds'; id: string | null },
  schema: S,
): Promise<z.output<S>> {
  const authorization = `Basic ${Buffer.from(`${shopId}:${secretKey}`).toString('base64')}`;
  let status: number;
  let bytes: Buffer;
  try {
    const answer = await request(`${apiUrl ?? API_URL}/${of}/${wanted}`, {
      dispatcher: agent,
      headers: { authorization },
      headersTimeout: CALL_TIMEOUT_MS,
      bodyTimeout: CALL_TIMEOUT_MS,
    });
    status = answer.statusCode;
    bytes = await readAll(answer.body);
  } catch (cause) {
    throw new ProviderSilent('YooKassa could not be asked', { cause });
  }
  if (status === NOT_FOUND) throw new ProviderDenies('YooKassa does not know it');
  if (status !== SUCCESS) throw new ProviderSilent(`YooKassa answered ${status}`);
  const read = schema.safeParse(jsonOf(bytes));
  if (!read.success || read.data.id !== wanted) throw new ProviderSilent('YooKassa answered something else');
  return read.data;
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error('the answer is too long');
  }
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // the schema refuses it
  }
}

/** What became of it by now, which may be more than was told. Of what is not decided yet it is asked again. */
const PAYMENT_KINDS: ReadonlyMap<string, PaymentEventKind> = new Map([
  ['succeeded', 'paid'],
  ['canceled', 'cancelled'],
]);
const REFUND_KINDS: ReadonlyMap<string, PaymentEventKind> = new Map([
  ['succeeded', 'refunded'],
  ['canceled', 'ignored'],
]);

async function completePayment(settings: YookassaSettings, event: PaymentEvent): Promise<PaymentEvent> {
  const found = await fetchBack(settings, { of: 'payments', id: event.paymentId }, payment);
  const { order_id: orderRef = null, subscription_id: subscriptionRef = null } = found.metadata;
  const { value, currency } = found.amount;
  const kind = PAYMENT_KINDS.get(found.status);
  if (kind === undefined) throw new ProviderSilent(`YooKassa has the payment as ${found.status}`);
  return {
    ...event,
    kind,
    orderRef,
    subscriptionRef,
    paymentId: found.id,
    amount: readDecimal(value) ?? null,
    currency,
  };
}

async function completeRefund(settings: YookassaSettings, event: PaymentEvent): Promise<PaymentEvent> {
  const found = await fetchBack(settings, { of: 'refunds', id: event.refundId }, refund);
  const { value, currency } = found.amount;
  const kind = REFUND_KINDS.get(found.status);
  if (kind === undefined) throw new ProviderSilent(`YooKassa has the refund as ${found.status}`);
  return {
    ...event,
    kind,
    refundId: found.id,
    paymentId: found.payment_id,
    amount: readDecimal(value) ?? null,
    currency,
  };
}

export function createYookassa(settings: YookassaSettings): Provider {
  return {
    name: 'yookassa',
    paymentMethod: 'yookassa',
    keptHeaders: ['user-agent'],
    verify: ({ raw, address }) => {
      if (!isWithin(address, settings.networks ?? NETWORKS)) throw invalidSignature();
      return [readNotification(raw)];
    },
    read: (raw) => [readNotification(raw)],
    minorUnits: (currency) => (isMoneyCurrency(currency) ? currencyDecimals(currency) : undefined),
    complete: async (event) => {
      if (event.kind === 'ignored') return [event];
      return [await (event.refundId === null ? completePayment : completeRefund)(settings, event)];
    },
  };
}
