// What was used, and how much may still be.
import type { FastifyInstance } from 'fastify';
import type { Call } from '../call.js';
import type { UseEvent } from '../db/usage.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { decodeCreatedAt, decodeCursor, entryPosition, toCreatedPage, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import type { CheckedLimit } from '../ledger/limit-entities.js';
import { toSubject } from '../schemas/quota.js';
import { isSelected, type SelectorInput, toSelector } from '../schemas/selectors.js';
import { statusAnswer, statusQuery, usageAnswer, usageQuery, usesPage, usesQuery } from '../schemas/usage.js';
import { getQuotaStatus, getQuotaUsage, getUses, getUsesOfAll, type SubjectStatus } from '../services/usage.js';
import { toEntryView, toSubjectView } from './views.js';

export function registerUsage(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/quota/status',
    operationId: 'getQuotaStatus',
    summary: 'Get where a customer stands with his limits',
    description:
      'Each product and feature that he has a limit for, used, or holds; one of them where it is named. In the windows of limits stands what decides the next use. Without a limit, use is added up from all of his entries, which takes longer the more he has.',
    tag: 'quota',
    access: 'read',
    ability: 'balance.read',
    query: statusQuery,
    responses: { 200: statusAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'product_not_found', 'feature_not_found', 'overloaded'],
    handler: async ({ query }) => {
      const { customerId, subjects, hasMore, limitsAsOf } = await getQuotaStatus(
        deps,
        toSelector(query),
        toNamedSubject(query),
      );
      return {
        status: 200,
        body: {
          customer_id: customerId,
          data: subjects.map(toStatusView),
          has_more: hasMore,
          limits_as_of: limitsAsOf,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/quota/usage',
    operationId: 'getQuotaUsage',
    summary: 'Get what was used over time',
    description:
      'By windows of the calendar, fit for a plot: those without use are 0. Without a customer it is that of all customers, which needs the scope `admin`, and takes longer the more was recorded since `from`.',
    tag: 'quota',
    access: 'read',
    ability: 'entries.read',
    query: usageQuery,
    responses: { 200: usageAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'product_not_found', 'feature_not_found'],
    mayLag: deps,
    handler: async ({ query, call, deps }) => {
      const { window, from, to } = query;
      const subject = toSubject(query);
      const usage = await getQuotaUsage(deps, selectorOrAll(query, call), { subject, window, from, to });
      return {
        status: 200,
        body: {
          customer_id: usage.customerId,
          ...toSubjectView(subject),
          window,
          data: usage.windows,
          settlement_pending: usage.isDue,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/quota/events',
    operationId: 'listQuotaEvents',
    summary: 'List uses, newest first',
    description:
      'The entries that take, hold, commit, owe or give back, with how much each counts and the limits that were looked at. Without a customer those of all customers, of 31 days at most, which needs the scope `admin`.',
    tag: 'quota',
    access: 'read',
    ability: 'entries.read',
    query: usesQuery,
    responses: { 200: usesPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, call, deps }) => {
      const { kind, action_type: actionType, from, to, cursor } = query;
      const asked = { subject: toNamedSubject(query), kind, actionType, from, to, limit: query.limit + 1 };
      const selector = selectorOrAll(query, call);
      if (selector) {
        const { uses, isDue, isOfMany } = await getUses(deps, selector, asked, decodeCursor(entryPosition, cursor));
        const { rows, nextCursor } = toPage(uses, query.limit, entryPosition, ({ seq, customerId }) => ({
          seq,
          ...(isOfMany && { of: customerId }),
        }));
        return {
          status: 200,
          body: { data: rows.map(toUseView), next_cursor: nextCursor, settlement_pending: isDue },
        };
      }
      const { uses, isDue } = await getUsesOfAll(deps, asked, decodeCreatedAt(cursor));
      const { rows, nextCursor } = toCreatedPage(uses, query.limit, ({ recordedAt: createdAt, id }) => ({
        createdAt,
        id,
      }));
      return { status: 200, body: { data: rows.map(toUseView), next_cursor: nextCursor, settlement_pending: isDue } };
    },
  });
}

function toNamedSubject(query: Parameters<typeof toSubject>[0]) {
  return query.product_key === undefined && query.feature === undefined ? undefined : toSubject(query);
}

/** Whom a query names; undefined asks for all customers. Throws: forbidden (without the scope `admin`). */
function selectorOrAll(query: SelectorInput, { actor }: Call) {
  if (isSelected(query)) return toSelector(query);
  if (actor.scopes.has('admin')) return undefined;
  throw new AppError('forbidden', 'Name a customer: what all customers used needs the scope `admin`.', {
    pointer: 'query/customer_id',
  });
}

function toStatusView({ subject, balance, windows }: SubjectStatus) {
  return {
    ...toSubjectView(subject),
    balance,
    windows: windows.map(({ fallsBackTo, level, resetsAt, ...window }) => ({
      ...window,
      falls_back_to: fallsBackTo,
      scope: level,
      resets_at: resetsAt,
    })),
  };
}

function toUseView(use: UseEvent) {
  return {
    ...toEntryView(use),
    customer_id: use.customerId,
    recorded_at: use.recordedAt,
    counted: use.counted,
    counted_at: use.countedAt,
    checked_limits: (use.checkedLimits ?? []).map(toCheckedView),
  };
}

/** Out of the ledger instants come as text. */
function toCheckedView({ subject, window, windowStart, usedAfter, limit, enforcement }: CheckedLimit) {
  return {
    ...toSubjectView(subject),
    window,
    window_start: new Date(windowStart),
    used_after: usedAfter,
    limit,
    enforcement,
  };
}
