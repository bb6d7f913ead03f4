// Secrets that are generated at the first start and kept in the data folder, each in a file that only its owner can read.
import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../errors/start-error.js';
import { codeOf, explainFolderError } from './data-folder.js';

const SECRET_BYTES = 24;
const OWNER_ONLY = 0o600;

/**
 * Returns the secret of that name, making it when there is none. Processes that make it at once agree on one.
 * Throws: StartError, when the file is empty or can't be read.
 */
export function keepSecret(dataDir: string, name: 'api-token' | 'pepper' | 'secret-key'): string {
  const path = join(dataDir, name);
  if (!existsSync(path)) create(path, `bsr_${randomBytes(SECRET_BYTES).toString('hex')}`);
  const secret = read(path);
  if (secret === '')
    throw new StartError(`the file ${path} is empty: restore it, or remove it to have a new secret generated`);
  return secret;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new StartError(`can not read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Links a complete file into place, so that neither a crash nor a second process leaves half a secret. */
function create(path: string, secret: string): void {
  putInPlace(path, `${secret}\n`, (part) => {
    try {
      linkSync(part, path);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error; // another process was faster
    }
  });
}

/** Writes a file of the data folder that only its owner can read, replacing an older one as a whole. Throws: StartError. */
export function writeForOwner(path: string, content: string): void {
  putInPlace(path, content, (part) => renameSync(part, path));
}

function putInPlace(path: string, content: string, place: (part: string) => void): void {
  const part = `${path}.${process.pid}`;
  try {
    rmSync(part, { force: true }); // an existing file would keep its mode
    writeFileSync(part, content, { mode: OWNER_ONLY });
    place(part);
  } catch (error) {
    throw explainFolderError(error, dirname(path));
  } finally {
    rmSync(part, { force: true });
  }
}
