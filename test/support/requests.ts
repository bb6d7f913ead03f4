// What the tests over HTTP share: people nobody has seen yet, orders, refusals, and what a request wrote. It checks; it decides nothing.
import type { Response } from 'supertest';
import { expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors/catalogue.js';
import type { Json, TestApp } from './app.js';

let people = 0;

/** An external id that no test of this file has used. */
export function newPerson(): string {
  people += 1;
  return `person-${people}`;
}

/** Expects a refusal with this code and, where one is given, its first fault at this place. */
export function expectProblem(answer: Response, status: number, code: ErrorCode, pointer?: string): void {
  expect({ status: answer.status, code: answer.body.code, pointer: answer.body.errors?.[0]?.pointer }).toEqual({
    status,
    code,
    pointer: pointer ?? answer.body.errors?.[0]?.pointer,
  });
}

/** Places an order of one line and returns it as it was answered; `more` are further members of the body. */
export async function placeOrder(
  app: TestApp,
  externalId: string,
  sku: string,
  quantity = 1,
  more: Json = {},
): Promise<Record<string, string>> {
  const answer = await app.post('/orders', { external_id: externalId, items: [{ sku, quantity }], ...more });
  expect(answer.status, answer.text).toBe(201);
  return answer.body;
}

let payments = 0;

/** A payment id that no test of this file has used. */
export function newPayment(): string {
  payments += 1;
  return `payment-${payments}`;
}

/** Orders and pays; returns the batches that it granted. */
export async function buy(
  app: TestApp,
  externalId: string,
  sku: string,
  quantity = 1,
): Promise<Record<string, unknown>[]> {
  const { id } = await placeOrder(app, externalId, sku, quantity);
  const answer = await app.post(`/orders/${id}/confirm`, { payment_id: newPayment() });
  expect(answer.status, answer.text).toBe(200);
  return answer.body.batches;
}

/** Follows `next_cursor` to the end; returns the rows of each page. */
export async function readPages(app: TestApp, path: string, limit: number): Promise<Record<string, unknown>[][]> {
  const pages: Record<string, unknown>[][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? `limit=${limit}` : `limit=${limit}&cursor=${cursor}`;
    const answer = await app.get(`${path}${path.includes('?') ? '&' : '?'}${query}`);
    expect(answer.status, answer.text).toBe(200);
    pages.push(answer.body.data);
    cursor = answer.body.next_cursor;
  }
  return pages;
}

interface TableState {
  rows: number;
  digest: string;
}

async function readTables({ deps }: Pick<TestApp, 'deps'>): Promise<Map<string, TableState>> {
  const tables = await deps.db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'events' ORDER BY 1`,
  );
  const states = new Map<string, TableState>();
  for (const { name } of tables) {
    const [state] = await deps.db.query<{ rows: number; digest: string }>(
      `SELECT count(*) AS rows, md5(coalesce(string_agg(t::text, '' ORDER BY t::text), '')) AS digest FROM "${name}" t`,
    );
    if (state) states.set(name, state);
  }
  return states;
}

/**
 * Says what `work` wrote: for every table whose contents changed, by how many rows it grew (0 when rows were only changed).
 * Events are left out: they follow from the rest, and the audit after the test compares both ways. Nothing else may write meanwhile.
 */
export async function writtenBy(
  app: Pick<TestApp, 'deps'>,
  work: () => PromiseLike<unknown>,
): Promise<Record<string, number>> {
  const before = await readTables(app);
  expect(before.size).toBeGreaterThan(10);
  await work();
  const written: Record<string, number> = {};
  for (const [name, state] of await readTables(app)) {
    const earlier = before.get(name);
    if (earlier?.digest !== state.digest) written[name] = state.rows - (earlier?.rows ?? 0);
  }
  return written;
}

/** The tables in which a row's text holds `text`, whatever its case. */
export async function findInTables(app: TestApp, text: string): Promise<string[]> {
  const tables = [...(await readTables(app)).keys()];
  const found: string[] = [];
  for (const name of tables) {
    const rows = await app.deps.db.query(
      `SELECT 1 FROM "${name}" t WHERE strpos(lower(t::text), lower($1)) > 0 LIMIT 1`,
      [text],
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

/** Registers the test that a route lets nobody in without a token, before it looks at anything else. */
export function itNeedsAToken(app: TestApp, method: 'post' | 'patch' | 'delete' | 'get', path: string): void {
  it('lets nobody in without a token', async () => {
    const written = await writtenBy(app, async () => {
      const headers = { authorization: 'Bearer somebody-else' };
      const answer = await (method === 'get' || method === 'delete'
        ? app[method](path, headers)
        : app[method](path, {}, headers));
      expectProblem(answer, 401, 'unauthenticated');
    });
    expect(written).toEqual({});
  });
}
