// The wire of subscriptions.
import { z } from 'zod';
import { recurrenceSchema } from './catalog.js';
import { identitiesSchema } from './grants.js';
import { instantAnswerSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { orderAnswer } from './orders.js';
import { pageOf, pageQueryShape } from './pages.js';
import { countAnswerSchema, moneySchema } from './quantities.js';
import { withOptionalSelector, withSelector } from './selectors.js';
import { skuSchema, text, uuidAnswerSchema, uuidSchema } from './text.js';

const STATUSES = ['incomplete', 'trialing', 'active', 'past_due', 'cancelled', 'expired'] as const;
const OLD_UNITS = ['carry', 'reset'] as const;
const WHEN = ['now', 'period_end'] as const;

export const subscribeBody = withSelector({
  sku: skuSchema.meta({ description: 'Of a plan: an offer with a recurrence.' }),
  trial: z
    .boolean()
    .default(true)
    .meta({ description: 'Whether the plan’s trial is wanted, if it has one and he had none before.' }),
  identities: identitiesSchema,
  metadata: metadataSchema,
});

export const subscriptionParams = z.object({ id: uuidSchema });

export const subscriptionQuery = withOptionalSelector({});

export const changeSubscriptionBody = withOptionalSelector({
  sku: skuSchema.meta({
    description: 'Another plan of the same group; the present one takes a scheduled change back.',
  }),
  when: z
    .enum(WHEN)
    .default('period_end')
    .meta({ description: '`now` is at once for what costs nothing, else as soon as its order is paid.' }),
  old_units: z.enum(OLD_UNITS).default('carry').meta({
    description: 'What becomes of what is left of the plan before: it stays as long as it was to last, or is revoked.',
  }),
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: 'Only tells what would become of the subscription, with the order that would pay it.' }),
});

export const cancelSubscriptionBody = withOptionalSelector({
  when: z
    .enum(WHEN)
    .default('period_end')
    .meta({ description: 'With its period, or at once. What it allocated lasts as long as it was to last.' }),
});

export const subscriptionActionBody = withOptionalSelector({});

export const subscriptionsQuery = withOptionalSelector({
  ...pageQueryShape,
  status: z.enum(STATUSES).optional().meta({ description: 'Only those of this status.' }),
  sku: skuSchema.optional().meta({ description: 'Only those of this plan.' }),
  plan_group: text({ max: 64 })
    .optional()
    .meta({ description: 'Only those of this group.', examples: ['default'] }),
});

const changeAnswer = z.object({
  sku: z.string(),
  old_units: z.enum(OLD_UNITS),
  order_id: uuidAnswerSchema
    .nullable()
    .meta({ description: 'The order that pays it; null where it takes effect at the end of the period.' }),
});

const subscriptionShape = {
  id: uuidAnswerSchema,
  customer_id: uuidAnswerSchema,
  sku: z.string().meta({ examples: ['PRO_MONTHLY'] }),
  name: z.string().meta({ examples: ['Pro plan, monthly'] }),
  plan_group: z.string().meta({ examples: ['default'] }),
  status: z.enum(STATUSES),
  price: moneySchema.meta({ description: 'Of one period.' }),
  currency: z.string().meta({ examples: ['USD'] }),
  recurrence: recurrenceSchema,
  grant_every: recurrenceSchema
    .nullable()
    .meta({ description: 'How often a period allocates units; null where once.', examples: [null] }),
  allocates_at: instantAnswerSchema
    .nullable()
    .meta({ description: 'When the next allocation of the present period begins.', examples: [null] }),
  period_starts_at: instantAnswerSchema.nullable(),
  period_ends_at: instantAnswerSchema.nullable(),
  cancels_at_period_end: z.boolean(),
  change: changeAnswer.nullable().meta({ description: 'What it changes to, and when.', examples: [null] }),
  order_id: uuidAnswerSchema
    .nullable()
    .meta({ description: 'The order that pays the first or the next period, if one was made.', examples: [null] }),
  next_turn_at: instantAnswerSchema.nullable().meta({
    description: 'When something becomes of it by itself: its renewal is ordered, its period turns, it ends.',
  }),
  ended_at: instantAnswerSchema.nullable().meta({ examples: [null] }),
  metadata: metadataAnswerSchema,
  created_at: instantAnswerSchema,
};

const subscriptionAnswer = z.object(subscriptionShape).meta({ id: 'Subscription' });

export const subscriptionResultAnswer = z
  .object({
    ...subscriptionShape,
    order: orderAnswer.nullable().meta({ description: 'The order to pay, where there is one: confirm it by its id.' }),
  })
  .meta({ id: 'SubscriptionResult', description: 'The subscription as it is now, and what is to be paid.' });

const periodAnswer = z.object({
  sku: z.string(),
  kind: z.enum(['trial', 'free', 'paid', 'skipped']).meta({
    description:
      '`skipped`: it was over, with all that it would have given, when it was looked at; or more could not have been counted.',
  }),
  starts_at: instantAnswerSchema,
  ends_at: instantAnswerSchema,
  count: countAnswerSchema.meta({ description: 'How many periods; more than one only of what was skipped.' }),
  granted: z
    .record(z.string(), countAnswerSchema)
    .meta({ description: 'Units by product; 1 for access.', examples: [{ PRO_CREDITS: 1000 }] }),
  order_id: uuidAnswerSchema.nullable(),
  operation_id: uuidAnswerSchema,
  ended_at: instantAnswerSchema.nullable().meta({ description: 'When a refund or a dispute ended it before its end.' }),
});

const stepAnswer = z.object({
  kind: text().meta({ examples: ['created'] }),
  occurred_at: instantAnswerSchema,
  recorded_at: instantAnswerSchema,
  operation_id: uuidAnswerSchema,
});

export const subscriptionInFullAnswer = z
  .object({
    ...subscriptionShape,
    periods: z.array(periodAnswer).meta({ description: 'The last 200, newest first.' }),
    steps: z
      .array(stepAnswer)
      .meta({ description: 'What became of it: the last 200, newest first. Each is an event.' }),
  })
  .meta({ id: 'SubscriptionInFull' });

export const subscriptionPage = pageOf(subscriptionAnswer, 'Newest first.');
