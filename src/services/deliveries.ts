// Deliveries of an endpoint: what became of each, and what is sent again by hand. An attempt by hand is a single shot that counts nowhere.
import { findEndpoint } from '../db/endpoints.js';
import { findLastPlace, type StoredEvent } from '../db/events.js';
import {
  beginRetry,
  type Delivery,
  endRetry,
  findDelivery,
  listDeliveries,
  type Replayed,
  replayParked,
  replayRange,
} from '../db/webhooks.js';
import type { Deps } from '../deps.js';
import { toMessage } from '../engine/webhook-sender.js';
import { AppError } from '../errors/app-error.js';
import { typesAsked } from '../ledger/event-types.js';
import type { DeliveryStatus, Endpoint } from '../ledger/management-entities.js';
import { type HttpOutcome, hasArrived } from '../lib/guarded-http.js';

/** Events that one call has sent again at most. */
const REPLAYED_MAX = 10_000;

async function requireSent({ db }: Pick<Deps, 'db'>, id: string): Promise<Endpoint> {
  const endpoint = await findEndpoint(db, id);
  if (!endpoint) throw new AppError('endpoint_not_found', `There is no endpoint ${id}.`, { pointer: 'path/id' });
  if (endpoint.url === null)
    throw new AppError('endpoint_without_url', `The endpoint ${id} has no URL.`, { pointer: 'path/id' });
  return endpoint;
}

function deliveryNotFound(endpointId: string): AppError {
  const detail = `There is no such delivery of ${endpointId}.`;
  return new AppError('delivery_not_found', detail, { pointer: 'path/delivery_id' });
}

function deliveryWaiting(): AppError {
  const detail = 'The delivery waits for its next attempt.';
  return new AppError('delivery_waiting', detail, { pointer: 'path/delivery_id' });
}

function deliveryUnderWay(): AppError {
  const detail = 'An attempt at the delivery is under way.';
  return new AppError('delivery_under_way', detail, { pointer: 'path/delivery_id' });
}

/** One page of the deliveries of an endpoint, the newest event first. Throws: endpoint_not_found. */
export async function getDeliveries(
  { db }: Pick<Deps, 'db'>,
  id: string,
  page: { status: DeliveryStatus | undefined; before: number | undefined; limit: number },
): Promise<Delivery[]> {
  if (!(await findEndpoint(db, id)))
    throw new AppError('endpoint_not_found', `There is no endpoint ${id}.`, { pointer: 'path/id' });
  return listDeliveries(db, id, page);
}

/** Sends a message that is no event, enabled or not; what the receiver answered. Throws: endpoint_not_found, endpoint_without_url. */
export async function testEndpoint(deps: Deps, id: string): Promise<HttpOutcome & { messageId: string }> {
  const endpoint = await requireSent(deps, id);
  const now = deps.clock.now();
  const event: StoredEvent & { type: never } = {
    place: 0,
    customerId: null,
    number: 0,
    id: deps.ids.next(),
    type: 'webhook_endpoint.test' as never,
    schemaVersion: 1,
    operationId: null,
    data: { endpointId: id },
    recordedAt: now,
    identities: [],
  };
  return { ...(await deps.sender.send(endpoint, event.id, toMessage(event, null))), messageId: event.id };
}

/**
 * Sends a delivery again that was taken or given up, once, enabled or not, while nobody else does.
 * Throws: endpoint_not_found, endpoint_without_url, delivery_not_found, delivery_waiting, delivery_under_way.
 */
export async function retryDelivery(deps: Deps, id: string, place: number): Promise<Delivery> {
  const endpoint = await requireSent(deps, id);
  const until = await beginRetry(deps.db, id, place);
  const found = await findDelivery(deps.db, id, place);
  if (!found) throw deliveryNotFound(id);
  if (!until) throw found.status === 'waiting' ? deliveryWaiting() : deliveryUnderWay();
  const outcome = await deps.sender.send(endpoint, found.event.id, toMessage(found.event, found.previous));
  const noted = await endRetry(
    deps.db,
    id,
    { place, until },
    {
      status: hasArrived(outcome) ? 'delivered' : found.status,
      answerStatus: outcome.status,
      answerExcerpt: outcome.status === null ? null : outcome.excerpt,
      error: outcome.error,
    },
  );
  if (!noted) throw deliveryWaiting();
  return noted;
}

/** What is to be sent again: what was recorded from an instant on and before another, or all that was given up; behind a place. */
export type ReplayTerms = ({ from: Date; until: Date } | { isParked: true }) & { after: number };

/** Has events sent again, each in its customer's order, at most REPLAYED_MAX of them. Throws: endpoint_not_found, endpoint_without_url. */
export async function replayDeliveries(
  deps: Deps,
  id: string,
  terms: ReplayTerms,
): Promise<Replayed & { hasMore: boolean }> {
  const { types } = await requireSent(deps, id);
  const after = Math.min(terms.after, await findLastPlace(deps.db));
  const replayed =
    'isParked' in terms
      ? await replayParked(deps.db, id, after, REPLAYED_MAX)
      : await replayRange(deps.db, id, { ...terms, after, types: typesAsked(types), limit: REPLAYED_MAX });
  return { ...replayed, hasMore: replayed.count === REPLAYED_MAX };
}
