// What is answered where a path has routes, but none of the method that was sent.
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import { AppError } from '../errors/app-error.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The methods of the path, as in the header `Allow`; only where a route stands for those that it does not take. */
    allow?: string;
  }
}

/**
 * Notes every route that is added to `app` from now on; what it returns adds, to each of their paths, a route for the methods that it does not take.
 * They are found by the router itself, so that both go by the same reading of a path.
 */
export function trackMethods(app: FastifyInstance): () => void {
  const urls = new Set<string>();
  app.addHook('onRoute', ({ url }) => {
    urls.add(url);
  });
  return () => {
    for (const url of [...urls]) {
      const isTaken = (method: string) => app.hasRoute({ method: method as HTTPMethods, url });
      const allow = app.supportedMethods.filter(isTaken).sort().join(', ');
      const method = app.supportedMethods.filter((name) => !isTaken(name));
      app.route({ method, url, config: { access: 'public', allow }, schema: { hide: true }, handler: neverReached });
    }
  };
}

/** The refusal of a request whose path takes other methods, which its answer names; undefined when there is a route for it. */
export function methodFault({ method, routeOptions }: FastifyRequest): { error: AppError; allow: string } | undefined {
  const { allow } = routeOptions.config;
  if (allow === undefined) return undefined;
  return { error: new AppError('method_not_allowed', `This path takes ${allow}, not ${method}.`), allow };
}

function neverReached(): never {
  throw new Error('a method that no route takes is refused before');
}
