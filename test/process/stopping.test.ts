// A stop while clients hold on to their connections: what nobody works on is cut after a while, and the process ends in order.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BursarProcess, cleanUpProcesses, newDataDir, startBursar } from '../support/bursar-process.js';
import { useTestDatabases } from '../support/database.js';
import { openRaw } from '../support/raw-http.js';
import { waitFor } from '../support/wait.js';

const TOKEN = 'token-of-this-test';
const IDENTIFY = `POST /api/v1/billing/identify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
const AHEAD = 50;

cleanUpProcesses();
const newDatabase = useTestDatabases();

async function startWithToken(): Promise<{ bursar: BursarProcess; port: number; url: string }> {
  const bursar = startBursar({
    DATABASE_URL: await newDatabase(),
    BURSAR_DATA_DIR: newDataDir(),
    BURSAR_API_TOKEN: TOKEN,
  });
  const url = await bursar.ready();
  return { bursar, url, port: Number(new URL(url).port) };
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

  it('gives a body that still comes time to come', async () => {
    const { bursar, port, url } = await startWithToken();
    const body = '{"external_id":"bob"}';
    const { socket, received } = await hold(port, `${IDENTIFY}Content-Length: ${body.length}\r\n\r\n{`);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    bursar.signal('SIGTERM');
    await waitFor('the port to close', () =>
      fetch(url)
        .then(() => undefined)
        .catch(() => true),
    );
    socket.write(body.slice(1));
    expect(await bursar.exited()).toEqual({ code: 0, signal: null });
    expect(received()).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  });
});
