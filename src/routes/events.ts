// What happened, for whoever follows it.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { Webhooks } from '../http/openapi.js';
import { decodeCursor, encodeCursor } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { toEventView } from '../lib/event-view.js';
import { eventsAnswer, eventsQuery, sentSchemas } from '../schemas/events.js';
import { isSelected, toSelector } from '../schemas/selectors.js';
import { followEvents } from '../services/events.js';

const MS_PER_S = 1_000;
const placePosition = z.strictObject({ place: z.int().min(0) });

/** What is told of by itself. */
export const webhooks: Webhooks = sentSchemas;

export function registerEvents(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/events',
    operationId: 'followEvents',
    summary: 'Follow what happened, in order',
    description:
      'A feed: send `next_cursor` back as `cursor`, again and again. Whoever does misses nothing and is told nothing twice; of each customer the order is that of `sequence`, of different customers it is none. Events are kept for `BURSAR_EVENTS_KEEP_DAYS`; an older cursor is 410.',
    tag: 'events',
    access: 'events',
    query: eventsQuery,
    responses: { 200: eventsAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'cursor_expired'],
    handler: async ({ query }) => {
      const { events, place, isExpired } = await followEvents(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        types: query.type ?? [],
        after: decodeCursor(placePosition, query.cursor)?.place,
        limit: query.limit,
        waitMs: query.wait_s * MS_PER_S,
      });
      const cursor = encodeCursor(placePosition, { place });
      if (isExpired) {
        const detail = 'Events behind the cursor were dropped by age.';
        throw new AppError('cursor_expired', detail, { pointer: 'query/cursor', extensions: { oldestCursor: cursor } });
      }
      return { status: 200, body: { data: events.map(toEventView), next_cursor: cursor } };
    },
  });
}
