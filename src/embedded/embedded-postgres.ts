// Starts and stops the embedded Postgres of a folder: for trying Bursar out, for development and for tests.
// Whoever calls holds the folder alone (see folder-lock.ts); a server left over from a killed process is taken over.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { StartError } from '../errors/start-error.js';
import { explainFolderError, isDiskFull } from '../process/data-folder.js';
import { writeForOwner } from '../process/secrets.js';
import {
  findPostgresBinaries,
  giveToServerUser,
  isReachable,
  type PostgresBinaries,
  SHARED_HOME,
  serverUser,
} from './postgres-binaries.js';

const run = promisify(execFile);

const SUPERUSER = 'postgres';
const START_ATTEMPTS_MAX = 10;
const START_PAUSE_MS = 500;
const START_WAIT_S = 60;
const STOP_WAIT_S = 60;
const CONNECT_TIMEOUT_MS = 2_000;
const DUPLICATE_DATABASE = '42P04';
/** Line of postmaster.pid that holds the port. */
const PORT_LINE = 3;
const WATCH_EVERY_MS = 1_000;

export interface EmbeddedOptions {
  /** The database to make sure of; default `bursar`. */
  database?: string;
  /** false gives up crash safety for speed: for tests. */
  isDurable?: boolean;
  maxConnections?: number;
}

export interface EmbeddedPostgres {
  /** URL of the database, with the generated password. */
  url: string;
  /** The server's folder: not always below the home it was started for. */
  serverDir: string;
  /** Calls back once when the server is gone without having been stopped. */
  onLost(callback: (error: Error) => void): void;
  /** Stops the server; running transactions are rolled back. */
  stop(): Promise<void>;
}

/**
 * Starts the Postgres whose data belong to the folder `home`, making it first if need be (about 1 s; later starts 0.1 s).
 * Throws: StartError.
 */
export async function startEmbeddedPostgres(home: string, options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const { database = 'bursar', isDurable = true, maxConnections = 100 } = options;
  const binaries = await findPostgresBinaries();
  try {
    const serverDir = locateServerDir(home);
    if (!existsSync(serverDir)) await initialise(binaries, serverDir, isDurable);
    const password = readFileSync(passwordFile(serverDir), 'utf8');
    const settings = [
      'listen_addresses=127.0.0.1',
      "unix_socket_directories=''",
      'timezone=UTC',
      'log_timezone=UTC',
      `max_connections=${maxConnections}`,
      ...(isDurable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
    ];
    const port = await ensureRunning(binaries, serverDir, password, settings);
    const urlOf = (name: string) => `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${name}`;
    await ensureDatabase(urlOf('postgres'), database);
    const watch = watchServer(serverDir);
    return {
      url: urlOf(database),
      serverDir,
      onLost: watch.onLost,
      stop: () => {
        watch.end();
        return stopServer(binaries, serverDir);
      },
    };
  } catch (error) {
    if (isDiskFull(home, error))
      throw explainFolderError(Object.assign(new Error('full'), { code: 'ENOSPC', cause: error }), home);
    if (error instanceof StartError) throw error;
    throw new StartError(`the embedded Postgres could not be started: ${firstLine(error)}`, { cause: error });
  }
}

/** Removes what `startEmbeddedPostgres` made for `home`, its data included; a server still running is stopped first. */
export async function removeEmbeddedPostgres(home: string): Promise<void> {
  const serverDir = locateServerDir(home);
  if (existsSync(join(serverDir, 'postmaster.pid'))) await stopServer(await findPostgresBinaries(), serverDir);
  for (const path of [serverDir, passwordFile(serverDir), locationFile(home)])
    rmSync(path, { recursive: true, force: true });
}

const passwordFile = (serverDir: string) => `${serverDir}.password`;
const locationFile = (home: string) => join(home, 'postgres-location');

/**
 * The server's folder: inside `home`, or where the server's user can't enter that, a folder of its own which a file in `home` names.
 */
function locateServerDir(home: string): string {
  mkdirSync(home, { recursive: true, mode: serverUser ? 0o755 : 0o700 });
  const inside = join(realpathSync(home), 'postgres');
  if (isReachable(inside)) return inside;
  const location = locationFile(home);
  if (existsSync(location)) return readFileSync(location, 'utf8').trim();
  const outside = join(SHARED_HOME, `data-${randomBytes(8).toString('hex')}`);
  writeFileSync(location, `${outside}\n`, { mode: 0o600 });
  return outside;
}

async function initialise(binaries: PostgresBinaries, serverDir: string, isDurable: boolean): Promise<void> {
  mkdirSync(dirname(serverDir), { recursive: true, mode: 0o755 });
  const part = `${serverDir}.new`; // initdb may be interrupted: only a finished folder gets the name
  const partPassword = `${part}.password`;
  rmSync(part, { recursive: true, force: true });
  mkdirSync(part, { mode: 0o700 });
  giveToServerUser(part);
  const secret = passwordFile(serverDir); // of no use to anybody before there is a server
  writeForOwner(secret, randomBytes(24).toString('base64url'));
  writeFileSync(partPassword, readFileSync(secret), { mode: 0o600 });
  giveToServerUser(partPassword);
  const flags = ['-A', 'scram-sha-256', `--pwfile=${partPassword}`, '-E', 'UTF8', '--locale=C'];
  try {
    await run(binaries.initdb, ['-D', part, '-U', SUPERUSER, ...flags, ...(isDurable ? [] : ['--no-sync'])], {
      ...serverUser,
      cwd: part,
    });
    appendFileSync(join(part, 'postgresql.auto.conf'), "timezone = 'UTC'\n");
    renameSync(part, serverDir);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw explainInitdb(error);
  } finally {
    rmSync(partPassword, { force: true });
  }
}

function explainInitdb(error: unknown): unknown {
  const stderr = String((error as { stderr?: unknown }).stderr ?? '').trim();
  if (stderr.includes('shared libraries')) {
    return new StartError(
      'the embedded Postgres lacks its library links, because install scripts did not run: run "npm rebuild", or set DATABASE_URL',
      { cause: error },
    );
  }
  return stderr === '' ? error : new Error(stderr.split('\n').at(-1), { cause: error });
}

/** Takes over a server that answers for this folder, or starts one. Returns its port. */
async function ensureRunning(
  binaries: PostgresBinaries,
  serverDir: string,
  password: string,
  settings: readonly string[],
): Promise<number> {
  const log = join(serverDir, 'server.log');
  for (let attempt = 0; attempt < START_ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) await delay(START_PAUSE_MS); // the port was taken meanwhile, or a left-over server is just starting or stopping
    const running = await findAnsweringPort(serverDir, password);
    if (running !== undefined) return running;
    removeForeignPidFile(serverDir);
    const flags = [`-p ${await findFreePort()}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
    await pgCtl(binaries, serverDir, ['start', '-w', '-t', String(START_WAIT_S), '-l', log, '-o', flags]);
  }
  const port = await findAnsweringPort(serverDir, password);
  if (port === undefined) throw new StartError(`the embedded Postgres does not start; its log is ${log}`);
  return port;
}

/** Port of a server that really answers for this folder: the pid in a left-over file may by now be another program's. */
async function findAnsweringPort(serverDir: string, password: string): Promise<number | undefined> {
  const port = Number(readPidFile(serverDir)[PORT_LINE]);
  if (!Number.isInteger(port) || port === 0) return undefined;
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password,
    database: 'postgres',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => undefined); // a server that goes away while it is asked did not answer
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory === serverDir ? port : undefined;
  } catch {
    return undefined; // nothing there, or somebody else's server: the caller starts ours
  } finally {
    await client.end();
  }
}

/** Lines of postmaster.pid; none when there is no such file. */
function readPidFile(serverDir: string): string[] {
  const path = join(serverDir, 'postmaster.pid');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

/**
 * Removes a pid file left by a dead server whose pid now belongs to another program (usual in a restarted container), which Postgres
 * would take for a running server. A server works in its own folder, which is how it is told apart; only Linux can be asked.
 */
function removeForeignPidFile(serverDir: string): void {
  const pid = serverPidOf(serverDir);
  if (pid === undefined || !existsSync(`/proc/${pid}/cwd`)) return;
  try {
    if (readlinkSync(`/proc/${pid}/cwd`) !== serverDir) rmSync(join(serverDir, 'postmaster.pid'), { force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES') throw error; // gone by now, or another user's: Postgres copes with both
  }
}

/** Looks whether the server's process is there, as long as it is not to be stopped. */
function watchServer(serverDir: string): { onLost: EmbeddedPostgres['onLost']; end(): void } {
  const pid = serverPidOf(serverDir);
  let timer: NodeJS.Timeout | undefined;
  return {
    onLost: (callback) => {
      timer = setInterval(() => {
        if (pid !== undefined && isAlive(pid)) return;
        clearInterval(timer);
        callback(new StartError(`the embedded Postgres has ended; its log is ${join(serverDir, 'server.log')}`));
      }, WATCH_EVERY_MS).unref();
    },
    end: () => clearInterval(timer),
  };
}

function serverPidOf(serverDir: string): number | undefined {
  const pid = Number(readPidFile(serverDir)[0]);
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // there, and another user's
  }
}

async function stopServer(binaries: PostgresBinaries, serverDir: string): Promise<void> {
  const pid = serverPidOf(serverDir);
  if (pid === undefined || !isAlive(pid)) return; // a killed one leaves its file
  const code = await pgCtl(binaries, serverDir, ['stop', '-m', 'fast', '-w', '-t', String(STOP_WAIT_S)]);
  if (code !== 0 && existsSync(join(serverDir, 'postmaster.pid'))) {
    throw new Error(
      `the embedded Postgres did not stop within ${STOP_WAIT_S} s; its log is ${join(serverDir, 'server.log')}`,
    );
  }
}

/** Runs pg_ctl and returns its exit code. Detached, so that a Ctrl-C in the terminal does not reach it or the server. */
function pgCtl(binaries: PostgresBinaries, serverDir: string, args: string[]): Promise<number | null> {
  return new Promise((settle, fail) => {
    // without 'ignore' the server would keep our pipes open
    spawn(binaries.pg_ctl, [...args, '-D', serverDir], {
      ...serverUser,
      cwd: serverDir,
      stdio: 'ignore',
      detached: true,
    })
      .on('error', fail)
      .on('exit', settle);
  });
}

async function ensureDatabase(adminUrl: string, name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if ((error as { code?: string }).code !== DUPLICATE_DATABASE) throw error;
  } finally {
    await admin.end();
  }
}

function findFreePort(): Promise<number> {
  return new Promise((settle, fail) => {
    const probe = createServer().on('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object' ? settle(address.port) : fail(new Error('no port')),
      );
    });
  });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
