// A stand-in for the API of a payment provider: answers what a test lays down by method and path, and tells what it was asked.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Json } from './app.js';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface ProviderStub {
  readonly url: string;
  readonly asked: Asked[];
  /** Answers this from now on, of several the next each time and then the last. */
  answer(method: string, path: string, ...answers: { status: number; body: Json }[]): void;
}

/** Gives the calling file a stand-in; what it was told is forgotten before each test. What nobody laid down is 404. */
export function useProviderStub(): ProviderStub {
  const answers = new Map<string, { status: number; body: Json }[]>();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const path = url.split('?')[0] ?? '';
      asked.push({ method, path: url, headers, body: Buffer.concat(chunks).toString('utf8') });
      const laid = answers.get(`${method} ${path}`) ?? [];
      const { status, body } = (laid.length > 1 ? laid.shift() : laid[0]) ?? { status: 404, body: { error: {} } };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    answers.clear();
    asked.length = 0;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    get url() {
      return url;
    },
    asked,
    answer: (method, path, ...given) => {
      answers.set(`${method} ${path}`, given);
    },
  };
}
