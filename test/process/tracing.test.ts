// Spans of requests reach a collector: those whose caller records its trace, and those that begin here.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';

cleanUpProcesses();
const newDatabase = useTestDatabases();
const TOKEN = 'token-of-this-test';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[];
  status: { code?: number };
}
interface Sent {
  resourceSpans: { resource: { attributes: Span['attributes'] }; scopeSpans: { spans: Span[] }[] }[];
}

async function startCollector(): Promise<{ url: string; received: { path: string; key: unknown; body: Sent }[] }> {
  const received: { path: string; key: unknown; body: Sent }[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request)) as Sent;
    received.push({ path: `${request.method} ${request.url}`, key: request.headers['x-key'], body });
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received };
}

it('sends a span of each request that is recorded, with its route and what became of it', async () => {
  const collector = await startCollector();
  const bursar = startBursar({
    DATABASE_URL: await newDatabase(),
    BURSAR_DATA_DIR: newDataDir(),
    BURSAR_API_TOKEN: TOKEN,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Key=of%20the%20test',
  });
  const url = await bursar.ready();
  const beganMs = performance.timeOrigin + performance.now();
  const get = async (path: string, traceparent?: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, ...(traceparent !== undefined && { traceparent }) };
    return (await fetch(`${url}${path}`, { headers })).status;
  };
  const statuses = [
    await get('/api/v1/billing/orders/01930f5e-8c3a-7b1e-9d52-3f0c6a1b2c4d', `00-${TRACE}-${PARENT}-01`),
    await get('/api/v1/billing/catalog'),
    await get('/api/v1/billing/catalog', `00-${TRACE.replace('4', '5')}-${PARENT}-00`), // its caller does not record it
    await get('/health/live'),
  ];
  expect(statuses).toEqual([404, 200, 200, 200]);
  bursar.signal('SIGTERM'); // sends what is left
  expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });

  expect(new Set(collector.received.map(({ path, key }) => `${path} ${key}`))).toEqual(
    new Set(['POST /v1/traces of the test']),
  );
  const sent = collector.received.flatMap(({ body }) => body.resourceSpans);
  expect(sent[0]?.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'bursar' } });
  const spans = sent.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  expect(spans).toEqual([
    expect.objectContaining({
      traceId: TRACE,
      parentSpanId: PARENT,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      name: 'GET /api/v1/billing/orders/:id',
      kind: 2,
      attributes: expect.arrayContaining([
        { key: 'http.response.status_code', value: { intValue: '404' } },
        { key: 'bursar.code', value: { stringValue: 'order_not_found' } },
      ]),
      status: {},
    }),
    expect.objectContaining({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'GET /api/v1/billing/catalog',
      attributes: expect.arrayContaining([{ key: 'http.route', value: { stringValue: '/api/v1/billing/catalog' } }]),
    }),
  ]);
  for (const { startTimeUnixNano, endTimeUnixNano } of spans) {
    expect(Number(startTimeUnixNano) / 1e6).toBeGreaterThan(beganMs - 1_000);
    expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
  }
});
