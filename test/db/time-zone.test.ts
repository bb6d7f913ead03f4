// Instants stay what they are: whatever zone the process, the server and the database are set to, sessions speak UTC.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { begin, type Transaction } from '../../src/db/transactions.js';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { ask, customerIdOf } from '../support/parallel.js';
import { leaveUntold } from '../support/untold.js';

const INSTANTS = ['2026-01-31T12:00:00.123Z', '2026-07-01T00:00:00.000Z', '1999-12-31T23:59:59.999Z'];

const app = useTestApp();

beforeAll(async () => {
  const { pathname } = new URL(app.url);
  await ask(app.url, `ALTER DATABASE ${pathname.slice(1)} SET timezone TO 'Asia/Kathmandu'`);
  await putProduct(app, 'CREDITS');
});

const OPENERS = ['pool', 'prisma'] as const;

async function inTransaction<T>(
  db: ReturnType<typeof createDb>,
  opener: (typeof OPENERS)[number],
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const tx = await begin(db, opener);
  const result = await work(tx);
  await tx.commit();
  return result;
}

/** Work on connections that were opened after the database's zone was changed. */
async function withFreshDb<T>(work: (db: ReturnType<typeof createDb>) => Promise<T>): Promise<T> {
  const db = createDb(app.url, app.deps.log);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

describe('a process and a database that are both not in UTC', () => {
  beforeAll(() => leaveUntold(app.url));

  it('are what this file tests', async () => {
    expect(process.env.TZ).toBe('America/St_Johns');
    expect(new Date('2026-01-31T12:00:00Z').getTimezoneOffset()).toBe(210);
    expect(await ask(app.url, `SELECT current_setting('TimeZone') AS zone`)).toEqual([{ zone: 'Asia/Kathmandu' }]);
  });

  it('keep the options of the URL, but not where ours must hold', async () => {
    const url = new URL(app.url);
    url.searchParams.set('options', '-c TimeZone=Asia/Tokyo -c lock_timeout=0 -c work_mem=5MB');
    const db = createDb(url.toString(), app.deps.log);
    const settings = await db.query(
      `SELECT current_setting('TimeZone') AS zone, current_setting('lock_timeout') AS lock, current_setting('work_mem') AS memory`,
    );
    await db.close();
    expect(settings).toEqual([{ zone: 'UTC', lock: '15s', memory: '5MB' }]);
  });

  it('have sessions in UTC all the same: of the pool, of Prisma, and in its transactions', async () => {
    await withFreshDb(async (db) => {
      const zone = `SELECT current_setting('TimeZone') AS zone`;
      expect(await db.query(zone)).toEqual([{ zone: 'UTC' }]);
      expect(await db.prisma.$queryRawUnsafe(zone)).toEqual([{ zone: 'UTC' }]);
      for (const opener of OPENERS) {
        expect(await inTransaction(db, opener, (tx) => tx.query(zone))).toEqual([{ zone: 'UTC' }]);
      }
    });
  });

  it.each(INSTANTS)('read %s back exactly, by every way of writing it', async (text) => {
    const instant = new Date(text);
    await withFreshDb(async (db) => {
      const byModel = randomUUID();
      await db.prisma.customer.create({ data: { id: byModel, lastRecordedAt: instant, createdAt: instant } });
      const bySql = randomUUID();
      await inTransaction(db, 'prisma', (tx) =>
        tx.query(
          'INSERT INTO customers (id, last_recorded_at, created_at) VALUES ($1::uuid, $2::timestamptz, $2::timestamptz)',
          [bySql, text],
        ),
      );
      const sql = 'SELECT created_at FROM customers WHERE id = ANY ($1::uuid[])';
      const read = [
        ...(await db.query(sql, [[byModel, bySql]])),
        ...(await inTransaction(db, 'prisma', (tx) => tx.query(sql, [[byModel, bySql]]))),
      ].map((row) => (row.created_at as Date).toISOString());
      const models = await db.prisma.customer.findMany({ where: { id: { in: [byModel, bySql] } } });
      expect([...read, ...models.map((model) => model.createdAt.toISOString())]).toEqual(Array(6).fill(text));
    });
  });

  it('answer the validity that was asked for', async () => {
    const validity = { valid_from: '2026-03-29T01:30:00.000Z', expires_at: '2026-11-01T05:30:00.000Z' };
    const batchId = await grantUnits(app, 'ada', 'CREDITS', 10, validity);
    const { body } = await app.get('/wallet/batches?external_id=ada');
    expect(body.data[0]).toMatchObject({ id: batchId, ...validity, created_at: '2026-01-31T12:00:00.000Z' });
    const [stored] = await ask(
      app.url,
      `SELECT to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS expires_at FROM batches WHERE id = $1`,
      [batchId],
    );
    expect(stored).toEqual({ expires_at: validity.expires_at });
  });

  it('keep the clock of the customer at the instant that the app has', async () => {
    await grantUnits(app, 'bob', 'CREDITS', 1);
    const customerId = await customerIdOf(app, 'bob');
    const [row] = await ask(
      app.url,
      `SELECT extract(epoch FROM last_recorded_at)::float8 * 1000 AS ms FROM customers WHERE id = $1`,
      [customerId],
    );
    expect(row).toEqual({ ms: app.clock.now().getTime() });
  });
});
