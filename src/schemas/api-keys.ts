// The wire of API keys.
import { z } from 'zod';
import { SCOPES } from '../lib/scopes.js';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { askedCountSchema } from './quantities.js';
import { text, uuidAnswerSchema, uuidSchema } from './text.js';

const OVERLAP_MAX_S = 30 * 24 * 3_600;
const OVERLAP_DEFAULT_S = 24 * 3_600;

const scopeSchema = z.enum(SCOPES);

export const createApiKeyBody = z.object({
  name: text({ max: 100 }).meta({ description: 'What it is for.', examples: ['shop'] }),
  scopes: z
    .array(scopeSchema)
    .min(1)
    .max(SCOPES.length)
    .meta({ description: 'What it allows; only what your own token allows too.', examples: [['read', 'consume']] }),
  expires_at: instantSchema.nullish().meta({ description: 'When it ends; never when left out.' }),
});

export const rotateApiKeyBody = z.object({
  overlap_seconds: askedCountSchema
    .refine((seconds) => seconds <= OVERLAP_MAX_S, { message: `must be at most ${OVERLAP_MAX_S}` })
    .default(OVERLAP_DEFAULT_S)
    .meta({
      description: 'For how long the old key counts beside the new one; a day when left out.',
      examples: [3600],
    }),
});

export const apiKeyParams = z.object({ id: uuidSchema });

export const apiKeysQuery = z.object(pageQueryShape);

const apiKeyShape = {
  id: uuidAnswerSchema,
  owner_id: uuidAnswerSchema.meta({ description: 'Whose idempotency keys it uses; a rotated key keeps it.' }),
  name: z.string().meta({ examples: ['shop'] }),
  scopes: z.array(scopeSchema).meta({ examples: [['read', 'consume']] }),
  created_by: z.string().meta({ description: 'The key that made it.', examples: ['bootstrap'] }),
  created_at: instantAnswerSchema,
  expires_at: instantAnswerSchema.nullable(),
  revoked_at: instantAnswerSchema.nullable(),
  last_used_at: instantAnswerSchema.nullable().meta({ description: 'To the hour.' }),
};

export const apiKeyAnswer = z.object(apiKeyShape).meta({ id: 'ApiKey' });

export const newApiKeyAnswer = z.object({
  ...apiKeyShape,
  token: z.string().meta({
    description: 'The key itself, as it is sent. It is told only here: keep it.',
    examples: ['bur_live_…'],
  }),
});

export const apiKeyPage = pageOf(apiKeyAnswer, 'Newest first, by `created_at` and `id`.');
