// The wire of endpoints.
import { z } from 'zod';
import { instantAnswerSchema, text } from './common.js';
import { EVENT_TYPES } from './events.js';

const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
const DESCRIPTION_LENGTH_MAX = 500;
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
    description: 'Types of events, groups of them such as `order.*`, or `*` for all.',
    examples: [['quota.consumed', 'order.*']],
  });

export const endpointParams = z.object({ id: idSchema });

export const putEndpointBody = z.object({
  types: typesSchema.default([ALL]),
  description: text({ min: 0, max: DESCRIPTION_LENGTH_MAX }).default(''),
  enabled: z.boolean().default(true).meta({ description: 'One that is not asks for nothing.' }),
});

export const endpointAnswer = z.object({
  id: z.string(),
  types: z.array(z.string()).meta({ examples: [['quota.consumed', 'order.*']] }),
  description: z.string(),
  enabled: z.boolean(),
  created_at: instantAnswerSchema,
  updated_at: instantAnswerSchema,
});

export const endpointsAnswer = z.object({
  data: z.array(endpointAnswer).meta({ description: 'All of them, by id.' }),
});
