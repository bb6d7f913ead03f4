// Units that are held while their period turns, and freed afterwards.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { monthly, plansOf } from '../support/plans.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  const units = [monthly('UNITS', 100)];
  await plans.put('ALL', '0', units, { rollover: 'all' });
  await plans.put('CAP', '0', units, { rollover: 'cap', rollover_cap: 30 });
  await plans.put('NONE', '0', units);
  await plans.put('LONG', '0', [{ ...monthly('UNITS', 100), period_value: 6 }]);
  await plans.put('PAID', '10', units, { rollover: 'all', grace_days: 5 });
  await plans.put(
    'YEAR',
    '100',
    units,
    { rollover: 'all', grant_every: { unit: 'months', count: 1 } },
    {
      recurrence: { unit: 'years', count: 1 },
    },
  );
});

const hold = async (external_id: string, amount: number, expires_at: string): Promise<string> => {
  const answer = await app.post('/reservations', { external_id, product_key: 'UNITS', amount, expires_at });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
};
const release = (id: string) => app.post(`/reservations/${id}/release`, {});
const START = '2027-01-31T12:00:00.000Z';
const BEFORE = '2027-02-27T12:00:00.000Z';
const AFTER = '2027-03-01T12:00:00.000Z';
const LATER = '2027-03-02T12:00:00.000Z';

describe('units that are held when their period turns', () => {
  it.each([
    ['all', 100, 200],
    ['all', 40, 200],
    ['cap', 100, 130],
    ['cap', 20, 130],
    ['none', 100, 100],
  ])('go over when they are released afterwards, as far as the plan says: %s, %i held', async (sku, held, expected) => {
    const person = newPerson();
    app.clock.set(START);
    await plans.begin(person, sku);
    app.clock.set(BEFORE);
    const id = await hold(person, held, LATER);
    app.clock.set(AFTER);
    const answer = await release(id);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({ returned: Math.min(held, expected - 100) });
    expect(await plans.balance(person)).toBe(expected);
    expect((await release(id)).text).toBe(answer.text);
    app.clock.set('2027-03-31T12:00:00.000Z');
    expect(await plans.balance(person)).toBe({ all: 300, cap: 130, none: 100 }[sku]);
  });

  it('go over when the hold lapses, and a read shows it before anything else is done', async () => {
    const person = newPerson();
    app.clock.set(START);
    const { id } = await plans.begin(person, 'cap');
    app.clock.set(BEFORE);
    await hold(person, 50, LATER);
    app.clock.set(AFTER);
    expect(await plans.balance(person)).toBe(100);
    app.clock.set(LATER);
    expect(await plans.balance(person)).toBe(130);
    const { body } = await app.get(`/wallet/batches?external_id=${person}&state=active`);
    expect(body.data.map(({ available }: Json) => available).sort()).toEqual([100, 30]);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
  });

  it('go over though nobody looked since', async () => {
    const person = newPerson();
    app.clock.set(START);
    await plans.begin(person, 'all');
    app.clock.set(BEFORE);
    await hold(person, 50, LATER);
    app.clock.set('2027-04-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(300);
  });

  it('go over where nobody looked between the end of the hold and that of the period', async () => {
    const person = newPerson();
    app.clock.set(START);
    const { id } = await plans.begin(person, 'all');
    app.clock.set(BEFORE);
    await hold(person, 50, LATER);
    app.clock.set(AFTER);
    expect(await plans.balance(person)).toBe(150);
    await plans.act(id, 'change', { sku: 'none', when: 'period_end' });
    app.clock.set('2027-04-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(300);
  });

  it('go over at the very instant at which both happen', async () => {
    const person = newPerson();
    app.clock.set(START);
    await plans.begin(person, 'all');
    app.clock.set(BEFORE);
    await hold(person, 50, '2027-02-28T12:00:00.000Z');
    app.clock.set(AFTER);
    expect(await plans.balance(person)).toBe(200);
  });

  it('go over as far as the cap leaves, however many holds there are', async () => {
    const person = newPerson();
    app.clock.set(START);
    await plans.begin(person, 'cap');
    app.clock.set(BEFORE);
    const ids = [await hold(person, 20, LATER), await hold(person, 20, LATER), await hold(person, 20, LATER)];
    app.clock.set(AFTER);
    await app.post(`/reservations/${ids[0]}/commit`, { amount: 15 });
    expect(await plans.balance(person)).toBe(105);
    await Promise.all(ids.slice(1).map((id) => release(String(id))));
    expect(await plans.balance(person)).toBe(130);
  });

  it('go over within a year, from one month to the next', async () => {
    const person = newPerson();
    app.clock.set(START);
    const order = await plans.buy(person, 'year');
    app.clock.set(BEFORE);
    const id = await hold(person, 60, LATER);
    app.clock.set(AFTER);
    await release(id);
    expect(await plans.balance(person)).toBe(200);
    await plans.refund(order);
    expect(await plans.balance(person)).toBe(0);
  });

  it('are still of the order that paid them', async () => {
    const person = newPerson();
    app.clock.set(START);
    const order = await plans.buy(person, 'paid');
    await plans.buy(person, 'paid');
    app.clock.set(BEFORE);
    const id = await hold(person, 60, LATER);
    app.clock.set(AFTER);
    await release(id);
    expect(await plans.balance(person)).toBe(200);
    const dispute = (status: string) => app.post(`/orders/${order}/dispute`, { dispute_id: newPayment(), status });
    expect((await dispute('opened')).status).toBeLessThan(300);
    expect(await plans.balance(person)).toBe(100);
  });

  it.each(['late', 'early'])(
    'are taken by a change that resets, if they were freed before it: looked at %s',
    async (when) => {
      const person = newPerson();
      app.clock.set(START);
      const { id } = await plans.begin(person, 'long');
      await hold(person, 100, '2027-02-01T12:00:00.000Z');
      await plans.act(id, 'change', { sku: 'none', when: 'period_end', old_units: 'reset' });
      if (when === 'early') {
        app.clock.set('2027-02-02T12:00:00.000Z');
        expect(await plans.balance(person)).toBe(100);
      }
      app.clock.set(AFTER);
      expect(await plans.balance(person)).toBe(100);
      const { body } = await app.get(`/wallet/batches?external_id=${person}`);
      expect(body.data.map(({ revoked }: Json) => revoked).sort()).toEqual([0, 100]);
    },
  );
});
