// What Prometheus scrapes: counts of what happened, by names that callers do not choose, and how late things are in the database.

import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addJobs } from '../../src/db/jobs.js';
import { API_TOKEN, grantUnits, putProduct, startTestApp, useTestApp } from '../support/app.js';
import { readMetrics } from '../support/metrics.js';
import { expectProblem } from '../support/requests.js';
import { waitFor } from '../support/wait.js';

const app = useTestApp();
const scrape = async (server = app.app.server) => {
  const answer = await request(server).get('/metrics');
  expect(answer.status).toBe(200);
  return readMetrics(answer.text);
};

describe('GET /metrics', () => {
  it('is text of Prometheus, for anybody where no token is set', async () => {
    const answer = await request(app.app.server).get('/metrics');
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toContain('# TYPE bursar_http_requests_total counter');
  });

  it('with a token is for whoever sends it, and no other token', async () => {
    const running = await startTestApp(app.url, app.clock, undefined, { metricsToken: 'for-prometheus' });
    onTestFinished(() => running.close());
    const ask = (authorization?: string) => {
      const asking = request(running.app.server).get('/metrics');
      return authorization === undefined ? asking : asking.set({ authorization });
    };
    for (const refused of [undefined, 'for-prometheus', 'Bearer for-prometheus2', `Bearer ${API_TOKEN}`]) {
      const answer = await ask(refused);
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
    }
    expect((await ask('Bearer for-prometheus')).status).toBe(200);
  });

  it('counts answers by route pattern, status and code, and how long they took', async () => {
    await app.get('/orders/01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d');
    await app.get('/orders/01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4e');
    await request(app.app.server).get('/nowhere/ada@example.org');
    const { value, text } = await scrape();
    const route = { method: 'GET', route: '/api/v1/billing/orders/:id' };
    expect(value('bursar_http_requests_total', { ...route, status: '404', code: 'order_not_found' })).toBe(2);
    expect(value('bursar_http_request_duration_seconds_count', route)).toBe(2);
    const unknown = { method: 'GET', route: 'unknown', status: '404', code: 'route_not_found' };
    expect(value('bursar_http_requests_total', unknown)).toBe(1);
    expect(text).not.toMatch(/ada@example|01930f5e/);
  });

  it('counts what never became a request', async () => {
    const { port } = app.app.server.address() as AddressInfo;
    const before = await scrape();
    const labels = { method: 'none', route: 'unreadable', status: '400', code: 'invalid_request' };
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end('nonsense\r\n\r\n'));
    socket.resume();
    await waitFor('the count', async () => {
      const { value } = await scrape();
      return (
        value('bursar_http_requests_total', labels) === (before.value('bursar_http_requests_total', labels) ?? 0) + 1 ||
        undefined
      );
    });
  });

  it('tells what became of operations, alone and in bulk, what was written of it, and how they shared transactions', async () => {
    await putProduct(app, 'METERED');
    const before = await scrape();
    await grantUnits(app, 'ada', 'METERED', 5);
    const use = { external_id: 'ada', product_key: 'METERED', amount: 2 };
    await app.post('/quota/consume', use, { 'idempotency-key': 'once' });
    await app.post('/quota/consume', use, { 'idempotency-key': 'once' });
    await app.post('/quota/consume', { ...use, amount: 9 });
    await app.post('/quota/consume/batch', { mode: 'atomic', items: [use, { ...use, amount: 99 }] });
    const after = await scrape();
    const grown = (name: string, labels: Record<string, string>) =>
      (after.value(name, labels) ?? 0) - (before.value(name, labels) ?? 0);
    expect(grown('bursar_verdicts_total', { operation: 'quota.consume', code: 'accepted' })).toBe(1);
    expect(grown('bursar_verdicts_total', { operation: 'quota.consume', code: 'replayed' })).toBe(1);
    expect(grown('bursar_verdicts_total', { operation: 'quota.consume', code: 'insufficient_quota' })).toBe(2);
    expect(grown('bursar_events_total', { type: 'batch.granted' })).toBe(1);
    expect(grown('bursar_lane_batch_requests_count', {})).toBe(3);
    expect(after.value('bursar_lane_waiting_requests')).toBe(0);
    expect(after.value('bursar_lane_lock_waiting_requests')).toBe(0);
  });

  it('tells of the process, its connections, and which build it is', async () => {
    const { value, labelsOf } = await scrape();
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
    expect(value('bursar_pool_connections_max')).toBe(app.deps.config.poolSize);
    expect(value('bursar_pool_connections', { state: 'in_use' })).toBe(0);
    expect(value('bursar_pool_waiting_requests')).toBe(0);
    expect(value('bursar_http_requests_under_way')).toBe(0);
    expect(labelsOf('bursar_info')).toMatchObject([{ node: process.versions.node, role: 'all' }]);
  });

  it('tells how late the event loop was', async () => {
    await waitFor('a moment', async () => {
      const { value } = await scrape();
      return (value('bursar_event_loop_delay_seconds_count') ?? 0) > 0 || undefined;
    });
  });

  it('tells how late things are in the database, which is asked every few seconds at most', async () => {
    await addJobs(app.deps.db, [{ name: 'sweep', intervalMs: 60_000, lateAfterMs: 180_000 }]);
    await app.deps.db.query(`UPDATE jobs SET next_due_at = now() - interval '1 hour' WHERE name = 'sweep'`);
    const running = await startTestApp(app.url, app.clock);
    onTestFinished(() => running.close());
    const { value } = await scrape(running.app.server);
    expect(value('bursar_database_up')).toBe(1);
    expect(value('bursar_job_late', { job: 'sweep' })).toBe(1);
    expect(value('bursar_job_lag_seconds', { job: 'sweep' })).toBeGreaterThanOrEqual(3_600);
    for (const name of [
      'feed_blocked_seconds',
      'webhook_behind_events',
      'webhook_waiting_deliveries',
      'webhook_parked_deliveries',
    ])
      expect(value(`bursar_${name}`), name).toBeGreaterThanOrEqual(0);
    await app.deps.db.query(`UPDATE jobs SET next_due_at = now() WHERE name = 'sweep'`);
    expect((await scrape(running.app.server)).value('bursar_job_late', { job: 'sweep' })).toBe(1);
  });

  it('goes on without a database, and says so', async () => {
    const running = await startTestApp(app.url, app.clock);
    onTestFinished(() => running.close());
    running.deps.db.query = () => Promise.reject(new Error('away'));
    const { value } = await scrape(running.app.server);
    expect(value('bursar_database_up')).toBe(0);
    expect(value('bursar_webhook_behind_events')).toBeUndefined();
  });
});

describe('GET /version', () => {
  it('tells version, commit and Node, to anybody', async () => {
    const answer = await request(app.app.server).get('/version');
    expect(answer.body).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      commit: null,
      node: process.versions.node,
    });
  });
});
