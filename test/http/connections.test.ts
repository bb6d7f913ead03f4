// What one connection may cost: bodies that nobody wants, answers that nobody reads, requests that are sent ahead, and bytes that are no request.
import type { ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { BODY_BYTES_MAX, PIPELINED_MAX } from '../../src/http/bounds.js';
import { API_TOKEN, startTestApp, TestClock } from '../support/app.js';
import { useTestDatabase } from '../support/database.js';
import { exchangeRaw, openRaw, readAnswer } from '../support/raw-http.js';
import { waitFor } from '../support/wait.js';

const BASE = '/api/v1/billing';
const TOKEN = `Authorization: Bearer ${API_TOKEN}\r\n`;
const JSON_TYPE = 'Content-Type: application/json\r\n';
const CHUNK = Buffer.alloc(65_536, 'x');

const database = useTestDatabase();
let running: Awaited<ReturnType<typeof startTestApp>>;
/** Of all requests since the test began. */
const responses: ServerResponse[] = [];

beforeAll(async () => {
  running = await startTestApp(database.url, new TestClock());
  running.app.server.prependListener('request', (_request, response) => responses.push(response));
});
afterAll(() => running.close());

const port = () => (running.app.server.address() as AddressInfo).port;

function open() {
  responses.splice(0);
  const opened = openRaw(port());
  onTestFinished(() => void opened.socket.destroy());
  return opened;
}

/** Writes chunks of a body for as long as somebody takes them. */
function writeForEver(socket: Socket, chunk: Buffer): void {
  const write = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}

const closed = (socket: Socket) => waitFor('the end of the connection', () => socket.closed || undefined);
const answersIn = (received: string) => received.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;
const chunked = Buffer.concat([Buffer.from(`${CHUNK.length.toString(16)}\r\n`), CHUNK, Buffer.from('\r\n')]);

describe('a body that has no end', () => {
  it.each([
    ['without a token', `POST ${BASE}/identify`, JSON_TYPE, 401],
    ['to nowhere', 'POST /nothing', JSON_TYPE, 404],
    ['to a malformed path', 'POST /%', JSON_TYPE, 400],
    ['of a type that is not read', `POST ${BASE}/identify`, `${TOKEN}Content-Type: text/plain\r\n`, 415],
    ['that is too large', `POST ${BASE}/identify`, `${TOKEN}${JSON_TYPE}`, 413],
    ['of a GET', 'GET /health/live', '', 200],
  ])('is answered once and left: %s', async (_what, target, lines, status) => {
    const { socket, received } = open();
    socket.write(`${target} HTTP/1.1\r\nHost: x\r\n${lines}Transfer-Encoding: chunked\r\n\r\n`);
    writeForEver(socket, chunked);
    await closed(socket);
    expect(readAnswer(received()).status).toBe(status);
    expect(received().toLowerCase()).toContain('connection: close');
    expect(answersIn(received())).toBe(1);
  });

  it('is not waited for when nothing more of it comes', async () => {
    const { socket, received } = open();
    socket.write(`POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}Content-Length: 1000\r\n\r\n{`);
    await closed(socket);
    expect(readAnswer(received())).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(answersIn(received())).toBe(1);
  });
});

describe('a body that is refused for its size', () => {
  it('is read on for a while, so that whoever sends it all before he reads gets the answer', async () => {
    const length = 4 * BODY_BYTES_MAX;
    const head = `POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\n${TOKEN}${JSON_TYPE}Content-Length: ${length}\r\n\r\n`;
    const { socket, received } = openRaw(port());
    socket.pause();
    let hasFailed = false;
    socket.on('error', () => {
      hasFailed = true;
    });
    await new Promise<void>((sent) => socket.write(head + 'x'.repeat(length), () => sent()));
    socket.resume();
    await closed(socket);
    expect(hasFailed).toBe(false);
    expect(readAnswer(received())).toMatchObject({ status: 413, code: 'payload_too_large' });
  });
});

describe('requests that are sent ahead', () => {
  const ahead = (path: string, count: number) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(count);

  it('are all answered, one after the other', async () => {
    const { socket, received } = open();
    socket.write(ahead('/health/live', PIPELINED_MAX));
    await waitFor('all answers', () => answersIn(received()) === PIPELINED_MAX || undefined);
    expect(received().match(/HTTP\/1\.1 200 /g)).toHaveLength(PIPELINED_MAX);
  });

  it('hold one answer in memory when nobody reads, not all of them', async () => {
    const size = (await running.app.inject('/openapi.json')).body.length;
    const { socket } = open();
    socket.pause();
    socket.write(ahead('/openapi.json', PIPELINED_MAX));
    await waitFor('all requests', () => responses.length === PIPELINED_MAX || undefined);
    await waitFor('an answer that is held up', () => responses.some((one) => one.writableLength > 0) || undefined);
    const held = responses.filter((response) => response.writableLength > 0);
    expect(held).toHaveLength(1);
    expect(held[0]?.writableLength).toBeLessThan(2 * size);
    expect(responses.at(-1)?.headersSent).toBe(false);
  });

  it('are too many at a number: the connection is closed', async () => {
    const { socket } = open();
    socket.pause();
    socket.write(ahead('/openapi.json', 20 * PIPELINED_MAX));
    await waitFor('the end of the connection', () => responses.some((one) => one.req.destroyed) || undefined);
    socket.resume();
    await closed(socket);
    expect(responses.at(-1)?.headersSent).toBe(false);
  });
});

describe('bytes that are no request', () => {
  const body = '{"external_id":"before-garbage"}';
  const good = `POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\n${TOKEN}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}`;

  it('after a request leave it its answer', async () => {
    const received = await exchangeRaw(port(), `${good}garbage\r\n\r\n`);
    expect(readAnswer(received).status).toBe(200);
    expect(answersIn(received)).toBe(1);
  });

  it('within a body are refused in its place', async () => {
    const head = `POST ${BASE}/identify HTTP/1.1\r\nHost: x\r\n${TOKEN}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
    const received = await exchangeRaw(port(), `${head}1\r\n{\r\nzz\r\n`);
    expect(readAnswer(received)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(answersIn(received)).toBe(1);
  });

  it('after an answer are refused', async () => {
    const { socket, received } = open();
    socket.write(good);
    await waitFor('the answer', () => answersIn(received()) === 1 || undefined);
    socket.write('garbage\r\n\r\n');
    await closed(socket);
    expect(answersIn(received())).toBe(2);
    expect(received()).toMatch(/HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 400 /);
  });
});
