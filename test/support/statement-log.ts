// What an app sends to the database: every statement of its pool's connections, in which order, and with how many answers still to come.
import type pg from 'pg';
import { onTestFinished } from 'vitest';

export interface Sent {
  text: string;
  /** Counts the round trips of its connection: a statement that is sent while another is under way shares its trip. */
  trip: number;
}

type Send = (...given: [string | { text?: string }, ...unknown[]]) => unknown;

/** Logs what is sent until the test ends, by connection. Only connections that are lent from now on are seen. */
export function logStatements(pool: pg.Pool): Map<pg.PoolClient, Sent[]> {
  const logs = new Map<pg.PoolClient, Sent[]>();
  const watch = (client: pg.PoolClient): void => {
    if (logs.has(client)) return;
    const log: Sent[] = [];
    logs.set(client, log);
    const { query } = client;
    let pending = 0;
    let trip = 0;
    const send: Send = (...given) => {
      const sending = Reflect.apply(query, client, given);
      const [first] = given;
      if (pending === 0) trip += 1;
      pending += 1;
      log.push({ text: typeof first === 'string' ? first : (first.text ?? ''), trip });
      const done = (): void => {
        pending -= 1;
      };
      Promise.resolve(sending).then(done, done);
      return sending;
    };
    Object.assign(client, { query: send });
    onTestFinished(() => void Object.assign(client, { query }));
  };
  pool.on('acquire', watch);
  onTestFinished(() => void pool.off('acquire', watch));
  return logs;
}

/** The statements of each transaction that was committed, BEGIN and COMMIT left out, with the round trips between the two. */
export function committedTransactions(
  logs: ReadonlyMap<pg.PoolClient, readonly Sent[]>,
): { statements: string[]; trips: number }[] {
  const found: { statements: string[]; trips: number }[] = [];
  for (const log of logs.values()) {
    let open: Sent[] | undefined;
    for (const sent of log) {
      if (sent.text === 'BEGIN') open = [];
      else if (sent.text === 'COMMIT') {
        if (open)
          found.push({ statements: open.map(({ text }) => text), trips: new Set(open.map(({ trip }) => trip)).size });
        open = undefined;
      } else if (sent.text === 'ROLLBACK') open = undefined;
      else open?.push(sent);
    }
  }
  return found;
}
