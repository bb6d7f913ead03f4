// Changes of the catalogue at once: one wins a name, and a product or an offer is always one writer's work as a whole.
import { beforeAll, describe, expect, it } from 'vitest';
import { putProduct, useTestApp } from '../support/app.js';
import { ask, sendTogether, tally, useSecondApp } from '../support/parallel.js';

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

  it('never show a reader half of two writers', async () => {
    await app.put('/offers/READ_PACK', offer(0));
    const [, reads] = await Promise.all([
      sendTogether(15, (index) => app.put('/offers/READ_PACK', offer(index))),
      sendTogether(15, () => second.get('/catalog/READ_PACK')),
    ]);
    for (const { body } of reads) {
      const writer = Number(body.name.split(' ')[1]);
      expect([body.price, ...body.items.map((item: { quantity: number }) => item.quantity)]).toEqual([
        `${writer}.00`,
        writer + 1,
        writer + 1,
      ]);
    }
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
