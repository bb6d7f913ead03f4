// Units that come back, and debts, at once: no more comes back than was taken, and what is owed is repaid to the unit.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { grantUnits, putProduct, useTestApp } from '../support/app.js';
import {
  customerIdOf,
  holdCustomers,
  send,
  sendTogether,
  tally,
  untilWaiting,
  useSecondApp,
  withStatus,
} from '../support/parallel.js';
import { countTransactions, endowBlockers, holdLanes, sendInOrder } from '../support/shared-transactions.js';

const app = useTestApp();
const second = useSecondApp(app);
const clientOf = (index: number) => (index % 2 ? app : second);

beforeAll(async () => {
  await putProduct(app, 'STARS', { is_currency: true, features: [{ feature: 'draw', unit_cost: 2 }] });
  await putProduct(app, 'INK', { features: [{ feature: 'draw', unit_cost: 3 }] });
  await endowBlockers(app, 'STARS');
});

const credits = (externalId: string, amount: number) => ({ external_id: externalId, product_key: 'STARS', amount });

/** Takes units and gives the operation's id. */
async function take(externalId: string, amount: number, subject: object = { product_key: 'STARS' }): Promise<string> {
  const answer = await app.post('/quota/consume', { external_id: externalId, amount, ...subject });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.operation_id;
}

/** A customer with 10 units, all of them taken by the operation whose id it gives. */
async function takeTen(externalId: string): Promise<string> {
  await grantUnits(app, externalId, 'STARS', 10);
  return take(externalId, 10);
}

async function creditsOf(externalId: string, client: Pick<typeof app, 'get'> = app) {
  const answer = await client.get(`/credits/balance?external_id=${externalId}&product_key=STARS`);
  expect(answer.status, answer.text).toBe(200);
  const { balance, available, held, owed } = answer.body;
  return { balance, available, held, owed };
}

const sumOf = (answers: readonly Response[], member: string): number =>
  answers.reduce((sum, answer) => sum + answer.body[member], 0);

const textsOf = (answers: readonly Response[]) => new Set(answers.map((answer) => answer.text));

describe('20 give-backs of 1 at once of a use of 10', () => {
  it('give back all 10 and refuse 10, over two apps', async () => {
    const operation_id = await takeTen('crowd');
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: 1 }),
    );
    expect(tally(answers)).toEqual({ '200': 10, '409 release_exceeds_usage': 10 });
    const remaining = withStatus(answers, 200).map((answer) => answer.body.remaining);
    expect(remaining.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(await creditsOf('crowd')).toEqual({ balance: 10, available: 10, held: 0, owed: 0 });
  });

  it('give back once under one key, with the same bytes', async () => {
    const operation_id = await takeTen('keyed');
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: 4 }, { 'idempotency-key': 'k' }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    expect(textsOf(answers).size).toBe(1);
    expect(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true')).toHaveLength(19);
    expect(await creditsOf('keyed')).toEqual({ balance: 4, available: 4, held: 0, owed: 0 });
  });
});

describe('give-backs of different amounts at once', () => {
  it('come to no more than was taken', async () => {
    const operation_id = await takeTen('amounts');
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: (Math.floor(index / 2) % 4) + 1 }),
    );
    const returned = sumOf(withStatus(answers, 200), 'returned');
    expect(returned).toBeLessThanOrEqual(10);
    expect(await creditsOf('amounts')).toMatchObject({ available: returned });
    const refused = withStatus(answers, 409);
    expect(refused).toHaveLength(20 - withStatus(answers, 200).length);
    expect(refused.filter(({ body }) => body.requested <= body.available)).toEqual([]);
  });

  it('give back all that is left once, when none says how much', async () => {
    const operation_id = await takeTen('all');
    const answers = await sendTogether(12, (index) => clientOf(index).post('/quota/release', { operation_id }));
    expect(tally(answers)).toEqual({ '200': 1, '409 release_exceeds_usage': 11 });
    expect(await creditsOf('all')).toMatchObject({ available: 10 });
  });

  it('give back whole units of a feature that two products paid for, each once', async () => {
    await grantUnits(app, 'two-products', 'INK', 9);
    await grantUnits(app, 'two-products', 'STARS', 8);
    const operation_id = await take('two-products', 7, { feature: 'draw' });
    const answers = await sendTogether(14, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: 1 }),
    );
    expect(tally(answers)).toEqual({ '200': 7, '409 release_exceeds_usage': 7 });
    const { body } = await app.get('/wallet?external_id=two-products');
    expect(body.balances).toEqual({ INK: 9, STARS: 8 });
  });

  it('and uses of what came back take and return every unit once', async () => {
    const operation_id = await takeTen('to-and-fro');
    const answers = await sendTogether(40, (index) =>
      Math.floor(index / 2) % 2
        ? clientOf(index).post('/quota/release', { operation_id, amount: 1 })
        : clientOf(index).post('/quota/consume', credits('to-and-fro', 1)),
    );
    const returned = withStatus(answers, 200).filter((answer) => answer.body.returned === 1).length;
    const taken = withStatus(answers, 200).filter((answer) => answer.body.taken).length;
    expect(returned).toBe(10);
    expect(withStatus(answers, 409)).toHaveLength(10);
    expect(taken + withStatus(answers, 402).length).toBe(20);
    expect(await creditsOf('to-and-fro')).toMatchObject({ available: 10 - taken });
  });
});

describe('a give-back that waited for the lock', () => {
  it('finds what another one gave back meanwhile', async () => {
    const operation_id = await takeTen('waited');
    const held = await holdCustomers(app.url, await customerIdOf(app, 'waited'));
    const first = send(second.post('/quota/release', { operation_id, amount: 7 }));
    await untilWaiting(app.url, 1);
    const next = send(app.post('/quota/release', { operation_id, amount: 7 }));
    await untilWaiting(app.url, 2);
    await held.rollback();
    expect(tally(await Promise.all([first, next]))).toEqual({ '200': 1, '409 release_exceeds_usage': 1 });
    expect(await creditsOf('waited')).toMatchObject({ available: 7 });
  });
});

describe('give-backs in one shared transaction', () => {
  it('count those before them', async () => {
    const operation_id = await takeTen('together');
    const gate = await holdLanes(app.url, app, 'STARS');
    const pending = await sendInOrder(
      app.app,
      [4, 5, 2, 1, 1].map((amount) => app.post('/quota/release', { operation_id, amount })),
    );
    await gate.rollback();
    const answers = await Promise.all(pending);
    expect(answers.map(({ status, body }) => [status, status === 200 ? body.remaining : body.available])).toEqual([
      [200, 4],
      [200, 9],
      [409, 1],
      [200, 10],
      [409, 0],
    ]);
    expect(await countTransactions(app.url, ['together'], ['quota.release'])).toBe(1);
  });
});

describe('20 deducts that may overdraw, and 20 additions, at once', () => {
  it('come to exact sums, and nobody ever owes while he has some', async () => {
    await grantUnits(app, 'overdrawn', 'STARS', 7);
    const amountOf = (index: number) => (index % 6) + 1;
    let isDone = false;
    const moving = sendTogether(40, (index) =>
      index % 4 < 2
        ? clientOf(index).post('/credits/deduct', { ...credits('overdrawn', amountOf(index)), allow_negative: true })
        : clientOf(index).post('/credits/add', credits('overdrawn', amountOf(index))),
    ).finally(() => {
      isDone = true;
    });
    const seen: Awaited<ReturnType<typeof creditsOf>>[] = [];
    while (!isDone) {
      seen.push(await creditsOf('overdrawn', clientOf(seen.length)));
      await nextTurn();
    }
    const answers = await moving;
    expect(tally(answers)).toEqual({ '200': 20, '201': 20 });
    expect(seen.filter(({ owed, available }) => owed > 0 && available > 0)).toEqual([]);
    expect(seen.filter(({ owed, available, balance }) => balance !== available - owed)).toEqual([]);
    const deducted = sumOf(withStatus(answers, 200), 'amount');
    const added = sumOf(withStatus(answers, 201), 'amount');
    const balance = 7 + added - deducted;
    expect(await creditsOf('overdrawn')).toEqual({
      balance,
      available: Math.max(0, balance),
      held: 0,
      owed: Math.max(0, -balance),
    });
    const owed = sumOf(withStatus(answers, 200), 'owed') - sumOf(withStatus(answers, 201), 'repaid');
    expect(owed).toBe(Math.max(0, -balance));
  });

  it('go down one by one when nothing is added', async () => {
    const answers = await sendTogether(20, (index) =>
      clientOf(index).post('/credits/deduct', { ...credits('debtor', 1), allow_negative: true }),
    );
    expect(tally(answers)).toEqual({ '200': 20 });
    const balances = answers.map((answer) => answer.body.balance).sort((a, b) => b - a);
    expect(balances).toEqual(Array.from({ length: 20 }, (_, index) => -1 - index));
    expect(await creditsOf('debtor')).toEqual({ balance: -20, available: 0, held: 0, owed: 20 });
  });
});

describe('a give-back of an overdraft and an addition at once', () => {
  it('forgive or repay the debt, never both (12 rounds)', async () => {
    for (let round = 0; round < 12; round += 1) {
      const person = `forgiven-${round}`;
      await grantUnits(app, person, 'STARS', 4);
      const deducted = await app.post('/credits/deduct', { ...credits(person, 10), allow_negative: true });
      const { operation_id } = deducted.body;
      const [added, back] = await Promise.all([
        send(clientOf(round).post('/credits/add', credits(person, 6))),
        send(clientOf(Math.floor(round / 2)).post('/quota/release', { operation_id, amount: 10 })),
      ]);
      const standing = await creditsOf(person);
      expect([
        { outcome: tally([added, back]), repaid: 0, balance: 10 },
        { outcome: { '201': 1, '409 not_reversible': 1 }, repaid: 6, balance: 0 },
      ]).toContainEqual({ outcome: tally([added, back]), repaid: added.body.repaid, balance: standing.balance });
      expect(standing).toMatchObject({ available: standing.balance, owed: 0 });
    }
  });

  it('forgives no more than is still owed', async () => {
    const deducted = await app.post('/credits/deduct', { ...credits('partly', 10), allow_negative: true });
    const { operation_id } = deducted.body;
    await app.post('/credits/add', credits('partly', 7));
    const answers = await sendTogether(6, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: 1 }),
    );
    expect(tally(answers)).toEqual({ '200': 3, '409 not_reversible': 3 });
    expect(await creditsOf('partly')).toEqual({ balance: 0, available: 0, held: 0, owed: 0 });
  });
});

describe('units that come back to a batch that has ended', () => {
  it('expire, each once, when many ask', async () => {
    const end = new Date(app.clock.now().getTime() + 60_000).toISOString();
    await grantUnits(app, 'ended', 'STARS', 10, { expires_at: end });
    const operation_id = await take('ended', 10);
    app.clock.set(end);
    const answers = await sendTogether(8, (index) =>
      clientOf(index).post('/quota/release', { operation_id, amount: 2 }),
    );
    expect(tally(answers)).toEqual({ '200': 5, '409 release_exceeds_usage': 3 });
    expect(sumOf(withStatus(answers, 200), 'expired')).toBe(10);
    const { body } = await app.get('/wallet/batches?external_id=ended');
    expect(body.data).toMatchObject([{ available: 0, consumed: 0, expired: 10 }]);
  });
});
