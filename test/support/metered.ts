// One metered route under each framework, over real HTTP, so that the same tests hold for all of them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { type Bursar, createBursar } from '../../clients/typescript/src/bursar.js';
import * as forExpress from '../../clients/typescript/src/express.js';
import { meterRoutes } from '../../clients/typescript/src/fastify.js';
import * as forHono from '../../clients/typescript/src/hono.js';
import {
  type ChargeSettings,
  createMeter,
  type Meter,
  type Metering,
  type MeterSettings,
  type Report,
} from '../../clients/typescript/src/meter.js';
import { API_TOKEN, type TestApp } from './app.js';

/** What a handler answers, or throws. */
export interface Reply {
  status?: number;
  json?: unknown;
  stream?: AsyncIterable<string>;
}
export type Handler = (metering: Metering) => Promise<Reply> | Reply;
type Charge = ChargeSettings<never>;

interface Route {
  // biome-ignore lint/suspicious/noExplicitAny: the same tests serve the requests of three frameworks
  meter: Meter<any>;
  charges: Charge | Charge[];
  handler: Handler;
  skip?: string[];
}

export interface Framework {
  readonly name: string;
  /** Serves the handler as `POST /work`, and as `POST /free/work`; returns where. */
  serve(route: Route): Promise<{ url: string; close(): Promise<void> }>;
}

const STREAM_TYPE = 'text/event-stream';
const CUSTOMER = /^customer (\S+)$/;

/** Who a request is of, as an application would find out from a session. */
function customerOf(authorization: string | undefined) {
  return { external_id: CUSTOMER.exec(authorization ?? '')?.[1] };
}

export const frameworks: readonly Framework[] = [
  { name: 'Fastify', serve: serveFastify },
  { name: 'Express', serve: serveExpress },
  { name: 'Hono', serve: serveHono },
];

async function serveFastify({ meter, charges, handler, skip }: Route) {
  const app = fastify({ forceCloseConnections: true }); // fetch opens a connection in place of one that was aborted, and leaves it unused
  // with paths to skip the charges are those of all routes, else each route's own
  await app.register(meterRoutes, { meter, ...(skip && { skip, charges: charges as never }) });
  for (const path of ['/work', '/free/work']) {
    app.post(path, { config: skip ? {} : { charges: charges as never } }, async (request, reply) => {
      const { status = 200, json, stream } = await handler(request.metering as Metering);
      reply.code(status);
      return stream ? reply.type(STREAM_TYPE).send(Readable.from(stream)) : json;
    });
  }
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}

async function serveExpress({ meter, charges, handler, skip }: Route) {
  const app = express();
  app.use(forExpress.meterRequests({ meter, charges: charges as never, ...(skip && { skip }) }));
  app.post(['/work', '/free/work'], async (request, response) => {
    const { metering } = request as forExpress.MeteredRequest;
    const { status = 200, json, stream } = await handler(metering as Metering);
    response.status(status);
    if (!stream) return void response.json(json);
    response.type(STREAM_TYPE);
    for await (const chunk of stream) if (!response.destroyed) response.write(chunk);
    return void response.end();
  });
  app.use((_error: unknown, _request: unknown, response: express.Response, _next: unknown) => {
    response.status(500).json({ message: 'failed' });
  });
  return listen(createServer(app), meter);
}

async function serveHono({ meter, charges, handler, skip }: Route) {
  const app = new Hono();
  app.onError((_error, c) => c.json({ message: 'failed' }, 500));
  const metered = app.use(forHono.meterRequests({ meter, charges: charges as never, ...(skip && { skip }) }));
  for (const path of ['/work', '/free/work'] as const) {
    metered.post(path, async (c) => {
      const { status = 200, json, stream } = await handler(c.get('metering'));
      if (!stream) return c.json(json as object, status as 200);
      const body = Readable.toWeb(Readable.from(stream).map((chunk: string) => Buffer.from(chunk)));
      return c.body(body as ReadableStream, status as 200, { 'content-type': STREAM_TYPE });
    });
  }
  return listen(
    createServer((request, response) => void bridge((each) => app.fetch(each), request, response)),
    meter,
  );
}

/** A server of Node for an application of fetch: a client that hangs up aborts the request. */
async function bridge(
  answer: (request: Request) => Response | Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)]);
  const {
    status,
    headers: answered,
    body,
  } = await answer(
    new Request(`http://${request.headers.host}${request.url}`, { method: 'POST', headers, signal: gone.signal }),
  );
  response.writeHead(status, Object.fromEntries(answered));
  if (body) for await (const chunk of body) if (!response.destroyed) response.write(chunk);
  response.end();
}

async function listen(server: Server, meter: Meter<never>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await meter.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** A client of the app under test, which is where it listens. */
export function clientOf(app: TestApp, settings: Partial<Parameters<typeof createBursar>[0]> = {}): Bursar {
  const { port } = app.app.server.address() as AddressInfo;
  return createBursar({ url: `http://127.0.0.1:${port}`, token: API_TOKEN, ...settings });
}

export interface Served {
  url: string;
  /** What the meter reported. */
  reports: Report[];
  /** A request of this customer. */
  work(
    customer: string | undefined,
    more?: { path?: string; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>;
  close(): Promise<void>;
}

/** Serves a metered route until the end of the test. */
export async function serveMetered(
  framework: Framework,
  bursar: Bursar,
  { settings = {}, ...route }: Omit<Route, 'meter'> & { settings?: Partial<MeterSettings<unknown>> },
): Promise<Served> {
  const reports: Report[] = [];
  const meter = await createMeter({
    bursar,
    customer: (request: unknown) => customerOf(authorizationOf(request)),
    fail: 'closed',
    onReport: (report: Report) => reports.push(report),
    ...settings,
  } as MeterSettings<unknown>);
  const { url, close } = await framework.serve({ meter, ...route });
  let closed: Promise<void> | undefined;
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  onTestFinished(closeOnce);
  return {
    url,
    reports,
    close: closeOnce,
    work: (customer, { path = '/work', headers = {}, signal } = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { ...(customer !== undefined && { authorization: `customer ${customer}` }), ...headers },
        ...(signal && { signal }),
      }),
  };
}

function authorizationOf(request: unknown): string | undefined {
  const { headers, req } = request as {
    headers?: Record<string, string>;
    req?: { header(name: string): string | undefined };
  };
  return headers ? headers.authorization : req?.header('authorization');
}
