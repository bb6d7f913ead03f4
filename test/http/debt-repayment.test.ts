// How a debt is repaid (DOMAIN 3.14, 3.15): every credit of the product repays it at once, whatever it comes from, so that nothing is ever
// available beside a debt. What a give-back does to the overdraft itself is tested in give-back-sources.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { batchOf, entriesOf, hold, ledgerOf, walletOf } from '../support/holdings.js';
import { sendTogether } from '../support/parallel.js';
import { buy, newPerson, writtenBy } from '../support/requests.js';

/** A reservation made when a test begins lasts until here. */
const LAPSE = '2026-01-31T12:15:00.000Z';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'COIN', { is_currency: true });
  await putProduct(app, 'OTHER');
  await putOffer(app, 'STARS_10', 'STAR', 10);
  await putOffer(app, 'TRIAL_STARS', 'STAR', 10, { trial_policy: {} });
  await putOffer(app, 'STARS_FOR_COIN', 'STAR', 10, { price: '1', currency: 'COIN' });
});

const add = (external_id: string, amount: number) =>
  app.post('/credits/add', { external_id, product_key: 'STAR', amount });
const overdraw = (external_id: string, amount: number) =>
  app.post('/credits/deduct', { external_id, product_key: 'STAR', amount, allow_negative: true });
/** Lets everything that is due be written, by an operation that has nothing to do with it. */
const settle = (external_id: string) => grantUnits(app, external_id, 'OTHER', 1);

async function debtorOf(owed: number): Promise<string> {
  const external_id = newPerson();
  expect((await overdraw(external_id, owed)).body.owed).toBe(owed);
  return external_id;
}

const creditsOf = async (external_id: string) => {
  const { body } = await app.get(`/credits/balance?external_id=${external_id}&product_key=STAR`);
  const { balance, available, held, owed } = body;
  return { balance, available, held, owed };
};

describe('credits that are added', () => {
  it.each([
    ['part of it', 4, { balance: -2, repaid: 4 }],
    ['all of it', 6, { balance: 0, repaid: 6 }],
    ['all of it, and more is left', 10, { balance: 4, repaid: 6 }],
  ])('repay a debt at once: %s', async (_case, amount, answered) => {
    const external_id = await debtorOf(6);
    const { body } = await add(external_id, amount);
    expect(body).toMatchObject({ amount, ...answered });
    expect(await creditsOf(external_id)).toEqual({
      balance: answered.balance,
      available: Math.max(0, answered.balance),
      held: 0,
      owed: Math.max(0, -answered.balance),
    });
    const consumed = answered.repaid;
    expect(await batchOf(app, external_id, body.batch_id)).toMatchObject({ granted: amount, consumed, expired: 0 });
  });

  it('tell the ledger what was granted, then what of it repaid, of the same batch and operation', async () => {
    const external_id = await debtorOf(6);
    const { body } = await add(external_id, 10);
    const told = { batch_id: body.batch_id, operation_id: body.operation_id };
    expect((await entriesOf(app, external_id)).slice(1)).toMatchObject([
      { ...told, kind: 'grant', direction: 'credit', amount: 10, balance_after: 4 },
      { ...told, kind: 'repay', direction: 'none', amount: 6, balance_after: 4 },
    ]);
  });

  it('repay nothing where nothing is owed', async () => {
    const external_id = newPerson();
    expect((await add(external_id, 10)).body.repaid).toBe(0);
    expect(await ledgerOf(app, external_id)).toEqual([['grant', 10, 10]]);
  });

  it('repay once when many come at once', async () => {
    const external_id = await debtorOf(6);
    const answers = await sendTogether(4, () => add(external_id, 4));
    expect(answers.map(({ body }) => body.repaid).sort((a, b) => b - a)).toEqual([4, 2, 0, 0]);
    expect(await creditsOf(external_id)).toEqual({ balance: 10, available: 10, held: 0, owed: 0 });
  });

  it('repay a debt as large as can be', async () => {
    const external_id = await debtorOf(Number.MAX_SAFE_INTEGER);
    expect((await add(external_id, Number.MAX_SAFE_INTEGER)).body).toMatchObject({
      repaid: Number.MAX_SAFE_INTEGER,
      balance: 0,
    });
  });
});

describe('a debt is repaid by', () => {
  const granted = (more: Json) => async (external_id: string) => {
    const subject = { product_key: 'STAR', quantity: 10, grant_type: 'bonus' };
    expect((await app.post('/grants', { external_id, ...subject, ...more })).status).toBe(201);
  };

  it.each<[string, (external_id: string) => Promise<unknown>]>([
    ['a bonus', granted({})],
    ['an adjustment', granted({ grant_type: 'adjustment', reason: 'count' })],
    ['a migration', granted({ grant_type: 'migration', source_id: 'legacy-1', valid_from: '2025-01-01T00:00:00Z' })],
    ['a trial', granted({ grant_type: 'trial', sku: 'TRIAL_STARS', product_key: undefined, quantity: undefined })],
    ['a purchase', (external_id) => buy(app, external_id, 'STARS_10')],
    [
      'an exchange',
      async (external_id) => {
        await grantUnits(app, external_id, 'COIN', 1);
        expect((await app.post('/exchange', { external_id, sku: 'STARS_FOR_COIN' })).status).toBe(200);
      },
    ],
  ])('%s', async (_case, credit) => {
    const external_id = await debtorOf(6);
    await credit(external_id);
    expect(await creditsOf(external_id)).toEqual({ balance: 4, available: 4, held: 0, owed: 0 });
    const told = (await entriesOf(app, external_id, '&product_key=STAR')).slice(1);
    expect(told.map(({ kind, amount, balance_after }) => [kind, amount, balance_after])).toEqual([
      ['grant', 10, 4],
      ['repay', 6, 4],
    ]);
  });

  it('a grant that is not valid yet, so that nothing is available beside a debt', async () => {
    const external_id = await debtorOf(6);
    const batch_id = await grantUnits(app, external_id, 'STAR', 10, { valid_from: '2026-02-01T00:00:00Z' });
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 4, consumed: 6, state: 'pending' });
    expect(await creditsOf(external_id)).toEqual({ balance: 0, available: 0, held: 0, owed: 0 });
  });

  it('a give-back of an earlier use', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 5);
    const used = await app.post('/quota/consume', { external_id, product_key: 'STAR', amount: 5 });
    await overdraw(external_id, 3);
    const { body } = await app.post('/quota/release', { operation_id: used.body.operation_id });
    expect(body).toMatchObject({ amount: 5, returned: 5, expired: 0, remaining: 2 });
    expect(await creditsOf(external_id)).toEqual({ balance: 2, available: 2, held: 0, owed: 0 });
    const told = { batch_id, operation_id: body.operation_id };
    expect((await entriesOf(app, external_id)).slice(3)).toMatchObject([
      { ...told, kind: 'reverse', direction: 'credit', amount: 5, balance_after: 2 },
      { ...told, kind: 'repay', direction: 'none', amount: 3, balance_after: 2 },
    ]);
  });

  it('no grant of another product', async () => {
    const external_id = await debtorOf(6);
    await grantUnits(app, external_id, 'COIN', 10);
    expect((await creditsOf(external_id)).owed).toBe(6);
  });
});

describe('a hold that comes back', () => {
  /** Somebody with four units, all held, who owes three. */
  async function holdingDebtor(batch: Json = {}) {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'STAR', 4, batch);
    const { id } = await hold(app, external_id, 'STAR', 4);
    expect((await overdraw(external_id, 3)).body).toMatchObject({ owed: 3, taken: [] });
    return { external_id, batch_id, id };
  }

  const partsOf = async (external_id: string, batch_id: string) => {
    const { available, held, consumed, expired, state } = await batchOf(app, external_id, batch_id);
    return { available, held, consumed, expired, state };
  };

  it('repays when it is released', async () => {
    const { external_id, batch_id, id } = await holdingDebtor();
    const { body } = await app.post(`/reservations/${id}/release`);
    expect(body).toMatchObject({ returned: 4, expired: 0, remaining: 1 });
    expect(await creditsOf(external_id)).toEqual({ balance: 1, available: 1, held: 0, owed: 0 });
    const told = { batch_id, operation_id: body.operation_id };
    expect((await entriesOf(app, external_id)).slice(3)).toMatchObject([
      { ...told, kind: 'release', direction: 'credit', amount: 4, balance_after: 1, reservation_id: id },
      { ...told, kind: 'repay', direction: 'none', amount: 3, balance_after: 1 },
    ]);
  });

  it('repays with the rest of a commit', async () => {
    const { external_id, id } = await holdingDebtor();
    const { body } = await app.post(`/reservations/${id}/commit`, { amount: 2 });
    expect(body).toMatchObject({ committed_amount: 2, returned: 2, remaining: 0 });
    expect(await creditsOf(external_id)).toEqual({ balance: -1, available: 0, held: 0, owed: 1 });
  });

  it('repays when it lapses, for readers before anything is written', async () => {
    const { external_id, batch_id } = await holdingDebtor();
    app.clock.set(LAPSE);
    const parts = { available: 1, held: 0, consumed: 3, expired: 0, state: 'active' };
    const credits = { balance: 1, available: 1, held: 0, owed: 0 };
    const written = await writtenBy(app, async () => {
      expect(await partsOf(external_id, batch_id)).toEqual(parts);
      expect(await creditsOf(external_id)).toEqual(credits);
      expect(await walletOf(app, external_id)).toMatchObject({ balances: { STAR: 1 }, held: {} });
    });
    expect(written).toEqual({});
    await settle(external_id);
    expect(await partsOf(external_id, batch_id)).toEqual(parts);
    expect(await creditsOf(external_id)).toEqual(credits);
    const told = (await entriesOf(app, external_id, '&product_key=STAR')).slice(3);
    expect(told).toMatchObject([
      { kind: 'release', amount: 4, balance_after: 1, operation_id: null, occurred_at: LAPSE },
      { kind: 'repay', amount: 3, balance_after: 1, operation_id: null, occurred_at: LAPSE },
    ]);
  });

  it('repays in the order of the ends and of the legs', async () => {
    const external_id = newPerson();
    const first = await grantUnits(app, external_id, 'STAR', 2, { priority: -1 });
    const second = await grantUnits(app, external_id, 'STAR', 3);
    const third = await grantUnits(app, external_id, 'STAR', 4, { priority: 1 });
    await hold(app, external_id, 'STAR', 5, { ttl_seconds: 200 });
    await hold(app, external_id, 'STAR', 4, { ttl_seconds: 100 });
    await overdraw(external_id, 7);
    app.clock.set(LAPSE);
    const read = () => Promise.all([first, second, third].map((id) => partsOf(external_id, id)));
    const before = await read();
    expect(before).toMatchObject([
      { available: 0, consumed: 2, state: 'exhausted' },
      { available: 2, consumed: 1, state: 'active' },
      { available: 0, consumed: 4, state: 'exhausted' },
    ]);
    await settle(external_id);
    expect(await read()).toEqual(before);
  });

  it('repays with a batch that ends after it, of which the rest expires', async () => {
    const { external_id, batch_id } = await holdingDebtor({ expires_at: '2026-02-01T00:00:00Z' });
    app.clock.set('2026-02-02T00:00:00.000Z');
    const parts = { available: 0, held: 0, consumed: 3, expired: 1, state: 'expired' };
    expect(await partsOf(external_id, batch_id)).toEqual(parts);
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: 0 });
    await settle(external_id);
    expect(await partsOf(external_id, batch_id)).toEqual(parts);
    expect((await walletOf(app, external_id)).balances.STAR).toBe(0);
  });

  it.each(['released', 'lapsed'])('of a batch that has ended expires when %s, and repays nothing', async (how) => {
    const { external_id, batch_id, id } = await holdingDebtor({ expires_at: '2026-01-31T12:10:00Z' });
    app.clock.set(how === 'released' ? '2026-01-31T12:10:00.000Z' : LAPSE);
    if (how === 'released') expect((await app.post(`/reservations/${id}/release`)).body.expired).toBe(4);
    const parts = { available: 0, held: 0, consumed: 0, expired: 4, state: 'expired' };
    expect(await partsOf(external_id, batch_id)).toEqual(parts);
    expect((await walletOf(app, external_id)).balances).toEqual({ STAR: -3 });
    await settle(external_id);
    expect(await partsOf(external_id, batch_id)).toEqual(parts);
    expect(await creditsOf(external_id)).toEqual({ balance: -3, available: 0, held: 0, owed: 3 });
  });

  it('leaves a batch exhausted that repays with all it has, also for the filter, before anything is written', async () => {
    const { external_id, batch_id } = await holdingDebtor();
    await overdraw(external_id, 1);
    app.clock.set(LAPSE);
    expect(await batchOf(app, external_id, batch_id)).toMatchObject({ available: 0, held: 0, state: 'exhausted' });
    const listed = async (state: string) => {
      const answer = await app.get(`/wallet/batches?external_id=${external_id}&state=${state}`);
      return answer.body.data.map(({ id }: Json) => id);
    };
    expect(await listed('exhausted')).toEqual([batch_id]);
    expect(await listed('active')).toEqual([]);
  });
});
