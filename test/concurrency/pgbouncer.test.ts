// The service behind a real PgBouncer in transaction mode, which hands each transaction to another session: with BURSAR_PREPARED=false all is as without
// it, without that a start is refused. Skipped, by name, where PgBouncer is not installed.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { migrate } from '../../src/db/migrate.js';
import { EXPECTED } from '../../src/db/sessions.js';
import { begin, inSnapshot } from '../../src/db/transactions.js';
import { grantUnits, putOffer, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { createEmptyDatabase, useTestDatabases } from '../support/database.js';
import { ask, balanceOf, type Client, sendTogether, tally } from '../support/parallel.js';
import { type PgBouncer, pgbouncerVersion, startPgBouncer } from '../support/pgbouncer.js';
import { sendPlain } from '../support/recorded.js';
import { clientOf } from '../support/shared-transactions.js';

const SESSIONS = 6;
const app = useTestApp();
const newDatabase = useTestDatabases();
cleanUpProcesses();

async function bounce(url: string, size: number, settings: string[] = []): Promise<string> {
  const bouncer = await startPgBouncer(url, size, settings);
  onTestFinished(() => bouncer.stop());
  return bouncer.url;
}

describe.skipIf(pgbouncerVersion === undefined)('behind PgBouncer in transaction mode, unprepared', () => {
  let bouncer: PgBouncer;
  let behind: Awaited<ReturnType<typeof startTestApp>>;
  let client: Client;

  beforeAll(async () => {
    bouncer = await startPgBouncer(app.url, SESSIONS);
    behind = await startTestApp(bouncer.url, app.clock, undefined, { isPrepared: false });
    client = clientOf(behind.app);
    await putProduct(app, 'CREDITS', { is_currency: true, features: [{ feature: 'draw', unit_cost: 2 }] });
    await putOffer(app, 'PACK', 'CREDITS', 50);
    await putOffer(app, 'SWAP', 'CREDITS', 3, { price: '5', currency: 'CREDITS' });
  });
  afterAll(async () => {
    await behind.close();
    await bouncer.stop();
  });

  it('shares sessions between more connections than it has', async () => {
    const pids = async (tx: { query: typeof behind.deps.db.query }) =>
      (await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'))[0]?.pid;
    const found = await Promise.all(Array.from({ length: 10 * SESSIONS }, () => pids(behind.deps.db)));
    expect(new Set(found).size).toBeLessThanOrEqual(SESSIONS);
    expect(behind.deps.db.pool.totalCount).toBeGreaterThan(SESSIONS);
  });

  it('has its settings in every kind of transaction, and leaves none behind', async () => {
    const names = [...EXPECTED.keys()];
    const sql = 'SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])';
    const shown = (rows: Record<string, unknown>[]) => Object.fromEntries(rows.map((row) => [row.name, row.setting]));
    const before = shown(await ask(bouncer.url, sql, [names]));
    const expected = expect.objectContaining({ lock_timeout: '15000', statement_timeout: '20000', TimeZone: 'UTC' });
    expect(shown(await behind.deps.db.query(sql, [names]))).toEqual(expected);
    for (const opener of ['pool', 'prisma'] as const) {
      const tx = await begin(behind.deps.db, opener);
      expect(shown(await tx.query(sql, [names])), opener).toEqual(expected);
      expect(await tx.query('SHOW transaction_isolation')).toEqual([{ transaction_isolation: 'read committed' }]);
      await tx.commit();
    }
    await inSnapshot(behind.deps.db, false, async (tx) => {
      expect(shown(await tx.query(sql, [names]))).toEqual({
        ...Object.fromEntries(EXPECTED),
        DateStyle: 'ISO, MDY',
        transaction_isolation: 'repeatable read',
      });
    });
    for (let session = 0; session < 2 * SESSIONS; session += 1)
      expect(shown(await ask(bouncer.url, sql, [names]))).toEqual(before);
  });

  it('never spends a unit twice, nor refuses one that is there', async () => {
    await grantUnits(app, 'hot', 'CREDITS', 100);
    const answers = await sendTogether(160, (index) =>
      (index % 2 === 0 ? client : app).post('/quota/consume', {
        external_id: 'hot',
        product_key: 'CREDITS',
        amount: 1,
      }),
    );
    expect(tally(answers)).toEqual({ '200': 100, '402 insufficient_quota': 60 });
    expect(await balanceOf(app, 'hot', 'CREDITS')).toBe(0);
  });

  it('works for many at once, with keys, and gives the same answers again', async () => {
    const people = Array.from({ length: 60 }, (_, index) => `person-${index}`);
    const key = randomUUID();
    const grant = (index: number) => ({
      external_id: people[index],
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 10,
    });
    expect(tally(await sendTogether(60, (index) => client.post('/grants', grant(index))))).toEqual({ '201': 60 });
    const use = (index: number) =>
      client.post(
        '/quota/consume',
        { external_id: people[index], feature: 'draw', amount: 2 },
        { 'idempotency-key': `${key}-${index}` },
      );
    const first = await sendTogether(60, use);
    expect(tally(first)).toEqual({ '200': 60 });
    const again = await sendTogether(60, use);
    expect(again.map(({ text }) => text)).toEqual(first.map(({ text }) => text));
    expect(new Set(again.map(({ headers }) => headers['idempotent-replayed']))).toEqual(new Set(['true']));
  });

  it('sells, is paid once, holds, ends and exchanges', async () => {
    const order = async (index: number) => {
      const ordered = await client.post('/orders', { external_id: `buyer-${index}`, items: [{ sku: 'PACK' }] });
      expect(ordered.status, ordered.text).toBe(201);
      const confirm = () =>
        client.post(`/orders/${ordered.body.id}/confirm`, {
          payment_method: 'card',
          payment_id: `ch_${index}`,
          amount: ordered.body.total_amount,
          currency: ordered.body.currency,
        });
      const confirmed = await Promise.all([confirm(), confirm(), confirm()]);
      expect(new Set(confirmed.map(({ text }) => text)).size).toBe(1);
      expect(confirmed[0]?.status, confirmed[0]?.text).toBe(200);
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => order(index)));
    const hold = async (index: number) => {
      const person = { external_id: `buyer-${index}` };
      const held = await client.post('/reservations', { ...person, product_key: 'CREDITS', amount: 20 });
      expect(held.status, held.text).toBe(201);
      const ended = await client.post(`/reservations/${held.body.id}/commit`, { amount: 15 });
      expect(ended.status, ended.text).toBe(200);
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => hold(index)));
    for (let index = 0; index < 12; index += 1) expect(await balanceOf(app, `buyer-${index}`, 'CREDITS')).toBe(35);
    expect((await client.post('/exchange', { external_id: 'buyer-0', sku: 'SWAP' })).status).toBe(200);
    expect((await client.get('/wallet?external_id=buyer-0')).body.balances).toEqual({ CREDITS: 33 });
  });

  it('has batches of many with a key, more of them at once than sessions', async () => {
    await grantUnits(app, 'batcher', 'CREDITS', 1_000);
    const items = Array.from({ length: 5 }, () => ({ external_id: 'batcher', product_key: 'CREDITS', amount: 1 }));
    const answers = await sendTogether(4 * SESSIONS, (index) =>
      client.post('/quota/consume/batch', { items }, { 'idempotency-key': `batch-${index % 8}` }),
    );
    expect(answers.filter(({ status }) => status !== 200 && status !== 409).map(({ text }) => text)).toEqual([]);
    const answered = new Set(
      answers.map(({ status }, index) => (status === 200 ? index % 8 : -1)).filter((n) => n >= 0),
    );
    expect(await balanceOf(app, 'batcher', 'CREDITS')).toBe(1_000 - 5 * answered.size);
  });

  it('is audited', async () => {
    expect((await client.get('/invariants')).body).toMatchObject({ ok: true });
  });
});

describe.skipIf(pgbouncerVersion === undefined)('a start behind PgBouncer in transaction mode', () => {
  async function expectRefusal(url: string, message: RegExp): Promise<void> {
    const bursar = startBursar({ DATABASE_URL: url, BURSAR_DATA_DIR: newDataDir() });
    expect(await bursar.exited()).toEqual({ code: 1, signal: null });
    expect(bursar.stderr()).toMatch(/^bursar: [^\n]+\n$/);
    expect(bursar.stderr()).toMatch(message);
  }

  it('is refused as long as it takes no options with the log-in', async () => {
    const url = await bounce(await newDatabase(), 2);
    await expectRefusal(url, /takes no options with the log-in; in transaction mode set BURSAR_PREPARED=false/);
  });

  it('is refused when the options are lost', async () => {
    const url = await bounce(await newDatabase(), 2, ['ignore_startup_parameters = options']);
    await expectRefusal(url, /session has .*lock_timeout "0" instead of 15000.*set BURSAR_PREPARED=false/);
  });

  // newer ones keep prepared statements
  it.skipIf(!/ 1\.(?:\d|1\d|20)\./.test(pgbouncerVersion ?? ''))(
    'is refused when prepared statements are lost, though the role has the settings',
    async () => {
      const direct = await newDatabase();
      const name = new URL(direct).pathname.slice(1);
      for (const [setting, value] of EXPECTED)
        await ask(
          direct,
          `ALTER DATABASE ${name} SET ${setting === 'transaction_isolation' ? 'default_transaction_isolation' : setting} = ${pg.escapeLiteral(value)}`,
        );
      const url = await bounce(direct, 2, ['ignore_startup_parameters = options']);
      await expectRefusal(url, /loses prepared statements: .*set BURSAR_PREPARED=false/);
    },
  );

  it('works with BURSAR_PREPARED=false, from an empty database on', async () => {
    const database = await createEmptyDatabase();
    onTestFinished(() => database.drop());
    const url = await bounce(database.url, 3);
    const env = { DATABASE_URL: url, BURSAR_PREPARED: 'false', BURSAR_API_TOKEN: 'a-token-that-only-tests-use' };
    const processes = [1, 2].map(() => startBursar({ ...env, BURSAR_DATA_DIR: newDataDir() }));
    for (const bursar of processes) {
      const origin = await bursar.ready();
      expect((await fetch(`${origin}/health/ready`)).status).toBe(200);
      expect(
        await sendPlain(origin, { method: 'POST', path: '/identify', body: { external_id: 'ada' } }),
      ).toMatchObject({ status: 200 });
    }
    expect(await migrate(url)).toMatchObject({ applied: [] });
    for (const bursar of processes) bursar.signal('SIGTERM');
    for (const bursar of processes) expect(await bursar.exited()).toEqual({ code: 0, signal: null });
  });
});
