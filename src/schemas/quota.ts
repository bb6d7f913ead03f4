// The wire of quota checks and consumption.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { subjectAnswerShape, violationsSchema, warningsSchema } from './limit-parts.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { presence } from './presence.js';
import { upgradeShape } from './problem.js';
import { askedQuantitySchema, countAnswerSchema } from './quantities.js';
import { isSelected, type SelectorInput, withOptionalSelector, withSelector } from './selectors.js';
import {
  featureSchema,
  idempotencyKeySchema,
  idText,
  productKeySchema,
  text,
  uuidAnswerSchema,
  uuidSchema,
} from './text.js';
import { onRefusalSchema, verdictAnswer } from './verdict.js';

const ACTION_LENGTH_MAX = 255;
const DEFAULT_ACTION_TYPE = 'usage';

/** A product or a feature: exactly one of them. */
export const subjectShape = {
  product_key: productKeySchema.optional(),
  feature: featureSchema.optional(),
};

/** Refuses a body or query that names no subject, or two. */
export const refuseUnclearSubject = presence<{ product_key?: unknown; feature?: unknown }>((ctx) => {
  const { product_key, feature } = ctx.value;
  if ((product_key === undefined) !== (feature === undefined)) return;
  const message = product_key === undefined ? 'send product_key or feature' : 'send product_key or feature, not both';
  ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: ['product_key'], input: product_key });
});

/** Refuses a query that names two subjects. */
export const refuseTwoSubjects = presence<{ product_key?: unknown; feature?: unknown }>((ctx) => {
  const { product_key, feature } = ctx.value;
  if (product_key === undefined || feature === undefined) return;
  const message = 'send product_key or feature, not both';
  ctx.issues.push({ code: 'custom', message, path: ['product_key'], input: product_key });
});

/** The subject of a parsed body or query whose clarity was checked. */
export function toSubject({
  product_key,
  feature,
}: {
  product_key?: string | undefined;
  feature?: string | undefined;
}) {
  return feature === undefined ? { productKey: product_key ?? '' } : { feature };
}

/** What the units are for, as the ledger tells it. */
export const actionShape = {
  action_type: text({ max: ACTION_LENGTH_MAX })
    .default(DEFAULT_ACTION_TYPE)
    .meta({ description: 'What the units are used for.', examples: ['predict'] }),
  action_id: idText('prediction-17')
    .nullish()
    .meta({ description: 'Your id of the use; an integer is read as its digits.' }),
};

const askShape = {
  ...subjectShape,
  amount: askedQuantitySchema
    .default(1)
    .meta({ description: 'In units of the product, or of the feature.', examples: [1] }),
};

const consumeShape = {
  ...askShape,
  ...actionShape,
  metadata: metadataSchema,
};

export const consumeBody = withSelector(consumeShape).check(refuseUnclearSubject);

export const takingsSchema = z
  .array(
    z.object({
      batch_id: uuidAnswerSchema,
      product_key: z.string().meta({ examples: ['CREDITS'] }),
      amount: countAnswerSchema,
    }),
  )
  .meta({ description: 'What each batch pays, in product units and in the order of use.' });

export const remainingSchema = countAnswerSchema.nullable().meta({
  description: 'What is left, in the unit asked for; null when it is not counted.',
  examples: [99],
});

/** What became of units that came back, in the unit that was asked for. */
export const returnedShape = {
  returned: countAnswerSchema.meta({
    description: 'Units that came back; what is owed is repaid with them first.',
    examples: [7],
  }),
  expired: countAnswerSchema.meta({ description: 'Units that came back to a batch that had ended.', examples: [0] }),
  revoked: countAnswerSchema.meta({ description: 'Units that came back to a batch that was refunded.', examples: [0] }),
};

export const consumeAnswer = z.object({
  allowed: z.literal(true),
  operation_id: uuidAnswerSchema,
  usage_id: uuidAnswerSchema.meta({ description: 'The id of the last entry of this operation.' }),
  ...subjectAnswerShape,
  amount: countAnswerSchema,
  remaining: remainingSchema,
  taken: takingsSchema,
  warnings: warningsSchema,
  metadata: metadataAnswerSchema,
});

const reasonSchema = z.object({
  code: z.enum(['insufficient_quota', 'limit_exceeded', 'expired', 'not_yet_valid', 'inactive_product']),
  product_key: z.string().optional(),
  at: instantAnswerSchema.optional().meta({ description: 'When it expired, or becomes valid.' }),
});

export const checkAnswer = z.object({
  allowed: z.boolean(),
  would_take: takingsSchema,
  remaining: remainingSchema.meta({
    description: 'What would be left; when refused, what there is. Null when it is not counted.',
  }),
  reasons: z.array(reasonSchema),
  violations: violationsSchema,
  warnings: warningsSchema,
  ...upgradeShape,
  allowed_at: instantAnswerSchema
    .nullable()
    .meta({ description: 'The earliest instant known at which it would be allowed.' }),
});

const CHECK_ITEMS_MAX = 100;

export const checkBatchBody = withSelector({
  items: z
    .array(z.object(askShape).strict().check(refuseUnclearSubject))
    .min(1)
    .max(CHECK_ITEMS_MAX)
    .meta({ description: 'What is asked for, each by itself.' }),
});

export const checkBatchAnswer = z.object({
  results: z
    .array(
      z.union([checkAnswer.extend({ index: countAnswerSchema }), verdictAnswer.extend({ index: countAnswerSchema })]),
    )
    .meta({
      description:
        'For each item, in their order, the answer of a check, or the members of the problem that a check of it alone would be.',
    }),
});

const BATCH_ITEMS_MAX = 1_000;

const batchItem = withSelector({
  ...consumeShape,
  idempotency_key: idempotencyKeySchema.optional(),
  on_refusal: onRefusalSchema.unwrap().optional().meta({
    description: 'Without effect: each item has its verdict. Taken so that an item may be the body of a consume.',
  }),
})
  .strict()
  .check(refuseUnclearSubject);

export const consumeBatchBody = z.object({
  items: z
    .array(batchItem)
    .min(1)
    .max(BATCH_ITEMS_MAX)
    .meta({ description: 'Each is a consume with a key of its own.' }),
  mode: z
    .enum(['continue', 'atomic'])
    .default('continue')
    .meta({ description: '`continue` takes what can be taken, `atomic` all of it or nothing.' }),
});

export const consumeBatchAnswer = z.object({
  committed: z.boolean().meta({ description: 'False when an atomic batch was refused: nothing was taken.' }),
  results: z
    .array(
      z.looseObject({
        index: countAnswerSchema,
        replayed: z.boolean().meta({
          description:
            'Whether the item’s key had this answer before the item was reached. Of a call that is itself a replay (`Idempotent-Replayed`), as it was then.',
        }),
        allowed: z.boolean(),
      }),
    )
    .meta({ description: 'For each item, in their order, the answer of a consume, or the members of its problem.' }),
});

interface GiveBackInput extends SelectorInput {
  operation_id?: string | undefined;
  product_key?: string | undefined;
  feature?: string | undefined;
  amount?: number | undefined;
}

export const giveBackBody = withOptionalSelector({
  operation_id: uuidSchema.optional().meta({ description: 'The use of which something is given back.' }),
  ...subjectShape,
  amount: askedQuantitySchema.optional().meta({
    description: 'In the unit of the use; all that is left of it when left out. Required without `operation_id`.',
    examples: [1],
  }),
  metadata: metadataSchema,
})
  .check(
    presence<GiveBackInput>((ctx) => {
      const { operation_id, product_key, feature, amount } = ctx.value;
      const refuse = (name: string, message: string) =>
        ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: [name], input: undefined });
      const isNamed = product_key !== undefined || feature !== undefined;
      if (operation_id === undefined && !isNamed) refuse('operation_id', 'send operation_id, or what is metered');
      else if (operation_id !== undefined && isNamed)
        ctx.issues.push({
          code: 'custom',
          message: 'not beside operation_id, which says what was used',
          path: [feature === undefined ? 'product_key' : 'feature'],
          input: feature ?? product_key,
        });
      else if (product_key !== undefined && feature !== undefined)
        refuse('product_key', 'send product_key or feature, not both');
      else if (operation_id === undefined && amount === undefined) refuse('amount', 'is required without operation_id');
      else if (operation_id === undefined && !isSelected(ctx.value)) refuse('customer_id', 'name the customer');
    }),
  )
  .meta({
    description:
      'A use by its `operation_id`; then the customer need not be named, and if he is, the use must be his. Or units of a metered product or feature of a customer, which then count in `total` no longer.',
  });

export const giveBackAnswer = z.object({
  operation_id: uuidAnswerSchema,
  ...subjectAnswerShape,
  amount: countAnswerSchema,
  ...returnedShape,
  restored: takingsSchema.meta({ description: 'What came back to each batch, in product units.' }),
  remaining: remainingSchema,
  metadata: metadataAnswerSchema,
});
