// What a customer's own token does to a request: he is meant where nobody is named, and nobody else may be.
import type { FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';

const SELECTOR_FIELDS = ['customer_id', 'user_id', 'external_id', 'provider'];
/** By which a customer can be named without a look-up that would tell of others. */
const OWN_FIELDS = ['customer_id', 'user_id'];
/** What is not for customers: what is not for sale. */
const INACTIVE = 'include_inactive';

/** Where a route names its customer: in its query, in its body, or it is about none. */
export type NamedIn = 'query' | 'body' | undefined;

/** Names the customer of a token in a query or body that names nobody. To be called before they are validated. */
export function nameOwn({ actor, query, body }: FastifyRequest, namedIn: NamedIn): void {
  const own = actor?.customer?.id;
  if (own === undefined || namedIn === undefined) return;
  const input = namedIn === 'query' ? query : body;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return;
  if (!SELECTOR_FIELDS.some((field) => Object.hasOwn(input, field))) Object.assign(input, { customer_id: own });
}

/** Refuses a valid request that names anybody else than the customer of its token, or asks for what is not for customers. Throws: forbidden. */
export function requireOwn({ actor, query, body }: FastifyRequest, namedIn: NamedIn): void {
  const own = actor?.customer?.id;
  if (own === undefined) return;
  if ((query as Record<string, unknown>)[INACTIVE] === true) {
    throw new AppError('forbidden', 'A customer sees what is for sale.', { pointer: `query/${INACTIVE}` });
  }
  if (namedIn === undefined) return;
  const input = (namedIn === 'query' ? query : body) as Record<string, unknown>;
  const named = OWN_FIELDS.filter((field) => input[field] !== undefined);
  // A provider beside his own id means nothing, but alone it is no way to name him.
  const others = named.length > 0 ? ['external_id'] : ['external_id', 'provider'];
  const foreign = named.find((field) => input[field] !== own) ?? others.find((field) => input[field] !== undefined);
  if (foreign === undefined && named.length > 0) return;
  const pointer = `${namedIn === 'query' ? 'query/' : '/'}${foreign ?? 'customer_id'}`;
  throw new AppError('forbidden', 'The token is of one customer: name nobody, or him by his `customer_id`.', {
    pointer,
  });
}
