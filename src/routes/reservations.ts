// Units held for work in progress.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { toSubject } from '../schemas/quota.js';
import {
  commitBody,
  endingAnswer,
  extendAnswer,
  extendBody,
  releaseBody,
  reservationAnswer,
  reservationPage,
  reservationQuery,
  reservationsQuery,
  reserveAnswer,
  reserveBody,
  toLifetime,
  toTtlMs,
} from '../schemas/reservations.js';
import { toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { uuidSchema } from '../schemas/text.js';
import {
  commit,
  type EndingResult,
  extend,
  getReservation,
  getReservations,
  makeReservation,
  release,
} from '../services/reservations.js';
import { toMadeReservationView, toReservationView, toTakingsView, toWarningsView } from './views.js';

const params = z.object({ id: uuidSchema });

/** Of every change of a reservation that exists. */
const endingProblems: readonly ErrorCode[] = [
  'customer_not_found',
  'selector_conflict',
  'reservation_not_found',
  'reservation_expired',
  'reservation_closed',
];

export function registerReservations(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/reservations',
    operationId: 'createReservation',
    summary: 'Hold units for work in progress',
    description:
      'All or nothing. Commit what was used, release the rest; what is left alone ends by itself and gives its units back.',
    tag: 'reservations',
    access: 'consume',
    body: reserveBody,
    responses: { 201: reserveAnswer },
    problems: [
      'insufficient_quota',
      'limit_exceeded',
      'reservation_too_long',
      'customer_not_found',
      'selector_conflict',
      'product_not_found',
      'feature_not_found',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: ({ body, call }) =>
      makeReservation(
        deps,
        toSelector(body),
        {
          subject: toSubject(body),
          amount: body.amount,
          lifetime: toLifetime(body),
          actionType: body.action_type,
          actionId: body.action_id ?? undefined,
          metadata: body.metadata,
        },
        call,
        (result) => ({
          status: 201,
          body: renderJson(reserveAnswer, {
            allowed: true,
            operation_id: result.operationId,
            ...toMadeReservationView(result.reservation, result.customerId),
            remaining: result.remaining,
            warnings: toWarningsView(result.warnings),
          }),
        }),
      ),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/reservations',
    operationId: 'listReservations',
    summary: 'List a customer’s reservations, newest first',
    tag: 'reservations',
    access: 'read',
    query: reservationsQuery,
    responses: { 200: reservationPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const reservations = await getReservations(deps, toSelector(query), query.status, {
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(reservations, query.limit, (row) => row);
      return {
        status: 200,
        body: { data: rows.map((row) => toReservationView(row, row.customerId)), next_cursor: nextCursor },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/reservations/:id',
    operationId: 'getReservation',
    summary: 'Get a reservation',
    tag: 'reservations',
    access: 'read',
    params,
    query: reservationQuery,
    responses: { 200: reservationAnswer },
    problems: ['reservation_not_found', 'customer_not_found', 'selector_conflict'],
    handler: async ({ params: { id }, query }) => {
      const reservation = await getReservation(deps, toSelectorBeside(query), id);
      return { status: 200, body: toReservationView(reservation, reservation.customerId) };
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/reservations/:id/commit',
    operationId: 'commitReservation',
    summary: 'Use what is held',
    description:
      'All of it or `amount`; the rest is given back. A commit of 0 is a release. The same commit again gets the first answer, with or without a key.',
    tag: 'reservations',
    access: 'consume',
    params,
    body: commitBody,
    responses: { 200: endingAnswer },
    problems: [
      ...endingProblems,
      'reservation_exceeded',
      'insufficient_quota',
      'limit_exceeded',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: ({ params: { id }, body, call }) =>
      commit(
        deps,
        toSelectorBeside(body),
        id,
        { amount: body.amount, allowExcess: body.allow_excess },
        call,
        (result) => ({
          status: 200,
          body: renderJson(endingAnswer, toEndingView(result)),
        }),
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/reservations/:id/release',
    operationId: 'releaseReservation',
    summary: 'Give back what is held',
    description: 'The same release again gets the first answer, with or without a key.',
    tag: 'reservations',
    access: 'consume',
    params,
    body: releaseBody,
    responses: { 200: endingAnswer },
    problems: endingProblems,
    handler: ({ params: { id }, body, call }) =>
      release(deps, toSelectorBeside(body), id, call, (result) => ({
        status: 200,
        body: renderJson(endingAnswer, toEndingView(result)),
      })),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/reservations/:id/extend',
    operationId: 'extendReservation',
    summary: 'Let a reservation end later',
    description: 'So many seconds from now, at most 7 days after it was made; it never ends sooner than before.',
    tag: 'reservations',
    access: 'consume',
    params,
    body: extendBody,
    responses: { 200: extendAnswer },
    problems: [...endingProblems, 'reservation_too_long'],
    handler: ({ params: { id }, body, call }) =>
      extend(deps, toSelectorBeside(body), id, toTtlMs(body), call, ({ operationId, customerId, reservation }) => ({
        status: 200,
        body: renderJson(extendAnswer, {
          operation_id: operationId,
          ...toMadeReservationView(reservation, customerId),
        }),
      })),
  });
}

function toEndingView(ending: EndingResult) {
  const { operationId, customerId, reservation, takings, returned, expired, revoked, remaining, warnings } = ending;
  return {
    operation_id: operationId,
    ...toMadeReservationView(reservation, customerId),
    taken: toTakingsView(takings),
    returned,
    expired,
    revoked,
    remaining,
    warnings: toWarningsView(warnings),
  };
}
