// Headers by which a browser does no more with an answer than read it. They are the same for every answer, so they are written down once: a library that
// puts them together for each request cost as much as all the rest of HTTP. The reference page has a policy of its own (reference.ts).
import type { FastifyInstance } from 'fastify';

/** TLS is the business of the proxy, and so is what it promises for the host (Strict-Transport-Security). */
const HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Gives every answer the headers. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(HEADERS);
    done();
  });
}
