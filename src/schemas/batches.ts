// A batch on the wire.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { metadataAnswerSchema } from './metadata.js';
import { countAnswerSchema } from './quantities.js';
import { uuidAnswerSchema } from './text.js';

export const batchStateSchema = z.enum(['active', 'pending', 'exhausted', 'expired', 'revoked']).meta({
  description: '`pending` is not valid yet; `exhausted` has nothing left.',
});

export const batchAnswer = z
  .object({
    id: uuidAnswerSchema,
    product_key: z.string().meta({ examples: ['CREDITS'] }),
    source: z.string().meta({ examples: ['purchase'] }),
    sku: z
      .string()
      .nullable()
      .meta({ examples: ['CREDITS_100'] }),
    order_id: uuidAnswerSchema.nullable(),
    subscription_id: uuidAnswerSchema
      .nullable()
      .meta({ description: 'The subscription in whose period it was allocated, or goes on.', examples: [null] }),
    order_item_id: uuidAnswerSchema
      .nullable()
      .meta({ description: 'The line of the order that granted it: `id` of its `items`.' }),
    granted: countAnswerSchema
      .nullable()
      .meta({ description: 'Null when the product is not counted.', examples: [100] }),
    available: countAnswerSchema,
    held: countAnswerSchema,
    consumed: countAnswerSchema,
    expired: countAnswerSchema,
    revoked: countAnswerSchema,
    transferred: countAnswerSchema,
    priority: z.int().meta({ examples: [0] }),
    valid_from: instantAnswerSchema,
    expires_at: instantAnswerSchema.nullable(),
    state: batchStateSchema,
    created_at: instantAnswerSchema,
    metadata: metadataAnswerSchema.meta({ description: 'Empty where an order granted it: the order has it.' }),
  })
  .meta({ id: 'Batch', description: 'granted = available + held + consumed + expired + revoked + transferred.' });
