// An app under test on a database of its own: real Fastify, real Postgres, a clock that the test sets. Every answer is compared with what
// its route declares, and the invariants are audited after each test.
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { buildApp } from '../../src/app.js';
import { type Config, readConfig } from '../../src/config.js';
import { createDb } from '../../src/db/client.js';
import type { Deps } from '../../src/deps.js';
import { createOver } from '../../src/engine/create.js';
import type { Clock } from '../../src/lib/clock.js';
import { type Ids, uuidIds } from '../../src/lib/ids.js';
import { createMetrics } from '../../src/lib/metrics.js';
import { createTurns } from '../../src/lib/turns.js';
import { useTestDatabase } from './database.js';
import { failOnUndeclared } from './declared-problems.js';

export const API_TOKEN = 'a-token-that-only-tests-use';
export const TEST_SECRET_KEY = 'a-secret-key-that-only-the-tests-ever-use';
export const TEST_PEPPER = 'a-pepper-that-only-the-tests-ever-use';
const BASE_PATH = '/api/v1/billing';
const START = '2026-01-31T12:00:00.000Z';

/** A clock that stands still until it is told. */
export class TestClock implements Clock {
  #now = new Date(START);
  now(): Date {
    return new Date(this.#now);
  }
  set(instant: string | Date): void {
    this.#now = new Date(instant);
  }
  advance({
    days = 0,
    hours = 0,
    seconds = 0,
    ms = 0,
  }: {
    days?: number;
    hours?: number;
    seconds?: number;
    ms?: number;
  }): void {
    this.#now = new Date(this.#now.getTime() + ((days * 24 + hours) * 3_600 + seconds) * 1_000 + ms);
  }
}

export type Json = Record<string, unknown>;

export interface TestApp {
  readonly app: FastifyInstance;
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly url: string;
  /** Requests below the base path with the token of all scopes; `headers` win. */
  get(path: string, headers?: Record<string, string>): request.Test;
  post(path: string, body?: unknown, headers?: Record<string, string>): request.Test;
  put(path: string, body?: unknown, headers?: Record<string, string>): request.Test;
  patch(path: string, body?: unknown, headers?: Record<string, string>): request.Test;
  delete(path: string, headers?: Record<string, string>): request.Test;
}

/** Makes an app with its own pool over a database: a second process, as far as the database can tell. `settings` override the configuration. */
export async function startTestApp(
  url: string,
  clock: Clock,
  onAnswer?: Parameters<typeof buildApp>[1],
  settings: Partial<Config> = {},
  ids: Ids = uuidIds,
  replicaUrl?: string,
): Promise<{ app: FastifyInstance; deps: Deps; close(): Promise<void> }> {
  const log = pino({ level: 'silent' });
  const { config } = readConfig(
    { DATABASE_URL: url, BURSAR_API_TOKEN: API_TOKEN, BURSAR_PEPPER: TEST_PEPPER },
    process.cwd(),
  );
  const db = createDb(url, log, { isPrepared: settings.isPrepared ?? config.isPrepared });
  const foundations = {
    db,
    clock,
    ids,
    log,
    config: {
      ...config,
      apiToken: API_TOKEN,
      pepper: TEST_PEPPER,
      secretKey: TEST_SECRET_KEY,
      isSandbox: true,
      shedding: { delayMs: null, requests: null }, // a machine that is busy with tests is no reason to refuse
      ...settings,
    },
    turns: createTurns(),
    metrics: createMetrics(),
  };
  const copy = replicaUrl === undefined ? undefined : createDb(replicaUrl, log, { isReplica: true });
  const deps: Deps = createOver(foundations, { copy });
  const app = await buildApp(deps, onAnswer ?? {});
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    app,
    deps,
    close: async () => {
      await app.close();
      deps.replica.end();
      await copy?.close();
      await db.close();
    },
  };
}

/** Gives the calling file an app on its own database. The clock is set back before each test. */
export function useTestApp(): TestApp {
  const database = useTestDatabase();
  const undeclared = failOnUndeclared();
  const clock = new TestClock();
  let running: Awaited<ReturnType<typeof startTestApp>> | undefined;
  const current = () => {
    if (!running) throw new Error('the app exists only in hooks and tests');
    return running;
  };
  beforeAll(async () => {
    running = await startTestApp(database.url, clock, undeclared);
  });
  beforeEach(() => clock.set(START));
  afterAll(() => running?.close());
  const send = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string, headers: Record<string, string>) =>
    request(current().app.server)
      [method](`${BASE_PATH}${path}`)
      .set({ authorization: `Bearer ${API_TOKEN}`, ...headers });
  return {
    get app() {
      return current().app;
    },
    get deps() {
      return current().deps;
    },
    get url() {
      return database.url;
    },
    clock,
    get: (path, headers = {}) => send('get', path, headers),
    post: (path, body, headers = {}) => send('post', path, headers).send(body as object),
    put: (path, body, headers = {}) => send('put', path, headers).send(body as object),
    patch: (path, body, headers = {}) => send('patch', path, headers).send(body as object),
    delete: (path, headers = {}) => send('delete', path, headers),
  };
}

/** Creates a product; `more` overrides. */
export async function putProduct(app: TestApp, key: string, more: Json = {}): Promise<void> {
  const answer = await app.put(`/products/${key}`, { name: key, type: 'quantity', ...more });
  expect([200, 201], answer.text).toContain(answer.status);
}

/** Creates an offer of one item, 1.00 USD; `more` overrides. */
export async function putOffer(
  app: TestApp,
  sku: string,
  productKey: string,
  quantity: number,
  more: Json = {},
): Promise<void> {
  const items = [{ product_key: productKey, quantity }];
  const answer = await app.put(`/offers/${sku}`, { name: sku, price: '1.00', currency: 'USD', items, ...more });
  expect([200, 201], answer.text).toContain(answer.status);
}

/** Grants units as a bonus and returns the batch's id. */
export async function grantUnits(
  app: TestApp,
  externalId: string,
  productKey: string,
  quantity: number,
  more: Json = {},
): Promise<string> {
  const answer = await app.post('/grants', {
    external_id: externalId,
    grant_type: 'bonus',
    product_key: productKey,
    quantity,
    ...more,
  });
  expect(answer.status, answer.text).toBe(201);
  return answer.body.batches[0].id;
}
