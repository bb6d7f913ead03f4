// Which pages of other origins may read answers: those of a list, and no others.
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const PREFLIGHT_KEPT_S = 600;

/** Lets pages of these origins ask; must be awaited before hooks and routes. Nobody's are let without an origin. */
export async function registerCors(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'Bursar-Position',
      'Idempotency-Key',
      'X-Request-Id',
      'Traceparent',
    ],
    exposedHeaders: ['Bursar-Position', 'Idempotent-Replayed', 'Retry-After', 'X-Request-Id'],
    maxAge: PREFLIGHT_KEPT_S,
    // What no browser sends is answered like any other method that a path does not take.
    preflight: true,
    strictPreflight: false,
  });
}
