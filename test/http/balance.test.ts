// The paywall's question.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: [{ feature: 'draw', unit_cost: 3 }] });
  await putProduct(app, 'ACCESS', { type: 'period' });
});

const balance = (external_id: string, subject: string) => app.get(`/balance?external_id=${external_id}&${subject}`);

describe('GET /balance', () => {
  it('says how much of a product is left, and when the units used next end', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 7);
    await grantUnits(app, external_id, 'CREDITS', 3, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await balance(external_id, 'product_key=credits');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      can_use: true,
      product_key: 'CREDITS',
      remaining: 10,
      upcoming: 0,
      expires_at: '2026-03-01T00:00:00.000Z',
      message: '10 CREDITS available',
    });
  });

  it('says how often a feature can be used', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await balance(external_id, 'feature=draw');
    expect(answer.body).toEqual({
      can_use: true,
      feature: 'draw',
      remaining: 3,
      upcoming: 0,
      expires_at: null,
      message: '3 draw available',
    });
  });

  it('says no when the units do not pay for one use', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    const answer = await balance(external_id, 'feature=draw');
    expect(answer.body).toMatchObject({ can_use: false, remaining: 0, message: 'No draw available' });
  });

  it('says when the units end that pay for the next use, not those that pay for none', async () => {
    await putProduct(app, 'POOL', { features: [{ feature: 'draw', unit_cost: 4 }, 'film'] });
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2, { expires_at: '2026-02-01T00:00:00Z' });
    await grantUnits(app, external_id, 'POOL', 4, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await balance(external_id, 'feature=draw');
    expect(answer.body).toMatchObject({ can_use: true, remaining: 1, expires_at: '2026-03-01T00:00:00.000Z' });
  });

  it('says until when access lasts, which is not counted', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await balance(external_id, 'product_key=ACCESS');
    expect(answer.body).toEqual({
      can_use: true,
      product_key: 'ACCESS',
      remaining: null,
      upcoming: 0,
      expires_at: '2026-03-01T00:00:00.000Z',
      message: 'ACCESS available',
    });
  });

  it('says no for access that has ended', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-03-01T00:00:00Z' });
    app.clock.set('2026-03-01T00:00:00.000Z');
    const answer = await balance(external_id, 'product_key=ACCESS');
    expect(answer.body).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
  });

  it('does not count units that are not valid yet', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { valid_from: '2026-02-01T00:00:00Z' });
    expect((await balance(external_id, 'product_key=CREDITS')).body).toMatchObject({ can_use: false, remaining: 0 });
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect((await balance(external_id, 'product_key=CREDITS')).body).toMatchObject({ can_use: true, remaining: 5 });
  });

  it('counts the units of all batches, more than are read at first too, as the other answers do', async () => {
    const external_id = newPerson();
    for (let batch = 0; batch < 40; batch += 1) await grantUnits(app, external_id, 'CREDITS', 2);
    const consumed = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 1 });
    expect(consumed.body.remaining).toBe(79);
    const check = await app.post('/quota/check', { external_id, product_key: 'CREDITS', amount: 1 });
    expect(check.body.remaining).toBe(78);
    expect((await balance(external_id, 'product_key=CREDITS')).body).toMatchObject({ remaining: 79, upcoming: 0 });
    expect((await app.get(`/wallet?external_id=${external_id}`)).body).toMatchObject({
      balances: { CREDITS: 79 },
      upcoming: {},
    });
    await grantUnits(app, external_id, 'CREDITS', 5, { valid_from: '2026-03-01T00:00:00Z' });
    expect((await balance(external_id, 'product_key=CREDITS')).body).toMatchObject({ remaining: 79, upcoming: 5 });
  });

  it.each(['external_id=never-seen', 'customer_id=01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'])(
    'says no about somebody never seen (%s), and creates nobody',
    async (selector) => {
      const written = await writtenBy(app, async () => {
        const answer = await app.get(`/balance?${selector}&product_key=CREDITS`);
        expect(answer.status).toBe(200);
        expect(answer.body).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
      });
      expect(written).toEqual({});
    },
  );

  it.each([
    ['a product that nobody made', 'product_key=X', 404, 'product_not_found', 'query/product_key'],
    ['a feature that nobody provides', 'feature=flying', 404, 'feature_not_found', 'query/feature'],
    ['no subject', '', 400, 'invalid_request', 'query/product_key'],
    ['two subjects', 'product_key=CREDITS&feature=draw', 400, 'invalid_request', 'query/product_key'],
    ['a subject given twice', 'product_key=CREDITS&product_key=CREDITS', 400, 'invalid_request', 'query/product_key'],
    ['a parameter that it does not know', 'product_key=CREDITS&x=1', 400, 'invalid_request', 'query/x'],
  ] as const)('refuses %s, of somebody never seen too', async (_case, query, status, code, pointer) => {
    const answer = await balance(newPerson(), query);
    expectProblem(answer, status, code, pointer);
  });
});
