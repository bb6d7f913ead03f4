// How much may be used in a window of time.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import type { Limit } from '../ledger/limit-entities.js';
import {
  deleteLimitQuery,
  limitAnswer,
  limitParams,
  limitSourceAnswer,
  limitSourceBody,
  limitSourceQuery,
  limitsPage,
  limitsQuery,
  patchLimitBody,
  putLimitBody,
} from '../schemas/limits.js';
import { toSubject } from '../schemas/quota.js';
import { isSelected, type SelectorInput, toSelector } from '../schemas/selectors.js';
import { getSharedLimits, type SharedLimits, shareLimits, unshareLimits } from '../services/limit-sources.js';
import {
  deleteLimit,
  getLimit,
  getLimits,
  type LimitResult,
  type LimitTarget,
  patchLimit,
  putLimit,
} from '../services/limits.js';
import { toSubjectView } from './views.js';

const targetProblems: readonly ErrorCode[] = ['customer_not_found', 'selector_conflict', 'offer_not_found'];

export function registerLimits(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/limits',
    operationId: 'listLimits',
    summary: 'List limits',
    tag: 'limits',
    access: 'read',
    query: limitsQuery,
    responses: { 200: limitsPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const { plan_sku, scope, feature, product_key } = query;
      const limits = await getLimits(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        planSku: scope === undefined ? plan_sku : '',
        subject: feature === undefined && product_key === undefined ? undefined : toSubject(query),
        ownerTag: query.owner_tag,
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(limits, query.limit, (row) => row);
      return { status: 200, body: { data: rows.map(toLimitView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/limits/:id',
    operationId: 'getLimit',
    summary: 'Get a limit',
    tag: 'limits',
    access: 'read',
    params: limitParams,
    responses: { 200: limitAnswer },
    problems: ['limit_not_found'],
    handler: async ({ params }) => ({ status: 200, body: toLimitView(await getLimit(deps, params.id)) }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/limits',
    operationId: 'putLimit',
    summary: 'Set a limit',
    description:
      'Of a customer, a plan, or, without either, of all customers; on a product or a feature; in place of the limit there is. What was used in a window stays used, and the new limit holds at once. By the calendar of UTC: around the end of a window twice the limit may be used.',
    tag: 'limits',
    access: 'admin',
    body: putLimitBody,
    responses: { 200: limitAnswer, 201: limitAnswer },
    problems: [...targetProblems, 'product_not_found', 'feature_not_found', 'too_many_limits'],
    handler: ({ body, call }) => {
      const { windows, enforcement, owner_tag: ownerTag } = body;
      return putLimit(
        deps,
        toTarget(body),
        { subject: toSubject(body), windows, enforcement, ownerTag },
        call,
        renderLimit,
      );
    },
  });

  defineRoute(app, {
    method: 'PATCH',
    url: '/limits',
    operationId: 'patchLimit',
    summary: 'Change members of a limit',
    tag: 'limits',
    access: 'admin',
    body: patchLimitBody,
    responses: { 200: limitAnswer },
    problems: [...targetProblems, 'limit_not_found'],
    handler: ({ body, call }) => {
      const { windows, enforcement, owner_tag: ownerTag } = body;
      const patch = {
        ...(windows && { windows }),
        ...(enforcement && { enforcement }),
        ...(ownerTag !== undefined && { ownerTag }),
      };
      return patchLimit(deps, toTarget(body), toSubject(body), patch, call, renderLimit);
    },
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/limits',
    operationId: 'deleteLimit',
    summary: 'Remove a limit',
    description: 'What is farther away holds then. Without a customer and `plan_sku` it is the limit of all customers.',
    tag: 'limits',
    access: 'admin',
    query: deleteLimitQuery,
    responses: { 204: z.undefined() },
    problems: [...targetProblems, 'limit_not_found'],
    handler: async ({ query, call }) => {
      await deleteLimit(deps, toTarget(query), toSubject(query), call);
      return { status: 204, body: undefined };
    },
  });

  registerSources(app, deps);
}

/** Limits that a customer shares with another one. */
function registerSources(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/limits/source',
    operationId: 'getLimitSource',
    summary: 'Get whose limits a customer shares',
    tag: 'limits',
    access: 'read',
    query: limitSourceQuery,
    responses: { 200: limitSourceAnswer },
    problems: ['customer_not_found', 'selector_conflict'],
    handler: async ({ query }) => ({
      status: 200,
      body: toSourceView(await getSharedLimits(deps, toSelector(query))),
    }),
  });

  defineRoute(app, {
    method: 'PUT',
    url: '/limits/source',
    operationId: 'putLimitSource',
    summary: 'Share the limits of another customer',
    description:
      'His own limits, copied: below the customer’s own and above those of a plan. What is used is each one’s own. A source shares no limits itself.',
    tag: 'limits',
    access: 'admin',
    body: limitSourceBody,
    responses: { 200: limitSourceAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'limit_source_refused', 'too_many_followers'],
    handler: ({ body, call }) =>
      shareLimits(deps, toSelector(body), body.source_customer_id, call, (shared) => ({
        status: 200,
        body: renderJson(limitSourceAnswer, toSourceView(shared)),
      })),
  });

  defineRoute(app, {
    method: 'DELETE',
    url: '/limits/source',
    operationId: 'deleteLimitSource',
    summary: 'Share no limits any longer',
    tag: 'limits',
    access: 'admin',
    query: limitSourceQuery,
    responses: { 204: z.undefined() },
    problems: ['customer_not_found', 'selector_conflict'],
    handler: async ({ query, call }) => {
      await unshareLimits(deps, toSelector(query), call);
      return { status: 204, body: undefined };
    },
  });
}

function toSourceView({ customerId, source }: SharedLimits) {
  return {
    customer_id: customerId,
    source_customer_id: source?.sourceId ?? null,
    limits_as_of: source?.copiedAt ?? null,
  };
}

function toTarget(input: SelectorInput & { plan_sku?: string | undefined }): LimitTarget {
  if (isSelected(input)) return { selector: toSelector(input) };
  return input.plan_sku === undefined ? 'default' : { planSku: input.plan_sku };
}

function renderLimit({ limit, isNew }: LimitResult) {
  return { status: isNew ? 201 : 200, body: renderJson(limitAnswer, toLimitView(limit)) };
}

function toLimitView({ id, scope, subject, windows, enforcement, ownerTag, createdAt, updatedAt }: Limit) {
  return {
    id,
    ...toScopeView(scope),
    ...toSubjectView(subject),
    windows,
    enforcement,
    owner_tag: ownerTag,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

function toScopeView(scope: Limit['scope']) {
  if (scope === 'default') return { scope: 'default' as const, customer_id: null, plan_sku: null };
  if ('planSku' in scope) return { scope: 'plan' as const, customer_id: null, plan_sku: scope.planSku };
  const level = scope.isCopied ? ('source' as const) : ('customer' as const);
  return { scope: level, customer_id: scope.customerId, plan_sku: null };
}
