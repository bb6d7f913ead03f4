// Units that are valid only later: no balance counts them, and each tells of them apart.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();
const TOMORROW = '2026-02-01T12:00:00.000Z';

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true, features: [{ feature: 'shine', unit_cost: 2 }] });
  await putProduct(app, 'TOKENS');
  await putProduct(app, 'PASS', { type: 'period' });
  const items = [{ product_key: 'TOKENS', quantity: 4, period_unit: 'forever' }];
  const offer = { name: 'Tokens', price: '2', currency: 'STAR', items };
  expect((await app.put('/offers/TOKENS_4', offer)).status).toBe(201);
});

/** Somebody with 5 units now, of which 1 is held, and 7 more from tomorrow on. */
async function somebody(): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'STAR', 5);
  await grantUnits(app, external_id, 'STAR', 7, { valid_from: TOMORROW });
  const held = { external_id, product_key: 'STAR', amount: 1, ttl_seconds: 7 * 24 * 3_600 };
  expect((await app.post('/reservations', held)).status).toBe(201);
  return external_id;
}

describe('units that are valid from tomorrow on', () => {
  const readers: [string, (external_id: string, query: string) => Promise<Json>, Json, Json][] = [
    [
      '/wallet',
      (who, query) => get(`/wallet?external_id=${who}${query}`),
      { balances: { STAR: 4 }, upcoming: { STAR: 7 } },
      { balances: { STAR: 11 }, upcoming: {} },
    ],
    [
      '/balance of the product',
      (who, query) => get(`/balance?external_id=${who}&product_key=STAR${query}`),
      { remaining: 4, upcoming: 7 },
      { remaining: 11, upcoming: 0 },
    ],
    [
      '/balance of a feature',
      (who, query) => get(`/balance?external_id=${who}&feature=shine${query}`),
      { remaining: 2, upcoming: 3 },
      { remaining: 5, upcoming: 0 },
    ],
  ];
  const get = async (path: string) => (await app.get(path)).body;

  it.each(readers)('%s tells apart, now and at a past instant', async (_path, read, before, after) => {
    const external_id = await somebody();
    const start = app.clock.now().toISOString();
    expect(await read(external_id, '')).toMatchObject(before);
    app.clock.set(TOMORROW);
    expect(await read(external_id, '')).toMatchObject(after);
    expect(await read(external_id, `&as_of=${start}`)).toMatchObject(before);
  });

  it('the balance of credits tells apart', async () => {
    const path = `/credits/balance?external_id=${await somebody()}&product_key=STAR`;
    expect(await get(path)).toMatchObject({ balance: 4, available: 4, held: 1, owed: 0, upcoming: 7 });
  });

  it('are told apart where credits move, and a stored answer stays as it was', async () => {
    const external_id = await somebody();
    const credits = { external_id, product_key: 'STAR' };
    const add = () => app.post('/credits/add', { ...credits, amount: 2, idempotency_key: external_id });
    const added = await add();
    expect(added.body).toMatchObject({ balance: 6, upcoming: 7 });
    expect((await app.post('/credits/deduct', { ...credits, amount: 1 })).body).toMatchObject({
      balance: 5,
      upcoming: 7,
    });
    const overdrawn = await app.post('/credits/deduct', { ...credits, amount: 7, allow_negative: true });
    expect(overdrawn.body).toMatchObject({ balance: 0, upcoming: 5, owed: 0 });
    app.clock.set(TOMORROW);
    expect((await add()).text).toBe(added.text);
  });

  it('are told apart after an exchange', async () => {
    const { body } = await app.post('/exchange', { external_id: await somebody(), sku: 'TOKENS_4' });
    expect(body).toMatchObject({ balances: { STAR: 2, TOKENS: 4 }, upcoming: { STAR: 7 } });
  });

  it('are nothing of what is not counted', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'PASS', 1);
    await grantUnits(app, external_id, 'PASS', 1, { valid_from: TOMORROW });
    expect(await get(`/balance?external_id=${external_id}&product_key=PASS`)).toMatchObject({
      remaining: null,
      upcoming: 0,
    });
    expect((await get(`/wallet?external_id=${external_id}`)).upcoming).toEqual({});
  });
});
