// The dry run: it must say what consume would do, and write nothing.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const UNKNOWN_ID = '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'POOL', { features: [{ feature: 'draw', unit_cost: 2 }, 'film'] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'STAR', { is_currency: true });
});

const check = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/quota/check', { external_id, product_key: 'CREDITS', amount, ...more });

describe('POST /quota/check', () => {
  it('says what consume would take, and takes nothing', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'CREDITS', 3, { expires_at: '2026-03-01T00:00:00Z' });
    const second = await grantUnits(app, external_id, 'CREDITS', 7);
    const written = await writtenBy(app, async () => {
      const answer = await check(external_id, 5);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        allowed: true,
        would_take: [
          { batch_id: first, product_key: 'CREDITS', amount: 3 },
          { batch_id: second, product_key: 'CREDITS', amount: 2 },
        ],
        remaining: 5,
        reasons: [],
        warnings: [],
        violations: [],
        upgrade_skus: [],
        upgrade_offers: [],
        allowed_at: '2026-01-31T12:00:00.000Z',
      });
    });
    expect(written).toEqual({});
    const consumed = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 5 });
    expect(consumed.body.taken).toMatchObject([{ batch_id: first }, { batch_id: second }]);
  });

  it('says what there is when it is too little', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3);
    const answer = await check(external_id, 4);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      allowed: false,
      would_take: [],
      remaining: 3,
      reasons: [{ code: 'insufficient_quota' }],
      allowed_at: null,
    });
  });

  it('is not counted for access', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await check(external_id, 9, { product_key: 'ACCESS' });
    expect(answer.body).toMatchObject({ allowed: true, remaining: null, would_take: [{ batch_id, amount: 9 }] });
  });

  it('names the instant from which it would be allowed', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    await grantUnits(app, external_id, 'CREDITS', 2, { valid_from: '2026-02-01T00:00:00Z' });
    await grantUnits(app, external_id, 'CREDITS', 2, { valid_from: '2026-02-05T00:00:00Z' });
    const answer = await check(external_id, 5);
    expect(answer.body).toMatchObject({
      allowed: false,
      remaining: 2,
      reasons: [{ code: 'insufficient_quota' }, { code: 'not_yet_valid', at: '2026-02-01T00:00:00.000Z' }],
      allowed_at: '2026-02-05T00:00:00.000Z',
    });
    app.clock.set('2026-02-05T00:00:00.000Z');
    expect((await check(external_id, 5)).body.allowed).toBe(true);
  });

  it('names no instant when what comes later ends before there is enough', async () => {
    const external_id = newPerson();
    const fleeting = { valid_from: '2026-02-01T00:00:00Z', expires_at: '2026-02-02T00:00:00Z' };
    await grantUnits(app, external_id, 'CREDITS', 2, fleeting);
    await grantUnits(app, external_id, 'CREDITS', 2, { valid_from: '2026-02-03T00:00:00Z' });
    expect((await check(external_id, 4)).body.allowed_at).toBeNull();
  });

  it('names the instant from which access begins', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { valid_from: '2026-02-01T00:00:00Z' });
    const answer = await check(external_id, 1, { product_key: 'ACCESS' });
    expect(answer.body).toMatchObject({ allowed: false, remaining: 0, allowed_at: '2026-02-01T00:00:00.000Z' });
  });

  it('says when units expired, whether or not their expiry is written yet', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2, { expires_at: '2026-02-01T00:00:00Z' });
    app.clock.set('2026-02-02T00:00:00.000Z');
    const reasons = [{ code: 'insufficient_quota' }, { code: 'expired', at: '2026-02-01T00:00:00.000Z' }];
    const before = await check(external_id, 1);
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    const after = await check(external_id, 1);
    expect(after.body.reasons).toEqual(reasons);
    expect(before.body.reasons).toEqual(reasons);
  });

  it('gives the same reasons and offers as the refusal of consume', async () => {
    await putOffer(app, 'A_PACK', 'CREDITS', 1);
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2, { valid_from: '2026-02-01T00:00:00Z' });
    const checked = await check(external_id, 1);
    const refused = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    expect(refused.body.reasons).toEqual(checked.body.reasons);
    expect(refused.body.upgrade_skus).toEqual(checked.body.upgrade_skus);
    expect(refused.body.upgrade_skus).toContain('A_PACK');
  });

  it('proposes offers of every product that provides the feature: cheapest first, then by sku', async () => {
    await putProduct(app, 'SONGS', { features: ['sing'] });
    await putProduct(app, 'SONG_POOL', { features: ['sing', 'dance'] });
    await putOffer(app, 'SING_B', 'SONGS', 1, { price: '5.00' });
    await putOffer(app, 'SING_A', 'SONG_POOL', 1, { price: '5.00' });
    await putOffer(app, 'SING_DEAR', 'SONGS', 1, { price: '10.00' });
    await putOffer(app, 'SING_STAR', 'SONGS', 1, { price: '2', currency: 'STAR' });
    await putOffer(app, 'SING_TRIAL', 'SONGS', 1, { price: '0', is_trial: true });
    await putOffer(app, 'SING_OLD', 'SONGS', 1, { price: '0.01', is_active: false });
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const answer = await check(external_id, 1, { product_key: undefined, feature: 'sing' });
    expect(answer.body.upgrade_skus).toEqual(['SING_STAR', 'SING_A', 'SING_B', 'SING_DEAR']);
  });

  it('proposes at most ten offers', async () => {
    await putProduct(app, 'MANY');
    for (let made = 11; made > 0; made -= 1) await putOffer(app, `MANY_${made}`, 'MANY', 1, { price: `${made}.00` });
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const answer = await check(external_id, 1, { product_key: 'MANY' });
    expect(answer.body.upgrade_skus).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((made) => `MANY_${made}`));
  });

  it('takes a key and ignores it', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    expect((await check(external_id, 1, { idempotency_key: 'k' })).body.allowed).toBe(true);
    const other = await check(external_id, 3, { idempotency_key: 'k' });
    expect(other.body.allowed).toBe(false);
    expect(other.headers['idempotent-replayed']).toBeUndefined();
  });

  it('answers of somebody never seen what a consume would, and does not create him', async () => {
    await putProduct(app, 'NEW', { features: ['fly'] });
    await putOffer(app, 'NEW_PACK', 'NEW', 10);
    const external_id = newPerson();
    const use = { external_id, feature: 'fly', amount: 2 };
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/check', use);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({
        allowed: false,
        would_take: [],
        remaining: 0,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['NEW_PACK'],
        allowed_at: null,
      });
    });
    expect(written).toEqual({});
    const refused = await app.post('/quota/consume', use);
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body).toMatchObject({ available: 0, upgrade_skus: ['NEW_PACK'] });
  });

  it.each([
    ['a product that nobody made', { product_key: 'X' }, 404, 'product_not_found'],
    ['a feature that nobody made', { feature: 'x' }, 404, 'feature_not_found'],
    [
      'an unknown customer_id',
      { external_id: undefined, customer_id: UNKNOWN_ID, product_key: 'CREDITS' },
      404,
      'customer_not_found',
    ],
    [
      'an unknown UUID as user_id',
      { external_id: undefined, user_id: UNKNOWN_ID, product_key: 'CREDITS' },
      404,
      'customer_not_found',
    ],
  ] as const)('refuses of somebody never seen what a consume refuses: %s', async (_case, more, status, code) => {
    const body = { external_id: newPerson(), ...more };
    const checked = await app.post('/quota/check', body);
    const consumed = await app.post('/quota/consume', body);
    expectProblem(checked, status, code);
    expect(checked.body.errors).toEqual(consumed.body.errors);
  });

  it.each([
    ['product', { product_key: 'X' }, 'product_not_found', '/product_key'],
    ['feature', { product_key: undefined, feature: 'flying' }, 'feature_not_found', '/feature'],
  ] as const)('does not know a %s that nobody made', async (_case, more, code, pointer) => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    expectProblem(await check(external_id, 1, more), 404, code, pointer);
  });

  it('refuses what consume refuses', async () => {
    expectProblem(await check(newPerson(), 0), 400, 'invalid_request', '/amount');
  });
});
