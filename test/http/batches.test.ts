// The list of batches: order, states, filters, pages.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { buy, expectProblem, newPerson, readPages } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100);
});

async function idsOf(path: string): Promise<unknown[]> {
  const answer = await app.get(path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data.map((batch: Json) => batch.id);
}

describe('GET /wallet/batches', () => {
  it('says where a bought batch came from, with all its parts', async () => {
    const external_id = newPerson();
    const [bought] = await buy(app, external_id, 'PACK');
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 30 });
    const answer = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(answer.body).toEqual({ data: [{ ...bought, available: 70, consumed: 30 }], next_cursor: null });
    expect(bought).toMatchObject({ source: 'purchase', sku: 'PACK', granted: 100 });
  });

  it('says which line of its order granted a batch, wherever it is shown', async () => {
    const external_id = newPerson();
    const order = await app.post('/orders', { external_id, items: [{ sku: 'PACK' }, { sku: 'PACK', quantity: 2 }] });
    const lines = order.body.items.map((item: Json) => item.id);
    const linesOf = (batches: Json[]) => batches.map((batch) => [batch.order_item_id, batch.granted]);
    const expected = [
      [lines[0], 100],
      [lines[1], 200],
    ];
    const paid = await app.post(`/orders/${order.body.id}/confirm`, { payment_id: 'lines' });
    expect(linesOf(paid.body.batches)).toEqual(expected);
    expect(linesOf((await app.get(`/orders/${order.body.id}`)).body.batches)).toEqual(expected);
    const listed = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(linesOf(listed.body.data).sort()).toEqual([...expected].sort());
    const given = await app.post('/grants', { external_id, grant_type: 'bonus', product_key: 'CREDITS' });
    expect(given.body.batches[0].order_item_id).toBeNull();
  });

  it('lists those that pay for a feature', async () => {
    await putProduct(app, 'PAGES', { features: ['reports.pdf_export'] });
    await putProduct(app, 'POOL', { features: ['reports.pdf_export', 'reports.csv_export'] });
    const external_id = newPerson();
    const pages = await grantUnits(app, external_id, 'PAGES', 1);
    app.clock.advance({ seconds: 1 });
    const pool = await grantUnits(app, external_id, 'POOL', 1);
    await grantUnits(app, external_id, 'CREDITS', 1);
    const list = `/wallet/batches?external_id=${external_id}`;
    expect(await idsOf(`${list}&feature=reports.pdf_export`)).toEqual([pool, pages]);
    expect(await idsOf(`${list}&feature=reports.csv_export`)).toEqual([pool]);
    expect(await idsOf(`${list}&feature=reports.pdf_export&product_key=PAGES`)).toEqual([pages]);
    expect(await idsOf(`${list}&feature=reports.csv_export&product_key=PAGES`)).toEqual([]);
    expect(await idsOf(`${list}&feature=flying`)).toEqual([]);
    expect(await idsOf(`${list}&feature=reports.pdf_export&as_of=2026-01-31T12:00:00Z`)).toEqual([pages]);
    expectProblem(await app.get(`${list}&feature=Flying`), 400, 'invalid_request', 'query/feature');
  });

  it('is empty for a customer without batches', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const answer = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(answer.body).toEqual({ data: [], next_cursor: null });
  });

  it('lists the newest first', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'CREDITS', 1);
    app.clock.advance({ ms: 1 });
    const second = await grantUnits(app, external_id, 'CREDITS', 1, { priority: -1 });
    expect(await idsOf(`/wallet/batches?external_id=${external_id}`)).toEqual([second, first]);
  });

  it('gives every batch once in pages, also those of one instant', async () => {
    const external_id = newPerson();
    const ids: string[] = [];
    for (let made = 0; made < 5; made += 1) ids.push(await grantUnits(app, external_id, 'CREDITS', 1));
    const pages = await readPages(app, `/wallet/batches?external_id=${external_id}`, 2);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().map((batch) => batch.id)).toEqual([...ids].sort().reverse());
  });

  it('gives pages that an insert does not shift', async () => {
    const external_id = newPerson();
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      ids.unshift(await grantUnits(app, external_id, 'CREDITS', 1));
      app.clock.advance({ seconds: 1 });
    }
    const path = `/wallet/batches?external_id=${external_id}&limit=2`;
    const first = await app.get(path);
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect(first.body.data.map((batch: Json) => batch.id)).toEqual(ids.slice(0, 2));
    expect(await idsOf(`${path}&cursor=${first.body.next_cursor}`)).toEqual(ids.slice(2));
  });

  describe('by state', () => {
    const states = ['active', 'pending', 'exhausted', 'expired'] as const;
    let external_id: string;
    const ids: Record<string, string> = {};

    beforeAll(async () => {
      external_id = newPerson();
      ids.exhausted = await grantUnits(app, external_id, 'CREDITS', 5, { priority: -1 });
      await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 5 });
      ids.active = await grantUnits(app, external_id, 'CREDITS', 5);
      ids.pending = await grantUnits(app, external_id, 'CREDITS', 5, { valid_from: '2026-03-01T00:00:00Z' });
      ids.expired = await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00Z' });
    });

    it.each(states)('gives the one that is %s', async (state) => {
      app.clock.set('2026-02-01T00:00:00.000Z');
      const answer = await app.get(`/wallet/batches?external_id=${external_id}&state=${state}`);
      expect(answer.body.data.map((batch: Json) => [batch.id, batch.state])).toEqual([[ids[state], state]]);
    });

    it('gives none that is revoked', async () => {
      expect(await idsOf(`/wallet/batches?external_id=${external_id}&state=revoked`)).toEqual([]);
    });

    it('gives access that runs as active', async () => {
      const person = newPerson();
      const batch = await grantUnits(app, person, 'ACCESS', 1);
      expect(await idsOf(`/wallet/batches?external_id=${person}&state=active`)).toEqual([batch]);
    });
  });

  it('filters by product, in any case', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1);
    const access = await grantUnits(app, external_id, 'ACCESS', 1);
    expect(await idsOf(`/wallet/batches?external_id=${external_id}&product_key=access`)).toEqual([access]);
  });

  it('filters by an end within so many seconds, that one included', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1);
    await grantUnits(app, external_id, 'CREDITS', 1, { expires_at: '2026-01-31T12:01:00.001Z' });
    const soon = await grantUnits(app, external_id, 'CREDITS', 1, { expires_at: '2026-01-31T12:01:00.000Z' });
    const path = `/wallet/batches?external_id=${external_id}&expiring_within=60`;
    expect(await idsOf(path)).toEqual([soon]);
    app.clock.advance({ seconds: 60 });
    expect(await idsOf(path)).not.toContain(soon);
  });

  it('pages through what a filter leaves', async () => {
    const external_id = newPerson();
    for (const product of ['CREDITS', 'ACCESS', 'CREDITS', 'CREDITS']) await grantUnits(app, external_id, product, 1);
    const pages = await readPages(app, `/wallet/batches?external_id=${external_id}&product_key=CREDITS`, 2);
    expect(pages.map((page) => page.map((batch) => batch.product_key))).toEqual([['CREDITS', 'CREDITS'], ['CREDITS']]);
  });

  it('filters by the order that granted them, now and then, beside other filters', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'PACK');
    const [bought] = await buy(app, external_id, 'PACK');
    await grantUnits(app, external_id, 'CREDITS', 1);
    const path = `/wallet/batches?external_id=${external_id}&order_id=${bought?.order_id}`;
    expect(await idsOf(path)).toEqual([bought?.id]);
    expect(await idsOf(`${path}&product_key=CREDITS&state=active`)).toEqual([bought?.id]);
    expect(await idsOf(`${path}&state=expired`)).toEqual([]);
    expect(await idsOf(`${path}&as_of=${app.clock.now().toISOString()}`)).toEqual([bought?.id]);
    const other = newPerson();
    await buy(app, other, 'PACK');
    expect(await idsOf(`/wallet/batches?external_id=${other}&order_id=${bought?.order_id}`)).toEqual([]);
  });

  it('finds nothing of a product that nobody made', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect(await idsOf(`/wallet/batches?external_id=${external_id}&product_key=X`)).toEqual([]);
  });

  it.each([
    ['state=open', 'query/state'],
    ['expiring_within=0', 'query/expiring_within'],
    ['expiring_within=1.5', 'query/expiring_within'],
    ['expiring_within=-1', 'query/expiring_within'],
    ['expiring_within=99999999999', 'query/expiring_within'],
    ['cursor=%00', 'query/cursor'],
    ['cursor=eyJzZXEiOjF9', 'query/cursor'],
    ['product_key=a%20b', 'query/product_key'],
    ['order_id=7', 'query/order_id'],
    ['color=red', 'query/color'],
  ])('refuses ?%s', async (query, pointer) => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    expectProblem(
      await app.get(`/wallet/batches?external_id=${external_id}&${query}`),
      400,
      'invalid_request',
      pointer,
    );
  });
});
