// The wire of grants.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import { prioritySchema } from './catalog.js';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { presence } from './presence.js';
import { askedQuantitySchema, askedSwitchSchema } from './quantities.js';
import { takingsSchema } from './quota.js';
import { withSelector } from './selectors.js';
import {
  idText,
  productKeySchema,
  refuseMissingPart,
  refusePlaceholder,
  skuSchema,
  text,
  uuidAnswerSchema,
} from './text.js';

const IDENTITIES_MAX = 20;
const IDENTITY_TYPE_LENGTH_MAX = 64;
const IDENTITY_LENGTH_MAX = 1_000;
const REASON_LENGTH_MAX = 1_000;

const grantTypeSchema = z.enum(['trial', 'bonus', 'adjustment', 'migration']);

function refuseManyIdentities(ctx: z.core.ParsePayload<unknown>): void {
  const { value } = ctx;
  if (typeof value !== 'object' || value === null || Object.keys(value).length <= IDENTITIES_MAX) return;
  ctx.issues.push({ code: 'custom', message: `has more than ${IDENTITIES_MAX} members`, input: value });
}

/** Identities beside the customer's own, as `{type: value}`; a JSON integer is read as its digits. Counted before any of them is looked at. */
export const identitiesSchema = z
  .unknown()
  .check(refuseManyIdentities)
  .pipe(
    z.record(
      text({ max: IDENTITY_TYPE_LENGTH_MAX, trim: false }).check(refusePlaceholder),
      z
        .union([z.string(), z.int().transform(String)])
        .pipe(text({ max: IDENTITY_LENGTH_MAX }).check(refusePlaceholder))
        .nullable(),
    ),
  )
  .default({})
  .meta({
    type: 'object',
    additionalProperties: { type: ['string', 'integer', 'null'] },
    description:
      'Of a trial: what else tells that it is the same person, by type. Each counts beside the customer’s own identities.',
    examples: [{ device: 'a1b2c3', email: 'ada@example.org' }],
  });

const grantShape = {
  sku: skuSchema.optional().meta({
    description: 'Grants what this offer gives. A trial without it grants every active trial offer.',
    examples: ['CREDITS_100'],
  }),
  product_key: productKeySchema
    .optional()
    .meta({ description: 'Grants units of one product; not for trials.', examples: ['CREDITS'] }),
  quantity: askedQuantitySchema
    .default(1)
    .meta({ description: 'How often the offer, or how many units.', examples: [10] }),
  direction: z
    .enum(['credit', 'debit'])
    .default('credit')
    .meta({ description: 'Of an adjustment: `debit` takes units away.' }),
  priority: prioritySchema,
  valid_from: instantSchema
    .optional()
    .meta({ description: 'With product_key: when it begins to count; now when left out.' }),
  expires_at: instantSchema.nullish().meta({ description: 'With product_key: when it ends; never when left out.' }),
  source_id: idText('legacy-batch-17').check(refuseMissingPart).optional().meta({
    description:
      'Of a migration, required: the id in the system that it comes from, compared exactly; an integer is read as its digits. To one customer the same id grants once.',
  }),
  identities: identitiesSchema,
  override: askedSwitchSchema
    .default(false)
    .meta({ description: 'Of a trial: grants it although one was used; needs a reason.' }),
  reason: text({ max: REASON_LENGTH_MAX })
    .optional()
    .meta({
      description: 'Why; kept in the metadata of the batches. Required of an adjustment and an override.',
      examples: ['welcome'],
    }),
  metadata: metadataSchema,
};

type GrantInput = Record<keyof typeof grantShape, unknown>;

/** What a grant of this type lacks; undefined is a type that was not understood. */
function refuseMissing(ctx: z.core.ParsePayload<Partial<GrantInput>>, grantType: unknown): void {
  const { sku, product_key, source_id, reason, override } = ctx.value;
  const refuse = (field: keyof GrantInput, message: string) =>
    ctx.issues.push({ code: 'custom', params: { code: 'required' }, message, path: [field], input: undefined });
  if (grantType !== 'trial' && grantType !== undefined && sku === undefined && product_key === undefined)
    refuse('sku', 'send sku or product_key');
  if (grantType === 'migration' && source_id === undefined) refuse('source_id', 'is required of a migration');
  if (grantType === 'adjustment' && reason === undefined) refuse('reason', 'is required of an adjustment');
  if (override === true && reason === undefined) refuse('reason', 'is required of an override');
}

/** Refuses members that contradict each other, each with its own pointer. */
function refuseContradictions(ctx: z.core.ParsePayload<GrantInput>, grantType: z.output<typeof grantTypeSchema>): void {
  const body = ctx.value;
  const refuse = (field: keyof GrantInput, message: string) =>
    ctx.issues.push({ code: 'custom', message, path: [field], input: body[field] });
  const isTrial = grantType === 'trial';
  if (isTrial && body.product_key !== undefined) refuse('product_key', 'a trial grants an offer: send sku');
  if (isTrial && body.quantity !== 1) refuse('quantity', 'a trial is granted once');
  if (!isTrial && body.sku !== undefined && body.product_key !== undefined)
    refuse('sku', 'send sku or product_key, not both');
  if (isTrial || body.sku !== undefined || body.direction === 'debit') {
    for (const field of ['valid_from', 'expires_at'] as const) {
      if (body[field] !== undefined && body[field] !== null) refuse(field, 'is for units granted by product_key');
    }
    if (body.priority !== 0) refuse('priority', 'is for units granted by product_key');
  }
  if (body.direction === 'debit' && grantType !== 'adjustment') refuse('direction', 'only an adjustment takes away');
  if (body.direction === 'debit' && body.sku !== undefined)
    refuse('sku', 'an adjustment takes units of a product away: send product_key');
  if (grantType !== 'migration' && body.source_id !== undefined) refuse('source_id', 'is for migrations');
  if (body.reason !== undefined && Object.hasOwn(body.metadata as object, 'reason')) {
    refuse('metadata', 'has a reason of its own: send reason only');
  }
  if (body.override === true && !isTrial) refuse('override', 'is for trials');
}

export const grantBody = withSelector({ grant_type: grantTypeSchema, ...grantShape }).check(
  presence<Partial<GrantInput> & { grant_type?: unknown }>((ctx) => refuseMissing(ctx, ctx.value.grant_type)),
  (ctx) =>
    refuseContradictions(
      ctx as unknown as z.core.ParsePayload<GrantInput>,
      (ctx.value as { grant_type: z.output<typeof grantTypeSchema> }).grant_type,
    ),
);

/** The alias for trials: the same body, the type said by the path. */
export const trialGrantBody = withSelector(grantShape).check(
  presence<Partial<GrantInput>>((ctx) => refuseMissing(ctx, 'trial')),
  (ctx) => refuseContradictions(ctx as unknown as z.core.ParsePayload<GrantInput>, 'trial'),
);

export const grantAnswer = z.object({
  allowed: z.literal(true),
  grant_type: grantTypeSchema,
  operation_id: uuidAnswerSchema,
  products: z.array(z.string()).meta({ description: 'The keys of the products granted.', examples: [['CREDITS']] }),
  batches: z.array(batchAnswer),
  taken: takingsSchema.optional().meta({ description: 'What an adjustment took away.' }),
  metadata: metadataAnswerSchema,
});

export const grantsQuery = withSelector({ ...pageQueryShape });
export const grantPage = pageOf(
  z.object({
    operation_id: uuidAnswerSchema,
    grant_type: grantTypeSchema,
    products: z.array(z.string()).meta({ examples: [['CREDITS']] }),
    batches: z.array(batchAnswer),
    created_at: instantAnswerSchema,
  }),
  'Newest first, by `created_at` and `operation_id`; the batches of each by `id`.',
);

type ParsedGrant = z.output<typeof trialGrantBody>;

/** What a parsed grant gives: an offer, or units of a product. */
export function toGrantSubject({ sku, product_key, quantity, priority, valid_from, expires_at }: ParsedGrant) {
  if (sku !== undefined) return { sku, quantity };
  return {
    productKey: product_key ?? '',
    quantity,
    priority,
    validFrom: valid_from,
    expiresAt: expires_at ?? undefined,
  };
}

/** The identities of a parsed grant; nulls are left out. */
export function toTrialIdentities(identities: z.output<typeof identitiesSchema>) {
  return Object.entries(identities).flatMap(([type, value]) => (value === null ? [] : [{ type, value }]));
}
