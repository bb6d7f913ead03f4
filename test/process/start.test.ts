// The process as its users meet it: first start, stopping without leftovers, restart after any end. Refusals have a file of their own.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { API_TOKEN } from '../support/app.js';
import {
  type BursarProcess,
  cleanUpProcesses,
  isListening,
  leftoversOf,
  newDataDir,
  serverDirOf,
  startBursar,
  untilReady,
} from '../support/bursar-process.js';
import { createEmptyDatabase, useTestDatabases } from '../support/database.js';
import { holdTransaction, untilWaiting } from '../support/parallel.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

const OWNER_ONLY = 0o600;

cleanUpProcesses();
const newDatabase = useTestDatabases();

const embeddedUrl = (dataDir: string) => readFileSync(join(dataDir, 'database-url'), 'utf8').trim();

/** Sends what the banner's command sends, and returns the answer. */
async function runPrintedCurl(stdout: string): Promise<unknown> {
  const command = /^curl -s (\S+) -H '([^']+)' -H '([^']+)' -d '([^']+)'$/m.exec(stdout);
  if (!command) throw new Error(`no command in\n${stdout}`);
  const [, url, first, second, body] = command as unknown as [string, string, string, string, string];
  const headers = [first, second].map((header) => header.split(': ') as [string, string]);
  const response = await fetch(url, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  return response.json();
}

async function expectCleanEnd(bursar: BursarProcess, url: string, dataDir: string): Promise<void> {
  expect(await bursar.exited(), bursar.stderr()).toMatchObject({ signal: null });
  await bursar.groupEnded();
  expect(await isListening(url)).toBe(false);
  expect(leftoversOf(dataDir)).toEqual([]);
}

describe('a start from nothing', () => {
  it('makes its own database and secrets, and prints a command that works', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir }, { isNpm: true });
    const url = await bursar.ready();

    await untilReady(url);
    expect((await fetch(`${url}/docs`)).status).toBe(200);
    const token = readFileSync(join(dataDir, 'api-token'), 'utf8').trim();
    expect(bursar.stdout()).toContain(token);
    expect(await runPrintedCurl(bursar.stdout())).toMatchObject({ external_id: 'alice', created_customer: true });
    for (const name of ['api-token', 'pepper', 'database-url', 'api.env']) {
      expect(statSync(join(dataDir, name)).mode & 0o777, name).toBe(OWNER_ONLY);
    }
    expect(await query(embeddedUrl(dataDir), 'SHOW TimeZone')).toEqual([{ TimeZone: 'UTC' }]);

    bursar.signal('SIGTERM');
    await expectCleanEnd(bursar, url, dataDir);
  });

  it('works below a folder that only its owner may enter', async () => {
    const dataDir = newDataDir(0o700);
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await bursar.ready();
    expect(await query(embeddedUrl(dataDir), 'SELECT count(*)::int AS n FROM customers')).toEqual([{ n: 0 }]);
    bursar.signal('SIGTERM');
    await expectCleanEnd(bursar, url, dataDir);
  });
});

describe('a start on a database', () => {
  it('that is empty succeeds for several at once', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const processes = [1, 2].map(() => startBursar({ DATABASE_URL: database.url, BURSAR_DATA_DIR: newDataDir() }));
    for (const bursar of processes) {
      await untilReady(await bursar.ready());
    }
    for (const bursar of processes) bursar.signal('SIGTERM');
    for (const bursar of processes) expect(await bursar.exited()).toEqual({ code: 0, signal: null });
  });

  it('of a newer version that it can read succeeds, and is told', async () => {
    const url = await newDatabase();
    await query(
      url,
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '99990101000000_future', now())`,
    );
    const bursar = startBursar({ DATABASE_URL: url, BURSAR_DATA_DIR: newDataDir() });
    await bursar.ready();
    expect(bursar.stdout()).toMatch(
      /"migrations":\["99990101000000_future"\].*from a newer version, which this one can read/,
    );
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
  });
});

const serverPidOf = (dataDir: string): number =>
  Number(readFileSync(join(serverDirOf(dataDir), 'postmaster.pid'), 'utf8').split('\n')[0]);

describe('an end', () => {
  it('by Ctrl-C, which npm passes on a second time, is clean', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir }, { isNpm: true });
    const url = await bursar.ready();
    bursar.signalGroup('SIGINT');
    await expectCleanEnd(bursar, url, dataDir);
  });

  it('by SIGTERM exits 0 and has nothing to complain about', async () => {
    const bursar = startBursar({ DATABASE_URL: await newDatabase(), BURSAR_DATA_DIR: newDataDir() });
    const url = await bursar.ready();
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(bursar.stderr()).toBe('');
    expect(await isListening(url)).toBe(false);
  });

  it('by SIGTERM waits for the answer to a request that is under way', async () => {
    const token = 'token-of-this-test';
    const databaseUrl = await newDatabase();
    const bursar = startBursar({
      DATABASE_URL: databaseUrl,
      BURSAR_DATA_DIR: newDataDir(),
      BURSAR_API_TOKEN: token,
    });
    const url = await bursar.ready();
    const send = () =>
      fetch(`${url}/api/v1/billing/quota/consume`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{"external_id":"bob","product_key":"AI_POOL","amount":1}',
      });
    expect((await send()).status).toBe(402);
    const held = await holdTransaction(databaseUrl);
    await held.query('SELECT FROM customers FOR UPDATE');
    const answered = send();
    await untilWaiting(databaseUrl, 1);
    bursar.signal('SIGTERM');
    await waitFor('the port to close', async () => !(await isListening(url)) || undefined);
    await held.rollback();
    expect((await answered).status).toBe(402);
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
  });

  it('while still starting leaves nothing either', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir });
    await waitFor('the data folder', () => existsSync(join(dataDir, 'postgres.password')) || undefined);
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(bursar.stdout()).not.toContain('ready');
    expect(leftoversOf(dataDir)).toEqual([]);
  });

  it('by kill -9 loses nothing, and the next start takes over', async () => {
    const dataDir = newDataDir();
    const first = startBursar({ BURSAR_DATA_DIR: dataDir });
    await first.ready();
    await query(embeddedUrl(dataDir), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const token = readFileSync(join(dataDir, 'api-token'), 'utf8');
    first.signalGroup('SIGKILL');
    expect(await first.exited()).toEqual({ code: null, signal: 'SIGKILL' });

    const second = startBursar({ BURSAR_DATA_DIR: dataDir });
    await second.ready();
    expect(await query(embeddedUrl(dataDir), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(readFileSync(join(dataDir, 'api-token'), 'utf8')).toBe(token);

    // now the database server is killed with it, as by a power cut
    const serverPid = serverPidOf(dataDir);
    second.signalGroup('SIGKILL');
    process.kill(serverPid, 'SIGKILL');
    await second.exited();

    const third = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await third.ready();
    expect(await query(embeddedUrl(dataDir), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    third.signal('SIGTERM');
    await expectCleanEnd(third, url, dataDir);
  });
});

describe('a kill -9 of the embedded Postgres', () => {
  it('ends the process, which says so and nothing else', async () => {
    const dataDir = newDataDir();
    const first = startBursar({ BURSAR_DATA_DIR: dataDir });
    await first.ready();
    await query(embeddedUrl(dataDir), 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(serverPidOf(dataDir), 'SIGKILL');
    expect(await first.exited()).toEqual({ code: 1, signal: null });
    expect(first.stderr()).toMatch(/^bursar: the embedded Postgres has ended; its log is \S+server\.log\n$/);
    expect(first.stdout()).not.toContain('could not close');

    const second = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await second.ready();
    expect(await query(embeddedUrl(dataDir), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    second.signal('SIGTERM');
    await expectCleanEnd(second, url, dataDir);
  });
});

describe('left-over files', () => {
  it('of a first start that had no room for the password of the embedded Postgres do not keep it from starting', async () => {
    const dataDir = newDataDir();
    mkdirSync(dataDir, { mode: 0o711 });
    writeFileSync(join(dataDir, 'postgres.password'), '');
    const bursar = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await bursar.ready();
    bursar.signal('SIGTERM');
    await expectCleanEnd(bursar, url, dataDir);
  });

  it('with the pid of another living process do not keep it from starting', async () => {
    const dataDir = newDataDir();
    const first = startBursar({ BURSAR_DATA_DIR: dataDir });
    await first.ready();
    first.signal('SIGTERM');
    await first.exited();
    const stale = [process.pid, serverDirOf(dataDir), '1700000000', '1', '', '127.0.0.1', '0 0', 'ready'].join('\n');
    writeFileSync(join(serverDirOf(dataDir), 'postmaster.pid'), stale);
    mkdirSync(join(dataDir, 'postgres.new')); // an initdb that was interrupted

    const second = startBursar({ BURSAR_DATA_DIR: dataDir });
    const url = await second.ready();
    second.signal('SIGTERM');
    await expectCleanEnd(second, url, dataDir);
  });
});

describe('in production', () => {
  it('needs no data folder when everything is given, keeps the token to itself, and warns of unknown variables', async () => {
    const dataDir = newDataDir();
    const bursar = startBursar({
      NODE_ENV: 'production',
      DATABASE_URL: await newDatabase(),
      BURSAR_DATA_DIR: dataDir,
      BURSAR_API_TOKEN: 'production-token-0123456789',
      BURSAR_PEPPER: 'production-pepper-0123456789abcdef',
      BURSAR_SECRET_KEY: 'production-secret-key-0123456789ab',
      BURSAR_TYPO: '1',
      BURSAR_DRAIN_MS: '0',
      LOG_LEVEL: 'info',
    });
    const listening = await waitFor('the log line', () => /listening at (\S+)"/.exec(bursar.stdout())?.[1]);
    await untilReady(listening);
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(bursar.stdout()).toContain('unknown variable BURSAR_TYPO');
    expect(bursar.stdout()).not.toContain('production-token');
    for (const line of bursar.stdout().trim().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
    expect(existsSync(dataDir)).toBe(false);
    expect(readdirSync(join(dataDir, '..'))).toEqual([]);
  });
});

describe('an error of the database', () => {
  it('is logged without the row that it is about', async () => {
    const databaseUrl = await newDatabase();
    await query(databaseUrl, `ALTER TABLE identities ADD CONSTRAINT made_up_ck CHECK (external_id NOT LIKE 'ada%')`);
    const bursar = startBursar({
      DATABASE_URL: databaseUrl,
      BURSAR_DATA_DIR: newDataDir(),
      BURSAR_API_TOKEN: API_TOKEN,
    });
    const origin = await bursar.ready();
    const identify = { method: 'POST', path: '/identify', body: { external_id: 'ada@example.test' } };
    expect(await sendPlain(origin, identify)).toMatchObject({ status: 500 });
    await waitFor('the line of the error', () => bursar.stdout().includes('made_up_ck') || undefined);
    expect(bursar.stdout()).not.toContain('ada@');
    bursar.signal('SIGTERM');
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
  });
});
