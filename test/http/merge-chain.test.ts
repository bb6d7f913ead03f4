// Orders of a customer who was merged twice, one into the next: refunds and disputes take in every ledger in which something of them is (DOMAIN 3.10).
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { type Merging, mergePair, newMergePair } from '../support/merging.js';
import { newPayment } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { is_currency: true });
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 100, { price: '10.00' });
  const month = { product_key: 'ACCESS', quantity: 1, period_unit: 'months', period_value: 1 };
  await putOffer(app, 'MONTH', 'ACCESS', 1, { price: '9.00', items: [month] });
});

const well = async (sent: PromiseLike<{ status: number; text: string; body: Json }>): Promise<Json> => {
  const { status, text, body } = await sent;
  expect(status, text).toBeLessThan(300);
  return body;
};
const buy = async (customer_id: string, sku = 'PACK') => {
  const { id } = await well(app.post('/orders', { customer_id, items: [{ sku }] }));
  await well(app.post(`/orders/${id}/confirm`, { payment_id: newPayment() }));
  return String(id);
};
const consume = (customer_id: string, amount: number) =>
  well(app.post('/quota/consume', { customer_id, product_key: 'CREDITS', amount }));
const back = (operation_id: unknown) => well(app.post('/quota/release', { operation_id }));
const walletOf = (id: string) => well(app.get(`/wallet?customer_id=${id}`));
const balanceOf = async (id: string) => Number(((await walletOf(id)).balances as Record<string, number>).CREDITS ?? 0);
const refund = (id: string, more: Json = {}) =>
  well(app.post(`/orders/${id}/refund`, { refund_id: `re-${id}`, ...more }));
const merge = (target: Merging, source: Merging) => well(mergePair(app, target, source));

/** A, B and C, and an order of A, of whose units each used 10 as long as they were his. */
async function chained(sku = 'PACK') {
  const [b, a] = await newMergePair(app);
  const [c] = await newMergePair(app);
  const id = await buy(a.id, sku);
  const uses: unknown[] = [];
  const use = async (who: Merging) => {
    if (sku === 'PACK') uses.push((await consume(who.id, 10)).operation_id);
  };
  await use(a);
  await merge(b, a);
  await use(b);
  await merge(c, b);
  await use(c);
  return { a, b, c, id, uses };
}

describe('an order of a customer who was merged twice', () => {
  it('is refunded wherever its units are, and units that come back later are taken', async () => {
    const { c, id, uses } = await chained();
    const { refund: told } = await refund(id);
    expect(told).toMatchObject({ recovered: { CREDITS: 70 }, unrecovered: { CREDITS: 30 } });
    expect(await balanceOf(c.id)).toBe(0);
    for (const use of uses) expect(await back(use)).toMatchObject({ returned: 0, revoked: 10 });
    expect(await balanceOf(c.id)).toBe(0);
  });

  it('is refunded by parts to exact shares over all ledgers', async () => {
    const { c, id } = await chained();
    const recovered: number[] = [];
    for (const amount of ['3.33', '3.33', '3.34']) {
      const { refund: told } = await well(app.post(`/orders/${id}/refund`, { amount }));
      recovered.push(Number((told as { recovered: Record<string, number> }).recovered.CREDITS ?? 0));
    }
    expect(recovered.reduce((sum, units) => sum + units, 0)).toBe(70);
    expect(await balanceOf(c.id)).toBe(0);
  });

  it.each(['ignore', 'debt'])(
    'is disputed and won, or its refund fails, as if it had not been (%s)',
    async (policy) => {
      for (const how of ['dispute', 'refund'] as const) {
        const { c, id, uses } = await chained();
        const dispute = (status: string) =>
          well(app.post(`/orders/${id}/dispute`, { dispute_id: `dp-${id}`, status, unrecovered_policy: policy }));
        if (how === 'dispute') await dispute('opened');
        else await refund(id, { unrecovered_policy: policy });
        expect(await balanceOf(c.id)).toBe(policy === 'debt' ? -30 : 0);
        if (policy === 'debt') await grantUnits(app, c.name, 'CREDITS', 20);
        if (how === 'dispute') await dispute('won');
        else await refund(id, { status: 'failed' });
        expect(await balanceOf(c.id)).toBe(policy === 'debt' ? 90 : 70);
        for (const use of uses) expect(await back(use)).toMatchObject({ returned: 10 });
        expect(await balanceOf(c.id)).toBe(policy === 'debt' ? 120 : 100);
      }
    },
  );

  it('gives back what came back meanwhile of what each of them held', async () => {
    const [b, a] = await newMergePair(app);
    const [c] = await newMergePair(app);
    const id = await buy(a.id);
    const hold = async (who: Merging) =>
      String((await well(app.post('/reservations', { customer_id: who.id, product_key: 'CREDITS', amount: 20 }))).id);
    const holds = [await hold(a)];
    await merge(b, a);
    holds.push(await hold(b));
    await merge(c, b);
    holds.push(await hold(c));
    const { refund: told } = await refund(id, { unrecovered_policy: 'debt' });
    expect(told).toMatchObject({ recovered: { CREDITS: 40 }, unrecovered: { CREDITS: 60 } });
    expect(await balanceOf(c.id)).toBe(-60);
    for (const held of holds) await well(app.post(`/reservations/${held}/release`));
    expect(await balanceOf(c.id)).toBe(0);
    await refund(id, { status: 'failed' });
    expect(await balanceOf(c.id)).toBe(100);
  });

  it('ends and gives back access where it went on', async () => {
    const { c, id } = await chained('MONTH');
    const accessOf = async () => ((await walletOf(c.id)).access as Record<string, Json>).ACCESS;
    const before = await accessOf();
    expect(before).toBeDefined();
    await refund(id);
    expect(await accessOf()).toBeUndefined();
    await refund(id, { status: 'failed' });
    expect(await accessOf()).toMatchObject({ until: before?.until });
  });

  it('is refunded through whatever chain', async () => {
    const { b, c, id } = await chained();
    const [e, d] = await newMergePair(app);
    await merge(d, c);
    await consume(b.id, 10);
    await merge(e, d);
    await consume(c.id, 10);
    const { refund: told } = await refund(id, { unrecovered_policy: 'debt' });
    expect(told).toMatchObject({ recovered: { CREDITS: 50 }, unrecovered: { CREDITS: 50 } });
    expect(await balanceOf(e.id)).toBe(-50);
    await refund(id, { status: 'failed' });
    expect(await balanceOf(e.id)).toBe(50);
  });

  it('is refunded once by twelve at a time, beside uses', async () => {
    const { b, c, id } = await chained();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        at % 2 === 0
          ? app.post(`/orders/${id}/refund`, { refund_id: `re-${id}` })
          : app.post('/quota/consume', { customer_id: b.id, product_key: 'CREDITS', amount: 5 }),
      ),
    );
    expect(answers.filter(({ status }) => ![200, 402].includes(status))).toEqual([]);
    const used = answers.filter(({ status }, at) => at % 2 === 1 && status === 200).length * 5;
    const [first] = answers;
    expect(first?.body.refund).toMatchObject({ recovered: { CREDITS: 70 - used } });
    expect(await balanceOf(c.id)).toBe(0);
  });
});
