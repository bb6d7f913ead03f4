// The wire of POST /identify.
import { z } from 'zod';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { externalIdSchema, providerSchema } from './selectors.js';
import { uuidAnswerSchema } from './text.js';

export const identifyBody = z.object({
  provider: providerSchema,
  external_id: externalIdSchema,
  profile: metadataSchema
    .unwrap()
    .nullish()
    .meta({
      description: 'What the provider knows of the person; merged into the known profile.',
      examples: [{ username: 'ada' }],
    }),
});

export const identifyAnswer = z.object({
  customer_id: uuidAnswerSchema,
  identity_id: uuidAnswerSchema,
  provider: z.string().meta({ examples: ['telegram'] }),
  external_id: z.string().meta({ examples: ['4711'] }),
  created_customer: z.boolean().meta({ description: 'Whether this call created the customer.' }),
  created_identity: z.boolean().meta({ description: 'Whether this call created the identity.' }),
  trial_eligible: z.boolean().meta({ description: 'Whether no trial was granted to this customer yet.' }),
  metadata: metadataAnswerSchema.meta({
    description: 'The merged profile of the identity.',
    examples: [{ username: 'ada' }],
  }),
});
