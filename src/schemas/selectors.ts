// How a request names a customer: by his id, or by an identity, which is a provider and an external id; and the alias `user_id` for either.
import { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import {
  isStorableText,
  placeholderFault,
  refusePlaceholder,
  refuseUnstorable,
  UNSAFE_NUMBER,
  UNSTORABLE,
  UUID_PATTERN,
  uuidSchema,
} from './common.js';
import { presence } from './presence.js';

const EXTERNAL_ID_LENGTH_MAX = 255;
const PROVIDER_LENGTH_MAX = 64;
/** The provider of an external id that comes without one. */
export const DEFAULT_PROVIDER = 'default';
/** The provider under which a `user_id` that is no UUID is read. */
const USER_ID_PROVIDER = 'user_id';
const USER_ID_DIGITS_MAX = 20;
const UUID_LENGTH = 36;
const USER_ID_PATTERN = new RegExp(
  `^(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9]{1,${USER_ID_DIGITS_MAX}})$`,
);

const providerText = z
  .string()
  .trim()
  .toLowerCase()
  .overwrite((provider) => (provider === '' ? DEFAULT_PROVIDER : provider))
  .max(PROVIDER_LENGTH_MAX)
  .check(refuseUnstorable);
const PROVIDER_META = { description: 'Where the external id comes from; lower-cased.', examples: ['telegram'] };

/** Where an identity comes from; lower-case afterwards, `default` when empty or left out. */
export const providerSchema = providerText.check(refusePlaceholder).default(DEFAULT_PROVIDER).meta(PROVIDER_META);

/** Like `providerSchema`, of an identity that may have been stored before placeholders were refused. */
export const storedProviderSchema = providerText.default(DEFAULT_PROVIDER).meta(PROVIDER_META);

/** Reads a JSON number as the digits of an id, or says why it can't. */
function digitsOf(value: number): { digits: string } | { fault: string } {
  if (!Number.isInteger(value)) return { fault: 'must be a string or a whole number' };
  if (!Number.isSafeInteger(value)) return { fault: UNSAFE_NUMBER };
  return { digits: String(value === 0 ? 0 : value) };
}

const stringOrInteger = (meta: {
  description: string;
  examples: unknown[];
  min: number;
  max: number;
  pattern?: string;
}) =>
  z
    .union([z.string(), z.number()], {
      error: (issue) => (issue.input === undefined ? undefined : 'must be a string or a whole number'),
    })
    .meta({
      type: undefined,
      anyOf: [
        {
          type: 'string',
          minLength: 1,
          maxLength: meta.max,
          ...(meta.pattern !== undefined && { pattern: meta.pattern }),
        },
        { type: 'integer', minimum: meta.min, maximum: Number.MAX_SAFE_INTEGER },
      ],
      description: meta.description,
      examples: meta.examples,
    });

const externalIdForm = stringOrInteger({
  description: 'The id in the system of the provider; an integer is read as its digits.',
  examples: ['4711'],
  min: Number.MIN_SAFE_INTEGER,
  max: EXTERNAL_ID_LENGTH_MAX,
});

function readExternalId(input: string | number, ctx: z.core.$RefinementCtx): string {
  const refuse = (message: string): never => {
    ctx.issues.push({ code: 'custom', message, input });
    return z.NEVER;
  };
  if (typeof input === 'number') {
    const read = digitsOf(input);
    return 'fault' in read ? refuse(read.fault) : read.digits;
  }
  const id = input.trim();
  if (id.length === 0) return refuse('must not be empty');
  if (id.length > EXTERNAL_ID_LENGTH_MAX) return refuse(`must have at most ${EXTERNAL_ID_LENGTH_MAX} characters`);
  return isStorableText(id) ? id : refuse(UNSTORABLE);
}

/** An external id that may have been stored before placeholders were refused: to look for it, or to take it from somebody. */
export const storedExternalIdSchema = externalIdForm.transform(readExternalId);

/** The id of a person or account elsewhere: a string, trimmed, or a JSON integer that is read as its digits; a string afterwards. */
export const externalIdSchema = externalIdForm.transform((input, ctx): string => {
  const id = readExternalId(input, ctx);
  const message = typeof id === 'string' ? placeholderFault(id) : undefined;
  if (message === undefined) return id;
  ctx.issues.push({ code: 'custom', message, input });
  return z.NEVER;
});

const userIdSchema = stringOrInteger({
  description: 'Alias of `customer_id`; digits are read as the identity (`user_id`, digits).',
  examples: ['4711'],
  min: 0,
  max: UUID_LENGTH,
  pattern: USER_ID_PATTERN.source,
}).transform((input, ctx): string => {
  const read = typeof input === 'number' ? digitsOf(input) : { digits: input.trim().toLowerCase() };
  const isWellFormed = 'digits' in read && USER_ID_PATTERN.test(read.digits);
  if (isWellFormed) return read.digits;
  const message = 'fault' in read ? read.fault : `must be a UUID or at most ${USER_ID_DIGITS_MAX} digits`;
  ctx.issues.push({ code: 'custom', message, input });
  return z.NEVER;
});

/** The fields by which a request names a customer; spread them where `withSelector` does not fit. */
export const selectorShape = {
  customer_id: uuidSchema.optional(),
  user_id: userIdSchema.optional(),
  external_id: externalIdSchema.optional(),
  provider: providerSchema,
};

const SELECTOR_MISSING = 'name the customer: send customer_id, or external_id (with provider)';

const refuseMissingSelector = presence<SelectorInput>((ctx) => {
  const { customer_id, user_id, external_id } = ctx.value;
  if (customer_id === undefined && user_id === undefined && external_id === undefined) {
    ctx.issues.push({
      code: 'custom',
      params: { code: 'required' },
      message: SELECTOR_MISSING,
      path: ['customer_id'],
      input: ctx.value,
    });
  }
});

/** A body or query that names a customer, with the fields of `shape` beside the selector. Read the selector with `toSelector`. */
export function withSelector<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.object({ ...selectorShape, ...shape }).check(refuseMissingSelector);
}

/** What `toSelector` reads: the parsed selector fields of a body or query. */
export interface SelectorInput {
  customer_id?: string | undefined;
  user_id?: string | undefined;
  external_id?: string | undefined;
  provider?: string | undefined;
}

/** The selector of a body or query that need not name the customer: of a thing that its id names. Empty when it does not. Throws like `toSelector`. */
export function toSelectorBeside(input: SelectorInput): ReturnType<typeof toSelector> {
  const { customer_id, user_id, external_id } = input;
  return customer_id === undefined && user_id === undefined && external_id === undefined ? {} : toSelector(input);
}

/**
 * Normalises the selector fields of a parsed body or query; at least one of the two is present. When both are, they must turn out to be one
 * customer. Throws: invalid_request when they are all missing, selector_conflict when `user_id` contradicts `customer_id` or the external
 * identity.
 */
export function toSelector(input: SelectorInput): {
  customerId?: string;
  identity?: { provider: string; externalId: string };
} {
  const { customer_id, user_id, external_id } = input;
  if (customer_id === undefined && user_id === undefined && external_id === undefined) {
    throw new AppError('invalid_request', SELECTOR_MISSING);
  }
  if (customer_id !== undefined && user_id !== undefined && customer_id !== user_id) {
    throw new AppError('selector_conflict', 'customer_id and its alias user_id differ: send one of them.');
  }
  const userIdIsUuid = user_id !== undefined && UUID_PATTERN.test(user_id);
  const customerId = customer_id ?? (userIdIsUuid ? user_id : undefined);
  const byExternalId =
    external_id === undefined ? undefined : { provider: input.provider ?? DEFAULT_PROVIDER, externalId: external_id };
  const byUserId =
    user_id === undefined || userIdIsUuid ? undefined : { provider: USER_ID_PROVIDER, externalId: user_id };
  if (byExternalId && byUserId && (byExternalId.provider !== byUserId.provider || external_id !== user_id)) {
    throw new AppError('selector_conflict', 'user_id and external_id are two identities: send one of them.');
  }
  const identity = byExternalId ?? byUserId;
  return { ...(customerId !== undefined && { customerId }), ...(identity && { identity }) };
}
