// Exchanges at once, alone and among consumes, confirmations, trials and adjustments of one customer: the sums are exact, nobody deadlocks.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import {
  balanceOf,
  deadlocksOf,
  placeOrder,
  send,
  sendTogether,
  tally,
  useSecondApp,
  withStatus,
} from '../support/parallel.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putProduct(app, 'STAR', { is_currency: true });
  await putProduct(app, 'CREDITS', { features: [{ feature: 'text', unit_cost: 2 }] });
  await putOffer(app, 'STARS_5', 'STAR', 5);
  await putOffer(app, 'PACK', 'CREDITS', 10);
  await putOffer(app, 'IN_STARS', 'CREDITS', 7, { price: '3', currency: 'STAR' });
  await putOffer(app, 'TRIAL', 'STAR', 4, { trial_policy: {} });
});

/** Units that answers say were taken of a product. */
function unitsTaken(answers: readonly { body: Json }[], productKey: string): number {
  const takings = answers.flatMap(({ body }) => body.taken as { product_key: string; amount: number }[]);
  return takings.filter((taking) => taking.product_key === productKey).reduce((sum, { amount }) => sum + amount, 0);
}

describe('20 exchanges at once', () => {
  it('go through as far as the currency goes', async () => {
    await grantUnits(app, 'ada', 'STAR', 10);
    await grantUnits(app, 'ada', 'STAR', 10, { priority: 1 });
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/exchange', { external_id: 'ada', sku: 'IN_STARS' }),
    );
    expect(tally(answers)).toEqual({ '200': 6, '402 insufficient_quota': 14 });
    expect(await balanceOf(app, 'ada', 'STAR')).toBe(2);
    expect(await balanceOf(app, 'ada', 'CREDITS')).toBe(42);
  });

  it('go through once under one key', async () => {
    await grantUnits(app, 'bob', 'STAR', 30);
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/exchange', { external_id: 'bob', sku: 'IN_STARS' }, { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(await balanceOf(app, 'bob', 'STAR')).toBe(27);
  });
});

describe('a storm of consume, exchange, confirm, trial and adjustment over one customer', () => {
  it('ends with exact sums and without a deadlock', async () => {
    const who = { external_id: 'cy' };
    await grantUnits(app, 'cy', 'CREDITS', 50);
    await grantUnits(app, 'cy', 'STAR', 20);
    const orders = await Promise.all(
      Array.from({ length: 12 }, (_, index) => placeOrder(app, 'cy', index % 2 ? 'PACK' : 'STARS_5')),
    );
    const many = <T>(count: number, make: (index: number) => T) =>
      Array.from({ length: count }, (_, index) => make(index));
    const kinds = {
      consume: many(30, (index) =>
        send(clientOf(index).post('/quota/consume', { ...who, feature: 'text', amount: 1 + (index % 3) })),
      ),
      exchange: many(15, (index) => send(clientOf(index).post('/exchange', { ...who, sku: 'IN_STARS' }))),
      confirm: orders.flatMap((orderId, index) =>
        [app, second].map((client) => send(client.post(`/orders/${orderId}/confirm`, { payment_id: `cy-${index}` }))),
      ),
      trial: many(6, (index) => send(clientOf(index).post('/grants', { ...who, grant_type: 'trial', sku: 'TRIAL' }))),
      adjust: many(10, (index) =>
        send(
          clientOf(index).post('/grants', {
            ...who,
            grant_type: 'adjustment',
            direction: 'debit',
            product_key: 'CREDITS',
            quantity: 4,
            reason: 'storm',
          }),
        ),
      ),
    };
    const [consume, exchange, confirm, trial, adjust] = await Promise.all(
      [kinds.consume, kinds.exchange, kinds.confirm, kinds.trial, kinds.adjust].map((sent) => Promise.all(sent)),
    );
    expect(tally(confirm ?? [])).toEqual({ '200': 24 });
    expect(tally(trial ?? [])).toEqual({ '201': 1, '409 trial_already_used': 5 });
    const [consumed, exchanged, adjusted] = [
      withStatus(consume ?? [], 200),
      withStatus(exchange ?? [], 200),
      withStatus(adjust ?? [], 201),
    ];
    for (const [answers, allowed] of [
      [consume, consumed],
      [exchange, exchanged],
      [adjust, adjusted],
    ]) {
      const refused = (answers ?? []).filter((answer) => !allowed?.includes(answer));
      expect(Object.keys(tally(refused)).filter((outcome) => outcome !== '402 insufficient_quota')).toEqual([]);
    }
    const taken = unitsTaken(consumed, 'CREDITS') + unitsTaken(adjusted, 'CREDITS');
    expect(unitsTaken(adjusted, 'CREDITS')).toBe(4 * adjusted.length);
    expect(await balanceOf(app, 'cy', 'CREDITS')).toBe(50 + 6 * 10 + 7 * exchanged.length - taken);
    expect(await balanceOf(app, 'cy', 'STAR')).toBe(20 + 6 * 5 + 4 - 3 * exchanged.length);
    expect(await deadlocksOf(app.url)).toBe(0);
  });
});
