// The API reference for people and programs: the page at /docs, the document at /openapi.json. Who may see them is configured.
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../errors/app-error.js';
import { openapiText } from './openapi.js';
import { FAVICON, STYLE } from './reference-style.js';

/** A browser shows no page to somebody whom it can't ask for a password. */
const CHALLENGE = 'Basic realm="bursar: any name, the token as the password", charset="UTF-8"';

/** What the page may load: its own files, and images within its style. It asks no other site for anything. */
const CONTENT_SECURITY_POLICY = {
  'default-src': "'self'",
  'img-src': "'self' data:",
  // React sets styles of elements as attributes.
  'style-src': "'self' 'unsafe-inline'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'object-src': "'none'",
};

/** Serves the page and the document, to anybody or to whoever has the token; the checks of tokens and the document must be registered. */
export async function registerReference(app: FastifyInstance, access: 'public' | 'token'): Promise<void> {
  await app.register(async (scope) => {
    if (access === 'token') guard(scope);
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CONTENT_SECURITY_POLICY,
      theme: {
        title: 'Bursar: API reference',
        css: [{ filename: 'bursar.css', content: STYLE }],
        favicon: [{ filename: 'bursar.svg', rel: 'icon', sizes: 'any', type: 'image/svg+xml', content: FAVICON }],
      },
      uiConfig: {
        layout: 'BaseLayout',
        docExpansion: 'list',
        defaultModelsExpandDepth: -1,
        deepLinking: true,
        displayRequestDuration: true,
        filter: true,
        persistAuthorization: true,
        tryItOutEnabled: true,
      },
    });
    let text: string | undefined;
    scope.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
      text ??= openapiText(app);
      return reply.header('content-type', 'application/json; charset=utf-8').send(text);
    });
  });
}

/** Lets nobody through without the token: as a bearer, or, as a browser asks for it, as the password of any name. */
function guard(scope: FastifyInstance): void {
  const { verifyBearerAuth } = scope;
  if (!verifyBearerAuth) throw new Error('the bearer check is not registered');
  scope.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    reply.header('www-authenticate', CHALLENGE);
    const password = passwordOf(request.headers.authorization);
    if (password !== undefined) request.headers.authorization = `Bearer ${password}`;
    verifyBearerAuth.call(scope, request, reply, (error) => {
      if (!error) reply.removeHeader('www-authenticate');
      done(
        error ??
          (request.actor?.customer ? new AppError('forbidden', 'This is not for the tokens of customers.') : undefined),
      );
    });
  });
}

function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}
