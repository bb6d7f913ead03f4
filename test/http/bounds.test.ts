// What a request may weigh, and what a browser may do with an answer: headers by thousands, bodies of megabytes, bombs of brackets; headers of security.
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { HEADER_BYTES_MAX } from '../../src/http/bounds.js';
import { API_TOKEN, useTestApp } from '../support/app.js';
import { exchangeRaw, readAnswer } from '../support/raw-http.js';
import { expectProblem, writtenBy } from '../support/requests.js';

const app = useTestApp();
const BASE = '/api/v1/billing';
const exchange = (bytes: string) => exchangeRaw((app.app.server.address() as AddressInfo).port, bytes);
const headersOf = (count: number) => Array.from({ length: count }, (_, index) => `${index.toString(36)}:`).join('\r\n');

describe('headers', () => {
  it('by ten thousand are refused', async () => {
    const answer = readAnswer(
      await exchange(`GET ${BASE}/products HTTP/1.1\r\nHost: x\r\n${headersOf(10_000)}\r\n\r\n`),
    );
    expect([answer.status, answer.code]).toEqual([400, 'invalid_request']);
  });

  it('are all read, as many as fit: none behind others is lost without a word', async () => {
    const many = headersOf(2_200);
    expect(many.length).toBeLessThan(HEADER_BYTES_MAX - 1_000);
    const body = '{"external_id":"behind"}';
    const send = (line: string) =>
      exchange(
        `POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${many}\r\n${line}\r\n\r\n${body}`,
      );
    const answer = readAnswer(await send(`Authorization: Bearer ${API_TOKEN}`));
    expect(answer.status).toBe(200);
    expect(readAnswer(await send('X-Last: 1')).status).toBe(401);
  });

  it('and a URL are at most 16 KiB together', async () => {
    const answer = await exchange(
      `GET ${BASE}/products?limit=${'1'.repeat(HEADER_BYTES_MAX)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    );
    expect(readAnswer(answer).status).toBe(400);
  });
});

describe('a body', () => {
  const post = (body: string) =>
    app.post('/identify', undefined, { 'content-type': 'application/json' }).send(body as unknown as object);

  it('of 10 MB is refused before it is read', async () => {
    const answer = await exchange(
      `POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${API_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{`,
    );
    expect(readAnswer(answer).code).toBe('payload_too_large');
  });

  it.each([
    ['a metadata of brackets', `{"external_id":"bomb","profile":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`],
    ['a profile of lists', `{"external_id":"bomb","profile":{"a":${'['.repeat(250_000)}${']'.repeat(250_000)}}}`],
    ['an id of lists', `{"external_id":${'['.repeat(250_000)}${']'.repeat(250_000)}}`],
    ['brackets alone', '['.repeat(500_000) + ']'.repeat(500_000)],
    ['brackets that nobody closes', '['.repeat(1_000_000)],
    ['many members', `{${Array.from({ length: 60_000 }, (_, index) => `"m${index}":1`).join()}}`],
  ])('that is a bomb is refused, and writes nothing: %s', async (_what, body) => {
    const written = await writtenBy(app, async () => {
      const answer = await post(body);
      expect(answer.status).toBe(400);
      expect(['invalid_request', 'malformed_json']).toContain(answer.body.code);
    });
    expect(written).toEqual({});
  });
});

describe('headers of security', () => {
  const secure = {
    'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  };

  it('are on every answer: of success, a refusal, an unknown path, a probe', async () => {
    const [ok, refused, unknown] = [await app.get('/products'), await app.get('/wallet'), await app.get('/nowhere')];
    expectProblem(refused, 400, 'invalid_request');
    expectProblem(unknown, 404, 'route_not_found');
    const probe = await app.app.inject('/health/live');
    for (const { headers } of [ok, refused, unknown, probe]) expect(headers).toMatchObject(secure);
  });

  it('leave the reference its own policy', async () => {
    const { headers } = await app.app.inject('/docs/');
    expect(headers['content-security-policy']).toMatch(/default-src 'self'/);
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});
