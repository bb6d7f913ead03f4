// Pieces of the wire of usage limits: windows, enforcements, and what stands against a use.
import { z } from 'zod';
import { instantAnswerSchema } from './instants.js';
import { countAnswerSchema, signedCountSchema } from './quantities.js';
import { upperCaseOf } from './text.js';

export const LIMIT_WINDOWS = ['hour', 'day', 'month', 'billing_period', 'total'] as const;

export const windowSchema = z.enum(LIMIT_WINDOWS).meta({
  description:
    'By the calendar of UTC; `billing_period` is that of the subscription whose plan sets the limit, else of the oldest, else the month.',
  examples: ['month'],
});

const ENFORCEMENTS = ['HARD', 'SOFT', 'NONE'] as const;

export const enforcementAnswerSchema = z.enum(ENFORCEMENTS).meta({
  description: 'HARD refuses what goes beyond the limit, SOFT warns, NONE counts.',
  examples: ['HARD'],
});

/** In any case; upper-case afterwards. */
export const enforcementSchema = z
  .string()
  .trim()
  .overwrite(upperCaseOf)
  .pipe(z.enum(ENFORCEMENTS))
  .meta({
    type: 'string',
    enum: [...ENFORCEMENTS],
    description: 'HARD refuses what goes beyond the limit, SOFT warns, NONE counts. In any case.',
    examples: ['HARD'],
  });

export const subjectAnswerShape = {
  product_key: z
    .string()
    .optional()
    .meta({ examples: ['CREDITS'] }),
  feature: z.string().optional(),
};

const violationShapeWith = <I extends z.ZodType>(instant: I) => ({
  ...subjectAnswerShape,
  window: windowSchema,
  current: signedCountSchema.meta({
    description: 'What was used in the window before, in the subject’s unit.',
    examples: [10],
  }),
  requested: countAnswerSchema.meta({ examples: [1] }),
  limit: countAnswerSchema.meta({ examples: [10] }),
  enforcement: enforcementAnswerSchema,
  resets_at: instant.nullable().meta({ description: 'When the window ends; null of `total`.' }),
});

const violationsWith = <I extends z.ZodType>(instant: I) =>
  z
    .array(z.object(violationShapeWith(instant)))
    .meta({ description: 'Every window of every limit that stands against it.' });

/** Limits that stand against a use. */
export const violationsSchema = violationsWith(instantAnswerSchema);

/** The same as a problem has them, whose instants are text. */
export const problemViolationsSchema = violationsWith(z.string().meta({ format: 'date-time' })).meta({
  examples: [
    [
      {
        product_key: 'CREDITS',
        window: 'hour',
        current: 10,
        requested: 1,
        limit: 10,
        enforcement: 'HARD',
        resets_at: '2026-11-28T13:00:00.000Z',
      },
    ],
  ],
});

/** Limits that a use goes beyond, and that refuse nothing. */
export const warningsSchema = z
  .array(z.object({ code: z.literal('limit_exceeded'), ...violationShapeWith(instantAnswerSchema) }))
  .meta({ description: 'Limits (SOFT) that it goes beyond.' });
