// The wire of deliveries.
import { z } from 'zod';
import { endpointParams } from './endpoints.js';
import { instantAnswerSchema, instantSchema } from './instants.js';
import { pageOf, pageQueryShape } from './pages.js';
import { askedSwitchSchema, countAnswerSchema } from './quantities.js';
import { uuidAnswerSchema } from './text.js';

const RANGE_DAYS_MAX = 31;
const MS_PER_DAY = 86_400_000;
const STATUSES = ['waiting', 'delivered', 'parked'] as const;

export const deliveryParams = endpointParams.extend({
  delivery_id: z
    .string()
    .trim()
    .regex(/^[1-9]\d{0,15}$/, 'must be the id of a delivery')
    .refine((id) => Number.isSafeInteger(Number(id)), 'must be the id of a delivery')
    .transform(Number)
    .meta({ type: 'string', examples: ['17'] }),
});

export const deliveriesQuery = z.object({
  ...pageQueryShape,
  status: z.enum(STATUSES).optional(),
});

export const deliveryAnswer = z.object({
  id: z.string().meta({ description: 'Of the delivery, at its endpoint.', examples: ['17'] }),
  event_id: uuidAnswerSchema.meta({ description: 'Of its event: the `webhook-id`, at each attempt.' }),
  type: z.string().meta({ examples: ['order.paid'] }),
  sequence: countAnswerSchema,
  previous_sequence: countAnswerSchema.nullable(),
  status: z.enum(STATUSES).meta({
    description:
      '`waiting` for its next attempt or for those before it; `delivered`; `parked`: given up after three days.',
  }),
  attempts: countAnswerSchema,
  tried_at: instantAnswerSchema.nullable().meta({ description: 'When it was tried last.' }),
  next_at: instantAnswerSchema
    .nullable()
    .meta({ description: 'When it is tried next; null where it is not, or waits for those before it.' }),
  answer_status: z
    .int()
    .nullable()
    .meta({ description: 'What the receiver answered last.', examples: [500] }),
  answer_excerpt: z.string().nullable().meta({ description: 'The first bytes of that answer.' }),
  error: z
    .string()
    .nullable()
    .meta({ description: 'Why there was no answer, in a word.', examples: ['connection_refused'] }),
});

export const deliveriesPage = pageOf(deliveryAnswer, 'The newest event first.');

export const testAnswer = z.object({
  message_id: uuidAnswerSchema,
  delivered: z.boolean(),
  answer_status: z
    .int()
    .nullable()
    .meta({ examples: [204] }),
  answer_excerpt: z.string().nullable(),
  error: z
    .string()
    .nullable()
    .meta({ examples: [null] }),
});

export const replayBody = z
  .object({
    from: instantSchema.optional().meta({ description: 'Events that were recorded from then on,' }),
    until: instantSchema.optional().meta({ description: 'and before then: at most 31 days later.' }),
    failed: askedSwitchSchema.optional().meta({ description: 'Instead: everything that was given up.' }),
    cursor: pageQueryShape.cursor,
  })
  .check((ctx) => {
    const { from, until, failed } = ctx.value;
    const refuse = (path: string, message: string) =>
      ctx.issues.push({ code: 'custom', path: [path], message, input: ctx.value });
    if (failed === true) {
      if (from || until) refuse('failed', 'is instead of from and until');
      return;
    }
    if (!from) refuse('from', 'is required, with until; or send failed: true');
    else if (!until) refuse('until', 'is required');
    else if (until <= from) refuse('until', 'must be after from');
    else if (until.getTime() - from.getTime() > RANGE_DAYS_MAX * MS_PER_DAY)
      refuse('until', `must be at most ${RANGE_DAYS_MAX} days after from`);
  });

export const replayAnswer = z.object({
  replayed: countAnswerSchema.meta({ description: 'Events that are sent again, or wait already: at most 10,000.' }),
  next_cursor: z
    .string()
    .nullable()
    .meta({
      description: 'There may be more: send the same again, with this as `cursor`. Else null.',
      examples: [null],
    }),
});
