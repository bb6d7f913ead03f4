// The rows of background jobs: a due slot is taken by one conditional UPDATE, under a lease that its holder renews. All by the database's clock, so that the
// clocks of processes don't matter; each statement is a transaction of its own, and leaves nothing on its connection.
import type { Row, Tx } from './client.js';
import { listOf, type RecordOf, readerOf } from './table.js';
import { jobs } from './tables.js';

/** A job that is not renewed for so long is taken over. Longer than any statement of a job may take. */
export const LEASE_MS = 30_000;
/** A job that failed is held back for so long, or its interval if that is shorter. */
const HELD_BACK_MAX_MS = 60_000;

/** What a process says of a job that it knows: null where its configuration leaves the job out. */
export interface Schedule {
  name: string;
  intervalMs: number | null;
  /** Work that is due for longer is late. */
  lateAfterMs: number;
}

const GIVEN = 'unnest($1::text[], $2::bigint[], $3::bigint[]) AS g (name, interval_ms, late_after_ms)';
const INSERT_MISSING = `INSERT INTO jobs (name, interval_ms, late_after_ms, next_due_at)
SELECT name, interval_ms, late_after_ms, now() FROM ${GIVEN} WHERE interval_ms IS NOT NULL ORDER BY name ON CONFLICT (name)`;
const ADD = `${INSERT_MISSING} DO NOTHING`;
const SCHEDULE = `${INSERT_MISSING} DO UPDATE SET interval_ms = excluded.interval_ms, late_after_ms = excluded.late_after_ms,
  next_due_at = least(jobs.next_due_at, now() + excluded.interval_ms * interval '1 millisecond')`;
const UNSCHEDULE = 'UPDATE jobs SET next_due_at = NULL WHERE name = ANY ($1::text[]) AND next_due_at IS NOT NULL';

function arraysOf(schedules: readonly Schedule[]): unknown[] {
  return [
    schedules.map(({ name }) => name),
    schedules.map(({ intervalMs }) => intervalMs),
    schedules.map(({ lateAfterMs }) => lateAfterMs),
  ];
}

/** Adds jobs that are not there yet, due at once: so that it is told when nobody does them. */
export async function addJobs(tx: Tx, schedules: readonly Schedule[]): Promise<void> {
  await tx.query(ADD, arraysOf(schedules));
}

/** Has the jobs run at these intervals from now on, whatever another process said before. */
export async function scheduleJobs(tx: Tx, schedules: readonly Schedule[]): Promise<void> {
  await tx.query(SCHEDULE, arraysOf(schedules));
  const out = schedules.filter(({ intervalMs }) => intervalMs === null).map(({ name }) => name);
  if (out.length > 0) await tx.query(UNSCHEDULE, [out]);
}

/** An instant further away than anybody sets one was set before the database's clock went back. */
const IS_FREE = `(next_due_at <= now() OR next_due_at > now() + 2 * interval_ms * interval '1 millisecond')
  AND (lease_until IS NULL OR lease_until <= now() OR lease_until > now() + interval '${2 * HELD_BACK_MAX_MS} ms')`;
const LOOK = `SELECT now() AS now, (${IS_FREE}) IS TRUE AS is_free FROM jobs WHERE name = $1`;
const TAKE = `UPDATE jobs SET holder = $2, lease_until = now() + $3::int * interval '1 millisecond', last_started_at = now()
WHERE name = $1 AND ${IS_FREE} RETURNING name`;
const RENEW = `UPDATE jobs SET lease_until = now() + $3::int * interval '1 millisecond', lag_ms = $4::bigint,
  lag_measured_at = CASE WHEN $4::bigint IS NULL THEN NULL ELSE now() END
WHERE name = $1 AND holder = $2 RETURNING name`;

/** Whether a job is due and nobody's, and the database's instant; undefined when there is no such job. */
export async function lookAtJob(tx: Tx, name: string): Promise<{ isFree: boolean; now: Date } | undefined> {
  const [row] = await tx.query<Row & { now: Date; is_free: boolean }>(LOOK, [name]);
  return row && { isFree: row.is_free, now: row.now };
}

/** Takes the slot of a job that is due and nobody's; of several who try at once one succeeds. */
export async function takeJob(tx: Tx, name: string, holder: string, leaseMs = LEASE_MS): Promise<boolean> {
  return (await tx.query(TAKE, [name, holder, leaseMs])).length > 0;
}

/** Renews the lease, and tells how old the oldest due work is. False: it is not the holder's any more. */
export async function renewJob(
  tx: Tx,
  name: string,
  { holder, leaseMs, lagMs }: { holder: string; leaseMs: number; lagMs: number | null },
): Promise<boolean> {
  return (await tx.query(RENEW, [name, holder, leaseMs, lagMs])).length > 0;
}

/** What became of one run or more. */
export interface Ended {
  /** Who held the lease; null of a job that needs none. */
  holder: string | null;
  runs: number;
  /** How long the last run took. */
  lastedMs: number;
  /** Everything was done: else the slot is due still. */
  isDone: boolean;
  error: string | null;
  lagMs: number | null;
}

const END = `UPDATE jobs SET holder = NULL, runs = runs + $3::int, last_ended_at = now(),
  last_started_at = CASE WHEN holder IS NULL THEN now() - $4::bigint * interval '1 millisecond' ELSE last_started_at END,
  next_due_at = CASE WHEN $5::boolean THEN now() + interval_ms * interval '1 millisecond' ELSE next_due_at END,
  lease_until = CASE WHEN $6::text IS NOT NULL THEN now() + least(interval_ms, ${HELD_BACK_MAX_MS}) * interval '1 millisecond' END,
  failures = CASE WHEN $6::text IS NOT NULL THEN failures + 1 ELSE 0 END,
  last_error = coalesce($6::text, last_error),
  last_error_at = CASE WHEN $6::text IS NOT NULL THEN now() ELSE last_error_at END,
  lag_ms = $7::bigint, lag_measured_at = CASE WHEN $7::bigint IS NULL THEN NULL ELSE now() END
WHERE name = $1 AND holder IS NOT DISTINCT FROM $2::text`;

/** Gives the lease back and tells what became of the job; does nothing when the lease is somebody else's by now. */
export async function endJob(tx: Tx, name: string, ended: Ended): Promise<void> {
  const { holder, runs, lastedMs, isDone, error, lagMs } = ended;
  await tx.query(END, [name, holder, runs, Math.round(lastedMs), isDone, error, lagMs]);
}

const TOLD = [
  'name',
  'intervalMs',
  'nextDueAt',
  'runs',
  'failures',
  'lastStartedAt',
  'lastEndedAt',
  'lastError',
  'lastErrorAt',
] as const;

/** A job as it stands. */
export interface JobState extends RecordOf<typeof jobs, (typeof TOLD)[number]> {
  /** Who does it now. */
  holder: string | null;
  /** For how long its oldest work is due. */
  lagMs: number;
  isLate: boolean;
}

const readTold = readerOf(jobs, TOLD);
/** All jobs by name, and how late each is. */
export const JOBS_AS_OF_NOW = `
SELECT ${listOf(jobs, TOLD, 'j')}, CASE WHEN j.lease_until > now() THEN j.holder END AS holder, lag.ms AS lag_ms, lag.ms > j.late_after_ms AS is_late
FROM jobs j CROSS JOIN LATERAL (
  SELECT CASE WHEN j.next_due_at IS NULL THEN 0 ELSE round(greatest(0, extract(epoch FROM now() - j.next_due_at) * 1000,
    CASE WHEN j.lag_ms > 0 THEN j.lag_ms + extract(epoch FROM now() - j.lag_measured_at) * 1000 END))::bigint END AS ms
) AS lag ORDER BY j.name`;

/** All jobs by name, as of now. */
export async function listJobs(tx: Tx): Promise<JobState[]> {
  const rows = await tx.query<Row & { holder: string | null; lag_ms: number; is_late: boolean }>(JOBS_AS_OF_NOW);
  return rows.map((row) => ({ ...readTold(row), holder: row.holder, lagMs: row.lag_ms, isLate: row.is_late }));
}
