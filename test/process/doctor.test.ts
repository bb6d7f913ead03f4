// npm run doctor, on installations that are well and on those that are not: it names what is wrong, says what to do, and changes nothing.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { grantRights } from '../../src/db/rights.js';
import { cleanUpProcesses, newDataDir, PROJECT_DIR, startBursar } from '../support/bursar-process.js';
import { createEmptyDatabase, useTestDatabases } from '../support/database.js';
import { findFreePort } from '../support/free-port.js';
import { query } from '../support/sql.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();
const run = promisify(execFile);
/** A process whose clock is an hour ahead. */
const AHEAD = `data:text/javascript,${encodeURIComponent('const R=Date;globalThis.Date=class extends R{constructor(...a){a.length?super(...a):super(R.now()+3600000)}static now(){return R.now()+3600000}}')}`;

interface Examined {
  code: number;
  stdout: string;
  stderr: string;
  /** What was said of a thing, with the verdict in front. */
  of(thing: string): string[];
}

async function examine(env: Record<string, string>, nodeArgs: string[] = []): Promise<Examined> {
  const silent = { NODE_ENV: '', VITEST: undefined, DATABASE_URL: '', BURSAR_API_TOKEN: '', BURSAR_PEPPER: '' };
  const given = { ...process.env, ...silent, BURSAR_SECRET_KEY: '', BURSAR_DATA_DIR: newDataDir(), PORT: '0', ...env };
  const options = { cwd: PROJECT_DIR, env: given };
  const ended = await run(process.execPath, ['--import', 'tsx', ...nodeArgs, 'scripts/doctor.ts'], options).then(
    (told) => ({ ...told, code: 0 }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const { code, stdout, stderr } = ended;
  const lines = stdout.split('\n').map((line) => /^(\w+) +(.{18}) {2}(.*)$/.exec(line));
  return {
    code,
    stdout,
    stderr,
    of: (thing) => lines.flatMap((line) => (line?.[2]?.trim() === thing ? [`${line[1]}: ${line[3]}`] : [])),
  };
}

const PRODUCTION = {
  NODE_ENV: 'production',
  BURSAR_API_TOKEN: 't'.repeat(24),
  BURSAR_PEPPER: 'p'.repeat(32),
  BURSAR_SECRET_KEY: 's'.repeat(32),
};

describe('an installation that is well', () => {
  it('is told thing by thing, and ends with 0', async () => {
    const { code, stdout, stderr, of } = await examine({ DATABASE_URL: await newDatabase() });
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('FAIL');
    for (const thing of [
      'Node',
      'port',
      'data folder',
      'database',
      'session',
      'connections',
      'clock',
      'migrations',
      'rights',
      'pepper',
      'secret key',
      'jobs',
    ])
      expect(of(thing), thing).toEqual([expect.stringMatching(/^ok: /)]);
    expect(stdout).toMatch(/\n\d+ looked at, nothing is wrong\n$/);
  });

  it('may have an embedded database that does not run', async () => {
    const { code, of } = await examine({});
    expect([code, of('database')]).toEqual([0, [expect.stringMatching(/^skip: .*start it/)]]);
  });

  it('may be running', async () => {
    const env = {
      DATABASE_URL: await newDatabase(),
      PORT: String(await findFreePort()),
      BURSAR_DATA_DIR: newDataDir(),
    };
    await startBursar(env).ready();
    const { code, stdout, of } = await examine(env);
    expect(code, stdout).toBe(0);
    expect(of('port')).toEqual([expect.stringMatching(/^ok: .*Bursar \d+\.\d+\.\d+ answers there$/)]);
  });

  it('may have new secrets beside known ones, which are not noted by the look', async () => {
    const url = await newDatabase();
    const env = { DATABASE_URL: url, BURSAR_SECRET_KEY: 's'.repeat(32) };
    await query(url, `INSERT INTO secrets (name) VALUES ('secret key ${'0'.repeat(12)}')`);
    const stranger = await examine(env);
    expect(stranger.of('secret key')).toEqual([
      expect.stringMatching(/^FAIL: BURSAR_SECRET_KEY .* has no key that this database knows/),
    ]);
    const name = /secret key [0-9a-f]{12}/.exec(stranger.of('secret key')[0] ?? '')?.[0];
    await query(url, `UPDATE secrets SET name = '${name}'`);
    const rotated = await examine({ ...env, BURSAR_SECRET_KEY: `${'n'.repeat(32)},${'s'.repeat(32)}` });
    expect([rotated.code, rotated.of('secret key')]).toEqual([0, [expect.stringMatching(/^ok: /)]]);
    expect(await query(url, 'SELECT name, fingerprint FROM secrets')).toEqual([{ name, fingerprint: null }]);
  });
});

describe('an installation that is not', () => {
  const expectFailure = (examined: Examined, thing: string, says: RegExp) => {
    expect(examined.of(thing), examined.stdout + examined.stderr).toContainEqual(expect.stringMatching(says));
    expect(examined.code).toBe(1);
    expect(examined.stdout).toMatch(/\d+ looked at, \d+ wrong\n$/);
  };

  it('has a variable that is malformed', async () => {
    expectFailure(await examine({ PORT: 'http' }), 'configuration', /^FAIL: PORT must be a port number/);
  });

  it('lacks what production needs', async () => {
    expectFailure(
      await examine({ NODE_ENV: 'production' }),
      'configuration',
      /^FAIL: DATABASE_URL must be set in production.*BURSAR_PEPPER/,
    );
  });

  it('has a port that somebody else has', async () => {
    const server = createServer((socket) => socket.end('nonsense'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expectFailure(
      await examine({ PORT: String(port) }),
      'port',
      /^FAIL: .* is taken: stop what listens there, or set PORT/,
    );
  });

  it('has a file where the data folder should be', async () => {
    const dir = newDataDir();
    writeFileSync(dir, '');
    expectFailure(
      await examine({ BURSAR_DATA_DIR: dir }),
      'data folder',
      /^FAIL: can not use the data folder .* set BURSAR_DATA_DIR/,
    );
  });

  it('lets others read its secrets', async () => {
    const dir = newDataDir();
    mkdirSync(dir);
    writeFileSync(join(dir, 'pepper'), 'p'.repeat(32));
    chmodSync(join(dir, 'pepper'), 0o644);
    const { code, of } = await examine({ BURSAR_DATA_DIR: dir });
    expect([code, of('data folder')]).toEqual([
      0,
      [expect.stringMatching(/^warn: others can read .*pepper: chmod 600/)],
    ]);
  });

  it('has no server, no such database, or a wrong password', async () => {
    const url = new URL(await newDatabase());
    const wrong = (change: Partial<Pick<URL, 'port' | 'pathname' | 'password'>>): string =>
      Object.assign(new URL(url), change).toString();
    for (const [DATABASE_URL, says] of [
      [wrong({ port: String(await findFreePort()) }), /^FAIL: can not use the database .*nothing listens there/],
      [wrong({ pathname: '/nowhere' }), /^FAIL: .*the database does not exist; create it/],
      [wrong({ password: 'wrong' }), /^FAIL: .*the password is wrong/],
    ] as const)
      expectFailure(await examine({ DATABASE_URL }), 'database', says);
  });

  it('may lose what it was told, in production', async () => {
    const url = new URL(await newDatabase());
    url.searchParams.set('options', '-c synchronous_commit=off');
    const examined = await examine({ ...PRODUCTION, DATABASE_URL: url.toString() });
    expectFailure(examined, 'synchronous_commit', /^FAIL: is off, so .*set synchronous_commit = on/);
  });

  it('wants more connections than there are', async () => {
    const examined = await examine({ DATABASE_URL: await newDatabase(), BURSAR_POOL_SIZE: '500' });
    expectFailure(examined, 'connections', /^FAIL: BURSAR_POOL_SIZE is 500, .* lower it, or raise max_connections/);
  });

  it('has a clock that is wrong', async () => {
    const examined = await examine({ DATABASE_URL: await newDatabase() }, ['--import', AHEAD]);
    expectFailure(examined, 'clock', /^FAIL: this machine is 3600\.\d s ahead of the database.*NTP/);
  });

  it('has a database that takes no writes', async () => {
    const url = new URL(await newDatabase());
    await query(url.toString(), `ALTER DATABASE ${url.pathname.slice(1)} SET default_transaction_read_only = on`);
    expectFailure(
      await examine({ DATABASE_URL: url.toString() }),
      'session',
      /^FAIL: the database takes no writes: it is a standby/,
    );
  });

  it('has no tables yet, which is told and not made', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const { code, of } = await examine({ DATABASE_URL: database.url });
    expect([code, of('migrations'), of('rights, secrets')]).toEqual([
      0,
      [expect.stringMatching(/^warn: \d+ to apply, from \d+_\w+ on: the next start does/)],
      [expect.stringMatching(/^skip: /)],
    ]);
    expect(await query(database.url, `SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  it('is of an older version than its database', async () => {
    const url = await newDatabase();
    const name = '99990101000000_later';
    await query(
      url,
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '${name}', now())`,
    );
    await query(url, 'UPDATE schema_compatibility SET needs = 99990101000000');
    expectFailure(
      await examine({ DATABASE_URL: url }),
      'migrations',
      /^FAIL: the database is from a newer version of Bursar/,
    );
  });

  it('has a user without the rights', async () => {
    const url = new URL(await newDatabase());
    const owner = new pg.Client({ connectionString: url.toString() });
    await owner.connect();
    const role = `bursar_doctor_${randomUUID().slice(0, 8)}`;
    await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'of-the-service'`);
    await grantRights(owner, role);
    await owner.query(`REVOKE SELECT ON entries FROM ${role}`);
    url.username = role;
    url.password = 'of-the-service';
    const examined = await examine({ DATABASE_URL: url.toString() });
    await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await owner.end();
    expectFailure(
      examined,
      'rights',
      /^FAIL: the user \S+ lacks rights in the database: SELECT on entries\. Run "npm run migrate -- --grant-to/,
    );
  });

  it('is a sandbox, and does not say so', async () => {
    const url = await newDatabase();
    await query(url, `INSERT INTO sandbox_clock (instant) VALUES ('2030-01-01')`);
    const examined = await examine({ DATABASE_URL: url });
    expectFailure(examined, 'sandbox', /^FAIL: the clock of this database was set by hand/);
  });

  it('has jobs that nobody does', async () => {
    const url = await newDatabase();
    await query(
      url,
      `INSERT INTO jobs (name, interval_ms, late_after_ms, next_due_at) VALUES ('sweep', 60000, 180000, now() - interval '1 hour')`,
    );
    const { code, of } = await examine({ DATABASE_URL: url });
    expect([code, of('jobs')]).toEqual([0, [expect.stringMatching(/^warn: late: sweep\./)]]);
  });
});
