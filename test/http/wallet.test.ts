// Everything that a customer holds, in one answer.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'draw', unit_cost: 3 }] });
  await putProduct(app, 'POOL', { features: ['draw', { feature: 'film', unit_cost: 10 }] });
  await putProduct(app, 'ACCESS', { type: 'period', features: ['lounge'] });
  await putProduct(app, 'UNHELD', { features: ['unheld'] });
});

const wallet = async (external_id: string) => (await app.get(`/wallet?external_id=${external_id}`)).body;

describe('GET /wallet', () => {
  it('is empty for a customer who holds nothing', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id });
    expect(await wallet(external_id)).toEqual({
      customer_id: body.customer_id,
      balances: {},
      upcoming: {},
      held: {},
      access: {},
      features: {},
    });
  });

  it('shows balances, access, and the features of both', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    await grantUnits(app, external_id, 'POOL', 15);
    await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-03-01T00:00:00Z' });
    expect(await wallet(external_id)).toMatchObject({
      balances: { CREDITS: 10, POOL: 15 },
      held: {},
      access: { ACCESS: { until: '2026-03-01T00:00:00.000Z' } },
      features: {
        draw: { can_use: true, remaining: 18 },
        film: { can_use: true, remaining: 1 },
        lounge: { can_use: true, remaining: null },
      },
    });
    expect(Object.keys((await wallet(external_id)).features)).toEqual(['draw', 'film', 'lounge']);
  });

  it('keeps showing a product of which nothing is left', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 4);
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 4 });
    expect(await wallet(external_id)).toMatchObject({
      balances: { CREDITS: 0 },
      features: { draw: { can_use: false, remaining: 0 } },
    });
  });

  it('counts units that are not valid yet neither in the balance nor in a feature', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3);
    await grantUnits(app, external_id, 'CREDITS', 30, { valid_from: '2026-02-01T00:00:00Z' });
    expect(await wallet(external_id)).toMatchObject({
      balances: { CREDITS: 3 },
      upcoming: { CREDITS: 30 },
      features: { draw: { can_use: true, remaining: 1 } },
    });
  });

  it('does not show access that has not begun or has ended', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, {
      valid_from: '2026-02-01T00:00:00Z',
      expires_at: '2026-02-02T00:00:00Z',
    });
    expect((await wallet(external_id)).access).toEqual({});
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect((await wallet(external_id)).access).toEqual({ ACCESS: { until: '2026-02-02T00:00:00.000Z' } });
    app.clock.set('2026-02-02T00:00:00.000Z');
    expect((await wallet(external_id)).access).toEqual({});
  });

  it('shows a feature of access that has not begun as one that cannot be used', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { valid_from: '2026-02-01T00:00:00Z' });
    expect((await wallet(external_id)).features).toEqual({ lounge: { can_use: false, remaining: 0 } });
  });

  it('shows nobody else’s units', async () => {
    await grantUnits(app, newPerson(), 'CREDITS', 10);
    const external_id = newPerson();
    await grantUnits(app, external_id, 'POOL', 1);
    expect((await wallet(external_id)).balances).toEqual({ POOL: 1 });
  });

  it('agrees with the sum of the batches', async () => {
    const external_id = newPerson();
    for (const quantity of [5, 7, 11]) await grantUnits(app, external_id, 'CREDITS', quantity);
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 9 });
    const { body } = await app.get(`/wallet/batches?external_id=${external_id}`);
    const available = body.data.reduce((sum: number, batch: { available: number }) => sum + batch.available, 0);
    expect(available).toBe(14);
    expect((await wallet(external_id)).balances).toEqual({ CREDITS: available });
  });
});
