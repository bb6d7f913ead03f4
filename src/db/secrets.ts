// Fingerprints of the secrets that the data rest on. Never a secret.
import type { Row, Tx } from './client.js';
import { inserts } from './statements.js';
import type { RecordOf } from './table.js';
import { secrets } from './tables.js';

export type StoredSecret = RecordOf<typeof secrets>;

const recordOf = inserts(
  secrets,
  'ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint WHERE secrets.fingerprint IS NULL',
);

/** The fingerprints that are stored under these names; null of one that was accepted by hand. */
export async function findFingerprints(tx: Tx, names: readonly string[]): Promise<Map<string, string | null>> {
  const rows = await tx.query<Row & { name: string; fingerprint: string | null }>(
    'SELECT name, fingerprint FROM secrets WHERE name = ANY ($1::text[])',
    [names],
  );
  return new Map(rows.map(({ name, fingerprint }) => [name, fingerprint]));
}

/** Whether any secret is known whose name is like this pattern. */
export async function isSecretKnown(tx: Tx, pattern: string): Promise<boolean> {
  const rows = await tx.query('SELECT 1 FROM secrets WHERE name LIKE $1 LIMIT 1', [pattern]);
  return rows.length > 0;
}

/** Stores fingerprints; those that there are stay as they are. */
export async function recordFingerprints(tx: Tx, stored: readonly StoredSecret[]): Promise<void> {
  await recordOf(tx, stored);
}
