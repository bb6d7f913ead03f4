// When what was granted is valid (DOMAIN 3.5): units of time, calendar steps, chains of access, access that never ends.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { buy, expectProblem, newPayment, newPerson, placeOrder } from '../support/requests.js';
import { query } from '../support/sql.js';

const app = useTestApp();

async function putAccessOffer(sku: string, period_unit: string, period_value?: number, more: Json = {}): Promise<void> {
  await putOffer(app, sku, 'ACCESS', 1, { items: [{ product_key: 'ACCESS', period_unit, period_value, ...more }] });
}

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'ACCESS', { type: 'period', features: ['lounge'] });
  await putProduct(app, 'LIFETIME', { type: 'unlimited' });
  await putAccessOffer('MONTH', 'months', 1);
  await putAccessOffer('YEAR', 'years', 1);
  await putAccessOffer('DAY', 'days', 1);
  await putAccessOffer('HOUR', 'hours', 1);
  await putAccessOffer('PARALLEL', 'days', 10, { stacking: 'parallel' });
  await putAccessOffer('FOR_EVER', 'forever');
  await putAccessOffer('CENTURIES', 'years', 7_000);
  await putOffer(app, 'LIFE', 'LIFETIME', 1);
  await putOffer(app, 'CREDITS_MONTH', 'CREDITS', 10, {
    items: [{ product_key: 'CREDITS', quantity: 10, period_unit: 'months', period_value: 1 }],
  });
});

async function spanOf(external_id: string, sku: string, quantity = 1): Promise<[unknown, unknown]> {
  const [batch] = await buy(app, external_id, sku, quantity);
  return [batch?.valid_from, batch?.expires_at];
}

describe('access lasts', () => {
  it.each([
    ['HOUR', 1, '2026-01-31T12:00:00.000Z', '2026-01-31T13:00:00.000Z'],
    ['DAY', 3, '2026-01-31T12:00:00.000Z', '2026-02-03T12:00:00.000Z'],
    ['MONTH', 1, '2026-01-31T12:00:00.000Z', '2026-02-28T12:00:00.000Z'],
    ['MONTH', 1, '2028-01-31T12:00:00.000Z', '2028-02-29T12:00:00.000Z'],
    ['MONTH', 2, '2026-01-31T12:00:00.000Z', '2026-03-31T12:00:00.000Z'],
    ['MONTH', 3, '2026-01-31T12:00:00.000Z', '2026-04-30T12:00:00.000Z'],
    ['MONTH', 1, '2026-12-31T23:59:59.999Z', '2027-01-31T23:59:59.999Z'],
    ['YEAR', 1, '2028-02-29T00:00:00.000Z', '2029-02-28T00:00:00.000Z'],
    ['YEAR', 4, '2028-02-29T00:00:00.000Z', '2032-02-29T00:00:00.000Z'],
    ['DAY', 1, '2026-03-29T00:30:00.000Z', '2026-03-30T00:30:00.000Z'],
  ])('%s times %d from %s until %s', async (sku, quantity, from, until) => {
    app.clock.set(from);
    expect(await spanOf(newPerson(), sku, quantity)).toEqual([from, until]);
  });

  it('as long as the offer says, beside units that are multiplied', async () => {
    const [batch] = await buy(app, newPerson(), 'CREDITS_MONTH', 3);
    expect(batch).toMatchObject({ granted: 30, expires_at: '2026-02-28T12:00:00.000Z' });
  });
});

describe('a chain of access', () => {
  it('goes on where the present access ends', async () => {
    const external_id = newPerson();
    await spanOf(external_id, 'DAY');
    expect(await spanOf(external_id, 'DAY')).toEqual(['2026-02-01T12:00:00.000Z', '2026-02-02T12:00:00.000Z']);
    expect(await spanOf(external_id, 'DAY')).toEqual(['2026-02-02T12:00:00.000Z', '2026-02-03T12:00:00.000Z']);
  });

  it('begins anew once the access has ended', async () => {
    const external_id = newPerson();
    await spanOf(external_id, 'DAY');
    app.clock.set('2026-02-01T12:00:00.000Z');
    expect(await spanOf(external_id, 'DAY')).toEqual(['2026-02-01T12:00:00.000Z', '2026-02-02T12:00:00.000Z']);
  });

  it('is not asked for by an offer that runs in parallel', async () => {
    const external_id = newPerson();
    await spanOf(external_id, 'DAY');
    expect(await spanOf(external_id, 'PARALLEL')).toEqual(['2026-01-31T12:00:00.000Z', '2026-02-10T12:00:00.000Z']);
    expect(await spanOf(external_id, 'DAY')).toEqual(['2026-02-10T12:00:00.000Z', '2026-02-11T12:00:00.000Z']);
  });

  it('goes on behind access that begins in the future', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'ACCESS', 1, {
      valid_from: '2026-03-01T00:00:00Z',
      expires_at: '2026-03-02T00:00:00Z',
    });
    expect(await spanOf(external_id, 'DAY')).toEqual(['2026-03-02T00:00:00.000Z', '2026-03-03T00:00:00.000Z']);
  });

  it('is one span for readers, from now to the end of the last', async () => {
    const external_id = newPerson();
    for (const sku of ['DAY', 'DAY', 'HOUR']) await buy(app, external_id, sku);
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.access).toEqual({ ACCESS: { until: '2026-02-02T13:00:00.000Z' } });
    const balance = await app.get(`/balance?external_id=${external_id}&feature=lounge`);
    expect(balance.body).toMatchObject({ can_use: true, remaining: null, expires_at: '2026-02-02T13:00:00.000Z' });
  });

  it('is made of lines of one order too', async () => {
    const external_id = newPerson();
    const { body: order } = await app.post('/orders', { external_id, items: [{ sku: 'DAY' }, { sku: 'HOUR' }] });
    const { body } = await app.post(`/orders/${order.id}/confirm`, { payment_id: newPayment() });
    expect(body.batches.map((batch: Json) => [batch.valid_from, batch.expires_at])).toEqual([
      ['2026-01-31T12:00:00.000Z', '2026-02-01T12:00:00.000Z'],
      ['2026-02-01T12:00:00.000Z', '2026-02-01T13:00:00.000Z'],
    ]);
  });

  it('is made of two orders that are paid at once', async () => {
    const external_id = newPerson();
    const orders = [await placeOrder(app, external_id, 'DAY'), await placeOrder(app, external_id, 'DAY')];
    const answers = await Promise.all(
      orders.map(({ id }) => app.post(`/orders/${id}/confirm`, { payment_id: newPayment() })),
    );
    expect(answers.map((answer) => answer.body.batches[0].expires_at).sort()).toEqual([
      '2026-02-01T12:00:00.000Z',
      '2026-02-02T12:00:00.000Z',
    ]);
  });
});

describe('a chain of months', () => {
  /** The ends of what is bought one after another. */
  async function endsOf(external_id: string, skus: readonly string[]): Promise<string[]> {
    const ends: string[] = [];
    for (const sku of skus) ends.push(String((await spanOf(external_id, sku))[1]).slice(0, 10));
    return ends;
  }
  const grantUntil = (external_id: string, valid_from: string, expires_at: string) =>
    grantUnits(app, external_id, 'ACCESS', 1, { valid_from, expires_at });

  it('ends on the day of its start again, where the month has it', async () => {
    const external_id = newPerson();
    const skus = Array.from({ length: 12 }, () => 'MONTH');
    const ends = await endsOf(external_id, skus);
    expect(ends.slice(0, 4)).toEqual(['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']);
    expect(ends.at(-1)).toBe('2027-01-31');
    expect(await spanOf(newPerson(), 'MONTH', 12)).toEqual(['2026-01-31T12:00:00.000Z', '2027-01-31T12:00:00.000Z']);
  });

  it('keeps the day across what was paid long before', async () => {
    const external_id = newPerson();
    await endsOf(external_id, ['MONTH']);
    app.clock.set('2026-02-20T00:00:00.000Z');
    expect(await endsOf(external_id, ['MONTH'])).toEqual(['2026-03-31']);
    app.clock.set('2026-03-10T00:00:00.000Z');
    expect(await endsOf(external_id, ['MONTH', 'YEAR'])).toEqual(['2026-04-30', '2027-04-30']);
    expect(await endsOf(external_id, ['MONTH'])).toEqual(['2027-05-31']);
  });

  it('of years from 29 February has it in leap years', async () => {
    app.clock.set('2028-02-29T00:00:00.000Z');
    const ends = await endsOf(newPerson(), ['YEAR', 'YEAR', 'YEAR', 'YEAR', 'MONTH']);
    expect(ends).toEqual(['2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29', '2032-03-29']);
  });

  it('behind access until 31 January is two months of one order or one of two', async () => {
    for (const [skus, quantity] of [
      [['MONTH', 'MONTH'], 1],
      [['MONTH'], 2],
    ] as const) {
      app.clock.set('2026-01-10T00:00:00.000Z');
      const external_id = newPerson();
      await grantUntil(external_id, '2026-01-10T00:00:00Z', '2026-01-31T00:00:00Z');
      let end: unknown;
      for (const sku of skus) [, end] = await spanOf(external_id, sku, quantity);
      expect(end).toBe('2026-03-31T00:00:00.000Z');
    }
  });

  it('goes on from a day of its own behind what lasts days', async () => {
    const external_id = newPerson();
    expect(await endsOf(external_id, ['MONTH', 'DAY', 'MONTH'])).toEqual(['2026-02-28', '2026-03-01', '2026-04-01']);
    expect(await endsOf(external_id, ['HOUR', 'MONTH'])).toEqual(['2026-04-01', '2026-05-01']);
  });

  it('begins anew, on the day of then, once the access has ended', async () => {
    const external_id = newPerson();
    await endsOf(external_id, ['MONTH']);
    app.clock.set('2026-02-28T12:00:00.000Z');
    expect(await endsOf(external_id, ['MONTH', 'MONTH'])).toEqual(['2026-03-28', '2026-04-28']);
  });

  it.each([
    ['whole months, the day of its start', '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z', '2026-03-31'],
    ['another time, the day of its end', '2026-01-31T12:00:00Z', '2026-02-28T12:00:01Z', '2026-03-28'],
    ['no month', '2026-02-05T00:00:00Z', '2026-02-28T00:00:00Z', '2026-03-28'],
  ])('behind access that was given for %s', async (_what, from, until, end) => {
    const external_id = newPerson();
    await grantUntil(external_id, from, until);
    expect(await endsOf(external_id, ['MONTH'])).toEqual([end]);
  });

  it('goes on behind the access that ends last; of two, behind the one that keeps the later day', async () => {
    const external_id = newPerson();
    await grantUntil(external_id, '2026-02-10T12:00:00Z', '2026-02-28T12:00:00Z');
    await grantUntil(external_id, '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z');
    await grantUntil(external_id, '2026-02-11T12:00:00Z', '2026-02-28T12:00:00Z');
    await grantUntil(external_id, '2026-02-11T12:00:00Z', '2026-02-27T12:00:00Z');
    expect(await endsOf(external_id, ['MONTH'])).toEqual(['2026-03-31']);
  });

  it('of one order keeps the day from line to line', async () => {
    const items = [{ sku: 'MONTH' }, { sku: 'MONTH' }, { sku: 'MONTH', quantity: 2 }];
    const { body: order } = await app.post('/orders', { external_id: newPerson(), items });
    const { body } = await app.post(`/orders/${order.id}/confirm`, { payment_id: newPayment() });
    expect(body.batches.map((batch: Json) => String(batch.expires_at).slice(0, 10))).toEqual([
      '2026-02-28',
      '2026-03-31',
      '2026-05-31',
    ]);
  });

  describe('that an older build made', () => {
    const forgetDays = (external_id: string, more = '') =>
      query(
        app.url,
        `UPDATE batches b SET anchor_day = NULL FROM identities i
         WHERE i.customer_id = b.customer_id AND i.external_id = '${external_id}' ${more}`,
      );

    it('has the day of its first start', async () => {
      const external_id = newPerson();
      await grantUntil(external_id, '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z');
      await grantUntil(external_id, '2026-02-28T12:00:00Z', '2026-03-28T12:00:00Z');
      await grantUntil(external_id, '2026-03-28T12:00:00Z', '2026-04-28T12:00:00Z');
      await forgetDays(external_id);
      expect(await endsOf(external_id, ['MONTH'])).toEqual(['2026-05-31']);
    });

    it('has it although the first have ended', async () => {
      const external_id = newPerson();
      await grantUntil(external_id, '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z');
      await grantUntil(external_id, '2026-02-28T12:00:00Z', '2026-03-28T12:00:00Z');
      await forgetDays(external_id);
      app.clock.set('2026-03-20T00:00:00.000Z');
      expect(await endsOf(external_id, ['MONTH'])).toEqual(['2026-04-30']);
    });

    it('has the day that a batch of it says', async () => {
      const external_id = newPerson();
      await endsOf(external_id, ['MONTH']);
      await grantUntil(external_id, '2026-02-28T12:00:00Z', '2026-03-28T12:00:00Z');
      await forgetDays(external_id, "AND b.valid_from > '2026-02-01'");
      expect(await endsOf(external_id, ['MONTH'])).toEqual(['2026-04-30']);
    });

    it('does not reach back over what lasted days, or over a gap', async () => {
      const days = newPerson();
      await endsOf(days, ['DAY', 'MONTH', 'MONTH']);
      await forgetDays(days);
      expect(await endsOf(days, ['MONTH'])).toEqual(['2026-05-01']);
      const gap = newPerson();
      await grantUntil(gap, '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z');
      await grantUntil(gap, '2026-02-28T12:00:01Z', '2026-03-28T12:00:01Z');
      await forgetDays(gap);
      expect(await endsOf(gap, ['MONTH'])).toEqual(['2026-04-28']);
    });
  });
});

describe('a gap', () => {
  it('ends the access of now for wallet and balance alike', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'DAY');
    const later = { valid_from: '2026-03-01T00:00:00Z', expires_at: '2026-04-01T00:00:00Z' };
    await grantUnits(app, external_id, 'ACCESS', 1, later);
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.access).toEqual({ ACCESS: { until: '2026-02-01T12:00:00.000Z' } });
    const balance = await app.get(`/balance?external_id=${external_id}&product_key=ACCESS`);
    expect(balance.body.expires_at).toBe('2026-02-01T12:00:00.000Z');
  });
});

describe('access that never ends', () => {
  it.each([
    ['LIFE', 'LIFETIME'],
    ['FOR_EVER', 'ACCESS'],
  ])('by %s shows no end', async (sku, product) => {
    const external_id = newPerson();
    expect(await spanOf(external_id, sku)).toEqual(['2026-01-31T12:00:00.000Z', null]);
    const wallet = await app.get(`/wallet?external_id=${external_id}`);
    expect(wallet.body.access).toEqual({ [product]: { until: null } });
    const balance = await app.get(`/balance?external_id=${external_id}&product_key=${product}`);
    expect(balance.body).toMatchObject({ can_use: true, remaining: null, expires_at: null });
  });

  it.each(['LIFE', 'FOR_EVER'])('is not sold twice: %s', async (sku) => {
    const external_id = newPerson();
    await buy(app, external_id, sku);
    const answer = await app.post('/orders', { external_id, items: [{ sku }] });
    expectProblem(answer, 409, 'already_unlimited', '/items/0/sku');
  });

  it('is not extended by an offer that ends', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'FOR_EVER');
    const answer = await app.post('/orders', { external_id, items: [{ sku: 'DAY' }] });
    expectProblem(answer, 409, 'already_unlimited', '/items/0/sku');
  });

  it('does not stand against access that runs in parallel', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'FOR_EVER');
    expect(await spanOf(external_id, 'PARALLEL')).toEqual(['2026-01-31T12:00:00.000Z', '2026-02-10T12:00:00.000Z']);
  });

  it('is granted in parallel when it was ordered twice before the first was paid', async () => {
    const external_id = newPerson();
    const orders = [await placeOrder(app, external_id, 'LIFE'), await placeOrder(app, external_id, 'LIFE')];
    for (const { id } of orders) {
      const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
      expect(answer.body.batches).toMatchObject([{ valid_from: '2026-01-31T12:00:00.000Z', expires_at: null }]);
    }
  });

  it('takes an order in parallel that was placed before, and ends', async () => {
    const external_id = newPerson();
    const { id } = await placeOrder(app, external_id, 'DAY');
    await buy(app, external_id, 'FOR_EVER');
    const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
    expect(answer.body.batches).toMatchObject([
      { valid_from: '2026-01-31T12:00:00.000Z', expires_at: '2026-02-01T12:00:00.000Z' },
    ]);
  });
});

describe('a validity beyond the year 9999', () => {
  it('is not ordered', async () => {
    const items = [{ sku: 'CENTURIES', quantity: 2 }];
    const answer = await app.post('/orders', { external_id: newPerson(), items });
    expectProblem(answer, 409, 'quantity_too_large', '/items/0/quantity');
  });

  it('is not granted', async () => {
    const answer = await app.post('/grants', {
      external_id: newPerson(),
      grant_type: 'bonus',
      sku: 'CENTURIES',
      quantity: 2,
    });
    expectProblem(answer, 409, 'quantity_too_large', '/quantity');
  });
});
