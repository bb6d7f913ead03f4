// Who asks for events.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import type { Endpoint } from '../ledger/management-entities.js';
import {
  endpointAnswer,
  endpointParams,
  endpointsAnswer,
  putEndpointAnswer,
  putEndpointBody,
} from '../schemas/endpoints.js';
import { deleteEndpoint, getEndpoint, getEndpoints, putEndpoint } from '../services/endpoints.js';

export function registerEndpoints(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/webhook-endpoints',
    operationId: 'listEndpoints',
    summary: 'List who asks for events',
    tag: 'events',
    access: 'events',
    responses: { 200: endpointsAnswer },
    problems: [],
    handler: async () => ({ status: 200, body: { data: (await getEndpoints(deps)).map(toEndpointView) } }),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/webhook-endpoints/:id',
    operationId: 'getEndpoint',
    summary: 'Get an endpoint',
    tag: 'events',
    access: 'events',
    params: endpointParams,
    responses: { 200: endpointAnswer },
    problems: ['endpoint_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toEndpointView(await getEndpoint(deps, params.id)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/webhook-endpoints/:id',
    operationId: 'putEndpoint',
    summary: 'Ask for types of events',
    description:
      'With a URL it is sent its events, signed by Standard Webhooks: at least once, in order for each customer, again for three days where they do not arrive. Without one it is for whoever follows the feed: most events are there in any case, `quota.consumed` only of uses that begin while an enabled endpoint asks for it.',
    tag: 'events',
    access: 'events',
    params: endpointParams,
    body: putEndpointBody,
    responses: { 200: putEndpointAnswer, 201: putEndpointAnswer },
    problems: ['too_many_endpoints', 'address_refused'],
    handler: async ({ params, body, call }) => {
      const { description, types, enabled, url, secret, rotate_secret: isSecretRotated } = body;
      const terms = { id: params.id, description, types, isEnabled: enabled, url, secret, isSecretRotated };
      const { endpoint, secret: told, isNew } = await putEndpoint(deps, terms, call.actor);
      const view = { ...toEndpointView(endpoint), secret: told };
      return isNew ? { status: 201, body: view } : { status: 200, body: view };
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/webhook-endpoints/:id',
    operationId: 'deleteEndpoint',
    summary: 'Ask no longer',
    tag: 'events',
    access: 'events',
    params: endpointParams,
    responses: { 204: z.undefined() },
    problems: ['endpoint_not_found'],
    handler: async ({ params, call }) => {
      await deleteEndpoint(deps, params.id, call.actor);
      return { status: 204, body: undefined };
    },
  });
}

function toEndpointView(endpoint: Endpoint) {
  const { id, types, description, isEnabled, url, oldSecretUntil, disabledReason, createdAt, updatedAt } = endpoint;
  return {
    id,
    types,
    description,
    enabled: isEnabled,
    url,
    old_secret_until: oldSecretUntil,
    disabled_reason: disabledReason,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
