// For probes: is the process alive, and can it serve? No token, outside the base path.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { CONDITION_TIMEOUT_MS, READY_TIMEOUT_MS } from '../http/bounds.js';
import { defineRoute } from '../http/route.js';
import { onceAtATime } from '../lib/once-at-a-time.js';
import { type Condition, checkDatabase, createObserver } from '../services/health.js';

const MS_PER_S = 1_000;
const aliveSchema = z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] });
const lateSchema = z.number().meta({ minimum: 0, examples: [240] });
const readySchema = z
  .object({
    status: z.enum(['ok', 'degraded']).meta({ description: 'Degraded: requests are served, but something is late.' }),
    late_jobs: z
      .array(z.object({ name: z.string(), lag_s: lateSchema }))
      .nullable()
      .meta({
        description: 'Jobs whose oldest due work is older than it should be. Null when that could not be seen.',
      }),
    oldest_transaction: z.object({ pid: z.int().nullable(), lasts_s: lateSchema }).nullable().meta({
      description:
        'The transaction for whose end the feed of events waits: its process in Postgres (null: it is prepared), and since when it runs.',
    }),
    replica: z
      .object({
        status: z.enum(['ok', 'lagging', 'lost', 'unfit']),
        lag_s: z.number().meta({ minimum: 0, examples: [0] }),
      })
      .nullable()
      .meta({
        description:
          'The standby that answers reads which may lag; null when there is none, or nobody looked. While it is not ok the primary answers them.',
      }),
  })
  .meta({ examples: [{ status: 'ok', late_jobs: [], oldest_transaction: null, replica: null }] });
const RETRY_AFTER_S = 2;
const alive = { status: 200, body: { status: 'ok' } } as const;

/** Registers /health/live and /health/ready, which says when the process was asked to stop. */
export function registerHealth(
  app: FastifyInstance,
  deps: Pick<Deps, 'db' | 'clock' | 'replica'>,
  isStopping: () => boolean,
): void {
  const checkDatabaseNow = onceAtATime(() => checkDatabase(deps), READY_TIMEOUT_MS);
  const observe = onceAtATime(createObserver(deps), CONDITION_TIMEOUT_MS);

  defineRoute(app, {
    method: 'GET',
    url: '/health/live',
    operationId: 'getLiveness',
    summary: 'Is the process alive?',
    tag: 'health',
    access: 'public',
    responses: { 200: aliveSchema },
    problems: [],
    handler: () => alive,
  });

  defineRoute(app, {
    method: 'GET',
    url: '/health/ready',
    operationId: 'getReadiness',
    summary: 'Can requests be served?',
    description: `Asks the database, for at most ${READY_TIMEOUT_MS} ms, whether it takes writes, and compares the clocks. Says beside it, within ${CONDITION_TIMEOUT_MS} ms, what is late: that is no reason to send requests elsewhere.`,
    tag: 'health',
    access: 'public',
    responses: { 200: readySchema },
    problems: ['unavailable', 'clock_skewed'],
    handler: async () => {
      if (isStopping())
        throw new AppError('unavailable', 'The process is shutting down.', { retryAfterS: RETRY_AFTER_S });
      await checkDatabaseNow().catch(refuse);
      const condition = await observe().catch((error: unknown) => {
        app.log.warn({ err: error }, 'could not see what is late');
      });
      return { status: 200, body: condition ? toConditionView(condition) : UNSEEN };
    },
  });
}

const UNSEEN = { status: 'ok', late_jobs: null, oldest_transaction: null, replica: null } as const;

function toConditionView({ lateJobs, oldestTransaction, replica, isGood }: Condition) {
  return {
    status: isGood ? ('ok' as const) : ('degraded' as const),
    late_jobs: lateJobs.map(({ name, lagMs }) => ({ name, lag_s: lagMs / MS_PER_S })),
    oldest_transaction: oldestTransaction && {
      pid: oldestTransaction.pid,
      lasts_s: oldestTransaction.lastsMs / MS_PER_S,
    },
    replica: replica && { status: replica.status, lag_s: Math.round(replica.lagMs) / MS_PER_S },
  };
}

function refuse(cause: unknown): never {
  if (cause instanceof AppError) throw cause;
  throw new AppError('unavailable', 'The database does not answer.', { cause, retryAfterS: RETRY_AFTER_S });
}
