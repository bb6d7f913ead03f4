// A receiver of webhooks: a real server on loopback, which verifies every signature by the library's own verifier and answers as a test says.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach } from 'vitest';
import type { Json } from './app.js';

export interface Received {
  id: string;
  body: Json;
  /** The body as it came. */
  text: string;
  signatures: number;
  path: string;
}

export type Answer = (outgoing: ServerResponse, received: Received, incoming: IncomingMessage) => void;

export interface Receiver {
  url: string;
  port: number;
  /** What arrived with a signature that is right, answered or not. */
  received: Received[];
  /** Requests whose signature was wrong. */
  forged: string[];
  /** Attempts that are under way, and how many were at most, of one message at a time. */
  underWayMax(): number;
  answerBy(answer: Answer): void;
  verifyBy(secret: string): void;
  stop(): Promise<void>;
}

const ok: Answer = (outgoing) => outgoing.writeHead(204).end();
const running: Receiver[] = [];

/** Must be called once by a file that starts receivers. */
export function cleanUpReceivers(): void {
  afterEach(async () => {
    for (const receiver of running.splice(0)) await receiver.stop();
  });
}

export async function startReceiver(port = 0): Promise<Receiver> {
  let answer = ok;
  let secret: string | undefined;
  let underWayMax = 0;
  const underWay = new Map<string, number>();
  const received: Received[] = [];
  const forged: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    outgoing.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const id = String(incoming.headers['webhook-id']);
    const signatures = String(incoming.headers['webhook-signature']).split(' ').length;
    try {
      if (secret !== undefined) new Webhook(secret).verify(text, incoming.headers as Record<string, string>);
    } catch (error) {
      forged.push((error as Error).message);
      outgoing.writeHead(401).end();
      return;
    }
    const one = { id, body: JSON.parse(text) as Json, text, signatures, path: incoming.url ?? '' };
    received.push(one);
    underWay.set(id, (underWay.get(id) ?? 0) + 1);
    underWayMax = Math.max(underWayMax, underWay.get(id) ?? 0);
    outgoing.once('close', () => underWay.set(id, (underWay.get(id) ?? 1) - 1));
    answer(outgoing, one, incoming);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${bound}/hooks`,
    port: bound,
    received,
    forged,
    underWayMax: () => underWayMax,
    answerBy: (other) => {
      answer = other;
    },
    verifyBy: (other) => {
      secret = other;
    },
    stop: async () => {
      server.closeAllConnections();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  running.push(receiver);
  return receiver;
}
