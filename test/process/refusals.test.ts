// Starts that can't succeed: each says why in one line, exits 1, and leaves nothing behind.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { API_TOKEN } from '../support/app.js';
import { cleanUpProcesses, leftoversOf, newDataDir, startBursar, untilReady } from '../support/bursar-process.js';
import { createEmptyDatabase, useTestDatabases } from '../support/database.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();

describe('a start that can not succeed says why in one line, exits 1 and leaves nothing', () => {
  async function expectRefusal(env: Record<string, string>, message: RegExp): Promise<void> {
    const bursar = startBursar(env);
    expect(await bursar.exited()).toEqual({ code: 1, signal: null });
    expect(bursar.stderr()).toMatch(/^bursar: [^\n]+\n$/);
    expect(bursar.stderr()).toMatch(message);
    expect(bursar.stdout()).not.toMatch(/ {4}at /);
    await bursar.groupEnded();
  }

  it('on a data folder that another one uses, which goes on', async () => {
    const dataDir = newDataDir();
    const first = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await first.ready();
    await expectRefusal(
      { BURSAR_DATA_DIR: dataDir },
      new RegExp(`another Bursar \\(process ${first.pid}\\) is running on`),
    );
    await untilReady(url);
    expect(existsSync(join(dataDir, 'database-url'))).toBe(true);
  });

  it('of several at once on one dead data folder all but one', async () => {
    const dataDir = newDataDir();
    const first = startBursar({ BURSAR_DATA_DIR: dataDir });
    await first.ready();
    first.signalGroup('SIGKILL');
    await first.exited();
    const rivals = [1, 2, 3].map(() => startBursar({ BURSAR_DATA_DIR: dataDir }));
    const outcomes = await Promise.all(
      rivals.map((rival) =>
        rival.ready().then(
          () => 'ready',
          () => 'refused',
        ),
      ),
    );
    expect(outcomes.sort()).toEqual(['ready', 'refused', 'refused']);
  });

  it('on a taken port, with the embedded database stopped again', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const dataDir = newDataDir();
    await expectRefusal(
      { BURSAR_DATA_DIR: dataDir, PORT: String(port) },
      new RegExp(`port ${port} on 127.0.0.1 is taken: stop what listens there, or set PORT`),
    );
    expect(leftoversOf(dataDir)).toEqual([]);
    blocker.close();
  });

  it('without a database that can be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    await expectRefusal(
      { DATABASE_URL: `postgresql://u:hidden@127.0.0.1:${port}/d` },
      new RegExp(`can not use the database 127.0.0.1:${port}/d: nothing listens there`),
    );
  });

  it('with a wrong password, which it does not repeat', async () => {
    const url = new URL(await newDatabase());
    url.password = 'hidden';
    await expectRefusal({ DATABASE_URL: url.toString() }, /^(?!.*hidden).*the password is wrong/);
  });

  it('with a database of a newer version that it would misread', async () => {
    const url = await newDatabase();
    await query(
      url,
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '99990101000000_future', now());
       UPDATE schema_compatibility SET needs = 99990101000000`,
    );
    await expectRefusal({ DATABASE_URL: url }, /from a newer version of Bursar \(it has 99990101000000_future\)/);
  });

  it('with a database of another application, in which it writes nothing', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    await query(database.url, 'CREATE TABLE customers (id int); CREATE TABLE invoices (id int)');
    await expectRefusal(
      { DATABASE_URL: database.url },
      /the schema "public" of the database is neither empty nor Bursar's \(it has customers, invoices\).*nothing was written/,
    );
    expect(await query(database.url, `SELECT relname FROM pg_stat_user_tables ORDER BY 1`)).toEqual([
      { relname: 'customers' },
      { relname: 'invoices' },
    ]);
  });

  it('with a schema in the URL, which other libraries take there', async () => {
    await expectRefusal(
      { DATABASE_URL: `${await newDatabase()}?schema=billing` },
      /schema in DATABASE_URL is not supported: .*search_path/,
    );
  });

  it('as a user who lacks rights on some tables, which are listed', async () => {
    const url = new URL(await newDatabase());
    const role = `bursar_short_${url.pathname.slice(-8)}`;
    await query(url.toString(), `CREATE ROLE ${role} LOGIN PASSWORD 'short'`);
    const admin = new URL(url);
    admin.pathname = '/postgres';
    onTestFinished(() => query(admin.toString(), `DROP ROLE ${role}`).then(() => undefined)); // the database is gone by then
    await query(
      url.toString(),
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}; GRANT SELECT, UPDATE ON events_place_seq TO ${role}; GRANT EXECUTE ON FUNCTION blank_erased TO ${role}; REVOKE ALL ON secrets FROM ${role}; REVOKE INSERT ON orders FROM ${role}`,
    );
    const ofRole = new URL(url);
    ofRole.username = role;
    ofRole.password = 'short';
    await expectRefusal(
      { DATABASE_URL: ofRole.toString() },
      new RegExp(
        `the user ${role} lacks rights in the database: INSERT on orders; SELECT, INSERT, UPDATE on secrets. Run "npm run migrate -- --grant-to ${role}"`,
      ),
    );
  });

  it('with another pepper than the one under which trials were claimed', async () => {
    const env = { DATABASE_URL: await newDatabase(), BURSAR_DATA_DIR: newDataDir(), BURSAR_API_TOKEN: API_TOKEN };
    const pepper = 'the-pepper-of-the-first-start-0001';
    const first = startBursar({ ...env, BURSAR_PEPPER: pepper });
    const origin = await first.ready();
    const trial = { external_id: 'ada', grant_type: 'trial', sku: 'GET_TEST_STAR' };
    expect(await sendPlain(origin, { method: 'POST', path: '/grants', body: trial })).toMatchObject({ status: 201 });
    first.signal('SIGTERM');
    await first.exited();
    await expectRefusal(
      { ...env, BURSAR_PEPPER: 'another-pepper-of-a-second-start-02' },
      /^(?!.*another-pepper).*BURSAR_PEPPER .* has no pepper under which this database knows who had a trial/,
    );
    await expectRefusal({ ...env }, /has no pepper under which/); // one that was generated
    const second = startBursar({ ...env, BURSAR_PEPPER: `a-newer-pepper-of-a-rotation-000003,${pepper}` });
    await second.ready();
  });

  it('with a malformed variable', async () => {
    await expectRefusal({ PORT: 'http' }, /PORT must be a port number, 0 to 65535 .*, not "http"/);
  });

  it('in production without secrets', async () => {
    await expectRefusal(
      { NODE_ENV: 'production' },
      /BURSAR_API_TOKEN must be set .*; BURSAR_PEPPER must be set .*; BURSAR_SECRET_KEY must be set/,
    );
  });

  it('in production without a database, and makes no ledger of its own', async () => {
    const dataDir = newDataDir();
    await expectRefusal(
      {
        NODE_ENV: 'production',
        BURSAR_API_TOKEN: 'production-token-0123456789',
        BURSAR_PEPPER: 'production-pepper-0123456789abcdef',
        BURSAR_SECRET_KEY: 'production-secret-key-0123456789ab',
        BURSAR_DATA_DIR: dataDir,
      },
      /DATABASE_URL must be set in production/,
    );
    expect(existsSync(dataDir)).toBe(false);
  });

  it('with a data folder that can not be one', async () => {
    const path = newDataDir();
    writeFileSync(path, '');
    await expectRefusal(
      { BURSAR_DATA_DIR: path },
      /can not use the data folder .*: it is not a folder; set BURSAR_DATA_DIR/,
    );
    await expectRefusal({ BURSAR_DATA_DIR: join(path, 'below') }, /a part of the path is not a folder/);
  });

  it.skipIf(!existsSync('/proc/self'))('with a data folder below one that takes none', async () => {
    await expectRefusal(
      { BURSAR_DATA_DIR: '/proc/x/data' },
      /can not use the data folder \/proc\/x\/data: .*; set BURSAR_DATA_DIR/,
    );
  });

  it.skipIf(!canMount())('with a data folder on a full disk, whatever of it is made before', async () => {
    const parent = newDataDir();
    mkdirSync(parent);
    for (const size of ['16k', '64k', '20m']) {
      mount(['-t', 'tmpfs', '-o', `size=${size},mode=0711`, 'tmpfs', parent]);
      try {
        await expectRefusal(
          { BURSAR_DATA_DIR: join(parent, 'data') },
          /can not use the data folder \S+: its disk is full; set BURSAR_DATA_DIR/,
        );
      } finally {
        spawnSync('umount', [parent]);
      }
    }
  });
});

function mount(args: string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ended with ${status}\n${stderr}`);
}

/** Whether this user may mount a file system, which only an administrator may. */
function canMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'bursar-mount-'));
  try {
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', dir]);
    if (status === 0) spawnSync('umount', [dir]);
    return status === 0;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
