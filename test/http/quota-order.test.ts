// Which batch is used first (DOMAIN 3.3), and what stands in the way of those that are not usable.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

/** Takes everything in one call and returns the batches in the order of their use. */
async function burn(external_id: string, amount: number): Promise<string[]> {
  const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.taken.map((taking: Json) => taking.batch_id);
}

describe('batches are used', () => {
  it('by lower priority first, whatever their end and age', async () => {
    const external_id = newPerson();
    const dated = await grantUnits(app, external_id, 'CREDITS', 1, { priority: 1, expires_at: '2026-02-01T00:00:00Z' });
    const first = await grantUnits(app, external_id, 'CREDITS', 1, { priority: -5 });
    const plain = await grantUnits(app, external_id, 'CREDITS', 1, { priority: 0 });
    expect(await burn(external_id, 3)).toEqual([first, plain, dated]);
  });

  it('by soonest end among equal priorities, those without an end last', async () => {
    const external_id = newPerson();
    const never = await grantUnits(app, external_id, 'CREDITS', 1);
    const late = await grantUnits(app, external_id, 'CREDITS', 1, { expires_at: '2026-04-01T00:00:00Z' });
    const soon = await grantUnits(app, external_id, 'CREDITS', 1, { expires_at: '2026-03-01T00:00:00Z' });
    expect(await burn(external_id, 3)).toEqual([soon, late, never]);
  });

  it('oldest first among equal ends', async () => {
    const external_id = newPerson();
    const expires_at = '2026-03-01T00:00:00Z';
    const ids: string[] = [];
    for (let made = 0; made < 3; made += 1) {
      ids.push(await grantUnits(app, external_id, 'CREDITS', 1, { expires_at }));
      app.clock.advance({ ms: 1 });
    }
    expect(await burn(external_id, 3)).toEqual(ids);
  });

  it('by id among those of one instant', async () => {
    const external_id = newPerson();
    const ids: string[] = [];
    for (let made = 0; made < 4; made += 1) ids.push(await grantUnits(app, external_id, 'CREDITS', 1));
    expect(await burn(external_id, 4)).toEqual([...ids].sort());
  });

  it('to the end before the next is touched', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'CREDITS', 5, { priority: 0 });
    const second = await grantUnits(app, external_id, 'CREDITS', 5, { priority: 1 });
    const take = (amount: number) => app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount });
    expect((await take(3)).body.taken).toMatchObject([{ batch_id: first, amount: 3 }]);
    expect((await take(3)).body.taken).toMatchObject([
      { batch_id: first, amount: 2 },
      { batch_id: second, amount: 1 },
    ]);
    expect((await take(4)).body.taken).toMatchObject([{ batch_id: second, amount: 4 }]);
  });

  it('from more batches than are read at first', async () => {
    const external_id = newPerson();
    const ids: string[] = [];
    for (let made = 0; made < 40; made += 1) ids.push(await grantUnits(app, external_id, 'CREDITS', 1));
    expect(await burn(external_id, 40)).toEqual([...ids].sort());
  });

  it('up to 2^53-1 in one call', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', Number.MAX_SAFE_INTEGER);
    const answer = await app.post('/quota/consume', {
      external_id,
      product_key: 'CREDITS',
      amount: Number.MAX_SAFE_INTEGER,
    });
    expect(answer.body).toMatchObject({ amount: 9007199254740991, remaining: 0 });
  });
});

describe('batches are not used', () => {
  it('from their end on', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00Z' });
    const kept = await grantUnits(app, external_id, 'CREDITS', 1);
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect(await burn(external_id, 1)).toEqual([kept]);
  });

  it('before their validity begins', async () => {
    const external_id = newPerson();
    const later = await grantUnits(app, external_id, 'CREDITS', 5, {
      priority: -1,
      valid_from: '2026-02-01T00:00:00Z',
    });
    const now = await grantUnits(app, external_id, 'CREDITS', 1);
    expect(await burn(external_id, 1)).toEqual([now]);
    const refused = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body).toMatchObject({
      available: 0,
      reasons: [{ code: 'insufficient_quota' }, { code: 'not_yet_valid', at: '2026-02-01T00:00:00.000Z' }],
    });
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect(await burn(external_id, 5)).toEqual([later]);
  });

  it('of another product or customer', async () => {
    await putProduct(app, 'OTHER');
    const external_id = newPerson();
    await grantUnits(app, external_id, 'OTHER', 5);
    await grantUnits(app, newPerson(), 'CREDITS', 5);
    const refused = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body.available).toBe(0);
  });
});
