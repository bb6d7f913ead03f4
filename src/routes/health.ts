// For probes: is the process alive, and can it serve? No token, outside the base path.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Deps } from '../deps.js';
import { AppError } from '../errors/app-error.js';
import { READY_TIMEOUT_MS } from '../http/bounds.js';
import { defineRoute } from '../http/route.js';
import { checkDatabase } from '../services/health.js';

const aliveSchema = z.object({ status: z.literal('ok') }).meta({ examples: [{ status: 'ok' }] });
const RETRY_AFTER_S = 2;
const alive = { status: 200, body: { status: 'ok' } } as const;

/** Registers /health/live and /health/ready, which says when the process was asked to stop. */
export function registerHealth(
  app: FastifyInstance,
  deps: Pick<Deps, 'db' | 'clock'>,
  isStopping: () => boolean,
): void {
  const isDatabaseThere = checkOnceAtATime(() => checkDatabase(deps));

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
    description: `Asks the database, for at most ${READY_TIMEOUT_MS} ms, and compares the clocks.`,
    tag: 'health',
    access: 'public',
    responses: { 200: aliveSchema },
    problems: ['unavailable', 'clock_skewed'],
    handler: async () => {
      if (isStopping())
        throw new AppError('unavailable', 'The process is shutting down.', { retryAfterS: RETRY_AFTER_S });
      await isDatabaseThere();
      return alive;
    },
  });
}

/**
 * Wraps a query as a check with a deadline. While one is under way later callers share it, so that probes of a database
 * that hangs do not use up the pool. Throws: unavailable, what the query refuses.
 */
function checkOnceAtATime(query: () => Promise<unknown>): () => Promise<void> {
  let underWay: Promise<unknown> | undefined;
  return async () => {
    underWay ??= query().finally(() => {
      underWay = undefined;
    });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${READY_TIMEOUT_MS} ms`)), READY_TIMEOUT_MS);
    });
    try {
      await Promise.race([underWay, deadline]);
    } catch (cause) {
      if (cause instanceof AppError) throw cause;
      throw new AppError('unavailable', 'The database does not answer.', { cause, retryAfterS: RETRY_AFTER_S });
    } finally {
      clearTimeout(timer);
    }
  };
}
