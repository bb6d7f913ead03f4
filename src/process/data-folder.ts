// The data folder: makes it, and says why it can't be used. Who holds it for the embedded Postgres is embedded/folder-lock.ts's business.
import { mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../errors/start-error.js';

/** What the embedded Postgres needs to begin with: 40 MB of data, and room for its log. */
const ROOM_LEAST_BYTES = 64 * 1_048_576;

/** Makes the folder if need be; only its owner and, where Postgres runs as another user, that one may enter. Throws: StartError. */
export function makeDataFolder(dir: string): void {
  try {
    makeFolders(dir, process.getuid?.() === 0 ? 0o755 : 0o700);
    if (!statSync(dir).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'EEXIST' });
  } catch (error) {
    throw explainFolderError(error, dir);
  }
}

/** One by one: Node's own recursion never ends where the system lets nobody make a folder, and says that it is not there (/proc). */
function makeFolders(dir: string, mode: number): void {
  if (statSync(dir, { throwIfNoEntry: false })) return;
  const parent = dirname(dir);
  if (parent !== dir) makeFolders(parent, mode);
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // another process was faster
  }
}

/** The error of a folder that can't be used, as one line with what to do; a StartError as it is. */
export function explainFolderError(error: unknown, dir: string): StartError {
  if (error instanceof StartError) return error;
  const reason: Readonly<Record<string, string>> = {
    EACCES: 'it may not be written by this user',
    EPERM: 'it may not be written by this user',
    EROFS: 'its file system is read-only',
    EEXIST: 'it is not a folder',
    ENOTDIR: 'a part of the path is not a folder',
    ENOENT: 'the system lets nobody make a folder there',
    ENOSPC: 'its disk is full',
    EDQUOT: 'its disk is full',
    ELOOP: 'a part of the path is a link to itself',
    ENAMETOOLONG: 'its name is too long',
  };
  return new StartError(
    `can not use the data folder ${dir}: ${reason[codeOf(error)] ?? (error as Error).message}; set BURSAR_DATA_DIR to a folder that can be written`,
    { cause: error },
  );
}

/** Whether what failed in a folder may have failed because its disk is full, which those who write there say in many ways, if at all. */
export function isDiskFull(dir: string, error: unknown): boolean {
  if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) return true;
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize < ROOM_LEAST_BYTES;
  } catch {
    return false; // not even that can be asked
  }
}

/** The system's code of an error, such as EEXIST; '' when it has none. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
