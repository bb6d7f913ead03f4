// The secret keys of the service (BURSAR_SECRET_KEY), from which it derives the keys that it signs and encrypts with. Once something rests on one, a start
// without any that is known is refused: what was signed or encrypted before would be lost without a word.
import { isSecretKnown, recordFingerprints } from '../db/secrets.js';
import { StartError } from '../errors/start-error.js';
import type { Foundations } from '../foundations.js';
import { readSecretKeys } from '../lib/secret-keys.js';
import { findKnown, fingerprinted } from './fingerprints.js';

const NAME = 'secret key';

type Needed = Pick<Foundations, 'db' | 'config'>;

/** Makes sure that what rests on secret keys rests on one of these. New ones beside such a one are a rotation, and known from then on. Throws: StartError. */
export async function guardSecretKeys(deps: Needed): Promise<void> {
  if (await isSecretKnown(deps.db, `${NAME} %`)) await restOnSecretKeys(deps);
}

/** To be called before anything is signed or encrypted: from then on a start needs one of these keys. Throws: StartError, when others are known alone. */
export async function restOnSecretKeys({ db, config }: Needed): Promise<void> {
  const secrets = readSecretKeys(config.secretKey).map(({ id, secret }) => fingerprinted(`${NAME} ${id}`, secret));
  const known = await findKnown(db, secrets);
  if (known.size === secrets.length) return;
  if (known.size === 0 && (await isSecretKnown(db, `${NAME} %`))) {
    const names = secrets.map(({ name }) => name).join(', ');
    throw new StartError(
      `BURSAR_SECRET_KEY (or the file secret-key of the data folder) has no key that this database knows, only "${names}": ` +
        'set the one that was used before, alone or behind a new one and a comma; if it is lost see "Secrets" in docs/operations.md',
    );
  }
  await recordFingerprints(db, secrets);
}
