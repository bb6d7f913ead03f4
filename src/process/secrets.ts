// Secrets that are generated at the first start and kept in the data folder, each in a file that only its owner can read.
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../errors/start-error.js';

const SECRET_BYTES = 24;
const OWNER_ONLY = 0o600;

/**
 * Returns the secret of that name, making it when there is none. Processes that make it at once agree on one.
 * Throws: StartError, when the file is empty.
 */
export function keepSecret(dataDir: string, name: 'api-token' | 'pepper'): string {
  const path = join(dataDir, name);
  if (!existsSync(path)) create(path, `bsr_${randomBytes(SECRET_BYTES).toString('hex')}`);
  const secret = readFileSync(path, 'utf8').trim();
  if (secret === '')
    throw new StartError(`the file ${path} is empty: restore it, or remove it to have a new secret generated`);
  return secret;
}

/** Links a complete file into place, so that neither a crash nor a second process leaves half a secret. */
function create(path: string, secret: string): void {
  const part = `${path}.${process.pid}`;
  try {
    writeFileSync(part, `${secret}\n`, { mode: OWNER_ONLY });
    linkSync(part, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new StartError(`can not write ${path}: ${(error as Error).message}`, { cause: error });
    }
  } finally {
    rmSync(part, { force: true });
  }
}

/** Writes a file of the data folder that only its owner can read, replacing an older one. */
export function writeForOwner(path: string, content: string): void {
  rmSync(path, { force: true }); // an existing file would keep its mode
  writeFileSync(path, content, { mode: OWNER_ONLY });
}
