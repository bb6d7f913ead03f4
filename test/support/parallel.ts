// Races on purpose: requests that start together, transactions that a test holds open, and certainty that a waiter waits. Nothing here
// sleeps for a fixed time: what must be true is polled.
import pg from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { Config } from '../../src/config.js';
import { BASE_PATH } from '../../src/http/base-path.js';
import type { Clock } from '../../src/lib/clock.js';
import { API_TOKEN, type Json, startTestApp, type TestApp } from './app.js';
import { waitFor } from './wait.js';

/** What sends requests: an app under test, or a second one on its database. */
export type Client = Pick<TestApp, 'get' | 'post' | 'put'>;

/** Sends a request at once; supertest waits until somebody awaits it. */
export function send(test: request.Test): Promise<request.Response> {
  return Promise.resolve(test);
}

/** Sends `count` requests together and waits for all answers, in the order of their numbers (from 0). */
export function sendTogether(count: number, make: (index: number) => request.Test): Promise<request.Response[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

/** How many answers had which status and, of problems, which code: `{ '200': 60, '402 insufficient_quota': 40 }`. */
export function tally(answers: readonly request.Response[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const outcome = status >= 400 ? `${status} ${body.code}` : String(status);
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** The answers with this status. */
export function withStatus(answers: readonly request.Response[], status: number): request.Response[] {
  return answers.filter((answer) => answer.status === status);
}

/** A second app, with a pool and perhaps a clock and settings of its own, on the database of `first`: another process, as far as Postgres can tell. */
export function useSecondApp(first: TestApp, clock?: Clock, settings?: Partial<Config>): Client {
  let running: Awaited<ReturnType<typeof startTestApp>> | undefined;
  beforeAll(async () => {
    running = await startTestApp(first.url, clock ?? first.clock, undefined, settings);
  });
  afterAll(() => running?.close());
  const start = (method: 'get' | 'post' | 'put', path: string, headers: Record<string, string> = {}) => {
    if (!running) throw new Error('the second app exists only in hooks and tests');
    const to = request(running.app.server)[method](`${BASE_PATH}${path}`);
    return to.set({ authorization: `Bearer ${API_TOKEN}`, ...headers });
  };
  return {
    get: (path, headers) => start('get', path, headers),
    post: (path, body, headers) => start('post', path, headers).send(body as object),
    put: (path, body, headers) => start('put', path, headers).send(body as object),
  };
}

/** A transaction on a connection of its own, outside every app. It is rolled back when the test ends before it did. */
export interface HeldTransaction {
  query(sql: string, parameters?: unknown[]): Promise<Json[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** Begins a READ COMMITTED transaction. */
export async function holdTransaction(url: string): Promise<HeldTransaction> {
  const client = await connect(url);
  await client.query('BEGIN');
  return {
    query: async (sql, parameters = []) => (await client.query(sql, parameters)).rows,
    commit: async () => void (await client.query('COMMIT')),
    rollback: async () => void (await client.query('ROLLBACK')),
  };
}

/** Begins a transaction that holds the lock of these customers, as a write does. */
export async function holdCustomers(url: string, ...customerIds: string[]): Promise<HeldTransaction> {
  const held = await holdTransaction(url);
  const rows = await held.query('SELECT id FROM customers WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [
    customerIds,
  ]);
  expect(rows).toHaveLength(customerIds.length);
  return held;
}

/** Runs one statement with parameters on a connection of its own. */
export async function ask(url: string, sql: string, parameters: unknown[] = []): Promise<Json[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

const COUNT_WAITING = `SELECT count(*)::int AS waiting FROM pg_stat_activity
  WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;

/** How many connections of the database wait for a lock that another one has. */
export async function countWaiting(url: string): Promise<number> {
  const [row] = await ask(url, COUNT_WAITING);
  return row?.waiting as number;
}

/** Returns once exactly (or at least) `count` connections of the database wait for a lock. */
export async function untilWaiting(
  url: string,
  count: number,
  bound: 'exactly' | 'at least' = 'exactly',
): Promise<void> {
  const client = await connect(url);
  let waiting = 0;
  await waitFor(
    () => `${bound} ${count} connections to wait for a lock: there are ${waiting}`,
    async () => {
      waiting = (await client.query(COUNT_WAITING)).rows[0].waiting;
      return waiting === count || (bound === 'at least' && waiting > count) || undefined;
    },
  );
}

/** Cancels the statements, or terminates the connections, of the database that wait for a lock now; how many there were. */
export async function interruptWaiting(url: string, by: 'pg_cancel_backend' | 'pg_terminate_backend'): Promise<number> {
  // all are listed before the first is interrupted: what is tried again meanwhile is none of them
  const rows = await ask(
    url,
    `SELECT ${by}(pid) AS done FROM unnest((
       SELECT array_agg(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0
     )) AS pid`,
  );
  return rows.filter(({ done }) => done).length;
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // its database may be dropped before the test is over
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** The id of a customer, who is created on first sight. */
export async function customerIdOf(client: Client, externalId: string): Promise<string> {
  const answer = await client.post('/identify', { external_id: externalId });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.customer_id;
}

/** What the wallet says of one product. */
export async function balanceOf(client: Client, externalId: string, productKey: string): Promise<number> {
  const answer = await client.get(`/wallet?external_id=${externalId}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body.balances[productKey];
}

/** Places an order of one offer and returns its id. */
export async function placeOrder(client: Client, externalId: string, sku: string): Promise<string> {
  const answer = await client.post('/orders', { external_id: externalId, items: [{ sku }] });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.id;
}

/** How many deadlocks the database has seen. */
export async function deadlocksOf(url: string): Promise<number> {
  const [row] = await ask(url, 'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()');
  return row?.deadlocks as number;
}
