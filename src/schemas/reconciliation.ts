// The wire of reconciliations.
import { z } from 'zod';
import { instantSchema } from './instants.js';
import { countAnswerSchema, moneySchema } from './quantities.js';
import { flagQuerySchema } from './query.js';
import { idText, text, uuidAnswerSchema } from './text.js';

const CHARGES_MAX = 100_000;
const PAYMENT_METHOD_LENGTH_MAX = 64;

export const reconcileQuery = z.object({
  payment_method: text({ max: PAYMENT_METHOD_LENGTH_MAX }).meta({
    description: 'Under which the provider’s charges are payments here.',
  }),
  from: instantSchema.optional().meta({
    description: 'With `until`: charges that were first told here from this instant on should be in the list.',
  }),
  until: instantSchema.optional().meta({ description: 'And before this one.' }),
  apply: flagQuerySchema('Has what is missing here come in as if the provider had told it.'),
});

const charge = z.strictObject({
  payment_id: idText('pi_3Qx1').meta({ description: 'The provider’s id of the charge.' }),
  amount: moneySchema,
  currency: z
    .string()
    .regex(/^[A-Za-z]{3}$/)
    .toUpperCase()
    .meta({ examples: ['USD'] }),
  status: text({ max: 64 })
    .toLowerCase()
    .meta({ description: '`paid` or `succeeded`: money came. Any other: it did not.', examples: ['paid'] }),
  order_id: text({ min: 0 }).optional().meta({ description: 'The id of the order here, where the list has it.' }),
});

export const chargesDocument = z.strictObject({ charges: z.array(charge).max(CHARGES_MAX) });
export const chargesTable = z.string().meta({
  description:
    'A header with `payment_id`, `amount`, `currency`, `status` and, if you have it, `order_id`; a row for each charge.',
});

const listed = z.object({
  payment_id: z.string(),
  amount: moneySchema.nullable(),
  currency: z.string().nullable(),
  order_id: z.string().nullable(),
});
const foundOf = <S extends z.ZodType>(of: S, description: string) =>
  z.object({ count: countAnswerSchema, data: z.array(of) }).meta({ description });

export const reconcileAnswer = z.object({
  payment_method: z.string(),
  charges: countAnswerSchema.meta({ description: 'How many the list has, each counted once.' }),
  matched: countAnswerSchema,
  missing_here: foundOf(listed, 'Paid there, and never told here, or only that it failed; the first 1,000 of them.'),
  missing_there: foundOf(listed, 'Paid here in the span, and not in the list; the first 1,000.').nullable().meta({
    description: 'Null where no span was named.',
  }),
  differing: foundOf(
    z.object({
      payment_id: z.string(),
      order_id: uuidAnswerSchema,
      there: z.object({ amount: moneySchema, currency: z.string(), paid: z.boolean() }),
      here: z.object({ amount: moneySchema.nullable(), currency: z.string().nullable(), status: z.string() }),
    }),
    'Both sides have them, but otherwise; the first 1,000.',
  ),
  applied: countAnswerSchema.nullable().meta({
    description: 'How many came into the inbox now; null unless `apply` is true.',
    examples: [null],
  }),
});
