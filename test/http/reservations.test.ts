// Holding units for work in progress (DOMAIN 3.13): what a reservation takes and what it refuses. How it ends is tested in
// reservation-endings.test.ts and reservation-expiry.test.ts, how long it lasts in reservation-lifetime.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { entriesOf, hold, walletOf } from '../support/holdings.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { customerIdOf, sendTogether, tally } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
/** The clock stands at 2026-01-31T12:00:00.000Z when a test begins. */
const NOW = '2026-01-31T12:00:00.000Z';
const IN_15_MINUTES = '2026-01-31T12:15:00.000Z';
const DAYS_7_S = 7 * 24 * 3_600;

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period', features: ['lounge'] });
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const reserve = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/reservations', { external_id, product_key: 'CREDITS', amount, ...more });

async function personWith(units: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', units);
  return external_id;
}

describe('POST /reservations', () => {
  it('holds units for 15 minutes and says what is left', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const answer = await reserve(external_id, 3, { product_key: 'credits', metadata: { model: 'x' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      allowed: true,
      operation_id: expect.any(String),
      id: expect.any(String),
      customer_id: await customerIdOf(app, external_id),
      product_key: 'CREDITS',
      amount: 3,
      status: 'held',
      committed_amount: 0,
      expires_at: IN_15_MINUTES,
      created_at: NOW,
      ended_at: null,
      legs: [{ batch_id, product_key: 'CREDITS', amount: 3 }],
      metadata: { model: 'x' },
      remaining: 7,
      warnings: [],
    });
  });

  it('moves the units from the balance to what is held', async () => {
    const external_id = await personWith(10);
    await hold(app, external_id, 'CREDITS', 3);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 7 }, held: { CREDITS: 3 } });
    const batches = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(batches.body.data).toMatchObject([{ granted: 10, available: 7, held: 3, consumed: 0, state: 'active' }]);
  });

  it('holds one unit when the call says no more', async () => {
    const external_id = await personWith(2);
    const answer = await app.post('/reservations', { external_id, product_key: 'CREDITS' });
    expect(answer.body).toMatchObject({ amount: 1, remaining: 1, metadata: {} });
  });

  it('holds of the batches that are used first, one entry for each', async () => {
    const external_id = newPerson();
    const last = await grantUnits(app, external_id, 'CREDITS', 5);
    const first = await grantUnits(app, external_id, 'CREDITS', 2, { priority: -1 });
    const made = await hold(app, external_id, 'CREDITS', 4, {
      action_type: 'render',
      action_id: 'r-1',
      metadata: { a: 1 },
    });
    expect(made.legs).toEqual([
      { batch_id: first, product_key: 'CREDITS', amount: 2 },
      { batch_id: last, product_key: 'CREDITS', amount: 2 },
    ]);
    const told = {
      kind: 'hold',
      direction: 'debit',
      amount: 2,
      reservation_id: made.id,
      operation_id: made.operation_id,
      action_type: 'render',
      action_id: 'r-1',
      metadata: { a: 1 },
      occurred_at: NOW,
    };
    expect(await entriesOf(app, external_id, '&kind=hold')).toMatchObject([
      { ...told, batch_id: first, balance_after: 5 },
      { ...told, batch_id: last, balance_after: 3 },
    ]);
  });

  it('writes one operation, the reservation and its legs', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    await grantUnits(app, external_id, 'CREDITS', 2);
    const written = await writtenBy(app, () => reserve(external_id, 3));
    expect(written).toEqual({
      customers: 0,
      operations: 1,
      reservations: 1,
      reservation_legs: 2,
      batches: 0,
      balances: 0,
      entries: 2,
    });
  });

  it('leaves nothing of what is held to anybody else', async () => {
    const external_id = await personWith(5);
    await hold(app, external_id, 'CREDITS', 4);
    const consumed = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 2 });
    expectProblem(consumed, 402, 'insufficient_quota');
    expect(consumed.body.available).toBe(1);
    expectProblem(await reserve(external_id, 2), 402, 'insufficient_quota');
  });

  it('takes all or nothing, and says what would help', async () => {
    const external_id = await personWith(5);
    const written = await writtenBy(app, async () => {
      const answer = await reserve(external_id, 6);
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({
        requested: 6,
        available: 5,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['PACK'],
      });
    });
    expect(written).toEqual({});
  });

  it('creates a customer on first sight, who has nothing to hold', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await reserve(newPerson(), 1), 402, 'insufficient_quota');
    });
    expect(written).toEqual({ customers: 1, identities: 1 });
  });

  it('holds units of a product that is no longer active', async () => {
    await putProduct(app, 'FADING');
    const external_id = newPerson();
    await grantUnits(app, external_id, 'FADING', 2);
    await putProduct(app, 'FADING', { is_active: false });
    expect((await hold(app, external_id, 'FADING', 2)).status).toBe('held');
  });

  it('does not hold units that are not valid yet', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { valid_from: '2026-02-01T00:00:00Z' });
    const answer = await reserve(external_id, 1);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body.available).toBe(0);
  });

  it('lets no more through at once than there is', async () => {
    const external_id = await personWith(7);
    const answers = await sendTogether(6, () => reserve(external_id, 2));
    expect(tally(answers)).toEqual({ 201: 3, '402 insufficient_quota': 3 });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 1 }, held: { CREDITS: 6 } });
  });

  it.each([
    ['a product that nobody made', { product_key: 'NOSUCH' }, 404, 'product_not_found', '/product_key'],
    [
      'a feature that no product provides',
      { product_key: undefined, feature: 'flying' },
      404,
      'feature_not_found',
      '/feature',
    ],
    [
      'a customer id that nobody has',
      { external_id: undefined, customer_id: UNKNOWN_ID },
      404,
      'customer_not_found',
      '/customer_id',
    ],
  ] as const)('refuses %s', async (_case, more, status, code, pointer) => {
    expectProblem(await reserve(newPerson(), 1, more), status, code, pointer);
  });

  it('refuses selectors that name two customers', async () => {
    const customer_id = await customerIdOf(app, newPerson());
    expectProblem(await reserve(newPerson(), 1, { customer_id }), 409, 'selector_conflict', '/external_id');
  });

  it.each<[string, Json, string]>([
    ['no subject', { product_key: undefined }, '/product_key'],
    ['two subjects', { feature: 'lounge' }, '/product_key'],
    ['an amount of 0', { amount: 0 }, '/amount'],
    ['an amount with a fraction', { amount: 1.5 }, '/amount'],
    ['an amount above 2^53-1', { amount: 9007199254740992 }, '/amount'],
    ['an amount that is text', { amount: 'one' }, '/amount'],
    ['a ttl of 0', { ttl_seconds: 0 }, '/ttl_seconds'],
    ['a negative ttl', { ttl_seconds: -60 }, '/ttl_seconds'],
    ['a ttl with a fraction', { ttl_seconds: 0.5 }, '/ttl_seconds'],
    ['a ttl that is text', { ttl_seconds: '60s' }, '/ttl_seconds'],
    ['a ttl beyond any calendar', { ttl_seconds: 9007199254740991 }, '/ttl_seconds'],
    ['an end that is no instant', { expires_at: 'tomorrow' }, '/expires_at'],
    ['an end without an offset', { expires_at: '2026-02-01T00:00:00' }, '/expires_at'],
    ['a ttl beside an end', { ttl_seconds: 60, expires_at: '2026-01-31T12:01:00Z' }, '/expires_at'],
    ['an empty action type', { action_type: ' ' }, '/action_type'],
    ['an action id of 256 characters', { action_id: 'a'.repeat(256) }, '/action_id'],
    ['metadata that is text', { metadata: 'x' }, '/metadata'],
    ['another way to refuse', { on_refusal: 'silence' }, '/on_refusal'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
    ['nobody', { external_id: undefined }, '/customer_id'],
  ])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await reserve(newPerson(), 1, more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('of what is not counted', () => {
    it.each(['ACCESS', 'LIFETIME'])('shows a leg of %s and takes nothing away', async (product_key) => {
      const external_id = newPerson();
      const batch_id = await grantUnits(app, external_id, product_key, 1);
      const before = await walletOf(app, external_id);
      const made = await hold(app, external_id, product_key, 3);
      expect(made).toMatchObject({ status: 'held', remaining: null, legs: [{ batch_id, product_key, amount: 3 }] });
      expect(await walletOf(app, external_id)).toEqual(before);
      const told = { kind: 'hold', direction: 'none', amount: 3, balance_after: 0, reservation_id: made.id };
      expect(await entriesOf(app, external_id, '&kind=hold')).toMatchObject([told]);
    });

    it('is refused when the access has ended', async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-02-01T00:00:00Z' });
      app.clock.set('2026-02-01T00:00:00.000Z');
      expectProblem(await reserve(external_id, 1, { product_key: 'ACCESS' }), 402, 'insufficient_quota');
    });

    it('is refused where its use could not be counted', async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'LIFETIME', 1);
      const product_key = 'LIFETIME';
      await app.post('/quota/consume', { external_id, product_key, amount: Number.MAX_SAFE_INTEGER });
      expectProblem(await reserve(external_id, 1, { product_key }), 409, 'quantity_too_large', '/amount');
    });
  });

  describe('with on_refusal: verdict', () => {
    const verdict = { on_refusal: 'verdict' };

    it('answers a shortage 200 with the members of the problem', async () => {
      const external_id = await personWith(2);
      const { type: _type, status: _status, instance: _instance, ...members } = (await reserve(external_id, 5)).body;
      expect(members).toMatchObject({ code: 'insufficient_quota', requested: 5, available: 2 });
      const answer = await reserve(external_id, 5, verdict);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ allowed: false, ...members });
    });

    it('answers an end that is too late 200', async () => {
      const answer = await reserve(await personWith(2), 1, { ...verdict, ttl_seconds: DAYS_7_S + 1 });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        allowed: false,
        code: 'reservation_too_long',
        errors: [{ pointer: '/ttl_seconds' }],
      });
    });

    it('leaves a reservation that is made as it is', async () => {
      const answer = await reserve(await personWith(2), 1, verdict);
      expect([answer.status, answer.body.allowed, answer.body.status]).toEqual([201, true, 'held']);
    });

    it('leaves an end in the past a problem', async () => {
      const answer = await reserve(await personWith(2), 1, { ...verdict, expires_at: NOW });
      expectProblem(answer, 400, 'invalid_request', '/expires_at');
    });
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => ({
      path: '/reservations',
      body: { external_id: await personWith(10), product_key: 'CREDITS', amount: 2 },
      other: { amount: 3 },
    }));

    it('takes a default for what it is', async () => {
      const external_id = await personWith(10);
      const first = await reserve(external_id, 1, { idempotency_key: 'k' });
      const again = await reserve(external_id, 1, { idempotency_key: 'k', ttl_seconds: 900, action_type: 'usage' });
      expect(again.text).toBe(first.text);
    });

    it('takes another end for another request', async () => {
      const external_id = await personWith(10);
      await reserve(external_id, 1, { idempotency_key: 'k' });
      const other = await reserve(external_id, 1, { idempotency_key: 'k', ttl_seconds: 901 });
      expectProblem(other, 422, 'idempotency_key_reused', '/idempotency_key');
    });

    it('does not remember a refusal', async () => {
      const external_id = newPerson();
      expectProblem(await reserve(external_id, 1, { idempotency_key: 'k' }), 402, 'insufficient_quota');
      await grantUnits(app, external_id, 'CREDITS', 1);
      expect((await reserve(external_id, 1, { idempotency_key: 'k' })).status).toBe(201);
    });
  });

  itNeedsAToken(app, 'post', '/reservations');
});
