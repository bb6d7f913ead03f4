// A real Bursar process for tests: started as a user starts it, watched by what it prints, and killed with all it left at the end.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, vi } from 'vitest';
import { removeEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { isProcessAlive } from './process-alive.js';
import { waitFor } from './wait.js';

export const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const SHIFT_CLOCK = new URL('./shift-clock.mjs', import.meta.url).href;
/** Starts of processes and of their servers take the longest on a busy machine, and a test has up to four. */
const TEST_TIMEOUT_MS = 600_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface BursarProcess {
  pid: number;
  /** Resolves with the URL of the banner; rejects when the process ends before. */
  ready(): Promise<string>;
  exited(): Promise<Exit>;
  /** Resolves once none of its group is left, which is a little after its own end. */
  groupEnded(): Promise<void>;
  stdout(): string;
  stderr(): string;
  /** To the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** To its whole group, as a terminal does. */
  signalGroup(signal: NodeJS.Signals): void;
}

const children: ChildProcess[] = [];
const folders: string[] = [];

/** Must be called once by a file that starts processes: gives its tests time, and removes what each of them leaves. */
export function cleanUpProcesses(): void {
  vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });
  afterEach(async () => {
    for (const child of children.splice(0)) killGroup(child.pid as number, 'SIGKILL');
    for (const folder of folders.splice(0)) {
      const dataDir = join(folder, 'data');
      if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) await removeEmbeddedPostgres(dataDir);
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** A path for a data folder that does not exist yet, in a temporary folder with this mode. */
export function newDataDir(mode = 0o711): string {
  const parent = mkdtempSync(join(tmpdir(), 'bursar-process-'));
  chmodSync(parent, mode);
  folders.push(parent);
  return join(parent, 'data');
}

export interface StartOptions {
  isNpm?: boolean;
  /** The folder with a build of the project. */
  projectDir?: string;
  /** By how much SIGUSR2 puts the clock of the process wrong, and the next one right again. */
  clockShiftMs?: number;
}

/**
 * Starts `npm start` or, quicker, what it runs. Variables of the caller's environment that Bursar knows are not passed on; one that is given as undefined
 * is not set at all, so that a file .env may say it.
 */
export function startBursar(
  env: Record<string, string | undefined>,
  { isNpm = false, projectDir = PROJECT_DIR, clockShiftMs }: StartOptions = {},
): BursarProcess {
  const shift = clockShiftMs === undefined ? [] : ['--import', SHIFT_CLOCK];
  const args = isNpm ? ['start'] : [...shift, '--import', 'tsx', 'src/main.ts'];
  const silent = {
    DATABASE_URL: '',
    BURSAR_API_TOKEN: '',
    BURSAR_PEPPER: '',
    BURSAR_SECRET_KEY: '',
    BURSAR_ROLE: '',
    BURSAR_SANDBOX: '',
    HOST: '',
  };
  const child = spawn(isNpm ? 'npm' : process.execPath, args, {
    cwd: projectDir,
    env: {
      ...process.env,
      NODE_ENV: '',
      VITEST: undefined,
      ...silent,
      PORT: '0',
      LOG_LEVEL: 'warn',
      // a machine that is busy with tests is no reason to refuse; older builds do not know it
      ...(projectDir === PROJECT_DIR && { BURSAR_SHED_DELAY_MS: '0' }),
      TEST_CLOCK_SHIFT_MS: String(clockShiftMs ?? 0),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  children.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  // 'close' comes after the last output
  const closed = new Promise<Exit>((settle) => child.once('close', (code, signal) => settle({ code, signal })));
  let exit: Exit | undefined;
  void closed.then((value) => {
    exit = value;
  });
  const transcript = () => `stdout:\n${stdout}\nstderr:\n${stderr}`;
  const pid = child.pid as number;
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    async ready() {
      const url = await waitFor('the banner', () => {
        if (exit) throw new Error(`ended with ${JSON.stringify(exit)} before it was ready\n${transcript()}`);
        return /Bursar is ready: +(\S+)/.exec(stdout)?.[1];
      });
      return url;
    },
    async exited() {
      return waitFor(
        () => `the end of process ${pid}\n${transcript()}`,
        () => exit,
      );
    },
    async groupEnded() {
      await waitFor('the process group to end', () => !isProcessAlive(-pid) || undefined);
    },
    signal: (signal) => process.kill(pid, signal),
    signalGroup: (signal) => killGroup(pid, signal),
  };
}

/** Resolves once the service says that it is ready, which a database on a busy machine may deny at first. */
export async function untilReady(url: string): Promise<void> {
  await waitFor('the service to be ready', async () => (await fetch(`${url}/health/ready`)).ok || undefined);
}

/** Whether anything listens at the URL's port. */
export function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((settle) => {
    const socket = connect({ host: hostname, port: Number(port) });
    socket.once('connect', () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
}

/** The server's folder that belongs to a data folder. */
export function serverDirOf(dataDir: string): string {
  const location = join(dataDir, 'postgres-location');
  return existsSync(location) ? readFileSync(location, 'utf8').trim() : join(dataDir, 'postgres');
}

/** What is still running or marked as running for a data folder: nothing, after a clean stop. */
export function leftoversOf(dataDir: string): string[] {
  const serverDir = serverDirOf(dataDir);
  const files = [join(serverDir, 'postmaster.pid'), join(dataDir, 'database-url')];
  return [...files.filter((file) => existsSync(file)), ...processesIn(serverDir)];
}

/** Processes whose working folder is `dir`, as a Postgres server's is; only Linux tells. */
function processesIn(dir: string): string[] {
  if (!existsSync('/proc/self/cwd')) return [];
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`) === dir;
    } catch {
      return false; // ended meanwhile, or another user's
    }
  });
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
