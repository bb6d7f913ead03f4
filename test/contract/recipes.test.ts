// Runs every recipe of docs/recipes against a running app: it must end well, and print what its page says it prints.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { findSandboxInstant } from '../../src/db/sandbox-clock.js';
import { sandboxClock } from '../../src/lib/clock.js';
import { writeShellFile } from '../../src/process/shell-file.js';
import { API_TOKEN, startTestApp, useTestApp } from '../support/app.js';
import { useTestDatabases } from '../support/database.js';

const run = promisify(execFile);
const RECIPES_DIR = fileURLToPath(new URL('../../docs/recipes/', import.meta.url));
const SHARED = 'client.mjs';
const app = useTestApp();

const names = readdirSync(RECIPES_DIR)
  .filter((file) => file.endsWith('.mjs') && file !== SHARED)
  .map((file) => file.slice(0, -'.mjs'.length));

/** The recipe that sets the clock. */
const IN_SANDBOX = 'a-year-in-a-second';
const newDatabase = useTestDatabases();

/** An app whose clock can be set, on a database of its own. */
async function startSandbox(): Promise<FastifyInstance> {
  const url = await newDatabase();
  const db = createDb(url, pino({ level: 'silent' }));
  const sandbox = await startTestApp(
    url,
    sandboxClock(() => findSandboxInstant(db)),
  );
  onTestFinished(async () => {
    await sandbox.close();
    await db.close();
  });
  return sandbox.app;
}

/** Runs a recipe as its reader does, and returns what it printed. */
async function runRecipe(name: string): Promise<string> {
  const { server } = name === IN_SANDBOX ? await startSandbox() : app.app;
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, BURSAR_URL: `http://127.0.0.1:${port}`, BURSAR_API_TOKEN: API_TOKEN };
  const { stdout, stderr } = await run(process.execPath, [`${RECIPES_DIR}${name}.mjs`], { env });
  expect(stderr).toBe('');
  return stdout;
}

/** The block of a recipe's page that says what is printed. */
function readPromise(name: string): string | undefined {
  const page = readFileSync(`${RECIPES_DIR}${name}.md`, 'utf8');
  return /^```text\n([\s\S]*?)^```$/m.exec(page)?.[1];
}

describe('the recipes', () => {
  it('each have a page that the list names', () => {
    const list = readFileSync(`${RECIPES_DIR}README.md`, 'utf8');
    expect(names.length).toBeGreaterThanOrEqual(3);
    expect(names.filter((name) => !existsSync(`${RECIPES_DIR}${name}.md`))).toEqual([]);
    expect(names.filter((name) => !list.includes(`](${name}.md)`))).toEqual([]);
  });

  it.each(names)('%s prints what its page says, and the same when it is run again', async (name) => {
    const promise = readPromise(name);
    expect(promise).toMatch(/\n.*\n/);
    expect(await runRecipe(name)).toBe(promise);
    expect(await runRecipe(name)).toBe(promise);
  });

  it('find the service and its token by the file in the data folder', async () => {
    const { port } = app.app.server.address() as AddressInfo;
    const dataDir = mkdtempSync(join(tmpdir(), 'bursar-recipes-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    writeShellFile(dataDir, { url: `http://127.0.0.1:${port}`, apiToken: API_TOKEN });
    const env = { ...process.env, BURSAR_URL: '', BURSAR_API_TOKEN: '', BURSAR_DATA_DIR: dataDir };
    const name = names.find((one) => one !== IN_SANDBOX) ?? '';
    const { stdout } = await run(process.execPath, [`${RECIPES_DIR}${name}.mjs`], { env });
    expect(stdout).toBe(readPromise(name));
  });
});
