// Connections that a network between forgot: nothing comes back on them, and nobody says so.
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createDb, type Db } from '../../src/db/client.js';
import { begin } from '../../src/db/transactions.js';
import { type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import { useTestDatabase } from '../support/database.js';

const database = useTestDatabase();
const CONNECTIONS = 6;
const NEVER_MS = 2 ** 31;
const PATIENT_MS = 120_000;

/** Runs with a pool whose connections all were used once, one after another, and are forgotten since. */
async function withForgotten(
  probeAfterMs: number,
  work: (db: Db, proxy: CuttingProxy) => Promise<void>,
): Promise<void> {
  const proxy = await startCuttingProxy(database.url);
  const probes = { probeAfterMs, probeTimeoutMs: 300 };
  const db = createDb(proxy.url, pino({ level: 'silent' }), { poolSizeMax: CONNECTIONS, probes });
  try {
    const lent = await Promise.all(Array.from({ length: CONNECTIONS }, () => db.pool.connect()));
    for (const client of lent) client.release();
    proxy.forgetAll();
    await work(db, proxy);
  } finally {
    await db.close();
  }
}

it('are all closed after one of them did not answer', () =>
  withForgotten(0, async (db, proxy) => {
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // but one, none was waited for
    expect([db.pool.totalCount, proxy.countLost()]).toEqual([1, 1]);
  }));

it.each(['pool', 'prisma'] as const)('are not lent for a transaction by %s', (opener) =>
  withForgotten(0, async (db) => {
    const tx = await begin(db, opener);
    expect(await tx.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await tx.abandon();
  }),
);

it('are asked once another one failed, however lately they were used', () =>
  withForgotten(NEVER_MS, async (db) => {
    const failing = await db.pool.connect();
    failing.release(true);
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(db.pool.totalCount).toBe(1);
  }));

it('are told from living ones, which stay', async () => {
  const db = createDb(database.url, pino({ level: 'silent' }), {
    probes: { probeAfterMs: 0, probeTimeoutMs: PATIENT_MS },
  });
  try {
    const pid = () => db.query('SELECT pg_backend_pid() AS pid');
    expect(await pid()).toEqual(await pid());
  } finally {
    await db.close();
  }
});
