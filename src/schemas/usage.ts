// The wire of what was used: where a customer stands, use over time, and the uses themselves.
import { z } from 'zod';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { enforcementAnswerSchema, LIMIT_WINDOWS, subjectAnswerShape } from './limit-parts.js';
import { pageOf, pageQueryShape } from './pages.js';
import { countAnswerSchema, signedCountSchema } from './quantities.js';
import { refuseTwoSubjects, refuseUnclearSubject, subjectShape } from './quota.js';
import { withOptionalSelector, withSelector } from './selectors.js';
import { text, uuidAnswerSchema } from './text.js';
import { entriesPending, entryShape } from './wallet.js';

export const statusQuery = withSelector(subjectShape).check(refuseTwoSubjects);

const windowStatusAnswer = z.object({
  window: z.enum(LIMIT_WINDOWS).meta({ examples: ['month'] }),
  falls_back_to: z
    .enum(['month'])
    .nullable()
    .meta({
      description: 'Of `billing_period`: what counts in its place while there is no subscription that says it.',
      examples: [null],
    }),
  current: signedCountSchema.meta({ description: 'What was used in it, in the subject’s unit.', examples: [8] }),
  limit: countAnswerSchema.nullable().meta({ description: 'Null when there is none.' }),
  remaining: countAnswerSchema
    .nullable()
    .meta({ description: 'What the limit leaves, never below 0; null when there is none.', examples: [2] }),
  enforcement: enforcementAnswerSchema.nullable(),
  scope: z
    .enum(['customer', 'source', 'plan', 'default'])
    .nullable()
    .meta({ description: 'Which limit it is: of those that say this window the nearest.', examples: ['customer'] }),
  status: z.enum(['no_limit', 'within_limit', 'at_limit', 'over_limit']).meta({ examples: ['within_limit'] }),
  resets_at: instantAnswerSchema.nullable().meta({ description: 'When the window ends; null of `total`.' }),
});

export const statusAnswer = z.object({
  customer_id: uuidAnswerSchema,
  data: z
    .array(
      z.object({
        ...subjectAnswerShape,
        balance: countAnswerSchema.nullable().meta({
          description:
            'What there is to use now, in the subject’s unit, as `GET /balance` says it; null when it is not counted.',
          examples: [99],
        }),
        windows: z.array(windowStatusAnswer).meta({
          description:
            'Those that are limited; of a subject that has no limit the month and `total`, with what was used of it.',
        }),
      }),
    )
    .meta({ description: 'Products first, by name.' }),
  has_more: z.boolean().meta({ description: 'There are more than the 500 that are told: ask for them by name.' }),
  limits_as_of: instantAnswerSchema.nullable().meta({
    description:
      'As of when the limits of another customer, which this one shares, were copied; null when he shares none.',
    examples: [null],
  }),
});

export const usageQuery = withOptionalSelector({
  ...subjectShape,
  window: z.enum(['hour', 'day', 'month']).default('day').meta({ description: 'By the calendar of UTC.' }),
  from: instantSchema.optional().meta({
    description:
      'The first window is that in which this instant lies. When left out, the last 24 hours, 30 days or 12 months are told.',
  }),
  to: instantSchema.optional().meta({
    description: 'The last window is that which has a part before this instant; the present one when left out.',
  }),
}).check(refuseUnclearSubject);

const settlementPendingOfOne = entriesPending
  .nullable()
  .meta({ description: `${entriesPending.meta()?.description} Null when no customer is named.` });

export const usageAnswer = z.object({
  customer_id: uuidAnswerSchema.nullable().meta({ description: 'Null: of all customers.' }),
  ...subjectAnswerShape,
  window: z.enum(['hour', 'day', 'month']),
  data: z
    .array(
      z.object({
        start: instantAnswerSchema,
        end: instantAnswerSchema.meta({ description: 'The first instant that is not in it.' }),
        used: signedCountSchema.meta({
          description: 'In the subject’s unit. What was given back is not in the window in which it was used.',
          examples: [8],
        }),
      }),
    )
    .meta({ description: 'Each window of the span, oldest first; 1,000 at most.' }),
  settlement_pending: settlementPendingOfOne,
});

const useKindSchema = z.enum(['consume', 'hold', 'commit', 'release', 'debt', 'reverse', 'forgive']);

export const usesQuery = withOptionalSelector({
  ...pageQueryShape,
  ...subjectShape,
  kind: useKindSchema.optional(),
  action_type: text({ max: 255 }).optional(),
  from: instantSchema
    .optional()
    .meta({ description: 'Recorded at or after this instant. Without a customer at most 31 days before `to`.' }),
  to: instantSchema.optional().meta({ description: 'Recorded before this instant.' }),
}).check(refuseTwoSubjects);

const checkedLimitAnswer = z.object({
  ...subjectAnswerShape,
  window: z.enum(LIMIT_WINDOWS).meta({ examples: ['month'] }),
  window_start: instantAnswerSchema,
  used_after: signedCountSchema.meta({ description: 'What was used in the window with it.', examples: [9] }),
  limit: countAnswerSchema.meta({ description: 'The limit that was in force then.' }),
  enforcement: enforcementAnswerSchema,
});

const useAnswer = entryShape
  .extend({
    customer_id: uuidAnswerSchema,
    recorded_at: instantAnswerSchema,
    counted: signedCountSchema.nullable().meta({
      description:
        'How much it counts, in units of the feature that it names, else of the product; below 0 where units came back, and 0 of a `commit`, which counted when it was held. Null of entries from before it was recorded.',
      examples: [3],
    }),
    counted_at: instantAnswerSchema
      .nullable()
      .meta({ description: 'In which windows it counts: those of this instant.' }),
    checked_limits: z
      .array(checkedLimitAnswer)
      .meta({ description: 'The windows of limits that were looked at, on the last entry of a use.' }),
  })
  .meta({ id: 'QuotaEvent' });

export const usesPage = pageOf(useAnswer, 'Newest first.').extend({ settlement_pending: settlementPendingOfOne });
