// API keys: who may make which, how one is rotated and how it ends. A key has an owner, whose it stays when it is rotated.
import { AppError } from '../errors/app-error.js';
import type { Scope } from '../lib/scopes.js';
import type { ApiKey } from './management-entities.js';

const MS_PER_S = 1_000;

/** What a new key is to be. */
export interface ApiKeyTerms {
  name: string;
  scopes: readonly Scope[];
  expiresAt: Date | null;
}

/** Nobody gives what he has not. Throws: forbidden. */
export function assertMayGive(own: ReadonlySet<Scope>, scopes: readonly Scope[], pointer: string): void {
  const missing = scopes.filter((scope) => !own.has(scope));
  if (missing.length === 0) return;
  const detail = `Your token does not have the scopes ${missing.join(', ')} itself.`;
  throw new AppError('forbidden', detail, { pointer });
}

/** A key counts for some time at least. Throws: invalid_request. */
export function assertEndsLater(expiresAt: Date | null, now: Date): void {
  if (expiresAt === null || expiresAt > now) return;
  throw new AppError('invalid_request', 'The key would have ended already.', { pointer: '/expires_at' });
}

/** Whether a key counts at an instant. */
export function isInForce({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>, now: Date): boolean {
  return revokedAt === null && (expiresAt === null || now < expiresAt);
}

/** A key that takes the place of another, and the other, which counts for `overlapS` seconds more at most. Throws: api_key_ended, forbidden. */
export function rotateApiKey(
  old: ApiKey,
  fresh: Pick<ApiKey, 'id' | 'tokenHash' | 'createdBy'>,
  { now, overlapS, own, isReplaced }: { now: Date; overlapS: number; own: ReadonlySet<Scope>; isReplaced: boolean },
): { old: ApiKey; fresh: ApiKey } {
  if (!isInForce(old, now)) {
    const detail = `The key was ${old.revokedAt ? 'revoked' : 'good until its expiry'}: create another.`;
    throw new AppError('api_key_ended', detail, { pointer: 'path/id' });
  }
  // Its term is cut to the overlap: who took its place would end with it.
  if (isReplaced) {
    const detail = 'The key was rotated before: rotate the one that took its place, or create another.';
    throw new AppError('api_key_ended', detail, { pointer: 'path/id' });
  }
  assertMayGive(own, old.scopes, 'path/id');
  const overlapEndsAt = new Date(now.getTime() + overlapS * MS_PER_S);
  const expiresAt = old.expiresAt !== null && old.expiresAt < overlapEndsAt ? old.expiresAt : overlapEndsAt;
  return {
    old: { ...old, expiresAt },
    fresh: { ...old, ...fresh, createdAt: now, revokedAt: null, lastUsedAt: null },
  };
}

/** A key that counts no longer; one that was revoked stays as it is. */
export function revokeApiKey(key: ApiKey, now: Date): ApiKey {
  return { ...key, revokedAt: key.revokedAt ?? now };
}
