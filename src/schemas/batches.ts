// A batch on the wire.
import { z } from 'zod';
import { countSchema, instantSchema, metadataAnswerSchema, uuidSchema } from './common.js';

export const batchStateSchema = z.enum(['active', 'pending', 'exhausted', 'expired', 'revoked']).meta({
  description: '`pending` is not valid yet; `exhausted` has nothing left.',
});

export const batchAnswer = z
  .object({
    id: uuidSchema,
    product_key: z.string().meta({ examples: ['CREDITS'] }),
    source: z.string().meta({ examples: ['purchase'] }),
    sku: z
      .string()
      .nullable()
      .meta({ examples: ['CREDITS_100'] }),
    order_id: uuidSchema.nullable(),
    granted: countSchema.nullable().meta({ description: 'Null when the product is not counted.', examples: [100] }),
    available: countSchema,
    held: countSchema,
    consumed: countSchema,
    expired: countSchema,
    revoked: countSchema,
    transferred: countSchema,
    priority: z.int().meta({ examples: [0] }),
    valid_from: instantSchema,
    expires_at: instantSchema.nullable(),
    state: batchStateSchema,
    created_at: instantSchema,
    metadata: metadataAnswerSchema,
  })
  .meta({ id: 'Batch', description: 'granted = available + held + consumed + expired + revoked + transferred.' });
