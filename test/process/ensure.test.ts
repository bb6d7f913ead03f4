// scripts/ensure.mjs in a small project of its own, with stand-ins for npm and the Prisma CLI that record how they were called.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/ensure.mjs', import.meta.url));
const CLIENT = 'src/generated/prisma/client.ts';

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'bursar-ensure-'));
  mkdirSync(join(project, 'scripts'));
  cpSync(SCRIPT, join(project, 'scripts/ensure.mjs'));
  writeJson('package-lock.json', lockfile('1.0.0'));
  write('prisma/schema.prisma', 'one');
  // installs what the lockfile says, except for other platforms' packages
  write(
    'npm.js',
    `const fs = require('node:fs');
     const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
     delete packages[''];
     delete packages['node_modules/other-platform'];
     fs.mkdirSync('node_modules/@prisma/client', { recursive: true });
     fs.writeFileSync('node_modules/@prisma/client/package.json', JSON.stringify({ version: packages['node_modules/@prisma/client'].version }));
     fs.mkdirSync('node_modules/prisma/build', { recursive: true });
     fs.copyFileSync('prisma.js', 'node_modules/prisma/build/index.js');
     fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
     fs.appendFileSync('calls', 'npm ' + process.argv.slice(2).join(' ') + '\\n');
     process.exit(Number(process.env.NPM_FAILS ?? 0));`,
  );
  write(
    'prisma.js',
    `const fs = require('node:fs');
     fs.mkdirSync('src/generated/prisma', { recursive: true });
     fs.writeFileSync('${CLIENT}', '');
     const engine = fs.existsSync(process.env.PRISMA_SCHEMA_ENGINE_BINARY) && process.env.CHECKPOINT_DISABLE === '1';
     fs.appendFileSync('calls', 'prisma ' + process.argv.slice(2).join(' ') + (engine ? ' with an engine' : '') + '\\n');
     if (process.env.PRISMA_FAILS) { console.error('the schema is wrong'); process.exit(1); }`,
  );
});

afterEach(() => rmSync(project, { recursive: true }));

function lockfile(version: string) {
  return {
    packages: {
      '': {},
      'node_modules/@prisma/client': { version },
      'node_modules/only-for-tests': { version: '1.0.0', dev: true },
      'node_modules/other-platform': { version: '1.0.0', optional: true },
    },
  };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

function writeJson(path: string, value: unknown): void {
  write(path, JSON.stringify(value));
}

/** Runs the script and returns what it called. */
function ensure(env: Record<string, string> = {}): {
  calls: string[];
  status: number | null;
  stdout: string;
  stderr: string;
} {
  rmSync(join(project, 'calls'), { force: true });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/ensure.mjs'], {
    cwd: project,
    encoding: 'utf8',
    env: {
      ...process.env,
      NODE_ENV: '',
      PRISMA_SCHEMA_ENGINE_BINARY: undefined,
      npm_execpath: join(project, 'npm.js'),
      ...env,
    },
  });
  const calls = existsSync(join(project, 'calls'))
    ? readFileSync(join(project, 'calls'), 'utf8').trim().split('\n')
    : [];
  return { calls, status, stdout, stderr };
}

const INSTALL = expect.stringMatching(/^npm ci --include=dev /);
const GENERATE = 'prisma generate with an engine';

describe('ensure', () => {
  it('installs and generates in a fresh checkout, and says nothing the next time', () => {
    expect(ensure()).toMatchObject({ status: 0, calls: [INSTALL, GENERATE] });
    expect(ensure()).toEqual({ status: 0, calls: [], stdout: '', stderr: '' });
  });

  it('installs again when the lockfile changes or an installation was interrupted', () => {
    ensure();
    writeJson('package-lock.json', lockfile('1.0.1'));
    expect(ensure().calls).toEqual([INSTALL, GENERATE]);
    rmSync(join(project, 'node_modules/.package-lock.json'));
    expect(ensure().calls).toEqual([INSTALL]);
  });

  it('generates again when the schema changes or the client is gone', () => {
    ensure();
    write('prisma/schema.prisma', 'two');
    expect(ensure().calls).toEqual([GENERATE]);
    rmSync(join(project, 'src/generated'), { recursive: true });
    expect(ensure().calls).toEqual([GENERATE]);
  });

  it('misses the packages for development, but not in production', () => {
    ensure();
    const installed = lockfile('1.0.0').packages;
    writeJson('node_modules/.package-lock.json', {
      packages: { 'node_modules/@prisma/client': installed['node_modules/@prisma/client'] },
    });
    expect(ensure({ NODE_ENV: 'production' }).calls).toEqual([]);
    expect(ensure().calls).toEqual([INSTALL]);
  });

  it('fails in one clear line when packages can not be installed', () => {
    const { status, stderr } = ensure({ NPM_FAILS: '7' });
    expect(status).toBe(1);
    expect(stderr).toBe('bursar: the packages could not be installed: npm ci ended with 7\n');
  });

  it('shows what Prisma says when the client can not be generated, and tries again the next time', () => {
    const { status, stderr } = ensure({ PRISMA_FAILS: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain('the schema is wrong');
    expect(stderr).toMatch(/bursar: the Prisma client could not be generated: .*\n$/);
    expect(ensure().calls).toEqual([GENERATE]);
  });
});
