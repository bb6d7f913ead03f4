// From a token to who asks: the bootstrap token, an API key, or a customer by his own token. Of a key the hash is compared, in constant time, and whether it counts; that it is used is
// noted once an hour.
import { timingSafeEqual } from 'node:crypto';
import type { Actor } from '../call.js';
import { noteUseOfApiKey } from '../db/api-keys.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { isInForce } from '../ledger/api-keys.js';
import type { ApiKey } from '../ledger/management-entities.js';
import { hashOfToken, idOfApiKey, isApiKey } from '../lib/api-key.js';
import { type CustomerTokenClaims, createCustomerTokens, isCustomerToken } from '../lib/customer-token.js';
import { ALL_SCOPES } from '../lib/scopes.js';
import { readSecretKeys } from '../lib/secret-keys.js';
import { type KnownKey, KnownKeys } from './known-keys.js';
import { transactManagement } from './manage.js';

/** Whose the bootstrap token is. */
export const BOOTSTRAP_OWNER = 'bootstrap';
const BOOTSTRAP: Actor = { keyId: BOOTSTRAP_OWNER, ownerId: BOOTSTRAP_OWNER, scopes: ALL_SCOPES };
/** Other issuers of tokens have names that are shorter. */
const UUID_LENGTH = 36;
/** Refused keys that are remembered, each with a reason. */
const REFUSALS_MAX = 10_000;
const NO_SCOPES: Actor['scopes'] = new Set();
/** That a key is used, or refused for a reason, is noted so often at most. */
const USE_NOTED_MS = 3_600_000;

export interface Actors {
  /** Whose token it is. Throws: unauthenticated; what the database does. */
  of(token: string): Actor | Promise<Actor>;
  /** Signs a customer's token. */
  signCustomerToken(claims: CustomerTokenClaims): Promise<string>;
  /** To be called once a change of a key is committed. */
  forgetKey(id: string): void;
}

/** What is needed of a key at each request. */
interface ReadyKey {
  readonly key: ApiKey;
  readonly hash: Buffer;
  readonly actor: Actor;
  noteUseFromMs: number;
}

/** Makes what knows the tokens of a process. */
export function createActors(deps: Foundations, keys = new KnownKeys(deps)): Actors {
  const { clock, db, log, config } = deps;
  const bootstrapHash = hashOfToken(config.apiToken);
  const customerTokens = createCustomerTokens(readSecretKeys(config.secretKey));
  const refusalNotedUntilMs = new Map<string, number>();
  const ready = new WeakMap<KnownKey, ReadyKey>();

  const noteUse = (own: ReadyKey, now: Date): void => {
    own.noteUseFromMs = now.getTime() + USE_NOTED_MS;
    const since = new Date(now.getTime() - USE_NOTED_MS);
    noteUseOfApiKey(db, own.key.id, now, since).catch((error: unknown) =>
      log.warn({ err: error }, 'the use of an API key could not be noted'),
    );
  };

  /** Of a key that there is; each reason once an hour, however often it is tried. */
  const noteRefusal = (keyId: string, reason: 'wrong_secret' | 'revoked' | 'expired'): void => {
    const nowMs = clock.now().getTime();
    const what = `${keyId} ${reason}`;
    if (nowMs < (refusalNotedUntilMs.get(what) ?? 0)) return;
    if (refusalNotedUntilMs.size >= REFUSALS_MAX) refusalNotedUntilMs.clear();
    refusalNotedUntilMs.set(what, nowMs + USE_NOTED_MS);
    transactManagement(deps, {
      opener: 'pool',
      load: async () => undefined,
      decide: (_loaded, at, changes) => {
        changes.accessNotes.push({ action: 'api_key.refused', subject: keyId, actingKey: keyId, at, told: { reason } });
      },
    }).catch((error: unknown) => log.warn({ err: error }, 'a refused API key could not be audited'));
  };

  const actorOf = (known: KnownKey, hash: Buffer): Actor => {
    const own = ready.get(known) ?? toReady(known);
    if (!own || !timingSafeEqual(hash, own.hash)) {
      if (own) noteRefusal(own.key.id, 'wrong_secret');
      throw refusal('The token is not one of an API key.');
    }
    ready.set(known, own);
    const now = clock.now();
    if (!isInForce(own.key, now)) {
      noteRefusal(own.key.id, own.key.revokedAt ? 'revoked' : 'expired');
      throw refusal(`The API key ${own.key.revokedAt ? 'was revoked' : 'has expired'}.`);
    }
    if (now.getTime() >= own.noteUseFromMs) noteUse(own, now);
    return own.actor;
  };

  const customerOf = async (token: string): Promise<Actor> => {
    const claims = await customerTokens.verify(token, clock.now());
    if (typeof claims === 'string')
      throw refusal(claims === 'expired' ? 'The customer token has expired.' : 'The customer token is not valid.');
    const { customerId: id, abilities, issuedBy } = claims;
    const isOfKey = UUID_LENGTH === issuedBy.length;
    const { key } = isOfKey ? await keys.find(issuedBy) : { key: undefined };
    if (isOfKey && key?.revokedAt !== null) throw refusal('The API key that issued the customer token was revoked.');
    return {
      keyId: `customer:${issuedBy}`,
      ownerId: `customer:${id}`,
      scopes: NO_SCOPES,
      customer: { id, abilities: new Set(abilities) },
    };
  };

  /** Ids of keys by their texts, which are read once. */
  const idOf = rememberLast(idOfApiKey);

  return {
    of: (token) => {
      const hash = hashOfToken(token);
      if (!isApiKey(token)) {
        if (timingSafeEqual(hash, bootstrapHash)) return BOOTSTRAP;
        if (isCustomerToken(token)) return customerOf(token);
        throw refusal('The token is not valid.');
      }
      const id = idOf(token);
      if (id === undefined) throw refusal('The API key is mistyped or cut off: its checksum does not fit.');
      const known = keys.find(id);
      return known instanceof Promise ? known.then((read) => actorOf(read, hash)) : actorOf(known, hash);
    },
    signCustomerToken: (claims) => customerTokens.sign(claims),
    forgetKey: (id) => keys.forget(id),
  };
}

function toReady({ key }: KnownKey): ReadyKey | undefined {
  if (!key) return undefined;
  const { id, ownerId, scopes, tokenHash, lastUsedAt } = key;
  return {
    key,
    hash: Buffer.from(tokenHash, 'hex'),
    actor: { keyId: id, ownerId, scopes: new Set(scopes) },
    noteUseFromMs: lastUsedAt === null ? 0 : lastUsedAt.getTime() + USE_NOTED_MS,
  };
}

function refusal(detail: string): AppError {
  return new AppError('unauthenticated', detail);
}

const REMEMBERED_MAX = 1_000;

/** The same function, of which the last results are remembered. */
function rememberLast<R>(of: (text: string) => R): (text: string) => R {
  const results = new Map<string, R>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined) return known;
    const result = of(text);
    if (results.size >= REMEMBERED_MAX) results.clear();
    results.set(text, result);
    return result;
  };
}
