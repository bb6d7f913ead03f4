// Reservations of features: whole feature units over several products, at the costs of reserve time until they end (DOMAIN 3.4, 3.13).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, walletOf } from '../support/holdings.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
let worlds = 0;

/** A product for `draw` at 3, and a pool for `draw` at 4 and `film` at 10, of this test alone. */
async function makeWorld() {
  worlds += 1;
  const world = {
    external_id: newPerson(),
    draw: `draw_${worlds}`,
    film: `film_${worlds}`,
    direct: `DIRECT_${worlds}`,
    pool: `POOL_${worlds}`,
  };
  await putCosts(world.direct, { [world.draw]: 3 });
  await putCosts(world.pool, { [world.draw]: 4, [world.film]: 10 });
  return world;
}

async function putCosts(product: string, costs: Record<string, number>, more: Json = {}): Promise<void> {
  const features = Object.entries(costs).map(([feature, unit_cost]) => ({ feature, unit_cost }));
  await putProduct(app, product, { features, ...more });
}

const holdFeature = (external_id: string, feature: string, amount: number) =>
  hold(app, external_id, '', amount, { product_key: undefined, feature });
const commit = (id: string, body: Json = {}) => app.post(`/reservations/${id}/commit`, body);
const release = (id: string) => app.post(`/reservations/${id}/release`);

beforeAll(() => putProduct(app, 'OTHER'));

describe('a reservation of a feature', () => {
  it('holds product units, and is counted in its own', async () => {
    const { external_id, draw, direct } = await makeWorld();
    const batch_id = await grantUnits(app, external_id, direct, 10);
    const made = await holdFeature(external_id, draw, 2);
    expect(made).toMatchObject({
      feature: draw,
      amount: 2,
      remaining: 1,
      legs: [{ batch_id, product_key: direct, amount: 6 }],
    });
    expect(made).not.toHaveProperty('product_key');
    const wallet = await walletOf(app, external_id);
    expect(wallet).toMatchObject({ balances: { [direct]: 4 }, held: { [direct]: 6 } });
    expect(wallet.features[draw]).toEqual({ can_use: true, remaining: 1 });
    expect((await app.get(`/reservations/${made.id}`)).body).toMatchObject({ feature: draw, amount: 2 });
  });

  it('holds whole units of each product, the direct one first', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, pool, 9, { priority: -1 });
    await grantUnits(app, external_id, direct, 7);
    const made = await holdFeature(external_id, draw, 3);
    expect(made.legs).toMatchObject([
      { product_key: direct, amount: 6 },
      { product_key: pool, amount: 4 },
    ]);
    expect(made.remaining).toBe(1);
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 1, [pool]: 5 });
  });

  it('is not paid by the remainders of several products', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 5);
    await grantUnits(app, external_id, pool, 7);
    const answer = await app.post('/reservations', { external_id, feature: draw, amount: 3 });
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body).toMatchObject({ requested: 3, available: 2 });
  });

  it('commits whole units in the order of use, and the rest comes back to its products', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 6);
    await grantUnits(app, external_id, pool, 8);
    const { id } = await holdFeature(external_id, draw, 4);
    const answer = await commit(id, { amount: 3 });
    expect(answer.body).toMatchObject({ feature: draw, committed_amount: 3, returned: 1, remaining: 1 });
    expect(answer.body.taken).toMatchObject([
      { product_key: direct, amount: 6 },
      { product_key: pool, amount: 4 },
    ]);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { [direct]: 0, [pool]: 4 }, held: {} });
  });

  it('commits part of what a product holds over several of its batches', async () => {
    const { external_id, draw, direct } = await makeWorld();
    const first = await grantUnits(app, external_id, direct, 4);
    app.clock.advance({ ms: 1 });
    const second = await grantUnits(app, external_id, direct, 5);
    const { id, legs } = await holdFeature(external_id, draw, 3);
    expect(legs).toMatchObject([
      { batch_id: first, amount: 4 },
      { batch_id: second, amount: 5 },
    ]);
    const answer = await commit(id, { amount: 2 });
    expect(answer.body.taken).toMatchObject([
      { batch_id: first, amount: 4 },
      { batch_id: second, amount: 2 },
    ]);
    expect(answer.body).toMatchObject({ returned: 1, remaining: 1 });
  });

  it('tells the ledger the feature and its cost in every entry', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 3);
    await grantUnits(app, external_id, pool, 8);
    const { id } = await holdFeature(external_id, draw, 3);
    await commit(id, { amount: 2 });
    const told = (await entriesOf(app, external_id)).slice(2);
    expect(told.every(({ feature, reservation_id }) => feature === draw && reservation_id === id)).toBe(true);
    expect(told.map(({ kind, product_key, amount, unit_cost }) => [kind, product_key, amount, unit_cost])).toEqual([
      ['hold', direct, 3, 3],
      ['hold', pool, 8, 4],
      ['commit', direct, 3, 3],
      ['commit', pool, 4, 4],
      ['release', pool, 4, 4],
    ]);
  });

  it('releases what each product held, in feature units', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 7);
    await grantUnits(app, external_id, pool, 9);
    const { id } = await holdFeature(external_id, draw, 4);
    expect((await release(id)).body).toMatchObject({ returned: 4, expired: 0, remaining: 4 });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { [direct]: 7, [pool]: 9 }, held: {} });
  });

  it('takes an excess over another product', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 7);
    await grantUnits(app, external_id, pool, 9);
    const { id } = await holdFeature(external_id, draw, 1);
    const answer = await commit(id, { amount: 4, allow_excess: true });
    expect(answer.body).toMatchObject({ committed_amount: 4, remaining: 0 });
    expect(answer.body.taken).toMatchObject([
      { product_key: direct, amount: 3 },
      { product_key: direct, amount: 3 },
      { product_key: pool, amount: 8 },
    ]);
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 1, [pool]: 1 });
  });

  it('takes an excess over as many batches as it needs', async () => {
    const { external_id, film, pool } = await makeWorld();
    for (let made = 0; made < 40; made += 1) await grantUnits(app, external_id, pool, 5);
    const { id } = await holdFeature(external_id, film, 1);
    const answer = await commit(id, { amount: 20, allow_excess: true });
    expect(answer.body).toMatchObject({ committed_amount: 20, remaining: 0 });
    expect(answer.body.taken).toHaveLength(40);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { [pool]: 0 }, held: {} });
  });

  it('of access holds and uses units at its cost, and takes nothing away', async () => {
    const { external_id, draw, direct } = await makeWorld();
    const access = `${direct}_ACCESS`;
    await putCosts(access, { [draw]: 2 }, { type: 'period' });
    const batch_id = await grantUnits(app, external_id, access, 1);
    const made = await holdFeature(external_id, draw, 3);
    expect(made).toMatchObject({ remaining: null, legs: [{ batch_id, product_key: access, amount: 6 }] });
    const answer = await commit(made.id, { amount: 2 });
    expect(answer.body).toMatchObject({ returned: 1, remaining: null, taken: [{ batch_id, amount: 4 }] });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ granted: null, consumed: 4, held: 0 });
  });

  it('is refused an excess that only remainders could pay, and nothing is written', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 5);
    await grantUnits(app, external_id, pool, 3);
    const { id } = await holdFeature(external_id, draw, 1);
    const written = await writtenBy(app, async () => {
      const answer = await commit(id, { amount: 2, allow_excess: true });
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({ requested: 1, available: 0 });
    });
    expect(written).toEqual({});
  });
});

describe('a change of costs after the reservation', () => {
  /** Twelve units at a cost of 3, six of them held for two uses. */
  async function holdTwoUses() {
    const world = await makeWorld();
    await grantUnits(app, world.external_id, world.direct, 12);
    const { id } = await holdFeature(world.external_id, world.draw, 2);
    return { ...world, id };
  }

  it.each([
    ['raised', 5],
    ['lowered', 1],
  ])('%s does not change what it commits', async (_case, cost) => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await putCosts(direct, { [draw]: cost }, { force: true });
    const answer = await commit(id);
    expect(answer.body).toMatchObject({ committed_amount: 2, taken: [{ product_key: direct, amount: 6 }] });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { [direct]: 6 }, held: {} });
  });

  it('does not change what a part of it uses and gives back', async () => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await putCosts(direct, { [draw]: 5 }, { force: true });
    const answer = await commit(id, { amount: 1 });
    expect(answer.body).toMatchObject({ committed_amount: 1, returned: 1, taken: [{ amount: 3 }] });
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 9 });
  });

  it('does not change what it releases', async () => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await putCosts(direct, { [draw]: 5 }, { force: true });
    expect((await release(id)).body).toMatchObject({ returned: 2, expired: 0 });
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 12 });
  });

  it('does not change the cost of its excess, but what is left is counted at the costs of now', async () => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await putCosts(direct, { [draw]: 2 }, { force: true });
    const answer = await commit(id, { amount: 3, allow_excess: true });
    expect(answer.body).toMatchObject({ committed_amount: 3, taken: [{ amount: 6 }, { amount: 3 }], remaining: 1 });
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 3 });
    const costs = (await entriesOf(app, external_id)).slice(1).map(({ kind, unit_cost }) => [kind, unit_cost]);
    expect(costs).toEqual([
      ['hold', 3],
      ['commit', 3],
      ['consume', 3],
    ]);
  });

  it('does not let it pay its excess by what provides the feature only since', async () => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await app.post('/quota/consume', { external_id, product_key: direct, amount: 6 });
    const { direct: late } = await makeWorld();
    await putCosts(late, { [draw]: 1 }, { force: true });
    await grantUnits(app, external_id, late, 100);
    const answer = await commit(id, { amount: 3, allow_excess: true });
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body.available).toBe(0);
  });

  it('counts in what is left what provides the feature only since', async () => {
    const { external_id, draw, film, direct, pool } = await makeWorld();
    await putCosts(pool, { [film]: 10 }, { force: true });
    await grantUnits(app, external_id, direct, 6);
    await grantUnits(app, external_id, pool, 8);
    const { id } = await holdFeature(external_id, draw, 1);
    await putCosts(pool, { [draw]: 4, [film]: 10 });
    expect((await commit(id)).body.remaining).toBe(1 + 2);
  });

  it('that takes the feature from the product leaves it its commit and its excess', async () => {
    const { external_id, direct, id } = await holdTwoUses();
    await putCosts(direct, {}, { force: true });
    const answer = await commit(id, { amount: 4, allow_excess: true });
    expect(answer.body).toMatchObject({ committed_amount: 4, remaining: 0 });
    expect((await walletOf(app, external_id)).balances).toEqual({ [direct]: 0 });
  });

  it('that takes the feature from the product lets it lapse by the next operation', async () => {
    const { external_id, direct } = await holdTwoUses();
    await putCosts(direct, {}, { force: true });
    app.clock.advance({ seconds: 900 });
    await grantUnits(app, external_id, 'OTHER', 1);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { [direct]: 12, OTHER: 1 }, held: {} });
    expect((await entriesOf(app, external_id, '&kind=release')).map(({ amount }) => amount)).toEqual([6]);
  });

  it('to a higher one needs force while units are only held', async () => {
    const { external_id, draw, direct, id } = await holdTwoUses();
    await app.post('/quota/consume', { external_id, product_key: direct, amount: 6 });
    const features = [{ feature: draw, unit_cost: 5 }];
    const answer = await app.put(`/products/${direct}`, { name: direct, type: 'quantity', features });
    expectProblem(answer, 409, 'product_in_use', '/features');
    expect((await app.get(`/reservations/${id}`)).body.status).toBe('held');
  });
});
