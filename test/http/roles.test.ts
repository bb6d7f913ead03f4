// What a process serves in each role (BURSAR_ROLE): a worker answers probes, everything else is for those that serve the API.
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BASE_PATH } from '../../src/http/base-path.js';
import { API_TOKEN, startTestApp, useTestApp } from '../support/app.js';
import { expectProblem } from '../support/requests.js';

const app = useTestApp();

async function startAs(role: 'all' | 'api' | 'worker') {
  const running = await startTestApp(app.url, app.clock, undefined, { role });
  onTestFinished(() => running.close());
  return running.app;
}

/** Every operation of the API, with a path that would reach it. */
async function callsOfTheApi(): Promise<{ method: string; path: string }[]> {
  const { paths } = (await request(app.app.server).get('/openapi.json')).body as {
    paths: Record<string, Record<string, unknown>>;
  };
  const calls = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      method: method.toUpperCase(),
      path: path.replaceAll(/\{[^}]+\}/g, '01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d'),
    })),
  );
  return calls.filter(({ path }) => path.startsWith(BASE_PATH));
}

describe('a worker', () => {
  it('answers probes', async () => {
    const { server } = await startAs('worker');
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await request(server).get(path);
      expect([answer.status, answer.body]).toMatchObject([200, { status: 'ok' }]);
    }
    for (const path of ['/metrics', '/version']) expect((await request(server).get(path)).status, path).toBe(200);
  });

  it('has no route of the API', async () => {
    const worker = await startAs('worker');
    const calls = await callsOfTheApi();
    expect(calls.length).toBeGreaterThanOrEqual(30);
    const headers = { authorization: `Bearer ${API_TOKEN}` };
    const found = [];
    for (const { method, path } of calls) {
      const answer = await worker.inject({
        method: method as 'GET',
        url: path,
        headers,
        ...(method !== 'GET' && { payload: {} }),
      });
      if (answer.statusCode !== 404 || answer.json().code !== 'route_not_found') found.push(`${method} ${path}`);
    }
    expect(found).toEqual([]);
  });
});

describe.each(['all', 'api'] as const)('the role %s', (role) => {
  it('answers probes and the API', async () => {
    const { server } = await startAs(role);
    expect((await request(server).get('/health/ready')).status).toBe(200);
    const headers = { authorization: `Bearer ${API_TOKEN}` };
    expect((await request(server).get(`${BASE_PATH}/catalog`).set(headers)).status).toBe(200);
    const unknown = await request(server).get(`${BASE_PATH}/wallet?external_id=nobody`).set(headers);
    expectProblem(unknown, 404, 'customer_not_found', 'query/external_id');
  });
});
