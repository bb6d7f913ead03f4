// The OpenAPI document as it is made from declared routes, shown on toy routes.
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import packageJson from '../../package.json' with { type: 'json' };
import { buildApp, type RegisterRoutes } from '../../src/app.js';
import type { Deps } from '../../src/deps.js';
import { createHorizon } from '../../src/engine/horizon.js';
import { catalogue, type ErrorCode } from '../../src/errors/catalogue.js';
import { openapiText } from '../../src/http/openapi.js';
import { defineRoute } from '../../src/http/route.js';
import { uuidIds } from '../../src/lib/ids.js';
import { createMetrics } from '../../src/lib/metrics.js';
import { instantSchema } from '../../src/schemas/instants.js';
import { metadataSchema } from '../../src/schemas/metadata.js';
import { pageOf, pageQueryShape } from '../../src/schemas/pages.js';
import { quantitySchema } from '../../src/schemas/quantities.js';
import { withSelector } from '../../src/schemas/selectors.js';
import { uuidSchema } from '../../src/schemas/text.js';

const row = z.object({ id: uuidSchema, made_at: instantSchema }).meta({ id: 'ToyRow', description: 'A toy.' });

const registerToys: RegisterRoutes = (app) => {
  defineRoute(app, {
    method: 'POST',
    url: '/toys/:id',
    operationId: 'playWithToy',
    summary: 'Play',
    description: 'At length.',
    tag: 'quota',
    access: 'consume',
    params: z.object({ id: uuidSchema }),
    body: withSelector({ amount: quantitySchema, metadata: metadataSchema }),
    responses: { 201: row },
    problems: ['insufficient_quota', 'customer_not_found', 'product_not_found', 'selector_conflict'],
    handler: ({ params }) => ({ status: 201, body: { id: params.id, made_at: new Date(0) } }),
  });
  defineRoute(app, {
    method: 'POST',
    url: '/toys',
    operationId: 'tidyToys',
    summary: 'Tidy',
    tag: 'quota',
    access: 'admin',
    body: z.object({ note: z.string().optional() }),
    idempotent: false,
    responses: { 204: z.undefined() },
    problems: [],
    handler: (_input) => ({ status: 204, body: undefined }),
  });
  defineRoute(app, {
    method: 'GET',
    url: '/toys',
    operationId: 'listToys',
    summary: 'List',
    tag: 'catalog',
    access: 'read',
    query: z.object(pageQueryShape),
    responses: { 200: pageOf(row, 'Newest first.') },
    problems: [],
    handler: (_input) => ({ status: 200, body: { data: [], next_cursor: null } }),
  });
};

interface Operation {
  parameters?: { $ref?: string; name?: string; in?: string; required?: boolean; schema?: Record<string, unknown> }[];
  requestBody?: {
    required: boolean;
    content: Record<string, { schema: { properties: object; additionalProperties?: boolean } }>;
  };
  responses: Record<string, { $ref?: string; description?: string; headers?: object; content?: object }>;
  security: object[];
}

interface Document {
  openapi: string;
  info: { version: string };
  servers: object[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, unknown>>;
}

const BASE = '/api/v1/billing';
let app: FastifyInstance;
let document: Document;

function build(): Promise<FastifyInstance> {
  const deps = {
    ids: uuidIds,
    config: {
      apiToken: 'x',
      corsOrigins: [],
      rateLimits: { perAddress: null, perKey: null, perCustomer: null },
      shedding: { delayMs: null, requests: null },
      trustedProxies: [],
    },
    log: pino({ level: 'silent' }),
    horizon: createHorizon({ db: {} as Deps['db'] }),
    metrics: createMetrics(),
  } as unknown as Deps;
  return buildApp(deps, { extraResources: [registerToys] });
}

beforeAll(async () => {
  app = await build();
  document = JSON.parse(openapiText(app));
});
afterAll(() => app.close());

function operation(path: string, method: string): Operation {
  const found = document.paths[path]?.[method];
  if (!found) throw new Error(`no operation ${method} ${path}`);
  return found;
}

/** The codes that an operation's response of this status may carry, read out of the document. */
function codesOf(of: Operation, status: number): string[] {
  const text = JSON.stringify(of.responses[status]);
  const name = /#\/components\/responses\/([^"]+)/.exec(text)?.[1];
  const resolved = name === undefined ? text : JSON.stringify(document.components.responses?.[name]);
  const ofTheirOwn = [...resolved.matchAll(/#\/components\/schemas\/(\w+Problem)"/g)].map(([, schema = '']) =>
    JSON.stringify(document.components.schemas?.[schema]),
  );
  return [
    ...new Set(
      [...`${resolved}${ofTheirOwn.join('')}`.matchAll(/"code":\{[^{}]*?"enum":\[([^\]]*)\]/g)].flatMap(([, list]) =>
        JSON.parse(`[${list}]`),
      ),
    ),
  ].sort();
}

/** The rows of a list that is answered in pages. */
function pagedRowsOf(of: Operation): { description?: string } | undefined {
  const content = of.responses['200']?.content as Record<string, { schema: PagedSchema }> | undefined;
  const properties = content?.['application/json']?.schema.properties;
  return properties?.next_cursor && properties.data;
}

interface PagedSchema {
  properties?: { data?: { description?: string }; next_cursor?: object };
}

describe('the document', () => {
  it('is the same for the same routes, and what /openapi.json serves', async () => {
    const other = await build();
    expect(openapiText(other)).toBe(openapiText(app));
    await other.close();
    const answer = await app.inject('/openapi.json');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).toBe(openapiText(app));
  });

  it('has the version of the package, a relative server, and describes the tags in use, no others', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info.version).toBe(packageJson.version);
    expect(document.servers).toEqual([{ url: '/' }]);
    expect(document.tags.map((tag) => tag.name)).toEqual(expect.arrayContaining(['quota', 'catalog', 'health']));
    const used = Object.values(document.paths).flatMap((path) =>
      Object.values(path).flatMap((of) => (of as unknown as { tags: string[] }).tags),
    );
    expect(new Set(document.tags.map((tag) => tag.name))).toEqual(new Set(used));
  });

  it('has every component it refers to, and refers to every component it has', () => {
    const text = JSON.stringify(document);
    const referred = new Set([...text.matchAll(/"#\/components\/([^"]+)"/g)].map(([, path]) => path));
    const present = Object.entries(document.components)
      .filter(([kind]) => kind !== 'securitySchemes')
      .flatMap(([kind, byName]) => Object.keys(byName).map((name) => `${kind}/${name}`));
    expect(new Set(present)).toEqual(referred);
    expect(present).toContain('schemas/Problem');
  });

  it('lists every problem of a route, the common ones included, by status', () => {
    const play = operation(`${BASE}/toys/{id}`, 'post');
    expect(codesOf(play, 400)).toEqual(['invalid_request', 'malformed_json', 'malformed_url']);
    expect(codesOf(play, 401)).toEqual(['unauthenticated']);
    expect(codesOf(play, 402)).toEqual(['insufficient_quota']);
    expect(codesOf(play, 404)).toEqual(['customer_not_found', 'product_not_found']);
    expect(codesOf(play, 409)).toEqual(['customer_erased', 'selector_conflict']);
    expect(codesOf(play, 413)).toEqual(['payload_too_large']);
    expect(codesOf(play, 415)).toEqual(['unsupported_media_type']);
    expect(codesOf(play, 422)).toEqual(['idempotency_key_reused']);
    expect(codesOf(play, 500)).toEqual(['internal_error']);
    expect(codesOf(play, 503)).toEqual(['clock_skewed', 'overloaded', 'unavailable']);
    const list = operation(`${BASE}/toys`, 'get');
    expect(Object.keys(list.responses).sort()).toEqual(['200', '400', '401', '403', '429', '500', '503']);
    expect(Object.keys(operation(`${BASE}/toys`, 'post').responses)).not.toContain('422');
  });

  it('gives problems as problem+json, with the members of their code', () => {
    expect(JSON.stringify(document.components.responses?.InsufficientQuota)).toContain('application/problem+json');
    const insufficient = JSON.stringify(document.components.schemas?.InsufficientQuotaProblem);
    for (const member of ['requested', 'available', 'remaining', 'reasons', 'upgrade_skus', 'upgrade_offers'])
      expect(insufficient).toContain(`"${member}"`);
    expect(JSON.stringify(document.components.responses?.Unavailable)).toContain('Retry-After');
  });

  it('documents key and body of a POST', () => {
    const play = operation(`${BASE}/toys/{id}`, 'post');
    expect(play.parameters).toContainEqual({ $ref: '#/components/parameters/IdempotencyKey' });
    expect(document.components.parameters?.IdempotencyKey).toMatchObject({
      name: 'Idempotency-Key',
      in: 'header',
      required: false,
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    });
    const body = play.requestBody?.content['application/json'];
    expect(play.requestBody?.required).toBe(true);
    expect(Object.keys(body?.schema.properties ?? {})).toEqual(
      expect.arrayContaining(['customer_id', 'external_id', 'amount', 'idempotency_key']),
    );
    expect(body?.schema.additionalProperties).toBe(false);
    const tidy = operation(`${BASE}/toys`, 'post');
    expect(tidy.requestBody?.required).toBe(false);
    expect(tidy.requestBody?.content['application/json']?.schema.additionalProperties).toBe(false);
  });

  it('documents answers, the empty one too', () => {
    expect(operation(`${BASE}/toys/{id}`, 'post').responses['201']).toEqual({
      description: 'Created',
      headers: {
        'Bursar-Position': { $ref: '#/components/headers/Position' },
        'X-Request-Id': { $ref: '#/components/headers/RequestId' },
        'Idempotent-Replayed': { $ref: '#/components/headers/IdempotentReplayed' },
      },
      content: { 'application/json': { schema: { $ref: '#/components/schemas/ToyRow' } } },
    });
    const empty = operation(`${BASE}/toys`, 'post').responses['204'];
    expect(empty?.description).toBe('No Content');
    expect(empty?.content).toBeUndefined();
  });

  it('documents queries as their readers see them', () => {
    const limit = operation(`${BASE}/toys`, 'get').parameters?.find((parameter) => parameter.name === 'limit');
    expect(limit).toMatchObject({
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
    });
  });

  it('tells the order of every list', () => {
    const lists = Object.entries(document.paths).flatMap(([path, { get }]) => {
      const data = get && pagedRowsOf(get);
      return data ? [[path, data.description]] : [];
    });
    expect(lists.length).toBeGreaterThan(8);
    expect(lists.filter(([, order]) => !/ first|^By /.test(order ?? ''))).toEqual([]);
  });

  it('asks for a token on the routes of the API and nowhere else', () => {
    expect(operation(`${BASE}/toys`, 'get').security).toEqual([{ bearer: ['read'] }]);
    expect(operation('/health/live', 'get').security).toEqual([]);
    expect(Object.keys(operation('/health/live', 'get').responses)).not.toContain('401');
  });

  it('leaves no schema empty', () => {
    expect(JSON.stringify(document.paths)).not.toContain('"schema":{}');
  });
});

describe('the catalogue', () => {
  it('has a status, a title and a remedy for every code', () => {
    for (const code of Object.keys(catalogue) as ErrorCode[]) {
      expect(catalogue[code].status, code).toBeGreaterThanOrEqual(400);
      expect(catalogue[code].title, code).not.toBe('');
      expect(catalogue[code].remedy, code).toMatch(/\.$/);
    }
  });
});
