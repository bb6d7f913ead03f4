// Reservations that end by the clock: when they lapse, and what readers see before that is written (DOMAIN 3.3, 3.13, 3.17). Batches that end
// under a hold: reservation-ended-batches.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, ledgerOf, walletOf } from '../support/holdings.js';
import { sendTogether, tally } from '../support/parallel.js';
import { expectProblem, newPayment, newPerson, placeOrder, writtenBy } from '../support/requests.js';

/** A reservation made when a test begins lasts until here. */
const LAPSE = '2026-01-31T12:15:00.000Z';
const AFTER_LAPSE = '2026-01-31T12:20:00.000Z';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'OTHER');
  await putOffer(app, 'PACK', 'CREDITS', 10);
});

const end = (id: string, ending: string, body: Json = {}) => app.post(`/reservations/${id}/${ending}`, body);
/** Lets everything that is due be written, by an operation that has nothing to do with it. */
const settle = (external_id: string) => grantUnits(app, external_id, 'OTHER', 1);

/** Somebody with ten units in one batch, four of them held. */
async function holdFour() {
  const external_id = newPerson();
  const batch_id = await grantUnits(app, external_id, 'CREDITS', 10);
  const { id } = await hold(app, external_id, 'CREDITS', 4);
  return { external_id, batch_id, id };
}

async function readAll(external_id: string, id: string) {
  const [reservation, wallet, batches, balance] = await Promise.all([
    app.get(`/reservations/${id}`),
    app.get(`/wallet?external_id=${external_id}`),
    app.get(`/wallet/batches?external_id=${external_id}&product_key=CREDITS`),
    app.get(`/balance?external_id=${external_id}&product_key=CREDITS`),
  ]);
  const { balances, held, features } = wallet.body;
  return {
    reservation: reservation.body,
    wallet: { balance: balances.CREDITS, held, features },
    batches: batches.body.data,
    balance: balance.body,
  };
}

const occurrencesOf = async (external_id: string, kind: string) =>
  (await entriesOf(app, external_id, `&kind=${kind}`)).map(({ amount, occurred_at }) => [amount, occurred_at]);

describe('a reservation at its end', () => {
  it.each(['commit', 'release'])('can be ended until the last millisecond: %s', async (ending) => {
    const { id } = await holdFour();
    app.clock.set('2026-01-31T12:14:59.999Z');
    expect((await end(id, ending)).status).toBe(200);
  });

  it.each([
    ['commit', {}, LAPSE],
    ['commit', { amount: 2 }, AFTER_LAPSE],
    ['release', {}, LAPSE],
    ['release', {}, AFTER_LAPSE],
    ['extend', { ttl_seconds: 60 }, LAPSE],
    ['extend', { ttl_seconds: 60 }, AFTER_LAPSE],
  ])('has expired: %s %j at %s', async (ending, body, now) => {
    const { external_id, id } = await holdFour();
    app.clock.set(now);
    const answer = await end(id, ending, body);
    expectProblem(answer, 409, 'reservation_expired');
    expect(answer.body.reservation_status).toBe('expired');
    expect((await app.get(`/reservations/${id}`)).body).toMatchObject({ status: 'expired', committed_amount: 0 });
    expect(await walletOf(app, external_id)).toMatchObject({ balances: { CREDITS: 10 }, held: {} });
  });

  it('gives its units to the next use', async () => {
    const { external_id } = await holdFour();
    app.clock.set(LAPSE);
    const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 10 });
    expect(answer.body).toMatchObject({ allowed: true, remaining: 0 });
  });

  it('gives its units to the next use in their order, of as many batches as there are', async () => {
    const external_id = newPerson();
    const ids: string[] = [];
    for (let made = 0; made < 80; made += 1) {
      ids.push(await grantUnits(app, external_id, 'CREDITS', 1));
      app.clock.advance({ ms: 1 });
    }
    await hold(app, external_id, 'CREDITS', 40);
    app.clock.set(AFTER_LAPSE);
    const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 75 });
    expect(answer.body.remaining).toBe(5);
    expect(answer.body.taken.map(({ batch_id }: Json) => batch_id)).toEqual(ids.slice(0, 75));
  });

  it('gives its units to the next hold, a millisecond too early not', async () => {
    const { external_id } = await holdFour();
    const body = { external_id, product_key: 'CREDITS', amount: 7 };
    app.clock.set('2026-01-31T12:14:59.999Z');
    expectProblem(await app.post('/reservations', body), 402, 'insufficient_quota');
    app.clock.set(LAPSE);
    expect((await app.post('/reservations', body)).body).toMatchObject({ status: 'held', remaining: 3 });
  });

  it('lapses once, however many come too late at once', async () => {
    const { external_id, id } = await holdFour();
    app.clock.set(LAPSE);
    const answers = await sendTogether(6, (index) => end(id, index % 2 === 0 ? 'commit' : 'release'));
    expect(tally(answers)).toEqual({ '409 reservation_expired': 6 });
    expect(await ledgerOf(app, external_id)).toEqual([
      ['grant', 10, 10],
      ['hold', 4, 6],
      ['release', 4, 10],
    ]);
  });

  it('stays expired', async () => {
    const { external_id, id } = await holdFour();
    app.clock.set(LAPSE);
    await settle(external_id);
    const written = await writtenBy(app, async () => {
      for (const ending of ['commit', 'release']) expectProblem(await end(id, ending), 409, 'reservation_expired');
    });
    expect(written).toEqual({});
  });

  it('of access leaves no use behind', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    await hold(app, external_id, 'ACCESS', 3);
    app.clock.set(LAPSE);
    await settle(external_id);
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ consumed: 0, held: 0, state: 'active' });
    expect(await occurrencesOf(external_id, 'release')).toEqual([[3, LAPSE]]);
  });
});

describe('a lapsed reservation', () => {
  it('has given its units back for readers before anything is written, and reading writes nothing', async () => {
    const { external_id, id } = await holdFour();
    app.clock.set(LAPSE);
    const written = await writtenBy(app, async () => {
      const { reservation, wallet, batches, balance } = await readAll(external_id, id);
      expect(reservation).toMatchObject({ status: 'expired', ended_at: LAPSE, committed_amount: 0 });
      expect(wallet).toEqual({ balance: 10, held: {}, features: { draw: { can_use: true, remaining: 10 } } });
      expect(batches).toMatchObject([{ available: 10, held: 0, expired: 0, state: 'active' }]);
      expect(balance).toMatchObject({ can_use: true, remaining: 10 });
      const list = await app.get(`/reservations?external_id=${external_id}`);
      expect(list.body.data).toEqual([reservation]);
    });
    expect(written).toEqual({});
  });

  it('looks the same after it is written', async () => {
    const { external_id, id } = await holdFour();
    app.clock.set(AFTER_LAPSE);
    const before = await readAll(external_id, id);
    await settle(external_id);
    expect(await readAll(external_id, id)).toEqual(before);
  });

  it('has given its units back in the batches of orders and grants, too', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2, { priority: -1 });
    const order = await placeOrder(app, external_id, 'PACK');
    await app.post(`/orders/${order.id}/confirm`, { payment_id: newPayment() });
    await hold(app, external_id, 'CREDITS', 5);
    const read = async () => {
      const [bought, given] = await Promise.all([
        app.get(`/orders/${order.id}`),
        app.get(`/grants?external_id=${external_id}`),
      ]);
      return [...bought.body.batches, ...given.body.data[0].batches].map(({ available, held }) => [available, held]);
    };
    expect(await read()).toEqual([
      [7, 3],
      [0, 2],
    ]);
    app.clock.set(LAPSE);
    expect(await read()).toEqual([
      [10, 0],
      [2, 0],
    ]);
  });

  it('is open for readers until the last millisecond', async () => {
    const { external_id, id } = await holdFour();
    app.clock.set('2026-01-31T12:14:59.999Z');
    const { reservation, wallet, batches } = await readAll(external_id, id);
    expect(reservation).toMatchObject({ status: 'held', ended_at: null });
    expect(wallet).toMatchObject({ balance: 6, held: { CREDITS: 4 } });
    expect(batches).toMatchObject([{ available: 6, held: 4 }]);
  });

  it('gets its entry by the next operation, before its own entries, at its end and of no operation', async () => {
    const { external_id, batch_id, id } = await holdFour();
    app.clock.set(AFTER_LAPSE);
    await settle(external_id);
    expect((await entriesOf(app, external_id)).slice(2)).toMatchObject([
      {
        kind: 'release',
        direction: 'credit',
        product_key: 'CREDITS',
        batch_id,
        amount: 4,
        balance_after: 10,
        reservation_id: id,
        operation_id: null,
        action_type: 'usage',
        occurred_at: LAPSE,
      },
      { kind: 'grant', product_key: 'OTHER', occurred_at: AFTER_LAPSE },
    ]);
  });

  it('gets its entry even by an ending that comes too late, and nothing else is written', async () => {
    const { id } = await holdFour();
    app.clock.set(AFTER_LAPSE);
    const written = await writtenBy(app, async () => {
      expectProblem(await end(id, 'commit'), 409, 'reservation_expired');
    });
    expect(written).toEqual({ customers: 0, reservations: 0, batches: 0, balances: 0, entries: 1 });
  });

  it('comes in the order of the ends, not of the beginnings', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    for (const [amount, ttl_seconds] of [
      [1, 300],
      [2, 100],
      [3, 200],
    ] as const) {
      await hold(app, external_id, 'CREDITS', amount, { ttl_seconds });
    }
    app.clock.set(AFTER_LAPSE);
    await settle(external_id);
    expect(await occurrencesOf(external_id, 'release')).toEqual([
      [2, '2026-01-31T12:01:40.000Z'],
      [3, '2026-01-31T12:03:20.000Z'],
      [1, '2026-01-31T12:05:00.000Z'],
    ]);
  });
});
