// May they use it; take this much of it.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Call, Echo } from '../call.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import type { ErrorCode } from '../errors/catalogue.js';
import { defineRoute } from '../http/route.js';
import { renderJson } from '../http/serialisation.js';
import { toVerdict } from '../http/verdict.js';
import { required } from '../lib/assert.js';
import {
  checkAnswer,
  checkBatchAnswer,
  checkBatchBody,
  consumeAnswer,
  consumeBatchAnswer,
  consumeBatchBody,
  consumeBody,
  giveBackAnswer,
  giveBackBody,
  toSubject,
} from '../schemas/quota.js';
import { toSelector, toSelectorBeside } from '../schemas/selectors.js';
import { type GiveBackResult, giveBackMetered, giveBackQuota } from '../services/give-back.js';
import {
  type BatchOutcome,
  type CheckResult,
  type ConsumeResult,
  checkQuota,
  checkQuotas,
  consumeBatch,
  consumeQuota,
} from '../services/quota.js';
import { toSubjectView, toTakingsView, toViolationView, toWarningsView } from './views.js';

type Outcome = BatchOutcome['outcomes'][number];

const consumeProblems: readonly ErrorCode[] = [
  'insufficient_quota',
  'limit_exceeded',
  'customer_not_found',
  'selector_conflict',
  'product_not_found',
  'feature_not_found',
  'quantity_too_large',
  'too_many_batches',
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
    access: 'read',
    ability: 'quota.check',
    body: consumeBody,
    idempotent: false,
    responses: { 200: checkAnswer },
    problems: [
      'customer_not_found',
      'selector_conflict',
      'product_not_found',
      'feature_not_found',
      'quantity_too_large',
      'too_many_batches',
    ],
    handler: async ({ body }) => ({
      status: 200,
      body: toCheckView(await checkQuota(deps, toSelector(body), toAsk(body))),
    }),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/quota/check/batch',
    operationId: 'checkQuotaBatch',
    summary: 'Ask of several uses whether each would be allowed',
    description:
      'Each by itself, as if the others were not asked: two that are allowed need not both fit. All are said at one instant. Writes nothing.',
    tag: 'quota',
    access: 'read',
    ability: 'quota.check',
    body: checkBatchBody,
    idempotent: false,
    responses: { 200: checkBatchAnswer },
    problems: ['customer_not_found', 'selector_conflict'],
    handler: async ({ body }) => {
      const checked = await checkQuotas(deps, toSelector(body), body.items.map(toAsk));
      const results = checked.map((result, index) => ({
        index,
        ...(result instanceof AppError ? toVerdict(result) : toCheckView(result)),
      }));
      return { status: 200, body: { results } };
    },
  });

  const consume = (body: z.output<typeof consumeBody>, call: Call) =>
    consumeQuota(deps, toSelector(body), toConsumeCommand(body), call, renderConsume);

  defineRoute(app, {
    method: 'POST',
    url: '/quota/consume',
    operationId: 'consumeQuota',
    summary: 'Take units, all or nothing',
    description:
      'From the batches that are used first. Send an idempotency key: a repeated call then takes nothing and gets the first answer again.',
    tag: 'quota',
    access: 'consume',
    body: consumeBody,
    responses: { 200: consumeAnswer },
    problems: consumeProblems,
    handler: ({ body, call }) => consume(body, call),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/wallet/consume',
    operationId: 'consumeWallet',
    summary: 'Take units (alias of POST /quota/consume)',
    tag: 'quota',
    access: 'consume',
    body: consumeBody,
    responses: { 200: consumeAnswer },
    problems: consumeProblems,
    handler: ({ body, call }) => consume(body, call),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/quota/consume/batch',
    operationId: 'consumeQuotaBatch',
    summary: 'Take units many times in one call',
    description:
      'Each item is a consume with a key and a verdict of its own; the key of the call covers all of it. Always answers 200: look at `committed` and at each `allowed`.',
    tag: 'quota',
    access: 'consume',
    body: consumeBatchBody,
    responses: { 200: consumeBatchAnswer },
    problems: [],
    isDear: true,
    handler: ({ body, call }) =>
      consumeBatch(
        deps,
        {
          mode: body.mode,
          items: body.items.map((item) => ({
            selector: selectorOrRefusal(item),
            command: toConsumeCommand(item),
            idempotencyKey: item.idempotency_key,
          })),
        },
        call,
        renderConsume,
        ({ isCommitted, outcomes }) => {
          const results = outcomes.map((outcome, index) =>
            isCommitted ? toResult(outcome, index) : toPlannedResult(outcome, index, body.items[index]),
          );
          return { status: 200, body: `{"committed":${isCommitted},"results":[${results.join()}]}` };
        },
        metadataOf(body.items),
      ),
  });

  defineRoute(app, {
    method: 'POST',
    url: '/quota/release',
    operationId: 'giveBackQuota',
    summary: 'Give back what a use took',
    description:
      'All that is left of it, or an amount, in reverse order of use. Units of a batch that has ended meanwhile expire at once. What is metered may be given back by its name, as seats are.',
    tag: 'quota',
    access: 'consume',
    body: giveBackBody,
    responses: { 200: giveBackAnswer },
    problems: [
      'operation_not_found',
      'product_not_found',
      'feature_not_found',
      'not_metered',
      'not_reversible',
      'release_exceeds_usage',
      'quantity_too_large',
      'too_many_batches',
      'customer_not_found',
      'selector_conflict',
    ],
    handler: ({ body, call }) => {
      const { operation_id: operationId, amount, metadata } = body;
      if (operationId === undefined) {
        const command = { subject: toSubject(body), amount: required(amount, 'the schema asks for it'), metadata };
        return giveBackMetered(deps, toSelector(body), command, call, renderGiveBack);
      }
      return giveBackQuota(deps, toSelectorBeside(body), { operationId, amount, metadata }, call, renderGiveBack);
    },
  });
}

function renderGiveBack(result: GiveBackResult) {
  return {
    status: 200,
    body: renderJson(giveBackAnswer, {
      operation_id: result.operationId,
      ...toSubjectView(result.subject),
      amount: result.amount,
      returned: result.returned,
      expired: result.expired,
      revoked: result.revoked,
      restored: toTakingsView(result.restored),
      remaining: result.remaining,
      metadata: result.metadata,
    }),
  };
}

/** Whom an item is about; a contradiction is a refusal of the item alone. */
function selectorOrRefusal(item: Parameters<typeof toSelector>[0]): ReturnType<typeof toSelector> | AppError {
  try {
    return toSelector(item);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** What a check asks for. */
function toAsk(body: Parameters<typeof toSubject>[0] & { amount: number }) {
  return { subject: toSubject(body), amount: body.amount };
}

function toCheckView(result: CheckResult) {
  return {
    allowed: result.isAllowed,
    would_take: toTakingsView(result.takings),
    remaining: result.remaining,
    reasons: result.reasons.map(({ code, productKey, at }) => ({ code, product_key: productKey, at })),
    violations: result.violations.map(toViolationView),
    warnings: toWarningsView(result.warnings),
    upgrade_skus: result.upgradeOffers.map(({ sku }) => sku),
    upgrade_offers: result.upgradeOffers,
    allowed_at: result.allowedAt,
  };
}

/** What a consume asks for, and what it is for. */
function toConsumeCommand(body: z.output<typeof consumeBody>) {
  return {
    ...toAsk(body),
    actionType: body.action_type,
    actionId: body.action_id ?? undefined,
    metadata: body.metadata,
  };
}

/** The JSON text of an item's result: the bytes of its answer, with its index before them, and whether they were given before. */
function toResult(outcome: Outcome, index: number): string {
  if ('refusal' in outcome) return JSON.stringify({ index, replayed: false, ...toVerdict(outcome.refusal) });
  const { replayed, body } = outcome.answer;
  return `{"index":${index},"replayed":${replayed},${body.slice(1)}`;
}

/** The metadata of items, of which an answer tells those that were allowed. */
function metadataOf(items: readonly Pick<z.output<typeof consumeBody>, 'metadata'>[]): Echo {
  const change = (body: string, each: (result: Record<string, unknown>) => Record<string, unknown>) => {
    const { results, ...rest } = JSON.parse(body);
    return JSON.stringify({ ...rest, results: results.map(each) });
  };
  return {
    leaveOut: (body) => change(body, ({ metadata: _, ...result }) => result),
    putBack: (body) =>
      change(body, (result) =>
        result.allowed ? { ...result, metadata: items[Number(result.index)]?.metadata } : result,
      ),
  };
}

/** Of a bulk call that took nothing: what was allowed has no operation. */
function toPlannedResult(outcome: Outcome, index: number, item: z.output<typeof consumeBody> | undefined): string {
  if ('refusal' in outcome) return toResult(outcome, index);
  return JSON.stringify({
    index,
    replayed: false,
    allowed: true,
    ...(item && { ...toSubjectView(toSubject(item)), amount: item.amount }),
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
      warnings: toWarningsView(result.warnings),
      metadata: result.metadata,
    }),
  };
}
