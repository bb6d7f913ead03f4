// Bad input: each kind is a 4xx with its own code and pointer, and writes nothing but the customer and identity of a first sight.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const FIRST_SIGHT = { customers: 1, identities: 1 };
const NUL = 'a\0b';
const LONE_SURROGATE = 'a\ud800b';
const LONG = 'x'.repeat(5_000);
const UNSAFE = 9007199254740992;

type Problem = Parameters<typeof expectProblem>;
type Case = [
  name: string,
  path: string,
  body: Json,
  status: number,
  code: Problem[2],
  pointer: string,
  written?: Record<string, number>,
];

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putOffer(app, 'PACK', 'CREDITS', 1, { price: '9.99' });
  await putOffer(app, 'EUROS', 'CREDITS', 1, { currency: 'EUR' });
  await putOffer(app, 'RETIRED', 'CREDITS', 1, { is_active: false });
});

const identify = { external_id: 'somebody' };
const consume = { external_id: 'somebody', product_key: 'CREDITS' };
const order = { external_id: 'somebody', items: [{ sku: 'PACK' }] };
const bonus = { external_id: 'somebody', grant_type: 'bonus', product_key: 'CREDITS' };
const confirm = { payment_id: 'p' };
const product = { name: 'P', type: 'quantity' };
const offer = { name: 'O', price: '1.00', currency: 'USD', items: [{ product_key: 'CREDITS' }] };

/** What names no product, offer or order. The customer is looked up first, so a first sight stays. */
const unknown: Case[] = [
  ['sku of an order', '/orders', { items: [{ sku: 'X' }] }, 404, 'offer_not_found', '/items/0/sku', FIRST_SIGHT],
  [
    'sku of a grant',
    '/grants',
    { ...bonus, product_key: undefined, sku: 'X' },
    404,
    'offer_not_found',
    '/sku',
    FIRST_SIGHT,
  ],
  [
    'product of a grant',
    '/grants',
    { ...bonus, product_key: 'X' },
    404,
    'product_not_found',
    '/product_key',
    FIRST_SIGHT,
  ],
  ['product of a use', '/quota/consume', { product_key: 'X' }, 404, 'product_not_found', '/product_key', FIRST_SIGHT],
  ['feature of a use', '/quota/consume', { feature: 'x' }, 404, 'feature_not_found', '/feature', FIRST_SIGHT],
  [
    'product of an offer',
    '/offers/NEW',
    { ...offer, items: [{ product_key: 'X' }] },
    404,
    'product_not_found',
    '/items/0/product_key',
  ],
  ['order', `/orders/${UNKNOWN_ID}/confirm`, confirm, 404, 'order_not_found', 'path/id'],
  ['inactive offer', '/orders', { items: [{ sku: 'RETIRED' }] }, 409, 'offer_inactive', '/items/0/sku', FIRST_SIGHT],
  [
    'inactive offer of a grant',
    '/grants',
    { ...bonus, product_key: undefined, sku: 'RETIRED' },
    409,
    'offer_inactive',
    '/sku',
    FIRST_SIGHT,
  ],
  [
    'mixed currencies',
    '/orders',
    { items: [{ sku: 'PACK' }, { sku: 'EUROS' }] },
    400,
    'mixed_currencies',
    '/items/1/sku',
    FIRST_SIGHT,
  ],
];

function invalid(name: string, path: string, body: Json, pointer: string): Case {
  return [name, path, body, 400, 'invalid_request', pointer];
}

const withId = (external_id: unknown) => [
  invalid('identify', '/identify', { external_id }, '/external_id'),
  invalid('an order', '/orders', { ...order, external_id }, '/external_id'),
  invalid('a use', '/quota/consume', { ...consume, external_id }, '/external_id'),
  invalid('a check', '/quota/check', { ...consume, external_id }, '/external_id'),
  invalid('a grant', '/grants', { ...bonus, external_id }, '/external_id'),
];

const withAmount = (amount: unknown) => [
  invalid('amount of a use', '/quota/consume', { ...consume, amount }, '/amount'),
  invalid('amount of a check', '/quota/check', { ...consume, amount }, '/amount'),
  invalid('quantity of a grant', '/grants', { ...bonus, quantity: amount }, '/quantity'),
  invalid(
    'quantity of an order',
    '/orders',
    { ...order, items: [{ sku: 'PACK', quantity: amount }] },
    '/items/0/quantity',
  ),
  invalid(
    'quantity of an offer',
    '/offers/NEW',
    { ...offer, items: [{ product_key: 'CREDITS', quantity: amount }] },
    '/items/0/quantity',
  ),
  invalid(
    'cost of a feature',
    '/products/NEW',
    { ...product, features: [{ feature: 'f', unit_cost: amount }] },
    '/features/0/unit_cost',
  ),
];

const withText = (text: string) => [
  invalid('external_id', '/identify', { external_id: text }, '/external_id'),
  invalid('provider', '/identify', { ...identify, provider: text }, '/provider'),
  invalid('action_type', '/quota/consume', { ...consume, action_type: text }, '/action_type'),
  invalid('action_id', '/quota/consume', { ...consume, action_id: text }, '/action_id'),
  invalid('product_key', '/quota/consume', { ...consume, product_key: text }, '/product_key'),
  invalid('feature', '/quota/consume', { external_id: 'somebody', feature: text }, '/feature'),
  invalid('idempotency_key', '/quota/consume', { ...consume, idempotency_key: text }, '/idempotency_key'),
  invalid('sku', '/orders', { ...order, items: [{ sku: text }] }, '/items/0/sku'),
  invalid('reason', '/grants', { ...bonus, reason: text }, '/reason'),
  invalid('payment_id', `/orders/${UNKNOWN_ID}/confirm`, { payment_id: text }, '/payment_id'),
  invalid('payment_method', `/orders/${UNKNOWN_ID}/confirm`, { ...confirm, payment_method: text }, '/payment_method'),
  invalid('currency of a payment', `/orders/${UNKNOWN_ID}/confirm`, { ...confirm, currency: text }, '/currency'),
  invalid('name of a product', '/products/NEW', { ...product, name: text }, '/name'),
  invalid('description of a product', '/products/NEW', { ...product, description: text }, '/description'),
  invalid('name of an offer', '/offers/NEW', { ...offer, name: text }, '/name'),
  invalid('image of an offer', '/offers/NEW', { ...offer, image: text }, '/image'),
  invalid('currency of an offer', '/offers/NEW', { ...offer, currency: text }, '/currency'),
  invalid(
    'plan_group',
    '/offers/NEW',
    { ...offer, recurrence: { unit: 'days', count: 1 }, plan_group: text },
    '/plan_group',
  ),
];

const withMetadata = (metadata: unknown, at = '') => [
  invalid('profile', '/identify', { ...identify, profile: metadata }, `/profile${at}`),
  invalid('metadata of a use', '/quota/consume', { ...consume, metadata }, `/metadata${at}`),
  invalid('metadata of a grant', '/grants', { ...bonus, metadata }, `/metadata${at}`),
  invalid('metadata of an order', '/orders', { ...order, metadata }, `/metadata${at}`),
  invalid('metadata of a product', '/products/NEW', { ...product, metadata }, `/metadata${at}`),
  invalid('metadata of an offer', '/offers/NEW', { ...offer, metadata }, `/metadata${at}`),
];

const nested = (levels: number): Json => (levels === 1 ? {} : { a: nested(levels - 1) });
const decimals = [
  invalid('of USD', '/offers/NEW', { ...offer, price: '9.999' }, '/price'),
  invalid('of JPY', '/offers/NEW', { ...offer, price: '9.9', currency: 'JPY' }, '/price'),
  invalid('of XTR', '/offers/NEW', { ...offer, price: '9.9', currency: 'XTR' }, '/price'),
  invalid('of anything', '/offers/NEW', { ...offer, price: '9.9999999' }, '/price'),
  invalid('of a payment', `/orders/${UNKNOWN_ID}/confirm`, { ...confirm, amount: '9.9999999' }, '/amount'),
];

/** Every case is a test of its own: the answer, and what it left in the database. */
function itRefuses(title: string, cases: Case[]): void {
  describe(title, () => {
    it.each(cases)('%s', async (_name, path, body, status, code, pointer, expected = {}) => {
      const isManagement = path.startsWith('/products') || path.startsWith('/offers');
      const written = await writtenBy(app, async () => {
        const answer = isManagement
          ? await app.put(path, body)
          : await app.post(path, expected === FIRST_SIGHT ? { ...body, external_id: newPerson() } : body);
        expectProblem(answer, status, code, pointer);
      });
      expect(written).toEqual(expected);
    });
  });
}

itRefuses('what does not exist, or is not sold', unknown);
itRefuses('an empty external_id', withId(''));
itRefuses('a blank external_id', withId(' \t\n'));
itRefuses('an external_id above 2^53-1', withId(UNSAFE));
itRefuses('an external_id with a fraction', withId(0.5));
itRefuses('an external_id of null', withId(null));
itRefuses('an amount of zero', withAmount(0));
itRefuses('a negative amount', withAmount(-1));
itRefuses('an amount with a fraction', withAmount(1.5));
itRefuses('an amount above 2^53-1', withAmount(UNSAFE));
itRefuses('an amount that is text', withAmount('1.0'));
itRefuses('text that is too long', withText(LONG));
itRefuses('text with NUL', withText(NUL));
itRefuses('text with half of a surrogate pair', withText(LONE_SURROGATE));
itRefuses('metadata with NUL', withMetadata({ a: [{ b: NUL }] }, '/a/0/b'));
itRefuses('metadata with half of a surrogate pair', withMetadata({ a: LONE_SURROGATE }, '/a'));
itRefuses('metadata with such a key', withMetadata({ [NUL]: 1 }));
itRefuses('metadata above 16 KiB', withMetadata({ a: 'x'.repeat(16 * 1_024) }));
itRefuses('metadata deeper than 8 levels', withMetadata(nested(9)));
itRefuses('metadata with a number that is not exact', withMetadata({ a: UNSAFE }, '/a'));
itRefuses('empty items', [invalid('of an order', '/orders', { ...order, items: [] }, '/items')]);
itRefuses('too many decimals', decimals);

describe('a body', () => {
  const json = { 'content-type': 'application/json' };
  const routes = [
    ['/identify', 'post'],
    ['/orders', 'post'],
    [`/orders/${UNKNOWN_ID}/confirm`, 'post'],
    ['/quota/check', 'post'],
    ['/quota/consume', 'post'],
    ['/grants', 'post'],
    ['/products/NEW', 'put'],
    ['/offers/NEW', 'put'],
  ] as const;
  const bodies = [
    ['a list', '[]', 'invalid_request', ''],
    ['a text', '"x"', 'invalid_request', ''],
    ['a number', '17', 'invalid_request', ''],
    ['null', 'null', 'invalid_request', ''],
    ['no JSON', '{"external_id":', 'malformed_json', undefined],
    ['one with a key that poisons prototypes', '{"a":{"__proto__":{"b":1}}}', 'invalid_request', '/a/__proto__'],
  ] as const;

  it.each(routes.flatMap(([path, method]) => bodies.map((body) => [path, method, ...body] as const)))(
    'of %s (%s) that is %s is refused',
    async (path, method, _case, body, code, pointer) => {
      const written = await writtenBy(app, async () => {
        expectProblem(await app[method](path, body, json), 400, code, pointer);
      });
      expect(written).toEqual({});
    },
  );

  it('that is not JSON by its media type is refused', async () => {
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/identify', 'external_id=1', {
        'content-type': 'application/x-www-form-urlencoded',
      });
      expectProblem(answer, 415, 'unsupported_media_type');
    });
    expect(written).toEqual({});
  });

  it('above a mebibyte is refused', async () => {
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/identify', { external_id: 'x', profile: { a: 'x'.repeat(1_024 * 1_024) } });
      expectProblem(answer, 413, 'payload_too_large');
    });
    expect(written).toEqual({});
  });

  it('names all its faults at once', async () => {
    const answer = await app.post('/quota/consume', { ...consume, external_id: '', amount: 0, action_type: '' });
    expect(answer.body.errors.map((error: Json) => error.pointer).sort()).toEqual([
      '/action_type',
      '/amount',
      '/external_id',
    ]);
  });
});

describe('a URL', () => {
  it.each([
    ['/wallet?external_id=', 'query/external_id'],
    ['/wallet?external_id=%20', 'query/external_id'],
    ['/wallet?external_id=a%00b', 'query/external_id'],
    [`/wallet?external_id=${'x'.repeat(256)}`, 'query/external_id'],
    ['/wallet?external_id=a&external_id=b', 'query/external_id'],
    ['/wallet/entries?external_id=a&action_type=%00', 'query/action_type'],
    ['/balance?external_id=a&product_key=%00', 'query/product_key'],
    ['/catalog/%00', 'path/sku'],
    ['/products/a%20b', 'path/key'],
    ['/orders/%00', 'path/id'],
  ])('%s is refused', async (url, pointer) => {
    expectProblem(await app.get(url), 400, 'invalid_request', pointer);
  });

  it.each(['/catalog/%FF', '/orders/%ED%A0%80'])('%s is not UTF-8', async (url) => {
    expectProblem(await app.get(url), 400, 'malformed_url');
  });

  it('without a route is 404', async () => {
    expectProblem(await app.get('/nothing'), 404, 'route_not_found');
  });
});

describe('what is at the edge is accepted', () => {
  it('an external_id of 2^53-1, of 0, and of 255 characters', async () => {
    for (const external_id of [Number.MAX_SAFE_INTEGER, 0, 'x'.repeat(255)]) {
      expect((await app.post('/identify', { external_id })).body.external_id).toBe(String(external_id));
    }
  });

  it('pairs of surrogates, and metadata of 8 levels', async () => {
    const external_id = `${newPerson()}-😀`;
    const answer = await app.post('/identify', { external_id, profile: nested(8) });
    expect(answer.body).toMatchObject({ external_id, metadata: nested(8) });
  });
});

describe('a key reused for another body is refused', () => {
  it.each([
    ['/identify', { profile: { a: 1 } }, { profile: { a: 2 } }],
    ['/orders', { items: [{ sku: 'PACK' }] }, { items: [{ sku: 'PACK', quantity: 2 }] }],
    [
      '/grants',
      { grant_type: 'bonus', product_key: 'CREDITS' },
      { grant_type: 'bonus', product_key: 'CREDITS', quantity: 2 },
    ],
    ['/grants', { grant_type: 'bonus', product_key: 'CREDITS' }, { grant_type: 'bonus', sku: 'PACK' }],
  ])('%s', async (path, body, other) => {
    const keyed = { external_id: newPerson(), idempotency_key: 'k' };
    expect((await app.post(path, { ...body, ...keyed })).status).toBeLessThan(300);
    const written = await writtenBy(app, async () => {
      const answer = await app.post(path, { ...other, ...keyed });
      expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
    });
    expect(written).toEqual({});
  });

  it('for a confirmation that failed, and now says paid', async () => {
    const { id } = await placeOrder(app, newPerson(), 'PACK');
    const body = { payment_id: newPayment(), idempotency_key: 'k' };
    await app.post(`/orders/${id}/confirm`, { ...body, status: 'failed' });
    const answer = await app.post(`/orders/${id}/confirm`, body);
    expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
  });
});

describe('what is missing', () => {
  const item = { period_unit: 'months' };
  it.each<['post' | 'put', string, object, string[]]>([
    ['post', '/quota/consume', {}, ['/customer_id', '/product_key']],
    ['post', '/quota/consume', { amount: -1 }, ['/amount', '/customer_id', '/product_key']],
    ['post', '/quota/check', { amount: 1.5, metadata: 1 }, ['/amount', '/customer_id', '/metadata', '/product_key']],
    [
      'post',
      '/quota/consume/batch',
      { items: [{ amount: 0 }, { external_id: 'a', feature: 'A' }, {}] },
      [
        ...['/items/0/amount', '/items/0/customer_id', '/items/0/product_key'],
        ...['/items/1/feature', '/items/2/customer_id', '/items/2/product_key'],
      ],
    ],
    ['post', '/orders', {}, ['/customer_id', '/items']],
    ['post', '/orders', { items: [{}] }, ['/customer_id', '/items/0/sku']],
    ['post', '/reservations', { ttl_seconds: 0 }, ['/customer_id', '/product_key', '/ttl_seconds']],
    ['post', '/credits/add', {}, ['/amount', '/customer_id', '/product_key']],
    ['post', '/credits/deduct', {}, ['/amount', '/customer_id', '/product_key']],
    ['post', '/exchange', {}, ['/customer_id', '/sku']],
    ['post', '/referrals', { metadata: 1 }, ['/metadata', '/referee_id', '/referrer_id']],
    ['post', '/grants', {}, ['/customer_id', '/grant_type']],
    ['post', '/grants', { grant_type: 'migration', quantity: 0 }, ['/customer_id', '/quantity', '/sku', '/source_id']],
    ['post', '/grants', { grant_type: 'adjustment', priority: 0.5 }, ['/customer_id', '/priority', '/reason', '/sku']],
    ['post', '/demo/trial-grant', { override: true, sku: ' ' }, ['/customer_id', '/reason', '/sku']],
    ['put', '/products/A', {}, ['/name', '/type']],
    [
      'put',
      '/offers/A',
      { items: [item] },
      ['/currency', '/items/0/period_value', '/items/0/product_key', '/name', '/price'],
    ],
  ])('is named all at once: %s %s %j', async (method, path, body, pointers) => {
    const answer = await app[method](path, body);
    expect(answer.status).toBe(400);
    const named = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(named.toSorted()).toEqual(pointers);
  });

  it.each([
    ['/balance?as_of=x', ['query/as_of', 'query/customer_id', 'query/product_key']],
    ['/credits/expiring?limit=0', ['query/customer_id', 'query/limit', 'query/product_key']],
    ['/wallet/entries?kind=x', ['query/customer_id', 'query/kind']],
  ])('is named all at once: GET %s', async (path, pointers) => {
    const answer = await app.get(path);
    expect(answer.status).toBe(400);
    const named = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(named.toSorted()).toEqual(pointers);
  });
});
