// API keys by their hashes. What is used often is read from a memory of the process (engine/api-keys.ts).
import type { Changes } from '../ledger/changes.js';
import type { ApiKey } from '../ledger/management-entities.js';
import type { Tx } from './client.js';
import { upserts } from './statements.js';
import { listOf, readerOf } from './table.js';
import { apiKeys } from './tables.js';

const KEPT = ['ownerId', 'name', 'scopes', 'tokenHash', 'createdBy', 'createdAt', 'lastUsedAt'] as const;
const keysOf = upserts(apiKeys, ['id'], KEPT);

/** Inserts keys, and writes when they end. */
export function writeApiKeys(tx: Tx, { apiKeys: changes }: Changes): Promise<unknown> | undefined {
  return keysOf(
    tx,
    changes.map(({ after }) => after),
  );
}

const ALL = [...KEPT, 'id', 'expiresAt', 'revokedAt'] as const;
const SELECT = `SELECT ${listOf(apiKeys, ALL)} FROM api_keys`;
const readKey = readerOf(apiKeys, ALL);

/** A key by its id. */
export async function findApiKey(tx: Tx, id: string): Promise<ApiKey | undefined> {
  const [row] = await tx.query(`${SELECT} WHERE id = $1::uuid`, [id]);
  return row && readKey(row);
}

/** Locks a key until the end of the transaction. */
export async function lockApiKey(tx: Tx, id: string): Promise<void> {
  await tx.query('SELECT id FROM api_keys WHERE id = $1::uuid FOR UPDATE', [id]);
}

/** One page of the keys, newest first. */
export async function listApiKeys(
  tx: Tx,
  { after, limit }: { after: { createdAt: Date; id: string } | undefined; limit: number },
): Promise<ApiKey[]> {
  const rows = await tx.query(
    `${SELECT} WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1::timestamptz, $2::uuid)
     ORDER BY created_at DESC, id DESC LIMIT $3::int`,
    [after?.createdAt.toISOString() ?? null, after?.id ?? null, limit],
  );
  return rows.map(readKey);
}

/** Notes that a key is used, unless that was noted after `since`. */
export async function noteUseOfApiKey(tx: Tx, id: string, now: Date, since: Date): Promise<void> {
  await tx.query(
    'UPDATE api_keys SET last_used_at = $2::timestamptz WHERE id = $1::uuid AND (last_used_at IS NULL OR last_used_at <= $3::timestamptz)',
    [id, now.toISOString(), since.toISOString()],
  );
}

/** Whether another key took the place of this one. Precondition: it is locked. */
export async function hasSuccessor(tx: Tx, id: string): Promise<boolean> {
  const rows = await tx.query(
    'SELECT 1 AS later FROM api_keys WHERE owner_id = (SELECT owner_id FROM api_keys WHERE id = $1::uuid) AND id > $1::uuid LIMIT 1',
    [id],
  );
  return rows.length > 0;
}
