// The wire of refunds and disputes.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { askedQuantitySchema, countAnswerSchema, moneySchema } from './quantities.js';
import { withOptionalSelector } from './selectors.js';
import { idText, refuseMissingPart, text, uuidAnswerSchema, uuidSchema } from './text.js';

export const PAYMENT_METHOD_LENGTH_MAX = 64;
const LINES_MAX = 100;
const POLICIES = ['ignore', 'debt'] as const;
const REFUND_STATUSES = ['succeeded', 'failed'] as const;
const DISPUTE_STATUSES = ['opened', 'won', 'lost'] as const;

const methodSchema = text({ max: PAYMENT_METHOD_LENGTH_MAX })
  .optional()
  .meta({ description: 'Lower-cased; that of the order when left out.', examples: ['stripe'] });
const policySchema = z.enum(POLICIES).default('ignore').meta({
  description: 'What becomes of units that are not there any more: nothing, or they are owed.',
});

const refundLine = z.strictObject({
  id: uuidSchema.meta({ description: 'The id of the line, as the order shows it.' }),
  quantity: askedQuantitySchema.optional().meta({ description: 'All that is left of it when left out.' }),
});

export const refundOrderBody = withOptionalSelector({
  items: z
    .array(refundLine)
    .min(1)
    .max(LINES_MAX)
    .optional()
    .meta({ description: 'The lines to refund; with neither `items` nor `amount` all that is left is refunded.' }),
  amount: moneySchema
    .optional()
    .meta({ description: 'An amount in place of lines: it is spread over them by what is left of each.' }),
  refund_id: idText('re_3Qx1').check(refuseMissingPart).optional().meta({
    description: 'The provider’s id of the refund: told again under it, the first answer comes again.',
  }),
  pending_provider: z.boolean().default(false).meta({
    description:
      'The provider was asked for it and has told no id yet: the first refund of this order and amount that it tells is this one. Of a provider that tells its refunds here either this or `refund_id` is required.',
  }),
  payment_method: methodSchema,
  dispute_id: idText('dp_1Qx1')
    .check(refuseMissingPart)
    .optional()
    .meta({ description: 'The dispute within which it is refunded: what that took is not taken again.' }),
  status: z.enum(REFUND_STATUSES).default('succeeded').meta({
    description:
      '`failed`: a refund that was told before, under this `refund_id`, failed after all, and what it took comes back.',
  }),
  unrecovered_policy: policySchema,
  reason: text()
    .optional()
    .meta({ description: 'Why, for whoever looks at it.', examples: ['not what he expected'] }),
}).check(refuseTwoKinds, refuseTwiceTheSame, refusePendingWithId, refuseFailedWithoutId);

type RefundBody = { items?: { id: string }[] | undefined; amount?: string | undefined };

function refuseTwoKinds(ctx: z.core.ParsePayload<RefundBody>): void {
  const { items, amount } = ctx.value;
  if (items === undefined || amount === undefined) return;
  const message = 'is either of `items` or of an `amount`, not both';
  ctx.issues.push({ code: 'custom', message, input: ctx.value, path: ['amount'] });
}

function refusePendingWithId(
  ctx: z.core.ParsePayload<{ pending_provider: boolean; refund_id?: string | undefined; status: string }>,
): void {
  const { pending_provider, refund_id, status } = ctx.value;
  if (!pending_provider || (refund_id === undefined && status === 'succeeded')) return;
  const message = 'is of a refund that has no `refund_id` yet, and did not fail';
  ctx.issues.push({ code: 'custom', message, input: ctx.value, path: ['pending_provider'] });
}

/** Without an id nobody knows which refund failed: nothing would be undone, and the failure could not be told again. */
function refuseFailedWithoutId(
  ctx: z.core.ParsePayload<{ pending_provider: boolean; refund_id?: string | undefined; status: string }>,
): void {
  const { pending_provider, refund_id, status } = ctx.value;
  if (status !== 'failed' || refund_id !== undefined || pending_provider) return;
  const message = 'is required of a refund that failed';
  ctx.issues.push({ code: 'custom', message, input: ctx.value, path: ['refund_id'] });
}

function refuseTwiceTheSame(ctx: z.core.ParsePayload<RefundBody>): void {
  const seen = new Set<string>();
  for (const [index, { id }] of (ctx.value.items ?? []).entries()) {
    if (seen.has(id)) {
      const message = 'is named twice';
      ctx.issues.push({ code: 'custom', message, input: id, path: ['items', index, 'id'] });
    }
    seen.add(id);
  }
}

export const disputeOrderBody = withOptionalSelector({
  dispute_id: idText('dp_1Qx1').check(refuseMissingPart).meta({ description: 'The provider’s id of the dispute.' }),
  status: z.enum(DISPUTE_STATUSES).meta({ description: '`won` and `lost` are said of the seller.' }),
  amount: moneySchema.optional().meta({ description: 'What is contested; the order’s total when left out.' }),
  payment_method: methodSchema,
  unrecovered_policy: policySchema,
});

const operationShape = { operation_id: uuidAnswerSchema, created_at: instantAnswerSchema };
const policyAnswer = z.enum(POLICIES);

export const refundAnswer = z.object({
  id: uuidAnswerSchema,
  status: z.enum(REFUND_STATUSES),
  payment_method: z.string(),
  refund_id: z.string().meta({ description: 'The provider’s id; that of the refund here where none was told.' }),
  pending_provider: z.boolean().meta({ description: 'The provider has told nothing of it yet.', examples: [false] }),
  dispute_id: z.string().nullable(),
  amount: moneySchema,
  items: z
    .array(z.object({ id: uuidAnswerSchema, quantity: countAnswerSchema, amount: moneySchema }))
    .meta({ description: 'What of it is of each line; a quantity of 0 where an amount was refunded.' }),
  reason: z.string().nullable(),
  unrecovered_policy: policyAnswer,
  ...operationShape,
  failed_at: instantAnswerSchema.nullable(),
});

export const disputeAnswer = z.object({
  id: uuidAnswerSchema,
  status: z.enum(DISPUTE_STATUSES),
  payment_method: z.string(),
  dispute_id: z.string(),
  amount: moneySchema,
  unrecovered_policy: policyAnswer,
  ...operationShape,
  closed_at: instantAnswerSchema.nullable(),
});

const byProduct = z.record(z.string(), countAnswerSchema);
export const recoveryShape = {
  recovered: byProduct.meta({ description: 'Units that were taken back, by product.', examples: [{ CREDITS: 60 }] }),
  unrecovered: byProduct.meta({
    description: 'Units that were not there any more, those that are held included, by product.',
    examples: [{ CREDITS: 40 }],
  }),
};
