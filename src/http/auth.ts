// Who may call: a token with a scope, anybody, or who signed the raw body; and the rule that each route says which. A scope brings the check of the
// token with it, so no route is exempt because of where it is registered.
import { hash, timingSafeEqual } from 'node:crypto';
import bearerAuth from '@fastify/bearer-auth';
import type { FastifyInstance } from 'fastify';
import type { Actor } from '../call.js';
import { BASE_PATH } from './base-path.js';

/** What a token may allow. */
export type Scope = 'read' | 'consume' | 'orders' | 'payments' | 'grants' | 'catalog' | 'prices' | 'events' | 'admin';

/** Who may call a route: whose token has the scope, anybody, or whoever signed the body, which the route's handler checks on its raw bytes. */
export type Access = Scope | 'public' | 'signature';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Whose token it is; undefined on a route that takes none. */
    actor?: Actor;
  }
}

/** The bootstrap token. */
const BOOTSTRAP: Actor = { keyId: 'bootstrap', ownerId: 'bootstrap' };

/** The security requirement of OpenAPI that goes with an access. */
export function securityOf(access: Access): Record<string, string[]>[] {
  return takesToken(access) ? [{ bearer: [] }] : [];
}

export function takesToken(access: Access): access is Scope {
  return access !== 'public' && access !== 'signature';
}

/** Registers the check of bearer tokens and ties it to scopes; must be awaited before any route is added. The one token has all scopes. */
export async function registerAuth(app: FastifyInstance, apiToken: string): Promise<void> {
  const expected = digest(apiToken);
  await app.register(bearerAuth, {
    // With keys of its own the plugin would tell lengths apart; digests are all of one length.
    keys: new Set<string>(),
    auth: (token, request) => {
      if (!timingSafeEqual(digest(token), expected)) return false;
      request.actor = BOOTSTRAP;
      return true;
    },
    addHook: false,
    // Names of authentication schemes are case-insensitive (RFC 9110).
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  app.decorateRequest('actor');
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === undefined) {
      const isUnderPrefix = route.url === BASE_PATH || route.url.startsWith(`${BASE_PATH}/`);
      if (isUnderPrefix) throw new Error(`route ${String(route.method)} ${route.url} does not say who may call it`);
      return;
    }
    if (!takesToken(access)) return;
    if (!app.verifyBearerAuth) throw new Error('the bearer check is not registered');
    route.onRequest = [app.verifyBearerAuth, ...[route.onRequest ?? []].flat()];
  });
}

function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
