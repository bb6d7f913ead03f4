// The data folder: makes it, and holds it for one process at a time, because two servers on one Postgres folder would ruin it.
// Held means: a socket in the folder answers. That ends with the process, however it ends, and no reused pid can fake it.
import { linkSync, mkdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { StartError } from '../errors/start-error.js';

const LOCK_NAME = 'bursar.lock';
const TAKE_ATTEMPTS_MAX = 5;
const ASK_TIMEOUT_MS = 2_000;
/** The smallest limit of the supported systems (macOS), without the suffix of the temporary name. */
const SOCKET_PATH_BYTES_MAX = 90;

/** Lets go of the folder. */
export type Release = () => Promise<void>;

/** Makes the folder if need be; only its owner and, where Postgres runs as another user, that one may enter. Throws: StartError. */
export function makeDataFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 });
  } catch (error) {
    throw explainFolderError(error, dir);
  }
}

/**
 * Takes the existing folder for this process, from a dead holder too.
 * Throws: StartError, when another process holds it or it can't be written.
 */
export async function holdDataFolder(dir: string): Promise<Release> {
  const path = socketPath(dir);
  const own = `${path}.${process.pid}`;
  let server: Server | undefined;
  try {
    rmSync(own, { force: true });
    server = await answerAt(own);
    await putInPlace(own, path, dir);
  } catch (error) {
    server?.close();
    throw explainFolderError(error, dir);
  } finally {
    rmSync(own, { force: true });
  }
  return async () => {
    rmSync(path, { force: true });
    server.close();
  };
}

/** Gives the answering socket the name that counts. It is linked, not bound there, so that what has the name always answers. */
async function putInPlace(own: string, path: string, dir: string): Promise<void> {
  for (let attempt = 0; attempt < TAKE_ATTEMPTS_MAX; attempt++) {
    try {
      linkSync(own, path);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const holder = await askHolder(path);
    if (holder !== undefined) throw heldBy(holder, dir);
    await removeDead(path, dir);
  }
  throw new StartError(`several processes want the data folder ${dir} at once: start one of them again`);
}

/** Removes a socket that nobody answers. It may have been replaced since it was asked: then the living one is put back. */
async function removeDead(path: string, dir: string): Promise<void> {
  const aside = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return; // another process removed it first
    throw error;
  }
  try {
    const holder = await askHolder(aside);
    if (holder === undefined) return;
    linkSync(aside, path);
    throw heldBy(holder, dir);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Listens at `path` and tells whoever asks the pid of this process. */
function answerAt(path: string): Promise<Server> {
  return new Promise((settle, fail) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy()); // who asked is gone
      socket.end(String(process.pid));
    });
    server.once('error', fail);
    server.listen(path, () => settle(server.unref()));
  });
}

/** What the holder says of itself ('' when it is too busy to answer in time); undefined when there is none. */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((settle, fail) => {
    const socket = createConnection(path);
    socket.setTimeout(ASK_TIMEOUT_MS, () => {
      socket.destroy();
      settle('');
    });
    socket.once('connect', () => {
      text(socket).then(settle, () => settle('')); // it accepted, so it lives, even when it hangs up
    });
    socket.once('error', (error) => {
      if (['ECONNREFUSED', 'ENOENT'].includes(codeOf(error))) settle(undefined);
      else fail(error);
    });
  });
}

function heldBy(holder: string, dir: string): StartError {
  const who = holder === '' ? 'another Bursar' : `another Bursar (process ${holder})`;
  return new StartError(
    `${who} is running on the data folder ${dir}: stop it, or set BURSAR_DATA_DIR and PORT to others`,
  );
}

/** The operating system takes only short names of sockets, so the shorter of absolute and relative. */
function socketPath(dir: string): string {
  const absolute = join(realpathSync(dir), LOCK_NAME);
  const fromHere = relative(process.cwd(), absolute);
  const path = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new StartError(`the path of the data folder ${dir} is too long: set BURSAR_DATA_DIR to a shorter one`);
  }
  return path;
}

function explainFolderError(error: unknown, dir: string): Error {
  if (error instanceof StartError) return error;
  const reason: Readonly<Record<string, string>> = {
    EACCES: 'it may not be written by this user',
    EPERM: 'it may not be written by this user',
    EROFS: 'its file system is read-only',
    EEXIST: 'it is not a folder',
    ENOTDIR: 'a part of the path is not a folder',
    ENOSPC: 'its disk is full',
  };
  const code = codeOf(error);
  return new StartError(
    `can not use the data folder ${dir}: ${reason[code] ?? (error as Error).message}; set BURSAR_DATA_DIR to a folder that can be written`,
    { cause: error },
  );
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
