// A connection pooler in transaction mode, as small as it can be: few sessions of the server, each lent to a client for one transaction and handed on as
// it was left. Nobody logs in at it, and what a client asks for when it connects is ignored.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import pg from 'pg';
import { onTestFinished } from 'vitest';

const STARTUP_HEAD_BYTES = 4;
const MESSAGE_HEAD_BYTES = 5;
const TYPE_TERMINATE = 'X';
const TYPE_READY = 'Z';
const STATUS_IDLE = 'I';
/** AuthenticationOk, and ReadyForQuery in no transaction. */
const GREETING = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1');

/** A session of the server, and the client that has it. */
interface Session {
  stream: Socket;
  holder: Socket | undefined;
}

/** Starts a pooler with so many sessions before the database of `url`, each with these options; it ends with the test. Returns the URL through it. */
export async function startPoolingProxy(url: string, size: number, options: string): Promise<string> {
  const sessions = await Promise.all(Array.from({ length: size }, () => openSession(url, options)));
  const waiting: (() => void)[] = [];
  const clients = new Set<Socket>();

  function lend(client: Socket): Promise<Session> {
    return new Promise((settle) => {
      const tryNow = () => {
        const free = sessions.find(({ holder }) => !holder);
        if (!free) return void waiting.push(tryNow);
        free.holder = client;
        settle(free);
      };
      tryNow();
    });
  }

  for (const session of sessions) {
    const split = splitMessages();
    session.stream.on('data', (bytes) => {
      for (const message of split(bytes)) {
        session.holder?.write(message);
        if (typeOf(message) !== TYPE_READY || message.toString('latin1', MESSAGE_HEAD_BYTES) !== STATUS_IDLE) continue;
        session.holder = undefined;
        waiting.shift()?.();
      }
    });
  }

  async function serve(client: Socket): Promise<void> {
    const split = splitMessages(STARTUP_HEAD_BYTES);
    let isStarted = false;
    for await (const bytes of client) {
      for (const message of split(bytes as Buffer)) {
        if (!isStarted) client.write(GREETING);
        else if (typeOf(message) === TYPE_TERMINATE) return void client.end();
        else {
          const session = sessions.find(({ holder }) => holder === client) ?? (await lend(client));
          session.stream.write(message);
        }
        isStarted = true;
      }
    }
  }

  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => client.destroy());
    void serve(client).catch(() => client.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    for (const socket of [...clients, ...sessions.map(({ stream }) => stream)]) socket.destroy();
    server.close();
  });
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxied.toString();
}

/** Logs in, and takes the socket from the driver. */
async function openSession(url: string, options: string): Promise<Session> {
  const client = new pg.Client({ connectionString: url, options });
  client.on('error', () => undefined); // it ends with the socket
  await client.connect();
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.removeAllListeners('data');
  return { stream, holder: undefined };
}

function typeOf(message: Buffer): string {
  return message.toString('latin1', 0, 1);
}

/** Cuts a stream of bytes into messages: a type, which the first one lacks if its head is so short, a length that counts itself, and content. */
function splitMessages(firstHeadBytes = MESSAGE_HEAD_BYTES): (bytes: Buffer) => Buffer[] {
  let rest: Buffer = Buffer.alloc(0);
  let headBytes = firstHeadBytes;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const messages: Buffer[] = [];
    while (rest.length >= headBytes) {
      const typeBytes = headBytes - STARTUP_HEAD_BYTES;
      const end = typeBytes + rest.readUInt32BE(typeBytes);
      if (rest.length < end) break;
      messages.push(rest.subarray(0, end));
      rest = rest.subarray(end);
      headBytes = MESSAGE_HEAD_BYTES;
    }
    return messages;
  };
}
