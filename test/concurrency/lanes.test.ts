// What the lanes promise: uses that wait together are one transaction, each with its own verdict, in the order of their arrival, and nobody
// pays for a neighbour. Run with many customers and with one customer per transaction.
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockCustomers } from '../../src/db/customers.js';
import { laneKeyOf } from '../../src/engine/lane-key.js';
import { grantUnits, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failWrites, gateCommits } from '../support/commit-faults.js';
import {
  ask,
  balanceOf,
  type Client,
  countWaiting,
  customerIdOf,
  holdCustomers,
  holdTransaction,
  send,
  tally,
  untilWaiting,
} from '../support/parallel.js';
import {
  clientOf,
  countTransactions,
  endowBlockers,
  holdLanes,
  poisonAction,
  sendAll,
  sendInOrder,
} from '../support/shared-transactions.js';

/** As many as there may be: hardly two customers share one. */
const LANE_KEYS = 4_096;
/** Connections of an app, half of which wait for locks at most. */
const POOL_SIZE = 16;
const WAITERS = `SELECT pid, query_start::text FROM pg_stat_activity
  WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;

const app = useTestApp();

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await endowBlockers(app, 'CREDITS');
});

const consume = (externalId: string, amount: number, more: Record<string, unknown> = {}) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
  ...more,
});

const namesOf = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

describe.each([{ laneKeys: 1 }, { laneKeys: LANE_KEYS }])(
  'a transaction of customers of one of $laneKeys keys',
  ({ laneKeys }) => {
    let running: Awaited<ReturnType<typeof startTestApp>>;
    let server: FastifyInstance;
    let client: Client;
    const named = (name: string) => `${name}-${laneKeys}`;

    beforeAll(async () => {
      running = await startTestApp(app.url, app.clock, undefined, { laneKeys });
      server = running.app;
      client = clientOf(server);
    });
    afterAll(() => running.close());

    const post = (externalId: string, amount: number, more?: Record<string, unknown>, key?: string) =>
      client.post(
        '/quota/consume',
        consume(externalId, amount, more),
        key === undefined ? {} : { 'idempotency-key': key },
      );

    /** Answers of requests that came in, in this order, while both lanes were held. */
    async function answersTogether(requests: Parameters<typeof sendInOrder>[1]) {
      const gate = await holdLanes(app.url, client, 'CREDITS');
      const pending = await sendInOrder(server, requests);
      await gate.rollback();
      return Promise.all(pending);
    }

    it('serves a hot customer and thirty others at once, each exactly', async () => {
      const hot = named('hot');
      const others = namesOf(named('other'), 30);
      await grantUnits(app, hot, 'CREDITS', 50);
      for (const other of others) await grantUnits(app, other, 'CREDITS', 10);
      const gate = await holdLanes(app.url, client, 'CREDITS');
      const pending = await sendAll(server, [
        ...Array.from({ length: 60 }, () => post(hot, 1)),
        ...others.flatMap((other, index) => [post(other, 1 + (index % 3)), post(other, 1)]),
      ]);
      await gate.rollback();
      const answers = await Promise.all(pending);
      expect(tally(answers.slice(0, 60))).toEqual({ '200': 50, '402 insufficient_quota': 10 });
      expect(tally(answers.slice(60))).toEqual({ '200': 60 });
      expect(await balanceOf(app, hot, 'CREDITS')).toBe(0);
      const left = await Promise.all(others.map((other) => balanceOf(app, other, 'CREDITS')));
      expect(left).toEqual(others.map((_, index) => 8 - (index % 3)));
      const transactions = await countTransactions(app.url, [hot, ...others]);
      const ids = await Promise.all([hot, ...others].map((name) => customerIdOf(app, name)));
      const keys = new Set(ids.map((id) => laneKeyOf({ config: { ...app.deps.config, laneKeys } }, id)));
      // of one key there may be some in either lane
      expect(transactions).toBeGreaterThanOrEqual(laneKeys === 1 ? 2 : keys.size);
      expect(transactions).toBeLessThanOrEqual(laneKeys === 1 ? 2 : ids.length);
    });

    it('decides the uses of a customer in the order of their arrival', async () => {
      const person = named('ordered');
      await grantUnits(app, person, 'CREDITS', 100);
      const answers = await answersTogether(Array.from({ length: 12 }, (_, index) => post(person, index + 1)));
      expect(answers.map((answer) => answer.body.remaining)).toEqual([99, 97, 94, 90, 85, 79, 72, 64, 55, 45, 34, 22]);
      expect(await countTransactions(app.url, [person])).toBe(1);
    });

    it('refuses some and takes from others, with what their predecessors left', async () => {
      const person = named('mixed');
      await grantUnits(app, person, 'CREDITS', 10);
      const answers = await answersTogether([6, 5, 3, 2, 1].map((amount) => post(person, amount)));
      expect(answers.map(({ status, body }) => [status, status === 200 ? body.remaining : body.available])).toEqual([
        [200, 4],
        [402, 4],
        [200, 1],
        [402, 1],
        [200, 0],
      ]);
      expect(await countTransactions(app.url, [person])).toBe(1);
    });

    it('takes units once for equal keys, and answers the same bytes', async () => {
      const person = named('keyed');
      await grantUnits(app, person, 'CREDITS', 10);
      const answers = await answersTogether([
        post(person, 1),
        ...Array.from({ length: 4 }, () => post(person, 3, {}, 'k')),
        post(person, 2, {}, 'k'),
        post(person, 1),
      ]);
      expect(tally(answers)).toEqual({ '200': 6, '422 idempotency_key_reused': 1 });
      const keyed = answers.slice(1, 5);
      expect(new Set(keyed.map((answer) => answer.text)).size).toBe(1);
      expect(keyed.map((answer) => answer.headers['idempotent-replayed'])).toEqual([undefined, 'true', 'true', 'true']);
      expect(answers.at(-1)?.body.remaining).toBe(5);
      expect(await countTransactions(app.url, [person])).toBe(1);
    });

    it.each([
      ['for good', '23514', '500 internal_error'],
      ['again and again', '40P01', '503 unavailable'],
    ])('fails one request that the database refuses %s, and none of its neighbours', async (_, sqlState, outcome) => {
      const person = named(`poisoned-${sqlState}`);
      const neighbours = namesOf(named(`neighbour-${sqlState}`), 10);
      for (const name of [person, ...neighbours]) await grantUnits(app, name, 'CREDITS', 10);
      await poisonAction(app.url, 'poison', sqlState);
      const answers = await answersTogether([
        post(person, 1),
        post(person, 2, { action_id: 'poison' }),
        post(person, 3),
        ...neighbours.map((neighbour) => post(neighbour, 1)),
      ]);
      expect(tally(answers)).toEqual({ '200': 12, [outcome]: 1 });
      expect(tally([answers[1] as (typeof answers)[number]])).toEqual({ [outcome]: 1 });
      expect(await balanceOf(app, person, 'CREDITS')).toBe(6);
      const left = await Promise.all(neighbours.map((neighbour) => balanceOf(app, neighbour, 'CREDITS')));
      expect(left).toEqual(neighbours.map(() => 9));
    });

    it('lets nobody wait for a customer who is locked elsewhere', async () => {
      const locked = named('locked');
      const others = namesOf(named('free'), 8);
      for (const name of [locked, ...others]) await grantUnits(app, name, 'CREDITS', 10);
      const held = await holdCustomers(app.url, await customerIdOf(app, locked));
      const waiting = await sendAll(
        server,
        [1, 2, 3].map((amount) => post(locked, amount)),
      );
      await untilWaiting(app.url, 1);
      const waiters = await ask(app.url, WAITERS);
      const answers = await Promise.all(others.map((other) => post(other, 1)));
      // nobody was answered because a wait ended
      expect(await ask(app.url, WAITERS)).toEqual(waiters);
      await held.rollback();
      const late = await Promise.all(waiting);
      expect(answers.map((answer) => answer.status)).toEqual(others.map(() => 200));
      expect(late.map((answer) => answer.status)).toEqual([200, 200, 200]);
      expect(await balanceOf(app, locked, 'CREDITS')).toBe(4);
    });
  },
);

describe('while uses of more customers wait for locks held elsewhere than the app has connections', () => {
  it('others are served', async () => {
    const locked = namesOf('locked-crowd', POOL_SIZE + 4);
    for (const name of [...locked, 'not-locked']) await grantUnits(app, name, 'CREDITS', 10);
    const held = await holdCustomers(app.url, ...(await Promise.all(locked.map((name) => customerIdOf(app, name)))));
    const waiting = locked.map((name) => send(app.post('/quota/consume', consume(name, 1))));
    await untilWaiting(app.url, 1, 'at least');
    const other = await app.post('/quota/consume', consume('not-locked', 1));
    expect(await countWaiting(app.url)).toBeLessThanOrEqual(POOL_SIZE / 2);
    await held.rollback();
    expect(tally(await Promise.all(waiting))).toEqual({ '200': locked.length });
    expect(other.status).toBe(200);
  });
});

describe('a use whose identity moves to another customer while it waits', () => {
  it('takes from the new customer', async () => {
    await grantUnits(app, 'moved', 'CREDITS', 10);
    await grantUnits(app, 'receiver', 'CREDITS', 20);
    const [from, to] = [await customerIdOf(app, 'moved'), await customerIdOf(app, 'receiver')];
    const held = await holdCustomers(app.url, from, to);
    const pending = send(app.post('/quota/consume', consume('moved', 1)));
    await untilWaiting(app.url, 1);
    await held.query(`UPDATE identities SET customer_id = $1 WHERE external_id = 'moved'`, [to]);
    await held.commit();
    expect((await pending).body.remaining).toBe(19);
    expect(await ask(app.url, 'SELECT available::int FROM balances WHERE customer_id = $1', [from])).toEqual([
      { available: 10 },
    ]);
  });
});

describe('a use of a customer whose turn is taken in this process', () => {
  it('waits for its own turn, although the customer is locked by nobody', async () => {
    await grantUnits(app, 'in-turn', 'CREDITS', 10);
    const others = namesOf('not-in-turn', 8);
    for (const other of others) await grantUnits(app, other, 'CREDITS', 10);
    const done: string[] = [];
    let end = () => {};
    const earlier = app.deps.turns.take(
      await customerIdOf(app, 'in-turn'),
      () =>
        new Promise<void>((ended) => {
          end = ended;
        }),
    );
    const [pending] = await sendAll(app.app, [app.post('/quota/consume', consume('in-turn', 1))]);
    const answered = pending?.then(() => done.push('use'));
    // both lanes have done with what came before these
    for (const amount of [1, 2, 3])
      await Promise.all(others.map((other) => app.post('/quota/consume', consume(other, amount))));
    expect(await balanceOf(app, 'in-turn', 'CREDITS')).toBe(10);
    done.push('earlier');
    end();
    await Promise.all([earlier, answered]);
    expect(done).toEqual(['earlier', 'use']);
    expect((await pending)?.body.remaining).toBe(9);
  });
});

describe('a use that is written and not yet committed', () => {
  it('is not answered', async () => {
    await grantUnits(app, 'uncommitted', 'CREDITS', 10);
    const gate = await gateCommits(app.url, 'entries');
    let isAnswered = false;
    const pending = send(app.post('/quota/consume', consume('uncommitted', 1))).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await untilWaiting(app.url, 1);
    expect(await balanceOf(app, 'uncommitted', 'CREDITS')).toBe(10);
    expect(isAnswered).toBe(false);
    await gate.rollback();
    expect((await pending).body.remaining).toBe(9);
  });

  it('is answered as failed when its commit is refused', async () => {
    await grantUnits(app, 'refused-at-commit', 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 100, sqlState: '23514', atCommit: true });
    const answer = await app.post('/quota/consume', consume('refused-at-commit', 1));
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect(await balanceOf(app, 'refused-at-commit', 'CREDITS')).toBe(10);
  });
});

describe('an app that is closed under load', () => {
  it('answers what it has taken in', async () => {
    const people = namesOf('leaving', 6);
    for (const person of people) await grantUnits(app, person, 'CREDITS', 10);
    const closing = await startTestApp(app.url, app.clock);
    const gate = await gateCommits(app.url, 'entries');
    const pending = await sendAll(
      closing.app,
      people.flatMap((person) =>
        [1, 2].map((amount) => clientOf(closing.app).post('/quota/consume', consume(person, amount))),
      ),
    );
    await untilWaiting(app.url, 2);
    const closed = closing.close();
    await gate.rollback();
    const answers = await Promise.all(pending);
    await closed;
    expect(tally(answers)).toEqual({ '200': 12 });
    const left = await Promise.all(people.map((person) => balanceOf(app, person, 'CREDITS')));
    expect(left).toEqual(people.map(() => 7));
  });
});

describe('locks of several customers', () => {
  it('are taken in the order of their ids, whatever the order asked for', async () => {
    const ids = [await customerIdOf(app, 'lower'), await customerIdOf(app, 'higher')].sort();
    await app.post('/grants', { customer_id: ids[0], grant_type: 'bonus', product_key: 'CREDITS', quantity: 1 });
    const first = await holdCustomers(app.url, ids[0] as string);
    const waiter = await holdTransaction(app.url);
    const locking = lockCustomers(
      { query: async (sql, parameters) => (await waiter.query(sql, [...(parameters ?? [])])) as never },
      [...ids].reverse(),
      { skipLocked: false },
    );
    await untilWaiting(app.url, 1);
    const third = await holdTransaction(app.url);
    const free = await third.query('SELECT id FROM customers WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED', [ids[1]]);
    await third.rollback();
    await first.rollback();
    expect(free).toEqual([{ id: ids[1] }]);
    expect((await locking).map((customer) => customer.id)).toEqual(ids);
  });
});
