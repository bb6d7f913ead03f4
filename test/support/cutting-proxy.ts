// A TCP proxy before Postgres that fails at the worst moment: around a COMMIT, so that the client can't know what became of it, or by spoiling
// a statement on its way.
import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * Where the connection is cut: before the server gets the COMMIT, once the server has it (which may still be carrying it out), or after it
 * carried it out and before the client hears of it.
 */
export type Cut = 'before the commit' | 'during the commit' | 'after the commit';

/** A connection that stays open and says no more: the COMMIT never comes to the server, or its answer never comes back. */
export type Stall = 'before the commit' | 'after the commit';

export interface CuttingProxy {
  /** The database's URL through the proxy. */
  url: string;
  /** Cuts the next connection that sends a COMMIT, once; `passing` so many COMMITs first. */
  cutNext(cut: Cut, passing?: number): void;
  /** Makes the next connection that sends a COMMIT dumb, once. It ends when the client closes it. */
  stallNext(stall: Stall): void;
  /** Makes all connections that there are dumb and deaf: what they are sent is lost. Others may be made. */
  forgetAll(): void;
  /** How many queries were sent on connections that are forgotten. */
  countLost(): number;
  /** Replaces these bytes by others of the same length, the next time that a client sends them, once; `passing` so many times first. */
  spoilNext(from: string, to: string, passing?: number): void;
  /** How many connections were cut or made dumb, or statements spoilt, since that was last asked for. */
  countCut(): number;
  close(): void;
}

interface Plan {
  passing: number;
  cut: Cut | undefined;
  stall: Stall | undefined;
}

/** Starts a proxy before the database of `url`; it ends with the test. */
export async function startCuttingProxy(url: string): Promise<CuttingProxy> {
  const proxy = await openCuttingProxy(url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Like `startCuttingProxy`, for a whole file; close it when its users are closed. */
export async function openCuttingProxy(url: string): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let plan: Plan | undefined;
  let spoiling: { from: string; to: string; passing: number } | undefined;
  let cuts = 0;
  let lost = 0;
  const forgetting = new Set<() => void>();

  /** What is planned for a COMMIT that just came. */
  function takePlan(): Plan | undefined {
    if (!plan) return undefined;
    if (plan.passing > 0) {
      plan.passing -= 1;
      return undefined;
    }
    const taken = plan;
    plan = undefined;
    cuts += 1;
    return taken;
  }

  function spoil(bytes: Buffer): Buffer {
    if (!spoiling || !bytes.includes(spoiling.from)) return bytes;
    if (spoiling.passing > 0) {
      spoiling.passing -= 1;
      return bytes;
    }
    const { from, to } = spoiling;
    spoiling = undefined;
    cuts += 1;
    const spoilt = Buffer.from(bytes);
    spoilt.write(to, bytes.indexOf(from));
    return spoilt;
  }

  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let atReply: 'pass' | 'cut' | 'swallow' = 'pass';
    let isDeaf = false;
    let isForgotten = false;
    const forget = () => {
      isForgotten = true;
    };
    forgetting.add(forget);
    /** The server goes on with what it has, and is left once it has answered the COMMIT: leaving it earlier could take the COMMIT from it. */
    let isLeft = false;
    const end = () => {
      client.destroy();
      if (!isLeft) upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        forgetting.delete(forget);
        end();
      });
      socket.on('error', end);
    }
    client.on('data', (bytes) => {
      if (isForgotten && bytes.includes('SELECT')) lost += 1;
      if (isDeaf || isForgotten) return;
      const planned = bytes.includes('COMMIT') ? takePlan() : undefined;
      if (planned?.cut === 'during the commit') {
        isLeft = true;
        upstream.write(bytes);
        return end();
      }
      if (planned?.cut === 'before the commit') return end();
      if (planned?.cut === 'after the commit') atReply = 'cut';
      if (planned?.stall) atReply = 'swallow';
      isDeaf = planned?.stall === 'before the commit';
      if (!isDeaf) upstream.write(spoil(bytes));
    });
    upstream.on('data', (bytes) => {
      // the statements before the COMMIT are answered before it
      const isEnd = /COMMIT|ROLLBACK/.test(bytes.toString('latin1'));
      if (isLeft) {
        if (isEnd) upstream.destroy();
      } else if (atReply === 'cut' && isEnd) end();
      else if (atReply !== 'swallow') client.write(bytes);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxied = new URL(url);
  proxied.hostname = '127.0.0.1';
  proxied.port = String(address.port);
  return {
    url: proxied.toString(),
    cutNext: (cut, passing = 0) => {
      cuts = 0;
      plan = { passing, cut, stall: undefined };
    },
    stallNext: (stall) => {
      cuts = 0;
      plan = { passing: 0, cut: undefined, stall };
    },
    forgetAll: () => {
      lost = 0;
      for (const forget of forgetting) forget();
    },
    countLost: () => lost,
    spoilNext: (from, to, passing = 0) => {
      cuts = 0;
      spoiling = { from, to, passing };
    },
    countCut: () => cuts,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
