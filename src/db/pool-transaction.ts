// A transaction on a connection of the pool, without Prisma between: for the coalesced path alone, whose figures are in ADR 0011.
// It tells a refused COMMIT from one whose outcome is unknown.
import type pg from 'pg';
import type { Row, Tx } from './client.js';
import { sqlStateOf } from './errors.js';
import { statementName } from './statement-names.js';

/** COMMIT was sent, and the connection was lost before the answer: the transaction may or may not be committed. */
export class CommitUncertain extends Error {
  constructor(cause: unknown) {
    super('the outcome of COMMIT is unknown', { cause });
    this.name = 'CommitUncertain';
  }
}

export interface PoolTransaction extends Tx {
  /** Throws CommitUncertain, or what Postgres refused. The connection is given back. */
  commit(): Promise<void>;
  /** Gives the connection back, after ROLLBACK or, if that fails, closed. Never throws. */
  abandon(): Promise<void>;
}

/** Longer than any statement may take by the server's own bound: only a dead peer reaches it. */
const READ_TIMEOUT_MS = 30_000;

/** The driver knows a time-out for each query, its types don't. */
function withReadTimeout(query: pg.QueryConfig): pg.QueryConfig {
  return Object.assign(query, { query_timeout: READ_TIMEOUT_MS });
}

/** Begins a READ COMMITTED transaction on a connection of the pool; end it with `commit` or `abandon`. */
export async function beginOnPool(pool: pg.Pool): Promise<PoolTransaction> {
  const client = await pool.connect();
  try {
    await client.query(withReadTimeout({ text: 'BEGIN' }));
  } catch (error) {
    client.release(true);
    throw error;
  }
  return {
    query: async <T extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await client.query<T>(withReadTimeout({ name: statementName(sql), text: sql, values: [...parameters] }))).rows,
    commit: async () => {
      try {
        await client.query(withReadTimeout({ text: 'COMMIT' }));
      } catch (error) {
        client.release(true);
        const isRefused = sqlStateOf(error) !== undefined && !/^(?:08|57P)/.test(sqlStateOf(error) ?? '');
        throw isRefused ? error : new CommitUncertain(error);
      }
      client.release();
    },
    abandon: async () => {
      try {
        await client.query(withReadTimeout({ text: 'ROLLBACK' }));
        client.release();
      } catch {
        client.release(true); // closing the connection rolls back too
      }
    },
  };
}
