// Taking units: what a consume takes, in which order, and what it refuses. Features are tested in quota-features.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { buy, expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  await putOffer(app, 'MONTH', 'ACCESS', 1, {
    items: [{ product_key: 'ACCESS', period_unit: 'months', period_value: 1 }],
  });
});

const consume = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount, ...more });

describe('POST /quota/consume', () => {
  it('takes units and says what is left', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await app.post('/quota/consume', {
      external_id,
      product_key: 'credits',
      amount: 3,
      action_type: 'predict',
      action_id: 'p-17',
      metadata: { model: 'x' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      allowed: true,
      operation_id: expect.any(String),
      usage_id: expect.any(String),
      product_key: 'CREDITS',
      amount: 3,
      remaining: 7,
      taken: [{ batch_id, product_key: 'CREDITS', amount: 3 }],
      warnings: [],
      metadata: { model: 'x' },
    });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`);
    expect(entries.body.data).toMatchObject([
      {
        id: answer.body.usage_id,
        operation_id: answer.body.operation_id,
        direction: 'debit',
        amount: 3,
        balance_after: 7,
        action_type: 'predict',
        action_id: 'p-17',
        metadata: { model: 'x' },
      },
    ]);
  });

  it('takes one unit for `usage` when the call says no more', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    expect(answer.body).toMatchObject({ amount: 1, remaining: 1, metadata: {} });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&action_type=usage`);
    expect(entries.body.data).toHaveLength(1);
  });

  it('takes the last unit, and then nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    expect((await consume(external_id, 5)).body.remaining).toBe(0);
    expectProblem(await consume(external_id, 1), 402, 'insufficient_quota');
  });

  it('takes all or nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    const written = await writtenBy(app, async () => {
      const answer = await consume(external_id, 6);
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({ requested: 6, available: 5, reasons: [{ code: 'insufficient_quota' }] });
    });
    expect(written).toEqual({});
  });

  it('adds up to one entry per batch, and names the last one', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    await grantUnits(app, external_id, 'CREDITS', 2);
    const answer = await consume(external_id, 3);
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`);
    expect(entries.body.data.map((entry: Json) => [entry.amount, entry.balance_after])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(entries.body.data[0].id).toBe(answer.body.usage_id);
  });

  it('takes from both when two come at once without a key', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3);
    const answers = await Promise.all([1, 2].map(() => consume(external_id, 1)));
    expect(answers.map((answer) => answer.body.remaining).sort()).toEqual([1, 2]);
  });

  it('lets one of two through when there is enough for one', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3);
    const answers = await Promise.all([1, 2].map(() => consume(external_id, 2)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 402]);
  });

  it('does not remember a refusal under its key', async () => {
    const external_id = newPerson();
    const key = { idempotency_key: 'predict-17' };
    expectProblem(await consume(external_id, 1, key), 402, 'insufficient_quota');
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect((await consume(external_id, 1, key)).status).toBe(200);
  });

  it('lets the same key serve another operation of the customer', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1, { idempotency_key: 'k' });
    expect((await consume(external_id, 1, { idempotency_key: 'k' })).status).toBe(200);
  });

  it('knows a key whichever selector names the customer', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    const { body } = await app.post('/identify', { external_id });
    const first = await consume(external_id, 1, { idempotency_key: 'k' });
    const again = await app.post('/quota/consume', {
      customer_id: body.customer_id,
      product_key: 'credits',
      amount: 1,
      action_type: 'usage',
      idempotency_key: 'k',
    });
    expect(again.text).toBe(first.text);
  });

  it('gives the first answer again although nothing is left by then', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 1);
    const first = await consume(external_id, 1, { idempotency_key: 'k' });
    const again = await consume(external_id, 1, { idempotency_key: 'k' });
    expect(again.status).toBe(200);
    expect(again.text).toBe(first.text);
  });

  it('spends units of a product that is no longer active', async () => {
    await putProduct(app, 'FADING');
    const external_id = newPerson();
    await grantUnits(app, external_id, 'FADING', 2);
    await putProduct(app, 'FADING', { is_active: false });
    expect((await consume(external_id, 1, { product_key: 'FADING' })).body.remaining).toBe(1);
    const refused = await consume(external_id, 2, { product_key: 'FADING' });
    expect(refused.body.reasons).toEqual([
      { code: 'insufficient_quota' },
      { code: 'inactive_product', product_key: 'FADING' },
    ]);
  });

  it('does not know a product that nobody made', async () => {
    expectProblem(await consume(newPerson(), 1, { product_key: 'X' }), 404, 'product_not_found', '/product_key');
  });

  it('does not know a feature that no product provides', async () => {
    const answer = await app.post('/quota/consume', { external_id: newPerson(), feature: 'flying' });
    expectProblem(answer, 404, 'feature_not_found', '/feature');
  });

  describe('of access', () => {
    it('logs the use and takes nothing away', async () => {
      const external_id = newPerson();
      const [batch] = await buy(app, external_id, 'MONTH');
      const answer = await consume(external_id, 3, { product_key: 'ACCESS' });
      expect(answer.body).toMatchObject({
        remaining: null,
        taken: [{ batch_id: batch?.id, product_key: 'ACCESS', amount: 3 }],
      });
      const batches = await app.get(`/wallet/batches?external_id=${external_id}`);
      expect(batches.body.data).toMatchObject([{ granted: null, available: 0, consumed: 3, state: 'active' }]);
      const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`);
      expect(entries.body.data).toMatchObject([{ direction: 'none', amount: 3, balance_after: 0 }]);
    });

    it('is refused from the end of the access on', async () => {
      const external_id = newPerson();
      await buy(app, external_id, 'MONTH');
      app.clock.set('2026-02-28T11:59:59.999Z');
      expect((await consume(external_id, 1, { product_key: 'ACCESS' })).status).toBe(200);
      app.clock.set('2026-02-28T12:00:00.000Z');
      const answer = await consume(external_id, 1, { product_key: 'ACCESS' });
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body.available).toBe(0);
    });

    it('never ends when the access never does', async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'LIFETIME', 1);
      app.clock.set('2126-01-31T12:00:00.000Z');
      const answer = await consume(external_id, 1_000_000, { product_key: 'LIFETIME' });
      expect(answer.body.remaining).toBeNull();
    });

    it('is refused where its use could not be counted exactly', async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'LIFETIME', 1);
      await consume(external_id, Number.MAX_SAFE_INTEGER, { product_key: 'LIFETIME' });
      const answer = await consume(external_id, 1, { product_key: 'LIFETIME' });
      expectProblem(answer, 409, 'quantity_too_large', '/amount');
    });
  });

  it.each([
    ['no subject', { product_key: undefined }, '/product_key'],
    ['two subjects', { feature: 'images' }, '/product_key'],
    ['a feature in capitals', { product_key: undefined, feature: 'Images' }, '/feature'],
    ['an amount of 0', { amount: 0 }, '/amount'],
    ['a negative amount', { amount: -1 }, '/amount'],
    ['an amount with a fraction', { amount: 1.5 }, '/amount'],
    ['an amount above 2^53-1', { amount: 9007199254740992 }, '/amount'],
    ['an amount that is text', { amount: 'one' }, '/amount'],
    ['an amount of null', { amount: null }, '/amount'],
    ['an empty action type', { action_type: ' ' }, '/action_type'],
    ['an action id of 256 characters', { action_id: 'a'.repeat(256) }, '/action_id'],
    ['metadata that is text', { metadata: 'x' }, '/metadata'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
    ['a key of 256 characters', { idempotency_key: 'k'.repeat(256) }, '/idempotency_key'],
  ])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await consume(newPerson(), 1, more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 10);
      return { path: '/quota/consume', body: { external_id, product_key: 'CREDITS', amount: 2 }, other: { amount: 3 } };
    });
  });
});
