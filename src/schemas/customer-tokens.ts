// The wire of customer tokens.
import { z } from 'zod';
import { ABILITIES } from '../lib/scopes.js';
import { instantAnswerSchema } from './instants.js';
import { askedQuantitySchema } from './quantities.js';
import { uuidAnswerSchema } from './text.js';

const TTL_MIN_S = 60;
const TTL_MAX_S = 24 * 3_600;
const TTL_DEFAULT_S = 15 * 60;

const abilitySchema = z.enum(ABILITIES);

export const issueTokenBody = z.object({
  abilities: z
    .array(abilitySchema)
    .min(1)
    .max(ABILITIES.length)
    .meta({
      description:
        'What the customer may do; each needs a scope of your own: `orders` for `orders.create`, else `read`.',
      examples: [['wallet.read', 'orders.create']],
    }),
  ttl_seconds: askedQuantitySchema
    .refine((seconds) => seconds >= TTL_MIN_S && seconds <= TTL_MAX_S, {
      message: `must be ${TTL_MIN_S} to ${TTL_MAX_S}`,
    })
    .default(TTL_DEFAULT_S)
    .meta({ description: 'How long it counts: a minute to a day; 15 minutes when left out.', examples: [900] }),
});

export const issuedTokenAnswer = z.object({
  token: z.string().meta({ description: 'A bearer token for the customer’s browser.', examples: ['eyJhbGciOi…'] }),
  customer_id: uuidAnswerSchema,
  abilities: z.array(abilitySchema).meta({ examples: [['wallet.read', 'orders.create']] }),
  expires_at: instantAnswerSchema.meta({
    description: 'As was asked, or earlier: when the API key ends that issued it.',
  }),
});
