// Giving back what features, reservations and overdrafts took: whole units, the costs of then, and debts before units.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const END = '2026-02-01T00:00:00.000Z';
let worlds = 0;

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAR', { is_currency: true });
});

const giveBack = (operation_id: string, more: Json = {}) => app.post('/quota/release', { operation_id, ...more });

/** Sends what must succeed and returns the answer's body. */
async function done(path: string, body: Json): Promise<Json & { operation_id: string }> {
  const answer = await app.post(path, body);
  expect([200, 201], answer.text).toContain(answer.status);
  return answer.body;
}

async function entriesOf(external_id: string, operation_id: unknown): Promise<unknown[][]> {
  const answer = await app.get(`/wallet/entries?external_id=${external_id}&operation_id=${operation_id}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data
    .reverse()
    .map((entry: Json) => [entry.kind, entry.amount, entry.balance_after, entry.reverses_seq]);
}

async function balancesOf(external_id: string): Promise<Json> {
  return (await app.get(`/wallet?external_id=${external_id}`)).body.balances;
}

describe('what a feature took', () => {
  /** A feature of this test alone, which a product pays for at 3 and a pool at 4. */
  async function makeWorld() {
    worlds += 1;
    const feature = `draw_${worlds}`;
    const direct = `DIRECT_${worlds}`;
    const pool = `POOL_${worlds}`;
    await putProduct(app, direct, { features: [{ feature, unit_cost: 3 }] });
    await putProduct(app, pool, { features: [{ feature, unit_cost: 4 }, { feature: `film_${worlds}` }] });
    return { external_id: newPerson(), feature, direct, pool };
  }

  it('comes back in whole units of the feature, restored in units of the product', async () => {
    const { external_id, feature, direct } = await makeWorld();
    const batch_id = await grantUnits(app, external_id, direct, 10);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 3 });
    const { body } = await giveBack(operation_id, { amount: 2 });
    expect(body).toEqual({
      operation_id: expect.any(String),
      feature,
      amount: 2,
      returned: 2,
      expired: 0,
      revoked: 0,
      restored: [{ batch_id, product_key: direct, amount: 6 }],
      remaining: 2,
      metadata: {},
    });
    const refused = await giveBack(operation_id, { amount: 2 });
    expectProblem(refused, 409, 'release_exceeds_usage', '/amount');
    expect(refused.body).toMatchObject({ requested: 2, available: 1 });
  });

  it('keeps its feature and its cost in the ledger', async () => {
    const { external_id, feature, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 10);
    await giveBack((await done('/quota/consume', { external_id, feature, amount: 2 })).operation_id);
    const answer = await app.get(`/wallet/entries?external_id=${external_id}&kind=reverse`);
    expect(answer.body.data).toMatchObject([{ product_key: direct, amount: 6, feature, unit_cost: 3 }]);
  });

  it('comes back to several batches when one unit was paid by both', async () => {
    const { external_id, feature, direct } = await makeWorld();
    const first = await grantUnits(app, external_id, direct, 4);
    const second = await grantUnits(app, external_id, direct, 5);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 3 });
    expect((await giveBack(operation_id, { amount: 1 })).body.restored).toMatchObject([
      { batch_id: second, amount: 3 },
    ]);
    expect((await giveBack(operation_id, { amount: 1 })).body.restored).toMatchObject([
      { batch_id: second, amount: 2 },
      { batch_id: first, amount: 1 },
    ]);
  });

  it('comes back to the product that paid last first, each unit at its product’s cost', async () => {
    const { external_id, feature, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 7);
    await grantUnits(app, external_id, pool, 9);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 4 });
    expect(await balancesOf(external_id)).toEqual({ [direct]: 1, [pool]: 1 });
    const { body } = await giveBack(operation_id, { amount: 3 });
    expect(body.restored).toMatchObject([
      { product_key: pool, amount: 8 },
      { product_key: direct, amount: 3 },
    ]);
    expect(body).toMatchObject({ returned: 3, remaining: 3 });
    expect(await balancesOf(external_id)).toEqual({ [direct]: 4, [pool]: 9 });
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 1, returned: 1, remaining: 4 });
  });

  it('comes back at the costs of then; what remains is counted at those of now', async () => {
    const { external_id, feature, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 10);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 2 });
    await putProduct(app, direct, { features: [{ feature, unit_cost: 5 }], force: true });
    const { body } = await giveBack(operation_id, { amount: 1 });
    expect(body).toMatchObject({ amount: 1, returned: 1, remaining: 1, restored: [{ amount: 3 }] });
  });

  it('comes back when nothing provides the feature any more', async () => {
    const { external_id, feature, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 10);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 2 });
    await putProduct(app, direct, { features: [], force: true });
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 2, returned: 2, remaining: 0 });
    expect(await balancesOf(external_id)).toEqual({ [direct]: 10 });
  });

  it('counts a unit as expired when a part of it came back to a batch that had ended', async () => {
    const { external_id, feature, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 4, { expires_at: END });
    await grantUnits(app, external_id, direct, 5);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 3 });
    app.clock.set(END);
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ amount: 3, returned: 1, expired: 2, remaining: 1 });
    expect(await balancesOf(external_id)).toEqual({ [direct]: 5 });
  });

  it('is not counted when access paid for it', async () => {
    worlds += 1;
    const feature = `draw_${worlds}`;
    await putProduct(app, `ACCESS_${worlds}`, { type: 'period', features: [{ feature, unit_cost: 2 }] });
    const external_id = newPerson();
    await grantUnits(app, external_id, `ACCESS_${worlds}`, 1);
    const { operation_id } = await done('/quota/consume', { external_id, feature, amount: 5 });
    const { body } = await giveBack(operation_id, { amount: 2 });
    expect(body).toMatchObject({ returned: 2, remaining: null, restored: [{ amount: 4 }] });
    const batches = await app.get(`/wallet/batches?external_id=${external_id}`);
    expect(batches.body.data).toMatchObject([{ consumed: 6 }]);
  });
});

describe('what a reservation used', () => {
  const hold = (external_id: string, amount: number) =>
    done('/reservations', { external_id, product_key: 'CREDITS', amount });

  it('comes back by its commit, and no more than that', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const { id } = await hold(external_id, 5);
    const { operation_id } = await done(`/reservations/${id}/commit`, { amount: 3 });
    const refused = await giveBack(operation_id, { amount: 4 });
    expectProblem(refused, 409, 'release_exceeds_usage', '/amount');
    expect(refused.body.available).toBe(3);
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ product_key: 'CREDITS', amount: 3, returned: 3, remaining: 10 });
    expect(body.restored).toEqual([{ batch_id, product_key: 'CREDITS', amount: 3 }]);
    expect(await entriesOf(external_id, body.operation_id)).toEqual([['reverse', 3, 10, 3]]);
    const reservation = await app.get(`/reservations/${id}`);
    expect(reservation.body).toMatchObject({ status: 'committed', committed_amount: 3 });
  });

  it('comes back with its excess, which was used last', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'CREDITS', 5, { priority: -1 });
    const second = await grantUnits(app, external_id, 'CREDITS', 5);
    const { id } = await hold(external_id, 5);
    const { operation_id } = await done(`/reservations/${id}/commit`, { amount: 7, allow_excess: true });
    const { body } = await giveBack(operation_id, { amount: 6 });
    expect(body).toMatchObject({ returned: 6, remaining: 9 });
    expect(body.restored).toMatchObject([
      { batch_id: second, amount: 2 },
      { batch_id: first, amount: 4 },
    ]);
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 1, returned: 1, remaining: 10 });
  });

  it('expires when it comes back to a batch that ended under the hold', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: END });
    const { id } = await done('/reservations', {
      external_id,
      product_key: 'CREDITS',
      amount: 5,
      expires_at: '2026-02-02T00:00:00Z',
    });
    app.clock.set('2026-02-01T12:00:00.000Z');
    const { operation_id } = await done(`/reservations/${id}/commit`, { amount: 4 });
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 4, returned: 0, expired: 4, remaining: 0 });
  });

  it.each([
    ['release', {}],
    ['extend', { ttl_seconds: 1_000 }],
  ])('does not come back by a reservation’s %s', async (ending, body) => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    const { id } = await hold(external_id, 5);
    const { operation_id } = await done(`/reservations/${id}/${ending}`, body);
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(operation_id), 409, 'not_reversible', '/operation_id');
    });
    expect(written).toEqual({});
  });
});

describe('what a deduction took', () => {
  const deduct = (external_id: string, amount: number, more: Json = { allow_negative: true }) =>
    done('/credits/deduct', { external_id, product_key: 'STAR', amount, ...more });

  it('comes back', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 10);
    const { operation_id } = await deduct(external_id, 6, {});
    const { body } = await giveBack(operation_id, { amount: 4 });
    expect(body).toMatchObject({ product_key: 'STAR', returned: 4, remaining: 8, restored: [{ batch_id, amount: 4 }] });
  });

  it('is forgiven as far as it is owed, before units come back', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 4); // 1
    const { operation_id } = await deduct(external_id, 10); // 2 takes 4, 3 owes 6
    const first = await giveBack(operation_id, { amount: 5 });
    expect(first.body).toMatchObject({ amount: 5, returned: 5, expired: 0, restored: [], remaining: 0 });
    expect(await entriesOf(external_id, first.body.operation_id)).toEqual([['forgive', 5, -1, 3]]);
    const second = await giveBack(operation_id, { amount: 3 });
    expect(second.body).toMatchObject({ returned: 3, remaining: 2, restored: [{ batch_id, amount: 2 }] });
    expect(await entriesOf(external_id, second.body.operation_id)).toEqual([
      ['forgive', 1, 0, 3],
      ['reverse', 2, 2, 2],
    ]);
    expect((await giveBack(operation_id)).body).toMatchObject({ amount: 2, returned: 2, remaining: 4 });
    expectProblem(await giveBack(operation_id), 409, 'release_exceeds_usage');
  });

  it('stays as far as it was repaid', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 4);
    const { operation_id } = await deduct(external_id, 10);
    await grantUnits(app, external_id, 'STAR', 5);
    const written = await writtenBy(app, async () => {
      expectProblem(await giveBack(operation_id, { amount: 6 }), 409, 'not_reversible', '/amount');
      expectProblem(await giveBack(operation_id, { amount: 10 }), 409, 'not_reversible', '/amount');
      expectProblem(await giveBack(operation_id, { amount: 11 }), 409, 'release_exceeds_usage', '/amount');
    });
    expect(written).toEqual({});
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ amount: 5, returned: 5, remaining: 4 });
    expect(await balancesOf(external_id)).toEqual({ STAR: 4 });
    expectProblem(await giveBack(operation_id), 409, 'not_reversible');
  });

  it('repays with what comes back whatever else is owed', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 6); // 1
    const { operation_id } = await deduct(external_id, 6); // 2
    const later = await deduct(external_id, 4); // 3
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ amount: 6, returned: 6, remaining: 2, restored: [{ batch_id, amount: 6 }] });
    expect(await entriesOf(external_id, body.operation_id)).toEqual([
      ['reverse', 6, 2, 2],
      ['repay', 4, 2, null],
    ]);
    expectProblem(await giveBack(later.operation_id), 409, 'not_reversible');
  });

  it('repays nothing with units whose batch has ended', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'STAR', 6, { expires_at: END });
    const { operation_id } = await deduct(external_id, 6);
    await deduct(external_id, 4);
    app.clock.set(END);
    const { body } = await giveBack(operation_id);
    expect(body).toMatchObject({ amount: 6, returned: 0, expired: 6, remaining: 0 });
    expect(await balancesOf(external_id)).toEqual({ STAR: -4 });
  });

  it('comes back to a batch that is not valid yet, where it waits', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 6, { valid_from: END });
    const { operation_id } = await deduct(external_id, 5);
    const { body } = await giveBack(operation_id, { amount: 3 });
    expect(body).toMatchObject({ returned: 3, expired: 0, remaining: 0, restored: [{ batch_id, amount: 3 }] });
    expect(await balancesOf(external_id)).toEqual({ STAR: 0 });
    app.clock.set(END);
    expect(await balancesOf(external_id)).toEqual({ STAR: 4 });
    expect((await giveBack(operation_id)).body).toMatchObject({ returned: 2, remaining: 6 });
  });
});
