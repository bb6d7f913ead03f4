// Postgres restarts, or the process is killed, under load; or two apps share one database. What each client was told stays true. The counts are
// in the tests' annotations (`--reporter=verbose`).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { startEmbeddedPostgres } from '../../src/embedded/embedded-postgres.js';
import { findPostgresBinaries, serverUser } from '../../src/embedded/postgres-binaries.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import { systemClock } from '../../src/lib/clock.js';
import { API_TOKEN, startTestApp, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { compareWithLedger, describeCounts, type LoadCounts, type Post, startLoad } from '../support/load.js';
import { deadlocksOf } from '../support/parallel.js';

const PRODUCT = 'LOAD_UNITS';
/** The last of them has next to nothing, and is refused. */
const PEOPLE = ['ada', 'bob', 'cy', 'poor'];
const DONE_BEFORE = 150;
const DONE_AFTER = 100;
const DONE_BY_TWO = 400;

cleanUpProcesses();
const newDatabase = useTestDatabases();

const headers = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };

type Send = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object, key?: string) => ReturnType<Post>;

/** Over sockets of the runtime's own client; undefined when the connection is lost. */
function sendTo(baseUrl: () => string): Send {
  return async (method, path, body, key) => {
    const init = {
      method,
      headers: { ...headers, ...(key !== undefined && { 'idempotency-key': key }) },
      ...(body && { body: JSON.stringify(body) }),
    };
    try {
      const response = await fetch(`${baseUrl()}${BASE_PATH}${path}`, init);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    } catch (error) {
      if (error instanceof TypeError) return undefined; // what fetch throws for a connection that was refused or cut
      throw error;
    }
  };
}

const postBy =
  (send: Send): Post =>
  (path, body, key) =>
    send('POST', path, body, key);

/** Every kind of request got through. */
function expectAllKinds({ whats }: LoadCounts): void {
  expect(Object.keys(whats).sort()).toEqual(['commit', 'consume', 'give back', 'reserve']);
}

async function endow(send: Send): Promise<void> {
  const product = { name: PRODUCT, type: 'quantity' };
  expect((await send('PUT', `/products/${PRODUCT}`, product))?.status).toBe(201);
  for (const external_id of PEOPLE) {
    const quantity = external_id === 'poor' ? 5 : 100_000;
    const grant = { external_id, grant_type: 'bonus', product_key: PRODUCT, quantity };
    expect((await send('POST', '/grants', grant))?.status).toBe(201);
  }
}

/** An app in this process, on its own pool. */
async function startApp(databaseUrl: string): Promise<{ url: string; close(): Promise<void> }> {
  const running = await startTestApp(databaseUrl, systemClock);
  const address = running.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the app has no port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => running.close() };
}

/** Stops a server while clients are connected, as `fast` does, and starts it again on its port. */
async function restartPostgres(serverDir: string): Promise<void> {
  const { pg_ctl } = await findPostgresBinaries();
  const args = ['restart', '-m', 'fast', '-w', '-D', serverDir, '-l', join(serverDir, 'server.log')];
  const [code] = await once(spawn(pg_ctl, args, { ...serverUser, cwd: serverDir, stdio: 'ignore' }), 'exit');
  expect(code).toBe(0);
}

describe('a database that can not be reached', () => {
  it.each([
    ['GET', '/balance?external_id=ada&product_key=LOAD_UNITS', undefined],
    ['GET', '/wallet?external_id=ada', undefined],
    ['GET', '/catalog', undefined],
    ['POST', '/quota/check', { external_id: 'ada', product_key: PRODUCT, amount: 1 }],
    ['POST', '/quota/consume', { external_id: 'ada', product_key: PRODUCT, amount: 1 }],
    ['POST', '/reservations', { external_id: 'ada', product_key: PRODUCT, amount: 1 }],
    ['POST', '/reservations/0198c0de-0000-7000-8000-000000000000/commit', {}],
    ['POST', '/quota/release', { operation_id: '0198c0de-0000-7000-8000-000000000000' }],
    ['POST', '/credits/deduct', { external_id: 'ada', product_key: PRODUCT, amount: 1 }],
    [
      'POST',
      '/quota/consume/batch',
      { items: [{ external_id: 'ada', product_key: PRODUCT, amount: 1 }], mode: 'atomic' },
    ],
    ['POST', '/identify', { external_id: 'ada' }],
    ['POST', '/grants', { external_id: 'ada', grant_type: 'bonus', product_key: PRODUCT, quantity: 1 }],
    ['PUT', `/products/${PRODUCT}`, { name: PRODUCT, type: 'quantity' }],
  ] as const)('makes %s %s answer 503 unavailable', async (method, path, body) => {
    const app = await startApp('postgresql://nobody@127.0.0.1:1/nothing');
    onTestFinished(() => app.close());
    const answer = await sendTo(() => app.url)(method, path, body);
    expect([answer?.status, answer?.body.code]).toEqual([503, 'unavailable']);
  });
});

describe('Postgres restarting under load', () => {
  it('leaves every answer true, and nothing happens twice', async ({ annotate }) => {
    const { url, serverDir } = await startEmbeddedPostgres(newDataDir());
    await migrate(url);
    const app = await startApp(url);
    onTestFinished(() => app.close());
    const send = sendTo(() => app.url);
    await endow(send);
    const load = startLoad(postBy(send), PEOPLE, PRODUCT);
    await load.untilDone(DONE_BEFORE);
    await restartPostgres(serverDir);
    await load.untilDone(DONE_AFTER);
    await load.stop();
    const counts = await compareWithLedger(url, postBy(send), load.sent);
    await annotate(describeCounts(counts));
    expect(counts.refused).toBeGreaterThan(0);
    expectAllKinds(counts);
    await auditInvariants(url);
  });
});

describe('a process that gets SIGKILL under load and starts again', () => {
  it('leaves every answer true, and nothing happens twice', async ({ annotate }) => {
    const databaseUrl = await newDatabase();
    const env = { DATABASE_URL: databaseUrl, BURSAR_API_TOKEN: API_TOKEN, BURSAR_PEPPER: TEST_PEPPER };
    const first = startBursar(env);
    let url = await first.ready();
    const send = sendTo(() => url);
    await endow(send);
    const load = startLoad(postBy(send), PEOPLE, PRODUCT);
    await load.untilDone(DONE_BEFORE);
    first.signal('SIGKILL');
    expect(await first.exited()).toEqual({ code: null, signal: 'SIGKILL' });
    url = await startBursar(env).ready();
    await load.untilDone(DONE_AFTER);
    await load.stop();
    const counts = await compareWithLedger(databaseUrl, postBy(send), load.sent);
    await annotate(describeCounts(counts));
    expect(counts.unknown).toBeGreaterThan(0);
    expectAllKinds(counts);
    await auditInvariants(databaseUrl);
  });
});

describe('two apps on one database, with the same customers, under load', () => {
  it('never deadlock, answer every request, and keep the ledger exact', async ({ annotate }) => {
    const databaseUrl = await newDatabase();
    const apps = [await startApp(databaseUrl), await startApp(databaseUrl)];
    onTestFinished(async () => {
      for (const app of apps) await app.close();
    });
    let turn = 0;
    const send = sendTo(() => {
      turn += 1;
      return (apps[turn % 2] as (typeof apps)[number]).url;
    });
    await endow(send);
    const startedMs = performance.now();
    const load = startLoad(postBy(send), PEOPLE, PRODUCT);
    await load.untilDone(DONE_BY_TWO);
    await load.stop();
    const perSecond = Math.round((1_000 * load.sent.length) / (performance.now() - startedMs));
    const counts = await compareWithLedger(databaseUrl, postBy(send), load.sent);
    await annotate(`${describeCounts(counts)}; ${perSecond} requests a second`);
    expect(counts.unknown).toBe(0);
    expectAllKinds(counts);
    expect(await deadlocksOf(databaseUrl)).toBe(0);
    await auditInvariants(databaseUrl);
  });
});
