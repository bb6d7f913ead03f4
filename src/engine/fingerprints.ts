// Fingerprints by which the database knows secrets again: keyed hashes of a constant, never a secret.
import { findFingerprints, type StoredSecret } from '../db/secrets.js';
import { StartError } from '../errors/start-error.js';
import type { Foundations } from '../foundations.js';
import { keyedHash } from '../lib/keyed-hash.js';

/** What every fingerprint is a keyed hash of; it never changes. */
const FINGERPRINTED = 'bursar secret';

export function fingerprinted(name: string, secret: string): StoredSecret {
  return { name, fingerprint: keyedHash(secret, FINGERPRINTED) };
}

/** The names of those secrets that the database knows. Throws: StartError, when one is not what it was under that name. */
export async function findKnown(db: Foundations['db'], secrets: readonly StoredSecret[]): Promise<Set<string>> {
  const known = await findFingerprints(
    db,
    secrets.map(({ name }) => name),
  );
  const other = secrets.find(({ name, fingerprint }) => (known.get(name) ?? fingerprint) !== fingerprint);
  if (other) {
    throw new StartError(
      `the secret "${other.name}" is not the one that this database knows by that name: set the one that was used before`,
    );
  }
  return new Set(known.keys());
}
