// Endpoints: who asks for events, and for which. One without a URL follows the feed; that it is there says which types it wants to be told.
import type { Actor } from '../call.js';
import { findEndpoint, listEndpoints, lockEndpoints } from '../db/endpoints.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Endpoint } from '../ledger/entities.js';

/** Endpoints that there may be. */
const ENDPOINTS_MAX = 100;

export type EndpointTerms = Pick<Endpoint, 'id' | 'description' | 'types' | 'isEnabled'>;

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
 * Creates or replaces an endpoint. Uses that begin after the answer are told while one that is enabled asks for them.
 * Locks: the row of the log of events. Throws: too_many_endpoints.
 */
export async function putEndpoint(
  deps: Deps,
  terms: EndpointTerms,
  actor: Actor,
): Promise<{ endpoint: Endpoint; isNew: boolean }> {
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
      const endpoint: Endpoint = { ...terms, createdAt: before?.createdAt ?? now, updatedAt: now };
      changes.endpoints.push({ before, after: endpoint, at: now, actingKey: actor.keyId });
      const isNew = before === undefined || made.has(before.createdAt.getTime());
      if (isNew) made.add(endpoint.createdAt.getTime());
      return { endpoint, isNew };
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
