// Many consumes of one customer at once: what is there is taken exactly once, and a key has one effect.
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import {
  ask,
  balanceOf,
  customerIdOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
  withStatus,
} from '../support/parallel.js';

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
});

const consume = (externalId: string, amount: number) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
});

const countOf = async (sql: string, customerId: string): Promise<number> =>
  Number((await ask(app.url, `SELECT count(*) FROM ${sql}`, [customerId]))[0]?.count);

describe('100 consumes of 1 at once on 60 units', () => {
  it('take all 60 and refuse 40', async () => {
    await grantUnits(app, 'crowd', 'CREDITS', 60);
    const answers = await sendTogether(100, () => app.post('/quota/consume', consume('crowd', 1)));
    expect(tally(answers)).toEqual({ '200': 60, '402 insufficient_quota': 40 });
    expect(await balanceOf(app, 'crowd', 'CREDITS')).toBe(0);
  });

  it('see the balance go down one by one', async () => {
    await grantUnits(app, 'steps', 'CREDITS', 60);
    const answers = await sendTogether(100, () => app.post('/quota/consume', consume('steps', 1)));
    const remaining = withStatus(answers, 200).map((answer) => answer.body.remaining);
    expect(remaining.sort((a, b) => b - a)).toEqual(Array.from({ length: 60 }, (_, index) => 59 - index));
  });

  it('take all 60 when two apps share the work', async () => {
    await grantUnits(app, 'shared', 'CREDITS', 60);
    const answers = await sendTogether(100, (index) =>
      (index % 2 ? app : second).post('/quota/consume', consume('shared', 1)),
    );
    expect(tally(answers)).toEqual({ '200': 60, '402 insufficient_quota': 40 });
    expect(await balanceOf(app, 'shared', 'CREDITS')).toBe(0);
  });
});

describe('consumes of different amounts at once', () => {
  it('never take more than there is from several batches', async () => {
    for (const quantity of [7, 11, 13]) await grantUnits(app, 'several', 'CREDITS', quantity);
    const amounts = Array.from({ length: 30 }, (_, index) => (index % 4) + 1);
    const answers = await sendTogether(30, (index) =>
      app.post('/quota/consume', consume('several', amounts[index] as number)),
    );
    const taken = withStatus(answers, 200).reduce((sum, answer) => sum + answer.body.amount, 0);
    expect(await balanceOf(app, 'several', 'CREDITS')).toBe(31 - taken);
    expect(withStatus(answers, 402)).toHaveLength(30 - withStatus(answers, 200).length);
  });
});

describe('30 consumes with one key at once', () => {
  it('take units once and answer the same bytes', async () => {
    await grantUnits(app, 'keyed', 'CREDITS', 100);
    const answers = await sendTogether(30, () =>
      app.post('/quota/consume', consume('keyed', 3), { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '200': 30 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(29);
    expect(await balanceOf(app, 'keyed', 'CREDITS')).toBe(97);
  });

  it('take units once over two apps, all of which wait for the lock at first', async () => {
    await grantUnits(app, 'keyed-twice', 'CREDITS', 100);
    const held = await holdCustomers(app.url, await customerIdOf(app, 'keyed-twice'));
    const pending = [app, second].map((client) =>
      send(client.post('/quota/consume', consume('keyed-twice', 3), { 'idempotency-key': 'k' })),
    );
    await untilWaiting(app.url, 2);
    await held.rollback();
    const [one, other] = await Promise.all(pending);
    expect([one?.status, other?.status]).toEqual([200, 200]);
    expect(one?.text).toBe(other?.text);
    expect(await balanceOf(app, 'keyed-twice', 'CREDITS')).toBe(97);
  });

  it('let one of two bodies win', async () => {
    await grantUnits(app, 'two-bodies', 'CREDITS', 100);
    const answers = await sendTogether(20, (index) =>
      app.post('/quota/consume', consume('two-bodies', (index % 2) + 1), { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '200': 10, '422 idempotency_key_reused': 10 });
    const [taken, ...others] = new Set(withStatus(answers, 200).map((answer) => answer.body.amount));
    expect(others).toEqual([]);
    expect(await balanceOf(app, 'two-bodies', 'CREDITS')).toBe(100 - taken);
  });

  it('keep apart what another operation or customer does under it', async () => {
    await grantUnits(app, 'one', 'CREDITS', 10);
    await grantUnits(app, 'two', 'CREDITS', 10);
    const key = { 'idempotency-key': 'the-same' };
    const answers = await Promise.all([
      app.post('/quota/consume', consume('one', 1), key),
      app.post('/quota/consume', consume('two', 1), key),
      app.post('/grants', { external_id: 'one', grant_type: 'bonus', product_key: 'CREDITS', quantity: 5 }, key),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 201]);
    expect(answers.map((answer) => answer.headers['idempotent-replayed'])).toEqual([undefined, undefined, undefined]);
    expect([await balanceOf(app, 'one', 'CREDITS'), await balanceOf(app, 'two', 'CREDITS')]).toEqual([14, 9]);
  });
});

describe('a refused consume', () => {
  it('writes neither operation nor entry, however many come at once', async () => {
    const customerId = await customerIdOf(app, 'poor');
    const answers = await sendTogether(20, () =>
      app.post('/quota/consume', consume('poor', 1), { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '402 insufficient_quota': 20 });
    expect(await countOf('operations WHERE customer_id = $1', customerId)).toBe(0);
    expect(await countOf('entries WHERE customer_id = $1', customerId)).toBe(0);
  });

  it('does not use up its key', async () => {
    await sendTogether(5, () => app.post('/quota/consume', consume('later', 4), { 'idempotency-key': 'k' }));
    await grantUnits(app, 'later', 'CREDITS', 10);
    const answers = await sendTogether(5, () =>
      app.post('/quota/consume', consume('later', 4), { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '200': 5 });
    expect(await balanceOf(app, 'later', 'CREDITS')).toBe(6);
  });
});
