// Draws whole HTTP requests for an operation of the OpenAPI document: path, query, headers and body, each mostly right. Sends nothing.
import fc from 'fast-check';
import { API_TOKEN } from '../support/app.js';
import { HostileJson, type KnownValues, type Schema, sometimes } from './hostile-json.js';

const LONG_HEADER = 3_000;

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
}

export interface HostileRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[]>;
  body?: string | Uint8Array;
}

/** Of a request meant to get through, one part in so many is odd; of one meant to fail, many are. */
const CALM = 300;
const WILD = 15;

/** Draws requests of one operation. */
export function requestsOf(
  method: string,
  path: string,
  operation: Operation,
  known: KnownValues,
): fc.Arbitrary<HostileRequest> {
  return fc.oneof(
    { weight: 1, arbitrary: drawRequests(method, path, operation, new HostileJson(known, CALM)) },
    { weight: 1, arbitrary: drawRequests(method, path, operation, new HostileJson(known, WILD)) },
  );
}

function drawRequests(
  method: string,
  path: string,
  { parameters = [], requestBody }: Operation,
  json: HostileJson,
): fc.Arbitrary<HostileRequest> {
  const own = parameters.filter((parameter) => parameter.$ref === undefined);
  const inPath = own.filter((parameter) => parameter.in === 'path');
  const inQuery = own.filter((parameter) => parameter.in === 'query');
  const schema = Object.values(requestBody?.content ?? {})[0]?.schema;
  return fc
    .record({
      segments: fc.tuple(...inPath.map(({ name, schema: wanted }) => encoded(json.parameter(name, wanted), json))),
      query: fc.tuple(...inQuery.map((parameter) => pairs(parameter, json)), json.seldom(nothing, oddQueries)),
      headers: headers(json),
      body: schema ? json.seldom(json.body(schema), brokenBytes) : json.seldom(fc.constant(undefined), json.body({})),
    })
    .map(({ segments, query, headers: sent, body }) => {
      const filled = inPath.reduce((url, { name }, index) => url.replace(`{${name}}`, segments[index] ?? ''), path);
      const search = query.flat().join('&');
      const url = search === '' ? filled : `${filled}?${search}`;
      return { method, path: url, headers: sent, ...(body !== undefined && { body }) };
    });
}

const nothing = fc.constant<string[]>([]);

const brokenBytes = fc.constantFrom<Uint8Array>(
  Buffer.from('{"external_id":"\xff"}', 'latin1'),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.alloc(10),
);

const oddQueries = fc
  .constantFrom(
    'unknown=1',
    '__proto__=1',
    'constructor[prototype]=1',
    'a[]=1&a[]=2',
    '=',
    '&&',
    '%00=1',
    'customer_id',
  )
  .map((query) => [query]);

const oddEncodings = ['%', '%zz', '%00', '%c3%28', '%ed%a0%80', '%2e%2e%2f', '..', '%25', '+', '%0a', ''];

/** Percent-encoded, mostly as it should be. */
function encoded(texts: fc.Arbitrary<string>, json: HostileJson): fc.Arbitrary<string> {
  const wellFormed = texts.map((text) => encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '\ufffd')));
  return json.seldom(wellFormed, fc.constantFrom(...oddEncodings));
}

/** The pairs of one query parameter: none, one, or too many. */
function pairs({ name, schema, required }: Parameter, json: HostileJson): fc.Arbitrary<string[]> {
  const pair = encoded(json.parameter(name, schema), json).map((value) => `${name}=${value}`);
  const one = json.seldom(
    pair.map((text) => [text]),
    fc.tuple(pair, pair),
  );
  return required === true ? json.seldom(one, nothing) : sometimes(name, one, nothing);
}

const oddHeaders: Readonly<Record<string, readonly (string | string[])[]>> = {
  authorization: ['', 'Bearer', 'Bearer wrong', 'Basic YTpi', `Bearer ${API_TOKEN} x`],
  'content-type': [
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'json',
    '*/*',
    'application/json;',
    'multipart/form-data; boundary=x',
    'APPLICATION/JSON',
    'application/problem+json',
  ],
  'content-encoding': ['gzip', 'identity', 'br'],
  accept: ['', '*/*', 'application/json', 'text/html', 'application/json;q=0', ';;;', ','],
  'idempotency-key': [
    '',
    ' ',
    'k\u00e9y',
    '\u00ff',
    'x'.repeat(256),
    'x'.repeat(LONG_HEADER),
    ['a', 'b'],
    ['a', 'a'],
    '\t',
  ],
  'x-forwarded-for': ['::1', "'"],
  expect: ['100-continue'],
};

function headers(json: HostileJson): fc.Arbitrary<HostileRequest['headers']> {
  const usual = { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' };
  const keys = fc.constantFrom<Record<string, string>>(
    {},
    {},
    { 'idempotency-key': 'key-1' },
    { 'idempotency-key': 'key-2' },
  );
  const odd = Object.entries(oddHeaders).map(([name, values]) =>
    json.seldom(
      fc.constant({}),
      fc.constantFrom(...values).map((value) => ({ [name]: value })),
    ),
  );
  return fc.tuple(keys, ...odd).map((sent) => Object.assign({}, usual, ...sent) as HostileRequest['headers']);
}
