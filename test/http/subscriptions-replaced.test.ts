// What takes the place of something else: orders that nobody may pay any more, changes that were paid ahead, plans that cost nothing and are asked for again and again.
import { beforeAll, describe, expect, it } from 'vitest';
import { type Json, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { monthly, plansOf } from '../support/plans.js';
import { expectProblem, newPayment, newPerson } from '../support/requests.js';
import { query } from '../support/sql.js';

const app = useTestApp();
const plans = plansOf(app);

const orderOf = async (id: unknown): Promise<Json> => (await app.get(`/orders/${id}`)).body;
const pay = (id: unknown) => app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
const change = (id: unknown, body: Json) => app.post(`/subscriptions/${id}/change`, body);
const QUANTITY_MAX = Number.MAX_SAFE_INTEGER;

beforeAll(async () => {
  await putProduct(app, 'UNITS');
  await plans.put('FREE', '0', [monthly('UNITS', 5)]);
  await plans.put('BASIC', '10', [monthly('UNITS', 10)]);
  await plans.put('TEAM', '30', [monthly('UNITS', 30)]);
  await plans.put('LARGE', '90', [monthly('UNITS', 90)]);
});

/** Cancelled, with a reason, and a payment of it is kept as unmatched and changes nothing. */
async function expectReplaced(person: string, orderId: unknown, reason: string): Promise<void> {
  const before = await plans.own(person);
  expect(await orderOf(orderId)).toMatchObject({ status: 'cancelled', cancel_reason: reason });
  const answer = await pay(orderId);
  expect(answer.status).toBe(409);
  expect(answer.body).toMatchObject({ code: 'order_not_payable' });
  expect(await plans.own(person)).toEqual(before);
}

describe('an order whose place another one takes', () => {
  it('of a change is cancelled with it', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    const { id } = await plans.begin(person, 'free');
    const first = await plans.act(id, 'change', { sku: 'team', when: 'now' });
    const second = await plans.act(id, 'change', { sku: 'large', when: 'now' });
    await expectReplaced(person, first.order.id, 'another change took its place');
    await plans.act(id, 'change', { sku: 'free' });
    await expectReplaced(person, second.order.id, 'the change was taken back');
    const third = await plans.act(id, 'change', { sku: 'team', when: 'now' });
    await plans.act(id, 'change', { sku: 'large', when: 'period_end' });
    await expectReplaced(person, third.order.id, 'another change took its place');
  });

  it('of a renewal is cancelled when another plan follows, or was paid', async () => {
    const [scheduled, paid] = [newPerson(), newPerson()];
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.buy(scheduled, 'basic');
    await plans.buy(paid, 'basic');
    app.clock.set('2027-02-05T12:00:00.000Z');
    const renewal = async (person: string) => (await plans.own(person)).order_id;
    const orders = [await renewal(scheduled), await renewal(paid)];
    await plans.act((await plans.own(scheduled)).id, 'change', { sku: 'team', when: 'period_end' });
    await expectReplaced(scheduled, orders[0], 'another change took its place');
    expect(await orderOf(await renewal(scheduled))).toMatchObject({ status: 'pending', total_amount: '30.00' });
    const bought = await plans.buy(paid, 'team');
    await expectReplaced(paid, orders[1], `order ${bought} was paid in its place`);
    expect(await plans.own(paid)).toMatchObject({ sku: 'TEAM', status: 'active' });
  });

  it('stays payable while the present plan goes on: a change that waits is taken back', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.buy(person, 'basic');
    app.clock.set('2027-02-05T12:00:00.000Z');
    const { id, order_id } = await plans.own(person);
    await plans.act(id, 'change', { sku: 'team', when: 'now' });
    await plans.act(id, 'change', { sku: 'basic' });
    expect(await plans.own(person)).toMatchObject({ order_id, change: null });
    await plans.confirm(order_id);
    app.clock.set('2027-02-11T12:00:00.000Z');
    expect(await plans.own(person)).toMatchObject({ sku: 'BASIC', status: 'active' });
  });

  it('of a first period is cancelled by another subscription, or by another order that was paid', async () => {
    const [subscribed, bought] = [newPerson(), newPerson()];
    app.clock.set('2027-01-10T12:00:00.000Z');
    const first = await plans.begin(subscribed, 'basic');
    await plans.begin(subscribed, 'team');
    await expectReplaced(subscribed, first.order.id, 'another subscription took its place');
    const waiting = await plans.begin(bought, 'basic');
    const order = await plans.buy(bought, 'team');
    await expectReplaced(bought, waiting.order.id, `order ${order} was paid in its place`);
    expect(await plans.balance(bought)).toBe(30);
  });

  it('is paid or replaced, and nothing else, when both are asked for at once', async () => {
    for (let time = 0; time < 6; time += 1) {
      const person = newPerson();
      app.clock.set('2027-01-10T12:00:00.000Z');
      const { id } = await plans.begin(person, 'free');
      const { order } = await plans.act(id, 'change', { sku: 'team', when: 'now' });
      const [paid, changed] = await Promise.all([pay(order.id), change(id, { sku: 'large', when: 'now' })]);
      expect(changed.status).toBe(200);
      const isPaid = paid.status === 200;
      expect(await orderOf(order.id)).toMatchObject({ status: isPaid ? 'paid' : 'cancelled' });
      expect(await plans.own(person)).toMatchObject({ sku: isPaid ? 'TEAM' : 'FREE', change: { sku: 'LARGE' } });
    }
  });
});

describe('a scheduled change that was paid ahead', () => {
  it('stays, until its order is refunded', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    await plans.buy(person, 'basic');
    const { id } = await plans.own(person);
    await plans.act(id, 'change', { sku: 'team', when: 'period_end' });
    const { order } = await plans.act(id, 'renew');
    await plans.confirm(order.id);
    for (const body of [{ sku: 'basic' }, { sku: 'large', when: 'now' }, { sku: 'free', when: 'period_end' }]) {
      const answer = await change(id, body);
      expect(answer.status, answer.text).toBe(409);
      expect(answer.body).toMatchObject({ code: 'change_paid', order_id: order.id });
    }
    await plans.refund(order.id);
    await plans.act(id, 'change', { sku: 'basic' });
    const second = await plans.act(id, 'renew');
    await plans.confirm(second.order.id);
    app.clock.set('2027-02-10T12:00:00.000Z');
    expect(await plans.own(person)).toMatchObject({ sku: 'BASIC', status: 'active', change: null });
    expect(await plans.balance(person)).toBe(10);
  });
});

describe('a plan that costs nothing', () => {
  it('is not ordered: it would be given again and again', async () => {
    const answer = await app.post('/orders', { external_id: newPerson(), items: [{ sku: 'free' }] });
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ code: 'plan_is_free', errors: [{ pointer: '/items/0/sku' }] });
  });

  it('is not paid by an order of before such were refused, and given by one for which something was paid', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T12:00:00.000Z');
    await plans.begin(person, 'free');
    const before = await plans.balance(person);
    const orderAt = async (price: string, isOlder: boolean) => {
      const items = [{ sku: 'free', price: '1.00', price_reason: 'a period more' }];
      const { body } = await app.post('/orders', { external_id: person, items });
      if (isOlder)
        await query(
          app.url,
          `SET session_replication_role = replica;
           UPDATE order_items SET price = ${price}, list_price = NULL, price_reason = NULL WHERE order_id = '${body.id}';
           UPDATE orders SET total_amount = ${price} WHERE id = '${body.id}'`,
        );
      return body.id;
    };
    for (const _ of [1, 2, 3]) {
      const order = await orderAt('0', true);
      const answers = await Promise.all([1, 2].map(() => app.post(`/orders/${order}/confirm`, {})));
      for (const answer of answers) expectProblem(answer, 409, 'plan_is_free');
      await plans.act((await plans.own(person)).id, 'cancel', { when: 'now' });
      expectProblem(await app.post(`/orders/${order}/confirm`, { payment_id: newPayment() }), 409, 'plan_is_free');
      const again = await plans.begin(person, 'free');
      expect(again).toMatchObject({ status: 'active', period_ends_at: '2027-02-28T12:00:00.000Z' });
      expect(await plans.balance(person)).toBe(before);
    }
    await plans.confirm(await orderAt('1', false));
    expect(await plans.balance(person)).toBe(before);
    app.clock.set('2027-03-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(before);
  });

  it('but had a price when it was ordered pays one period, and is given no other', async () => {
    const person = newPerson();
    app.clock.set('2027-01-31T11:00:00.000Z');
    await plans.put('CHEAPER', '10', [monthly('UNITS', 40)]);
    const { body } = await app.post('/orders', { external_id: person, items: [{ sku: 'cheaper' }] });
    await plans.put('CHEAPER', '0', [monthly('UNITS', 40)]);
    app.clock.set('2027-01-31T12:00:00.000Z');
    const { id } = await plans.begin(person, 'cheaper');
    await plans.confirm(body.id);
    expect(await plans.balance(person)).toBe(40);
    app.clock.set('2027-03-01T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(40);
    const { periods } = await plans.show(id);
    expect(periods.map(({ kind }: Json) => kind)).toEqual(['paid', 'free']);
  });

  it('is not given again to whom its customer was merged into', async () => {
    const [source, target] = [newPerson(), newPerson()];
    app.clock.set('2027-01-10T12:00:00.000Z');
    const { id, customer_id } = await plans.begin(source, 'free');
    await plans.act(id, 'cancel', { when: 'now' });
    const { body } = await app.post('/identify', { external_id: target });
    const merge = { source_customer_id: customer_id, target_customer_id: body.customer_id };
    expect((await app.post('/customers/merge', merge)).status).toBe(200);
    app.clock.set('2027-01-20T12:00:00.000Z');
    const begun = await plans.begin(target, 'free');
    expect(begun).toMatchObject({ status: 'active', period_ends_at: '2027-02-10T12:00:00.000Z' });
    expect(await plans.balance(target)).toBe(5);
    app.clock.set('2027-02-10T12:00:00.000Z');
    expect(await plans.balance(target)).toBe(5);
    expect(await plans.show(begun.id)).toMatchObject({ period_ends_at: '2027-03-10T12:00:00.000Z' });
  });

  it('goes on when what it gives can not be counted, says so, and gives again when it can', async () => {
    const person = newPerson();
    app.clock.set('2027-01-10T12:00:00.000Z');
    const { id, customer_id } = await plans.begin(person, 'free');
    const grant = (quantity: number) =>
      app.post('/grants', {
        external_id: person,
        product_key: 'UNITS',
        quantity,
        grant_type: 'adjustment',
        reason: 'full',
      });
    expect((await grant(QUANTITY_MAX - 5)).status).toBe(201);
    app.clock.set('2027-02-09T12:00:00.000Z');
    expect((await app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 5 })).status).toBe(
      200,
    );
    expect((await grant(5)).status).toBe(201);
    app.clock.set('2027-02-10T12:00:00.000Z');
    const shown = await plans.show(id);
    expect(shown).toMatchObject({
      status: 'active',
      period_starts_at: '2027-02-10T12:00:00.000Z',
      periods: [{ kind: 'skipped', granted: {} }, { kind: 'free' }],
      steps: [{ kind: 'skipped' }, { kind: 'allocated' }, { kind: 'created' }],
    });
    await untilTold(app);
    const { body } = await app.get(`/events?type=subscription.skipped&customer_id=${customer_id}`);
    expect(body.data.at(-1).data).toMatchObject({ reason: 'no_room' });
    expect((await app.post('/quota/consume', { external_id: person, product_key: 'UNITS', amount: 5 })).status).toBe(
      200,
    );
    app.clock.set('2027-03-10T12:00:00.000Z');
    expect(await plans.balance(person)).toBe(QUANTITY_MAX);
  });
});
