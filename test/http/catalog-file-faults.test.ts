// Files of the catalogue that are refused: each fault of each record with its place, and nothing imported.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { CSV, importFile } from '../support/catalog-file.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const rows = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');
const MIB = 1_048_576;

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'VIP', { type: 'period' });
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'STARRED', 'CREDITS', 1, { price: '1', currency: 'STAR' });
});

/** Refused with 400, nothing written; returns the faults as `line:record column code`. */
async function faultsOf(file: string | Buffer | object, parameters = ''): Promise<string[]> {
  let errors: Json[] = [];
  const written = await writtenBy(app, async () => {
    const answer = await importFile(app, file, parameters);
    expectProblem(answer, 400, 'invalid_catalog');
    errors = answer.body.errors;
    expect(answer.body.faults).toBe(errors.length);
    expect(errors.every(({ message }) => typeof message === 'string' && message !== '')).toBe(true);
  });
  expect(written).toEqual({});
  return errors.map(({ line = '-', record = '-', column = '-', code }) => `${line}:${record} ${column} ${code}`);
}

const PRODUCT_HEAD = 'product_key,name,product_type';
const OFFER_HEAD = 'sku,name,price,currency,product_key,quantity,period_unit,period_value';

const PLAN_COLUMNS =
  'plan_trial_unit,plan_trial_count,plan_rollover,plan_rollover_cap,plan_grace_days,plan_grace_access,plan_grant_unit,plan_grant_count';

describe('every fault of every record', () => {
  it('of what plans say is told by its column', async () => {
    const head = `sku,name,price,currency,recurrence_unit,recurrence_count,${PLAN_COLUMNS}`;
    const faults = await faultsOf(
      rows(
        head,
        'GOOD,Good,1,EUR,weeks,2,days,14,cap,50,3,true,,',
        'BARE,Bare,1,EUR,months,1,,,,,,,,',
        'BAD,Bad,1,EUR,months,1,forever,x,half,0,366,maybe,,',
        'ODD,Odd,1,EUR,months,1,days,,cap,,,,,',
        'CAPPED,Capped,1,EUR,months,1,,,all,5,,,,',
        'ONCE,Once,1,EUR,,,,,none,,,,,',
      ),
    );
    expect(faults).toEqual([
      '4:3 plan_trial_count invalid',
      '4:3 plan_grace_access invalid',
      '4:3 plan_trial_unit invalid_value',
      '4:3 plan_rollover invalid_value',
      '4:3 plan_rollover_cap invalid',
      '4:3 plan_grace_days too_big',
      '5:4 plan_trial_count required',
      '5:4 plan_rollover_cap required',
      '6:5 plan_rollover_cap invalid',
      '7:6 plan_trial_unit invalid',
    ]);
    const record = { sku: 'ODD', name: 'Odd', price: '1', currency: 'EUR', recurrence: { unit: 'months', count: 1 } };
    expect(await faultsOf({ offers: [{ ...record, plan: { rollover: 'cap', grace_days: -1 } }] })).toEqual([
      '1:1 plan/grace_days too_small',
      '1:1 plan/rollover_cap required',
    ]);
  });

  it('is told once of a table that has some columns of what is given as a whole', async () => {
    const head =
      'sku,name,price,currency,recurrence_unit,plan_trial_unit,plan_trial_count,plan_rollover,plan_grace_days';
    expect(await faultsOf(rows(head, 'A,A,1,EUR,months,,,cap,3', 'B,B,1,EUR,,days,3,,'))).toEqual([
      '1:- recurrence_count required',
      '1:- plan_rollover_cap required',
      '1:- plan_grace_access required',
      '1:- plan_grant_unit required',
      '1:- plan_grant_count required',
      '3:2 plan_trial_unit invalid',
    ]);
  });

  it('of products is told, good records beside bad ones', async () => {
    const head = `${PRODUCT_HEAD},is_active,is_currency,created_at,metadata,features,low_balance_threshold,expiring_days`;
    const faults = await faultsOf(
      rows(
        head,
        'GOOD,Good,quantity,true,false,,,,,',
        'no key!,,weird,maybe,,31.01.2026,{oops,Bad=x,-1,1E+3',
        ',No key,period,,,,,,,',
        '',
        'VIP,Vip,quantity,,,,,,,',
        'EUR,Euro,quantity,,,2126-01-01,,,,',
        'ACCESS,Access,period,,true,,,a a,,',
        'good,Again,quantity,,,,,,,',
      ),
    );
    expect(faults).toEqual([
      '3:2 is_active invalid',
      '3:2 metadata invalid',
      '3:2 features invalid',
      '3:2 expiring_days invalid',
      '3:2 product_key invalid_format',
      '3:2 name required',
      '3:2 product_type invalid_value',
      '3:2 low_balance_threshold invalid',
      '3:2 created_at invalid',
      '4:3 product_key required',
      '6:4 product_type product_in_use',
      '7:5 product_key invalid_request',
      '7:5 created_at invalid_request',
      '8:6 features invalid',
      '9:7 product_key duplicate',
    ]);
  });

  it('of offers is told at the row that has it', async () => {
    const faults = await faultsOf(
      rows(
        OFFER_HEAD,
        'A,A,1.00,USD,CREDITS,1,,',
        'a,,2.00,,NOBODY,0,days,',
        'A,,,,,5,,',
        'B,B,1.005,USD,VIP,2,months,1',
        'C,C,1,GOLD,CREDITS,1.5,weeks,x',
        'CREDITS,C,1,EUR,CREDITS,1,forever,3',
        'export,E,1,EUR,,,,',
        'E,E,1,EUR,CREDITS,1',
        'F,F,1,EUR,CREDITS,1,,,more',
      ),
    );
    expect(faults).toEqual([
      '3:2 price conflict',
      '3:2 quantity invalid',
      '3:2 period_value required',
      '4:3 product_key required',
      '5:4 price invalid_request',
      '5:4 quantity invalid_request',
      '6:5 quantity invalid',
      '6:5 period_value invalid',
      '6:5 period_unit invalid_value',
      '7:6 period_value invalid',
      '8:7 sku name_reserved',
      '9:8 - invalid',
      '10:9 - invalid',
    ]);
  });

  it('of a document is told by line, record and pointer', async () => {
    const products = [
      { product_key: 'star', name: 'Star', type: 'quantity', is_currency: false },
      'no product',
      { product_key: 'NEW', name: 'New', type: 'quantity', colour: 'red' },
    ];
    const offers = [
      { sku: 'NEW', name: 'Same name', price: 1, currency: 'NEW', items: [{ product_key: 'NEW', quantity: 1 }] },
      {
        sku: 'O',
        name: 'O',
        price: '1',
        currency: 'USD',
        items: [{ product_key: 'CREDITS' }, { product_key: 'NOBODY' }],
      },
      { sku: 'o', name: 'O', price: '1', currency: 'USD' },
    ];
    const text = `{"offers": [\n${offers.map((one) => JSON.stringify(one)).join(',\n')}],\n"products":[\n\n${products
      .map((one) => JSON.stringify(one))
      .join('\n,')}]}`;
    const answer = await importFile(app, text, '', 'application/json');
    expectProblem(answer, 400, 'invalid_catalog');
    expect(answer.body.errors.map(({ line, record, pointer, code }: Json) => [line, record, pointer, code])).toEqual([
      [2, 1, '/offers/0/price', 'invalid_type'],
      [3, 2, '/offers/1/items/1/product_key', 'product_not_found'],
      [4, 3, '/offers/2/sku', 'duplicate'],
      [7, 1, '/products/0/is_currency', 'product_in_use'],
      [8, 2, '/products/1', 'invalid_type'],
      [9, 3, '/products/2/colour', 'unrecognized_key'],
    ]);
  });

  it('is counted where there are more than can be listed', async () => {
    const file = rows(PRODUCT_HEAD, ...Array.from({ length: 10_050 }, (_, index) => `P${index},P,weird`));
    const answer = await importFile(app, file);
    expectProblem(answer, 400, 'invalid_catalog');
    expect(answer.body.errors).toHaveLength(10_000);
    expect(answer.body.faults).toBe(10_050);
    expect(answer.body.detail).toContain('10049 more');
  });
});

describe('a name that both kinds would have', () => {
  it('is refused as PUT does', async () => {
    expect(await faultsOf({ products: [{ product_key: 'pack', name: 'P', type: 'quantity' }] })).toEqual([
      '1:1 product_key name_taken',
    ]);
    const products = [{ product_key: 'TWICE', name: 'T', type: 'quantity' }];
    expect(await faultsOf({ products, offers: [{ sku: 'twice', name: 'T', price: '1', currency: 'USD' }] })).toEqual([
      '1:1 sku name_taken',
    ]);
  });
});

describe('a price in another form', () => {
  it.each([
    ['19.99 XTR', 'has its currency in it: write 19.99, and XTR as the currency'],
    ['XTR 5', 'has its currency in it: write 5, and XTR as the currency'],
    ['€19,99', 'has its currency in it: write 19.99, and its code as the currency'],
    ['19,99', 'has a decimal comma: write 19.99'],
    ['1,234.50', 'has separators of thousands, or a decimal comma: write it as 1234.50'],
    ['1 234', 'has separators of thousands, or a decimal comma: write it as 1234.50'],
    ['-5', 'must be a decimal string such as "9.99", with at most 14 digits and 6 decimals'],
    ['free', 'must be a decimal string such as "9.99", with at most 14 digits and 6 decimals'],
    ['1e3', 'must be a decimal string such as "9.99", with at most 14 digits and 6 decimals'],
  ])('%s is refused with the reason, in both formats', async (price, message) => {
    const csv = await importFile(app, rows('sku,name,price,currency', `X,X,"${price}",XTR`));
    const json = await importFile(app, { offers: [{ sku: 'X', name: 'X', price, currency: 'XTR' }] });
    for (const answer of [csv, json]) expect(answer.body.errors).toMatchObject([{ column: 'price', message }]);
  });
});

describe('a file that can be no table', () => {
  it.each([
    ['nothing', '', ['1:- - required']],
    ['blank lines alone', '\n\r\n\n', ['1:- - required']],
    ['JSON', '{"products": []}', ['1:- - malformed_csv']],
    [
      'a quote that is not closed',
      rows(PRODUCT_HEAD, 'A,A,weird', 'B,"B,quantity', 'C,C,quantity'),
      ['2:1 product_type invalid_value', '3:- - malformed_csv'],
    ],
    ['a quote in a cell', rows(PRODUCT_HEAD, 'A,A "x",quantity'), ['2:- - malformed_csv']],
    ['text behind a quote', rows(PRODUCT_HEAD, 'A,"A"x,quantity'), ['2:- - malformed_csv']],
    ['a row without end', rows(PRODUCT_HEAD, `A,${'x'.repeat(140_000)}`), ['2:- - malformed_csv']],
    [
      'a column that is missing',
      rows('product_key,name', 'A,A', 'B,'),
      ['1:- product_type required', '3:2 name required'],
    ],
    ['an unknown column', rows(`${PRODUCT_HEAD},colour`, 'A,A,quantity,red'), ['1:- colour unrecognized_key']],
    ['a column that is there twice', rows(`${PRODUCT_HEAD},Name`, 'A,A,quantity,B'), ['1:- name duplicate']],
    ['no name of a record', rows('name,product_type', 'A,quantity'), ['1:- product_key required']],
    ['a column without a name', rows(`product_key,,name,product_type`, 'A,x,A,quantity'), ['1:-  unrecognized_key']],
    ['UTF-16', Buffer.from(`\uFEFF${PRODUCT_HEAD}\n`, 'utf16le'), ['1:- - malformed_csv']],
    ['Latin-1', Buffer.from(rows(PRODUCT_HEAD, 'A,Größe,quantity'), 'latin1'), ['2:- - malformed_csv']],
  ])('%s', async (_case, file, faults) => {
    expect(await faultsOf(file)).toEqual(faults);
  });

  it('names what was probably meant by a column', async () => {
    const answer = await importFile(app, rows('product_key,nmae,product_type', 'A,A,quantity'));
    expect(answer.body.errors[0].message).toBe('nmae is not a column of products; did you mean name?');
  });

  it.each([
    ['{"products":', 'malformed_json'],
    ['{"products":[{"product_key":"A","name":"A","type":"quantity","metadata":{"__proto__":1}}]}', 'invalid_request'],
  ] as const)('a document %s', async (text, code) => {
    expectProblem(await importFile(app, text, '', 'application/json'), 400, code);
  });

  it.each([
    ['{}', '- - invalid'],
    ['[]', '- - invalid_type'],
    ['{"product":[]}', '- - unrecognized_key'],
    ['{"products":{}}', '- - invalid_type'],
  ])('a document %s', async (text, fault) => {
    const answer = await importFile(app, text, '', 'application/json');
    expectProblem(answer, 400, 'invalid_catalog');
    expect(answer.body.errors.map(({ code }: Json) => `- - ${code}`)).toContain(fault);
  });
});

describe('what is refused before it is read', () => {
  it.each(['application/xml', 'multipart/form-data; boundary=x', 'text/plain'])('a file of type %s', async (type) => {
    const answer = await importFile(app, 'product_key', '', type);
    expectProblem(answer, 415, 'unsupported_media_type');
    expect(answer.body.detail).toContain('application/json` or `text/csv`');
  });

  it('a table in another charset, or compressed', async () => {
    expectProblem(await importFile(app, 'x', '', 'text/csv; charset=windows-1252'), 415, 'unsupported_media_type');
    const headers = { 'content-type': CSV, 'content-encoding': 'gzip' };
    expectProblem(await app.post('/catalog/import', 'x', headers), 415, 'unsupported_media_type');
  });

  it('a table on any other route', async () => {
    expectProblem(await app.post('/orders', 'a,b', { 'content-type': CSV }), 415, 'unsupported_media_type');
  });

  it.each(['dry_run=maybe', 'dry=true'])('the parameter %s', async (parameters) => {
    expectProblem(await importFile(app, rows(PRODUCT_HEAD), parameters), 400, 'invalid_request');
  });

  it('more than 32 MiB, and takes more than other routes do', async () => {
    const wide = `${PRODUCT_HEAD}\n${`${','.repeat(100_000)}\n`.repeat(12)}`;
    expect(wide.length).toBeGreaterThan(MIB);
    expect((await importFile(app, wide)).status).toBe(200);
    const answer = await importFile(app, Buffer.alloc(32 * MIB + 1, 'x'));
    expectProblem(answer, 413, 'payload_too_large');
    expect(answer.body.detail).toBe('The body is larger than 33554432 bytes.');
    expectProblem(await app.post('/orders', { external_id: 'x'.repeat(MIB) }), 413, 'payload_too_large');
  });

  it('more than 100,000 records', async () => {
    const row = 'A,A,quantity';
    const answer = await importFile(
      app,
      rows(PRODUCT_HEAD, ...Array.from({ length: 100_001 }, () => row)),
      'dry_run=true',
    );
    expectProblem(answer, 400, 'invalid_catalog');
    expect(answer.body.errors.map(({ code }: Json) => code)).toContain('too_big');
  });
});

describe('while customers hold units', () => {
  it('asks for force where a PUT does', async () => {
    await putProduct(app, 'INK', { features: ['draw'] });
    await grantUnits(app, newPerson(), 'INK', 5);
    const dearer = rows('product_key,name,product_type,features', 'INK,INK,quantity,draw=2 print');
    const refused = await importFile(app, dearer);
    expectProblem(refused, 400, 'invalid_catalog', 'record/1/features');
    expect(refused.body.errors[0]).toMatchObject({ code: 'product_in_use', line: 2, column: 'features' });
    expect((await importFile(app, dearer, 'force=true')).body).toMatchObject({ products: { updated: 1 } });
    expect((await app.get('/products/INK')).body.features).toEqual([
      { feature: 'draw', unit_cost: 2 },
      { feature: 'print', unit_cost: 1 },
    ]);
  });
});
