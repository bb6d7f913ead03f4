// Customers and their identities: the look-ups, the first sight, and the lock that every write takes.

import type { Changes } from '../ledger/changes.js';
import type { FirstSight, Identity, IdentityKey } from '../ledger/customer-entities.js';
import { required } from '../lib/assert.js';
import type { Clock } from '../lib/clock.js';
import type { Metadata } from '../lib/metadata.js';
import { alikeIn, findAlike, formOf } from './alike-identities.js';
import { askedTogether } from './asked-together.js';
import type { Row, Tx } from './client.js';
import { isAhead, requireOneTime } from './clock.js';
import { claims, deletes, inserts, updates } from './statements.js';
import { arraysOf, given, listOf, readerOf } from './table.js';
import { customers as customersTable, formerIdentities, identities } from './tables.js';

const FIRST_SEQ = 1;
/** Behind the event that tells of the first sight. */
const NEXT_EVENT_OF_NEW = 2;

/** What the lock gives: where the customer's ledger stands. */
export interface LockedCustomer {
  id: string;
  nextSeq: number;
  nextEvent: number;
  lastRecordedAt: Date;
  /** Nothing of his falls due before; null when nothing does. */
  dueAt: Date | null;
  /** Whether an endpoint asks for uses, as of the lock. */
  tellsUses: boolean;
  /** Whether there may be a limit for him, as of the lock: one of his own, a copied one, or one of all. */
  isLimited: boolean;
  /** The customer whom he leads to since he was merged. */
  mergedInto: string | null;
  /** Those who lead to him. */
  mergedIds: readonly string[];
  /** When he was erased; null if he was not. */
  erasedAt: Date | null;
  /** What he recorded last lies ahead of the database's clock: nothing may be written until it does not. */
  isAhead: boolean;
}

const IDENTITY_NAME = ['provider', 'externalId'] as const;
const IDENTITY = [...IDENTITY_NAME, 'id', 'customerId', 'profile'] as const;
const FIND_IDENTITIES = `SELECT ${listOf(identities, IDENTITY, 'i')} FROM ${given(identities, IDENTITY_NAME)} JOIN identities i USING (provider, external_id)`;
const readIdentity = readerOf(identities, IDENTITY);

/** Finds an identity, exactly or else in another spelling: the answer tells the one that is stored. Undefined when nobody has it. */
export const findIdentity = askedTogether(
  async (tx, keys: readonly IdentityKey[]): Promise<(Identity | undefined)[]> => {
    const rows = (await tx.query(FIND_IDENTITIES, arraysOf(identities, IDENTITY_NAME, keys))).map(readIdentity);
    const stored = new Map(rows.map((identity) => [nameOf(identity), identity]));
    const missing = keys.flatMap((key, position) => (stored.has(nameOf(key)) ? [] : [{ key, position }]));
    const alike = await findAlike(
      tx,
      missing.map(({ key }) => key),
    );
    const found = keys.map((key) => stored.get(nameOf(key)));
    for (const [index, { position }] of missing.entries()) found[position] = alike.get(index);
    return found;
  },
);

export interface KnownCustomer {
  /** Of a customer that was merged that of whom he leads to, as all the rest. */
  id: string;
  lastRecordedAt: Date;
  /** Nothing of his falls due before; null when nothing does. */
  dueAt: Date | null;
  /** Those who lead to him. */
  mergedIds: readonly string[];
}

/** An id, or an identity behind which there is a customer. */
export type CustomerName = { customerId: string } | IdentityKey;

const FIND_KNOWN = `
SELECT n.position, c.id, c.last_recorded_at, c.due_at, c.merged_ids
FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[]) AS n (position, id, provider, external_id)
LEFT JOIN identities i ON i.provider = n.provider AND i.external_id = n.external_id
JOIN customers named ON named.id = coalesce(n.id, i.customer_id)
JOIN customers c ON c.id = coalesce(named.merged_into, named.id)`;

/** Who is meant by these names, in their order; undefined where there is nobody. An identity is found in other spellings too. */
export async function findKnownCustomers(
  tx: Tx,
  names: readonly CustomerName[],
): Promise<(KnownCustomer | undefined)[]> {
  const known = await findByNames(tx, names);
  const missing = names.flatMap((name, position) =>
    known[position] || 'customerId' in name ? [] : [{ name, position }],
  );
  const alike = await findAlike(
    tx,
    missing.map(({ name }) => name),
  );
  if (alike.size === 0) return known;
  const owners = missing.flatMap(({ position }, index) => {
    const customerId = alike.get(index)?.customerId;
    return customerId === undefined ? [] : [{ position, customerId }];
  });
  const found = await findByNames(tx, owners);
  for (const [index, { position }] of owners.entries()) known[position] = found[index];
  return known;
}

async function findByNames(tx: Tx, names: readonly CustomerName[]): Promise<(KnownCustomer | undefined)[]> {
  const rows = await tx.query<
    Row & { position: number; id: string; last_recorded_at: Date; due_at: Date | null; merged_ids: string[] }
  >(FIND_KNOWN, [
    names.map((_, position) => position),
    names.map((name) => ('customerId' in name ? name.customerId : null)),
    names.map((name) => ('customerId' in name ? null : name.provider)),
    names.map((name) => ('customerId' in name ? null : name.externalId)),
  ]);
  const known = new Map(
    rows.map(({ position, id, last_recorded_at: lastRecordedAt, due_at: dueAt, merged_ids: mergedIds }) => [
      position,
      { id, lastRecordedAt, dueAt, mergedIds },
    ]),
  );
  return names.map((_, position) => known.get(position));
}

const customersOf = inserts(customersTable);
const awaitedOf = inserts(customersTable, 'ON CONFLICT DO NOTHING');
const identitiesOf = claims(identities);
const formerOf = inserts(formerIdentities, 'ON CONFLICT DO NOTHING');
const removedOf = deletes(identities, ['provider', 'externalId', 'customerId']);
const profilesOf = updates(identities, ['provider', 'externalId'], ['profile', 'updatedAt']);
const metadataOf = updates(customersTable, ['id'], ['metadata']);

/** The order in which claims of identities meet. */
function inKeyOrder<K extends IdentityKey>(keys: K[]): K[] {
  return keys.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nameOf({ provider, externalId }: IdentityKey): string {
  return JSON.stringify([provider, externalId]);
}

function toCustomerRow({ customerId: id, at }: FirstSight) {
  return {
    id,
    metadata: {},
    nextSeq: FIRST_SEQ,
    nextEvent: NEXT_EVENT_OF_NEW,
    lastRecordedAt: at,
    dueAt: null,
    turnsAt: null,
    createdAt: at,
    hasLimits: false,
    mergedInto: null,
    mergedAt: null,
    mergedIds: [],
    plans: [],
    erasedAt: null,
  };
}

/**
 * Creates customers and the identities that name them. Waits for rivals that have not ended; throws BC001 when one has an identity, and leaves nothing
 * behind then.
 */
export function claimFirstSights(tx: Tx, firstSights: readonly FirstSight[]): Promise<unknown> | undefined {
  if (firstSights.length === 0) return undefined;
  const named = firstSights.map(({ identityId: id, at, ...sight }) => ({
    ...sight,
    id,
    profile: {},
    createdAt: at,
    updatedAt: at,
  }));
  return Promise.all([customersOf(tx, firstSights.map(toCustomerRow)), identitiesOf(tx, inKeyOrder(named))]);
}

/** Waits until transactions have ended that make these first sights: no row of theirs is there to be locked. What it inserts must be rolled back. */
export async function awaitFirstSights(tx: Tx, firstSights: readonly FirstSight[]): Promise<void> {
  await awaitedOf(tx, firstSights.map(toCustomerRow));
}

/** Claims identities for customers. Waits for rivals that have not ended; throws BC001 when somebody else was first. */
export function claimIdentities(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const made = customers.flatMap(({ now, changes }) =>
    changes.newIdentities.map((identity) => ({ ...identity, createdAt: now, updatedAt: now })),
  );
  return identitiesOf(tx, inKeyOrder(made));
}

/** Removes identities from their customers, and remembers whose they were. */
export function deleteIdentities(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const removed = customers.flatMap(({ customerId, now, changes }) =>
    changes.removedIdentities.map((key) => ({ ...key, customerId, unlinkedAt: now })),
  );
  return removed.length === 0 ? undefined : Promise.all([removedOf(tx, removed), formerOf(tx, removed)]);
}

/** Writes the profiles of identities; of several of one identity the last. */
export function updateProfiles(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const told = customers.flatMap(({ now, changes }) =>
    changes.profiles.map((profile) => ({ ...profile, updatedAt: now })),
  );
  return profilesOf(tx, [...new Map(told.map((profile) => [nameOf(profile), profile])).values()]);
}

/** Replaces the metadata of customers. */
export function updateMetadata(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  return metadataOf(
    tx,
    customers.flatMap(({ customerId: id, changes }) =>
      changes.metadata.slice(-1).map(({ after: metadata }) => ({ id, metadata })),
    ),
  );
}

/** All identities of a customer. */
export async function listIdentityKeys(tx: Tx, customerId: string): Promise<IdentityKey[]> {
  const rows = await tx.query<Row & { provider: string; external_id: string }>(
    'SELECT provider, external_id FROM identities WHERE customer_id = $1::uuid ORDER BY provider, external_id',
    [customerId],
  );
  return rows.map((row) => ({ provider: row.provider, externalId: row.external_id }));
}

/** A customer, and those who were merged into him. */
export async function findFamilyIds(tx: Tx, customerId: string): Promise<string[]> {
  const rows = await tx.query<Row & { merged_ids: string[] }>('SELECT merged_ids FROM customers WHERE id = $1::uuid', [
    customerId,
  ]);
  return [customerId, ...(rows[0]?.merged_ids ?? [])];
}

export interface StoredIdentity extends Identity {
  createdAt: Date;
}

export interface Customer {
  id: string;
  metadata: Metadata;
  identities: StoredIdentity[];
  createdAt: Date;
  erasedAt: Date | null;
}

interface CustomerRow extends Row {
  id: string;
  metadata: Metadata;
  created_at: Date;
  erased_at: Date | null;
  identities: { id: string; provider: string; external_id: string; profile: Metadata; created_at: string }[] | null;
}

const SELECT_CUSTOMER = `
SELECT c.id, c.metadata, c.created_at, c.erased_at,
       (SELECT json_agg(i ORDER BY i.created_at, i.id) FROM identities i WHERE i.customer_id = c.id) AS identities
FROM customers c`;
/** Of a customer that was merged, whom he leads to. */
const BY_ID = `${SELECT_CUSTOMER} WHERE c.id = (SELECT coalesce(named.merged_into, named.id) FROM customers named WHERE named.id = $1::uuid)`;

function toCustomer(row: CustomerRow): Customer {
  return {
    id: row.id,
    metadata: row.metadata,
    createdAt: row.created_at,
    erasedAt: row.erased_at,
    identities: (row.identities ?? []).map((identity) => ({
      id: identity.id,
      provider: identity.provider,
      externalId: identity.external_id,
      customerId: row.id,
      profile: identity.profile,
      createdAt: new Date(identity.created_at),
    })),
  };
}

/** A customer with its identities; of one that was merged, whom he leads to. */
export async function findCustomerById(tx: Tx, customerId: string): Promise<Customer | undefined> {
  const [row] = await tx.query<CustomerRow>(BY_ID, [customerId]);
  return row && toCustomer(row);
}

/** One page of the customers, newest first, without those that were merged; only one where his id is given. */
export async function listCustomers(
  tx: Tx,
  customerId: string | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Customer[]> {
  const rows = await tx.query<CustomerRow>(
    `${SELECT_CUSTOMER}
     WHERE c.merged_into IS NULL AND ($1::uuid IS NULL OR c.id = $1::uuid)
       AND ($2::timestamptz IS NULL OR (c.created_at, c.id) < ($2::timestamptz, $3::uuid))
     ORDER BY c.created_at DESC, c.id DESC LIMIT $4::int`,
    [customerId ?? null, page.after?.createdAt.toISOString() ?? null, page.after?.id ?? null, page.limit],
  );
  return rows.map(toCustomer);
}

const LOCKED = [
  ...(['id', 'nextSeq', 'nextEvent', 'lastRecordedAt', 'dueAt', 'mergedInto', 'mergedIds', 'erasedAt'] as const),
] as const;
const LOCK_ALL = `SELECT ${listOf(customersTable, LOCKED)}, (SELECT tells_uses FROM event_log) AS tells_uses, has_limits OR EXISTS (SELECT FROM limits WHERE plan_sku = '')
  OR (plans <> '[]' AND EXISTS (SELECT FROM jsonb_array_elements(plans) p JOIN limits l ON l.plan_sku = p ->> 'sku')) AS is_limited, clock_timestamp() AS now FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE`;
const LOCK_FREE = `${LOCK_ALL} SKIP LOCKED`;
const readLocked = readerOf(customersTable, LOCKED);

/**
 * Takes the locks of customers, in id order: their rows, FOR NO KEY UPDATE, so that inserts which refer to them don't wait. A statement of its own: what
 * is loaded in the same statement would be the state from before the wait. With `skipLocked` those held by others are left out instead of waited for;
 * unknown ids are left out in any case. The database's clock comes with them, and `clock` is compared with it, if it is given. Throws: clock_skewed.
 */
export async function lockCustomers(
  tx: Tx,
  customerIds: readonly string[],
  { skipLocked, clock }: { skipLocked: boolean; clock?: Clock },
): Promise<LockedCustomer[]> {
  const since = clock?.now();
  const rows = await tx.query<Row & { now: Date; tells_uses: boolean; is_limited: boolean }>(
    skipLocked ? LOCK_FREE : LOCK_ALL,
    [customerIds],
  );
  return rows.map((row) => {
    const locked = { ...readLocked(row), tellsUses: row.tells_uses, isLimited: row.is_limited };
    if (!clock || !since) return { ...locked, isAhead: false };
    requireOneTime(clock, row.now, since);
    return { ...locked, isAhead: isAhead(clock, locked.lastRecordedAt, row.now) };
  });
}

const OWNED = [...IDENTITY_NAME, 'customerId'] as const;
const FIND_OWNERS = `SELECT ${listOf(identities, OWNED, 'i')} FROM ${given(identities, IDENTITY_NAME)} JOIN identities i USING (provider, external_id)`;
const readOwner = readerOf(identities, OWNED);

/** Who has these identities, exactly or else in another spelling: told as they were asked for. Those that nobody has are left out. */
export async function findIdentityOwners(
  tx: Tx,
  keys: readonly IdentityKey[],
): Promise<(IdentityKey & { customerId: string })[]> {
  const owners = (await tx.query(FIND_OWNERS, arraysOf(identities, IDENTITY_NAME, keys))).map(readOwner);
  if (owners.length >= keys.length) return owners;
  const found = new Set(owners.map(nameOf));
  const missing = keys.filter((key) => !found.has(nameOf(key)));
  for (const [position, { customerId }] of await findAlike(tx, missing)) {
    const key = missing[position];
    if (key) owners.push({ ...key, customerId });
  }
  return owners;
}

const FIND_FORMER_OWNERS = `
SELECT s.position, family.customer_id FROM unnest($1::integer[], $2::text[], $3::text[]) AS s (position, provider, form)
CROSS JOIN LATERAL (${alikeIn('former_identities', 'customer_id')}) f
CROSS JOIN LATERAL (
  SELECT f.customer_id
  UNION ALL
  SELECT jsonb_array_elements_text(c.merged_ids)::uuid FROM customers c WHERE c.id = f.customer_id
) family (customer_id)`;

/** Customers from whom these identities, in whatever spelling, were unlinked, and those who were merged into them: told as they were asked for. */
export async function findFormerOwners(
  tx: Tx,
  keys: readonly IdentityKey[],
): Promise<(IdentityKey & { customerId: string })[]> {
  if (keys.length === 0) return [];
  const rows = await tx.query<Row & { position: number; customer_id: string }>(FIND_FORMER_OWNERS, [
    keys.map((_, position) => position),
    keys.map(({ provider }) => provider),
    keys.map(formOf),
  ]);
  return rows.map(({ position, customer_id }) => ({
    ...required(keys[position], 'places are those of what was asked'),
    customerId: customer_id,
  }));
}

/** The first instant up to `until` at which something of anybody is past its end and not settled; undefined when nothing is. */
export async function findFirstDue(tx: Tx, until: Date): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { due_at: Date }>(
    'SELECT due_at FROM customers WHERE due_at <= $1::timestamptz ORDER BY due_at LIMIT 1',
    [until.toISOString()],
  );
  return row?.due_at;
}

/** Customers of whom something is past its end and not settled, the longest due first, with whom they lead to; `except` are left out. */
export async function listDueCustomers(
  tx: Tx,
  now: Date,
  except: readonly string[],
  limit: number,
): Promise<{ customerId: string; mergedInto: string | null }[]> {
  const rows = await tx.query<Row & { id: string; merged_into: string | null }>(
    'SELECT id, merged_into FROM customers WHERE due_at <= $1::timestamptz AND id <> ALL ($2::uuid[]) ORDER BY due_at LIMIT $3::int',
    [now.toISOString(), except, limit],
  );
  return rows.map((row) => ({ customerId: row.id, mergedInto: row.merged_into }));
}

/** Of whom of these customers something is past its end and not settled. */
export async function findDueAmong(tx: Tx, customerIds: readonly string[], now: Date): Promise<string[]> {
  const rows = await tx.query<Row & { id: string }>(
    'SELECT id FROM customers WHERE id = ANY ($1::uuid[]) AND due_at <= $2::timestamptz',
    [customerIds, now.toISOString()],
  );
  return rows.map((row) => row.id);
}

/** When what is longest past its end and not settled fell due; undefined when nothing is. */
export async function findOldestDue(tx: Tx, now: Date): Promise<Date | undefined> {
  const [row] = await tx.query<Row & { due_at: Date }>(
    'SELECT due_at FROM customers WHERE due_at <= $1::timestamptz ORDER BY due_at LIMIT 1',
    [now.toISOString()],
  );
  return row?.due_at;
}
