// Who may call: a token with a scope, anybody, or who signed the raw body; and the rule that each route says which. A scope brings the check of the
// token with it, so no route is exempt because of where it is registered.
import bearerAuth from '@fastify/bearer-auth';
import type { FastifyInstance, onRequestHookHandler } from 'fastify';
import type { Actor } from '../call.js';
import { AppError } from '../errors/app-error.js';
import type { Ability, Scope } from '../lib/scopes.js';
import { BASE_PATH } from './base-path.js';

/** Who may call a route: whose token has the scope, anybody, or whoever signed the body, which the route's handler checks on its raw bytes. */
export type Access = Scope | 'public' | 'signature';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** What a customer's own token must allow; without it none is taken. */
    ability?: Ability;
  }
  interface FastifyRequest {
    /** Whose token it is; undefined on a route that takes none. */
    actor?: Actor;
  }
}

/** Says whose token it is. Throws: unauthenticated. */
export type ActorOf = (token: string) => Actor | Promise<Actor>;

/** The security requirement of OpenAPI that goes with an access. */
export function securityOf(access: Access): Record<string, string[]>[] {
  return takesToken(access) ? [{ bearer: [access] }] : [];
}

export function takesToken(access: Access): access is Scope {
  return access !== 'public' && access !== 'signature';
}

/** Registers the check of bearer tokens and ties it to scopes; `next` is what follows it. Must be awaited before any route is added. */
export async function registerAuth(app: FastifyInstance, actorOf: ActorOf, next?: onRequestHookHandler): Promise<void> {
  await app.register(bearerAuth, {
    // Those of its own it would compare with every token, and tell lengths apart.
    keys: new Set<string>(),
    auth: (token, request) => {
      const actor = actorOf(token);
      if (actor instanceof Promise) {
        return actor.then((late) => {
          request.actor = late;
          return true;
        });
      }
      request.actor = actor;
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
    const checks = [app.verifyBearerAuth, permit(access, route.config?.ability), ...(next ? [next] : [])];
    route.onRequest = [...checks, ...[route.onRequest ?? []].flat()];
  });
}

/** Lets through whose token has the scope, or whose own token, as a customer's, has the ability. */
function permit(scope: Scope, ability: Ability | undefined): onRequestHookHandler {
  return ({ actor }, reply, done) => {
    const isAllowed = actor?.customer
      ? ability !== undefined && actor.customer.abilities.has(ability)
      : actor?.scopes.has(scope);
    if (isAllowed) {
      done();
      return;
    }
    reply.header('www-authenticate', `Bearer realm="bursar", error="insufficient_scope", scope="${scope}"`);
    done(
      new AppError(
        'forbidden',
        actor?.customer ? refusalOfCustomer(ability) : `The token lacks the scope \`${scope}\`.`,
      ),
    );
  };
}

function refusalOfCustomer(ability: Ability | undefined): string {
  return ability === undefined
    ? 'This is not for the tokens of customers.'
    : `The customer token lacks the ability \`${ability}\`.`;
}
