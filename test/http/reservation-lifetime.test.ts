// How long a reservation lasts (DOMAIN 3.13): the end that it is made with, and its extension to a later one.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { hold } from '../support/holdings.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { customerIdOf, sendTogether } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, writtenBy } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';
/** The clock stands here when a test begins. */
const NOW = '2026-01-31T12:00:00.000Z';
const IN_15_MINUTES = '2026-01-31T12:15:00.000Z';
const IN_7_DAYS = '2026-02-07T12:00:00.000Z';
const DAYS_7_S = 7 * 24 * 3_600;

const app = useTestApp();

beforeAll(() => putProduct(app, 'CREDITS'));

async function personWith(units: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', units);
  return external_id;
}

const reserve = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/reservations', { external_id, product_key: 'CREDITS', amount, ...more });
const extend = (id: string, ttl_seconds: unknown, more: Json = {}) =>
  app.post(`/reservations/${id}/extend`, { ttl_seconds, ...more });

/** A reservation of 15 minutes. */
const holdOne = async () => hold(app, await personWith(1), 'CREDITS', 1);

describe('a reservation ends by itself', () => {
  it.each([
    ['so many seconds from now', { ttl_seconds: 90 }, '2026-01-31T12:01:30.000Z'],
    ['at an instant', { expires_at: '2026-01-31T13:00:00.001+01:00' }, '2026-01-31T12:00:00.001Z'],
    ['exactly 7 days from now', { ttl_seconds: DAYS_7_S }, IN_7_DAYS],
    ['at the instant 7 days from now', { expires_at: IN_7_DAYS }, IN_7_DAYS],
  ])('%s', async (_case, more, expires_at) => {
    expect(await hold(app, await personWith(1), 'CREDITS', 1, more)).toMatchObject({ status: 'held', expires_at });
  });

  it.each([
    ['that is now', { expires_at: NOW }, 400, 'invalid_request', '/expires_at'],
    ['in the past', { expires_at: '2026-01-31T11:59:59.999Z' }, 400, 'invalid_request', '/expires_at'],
    ['a second beyond 7 days', { ttl_seconds: DAYS_7_S + 1 }, 409, 'reservation_too_long', '/ttl_seconds'],
    [
      'a millisecond beyond 7 days',
      { expires_at: '2026-02-07T12:00:00.001Z' },
      409,
      'reservation_too_long',
      '/expires_at',
    ],
  ] as const)('is refused with an end %s, and holds nothing', async (_case, more, status, code, pointer) => {
    const external_id = await personWith(1);
    const written = await writtenBy(app, async () => {
      expectProblem(await reserve(external_id, 1, more), status, code, pointer);
    });
    expect(written).toEqual({});
  });
});

describe('POST /reservations/{id}/extend', () => {
  it('lets it end so many seconds from now', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const { id } = await hold(app, external_id, 'CREDITS', 4, { metadata: { model: 'x' } });
    app.clock.advance({ seconds: 60 });
    const answer = await extend(id, 3_600);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      operation_id: expect.any(String),
      id,
      customer_id: await customerIdOf(app, external_id),
      product_key: 'CREDITS',
      amount: 4,
      status: 'held',
      committed_amount: 0,
      expires_at: '2026-01-31T13:01:00.000Z',
      created_at: NOW,
      ended_at: null,
      legs: [{ batch_id, product_key: 'CREDITS', amount: 4 }],
      metadata: { model: 'x' },
    });
    const { operation_id: _operation, ...reservation } = answer.body;
    expect((await app.get(`/reservations/${id}`)).body).toEqual(reservation);
  });

  it('keeps it alive past its first end', async () => {
    const { id } = await holdOne();
    await extend(id, 3_600);
    app.clock.set('2026-01-31T12:59:59.999Z');
    expect((await app.post(`/reservations/${id}/commit`)).body.status).toBe('committed');
  });

  it('lets it end at its new end', async () => {
    const { id } = await holdOne();
    await extend(id, 3_600);
    app.clock.set('2026-01-31T13:00:00.000Z');
    expectProblem(await app.post(`/reservations/${id}/commit`), 409, 'reservation_expired');
  });

  it('never shortens it', async () => {
    const { id } = await holdOne();
    const answer = await extend(id, 60);
    expect([answer.status, answer.body.expires_at]).toEqual([200, IN_15_MINUTES]);
    expect((await app.get(`/reservations/${id}`)).body.expires_at).toBe(IN_15_MINUTES);
  });

  it('moves no units', async () => {
    const { id } = await holdOne();
    const written = await writtenBy(app, () => extend(id, 3_600));
    expect(written).toEqual({ operations: 1, reservations: 0 });
  });

  it('reaches 7 days after it was made, however often it is extended, and not a second more', async () => {
    const { id } = await holdOne();
    await extend(id, 6 * 24 * 3_600);
    app.clock.advance({ days: 1 });
    const written = await writtenBy(app, async () => {
      const answer = await extend(id, 6 * 24 * 3_600 + 1);
      expectProblem(answer, 409, 'reservation_too_long', '/ttl_seconds');
    });
    expect(written).toEqual({});
    expect((await extend(id, 6 * 24 * 3_600)).body.expires_at).toBe(IN_7_DAYS);
  });

  it('refuses what would end too late at once', async () => {
    const { id } = await holdOne();
    expectProblem(await extend(id, DAYS_7_S + 1), 409, 'reservation_too_long', '/ttl_seconds');
    expect((await app.get(`/reservations/${id}`)).body.expires_at).toBe(IN_15_MINUTES);
  });

  it('comes too late at the end', async () => {
    const { id } = await holdOne();
    app.clock.set(IN_15_MINUTES);
    const answer = await extend(id, 3_600);
    expectProblem(answer, 409, 'reservation_expired');
    expect(answer.body.reservation_status).toBe('expired');
  });

  it('lets it end at the latest of two that come at once', async () => {
    const { id } = await holdOne();
    const answers = await sendTogether(2, (index) => extend(id, [7_200, 3_600][index]));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await app.get(`/reservations/${id}`)).body.expires_at).toBe('2026-01-31T14:00:00.000Z');
  });

  it.each([
    ['no ttl', undefined],
    ['a ttl of 0', 0],
    ['a negative ttl', -1],
    ['a ttl with a fraction', 1.5],
    ['a ttl that is no number as one writes it', '060'],
    ['a ttl of null', null],
  ])('refuses %s, and changes nothing', async (_case, ttl) => {
    const { id } = await holdOne();
    const written = await writtenBy(app, async () => {
      expectProblem(await extend(id, ttl), 400, 'invalid_request', '/ttl_seconds');
    });
    expect(written).toEqual({});
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => {
      const { id } = await holdOne();
      return { path: `/reservations/${id}/extend`, body: { ttl_seconds: 3_600 }, other: { ttl_seconds: 7_200 } };
    });

    it('is answered as it was although the reservation has ended since', async () => {
      const { id } = await holdOne();
      const first = await extend(id, 3_600, { idempotency_key: 'k' });
      await app.post(`/reservations/${id}/commit`);
      const again = await extend(id, 3_600, { idempotency_key: 'k' });
      expect([again.status, again.text]).toEqual([200, first.text]);
    });
  });

  itNeedsAToken(app, 'post', `/reservations/${UNKNOWN_ID}/extend`);
});
