// The wire of grants.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import { prioritySchema } from './catalog.js';
import {
  instantSchema,
  metadataAnswerSchema,
  metadataSchema,
  productKeySchema,
  quantitySchema,
  skuSchema,
  text,
  uuidSchema,
  withSelector,
} from './common.js';

export const grantBody = withSelector({
  grant_type: z.enum(['bonus']),
  sku: skuSchema.optional().meta({ description: 'Grants what this offer gives.', examples: ['CREDITS_100'] }),
  product_key: productKeySchema.optional().meta({ description: 'Grants units of one product.', examples: ['CREDITS'] }),
  quantity: quantitySchema.default(1).meta({ description: 'How often the offer, or how many units.', examples: [10] }),
  priority: prioritySchema,
  valid_from: instantSchema
    .optional()
    .meta({ description: 'With product_key: when it begins to count; now when left out.' }),
  expires_at: instantSchema.nullish().meta({ description: 'With product_key: when it ends; never when left out.' }),
  reason: text({ max: 1_000 })
    .optional()
    .meta({ description: 'Why; kept in the metadata of the batches.', examples: ['welcome'] }),
  metadata: metadataSchema,
}).check((ctx) => {
  const body = ctx.value as {
    sku?: unknown;
    product_key?: unknown;
    valid_from?: unknown;
    expires_at?: unknown;
    priority?: unknown;
  };
  const refuse = (field: string, message: string) =>
    ctx.issues.push({ code: 'custom', message, path: [field], input: body[field as keyof typeof body] });
  if ((body.sku === undefined) === (body.product_key === undefined)) {
    refuse('sku', body.sku === undefined ? 'send sku or product_key' : 'send sku or product_key, not both');
  }
  if (body.sku === undefined) return;
  for (const field of ['valid_from', 'expires_at'] as const) {
    if (body[field] !== undefined && body[field] !== null) refuse(field, 'comes from the offer when sku is sent');
  }
  if (body.priority !== 0) refuse('priority', 'comes from the offer when sku is sent');
});

export const grantAnswer = z.object({
  grant_type: z.enum(['bonus']),
  operation_id: uuidSchema,
  products: z.array(z.string()).meta({ description: 'The keys of the products granted.', examples: [['CREDITS']] }),
  batches: z.array(batchAnswer),
  metadata: metadataAnswerSchema,
});

/** What a parsed grant gives: an offer, or units of a product. */
export function toGrantSubject(body: z.output<typeof grantBody>) {
  const { sku, product_key, quantity, priority, valid_from, expires_at } = body;
  if (sku !== undefined) return { sku, quantity };
  return {
    productKey: product_key ?? '',
    quantity,
    priority,
    validFrom: valid_from,
    expiresAt: expires_at ?? undefined,
  };
}
