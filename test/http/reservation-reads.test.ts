// How reservations are read: one by its id, and a customer's in pages. What readers see of one that has lapsed is tested in
// reservation-expiry.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { hold } from '../support/holdings.js';
import { customerIdOf } from '../support/parallel.js';
import { expectProblem, itNeedsAToken, newPerson, readPages } from '../support/requests.js';

const UNKNOWN_ID = '01900000-0000-7000-8000-000000000000';

const app = useTestApp();

beforeAll(() => putProduct(app, 'CREDITS'));

async function personWith(units: number): Promise<string> {
  const external_id = newPerson();
  await grantUnits(app, external_id, 'CREDITS', units);
  return external_id;
}

describe('GET /reservations/{id}', () => {
  it('shows the reservation as it was made, in any case of its id', async () => {
    const made = await hold(app, await personWith(10), 'CREDITS', 3, { metadata: { model: 'x' } });
    const {
      allowed: _allowed,
      operation_id: _operation,
      remaining: _remaining,
      warnings: _warnings,
      ...reservation
    } = made;
    const answer = await app.get(`/reservations/${made.id.toUpperCase()}`);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(reservation);
  });

  it('does not know an id that no reservation has', async () => {
    expectProblem(await app.get(`/reservations/${UNKNOWN_ID}`), 404, 'reservation_not_found', 'path/id');
  });

  it('refuses an id that is none', async () => {
    expectProblem(await app.get('/reservations/first'), 400, 'invalid_request', 'path/id');
  });

  itNeedsAToken(app, 'get', `/reservations/${UNKNOWN_ID}`);
});

describe('GET /reservations', () => {
  const idsOf = async (path: string) => (await app.get(path)).body.data.map(({ id }: Json) => id);

  it('lists the newest first, also those of one instant', async () => {
    const external_id = await personWith(10);
    const made: string[] = [];
    for (let count = 0; count < 3; count += 1) made.push((await hold(app, external_id, 'CREDITS', 1)).id);
    app.clock.advance({ seconds: 1 });
    made.push((await hold(app, external_id, 'CREDITS', 1)).id);
    expect(await idsOf(`/reservations?external_id=${external_id}`)).toEqual(made.reverse());
  });

  it('gives every one once in pages that an insert does not shift', async () => {
    const external_id = await personWith(10);
    const made: string[] = [];
    for (let count = 0; count < 4; count += 1) made.unshift((await hold(app, external_id, 'CREDITS', 1)).id);
    const path = `/reservations?external_id=${external_id}`;
    const first = await app.get(`${path}&limit=2`);
    await hold(app, external_id, 'CREDITS', 1);
    const second = await app.get(`${path}&limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.data, ...second.body.data].map(({ id }: Json) => id)).toEqual(made);
    expect(second.body.next_cursor).toBeNull();
  });

  it('filters by status, page by page', async () => {
    const external_id = await personWith(20);
    const ids: string[] = [];
    for (let count = 0; count < 6; count += 1) ids.push((await hold(app, external_id, 'CREDITS', 1)).id);
    const lapsing = await hold(app, external_id, 'CREDITS', 1, { ttl_seconds: 1 });
    for (const id of ids.slice(0, 3)) await app.post(`/reservations/${id}/commit`);
    await app.post(`/reservations/${ids[3]}/release`);
    app.clock.advance({ seconds: 1 });
    const path = `/reservations?external_id=${external_id}&status=`;
    const pages = await readPages(app, `${path}committed`, 2);
    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([[ids[2], ids[1]], [ids[0]]]);
    expect(await idsOf(`${path}released`)).toEqual([ids[3]]);
    expect(await idsOf(`${path}held`)).toEqual([ids[5], ids[4]]);
    expect(await idsOf(`${path}expired`)).toEqual([lapsing.id]);
  });

  it('is empty for a customer who holds nothing, and shows nobody else’s', async () => {
    const external_id = newPerson();
    const customer_id = await customerIdOf(app, external_id);
    await hold(app, await personWith(1), 'CREDITS', 1);
    const answer = await app.get(`/reservations?customer_id=${customer_id}`);
    expect(answer.body).toEqual({ data: [], next_cursor: null });
  });

  it('does not know a person whom nobody has seen', async () => {
    const answer = await app.get(`/reservations?external_id=${newPerson()}`);
    expectProblem(answer, 404, 'customer_not_found', 'query/external_id');
  });

  it('refuses selectors that name two customers', async () => {
    const external_id = newPerson();
    await customerIdOf(app, external_id);
    const customer_id = await customerIdOf(app, newPerson());
    const answer = await app.get(`/reservations?external_id=${external_id}&customer_id=${customer_id}`);
    expectProblem(answer, 409, 'selector_conflict', 'query/external_id');
  });

  it.each([
    ['status=open', 'query/status'],
    ['limit=0', 'query/limit'],
    ['limit=201', 'query/limit'],
    ['cursor=!', 'query/cursor'],
    ['state=held', 'query/state'],
  ])('refuses ?%s', async (query, pointer) => {
    const external_id = await personWith(1);
    const answer = await app.get(`/reservations?external_id=${external_id}&${query}`);
    expectProblem(answer, 400, 'invalid_request', pointer);
  });

  it('refuses to list those of everybody', async () => {
    expectProblem(await app.get('/reservations'), 400, 'invalid_request', 'query/customer_id');
  });

  itNeedsAToken(app, 'get', '/reservations');
});
