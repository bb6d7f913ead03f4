// What comes of a paid order: refunds and disputes.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { inboxOf } from '../payments/inbox.js';
import { disputedOrderAnswer, orderParams, refundedOrderAnswer } from '../schemas/orders.js';
import { disputeOrderBody, refundOrderBody } from '../schemas/refunds.js';
import { toSelectorBeside } from '../schemas/selectors.js';
import { disputeOrder, refundOrder } from '../services/refunds.js';
import { renderDispute, renderRefund } from './refund-answers.js';

export function registerRefunds(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/orders/:id/refund',
    operationId: 'refundOrder',
    summary: 'Refund a paid order, or a part of it',
    description:
      'Wholly, by lines, or by an amount. What it bought is taken back by the share of each line that was refunded so far; access ends once its line is wholly refunded. Told again under its `refund_id`, with or without a key, it is answered as the first time.',
    tag: 'orders',
    access: 'payments',
    params: orderParams,
    body: refundOrderBody,
    responses: { 200: refundedOrderAnswer },
    problems: [
      'order_not_found',
      'customer_not_found',
      'selector_conflict',
      'order_not_paid',
      'refund_id_required',
      'refund_pending',
      'refund_exceeds_paid',
      'refund_mismatch',
      'dispute_not_found',
      'too_many_reports',
      'too_many_batches',
      'quantity_too_large',
    ],
    handler: async ({ params, body, call }) =>
      refundOrder(
        deps,
        toSelectorBeside(body),
        params.id,
        {
          status: body.status,
          pendingProvider: body.pending_provider || undefined,
          paymentMethod: body.payment_method,
          refundId: body.refund_id,
          disputeId: body.dispute_id,
          amount: body.amount,
          items: body.items,
          reason: body.reason,
          unrecoveredPolicy: body.unrecovered_policy,
        },
        { isProvider: false, methods: await inboxOf(deps).methods() },
        call,
        renderRefund,
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/orders/:id/dispute',
    operationId: 'disputeOrder',
    summary: 'Tell of a dispute of a paid order',
    description:
      'Opened, it takes back what it contests as a refund would; won, all that comes back; lost, nothing changes any more. It never changes the status of the order.',
    tag: 'orders',
    access: 'payments',
    params: orderParams,
    body: disputeOrderBody,
    responses: { 200: disputedOrderAnswer },
    problems: [
      'order_not_found',
      'customer_not_found',
      'selector_conflict',
      'order_not_paid',
      'refund_exceeds_paid',
      'dispute_mismatch',
      'dispute_closed',
      'too_many_reports',
      'too_many_batches',
      'quantity_too_large',
    ],
    handler: ({ params, body, call }) =>
      disputeOrder(
        deps,
        toSelectorBeside(body),
        params.id,
        {
          status: body.status,
          paymentMethod: body.payment_method,
          disputeId: body.dispute_id,
          amount: body.amount,
          unrecoveredPolicy: body.unrecovered_policy,
        },
        call,
        renderDispute,
      ),
  });
}
