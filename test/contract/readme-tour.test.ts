// The README keeps its word: its tour, run line by line in a shell against a Bursar that was started as the README says, and its table
// of variables.
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type BursarProcess, cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { copyCheckout } from '../support/checkout.js';
import { useTestDatabases } from '../support/database.js';

const run = promisify(execFile);
const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const CURL_STAND_IN = fileURLToPath(new URL('../support/curl-stand-in.mjs', import.meta.url));
const SEPARATOR = '=== next line ===';
const readme = readFileSync(join(PROJECT_DIR, 'README.md'), 'utf8');

cleanUpProcesses();
const newDatabase = useTestDatabases();

/** The lines of all shell blocks below the heading. */
function readTour(): string[] {
  const [, section = ''] = /^## Tour$([\s\S]*?)^## /m.exec(readme) ?? [];
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
}

/** A folder that has a `curl`, for machines without one; undefined where there is one. */
function provideCurl(): string | undefined {
  if (spawnSync('curl', ['--version']).status === 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'bursar-curl-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(CURL_STAND_IN, join(folder, 'curl'));
  return folder;
}

/** Runs the lines in one shell and returns what each of them printed. */
async function runLines(lines: readonly string[], env: Record<string, string>, cwd = PROJECT_DIR): Promise<string[]> {
  const path = [provideCurl(), process.env.PATH].filter((part) => part !== undefined).join(delimiter);
  const script = lines.join(`\necho '${SEPARATOR}'\n`);
  const own = { BURSAR_DATA_DIR: undefined, BURSAR_API_TOKEN: undefined, PORT: undefined };
  const options = { cwd, env: { ...process.env, ...own, PATH: path, ...env } };
  const { stdout, stderr } = await run('sh', ['-u', '-c', script], options);
  expect(stderr).toBe('');
  return stdout.split(`${SEPARATOR}\n`);
}

/** The JSON of an answer, without the head that `-i` shows. */
function bodyOf(output: string | undefined): Record<string, unknown> {
  return JSON.parse(output?.split('\r\n\r\n').at(-1) ?? '');
}

const isReplay = (output: string | undefined) => /^idempotent-replayed: true\r$/im.test(output ?? '');

describe('the tour of the README', () => {
  it('does what it says, and nothing twice when it is pasted again', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir }, { isNpm: true });
    await bursar.ready();
    const env = { BURSAR_DATA_DIR: dataDir };
    const tour = readTour();
    expect(tour).toHaveLength(13);

    const outputs = await runLines(tour, env);
    const [setUp, shorthand, identified, catalog, ordered, confirmed, balance, used, usedAgain] = outputs;
    const [checked, wallet, entries, proof] = outputs.slice(9);
    expect([setUp, shorthand, ordered]).toEqual(['', '', '']);
    expect(bodyOf(identified)).toMatchObject({ external_id: 'alice', created_customer: true });
    expect(bodyOf(catalog)).toMatchObject({ data: [{ sku: 'CREDITS_100', price: '9.99', currency: 'USD' }] });
    expect(bodyOf(confirmed)).toMatchObject({ status: 'paid', payment_id: 'ch_tour', batches: [{ granted: 100 }] });
    expect(bodyOf(balance)).toMatchObject({ can_use: true, remaining: 100 });
    expect(bodyOf(used)).toMatchObject({ allowed: true, amount: 3, remaining: 97 });
    expect([isReplay(used), isReplay(usedAgain)]).toEqual([false, true]);
    expect(bodyOf(usedAgain)).toEqual(bodyOf(used));
    expect(bodyOf(checked)).toMatchObject({ allowed: false, remaining: 97, upgrade_skus: ['CREDITS_100'] });
    expect(bodyOf(wallet)).toMatchObject({ balances: { CREDITS: 97 } });
    expect(bodyOf(entries)).toMatchObject({
      data: [
        { seq: 2, kind: 'consume', amount: 3, balance_after: 97 },
        { seq: 1, kind: 'grant', amount: 100, balance_after: 100 },
      ],
    });
    expect(bodyOf(proof)).toMatchObject({ ok: true, checked: { customers: 1, entries: 2 }, differences: [] });

    const again = await runLines(tour, env);
    expect(bodyOf(again[2])).toMatchObject({ created_customer: false });
    expect(again[5]).toBe(confirmed);
    expect(again.slice(7, 9).map(isReplay)).toEqual([true, true]);
    expect(bodyOf(again.at(-1))).toMatchObject({ ok: true, checked: { entries: 2 } });
  });

  it('works with the stand-in for curl as with curl, and with a token of the environment', async () => {
    const dataDir = newDataDir();
    await startBursar({ BURSAR_DATA_DIR: dataDir, BURSAR_API_TOKEN: 'given.by-the_environment~+/' }).ready();
    const standIn = `curl() { '${process.execPath}' '${CURL_STAND_IN}' "$@"; }`;
    const outputs = await runLines([standIn, ...readTour()], { BURSAR_DATA_DIR: dataDir });
    expect(isReplay(outputs[9])).toBe(true);
    expect(bodyOf(outputs.at(-1))).toMatchObject({ ok: true, checked: { entries: 2 } });
  });
});

describe('the tour beside a file .env', () => {
  let project: string;

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'bursar-tour-'));
    copyCheckout(project);
    cpSync(join(PROJECT_DIR, 'src/generated'), join(project, 'src/generated'), { recursive: true });
  });

  afterEach(() => rmSync(project, { recursive: true }));

  /** Starts the copy with what its .env says, which the second shell does not know. */
  async function startWith(dotEnv: Record<string, string>): Promise<BursarProcess> {
    const lines = Object.entries({ PORT: '0', BURSAR_API_TOKEN: 'token-of-the-file', ...dotEnv });
    writeFileSync(join(project, '.env'), lines.map(([name, value]) => `${name}="${value}"\n`).join(''));
    const unset = { PORT: undefined, BURSAR_API_TOKEN: undefined, DATABASE_URL: undefined };
    const bursar = startBursar(unset, { projectDir: project });
    await bursar.ready();
    return bursar;
  }

  it('finds port and token, and no trace of them is left at the end', async () => {
    const bursar = await startWith({ DATABASE_URL: await newDatabase() });
    const outputs = await runLines(readTour(), {}, project);
    expect(bodyOf(outputs.at(-1))).toMatchObject({ ok: true, checked: { entries: 2 } });
    const file = join(project, '.bursar', 'api.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(existsSync(file)).toBe(false);
  });

  it('works with the line that the banner shows when the data folder is elsewhere', async () => {
    const dataDir = join(project, "somebody's data");
    const bursar = await startWith({ DATABASE_URL: await newDatabase(), BURSAR_DATA_DIR: dataDir });
    expect(bursar.stdout()).toMatch(/^ {2}Data: +\S.*somebody's data$/m);
    const [, line = ''] = /^ {2}In a shell: +(.*)$/m.exec(bursar.stdout()) ?? [];
    const outputs = await runLines([line, ...readTour().slice(1)], {}, project);
    expect(bodyOf(outputs.at(-1))).toMatchObject({ ok: true, checked: { entries: 2 } });
  });
});

describe('the table of variables in the README', () => {
  it('has those of .env.example, in their order and with their defaults', () => {
    const example = readFileSync(join(PROJECT_DIR, '.env.example'), 'utf8');
    const known = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \|([^|]*)\|/gm)].map(([, name, cell = '']) => [
      name,
      cell.replaceAll('`', '').replace('generated', '').trim(),
    ]);
    expect(known.length).toBeGreaterThan(5);
    expect(rows).toEqual(known);
  });
});
