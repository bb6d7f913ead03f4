// Refunds: whole, by lines, by amounts; what they take back of what was bought, and what they answer when they are told again.
import { beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors/catalogue.js';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { bearer, makeKey } from '../support/keys.js';
import { expectProblem, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'STAMPS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'SHEET', 'STAMPS', 10, { price: '3.00' });
  await putOffer(app, 'GIFT', 'STAMPS', 10, { price: '0.00' });
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

const refund = (id: string, body: Json = {}, headers?: Record<string, string>) =>
  app.post(`/orders/${id}/refund`, body, headers);
const consume = (person: string, amount: number, more: Json = {}) =>
  app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount, ...more });
const balanceOf = async (person: string, key = 'CREDITS') =>
  (await app.get(`/wallet?external_id=${person}`)).body.balances[key] ?? 0;

describe('a refund', () => {
  it('of the whole order takes back what is there', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    await consume(person, 60);
    const answer = await refund(id, { reason: 'not what he expected', refund_id: 're_whole' });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toMatchObject({
      status: 'refunded',
      refunded_amount: '10.00',
      batches: [{ available: 0, consumed: 60, revoked: 40 }],
      refund: { amount: '10.00', recovered: { CREDITS: 40 }, unrecovered: { CREDITS: 60 }, refund_id: 're_whole' },
    });
    expect(await balanceOf(person)).toBe(0);
    const read = await app.get(`/orders/${id}`);
    expect(read.body).toMatchObject({ status: 'refunded', refunds: [{ status: 'succeeded', amount: '10.00' }] });
    expect(read.body.batches).toEqual(answer.body.batches);
  });

  it('by amounts takes exactly the share that was refunded so far', async () => {
    const half = await buy([{ sku: 'PACK' }]);
    const first = await refund(half.id, { amount: '2.50' });
    expect(first.body).toMatchObject({ status: 'partially_refunded', refund: { recovered: { CREDITS: 25 } } });
    const second = await refund(half.id, { amount: '2.50' });
    expect(second.body).toMatchObject({ refunded_amount: '5.00', refund: { recovered: { CREDITS: 25 } } });
    expect(await balanceOf(half.person)).toBe(50);

    const thirds = await buy([{ sku: 'PACK' }]);
    const taken: number[] = [];
    for (const amount of ['3.33', '3.33', '3.34'])
      taken.push((await refund(thirds.id, { amount })).body.refund.recovered.CREDITS);
    expect(taken).toEqual([33, 33, 34]);
    expect((await app.get(`/orders/${thirds.id}`)).body).toMatchObject({ status: 'refunded' });
  });

  it('by line and quantity takes what of the line was refunded', async () => {
    const { person, id, lines } = await buy([{ sku: 'PACK', quantity: 4 }, { sku: 'SHEET' }, { sku: 'GIFT' }]);
    const one = await refund(id, { items: [{ id: lines[0], quantity: 1 }] });
    expect(one.body).toMatchObject({
      refunded_amount: '10.00',
      refund: { amount: '10.00', recovered: { CREDITS: 100 }, items: [{ id: lines[0], quantity: 1, amount: '10.00' }] },
    });
    const gift = await refund(id, { items: [{ id: lines[2] }] });
    expect(gift.body.refund).toMatchObject({ amount: '0.00', recovered: { STAMPS: 10 } });
    const rest = await refund(id);
    expect(rest.body).toMatchObject({
      status: 'refunded',
      refund: { amount: '33.00', recovered: { CREDITS: 300, STAMPS: 10 } },
    });
    expect(await balanceOf(person)).toBe(0);
  });

  it('told again under its id gets the first answer, with or without a key', async () => {
    const { id } = await buy([{ sku: 'PACK' }]);
    const first = await refund(id, { amount: '2.00', refund_id: 're_again', payment_method: 'Stripe' });
    const again = await refund(id, { amount: '2.00', refund_id: 're_again', payment_method: 'stripe' });
    expect(again.text).toBe(first.text);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expectProblem(
      await refund(id, { amount: '3.00', refund_id: 're_again', payment_method: 'stripe' }),
      409,
      'refund_mismatch',
      '/amount',
    );
    const other = await buy([{ sku: 'PACK' }]);
    const elsewhere = await refund(other.id, { refund_id: 're_again', payment_method: 'stripe' });
    expectProblem(elsewhere, 409, 'refund_mismatch', '/refund_id');
  });

  it('is refused where it can’t be, and changes nothing', async () => {
    const pending = (await app.post('/orders', { external_id: newPerson(), items: [{ sku: 'PACK' }] })).body;
    const { id, lines } = await buy([{ sku: 'PACK', quantity: 2 }]);
    const line = lines[0];
    const cases: [orderId: string, body: Json, status: number, code: ErrorCode, pointer?: string][] = [
      [pending.id, {}, 409, 'order_not_paid'],
      [id, { amount: '20.01' }, 409, 'refund_exceeds_paid', '/amount'],
      [id, { amount: '0' }, 400, 'invalid_request', '/amount'],
      [id, { amount: '1.001' }, 400, 'invalid_request', '/amount'],
      [id, { amount: '-1' }, 400, 'invalid_request', '/amount'],
      [id, { amount: 1 }, 400, 'invalid_request', '/amount'],
      [id, { amount: '1', items: [{ id: line }] }, 400, 'invalid_request', '/amount'],
      [id, { items: [] }, 400, 'invalid_request', '/items'],
      [id, { items: [{ id: line }, { id: line }] }, 400, 'invalid_request', '/items/1/id'],
      [id, { items: [{ id: line, quantity: 0 }] }, 400, 'invalid_request', '/items/0/quantity'],
      [id, { items: [{ id: line, quantity: 3 }] }, 409, 'refund_exceeds_paid', '/items/0/quantity'],
      [id, { items: [{ id }] }, 400, 'invalid_request', '/items/0/id'],
      [id, { dispute_id: 'dp_nobody' }, 404, 'dispute_not_found', '/dispute_id'],
      [id, { unrecovered_policy: 'forgive' }, 400, 'invalid_request', '/unrecovered_policy'],
      [id, { refund_id: 'undefined' }, 400, 'invalid_request', '/refund_id'],
      ['01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d', {}, 404, 'order_not_found'],
    ];
    const written = await writtenBy(app, async () => {
      for (const [orderId, body, status, code, pointer] of cases)
        expectProblem(await refund(orderId, body), status, code, pointer);
    });
    expect(written).toEqual({});
    await refund(id);
    expectProblem(await refund(id), 409, 'refund_exceeds_paid');
    expectProblem(await refund(id, { items: [{ id: line }] }), 409, 'refund_exceeds_paid');
  });

  it('needs the scope `payments`', async () => {
    const { id } = await buy([{ sku: 'PACK' }]);
    const key = await makeKey(app, ['orders', 'grants', 'read']);
    expectProblem(await refund(id, {}, bearer(key.token)), 403, 'forbidden');
  });

  it('is told, and audited', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    await refund(id, { amount: '4.00', refund_id: 're_told', reason: 'late' });
    await untilTold(app);
    const { body } = await app.get(`/events?external_id=${person}&type=order.refunded`);
    expect(body.data).toMatchObject([
      {
        data: {
          order_id: id,
          amount: '4.00',
          status: 'partially_refunded',
          refunded_amount: '4.00',
          refund_id: 're_told',
          reason: 'late',
        },
      },
    ]);
    const audit = await app.get(`/audit?subject=${id}&action=order.refunded`);
    expect(audit.body.data).toMatchObject([{ after: { amount: '4.00', currency: 'USD', refund_id: 're_told' } }]);
  });

  it('that failed after all gives back what it took, once', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    await refund(id, { amount: '4.00', refund_id: 're_failed' });
    const failed = await refund(id, { refund_id: 're_failed', status: 'failed' });
    expect(failed.status, failed.text).toBe(200);
    expect(failed.body).toMatchObject({ status: 'paid', refunded_amount: '0.00', refund: { status: 'failed' } });
    expect(await balanceOf(person)).toBe(100);
    const again = await refund(id, { refund_id: 're_failed', status: 'failed' });
    expect(again.body).toMatchObject({ status: 'paid', refund: { status: 'failed' } });
    // that it succeeded is told late
    const late = await refund(id, { refund_id: 're_failed', amount: '4.00' });
    expect(late.body).toMatchObject({ status: 'paid', refund: { status: 'failed' } });
    expect(await balanceOf(person)).toBe(100);
  });

  it('of lines is told again of the same lines', async () => {
    const { id, lines } = await buy([{ sku: 'PACK' }, { sku: 'PACK', quantity: 2 }]);
    const [one, two] = lines;
    const told = { refund_id: 're_lines', items: [{ id: two, quantity: 1 }] };
    const first = await refund(id, told);
    expect((await refund(id, told)).text).toBe(first.text);
    expect((await refund(id, { refund_id: 're_lines', items: [{ id: two }] })).text).toBe(first.text);
    for (const other of [[{ id: one }], [{ id: two, quantity: 2 }], [{ id: one }, { id: two, quantity: 1 }]]) {
      const refused = await refund(id, { refund_id: 're_lines', items: other });
      expectProblem(refused, 409, 'refund_mismatch', '/items');
      expectProblem(
        await refund(id, { refund_id: 're_lines', items: other, status: 'failed' }),
        409,
        'refund_mismatch',
      );
    }
    // of an amount nobody told which lines it was of
    await refund(id, { refund_id: 're_amount', amount: '2.00' });
    expect((await refund(id, { refund_id: 're_amount', items: [{ id: one }] })).status).toBe(200);
  });

  it('that failed is named by its id', async () => {
    const { id } = await buy([{ sku: 'PACK' }]);
    const { body } = await refund(id, { amount: '4.00' });
    expectProblem(await refund(id, { amount: '4.00', status: 'failed' }), 400, 'invalid_request', '/refund_id');
    const failed = await refund(id, { refund_id: body.refund.refund_id, status: 'failed' });
    expect(failed.body).toMatchObject({ status: 'paid', refunded_amount: '0.00' });
  });

  it('that is heard to have failed first takes nothing later', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    expect((await refund(id, { refund_id: 're_first', status: 'failed' })).status).toBe(200);
    expect((await refund(id, { refund_id: 're_first', amount: '4.00' })).body).toMatchObject({ status: 'paid' });
    expect(await balanceOf(person)).toBe(100);
  });
});

describe('units that come back to a batch that was refunded', () => {
  const hold = async (person: string, amount: number) =>
    (await app.post('/reservations', { external_id: person, product_key: 'CREDITS', amount })).body.id;

  it('are taken as far as they were claimed', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const used = await consume(person, 30);
    const held = await hold(person, 20);
    expect((await refund(id)).body.refund).toMatchObject({
      recovered: { CREDITS: 50 },
      unrecovered: { CREDITS: 50 },
    });
    const released = await app.post(`/reservations/${held}/release`, { external_id: person });
    expect(released.body).toMatchObject({ returned: 0, expired: 0, revoked: 20 });
    const back = await app.post('/quota/release', {
      external_id: person,
      operation_id: used.body.operation_id,
      amount: 10,
    });
    expect(back.body).toMatchObject({ returned: 0, revoked: 10 });
    expect(await balanceOf(person)).toBe(0);
    const { body } = await app.get(`/orders/${id}`);
    expect(body.batches).toMatchObject([{ available: 0, consumed: 20, revoked: 80 }]);
  });

  it('stay as far as the rest that is out covers what is claimed', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const used = await consume(person, 80);
    await refund(id, { amount: '4.00' }); // 40: 20 there, 20 not
    const back = (amount: number) =>
      app.post('/quota/release', { external_id: person, operation_id: used.body.operation_id, amount });
    expect((await back(50)).body).toMatchObject({ returned: 50, revoked: 0 });
    expect((await back(30)).body).toMatchObject({ returned: 10, revoked: 20 });
    expect(await balanceOf(person)).toBe(60);
  });

  it('are not covered by what an adjustment took away', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const used = await consume(person, 60);
    const debit = { grant_type: 'adjustment', direction: 'debit', quantity: 40, reason: 'counted twice' };
    await app.post('/grants', { external_id: person, product_key: 'CREDITS', ...debit });
    expect((await refund(id, { amount: '5.00' })).body.refund).toMatchObject({ unrecovered: { CREDITS: 50 } });
    const back = { external_id: person, operation_id: used.body.operation_id };
    expect((await app.post('/quota/release', back)).body).toMatchObject({ returned: 10, revoked: 50 });
    expect(await balanceOf(person)).toBe(10);
  });

  it('cancel the debt that the refund made, as far as it is owed', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const held = await hold(person, 50);
    await consume(person, 50);
    const refunded = await refund(id, { unrecovered_policy: 'debt' });
    expect(refunded.body.refund).toMatchObject({ recovered: { CREDITS: 0 }, unrecovered: { CREDITS: 100 } });
    expect(await balanceOf(person)).toBe(-100);
    const released = await app.post(`/reservations/${held}/release`, { external_id: person });
    expect(released.body).toMatchObject({ returned: 0, revoked: 50 });
    expect(await balanceOf(person)).toBe(-50);
  });

  it('stay where that debt was repaid', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    const held = await hold(person, 100);
    await refund(id, { unrecovered_policy: 'debt' });
    await grantUnits(app, person, 'CREDITS', 70);
    expect(await balanceOf(person)).toBe(-30);
    const released = await app.post(`/reservations/${held}/release`, { external_id: person });
    expect(released.body).toMatchObject({ returned: 70, revoked: 30 });
    expect(await balanceOf(person)).toBe(70);
  });

  it('lapse like that too, by themselves', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    await hold(person, 40);
    await refund(id);
    app.clock.advance({ hours: 1 });
    const read = await app.get(`/orders/${id}`);
    expect(read.body.batches).toMatchObject([{ available: 0, held: 0, revoked: 100, state: 'revoked' }]);
    expect((await app.get(`/wallet/batches?external_id=${person}&state=revoked`)).body.data).toHaveLength(1);
    await consume(person, 1);
    expect((await app.get(`/orders/${id}`)).body.batches).toEqual(read.body.batches);
  });

  it('that other units owe for are repaid with at once', async () => {
    const { person, id } = await buy([{ sku: 'PACK' }]);
    await consume(person, 100);
    await grantUnits(app, person, 'CREDITS', 30);
    const refunded = await refund(id, { unrecovered_policy: 'debt' });
    expect(refunded.body.refund).toMatchObject({ unrecovered: { CREDITS: 100 } });
    expect(await balanceOf(person)).toBe(-70);
  });
});

describe('access that is refunded', () => {
  /** Access that lasts or is to come, soonest first; as of an instant. */
  const accessOf = async (person: string, asOf = '') => {
    const { body } = await app.get(`/wallet/batches?external_id=${person}${asOf && `&as_of=${asOf}`}`);
    const valid = body.data.filter(({ state }: Json) => state === 'active' || state === 'pending');
    return valid.sort((a: { valid_from: string }, b: { valid_from: string }) => (a.valid_from < b.valid_from ? -1 : 1));
  };

  it('ends at the instant, and what follows it begins', async () => {
    app.clock.set('2027-01-01T00:00:00.000Z');
    const person = newPerson();
    const first = await buy([{ sku: 'MONTH' }], person);
    await buy([{ sku: 'MONTH' }], person);
    app.clock.set('2027-01-11T00:00:00.000Z');
    const answer = await refund(first.id);
    expect(answer.body.batches).toMatchObject([{ state: 'revoked' }]);
    expect(await accessOf(person)).toMatchObject([
      { product_key: 'ACCESS', valid_from: '2027-01-11T00:00:00.000Z', expires_at: '2027-02-08T00:00:00.000Z' },
    ]);
    const { body } = await app.get(`/wallet/entries?external_id=${person}&kind=adjust`);
    expect(body.data[0].metadata).toMatchObject({
      valid_from: { old: '2027-02-01T00:00:00.000Z', new: '2027-01-11T00:00:00.000Z' },
    });
    app.clock.advance({ days: 1 });
    expect(await accessOf(person, '2027-01-10T00:00:00.000Z')).toMatchObject([
      { expires_at: '2027-02-01T00:00:00.000Z' },
      { valid_from: '2027-02-01T00:00:00.000Z', expires_at: '2027-03-01T00:00:00.000Z' },
    ]);
  });

  it('stays with an amount, and is shortened by a part of its quantity', async () => {
    app.clock.set('2027-05-01T00:00:00.000Z');
    const { person, id, lines } = await buy([{ sku: 'MONTH', quantity: 3 }]);
    await refund(id, { amount: '5.00' });
    expect(await accessOf(person)).toMatchObject([{ expires_at: '2027-08-01T00:00:00.000Z' }]);
    await refund(id, { items: [{ id: lines[0], quantity: 1 }] });
    expect(await accessOf(person)).toMatchObject([{ expires_at: '2027-07-01T00:00:00.000Z' }]);
    await refund(id);
    expect(await accessOf(person)).toEqual([]);
  });

  it('comes back at the end of its chain when the refund fails', async () => {
    app.clock.set('2027-09-01T00:00:00.000Z');
    const person = newPerson();
    const first = await buy([{ sku: 'MONTH' }], person);
    await buy([{ sku: 'MONTH' }], person);
    app.clock.set('2027-09-11T00:00:00.000Z');
    await refund(first.id, { refund_id: 're_access' });
    await refund(first.id, { refund_id: 're_access', status: 'failed' });
    expect(await accessOf(person)).toMatchObject([
      { valid_from: '2027-09-11T00:00:00.000Z', expires_at: '2027-10-12T00:00:00.000Z' },
      { valid_from: '2027-10-12T00:00:00.000Z', expires_at: '2027-11-01T00:00:00.000Z' },
    ]);
  });
});
