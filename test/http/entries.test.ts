// The ledger as a customer's list: order, filters, pages.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, type Json, putOffer, putProduct, useTestApp } from '../support/app.js';
import { buy, expectProblem, newPerson, readPages } from '../support/requests.js';

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await putProduct(app, 'OTHER');
  await putOffer(app, 'PACK', 'CREDITS', 100);
});

const consume = (external_id: string, amount: number, more: Json = {}) =>
  app.post('/quota/consume', { external_id, product_key: 'CREDITS', amount, ...more });

async function seqsOf(path: string): Promise<unknown[]> {
  const answer = await app.get(path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.data.map((entry: Json) => entry.seq);
}

describe('GET /wallet/entries', () => {
  it('tells that what expired is not in it yet, until something is written', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 10);
    await grantUnits(app, external_id, 'CREDITS', 5, { expires_at: '2026-02-01T00:00:00Z' });
    const read = async () => {
      const { body } = await app.get(`/wallet/entries?external_id=${external_id}`);
      return [body.settlement_pending, body.data.map((entry: Json) => entry.kind)];
    };
    expect(await read()).toEqual([false, ['grant', 'grant']]);
    app.clock.advance({ days: 2 });
    expect(await read()).toEqual([true, ['grant', 'grant']]);
    await consume(external_id, 1);
    expect(await read()).toEqual([false, ['consume', 'expire', 'grant', 'grant']]);
  });

  it('shows a purchase with its order and a use with what it was for', async () => {
    const external_id = newPerson();
    const [batch] = await buy(app, external_id, 'PACK');
    app.clock.advance({ seconds: 5 });
    const use = await consume(external_id, 30, { action_type: 'predict', action_id: 'p-1', metadata: { a: 1 } });
    const answer = await app.get(`/wallet/entries?external_id=${external_id}`);
    expect(answer.body.next_cursor).toBeNull();
    expect(answer.body.data).toEqual([
      {
        id: use.body.usage_id,
        seq: 2,
        kind: 'consume',
        direction: 'debit',
        product_key: 'CREDITS',
        batch_id: batch?.id,
        amount: 30,
        balance_after: 70,
        feature: null,
        action_type: 'predict',
        action_id: 'p-1',
        order_id: null,
        reservation_id: null,
        refund_id: null,
        dispute_id: null,
        reverses_seq: null,
        unit_cost: null,
        operation_id: use.body.operation_id,
        metadata: { a: 1 },
        occurred_at: '2026-01-31T12:00:05.000Z',
      },
      {
        id: expect.any(String),
        seq: 1,
        kind: 'grant',
        direction: 'credit',
        product_key: 'CREDITS',
        batch_id: batch?.id,
        amount: 100,
        balance_after: 100,
        feature: null,
        action_type: 'purchase',
        action_id: null,
        order_id: batch?.order_id,
        reservation_id: null,
        refund_id: null,
        dispute_id: null,
        reverses_seq: null,
        unit_cost: null,
        operation_id: expect.any(String),
        metadata: {},
        occurred_at: '2026-01-31T12:00:00.000Z',
      },
    ]);
  });

  it('shows access as granted once, without a quantity', async () => {
    await putProduct(app, 'ACCESS', { type: 'period' });
    const external_id = newPerson();
    const batch_id = await grantUnits(app, external_id, 'ACCESS', 1);
    const answer = await app.get(`/wallet/entries?external_id=${external_id}`);
    expect(answer.body.data).toMatchObject([
      { kind: 'grant', direction: 'none', batch_id, amount: 1, balance_after: 0, action_type: 'bonus' },
    ]);
  });

  it('is empty for a customer to whom nothing happened', async () => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const answer = await app.get(`/wallet/entries?external_id=${external_id}`);
    expect(answer.body).toEqual({ data: [], next_cursor: null, settlement_pending: false });
  });

  it('counts from 1 without gaps for each customer, refusals in between', async () => {
    const external_id = newPerson();
    await grantUnits(app, external_id, 'CREDITS', 2);
    await consume(external_id, 3);
    await consume(external_id, 1, { idempotency_key: 'k' });
    await consume(external_id, 1, { idempotency_key: 'k' });
    await consume(external_id, 1);
    expect(await seqsOf(`/wallet/entries?external_id=${external_id}`)).toEqual([3, 2, 1]);
  });

  it('gives pages that an insert does not shift', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 5; made += 1) await grantUnits(app, external_id, 'CREDITS', 1);
    const path = `/wallet/entries?external_id=${external_id}&limit=2`;
    const first = await app.get(path);
    await grantUnits(app, external_id, 'CREDITS', 1);
    expect(first.body.data.map((entry: Json) => entry.seq)).toEqual([5, 4]);
    expect(await seqsOf(`${path}&cursor=${first.body.next_cursor}`)).toEqual([3, 2]);
  });

  it('ends with a page that says so, also when it is full', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 4; made += 1) await grantUnits(app, external_id, 'CREDITS', 1);
    const pages = await readPages(app, `/wallet/entries?external_id=${external_id}`, 2);
    expect(pages.map((page) => page.map((entry) => entry.seq))).toEqual([
      [4, 3],
      [2, 1],
    ]);
  });

  describe('filters', () => {
    let path: string;
    let operation: string;

    beforeAll(async () => {
      const external_id = newPerson();
      path = `/wallet/entries?external_id=${external_id}`;
      await grantUnits(app, external_id, 'CREDITS', 10); // 1
      await grantUnits(app, external_id, 'CREDITS', 1, { priority: -1 }); // 2
      app.clock.set('2026-02-01T00:00:00.000Z');
      operation = (await consume(external_id, 3, { action_type: 'predict' })).body.operation_id; // 3 and 4
      await grantUnits(app, external_id, 'OTHER', 5, { expires_at: '2026-02-02T00:00:00Z' }); // 5
      app.clock.set('2026-02-05T00:00:00.000Z');
      await consume(external_id, 1); // 6 the expiry, 7
    });

    it.each([
      ['product_key=other', [6, 5]],
      ['product_key=UNKNOWN', []],
      ['kind=grant', [5, 2, 1]],
      ['kind=consume', [7, 4, 3]],
      ['kind=expire', [6]],
      ['action_type=predict', [4, 3]],
      ['action_type=bonus', [5, 2, 1]],
      ['from=2026-02-01T00:00:00Z', [7, 6, 5, 4, 3]],
      ['to=2026-02-01T00:00:00Z', [2, 1]],
      ['from=2026-02-02T00:00:00Z&to=2026-02-02T00:00:00.001Z', [6]],
      ['from=2026-02-02T01:00:00%2B01:00&kind=expire', [6]],
      ['from=2027-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', []],
      ['kind=consume&product_key=CREDITS&action_type=usage', [7]],
    ])('by %s', async (query, seqs) => {
      expect(await seqsOf(`${path}&${query}`)).toEqual(seqs);
    });

    it('by operation', async () => {
      expect(await seqsOf(`${path}&operation_id=${operation.toUpperCase()}`)).toEqual([4, 3]);
    });

    it('and pages together', async () => {
      const pages = await readPages(app, `${path}&kind=grant`, 2);
      expect(pages.map((page) => page.map((entry) => entry.seq))).toEqual([[5, 2], [1]]);
    });
  });

  it.each([
    ['kind=gift', 'query/kind'],
    ['operation_id=17', 'query/operation_id'],
    ['from=yesterday', 'query/from'],
    ['from=2026-02-30T00:00:00Z', 'query/from'],
    ['to=2026-02-30', 'query/to'],
    ['action_type=', 'query/action_type'],
    ['cursor=!', 'query/cursor'],
    ['limit=0', 'query/limit'],
    ['as_off=1', 'query/as_off'],
  ])('refuses ?%s', async (query, pointer) => {
    const external_id = newPerson();
    await app.post('/identify', { external_id });
    const answer = await app.get(`/wallet/entries?external_id=${external_id}&${query}`);
    expectProblem(answer, 400, 'invalid_request', pointer);
  });

  it('refuses the cursor of another list', async () => {
    const external_id = newPerson();
    for (let made = 0; made < 2; made += 1) await grantUnits(app, external_id, 'CREDITS', 1);
    const batches = await app.get(`/wallet/batches?external_id=${external_id}&limit=1`);
    const answer = await app.get(`/wallet/entries?external_id=${external_id}&cursor=${batches.body.next_cursor}`);
    expectProblem(answer, 400, 'invalid_request', 'query/cursor');
  });
});
