// Credits as they are read: the balance of a currency product, and what of it is about to end.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { hold } from '../support/holdings.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'COIN', { is_currency: true });
  await putProduct(app, 'PLAIN');
  await putProduct(app, 'OTHER');
});

const balanceOf = async (external_id: string) =>
  (await app.get(`/credits/balance?external_id=${external_id}&product_key=STAR`)).body;
const expiringPath = (external_id: string, more = '') =>
  `/credits/expiring?external_id=${external_id}&product_key=STAR${more}`;
const amountsOf = async (path: string) => (await app.get(path)).body.data.map(({ amount }: Json) => amount);

describe('GET /credits/balance', () => {
  it('says what is there, what can be used, what is held and what is owed', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10);
    await grantUnits(app, external_id, 'STAR', 5, { valid_from: '2026-02-01T00:00:00Z' });
    await hold(app, external_id, 'STAR', 4);
    const customer_id = await customerIdOf(app, external_id);
    const answer = await app.get(`/credits/balance?customer_id=${customer_id}&product_key=star`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      customer_id,
      product_key: 'STAR',
      balance: 6,
      available: 6,
      held: 4,
      owed: 0,
      upcoming: 5,
    });
  });

  it('is nought for a customer who never had any', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'COIN', 3);
    expect(await balanceOf(external_id)).toMatchObject({ balance: 0, available: 0, held: 0, owed: 0 });
  });

  it('counts neither what has ended nor what a lapsed hold gave back as held, and writes nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 10, { expires_at: '2026-01-31T12:10:00Z', priority: 1 });
    await grantUnits(app, external_id, 'STAR', 5);
    await hold(app, external_id, 'STAR', 7);
    app.clock.set('2026-01-31T12:10:00.000Z');
    expect(await balanceOf(external_id)).toMatchObject({ balance: 0, available: 0, held: 7 });
    app.clock.set('2026-01-31T12:15:00.000Z');
    const written = await writtenBy(app, async () => {
      expect(await balanceOf(external_id)).toMatchObject({ balance: 5, available: 5, held: 0 });
    });
    expect(written).toEqual({});
    await grantUnits(app, external_id, 'OTHER', 1);
    expect(await balanceOf(external_id)).toMatchObject({ balance: 5, available: 5, held: 0 });
  });
});

describe('GET /credits/expiring', () => {
  it('lists what ends within 7 days, soonest first, the last instant included', async () => {
    const external_id = newPerson();
    const grant = (amount: number, expires_at?: string) => grantUnits(app, external_id, 'STAR', amount, { expires_at });
    await grant(1, '2026-02-07T12:00:00.001Z');
    const last = await grant(2, '2026-02-07T12:00:00.000Z');
    const first = await grant(3, '2026-02-01T00:00:00.000Z');
    await grant(4);
    const answer = await app.get(expiringPath(external_id));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      data: [
        { batch_id: first, product_key: 'STAR', amount: 3, expires_at: '2026-02-01T00:00:00.000Z' },
        { batch_id: last, product_key: 'STAR', amount: 2, expires_at: '2026-02-07T12:00:00.000Z' },
      ],
      next_cursor: null,
    });
  });

  it('lists what ends within so many seconds', async () => {
    const external_id = newPerson();
    for (const second of [59, 60, 61]) {
      const expires_at = new Date(Date.parse('2026-01-31T12:00:00Z') + second * 1_000).toISOString();
      await grantUnits(app, external_id, 'STAR', second, { expires_at });
    }
    expect(await amountsOf(expiringPath(external_id, '&within=60'))).toEqual([59, 60]);
    expect(await amountsOf(expiringPath(external_id, '&within=61'))).toEqual([59, 60, 61]);
    expect(await amountsOf(expiringPath(external_id, '&within=1'))).toEqual([]);
  });

  it('lists what is left, without what was used, is held or has ended', async () => {
    const external_id = newPerson();
    const grant = (amount: number, expires_at: string) => grantUnits(app, external_id, 'STAR', amount, { expires_at });
    await grant(1, '2026-01-31T12:05:00.000Z');
    await grant(2, '2026-01-31T12:10:00.000Z');
    await grant(10, '2026-02-01T00:00:00.000Z');
    await hold(app, external_id, 'STAR', 4);
    app.clock.set('2026-01-31T12:05:00.000Z');
    expect(await amountsOf(expiringPath(external_id))).toEqual([9]);
  });

  it('lists what a lapsed hold gave back, before that is written', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 4, { expires_at: '2026-02-01T00:00:00Z' });
    await grantUnits(app, external_id, 'STAR', 5, { expires_at: '2026-01-31T12:10:00Z' });
    await hold(app, external_id, 'STAR', 9);
    expect(await amountsOf(expiringPath(external_id))).toEqual([]);
    app.clock.set('2026-01-31T12:15:00.000Z');
    expect(await amountsOf(expiringPath(external_id))).toEqual([4]);
  });

  it('gives every batch once in pages, also those of one instant, that an insert does not shift', async () => {
    const external_id = newPerson();
    const grant = (amount: number, expires_at: string) => grantUnits(app, external_id, 'STAR', amount, { expires_at });
    for (const amount of [1, 2, 3]) await grant(amount, '2026-02-02T00:00:00.000Z');
    await grant(4, '2026-02-01T00:00:00.000Z');
    await grant(5, '2026-02-03T00:00:00.000Z');
    const pages = await readPages(app, expiringPath(external_id), 2);
    expect(pages.map((page) => page.map(({ amount }) => amount))).toEqual([[4, 1], [2, 3], [5]]);
    const first = await app.get(expiringPath(external_id, '&limit=2'));
    await grant(6, '2026-02-01T12:00:00.000Z');
    const rest = await app.get(expiringPath(external_id, `&limit=9&cursor=${first.body.next_cursor}`));
    expect(rest.body.data.map(({ amount }: Json) => amount)).toEqual([2, 3, 5]);
  });

  it('shows neither another product’s nor another customer’s', async () => {
    const [external_id, another] = [newPerson(), newPerson()];
    const expires_at = '2026-02-01T00:00:00.000Z';
    await grantUnits(app, external_id, 'COIN', 3, { expires_at });
    await grantUnits(app, another, 'STAR', 4, { expires_at });
    expect(await amountsOf(expiringPath(external_id))).toEqual([]);
  });

  it.each([
    ['within=0', 'query/within'],
    ['within=-1', 'query/within'],
    ['within=1.5', 'query/within'],
    ['within=week', 'query/within'],
    ['within=99999999999', 'query/within'],
    ['limit=0', 'query/limit'],
    ['limit=201', 'query/limit'],
    ['cursor=!', 'query/cursor'],
    ['days=7', 'query/days'],
  ])('refuses &%s', async (query, pointer) => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    expectProblem(await app.get(expiringPath(external_id, `&${query}`)), 400, 'invalid_request', pointer);
  });

  it('refuses the cursor of another list', async () => {
    const external_id = newPerson();
    for (const amount of [1, 2]) await grantUnits(app, external_id, 'STAR', amount);
    const batches = await app.get(`/wallet/batches?external_id=${external_id}&limit=1`);
    const answer = await app.get(expiringPath(external_id, `&cursor=${batches.body.next_cursor}`));
    expectProblem(answer, 400, 'invalid_request', 'query/cursor');
  });
});

describe.each(['/credits/balance', '/credits/expiring'])('GET %s', (path) => {
  const read = (query: string) => app.get(`${path}?${query}`);

  it.each([
    ['NOSUCH', 404, 'product_not_found'],
    ['PLAIN', 409, 'product_not_currency'],
  ] as const)('refuses %s', async (product_key, status, code) => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    const answer = await read(`external_id=${external_id}&product_key=${product_key}`);
    expectProblem(answer, status, code, 'query/product_key');
  });

  it('does not know a person whom nobody has seen, and does not create him', async () => {
    const written = await writtenBy(app, async () => {
      const answer = await read(`external_id=${newPerson()}&product_key=STAR`);
      expectProblem(answer, 404, 'customer_not_found', 'query/external_id');
    });
    expect(written).toEqual({});
  });

  it('refuses selectors that name two customers', async () => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    const customer_id = await customerIdOf(app, newPerson());
    const answer = await read(`external_id=${external_id}&customer_id=${customer_id}&product_key=STAR`);
    expectProblem(answer, 409, 'selector_conflict', 'query/external_id');
  });

  it('needs a customer and a product', async () => {
    expectProblem(await read('product_key=STAR'), 400, 'invalid_request', 'query/customer_id');
    expectProblem(await read(`external_id=${newPerson()}`), 400, 'invalid_request', 'query/product_key');
  });

  itNeedsAToken(app, 'get', `${path}?external_id=somebody&product_key=STAR`);
});
