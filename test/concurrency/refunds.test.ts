// Refunds and disputes at once, with each other and with all that uses what they take: one effect each, and never more than was paid.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { send, sendTogether, tally, useSecondApp, withStatus } from '../support/parallel.js';
import { newPayment, newPerson } from '../support/requests.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 };
  const units = { product_key: 'CREDITS', quantity: 100, period_unit: 'days', period_value: 30 };
  await putOffer(app, 'BOTH', 'CREDITS', 100, { price: '10.00', items: [units, month] });
});

async function buy(sku = 'PACK', person = newPerson()): Promise<{ person: string; id: string }> {
  const { body } = await app.post('/orders', { external_id: person, items: [{ sku }] });
  const paid = await app.post(`/orders/${body.id}/confirm`, { payment_id: newPayment() });
  expect(paid.status, paid.text).toBe(200);
  return { person, id: body.id };
}

const balanceOf = async (person: string) => (await app.get(`/wallet?external_id=${person}`)).body.balances.CREDITS ?? 0;

describe('20 times at once', () => {
  it('the same refund is one, with the same bytes', async () => {
    const { person, id } = await buy();
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post(`/orders/${id}/refund`, { amount: '3.00', refund_id: 're_crowd' }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await balanceOf(person)).toBe(70);
  });

  it('one refund id is of one order alone', async () => {
    const orders = await Promise.all(Array.from({ length: 10 }, () => buy()));
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post(`/orders/${orders[index % 10]?.id}/refund`, { refund_id: 're_whose' }),
    );
    expect(tally(answers)).toEqual({ '200': 2, '409 refund_mismatch': 18 });
    const balances = await Promise.all(orders.map(({ person }) => balanceOf(person)));
    expect(balances.filter((balance) => balance === 0)).toHaveLength(1);
  });

  it('parts of 1.00 come to what was paid', async () => {
    const { person, id } = await buy();
    const answers = await sendTogether(20, (index) => clientOf(index).post(`/orders/${id}/refund`, { amount: '1.00' }));
    expect(tally(answers)).toEqual({ '200': 10, '409 refund_exceeds_paid': 10 });
    const taken = withStatus(answers, 200).map(({ body }) => body.refund.recovered.CREDITS);
    expect(taken).toEqual(Array.from({ length: 10 }, () => 10));
    expect(await balanceOf(person)).toBe(0);
  });

  it('a dispute is opened once, and ends once', async () => {
    const { person, id } = await buy();
    const tell = (status: string) =>
      sendTogether(20, (index) => clientOf(index).post(`/orders/${id}/dispute`, { dispute_id: 'dp_crowd', status }));
    expect(tally(await tell('opened'))).toEqual({ '200': 20 });
    expect(await balanceOf(person)).toBe(0);
    expect(tally(await tell('won'))).toEqual({ '200': 20 });
    expect(await balanceOf(person)).toBe(100);
  });

  it('a dispute ends in one way', async () => {
    const { person, id } = await buy();
    await app.post(`/orders/${id}/dispute`, { dispute_id: 'dp_ends', status: 'opened' });
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post(`/orders/${id}/dispute`, { dispute_id: 'dp_ends', status: index % 3 ? 'won' : 'lost' }),
    );
    const read = (await app.get(`/orders/${id}`)).body;
    const [{ status }] = read.disputes;
    expect(withStatus(answers, 200)).toHaveLength(status === 'won' ? 13 : 7);
    expect(await balanceOf(person)).toBe(status === 'won' ? 100 : 0);
  });
});

describe('a refund beside what uses the units', () => {
  it.each(['ignore', 'debt'])('leaves a ledger that proves it, where the rest is treated as `%s`', async (policy) => {
    for (let round = 0; round < 6; round += 1) {
      const { person, id } = await buy('BOTH');
      if (round % 2) await grantUnits(app, person, 'CREDITS', 25);
      const of = { external_id: person, product_key: 'CREDITS' };
      const held = (await app.post('/reservations', { ...of, amount: 20 })).body.id;
      const lapsing = (await app.post('/reservations', { ...of, amount: 10, ttl_seconds: 60 })).body.id;
      const used = (await app.post('/quota/consume', { ...of, amount: 30 })).body.operation_id;
      app.clock.advance({ seconds: round % 3 ? 59 : 61 });
      const calls: [path: string, body: Json][] = [
        [`/orders/${id}/refund`, { amount: '5.00', refund_id: `re_${policy}_${round}`, unrecovered_policy: policy }],
        [
          `/orders/${id}/dispute`,
          { dispute_id: `dp_${policy}_${round}`, status: 'opened', unrecovered_policy: policy },
        ],
        [`/reservations/${held}/commit`, { external_id: person, amount: 5 }],
        [`/reservations/${lapsing}/release`, { external_id: person }],
        ['/quota/release', { external_id: person, operation_id: used, amount: 12 }],
        ['/quota/consume', { ...of, amount: 15 }],
        ['/credits/deduct', { ...of, amount: 40, allow_negative: true }],
        ['/grants', { ...of, grant_type: 'bonus', quantity: 9 }],
        [`/orders/${id}/refund`, { refund_id: `re_${policy}_${round}`, status: 'failed' }],
      ];
      const answers = await Promise.all(calls.map(([path, body], index) => send(clientOf(index).post(path, body))));
      for (const { status, text } of answers) expect(status, text).toBeLessThan(500);
      const won = await app.post(`/orders/${id}/dispute`, { dispute_id: `dp_${policy}_${round}`, status: 'won' });
      expect(won.status, won.text).toBe(200);
      expect((await app.get(`/invariants?external_id=${person}`)).body).toMatchObject({ ok: true, differences: [] });
      const rest = await app.post(`/orders/${id}/refund`, { unrecovered_policy: policy });
      expect(rest.status, rest.text).toBeLessThan(500);
    }
  });
});
