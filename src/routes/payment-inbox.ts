// What payment providers send, and the inbox in which it is kept.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { StoredEvent } from '../db/payment-inbox.js';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import type { InboxRecord } from '../ledger/payment-entities.js';
import { GENERIC } from '../payments/generic.js';
import { inboxOf } from '../payments/inbox.js';
import {
  dismissBody,
  inboxEventAnswer,
  inboxPage,
  inboxParams,
  inboxQuery,
  providerParams,
  receivedAnswer,
} from '../schemas/payment-inbox.js';
import { sourceParams } from '../schemas/payment-sources.js';
import { dismissInboxEvent, getInbox, getInboxEvent } from '../services/payment-inbox.js';
import { toToldView } from './payment-views.js';

/** What has a signature in place of a token. */
const signed = {
  method: 'POST',
  tag: 'payments',
  access: 'signature',
  responses: { 200: receivedAnswer },
  problems: ['invalid_signature', 'payment_provider_not_found', 'malformed_json'],
} as const;

interface SignedInput {
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
  address: string;
}

export function registerPaymentInbox(app: FastifyInstance, deps: Deps): void {
  const inbox = inboxOf(deps);
  app.addHook('onClose', () => inbox.end());

  const receive = async (name: string, pointer: string, { rawBody: raw, headers, address }: SignedInput) => {
    const provider = await inbox.requireProvider(name, pointer);
    const answer = await inbox.receive(provider, { raw, headers, address });
    return { status: 200 as const, body: answer ?? { received: true as const } };
  };

  defineRoute(app, {
    ...signed,
    url: '/payments/:provider',
    operationId: 'receivePayment',
    summary: 'Take a webhook of a payment provider',
    description:
      'For the provider, which signs it: no token. The answer says that the event is stored; it is applied once, however often it comes. What does not fit is kept for somebody to look at.',
    params: providerParams,
    handler: ({ params, ...input }) => receive(params.provider, 'path/provider', input),
  });

  defineRoute(app, {
    ...signed,
    url: '/payments/generic/:name',
    operationId: 'receiveGenericPayment',
    summary: 'Take a webhook of a source of payments',
    description: 'For the source, which signs it: no token. What it means its mapping says.',
    params: sourceParams,
    handler: ({ params, ...input }) => receive(`${GENERIC}${params.name}`, 'path/name', input),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/payments/inbox',
    operationId: 'listPaymentEvents',
    summary: 'List what payment providers told, newest first',
    description: '`status=quarantined` are those that somebody has to look at.',
    tag: 'payments',
    access: 'payments',
    query: inboxQuery,
    responses: { 200: inboxPage },
    problems: [],
    handler: async ({ query }) => {
      const {
        status,
        provider,
        kind,
        order_id: orderId,
        payment_id: paymentId,
        event_id: eventId,
        from,
        until,
      } = query;
      const after = decodeCreatedAt(query.cursor);
      const limit = query.limit + 1;
      const asked = { status, provider, kind, orderId, paymentId, eventId, from, until, after, limit };
      const { rows, nextCursor } = toCreatedPage(await getInbox(deps, asked), query.limit, ({ id, receivedAt }) => ({
        createdAt: receivedAt,
        id,
      }));
      return { status: 200, body: { data: rows.map(toEventView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/payments/inbox/:id',
    operationId: 'getPaymentEvent',
    summary: 'Get an event of a payment provider, with what came in',
    tag: 'payments',
    access: 'payments',
    params: inboxParams,
    responses: { 200: inboxEventAnswer },
    problems: ['payment_event_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toStoredView(await getInboxEvent(deps, params.id)) }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/payments/inbox/:id/replay',
    operationId: 'replayPaymentEvent',
    summary: 'Try an event again',
    description: 'What is applied is answered as it is; nothing happens twice.',
    tag: 'payments',
    access: 'payments',
    idempotent: false,
    params: inboxParams,
    responses: { 200: inboxEventAnswer },
    problems: ['payment_event_not_found', 'payment_event_closed', 'payment_provider_not_found'],
    handler: async ({ params, call }) => ({
      status: 200,
      body: toStoredView(await inbox.replay(params.id, call.actor)),
    }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/payments/inbox/:id/dismiss',
    operationId: 'dismissPaymentEvent',
    summary: 'Decide that an event is to have no effect',
    description: 'For good, and with a reason. One that is dismissed is answered as it is.',
    tag: 'payments',
    access: 'payments',
    idempotent: false,
    params: inboxParams,
    body: dismissBody,
    responses: { 200: inboxEventAnswer },
    problems: ['payment_event_not_found', 'payment_event_closed'],
    handler: async ({ params, body, call }) => ({
      status: 200,
      body: toStoredView(await dismissInboxEvent(deps, params.id, body.reason, call.actor)),
    }),
  });
}

function toEventView(event: InboxRecord) {
  return {
    id: event.id,
    provider: event.provider,
    ...toToldView(event),
    status: event.status,
    reason: event.reason,
    detail: event.detail,
    order_id: event.orderId,
    occurred_at: event.occurredAt,
    received_at: event.receivedAt,
    attempts: event.attempts,
    next_at: event.nextAt,
    settled_at: event.settledAt,
  };
}

function toStoredView({ body, headers, ...event }: StoredEvent) {
  return { ...toEventView(event), body: body === null ? null : shownBody(body), headers };
}

/** Members whose values are nobody's business. */
const SECRET =
  /secret|token|passw|passphrase|pwd|signature|authorization|credential|cookie|bearer|(?:api|private|access)[-_]?key|cvc|cvv|card[-_]?num|^pan$|^pin$|iban|account[-_]?number/i;
/** The number of a card, however it is called. */
const CARD_NUMBER = /^(?:\d[ -]?){12,18}\d$/;
const CARD_CONTEXT = /number|card|pan/i;
/** A URL that names a user, or carries a secret in its query. */
const TELLING_URL =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@|[^?#]*\?[^#]*(?:secret|token|passw|signature|api[-_]?key)[^=&]*=)/i;
const CUT = '[cut]';
const SHOWN_DEPTH_MAX = 64;

function shownBody(hex: string): unknown {
  return shown(JSON.parse(Buffer.from(hex, 'hex').toString('utf8')), '', 0);
}

/** A value of a body without what is secret in it, and no deeper than can be shown. */
function shown(value: unknown, name: string, depth: number): unknown {
  if (value === null || typeof value === 'boolean') return value;
  if (SECRET.test(name)) return CUT;
  if (typeof value !== 'object') return isTelling(name, String(value)) ? CUT : value;
  if (depth === SHOWN_DEPTH_MAX) return CUT;
  if (Array.isArray(value)) return value.map((item) => shown(item, name, depth + 1));
  const entries = Object.entries(value).map(([own, inner]) => [own, shown(inner, own, depth + 1)] as const);
  return Object.fromEntries(entries);
}

function isTelling(name: string, text: string): boolean {
  return (CARD_CONTEXT.test(name) && CARD_NUMBER.test(text)) || TELLING_URL.test(text);
}
