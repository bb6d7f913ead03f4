// A customer's plans: subscribe, change, cancel, resume, renew.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { decodeCreatedAt, toCreatedPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import type { Subscription } from '../ledger/subscription-entities.js';
import { currencyDecimals } from '../lib/currencies.js';
import { formatMoney } from '../lib/money.js';
import { toTrialIdentities } from '../schemas/grants.js';
import { isSelected, toSelector, toSelectorBeside } from '../schemas/selectors.js';
import {
  cancelSubscriptionBody,
  changeSubscriptionBody,
  subscribeBody,
  subscriptionActionBody,
  subscriptionInFullAnswer,
  subscriptionPage,
  subscriptionParams,
  subscriptionQuery,
  subscriptionResultAnswer,
  subscriptionsQuery,
} from '../schemas/subscriptions.js';
import {
  cancelSubscription,
  changeSubscription,
  getSubscription,
  getSubscriptions,
  renewSubscription,
  resumeSubscription,
  type SubscriptionInFull,
  type SubscriptionResult,
  subscribe,
} from '../services/subscriptions.js';
import { toOrderView } from './views.js';

const ONE = ['subscription_not_found', 'customer_not_found', 'selector_conflict'] as const;
const PLAN = [
  'offer_not_found',
  'offer_not_plan',
  'offer_inactive',
  'offer_exchange_only',
  'product_inactive',
  'already_unlimited',
  'quantity_too_large',
  'too_many_batches',
] as const;

function toView(subscription: Subscription) {
  const { plan, change } = subscription;
  return {
    id: subscription.id,
    customer_id: subscription.customerId,
    sku: plan.sku,
    name: plan.name,
    plan_group: plan.planGroup,
    status: subscription.status,
    price: formatMoney(plan.price, currencyDecimals(plan.currency)),
    currency: plan.currency,
    recurrence: plan.recurrence,
    grant_every: plan.grantEvery,
    period_starts_at: subscription.periodStartsAt,
    period_ends_at: subscription.periodEndsAt,
    allocates_at: subscription.allocatesAt,
    cancels_at_period_end: subscription.cancelsAtEnd,
    change: change && { sku: change.plan.sku, old_units: change.oldUnits, order_id: change.orderId },
    order_id: subscription.orderId,
    next_turn_at: subscription.turnsAt,
    ended_at: subscription.endedAt,
    metadata: subscription.metadata,
    created_at: subscription.createdAt,
  };
}

const render =
  (statusOfNew: 200 | 201) =>
  ({ subscription, order, isNew }: SubscriptionResult) => ({
    status: isNew ? statusOfNew : 200,
    body: renderJson(subscriptionResultAnswer, {
      ...toView(subscription),
      order: order && toOrderView({ order, granted: { batches: [], total: 0 } }),
    }),
  });

function toFullView({ subscription, periods, steps }: SubscriptionInFull) {
  return {
    ...toView(subscription),
    periods: periods.map((period) => ({
      sku: period.sku,
      kind: period.kind,
      starts_at: period.startsAt,
      ends_at: period.endsAt,
      count: period.count,
      granted: period.granted,
      order_id: period.orderId,
      operation_id: period.operationId,
      ended_at: period.endedAt,
    })),
    steps: steps.map(({ kind, occurredAt, recordedAt, operationId }) => ({
      kind,
      occurred_at: occurredAt,
      recorded_at: recordedAt,
      operation_id: operationId,
    })),
  };
}

export function registerSubscriptions(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/subscriptions',
    operationId: 'subscribe',
    summary: 'Subscribe to a plan',
    description:
      'With its trial, or free of charge, it begins at once. Else it is `incomplete`, and begins when its `order` is paid. A customer has one subscription of a group that has not ended; who has this plan already is answered as he is.',
    tag: 'subscriptions',
    access: 'orders',
    body: subscribeBody,
    responses: { 200: subscriptionResultAnswer, 201: subscriptionResultAnswer },
    problems: ['customer_not_found', 'selector_conflict', ...PLAN, 'offer_limit_reached', 'subscription_exists'],
    handler: ({ body, call }) =>
      subscribe(
        deps,
        toSelector(body),
        { sku: body.sku, trial: body.trial, identities: toTrialIdentities(body.identities), metadata: body.metadata },
        call,
        render(201),
      ),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/subscriptions',
    operationId: 'listSubscriptions',
    summary: 'List subscriptions, newest first',
    description: 'Of a customer who is named as they are now; of everybody as they were when they turned last.',
    tag: 'subscriptions',
    access: 'read',
    query: subscriptionsQuery,
    responses: { 200: subscriptionPage },
    problems: ['customer_not_found', 'selector_conflict'],
    handler: async ({ query }) => {
      const found = await getSubscriptions(deps, {
        selector: isSelected(query) ? toSelector(query) : undefined,
        status: query.status,
        sku: query.sku,
        planGroup: query.plan_group,
        after: decodeCreatedAt(query.cursor),
        limit: query.limit + 1,
      });
      const { rows, nextCursor } = toCreatedPage(found, query.limit, (row) => row);
      return { status: 200, body: { data: rows.map(toView), next_cursor: nextCursor } };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/subscriptions/:id',
    operationId: 'getSubscription',
    summary: 'Get a subscription, with its periods and what became of it',
    tag: 'subscriptions',
    access: 'read',
    params: subscriptionParams,
    query: subscriptionQuery,
    responses: { 200: subscriptionInFullAnswer },
    problems: [...ONE],
    handler: async ({ params, query }) => ({
      status: 200,
      body: toFullView(await getSubscription(deps, toSelectorBeside(query), params.id)),
    }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/subscriptions/:id/change',
    operationId: 'changeSubscription',
    summary: 'Change to another plan of the group',
    description:
      'What costs nothing takes effect at once, or at the end of the period; what has a price as soon as its `order` is paid, or with the renewal. The present plan takes a scheduled change back.',
    tag: 'subscriptions',
    access: 'orders',
    params: subscriptionParams,
    body: changeSubscriptionBody,
    responses: { 200: subscriptionResultAnswer },
    problems: [
      ...ONE,
      ...PLAN,
      'other_plan_group',
      'subscription_unchanged',
      'change_paid',
      'subscription_incomplete',
      'subscription_ended',
    ],
    handler: ({ params, body, call }) =>
      changeSubscription(
        deps,
        toSelectorBeside(body),
        params.id,
        { sku: body.sku, when: body.when, oldUnits: body.old_units, isDryRun: body.dry_run },
        call,
        render(200),
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/subscriptions/:id/resume',
    operationId: 'resumeSubscription',
    summary: 'Take a scheduled cancellation back',
    tag: 'subscriptions',
    access: 'orders',
    params: subscriptionParams,
    body: subscriptionActionBody,
    responses: { 200: subscriptionResultAnswer },
    problems: [...ONE, 'subscription_ended'],
    handler: ({ params, body, call }) => resumeSubscription(deps, toSelectorBeside(body), params.id, call, render(200)),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/subscriptions/:id/renew',
    operationId: 'renewSubscription',
    summary: 'Order the next period',
    description: 'Answers the order that pays it; one that waits for its payment is answered again.',
    tag: 'subscriptions',
    access: 'orders',
    params: subscriptionParams,
    body: subscriptionActionBody,
    responses: { 200: subscriptionResultAnswer },
    problems: [...ONE, 'subscription_ended', 'subscription_incomplete', 'subscription_not_renewable'],
    handler: ({ params, body, call }) => renewSubscription(deps, toSelectorBeside(body), params.id, call, render(200)),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/subscriptions/:id/cancel',
    operationId: 'cancelSubscription',
    summary: 'Cancel a subscription, now or with its period',
    description:
      'What it allocated lasts as long as it was to last; to take it back, refund its order. One that is cancelled is answered as it is.',
    tag: 'subscriptions',
    access: 'orders',
    params: subscriptionParams,
    body: cancelSubscriptionBody,
    responses: { 200: subscriptionResultAnswer },
    problems: [...ONE, 'subscription_ended'],
    handler: ({ params, body, call }) =>
      cancelSubscription(deps, toSelectorBeside(body), params.id, body.when, call, render(200)),
  });
}
