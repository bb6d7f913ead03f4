// Refunds that failed, and disputes that were won, beside others of the same order: what comes back, and what stays taken.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'BOX', 'CREDITS', 100, { price: '10.00' });
  const days = { product_key: 'CREDITS', quantity: 100, period_unit: 'days', period_value: 10 };
  await putOffer(app, 'DAYS', 'CREDITS', 100, { price: '10.00', items: [days] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 };
  await putOffer(app, 'MONTH', 'ACCESS', 1, { price: '9.00', items: [month] });
});

/** A paid order of a person. */
async function buy(items: Json[], person = newPerson()): Promise<{ person: string; id: string; lines: string[] }> {
  const { body } = await app.post('/orders', { external_id: person, items });
  const paid = await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
  expect(paid.status, paid.text).toBe(200);
  return { person, id: body.id, lines: body.items.map((line: Json) => line.id) };
}

let told = 0;
const newId = () => `told_${++told}`;

/** Tells of a refund or a dispute, which is accepted. */
async function tell(id: string, what: 'refund' | 'dispute', body: Json): Promise<Json> {
  const answer = await app.post(`/orders/${id}/${what}`, body);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}
const balanceOf = async (person: string, key = 'CREDITS') =>
  (await app.get(`/wallet?external_id=${person}`)).body.balances[key] ?? 0;

describe('units that come back', () => {
  it('are those that repaid this debt, however often a part of it is undone', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const second = await buy([{ sku: 'BOX' }], person);
    const held = await app.post('/reservations', { external_id: person, product_key: 'CREDITS', amount: 40 });
    await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 160 });
    const [contested, refunded, other] = [newId(), newId(), newId()];
    await tell(id, 'dispute', { dispute_id: contested, status: 'opened', unrecovered_policy: 'debt' });
    await tell(second.id, 'dispute', { dispute_id: other, status: 'opened', unrecovered_policy: 'debt' });
    await app.post(`/reservations/${held.body.id}/release`, { external_id: person }); // forgives 40 of the first 100
    await tell(id, 'refund', { amount: '7.00', refund_id: refunded });
    await grantUnits(app, person, 'CREDITS', 200); // one entry repays 60 of the first, and all of the other
    expect(await balanceOf(person)).toBe(40);
    await tell(id, 'dispute', { dispute_id: contested, status: 'won' }); // 30 of 100
    expect(await balanceOf(person)).toBe(70);
    await tell(id, 'refund', { refund_id: refunded, status: 'failed' }); // of 60 that repaid it 30 are back
    expect(await balanceOf(person)).toBe(140);
    await tell(second.id, 'dispute', { dispute_id: other, status: 'won' });
    expect(await balanceOf(person)).toBe(240);
    const { body } = await app.get(`/wallet/batches?external_id=${person}`);
    const available = body.data.map(({ sku, available: units }: Json) => `${sku} ${units}`);
    expect(available.sort()).toEqual(['BOX 0', 'PACK 40', 'null 200']);
  });

  it('repay no debt that is forgiven with them', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }, { sku: 'BOX' }]);
    await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 200 }).expect(200);
    await grantUnits(app, person, 'CREDITS', 100);
    const own = newId();
    await tell(id, 'refund', { refund_id: own, unrecovered_policy: 'debt' });
    expect(await balanceOf(person)).toBe(-100); // one debt is repaid, the other is not
    await tell(id, 'refund', { refund_id: own, status: 'failed' });
    expect(await balanceOf(person)).toBe(100);
  });
});

describe('units that come back to a batch that has ended', () => {
  it('are claimed, and come back with the refund, whatever of it goes on in another batch', async () => {
    const { person, id } = await buy([{ sku: 'DAYS' }]);
    const used = await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 60 });
    const [contested, refunded] = [newId(), newId()];
    await tell(id, 'dispute', { dispute_id: contested, status: 'opened', amount: '5.00' }); // 40 there, 10 not
    await tell(id, 'refund', { amount: '5.00', refund_id: refunded }); // 50, none of it there
    app.clock.advance({ days: 20 });
    await tell(id, 'dispute', { dispute_id: contested, status: 'won' });
    expect(await balanceOf(person)).toBe(40);
    const { operation_id } = used.body;
    const back = await app.post('/quota/release', { external_id: person, operation_id });
    expect(back.body).toMatchObject({ returned: 0, revoked: 50, expired: 10 });
    await tell(id, 'refund', { refund_id: refunded, status: 'failed' });
    expect(await balanceOf(person)).toBe(90);
  });
});

describe('access', () => {
  const accessOf = async (person: string) => {
    const { body } = await app.get(`/wallet/batches?external_id=${person}`);
    const valid = body.data.filter(({ state }: Json) => state === 'active' || state === 'pending');
    return valid.map(({ valid_from: from, expires_at: to }: Record<string, string>) => [from, to].map(dayOf)).sort();
  };
  const dayOf = (instant = '') => instant.slice(0, 10);

  it('that amounts took comes back when the first of them fails', async () => {
    app.clock.set('2027-01-01T00:00:00.000Z');
    const { person, id } = await buy([{ sku: 'MONTH' }]);
    const [first, second] = [newId(), newId()];
    await tell(id, 'refund', { amount: '4.00', refund_id: first });
    await tell(id, 'refund', { amount: '5.00', refund_id: second });
    expect(await accessOf(person)).toEqual([]);
    await tell(id, 'refund', { refund_id: first, status: 'failed' });
    expect(await accessOf(person)).toEqual([['2027-01-01', '2027-02-01']]);
    await tell(id, 'refund', { refund_id: second, status: 'failed' });
    expect(await accessOf(person)).toEqual([['2027-01-01', '2027-02-01']]);
  });

  it('that a refund of its line took stays taken when an amount fails', async () => {
    const { person, id, lines } = await buy([{ sku: 'MONTH' }]);
    const amount = newId();
    await tell(id, 'refund', { amount: '4.00', refund_id: amount });
    await tell(id, 'refund', { items: [{ id: lines[0] }] });
    await tell(id, 'refund', { refund_id: amount, status: 'failed' });
    expect(await accessOf(person)).toEqual([]);
  });

  it('that came back in parts is shortened of its last part', async () => {
    app.clock.set('2027-01-01T00:00:00.000Z');
    const { person, id, lines } = await buy([{ sku: 'MONTH', quantity: 3 }]);
    const one = newId();
    const part = { items: [{ id: lines[0], quantity: 1 }] };
    await tell(id, 'refund', { ...part, refund_id: one });
    await tell(id, 'refund', { refund_id: one, status: 'failed' });
    expect(await accessOf(person)).toEqual([
      ['2027-01-01', '2027-03-01'],
      ['2027-03-01', '2027-04-01'],
    ]);
    app.clock.set('2027-02-10T00:00:00.000Z');
    await tell(id, 'refund', part);
    expect(await accessOf(person)).toEqual([['2027-01-01', '2027-03-01']]);
    await tell(id, 'refund', part);
    expect(await accessOf(person)).toEqual([]); // of the month that is left more than that was used
  });

  it('that is shortened goes on as if less had been bought', async () => {
    app.clock.set('2027-01-31T00:00:00.000Z');
    const { person, id, lines } = await buy([{ sku: 'MONTH', quantity: 3 }]);
    await tell(id, 'refund', { items: [{ id: lines[0], quantity: 2 }] });
    await buy([{ sku: 'MONTH' }], person);
    expect(await accessOf(person)).toEqual([
      ['2027-01-31', '2027-02-28'],
      ['2027-02-28', '2027-03-31'],
    ]);
  });

  it('is given back by the entry of the revoke that took it', async () => {
    const { person, id, lines } = await buy([{ sku: 'MONTH', quantity: 2 }]);
    const [one, rest] = [newId(), newId()];
    await tell(id, 'refund', { items: [{ id: lines[0], quantity: 1 }], refund_id: one });
    await tell(id, 'refund', { refund_id: rest });
    const reversed = async () => (await app.get(`/wallet/entries?external_id=${person}&kind=reverse`)).body.data.length;
    await tell(id, 'refund', { refund_id: one, status: 'failed' });
    expect(await reversed()).toBe(0);
    await tell(id, 'refund', { refund_id: rest, status: 'failed' });
    expect(await reversed()).toBe(1);
  });
});

describe('a refund within a dispute that fails', () => {
  /** Of 30.00 half is disputed, 50 units of the BOX; and 10.00 of the PACKs are refunded within it, so that 25 of the BOX are left of that. */
  async function refundedWithin(policy: 'ignore' | 'debt') {
    const { person, id, lines } = await buy([{ sku: 'PACK', quantity: 2 }, { sku: 'BOX' }]);
    const [contested, within] = [newId(), newId()];
    const opened = { dispute_id: contested, status: 'opened', amount: '15.00', unrecovered_policy: policy };
    await tell(id, 'dispute', opened);
    expect(await balanceOf(person)).toBe(150);
    const part = { items: [{ id: lines[0], quantity: 1 }], refund_id: within, dispute_id: contested };
    expect(await tell(id, 'refund', part)).toMatchObject({ refund: { recovered: { CREDITS: 25 } } });
    expect(await balanceOf(person)).toBe(150);
    return {
      person,
      fail: () => tell(id, 'refund', { refund_id: within, status: 'failed' }),
      close: (status: 'won' | 'lost') => tell(id, 'dispute', { dispute_id: contested, status }),
      refundRest: () => tell(id, 'refund', {}),
    };
  }

  it('claims again what is contested again of the other lines', async () => {
    const { person, fail, close, refundRest } = await refundedWithin('ignore');
    expect(await fail()).toMatchObject({ refund: { recovered: { CREDITS: 25 }, unrecovered: { CREDITS: 0 } } });
    expect(await balanceOf(person)).toBe(150);
    expect(await fail()).toMatchObject({ refund: { recovered: { CREDITS: 25 } } }); // told again, it takes nothing
    await close('lost');
    expect(await balanceOf(person)).toBe(150);
    await refundRest();
    expect(await balanceOf(person)).toBe(0);
  });

  it('gives all of it back when the dispute is won', async () => {
    const { person, fail, close } = await refundedWithin('ignore');
    await fail();
    await close('won');
    expect(await balanceOf(person)).toBe(300);
  });

  it.each(['ignore', 'debt'] as const)('claims what is not there any more as the dispute said: %s', async (policy) => {
    const { person, fail, close } = await refundedWithin(policy);
    const use = { external_id: person, product_key: 'CREDITS', amount: 150, action_type: 'use' };
    await app.post('/quota/consume', use).expect(200);
    expect(await fail()).toMatchObject({ refund: { unrecovered: { CREDITS: 25 } } });
    expect(await balanceOf(person)).toBe(policy === 'debt' ? 0 : 25);
    await close('won');
    expect(await balanceOf(person)).toBe(150);
  });

  it('owes what is not there, as the dispute said, and repays it with what else there is', async () => {
    const { person, fail, close } = await refundedWithin('debt');
    await app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount: 150 }).expect(200);
    await grantUnits(app, person, 'CREDITS', 40);
    await fail(); // 25 of 40 repay it, and 25 come back
    expect(await balanceOf(person)).toBe(40);
    await close('won');
    expect(await balanceOf(person)).toBe(190);
  });

  it('cuts access again that is wholly contested again', async () => {
    app.clock.set('2027-03-01T00:00:00.000Z');
    const { person, id, lines } = await buy([{ sku: 'PACK', quantity: 2 }, { sku: 'MONTH' }]);
    const accessOf = async () => {
      const { body } = await app.get(`/wallet/batches?external_id=${person}`);
      const own = body.data.filter(({ product_key: key, state }: Json) => key === 'ACCESS' && state === 'active');
      return own.map(({ expires_at: end }: Json) => String(end).slice(0, 10));
    };
    const [larger, contested, within] = [newId(), newId(), newId()];
    await tell(id, 'dispute', { dispute_id: larger, status: 'opened', amount: '19.00' });
    expect(await accessOf()).toEqual(['2027-04-01']);
    await tell(id, 'dispute', { dispute_id: contested, status: 'opened', amount: '10.00' });
    expect(await accessOf()).toEqual([]);
    const part = { items: [{ id: lines[0], quantity: 1 }], refund_id: within, dispute_id: contested };
    await tell(id, 'refund', part);
    expect(await accessOf()).toEqual(['2027-04-01']);
    await tell(id, 'refund', { refund_id: within, status: 'failed' });
    expect(await accessOf()).toEqual([]);
    await tell(id, 'dispute', { dispute_id: contested, status: 'won' });
    expect(await accessOf()).toEqual(['2027-04-01']);
  });
});
