// How the background work stands.
import type { FastifyInstance } from 'fastify';
import type { JobState } from '../db/jobs.js';
import type { Deps } from '../deps.js';
import { defineRoute } from '../http/route.js';
import { jobsAnswer } from '../schemas/jobs.js';
import { tellJobs } from '../services/jobs.js';

const MS_PER_S = 1_000;

export function registerJobs(app: FastifyInstance, deps: Deps): void {
  defineRoute(app, {
    method: 'GET',
    url: '/jobs',
    operationId: 'listJobs',
    summary: 'How the background work stands',
    description:
      'Of all processes on this database. No answer depends on a job for being right, only for how soon the ledger says it. `/health/ready` names the late ones.',
    tag: 'operations',
    access: 'admin',
    responses: { 200: jobsAnswer },
    problems: [],
    handler: async () => ({ status: 200, body: { data: (await tellJobs(deps)).map(toJobView) } }),
  });
}

function toJobView(job: JobState) {
  const { lastError, lastErrorAt } = job;
  return {
    name: job.name,
    interval_s: job.intervalMs / MS_PER_S,
    next_due_at: job.nextDueAt,
    lag_s: job.lagMs / MS_PER_S,
    is_late: job.isLate,
    holder: job.holder,
    runs: job.runs,
    failures: job.failures,
    last_started_at: job.lastStartedAt,
    last_ended_at: job.lastEndedAt,
    last_error: lastErrorAt === null || lastError === null ? null : { at: lastErrorAt, message: lastError },
  };
}
