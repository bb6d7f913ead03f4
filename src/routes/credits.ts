// Plain credits on a currency product.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { decodeCursor, toPage } from '../http/pagination.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import {
  addCreditsAnswer,
  addCreditsBody,
  creditsBalanceAnswer,
  creditsBalanceQuery,
  deductCreditsAnswer,
  deductCreditsBody,
  expiringCreditsPage,
  expiringCreditsQuery,
  WITHIN_DEFAULT_S,
} from '../schemas/credits.js';
import { instantSchema } from '../schemas/instants.js';
import { toSelector } from '../schemas/selectors.js';
import { uuidSchema } from '../schemas/text.js';
import { addCredits, deductCredits, getCreditsBalance, getExpiringCredits } from '../services/credits.js';
import { toTakingsView, toWarningsView } from './views.js';

const expiryPosition = z.strictObject({ expires_at: instantSchema, id: uuidSchema });

export function registerCredits(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/credits/add',
    operationId: 'addCredits',
    summary: 'Add credits',
    description: 'As one batch of a currency product. What the customer owes of it is repaid at once.',
    tag: 'credits',
    access: 'grants',
    body: addCreditsBody,
    responses: { 201: addCreditsAnswer },
    problems: [
      'customer_not_found',
      'selector_conflict',
      'product_not_found',
      'product_not_currency',
      'product_inactive',
      'quantity_too_large',
    ],
    handler: ({ body, call }) =>
      addCredits(
        deps,
        toSelector(body),
        {
          productKey: body.product_key,
          amount: body.amount,
          expiresAt: body.expires_at ?? undefined,
          metadata: withDescription(body),
        },
        call,
        (result) => ({
          status: 201,
          body: renderJson(addCreditsAnswer, {
            operation_id: result.operationId,
            product_key: result.productKey,
            amount: result.amount,
            balance: result.balance,
            upcoming: result.upcoming,
            batch_id: result.batchId,
            repaid: result.repaid,
            metadata: result.metadata,
          }),
        }),
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/credits/deduct',
    operationId: 'deductCredits',
    summary: 'Take credits',
    description:
      'All or nothing. With `allow_negative`, for work that is done already, what is lacking is owed and the next credits repay it.',
    tag: 'credits',
    access: 'consume',
    body: deductCreditsBody,
    responses: { 200: deductCreditsAnswer },
    problems: [
      'insufficient_quota',
      'limit_exceeded',
      'customer_not_found',
      'selector_conflict',
      'product_not_found',
      'product_not_currency',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: ({ body, call }) =>
      deductCredits(
        deps,
        toSelector(body),
        {
          productKey: body.product_key,
          amount: body.amount,
          allowNegative: body.allow_negative,
          metadata: withDescription(body),
        },
        call,
        (result) => ({
          status: 200,
          body: renderJson(deductCreditsAnswer, {
            allowed: true,
            operation_id: result.operationId,
            product_key: result.productKey,
            amount: result.amount,
            balance: result.balance,
            upcoming: result.upcoming,
            taken: toTakingsView(result.takings),
            owed: result.owed,
            warnings: toWarningsView(result.warnings),
            metadata: result.metadata,
          }),
        }),
      ),
  });

  defineRoute(app, {
    method: 'GET',
    url: '/credits/balance',
    operationId: 'getCreditsBalance',
    summary: 'Get a balance of credits',
    tag: 'credits',
    access: 'read',
    query: creditsBalanceQuery,
    responses: { 200: creditsBalanceAnswer },
    problems: ['customer_not_found', 'selector_conflict', 'product_not_found', 'product_not_currency'],
    handler: async ({ query }) => {
      const credits = await getCreditsBalance(deps, toSelector(query), query.product_key);
      return {
        status: 200,
        body: {
          customer_id: credits.customerId,
          product_key: credits.productKey,
          balance: credits.balance,
          upcoming: credits.upcoming,
          available: credits.available,
          held: credits.held,
          owed: credits.owed,
        },
      };
    },
  });

  defineRoute(app, {
    method: 'GET',
    url: '/credits/expiring',
    operationId: 'listExpiringCredits',
    summary: 'List credits that are about to end, soonest first',
    tag: 'credits',
    access: 'read',
    query: expiringCreditsQuery,
    responses: { 200: expiringCreditsPage },
    problems: ['customer_not_found', 'selector_conflict', 'product_not_found', 'product_not_currency'],
    mayLag: deps,
    handler: async ({ query, deps }) => {
      const after = decodeCursor(expiryPosition, query.cursor);
      const expiring = await getExpiringCredits(
        deps,
        toSelector(query),
        { productKey: query.product_key, withinS: query.within ?? WITHIN_DEFAULT_S },
        { after: after && { expiresAt: after.expires_at, id: after.id }, limit: query.limit + 1 },
      );
      const { rows, nextCursor } = toPage(expiring, query.limit, expiryPosition, (row) => ({
        expires_at: row.expiresAt,
        id: row.batchId,
      }));
      return {
        status: 200,
        body: {
          data: rows.map((row) => ({
            batch_id: row.batchId,
            product_key: row.productKey,
            amount: row.amount,
            expires_at: row.expiresAt,
          })),
          next_cursor: nextCursor,
        },
      };
    },
  });
}

/** The metadata of a movement of credits, with what it is for. */
function withDescription({
  metadata,
  description,
}: {
  metadata: Record<string, unknown>;
  description?: string | undefined;
}) {
  return description === undefined ? metadata : { ...metadata, description };
}
