// What a transaction reads of its customers under their locks (DOMAIN 3.0): it locks them, finds what is recorded under the members' keys, and loads their
// books, in statements that are sent together. Decides nothing, and writes only who is seen first.
import type { BookRequest } from '../db/book-needs.js';
import { type IsOf, type LoadOptions, loadBooks } from '../db/books.js';
import type { Tx } from '../db/client.js';
import {
  claimFirstSights,
  findDueAmong,
  findIdentityOwners,
  type LockedCustomer,
  lockCustomers,
} from '../db/customers.js';
import type { LoadedBooks } from '../db/loaded-books.js';
import type { Transaction } from '../db/transactions.js';
import type { Foundations } from '../foundations.js';
import type { FirstSight } from '../ledger/customer-entities.js';
import { instantOf } from '../lib/clock.js';
import { groupBy } from '../lib/group-by.js';
import type { ResolvedMember } from './operation.js';
import { addOfFamilies, findRecorded, type Recorded } from './records.js';
import { identityText } from './selector.js';

/** What was read under the locks. */
export interface UnderLock {
  customers: Map<string, LockedCustomer>;
  owners: ReadonlyMap<string, string>;
  recorded: Recorded;
  loaded: readonly unknown[];
  more: readonly unknown[];
  books: LoadedBooks;
  clock: Date;
  /** Of whom something is due who were merged into those of whom something is, each with these: it comes back to them. */
  relatives: ReadonlyMap<string, readonly string[]>;
}

/**
 * Makes those who are seen first, locks the customers, then reads under the locks: in statements of their own, sent together. Where nobody is waited for
 * and nothing but books is loaded, the books are read with the rest, and the clock just before; else the clock is read once the locks are there, and the
 * books after it.
 */
export async function lockAndLoad(
  deps: Foundations,
  tx: Transaction,
  customerIds: readonly string[],
  members: readonly ResolvedMember[],
  { skipLocked, isShared, firstSights }: { skipLocked: boolean; isShared: boolean; firstSights: readonly FirstSight[] },
): Promise<UnderLock> {
  const waitsForNobody = skipLocked && firstSights.length === 0;
  const isAtOnce = waitsForNobody && members.every(({ member: { load, loadMore } }) => !load && !loadMore);
  const early = deps.clock.now();
  const sighting = claimFirstSights(tx, firstSights);
  const locking = lockCustomers(tx, customerIds, { skipLocked, clock: deps.clock });
  const load = (loaded: readonly unknown[], clock: Date): Promise<LoadedBooks> => {
    const limited = isLimitedOf(locking);
    const finals = finalsOf(locking);
    const options: LoadOptions = { asking: isDueOf(locking, clock), limited, finals, isOnce: skipLocked, isShared };
    return loadBooks(tx, bookRequestsOf(customerIds, members, loaded), clock, options);
  };
  const looking = Promise.all([
    locking,
    findOwners(tx, members),
    findRecorded(tx, members),
    Promise.all(members.map(({ member, customerId }) => member.load?.(tx, customerId))),
    tx.begun,
    sighting,
  ]);
  const [[locked, owners, recorded, loaded], books] = await Promise.all([
    looking,
    isAtOnce ? load([], early) : undefined,
  ]);
  const customers = new Map(locked.map((customer) => [customer.id, customer]));
  const known = { customers, owners, recorded, loaded };
  await addOfFamilies(tx, members, customers, recorded);
  if (books) return { ...known, more: [], books, clock: early, relatives: await findRelatives(tx, customers, early) };
  const clock = deps.clock.now();
  const [late, more, relatives] = await Promise.all([
    load(loaded, clock),
    Promise.all(members.map((member, index) => loadMore(tx, member, loaded[index], customers, clock))),
    findRelatives(tx, customers, clock),
  ]);
  return { ...known, more, books: late, clock, relatives };
}

/** Whom those of the locked customers lead to who were merged. */
async function finalsOf(locking: Promise<readonly LockedCustomer[]>): Promise<ReadonlyMap<string, string>> {
  const merged = (await locking).flatMap(({ id, mergedInto }): [string, string][] =>
    mergedInto === null ? [] : [[id, mergedInto]],
  );
  return new Map(merged);
}

/**
 * Of whom something is due who were merged into customers of whom something is, and are not locked with them: whole families, by these customers. Most have
 * nobody who leads to them, and are not asked about.
 */
async function findRelatives(
  tx: Tx,
  customers: ReadonlyMap<string, LockedCustomer>,
  clock: Date,
): Promise<Map<string, readonly string[]>> {
  const asked = [...customers.values()].filter(
    ({ mergedIds, dueAt, lastRecordedAt }) =>
      mergedIds.length > 0 && dueAt !== null && dueAt <= instantOf(clock, lastRecordedAt),
  );
  if (asked.length === 0) return new Map();
  const at = asked.reduce((latest, { lastRecordedAt }) => instantOf(latest, lastRecordedAt), clock);
  const due = new Set(
    await findDueAmong(
      tx,
      asked.flatMap(({ mergedIds }) => mergedIds),
      at,
    ),
  );
  const families = asked.map(({ id, mergedIds }): [string, string[]] => [
    id,
    mergedIds.filter((memberId) => due.has(memberId) && !customers.has(memberId)),
  ]);
  return new Map(families.flatMap(([id, own]) => (own.length === 0 ? [] : [[id, [id, ...own]]])));
}

/** Of whom of the locked customers something is due at the clock's instant, or theirs if it is later. */
async function isDueOf(locking: Promise<readonly LockedCustomer[]>, clock: Date): Promise<IsOf> {
  const locked = await locking;
  const due = locked.filter(({ dueAt, lastRecordedAt }) => dueAt !== null && dueAt <= instantOf(clock, lastRecordedAt));
  const ids = new Set(due.map(({ id }) => id));
  return (customerId) => ids.has(customerId);
}

/** For whom of the locked customers there may be limits. */
async function isLimitedOf(locking: Promise<readonly LockedCustomer[]>): Promise<IsOf> {
  const ids = new Set((await locking).flatMap(({ id, isLimited }) => (isLimited ? [id] : [])));
  return (customerId) => ids.has(customerId);
}

async function loadMore(
  tx: Tx,
  { member, customerId }: ResolvedMember,
  loaded: unknown,
  customers: ReadonlyMap<string, LockedCustomer>,
  clock: Date,
): Promise<unknown> {
  const customer = customers.get(customerId);
  if (!customer) return undefined;
  const final = customers.get(customer.mergedInto ?? customer.id) ?? customer;
  const familyIds = [final.id, ...final.mergedIds];
  return member.loadMore?.(tx, loaded, customer.id, instantOf(clock, customer.lastRecordedAt), familyIds);
}

function bookRequestsOf(
  customerIds: readonly string[],
  members: readonly ResolvedMember[],
  loaded: readonly unknown[],
): BookRequest[] {
  const needs = groupBy(
    members.flatMap(({ member, customerId, finalId }, index) => {
      const own = member.needs(loaded[index]);
      const { asks, sold, granted, plans } = own;
      // What comes back, or is owed, moves on; what was granted may have gone through others.
      const between = sold === undefined ? [] : (member.alsoLocks ?? []);
      const led = finalId === undefined ? [] : [finalId, ...between];
      const others = granted?.memberIds.filter((id) => id !== customerId) ?? led;
      const onward = others.map((id) => ({
        id,
        needs: { asks, ...(sold !== undefined && { sold }), granted, ...(plans && { plans }) },
      }));
      return [{ id: customerId, needs: own }, ...onward];
    }),
    ({ id }) => id,
  );
  const ofEach = members.flatMap(({ member }, index) => member.needsOfEach?.(loaded[index]) ?? []);
  return customerIds.map((customerId) => ({
    customerId,
    needs: [
      ...(needs.get(customerId) ?? []).map((own) => own.needs),
      ...ofEach.flatMap((each) => (each.customerId === customerId ? each.needs : [])),
    ],
  }));
}

/** Who has the identities by which the members name their customers. */
async function findOwners(tx: Tx, members: readonly ResolvedMember[]): Promise<Map<string, string>> {
  const identities = members.flatMap(({ member }) => member.selector.identity ?? []);
  if (identities.length === 0) return new Map();
  const owners = await findIdentityOwners(tx, identities);
  return new Map(owners.map((owner) => [identityText(owner), owner.customerId]));
}
