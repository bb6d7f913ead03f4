// The wire of the wallet: balances, batches, entries.
import { z } from 'zod';
import { batchAnswer, batchStateSchema } from './batches.js';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { subjectAnswerShape } from './limit-parts.js';
import { metadataAnswerSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { countAnswerSchema, signedCountSchema, upcomingByProductSchema, upcomingSchema } from './quantities.js';
import { refuseUnclearSubject, subjectShape } from './quota.js';
import { withSelector } from './selectors.js';
import { featureSchema, productKeySchema, text, uuidAnswerSchema, uuidSchema } from './text.js';

const EXPIRING_WITHIN_MAX_S = 10 * 366 * 24 * 3_600;

const asOfShape = {
  as_of: instantSchema
    .optional()
    .meta({ description: 'A past instant: the answer as it was then, recomputed from the ledger. Now when left out.' }),
};

export const balanceQuery = withSelector({ ...subjectShape, ...asOfShape }).check(refuseUnclearSubject);

export const balanceAnswer = z.object({
  can_use: z.boolean(),
  ...subjectAnswerShape,
  remaining: countAnswerSchema.nullable().meta({ description: 'Null when it is not counted.', examples: [99] }),
  upcoming: upcomingSchema,
  expires_at: instantAnswerSchema.nullable().meta({ description: 'When the units used next end, or the access does.' }),
  message: z.string().meta({ examples: ['99 CREDITS available'] }),
});

export const walletQuery = withSelector(asOfShape);

export const walletAnswer = z.object({
  customer_id: uuidAnswerSchema,
  balances: z.record(z.string(), signedCountSchema).meta({
    description: 'Units that can be spent now, minus what is owed, by product key; negative with debt.',
    examples: [{ CREDITS: 99 }],
  }),
  upcoming: upcomingByProductSchema,
  held: z
    .record(z.string(), countAnswerSchema)
    .meta({ description: 'Units held for work in progress.', examples: [{}] }),
  access: z.record(z.string(), z.object({ until: instantAnswerSchema.nullable() })).meta({
    description: 'Present access by product key; `until` is null when it never ends.',
    examples: [{ VIP_ACCESS: { until: '2026-12-31T00:00:00.000Z' } }],
  }),
  features: z.record(z.string(), z.object({ can_use: z.boolean(), remaining: countAnswerSchema.nullable() })).meta({
    description: 'Features of the products in this wallet; `remaining` in feature units, null when not counted.',
    examples: [{ text_generation: { can_use: true, remaining: 99 } }],
  }),
});

export const secondsMeta = { type: 'integer', minimum: 1, maximum: EXPIRING_WITHIN_MAX_S } as const;

/** A query parameter of whole seconds, up to ten years; a number afterwards. */
export const secondsQuerySchema = z
  .string()
  .transform((input, ctx): number => {
    const seconds = /^\d{1,10}$/.test(input) ? Number(input) : 0;
    if (seconds >= 1 && seconds <= EXPIRING_WITHIN_MAX_S) return seconds;
    const message = `must be a whole number of seconds, 1 to ${EXPIRING_WITHIN_MAX_S}`;
    ctx.issues.push({ code: 'custom', message, input });
    return z.NEVER;
  })
  .meta(secondsMeta);

export const batchesQuery = withSelector({
  ...pageQueryShape,
  ...asOfShape,
  product_key: productKeySchema.optional(),
  feature: featureSchema.optional().meta({ description: 'Only batches of the products that provide it today.' }),
  order_id: uuidSchema.optional().meta({ description: 'Only what this order granted.' }),
  state: batchStateSchema.optional(),
  expiring_within: secondsQuerySchema
    .optional()
    .meta({ ...secondsMeta, description: 'Only batches that end within so many seconds.' }),
});
export const batchPage = pageOf(batchAnswer, 'Newest first, by `created_at` and `id`.');

const kindSchema = z.enum([
  'grant',
  'consume',
  'expire',
  'revoke',
  'hold',
  'release',
  'commit',
  'reverse',
  'debt',
  'repay',
  'forgive',
  'adjust',
  'transfer_out',
  'transfer_in',
]);

export const entriesQuery = withSelector({
  ...pageQueryShape,
  product_key: productKeySchema.optional(),
  kind: kindSchema.optional(),
  action_type: text({ max: 255 }).optional(),
  operation_id: uuidSchema.optional(),
  from: instantSchema.optional().meta({ description: 'Entries that occurred at or after this instant.' }),
  to: instantSchema.optional().meta({ description: 'Entries that occurred before this instant.' }),
});

/** What every view of an entry tells. */
export const entryShape = z.object({
  id: uuidAnswerSchema,
  seq: countAnswerSchema.meta({ description: 'Per customer, without gaps.' }),
  kind: kindSchema,
  direction: z.enum(['credit', 'debit', 'none']),
  product_key: z.string().meta({ examples: ['CREDITS'] }),
  batch_id: uuidAnswerSchema.nullable(),
  amount: countAnswerSchema,
  balance_after: signedCountSchema.meta({
    description:
      'Of the product, after this entry: available minus owed, units that become valid later included; 0 when it is not counted.',
  }),
  feature: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  unit_cost: countAnswerSchema.nullable().meta({
    description: 'Product units of one feature unit when the units moved; null when the product was asked for.',
    examples: [null],
  }),
  action_type: z
    .string()
    .nullable()
    .meta({ examples: ['usage'] }),
  action_id: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
  order_id: uuidAnswerSchema.nullable(),
  reservation_id: uuidAnswerSchema.nullable(),
  reverses_seq: countAnswerSchema
    .nullable()
    .meta({ description: 'The entry of which this one gives something back.', examples: [null] }),
  operation_id: uuidAnswerSchema
    .nullable()
    .meta({ description: 'Null when it happened by itself, such as an expiry.' }),
  metadata: metadataAnswerSchema.meta({
    description: 'Empty where an order granted it or a reservation lapsed: they have it.',
  }),
  occurred_at: instantAnswerSchema,
});

export const entryAnswer = entryShape
  .extend({
    refund_id: z
      .string()
      .nullable()
      .meta({ description: 'The refund that took it, or that failed and gives it back.', examples: [null] }),
    dispute_id: z
      .string()
      .nullable()
      .meta({ description: 'The dispute that took it, or that was won and gives it back.', examples: [null] }),
  })
  .meta({ id: 'Entry' });

/** Whether the ledger lacks something that has happened by itself. */
export const entriesPending = z.boolean().meta({
  description:
    'Whether something has expired or lapsed that is not in the ledger yet: balances don’t count it any more, its entries come with the next write or sweep.',
});

export const entryPage = pageOf(entryAnswer, 'Newest first, by `seq`.').extend({ settlement_pending: entriesPending });
