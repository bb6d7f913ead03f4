// Who had a trial (DOMAIN 3.8): identities are normalised and known only by keyed hashes, one per pepper, so that a stolen table names nobody.

import { fingerprintOf, keyedHash } from '../lib/keyed-hash.js';
import type { TrialClaim } from './entities.js';

export interface TrialIdentity {
  /** The provider, `customer_id`, or a kind such as device, payment or email; lower-case. */
  type: string;
  value: string;
}

/** A secret key of the hashes; its id is stored beside them. */
export interface Pepper {
  id: string;
  secret: string;
}

const SEPARATOR = '\0';
const EMAIL_TYPES = new Set(['email', 'e-mail']);
/** Providers whose mailboxes ignore dots in the local part. */
const DOTLESS_DOMAINS = new Set(['gmail.com', 'googlemail.com']);

/** Reads the configured peppers: comma-separated, the newest first; all of them are written and looked for. */
export function readPeppers(text: string): Pepper[] {
  const secrets = text.split(',').map((secret) => secret.trim());
  return secrets.filter((secret) => secret !== '').map((secret) => ({ id: fingerprintOf(secret), secret }));
}

function normaliseEmail(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 1) return address;
  const domain = address.slice(at + 1);
  const [mailbox = ''] = address.slice(0, at).split('+');
  const local = mailbox === '' ? address.slice(0, at) : mailbox;
  if (!DOTLESS_DOMAINS.has(domain)) return `${local}@${domain}`;
  return `${local.replaceAll('.', '')}@gmail.com`;
}

/** One form for all spellings of an identity: trimmed, lower-case; e-mail without sub-address, and without dots where those mean nothing. */
function normaliseTrialIdentity({ type, value }: TrialIdentity): TrialIdentity {
  const kind = type.trim().toLowerCase();
  const plain = value.trim().toLowerCase();
  return EMAIL_TYPES.has(kind) ? { type: 'email', value: normaliseEmail(plain) } : { type: kind, value: plain };
}

/** The rows that claim these scopes for these identities, sorted, so that overlapping claims meet in one order. Duplicates appear once. */
export function trialClaims(
  identities: readonly TrialIdentity[],
  scopes: readonly string[],
  peppers: readonly Pepper[],
): TrialClaim[] {
  const claims = new Map<string, TrialClaim>();
  for (const identity of identities) {
    const { type, value } = normaliseTrialIdentity(identity);
    for (const { id: pepperId, secret } of peppers) {
      const identityHash = keyedHash(secret, `${type}${SEPARATOR}${value}`);
      for (const scope of scopes) {
        claims.set(`${scope} ${pepperId} ${identityHash}`, { scope, pepperId, identityHash, identityType: type });
      }
    }
  }
  return [...claims.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, claim]) => claim);
}

/** What is known of a customer that counts for trials: his id and all of his identities. */
export function identitiesOf(
  customerId: string,
  own: readonly { provider: string; externalId: string }[],
): TrialIdentity[] {
  return [
    { type: 'customer_id', value: customerId },
    ...own.map(({ provider, externalId }) => ({ type: provider, value: externalId })),
  ];
}
