// Reads that may lag, from a standby that really streams: what they see, what a position has them see, and who answers while the standby is behind, gone or none.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { API_TOKEN, startTestApp, TestClock } from '../support/app.js';
import { cleanUpProcesses, newDataDir, PROJECT_DIR, startBursar } from '../support/bursar-process.js';
import { readMetrics } from '../support/metrics.js';
import { type OwnServer, startOwnServer, startStandby } from '../support/own-server.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

cleanUpProcesses();

const execute = promisify(execFile);
const DATABASE = 'shop';
const urlOf = ({ adminUrl }: OwnServer, name = DATABASE) => adminUrl.replace(/postgres$/, name);

let primary: OwnServer;
let standby: OwnServer;
let running: Awaited<ReturnType<typeof startTestApp>>;

beforeAll(async () => {
  primary = await startOwnServer(['max_connections = 60']);
  await query(primary.adminUrl, `CREATE DATABASE ${DATABASE}`);
  await query(primary.adminUrl, 'CREATE DATABASE other');
  await migrate(urlOf(primary));
  standby = await startStandby(primary);
  running = await start({ replicaUrl: urlOf(standby) });
  await untilReplica('ok');
  await call('put', '/products/UNITS', { name: 'Units', type: 'quantity' });
}, 120_000);

afterAll(async () => {
  await running?.close();
  await standby?.stop();
  await primary?.stop();
});

beforeEach(() => resume());

function start({
  url = urlOf(primary),
  replicaUrl,
  lagMaxS = 3_600,
}: {
  url?: string;
  replicaUrl?: string;
  lagMaxS?: number;
}) {
  return startTestApp(url, new TestClock(), {}, { replicaLagMaxS: lagMaxS }, undefined, replicaUrl);
}

/** Has the standby receive, but not show, what the primary writes from now on. */
const pause = () => query(urlOf(standby), 'SELECT pg_wal_replay_pause()');
const resume = () => query(urlOf(standby), 'SELECT pg_wal_replay_resume()');

function call(method: 'get' | 'post' | 'put', path: string, body?: object, position?: string, at = running) {
  const sent = request(at.app.server)
    [method](`/api/v1/billing${path}`)
    .set({ authorization: `Bearer ${API_TOKEN}`, ...(position !== undefined && { 'bursar-position': position }) });
  return method === 'get' ? sent : sent.send(body as object);
}

/** Grants a unit to somebody, and returns the position of the answer. */
async function grant(name: string, at = running): Promise<string> {
  const body = { external_id: name, grant_type: 'bonus', product_key: 'UNITS', quantity: 1 };
  const answer = await call('post', '/grants', body, undefined, at);
  expect(answer.status, answer.text).toBe(201);
  return answer.headers['bursar-position'] as string;
}

async function entriesOf(name: string, position?: string): Promise<number> {
  const answer = await call('get', `/wallet/entries?external_id=${name}`, undefined, position);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data.length;
}

async function readiness(at = running) {
  const { status, body } = await request(at.app.server).get('/health/ready');
  return { status, body };
}

function untilReplica(status: string, at = running): Promise<unknown> {
  return waitFor(
    () => `the replica to be ${status}`,
    async () => (await readiness(at)).body.replica?.status === status || undefined,
  );
}

/** How many reads were answered by whom and why since the last call. */
function readsBetween(at = running) {
  let before: Record<string, number> = {};
  return async (): Promise<Record<string, number>> => {
    const read = readMetrics((await request(at.app.server).get('/metrics')).text);
    const name = 'bursar_replica_reads_total';
    const now = Object.fromEntries(
      read
        .labelsOf(name)
        .map((labels) => [[labels.source, labels.reason].filter(Boolean).join(' '), read.value(name, labels) ?? 0]),
    );
    const since = Object.entries(now).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
    before = now;
    return Object.fromEntries(since.filter(([, count]) => count > 0));
  };
}

describe('a read that may lag', () => {
  it('is answered by the replica, as it is', async () => {
    const seen = await grant('ada');
    expect(await entriesOf('ada', seen)).toBe(1);
    await pause();
    await grant('ada');
    const reads = readsBetween();
    await reads();
    expect(await entriesOf('ada')).toBe(1);
    expect(await reads()).toEqual({ replica: 1 });
  });

  it('sees what its position is behind: the replica is waited for', async () => {
    await pause();
    const position = await grant('bob');
    const reads = readsBetween();
    await reads();
    const reading = entriesOf('bob', position);
    await resume();
    expect(await reading).toBe(1);
    expect(Object.values(await reads())).toEqual([1]);
  });

  it('sees what its position is behind: where the replica does not get there the primary answers', async () => {
    await pause();
    const position = await grant('cleo');
    const reads = readsBetween();
    await reads();
    expect(await entriesOf('cleo', position)).toBe(1);
    expect(await reads()).toEqual({ 'primary behind': 1 });
  });

  it('sees everything where it asks for the latest', async () => {
    const seen = await grant('dora');
    expect(await entriesOf('dora', seen)).toBe(1);
    await pause();
    await grant('dora');
    expect(await entriesOf('dora', 'latest')).toBe(2);
  });

  it('is asked of the primary again where the replica would refuse', async () => {
    await pause();
    const reads = readsBetween();
    await reads();
    await grant('emil');
    expect(await entriesOf('emil')).toBe(1);
    expect(await reads()).toEqual({ 'primary refused': 1 });
    expect((await call('get', '/wallet/entries?external_id=nobody')).body.code).toBe('customer_not_found');
  });

  it('goes on in a list from what the page before was read from', async () => {
    const seen = await grant('finn');
    expect(await entriesOf('finn', seen)).toBe(1);
    await pause();
    for (let more = 0; more < 3; more += 1) await grant('finn');
    const first = await call('get', '/wallet/entries?external_id=finn&limit=1', undefined, 'latest');
    const next = await call('get', `/wallet/entries?external_id=finn&limit=1&cursor=${first.body.next_cursor}`);
    expect([first.body.data[0].seq, next.body.data[0].seq]).toEqual([4, 3]);
  });

  it('is refused with a position that is none', async () => {
    const answer = await call('get', '/wallet/entries?external_id=ada', undefined, 'soon');
    expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([
      400,
      'invalid_request',
      'header/bursar-position',
    ]);
  });

  it.each([
    '/catalog',
    '/products',
    '/products/UNITS',
    '/catalog/export',
    '/orders?external_id=gus',
    '/payments?external_id=gus',
    '/grants?external_id=gus',
    '/reservations?external_id=gus',
    '/wallet/batches?external_id=gus',
    '/wallet?external_id=gus&as_of=2026-01-31T11:00:00Z',
    '/balance?external_id=gus&product_key=UNITS&as_of=2026-01-31T11:00:00Z',
    '/invariants?external_id=gus',
    '/invariants',
    '/quota/usage?external_id=gus&product_key=UNITS&window=day',
    '/quota/events?external_id=gus',
    '/customers',
    '/audit',
    '/limits',
  ])('%s is one', async (path) => {
    const position = await grant('gus');
    const reads = readsBetween();
    await reads();
    const answer = await call('get', path, undefined, position);
    expect(answer.status, answer.text).toBe(200);
    expect(await reads()).toEqual({ replica: 1 });
  });
});

describe('what may not lag', () => {
  it('is a check, a balance, a wallet, and a use with all that it looks up', async () => {
    await pause();
    await grant('hal');
    const reads = readsBetween();
    await reads();
    const ask = { external_id: 'hal', product_key: 'UNITS', amount: 1 };
    expect((await call('post', '/quota/check', ask)).body.allowed).toBe(true);
    expect((await call('get', '/balance?external_id=hal&product_key=UNITS')).body.remaining).toBe(1);
    expect((await call('get', '/wallet?external_id=hal')).body.balances).toEqual({ UNITS: 1 });
    expect((await call('post', '/quota/consume', ask)).status).toBe(200);
    expect(await reads()).toEqual({});
  });
});

describe('a replica', () => {
  it('that is too far behind is not asked, until it is not', async () => {
    const strict = await start({ replicaUrl: urlOf(standby), lagMaxS: 1 });
    try {
      await untilReplica('ok', strict);
      await pause();
      await grant('ida', strict);
      await untilReplica('lagging', strict);
      const { status, body } = await readiness(strict);
      expect([status, body.status]).toEqual([200, 'degraded']);
      expect(body.replica.lag_s).toBeGreaterThan(1);
      expect(
        (await call('get', '/wallet/entries?external_id=ida', undefined, undefined, strict)).body.data,
      ).toHaveLength(1);
      const told = readMetrics((await request(strict.app.server).get('/metrics')).text);
      expect(told.value('bursar_replica_up')).toBe(0);
      expect(told.value('bursar_replica_lag_seconds')).toBeGreaterThan(1);
      await resume();
      await untilReplica('ok', strict);
    } finally {
      await strict.close();
    }
  });

  it('that is no standby, or one of another database, is not asked', async () => {
    for (const replicaUrl of [urlOf(primary), urlOf(standby, 'other')]) {
      const unfit = await start({ replicaUrl });
      try {
        await untilReplica('unfit', unfit);
        expect((await call('get', '/products', undefined, undefined, unfit)).status).toBe(200);
      } finally {
        await unfit.close();
      }
    }
  });

  it('may be where the primary should be: the process is not ready, and does not start', async () => {
    const wrong = await start({ url: urlOf(standby) });
    try {
      const { status, body } = await readiness(wrong);
      expect([status, body.code]).toEqual([503, 'unavailable']);
      expect(body.detail).toContain('takes no writes');
    } finally {
      await wrong.close();
    }
    const process = startBursar({ DATABASE_URL: urlOf(standby), BURSAR_DATA_DIR: newDataDir() });
    expect((await process.exited()).code).toBe(1);
    expect(process.stderr()).toContain('takes no writes');
  });

  it.each([
    ['a standby', () => urlOf(standby), /^ok +replica +follows, \d+ bytes behind$/m],
    ['the primary', () => urlOf(primary), /^warn +replica +is no standby, .* point BURSAR_REPLICA_URL to a standby/m],
    ['of another database', () => urlOf(standby, 'other'), /^warn +replica +has other data than the primary/m],
    ['nowhere', () => 'postgresql://u@127.0.0.1:1/d', /^warn +replica +does not answer \(.*\): the primary answers/m],
  ])('that is %s is told so by the doctor', async (_what, urlOfReplica, line) => {
    const env = {
      ...process.env,
      NODE_ENV: '',
      VITEST: undefined,
      PORT: '0',
      DATABASE_URL: urlOf(primary),
      BURSAR_REPLICA_URL: urlOfReplica(),
      BURSAR_DATA_DIR: newDataDir(),
    };
    const examined = execute(process.execPath, ['--import', 'tsx', 'scripts/doctor.ts'], { cwd: PROJECT_DIR, env });
    const { stdout } = await examined.catch((error: { stdout: string }) => error); // the server is not durable
    expect(stdout).toMatch(line);
  });

  it('that is gone is not missed', async () => {
    const own = await startStandby(primary);
    const alone = await start({ replicaUrl: urlOf(own) });
    try {
      await untilReplica('ok', alone);
      await own.stop();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => call('get', '/products', undefined, undefined, alone)),
      );
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      await untilReplica('lost', alone);
      expect((await readiness(alone)).body.status).toBe('degraded');
    } finally {
      await alone.close();
    }
  });

  it('that is promoted is no replica any more', async () => {
    const own = await startStandby(primary);
    const alone = await start({ replicaUrl: urlOf(own) });
    try {
      await untilReplica('ok', alone);
      await query(own.adminUrl, 'SELECT pg_promote()');
      await untilReplica('unfit', alone);
      expect((await call('get', '/products', undefined, undefined, alone)).status).toBe(200);
    } finally {
      await alone.close();
      await own.stop();
    }
  });
});
