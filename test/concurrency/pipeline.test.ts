// Statements that are sent without waiting for the answers of those before: the lock with the reads, the writes with COMMIT. Whichever of them
// fails, is cancelled or never gets there: nothing is answered that is not true, nothing happens twice, and no connection is left in the middle.
import type { PoolClient } from 'pg';
import type { Response } from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { sweep } from '../../src/engine/sweep.js';
import { grantUnits, type Json, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { failWrites, gateCommits, gateWrites } from '../support/commit-faults.js';
import { type CuttingProxy, openCuttingProxy, type Stall } from '../support/cutting-proxy.js';
import {
  ask,
  type Client,
  customerIdOf,
  type HeldTransaction,
  holdCustomers,
  holdTransaction,
  interruptWaiting,
  send,
  tally,
  untilWaiting,
} from '../support/parallel.js';
import { clientOf, endowBlockers, holdLanes, sendAll } from '../support/shared-transactions.js';
import { waitFor } from '../support/wait.js';

const CROWD = 12;
const LANES = 2;
/** After so long without an answer a connection is given up. */
const READ_TIMEOUT_MS = 30_000;
const BATCH = '/quota/consume/batch';

const app = useTestApp();
let proxy: CuttingProxy;
let behind: Awaited<ReturnType<typeof startTestApp>>;
/** Of an app behind the proxy. */
let client: Client;

beforeAll(async () => {
  await putProduct(app, 'CREDITS', { features: ['draw'] });
  await endowBlockers(app, 'CREDITS');
  proxy = await openCuttingProxy(app.url);
  behind = await startTestApp(proxy.url, app.clock);
  client = clientOf(behind.app);
});
afterAll(async () => {
  await behind.close();
  proxy.close();
});

/** No connection is lent, and none of the server's sessions is in a transaction or holds a lock of ours. */
afterEach(async () => {
  await waitFor('all connections to come back', async () => {
    const pools = [app.deps.db.pool, behind.deps.db.pool];
    if (pools.some(({ totalCount, idleCount, waitingCount }) => totalCount !== idleCount || waitingCount > 0)) return;
    const [row] = await ask(
      app.url,
      `SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %')::int
            + (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE d.datname = current_database() AND l.locktype = 'advisory')::int AS busy`,
    );
    return row?.busy === 0 ? true : undefined;
  });
});

const units = (externalId: string, amount: number, more: Json = {}) => ({
  external_id: externalId,
  product_key: 'CREDITS',
  amount,
  ...more,
});
const key = { 'idempotency-key': 'k' };

async function standingOf(person: string) {
  const { body } = await app.get(`/wallet?external_id=${person}`);
  return { balance: body.balances.CREDITS, held: body.held.CREDITS ?? 0 };
}

async function crowdOf(prefix: string): Promise<string[]> {
  const people = Array.from({ length: CROWD }, (_, index) => `${prefix}-${index}`);
  for (const person of people) await grantUnits(app, person, 'CREDITS', 10);
  return people;
}

/** Ends the statements, or the connections, that wait for a lock. */
async function interrupt(by: 'pg_cancel_backend' | 'pg_terminate_backend'): Promise<void> {
  expect(await interruptWaiting(app.url, by)).toBeGreaterThan(0);
}

/** A customer of whom a hold is past its end, and nothing else of anybody's is due. */
async function lapseUnsettled(person: string): Promise<void> {
  await sweep(app.deps);
  await grantUnits(app, person, 'CREDITS', 10);
  await app.post('/reservations', units(person, 3, { ttl_seconds: 60 }));
  app.clock.advance({ seconds: 60 });
}

/** The kinds of a customer's entries, newest first. */
async function kindsOf(person: string): Promise<string[]> {
  const { body } = await app.get(`/wallet/entries?external_id=${person}`);
  return body.data.map(({ kind }: { kind: string }) => kind);
}

async function lockTable(table: string): Promise<HeldTransaction> {
  const held = await holdTransaction(app.url);
  await held.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return held;
}

/** Where a reserve is held up: each gate lets everything before it through. */
const gates: [string, (person: string) => Promise<HeldTransaction>][] = [
  ['lock', async (person) => holdCustomers(app.url, await customerIdOf(app, person))],
  ['look-up of keys', () => lockTable('operations')],
  ['reading of books', () => lockTable('product_features')],
  ['writing of books', () => gateWrites(app.url, 'entries')],
  ['writing of reservations', () => gateWrites(app.url, 'reservations')],
  ['COMMIT', () => gateCommits(app.url, 'entries')],
];

describe.each(gates)('a reserve that is interrupted at its %s', (name, close) => {
  const named = (prefix: string) => `${prefix}-${name.replaceAll(' ', '-').toLowerCase()}`;

  it('is unavailable when the statement is cancelled, has held nothing, and its key may be sent again', async () => {
    const person = named('cancelled');
    await grantUnits(app, person, 'CREDITS', 10);
    const gate = await close(person);
    const pending = send(app.post('/reservations', units(person, 3), key));
    await untilWaiting(app.url, 1);
    await interrupt('pg_cancel_backend');
    const answer = await pending;
    await gate.rollback();
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect(await standingOf(person)).toEqual({ balance: 10, held: 0 });
    const again = await app.post('/reservations', units(person, 3), key);
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect(await standingOf(person)).toEqual({ balance: 7, held: 3 });
  });

  it('is tried again when its connection is terminated, and holds once', async () => {
    const person = named('terminated');
    await grantUnits(app, person, 'CREDITS', 10);
    const gate = await close(person);
    const pending = send(app.post('/reservations', units(person, 3), key));
    await untilWaiting(app.url, 1);
    await interrupt('pg_terminate_backend');
    await gate.rollback();
    const answer = await pending;
    expect(answer.status, answer.text).toBe(201);
    expect((await app.post('/reservations', units(person, 3), key)).text).toBe(answer.text);
    expect(await standingOf(person)).toEqual({ balance: 7, held: 3 });
  });
});

describe('reserves that share a transaction', () => {
  async function shareTransaction(prefix: string) {
    const people = await crowdOf(prefix);
    const lanes = await holdLanes(app.url, app, 'CREDITS');
    const pending = await sendAll(
      app.app,
      people.map((person) => app.post('/reservations', units(person, 3), key)),
    );
    return { people, lanes, pending };
  }

  async function expectHeldOnce(people: readonly string[], pending: readonly Promise<Response>[]) {
    const answers = await Promise.all(pending);
    expect(tally(answers)).toEqual({ '201': people.length });
    expect(await Promise.all(people.map(standingOf))).toEqual(people.map(() => ({ balance: 7, held: 3 })));
  }

  it.each(['operations', 'product_features'])('are run alone when the reading of %s is cancelled', async (table) => {
    const { people, lanes, pending } = await shareTransaction(table.replace('_', '-'));
    // those who hold the lanes have read the table: it is locked once they end, before anybody else reads it
    const closing = lockTable(table);
    await untilWaiting(app.url, LANES + 1);
    await lanes.rollback();
    const gate = await closing;
    await untilWaiting(app.url, LANES);
    await interrupt('pg_cancel_backend');
    await gate.rollback();
    await expectHeldOnce(people, pending);
  });
});

describe('a BEGIN that fails', () => {
  const spoilBegin = () => proxy.spoilNext('BEGIN', 'BEGIM');

  it('lets nothing be written of a lone request, which is answered as failed', async () => {
    await grantUnits(app, 'no-begin', 'CREDITS', 10);
    spoilBegin();
    const answer = await client.post('/reservations', units('no-begin', 3), key);
    expect(proxy.countCut()).toBe(1);
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect(await standingOf('no-begin')).toEqual({ balance: 10, held: 0 });
    expect((await client.post('/reservations', units('no-begin', 3), key)).status).toBe(201);
  });

  it('lets nothing be written of an atomic batch', async () => {
    await grantUnits(app, 'no-begin-batch', 'CREDITS', 10);
    spoilBegin();
    const answer = await client.post(BATCH, { items: [units('no-begin-batch', 3)], mode: 'atomic' });
    expect(proxy.countCut()).toBe(1);
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect(await standingOf('no-begin-batch')).toEqual({ balance: 10, held: 0 });
  });

  it('lets nothing be written of a first sight', async () => {
    spoilBegin();
    const answer = await client.post('/identify', { external_id: 'no-begin-sight' });
    expect(proxy.countCut()).toBe(1);
    expect([answer.status, answer.body.code]).toEqual([500, 'internal_error']);
    expect((await client.post('/identify', { external_id: 'no-begin-sight' })).body.created_customer).toBe(true);
  });

  it.each(['continue', 'atomic'])('lets no batch (%s) go on without the lock of its key', async (mode) => {
    const person = `no-begin-key-${mode}`;
    await grantUnits(app, person, 'CREDITS', 10);
    spoilBegin();
    const call = () => client.post(BATCH, { items: [units(person, 3)], mode }, { 'idempotency-key': person });
    const answer = await call();
    expect(proxy.countCut()).toBe(1);
    expect([answer.status, await standingOf(person)]).toEqual([500, { balance: 10, held: 0 }]);
    expect((await call()).body.committed).toBe(true);
    expect(await standingOf(person)).toEqual({ balance: 7, held: 0 });
  });

  it('makes a sweep settle in another transaction, once', async () => {
    await lapseUnsettled('no-begin-sweep');
    spoilBegin();
    const { entries } = await sweep(behind.deps);
    expect([proxy.countCut(), entries]).toEqual([1, 1]);
    expect(await kindsOf('no-begin-sweep')).toEqual(['release', 'hold', 'grant']);
  });
});

describe('a COMMIT that the server answers with a rollback', () => {
  const rollBackInstead = (passing?: number) => proxy.spoilNext('COMMIT', 'ABORT ', passing);

  it.each([
    ['a use', (person: string) => client.post('/quota/consume', units(person, 3), { 'idempotency-key': person })],
    [
      'an atomic batch',
      (person: string) =>
        client.post(BATCH, { items: [units(person, 3)], mode: 'atomic' }, { 'idempotency-key': person }),
    ],
    ['a batch', (person: string) => client.post(BATCH, { items: [units(person, 3)] }, { 'idempotency-key': person })],
  ])('makes %s no success', async (name, call) => {
    const person = `rolled-back-${name.replaceAll(' ', '-')}`;
    await grantUnits(app, person, 'CREDITS', 10);
    rollBackInstead();
    const answer = await call(person);
    expect(proxy.countCut()).toBe(1);
    const isAllowed = answer.status === 200 && (answer.body.results?.[0].allowed ?? true);
    expect((await standingOf(person)).balance).toBe(isAllowed ? 7 : 10);
    const again = await call(person);
    expect(again.status, again.text).toBe(200);
    expect((await standingOf(person)).balance).toBe(7);
  });

  it('makes uses that share it run alone', async () => {
    const people = await crowdOf('rolled-back');
    const lanes = await holdLanes(app.url, client, 'CREDITS');
    const pending = await sendAll(
      behind.app,
      people.map((person) => client.post('/quota/consume', units(person, 3))),
    );
    rollBackInstead();
    await lanes.rollback();
    const answers = await Promise.all(pending);
    expect(proxy.countCut()).toBe(1);
    expect(tally(answers)).toEqual({ '200': CROWD });
    expect(await Promise.all(people.map(standingOf))).toEqual(people.map(() => ({ balance: 7, held: 0 })));
  });

  it('does not let the record of a keyed call be taken for written', async () => {
    await grantUnits(app, 'unrecorded', 'CREDITS', 10);
    const call = () => client.post(BATCH, { items: [units('unrecorded', 3)] }, { 'idempotency-key': 'unrecorded' });
    rollBackInstead(1);
    const answer = await call();
    expect(proxy.countCut()).toBe(1);
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(500);
    expect([(await call()).status, await standingOf('unrecorded')]).toEqual([200, { balance: 7, held: 0 }]);
  });

  it('makes a sweep settle again, once', async () => {
    await lapseUnsettled('unswept');
    rollBackInstead();
    const { entries } = await sweep(behind.deps);
    expect([proxy.countCut(), entries]).toEqual([1, 1]);
    expect(await kindsOf('unswept')).toEqual(['release', 'hold', 'grant']);
  });
});

describe('a write that the driver does not send', () => {
  it('is no success, although COMMIT was', async () => {
    await grantUnits(app, 'unsent', 'CREDITS', 10);
    const { pool } = behind.deps.db;
    const refuse = (lent: PoolClient) => {
      const { query } = lent;
      const sendOrRefuse = (...given: [{ text?: string }]) =>
        given[0].text?.includes('INSERT INTO operations')
          ? Promise.reject(new Error('not sent'))
          : Reflect.apply(query, lent, given);
      Object.assign(lent, { query: sendOrRefuse });
      onTestFinished(() => void Object.assign(lent, { query }));
    };
    pool.on('acquire', refuse);
    onTestFinished(() => void pool.off('acquire', refuse));
    const answer = await client.post('/quota/consume', units('unsent', 3), key);
    expect([answer.status, await standingOf('unsent')]).toEqual([500, { balance: 10, held: 0 }]);
  });
});

describe('statements that are prepared behind one that fails', () => {
  it('are prepared anew on the same connection', async () => {
    await grantUnits(app, 'prepared', 'CREDITS', 10);
    const fresh = await startTestApp(app.url, app.clock);
    onTestFinished(() => fresh.close());
    const { post } = clientOf(fresh.app);
    await failWrites(app.url, 'entries', { count: 1, sqlState: '23514', atCommit: false });
    const refused = await post('/reservations', units('prepared', 3));
    const connections = fresh.deps.db.pool.totalCount;
    const made = await post('/reservations', units('prepared', 3));
    expect([refused.status, made.status]).toEqual([500, 201]);
    expect(fresh.deps.db.pool.totalCount).toBe(connections);
    expect(await standingOf('prepared')).toEqual({ balance: 7, held: 3 });
  });
});

describe('a server that says no more', () => {
  it.each<Stall>(['before the commit', 'after the commit'])(
    'is given up, and what it did %s is looked for: the use is answered and taken once',
    async (stall) => {
      const person = `stalled-${stall.replaceAll(' ', '-')}`;
      await grantUnits(app, person, 'CREDITS', 10);
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      proxy.stallNext(stall);
      const pending = send(client.post('/quota/consume', units(person, 3), key));
      await waitFor('the stall', () => (proxy.countCut() === 1 ? true : undefined));
      vi.advanceTimersByTime(READ_TIMEOUT_MS);
      vi.useRealTimers();
      const answer = await pending;
      expect([answer.status, answer.body.remaining]).toEqual([200, 7]);
      expect((await app.post('/quota/consume', units(person, 3), key)).text).toBe(answer.text);
      expect(await standingOf(person)).toEqual({ balance: 7, held: 0 });
    },
  );
});
