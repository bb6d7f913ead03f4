// The README keeps its word: its tour, run line by line in a shell against a Bursar that was started as the README says, and its table
// of variables.
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';

const run = promisify(execFile);
const PROJECT_DIR = fileURLToPath(new URL('../..', import.meta.url));
const CURL_STAND_IN = fileURLToPath(new URL('../support/curl-stand-in.mjs', import.meta.url));
const SEPARATOR = '=== next line ===';
const readme = readFileSync(join(PROJECT_DIR, 'README.md'), 'utf8');

cleanUpProcesses();

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
async function runLines(lines: readonly string[], env: Record<string, string>): Promise<string[]> {
  const path = [provideCurl(), process.env.PATH].filter((part) => part !== undefined).join(delimiter);
  const script = lines.join(`\necho '${SEPARATOR}'\n`);
  const { stdout, stderr } = await run('sh', ['-u', '-c', script], { env: { ...process.env, PATH: path, ...env } });
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
    const env = { BURSAR_DATA_DIR: dataDir, PORT: new URL(await bursar.ready()).port };
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

  it('works with the stand-in for curl as with curl', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir });
    const port = new URL(await bursar.ready()).port;
    const standIn = `curl() { '${process.execPath}' '${CURL_STAND_IN}' "$@"; }`;
    const outputs = await runLines([standIn, ...readTour()], { BURSAR_DATA_DIR: dataDir, PORT: port });
    expect(isReplay(outputs[9])).toBe(true);
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
