// Which pages of other origins may read answers: those of the list, by preflights and by themselves; refusals too.
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { startTestApp, useTestApp } from '../support/app.js';
import { bearer } from '../support/keys.js';

const app = useTestApp();
const SHOP = 'https://shop.example.org';
let running: Awaited<ReturnType<typeof startTestApp>>;
let server: FastifyInstance;

beforeAll(async () => {
  running = await startTestApp(app.url, app.clock, undefined, { corsOrigins: [SHOP, 'http://localhost:5173'] });
  server = running.app;
});
afterAll(() => running.close());

const preflight = (origin: string, on = server, url = `${BASE_PATH}/wallet`) =>
  on.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization',
    },
  });

describe('a page of a listed origin', () => {
  it.each([SHOP, 'http://localhost:5173'])('may ask from %s, without a token for the preflight', async (origin) => {
    const { statusCode, headers } = await preflight(origin);
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers':
        'Authorization, Content-Type, Bursar-Position, Idempotency-Key, X-Request-Id, Traceparent',
      'access-control-max-age': '600',
    });
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('may read answers and refusals, which vary by origin', async () => {
    const answer = await server.inject({
      url: `${BASE_PATH}/products`,
      headers: { origin: SHOP, ...bearer('a-token-that-only-tests-use') },
    });
    const refusal = await server.inject({ url: `${BASE_PATH}/wallet`, headers: { origin: SHOP } });
    expect([answer.statusCode, refusal.statusCode]).toEqual([200, 401]);
    for (const { headers } of [answer, refusal]) expect(headers['access-control-allow-origin']).toBe(SHOP);
    expect(answer.headers.vary).toBe('Origin');
    expect(refusal.headers.vary).toBe('Origin, Accept');
  });
});

describe('a page of any other origin', () => {
  it.each([
    ['https://evil.example.org'],
    ['https://shop.example.org.evil.org'],
    ['http://shop.example.org'],
    ['https://shop.example.org:8443'],
    ['https://SHOP.example.org/'],
    ['null'],
  ])('gets no header: %s', async (origin) => {
    expect((await preflight(origin)).headers['access-control-allow-origin']).toBeUndefined();
    const { headers } = await server.inject({ url: `${BASE_PATH}/products`, headers: { origin } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it('gets none where no origin is listed, and OPTIONS is a method like others', async () => {
    const answer = await preflight(SHOP, app.app);
    expect(answer.statusCode).toBe(405);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect((await preflight(SHOP, app.app, '/nowhere')).statusCode).toBe(404);
  });
});

it('leaves unknown paths unknown', async () => {
  const { statusCode } = await server.inject({ method: 'GET', url: '/nowhere', headers: { origin: SHOP } });
  expect(statusCode).toBe(404);
});
