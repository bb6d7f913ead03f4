// A period that is paid within its grace: what ended with the one before goes over into it, as if it had been paid on time.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
const START = '2027-01-31T12:00:00.000Z';
const END = '2027-02-28T12:00:00.000Z';
/** Two days late, within the grace of five. */
const LATE = '2027-03-02T12:00:00.000Z';

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  await putProduct(app, 'STAR', { is_currency: true });
  const units = [monthly('UNITS', 100)];
  await plans.put('ALL', '10', units, { rollover: 'all', grace_days: 5 });
  await plans.put('STARS', '10', [monthly('STAR', 100)], { rollover: 'all', grace_days: 5 });
  await plans.put('TWICE', '10', [monthly('UNITS', 20), monthly('UNITS', 10)], { rollover: 'all', grace_days: 5 });
  await plans.put('BOTH', '0', [monthly('UNITS', 9), monthly('STAR', 50)]);
  await plans.put('FREE', '0', [monthly('UNITS', 3)]);
  await plans.put('CAP', '10', units, { rollover: 'cap', rollover_cap: 30, grace_days: 5 });
  await plans.put('NONE', '10', units, { grace_days: 5 });
  await plans.put('NO_GRACE', '10', units, { rollover: 'all' });
  await plans.put('OTHER', '20', [monthly('UNITS', 7)], { grace_days: 5 });
  const WEEKLY = { recurrence: { unit: 'weeks', count: 1 } };
  const week = { product_key: 'UNITS', quantity: 10, period_unit: 'days', period_value: 7 };
  await plans.put('WEEKLY', '1', [week], { rollover: 'all', grace_days: 30 }, WEEKLY);
});

const consume = async (external_id: string, amount: number) => {
  const { status, text } = await app.post('/quota/consume', { external_id, product_key: 'UNITS', amount });
  expect(status, text).toBe(200);
};
const hold = async (external_id: string, amount: number, expires_at: string): Promise<string> => {
  const answer = await app.post('/reservations', { external_id, product_key: 'UNITS', amount, expires_at });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
};
const batchesOf = async (person: string): Promise<Json[]> =>
  (await app.get(`/wallet/batches?external_id=${person}`)).body.data;
const entriesOf = async (person: string): Promise<Json[]> =>
  (await app.get(`/wallet/entries?external_id=${person}&limit=200`)).body.data;

/** Pays the first period of a plan; answers its order. */
async function begun(person: string, sku: string): Promise<string> {
  app.clock.set(START);
  return plans.buy(person, sku);
}

describe('what is left when a period ends unpaid', () => {
  it.each([
    ['all', 160],
    ['cap', 130],
    ['none', 100],
    ['no_grace', 100],
  ])('goes over by the rollover of its plan once the next is paid within the grace: %s', async (sku, expected) => {
    const [late, early] = [newPerson(), newPerson()];
    await begun(late, sku);
    await begun(early, sku);
    await consume(late, 40);
    await consume(early, 40);
    await plans.buy(early, sku);
    app.clock.set(END);
    expect(await plans.balance(late)).toBe(0);
    app.clock.set(LATE);
    expect(await plans.balance(late)).toBe(0);
    await plans.buy(late, sku);
    expect(await plans.balance(late)).toBe(expected);
    if (sku === 'no_grace') return;
    expect(await plans.balance(early)).toBe(expected);
    const validity = async (person: string) =>
      (await batchesOf(person)).map((b) => [b.valid_from, b.expires_at, b.available, b.expired, b.transferred]).sort();
    expect(await validity(late)).toEqual(await validity(early));
  });

  it('stands in the ledger as what it is: it expired, and went on without a balance having it', async () => {
    const person = newPerson();
    await begun(person, 'cap');
    app.clock.set(LATE);
    await plans.balance(person);
    await plans.buy(person, 'cap');
    const told = (await entriesOf(person)).map((e) => [e.kind, e.direction, e.amount, e.balance_after]).reverse();
    expect(told).toEqual([
      ['grant', 'credit', 100, 100],
      ['expire', 'debit', 100, 0],
      ['grant', 'credit', 100, 100],
      ['transfer_out', 'none', 30, 100],
      ['transfer_in', 'credit', 30, 130],
    ]);
    const then = async (at: string) =>
      (await app.get(`/wallet/batches?external_id=${person}&as_of=${at}`)).body.data.map((b: Json) => [
        b.available,
        b.expired,
        b.transferred,
      ]);
    expect(await then('2027-03-01T00:00:00.000Z')).toEqual([[0, 100, 0]]);
    expect((await then(LATE)).sort()).toEqual([
      [0, 70, 30],
      [100, 0, 0],
      [30, 0, 0],
    ]);
  });

  it('does not go over when the grace is over, nor into another plan of which units are reset', async () => {
    const [late, reset, carry] = [newPerson(), newPerson(), newPerson()];
    for (const person of [late, reset, carry]) await begun(person, 'all');
    const change = async (person: string, old_units: string) => {
      const { id } = await plans.own(person);
      await plans.act(id, 'change', { sku: 'other', when: 'period_end', old_units });
    };
    await change(reset, 'reset');
    await change(carry, 'carry');
    app.clock.set(LATE);
    await plans.buy(reset, 'other');
    await plans.buy(carry, 'other');
    expect([await plans.balance(reset), await plans.balance(carry)]).toEqual([7, 107]);
    app.clock.set('2027-03-05T12:00:00.000Z');
    await plans.buy(late, 'all');
    expect(await plans.balance(late)).toBe(100);
  });

  it('goes over again and again, where the grace is longer than the period', async () => {
    const person = newPerson();
    await begun(person, 'weekly');
    app.clock.set('2027-02-17T12:00:00.000Z'); // two periods and three days behind
    for (const expected of [0, 30]) {
      await plans.buy(person, 'weekly');
      expect(await plans.balance(person)).toBe(expected);
    }
  });

  it('repays what is owed first', async () => {
    const person = newPerson();
    await begun(person, 'stars');
    app.clock.set(LATE);
    const owed = { external_id: person, product_key: 'STAR', amount: 150, allow_negative: true };
    expect((await app.post('/credits/deduct', owed)).status).toBe(200);
    await plans.buy(person, 'stars');
    expect(await plans.balance(person, 'STAR')).toBe(50);
  });

  it('is still of the order that paid it', async () => {
    const person = newPerson();
    const order = await begun(person, 'all');
    app.clock.set(LATE);
    await plans.buy(person, 'all');
    expect(await plans.balance(person)).toBe(200);
    await plans.refund(order, { amount: '4' });
    expect(await plans.balance(person)).toBe(160);
    await plans.refund(order);
    expect(await plans.balance(person)).toBe(100);
  });

  it('stays as far as a refund or a dispute claims it', async () => {
    const [half, whole, lent] = [newPerson(), newPerson(), newPerson()];
    const orders = [await begun(half, 'all'), await begun(whole, 'all'), await begun(lent, 'all')];
    const dispute = (status: string) =>
      app.post(`/orders/${orders[2]}/dispute`, { dispute_id: `dispute of ${lent}`, status });
    app.clock.set('2027-03-01T12:00:00.000Z');
    await plans.refund(orders[0], { amount: '4' });
    await plans.refund(orders[1]);
    expect((await dispute('opened')).status).toBeLessThan(300);
    app.clock.set(LATE);
    for (const person of [half, whole, lent]) await plans.buy(person, 'all');
    const balances = async () => [await plans.balance(half), await plans.balance(whole), await plans.balance(lent)];
    expect(await balances()).toEqual([160, 100, 100]);
    await plans.refund(orders[0]);
    expect((await dispute('won')).status).toBeLessThan(300);
    expect(await balances()).toEqual([100, 100, 100]);
  });

  it.each(['early', 'late'])('of two items of one product it is of the order of both: paid %s', async (when) => {
    const person = newPerson();
    const order = await begun(person, 'twice');
    if (when === 'late') app.clock.set(LATE);
    await plans.buy(person, 'twice');
    app.clock.set(LATE);
    expect(await plans.balance(person)).toBe(60);
    await plans.refund(order, { amount: '5' });
    expect(await plans.balance(person)).toBe(45);
    await plans.refund(order);
    expect(await plans.balance(person)).toBe(30);
  });

  it('goes over once, however often and at once the payment is told', async () => {
    const person = newPerson();
    await begun(person, 'all');
    app.clock.set(LATE);
    const { order_id } = await plans.own(person);
    const payment = { payment_id: newPayment() };
    const answers = await Promise.all([1, 2, 3].map(() => app.post(`/orders/${order_id}/confirm`, payment)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await plans.balance(person)).toBe(200);
  });

  it('that was held, and freed before the payment, goes over with the rest', async () => {
    const person = newPerson();
    await begun(person, 'all');
    app.clock.set('2027-02-27T12:00:00.000Z');
    const id = await hold(person, 60, '2027-03-05T12:00:00.000Z');
    app.clock.set('2027-03-01T12:00:00.000Z');
    expect((await app.post(`/reservations/${id}/release`, {})).status).toBe(200);
    expect(await plans.balance(person)).toBe(0);
    app.clock.set(LATE);
    await plans.buy(person, 'all');
    expect(await plans.balance(person)).toBe(200);
  });

  it.each([
    ['all', 140, 200],
    ['cap', 100, 130],
  ])('that is held still goes over when it is freed: %s', async (sku, paid, freed) => {
    const person = newPerson();
    await begun(person, sku);
    app.clock.set('2027-02-27T12:00:00.000Z');
    const id = await hold(person, 60, '2027-03-05T12:00:00.000Z');
    app.clock.set(LATE);
    await plans.buy(person, sku);
    expect(await plans.balance(person)).toBe(paid);
    expect((await app.post(`/reservations/${id}/release`, {})).status).toBe(200);
    expect(await plans.balance(person)).toBe(freed);
  });
});

describe('a plan that followed another one', () => {
  it.each(['now', 'period_end'])('lets all of both be taken, of whatever product: %s', async (when) => {
    const person = newPerson();
    app.clock.set(START);
    const { id } = await plans.begin(person, 'both');
    await plans.buy(person, 'all');
    await plans.act(id, 'change', { sku: 'free', when, old_units: 'reset' });
    app.clock.set(LATE);
    expect([await plans.balance(person), await plans.balance(person, 'STAR')]).toEqual([3, 0]);
  });

  it('lets what is left of both go over within the grace', async () => {
    const person = newPerson();
    app.clock.set(START);
    await plans.begin(person, 'both');
    await plans.buy(person, 'all');
    app.clock.set(LATE);
    await plans.buy(person, 'all');
    expect([await plans.balance(person), await plans.balance(person, 'STAR')]).toEqual([209, 50]);
  });
});
