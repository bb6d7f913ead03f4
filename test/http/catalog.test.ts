// What is for sale, as readers see it.
import { beforeAll, describe, expect, it } from 'vitest';
import { putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, itNeedsAToken, readPages } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { name: 'Credits', features: ['text_generation'] });
  for (const sku of ['C_3', 'C_1', 'C_2']) await putOffer(app, sku, 'CREDITS', 10);
  await putOffer(app, 'RETIRED', 'CREDITS', 10, { is_active: false });
});

async function skusOf(path: string): Promise<string[]> {
  const answer = await app.get(path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data.map((offer: { sku: string }) => offer.sku);
}

describe('GET /catalog', () => {
  it('lists active offers by sku, with their items and products', async () => {
    const answer = await app.get('/catalog');
    expect(answer.body.data.map((offer: { sku: string }) => offer.sku)).toEqual(['C_1', 'C_2', 'C_3']);
    expect(answer.body.next_cursor).toBeNull();
    expect(answer.body.data[0]).toEqual({
      sku: 'C_1',
      name: 'C_1',
      description: '',
      image: null,
      price: '1.00',
      currency: 'USD',
      is_active: true,
      is_trial: false,
      trial_policy: null,
      trial_eligible: null,
      recurrence: null,
      plan_group: null,
      plan: null,
      max_per_customer: null,
      items: [
        {
          product_key: 'CREDITS',
          quantity: 10,
          period_unit: 'forever',
          period_value: null,
          priority: 0,
          stacking: 'parallel',
          product: {
            product_key: 'CREDITS',
            name: 'Credits',
            description: '',
            type: 'quantity',
            is_currency: false,
            is_active: true,
            features: [{ feature: 'text_generation', unit_cost: 1 }],
            low_balance_threshold: null,
            expiring_days: null,
            metadata: {},
            created_at: '2026-01-31T12:00:00.000Z',
          },
        },
      ],
      metadata: {},
    });
  });

  it('keeps the order of the skus asked for, in any case', async () => {
    expect(await skusOf('/catalog?sku=c_3&sku=C_1&sku=c_2')).toEqual(['C_3', 'C_1', 'C_2']);
  });

  it('takes one sku', async () => {
    expect(await skusOf('/catalog?sku=c_2')).toEqual(['C_2']);
  });

  it.each([
    ['sku=c_3,C_1,c_2', ['C_3', 'C_1', 'C_2']],
    ['sku=C_3%2CC_1', ['C_3', 'C_1']],
    ['sku=C_3,%20C_1&sku=C_2', ['C_3', 'C_1', 'C_2']],
    ['sku[0]=C_3&sku[1]=C_1', ['C_3', 'C_1']],
    ['sku%5B1%5D=C_3&sku%5B0%5D=C_1', ['C_1', 'C_3']],
    ['sku[10]=C_3&sku[9]=C_1', ['C_1', 'C_3']],
    ['sku[]=C_3&sku[]=C_1', ['C_3', 'C_1']],
    ['sku[0]=C_3,C_2&sku=C_1', ['C_1', 'C_3', 'C_2']],
    ['sku[0]=C_3', ['C_3']],
  ])('takes a list as ?%s', async (query, skus) => {
    expect(await skusOf(`/catalog?${query}`)).toEqual(skus);
  });

  it('leaves out unknown and retired skus', async () => {
    expect(await skusOf('/catalog?sku=C_2&sku=UNKNOWN&sku=RETIRED&sku=C_1')).toEqual(['C_2', 'C_1']);
  });

  it('lists and finds inactive offers when asked to', async () => {
    expect(await skusOf('/catalog?include_inactive=true')).toEqual(['C_1', 'C_2', 'C_3', 'RETIRED']);
    expect(await skusOf('/catalog?include_inactive=true&sku=RETIRED&sku=C_1')).toEqual(['RETIRED', 'C_1']);
    expect(await skusOf('/catalog?include_inactive=false')).toEqual(['C_1', 'C_2', 'C_3']);
    const pages = await readPages(app, '/catalog?include_inactive=true', 3);
    expect(pages.map((page) => page.length)).toEqual([3, 1]);
  });

  it('gives pages that an insert does not shift', async () => {
    const first = await app.get('/catalog?limit=2');
    expect(first.body.data).toHaveLength(2);
    await putOffer(app, 'A_FIRST', 'CREDITS', 1);
    expect(await skusOf(`/catalog?limit=2&cursor=${first.body.next_cursor}`)).toEqual(['C_3']);
    await putOffer(app, 'A_FIRST', 'CREDITS', 1, { is_active: false });
  });

  it('ends with a page that says so, also when it is full', async () => {
    const pages = await readPages(app, '/catalog', 1);
    expect(pages.map((page) => page.map((offer) => offer.sku))).toEqual([['C_1'], ['C_2'], ['C_3']]);
  });

  it.each([
    ['limit=0', 'query/limit'],
    ['limit=201', 'query/limit'],
    ['limit=two', 'query/limit'],
    ['limit=1&limit=2', 'query/limit'],
    ['cursor=bm90IG91cnM', 'query/cursor'],
    // A name that the database can't store.
    [`cursor=${Buffer.from(JSON.stringify({ name: 'a\u0000b' })).toString('base64url')}`, 'query/cursor'],
    ['sku=no%20sku', 'query/sku/0'],
    ['sku=C_1,no%20sku', 'query/sku/1'],
    ['sku=C_1,', 'query/sku/1'],
    ['sku=', 'query/sku/0'],
    ['sku[1]=C_1&sku[0]=no%20sku', 'query/sku/0'],
    ['sku[a]=C_1', 'query/sku[a]'],
    ['sku[0][0]=C_1', 'query/sku[0][0]'],
    ['skus[0]=C_1', 'query/skus[0]'],
    ['limit[0]=1', 'query/limit[0]'],
    ['__proto__[0]=C_1', 'query/__proto__[0]'],
    ['colour=red', 'query/colour'],
    ['include_inactive=yes', 'query/include_inactive'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await app.get(`/catalog?${query}`), 400, 'invalid_request', pointer);
  });

  it('refuses more than 200 skus', async () => {
    const skus = Array.from({ length: 201 }, (_, index) => `S_${index}`);
    for (const query of [
      skus.map((sku) => `sku=${sku}`).join('&'),
      `sku=${skus.join()}`,
      skus.map((sku, index) => `sku[${index}]=${sku}`).join('&'),
    ])
      expectProblem(await app.get(`/catalog?${query}`), 400, 'invalid_request', 'query/sku');
    expect(await skusOf(`/catalog?sku=${['C_1', ...skus.slice(2)].join()}`)).toEqual(['C_1']);
  });
});

describe('GET /catalog/{sku}', () => {
  it('gives an active offer, in any case', async () => {
    const answer = await app.get('/catalog/c_1');
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ sku: 'C_1', items: [{ product: { product_key: 'CREDITS' } }] });
  });

  it.each(['RETIRED', 'UNKNOWN'])('does not know %s', async (sku) => {
    expectProblem(await app.get(`/catalog/${sku}`), 404, 'offer_not_found', 'path/sku');
  });

  it('does not take a product key for a sku', async () => {
    expectProblem(await app.get('/catalog/CREDITS'), 404, 'offer_not_found', 'path/sku');
  });

  it('refuses what can be no sku', async () => {
    expectProblem(await app.get('/catalog/a%20b'), 400, 'invalid_request', 'path/sku');
  });
});

describe('GET /offers/{sku}', () => {
  it('gives an offer, active or not, whole enough to be put again', async () => {
    for (const sku of ['c_1', 'retired']) {
      const { body } = await app.get(`/offers/${sku}`);
      expect(body).toMatchObject({ sku: sku.toUpperCase(), is_active: sku === 'c_1' });
      const items = body.items.map(({ product: _, ...item }: { product: unknown }) => item);
      const again = await app.put(`/offers/${sku}`, { ...body, items });
      expect(again.status, again.text).toBe(200);
      expect(again.body).toEqual({ ...body, warnings: [] });
    }
  });

  it('does not know an offer that nobody made', async () => {
    expectProblem(await app.get('/offers/UNKNOWN'), 404, 'offer_not_found', 'path/sku');
  });

  itNeedsAToken(app, 'get', '/offers/C_1');
});
