// Entries that were written before entries told what they count: they count like those of today, also where not even their cost was recorded.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { customerIdOf } from '../support/parallel.js';
import { newPerson } from '../support/requests.js';
import { query } from '../support/sql.js';

const app = useTestApp();
const PRODUCTS = ['COIN', 'POOL', 'PASS'];
const SUBJECTS = [...PRODUCTS.map((product_key) => ({ product_key })), { feature: 'image' }, { feature: 'text' }];
const WINDOWS = { hour: 1_000, day: 1_000, month: 1_000, total: 1_000 };
const MORE_THAN_ALLOWED = 100_000;

beforeAll(async () => {
  await putProduct(app, 'COIN', { is_currency: true });
  await putProduct(app, 'POOL', { features: [{ feature: 'image', unit_cost: 3 }] });
  await putProduct(app, 'PASS', { type: 'unlimited', features: [{ feature: 'text', unit_cost: 2 }] });
});

/** What the entries of a customer don't tell, because they are older. */
async function forget(external_id: string, { hasCosts }: { hasCosts: boolean }): Promise<void> {
  const id = await customerIdOf(app, external_id);
  // Those of reservations told it since there are reservations.
  const cost = hasCosts ? '' : ', unit_cost = CASE WHEN reservation_id IS NOT NULL THEN unit_cost END';
  await query(
    app.url,
    `SET session_replication_role = replica;
     UPDATE entries SET counted_at = NULL, counted = NULL, checked_limits = NULL${cost} WHERE customer_id = '${id}';
     DELETE FROM usage_counters WHERE customer_id = '${id}'`,
  );
}

/** What is used of each subject in each window, as a check tells it. */
async function used(external_id: string): Promise<Json> {
  const told: Json = {};
  for (const subject of SUBJECTS) {
    expect((await app.put('/limits', { external_id, ...subject, windows: WINDOWS })).status).toBeLessThan(300);
    const { body } = await app.post('/quota/check', { external_id, ...subject, amount: MORE_THAN_ALLOWED });
    for (const { window, current, ...of } of body.violations)
      told[`${window} of ${of.feature ?? of.product_key}`] = current;
  }
  return told;
}

/** Uses of all kinds on both sides of midnight; some of them are given back, some are held still. */
async function useMuch(external_id: string) {
  const say = async (path: string, body: Json): Promise<Json> => {
    const answer = await app.post(path, { external_id, ...body });
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer.body;
  };
  const hold = (amount: number, subject: Json) => say('/reservations', { ...subject, amount, ttl_seconds: 86_400 });
  const [image, coin, text] = [{ feature: 'image' }, { product_key: 'COIN' }, { feature: 'text' }];
  app.clock.set('2027-03-31T23:40:00.000Z');
  for (const units of [2, 2, 5, 40]) await grantUnits(app, external_id, 'POOL', units);
  await grantUnits(app, external_id, 'COIN', 30);
  await grantUnits(app, external_id, 'PASS', 1);
  const used = await say('/quota/consume', { ...image, amount: 3 });
  await say('/quota/consume', { ...text, amount: 4 });
  const coins = await say('/credits/deduct', { ...coin, amount: 7 });
  const held = [
    await hold(2, image),
    await hold(4, coin),
    await hold(3, text),
    await hold(5, coin),
    await hold(2, image),
  ];
  app.clock.set('2027-04-01T00:10:00.000Z');
  await say('/quota/release', { operation_id: coins.operation_id, amount: 2 });
  await say(`/reservations/${held[1]?.id}/commit`, { amount: 6, allow_excess: true });
  await say(`/reservations/${held[2]?.id}/commit`, { amount: 1 });
  await say(`/reservations/${held[3]?.id}/release`, {});
  const debt = await say('/credits/deduct', { ...coin, amount: 40, allow_negative: true });
  await say('/quota/release', { operation_id: debt.operation_id, amount: 3 });
  return { used, debt, open: [held[0]?.id, held[4]?.id] };
}

/** Ends what is held, one way and the other. */
async function endHolds(open: readonly unknown[]): Promise<void> {
  expect((await app.post(`/reservations/${open[0]}/commit`, { amount: 1 })).status).toBe(200);
  expect((await app.post(`/reservations/${open[1]}/release`, {})).status).toBe(200);
}

describe('Entries that don’t tell what they count', () => {
  it('count like those that do, and what comes back of them counts where it was used', async () => {
    const [older, newer] = [newPerson(), newPerson()];
    const [olderUses, newerUses] = [await useMuch(older), await useMuch(newer)];
    await forget(older, { hasCosts: true });
    const before = await used(newer);
    expect(before).toMatchObject({ 'total of image': 7, 'total of POOL': 21, 'day of image': 0, 'total of text': 5 });
    expect(before).toMatchObject({ 'hour of PASS': 0, 'month of COIN': 39, 'total of COIN': 48 });
    expect(await used(older)).toEqual(before);
    for (const { used: image, debt, open } of [olderUses, newerUses]) {
      await endHolds(open);
      expect((await app.post('/quota/release', { operation_id: image.operation_id, amount: 2 })).status).toBe(200);
      expect((await app.post('/quota/release', { operation_id: debt.operation_id, amount: 1 })).status).toBe(200);
    }
    const after = await used(newer);
    expect(after).toMatchObject({ 'total of image': 2, 'total of POOL': 6, 'month of COIN': 38 });
    expect(await used(older)).toEqual(after);
  });

  it('count at the cost of today where theirs was not recorded', async () => {
    const [older, newer] = [newPerson(), newPerson()];
    for (const person of [older, newer]) await useMuch(person);
    await forget(older, { hasCosts: false });
    expect(await used(older)).toEqual(await used(newer));
    app.clock.advance({ days: 2 });
    const lapsed = await used(newer);
    expect(lapsed).toMatchObject({ 'total of image': 3, 'total of POOL': 9, 'month of image': 0 });
    expect(await used(older)).toEqual(lapsed);
  });
});
