// What became of what was sent to endpoints, and sending it again.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Delivery } from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { decodeCursor, encodeCursor, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { hasArrived } from '../lib/guarded-http.js';
import {
  deliveriesPage,
  deliveriesQuery,
  deliveryAnswer,
  deliveryParams,
  replayAnswer,
  replayBody,
  testAnswer,
} from '../schemas/deliveries.js';
import { endpointParams } from '../schemas/endpoints.js';
import { getDeliveries, replayDeliveries, retryDelivery, testEndpoint } from '../services/deliveries.js';

const placePosition = z.strictObject({ place: z.int().min(0) });
const ONE_SHOT =
  'A single attempt, whose outcome is the answer: it counts nowhere, so an idempotency key is without effect.';

export function registerDeliveries(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/webhook-endpoints/:id/test',
    operationId: 'testEndpoint',
    summary: 'Send a test message',
    description: `${ONE_SHOT} Its type is \`webhook_endpoint.test\`.`,
    tag: 'events',
    access: 'events',
    params: endpointParams,
    responses: { 200: testAnswer },
    problems: ['endpoint_not_found', 'endpoint_without_url'],
    idempotent: false,
    handler: async ({ params }) => {
      const { messageId, status, excerpt, error } = await testEndpoint(deps, params.id);
      const delivered = hasArrived({ status });
      const answer = { answer_status: status, answer_excerpt: status === null ? null : excerpt, error };
      return { status: 200, body: { message_id: messageId, delivered, ...answer } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/webhook-endpoints/:id/deliveries',
    operationId: 'listDeliveries',
    summary: 'List what was sent to an endpoint',
    description: 'As long as the events are kept.',
    tag: 'events',
    access: 'events',
    params: endpointParams,
    query: deliveriesQuery,
    responses: { 200: deliveriesPage },
    problems: ['endpoint_not_found'],
    handler: async ({ params, query: { status, cursor, limit } }) => {
      const before = decodeCursor(placePosition, cursor)?.place;
      const deliveries = await getDeliveries(deps, params.id, { status, before, limit: limit + 1 });
      const { rows, nextCursor } = toPage(deliveries, limit, placePosition, ({ place }) => ({ place }));
      return { status: 200, body: { data: rows.map(toDeliveryView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/webhook-endpoints/:id/deliveries/:delivery_id/retry',
    operationId: 'retryDelivery',
    summary: 'Send one again, now',
    description: `${ONE_SHOT} Of what was delivered or given up; what waits is tried by itself. Of a delivery there is one attempt at a time.`,
    tag: 'events',
    access: 'events',
    params: deliveryParams,
    responses: { 200: deliveryAnswer },
    problems: [
      'endpoint_not_found',
      'endpoint_without_url',
      'delivery_not_found',
      'delivery_waiting',
      'delivery_under_way',
    ],
    idempotent: false,
    handler: async ({ params }) => ({
      status: 200,
      body: toDeliveryView(await retryDelivery(deps, params.id, params.delivery_id)),
    }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/webhook-endpoints/:id/replay',
    operationId: 'replayDeliveries',
    summary: 'Have events sent again',
    description:
      'Of a range of time, what the endpoint missed among it; or all that was given up. In the order of each customer, before what waits already and is newer. Repeating the call sends nothing twice that still waits.',
    tag: 'events',
    access: 'events',
    params: endpointParams,
    body: replayBody,
    responses: { 200: replayAnswer },
    problems: ['endpoint_not_found', 'endpoint_without_url'],
    idempotent: false,
    isDear: true,
    handler: async ({ params, body: { from, until, cursor } }) => {
      const after = decodeCursor(placePosition, cursor, '/cursor')?.place ?? 0;
      const terms = from && until ? { from, until, after } : { isParked: true as const, after };
      const { count, last, hasMore } = await replayDeliveries(deps, params.id, terms);
      const next = hasMore ? encodeCursor(placePosition, { place: last }) : null;
      return { status: 200, body: { replayed: count, next_cursor: next } };
    },
  });
}

function toDeliveryView({ place, number, previous, eventId, type, status, attempts, ...rest }: Delivery) {
  return {
    id: String(place),
    event_id: eventId,
    type,
    sequence: number,
    previous_sequence: previous,
    status,
    attempts,
    tried_at: rest.triedAt,
    next_at: rest.nextAt,
    answer_status: rest.answerStatus,
    answer_excerpt: rest.answerExcerpt,
    error: rest.error,
  };
}
