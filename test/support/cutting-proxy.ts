// A TCP proxy before Postgres that loses a connection at the worst moment: around a COMMIT, so that the client can't know what became of it.
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Where the connection is cut: before the server gets the COMMIT, once the server has it (which may still be carrying it out), or after it
 * carried it out and before the client hears of it.
 */
export type Cut = 'before the commit' | 'during the commit' | 'after the commit';

export interface CuttingProxy {
  /** The database's URL through the proxy. */
  url: string;
  /** Cuts the next connection that sends a COMMIT, once. */
  cutNext(cut: Cut): void;
  /** How many connections were cut. */
  countCut(): number;
}

/** Starts a proxy before the database of `url`; it ends with the test. */
export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let planned: Cut | undefined;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let isCutAtReply = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
      socket.on('error', end);
    }
    client.on('data', (bytes) => {
      if (planned !== undefined && bytes.includes('COMMIT')) {
        const cut = planned;
        isCutAtReply = cut === 'after the commit';
        planned = undefined;
        cuts += 1;
        if (cut === 'during the commit') return void upstream.write(bytes, end);
        if (cut === 'before the commit') return end();
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (isCutAtReply) end();
      else client.write(bytes);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(address.port);
  return {
    url: proxied.toString(),
    cutNext: (cut) => {
      planned = cut;
    },
    countCut: () => cuts,
  };
}
