// Pieces of the wire: quantities, counts, switches and money.
import { z } from 'zod';

function refuseNotWhole(ctx: z.core.ParsePayload<number>, min: number): void {
  const { value } = ctx;
  const refuse = (message: string) => ctx.issues.push({ code: 'custom', message, input: value });
  if (!Number.isInteger(value)) refuse('must be a whole number, without a fraction');
  else if (value < 0) refuse(`must not be negative; the least is ${min}`);
  else if (value < min) refuse(`must be at least ${min}`);
  else if (value > Number.MAX_SAFE_INTEGER) refuse(`must be at most ${Number.MAX_SAFE_INTEGER} (2^53-1)`);
}

function wholeNumber(min: number, example: number) {
  return z
    .number({
      error: ({ input }) => {
        if (input === undefined) return undefined;
        return typeof input === 'string' ? 'must be a JSON number, not a string' : 'must be a whole number';
      },
    })
    .check((ctx) => refuseNotWhole(ctx, min))
    .meta({ type: 'integer', minimum: min, maximum: Number.MAX_SAFE_INTEGER, examples: [example] });
}

/** A quantity that the catalogue states: an integer 1..2^53-1. */
export const quantitySchema = wholeNumber(1, 10);

const DIGITS = /^(?:0|[1-9][0-9]*)$/;
const NO_QUANTITY = 'must be a whole number, or its digits as a string such as "12"';

/** Digits as a number; what is too large for one to be exact becomes too large for every bound. */
function readDigits(input: number | string): number | string {
  return typeof input === 'string' && DIGITS.test(input) ? Math.min(Number(input), Number.MAX_SAFE_INTEGER + 1) : input;
}

function quantityForms(min: 0 | 1, max: number) {
  const pattern = min === 0 ? '^(?:0|[1-9][0-9]*)$' : '^[1-9][0-9]*$';
  return [
    { type: 'integer', minimum: min, maximum: max },
    { type: 'string', pattern, description: 'Its digits, as forms send them.' },
  ];
}

function askedWhole(min: 0 | 1) {
  return z
    .union([z.number(), z.string()], { error: ({ input }) => (input === undefined ? undefined : NO_QUANTITY) })
    .overwrite(readDigits)
    .check((ctx) => {
      if (typeof ctx.value === 'string') ctx.issues.push({ code: 'custom', message: NO_QUANTITY, input: ctx.value });
      else refuseNotWhole(ctx as z.core.ParsePayload<number>, min);
    })
    .meta({
      anyOf: quantityForms(min, Number.MAX_SAFE_INTEGER),
      examples: [10],
    }) as unknown as z.ZodType<number>;
}

/**
 * A quantity that a call asks for: an integer 1..2^53-1, or its digits (`"12"`, and in no other way), because forms and workflow tools send text; a
 * number afterwards, so that both are the same request.
 */
export const askedQuantitySchema = askedWhole(1);

/** The same, of which there may be none. */
export const askedCountSchema = askedWhole(0);

/** Such a quantity, at most `max`. */
export function askedQuantityUpTo(max: number) {
  return askedQuantitySchema
    .refine((quantity) => quantity <= max, { message: `must be at most ${max}` })
    .meta({ anyOf: quantityForms(1, max) });
}

/** A switch of a call: true or false, or the word, as forms send it; a boolean afterwards. */
export const askedSwitchSchema = z
  .union([z.boolean(), z.enum(['true', 'false'])], {
    error: ({ input }) => (input === undefined ? undefined : 'must be true or false'),
  })
  .overwrite((value) => (typeof value === 'string' ? value === 'true' : value))
  .meta({ anyOf: [{ type: 'boolean' }, { type: 'string', enum: ['true', 'false'] }] }) as unknown as z.ZodType<boolean>;

/** An integer asked for: 0..2^53-1. */
export const countSchema = wholeNumber(0, 10);

/** An integer of an answer that is never negative. */
export const countAnswerSchema = z
  .number()
  .meta({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER, examples: [10] });

/** Units that become valid later. */
export const upcomingSchema = countAnswerSchema.meta({
  description: 'What becomes valid later, and can’t be spent yet.',
  examples: [0],
});

/** The same by product, of those that have some. */
export const upcomingByProductSchema = z
  .record(z.string(), countAnswerSchema)
  .meta({ description: 'Units that become valid later, and can’t be spent yet, by product key.', examples: [{}] });

/** An integer of an answer that may be negative, such as a balance with debt. */
export const signedCountSchema = z.number().meta({
  type: 'integer',
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
  examples: [90],
});

/** An amount of money: a decimal string with at most 14 integer digits and 6 decimals. */
export const moneySchema = z
  .string({
    error: ({ input }) =>
      typeof input === 'number' ? 'must be a decimal string such as "9.99", not a number' : undefined,
  })
  .regex(
    /^(?:0|[1-9]\d{0,13})(?:\.\d{1,6})?$/,
    'must be a decimal string such as "9.99", with at most 14 digits and 6 decimals',
  )
  .meta({ examples: ['9.99'] });
