// One person, one customer.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { mergeAnswer, mergeBody } from '../schemas/merge.js';
import { type MergeResult, mergeCustomer } from '../services/merge.js';

export function registerMerge(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/customers/merge',
    operationId: 'mergeCustomers',
    summary: 'Merge one customer into another',
    description:
      'The source’s id and identities lead to the target from then on, for ever. The same pair again is answered as it was. With `dry_run` it is told what would move, and what would be dropped and why.',
    tag: 'customers',
    access: 'admin',
    body: mergeBody,
    responses: { 200: mergeAnswer },
    problems: [
      'customer_not_found',
      'merge_with_itself',
      'customer_merged',
      'too_many_merged',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: ({ body, call }) =>
      mergeCustomer(
        deps,
        { targetId: body.target_customer_id, sourceId: body.source_customer_id, isDryRun: body.dry_run },
        call,
        (result) => ({ status: 200, body: renderJson(mergeAnswer, toMergeView(result)) }),
      ),
  });
}

function toMergeView({ customerId, sourceId, isDryRun, moved }: MergeResult): z.input<typeof mergeAnswer> {
  return {
    customer_id: customerId,
    source_customer_id: sourceId,
    dry_run: isDryRun,
    moved: {
      identities: moved.identities,
      batches: moved.batches,
      units: moved.units,
      owed: moved.owed,
      open_orders: moved.openOrders,
      open_reservations: moved.openReservations,
      merged_before: moved.mergedBefore,
      subscriptions: moved.subscriptions.map(({ id, sku, planGroup, status }) => ({
        subscription_id: id,
        sku,
        plan_group: planGroup,
        status,
      })),
    },
    dropped: {
      referrals: moved.droppedReferrals.map(({ id, referrerId, refereeId, reason }) => ({
        referral_id: id,
        referrer_id: referrerId,
        referee_id: refereeId,
        reason,
      })),
      rewards: moved.cancelledRewards.map(({ id, referralId, customerId, programKey, reason }) => ({
        reward_id: id,
        referral_id: referralId,
        customer_id: customerId,
        program_key: programKey,
        reason,
      })),
      limits: moved.droppedLimits,
      subscriptions: moved.endedSubscriptions.map(({ id, customerId, sku, planGroup, staysId }) => ({
        subscription_id: id,
        customer_id: customerId,
        sku,
        plan_group: planGroup,
        reason: 'another_ends_later',
        stays_id: staysId,
      })),
    },
  };
}
