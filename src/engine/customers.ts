// From a selector to a customer (DOMAIN 3.0, step 2): a step of its own before the operation; a first sight stays even when the operation
// is refused.

import {
  findIdentity,
  findKnownCustomer,
  type Identity,
  type IdentityKey,
  insertCustomerWithIdentity,
} from '../db/customers.js';
import { constraintOf } from '../db/errors.js';
import { findOperationOwners } from '../db/operations.js';
import { findReservationOwners } from '../db/reservations.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { instantOf } from '../lib/clock.js';

/** Whom a request is about: what is present names one customer. */
export interface Selector {
  customerId?: string;
  identity?: IdentityKey;
  /** Something of his that the request names by its id. */
  owned?: Owned;
}

export interface Owned {
  kind: 'reservation' | 'operation';
  id: string;
}

/** What a first sight came to. */
export interface Sighting {
  identity: Identity;
  isNewCustomer: boolean;
  isNewIdentity: boolean;
}

/** A race for one identity is lost to a row that then exists; more rounds would mean that it keeps vanishing. */
const SIGHT_ATTEMPTS_MAX = 5;

function unknownCustomer({ customerId }: Selector): AppError {
  const pointer = customerId === undefined ? '/external_id' : '/customer_id';
  return new AppError('customer_not_found', 'There is no such customer.', { pointer });
}

function conflict(pointer: string): AppError {
  return new AppError('selector_conflict', 'The two selectors name different customers.', { pointer });
}

/** Finds the identity, or creates customer and identity together. Of N at once one creates, the others find. */
export async function sightIdentity(deps: Foundations, key: IdentityKey): Promise<Sighting> {
  for (let attempt = 1; attempt <= SIGHT_ATTEMPTS_MAX; attempt += 1) {
    const known = await findIdentity(deps.db, key);
    if (known) return { identity: known, isNewCustomer: false, isNewIdentity: false };
    const customerId = deps.ids.next();
    const identityId = deps.ids.next();
    try {
      await insertCustomerWithIdentity(deps.db, { ...key, customerId, identityId, now: deps.clock.now() });
      const identity = { ...key, id: identityId, customerId, profile: {} };
      return { identity, isNewCustomer: true, isNewIdentity: true };
    } catch (error) {
      if (constraintOf(error) !== 'identities_pk') throw error;
    }
  }
  throw new AppError('unavailable', 'The identity keeps changing; try again.', { retryAfterS: 1 });
}

/** Whose these things are, by their ids; what there is not is left out. */
export async function findOwners(deps: Foundations, things: readonly Owned[]): Promise<Map<string, string>> {
  const idsOf = (kind: Owned['kind']) => things.filter((thing) => thing.kind === kind).map(({ id }) => id);
  const [reservations, operations] = [idsOf('reservation'), idsOf('operation')];
  return new Map([
    ...(reservations.length > 0 ? await findReservationOwners(deps.db, reservations) : []),
    ...(operations.length > 0 ? await findOperationOwners(deps.db, operations) : []),
  ]);
}

function unknownOwned({ kind, id }: Owned): AppError {
  if (kind === 'reservation') {
    return new AppError('reservation_not_found', `There is no reservation ${id}.`, { pointer: 'path/id' });
  }
  return new AppError('operation_not_found', `There is no operation ${id} of this customer.`, {
    pointer: '/operation_id',
  });
}

/**
 * The customer that a write is about; one named by an identity alone is created on first sight.
 * Throws: customer_not_found (unknown customer_id), selector_conflict, reservation_not_found, operation_not_found (also another customer's).
 */
export async function resolveCustomer(deps: Foundations, selector: Selector): Promise<string> {
  const { customerId, identity, owned } = selector;
  if (owned) {
    const owner = (await findOwners(deps, [owned])).get(owned.id);
    if (owner === undefined) throw unknownOwned(owned);
    if ((identity || customerId !== undefined) && (await requireCustomer(deps, selector)).customerId !== owner)
      throw unknownOwned(owned);
    return owner;
  }
  if (identity && customerId === undefined) return (await sightIdentity(deps, identity)).identity.customerId;
  return (await requireCustomer(deps, selector)).customerId;
}

/** Whom a read is about, and the instant at which it reads: the clock, but never before what the customer recorded last, as for a write. */
export interface Reader {
  customerId: string;
  now: Date;
}

/**
 * The customer that a read is about; undefined when nobody is known by the selector. `pointer` is the field of the external id.
 * Throws: selector_conflict.
 */
export async function findCustomer(
  deps: Foundations,
  selector: Selector,
  pointer = '/external_id',
): Promise<Reader | undefined> {
  const { customerId, identity } = selector;
  const named = customerId === undefined ? undefined : await findKnownCustomer(deps.db, { customerId });
  if (customerId !== undefined && !named) return undefined;
  const known = identity ? await findKnownCustomer(deps.db, identity) : named;
  if (named && known?.id !== named.id) throw conflict(pointer);
  return known && { customerId: known.id, now: instantOf(deps.clock.now(), known.lastRecordedAt) };
}

/** Like `findCustomer`, for reads that need one. Throws: customer_not_found, selector_conflict. */
export async function requireCustomer(deps: Foundations, selector: Selector): Promise<Reader> {
  const known = await findCustomer(deps, selector);
  if (!known) throw unknownCustomer(selector);
  return known;
}
