// A Postgres server of a test's own, where the suite's is not enough: Debian's binaries and tools where they are installed, else the embedded ones, which have
// no tools.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
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
  const binaries = debianBinaries ?? dirname((await findPostgresBinaries()).initdb);
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
