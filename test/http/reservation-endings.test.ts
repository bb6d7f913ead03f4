// How a reservation is ended (DOMAIN 3.13): committed, wholly or in part, or released. Beyond what is held: reservation-excess.test.ts. The same
// ending again, and another one: reservation-one-ending.test.ts. By the clock: reservation-expiry.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, ledgerOf, walletOf } from '../support/holdings.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { customerIdOf, sendTogether } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
});

const commit = (id: string, body: Json = {}) => app.post(`/reservations/${id}/commit`, body);
const release = (id: string, body: Json = {}) => app.post(`/reservations/${id}/release`, body);

/** Somebody with ten units in one batch, four of them held. */
async function holdFour(more: Json = {}) {
  const external_id = newPerson();
  const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
  const { id } = await hold(app, external_id, 'CREDITS', 4, more);
  return { external_id, batch_id, id };
}

describe('POST /reservations/{id}/commit', () => {
  it('refuses a field that it does not know, because a misspelt amount would commit all of it', async () => {
    const { id } = await holdFour();
    const answer = await commit(id, { amuont: 1 });
    expectProblem(answer, 400, 'invalid_request', '/amuont');
    expect((await app.get(`/reservations/${id}`)).body.status).toBe('held');
  });

  it('uses all that is held when it says no more', async () => {
    const { external_id, batch_id, id } = await holdFour({ metadata: { model: 'x' } });
    app.clock.advance({ seconds: 30 });
    const answer = await commit(id);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      operation_id: expect.any(String),
      id,
      customer_id: await customerIdOf(app, external_id),
      product_key: 'CREDITS',
      amount: 4,
      status: 'committed',
      committed_amount: 4,
      expires_at: '2026-01-31T12:15:00.000Z',
      created_at: '2026-01-31T12:00:00.000Z',
      ended_at: '2026-01-31T12:00:30.000Z',
      legs: [{ batch_id, product_key: 'CREDITS', amount: 4 }],
      metadata: { model: 'x' },
      taken: [{ batch_id, product_key: 'CREDITS', amount: 4 }],
      returned: 0,
      expired: 0,
      revoked: 0,
      remaining: 6,
      warnings: [],
    });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 6 }, held: {} });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 6, held: 0, consumed: 4 });
  });

  it('of 0 is a release', async () => {
    const { external_id, batch_id, id } = await holdFour();
    const answer = await commit(id, { amount: 0 });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'released',
      committed_amount: 0,
      taken: [],
      returned: 4,
      expired: 0,
      remaining: 10,
    });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 10 }, held: {} });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 10, held: 0, consumed: 0 });
    expect((await entriesOf(app, external_id)).map(({ kind }) => kind)).toEqual(['grant', 'hold', 'release']);
    expect((await app.get(`/reservations/${id}`)).body.status).toBe('released');
  });

  it('of 0 and a release replay each other, and another commit is another ending', async () => {
    for (const [first, second] of [
      [(id: string) => commit(id, { amount: '0' }), (id: string) => release(id)],
      [(id: string) => release(id), (id: string) => commit(id, { amount: 0, allow_excess: true })],
    ] as const) {
      const { id } = await holdFour();
      const ended = await first(id);
      const again = await second(id);
      expect([again.status, again.text]).toEqual([200, ended.text]);
      expectProblem(await commit(id, { amount: 1 }), 409, 'reservation_closed');
    }
    const { id } = await holdFour();
    await commit(id, { amount: 1 });
    expectProblem(await commit(id, { amount: 0 }), 409, 'reservation_closed');
  });

  it('of 0 is refused once the hold has lapsed', async () => {
    const { id } = await holdFour({ ttl_seconds: 60 });
    app.clock.advance({ seconds: 60 });
    expectProblem(await commit(id, { amount: 0 }), 409, 'reservation_expired');
  });

  it('of 0 has the keys of releases: the same key gives its answer again, and another commit with it does nothing', async () => {
    const { external_id, id } = await holdFour();
    const answers = [1, 2].map(() => commit(id, { amount: 0, idempotency_key: 'nothing-used' }));
    const [first, again] = await Promise.all(answers);
    expect(again?.text).toBe(first?.text);
    const written = await writtenBy(app, async () => {
      const key = { idempotency_key: 'nothing-used' };
      expect((await release(id, key)).headers['idempotent-replayed']).toBe('true');
      expectProblem(await commit(id, { amount: 4, ...key }), 409, 'reservation_closed');
    });
    expect(written).toEqual({});
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 10 }, held: {} });
  });

  it('uses a part, and the rest comes back', async () => {
    const { external_id, batch_id, id } = await holdFour();
    const answer = await commit(id, { amount: 3 });
    expect(answer.body).toMatchObject({
      status: 'committed',
      amount: 4,
      committed_amount: 3,
      taken: [{ batch_id, product_key: 'CREDITS', amount: 3 }],
      returned: 1,
      remaining: 7,
    });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 7 }, held: {} });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 7, held: 0, consumed: 3 });
  });

  it('uses the batches in the order in which they were held, and gives the others back', async () => {
    const external_id = newPerson();
    const last = await grantUnits(app, external_id, 'CREDITS', 5);
    const first = await grantUnits(app, external_id, 'CREDITS', 2, { priority: -1 });
    const { id } = await hold(app, external_id, 'CREDITS', 6);
    const answer = await commit(id, { amount: 3 });
    expect(answer.body.taken).toEqual([
      { batch_id: first, product_key: 'CREDITS', amount: 2 },
      { batch_id: last, product_key: 'CREDITS', amount: 1 },
    ]);
    expect(answer.body.returned).toBe(3);
    expect(await batchOf(app, external_id, first)).toMatchObject({ available: 0, held: 0, consumed: 2 });
    expect(await batchOf(app, external_id, last)).toMatchObject({ available: 4, held: 0, consumed: 1 });
  });

  it('tells the ledger what was used before what came back, with the reservation’s action', async () => {
    const { external_id, batch_id, id } = await holdFour({
      action_type: 'render',
      action_id: 'r-1',
      metadata: { a: 1 },
    });
    const { body } = await commit(id, { amount: 3 });
    const told = {
      batch_id,
      reservation_id: id,
      operation_id: body.operation_id,
      action_type: 'render',
      action_id: 'r-1',
      metadata: { a: 1 },
      feature: null,
      unit_cost: null,
    };
    expect((await entriesOf(app, external_id)).slice(2)).toMatchObject([
      { ...told, kind: 'commit', direction: 'none', amount: 3, balance_after: 6 },
      { ...told, kind: 'release', direction: 'credit', amount: 1, balance_after: 7 },
    ]);
  });

  it('writes one operation, and an entry for each thing that happened', async () => {
    const { id } = await holdFour();
    const written = await writtenBy(app, () => commit(id, { amount: 3 }));
    expect(written).toEqual({
      idempotency_records: 1,
      customers: 0,
      operations: 1,
      reservations: 0,
      batches: 0,
      balances: 0,
      entries: 2,
    });
  });

  it('logs the use of access and takes nothing away', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    const { id } = await hold(app, external_id, 'ACCESS', 3);
    const answer = await commit(id, { amount: 2 });
    expect(answer.body).toMatchObject({
      committed_amount: 2,
      taken: [{ batch_id, product_key: 'ACCESS', amount: 2 }],
      returned: 1,
      remaining: null,
    });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ granted: null, consumed: 2, held: 0 });
    expect(await ledgerOf(app, external_id)).toEqual([
      ['grant', 1, 0],
      ['hold', 3, 0],
      ['commit', 2, 0],
      ['release', 1, 0],
    ]);
  });

  it.each<[string, Json, string]>([
    ['a negative amount', { amount: -1 }, '/amount'],
    ['an amount with a fraction', { amount: 1.5 }, '/amount'],
    ['an amount that is text', { amount: 'one' }, '/amount'],
    ['an amount of null', { amount: null }, '/amount'],
    ['an excess that is text', { allow_excess: 'yes' }, '/allow_excess'],
    ['an empty key', { idempotency_key: '' }, '/idempotency_key'],
  ])('refuses %s, and ends nothing', async (_case, body, pointer) => {
    const { id } = await holdFour();
    const written = await writtenBy(app, async () => {
      expectProblem(await commit(id, body), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => {
      const { id } = await holdFour();
      return { path: `/reservations/${id}/commit`, body: { amount: 2 }, other: { amount: 3 } };
    });

    it('refuses the key of another reservation’s commit, and ends nothing', async () => {
      const { external_id, id } = await holdFour();
      const other = await hold(app, external_id, 'CREDITS', 4);
      await commit(id, { idempotency_key: 'k' });
      const written = await writtenBy(app, async () => {
        const answer = await commit(other.id, { idempotency_key: 'k' });
        expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
      });
      expect(written).toEqual({});
    });
  });

  itNeedsAToken(app, 'post', `/reservations/${UNKNOWN_ID}/commit`);
});

describe('POST /reservations/{id}/release', () => {
  it('gives everything back', async () => {
    const { external_id, batch_id, id } = await holdFour();
    app.clock.advance({ seconds: 30 });
    const answer = await release(id);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      operation_id: expect.any(String),
      id,
      customer_id: await customerIdOf(app, external_id),
      product_key: 'CREDITS',
      amount: 4,
      status: 'released',
      committed_amount: 0,
      expires_at: '2026-01-31T12:15:00.000Z',
      created_at: '2026-01-31T12:00:00.000Z',
      ended_at: '2026-01-31T12:00:30.000Z',
      legs: [{ batch_id, product_key: 'CREDITS', amount: 4 }],
      metadata: {},
      taken: [],
      returned: 4,
      expired: 0,
      revoked: 0,
      remaining: 10,
      warnings: [],
    });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 10 }, held: {} });
  });

  it('credits every batch with an entry of its own', async () => {
    const external_id = newPerson();
    const last = await grantUnits(app, external_id, 'CREDITS', 5);
    const first = await grantUnits(app, external_id, 'CREDITS', 2, { priority: -1 });
    const { id } = await hold(app, external_id, 'CREDITS', 6);
    const { body } = await release(id);
    const told = { kind: 'release', direction: 'credit', reservation_id: id, operation_id: body.operation_id };
    expect((await entriesOf(app, external_id)).slice(4)).toMatchObject([
      { ...told, batch_id: first, amount: 2, balance_after: 3 },
      { ...told, batch_id: last, amount: 4, balance_after: 7 },
    ]);
  });

  it('lets the units be used again', async () => {
    const { external_id, id } = await holdFour();
    await release(id);
    const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 10 });
    expect(answer.body.remaining).toBe(0);
  });

  it('counts nothing as used of access', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    const { id } = await hold(app, external_id, 'ACCESS', 3);
    expect((await release(id)).body).toMatchObject({ returned: 3, expired: 0, remaining: null });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ consumed: 0, held: 0 });
  });

  it('needs no body', async () => {
    const { id } = await holdFour();
    expect((await release(id)).body.status).toBe('released');
  });

  describe('with a key', () => {
    it('gives the first answer again, byte for byte, after days too, and writes nothing', async () => {
      const { id } = await holdFour();
      const first = await release(id, { idempotency_key: 'k' });
      expect(first.headers['idempotent-replayed']).toBeUndefined();
      app.clock.advance({ days: 40 });
      const written = await writtenBy(app, async () => {
        const again = await release(id, { idempotency_key: 'k' });
        expect(again.text).toBe(first.text);
        expect(again.headers['idempotent-replayed']).toBe('true');
      });
      expect(written).toEqual({});
    });

    it('refuses the key of another reservation’s release, and ends nothing', async () => {
      const { external_id, id } = await holdFour();
      const other = await hold(app, external_id, 'CREDITS', 1);
      await release(id, { idempotency_key: 'k' });
      const written = await writtenBy(app, async () => {
        const answer = await release(other.id, { idempotency_key: 'k' });
        expectProblem(answer, 422, 'idempotency_key_reused', '/idempotency_key');
      });
      expect(written).toEqual({});
    });

    it('acts once when two come at once', async () => {
      const { id } = await holdFour();
      const written = await writtenBy(app, async () => {
        const [one, two] = await sendTogether(2, () => release(id, { idempotency_key: 'k' }));
        expect(one?.status).toBe(200);
        expect(two?.text).toBe(one?.text);
      });
      expect(written).toMatchObject({ operations: 1, entries: 1 });
    });
  });

  itNeedsAToken(app, 'post', `/reservations/${UNKNOWN_ID}/release`);
});
