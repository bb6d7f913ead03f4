// The test clock, as two processes on one database see it: set forward only, through all that falls due on the way.

import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDb } from '../../src/db/client.js';
import { findSandboxInstant } from '../../src/db/sandbox-clock.js';
import { sandboxClock } from '../../src/lib/clock.js';
import { guardSandbox } from '../../src/services/sandbox.js';
import { API_TOKEN, type Json, startTestApp } from '../support/app.js';
import { useTestDatabase } from '../support/database.js';
import { expectProblem } from '../support/requests.js';

const database = useTestDatabase();
const MINUTE_MS = 60_000;
type Running = Awaited<ReturnType<typeof startTestApp>>;
const running: Running[] = [];

async function start(settings = {}): Promise<Running> {
  const db = createDb(database.url, pino({ level: 'silent' }));
  const app = await startTestApp(
    database.url,
    sandboxClock(() => findSandboxInstant(db)),
    undefined,
    settings,
  );
  running.push({
    ...app,
    close: async () => {
      await app.close();
      await db.close();
    },
  });
  return app;
}

let first: Running;
let second: Running;

beforeAll(async () => {
  first = await start();
  second = await start();
});
afterAll(async () => {
  for (const app of running) await app.close();
});

const send = (app: Running, method: 'get' | 'post' | 'put', path: string, body?: Json) =>
  request(app.app.server)
    [method](`/api/v1/billing${path}`)
    .set({ authorization: `Bearer ${API_TOKEN}` })
    .send(body);

const clockOf = async (app: Running) => (await send(app, 'get', '/sandbox/clock')).body;

describe('the test clock of a process', () => {
  it('is looked at by more changes at once than it has connections', async () => {
    let own: Running | undefined;
    own = await startTestApp(
      database.url,
      sandboxClock(async () => own && findSandboxInstant(own.deps.db)),
    );
    const app = own;
    running.push(app);
    const write = (index: number) =>
      send(app, 'put', `/products/P_${index % 2}`, { name: 'a product', type: 'quantity' });
    const answers = await Promise.all(Array.from({ length: app.deps.config.poolSize * 2 }, (_, index) => write(index)));
    expect(answers.filter(({ status }) => status !== 200 && status !== 201)).toEqual([]);
  });
});

describe('the test clock', () => {
  it('shows the time until it is set, and stands still then, in all processes', async () => {
    const before = await clockOf(first);
    expect(before.is_set).toBe(false);
    expect(Math.abs(Date.now() - Date.parse(before.now))).toBeLessThan(MINUTE_MS);
    const set = await send(first, 'put', '/sandbox/clock', { now: '2030-01-31T10:00:00Z' });
    expect(set.status, set.text).toBe(200);
    expect(set.body).toEqual({ now: '2030-01-31T10:00:00.000Z', is_set: true, complete: true, steps: 0 });
    for (const app of [first, second]) expect(await clockOf(app)).toEqual({ now: set.body.now, is_set: true });
    const moved = await send(second, 'put', '/sandbox/clock', { advance: 'P1MT90S' });
    expect(moved.body.now).toBe('2030-02-28T10:01:30.000Z');
    expect((await clockOf(first)).now).toBe(moved.body.now);
  });

  it.each([
    [{ now: '2029-12-31T00:00:00Z' }, 409, 'clock_backwards', '/now'],
    [{ now: 'tomorrow' }, 400, 'invalid_request', '/now'],
    [{ now: '2031-02-30T00:00:00Z' }, 400, 'invalid_request', '/now'],
    [{ now: '9999-12-31T23:59:59.999Z' }, 400, 'invalid_request', '/now'],
    [{ advance: 'P' }, 400, 'invalid_request', '/advance'],
    [{ advance: '-P1D' }, 400, 'invalid_request', '/advance'],
    [{ advance: 'P1.5M' }, 400, 'invalid_request', '/advance'],
    [{ advance: 'P9999Y' }, 400, 'invalid_request', '/advance'],
    [{ advance: 1 }, 400, 'invalid_request', '/advance'],
    [{ now: '2031-01-01T00:00:00Z', advance: 'P1D' }, 400, 'invalid_request', '/advance'],
    [{}, 400, 'invalid_request', '/now'],
  ] as const)('is not set by %j', async (body, status, code, pointer) => {
    const before = await clockOf(first);
    expectProblem(await send(first, 'put', '/sandbox/clock', body), status, code, pointer);
    expect(await clockOf(first)).toEqual(before);
  });

  it('goes through what falls due, in its order, a year at once', async () => {
    await send(first, 'put', '/products/STAR', { name: 'star', type: 'quantity' });
    const months = Array.from({ length: 12 }, (_, index) => index + 1);
    await send(first, 'put', '/offers/MONTHS', {
      name: 'months',
      price: '1.00',
      currency: 'USD',
      items: months.map((value) => ({
        product_key: 'STAR',
        quantity: value,
        period_unit: 'months',
        period_value: value,
      })),
    });
    const granted = await send(second, 'post', '/grants', { external_id: 'ada', grant_type: 'bonus', sku: 'MONTHS' });
    expect(granted.status, granted.text).toBe(201);
    const held = await send(first, 'post', '/reservations', {
      external_id: 'ada',
      product_key: 'STAR',
      amount: 1,
      ttl_seconds: 60,
    });
    expect(held.status, held.text).toBe(201);
    const begun = await clockOf(first);
    const moved = await send(first, 'put', '/sandbox/clock', { advance: 'P1Y' });
    expect(moved.body).toMatchObject({ complete: true, steps: 13 });
    const ends = (granted.body.batches as Json[]).map(({ expires_at }) => expires_at);
    const { body } = await send(second, 'get', '/wallet/entries?external_id=ada&limit=200');
    const expired = (body.data as Json[]).filter(({ kind }) => kind === 'expire').reverse();
    expect(expired.map(({ occurred_at }) => occurred_at)).toEqual(ends);
    const events = (await send(second, 'get', '/events?external_id=ada&type=batch.expired&wait_s=5')).body
      .data as Json[];
    expect(events.map(({ created_at }) => created_at)).toEqual(ends);
    const [record] = (await send(first, 'get', '/audit?action=clock.set&limit=1')).body.data;
    expect(record).toMatchObject({ before: { now: begun.now }, after: { now: moved.body.now }, key: 'bootstrap' });
  });

  it('grants rewards on its way, at their time', async () => {
    const program = { trigger: 'on_attach', referrer: { sku: 'MONTHS' }, hold_days: 3 };
    expect((await send(first, 'put', '/referral-programs/friends', program)).status).toBe(201);
    for (const external_id of ['eve', 'fay']) await send(first, 'post', '/identify', { external_id });
    const pair = { provider: 'default', referrer_external_id: 'eve', referee_external_id: 'fay' };
    expect((await send(first, 'post', '/referrals', pair)).status).toBe(201);
    await send(first, 'put', '/sandbox/clock', { advance: 'P5D' });
    const [reward] = (await send(second, 'get', '/referrals/rewards?external_id=eve')).body.data;
    expect(reward).toMatchObject({ status: 'granted', granted_at: reward.due_at });
  });

  it('is moved by each of several at once, or refuses', async () => {
    const begun = Date.parse((await clockOf(first)).now);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        send(index % 2 ? first : second, 'put', '/sandbox/clock', { advance: 'PT1H' }),
      ),
    );
    const moved = answers.filter(({ status }) => status === 200);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, 409, 'clock_backwards');
    expect(moved.length).toBeGreaterThan(0);
    expect(Date.parse((await clockOf(first)).now) - begun).toBe(moved.length * 3_600_000);
  });

  it('is not there, and its database is refused, outside of a sandbox', async () => {
    const plain = await start({ isSandbox: false });
    expectProblem(await send(plain, 'get', '/sandbox/clock'), 404, 'route_not_found');
    expectProblem(await send(plain, 'put', '/sandbox/clock', { advance: 'P1D' }), 404, 'route_not_found');
    await expect(guardSandbox(plain.deps)).rejects.toThrow('set by hand');
    await expect(guardSandbox(first.deps)).resolves.toBeUndefined();
  });
});
