// Customers and their identities: the look-ups, the first sight, and the lock that every write takes.
import type { Metadata } from '../ledger/book.js';
import type { Row, Tx } from './client.js';

export interface IdentityKey {
  provider: string;
  externalId: string;
}

export interface Identity extends IdentityKey {
  id: string;
  customerId: string;
  profile: Metadata;
}

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

/**
 * Creates a customer and the identity that names it, in one statement: the loser of a race gets a unique violation of `identities_pk`
 * and leaves nothing behind.
 */
export async function insertCustomerWithIdentity(
  tx: Tx,
  row: IdentityKey & { customerId: string; identityId: string; now: Date },
): Promise<void> {
  await tx.query(
    `WITH customer AS (
       INSERT INTO customers (id, last_recorded_at, created_at) VALUES ($1::uuid, $5::timestamptz, $5::timestamptz)
     )
     INSERT INTO identities (provider, external_id, id, customer_id, created_at, updated_at)
     VALUES ($3, $4, $2::uuid, $1::uuid, $5::timestamptz, $5::timestamptz)`,
    [row.customerId, row.identityId, row.provider, row.externalId, row.now.toISOString()],
  );
}

/** Claims an identity for a customer; false when it is taken. Locks: the customer's, held by the caller. */
export async function insertIdentity(tx: Tx, identity: Identity, now: Date): Promise<boolean> {
  const rows = await tx.query(
    `INSERT INTO identities (provider, external_id, id, customer_id, profile, created_at, updated_at)
     VALUES ($1, $2, $3::uuid, $4::uuid, $5::jsonb, $6::timestamptz, $6::timestamptz) ON CONFLICT DO NOTHING RETURNING 1`,
    [
      identity.provider,
      identity.externalId,
      identity.id,
      identity.customerId,
      JSON.stringify(identity.profile),
      now.toISOString(),
    ],
  );
  return rows.length === 1;
}

/** Removes an identity. Locks: the customer's, held by the caller. */
export async function deleteIdentity(tx: Tx, key: IdentityKey): Promise<void> {
  await tx.query('DELETE FROM identities WHERE provider = $1 AND external_id = $2', [key.provider, key.externalId]);
}

/** Replaces a customer's metadata. Locks: the customer's, held by the caller. */
export async function setCustomerMetadata(tx: Tx, customerId: string, metadata: Metadata): Promise<void> {
  await tx.query('UPDATE customers SET metadata = $2::jsonb WHERE id = $1::uuid', [
    customerId,
    JSON.stringify(metadata),
  ]);
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

/** Writes an identity's profile. Locks: the customer's, held by the caller. */
export async function setIdentityProfile(tx: Tx, key: IdentityKey, profile: Metadata, now: Date): Promise<void> {
  await tx.query(
    'UPDATE identities SET profile = $3::jsonb, updated_at = $4::timestamptz WHERE provider = $1 AND external_id = $2',
    [key.provider, key.externalId, JSON.stringify(profile), now.toISOString()],
  );
}

/**
 * Takes the lock of a customer: its row, FOR NO KEY UPDATE, so that inserts which refer to it don't wait. A statement of its own: what is
 * loaded in the same statement would be the state from before the wait. Undefined when there is no such customer.
 */
export async function lockCustomer(tx: Tx, customerId: string): Promise<LockedCustomer | undefined> {
  const [locked] = await lockCustomers(tx, [customerId], { skipLocked: false });
  return locked;
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
 * Takes the locks of several customers, in id order. With `skipLocked` those held by others are left out instead of waited for; unknown ids
 * are left out in any case.
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

/** Customers of whom a batch or a hold is past its end and not settled, the longest due first; `except` are left out. */
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
     ) due GROUP BY customer_id ORDER BY min(expires_at) LIMIT $3::int`,
    [now.toISOString(), except, limit],
  );
  return rows.map((row) => row.customer_id);
}
