// How a request names a customer: by his id, or by an identity, which is a provider and an external id; and the alias `user_id` for either.
import { z } from 'zod';
import { AppError } from '../errors/app-error.js';
import { presence } from './presence.js';
import {
  digitsOf,
  ID_LENGTH_MAX,
  idForm,
  isStorableText,
  placeholderFault,
  refusePlaceholder,
  refuseUnstorable,
  UNSTORABLE,
  UUID_PATTERN,
  uuidSchema,
} from './text.js';

const PROVIDER_LENGTH_MAX = 64;
/** The provider of an external id that comes without one. */
export const DEFAULT_PROVIDER = 'default';
/** The provider under which a `user_id` that is no UUID is read. */
const USER_ID_PROVIDER = 'user_id';

const saidProvider = z.string().trim().toLowerCase().max(PROVIDER_LENGTH_MAX).check(refuseUnstorable);
const providerText = saidProvider.overwrite((provider) => (provider === '' ? DEFAULT_PROVIDER : provider));
const PROVIDER_META = { description: 'Where the external id comes from; lower-cased.', examples: ['telegram'] };

/** Where an identity comes from; lower-case afterwards, `default` when empty or left out. */
export const providerSchema = providerText.check(refusePlaceholder).default(DEFAULT_PROVIDER).meta(PROVIDER_META);

/** Like `providerSchema`, of an identity that may have been stored before placeholders were refused. */
export const storedProviderSchema = providerText.default(DEFAULT_PROVIDER).meta(PROVIDER_META);

/** Like `providerSchema`, beside ids that have no use for it: empty or undefined afterwards when it was not said, so that one in vain can be refused. */
export const providerBesideSchema = saidProvider
  .check((ctx) => {
    if (ctx.value !== '') refusePlaceholder(ctx);
  })
  .optional()
  .meta({
    ...PROVIDER_META,
    default: DEFAULT_PROVIDER,
    description:
      'Where the external id comes from; lower-cased. Not beside an id that is the identity (`user_id`, text).',
  });

const named = (description: string) => idForm.meta({ description, examples: ['4711'] });

const externalIdForm = named('The id in the system of the provider; an integer is read as its digits.');

/** The external id that an input stands for, or why it stands for none. */
function readExternalId(input: string | number): { id: string } | { fault: string } {
  if (typeof input === 'number') {
    const read = digitsOf(input);
    return 'fault' in read ? read : { id: read.digits };
  }
  const id = input.trim();
  if (id.length === 0) return { fault: 'must not be empty' };
  if (id.length > ID_LENGTH_MAX) return { fault: `must have at most ${ID_LENGTH_MAX} characters` };
  return isStorableText(id) ? { id } : { fault: UNSTORABLE };
}

/** The same, of an id by which somebody may come to be known. */
function readNewExternalId(input: string | number): { id: string } | { fault: string } {
  const read = readExternalId(input);
  const fault = 'id' in read ? placeholderFault(read.id) : undefined;
  return fault === undefined ? read : { fault };
}

type ReadId = (input: string | number) => { id: string } | { fault: string };

const idReadBy =
  (read: ReadId) =>
  (input: string | number, ctx: z.core.$RefinementCtx): string => {
    const found = read(input);
    if ('id' in found) return found.id;
    ctx.issues.push({ code: 'custom', message: found.fault, input });
    return z.NEVER;
  };

/** An external id that may have been stored before placeholders were refused: to look for it, or to take it from somebody. */
export const storedExternalIdSchema = externalIdForm.transform(idReadBy(readExternalId));

/** The id of a person or account elsewhere: a string, trimmed, or a JSON integer that is read as its digits; a string afterwards. */
export const externalIdSchema = externalIdForm.transform(idReadBy(readNewExternalId));

/** A UUID in lower case, or any other text as an external id. */
function readUserId(input: string | number): { id: string } | { fault: string } {
  const read = readNewExternalId(input);
  if ('fault' in read) return { fault: `is read as an external_id, and that ${read.fault}` };
  return { id: UUID_PATTERN.test(read.id) ? read.id.toLowerCase() : read.id };
}

/** An id that names a customer in either way: a UUID is his own, in lower case afterwards; any other text, or an integer, is an identity. */
export const userIdSchema = (description: string) => named(description).transform(idReadBy(readUserId));

/** The fields by which a request names a customer; spread them, with `refuseIdleProvider`, only where no `with…Selector` fits. */
export const selectorShape = {
  customer_id: uuidSchema.optional(),
  user_id: userIdSchema(
    'A UUID is the `customer_id`. Any other text, and an integer as its digits, is the identity (`user_id`, text).',
  ).optional(),
  external_id: externalIdSchema.optional(),
  provider: providerBesideSchema,
};

const SELECTOR_MISSING = 'name the customer: send customer_id, or external_id (with provider)';

/** Refuses a body or query that names nobody. */
export const refuseMissingSelector = presence<SelectorInput>((ctx) => {
  if (!isSelected(ctx.value)) {
    ctx.issues.push({
      code: 'custom',
      params: { code: 'required' },
      message: SELECTOR_MISSING,
      path: ['customer_id'],
      input: ctx.value,
    });
  }
});

/**
 * A check of a body or query: refuses a provider beside an id that is another provider's identity, and no external id for it. Ignored it would let
 * the request be about somebody else than was meant.
 */
export function refuseIdleProvider(
  ...pairs: readonly (readonly [userId: string, externalId: string])[]
): (ctx: z.core.ParsePayload<object>) => void {
  return (ctx) => {
    const sent = ctx.value as Readonly<Record<string, string | undefined>>;
    const isIdle = ([userId, externalId]: readonly [string, string]) =>
      sent[userId] !== undefined && !UUID_PATTERN.test(sent[userId]) && sent[externalId] === undefined;
    const idle = pairs.find(isIdle);
    if (!sent.provider || sent.provider === USER_ID_PROVIDER || idle === undefined) return;
    const [userId, externalId] = idle;
    const message = `is not that of ${userId}, which is the identity (${USER_ID_PROVIDER}, text): send ${externalId} with it instead`;
    ctx.issues.push({ code: 'custom', message, path: ['provider'], input: sent.provider });
  };
}

/** A body or query that need not name the customer, with the fields of `shape`. Read the selector with `toSelectorBeside`. */
export function withOptionalSelector<S extends z.core.$ZodLooseShape>(shape: S) {
  return withFields(shape).check(refuseLoneProvider);
}

function withFields<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.object({ ...selectorShape, ...shape }).check(refuseIdleProvider(['user_id', 'external_id']));
}

/** Refuses a provider without an id: whoever sends it means one customer, and left out the request may be about all of them. */
function refuseLoneProvider(ctx: z.core.ParsePayload<object>): void {
  const sent = ctx.value as SelectorInput;
  if (!sent.provider || sent.provider === USER_ID_PROVIDER || isSelected(sent)) return;
  const message = 'names nobody by itself: send external_id with it';
  ctx.issues.push({ code: 'custom', message, path: ['provider'], input: sent.provider });
}

/** A body or query that names a customer, with the fields of `shape` beside the selector. Read the selector with `toSelector`. */
export function withSelector<S extends z.core.$ZodLooseShape>(shape: S) {
  return withFields(shape).check(refuseMissingSelector);
}

/** What `toSelector` reads: the parsed selector fields of a body or query. */
export interface SelectorInput {
  customer_id?: string | undefined;
  user_id?: string | undefined;
  external_id?: string | undefined;
  provider?: string | undefined;
}

/** Whether a body or query names a customer. */
export function isSelected({ customer_id, user_id, external_id }: SelectorInput): boolean {
  return customer_id !== undefined || user_id !== undefined || external_id !== undefined;
}

/** The selector of a body or query that need not name the customer: of a thing that its id names. Empty when it does not. Throws like `toSelector`. */
export function toSelectorBeside(input: SelectorInput): ReturnType<typeof toSelector> {
  return isSelected(input) ? toSelector(input) : {};
}

/** Whom a request names, and which of it came as `user_id`. */
export interface ParsedSelector {
  customerId?: string;
  identity?: { provider: string; externalId: string };
  userId?: 'customer' | 'identity';
}

/** What a parsed `user_id` stands for. */
function toUserId(userId: string): ParsedSelector {
  if (UUID_PATTERN.test(userId)) return { customerId: userId, userId: 'customer' };
  return { identity: { provider: USER_ID_PROVIDER, externalId: userId }, userId: 'identity' };
}

/**
 * Normalises the selector fields of a parsed body or query; at least one of them is present. When several are, they must turn out to be one
 * customer. Throws: invalid_request when they are all missing, selector_conflict when `user_id` contradicts `customer_id` or the external
 * identity; `names` are the fields' where they have others.
 */
export function toSelector(
  input: SelectorInput,
  names = { user_id: 'user_id', external_id: 'external_id' },
): ParsedSelector {
  const { customer_id, user_id, external_id, provider } = input;
  if (!isSelected(input)) throw new AppError('invalid_request', SELECTOR_MISSING);
  const conflict = (detail: string) => new AppError('selector_conflict', detail, { pointer: `/${names.user_id}` });
  const byUserId = user_id === undefined ? {} : toUserId(user_id);
  if (customer_id !== undefined && byUserId.customerId !== undefined && customer_id !== byUserId.customerId) {
    throw conflict('customer_id and its alias user_id differ: send one of them.');
  }
  const byExternalId =
    external_id === undefined ? undefined : { provider: provider || DEFAULT_PROVIDER, externalId: external_id };
  const named = byUserId.identity;
  if (byExternalId && named && (byExternalId.provider !== named.provider || external_id !== named.externalId)) {
    throw conflict(`${names.user_id} and ${names.external_id} are two identities: send one of them.`);
  }
  const customerId = customer_id ?? byUserId.customerId;
  const identity = byExternalId ?? named;
  const isByUserId = (byUserId.userId === 'identity' ? external_id : customer_id) === undefined;
  return {
    ...(customerId !== undefined && { customerId }),
    ...(identity && { identity }),
    ...(byUserId.userId && isByUserId && { userId: byUserId.userId }),
  };
}
