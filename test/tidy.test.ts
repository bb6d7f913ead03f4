// Holds the source tree to its rules: the arrows between folders, and what may stand only in one file.
// Every rule is tried on a bad sample first, so that a rule that can't fail shows.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findViolations, type Sources } from './support/source-rules.js';

const PROJECT_DIR = fileURLToPath(new URL('..', import.meta.url));
const FILES_MIN = 20;

function readSources(): Sources {
  const names = readdirSync(join(PROJECT_DIR, 'src'), { recursive: true, encoding: 'utf8' });
  const paths = names
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/generated/'));
  return new Map(paths.map((path) => [path, readFileSync(join(PROJECT_DIR, path), 'utf8')]));
}

const violationsOf = (path: string, text: string) => findViolations(new Map([[path, text]]));

describe('the source tree', () => {
  it('keeps every rule', () => {
    const sources = readSources();
    expect(sources.size).toBeGreaterThan(FILES_MIN);
    expect(findViolations(sources)).toEqual([]);
  });
});

describe('the arrows', () => {
  it.each([
    ['src/routes/a.ts', `import { a } from '../db/a.js';`],
    ['src/routes/a.ts', `import { a } from '../ledger/a.js';`],
    ['src/routes/a.ts', `import { PrismaPg } from '@prisma/adapter-pg';`],
    ['src/routes/a.ts', `import { deps } from '../deps.js';`],
    ['src/services/a.ts', `import { fastify } from 'fastify';`],
    ['src/services/a.ts', `import cors from '@fastify/cors';`],
    ['src/services/a.ts', `import { z } from 'zod';`],
    ['src/services/a.ts', `import { a } from '../schemas/a.js';`],
    ['src/services/a.ts', `import type { B } from './b.js';`],
    ['src/services/a.ts', `const a = await import('../routes/a.js');`],
    ['src/services/a.ts', `import pg from 'pg';`],
    ['src/engine/a.ts', `import { a } from '../services/a.js';`],
    ['src/engine/a.ts', `import { type A, a } from '../deps.js';`],
    ['src/ledger/a.ts', `import { a } from '../db/a.js';`],
    ['src/ledger/a.ts', `import { readFileSync } from 'node:fs';`],
    ['src/db/a.ts', `import { a } from '../ledger/a.js';`],
    ['src/db/a.ts', `import { a } from '../services/a.js';`],
    ['src/embedded/a.ts', `import { a } from '../db/a.js';`],
    ['src/errors/a.ts', `import { a } from '../lib/a.js';`],
    ['src/lib/a.ts', `import { a } from '../errors/a.js';`],
    ['src/http/a.ts', `import { a } from '../services/a.js';`],
    ['src/schemas/a.ts', `import { a } from '../http/a.js';`],
    ['src/process/a.ts', `import { a } from '../config.js';`],
    ['src/app.ts', `import { a } from './ledger/a.js';`],
    ['src/app.ts', `import '../scripts/a.js';`],
    ['src/util/a.ts', ''],
  ])('refuse in %s: %s', (path, text) => {
    expect(violationsOf(path, text)).toEqual([expect.stringMatching(`^${path}: `)]);
  });

  it.each([
    ['src/routes/a.ts', `import type { Deps } from '../deps.js'; import { a } from '../services/a.js';`],
    ['src/routes/a.ts', `import type { Batch } from '../ledger/a.js'; import { b } from './b.js';`],
    ['src/db/a.ts', `import type { Batch } from '../ledger/a.js'; import { type Other } from '../ledger/b.js';`],
    ['src/services/a.ts', `import { b } from '../engine/b.js'; import 'node:crypto';`],
    ['src/ledger/a.ts', `export const at = (ms: number) => new Date(Date.UTC(ms)); // not async, no process.env`],
  ])('allow in %s: %s', (path, text) => {
    expect(violationsOf(path, text)).toEqual([]);
  });
});

describe('the ledger', () => {
  it.each([
    'export async function a() {}',
    'export const a = async () => 1;',
    'export function a(): Promise<void> { return b(); }',
    'setTimeout(a, 1);',
    'export const a = process.pid;',
  ])('is neither asynchronous nor aware of the process: %s', (text) => {
    expect(violationsOf('src/ledger/a.ts', text)).not.toEqual([]);
  });
});

describe('services and the ledger', () => {
  it.each([
    ['src/services/a.ts', `export const a = { product_key: 'A' };`],
    ['src/services/a.ts', 'export const a = (b: { c: string }) => b.product_key;'],
    ['src/ledger/a.ts', 'export interface A { product_key: string }'],
  ])('use no names of the wire: %s: %s', (path, text) => {
    expect(violationsOf(path, text)).toEqual([`${path}: product_key is a name of the wire`]);
  });
});

describe('what may stand only in its file', () => {
  it.each([
    ['the present time', 'const a = new Date();', 'src/lib/clock.ts'],
    ['the present time', 'const a = new Date;', 'src/lib/clock.ts'],
    ['the present time', 'const a = Date.now();', 'src/lib/clock.ts'],
    ['the present time', 'const a = [1].map(Date.now);', 'src/lib/clock.ts'],
    ['the present time', 'const a = Date();', 'src/lib/clock.ts'],
    ['Math.random', 'const a = Math.random();', 'src/lib/backoff.ts'],
    ['process.env', 'const a = process.env.HOME;', 'src/main.ts'],
    ['process.env', `const a = process['env'];`, 'src/main.ts'],
    ['process.env', 'const { env } = process;', 'src/main.ts'],
    ['process.env', 'const a = globalThis.process.env;', 'src/main.ts'],
    ['process.exit', 'process.exit(1);', 'src/main.ts'],
    ['process.exitCode', 'process.exitCode = 1;', 'src/main.ts'],
    ['PrismaClient', 'const a = new PrismaClient();', 'src/db/client.ts'],
  ])('%s: %s', (what, text, home) => {
    expect(violationsOf('src/lib/a.ts', text)).toEqual([`src/lib/a.ts: ${what} belongs in ${home}`]);
    expect(violationsOf(home, text)).toEqual([]);
  });

  it('console stands nowhere', () => {
    expect(violationsOf('src/main.ts', `console.log('a');`)).toEqual(['src/main.ts: console is not used']);
  });

  it('does not mind comments and texts', () => {
    expect(violationsOf('src/lib/a.ts', `// console, new Date()\nexport const a = 'process.env';`)).toEqual([]);
  });
});

describe('modules', () => {
  it('are not collected in barrels', () => {
    expect(violationsOf('src/lib/index.ts', '')).toEqual(['src/lib/index.ts: no index files']);
    expect(violationsOf('src/lib/a.ts', `export * from './b.js';`)).toEqual(['src/lib/a.ts: re-exports src/lib/b.ts']);
    expect(violationsOf('src/lib/a.ts', `export { b } from './b.js';`)).toHaveLength(1);
  });

  it('do not import in circles, for types neither', () => {
    const circle = new Map([
      ['src/lib/a.ts', `import { b } from './b.js';`],
      ['src/lib/b.ts', `import { c } from './c.js';`],
      ['src/lib/c.ts', `import type { A } from './a.js';`],
      ['src/lib/d.ts', `import { a } from './a.js';`],
    ]);
    expect(findViolations(circle)).toEqual([
      'import cycle: src/lib/a.ts -> src/lib/b.ts -> src/lib/c.ts -> src/lib/a.ts',
    ]);
  });
});
