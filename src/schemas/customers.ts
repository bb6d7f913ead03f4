// The wire of customers and their identities.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { metadataAnswerSchema, metadataSchema } from './metadata.js';
import { pageOf, pageQueryShape } from './pages.js';
import { externalIdSchema, providerSchema, storedExternalIdSchema, storedProviderSchema } from './selectors.js';
import { uuidAnswerSchema, uuidSchema } from './text.js';

export const customersQuery = z
  .object({
    ...pageQueryShape,
    provider: storedProviderSchema.unwrap().optional(),
    external_id: storedExternalIdSchema
      .optional()
      .meta({ description: 'Only the customer behind this identity.', examples: ['4711'] }),
  })
  .check((ctx) => {
    if (ctx.value.provider === undefined || ctx.value.external_id !== undefined) return;
    ctx.issues.push({
      code: 'custom',
      message: 'is used together with external_id',
      path: ['provider'],
      input: ctx.value.provider,
    });
  });

export const customerParams = z.object({ id: uuidSchema });

const identityAnswer = z.object({
  identity_id: uuidAnswerSchema,
  provider: z.string().meta({ examples: ['telegram'] }),
  external_id: z.string().meta({ examples: ['4711'] }),
  profile: metadataAnswerSchema.meta({ examples: [{ username: 'ada' }] }),
});

export const customerAnswer = z
  .object({
    id: uuidAnswerSchema,
    identities: z.array(identityAnswer.extend({ created_at: instantAnswerSchema })),
    metadata: metadataAnswerSchema,
    created_at: instantAnswerSchema,
    erased_at: instantAnswerSchema.nullable().meta({ description: 'When it was erased; null if it was not.' }),
  })
  .meta({ id: 'Customer' });

export const customerPage = pageOf(customerAnswer, 'Newest first, by `created_at` and `id`.');

export const updateCustomerBody = z.object({
  metadata: metadataSchema
    .unwrap()
    .meta({ description: 'Replaces the customer’s metadata.', examples: [{ tier: 'gold' }] }),
});

export const linkIdentityBody = z.object({
  provider: providerSchema,
  external_id: externalIdSchema,
  profile: metadataSchema,
});

export const linkIdentityAnswer = identityAnswer.extend({ customer_id: uuidAnswerSchema, created: z.boolean() });

export const identityParams = z.object({
  id: uuidSchema,
  provider: storedProviderSchema,
  external_id: storedExternalIdSchema,
});
