// What long or crowded time does to subscriptions: years of turns, turns in the middle of other work, and two processes at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_TOKEN, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { MONTH, monthly, plansOf } from '../support/plans.js';
import { newPerson } from '../support/requests.js';

const app = useTestApp();
const plans = plansOf(app);
let other: Awaited<ReturnType<typeof startTestApp>>;
const WEEK = { unit: 'weeks', count: 1 };
const YEAR = { unit: 'years', count: 1 };
const DAY_MS = 86_400_000;
const weekly = (quantity: number) => ({ product_key: 'UNITS', quantity, period_unit: 'days', period_value: 7 });

beforeAll(async () => {
  other = await startTestApp(app.url, app.clock);
  await putProduct(app, 'UNITS', { features: [{ feature: 'write', unit_cost: 1 }] });
  await plans.put('MONTHLY', '0', [monthly('UNITS', 100)]);
  await plans.put('QUARTERLY', '0', [monthly('UNITS', 100)], {}, { recurrence: { unit: 'months', count: 3 } });
  await plans.put('YEARLY', '0', [monthly('UNITS', 100)], {}, { recurrence: YEAR });
  await plans.put('WEEKLY', '0', [weekly(7)], {}, { recurrence: WEEK });
  await plans.put('LONG_UNITS', '0', [monthly('UNITS', 7)], {}, { recurrence: WEEK, plan_group: 'long' });
  await plans.put('WEEKLY_CAP', '0', [weekly(7)], { rollover: 'cap', rollover_cap: 5 }, { recurrence: WEEK });
  await plans.put('CAPPED', '0', [monthly('UNITS', 100)], { rollover: 'cap', rollover_cap: 30 });
  await plans.put('PAID', '10', [monthly('UNITS', 100)], { rollover: 'all', grace_days: 3 });
  await plans.put(
    'LAST',
    '10',
    [monthly('UNITS', 1)],
    { grace_days: 30 },
    { recurrence: { unit: 'months', count: 95_686 } },
  );
});
afterAll(() => other.close());

/** The day of a month so many months later, or its last one; said without the code that is tested. */
function oracle(from: string, months: number): string {
  const start = new Date(from);
  const first = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + months, 1));
  let day = start.getUTCDate();
  while (new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), day)).getUTCMonth() !== first.getUTCMonth())
    day -= 1;
  const date = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), day)).toISOString().slice(0, 10);
  return `${date}${from.slice(10)}`;
}

describe('ten years', () => {
  it.each([
    ['monthly', '2026-01-31T12:00:00.000Z', 1, 120],
    ['monthly', '2028-02-29T00:00:00.000Z', 1, 60],
    ['quarterly', '2026-11-30T23:59:59.999Z', 3, 40],
    ['yearly', '2028-02-29T00:00:00.000Z', 12, 10],
  ])(
    'of %s periods from %s are on its day',
    async (sku, from, step, count) => {
      const person = newPerson();
      app.clock.set(from);
      const { id } = await plans.begin(person, sku);
      for (let number = 1; number <= count; number += 1) {
        const [startsAt, endsAt] = [oracle(from, number * step), oracle(from, (number + 1) * step)];
        app.clock.set(new Date(new Date(startsAt).getTime() + (number % 3) * DAY_MS));
        expect(await plans.show(id)).toMatchObject({
          status: 'active',
          period_starts_at: startsAt,
          period_ends_at: endsAt,
        });
      }
    },
    60_000,
  );

  it.each(['monthly', 'weekly', 'weekly_cap', 'capped'])(
    'without anybody looking are settled at once: %s',
    async (sku) => {
      const person = newPerson();
      const { id } = await plans.begin(person, sku);
      app.clock.set('2036-02-02T12:00:00.000Z');
      const answer = await app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 1 });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body).toMatchObject({ allowed: true });
      const units = { monthly: 100, weekly: 7, weekly_cap: 12, capped: 130 }[sku];
      expect(await plans.balance(person)).toBe((units ?? 0) - 1);
      expect((await plans.show(id)).period_ends_at > '2036-02-02').toBe(true);
    },
    60_000,
  );

  it.each(['/wallet/batches', '/wallet/entries', '/wallet', '/subscriptions', '/orders'])(
    'are shown by %s, before anything was settled',
    async (path) => {
      const person = newPerson();
      await plans.begin(person, 'weekly_cap');
      app.clock.set('2036-02-02T12:00:00.000Z');
      const answer = await app.get(`${path}?external_id=${person}`);
      expect(answer.status, answer.text).toBe(200);
      if (path === '/wallet') expect(answer.body.balances).toMatchObject({ UNITS: 12 });
    },
    60_000,
  );

  it('are told of any instant between', async () => {
    const person = newPerson();
    await plans.begin(person, 'capped');
    app.clock.set('2026-06-15T12:00:00.000Z');
    await plans.balance(person);
    for (const [at, units] of [
      ['2026-02-28T11:59:59.999Z', 100],
      ['2026-02-28T12:00:00.000Z', 130],
      ['2026-05-31T12:00:00.000Z', 130],
    ]) {
      const answer = await app.get(`/wallet?external_id=${person}&as_of=${at}`);
      expect(answer.status, answer.text).toBe(200);
      expect(answer.body.balances.UNITS, String(at)).toBe(units);
    }
  });
});

describe('the day of the month', () => {
  it('is not kept by weeks: neither of units, nor where months follow', async () => {
    const person = newPerson();
    const { id } = await plans.begin(person, 'long_units');
    app.clock.advance({ days: 7 });
    await plans.balance(person);
    const { body } = await app.get(`/wallet/batches?external_id=${person}&state=active`);
    expect(body.data.map(({ expires_at }: Json) => expires_at).sort()).toEqual([
      '2026-02-28T12:00:00.000Z',
      '2026-03-07T12:00:00.000Z',
    ]);
    const changing = await plans.begin(person, 'weekly');
    await plans.act(changing.id, 'change', { sku: 'monthly', when: 'period_end' });
    app.clock.advance({ days: 7 });
    expect(await plans.show(changing.id)).toMatchObject({ sku: 'MONTHLY', period_ends_at: '2026-03-14T12:00:00.000Z' });
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
  });
});

describe('the end of time', () => {
  it('is reached by no subscription', async () => {
    const person = newPerson();
    const { status, body, text } = await app.post('/subscriptions', { external_id: person, sku: 'last' });
    expect([201, 409], text).toContain(status);
    if (status === 201) {
      await plans.confirm(body.order.id);
      await plans.act(body.id, 'renew');
      await plans.show(body.id);
    }
  });
});

describe('at the very instant of a turn', () => {
  const AT = '2026-02-28T12:00:00.000Z';

  it('is the turn first, whatever comes', async () => {
    const acts: ((person: string, reservation: string) => Promise<{ status: number; text: string }>)[] = [
      async (person) => app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 130 }),
      async (person) => app.post('/reservations', { external_id: person, product_key: 'UNITS', amount: 80 }),
      async (_, reservation) => app.post(`/reservations/${reservation}/release`, {}),
      async (_, reservation) => app.post(`/reservations/${reservation}/commit`, {}),
    ];
    for (const [index, act] of acts.entries()) {
      app.clock.set('2026-01-31T12:00:00.000Z');
      const person = newPerson();
      await plans.begin(person, 'capped');
      const held = await app.post('/reservations', {
        external_id: person,
        product_key: 'UNITS',
        amount: 50,
        ttl_seconds: 600,
      });
      expect(held.status, held.text).toBe(201);
      app.clock.set(AT);
      const answer = await act(person, held.body.id ?? held.body.reservation_id);
      expect(answer.status, answer.text).toBeLessThan(500);
      await plans.balance(person);
      app.clock.advance({ days: 40 });
      expect(await plans.balance(person)).toBe(index === 0 ? 100 : 130);
    }
  });

  it('is once, in two processes', async () => {
    const there = (path: string, person: string) =>
      fetch(`http://127.0.0.1:${(other.app.server.address() as { port: number }).port}/api/v1/billing${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ external_id: person, product_key: 'UNITS', amount: 10 }),
      });
    const person = newPerson();
    const { id } = await plans.begin(person, 'capped');
    app.clock.set(AT);
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => there('/quota/consume', person).then(({ status }) => status)),
      ...Array.from({ length: 6 }, () =>
        app
          .post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 10 })
          .then(({ status }) => status),
      ),
    ]);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await plans.balance(person)).toBe(10);
    expect((await plans.show(id)).periods).toHaveLength(2);
  });

  it('begins once, whoever subscribes at once', async () => {
    for (const sku of ['monthly', 'paid']) {
      const person = newPerson();
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => app.post('/subscriptions', { external_id: person, sku })),
      );
      expect(answers.every(({ status }) => [200, 201, 409].includes(status))).toBe(true);
      expect((await app.get(`/subscriptions?external_id=${person}`)).body.data).toHaveLength(1);
    }
  });
});

describe('what is owed', () => {
  it('is repaid by the next period', async () => {
    await putProduct(app, 'OWED', {});
    await plans.put(
      'OWING',
      '0',
      [monthly('OWED', 100)],
      { rollover: 'all' },
      { plan_group: 'owing', recurrence: MONTH },
    );
    const person = newPerson();
    const { id } = await plans.begin(person, 'owing');
    await app.post('/quota/consume', { external_id: person, product_key: 'OWED', amount: 100 });
    const offer = {
      name: 'PACK',
      price: '5',
      currency: 'USD',
      items: [{ ...monthly('OWED', 50), period_unit: 'forever', period_value: null }],
    };
    expect((await app.put('/offers/PACK', offer)).status).toBe(201);
    const order = await plans.buy(person, 'pack');
    await app.post('/quota/consume', { external_id: person, product_key: 'OWED', amount: 50 });
    await plans.refund(order, { unrecovered_policy: 'debt' });
    app.clock.set(AT_TURN);
    expect(await plans.balance(person, 'OWED')).toBe(50);
    app.clock.set('2026-05-31T12:00:00.000Z');
    expect(await plans.balance(person, 'OWED')).toBe(350);
    expect(await plans.show(id)).toMatchObject({ status: 'active' });
  });
});
const AT_TURN = '2026-02-28T12:00:00.000Z';
