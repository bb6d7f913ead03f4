// What one request may come to (DOMAIN 3.7, 3.8, 3.13, 3.17): what would be too much is refused when it is asked for, and what was accepted can be finished.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { entriesOf, hold } from '../support/holdings.js';
import { expectProblem, newPayment, newPerson, readPages, writtenBy } from '../support/requests.js';
import { query } from '../support/sql.js';

const app = useTestApp();
const LARGEST_ORDER = 1_000;
const ITEMS = 50;
/** As large as metadata may be: 16 KiB of JSON. */
const METADATA = { note: 'x'.repeat(16 * 1_024 - '{"note":""}'.length) };

const itemsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ product_key: 'CREDITS', quantity: index + 1 }));

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'CHEST', 'CREDITS', 1, { items: itemsOf(ITEMS) });
  await putOffer(app, 'FOR_STARS', 'CREDITS', 1, { price: '300', currency: 'STAR' });
});

const order = (external_id: string, lines: number, metadata: Json = METADATA) => {
  const items = Array.from({ length: lines }, () => ({ sku: 'CHEST' }));
  return app.post('/orders', { external_id, items, metadata });
};

/** Somebody with so many batches, 50 of each order line. */
async function personWith(batches: number): Promise<string> {
  const external_id = newPerson();
  const { body } = await order(external_id, batches / ITEMS);
  expect((await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() })).status).toBe(200);
  return external_id;
}

describe('an order', () => {
  it('of 5,000 batches is refused at the line that is too much, and nothing is written', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const written = await writtenBy(app, async () => {
      expectProblem(await order(external_id, 100), 409, 'too_many_batches', '/items/20/sku');
      expectProblem(await order(external_id, 21), 409, 'too_many_batches', '/items/20/sku');
    });
    expect(written).toEqual({});
  });

  it('as large as may be is confirmed, told again byte for byte, and read in parts', async () => {
    const external_id = newPerson();
    const placed = await order(external_id, LARGEST_ORDER / ITEMS);
    expect(placed.status).toBe(201);
    expect(placed.body).not.toHaveProperty('batches_total');
    const payment = { payment_id: newPayment() };
    const paid = await app.post(`/orders/${placed.body.id}/confirm`, payment);
    expect(paid.status).toBe(200);
    expect(paid.body.batches_total).toBe(LARGEST_ORDER);
    expect(paid.body.batches).toHaveLength(200);
    expect(paid.body.metadata).toEqual(METADATA);
    const again = await app.post(`/orders/${placed.body.id}/confirm`, payment);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.text).toBe(paid.text);
    expect((await app.get(`/orders/${placed.body.id}`)).body).toEqual({ ...paid.body, refunds: [], disputes: [] });

    await grantUnits(app, external_id, 'CREDITS', 1);
    const pages = await readPages(app, `/wallet/batches?external_id=${external_id}&order_id=${placed.body.id}`, 200);
    expect(pages.map((page) => page.length)).toEqual([200, 200, 200, 200, 200]);
    const listed = pages.flat().reverse();
    expect(listed.slice(0, 200)).toEqual(paid.body.batches);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(LARGEST_ORDER);
  });

  it('keeps its metadata once, whatever it granted', async () => {
    const external_id = newPerson();
    const { body: placed } = await order(external_id, 1, { chat: 7 });
    const { body: paid } = await app.post(`/orders/${placed.id}/confirm`, { payment_id: newPayment() });
    expect(paid.metadata).toEqual({ chat: 7 });
    expect(paid.batches_total).toBe(ITEMS);
    const entries = await entriesOf(app, external_id);
    expect(entries).toHaveLength(ITEMS);
    for (const { order_id, metadata } of [...paid.batches, ...entries])
      expect({ order_id, metadata }).toEqual({ order_id: placed.id, metadata: {} });
  });
});

describe('a trial of all offers', () => {
  it('of more than 200 batches is refused, and nothing is written', async () => {
    const skus = Array.from({ length: 5 }, (_, index) => `TRIAL_${index}`);
    for (const sku of skus) await putOffer(app, sku, 'CREDITS', 1, { items: itemsOf(ITEMS), is_trial: true });
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const trial = (more: Json = {}) => app.post('/grants', { external_id, grant_type: 'trial', ...more });
    const written = await writtenBy(app, async () => {
      expectProblem(await trial(), 409, 'too_many_batches', '/sku');
    });
    expect(written).toEqual({});
    expect((await trial({ sku: 'TRIAL_0' })).status).toBe(201);
    await putOffer(app, 'TRIAL_4', 'CREDITS', 1, { is_active: false });
    const other = await app.post('/grants', { external_id: newPerson(), grant_type: 'trial', metadata: METADATA });
    expect(other.body.batches).toHaveLength(200);
  });
});

describe('what copies its metadata to more than 4 MiB of entries', () => {
  const LARGE = { product_key: 'CREDITS', amount: 1, metadata: METADATA };

  it.each<[string, (external_id: string, amount: number, metadata: Json) => unknown]>([
    ['a consume', (external_id, amount, metadata) => ['/quota/consume', { ...LARGE, external_id, amount, metadata }]],
    [
      'a reservation',
      (external_id, amount, metadata) => ['/reservations', { ...LARGE, external_id, amount, metadata }],
    ],
    [
      'a deduction',
      (external_id, amount, metadata) => ['/credits/deduct', { ...LARGE, external_id, amount, metadata }],
    ],
    [
      'an adjustment',
      (external_id, quantity, metadata) => [
        '/grants',
        {
          ...{ external_id, quantity, metadata, grant_type: 'adjustment', product_key: 'CREDITS' },
          ...{ direction: 'debit', reason: 'why' },
        },
      ],
    ],
  ])('is refused: %s', async (_what, toRequest) => {
    const external_id = await personWith(300);
    const { body: wallet } = await app.get(`/wallet?external_id=${external_id}`);
    const all = wallet.balances.CREDITS;
    const [path, body] = toRequest(external_id, all, METADATA) as [string, Json];
    const written = await writtenBy(app, async () => {
      expectProblem(await app.post(path, body), 409, 'too_many_batches', '/metadata');
    });
    expect(written).toEqual({});
    const [, smaller] = toRequest(external_id, all, { note: 'short' }) as [string, Json];
    expect((await app.post(path, smaller)).status).toBeLessThan(300);
  });

  it('is refused of a give-back and of what goes beyond a hold; without it they are done', async () => {
    const external_id = await personWith(300);
    const used = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 6 * 1_275 });
    expectProblem(
      await app.post('/quota/release', { operation_id: used.body.operation_id, metadata: METADATA }),
      409,
      'too_many_batches',
      '/metadata',
    );
    expect((await app.post('/quota/release', { operation_id: used.body.operation_id })).body.returned).toBe(7_650);

    const { id } = await hold(app, external_id, 'CREDITS', 1, { metadata: METADATA });
    const excess = { amount: 7_650, allow_excess: true };
    expectProblem(await app.post(`/reservations/${id}/commit`, excess), 409, 'too_many_batches', '/amount');
    expect((await app.post(`/reservations/${id}/commit`, { amount: 1 })).status).toBe(200);
  });

  it('is refused of an exchange, before anything is taken', async () => {
    const external_id = newPerson();
    await putOffer(app, 'STARS', 'STAR', 1, {
      items: Array.from({ length: ITEMS }, () => ({ product_key: 'STAR', quantity: 1 })),
    });
    const items = Array.from({ length: 6 }, () => ({ sku: 'STARS' }));
    const { body: placed } = await app.post('/orders', { external_id, items });
    await app.post(`/orders/${placed.id}/confirm`, { payment_id: newPayment() });
    const exchange = (metadata: Json) => app.post('/exchange', { external_id, sku: 'FOR_STARS', metadata });
    const written = await writtenBy(app, async () => {
      expectProblem(await exchange(METADATA), 409, 'too_many_batches', '/metadata');
    });
    expect(written).toEqual({});
    expect((await exchange({})).status).toBe(200);
  });
});

describe('a reservation', () => {
  it('holds of 1,000 batches at most, so that it can be ended', async () => {
    const external_id = await personWith(LARGEST_ORDER);
    const all = 20 * 1_275;
    await grantUnits(app, external_id, 'CREDITS', 1);
    const held = (amount: number) => app.post('/reservations', { external_id, product_key: 'CREDITS', amount });
    const written = await writtenBy(app, async () => {
      expectProblem(await held(all + 1), 409, 'too_many_batches', '/amount');
    });
    expect(written).toEqual({});
    const made = await held(all);
    expect(made.body.legs).toHaveLength(LARGEST_ORDER);
    const answer = await app.post(`/reservations/${made.body.id}/commit`, { amount: all - 1 });
    expect(answer.body).toMatchObject({ committed_amount: all - 1, returned: 1 });
  });

  it('that lapses leaves its metadata where it is', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    const { id } = await hold(app, external_id, 'CREDITS', 1, { metadata: { a: 1 }, ttl_seconds: 60 });
    app.clock.advance({ seconds: 60 });
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    const told = (await entriesOf(app, external_id)).map(({ kind, reservation_id, metadata }) => [
      kind,
      reservation_id,
      metadata,
    ]);
    expect(told.slice(1, 3)).toEqual([
      ['hold', id, { a: 1 }],
      ['release', id, {}],
    ]);
  });
});

describe('an order, of the most batches', () => {
  it('that was taken before there was a bound is confirmed, and a failed payment of it is answered', async () => {
    const { body: placed } = await order(newPerson(), LARGEST_ORDER / ITEMS);
    await query(
      app.url,
      `SET session_replication_role = replica;
       UPDATE order_items SET terms = terms || terms WHERE order_id = '${placed.id}'`,
    );
    const payment = { payment_id: newPayment() };
    const paid = await app.post(`/orders/${placed.id}/confirm`, payment);
    expect([paid.status, paid.body.batches_total, paid.body.batches.length]).toEqual([200, 2 * LARGEST_ORDER, 200]);
    expect((await app.post(`/orders/${placed.id}/confirm`, payment)).text).toBe(paid.text);
    const failed = await app.post(`/orders/${placed.id}/confirm`, { payment_id: newPayment(), status: 'failed' });
    expect(failed.body).toEqual(paid.body);
  });
});
