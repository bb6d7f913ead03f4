// Customers and their identities: the look-ups, the first sight, and the lock that every write takes.
import type { Metadata } from '../ledger/book.js';
import type { Tx } from './client.js';

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
  metadata: Metadata;
}

/** Finds an identity; undefined when nobody has it. */
export async function findIdentity(tx: Tx, key: IdentityKey): Promise<Identity | undefined> {
  const [row] = await tx.query<{ id: string; customer_id: string; profile: Metadata }>(
    'SELECT id, customer_id, profile FROM identities WHERE provider = $1 AND external_id = $2',
    [key.provider, key.externalId],
  );
  return row && { ...key, id: row.id, customerId: row.customer_id, profile: row.profile };
}

/** Whether a customer of this id exists. */
export async function customerExists(tx: Tx, customerId: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM customers WHERE id = $1::uuid', [customerId]);
  return rows.length > 0;
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
  const [row] = await tx.query<{ id: string; next_seq: number; last_recorded_at: Date; metadata: Metadata }>(
    'SELECT id, next_seq, last_recorded_at, metadata FROM customers WHERE id = $1::uuid FOR NO KEY UPDATE',
    [customerId],
  );
  return row && { id: row.id, nextSeq: row.next_seq, lastRecordedAt: row.last_recorded_at, metadata: row.metadata };
}
