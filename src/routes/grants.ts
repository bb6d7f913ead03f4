// Rights given without payment.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Call } from '../call.js';
import type { Deps } from '../deps.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import type { GrantType } from '../ledger/giving.js';
import {
  grantAnswer,
  grantBody,
  grantPage,
  grantsQuery,
  toGrantSubject,
  toTrialIdentities,
  trialGrantBody,
} from '../schemas/grants.js';
import { toSelector } from '../schemas/selectors.js';
import { type GrantResult, getGrants, grantQuantity } from '../services/grants.js';
import { grantTrial, type TrialResult } from '../services/trials.js';
import { toBatchView, toTakingsView } from './views.js';

const trialProblems: readonly ErrorCode[] = [
  'customer_not_found',
  'selector_conflict',
  'offer_not_found',
  'offer_inactive',
  'offer_not_trial',
  'offer_limit_reached',
  'trial_already_used',
  'product_inactive',
  'product_metered',
  'quantity_too_large',
  'too_many_batches',
];

/** A grant as it is answered, and recorded. */
export function renderGrant(result: GrantResult | TrialResult) {
  return {
    status: 201,
    body: renderJson(grantAnswer, {
      allowed: true,
      grant_type: result.grantType,
      operation_id: result.operationId,
      products: [...new Set(result.batches.map((batch) => batch.productKey))],
      batches: result.batches.map(toBatchView),
      ...('takings' in result && result.takings.length > 0 && { taken: toTakingsView(result.takings) }),
      metadata: result.metadata,
    }),
  };
}

export function registerGrants(app: FastifyInstance, deps: Deps): void {
  const giveTrial = (body: z.output<typeof trialGrantBody>, call: Call) =>
    grantTrial(
      deps,
      toSelector(body),
      {
        sku: body.sku,
        identities: toTrialIdentities(body.identities),
        override: body.override,
        reason: body.reason,
        metadata: body.metadata,
      },
      call,
      renderGrant,
    );

  defineRoute(app, {
    method: 'POST',
    url: '/grants',
    operationId: 'grant',
    summary: 'Give an offer or a quantity without payment',
    description:
      'A trial (once per identity), a bonus, an adjustment (in either direction, with a reason), or a migration (once per source id).',
    tag: 'grants',
    access: 'grants',
    body: grantBody,
    responses: { 201: grantAnswer },
    problems: [...trialProblems, 'product_not_found', 'insufficient_quota'],
    handler: ({ body, call }) => {
      const { grant_type: grantType, direction, reason, metadata } = body;
      if (grantType === 'trial') return giveTrial(body, call);
      return grantQuantity(
        deps,
        toSelector(body),
        { grantType, subject: toGrantSubject(body), direction, reason, sourceId: body.source_id, metadata },
        call,
        renderGrant,
      );
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/demo/trial-grant',
    operationId: 'grantTrial',
    summary: 'Give a trial (alias of POST /grants with grant_type trial)',
    tag: 'grants',
    access: 'grants',
    body: trialGrantBody,
    tolerated: { grant_type: 'the path says it; workflows written for billable send it' },
    responses: { 201: grantAnswer },
    problems: trialProblems,
    handler: ({ body, call }) => giveTrial(body, call),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/grants',
    operationId: 'listGrants',
    summary: 'List what a customer was given without payment, newest first',
    tag: 'grants',
    access: 'read',
    query: grantsQuery,
    responses: { 200: grantPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const grants = await getGrants(deps, toSelector(query), {
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(grants, query.limit, ({ createdAt, operationId: id }) => ({
        createdAt,
        id,
      }));
      return {
        status: 200,
        body: {
          data: rows.map((row) => ({
            operation_id: row.operationId,
            grant_type: row.grantType as GrantType,
            products: [...new Set(row.batches.map((batch) => batch.productKey))],
            batches: row.batches.map(toBatchView),
            created_at: row.createdAt,
          })),
          next_cursor: nextCursor,
        },
      };
    },
  });
}
