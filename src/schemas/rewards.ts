// The wire of referral programmes and rewards.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { countAnswerSchema, quantitySchema } from './quantities.js';
import { withOptionalSelector } from './selectors.js';
import { skuSchema, text, uuidAnswerSchema, uuidSchema } from './text.js';

const KEY_PATTERN = /^[a-z0-9][a-z0-9_-]{0,49}$/;
const DESCRIPTION_LENGTH_MAX = 500;
const HOLD_DAYS_MAX = 3_650;

const keySchema = z
  .string()
  .regex(KEY_PATTERN, 'must be 1 to 50 lower-case letters, digits, _ or -, and begin with a letter or digit')
  .meta({ description: 'Yours to choose.', examples: ['friends'] });

export const programParams = z.object({ key: keySchema });

const triggerSchema = z.enum(['on_attach', 'on_first_paid_order']).meta({
  description:
    'When rewards are earned: as soon as the referral is made, or by the first order above 0 that the referee pays.',
});
const earnedSchema = z
  .strictObject({
    sku: skuSchema.meta({ examples: ['CREDITS_100'] }),
    quantity: quantitySchema.default(1).meta({ description: 'How many of the offer.', examples: [1] }),
  })
  .nullable()
  .default(null);

export const putProgramBody = z
  .object({
    description: text({ min: 0, max: DESCRIPTION_LENGTH_MAX }).default(''),
    trigger: triggerSchema,
    referrer: earnedSchema.meta({ description: 'What who brings somebody gets; null for nothing.' }),
    referee: earnedSchema.meta({ description: 'What who is brought gets; null for nothing.' }),
    hold_days: z
      .int()
      .min(0)
      .max(HOLD_DAYS_MAX)
      .default(0)
      .meta({ description: 'How many days a reward waits, before it is granted.', examples: [14] }),
    max_rewards_per_referrer: quantitySchema
      .nullable()
      .default(null)
      .meta({ description: 'How many a referrer is granted of this programme; null for any number.', examples: [10] }),
    from: instantSchema.nullable().default(null).meta({ description: 'When it begins; null for always.' }),
    until: instantSchema.nullable().default(null).meta({ description: 'Before when it ends; null for never.' }),
    claw_back: z.boolean().default(true).meta({
      description: 'Whether a reward is taken back when its order is wholly refunded, or a dispute of it is lost.',
    }),
  })
  .check((ctx) => {
    const { referrer, referee, from, until } = ctx.value;
    const refuse = (field: string, message: string) =>
      ctx.issues.push({ code: 'custom', message, path: [field], input: undefined });
    if (referrer === null && referee === null) refuse('referrer', 'send referrer, referee, or both');
    if (from !== null && until !== null && until <= from) refuse('until', 'must lie after from');
  });

const earnedAnswer = z.object({ sku: z.string(), quantity: countAnswerSchema }).nullable();

export const programAnswer = z
  .object({
    key: z.string(),
    description: z.string(),
    trigger: triggerSchema,
    referrer: earnedAnswer,
    referee: earnedAnswer,
    hold_days: countAnswerSchema,
    max_rewards_per_referrer: countAnswerSchema.nullable(),
    from: instantAnswerSchema.nullable(),
    until: instantAnswerSchema.nullable(),
    claw_back: z.boolean(),
    created_at: instantAnswerSchema,
    updated_at: instantAnswerSchema,
  })
  .meta({ id: 'ReferralProgram' });

export const programsAnswer = z.object({
  data: z.array(programAnswer).meta({ description: 'All of them, by key.' }),
});

const STATUSES = ['armed', 'held', 'granted', 'clawing_back', 'clawed_back', 'cancelled', 'refused'] as const;
const statusSchema = z.enum(STATUSES).meta({
  description:
    '`armed` waits for `due_at`, `held` for an operator or the end of a dispute (`hold_reason`), `clawing_back` is about to be taken back.',
});
const sideSchema = z.enum(['referrer', 'referee']);

export const rewardParams = z.object({ id: uuidSchema });

export const rewardsQuery = withOptionalSelector({
  ...pageQueryShape,
  status: statusSchema.optional().meta({ description: 'Only rewards of this status.' }),
  side: sideSchema.optional().meta({ description: 'Only those of this side.' }),
  program_key: keySchema.optional().meta({ description: 'Only those of this programme.' }),
  referral_id: uuidSchema.optional().meta({ description: 'Only those of this referral.' }),
  order_id: uuidSchema.optional().meta({ description: 'Only those that this order earned.' }),
});

export const rewardAnswer = z
  .object({
    id: uuidAnswerSchema,
    referral_id: uuidAnswerSchema,
    side: sideSchema,
    customer_id: uuidAnswerSchema.meta({ description: 'Who gets it.' }),
    referrer_id: uuidAnswerSchema,
    referee_id: uuidAnswerSchema,
    program_key: z.string(),
    order_id: uuidAnswerSchema.nullable().meta({ description: 'The order that earned it; null where attaching did.' }),
    sku: z.string(),
    quantity: countAnswerSchema,
    status: statusSchema,
    hold_reason: z.string().nullable().meta({
      description:
        '`dispute`, `shared_signal` (both sides share an identity of a trial, or a payment), or the code by which granting it was refused.',
    }),
    due_at: instantAnswerSchema,
    granted_at: instantAnswerSchema.nullable(),
    operation_id: uuidAnswerSchema.nullable().meta({ description: 'The operation that granted it.' }),
    cancelled_at: instantAnswerSchema.nullable(),
    cancel_reason: z.string().nullable().meta({
      description:
        '`order_refunded`, `dispute_lost`, `cap_reached`, `customers_merged`, `customer_erased` or `refused`.',
    }),
    clawed_back_at: instantAnswerSchema.nullable(),
    created_at: instantAnswerSchema,
  })
  .meta({ id: 'Reward' });

export const rewardPage = pageOf(rewardAnswer, 'Newest first, by `created_at` and `id`.');

const reasonSchema = text().meta({
  description: 'Why; kept in the audit trail.',
  examples: ['they are one household'],
});
export const releaseBody = z.object({ reason: reasonSchema.optional() });
export const refuseBody = z.object({ reason: reasonSchema });
