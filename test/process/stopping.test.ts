// A stop while clients hold on to their connections: what nobody works on is cut after a while, and the process ends in order.
import { once } from 'node:events';
import { Agent, get, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BursarProcess, cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { holdTransaction, untilWaiting } from '../support/parallel.js';
import { openRaw } from '../support/raw-http.js';
import { waitFor } from '../support/wait.js';

const TOKEN = 'token-of-this-test';
const IDENTIFY = `POST /api/v1/billing/identify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
const AHEAD = 50;
/** Far longer than a test takes. */
const DRAIN_MS = 300_000;
const LATER_MS = 3_000;
const CLIENTS = 16;

cleanUpProcesses();
const newDatabase = useTestDatabases();

interface Started {
  bursar: BursarProcess;
  port: number;
  url: string;
  databaseUrl: string;
}

async function startWithToken(env: Record<string, string> = {}): Promise<Started> {
  const databaseUrl = await newDatabase();
  const bursar = startBursar({
    DATABASE_URL: databaseUrl,
    BURSAR_DATA_DIR: newDataDir(),
    BURSAR_API_TOKEN: TOKEN,
    ...env,
  });
  const url = await bursar.ready();
  return { bursar, url, databaseUrl, port: Number(new URL(url).port) };
}

/** Status and Connection header of an answer, and the socket that it came over. */
async function ask(agent: Agent, url: string): Promise<[unknown[], Socket]> {
  const [response] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  const { socket } = response;
  response.resume();
  await once(response, 'end');
  return [[response.statusCode, response.headers.connection], socket];
}

/** Opens a connection, sends this over it, and keeps it. */
async function hold(port: number, bytes: string): Promise<{ socket: Socket; received: () => string }> {
  const opened = openRaw(port);
  onTestFinished(() => void opened.socket.destroy());
  await once(opened.socket, 'connect');
  if (bytes !== '') await new Promise<void>((sent) => opened.socket.write(bytes, () => sent()));
  return opened;
}

describe('a stop', () => {
  it.each([
    ['that sent nothing', ''],
    ['whose request is half a line', 'GET /health/li'],
    ['whose body does not come', `${IDENTIFY}Content-Length: 100\r\n\r\n{"external_id":`],
    ['whose chunks do not end', `${IDENTIFY}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`],
  ])('is not held up by a client %s', async (_what, bytes) => {
    const { bursar, port, url } = await startWithToken();
    const { socket, received } = await hold(port, bytes);
    expect((await fetch(`${url}/health/live`)).status).toBe(200); // by now the server has what the other sent
    bursar.signal('SIGTERM');
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
    await waitFor('the end of the connection', () => socket.closed || undefined);
    expect(received()).toBe('');
    expect(bursar.stdout()).not.toMatch(/"level":(?:[45]0|60)/);
    expect(bursar.stderr()).toBe('');
  });

  it('is not held up by a client that does not read its answers', async () => {
    const { bursar, port, url } = await startWithToken();
    const { socket } = await hold(port, '');
    socket.pause();
    socket.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(AHEAD));
    await waitFor('an answer that is held up', () => socket.readableLength > 0 || undefined);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    bursar.signal('SIGTERM');
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
  });

  it('ends in time while a row that a request waits for is locked elsewhere, and answers the request', async () => {
    const { bursar, url, databaseUrl } = await startWithToken();
    const send = () =>
      fetch(`${url}/api/v1/billing/quota/consume`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ external_id: 'ada', product_key: 'AI_POOL', amount: 1 }),
      });
    expect((await send()).status).toBe(402);
    const held = await holdTransaction(databaseUrl);
    await held.query('SELECT FROM customers FOR UPDATE');
    const waiting = Promise.all([send(), send()]);
    await untilWaiting(databaseUrl, 1, 'at least');
    bursar.signal('SIGTERM');
    for (const answer of await waiting) {
      expect([answer.status, answer.headers.get('connection')]).toEqual([503, 'close']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({ code: 'unavailable' });
    }
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
    expect(bursar.stdout()).not.toMatch(/"level":(?:50|60)/);
    expect(bursar.stderr()).toBe('');
    await held.rollback();
  });

  it('with a drain delay goes on serving at first, as not ready and on connections that end; a later signal ends the delay', async () => {
    const { bursar, url } = await startWithToken({ BURSAR_DRAIN_MS: String(DRAIN_MS), LOG_LEVEL: 'info' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const [before, socket] = await ask(agent, `${url}/health/live`);
    expect(before).toEqual([200, 'keep-alive']);
    bursar.signal('SIGTERM');
    await waitFor(
      'the process not to be ready',
      async () => (await fetch(`${url}/health/ready`)).status === 503 || undefined,
    );
    const sinceMs = performance.now();
    const [after, same] = await ask(agent, `${url}/health/live`);
    expect(after).toEqual([200, 'close']);
    expect(same).toBe(socket);
    const identified = await fetch(`${url}/api/v1/billing/identify`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{"external_id":"ada"}',
    });
    expect([identified.status, identified.headers.get('connection')]).toEqual([200, 'close']);
    await waitFor(
      'more time than two copies of one signal are apart',
      () => performance.now() - sinceMs > LATER_MS || undefined,
    );
    bursar.signal('SIGTERM');
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
  });

  it('takes the copy of a signal that npm passes on for that, however late it comes', async () => {
    const { bursar, url } = await startWithToken({ BURSAR_DRAIN_MS: String(DRAIN_MS), npm_lifecycle_event: 'start' });
    const notReady = async () => (await fetch(`${url}/health/ready`)).status === 503 || undefined;
    bursar.signal('SIGTERM');
    await waitFor('the process not to be ready', notReady);
    const sinceMs = performance.now();
    await waitFor('a copy that is late', () => performance.now() - sinceMs > LATER_MS || undefined);
    bursar.signal('SIGTERM');
    await waitFor('an answer after it', notReady);
    bursar.signal('SIGTERM');
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
  });

  it('under load answers every request, by one that serves or not at all, and tells of it in the log', async () => {
    const { bursar, url } = await startWithToken({ BURSAR_DRAIN_MS: '1000', LOG_LEVEL: 'info' });
    const answered: unknown[] = [];
    const client = async (name: string): Promise<void> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => agent.destroy());
      for (;;) {
        const sending = request(`${url}/api/v1/billing/grants`, {
          agent,
          method: 'POST',
          headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        });
        sending.end(JSON.stringify({ external_id: name, grant_type: 'bonus', product_key: 'AI_POOL', quantity: 1 }));
        const [response] = (await once(sending, 'response')) as [IncomingMessage];
        response.resume();
        await once(response, 'end');
        answered.push(response.statusCode);
        if (response.headers.connection === 'close') return;
      }
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(`client-${index}`)));
    await waitFor('load', () => answered.length >= 5 * CLIENTS || undefined);
    bursar.signal('SIGTERM');
    await clients; // whoever is cut off instead of answered fails here
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
    expect(new Set(answered)).toEqual(new Set([201]));
    const told = bursar.stdout().split('\n');
    for (const line of ['stopping', 'no more connections are taken; what is under way is answered', 'stopped'])
      expect(told.filter((each) => each.includes(`"msg":"${line}"`))).toHaveLength(1);
    expect(bursar.stdout()).toContain('"is_clean":true');
    expect(bursar.stdout()).not.toContain('not done in time');
    expect(bursar.stdout()).not.toMatch(/"level":(?:[45]0|60)/);
  });

  it('with a drain delay ends by itself', async () => {
    const { bursar } = await startWithToken({ BURSAR_DRAIN_MS: '100' });
    bursar.signal('SIGTERM');
    expect(await bursar.exited(), bursar.stdout()).toEqual({ code: 0, signal: null });
  });
});
