// Customers and their identities: the look-ups, the first sight, and the lock that every write takes.

import type { Changes } from '../ledger/changes.js';
import type { Identity, IdentityKey, Metadata } from '../ledger/entities.js';
import type { Row, Tx } from './client.js';

/** What the lock gives: where the customer's ledger stands. */
export interface LockedCustomer {
  id: string;
  nextSeq: number;
  lastRecordedAt: Date;
}

/** Finds an identity; undefined when nobody has it. */
export async function findIdentity(tx: Tx, key: IdentityKey): Promise<Identity | undefined> {
  const [row] = await tx.query<{ id: string; customer_id: string; profile: Metadata }>(
    'SELECT id, customer_id, profile FROM identities WHERE provider = $1 AND external_id = $2',
    [key.provider, key.externalId],
  );
  return row && { ...key, id: row.id, customerId: row.customer_id, profile: row.profile };
}

export interface KnownCustomer {
  id: string;
  lastRecordedAt: Date;
}

/** An id, or an identity behind which there is a customer. */
export type CustomerName = { customerId: string } | IdentityKey;

/** Who is meant by these names, in their order; undefined where there is nobody. */
export async function findKnownCustomers(
  tx: Tx,
  names: readonly CustomerName[],
): Promise<(KnownCustomer | undefined)[]> {
  const rows = await tx.query<Row & { position: number; id: string; last_recorded_at: Date }>(
    `SELECT n.position, c.id, c.last_recorded_at
     FROM json_to_recordset($1::json) AS n (position integer, id uuid, provider text, external_id text)
     LEFT JOIN identities i ON i.provider = n.provider AND i.external_id = n.external_id
     JOIN customers c ON c.id = coalesce(n.id, i.customer_id)`,
    [
      JSON.stringify(
        names.map((name, position) =>
          'customerId' in name
            ? { position, id: name.customerId }
            : { position, provider: name.provider, external_id: name.externalId },
        ),
      ),
    ],
  );
  const known = new Map(rows.map((row) => [row.position, { id: row.id, lastRecordedAt: row.last_recorded_at }]));
  return names.map((_, position) => known.get(position));
}

/** $1 first sights, sorted, $2 how many. */
const CLAIM_FIRST_SIGHTS = `
WITH sight AS (
  SELECT * FROM ROWS FROM (json_to_recordset($1::json) AS (customer_id uuid, id uuid, provider text, external_id text, at timestamptz))
    WITH ORDINALITY AS s (customer_id, id, provider, external_id, at, place)
), customer AS (
  INSERT INTO customers (id, last_recorded_at, created_at) SELECT customer_id, at, at FROM sight
), claimed AS (
  INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at)
  SELECT provider, external_id, id, customer_id, at, at FROM sight ORDER BY place
  ON CONFLICT DO NOTHING RETURNING 1
)
SELECT assert_claimed((SELECT count(*) FROM claimed) = $2::bigint)`;

/**
 * Creates customers and the identities that name them. Waits for rivals that have not ended; throws BC001 when one has an identity, and leaves nothing
 * behind then.
 */
export function claimFirstSights(tx: Tx, { firstSights }: Changes): Promise<unknown> | undefined {
  if (firstSights.length === 0) return undefined;
  const sights = firstSights.map(({ customerId, identityId, provider, externalId, at }) => ({
    customer_id: customerId,
    id: identityId,
    provider,
    external_id: externalId,
    at,
  }));
  return tx.query(CLAIM_FIRST_SIGHTS, [JSON.stringify(sights.sort(inKeyOrder)), sights.length]);
}

/** The order in which claims of identities meet. */
function inKeyOrder(
  a: { provider: string; external_id: string },
  b: { provider: string; external_id: string },
): number {
  const keyOf = (row: { provider: string; external_id: string }) => JSON.stringify([row.provider, row.external_id]);
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** $1 identities, sorted, $2 how many. */
const CLAIM_IDENTITIES = `
WITH claimed AS (
  INSERT INTO identities (provider, external_id, id, customer_id, profile, created_at, updated_at)
  SELECT provider, external_id, id, customer_id, profile, created_at, updated_at
  FROM ROWS FROM (json_to_recordset($1::json) AS (provider text, external_id text, id uuid, customer_id uuid, profile jsonb,
                                                  created_at timestamptz, updated_at timestamptz))
    WITH ORDINALITY AS i (provider, external_id, id, customer_id, profile, created_at, updated_at, place)
  ORDER BY place
  ON CONFLICT DO NOTHING RETURNING 1
)
SELECT assert_claimed((SELECT count(*) FROM claimed) = $2::bigint)`;

/** Claims identities for customers. Waits for rivals that have not ended; throws BC001 when one is taken. */
export function claimIdentities(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const made = customers.flatMap(({ now, changes }) =>
    changes.newIdentities.map(({ provider, externalId, id, customerId, profile }) => ({
      provider,
      external_id: externalId,
      id,
      customer_id: customerId,
      profile,
      created_at: now,
      updated_at: now,
    })),
  );
  return made.length === 0
    ? undefined
    : tx.query(CLAIM_IDENTITIES, [JSON.stringify(made.sort(inKeyOrder)), made.length]);
}

/** $1 identities with the customers that have them, $2 how many. */
const DELETE_IDENTITIES = `
WITH removed AS (
  DELETE FROM identities i USING json_to_recordset($1::json) AS r (provider text, external_id text, customer_id uuid)
  WHERE i.provider = r.provider AND i.external_id = r.external_id AND i.customer_id = r.customer_id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM removed) = $2::bigint)`;

/** Removes identities from their customers. */
export function deleteIdentities(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const removed = customers.flatMap(({ customerId, changes }) =>
    changes.removedIdentities.map(({ provider, externalId }) => ({
      provider,
      external_id: externalId,
      customer_id: customerId,
    })),
  );
  return removed.length === 0 ? undefined : tx.query(DELETE_IDENTITIES, [JSON.stringify(removed), removed.length]);
}

/** $1 profiles of identities, $2 how many. */
const UPDATE_PROFILES = `
WITH changed AS (
  UPDATE identities i SET profile = p.profile, updated_at = p.at
  FROM json_to_recordset($1::json) AS p (provider text, external_id text, profile jsonb, at timestamptz)
  WHERE i.provider = p.provider AND i.external_id = p.external_id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM changed) = $2::bigint)`;

/** Writes the profiles of identities; of several of one identity the last. */
export function updateProfiles(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const profiles = customers.flatMap(({ now, changes }) =>
    changes.profiles.map(({ provider, externalId, profile }) => ({
      provider,
      external_id: externalId,
      profile,
      at: now,
    })),
  );
  const latest = [...new Map(profiles.map((row) => [JSON.stringify([row.provider, row.external_id]), row])).values()];
  return latest.length === 0 ? undefined : tx.query(UPDATE_PROFILES, [JSON.stringify(latest), latest.length]);
}

/** $1 metadata of customers, $2 how many. */
const UPDATE_METADATA = `
WITH changed AS (
  UPDATE customers c SET metadata = m.metadata FROM json_to_recordset($1::json) AS m (id uuid, metadata jsonb)
  WHERE c.id = m.id
  RETURNING 1
)
SELECT assert_whole((SELECT count(*) FROM changed) = $2::bigint)`;

/** Replaces the metadata of customers. */
export function updateMetadata(tx: Tx, { customers }: Changes): Promise<unknown> | undefined {
  const changed = customers.flatMap(({ customerId, changes }) =>
    changes.metadata.slice(-1).map((metadata) => ({ id: customerId, metadata })),
  );
  return changed.length === 0 ? undefined : tx.query(UPDATE_METADATA, [JSON.stringify(changed), changed.length]);
}

/** All identities of a customer. */
export async function listIdentityKeys(tx: Tx, customerId: string): Promise<IdentityKey[]> {
  const rows = await tx.query<Row & { provider: string; external_id: string }>(
    'SELECT provider, external_id FROM identities WHERE customer_id = $1::uuid ORDER BY provider, external_id',
    [customerId],
  );
  return rows.map((row) => ({ provider: row.provider, externalId: row.external_id }));
}

export interface StoredIdentity extends Identity {
  createdAt: Date;
}

export interface Customer {
  id: string;
  metadata: Metadata;
  identities: StoredIdentity[];
  createdAt: Date;
}

interface CustomerRow extends Row {
  id: string;
  metadata: Metadata;
  created_at: Date;
  identities: { id: string; provider: string; external_id: string; profile: Metadata; created_at: string }[] | null;
}

const SELECT_CUSTOMER = `
SELECT c.id, c.metadata, c.created_at,
       (SELECT json_agg(i ORDER BY i.created_at, i.id) FROM identities i WHERE i.customer_id = c.id) AS identities
FROM customers c`;

function toCustomer(row: CustomerRow): Customer {
  return {
    id: row.id,
    metadata: row.metadata,
    createdAt: row.created_at,
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

/** A customer with its identities. */
export async function findCustomerById(tx: Tx, customerId: string): Promise<Customer | undefined> {
  const [row] = await tx.query<CustomerRow>(`${SELECT_CUSTOMER} WHERE c.id = $1::uuid`, [customerId]);
  return row && toCustomer(row);
}

/** One page of the customers, newest first; only the one behind an identity where one is named. */
export async function listCustomers(
  tx: Tx,
  identity: IdentityKey | undefined,
  page: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<Customer[]> {
  const rows = await tx.query<CustomerRow>(
    `${SELECT_CUSTOMER}
     WHERE ($1::text IS NULL OR c.id = (SELECT customer_id FROM identities WHERE provider = $1 AND external_id = $2))
       AND ($3::timestamptz IS NULL OR (c.created_at, c.id) < ($3::timestamptz, $4::uuid))
     ORDER BY c.created_at DESC, c.id DESC LIMIT $5::int`,
    [
      identity?.provider ?? null,
      identity?.externalId ?? null,
      page.after?.createdAt.toISOString() ?? null,
      page.after?.id ?? null,
      page.limit,
    ],
  );
  return rows.map(toCustomer);
}

interface LockedRow extends Row {
  id: string;
  next_seq: number;
  last_recorded_at: Date;
}

const LOCK_ALL =
  'SELECT id, next_seq, last_recorded_at FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE';
const LOCK_FREE = `${LOCK_ALL} SKIP LOCKED`;

function toLocked(row: LockedRow): LockedCustomer {
  return { id: row.id, nextSeq: row.next_seq, lastRecordedAt: row.last_recorded_at };
}

/**
 * Takes the locks of customers, in id order: their rows, FOR NO KEY UPDATE, so that inserts which refer to them don't wait. A statement of its own: what
 * is loaded in the same statement would be the state from before the wait. With `skipLocked` those held by others are left out instead of waited for;
 * unknown ids are left out in any case.
 */
export async function lockCustomers(
  tx: Tx,
  customerIds: readonly string[],
  { skipLocked }: { skipLocked: boolean },
): Promise<LockedCustomer[]> {
  const rows = await tx.query<LockedRow>(skipLocked ? LOCK_FREE : LOCK_ALL, [customerIds]);
  return rows.map(toLocked);
}

/** Who has these identities; those that nobody has are left out. */
export async function findIdentityOwners(
  tx: Tx,
  keys: readonly IdentityKey[],
): Promise<(IdentityKey & { customerId: string })[]> {
  const rows = await tx.query<Row & { provider: string; external_id: string; customer_id: string }>(
    `SELECT i.provider, i.external_id, i.customer_id
     FROM json_to_recordset($1::json) AS k (provider text, external_id text) JOIN identities i USING (provider, external_id)`,
    [JSON.stringify(keys.map(({ provider, externalId }) => ({ provider, external_id: externalId })))],
  );
  return rows.map((row) => ({ provider: row.provider, externalId: row.external_id, customerId: row.customer_id }));
}

/** Customers of whom a batch, a hold or an order is past its end and not settled, the longest due first; `except` are left out. */
export async function listDueCustomers(tx: Tx, now: Date, except: readonly string[], limit: number): Promise<string[]> {
  const rows = await tx.query<Row & { customer_id: string }>(
    `SELECT customer_id FROM (
       (SELECT customer_id, expires_at FROM batches
        WHERE is_open AND available > 0 AND expires_at <= $1::timestamptz AND customer_id <> ALL ($2::uuid[])
        ORDER BY expires_at LIMIT $3::int)
       UNION ALL
       (SELECT customer_id, expires_at FROM reservations
        WHERE status = 'held' AND expires_at <= $1::timestamptz AND customer_id <> ALL ($2::uuid[])
        ORDER BY expires_at LIMIT $3::int)
       UNION ALL
       (SELECT customer_id, expires_at FROM orders
        WHERE status = 'pending' AND expires_at <= $1::timestamptz AND customer_id <> ALL ($2::uuid[])
        ORDER BY expires_at LIMIT $3::int)
     ) due GROUP BY customer_id ORDER BY min(expires_at) LIMIT $3::int`,
    [now.toISOString(), except, limit],
  );
  return rows.map((row) => row.customer_id);
}
