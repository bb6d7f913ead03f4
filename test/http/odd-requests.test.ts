// Requests that no client of ours sends, over a socket, with and without a token, to every kind of path: no answer is a 5xx, and each refusal is a
// problem with a code of the catalogue and its status.
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { catalogue, type ErrorCode } from '../../src/errors/catalogue.js';
import { API_TOKEN, useTestApp } from '../support/app.js';
import { exchangeRaw, readAnswer } from '../support/raw-http.js';

const app = useTestApp();
const BASE = '/api/v1/billing';
const FILE = '/docs/static/swagger-ui.css';
const PROBLEM_STATUS_LEAST = 400;
const SERVER_ERROR_STATUS_LEAST = 500;
const TOKEN_LINES = ['', `Authorization: Bearer ${API_TOKEN}\r\n`];
const LONG = 'x'.repeat(5_000);

const send = (bytes: string) =>
  exchangeRaw((app.app.server.address() as AddressInfo).port, Buffer.from(bytes, 'latin1'));

/** Sends a request whose connection closes after the answer. `lines` are headers that end with CRLF each; `body` follows them. */
async function ask(method: string, path: string, lines = '', body = '') {
  return readAnswer(await send(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n${body}`));
}

function expectNoFault(answer: ReturnType<typeof readAnswer>, what: string, isHead = false): void {
  expect(answer.status, what).toBeGreaterThan(0);
  expect(answer.status, what).toBeLessThan(SERVER_ERROR_STATUS_LEAST);
  if (answer.status < PROBLEM_STATUS_LEAST) return;
  expect(answer.type, what).toBe('application/problem+json');
  expect(answer.head.toLowerCase(), what).toContain('x-request-id: ');
  if (!isHead) expect(catalogue[answer.code as ErrorCode]?.status, `${what} ${answer.code}`).toBe(answer.status);
}

const endings = [
  '',
  '/',
  '//',
  '/.',
  '/..',
  '/../',
  '/../x',
  '/%2e%2e',
  '/..%2f',
  '/%00',
  '/a%00b',
  '/%',
  '/%zz',
  '/%ff',
];
const more = [
  '/%5c',
  '/\\',
  '/.hidden',
  `/${LONG}`,
  `/${'x'.repeat(300)}`,
  `/${'x/'.repeat(2_500)}`,
  '?%',
  '?%00=1',
  '?a=%ff',
];
const roots = ['', '/docs', '/docs/static', FILE, '/health', '/openapi.json', BASE, `${BASE}/wallet`, `${BASE}/orders`];
const paths = [
  ...roots
    .flatMap((root) => [...endings, ...more].map((ending) => `${root}${ending}`))
    .filter((path) => /^\//.test(path)),
  ...['*', '/\u00ff', 'http://elsewhere/docs', 'elsewhere:443', '/docs/static//swagger-ui.css'],
];

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'PROPFIND',
  'SEARCH',
  'CONNECT',
];
const json = 'Content-Type: application/json\r\n';
const bodies: [lines: string, body: string][] = [
  ['', ''],
  [`${json}Content-Length: 2\r\n`, '{}'],
  [`${json}Content-Length: 1\r\n`, '{'],
  ['Content-Length: 2\r\n', '{}'],
  [`${json}Transfer-Encoding: chunked\r\n`, '2\r\n{}\r\n0\r\n\r\n'],
  ['Content-Type: \u00ff\r\nContent-Length: 2\r\n', '{}'],
];

const headers = [
  ...['bytes=-0', 'bytes=9999999999-', 'bytes=5-1', 'bytes=a-b', 'bytes=0-1,3-4', 'lines=0-1', 'x'].map(
    (range) => `Range: ${range}`,
  ),
  ...['x', '"x"', '*'].flatMap((tag) => [
    `If-Match: ${tag}`,
    `If-None-Match: ${tag}`,
    `If-Range: ${tag}\r\nRange: bytes=0-1`,
  ]),
  ...['nonsense', 'Thu, 01 Jan 1970 00:00:00 GMT'].flatMap((time) => [
    `If-Modified-Since: ${time}`,
    `If-Unmodified-Since: ${time}`,
  ]),
  ...['100-continue', 'nonsense'].map((expected) => `Expect: ${expected}`),
  ...['Upgrade: websocket\r\nConnection: Upgrade', 'Upgrade: h2c', 'Host: y', 'Host: x', 'TE: trailers'],
  ...[
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, identity',
    'Content-Length: -1',
    'Content-Length: x',
  ],
  ...[
    'Content-Length: 0\r\nContent-Length: 1',
    'Content-Length: 0\r\nTransfer-Encoding: chunked',
    'Content-Length: 99999999999999999999',
  ],
  ...[
    'Content-Type: \u00ff',
    'Content-Type:',
    `Accept: ${','.repeat(5_000)}`,
    'Accept-Encoding: x;q=y',
    'Accept-Version: 2.x',
  ],
  ...[
    'Authorization:',
    'Authorization: Bearer',
    'Authorization: Bearer \u00ff',
    `X: ${'y'.repeat(20_000)}`,
    'X\u00ff: y',
    'X y: z',
  ],
  ...[
    'noColon',
    ': z',
    'X: a\0b',
    'X: a\rb',
    'A: b\r\n c',
    Array.from({ length: 900 }, (_, index) => `h${index}: 1`).join('\r\n'),
  ],
];

describe('is answered without a 5xx:', () => {
  it.each(['GET', 'HEAD', 'POST', 'OPTIONS'])('%s of every odd path', async (method) => {
    for (const path of paths) {
      for (const token of TOKEN_LINES) {
        expectNoFault(await ask(method, path, token), `${method} ${path.slice(0, 60)} ${token}`, method === 'HEAD');
      }
    }
  });

  it.each(methods)('%s of every kind of path, with and without bodies', async (method) => {
    for (const path of [
      '/',
      FILE,
      '/openapi.json',
      `${BASE}/wallet`,
      `${BASE}/identify`,
      `${BASE}/orders/1`,
      '/nothing',
    ]) {
      for (const token of TOKEN_LINES) {
        for (const [lines, body] of bodies) {
          const answer = await ask(method, path, `${token}${lines}`, body);
          expectNoFault(answer, `${method} ${path} ${token}${lines}`, method === 'HEAD');
        }
      }
    }
  });

  it.each([
    'GET /',
    `GET ${FILE}`,
    `HEAD ${FILE}`,
    'GET /docs/',
    'GET /openapi.json',
    `GET ${BASE}/wallet`,
    `POST ${BASE}/identify`,
    'POST /nothing',
  ])('%s with every odd header', async (target) => {
    const [method = '', path = ''] = target.split(' ');
    for (const header of headers) {
      for (const token of TOKEN_LINES) {
        const answer = await ask(method, path, `${token}${header}\r\n`);
        expectNoFault(answer, `${target} ${header.slice(0, 60)} ${token}`, method === 'HEAD');
      }
    }
  });

  it.each([
    ['another protocol', 'GET /health/live HTTP/2.0\r\n\r\n'],
    ['no protocol', 'GET /health/live\r\n\r\n'],
    ['no HTTP', '\x16\x03\x01\x02\x00\x01'],
    ['a method in lower case', 'get /health/live HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a bad chunk', `POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`],
  ])('%s', async (what, bytes) => {
    expectNoFault(readAnswer(await send(bytes)), what);
  });
});

describe('is refused as what it is:', () => {
  it.each<[string, string, string, ErrorCode]>([
    ['GET', '/docs/static/..', '', 'path_not_allowed'],
    ['GET', '/docs/static/%00', '', 'path_not_allowed'],
    ['GET', '/docs/static//', '', 'path_not_allowed'],
    ['GET', `/docs/static/${LONG}`, '', 'path_not_allowed'],
    ['GET', '/docs/static/nothing.js', '', 'route_not_found'],
    ['GET', FILE, 'Range: bytes=9999999999-\r\n', 'range_not_satisfiable'],
    ['GET', FILE, 'If-Match: "x"\r\n', 'precondition_failed'],
    ['GET', FILE, 'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n', 'precondition_failed'],
    ['QUERY', '/nothing', '', 'route_not_found'],
    ['QUERY', `${BASE}/wallet`, '', 'method_not_allowed'],
    ['PROPFIND', `${BASE}/wallet`, '', 'route_not_found'],
    ['CONNECT', 'elsewhere:443', '', 'route_not_found'],
    ['POST', '/nothing', `${json}Content-Length: 1\r\n\r\n{`, 'route_not_found'],
    ['POST', '/nothing', `${json}Content-Length: 2000000\r\n`, 'route_not_found'],
    ['GET', '/health/live', 'Host: y\r\n', 'invalid_request'],
    ['GET', '/health/live', 'Host: x\r\n', 'invalid_request'],
    ['GET', '/nothing', 'host: y\r\n', 'invalid_request'],
    ['GET', '/%', 'Host: y\r\n', 'malformed_url'],
  ])('%s %s %j', async (method, path, lines, code) => {
    const answer = await ask(method, path, lines);
    expect(answer).toMatchObject({ status: catalogue[code].status, code, type: 'application/problem+json' });
  });

  it('no Host at all, where the protocol asks for one', async () => {
    const missing = readAnswer(await send('GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n'));
    expect(missing).toMatchObject({ status: 400, code: 'invalid_request', type: 'application/problem+json' });
    expect(readAnswer(await send('GET /health/live HTTP/1.0\r\n\r\n')).status).toBe(200);
  });

  it('an expectation that nobody knows is passed over', async () => {
    expect((await ask('GET', '/health/live', 'Expect: nonsense\r\n')).status).toBe(200);
  });
});
