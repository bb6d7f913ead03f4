// A span for each request, for whoever follows a trace through several services. Only where a collector is named; by route pattern, never by URL.
import type { FastifyInstance } from 'fastify';
import type { Tracer } from '../lib/otlp.js';
import { callersTrace } from './correlation.js';
import { codeOf } from './request-log.js';

const SERVER_ERROR_STATUS_LEAST = 500;

/** Records each request but probes and scrapes; must be called before any route is added. The tracer stays the caller's. */
export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url: route, config } = request.routeOptions;
    if (config.access === undefined || config.access === 'public') {
      done();
      return;
    }
    const endMs = performance.timeOrigin + performance.now();
    const code = codeOf(request);
    tracer.record({
      name: `${request.method} ${route}`,
      parent: callersTrace(request.headers),
      startMs: endMs - reply.elapsedTime,
      endMs,
      attributes: {
        'http.request.method': request.method,
        'http.route': route ?? '',
        'http.response.status_code': reply.statusCode,
        'bursar.request_id': request.id,
        ...(code !== undefined && { 'bursar.code': code }),
      },
      isError: reply.statusCode >= SERVER_ERROR_STATUS_LEAST,
    });
    done();
  });
}
