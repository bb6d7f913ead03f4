// The processes of a run: the embedded Postgres, API processes as users start them, the ceiling and the load generator; and their end.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../../src/db/migrate.js';
import { removeEmbeddedPostgres, startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import type { Job, Outcome } from './job.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const TOKEN = 'a-token-that-only-the-bench-uses';
const PEPPER = 'a-pepper-that-only-the-bench-ever-uses';
const READY_DEADLINE_MS = 60_000;
const EXIT_DEADLINE_MS = 15_000;
const MEMORY_EVERY_MS = 200;

/** What must be ended, the last first. */
const endings: (() => Promise<void>)[] = [];

/** Ends and removes all that this run started. */
export async function endAll(): Promise<void> {
  for (let end = endings.pop(); end; end = endings.pop()) await end();
}

/** A folder that is removed at the end; others may enter it, because the database server runs as another user. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bursar-bench-'));
  endings.push(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server whose settings are those of a first start: durable. */
export interface Server {
  /** Makes an empty database and returns its URL. */
  createEmptyDatabase(name: string): Promise<string>;
  /** Makes a migrated database and returns its URL. */
  createDatabase(name: string, migrationsDir?: string): Promise<string>;
}

export async function startServer(): Promise<Server> {
  const home = makeFolder();
  const server = await startEmbeddedPostgres(home);
  endings.push(async () => {
    await server.stop();
    await removeEmbeddedPostgres(home);
  });
  const createEmptyDatabase = async (name: string): Promise<string> => {
    await withClient(server.url, (client) => client.query(`CREATE DATABASE ${name}`));
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.toString();
  };
  return {
    createEmptyDatabase,
    createDatabase: async (name, migrationsDir) => {
      const url = await createEmptyDatabase(name);
      await migrate(url, migrationsDir);
      return url;
    },
  };
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c TimeZone=UTC' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export interface Service {
  url: string;
  token: string;
  pid: number;
  readyMs: number;
  /** Stops it as a supervisor does. */
  stop(): Promise<void>;
}

/** Compiles the service of this checkout or another, as it is run in production, and the ceiling with it. */
export function buildService(projectDir = PROJECT_DIR): void {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', 'tsconfig.bench.json'], {
    cwd: projectDir,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the service could not be compiled');
}

/** Starts the compiled service on a database, or with an embedded one when `env` names a data folder. */
export function startApi(
  env: Record<string, string>,
  nodeOptions: readonly string[] = [],
  projectDir = PROJECT_DIR,
): Promise<Service> {
  return startService([...nodeOptions, 'dist/src/main.js'], env, projectDir);
}

/** Starts the route that touches no database. */
export function startCeiling(databaseUrl: string): Promise<Service> {
  return startService(['dist/scripts/bench/ceiling.js'], { DATABASE_URL: databaseUrl });
}

async function startService(
  command: readonly string[],
  env: Record<string, string>,
  projectDir = PROJECT_DIR,
): Promise<Service> {
  const startMs = performance.now();
  const child = spawn(process.execPath, [...command], {
    cwd: projectDir,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'warn',
      DATABASE_URL: '',
      BURSAR_API_TOKEN: TOKEN,
      BURSAR_PEPPER: PEPPER,
      BURSAR_SECRET_KEY: PEPPER,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = () => stopChild(child);
  endings.push(stop);
  return {
    url: await readUrl(child),
    token: TOKEN,
    pid: child.pid as number,
    readyMs: performance.now() - startMs,
    stop,
  };
}

/** The URL that a service prints when it is ready. What it prints afterwards (warnings of its log) goes to our own output. */
function readUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = '';
    let isReady = false;
    const timer = setTimeout(() => reject(new Error(`not ready in ${READY_DEADLINE_MS} ms`)), READY_DEADLINE_MS);
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`ended with ${code} before it was ready: ${printed}`));
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (isReady) return void process.stderr.write(text.startsWith('{') ? text : '');
      printed += text;
      const url = /Bursar is ready: +(\S+)/.exec(printed)?.[1];
      if (url === undefined) return;
      isReady = true;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await Promise.race([exited, delay(EXIT_DEADLINE_MS, undefined, { ref: false })]);
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await exited;
  }
}

/** Runs jobs, one at a time. */
export type Load = (job: Job) => Promise<Outcome>;

export function startLoad(): Load {
  const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  endings.push(() => stopChild(child));
  return async (job) => {
    child.send(job);
    const [answer] = (await once(child, 'message')) as [{ outcome: Outcome } | { error: string }];
    if ('error' in answer) throw new Error(`the load generator failed: ${answer.error}`);
    if (answer.outcome.ok === 0)
      throw new Error(`not one success in ${JSON.stringify({ ...job, token: '' })}: ${JSON.stringify(answer.outcome)}`);
    return answer.outcome;
  };
}

/** Resident memory of a process in bytes; undefined where the system has no /proc. */
export function residentBytes(pid: number): number | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return undefined;
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8'))?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1_024;
}

/** Runs `work` and returns with its result the greatest resident memory of a process meanwhile. */
export async function watchMemory<T>(pid: number, work: () => Promise<T>): Promise<{ result: T; bytesMax: number }> {
  let bytesMax = 0;
  const timer = setInterval(() => {
    bytesMax = Math.max(bytesMax, residentBytes(pid) ?? Number.NaN);
  }, MEMORY_EVERY_MS);
  try {
    const result = await work();
    return { result, bytesMax };
  } finally {
    clearInterval(timer);
  }
}
