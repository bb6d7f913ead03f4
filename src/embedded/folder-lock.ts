// Holds a data folder for one process at a time: two that share its server would stop it for each other, and two that make it ruin it.
// Held means: the newest numbered socket in the folder answers. That ends with the process, however it ends, and no reused pid can fake it. Each holder
// takes the next number and nobody ever removes the newest, so that whoever found a dead holder too late finds the next number taken.
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { basename, dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { StartError } from '../errors/start-error.js';
import { codeOf, explainFolderError } from '../process/data-folder.js';

const LOCK_NAME = 'bursar.lock';
const TAKE_ATTEMPTS_MAX = 5;
/** For a machine that is busy: whoever holds the folder answers at once otherwise. */
const ASK_TIMEOUT_MS = 10_000;
/** The smallest limit of the supported systems (macOS), without the suffix of the temporary name. */
const SOCKET_PATH_BYTES_MAX = 90;

/** Lets go of the folder. */
export type Release = () => Promise<void>;

/**
 * Takes the existing folder for this process, from a dead holder too.
 * Throws: StartError, when another process holds it or it can't be written.
 */
export async function holdDataFolder(dir: string): Promise<Release> {
  const lock = lockPath(dir);
  const own = `${lock}.new-${randomBytes(4).toString('hex')}`;
  let server: Server | undefined;
  try {
    server = await answerAt(own);
    await takeNextNumber(own, lock, dir);
  } catch (error) {
    server?.close();
    throw explainFolderError(error, dir);
  } finally {
    rmSync(own, { force: true });
  }
  return async () => {
    server.close();
  };
}

/** Gives the answering socket the next number. It is linked, not bound there, so that what has a number always answered. */
async function takeNextNumber(own: string, lock: string, dir: string): Promise<void> {
  for (let attempt = 0; attempt < TAKE_ATTEMPTS_MAX; attempt++) {
    const last = Math.max(0, ...numbersOf(lock));
    const holder = last === 0 ? undefined : await askHolder(`${lock}.${last}`);
    if (holder !== undefined) throw heldBy(holder, dir);
    const next = last + 1;
    try {
      linkSync(own, `${lock}.${next}`);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue; // another process was faster
      throw error;
    }
    const others = numbersOf(lock).filter((number) => number !== next);
    const isNewest = others.every((number) => number < next);
    for (const number of isNewest ? others : [next]) rmSync(`${lock}.${number}`, { force: true });
    if (isNewest) return;
  }
  throw new StartError(`several processes want the data folder ${dir} at once: start one of them again`);
}

function numbersOf(lock: string): number[] {
  const prefix = `${basename(lock)}.`;
  return readdirSync(dirname(lock))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
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
function lockPath(dir: string): string {
  const absolute = join(realpathSync(dir), LOCK_NAME);
  const fromHere = relative(process.cwd(), absolute);
  const path = fromHere.length < absolute.length ? fromHere : absolute;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw new StartError(`the path of the data folder ${dir} is too long: set BURSAR_DATA_DIR to a shorter one`);
  }
  return path;
}
