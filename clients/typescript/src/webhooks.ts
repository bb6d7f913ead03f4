// Verification of what Bursar sends to webhook endpoints (Standard Webhooks).
import { Webhook, WebhookVerificationError } from 'standardwebhooks';
import type { Answer } from './call.js';

/** An event, as the feed and webhooks tell it. */
export type BursarEvent = Answer<'followEvents'>['data'][number];

/** The signature is missing or wrong, the message too old or too new, or no JSON. */
export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused';
}

type HeaderSource =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;
const HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];

/**
 * The event of a webhook, once its signature was found right by one of the secrets (several while they rotate). `rawBody` are the bytes as they came, not
 * what a parser made of them. Messages of more than five minutes ago are refused. Deliveries may come twice: `webhook-id` tells them apart.
 * Throws: WebhookRefused; TypeError without a secret, or for a body that was parsed.
 */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: HeaderSource,
  rawBody: string | Uint8Array,
): BursarEvent {
  const keys = (typeof secrets === 'string' ? [secrets] : secrets).filter((secret) => secret !== '');
  if (keys.length === 0) throw new TypeError('a webhook can not be verified without a secret');
  if (typeof rawBody !== 'string' && !(rawBody instanceof Uint8Array))
    throw new TypeError('a webhook is verified by the raw body, a text or bytes');
  const text = typeof rawBody === 'string' ? rawBody : decode(rawBody);
  const sent = Object.fromEntries(HEADERS.map((name) => [name, readHeader(headers, name)]));
  let refusal: unknown;
  for (const key of keys) {
    try {
      return new Webhook(key).verify(text, sent) as BursarEvent;
    } catch (error) {
      if (!(error instanceof WebhookVerificationError || error instanceof SyntaxError)) throw error;
      refusal = error;
    }
  }
  throw new WebhookRefused(refusal instanceof Error ? refusal.message : 'refused', { cause: refusal });
}

function readHeader(headers: HeaderSource, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as Record<string, unknown>)[name];
  return typeof value === 'string' ? value : '';
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new WebhookRefused('the body is not UTF-8', { cause });
  }
}
