// Turns requests away before the process chokes: the dear ones first (lists, reports, calls about many), all others when that is not enough. What tells is how
// late the event loop is on the average of a moment, and how many requests are under way. Probes and scrapes are never turned away.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import type { EventLoopWatch } from '../lib/event-loop.js';

/** Beyond these dear requests are turned away; null is never. */
export interface SheddingLimits {
  readonly delayMs: number | null;
  readonly requests: number | null;
}

/** The others are turned away at so many times the limits. */
const OTHERS_AT_DELAYS = 4;
const OTHERS_AT_REQUESTS = 8;
const RETRY_AFTER_S = 2;

/** Whom a process turns away: nobody, who asks for dear things, everybody. */
export type SheddingLevel = 0 | 1 | 2;

export interface Load {
  delayMs: number;
  requests: number;
}

/** Whom to turn away under a load. */
export function levelOf({ delayMs, requests }: Load, limits: SheddingLimits): SheddingLevel {
  const by = (value: number, limit: number | null, times: number): SheddingLevel => {
    if (limit === null || value <= limit) return 0;
    return value > limit * times ? 2 : 1;
  };
  const byDelay = by(delayMs, limits.delayMs, OTHERS_AT_DELAYS);
  const byRequests = by(requests, limits.requests, OTHERS_AT_REQUESTS);
  return byDelay > byRequests ? byDelay : byRequests;
}

/** Has requests turned away; must be called before any route is added. What it returns tells the level of now. Throws (for a request): overloaded. */
export function shedLoad(
  app: FastifyInstance,
  limits: SheddingLimits,
  eventLoop: Pick<EventLoopWatch, 'delayMs'>,
): () => SheddingLevel {
  let told: SheddingLevel = 0;
  const levelNow = (): SheddingLevel => {
    const load = { delayMs: eventLoop.delayMs(), requests: app.underWay.count() };
    const level = levelOf(load, limits);
    if (level !== told) {
      const line = { shedding_level: level, delay_ms: Math.round(load.delayMs), requests: load.requests };
      if (level > 0) app.log.warn(line, 'more to do than gets done: requests are turned away');
      else app.log.info(line, 'requests are taken again');
      told = level;
    }
    return level;
  };
  app.addHook('onRequest', (request, _reply, done) => {
    done(isTurnedAway(request, levelNow()) ? overloaded() : undefined);
  });
  return levelNow;
}

function isTurnedAway({ routeOptions }: FastifyRequest, level: SheddingLevel): boolean {
  const { declared, access } = routeOptions.config;
  if (level === 0 || declared === undefined || access === 'public') return false;
  return level === 2 || declared.isDear;
}

function overloaded(): AppError {
  return new AppError('overloaded', 'There is more to do than gets done at the moment.', {
    retryAfterS: RETRY_AFTER_S,
  });
}
