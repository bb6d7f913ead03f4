// Who brought whom.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import {
  isOfReferee,
  referralAnswer,
  referralBody,
  referralPage,
  referralStatsAnswer,
  referralStatsQuery,
  referralsQuery,
  toSide,
} from '../schemas/referrals.js';
import { toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { attachReferral, getReferralStats, getReferrals } from '../services/referrals.js';
import { toReferralView } from './views.js';

export function registerReferrals(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/referrals',
    operationId: 'attachReferral',
    summary: 'Say who brought whom',
    description: 'Both must be known. A referee has one referrer; the same pair again changes nothing.',
    tag: 'referrals',
    access: 'consume',
    body: referralBody,
    responses: { 200: referralAnswer, 201: referralAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'self_referral', 'already_referred', 'referral_cycle'],
    handler: ({ body, call }) => {
      const referrer = toSide(body, 'referrer');
      const referee = toSide(body, 'referee');
      return attachReferral(
        deps,
        {
          referrer: referrer.selector,
          referrerPointer: referrer.pointer,
          referee: referee.selector,
          refereePointer: referee.pointer,
          metadata: body.metadata,
        },
        call,
        ({ referral, isNew }) => ({
          status: isNew ? 201 : 200,
          body: renderJson(referralAnswer, { created: isNew, ...toReferralView(referral) }),
        }),
      );
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/referrals',
    operationId: 'listReferrals',
    summary: 'List whom a customer brought, or who brought him, newest first',
    description:
      'The selector names the referrer, `referee_id` or `referee_external_id` the referee: one row at most, who brought him. Both together must fit.',
    tag: 'referrals',
    access: 'read',
    query: referralsQuery,
    responses: { 200: referralPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const referrals = await getReferrals(
        deps,
        toSelectorBeside(query),
        isOfReferee(query) ? toSide(query, 'referee') : undefined,
        { after: decodeCreatedAt(query.cursor), limit: query.limit + 1 },
      );
      const { rows, nextCursor } = toCreatedPage(referrals, query.limit, (row) => row);
      return {
        status: 200,
        body: {
          data: rows.map((row) => ({ ...toReferralView(row), created_at: row.createdAt })),
          next_cursor: nextCursor,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/referrals/stats',
    operationId: 'getReferralStats',
    summary: 'Count whom a customer brought',
    tag: 'referrals',
    access: 'read',
    query: referralStatsQuery,
    responses: { 200: referralStatsAnswer },
    problems: ['customer_not_found', 'selector_conflict'],
    isDear: true,
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const { customerId, count } = await getReferralStats(deps, toSelector(query));
      return { status: 200, body: { customer_id: customerId, count } };
    },
  });
}
