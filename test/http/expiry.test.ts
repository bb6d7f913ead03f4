// Units that end by the clock: what readers see before and after the expiry is written (DOMAIN 3.2, 3.3, 3.17).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putProduct, useTestApp } from '../support/app.js';
import { expectProblem, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();
const END = '2026-02-01T00:00:00.000Z';

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await putProduct(app, 'OTHER');
});

async function readAll(external_id: string) {
  const [wallet, balance, batches] = await Promise.all([
    app.get(`/wallet?external_id=${external_id}`),
    app.get(`/balance?external_id=${external_id}&product_key=CREDITS`),
    app.get(`/wallet/batches?external_id=${external_id}`),
  ]);
  return { wallet: wallet.body, balance: balance.body, batches: batches.body.data };
}

async function entriesOf(external_id: string): Promise<Json[]> {
  return (await app.get(`/wallet/entries?external_id=${external_id}`)).body.data;
}

describe('units that ended', () => {
  it('are gone for readers before anything is written, and reading writes nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    app.clock.set(END);
    const written = await writtenBy(app, async () => {
      const { wallet, balance, batches } = await readAll(external_id);
      expect(wallet.balances).toEqual({ CREDITS: 0 });
      expect(wallet.features).toEqual({ draw: { can_use: false, remaining: 0 } });
      expect(balance).toMatchObject({ can_use: false, remaining: 0, expires_at: null });
      expect(batches).toMatchObject([{ granted: 10, available: 0, expired: 10, state: 'expired' }]);
    });
    expect(written).toEqual({});
  });

  it('are there until the last millisecond', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    app.clock.set('2026-01-31T23:59:59.999Z');
    const { wallet, balance, batches } = await readAll(external_id);
    expect(wallet.balances).toEqual({ CREDITS: 10 });
    expect(balance).toMatchObject({ can_use: true, remaining: 10, expires_at: END });
    expect(batches).toMatchObject([{ available: 10, expired: 0, state: 'active' }]);
  });

  it('look the same after the expiry is written', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 4 });
    app.clock.set('2026-02-03T00:00:00.000Z');
    const before = await readAll(external_id);
    await grantUnits(app, external_id, 'OTHER', 1);
    const { wallet, balance, batches } = await readAll(external_id);
    expect(wallet.balances).toEqual({ ...before.wallet.balances, OTHER: 1 });
    expect(balance).toEqual(before.balance);
    expect(batches.slice(1)).toEqual(before.batches);
    expect(before.batches).toMatchObject([{ consumed: 4, expired: 6, available: 0 }]);
  });

  it('get their entry by the next operation, of another product too, before its own entries', async () => {
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    app.clock.set('2026-02-03T00:00:00.000Z');
    expect(await entriesOf(external_id)).toMatchObject([{ kind: 'grant' }]);
    await grantUnits(app, external_id, 'OTHER', 1);
    const [granted, expired, ...rest] = await entriesOf(external_id);
    expect(granted).toMatchObject({ kind: 'grant', product_key: 'OTHER', seq: 3 });
    expect(expired).toEqual({
      id: expect.any(String),
      seq: 2,
      kind: 'expire',
      direction: 'debit',
      product_key: 'CREDITS',
      batch_id,
      amount: 10,
      balance_after: 0,
      feature: null,
      action_type: null,
      action_id: null,
      order_id: null,
      reservation_id: null,
      refund_id: null,
      dispute_id: null,
      reverses_seq: null,
      unit_cost: null,
      operation_id: null,
      metadata: {},
      occurred_at: END,
    });
    expect(rest).toHaveLength(1);
  });

  it('get their entry even by an operation that is refused', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    app.clock.set('2026-02-03T00:00:00.000Z');
    const written = await writtenBy(app, async () => {
      const answer = await app.post('/quota/consume', { external_id, product_key: 'CREDITS' });
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body.reasons).toEqual([{ code: 'insufficient_quota' }, { code: 'expired', at: END }]);
    });
    expect(written).toEqual({ customers: 0, batches: 0, balances: 0, entries: 1 });
    expect(await entriesOf(external_id)).toMatchObject([{ kind: 'expire', operation_id: null }, { kind: 'grant' }]);
  });

  it('get one entry, however many operations follow', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    app.clock.set('2026-02-03T00:00:00.000Z');
    await Promise.all([1, 2, 3].map(() => grantUnits(app, external_id, 'OTHER', 1)));
    const entries = await entriesOf(external_id);
    expect(entries.filter((entry) => entry.kind === 'expire')).toHaveLength(1);
  });

  it('get their entries in the order of their ends, each at its end', async () => {
    const external_id = newPerson();
    const ends = ['2026-02-03T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-02-02T00:00:00.000Z'];
    for (const expires_at of ends) await grantUnits(app, external_id, 'CREDITS', 1, { expires_at });
    app.clock.set('2026-02-04T00:00:00.000Z');
    await grantUnits(app, external_id, 'OTHER', 1);
    const expiries = (await entriesOf(external_id)).filter((entry) => entry.kind === 'expire').reverse();
    expect(expiries.map((entry) => [entry.occurred_at, entry.balance_after])).toEqual([
      ['2026-02-01T00:00:00.000Z', 2],
      ['2026-02-02T00:00:00.000Z', 1],
      ['2026-02-03T00:00:00.000Z', 0],
    ]);
  });

  it('leave what does not end', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10, { expires_at: END });
    await grantUnits(app, external_id, 'CREDITS', 3);
    app.clock.set(END);
    const { wallet, balance } = await readAll(external_id);
    expect(wallet.balances).toEqual({ CREDITS: 3 });
    expect(balance).toMatchObject({ remaining: 3, expires_at: null });
  });

  it('get no entry when nothing was left of them', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2, { expires_at: END });
    await app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount: 2 });
    app.clock.set(END);
    await grantUnits(app, external_id, 'OTHER', 1);
    expect((await entriesOf(external_id)).map((entry) => entry.kind)).toEqual(['grant', 'consume', 'grant']);
  });

  it('of access get no entry: nothing was counted', async () => {
    await putProduct(app, 'ACCESS', { type: 'period' });
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, { expires_at: END });
    app.clock.set(END);
    await grantUnits(app, external_id, 'OTHER', 1);
    expect((await entriesOf(external_id)).map((entry) => entry.kind)).toEqual(['grant', 'grant']);
  });

  it('are settled before anything is refused, however many there are', async () => {
    const external_id = newPerson();
    const { body } = await app.post('/identify', { external_id });
    await putProduct(app, 'MANY');
    const items = Array.from({ length: 50 }, () => ({ product_key: 'MANY', period_unit: 'days', period_value: 1 }));
    await app.put('/offers/MANY_ITEMS', { name: 'Many', price: '0', currency: 'USD', items });
    const grant = { customer_id: body.customer_id, grant_type: 'bonus', sku: 'MANY_ITEMS' };
    for (let made = 0; made < 11; made += 1) expect((await app.post('/grants', grant)).status).toBe(201);
    app.clock.advance({ days: 1 });
    const refused = await app.post('/quota/consume', { external_id, product_key: 'MANY' });
    expectProblem(refused, 402, 'insufficient_quota');
    expect(refused.body.available).toBe(0);
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.balances).toEqual({ MANY: 0 });
    const left = async () => {
      const [row] = await app.deps.db.query('SELECT available FROM balances WHERE customer_id = $1::uuid', [
        body.customer_id,
      ]);
      return row?.available;
    };
    expect(await left()).toBe(0);
  });
});

describe('a clock that goes back', () => {
  it('does not take the ledger back with it', async () => {
    const external_id = newPerson();
    app.clock.set('2026-03-01T00:00:00.000Z');
    await grantUnits(app, external_id, 'CREDITS', 1);
    app.clock.set('2026-02-01T00:00:00.000Z');
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect((await entriesOf(external_id)).map((entry) => entry.occurred_at)).toEqual([
      '2026-03-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ]);
  });
});
