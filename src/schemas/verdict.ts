// The wire of a refusal that was asked for as a verdict.
import { z } from 'zod';
import { catalogue } from '../errors/catalogue.js';
import { problemCodeSchema } from './problem.js';

export const onRefusalSchema = z.enum(['problem', 'verdict']).default('problem').meta({
  description:
    '`verdict` answers a refusal (402, 409, 429) as 200 with `allowed: false` and the members of the problem.',
});

export const verdictAnswer = z
  .looseObject({
    allowed: z.literal(false),
    code: problemCodeSchema,
    title: z.string().meta({ examples: [catalogue.insufficient_quota.title] }),
    detail: z.string().meta({ examples: ['5 of CREDITS asked for, 2 available.'] }),
  })
  .meta({
    id: 'Verdict',
    description: 'A refusal, asked for as a verdict; with the members that the problem of its code has.',
  });
