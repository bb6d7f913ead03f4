// A real process whose clock goes wrong and right again, beside a database whose clock is right.
import { describe, expect, it } from 'vitest';
import { API_TOKEN, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

const DAY_MS = 86_400_000;
const UNITS = 2_100;

cleanUpProcesses();
const newDatabase = useTestDatabases();

describe('a process whose clock goes wrong', () => {
  it.each([
    ['31 days ahead', 31 * DAY_MS],
    ['61 seconds ahead', 61_000],
    ['61 seconds behind', -61_000],
  ])(
    'by %s writes and sweeps nothing, is not ready, and goes on once it is right again',
    async (_name, clockShiftMs) => {
      const url = await newDatabase();
      const env = {
        DATABASE_URL: url,
        BURSAR_DATA_DIR: newDataDir(),
        BURSAR_API_TOKEN: API_TOKEN,
        BURSAR_PEPPER: TEST_PEPPER,
        BURSAR_SWEEP_INTERVAL_S: '1',
        BURSAR_KEYS_KEEP_DAYS: '1',
      };
      const bursar = startBursar(env, { clockShiftMs });
      const origin = await bursar.ready();
      const send = async (method: string, path: string, body: Record<string, unknown>, key?: string) => {
        const { status, text } = await sendPlain(origin, { method, path, body, ...(key !== undefined && { key }) });
        return { status, code: JSON.parse(text).code };
      };
      const ready = async () => (await fetch(`${origin}/health/ready`)).status;
      const written = () =>
        query(
          url,
          `SELECT (SELECT json_agg(c ORDER BY id) FROM customers c)::text AS customers, (SELECT json_agg(e ORDER BY seq) FROM entries e)::text AS entries,
                (SELECT json_agg(r ORDER BY key) FROM idempotency_records r)::text AS records, (SELECT count(*) FROM products) AS products`,
        );

      const endsSoon = new Date(Date.now() + 10 * DAY_MS).toISOString();
      const grant = {
        external_id: 'ada',
        grant_type: 'bonus',
        product_key: 'AI_POOL',
        quantity: UNITS,
        expires_at: endsSoon,
      };
      expect((await send('POST', '/grants', grant, 'granted')).status).toBe(201);
      const use = { external_id: 'ada', product_key: 'AI_POOL', amount: 1 };
      expect((await send('POST', '/quota/consume', use, 'used')).status).toBe(200);
      await waitFor('the process to be ready', async () => (await ready()) === 200 || undefined);
      const before = await written();

      bursar.signal('SIGUSR2');
      await waitFor('the process not to be ready', async () => (await ready()) === 503 || undefined);
      const skewed = { status: 503, code: 'clock_skewed' };
      expect(await send('POST', '/quota/consume', use)).toEqual(skewed);
      expect(await send('POST', '/grants', grant)).toEqual(skewed);
      expect(await send('POST', '/identify', { external_id: 'bob' })).toEqual(skewed);
      expect(await send('PUT', '/products/NEW', { name: 'New', type: 'quantity' })).toEqual(skewed);
      const failed = (job: string) => bursar.stdout().includes(`"job":"${job}"`) || undefined;
      await waitFor('old keys to be kept', () => failed('forget-keys'));
      if (clockShiftMs > DAY_MS) await waitFor('the sweep to be refused', () => failed('sweep'));
      expect(await written()).toEqual(before);

      bursar.signal('SIGUSR2');
      await waitFor('the process to be ready', async () => (await ready()) === 200 || undefined);
      expect((await send('POST', '/quota/consume', use)).status).toBe(200);
      bursar.signal('SIGTERM');
      expect(await bursar.exited()).toEqual({ code: 0, signal: null });
      await auditInvariants(url);
    },
  );
});
