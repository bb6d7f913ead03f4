// Who may call: every route of the API asks for a token before it looks at anything else. The routes are those of the OpenAPI document.
import { describe, expect, it } from 'vitest';
import { API_TOKEN, type Json, useTestApp } from '../support/app.js';
import { writtenBy } from '../support/requests.js';

const app = useTestApp();
const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Call {
  name: string;
  method: Method;
  url: string;
}

/** Every operation that the document says needs a token, with a path that would reach it. */
async function guardedCalls(): Promise<Call[]> {
  const { paths } = JSON.parse((await app.app.inject('/openapi.json')).body) as {
    paths: Record<string, Record<string, { operationId: string; security: object[] }>>;
  };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.security.length > 0)
      .map(([method, { operationId }]) => ({
        name: operationId,
        method: method.toUpperCase() as Method,
        url: path.replaceAll(/\{[^}]+\}/g, ID),
      })),
  );
}

async function answersTo(headers: Record<string, string>): Promise<Json[]> {
  const calls = await guardedCalls();
  expect(calls.length).toBeGreaterThanOrEqual(17);
  return Promise.all(
    calls.map(async ({ name, method, url }) => {
      // A body that no route would take: access comes before shape.
      const answer = await app.app.inject({
        method,
        url,
        headers,
        ...(method !== 'GET' && { payload: { amount: -1 } }),
      });
      return { name, status: answer.statusCode, code: answer.json().code, asks: answer.headers['www-authenticate'] };
    }),
  );
}

describe('every route of the API', () => {
  it.each([
    ['without a token', {}],
    ['with another token', { authorization: 'Bearer another-token-of-some-length' }],
    ['with an empty token', { authorization: 'Bearer ' }],
    ['with the beginning of the token', { authorization: `Bearer ${API_TOKEN.slice(0, -1)}` }],
    ['with more than the token', { authorization: `Bearer ${API_TOKEN}x` }],
    ['with the token by another scheme', { authorization: `Basic ${API_TOKEN}` }],
    ['with the token in another case', { authorization: `Bearer ${API_TOKEN.toUpperCase()}` }],
  ])('answers 401 %s, and writes nothing', async (_case, headers) => {
    const written = await writtenBy(app, async () => {
      const answers = await answersTo(headers as Record<string, string>);
      const refused = { status: 401, code: 'unauthenticated', asks: 'Bearer realm="bursar"' };
      expect(answers).toEqual(answers.map(({ name }) => ({ name, ...refused })));
    });
    expect(written).toEqual({});
  });

  it('takes the token, whatever else it then refuses', async () => {
    const answers = await answersTo({ authorization: `Bearer ${API_TOKEN}` });
    expect(answers.filter(({ status }) => status === 401 || status === 403 || Number(status) >= 500)).toEqual([]);
  });
});
