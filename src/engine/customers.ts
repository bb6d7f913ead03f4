// From a selector to a customer (DOMAIN 3.0, step 2): a look-up before the operation. Where nobody is known by an identity the customer is yet to be made,
// by the operation's own transaction.

import { inForm } from '../db/alike-identities.js';
import {
  type CustomerName,
  findDueAmong,
  findIdentityOwners,
  findKnownCustomers,
  type KnownCustomer,
} from '../db/customers.js';
import { findOperationOwners } from '../db/operations.js';
import { findOrderOwners } from '../db/orders.js';
import type { Owner } from '../db/owners.js';
import { findReservationOwners } from '../db/reservations.js';
import { findRewardOwners } from '../db/rewards.js';
import { findSubscriptionOwners } from '../db/subscriptions.js';
import { AppError } from '../errors/app-error.js';
import type { Foundations } from '../foundations.js';
import type { IdentityKey } from '../ledger/customer-entities.js';
import { required } from '../lib/assert.js';
import { instantOf } from '../lib/clock.js';
import { createSlots } from '../lib/slots.js';
import { persist } from './attempts.js';
import { finalOf } from './merged-ids.js';
import { NeedsPrimary } from './replica.js';
import {
  identityPointer,
  identityText,
  isNamedOnce,
  type Owned,
  type Resolution,
  type Selector,
  selectorConflict,
  selectorText,
  unknownCustomer,
  unknownOwned,
} from './selector.js';
import { transact } from './transact.js';

function sightOf({ clock, ids }: Foundations, key: IdentityKey): Resolution {
  const customerId = ids.next();
  return { customerId, sight: { ...key, customerId, identityId: ids.next(), at: clock.now() } };
}

/** Of one call, selectors that are resolved one by one at a time: others want the pool's connections too. */
const RESOLVED_AT_ONCE = 4;

/**
 * Resolves those selectors that can be looked up together, by their texts: an identity, a known thing, or an id alone, which is not looked up because its
 * lock proves it. Spellings of one identity that nobody has come to one who is yet to be made. The others are for `resolveCustomer`.
 */
export async function resolveTogether(
  deps: Foundations,
  selectors: readonly Selector[],
): Promise<Map<string, Resolution>> {
  const named = selectors.filter(isNamedOnce);
  const identities = named.flatMap(({ identity }) => identity ?? []);
  const owned = named.flatMap((selector) => selector.owned ?? []);
  const customers = new Map<string, Resolution>();
  for (const { customerId } of named)
    if (customerId !== undefined)
      customers.set(selectorText({ customerId }), { customerId: finalOf(deps, customerId) });
  for (const { provider, externalId, customerId } of identities.length > 0
    ? await findIdentityOwners(deps.db, identities)
    : []) {
    customers.set(selectorText({ identity: { provider, externalId } }), { customerId });
  }
  const sights = new Map<string, Resolution>();
  for (const identity of identities) {
    const text = selectorText({ identity });
    if (customers.has(text)) continue;
    const key = inForm(identity);
    const resolution = sights.get(identityText(key)) ?? sightOf(deps, key);
    sights.set(identityText(key), resolution);
    customers.set(text, resolution);
  }
  const owners = owned.length > 0 ? await findOwners(deps, owned) : new Map<string, Owner>();
  for (const thing of owned) {
    const owner = owners.get(thing.id);
    if (owner) customers.set(selectorText({ owned: thing }), ledgerOf(owner));
  }
  return customers;
}

/** Resolves selectors, in their order, or says why there is no customer. */
export async function resolveEach(
  deps: Foundations,
  selectors: readonly Selector[],
): Promise<(Resolution | AppError)[]> {
  const known: Map<string, Resolution | AppError> = await resolveTogether(deps, selectors);
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

async function refusalAsValue<T>(resolving: Promise<T>): Promise<T | AppError> {
  try {
    return await resolving;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function ledgerOf({ customerId, finalId }: Owner): Resolution {
  return finalId === customerId ? { customerId } : { customerId, finalId };
}

/** Whose things of one kind are, by their ids; what there is not is left out. */
const FIND_OWNERS: Readonly<
  Record<Owned['kind'], (tx: Foundations['db'], ids: readonly string[]) => Promise<Map<string, Owner>>>
> = {
  reservation: findReservationOwners,
  operation: findOperationOwners,
  order: findOrderOwners,
  reward: findRewardOwners,
  subscription: findSubscriptionOwners,
};

/** Whose these things are, by their ids; what there is not is left out. */
async function findOwners(deps: Foundations, things: readonly Owned[]): Promise<Map<string, Owner>> {
  const kinds = [...new Set(things.map(({ kind }) => kind))];
  const found = await Promise.all(
    kinds.map((kind) =>
      FIND_OWNERS[kind](
        deps.db,
        things.filter((thing) => thing.kind === kind).map(({ id }) => id),
      ),
    ),
  );
  return new Map(found.flatMap((owners) => [...owners]));
}

/**
 * The customer that a write is about; one named by an identity alone comes to be on first sight.
 * Throws: customer_not_found (unknown customer_id), selector_conflict, reservation_not_found, operation_not_found (also another customer's),
 * order_not_found, unavailable.
 */
export async function resolveCustomer(deps: Foundations, selector: Selector): Promise<Resolution> {
  const { owned } = selector;
  return persist(async () => {
    if (isNamedOnce(selector)) {
      const known = (await resolveTogether(deps, [selector])).get(selectorText(selector));
      if (known) return known;
    }
    if (!owned) return { customerId: (await requireCustomer(deps, selector)).customerId };
    return ledgerOf(await requireOwner(deps, owned, selector));
  });
}

/**
 * Whose a thing is. Where the selector names a customer it must be his, or of one who was merged into him.
 * Throws: reservation_not_found, operation_not_found, order_not_found (also another customer's), customer_not_found, selector_conflict.
 */
export async function requireOwner(deps: Foundations, owned: Owned, selector: Selector): Promise<Owner> {
  const { customerId, identity } = selector;
  const owner = (await findOwners(deps, [owned])).get(owned.id);
  const isNamed = identity !== undefined || customerId !== undefined;
  if (owner === undefined || (isNamed && (await requireCustomer(deps, selector)).customerId !== owner.finalId))
    throw unknownOwned(owned);
  return owner;
}

/** Whom a read is about, and the instant at which it reads: the clock, but never before what the customer recorded last, as for a write. */
export interface Reader {
  customerId: string;
  /** The family, which lists are about: the customer and those that were merged into it. */
  familyIds: readonly string[];
  now: Date;
  /** Something of his, or of the family's, is past its end. */
  isDue: boolean;
}

/** What a selector comes to for a read: whom it is about, nobody, or why it names nobody. */
type Found = KnownCustomer | AppError | undefined;

function namesOf({ customerId, identity }: Selector): CustomerName[] {
  return [...(customerId === undefined ? [] : [{ customerId }]), ...(identity ? [identity] : [])];
}

/** Settles what is due of those who were merged into others, with these. Whether there was any. Throws: NeedsPrimary. */
async function settleFamilies(deps: Foundations, found: readonly (KnownCustomer | undefined)[]): Promise<boolean> {
  const now = deps.clock.now();
  const many = found.flatMap((customer) =>
    customer &&
    customer.mergedIds.length > 0 &&
    customer.dueAt !== null &&
    customer.dueAt <= instantOf(now, customer.lastRecordedAt)
      ? [customer]
      : [],
  );
  if (many.length === 0) return false;
  const due = await findDueAmong(
    deps.db,
    many.flatMap(({ mergedIds }) => mergedIds),
    now,
  );
  if (due.length === 0) return false;
  if (deps.db.isReplica) throw new NeedsPrimary('what is due of a family is settled before it is shown');
  const ids = new Set(due);
  for (const { id, mergedIds } of many) {
    const customerIds = [id, ...mergedIds.filter((memberId) => ids.has(memberId))];
    if (customerIds.length > 1)
      await persist(() => transact(deps, [], { opener: 'pool', skipLocked: false, customerIds }));
  }
  return true;
}

/** The customers that reads are about, in the order of their selectors. `pointer` is the field of the external id, where it has another name. */
export async function findCustomers(
  deps: Foundations,
  selectors: readonly Selector[],
  pointer?: string,
): Promise<Found[]> {
  const names = selectors.map((selector) => ({ selector, own: namesOf(selector) }));
  const asked = names.flatMap(({ own }) => own);
  let found = await findKnownCustomers(deps.db, asked);
  // What comes back to others of the family comes to him: it has to be written to be seen.
  if (await settleFamilies(deps, found)) found = await findKnownCustomers(deps.db, asked);
  let at = 0;
  return names.map(({ selector, own }): Found => {
    const known = found.slice(at, at + own.length);
    at += own.length;
    const [first] = known;
    if (!first) return undefined;
    if (known.some((other) => other?.id !== first.id)) return selectorConflict(pointer ?? identityPointer(selector));
    return first;
  });
}

/**
 * The customer that a read is about; undefined when nobody is known by the selector. `pointer` is the field of the external id, where it has another name.
 * Throws: selector_conflict.
 */
export async function findCustomer(
  deps: Foundations,
  selector: Selector,
  pointer?: string,
): Promise<Reader | undefined> {
  const [found] = await findCustomers(deps, [selector], pointer);
  if (found instanceof AppError) throw found;
  if (!found) return undefined;
  const now = instantOf(deps.clock.now(), found.lastRecordedAt);
  const isDue = found.dueAt !== null && found.dueAt <= now;
  return { customerId: found.id, familyIds: [found.id, ...found.mergedIds], now, isDue };
}

/** Like `findCustomer`, for reads that need one. Throws: customer_not_found, selector_conflict. */
export async function requireCustomer(deps: Foundations, selector: Selector): Promise<Reader> {
  const known = await findCustomer(deps, selector);
  if (!known) throw unknownCustomer(selector);
  return known;
}
