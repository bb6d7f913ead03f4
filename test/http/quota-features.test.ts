// Features: which products pay for them, in which order, and at what cost (DOMAIN 3.4).
import { describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();
let worlds = 0;

interface World {
  external_id: string;
  /** Features of this test alone, so that no product of another test pays for them. */
  draw: string;
  film: string;
  direct: string;
  pool: string;
  access: string;
}

/** A product for `draw` at 3, a pool for `draw` at 4 and `film` at 10, and access that includes `draw`. */
async function makeWorld(): Promise<World> {
  worlds += 1;
  const world: World = {
    external_id: newPerson(),
    draw: `draw_${worlds}`,
    film: `film_${worlds}`,
    direct: `DIRECT_${worlds}`,
    pool: `POOL_${worlds}`,
    access: `ACCESS_${worlds}`,
  };
  await putProduct(app, world.direct, { features: [{ feature: world.draw, unit_cost: 3 }] });
  await putProduct(app, world.pool, {
    features: [
      { feature: world.draw, unit_cost: 4 },
      { feature: world.film, unit_cost: 10 },
    ],
  });
  await putProduct(app, world.access, { type: 'period', features: [world.draw] });
  return world;
}

const consume = (external_id: string, feature: string, amount: number, more: Json = {}) =>
  app.post('/quota/consume', { external_id, feature, amount, ...more });

describe('a feature', () => {
  it('costs product units, and is counted in its own', async () => {
    const { external_id, draw, direct } = await makeWorld();
    const batch_id = await grantUnits(app, external_id, direct, 10);
    const answer = await consume(external_id, draw, 2);
    expect(answer.body).toMatchObject({
      feature: draw,
      amount: 2,
      remaining: 1,
      taken: [{ batch_id, product_key: direct, amount: 6 }],
    });
    expect(answer.body).not.toHaveProperty('product_key');
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`);
    expect(entries.body.data).toMatchObject([{ feature: draw, product_key: direct, amount: 6, balance_after: 4 }]);
  });

  it('is paid by products that provide nothing else first, then by pools', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, pool, 8, { priority: -1, expires_at: '2026-02-01T00:00:00Z' });
    await grantUnits(app, external_id, direct, 7);
    const answer = await consume(external_id, draw, 3);
    expect(answer.body.taken).toMatchObject([
      { product_key: direct, amount: 6 },
      { product_key: pool, amount: 4 },
    ]);
    expect(answer.body.remaining).toBe(1);
  });

  it('is paid by access first, and then is not counted', async () => {
    const { external_id, draw, direct, access } = await makeWorld();
    await grantUnits(app, external_id, direct, 30, { priority: -9 });
    await grantUnits(app, external_id, access, 1, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await consume(external_id, draw, 5);
    expect(answer.body).toMatchObject({ remaining: null, taken: [{ product_key: access, amount: 5 }] });
    app.clock.set('2026-03-01T00:00:00.000Z');
    const later = await consume(external_id, draw, 5);
    expect(later.body).toMatchObject({ remaining: 5, taken: [{ product_key: direct, amount: 15 }] });
  });

  it('is paid inside a class by the product whose first batch comes first', async () => {
    const { external_id, draw, direct } = await makeWorld();
    const rival = `${direct}_RIVAL`;
    await putProduct(app, rival, { features: [draw] });
    await grantUnits(app, external_id, direct, 3);
    await grantUnits(app, external_id, rival, 1, { expires_at: '2026-03-01T00:00:00Z' });
    const answer = await consume(external_id, draw, 2);
    expect(answer.body.taken).toMatchObject([{ product_key: rival }, { product_key: direct }]);
  });

  it('is paid by as many batches of a product as it needs before the next product', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 2);
    await grantUnits(app, external_id, direct, 2);
    await grantUnits(app, external_id, pool, 4);
    const answer = await consume(external_id, draw, 2);
    expect(answer.body.taken.map((taking: Json) => [taking.product_key, taking.amount])).toEqual([
      [direct, 2],
      [direct, 1],
      [pool, 4],
    ]);
  });

  it('is not paid by the remainders of several products', async () => {
    const { external_id, draw, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 5);
    await grantUnits(app, external_id, pool, 7);
    const answer = await consume(external_id, draw, 3);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body).toMatchObject({ requested: 3, available: 2 });
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.balances).toEqual({ [direct]: 5, [pool]: 7 });
  });

  it('costs what it costs when it is used', async () => {
    const { external_id, draw, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 12);
    await consume(external_id, draw, 1);
    await putProduct(app, direct, { features: [{ feature: draw, unit_cost: 1 }] });
    const answer = await consume(external_id, draw, 1);
    expect(answer.body).toMatchObject({ remaining: 8, taken: [{ amount: 1 }] });
  });

  it('costs the product’s own unit when the product is asked for', async () => {
    const { external_id, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, 10);
    const answer = await app.post('/quota/consume', { external_id, product_key: direct, amount: 2 });
    expect(answer.body).toMatchObject({ remaining: 8, taken: [{ amount: 2 }] });
  });

  it('is summed over its products in feature units by balance and wallet', async () => {
    const { external_id, draw, film, direct, pool } = await makeWorld();
    await grantUnits(app, external_id, direct, 10);
    await grantUnits(app, external_id, pool, 23);
    const balance = await app.get(`/balance?external_id=${external_id}&feature=${draw}`);
    expect(balance.body).toMatchObject({ can_use: true, feature: draw, remaining: 8 });
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.features).toEqual({
      [draw]: { can_use: true, remaining: 8 },
      [film]: { can_use: true, remaining: 2 },
    });
  });

  it('asked for more than a number can say is short, not wrong', async () => {
    const { external_id, draw, direct } = await makeWorld();
    await grantUnits(app, external_id, direct, Number.MAX_SAFE_INTEGER);
    const answer = await consume(external_id, draw, Number.MAX_SAFE_INTEGER);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body.available).toBe(Math.floor(Number.MAX_SAFE_INTEGER / 3));
  });

  it('of access is refused where the use could not be counted', async () => {
    const { external_id, draw, access } = await makeWorld();
    await putProduct(app, access, { type: 'period', features: [{ feature: draw, unit_cost: 2 }] });
    await grantUnits(app, external_id, access, 1);
    const answer = await consume(external_id, draw, Number.MAX_SAFE_INTEGER);
    expectProblem(answer, 409, 'quantity_too_large', '/amount');
  });
});

it('what remains is counted from what is left, also where more than a number can tell was there', async () => {
  const external_id = newPerson();
  const most = Number.MAX_SAFE_INTEGER;
  const feature = 'boundless';
  for (const key of ['BOUNDLESS_A', 'BOUNDLESS_B']) await putProduct(app, key, { features: [feature] });
  await grantUnits(app, external_id, 'BOUNDLESS_A', most);
  await grantUnits(app, external_id, 'BOUNDLESS_B', 10);
  const balance = async () =>
    (await app.get(`/balance?external_id=${external_id}&feature=${feature}`)).body.remaining as number;
  expect((await consume(external_id, feature, 5)).body.remaining).toBe(most);
  expect(await balance()).toBe(most);
  expect((await consume(external_id, feature, 7)).body.remaining).toBe(most - 2);
  expect(await balance()).toBe(most - 2);
});
