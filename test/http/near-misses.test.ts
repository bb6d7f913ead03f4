// What is nearly right: fields, headers and values that look like what was meant. None of it is ignored, because what was meant costs money.
import request from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'COIN', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 1);
  await putOffer(app, 'SAMPLE', 'CREDITS', 3, { trial_policy: {} });
});

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: unknown;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

/** Every body that some route takes: the schema by method and path below the base. */
async function bodies(): Promise<{ method: 'post' | 'put' | 'patch'; path: string; schema: Schema }[]> {
  const { body: document } = await request(app.app.server).get('/openapi.json');
  return Object.entries(document.paths as Record<string, Record<string, Json>>).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const content = (operation.requestBody as { content?: Record<string, { schema: Schema }> } | undefined)?.content;
      // A list of charges is of a configured provider, and none is here.
      const schema = path.endsWith('/payments/reconcile') ? undefined : content?.['application/json']?.schema;
      const below = path
        .replace('/api/v1/billing', '')
        .replace('{id}', UNKNOWN_ID)
        .replace('{delivery_id}', '1')
        .replace('/referral-programs/{key}', '/referral-programs/x')
        .replace(/\{\w+\}/, (place) => (place === '{name}' ? 'x' : 'X'));
      return schema ? [{ method: method as 'post' | 'put' | 'patch', path: below, schema }] : [];
    }),
  );
}

/** The places of a schema at which an object takes members that it doesn't name. */
function openPlaces(schema: Schema, place = ''): string[] {
  const { properties, additionalProperties, items, anyOf = [], oneOf = [], allOf = [] } = schema;
  return [
    ...(properties && additionalProperties !== false ? [place] : []),
    ...Object.entries(properties ?? {}).flatMap(([name, member]) => openPlaces(member, `${place}/${name}`)),
    ...(items ? openPlaces(items, `${place}/*`) : []),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((form) => openPlaces(form, place)),
  ];
}

describe('a field that a route doesn’t know', () => {
  it('takes no amount, and names what was meant', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 100);
    const body = { external_id, product_key: 'CREDITS', ammount: 50, idempotencyKey: 'k1' };
    for (const path of ['/quota/consume', '/wallet/consume', '/quota/check', '/reservations']) {
      const written = await writtenBy(app, async () => {
        const answer = await app.post(path, body);
        expectProblem(answer, 400, 'invalid_request', '/ammount');
        expect(answer.body.errors).toEqual([
          {
            pointer: '/ammount',
            code: 'unrecognized_key',
            message: 'is not a field of this route; did you mean amount?',
          },
          {
            pointer: '/idempotencyKey',
            code: 'unrecognized_key',
            message: 'is not a field of this route; did you mean idempotency_key?',
          },
        ]);
      });
      expect(written).toEqual({});
    }
  });

  it.each<[string, string, Json, string, string]>([
    [
      'credits without end',
      '/credits/add',
      { product_key: 'COIN', amount: 1, expiresAt: null },
      '/expiresAt',
      'expires_at',
    ],
    ['a line of an order', '/orders', { items: [{ sku: 'PACK', quantiy: 3 }] }, '/items/0/quantiy', 'quantity'],
    ['an order that lasts', '/orders', { items: [{ sku: 'PACK' }], expiresIn: 60 }, '/expiresIn', 'expires_in'],
    [
      'an item of a batch',
      '/quota/consume/batch',
      { items: [{ external_id: 'a', product_key: 'CREDITS', amuont: 5 }] },
      '/items/0/amuont',
      'amount',
    ],
    [
      'the key of an item',
      '/quota/consume/batch',
      { items: [{ external_id: 'a', product_key: 'CREDITS', 'idempotency-key': 'k' }] },
      '/items/0/idempotency-key',
      'idempotency_key',
    ],
    [
      'a debt',
      '/credits/deduct',
      { product_key: 'COIN', amount: 1, allowNegative: true },
      '/allowNegative',
      'allow_negative',
    ],
    ['the end of a hold', '/reservations', { product_key: 'CREDITS', ttlSeconds: 5 }, '/ttlSeconds', 'ttl_seconds'],
    ['a grant', '/grants', { grant_type: 'bonus', product_key: 'CREDITS', quantitiy: 5 }, '/quantitiy', 'quantity'],
    ['a trial', '/demo/trial-grant', { sku: 'SAMPLE', identites: { device: 'x' } }, '/identites', 'identities'],
    ['an exchange', '/exchange', { sku: 'PACK', onRefusal: 'verdict' }, '/onRefusal', 'on_refusal'],
    ['a profile', '/identify', { profle: { a: 1 } }, '/profle', 'profile'],
    ['a customer', '/quota/consume', { product_key: 'CREDITS', Provider: 'x' }, '/Provider', 'provider'],
    ['letters swapped', '/quota/consume', { product_key: 'CREDITS', metadtaa: {} }, '/metadtaa', 'metadata'],
    ['the first half', '/quota/consume', { product: 'CREDITS', feature: 'draw' }, '/product', 'product_key'],
  ])('is refused with the name that was meant: %s', async (_case, path, body, pointer, meant) => {
    const selector = 'items' in body && path.endsWith('batch') ? {} : { external_id: newPerson() };
    const answer = await app.post(path, { ...selector, ...body });
    expectProblem(answer, 400, 'invalid_request', pointer);
    expect(answer.body.errors[0].message).toBe(`is not a field of this route; did you mean ${meant}?`);
    expect(answer.body.detail).toContain(`did you mean ${meant}?`);
  });

  it('is refused with a plain word when nothing is near', async () => {
    const answer = await app.post('/quota/consume', { external_id: 'a', product_key: 'CREDITS', colour: 'red' });
    expect(answer.body.errors).toEqual([
      { pointer: '/colour', code: 'unrecognized_key', message: 'is not a field of this route' },
    ]);
  });

  it('is told in a query too', async () => {
    const answer = await app.get('/balance?external_id=a&productKey=CREDITS');
    expect(answer.body.errors).toContainEqual({
      pointer: 'query/productKey',
      code: 'unrecognized_key',
      message: 'is not a query parameter of this route; did you mean product_key?',
    });
  });

  it('is refused by every route that takes a body', async () => {
    const all = await bodies();
    expect(all.length).toBeGreaterThan(18);
    for (const { method, path } of all) {
      const answer = await app[method](path, { surely_no_field: 1 });
      expect(answer.status, path).toBe(400);
      expect(answer.body.errors, path).toContainEqual(
        expect.objectContaining({ pointer: '/surely_no_field', code: 'unrecognized_key' }),
      );
    }
  });

  it('has no place in any object of a body', async () => {
    for (const { path, schema } of await bodies()) expect(openPlaces(schema), path).toEqual([]);
    expect(openPlaces({ properties: { a: { items: { properties: {} } } }, additionalProperties: false })).toEqual([
      '/a/*',
    ]);
  });
});

describe('fields that the predecessor’s workflows send', () => {
  it('are taken without effect where the route says so', async () => {
    const trial = { external_id: newPerson(), sku: 'SAMPLE' };
    const answer = await app.post('/demo/trial-grant', { ...trial, grant_type: 'bonus' });
    expect([answer.status, answer.body.grant_type]).toEqual([201, 'trial']);
  });

  it('change nothing of what a key remembers', async () => {
    const trial = { external_id: newPerson(), sku: 'SAMPLE', idempotency_key: 'tolerated' };
    const first = await app.post('/demo/trial-grant', { ...trial, grant_type: 'trial' });
    const again = await app.post('/demo/trial-grant', trial);
    expect([again.text, again.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
  });

  it('say in the document why they are taken', async () => {
    const { body: document } = await request(app.app.server).get('/openapi.json');
    const { schema } = document.paths['/api/v1/billing/demo/trial-grant'].post.requestBody.content['application/json'];
    expect(schema.properties.grant_type.description).toMatch(/^Taken without effect: /);
  });
});

describe('a header that is nearly Idempotency-Key', () => {
  it.each([
    'X-Idempotency-Key',
    'Idempotency_Key',
    'IdempotencyKey',
    'Idempotence-Key',
    'X-Idempotence-Key',
    'Idempotent-Key',
    'Idempotency-Token',
    'Idempotancy-Key',
    'Idempontency-Key',
    'Indempotency-Key',
  ])('is refused, and takes nothing: %s', async (name) => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' }, { [name]: 'k1' });
      expectProblem(answer, 400, 'invalid_request', `header/${name.toLowerCase()}`);
      expect(answer.body.errors[0]).toMatchObject({
        code: 'unrecognized_key',
        message: 'is not the header that is read; send Idempotency-Key',
      });
    });
    expect(written).toEqual({});
  });

  it.each(['X-Api-Key', 'X-Request-Id', 'Sec-WebSocket-Key', 'Surrogate-Key'])('is not %s', async (name) => {
    const answer = await app.post('/identify', { external_id: newPerson() }, { [name]: 'x' });
    expect(answer.status).toBe(200);
  });
});

describe('a value that stands for none', () => {
  const placeholders = [
    'undefined',
    'null',
    'NULL',
    'NaN',
    'nan',
    'None',
    '[object Object]',
    '[object Promise]',
    'Infinity',
    '-Infinity',
    '<nil>',
    '(null)',
    'true',
    'False',
    ' undefined ',
    '{{ $json.id }}',
    'user-{{id}}',
    ['$', '{USER_ID}'].join(''),
    '<%= id %>',
  ];
  const NO_VALUE = /^(stands for a missing value|holds a template)/;
  const isRefused = async (path: string, body: Json, pointer: string) => {
    const answer = await app.post(path, body);
    expectProblem(answer, 400, 'invalid_request', pointer);
    expect(answer.body.errors[0].message).toMatch(NO_VALUE);
  };

  it.each(placeholders)('is no external id, whoever asks: %j', async (external_id) => {
    await isRefused('/identify', { external_id }, '/external_id');
    await isRefused('/quota/consume', { external_id, product_key: 'CREDITS' }, '/external_id');
    await isRefused(
      '/referrals',
      { referrer_external_id: 'a', referee_external_id: external_id },
      '/referee_external_id',
    );
    const query = new URLSearchParams({ external_id, product_key: 'CREDITS' });
    expectProblem(await app.get(`/balance?${query}`), 400, 'invalid_request', 'query/external_id');
  });

  it.each(placeholders)('is no idempotency key: %j', async (key) => {
    const consume = { external_id: newPerson(), product_key: 'CREDITS' };
    await isRefused('/quota/consume', { ...consume, idempotency_key: key }, '/idempotency_key');
    await isRefused(
      '/quota/consume/batch',
      { items: [{ ...consume, idempotency_key: key }] },
      '/items/0/idempotency_key',
    );
    const answer = await app.post('/quota/consume', consume, { 'idempotency-key': key });
    expectProblem(answer, 400, 'invalid_request', 'header/idempotency-key');
    expect(answer.body.errors[0].message).toMatch(NO_VALUE);
  });

  it.each([
    'prediction-undefined',
    'prediction-null',
    'prediction-NaN',
    'undefined-undefined',
    'null_17',
    'invoice:undefined:1',
    'a/null',
    'a|NaN|b',
    'row#null',
    'v1.undefined',
    'prediction undefined',
    'prediction-[object Object]',
    '[object Object]-[object Object]',
  ])('is no part of a name by which something happens once: %j', async (name) => {
    const NO_PART = /^has a part that stands for a missing value/;
    const refused = async (path: string, body: Json, pointer: string, headers = {}) => {
      const answer = await app.post(path, body, headers);
      expectProblem(answer, 400, 'invalid_request', pointer);
      expect(answer.body.errors[0].message).toMatch(NO_PART);
    };
    const external_id = newPerson();
    const consume = { external_id, product_key: 'CREDITS' };
    await refused('/quota/consume', { ...consume, idempotency_key: name }, '/idempotency_key');
    await refused('/quota/consume', consume, 'header/idempotency-key', { 'idempotency-key': name });
    const items = [
      { ...consume, idempotency_key: 'prediction-1' },
      { ...consume, idempotency_key: name },
    ];
    await refused('/quota/consume/batch', { items }, '/items/1/idempotency_key');
    const migration = { external_id, grant_type: 'migration', product_key: 'CREDITS', source_id: name };
    await refused('/grants', migration, '/source_id');
    await refused(`/orders/${UNKNOWN_ID}/confirm`, { payment_id: name }, '/payment_id');
    expect((await app.post('/identify', { external_id: `${name}-${external_id}` })).status).toBe(200);
  });

  it.each([
    'nullable-1',
    'prediction-none',
    'Nan-17',
    'annull',
    'undefinedness',
    'a-Null',
    'nulls_first',
    '[object] 17',
  ])('is no part of %j', async (key) => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1);
    const consume = { external_id, product_key: 'CREDITS', idempotency_key: key };
    expect((await app.post('/quota/consume', consume)).status).toBe(200);
  });

  it.each(['undefined', 'null', '{{ $json.id }}'])(
    'is nothing else by which something happens once: %j',
    async (value) => {
      const trial = { external_id: newPerson(), grant_type: 'trial', sku: 'SAMPLE' };
      await isRefused('/grants', { ...trial, identities: { device: value } }, '/identities/device');
      await isRefused('/identify', { external_id: 'a', provider: value }, '/provider');
      const migration = { external_id: 'a', grant_type: 'migration', product_key: 'CREDITS', source_id: value };
      await isRefused('/grants', migration, '/source_id');
      await isRefused(`/orders/${UNKNOWN_ID}/confirm`, { payment_id: value }, '/payment_id');
    },
  );

  it.each(['\u200b', '\u2060\ufeff', '\u00ad'])('is what nobody can see: %j', async (value) => {
    expectProblem(await app.post('/identify', { external_id: value }), 400, 'invalid_request', '/external_id');
    const trial = { external_id: newPerson(), grant_type: 'trial', sku: 'SAMPLE' };
    expectProblem(
      await app.post('/grants', { ...trial, identities: { device: value } }),
      400,
      'invalid_request',
      '/identities/device',
    );
    expect((await app.post('/grants', { ...trial, identities: { [value]: 'x' } })).status).toBe(400);
    const keyed = { external_id: newPerson(), product_key: 'CREDITS', idempotency_key: value };
    expectProblem(await app.post('/quota/consume', keyed), 400, 'invalid_request', '/idempotency_key');
  });

  it.each(['undefined-17', '{a}', 'a}}b{{c', '$5', 'nullable', 'nan@mail.example', 'nonesuch', 'truest', '0'])(
    'is not %j',
    async (external_id) => {
      expect((await app.post('/identify', { external_id })).status).toBe(200);
    },
  );

  it('can be looked for and unlinked where it was taken before', async () => {
    expect((await app.get('/customers?external_id=undefined')).body.data).toEqual([]);
    const { body } = await app.post('/identify', { external_id: newPerson() });
    const answer = await app.delete(`/customers/${body.customer_id}/identities/default/undefined`);
    expectProblem(answer, 404, 'identity_not_found');
  });
});
