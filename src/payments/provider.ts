// What a payment provider is to us: who may have sent a body, what it tells in the words of all providers, and what has to be asked of the provider itself.
// One file for each provider; `providers.ts` lists them.
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../errors/app-error.js';
import type { PaymentEvent } from '../ledger/payment-entities.js';
import { findJsonFault } from '../lib/json-fault.js';
import { type Micros, MONEY_MAX, parseMoney } from '../lib/money.js';
import { UUID_PATTERN } from '../schemas/text.js';

/** What came in: the bytes, the headers, and from which address. */
export interface Delivery {
  raw: Buffer;
  headers: IncomingHttpHeaders;
  address: string;
}

/** Headers that are kept beside a body. */
export type KeptHeaders = Readonly<Record<string, string>>;

/** An order as a provider's question needs it. */
export interface AskedOrder {
  status: string;
  totalAmount: Micros;
  currency: string;
}

export interface Provider {
  /** Its part of the path, and its name in the inbox. */
  readonly name: string;
  /** Under which its charges are payments. */
  readonly paymentMethod: string;
  /** Headers that are stored beside the body, in lower case: never one that is a secret, or by which another body could be sent. */
  readonly keptHeaders: readonly string[];
  /**
   * What a body tells, once it is certain who sent it: no event where it is a question. Throws: invalid_signature, malformed_json, invalid_request (it is no
   * event at all).
   */
  verify(delivery: Delivery): Promise<PaymentEvent[]> | PaymentEvent[];
  /** What a body tells that was verified when it came. */
  read(raw: Buffer, headers: KeptHeaders): PaymentEvent[];
  /** Decimals of the amounts that it tells in a currency; undefined of one that it does not have. */
  minorUnits(currency: string): number | undefined;
  /** Asks the provider what an event does not say, or is not believed; what there is to apply then. Throws: `ProviderSilent`, and `ProviderDenies`. */
  complete?(event: PaymentEvent): Promise<PaymentEvent[]>;
  /** Answers a question that a verified body asks, as the provider wants it; undefined where it asks none. */
  answer?(raw: Buffer, findOrder: (ref: string) => Promise<AskedOrder | undefined>): Promise<object | undefined>;
}

/** The provider could not be asked: later it may be. */
export class ProviderSilent extends Error {}

/** The provider knows nothing of what it is said to have told. */
export class ProviderDenies extends Error {}

/** The refusal of what is not signed as it should be. It says nothing of why: that would help a forger. */
export function invalidSignature(): AppError {
  return new AppError('invalid_signature', 'This is not signed by a secret that counts, or not recently.');
}

/** The refusal of a body that is no event. */
export function notAnEvent(what: string): AppError {
  return new AppError('invalid_request', `The body is no event of this provider: ${what}.`);
}

/** Parses a body. Throws: malformed_json. */
export function parseJson(raw: Buffer): unknown {
  const text = raw.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column, expected } = findJsonFault(text) ?? { line: 1, column: 1, expected: 'JSON' };
    const detail = `The body is not well-formed JSON at line ${line}, column ${column}: ${expected} is expected there.`;
    throw new AppError('malformed_json', detail, { extensions: { line, column }, cause });
  }
}

const MICRO_DECIMALS = 6;

/** An amount in the smallest units of a currency that has so many decimals. Precondition: a whole number. */
export function fromMinor(minor: number, decimals: number): Micros {
  return BigInt(minor) * 10n ** BigInt(MICRO_DECIMALS - decimals);
}

/** An amount as whole units of a currency that has so many decimals; undefined where that can't be said. */
export function toMinor(amount: Micros, decimals: number): number | undefined {
  const unit = 10n ** BigInt(MICRO_DECIMALS - decimals);
  return amount % unit === 0n ? Number(amount / unit) : undefined;
}

/** An amount that is written in decimals; undefined of any other text. */
export function readDecimal(text: string): Micros | undefined {
  if (!/^\d{1,14}(?:\.\d{1,6})?$/.test(text)) return undefined;
  const amount = parseMoney(text);
  return amount <= MONEY_MAX ? amount : undefined;
}

/** The id of ours that a provider names, whether or not there is one; null where it can't be. */
export function ownIdOf(ref: string | null): string | null {
  return ref !== null && UUID_PATTERN.test(ref) ? ref.toLowerCase() : null;
}

/** An event about which nothing is known but its name. */
export function emptyEvent(eventId: string, type: string): PaymentEvent {
  return {
    eventId,
    type,
    kind: 'ignored',
    orderRef: null,
    subscriptionRef: null,
    paymentId: null,
    refundId: null,
    disputeId: null,
    amount: null,
    currency: null,
    occurredAt: null,
  };
}
