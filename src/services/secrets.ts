// The secrets that the data rest on: another one than before is refused at start, where it would go unnoticed for long.
import { recordFingerprints, type StoredSecret } from '../db/secrets.js';
import { findTrialPeppers } from '../db/trials.js';
import type { Deps } from '../deps.js';
import { findKnown, fingerprinted } from '../engine/fingerprints.js';
import { StartError } from '../errors/start-error.js';
import { readPeppers } from '../ledger/trials.js';

/**
 * Makes sure that trials are looked for under a pepper under which they were claimed, once any was. New peppers beside such a one are a rotation, and
 * known from then on. Throws: StartError.
 */
export async function guardPeppers({ db, config }: Pick<Deps, 'db' | 'config'>): Promise<void> {
  const peppers = readPeppers(config.pepper);
  const { isAnyUsed, isOneUsed } = await findTrialPeppers(
    db,
    peppers.map(({ id }) => id),
  );
  if (!isAnyUsed) return;
  const secrets = peppers.map(({ id, secret }) => fingerprinted(`pepper ${id}`, secret));
  const known = await findKnown(db, secrets);
  if (!isOneUsed && known.size === 0) throw strangers(secrets);
  await recordFingerprints(db, secrets);
}

function strangers(secrets: readonly StoredSecret[]): StartError {
  const names = secrets.map(({ name }) => name).join(', ');
  return new StartError(
    `BURSAR_PEPPER (or the file pepper of the data folder) has no pepper under which this database knows who had a trial, only "${names}": ` +
      'set the one that was used before, alone or behind a new one and a comma; if it is lost see "Secrets" in docs/operations.md',
  );
}
