// From a selector to a customer (DOMAIN 3.0, step 2): a step of its own before the operation; a first sight stays even when the operation
// is refused.

import {
  type CustomerName,
  findIdentity,
  findIdentityOwners,
  findKnownCustomers,
  type Identity,
  type IdentityKey,
  insertCustomerWithIdentity,
  type KnownCustomer,
} from '../db/customers.js';
import { constraintOf } from '../db/errors.js';
import { findOperationOwners } from '../db/operations.js';
import { findReservationOwners } from '../db/reservations.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import { createSlots } from '../lib/slots.js';

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
/** Of one call, selectors that are resolved one by one at a time: others want the pool's connections too. */
const RESOLVED_AT_ONCE = 4;

/** The refusal of a selector that nobody is known by. */
export function unknownCustomer({ customerId }: Selector): AppError {
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

/** A selector as a map's key. */
export function selectorText({ customerId, identity, owned }: Selector): string {
  return JSON.stringify([customerId, identity?.provider, identity?.externalId, owned?.kind, owned?.id]);
}

/** Whether a selector names its customer in one way only, so that there is nothing to agree. */
function isNamedOnce({ customerId, identity, owned }: Selector): boolean {
  return [customerId, identity, owned].filter((name) => name !== undefined).length === 1;
}

/**
 * The customers of those selectors that can be looked up together, by their texts: a known identity, a known thing, or an id alone, which is not
 * looked up because its lock proves it. The others are for `resolveCustomer`.
 */
export async function findCustomersOf(deps: Foundations, selectors: readonly Selector[]): Promise<Map<string, string>> {
  const named = selectors.filter(isNamedOnce);
  const identities = named.flatMap(({ identity }) => identity ?? []);
  const owned = named.flatMap((selector) => selector.owned ?? []);
  const customers = new Map(
    named.flatMap((selector) =>
      selector.customerId === undefined ? [] : [[selectorText(selector), selector.customerId] as const],
    ),
  );
  for (const { provider, externalId, customerId } of identities.length > 0
    ? await findIdentityOwners(deps.db, identities)
    : []) {
    customers.set(selectorText({ identity: { provider, externalId } }), customerId);
  }
  const owners = owned.length > 0 ? await findOwners(deps, owned) : new Map<string, string>();
  for (const thing of owned) {
    const owner = owners.get(thing.id);
    if (owner !== undefined) customers.set(selectorText({ owned: thing }), owner);
  }
  return customers;
}

/**
 * The customers of selectors, in their order, or why there is none. First sights are created. An id alone is not looked up: its lock proves it.
 */
export async function resolveEach(deps: Foundations, selectors: readonly Selector[]): Promise<(string | AppError)[]> {
  const known: Map<string, string | AppError> = await findCustomersOf(deps, selectors);
  const left = new Map(selectors.map((selector) => [selectorText(selector), selector]));
  for (const text of known.keys()) left.delete(text);
  const slots = createSlots(RESOLVED_AT_ONCE);
  await Promise.all(
    [...left].map(async ([text, selector]) => {
      known.set(text, await slots.take(() => refusalAsValue(resolveCustomer(deps, selector))));
    }),
  );
  return selectors.map((selector) => required(known.get(selectorText(selector)), 'each selector is resolved'));
}

async function refusalAsValue(resolving: Promise<string>): Promise<string | AppError> {
  try {
    return await resolving;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

/** Whose these things are, by their ids; what there is not is left out. */
async function findOwners(deps: Foundations, things: readonly Owned[]): Promise<Map<string, string>> {
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

/** What a selector comes to for a read: whom it is about, nobody, or why it names nobody. */
type Found = KnownCustomer | AppError | undefined;

function namesOf({ customerId, identity }: Selector): CustomerName[] {
  return [...(customerId === undefined ? [] : [{ customerId }]), ...(identity ? [identity] : [])];
}

/** The customers that reads are about, in the order of their selectors. `pointer` is the field of the external id. */
export async function findCustomers(
  deps: Foundations,
  selectors: readonly Selector[],
  pointer = '/external_id',
): Promise<Found[]> {
  const names = selectors.map(namesOf);
  const found = await findKnownCustomers(deps.db, names.flat());
  let at = 0;
  return names.map((own): Found => {
    const known = found.slice(at, at + own.length);
    at += own.length;
    const [first] = known;
    if (!first) return undefined;
    if (known.some((other) => other?.id !== first.id)) return conflict(pointer);
    return first;
  });
}

/**
 * The customer that a read is about; undefined when nobody is known by the selector. `pointer` is the field of the external id.
 * Throws: selector_conflict.
 */
export async function findCustomer(
  deps: Foundations,
  selector: Selector,
  pointer?: string,
): Promise<Reader | undefined> {
  const [found] = await findCustomers(deps, [selector], pointer);
  if (found instanceof AppError) throw found;
  return found && { customerId: found.id, now: instantOf(deps.clock.now(), found.lastRecordedAt) };
}

/** Like `findCustomer`, for reads that need one. Throws: customer_not_found, selector_conflict. */
export async function requireCustomer(deps: Foundations, selector: Selector): Promise<Reader> {
  const known = await findCustomer(deps, selector);
  if (!known) throw unknownCustomer(selector);
  return known;
}
