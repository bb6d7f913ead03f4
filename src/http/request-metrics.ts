// Counts every answer by route pattern, status and code, and how long it took. Never by the URL itself, which names people and has no end.
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../lib/metrics.js';
import { codeOf } from './request-log.js';

const MS_PER_S = 1_000;
/** What no route takes. */
const UNKNOWN = 'unknown';
/** What never became a request. */
const UNREADABLE = 'none unreadable';

/** Measures the answers of an app; must be called before any route is added. */
export function measureRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = `${request.method} ${request.routeOptions.url ?? UNKNOWN}`;
    metrics.answers.add(route, `${reply.statusCode} ${codeOf(request) ?? ''}`);
    metrics.observeDuration(route, reply.elapsedTime / MS_PER_S);
    done();
  });
}

/** Counts an answer to bytes that are no request. */
export function countUnreadable(metrics: Metrics, status: number, code: string): void {
  metrics.answers.add(UNREADABLE, `${status} ${code}`);
}
