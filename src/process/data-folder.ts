// The data folder: makes it, and says why it can't be used. Who holds it for the embedded Postgres is embedded/folder-lock.ts's business.
import { mkdirSync } from 'node:fs';
import { StartError } from '../errors/start-error.js';

/** Makes the folder if need be; only its owner and, where Postgres runs as another user, that one may enter. Throws: StartError. */
export function makeDataFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 });
  } catch (error) {
    throw explainFolderError(error, dir);
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
    ENOSPC: 'its disk is full',
  };
  return new StartError(
    `can not use the data folder ${dir}: ${reason[codeOf(error)] ?? (error as Error).message}; set BURSAR_DATA_DIR to a folder that can be written`,
    { cause: error },
  );
}

/** The system's code of an error, such as EEXIST; '' when it has none. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
