// The package as its user gets it: packed, installed into an empty folder, compiled against under a strict configuration, and run.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT_DIR } from '../support/bursar-process.js';

const CLIENT_DIR = 'clients/typescript';
const README = readFileSync(join(PROJECT_DIR, CLIENT_DIR, 'README.md'), 'utf8');
/** What the package needs beside itself, which is installed from this checkout: no registry is asked. */
const DEPENDENCIES = ['standardwebhooks', '@stablelib/base64', 'fast-sha256'];
const STRICT = {
  target: 'ES2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  noUnusedLocals: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
};

let dir: string;
let app: string;

function run(command: string, args: readonly string[], cwd: string): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$)/.test(name)));
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env });
  expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bursar-package-'));
  const checkout = join(dir, 'checkout');
  mkdirSync(join(checkout, 'clients'), { recursive: true });
  cpSync(join(PROJECT_DIR, CLIENT_DIR), join(checkout, CLIENT_DIR), { recursive: true });
  rmSync(join(checkout, CLIENT_DIR, 'dist'), { recursive: true, force: true });
  cpSync(join(PROJECT_DIR, 'tsconfig.json'), join(checkout, 'tsconfig.json'));
  symlinkSync(join(PROJECT_DIR, 'node_modules'), join(checkout, 'node_modules'), 'junction');
  const packed = run('npm', ['pack', '--json', '--loglevel=error'], join(checkout, CLIENT_DIR));
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [{ filename: string }];

  app = join(dir, 'app');
  mkdirSync(app);
  const installed = DEPENDENCIES.map((name) => [name, `file:${join(PROJECT_DIR, 'node_modules', name)}`]);
  const dependencies = {
    '@bursar/client': `file:${join(checkout, CLIENT_DIR, filename)}`,
    ...Object.fromEntries(installed),
  };
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'app', private: true, type: 'module', dependencies }),
  );
  run(
    'npm',
    ['install', '--offline', '--install-links', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    app,
  );
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Compiles a file as a user with this configuration does. */
function compile(name: string, text: string, options: object): void {
  writeFileSync(join(app, name), text);
  writeFileSync(
    join(app, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files: [name] }),
  );
  run(process.execPath, [join(PROJECT_DIR, 'node_modules/typescript/bin/tsc'), '-p', '.'], app);
}

describe('the package', () => {
  it('has what it needs and no more', () => {
    const files = run('find', ['node_modules/@bursar/client', '-type', 'f'], app).trim().split('\n');
    const odd = files.filter((file) => !/client\/(?:package\.json|README\.md|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(file));
    expect(odd).toEqual([]);
    expect(files.some((file) => file.endsWith('dist/bursar.d.ts'))).toBe(true);
  });

  it('names its dependencies with the versions that were tried', () => {
    const manifest = JSON.parse(readFileSync(join(PROJECT_DIR, CLIENT_DIR, 'package.json'), 'utf8'));
    const tried = JSON.parse(readFileSync(join(PROJECT_DIR, 'package.json'), 'utf8'));
    expect(manifest.dependencies).toEqual({ standardwebhooks: tried.dependencies.standardwebhooks });
  });

  it('runs, from each of its entries', () => {
    const script = `
      const names = [];
      for (const entry of ['', '/webhooks', '/meter', '/fastify', '/express', '/hono'])
        names.push(...Object.keys(await import('@bursar/client' + entry)));
      console.log(names.sort().join(' '));`;
    const names = run(process.execPath, ['--input-type=module', '-e', script], app).trim().split(' ');
    expect(names).toEqual(
      expect.arrayContaining(['createBursar', 'createMeter', 'meterRequests', 'meterRoutes', 'verifyWebhook']),
    );
  });

  it('compiles for a browser, without the types of Node, as the README begins', () => {
    const first = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? '';
    expect(
      first
        .trim()
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(4);
    const text = `${first.replace("process.env.BURSAR_API_TOKEN ?? ''", "'token'")}
      import { BursarProblem, each, isOutage } from '@bursar/client';
      import { verifyWebhook } from '@bursar/client/webhooks';
      import '@bursar/client/meter';
      export async function spend(): Promise<number> {
        try {
          for await (const entry of each(bursar.listEntries, { external_id: 'alice' })) console.log(entry.kind, entry.amount);
          const hold = await bursar.reserve({ external_id: 'alice', feature: 'images', amount: 2 });
          if (!hold.allowed) return hold.violations[0]?.limit ?? 0;
          const ended = await bursar.commit({ id: hold.id, amount: 1 }, { signal: AbortSignal.timeout(1_000) });
          return ended.allowed ? ended.committed_amount : 0;
        } catch (error) {
          if (error instanceof BursarProblem && error.code === 'invalid_request') return error.errors.length;
          return isOutage(error) ? 1 : verifyWebhook('secret', new Headers(), 'body').sequence;
        }
      }
      // @ts-expect-error a use names its customer
      void bursar.consume({ product_key: 'CREDITS' });
      // @ts-expect-error and what is used
      void bursar.consume({ external_id: 'alice' });
      // @ts-expect-error a misspelt member
      void bursar.consume({ external_id: 'alice', product_key: 'CREDITS', ammount: 3 });
      // @ts-expect-error a success is not known before it is looked at
      void bursar.consume({ external_id: 'alice', product_key: 'CREDITS' }).then((use) => use.remaining);
    `;
    compile('browser.ts', text, { lib: ['ES2022', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'], types: [] });
  });
});
