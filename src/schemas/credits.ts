// The wire of credits: plain amounts of a currency product.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { warningsSchema } from './limit-parts.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import {
  askedQuantitySchema,
  askedSwitchSchema,
  countAnswerSchema,
  signedCountSchema,
  upcomingSchema,
} from './quantities.js';
import { takingsSchema } from './quota.js';
import { withSelector } from './selectors.js';
import { productKeySchema, text, uuidAnswerSchema } from './text.js';
import { secondsMeta, secondsQuerySchema } from './wallet.js';

const DESCRIPTION_LENGTH_MAX = 500;
export const WITHIN_DEFAULT_S = 7 * 24 * 3_600;

const creditsShape = {
  product_key: productKeySchema.meta({ description: 'A currency product.', examples: ['TEST_STAR'] }),
  amount: askedQuantitySchema,
  description: text({ max: DESCRIPTION_LENGTH_MAX })
    .optional()
    .meta({ description: 'What for; kept in the metadata.', examples: ['welcome gift'] }),
  metadata: metadataSchema,
};

function refuseTwoDescriptions(ctx: z.core.ParsePayload<{ description?: unknown; metadata?: unknown }>): void {
  const { description, metadata } = ctx.value;
  if (description === undefined || !Object.hasOwn(metadata as object, 'description')) return;
  const message = 'has a description of its own: send description only';
  ctx.issues.push({ code: 'custom', message, path: ['metadata'], input: metadata });
}

type Described = z.core.ParsePayload<{ description?: unknown; metadata?: unknown }>;

export const addCreditsBody = withSelector({
  ...creditsShape,
  expires_at: instantSchema.nullish().meta({ description: 'When they end; never when left out.' }),
}).check((ctx) => refuseTwoDescriptions(ctx as Described));

export const deductCreditsBody = withSelector({
  ...creditsShape,
  allow_negative: askedSwitchSchema
    .default(false)
    .meta({ description: 'For work that is done already: what is lacking is owed, and repaid by the next credits.' }),
}).check((ctx) => refuseTwoDescriptions(ctx as Described));

const movedShape = {
  operation_id: uuidAnswerSchema,
  product_key: z.string().meta({ examples: ['TEST_STAR'] }),
  amount: countAnswerSchema,
  balance: signedCountSchema.meta({
    description: 'What can be spent now, minus what is owed, afterwards; negative with debt.',
  }),
  upcoming: upcomingSchema,
  metadata: metadataAnswerSchema,
};

export const addCreditsAnswer = z.object({
  ...movedShape,
  batch_id: uuidAnswerSchema,
  repaid: countAnswerSchema.meta({ description: 'How much of it repaid a debt at once.', examples: [0] }),
});

export const deductCreditsAnswer = z.object({
  allowed: z.literal(true),
  ...movedShape,
  taken: takingsSchema,
  owed: countAnswerSchema.meta({ description: 'How much of it was lacking, and is owed.', examples: [0] }),
  warnings: warningsSchema,
});

export const creditsBalanceQuery = withSelector({ product_key: productKeySchema });

export const creditsBalanceAnswer = z.object({
  customer_id: uuidAnswerSchema,
  product_key: z.string().meta({ examples: ['TEST_STAR'] }),
  balance: signedCountSchema.meta({ description: 'Available minus owed.' }),
  upcoming: upcomingSchema,
  available: countAnswerSchema.meta({ description: 'What can be used now.' }),
  held: countAnswerSchema.meta({ examples: [0] }),
  owed: countAnswerSchema.meta({ examples: [0] }),
});

export const expiringCreditsQuery = withSelector({
  ...pageQueryShape,
  product_key: productKeySchema,
  within: secondsQuerySchema
    .optional()
    .meta({ ...secondsMeta, description: `Within so many seconds; ${WITHIN_DEFAULT_S} (7 days) when left out.` }),
});

export const expiringCreditsPage = pageOf(
  z.object({
    batch_id: uuidAnswerSchema,
    product_key: z.string().meta({ examples: ['TEST_STAR'] }),
    amount: countAnswerSchema,
    expires_at: instantAnswerSchema,
  }),
  'Soonest end first, by `expires_at` and `batch_id`.',
);
