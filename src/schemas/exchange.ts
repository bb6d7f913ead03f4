// The wire of exchange.
import { z } from 'zod';
import { batchAnswer } from './batches.js';
import { warningsSchema } from './limit-parts.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { countAnswerSchema, signedCountSchema, upcomingByProductSchema } from './quantities.js';
import { withSelector } from './selectors.js';
import { skuSchema, uuidAnswerSchema } from './text.js';

export const exchangeBody = withSelector({
  sku: skuSchema.meta({ examples: ['GET_TEST_PREDICTION'] }),
  metadata: metadataSchema,
});

export const exchangeAnswer = z.object({
  allowed: z.literal(true),
  operation_id: uuidAnswerSchema,
  spent: z.object({ product_key: z.string().meta({ examples: ['TEST_STAR'] }), amount: countAnswerSchema }),
  batches: z.array(batchAnswer),
  balances: z.record(z.string(), signedCountSchema).meta({
    description: 'What can be spent now, minus what is owed, afterwards, of the counted products that were touched.',
    examples: [{ TEST_STAR: 0, TEST_PREDICTION: 1 }],
  }),
  upcoming: upcomingByProductSchema,
  warnings: warningsSchema,
  metadata: metadataAnswerSchema,
});
