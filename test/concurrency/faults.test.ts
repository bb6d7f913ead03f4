// The database fails under what is being written: a backend is terminated in the middle of a shared transaction, a connection is cut around a
// COMMIT, a transaction is rolled back. Whatever was answered is true, and nothing happens twice. Restarts have a file of their own.
import type { FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { grantUnits, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { countTried, failWrites, gateCommits } from '../support/commit-faults.js';
import { type Cut, type CuttingProxy, startCuttingProxy } from '../support/cutting-proxy.js';
import {
  ask,
  balanceOf,
  type Client,
  customerIdOf,
  holdCustomers,
  send,
  tally,
  untilWaiting,
  useSecondApp,
} from '../support/parallel.js';
import {
  clientOf,
  countTransactions,
  endowBlockers,
  gateAction,
  holdLanes,
  sendAll,
} from '../support/shared-transactions.js';

const CROWD = 20;
/** Of one operation on the write path. */
const ATTEMPTS_MAX = 5;

const app = useTestApp();
const second = useSecondApp(app);

beforeAll(async () => {
  await putProduct(app, 'CREDITS');
  await endowBlockers(app, 'CREDITS');
});

const consume = (externalId: string, more: Record<string, unknown> = {}) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount: 3,
  ...more,
});
const grant = (externalId: string) => ({
  external_id: externalId,
  grant_type: 'bonus',
  product_key: 'CREDITS',
  quantity: 5,
});

/** Customers with 10 units each. */
async function crowdOf(prefix: string): Promise<string[]> {
  const people = Array.from({ length: CROWD }, (_, index) => `${prefix.replaceAll(' ', '-')}-${index}`);
  for (const person of people) await grantUnits(app, person, 'CREDITS', 10);
  return people;
}

const balancesOf = (people: readonly string[]) => Promise.all(people.map((each) => balanceOf(app, each, 'CREDITS')));

/** An app behind a proxy that can cut its connections. */
async function startCutOff(): Promise<{ proxy: CuttingProxy; server: FastifyInstance; client: Client }> {
  const proxy = await startCuttingProxy(app.url);
  const cutOff = await startTestApp(proxy.url, app.clock);
  onTestFinished(() => cutOff.close());
  return { proxy, server: cutOff.app, client: clientOf(cutOff.app) };
}

describe('a backend that is terminated in the middle of a shared transaction', () => {
  it(`leaves ${CROWD} uses that are each answered and taken once`, async () => {
    const people = await crowdOf('terminated');
    const middle = await gateAction(app.url, 'gated');
    const lanes = await holdLanes(app.url, app, 'CREDITS');
    const pending = await sendAll(
      app.app,
      people.map((person) => app.post('/quota/consume', consume(person, { action_id: 'gated' }))),
    );
    await lanes.rollback();
    await untilWaiting(app.url, 2);
    const cut = await ask(
      app.url,
      `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
       WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
    );
    await middle.rollback();
    const answers = await Promise.all(pending);
    expect(cut).toEqual([{ done: true }, { done: true }]);
    expect(tally(answers)).toEqual({ '200': CROWD });
    expect(await balancesOf(people)).toEqual(people.map(() => 7));
  });
});

describe.each<Cut>(['before the commit', 'during the commit', 'after the commit'])(
  'a connection that is cut %s of a shared transaction',
  (cut) => {
    it(`leaves ${CROWD} uses that are each answered and taken once`, async () => {
      const people = await crowdOf(cut);
      const { proxy, server, client } = await startCutOff();
      const lanes = await holdLanes(app.url, client, 'CREDITS');
      const pending = await sendAll(
        server,
        people.map((person) => client.post('/quota/consume', consume(person), { 'idempotency-key': 'k' })),
      );
      proxy.cutNext(cut);
      await lanes.rollback();
      const answers = await Promise.all(pending);
      expect(proxy.countCut()).toBe(1);
      expect(tally(answers)).toEqual({ '200': CROWD });
      expect(await balancesOf(people)).toEqual(people.map(() => 7));
      const again = await Promise.all(
        people.map((person) => app.post('/quota/consume', consume(person), { 'idempotency-key': 'k' })),
      );
      expect(again.map((answer) => answer.text)).toEqual(answers.map((answer) => answer.text));
      expect(await balancesOf(people)).toEqual(people.map(() => 7));
      if (cut !== 'before the commit') expect(await countTransactions(app.url, people)).toBe(2);
    });
  },
);

describe.each<Cut>(['before the commit', 'during the commit', 'after the commit'])(
  'a connection that is cut %s of a grant',
  (cut) => {
    it('leaves a grant that is answered and granted once', async () => {
      const person = `granted-${cut.replaceAll(' ', '-')}`;
      await grantUnits(app, person, 'CREDITS', 10);
      const { proxy, client } = await startCutOff();
      proxy.cutNext(cut);
      const answer = await client.post('/grants', grant(person));
      expect(proxy.countCut()).toBe(1);
      expect([answer.status, await balanceOf(app, person, 'CREDITS')]).toEqual([201, 15]);
    });
  },
);

describe('a COMMIT that the server still carries out when its connection is cut', () => {
  it.each([
    ['a use', () => consume('slow-use'), '/quota/consume', 200, 7],
    ['a grant', () => grant('slow-grant'), '/grants', 201, 15],
  ] as const)('is waited for before %s is answered or tried again', async (_, body, path, status, balance) => {
    const person = body().external_id;
    await grantUnits(app, person, 'CREDITS', 10);
    const { proxy, client } = await startCutOff();
    const gate = await gateCommits(app.url, 'entries');
    proxy.cutNext('during the commit');
    const pending = send(client.post(path, body()));
    // the COMMIT waits for the gate, and the look-up for the customer whom its transaction holds
    await untilWaiting(app.url, 2);
    await gate.rollback();
    const answer = await pending;
    expect([answer.status, await balanceOf(app, person, 'CREDITS')]).toEqual([status, balance]);
  });
});

describe('a grant whose transaction the database rolls back', () => {
  it.each([
    ['a deadlock', '40P01'],
    ['a serialization failure', '40001'],
    ['a lock timeout', '55P03'],
  ])('is tried again after %s and granted once', async (_, sqlState) => {
    const person = `rolled-back-${sqlState}`;
    await grantUnits(app, person, 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 2, sqlState, atCommit: false });
    expect((await app.post('/grants', grant(person))).status).toBe(201);
    expect(await countTried(app.url)).toBe(3);
    expect(await balanceOf(app, person, 'CREDITS')).toBe(15);
  });

  it('is given up after a few attempts and leaves nothing', async () => {
    await grantUnits(app, 'given-up', 'CREDITS', 10);
    await failWrites(app.url, 'entries', { count: 100, sqlState: '40P01', atCommit: false });
    const answer = await app.post('/grants', grant('given-up'));
    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([503, 'unavailable', '1']);
    expect(await countTried(app.url)).toBe(ATTEMPTS_MAX);
    expect(await balanceOf(app, 'given-up', 'CREDITS')).toBe(10);
  });
});

describe('two grants with one key, over two apps', () => {
  it('grant once when both wait for the lock at first', async () => {
    const held = await holdCustomers(app.url, await customerIdOf(app, 'keyed'));
    const pending = [app, second].map((client) =>
      send(client.post('/grants', grant('keyed'), { 'idempotency-key': 'k' })),
    );
    await untilWaiting(app.url, 2);
    await held.rollback();
    const answers = await Promise.all(pending);
    expect(tally(answers)).toEqual({ '201': 2 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(await balanceOf(app, 'keyed', 'CREDITS')).toBe(5);
  });
});
