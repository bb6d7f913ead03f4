// A real PgBouncer in transaction mode before the database of a test. Tests of it are skipped where none is installed.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverUser } from '../../src/embedded/postgres-binaries.js';
import { isListening } from './bursar-process.js';
import { findFreePort } from './free-port.js';
import { waitFor } from './wait.js';

const BINARY = ['pgbouncer', '/usr/sbin/pgbouncer'].find((name) => spawnSync(name, ['--version']).status === 0);

/** What it says of its version, such as `PgBouncer 1.18.0`; undefined where there is none. */
export const pgbouncerVersion =
  BINARY && spawnSync(BINARY, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0]?.trim();

export interface PgBouncer {
  /** The URL of the database through it. */
  url: string;
  stop(): Promise<void>;
}

/** Starts one with so many sessions of the server. `settings` are lines of its configuration. */
export async function startPgBouncer(databaseUrl: string, size: number, settings: string[] = []): Promise<PgBouncer> {
  if (!BINARY) throw new Error('there is no pgbouncer here');
  const url = new URL(databaseUrl);
  const name = url.pathname.slice(1);
  const dir = mkdtempSync(join(tmpdir(), 'bursar-pgbouncer-'));
  chmodSync(dir, 0o755); // it may run as another user
  const port = await findFreePort();
  const file = join(dir, 'pgbouncer.ini');
  const { hostname, username, password } = url;
  writeFileSync(
    file,
    [
      '[databases]',
      `${name} = host=${hostname} port=${url.port} user=${username} password='${decodeURIComponent(password)}'`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      `default_pool_size = ${size}`,
      ...settings,
      '',
    ].join('\n'),
    { mode: 0o644 },
  );
  const child: ChildProcess = spawn(BINARY, [file], { ...serverUser, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(child, 'exit');
  url.host = `127.0.0.1:${port}`;
  const stop = async () => {
    child.kill('SIGINT');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  };
  await waitFor(
    () => `PgBouncer\n${output}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`PgBouncer ended\n${output}`);
      return (await isListening(url.toString())) || undefined;
    },
  );
  return { url: url.toString(), stop };
}
