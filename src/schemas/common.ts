// The pieces that the wire schemas of all resources are made of: text, names, numbers, money, instants, metadata, keys.
// Request pieces normalise (trim, case) and refuse what could not be stored; answer pieces only describe, because checks are dear on the way out
// (zod runs a schema with checks twice). No piece reaches for a database.
import { z } from 'zod';
import { fitsMetadata, METADATA_BYTES_MAX } from '../lib/metadata.js';

const TEXT_LENGTH_MAX = 1_000;
/** Of ids of the caller’s systems. */
export const ID_LENGTH_MAX = 255;
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
const METADATA_DEPTH_MAX = 8;

/** Postgres and ISO 8601 with four digits of year both cover it. */
const INSTANT_MIN_MS = Date.UTC(1900, 0, 1);
const INSTANT_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** A UUID in its usual form. */
export const UUID_PATTERN = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EXAMPLE_UUID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

/** Says whether Postgres can store `text` unchanged: no NUL, no lone surrogate (which would silently become U+FFFD). */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** Why a JSON number is refused where its digits count. */
const UNSAFE_NUMBER = 'is above 2^53-1 and would be rounded: send it as a string';

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

const isoInstant = z.iso.datetime({ offset: true });
/** ECMAScript reads a date alone as its beginning in UTC. */
const isoDate = z.iso.date();

const INSTANT_META = { format: 'date-time', examples: ['2026-01-31T12:00:00.000Z'] };
/** A date alone is its midnight in UTC. */
const ASKED_INSTANT_META = {
  type: undefined,
  anyOf: [
    { type: 'string', format: 'date-time' },
    { type: 'string', format: 'date' },
  ],
  examples: INSTANT_META.examples,
};
const instantForms = {
  decode: (value: string) => new Date(value),
  encode: (instant: Date) => instant.toISOString(),
};

/** An instant in a request: ISO 8601 with an offset, or a date, which is its beginning in UTC, on the wire; a Date inside. */
export const instantSchema = z.codec(
  z
    .string()
    .refine((value) => isoInstant.safeParse(value).success || isoDate.safeParse(value).success, {
      message:
        'must be an ISO 8601 instant with an offset, such as 2026-01-31T12:00:00Z, or a date (its midnight in UTC)',
      abort: true,
    })
    .meta(ASKED_INSTANT_META),
  z
    .date()
    .refine((instant) => instant.getTime() >= INSTANT_MIN_MS && instant.getTime() <= INSTANT_MAX_MS, {
      message: 'must lie between the years 1900 and 9999',
    })
    .meta({ type: 'string', ...INSTANT_META }),
  instantForms,
);

/** An instant in an answer: a Date inside, ISO 8601 in UTC on the wire. */
export const instantAnswerSchema = z.codec(
  z.string().meta(INSTANT_META),
  z.date().meta({ type: 'string', ...INSTANT_META }),
  instantForms,
);

interface MetadataNode {
  value: unknown;
  key: PropertyKey;
  parent: MetadataNode | undefined;
  depth: number;
}

interface MetadataFault {
  path: PropertyKey[];
  message: string;
}

const TOO_LARGE: MetadataFault = { path: [], message: `is larger than ${METADATA_BYTES_MAX} bytes as JSON` };
const TOO_DEEP: MetadataFault = { path: [], message: `is nested deeper than ${METADATA_DEPTH_MAX} levels` };

/**
 * Looks for what can't be stored in `metadata`, in one pass that ends once there are more values than the bytes that are allowed, so that a refusal
 * costs no more than what is accepted. Iterative, because a body may be nested far deeper than the call stack.
 */
function findMetadataFault(metadata: Record<string, unknown>): MetadataFault | undefined {
  let bytesMin = 0;
  let fault: MetadataFault | undefined;
  const open: MetadataNode[] = [{ value: metadata, key: '', parent: undefined, depth: 1 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, depth } = at;
    if (typeof value !== 'object' || value === null) {
      bytesMin += typeof value === 'string' ? value.length : 0;
      if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
      const message = faultOfValue(value);
      if (message !== undefined) fault ??= { path: pathTo(at), message };
      continue;
    }
    const keys = Array.isArray(value) ? undefined : Object.keys(value);
    // Each takes a digit and a comma at least.
    bytesMin += 2 * (keys ?? (value as unknown[])).length;
    if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
    if (depth > METADATA_DEPTH_MAX) return TOO_DEEP;
    if (keys === undefined) {
      for (const [key, item] of (value as unknown[]).entries())
        open.push({ value: item, key, parent: at, depth: depth + 1 });
      continue;
    }
    for (const key of keys) {
      bytesMin += key.length;
      if (bytesMin > METADATA_BYTES_MAX) return TOO_LARGE;
      if (!isStorableText(key)) fault ??= { path: pathTo(at), message: `has a key that ${UNSTORABLE}` };
      open.push({ value: (value as Record<string, unknown>)[key], key, parent: at, depth: depth + 1 });
    }
  }
  return fault ?? (fitsMetadata(metadata) ? undefined : TOO_LARGE);
}

function faultOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return isStorableText(value) ? undefined : UNSTORABLE;
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value)) return 'is too large a number';
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? UNSAFE_NUMBER : undefined;
}

function pathTo(node: MetadataNode): PropertyKey[] {
  const path: PropertyKey[] = [];
  for (let at = node; at.parent !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

function refuseFaultyMetadata(ctx: z.core.ParsePayload<unknown>): void {
  const { value } = ctx;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    ctx.issues.push({ code: 'invalid_type', expected: 'record', input: value });
    return;
  }
  const fault = findMetadataFault(value as Record<string, unknown>);
  if (fault) ctx.issues.push({ code: 'custom', message: fault.message, path: fault.path, input: value });
}

/**
 * Free JSON of the caller: at most 16 KiB and 8 levels, storable text, numbers that JSON keeps exact. Defaults to `{}`. Not a record of zod's, which
 * would copy all members before anybody asks how large they are.
 */
export const metadataSchema = (
  z.unknown().check(refuseFaultyMetadata).meta({ type: 'object', additionalProperties: true }) as z.ZodType<
    Record<string, unknown>
  >
)
  .default({})
  .meta({
    description: `Free JSON of the caller; at most ${METADATA_BYTES_MAX} bytes and ${METADATA_DEPTH_MAX} levels.`,
    examples: [{ source: 'bot' }],
  });

/** Metadata in an answer: as it was stored. */
export const metadataAnswerSchema = z
  .record(z.string(), z.unknown())
  .meta({ propertyNames: undefined, additionalProperties: true, examples: [{ source: 'bot' }] });

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

/**
 * A query parameter that names several values, at most `max`: repeated, with commas between them, or (the route folds it) as `name[0]=…`; an array
 * afterwards, in the order given. The values have no commas.
 */
export function repeatable<S extends z.ZodType>(schema: S, max: number) {
  const list = z.preprocess(splitAtCommas, z.array(schema).max(max));
  repeatables.add(list);
  return list;
}

const repeatables = new WeakSet<z.ZodType>();

/** Whether a member of a query is `repeatable`, optional or not. */
export function isRepeatable(schema: z.core.$ZodType): boolean {
  if (schema instanceof z.ZodOptional) return isRepeatable(schema.unwrap());
  return schema instanceof z.ZodType && repeatables.has(schema);
}

function splitAtCommas(input: unknown): unknown {
  const given = typeof input === 'string' ? [input] : input;
  return Array.isArray(given) ? given.flatMap((text) => (typeof text === 'string' ? text.split(',') : [text])) : given;
}

/** A query parameter that is `true` or `false`; a boolean afterwards, false when left out. */
export const flagQuerySchema = (description: string) =>
  z
    .enum(['true', 'false'])
    .default('false')
    .transform((flag) => flag === 'true')
    .meta({ type: 'boolean', enum: undefined, default: false, description });
