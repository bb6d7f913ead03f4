// The catalogue as a file: what is exported and imported again, and what an import changes. Files that are refused are in catalog-file-faults.test.ts.
import { beforeEach, describe, expect, it } from 'vitest';
import { fillEmptyCatalogue } from '../../src/services/catalog.js';
import { demoCatalogue } from '../../src/services/demo-catalogue.js';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { CSV, clearCatalogue, exportFile, importFile } from '../support/catalog-file.js';
import { untilTold } from '../support/events.js';
import { expectProblem, itNeedsAToken, writtenBy } from '../support/requests.js';

const app = useTestApp();
const PLAN_DEFAULTS = {
  trial_period: null,
  grant_every: null,
  rollover: 'none',
  rollover_cap: null,
  grace_days: 0,
  grace_access: false,
};
const NONE = { created: 0, updated: 0, unchanged: 0 };

beforeEach(() => clearCatalogue(app));

async function imported(file: string | object, query = ''): Promise<Json> {
  const answer = await importFile(app, file, query);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

const rows = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');

describe('GET /catalog/export', () => {
  it('is one document, with a line for each product and offer, those that are not active too', async () => {
    await putProduct(app, 'CREDITS', { features: [{ feature: 'draw', unit_cost: 2 }] });
    await putOffer(app, 'PACK', 'CREDITS', 5, { is_active: false });
    const text = await exportFile(app, 'format=json');
    expect(text.split('\n').map((line) => line.slice(0, 24))).toEqual([
      '{"products":[',
      '{"product_key":"CREDITS"',
      '],"offers":[',
      '{"sku":"PACK","name":"PA',
      ']}',
      '',
    ]);
    expect(JSON.parse(text)).toMatchObject({
      products: [{ product_key: 'CREDITS', created_at: '2026-01-31T12:00:00.000Z' }],
      offers: [{ sku: 'PACK', is_active: false, items: [{ product_key: 'CREDITS', quantity: 5 }] }],
    });
  });

  it('is JSON when nothing is said, and a table of offers when nothing else is said of CSV', async () => {
    const [json, csv] = await Promise.all([app.get('/catalog/export'), app.get('/catalog/export?format=csv')]);
    expect(json.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="catalogue.json"',
    });
    expect(csv.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="offers.csv"',
      'x-content-type-options': 'nosniff',
    });
    expect(csv.text.split(',')[0]).toBe('sku');
  });

  it('has a row for each item of an offer, and one for an offer without', async () => {
    await putProduct(app, 'A');
    await putProduct(app, 'B', { type: 'period' });
    const items = [
      { product_key: 'A', quantity: 3 },
      { product_key: 'B', period_unit: 'days', period_value: 7 },
    ];
    await app.put('/offers/BOTH', { name: 'Both', price: '2', currency: 'EUR', items });
    await app.put('/offers/NOTHING', { name: 'Nothing', price: '0', currency: 'EUR' });
    expect(await exportFile(app, 'format=csv&of=offers')).toBe(
      [
        'sku,name,price,currency,image,description,is_active,created_at,metadata,product_key,quantity,period_unit,period_value,is_trial,trial_scope,recurrence_unit,recurrence_count,plan_group,priority,stacking,max_per_customer,plan_trial_unit,plan_trial_count,plan_rollover,plan_rollover_cap,plan_grace_days,plan_grace_access,plan_grant_unit,plan_grant_count,trial_eligible',
        'BOTH,Both,2.00,EUR,,,true,2026-01-31T12:00:00.000Z,,A,3,forever,,false,,,,,0,parallel,,,,,,,,,,',
        'BOTH,Both,2.00,EUR,,,true,2026-01-31T12:00:00.000Z,,B,1,days,7,false,,,,,0,extend,,,,,,,,,,',
        'NOTHING,Nothing,0.00,EUR,,,true,2026-01-31T12:00:00.000Z,,,,,,false,,,,,,,,,,,,,,,,',
        '',
      ].join('\r\n'),
    );
  });

  it('leaves cells as they are that a spreadsheet would take for formulas', async () => {
    await putProduct(app, 'SUM', { name: '=1+1', description: '@cmd "x", -5' });
    const csv = await exportFile(app, 'format=csv&of=products');
    expect(csv).toContain('SUM,=1+1,"@cmd ""x"", -5",quantity');
  });

  it.each([
    ['format=xml', 'query/format'],
    ['format=csv&of=all', 'query/of'],
    ['format=json&of=offers', 'query/of'],
    ['off=offers', 'query/off'],
  ])('refuses ?%s', async (query, pointer) => {
    expectProblem(await app.get(`/catalog/export?${query}`), 400, 'invalid_request', pointer);
  });

  itNeedsAToken(app, 'get', '/catalog/export');
});

describe('a round trip into an empty database', () => {
  async function fill(): Promise<void> {
    await fillEmptyCatalogue(app.deps, demoCatalogue);
    const name = 'Überraschung "quoted", 💎; \t tab';
    const description = 'two\nlines, a lone \r and\r\nCRLF';
    const metadata = { z: [1, 'ä;"', null, { deep: true }], a: 'x' };
    await putProduct(app, 'ODD', { name, description, metadata, expiring_days: 3, low_balance_threshold: 0 });
    await putOffer(app, 'ODD_PACK', 'ODD', 2 ** 53 - 1, {
      name,
      description,
      metadata,
      image: 'https://x.example/?a=1,2',
    });
  }

  it('as JSON exports the same bytes', async () => {
    await fill();
    const text = await exportFile(app, 'format=json');
    await clearCatalogue(app);
    app.clock.advance({ days: 3 });
    const { products, offers } = JSON.parse(text);
    expect(await imported(JSON.parse(text))).toMatchObject({
      dry_run: false,
      products: { created: products.length, updated: 0, unchanged: 0 },
      offers: { created: offers.length, updated: 0, unchanged: 0 },
    });
    expect(await exportFile(app, 'format=json')).toBe(text);
  });

  it('as CSV exports the same bytes, the products before the offers', async () => {
    await fill();
    const [products, offers, json] = [
      await exportFile(app, 'format=csv&of=products'),
      await exportFile(app, 'format=csv&of=offers'),
      await exportFile(app, 'format=json'),
    ];
    await clearCatalogue(app);
    app.clock.advance({ days: 3 });
    await imported(products);
    await imported(offers);
    expect(await exportFile(app, 'format=csv&of=products')).toBe(products);
    expect(await exportFile(app, 'format=csv&of=offers')).toBe(offers);
    expect(await exportFile(app, 'format=json')).toBe(json);
  });

  it('of a catalogue that has nothing changes nothing', async () => {
    for (const query of ['format=json', 'format=csv&of=products', 'format=csv&of=offers']) {
      const text = await exportFile(app, query);
      expect(await imported(query === 'format=json' ? JSON.parse(text) : text)).toMatchObject({
        products: NONE,
        offers: NONE,
      });
    }
  });

  it('over what is so already writes nothing', async () => {
    await fill();
    const text = await exportFile(app, 'format=json');
    const written = await writtenBy(app, async () => {
      const { products, offers } = JSON.parse(text);
      expect(await imported({ products, offers })).toMatchObject({
        products: { unchanged: products.length },
        offers: { unchanged: offers.length },
      });
      await imported(await exportFile(app, 'format=csv&of=offers'));
    });
    expect(written).toEqual({});
  });
});

describe('POST /catalog/import', () => {
  const PRODUCTS = rows(
    'product_key,name,description,product_type,is_active,is_currency,created_at,metadata',
    'tokens,Tokens,,QUANTITY,True,no,,"{""tier"":1}"',
    'Vip,VIP,Access,period,1,0,2024-05-06T07:08:09+02:00,',
  );
  const OFFERS = rows(
    'sku,name,price,currency,image,description,is_active,created_at,metadata,product_key,quantity,period_unit,period_value',
    'pack,Pack,9.99,usd,,,yes,,,tokens,100,forever,',
    'PACK,,,,,,,,,VIP,1,MONTHS,1',
    'empty,Empty,1,XTR,,,true,,,,,,',
  );

  it('takes the files of the predecessor, names in any case, items by rows', async () => {
    expect(await imported(PRODUCTS)).toMatchObject({ products: { created: 2 }, offers: NONE });
    const answer = await imported(OFFERS);
    expect(answer).toMatchObject({ products: NONE, offers: { created: 2 }, warnings_total: 1 });
    expect(answer.warnings).toEqual([expect.objectContaining({ sku: 'EMPTY', code: 'no_items', pointer: '/items' })]);
    expect((await app.get('/products/VIP')).body).toMatchObject({
      type: 'period',
      created_at: '2024-05-06T05:08:09.000Z',
    });
    expect((await app.get('/products/TOKENS')).body).toMatchObject({ metadata: { tier: 1 }, is_currency: false });
    expect((await app.get('/offers/PACK')).body).toMatchObject({
      price: '9.99',
      currency: 'USD',
      items: [
        { product_key: 'TOKENS', quantity: 100, stacking: 'parallel' },
        { product_key: 'VIP', quantity: 1, period_unit: 'months', period_value: 1, stacking: 'extend' },
      ],
    });
  });

  it('updates what is named, leaves what is not, and counts both', async () => {
    await imported(PRODUCTS);
    await imported(OFFERS);
    await putProduct(app, 'OTHER');
    const changed = PRODUCTS.replace('Tokens', 'More tokens');
    expect(await imported(changed)).toMatchObject({ products: { created: 0, updated: 1, unchanged: 1 } });
    expect((await app.get('/products/TOKENS')).body.name).toBe('More tokens');
    expect((await app.get('/products/OTHER')).status).toBe(200);
  });

  it('records each that changed in the audit trail, by the key that sent it, and tells what a PUT tells', async () => {
    const products = PRODUCTS.replaceAll('tokens', 'gems').replaceAll('Vip', 'Salon');
    await imported(products);
    await imported(OFFERS.replaceAll('tokens', 'gems').replaceAll('VIP', 'SALON').replaceAll(/pack/gi, 'box'));
    await imported(products.replace('True', 'false'));
    const trail = (await app.get('/audit?limit=200&subject=GEMS')).body.data;
    expect(trail.map(({ action, key }: Json) => [action, key])).toEqual([
      ['product.updated', 'bootstrap'],
      ['product.created', 'bootstrap'],
    ]);
    expect((await app.get('/audit?subject=SALON')).body.data).toHaveLength(1);
    expect((await app.get('/audit?subject=BOX')).body.data).toMatchObject([{ action: 'offer.created' }]);
    await untilTold(app);
    const events = (await app.get('/events?limit=200&type=product.deactivated')).body.data;
    expect(events.map(({ data }: { data: Json }) => data.product_key)).toEqual(['GEMS']);
  });

  it('leaves what the file does not say as it is, and takes the default for what is new', async () => {
    await putProduct(app, 'A', { description: 'kept', features: ['draw'], expiring_days: 5, metadata: { kept: 1 } });
    await putOffer(app, 'P', 'A', 7, {
      recurrence: { unit: 'months', count: 1 },
      plan_group: 'team',
      plan: { rollover: 'all', grace_days: 7 },
      is_trial: true,
      metadata: { kept: 1 },
    });
    const before = (await app.get('/offers/P')).body;
    await imported(rows('sku,name,price,currency', 'P,P,3.00,EUR', 'NEW,New,1.00,EUR'));
    await imported(rows('product_key,name,product_type', 'A,New name,quantity'));
    expect((await app.get('/offers/P')).body).toMatchObject({
      price: '3.00',
      currency: 'EUR',
      recurrence: before.recurrence,
      plan_group: 'team',
      plan: before.plan,
      is_trial: true,
      metadata: { kept: 1 },
      items: [{ product_key: 'A', quantity: 7 }],
    });
    expect((await app.get('/products/A')).body).toMatchObject({
      name: 'New name',
      description: 'kept',
      features: [{ feature: 'draw', unit_cost: 1 }],
      expiring_days: 5,
      metadata: { kept: 1 },
    });
    expect((await app.get('/offers/NEW')).body).toMatchObject({
      items: [],
      metadata: {},
      plan_group: null,
      plan: null,
    });
    await imported({
      offers: [{ sku: 'P', name: 'P', price: '3.00', currency: 'EUR', recurrence: { unit: 'years', count: 1 } }],
    });
    expect((await app.get('/offers/P')).body).toMatchObject({
      plan_group: 'team',
      plan: before.plan,
      recurrence: { unit: 'years' },
    });
    await imported({ offers: [{ sku: 'P', name: 'P', price: '3.00', currency: 'EUR', recurrence: null, items: [] }] });
    expect((await app.get('/offers/P')).body).toMatchObject({
      plan_group: null,
      plan: null,
      recurrence: null,
      items: [],
    });
  });

  it('replaces the terms of a plan as a whole, and gives a plan back its defaults by blank cells', async () => {
    await putProduct(app, 'A');
    const recurrence = { unit: 'months', count: 1 };
    await putOffer(app, 'P', 'A', 7, { recurrence, plan_group: 'team', plan: { rollover: 'all', grace_days: 7 } });
    const record = { sku: 'P', name: 'P', price: '3.00', currency: 'EUR', recurrence };
    await imported({ offers: [{ ...record, plan: { grace_access: true } }] });
    const { plan } = (await app.get('/offers/P')).body;
    expect(plan).toEqual({ ...PLAN_DEFAULTS, grace_access: true });
    expect(await imported({ offers: [{ ...record, plan }] })).toMatchObject({ offers: { unchanged: 1 } });
    const own =
      'plan_trial_unit,plan_trial_count,plan_rollover,plan_rollover_cap,plan_grace_days,plan_grace_access,plan_grant_unit,plan_grant_count';
    await imported(rows(`sku,name,price,currency,plan_group,${own}`, 'P,P,3.00,EUR,,,,,,,,,'));
    const after = (await app.get('/offers/P')).body;
    expect(after).toMatchObject({ recurrence, plan_group: 'default', plan: PLAN_DEFAULTS });
    const row = 'P,P,3.00,EUR,weeks,2,DAYS,10,Cap,50,0,yes,days,7';
    await imported(rows(`sku,name,price,currency,recurrence_unit,recurrence_count,${own}`, row));
    expect((await app.get('/offers/P')).body).toMatchObject({
      recurrence: { unit: 'weeks', count: 2 },
      plan: { trial_period: { unit: 'days', count: 10 }, rollover: 'cap', rollover_cap: 50, grace_access: true },
    });
  });

  it('takes a plan from before plans had terms for one with the defaults', async () => {
    await putProduct(app, 'A');
    await putOffer(app, 'P', 'A', 7, { recurrence: { unit: 'months', count: 1 } });
    const file = await exportFile(app, 'format=json');
    await app.deps.db.query('UPDATE offers SET plan = NULL');
    expect(await exportFile(app, 'format=json')).toBe(file);
    expect(await imported(JSON.parse(file))).toMatchObject({ offers: { updated: 0, unchanged: 1 } });
  });

  it('takes blank cells for what they say: nothing', async () => {
    await putProduct(app, 'A', { description: 'gone', metadata: { gone: 1 } });
    await imported(rows('product_key,name,product_type,description,metadata', 'A,A,quantity,,'));
    expect((await app.get('/products/A')).body).toMatchObject({ description: '', metadata: {} });
  });

  it('keeps when something was made that is there already', async () => {
    await putProduct(app, 'A');
    await imported(rows('product_key,name,product_type,created_at', 'A,Other,quantity,2020-01-01'));
    expect((await app.get('/products/A')).body.created_at).toBe('2026-01-31T12:00:00.000Z');
  });

  it('takes offers with the products that the same document brings, priced in them too', async () => {
    const products = [{ product_key: 'star', name: 'Star', type: 'quantity', is_currency: true }];
    const offers = [{ sku: 'gift', name: 'Gift', price: '3', currency: 'star', items: [{ product_key: 'Star' }] }];
    expect(await imported({ products, offers })).toMatchObject({ products: { created: 1 }, offers: { created: 1 } });
    expect((await app.get('/offers/GIFT')).body).toMatchObject({ currency: 'STAR', price: '3' });
  });

  it('lets a product stop being a currency together with the last offer that is priced in it', async () => {
    await putProduct(app, 'STAR', { is_currency: true });
    await putOffer(app, 'PACK', 'STAR', 1, { price: '1', currency: 'STAR' });
    const products = [{ product_key: 'STAR', name: 'Star', type: 'quantity', is_currency: false }];
    const offers = [{ sku: 'PACK', name: 'Pack', price: '1', currency: 'EUR' }];
    expectProblem(await importFile(app, { products }), 400, 'invalid_catalog', '/products/0/is_currency');
    expect(await imported({ products, offers })).toMatchObject({ products: { updated: 1 }, offers: { updated: 1 } });
  });

  it('tries without writing, with the same answer', async () => {
    const written = await writtenBy(app, async () => {
      expect(await imported(PRODUCTS, 'dry_run=true')).toMatchObject({ dry_run: true, products: { created: 2 } });
      expectProblem(await importFile(app, OFFERS, 'dry_run=true'), 400, 'invalid_catalog');
    });
    expect(written).toEqual({});
    expect(await imported(PRODUCTS, 'dry_run=false')).toMatchObject({ dry_run: false, products: { created: 2 } });
  });

  it('is the same when it is repeated, with a key too', async () => {
    const send = () => app.post('/catalog/import', PRODUCTS, { 'content-type': CSV, 'idempotency-key': 'import-1' });
    expect((await send()).body.products).toEqual({ created: 2, updated: 0, unchanged: 0 });
    const written = await writtenBy(app, async () => {
      expect((await send()).body.products).toEqual({ created: 0, updated: 0, unchanged: 2 });
    });
    expect(written).toEqual({});
    const document = { products: [], idempotency_key: 'import-1' };
    expect(await imported(document)).toMatchObject({ products: NONE });
  });

  describe('reads what spreadsheets write', () => {
    const expected = {
      price: '9.90',
      name: 'Größe "L"',
      is_active: false,
      items: [{ product_key: 'TOKENS', quantity: 3 }],
    };
    const line = (delimiter: string, ...cells: string[]) => cells.join(delimiter);
    const head = ['sku', 'name', 'price', 'currency', 'is_active', 'product_key', 'quantity'];
    const cells = ['pack', '"Größe ""L"""', '9,90', 'EUR', 'FALSCH', 'TOKENS', '3'];
    const plain = cells.with(2, '9.90').with(4, 'FALSE');

    it.each([
      [
        'of Excel: sep=, BOM, CRLF, semicolons, German',
        `\uFEFFsep=;\r\n${line(';', ...head)}\r\n${line(';', ...cells)}\r\n`,
      ],
      [
        'semicolons and blank columns and rows at the end',
        `${line(';', ...head, '', '')}\n${line(';', ...cells, '', '')}\n;;;;;;;;\n`,
      ],
      ['tabs', `${line('\t', ...head)}\n${line('\t', ...cells)}`],
      ['a BOM and CRLF', `\uFEFF${line(',', ...head)}\r\n${line(',', ...plain)}\r\n`],
      [
        'CR alone, and headers in quotes and capitals',
        `${line(',', ...head.map((name) => `"${name.toUpperCase()}"`))}\r${line(',', ...plain)}`,
      ],
    ])('%s', async (_case, text) => {
      await imported(PRODUCTS);
      expect(await imported(text)).toMatchObject({ offers: { created: 1 } });
      expect((await app.get('/offers/PACK')).body).toMatchObject(expected);
    });
  });

  itNeedsAToken(app, 'post', '/catalog/import');
});
