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
  interruptWaiting,
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
import { waitFor } from '../support/wait.js';

const CROWD = 20;
const KEY = { 'idempotency-key': 'k' };
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

/** Names under which the operations of a crowd are recorded. */
const CROWD_NAMES = ['quota.consume', 'reservation.create', 'reservation.commit', 'quota.release'];

/** What somebody does; it leaves 7 of his 10 units. `more` are members of what is written to the ledger. */
type Doing = (person: string, more: Record<string, unknown>) => Promise<{ path: string; body: object }>;

async function succeed(path: string, body: object): Promise<Record<string, string>> {
  const answer = await app.post(path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.body;
}

const doings: readonly Doing[] = [
  async (person, more) => ({ path: '/quota/consume', body: consume(person, more) }),
  async (person, more) => ({ path: '/reservations', body: consume(person, more) }),
  async (person, more) => {
    const { id } = await succeed('/reservations', consume(person, { ...more, amount: 5 }));
    return { path: `/reservations/${id}/commit`, body: { amount: 3 } };
  },
  async (person, more) => {
    const { operation_id } = await succeed('/quota/consume', consume(person, { ...more, amount: 8 }));
    return { path: '/quota/release', body: { operation_id, amount: 5 } };
  },
];

interface Crowd {
  people: string[];
  /** What each of them sends, in turn a consume, a reserve, a commit and a give-back. */
  send(client: Client, headers?: Record<string, string>): ReturnType<Client['post']>[];
}

/** Customers with 10 units each, and what they are about to do. */
async function crowdOf(prefix: string, more: Record<string, unknown> = {}): Promise<Crowd> {
  const people = Array.from({ length: CROWD }, (_, index) => `${prefix.replaceAll(' ', '-')}-${index}`);
  const requests: { path: string; body: object }[] = [];
  for (const [index, person] of people.entries()) {
    await grantUnits(app, person, 'CREDITS', 10);
    requests.push(await (doings[index % doings.length] as Doing)(person, more));
  }
  return {
    people,
    send: (client, headers) => requests.map(({ path, body }) => client.post(path, body, headers)),
  };
}

const CROWD_TALLY = { '200': (3 * CROWD) / 4, '201': CROWD / 4 };

const balancesOf = (people: readonly string[]) => Promise.all(people.map((each) => balanceOf(app, each, 'CREDITS')));

/** An app behind a proxy that can cut its connections. */
async function startCutOff(): Promise<{ proxy: CuttingProxy; server: FastifyInstance; client: Client }> {
  const proxy = await startCuttingProxy(app.url);
  const cutOff = await startTestApp(proxy.url, app.clock);
  onTestFinished(() => cutOff.close());
  return { proxy, server: cutOff.app, client: clientOf(cutOff.app) };
}

describe.each([
  ['a backend that is terminated', 'pg_terminate_backend'],
  ['a statement that is cancelled', 'pg_cancel_backend'],
] as const)('%s in the middle of a shared transaction', (_, by) => {
  it(`leaves ${CROWD} operations that are each answered and done once`, async () => {
    const crowd = await crowdOf(by.replaceAll('_', '-'), { action_id: 'gated' });
    const middle = await gateAction(app.url, 'gated');
    const lanes = await holdLanes(app.url, app, 'CREDITS');
    const pending = await sendAll(app.app, crowd.send(app));
    await lanes.rollback();
    await untilWaiting(app.url, 2);
    const interrupted = await interruptWaiting(app.url, by);
    await middle.rollback();
    const answers = await Promise.all(pending);
    expect(interrupted).toBe(2);
    expect(tally(answers)).toEqual(CROWD_TALLY);
    expect(await balancesOf(crowd.people)).toEqual(crowd.people.map(() => 7));
  });
});

describe.each<Cut>(['before the commit', 'during the commit', 'after the commit'])(
  'a connection that is cut %s of a shared transaction',
  (cut) => {
    it(`leaves ${CROWD} operations that are each answered and done once`, async () => {
      const { people, send: sendCrowd } = await crowdOf(cut);
      const { proxy, server, client } = await startCutOff();
      const lanes = await holdLanes(app.url, client, 'CREDITS');
      const pending = await sendAll(server, sendCrowd(client, KEY));
      proxy.cutNext(cut);
      await lanes.rollback();
      const answers = await Promise.all(pending);
      expect(proxy.countCut()).toBe(1);
      expect(tally(answers)).toEqual(CROWD_TALLY);
      expect(await balancesOf(people)).toEqual(people.map(() => 7));
      const again = await Promise.all(sendCrowd(app, KEY));
      expect(again.map((answer) => answer.text)).toEqual(answers.map((answer) => answer.text));
      expect(await balancesOf(people)).toEqual(people.map(() => 7));
      if (cut !== 'before the commit') expect(await countTransactions(app.url, people, CROWD_NAMES, 'k')).toBe(2);
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

describe('connections that are terminated while nobody uses them', () => {
  it('do no harm to what comes next', async () => {
    const { people, send: sendCrowd } = await crowdOf('idle');
    await Promise.all(people.map((person) => app.get(`/wallet?external_id=${person}`)));
    await ask(
      app.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'bursar' AND state = 'idle'`,
    );
    const answers = await Promise.all(sendCrowd(app));
    expect(tally(answers)).toEqual(CROWD_TALLY);
  });
});

describe('a COMMIT that the server still carries out when its connection is cut', () => {
  const grants: Doing = async (person) => ({ path: '/grants', body: { ...grant(person), quantity: 7 } });
  const takes: Doing = async (person) => ({
    path: '/quota/consume/batch',
    body: { items: [consume(person, { amount: 1 }), consume(person, { amount: 2 })], mode: 'atomic' },
  });

  it.each([
    ['a use', doings[0], 200, 7],
    ['a reserve', doings[1], 201, 7],
    ['a commit', doings[2], 200, 7],
    ['a give-back', doings[3], 200, 7],
    ['an atomic batch', takes, 200, 7],
    ['a grant', grants, 201, 17],
  ] as const)('is waited for before %s is answered or tried again', async (name, prepare, status, balance) => {
    const person = `slow-${name.replaceAll(' ', '-')}`;
    await grantUnits(app, person, 'CREDITS', 10);
    const { path, body } = await (prepare as Doing)(person, {});
    const { proxy, client } = await startCutOff();
    const gate = await gateCommits(app.url, 'entries');
    proxy.cutNext('during the commit');
    const pending = send(client.post(path, body));
    // the COMMIT waits for the gate, and the look-up for the customer whom its transaction holds
    await untilWaiting(app.url, 2);
    await gate.rollback();
    const answer = await pending;
    expect([answer.status, await balanceOf(app, person, 'CREDITS')]).toEqual([status, balance]);
  });
});

describe('the look for an operation whose COMMIT was cut off', () => {
  const LOOKING = `SELECT pid, query_start::text FROM pg_stat_activity
    WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0 AND query <> 'COMMIT'`;

  it('goes on when the database gives it up meanwhile', async () => {
    await grantUnits(app, 'looked-for', 'CREDITS', 10);
    const { proxy, client } = await startCutOff();
    const gate = await gateCommits(app.url, 'entries');
    proxy.cutNext('during the commit');
    const pending = send(client.post('/quota/consume', consume('looked-for')));
    await untilWaiting(app.url, 2);
    const [look] = await ask(app.url, LOOKING);
    await ask(app.url, 'SELECT pg_cancel_backend($1)', [look?.pid]);
    await waitFor('the look to end', async () => {
      const looking = await ask(app.url, LOOKING);
      return looking.every(({ query_start }) => query_start !== look?.query_start) || undefined;
    });
    await gate.rollback();
    const answer = await pending;
    expect([answer.status, answer.body.remaining]).toEqual([200, 7]);
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
