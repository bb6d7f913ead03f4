// Under load requests are turned away, the dear ones first, with a time to come back; probes and scrapes never.
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { levelOf } from '../../src/http/load-shedding.js';
import { API_TOKEN, grantUnits, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { readMetrics } from '../support/metrics.js';
import { customerIdOf, holdCustomers } from '../support/parallel.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const authorization = `Bearer ${API_TOKEN}`;
const DEAR = ['/customers', '/orders', '/events', '/invariants', '/audit'];

async function startWith(shedding: { delayMs: number | null; requests: number | null }) {
  const running = await startTestApp(app.url, app.clock, undefined, { shedding });
  onTestFinished(() => running.close());
  const get = (url: string) => running.app.inject({ method: 'GET', url, headers: { authorization } });
  const consume = (externalId: string) =>
    running.app.inject({
      method: 'POST',
      url: `${BASE_PATH}/quota/consume`,
      headers: { authorization },
      payload: { external_id: externalId, product_key: 'METERED', amount: 1 },
    });
  return { running, get, consume };
}

describe('whom a load turns away', () => {
  const limits = { delayMs: 100, requests: 10 };
  it.each([
    [0, 0, 0],
    [100, 10, 0],
    [101, 0, 1],
    [0, 11, 1],
    [400, 80, 1],
    [401, 0, 2],
    [0, 81, 2],
    [101, 81, 2],
  ])('a delay of %i ms and %i requests: %i', (delayMs, requests, level) => {
    expect(levelOf({ delayMs, requests }, limits)).toBe(level);
    expect(levelOf({ delayMs, requests }, { delayMs: null, requests: null })).toBe(0);
  });
});

describe('many requests under way', () => {
  it('turn away what is dear, then the rest, until they are done', async () => {
    await putProduct(app, 'METERED');
    for (const customer of ['ada', 'bob']) await grantUnits(app, customer, 'METERED', 100);
    const { running, get, consume } = await startWith({ delayMs: null, requests: 1 });
    const held = await holdCustomers(app.url, await customerIdOf(app, 'ada'));
    const level = async () => readMetrics((await get('/metrics')).body).value('bursar_shedding');
    const waiting = [consume('ada'), consume('ada')];
    await waitFor('two requests under way', () => running.app.underWay.count() === 2 || undefined);
    for (const path of DEAR) {
      const answer = await get(`${BASE_PATH}${path}`);
      expect([answer.statusCode, answer.json().code, answer.headers['retry-after']], path).toEqual([
        503,
        'overloaded',
        '2',
      ]);
    }
    expect((await consume('bob')).statusCode).toBe(200);
    expect(await level()).toBe(1);

    waiting.push(...Array.from({ length: 7 }, () => consume('ada')));
    await waitFor('nine requests under way', () => running.app.underWay.count() === 9 || undefined);
    expect((await consume('bob')).json()).toMatchObject({ status: 503, code: 'overloaded' });
    expect(await level()).toBe(2);
    for (const path of ['/health/live', '/health/ready', '/version', '/metrics', '/openapi.json'])
      expect((await get(path)).statusCode, path).toBe(200);
    expect((await request(running.app.server).get('/nowhere')).status).toBe(404);

    await held.rollback();
    expect((await Promise.all(waiting)).map(({ statusCode }) => statusCode)).toEqual(Array(9).fill(200));
    expect((await get(`${BASE_PATH}/customers`)).statusCode).toBe(200);
    expect(await level()).toBe(0);
  });
});

describe('an event loop that is late', () => {
  it('turns away what is dear, until it is in time again', async () => {
    const { get } = await startWith({ delayMs: 20, requests: null });
    await waitFor('a list that is turned away', async () => {
      const untilMs = performance.now() + 200;
      while (performance.now() < untilMs); // nothing else gets a turn
      const answer = await get(`${BASE_PATH}/customers`);
      return answer.json().code === 'overloaded' || undefined;
    });
    await waitFor('a list', async () => (await get(`${BASE_PATH}/customers`)).statusCode === 200 || undefined);
  });
});
