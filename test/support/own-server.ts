// A Postgres server of a test's own, where the suite's is not enough: Debian's binaries and tools where they are installed, else the embedded ones, which have
// no tools.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { findPostgresBinaries, giveToServerUser, serverUser } from '../../src/embedded/postgres-binaries.js';
import { findFreePort } from './free-port.js';
import { waitFor } from './wait.js';

const DEBIAN = '/usr/lib/postgresql';
const TOOLS = ['initdb', 'postgres', 'psql', 'pg_dump', 'pg_restore'];
const SUPERUSER = 'administrator';
const PASSWORD = 'of-the-administrator';

/** The folder of Debian's newest server with its tools; undefined where there is none. */
export const debianBinaries: string | undefined = (existsSync(DEBIAN) ? readdirSync(DEBIAN) : [])
  .sort((one, other) => Number(other) - Number(one))
  .map((version) => join(DEBIAN, version, 'bin'))
  .find((dir) => TOOLS.every((tool) => existsSync(join(dir, tool))));

export interface OwnServer {
  /** URL of the administrator's database. */
  adminUrl: string;
  /** The folder of its data. */
  dir: string;
  stop(): Promise<void>;
}

/** Starts an empty server. `settings` are lines of its configuration, `files` go into its folder, readable by it alone. */
export async function startOwnServer(settings: string[] = [], files: Record<string, string> = {}): Promise<OwnServer> {
  const binaries = await findBinaries();
  const parent = mkdtempSync(join(tmpdir(), 'bursar-server-'));
  chmodSync(parent, 0o711); // the server may run as another user, who has to pass
  const dir = join(parent, 'data');
  const secret = join(parent, 'password');
  mkdirSync(dir, { mode: 0o700 });
  writeFileSync(secret, PASSWORD, { mode: 0o600 });
  for (const path of [dir, secret]) giveToServerUser(path);
  const flags = [
    '-D',
    dir,
    '-U',
    SUPERUSER,
    '-A',
    'scram-sha-256',
    `--pwfile=${secret}`,
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ];
  const made = spawnSync(join(binaries, 'initdb'), flags, { ...serverUser, cwd: dir, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  for (const [name, text] of Object.entries(files)) putFile(dir, name, text);
  return run(parent, binaries, settings);
}

/** Starts a standby of a server: its files, copied while it is in backup mode, and what it writes from then on. */
export async function startStandby(primary: OwnServer, settings: string[] = []): Promise<OwnServer> {
  const parent = mkdtempSync(join(tmpdir(), 'bursar-standby-'));
  chmodSync(parent, 0o711);
  const dir = join(parent, 'data');
  const backup = new pg.Client({ connectionString: primary.adminUrl });
  await backup.connect();
  try {
    await backup.query(`SELECT pg_backup_start('standby', fast => true)`);
    cpSync(primary.dir, dir, {
      recursive: true,
      preserveTimestamps: true,
      filter: (path) => !existsSync(path) || isCopied(path),
    });
    const { rows } = await backup.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    writeFileSync(join(dir, 'backup_label'), rows[0]?.labelfile ?? '');
  } finally {
    await backup.end();
  }
  writeFileSync(join(dir, 'standby.signal'), '');
  chmodSync(dir, 0o700);
  for (const path of [dir, ...(readdirSync(dir, { recursive: true }) as string[]).map((name) => join(dir, name))])
    giveToServerUser(path);
  const { hostname, port, username, password } = new URL(primary.adminUrl);
  const source = `host=${hostname} port=${port} user=${username} password=${password}`;
  return run(parent, await findBinaries(), [`primary_conninfo = '${source}'`, 'hot_standby = on', ...settings]);
}

/** Neither what says that a server runs, nor the log that is written meanwhile: that comes from the primary. */
function isCopied(path: string): boolean {
  return !/(?:postmaster\.(?:pid|opts)|pg_wal\/[0-9A-F]{24}.*)$/.test(path);
}

async function findBinaries(): Promise<string> {
  return debianBinaries ?? dirname((await findPostgresBinaries()).initdb);
}

/** Runs a server on the data below a folder, which is removed when it stops. */
async function run(parent: string, binaries: string, settings: readonly string[]): Promise<OwnServer> {
  const dir = join(parent, 'data');
  const port = await findFreePort();
  const own = [`port = ${port}`, `listen_addresses = '127.0.0.1'`, `unix_socket_directories = ''`, 'fsync = off'];
  appendFileSync(join(dir, 'postgresql.conf'), [...own, ...settings, ''].join('\n'));
  const server = spawn(join(binaries, 'postgres'), ['-D', dir], {
    ...serverUser,
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  server.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(server, 'exit');
  const adminUrl = `postgresql://${SUPERUSER}:${PASSWORD}@127.0.0.1:${port}/postgres`;
  await waitFor(
    () => `the server\n${output}`,
    async () => {
      if (server.exitCode !== null) throw new Error(`the server ended\n${output}`);
      return (await answers(adminUrl)) || undefined;
    },
  );
  return {
    adminUrl,
    dir,
    stop: async () => {
      server.kill('SIGINT');
      await ended;
      rmSync(parent, { recursive: true, force: true });
    },
  };
}

/** Writes a file into the folder of a server, readable by it alone. */
export function putFile(dir: string, name: string, text: string): void {
  const path = join(dir, name);
  writeFileSync(path, text, { mode: 0o600 });
  giveToServerUser(path);
}

/** Whether a server is up: it lets us in, or says why not. */
async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // it also fails the connecting
  try {
    await client.connect();
    return true;
  } catch (error) {
    return (error as { code?: string }).code === '28000';
  } finally {
    await client.end().catch(() => undefined);
  }
}
