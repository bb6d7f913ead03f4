// Real processes in each role on one database: the api serves and leaves the jobs alone, a worker does them, and another process takes over from one that was
// killed in the middle of a run.
import { describe, expect, it } from 'vitest';
import { API_TOKEN, type Json, TEST_PEPPER } from '../support/app.js';
import { auditInvariants } from '../support/audit.js';
import { cleanUpProcesses, newDataDir, startBursar, untilReady } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { holdTransaction } from '../support/parallel.js';
import { sendPlain } from '../support/recorded.js';
import { query } from '../support/sql.js';
import { waitFor } from '../support/wait.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();
const authorization = `Bearer ${API_TOKEN}`;

describe('background work', () => {
  it('is done by workers, of which one that was killed is replaced, and told by every process', async () => {
    const databaseUrl = await newDatabase();
    const start = (role: string) =>
      startBursar({
        DATABASE_URL: databaseUrl,
        BURSAR_DATA_DIR: newDataDir(),
        BURSAR_API_TOKEN: API_TOKEN,
        BURSAR_PEPPER: TEST_PEPPER,
        BURSAR_ROLE: role,
        BURSAR_SWEEP_INTERVAL_S: '1',
      });
    const rowOfSweep = async () => (await query(databaseUrl, `SELECT * FROM jobs WHERE name = 'sweep'`))[0] as Json;
    const isSettled = async () =>
      (await query(databaseUrl, `SELECT FROM entries WHERE kind = 'expire'`)).length > 0 || undefined;

    const api = start('api');
    const apiUrl = await api.ready();
    await untilReady(apiUrl);
    const ready = async () => {
      const answer = await fetch(`${apiUrl}/health/ready`);
      return { status: answer.status, body: (await answer.json()) as Json };
    };
    const jobs = async () => {
      const answer = await fetch(`${apiUrl}/api/v1/billing/jobs`, { headers: { authorization } });
      return ((await answer.json()) as { data: Json[] }).data;
    };
    const expires_at = new Date(Date.now() + 1_000).toISOString();
    const grant = { external_id: 'ada', grant_type: 'bonus', product_key: 'AI_POOL', quantity: 5, expires_at };
    const granted = await sendPlain(apiUrl, { method: 'POST', path: '/grants', body: grant });
    expect(granted.status, granted.text).toBe(201);

    // nobody does it: the api is ready, and says so
    expect((await jobs()).map(({ name, runs }) => [name, runs])).toEqual([
      ['apply-payments', 0],
      ['blank-payments', 0],
      ['deliver-webhooks', 0],
      ['drop-events', 0],
      ['erase-customers', 0],
      ['follow-limits', 0],
      ['notify', 0],
      ['settle-rewards', 0],
      ['sweep', 0],
    ]);
    await query(databaseUrl, `UPDATE jobs SET next_due_at = now() - interval '10 min'`);
    const late = await waitFor('the jobs to be late', async () => {
      const told = await ready();
      return told.body.status === 'degraded' ? told : undefined;
    });
    expect(late).toMatchObject({
      status: 200,
      body: {
        late_jobs: [
          ...[
            'apply-payments',
            'blank-payments',
            'deliver-webhooks',
            'drop-events',
            'erase-customers',
            'follow-limits',
            'notify',
            'settle-rewards',
            'sweep',
          ],
        ].map((name) => ({ name })),
      },
    });
    expect((await rowOfSweep()).last_started_at).toBeNull();

    const worker = start('worker');
    const workerUrl = await worker.ready();
    await untilReady(workerUrl);
    await waitFor('the units to expire', isSettled);
    await waitFor('the jobs not to be late', async () => (await ready()).body.status === 'ok' || undefined);
    expect((await fetch(`${workerUrl}/api/v1/billing/jobs`, { headers: { authorization } })).status).toBe(404);

    // killed in the middle of a run, which waits for a lock
    const held = await holdTransaction(databaseUrl);
    await held.query('LOCK TABLE customers IN ACCESS EXCLUSIVE MODE');
    await waitFor('a run of the worker', async () => (await rowOfSweep()).holder ?? undefined);
    worker.signalGroup('SIGKILL');
    await worker.exited();
    await held.rollback();
    const { holder, runs } = await rowOfSweep();
    expect(holder).toContain(`/${worker.pid}/`);

    const both = start('all');
    await untilReady(await both.ready());
    await query(databaseUrl, `UPDATE jobs SET lease_until = now() WHERE holder = '${holder}'`);
    await waitFor('the run that takes over', async () => Number((await rowOfSweep()).runs) > Number(runs) || undefined);
    // another job of the one that was killed may have been under way too: its lease ends for all of them
    await waitFor('all that it held to be taken over', async () => {
      const left = await query(databaseUrl, `SELECT FROM jobs WHERE holder = '${holder}'`);
      return left.length === 0 || undefined;
    });
    for (const bursar of [api, both]) {
      bursar.signal('SIGTERM');
      expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
    }
    expect(await query(databaseUrl, 'SELECT DISTINCT holder FROM jobs')).toEqual([{ holder: null }]);
    await auditInvariants(databaseUrl);
  });
});
