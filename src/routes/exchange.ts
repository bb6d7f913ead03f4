// Spend units of a currency product on an offer.
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { exchangeAnswer, exchangeBody } from '../schemas/exchange.js';
import { toSelector } from '../schemas/selectors.js';
import { exchange } from '../services/exchange.js';
import { toBatchView, toWarningsView } from './views.js';

export function registerExchange(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/exchange',
    operationId: 'exchange',
    summary: 'Spend units of a currency product on an offer',
    description: 'Takes the price and grants the offer in one operation, or does neither.',
    tag: 'exchange',
    access: 'consume',
    body: exchangeBody,
    responses: { 200: exchangeAnswer },
    problems: [
      'insufficient_quota',
      'limit_exceeded',
      'customer_not_found',
      'selector_conflict',
      'offer_not_found',
      'offer_inactive',
      'offer_limit_reached',
      'offer_not_exchangeable',
      'product_inactive',
      'already_unlimited',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: ({ body, call }) =>
      exchange(deps, toSelector(body), { sku: body.sku, metadata: body.metadata }, call, (result) => ({
        status: 200,
        body: renderJson(exchangeAnswer, {
          allowed: true,
          operation_id: result.operationId,
          spent: { product_key: result.spent.productKey, amount: result.spent.amount },
          batches: result.batches.map(toBatchView),
          balances: Object.fromEntries(result.balances),
          upcoming: Object.fromEntries(result.upcoming),
          warnings: toWarningsView(result.warnings),
          metadata: result.metadata,
        }),
      })),
  });
}
