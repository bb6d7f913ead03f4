// Who had a trial (DOMAIN 3.8): identities are normalised and known only by keyed hashes, one per pepper, so that a stolen table names nobody.
// The rules of normalising have versions. Claims are written by the newest and looked for by all, so that what was used stays used; so are the plain hashes
// of a system that was moved in.

import { fingerprintOf, keyedHash, plainHash } from '../lib/keyed-hash.js';
import { plainEmail, plainPhone, plainText } from '../lib/spellings.js';
import type { TrialScope } from './catalog-entities.js';
import type { ArchivedTrial, TrialClaim, TrialTrace } from './customer-entities.js';

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
/** The names under which e-mail addresses and phone numbers are sent, as letters and digits alone. */
const WHOSE =
  '(?:user|customer|client|account|contact|login|billing|payment|payer|buyer|primary|personal|profile|verified)?';
const EMAIL_TYPE = new RegExp(`^${WHOSE}e?mail(?:address|addr|id)?$`);
const PHONE_TYPE = new RegExp(`^${WHOSE}(?:(?:tele|mobile|cell)?phone|mobile|cell|tel|msisdn)(?:number|num|no)?$`);

/** Reads the configured peppers: comma-separated, the newest first; all of them are written and looked for. */
export function readPeppers(text: string): Pepper[] {
  const secrets = text.split(',').map((secret) => secret.trim());
  return secrets
    .filter((secret) => secret !== '')
    .map((secret) => ({ id: fingerprintOf(secret, 'pepper-id'), secret }));
}

/** One form for all spellings of an identity; the version of these rules is 2. */
function plainIdentity({ type, value }: TrialIdentity): TrialIdentity {
  const kind = plainText(type);
  const name = kind.replace(/[^\p{L}\p{N}]/gu, '');
  if (EMAIL_TYPE.test(name)) return { type: 'email', value: plainEmail(value) };
  if (PHONE_TYPE.test(name)) return { type: 'phone', value: plainPhone(value) };
  return { type: kind, value: plainText(value) };
}

/** The rules of version 1, by which claims were written before. They never change: rows and fingerprints of requests are made by them. */
function identityOfVersion1({ type, value }: TrialIdentity): TrialIdentity {
  const kind = type.trim().toLowerCase();
  const plain = value.trim().toLowerCase();
  const isEmail = kind === 'email' || kind === 'e-mail';
  return isEmail ? { type: 'email', value: emailOfVersion1(plain) } : { type: kind, value: plain };
}

function emailOfVersion1(address: string): string {
  const at = address.lastIndexOf('@');
  if (at < 1) return address;
  const domain = address.slice(at + 1);
  const local = address.slice(0, at).split('+')[0] || address.slice(0, at);
  if (domain !== 'gmail.com' && domain !== 'googlemail.com') return `${local}@${domain}`;
  return `${local.replaceAll('.', '')}@gmail.com`;
}

function hashOf({ type, value }: TrialIdentity, pepper: Pepper): string {
  return keyedHash(pepper.secret, `${type}${SEPARATOR}${value}`);
}

/** The rows that claim these scopes for these identities, sorted, so that overlapping claims meet in one order. Duplicates appear once. */
export function trialClaims(
  identities: readonly TrialIdentity[],
  scopes: readonly string[],
  peppers: readonly Pepper[],
): TrialClaim[] {
  const claims = claimsBy(identities.map(plainIdentity), scopes, peppers);
  return [...claims.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, claim]) => claim);
}

/** The hashes by which identities are known, whatever they are used for. */
export function tracesOf(identities: readonly TrialIdentity[], peppers: readonly Pepper[]): TrialTrace[] {
  return trialClaims(identities, [''], peppers).map(({ scope: _, ...trace }) => trace);
}

/**
 * The rows by which it shows that one of these identities had a trial, in the order of the identities: the claims of now and those that version 1
 * of the rules would have made of the same spelling. Both are of the kind that the identity is now.
 */
export function trialTraces(
  identities: readonly TrialIdentity[],
  scopes: readonly string[],
  peppers: readonly Pepper[],
): TrialClaim[] {
  return identities.flatMap((identity) => {
    const now = plainIdentity(identity);
    const claims = claimsBy([now, identityOfVersion1(identity)], scopes, peppers);
    return [...claims.values()].map((claim) => ({ ...claim, identityType: now.type }));
  });
}

/** By what an archived trial is found. */
export type ArchivedTrace = Pick<ArchivedTrial, 'identityType' | 'identityHash'>;

/**
 * The archived trials by which it shows that one of these identities had one before it was moved in, in the order of the identities. The system there
 * hashed the bare value, or by its documentation `type:value`, trimmed and lower-cased.
 */
export function archivedTraces(identities: readonly TrialIdentity[]): ArchivedTrace[] {
  return identities.flatMap(({ type, value }) => {
    const identityType = type.trim().toLowerCase();
    const plain = value.trim().toLowerCase();
    return [plain, `${identityType}:${plain}`].map((text) => ({ identityType, identityHash: plainHash(text) }));
  });
}

function claimsBy(
  identities: readonly TrialIdentity[],
  scopes: readonly string[],
  peppers: readonly Pepper[],
): Map<string, TrialClaim> {
  const claims = new Map<string, TrialClaim>();
  for (const identity of identities) {
    for (const pepper of peppers) {
      const identityHash = hashOf(identity, pepper);
      for (const scope of scopes) {
        const claim = { scope, pepperId: pepper.id, identityHash, identityType: identity.type };
        claims.set(`${scope} ${pepper.id} ${identityHash}`, claim);
      }
    }
  }
  return claims;
}

/** Identities as the fingerprint of a request holds them: hashes, by the rules of version 1, so that a retry is known across versions. */
function identityHashes(identities: readonly TrialIdentity[], pepper: Pepper): string[] {
  return [...new Set(identities.map((identity) => hashOf(identityOfVersion1(identity), pepper)))].sort();
}

/** What counts for a trial: all of the customer's identities, those passed in beside them, and last his id, which tells the least. */
export function identitiesOf(
  customerIds: readonly string[],
  own: readonly { provider: string; externalId: string }[],
  passed: readonly TrialIdentity[] = [],
): TrialIdentity[] {
  return [
    ...own.map(({ provider, externalId }) => ({ type: provider, value: externalId })),
    ...passed,
    ...customerIds.map((value) => ({ type: 'customer_id', value })),
  ];
}

/** What a trial claims, and the traces of earlier ones that stand against it. */
export interface TrialsAsked {
  claims: TrialClaim[];
  traces: { claims: TrialClaim[]; archived: ReturnType<typeof archivedTraces> };
}

/** What trials of these offers claim for these identities: by whom he is known first, by our id of him last. `pepper` is as it is configured. */
export function trialsAsked(
  identities: readonly TrialIdentity[],
  offers: readonly { sku: string; trialScope: TrialScope | null }[],
  pepper: string,
): TrialsAsked {
  const scopes = [...new Set(offers.map((offer) => (offer.trialScope === 'offer' ? `offer:${offer.sku}` : 'any')))];
  const peppers = readPeppers(pepper);
  const traces = { claims: trialTraces(identities, scopes, peppers), archived: archivedTraces(identities) };
  return { claims: trialClaims(identities, scopes, peppers), traces };
}

/** Identities as a request's fingerprint holds them: under the oldest pepper, so that a rotation changes no fingerprint. */
export function fingerprintsOf(identities: readonly TrialIdentity[], pepper: string): string[] {
  const [oldest] = readPeppers(pepper).slice(-1);
  return oldest ? identityHashes(identities, oldest) : [];
}
