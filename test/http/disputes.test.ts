// Disputes: what they take while they are open, what comes back when they are won, and how they go together with refunds.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { untilTold } from '../support/events.js';
import { expectProblem, newPayment, newPerson, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putProduct(app, 'STAMPS');
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  await putOffer(app, 'SHEET', 'STAMPS', 10, { price: '3.00' });
  const days = { product_key: 'CREDITS', quantity: 100, period_unit: 'days', period_value: 10 };
  await putOffer(app, 'SHORT', 'CREDITS', 100, { price: '10.00', items: [days] });
  const ever = { product_key: 'CREDITS', quantity: 6, period_unit: 'forever' };
  await putOffer(app, 'MIXED', 'CREDITS', 10, { price: '2.00', items: [{ ...days, quantity: 4 }, ever] });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'days', period_value: 30 };
  await putOffer(app, 'MONTH', 'ACCESS', 1, { price: '9.00', items: [month] });
});

let disputes = 0;
const newDispute = () => `dp_${++disputes}`;

async function buy(sku: string, person = newPerson()): Promise<{ person: string; id: string }> {
  const { body } = await app.post('/orders', { external_id: person, items: [{ sku }] });
  const paid = await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
  expect(paid.status, paid.text).toBe(200);
  return { person, id: body.id };
}

const dispute = (id: string, disputeId: string, status: string, more: Json = {}) =>
  app.post(`/orders/${id}/dispute`, { dispute_id: disputeId, status, ...more });
const refund = (id: string, body: Json = {}) => app.post(`/orders/${id}/refund`, body);
const consume = (person: string, amount: number) =>
  app.post('/quota/consume', { external_id: person, product_key: 'CREDITS', amount });
const balanceOf = async (person: string, key = 'CREDITS') =>
  (await app.get(`/wallet?external_id=${person}`)).body.balances[key] ?? 0;

describe('a dispute', () => {
  it('takes when it is opened, beside the status of the order, and gives back when it is won', async () => {
    const { person, id } = await buy('PACK');
    await consume(person, 30);
    const opened = await dispute(id, 'dp_won', 'opened');
    expect(opened.status, opened.text).toBe(200);
    expect(opened.body).toMatchObject({
      status: 'paid',
      disputed_amount: '10.00',
      dispute: { status: 'opened', amount: '10.00', recovered: { CREDITS: 70 }, unrecovered: { CREDITS: 30 } },
    });
    expect(await balanceOf(person)).toBe(0);
    const won = await dispute(id, 'dp_won', 'won');
    expect(won.body).toMatchObject({ status: 'paid', disputed_amount: '0.00', dispute: { status: 'won' } });
    expect(await balanceOf(person)).toBe(70);
    const { body } = await app.get(`/wallet/entries?external_id=${person}`);
    const revoke = body.data.find(({ kind }: Json) => kind === 'revoke');
    expect(body.data.find(({ kind }: Json) => kind === 'reverse')).toMatchObject({
      reverses_seq: revoke.seq,
      order_id: id,
    });
    await untilTold(app);
    const told = await app.get(`/events?external_id=${person}&type=order.disputed&type=order.dispute_closed`);
    expect(told.body.data.map(({ type, data }: Json) => [type, (data as Json).dispute_status])).toEqual([
      ['order.disputed', 'opened'],
      ['order.dispute_closed', 'won'],
    ]);
  });

  it('that is lost changes nothing more', async () => {
    const { person, id } = await buy('PACK');
    await dispute(id, 'dp_lost', 'opened', { amount: '5.00' });
    expect(await balanceOf(person)).toBe(50);
    const lost = await dispute(id, 'dp_lost', 'lost');
    expect(lost.body).toMatchObject({ status: 'paid', disputed_amount: '5.00' });
    expect(await balanceOf(person)).toBe(50);
    expectProblem(await dispute(id, 'dp_lost', 'won'), 409, 'dispute_closed', '/status');
    expect((await dispute(id, 'dp_lost', 'opened')).body).toMatchObject({ dispute: { status: 'lost' } });
    expect((await app.get(`/orders/${id}`)).body.disputes).toMatchObject([{ status: 'lost', amount: '5.00' }]);
  });

  it('whose end is heard first is not opened later', async () => {
    const won = await buy('PACK');
    const first = newDispute();
    expect((await dispute(won.id, first, 'won')).status).toBe(200);
    expect((await dispute(won.id, first, 'opened')).body).toMatchObject({ disputed_amount: '0.00' });
    expect(await balanceOf(won.person)).toBe(100);
    const lost = await buy('PACK');
    const second = newDispute();
    expect((await dispute(lost.id, second, 'lost')).body).toMatchObject({ dispute: { recovered: { CREDITS: 100 } } });
    await dispute(lost.id, second, 'opened');
    expect(await balanceOf(lost.person)).toBe(0);
  });

  it('and a refund take once, together', async () => {
    for (const named of [true, false]) {
      const { person, id } = await buy('PACK');
      const own = newDispute();
      await dispute(id, own, 'opened');
      const refunded = await refund(id, named ? { dispute_id: own } : {});
      expect(refunded.body).toMatchObject({ status: 'refunded', refund: { recovered: {} } });
      await grantUnits(app, person, 'CREDITS', 5);
      expect(await balanceOf(person)).toBe(5);
      // what is refunded stays taken
      await dispute(id, own, 'won');
      expect(await balanceOf(person)).toBe(5);
    }
  });

  it('that was won takes nothing from a later refund', async () => {
    const { person, id } = await buy('PACK');
    const own = newDispute();
    await dispute(id, own, 'opened', { amount: '6.00' });
    await dispute(id, own, 'won');
    const refunded = await refund(id, { amount: '6.00' });
    expect(refunded.body.refund).toMatchObject({ recovered: { CREDITS: 60 } });
    expect(await balanceOf(person)).toBe(40);
  });

  it('beside a refund claims no more than there was', async () => {
    const { person, id } = await buy('PACK');
    await refund(id, { amount: '6.00', refund_id: 're_beside' });
    const own = newDispute();
    expect((await dispute(id, own, 'opened', { amount: '8.00' })).body.dispute).toMatchObject({
      recovered: { CREDITS: 40 },
    });
    // the refund fails: what the dispute contests stays taken
    await refund(id, { refund_id: 're_beside', status: 'failed' });
    expect(await balanceOf(person)).toBe(20);
    await dispute(id, own, 'won');
    expect(await balanceOf(person)).toBe(100);
  });

  it('that is won gives what ended meanwhile a batch for the time that it had left', async () => {
    app.clock.set('2027-01-01T00:00:00.000Z');
    const { person, id } = await buy('SHORT');
    app.clock.set('2027-01-04T00:00:00.000Z');
    const own = newDispute();
    await dispute(id, own, 'opened');
    app.clock.set('2027-02-01T00:00:00.000Z');
    const won = await dispute(id, own, 'won');
    expect(won.body.batches).toMatchObject([
      { granted: 100, transferred: 100, revoked: 0 },
      { granted: 100, available: 100, expires_at: '2027-02-08T00:00:00.000Z' },
    ]);
    expect(await balanceOf(person)).toBe(100);
    // and a refund takes it of there
    await consume(person, 30);
    const refunded = await refund(id);
    expect(refunded.body.refund).toMatchObject({ recovered: { CREDITS: 70 }, unrecovered: { CREDITS: 30 } });
    expect(await balanceOf(person)).toBe(0);
  });

  it('cuts access while it is open, and its length comes back at the end of the chain', async () => {
    app.clock.set('2027-03-01T00:00:00.000Z');
    const person = newPerson();
    const first = await buy('MONTH', person);
    await buy('MONTH', person);
    app.clock.set('2027-03-11T00:00:00.000Z');
    const own = newDispute();
    await dispute(first.id, own, 'opened');
    const ends = async () => {
      const { body } = await app.get(`/wallet/batches?external_id=${person}`);
      const valid = body.data.filter(({ state }: Json) => state === 'active' || state === 'pending');
      return valid.map(({ expires_at }: Json) => expires_at).sort();
    };
    expect(await ends()).toEqual(['2027-04-10T00:00:00.000Z']);
    app.clock.set('2027-03-16T00:00:00.000Z');
    await dispute(first.id, own, 'won');
    expect(await ends()).toEqual(['2027-04-10T00:00:00.000Z', '2027-04-30T00:00:00.000Z']);
  });

  it('forgives the debt that it made, and what repaid it comes back', async () => {
    const { person, id } = await buy('PACK');
    await consume(person, 100);
    const own = newDispute();
    await dispute(id, own, 'opened', { unrecovered_policy: 'debt' });
    expect(await balanceOf(person)).toBe(-100);
    await grantUnits(app, person, 'CREDITS', 40);
    expect(await balanceOf(person)).toBe(-60);
    await dispute(id, own, 'won');
    expect(await balanceOf(person)).toBe(40);
  });

  it('forgives its debt before what it took comes back, which would repay it', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 1);
    const { id } = await buy('MIXED', person);
    await consume(person, 2);
    const own = newDispute();
    await dispute(id, own, 'opened', { unrecovered_policy: 'debt' });
    expect(await balanceOf(person)).toBe(-1);
    const won = await dispute(id, own, 'won');
    expect(won.body.batches, won.text).toMatchObject([
      { available: 2, consumed: 2, revoked: 0 },
      { available: 6, consumed: 0, revoked: 0 },
    ]);
    expect(await balanceOf(person)).toBe(9);
  });

  it('gives back only what repaid its own debt: the oldest is repaid first', async () => {
    const person = newPerson();
    await grantUnits(app, person, 'CREDITS', 1);
    const overdraft = { external_id: person, product_key: 'CREDITS', amount: 31, allow_negative: true };
    await app.post('/credits/deduct', overdraft).expect(200);
    const { id } = await buy('PACK', person); // repays the 30
    await consume(person, 70);
    const own = newDispute();
    await dispute(id, own, 'opened', { unrecovered_policy: 'debt' });
    expect(await balanceOf(person)).toBe(-100);
    await app.post('/credits/deduct', { ...overdraft, amount: 50 }).expect(200);
    await grantUnits(app, person, 'CREDITS', 120); // 100 of them repay the dispute, 20 the last overdraft
    expect(await balanceOf(person)).toBe(-30);
    await dispute(id, own, 'won');
    expect(await balanceOf(person)).toBe(70);
  });

  it('goes on of what is not refunded within it, of each line alike', async () => {
    const two = async () => {
      const person = newPerson();
      const items = [{ sku: 'PACK' }, { sku: 'SHEET' }, { sku: 'MONTH' }];
      const { body } = await app.post('/orders', { external_id: person, items });
      await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() }).expect(200);
      return { person, id: body.id, lines: body.items.map((line: Json) => line.id) };
    };
    const hasAccess = async (person: string) =>
      (await app.get(`/wallet/batches?external_id=${person}&state=active`)).body.data.some(
        ({ product_key: key }: Json) => key === 'ACCESS',
      );

    const whole = await two(); // 10.00 and 3.00 and 9.00
    const all = newDispute();
    await dispute(whole.id, all, 'opened');
    await refund(whole.id, { items: [{ id: whole.lines[0] }], dispute_id: all }).then(({ status }) =>
      expect(status).toBe(200),
    );
    expect(await balanceOf(whole.person, 'STAMPS')).toBe(0);
    expect(await hasAccess(whole.person)).toBe(false);
    await dispute(whole.id, all, 'won');
    expect(await balanceOf(whole.person)).toBe(0);
    expect(await balanceOf(whole.person, 'STAMPS')).toBe(10);
    expect(await hasAccess(whole.person)).toBe(true);

    const part = await two();
    const half = newDispute();
    await dispute(part.id, half, 'opened', { amount: '16.00' });
    expect(await balanceOf(part.person)).toBe(28); // of 100, less 72
    expect(await balanceOf(part.person, 'STAMPS')).toBe(3);
    await refund(part.id, { items: [{ id: part.lines[0] }], dispute_id: half });
    expect(await balanceOf(part.person)).toBe(0);
    expect(await balanceOf(part.person, 'STAMPS')).toBe(5); // 6.00 of 12.00
  });

  it('beside others may come to more than was paid, as far as that can be counted', async () => {
    await putOffer(app, 'DEAR', 'CREDITS', 100, { price: '99999999999999.00' });
    const { person, id } = await buy('DEAR');
    const first = newDispute();
    expect((await dispute(id, first, 'opened')).status).toBe(200);
    expectProblem(await dispute(id, newDispute(), 'opened'), 409, 'quantity_too_large', '/amount');
    expect((await dispute(id, newDispute(), 'won')).status).toBe(200);
    await dispute(id, first, 'won');
    expect(await balanceOf(person)).toBe(100);
  });

  it('is refused where it can’t be, and changes nothing', async () => {
    const pending = (await app.post('/orders', { external_id: newPerson(), items: [{ sku: 'PACK' }] })).body;
    const { id } = await buy('PACK');
    const other = await buy('PACK');
    const own = newDispute();
    await dispute(other.id, own, 'opened', { amount: '3.00' });
    const written = await writtenBy(app, async () => {
      expectProblem(await dispute(pending.id, newDispute(), 'opened'), 409, 'order_not_paid');
      expectProblem(
        await dispute(id, newDispute(), 'opened', { amount: '10.01' }),
        409,
        'refund_exceeds_paid',
        '/amount',
      );
      expectProblem(await dispute(id, newDispute(), 'opened', { amount: '0' }), 400, 'invalid_request', '/amount');
      expectProblem(await dispute(id, newDispute(), 'settled'), 400, 'invalid_request', '/status');
      expectProblem(await dispute(id, own, 'opened'), 409, 'dispute_mismatch', '/dispute_id');
      expectProblem(await dispute(other.id, own, 'won', { amount: '4.00' }), 409, 'dispute_mismatch', '/amount');
    });
    expect(written).toEqual({});
  });

  it('told again gets the first answer, of each of its ends too', async () => {
    const { person, id } = await buy('PACK');
    const own = newDispute();
    for (const status of ['opened', 'won']) {
      const first = await dispute(id, own, status);
      await grantUnits(app, person, 'CREDITS', 1);
      const again = await dispute(id, own, status);
      expect(again.text).toBe(first.text);
      expect(again.headers['idempotent-replayed']).toBe('true');
    }
    const refundBody = { refund_id: 're_told_again', status: 'failed' };
    const failed = await refund(id, refundBody);
    expect((await refund(id, refundBody)).text).toBe(failed.text);
  });

  it('owed for units is seen as it was at a past instant', async () => {
    app.clock.set('2027-06-01T00:00:00.000Z');
    const { person, id } = await buy('PACK');
    await consume(person, 100);
    const own = newDispute();
    await dispute(id, own, 'opened', { unrecovered_policy: 'debt' });
    app.clock.advance({ hours: 1 });
    await grantUnits(app, person, 'CREDITS', 130);
    app.clock.advance({ hours: 1 });
    await dispute(id, own, 'won');
    const balanceAt = async (at: string) =>
      (await app.get(`/wallet?external_id=${person}&as_of=${at}`)).body.balances.CREDITS;
    expect(await balanceAt('2027-06-01T00:30:00.000Z')).toBe(-100);
    expect(await balanceAt('2027-06-01T01:30:00.000Z')).toBe(30);
    expect(await balanceAt('2027-06-01T02:00:00.000Z')).toBe(130);
  });

  it('is known by its method too: a refund is within that of its own', async () => {
    const { person, id } = await buy('PACK');
    const own = newDispute();
    for (const payment_method of ['stripe', 'paypal'])
      await dispute(id, own, 'opened', { amount: '5.00', payment_method });
    expect(await balanceOf(person)).toBe(0);
    await refund(id, { amount: '5.00', dispute_id: own, payment_method: 'stripe' });
    expect(await balanceOf(person)).toBe(0);
    expectProblem(
      await refund(id, { amount: '5.00', dispute_id: own, payment_method: 'other' }),
      404,
      'dispute_not_found',
      '/dispute_id',
    );
  });
});
