// The wire of the proof.
import { z } from 'zod';
import { countAnswerSchema } from './quantities.js';
import { withOptionalSelector } from './selectors.js';
import { uuidAnswerSchema } from './text.js';

export const invariantsQuery = withOptionalSelector({});

export const invariantsAnswer = z.object({
  ok: z.boolean(),
  checked: z
    .record(z.string(), countAnswerSchema)
    .meta({ description: 'Rows looked at, by table.', examples: [{ entries: 120 }] }),
  differences: z.array(
    z.object({
      check: z.string().meta({ examples: ['i2_batch_parts'] }),
      invariant: z.string().meta({ examples: ['I2'] }),
      customer_id: uuidAnswerSchema.nullable(),
      subject: z.string(),
      expected: z.string(),
      actual: z.string(),
      detail: z.string(),
    }),
  ),
  has_more: z.boolean().meta({ description: 'Whether there are more differences than listed.' }),
});
