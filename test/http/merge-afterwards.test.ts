// What comes of a source's orders, holds and uses after it was merged (DOMAIN 3.10): it moves on to the target at once, and nothing is lost or counted twice.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import { expectProblem, newPayment } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true, features: ['chat'] });
  await putProduct(app, 'ACCESS', { type: 'period' });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 };
  await putOffer(app, 'MONTH', 'ACCESS', 1, { price: '9.00', items: [month] });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
});

const newPair = () => newMergePair(app);
async function merge(target: Merging, source: Merging): Promise<void> {
  const answer = await mergePair(app, target, source);
  expect(answer.status, answer.text).toBe(200);
}
const walletOf = async (id: string) => (await app.get(`/wallet?customer_id=${id}`)).body;
const balanceOf = async (id: string) => (await walletOf(id)).balances.CREDITS ?? 0;
const consume = async (customer_id: string, amount: number, more: Json = {}) => {
  const answer = await app.post('/quota/consume', { customer_id, product_key: 'CREDITS', amount, ...more });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
};
const order = async (customer_id: string, sku: string) =>
  (await app.post('/orders', { customer_id, items: [{ sku }] })).body.id as string;
const confirm = async (id: string) => {
  const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
  expect(answer.status, answer.text).toBe(200);
  return answer;
};
const buy = async (customer_id: string, sku = 'PACK') => {
  const id = await order(customer_id, sku);
  await confirm(id);
  return id;
};
const reserve = async (customer_id: string, amount: number, more: Json = {}) => {
  const answer = await app.post('/reservations', { customer_id, product_key: 'CREDITS', amount, ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id as string;
};

describe('an order of the source', () => {
  it('that is paid later grants to the target', async () => {
    const [target, source] = await newPair();
    const id = await order(source.id, 'PACK');
    await merge(target, source);
    const paid = await confirm(id);
    expect(paid.body).toMatchObject({
      status: 'paid',
      batches: [
        { granted: 100, available: 0, transferred: 100 },
        { granted: 100, available: 100 },
      ],
    });
    expect(await balanceOf(target.id)).toBe(100);
    await consume(source.id, 100);
  });

  it('that is paid later extends the target’s access', async () => {
    const [target, source] = await newPair();
    const id = await order(source.id, 'MONTH');
    await buy(target.id, 'MONTH');
    await merge(target, source);
    const { until } = (await walletOf(target.id)).access.ACCESS;
    const paid = await confirm(id);
    expect(paid.body.batches[0].valid_from).toBe(until);
    const byId = (some: Json[]) => some.toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    expect(byId(paid.body.batches)).toEqual(byId((await app.get(`/orders/${id}`)).body.batches));
    expect(new Date((await walletOf(target.id)).access.ACCESS.until).getTime()).toBeGreaterThan(
      new Date(until).getTime(),
    );
  });

  it('is cancelled, read and refused as any other, by whatever names the customer', async () => {
    const [target, source] = await newPair();
    const [other] = await newPair();
    const id = await order(source.id, 'PACK');
    await merge(target, source);
    for (const who of [source, target]) {
      expect((await app.get(`/orders/${id}?customer_id=${who.id}`)).status).toBe(200);
    }
    expectProblem(await app.get(`/orders/${id}?customer_id=${other.id}`), 404, 'order_not_found', 'path/id');
    const cancelled = await app.post(`/orders/${id}/cancel`, { customer_id: target.id });
    expect(cancelled.body.status).toBe('cancelled');
    const unmatched = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expectProblem(unmatched, 409, 'order_not_payable');
  });

  it('expires by itself', async () => {
    const [target, source] = await newPair();
    const id = await order(source.id, 'PACK');
    await merge(target, source);
    app.clock.advance({ hours: 25 });
    await consumeNothing(target.id);
    expect((await app.get(`/orders/${id}`)).body.status).toBe('expired');
  });

  it('that is refunded takes back what moved on, and what comes back later', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id);
    const usedBefore = await consume(source.id, 30);
    await merge(target, source);
    const usedAfter = await consume(target.id, 20);
    const refunded = await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}` });
    expect(refunded.status, refunded.text).toBe(200);
    expect(refunded.body).toMatchObject({
      status: 'refunded',
      refund: { recovered: { CREDITS: 50 }, unrecovered: { CREDITS: 50 } },
    });
    expect(await balanceOf(target.id)).toBe(0);
    for (const { operation_id } of [usedBefore, usedAfter]) {
      const back = await app.post('/quota/release', { operation_id });
      expect(back.status, back.text).toBe(200);
      expect(back.body).toMatchObject({ returned: 0 });
    }
    expect(await balanceOf(target.id)).toBe(0);
    const again = await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}` });
    expect(again.text).toBe(refunded.text);
  });

  it('is shown with what it granted, wherever that is, in every answer', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id);
    const pending = await order(source.id, 'PACK');
    await consume(source.id, 10);
    await merge(target, source);
    await consume(target.id, 15);
    const partsOf = ({ batches, batches_total }: Json) => [
      batches_total,
      (batches as Json[])
        .map(({ granted, available, consumed, revoked, transferred }) => ({
          ...{ granted, available, consumed, revoked, transferred },
        }))
        .sort((a, b) => Number(a.available) - Number(b.available)),
    ];
    const moved = { granted: 100, available: 0, consumed: 10, revoked: 0, transferred: 90 };
    const shown = async () => partsOf((await app.get(`/orders/${id}`)).body);
    expect(await shown()).toEqual([
      2,
      [moved, { granted: 90, available: 75, consumed: 15, revoked: 0, transferred: 0 }],
    ]);
    const { body } = await app.post(`/orders/${id}/refund`, { amount: '5.00' });
    expect(partsOf(body)).toEqual([
      2,
      [moved, { granted: 90, available: 25, consumed: 15, revoked: 50, transferred: 0 }],
    ]);
    expect(await shown()).toEqual(partsOf(body));
    const paid = await app.post(`/orders/${pending}/confirm`, { payment_id: newPayment() });
    expect(partsOf(paid.body)).toEqual(partsOf((await app.get(`/orders/${pending}`)).body));
    expect(paid.body.batches_total).toBe(2);
  });

  it('by parts comes to exact shares over both ledgers', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id);
    await consume(source.id, 10);
    await merge(target, source);
    await consume(target.id, 15);
    const recovered: number[] = [];
    for (const amount of ['3.33', '3.33', '3.34']) {
      const { body } = await app.post(`/orders/${id}/refund`, { amount });
      recovered.push(body.refund.recovered.CREDITS ?? 0);
    }
    expect(recovered.reduce((sum, units) => sum + units, 0)).toBe(75);
    expect(await balanceOf(target.id)).toBe(0);
  });

  it.each(['ignore', 'debt'])('that is disputed and won gives back what was taken (%s)', async (unrecovered_policy) => {
    const [target, source] = await newPair();
    const id = await buy(source.id);
    await consume(source.id, 30);
    await merge(target, source);
    await consume(target.id, 20);
    const dispute = (status: string) =>
      app.post(`/orders/${id}/dispute`, { dispute_id: `dp-${id}`, status, unrecovered_policy });
    const opened = await dispute('opened');
    expect(opened.status, opened.text).toBe(200);
    expect(await balanceOf(target.id)).toBe(unrecovered_policy === 'debt' ? -50 : 0);
    if (unrecovered_policy === 'debt') await grantUnits(app, target.name, 'CREDITS', 60);
    const before = await balanceOf(target.id);
    const won = await dispute('won');
    expect(won.status, won.text).toBe(200);
    expect((await balanceOf(target.id)) - before).toBe(unrecovered_policy === 'debt' ? 100 : 50);
  });

  it('that made a debt before it was merged forgives it afterwards', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id);
    await consume(source.id, 100);
    await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}`, unrecovered_policy: 'debt' });
    await grantUnits(app, target.name, 'CREDITS', 40);
    await merge(target, source);
    expect(await balanceOf(target.id)).toBe(-60);
    const failed = await app.post(`/orders/${id}/refund`, { refund_id: `re-${id}`, status: 'failed' });
    expect(failed.status, failed.text).toBe(200);
    expect(await balanceOf(target.id)).toBe(40);
  });

  it('that gave access ends it where it went on, and gives it back', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id, 'MONTH');
    app.clock.advance({ days: 1 });
    await merge(target, source);
    const { until } = (await walletOf(target.id)).access.ACCESS;
    const dispute = (status: string) => app.post(`/orders/${id}/dispute`, { dispute_id: `dp-${id}`, status });
    expect((await dispute('opened')).status).toBe(200);
    expect((await walletOf(target.id)).access.ACCESS).toBeUndefined();
    const won = await dispute('won');
    expect(won.status, won.text).toBe(200);
    expect((await walletOf(target.id)).access.ACCESS.until).toBe(until);
  });
});

/** Settles what is due of a customer, and takes nothing. */
async function consumeNothing(customer_id: string): Promise<void> {
  await app.post('/credits/add', { customer_id, product_key: 'CREDITS', amount: 1 });
}

describe('access of the source that was taken before', () => {
  it('is given back behind what the target has', async () => {
    const [target, source] = await newPair();
    const id = await buy(source.id, 'MONTH');
    const told = { refund_id: `re-${id}` };
    expect((await app.post(`/orders/${id}/refund`, told)).status).toBe(200);
    await buy(target.id, 'MONTH');
    await merge(target, source);
    const { until } = (await walletOf(target.id)).access.ACCESS;
    const undone = await app.post(`/orders/${id}/refund`, { ...told, status: 'failed' });
    expect(undone.status, undone.text).toBe(200);
    const { body } = await app.get(`/wallet/batches?customer_id=${target.id}&order_id=${id}&state=pending`);
    expect(body.data.map((batch: Json) => batch.valid_from)).toEqual([until]);
  });
});

describe('a hold of the source', () => {
  it('is committed, and what is left comes to the target', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const id = await reserve(source.id, 6);
    await merge(target, source);
    expect(await walletOf(target.id)).toMatchObject({ balances: { CREDITS: 4 }, held: { CREDITS: 6 } });
    const credits = await app.get(`/credits/balance?customer_id=${source.id}&product_key=CREDITS`);
    expect(credits.body).toMatchObject({ customer_id: target.id, balance: 4, available: 4, held: 6 });
    const committed = await app.post(`/reservations/${id}/commit`, { amount: 2, customer_id: target.id });
    expect(committed.status, committed.text).toBe(200);
    expect(committed.body).toMatchObject({ committed_amount: 2, remaining: 8 });
    expect(await walletOf(target.id)).toMatchObject({ balances: { CREDITS: 8 }, held: {} });
    const again = await app.post(`/reservations/${id}/commit`, { amount: 2 });
    expect(again.text).toBe(committed.text);
    expectProblem(await app.post(`/reservations/${id}/release`), 409, 'reservation_closed');
    const back = await app.post('/quota/release', { operation_id: committed.body.operation_id });
    expect(back.body).toMatchObject({ returned: 2, remaining: 10 });
  });

  it('is released, and repays what the target owes', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const id = await reserve(source.id, 10);
    await app.post('/credits/deduct', {
      customer_id: target.id,
      product_key: 'CREDITS',
      amount: 4,
      allow_negative: true,
    });
    await merge(target, source);
    const released = await app.post(`/reservations/${id}/release`);
    expect(released.status, released.text).toBe(200);
    expect(await balanceOf(target.id)).toBe(6);
  });

  it('lapses, and is there at once for whoever looks, or uses it', async () => {
    for (const look of [balanceOf, (id: string) => consume(id, 10).then(() => 10)]) {
      const [target, source] = await newPair();
      await grantUnits(app, source.name, 'CREDITS', 10);
      const id = await reserve(source.id, 10, { ttl_seconds: 60 });
      await merge(target, source);
      app.clock.advance({ seconds: 61 });
      expect(await look(target.id)).toBe(10);
      expect((await app.get(`/reservations/${id}`)).body.status).toBe('expired');
      expectProblem(await app.post(`/reservations/${id}/commit`), 409, 'reservation_expired');
    }
  });

  it('lapses behind the end of its batch, and nothing comes to the target', async () => {
    const [target, source] = await newPair();
    const expires_at = new Date(app.clock.now().getTime() + 30_000).toISOString();
    await grantUnits(app, source.name, 'CREDITS', 10, { expires_at });
    await reserve(source.id, 10, { ttl_seconds: 60 });
    await merge(target, source);
    app.clock.advance({ seconds: 61 });
    expect(await balanceOf(target.id)).toBe(0);
  });

  it('is committed beyond what is held, of what the target has', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 5);
    await grantUnits(app, target.name, 'CREDITS', 10);
    const id = await reserve(source.id, 5);
    await merge(target, source);
    const tooMuch = await app.post(`/reservations/${id}/commit`, { amount: 16, allow_excess: true });
    expectProblem(tooMuch, 402, 'insufficient_quota');
    const committed = await app.post(`/reservations/${id}/commit`, { amount: 12, allow_excess: true });
    expect(committed.status, committed.text).toBe(200);
    expect(committed.body).toMatchObject({ committed_amount: 12, remaining: 3 });
    expect(await balanceOf(target.id)).toBe(3);
  });

  it('is extended', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 5);
    const id = await reserve(source.id, 5, { ttl_seconds: 60 });
    await merge(target, source);
    expect((await app.post(`/reservations/${id}/extend`, { ttl_seconds: 3_600 })).status).toBe(200);
    app.clock.advance({ seconds: 61 });
    expect(await balanceOf(target.id)).toBe(0);
    app.clock.advance({ hours: 1 });
    expect(await balanceOf(target.id)).toBe(5);
  });
});

describe('a use of the source', () => {
  it('is given back to the target', async () => {
    const [target, source] = await newPair();
    const [last] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const used = await consume(source.id, 6);
    await merge(target, source);
    const back = await app.post('/quota/release', {
      operation_id: used.operation_id,
      amount: 2,
      customer_id: target.id,
    });
    expect(back.status, back.text).toBe(200);
    expect(back.body).toMatchObject({ returned: 2, remaining: 6 });
    await merge(last, target);
    await app.post('/quota/release', { operation_id: used.operation_id });
    expect(await balanceOf(last.id)).toBe(10);
    expectProblem(
      await app.post('/quota/release', { operation_id: used.operation_id, amount: 1 }),
      409,
      'release_exceeds_usage',
    );
  });

  it('that left a debt forgives it as far as the target owes it', async () => {
    const [target, source] = await newPair();
    const { body } = await app.post('/credits/deduct', {
      customer_id: source.id,
      product_key: 'CREDITS',
      amount: 10,
      allow_negative: true,
    });
    await merge(target, source);
    await grantUnits(app, target.name, 'CREDITS', 4);
    expect(await balanceOf(target.id)).toBe(-6);
    const back = await app.post('/quota/release', { operation_id: body.operation_id, amount: 6 });
    expect(back.status, back.text).toBe(200);
    expect(await balanceOf(target.id)).toBe(0);
    expectProblem(
      await app.post('/quota/release', { operation_id: body.operation_id, amount: 1 }),
      409,
      'not_reversible',
    );
  });

  it('is told in its receipt, and that of the target in its own', async () => {
    const [target, source] = await newPair();
    await grantUnits(app, source.name, 'CREDITS', 10);
    const used = await consume(source.id, 6);
    await merge(target, source);
    const receipt = await app.get(`/operations/${used.operation_id}?customer_id=${target.id}`);
    expect(receipt.status, receipt.text).toBe(200);
  });
});
