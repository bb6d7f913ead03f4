// The audit trail: each change of management has its record, with who did it, and what was before and is afterwards.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, newPerson } from '../support/requests.js';
import { query } from '../support/sql.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putOffer(app, 'TRY', 'STAR', 2, { is_trial: true });
});

async function trail(filter: string): Promise<Json[]> {
  const answer = await app.get(`/audit?limit=200&${filter}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data;
}

describe('a change of the catalogue', () => {
  it('is recorded with what was before', async () => {
    await putProduct(app, 'GEM', { features: ['draw'], metadata: { someKey: 1 } });
    await putProduct(app, 'GEM', { features: [{ feature: 'draw', unit_cost: 2 }], is_active: false });
    const [later, first] = await trail('subject=GEM');
    expect(first).toMatchObject({
      action: 'product.created',
      key: 'bootstrap',
      subject: 'GEM',
      customer_id: null,
      operation_id: null,
      before: null,
      after: { product_key: 'GEM', features: [{ feature: 'draw', unit_cost: 1 }], metadata: { someKey: 1 } },
    });
    expect(later).toMatchObject({
      action: 'product.updated',
      before: { features: [{ feature: 'draw', unit_cost: 1 }], is_active: true },
      after: { features: [{ feature: 'draw', unit_cost: 2 }], is_active: false, metadata: {} },
    });
  });

  it('has no record when nothing was changed, in whatever order its metadata come', async () => {
    await putProduct(app, 'SAME', { metadata: { longer: 1, b: { d: 1, c: 2 } } });
    await putProduct(app, 'SAME', { metadata: { b: { c: 2, d: 1 }, longer: 1 } });
    expect(await trail('subject=SAME')).toHaveLength(1);
  });

  it('of an offer tells its price and items', async () => {
    await putOffer(app, 'PACK', 'STAR', 5);
    await putOffer(app, 'PACK', 'STAR', 6, { price: '2.50' });
    const [later] = await trail('subject=PACK&action=offer.updated');
    expect(later).toMatchObject({
      before: { price: '1.00', items: [{ product_key: 'STAR', quantity: 5 }] },
      after: { price: '2.50', items: [{ product_key: 'STAR', quantity: 6 }] },
    });
  });

  it('that retires a product is told, once', async () => {
    await putProduct(app, 'OLD');
    await putProduct(app, 'OLD', { is_active: false });
    await putProduct(app, 'OLD', { is_active: false, name: 'older' });
    const told = await query(
      app.url,
      `SELECT customer_id, number, data FROM events WHERE type = 'product.deactivated' AND data ->> 'productKey' = 'OLD'`,
    );
    expect(told).toEqual([{ customer_id: null, number: expect.anything(), data: { productKey: 'OLD' } }]);
  });
});

describe('a change of a customer by management', () => {
  it('is recorded: metadata, identities, adjustments, overrides, each with its operation', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const id = await customerIdOf(app, external_id);
    await app.patch(`/customers/${id}`, { metadata: { tier: 'gold' } });
    await app.post(`/customers/${id}/identities`, { provider: 'email', external_id: `${external_id}@example.org` });
    await app.delete(`/customers/${id}/identities/email/${external_id}@example.org`);
    const adjust = { external_id, grant_type: 'adjustment', product_key: 'STAR', quantity: 7, reason: 'sorry' };
    expect((await app.post('/grants', adjust)).status).toBe(201);
    expect((await app.post('/grants', { ...adjust, quantity: 3, direction: 'debit' })).status).toBe(201);
    expect((await app.post('/grants', { external_id, grant_type: 'trial', sku: 'TRY' })).status).toBe(201);
    const override = { external_id, grant_type: 'trial', sku: 'TRY', override: true, reason: 'again' };
    expect((await app.post('/grants', override)).status).toBe(201);

    const records = (await trail(`external_id=${external_id}`)).reverse();
    expect(records).toMatchObject([
      { action: 'customer.updated', subject: id, before: { metadata: {} }, after: { metadata: { tier: 'gold' } } },
      { action: 'identity.linked', before: null, after: { provider: 'email' } },
      { action: 'identity.unlinked', before: { external_id: `${external_id}@example.org` }, after: null },
      { action: 'balance.adjusted', after: { product_key: 'STAR', amount: 7, metadata: { reason: 'sorry' } } },
      { action: 'balance.adjusted', after: { product_key: 'STAR', amount: -3 } },
      { action: 'trial.overridden', after: { product_key: 'STAR', amount: 2, sku: 'TRY' } },
    ]);
    for (const record of records) {
      expect(record).toMatchObject({ customer_id: id, key: 'bootstrap', operation_id: expect.any(String) });
    }
  });

  it('has no record when it was repeated, refused, or a use', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 5);
    const id = await customerIdOf(app, external_id);
    await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 1 });
    await app.patch(`/customers/${id}`, { metadata: {} });
    const key = { 'idempotency-key': `adjust ${external_id}` };
    const adjust = { external_id, grant_type: 'adjustment', product_key: 'STAR', quantity: 7, reason: 'sorry' };
    await app.post('/grants', adjust, key);
    await app.post('/grants', adjust, key);
    expectProblem(await app.post('/grants', { ...adjust, product_key: 'NONE' }), 404, 'product_not_found');
    expect((await trail(`customer_id=${id}`)).map(({ action }) => action)).toEqual(['balance.adjusted']);
  });
});

describe('the trail', () => {
  it('is read in pages, newest first, and filtered by time and key', async () => {
    const first = (await trail('key=bootstrap')).length;
    expect(first).toBeGreaterThan(5);
    expect(await trail('key=nobody')).toEqual([]);
    expect(await trail('from=2030-01-01T00:00:00Z')).toEqual([]);
    expect((await trail('until=2030-01-01T00:00:00Z')).length).toBe(first);
    const page = await app.get('/audit?limit=2');
    const next = await app.get(`/audit?limit=2&cursor=${page.body.next_cursor}`);
    const ids = [...page.body.data, ...next.body.data].map(({ id }) => id);
    expect(ids).toEqual((await trail('')).slice(0, 4).map(({ id }) => id));
  });

  it.each([
    ['action=offer.eaten', 'query/action/0'],
    ['from=yesterday', 'query/from'],
    ['cursor=none', 'query/cursor'],
  ])('refuses %s', async (filter, pointer) => {
    expectProblem(await app.get(`/audit?${filter}`), 400, 'invalid_request', pointer);
  });

  it('is never changed', async () => {
    await expect(query(app.url, `UPDATE audit_records SET acting_key = 'me'`)).rejects.toThrow('append-only');
    await expect(query(app.url, 'DELETE FROM audit_records')).rejects.toThrow('append-only');
  });
});
