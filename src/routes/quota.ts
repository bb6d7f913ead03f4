// May they use it; take this much of it.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Deps } from '../deps.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { withVerdict } from '../http/verdict.js';
import { toSelector } from '../schemas/common.js';
import { checkAnswer, consumeAnswer, consumeBody, consumeOutcome, toSubject } from '../schemas/quota.js';
import { type ConsumeResult, checkQuota, consumeQuota } from '../services/quota.js';
import { toSubjectView, toTakingsView } from '../services/views.js';

const consumeProblems: readonly ErrorCode[] = [
  'insufficient_quota',
  'customer_not_found',
  'selector_conflict',
  'product_not_found',
  'feature_not_found',
  'quantity_too_large',
  'overloaded',
];

export function registerQuota(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'POST',
    url: '/quota/check',
    operationId: 'checkQuota',
    summary: 'Ask whether a use would be allowed',
    description:
      'A dry run of consume by the same code: what it would take, or every reason against it. Writes nothing.',
    tag: 'quota',
    scope: 'read',
    body: consumeBody,
    strictBody: false,
    idempotent: false,
    responses: { 200: checkAnswer },
    problems: [
      'customer_not_found',
      'selector_conflict',
      'product_not_found',
      'feature_not_found',
      'quantity_too_large',
    ],
    handler: async ({ body }) => {
      const result = await checkQuota(deps, toSelector(body), { subject: toSubject(body), amount: body.amount });
      return {
        status: 200,
        body: {
          allowed: result.isAllowed,
          would_take: toTakingsView(result.takings),
          remaining: result.remaining,
          reasons: result.reasons.map(({ code, productKey, at }) => ({ code, product_key: productKey, at })),
          violations: [],
          upgrade_skus: result.upgradeSkus,
          allowed_at: result.allowedAt,
        },
      };
    },
  });

  const consume = (body: z.output<typeof consumeBody>, idempotencyKey: string | undefined) =>
    withVerdict(body.on_refusal, () =>
      consumeQuota(
        deps,
        toSelector(body),
        {
          subject: toSubject(body),
          amount: body.amount,
          actionType: body.action_type,
          actionId: body.action_id ?? undefined,
          metadata: body.metadata,
        },
        idempotencyKey,
        renderConsume,
      ),
    );

  defineRoute(app, {
    method: 'POST',
    url: '/quota/consume',
    operationId: 'consumeQuota',
    summary: 'Take units, all or nothing',
    description:
      'From the batches that are used first. Send an idempotency key: a repeated call then takes nothing and gets the first answer again.',
    tag: 'quota',
    scope: 'consume',
    body: consumeBody,
    strictBody: false,
    responses: { 200: consumeOutcome },
    problems: consumeProblems,
    handler: ({ body, idempotencyKey }) => consume(body, idempotencyKey),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/wallet/consume',
    operationId: 'consumeWallet',
    summary: 'Take units (alias of POST /quota/consume)',
    tag: 'quota',
    scope: 'consume',
    body: consumeBody,
    strictBody: false,
    responses: { 200: consumeOutcome },
    problems: consumeProblems,
    handler: ({ body, idempotencyKey }) => consume(body, idempotencyKey),
  });
}

function renderConsume(result: ConsumeResult) {
  return {
    status: 200,
    body: renderJson(consumeAnswer, {
      allowed: true,
      operation_id: result.operationId,
      usage_id: result.usageId,
      ...toSubjectView(result.subject),
      amount: result.amount,
      remaining: result.remaining,
      taken: toTakingsView(result.takings),
      warnings: [],
      metadata: result.metadata,
    }),
  };
}
