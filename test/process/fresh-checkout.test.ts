// A checkout just after `npm ci`, in which nothing was generated yet: whatever is run first makes what it lacks.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { PROJECT_DIR } from '../support/bursar-process.js';
import { copyCheckout } from '../support/checkout.js';

const ENSURE = 'node scripts/ensure.mjs && ';
const VITEST = join(PROJECT_DIR, 'node_modules/vitest/vitest.mjs');
const CLIENT = 'src/generated/prisma/client.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bursar-fresh-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

function run(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$)/.test(name)));
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: dir, encoding: 'utf8', env: { ...own, ...env } });
  return { status, output: `${stdout}${stderr}` };
}

describe('a fresh checkout', () => {
  it('has only scripts that make what they lack, but for the check, which begins with the tests', () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const others = Object.keys(scripts).filter((name) => !scripts[name]?.startsWith(ENSURE));
    expect(others).toEqual(['check']);
  });

  it('runs a script', () => {
    copyCheckout(dir);
    expect(existsSync(join(dir, CLIENT))).toBe(false);
    expect(run('npm', ['run', '--silent', 'openapi', '--', '--check'])).toMatchObject({ status: 0 });
    expect(existsSync(join(dir, CLIENT))).toBe(true);
  });

  it('runs a single test file', () => {
    copyCheckout(dir);
    const { status, output } = run(process.execPath, [VITEST, 'run', 'test/http/roles.test.ts'], {
      TEST_DATABASE_URL: inject('templateUrl'),
    });
    expect(output).toMatch(/\n[1-9]\d* passed, 0 failed\n$/);
    expect(status).toBe(0);
  });
});

describe('a file .env that can not be read', () => {
  beforeEach(() => {
    copyCheckout(dir);
    cpSync(join(PROJECT_DIR, 'src/generated'), join(dir, 'src/generated'), { recursive: true });
  });

  it.each([
    ['a folder', () => mkdirSync(join(dir, '.env')), 'it is a folder'],
    ['in another encoding', () => writeFileSync(join(dir, '.env'), 'PORT=0\n', 'utf16le'), 'it is not UTF-8'],
  ])('because it is %s is told in one line, by the service and by verify', (_what, make, reason) => {
    make();
    const line = `can not read ${join(dir, '.env')}: ${reason}\n`;
    const nowhere = { DATABASE_URL: 'postgresql://u@127.0.0.1:1/d' }; // so that nothing runs on, whatever is read
    const start = run(process.execPath, ['--import', 'tsx', 'src/main.ts'], nowhere);
    expect(start).toEqual({ status: 1, output: `bursar: ${line}` });
    const verify = run(process.execPath, ['--import', 'tsx', 'scripts/verify.ts'], nowhere);
    expect(verify).toEqual({ status: 2, output: `verify: ${line}` });
  });
});

describe('a build', () => {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };

  beforeEach(() => {
    for (const path of ['scripts/build.mjs', 'prisma/migrations', 'src/db/invariants', 'tsconfig.json'])
      cpSync(join(PROJECT_DIR, path), join(dir, path), { recursive: true });
    symlinkSync(join(PROJECT_DIR, 'node_modules'), join(dir, 'node_modules'), 'junction');
    write('package.json', '{ "type": "module" }');
    write('src/one.ts', 'export const one = 1;\n');
    const base = JSON.parse(readFileSync(join(PROJECT_DIR, 'tsconfig.build.json'), 'utf8'));
    write('tsconfig.build.json', JSON.stringify({ ...base, include: ['src/one.ts', 'src/two.ts'] }));
  });

  const build = () => run(process.execPath, ['scripts/build.mjs']);
  const made = () => readdirSync(dir).filter((name) => name.startsWith('dist'));

  it('that fails leaves nothing where there was nothing', () => {
    write('src/two.ts', 'export const two: string = 2;\n');
    const { status, output } = build();
    expect(status).not.toBe(0);
    expect(output).toContain('src/two.ts');
    expect(made()).toEqual([]);
  });

  it('takes the place of the one before as a whole, or not at all', () => {
    write('src/two.ts', 'export const two = 2;\n');
    expect(build()).toMatchObject({ status: 0 });
    expect(existsSync(join(dir, 'dist/prisma/migrations'))).toBe(true);
    rmSync(join(dir, 'src/two.ts'));
    write('src/one.ts', 'export const one: string = 1;\n');
    expect(build().status).not.toBe(0);
    expect(made()).toEqual(['dist']);
    expect(readFileSync(join(dir, 'dist/src/one.js'), 'utf8')).toContain('one = 1');
    expect(existsSync(join(dir, 'dist/src/two.js'))).toBe(true);

    write('src/one.ts', 'export const one = 11;\n');
    expect(build()).toMatchObject({ status: 0 });
    expect(made()).toEqual(['dist']);
    expect(readFileSync(join(dir, 'dist/src/one.js'), 'utf8')).toContain('one = 11');
    expect(existsSync(join(dir, 'dist/src/two.js'))).toBe(false);
  });
});
