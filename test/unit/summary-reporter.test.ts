// The closing line of a test run, from real runs of small suites.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TestModule } from 'vitest/node';
import { formatSlowest } from '../support/summary-reporter.js';

const CACHE_DIR = fileURLToPath(new URL('../../node_modules', import.meta.url));
const REPORTER = fileURLToPath(new URL('../support/summary-reporter.ts', import.meta.url));
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(CACHE_DIR, '.reporter-')); // below node_modules, so that the suites find vitest
  write(
    'vitest.config.ts',
    `import { SummaryReporter } from ${JSON.stringify(REPORTER)};
    export default {
      test: {
        include: ['*.test.ts'],
        exclude: [],
        pool: 'threads',
        isolate: false,
        reporters: ['default', new SummaryReporter()],
      },
    };`,
  );
});

afterEach(() => rmSync(dir, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(dir, name), text);
}

function writeSuite(name: string, body: string): void {
  write(`${name}.test.ts`, `import { afterAll, beforeAll, describe, expect, it } from 'vitest';\n${body}`);
}

function run(): { lines: string[]; lastLine: string | undefined; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, [VITEST, 'run', '--root', dir], {
    encoding: 'utf8',
    env: { ...process.env, VITEST: undefined, VITEST_POOL_ID: undefined, VITEST_WORKER_ID: undefined },
  });
  const lines = stdout.trimEnd().split('\n');
  return { lines, lastLine: lines.at(-1), status };
}

it('names the ten files that took longest, the slowest first', () => {
  const took = (number: number) =>
    ({
      relativeModuleId: `test/${number}.test.ts`,
      diagnostic: () => ({ collectDuration: 100, setupDuration: 0, duration: number * 1_000 }),
    }) as unknown as TestModule;
  const lines = formatSlowest([3, 11, 1, 2, 5, 4, 6, 7, 10, 9, 8].map(took));
  expect(lines).toEqual(
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((number) => `${`${number}.1`.padStart(8)} s  test/${number}.test.ts`),
  );
});

it('says so ahead of the closing line', () => {
  writeSuite('a', `it('a', () => {});`);
  expect(run().lines.slice(-3)).toEqual([
    'slowest files',
    expect.stringMatching(/^ +\d+\.\d s {2}a\.test\.ts$/),
    '1 passed, 0 failed',
  ]);
});

it('counts what passed, failed and was skipped', () => {
  writeSuite('a', `it('a', () => {}); it('b', () => {}); it.skip('c', () => {}); it.todo('d');`);
  expect(run()).toMatchObject({ lastLine: '2 passed, 0 failed, 2 skipped', status: 0 });
  writeSuite('b', `it('a', () => { expect(1).toBe(2); });`);
  expect(run()).toMatchObject({ lastLine: '2 passed, 1 failed, 2 skipped', status: 1 });
});

it.each([
  ['a file that can not be collected', `import './missing.js'; it('a', () => {});`, '1 passed, 1 failed'],
  ['a failed afterAll', `afterAll(() => { throw new Error('x'); }); it('a', () => {});`, '2 passed, 1 failed'],
  [
    'a failed beforeAll and the test that it kept from running',
    `describe('d', () => { beforeAll(() => { throw new Error('x'); }); it('a', () => {}); });`,
    '1 passed, 2 failed',
  ],
  ['an unhandled error', `it('a', () => { void Promise.reject(new Error('x')); });`, '2 passed, 1 failed'],
])('counts %s as failed', (_what, body, lastLine) => {
  writeSuite('good', `it('good', () => {});`);
  writeSuite('bad', body);
  expect(run()).toMatchObject({ lastLine, status: 1 });
});

it('counts a run without tests as failed', () => {
  expect(run()).toMatchObject({ lastLine: '0 passed, 1 failed', status: 1 });
  writeSuite('a', `it.skip('a', () => {});`);
  expect(run()).toMatchObject({ lastLine: '0 passed, 1 failed, 1 skipped', status: 1 });
});
