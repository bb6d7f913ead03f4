// The wire of what a person may ask about his data.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { countAnswerSchema } from './quantities.js';
import { uuidAnswerSchema } from './text.js';

export const eraseAnswer = z
  .object({
    customer_id: uuidAnswerSchema,
    erased_at: instantAnswerSchema.meta({
      description: 'From then on nothing was written of him but what payment providers told.',
    }),
    blanked_at: instantAnswerSchema.nullable().meta({
      description:
        'When the last of what is personal was blanked; null while a job goes on with it. Repeat the call to look.',
    }),
    closed: z.object({
      identities: countAnswerSchema.meta({ description: 'By which he is known no more.' }),
      orders: countAnswerSchema.meta({ description: 'Orders that waited for a payment, and were cancelled.' }),
      reservations: countAnswerSchema.meta({ description: 'Holds that were released.' }),
      subscriptions: countAnswerSchema,
      rewards: countAnswerSchema.meta({ description: 'Rewards that were not granted yet, and were cancelled.' }),
      batches: countAnswerSchema.meta({ description: 'Batches of which something was left, and was revoked.' }),
      units: z
        .record(z.string(), countAnswerSchema)
        .meta({ description: 'Units that were revoked, by product.', examples: [{ CREDITS: 100 }] }),
    }),
  })
  .meta({ id: 'CustomerErasure' });

export const exportQuery = z.object(pageQueryShape);

export const exportPage = pageOf(
  z.object({
    section: z.string().meta({ description: 'What kind of thing it is.', examples: ['entries'] }),
    customer_id: uuidAnswerSchema.meta({ description: 'Whose it is: the customer, or one that was merged into it.' }),
    record: z
      .record(z.string(), z.unknown())
      .meta({ description: 'It, as it is held.', examples: [{ product_key: 'CREDITS', available: 100 }] }),
  }),
  'By section, in an order that does not change.',
);
