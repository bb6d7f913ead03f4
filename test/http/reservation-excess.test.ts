// Commits beyond what is held (DOMAIN 3.13): refused, or with `allow_excess` taken from the rest, all or nothing.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, walletOf } from '../support/holdings.js';
import { sendTogether, tally } from '../support/parallel.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const commit = (id: string, amount: number, more: Json = {}) =>
  app.post(`/reservations/${id}/commit`, { amount, ...more });
const EXCESS = { allow_excess: true };

/** Somebody with a batch of five units that is used first, all of them held, and a batch of three. */
async function holdFive() {
  const external_id = newPerson();
  const rest = await grantUnits(app, external_id, 'CREDITS', 3);
  const first = await grantUnits(app, external_id, 'CREDITS', 5, { priority: -1 });
  const { id } = await hold(app, external_id, 'CREDITS', 5);
  return { external_id, rest, first, id };
}

describe('a commit of more than is held', () => {
  it.each([{}, { allow_excess: false }])('is refused with %j, and nothing is written', async (more) => {
    const { id } = await holdFive();
    const written = await writtenBy(app, async () => {
      const answer = await commit(id, 6, more);
      expectProblem(answer, 402, 'reservation_exceeded', '/amount');
      expect(answer.body).toMatchObject({ requested: 6, held: 5 });
    });
    expect(written).toEqual({});
  });

  it('takes the excess from other batches', async () => {
    const { external_id, rest, first, id } = await holdFive();
    const answer = await commit(id, 7, EXCESS);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'committed',
      amount: 5,
      committed_amount: 7,
      legs: [{ batch_id: first, amount: 5 }],
      taken: [
        { batch_id: first, product_key: 'CREDITS', amount: 5 },
        { batch_id: rest, product_key: 'CREDITS', amount: 2 },
      ],
      returned: 0,
      remaining: 1,
    });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 1 }, held: {} });
    expect(await batchOf(app, external_id, first)).toMatchObject({ available: 0, held: 0, consumed: 5 });
    expect(await batchOf(app, external_id, rest)).toMatchObject({ available: 1, held: 0, consumed: 2 });
  });

  it('takes the excess from the batch that is held in part, too', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
    const { id } = await hold(app, external_id, 'CREDITS', 4);
    expect((await commit(id, 7, EXCESS)).body.remaining).toBe(3);
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 3, held: 0, consumed: 7 });
  });

  it('tells the ledger that the excess was consumed, for the reservation and in its operation', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const action = { action_type: 'render', action_id: 'r-1', metadata: { a: 1 } };
    const { id } = await hold(app, external_id, 'CREDITS', 4, action);
    const { body } = await commit(id, 7, EXCESS);
    const told = { ...action, reservation_id: id, operation_id: body.operation_id };
    expect((await entriesOf(app, external_id)).slice(2)).toMatchObject([
      { ...told, kind: 'commit', direction: 'none', amount: 4, balance_after: 6 },
      { ...told, kind: 'consume', direction: 'debit', amount: 3, balance_after: 3 },
    ]);
  });

  it('is refused when the rest is too little, nothing is written, and the hold stays', async () => {
    const { id } = await holdFive();
    const written = await writtenBy(app, async () => {
      const answer = await commit(id, 9, EXCESS);
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({
        requested: 4,
        available: 3,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: ['PACK'],
      });
    });
    expect(written).toEqual({});
    expect((await commit(id, 8, EXCESS)).body).toMatchObject({ committed_amount: 8, remaining: 0 });
  });

  it('does not take what other reservations hold', async () => {
    const { external_id, id } = await holdFive();
    await hold(app, external_id, 'CREDITS', 2);
    const answer = await commit(id, 7, EXCESS);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body).toMatchObject({ requested: 2, available: 1 });
  });

  it('does not remember a refusal under its key', async () => {
    const { external_id, id } = await holdFive();
    const more = { ...EXCESS, idempotency_key: 'k' };
    expectProblem(await commit(id, 9, more), 402, 'insufficient_quota');
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect((await commit(id, 9, more)).body.committed_amount).toBe(9);
  });

  it('is answered as it was when it comes again, whether or not it still allows an excess', async () => {
    const { id } = await holdFive();
    const first = await commit(id, 7, EXCESS);
    const written = await writtenBy(app, async () => {
      expect((await commit(id, 7, EXCESS)).text).toBe(first.text);
      expect((await commit(id, 7)).text).toBe(first.text);
    });
    expect(written).toEqual({});
  });

  it('takes the excess once when it comes many times at once', async () => {
    const { external_id, id } = await holdFive();
    const answers = await sendTogether(4, () => commit(id, 7, EXCESS));
    expect(tally(answers)).toEqual({ 200: 4 });
    expect((await walletOf(app, external_id)).balances).toEqual({ CREDITS: 1 });
  });

  it('lets one of two reservations have the last of the rest', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 7);
    const holds = [await hold(app, external_id, 'CREDITS', 2), await hold(app, external_id, 'CREDITS', 2)];
    const answers = await Promise.all(holds.map(({ id }) => commit(id, 4, EXCESS)));
    expect(tally(answers)).toEqual({ 200: 1, '402 insufficient_quota': 1 });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 1 }, held: { CREDITS: 2 } });
  });

  it('of access is refused when its use could not be counted any more', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1);
    const use = await app.post('/quota/consume', { external_id, product_key: 'ACCESS', amount: 5e15 });
    expect(use.status, use.text).toBe(200);
    const { id } = await hold(app, external_id, 'ACCESS', 3e15);
    const written = await writtenBy(app, async () => {
      expectProblem(await commit(id, 6e15, EXCESS), 409, 'quantity_too_large', '/amount');
    });
    expect(written).toEqual({});
  });

  it('logs all of it as use of access', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    const { id } = await hold(app, external_id, 'ACCESS', 2);
    const answer = await commit(id, 5, EXCESS);
    expect(answer.body).toMatchObject({ committed_amount: 5, remaining: null });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ consumed: 5 });
  });

  it('is refused for access that has ended meanwhile, of which what is held may still be used', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: '2026-01-31T12:10:00Z' });
    const { id } = await hold(app, external_id, 'ACCESS', 2);
    app.clock.set('2026-01-31T12:10:00.000Z');
    expectProblem(await commit(id, 3, EXCESS), 402, 'insufficient_quota');
    expect((await commit(id, 2, EXCESS)).body.committed_amount).toBe(2);
  });
});

describe('allow_excess', () => {
  it('changes nothing for a commit of what is held, or of less', async () => {
    const { external_id, id } = await holdFive();
    expect((await commit(id, 4, EXCESS)).body).toMatchObject({ committed_amount: 4, returned: 1, remaining: 4 });
    expect((await walletOf(app, external_id)).balances).toEqual({ CREDITS: 4 });
  });

  it('does not save a reservation that has expired', async () => {
    const { id } = await holdFive();
    app.clock.advance({ seconds: 900 });
    expectProblem(await commit(id, 6, EXCESS), 409, 'reservation_expired');
  });
});
