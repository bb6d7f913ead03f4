// Migrations: what a customer had in another system, granted once per id in that system.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'MONTH', 'ACCESS', 1, {
    items: [{ product_key: 'ACCESS', period_unit: 'months', period_value: 1 }],
  });
});

const migrate = (external_id: string, more: Json = {}, headers: Record<string, string> = {}) =>
  app.post(
    '/grants',
    { external_id, grant_type: 'migration', product_key: 'CREDITS', quantity: 7, source_id: 'legacy-1', ...more },
    headers,
  );
const balancesOf = async (external_id: string) => (await app.get(`/wallet?external_id=${external_id}`)).body.balances;

describe('POST /grants of a migration', () => {
  it('grants units', async () => {
    const external_id = newPerson();
    const answer = await migrate(external_id);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ grant_type: 'migration', batches: [{ source: 'migration', granted: 7 }] });
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 7 });
  });

  it('keeps a validity that began in the past', async () => {
    const answer = await migrate(newPerson(), {
      valid_from: '2025-06-01T00:00:00Z',
      expires_at: '2026-06-01T00:00:00Z',
    });
    expect(answer.body.batches).toMatchObject([
      { valid_from: '2025-06-01T00:00:00.000Z', expires_at: '2026-06-01T00:00:00.000Z', state: 'active' },
    ]);
  });

  it('makes access that began in the past usable at once', async () => {
    const external_id = newPerson();
    const dates = { valid_from: '2025-06-01T00:00:00Z', expires_at: '2026-06-01T00:00:00Z' };
    await migrate(external_id, { product_key: 'ACCESS', quantity: 1, ...dates });
    expect((await app.get(`/balance?external_id=${external_id}&product_key=ACCESS`)).body.can_use).toBe(true);
  });

  it('brings along what has ended: granted and expired, and nothing of it can be used', async () => {
    const external_id = newPerson();
    const dates = { valid_from: '2025-06-01', expires_at: '2026-01-31T12:00:00Z' };
    const answer = await migrate(external_id, dates);
    expect(answer.status, answer.text).toBe(201);
    expect(answer.body.batches).toMatchObject([
      {
        ...{ granted: 7, available: 0, expired: 7, state: 'expired' },
        ...{ valid_from: '2025-06-01T00:00:00.000Z', expires_at: '2026-01-31T12:00:00.000Z' },
      },
    ]);
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 0 });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}`);
    const { operation_id } = answer.body;
    expect(entries.body).toMatchObject({
      data: [
        { kind: 'expire', amount: 7, balance_after: 0, operation_id, occurred_at: '2026-01-31T12:00:00.000Z' },
        { kind: 'grant', amount: 7, balance_after: 7, operation_id, occurred_at: '2026-01-31T12:00:00.000Z' },
      ],
      settlement_pending: false,
    });
    const listed = await app.get(`/wallet/batches?external_id=${external_id}&state=expired`);
    expect(listed.body.data).toEqual(answer.body.batches);
    const refused = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    expect(refused.body.reasons).toContainEqual({ code: 'expired', at: '2026-01-31T12:00:00.000Z' });
  });

  it('brings along access that has ended, which extends nothing', async () => {
    const external_id = newPerson();
    const dates = { valid_from: '2025-06-01', expires_at: '2025-07-01' };
    const answer = await migrate(external_id, { product_key: 'ACCESS', quantity: 1, ...dates });
    expect(answer.body.batches).toMatchObject([{ granted: null, state: 'expired' }]);
    expect((await app.get(`/balance?external_id=${external_id}&product_key=ACCESS`)).body.can_use).toBe(false);
    const bought = await app.post('/grants', { external_id, grant_type: 'bonus', sku: 'MONTH' });
    expect(bought.body.batches).toMatchObject([{ valid_from: '2026-01-31T12:00:00.000Z' }]);
  });

  it('repays no debt with what has ended', async () => {
    await putProduct(app, 'STAR', { is_currency: true });
    const external_id = newPerson();
    await app.post('/credits/deduct', { external_id, product_key: 'STAR', amount: 5, allow_negative: true });
    const dates = { valid_from: '2025-06-01', expires_at: '2025-07-01' };
    const answer = await migrate(external_id, { product_key: 'STAR', ...dates });
    expect(answer.body.batches).toMatchObject([{ granted: 7, consumed: 0, expired: 7 }]);
    expect(await balancesOf(external_id)).toEqual({ STAR: -5 });
  });

  it('takes what has ended without a beginning to have begun just before', async () => {
    const answer = await migrate(newPerson(), { expires_at: '2025-07-01' });
    expect(answer.body.batches).toMatchObject([
      { valid_from: '2025-06-30T23:59:59.999Z', expires_at: '2025-07-01T00:00:00.000Z', state: 'expired' },
    ]);
  });

  it('refuses an end that is not after the beginning', async () => {
    const dates = { valid_from: '2025-06-01', expires_at: '2025-06-01' };
    expectProblem(await migrate(newPerson(), dates), 400, 'invalid_request', '/expires_at');
  });

  it('gives what an offer gives', async () => {
    const external_id = newPerson();
    await migrate(external_id, { product_key: undefined, sku: 'PACK', quantity: 2 });
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 20 });
  });
});

describe('the source id', () => {
  it('grants once, without any key: the first answer again, byte for byte, and nothing is written', async () => {
    const external_id = newPerson();
    const first = await migrate(external_id);
    app.clock.advance({ days: 90 });
    const written = await writtenBy(app, async () => {
      const again = await migrate(external_id);
      expect(again.status).toBe(201);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    });
    expect(written).toEqual({});
  });

  it('grants once whatever the key is', async () => {
    const external_id = newPerson();
    const first = await migrate(external_id, {}, { 'idempotency-key': 'run-1' });
    const again = await migrate(external_id, {}, { 'idempotency-key': 'run-2' });
    expect(again.text).toBe(first.text);
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 7 });
  });

  it('grants once when ten come at once', async () => {
    const external_id = newPerson();
    const written = await writtenBy(app, async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => migrate(external_id)));
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    });
    expect(written).toMatchObject({ operations: 1, batches: 1, entries: 1 });
  });

  it('is refused for something else, and nothing is written', async () => {
    const external_id = newPerson();
    await migrate(external_id);
    const written = await writtenBy(app, async () => {
      expectProblem(await migrate(external_id, { quantity: 8 }), 422, 'idempotency_key_reused');
    });
    expect(written).toEqual({});
  });

  it('grants again under another one', async () => {
    const external_id = newPerson();
    await migrate(external_id);
    await migrate(external_id, { source_id: 'legacy-2' });
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 14 });
  });

  it('is each customer’s own', async () => {
    const people = [newPerson(), newPerson()];
    for (const external_id of people) expect((await migrate(external_id)).status).toBe(201);
  });

  it('is trimmed', async () => {
    const external_id = newPerson();
    const first = await migrate(external_id);
    expect((await migrate(external_id, { source_id: ' legacy-1 ' })).text).toBe(first.text);
  });

  it('is not taken for the key of another grant', async () => {
    const external_id = newPerson();
    await migrate(external_id);
    const bonus = {
      external_id,
      grant_type: 'bonus',
      product_key: 'CREDITS',
      quantity: 1,
      idempotency_key: 'legacy-1',
    };
    const answer = await app.post('/grants', bonus);
    expect(answer.status).toBe(201);
    expect(answer.headers['idempotent-replayed']).toBeUndefined();
  });

  it('does not remember a refusal', async () => {
    const external_id = newPerson();
    expectProblem(await migrate(external_id, { product_key: 'LATER' }), 404, 'product_not_found', '/product_key');
    await putProduct(app, 'LATER');
    expect((await migrate(external_id, { product_key: 'LATER' })).status).toBe(201);
  });

  it.each<[string, Json, string]>([
    ['left out', { source_id: undefined }, '/source_id'],
    ['empty', { source_id: ' ' }, '/source_id'],
    ['of 256 characters', { source_id: 's'.repeat(256) }, '/source_id'],
    ['no whole number', { source_id: 1.5 }, '/source_id'],
  ])('is refused when %s', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await migrate(newPerson(), more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it('may have 255 characters', async () => {
    expect((await migrate(newPerson(), { source_id: 's'.repeat(255) })).status).toBe(201);
  });
});
