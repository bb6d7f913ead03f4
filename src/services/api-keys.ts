// API keys: made, listed, rotated and revoked. The key itself is told once, to whom it was made for, and kept nowhere.
import type { Actor } from '../call.js';
import { findApiKey, hasSuccessor, listApiKeys, lockApiKey } from '../db/api-keys.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import {
  type ApiKeyTerms,
  assertEndsLater,
  assertMayGive,
  revokeApiKey as revoke,
  rotateApiKey as rotate,
} from '../ledger/api-keys.js';
import type { ApiKey } from '../ledger/management-entities.js';
import { hashOfToken, makeApiKey } from '../lib/api-key.js';

/** A key, with what it is sent as. */
export interface NewApiKey {
  apiKey: ApiKey;
  token: string;
}

function draw(deps: Pick<Deps, 'ids'>, { keyId }: Actor) {
  const id = deps.ids.next();
  const token = makeApiKey(id);
  return { token, fresh: { id, tokenHash: hashOfToken(token).toString('hex'), createdBy: keyId } };
}

function keyNotFound(): AppError {
  return new AppError('api_key_not_found', 'There is no such API key.', { pointer: 'path/id' });
}

/** Makes a key, with scopes that the caller has himself. Throws: forbidden, unavailable. */
export async function createApiKey(
  deps: Pick<Deps, 'engine' | 'ids'>,
  terms: ApiKeyTerms,
  actor: Actor,
): Promise<NewApiKey> {
  assertMayGive(actor.scopes, terms.scopes, '/scopes');
  const { token, fresh } = draw(deps, actor);
  const apiKey = await deps.engine.manage({
    opener: 'pool',
    load: async () => undefined,
    decide: (_loaded, now, changes): ApiKey => {
      const { name, scopes, expiresAt } = terms;
      assertEndsLater(expiresAt, now);
      const key = { ...fresh, ownerId: fresh.id, name, scopes: [...new Set(scopes)], expiresAt, createdAt: now };
      const made = { ...key, revokedAt: null, lastUsedAt: null };
      changes.apiKeys.push({ before: undefined, after: made, at: now, actingKey: actor.keyId });
      return made;
    },
  });
  return { apiKey, token };
}

/** One page of the keys, newest first. */
export async function getApiKeys(
  deps: Pick<Deps, 'db'>,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<ApiKey[]> {
  return listApiKeys(deps.db, page);
}

/** A key. Throws: api_key_not_found. */
export async function getApiKey(deps: Pick<Deps, 'db'>, id: string): Promise<ApiKey> {
  const key = await findApiKey(deps.db, id);
  if (!key) throw keyNotFound();
  return key;
}

/**
 * Makes a key that takes the place of another, with its owner, name, scopes and expiry; the other counts for some seconds more.
 * Locks: the key. Throws: api_key_not_found, api_key_ended, forbidden, unavailable.
 */
export async function rotateApiKey(
  deps: Pick<Deps, 'engine' | 'ids' | 'actors'>,
  id: string,
  overlapS: number,
  actor: Actor,
): Promise<NewApiKey> {
  const { token, fresh } = draw(deps, actor);
  const apiKey = await deps.engine.manage({
    opener: 'pool',
    lock: (tx) => lockApiKey(tx, id),
    load: (tx) => Promise.all([findApiKey(tx, id), hasSuccessor(tx, id)]),
    decide: ([old, isReplaced], now, changes): ApiKey => {
      if (!old) throw keyNotFound();
      const rotated = rotate(old, fresh, { now, overlapS, own: actor.scopes, isReplaced });
      const said = { at: now, actingKey: actor.keyId };
      changes.apiKeys.push(
        { before: old, after: rotated.old, ...said },
        { before: undefined, after: rotated.fresh, ...said },
      );
      return rotated.fresh;
    },
  });
  deps.actors.forgetKey(id);
  return { apiKey, token };
}

/** Revokes a key: in this process at once, in others within seconds. Locks: the key. Throws: api_key_not_found, unavailable. */
export async function revokeApiKey(deps: Pick<Deps, 'engine' | 'actors'>, id: string, actor: Actor): Promise<void> {
  await deps.engine.manage({
    opener: 'pool',
    lock: (tx) => lockApiKey(tx, id),
    load: (tx) => findApiKey(tx, id),
    decide: (key, now, changes) => {
      if (!key) throw keyNotFound();
      if (key.revokedAt !== null) return;
      changes.apiKeys.push({ before: key, after: revoke(key, now), at: now, actingKey: actor.keyId });
    },
  });
  deps.actors.forgetKey(id);
}
