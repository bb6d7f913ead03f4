// Connections that died in silence, behind a proxy or a network that forgot them: each would cost its next user the whole time that an answer may take. Who
// borrows one that was not used for long, or since another one failed, asks it something first, with little patience.
import type pg from 'pg';
import { sqlStateOf } from './errors.js';

export interface ProbeOptions {
  /** Not used for so long, a connection is asked first. */
  probeAfterMs: number;
  probeTimeoutMs: number;
}

export const PROBES: ProbeOptions = { probeAfterMs: 30_000, probeTimeoutMs: 2_000 };

type Callback = (error: Error | undefined, client?: pg.PoolClient, release?: pg.PoolClient['release']) => void;

/** Makes a pool lend living connections only. The one that does not answer takes with it all that were not used since it was. */
export function lendLivingOnly(pool: pg.Pool, { probeAfterMs, probeTimeoutMs }: ProbeOptions): void {
  const usedAtMs = new WeakMap<object, number>();
  /** When a connection failed in use: those that were last used before it are asked. */
  let failedAtMs = -Infinity;
  /** When one was last used that did not answer: those that were not used since are closed unasked. */
  let deadAtMs = -Infinity;
  pool.on('release', (error, client) => {
    if (!error) usedAtMs.set(client, performance.now());
    else if (sqlStateOf(error) === undefined) failedAtMs = performance.now(); // a refusal is an answer, too
  });
  const connect = pool.connect.bind(pool) as (callback: Callback) => void;

  /** Undefined for one that is new. */
  const isTrusted = (usedMs: number | undefined): boolean =>
    usedMs === undefined || (usedMs > failedAtMs && performance.now() - usedMs < probeAfterMs);

  const lend = (callback: Callback): void => {
    connect((error, client, release) => {
      const usedMs = client && usedAtMs.get(client);
      if (!client || isTrusted(usedMs)) return callback(error, client, release);
      if (usedMs !== undefined && usedMs <= deadAtMs) {
        client.release(true);
        return lend(callback);
      }
      void answers(client, probeTimeoutMs).then((isAlive) => {
        if (isAlive) return callback(undefined, client, release);
        deadAtMs = usedMs ?? deadAtMs;
        client.release(true);
        return lend(callback);
      });
    });
  };
  pool.connect = ((callback?: Callback) => {
    if (callback) return lend(callback);
    return new Promise((resolve, reject) => {
      lend((error, client) => (client ? resolve(client) : reject(error)));
    });
  }) as pg.Pool['connect'];
}

async function answers(client: pg.PoolClient, timeoutMs: number): Promise<boolean> {
  try {
    await client.query({ text: 'SELECT 1', query_timeout: timeoutMs } as pg.QueryConfig);
    return true;
  } catch {
    return false;
  }
}
