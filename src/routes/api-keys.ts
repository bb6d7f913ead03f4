// API keys: who may call, and what each key allows.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import type { ApiKey } from '../ledger/management-entities.js';
import {
  apiKeyAnswer,
  apiKeyPage,
  apiKeyParams,
  apiKeysQuery,
  createApiKeyBody,
  newApiKeyAnswer,
  rotateApiKeyBody,
} from '../schemas/api-keys.js';
import { createApiKey, getApiKey, getApiKeys, revokeApiKey, rotateApiKey } from '../services/api-keys.js';

const ONCE =
  'The answer has the key itself, which is told nowhere else; so it is not recorded, and an idempotency key is without effect.';

export function registerApiKeys(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/api-keys',
    operationId: 'createApiKey',
    summary: 'Make an API key',
    description: ONCE,
    tag: 'access',
    access: 'admin',
    body: createApiKeyBody,
    responses: { 201: newApiKeyAnswer },
    problems: [],
    idempotent: false,
    handler: async ({ body, call }) => {
      const terms = { name: body.name, scopes: body.scopes, expiresAt: body.expires_at ?? null };
      const { apiKey, token } = await createApiKey(deps, terms, call.actor);
      return { status: 201, body: { ...toView(apiKey), token } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/api-keys',
    operationId: 'listApiKeys',
    summary: 'List API keys, newest first',
    description: 'Those that have ended too. Never a key itself.',
    tag: 'access',
    access: 'admin',
    query: apiKeysQuery,
    responses: { 200: apiKeyPage },
    problems: [],
    handler: async ({ query }) => {
      const keys = await getApiKeys(deps, { after: decodeCreatedAt(query.cursor), limit: query.limit + 1 });
      const { rows, nextCursor } = toCreatedPage(keys, query.limit, (row) => row);
      return { status: 200, body: { data: rows.map(toView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/api-keys/:id',
    operationId: 'getApiKey',
    summary: 'Get an API key, without the key itself',
    tag: 'access',
    access: 'admin',
    params: apiKeyParams,
    responses: { 200: apiKeyAnswer },
    problems: ['api_key_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toView(await getApiKey(deps, params.id)) }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/api-keys/:id/rotate',
    operationId: 'rotateApiKey',
    summary: 'Replace an API key by a new one',
    description: `The new one has the owner, name, scopes and expiry of the old, which counts for a while beside it. ${ONCE}`,
    tag: 'access',
    access: 'admin',
    params: apiKeyParams,
    body: rotateApiKeyBody,
    responses: { 201: newApiKeyAnswer },
    problems: ['api_key_not_found', 'api_key_ended'],
    idempotent: false,
    handler: async ({ params, body, call }) => {
      const { apiKey, token } = await rotateApiKey(deps, params.id, body.overlap_seconds, call.actor);
      return { status: 201, body: { ...toView(apiKey), token } };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/api-keys/:id',
    operationId: 'revokeApiKey',
    summary: 'Revoke an API key',
    description: 'It counts no longer: in the process that answers at once, in others within 5 seconds.',
    tag: 'access',
    access: 'admin',
    params: apiKeyParams,
    responses: { 204: z.undefined() },
    problems: ['api_key_not_found'],
    handler: async ({ params, call }) => {
      await revokeApiKey(deps, params.id, call.actor);
      return { status: 204, body: undefined };
    },
  });
}

function toView({ id, ownerId, name, scopes, createdBy, createdAt, expiresAt, revokedAt, lastUsedAt }: ApiKey) {
  return {
    id,
    owner_id: ownerId,
    name,
    scopes,
    created_by: createdBy,
    created_at: createdAt,
    expires_at: expiresAt,
    revoked_at: revokedAt,
    last_used_at: lastUsedAt,
  };
}
