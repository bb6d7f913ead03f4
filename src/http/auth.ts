// Who may call: bearer tokens, compared in constant time, and the rule that a route under the API's prefix has a scope.
// A scope brings the check with it, so no route is exempt because of where it is registered.
import { hash, timingSafeEqual } from 'node:crypto';
import bearerAuth from '@fastify/bearer-auth';
import type { FastifyInstance } from 'fastify';
import { BASE_PATH } from './base-path.js';

/** What a token must allow for a route to be called. */
export type Scope = 'read' | 'consume' | 'orders' | 'payments' | 'grants' | 'catalog' | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    scope?: Scope;
  }
}

/** Registers the check of bearer tokens and ties it to scopes; must be awaited before any route is added. The one token has all scopes. */
export async function registerAuth(app: FastifyInstance, apiToken: string): Promise<void> {
  const expected = digest(apiToken);
  await app.register(bearerAuth, {
    // With keys of its own the plugin would tell lengths apart; digests are all of one length.
    keys: new Set<string>(),
    auth: (token) => timingSafeEqual(digest(token), expected),
    addHook: false,
    // Names of authentication schemes are case-insensitive (RFC 9110).
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope;
    const isUnderPrefix = route.url === BASE_PATH || route.url.startsWith(`${BASE_PATH}/`);
    if (scope === undefined) {
      if (isUnderPrefix) throw new Error(`route ${String(route.method)} ${route.url} has no scope`);
      return;
    }
    if (!app.verifyBearerAuth) throw new Error('the bearer check is not registered');
    route.onRequest = [app.verifyBearerAuth, ...[route.onRequest ?? []].flat()];
  });
}

function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
