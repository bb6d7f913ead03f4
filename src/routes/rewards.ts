// What referrals earned.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import type { Reward } from '../ledger/reward-entities.js';
import { refuseBody, releaseBody, rewardAnswer, rewardPage, rewardParams, rewardsQuery } from '../schemas/rewards.js';
import { isSelected, toSelector } from '../schemas/selectors.js';
import { decideReward, getRewards } from '../services/rewards.js';

const renderReward = (reward: Reward) => ({ status: 200, body: renderJson(rewardAnswer, toRewardView(reward)) });

export function registerRewards(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/referrals/rewards',
    operationId: 'listRewards',
    summary: 'List what referrals earned, newest first',
    description: 'A selector names who gets them. `status=held` are those that wait for an operator, or for a dispute.',
    tag: 'referrals',
    access: 'read',
    query: rewardsQuery,
    responses: { 200: rewardPage },
    problems: ['customer_not_found', 'selector_conflict'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const rewards = await getRewards(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        status: query.status,
        side: query.side,
        programKey: query.program_key,
        referralId: query.referral_id,
        orderId: query.order_id,
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(rewards, query.limit, (row) => row);
      return { status: 200, body: { data: rows.map(toRewardView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'POST',
    url: '/referrals/rewards/:id/release',
    operationId: 'releaseReward',
    summary: 'Let a reward be granted that is held',
    description: 'In its time, or at once where that has come.',
    tag: 'referrals',
    access: 'grants',
    params: rewardParams,
    body: releaseBody,
    responses: { 200: rewardAnswer },
    problems: ['reward_not_found', 'reward_not_held'],
    handler: ({ params, body, call }) =>
      decideReward(deps, params.id, { isReleased: true, reason: body.reason }, call, renderReward),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/referrals/rewards/:id/refuse',
    operationId: 'refuseReward',
    summary: 'Refuse a reward that is held, for good',
    tag: 'referrals',
    access: 'grants',
    params: rewardParams,
    body: refuseBody,
    responses: { 200: rewardAnswer },
    problems: ['reward_not_found', 'reward_not_held'],
    handler: ({ params, body, call }) =>
      decideReward(deps, params.id, { isReleased: false, reason: body.reason }, call, renderReward),
  });
}

/** What a dispute holds is shown as held. */
function toRewardView(reward: Reward) {
  const isContested = reward.status === 'armed' && reward.isDisputed;
  return {
    id: reward.id,
    referral_id: reward.referralId,
    side: reward.side,
    customer_id: reward.customerId,
    referrer_id: reward.referrerId,
    referee_id: reward.refereeId,
    program_key: reward.programKey,
    order_id: reward.orderId,
    sku: reward.sku,
    quantity: reward.quantity,
    status: isContested ? ('held' as const) : reward.status,
    hold_reason: isContested ? 'dispute' : reward.holdReason,
    due_at: reward.dueAt,
    granted_at: reward.grantedAt,
    operation_id: reward.grantedBy,
    cancelled_at: reward.cancelledAt,
    cancel_reason: reward.cancelReason,
    clawed_back_at: reward.clawedBackAt,
    created_at: reward.createdAt,
  };
}
