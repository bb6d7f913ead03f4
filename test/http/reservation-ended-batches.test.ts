// Batches that end while a reservation holds units of them, or after it: what is held may still be committed, and what comes back expires
// (DOMAIN 3.13, 3.14).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, walletOf } from '../support/holdings.js';
import { newPerson } from '../support/requests.js';

/** A reservation made when a test begins lasts until here. */
const LAPSE = '2026-01-31T12:15:00.000Z';
const BEFORE_LAPSE = '2026-01-31T12:10:00.000Z';
const AFTER_LAPSE = '2026-01-31T12:20:00.000Z';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'OTHER');
});

const end = (id: string, ending: string, body: Json = {}) => app.post(`/reservations/${id}/${ending}`, body);
/** Lets everything that is due be written, by an operation that has nothing to do with it. */
const settle = (external_id: string) => grantUnits(app, external_id, 'OTHER', 1);

/** Somebody with ten units in one batch, four of them held. */
async function holdFour(batch: Json) {
  const external_id = newPerson();
  const batch_id = await grantUnits(app, external_id, 'CREDITS', 10, batch);
  const { id } = await hold(app, external_id, 'CREDITS', 4);
  return { external_id, batch_id, id };
}

const occurrencesOf = async (external_id: string, kind: string) =>
  (await entriesOf(app, external_id, `&kind=${kind}`)).map(({ amount, occurred_at }) => [amount, occurred_at]);

describe('a batch that ends under an open hold', () => {
  const ENDING = { expires_at: BEFORE_LAPSE };

  it('loses what is not held, and keeps what is', async () => {
    const { external_id, batch_id } = await holdFour(ENDING);
    app.clock.set(BEFORE_LAPSE);
    const seen = { available: 0, held: 4, expired: 6, consumed: 0, state: 'expired' };
    expect(await batchOf(app, external_id, batch_id)).toMatchObject(seen);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 0 }, held: { CREDITS: 4 } });
    await settle(external_id);
    expect(await batchOf(app, external_id, batch_id)).toMatchObject(seen);
    expect(await occurrencesOf(external_id, 'expire')).toEqual([[6, BEFORE_LAPSE]]);
  });

  it('may be committed', async () => {
    const { external_id, batch_id, id } = await holdFour(ENDING);
    app.clock.set(BEFORE_LAPSE);
    const answer = await end(id, 'commit');
    expect(answer.body).toMatchObject({ committed_amount: 4, returned: 0, expired: 0, remaining: 0 });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ held: 0, consumed: 4, expired: 6 });
  });

  it('may be committed in part, and the rest expires at once', async () => {
    const { external_id, batch_id, id } = await holdFour(ENDING);
    app.clock.set(BEFORE_LAPSE);
    const answer = await end(id, 'commit', { amount: 3 });
    expect(answer.body).toMatchObject({ committed_amount: 3, returned: 0, expired: 1, revoked: 0, remaining: 0 });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ held: 0, consumed: 3, expired: 7 });
  });

  it('takes back what is released, which expires in the same operation', async () => {
    const { external_id, batch_id, id } = await holdFour(ENDING);
    app.clock.set('2026-01-31T12:12:00.000Z');
    const answer = await end(id, 'release');
    expect(answer.body).toMatchObject({ status: 'released', returned: 0, expired: 4, revoked: 0, remaining: 0 });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 0, held: 0, expired: 10 });
    const at = '2026-01-31T12:12:00.000Z';
    const { operation_id } = answer.body;
    expect((await entriesOf(app, external_id)).slice(2)).toMatchObject([
      { kind: 'expire', amount: 6, balance_after: 0, operation_id: null, occurred_at: BEFORE_LAPSE },
      { kind: 'release', amount: 4, balance_after: 4, operation_id, reservation_id: id, occurred_at: at },
      { kind: 'expire', amount: 4, balance_after: 0, operation_id, occurred_at: at },
    ]);
  });

  it('takes back what lapses, which expires at the end of the hold', async () => {
    const { external_id, batch_id } = await holdFour(ENDING);
    app.clock.set(AFTER_LAPSE);
    const seen = { available: 0, held: 0, expired: 10, state: 'expired' };
    expect(await batchOf(app, external_id, batch_id)).toMatchObject(seen);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 0 }, held: {} });
    await settle(external_id);
    expect(await batchOf(app, external_id, batch_id)).toMatchObject(seen);
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 0 }, held: {} });
    const told = (await entriesOf(app, external_id)).slice(2, 5);
    expect(told.map(({ kind, amount, occurred_at }) => [kind, amount, occurred_at])).toEqual([
      ['expire', 6, BEFORE_LAPSE],
      ['release', 4, LAPSE],
      ['expire', 4, LAPSE],
    ]);
  });

  it('gives back only what other batches still have', async () => {
    const external_id = newPerson();
    const ending = await grantUnits(app, external_id, 'CREDITS', 3, { ...ENDING, priority: -1 });
    const lasting = await grantUnits(app, external_id, 'CREDITS', 5);
    const { id } = await hold(app, external_id, 'CREDITS', 7);
    app.clock.set(BEFORE_LAPSE);
    expect((await end(id, 'release')).body).toMatchObject({ returned: 4, expired: 3, remaining: 5 });
    expect(await batchOf(app, external_id, ending)).toMatchObject({ available: 0, expired: 3 });
    expect(await batchOf(app, external_id, lasting)).toMatchObject({ available: 5, held: 0, expired: 0 });
  });

  it('gives no part of a feature unit back: what is not whole any more counts as expired', async () => {
    await putProduct(app, 'PAINT', { features: [{ feature: 'paint', unit_cost: 3 }] });
    const external_id = newPerson();
    await grantUnits(app, external_id, 'PAINT', 2, { ...ENDING, priority: -1 });
    await grantUnits(app, external_id, 'PAINT', 4);
    const { id } = await hold(app, external_id, '', 2, { product_key: undefined, feature: 'paint' });
    app.clock.set(BEFORE_LAPSE);
    expect((await end(id, 'release')).body).toMatchObject({ returned: 1, expired: 1, remaining: 1 });
    expect((await walletOf(app, external_id)).balances).toEqual({ PAINT: 4 });
  });
});

describe('a batch that ends after the hold', () => {
  it('has its units back from the end of the hold until its own, also when both are written later', async () => {
    const { external_id, batch_id } = await holdFour({ expires_at: AFTER_LAPSE });
    app.clock.set('2026-02-01T00:00:00.000Z');
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 0, held: 0, expired: 10 });
    await settle(external_id);
    const told = (await entriesOf(app, external_id)).slice(2, 4);
    expect(
      told.map(({ kind, amount, balance_after, occurred_at }) => [kind, amount, balance_after, occurred_at]),
    ).toEqual([
      ['release', 4, 10, LAPSE],
      ['expire', 10, 0, AFTER_LAPSE],
    ]);
  });

  it.each(['/quota/check', '/quota/consume'])('says that its units expired to whom they lack: %s', async (path) => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 4, { expires_at: AFTER_LAPSE });
    await hold(app, external_id, 'CREDITS', 4);
    app.clock.set('2026-02-01T00:00:00.000Z');
    const { body } = await app.post(path, { external_id, product_key: 'CREDITS' });
    expect(body.reasons).toEqual([{ code: 'insufficient_quota' }, { code: 'expired', at: AFTER_LAPSE }]);
  });
});
