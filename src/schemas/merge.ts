// The wire of merging customers.
import { z } from 'zod';
import { countAnswerSchema } from './quantities.js';
import { uuidAnswerSchema, uuidSchema } from './text.js';

export const mergeBody = z.object({
  target_customer_id: uuidSchema.meta({ description: 'Who stays.' }),
  source_customer_id: uuidSchema.meta({
    description: 'Whose things move, and whose id leads to the target from then on.',
  }),
  dry_run: z.boolean().default(false).meta({ description: 'Whether it is only told what would move.' }),
});

const byProduct = z.record(z.string(), countAnswerSchema);

export const mergeAnswer = z
  .object({
    customer_id: uuidAnswerSchema.meta({ description: 'The target.' }),
    source_customer_id: uuidAnswerSchema,
    dry_run: z.boolean().meta({ description: 'Whether nothing was written.' }),
    moved: z.object({
      identities: countAnswerSchema,
      batches: countAnswerSchema,
      units: byProduct.meta({ description: 'Available units that moved, by product.', examples: [{ CREDITS: 100 }] }),
      owed: byProduct.meta({ description: 'What was owed, by product.', examples: [{}] }),
      open_orders: countAnswerSchema.meta({ description: 'Orders that wait for a payment: they grant to the target.' }),
      open_reservations: countAnswerSchema.meta({ description: 'Holds: what comes back of them comes to the target.' }),
      merged_before: countAnswerSchema.meta({ description: 'Customers that were merged into the source before.' }),
      subscriptions: z
        .array(
          z.object({
            subscription_id: uuidAnswerSchema.meta({ description: 'It keeps its id.' }),
            sku: z.string(),
            plan_group: z.string(),
            status: z.enum(['incomplete', 'trialing', 'active', 'past_due', 'cancelled', 'expired']),
          }),
        )
        .meta({
          description: 'Subscriptions of the source that had not ended: they go on with the target, as they are.',
        }),
    }),
    dropped: z.object({
      referrals: z.array(
        z.object({
          referral_id: uuidAnswerSchema,
          referrer_id: uuidAnswerSchema,
          referee_id: uuidAnswerSchema,
          reason: z.enum(['target_has_referrer', 'joins_both', 'closes_ring']),
        }),
      ),
      rewards: z
        .array(
          z.object({
            reward_id: uuidAnswerSchema,
            referral_id: uuidAnswerSchema,
            customer_id: uuidAnswerSchema.meta({ description: 'Who would have got it.' }),
            program_key: z.string(),
            reason: z.string().meta({ description: '`customers_merged`.' }),
          }),
        )
        .meta({ description: 'Rewards not granted yet, of one side for bringing the other: they are cancelled.' }),
      limits: countAnswerSchema.meta({ description: 'Limits of the source’s own: those of the target are in force.' }),
      subscriptions: z
        .array(
          z.object({
            subscription_id: uuidAnswerSchema,
            customer_id: uuidAnswerSchema.meta({ description: 'Whose it was: the source’s or the target’s.' }),
            sku: z.string(),
            plan_group: z.string(),
            reason: z.enum(['another_ends_later']),
            stays_id: uuidAnswerSchema.meta({ description: 'The one of the group that stays.' }),
          }),
        )
        .meta({
          description:
            'Of two of a plan group the one that ended sooner: it is cancelled, what it allocated lasts as long as it was to last.',
        }),
    }),
  })
  .meta({ id: 'CustomerMerge' });
