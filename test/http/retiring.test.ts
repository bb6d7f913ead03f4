// Products and offers that are retired: what nobody gets any more, what stays, and how they come back.
import { describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { bearer, makeKey } from '../support/keys.js';
import { expectProblem, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

/** What was told of a product or an offer, the oldest first. */
async function toldOf(member: 'product_key' | 'sku', name: string): Promise<unknown[]> {
  await untilTold(app);
  const kind = member === 'sku' ? 'offer' : 'product';
  const changed = member === 'product_key' ? '&type=product.changed' : '';
  const types = `type=${kind}.activated&type=${kind}.deactivated${changed}`;
  const { data } = (await app.get(`/events?${types}&limit=200`)).body;
  return data.filter((event: Json) => (event.data as Json)[member] === name).map(({ type }: Json) => type);
}

const trailOf = async (subject: string) =>
  (await app.get(`/audit?subject=${subject}`)).body.data.map(({ action }: Json) => action);

describe('DELETE /products/{key}', () => {
  it('retires it: nobody gets it any more, and who has it uses it', async () => {
    await putProduct(app, 'TOKENS', { name: 'Tokens', low_balance_threshold: 5 });
    await putOffer(app, 'TOKENS_10', 'TOKENS', 10);
    const external_id = newPerson();
    await grantUnits(app, external_id, 'TOKENS', 10);
    const answer = await app.delete('/products/tokens');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      product_key: 'TOKENS',
      name: 'Tokens',
      is_active: false,
      low_balance_threshold: 5,
    });
    expect((await app.get('/products/TOKENS')).body).toEqual(answer.body);
    const used = await app.post('/quota/consume', {
      external_id,
      product_key: 'TOKENS',
      amount: 4,
      action_type: 'use',
    });
    expect(used.status, used.text).toBe(200);
    expectProblem(await app.post('/orders', { external_id, items: [{ sku: 'TOKENS_10' }] }), 409, 'product_inactive');
  });

  it('is told and audited once, however often it is done', async () => {
    await putProduct(app, 'ONCE');
    expect((await app.delete('/products/ONCE')).body.is_active).toBe(false);
    const written = await writtenBy(app, async () => {
      expect((await app.delete('/products/ONCE')).body.is_active).toBe(false);
    });
    expect(written).toEqual({});
    expect(await trailOf('ONCE')).toEqual(['product.updated', 'product.created']);
    expect(await toldOf('product_key', 'ONCE')).toEqual(['product.deactivated']);
  });

  it('is one change of many at once', async () => {
    await putProduct(app, 'MANY');
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => app.delete('/products/MANY')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await trailOf('MANY')).toEqual(['product.updated', 'product.created']);
  });

  it('tells that its features cost more or are gone, and nothing of those that cost less or are new', async () => {
    const put = (costs: Record<string, number>) => {
      const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
      return putProduct(app, 'Dear', { features });
    };
    await put({ draw: 1, write: 2, read: 3 });
    await put({ draw: 1, write: 1, read: 3, sing: 9 });
    expect(await toldOf('product_key', 'DEAR')).toEqual([]);
    await put({ draw: 2, write: 1, sing: 9 });
    await put({ draw: 2, write: 1, sing: 9 });
    expect(await toldOf('product_key', 'DEAR')).toEqual(['product.changed']);
    const { data } = (await app.get('/events?type=product.changed')).body;
    expect(data.map((event: Json) => event.data)).toEqual([
      {
        product_key: 'DEAR',
        features: [
          { feature: 'draw', unit_cost_before: 1, unit_cost: 2 },
          { feature: 'read', unit_cost_before: 3, unit_cost: null },
        ],
      },
    ]);
  });

  it('comes back by a PUT', async () => {
    await putProduct(app, 'BACK');
    await app.delete('/products/BACK');
    await putProduct(app, 'BACK');
    expect((await app.get('/products/BACK')).body.is_active).toBe(true);
    await grantUnits(app, newPerson(), 'BACK', 1);
    await putProduct(app, 'BACK', { name: 'still there' });
    expect(await toldOf('product_key', 'BACK')).toEqual(['product.deactivated', 'product.activated']);
  });
});

describe('DELETE /offers/{sku}', () => {
  it('retires it: nobody orders it any more; an order that waits is paid and granted', async () => {
    await putProduct(app, 'GEMS');
    await putOffer(app, 'GEMS_10', 'GEMS', 10, { price: '5' });
    const external_id = newPerson();
    const order = await app.post('/orders', { external_id, items: [{ sku: 'GEMS_10' }] });
    const answer = await app.delete('/offers/gems_10');
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ sku: 'GEMS_10', is_active: false, price: '5.00' });
    expect((await app.get('/offers/GEMS_10')).body).toEqual(answer.body);
    expectProblem(await app.post('/orders', { external_id, items: [{ sku: 'GEMS_10' }] }), 409, 'offer_inactive');
    const paid = await app.post(`/orders/${order.body.id}/confirm`, { payment_id: newPayment() });
    expect(paid.body).toMatchObject({ status: 'paid', batches: [{ granted: 10 }] });
    expect(await trailOf('GEMS_10')).toEqual(['offer.updated', 'offer.created']);
    expect(await writtenBy(app, () => app.delete('/offers/GEMS_10'))).toEqual({});
    await putOffer(app, 'GEMS_10', 'GEMS', 10, { price: '5' });
    expect((await app.post('/orders', { external_id, items: [{ sku: 'GEMS_10' }] })).status).toBe(201);
    expect(await toldOf('sku', 'GEMS_10')).toEqual(['offer.deactivated', 'offer.activated']);
  });

  it('is told by a PUT and a file too, once for each change; what is made retired is told to nobody', async () => {
    await putProduct(app, 'ORES');
    const put = (isActive: boolean, price = '1') => putOffer(app, 'ORE_1', 'ORES', 1, { price, is_active: isActive });
    await put(false);
    expect(await toldOf('sku', 'ORE_1')).toEqual([]);
    await put(true);
    await put(true, '2');
    await put(false, '3');
    await put(false, '4');
    const { body } = await app.get('/catalog/export');
    const offers = body.offers.map((offer: Json) => (offer.sku === 'ORE_1' ? { ...offer, is_active: true } : offer));
    const imported = await app.post('/catalog/import', { ...body, offers });
    expect(imported.status, imported.text).toBe(200);
    expect(await toldOf('sku', 'ORE_1')).toEqual(['offer.activated', 'offer.deactivated', 'offer.activated']);
  });

  it('is told to whoever asks for it, and the audit finds each told once', async () => {
    const types = ['offer.*', 'product.activated'];
    expect((await app.put('/webhook-endpoints/shop', { types })).body.types).toEqual(types);
    const report = await app.get('/invariants');
    expect(report.body, report.text).toMatchObject({ ok: true });
  });
});

describe('what can’t be retired', () => {
  it.each([
    ['/products/NOBODY', 404, 'product_not_found', 'path/key'],
    ['/offers/NOBODY', 404, 'offer_not_found', 'path/sku'],
    ['/products/%20', 400, 'invalid_request', 'path/key'],
    ['/offers/%20', 400, 'invalid_request', 'path/sku'],
    ['/offers/NOBODY?force=true', 400, 'invalid_request', 'query/force'],
  ] as const)('%s: %s %s', async (path, status, code, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.delete(path), status, code, pointer);
    });
    expect(written).toEqual({});
  });

  it('needs the scope of the catalogue', async () => {
    await putProduct(app, 'KEPT');
    await putOffer(app, 'KEPT_1', 'KEPT', 1);
    const { token } = await makeKey(app, ['read', 'orders', 'admin']);
    for (const path of ['/products/KEPT', '/offers/KEPT_1'])
      expectProblem(await app.delete(path, bearer(token)), 403, 'forbidden');
    expect((await app.get('/products/KEPT')).body.is_active).toBe(true);
  });
});
