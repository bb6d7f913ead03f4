// Pieces of the wire: text, and the names, ids and keys that are made of it.
// Request pieces normalise (trim, case) and refuse what could not be stored; answer pieces only describe, because checks are dear on the way out
// (zod runs a schema with checks twice).
import { z } from 'zod';

const TEXT_LENGTH_MAX = 1_000;
/** Of ids of the caller’s systems. */
export const ID_LENGTH_MAX = 255;
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

/** A UUID in its usual form. */
export const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EXAMPLE_UUID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

/** Says whether Postgres can store `text` unchanged: no NUL, no lone surrogate (which would silently become U+FFFD). */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** Why a JSON number is refused where its digits count. */
export const UNSAFE_NUMBER = 'is above 2^53-1 and would be rounded: send it as a string';

/** Why a text is refused that can't be stored. */
export const UNSTORABLE = 'contains a NUL character or half of a surrogate pair, which cannot be stored';

/** A check that Postgres can store a text unchanged. */
export function refuseUnstorable(ctx: z.core.ParsePayload<string>): void {
  if (!isStorableText(ctx.value)) ctx.issues.push({ code: 'custom', message: UNSTORABLE, input: ctx.value });
}

/** How languages write that there is no value, or not this kind of value, when it is made to text. */
const PLACEHOLDER =
  /^(?:undefined|null|nan|none|nil|true|false|[+-]?infinity|\[object [a-z]*\]|<nil>|<null>|\(null\))$/i;
/** What a template engine, a shell or a workflow leaves where it was not filled in. */
const TEMPLATE_MARKS = [
  ['{{', '}}'],
  ['${', '}'],
  ['<%', '%>'],
] as const;
/** What JavaScript makes of a missing value that a longer name is put together with, as a part of that name. */
const MISSING_PART = /(?:^|[-_:/|#.\s])(?:undefined|null|NaN|\[object [A-Za-z]*\])(?=$|[-_:/|#.\s])/;
const MISSING_PART_MESSAGE =
  'has a part that stands for a missing value (undefined, null, NaN or [object …]): whoever made it had none to put there';
const UNFILLED_MESSAGE = 'holds a template that nobody filled in';
const PLACEHOLDER_MESSAGE = 'stands for a missing value: whoever sent it had none to put here';
const UNSEEN_MESSAGE = 'must not be empty';
const SEEN = /[^\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

/** Whether a text holds a template. Searches once for each mark: a pattern would begin anew at each opening one. */
function isUnfilled(text: string): boolean {
  return TEMPLATE_MARKS.some(([opening, closing]) => {
    const at = text.indexOf(opening);
    return at !== -1 && text.includes(closing, at + opening.length);
  });
}

/** Why a name by which somebody or something is known again is none; undefined when it is one. All without a value would be the same. */
export function placeholderFault(name: string): string | undefined {
  if (PLACEHOLDER.test(name)) return PLACEHOLDER_MESSAGE;
  if (isUnfilled(name)) return UNFILLED_MESSAGE;
  return SEEN.test(name) ? undefined : UNSEEN_MESSAGE;
}

/** A check for text by which somebody is known again. */
export function refusePlaceholder(ctx: z.core.ParsePayload<string>): void {
  const message = placeholderFault(ctx.value);
  if (message !== undefined) ctx.issues.push({ code: 'custom', message, input: ctx.value });
}

/** A check for text by which something happens once: it may not be made of a missing value either, because all that are would be one. */
export function refuseMissingPart(ctx: z.core.ParsePayload<string>): void {
  const { value } = ctx;
  const message = placeholderFault(value) ?? (MISSING_PART.test(value) ? MISSING_PART_MESSAGE : undefined);
  if (message !== undefined) ctx.issues.push({ code: 'custom', message, input: value });
}

/** Text that can be stored. Lengths are UTF-16 code units after trimming; `trim` defaults to true, `min` to 1. */
export function text({
  min = 1,
  max = TEXT_LENGTH_MAX,
  trim = true,
}: {
  min?: number;
  max?: number;
  trim?: boolean;
} = {}) {
  const base = trim ? z.string().trim() : z.string();
  return (min > 0 ? base.min(min) : base).max(max).check(refuseUnstorable);
}

/** Reads a JSON number as the digits of an id, or says why it can't. */
export function digitsOf(value: number): { digits: string } | { fault: string } {
  if (!Number.isInteger(value)) return { fault: 'must be a string or a whole number' };
  if (!Number.isSafeInteger(value)) return { fault: UNSAFE_NUMBER };
  return { digits: String(value === 0 ? 0 : value) };
}

/** What is taken for an id of the caller's systems, which number their rows: a text, or a JSON integer, to be read by `digitsOf`. */
export const idForm = z
  .union([z.string(), z.number()], {
    error: (issue) => (issue.input === undefined ? undefined : 'must be a string or a whole number'),
  })
  .meta({
    type: undefined,
    anyOf: [
      { type: 'string', minLength: 1, maxLength: ID_LENGTH_MAX },
      { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    ],
  });

/** An id of the caller's for something: a text, or a JSON integer that is read as its digits; a string afterwards. */
export function idText(example: string) {
  return idForm
    .meta({ examples: [example] })
    .transform((input, ctx): string => {
      if (typeof input === 'string') return input;
      const read = digitsOf(input);
      if ('digits' in read) return read.digits;
      ctx.issues.push({ code: 'custom', message: read.fault, input });
      return z.NEVER;
    })
    .pipe(text({ max: ID_LENGTH_MAX }));
}

/** An id of ours, in any case; lower-case afterwards. */
export const uuidSchema = z
  .string()
  .trim()
  .regex(UUID_PATTERN, 'must be a UUID')
  .toLowerCase()
  .meta({ format: 'uuid', pattern: undefined, examples: [EXAMPLE_UUID] });

/** An id in an answer: as it was stored. */
export const uuidAnswerSchema = z.string().meta({ format: 'uuid', examples: [EXAMPLE_UUID] });

/** The upper case of ASCII text; anything else as it is, because the upper case of some other letters is an ASCII letter. */
export function upperCaseOf(written: string): string {
  return /^[ -~]*$/.test(written) ? written.toUpperCase() : written;
}

// The charset is checked before upper-casing: the upper case of some letters outside ASCII is an ASCII letter.
const KEY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/;
const KEY_MESSAGE = 'must be 1 to 64 letters, digits or one of _ . : - and begin with a letter or digit';

/** The SKU of an offer, in any case; upper-case afterwards. */
export const skuSchema = z
  .string()
  .trim()
  .regex(KEY_PATTERN, KEY_MESSAGE)
  .toUpperCase()
  .meta({ examples: ['CREDITS_100'] });

/** The key of a product, in any case; upper-case afterwards. */
export const productKeySchema = z
  .string()
  .trim()
  .regex(KEY_PATTERN, KEY_MESSAGE)
  .toUpperCase()
  .meta({ examples: ['CREDITS'] });

const FEATURE_LENGTH_MAX = 64;

/** The name of a feature, exactly as it is: lower_snake, or several such parts with dots between them. */
export const featureSchema = z
  .string()
  .max(FEATURE_LENGTH_MAX)
  .regex(
    /^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/,
    'must be lower_snake_case, with dots between its parts if it has several: of a-z, 0-9 and _, beginning with a letter',
  )
  .meta({ examples: ['image_generation'] });

/** The key that makes a POST safe to repeat; trimmed. */
export const idempotencyKeySchema = z
  .string()
  .trim()
  .min(1)
  .max(IDEMPOTENCY_KEY_LENGTH_MAX)
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must consist of printable characters')
  .check(refuseMissingPart)
  .meta({
    pattern: undefined,
    description:
      'A key of your choice that makes the call safe to repeat: the same key, compared exactly, gives the first answer again.',
    examples: ['order-4711-attempt-1'],
  });
