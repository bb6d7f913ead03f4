// Background work: a slot is run by one process, whoever dies, hangs or fails; and everybody can see how it stands.
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { lookAtJob, takeJob } from '../../src/db/jobs.js';
import type { Deps } from '../../src/deps.js';
import type { Job } from '../../src/jobs/job.js';
import { jobs } from '../../src/jobs/list.js';
import { announceJobs, startJobs } from '../../src/jobs/run-jobs.js';
import { sweepJob } from '../../src/jobs/sweep.js';
import { systemClock } from '../../src/lib/clock.js';
import { grantUnits, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { ask, holdTransaction } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Another process, behind a pooler in transaction mode. */
let other: Awaited<ReturnType<typeof startTestApp>>;
beforeAll(async () => {
  other = await startTestApp(app.url, app.clock, undefined, { isPrepared: false });
});
afterAll(() => other.close());
beforeEach(async () => {
  await ask(app.url, 'DELETE FROM jobs');
});

/** A job whose runs last until they are let go, or stopped. */
function heldJob(more: Partial<Job> = {}) {
  let isLetGo = false;
  const runs: { isStopped: () => boolean }[] = [];
  const job: Job = {
    name: 'held',
    intervalMs: () => MINUTE_MS,
    runsIn: 'one-process',
    run: async (_deps, isStopped) => {
      runs.push({ isStopped });
      while (!isLetGo && !isStopped()) await delay(1);
    },
    ...more,
  };
  return {
    job,
    runs,
    letGo: () => {
      isLetGo = true;
    },
  };
}

/** A job that does this. */
const jobOf = (run: Job['run'], more: Partial<Job> = {}): Job => ({
  name: 'plain',
  intervalMs: () => MINUTE_MS,
  runsIn: 'one-process',
  run,
  ...more,
});

async function start(deps: Deps, job: Job, leaseMs?: number): Promise<{ stop(): Promise<void> }> {
  const running = await startJobs(deps, [job], leaseMs);
  onTestFinished(() => running.stop());
  return running;
}

async function rowOf(name: string): Promise<Json> {
  const [row] = await ask(
    app.url,
    `SELECT *, next_due_at <= now() AS is_due, next_due_at > now() + interval '50 s' AS is_done,
            (extract(epoch FROM lease_until) * 1000)::float8 AS lease_until_ms FROM jobs WHERE name = $1`,
    [name],
  );
  return row ?? {};
}

const untilRow = (what: string, name: string, isSo: (row: Json) => boolean) =>
  waitFor(what, async () => {
    const row = await rowOf(name);
    return isSo(row) ? row : undefined;
  });

/** Each time the row of the job that is known by its name is changed by hand. */
const change = (name: string, what: string) => ask(app.url, `UPDATE jobs SET ${what} WHERE name = $1`, [name]);

const toldOf = async (name: string): Promise<Json> => {
  const { status, body } = await app.get('/jobs');
  expect(status).toBe(200);
  return body.data.find((job: Json) => job.name === name);
};

const ready = async () => {
  const { status, body } = await request(app.app.server).get('/health/ready');
  return { status, body };
};

describe('a due slot', () => {
  it('is taken by one of those who try at once', async () => {
    const { job } = heldJob();
    await announceJobs(app.deps, [job]);
    const tries = Array.from({ length: 20 }, (_, index) =>
      takeJob(index % 2 === 0 ? app.deps.db : other.deps.db, job.name, `holder ${index}`),
    );
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await lookAtJob(app.deps.db, job.name)).toMatchObject({ isFree: false });
  });

  it('is run by one process at a time, and each run is told once', async () => {
    let under = 0;
    let most = 0;
    let runs = 0;
    const job = jobOf(
      async () => {
        under += 1;
        most = Math.max(most, under);
        await delay(2);
        under -= 1;
        runs += 1;
      },
      { intervalMs: () => 1 },
    );
    const both = [await startJobs(app.deps, [job]), await startJobs(other.deps, [job])];
    await waitFor('thirty runs', () => runs >= 30 || undefined);
    for (const each of both) await each.stop();
    expect(most).toBe(1);
    expect(await rowOf(job.name)).toMatchObject({ runs: String(runs), holder: null, failures: 0 });
  });

  it('is followed by the next one an interval after its end', async () => {
    const { job, runs, letGo } = heldJob();
    await start(app.deps, job);
    await waitFor('the run', () => runs.length === 1 || undefined);
    expect(await rowOf(job.name)).toMatchObject({ is_due: true, holder: expect.stringContaining(`/${process.pid}/`) });
    expect(await toldOf(job.name)).toMatchObject({ holder: expect.any(String), runs: 0, interval_s: 60 });
    letGo();
    const row = await untilRow('the end', job.name, ({ holder }) => holder === null);
    expect(row).toMatchObject({ is_done: true, runs: '1', lease_until: null });
    expect(Number(row.last_ended_at)).toBeGreaterThanOrEqual(Number(row.last_started_at));
  });
});

describe('a lease', () => {
  it('is renewed while a run lasts, with how old the work is', async () => {
    const { job, runs } = heldJob({ lagMs: async () => 5_000 });
    await start(app.deps, job, 1_500);
    await waitFor('the run', () => runs.length === 1 || undefined);
    const first = await rowOf(job.name);
    await untilRow('a later end', job.name, (row) => Number(row.lease_until_ms) > Number(first.lease_until_ms) + 1_000);
    expect((await toldOf(job.name)).lag_s).toBeGreaterThanOrEqual(5);
  });

  it('of a process that died is taken over once it has run out, not before', async () => {
    const { job, runs, letGo } = heldJob();
    letGo();
    await announceJobs(app.deps, [job]);
    expect(await takeJob(other.deps.db, job.name, 'the dead')).toBe(true);
    expect(await lookAtJob(app.deps.db, job.name)).toMatchObject({ isFree: false });
    await change(job.name, 'lease_until = now()');
    await start(app.deps, job);
    await untilRow('the run', job.name, ({ is_done }) => is_done === true);
    expect(runs).toHaveLength(1);
  });

  it('that somebody else has by now ends the run, which tells nothing any more', async () => {
    const { job, runs } = heldJob();
    const running = await start(app.deps, job, 1_500);
    await waitFor('the run', () => runs.length === 1 || undefined);
    await change(job.name, `holder = 'another', lease_until = now() + interval '30 s'`);
    await waitFor('the run to be told', () => runs[0]?.isStopped() || undefined);
    await running.stop();
    expect(await rowOf(job.name)).toMatchObject({ holder: 'another', runs: '0', last_ended_at: null });
  });

  it('is given back at a stop, and what was not done is due for the next', async () => {
    const { job, runs } = heldJob();
    const running = await start(app.deps, job);
    await waitFor('the run', () => runs.length === 1 || undefined);
    await running.stop();
    expect(await rowOf(job.name)).toMatchObject({ holder: null, lease_until: null, is_due: true, failures: 0 });
    await start(other.deps, job);
    await waitFor('the run of the other', () => runs.length === 2 || undefined);
  });
});

describe('a job that fails', () => {
  it('is told, stays due, and runs again after a while', async () => {
    let isBroken = true;
    const job = jobOf(async () => {
      if (isBroken) throw new Error('the disk is full');
    });
    const running = await start(app.deps, job);
    const row = await untilRow('the failure', job.name, ({ failures }) => failures === 1);
    await running.stop();
    expect(row).toMatchObject({ holder: null, is_due: true, runs: '1', last_error: 'the disk is full' });
    expect(await toldOf(job.name)).toMatchObject({ holder: null, last_error: { message: 'the disk is full' } });
    expect(await lookAtJob(app.deps.db, job.name)).toMatchObject({ isFree: false }); // held back
    await change(job.name, `next_due_at = now() - interval '10 min'`);
    expect(await toldOf(job.name)).toMatchObject({ is_late: true, failures: 1 });
    isBroken = false;
    await change(job.name, 'lease_until = now()');
    await start(other.deps, job);
    await untilRow('the next run', job.name, ({ is_done }) => is_done === true);
    const told = await toldOf(job.name);
    expect(told).toMatchObject({ is_late: false, failures: 0, runs: 2, last_error: { message: 'the disk is full' } });
  });

  it('tells nothing of a value, and no more than fits', async () => {
    const refused = jobOf(async ({ db }) => void (await db.query(`SELECT 'a secret'::int`)));
    await start(app.deps, refused);
    const row = await untilRow('the failure', refused.name, ({ failures }) => failures === 1);
    expect(row.last_error).toBe('the database refused a value (22P02)');
    const wordy = jobOf(async () => Promise.reject(new Error(`\0${'x'.repeat(2_000)}`)), { name: 'wordy' });
    await start(app.deps, wordy);
    const long = await untilRow('the failure', wordy.name, ({ failures }) => failures === 1);
    expect(long.last_error).toBe('x'.repeat(500));
  });
});

describe('a clock that is wrong', () => {
  it.each([
    ['ahead', HOUR_MS],
    ['behind', -HOUR_MS],
  ])('of a process by an hour %s takes no slot, and leaves it to others', async (_how, skewMs) => {
    const now = () => new Date(systemClock.now().getTime() + skewMs);
    const clock = { now, skewTo: systemClock.skewTo?.bind({ now }) as NonNullable<typeof systemClock.skewTo> };
    const lines: { err?: unknown }[] = [];
    const log = pino({ level: 'error' }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const { job, runs, letGo } = heldJob();
    letGo();
    await start({ ...other.deps, clock, log }, job);
    const refusal = await waitFor('the refusal', () => lines[0]);
    expect(refusal).toMatchObject({ job: 'held', err: { code: 'clock_skewed' } });
    expect(await rowOf(job.name)).toMatchObject({ holder: null, last_started_at: null, last_error: null });
    await start(app.deps, job);
    await untilRow('the run', job.name, ({ is_done }) => is_done === true);
    expect(runs).toHaveLength(1);
  });

  it('of the database that went back keeps no job from running', async () => {
    const { job } = heldJob();
    await announceJobs(app.deps, [job]);
    const isFree = async () => (await lookAtJob(app.deps.db, job.name))?.isFree;
    await change(job.name, `next_due_at = now() + interval '1 min'`);
    expect(await isFree()).toBe(false);
    await change(job.name, `next_due_at = now() + interval '1 day'`);
    expect(await isFree()).toBe(true);
    await change(job.name, `holder = 'from the future', lease_until = now() + interval '1 day'`);
    expect(await isFree()).toBe(true);
  });

  it('that a test has set does not matter to schedules', async () => {
    app.clock.set('2031-01-01T00:00:00.000Z');
    const { job } = heldJob();
    await announceJobs(app.deps, [job]);
    await change(job.name, `next_due_at = now() + interval '30 s'`);
    expect(await lookAtJob(app.deps.db, job.name)).toMatchObject({ isFree: false });
  });
});

describe('a job of every process', () => {
  it('runs in each at once, and is told as one', async () => {
    const { job, runs, letGo } = heldJob({ runsIn: 'every-process' });
    await start(app.deps, job);
    await start(other.deps, job);
    await waitFor('both to run', () => runs.length === 2 || undefined);
    expect(await rowOf(job.name)).toMatchObject({ holder: null });
    letGo();
    await untilRow('both to be told', job.name, (row) => row.runs === '2' && row.is_done === true);
    expect((await rowOf(job.name)).last_started_at).not.toBeNull();
  });

  it('is late when it fails', async () => {
    const job = jobOf(async () => Promise.reject(new Error('no lanes')), { runsIn: 'every-process' });
    await start(app.deps, job);
    await untilRow('the failure', job.name, ({ failures }) => failures === 1);
    await change(job.name, `next_due_at = now() - interval '10 min'`);
    expect(await toldOf(job.name)).toMatchObject({ is_late: true, last_error: { message: 'no lanes' } });
  });
});

describe('what is told', () => {
  it('names each job that there is, late when nobody has run it for too long', async () => {
    await announceJobs(app.deps, jobs);
    expect(await ready()).toMatchObject({ status: 200, body: { status: 'ok', late_jobs: [] } });
    await change('sweep', `next_due_at = now() - interval '10 min'`);
    const late = await waitFor('the late job', async () => {
      const { status, body } = await ready();
      return body.late_jobs?.length > 0 ? { status, body } : undefined;
    });
    expect(late).toMatchObject({ status: 200, body: { status: 'degraded', late_jobs: [{ name: 'sweep' }] } });
    expect(late.body.late_jobs[0].lag_s).toBeGreaterThanOrEqual(600);
    const { body } = await app.get('/jobs');
    expect(body.data.map(({ name, is_late }: Json) => [name, is_late])).toEqual([
      ['apply-payments', false],
      ['blank-payments', false],
      ['deliver-webhooks', false],
      ['drop-events', false],
      ['erase-customers', false],
      ['follow-limits', false],
      ['notify', false],
      ['settle-rewards', false],
      ['sweep', true],
    ]);
  });

  it('goes by the oldest work that is due, though the job runs', async () => {
    await putProduct(app, 'CREDITS');
    await grantUnits(app, newPerson(), 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00.000Z' });
    app.clock.set('2026-02-01T01:00:00.000Z');
    const lagMs = () => sweepJob.lagMs?.(app.deps);
    expect(await lagMs()).toBe(HOUR_MS);
    const idle = { ...sweepJob, run: async () => undefined };
    const running = await start(app.deps, idle);
    await untilRow('the run', 'sweep', ({ is_done }) => is_done === true);
    await running.stop();
    const told = await toldOf('sweep');
    expect(told).toMatchObject({ is_late: true, failures: 0 });
    expect(told.lag_s).toBeGreaterThanOrEqual(3_600);
    await change('sweep', 'next_due_at = now()');
    await start(app.deps, sweepJob);
    await untilRow('the sweep', 'sweep', ({ is_done }) => is_done === true);
    expect(await lagMs()).toBe(0);
    expect(await toldOf('sweep')).toMatchObject({ is_late: false, lag_s: 0 });
  });

  it('leaves out of the late what the configuration leaves out, until it is back', async () => {
    const { job, letGo } = heldJob();
    letGo();
    await start(app.deps, job);
    await untilRow('the run', job.name, ({ is_done }) => is_done === true);
    await change(job.name, `next_due_at = now() - interval '1 day'`);
    await start(other.deps, { ...job, intervalMs: () => null });
    expect(await toldOf(job.name)).toMatchObject({ next_due_at: null, is_late: false, lag_s: 0 });
    await start(other.deps, { ...job, intervalMs: () => DAY_MS });
    expect(await toldOf(job.name)).toMatchObject({ next_due_at: expect.any(String), interval_s: 86_400 });
  });

  it('is the oldest transaction of the server that writes', async () => {
    const held = await holdTransaction(app.url);
    const [row] = await held.query('SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS id');
    const { body } = await waitFor('those before it to end', async () => {
      const told = await ready();
      return told.body.oldest_transaction?.pid === row?.pid ? told : undefined;
    });
    expect(body.oldest_transaction.lasts_s).toBeGreaterThanOrEqual(0);
    await held.rollback();
    await waitFor('it to be gone', async () => {
      const told = await ready();
      return told.body.oldest_transaction?.pid !== row?.pid || undefined;
    });
  });
});
