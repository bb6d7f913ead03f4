// Changes of the catalogue at once: one wins a name, and a product or an offer is always one writer's work as a whole.
import type request from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { importFile } from '../support/catalog-file.js';
import { ask, holdTransaction, send, sendTogether, tally, untilWaiting, useSecondApp } from '../support/parallel.js';

const ROUNDS = 15;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'TOKENS');
});

const product = (index: number) => ({
  name: `writer ${index}`,
  type: 'quantity',
  features: [
    { feature: `feature_${index}`, unit_cost: index + 1 },
    { feature: 'common', unit_cost: index + 1 },
  ],
});

const offer = (index: number) => ({
  name: `writer ${index}`,
  price: `${index}.00`,
  currency: 'USD',
  items: ['CREDITS', 'TOKENS'].map((product_key) => ({ product_key, quantity: index + 1 })),
});

describe('20 writes of one product at once', () => {
  it('create it once and leave the work of one writer', async () => {
    const answers = await sendTogether(20, (index) =>
      (index % 2 ? app : second).put('/products/FRESH', { ...product(index), force: true }),
    );
    expect(tally(answers)).toEqual({ '200': 19, '201': 1 });
    const { body } = await app.get('/products/FRESH');
    const writer = Number(body.name.split(' ')[1]);
    expect(body.features).toEqual([
      { feature: 'common', unit_cost: writer + 1 },
      { feature: `feature_${writer}`, unit_cost: writer + 1 },
    ]);
  });
});

describe('20 writes of one offer at once', () => {
  it('create it once and leave the work of one writer', async () => {
    const answers = await sendTogether(20, (index) =>
      (index % 2 ? app : second).put('/offers/FRESH_PACK', offer(index)),
    );
    expect(tally(answers)).toEqual({ '200': 19, '201': 1 });
    const { body } = await app.get('/catalog/FRESH_PACK');
    const writer = Number(body.name.split(' ')[1]);
    expect(body.price).toBe(`${writer}.00`);
    expect(body.items.map((item: { quantity: number }) => item.quantity)).toEqual([writer + 1, writer + 1]);
  });
});

describe('an offer that is replaced while somebody reads it', () => {
  /** Begins to answer `make` when the offer is still the old one, and replaces it before its items can be read. */
  async function readAcrossReplacement(sku: string, make: () => request.Test): Promise<request.Response> {
    await app.put(`/offers/${sku}`, offer(1));
    const held = await holdTransaction(app.url);
    await held.query('LOCK TABLE offer_items IN ACCESS EXCLUSIVE MODE');
    const pending = send(make());
    await untilWaiting(app.url, 1);
    await held.query('UPDATE offers SET name = $2, price = 7 WHERE sku = $1', [sku, 'writer 7']);
    await held.query('UPDATE offer_items SET quantity = 8 WHERE sku = $1', [sku]);
    await held.commit();
    return pending;
  }

  it('is shown as it was before, or as it was after', async () => {
    const { body } = await readAcrossReplacement('READ_PACK', () => app.get('/catalog/READ_PACK'));
    const shown = [body.price, body.items[0].quantity];
    expect([
      ['1.00', 2],
      ['7.00', 8],
    ]).toContainEqual(shown);
  });

  it('is ordered at the price of what it gives', async () => {
    const { body } = await readAcrossReplacement('ORDER_PACK', () =>
      app.post('/orders', { external_id: 'ada', items: [{ sku: 'ORDER_PACK' }] }),
    );
    const [line] = await ask(
      app.url,
      `SELECT price::text, (terms->0->>'quantity')::int AS quantity FROM order_items WHERE order_id = $1`,
      [body.id],
    );
    expect([
      { price: '1.000000', quantity: 2 },
      { price: '7.000000', quantity: 8 },
    ]).toContainEqual(line);
  });
});

describe('a product and an offer of one name at once', () => {
  it(`let exactly one have it, in each of ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `NAME_${round}`;
      const answers = await Promise.all([
        app.put(`/products/${name}`, product(1)),
        second.put(`/offers/${name}`, offer(1)),
      ]);
      expect(tally(answers)).toEqual({ '201': 1, '409 name_taken': 1 });
      const kind = answers[0]?.status === 201 ? 'product' : 'offer';
      expect(await ask(app.url, 'SELECT kind FROM catalog_names WHERE name = $1', [name])).toEqual([{ kind }]);
    }
  });
});

describe('many writes that wait for somebody who changes the catalogue, or the limits of all', () => {
  it.each([
    ['catalog_names', '/products/WAITING', product(1)],
    ['limits', '/limits', { product_key: 'CREDITS', windows: { month: 1_000 }, enforcement: 'NONE' }],
  ])('leave connections to those who use something (%s)', async (table, path, body) => {
    await grantUnits(app, 'ada', 'CREDITS', 9);
    const held = await holdTransaction(app.url);
    await held.query(`LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`);
    const waiting = sendTogether(app.deps.config.poolSize + 4, () => app.put(path, body));
    await untilWaiting(app.url, 2, 'at least');
    const use = { external_id: 'ada', product_key: 'CREDITS' };
    const [used] = await Promise.all([send(app.post('/quota/consume', use)), send(app.get('/wallet?external_id=ada'))]);
    expect(used.status, used.text).toBe(200);
    await held.rollback();
    expect(tally(await waiting)).toEqual({ '200': app.deps.config.poolSize + 3, '201': 1 });
  });
});

describe('files of the catalogue that are imported at once', () => {
  const products = (index: number) =>
    Array.from({ length: 20 }, (_, at) => ({
      product_key: `AT_ONCE_${at}`,
      name: `writer ${index}`,
      type: 'quantity',
    }));

  it('create each product once, and leave the work of one of them as a whole', async () => {
    const answers = await sendTogether(8, (index) =>
      importFile(index % 2 ? app : second, { products: products(index) }),
    );
    expect(tally(answers)).toEqual({ '200': 8 });
    expect(answers.map(({ body }) => body.products.created).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 20]);
    const { body } = await app.get('/products?limit=200');
    const names = body.data.flatMap((one: { product_key: string; name: string }) =>
      one.product_key.startsWith('AT_ONCE_') ? [one.name] : [],
    );
    expect(names).toHaveLength(20);
    expect(new Set(names).size).toBe(1);
  });

  it('and beside a PUT of one of the names, one has it', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `RIVAL_${round}`;
      const [imported, put] = await sendTogether(2, (index) =>
        index === 0
          ? importFile(app, {
              products: [
                { product_key: `BESIDE_${round}`, name: 'Beside', type: 'quantity' },
                { product_key: name, name, type: 'quantity' },
              ],
            })
          : second.put(`/offers/${name}`, offer(1)),
      );
      const isProduct = (await app.get(`/products/${name}`)).status === 200;
      expect((await app.get(`/products/BESIDE_${round}`)).status).toBe(isProduct ? 200 : 404);
      expect((await app.get(`/offers/${name}`)).status).toBe(isProduct ? 404 : 200);
      expect([imported?.status, put?.status]).toEqual(isProduct ? [200, 409] : [400, 201]);
      if (!isProduct) expect(imported?.body.errors[0]).toMatchObject({ code: 'name_taken', record: 2 });
    }
  });
});
