// Customers' own tokens: what is issued, which tokens are none, and that whoever has one reaches himself and nobody else, whatever he names.
import { randomUUID } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { deriveKey, readSecretKeys } from '../../src/lib/secret-keys.js';
import {
  grantUnits,
  type Json,
  putOffer,
  putProduct,
  startTestApp,
  TEST_SECRET_KEY,
  useTestApp,
} from '../support/app.js';
import { forge, issueToken } from '../support/customer-tokens.js';
import { bearer, makeKey } from '../support/keys.js';
import { ask, customerIdOf } from '../support/parallel.js';
import { expectProblem, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const ids: Record<string, string> = {};

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'PACK', 'STAR', 5);
  for (const name of ['ann', 'ben']) {
    await grantUnits(app, name, 'STAR', name === 'ann' ? 7 : 99);
    ids[name] = await customerIdOf(app, name);
    ids[`order of ${name}`] = (await placeOrder(app, name, 'PACK')).id ?? '';
  }
});

const annsToken = () => issueToken(app, 'ann');
const getAs = async (token: string, path: string) => app.get(path, bearer(token));

describe('POST /customers/{id}/tokens', () => {
  it('issues a token that means its customer, for as long as was asked', async () => {
    const body = { abilities: ['wallet.read', 'wallet.read'], ttl_seconds: 60 };
    const { status, body: issued } = await app.post(`/customers/${ids.ann}/tokens`, body);
    expect({ status, ...issued, token: '' }).toEqual({
      status: 201,
      token: '',
      customer_id: ids.ann,
      abilities: ['wallet.read'],
      expires_at: '2026-01-31T12:01:00.000Z',
    });
    const wallet = await getAs(issued.token, '/wallet');
    expect([wallet.status, wallet.body.customer_id, wallet.body.balances]).toEqual([200, ids.ann, { STAR: 7 }]);
    app.clock.advance({ seconds: 59 });
    expect((await getAs(issued.token, '/wallet')).status).toBe(200);
    app.clock.advance({ seconds: 1 });
    const late = await getAs(issued.token, '/wallet');
    expectProblem(late, 401, 'unauthenticated');
    expect(late.body.detail).toBe('The customer token has expired.');
  });

  it('stores nothing of a token but that it was issued, and by which key tokens are signed', async () => {
    const issue = () =>
      app.post(`/customers/${ids.ann}/tokens`, { abilities: ['wallet.read'], idempotency_key: 'one' });
    await issue();
    const written = await writtenBy(app, async () => {
      const [one, other] = [await issue(), await issue()];
      expect(one.body.token).not.toBe(other.body.token);
    });
    expect(written).toEqual({ audit_records: 2 });
    const [record] = (await app.get(`/audit?subject=${ids.ann}&action=customer_token.issued`)).body.data;
    expect(record).toMatchObject({ key: 'bootstrap', after: { abilities: ['wallet.read'] } });
    expect(JSON.stringify(record)).not.toMatch(/eyJ/);
    const [secret] = await ask(app.url, `SELECT name, fingerprint FROM secrets WHERE name LIKE 'secret key %'`);
    expect(secret?.name).toBe(`secret key ${readSecretKeys(TEST_SECRET_KEY)[0]?.id}`);
  });

  it('gives only abilities whose scopes the caller has', async () => {
    const { token } = await makeKey(app, ['read']);
    const path = `/customers/${ids.ann}/tokens`;
    expect((await app.post(path, { abilities: ['wallet.read', 'quota.check'] }, bearer(token))).status).toBe(201);
    const refused = await app.post(path, { abilities: ['wallet.read', 'orders.create'] }, bearer(token));
    expectProblem(refused, 403, 'forbidden', '/abilities');
  });

  it.each([
    [{ abilities: ['orders.refund'] }, '/abilities/0'],
    [{ abilities: ['admin'] }, '/abilities/0'],
    [{ abilities: [] }, '/abilities'],
    [{}, '/abilities'],
    [{ abilities: ['wallet.read'], ttl_seconds: 59 }, '/ttl_seconds'],
    [{ abilities: ['wallet.read'], ttl_seconds: 86_401 }, '/ttl_seconds'],
    [{ abilities: ['wallet.read'], customer_id: 'x' }, '/customer_id'],
  ])('refuses %j', async (body, pointer) => {
    expectProblem(await app.post(`/customers/${ids.ann}/tokens`, body), 400, 'invalid_request', pointer);
  });

  it('answers 404 to an unknown customer', async () => {
    const answer = await app.post(`/customers/${randomUUID()}/tokens`, { abilities: ['wallet.read'] });
    expectProblem(answer, 404, 'customer_not_found', 'path/id');
  });
});

describe('a token that is none', () => {
  const foreign = 'a-key-of-another-service-0123456789';
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'bursar-customer+jwt' })).toString('base64url');

  it.each<[string, (token: string) => Promise<string> | string]>([
    ['without an algorithm', (token) => `${none}.${token.split('.')[1]}.`],
    ['without an algorithm, but signed', (token) => `${none}.${token.split('.').slice(1).join('.')}`],
    ['that is unsecured', () => new UnsecuredJWT({ sub: ids.ann ?? '', abilities: ['wallet.read'] }).encode()],
    ['by a foreign key', () => forge(app, ids.ann ?? '', { secret: foreign })],
    ['by the secret itself in place of the derived key', () => forge(app, ids.ann ?? '', { secret: '' })],
    ['by an unknown key', () => forge(app, ids.ann ?? '', { header: { kid: '0123456789ab' } })],
    ['by no key', () => forge(app, ids.ann ?? '', { header: { kid: undefined } })],
    ['by another algorithm', () => forge(app, ids.ann ?? '', { header: { alg: 'HS384' } }).catch(() => 'a.b.c')],
    ['of another type', () => forge(app, ids.ann ?? '', { header: { typ: 'JWT' } })],
    ['of another issuer', () => forge(app, ids.ann ?? '', { payload: { iss: 'somebody' } })],
    ['for another audience', () => forge(app, ids.ann ?? '', { payload: { aud: 'bursar' } })],
    ['without an expiry', () => forge(app, ids.ann ?? '', { payload: { exp: undefined } })],
    ['without a customer', () => forge(app, ids.ann ?? '', { payload: { sub: undefined } })],
    ['that has expired', () => forge(app, ids.ann ?? '', { payload: { exp: 1_700_000_000 } })],
    ['whose payload was exchanged', (token) => exchangePayload(token, { sub: ids.ben })],
    ['whose signature was cut off', (token) => token.split('.').slice(0, 2).join('.').concat('.')],
    [
      'whose signature has another character',
      (token) => token.slice(0, -5) + (token.at(-5) === 'A' ? 'B' : 'A') + token.slice(-4),
    ],
    ['of three words', () => 'a.b.c'],
  ])('is refused: %s', async (_what, make) => {
    expectProblem(await getAs(await make(await annsToken()), '/wallet'), 401, 'unauthenticated');
  });

  it('is told from one that is right in everything', async () => {
    expect((await getAs(await forge(app, ids.ann ?? ''), '/wallet')).body.customer_id).toBe(ids.ann);
  });

  it('has no ability that there is not', async () => {
    const token = await forge(app, ids.ann ?? '', { payload: { abilities: ['admin', 'toString', 7] } });
    expectProblem(await getAs(token, '/wallet'), 403, 'forbidden');
  });

  function exchangePayload(token: string, more: Json): string {
    const [header, payload = '', signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return [header, Buffer.from(JSON.stringify({ ...claims, ...more })).toString('base64url'), signature].join('.');
  }
});

/** Ways of naming ben: with ann's token each is refused, and tells nothing of him. */
const namesOfBen = (): [string, Json][] => [
  ['customer_id', { customer_id: ids.ben }],
  ['user_id', { user_id: ids.ben }],
  ['user_id, an identity', { user_id: 'ben' }],
  ['external_id', { external_id: 'ben' }],
  ['external_id and provider', { external_id: 'ben', provider: 'default' }],
  ['own customer_id and his external_id', { customer_id: ids.ann, external_id: 'ben' }],
  ['own customer_id and his user_id', { customer_id: ids.ann, user_id: ids.ben }],
  ['his customer_id and own user_id', { customer_id: ids.ben, user_id: ids.ann }],
  ['somebody whom nobody knows', { external_id: 'nobody' }],
  ['an id that nobody has', { customer_id: '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d' }],
];

const READS = [
  '/wallet',
  '/wallet/batches',
  '/wallet/entries',
  '/balance?product_key=STAR',
  '/balance?product_key=STAR&as_of=2026-01-31T12:00:00Z',
] as const;

describe('whoever has ann’s token', () => {
  it.each(READS)('reads her own from GET %s, also by her own id', async (path) => {
    const [named, bySelector] = [path.includes('?') ? '&' : '?', `customer_id=${ids.ann?.toUpperCase()}`];
    const token = await annsToken();
    const [own, byId] = [await getAs(token, path), await getAs(token, `${path}${named}${bySelector}`)];
    const asOperator = await app.get(`${path}${named}external_id=ann`);
    expect([own.status, own.body]).toEqual([200, asOperator.body]);
    expect([byId.status, byId.body]).toEqual([200, asOperator.body]);
  });

  it.each(READS)('can’t name anybody else in GET %s', async (path) => {
    const token = await annsToken();
    const answers = [];
    for (const [how, named] of namesOfBen()) {
      const query = new URLSearchParams(named as Record<string, string>).toString();
      const { status, body } = await getAs(token, `${path}${path.includes('?') ? '&' : '?'}${query}`);
      answers.push({ how, status, code: body.code, detail: body.detail });
    }
    const detail = 'The token is of one customer: name nobody, or him by his `customer_id`.';
    expect(answers).toEqual(answers.map(({ how }) => ({ how, status: 403, code: 'forbidden', detail })));
  });

  it('can’t name several in a query, or hide one in a list', async () => {
    const token = await annsToken();
    for (const query of [
      `customer_id=${ids.ann}&customer_id=${ids.ben}`,
      `customer_id[0]=${ids.ben}`,
      `customer_id=`,
      `provider=default`,
    ]) {
      expectProblem(await getAs(token, `/wallet?${query}`), 400, 'invalid_request');
    }
  });

  it.each([
    ['/orders', { items: [{ sku: 'PACK' }] }],
    ['/quota/check', { product_key: 'STAR', amount: 50 }],
  ])('can’t name anybody else in POST %s', async (path, body) => {
    const token = await annsToken();
    const written = await writtenBy(app, async () => {
      for (const [how, named] of namesOfBen()) {
        const answer = await app.post(path, { ...body, ...named }, bearer(token));
        expect({ how, status: answer.status, code: answer.body.code }).toEqual({ how, status: 403, code: 'forbidden' });
      }
      for (const named of [{ customer_id: null }, { customer_id: [ids.ben] }, { customer_id: {} }])
        expectProblem(await app.post(path, { ...body, ...named }, bearer(token)), 400, 'invalid_request');
    });
    expect(written).toEqual({});
  });

  it('is told which member of a request names somebody', async () => {
    const token = await annsToken();
    const order = `/orders/${ids['order of ann']}`;
    for (const path of ['/orders', order, ...READS]) {
      const pointerOf = async (named: string) => {
        const { body } = await getAs(token, `${path}${path.includes('?') ? '&' : '?'}${named}`);
        return [named, body.errors?.[0]?.pointer];
      };
      for (const [named, pointer] of [
        // Where somebody has to be named, as for anybody else.
        ['provider=default', path.startsWith('/orders') ? 'query/provider' : 'query/customer_id'],
        ['external_id=ben', 'query/external_id'],
        ['provider=default&external_id=ben', 'query/external_id'],
        [`customer_id=${ids.ann}&external_id=ben`, 'query/external_id'],
        [`customer_id=${ids.ann}&user_id=ben`, 'query/user_id'],
        [`customer_id=${ids.ben}&user_id=${ids.ben}`, 'query/customer_id'],
      ] as const)
        expect([path, ...(await pointerOf(named))]).toEqual([path, named, pointer]);
    }
  });

  it('asks of her own units', async () => {
    const { body } = await app.post('/quota/check', { product_key: 'STAR', amount: 50 }, bearer(await annsToken()));
    expect([body.allowed, body.remaining]).toEqual([false, 7]);
  });

  it('orders for herself, and the operation says that she did', async () => {
    const order = { items: [{ sku: 'PACK' }], idempotency_key: 'from-a-browser' };
    const answer = await app.post('/orders', order, bearer(await annsToken()));
    expect([answer.status, answer.body.customer_id]).toEqual([201, ids.ann]);
    const [operation] = await ask(app.url, `SELECT acting_key FROM operations WHERE acting_key LIKE 'customer:%'`);
    expect(operation).toEqual({ acting_key: 'customer:bootstrap' });
    const again = await app.post('/orders', order, bearer(await annsToken()));
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([answer.text, 'true']);
  });

  it('sees her own orders, and no order of anybody else', async () => {
    const token = await annsToken();
    expect((await getAs(token, `/orders/${ids['order of ann']}`)).body.customer_id).toBe(ids.ann);
    const foreign = await getAs(token, `/orders/${ids['order of ben']}`);
    const unknown = await getAs(token, `/orders/${randomUUID()}`);
    for (const answer of [foreign, unknown]) expectProblem(answer, 404, 'order_not_found');
    expect(foreign.body.detail).toBe(unknown.body.detail);
    const { next_cursor: cursor } = (await app.get('/orders?limit=1')).body;
    for (const path of ['/orders', `/orders?cursor=${cursor}`, '/orders?status=pending', '/orders?sku=PACK']) {
      const { body } = await getAs(token, path);
      expect(new Set((body.data as Json[]).map(({ customer_id }) => customer_id))).toEqual(
        new Set(body.data.length > 0 ? [ids.ann] : []),
      );
    }
    for (const [, named] of namesOfBen()) {
      const query = new URLSearchParams(named as Record<string, string>).toString();
      expectProblem(await getAs(token, `/orders?${query}`), 403, 'forbidden');
      expectProblem(await getAs(token, `/orders/${ids['order of ben']}?${query}`), 403, 'forbidden');
    }
  });

  it('finds nothing of others by an operation, an order, or a cursor of theirs', async () => {
    const token = await annsToken();
    await grantUnits(app, 'ben', 'STAR', 1);
    const [bens] = (await app.get('/wallet/entries?external_id=ben')).body.data;
    expect((await getAs(token, `/wallet/entries?operation_id=${bens.operation_id}`)).body.data).toEqual([]);
    expect((await getAs(token, `/wallet/batches?order_id=${ids['order of ben']}`)).body.data).toEqual([]);
    const hers = (await getAs(token, '/wallet/entries')).body.data.map(({ id }: Json) => id);
    const { next_cursor: cursor } = (await app.get('/wallet/entries?external_id=ben&limit=1')).body;
    expect(cursor).not.toBeNull();
    const page = (await getAs(token, `/wallet/entries?cursor=${cursor}`)).body.data;
    expect(page.every(({ id }: Json) => hers.includes(id))).toBe(true);
    const { next_cursor: batchCursor } = (await app.get('/wallet/batches?external_id=ben&limit=1')).body;
    const batches = (await getAs(token, `/wallet/batches?cursor=${batchCursor}`)).body.data;
    const own = (await getAs(token, '/wallet/batches')).body.data.map(({ id }: Json) => id);
    expect(batches.every(({ id }: Json) => own.includes(id))).toBe(true);
  });

  it('sees what is for sale, and nothing else of the catalogue', async () => {
    await putProduct(app, 'HIDDEN', { is_active: false });
    const token = await annsToken();
    expect((await getAs(token, '/catalog')).body.data.map(({ sku }: Json) => sku)).toEqual(['PACK']);
    expect((await getAs(token, '/products')).body.data.map(({ product_key: key }: Json) => key)).toEqual(['STAR']);
    for (const path of ['/catalog', '/products']) {
      expectProblem(await getAs(token, `${path}?include_inactive=true`), 403, 'forbidden', 'query/include_inactive');
      expect((await getAs(token, `${path}?include_inactive=false`)).status).toBe(200);
    }
  });

  it('gets no reference where it is for tokens', async () => {
    const other = await startTestApp(app.url, app.clock, undefined, { docs: 'token' });
    onTestFinished(() => other.close());
    const ask = (token: string) => other.app.inject({ url: '/openapi.json', headers: bearer(token) });
    expect((await ask((await makeKey(app, ['read'])).token)).statusCode).toBe(200);
    expect((await ask(await annsToken())).statusCode).toBe(403);
  });
});

describe('the keys behind a token', () => {
  it('end it when the API key is revoked that issued it, not when that one is rotated', async () => {
    const key = await makeKey(app, ['read']);
    const token = await issueToken(app, 'ann', { abilities: ['wallet.read'], headers: bearer(key.token) });
    await app.post(`/api-keys/${key.id}/rotate`, { overlap_seconds: 0 });
    expectProblem(await app.get('/products', bearer(key.token)), 401, 'unauthenticated');
    expect((await getAs(token, '/wallet')).status).toBe(200);
    await app.delete(`/api-keys/${key.id}`);
    const refused = await getAs(token, '/wallet');
    expectProblem(refused, 401, 'unauthenticated');
    expect(refused.body.detail).toBe('The API key that issued the customer token was revoked.');
  });

  it('end it with the API key that issued it, also one that was rotated and counts for a while', async () => {
    const ends = new Date(app.clock.now().getTime() + 90_500).toISOString();
    const key = await makeKey(app, ['read'], { expires_at: ends });
    const issue = async (ttl_seconds: number, token: string) =>
      (await app.post(`/customers/${ids.ann}/tokens`, { abilities: ['wallet.read'], ttl_seconds }, bearer(token))).body;
    expect((await issue(60, key.token)).expires_at).toBe('2026-01-31T12:01:00.000Z');
    const { token, expires_at } = await issue(86_400, key.token);
    expect(expires_at).toBe('2026-01-31T12:01:30.000Z');
    const rotated = (await app.post(`/api-keys/${key.id}/rotate`, { overlap_seconds: 30 })).body;
    expect((await issue(60, key.token)).expires_at).toBe('2026-01-31T12:00:30.000Z');
    expect((await issue(86_400, rotated.token)).expires_at).toBe(expires_at);
    app.clock.advance({ seconds: 89 });
    expect((await getAs(token, '/wallet')).status).toBe(200);
    app.clock.advance({ seconds: 1 });
    expectProblem(await getAs(token, '/wallet'), 401, 'unauthenticated');
  });

  it('rotate: the newest signs, and those behind it are still read', async () => {
    const old = await annsToken();
    const secretKey = `a-secret-key-that-came-by-rotation-01,${TEST_SECRET_KEY}`;
    const rotated = await startTestApp(app.url, app.clock, undefined, { secretKey });
    onTestFinished(() => rotated.close());
    const get = async (token: string) =>
      (await rotated.app.inject({ url: `${BASE_PATH}/wallet`, headers: bearer(token) })).statusCode;
    expect(await get(old)).toBe(200);
    const payload = { abilities: ['wallet.read'] };
    const issued = await rotated.app.inject({
      method: 'POST',
      url: `${BASE_PATH}/customers/${ids.ann}/tokens`,
      headers: bearer('a-token-that-only-tests-use'),
      payload,
    });
    expect(await get(issued.json().token)).toBe(200);
    expectProblem(await getAs(issued.json().token, '/wallet'), 401, 'unauthenticated');
  });

  it('are derived, each for one purpose', () => {
    const [one, other] = [deriveKey('a secret', 'this'), deriveKey('a secret', 'that')];
    expect(one.equals(other)).toBe(false);
    expect(one.equals(deriveKey('a secret', 'this'))).toBe(true);
    expect(one.symmetricKeySize).toBe(32);
  });
});

describe('orders that wait for a payment', () => {
  it('are so many of a customer at most; one that is paid or has expired makes room', async () => {
    const capped = await startTestApp(app.url, app.clock, undefined, { openOrdersMax: 2 });
    onTestFinished(() => capped.close());
    const token = await issueToken(app, 'cap');
    const order = async (more: Json = {}) => {
      const answer = await capped.app.inject({
        method: 'POST',
        url: `${BASE_PATH}/orders`,
        headers: bearer(token),
        payload: { items: [{ sku: 'PACK' }], ...more },
      });
      return { status: answer.statusCode, body: answer.json() };
    };
    const first = await order({ expires_in: 60, idempotency_key: 'first' });
    const second = await order();
    expect([first.status, second.status]).toEqual([201, 201]);
    const refused = await order();
    expect([refused.status, refused.body.code]).toEqual([409, 'too_many_open_orders']);
    expect((await order({ expires_in: 60, idempotency_key: 'first' })).body).toEqual(first.body);
    expect((await app.post(`/orders/${second.body.id}/confirm`, { payment_id: 'cap-1' })).status).toBe(200);
    expect((await order()).status).toBe(201);
    expect((await order()).status).toBe(409);
    app.clock.advance({ seconds: 60 });
    expect((await order()).status).toBe(201);
    expect((await order()).status).toBe(409);
  });

  it('are not more when they are asked for at once', async () => {
    const capped = await startTestApp(app.url, app.clock, undefined, { openOrdersMax: 3 });
    onTestFinished(() => capped.close());
    const token = await issueToken(app, 'rush');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        capped.app.inject({
          method: 'POST',
          url: `${BASE_PATH}/orders`,
          headers: bearer(token),
          payload: { items: [{ sku: 'PACK' }] },
        }),
      ),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 201)).toHaveLength(3);
    expect(answers.filter(({ statusCode }) => statusCode === 409)).toHaveLength(7);
  });
});
