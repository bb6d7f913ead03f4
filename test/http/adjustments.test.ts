// Adjustments: an operator gives units or takes them away, with a reason; and the list of what was given without payment.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { itHonoursIdempotencyKeys } from '../support/idempotency.js';
import { buy, expectProblem, itNeedsAToken, newPerson, readPages, writtenBy } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'TOKENS');
  await putProduct(app, 'ACCESS', { type: 'period' });
  await putOffer(app, 'PACK', 'CREDITS', 10, { trial_policy: {} });
  await putOffer(app, 'TWO_LINES', 'CREDITS', 1, {
    items: [
      { product_key: 'CREDITS', quantity: 1 },
      { product_key: 'ACCESS', period_unit: 'days', period_value: 1 },
    ],
  });
});

const adjust = (external_id: string, more: Json = {}) =>
  app.post('/grants', { external_id, grant_type: 'adjustment', product_key: 'CREDITS', reason: 'count', ...more });
const takeAway = (external_id: string, quantity: number, more: Json = {}) =>
  adjust(external_id, { direction: 'debit', quantity, ...more });
const balancesOf = async (external_id: string) => (await app.get(`/wallet?external_id=${external_id}`)).body.balances;

describe('an adjustment that gives', () => {
  it('makes a batch that keeps the reason', async () => {
    const external_id = newPerson();
    const answer = await adjust(external_id, { quantity: 5, metadata: { ticket: 9 } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ grant_type: 'adjustment', products: ['CREDITS'], metadata: { ticket: 9 } });
    expect(answer.body).not.toHaveProperty('taken');
    expect(answer.body.batches).toMatchObject([
      { source: 'adjustment', granted: 5, available: 5, metadata: { ticket: 9, reason: 'count' } },
    ]);
  });

  it('gives what an offer gives', async () => {
    const external_id = newPerson();
    await adjust(external_id, { product_key: undefined, sku: 'pack', quantity: 3 });
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 30 });
  });
});

describe('an adjustment that takes away', () => {
  it('revokes units in the order in which they are used', async () => {
    const external_id = newPerson();
    const last = await grantUnits(app, external_id, 'CREDITS', 10, { priority: 1 });
    const first = await grantUnits(app, external_id, 'CREDITS', 4, { expires_at: '2026-02-10T00:00:00Z' });
    const answer = await takeAway(external_id, 6, { metadata: { ticket: 10 } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      grant_type: 'adjustment',
      batches: [],
      products: [],
      taken: [
        { batch_id: first, product_key: 'CREDITS', amount: 4 },
        { batch_id: last, product_key: 'CREDITS', amount: 2 },
      ],
      metadata: { ticket: 10 },
    });
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 8 });
    const batches = await app.get(`/wallet/batches?external_id=${external_id}`);
    const parts = Object.fromEntries(
      batches.body.data.map((batch: Json) => [batch.id, [batch.available, batch.revoked, batch.consumed]]),
    );
    expect(parts).toEqual({ [first]: [0, 4, 0], [last]: [8, 2, 0] });
  });

  it('writes revoke entries with the reason, and no use', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    const { body } = await takeAway(external_id, 3, { metadata: { ticket: 11 } });
    const entries = await app.get(`/wallet/entries?external_id=${external_id}&kind=revoke`);
    expect(entries.body.data).toMatchObject([
      {
        direction: 'debit',
        amount: 3,
        balance_after: 7,
        action_type: 'adjustment',
        operation_id: body.operation_id,
        metadata: { ticket: 11, reason: 'count' },
      },
    ]);
    expect((await app.get(`/wallet/entries?external_id=${external_id}&kind=consume`)).body.data).toEqual([]);
  });

  it('takes all or nothing', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    const written = await writtenBy(app, async () => {
      const answer = await takeAway(external_id, 6);
      expectProblem(answer, 402, 'insufficient_quota');
      expect(answer.body).toMatchObject({
        requested: 6,
        available: 5,
        reasons: [{ code: 'insufficient_quota' }],
        upgrade_skus: [],
      });
    });
    expect(written).toEqual({});
  });

  it('takes the last unit', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5);
    expect((await takeAway(external_id, 5)).status).toBe(201);
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 0 });
  });

  it('takes no units that are not valid yet, or no longer', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { valid_from: '2026-03-01T00:00:00Z' });
    await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00Z' });
    app.clock.set('2026-02-01T00:00:00Z');
    const answer = await takeAway(external_id, 1);
    expectProblem(answer, 402, 'insufficient_quota');
    expect(answer.body.available).toBe(0);
  });

  it('takes nothing of another product, nor of another customer', async () => {
    const [external_id, other] = [newPerson(), newPerson()];
    await grantUnits(app, external_id, 'TOKENS', 5);
    await grantUnits(app, other, 'CREDITS', 5);
    expectProblem(await takeAway(external_id, 1), 402, 'insufficient_quota');
    expect(await balancesOf(other)).toEqual({ CREDITS: 5 });
  });

  it('lets one of two through when there is enough for one', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 3);
    const answers = await Promise.all([1, 2].map(() => takeAway(external_id, 2)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([201, 402]);
    expect(await balancesOf(external_id)).toEqual({ CREDITS: 1 });
  });

  it('takes bought units too, and the order stays as it is', async () => {
    const external_id = newPerson();
    const [batch] = await buy(app, external_id, 'PACK');
    await takeAway(external_id, 10);
    expect((await app.get(`/orders/${batch?.order_id}`)).body.status).toBe('paid');
  });

  it('is for counted products', async () => {
    const answer = await takeAway(newPerson(), 1, { product_key: 'ACCESS' });
    expectProblem(answer, 400, 'invalid_request', '/product_key');
  });

  it('does not know a product that nobody made', async () => {
    const answer = await takeAway(newPerson(), 1, { product_key: 'NOSUCH' });
    expectProblem(answer, 404, 'product_not_found', '/product_key');
  });

  describe('with a key', () => {
    itHonoursIdempotencyKeys(app, async () => {
      const external_id = newPerson();
      await grantUnits(app, external_id, 'CREDITS', 10);
      const body = { external_id, grant_type: 'adjustment', direction: 'debit', product_key: 'CREDITS', reason: 'r' };
      return { path: '/grants', body: { ...body, quantity: 2 }, other: { quantity: 3 } };
    });
  });
});

describe('POST /grants of an adjustment', () => {
  it.each<[string, Json, string]>([
    ['no reason', { reason: undefined }, '/reason'],
    ['an empty reason', { reason: '' }, '/reason'],
    ['a reason of null', { reason: null }, '/reason'],
    ['another direction', { direction: 'up' }, '/direction'],
    ['an offer to take away', { direction: 'debit', product_key: undefined, sku: 'PACK' }, '/sku'],
    ['neither SKU nor product', { product_key: undefined }, '/sku'],
    ['both', { sku: 'PACK' }, '/sku'],
    ['a quantity of 0', { quantity: 0 }, '/quantity'],
    ['a negative quantity', { quantity: -1, direction: 'debit' }, '/quantity'],
    ['a source id', { source_id: 's' }, '/source_id'],
    ['an override', { override: true }, '/override'],
    ['no selector', { external_id: undefined }, '/customer_id'],
    ['another type of grant', { grant_type: 'gift' }, '/grant_type'],
    ['no type of grant', { grant_type: undefined }, '/grant_type'],
  ])('refuses %s, and does not even create the customer', async (_case, more, pointer) => {
    const written = await writtenBy(app, async () => {
      expectProblem(await adjust(newPerson(), more), 400, 'invalid_request', pointer);
    });
    expect(written).toEqual({});
  });

  it.each(['bonus', 'migration'])('is the only grant that takes away: not a %s', async (grant_type) => {
    const answer = await takeAway(newPerson(), 1, { grant_type, source_id: grant_type === 'bonus' ? undefined : 's' });
    expectProblem(answer, 400, 'invalid_request', '/direction');
  });

  itNeedsAToken(app, 'post', '/grants');
});

describe('GET /grants', () => {
  it('lists what was given without payment, newest first, and nothing that was bought', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'PACK');
    await app.post('/grants', { external_id, grant_type: 'trial', sku: 'PACK' });
    app.clock.advance({ seconds: 1 });
    const migrated = { external_id, grant_type: 'migration', product_key: 'TOKENS', quantity: 7, source_id: 'l-1' };
    await app.post('/grants', migrated);
    app.clock.advance({ seconds: 1 });
    const bonus = await app.post('/grants', { external_id, grant_type: 'bonus', sku: 'TWO_LINES' });
    const answer = await app.get(`/grants?external_id=${external_id}`);
    expect(answer.status).toBe(200);
    expect(answer.body.next_cursor).toBeNull();
    expect(answer.body.data.map((grant: Json) => [grant.grant_type, grant.products])).toEqual([
      ['bonus', ['CREDITS', 'ACCESS']],
      ['migration', ['TOKENS']],
      ['trial', ['CREDITS']],
    ]);
    expect(answer.body.data[0]).toMatchObject({
      operation_id: bonus.body.operation_id,
      batches: bonus.body.batches,
      created_at: '2026-01-31T12:00:02.000Z',
    });
  });

  it('shows batches as they are now', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00Z' });
    app.clock.set('2026-02-02T00:00:00Z');
    const answer = await app.get(`/grants?external_id=${external_id}`);
    expect(answer.body.data[0].batches).toMatchObject([{ granted: 5, available: 0, expired: 5, state: 'expired' }]);
  });

  it('pages through grants of one instant, each once, whole, also while others are made', async () => {
    const external_id = newPerson();
    for (let index = 0; index < 5; index += 1) {
      await app.post('/grants', { external_id, grant_type: 'bonus', sku: 'TWO_LINES' });
    }
    const first = await app.get(`/grants?external_id=${external_id}&limit=2`);
    app.clock.advance({ seconds: 1 });
    await app.post('/grants', { external_id, grant_type: 'bonus', sku: 'TWO_LINES' });
    const rest = await app.get(`/grants?external_id=${external_id}&limit=3&cursor=${first.body.next_cursor}`);
    const seen = [...first.body.data, ...rest.body.data];
    expect(new Set(seen.map((grant: Json) => grant.operation_id)).size).toBe(5);
    expect(seen.map((grant: { batches: Json[] }) => grant.batches.length)).toEqual([2, 2, 2, 2, 2]);
    expect(rest.body.next_cursor).toBeNull();
    const pages = await readPages(app, `/grants?external_id=${external_id}`, 4);
    expect(pages.map((page) => page.length)).toEqual([4, 2]);
  });

  it('is empty for a customer who was given nothing', async () => {
    const external_id = newPerson();
    await buy(app, external_id, 'PACK');
    expect((await app.get(`/grants?external_id=${external_id}`)).body).toEqual({ data: [], next_cursor: null });
  });

  it('does not know a stranger, and does not create him', async () => {
    const written = await writtenBy(app, async () => {
      expectProblem(await app.get(`/grants?external_id=${newPerson()}`), 404, 'customer_not_found');
    });
    expect(written).toEqual({});
  });

  it.each([
    ['nobody', 'limit=1', 'query/customer_id'],
    ['a limit of 0', 'external_id=x&limit=0', 'query/limit'],
    ['a limit of 201', 'external_id=x&limit=201', 'query/limit'],
    ['a cursor of its own making', 'external_id=x&cursor=abc', 'query/cursor'],
    ['a parameter it does not know', 'external_id=x&type=trial', 'query/type'],
  ])('refuses %s', async (_case, query, pointer) => {
    expectProblem(await app.get(`/grants?${query}`), 400, 'invalid_request', pointer);
  });

  itNeedsAToken(app, 'get', '/grants?external_id=x');
});
