// The wire of endpoints.
import { z } from 'zod';
import { isWebhookSecret } from '../lib/webhook-signature.js';
import { EVENT_TYPES } from './events.js';
import { instantAnswerSchema } from './instants.js';
import { askedSwitchSchema } from './quantities.js';
import { text } from './text.js';

const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
const DESCRIPTION_LENGTH_MAX = 500;
const URL_LENGTH_MAX = 2_000;
const SECRET_EXAMPLE = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const ALL = '*';
const GROUPS = [...new Set(EVENT_TYPES.map((type) => `${type.split('.')[0]}.*`))];
const PATTERNS: [string, ...string[]] = [ALL, ...GROUPS, ...EVENT_TYPES];

const idSchema = z
  .string()
  .trim()
  .regex(ID_PATTERN, 'must be 1 to 64 letters, digits or one of _ . : - and begin with a letter or digit')
  .meta({ description: 'Yours to choose.', examples: ['analytics'] });
const typesSchema = z
  .array(z.enum(PATTERNS))
  .min(1)
  .max(PATTERNS.length)
  .transform((types) => [...new Set(types)])
  .meta({
    description:
      'What it is told of: types of events, groups of them such as `order.*`, or `*` for all. Always to be sent, so that none gets more than it was meant to by being put again.',
    examples: [['quota.consumed', 'order.*']],
  });

export const endpointParams = z.object({ id: idSchema });

const urlSchema = text({ max: URL_LENGTH_MAX })
  .refine((url) => /^https?:\/\//i.test(url) && URL.canParse(url), 'must be a URL such as https://shop.example/hooks')
  .meta({ format: 'uri', examples: ['https://shop.example/hooks'] });

export const putEndpointBody = z.object({
  url: urlSchema.nullable().default(null).meta({
    description:
      'Where events are sent, from the answer on; without it the endpoint follows the feed. Public addresses on port 80, 443 or 8000 to 9999, no user name or password.',
  }),
  secret: z
    .string()
    .refine(isWebhookSecret, 'must be whsec_ and the base64 of 24 to 64 bytes')
    .optional()
    .meta({
      description:
        'What is signed with, from now on; the one before signs, too, for 24 hours. The present one is kept when left out.',
      examples: [SECRET_EXAMPLE],
    }),
  rotate_secret: askedSwitchSchema
    .default(false)
    .meta({ description: 'Draws another secret; the one before signs, too, for 24 hours.' }),
  types: typesSchema,
  description: text({ min: 0, max: DESCRIPTION_LENGTH_MAX }).default(''),
  enabled: z.boolean().default(true).meta({ description: 'One that is not asks for nothing.' }),
});

export const endpointAnswer = z.object({
  id: z.string(),
  types: z.array(z.string()).meta({ examples: [['quota.consumed', 'order.*']] }),
  description: z.string(),
  enabled: z.boolean(),
  url: z
    .string()
    .nullable()
    .meta({ examples: ['https://shop.example/hooks'] }),
  old_secret_until: instantAnswerSchema
    .nullable()
    .meta({ description: 'Until when the secret before signs, too; null where there is none.' }),
  disabled_reason: z
    .enum(['gone', 'failing'])
    .nullable()
    .meta({
      description:
        'Why it was disabled by itself: it answered 410, or attempts failed for 24 hours and none arrived. A PUT enables it again, from then on; what it missed can be replayed.',
      examples: [null],
    }),
  created_at: instantAnswerSchema,
  updated_at: instantAnswerSchema,
});

export const putEndpointAnswer = endpointAnswer.extend({
  secret: z
    .string()
    .nullable()
    .meta({
      description:
        'What is signed with, by Standard Webhooks; null without a URL. Told by every PUT, and nowhere else.',
      examples: [SECRET_EXAMPLE],
    }),
});

export const endpointsAnswer = z.object({
  data: z.array(endpointAnswer).meta({ description: 'All of them, by id.' }),
});
