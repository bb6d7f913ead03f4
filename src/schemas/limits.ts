// The wire of limits as they are set.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { enforcementAnswerSchema, enforcementSchema, LIMIT_WINDOWS, subjectAnswerShape } from './limit-parts.js';
import { pageOf, pageQueryShape } from './pages.js';
import { presence } from './presence.js';
import { countSchema } from './quantities.js';
import { refuseTwoSubjects, refuseUnclearSubject, subjectShape } from './quota.js';
import { isSelected, type SelectorInput, withOptionalSelector, withSelector } from './selectors.js';
import { skuSchema, text, uuidAnswerSchema, uuidSchema } from './text.js';

const OWNER_TAG_LENGTH_MAX = 255;

const windowsShape = Object.fromEntries(
  LIMIT_WINDOWS.map((window) => [window, countSchema.nullable().optional()]),
) as Record<(typeof LIMIT_WINDOWS)[number], z.ZodOptional<z.ZodNullable<typeof countSchema>>>;

const windowsSchema = z
  .strictObject(windowsShape)
  .refine((windows) => Object.keys(windows).length > 0, `name at least one window: ${LIMIT_WINDOWS.join(', ')}`)
  .meta({
    description:
      'How much may be used in each window. 0 blocks, null is without limit, and of a window that is left out a limit farther away says it: the source’s, the plan’s, that of all.',
    examples: [{ hour: 100, month: 10000 }],
  });

const ownerTagSchema = text({ max: OWNER_TAG_LENGTH_MAX })
  .nullable()
  .meta({
    description: 'Who set it, in your words; without effect.',
    examples: ['support'],
  });

/** Whose limit it is: a customer's, a plan's, or, where neither is named, that of all customers. */
const targetShape = {
  plan_sku: skuSchema.optional().meta({
    description: 'A plan: for whoever has it.',
    examples: ['MONTHLY_PLAN'],
  }),
  ...subjectShape,
};

const refuseTwoTargets = presence<SelectorInput & { plan_sku?: string | undefined }>((ctx) => {
  if (!isSelected(ctx.value) || ctx.value.plan_sku === undefined) return;
  const message = 'send a customer or plan_sku, not both';
  ctx.issues.push({ code: 'custom', message, path: ['plan_sku'], input: ctx.value.plan_sku });
});

export const putLimitBody = withOptionalSelector({
  ...targetShape,
  windows: windowsSchema,
  enforcement: enforcementSchema.default('HARD'),
  owner_tag: ownerTagSchema.default(null),
})
  .check(refuseTwoTargets)
  .check(refuseUnclearSubject)
  .meta({ description: 'Without a customer and `plan_sku` it is the limit of all customers.' });

export const patchLimitBody = withOptionalSelector({
  ...targetShape,
  windows: windowsSchema.optional().meta({ description: 'Only these windows change.' }),
  enforcement: enforcementSchema.optional(),
  owner_tag: ownerTagSchema.optional(),
})
  .check(refuseTwoTargets)
  .check(refuseUnclearSubject)
  .check(
    presence<{ windows?: unknown; enforcement?: unknown; owner_tag?: unknown }>((ctx) => {
      const { windows, enforcement, owner_tag } = ctx.value;
      if (windows !== undefined || enforcement !== undefined || owner_tag !== undefined) return;
      const message = 'send what is to change: windows, enforcement or owner_tag';
      ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: ['windows'], input: undefined });
    }),
  );

export const deleteLimitQuery = withOptionalSelector(targetShape).check(refuseTwoTargets).check(refuseUnclearSubject);

export const limitParams = z.object({ id: uuidSchema });

export const limitsQuery = withOptionalSelector({
  ...pageQueryShape,
  ...targetShape,
  scope: z.enum(['default']).optional().meta({ description: '`default`: only those of all customers.' }),
  owner_tag: text({ max: OWNER_TAG_LENGTH_MAX }).optional(),
})
  .check(refuseTwoTargets)
  .check(refuseTwoSubjects)
  .check(
    presence<SelectorInput & { plan_sku?: unknown; scope?: unknown }>((ctx) => {
      const { scope, plan_sku } = ctx.value;
      if (scope === undefined || (plan_sku === undefined && !isSelected(ctx.value))) return;
      const message = 'are those of all customers: send no customer and no plan_sku with it';
      ctx.issues.push({ code: 'custom', message, path: ['scope'], input: scope });
    }),
  );

const windowsAnswerShape = Object.fromEntries(
  LIMIT_WINDOWS.map((window) => [window, z.int().nullable().optional()]),
) as Record<(typeof LIMIT_WINDOWS)[number], z.ZodOptional<z.ZodNullable<z.ZodInt>>>;

export const limitAnswer = z
  .object({
    id: uuidAnswerSchema,
    scope: z.enum(['customer', 'source', 'plan', 'default']).meta({
      description:
        'How near it is: the nearest wins, window by window. `source`: copied of the customer whose limits are shared.',
    }),
    customer_id: uuidAnswerSchema.nullable(),
    plan_sku: z.string().nullable(),
    ...subjectAnswerShape,
    windows: z.object(windowsAnswerShape).meta({ examples: [{ hour: 100, month: 10000 }] }),
    enforcement: enforcementAnswerSchema,
    owner_tag: z.string().nullable(),
    created_at: instantAnswerSchema,
    updated_at: instantAnswerSchema,
  })
  .meta({ id: 'Limit' });

export const limitsPage = pageOf(limitAnswer, 'Newest first.');

export const limitSourceBody = withSelector({
  source_customer_id: uuidSchema.meta({ description: 'Whose own limits are shared.' }),
});

export const limitSourceQuery = withSelector({});

export const limitSourceAnswer = z.object({
  customer_id: uuidAnswerSchema,
  source_customer_id: uuidAnswerSchema.nullable().meta({ description: 'Null when no limits are shared.' }),
  limits_as_of: instantAnswerSchema.nullable().meta({
    description: 'As of when they were copied. A change of the source’s is copied within seconds.',
  }),
});
