// Who may call: every route of the API asks for a token with its scope before it looks at anything else. The routes, with their scopes, are those of the
// OpenAPI document.
import { beforeAll, describe, expect, it } from 'vitest';
import { makeApiKey } from '../../src/lib/api-key.js';
import { uuidIds } from '../../src/lib/ids.js';
import { ABILITIES, type Ability, SCOPES } from '../../src/lib/scopes.js';
import { API_TOKEN, type Json, useTestApp } from '../support/app.js';
import { issueToken } from '../support/customer-tokens.js';
import { bearer, makeKey } from '../support/keys.js';
import { writtenBy } from '../support/requests.js';

const app = useTestApp();
const ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const ROUTES_MIN = 49;

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface Call {
  name: string;
  method: Method;
  url: string;
  scope: string;
}

/** Every operation that the document says needs a token, with a path that would reach it. */
async function guardedCalls(): Promise<Call[]> {
  const { paths } = JSON.parse((await app.app.inject('/openapi.json')).body) as {
    paths: Record<string, Record<string, { operationId: string; security: { bearer: string[] }[] }>>;
  };
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { operationId, security }]) => {
      const [scope] = security[0]?.bearer ?? [];
      const url = path.replaceAll(/\{[^}]+\}/g, ID);
      return scope === undefined ? [] : [{ name: operationId, method: method.toUpperCase() as Method, url, scope }];
    }),
  );
  expect(calls.length).toBeGreaterThanOrEqual(ROUTES_MIN);
  return calls;
}

/** A body that no route would take: access comes before shape. */
async function answerTo({ name, method, url }: Call, headers: Record<string, string>): Promise<Json> {
  const payload = method === 'GET' ? {} : { payload: { amount: -1 } };
  const answer = await app.app.inject({ method, url, headers, ...payload });
  return { name, status: answer.statusCode, code: answer.json().code, asks: answer.headers['www-authenticate'] };
}

async function answersTo(headers: Record<string, string>): Promise<Json[]> {
  return Promise.all((await guardedCalls()).map((call) => answerTo(call, headers)));
}

/** What customers may call with their own tokens. */
const FOR_CUSTOMERS: ReadonlyMap<string, Ability> = new Map([
  ['getBalance', 'balance.read'],
  ['getWallet', 'wallet.read'],
  ['listBatches', 'wallet.read'],
  ['listEntries', 'entries.read'],
  ['getBatch', 'entries.read'],
  ['listOffers', 'catalog.read'],
  ['getOffer', 'catalog.read'],
  ['listProducts', 'catalog.read'],
  ['checkQuota', 'quota.check'],
  ['checkQuotaBatch', 'quota.check'],
  ['getQuotaStatus', 'balance.read'],
  ['getQuotaUsage', 'entries.read'],
  ['listQuotaEvents', 'entries.read'],
  ['getOrder', 'orders.read'],
  ['listOrders', 'orders.read'],
  ['placeOrder', 'orders.create'],
]);

/** For each ability a token that has all others. */
async function tokensWithoutOne(): Promise<[Ability, string][]> {
  return Promise.all(
    ABILITIES.map(async (ability): Promise<[Ability, string]> => {
      const abilities = ABILITIES.filter((other) => other !== ability);
      return [ability, await issueToken(app, 'ann', { abilities })];
    }),
  );
}

/** Tokens that are made once, by the case that they are for. */
const tokens = new Map<string, string>();

beforeAll(async () => {
  app.clock.set('2026-01-01T00:00:00.000Z');
  const all = [...SCOPES];
  const [expired, revoked, rotated, good] = await Promise.all([
    makeKey(app, all, { expires_at: '2026-01-15T00:00:00Z' }),
    makeKey(app, all),
    makeKey(app, all),
    makeKey(app, all),
  ]);
  await app.delete(`/api-keys/${revoked.id}`);
  await app.post(`/api-keys/${rotated.id}/rotate`, { overlap_seconds: 3_600 });
  const mistyped = good.token.slice(0, -1) + (good.token.endsWith('0') ? '1' : '0');
  const entries = {
    expired: expired.token,
    revoked: revoked.token,
    rotated: rotated.token,
    mistyped,
    unknown: makeApiKey(uuidIds.next()),
    guessed: makeApiKey(good.id),
  };
  for (const [name, token] of Object.entries(entries)) tokens.set(name, token);
});

describe('every route of the API', () => {
  it.each([
    ['without a token', {}],
    ['with another token', bearer('another-token-of-some-length')],
    ['with an empty token', bearer('')],
    ['with the beginning of the token', bearer(API_TOKEN.slice(0, -1))],
    ['with more than the token', bearer(`${API_TOKEN}x`)],
    ['with the token by another scheme', { authorization: `Basic ${API_TOKEN}` }],
    ['with the token in another case', bearer(API_TOKEN.toUpperCase())],
    ['with an API key that has expired', 'expired'],
    ['with one that was revoked', 'revoked'],
    ['with one that was rotated, after the overlap', 'rotated'],
    ['with one that is mistyped', 'mistyped'],
    ['with one that nobody made', 'unknown'],
    ['with the id of a key and another secret', 'guessed'],
  ])('answers 401 %s, and writes nothing', async (_case, given) => {
    const headers = typeof given === 'string' ? bearer(tokens.get(given) ?? '') : given;
    const written = await writtenBy(app, async () => {
      const answers = await answersTo(headers as Record<string, string>);
      const refused = { status: 401, code: 'unauthenticated', asks: 'Bearer realm="bursar"' };
      expect(answers).toEqual(answers.map(({ name }) => ({ name, ...refused })));
    });
    const { audit_records: _refusedKeys, ...others } = written; // that there was a key which counts no longer
    expect(others).toEqual({});
  });

  it('answers 403 to a key that has all other scopes, and writes nothing', async () => {
    const keys = new Map<string, string>();
    for (const scope of SCOPES) {
      const others = SCOPES.filter((other) => other !== scope);
      keys.set(scope, (await makeKey(app, others)).token);
    }
    const calls = await guardedCalls();
    const written = await writtenBy(app, async () => {
      const answers = await Promise.all(calls.map((call) => answerTo(call, bearer(keys.get(call.scope) ?? ''))));
      expect(answers).toEqual(
        calls.map(({ name, scope }) => ({
          name,
          status: 403,
          code: 'forbidden',
          asks: `Bearer realm="bursar", error="insufficient_scope", scope="${scope}"`,
        })),
      );
    });
    expect(Object.keys(written)).toEqual(['api_keys']); // that the keys are used
  });

  it('answers 403 to a customer’s own token, but for what is for customers, which asks for the ability', async () => {
    const calls = await guardedCalls();
    const [all, ...others] = [await issueToken(app, 'ann'), ...(await tokensWithoutOne())];
    const written = await writtenBy(app, async () => {
      const answers = await Promise.all(calls.map((call) => answerTo(call, bearer(all))));
      const refused = answers.filter(({ status, code }) => status === 403 && code === 'forbidden');
      expect(answers.filter(({ status }) => status === 401)).toEqual([]);
      expect(
        answers
          .map(({ name }) => name)
          .filter((name) => !refused.some((each) => each.name === name))
          .sort(),
      ).toEqual([...FOR_CUSTOMERS.keys()].sort());
      for (const [ability, token] of others) {
        const own = calls.filter(({ name }) => FOR_CUSTOMERS.get(name) === ability);
        expect(own.length).toBeGreaterThan(0);
        for (const call of own) {
          const { status, code } = await answerTo(call, bearer(token));
          expect({ name: call.name, status, code }).toEqual({ name: call.name, status: 403, code: 'forbidden' });
        }
      }
    });
    expect(written).toEqual({});
  });

  it('takes the token, and a key that has its scope alone, whatever else it then refuses', async () => {
    const keys = new Map<string, string>();
    for (const scope of SCOPES) keys.set(scope, (await makeKey(app, [scope])).token);
    const answers = await Promise.all(
      (await guardedCalls()).flatMap((call) => [
        answerTo(call, bearer(API_TOKEN)),
        answerTo(call, bearer(keys.get(call.scope) ?? '')),
      ]),
    );
    // A key that may read does not see the uses of everybody.
    const ofEverybody = answers.filter(({ name, status }) => name === 'listQuotaEvents' && status === 403);
    expect(ofEverybody).toHaveLength(1);
    const others = answers.filter((answer) => !ofEverybody.includes(answer));
    expect(others.filter(({ status }) => status === 401 || status === 403 || Number(status) >= 500)).toEqual([]);
  });
});
