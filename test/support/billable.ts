// Databases of the Django module for tests of moving in, in the server of the suite, and runs of the script.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { createEmptyDatabase, type TestDatabase } from './database.js';
import { dumpRows } from './dump-rows.js';
import { query } from './sql.js';

const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures/billable', import.meta.url));
const runFile = promisify(execFile);
const OUTPUT_MAX_BYTES = 64 * 1_024 * 1_024;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** A database filled by files of the fixtures, the first of which is its schema. Whoever calls drops it. */
export async function fillSource(...files: ('schema' | 'shop' | 'defects')[]): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  for (const file of files) await query(database.url, readFileSync(join(FIXTURES, `${file}.sql`), 'utf8'));
  return database;
}

/** The same, dropped after the test. */
export async function makeSource(...files: Parameters<typeof fillSource>): Promise<string> {
  const database = await fillSource(...files);
  onTestFinished(() => database.drop());
  return database.url;
}

function environment(databaseUrl: string): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: '', VITEST: undefined, DATABASE_URL: databaseUrl };
}

/** Runs a script of the project to its end, with `input` as its standard input. */
export async function runScript(
  databaseUrl: string,
  script: string,
  args: readonly string[],
  input = '',
): Promise<Ran> {
  const options = { cwd: PROJECT_DIR, env: environment(databaseUrl), maxBuffer: OUTPUT_MAX_BYTES };
  const running = runFile(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], options);
  running.child.stdin?.end(input);
  try {
    return { ...(await running), code: 0 };
  } catch (error) {
    return error as Ran;
  }
}

/** Moves a source in. */
export function moveIn(databaseUrl: string, source: string, ...args: string[]): Promise<Ran> {
  return runScript(databaseUrl, 'import-billable', ['--source', source, ...args]);
}

/** Begins to move a source in; it is killed at the end of the test, if it runs still. */
export function beginToMoveIn(databaseUrl: string, source: string): ChildProcess {
  const args = ['--import', 'tsx', 'scripts/import-billable.ts', '--source', source];
  const child = spawn(process.execPath, args, { cwd: PROJECT_DIR, env: environment(databaseUrl), stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** All rows of a database as text. */
export async function dump(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await dumpRows(client);
  } finally {
    await client.end();
  }
}
