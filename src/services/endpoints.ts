// Endpoints: who asks for events, and for which. One without a URL follows the feed, and its types say what is told at all; one with a URL is sent its events.
import type { Actor } from '../call.js';
import { findEndpoint, listEndpoints, lockEndpoints } from '../db/endpoints.js';
import type { Deps } from '../deps.js';
import { restOnSecretKeys } from '../engine/secret-keys.js';
import { AppError } from '../errors/app-error.js';
import type { DisabledReason, Endpoint } from '../ledger/management-entities.js';
import { makeWebhookSecret } from '../lib/webhook-signature.js';

/** Endpoints that there may be. */
const ENDPOINTS_MAX = 100;

/** For how long the secret before signs, too. */
const SECRET_OVERLAP_MS = 86_400_000;
/** Who does what nobody asked for, in the audit trail. */
const WORKER = 'worker';

export interface EndpointTerms extends Pick<Endpoint, 'id' | 'description' | 'types' | 'isEnabled' | 'url'> {
  /** A secret to sign with from now on; the present one is kept when left out, and drawn for a new one. */
  secret: string | undefined;
  /** Has another secret drawn. */
  isSecretRotated: boolean;
}

/** An endpoint, and what is signed for it with. */
export interface PutEndpoint {
  endpoint: Endpoint;
  secret: string | null;
  isNew: boolean;
}

function endpointNotFound(id: string): AppError {
  return new AppError('endpoint_not_found', `There is no endpoint ${id}.`, { pointer: 'path/id' });
}

/** All endpoints, by id. */
export function getEndpoints({ db }: Pick<Deps, 'db'>): Promise<Endpoint[]> {
  return listEndpoints(db);
}

/** An endpoint by its id. Throws: endpoint_not_found. */
export async function getEndpoint({ db }: Pick<Deps, 'db'>, id: string): Promise<Endpoint> {
  const endpoint = await findEndpoint(db, id);
  if (!endpoint) throw endpointNotFound(id);
  return endpoint;
}

/**
 * Creates or replaces an endpoint. Uses that begin after the answer are told while one that is enabled asks for them; events that are told after it are sent.
 * Locks: the row of the log of events. Throws: too_many_endpoints, address_refused.
 */
export async function putEndpoint(deps: Deps, terms: EndpointTerms, actor: Actor): Promise<PutEndpoint> {
  const fault = terms.url === null ? undefined : deps.sender.faultOf(terms.url);
  if (fault !== undefined) throw new AppError('address_refused', `The URL ${fault}.`, { pointer: '/url' });
  if (terms.url !== null) await restOnSecretKeys(deps);
  const drawn = terms.secret ?? makeWebhookSecret();
  const made = new Set<number>(); // by an attempt whose outcome was not learnt
  return deps.engine.manage({
    opener: 'prisma',
    lock: lockEndpoints,
    load: listEndpoints,
    decide: (known, now, changes) => {
      const before = known.find(({ id }) => id === terms.id);
      if (!before && known.length >= ENDPOINTS_MAX) {
        const detail = `There are ${ENDPOINTS_MAX} endpoints, which is as many as there may be.`;
        throw new AppError('too_many_endpoints', detail, { pointer: 'path/id' });
      }
      const { id, description, types, isEnabled, url } = terms;
      const secrets = secretsOf(deps, terms, { before, drawn, now });
      const dates = { createdAt: before?.createdAt ?? now, updatedAt: now };
      const endpoint = { id, description, types, isEnabled, url, ...secrets, disabledReason: null, ...dates };
      changes.endpoints.push({ before, after: endpoint, at: now, actingKey: actor.keyId });
      const isNew = before === undefined || made.has(before.createdAt.getTime());
      if (isNew) made.add(endpoint.createdAt.getTime());
      return { endpoint, secret: deps.sender.openSecret(endpoint), isNew };
    },
  });
}

/** The secrets that an endpoint has after a change: the present ones, or another whose predecessor signs for a day more. */
function secretsOf(
  { sender }: Pick<Deps, 'sender'>,
  { id, url, secret, isSecretRotated }: EndpointTerms,
  { before, drawn, now }: { before: Endpoint | undefined; drawn: string; now: Date },
): Pick<Endpoint, 'sealedSecret' | 'oldSealedSecret' | 'oldSecretUntil'> {
  if (url === null) return { sealedSecret: null, oldSealedSecret: null, oldSecretUntil: null };
  const present = before ? sender.openSecret(before) : null;
  const isKept = present !== null && !isSecretRotated && (secret === undefined || secret === present);
  if (before && isKept) {
    const { sealedSecret, oldSealedSecret, oldSecretUntil } = before;
    return { sealedSecret, oldSealedSecret, oldSecretUntil };
  }
  const until = present === null ? null : new Date(now.getTime() + SECRET_OVERLAP_MS);
  const old = { oldSealedSecret: until && (before?.sealedSecret ?? null), oldSecretUntil: until };
  return { sealedSecret: sender.sealSecret(id, drawn), ...old };
}

/** Disables an endpoint that can't be reached as it was, which is told; nothing when it was changed since. Locks: the row of the log of events. */
export async function disableEndpoint(
  deps: Deps,
  { id, url, updatedAt }: Endpoint,
  disabledReason: DisabledReason,
): Promise<void> {
  await deps.engine.manage({
    opener: 'prisma',
    lock: lockEndpoints,
    load: (tx) => findEndpoint(tx, id),
    decide: (before, now, changes) => {
      const isSame = before?.url === url && before.updatedAt.getTime() === updatedAt.getTime();
      if (!before?.isEnabled || !isSame) return;
      const after = { ...before, isEnabled: false, disabledReason, updatedAt: now };
      changes.endpoints.push({ before, after, at: now, actingKey: WORKER });
    },
  });
}

/** Deletes an endpoint. Locks: the row of the log of events. Throws: endpoint_not_found. */
export async function deleteEndpoint(deps: Deps, id: string, actor: Actor): Promise<void> {
  await deps.engine.manage({
    opener: 'prisma',
    lock: lockEndpoints,
    load: (tx) => findEndpoint(tx, id),
    decide: (before, at, changes) => {
      if (!before) throw endpointNotFound(id);
      changes.endpoints.push({ before, after: undefined, at, actingKey: actor.keyId });
    },
  });
}
