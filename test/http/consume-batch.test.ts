// Many uses in one call: a verdict for each, in their order, and all or nothing when asked. Keys: consume-batch-keys.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';
const modes = ['continue', 'atomic'] as const;

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'images', unit_cost: 3 }] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'BUYABLE');
  await putOffer(app, 'BUYABLE_10', 'BUYABLE', 10);
});

const item = (external_id: string, amount: number, more: Json = {}): Json => ({
  external_id,
  product_key: 'CREDITS',
  amount,
  ...more,
});

/** Sends a batch, which is always answered 200 with a verdict for each item. */
async function batch(items: Json[], more: Json = {}): Promise<{ committed: boolean; results: Json[] }> {
  const answer = await app.post('/quota/consume/batch', { items, ...more });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.results.map((result: Json) => result.index)).toEqual(items.map((_, index) => index));
  return answer.body;
}

const verdictsOf = ({ results }: { results: Json[] }) =>
  results.map((result) => (result.allowed ? 'allowed' : result.code));

async function balanceOf(external_id: string): Promise<number> {
  const answer = await app.get(`/wallet?external_id=${external_id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.balances.CREDITS ?? 0;
}

async function personWith(quantity: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', quantity);
  return external_id;
}

describe.each(modes)('POST /quota/consume/batch with mode %s', (mode) => {
  it('answers for each item what a consume would', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await batch(
      [
        item(external_id, 2, { action_type: 'predict', action_id: 'p-1', metadata: { a: 1 } }),
        { external_id, feature: 'images' },
      ],
      { mode },
    );
    expect(answer).toEqual({
      committed: true,
      results: [
        {
          index: 0,
          replayed: false,
          allowed: true,
          operation_id: expect.any(String),
          usage_id: expect.any(String),
          product_key: 'CREDITS',
          amount: 2,
          remaining: 8,
          taken: [{ batch_id, product_key: 'CREDITS', amount: 2 }],
          warnings: [],
          metadata: { a: 1 },
        },
        {
          index: 1,
          replayed: false,
          allowed: true,
          operation_id: expect.any(String),
          usage_id: expect.any(String),
          feature: 'images',
          amount: 1,
          remaining: 1,
          taken: [{ batch_id, product_key: 'CREDITS', amount: 3 }],
          warnings: [],
          metadata: {},
        },
      ],
    });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&action_type=predict`);
    expect(entries.body.data).toMatchObject([
      { id: answer.results[0]?.usage_id, operation_id: answer.results[0]?.operation_id, action_id: 'p-1' },
    ]);
  });

  it('takes of one customer in the order of the items', async () => {
    const external_id = await personWith(10);
    const { results } = await batch([item(external_id, 1), item(external_id, 2), item(external_id, 3)], { mode });
    expect(results.map(({ remaining }) => remaining)).toEqual([9, 7, 4]);
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`);
    expect(entries.body.data.map(({ amount }: Json) => amount)).toEqual([3, 2, 1]);
  });

  it('takes of several customers, in any order', async () => {
    const [ada, bob] = [await personWith(10), await personWith(10)];
    const items = [item(ada, 1), item(bob, 2), item(ada, 3), item(bob, 4)];
    const { results } = await batch(items, { mode });
    expect(results.map(({ remaining }) => remaining)).toEqual([9, 8, 6, 4]);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([6, 4]);
  });

  it('sees many customers for the first time, each once', async () => {
    const people = Array.from({ length: 40 }, newPerson);
    await putProduct(app, 'SEEN');
    const items = [...people, ...people].map((external_id) => item(external_id, 1, { product_key: 'SEEN' }));
    const written = await writtenBy(app, async () => {
      expect(verdictsOf(await batch(items, { mode }))).toEqual(items.map(() => 'insufficient_quota'));
    });
    expect(written).toEqual({ customers: 40, identities: 40 });
  });

  it('takes of 250 items over 3 customers exactly what they say', async () => {
    const people = [await personWith(1_000), await personWith(1_000), await personWith(1_000)];
    const items = Array.from({ length: 250 }, (_, index) => item(people[index % 3] ?? '', 1 + (index % 5)));
    const written = await writtenBy(app, async () => {
      expect(verdictsOf(await batch(items, { mode }))).toEqual(items.map(() => 'allowed'));
    });
    expect(written).toEqual({ customers: 0, batches: 0, balances: 0, operations: 250, entries: 250 });
    const takenOf = (external_id: string | undefined) =>
      items.reduce((sum, each) => sum + (each.external_id === external_id ? Number(each.amount) : 0), 0);
    for (const external_id of people) expect(await balanceOf(external_id)).toBe(1_000 - takenOf(external_id));
  });

  it('counts the use of access', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1);
    const access = { product_key: 'ACCESS' };
    const { results } = await batch([item(external_id, 2, access), item(external_id, 3, access)], { mode });
    expect(results).toMatchObject([{ remaining: null }, { remaining: null }]);
    const batches = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(batches.body.data).toMatchObject([{ consumed: 5 }]);
  });

  it('takes 1,000 items', async () => {
    const external_id = await personWith(1_500);
    const items = Array.from({ length: 1_000 }, () => item(external_id, 1));
    expect(verdictsOf(await batch(items, { mode }))).toEqual(items.map(() => 'allowed'));
    expect(await balanceOf(external_id)).toBe(500);
  });

  it('explains an item for want of units, with what could be bought', async () => {
    const external_id = newPerson();
    const { results } = await batch([{ external_id, product_key: 'BUYABLE', amount: 3 }], { mode });
    expect(results).toEqual([
      {
        index: 0,
        replayed: false,
        allowed: false,
        code: 'insufficient_quota',
        title: expect.any(String),
        detail: expect.any(String),
        requested: 3,
        available: 0,
        remaining: 0,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['BUYABLE_10'],
        upgrade_offers: [{ sku: 'BUYABLE_10', name: 'BUYABLE_10', price: '1.00', currency: 'USD' }],
      },
    ]);
  });

  it.each([
    ['a product that nobody made', { product_key: 'X' }, 'product_not_found', '/product_key'],
    ['a feature that nothing provides', { product_key: undefined, feature: 'flying' }, 'feature_not_found', '/feature'],
    ['an unknown customer', { external_id: undefined, customer_id: UNKNOWN_ID }, 'customer_not_found', '/customer_id'],
  ])('tells of %s as that item’s verdict', async (_case, more, code, pointer) => {
    const external_id = await personWith(10);
    const answer = await batch([item(external_id, 1), item(external_id, 1, more), item(external_id, 1)], { mode });
    expect(answer.committed).toBe(mode === 'continue');
    expect(verdictsOf(answer)).toEqual(['allowed', code, 'allowed']);
    expect(answer.results[1]).toMatchObject({ index: 1, allowed: false, code, errors: [{ pointer }] });
    expect(await balanceOf(external_id)).toBe(mode === 'continue' ? 8 : 10);
  });

  it('tells of two selectors that name two customers as that item’s verdict', async () => {
    const external_id = await personWith(10);
    const customer_id = await customerIdOf(app, newPerson());
    const answer = await batch([item(external_id, 1, { customer_id }), item(external_id, 1)], { mode });
    expect(verdictsOf(answer)).toEqual(['selector_conflict', 'allowed']);
    expect(answer.committed).toBe(mode === 'continue');
    expect(await balanceOf(external_id)).toBe(mode === 'continue' ? 9 : 10);
  });

  it('tells of a customer id that its alias contradicts as that item’s verdict', async () => {
    const external_id = await personWith(10);
    const twice = { customer_id: await customerIdOf(app, external_id), user_id: UNKNOWN_ID };
    const answer = await batch([item(external_id, 1, twice), item(external_id, 1)], { mode });
    expect(verdictsOf(answer)).toEqual(['selector_conflict', 'allowed']);
  });
});

describe('mode continue', () => {
  it('is the default: it takes what can be taken', async () => {
    const [ada, bob] = [await personWith(5), await personWith(1)];
    const answer = await batch([item(ada, 3), item(bob, 2), item(ada, 3), item(ada, 2), item(bob, 1)]);
    expect(answer.committed).toBe(true);
    expect(verdictsOf(answer)).toEqual(['allowed', 'insufficient_quota', 'insufficient_quota', 'allowed', 'allowed']);
    expect(answer.results[2]).toMatchObject({ requested: 3, available: 2 });
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([0, 0]);
  });

  it('goes on after a hundred refused items', async () => {
    const [poor, rich] = [newPerson(), await personWith(10)];
    const items = Array.from({ length: 205 }, (_, index) => item(index < 200 ? poor : rich, 1));
    const verdicts = verdictsOf(await batch(items));
    expect(verdicts.slice(0, 200).every((verdict) => verdict === 'insufficient_quota')).toBe(true);
    expect(verdicts.slice(200)).toEqual(Array.from({ length: 5 }, () => 'allowed'));
    expect(await balanceOf(rich)).toBe(5);
  });
});

describe('mode atomic', () => {
  it('takes nothing when one item is refused, and says which would have been allowed', async () => {
    const [ada, bob] = [await personWith(5), await personWith(1)];
    const written = await writtenBy(app, async () => {
      const answer = await batch([item(ada, 3), item(bob, 2), { external_id: ada, feature: 'images' }, item(ada, 2)], {
        mode: 'atomic',
      });
      expect(answer).toEqual({
        committed: false,
        results: [
          { index: 0, replayed: false, allowed: true, product_key: 'CREDITS', amount: 3 },
          expect.objectContaining({ index: 1, allowed: false, code: 'insufficient_quota', requested: 2, available: 1 }),
          expect.objectContaining({ index: 2, allowed: false, code: 'insufficient_quota', requested: 1, available: 0 }),
          { index: 3, replayed: false, allowed: true, product_key: 'CREDITS', amount: 2 },
        ],
      });
    });
    expect(written).toEqual({});
  });

  it('creates whom it sees for the first time, even when it takes nothing', async () => {
    const [ada, stranger] = [await personWith(5), newPerson()];
    const written = await writtenBy(app, async () => {
      const answer = await batch([item(ada, 1), item(stranger, 1)], { mode: 'atomic' });
      expect(answer.committed).toBe(false);
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('is one transaction', async () => {
    const [ada, bob] = [await personWith(5), await personWith(5)];
    const { results } = await batch([item(ada, 1), item(bob, 1), item(ada, 1)], { mode: 'atomic' });
    const rows = await app.deps.db.query(
      'SELECT count(DISTINCT xmin::text) AS transactions, count(*) AS operations FROM operations WHERE id = ANY ($1::uuid[])',
      [results.map(({ operation_id }) => operation_id)],
    );
    expect(rows).toEqual([{ transactions: 1, operations: 3 }]);
  });

  it('does not get in the way of others that name the same customers in another order', async () => {
    const [ada, bob] = [await personWith(100), await personWith(100)];
    const forth = [item(ada, 1), item(bob, 1)];
    const back = [item(bob, 1), item(ada, 1)];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => batch(index % 2 === 0 ? forth : back, { mode: 'atomic' })),
    );
    expect(answers.every(({ committed }) => committed)).toBe(true);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([80, 80]);
  });

  it('leaves nothing half-taken when many ask for the last units at once', async () => {
    const [ada, bob] = [await personWith(6), await personWith(4)];
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => batch([item(ada, 1), item(bob, 1)], { mode: 'atomic' })),
    );
    expect(answers.filter(({ committed }) => committed)).toHaveLength(4);
    expect([await balanceOf(ada), await balanceOf(bob)]).toEqual([2, 0]);
  });
});

describe('the request', () => {
  const good = item('somebody', 1);
  const fourth = (bad: Json) => ({ items: [good, good, good, bad] });

  it.each([
    ['no items', { items: [] }, '/items'],
    ['nothing', {}, '/items'],
    ['items that are no list', { items: good }, '/items'],
    ['1,001 items', { items: Array.from({ length: 1_001 }, () => good) }, '/items'],
    ['another mode', { items: [good], mode: 'careful' }, '/mode'],
    ['an empty key', { items: [good], idempotency_key: '' }, '/idempotency_key'],
    ['an item with an amount of 0', fourth({ ...good, amount: 0 }), '/items/3/amount'],
    ['an item with an amount that is text', fourth({ ...good, amount: 'one' }), '/items/3/amount'],
    ['an item without a subject', fourth({ ...good, product_key: undefined }), '/items/3/product_key'],
    ['an item with two subjects', fourth({ ...good, feature: 'images' }), '/items/3/product_key'],
    ['an item without a customer', fourth({ ...good, external_id: undefined }), '/items/3/customer_id'],
    ['an item with an empty key', fourth({ ...good, idempotency_key: '' }), '/items/3/idempotency_key'],
    ['an item with metadata that is text', fourth({ ...good, metadata: 'x' }), '/items/3/metadata'],
    ['an item that is null', { items: [null] }, '/items/0'],
  ])('is refused with %s, whole', async (_case, body, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post('/quota/consume/batch', body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  itNeedsAToken(app, 'post', '/quota/consume/batch');
});
